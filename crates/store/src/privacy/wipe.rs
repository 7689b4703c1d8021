//! What the database keeps of rows that are gone: freed pages, copies that moved rows left behind, the log beside the
//! file, dead rows and statistics.

use sea_orm::ConnectionTrait;

use super::places;
use crate::{
    Store,
    sql::{Error, Tx},
};

/// Up to this size a file is written anew, which takes seconds; submissions wait in the spool meanwhile. SQLite leaves
/// copies of rows that it moved in pages that are in use, and nothing else takes those away.
const REWRITTEN_MAX_BYTES: i64 = 512 * 1024 * 1024;

/// How often the log is asked to go before whoever asked is told to come back.
const TRIES: usize = 5;

/// What is still kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    Nothing,
    /// What was deleted is overwritten; copies that moved rows left behind, in a file that is too large to be written
    /// anew on the side, stay until an operator does that.
    Copies,
}

/// Has what this transaction deletes overwritten, and what later ones delete.
///
/// # Errors
/// Where the database fails.
pub async fn overwrite_deleted(tx: &mut Tx) -> Result<(), Error> {
    match tx.dialect().overwrite_deleted() {
        Some(sql) => tx.query(sql, &[]).await.map(drop),
        None => Ok(()),
    }
}

/// Takes away what is kept of rows that are gone.
///
/// # Errors
/// [`Error::Contended`] where a reader is in the way; it is to be tried again.
pub async fn wipe(store: &Store) -> Result<Remains, Error> {
    let dialect = store.dialect();
    let size = match dialect.size_to_clean() {
        Some(sql) => store.reader().count(sql, &[]).await?,
        None => 0,
    };
    let remains = if size <= REWRITTEN_MAX_BYTES { Remains::Nothing } else { Remains::Copies };
    let writer = store.writer();
    if remains == Remains::Nothing {
        let tables: Vec<&str> = places::holding().filter(|table| !table.starts_with("lead_search")).collect();
        writer.execute_unprepared(&dialect.clean(&tables)).await?;
    }
    let Some(empty) = dialect.empty_log() else { return Ok(remains) };
    for _ in 0..TRIES {
        let asked = sea_orm::Statement::from_string(dialect.backend(), empty);
        let row = writer.query_one_raw(asked).await?;
        let is_in_the_way = row.is_none_or(|row| row.try_get_by_index::<i64>(0).unwrap_or(1) != 0);
        if !is_in_the_way {
            return Ok(remains);
        }
    }
    Err(Error::Contended)
}
