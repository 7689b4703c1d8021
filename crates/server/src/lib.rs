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
use tower_http::catch_panic::CatchPanicLayer;

pub use app::{App, Settings};
pub use error::{ApiError, ApiResult, Code};
pub use openapi::openapi_json;

/// Everything that is answered. Layers that come later here stand further outside.
pub fn router(app: App) -> Router {
    let (api, public, description) = openapi::describe(api::routes(), public::routes());
    Router::new()
        .merge(api)
        .layer(middleware::from_fn_with_state(app.clone(), guard::identify))
        .merge(public)
        .merge(demo::routes(&app))
        .merge(health::routes())
        .merge(openapi::routes(&description))
        .merge(assets::routes())
        .method_not_allowed_fallback(error::method_not_allowed)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn(request_id::assign))
        .with_state(app)
}
