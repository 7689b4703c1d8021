//! What a receiver reads: the payload in the format that its destination chose.
//!
//! It is built once per delivery, when it is first sent, from the rows as they are then, and kept: every attempt has the
//! same bytes. Here is the payload `leadline`, version 1: its keys are only ever added; what takes one away is a version
//! 2. The shape of another product stands in [`whatconverts`].

pub mod whatconverts;

use leadline_domain::{
    context::Context,
    ids::{ContactId, ConversationId, LeadId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use leadline_store::deliveries::{Picked, PickedLead, PickedSubmission, Told};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use uuid::Uuid;

use self::whatconverts::{Evidence, Facts};

const VERSION: u8 = 1;

/// The shape of a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Ours.
    Leadline,
    /// WhatConverts'.
    WhatConverts,
}

impl Format {
    /// All of them, ours first.
    pub const ALL: [Self; 2] = [Self::Leadline, Self::WhatConverts];

    /// How it is stored and chosen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Leadline => "leadline",
            Self::WhatConverts => "whatconverts",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }
}

/// Everything a receiver is told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payload<'a> {
    version: u8,
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

/// Whether the payload of a delivery repeats what was told of its lead.
#[must_use]
pub fn repeats_what_was_told(picked: &Picked) -> bool {
    let is_to_be_made = picked.payload.is_none() && picked.lead.is_some();
    is_to_be_made && Format::parse(&picked.format) == Some(Format::WhatConverts)
}

/// What is sent for a delivery that was picked: what was sent before, or a payload from the rows as they are now. An
/// event that is about no lead, or about one that is gone, is told in our own shape: no other has words for it.
#[must_use]
pub fn of_picked(picked: &Picked, told: Option<&Told>, environment: &str) -> String {
    if let Some(payload) = &picked.payload {
        return payload.clone();
    }
    let workspace = Workspace { id: picked.workspace_id, slug: &picked.workspace_slug };
    if let (Some(row), Some(told)) = (&picked.lead, told) {
        return whatconverts::text(&facts(picked, row, told, workspace));
    }
    let came_back = picked.event == "lead.re_engaged";
    Payload {
        lead: picked.lead.as_ref().map(lead),
        submission: picked.submission.as_ref().map(submission),
        alert: picked.event_data.as_deref(),
        test: picked.lead.as_ref().is_some_and(|lead| lead.is_test),
        conversation_id: picked.lead.as_ref().and_then(|lead| lead.conversation_id),
        last_conversation_at: picked.lead.as_ref().and_then(|lead| lead.last_conversation_at).filter(|_| came_back),
        ..Payload::new(&picked.event, picked.event_id.0, picked.created_at, workspace, environment)
    }
    .to_text()
}

fn facts<'a>(picked: &'a Picked, row: &'a PickedLead, told: &'a Told, workspace: Workspace<'a>) -> Facts<'a> {
    let submission = told.submission.as_ref();
    let of_submission: Option<Context> = submission.and_then(|one| read(one.context.as_deref()));
    Facts {
        event: &picked.event,
        workspace,
        lead: lead(row),
        contact_id: Some(told.contact_id),
        phone_raw: told.phone_raw.as_deref(),
        context: of_submission.or_else(|| read(told.context.as_deref())).unwrap_or_default(),
        submission: submission.map(|one| Evidence {
            source: &one.source,
            fields: read(Some(&one.fields)).unwrap_or_default(),
            page_url: one.page_url.as_deref(),
            ip: one.ip.as_deref(),
        }),
        is_cause: picked.submission.is_some(),
        record: read(told.record.as_deref()),
    }
}

fn read<T: DeserializeOwned>(json: Option<&RawValue>) -> Option<T> {
    serde_json::from_str(json?.get()).ok()
}

fn lead(row: &PickedLead) -> Lead<'_> {
    Lead {
        id: Some(row.id),
        number: Some(row.number),
        project_id: &row.project_id,
        project_name: row.project_name.as_deref(),
        name: &row.name,
        email: row.email.as_deref(),
        phone: row.phone.as_deref(),
        company: row.company.as_deref(),
        title: row.title.as_deref(),
        source: &row.source,
        source_name: &row.source_name,
        tags: &row.tags,
        custom_fields: &row.custom_fields,
        score: Some(row.score),
        suspicion: Some(row.suspicion),
        stage: Some(Stage { id: &row.stage_id, name: row.stage_name.as_deref() }),
        state: &row.lead_state,
        submission_count: row.submission_count,
        first_touch: &row.first_touch,
        last_touch: &row.last_touch,
        lead_analysis: &row.lead_analysis,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

fn submission(row: &PickedSubmission) -> Submission<'_> {
    Submission {
        id: row.id,
        received_at: row.received_at,
        fields: &row.fields,
        page_url: row.page_url.as_deref(),
        referrer: row.referrer.as_deref(),
        message: row.message.as_deref(),
        match_reason: &row.match_reason,
    }
}

const SAMPLE_PAGE: &str = "https://example.com/contact";

/// What the test button sends: a whole lead that nobody is, marked as a test where the format has a mark for it.
#[must_use]
pub fn sample(
    format: Format,
    event: &str,
    ids: [Uuid; 6],
    workspace: Workspace<'_>,
    environment: &str,
    now: Timestamp,
) -> String {
    let [event_id, lead_id, submission_id, project_id, stage_id, contact_id] = ids;
    let (project_id, stage_id) = (project_id.to_string(), stage_id.to_string());
    let raw = |value: serde_json::Value| to_raw_value(&value).expect("a JSON value can be written");
    let tags = raw(serde_json::json!(["test"]));
    let custom = raw(serde_json::json!({ "budget": "5000", "_displayNames": { "budget": "Budget" } }));
    let touch = raw(serde_json::json!({ "at": now, "pageUrl": SAMPLE_PAGE, "utmSource": "test" }));
    let fields = raw(serde_json::json!({
        "name": "Ada Example", "email": "ada@example.com", "phone": "+12025550123", "message": "This is a test.",
    }));
    let match_reason = raw(serde_json::json!({ "by": "new", "refused": [] }));
    let lead = Lead {
        id: Some(LeadId(lead_id)),
        number: Some(0),
        project_id: &project_id,
        project_name: Some("Example project"),
        name: "Ada Example",
        email: Some("ada@example.com"),
        phone: Some("+12025550123"),
        company: Some("Example Ltd"),
        title: None,
        source: "form",
        source_name: "Test button",
        tags: &tags,
        custom_fields: &custom,
        score: Some(50),
        suspicion: Some(0),
        stage: Some(Stage { id: &stage_id, name: Some("New") }),
        state: "completed",
        submission_count: 1,
        first_touch: &touch,
        last_touch: &touch,
        lead_analysis: RawValue::NULL,
        created_at: now,
        updated_at: now,
    };
    if format == Format::WhatConverts {
        let evidence = Evidence {
            source: "form",
            fields: read(Some(&fields)).unwrap_or_default(),
            page_url: Some(SAMPLE_PAGE),
            ip: None,
        };
        return whatconverts::text(&Facts {
            event,
            workspace,
            lead,
            contact_id: Some(ContactId(contact_id)),
            phone_raw: None,
            context: Context::default(),
            submission: Some(evidence),
            is_cause: true,
            record: None,
        });
    }
    let submission = Submission {
        id: SubmissionId(submission_id),
        received_at: now,
        fields: &fields,
        page_url: Some(SAMPLE_PAGE),
        referrer: None,
        message: Some("This is a test."),
        match_reason: &match_reason,
    };
    Payload {
        lead: Some(lead),
        submission: Some(submission),
        test: true,
        ..Payload::new(event, event_id, now, workspace, environment)
    }
    .to_text()
}
