//! The payload `leadline`, version 1, which is ours: its keys are only ever added; what takes one away is a version 2.

use leadline_domain::{
    ids::{ConversationId, LeadId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::value::RawValue;
use uuid::Uuid;

const VERSION: u8 = 1;

/// Everything a receiver is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload<'a> {
    pub(super) version: u8,
    /// The kind of event.
    pub event: &'a str,
    /// The event; of a submission that was forwarded from the spool, the submission.
    pub id: Uuid,
    /// When it happened.
    pub created_at: Timestamp,
    /// Whose it is.
    pub workspace: Workspace<'a>,
    /// The lead as it was when this was first sent.
    pub lead: Option<Lead<'a>>,
    /// The submission that caused the event.
    pub submission: Option<Submission<'a>>,
    /// What somebody should look at, where the event is about that and not about a lead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<&'a RawValue>,
    /// `production` or `development`.
    pub environment: &'a str,
    /// Whether this is a test and not a real lead.
    pub test: bool,
    /// The lead's latest conversation, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation_id: Option<ConversationId>,
    /// When the lead was last talked to before it came back. Told of leads that did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_conversation_at: Option<Timestamp>,
}

/// A tenant.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the keys of the payload, told in the documentation of formats")]
pub struct Workspace<'a> {
    pub id: WorkspaceId,
    pub slug: &'a str,
}

/// A lead. Without a number and a stage where it stands in the spool and is not stored yet.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the keys of the payload, told in the documentation of formats")]
pub struct Lead<'a> {
    pub id: Option<LeadId>,
    pub number: Option<i64>,
    pub project_id: &'a str,
    pub project_name: Option<&'a str>,
    pub name: &'a str,
    pub email: Option<&'a str>,
    pub phone: Option<&'a str>,
    pub company: Option<&'a str>,
    pub title: Option<&'a str>,
    pub source: &'a str,
    pub source_name: &'a str,
    pub tags: &'a RawValue,
    pub custom_fields: &'a RawValue,
    pub score: Option<i64>,
    pub suspicion: Option<i64>,
    pub stage: Option<Stage<'a>>,
    /// `not_set`, `yes`, `no` or `pending`.
    pub quotable: &'a str,
    /// An exact decimal, such as `1250.50`.
    pub quote_value: Option<String>,
    /// An exact decimal, such as `1250.50`.
    pub sales_value: Option<String>,
    /// What the values are in, as three letters.
    pub currency: &'a str,
    /// Why it was won or lost.
    pub close_reason: Option<&'a str>,
    /// `in_progress` while a chat goes on, else `completed`.
    pub state: &'a str,
    pub submission_count: i64,
    pub first_touch: &'a RawValue,
    pub last_touch: &'a RawValue,
    pub lead_analysis: &'a RawValue,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A column of the board.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the keys of the payload, told in the documentation of formats")]
pub struct Stage<'a> {
    pub id: &'a str,
    pub name: Option<&'a str>,
}

/// A submission.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the keys of the payload, told in the documentation of formats")]
pub struct Submission<'a> {
    pub id: SubmissionId,
    pub received_at: Timestamp,
    pub fields: &'a RawValue,
    pub page_url: Option<&'a str>,
    pub referrer: Option<&'a str>,
    pub message: Option<&'a str>,
    #[serde(rename = "match")]
    pub match_reason: &'a RawValue,
}

impl<'a> Payload<'a> {
    /// A payload without lead and submission, to be filled in.
    #[must_use]
    pub fn new(
        event: &'a str,
        id: Uuid,
        created_at: Timestamp,
        workspace: Workspace<'a>,
        environment: &'a str,
    ) -> Self {
        Self {
            version: VERSION,
            event,
            id,
            created_at,
            workspace,
            lead: None,
            submission: None,
            alert: None,
            environment,
            test: false,
            conversation_id: None,
            last_conversation_at: None,
        }
    }

    /// The text that is sent and signed.
    #[must_use]
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("a payload is made of texts, numbers and JSON that was read before")
    }
}
