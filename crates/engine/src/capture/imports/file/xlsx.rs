//! Workbooks: the rows of one sheet, read as a stream. Texts stand beside the sheet in a table of their own, which is
//! kept in memory up to a bound; everything else is read once and forgotten.

use std::{
    fs::File,
    io::{BufRead, BufReader, Error, ErrorKind, Read, Seek, SeekFrom},
};

use leadline_domain::csv::read::{CELLS_MAX, ROW_MAX_BYTES, ReadFault};
use zip::ZipArchive;

use super::{
    FileFault, Layout, ROWS_MAX, Take,
    numbers::{self, Shown},
    xml::{Piece, Pieces, Tag, broken},
};

/// What is read of one part of a workbook, unpacked. A sheet of a million rows has less.
const PART_MAX: u64 = 4 * 1024 * 1024 * 1024;

/// What the table of texts may have.
const TEXTS_MAX: usize = 192 * 1024 * 1024;

/// Files in a workbook at most. Their list is read before anything else.
const PARTS_MAX: u16 = 5_000;

type Archive = ZipArchive<BufReader<File>>;

pub(super) fn read(mut file: File, sheet: Option<&str>, take: &mut impl Take) -> Result<(), FileFault> {
    refuse_long_lists(&mut file)?;
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|error| FileFault::Workbook(error.to_string()))?;
    let main = main_part(&mut archive)?;
    let links = links_of(&mut archive, &main)?;
    let (sheets, counts_from_1904) = sheets_of(&mut archive, &main)?;
    let chosen = choose(&sheets, sheet)?;
    let path = links.iter().find(|link| link.id == chosen.link).map(|link| link.path.clone());
    let path = path.ok_or_else(|| broken("its sheet is not in it"))?;
    let of_kind = |kind: &str| links.iter().find(|link| link.kind == kind).map(|link| link.path.clone());
    let styles = of_kind("styles").map(|path| styles_of(&mut archive, &path)).transpose()?.unwrap_or_default();
    let texts = of_kind("sharedStrings").map(|path| texts_of(&mut archive, &path)).transpose()?.unwrap_or_default();
    take.layout(Layout {
        format: "xlsx",
        encoding: None,
        delimiter: None,
        sheet: Some(chosen.name.clone()),
        sheets: sheets.iter().map(|sheet| sheet.name.clone()).collect(),
    })?;
    let book = Book { texts, styles, counts_from_1904 };
    part(&mut archive, &path, |pieces| rows_of(pieces, &book, take))
}

/// The list of files stands at the end, with how many there are: 65,535 says that there are more.
fn refuse_long_lists(file: &mut File) -> Result<(), FileFault> {
    let length = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(length.saturating_sub(66_000)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    file.rewind()?;
    let at = end.windows(4).rposition(|bytes| bytes == b"PK\x05\x06");
    let count = at.and_then(|at| end.get(at + 10..at + 12)).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    match count {
        Some(count) if count <= PARTS_MAX => Ok(()),
        Some(_) => Err(FileFault::TooLarge),
        None => Err(broken("it is cut off")),
    }
}

/// The pieces of one part.
type Part<'a> = Pieces<Box<dyn BufRead + 'a>>;

/// Reads one part, within its bound.
fn part<T>(
    archive: &mut Archive,
    path: &str,
    read: impl FnOnce(&mut Part<'_>) -> Result<T, FileFault>,
) -> Result<T, FileFault> {
    let entry = archive.by_name(path).map_err(|error| match error {
        zip::result::ZipError::FileNotFound => {
            FileFault::Kind("this is no Excel workbook (.xlsx): save it as .xlsx or CSV")
        }
        other => FileFault::Workbook(other.to_string()),
    })?;
    let bounded = Bounded { from: entry, left: PART_MAX };
    let mut pieces: Part<'_> = Pieces::new(Box::new(BufReader::with_capacity(64 * 1024, bounded)));
    read(&mut pieces).map_err(|fault| match fault {
        FileFault::Disk(error) if error.kind() == ErrorKind::FileTooLarge => FileFault::TooLarge,
        // What fails while a part is unpacked is the file's fault, not the disk's.
        FileFault::Disk(error) => FileFault::Workbook(error.to_string()),
        other => other,
    })
}

/// Reads so much and no more.
struct Bounded<R> {
    from: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| Error::from(ErrorKind::FileTooLarge))?;
        Ok(read)
    }
}

struct Link {
    id: String,
    kind: String,
    path: String,
}

/// Where the workbook itself is.
fn main_part(archive: &mut Archive) -> Result<String, FileFault> {
    let links = part(archive, "_rels/.rels", |pieces| links_in(pieces, ""))?;
    let main = links.into_iter().find(|link| link.kind == "officeDocument");
    let main = main.map(|link| link.path).filter(|path| path.starts_with("xl/"));
    main.ok_or(FileFault::Kind("this is no Excel workbook (.xlsx): save it as .xlsx or CSV"))
}

fn links_of(archive: &mut Archive, main: &str) -> Result<Vec<Link>, FileFault> {
    let (folder, name) = main.rsplit_once('/').unwrap_or(("", main));
    part(archive, &format!("{folder}/_rels/{name}.rels"), |pieces| links_in(pieces, folder))
}

fn links_in(pieces: &mut Part<'_>, folder: &str) -> Result<Vec<Link>, FileFault> {
    let mut links = Vec::new();
    while let Some(piece) = pieces.next()? {
        let (Piece::Start(tag) | Piece::Empty(tag)) = piece else { continue };
        if tag.name != "Relationship" || links.len() > usize::from(PARTS_MAX) {
            continue;
        }
        let (Some(id), Some(kind), Some(target)) = (tag.get("Id"), tag.get("Type"), tag.get("Target")) else {
            continue;
        };
        let path = match target.strip_prefix('/') {
            Some(absolute) => absolute.to_owned(),
            None if folder.is_empty() => target.to_owned(),
            None => format!("{folder}/{target}"),
        };
        let kind = kind.rsplit('/').next().unwrap_or(kind).to_owned();
        links.push(Link { id: id.to_owned(), kind, path });
    }
    Ok(links)
}

struct Sheet {
    name: String,
    link: String,
    is_hidden: bool,
}

fn sheets_of(archive: &mut Archive, main: &str) -> Result<(Vec<Sheet>, bool), FileFault> {
    part(archive, main, |pieces| {
        let (mut sheets, mut counts_from_1904) = (Vec::new(), false);
        while let Some(piece) = pieces.next()? {
            let (Piece::Start(tag) | Piece::Empty(tag)) = piece else { continue };
            match tag.name.as_str() {
                "workbookPr" => counts_from_1904 = matches!(tag.get("date1904"), Some("1" | "true")),
                "sheet" if sheets.len() < 1_000 => {
                    let (Some(name), Some(link)) = (tag.get("name"), tag.get("id")) else { continue };
                    let is_hidden = tag.get("state").is_some_and(|state| state != "visible");
                    sheets.push(Sheet { name: name.to_owned(), link: link.to_owned(), is_hidden });
                }
                _ => {}
            }
        }
        Ok((sheets, counts_from_1904))
    })
}

fn choose<'a>(sheets: &'a [Sheet], wanted: Option<&str>) -> Result<&'a Sheet, FileFault> {
    let found = match wanted {
        Some(name) => sheets.iter().find(|sheet| sheet.name == name),
        None => sheets.iter().find(|sheet| !sheet.is_hidden).or(sheets.first()),
    };
    found.ok_or_else(|| match wanted {
        Some(name) => FileFault::Hint(format!("the workbook has no sheet {name:?}")),
        None => broken("it has no sheet"),
    })
}

fn styles_of(archive: &mut Archive, path: &str) -> Result<Vec<Shown>, FileFault> {
    part(archive, path, |pieces| {
        let (mut own, mut styles, mut is_of_cells) = (std::collections::HashMap::new(), Vec::new(), false);
        while let Some(piece) = pieces.next()? {
            match piece {
                Piece::Start(tag) | Piece::Empty(tag) => match tag.name.as_str() {
                    "numFmt" if own.len() < 10_000 => {
                        if let (Some(id), Some(code)) = (number(&tag, "numFmtId"), tag.get("formatCode")) {
                            own.insert(id, numbers::of_code(code));
                        }
                    }
                    "cellXfs" => is_of_cells = true,
                    "xf" if is_of_cells && styles.len() < 100_000 => {
                        let id = number(&tag, "numFmtId").unwrap_or(0);
                        styles.push(own.get(&id).copied().unwrap_or_else(|| numbers::built_in(id)));
                    }
                    _ => {}
                },
                Piece::End(name) if name == "cellXfs" => is_of_cells = false,
                Piece::End(_) | Piece::Text(_) => {}
            }
        }
        Ok(styles)
    })
}

fn number(tag: &Tag, name: &str) -> Option<u32> {
    tag.get(name)?.parse().ok()
}

/// Texts one behind the other, and where each ends.
#[derive(Default)]
struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    fn get(&self, index: usize) -> Option<&str> {
        let end = *self.ends.get(index)? as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before] as usize);
        self.all.get(start..end)
    }
}

fn texts_of(archive: &mut Archive, path: &str) -> Result<Texts, FileFault> {
    part(archive, path, |pieces| {
        let mut texts = Texts::default();
        let (mut is_text, mut is_reading_aid) = (false, false);
        while let Some(piece) = pieces.next()? {
            match piece {
                Piece::Start(tag) if tag.name == "t" => is_text = true,
                Piece::Start(tag) if tag.name == "rPh" => is_reading_aid = true,
                Piece::End(name) => match name.as_str() {
                    "t" => is_text = false,
                    "rPh" => is_reading_aid = false,
                    "si" => texts.end()?,
                    _ => {}
                },
                Piece::Empty(tag) if tag.name == "si" => texts.end()?,
                Piece::Text(text) if is_text && !is_reading_aid => texts.all.push_str(&unescaped(&text)),
                Piece::Start(_) | Piece::Empty(_) | Piece::Text(_) => {}
            }
        }
        Ok(texts)
    })
}

impl Texts {
    fn end(&mut self) -> Result<(), FileFault> {
        let is_too_much = self.all.len() + self.ends.len() * 4 > TEXTS_MAX;
        if is_too_much {
            return Err(FileFault::TooLarge);
        }
        self.ends.push(u32::try_from(self.all.len()).map_err(|_| FileFault::TooLarge)?);
        Ok(())
    }
}

/// Signs that XML cannot hold are written `_x000D_`.
fn unescaped(text: &str) -> String {
    if !text.contains("_x") {
        return text.to_owned();
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("_x") {
        plain.push_str(before);
        let code = after.get(..4).filter(|_| after.as_bytes().get(4) == Some(&b'_'));
        match code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32) {
            Some(sign) => {
                plain.push(sign);
                rest = &after[5..];
            }
            None => {
                plain.push_str("_x");
                rest = after;
            }
        }
    }
    plain.push_str(rest);
    plain
}

/// What cells refer to.
struct Book {
    texts: Texts,
    styles: Vec<Shown>,
    counts_from_1904: bool,
}

/// A cell while it is read.
#[derive(Default)]
struct Cell {
    column: usize,
    kind: String,
    style: usize,
    text: String,
}

/// The rows of a sheet while they are read.
struct Rows<'a, T> {
    book: &'a Book,
    take: &'a mut T,
    /// Rows that were given.
    given: u64,
    cells: Vec<String>,
    bytes: usize,
    cell: Option<Cell>,
    next_column: usize,
}

fn rows_of(pieces: &mut Part<'_>, book: &Book, take: &mut impl Take) -> Result<(), FileFault> {
    let mut rows = Rows { book, take, given: 0, cells: Vec::new(), bytes: 0, cell: None, next_column: 0 };
    let mut is_value = false;
    while let Some(piece) = pieces.next()? {
        match piece {
            Piece::Start(tag) => match tag.name.as_str() {
                "row" => rows.begin(&tag)?,
                "c" => rows.begin_cell(&tag),
                "v" | "t" => is_value = rows.cell.is_some(),
                "rPh" => is_value = false,
                _ => {}
            },
            Piece::Empty(tag) => match tag.name.as_str() {
                "row" => {
                    rows.begin(&tag)?;
                    rows.end()?;
                }
                "c" => rows.next_column = column_of(&tag).unwrap_or(rows.next_column) + 1,
                _ => {}
            },
            Piece::Text(text) if is_value => rows.text(&text)?,
            Piece::Text(_) => {}
            Piece::End(name) => match name.as_str() {
                "v" | "t" => is_value = false,
                "c" => rows.end_cell()?,
                "row" => rows.end()?,
                // What follows are comments, links and settings.
                "sheetData" => return Ok(()),
                _ => {}
            },
        }
    }
    Ok(())
}

impl<T: Take> Rows<'_, T> {
    /// Rows that a sheet leaves out are blank.
    fn begin(&mut self, tag: &Tag) -> Result<(), FileFault> {
        let number = tag.get("r").and_then(|number| number.parse::<u64>().ok()).unwrap_or(self.given + 1);
        if number > ROWS_MAX {
            return Err(FileFault::TooManyRows);
        }
        while self.given + 1 < number {
            self.give()?;
        }
        self.next_column = 0;
        Ok(())
    }

    fn begin_cell(&mut self, tag: &Tag) {
        self.cell = Some(Cell {
            column: column_of(tag).unwrap_or(self.next_column),
            kind: tag.get("t").unwrap_or("n").to_owned(),
            style: tag.get("s").and_then(|style| style.parse().ok()).unwrap_or(0),
            text: String::new(),
        });
    }

    fn text(&mut self, text: &str) -> Result<(), FileFault> {
        let Some(cell) = &mut self.cell else { return Ok(()) };
        if cell.text.len() + text.len() > ROW_MAX_BYTES {
            return Err(ReadFault::RowTooLarge { row: self.given + 1 }.into());
        }
        cell.text.push_str(text);
        Ok(())
    }

    fn end_cell(&mut self) -> Result<(), FileFault> {
        let Some(cell) = self.cell.take() else { return Ok(()) };
        self.next_column = cell.column + 1;
        let book = self.book;
        let text = match cell.kind.as_str() {
            "s" => {
                let index = cell.text.trim().parse().ok();
                index.and_then(|index| book.texts.get(index)).unwrap_or_default().to_owned()
            }
            "str" | "inlineStr" => unescaped(&cell.text),
            "b" => if cell.text.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            // What a formula could not compute is no value.
            "e" => String::new(),
            "d" => cell.text,
            _ => {
                let shown = book.styles.get(cell.style).copied().unwrap_or_default();
                numbers::text(&cell.text, shown, book.counts_from_1904)
            }
        };
        if text.is_empty() {
            return Ok(());
        }
        let row = self.given + 1;
        if cell.column >= CELLS_MAX {
            return Err(ReadFault::TooManyCells { row }.into());
        }
        self.bytes += text.len();
        if self.bytes > ROW_MAX_BYTES {
            return Err(ReadFault::RowTooLarge { row }.into());
        }
        if self.cells.len() <= cell.column {
            self.cells.resize(cell.column + 1, String::new());
        }
        self.cells[cell.column] = text;
        Ok(())
    }

    fn end(&mut self) -> Result<(), FileFault> {
        self.cell = None;
        self.bytes = 0;
        self.give()
    }

    fn give(&mut self) -> Result<(), FileFault> {
        self.given += 1;
        self.take.row(std::mem::take(&mut self.cells))
    }
}

/// `C7` is in column 2.
fn column_of(tag: &Tag) -> Option<usize> {
    let letters: Vec<u8> = tag.get("r")?.bytes().take_while(u8::is_ascii_uppercase).collect();
    let is_column = (1..=3).contains(&letters.len());
    is_column.then(|| letters.iter().fold(0, |sum, letter| sum * 26 + usize::from(letter - b'A') + 1) - 1)
}
