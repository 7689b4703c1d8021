//! Alerts of destinations at the moment in which their deliveries are held back, and let go: the watch would find the
//! same a minute later.

use leadline_domain::{
    ids::{AlertId, DestinationId, EventId},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    alerts::{self, Alert},
    events::{self, Event, NewEvent},
};

use super::DESTINATION_FAILING;
use crate::{
    Engine,
    mails::{self, Change},
    random_bytes,
};

/// Opens and closes alerts by these events, and tells whether that made events of its own.
///
/// # Errors
/// Where the database fails.
pub async fn follow(engine: &Engine, tx: &mut Tx, these: &[Event]) -> Result<bool, Error> {
    let now = engine.clock.now();
    let mut told = Vec::new();
    for event in these {
        let Some(destination) = event.data["destinationId"].as_str().and_then(|id| id.parse::<DestinationId>().ok())
        else {
            continue;
        };
        let alert = alert(event, destination, now);
        match event.kind.as_str() {
            "destination.breaker_opened" if alerts::open(tx, &alert).await? => {
                mails::queue(engine, tx, &alert, Change::Opened, now).await?;
                told.push(tell(event, DESTINATION_FAILING, now));
            }
            "destination.breaker_closed"
                if alerts::close(tx, event.workspace_id, DESTINATION_FAILING, destination.0, now).await? =>
            {
                mails::queue(engine, tx, &alert, Change::Closed, now).await?;
                told.push(tell(event, "destination.recovered", now));
            }
            _ => {}
        }
    }
    events::append(tx, &told).await?;
    Ok(!told.is_empty())
}

fn alert(event: &Event, destination: DestinationId, now: Timestamp) -> Alert {
    Alert {
        id: AlertId::new(now, random_bytes()),
        workspace_id: event.workspace_id,
        kind: DESTINATION_FAILING.to_owned(),
        subject_id: destination.0,
        subject_name: event.data["destinationName"].as_str().unwrap_or_default().to_owned(),
        data: event.data.clone(),
        opened_at: now,
        acknowledged_at: None,
        acknowledged_by: None,
        closed_at: None,
    }
}

fn tell(event: &Event, kind: &str, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: event.workspace_id,
        kind: kind.to_owned(),
        lead_id: None,
        submission_id: None,
        data: event.data.clone(),
        created_at: now.0,
        dispatched: false,
    }
}
