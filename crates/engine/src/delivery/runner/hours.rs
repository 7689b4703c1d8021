//! Counting attempts by destination and hour.

use std::collections::{BTreeMap, HashSet};

use leadline_domain::{
    durations::{BUCKETS, bucket_of},
    ids::{DeliveryId, DestinationId},
    time::{HOUR_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    destination_hours::{self, Hour, Last},
};

use super::record::{Done, Result as Outcome};

/// Adds the attempts that counted. To be called last in a transaction: the rows are shared by all nodes.
pub(super) async fn count(tx: &mut Tx, done: &[Done], counted: &HashSet<DeliveryId>) -> Result<(), Error> {
    let mut hours: BTreeMap<(DestinationId, Timestamp), Hour> = BTreeMap::new();
    let mut counted: Vec<&Done> = done.iter().filter(|one| counted.contains(&one.job.id)).collect();
    counted.sort_by_key(|one| one.sent_at());
    for one in counted {
        let Outcome::Sent { attempt, at, .. } = &one.result else { continue };
        let begin = Timestamp(at.0 - at.0.rem_euclid(HOUR_MS));
        let (id, workspace_id) = (one.job.destination.id, one.job.workspace_id);
        let hour = hours.entry((id, begin)).or_insert_with(|| empty(id, workspace_id, begin));
        let last = Last { at: *at, status: attempt.status.map(i64::from), error: attempt.error.clone() };
        hour.durations[bucket_of(attempt.duration_ms())] += 1;
        if attempt.is_delivered() {
            hour.delivered += 1;
        } else {
            hour.failed += 1;
            hour.failure = Some((*at, last.error.clone().unwrap_or_default()));
        }
        hour.last = last;
    }
    let hours: Vec<Hour> = hours.into_values().collect();
    destination_hours::add(tx, &hours).await
}

fn empty(destination_id: DestinationId, workspace_id: leadline_domain::ids::WorkspaceId, hour: Timestamp) -> Hour {
    Hour {
        destination_id,
        hour,
        workspace_id,
        delivered: 0,
        failed: 0,
        durations: [0; BUCKETS],
        last: Last { at: hour, status: None, error: None },
        failure: None,
    }
}
