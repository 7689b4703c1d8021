//! The runner: leases what is due, sends it, records what came of it, by batch.
//!
//! Leasing the next jobs is one transaction, and recording the results that have come in is another beside it: what is
//! due does not wait for the books of what was sent. No transaction is open while a request is under way. Each
//! destination has its own lane (see `lanes`), and whoever is idle is served before whoever has much. A result that the
//! store cannot take stays in memory and is tried again; it counts among the [`MOST_HELD`] until it is recorded. A job
//! whose lease would end during its request is not sent, so a delivery is under way twice only when a process died.

mod breakers;
mod hours;
mod lanes;
mod left_out;
mod record;
mod sender;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use leadline_domain::{
    breaker::{Breaker, Gate, guards},
    ids::{DeliveryId, DestinationId},
    retry::Verdict,
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    breakers::claim_probe,
    deliveries::{self, Lease, Picked, Standing, Told},
    destinations::{self, Destination},
};
use tokio::{
    sync::watch,
    task::{JoinError, JoinHandle, JoinSet},
    time::{Instant, sleep, timeout_at},
};

use self::{
    lanes::{Lane, shares},
    left_out::part,
    record::{Done, Job, Recording, Result as Outcome},
    sender::Sender,
};
use super::{
    payload::{Format, NotSent, Shape, needs_more, of_picked},
    send::DestinationForSending,
};
use crate::{Engine, live::LiveHint};

/// What destinations without a breaker go by.
const NEVER_OPEN: Breaker = Breaker { failures: 0, open: None };

const OURS: Shape = Shape::Fixed(Format::Leadline);

/// How long a job is ours. Longer than any request, short enough that a crash is noticed soon.
const LEASE_MS: i64 = MINUTE_MS;

/// The queue is looked at this often although nobody woke us: retries come due by themselves.
const POLL: Duration = Duration::from_millis(250);

/// Results that come within this time are recorded together.
const GATHER: Duration = Duration::from_millis(5);

/// Results recorded, or jobs leased, in one transaction. Others wait for the writer meanwhile.
const BATCH: usize = 256;

/// How long results wait that the store did not take.
const AFTER_FAILURE: Duration = Duration::from_millis(250);

/// Jobs and results in memory at most. Lanes that hang hold as many as they have slots, so this many divided by those can hang
/// before anybody else waits.
const MOST_HELD: usize = 2_048;

/// Lanes that nobody uses are forgotten when there are more than this.
const MOST_LANES: usize = 1_024;

/// How old what is known of destinations may be when the store goes away.
const REMEMBERED_FOR: Duration = Duration::from_secs(2);

/// How long requests may finish at a stop. The process has ten seconds in all.
const STOP_GRACE: Duration = Duration::from_secs(6);

/// Runs until `stop` says otherwise, then lets requests finish and gives back the rest.
pub async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut runner = Runner::new(engine);
    while !*stop.borrow() {
        tokio::select! {
            // Whoever would say stop is gone: that is a stop, too.
            changed = stop.changed() => if changed.is_err() { break },
            () = runner.wait() => {}
        }
        runner.begin_recording();
        if let Err(error) = runner.lease_next().await {
            tracing::warn!(error = &error as &dyn std::error::Error, "deliveries wait for the store");
        }
        runner.remember_destinations().await;
    }
    runner.wind_up().await;
}

/// Sends everything that is due now, records it, and tells how many requests that were: for tests, which bring their own
/// clock.
///
/// # Errors
/// Where the store fails.
pub async fn deliver_due(engine: &Engine) -> Result<usize, Error> {
    let mut runner = Runner::new(engine.clone());
    let mut sent = 0;
    loop {
        let leased = runner.lease_next().await?;
        if leased == 0 && runner.tasks.is_empty() {
            return Ok(sent);
        }
        runner.gather().await;
        sent += runner.done.len();
        let done = std::mem::take(&mut runner.done);
        runner.take_in(Recording::of(engine.clone(), done).await)?;
    }
}

/// What a round takes on.
#[derive(Default)]
struct Leased {
    jobs: Vec<Job>,
    /// What the screens are told of deliveries of which nothing is sent.
    skipped: Vec<LiveHint>,
}

struct Runner {
    engine: Engine,
    lanes: HashMap<DestinationId, Lane>,
    tasks: JoinSet<Done>,
    /// Results that are not recorded yet.
    done: Vec<Done>,
    /// The one recording that is under way, and how many results it has.
    recording: Option<(JoinHandle<Recording>, usize)>,
    /// When results are recorded at the earliest: after a failure the store is left alone for a moment.
    record_from: Instant,
    last_round: Instant,
    remembered_at: Option<Instant>,
    turn: usize,
    hurry: watch::Sender<bool>,
}

impl Runner {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            lanes: HashMap::new(),
            tasks: JoinSet::new(),
            done: Vec::new(),
            recording: None,
            record_from: Instant::now(),
            last_round: Instant::now(),
            remembered_at: None,
            turn: 0,
            hurry: watch::Sender::new(false),
        }
    }

    /// Waits until there is something to record or, perhaps, to send.
    async fn wait(&mut self) {
        let recorded = async {
            match &mut self.recording {
                Some((task, _)) => task.await,
                None => std::future::pending().await,
            }
        };
        let joined = tokio::select! {
            recorded = recorded => {
                self.recording = None;
                return self.take_in_or_log(recorded);
            }
            () = self.engine.wake.deliveries.notified() => return,
            () = sleep(POLL) => return,
            Some(joined) = self.tasks.join_next() => joined,
        };
        self.keep(joined);
        self.gather().await;
    }

    /// Takes in results until there is a batch of them or no more have come for a moment.
    async fn gather(&mut self) {
        let until = Instant::now() + GATHER;
        for _ in 0..BATCH {
            match timeout_at(until, self.tasks.join_next()).await {
                Ok(Some(joined)) => self.keep(joined),
                Ok(None) | Err(_) => break,
            }
        }
    }

    fn keep(&mut self, joined: Result<Done, JoinError>) {
        match joined {
            Ok(done) => {
                if let Some(lane) = self.lanes.get_mut(&done.job.destination.id) {
                    lane.pace.count();
                }
                self.done.push(done);
            }
            // The lease ends by itself, and the delivery is sent again under the same id.
            Err(error) => tracing::error!(%error, "a delivery task ended without a result"),
        }
    }

    /// Begins to record what has come in, unless a recording is under way.
    fn begin_recording(&mut self) {
        if self.recording.is_some() || self.done.is_empty() || Instant::now() < self.record_from {
            return;
        }
        let done: Vec<Done> = self.done.drain(..self.done.len().min(BATCH)).collect();
        let count = done.len();
        self.recording = Some((tokio::spawn(Recording::of(self.engine.clone(), done)), count));
    }

    fn take_in_or_log(&mut self, recorded: Result<Recording, JoinError>) {
        let recording = match recorded {
            Ok(recording) => recording,
            // The leases end by themselves, and the deliveries are sent again under the same ids.
            Err(error) => return tracing::error!(%error, "results of deliveries could not be recorded"),
        };
        let Err(error) = self.take_in(recording) else { return };
        self.record_from = Instant::now() + AFTER_FAILURE;
        tracing::warn!(
            error = &error as &dyn std::error::Error,
            unrecorded = self.done.len(),
            "results of deliveries wait for the store"
        );
        if error.is_about_the_data() {
            self.done.iter_mut().for_each(Done::strip);
        }
    }

    /// Goes by what was recorded, and keeps what could not be.
    fn take_in(&mut self, Recording { done, outcome }: Recording) -> Result<(), Error> {
        let recorded = match outcome {
            Ok(recorded) => recorded,
            Err(error) => {
                self.done.splice(..0, done);
                return Err(error);
            }
        };
        let now = self.engine.clock.now();
        for (id, breaker) in &recorded.breakers {
            self.hold_back(*id, breaker, now);
        }
        count_outcomes(&done);
        recorded.hints.into_iter().for_each(|hint| self.engine.live.publish(hint));
        if recorded.has_events {
            self.engine.wake.events.notify_one();
        }
        Ok(())
    }

    /// Keeps a copy of the destinations for the time when the store is away, and says how long the queue is.
    async fn remember_destinations(&mut self) {
        let is_fresh = self.remembered_at.is_some_and(|at| at.elapsed() < REMEMBERED_FOR);
        if is_fresh {
            return;
        }
        if let Err(error) = self.engine.known.refresh(&self.engine).await {
            tracing::debug!(error = &error as &dyn std::error::Error, "destinations are remembered as they were");
        }
        if let Ok(pending) = deliveries::count_pending(&self.engine.store.reader()).await {
            metrics::gauge!("leadline_deliveries_pending").set(pending as f64);
        }
        self.remembered_at = Some(Instant::now());
    }

    /// Leases what may go out, and sends it. Gives how many were leased, or left out for good.
    async fn lease_next(&mut self) -> Result<usize, Error> {
        let shares = self.shares().await?;
        if shares.is_empty() {
            return Ok(0);
        }
        let mut tx = self.engine.store.begin().await?;
        let Leased { jobs, skipped } = self.lease(&mut tx, &shares).await?;
        tx.commit().await?;

        let leased = jobs.len() + skipped.len();
        if !skipped.is_empty() {
            // Nothing comes back for these, and more may be due behind them.
            self.engine.wake.deliveries.notify_one();
        }
        skipped.into_iter().for_each(|hint| self.engine.live.publish(hint));
        jobs.into_iter().for_each(|job| self.start(job));
        metrics::gauge!("leadline_deliveries_in_flight").set(self.tasks.len() as f64);
        Ok(leased)
    }

    /// How many jobs each destination with due work may get now.
    async fn shares(&mut self) -> Result<Vec<(DestinationId, usize)>, Error> {
        let held: Vec<DestinationId> =
            self.lanes.iter().filter(|(_, lane)| lane.held() > 0).map(|(id, _)| *id).collect();
        let reader = self.engine.store.reader();
        let now = self.engine.clock.now();
        let standings = deliveries::standings(&reader, &held, now).await?;
        self.bring_lanes_up_to_date(&standings).await?;
        for standing in &standings {
            self.hold_back(standing.id, &standing.breaker, now);
        }
        let since = self.last_round.elapsed();
        self.last_round = Instant::now();
        let now = self.engine.clock.now();
        self.lanes.values_mut().for_each(|lane| lane.pace.take_in(since));
        self.lanes.values().for_each(|lane| lane.end_overlap(now));
        let rooms: Vec<(DestinationId, usize)> = standings
            .iter()
            .filter(|standing| standing.is_due)
            .filter_map(|standing| {
                let lane = self.lanes.get_mut(&standing.id)?;
                let is_open = lane.current.borrow().is_some();
                is_open.then(|| (standing.id, lane.room(now)))
            })
            .collect();
        self.turn = self.turn.wrapping_add(1);
        let unrecorded = self.done.len() + self.recording.as_ref().map_or(0, |(_, count)| *count);
        let free = MOST_HELD.saturating_sub(self.tasks.len() + unrecorded).min(BATCH);
        Ok(shares(&rooms, free, self.turn))
    }

    /// Opens destinations that are new or have changed, and closes those that get nothing any more.
    async fn bring_lanes_up_to_date(&mut self, standings: &[Standing]) -> Result<(), Error> {
        if self.lanes.len() > MOST_LANES {
            self.lanes.retain(|_, lane| lane.held() > 0);
        }
        let is_changed = |one: &&Standing| self.lanes.get(&one.id).is_none_or(|lane| lane.version != one.updated_at);
        let changed: Vec<Standing> = standings.iter().filter(is_changed).copied().collect();
        for closed in changed.iter().filter(|one| !one.is_open) {
            if let Some(lane) = self.lanes.get_mut(&closed.id) {
                lane.version = closed.updated_at;
                lane.current.send_replace(None);
            }
        }
        let opened: Vec<DestinationId> = changed.iter().filter(|one| one.is_open).map(|one| one.id).collect();
        for row in destinations::find_set(&self.engine.store.reader(), &opened).await? {
            self.open_lane(&row);
        }
        Ok(())
    }

    fn open_lane(&mut self, row: &Destination) {
        let slots = if row.rules.in_order { 1 } else { usize::try_from(row.max_in_flight).unwrap_or(1).max(1) };
        // A lane of another width is a new one; what is under way in the old one ends there.
        self.lanes.retain(|id, lane| *id != row.id || lane.max_in_flight() == slots);
        let lane = self.lanes.entry(row.id).or_insert_with(|| Lane::new(row.updated_at, slots));
        lane.version = row.updated_at;
        lane.set_limit(row.rules.requests_per_minute);
        let opened = DestinationForSending::open(row, &self.engine, self.engine.clock.now());
        if let Err(error) = &opened {
            // Said once for each version; its deliveries wait until somebody mends it.
            tracing::error!(destination.id = %row.id, %error, "a destination cannot be used");
        }
        lane.current.send_replace(opened.ok().map(Arc::new));
    }

    /// Lets a lane go by this breaker, where its destination has one.
    fn hold_back(&mut self, id: DestinationId, breaker: &Breaker, now: Timestamp) {
        let Some(lane) = self.lanes.get_mut(&id) else { return };
        let is_guarded = lane.current.borrow().as_ref().is_some_and(|destination| guards(destination.retry_plan));
        lane.hold_back(if is_guarded { breaker } else { &NEVER_OPEN }, now);
    }

    /// Whether as many may be leased as there is room for: all, or the one probe, if no other node has taken it.
    async fn may_lease(&self, tx: &mut Tx, id: DestinationId, now: Timestamp) -> Result<bool, Error> {
        match self.lanes.get(&id).map_or(Gate::All, |lane| lane.gate) {
            Gate::All => Ok(true),
            Gate::Probe => claim_probe(tx, id, now, now.plus_ms(LEASE_MS)).await,
            Gate::Nothing => Ok(false),
        }
    }

    async fn lease(&self, tx: &mut Tx, shares: &[(DestinationId, usize)]) -> Result<Leased, Error> {
        let now = self.engine.clock.now();
        // Destinations with the same share are asked for together: mostly that is all of them.
        let mut by_share: BTreeMap<usize, Vec<DestinationId>> = BTreeMap::new();
        let mut in_order = Vec::new();
        for (id, share) in shares {
            if !self.may_lease(tx, *id, now).await? {
                continue;
            }
            match self.destination(*id) {
                Some(destination) if destination.rules.in_order => in_order.push(*id),
                Some(_) | None => by_share.entry(*share).or_default().push(*id),
            }
        }
        let mut ids = deliveries::pick_next_in_order(tx, &in_order, now).await?;
        for (share, destinations) in by_share {
            ids.extend(deliveries::pick(tx, &destinations, share, now).await?);
        }
        let mut picked = deliveries::load(tx, &ids).await?;
        // What is picked for a lane that was just closed stays where it is: its payload is made for a destination that
        // can be opened.
        picked.retain(|one| self.destination(one.destination_id).is_some());
        picked.sort_by_key(|one| (one.plan_attempt, one.created_at));
        let payloads = self.payloads(tx, &picked, now).await?;
        let (picked, payloads, skipped) = part(picked, payloads);
        deliveries::skip(tx, &skipped.rows, now).await?;
        let leases: Vec<Lease<'_>> =
            picked.iter().zip(&payloads).map(|(one, payload)| Lease { id: one.id, payload }).collect();
        let until = now.plus_ms(LEASE_MS);
        deliveries::lease(tx, &leases, until).await?;
        let jobs = picked.into_iter().zip(payloads).filter_map(|(one, payload)| self.job(one, payload, until));
        Ok(Leased { jobs: jobs.collect(), skipped: skipped.hints })
    }

    async fn payloads(
        &self,
        tx: &mut Tx,
        picked: &[Picked],
        now: Timestamp,
    ) -> Result<Vec<Result<String, NotSent>>, Error> {
        let shapes: Vec<Shape> = picked
            .iter()
            .map(|one| self.destination(one.destination_id).map_or(OURS, |destination| destination.shape.clone()))
            .collect();
        let asked = picked.iter().zip(&shapes).filter(|(one, shape)| needs_more(one, shape));
        let asked: Vec<DeliveryId> = asked.map(|(one, _)| one.id).collect();
        let told = deliveries::list_told(tx, &asked).await?;
        let told: HashMap<DeliveryId, Told> = told.into_iter().map(|one| (one.id, one)).collect();
        let environment = &self.engine.options.environment;
        Ok(picked
            .iter()
            .zip(&shapes)
            .map(|(one, shape)| of_picked(one, told.get(&one.id), shape, environment, now))
            .collect())
    }

    /// The destination as its lane has it, where it gets something.
    fn destination(&self, id: DestinationId) -> Option<Arc<DestinationForSending>> {
        self.lanes.get(&id)?.current.borrow().clone()
    }

    fn job(&self, picked: Picked, payload: String, leased_until: Timestamp) -> Option<Job> {
        let destination = self.destination(picked.destination_id)?;
        Some(Job {
            id: picked.id,
            workspace_id: picked.workspace_id,
            destination,
            event: picked.event,
            lead_id: picked.lead_id,
            number: picked.attempt_count + 1,
            plan_attempt: picked.plan_attempt,
            body: Bytes::from(payload),
            is_probe: self.lanes.get(&picked.destination_id).is_some_and(|lane| lane.gate == Gate::Probe),
            leased_until,
        })
    }

    fn start(&mut self, job: Job) {
        let Some(lane) = self.lanes.get_mut(&job.destination.id) else { return };
        lane.spend(1);
        let held = lane.hold();
        let sender = Sender {
            engine: self.engine.clone(),
            slots: Arc::clone(&lane.slots),
            current: lane.current.subscribe(),
            is_held_back: Arc::clone(&lane.is_held_back),
            hurry: self.hurry.subscribe(),
        };
        self.tasks.spawn(async move {
            let result = sender.carry_out(&job).await;
            drop(held);
            Done { job, result }
        });
    }

    /// Starts nothing more, lets requests finish for a while, and records.
    async fn wind_up(mut self) {
        self.lanes.values().for_each(|lane| lane.slots.close());
        let until = Instant::now() + STOP_GRACE;
        while let Ok(Some(joined)) = timeout_at(until, self.tasks.join_next()).await {
            self.keep(joined);
        }
        self.hurry.send_replace(true);
        while let Some(joined) = self.tasks.join_next().await {
            self.keep(joined);
        }
        if let Some((task, _)) = self.recording.take() {
            self.take_in_or_log(task.await);
        }
        // Twice: a contended row or an answer that could not be kept is no reason to send again.
        for _ in 0..2 {
            if !self.done.is_empty() {
                let done = std::mem::take(&mut self.done);
                self.take_in_or_log(Ok(Recording::of(self.engine.clone(), done).await));
            }
        }
    }
}

fn count_outcomes(done: &[Done]) {
    for one in done {
        let outcome = match &one.result {
            Outcome::Unsent => "unsent",
            Outcome::Sent { verdict: Verdict::Delivered, .. } => "delivered",
            Outcome::Sent { verdict: Verdict::Retry { .. }, .. } => "retry",
            Outcome::Sent { verdict: Verdict::GiveUp { .. }, .. } => "dead",
        };
        metrics::counter!("leadline_deliveries_total", "outcome" => outcome).increment(1);
    }
}
