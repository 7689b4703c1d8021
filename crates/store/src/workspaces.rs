//! Workspaces: the tenants.

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    permissions::Rights,
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    sql::{Error, Reader, Row, Tx, json_set, params},
    users::{read_rights, rights_columns},
};

/// A tenant.
#[derive(Debug, Clone, PartialEq)]
pub struct Workspace {
    /// The workspace.
    pub id: WorkspaceId,
    /// Its name in commands and payloads, unique.
    pub slug: String,
    /// Its name on the screen.
    pub name: String,
    /// What was set for it; what is absent has its default.
    pub settings: Value,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Inserts a workspace.
///
/// # Errors
/// [`Error::Exists`] where the slug is taken, or where the database fails.
pub async fn insert(tx: &mut Tx, workspace: &Workspace) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO workspaces (id, slug, name, settings, created_at) VALUES ($1, $2, $3, {settings}, $5)",
        settings = tx.dialect().json(4),
    );
    let params = params![workspace.id, workspace.slug, workspace.name, workspace.settings, workspace.created_at];
    tx.execute(&sql, &params).await.map(drop)
}

/// Writes name and settings, and tells whether the workspace is there.
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, id: WorkspaceId, name: &str, settings: &Value) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE workspaces SET name = $2, settings = {settings} WHERE id = $1",
        settings = tx.dialect().json(3),
    );
    Ok(tx.execute(&sql, &params![id, name, *settings]).await? == 1)
}

/// The workspace of this slug, to be changed: nobody else changes it until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock_by_slug(tx: &mut Tx, slug: &str) -> Result<Option<Workspace>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE w.slug = $1 {}", select(&dialect.json_text("w.settings")), dialect.for_update());
    tx.query_one(&sql, &params![slug]).await?.as_ref().map(read).transpose()
}

/// The workspace, to be changed: nobody else changes it until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, id: WorkspaceId) -> Result<Option<Workspace>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE w.id = $1 {}", select(&dialect.json_text("w.settings")), dialect.for_update());
    tx.query_one(&sql, &params![id]).await?.as_ref().map(read).transpose()
}

/// One workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, id: WorkspaceId) -> Result<Option<Workspace>, Error> {
    let sql = format!("{} WHERE w.id = $1", select(&reader.dialect().json_text("w.settings")));
    reader.query_one(&sql, &params![id]).await?.as_ref().map(read).transpose()
}

/// The workspace of this slug.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_slug(reader: &Reader, slug: &str) -> Result<Option<Workspace>, Error> {
    let sql = format!("{} WHERE w.slug = $1", select(&reader.dialect().json_text("w.settings")));
    reader.query_one(&sql, &params![slug]).await?.as_ref().map(read).transpose()
}

/// Where a user is a member, and as what, by name.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_user(reader: &Reader, user: UserId) -> Result<Vec<(Workspace, Rights)>, Error> {
    let sql = format!(
        "SELECT w.id, w.slug, w.name, {settings} AS settings, w.created_at, {role}
         FROM memberships m JOIN workspaces w ON w.id = m.workspace_id LEFT JOIN roles r ON r.id = m.role_id
         WHERE m.user_id = $1 ORDER BY w.name, w.id LIMIT 1000",
        role = rights_columns(reader.dialect(), "m", "r", "role"),
        settings = reader.dialect().json_text("w.settings"),
    );
    let rows = reader.query(&sql, &params![user]).await?;
    rows.iter().map(|row| Ok((read(row)?, read_rights(row, "role")?))).collect()
}

/// The first workspace of the installation. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn find_first(tx: &mut Tx) -> Result<Option<WorkspaceId>, Error> {
    tx.query_one("SELECT id FROM workspaces ORDER BY id LIMIT 1", &[]).await?.map(|row| row.get("id")).transpose()
}

/// Every workspace of the installation.
///
/// # Errors
/// Where the database fails.
pub async fn list_ids(tx: &mut Tx) -> Result<Vec<WorkspaceId>, Error> {
    tx.query("SELECT id FROM workspaces ORDER BY id", &[]).await?.iter().map(|row| row.get("id")).collect()
}

/// The settings of these workspaces.
///
/// # Errors
/// Where the database fails.
pub async fn settings_of(tx: &mut Tx, ids: &[WorkspaceId]) -> Result<Vec<(WorkspaceId, Value)>, Error> {
    let dialect = tx.dialect();
    let (settings, list) = (dialect.json_text("settings"), dialect.id_list(1));
    let sql = format!("SELECT id, {settings} AS settings FROM workspaces WHERE id IN {list}");
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.json("settings")?))).collect()
}

/// What a workspace holds, for its front page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "numbers of what their names say")]
pub struct Summary {
    pub leads: i64,
    pub leads_today: i64,
    pub sources: i64,
    pub destinations: i64,
    pub pending_deliveries: i64,
    pub dead_letters: i64,
}

/// Counts what a workspace holds; `today` is when the day began.
///
/// # Errors
/// Where the database fails.
pub async fn summarise(reader: &Reader, id: WorkspaceId, today: Timestamp) -> Result<Summary, Error> {
    let sql = "SELECT
         (SELECT CAST(COALESCE(SUM(n), 0) AS BIGINT) FROM lead_stage_counts WHERE workspace_id = $1) AS leads,
         (SELECT COUNT(*) FROM leads
          WHERE workspace_id = $1 AND created_at >= $2 AND deleted_at IS NULL) AS leads_today,
         (SELECT COUNT(*) FROM sources WHERE workspace_id = $1 AND deleted_at IS NULL) AS sources,
         (SELECT COUNT(*) FROM destinations WHERE workspace_id = $1 AND deleted_at IS NULL) AS destinations,
         (SELECT COUNT(*) FROM deliveries WHERE workspace_id = $1 AND state = 'pending') AS pending_deliveries,
         (SELECT COUNT(*) FROM deliveries WHERE workspace_id = $1 AND state = 'dead') AS dead_letters";
    let row = reader.query_one(sql, &params![id, today]).await?.ok_or(Error::Column { column: "leads".to_owned() })?;
    Ok(Summary {
        leads: row.get("leads")?,
        leads_today: row.get("leads_today")?,
        sources: row.get("sources")?,
        destinations: row.get("destinations")?,
        pending_deliveries: row.get("pending_deliveries")?,
        dead_letters: row.get("dead_letters")?,
    })
}

fn select(settings: &str) -> String {
    format!("SELECT w.id, w.slug, w.name, {settings} AS settings, w.created_at FROM workspaces w")
}

fn read(row: &Row) -> Result<Workspace, Error> {
    Ok(Workspace {
        id: row.get("id")?,
        slug: row.get("slug")?,
        name: row.get("name")?,
        settings: row.json("settings")?,
        created_at: row.get("created_at")?,
    })
}
