//! How far a copy into PostgreSQL has come. It stands in the database that is being filled, in the same transactions as
//! the rows, so that a process that is killed leaves both or neither.

use sea_orm::sqlx::{self, PgConnection, Row};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{CopyError, Sum, source::Mark};

/// The table. It is no part of the product's own: it is there while a copy is unfinished, and then nothing starts.
pub(crate) const TABLE: &str = "leadline_copying";

const MADE: &str = "CREATE TABLE leadline_copying (kind TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
                    PRIMARY KEY (kind, name))";

/// What is copied: if it has changed since, going on would mix two states of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin(pub String);

/// How far one table is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reached {
    pub(super) rows: u64,
    pub(super) checksum: String,
    pub(super) place: Option<Vec<Mark>>,
    pub(super) is_done: bool,
}

impl Reached {
    pub(super) fn at(sum: Sum, place: Option<Vec<Mark>>, is_done: bool) -> Self {
        Self { rows: sum.rows, checksum: sum.checksum(), place, is_done }
    }

    pub(super) fn sum(&self) -> Sum {
        Sum::read(self.rows, &self.checksum).unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Origin,
    Reached,
    /// A statement for when all rows are there.
    Later,
}

impl Entry {
    fn as_str(self) -> &'static str {
        match self {
            Self::Origin => "origin",
            Self::Reached => "reached",
            Self::Later => "later",
        }
    }
}

pub(super) async fn exists(connection: &mut PgConnection) -> Result<bool, CopyError> {
    let asked = "SELECT to_regclass($1) IS NOT NULL";
    Ok(sqlx::query(asked).bind(TABLE).fetch_one(connection).await?.try_get(0)?)
}

pub(super) async fn make(connection: &mut PgConnection) -> Result<(), CopyError> {
    sqlx::query(MADE).execute(connection).await?;
    Ok(())
}

pub(super) async fn put<T: Serialize>(
    connection: &mut PgConnection,
    entry: Entry,
    name: &str,
    value: &T,
) -> Result<(), CopyError> {
    let sql = "INSERT INTO leadline_copying (kind, name, value) VALUES ($1, $2, $3)
               ON CONFLICT (kind, name) DO UPDATE SET value = excluded.value";
    let value = serde_json::to_string(value).expect("a state is made of texts and numbers");
    sqlx::query(sql).bind(entry.as_str()).bind(name).bind(value).execute(connection).await?;
    Ok(())
}

pub(super) async fn find<T: DeserializeOwned>(
    connection: &mut PgConnection,
    entry: Entry,
    name: &str,
) -> Result<Option<T>, CopyError> {
    let sql = "SELECT value FROM leadline_copying WHERE kind = $1 AND name = $2";
    let row = sqlx::query(sql).bind(entry.as_str()).bind(name).fetch_optional(connection).await?;
    row.map(|row| read(&row.try_get::<String, _>(0)?)).transpose()
}

/// The statements for later, in the order of their names.
pub(super) async fn list_later(connection: &mut PgConnection) -> Result<Vec<(String, String)>, CopyError> {
    let sql = "SELECT name, value FROM leadline_copying WHERE kind = $1 ORDER BY name COLLATE \"C\"";
    let rows = sqlx::query(sql).bind(Entry::Later.as_str()).fetch_all(connection).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, read(&row.try_get::<String, _>(1)?)?))).collect()
}

pub(super) async fn remove(connection: &mut PgConnection, entry: Entry, name: &str) -> Result<(), CopyError> {
    let sql = "DELETE FROM leadline_copying WHERE kind = $1 AND name = $2";
    sqlx::query(sql).bind(entry.as_str()).bind(name).execute(connection).await?;
    Ok(())
}

/// Forgets what was copied.
pub(super) async fn forget_rows(connection: &mut PgConnection) -> Result<(), CopyError> {
    let sql = "DELETE FROM leadline_copying WHERE kind = $1";
    sqlx::query(sql).bind(Entry::Reached.as_str()).execute(connection).await?;
    Ok(())
}

pub(super) async fn end(connection: &mut PgConnection) -> Result<(), CopyError> {
    sqlx::query("DROP TABLE leadline_copying").execute(connection).await?;
    Ok(())
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T, CopyError> {
    serde_json::from_str(text).map_err(|_| CopyError::State)
}
