//! What is known of a delivery's lead, for the formats that tell it in other words than ours.

use leadline_domain::{
    context::Context,
    ids::{ContactId, ConversationId, DeliveryId, SubmissionId},
    inbound::{self, Unpacked},
    names,
    time::Timestamp,
};
use serde_json::{Map, Value, value::RawValue};

use super::leadline::{Lead, Workspace};

/// What a payload is made of.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The kind of event.
    pub event: &'a str,
    /// When it happened.
    pub created_at: Timestamp,
    /// The delivery, by which a receiver may call back.
    pub delivery_id: DeliveryId,
    /// Whose it is.
    pub workspace: Workspace<'a>,
    /// `production` or `development`.
    pub environment: &'a str,
    /// Whether this is somebody's test.
    pub is_test: bool,
    /// The lead as it is.
    pub lead: Lead<'a>,
    /// The person.
    pub contact_id: Option<ContactId>,
    /// The lead's phone number as entered.
    pub phone_raw: Option<&'a str>,
    /// The country of the phone number as somebody named it.
    pub country_code: Option<&'a str>,
    /// What was found out about the visitor.
    pub context: Context,
    /// What the visitor did.
    pub visit: Behaviour,
    /// The codes of what makes the lead suspicious.
    pub suspicion_reasons: Vec<String>,
    /// The names of other projects that the same person asked about.
    pub related_projects: Vec<String>,
    /// The submission that the lead is told by.
    pub submission: Option<Evidence<'a>>,
    /// Whether that submission caused the event, or is just the latest that there is.
    pub is_cause: bool,
    /// The lead's latest submission besides that one that may be another product's record.
    pub record: Option<Map<String, Value>>,
    /// Every touch of the lead, where its visits were followed.
    pub touches: Option<&'a RawValue>,
    /// The lead's latest conversation.
    pub conversation_id: Option<ConversationId>,
    /// When the lead was last talked to before.
    pub last_conversation_at: Option<Timestamp>,
}

/// What a visitor did on the website, where it has our tracker.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Behaviour {
    pub visitor_id: Option<String>,
    pub session_id: Option<String>,
    pub engagement: Option<i64>,
    pub session_duration_seconds: Option<i64>,
    pub pages_visited: Option<i64>,
    pub return_visits: Option<i64>,
}

/// What was sent.
#[derive(Debug, Default)]
pub struct Evidence<'a> {
    /// The submission.
    pub id: Option<SubmissionId>,
    /// When it came.
    pub received_at: Option<Timestamp>,
    /// The kind of source.
    pub source: &'a str,
    /// The fields as sent.
    pub fields: Map<String, Value>,
    /// What the person wrote.
    pub message: Option<&'a str>,
    /// The button or link that led there.
    pub cta: Option<&'a str>,
    /// The page of the form.
    pub page_url: Option<&'a str>,
    /// The page before it.
    pub referrer: Option<&'a str>,
    /// Milliseconds from showing the form to sending it.
    pub time_to_submit_ms: Option<i64>,
    /// The address of whoever sent the request.
    pub ip: Option<&'a str>,
    /// The browser's name for itself.
    pub user_agent: Option<&'a str>,
}

impl Facts<'_> {
    /// The submission, where a browser sent it. Behind a webhook or a chat stands a server, whose address and name are
    /// not the lead's.
    pub(super) fn browser(&self) -> Option<&Evidence<'_>> {
        self.submission.as_ref().filter(|one| matches!(one.source, "form" | "widget"))
    }

    /// The name that somebody gave.
    pub(super) fn name(&self) -> Option<&str> {
        names::given(self.lead.name, self.lead.source_name)
    }

    /// The lead's custom fields by their keys.
    pub(super) fn custom_fields(&self) -> Map<String, Value> {
        serde_json::from_str(self.lead.custom_fields.get()).unwrap_or_default()
    }
}

impl Evidence<'_> {
    /// The fields as the sender's product means them, where it is another product's.
    pub(super) fn unpacked(&self) -> Option<Unpacked> {
        matches!(self.source, "webhook" | "facebook").then(|| unpacked(&self.fields)).flatten()
    }
}

/// Fields as the product means them that sends such.
pub(super) fn unpacked(fields: &Map<String, Value>) -> Option<Unpacked> {
    let item = fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    inbound::unpack(None, &[item]).leads.pop()
}
