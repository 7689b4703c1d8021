//! Automations: what happens to leads by itself, messages above all.
//!
//! [`follow`] hears every event in dispatch: it starts runs ([`triggers`]), moves them on by what is reported of their
//! messages ([`reports`]), and ends them early ([`exits`]). [`runner`] asks for the message of a sending once its time
//! has come, and does steps that send none ([`acts`]). A message is asked for by a row and never sent from here, and its
//! id follows from run, step and sending, so a step is started once, whatever dies in between. [`definitions`] is what
//! people change, and [`naming`] what it names; [`retry`] is what they repeat, [`rehearsal`] what they try without sending
//! anything.

mod acts;
pub mod definitions;
mod exits;
mod naming;
mod record;
pub mod rehearsal;
mod reports;
pub mod retry;
pub mod runner;
mod triggers;

use leadline_domain::time::{MINUTE_MS, Timestamp};
use leadline_store::{Error, Tx, automations::locks, events::Event};

use crate::Engine;
use record::Record;

/// The longest safety lock: who started something before that may be forgotten.
const LONGEST_LOCK_MS: i64 = leadline_domain::automations::LOCK_MAX_MINUTES * MINUTE_MS;

/// Starts, moves on and ends runs, by what happened. Tells whether sendings wait now.
pub(crate) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event]) -> Result<bool, Error> {
    let mut record = Record::new(engine);
    // Locks of safety come before runs, and figures last: everybody takes them in that order.
    triggers::follow(engine, tx, events, &mut record).await?;
    record.write_rows(tx).await?;
    reports::follow(tx, events, &mut record).await?;
    record.write_rows(tx).await?;
    exits::follow(tx, events, &mut record).await?;
    let has_waiting = record.has_waiting();
    record.write(tx).await?;
    Ok(has_waiting)
}

/// Forgets who started an automation, once no lock is that long.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn retain(engine: &Engine, now: Timestamp, at_once: i64) -> Result<(), Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let gone = locks::delete_before(&mut tx, now.plus_ms(-LONGEST_LOCK_MS), at_once).await?;
        tx.commit().await?;
        if gone == 0 {
            return Ok(());
        }
    }
}
