//! `POST /f/{formKey}`, and what it has in common with `POST /webhooks/leads/{apiKey}`.
//!
//! A program gets JSON; a browser that posts a form gets a redirect to the form's thank-you page, or a small page that
//! says what is wrong. A 2xx or 3xx means that the submission is on disk.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leadline_domain::{
    fields::RawFields,
    ids::{ConversationId, LeadId, SubmissionId},
};
use leadline_engine::capture::{self, AcceptError, Accepted, Block, Submission};
use leadline_store::sources::Intake;
use serde::Serialize;
use utoipa::ToSchema;

use super::pages;
use crate::{
    app::App,
    body::{self, Kind, Parsed},
    client_ip::ClientIp,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    proxy_hints,
};

/// What a program is told about a submission that was accepted.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReceiptView {
    /// The submission.
    #[schema(value_type = Uuid)]
    pub(super) receipt: SubmissionId,
    /// The lead it belongs to; null while it waits on disk for the store to come back.
    #[schema(value_type = Option<Uuid>)]
    pub(super) lead_id: Option<LeadId>,
    /// Whether it had been accepted before, under the same key.
    pub(super) duplicate: bool,
    /// Whether it is in the store already. On disk it is in any case.
    pub(super) stored: bool,
    /// The form's thank-you page, where it has one; for a widget the address that opens WhatsApp.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) redirect_url: Option<String>,
    /// The conversation that a widget's submission opened.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub(super) conversation_id: Option<ConversationId>,
    /// The code in the visitor's first WhatsApp message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reference: Option<String>,
}

impl ReceiptView {
    pub(super) fn new(accepted: Accepted) -> Self {
        // Whether it was held back is nobody's business outside.
        let Accepted { receipt, lead, duplicate, stored, held: _ } = accepted;
        Self { receipt, lead_id: lead, duplicate, stored, redirect_url: None, conversation_id: None, reference: None }
    }
}

/// A form on a website
///
/// Takes any fields; see the documentation for the names that are recognised. `Idempotency-Key`, or a field
/// `submissionId`, makes repeats harmless. A program gets JSON, a browser's form is sent to the thank-you page.
#[utoipa::path(post, path = "/f/{key}", tag = "ways in", params(("key" = String, Path, description = "The form's key")),
    request_body(content(
        (Object = "application/json"),
        (Object = "application/x-www-form-urlencoded"),
        (Object = "multipart/form-data"),
        (String = "text/plain"),
    )),
    responses(
        (status = 200, body = ReceiptView, description = "To a program"),
        (status = 301, description = "To a browser that posts a form; 303 where the form says so"),
        (status = 403, description = "The form does not allow the origin"),
        (status = 404, description = "No form has this key"),
        (status = 413, description = "The body is over 1 MiB or has too many fields"),
        (status = 415, description = "The content type is not read here"),
        (status = 503, description = "Neither store nor disk can take it"),
    ))]
pub(super) async fn form(
    State(app): State<App>,
    Path(key): Path<String>,
    ClientIp(ip): ClientIp,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let result = accept(&app, "form", &key, Some(ip.to_string()), request).await;
    with_cors(match result {
        Ok(done) if done.is_json || wants_json(&headers) => receipt(&done),
        Ok(done) => redirect(&app, &done.intake),
        Err(error) if wants_page(&headers) => pages::refused(&error, &headers),
        Err(error) => error.into_response(),
    })
}

/// Says that any website may send. No credentials are ever read here, so there is nothing to protect by origin.
pub(super) async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "content-type, idempotency-key"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    with_cors((StatusCode::NO_CONTENT, allowed).into_response())
}

/// Where a key leads to.
pub(super) async fn find_intake(app: &App, kind: &'static str, key: &str) -> ApiResult<Intake> {
    let intake = app.engine.door.intakes().by_key(kind, key).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a source cannot be looked up");
        ApiError::new(Code::Unavailable).retry_after(1)
    })?;
    intake.ok_or(ApiError::new(Code::UnknownKey))
}

struct Done {
    accepted: Accepted,
    intake: Intake,
    is_json: bool,
}

/// A request that was read and has not been judged yet.
pub(super) struct Arrived {
    pub(super) intake: Intake,
    pub(super) fields: RawFields,
    pub(super) evidence: capture::Request,
    pub(super) own_key: Option<String>,
    /// The block that its address falls under: then nothing was parsed, and there are no fields.
    pub(super) block: Option<Block>,
    is_json: bool,
}

async fn accept(app: &App, kind: &'static str, key: &str, ip: Option<String>, request: Request) -> ApiResult<Done> {
    let arrived = arrive(app, kind, key, ip, request).await?;
    let is_json = arrived.is_json;
    let (accepted, intake) = take_in(app, arrived).await?;
    Ok(Done { accepted, intake, is_json })
}

/// Finds the source and reads the body.
pub(super) async fn arrive(
    app: &App,
    kind: &'static str,
    key: &str,
    ip: Option<String>,
    request: Request,
) -> ApiResult<Arrived> {
    let intake = find_intake(app, kind, key).await?;
    let headers = request.headers().clone();
    // A widget says itself where it may stand.
    if kind == "form" {
        capture::inbound::admit_origin(&intake, text(&headers, header::ORIGIN).as_deref())
            .map_err(|_| ApiError::new(Code::OriginNotAllowed))?;
    }
    let context = proxy_hints::context_of(app, request.extensions(), &headers);
    let is_browser = kind == "form" || kind == "widget";
    let block = match ip.as_deref().filter(|_| is_browser) {
        Some(ip) => app.engine.door.watch().block(&intake, ip, app.engine.clock.now()).await,
        None => None,
    };
    let body = body::read(request).await?;
    let content_type = text(&headers, header::CONTENT_TYPE);
    let own_key = text(&headers, header::HeaderName::from_static("idempotency-key"));
    let (is_json, fields) = match &block {
        Some(_) => (body::looks_like_json(content_type.as_deref(), &body.bytes), RawFields::new()),
        None => {
            let Parsed { kind: body_kind, fields } = body::parse(content_type.as_deref(), &body.bytes)?;
            (body_kind == Kind::Json, fields)
        }
    };
    let evidence = capture::Request {
        is_browser,
        ip,
        // A browser has one; that of a program is its own affair.
        user_agent: text(&headers, header::USER_AGENT).or_else(|| is_browser.then(String::new)),
        origin: text(&headers, header::ORIGIN),
        content_type,
        raw_body: String::from_utf8_lossy(&body.bytes).into_owned(),
        context,
    };
    let own_key = own_key.or_else(|| capture::own_key(&fields));
    Ok(Arrived { intake, fields, evidence, own_key, block, is_json })
}

/// Hands it to the one door.
pub(super) async fn take_in(app: &App, arrived: Arrived) -> ApiResult<(Accepted, Intake)> {
    let Arrived { intake, fields, evidence, own_key, block, .. } = arrived;
    let (engine, key) = (&app.engine, own_key.as_deref());
    let submission = match block {
        Some(block) => Submission::turned_away(engine, intake.clone(), block, evidence, key),
        None => Submission::new(engine, intake.clone(), fields, evidence, key),
    };
    let accepted = app.engine.door.accept(submission).await.map_err(|error| refusal(&error))?;
    Ok((accepted, intake))
}

/// What the door's refusal is to whoever knocked.
pub(crate) fn refusal(error: &AcceptError) -> ApiError {
    match error {
        AcceptError::Nothing => ApiError::new(Code::NothingToIdentifyBy),
        AcceptError::Unstorable(_) => {
            ApiError::new(Code::InvalidFields).detail("the fields hold something that cannot be stored as text")
        }
        AcceptError::NoRoom(_) => ApiError::new(Code::Unavailable).retry_after(5),
    }
}

fn receipt(done: &Done) -> Response {
    let redirect_url = thank_you_url(&done.intake).map(str::to_owned);
    Json(ReceiptView { redirect_url, ..ReceiptView::new(done.accepted) }).into_response()
}

/// 301, as receivers of such forms expect it, but never remembered by the browser; a form may choose 303.
fn redirect(app: &App, intake: &Intake) -> Response {
    let chosen = intake.source_settings.get("redirectStatus").and_then(serde_json::Value::as_u64);
    let status = if chosen == Some(303) { StatusCode::SEE_OTHER } else { StatusCode::MOVED_PERMANENTLY };
    let own_page = || format!("{}/thank-you", app.engine.options.public_url);
    let location = thank_you_url(intake).map_or_else(own_page, str::to_owned);
    let location = HeaderValue::from_str(&location).unwrap_or(HeaderValue::from_static("/thank-you"));
    let no_store = HeaderValue::from_static("no-store");
    (status, [(header::LOCATION, location), (header::CACHE_CONTROL, no_store)]).into_response()
}

fn thank_you_url(intake: &Intake) -> Option<&str> {
    intake.source_settings.get("thankYouUrl").and_then(serde_json::Value::as_str)
}

pub(super) fn wants_json(headers: &HeaderMap) -> bool {
    accepts(headers, "json")
}

pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    accepts(headers, "text/html") && !wants_json(headers)
}

fn accepts(headers: &HeaderMap, what: &str) -> bool {
    headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok()).any(|value| value.contains(what))
}

/// A header as text that any database can hold.
pub(super) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<String> {
    let value = headers.get(name)?;
    let text = String::from_utf8_lossy(value.as_bytes()).replace('\0', "");
    Some(text.chars().take(2_000).collect())
}

pub(super) fn with_cors(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
