//! The very first user of an installation.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::HeaderMap;
use leadline_engine::admin::workspaces::{self, FirstUser};
use leadline_store::users;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::session::{self, SessionView},
    app::App,
    client_ip::ClientIp,
    error::ApiResult,
    extract::Json,
    guard::GuardedRoutes,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().public(routes!(get_setup)).public(routes!(set_up))
}

#[derive(Debug, Serialize, ToSchema)]
struct SetupView {
    /// Whether there is no user yet.
    needed: bool,
    /// Whether this is the demonstration, whose credentials stand in the terminal that started it.
    demo: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetupRequest {
    #[schema(example = "Example Ltd")]
    workspace_name: String,
    email: String,
    name: String,
    /// At least 10 characters.
    #[schema(format = Password)]
    password: String,
}

/// Whether the installation has to be set up.
#[utoipa::path(get, path = "/v1/setup", tag = "session", responses((status = 200, body = SetupView)))]
async fn get_setup(State(app): State<App>) -> ApiResult<Json<SetupView>> {
    Ok(Json(SetupView { needed: !users::any(&app.reader).await?, demo: app.engine.options.demo }))
}

/// Makes the first user, as super admin, and signs them in.
#[utoipa::path(post, path = "/v1/setup", tag = "session", request_body = SetupRequest,
    responses((status = 200, body = SessionView, description = "The session; its cookie is set")))]
async fn set_up(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Json(body): Json<SetupRequest>,
) -> ApiResult<Response> {
    let SetupRequest { workspace_name, email, name, password } = body;
    let first = FirstUser { workspace_name, email, name, password, place: session::place(ip, &headers) };
    let defaults = app.engine.options.as_ref().into();
    let signed_in = workspaces::set_up(&app.engine.store, app.engine.clock.now(), defaults, first).await?;
    Ok(session::answer(&app, &signed_in).await?.into_response())
}
