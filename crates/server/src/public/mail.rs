//! `/channels/{channelId}/mail`: mails that came in, posted by whoever receives them: a mail server's own script, or a
//! service. The mail itself, as it came, is the body or a field of it.

use axum::extract::{Request, State};
use http::{HeaderMap, header};
use leadline_domain::{ids::ChannelId, messaging::incoming::MAIL_MAX_BYTES};
use leadline_engine::messaging::incoming;

use super::{
    capture::text,
    channels::{CallbackTaken, pairs, refusal},
};
use crate::{
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
};

/// What services call the field that holds the mail as it came.
const FIELDS: [&str; 6] = ["email", "body-mime", "RawEmail", "rawEmail", "raw", "message"];

/// A mail came in
///
/// The body is the mail itself (RFC 5322), whole and as it came, or a form or an object with it in one of the fields
/// `email`, `body-mime`, `RawEmail`, `raw` or `message`, as services post it. The channel's token stands in
/// `X-Callback-Token` or as `token` in the address. A mail that is posted twice is kept once.
#[utoipa::path(post, path = "/channels/{channel}/mail", tag = "ways in",
    params(
        ("channel" = String, Path, description = "The channel's id"),
        ("token" = Option<String>, Query, description = "The channel's token for mails that come in"),
    ),
    request_body(content((String = "message/rfc822"), (Object = "application/json"),
        (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, body = CallbackTaken),
        (status = 400, description = "It is no mail"),
        (status = 403, description = "The token is not the channel's"),
        (status = 404, description = "There is no such channel, or it takes no mail"),
        (status = 413, description = "The mail is over 25 MiB"),
    ))]
pub(super) async fn post(
    State(app): State<App>,
    Path(channel): Path<ChannelId>,
    request: Request,
) -> ApiResult<Json<CallbackTaken>> {
    let headers = request.headers().clone();
    let query = pairs(request.uri().query().unwrap_or_default().as_bytes());
    let in_query = query.into_iter().find(|(name, _)| name == "token").map(|(_, token)| token);
    let token = text(&headers, header::HeaderName::from_static("x-callback-token")).or(in_query).unwrap_or_default();
    let refused = |error| refusal(error, Code::CallbackForged);
    // Nobody fills our memory who does not know the token.
    incoming::admit(&app.engine, channel, &token).await.map_err(refused)?;
    let body = body::read_up_to(request, MAIL_MAX_BYTES).await?;
    let mail = mail_in(&headers, &body.bytes)?;
    incoming::post(&app.engine, channel, &token, mail).await.map_err(refused)?;
    Ok(Json(CallbackTaken { received: true }))
}

fn mail_in(headers: &HeaderMap, bytes: &[u8]) -> ApiResult<Vec<u8>> {
    let content_type = text(headers, header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let is_wrapped = ["application/json", "application/x-www-form-urlencoded", "multipart/form-data"]
        .iter()
        .any(|kind| content_type.starts_with(kind));
    if !is_wrapped {
        return Ok(bytes.to_vec());
    }
    let content_type = text(headers, header::CONTENT_TYPE);
    let missing = || ApiError::new(Code::UnreadableBody).detail("no field holds the mail as it came");
    let parsed = body::parse(content_type.as_deref(), bytes).map_err(|_| missing())?;
    let found = parsed.fields.into_iter().find(|(name, _)| FIELDS.contains(&name.as_str()));
    found.and_then(|(_, value)| value.as_str().map(|text| text.as_bytes().to_vec())).ok_or_else(missing)
}
