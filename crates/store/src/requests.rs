//! Requests of a source as they came: those that were accepted, with their raw evidence beside the submission, and the
//! last ones that were refused.

use leadline_domain::{
    ids::{LeadId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// A request that came in at a source.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "named as the columns they come from")]
pub struct RawRequest {
    /// The submission that it became, or would have become.
    pub id: SubmissionId,
    /// The lead, where it was accepted.
    pub lead_id: Option<LeadId>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub origin: Option<String>,
    pub content_type: Option<String>,
    /// Kept for refused requests alone.
    pub headers: Value,
    pub raw_body: String,
    /// The refusal's status and code; 200 and nothing where it was accepted.
    pub status: i64,
    pub code: Option<String>,
    pub received_at: Timestamp,
}

/// A refused request on its way into the store.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `refused_requests` under their own names")]
pub struct NewRefused {
    pub id: SubmissionId,
    pub workspace_id: WorkspaceId,
    pub source_id: SourceId,
    pub method: String,
    pub headers: Value,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub origin: Option<String>,
    pub content_type: Option<String>,
    pub raw_body: String,
    pub status: i64,
    pub code: String,
    pub received_at: i64,
    pub expires_at: i64,
}

const REFUSED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("source_id", Kind::Id),
    ("method", Kind::Text),
    ("headers", Kind::Json),
    ("ip", Kind::Text),
    ("user_agent", Kind::Text),
    ("origin", Kind::Text),
    ("content_type", Kind::Text),
    ("raw_body", Kind::Text),
    ("status", Kind::Integer),
    ("code", Kind::Text),
    ("received_at", Kind::Integer),
    ("expires_at", Kind::Integer),
];

/// Accepted ones, whose evidence lives as long as their capture. Found by `lead_submissions_of_source`.
// A bare 200 is a smaller number on PostgreSQL.
const ACCEPTED: &str = "SELECT s.id, s.lead_id, c.ip, c.user_agent, c.origin, c.content_type, '{}' AS headers,
        c.raw_body, CAST(200 AS BIGINT) AS status, CAST(NULL AS TEXT) AS code, s.received_at
     FROM lead_submissions s JOIN lead_captures c ON c.submission_id = s.id
     WHERE s.source_id = $2 AND s.workspace_id = $1";

fn refused(reader: &Reader) -> String {
    let headers = reader.dialect().json_text("headers");
    // Found by `refused_requests_of_source`.
    format!(
        "SELECT id, {lead} AS lead_id, ip, user_agent, origin, content_type, {headers} AS headers, raw_body, status,
                code, received_at
         FROM refused_requests WHERE source_id = $2 AND workspace_id = $1",
        lead = reader.dialect().no_id(),
    )
}

/// The last requests of a source, newest first: up to `limit` accepted and as many refused ones.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    source: SourceId,
    limit: i64,
) -> Result<Vec<RawRequest>, Error> {
    let accepted = format!("{ACCEPTED} ORDER BY s.received_at DESC LIMIT $3");
    let refused = format!("{} ORDER BY received_at DESC LIMIT $3", refused(reader));
    let mut rows = reader.query(&accepted, &params![workspace, source, limit]).await?;
    rows.extend(reader.query(&refused, &params![workspace, source, limit]).await?);
    let mut requests: Vec<RawRequest> = rows.iter().map(read).collect::<Result<_, _>>()?;
    requests.sort_by_key(|request| std::cmp::Reverse((request.received_at, request.id)));
    Ok(requests)
}

/// One request of a source.
///
/// # Errors
/// Where the database fails.
pub async fn find(
    reader: &Reader,
    workspace: WorkspaceId,
    source: SourceId,
    id: SubmissionId,
) -> Result<Option<RawRequest>, Error> {
    let accepted = format!("{ACCEPTED} AND s.id = $3");
    if let Some(row) = reader.query_one(&accepted, &params![workspace, source, id]).await? {
        return read(&row).map(Some);
    }
    let refused = format!("{} AND id = $3", refused(reader));
    reader.query_one(&refused, &params![workspace, source, id]).await?.as_ref().map(read).transpose()
}

/// Keeps refused requests, and of each source in `sources` the newest `most` alone.
///
/// # Errors
/// Where the database fails.
pub async fn keep_refused(tx: &mut Tx, rows: &[NewRefused], sources: &[SourceId], most: i64) -> Result<(), Error> {
    tx.insert_set("refused_requests", REFUSED_COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await?;
    // The newest that are too many are found by index, one source at a time, in one statement.
    let sql = format!(
        "DELETE FROM refused_requests WHERE source_id IN {sources} AND received_at <=
             (SELECT r.received_at FROM refused_requests r WHERE r.source_id = refused_requests.source_id
              ORDER BY r.received_at DESC LIMIT 1 OFFSET $1)",
        sources = tx.dialect().id_list(2),
    );
    let mut values = params![most].to_vec();
    values.push(json_set(sources));
    tx.execute(&sql, &values).await.map(drop)
}

fn read(row: &Row) -> Result<RawRequest, Error> {
    Ok(RawRequest {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        origin: row.get("origin")?,
        content_type: row.get("content_type")?,
        headers: row.json("headers")?,
        raw_body: row.get("raw_body")?,
        status: row.get("status")?,
        code: row.get("code")?,
        received_at: row.get("received_at")?,
    })
}
