//! Working on jobs: a step of the one that waited longest, and then the next, so that a long one keeps no short one
//! waiting.

use std::{error, time::Duration};

use leadline_store::{
    Error,
    jobs::{self as stored, State, Work},
};
use tokio::sync::watch;

use super::{Job, JobError, Turn, tell, turn::lease};
use crate::Engine;

/// How often it is looked whether there is a job to work on, beside being told.
const POLL: Duration = Duration::from_secs(1);

/// How long the store is left to others between two steps.
const PAUSE: Duration = Duration::from_millis(20);

/// How often a step is tried before its job is given up. Where the store is away, no try is counted.
const TRIES_MAX: i64 = 30;

/// Works on jobs until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match step(&engine).await {
            Ok(true) => tokio::time::sleep(PAUSE).await,
            Ok(false) => idle(&engine, &mut stop).await,
            Err(error) => {
                tracing::warn!(error = &error as &dyn error::Error, "a job cannot go on now");
                idle(&engine, &mut stop).await;
            }
        }
    }
    if let Err(error) = let_go(&engine).await {
        tracing::debug!(error = &error as &dyn error::Error, "jobs wait until their leases run out");
    }
}

async fn idle(engine: &Engine, stop: &mut watch::Receiver<bool>) {
    tokio::select! {
        () = engine.wake.jobs.notified() => {}
        () = tokio::time::sleep(POLL) => {}
        _ = stop.changed() => {}
    }
}

/// Does one step of the job that waited longest, and tells whether there may be more to do.
///
/// # Errors
/// Where the database fails; nothing of the step is done then.
pub async fn step(engine: &Engine) -> Result<bool, Error> {
    let now = engine.clock.now();
    let node = engine.node.to_string();
    // Asked without a transaction: mostly there is none, and on SQLite a transaction keeps submissions waiting.
    let due = stored::next_due(&engine.store.reader(), &engine.jobs.names(), lease(&node, now), now).await?;
    let Some(work) = due else { return Ok(false) };
    let Some(handler) = engine.jobs.find(&work.job.kind) else { return Ok(false) };
    let turn = Turn::new(work.clone());
    let stepped = match work.job.state {
        State::Undoing => handler.undo(engine, turn).await,
        State::Queued | State::Running | State::Done | State::Failed | State::Cancelled | State::Undone => {
            handler.work(engine, turn).await
        }
    };
    match stepped {
        Ok(_turned) => Ok(true),
        // Whoever has it now keeps it; there is nothing to hurry for.
        Err(JobError::Lost) => Ok(false),
        Err(JobError::GiveUp(why)) => give_up(engine, &work, &why).await,
        Err(JobError::Store(error)) => tried_in_vain(engine, &work, error, handler.must_end()).await,
    }
}

async fn tried_in_vain(engine: &Engine, work: &Work, error: Error, must_end: bool) -> Result<bool, Error> {
    let cannot_be_mended = error.is_about_the_data() || matches!(error, Error::Column { .. });
    if cannot_be_mended || (work.tries >= TRIES_MAX && !must_end) {
        tracing::error!(error = &error as &dyn error::Error, job.id = %work.job.id, "a job cannot go on");
        return give_up(engine, work, "the database refused what it would write; the server's log says why").await;
    }
    let mut tx = engine.store.begin().await?;
    stored::postpone(&mut tx, work.job.id, work.moves, engine.clock.now()).await?;
    tx.commit().await?;
    if matches!(error, Error::Contended) { Ok(true) } else { Err(error) }
}

async fn give_up(engine: &Engine, work: &Work, why: &str) -> Result<bool, Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    if stored::fail(&mut tx, work.job.id, work.moves, why, now).await? {
        tell(engine, &mut tx, &Job { state: State::Failed, finished_at: Some(now), ..work.job.clone() }).await?;
    }
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(true)
}

/// Leaves what this node was at to others.
async fn let_go(engine: &Engine) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    stored::release(&mut tx, &engine.node.to_string()).await?;
    tx.commit().await
}
