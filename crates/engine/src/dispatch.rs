//! The switchboard: turns each event into what follows from it, in the transaction that marks the event dispatched.
//!
//! This is the only file that names every consumer: deliveries, analyses, alerts, the search index, the sources'
//! statistics, segments, automations, campaigns' figures, visits, the history of scores, the work on leads, and the
//! screens that are open now. Events are found by their flag and claimed with `SKIP LOCKED`, never by "id above my
//! cursor": ids are made before their transactions commit, so a cursor would step over the slow ones.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    time::Duration,
};

use leadline_domain::ids::{LeadId, SourceId, SubmissionId, WorkspaceId};
use leadline_store::{
    Error, analyses, deliveries, destinations,
    events::{self, Event},
    ledger::{self, Fact},
    notify, search,
    sources::{self, Received},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::{sync::watch, time::Instant};

use crate::{Engine, alerts, automations, campaigns, crm, delivery, live::LiveHint, scoring, visits, work};

/// The event that says what a message says.
const ANALYSED: &str = "lead.analysed";

/// Events in one transaction.
const BATCH: i64 = 512;

/// Polling alone must be correct; wake-ups only make it quick.
const POLL: Duration = Duration::from_millis(500);

/// How much time is at least between two dispatches, in which events gather. Each dispatch is a commit of its own, and
/// on SQLite submissions wait behind it.
const GATHER: Duration = Duration::from_millis(20);

/// The same while submissions crowd: fewer and larger transactions leave them more of the writer.
const GATHER_IN_A_CROWD: Duration = Duration::from_millis(100);

/// More messages of campaigns in one dispatch are told of campaign by campaign.
const CROWD: usize = 32;

/// How long to wait after the store refused, before asking it again.
const AFTER_FAILURE: Duration = Duration::from_millis(500);

/// Dispatches until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let begun = Instant::now();
        match dispatch_batch(&engine).await {
            Ok(full) if full => continue,
            Ok(_) => {
                tokio::select! {
                    () = engine.wake.events.notified() => {
                        let gather = if engine.door.is_crowded() { GATHER_IN_A_CROWD } else { GATHER };
                        tokio::time::sleep_until(begun + gather).await;
                    }
                    () = tokio::time::sleep(POLL) => {}
                    _ = stop.changed() => {}
                }
            }
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "events cannot be dispatched now");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
    }
}

/// Dispatches everything that waits now.
///
/// # Errors
/// Where the database fails; what was dispatched before stays so.
pub async fn dispatch_all(engine: &Engine) -> Result<(), Error> {
    while dispatch_batch(engine).await? {}
    Ok(())
}

/// Dispatches one batch and tells whether there may be more.
async fn dispatch_batch(engine: &Engine) -> Result<bool, Error> {
    let mut tx = engine.store.begin().await?;
    let events = events::claim_undispatched(&mut tx, BATCH).await?;
    if events.is_empty() {
        tx.rollback().await?;
        return Ok(false);
    }
    let workspaces: BTreeSet<WorkspaceId> = events.iter().map(|event| event.workspace_id).collect();
    let destinations = destinations::list_active(&mut tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
    visits::follow(engine, &mut tx, &events).await?;
    scoring::history::follow(&mut tx, &events).await?;
    let has_moved = crm::membership::follow(engine, &mut tx, &events).await?;
    let has_steps = automations::follow(engine, &mut tx, &events).await?;
    let told = campaigns::figures::follow(engine, &mut tx, &events).await?;
    let leads = deliveries::lead_facts(&mut tx, &leads_of(&events, |_| true)).await?;
    let jobs = delivery::jobs_for(&events, &destinations, &leads, &engine.options.environment);
    deliveries::insert_set(&mut tx, &jobs).await?;
    book_stored(&mut tx, &events).await?;
    sources::add_received(&mut tx, &received(&events)).await?;
    search::index(&mut tx, &reworded_leads(&events)).await?;
    let has_more = alerts::breakers::follow(engine, &mut tx, &events).await?;
    let leads_wait = work::follow(engine, &mut tx, &events, &leads).await?;
    let analyses = analyses::enqueue(&mut tx, &messages(&events), engine.clock.now()).await?;
    events::mark_dispatched(&mut tx, &events.iter().map(|event| event.id).collect::<Vec<_>>()).await?;
    let hints = hints(&events, &told);
    tell_other_nodes(engine, &mut tx, &hints).await?;
    tx.commit().await?;
    metrics::counter!("leadline_events_dispatched_total").increment(events.len() as u64);
    hints.into_iter().for_each(|hint| engine.live.publish(hint));
    if !jobs.is_empty() {
        engine.wake.deliveries.notify_one();
    }
    if leads_wait {
        engine.wake.work.notify_one();
    }
    if has_steps {
        engine.wake.automations.notify_one();
    }
    if analyses > 0 {
        engine.wake.analyses.notify_one();
    }
    Ok(has_more || has_moved || events.len() == usize::try_from(BATCH).unwrap_or(usize::MAX))
}

/// Books the submissions that announced themselves as stored, where their rows are there: a second look, after the
/// commit that their senders were told of.
async fn book_stored(tx: &mut leadline_store::Tx, events: &[Event]) -> Result<(), Error> {
    let announced = || events.iter().filter(|event| delivery::jobs::is_announcement(&event.kind));
    let ids: Vec<SubmissionId> = announced().filter_map(|event| event.submission_id).collect();
    let seen: HashSet<SubmissionId> = ledger::seen(tx, &ids).await?.into_iter().collect();
    let mut notes = ledger::Notes::default();
    for event in announced().filter(|event| event.submission_id.is_some_and(|id| seen.contains(&id))) {
        notes.add(event.workspace_id, event.source_id(), event.created_at, Fact::Stored, 1);
    }
    ledger::write(tx, &notes).await
}

/// Which leads read differently in a search now: neither a score nor an analysis changes what is searched.
fn reworded_leads(events: &[Event]) -> Vec<LeadId> {
    leads_of(events, |event| event.kind != "lead.scored" && event.kind != ANALYSED)
}

fn leads_of(events: &[Event], counts: impl Fn(&Event) -> bool) -> Vec<LeadId> {
    let about_leads = events.iter().filter(|event| event.kind.starts_with("lead.") && counts(event));
    about_leads.filter_map(|event| event.lead_id).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The submissions that may bring a message to be analysed.
fn messages(events: &[Event]) -> Vec<SubmissionId> {
    let brought_in = events.iter().filter(|event| event.kind != ANALYSED);
    brought_in.filter_map(|event| event.submission_id).collect::<BTreeSet<_>>().into_iter().collect()
}

/// How many submissions each source had.
fn received(events: &[Event]) -> Vec<Received> {
    let mut sources: BTreeMap<SourceId, Received> = BTreeMap::new();
    for event in events.iter().filter(|event| event.submission_id.is_some()) {
        let Some(id) = event.source_id() else { continue };
        let row = sources.entry(id).or_insert(Received { id, n: 0, at: 0 });
        row.n += 1;
        row.at = row.at.max(event.created_at.0);
    }
    sources.into_values().collect()
}

/// What screens are told. Of a campaign's messages not one by one, where they crowd.
fn hints(events: &[Event], told: &campaigns::figures::Told) -> Vec<LiveHint> {
    let is_crowd = told.count > CROWD;
    let one_by_one = events.iter().filter(|event| !(is_crowd && campaigns::figures::is_of_campaign(event)));
    let of_campaigns = told.campaigns.iter().map(|(workspace, campaign)| LiveHint {
        workspace: *workspace,
        event: "campaign".to_owned(),
        data: json!({"kind": "campaign.progressed", "campaignId": campaign}),
    });
    one_by_one.filter_map(hint).chain(of_campaigns).collect()
}

fn hint(event: &Event) -> Option<LiveHint> {
    if event.is_quiet() {
        return None;
    }
    let (subject, _) = event.kind.split_once('.')?;
    let named = |name: &str| event.data.get(name).cloned().unwrap_or(Value::Null);
    let data = match subject {
        "lead" | "note" | "crm" => json!({
            "kind": event.kind, "leadId": event.lead_id, "stageId": named("stageId"),
            "fromStageId": named("fromStageId"), "pipelineId": named("pipelineId"), "op": named("op"),
        }),
        "delivery" => json!({
            "kind": event.kind, "leadId": event.lead_id, "deliveryId": named("deliveryId"),
            "destinationId": named("destinationId"),
        }),
        "task" => json!({"kind": event.kind, "leadId": event.lead_id, "taskId": named("taskId")}),
        "contact" => json!({"kind": event.kind, "contactId": named("contactId")}),
        "message" | "conversation" => json!({
            "kind": event.kind, "leadId": event.lead_id, "messageId": named("messageId"),
            "conversationId": named("conversationId"), "causeId": named("causeId"), "status": named("status"),
        }),
        "source" | "destination" | "scoring" | "replay" => json!({"kind": event.kind}),
        "campaign" => json!({"kind": event.kind, "campaignId": named("campaignId")}),
        // How far it is, so that a screen moves without asking.
        "job" => event.data.clone(),
        _ => return None,
    };
    let event_name = match subject {
        "delivery" => "delivery",
        "source" | "destination" => "alert",
        "contact" => "contact",
        "message" | "conversation" => "message",
        "campaign" => "campaign",
        "scoring" => "scoring",
        "replay" => "replay",
        "job" => "job",
        "task" => "task",
        _ => "lead",
    };
    Some(LiveHint { workspace: event.workspace_id, event: event_name.to_owned(), data })
}

/// A hint on its way to other nodes, with the node that sends it, which has told its own screens already.
#[derive(Serialize, Deserialize)]
struct Wire {
    node: String,
    hints: Vec<LiveHint>,
}

async fn tell_other_nodes(engine: &Engine, tx: &mut leadline_store::Tx, hints: &[LiveHint]) -> Result<(), Error> {
    for few in hints.chunks(8) {
        let wire = Wire { node: engine.node.to_string(), hints: few.to_vec() };
        let text = serde_json::to_string(&wire).expect("a hint is made of ids and names");
        if text.len() <= notify::LARGEST_BYTES {
            notify::publish(tx, &text).await?;
        }
    }
    Ok(())
}

/// Hears the hints of other nodes until `stop` says otherwise.
pub(crate) async fn hear_other_nodes(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match notify::Listener::open(&engine.store).await {
            Ok(None) => return,
            Ok(Some(listener)) => hear(&engine, listener, &mut stop).await,
            Err(error) => {
                tracing::debug!(error = &error as &dyn std::error::Error, "hints of other nodes cannot be heard now");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(AFTER_FAILURE) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn hear(engine: &Engine, mut listener: notify::Listener, stop: &mut watch::Receiver<bool>) {
    let mut reconnections = engine.store.reconnections();
    loop {
        let text = tokio::select! {
            text = listener.next() => text,
            // The listener's own connection shared the others' fate.
            () = reconnections.next() => return,
            _ = stop.changed() => return,
        };
        let Ok(text) = text else { return };
        let Ok(wire) = serde_json::from_str::<Wire>(&text) else { continue };
        let is_another_node = wire.node != engine.node.to_string();
        if is_another_node {
            wire.hints.into_iter().for_each(|hint| engine.live.publish(hint));
        }
    }
}
