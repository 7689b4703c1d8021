//! By which time things have lived long enough: the clock, where it can be believed.
//!
//! How long what is kept, each workspace says ([`classes`]). The rule is in `leadline-domain`; what was seen of the
//! clock is kept in the store, for all nodes. A leap is logged, and becomes an alert in every workspace, until the
//! clock is put right or an operator says that it is.

pub mod classes;

use leadline_domain::{
    ids::AlertId,
    retention::{Look, Memory},
    time::{DAY_MS, MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Store, Tx,
    alerts::{self, Alert},
    schedules, workspaces,
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Engine,
    mails::{self, Change},
    random_bytes,
};

/// The row among the schedules.
const NAME: &str = "retention";

/// How often it is due: half of how often each node tries.
const PERIOD_MS: i64 = 30 * MINUTE_MS;

/// The alert that says that the clock leapt.
pub const HELD: &str = "retention.held";

/// As of when things have lived long enough; nothing, where nothing is to be deleted now, since another node did it a
/// moment ago, or nothing is known of the clock yet.
///
/// # Errors
/// Where the database fails.
pub async fn as_of(engine: &Engine) -> Result<Option<Timestamp>, Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let Some(schedule) = schedules::claim(&mut tx, NAME, PERIOD_MS, now).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let before: Memory = serde_json::from_value(schedule.state).unwrap_or_default();
    let (memory, look) = before.look(now);
    schedules::remember(&mut tx, NAME, &json!(memory)).await?;
    let is_released = before.held_ms > 0 && memory.held_ms == 0;
    let as_of = match look {
        Look::First => None,
        Look::AsOf(as_of) => Some(as_of),
        Look::Leapt(as_of) => {
            raise(engine, &mut tx, memory, now).await?;
            Some(as_of)
        }
    };
    if is_released {
        alerts::close_everywhere(&mut tx, HELD, now).await?;
    }
    tx.commit().await?;
    Ok(as_of)
}

async fn raise(engine: &Engine, tx: &mut Tx, memory: Memory, now: Timestamp) -> Result<(), Error> {
    let days = memory.held_ms / DAY_MS;
    tracing::error!(
        days,
        "the clock has leapt {days} days ahead, or Leadline did not run for so long; nothing is deleted because of it \
         until somebody runs `leadline retention confirm`"
    );
    // A further leap tells more days.
    alerts::close_everywhere(tx, HELD, now).await?;
    for workspace in workspaces::list_ids(tx).await? {
        let alert = Alert {
            id: AlertId::new(now, random_bytes()),
            workspace_id: workspace,
            kind: HELD.to_owned(),
            subject_id: Uuid::nil(),
            subject_name: "Retention".to_owned(),
            data: json!({"days": days, "believedAt": memory.believed_at}),
            opened_at: now,
            acknowledged_at: None,
            acknowledged_by: None,
            closed_at: None,
        };
        alerts::open(tx, &alert).await?;
        mails::queue(engine, tx, &alert, Change::Opened, now).await?;
    }
    Ok(())
}

/// Takes an operator's word that the clock is right, and tells how much was held back.
///
/// # Errors
/// Where the database fails.
pub async fn confirm(store: &Store, now: Timestamp) -> Result<Memory, Error> {
    let before = memory(store).await?;
    let mut tx = store.begin().await?;
    schedules::remember(&mut tx, NAME, &json!(Memory::confirm(now))).await?;
    alerts::close_everywhere(&mut tx, HELD, now).await?;
    tx.commit().await?;
    Ok(before)
}

/// What is remembered of the clock.
///
/// # Errors
/// Where the database fails.
pub async fn memory(store: &Store) -> Result<Memory, Error> {
    let state = schedules::find(&store.reader(), NAME).await?;
    Ok(state.and_then(|state| serde_json::from_value(state).ok()).unwrap_or_default())
}
