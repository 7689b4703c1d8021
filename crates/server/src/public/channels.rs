//! `/channels/{channelId}/callback`: what providers of messages call back with. Who sent it is checked before anything
//! it says is looked at; what is about messages that nobody knows changes nothing, and is answered alike.

use std::collections::HashMap;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, header};
use leadline_domain::ids::ChannelId;
use leadline_engine::messaging::callbacks::{self, CallbackError, Called};
use serde::Serialize;
use utoipa::ToSchema;

use super::capture::text;
use crate::{
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
};

/// A callback was taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CallbackTaken {
    pub(super) received: bool,
}

/// Meta's handshake
///
/// Meta asks once, when the address is given to it, and wants its challenge back.
#[utoipa::path(get, path = "/channels/{channel}/callback", tag = "ways in",
    params(
        ("channel" = String, Path, description = "The channel's id"),
        ("hub.mode" = Option<String>, Query, description = "`subscribe`"),
        ("hub.verify_token" = Option<String>, Query, description = "The channel's verify token"),
        ("hub.challenge" = Option<String>, Query, description = "What is to be answered"),
    ),
    responses(
        (status = 200, body = String, content_type = "text/plain", description = "The challenge"),
        (status = 403, description = "The verify token is not the channel's"),
        (status = 404, description = "There is no such channel, or nobody calls it back"),
    ))]
pub(super) async fn handshake(
    State(app): State<App>,
    Path(channel): Path<ChannelId>,
    Query(asked): Query<HashMap<String, String>>,
) -> ApiResult<Response> {
    let named = |name: &str| asked.get(name).map(String::as_str).unwrap_or_default();
    callbacks::verify(&app.engine, channel, named("hub.mode"), named("hub.verify_token"))
        .await
        .map_err(|error| refusal(error, Code::VerifyTokenInvalid))?;
    // Whatever it is, it goes back as text that no browser takes for a page.
    let challenge: String = named("hub.challenge").chars().take(200).collect();
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, plain)], challenge).into_response())
}

/// A provider calls back
///
/// How messages fare, and what people write, in the provider's own shape: WhatsApp with `X-Hub-Signature-256`, Twilio
/// with `X-Twilio-Signature`, a gateway with the channel's token in `X-Callback-Token` or as `token` in the address.
/// Repeats are harmless, and a status only moves forward.
#[utoipa::path(post, path = "/channels/{channel}/callback", tag = "ways in",
    params(("channel" = String, Path, description = "The channel's id")),
    request_body(content((Object = "application/json"), (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, body = CallbackTaken),
        (status = 400, description = "It cannot be read"),
        (status = 403, description = "It is not signed, or not by the channel's provider"),
        (status = 404, description = "There is no such channel, or nobody calls it back"),
        (status = 413, description = "The body is over 1 MiB"),
    ))]
pub(super) async fn callback(
    State(app): State<App>,
    Path(channel): Path<ChannelId>,
    request: Request,
) -> ApiResult<Json<CallbackTaken>> {
    let headers = request.headers().clone();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let query = pairs(request.uri().query().unwrap_or_default().as_bytes());
    let content_type = text(&headers, header::CONTENT_TYPE).unwrap_or_default();
    let body = body::read(request).await?;
    let is_form = content_type.starts_with("application/x-www-form-urlencoded");
    let fields = if is_form { pairs(&body.bytes) } else { Vec::new() };
    // The address as the provider was told it: what stands in front of us may have changed the request's own.
    let url = format!("{}{path}", app.engine.options.public_url);
    let header = |name: &str| text(&headers, name.parse::<header::HeaderName>().ok()?);
    let called = Called { url: &url, query: &query, header: &header, body: &body.bytes, fields: &fields };
    callbacks::take(&app.engine, channel, &called).await.map_err(|error| refusal(error, Code::CallbackForged))?;
    Ok(Json(CallbackTaken { received: true }))
}

pub(super) fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

pub(super) fn refusal(error: CallbackError, forged: Code) -> ApiError {
    match error {
        CallbackError::NotFound => ApiError::not_found(),
        CallbackError::Forged => ApiError::new(forged),
        CallbackError::Unreadable => ApiError::new(Code::UnreadableBody),
        CallbackError::Sealed(error) => ApiError::internal(&error),
        CallbackError::Internal(error) => error.into(),
    }
}
