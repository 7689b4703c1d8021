//! What results say of their receivers: breakers open and close in the transaction that records them.

use std::collections::{BTreeMap, HashSet};

use leadline_domain::{
    breaker::{Breaker, Change, Sign, guards, sign_of},
    ids::{DeliveryId, DestinationId, EventId},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    breakers::{self, Held},
    events::{self, NewEvent},
};
use serde_json::json;

use super::record::{Done, Result as Outcome};
use crate::random_bytes;

/// What an attempt said of its receiver.
struct Heard<'a> {
    sign: Sign,
    was_probe: bool,
    at: Timestamp,
    status: Option<u16>,
    error: Option<&'a str>,
}

/// Counts failures in a row, opens and closes. Gives the breakers that changed, for the lanes, and whether there are
/// events.
pub(super) async fn observe(
    tx: &mut Tx,
    done: &[Done],
    counted: &HashSet<DeliveryId>,
) -> Result<(Vec<(DestinationId, Breaker)>, bool), Error> {
    let heard = heard(done, counted);
    if heard.is_empty() {
        return Ok((Vec::new(), false));
    }
    let fails = |all: &Vec<Heard<'_>>| all.iter().any(|one| one.sign == Sign::Failing);
    let (failing, others): (Vec<_>, Vec<_>) = heard.iter().partition(|(_, all)| fails(all));
    let ids = |some: Vec<(&DestinationId, &Vec<Heard<'_>>)>| some.into_iter().map(|(id, _)| *id).collect::<Vec<_>>();
    let mut changed = Vec::new();
    let mut told = Vec::new();
    for held in breakers::lock(tx, &ids(failing), &ids(others)).await? {
        let mut breaker = held.breaker;
        for one in heard.get(&held.id).into_iter().flatten() {
            let (next, change) = breaker.after(one.sign, one.was_probe, one.at);
            breaker = next;
            if let Some(change) = change {
                log(&held, change, one);
                told.push(event(&held, change, one));
            }
            if change == Some(Change::Closed) {
                breakers::bring_forward(tx, held.id, one.at).await?;
            }
        }
        if breaker != held.breaker {
            changed.push((held.id, breaker));
        }
    }
    breakers::save(tx, &changed).await?;
    events::append(tx, &told).await?;
    Ok((changed, !told.is_empty()))
}

/// By destination, in the order in which it was heard.
fn heard<'a>(done: &'a [Done], counted: &HashSet<DeliveryId>) -> BTreeMap<DestinationId, Vec<Heard<'a>>> {
    let mut heard: BTreeMap<DestinationId, Vec<Heard<'a>>> = BTreeMap::new();
    for one in done.iter().filter(|one| counted.contains(&one.job.id) && guards(one.job.destination.retry_plan)) {
        let Outcome::Sent { attempt, at, .. } = &one.result else { continue };
        heard.entry(one.job.destination.id).or_default().push(Heard {
            sign: sign_of(&attempt.outcome),
            was_probe: one.job.is_probe,
            at: *at,
            status: attempt.status,
            error: attempt.error.as_deref(),
        });
    }
    heard.values_mut().for_each(|all| all.sort_by_key(|one| one.at));
    heard
}

fn log(held: &Held, change: Change, heard: &Heard<'_>) {
    match change {
        Change::Opened => tracing::warn!(
            destination.id = %held.id, status = heard.status, error = heard.error,
            "a destination fails again and again; its deliveries are held back"
        ),
        Change::Closed => {
            tracing::info!(destination.id = %held.id, "a destination answers again; its deliveries go out")
        }
    }
}

fn event(held: &Held, change: Change, heard: &Heard<'_>) -> NewEvent {
    let kind = match change {
        Change::Opened => "destination.breaker_opened",
        Change::Closed => "destination.breaker_closed",
    };
    NewEvent {
        id: EventId::new(heard.at, random_bytes()),
        workspace_id: held.workspace_id,
        kind: kind.to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({
            "destinationId": held.id, "destinationName": held.name, "projectId": held.project_id,
            "disabledReason": null, "status": heard.status, "error": heard.error,
        }),
        created_at: heard.at.0,
        dispatched: false,
    }
}
