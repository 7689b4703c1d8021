//! Archives: one SQLite file that holds all of a database, the files beside it, and a manifest of what that is.
//!
//! An archive has the tables of the product, whichever database it was made of, and two of its own. Of SQLite it is made
//! with `VACUUM INTO`: one read transaction, so that writers go on (what they write waits in the log beside the file
//! until it is done), and a file without gaps. The other way, SQLite's backup interface, begins anew whenever another
//! process writes, which under load is always. Of PostgreSQL one snapshot is copied ([`crate::copying`]).
//!
//! What is in the manifest, and which files, is decided by whoever makes the archive.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use leadline_domain::time::Timestamp;
use sea_orm::sqlx::{
    self, ConnectOptions, Connection, Row, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::copying::{CopyError, Sums};

/// The form of archives. A reader that knows a smaller number does not know what it has.
pub const FORMAT: u32 = 1;

/// How long whoever holds SQLite's file alone for a moment is waited for.
const WAIT: Duration = Duration::from_secs(30);

/// What is in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The archive's form.
    pub format: u32,
    /// This archive's id.
    pub id: Uuid,
    /// The version of the product that made it.
    pub product: String,
    /// The newest migration of its tables.
    pub schema: String,
    /// `sqlite` or `postgres`: what it was made of.
    pub database: String,
    /// When it was begun. All that was acknowledged before is in there.
    pub begun_at: Timestamp,
    /// Whether the key of the installation is in there.
    pub has_key: bool,
    /// Rows and checksum of each table.
    pub tables: Sums,
    /// The files that stood beside the database, by their names.
    pub files: BTreeMap<String, FileSum>,
}

/// How large a file is, and its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSum {
    /// Bytes.
    pub bytes: u64,
    /// BLAKE3, in hexadecimal.
    pub checksum: String,
}

impl FileSum {
    /// Of what is in a file.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self { bytes: bytes.len() as u64, checksum: blake3::hash(bytes).to_hex().to_string() }
    }
}

/// Why a file is no archive that can be used.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum ArchiveError {
    #[error("{} is no backup of Leadline", .0.display())]
    None(PathBuf),
    #[error("{} was made by a newer version of Leadline ({product}): use that version", .path.display())]
    Newer { path: PathBuf, product: String },
    #[error("the file {0} in the backup is damaged")]
    File(String),
    #[error(transparent)]
    Copy(#[from] CopyError),
}

impl From<sqlx::Error> for ArchiveError {
    fn from(error: sqlx::Error) -> Self {
        Self::Copy(error.into())
    }
}

/// The file of an SQLite database, by its address.
///
/// # Errors
/// Where the address names none.
pub fn sqlite_path(url: &str) -> Result<PathBuf, CopyError> {
    Ok(SqliteConnectOptions::from_str(url)?.get_filename().to_owned())
}

/// Copies an SQLite database as it is now into a new file, beside whoever uses it.
///
/// # Errors
/// Where it cannot be read, or the file not be written.
pub async fn copy_sqlite(url: &str, into: &Path) -> Result<(), CopyError> {
    let options = SqliteConnectOptions::from_str(url)?.read_only(true).create_if_missing(false).busy_timeout(WAIT);
    if !options.get_filename().exists() {
        return Err(CopyError::NoFile(options.get_filename().to_owned()));
    }
    let mut connection = options.foreign_keys(false).disable_statement_logging().connect().await?;
    let path = into.to_string_lossy().into_owned();
    sqlx::query("VACUUM INTO $1").bind(path).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

/// An archive that is being made.
pub struct NewArchive(SqliteConnection);

impl NewArchive {
    /// Makes an archive of the file that holds the database.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn begin(path: &Path) -> Result<Self, CopyError> {
        let mut file = writable(path).await?;
        let tables = "CREATE TABLE leadline_backup (manifest TEXT NOT NULL);
                      CREATE TABLE leadline_backup_files (name TEXT NOT NULL PRIMARY KEY, content BLOB NOT NULL)";
        sqlx::raw_sql(tables).execute(&mut file).await?;
        Ok(Self(file))
    }

    /// Adds a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn add(&mut self, name: &str, content: Vec<u8>) -> Result<(), CopyError> {
        let sql = "INSERT INTO leadline_backup_files (name, content) VALUES ($1, $2)";
        sqlx::query(sql).bind(name).bind(content).execute(&mut self.0).await?;
        Ok(())
    }

    /// Says what is in there. What has no manifest is no archive.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub async fn finish(mut self, manifest: &Manifest) -> Result<(), CopyError> {
        let text = serde_json::to_string_pretty(manifest).expect("a manifest is made of texts and numbers");
        sqlx::query("INSERT INTO leadline_backup (manifest) VALUES ($1)").bind(text).execute(&mut self.0).await?;
        self.0.close().await?;
        Ok(())
    }
}

async fn writable(path: &Path) -> Result<SqliteConnection, CopyError> {
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false).disable_statement_logging();
    let options = options.journal_mode(SqliteJournalMode::Delete).synchronous(SqliteSynchronous::Full);
    Ok(options.connect().await?)
}

/// An archive that is read.
pub struct Archive {
    file: SqliteConnection,
    /// What is in there.
    pub manifest: Manifest,
}

impl Archive {
    /// Opens the archive at `path`.
    ///
    /// # Errors
    /// Where it is none.
    pub async fn open(path: &Path) -> Result<Self, ArchiveError> {
        if !path.is_file() {
            return Err(CopyError::NoFile(path.to_owned()).into());
        }
        let options = SqliteConnectOptions::new().filename(path).read_only(true).create_if_missing(false);
        let options = options.foreign_keys(false).disable_statement_logging();
        let none = || ArchiveError::None(path.to_owned());
        let mut file = options.connect().await.map_err(|_| none())?;
        let row = sqlx::query("SELECT manifest FROM leadline_backup").fetch_one(&mut file).await.map_err(|_| none())?;
        let text: String = row.try_get(0).map_err(|_| none())?;
        let version: Version = serde_json::from_str(&text).map_err(|_| none())?;
        if version.format > FORMAT {
            return Err(ArchiveError::Newer { path: path.to_owned(), product: version.product });
        }
        let manifest = serde_json::from_str(&text).map_err(|_| none())?;
        Ok(Self { file, manifest })
    }

    /// A file that stood beside the database, as it was.
    ///
    /// # Errors
    /// Where it is not, any more.
    pub async fn read(&mut self, name: &str) -> Result<Vec<u8>, ArchiveError> {
        let damaged = || ArchiveError::File(name.to_owned());
        let sql = "SELECT content FROM leadline_backup_files WHERE name = $1";
        let row = sqlx::query(sql).bind(name).fetch_optional(&mut self.file).await?.ok_or_else(damaged)?;
        let content: Vec<u8> = row.try_get(0)?;
        if self.manifest.files.get(name) == Some(&FileSum::of(&content)) { Ok(content) } else { Err(damaged()) }
    }

    /// Closes it.
    ///
    /// # Errors
    /// Where it cannot be closed.
    pub async fn close(self) -> Result<(), ArchiveError> {
        Ok(self.file.close().await?)
    }
}

/// What every form of a manifest says.
#[derive(Deserialize)]
struct Version {
    format: u32,
    product: String,
}

/// Makes a plain database of a copy of an archive.
///
/// # Errors
/// Where it cannot be written.
pub async fn unpack(path: &Path) -> Result<(), CopyError> {
    let mut file = writable(path).await?;
    // What was in them is overwritten: files of the spool and the key are nobody's business in there.
    let gone = "PRAGMA secure_delete = ON; DROP TABLE leadline_backup_files; DROP TABLE leadline_backup";
    sqlx::raw_sql(gone).execute(&mut file).await?;
    file.close().await?;
    Ok(())
}

/// Folds the log beside an SQLite file into it, so that the file alone is the database.
///
/// # Errors
/// Where somebody has it open, or it cannot be written.
pub async fn fold_log(path: &Path) -> Result<(), CopyError> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(false).busy_timeout(WAIT);
    let mut file = options.foreign_keys(false).disable_statement_logging().connect().await?;
    sqlx::query("PRAGMA journal_mode = DELETE").fetch_all(&mut file).await?;
    file.close().await?;
    Ok(())
}
