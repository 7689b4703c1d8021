//! `/v1/capture/sites`: sites that carry the embed script.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{ids::SiteId, permissions::Permission, time::Timestamp};
use leadline_engine::sources;
use leadline_store::sources::{self as stored, Site};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::ApiResult,
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SourcesManage, routes!(list, create))
        .at(Permission::SourcesManage, routes!(update, delete))
}

/// A site.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SiteView {
    #[schema(value_type = Uuid)]
    id: SiteId,
    name: String,
    key: String,
    allowed_origins: Vec<String>,
    /// What goes into the site's pages.
    snippet: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(app: &App, site: Site) -> SiteView {
    let host = &app.engine.options.public_url;
    SiteView {
        snippet: format!("<script async src=\"{host}/embed.js\" data-site=\"{}\"></script>", site.key),
        id: site.id,
        name: site.name,
        key: site.key,
        allowed_origins: site.allowed_origins,
        created_at: site.created_at,
    }
}

/// All sites.
#[derive(Debug, Serialize, ToSchema)]
struct SiteList {
    data: Vec<SiteView>,
}

/// A new site.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewSite {
    /// 1 to 120 characters.
    name: String,
    /// Origins such as `https://www.example.com`, at most 50.
    #[serde(default)]
    allowed_origins: Vec<String>,
}

/// What is to change about a site.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SitePatch {
    name: Option<String>,
    allowed_origins: Option<Vec<String>>,
}

/// Lists the sites, newest first
#[utoipa::path(get, path = "/v1/capture/sites", tag = "capture", responses((status = 200, body = SiteList)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<SiteList>> {
    let sites = stored::list_sites(&app.engine.store.reader(), actor.workspace).await?;
    Ok(Json(SiteList { data: sites.into_iter().map(|site| view(&app, site)).collect() }))
}

/// Makes a site
#[utoipa::path(post, path = "/v1/capture/sites", tag = "capture", request_body = NewSite,
    responses((status = 200, body = SiteView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewSite>,
) -> ApiResult<Json<SiteView>> {
    let site = sources::create_site(&app.engine, &actor, &request.name, &request.allowed_origins).await?;
    Ok(Json(view(&app, site)))
}

/// Changes a site
#[utoipa::path(patch, path = "/v1/capture/sites/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = SitePatch, responses((status = 200, body = SiteView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SiteId>,
    Json(request): Json<SitePatch>,
) -> ApiResult<Json<SiteView>> {
    let (name, origins) = (request.name.as_deref(), request.allowed_origins.as_deref());
    let site = sources::update_site(&app.engine, &actor, id, name, origins).await?;
    Ok(Json(view(&app, site)))
}

/// Deletes a site
#[utoipa::path(delete, path = "/v1/capture/sites/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SiteId>,
) -> ApiResult<StatusCode> {
    sources::delete_site(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
