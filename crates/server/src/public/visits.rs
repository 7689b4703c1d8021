//! `POST /t/{siteKey}`: what our script on a website reports of a visit.
//!
//! The answer says that the report was heard, and no more: it is best effort, and a visitor's browser has nothing to do
//! with what becomes of it. So what cannot be used is dropped and counted, and nothing here is ever a fault of ours.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leadline_domain::visits::LARGEST_REPORT;
use leadline_store::visits::TrackedSite;

use crate::{
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::Path,
};

/// A visit of a website
///
/// What the embed script sends by beacon: `visitor`, `session`, `now`, `referrer` and up to 100 `pages`, each with `at`,
/// `url`, `ms`, `scroll` and `clicks`. It says how things stand, so a repeat does no harm. Best effort: it is answered
/// before it is stored, and dropped where it cannot be used.
#[utoipa::path(post, path = "/t/{key}", tag = "ways in", params(("key" = String, Path, description = "The site's key")),
    request_body(content((String = "text/plain"), (Object = "application/json"))),
    responses(
        (status = 204, description = "Heard"),
        (status = 403, description = "The site does not allow this origin"),
        (status = 404, description = "No site has this key"),
        (status = 413, description = "The body is over 64 KiB"),
    ))]
pub(super) async fn report(State(app): State<App>, Path(key): Path<String>, request: Request) -> Response {
    let answer = take(&app, &key, request).await.map_or_else(IntoResponse::into_response, IntoResponse::into_response);
    // No credentials are ever read here, so there is nothing to protect by origin.
    with_cors(answer)
}

async fn take(app: &App, key: &str, request: Request) -> ApiResult<StatusCode> {
    let visits = &app.engine.visits;
    let Ok(site) = visits.site(&app.engine, key).await else {
        visits.drop_unread();
        return Ok(StatusCode::NO_CONTENT);
    };
    let site = site.ok_or(ApiError::new(Code::UnknownKey))?;
    if !allows(&site, request.headers()) {
        return Err(ApiError::new(Code::Forbidden).detail("the site does not allow this origin"));
    }
    match body::read(request).await {
        Ok(body) if body.bytes.len() > LARGEST_REPORT => {
            Err(ApiError::new(Code::BodyTooLarge).detail("a report may have 64 KiB"))
        }
        Ok(body) => {
            visits.take(&site, &body.bytes, app.engine.clock.now());
            Ok(StatusCode::NO_CONTENT)
        }
        Err(error) if error.code().status().is_server_error() => {
            visits.drop_unread();
            Ok(StatusCode::NO_CONTENT)
        }
        Err(error) => Err(error),
    }
}

/// A site that names no origins allows all.
fn allows(site: &TrackedSite, headers: &HeaderMap) -> bool {
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    let is_listed = |origin: &str| site.allowed_origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin));
    site.allowed_origins.is_empty() || origin.is_some_and(is_listed)
}

fn with_cors(mut response: Response) -> Response {
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    response
}
