//! Carries analyses out: leases what waits, analyses it, records what came of it.
//!
//! Estimates are made by the batch. Endpoints are asked with no transaction open and by a few at a time; one that fails
//! several times in a row is left alone for a while, so that its workspace's backlog does not hold up the others'. A
//! process that dies leaves leases, which end; whoever is next does the job again, and only one result counts.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use leadline_domain::{
    analysis::Wanted,
    ids::{EventId, SubmissionId, WorkspaceId},
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error,
    analyses::{self, Finished, Job, Lane, Settings},
    events::{self, NewEvent},
};
use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinSet, time::Instant};

use super::{
    endpoint::{Endpoint, Failure},
    outcome::{carry_out_here, of_answer, wanted},
    settings::defaults,
};
use crate::{Engine, random_bytes};

/// Estimates in one transaction.
const BATCH: usize = 128;

/// Endpoints asked at the same time, by one node.
const IN_FLIGHT: usize = 4;

/// How long a job is ours: longer than any endpoint may take.
const LEASE_MS: i64 = 3 * MINUTE_MS;

/// Failures in a row after which an endpoint is left alone.
const FAILURES: u32 = 3;

/// For how long.
const REST_MS: i64 = MINUTE_MS;

/// Polling alone must be correct; wake-ups only make it quick.
const POLL: Duration = Duration::from_secs(1);

/// Results of messages that come at the same time are recorded together, as submissions are written.
const GATHER: Duration = Duration::from_millis(50);

/// How long a batch lets submissions go first.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait after the store refused.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Analyses until `stop` says otherwise, and gives back what was begun then.
pub async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut asking = Asking::new();
    while !*stop.borrow() {
        give_way(&engine, &stop).await;
        match round(&engine, &mut asking).await {
            Ok(BATCH..) => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "analyses wait for the store");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        tokio::select! {
            () = engine.wake.analyses.notified() => tokio::time::sleep(GATHER).await,
            Some(done) = asking.tasks.join_next() => asking.ended(done),
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
    asking.give_back(&engine).await;
}

/// Lets submissions go first while they crowd: an analysis can wait, whoever sends a form does not. Not for ever, so that
/// a long rush does not leave everything for after it.
async fn give_way(engine: &Engine, stop: &watch::Receiver<bool>) {
    let until = Instant::now() + PATIENCE;
    while engine.door.is_crowded() && Instant::now() < until && !*stop.borrow() {
        tokio::time::sleep(GATHER).await;
    }
}

/// Analyses everything that waits, and tells how many messages that were: for tests, which say themselves when.
///
/// # Errors
/// Where the store fails.
pub async fn analyse_due(engine: &Engine) -> Result<usize, Error> {
    let mut asking = Asking::new();
    let mut analysed = 0;
    loop {
        let estimated = round(engine, &mut asking).await?;
        let asked = asking.tasks.len();
        while let Some(done) = asking.tasks.join_next().await {
            asking.ended(done);
        }
        if estimated + asked == 0 {
            return Ok(analysed);
        }
        analysed += estimated + asked;
    }
}

/// Makes a batch of estimates, and asks endpoints as far as there is room. Gives how many estimates.
async fn round(engine: &Engine, asking: &mut Asking) -> Result<usize, Error> {
    let room = IN_FLIGHT.saturating_sub(asking.tasks.len());
    for assignment in lease(engine, Lane::Endpoint, room).await? {
        asking.begin(engine, assignment);
    }
    let assignments = lease(engine, Lane::Offline, BATCH).await?;
    if assignments.is_empty() {
        return Ok(0);
    }
    let now = engine.clock.now();
    let estimating = tokio::task::spawn_blocking(move || {
        assignments.iter().map(|assignment| assignment.estimated(None, now)).collect::<Vec<_>>()
    });
    match estimating.await {
        Ok(finished) => {
            record(engine, &finished).await?;
            Ok(finished.len())
        }
        Err(error) => {
            // The lease ends by itself, and they are tried again.
            tracing::error!(%error, "estimating ended without a result");
            Ok(0)
        }
    }
}

/// A job with what its workspace wants.
struct Assignment {
    job: Job,
    settings: Arc<Settings>,
    wanted: Arc<Wanted>,
}

async fn lease(engine: &Engine, lane: Lane, most: usize) -> Result<Vec<Assignment>, Error> {
    let now = engine.clock.now();
    // Asked without a transaction first: mostly there is nothing, and on SQLite a transaction keeps submissions waiting.
    if most == 0 || !analyses::is_due(&engine.store.reader(), lane, now).await? {
        return Ok(Vec::new());
    }
    let mut tx = engine.store.begin().await?;
    let jobs = analyses::lease(&mut tx, lane, most, now, now.plus_ms(LEASE_MS)).await?;
    let workspaces: BTreeSet<WorkspaceId> = jobs.iter().map(|job| job.workspace_id).collect();
    let settings = analyses::settings_of(&mut tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
    tx.commit().await?;
    let known: HashMap<WorkspaceId, (Arc<Settings>, Arc<Wanted>)> = settings
        .into_iter()
        .map(|(workspace, settings)| (workspace, (Arc::new(settings.clone()), Arc::new(wanted(&settings)))))
        .collect();
    let plain = (Arc::new(defaults()), Arc::<Wanted>::default());
    let assign = |job: Job| {
        let (settings, wanted) = known.get(&job.workspace_id).unwrap_or(&plain).clone();
        Assignment { job, settings, wanted }
    };
    Ok(jobs.into_iter().map(assign).collect())
}

impl Assignment {
    fn estimated(&self, failure: Option<&Failure>, now: Timestamp) -> Finished {
        let result = || carry_out_here(&self.job.message, &self.wanted, failure, now);
        self.finished(self.settings.is_enabled.then(result))
    }

    fn finished(&self, result: Option<Value>) -> Finished {
        Finished {
            submission_id: self.job.submission_id,
            workspace_id: self.job.workspace_id,
            lead_id: self.job.lead_id,
            attempt_count: self.job.attempt_count,
            state: if result.is_some() { "done" } else { "skipped" },
            result,
        }
    }

    /// Asks the endpoint, and estimates where that gives nothing.
    async fn asked(&self, engine: &Engine, rests: &Rests) -> Finished {
        let now = engine.clock.now();
        if !self.settings.is_enabled || !self.settings.endpoint_enabled {
            return self.estimated(None, now);
        }
        let asked = match rests.is_resting(self.job.workspace_id, now) {
            true => Err(Failure::Resting),
            false => self.ask(engine, rests).await,
        };
        match asked {
            Ok(result) => self.finished(Some(result)),
            Err(failure) => {
                metrics::counter!("leadline_analysis_fallbacks_total", "reason" => failure.code()).increment(1);
                self.estimated(Some(&failure), engine.clock.now())
            }
        }
    }

    async fn ask(&self, engine: &Engine, rests: &Rests) -> Result<Value, Failure> {
        let endpoint = Endpoint::open(&self.settings, &engine.keys)?;
        let answer = endpoint.ask(&engine.client, &self.job, &self.wanted).await;
        let now = engine.clock.now();
        rests.note(self.job.workspace_id, answer.is_ok(), now);
        Ok(of_answer(&self.job.message, &self.wanted, answer?, &endpoint.model, endpoint.redacts, now))
    }
}

/// The endpoints that are being asked.
struct Asking {
    tasks: JoinSet<SubmissionId>,
    begun: BTreeSet<SubmissionId>,
    rests: Arc<Rests>,
}

impl Asking {
    fn new() -> Self {
        Self { tasks: JoinSet::new(), begun: BTreeSet::new(), rests: Arc::default() }
    }

    fn begin(&mut self, engine: &Engine, assignment: Assignment) {
        let submission = assignment.job.submission_id;
        self.begun.insert(submission);
        let (engine, rests) = (engine.clone(), Arc::clone(&self.rests));
        self.tasks.spawn(async move {
            let finished = assignment.asked(&engine, &rests).await;
            if let Err(error) = record(&engine, &[finished]).await {
                // The lease ends by itself, and the endpoint is asked again.
                tracing::warn!(error = &error as &dyn std::error::Error, "an analysis could not be recorded");
            }
            submission
        });
    }

    fn ended(&mut self, done: Result<SubmissionId, tokio::task::JoinError>) {
        match done {
            Ok(submission) => drop(self.begun.remove(&submission)),
            Err(error) => tracing::error!(%error, "an analysis ended without a result"),
        }
    }

    /// Lets go of what is not ended, for another node or the next start.
    async fn give_back(mut self, engine: &Engine) {
        while let Some(done) = self.tasks.try_join_next() {
            self.ended(done);
        }
        self.tasks.shutdown().await;
        let begun: Vec<SubmissionId> = self.begun.into_iter().collect();
        let given_back = async {
            let mut tx = engine.store.begin().await?;
            analyses::release(&mut tx, &begun, engine.clock.now()).await?;
            tx.commit().await
        };
        if begun.is_empty() {
            return;
        }
        if let Err(error) = given_back.await {
            tracing::warn!(error = &error as &dyn std::error::Error, "analyses wait for their leases to end");
        }
    }
}

/// Which workspaces' endpoints are left alone, and until when.
#[derive(Default)]
struct Rests(Mutex<HashMap<WorkspaceId, Trouble>>);

#[derive(Debug, Clone, Copy, Default)]
struct Trouble {
    failures: u32,
    until: Timestamp,
}

impl Rests {
    fn is_resting(&self, workspace: WorkspaceId, now: Timestamp) -> bool {
        let troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        troubles.get(&workspace).is_some_and(|trouble| trouble.failures >= FAILURES && now < trouble.until)
    }

    fn note(&self, workspace: WorkspaceId, is_good: bool, now: Timestamp) {
        let mut troubles = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if is_good {
            troubles.remove(&workspace);
            return;
        }
        let trouble = troubles.entry(workspace).or_default();
        // After a rest one failure is enough for the next.
        trouble.failures = trouble.failures.saturating_add(1);
        trouble.until = now.plus_ms(REST_MS);
    }
}

/// Records what came of jobs and tells the event log of those that counted.
async fn record(engine: &Engine, finished: &[Finished]) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let counted = analyses::finish(&mut tx, finished, now).await?;
    let told = finished.iter().filter(|one| counted.contains(&one.submission_id));
    let events: Vec<NewEvent> = told.filter_map(|one| analysed(one, now)).collect();
    events::append(&mut tx, &events).await?;
    tx.commit().await?;
    metrics::counter!("leadline_analyses_total").increment(counted.len() as u64);
    if !events.is_empty() {
        engine.wake.events.notify_one();
    }
    Ok(())
}

/// The event names no stage: the lead's card stays as it is, so no board has to look.
fn analysed(finished: &Finished, now: Timestamp) -> Option<NewEvent> {
    let result = finished.result.as_ref()?;
    Some(NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: finished.workspace_id,
        kind: "lead.analysed".to_owned(),
        lead_id: Some(finished.lead_id),
        submission_id: Some(finished.submission_id),
        data: json!({"method": result["method"], "fallback": result["fallback"]["reason"]}),
        created_at: now.0,
        dispatched: false,
    })
}
