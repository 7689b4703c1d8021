//! Saved views of leads: somebody's own, and those that all of a workspace see.

use leadline_domain::{
    ids::{LeadViewId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::sql::{Error, Reader, Row, Tx, params};

/// A view.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadView {
    /// The view.
    pub id: LeadViewId,
    /// Whose it is; nobody's, where a program without a person made it.
    pub owner_id: Option<UserId>,
    /// What they are called.
    pub owner_name: String,
    /// Its name.
    pub name: String,
    /// Whether everybody in the workspace sees it.
    pub is_shared: bool,
    /// `table` or `board`.
    pub layout: String,
    /// The filter as it was written, where there is one.
    pub filter: Option<Value>,
    /// What it is sorted by, as the list of leads is asked.
    pub sort_by: Option<String>,
    /// `asc` or `desc`.
    pub sort_order: Option<String>,
    /// The columns of the table in their order, where they were chosen.
    pub columns: Option<Vec<String>>,
    /// What cards show, where it was chosen.
    pub card_fields: Option<Vec<String>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// The views that a user sees: their own, and shared ones.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, user: Option<UserId>) -> Result<Vec<LeadView>, Error> {
    // By the index of the workspace; how many views there are is limited.
    let sql = format!(
        "{} WHERE workspace_id = $1 AND (is_shared OR owner_id = $2) ORDER BY lower(name), id",
        select(reader.dialect())
    );
    reader.query(&sql, &params![workspace, user]).await?.iter().map(read).collect()
}

/// A view that a user sees.
///
/// # Errors
/// Where the database fails.
pub async fn find(
    reader: &Reader,
    workspace: WorkspaceId,
    user: Option<UserId>,
    id: LeadViewId,
) -> Result<Option<LeadView>, Error> {
    let sql =
        format!("{} WHERE id = $3 AND workspace_id = $1 AND (is_shared OR owner_id = $2)", select(reader.dialect()));
    reader.query_one(&sql, &params![workspace, user, id]).await?.as_ref().map(read).transpose()
}

/// The same, to be changed: nobody else changes it until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: Option<UserId>,
    id: LeadViewId,
) -> Result<Option<LeadView>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "{} WHERE id = $3 AND workspace_id = $1 AND (is_shared OR owner_id = $2) {}",
        select(dialect),
        dialect.for_update()
    );
    tx.query_one(&sql, &params![workspace, user, id]).await?.as_ref().map(read).transpose()
}

/// How many views a workspace has.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM lead_views WHERE workspace_id = $1";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Writes a view; one that is not there is made.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, workspace: WorkspaceId, view: &LeadView) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO lead_views (id, workspace_id, owner_id, owner_name, name, is_shared, layout, filter, sort_by,
                                 sort_order, columns, card_fields, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, {filter}, $9, $10, {columns}, {card_fields}, $13, $14)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, is_shared = excluded.is_shared,
             layout = excluded.layout, filter = excluded.filter, sort_by = excluded.sort_by,
             sort_order = excluded.sort_order, columns = excluded.columns, card_fields = excluded.card_fields,
             updated_at = excluded.updated_at",
        filter = dialect.json(8),
        columns = dialect.json(11),
        card_fields = dialect.json(12),
    );
    let list = |list: &Option<Vec<String>>| list.clone().map(|list| Value::from(list).to_string());
    let params = params![
        view.id,
        workspace,
        view.owner_id,
        view.owner_name,
        view.name,
        view.is_shared,
        view.layout,
        view.filter.as_ref().map(Value::to_string),
        view.sort_by,
        view.sort_order,
        list(&view.columns),
        list(&view.card_fields),
        view.created_at,
        view.updated_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// Deletes a view; nobody begins with it any more.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: LeadViewId) -> Result<(), Error> {
    let params = params![workspace, id];
    tx.execute("DELETE FROM default_lead_views WHERE workspace_id = $1 AND view_id = $2", &params).await?;
    tx.execute("DELETE FROM lead_views WHERE workspace_id = $1 AND id = $2", &params).await.map(drop)
}

/// The view that a user begins with.
///
/// # Errors
/// Where the database fails.
pub async fn default_of(reader: &Reader, workspace: WorkspaceId, user: UserId) -> Result<Option<LeadViewId>, Error> {
    let sql = "SELECT view_id FROM default_lead_views WHERE workspace_id = $1 AND user_id = $2";
    let row = reader.query_one(sql, &params![workspace, user]).await?;
    row.map(|row| row.get("view_id")).transpose()
}

/// Has a user begin with a view.
///
/// # Errors
/// Where the database fails.
pub async fn set_default(tx: &mut Tx, workspace: WorkspaceId, user: UserId, view: LeadViewId) -> Result<(), Error> {
    let sql = "INSERT INTO default_lead_views (workspace_id, user_id, view_id) VALUES ($1, $2, $3)
               ON CONFLICT (workspace_id, user_id) DO UPDATE SET view_id = excluded.view_id";
    tx.execute(sql, &params![workspace, user, view]).await.map(drop)
}

/// Has a user begin with this view no longer.
///
/// # Errors
/// Where the database fails.
pub async fn unset_default(tx: &mut Tx, workspace: WorkspaceId, user: UserId, view: LeadViewId) -> Result<(), Error> {
    let sql = "DELETE FROM default_lead_views WHERE workspace_id = $1 AND user_id = $2 AND view_id = $3";
    tx.execute(sql, &params![workspace, user, view]).await.map(drop)
}

fn select(dialect: crate::Dialect) -> String {
    format!(
        "SELECT id, owner_id, owner_name, name, is_shared, layout, {filter} AS filter, sort_by, sort_order,
                {columns} AS columns, {card_fields} AS card_fields, created_at, updated_at
         FROM lead_views",
        filter = dialect.json_text("filter"),
        columns = dialect.json_text("columns"),
        card_fields = dialect.json_text("card_fields"),
    )
}

fn read(row: &Row) -> Result<LeadView, Error> {
    Ok(LeadView {
        id: row.get("id")?,
        owner_id: row.get("owner_id")?,
        owner_name: row.get("owner_name")?,
        name: row.get("name")?,
        is_shared: row.get("is_shared")?,
        layout: row.get("layout")?,
        filter: row.json_or_none("filter")?,
        sort_by: row.get("sort_by")?,
        sort_order: row.get("sort_order")?,
        columns: row.json_or_none("columns")?,
        card_fields: row.json_or_none("card_fields")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
