//! The clock of the first answer: what stops it, and what is told when its time is over.
//!
//! A person stops it: by moving the lead, by a note, by writing to whoever is behind it. What programs do counts for
//! nothing, and that somebody was given the lead only where the workspace says so. Who acts holds the lead, and whoever
//! starts a clock or tells of one holds it as well and looks who acted, so that no act is overlooked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    personal_alerts::AlertKind,
    silence::Tz,
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    arrivals::{self, Arrival, ArrivalKind},
    events::{self, Event},
    leads::{self, Locked},
    personal_alerts,
    responses::{self, Act, Answer, Clock},
    work_settings::{self, WorkSettings},
    workspaces,
};
use serde_json::{Value, json};

use super::{
    Context,
    alerts::{Telling, tell},
    arrivals::ACTOR,
    calendar_of,
};
use crate::{Actor, Engine, conditions::timezone_of};

/// Lines of a timeline by which a person answers.
const ANSWERS: [&str; 3] = ["lead.stage_changed", "note.added", "lead.converted"];

/// The event of a message that left, which says whether a person sent it: `causeKind` is `user`.
const SENT: &str = "message.sent";

/// The one that counts where the workspace says so.
const ASSIGNED: &str = "lead.assigned";

/// Leads of which something is told in one go.
const AT_ONCE: i64 = 200;

/// What is told of leads that wait, and is over with the answer.
const ALERTS: [AlertKind; 2] = [AlertKind::ResponseOverdue, AlertKind::ResponseEscalated];

/// Stops the clocks of leads that were answered.
pub(super) async fn follow(tx: &mut Tx, events: &[Event]) -> Result<(), Error> {
    let mut acted: BTreeMap<WorkspaceId, BTreeSet<LeadId>> = BTreeMap::new();
    let mut sent: Vec<Act> = Vec::new();
    for event in events {
        let Some(lead) = event.lead_id else { continue };
        let is_sent_by_hand = event.kind == SENT && event.data["causeKind"] == "user";
        if is_sent_by_hand {
            sent.push(Act { lead_id: lead, by: None, at: event.created_at });
        }
        if is_sent_by_hand || event.kind == ASSIGNED || ANSWERS.contains(&&*event.kind) {
            acted.entry(event.workspace_id).or_default().insert(lead);
        }
    }
    for (workspace, leads) in acted {
        let leads: Vec<LeadId> = leads.into_iter().collect();
        if responses::lock_running(tx, &leads).await?.is_empty() {
            continue;
        }
        let settings = work_settings::find_in(tx, workspace).await?;
        let found = workspaces::settings_of(tx, &[workspace]).await?;
        let timezone = timezone_of(&found.into_iter().next().map_or(Value::Null, |(_, settings)| settings));
        stop(tx, &leads, (&settings, timezone), &sent).await?;
    }
    Ok(())
}

/// Stops the clocks of those of these leads that a person acted on, and tells which those are.
pub(super) async fn settle(
    tx: &mut Tx,
    leads: &[LeadId],
    settings: (&WorkSettings, Tz),
) -> Result<HashSet<LeadId>, Error> {
    stop(tx, leads, settings, &[]).await
}

/// The same, with what is known of messages that were sent.
async fn stop(
    tx: &mut Tx,
    leads: &[LeadId],
    (settings, timezone): (&WorkSettings, Tz),
    sent: &[Act],
) -> Result<HashSet<LeadId>, Error> {
    let running = responses::lock_running(tx, leads).await?;
    let kinds: Vec<&str> = ANSWERS.into_iter().chain(settings.counts_assignment.then_some(ASSIGNED)).collect();
    let calendar = calendar_of(settings, timezone);
    let started: HashMap<LeadId, Timestamp> = running.iter().map(|clock| (clock.lead_id, clock.started_at)).collect();
    let mut acts = responses::first_acts(tx, &running, &kinds).await?;
    acts.extend(sent.iter().filter(|act| started.get(&act.lead_id).is_some_and(|begun| *begun <= act.at)));
    acts.sort_by_key(|act| (act.lead_id, act.at));
    acts.dedup_by_key(|act| act.lead_id);
    let answers: Vec<Answer> = acts
        .iter()
        .map(|act| Answer {
            lead_id: act.lead_id,
            answered_at: act.at.0,
            answered_by: act.by,
            answered_in_ms: calendar.between_ms(started[&act.lead_id], act.at),
        })
        .collect();
    responses::stop(tx, &answers).await?;
    let answered: Vec<LeadId> = answers.iter().map(|answer| answer.lead_id).collect();
    personal_alerts::delete_of_leads(tx, &answered, &ALERTS.map(AlertKind::as_str)).await?;
    Ok(answered.into_iter().collect())
}

/// Tells of leads that wait for too long, each step of each once; tells how many leads were looked at.
///
/// # Errors
/// Where the database fails.
pub async fn escalate_due(engine: &Engine) -> Result<usize, Error> {
    let due = responses::list_due(&engine.store.reader(), engine.clock.now(), AT_ONCE).await?;
    let mut of_workspace: BTreeMap<WorkspaceId, Vec<LeadId>> = BTreeMap::new();
    for (workspace, lead) in &due {
        of_workspace.entry(*workspace).or_default().push(*lead);
    }
    for (workspace, mut leads) in of_workspace {
        leads.sort_unstable();
        match escalate(engine, workspace, &leads).await {
            // Somebody was quicker; what is left is due still.
            Ok(()) | Err(Error::Contended) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(due.len())
}

async fn escalate(engine: &Engine, workspace: WorkspaceId, ids: &[LeadId]) -> Result<(), Error> {
    let context = Context::load(engine, workspace).await?;
    let mut tx = engine.store.begin().await?;
    let locked = leads::lock(&mut tx, workspace, ids).await?;
    let answered = settle(&mut tx, ids, (&context.settings, context.timezone())).await?;
    let running = responses::lock_running(&mut tx, ids).await?;
    let is_due = |clock: &&Clock| clock.next_at.is_some_and(|at| at <= context.now);
    let mut telling = Vec::new();
    for clock in running.iter().filter(is_due).filter(|clock| !answered.contains(&clock.lead_id)) {
        let lead = locked.iter().find(|lead| lead.id == clock.lead_id && lead.deleted_at.is_none());
        match lead {
            Some(lead) => telling.extend(step(&mut tx, engine, &context, (clock, lead)).await?),
            // Nobody answers who is not there.
            None => responses::note_told(&mut tx, clock.lead_id, (None, None), None).await?,
        }
    }
    tell(engine, &mut tx, workspace, &telling).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

/// Tells of one lead what is to be told now, and gives whom to tell.
async fn step(
    tx: &mut Tx,
    engine: &Engine,
    context: &Context,
    (clock, lead): (&Clock, &Locked),
) -> Result<Vec<Telling>, Error> {
    let now = context.now;
    let is_first = clock.told_at.is_none();
    let chosen = || context.settings.escalate_to.clone();
    let (kind, users, next) = if is_first {
        // Of a lead that is nobody's those are told who are to know in the end.
        let users = lead.assigned_to.map_or_else(chosen, |owner| vec![owner]);
        (AlertKind::ResponseOverdue, users, clock.escalate_at)
    } else {
        (AlertKind::ResponseEscalated, chosen(), None)
    };
    let told = if is_first { (Some(now), None) } else { (None, Some(now)) };
    responses::note_told(tx, lead.id, told, next).await?;
    if !is_first && context.settings.reassigns {
        let arrival = Arrival {
            lead_id: lead.id,
            workspace_id: clock.workspace_id,
            kind: ArrivalKind::Overdue,
            starts_clock: false,
            arrived_at: now.0,
            due_at: now.0,
        };
        arrivals::insert(tx, &[arrival]).await?;
        engine.wake.work.notify_one();
    }
    let actor = Actor::system(clock.workspace_id, ACTOR);
    let minutes = context.calendar().between_ms(clock.started_at, clock.due_at) / MINUTE_MS;
    let line = engine.activity(&actor, lead.id, kind.as_str(), json!({"targetMinutes": minutes}));
    events::insert_activities(tx, &[line]).await?;
    let name = if is_first { "lead.response_overdue" } else { "lead.response_escalated" };
    let data = json!({"pipelineId": lead.pipeline_id, "stageId": lead.stage_id, "dueAt": clock.due_at});
    events::append(tx, &[engine.event(clock.workspace_id, lead.id, name, data)]).await?;
    Ok(users.into_iter().map(|user| Telling::of_lead(user, kind, lead.id)).collect())
}
