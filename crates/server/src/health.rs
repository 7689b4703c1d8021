//! What machines ask: whether the process lives, whether it can work, and how it is doing.

use std::time::Duration;

use axum::{Router, extract::State, response::IntoResponse, routing::get};
use http::{StatusCode, header};

use crate::app::App;

/// How long the store may take to answer before the node is not ready.
const READY_DEADLINE: Duration = Duration::from_secs(2);

pub(crate) fn routes() -> Router<App> {
    Router::new().route("/healthz", get(alive)).route("/readyz", get(ready)).route("/metrics", get(metrics))
}

async fn alive() -> &'static str {
    "ok\n"
}

async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    let answer = tokio::time::timeout(READY_DEADLINE, app.engine.store.ping()).await;
    match answer {
        Ok(Ok(())) => (StatusCode::OK, "ok\n"),
        Ok(Err(_)) | Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}

async fn metrics(State(app): State<App>) -> impl IntoResponse {
    let text = app.metrics.as_ref().map(metrics_exporter_prometheus::PrometheusHandle::render).unwrap_or_default();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
}
