//! Tables for spreadsheets, made while they are sent: a page of rows at a time, so that no more than that is in memory,
//! and nothing is asked of the store once nobody takes it any more.
//!
//! A file that cannot be finished is broken off, which whoever fetches it sees as a failed download and never as a
//! whole file. Rows come from [`leads`] and [`contacts`]; [`xlsx`] writes workbooks, `domain::csv` the lines of a CSV.

pub mod contacts;
pub mod leads;
pub(crate) mod person;
pub mod recipients;
mod xlsx;

use std::error::Error as StdError;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::{Stream, stream};
use http::{HeaderValue, header};
use leadline_domain::csv;
use leadline_store::{Error, Reader};
use serde_json::Value;

pub use crate::api::{
    exports::{Request, contacts_of, leads_of},
    masking::Sight,
};
use xlsx::Workbook;

/// Rows in one answer of the database.
const PAGE: usize = 250;

/// What stands between several things in one cell.
const BETWEEN: &str = "; ";

/// As what a table is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableFormat {
    /// Comma-separated values.
    Csv,
    /// A workbook.
    Xlsx,
}

impl TableFormat {
    /// Its media type.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// How names of such files end.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// What stands in a place of a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A text, or nothing.
    Text(String),
    /// A number, in digits.
    Number(String),
}

impl Cell {
    fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    fn maybe(text: Option<impl Into<String>>) -> Self {
        Self::Text(text.map(Into::into).unwrap_or_default())
    }

    fn number(number: i64) -> Self {
        Self::Number(number.to_string())
    }

    fn json(value: Option<&Value>) -> Self {
        match value {
            Some(Value::Number(number)) => Self::Number(number.to_string()),
            Some(value) => Self::Text(words(value)),
            None => Self::Text(String::new()),
        }
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Number(text) => text,
        }
    }
}

/// A value as people read it: a list as its parts, anything deeper as JSON.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(parts) if parts.iter().all(|part| !part.is_array() && !part.is_object()) => {
            parts.iter().map(words).collect::<Vec<_>>().join(BETWEEN)
        }
        Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// The rows of a table, as they come.
pub trait Table: Send {
    /// What the table is called.
    const NAME: &'static str;

    /// What stands above its columns.
    fn headings(&self) -> Vec<String>;

    /// The next rows; `None` at the end.
    fn next(&mut self, reader: &Reader) -> impl Future<Output = Result<Option<Vec<Vec<Cell>>>, Error>> + Send;
}

/// Why a file was not finished.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error("the rows of a table cannot be read")]
    Store(#[from] Error),
    /// The workbook cannot be written.
    #[error("a workbook cannot be written")]
    Workbook(#[source] Box<dyn StdError + Send + Sync>),
}

enum Writer {
    Csv(String),
    Xlsx(Box<Workbook>),
}

impl Writer {
    fn start(format: TableFormat, name: &str, headings: Vec<String>) -> Result<Self, ExportError> {
        match format {
            TableFormat::Csv => Ok(Self::Csv(csv::BYTE_ORDER_MARK.to_owned() + &csv::line(&headings))),
            TableFormat::Xlsx => Ok(Self::Xlsx(Box::new(Workbook::start(name, headings)?))),
        }
    }

    fn row(&mut self, cells: &[Cell]) -> Result<(), ExportError> {
        match self {
            Self::Csv(text) => text.push_str(&csv::line(&cells.iter().map(Cell::as_str).collect::<Vec<_>>())),
            Self::Xlsx(workbook) => workbook.row(cells)?,
        }
        Ok(())
    }

    fn take(&mut self) -> Bytes {
        match self {
            Self::Csv(text) => Bytes::from(std::mem::take(text)),
            Self::Xlsx(workbook) => Bytes::from(workbook.take()),
        }
    }

    fn finish(self) -> Result<Bytes, ExportError> {
        match self {
            Self::Csv(text) => Ok(Bytes::from(text)),
            Self::Xlsx(workbook) => Ok(Bytes::from(workbook.finish()?)),
        }
    }
}

struct Export<T> {
    reader: Reader,
    table: T,
    writer: Option<Writer>,
}

impl<T: Table> Export<T> {
    async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        let Some(writer) = &mut self.writer else { return Ok(None) };
        let ready = writer.take();
        if !ready.is_empty() {
            return Ok(Some(ready));
        }
        while let Some(rows) = self.table.next(&self.reader).await? {
            for row in &rows {
                writer.row(row)?;
            }
            let ready = writer.take();
            if !ready.is_empty() {
                return Ok(Some(ready));
            }
        }
        let Some(writer) = self.writer.take() else { return Ok(None) };
        Ok(Some(writer.finish()?).filter(|rest| !rest.is_empty()))
    }
}

/// A file in pieces, the first of which is its heading.
///
/// # Errors
/// Where it cannot be begun.
pub fn pieces<T: Table>(
    reader: Reader,
    table: T,
    format: TableFormat,
) -> Result<impl Stream<Item = Result<Bytes, ExportError>> + Send, ExportError> {
    let writer = Writer::start(format, T::NAME, table.headings())?;
    let export = Export { reader, table, writer: Some(writer) };
    Ok(stream::try_unfold(export, |mut export| async move {
        let next = export.next().await;
        if let Err(error) = &next {
            tracing::warn!(error = error as &dyn StdError, "a table is broken off");
        }
        next.map(|bytes| bytes.map(|bytes| (bytes, export)))
    }))
}

/// A file as the answer to a request.
pub(crate) fn attachment(content_type: &'static str, file_name: &str, body: Body) -> Response {
    let disposition = HeaderValue::try_from(format!("attachment; filename=\"{file_name}\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}
