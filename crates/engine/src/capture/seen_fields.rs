//! Which custom fields submissions bring, counted for the list of fields.
//!
//! Best effort, and never in the way of a submission: what a node saw gathers in bounded memory and is written every few
//! seconds, one statement or two for a workspace. What was not yet written when a node dies is not counted.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use leadline_domain::{custom_fields::is_usable_key, ids::WorkspaceId, time::Timestamp};
use leadline_store::{
    Error,
    custom_fields::{Seen, add_seen},
};

use super::Prepared;
use crate::Engine;

/// How long sightings gather.
pub(crate) const WRITE_EVERY: Duration = Duration::from_secs(5);

/// Fields that wait to be written. Beyond it new ones are left out: memory is for submissions.
const MOST_WAITING: usize = 10_000;

/// The longest name that is kept, in characters.
const NAME_MAX_CHARS: usize = 100;

/// What was seen and not yet written. In the order in which rows are written.
#[derive(Clone, Default)]
pub struct SeenFields(Arc<Mutex<BTreeMap<(WorkspaceId, String), Seen>>>);

impl SeenFields {
    pub(super) fn note(&self, prepared: &Prepared) {
        let (workspace, at) = (prepared.submission.intake.workspace_id, prepared.submission.received_at);
        let names = prepared.custom_fields.get("_displayNames");
        for key in prepared.custom_fields.keys().filter(|key| is_usable_key(key)) {
            let name = names.and_then(|names| names[key.as_str()].as_str()).unwrap_or(key);
            self.add(workspace, key, name, 1, at);
        }
    }

    fn add(&self, workspace: WorkspaceId, key: &str, name: &str, count: i64, at: Timestamp) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = waiting.len() >= MOST_WAITING;
        match waiting.entry((workspace, key.to_owned())) {
            Entry::Occupied(mut known) => {
                known.get_mut().seen_count += count;
                known.get_mut().last_seen_at = known.get().last_seen_at.max(at.0);
            }
            Entry::Vacant(_) if is_full => {}
            Entry::Vacant(place) => {
                let name = name.chars().take(NAME_MAX_CHARS).collect();
                let (key, last_seen_at) = (key.to_owned(), at.0);
                place.insert(Seen { workspace_id: workspace, key, name, seen_count: count, last_seen_at });
            }
        }
    }

    fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_values().collect()
    }
}

/// Writes what gathered.
///
/// # Errors
/// Where the database fails; what was not written waits for the next time.
pub async fn write_seen(engine: &Engine) -> Result<(), Error> {
    let seen = engine.door.seen_fields();
    let waiting = seen.take();
    for (done, rows) in groups(&waiting) {
        if let Err(error) = write(engine, rows).await {
            for row in &waiting[done..] {
                seen.add(row.workspace_id, &row.key, &row.name, row.seen_count, Timestamp(row.last_seen_at));
            }
            return Err(error);
        }
    }
    Ok(())
}

/// The rows of each workspace, with how many come before them.
fn groups(rows: &[Seen]) -> impl Iterator<Item = (usize, &[Seen])> {
    let mut done = 0;
    rows.chunk_by(|one, other| one.workspace_id == other.workspace_id).map(move |group| {
        let before = done;
        done += group.len();
        (before, group)
    })
}

async fn write(engine: &Engine, rows: &[Seen]) -> Result<(), Error> {
    let Some(first) = rows.first() else { return Ok(()) };
    let mut tx = engine.store.begin().await?;
    add_seen(&mut tx, first.workspace_id, rows).await?;
    tx.commit().await
}
