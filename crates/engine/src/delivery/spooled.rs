//! Telling destinations of submissions that wait in the spool: the one sanctioned shortcut.
//!
//! While the store is away there are no deliveries to lease, so each submission is sent once to the destinations that
//! are remembered, under the id that its delivery will have. What arrives is noted and later stored as delivered; what
//! does not is left to the delivery that is made when the store is back. A receiver that fails is left in peace for a
//! while, so that it does not hold up the others.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use leadline_domain::{
    destinations::FilterFacts,
    ids::{AttemptId, DeliveryId, EventId, SubmissionId, WorkspaceId, delivery_for, derived},
    time::{SECOND_MS, Timestamp},
    values::{Amount, currency_of},
};
use leadline_store::{
    Error,
    deliveries::{self, NewAttempt, NewDelivery, State},
    destinations,
};
use serde_json::{json, value::to_raw_value};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout};

use super::{
    jobs::Offer,
    payload::{
        Shape,
        conversions::Platform,
        facts::{Behaviour, Evidence, Facts},
        leadline::{Lead, Payload, Submission as SubmissionPart, Workspace},
    },
    send::{DestinationForSending, Outgoing, send_once},
};
use crate::{
    Engine,
    capture::{Prepared, Submission, conversations, spool::Forwarded},
};

/// A submission that is not known to be a repeat is announced as a new lead.
const KIND: &str = "lead.created";

/// How long a submission waits for a slot of a busy receiver.
const PATIENCE: Duration = Duration::from_secs(1);

/// How long a receiver that failed is left in peace.
const REST_MS: i64 = 10 * SECOND_MS;

/// The active destinations as they were when the store last answered. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Known {
    workspaces: Arc<RwLock<HashMap<WorkspaceId, KnownWorkspace>>>,
}

#[derive(Debug, Clone)]
struct KnownWorkspace {
    slug: Arc<str>,
    receivers: Vec<Arc<Receiver>>,
}

#[derive(Debug)]
struct Receiver {
    destination: DestinationForSending,
    slots: Semaphore,
    resting_until: AtomicI64,
}

impl Known {
    /// Reads all active destinations. One that cannot be opened is left out.
    ///
    /// # Errors
    /// Where the store fails; what was known stays known.
    pub async fn refresh(&self, engine: &Engine) -> Result<(), Error> {
        let reader = engine.store.reader();
        let now = engine.clock.now();
        let mut receivers: HashMap<WorkspaceId, Vec<Arc<Receiver>>> = HashMap::new();
        for row in destinations::list_all_active(&reader).await? {
            // What a platform makes of a lead depends on more than is known before it is stored.
            if Platform::of_name(&row.format).is_some() {
                continue;
            }
            if let Ok(destination) = DestinationForSending::open(&row, engine, now) {
                let slots = Semaphore::new(destination.max_in_flight);
                let receiver = Receiver { destination, slots, resting_until: AtomicI64::new(0) };
                receivers.entry(row.workspace_id).or_default().push(Arc::new(receiver));
            }
        }
        let ids: Vec<WorkspaceId> = receivers.keys().copied().collect();
        let slugs = destinations::list_workspace_slugs(&reader, &ids).await?;
        let fresh = slugs
            .into_iter()
            .filter_map(|(id, slug)| {
                Some((id, KnownWorkspace { slug: slug.into(), receivers: receivers.remove(&id)? }))
            })
            .collect();
        *self.workspaces.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn workspace(&self, id: WorkspaceId) -> Option<KnownWorkspace> {
        self.workspaces.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }
}

/// Sends a spooled submission to the destinations that want it, and gives what arrived.
pub async fn forward_spooled(engine: &Engine, prepared: &Prepared) -> Vec<Forwarded> {
    let intake = &prepared.submission.intake;
    let Some(workspace) = engine.known.workspace(intake.workspace_id) else { return Vec::new() };
    let offer = Offer {
        kind: KIND,
        project: Some(intake.project_id),
        is_test: prepared.is_test,
        environment: &engine.options.environment,
        lead: Some(FilterFacts {
            source: &intake.kind,
            source_id: intake.source_id,
            tags: prepared.submission.direct.as_ref().map(|direct| &direct.tags[..]).unwrap_or_default(),
            suspicion: Some(i64::from(prepared.suspicion.total)),
            ..FilterFacts::default()
        }),
    };
    let wanting: Vec<&Arc<Receiver>> =
        workspace.receivers.iter().filter(|receiver| receiver.destination.wants(&offer)).collect();
    let mut sends = JoinSet::new();
    for receiver in wanting {
        let Receiver { destination, .. } = &**receiver;
        let told = Told { delivery_id: delivery_for(prepared.submission.id.0, destination.id), slug: &workspace.slug };
        let body = Bytes::from(payload(prepared, &destination.shape, told, &engine.options.environment));
        sends.spawn(forward(engine.clone(), Arc::clone(receiver), prepared.submission.id, body));
    }
    sends.join_all().await.into_iter().flatten().collect()
}

async fn forward(engine: Engine, receiver: Arc<Receiver>, submission: SubmissionId, body: Bytes) -> Option<Forwarded> {
    let now = engine.clock.now();
    let is_resting = now.0 < receiver.resting_until.load(Ordering::Relaxed);
    if is_resting {
        return None;
    }
    let _slot = timeout(PATIENCE, receiver.slots.acquire()).await.ok()?.ok()?;
    let delivery_id = delivery_for(submission.0, receiver.destination.id);
    let outgoing = Outgoing { destination: &receiver.destination, event: KIND, delivery_id, body: body.clone() };
    let now = engine.clock.now();
    let timeout = receiver.destination.timeout(engine.options.delivery_timeout);
    let attempt = send_once(&engine, &outgoing, now, timeout).await;
    let Some(status) = attempt.status.filter(|_| attempt.is_delivered()) else {
        receiver.resting_until.store(engine.clock.now().plus_ms(REST_MS).0, Ordering::Relaxed);
        return None;
    };
    Some(Forwarded {
        submission,
        delivery: delivery_id,
        destination: receiver.destination.id,
        event: KIND.to_owned(),
        payload: String::from_utf8_lossy(&body).into_owned(),
        sent_at: now,
        duration_ms: attempt.duration_ms(),
        status,
    })
}

/// To whom a submission is told.
#[derive(Debug, Clone, Copy)]
struct Told<'a> {
    delivery_id: DeliveryId,
    slug: &'a str,
}

fn payload(prepared: &Prepared, shape: &Shape, told: Told<'_>, environment: &str) -> String {
    let submission = &prepared.submission;
    let intake = &submission.intake;
    let recognised = &prepared.recognised;
    let at = submission.received_at;
    let project_id = intake.project_id.to_string();
    let raw = |value: serde_json::Value| to_raw_value(&value).expect("a JSON value can be written");
    let tags = raw(json!(submission.direct.as_ref().map(|direct| direct.tags.clone()).unwrap_or_default()));
    let custom_fields = raw(json!(prepared.custom_fields));
    let mut touch = json!(recognised.touch);
    touch["at"] = json!(at);
    let touch = raw(touch);
    let fields = raw(json!(recognised.as_sent));
    let match_reason = raw(json!(null));
    let lead = || Lead {
        id: None,
        number: None,
        project_id: &project_id,
        project_name: Some(&intake.project_name),
        name: &prepared.name,
        email: prepared.email.as_deref(),
        phone: prepared.phone.as_deref(),
        company: recognised.company.as_deref(),
        title: recognised.title.as_deref(),
        source: &intake.kind,
        source_name: &intake.source_name,
        tags: &tags,
        custom_fields: &custom_fields,
        score: None,
        suspicion: Some(i64::from(prepared.suspicion.total)),
        stage: None,
        quotable: prepared.values.quotable.unwrap_or_default().as_str(),
        quote_value: prepared.values.quote.as_ref().map(Amount::to_string),
        sales_value: prepared.values.sales.as_ref().map(Amount::to_string),
        currency: currency_of(&intake.workspace_settings),
        close_reason: None,
        state: submission.chat.as_ref().map_or("completed", |chat| chat.state.as_str()),
        submission_count: 1,
        first_touch: &touch,
        last_touch: &touch,
        lead_analysis: serde_json::value::RawValue::NULL,
        created_at: at,
        updated_at: at,
    };
    let workspace = Workspace { id: intake.workspace_id, slug: told.slug };
    let facts = Facts {
        event: KIND,
        created_at: at,
        delivery_id: told.delivery_id,
        workspace,
        environment,
        is_test: prepared.is_test,
        lead: lead(),
        contact_id: None,
        phone_raw: recognised.phone_raw.as_deref(),
        country_code: recognised.country_code.as_deref(),
        context: prepared.context.clone(),
        visit: Behaviour {
            visitor_id: recognised.visitor_id.clone(),
            session_id: recognised.session_id.clone(),
            ..Behaviour::default()
        },
        suspicion_reasons: prepared.suspicion.reasons.iter().map(|reason| reason.code.to_owned()).collect(),
        related_projects: Vec::new(),
        submission: Some(Evidence {
            id: Some(submission.id),
            received_at: Some(at),
            source: &intake.kind,
            fields: recognised.as_sent.clone(),
            message: recognised.message.as_deref(),
            cta: recognised.cta.as_deref(),
            page_url: recognised.page_url.as_deref(),
            referrer: recognised.referrer.as_deref(),
            time_to_submit_ms: recognised.time_to_submit_ms,
            ip: submission.request.ip.as_deref(),
            user_agent: submission.request.user_agent.as_deref(),
        }),
        is_cause: true,
        record: None,
        touches: None,
        conversation_id: conversations::of(submission),
        last_conversation_at: None,
    };
    if let Some(text) = shape.text(&facts) {
        return text;
    }
    let part = SubmissionPart {
        id: submission.id,
        received_at: at,
        fields: &fields,
        page_url: recognised.page_url.as_deref(),
        referrer: recognised.referrer.as_deref(),
        message: recognised.message.as_deref(),
        match_reason: &match_reason,
    };
    let mut payload = Payload::new(KIND, event_of(submission.id).0, at, workspace, environment);
    payload.lead = Some(lead());
    payload.submission = Some(part);
    payload.conversation_id = conversations::of(submission);
    payload.to_text()
}

/// The event that the replay will write for this submission.
fn event_of(submission: SubmissionId) -> EventId {
    EventId(derived("leadline submission event v1", &[submission.0.as_bytes()]))
}

/// Stores what arrived from the spool as delivered, before the submissions themselves: the dispatcher then finds these
/// deliveries made.
///
/// # Errors
/// Where the store fails.
pub async fn record_forwarded(engine: &Engine, forwarded: &[(&Submission, &Forwarded)]) -> Result<(), Error> {
    let mut rows: Vec<NewDelivery> = forwarded.iter().map(|(submission, one)| delivered(submission, one)).collect();
    rows.sort_by_key(|row| row.id);
    rows.dedup_by_key(|row| row.id);
    let attempts: Vec<NewAttempt> = forwarded.iter().map(|(submission, one)| attempt(submission, one)).collect();
    let mut tx = engine.store.begin().await?;
    deliveries::insert_set(&mut tx, &rows).await?;
    deliveries::insert_attempts(&mut tx, &attempts).await?;
    tx.commit().await
}

fn delivered(submission: &Submission, forwarded: &Forwarded) -> NewDelivery {
    let finished_at = forwarded.sent_at.plus_ms(forwarded.duration_ms);
    let Timestamp(created_at) = submission.received_at;
    NewDelivery {
        id: forwarded.delivery,
        workspace_id: submission.intake.workspace_id,
        destination_id: forwarded.destination,
        event_id: event_of(submission.id),
        event: forwarded.event.clone(),
        lead_id: None,
        submission_id: Some(submission.id),
        source_id: submission.intake.source_id,
        state: State::Delivered,
        attempt_count: 1,
        plan_attempt: 1,
        next_attempt_at: finished_at.0,
        payload: Some(forwarded.payload.clone()),
        last_status: Some(i64::from(forwarded.status)),
        last_error: None,
        created_at,
        finished_at: Some(finished_at.0),
        expires_at: None,
        goal: None,
    }
}

fn attempt(submission: &Submission, forwarded: &Forwarded) -> NewAttempt {
    // Derived, so that a replay that is cut short and repeated stores one attempt.
    let id = derived("leadline spooled attempt v1", &[forwarded.delivery.0.as_bytes()]);
    NewAttempt {
        id: AttemptId(id),
        workspace_id: submission.intake.workspace_id,
        delivery_id: forwarded.delivery,
        number: 1,
        started_at: forwarded.sent_at.0,
        duration_ms: forwarded.duration_ms,
        status: Some(i64::from(forwarded.status)),
        error: None,
        request_headers: json!({}),
        response_headers: json!({}),
        response_body: None,
    }
}
