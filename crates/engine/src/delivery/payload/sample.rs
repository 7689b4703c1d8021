//! A lead that nobody is: what the test button sends, and what a template is looked at with.

use leadline_domain::{
    attribution::{Touch, TouchParams},
    context::{Context, Location},
    ids::{ContactId, DeliveryId, LeadId, SubmissionId},
    time::Timestamp,
    values::{DEFAULT_CURRENCY, Quotable},
};
use serde_json::{Map, Value, json, value::RawValue, value::to_raw_value};
use uuid::Uuid;

use super::{
    NotSent, Shape,
    facts::{Behaviour, Evidence, Facts},
    leadline::{Lead, Payload, Stage, Submission, Workspace},
};

const PAGE: &str = "https://example.com/contact";
const NAME: &str = "Ada Example";
const EMAIL: &str = "ada@example.com";
const PHONE: &str = "+12025550123";
const MESSAGE: &str = "This is a test.";

/// What a sample is told with.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    /// The kind of event.
    pub event: &'a str,
    /// Ids that nothing has.
    pub ids: [Uuid; 6],
    /// The delivery.
    pub delivery_id: DeliveryId,
    /// Whose it is.
    pub workspace: Workspace<'a>,
    /// `production` or `development`.
    pub environment: &'a str,
    /// Now.
    pub now: Timestamp,
}

/// A whole lead in this shape, marked as a test where the shape has a mark for it.
///
/// # Errors
/// Where the shape has none and the receiver would take it for real.
pub fn sample(shape: &Shape, sample: &Sample<'_>) -> Result<String, NotSent> {
    let Sample { event, ids, delivery_id, workspace, environment, now } = *sample;
    let [event_id, lead_id, submission_id, project_id, stage_id, contact_id] = ids;
    let (project_id, stage_id) = (project_id.to_string(), stage_id.to_string());
    let raw = |value: Value| to_raw_value(&value).expect("a JSON value can be written");
    let tags = raw(json!(["test"]));
    let custom = raw(json!({ "budget": "5000", "_displayNames": { "budget": "Budget" } }));
    let touch = raw(json!({ "at": now, "pageUrl": PAGE, "utmSource": "test" }));
    let fields = json!({ "name": NAME, "email": EMAIL, "phone": PHONE, "message": MESSAGE });
    let fields: Map<String, Value> = serde_json::from_value(fields).unwrap_or_default();
    let lead = || Lead {
        id: Some(LeadId(lead_id)),
        number: Some(0),
        project_id: &project_id,
        project_name: Some("Example project"),
        name: NAME,
        email: Some(EMAIL),
        phone: Some(PHONE),
        company: Some("Example Ltd"),
        title: None,
        source: "form",
        source_name: "Test button",
        tags: &tags,
        custom_fields: &custom,
        score: Some(50),
        suspicion: Some(0),
        stage: Some(Stage { id: &stage_id, name: Some("New") }),
        quotable: Quotable::NotSet.as_str(),
        quote_value: None,
        sales_value: None,
        currency: DEFAULT_CURRENCY,
        close_reason: None,
        state: "completed",
        submission_count: 1,
        first_touch: &touch,
        last_touch: &touch,
        lead_analysis: RawValue::NULL,
        created_at: now,
        updated_at: now,
    };
    let evidence = Evidence {
        id: Some(SubmissionId(submission_id)),
        received_at: Some(now),
        source: "form",
        fields: fields.clone(),
        message: Some(MESSAGE),
        page_url: Some(PAGE),
        ..Evidence::default()
    };
    let facts = Facts {
        event,
        created_at: now,
        delivery_id,
        workspace,
        environment,
        is_test: true,
        lead: lead(),
        contact_id: Some(ContactId(contact_id)),
        phone_raw: None,
        country_code: None,
        context: Context {
            location: Some(Location { country: Some("US".to_owned()), ..Location::default() }),
            ..Context::default()
        },
        visit: Behaviour::default(),
        suspicion_reasons: Vec::new(),
        related_projects: Vec::new(),
        submission: Some(evidence),
        is_cause: true,
        record: None,
        touches: None,
        conversation_id: None,
        last_conversation_at: None,
    };
    if let Shape::Conversions(platform) = shape {
        return platform.trial(&facts, vec![click(now)], now);
    }
    if let Some(text) = shape.text(&facts) {
        return Ok(text);
    }
    let (fields, match_reason) = (raw(json!(fields)), raw(json!({ "by": "new", "refused": [] })));
    let submission = Submission {
        id: SubmissionId(submission_id),
        received_at: now,
        fields: &fields,
        page_url: Some(PAGE),
        referrer: None,
        message: Some(MESSAGE),
        match_reason: &match_reason,
    };
    let payload = Payload {
        lead: Some(lead()),
        submission: Some(submission),
        test: true,
        ..Payload::new(event, event_id, now, workspace, environment)
    };
    Ok(payload.to_text())
}

/// A click that nobody made.
fn click(now: Timestamp) -> Touch {
    let ids = ["gclid", "fbclid"].map(|name| (name.to_owned(), "test-click-of-leadline".to_owned()));
    Touch { at: now, params: TouchParams { click_ids: ids.into(), ..TouchParams::default() } }
}
