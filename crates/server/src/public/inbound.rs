//! `POST /webhooks/leads/{apiKey}`: what other products send, and the handshake by which Facebook makes sure of us.
//!
//! The key in the address says which source it is. What the source demands beside it is checked before a lead is looked
//! for; what is refused is noted, so that whoever sets the source up can see it.

use std::collections::HashMap;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use http::{HeaderMap, HeaderValue, header};
use leadline_domain::{
    ids::SubmissionId,
    inbound::{self as shapes, Contents, GOOGLE_KEY_FIELD},
};
use leadline_engine::capture::{
    self, AcceptError, Accepted,
    inbound::{self, Incoming, NotAdmitted, Unproven, fetch, refused::Refusal},
};
use leadline_store::sources::Intake;
use serde::Serialize;
use utoipa::ToSchema;

use super::capture::{ReceiptView, find_intake, refusal, text, with_cors};
use crate::{
    app::App,
    body::{self, Fields},
    client_ip::ClientIp,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
};

/// What a program is told about a request that an inbound webhook accepted: the receipt of its submission, or of its
/// first one and each of them in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookReceipt {
    #[serde(flatten)]
    first: ReceiptView,
    /// All of them, where the request held several; null stands for one that names nobody.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    receipts: Vec<Option<ReceiptView>>,
}

/// An inbound webhook
///
/// Takes what a form takes, from a program, and what the products send that are listed under `format` of the webhook; a
/// list of objects is a submission each. Repeats are harmless where the sender's product gives ids, or with an
/// `Idempotency-Key`. The same answers under `/v1/identity/webhooks/leads/{key}`.
#[utoipa::path(post, path = "/webhooks/leads/{key}", tag = "ways in",
    params(("key" = String, Path, description = "The webhook's key")),
    request_body(content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, body = WebhookReceipt),
        (status = 204, description = "It was understood and is about nobody"),
        (status = 401, description = "The webhook demands a proof of its sender, and it is missing or does not fit"),
        (status = 403, description = "The webhook does not allow the origin"),
        (status = 404, description = "No webhook has this key"),
        (status = 413, description = "The body is over 1 MiB or has too many fields"),
        (status = 415, description = "The content type is not read here"),
        (status = 503, description = "Neither store nor disk can take it"),
    ))]
pub(super) async fn webhook(
    State(app): State<App>,
    Path(key): Path<String>,
    ClientIp(ip): ClientIp,
    request: Request,
) -> Response {
    let mut heard = Heard::of(&request, ip.to_string());
    let answer = async {
        let intake = find_intake(&app, "webhook", &key).await?;
        let answer = take(&app, &intake, &mut heard, request).await;
        if let Err(error) = &answer {
            heard.note(&app, &intake, error);
        }
        answer
    };
    let answer = answer.await;
    with_cors(answer.unwrap_or_else(IntoResponse::into_response))
}

/// Facebook's handshake
///
/// Facebook asks once, when the address is given to it, and wants its challenge back.
#[utoipa::path(get, path = "/webhooks/leads/{key}", tag = "ways in",
    params(
        ("key" = String, Path, description = "The webhook's key"),
        ("hub.mode" = Option<String>, Query, description = "`subscribe`"),
        ("hub.verify_token" = Option<String>, Query, description = "The webhook's verify token"),
        ("hub.challenge" = Option<String>, Query, description = "What is to be answered"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "The challenge"),
        (status = 403, description = "The verify token is not the webhook's"),
        (status = 404, description = "No webhook has this key"),
    ))]
pub(super) async fn handshake(
    State(app): State<App>,
    Path(key): Path<String>,
    Query(asked): Query<HashMap<String, String>>,
) -> ApiResult<Response> {
    let intake = find_intake(&app, "webhook", &key).await?;
    let named = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    let is_subscription = named("hub.mode") == "subscribe";
    if !is_subscription || !inbound::knows_verify_token(&app.engine.keys, &intake, named("hub.verify_token")) {
        return Err(ApiError::new(Code::VerifyTokenInvalid));
    }
    // Whatever it is, it goes back as text that no browser takes for a page.
    let challenge: String = named("hub.challenge").chars().take(200).collect();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, plain)], challenge).into_response())
}

/// A request while it is looked at.
struct Heard {
    method: String,
    path: String,
    headers: HeaderMap,
    evidence: capture::Request,
}

impl Heard {
    fn of(request: &Request, ip: String) -> Self {
        let headers = request.headers().clone();
        let evidence = capture::Request {
            // The key alone says who sends: the address of a server names no person.
            is_browser: false,
            ip: Some(ip),
            user_agent: text(&headers, header::USER_AGENT),
            origin: text(&headers, header::ORIGIN),
            content_type: text(&headers, header::CONTENT_TYPE),
            ..capture::Request::default()
        };
        let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
        Self { method: request.method().to_string(), path, headers, evidence }
    }

    fn header(&self, name: &str) -> Option<String> {
        text(&self.headers, name.parse::<header::HeaderName>().ok()?)
    }

    /// What the sender did wrong is kept for a look; what we did is in the log.
    fn note(self, app: &App, intake: &Intake, error: &ApiError) {
        let code = error.code();
        if !code.status().is_client_error() {
            return;
        }
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        let refusal = Refusal { status: code.status().as_u16(), code: code.as_str() };
        app.engine.refused.note(app.engine.clock.now(), intake, &self.method, headers, self.evidence, refusal);
    }
}

async fn take(app: &App, intake: &Intake, heard: &mut Heard, request: Request) -> ApiResult<Response> {
    inbound::admit_origin(intake, heard.evidence.origin.as_deref()).map_err(not_admitted)?;
    let body = body::read(request).await?;
    heard.evidence.raw_body = String::from_utf8_lossy(&body.bytes).into_owned();
    let items = body::parse_items(heard.evidence.content_type.as_deref(), &body.bytes);
    admit_sender(app, intake, heard, &body.bytes, items.as_deref().unwrap_or_default())?;
    let Contents { leads, notices } = shapes::unpack(inbound::chosen_format(&intake.source_settings), &items?);
    if !notices.is_empty() {
        let taken = fetch::take_notices(&app.engine, intake, &notices).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "notices of leads cannot be stored");
            ApiError::new(Code::Unavailable).retry_after(5)
        })?;
        return Ok(noticed(&taken));
    }
    let own_key = heard.header("idempotency-key");
    let submissions = inbound::submissions(&app.engine, intake, leads, &heard.evidence, own_key.as_deref());
    let done = join_all(submissions.into_iter().map(|submission| app.engine.door.accept(submission))).await;
    answer(done)
}

fn admit_sender(app: &App, intake: &Intake, heard: &Heard, body: &[u8], items: &[Fields]) -> ApiResult<()> {
    let url = format!("{}{}", app.engine.options.public_url, heard.path);
    let header = |name: &str| heard.header(name);
    let now_s = app.engine.clock.now().0 / 1_000;
    let incoming = Incoming { method: &heard.method, url: &url, header: &header, body, now_s };
    let key_inside = items.iter().flatten().find(|(name, _)| name == GOOGLE_KEY_FIELD);
    let key_inside = key_inside.and_then(|(_, key)| key.as_str());
    inbound::admit_sender(&app.engine.keys, intake, &incoming, key_inside).map_err(not_admitted)
}

fn not_admitted(error: NotAdmitted) -> ApiError {
    ApiError::new(match error {
        NotAdmitted::Origin => Code::OriginNotAllowed,
        NotAdmitted::Unproven(Unproven::Missing) => Code::ProofMissing,
        NotAdmitted::Unproven(Unproven::Wrong) => Code::ProofInvalid,
    })
}

/// The receipts of leads that will be fetched are those of the submissions that they will be.
fn noticed((ids, new): &(Vec<leadline_domain::ids::FetchId>, u64)) -> Response {
    let receipts = ids.iter().map(|id| {
        Some(ReceiptView::new(Accepted {
            receipt: SubmissionId(id.0),
            lead: None,
            duplicate: *new == 0,
            stored: true,
            held: false,
        }))
    });
    with_first(receipts.collect())
}

/// One that names nobody does not take the others with it; where none is left, that is the answer.
fn answer(done: Vec<Result<Accepted, AcceptError>>) -> ApiResult<Response> {
    let mut receipts = Vec::with_capacity(done.len());
    let mut refused = None;
    for one in done {
        match one {
            Ok(accepted) => receipts.push(Some(ReceiptView::new(accepted))),
            // It has to come again, and the others will be known by their keys.
            Err(error @ AcceptError::NoRoom(_)) => return Err(refusal(&error)),
            Err(error) => {
                refused = Some(refusal(&error));
                receipts.push(None);
            }
        }
    }
    match refused {
        Some(error) if receipts.iter().all(Option::is_none) => Err(error),
        Some(_) | None => Ok(with_first(receipts)),
    }
}

fn with_first(receipts: Vec<Option<ReceiptView>>) -> Response {
    let Some(first) = receipts.iter().flatten().next().cloned() else {
        return http::StatusCode::NO_CONTENT.into_response();
    };
    let receipts = if receipts.len() == 1 { Vec::new() } else { receipts };
    Json(WebhookReceipt { first, receipts }).into_response()
}
