//! The rows of a file while they wait, the keys that a dry run has seen, and the rows that were refused.

use leadline_domain::ids::{ImportId, WorkspaceId};
use serde::Serialize;
use uuid::Uuid;

use super::of_import;
use crate::{
    capture::IdentityKey,
    dialect::Kind,
    sql::{Columns, Error, Reader, Tx, json_set, params},
};

/// A row that made no lead.
#[derive(Debug, Clone, Serialize)]
pub struct RefusedRow {
    /// Of which import.
    pub import_id: ImportId,
    /// Which row of the file.
    pub row_number: i64,
    /// Why, for people.
    pub reason: String,
    /// Its cells, as a JSON list.
    pub cells: String,
}

const REFUSED_COLUMNS: Columns =
    &[("import_id", Kind::Id), ("row_number", Kind::Integer), ("reason", Kind::Text), ("cells", Kind::Text)];

#[derive(Serialize)]
struct SeenKey {
    import_id: ImportId,
    key: IdentityKey,
}

const SEEN_COLUMNS: Columns = &[("import_id", Kind::Id), ("key", Kind::Bytes)];

/// Adds a block of rows.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, import: ImportId, number: i64, packed: Vec<u8>) -> Result<(), Error> {
    let sql = "INSERT INTO import_blocks (import_id, number, packed) VALUES ($1, $2, $3)";
    tx.execute(sql, &params![import, number, packed]).await.map(drop)
}

/// A block of rows; nothing, where it is worked on already or was never there.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, import: ImportId, number: i64) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT packed FROM import_blocks WHERE import_id = $1 AND number = $2";
    let row = reader.query_one(sql, &of_import(import, number)).await?;
    row.map(|row| row.get("packed")).transpose()
}

/// The next block of the workspace's files behind a place: its own place, and what it holds.
///
/// # Errors
/// Where the database fails.
pub async fn next(
    reader: &Reader,
    workspace: WorkspaceId,
    after: Option<(ImportId, i64)>,
) -> Result<Option<((ImportId, i64), Vec<u8>)>, Error> {
    let (import, number) = after.unwrap_or((ImportId(Uuid::nil()), -1));
    // By the primary key; files wait for a week at most.
    let sql = "SELECT import_id, number, packed FROM import_blocks
               WHERE (import_id, number) > ($1, $2)
                     AND import_id IN (SELECT id FROM imports WHERE workspace_id = $3)
               ORDER BY import_id, number LIMIT 1";
    let row = reader.query_one(sql, &params![import, number, workspace]).await?;
    row.map(|row| Ok(((row.get("import_id")?, row.get("number")?), row.get("packed")?))).transpose()
}

/// Puts other rows into a block, where it is still there.
///
/// # Errors
/// Where the database fails.
pub async fn replace(tx: &mut Tx, (import, number): (ImportId, i64), packed: Vec<u8>) -> Result<(), Error> {
    let sql = "UPDATE import_blocks SET packed = $3 WHERE import_id = $1 AND number = $2";
    tx.execute(sql, &params![import, number, packed]).await.map(drop)
}

/// Deletes a block that is worked on.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, import: ImportId, number: i64) -> Result<(), Error> {
    let sql = "DELETE FROM import_blocks WHERE import_id = $1 AND number = $2";
    tx.execute(sql, &of_import(import, number)).await.map(drop)
}

/// Deletes blocks, keys and, with `refused`, refused rows of an import, some at a time, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn delete_some(tx: &mut Tx, import: ImportId, refused: bool) -> Result<u64, Error> {
    let blocks = "DELETE FROM import_blocks WHERE import_id = $1 AND number IN
                      (SELECT number FROM import_blocks WHERE import_id = $1 ORDER BY number LIMIT $2)";
    let mut deleted = tx.execute(blocks, &of_import(import, 50)).await?;
    deleted += delete_keys(tx, import).await?;
    if refused {
        let rows = "DELETE FROM import_refused WHERE import_id = $1 AND row_number IN
                        (SELECT row_number FROM import_refused WHERE import_id = $1 ORDER BY row_number LIMIT $2)";
        deleted += tx.execute(rows, &of_import(import, 2_000)).await?;
    }
    Ok(deleted)
}

/// Deletes what a dry run has seen, some at a time, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn delete_keys(tx: &mut Tx, import: ImportId) -> Result<u64, Error> {
    let sql = "DELETE FROM import_keys WHERE import_id = $1 AND key IN
                   (SELECT key FROM import_keys WHERE import_id = $1 ORDER BY key LIMIT $2)";
    tx.execute(sql, &of_import(import, 10_000)).await
}

/// Which of these keys a dry run has seen.
///
/// # Errors
/// Where the database fails.
pub async fn seen_keys(tx: &mut Tx, import: ImportId, keys: &[IdentityKey]) -> Result<Vec<IdentityKey>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT key FROM import_keys WHERE import_id = $2 AND key IN {}", tx.dialect().bytes_list(1));
    let [import] = params![import];
    tx.query(&sql, &[json_set(keys), import]).await?.iter().map(|row| IdentityKey::read(row, "key")).collect()
}

/// Notes keys that a dry run has seen.
///
/// # Errors
/// Where the database fails.
pub async fn note_keys(tx: &mut Tx, import: ImportId, keys: &[IdentityKey]) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows: Vec<SeenKey> = keys.iter().map(|key| SeenKey { import_id: import, key: *key }).collect();
    tx.insert_set("import_keys", SEEN_COLUMNS, &rows, "ON CONFLICT (import_id, key) DO NOTHING").await.map(drop)
}

/// Keeps rows that made no lead.
///
/// # Errors
/// Where the database fails.
pub async fn insert_refused(tx: &mut Tx, rows: &[RefusedRow]) -> Result<(), Error> {
    tx.insert_set("import_refused", REFUSED_COLUMNS, rows, "ON CONFLICT (import_id, row_number) DO NOTHING")
        .await
        .map(drop)
}

/// Rows that made no lead, behind `after`: row, reason and cells.
///
/// # Errors
/// Where the database fails.
pub async fn list_refused(
    reader: &Reader,
    import: ImportId,
    after: i64,
    limit: i64,
) -> Result<Vec<(i64, String, Vec<String>)>, Error> {
    // By the primary key.
    let sql = "SELECT row_number, reason, cells FROM import_refused
               WHERE import_id = $1 AND row_number > $2 ORDER BY row_number LIMIT $3";
    let rows = reader.query(sql, &params![import, after, limit]).await?;
    rows.iter().map(|row| Ok((row.get("row_number")?, row.get("reason")?, row.json("cells")?))).collect()
}
