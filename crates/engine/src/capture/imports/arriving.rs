//! A file while it comes in: on the disk and never in memory, without a name, so that it is gone with whoever reads it.

use std::{fs::DirBuilder, os::unix::fs::DirBuilderExt, path::Path};

use tokio::io::AsyncWriteExt;

use super::{ImportError, Upload};
use crate::Engine;

/// A file that is being received.
#[derive(Debug)]
pub struct Arriving {
    file: tokio::fs::File,
    size_bytes: u64,
    most_bytes: u64,
}

impl Arriving {
    /// Makes room for a file in the data folder.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn open(engine: &Engine) -> Result<Self, ImportError> {
        let folder = engine.options.data_dir.join("imports");
        let made = tokio::task::spawn_blocking(move || nameless(&folder)).await;
        let file = made.map_err(std::io::Error::other).flatten().map_err(ImportError::Disk)?;
        let most_bytes = engine.options.import_max_bytes;
        Ok(Self { file: tokio::fs::File::from_std(file), size_bytes: 0, most_bytes })
    }

    /// Writes what came next.
    ///
    /// # Errors
    /// Where the file is larger than it may be, or the disk fails.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), ImportError> {
        self.size_bytes += bytes.len() as u64;
        if self.size_bytes > self.most_bytes {
            return Err(ImportError::TooLarge { most_bytes: self.most_bytes });
        }
        self.file.write_all(bytes).await.map_err(ImportError::Disk)
    }

    /// The whole file.
    ///
    /// # Errors
    /// Where the disk fails.
    pub async fn finish(mut self, name: &str) -> Result<Upload, ImportError> {
        self.file.flush().await.map_err(ImportError::Disk)?;
        let mut file = self.file.into_std().await;
        std::io::Seek::rewind(&mut file).map_err(ImportError::Disk)?;
        Ok(Upload { file, name: name.to_owned(), size_bytes: self.size_bytes })
    }
}

/// A file that nobody else can open, in a folder that nobody else can look into.
fn nameless(folder: &Path) -> std::io::Result<std::fs::File> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
        Ok(()) | Err(_) => {}
    }
    tempfile::tempfile_in(folder)
}
