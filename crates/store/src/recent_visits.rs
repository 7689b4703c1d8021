//! When a visitor or an address was seen last, and the time before: one row for each, for a day.
//!
//! Counting submissions would read as many rows as a busy address sends. Two times are enough, since three submissions
//! in a day is as many as count.

use leadline_domain::{fraud::Visits, time::Timestamp};
use serde::Serialize;

use crate::{
    capture::IdentityKey,
    dialect::Kind,
    sql::{Columns, Error, Tx, json_set, params},
};

/// When the holder of a key was seen.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `recent_visits` under their own names")]
pub struct Visited {
    pub key: IdentityKey,
    pub last_at: i64,
    pub previous_at: Option<i64>,
}

const COLUMNS: Columns = &[("key", Kind::Bytes), ("last_at", Kind::Integer), ("previous_at", Kind::Integer)];

/// When these were seen; found by primary key.
///
/// # Errors
/// Where the database fails.
pub async fn find(tx: &mut Tx, keys: &[IdentityKey]) -> Result<Vec<(IdentityKey, Visits)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let list = tx.dialect().bytes_list(1);
    let sql = format!("SELECT key, last_at, previous_at FROM recent_visits WHERE key IN {list}");
    let rows = tx.query(&sql, &[json_set(keys)]).await?;
    rows.iter()
        .map(|row| {
            let visits = Visits { last: row.get("last_at")?, previous: row.get("previous_at")? };
            Ok((IdentityKey::read(row, "key")?, visits))
        })
        .collect()
}

/// Writes when they were seen. A busy address is one row that every writer wants, so this comes last in a transaction.
///
/// # Errors
/// Where the database fails.
pub async fn note(tx: &mut Tx, rows: &[Visited]) -> Result<(), Error> {
    let conflict = "ON CONFLICT (key) DO UPDATE SET last_at = excluded.last_at, previous_at = excluded.previous_at";
    tx.insert_set("recent_visits", COLUMNS, rows, conflict).await.map(drop)
}

/// Forgets who was not seen since `before`; found by `recent_visits_by_age`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM recent_visits WHERE key IN (SELECT key FROM recent_visits WHERE last_at <= $1 LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}
