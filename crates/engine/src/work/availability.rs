//! When a member works, and how long they are away.

use leadline_domain::{ids::UserId, silence::BusinessHours, time::Timestamp};
use leadline_store::workers;
use serde_json::json;

use super::WorkError;
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// What somebody says of a member's times. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct TimesEdit {
    /// Until when they are away; not, where it is `Some(None)`.
    pub away_until: Option<Option<Timestamp>>,
    /// Their own hours; the workspace's, where it is `Some(None)`.
    pub hours: Option<Option<BusinessHours>>,
}

/// Says when a member works. Who may say it of others is the caller's to know.
///
/// # Errors
/// Where they are no member, or the hours cannot be so.
pub async fn set(engine: &Engine, actor: &Actor, user: UserId, edit: TimesEdit) -> Result<(), WorkError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut found = workers::find_in(&mut tx, actor.workspace, &[user]).await?;
    let worker = found.remove(&user).ok_or(WorkError::NotFound)?;
    let away_until = edit.away_until.unwrap_or(worker.away_until).filter(|until| *until > now);
    let hours = edit.hours.unwrap_or_else(|| worker.hours.clone());
    if hours.as_ref().is_some_and(|hours| !hours.are_good()) {
        return Err(WorkError::field("/hours", "must name days from 1 to 7, and end after they begin"));
    }
    workers::set_times(&mut tx, actor.workspace, user, away_until, hours.as_ref()).await?;
    let data = json!({"awayUntil": away_until, "hours": hours});
    audit::record(&mut tx, now, actor, Deed::new("availability.updated", user, &worker.name).with(data)).await?;
    Ok(tx.commit().await?)
}
