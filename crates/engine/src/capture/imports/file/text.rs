//! Text: which encoding it is in, and its rows.
//!
//! A byte order mark says it; without one a file that is UTF-8 from end to end is that, and of the others the statistics
//! of letters tell. All of it reads the file in pieces.

use std::{fs::File, io::Seek};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{CoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use leadline_domain::csv::read::{Reader, Shape};

use super::{FileFault, Hints, Layout, ROWS_MAX, Take, read_some};

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// How much of the text the guess at its shape goes by.
const BEGINNING: usize = 256 * 1024;

pub(super) fn read(mut file: File, hints: &Hints, take: &mut impl Take) -> Result<(), FileFault> {
    let encoding = match hints.encoding.as_deref() {
        Some(name) => known(name)?,
        None => detect(&mut file)?,
    };
    file.rewind()?;
    let mut rows = Rows { beginning: Some(String::new()), reader: None, hints, encoding, count: 0, take };
    decode(&mut file, encoding, |text| rows.text(text))?;
    rows.finish()
}

fn known(name: &str) -> Result<&'static Encoding, FileFault> {
    let encoding = Encoding::for_label(name.trim().as_bytes());
    encoding.ok_or_else(|| FileFault::Hint(format!("{name:?} is no encoding that is known here")))
}

/// Goes through the whole file: the one letter that is not ASCII may stand at its end.
fn detect(file: &mut File) -> Result<&'static Encoding, FileFault> {
    let mut piece = vec![0; PIECE];
    let length = read_some(file, &mut piece)?;
    let first = &piece[..length];
    if let Some((encoding, _)) = Encoding::for_bom(first) {
        return Ok(encoding);
    }
    if let Some(encoding) = wide(first) {
        return Ok(encoding);
    }
    if !is_text(first) {
        return Err(FileFault::Kind("this is neither text nor an Excel workbook (.xlsx)"));
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut utf_8 = UTF_8.new_decoder_without_bom_handling();
    let mut is_utf_8 = true;
    let mut sink = String::with_capacity(PIECE * 3 + 16);
    let mut length = length;
    loop {
        let is_last = length < PIECE;
        let bytes = &piece[..length];
        detector.feed(bytes, is_last);
        if is_utf_8 {
            sink.clear();
            let (_, _, had_errors) = utf_8.decode_to_string(bytes, &mut sink, is_last);
            is_utf_8 = !had_errors;
        }
        if is_last {
            break;
        }
        length = read_some(file, &mut piece)?;
    }
    Ok(if is_utf_8 { UTF_8 } else { detector.guess(None, Utf8Detection::Deny) })
}

/// Texts have hardly any signs that nobody types; a stray one does not make a file unreadable.
fn is_text(first: &[u8]) -> bool {
    let sample = &first[..first.len().min(4_096)];
    let is_odd = |byte: &&u8| matches!(byte, 0..=8 | 14..=26);
    sample.iter().filter(is_odd).count() * 10 < sample.len()
}

/// UTF-16 without a mark: every other byte of usual letters is nothing.
fn wide(first: &[u8]) -> Option<&'static Encoding> {
    let sample = &first[..first.len().min(4_096)];
    let pairs = sample.len() / 2;
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    let mostly = |zeros: usize, others: usize| pairs > 1 && zeros * 10 >= pairs * 4 && others * 10 < pairs;
    if mostly(odd, even) {
        return Some(UTF_16LE);
    }
    mostly(even, odd).then_some(UTF_16BE)
}

/// Decodes in pieces. What cannot be decoded becomes U+FFFD.
fn decode(
    file: &mut File,
    encoding: &'static Encoding,
    mut take: impl FnMut(&str) -> Result<(), FileFault>,
) -> Result<(), FileFault> {
    let mut decoder = encoding.new_decoder_with_bom_removal();
    let mut piece = vec![0; PIECE];
    let mut text = String::with_capacity(PIECE * 3 + 16);
    loop {
        let length = read_some(file, &mut piece)?;
        let is_last = length < PIECE;
        let mut done = 0;
        loop {
            text.clear();
            let (result, read, _) = decoder.decode_to_string(&piece[done..length], &mut text, is_last);
            done += read;
            take(&text)?;
            if result == CoderResult::InputEmpty {
                break;
            }
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Text on its way to rows. Until enough of it has come to guess its shape it waits.
struct Rows<'a, T> {
    beginning: Option<String>,
    reader: Option<Reader>,
    hints: &'a Hints,
    encoding: &'static Encoding,
    count: u64,
    take: &'a mut T,
}

impl<T: Take> Rows<'_, T> {
    fn text(&mut self, text: &str) -> Result<(), FileFault> {
        match &mut self.beginning {
            None => self.read(text),
            Some(beginning) => {
                beginning.push_str(text);
                if beginning.len() >= BEGINNING { self.begin() } else { Ok(()) }
            }
        }
    }

    fn begin(&mut self) -> Result<(), FileFault> {
        let Some(beginning) = self.beginning.take() else { return Ok(()) };
        let shape = Shape::guess(&beginning, self.hints.delimiter);
        self.take.layout(Layout {
            format: "csv",
            encoding: Some(self.encoding.name().to_owned()),
            delimiter: Some(shape.delimiter),
            sheet: None,
            sheets: Vec::new(),
        })?;
        self.reader = Some(Reader::new(shape));
        self.read(&beginning)
    }

    fn read(&mut self, text: &str) -> Result<(), FileFault> {
        let (count, take) = (&mut self.count, &mut *self.take);
        let Some(reader) = &mut self.reader else { return Ok(()) };
        reader.read(text, |cells| counted(count, cells, take))
    }

    fn finish(mut self) -> Result<(), FileFault> {
        self.begin()?;
        let (count, take) = (&mut self.count, &mut *self.take);
        let Some(reader) = self.reader.take() else { return Ok(()) };
        reader.finish(|cells| counted(count, cells, take))
    }
}

fn counted(count: &mut u64, cells: Vec<String>, take: &mut impl Take) -> Result<(), FileFault> {
    *count += 1;
    if *count > ROWS_MAX { Err(FileFault::TooManyRows) } else { take.row(cells) }
}
