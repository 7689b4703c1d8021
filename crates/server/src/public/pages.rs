//! The small pages that a visitor may see: thanks, and what is wrong with a form. They work without scripts and carry
//! nothing of what was sent.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use crate::error::ApiError;

const POLICY: &str =
    "default-src 'none'; style-src 'sha256-STYLE'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:32rem;margin:15vh auto;padding:0 1rem;\
color:#1a1b1e;background:#fff}a{color:#1864ab}@media(prefers-color-scheme:dark){body{color:#e9ecef;background:#1a1b1e}\
a{color:#74c0fc}}\
button{font:inherit;padding:.6rem 1.2rem;border:0;border-radius:6px;background:#1864ab;color:#fff;cursor:pointer}";

/// Where a browser ends whose form names no page of its own.
pub(super) async fn thank_you() -> Response {
    page("Thank you", "<p>Your message has arrived.</p>")
}

/// What is wrong with a form, and the way back to it.
pub(super) fn refused(error: &ApiError, headers: &HeaderMap) -> Response {
    let status = error.code().status();
    let back = headers
        .get(header::REFERER)
        .and_then(|referer| Url::parse(referer.to_str().ok()?).ok())
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .map(|url| format!("<p><a href=\"{}\">Back to the form</a></p>", escaped(url.as_str())));
    let back = back.unwrap_or_else(|| "<p>Please go back to the form and try again.</p>".to_owned());
    let title = error.code().title();
    let text = format!("<p>{}</p>{back}", escaped(error.code().meaning()));
    let mut response = page(title, &text);
    *response.status_mut() = status;
    response
}

pub(super) fn page(title: &str, body: &str) -> Response {
    let title = escaped(title);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">\
         <style>{STYLE}</style></head><body><main><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = Html(html).into_response();
    let policy = POLICY.replace("STYLE", &style_hash());
    let policy = HeaderValue::from_str(&policy).expect("a policy is plain ASCII");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn style_hash() -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    STANDARD.encode(Sha256::digest(STYLE.as_bytes()))
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
