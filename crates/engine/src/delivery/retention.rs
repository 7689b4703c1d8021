//! What is over is deleted: replays after a month, figures by the hour after three, secrets when they sign no more.
//! Deliveries go with their class: see [`crate::retention::classes`].

use leadline_domain::time::{DAY_MS, Timestamp};
use leadline_store::{Error, Store, deliveries, destination_hours, destinations};

use crate::Engine;

const REPLAYS_KEPT_MS: i64 = 30 * DAY_MS;

/// The newest hour of a destination tells what its last answer was.
const HOURS_KEPT_MS: i64 = 90 * DAY_MS;

/// Deleted in one transaction: few enough that nobody waits for the writer for long.
const CHUNK: i64 = 500;

/// Deletes what is over by `now` and cancels what was left behind by a deletion.
///
/// # Errors
/// Where the store fails; what was deleted before that stays deleted.
pub async fn retain(engine: &Engine, now: Timestamp) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    deliveries::cancel_orphans(&mut tx, now).await?;
    destinations::wipe_previous(&mut tx, now).await?;
    tx.commit().await?;
    while delete_chunk(&engine.store, now).await? > 0 {}
    Ok(())
}

async fn delete_chunk(store: &Store, now: Timestamp) -> Result<u64, Error> {
    let mut tx = store.begin().await?;
    let replays = deliveries::replays::delete_finished(&mut tx, now.plus_ms(-REPLAYS_KEPT_MS), CHUNK).await?;
    let hours = destination_hours::delete_old(&mut tx, now.plus_ms(-HOURS_KEPT_MS), CHUNK).await?;
    tx.commit().await?;
    Ok(replays + hours)
}
