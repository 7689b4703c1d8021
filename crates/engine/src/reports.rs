//! Keeps the facts of large workspaces packed by days, so that a report over a year of very many leads is quick. What is
//! asked of them, and what they add up to, is read without the engine; without this work reports are slower, and the
//! same.

use leadline_domain::{
    ids::WorkspaceId,
    time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp},
};
use leadline_store::{Error, reports::days, schedules};

use crate::Engine;

const NAME: &str = "reports";

/// How often days are looked at, by whichever node comes first.
const PERIOD_MS: i64 = 50 * SECOND_MS;

/// Smaller workspaces are read lead by lead in no time.
pub const LARGE: i64 = 20_000;

/// A day is packed so long after it was announced: longer than any transaction takes, so that each change that was under
/// way is in the leads by then.
const SETTLED_MS: i64 = MINUTE_MS;

/// Of how many days facts are packed. Leads that are older, as imports bring them, are read one by one.
const DAYS_MAX: i64 = 3_660;

/// Announces the days that are over, and packs those that were announced and those that changed since.
///
/// # Errors
/// Where the database fails; what was packed before stays so.
pub async fn keep(engine: &Engine, large: i64) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    if schedules::claim(&mut tx, NAME, PERIOD_MS, now).await?.is_none() {
        return tx.rollback().await;
    }
    tx.commit().await?;
    for workspace in days::large_workspaces(&engine.store.reader(), large).await? {
        keep_days(engine, workspace, now).await?;
    }
    Ok(())
}

async fn keep_days(engine: &Engine, workspace: WorkspaceId, now: Timestamp) -> Result<(), Error> {
    let reader = engine.store.reader();
    let Some(first) = days::first_day(&reader, workspace).await? else { return Ok(()) };
    let today = now.0.div_euclid(DAY_MS);
    let first = first.max(today - DAYS_MAX);
    let known = days::list(&reader, workspace, first).await?;
    let is_due = |day: &&days::Day| !day.is_packed && now.ms_since(day.announced_at) >= SETTLED_MS;
    for day in known.iter().filter(is_due) {
        let Some(read) = days::read_day(&reader, workspace, day.day).await? else { continue };
        let mut tx = engine.store.begin().await?;
        days::keep(&mut tx, workspace, read).await?;
        tx.commit().await?;
    }
    let is_known = |day: &i64| known.binary_search_by_key(day, |known| known.day).is_ok();
    let new: Vec<i64> = (first..today).filter(|day| !is_known(day)).collect();
    let mut tx = engine.store.begin().await?;
    days::announce(&mut tx, workspace, &new, now).await?;
    tx.commit().await
}
