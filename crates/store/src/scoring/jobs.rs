//! Re-scores: a row each, which says how far it is.
//!
//! Whoever works on one holds its row until the transaction of the batch ends, so no other node does the same leads,
//! and a node that dies lets go of it at once.

use leadline_domain::{
    ids::{LeadId, RescoreId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, Reader, Row, Tx, params};

/// A re-score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job.
    pub id: RescoreId,
    /// Whose leads.
    pub workspace_id: WorkspaceId,
    /// `rescore` where somebody asked for it, `silence` for the daily one.
    pub cause: String,
    /// How far it is.
    pub state: State,
    /// The version of the weights when it began.
    pub version: i64,
    /// The time that silence is measured at.
    pub as_of: Timestamp,
    /// Leads when it began.
    pub total: i64,
    /// Leads that were looked at.
    pub done: i64,
    /// Leads whose scores are others now.
    pub changed: i64,
    /// The lead that was looked at last, by creation and id.
    pub cursor: Option<(Timestamp, LeadId)>,
    /// Who began it.
    pub started_by: String,
    /// When.
    pub started_at: Timestamp,
    /// When it ended, however it did.
    pub finished_at: Option<Timestamp>,
}

/// How far a re-score is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has begun.
    Queued,
    /// Some leads are done.
    Running,
    /// All are.
    Done,
    /// It cannot go on.
    Failed,
    /// Somebody stopped it, or made a new version of the weights.
    Cancelled,
}

impl State {
    const ALL: [Self; 5] = [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

const COLUMNS: &str = "id, workspace_id, cause, state, version, as_of, total, done, changed, cursor_created_at, \
                       cursor_id, started_by, started_at, finished_at";

/// Begins a re-score, unless the workspace has one that goes on; tells whether it was begun.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, job: &Job) -> Result<bool, Error> {
    let sql = "INSERT INTO rescore_jobs (id, workspace_id, cause, state, version, as_of, total, done, changed,
                                         started_by, started_at, moved_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8, $9, $9) ON CONFLICT DO NOTHING";
    let params = params![
        job.id,
        job.workspace_id,
        job.cause,
        job.state.as_str(),
        job.version,
        job.as_of,
        job.total,
        job.started_by,
        job.started_at,
    ];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Whether there is a re-score that has not ended.
///
/// # Errors
/// Where the database fails.
pub async fn is_any_open(reader: &Reader) -> Result<bool, Error> {
    // By `rescore_jobs_open`.
    let sql = "SELECT 1 AS n FROM rescore_jobs WHERE finished_at IS NULL LIMIT 1";
    Ok(reader.query_one(sql, &[]).await?.is_some())
}

/// Takes hold of the re-score that waited longest, if there is one that nobody is at.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx) -> Result<Option<Job>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM rescore_jobs WHERE finished_at IS NULL ORDER BY moved_at, id LIMIT 1 {}",
        tx.dialect().skip_locked()
    );
    tx.query_one(&sql, &[]).await?.as_ref().map(read).transpose()
}

/// Notes how far a re-score is that is held (see [`claim`]).
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn advance(tx: &mut Tx, job: &Job, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE rescore_jobs SET state = $2, done = $3, changed = $4, cursor_created_at = $5, cursor_id = $6,
                                       moved_at = $7, finished_at = $8
               WHERE id = $1";
    let (at, lead) = job.cursor.unzip();
    let params = params![job.id, job.state.as_str(), job.done, job.changed, at, lead, now, job.finished_at];
    let changed = tx.execute(sql, &params).await?;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Ends the workspace's re-score, where one goes on, and tells whether one did.
///
/// # Errors
/// Where the database fails.
pub async fn cancel(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE rescore_jobs SET state = $2, finished_at = $3
               WHERE workspace_id = $1 AND finished_at IS NULL";
    Ok(tx.execute(sql, &params![workspace, State::Cancelled.as_str(), now]).await? > 0)
}

/// The workspace's latest re-score.
///
/// # Errors
/// Where the database fails.
pub async fn latest(reader: &Reader, workspace: WorkspaceId) -> Result<Option<Job>, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM rescore_jobs WHERE workspace_id = $1 ORDER BY started_at DESC, id DESC LIMIT 1");
    reader.query_one(&sql, &params![workspace]).await?.as_ref().map(read).transpose()
}

/// Deletes what ended before `before`, some at a time, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn delete_finished(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM rescore_jobs WHERE id IN
                   (SELECT id FROM rescore_jobs WHERE finished_at IS NOT NULL AND finished_at < $1 LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

fn read(row: &Row) -> Result<Job, Error> {
    let state: String = row.get("state")?;
    let unknown = || Error::Column { column: "state".to_owned() };
    let created_at: Option<Timestamp> = row.get("cursor_created_at")?;
    Ok(Job {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        cause: row.get("cause")?,
        state: State::ALL.into_iter().find(|known| known.as_str() == state).ok_or_else(unknown)?,
        version: row.get("version")?,
        as_of: row.get("as_of")?,
        total: row.get("total")?,
        done: row.get("done")?,
        changed: row.get("changed")?,
        cursor: created_at.zip(row.get("cursor_id")?),
        started_by: row.get("started_by")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
    })
}
