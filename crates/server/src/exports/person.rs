//! Everything that is held of a person, as an archive: of each class a JSON file for programs and a CSV for a
//! spreadsheet. Made while it is sent, some rows at a time.

use std::{collections::VecDeque, io::Write};

use bytes::Bytes;
use futures_util::{Stream, stream};
use leadline_domain::{
    csv,
    ids::{AttachmentId, WorkspaceId},
};
use leadline_store::{
    Reader, attachments,
    privacy::{
        held::{self, CLASSES, Class},
        person::Person,
    },
};
use serde_json::{Map, Value};
use zip::{
    CompressionMethod, ZipWriter,
    write::{SimpleFileOptions, StreamWriter},
};

use super::{ExportError, words, xlsx::Outlet};

/// Rows in one answer of the database. A submission may have a megabyte.
const PAGE: i64 = 100;

/// What the archive says of itself.
const ABOUT: &str = "Everything that Leadline holds of one person, class by class.\n\nEach class is there twice: as JSON \
                     for programs, and as CSV for a spreadsheet. Times are in UTC. What is empty is left \
                     out. Files of messages are in the folder attachments.\n";

const FORMATS: [&str; 2] = ["json", "csv"];

struct Archive {
    reader: Reader,
    workspace: WorkspaceId,
    person: Person,
    zip: Option<ZipWriter<StreamWriter<Outlet>>>,
    out: Outlet,
    /// The next file: of which class, in which format.
    file: usize,
    rows_written: i64,
    /// Files of messages that are still to be written, behind the classes.
    attachments: VecDeque<(AttachmentId, String)>,
    /// The next block of the first of them.
    block: i64,
}

impl Archive {
    fn class(&self) -> Option<(&'static Class, &'static str)> {
        Some((CLASSES.get(self.file / FORMATS.len())?, FORMATS[self.file % FORMATS.len()]))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ExportError> {
        loop {
            let ready = self.out.take();
            if !ready.is_empty() {
                return Ok(Some(Bytes::from(ready)));
            }
            let Some((class, format)) = self.class() else {
                if self.write_attachment().await? {
                    continue;
                }
                let Some(zip) = self.zip.take() else { return Ok(None) };
                zip.finish().map_err(|error| ExportError::Workbook(error.into()))?;
                continue;
            };
            let place = (PAGE, self.rows_written);
            let rows = held::rows(&self.reader, self.workspace, &self.person, class, place).await?;
            self.write(class, format, &rows)?;
            if class.name == "attachments" && format == "json" {
                self.note_attachments(&rows);
            }
            self.rows_written += rows.len() as i64;
            if (rows.len() as i64) < PAGE {
                self.end(format)?;
            }
        }
    }

    fn write(&mut self, class: &Class, format: &str, rows: &[Map<String, Value>]) -> Result<(), ExportError> {
        let is_first = self.rows_written == 0;
        let mut text = String::new();
        if rows.is_empty() {
            return Ok(());
        }
        if is_first {
            self.open_file(&format!("{}.{format}", class.name))?;
        }
        if format == "json" {
            for (row, index) in rows.iter().zip(self.rows_written..) {
                text.push_str(if index == 0 { "[\n" } else { ",\n" });
                text.push_str(&serde_json::to_string_pretty(row).unwrap_or_default());
            }
        } else {
            if is_first {
                text.push_str(csv::BYTE_ORDER_MARK);
                text.push_str(&csv::line(&class.headings()));
            }
            for row in rows {
                text.push_str(&csv::line(&row.values().map(words).collect::<Vec<_>>()));
            }
        }
        self.put(&text)
    }

    /// A block of a file of a message; false behind the last one.
    async fn write_attachment(&mut self) -> Result<bool, ExportError> {
        let Some((id, name)) = self.attachments.front().cloned() else { return Ok(false) };
        if self.block == 0 {
            self.open_file(&format!("attachments/{id} {name}"))?;
        }
        match attachments::read_block(&self.reader, id, self.block).await? {
            Some(bytes) => {
                self.put_bytes(&bytes)?;
                self.block += 1;
            }
            None => {
                self.attachments.pop_front();
                self.block = 0;
            }
        }
        Ok(true)
    }

    /// Which files there are, as their rows are written.
    fn note_attachments(&mut self, rows: &[Map<String, Value>]) {
        let stored = rows.iter().filter(|row| row.get("state").and_then(Value::as_str) == Some("stored"));
        let named = stored.filter_map(|row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str);
            Some((text("id")?.parse().ok()?, text("fileName")?.to_owned()))
        });
        self.attachments.extend(named);
    }

    fn end(&mut self, format: &str) -> Result<(), ExportError> {
        if format == "json" && self.rows_written > 0 {
            self.put("\n]\n")?;
        }
        self.file += 1;
        self.rows_written = 0;
        Ok(())
    }

    fn open_file(&mut self, name: &str) -> Result<(), ExportError> {
        let Some(zip) = &mut self.zip else { return Ok(()) };
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        zip.start_file(name, options).map_err(|error| ExportError::Workbook(error.into()))
    }

    fn put(&mut self, text: &str) -> Result<(), ExportError> {
        self.put_bytes(text.as_bytes())
    }

    fn put_bytes(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let Some(zip) = &mut self.zip else { return Ok(()) };
        zip.write_all(bytes).map_err(|error| ExportError::Workbook(error.into()))
    }
}

/// The archive in pieces.
///
/// # Errors
/// Where it cannot be begun.
pub(crate) fn archive(
    reader: Reader,
    workspace: WorkspaceId,
    person: Person,
) -> Result<impl Stream<Item = Result<Bytes, ExportError>> + Send, ExportError> {
    let out = Outlet::default();
    let zip = Some(ZipWriter::new_stream(out.clone()));
    let (attachments, block) = (VecDeque::new(), 0);
    let mut archive = Archive { reader, workspace, person, zip, out, file: 0, rows_written: 0, attachments, block };
    archive.open_file("about.txt")?;
    archive.put(ABOUT)?;
    Ok(stream::try_unfold(archive, |mut archive| async move {
        let next = archive.next().await;
        if let Err(error) = &next {
            tracing::warn!(error = error as &dyn std::error::Error, "an archive is broken off");
        }
        next.map(|bytes| bytes.map(|bytes| (bytes, archive)))
    }))
}
