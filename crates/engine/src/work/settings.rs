//! When a workspace works, how soon it wants to answer, and who is told where it does not.

use std::collections::BTreeSet;

use leadline_domain::{ids::UserId, silence::BusinessHours, working_time::NaiveDate};
use leadline_store::{
    work_settings::{self as stored, WorkSettings},
    workers,
};
use serde_json::{Value, json};

use super::{WorkError, distinct, rules::LONGEST_MINUTES};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// Days without work that are kept.
const HOLIDAYS_MAX: usize = 400;

/// People who are told in the end.
const TOLD_MAX: usize = 50;

/// What somebody sets. What is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of the settings under their own names")]
pub struct SettingsEdit {
    pub hours: Option<Option<BusinessHours>>,
    pub holidays: Option<BTreeSet<NaiveDate>>,
    pub respond_within_minutes: Option<Option<i64>>,
    pub escalate_after_minutes: Option<Option<i64>>,
    pub escalate_to: Option<Vec<UserId>>,
    pub reassigns: Option<bool>,
    pub counts_assignment: Option<bool>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Changes the settings. Clocks that run go on by what was set when they started.
///
/// # Errors
/// Where they cannot be so, or were changed since.
pub async fn change(engine: &Engine, actor: &Actor, edit: SettingsEdit) -> Result<(), WorkError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let before = stored::lock(&mut tx, actor.workspace).await?;
    if edit.version.is_some_and(|version| version != before.version) {
        return Err(WorkError::Stale);
    }
    let mut after = WorkSettings {
        hours: edit.hours.unwrap_or_else(|| before.hours.clone()),
        holidays: edit.holidays.unwrap_or_else(|| before.holidays.clone()),
        respond_within_minutes: edit.respond_within_minutes.unwrap_or(before.respond_within_minutes),
        escalate_after_minutes: edit.escalate_after_minutes.unwrap_or(before.escalate_after_minutes),
        escalate_to: edit.escalate_to.map_or_else(|| before.escalate_to.clone(), |users| distinct(&users)),
        reassigns: edit.reassigns.unwrap_or(before.reassigns),
        counts_assignment: edit.counts_assignment.unwrap_or(before.counts_assignment),
        version: before.version + 1,
        updated_at: now,
    };
    let there = workers::find_in(&mut tx, actor.workspace, &after.escalate_to).await?;
    let mut faults = faults(&after);
    let missing = after.escalate_to.iter().enumerate().filter(|(_, user)| !there.contains_key(user));
    // Who left since is left out; who is named now must be there.
    let newly = missing.filter(|(_, user)| !before.escalate_to.contains(user));
    faults.extend(newly.map(|(index, _)| (format!("/escalateTo/{index}"), "is no member of the workspace".to_owned())));
    if !faults.is_empty() {
        return Err(WorkError::Invalid(faults));
    }
    after.escalate_to.retain(|user| there.contains_key(user));
    stored::write(&mut tx, actor.workspace, &after).await?;
    let deed = Deed::on_workspace("work_settings.updated").with(audit::changes(&shown(&before), &shown(&after)));
    audit::record(&mut tx, now, actor, deed).await?;
    Ok(tx.commit().await?)
}

fn faults(settings: &WorkSettings) -> Vec<(String, String)> {
    let mut faults = Vec::new();
    let mut fault = |pointer: &str, message: &str| faults.push((pointer.to_owned(), message.to_owned()));
    if settings.hours.as_ref().is_some_and(|hours| !hours.are_good()) {
        fault("/hours", "must name days from 1 to 7, and end after they begin");
    }
    if settings.holidays.len() > HOLIDAYS_MAX {
        fault("/holidays", "has at most 400 days");
    }
    let minutes = [
        ("/respondWithinMinutes", settings.respond_within_minutes),
        ("/escalateAfterMinutes", settings.escalate_after_minutes),
    ];
    for (pointer, _) in minutes.iter().filter(|(_, set)| set.is_some_and(|set| !(1..=LONGEST_MINUTES).contains(&set))) {
        fault(pointer, "must be 1 minute to 31 days");
    }
    if settings.escalate_to.len() > TOLD_MAX {
        fault("/escalateTo", "names at most 50 people");
    }
    faults
}

fn shown(settings: &WorkSettings) -> Value {
    json!({
        "hours": settings.hours, "holidays": settings.holidays,
        "respondWithinMinutes": settings.respond_within_minutes,
        "escalateAfterMinutes": settings.escalate_after_minutes, "escalateTo": settings.escalate_to,
        "reassigns": settings.reassigns, "countsAssignment": settings.counts_assignment,
    })
}
