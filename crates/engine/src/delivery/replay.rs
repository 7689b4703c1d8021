//! Sending again what was sent or given up: the same delivery, with the same id and the same body.

use leadline_domain::ids::DeliveryId;
use leadline_store::{deliveries, deliveries::State};

use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// Puts a delivery back into the queue, whatever came of it. False where the workspace has no such delivery, or its
/// destination is gone.
///
/// # Errors
/// Where the store fails.
pub async fn replay_delivery(engine: &Engine, actor: &Actor, id: DeliveryId) -> Result<bool, leadline_store::Error> {
    replay(engine, actor, id, &State::ALL).await
}

/// Puts a dead letter back into the queue. False where the workspace has no such dead letter, or its destination is
/// gone.
///
/// # Errors
/// Where the store fails.
pub async fn replay_dead_letter(engine: &Engine, actor: &Actor, id: DeliveryId) -> Result<bool, leadline_store::Error> {
    replay(engine, actor, id, &[State::Dead]).await
}

async fn replay(engine: &Engine, actor: &Actor, id: DeliveryId, from: &[State]) -> Result<bool, leadline_store::Error> {
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    let replayed = deliveries::replay_set(&mut tx, actor.workspace, &[id], from, now).await?;
    if !replayed.is_empty() {
        audit::record(&mut tx, now, actor, Deed::new("delivery.replayed", id, "")).await?;
    }
    tx.commit().await?;
    engine.wake.deliveries.notify_one();
    Ok(!replayed.is_empty())
}
