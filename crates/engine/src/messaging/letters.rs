//! What a message says beside its template: a campaign's own words, and what belongs to letters to many.

use leadline_domain::{
    campaigns::Tracking,
    messaging::{MessageChannel, variables::UNSUBSCRIBE},
};
use leadline_store::messages::queue::Due;
use serde_json::Value;

use super::templates::Said;
use crate::{
    Engine,
    links::{self, Dressed},
};

/// What the placeholders stand for: the lead, the campaign's own choices, and the way out.
pub(super) fn values(engine: &Engine, message: &Due, of_lead: Value) -> Value {
    let mut values = match &message.campaign {
        Some(content) => content.values(&of_lead),
        None => of_lead,
    };
    if message.lead_id.is_some() {
        let address = links::unsubscribe_address(&engine.keys, &engine.options.public_url, message.id);
        values[UNSUBSCRIBE] = Value::String(address);
    }
    values
}

/// Whether nobody wrote it to one person.
pub(super) fn is_to_many(message: &Due) -> bool {
    matches!(message.cause_kind.as_str(), "campaign" | "automation")
}

/// The subject that a campaign has in place of its template's.
pub(super) fn subject(message: &Due) -> Option<&str> {
    message.campaign.as_ref()?.subject(message.cause_step.unwrap_or_default())
}

/// A letter of a campaign or an automation as it goes out. What somebody writes to one person stays as it is.
pub(super) fn dress(engine: &Engine, message: &Due, said: &Said) -> Option<Dressed> {
    if message.kind != MessageChannel::Email || !is_to_many(message) || message.lead_id.is_none() {
        return None;
    }
    let tracking = message.campaign.as_ref().map_or(Tracking::USUAL, |content| content.tracking);
    let letter = (said.body.as_str(), said.body_html.as_deref());
    Some(links::dress(&engine.keys, &engine.options.public_url, message.id, letter, tracking))
}
