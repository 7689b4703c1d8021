//! The payload `simple`: who it is and what happened, in seven keys.

use serde::Serialize;

use leadline_domain::{
    ids::{ConversationId, LeadId, WorkspaceId},
    time::Timestamp,
};

use super::facts::Facts;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Simple<'a> {
    event: &'a str,
    tenant_id: WorkspaceId,
    lead_id: Option<LeadId>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    conversation_id: Option<ConversationId>,
    captured_at: Timestamp,
    /// Told of leads that came back, also where there was no conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_conversation_at: Option<Option<Timestamp>>,
}

/// The text that is sent and signed.
pub(super) fn text(facts: &Facts<'_>) -> String {
    let came_back = facts.event == "lead.re_engaged";
    let simple = Simple {
        event: facts.event,
        tenant_id: facts.workspace.id,
        lead_id: facts.lead.id,
        email: facts.lead.email,
        phone: facts.lead.phone.or(facts.phone_raw),
        conversation_id: facts.conversation_id,
        captured_at: captured_at(facts),
        last_conversation_at: came_back.then_some(facts.last_conversation_at),
    };
    serde_json::to_string(&simple).expect("texts, ids and times can be written")
}

/// When the submission came that the lead is told by.
pub(super) fn captured_at(facts: &Facts<'_>) -> Timestamp {
    facts.submission.as_ref().and_then(|one| one.received_at).unwrap_or(facts.lead.created_at)
}
