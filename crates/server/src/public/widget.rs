//! The WhatsApp widget: its script with its settings in it, and what it captures.
//!
//! The answer to a capture opens WhatsApp with the visitor's message and the code of the conversation that was made for
//! it. Both follow from the receipt, so a visitor gets there while the store is away, too.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leadline_domain::{
    fields::{FieldMapping, RawFields, recognise},
    widgets::{self, Reference},
};
use leadline_engine::capture::{Request as Evidence, conversations};
use leadline_store::sources::Intake;
use serde_json::{Value, json};

use super::{
    capture::{self as way_in, ReceiptView},
    pages,
};
use crate::{
    app::App,
    assets, body,
    client_ip::ClientIp,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
};

/// What stands in the built script where its settings go.
const SETTINGS_PLACE: &str = "__LEADLINE_WIDGET__";

/// A WhatsApp widget's form
///
/// Takes `phone`, and `name`, `message`, `pageUrl` and `referrer` where they are known. The answer's `redirectUrl` opens
/// WhatsApp. `Idempotency-Key`, or a field `submissionId`, makes repeats harmless.
#[utoipa::path(post, path = "/w/{widget}/captures", tag = "ways in",
    params(("widget" = String, Path, description = "The widget's id")),
    request_body(content((Object = "application/json"), (String = "text/plain"),
        (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, body = ReceiptView, description = "To a program"),
        (status = 303, description = "To WhatsApp, for a browser that posts a form"),
        (status = 403, description = "The widget is not for this website"),
        (status = 404, description = "There is no such widget"),
        (status = 413, description = "The body is over 1 MiB or has too many fields"),
        (status = 415, description = "The content type is not read here"),
        (status = 503, description = "Neither store nor disk can take it"),
    ))]
pub(super) async fn capture(
    State(app): State<App>,
    Path(widget): Path<String>,
    ClientIp(ip): ClientIp,
    request: Request,
) -> Response {
    let headers = request.headers().clone();
    let result = take(&app, &widget, ip.to_string(), request).await;
    way_in::with_cors(match result {
        Ok(receipt) if way_in::wants_page(&headers) => to_whatsapp(&receipt),
        Ok(receipt) => Json(receipt).into_response(),
        Err(error) if way_in::wants_page(&headers) => pages::refused(&error, &headers),
        Err(error) => error.into_response(),
    })
}

async fn take(app: &App, widget: &str, ip: String, request: Request) -> ApiResult<ReceiptView> {
    let arrived = way_in::arrive(app, "widget", widget, Some(ip), request).await?;
    let message = match &arrived.block {
        Some(_) => message_unchecked(&arrived.evidence),
        None => {
            check_origin(&arrived.intake, arrived.evidence.origin.as_deref())?;
            checked_message(&arrived.fields)?
        }
    };
    let (accepted, intake) = way_in::take_in(app, arrived).await?;
    let business = intake.source_settings["phoneNumber"].as_str().unwrap_or_default();
    let reference = Reference::of(accepted.receipt);
    Ok(ReceiptView {
        receipt: accepted.receipt,
        lead_id: accepted.lead,
        duplicate: accepted.duplicate,
        stored: accepted.stored,
        redirect_url: Some(widgets::redirect_url(business, message.as_deref(), &reference)),
        conversation_id: Some(conversations::of_submission(accepted.receipt)),
        reference: Some(reference.to_string()),
    })
}

/// A widget that names its websites is for those. Programs, which send no origin, are no website.
fn check_origin(intake: &Intake, origin: Option<&str>) -> ApiResult<()> {
    let allowed: Vec<&str> =
        intake.source_settings["allowedOrigins"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let is_allowed = allowed.is_empty() || origin.is_some_and(|origin| allowed.contains(&origin));
    if is_allowed { Ok(()) } else { Err(ApiError::new(Code::OriginNotAllowed)) }
}

/// The visitor's message, once it is clear that there is a number to answer it at. One that is merely mistyped is taken:
/// whoever sent it is about to write from the right one.
fn checked_message(fields: &RawFields) -> ApiResult<Option<String>> {
    let recognised = recognise(fields, &FieldMapping::default());
    let wrong = |what| ApiError::field("/phone", what).detail("Please give your phone number with its country code.");
    let phone = recognised.phone_raw.ok_or_else(|| wrong("is required"))?;
    if !widgets::may_be_a_phone(&phone) {
        return Err(wrong("must be a phone number"));
    }
    Ok(recognised.message)
}

/// What a blocked visitor wrote: their answer repeats it like everybody's, and nothing else looks at it.
fn message_unchecked(evidence: &Evidence) -> Option<String> {
    let parsed = body::parse(evidence.content_type.as_deref(), evidence.raw_body.as_bytes()).ok()?;
    recognise(&parsed.fields, &FieldMapping::default()).message
}

fn to_whatsapp(receipt: &ReceiptView) -> Response {
    let location = receipt.redirect_url.as_deref().and_then(|url| HeaderValue::from_str(url).ok());
    let location = location.unwrap_or(HeaderValue::from_static("/thank-you"));
    let no_store = HeaderValue::from_static("no-store");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, no_store)]).into_response()
}

/// The script of a WhatsApp widget
///
/// For `<script async src="https://HOST/w/WIDGETID.js"></script>` on the website. It carries the widget's settings.
#[utoipa::path(get, path = "/w/{file}", tag = "ways in",
    params(("file" = String, Path, description = "The widget's id with `.js` behind it")),
    responses(
        (status = 200, body = String, content_type = "text/javascript"),
        (status = 404, description = "There is no such widget"),
    ))]
pub(super) async fn script(
    State(app): State<App>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> ApiResult<Response> {
    let widget = file.strip_suffix(".js").ok_or(ApiError::new(Code::NotFound))?;
    let found = app.engine.door.intakes().by_key("widget", widget).await.map_err(|error| {
        tracing::error!(error = &error as &dyn std::error::Error, "a widget cannot be looked up");
        ApiError::new(Code::Unavailable).retry_after(1)
    })?;
    let intake = found.ok_or(ApiError::new(Code::UnknownKey))?;
    let settings = script_text(&json!({
        "id": widget,
        "phoneNumber": intake.source_settings["phoneNumber"],
        "nameField": intake.source_settings["nameField"],
        "color": intake.source_settings["color"],
        "position": intake.source_settings["position"],
        "greeting": intake.source_settings["greeting"],
        "consentText": intake.source_settings["consentText"],
    }));
    assets::widget_script(&headers, |script| script.replacen(SETTINGS_PLACE, &settings, 1))
}

/// JSON that stands in a script: a line of JavaScript cannot hold every character that a line of JSON can.
fn script_text(settings: &Value) -> String {
    settings.to_string().replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029").replace('<', "\\u003c")
}
