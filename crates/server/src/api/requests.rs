//! `/v1/identity/lead-webhooks/{id}/requests`: the last requests of an inbound webhook as they came, what would be made
//! of them under other settings, and sending them through the door once more. Beside it, what is fetched from Facebook.

use std::collections::BTreeMap;

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    fields::{FieldMapping, RawFields, Recognised, recognise},
    ids::{FetchId, LeadId, SourceId, SubmissionId},
    inbound::{Contents, Format, Unpacked, is_facebook_id, unpack},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    capture::{
        AcceptError,
        inbound::{Otherwise, fetch as fetching, submit_again},
    },
    sources::checked_mapping,
};
use leadline_store::{
    fetches::{self, Fetch},
    requests::{self, RawRequest},
    sources::{self as stored, Intake, Source},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
    public::refusal,
};

/// How many accepted, and how many refused requests are shown.
const SHOWN: i64 = 50;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SourcesManage, routes!(list))
        .at(Permission::SourcesManage, routes!(preview))
        .at(Permission::SourcesManage, routes!(replay))
        .at(Permission::SourcesManage, routes!(list_fetches, fetch))
}

/// A request as it came.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RequestView {
    #[schema(value_type = Uuid)]
    id: SubmissionId,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// What was answered.
    status: i64,
    /// The code of the refusal; null where it was accepted.
    code: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    content_type: Option<String>,
    user_agent: Option<String>,
    origin: Option<String>,
    /// The sender's address; null without `pii:view`.
    ip: Option<String>,
    /// The headers of a refused request, with what is secret masked; empty for accepted ones.
    #[schema(value_type = Object)]
    headers: Value,
    /// The body as text; null without `pii:view`.
    body: Option<String>,
}

/// The last requests.
#[derive(Debug, Serialize, ToSchema)]
struct RequestList {
    data: Vec<RequestView>,
}

/// Other settings to look at a request with; those of the webhook where nothing is said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LookAgain {
    /// `auto` or one of the formats.
    format: Option<String>,
    /// Incoming field to core field.
    field_mapping: Option<BTreeMap<String, String>>,
}

/// What would be made of one request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PreviewView {
    /// A submission each.
    leads: Vec<LeadPreview>,
    /// Leads that would be fetched, by the provider's ids.
    notices: Vec<String>,
}

/// What would be recognised in one submission.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LeadPreview {
    /// The format that it was taken for.
    format: &'static str,
    /// The provider's id of the delivery: the same again is the same submission.
    key: Option<String>,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    company: Option<String>,
    title: Option<String>,
    message: Option<String>,
    project: Option<String>,
    page_url: Option<String>,
    referrer: Option<String>,
    /// Where it came from: UTM parameters and click ids.
    #[schema(value_type = Object)]
    touch: Value,
    /// Everything else, by key, with `_displayNames`.
    #[schema(value_type = Object)]
    custom_fields: Value,
    /// Whether it would be accepted: it names somebody, or its provider does.
    is_enough: bool,
}

/// What became of a replayed request.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayView {
    /// One for each submission.
    receipts: Vec<ReplayedView>,
}

/// What became of one replayed submission.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayedView {
    #[schema(value_type = Option<Uuid>)]
    receipt: Option<SubmissionId>,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// Whether the lead was there before.
    duplicate: bool,
    /// The code of the refusal; null where it was accepted.
    code: Option<&'static str>,
}

/// Something that is fetched from Facebook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FetchView {
    #[schema(value_type = Uuid)]
    id: FetchId,
    /// `lead` or `form`.
    kind: String,
    /// Facebook's id of it.
    subject: String,
    /// `pending`, `done` or `dead`.
    state: String,
    attempt_count: i64,
    /// How many leads it brought so far.
    found_count: i64,
    last_error: Option<String>,
    /// When it is tried next, while it is pending.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What is fetched.
#[derive(Debug, Serialize, ToSchema)]
struct FetchList {
    data: Vec<FetchView>,
}

/// All leads of a form are to be fetched.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FetchForm {
    /// Facebook's id of the form.
    form_id: String,
}

/// Lists the last requests of an inbound webhook, newest first
#[utoipa::path(get, path = "/v1/identity/lead-webhooks/{id}/requests", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = RequestList)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<Json<RequestList>> {
    let source = find_source(&app, &actor, id).await?;
    let found = requests::list(&app.engine.store.reader(), actor.workspace, source.id, SHOWN).await?;
    let sees_personal_data = actor.role.may(Permission::PiiView);
    Ok(Json(RequestList { data: found.into_iter().map(|request| view(request, sees_personal_data)).collect() }))
}

/// Shows what would be made of a request under other settings, and changes nothing
#[utoipa::path(post, path = "/v1/identity/lead-webhooks/{id}/requests/{request}/preview", tag = "identity",
    params(("id" = Uuid, Path), ("request" = Uuid, Path)), request_body = LookAgain,
    responses((status = 200, body = PreviewView)))]
async fn preview(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path((id, request)): Path<(SourceId, SubmissionId)>,
    Json(look): Json<LookAgain>,
) -> ApiResult<Json<PreviewView>> {
    let otherwise = otherwise(look)?;
    let source = find_source(&app, &actor, id).await?;
    let request = find_request(&app, &actor, id, request).await?;
    let contents = contents(&request, otherwise.format(&source.settings))?;
    let mapping = otherwise.mapping(&source.settings);
    Ok(Json(PreviewView {
        leads: contents.leads.into_iter().map(|lead| lead_preview(lead, &mapping)).collect(),
        notices: contents.notices.into_iter().map(|notice| notice.lead).collect(),
    }))
}

/// Sends a request through the door once more, under other settings if some are named
#[utoipa::path(post, path = "/v1/identity/lead-webhooks/{id}/requests/{request}/replay", tag = "identity",
    params(("id" = Uuid, Path), ("request" = Uuid, Path)), request_body = LookAgain,
    responses((status = 200, body = ReplayView)))]
async fn replay(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path((id, request)): Path<(SourceId, SubmissionId)>,
    Json(look): Json<LookAgain>,
) -> ApiResult<Json<ReplayView>> {
    let otherwise = otherwise(look)?;
    let source = find_source(&app, &actor, id).await?;
    let request = find_request(&app, &actor, id, request).await?;
    let contents = contents(&request, otherwise.format(&source.settings))?;
    let intake = find_intake(&app, &source).await?;
    fetching::take_notices(&app.engine, &intake, &contents.notices).await?;
    let done = submit_again(&app.engine, &intake, &request, contents.leads, &otherwise).await;
    let receipts = done.into_iter().map(|one| match one {
        Ok(accepted) => ReplayedView {
            receipt: Some(accepted.receipt),
            lead_id: accepted.lead,
            duplicate: accepted.duplicate,
            code: None,
        },
        Err(error) => refused(&error),
    });
    Ok(Json(ReplayView { receipts: receipts.collect() }))
}

/// Lists what is fetched from Facebook for an inbound webhook, newest first
#[utoipa::path(get, path = "/v1/identity/lead-webhooks/{id}/fetches", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = FetchList)))]
async fn list_fetches(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<Json<FetchList>> {
    find_source(&app, &actor, id).await?;
    let found = fetches::list(&app.engine.store.reader(), actor.workspace, id, SHOWN).await?;
    Ok(Json(FetchList { data: found.into_iter().map(fetch_view).collect() }))
}

/// Fetches all leads of a Facebook form, those that were missed among them; what is there already stays one
#[utoipa::path(post, path = "/v1/identity/lead-webhooks/{id}/fetches", tag = "identity", params(("id" = Uuid, Path)),
    request_body = FetchForm, responses((status = 202, description = "It is under way")))]
async fn fetch(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
    Json(request): Json<FetchForm>,
) -> ApiResult<StatusCode> {
    let source = find_source(&app, &actor, id).await?;
    let form = request.form_id.trim();
    if !is_facebook_id(form) {
        return Err(ApiError::field("/formId", "must be the number that Facebook gave the form"));
    }
    let intake = find_intake(&app, &source).await?;
    fetching::fetch_form(&app.engine, &actor, &intake, form).await?;
    Ok(StatusCode::ACCEPTED)
}

async fn find_source(app: &App, actor: &Actor, id: SourceId) -> ApiResult<Source> {
    let found = stored::find(&app.engine.store.reader(), actor.workspace, "webhook", id).await?;
    found.ok_or(ApiError::not_found())
}

async fn find_intake(app: &App, source: &Source) -> ApiResult<Intake> {
    app.engine.door.intakes().by_key("webhook", &source.key).await?.ok_or(ApiError::not_found())
}

/// What is inside a request is personal data.
async fn find_request(app: &App, actor: &Actor, source: SourceId, id: SubmissionId) -> ApiResult<RawRequest> {
    if !actor.role.may(Permission::PiiView) {
        return Err(ApiError::new(Code::Forbidden).detail("this needs the permission pii:view"));
    }
    let found = requests::find(&app.engine.store.reader(), actor.workspace, source, id).await?;
    found.ok_or(ApiError::not_found())
}

fn otherwise(look: LookAgain) -> ApiResult<Otherwise> {
    let format = match look.format.as_deref() {
        None => None,
        Some("auto") => Some(None),
        Some(name) => {
            Some(Some(Format::parse(name).ok_or(ApiError::field("/format", "must be auto or one of the formats"))?))
        }
    };
    let field_mapping = look.field_mapping.map(|mapping| checked_mapping(FieldMapping(mapping))).transpose()?;
    Ok(Otherwise { format, field_mapping })
}

fn contents(request: &RawRequest, format: Option<Format>) -> ApiResult<Contents> {
    let items: Vec<RawFields> = body::parse_items(request.content_type.as_deref(), request.raw_body.as_bytes())?;
    Ok(unpack(format, &items))
}

fn lead_preview(lead: Unpacked, mapping: &FieldMapping) -> LeadPreview {
    let Recognised {
        name,
        email_raw: email,
        phone_raw: phone,
        company,
        title,
        message,
        project,
        page_url,
        referrer,
        touch,
        custom,
        ..
    } = recognise(&lead.fields, mapping);
    LeadPreview {
        format: lead.format.as_str(),
        is_enough: name.is_some() || email.is_some() || phone.is_some() || lead.record.is_some(),
        key: lead.key,
        touch: serde_json::to_value(touch).unwrap_or_default(),
        custom_fields: Value::Object(custom),
        name,
        email,
        phone,
        company,
        title,
        message,
        project,
        page_url,
        referrer,
    }
}

fn refused(error: &AcceptError) -> ReplayedView {
    ReplayedView { receipt: None, lead_id: None, duplicate: false, code: Some(refusal(error).code().as_str()) }
}

fn view(request: RawRequest, sees_personal_data: bool) -> RequestView {
    RequestView {
        id: request.id,
        received_at: request.received_at,
        status: request.status,
        code: request.code,
        lead_id: request.lead_id,
        content_type: request.content_type,
        user_agent: request.user_agent,
        origin: request.origin,
        ip: request.ip.filter(|_| sees_personal_data),
        headers: request.headers,
        body: sees_personal_data.then_some(request.raw_body),
    }
}

fn fetch_view(fetch: Fetch) -> FetchView {
    let is_pending = fetch.state == "pending";
    FetchView {
        id: fetch.id,
        kind: fetch.kind,
        subject: fetch.subject,
        state: fetch.state,
        attempt_count: fetch.attempt_count,
        found_count: fetch.found_count,
        last_error: fetch.last_error,
        next_attempt_at: is_pending.then_some(fetch.next_attempt_at),
        created_at: fetch.created_at,
    }
}
