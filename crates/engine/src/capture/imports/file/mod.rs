//! Reading a file of leads from the disk, whatever it is: rows of cells one after the other, and never more in memory
//! than a row is allowed to have.
//!
//! Runs on a thread that may wait for the disk. What a row means is not decided here.

mod numbers;
mod text;
mod xlsx;
mod xml;

use std::{
    fs::File,
    io::{Read, Seek},
};

use leadline_domain::csv::read::ReadFault;

/// Rows of one file at most, blank ones included.
pub const ROWS_MAX: u64 = 2_000_000;

/// What somebody says of a file, where a guess would be wrong.
#[derive(Debug, Clone, Default)]
pub struct Hints {
    /// The name of its encoding.
    pub encoding: Option<String>,
    /// What stands between cells.
    pub delimiter: Option<char>,
    /// Which sheet of a workbook.
    pub sheet: Option<String>,
}

/// What a file turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `csv` or `xlsx`.
    pub format: &'static str,
    /// The encoding of a text.
    pub encoding: Option<String>,
    /// What stands between the cells of a text.
    pub delimiter: Option<char>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// All its sheets.
    pub sheets: Vec<String>,
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileFault {
    /// It is of a kind that is not read here.
    #[error("{0}")]
    Kind(&'static str),
    /// What was said of it does not fit.
    #[error("{0}")]
    Hint(String),
    /// A row is too large.
    #[error(transparent)]
    Row(#[from] ReadFault),
    /// It has too many rows.
    #[error("the file has more than {ROWS_MAX} rows: split it")]
    TooManyRows,
    /// It is a workbook that cannot be read.
    #[error("the workbook cannot be read: {0}")]
    Workbook(String),
    /// It unpacks to more than is read.
    #[error("the workbook unpacks to more than can be read: save the sheet as CSV")]
    TooLarge,
    /// Whoever takes the rows wants no more.
    #[error("nobody takes the rows any more")]
    NotWanted,
    /// The disk failed.
    #[error("the file cannot be read")]
    Disk(#[from] std::io::Error),
}

/// Takes what is read, in this order: the layout once, then row after row.
pub trait Take {
    /// What the file is.
    fn layout(&mut self, layout: Layout) -> Result<(), FileFault>;
    /// The next row. One without cells, or with empty ones alone, is blank.
    fn row(&mut self, cells: Vec<String>) -> Result<(), FileFault>;
}

/// Reads a file from its beginning to its end.
///
/// # Errors
/// Where it cannot be read, or whoever takes it refuses.
pub fn read(mut file: File, hints: &Hints, take: &mut impl Take) -> Result<(), FileFault> {
    let mut first = [0; 8];
    let length = read_some(&mut file, &mut first)?;
    file.rewind()?;
    match &first[..length] {
        [b'P', b'K', 3 | 5, 4 | 6, ..] => xlsx::read(file, hints.sheet.as_deref(), take),
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            Err(FileFault::Kind("this is an old Excel file (.xls) or a protected one: save it as .xlsx or CSV"))
        }
        [b'%', b'P', b'D', b'F', ..] => Err(FileFault::Kind("this is a PDF: export a CSV or an Excel file instead")),
        [0x1f, 0x8b, ..] => Err(FileFault::Kind("this file is compressed: unpack it first")),
        [] => Err(FileFault::Kind("the file is empty")),
        _ => text::read(file, hints, take),
    }
}

/// Fills the buffer as far as the file goes.
fn read_some(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        let read = file.read(&mut buffer[filled..])?;
        if read == 0 {
            break;
        }
        filled += read;
    }
    Ok(filled)
}
