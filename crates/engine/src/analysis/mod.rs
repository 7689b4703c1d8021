//! Analyses of what people write: keywords, mood, intent, topic and a short form.
//!
//! The dispatcher queues each submission with a message; [`runner`] carries the jobs out. By itself that is an estimate
//! made here ([`leadline_domain::analysis`]). Where a workspace names an OpenAI-compatible [`endpoint`], that one is
//! asked, without what names people unless somebody wanted otherwise, and whenever it fails the estimate stands in its
//! place and says so. [`settings`] is what people change.

pub mod endpoint;
mod outcome;
pub mod runner;
pub mod settings;

pub use outcome::wanted;
pub use runner::{analyse_due, run};
pub use settings::{Change, EndpointChange, Refused, SettingsError, change, defaults, try_out};

use leadline_domain::ids::LeadId;
use leadline_store::analyses;

use crate::{Actor, Engine};

/// Why a lead is not analysed again.
#[derive(Debug, thiserror::Error)]
pub enum AgainError {
    /// There is no such lead, or it never sent a message.
    #[error("there is no message to analyse")]
    NoMessage,
    /// The workspace wants no analyses.
    #[error("analyses are switched off")]
    Off,
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] leadline_store::Error),
}

/// Analyses the newest message of a lead once more, with the settings as they are now.
///
/// # Errors
/// Where there is none, or analyses are switched off.
pub async fn analyse_again(engine: &Engine, actor: &Actor, lead: LeadId) -> Result<(), AgainError> {
    let mut tx = engine.store.begin().await?;
    let settings = analyses::lock_settings(&mut tx, actor.workspace).await?.unwrap_or_else(defaults);
    if !settings.is_enabled {
        return Err(AgainError::Off);
    }
    let has_message = analyses::enqueue_again(&mut tx, actor.workspace, lead, engine.clock.now()).await?;
    if !has_message {
        return Err(AgainError::NoMessage);
    }
    tx.commit().await?;
    engine.wake.analyses.notify_one();
    Ok(())
}
