//! What has to be fetched from a provider: leads that it gave notice of, and the leads of a form.
//!
//! The queue is one for all workspaces. Each lease counts the attempt up, and what came of it is recorded only while
//! that attempt is the newest, so a slow worker cannot overwrite one that took over from it.

use leadline_domain::{
    ids::{FetchId, SourceId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Something to be fetched.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_fetches` under their own names")]
pub struct Fetch {
    pub id: FetchId,
    pub workspace_id: WorkspaceId,
    pub source_id: SourceId,
    /// `lead` or `form`.
    pub kind: String,
    /// The provider's id of it.
    pub subject: String,
    /// `pending`, `done` or `dead`.
    pub state: String,
    pub attempt_count: i64,
    /// Failures in a row.
    pub plan_attempt: i64,
    pub next_attempt_at: Timestamp,
    /// Where to go on in a form with many leads.
    pub next_page: Option<String>,
    /// How many leads it brought.
    pub found_count: i64,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
}

/// Something to be fetched, with what is needed of its source.
#[derive(Debug, Clone)]
pub struct Leased {
    /// What to fetch.
    pub fetch: Fetch,
    /// The source's key, and its settings; nothing where it was deleted.
    pub source: Option<(String, Value)>,
}

/// Something new to be fetched.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_fetches` under their own names")]
pub struct NewFetch {
    pub id: FetchId,
    pub workspace_id: WorkspaceId,
    pub source_id: SourceId,
    pub kind: &'static str,
    pub subject: String,
    pub state: &'static str,
    pub attempt_count: i64,
    pub plan_attempt: i64,
    pub next_attempt_at: i64,
    pub found_count: i64,
    pub created_at: i64,
}

const NEW_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("source_id", Kind::Id),
    ("kind", Kind::Text),
    ("subject", Kind::Text),
    ("state", Kind::Text),
    ("attempt_count", Kind::Integer),
    ("plan_attempt", Kind::Integer),
    ("next_attempt_at", Kind::Integer),
    ("found_count", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// What came of an attempt.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_fetches` under their own names")]
pub struct Recorded {
    pub state: &'static str,
    pub plan_attempt: i64,
    pub next_attempt_at: Timestamp,
    pub next_page: Option<String>,
    pub found_count: i64,
    pub last_error: Option<String>,
    pub finished_at: Option<Timestamp>,
}

/// Puts fetches into the queue; one that is known already stays as it is. Tells how many were new.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, rows: &[NewFetch]) -> Result<u64, Error> {
    tx.insert_set("lead_fetches", NEW_COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await
}

/// Whether anything is due. Found by `lead_fetches_due`.
///
/// # Errors
/// Where the database fails.
pub async fn is_any_due(reader: &Reader, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT id FROM lead_fetches WHERE state = 'pending' AND next_attempt_at <= $1
                   AND (leased_until IS NULL OR leased_until <= $1) LIMIT 1";
    Ok(reader.query_one(sql, &params![now]).await?.is_some())
}

/// Leases up to `limit` fetches that are due, until `until`. Found by `lead_fetches_due`.
///
/// # Errors
/// Where the database fails.
pub async fn lease(tx: &mut Tx, now: Timestamp, until: Timestamp, limit: i64) -> Result<Vec<Leased>, Error> {
    let dialect = tx.dialect();
    let due = format!(
        "SELECT id FROM lead_fetches WHERE state = 'pending' AND next_attempt_at <= $1
             AND (leased_until IS NULL OR leased_until <= $1) ORDER BY next_attempt_at LIMIT $2 {}",
        dialect.skip_locked(),
    );
    let ids: Vec<FetchId> =
        tx.query(&due, &params![now, limit]).await?.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = dialect.id_list(1);
    let sql =
        format!("UPDATE lead_fetches SET leased_until = $2, attempt_count = attempt_count + 1 WHERE id IN {list}");
    tx.execute(&sql, &[json_set(&ids), params![until][0].clone()]).await?;
    let sql = format!(
        "SELECT f.id, f.workspace_id, f.source_id, f.kind, f.subject, f.state, f.attempt_count, f.plan_attempt,
                f.next_attempt_at, f.next_page, f.found_count, f.last_error, f.created_at, f.finished_at,
                s.key, {settings} AS settings
         FROM lead_fetches f LEFT JOIN sources s ON s.id = f.source_id AND s.deleted_at IS NULL
         WHERE f.id IN {list} ORDER BY f.next_attempt_at",
        settings = dialect.json_text("s.settings"),
    );
    tx.query(&sql, &[json_set(&ids)]).await?.iter().map(read_leased).collect()
}

fn read_leased(row: &Row) -> Result<Leased, Error> {
    let key: Option<String> = row.get("key")?;
    let source = key.map(|key| Ok::<_, Error>((key, row.json("settings")?))).transpose()?;
    Ok(Leased { fetch: read(row)?, source })
}

/// Records what came of an attempt, unless a newer one has begun.
///
/// # Errors
/// Where the database fails.
pub async fn record(tx: &mut Tx, fetch: &Fetch, recorded: &Recorded) -> Result<(), Error> {
    let sql = "UPDATE lead_fetches SET state = $3, plan_attempt = $4, next_attempt_at = $5, next_page = $6,
                   found_count = $7, last_error = $8, finished_at = $9, leased_until = NULL
               WHERE id = $1 AND attempt_count = $2";
    let params = params![
        fetch.id,
        fetch.attempt_count,
        recorded.state,
        recorded.plan_attempt,
        recorded.next_attempt_at,
        recorded.next_page,
        recorded.found_count,
        recorded.last_error,
        recorded.finished_at,
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// The last fetches of a source, newest first. Found by `lead_fetches_of_source`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, source: SourceId, limit: i64) -> Result<Vec<Fetch>, Error> {
    let sql = "SELECT id, workspace_id, source_id, kind, subject, state, attempt_count, plan_attempt, next_attempt_at,
                      next_page, found_count, last_error, created_at, finished_at
               FROM lead_fetches WHERE source_id = $2 AND workspace_id = $1 ORDER BY created_at DESC, id DESC LIMIT $3";
    reader.query(sql, &params![workspace, source, limit]).await?.iter().map(read).collect()
}

/// Begins the plan of a source's given-up fetches anew, and tells how many there were.
///
/// # Errors
/// Where the database fails.
pub async fn begin_again(tx: &mut Tx, workspace: WorkspaceId, source: SourceId, now: Timestamp) -> Result<u64, Error> {
    let sql = "UPDATE lead_fetches SET state = 'pending', plan_attempt = 0, next_attempt_at = $3, finished_at = NULL
               WHERE source_id = $2 AND workspace_id = $1 AND state = 'dead'";
    tx.execute(sql, &params![workspace, source, now]).await
}

/// Deletes fetches that were over before `before`, up to `limit`, and tells how many. Found by
/// `lead_fetches_finished`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_finished(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM lead_fetches WHERE id IN
               (SELECT id FROM lead_fetches WHERE finished_at IS NOT NULL AND finished_at <= $1 LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

fn read(row: &Row) -> Result<Fetch, Error> {
    Ok(Fetch {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        source_id: row.get("source_id")?,
        kind: row.get("kind")?,
        subject: row.get("subject")?,
        state: row.get("state")?,
        attempt_count: row.get("attempt_count")?,
        plan_attempt: row.get("plan_attempt")?,
        next_attempt_at: row.get("next_attempt_at")?,
        next_page: row.get("next_page")?,
        found_count: row.get("found_count")?,
        last_error: row.get("last_error")?,
        created_at: row.get("created_at")?,
        finished_at: row.get("finished_at")?,
    })
}
