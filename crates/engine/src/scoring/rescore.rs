//! Scoring all leads of a workspace again, some at a time.
//!
//! A batch is one transaction: the leads, their events and how far the job is. While it runs the job's row is held, so
//! no other node does the same leads; what dies with its node is taken back by the database, and the next one goes on
//! from where the last commit left it. Deleted leads are left alone.

use std::time::Duration;

use leadline_domain::{
    ids::{RescoreId, WorkspaceId},
    scores::{Scoring, history::Cause},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    events::{self, NewEvent},
    scoring::{
        jobs::{self, Job, State},
        leads::{self, Facts, Scores},
    },
};
use serde_json::json;
use tokio::sync::watch;

use super::{ScoringError, scored, tell, versions};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes, retention,
};

/// Leads in one transaction.
pub const AT_ONCE: i64 = 200;

/// How often it is looked whether there is a re-score to work on.
const POLL: Duration = Duration::from_secs(1);

/// How long the store is left to others between two batches.
const PAUSE: Duration = Duration::from_millis(20);

/// Begins to score all leads of the actor's workspace again.
///
/// # Errors
/// [`ScoringError::UnderWay`] where one goes on already.
pub async fn start(engine: &Engine, actor: &Actor) -> Result<Job, ScoringError> {
    let now = engine.clock.now();
    // Silence is measured by the time that is believed, as everything is that follows from a clock alone.
    let as_of = retention::memory(&engine.store).await?.believed_at.map_or(now, |believed| believed.min(now));
    let mut tx = engine.store.begin().await?;
    let begun = queue(engine, &mut tx, actor.workspace, Cause::Rescore, &actor.name, as_of).await?;
    let job = begun.ok_or(ScoringError::UnderWay)?;
    audit::record(&mut tx, now, actor, Deed::new("scoring.rescore_started", job.id, "")).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(job)
}

/// Queues a re-score, unless one goes on.
pub(super) async fn queue(
    engine: &Engine,
    tx: &mut Tx,
    workspace: WorkspaceId,
    cause: Cause,
    by: &str,
    as_of: Timestamp,
) -> Result<Option<Job>, Error> {
    let now = engine.clock.now();
    let job = Job {
        id: RescoreId::new(now, random_bytes()),
        workspace_id: workspace,
        cause: cause.as_str().to_owned(),
        state: State::Queued,
        version: versions::current(tx, workspace).await?.version,
        as_of,
        total: leads::count(tx, workspace).await?,
        done: 0,
        changed: 0,
        cursor: None,
        started_by: by.to_owned(),
        started_at: now,
        finished_at: None,
    };
    if !jobs::insert(tx, &job).await? {
        return Ok(None);
    }
    tell(engine, tx, workspace).await?;
    Ok(Some(job))
}

/// Ends the re-score of the actor's workspace. What was scored stays.
///
/// # Errors
/// [`ScoringError::NotFound`] where none goes on.
pub async fn cancel(engine: &Engine, actor: &Actor) -> Result<(), ScoringError> {
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    if !jobs::cancel(&mut tx, actor.workspace, now).await? {
        return Err(ScoringError::NotFound);
    }
    audit::record(&mut tx, now, actor, Deed::on_workspace("scoring.rescore_cancelled")).await?;
    tell(engine, &mut tx, actor.workspace).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

/// Works on re-scores until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let wait = match step(&engine, AT_ONCE).await {
            Ok(true) => PAUSE,
            Ok(false) => POLL,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "leads cannot be scored again now");
                POLL
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Scores the next `at_once` leads of the re-score that waited longest, and tells whether there was one.
///
/// # Errors
/// Where the database fails; nothing of the batch is done then.
pub async fn step(engine: &Engine, at_once: i64) -> Result<bool, Error> {
    // Asked without a transaction first: mostly there is none, and on SQLite a transaction keeps submissions waiting.
    if !jobs::is_any_open(&engine.store.reader()).await? {
        return Ok(false);
    }
    let mut tx = engine.store.begin().await?;
    let Some(job) = jobs::claim(&mut tx).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    match batch(engine, &mut tx, &job, at_once).await {
        Ok(()) => tx.commit().await?,
        Err(error) if cannot_be_mended(&error) => {
            tx.rollback().await?;
            tracing::error!(error = &error as &dyn std::error::Error, job.id = %job.id, "a re-score cannot go on");
            give_up(engine, job).await?;
        }
        Err(error) => return Err(error),
    }
    engine.wake.events.notify_one();
    Ok(true)
}

async fn batch(engine: &Engine, tx: &mut Tx, job: &Job, at_once: i64) -> Result<(), Error> {
    let scoring = versions::current(tx, job.workspace_id).await?;
    let found = leads::lock_after(tx, job.workspace_id, job.cursor, at_once).await?;
    let again: Vec<Again> = found.iter().map(|lead| Again::of(lead, &scoring, job.as_of)).collect();
    let rows: Vec<Scores> = again.iter().filter(|one| one.differs()).map(|one| one.now.clone()).collect();
    leads::update(tx, job.workspace_id, &rows).await?;
    let told: Vec<NewEvent> = again.iter().filter(|one| one.changed()).map(|one| event(engine, job, one)).collect();
    events::append(tx, &told).await?;
    let moved = moved(job, &found, told.len(), at_once, engine.clock.now());
    jobs::advance(tx, &moved, engine.clock.now()).await?;
    tell(engine, tx, job.workspace_id).await
}

/// A lead whose scores are made again.
struct Again<'a> {
    lead: &'a Facts,
    now: Scores,
}

impl<'a> Again<'a> {
    fn of(lead: &'a Facts, scoring: &Scoring, as_of: Timestamp) -> Self {
        Self { lead, now: scored(lead, scoring, as_of) }
    }

    /// Whether its row is to be written.
    fn differs(&self) -> bool {
        self.now != self.lead.scores
    }

    /// Whether anybody would see a difference: the parts of an engagement were not always stored.
    fn changed(&self) -> bool {
        let before = Scores {
            score_version: self.now.score_version,
            engagement_reasons: self.now.engagement_reasons.clone(),
            ..self.lead.scores.clone()
        };
        self.now != before
    }
}

fn event(engine: &Engine, job: &Job, again: &Again<'_>) -> NewEvent {
    let Again { lead, now } = again;
    let data = json!({
        "stageId": lead.stage_id, "pipelineId": lead.pipeline_id, "cause": job.cause,
        "from": lead.scores.score, "to": now.score,
    });
    engine.event(job.workspace_id, lead.id, "lead.scored", data)
}

/// The job after this batch. A batch that is not full is the last.
fn moved(job: &Job, found: &[Facts], changed: usize, at_once: i64, now: Timestamp) -> Job {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let is_last = number(found.len()) < at_once;
    Job {
        state: if is_last { State::Done } else { State::Running },
        done: job.done + number(found.len()),
        changed: job.changed + number(changed),
        cursor: found.last().map(|lead| (lead.created_at, lead.id)).or(job.cursor),
        finished_at: is_last.then_some(now),
        ..job.clone()
    }
}

/// What a lead's row holds cannot be read or written, and will not be in a second either.
fn cannot_be_mended(error: &Error) -> bool {
    error.is_about_the_data() || matches!(error, Error::Column { .. })
}

async fn give_up(engine: &Engine, job: Job) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let workspace = job.workspace_id;
    jobs::advance(&mut tx, &Job { state: State::Failed, finished_at: Some(now), ..job }, now).await?;
    tell(engine, &mut tx, workspace).await?;
    tx.commit().await
}
