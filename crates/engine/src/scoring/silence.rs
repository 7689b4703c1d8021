//! What silence takes: once a day, the leads of workspaces that want it are scored again.

use leadline_domain::{
    scores::{Scoring, Weight, history::Cause},
    time::{DAY_MS, Timestamp},
};
use leadline_store::{Error, schedules, scoring::jobs, workspaces};

use super::rescore::queue;
use crate::Engine;

/// The row among the schedules.
const NAME: &str = "silence";

/// Re-scores that ended are kept so long.
const JOB_LIFE_MS: i64 = 30 * DAY_MS;

/// Jobs deleted in one transaction.
const DELETE_AT_ONCE: i64 = 1_000;

/// Who begins the daily ones.
const BY: &str = "Leadline";

/// Begins what is due at the believed time `as_of`, and forgets jobs that ended long ago. Where a re-score goes on
/// already, tomorrow will do.
///
/// # Errors
/// Where the database fails.
pub async fn retain(engine: &Engine, as_of: Timestamp) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    if schedules::claim(&mut tx, NAME, DAY_MS, as_of).await?.is_none() {
        return tx.rollback().await;
    }
    let ids = workspaces::list_ids(&mut tx).await?;
    for (workspace, settings) in workspaces::settings_of(&mut tx, &ids).await? {
        let silence_counts = Scoring::of(&settings).weights[Weight::Silence] > 0;
        if silence_counts {
            queue(engine, &mut tx, workspace, Cause::Silence, BY, as_of).await?;
        }
    }
    jobs::delete_finished(&mut tx, as_of.plus_ms(-JOB_LIFE_MS), DELETE_AT_ONCE).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}
