//! Sending many deliveries again: those that somebody ticked, or all that match a filter.
//!
//! A batch is one transaction: the deliveries, the books, and how far the job is. While it runs the job's row is held,
//! so no other node does the same deliveries; what dies with its node is taken back by the database, and the next one
//! goes on from where the last commit left it.

use std::time::Duration;

use leadline_domain::{
    ids::{DeliveryId, EventId, ReplayId, WorkspaceId},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    deliveries::{
        self, Filter, State,
        replays::{self, Chosen, Job, Progress},
    },
    events::{self, NewEvent},
};
use serde_json::json;
use tokio::sync::watch;

use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// Deliveries in one transaction, and the most that can be named one by one.
pub const AT_ONCE: i64 = 500;

/// How often it is looked whether there is a replay to work on.
const POLL: Duration = Duration::from_secs(1);

/// How long the store is left to others between two batches.
const PAUSE: Duration = Duration::from_millis(20);

/// The total is counted up to here. Jobs go on beyond it.
const COUNT_CAP: i64 = 1_000_000;

/// Why a replay is not begun or ended.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// One goes on already.
    #[error("a replay goes on already")]
    UnderWay,
    /// There is none of this id that goes on.
    #[error("no such replay")]
    NotFound,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] Error),
}

/// Begins to send these deliveries again. A filter that names no state means dead letters.
///
/// # Errors
/// [`ReplayError::UnderWay`] where one goes on already.
pub async fn start(engine: &Engine, actor: &Actor, chosen: Chosen) -> Result<Job, ReplayError> {
    let chosen = settled(chosen);
    let total = match &chosen {
        Chosen::Ids(ids) => number(ids.len()),
        Chosen::Filter(filter) => {
            deliveries::count_matching(&engine.store.reader(), actor.workspace, filter, COUNT_CAP).await?
        }
    };
    let now = engine.clock.now();
    let job = Job {
        id: ReplayId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        state: Progress::Queued,
        chosen,
        as_of: now,
        total,
        done: 0,
        replayed: 0,
        cursor: None,
        started_by: actor.name.clone(),
        started_at: now,
        finished_at: None,
    };
    let mut tx = engine.store.begin().await?;
    if !replays::insert(&mut tx, &job).await? {
        return Err(ReplayError::UnderWay);
    }
    let deed = Deed::new("replay.started", job.id, "").with(json!({ "deliveries": job.total }));
    audit::record(&mut tx, now, actor, deed).await?;
    tell(engine, &mut tx, actor.workspace).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(job)
}

fn settled(chosen: Chosen) -> Chosen {
    match chosen {
        Chosen::Ids(mut ids) => {
            ids.sort_unstable();
            ids.dedup();
            Chosen::Ids(ids)
        }
        Chosen::Filter(filter) => Chosen::Filter(Filter { state: Some(filter.state.unwrap_or(State::Dead)), ..filter }),
    }
}

/// Ends a replay of the actor's workspace. What was put back into the queue stays there.
///
/// # Errors
/// [`ReplayError::NotFound`] where it does not go on.
pub async fn cancel(engine: &Engine, actor: &Actor, id: ReplayId) -> Result<(), ReplayError> {
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    if !replays::cancel(&mut tx, actor.workspace, id, now).await? {
        return Err(ReplayError::NotFound);
    }
    audit::record(&mut tx, now, actor, Deed::new("replay.cancelled", id, "")).await?;
    tell(engine, &mut tx, actor.workspace).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

/// Works on replays until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let wait = match step(&engine, AT_ONCE).await {
            Ok(true) => PAUSE,
            Ok(false) => POLL,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "deliveries cannot be sent again now");
                POLL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Puts the next `at_once` deliveries of the replay that waited longest back into the queue, and tells whether there
/// was one.
///
/// # Errors
/// Where the database fails; nothing of the batch is done then.
pub async fn step(engine: &Engine, at_once: i64) -> Result<bool, Error> {
    // Asked without a transaction first: mostly there is none, and on SQLite a transaction keeps submissions waiting.
    if !replays::is_any_open(&engine.store.reader()).await? {
        return Ok(false);
    }
    let mut tx = engine.store.begin().await?;
    let Some(job) = replays::claim(&mut tx).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    match batch(engine, &mut tx, &job, at_once).await {
        Ok(()) => tx.commit().await?,
        Err(error) if cannot_be_mended(&error) => {
            tx.rollback().await?;
            tracing::error!(error = &error as &dyn std::error::Error, job.id = %job.id, "a replay cannot go on");
            give_up(engine, job).await?;
        }
        Err(error) => return Err(error),
    }
    engine.wake.events.notify_one();
    engine.wake.deliveries.notify_one();
    Ok(true)
}

async fn batch(engine: &Engine, tx: &mut Tx, job: &Job, at_once: i64) -> Result<(), Error> {
    let now = engine.clock.now();
    let found = replays::pick(tx, job, at_once).await?;
    let ids: Vec<DeliveryId> = found.iter().map(|(_, id)| *id).collect();
    let replayed = deliveries::replay_set(tx, job.workspace_id, &ids, &replays::states(&job.chosen), now).await?;
    replays::advance(tx, &moved(job, &found, replayed.len(), at_once, now), now).await?;
    tell(engine, tx, job.workspace_id).await
}

/// The job after this batch. Those that were named are one batch; of those that match, one that is not full is the
/// last.
fn moved(job: &Job, found: &[(Timestamp, DeliveryId)], replayed: usize, at_once: i64, now: Timestamp) -> Job {
    let (is_last, looked_at) = match &job.chosen {
        Chosen::Ids(ids) => (true, ids.len()),
        Chosen::Filter(_) => (number(found.len()) < at_once, found.len()),
    };
    Job {
        state: if is_last { Progress::Done } else { Progress::Running },
        done: job.done + number(looked_at),
        replayed: job.replayed + number(replayed),
        cursor: found.last().copied().or(job.cursor),
        finished_at: is_last.then_some(now),
        ..job.clone()
    }
}

fn number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// What a row holds cannot be read or written, and will not be in a second either.
fn cannot_be_mended(error: &Error) -> bool {
    error.is_about_the_data() || matches!(error, Error::Column { .. })
}

async fn give_up(engine: &Engine, job: Job) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let workspace = job.workspace_id;
    replays::advance(&mut tx, &Job { state: Progress::Failed, finished_at: Some(now), ..job }, now).await?;
    tell(engine, &mut tx, workspace).await?;
    tx.commit().await
}

/// Tells open screens that a replay moved on.
async fn tell(engine: &Engine, tx: &mut Tx, workspace: WorkspaceId) -> Result<(), Error> {
    let now = engine.clock.now();
    let moved = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: workspace,
        kind: "replay.moved".to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[moved]).await
}
