//! Who must not be written to: keyed hashes of their addresses and numbers, and nothing else of them.
//!
//! The keys are those of contacts (`contact_email`, `contact_phone`). Whoever sends messages asks [`is_suppressed`]
//! for everything that it is about to write to, in the transaction in which it decides.

use leadline_domain::{
    ids::{SuppressionId, WorkspaceId},
    time::Timestamp,
};

use crate::{
    capture::IdentityKey,
    sql::{COUNT_CAP, Error, Page, Reader, Row, Tx, json_set, params},
};

/// An entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The entry.
    pub id: SuppressionId,
    /// The keyed hash.
    pub key: IdentityKey,
    /// `email` or `phone`.
    pub kind: String,
    /// `erased`, `asked`, `bounced` or `unsubscribed`.
    pub reason: String,
    /// What whoever added it says.
    pub note: Option<String>,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub added_at: Timestamp,
}

/// Adds an entry, unless the key is in the list already; tells whether it was not.
///
/// # Errors
/// Where the database fails.
pub async fn add(tx: &mut Tx, workspace: WorkspaceId, new: &Suppression) -> Result<bool, Error> {
    let sql = "INSERT INTO suppressions (workspace_id, key, id, kind, reason, note, added_by, added_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (workspace_id, key) DO NOTHING";
    let params =
        params![workspace, new.key.0.to_vec(), new.id, new.kind, new.reason, new.note, new.added_by, new.added_at,];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Takes an entry out of the list, and gives it.
///
/// # Errors
/// Where the database fails.
pub async fn remove(tx: &mut Tx, workspace: WorkspaceId, id: SuppressionId) -> Result<Option<Suppression>, Error> {
    // By the unique index of the id.
    let sql = format!("DELETE FROM suppressions WHERE id = $1 AND workspace_id = $2 RETURNING {SHOWN}");
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Which of these keys are in the list. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn which_suppressed(
    reader: &Reader,
    workspace: WorkspaceId,
    keys: &[IdentityKey],
) -> Result<Vec<Suppression>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT {SHOWN} FROM suppressions WHERE workspace_id = $2 AND key IN {} ORDER BY added_at, id",
        reader.dialect().bytes_list(1)
    );
    let [workspace] = params![workspace];
    reader.query(&sql, &[json_set(keys), workspace]).await?.iter().map(read).collect()
}

/// Whether one of these keys is in the list. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn is_suppressed(tx: &mut Tx, workspace: WorkspaceId, keys: &[IdentityKey]) -> Result<bool, Error> {
    if keys.is_empty() {
        return Ok(false);
    }
    let sql = format!(
        "SELECT key FROM suppressions WHERE workspace_id = $2 AND key IN {} LIMIT 1",
        tx.dialect().bytes_list(1)
    );
    let [workspace] = params![workspace];
    Ok(tx.query_one(&sql, &[json_set(keys), workspace]).await?.is_some())
}

/// Which of these keys are in the list, for whoever decides about many at once. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn which_in(tx: &mut Tx, workspace: WorkspaceId, keys: &[IdentityKey]) -> Result<Vec<IdentityKey>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT key FROM suppressions WHERE workspace_id = $2 AND key IN {}", tx.dialect().bytes_list(1));
    let [workspace] = params![workspace];
    tx.query(&sql, &[json_set(keys), workspace]).await?.iter().map(|row| IdentityKey::read(row, "key")).collect()
}

/// A page of the list, the latest first. By `suppressions_by_time`.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    (limit, offset): (i64, i64),
) -> Result<Page<Suppression>, Error> {
    let counted = format!(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM suppressions WHERE workspace_id = $1 LIMIT {}) AS c",
        COUNT_CAP + 1
    );
    let counted = reader.count(&counted, &params![workspace]).await?;
    let sql = format!(
        "SELECT {SHOWN} FROM suppressions WHERE workspace_id = $1 ORDER BY added_at DESC, id DESC LIMIT $2 OFFSET $3"
    );
    let rows = reader.query(&sql, &params![workspace, limit, offset]).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

const SHOWN: &str = "id, key, kind, reason, note, added_by, added_at";

fn read(row: &Row) -> Result<Suppression, Error> {
    Ok(Suppression {
        id: row.get("id")?,
        key: IdentityKey::read(row, "key")?,
        kind: row.get("kind")?,
        reason: row.get("reason")?,
        note: row.get("note")?,
        added_by: row.get("added_by")?,
        added_at: row.get("added_at")?,
    })
}
