//! Campaigns: one message to very many people.
//!
//! [`drafts`] is what people write and change, [`preview`] what it says to one person, [`steering`] how it is started,
//! paused, gone on with and ended. [`feeder`] does the rest, a short transaction at a time: it writes down who the
//! recipients are ([`gathering`]) and then asks for their messages by inserting rows ([`asking`]), so fast as the
//! campaign's pace and what is on its way allow. A recipient is moved in the transaction that asks for their message,
//! whose id follows from campaign and person, so whoever dies wherever, nobody gets two and nobody is left out.
//! [`figures`] hears in dispatch what became of messages, of automations as well.

mod asking;
pub mod drafts;
pub mod feeder;
pub mod figures;
mod gathering;
pub mod preview;
pub mod steering;

use leadline_domain::ids::EventId;
use leadline_store::{Error, Tx, campaigns::Campaign, events::NewEvent};
use serde_json::json;

use crate::{Engine, random_bytes};

/// One thing that is wrong with what somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Where it stands in the body, as a JSON pointer.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

impl Wrong {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Why nothing came of what somebody wants.
#[derive(Debug, thiserror::Error)]
pub enum CampaignError {
    /// There is none of this id.
    #[error("there is no such campaign")]
    NotFound,
    /// As it stands, that cannot be done with it.
    #[error("{0}")]
    Conflict(String),
    /// Somebody changed it since.
    #[error("somebody else changed the campaign")]
    Stale,
    /// Some of it cannot be so.
    #[error("{} things speak against it", .0.len())]
    Invalid(Vec<Wrong>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

/// Tells screens and receivers that a campaign stands otherwise now.
async fn tell(engine: &Engine, tx: &mut Tx, campaign: &Campaign, kind: &str) -> Result<(), Error> {
    let now = engine.clock.now();
    let event = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: campaign.workspace_id,
        kind: kind.to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({"campaignId": campaign.id, "name": campaign.name, "state": campaign.state.as_str()}),
        created_at: now.0,
        dispatched: false,
    };
    leadline_store::events::append(tx, &[event]).await?;
    engine.wake.events.notify_one();
    Ok(())
}
