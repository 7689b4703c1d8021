//! Segments: named conditions on leads. Who is in one is asked of the leads as they are, so it is never out of date. Of
//! those that are followed, who was in them last is written down ([`members`]), to tell who comes and who goes.

pub mod members;

use leadline_domain::{
    filters::Segments,
    ids::{SegmentId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
};

/// Segments of one workspace at most.
pub const SEGMENTS_MAX: i64 = 500;

/// A segment.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of `segments` under their own names")]
pub struct Segment {
    pub id: SegmentId,
    pub name: String,
    pub description: Option<String>,
    /// A tree of conditions, as it was written.
    pub filter: Value,
    /// Whether leads' timelines tell of coming into it and of leaving it.
    pub is_followed: bool,
    /// Since when they do: who was in it by then was taken down without a word. None while that is being done.
    pub followed_since: Option<Timestamp>,
    /// Grows with every change.
    pub version: i64,
    /// Who made it.
    pub made_by: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// All segments of a workspace, the oldest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Segment>, Error> {
    // By `segments_of_workspace`.
    let sql =
        format!("{} WHERE workspace_id = $1 ORDER BY created_at, id LIMIT {SEGMENTS_MAX}", select(reader.dialect()));
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// What the segments of a workspace ask, as it was written.
///
/// # Errors
/// Where the database fails.
pub async fn filters(reader: &Reader, workspace: WorkspaceId) -> Result<Segments, Error> {
    // By `segments_of_workspace`.
    let sql = format!(
        "SELECT id, {} AS filter FROM segments WHERE workspace_id = $1 ORDER BY created_at, id LIMIT {SEGMENTS_MAX}",
        reader.dialect().json_text("filter")
    );
    let rows = reader.query(&sql, &params![workspace]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.json("filter")?))).collect()
}

/// One segment.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: SegmentId) -> Result<Option<Segment>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// One segment, that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: SegmentId) -> Result<Option<Segment>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2 {}", select(dialect), dialect.for_update());
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// How many segments a workspace has.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM segments WHERE workspace_id = $1";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Inserts a segment, or writes one that is locked.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, workspace: WorkspaceId, segment: &Segment) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO segments (id, workspace_id, name, description, filter, version, made_by, created_at, updated_at,
             is_followed, followed_since)
         VALUES ($1, $2, $3, $4, {}, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
             filter = excluded.filter, version = excluded.version, updated_at = excluded.updated_at,
             is_followed = excluded.is_followed, followed_since = excluded.followed_since,
             taken_down_at = NULL, taken_down_to = NULL",
        tx.dialect().json(5),
    );
    let params = params![
        segment.id,
        workspace,
        segment.name,
        segment.description,
        segment.filter,
        segment.version,
        segment.made_by,
        segment.created_at,
        segment.updated_at,
        segment.is_followed,
        segment.followed_since,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// Deletes a segment and tells whether it was there.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: SegmentId) -> Result<bool, Error> {
    let sql = "DELETE FROM segments WHERE id = $1 AND workspace_id = $2";
    Ok(tx.execute(sql, &params![id, workspace]).await? == 1)
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, name, description, {} AS filter, is_followed, followed_since, version, made_by, created_at, updated_at
         FROM segments",
        dialect.json_text("filter"),
    )
}

fn read(row: &Row) -> Result<Segment, Error> {
    Ok(Segment {
        id: row.get("id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        filter: row.json("filter")?,
        is_followed: row.get("is_followed")?,
        followed_since: row.get("followed_since")?,
        version: row.get("version")?,
        made_by: row.get("made_by")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
