//! Long work that somebody asks for: it goes on by itself, can be watched, stopped and, by kind, put back.
//!
//! A feature makes jobs of a kind of its own ([`ask`]) and hands in what works on them ([`Handler`]); this module knows
//! no feature. A step is one transaction ([`Turn`]): the rows, their results, and where the next step goes on. Whatever
//! dies between two steps, the next node goes on from there. What works on jobs is [`runner`].

pub mod runner;
mod turn;

use std::{pin::Pin, sync::Arc};

use leadline_domain::{
    ids::{EventId, JobId, WorkspaceId},
    permissions::{Permission, Role},
    time::{DAY_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    events::{self, NewEvent},
    jobs::{self as stored, Asker, Work, results},
};
use serde_json::{Value, json};

pub use leadline_store::jobs::{
    Job, State,
    results::{NewResult, Outcome, Taken, Undoable},
};
pub use runner::step;
pub use turn::{Step, Turn, Turned};

use crate::{Actor, ActorKind, Engine, random_bytes};

/// How long finished jobs are kept, with what it takes to put them back.
pub const KEPT_MS: i64 = 30 * DAY_MS;

/// Jobs of one workspace that have not ended.
const OPEN_MAX: i64 = 20;

/// What works on the jobs of one kind.
///
/// A step reads what it needs, begins a transaction with [`Turn::begin`], writes, and ends with [`Turn::commit`]; a
/// step of putting back ends with [`Turn::commit_undo`]. It may be tried again at any time, so whatever it does before
/// it begins must be harmless twice.
pub trait Handler: Send + Sync {
    /// The kind, as it is stored and shown: `leads.bulk`.
    fn kind(&self) -> &'static str;

    /// What somebody needs to stop such a job, or to have it put back.
    fn permission(&self, job: &Job) -> Permission;

    /// Whether such a job can be put back.
    fn can_undo(&self, job: &Job) -> bool;

    /// Whether such a job must come to its end once it has begun: nobody stops it then, and it is tried for as long as
    /// the store fails.
    fn must_end(&self) -> bool {
        false
    }

    /// Does the next step.
    fn work<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a>;

    /// Puts the next rows back, the last first.
    fn undo<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a>;
}

/// A step that is being done.
pub type Stepping<'a> = Pin<Box<dyn Future<Output = Result<Turned, JobError>> + Send + 'a>>;

/// What works on jobs, of each kind.
#[derive(Clone, Default)]
pub struct Kinds(Arc<[Arc<dyn Handler>]>);

impl Kinds {
    /// These kinds.
    #[must_use]
    pub fn of(handlers: Vec<Arc<dyn Handler>>) -> Self {
        Self(handlers.into())
    }

    /// What works on jobs of this kind.
    #[must_use]
    pub fn find(&self, kind: &str) -> Option<&dyn Handler> {
        self.0.iter().find(|handler| handler.kind() == kind).map(|handler| &**handler)
    }

    fn names(&self) -> Vec<&'static str> {
        self.0.iter().map(|handler| handler.kind()).collect()
    }
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// Another node did the step, or somebody stopped the job. Nothing of it is kept.
    #[error("the job went on elsewhere")]
    Lost,
    /// The job can never go on. People read why.
    #[error("the job cannot go on: {0}")]
    GiveUp(String),
    /// The store failed; the step is tried again.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What somebody asks for.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The kind.
    pub kind: &'static str,
    /// What the kind's handler needs to know.
    pub params: Value,
    /// What screens say of it, to everybody who sees leads: nothing personal.
    pub about: Value,
    /// Rows to be looked at, as far as that is known.
    pub total: i64,
}

/// Why a job was not begun, stopped or put back.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The workspace has as many as it can that have not ended.
    #[error("too many jobs go on already")]
    TooMany,
    /// There is none of this id in the workspace.
    #[error("there is no such job")]
    NotFound,
    /// It has ended.
    #[error("the job has ended")]
    Ended,
    /// It has begun, and must come to its end.
    #[error("the job must come to its end")]
    MustEnd,
    /// It cannot be put back: it goes on, changed nothing, or is of a kind that cannot.
    #[error("the job cannot be put back")]
    NotUndoable,
    /// The role of whoever asks lacks this.
    #[error("the permission {0} is lacking")]
    Forbidden(Permission),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Adds a job, which begins by itself once `tx` is committed. Whoever commits wakes [`crate::Wake::jobs`] and the
/// dispatcher ([`wake`]).
///
/// # Errors
/// [`AskError::TooMany`] where the workspace has too many that have not ended.
pub async fn ask(engine: &Engine, tx: &mut Tx, actor: &Actor, new: NewJob) -> Result<Job, AskError> {
    if stored::count_open(tx, actor.workspace, None).await? >= OPEN_MAX {
        return Err(AskError::TooMany);
    }
    let work = queued(engine, actor, new);
    stored::insert(tx, &work).await?;
    tell(engine, tx, &work.job).await?;
    Ok(work.job)
}

/// Adds a job that was done on the spot, in the transaction that did it, so that it is listed and can be put back.
///
/// # Errors
/// Where the database fails.
pub async fn record(engine: &Engine, tx: &mut Tx, actor: &Actor, new: NewJob, step: &Step) -> Result<Job, Error> {
    let now = engine.clock.now();
    let queued = queued(engine, actor, new);
    let work = Work {
        job: Job {
            state: State::Done,
            done: step.looked_at,
            changed: step.changed,
            failed: step.failed,
            result_count: count(step.results.len()),
            started_at: Some(now),
            finished_at: Some(now),
            ..queued.job.clone()
        },
        ..queued
    };
    stored::insert(tx, &work).await?;
    results::insert(tx, (actor.workspace, work.job.id), 0, &step.results).await?;
    tell(engine, tx, &work.job).await?;
    Ok(work.job)
}

fn queued(engine: &Engine, actor: &Actor, new: NewJob) -> Work {
    let now = engine.clock.now();
    let job = Job {
        id: JobId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        kind: new.kind.to_owned(),
        state: State::Queued,
        about: new.about,
        total: new.total,
        done: 0,
        changed: 0,
        failed: 0,
        result_count: 0,
        undone: 0,
        left_alone: 0,
        asked_by: asker(actor),
        undone_by: None,
        error: None,
        created_at: now,
        started_at: None,
        finished_at: None,
    };
    Work { job, params: new.params, cursor: None, moves: 0, tries: 0 }
}

fn asker(actor: &Actor) -> Asker {
    Asker { kind: actor.kind.as_str().to_owned(), user: actor.user, name: actor.name.clone() }
}

/// Lets what was asked for begin, and screens hear of it.
pub fn wake(engine: &Engine) {
    engine.wake.events.notify_one();
    engine.wake.jobs.notify_one();
}

/// Stops a job that goes on. What it changed stays, or can be put back.
///
/// # Errors
/// Where it is not there or has ended, must come to its end, or the actor may not.
pub async fn cancel(engine: &Engine, actor: &Actor, id: JobId) -> Result<(), AskError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let work = locked(engine, &mut tx, actor, id).await?;
    if work.job.finished_at.is_some() {
        return Err(AskError::Ended);
    }
    if !can_stop(engine, &work.job) {
        return Err(AskError::MustEnd);
    }
    stored::cancel(&mut tx, actor.workspace, id, now).await?;
    tell(engine, &mut tx, &Job { state: State::Cancelled, finished_at: Some(now), ..work.job }).await?;
    tx.commit().await?;
    wake(engine);
    Ok(())
}

/// Has what a job changed put back, as far as nobody changed it since.
///
/// # Errors
/// Where it is not there or cannot be put back, or the actor may not.
pub async fn undo(engine: &Engine, actor: &Actor, id: JobId) -> Result<(), AskError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let work = locked(engine, &mut tx, actor, id).await?;
    if !can_undo(engine, &work.job) {
        return Err(AskError::NotUndoable);
    }
    if stored::count_open(&mut tx, actor.workspace, None).await? >= OPEN_MAX {
        return Err(AskError::TooMany);
    }
    stored::begin_undo(&mut tx, actor.workspace, id, &asker(actor), now).await?;
    tell(engine, &mut tx, &Job { state: State::Undoing, finished_at: None, ..work.job }).await?;
    tx.commit().await?;
    wake(engine);
    Ok(())
}

/// Whether there is something that a job changed and that can be put back.
#[must_use]
pub fn can_undo(engine: &Engine, job: &Job) -> bool {
    let has_ended = match job.state {
        State::Done | State::Failed | State::Cancelled => true,
        State::Queued | State::Running | State::Undoing | State::Undone => false,
    };
    let is_left = job.changed > job.undone + job.left_alone;
    has_ended && is_left && engine.jobs.find(&job.kind).is_some_and(|handler| handler.can_undo(job))
}

/// Whether a job goes on that can be stopped.
#[must_use]
pub fn can_stop(engine: &Engine, job: &Job) -> bool {
    let has_begun = job.state != State::Queued;
    let must_end = engine.jobs.find(&job.kind).is_some_and(|handler| handler.must_end());
    job.finished_at.is_none() && !(has_begun && must_end)
}

/// What somebody needs to stop a job, or to have it put back.
#[must_use]
pub fn permission(engine: &Engine, job: &Job) -> Permission {
    engine.jobs.find(&job.kind).map_or(Permission::LeadsManage, |handler| handler.permission(job))
}

async fn locked(engine: &Engine, tx: &mut Tx, actor: &Actor, id: JobId) -> Result<Work, AskError> {
    let work = stored::lock(tx, actor.workspace, id).await?.ok_or(AskError::NotFound)?;
    let needed = permission(engine, &work.job);
    if actor.role.may(needed) { Ok(work) } else { Err(AskError::Forbidden(needed)) }
}

/// Deletes jobs that ended long ago.
///
/// # Errors
/// Where the database fails; what was deleted before that stays deleted.
pub(crate) async fn retain(engine: &Engine, now: Timestamp, at_once: i64) -> Result<(), Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let deleted = stored::delete_finished(&mut tx, now.plus_ms(-KEPT_MS), at_once).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}

/// Who does what a job does: whoever asked for it, or for having it put back. They were allowed to when they asked, and
/// are not asked again.
fn actor_of(job: &Job) -> Actor {
    let undoes = job.undone_by.as_ref().filter(|_| job.state == State::Undoing);
    let who = undoes.unwrap_or(&job.asked_by);
    let kind = match who.kind.as_str() {
        "user" => ActorKind::User,
        "token" => ActorKind::Token,
        _ => ActorKind::System,
    };
    Actor {
        workspace: job.workspace_id,
        kind,
        user: who.user,
        credential: None,
        name: who.name.clone(),
        role: Role::Viewer.into(),
        ip: None,
    }
}

/// Tells open screens how far a job is.
async fn tell(engine: &Engine, tx: &mut Tx, job: &Job) -> Result<(), Error> {
    let data = json!({
        "jobId": job.id, "jobKind": job.kind, "state": job.state.as_str(), "total": job.total, "done": job.done,
        "changed": job.changed, "failed": job.failed, "undone": job.undone, "left": job.left_alone,
    });
    events::append(tx, &[moved(engine, job.workspace_id, data)]).await
}

fn moved(engine: &Engine, workspace: WorkspaceId, data: Value) -> NewEvent {
    let now = engine.clock.now();
    NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: workspace,
        kind: "job.moved".to_owned(),
        lead_id: None,
        submission_id: None,
        data,
        created_at: now.0,
        dispatched: false,
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
