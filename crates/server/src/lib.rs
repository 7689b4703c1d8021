//! The only HTTP: routes, extractors, guards, answers and the files of the dashboard.
//!
//! A handler extracts, calls one function of the engine (or one read of the store) and maps the result to a view. There
//! are no rules and no SQL here, and nothing writes to the store directly.

pub mod api;
pub mod app;
mod assets;
pub mod body;
pub mod client_ip;
pub mod demo;
pub mod error;
pub mod exports;
pub mod extract;
pub mod guard;
mod headers;
mod health;
mod live;
mod openapi;
mod proxy_hints;
mod public;
pub mod request_id;

use axum::{Router, middleware};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{
        CompressionLayer, Predicate,
        predicate::{NotForContentType, SizeAbove},
    },
};

pub use app::{App, Settings};
pub use error::{ApiError, ApiResult, Code};
pub use openapi::openapi_json;

/// Everything that is answered. Layers that come later here stand further outside.
pub fn router(app: App) -> Router {
    let (api, public, description) = openapi::describe(api::routes(), public::routes());
    Router::new()
        .merge(api.layer(compressed()))
        .layer(middleware::from_fn_with_state(app.clone(), guard::identify))
        .merge(public)
        .merge(demo::routes(&app))
        .merge(health::routes())
        .merge(openapi::routes(&description).layer(compressed()))
        .merge(assets::routes().layer(compressed()))
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn(request_id::assign))
        .with_state(app)
}

/// Compresses what is worth it, for whoever takes it. Never the live stream, whose lines must leave at once.
fn compressed() -> CompressionLayer<impl Predicate> {
    /// In less than that nothing is saved: it is one packet either way.
    const WORTH_BYTES: u64 = 1_200;
    let kinds = NotForContentType::SSE.and(NotForContentType::IMAGES).and(NotForContentType::const_new("font/"));
    CompressionLayer::new().compress_when(SizeAbove::new(WORTH_BYTES).and(kinds))
}
