//! `leadline dev load-deliveries`: very many deliveries at once, for measurements and for looking at the desk. They are
//! written by set and straight into the tables, spread over the destinations, leads and the last week; nothing is sent.

use anyhow::{Context, ensure};
use leadline_domain::{
    durations::{BUCKETS, bucket_of},
    ids::{AttemptId, DeliveryId, EventId, LeadId},
    time::{DAY_MS, HOUR_MS, Timestamp},
};
use leadline_store::{
    deliveries::{self, NewAttempt, NewDelivery, State},
    destination_hours::{self, Hour, Last},
    destinations::{self, Destination},
    leads::{self, LeadFilter, SortBy, SortOrder},
};
use serde_json::json;

use crate::{Exit, admin, config::Config};

/// Rows in one statement.
const AT_ONCE: u64 = 2_000;

const SPREAD_MS: i64 = 7 * DAY_MS;

const EVENTS: [&str; 10] = [
    "lead.created",
    "lead.created",
    "lead.created",
    "lead.created",
    "lead.created",
    "lead.updated",
    "lead.updated",
    "lead.stage_changed",
    "lead.stage_changed",
    "lead.converted",
];

/// Puts `count` deliveries into the default workspace.
pub(crate) async fn load(config: &Config, count: u64) -> anyhow::Result<Exit> {
    let store = admin::open(config).await?;
    let workspace = admin::workspace(&store, config, "default").await?.id;
    let reader = store.reader();
    let to = destinations::list(&reader, workspace, 200, 0).await?.rows;
    ensure!(!to.is_empty(), "make a destination first");
    let sort = (SortBy::CreatedAt, SortOrder::Descending);
    let about = leads::list(&reader, workspace, &LeadFilter::default(), sort, (200, 0)).await?.rows;
    let about: Vec<LeadId> = about.into_iter().map(|card| card.id).collect();
    ensure!(!about.is_empty(), "make a lead first");
    let now = admin::now();
    let mut done = 0;
    while done < count {
        let few = done..count.min(done + AT_ONCE);
        let made: Vec<Made> = few.clone().map(|n| Made::of(n, count, now, &to, &about)).collect::<Result<_, _>>()?;
        let mut tx = store.begin().await?;
        deliveries::insert_set(&mut tx, &made.iter().map(|one| one.delivery.clone()).collect::<Vec<_>>()).await?;
        deliveries::insert_attempts(&mut tx, &made.iter().map(|one| one.attempt.clone()).collect::<Vec<_>>()).await?;
        for one in &made {
            destination_hours::add(&mut tx, std::slice::from_ref(&one.hour)).await?;
        }
        tx.commit().await?;
        done = few.end;
    }
    store.close().await;
    eprintln!("{done} deliveries are in the workspace \"default\".");
    Ok(Exit::Done)
}

struct Made {
    delivery: NewDelivery,
    attempt: NewAttempt,
    hour: Hour,
}

/// How the n-th delivery went: most arrive, some die, few wait.
fn state_of(n: u64) -> State {
    match n.wrapping_mul(2_654_435_761) % 100 {
        0..=4 => State::Dead,
        5..=6 => State::Pending,
        _ => State::Delivered,
    }
}

impl Made {
    fn of(n: u64, count: u64, now: Timestamp, to: &[Destination], about: &[LeadId]) -> anyhow::Result<Self> {
        let pick = |step: u64, of: usize| usize::try_from(n / step).unwrap_or(0) % of;
        let destination = &to[pick(1, to.len())];
        let back = SPREAD_MS / i64::try_from(count).context("so many")? * i64::try_from(count - n)?;
        let at = Timestamp(now.0 - back);
        let state = state_of(n);
        let duration_ms = 20 + i64::try_from(n * n % 400)?;
        let (status, error) = match state {
            State::Delivered | State::Cancelled | State::Skipped => (Some(200), None),
            State::Dead if n.is_multiple_of(3) => (None, Some("no answer in time".to_owned())),
            State::Dead => (Some(404), Some("the receiver answered 404".to_owned())),
            State::Pending => (Some(503), Some("the receiver answered 503".to_owned())),
        };
        let id = DeliveryId::new(at, rand::random());
        let event = EVENTS[pick(7, EVENTS.len())];
        let lead = about[pick(3, about.len())];
        let delivery = NewDelivery {
            id,
            workspace_id: destination.workspace_id,
            destination_id: destination.id,
            event_id: EventId::new(at, rand::random()),
            event: event.to_owned(),
            lead_id: Some(lead),
            submission_id: None,
            source_id: None,
            state,
            attempt_count: 1,
            plan_attempt: if state == State::Pending { 5 } else { 1 },
            next_attempt_at: now.0 + DAY_MS / 4,
            payload: Some(json!({"event": event, "createdAt": at, "lead": {"id": lead}}).to_string()),
            last_status: status,
            last_error: error.clone(),
            created_at: at.0,
            finished_at: (state != State::Pending).then_some(at.0 + duration_ms),
            expires_at: (state == State::Dead).then_some(at.0 + 7 * DAY_MS),
            goal: None,
        };
        let attempt = NewAttempt {
            id: AttemptId::new(at, rand::random()),
            workspace_id: destination.workspace_id,
            delivery_id: id,
            number: 1,
            started_at: at.0,
            duration_ms,
            status,
            error: error.clone(),
            request_headers: json!({"Content-Type": "application/json", "X-Leadline-Event": event}),
            response_headers: json!({"content-type": "text/plain"}),
            response_body: Some(if error.is_none() { "ok" } else { "no" }.to_owned()),
        };
        let mut durations = [0; BUCKETS];
        durations[bucket_of(duration_ms)] = 1;
        let hour = Hour {
            destination_id: destination.id,
            hour: Timestamp(at.0 - at.0.rem_euclid(HOUR_MS)),
            workspace_id: destination.workspace_id,
            delivered: i64::from(error.is_none()),
            failed: i64::from(error.is_some()),
            durations,
            last: Last { at, status, error: error.clone() },
            failure: error.map(|error| (at, error)),
        };
        Ok(Self { delivery, attempt, hour })
    }
}
