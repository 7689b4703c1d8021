//! Sending many deliveries again: a job with a row that says how far it is.
//!
//! Whoever works on one holds its row until the transaction of the batch ends, so no other node does the same
//! deliveries, and a node that dies lets go of it at once.

use leadline_domain::{
    ids::{DeliveryId, ReplayId, WorkspaceId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use super::{Filter, State};
use crate::{
    Dialect,
    sql::{Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params},
};

/// Which deliveries are sent again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Chosen {
    /// These, whatever came of them.
    Ids(Vec<DeliveryId>),
    /// All that match.
    Filter(Filter),
}

/// A replay of many deliveries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The job.
    pub id: ReplayId,
    /// Whose deliveries.
    pub workspace_id: WorkspaceId,
    /// How far it is.
    pub state: Progress,
    /// Which deliveries.
    pub chosen: Chosen,
    /// Deliveries of a later time are left alone, so that it ends.
    pub as_of: Timestamp,
    /// Deliveries when it began.
    pub total: i64,
    /// Deliveries that were looked at.
    pub done: i64,
    /// Deliveries that are sent again.
    pub replayed: i64,
    /// The delivery that was looked at last, by the time that the filter goes by and id.
    pub cursor: Option<(Timestamp, DeliveryId)>,
    /// Who began it.
    pub started_by: String,
    /// When.
    pub started_at: Timestamp,
    /// When it ended, however it did.
    pub finished_at: Option<Timestamp>,
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nobody has begun.
    Queued,
    /// Some deliveries are done.
    Running,
    /// All are.
    Done,
    /// It cannot go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
}

impl Progress {
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

const COLUMNS: &str = "id, workspace_id, state, as_of, total, done, replayed, cursor_at, cursor_id, started_by, \
                       started_at, finished_at";

fn select(dialect: Dialect, rest: &str) -> String {
    format!("SELECT {COLUMNS}, {} AS chosen FROM replay_jobs {rest}", dialect.json_text("chosen"))
}

/// Begins a replay, unless the workspace has one that goes on; tells whether it was begun.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, job: &Job) -> Result<bool, Error> {
    let sql = format!(
        "INSERT INTO replay_jobs (id, workspace_id, state, chosen, as_of, total, done, replayed, started_by,
                                  started_at, moved_at)
         VALUES ($1, $2, $3, {chosen}, $5, $6, 0, 0, $7, $8, $8) ON CONFLICT DO NOTHING",
        chosen = tx.dialect().json(4),
    );
    let chosen = serde_json::to_string(&job.chosen).expect("a choice is made of ids and texts");
    let params = params![
        job.id,
        job.workspace_id,
        job.state.as_str(),
        chosen,
        job.as_of,
        job.total,
        job.started_by,
        job.started_at,
    ];
    Ok(tx.execute(&sql, &params).await? == 1)
}

/// Whether there is a replay that has not ended.
///
/// # Errors
/// Where the database fails.
pub async fn is_any_open(reader: &Reader) -> Result<bool, Error> {
    // By `replay_jobs_open`.
    let sql = "SELECT 1 AS n FROM replay_jobs WHERE finished_at IS NULL LIMIT 1";
    Ok(reader.query_one(sql, &[]).await?.is_some())
}

/// Takes hold of the replay that waited longest, if there is one that nobody is at.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx) -> Result<Option<Job>, Error> {
    let dialect = tx.dialect();
    let rest = format!("WHERE finished_at IS NULL ORDER BY moved_at, id LIMIT 1 {}", dialect.skip_locked());
    tx.query_one(&select(dialect, &rest), &[]).await?.as_ref().map(read).transpose()
}

/// Notes how far a replay is that is held (see [`claim`]).
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn advance(tx: &mut Tx, job: &Job, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE replay_jobs SET state = $2, done = $3, replayed = $4, cursor_at = $5, cursor_id = $6,
                                      moved_at = $7, finished_at = $8
               WHERE id = $1";
    let (at, delivery) = job.cursor.unzip();
    let params = params![job.id, job.state.as_str(), job.done, job.replayed, at, delivery, now, job.finished_at];
    let changed = tx.execute(sql, &params).await?;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Ends a replay of the workspace that goes on, and tells whether it did.
///
/// # Errors
/// Where the database fails.
pub async fn cancel(tx: &mut Tx, workspace: WorkspaceId, id: ReplayId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE replay_jobs SET state = $3, finished_at = $4
               WHERE id = $1 AND workspace_id = $2 AND finished_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, Progress::Cancelled.as_str(), now]).await? == 1)
}

/// A replay of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ReplayId) -> Result<Option<Job>, Error> {
    let sql = select(reader.dialect(), "WHERE id = $1 AND workspace_id = $2");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A page of the workspace's replays, the latest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, limit: i64, offset: i64) -> Result<Page<Job>, Error> {
    // By `replay_jobs_of_workspace`.
    let rest = "WHERE workspace_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2 OFFSET $3";
    let rows = reader.query(&select(reader.dialect(), rest), &params![workspace, limit, offset]).await?;
    let count = "SELECT count(*) AS n FROM replay_jobs WHERE workspace_id = $1";
    let total = reader.count(count, &params![workspace]).await?;
    Ok(Page { rows: rows.iter().map(read).collect::<Result<_, _>>()?, total, total_is_capped: false })
}

/// Deletes what ended before `before`, some at a time, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn delete_finished(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM replay_jobs WHERE id IN
                   (SELECT id FROM replay_jobs WHERE finished_at IS NOT NULL AND finished_at < $1 LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

/// The next deliveries of a replay, the oldest first, with their places: at most `limit` where it goes by a filter,
/// else all that there are.
///
/// # Errors
/// Where the database fails.
pub async fn pick(tx: &mut Tx, job: &Job, limit: i64) -> Result<Vec<(Timestamp, DeliveryId)>, Error> {
    let (sql, values) = match &job.chosen {
        Chosen::Ids(ids) => {
            let list = tx.dialect().id_list(1);
            let sql = format!(
                "SELECT d.id, d.created_at AS at FROM deliveries AS d WHERE d.id IN {list} AND d.workspace_id = $2"
            );
            (sql, vec![json_set(ids), job.workspace_id.param()])
        }
        Chosen::Filter(filter) => matching(tx.dialect(), job, filter, limit),
    };
    tx.query(&sql, &values).await?.iter().map(|row| Ok((row.get("at")?, row.get("id")?))).collect()
}

fn matching(dialect: Dialect, job: &Job, filter: &Filter, limit: i64) -> (String, Vec<Param>) {
    let clock = filter.clock();
    let mut these = filter.conditions(dialect, job.workspace_id);
    these.add(&format!("{clock} <= "), job.as_of.param());
    if let Some((at, id)) = job.cursor {
        // The first of the two is what an index can begin at.
        these.add(&format!("{clock} >= "), at.param());
        these.values.push(id.param());
        let (at, id) = (these.values.len() - 1, these.values.len());
        these.add_text(format!("({clock} > ${at} OR d.id > ${id})"));
    }
    let text = these.text();
    let mut values = these.values;
    values.push(limit.param());
    let limit = values.len();
    (
        format!("SELECT d.id, {clock} AS at FROM deliveries AS d WHERE {text} ORDER BY {clock}, d.id LIMIT ${limit}"),
        values,
    )
}

/// The states that a replay of these takes deliveries from.
#[must_use]
pub fn states(chosen: &Chosen) -> Vec<State> {
    match chosen {
        Chosen::Ids(_) => State::ALL.to_vec(),
        Chosen::Filter(filter) => filter.state.map_or_else(|| State::ALL.to_vec(), |state| vec![state]),
    }
}

fn read(row: &Row) -> Result<Job, Error> {
    let state: String = row.get("state")?;
    let unknown = || Error::Column { column: "state".to_owned() };
    let cursor_at: Option<Timestamp> = row.get("cursor_at")?;
    Ok(Job {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        state: Progress::ALL.into_iter().find(|known| known.as_str() == state).ok_or_else(unknown)?,
        chosen: row.json("chosen")?,
        as_of: row.get("as_of")?,
        total: row.get("total")?,
        done: row.get("done")?,
        replayed: row.get("replayed")?,
        cursor: cursor_at.zip(row.get("cursor_id")?),
        started_by: row.get("started_by")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
    })
}
