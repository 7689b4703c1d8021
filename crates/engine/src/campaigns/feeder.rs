//! Goes on with campaigns whose time has come: a step of each, in a transaction of its own.
//!
//! A step holds its campaign's row, and one that another node holds is passed over; so several nodes share the work, and
//! one that dies leaves what it had not committed to whoever looks next. Nobody is talked to from here.

use std::time::Duration;

use leadline_domain::{campaigns::State, time::SECOND_MS};
use leadline_store::{
    Error,
    campaigns::{self as stored, Campaign, recipients},
};
use tokio::sync::watch;

use super::{asking, gathering, steering, tell};
use crate::Engine;

/// Campaigns that are looked at in one round.
const AT_ONCE: i64 = 20;

/// Recipients who are given up in one transaction.
const GIVEN_UP_AT_ONCE: i64 = 1_000;

/// Polling alone must be correct; wake-ups only make it quick.
const POLL: Duration = Duration::from_millis(250);

/// How long to wait after the store refused.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Goes on until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match round(&engine).await {
            Ok(n) if n > 0 => continue,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "campaigns wait for the store");
                tokio::time::sleep(AFTER_FAILURE).await;
            }
        }
        tokio::select! {
            () = engine.wake.campaigns.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Does everything that is due now, and tells how many steps that took: for tests, which say themselves when.
///
/// # Errors
/// Where the store fails.
pub async fn feed_due(engine: &Engine) -> Result<usize, Error> {
    let mut all = 0;
    loop {
        match round(engine).await? {
            0 => return Ok(all),
            n => all += n,
        }
    }
}

/// One step of each campaign that is due, and no more: for tests that let a node die in between.
///
/// # Errors
/// Where the store fails.
pub async fn round(engine: &Engine) -> Result<usize, Error> {
    let due = stored::list_due(&engine.store.reader(), engine.clock.now(), AT_ONCE).await?;
    let mut count = 0;
    for campaign in &due {
        count += usize::from(step(engine, campaign).await?);
    }
    Ok(count)
}

/// One step; tells whether anything was done.
async fn step(engine: &Engine, campaign: &Campaign) -> Result<bool, Error> {
    match (campaign.state, &campaign.gathered) {
        (State::Running, Some(_)) => gathering::step(engine, campaign).await,
        (State::Running, None) => asking::step(engine, campaign).await,
        (State::Scheduled, _) => begin(engine, campaign).await,
        (State::Cancelled, _) => give_up(engine, campaign).await,
        (State::Draft | State::Paused | State::Finished, _) => Ok(false),
    }
}

async fn begin(engine: &Engine, campaign: &Campaign) -> Result<bool, Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let found = stored::claim(&mut tx, campaign.id).await?;
    let is_due = |one: &Campaign| one.state == State::Scheduled && one.next_at.is_some_and(|at| at <= now);
    let Some(mut standing) = found.filter(is_due) else {
        tx.rollback().await?;
        return Ok(false);
    };
    steering::begin(&mut standing, engine);
    standing.version += 1;
    standing.updated_at = now;
    stored::write(&mut tx, &standing).await?;
    tell(engine, &mut tx, &standing, "campaign.started").await?;
    tx.commit().await?;
    Ok(true)
}

async fn give_up(engine: &Engine, campaign: &Campaign) -> Result<bool, Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let found = stored::claim(&mut tx, campaign.id).await?;
    let Some(mut standing) = found.filter(|one| one.state == State::Cancelled && one.next_at.is_some()) else {
        tx.rollback().await?;
        return Ok(false);
    };
    let count = recipients::give_up(&mut tx, campaign.id, "cancelled", (now, GIVEN_UP_AT_ONCE)).await?;
    standing.skipped_count += count;
    standing.next_at = (count > 0).then_some(now);
    stored::write(&mut tx, &standing).await?;
    tx.commit().await?;
    Ok(true)
}

/// How long to wait before looking again at what others do meanwhile.
pub(super) const LOOK_AGAIN_MS: i64 = SECOND_MS / 4;
