//! Texts that those who answer use often.

use leadline_domain::{
    ids::{CannedReplyId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, Reader, Row, Tx, params};

/// Canned replies of a workspace.
pub const MOST: i64 = 500;

/// A canned reply.
#[derive(Debug, Clone)]
pub struct CannedReply {
    /// The reply.
    pub id: CannedReplyId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What people call it.
    pub name: String,
    /// The text, with placeholders.
    pub body: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Makes a reply, or writes over the one of this name. Gives it as it is then.
///
/// # Errors
/// Where the database fails.
pub async fn save(tx: &mut Tx, reply: &CannedReply) -> Result<CannedReply, Error> {
    let sql = "INSERT INTO canned_replies (id, workspace_id, name, body, created_at, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6)
               ON CONFLICT (workspace_id, name) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at
               RETURNING id, workspace_id, name, body, created_at, updated_at";
    let params = params![reply.id, reply.workspace_id, reply.name, reply.body, reply.created_at, reply.updated_at];
    let row = tx.query_one(sql, &params).await?;
    row.as_ref().map(read).transpose()?.ok_or(Error::Contended)
}

/// Deletes a reply and gives its name; none where it is not there.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: CannedReplyId) -> Result<Option<String>, Error> {
    let sql = "DELETE FROM canned_replies WHERE id = $1 AND workspace_id = $2 RETURNING name";
    tx.query_one(sql, &params![id, workspace]).await?.map(|row| row.get("name")).transpose()
}

/// Counts the replies of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM canned_replies WHERE workspace_id = $1";
    match tx.query_one(sql, &params![workspace]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// The replies of a workspace by name. By `canned_replies_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<CannedReply>, Error> {
    let sql = "SELECT id, workspace_id, name, body, created_at, updated_at FROM canned_replies
               WHERE workspace_id = $1 ORDER BY name LIMIT $2";
    reader.query(sql, &params![workspace, MOST]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<CannedReply, Error> {
    Ok(CannedReply {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        name: row.get("name")?,
        body: row.get("body")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
