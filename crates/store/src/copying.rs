//! Copying a whole database into another: SQLite to PostgreSQL for a move or a restore, PostgreSQL to a new SQLite file
//! for a backup or the way back.
//!
//! [`Source`] is a snapshot that is read and never written, [`Target`] a PostgreSQL database that is filled and can be
//! killed at any moment, [`write_file`] makes an SQLite file, which is nothing until it is whole. What there is to copy
//! says [`Shape`]. This is the one place beside the dialect that knows the databases apart: it is about moving from one
//! to the other. It decides nothing about what is in the rows.

mod cells;
mod file;
mod postgres;
mod shape;
mod source;
mod state;

use std::{collections::BTreeMap, path::PathBuf};

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, sqlx};
use serde::{Deserialize, Serialize};

pub use self::{
    cells::Sum,
    file::{build_search_index, write_file},
    postgres::{Purpose, Target},
    shape::Shape,
    source::Source,
    state::Origin,
};
use crate::{dialect::Dialect, sql::Error};

/// What stands in the way of a copy.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each says what it is")]
pub enum CopyError {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error(transparent)]
    Store(#[from] Error),
    #[error("there is no file {}", .0.display())]
    NoFile(PathBuf),
    #[error("this is no database of Leadline")]
    NotOurs,
    #[error("its tables are of a newer version of Leadline ({0}): use that version")]
    Newer(String),
    #[error(
        "its tables are of an older version of Leadline ({0} is missing): start this version on it once, or run \
         `leadline migrate`"
    )]
    Older(String),
    #[error("the tables of the database that is to be filled are of another version: name an empty database")]
    OtherTables,
    #[error("the database that is to be filled has tables of something else ({0}): name an empty database")]
    Strangers(String),
    #[error("the database that is to be filled is not empty: {table} has {rows} rows")]
    NotEmpty { table: String, rows: i64 },
    #[error(
        "{0} connections of other Leadline processes to the database that is to be filled are open: stop all of them"
    )]
    InUse(i64),
    #[error(
        "another copy into this database was begun and cut off, and what it was made of is not what is copied now, or \
         has changed since: `--restart` throws away what came of it and begins anew"
    )]
    OtherOrigin,
    #[error("somebody has written to the database that is copied: stop whoever it is, and begin anew with `--restart`")]
    ChangedMeanwhile,
    #[error("{table}.{column} of {row} holds {stored}, which PostgreSQL cannot hold there")]
    Value { table: String, column: String, row: String, stored: String },
    #[error("{table}.{column} is of the type {of_type}, which is not known here")]
    Unknown { table: String, column: String, of_type: String },
    #[error("a row of {table} is refused ({row})")]
    Refused { table: String, row: String, source: sqlx::Error },
    #[error("{table} does not hold what was copied: {there} rows are there of {copied}, or some differ")]
    Different { table: String, copied: u64, there: u64 },
    #[error("the file is damaged: {0}")]
    Damaged(String),
    #[error("what a copy noted about itself cannot be read: begin anew with `--restart`")]
    State,
    #[error("a file cannot be read or written")]
    File(#[from] std::io::Error),
}

/// What a copy is about to do or has done, for whoever looks on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// This table begins, or goes on after so many rows.
    Table(&'a str, u64),
    /// So many more rows of it are there.
    Rows(u64),
    /// This table is read again and compared.
    Comparing(&'a str),
    /// An index is made.
    Index(&'a str),
    /// What the database knows of its tables is brought up to date.
    Tidying,
}

/// Whoever looks on.
pub type Tell<'a> = dyn FnMut(Step<'_>) + Send + 'a;

/// How many rows a table has, and what they add up to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSum {
    /// Rows.
    pub rows: u64,
    /// The sum of their hashes, in hexadecimal.
    pub checksum: String,
}

impl From<Sum> for TableSum {
    fn from(sum: Sum) -> Self {
        Self { rows: sum.rows, checksum: sum.checksum() }
    }
}

/// The sums of all tables, by name.
pub type Sums = BTreeMap<String, TableSum>;

/// Adds up every table of a database.
///
/// # Errors
/// Where it cannot be read, or holds what no column of ours can.
pub async fn sums(source: &mut Source, shape: &Shape, tell: &mut Tell<'_>) -> Result<Sums, CopyError> {
    let mut sums = Sums::new();
    for table in &shape.tables {
        tell(Step::Comparing(&table.name));
        let sum = source.sum(table, &mut |rows| tell(Step::Rows(rows))).await?;
        sums.insert(table.name.clone(), sum.into());
    }
    Ok(sums)
}

/// That two databases hold the same.
///
/// # Errors
/// [`CopyError::Different`] names the first table that differs.
pub fn compare(copied: &Sums, there: &Sums) -> Result<(), CopyError> {
    let names = copied.keys().chain(there.keys().filter(|name| !copied.contains_key(*name)));
    for name in names {
        let (one, other) = (copied.get(name), there.get(name));
        if one != other {
            let rows = |sum: Option<&TableSum>| sum.map_or(0, |sum| sum.rows);
            return Err(CopyError::Different { table: name.clone(), copied: rows(one), there: rows(other) });
        }
    }
    Ok(())
}

/// Whether a copy into this database was begun and is not finished: then it is not all there.
pub(crate) async fn is_unfinished(connection: &DatabaseConnection, dialect: Dialect) -> Result<bool, Error> {
    let asked = Statement::from_string(dialect.backend(), dialect.count_tables(state::TABLE));
    let row = connection.query_one_raw(asked).await?;
    Ok(row.is_some_and(|row| row.try_get::<i64>("", "n").is_ok_and(|n| n > 0)))
}
