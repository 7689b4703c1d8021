//! Ranges of addresses whose submissions are turned away, and the record of what they sent.

use leadline_domain::{
    ids::{BlockedAttemptId, BlockedIpId, LeadId, SourceId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    capture::{self, IdentityKey},
    dialect::Kind,
    sql::{COUNT_CAP, Columns, Error, Page, Reader, Row, Tx, json_set, params},
};

/// A range that is blocked.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `blocked_ips` under their own names")]
pub struct BlockedIp {
    pub id: BlockedIpId,
    pub workspace_id: WorkspaceId,
    /// An address, or a network in CIDR notation.
    pub ip_range: String,
    pub reason: Option<String>,
    /// Who blocked it, as people call them.
    pub created_by: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("ip_range", Kind::Text),
    ("reason", Kind::Text),
    ("created_by", Kind::Text),
    ("created_at", Kind::Integer),
    ("expires_at", Kind::Integer),
];

/// What came from a blocked address.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `blocked_ip_leads` under their own names")]
pub struct Attempt {
    pub id: BlockedAttemptId,
    pub workspace_id: WorkspaceId,
    pub blocked_ip_id: BlockedIpId,
    /// The range as it was called then.
    pub ip_range: String,
    pub ip: String,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    pub user_agent: Option<String>,
    pub origin: Option<String>,
    pub content_type: Option<String>,
    /// The beginning of the body; nobody looked into it.
    pub raw_body: String,
    /// The same body from the same address is answered with the same lead.
    pub person_key: Option<IdentityKey>,
    /// The lead that the answer named.
    pub answered_lead_id: LeadId,
    pub attempted_at: i64,
    pub expires_at: i64,
}

const ATTEMPT_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("blocked_ip_id", Kind::Id),
    ("ip_range", Kind::Text),
    ("ip", Kind::Text),
    ("source_id", Kind::Id),
    ("source", Kind::Text),
    ("source_name", Kind::Text),
    ("user_agent", Kind::Text),
    ("origin", Kind::Text),
    ("content_type", Kind::Text),
    ("raw_body", Kind::Text),
    ("person_key", Kind::Bytes),
    ("answered_lead_id", Kind::Id),
    ("attempted_at", Kind::Integer),
    ("expires_at", Kind::Integer),
];

/// Blocks ranges. One that is blocked already stays as it is.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, rows: &[BlockedIp]) -> Result<u64, Error> {
    tx.insert_set("blocked_ips", COLUMNS, rows, "ON CONFLICT (workspace_id, ip_range) DO NOTHING").await
}

/// Takes a block away, and tells whether there was one.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: BlockedIpId) -> Result<bool, Error> {
    let sql = "DELETE FROM blocked_ips WHERE id = $1 AND workspace_id = $2";
    Ok(tx.execute(sql, &params![id, workspace]).await? == 1)
}

/// Takes away what stands under a range and has run out, so that it can be blocked anew.
///
/// # Errors
/// Where the database fails.
pub async fn delete_expired_range(
    tx: &mut Tx,
    workspace: WorkspaceId,
    ip_range: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "DELETE FROM blocked_ips WHERE workspace_id = $1 AND ip_range = $2 AND expires_at <= $3";
    tx.execute(sql, &params![workspace, ip_range, now]).await.map(drop)
}

/// How many ranges a workspace blocks, counted to `at_most`.
///
/// # Errors
/// Where the database fails.
pub async fn count(reader: &Reader, workspace: WorkspaceId, at_most: i64) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM (SELECT 1 FROM blocked_ips WHERE workspace_id = $1 LIMIT $2) AS counted";
    reader.count(sql, &params![workspace, at_most]).await
}

/// The ranges that a workspace blocks, as many as one node holds in memory.
///
/// # Errors
/// Where the database fails.
pub async fn list_all(reader: &Reader, workspace: WorkspaceId, at_most: i64) -> Result<Vec<BlockedIp>, Error> {
    let sql = "SELECT id, workspace_id, ip_range, reason, created_by, created_at, expires_at FROM blocked_ips
               WHERE workspace_id = $1 ORDER BY ip_range LIMIT $2";
    reader.query(sql, &params![workspace, at_most]).await?.iter().map(read).collect()
}

/// A page of the ranges, newest first. There are at most some thousand, found by `blocked_ips_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, limit: i64, offset: i64) -> Result<Page<BlockedIp>, Error> {
    let sql = "SELECT id, workspace_id, ip_range, reason, created_by, created_at, expires_at FROM blocked_ips
               WHERE workspace_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3";
    let rows = reader.query(sql, &params![workspace, limit, offset]).await?;
    let counted = count(reader, workspace, COUNT_CAP + 1).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

/// The block that stands under a range.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_range(
    reader: &Reader,
    workspace: WorkspaceId,
    ip_range: &str,
) -> Result<Option<BlockedIp>, Error> {
    let sql = "SELECT id, workspace_id, ip_range, reason, created_by, created_at, expires_at FROM blocked_ips
               WHERE workspace_id = $1 AND ip_range = $2";
    reader.query_one(sql, &params![workspace, ip_range]).await?.as_ref().map(read).transpose()
}

/// Records what came from blocked addresses. What a spool replays may be there already.
///
/// # Errors
/// Where the database fails.
pub async fn insert_attempts(tx: &mut Tx, rows: &[Attempt]) -> Result<(), Error> {
    tx.insert_set("blocked_ip_leads", ATTEMPT_COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await.map(drop)
}

/// Which lead these were answered with; found by `blocked_ip_leads_of_person`.
///
/// # Errors
/// Where the database fails.
pub async fn answered(tx: &mut Tx, persons: &[IdentityKey]) -> Result<Vec<(IdentityKey, LeadId)>, Error> {
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    let set = tx.dialect().set(1, capture::KEY_COLUMNS);
    // One row is looked at for each person, however many there are of theirs.
    let sql = format!(
        "SELECT r.key, (SELECT answered_lead_id FROM blocked_ip_leads WHERE person_key = r.key LIMIT 1) AS lead_id FROM {set}"
    );
    let keys: Vec<_> = persons.iter().map(|key| capture::Keyed { key: *key }).collect();
    let rows = tx.query(&sql, &[json_set(&keys)]).await?;
    let answers = rows.iter().map(|row| Ok((IdentityKey::read(row, "key")?, row.get::<Option<LeadId>>("lead_id")?)));
    let answers = answers.collect::<Result<Vec<_>, Error>>()?;
    Ok(answers.into_iter().filter_map(|(key, lead)| Some((key, lead?))).collect())
}

/// Which of these are recorded already, and which lead their answer named.
///
/// # Errors
/// Where the database fails.
pub async fn known_attempts(tx: &mut Tx, ids: &[BlockedAttemptId]) -> Result<Vec<(BlockedAttemptId, LeadId)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = tx.dialect().id_list(1);
    let sql = format!("SELECT id, answered_lead_id FROM blocked_ip_leads WHERE id IN {list}");
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("answered_lead_id")?))).collect()
}

/// A page of what came from blocked addresses, newest first, through `blocked_ip_leads_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list_attempts(
    reader: &Reader,
    workspace: WorkspaceId,
    limit: i64,
    offset: i64,
) -> Result<Page<Attempt>, Error> {
    let sql =
        "SELECT id, workspace_id, blocked_ip_id, ip_range, ip, source_id, source, source_name, user_agent, origin,
                      content_type, raw_body, answered_lead_id, attempted_at, expires_at
               FROM blocked_ip_leads WHERE workspace_id = $1 ORDER BY attempted_at DESC, id DESC LIMIT $2 OFFSET $3";
    let count = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM blocked_ip_leads WHERE workspace_id = $1 LIMIT {}) AS counted",
        COUNT_CAP + 1
    );
    let rows = reader.query(sql, &params![workspace, limit, offset]).await?;
    let counted = reader.count(&count, &params![workspace]).await?;
    Ok(Page::new(rows.iter().map(read_attempt).collect::<Result<_, _>>()?, counted))
}

/// Deletes blocks that ran out long enough ago, found by their expiry.
///
/// # Errors
/// Where the database fails.
pub async fn delete_expired(tx: &mut Tx, ran_out_before: Timestamp, limit: i64) -> Result<u64, Error> {
    let ranges = "DELETE FROM blocked_ips WHERE id IN
                  (SELECT id FROM blocked_ips WHERE expires_at IS NOT NULL AND expires_at <= $1 LIMIT $2)";
    tx.execute(ranges, &params![ran_out_before, limit]).await
}

fn read(row: &Row) -> Result<BlockedIp, Error> {
    Ok(BlockedIp {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        ip_range: row.get("ip_range")?,
        reason: row.get("reason")?,
        created_by: row.get("created_by")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
    })
}

fn read_attempt(row: &Row) -> Result<Attempt, Error> {
    Ok(Attempt {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        blocked_ip_id: row.get("blocked_ip_id")?,
        ip_range: row.get("ip_range")?,
        ip: row.get("ip")?,
        source_id: row.get("source_id")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        user_agent: row.get("user_agent")?,
        origin: row.get("origin")?,
        content_type: row.get("content_type")?,
        raw_body: row.get("raw_body")?,
        person_key: None,
        answered_lead_id: row.get("answered_lead_id")?,
        attempted_at: row.get("attempted_at")?,
        expires_at: row.get("expires_at")?,
    })
}
