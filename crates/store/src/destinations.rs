//! Outside endpoints that get events.
//!
//! Secrets and custom headers come and go sealed; opening them is the engine's. A destination that was deleted is kept
//! for the names in its deliveries, and found here no more.

mod access;
mod previous;

use leadline_domain::{
    destinations::Rules,
    ids::{DestinationId, ProjectId, SourceId, StageId, WorkspaceId},
    retry::RetryPlan,
    time::Timestamp,
};
use serde_json::json;

use crate::sql::{Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params};
pub use access::{SealedAccess, write_access};
pub use previous::{PreviousSecret, wipe_previous, write_previous};

/// An outside endpoint.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The destination.
    pub id: DestinationId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// Only events of leads in this project, where it is set.
    pub project_id: Option<ProjectId>,
    /// What people call it.
    pub name: String,
    /// Where requests go.
    pub url: String,
    /// The kinds of events it gets.
    pub events: Vec<String>,
    /// The shape of the payload.
    pub format: String,
    /// Its own payload, where the format is a template. Kept while another format is chosen.
    pub template: Option<String>,
    /// What it wants besides, and how it is asked.
    pub rules: Rules,
    /// How stubbornly it is tried.
    pub retry_plan: RetryPlan,
    /// The signing secret, sealed.
    pub secret_sealed: String,
    /// The end of the secret, to tell two apart.
    pub secret_last4: String,
    /// The secret before this one, where it signs as well. Its time may be up.
    pub previous_secret: Option<PreviousSecret>,
    /// Custom headers as a JSON list of pairs, sealed.
    pub headers_sealed: Option<String>,
    /// The names of the custom headers.
    pub header_names: Vec<String>,
    /// What it is asked with besides.
    pub access: SealedAccess,
    /// Whether it gets anything at the moment.
    pub is_active: bool,
    /// Why we switched it off, where we did.
    pub disabled_reason: Option<String>,
    /// How many requests it gets at the same time.
    pub max_in_flight: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed. No two versions have the same, so it tells whether a copy in memory is current.
    pub updated_at: Timestamp,
}

/// Inserts a destination, without what [`write_access`] writes.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, destination: &Destination) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO destinations (id, workspace_id, project_id, name, url, events, format, retry_plan, secret_sealed,
             secret_last4, headers_sealed, header_names, is_active, disabled_reason, max_in_flight, template, rules,
             updated_at, created_at)
         VALUES ($1, $2, $3, $4, $5, {events}, $7, $8, $9, $10, $11, {header_names}, $13, $14, $15, $16, {rules}, $18,
             $19)",
        events = dialect.json(6),
        header_names = dialect.json(12),
        rules = dialect.json(17),
    );
    let mut values = values(destination).to_vec();
    values.extend(params![destination.created_at]);
    tx.execute(&sql, &values).await.map(drop)
}

/// Writes everything that can change of a destination but its previous secret, which [`write_previous`] writes, and
/// what [`write_access`] writes. False where it is not there (any more).
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, destination: &Destination) -> Result<bool, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE destinations SET project_id = $3, name = $4, url = $5, events = {events}, format = $7,
             retry_plan = $8, secret_sealed = $9, secret_last4 = $10, headers_sealed = $11,
             header_names = {header_names}, is_active = $13, disabled_reason = $14, max_in_flight = $15,
             template = $16, rules = {rules}, updated_at = $18,
             breaker_failures = CASE WHEN {same} THEN breaker_failures ELSE 0 END,
             breaker_opened_at = CASE WHEN {same} THEN breaker_opened_at END,
             breaker_probes = CASE WHEN {same} THEN breaker_probes ELSE 0 END,
             breaker_probe_at = CASE WHEN {same} THEN breaker_probe_at END
         WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        events = dialect.json(6),
        header_names = dialect.json(12),
        rules = dialect.json(17),
        // What is held back for want of an answer is tried at once where it goes elsewhere now, or was resumed.
        same = "url = $5 AND is_active = $13 AND retry_plan = $8",
    );
    Ok(tx.execute(&sql, &values(destination)).await? == 1)
}

fn values(destination: &Destination) -> [Param; 18] {
    params![
        destination.id,
        destination.workspace_id,
        destination.project_id,
        destination.name,
        destination.url,
        json!(destination.events),
        destination.format,
        destination.retry_plan.as_str(),
        destination.secret_sealed,
        destination.secret_last4,
        destination.headers_sealed,
        json!(destination.header_names),
        destination.is_active,
        destination.disabled_reason,
        destination.max_in_flight,
        destination.template,
        json!(destination.rules),
        destination.updated_at,
    ]
}

/// Deletes a destination, so that it gets nothing more. False where it is not there (any more).
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: DestinationId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE destinations SET deleted_at = $3, updated_at = $3, is_active = false
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// Switches destinations off because of what their receivers said.
///
/// # Errors
/// Where the database fails.
pub async fn disable(tx: &mut Tx, ids: &[DestinationId], reason: &str, now: Timestamp) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE destinations SET is_active = false, disabled_reason = $2, updated_at = $3
         WHERE id IN {} AND is_active AND deleted_at IS NULL",
        tx.dialect().id_list(1)
    );
    let mut values = vec![json_set(ids)];
    values.extend(params![reason, now]);
    tx.execute(&sql, &values).await.map(drop)
}

/// Finds a destination of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: DestinationId) -> Result<Option<Destination>, Error> {
    let sql = select(reader.dialect(), "WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Finds a destination of the workspace and keeps others from changing it until the end of the transaction.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: DestinationId) -> Result<Option<Destination>, Error> {
    let dialect = tx.dialect();
    let rest = format!("WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}", dialect.for_update());
    tx.query_one(&select(dialect, &rest), &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A page of the workspace's destinations, the oldest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    limit: i64,
    offset: i64,
) -> Result<Page<Destination>, Error> {
    let rest = "WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT $2 OFFSET $3";
    let rows = reader.query(&select(reader.dialect(), rest), &params![workspace, limit, offset]).await?;
    let count = "SELECT count(*) AS n FROM destinations WHERE workspace_id = $1 AND deleted_at IS NULL";
    let total = reader.count(count, &params![workspace]).await?;
    Ok(Page { rows: rows.iter().map(read).collect::<Result<_, _>>()?, total, total_is_capped: false })
}

/// Every active destination of these workspaces: what the dispatcher chooses from, read in its own transaction so that
/// a destination made a moment ago gets the next event.
///
/// # Errors
/// Where the database fails.
pub async fn list_active(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<Vec<Destination>, Error> {
    let dialect = tx.dialect();
    let rest = format!("WHERE workspace_id IN {} AND is_active AND deleted_at IS NULL ORDER BY id", dialect.id_list(1));
    let rows = tx.query(&select(dialect, &rest), &[json_set(workspaces)]).await?;
    rows.iter().map(read).collect()
}

/// Every active destination of the installation: what is remembered for the time when the store is away.
///
/// # Errors
/// Where the database fails.
pub async fn list_all_active(reader: &Reader) -> Result<Vec<Destination>, Error> {
    let sql = select(reader.dialect(), "WHERE is_active AND deleted_at IS NULL ORDER BY id");
    reader.query(&sql, &[]).await?.iter().map(read).collect()
}

/// These destinations, whosever they are: what the runner sends to.
///
/// # Errors
/// Where the database fails.
pub async fn find_set(reader: &Reader, ids: &[DestinationId]) -> Result<Vec<Destination>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rest = format!("WHERE id IN {} AND deleted_at IS NULL", reader.dialect().id_list(1));
    let rows = reader.query(&select(reader.dialect(), &rest), &[json_set(ids)]).await?;
    rows.iter().map(read).collect()
}

/// Whether the workspace has this project.
///
/// # Errors
/// Where the database fails.
pub async fn project_exists(tx: &mut Tx, workspace: WorkspaceId, project: ProjectId) -> Result<bool, Error> {
    let sql = "SELECT 1 AS one FROM projects WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.query_one(sql, &params![project, workspace]).await?.is_some())
}

/// Which of these stages and sources the workspace has: what a filter may name.
///
/// # Errors
/// Where the database fails.
pub async fn list_filterable(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stages: &[StageId],
    sources: &[SourceId],
) -> Result<(Vec<StageId>, Vec<SourceId>), Error> {
    let list = tx.dialect().id_list(1);
    let of =
        |table: &str| format!("SELECT id FROM {table} WHERE id IN {list} AND workspace_id = $2 AND deleted_at IS NULL");
    let stages = tx.query(&of("lead_pipeline_stages"), &[json_set(stages), workspace.param()]).await?;
    let sources = tx.query(&of("sources"), &[json_set(sources), workspace.param()]).await?;
    let stages = stages.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    let sources = sources.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    Ok((stages, sources))
}

/// The names of workspaces in addresses, as payloads tell them.
///
/// # Errors
/// Where the database fails.
pub async fn list_workspace_slugs(
    reader: &Reader,
    workspaces: &[WorkspaceId],
) -> Result<Vec<(WorkspaceId, String)>, Error> {
    let sql = format!("SELECT id, slug FROM workspaces WHERE id IN {}", reader.dialect().id_list(1));
    let rows = reader.query(&sql, &[json_set(workspaces)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("slug")?))).collect()
}

fn select(dialect: crate::Dialect, rest: &str) -> String {
    format!(
        "SELECT id, workspace_id, project_id, name, url, {events} AS events, format, retry_plan, secret_sealed,
             secret_last4, headers_sealed, {names} AS header_names, is_active, disabled_reason, max_in_flight,
             template, {rules} AS rules, created_at, updated_at, previous_secret_sealed, previous_secret_until,
             oauth_sealed, token_sealed, client_certificate_sealed
         FROM destinations {rest}",
        events = dialect.json_text("events"),
        names = dialect.json_text("header_names"),
        rules = dialect.json_text("rules"),
    )
}

fn read(row: &Row) -> Result<Destination, Error> {
    let plan: String = row.get("retry_plan")?;
    Ok(Destination {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        project_id: row.get("project_id")?,
        name: row.get("name")?,
        url: row.get("url")?,
        events: row.json("events")?,
        format: row.get("format")?,
        template: row.get("template")?,
        rules: row.json("rules")?,
        retry_plan: RetryPlan::parse(&plan).ok_or_else(|| Error::Column { column: "retry_plan".to_owned() })?,
        secret_sealed: row.get("secret_sealed")?,
        secret_last4: row.get("secret_last4")?,
        previous_secret: previous::read_previous(row)?,
        headers_sealed: row.get("headers_sealed")?,
        header_names: row.json("header_names")?,
        access: access::read_access(row)?,
        is_active: row.get("is_active")?,
        disabled_reason: row.get("disabled_reason")?,
        max_in_flight: row.get("max_in_flight")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
