//! An id for each request, in the answer's `X-Request-Id`, in error bodies and in every log line of the request.
//!
//! Log lines name the route and not the path: paths of the public ways in hold keys. The id is always ours. A caller's own `X-Request-Id` is not taken over: it would let anybody write into our log.

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue};
use tracing::Instrument;
use uuid::Uuid;

/// The header that carries the id.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: Uuid;
}

/// The id of the request that is being answered, or nothing outside of one.
#[must_use]
pub fn current() -> String {
    CURRENT.try_with(ToString::to_string).unwrap_or_default()
}

/// Runs the request with an id of its own.
pub async fn assign(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7();
    let route = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    let span = tracing::info_span!("request", %id, method = %request.method(), route);
    let mut response = CURRENT.scope(id, next.run(request).instrument(span)).await;
    if let Ok(value) = HeaderValue::from_str(&id.to_string()) {
        response.headers_mut().insert(X_REQUEST_ID, value);
    }
    response
}
