//! Receivers that call back: a CRM tells what it calls the lead that it was sent, and where it stands.
//!
//! They know the delivery by its id, which only they were told. What they say is on the lead's timeline a number of
//! times; after that it is stored and not told of any more, so that a receiver in a loop fills no timeline.

use leadline_domain::{
    crm_links::CrmLink,
    ids::{ActivityId, DeliveryId, EventId},
    time::Timestamp,
};
use leadline_store::{
    Error,
    crm_links::{self, Target},
    events::{self, NewActivity, NewEvent},
};
use serde_json::{Value, json};

use crate::{ActorKind, Engine, random_bytes};

/// So many changes of one link are on the timeline.
const CHANGES_TOLD: i64 = 20;

const LINKED: &str = "crm.linked";

/// Stores what a receiver told about a delivery. False where there is no such delivery, or it is about no lead; saying
/// the same again changes nothing.
///
/// # Errors
/// Where the store fails.
pub async fn take(engine: &Engine, delivery: DeliveryId, told: CrmLink) -> Result<bool, Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let Some(target) = crm_links::lock_target(&mut tx, delivery).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    let stored = crm_links::find(&mut tx, &target).await?;
    let (known, changes) = stored.map(|stored| (stored.link, stored.change_count)).unwrap_or_default();
    let link = told.over(known.clone());
    if link == known {
        tx.rollback().await?;
        return Ok(true);
    }
    crm_links::save(&mut tx, &target, delivery, &link, now).await?;
    if changes < CHANGES_TOLD {
        events::insert_activities(&mut tx, &[activity(&target, delivery, &link, now)]).await?;
    }
    events::append(&mut tx, &[event(&target, now)]).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(true)
}

fn activity(target: &Target, delivery: DeliveryId, link: &CrmLink, now: Timestamp) -> NewActivity {
    NewActivity {
        id: ActivityId::new(now, random_bytes()),
        workspace_id: target.workspace_id,
        lead_id: target.lead_id,
        kind: LINKED.to_owned(),
        actor_kind: ActorKind::System.as_str(),
        actor_id: None,
        actor_name: target.destination_name.clone(),
        data: about(target, delivery, link),
        created_at: now.0,
    }
}

fn about(target: &Target, delivery: DeliveryId, link: &CrmLink) -> Value {
    json!({
        "destinationId": target.destination_id,
        "destinationName": target.destination_name,
        "deliveryId": delivery,
        "crmLeadId": link.crm_lead_id,
        "crmLeadUrl": link.crm_lead_url,
        "executionUrl": link.execution_url,
    })
}

/// Tells open screens; no destination can choose it.
fn event(target: &Target, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: target.workspace_id,
        kind: LINKED.to_owned(),
        lead_id: Some(target.lead_id),
        submission_id: None,
        data: json!({ "destinationId": target.destination_id }),
        created_at: now.0,
        dispatched: false,
    }
}
