//! One step of a job, which is one transaction.

use leadline_domain::time::Timestamp;
use leadline_store::{
    Error, Tx,
    jobs::{self as stored, Lease, Work, results},
    statistics,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::{Job, JobError, NewResult, State, Taken, Undoable, actor_of, count, tell};
use crate::{Actor, Engine};

/// A job that has done no more than this changes nothing for the planner.
const LITTLE: i64 = 1_000;

/// How long the other nodes leave a job alone after a step. What a node was at that died goes on elsewhere after that.
pub const LEASE_MS: i64 = 10_000;

/// The right to do the next step of a job. Nobody else commits the same one.
#[derive(Debug)]
pub struct Turn {
    work: Work,
    actor: Actor,
}

/// A step that was done.
#[derive(Debug)]
pub struct Turned(());

/// What a step did.
#[derive(Debug, Clone, Default)]
pub struct Step {
    /// Where the next one goes on.
    pub cursor: Option<Value>,
    /// Rows that were looked at.
    pub looked_at: i64,
    /// Rows that are others now.
    pub changed: i64,
    /// Rows with which it could not be done.
    pub failed: i64,
    /// Rows in all, where that is known better now.
    pub total: Option<i64>,
    /// What screens say of the job, where that is something else now.
    pub about: Option<Value>,
    /// What became of each row, where that is kept.
    pub results: Vec<NewResult>,
    /// Whether nothing is left to do.
    pub is_last: bool,
}

impl Turn {
    pub(super) fn new(work: Work) -> Self {
        let actor = actor_of(&work.job);
        Self { work, actor }
    }

    /// The job, as it was before the step.
    #[must_use]
    pub fn job(&self) -> &Job {
        &self.work.job
    }

    /// Who does what it does: whoever asked for it, or for having it put back.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What was asked for.
    ///
    /// # Errors
    /// Gives up where that cannot be read.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        serde_json::from_value(self.work.params.clone()).map_err(|_| unreadable("what was asked for"))
    }

    /// Where the step goes on; nothing, where it is the first.
    ///
    /// # Errors
    /// Gives up where that cannot be read.
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, JobError> {
        let cursor = self.work.cursor.clone();
        cursor.map(serde_json::from_value).transpose().map_err(|_| unreadable("where it stands"))
    }

    /// Begins the transaction of the step. Nobody stops the job until it ends.
    ///
    /// # Errors
    /// [`JobError::Lost`] where another node did the step, or somebody stopped the job.
    pub async fn begin(&self, engine: &Engine) -> Result<Tx, JobError> {
        let mut tx = engine.store.begin().await?;
        if stored::hold(&mut tx, self.work.job.id, self.work.moves).await? {
            return Ok(tx);
        }
        tx.rollback().await?;
        Err(JobError::Lost)
    }

    /// Notes what the step did, and commits.
    ///
    /// # Errors
    /// Where the database fails; then nothing of the step is kept, or all of it.
    pub async fn commit(self, engine: &Engine, mut tx: Tx, step: Step) -> Result<Turned, JobError> {
        let now = engine.clock.now();
        let job = &self.work.job;
        results::insert(&mut tx, (job.workspace_id, job.id), job.result_count, &step.results).await?;
        let done = job.done + step.looked_at;
        let moved = Work {
            job: Job {
                state: if step.is_last { State::Done } else { State::Running },
                about: step.about.unwrap_or_else(|| job.about.clone()),
                // What was counted before is an estimate; what was done is not.
                total: if step.is_last { done } else { step.total.unwrap_or(job.total).max(done) },
                done,
                changed: job.changed + step.changed,
                failed: job.failed + step.failed,
                result_count: job.result_count + count(step.results.len()),
                finished_at: step.is_last.then_some(now),
                ..job.clone()
            },
            cursor: step.cursor.or_else(|| self.work.cursor.clone()),
            ..self.work.clone()
        };
        self.moved(engine, tx, &moved, now).await
    }

    /// The next rows to be put back, the last that were changed first.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn to_undo(&self, engine: &Engine, limit: i64) -> Result<Vec<Undoable>, JobError> {
        let before = self.cursor::<Value>()?.and_then(|cursor| cursor["before"].as_i64());
        let job = (self.work.job.workspace_id, self.work.job.id);
        Ok(results::list_undoable(&engine.store.reader(), job, before, limit).await?)
    }

    /// Notes what became of the rows that [`Turn::to_undo`] gave, and commits.
    ///
    /// # Errors
    /// Where the database fails; then nothing of the step is kept, or all of it.
    pub async fn commit_undo(
        self,
        engine: &Engine,
        mut tx: Tx,
        taken: &[Taken],
        is_last: bool,
    ) -> Result<Turned, JobError> {
        let now = engine.clock.now();
        let job = &self.work.job;
        results::mark(&mut tx, (job.workspace_id, job.id), taken).await?;
        let left = taken.iter().filter(|row| row.left.is_some()).count();
        let before = taken.iter().map(|row| row.seq).min();
        let moved = Work {
            job: Job {
                state: if is_last { State::Undone } else { State::Undoing },
                undone: job.undone + count(taken.len() - left),
                left_alone: job.left_alone + count(left),
                finished_at: is_last.then_some(now),
                ..job.clone()
            },
            cursor: before.map(|before| json!({"before": before})).or_else(|| self.work.cursor.clone()),
            ..self.work.clone()
        };
        self.moved(engine, tx, &moved, now).await
    }

    async fn moved(&self, engine: &Engine, mut tx: Tx, work: &Work, now: Timestamp) -> Result<Turned, JobError> {
        let node = engine.node.to_string();
        let advanced = stored::advance(&mut tx, work, lease(&node, now), now).await;
        match advanced {
            Ok(()) => {}
            Err(Error::Contended) => return Err(JobError::Lost),
            Err(error) => return Err(error.into()),
        }
        tell(engine, &mut tx, &work.job).await?;
        tx.commit().await?;
        engine.wake.events.notify_one();
        if has_grown(&self.work.job, &work.job)
            && let Err(error) = statistics::refresh(&engine.store).await
        {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "the planner looks at the tables later, by itself"
            );
        }
        Ok(Turned(()))
    }
}

/// Whether a job has come so far since the step before that the tables are others than the planner thinks: it has done
/// twice as much as when it was asked last, or is at its end.
fn has_grown(before: &Job, after: &Job) -> bool {
    let steps = |job: &Job| job.done.max(LITTLE).ilog2();
    after.done > LITTLE
        && (steps(before) != steps(after) || (after.state == State::Done && before.state != State::Done))
}

pub(super) fn lease(node: &str, now: Timestamp) -> Lease<'_> {
    Lease { node, until: now.plus_ms(LEASE_MS) }
}

fn unreadable(what: &str) -> JobError {
    JobError::GiveUp(format!("{what} cannot be read by this version"))
}
