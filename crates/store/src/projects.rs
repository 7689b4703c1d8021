//! Projects: what leads are about.

use leadline_domain::{
    ids::{PipelineId, ProjectId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, Reader, Row, Tx, params};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project.
    pub id: ProjectId,
    /// Its name, 1 to 120 characters.
    pub name: String,
    /// The pipeline that its new leads come into; `None` for the default one.
    pub pipeline_id: Option<PipelineId>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Inserts a project.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, project: &Project) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO projects (id, workspace_id, name, pipeline_id, created_at) VALUES ($1, $2, $3, $4, $5)",
        &params![project.id, workspace, project.name, project.pipeline_id, project.created_at],
    )
    .await
    .map(drop)
}

/// One project, to be changed.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: ProjectId) -> Result<Option<Project>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM projects WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        tx.dialect().for_update(),
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Writes name and pipeline of a project and tells whether it is there.
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, workspace: WorkspaceId, project: &Project) -> Result<bool, Error> {
    let sql =
        "UPDATE projects SET name = $3, pipeline_id = $4 WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![project.id, workspace, project.name, project.pipeline_id]).await? == 1)
}

/// Puts a project away and tells whether it was there. Its leads stay.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ProjectId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE projects SET deleted_at = $3 WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// The workspace's projects, oldest first. The first one is where leads go that name none.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Project>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM projects
         WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT 1000"
    );
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// One project.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ProjectId) -> Result<Option<Project>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM projects WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

const COLUMNS: &str = "id, name, pipeline_id, created_at";

fn read(row: &Row) -> Result<Project, Error> {
    Ok(Project {
        id: row.get("id")?,
        name: row.get("name")?,
        pipeline_id: row.get("pipeline_id")?,
        created_at: row.get("created_at")?,
    })
}
