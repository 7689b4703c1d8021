//! The versions of a workspace's weights. The one in use rides in the workspace's settings; all of them stay here.

use leadline_domain::{ids::WorkspaceId, time::Timestamp};
use serde_json::Value;

use crate::{
    dialect::Dialect,
    sql::{Error, Page, Reader, Row, Tx, params},
};

/// A version of a workspace's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Its number, from 1.
    pub version: i64,
    /// What differs from the documentation.
    pub differing: Value,
    /// What its maker says of it.
    pub note: Option<String>,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: Timestamp,
}

/// Keeps a version.
///
/// # Errors
/// [`Error::Exists`] where there is one of this number.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, version: &Version) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO scoring_versions (workspace_id, version, differing, note, made_by, made_at)
         VALUES ($1, $2, {}, $4, $5, $6)",
        tx.dialect().json(3)
    );
    let params = params![workspace, version.version, version.differing, version.note, version.made_by, version.made_at];
    tx.execute(&sql, &params).await.map(drop)
}

/// One version.
///
/// # Errors
/// Where the database fails.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, version: i64) -> Result<Option<Version>, Error> {
    let sql = format!("{} WHERE workspace_id = $1 AND version = $2", select(tx.dialect()));
    tx.query_one(&sql, &params![workspace, version]).await?.as_ref().map(read).transpose()
}

/// The versions of a workspace, the newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, limit: i64, offset: i64) -> Result<Page<Version>, Error> {
    let sql = format!("{} WHERE workspace_id = $1 ORDER BY version DESC LIMIT $2 OFFSET $3", select(reader.dialect()));
    let rows = reader.query(&sql, &params![workspace, limit, offset]).await?;
    let count = "SELECT count(*) AS n FROM scoring_versions WHERE workspace_id = $1";
    let total = reader.count(count, &params![workspace]).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

fn select(dialect: Dialect) -> String {
    let differing = dialect.json_text("differing");
    format!("SELECT version, {differing} AS differing, note, made_by, made_at FROM scoring_versions")
}

fn read(row: &Row) -> Result<Version, Error> {
    Ok(Version {
        version: row.get("version")?,
        differing: row.json("differing")?,
        note: row.get("note")?,
        made_by: row.get("made_by")?,
        made_at: row.get("made_at")?,
    })
}
