//! From the rows of a file to blocks that wait in the database, and back. The first rows say what the columns are.

use std::io::{Read, Write};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use leadline_domain::{
    emails::Email,
    imports::{Column, name_columns},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::file::{FileFault, Layout, Take};

/// Rows in one block, which is what one step of an import works on.
pub const ROWS_IN_BLOCK: usize = 400;

/// A block has no further row once it has this many bytes.
const BLOCK_BYTES: usize = 1024 * 1024;

/// An unpacked block has at most this many bytes: a last row may be as large as a row may be, and JSON may double it.
const UNPACKED_MAX: u64 = 16 * 1024 * 1024;

/// Rows that are shown before somebody says what the columns are.
const PREVIEW_ROWS: usize = 20;

/// Values of each column that are looked at.
const SAMPLES: usize = 20;

/// Samples and previews are cut to this many characters.
const SHOWN_CHARS: usize = 200;

/// A row of a file: its number, from 1 as spreadsheets count, and its cells.
pub type NumberedRow = (i64, Vec<String>);

/// What is known of a file at its end.
#[derive(Debug)]
pub struct Packed {
    /// What it is.
    pub layout: Value,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its first rows.
    pub preview: Vec<NumberedRow>,
    /// Rows that are not blank, without the header.
    pub row_count: i64,
    /// Blocks that they are in.
    pub block_count: i64,
}

/// Packs rows into blocks and sends them away.
pub struct Packer {
    blocks: mpsc::Sender<Vec<u8>>,
    has_header: Option<bool>,
    layout: Option<Layout>,
    header: Option<Vec<String>>,
    header_row: Option<i64>,
    width: usize,
    rows_seen: i64,
    block: Vec<NumberedRow>,
    block_bytes: usize,
    preview: Vec<NumberedRow>,
    samples: Vec<Vec<String>>,
    row_count: i64,
    block_count: i64,
}

impl Packer {
    /// A packer. `has_header` is what somebody says of the first row; otherwise it is a header where no cell of it is an
    /// e-mail address.
    #[must_use]
    pub fn new(blocks: mpsc::Sender<Vec<u8>>, has_header: Option<bool>) -> Self {
        Self {
            blocks,
            has_header,
            layout: None,
            header: None,
            header_row: None,
            width: 0,
            rows_seen: 0,
            block: Vec::new(),
            block_bytes: 0,
            preview: Vec::new(),
            samples: Vec::new(),
            row_count: 0,
            block_count: 0,
        }
    }

    /// Sends the last block, and tells what is known.
    ///
    /// # Errors
    /// Where there was no row, or nobody takes the block.
    pub fn finish(mut self) -> Result<Packed, FileFault> {
        self.send_block()?;
        let layout = self.layout.ok_or(FileFault::Kind("the file is empty"))?;
        if self.row_count == 0 {
            return Err(FileFault::Kind("there are no rows in the file, or only the names of its columns"));
        }
        let names = name_columns(&self.header.unwrap_or_default(), self.width);
        self.samples.resize(names.len(), Vec::new());
        let columns = names.into_iter().zip(self.samples).map(|(name, samples)| Column { name, samples }).collect();
        Ok(Packed {
            layout: json!({
                "format": layout.format, "encoding": layout.encoding, "delimiter": layout.delimiter,
                "sheet": layout.sheet, "sheets": layout.sheets, "headerRow": self.header_row,
            }),
            columns,
            preview: self.preview,
            row_count: self.row_count,
            block_count: self.block_count,
        })
    }

    fn data_row(&mut self, number: i64, cells: Vec<String>) -> Result<(), FileFault> {
        self.width = self.width.max(cells.len());
        self.row_count += 1;
        if self.preview.len() < PREVIEW_ROWS {
            self.preview.push((number, cells.iter().map(|cell| shortened(cell)).collect()));
        }
        if self.row_count <= 500 {
            self.sample(&cells);
        }
        self.block_bytes += cells.iter().map(|cell| cell.len() + 4).sum::<usize>();
        self.block.push((number, cells));
        let is_full = self.block.len() == ROWS_IN_BLOCK || self.block_bytes >= BLOCK_BYTES;
        if is_full { self.send_block() } else { Ok(()) }
    }

    fn sample(&mut self, cells: &[String]) {
        if self.samples.len() < cells.len() {
            self.samples.resize(cells.len(), Vec::new());
        }
        for (samples, cell) in self.samples.iter_mut().zip(cells) {
            let cell = cell.trim();
            if samples.len() < SAMPLES && !cell.is_empty() {
                samples.push(shortened(cell));
            }
        }
    }

    fn send_block(&mut self) -> Result<(), FileFault> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = pack(&std::mem::take(&mut self.block))?;
        self.block_bytes = 0;
        self.block_count += 1;
        self.blocks.blocking_send(packed).map_err(|_| FileFault::NotWanted)
    }
}

impl Take for Packer {
    fn layout(&mut self, layout: Layout) -> Result<(), FileFault> {
        self.layout = Some(layout);
        Ok(())
    }

    fn row(&mut self, mut cells: Vec<String>) -> Result<(), FileFault> {
        self.rows_seen += 1;
        for cell in cells.iter_mut().filter(|cell| cell.contains('\0')) {
            *cell = cell.replace('\0', "");
        }
        let last = cells.iter().rposition(|cell| !cell.trim().is_empty());
        let Some(last) = last else { return Ok(()) };
        cells.truncate(last + 1);
        let is_first = self.header.is_none();
        if is_first && self.has_header.unwrap_or_else(|| names_columns(&cells)) {
            self.header_row = Some(self.rows_seen);
            self.width = cells.len();
            self.header = Some(cells);
            return Ok(());
        }
        self.header.get_or_insert_default();
        self.data_row(self.rows_seen, cells)
    }
}

/// Names of columns are no addresses.
fn names_columns(cells: &[String]) -> bool {
    !cells.iter().any(|cell| Email::parse(cell.trim()).is_some())
}

fn shortened(cell: &str) -> String {
    cell.chars().take(SHOWN_CHARS).collect()
}

/// Packs the rows of a block.
///
/// # Errors
/// Where there is no memory for it.
pub fn pack(rows: &[NumberedRow]) -> std::io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    let text = serde_json::to_vec(rows).map_err(std::io::Error::other)?;
    encoder.write_all(&text)?;
    encoder.finish()
}

/// The rows of a block.
///
/// # Errors
/// Where it is not what was packed.
pub fn unpack(block: &[u8]) -> std::io::Result<Vec<NumberedRow>> {
    let mut text = Vec::new();
    ZlibDecoder::new(block).take(UNPACKED_MAX).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(std::io::Error::other)
}
