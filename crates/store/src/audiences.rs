//! Audiences: leads that somebody chose for a campaign, kept as they were chosen.

use leadline_domain::{
    ids::{AudienceId, LeadId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, IntoParam, Reader, Row, Tx, json_set, params};

/// Audiences of a workspace that are listed.
const MOST: i64 = 200;

/// An audience.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `audiences` under their own names")]
pub struct Audience {
    pub id: AudienceId,
    pub workspace_id: WorkspaceId,
    pub name: String,
    pub made_by: String,
    pub member_count: i64,
    pub created_at: Timestamp,
}

/// Makes an audience of those of these leads that are there, and counts them.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, audience: &Audience, leads: &[LeadId]) -> Result<i64, Error> {
    let sql = format!(
        "INSERT INTO audience_members (audience_id, lead_id, workspace_id, contact_id, created_at)
         SELECT $2, id, workspace_id, contact_id, $4 FROM leads
         WHERE id IN {} AND workspace_id = $3 AND deleted_at IS NULL",
        tx.dialect().id_list(1)
    );
    let members = [json_set(leads), audience.id.param(), audience.workspace_id.param(), audience.created_at.param()];
    let count = i64::try_from(tx.execute(&sql, &members).await?).unwrap_or(i64::MAX);
    let sql = "INSERT INTO audiences (id, workspace_id, name, made_by, member_count, created_at)
               VALUES ($1, $2, $3, $4, $5, $6)";
    let params =
        params![audience.id, audience.workspace_id, audience.name, audience.made_by, count, audience.created_at];
    tx.execute(sql, &params).await?;
    Ok(count)
}

/// The audiences of a workspace, newest first. By `audiences_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Audience>, Error> {
    let sql = "SELECT id, workspace_id, name, made_by, member_count, created_at FROM audiences
               WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT $2";
    reader.query(sql, &params![workspace, MOST]).await?.iter().map(read).collect()
}

/// One audience.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: AudienceId) -> Result<Option<Audience>, Error> {
    let sql = "SELECT id, workspace_id, name, made_by, member_count, created_at FROM audiences
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    reader.query_one(sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Audience, Error> {
    Ok(Audience {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        name: row.get("name")?,
        made_by: row.get("made_by")?,
        member_count: row.get("member_count")?,
        created_at: row.get("created_at")?,
    })
}
