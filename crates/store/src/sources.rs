//! What lets leads in: forms and inbound webhooks (one table, told apart by `kind`), the sites that carry the embed
//! script, and the intake, which is everything the door must know about where a submission came in.

use leadline_domain::{
    ids::{PipelineId, ProjectId, SiteId, SourceId, StageId, WorkspaceId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// A form or an inbound webhook.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `sources` under their own names")]
pub struct Source {
    pub id: SourceId,
    pub project_id: ProjectId,
    /// `form` or `webhook`.
    pub kind: String,
    pub name: String,
    /// The secret part of its address.
    pub key: String,
    pub settings: Value,
    pub received_count: i64,
    pub last_received_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// Where a submission came in, with what the door needs to decide about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[expect(missing_docs, reason = "named as the columns they come from")]
pub struct Intake {
    pub workspace_id: WorkspaceId,
    pub project_id: ProjectId,
    pub project_name: String,
    pub source_id: Option<SourceId>,
    /// `form`, `webhook`, `api`, `manual`, ….
    pub kind: String,
    pub source_name: String,
    pub source_settings: Value,
    pub workspace_settings: Value,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
}

/// A site that carries the embed script.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `sites` under their own names")]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    pub key: String,
    pub allowed_origins: Vec<String>,
    pub created_at: Timestamp,
}

/// How many submissions a source had since it was last told.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "named as the columns they go to")]
pub struct Received {
    pub id: SourceId,
    pub n: i64,
    pub at: i64,
}

const RECEIVED_COLUMNS: Columns = &[("id", Kind::Id), ("n", Kind::Integer), ("at", Kind::Integer)];

/// The project, pipeline and entry stage that a submission goes to. The pipeline is the one that the project names, or
/// the default one.
const PLACE: &str = "JOIN workspaces w ON w.id = p.workspace_id
     JOIN lead_pipelines l ON l.workspace_id = p.workspace_id AND l.deleted_at IS NULL AND l.id = coalesce(
         (SELECT o.id FROM lead_pipelines o
          WHERE o.id = p.pipeline_id AND o.workspace_id = p.workspace_id AND o.deleted_at IS NULL),
         (SELECT d.id FROM lead_pipelines d
          WHERE d.workspace_id = p.workspace_id AND d.is_default AND d.deleted_at IS NULL))
     JOIN lead_pipeline_stages t ON t.pipeline_id = l.id AND t.deleted_at IS NULL AND t.position =
         (SELECT min(position) FROM lead_pipeline_stages f WHERE f.pipeline_id = l.id AND f.deleted_at IS NULL)";

/// Where a key of `kind` leads to.
///
/// # Errors
/// Where the database fails.
pub async fn find_intake(reader: &Reader, kind: &str, key: &str) -> Result<Option<Intake>, Error> {
    let dialect = reader.dialect();
    let sql = format!(
        "SELECT s.workspace_id, s.project_id, p.name AS project_name, s.id AS source_id, s.kind, s.name AS source_name,
                {source} AS source_settings, {workspace} AS workspace_settings, l.id AS pipeline_id, t.id AS stage_id
         FROM sources s JOIN projects p ON p.id = s.project_id {PLACE}
         WHERE s.key = $1 AND s.kind = $2 AND s.deleted_at IS NULL",
        source = dialect.json_text("s.settings"),
        workspace = dialect.json_text("w.settings"),
    );
    reader.query_one(&sql, &params![key, kind]).await?.as_ref().map(read_intake).transpose()
}

/// The sources with a key that got something last, each with its key: what a node should know before the database can
/// be away. Reads the whole table of sources, once per start.
///
/// # Errors
/// Where the database fails.
pub async fn latest_intakes(reader: &Reader, limit: i64) -> Result<Vec<(String, Intake)>, Error> {
    let dialect = reader.dialect();
    let sql = format!(
        "SELECT s.workspace_id, s.project_id, p.name AS project_name, s.id AS source_id, s.kind, s.name AS source_name,
                {source} AS source_settings, {workspace} AS workspace_settings, l.id AS pipeline_id, t.id AS stage_id,
                s.key
         FROM sources s JOIN projects p ON p.id = s.project_id {PLACE}
         WHERE s.deleted_at IS NULL ORDER BY coalesce(s.last_received_at, s.created_at) DESC LIMIT $1",
        source = dialect.json_text("s.settings"),
        workspace = dialect.json_text("w.settings"),
    );
    let rows = reader.query(&sql, &params![limit]).await?;
    rows.iter().map(|row| Ok((row.get("key")?, read_intake(row)?))).collect()
}

/// Where a lead goes that comes in through the API or by hand: into the named project, or the workspace's first.
///
/// # Errors
/// Where the database fails.
pub async fn find_direct_intake(
    reader: &Reader,
    workspace: WorkspaceId,
    project: Option<ProjectId>,
) -> Result<Option<Intake>, Error> {
    let dialect = reader.dialect();
    let no_id = dialect.no_id();
    let sql = format!(
        "SELECT p.workspace_id, p.id AS project_id, p.name AS project_name, {no_id} AS source_id, 'api' AS kind,
                'API' AS source_name, '{{}}' AS source_settings, {workspace} AS workspace_settings,
                l.id AS pipeline_id, t.id AS stage_id
         FROM projects p {PLACE}
         WHERE p.workspace_id = $1 AND p.deleted_at IS NULL AND (p.id = $2 OR $3)
         ORDER BY p.created_at, p.id LIMIT 1",
        workspace = dialect.json_text("w.settings"),
    );
    let any_project = project.is_none();
    reader.query_one(&sql, &params![workspace, project, any_project]).await?.as_ref().map(read_intake).transpose()
}

fn read_intake(row: &Row) -> Result<Intake, Error> {
    Ok(Intake {
        workspace_id: row.get("workspace_id")?,
        project_id: row.get("project_id")?,
        project_name: row.get("project_name")?,
        source_id: row.get("source_id")?,
        kind: row.get("kind")?,
        source_name: row.get("source_name")?,
        source_settings: row.json("source_settings")?,
        workspace_settings: row.json("workspace_settings")?,
        pipeline_id: row.get("pipeline_id")?,
        stage_id: row.get("stage_id")?,
    })
}

/// Inserts a form or a webhook.
///
/// # Errors
/// [`Error::Exists`] where the key is taken.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, source: &Source) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO sources (id, workspace_id, project_id, kind, name, key, settings, received_count, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, {settings}, 0, $8)",
        settings = tx.dialect().json(7),
    );
    tx.execute(
        &sql,
        &params![
            source.id,
            workspace,
            source.project_id,
            source.kind,
            source.name,
            source.key,
            source.settings,
            source.created_at
        ],
    )
    .await
    .map(drop)
}

/// Writes name, project, key and settings of a source, and tells whether it is there.
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, workspace: WorkspaceId, source: &Source) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE sources SET name = $3, project_id = $4, key = $5, settings = {settings}
         WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        settings = tx.dialect().json(6),
    );
    let params = params![source.id, workspace, source.name, source.project_id, source.key, source.settings];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// Puts a source away and tells whether it was there. Its leads stay.
///
/// # Errors
/// Where the database fails.
pub async fn delete(
    tx: &mut Tx,
    workspace: WorkspaceId,
    kind: &str,
    id: SourceId,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "UPDATE sources SET deleted_at = $4
               WHERE id = $1 AND workspace_id = $2 AND kind = $3 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, kind, now]).await? == 1)
}

/// The workspace's sources of a kind, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, kind: &str) -> Result<Vec<Source>, Error> {
    let sql = format!(
        "SELECT id, project_id, kind, name, key, {settings} AS settings, received_count, last_received_at, created_at
         FROM sources WHERE workspace_id = $1 AND kind = $2 AND deleted_at IS NULL
         ORDER BY created_at DESC, id DESC LIMIT 1000",
        settings = reader.dialect().json_text("settings"),
    );
    reader.query(&sql, &params![workspace, kind]).await?.iter().map(read_source).collect()
}

/// One source of a kind.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, kind: &str, id: SourceId) -> Result<Option<Source>, Error> {
    let sql = format!(
        "SELECT id, project_id, kind, name, key, {settings} AS settings, received_count, last_received_at, created_at
         FROM sources WHERE id = $1 AND workspace_id = $2 AND kind = $3 AND deleted_at IS NULL",
        settings = reader.dialect().json_text("settings"),
    );
    reader.query_one(&sql, &params![id, workspace, kind]).await?.as_ref().map(read_source).transpose()
}

/// Adds to what sources received. Comes from the event log, so that submissions do not wait for each other at
/// the source's row.
///
/// # Errors
/// Where the database fails.
pub async fn add_received(tx: &mut Tx, rows: &[Received]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let set = tx.dialect().set(1, RECEIVED_COLUMNS);
    let sql = format!(
        "UPDATE sources SET received_count = received_count + r.n, last_received_at = r.at
         FROM {set} WHERE sources.id = r.id"
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

fn read_source(row: &Row) -> Result<Source, Error> {
    Ok(Source {
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        kind: row.get("kind")?,
        name: row.get("name")?,
        key: row.get("key")?,
        settings: row.json("settings")?,
        received_count: row.get("received_count")?,
        last_received_at: row.get("last_received_at")?,
        created_at: row.get("created_at")?,
    })
}

/// Inserts a site.
///
/// # Errors
/// [`Error::Exists`] where the key is taken.
pub async fn insert_site(tx: &mut Tx, workspace: WorkspaceId, site: &Site) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO sites (id, workspace_id, name, key, allowed_origins, created_at) VALUES ($1, $2, $3, $4, {}, $6)",
        tx.dialect().json(5),
    );
    let origins = Value::from(site.allowed_origins.clone());
    tx.execute(&sql, &params![site.id, workspace, site.name, site.key, origins, site.created_at]).await.map(drop)
}

/// Writes name and origins of a site, and tells whether it is there.
///
/// # Errors
/// Where the database fails.
pub async fn update_site(tx: &mut Tx, workspace: WorkspaceId, site: &Site) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE sites SET name = $3, allowed_origins = {} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        tx.dialect().json(4),
    );
    let origins = Value::from(site.allowed_origins.clone());
    Ok(tx.execute(&sql, &params![site.id, workspace, site.name, origins]).await? == 1)
}

/// Puts a site away and tells whether it was there.
///
/// # Errors
/// Where the database fails.
pub async fn delete_site(tx: &mut Tx, workspace: WorkspaceId, id: SiteId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE sites SET deleted_at = $3 WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// The workspace's sites, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_sites(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Site>, Error> {
    let sql = format!(
        "SELECT id, name, key, {origins} AS allowed_origins, created_at FROM sites
         WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT 1000",
        origins = reader.dialect().json_text("allowed_origins"),
    );
    reader.query(&sql, &params![workspace]).await?.iter().map(read_site).collect()
}

/// One site.
///
/// # Errors
/// Where the database fails.
pub async fn find_site(reader: &Reader, workspace: WorkspaceId, id: SiteId) -> Result<Option<Site>, Error> {
    let sql = format!(
        "SELECT id, name, key, {origins} AS allowed_origins, created_at FROM sites
         WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        origins = reader.dialect().json_text("allowed_origins"),
    );
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_site).transpose()
}

fn read_site(row: &Row) -> Result<Site, Error> {
    Ok(Site {
        id: row.get("id")?,
        name: row.get("name")?,
        key: row.get("key")?,
        allowed_origins: row.json("allowed_origins")?,
        created_at: row.get("created_at")?,
    })
}
