//! The dashboard and the embed script, inside the binary.
//!
//! Files with a hash in their name are kept by browsers for good. The page itself is made anew each time, with a nonce
//! for the styles that the dashboard writes, and with a policy that lets no other script or style in.

use axum::{
    Router,
    extract::{Request, State},
    response::{AppendHeaders, IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use leadline_engine::capture::form_token;
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use crate::{
    app::App,
    error::{ApiError, ApiResult, Code},
    guard::session_secret,
};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Dashboard;

#[derive(RustEmbed)]
#[folder = "../../embed/dist"]
struct Embed;

/// What stands in the page where the nonce goes.
const NONCE_PLACE: &str = "__CSP_NONCE__";

const NOT_BUILT: &str = "<!doctype html><title>Leadline</title><p>The dashboard is not built into this binary. \
    Build it with <code>make web</code>, and the server again.</p>";

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/embed.js", get(embed)).fallback(file_or_page)
}

/// The script for websites with the form token of the hour put in.
async fn embed(State(app): State<App>, headers: HeaderMap) -> ApiResult<Response> {
    let token = form_token::issue(&app.engine.keys, app.engine.clock.now());
    script(&headers, "embed.js", "public, max-age=3600", |text| text.replace(form_token::PLACE, &token))
}

/// The widget's script with one widget's settings put in. Kept only for minutes: a change of the settings is to be seen
/// soon.
pub(crate) fn widget_script(asked: &HeaderMap, with_settings: impl FnOnce(&str) -> String) -> ApiResult<Response> {
    script(asked, "widget.js", "public, max-age=300", with_settings)
}

/// A script for other people's pages, with something put in.
fn script(
    asked: &HeaderMap,
    name: &str,
    caching: &'static str,
    filled_in: impl FnOnce(&str) -> String,
) -> ApiResult<Response> {
    let not_built = || ApiError::not_found().detail("the script is not built into this binary");
    let file = Embed::get(name).ok_or_else(not_built)?;
    let text = filled_in(&String::from_utf8_lossy(&file.data));
    let tag = format!("\"{}\"", hex::encode(&Sha256::digest(text.as_bytes())[..16]));
    let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8")),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal is plain ASCII")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        // Sites with cross-origin isolation load it too.
        (header::HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("cross-origin")),
    ];
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    Ok((headers, text).into_response())
}

/// A file of the dashboard, or its page for every address that a browser may show: the dashboard's own router knows
/// the rest.
async fn file_or_page(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    if is_read && let Some(file) = Dashboard::get(path).filter(|_| path != "index.html") {
        let kind = file.metadata.mimetype().to_owned();
        let caching = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
        return answer(request.headers(), &file, &kind, caching);
    }
    let is_for_programs =
        ["v1/", "f/", "webhooks/", "w/", "t/", "chat/", "assets/"].iter().any(|part| path.starts_with(part));
    if is_for_programs || !is_read {
        return ApiError::new(Code::NotFound).into_response();
    }
    page(&request)
}

/// What the dashboard asks for first, as it asks for it: the browser fetches it while the script is on its way.
const FIRST: &str = "</v1/session>; rel=preload; as=fetch; crossorigin";
const FIRST_OF_BOARD: &str = "</v1/identity/board?limit=50>; rel=preload; as=fetch; crossorigin";

fn page(request: &Request) -> Response {
    let Some(file) = Dashboard::get("index.html") else {
        return (StatusCode::OK, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], NOT_BUILT).into_response();
    };
    let nonce = STANDARD.encode(rand::random::<[u8; 16]>());
    let html = String::from_utf8_lossy(&file.data).replace(NONCE_PLACE, &nonce);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         manifest-src 'self'"
    );
    let policy = HeaderValue::from_str(&policy).expect("base64 is plain ASCII");
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let first = firsts(request).map(|link| (header::LINK, HeaderValue::from_static(link)));
    (headers, AppendHeaders(first), html).into_response()
}

/// What is worth fetching beside the page: nothing for who is not signed in.
fn firsts(request: &Request) -> impl Iterator<Item = &'static str> {
    let is_signed_in = session_secret(request.headers()).is_some();
    let is_board = request.uri().path() == "/board" && request.uri().query().is_none();
    [(is_signed_in, FIRST), (is_signed_in && is_board, FIRST_OF_BOARD)]
        .into_iter()
        .filter_map(|(is_asked, link)| is_asked.then_some(link))
}

fn answer(asked: &HeaderMap, file: &EmbeddedFile, kind: &str, caching: &'static str) -> Response {
    let tag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let is_known = asked.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_str(kind).unwrap_or(HeaderValue::from_static("text/plain"))),
        (header::CACHE_CONTROL, HeaderValue::from_static(caching)),
        (header::ETAG, HeaderValue::from_str(&tag).expect("hexadecimal is plain ASCII")),
    ];
    if is_known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, file.data.clone()).into_response()
}
