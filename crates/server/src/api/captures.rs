//! `/v1/capture/captures`: the feed of what came in last, and the same as a table for a spreadsheet.

use axum::{body::Body, extract::State, response::Response};
use leadline_domain::{
    csv,
    ids::{ConversationId, LeadId, SourceId, SubmissionId},
    permissions::Permission,
    phones,
    time::Timestamp,
};
use leadline_engine::audit::note_export;
use leadline_store::captures::{self, Capture};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::masking::Sight,
    app::App,
    error::ApiResult,
    exports::{TableFormat, attachment},
    extract::{Json, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// The feed shows what somebody looks through, not an archive.
const IN_FEED: i64 = 100;

/// What a spreadsheet gets: the answer is made in memory.
const IN_EXPORT: i64 = 5_000;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(list)).at(Permission::LeadsView, routes!(export))
}

/// A capture.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CaptureView {
    /// The submission's id.
    #[schema(value_type = Uuid)]
    id: SubmissionId,
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    /// The conversation that it opened.
    #[schema(value_type = Option<Uuid>)]
    conversation_id: Option<ConversationId>,
    /// The code in the visitor's first WhatsApp message.
    reference: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    source: String,
    source_name: String,
    /// What the visitor entered, or what the lead is called.
    name: Option<String>,
    email: Option<String>,
    /// In E.164 where it could be read, else as entered.
    phone: Option<String>,
    message: Option<String>,
    page_url: Option<String>,
    referrer: Option<String>,
    /// Null without `pii:view`.
    ip: Option<String>,
    user_agent: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    captured_at: Timestamp,
    /// Whether personal data is masked, for want of `pii:view`.
    masked: bool,
}

impl CaptureView {
    fn new(capture: Capture, sight: Sight) -> Self {
        let phone = e164(&capture);
        Self {
            id: capture.id,
            lead_id: capture.lead_id,
            conversation_id: capture.conversation_id,
            reference: capture.reference,
            source_id: capture.source_id,
            source: capture.source,
            source_name: capture.source_name,
            name: capture.name.or(capture.lead_name).map(|name| sight.name(name)),
            email: sight.email(capture.email),
            phone: sight.phone(phone),
            message: sight.text(capture.message),
            page_url: sight.address(capture.page_url),
            referrer: sight.address(capture.referrer),
            ip: sight.identifier(capture.ip),
            user_agent: sight.identifier(capture.user_agent),
            captured_at: capture.captured_at,
            masked: sight.is_masked(),
        }
    }

    fn cells(&self) -> [String; 11] {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        [
            self.captured_at.to_string(),
            text(&self.name),
            text(&self.phone),
            text(&self.email),
            text(&self.message),
            text(&self.page_url),
            text(&self.referrer),
            self.source.clone(),
            self.source_name.clone(),
            text(&self.reference),
            self.lead_id.to_string(),
        ]
    }
}

const HEADINGS: [&str; 11] = [
    "Captured at",
    "Name",
    "Phone",
    "Email",
    "Message",
    "Page",
    "Referrer",
    "Source",
    "Source name",
    "Reference",
    "Lead id",
];

/// The number as it was entered, written as E.164. The lead may carry another one by now, so that counts only where it
/// is the same number.
fn e164(capture: &Capture) -> Option<String> {
    let raw = capture.phone_raw.as_deref()?;
    let is_the_leads = capture.phone.as_deref().is_some_and(|phone| has_the_same_end(phone, raw));
    let read = phones::Phone::parse(raw, None, None).map(|phone| phone.e164);
    read.or_else(|| capture.phone.clone().filter(|_| is_the_leads)).or_else(|| Some(raw.to_owned()))
}

fn has_the_same_end(one: &str, other: &str) -> bool {
    let end = |text: &str| -> Vec<char> { text.chars().filter(char::is_ascii_digit).rev().take(7).collect() };
    end(one) == end(other)
}

/// The feed.
#[derive(Debug, Serialize, ToSchema)]
struct CaptureList {
    data: Vec<CaptureView>,
}

/// Which captures.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Those of one widget.
    #[param(value_type = Option<Uuid>)]
    widget_id: Option<SourceId>,
}

/// The last 100 captures, newest first
#[utoipa::path(get, path = "/v1/capture/captures", tag = "capture", params(Asked),
    responses((status = 200, body = CaptureList)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(asked): Query<Asked>,
) -> ApiResult<Json<CaptureList>> {
    let sight = Sight::of(&actor);
    let found = captures::list(&app.reader, actor.workspace, asked.widget_id, IN_FEED).await?;
    Ok(Json(CaptureList { data: found.into_iter().map(|capture| CaptureView::new(capture, sight)).collect() }))
}

/// The last 5000 captures as a table for a spreadsheet, newest first
#[utoipa::path(get, path = "/v1/capture/captures/export.csv", tag = "capture", params(Asked),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn export(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(asked): Query<Asked>,
) -> ApiResult<Response> {
    let sight = Sight::of(&actor);
    note_export(&app.engine, &actor, "captures").await?;
    let found = captures::list(&app.reader, actor.workspace, asked.widget_id, IN_EXPORT).await?;
    let mut text = csv::BYTE_ORDER_MARK.to_owned() + &csv::line(&HEADINGS);
    for capture in found {
        text.push_str(&csv::line(&CaptureView::new(capture, sight).cells()));
    }
    Ok(attachment(TableFormat::Csv.content_type(), "captures.csv", Body::from(text)))
}
