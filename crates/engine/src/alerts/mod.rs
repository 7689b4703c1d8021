//! What somebody should look at: sources that went silent, destinations that fail, books that do not add up.
//!
//! [`watch`] finds out, once a minute and once for all nodes. Here is what people do: watch a source in their own way,
//! and note that they have seen an alert.

pub mod breakers;
pub mod watch;

use leadline_domain::{
    ids::{AlertId, SourceId},
    silence::BusinessHours,
};
use leadline_store::{
    Error,
    alerts::{self, Alert, SourceHealth, Watch},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// The kinds of alert.
pub const SOURCE_SILENT: &str = "source.silent";
/// A destination to which nothing gets through.
pub const DESTINATION_FAILING: &str = "destination.failing";
/// Submissions that were taken and are not stored.
pub const LEDGER_DIFFERS: &str = "ledger.differs";

/// A year, in minutes.
const LONGEST_MINUTES: i64 = 60 * 24 * 365;

/// Silence is counted for two months back.
const LONGEST_SILENCE_MINUTES: i64 = 60 * 24 * 60;

/// Why an alert or the watch over a source is not changed.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// It is not there.
    #[error("not found")]
    NotFound,
    /// A field is wrong: the field and what is wrong with it.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// How somebody wants a source to be watched.
#[derive(Debug, Clone)]
pub struct Wish {
    /// Silence of so many minutes is too long.
    pub silent_after_minutes: i64,
    /// After an alert the next one comes no sooner.
    pub cooldown_minutes: i64,
    /// When leads are to be expected; always, where there are none.
    pub business_hours: Option<BusinessHours>,
}

/// Notes that somebody has seen an alert.
///
/// # Errors
/// Where it is not there, or the database fails.
pub async fn acknowledge(engine: &Engine, actor: &Actor, id: AlertId) -> Result<Alert, AlertError> {
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    let alert = alerts::acknowledge(&mut tx, actor.workspace, id, &actor.name, now).await?;
    if let Some(alert) = &alert {
        let deed = Deed::new("alert.acknowledged", id, &alert.subject_name).with(json!({ "kind": alert.kind }));
        audit::record(&mut tx, now, actor, deed).await?;
    }
    tx.commit().await?;
    alert.ok_or(AlertError::NotFound)
}

/// Watches a source in this way, or no longer.
///
/// # Errors
/// Where it is not there, something is out of range, or the database fails.
pub async fn watch_source(
    engine: &Engine,
    actor: &Actor,
    source: SourceId,
    wish: Option<Wish>,
) -> Result<SourceHealth, AlertError> {
    let reader = engine.store.reader();
    let found = alerts::list_health(&reader, actor.workspace, Some(source)).await?;
    let name = found.first().ok_or(AlertError::NotFound)?.name.clone();
    let wish = wish.map(checked).transpose()?;
    let is_watched = wish.is_some();
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    match wish {
        Some(wish) => {
            let watch = Watch {
                silent_after_minutes: wish.silent_after_minutes,
                cooldown_minutes: wish.cooldown_minutes,
                business_hours: wish.business_hours,
                watched_since: now,
                alerted_at: None,
            };
            alerts::watch(&mut tx, actor.workspace, source, &watch).await?;
        }
        None => {
            alerts::unwatch(&mut tx, actor.workspace, source).await?;
            alerts::close(&mut tx, actor.workspace, SOURCE_SILENT, source.0, now).await?;
        }
    }
    let deed = Deed::new("source.watch_changed", source, &name).with(json!({ "isWatched": is_watched }));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    let changed = alerts::list_health(&reader, actor.workspace, Some(source)).await?;
    changed.into_iter().next().ok_or(AlertError::NotFound)
}

fn checked(wish: Wish) -> Result<Wish, AlertError> {
    if !(1..=LONGEST_SILENCE_MINUTES).contains(&wish.silent_after_minutes) {
        return Err(AlertError::Field("silentAfterMinutes", "must be 1 minute to 60 days"));
    }
    if !(0..=LONGEST_MINUTES).contains(&wish.cooldown_minutes) {
        return Err(AlertError::Field("cooldownMinutes", "must be at most a year"));
    }
    if wish.business_hours.as_ref().is_some_and(|hours| !hours.are_good()) {
        return Err(AlertError::Field("businessHours", "must name days from 1 to 7, and end after they begin"));
    }
    Ok(wish)
}

/// What stands for the whole workspace where an alert is about no single thing.
pub(crate) const WHOLE: Uuid = Uuid::nil();
