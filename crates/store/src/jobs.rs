//! Jobs: long work that somebody asked for, a row each, which says how far it is.
//!
//! What a step of the work writes, and where the next one goes on, is one transaction: it holds the job's row
//! ([`hold`]), and counts one up ([`advance`]), so that of two nodes at the same step only one commits. A lease beside
//! that keeps the others from doing the same reading in vain. What becomes of each row stands in [`results`].

pub mod results;

use leadline_domain::{
    ids::{JobId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    Dialect,
    sql::{Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params},
};

/// Counting the jobs of a list stops here.
const COUNT_CAP: i64 = 10_000;

/// Finished jobs whose results are deleted in one go.
const JOBS_AT_ONCE: i64 = 20;

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nobody has begun.
    Queued,
    /// Some of it is done.
    Running,
    /// All of it is.
    Done,
    /// It cannot go on.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// What it changed is put back.
    Undoing,
    /// What it changed is put back, as far as nobody changed it since.
    Undone,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled, Self::Undoing, Self::Undone];

    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A job, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The job.
    pub id: JobId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What works on it.
    pub kind: String,
    /// How far it is.
    pub state: State,
    /// What screens say of it. Nothing personal.
    pub about: Value,
    /// Rows to be looked at, as far as it was known when it began.
    pub total: i64,
    /// Rows that were looked at.
    pub done: i64,
    /// Rows that are others now.
    pub changed: i64,
    /// Rows with which it could not be done.
    pub failed: i64,
    /// Rows that have a result.
    pub result_count: i64,
    /// Rows that were put back.
    pub undone: i64,
    /// Rows that were not put back, since somebody changed them meanwhile.
    pub left_alone: i64,
    /// Who asked for it.
    pub asked_by: Asker,
    /// Who had it put back.
    pub undone_by: Option<Asker>,
    /// Why it could not go on.
    pub error: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When its first step was done.
    pub started_at: Option<Timestamp>,
    /// When it ended, however it did.
    pub finished_at: Option<Timestamp>,
}

/// Who asked for a job, or had it put back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asker {
    /// `user`, `token` or `system`.
    pub kind: String,
    /// The person, where there is one.
    pub user: Option<UserId>,
    /// How the timeline names them.
    pub name: String,
}

/// A job with what its next step goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct Work {
    /// The job.
    pub job: Job,
    /// What it was asked to do.
    pub params: Value,
    /// Where it goes on; nothing, where it begins.
    pub cursor: Option<Value>,
    /// Steps that were done.
    pub moves: i64,
    /// How often the next step was tried in vain.
    pub tries: i64,
}

/// Which node works on a job, and until when the others leave it alone.
#[derive(Debug, Clone, Copy)]
pub struct Lease<'a> {
    /// The node.
    pub node: &'a str,
    /// Until when.
    pub until: Timestamp,
}

/// Which jobs a list shows.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<State>,
    /// Of this kind.
    pub kind: Option<String>,
}

const SHOWN: &str = "id, workspace_id, kind, state, total, done, changed, failed, result_count, undone, left_alone,
                     asked_by_kind, asked_by_id, asked_by_name, undone_by_kind, undone_by_id, undone_by_name, error,
                     created_at, started_at, finished_at";

fn shown(dialect: Dialect) -> String {
    format!("{SHOWN}, {} AS about", dialect.json_text("about"))
}

fn whole(dialect: Dialect) -> String {
    format!(
        "{shown}, {params} AS params, {cursor} AS cursor_text, moves, tries",
        shown = shown(dialect),
        params = dialect.json_text("params"),
        cursor = dialect.json_text("cursor"),
    )
}

/// Adds a job.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, work: &Work) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO jobs (id, workspace_id, kind, state, params, about, total, done, changed, failed, result_count,
                           undone, left_alone, asked_by_kind, asked_by_id, asked_by_name, moves, tries, created_at,
                           moved_at, started_at, finished_at)
         VALUES ($1, $2, $3, $4, {params}, {about}, $7, $8, $9, $10, $11, 0, 0, $12, $13, $14, $15, 0, $16, $16, $17,
                 $18)",
        params = dialect.json(5),
        about = dialect.json(6),
    );
    let job = &work.job;
    let params = params![
        job.id,
        job.workspace_id,
        job.kind,
        job.state.as_str(),
        work.params,
        job.about,
        job.total,
        job.done,
        job.changed,
        job.failed,
        job.result_count,
        job.asked_by.kind,
        job.asked_by.user,
        job.asked_by.name,
        work.moves,
        job.created_at,
        job.started_at,
        job.finished_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// How many jobs of the workspace have not ended, of one kind or of all.
///
/// # Errors
/// Where the database fails.
pub async fn count_open(tx: &mut Tx, workspace: WorkspaceId, kind: Option<&str>) -> Result<i64, Error> {
    // By `jobs_open_of_workspace`, which holds few.
    let sql = "SELECT count(*) AS n FROM jobs
               WHERE workspace_id = $1 AND finished_at IS NULL AND ($2 IS NULL OR kind = $2)";
    tx.query_one(sql, &params![workspace, kind]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// The job that waited longest for its next step, of these kinds, if there is one that no other node is at.
///
/// # Errors
/// Where the database fails.
pub async fn next_due(
    reader: &Reader,
    kinds: &[&str],
    lease: Lease<'_>,
    now: Timestamp,
) -> Result<Option<Work>, Error> {
    let dialect = reader.dialect();
    // By `jobs_open`. A lease that ends later than any that is given now is of a clock that was put back since.
    let sql = format!(
        "SELECT {columns} FROM jobs
         WHERE finished_at IS NULL AND kind IN {kinds}
               AND (leased_until IS NULL OR leased_by = $2 OR leased_until <= $3 OR leased_until > $4)
         ORDER BY moved_at, id LIMIT 1",
        columns = whole(dialect),
        kinds = dialect.text_list(1),
    );
    let [node, now, until] = params![lease.node, now, lease.until];
    reader.query_one(&sql, &[json_set(kinds), node, now, until]).await?.as_ref().map(read_work).transpose()
}

/// Takes hold of a job that goes on, and tells whether it still stands where `moves` steps left it. Nobody else moves
/// or stops it until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn hold(tx: &mut Tx, id: JobId, moves: i64) -> Result<bool, Error> {
    let sql = format!(
        "SELECT id FROM jobs WHERE id = $1 AND moves = $2 AND finished_at IS NULL {}",
        tx.dialect().for_update()
    );
    Ok(tx.query_one(&sql, &params![id, moves]).await?.is_some())
}

/// Notes how far a job is that is held (see [`hold`]), and counts the step. `work` says how it is from now on, but for
/// its `moves`, which are those before the step.
///
/// # Errors
/// [`Error::Contended`] where it moved meanwhile.
pub async fn advance(tx: &mut Tx, work: &Work, lease: Lease<'_>, now: Timestamp) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE jobs SET state = $3, about = {about}, cursor = {cursor}, total = $6, done = $7, changed = $8,
                         failed = $9, result_count = $10, undone = $11, left_alone = $12, error = $13,
                         leased_by = $14, leased_until = $15, started_at = coalesce(started_at, $16), moved_at = $16,
                         finished_at = $17, moves = moves + 1, tries = 0
         WHERE id = $1 AND moves = $2",
        about = dialect.json(4),
        cursor = dialect.json(5),
    );
    let job = &work.job;
    let goes_on = job.finished_at.is_none();
    let params = params![
        job.id,
        work.moves,
        job.state.as_str(),
        job.about,
        work.cursor.as_ref().map(Value::to_string),
        job.total,
        job.done,
        job.changed,
        job.failed,
        job.result_count,
        job.undone,
        job.left_alone,
        job.error,
        goes_on.then_some(lease.node),
        goes_on.then_some(lease.until),
        now,
        job.finished_at,
    ];
    expect_one(tx.execute(&sql, &params).await?)
}

/// Notes that a step was tried in vain: other jobs come before it now.
///
/// # Errors
/// Where the database fails.
pub async fn postpone(tx: &mut Tx, id: JobId, moves: i64, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE jobs SET tries = tries + 1, moved_at = $3, leased_by = NULL, leased_until = NULL
               WHERE id = $1 AND moves = $2 AND finished_at IS NULL";
    tx.execute(sql, &params![id, moves, now]).await.map(drop)
}

/// Ends a job that cannot go on, unless it moved meanwhile; tells whether it did end.
///
/// # Errors
/// Where the database fails.
pub async fn fail(tx: &mut Tx, id: JobId, moves: i64, error: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE jobs SET state = $3, error = $4, finished_at = $5, moved_at = $5, moves = moves + 1,
                               leased_by = NULL, leased_until = NULL
               WHERE id = $1 AND moves = $2 AND finished_at IS NULL";
    Ok(tx.execute(sql, &params![id, moves, State::Failed.as_str(), error, now]).await? == 1)
}

/// Lets other nodes take the jobs of one that stops.
///
/// # Errors
/// Where the database fails.
pub async fn release(tx: &mut Tx, node: &str) -> Result<(), Error> {
    let sql = "UPDATE jobs SET leased_by = NULL, leased_until = NULL WHERE finished_at IS NULL AND leased_by = $1";
    tx.execute(sql, &params![node]).await.map(drop)
}

/// One job of the workspace, which nobody else moves or stops until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: JobId) -> Result<Option<Work>, Error> {
    let sql = format!(
        "SELECT {} FROM jobs WHERE id = $1 AND workspace_id = $2 {}",
        whole(tx.dialect()),
        tx.dialect().for_update()
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_work).transpose()
}

/// Ends a job that is locked and goes on.
///
/// # Errors
/// [`Error::Contended`] where it does not go on.
pub async fn cancel(tx: &mut Tx, workspace: WorkspaceId, id: JobId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE jobs SET state = $3, finished_at = $4, moved_at = $4, moves = moves + 1, leased_by = NULL,
                               leased_until = NULL
               WHERE id = $1 AND workspace_id = $2 AND finished_at IS NULL";
    expect_one(tx.execute(sql, &params![id, workspace, State::Cancelled.as_str(), now]).await?)
}

/// Lets a job that is locked and ended begin to put back what it changed.
///
/// # Errors
/// [`Error::Contended`] where it goes on.
pub async fn begin_undo(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: JobId,
    by: &Asker,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE jobs SET state = $3, undone_by_kind = $4, undone_by_id = $5, undone_by_name = $6, cursor = NULL,
                               error = NULL, finished_at = NULL, moved_at = $7, moves = moves + 1, tries = 0
               WHERE id = $1 AND workspace_id = $2 AND finished_at IS NOT NULL";
    let params = params![id, workspace, State::Undoing.as_str(), by.kind, by.user, by.name, now];
    expect_one(tx.execute(sql, &params).await?)
}

/// A job of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: JobId) -> Result<Option<Job>, Error> {
    let sql = format!("SELECT {} FROM jobs WHERE id = $1 AND workspace_id = $2", shown(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Those of these jobs that are the workspace's.
///
/// # Errors
/// Where the database fails.
pub async fn find_some(reader: &Reader, workspace: WorkspaceId, ids: &[JobId]) -> Result<Vec<Job>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = reader.dialect();
    // By the primary key.
    let sql = format!("SELECT {} FROM jobs WHERE workspace_id = $2 AND id IN {}", shown(dialect), dialect.id_list(1));
    let [workspace] = params![workspace];
    reader.query(&sql, &[json_set(ids), workspace]).await?.iter().map(read).collect()
}

/// What a job of the workspace was asked to do, and where it stands.
///
/// # Errors
/// Where the database fails.
pub async fn find_work(reader: &Reader, workspace: WorkspaceId, id: JobId) -> Result<Option<Work>, Error> {
    let sql = format!("SELECT {} FROM jobs WHERE id = $1 AND workspace_id = $2", whole(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_work).transpose()
}

/// A page of the workspace's jobs, the latest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &JobFilter,
    (limit, offset): (i64, i64),
) -> Result<Page<Job>, Error> {
    let mut text = "workspace_id = $1".to_owned();
    let mut values: Vec<Param> = params![workspace].into();
    let state = filter.state.map(|state| ("state", state.as_str().to_owned()));
    let kind = filter.kind.clone().map(|kind| ("kind", kind));
    for (column, value) in [state, kind].into_iter().flatten() {
        values.push(value.param());
        text.push_str(&format!(" AND {column} = ${}", values.len()));
    }
    let count = format!("SELECT count(*) AS n FROM (SELECT 1 AS one FROM jobs WHERE {text} LIMIT {COUNT_CAP}) AS c");
    let total = reader.count(&count, &values).await?;
    values.extend(params![limit, offset]);
    // By `jobs_of_workspace`.
    let sql = format!(
        "SELECT {} FROM jobs WHERE {text} ORDER BY created_at DESC, id DESC LIMIT ${} OFFSET ${}",
        shown(reader.dialect()),
        values.len() - 1,
        values.len(),
    );
    let rows = reader.query(&sql, &values).await?.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page { rows, total, total_is_capped: total == COUNT_CAP })
}

/// Deletes what ended before `before`, with its results, some rows at a time, and tells how many those were.
///
/// # Errors
/// Where the database fails.
pub async fn delete_finished(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    // By `jobs_finished`.
    let sql = "SELECT id FROM jobs WHERE finished_at IS NOT NULL AND finished_at < $1 ORDER BY finished_at LIMIT $2";
    let rows = tx.query(sql, &params![before, JOBS_AT_ONCE]).await?;
    let ids: Vec<JobId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let list = tx.dialect().id_list(1);
    let [limit_param] = params![limit];
    let sql = format!(
        "DELETE FROM job_results WHERE (job_id, seq) IN
             (SELECT job_id, seq FROM job_results WHERE job_id IN {list} LIMIT $2)"
    );
    let results = tx.execute(&sql, &[json_set(&ids), limit_param]).await?;
    let are_more = i64::try_from(results).unwrap_or(i64::MAX) >= limit;
    if are_more {
        return Ok(results);
    }
    Ok(results + tx.execute(&format!("DELETE FROM jobs WHERE id IN {list}"), &[json_set(&ids)]).await?)
}

fn expect_one(changed: u64) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

fn read_work(row: &Row) -> Result<Work, Error> {
    Ok(Work {
        job: read(row)?,
        params: row.json("params")?,
        cursor: row.json_or_none("cursor_text")?,
        moves: row.get("moves")?,
        tries: row.get("tries")?,
    })
}

fn read(row: &Row) -> Result<Job, Error> {
    let state: String = row.get("state")?;
    let undone_by: Option<String> = row.get("undone_by_kind")?;
    let undone_by = undone_by
        .map(|kind| Ok::<_, Error>(Asker { kind, user: row.get("undone_by_id")?, name: row.get("undone_by_name")? }));
    Ok(Job {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        kind: row.get("kind")?,
        state: State::parse(&state).ok_or_else(|| Error::Column { column: "state".to_owned() })?,
        about: row.json("about")?,
        total: row.get("total")?,
        done: row.get("done")?,
        changed: row.get("changed")?,
        failed: row.get("failed")?,
        result_count: row.get("result_count")?,
        undone: row.get("undone")?,
        left_alone: row.get("left_alone")?,
        asked_by: Asker {
            kind: row.get("asked_by_kind")?,
            user: row.get("asked_by_id")?,
            name: row.get("asked_by_name")?,
        },
        undone_by: undone_by.transpose()?,
        error: row.get("error")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
    })
}
