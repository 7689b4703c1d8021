//! `/v1/capture/submissions`: each accepted capture with its fields as they were sent.

use axum::extract::State;
use leadline_domain::{
    emails,
    ids::{ContactId, LeadId, SourceId, SubmissionId},
    permissions::Permission,
    phones,
    time::Timestamp,
};
use leadline_store::submissions::{self, Submission, Whose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{context::ContextView, masking::Sight},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// The most rows on a page.
const MOST: i64 = 200;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(list))
}

/// A submission.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SubmissionView {
    #[schema(value_type = Uuid)]
    id: SubmissionId,
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    source: String,
    source_name: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    project: Option<String>,
    message: Option<String>,
    cta: Option<String>,
    page_url: Option<String>,
    referrer: Option<String>,
    /// The fields as they were sent; null without `pii:view`.
    #[schema(value_type = Option<Object>)]
    fields: Option<Value>,
    /// Why it belongs to this lead: `by` and what was `refused` before.
    #[schema(value_type = Object)]
    match_reason: Value,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    time_to_submit_ms: Option<i64>,
    /// What was found out about the visitor; null where nothing was.
    context: Option<ContextView>,
    /// The address it came from; null without `pii:view`, and 90 days later.
    ip: Option<String>,
}

fn view(row: Submission, sight: Sight) -> SubmissionView {
    let sees_personal_data = !sight.is_masked();
    let masked = |value: Option<String>, mask: fn(&str) -> String| {
        if sees_personal_data { value } else { value.map(|value| mask(&value)) }
    };
    SubmissionView {
        id: row.id,
        lead_id: row.lead_id,
        source_id: row.source_id,
        source: row.source,
        source_name: row.source_name,
        name: masked(row.name, |name| name.chars().take(1).chain("•••".chars()).collect()),
        email: masked(row.email, emails::mask),
        phone: masked(row.phone, phones::mask),
        project: row.project,
        message: masked(row.message, |_| "•••".to_owned()),
        cta: row.cta,
        // Addresses of pages carry what forms put into them.
        page_url: masked(row.page_url, without_query),
        referrer: masked(row.referrer, without_query),
        fields: sees_personal_data.then(|| serde_json::from_str(&row.payload).unwrap_or_else(|_| json!({}))),
        match_reason: row.match_reason,
        received_at: row.received_at,
        time_to_submit_ms: row.time_to_submit_ms,
        context: ContextView::of(row.context, sight),
        ip: row.ip.filter(|_| sees_personal_data),
    }
}

fn without_query(url: &str) -> String {
    url.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// A page of submissions.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SubmissionList {
    data: Vec<SubmissionView>,
    page: i64,
    limit: i64,
    total: i64,
    /// Whether there are more than `total`.
    total_is_capped: bool,
}

/// Which submissions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Those of one lead.
    #[param(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// Those of all leads of one contact.
    #[param(value_type = Option<Uuid>)]
    contact_id: Option<ContactId>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// Lists submissions, newest first
#[utoipa::path(get, path = "/v1/capture/submissions", tag = "capture", params(Asked),
    responses((status = 200, body = SubmissionList)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(asked): Query<Asked>,
) -> ApiResult<Json<SubmissionList>> {
    let (page, limit) = (asked.page.unwrap_or(1), asked.limit.unwrap_or(50));
    if !(1..=MOST).contains(&limit) {
        return Err(ApiError::field("/limit", "must be 1 to 200"));
    }
    if !(1..=1_000_000).contains(&page) {
        return Err(ApiError::field("/page", "must be 1 or more"));
    }
    let offset = (page - 1) * limit;
    let whose = match (asked.lead_id, asked.contact_id) {
        (None, None) => Whose::Everybody,
        (Some(lead), None) => Whose::Lead(lead),
        (None, Some(contact)) => Whose::Contact(contact),
        (Some(_), Some(_)) => return Err(ApiError::field("/contactId", "name a lead or a contact, and not both")),
    };
    let found = submissions::list(&app.reader, actor.workspace, whose, limit, offset).await?;
    let sight = Sight::of(&actor);
    Ok(Json(SubmissionList {
        data: found.rows.into_iter().map(|row| view(row, sight)).collect(),
        page,
        limit,
        total: found.total,
        total_is_capped: found.total_is_capped,
    }))
}
