//! Writing down what becomes of messages, and telling it: rows, the lead's timeline and events in one transaction.

use leadline_domain::{
    ids::{ActivityId, EventId},
    messaging::Status,
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    events::{self, NewActivity, NewEvent},
    messages::outcome::{self, Moved, Standing},
};
use serde_json::{Value, json};

use crate::{Engine, random_bytes};

/// Moves messages that are locked, and tells it of those whose status is another now.
pub(super) async fn write(
    engine: &Engine,
    tx: &mut Tx,
    changes: &[(Standing, Moved)],
    now: Timestamp,
) -> Result<(), Error> {
    let moved: Vec<Moved> = changes.iter().map(|(_, moved)| moved.clone()).collect();
    outcome::move_set(tx, &moved).await?;
    let told: Vec<&(Standing, Moved)> = changes.iter().filter(|(was, is)| was.status != is.status).collect();
    let new: Vec<NewEvent> = told.iter().filter_map(|(was, is)| event(was, is, now)).collect();
    events::append(tx, &new).await?;
    let lines: Vec<NewActivity> = told.iter().filter_map(|(was, is)| activity(was, is, now)).collect();
    events::insert_activities(tx, &lines).await?;
    for (_, is) in &told {
        metrics::counter!("leadline_messages_total", "status" => is.status.as_str()).increment(1);
    }
    if !new.is_empty() {
        // Before the commit: whoever wakes too early finds the event at the next look.
        engine.wake.events.notify_one();
    }
    Ok(())
}

fn event(was: &Standing, is: &Moved, now: Timestamp) -> Option<NewEvent> {
    let kind = is.status.event()?;
    Some(NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: was.workspace_id,
        kind: kind.to_owned(),
        lead_id: was.lead_id,
        submission_id: None,
        data: json!({
            "messageId": was.id,
            "leadId": was.lead_id,
            "contactId": was.contact_id,
            "conversationId": was.conversation_id,
            "channel": was.kind,
            "channelId": was.channel_id,
            "causeKind": was.cause_kind,
            "causeId": was.cause_id,
            "step": was.cause_step,
            "from": was.status,
            "status": is.status,
            "errorCode": is.error_code,
            "error": is.error_message,
        }),
        created_at: now.0,
        dispatched: false,
    })
}

/// What somebody sent by hand is on the lead's timeline; automations and campaigns write lines of their own.
fn activity(was: &Standing, is: &Moved, now: Timestamp) -> Option<NewActivity> {
    let is_worth_a_line = matches!(is.status, Status::Sent | Status::Failed | Status::Unknown | Status::Skipped);
    if was.cause_kind.as_deref() != Some("user") || !is_worth_a_line {
        return None;
    }
    let data = json!({"messageId": was.id, "channel": was.kind, "errorCode": is.error_code, "error": is.error_message});
    line(was, is.status.event()?, data, now)
}

fn line(was: &Standing, kind: &str, data: Value, now: Timestamp) -> Option<NewActivity> {
    Some(NewActivity {
        id: ActivityId::new(now, random_bytes()),
        workspace_id: was.workspace_id,
        lead_id: was.lead_id?,
        kind: kind.to_owned(),
        actor_kind: "system",
        actor_id: None,
        actor_name: "Messaging".to_owned(),
        data,
        created_at: now.0,
    })
}
