//! `/l/…`, `/o/…` and `/u/…`: the links of messages, the picture in them, and the page on which somebody unsubscribes.
//!
//! Nothing here needs a script, sets a cookie or carries anything of a person. Asking changes nothing but what is written
//! down of who looked, and `HEAD` not even that: mail gateways follow every link, and none of them may unsubscribe
//! anybody. Only a `POST` does, whether by the button on our page or by one click in the mailbox (RFC 8058).

use std::net::IpAddr;

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use leadline_domain::messaging::MessageChannel;
use leadline_engine::links::{
    hits::{self, Note, Visitor},
    unsubscribing::{self, How, Standing},
};
use url::Url;

use super::{
    capture::text,
    pages::{self, escaped},
};
use crate::{
    app::App,
    body,
    client_ip::ClientIp,
    error::{ApiError, ApiResult},
    extract::Path,
};

/// One point that nobody sees.
const PICTURE: &[u8] = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,\
\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;";

/// What one click in a mailbox sends.
const ONE_CLICK: &[u8] = b"One-Click";

fn visitor(ip: IpAddr, headers: &HeaderMap) -> Visitor {
    let said = |name: &'static str| text(headers, HeaderName::from_static(name)).unwrap_or_default();
    let ahead = ["purpose", "sec-purpose", "x-purpose", "x-moz"].map(said);
    let is_prefetch = ahead.iter().any(|said| {
        let said = said.to_ascii_lowercase();
        ["prefetch", "preview", "prerender"].iter().any(|word| said.contains(word))
    });
    Visitor { agent: text(headers, header::USER_AGENT).unwrap_or_default(), is_prefetch, ip: Some(ip) }
}

fn note(method: &Method) -> Note {
    if method == Method::GET { Note::Hit } else { Note::Nothing }
}

/// Leaves no trace of the link where it leads, and no copy on the way.
fn quiet(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("x-robots-tag", HeaderValue::from_static("noindex, nofollow"));
    response
}

fn gone() -> Response {
    let mut page =
        pages::page("This link does not work any more", "<p>It may have been cut off on its way to you.</p>");
    *page.status_mut() = StatusCode::NOT_FOUND;
    quiet(page)
}

/// A link of a message
///
/// Leads to where the message said. The address is looked up in the message, so no link leads anywhere else.
#[utoipa::path(get, path = "/l/{token}", tag = "ways in", params(("token" = String, Path, description = "The link")),
    responses(
        (status = 302, description = "Where the link leads"),
        (status = 404, description = "The link is not ours, or its message is gone", body = String,
         content_type = "text/html"),
    ))]
pub(super) async fn follow(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    Path(token): Path<String>,
    request: Request,
) -> ApiResult<Response> {
    let (visitor, note) = (visitor(ip, request.headers()), note(request.method()));
    let target = hits::follow(&app.engine, &token, &visitor, note).await?;
    let location = target.and_then(|target| Url::parse(&target).ok()).filter(|url| {
        // Said twice, since everything depends on it.
        matches!(url.scheme(), "http" | "https")
    });
    let Some(location) = location.and_then(|url| HeaderValue::try_from(String::from(url)).ok()) else {
        return Ok(gone());
    };
    Ok(quiet((StatusCode::FOUND, [(header::LOCATION, location)]).into_response()))
}

/// The picture of a message
///
/// One point that nobody sees, whatever stands in the address.
#[utoipa::path(get, path = "/o/{token}", tag = "ways in", params(("token" = String, Path, description = "The message")),
    responses((status = 200, description = "The picture", body = Vec<u8>, content_type = "image/gif")))]
pub(super) async fn open(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    let (visitor, note) = (visitor(ip, request.headers()), note(request.method()));
    if note == Note::Hit {
        hits::open(&app.engine, &token, &visitor).await;
    }
    quiet(([(header::CONTENT_TYPE, HeaderValue::from_static("image/gif"))], PICTURE).into_response())
}

/// The page on which somebody unsubscribes
///
/// Shows one button. Looking at it changes nothing.
#[utoipa::path(get, path = "/u/{token}", tag = "ways in", params(("token" = String, Path, description = "The message")),
    responses(
        (status = 200, description = "The page", body = String, content_type = "text/html"),
        (status = 404, description = "The link is not ours, or its message is gone", body = String,
         content_type = "text/html"),
    ))]
pub(super) async fn look(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    Path(token): Path<String>,
    request: Request,
) -> ApiResult<Response> {
    let (visitor, note) = (visitor(ip, request.headers()), note(request.method()));
    let found = unsubscribing::look(&app.engine, &token, &visitor, note).await?;
    Ok(found.map_or_else(gone, |standing| {
        let body = format!(
            "<p>{} will not send you {} any more.</p>\
             <form method=\"post\"><button type=\"submit\" name=\"unsubscribe\" value=\"yes\">Unsubscribe</button></form>",
            from(&standing),
            messages(standing.channel),
        );
        quiet(pages::page("Unsubscribe?", &body))
    }))
}

/// Unsubscribes whoever got a message
///
/// By the button on the page, or by one click in the mailbox, which sends `List-Unsubscribe=One-Click` (RFC 8058).
/// Needs no cookie; repeats are harmless.
#[utoipa::path(post, path = "/u/{token}", tag = "ways in", params(("token" = String, Path, description = "The message")),
    request_body(content((Object = "application/x-www-form-urlencoded"), (Object = "multipart/form-data"))),
    responses(
        (status = 200, description = "It is done", body = String, content_type = "text/html"),
        (status = 404, description = "The link is not ours, or its message is gone", body = String,
         content_type = "text/html"),
        (status = 413, description = "The body is over 1 MiB"),
    ))]
pub(super) async fn unsubscribe(
    State(app): State<App>,
    Path(token): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    let body = body::read(request).await?;
    let is_one_click = body.bytes.windows(ONE_CLICK.len()).any(|part| part == ONE_CLICK);
    let how = if is_one_click { How::OneClick } else { How::Page };
    let found = unsubscribing::unsubscribe(&app.engine, &token, how).await?;
    Ok(found.map_or_else(gone, |standing| {
        let body = format!("<p>{} will not send you {} any more.</p>", from(&standing), messages(standing.channel));
        quiet(pages::page("You are unsubscribed", &body))
    }))
}

fn from(standing: &Standing) -> String {
    if standing.from.is_empty() { "Whoever wrote to you".to_owned() } else { escaped(&standing.from) }
}

fn messages(channel: MessageChannel) -> &'static str {
    match channel {
        MessageChannel::Whatsapp => "messages by WhatsApp",
        MessageChannel::Sms => "text messages",
        MessageChannel::Email => "e-mails",
    }
}
