//! Workbooks (Office Open XML), written as they are sent: rows of texts and numbers, and nothing that is computed.
//!
//! Texts that could be formulas carry the same apostrophe as in a CSV, since people save the one as the other. A sheet
//! that is full is followed by another one.

use std::{
    fmt::Write as _,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use leadline_domain::csv;
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{Cell, ExportError};

/// Rows of one sheet; Excel opens no more than 1,048,576.
const SHEET_ROWS: usize = 1_000_000;

/// Characters of one cell; Excel calls a file with more of them damaged.
const CELL_CHARS: usize = 32_767;

const OFFICE: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
const PACKAGE: &str = "http://schemas.openxmlformats.org/package/2006";
const SHEET: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const XML: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n";

/// A workbook on its way out.
pub(super) struct Workbook {
    zip: ZipWriter<StreamWriter<Outlet>>,
    out: Outlet,
    name: String,
    headings: Vec<Cell>,
    sheets: usize,
    rows: usize,
}

/// Where the bytes of the archive gather until they are sent.
#[derive(Clone, Default)]
pub(super) struct Outlet(Arc<Mutex<Vec<u8>>>);

impl Outlet {
    pub(super) fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Outlet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Workbook {
    pub(super) fn start(name: &str, headings: Vec<String>) -> Result<Self, ExportError> {
        let out = Outlet::default();
        let zip = ZipWriter::new_stream(out.clone());
        let headings = headings.into_iter().map(Cell::Text).collect();
        let mut workbook = Self { zip, out, name: name.to_owned(), headings, sheets: 0, rows: 0 };
        workbook.begin_sheet()?;
        Ok(workbook)
    }

    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), ExportError> {
        if self.rows == SHEET_ROWS {
            self.end_sheet()?;
            self.begin_sheet()?;
        }
        self.write_row(cells)
    }

    /// What can be sent by now.
    pub(super) fn take(&self) -> Vec<u8> {
        self.out.take()
    }

    /// The rest.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, ExportError> {
        self.end_sheet()?;
        let numbers = || 1..=self.sheets;
        let overrides: String = numbers()
            .map(|number| {
                format!(
                    "<Override PartName=\"/xl/worksheets/sheet{number}.xml\" ContentType=\"application/\
                     vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml\"/>"
                )
            })
            .collect();
        let types = format!(
            "{XML}<Types xmlns=\"{PACKAGE}/content-types\"><Default Extension=\"rels\" ContentType=\"application/\
             vnd.openxmlformats-package.relationships+xml\"/><Default Extension=\"xml\" ContentType=\"application/xml\"/>\
             <Override PartName=\"/xl/workbook.xml\" ContentType=\"application/\
             vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml\"/>{overrides}</Types>"
        );
        let root = relationships(&relationship("rId1", "officeDocument", "xl/workbook.xml"));
        let sheets: String = numbers()
            .map(|number| {
                let suffix = if number == 1 { String::new() } else { format!(" {number}") };
                let name = escaped(&format!("{}{suffix}", self.name));
                format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"rId{number}\"/>")
            })
            .collect();
        let book =
            format!("{XML}<workbook xmlns=\"{SHEET}\" xmlns:r=\"{OFFICE}\"><sheets>{sheets}</sheets></workbook>");
        let parts: String = numbers()
            .map(|number| relationship(&format!("rId{number}"), "worksheet", &format!("worksheets/sheet{number}.xml")))
            .collect();
        for (path, text) in [
            ("[Content_Types].xml", types),
            ("_rels/.rels", root),
            ("xl/workbook.xml", book),
            ("xl/_rels/workbook.xml.rels", relationships(&parts)),
        ] {
            self.begin_file(path)?;
            self.write(&text)?;
        }
        self.zip.finish().map_err(|error| ExportError::Workbook(error.into()))?;
        Ok(self.out.take())
    }

    fn begin_sheet(&mut self) -> Result<(), ExportError> {
        self.sheets += 1;
        self.rows = 0;
        self.begin_file(&format!("xl/worksheets/sheet{}.xml", self.sheets))?;
        self.write(&format!(
            "{XML}<worksheet xmlns=\"{SHEET}\"><sheetViews><sheetView workbookViewId=\"0\"><pane ySplit=\"1\" \
             topLeftCell=\"A2\" activePane=\"bottomLeft\" state=\"frozen\"/></sheetView></sheetViews><sheetData>"
        ))?;
        let headings = self.headings.clone();
        self.write_row(&headings)
    }

    fn end_sheet(&mut self) -> Result<(), ExportError> {
        self.write("</sheetData></worksheet>")
    }

    fn write_row(&mut self, cells: &[Cell]) -> Result<(), ExportError> {
        self.rows += 1;
        let row = self.rows;
        let mut text = format!("<row r=\"{row}\">");
        for (column, cell) in cells.iter().enumerate().filter(|(_, cell)| !cell.as_str().is_empty()) {
            let place = format!("{}{row}", letters(column));
            let written = match cell {
                Cell::Number(number) => write!(text, "<c r=\"{place}\"><v>{}</v></c>", escaped(number)),
                Cell::Text(words) => {
                    let words: String = csv::defused(words).chars().take(CELL_CHARS).collect();
                    let words = escaped(&words);
                    write!(text, "<c r=\"{place}\" t=\"inlineStr\"><is><t xml:space=\"preserve\">{words}</t></is></c>")
                }
            };
            written.expect("a text takes what is written to it");
        }
        text.push_str("</row>");
        self.write(&text)
    }

    fn begin_file(&mut self, path: &str) -> Result<(), ExportError> {
        // The least effort makes a tenth of such a text already, and rows are sent as they come.
        let options =
            SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).compression_level(Some(1));
        self.zip.start_file(path, options).map_err(|error| ExportError::Workbook(error.into()))
    }

    fn write(&mut self, text: &str) -> Result<(), ExportError> {
        self.zip.write_all(text.as_bytes()).map_err(|error| ExportError::Workbook(error.into()))
    }
}

fn relationships(list: &str) -> String {
    format!("{XML}<Relationships xmlns=\"{PACKAGE}/relationships\">{list}</Relationships>")
}

fn relationship(id: &str, kind: &str, target: &str) -> String {
    format!("<Relationship Id=\"{id}\" Type=\"{OFFICE}/{kind}\" Target=\"{target}\"/>")
}

/// The name of a column: A to Z, AA, AB, ….
fn letters(column: usize) -> String {
    let (mut rest, mut name) = (column + 1, String::new());
    while rest > 0 {
        rest -= 1;
        name.insert(0, char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    name
}

/// As XML takes it. Controls that it has no place for are written as workbooks write them, and so is an underscore that
/// would be read as the beginning of one.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\r' => escaped.push_str("_x000D_"),
            '_' if looks_escaped(&text[at..]) => escaped.push_str("_x005F_"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            '\t' | '\n' => escaped.push(letter),
            control if u32::from(control) < 0x20 => {
                escaped.push_str(&format!("_x{:04X}_", u32::from(control)));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

fn looks_escaped(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[1] == b'x' && bytes[2..6].iter().all(u8::is_ascii_hexdigit) && bytes[6] == b'_'
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(0, "A")]
    #[case(25, "Z")]
    #[case(26, "AA")]
    #[case(701, "ZZ")]
    #[case(702, "AAA")]
    fn columns_are_named_by_letters(#[case] column: usize, #[case] name: &str) {
        assert_eq!(letters(column), name);
    }

    #[rstest]
    #[case("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;")]
    #[case("a\r\n\tb", "a_x000D_\n\tb")]
    #[case("\u{1}", "_x0001_")]
    #[case("_x0041_", "_x005F_x0041_")]
    #[case("_xyz", "_xyz")]
    fn every_text_has_a_place_in_xml(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(escaped(text), expected);
    }
}
