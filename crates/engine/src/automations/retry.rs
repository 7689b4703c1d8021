//! Trying the last step that came to nothing once more, because somebody says so.

use leadline_domain::{
    automations::Sending,
    ids::{AutomationId, LeadId, RunId},
    messaging::MessageChannel,
};
use leadline_store::{
    Error,
    automations::{self as stored, runs},
};

use super::{
    record::{Loaded, Record, of_sending, row, waiting},
    reports::Found,
};
use crate::{Actor, Engine};

/// How many of a lead's runs are looked through.
const LOOKED_THROUGH: i64 = 10;

/// Why nothing was tried again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is no such automation, or no such lead.
    #[error("there is no such automation or lead")]
    NotFound,
    /// No step of it failed for this lead, or it is under way already.
    #[error("no step of this automation has failed for this lead, or it is being sent already")]
    Nothing,
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

/// Tries the last step once more that failed for a lead, at once, and tells the run. Its fallback stands behind it again.
///
/// # Errors
/// Where there is nothing to try again.
pub async fn retry(
    engine: &Engine,
    actor: &Actor,
    automation: AutomationId,
    lead: LeadId,
) -> Result<RunId, RetryError> {
    let reader = engine.store.reader();
    stored::find(&reader, actor.workspace, automation).await?.ok_or(RetryError::NotFound)?;
    leadline_store::leads::find(&reader, actor.workspace, lead).await?.ok_or(RetryError::NotFound)?;
    let mut tx = engine.store.begin().await?;
    let latest = runs::lock_latest(&mut tx, actor.workspace, automation, lead, LOOKED_THROUGH).await?;
    let found = Found::of(&mut tx, latest).await?;
    let failed = found.loaded().into_iter().find_map(|one| Some((one.run.retry()?, one)));
    let (again, mut loaded) = failed.ok_or(RetryError::Nothing)?;
    let mut record = Record::new(engine);
    begin_again(&mut record, &mut loaded, &again, actor);
    record.write(&mut tx).await?;
    tx.commit().await?;
    engine.wake.messages.notify_one();
    engine.wake.automations.notify_one();
    Ok(loaded.stored.id)
}

fn begin_again(record: &mut Record, loaded: &mut Loaded<'_>, again: &Sending, actor: &Actor) {
    let now = record.now();
    let data = of_sending(again.step, again.number, again.channel.map(MessageChannel::as_str));
    record.line_by(&mut loaded.stored, loaded.name, "automation.retried", data, actor);
    let mut sending = waiting(&loaded.stored, loaded.run.definition, again, now, now);
    if again.channel.is_some() {
        // Somebody is there who decides, so neither quiet hours nor a switch hold it back.
        record.ask(&loaded.stored, loaded.name, None, &mut sending);
    } else {
        // What sends nothing is done by the runner, which looks at the lead.
        record.sending(row(&loaded.stored, &sending, now));
    }
    record.change(&loaded.stored);
}
