//! Recording what came of attempts: rows, timeline and events of a whole batch in one transaction.

use std::{collections::HashSet, sync::Arc};

use bytes::Bytes;
use leadline_domain::{
    breaker::Breaker,
    ids::{ActivityId, AttemptId, DeliveryId, DestinationId, EventId, LeadId, WorkspaceId},
    retry::Verdict,
    time::{DAY_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    deliveries::{self, Finished, NewAttempt, Picked, State, Unsent},
    destinations,
    events::{self, NewActivity, NewEvent},
};
use serde_json::{Map, Value, json};

use super::{breakers, hours};
use crate::{
    Engine,
    delivery::send::{Attempt, DestinationForSending},
    live::LiveHint,
    random_bytes,
};

/// How long a dead letter is kept.
const DEAD_KEPT_MS: i64 = 7 * DAY_MS;

const GONE: &str = "the receiver answered 410 Gone";

/// One delivery on its way out.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) id: DeliveryId,
    pub(super) workspace_id: WorkspaceId,
    pub(super) destination: Arc<DestinationForSending>,
    pub(super) event: String,
    pub(super) lead_id: Option<LeadId>,
    /// The number of this attempt.
    pub(super) number: i64,
    /// How many attempts of the plan came before.
    pub(super) plan_attempt: i64,
    pub(super) body: Bytes,
    /// Whether it is the one that is sent to see whether the receiver answers again.
    pub(super) is_probe: bool,
    pub(super) leased_until: Timestamp,
}

/// What became of a job.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) job: Job,
    pub(super) result: Result,
}

/// Whether anything was sent, and what came of it.
#[derive(Debug)]
pub(super) enum Result {
    Sent {
        /// Made when the answer came, so that a repeated recording records the same row.
        id: AttemptId,
        attempt: Box<Attempt>,
        verdict: Verdict,
        at: Timestamp,
    },
    /// Nothing, or nobody knows: the lease is given back.
    Unsent,
}

impl Done {
    /// Forgets what the receiver said, where the database cannot keep it.
    pub(super) fn strip(&mut self) {
        if let Result::Sent { attempt, .. } = &mut self.result {
            attempt.response_body = None;
            attempt.response_headers = Value::Object(Map::new());
        }
    }

    /// When it was sent, where it was.
    pub(super) fn sent_at(&self) -> Option<Timestamp> {
        match &self.result {
            Result::Unsent => None,
            Result::Sent { at, .. } => Some(*at),
        }
    }

    /// How many attempts of the plan are used up. One that was sent to see whether anybody answers counts only where it
    /// settled the delivery, and where deliveries keep their order: there what was tried comes before what was not.
    fn plan_attempt(&self, state: State) -> i64 {
        let Job { plan_attempt, is_probe, destination, .. } = &self.job;
        match state {
            State::Pending if *is_probe && destination.rules.in_order => (*plan_attempt).max(1),
            State::Pending if *is_probe => *plan_attempt,
            State::Pending | State::Delivered | State::Dead | State::Cancelled | State::Skipped => plan_attempt + 1,
        }
    }

    fn state(&self) -> Option<State> {
        match &self.result {
            Result::Unsent => None,
            Result::Sent { verdict: Verdict::Delivered, .. } => Some(State::Delivered),
            Result::Sent { verdict: Verdict::Retry { .. }, .. } => Some(State::Pending),
            Result::Sent { verdict: Verdict::GiveUp { .. }, .. } => Some(State::Dead),
        }
    }
}

/// A recording that came to its end.
#[derive(Debug)]
pub(super) struct Recording {
    /// What was to be recorded.
    pub(super) done: Vec<Done>,
    pub(super) outcome: std::result::Result<Recorded, Error>,
}

/// What a recording leads to: breakers that changed, hints of what arrived, and whether there are events, which bring
/// hints of their own.
#[derive(Debug, Default)]
pub(super) struct Recorded {
    pub(super) breakers: Vec<(DestinationId, Breaker)>,
    pub(super) hints: Vec<LiveHint>,
    pub(super) has_events: bool,
}

impl Recording {
    /// Writes down what became of these jobs, in one transaction. A result that comes too late, for a delivery that
    /// somebody else has taken over, leaves its attempt and nothing else.
    pub(super) async fn of(engine: Engine, done: Vec<Done>) -> Self {
        let outcome = record(&engine, &done).await;
        Self { done, outcome }
    }
}

async fn record(engine: &Engine, done: &[Done]) -> std::result::Result<Recorded, Error> {
    if done.is_empty() {
        return Ok(Recorded::default());
    }
    let mut finished: Vec<Finished> = done.iter().filter_map(finished).collect();
    // Nodes that record at once lock in the same order.
    finished.sort_by_key(|row| row.id);
    let attempts: Vec<NewAttempt> = done.iter().filter_map(new_attempt).collect();
    let unsent: Vec<Unsent> = done.iter().filter_map(unsent).collect();

    let mut tx = engine.store.begin().await?;
    let counted: HashSet<DeliveryId> = deliveries::finish(&mut tx, &finished).await?.into_iter().collect();
    deliveries::insert_attempts(&mut tx, &attempts).await?;
    deliveries::release(&mut tx, &unsent).await?;
    let told = tell(&mut tx, done, &counted).await?;
    let (breakers, has_breaker_events) = breakers::observe(&mut tx, done, &counted).await?;
    hours::count(&mut tx, done, &counted).await?;
    tx.commit().await?;
    Ok(Recorded { breakers, hints: told.hints, has_events: told.has_events || has_breaker_events })
}

/// What others are to hear of after the commit.
#[derive(Debug, Default)]
struct Told {
    hints: Vec<LiveHint>,
    has_events: bool,
}

async fn tell(tx: &mut Tx, done: &[Done], counted: &HashSet<DeliveryId>) -> std::result::Result<Told, Error> {
    let mut activities = Vec::new();
    let mut exhausted = Vec::new();
    let mut gone: Vec<DestinationId> = Vec::new();
    let mut told = Told::default();
    let mut now = Timestamp(0);
    for one in done.iter().filter(|one| counted.contains(&one.job.id)) {
        let Result::Sent { attempt, verdict, at, .. } = &one.result else { continue };
        let kind = match verdict {
            Verdict::Delivered => "delivery.delivered",
            Verdict::GiveUp { .. } => "delivery.exhausted",
            Verdict::Retry { .. } => continue,
        };
        now = now.max(*at);
        if let Some(lead) = one.job.lead_id {
            activities.push(activity(&one.job, lead, kind, attempt, *at));
        }
        if let Verdict::GiveUp { disable_destination } = verdict {
            exhausted.push(event(&one.job, kind, attempt, *at));
            if *disable_destination {
                gone.push(one.job.destination.id);
            }
        } else {
            told.hints.push(hint(&one.job, kind));
        }
    }
    destinations::disable(tx, &gone, GONE, now).await?;
    events::insert_activities(tx, &activities).await?;
    events::append(tx, &exhausted).await?;
    told.has_events = !exhausted.is_empty();
    Ok(told)
}

fn finished(done: &Done) -> Option<Finished> {
    let Result::Sent { attempt, verdict, at, .. } = &done.result else { return None };
    let state = done.state()?;
    let is_final = state != State::Pending;
    let next_attempt_at = match verdict {
        Verdict::Retry { at } => *at,
        Verdict::Delivered | Verdict::GiveUp { .. } => *at,
    };
    Some(Finished {
        id: done.job.id,
        attempt_count: done.job.number,
        state,
        plan_attempt: done.plan_attempt(state),
        next_attempt_at: next_attempt_at.0,
        last_status: attempt.status.map(i64::from),
        last_error: attempt.error.clone(),
        finished_at: is_final.then_some(at.0),
        expires_at: (state == State::Dead).then(|| at.plus_ms(DEAD_KEPT_MS).0),
    })
}

fn new_attempt(done: &Done) -> Option<NewAttempt> {
    let Result::Sent { id, attempt, .. } = &done.result else { return None };
    Some(attempt_row(*id, done.job.workspace_id, done.job.id, done.job.number, attempt))
}

fn unsent(done: &Done) -> Option<Unsent> {
    match done.result {
        Result::Unsent => Some(Unsent { id: done.job.id, attempt_count: done.job.number }),
        Result::Sent { .. } => None,
    }
}

fn attempt_row(
    id: AttemptId,
    workspace_id: WorkspaceId,
    delivery_id: DeliveryId,
    number: i64,
    attempt: &Attempt,
) -> NewAttempt {
    NewAttempt {
        id,
        workspace_id,
        delivery_id,
        number,
        started_at: attempt.started_at.0,
        duration_ms: attempt.duration_ms(),
        status: attempt.status.map(i64::from),
        error: attempt.error.clone(),
        request_headers: attempt.request_headers.clone(),
        response_headers: attempt.response_headers.clone(),
        response_body: attempt.response_body.clone(),
    }
}

fn activity(job: &Job, lead: LeadId, kind: &str, attempt: &Attempt, at: Timestamp) -> NewActivity {
    NewActivity {
        id: ActivityId::new(at, random_bytes()),
        workspace_id: job.workspace_id,
        lead_id: lead,
        kind: kind.to_owned(),
        actor_kind: crate::ActorKind::System.as_str(),
        actor_id: None,
        actor_name: "Leadline".to_owned(),
        data: outcome(job, attempt),
        created_at: at.0,
    }
}

fn event(job: &Job, kind: &str, attempt: &Attempt, at: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::new(at, random_bytes()),
        workspace_id: job.workspace_id,
        kind: kind.to_owned(),
        lead_id: job.lead_id,
        submission_id: None,
        data: outcome(job, attempt),
        created_at: at.0,
        dispatched: false,
    }
}

fn outcome(job: &Job, attempt: &Attempt) -> Value {
    json!({
        "destinationId": job.destination.id,
        "destinationName": job.destination.name,
        "deliveryId": job.id,
        "event": job.event,
        "status": attempt.status,
        "error": attempt.error,
    })
}

/// A hint of what became of a delivery before it was leased.
pub(super) fn hint_of(kind: &str, picked: &Picked) -> LiveHint {
    let Picked { workspace_id, id, destination_id, lead_id, .. } = picked;
    LiveHint {
        workspace: *workspace_id,
        event: "delivery".to_owned(),
        data: json!({ "kind": kind, "deliveryId": id, "destinationId": destination_id, "leadId": lead_id }),
    }
}

fn hint(job: &Job, kind: &str) -> LiveHint {
    LiveHint {
        workspace: job.workspace_id,
        event: "delivery".to_owned(),
        data: json!({ "kind": kind, "deliveryId": job.id, "destinationId": job.destination.id, "leadId": job.lead_id }),
    }
}
