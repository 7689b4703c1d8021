//! `/v1/capture/widgets`: WhatsApp widgets.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{ProjectId, SourceId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::sources::{
    self,
    widgets::{self, WidgetChange},
};
use leadline_store::sources::{self as stored, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SourcesManage, routes!(list, create))
        .at(Permission::SourcesManage, routes!(get, update, delete))
}

/// A WhatsApp widget.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WidgetView {
    #[schema(value_type = Uuid)]
    id: SourceId,
    name: String,
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    /// The business's WhatsApp number in E.164.
    phone_number: String,
    /// Whether it asks for the visitor's name.
    name_field: bool,
    /// The colour of its buttons.
    color: String,
    /// `right` or `left`.
    position: String,
    /// The words at its head.
    greeting: String,
    /// The country of numbers without a calling code; null for the workspace's own.
    default_country: Option<String>,
    /// What the visitor agrees to by sending.
    consent_text: Option<String>,
    /// The websites that may show it; empty for any.
    allowed_origins: Vec<String>,
    /// Where the widget posts to.
    url: String,
    /// The line for the website.
    snippet: String,
    received_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(app: &App, widget: Source) -> WidgetView {
    let base = &app.engine.options.public_url;
    let text = |name: &str| widget.settings.get(name).and_then(Value::as_str).map(str::to_owned);
    let origins = widget.settings.get("allowedOrigins").and_then(Value::as_array);
    WidgetView {
        id: widget.id,
        project_id: widget.project_id,
        phone_number: text("phoneNumber").unwrap_or_default(),
        name_field: widget.settings.get("nameField") != Some(&Value::Bool(false)),
        color: text("color").unwrap_or_default(),
        position: text("position").unwrap_or_default(),
        greeting: text("greeting").unwrap_or_default(),
        default_country: text("defaultCountry"),
        consent_text: text("consentText"),
        allowed_origins: origins.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        url: format!("{base}/w/{}/captures", widget.key),
        snippet: format!("<script async src=\"{base}/w/{}.js\"></script>", widget.key),
        received_count: widget.received_count,
        last_received_at: widget.last_received_at,
        created_at: widget.created_at,
        name: widget.name,
    }
}

/// All widgets.
#[derive(Debug, Serialize, ToSchema)]
struct WidgetList {
    data: Vec<WidgetView>,
}

/// A new widget.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewWidget {
    /// 1 to 120 characters.
    name: String,
    /// Where its leads go; the first project where none is named.
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// The business's WhatsApp number.
    phone_number: String,
    /// Whether it asks for the visitor's name; it does where nothing is said.
    name_field: Option<bool>,
    /// `#rrggbb`.
    color: Option<String>,
    /// `right` (default) or `left`.
    position: Option<String>,
    /// At most 300 characters.
    greeting: Option<String>,
    /// Such as `DE`.
    default_country: Option<String>,
    /// At most 300 characters.
    consent_text: Option<String>,
    /// At most 50.
    allowed_origins: Option<Vec<String>>,
}

/// What is to change about a widget.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WidgetPatch {
    name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    phone_number: Option<String>,
    name_field: Option<bool>,
    color: Option<String>,
    position: Option<String>,
    greeting: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    default_country: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    consent_text: Option<Option<String>>,
    allowed_origins: Option<Vec<String>>,
}

/// Lists the widgets, newest first
#[utoipa::path(get, path = "/v1/capture/widgets", tag = "capture", responses((status = 200, body = WidgetList)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<WidgetList>> {
    let widgets = stored::list(&app.reader, actor.workspace, "widget").await?;
    Ok(Json(WidgetList { data: widgets.into_iter().map(|widget| view(&app, widget)).collect() }))
}

/// One widget
#[utoipa::path(get, path = "/v1/capture/widgets/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 200, body = WidgetView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<Json<WidgetView>> {
    let widget = stored::find(&app.reader, actor.workspace, "widget", id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(view(&app, widget)))
}

/// Makes a widget
#[utoipa::path(post, path = "/v1/capture/widgets", tag = "capture", request_body = NewWidget,
    responses((status = 200, body = WidgetView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewWidget>,
) -> ApiResult<Json<WidgetView>> {
    let change = WidgetChange {
        name: Some(request.name),
        project: request.project_id,
        phone_number: Some(request.phone_number),
        name_field: request.name_field,
        color: request.color,
        position: request.position,
        greeting: request.greeting,
        default_country: request.default_country.map(Some),
        consent_text: request.consent_text.map(Some),
        allowed_origins: request.allowed_origins,
    };
    Ok(Json(view(&app, widgets::create(&app.engine, &actor, change).await?)))
}

/// Changes a widget; websites show it within minutes
#[utoipa::path(patch, path = "/v1/capture/widgets/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = WidgetPatch, responses((status = 200, body = WidgetView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
    Json(request): Json<WidgetPatch>,
) -> ApiResult<Json<WidgetView>> {
    let change = WidgetChange {
        name: request.name,
        project: request.project_id,
        phone_number: request.phone_number,
        name_field: request.name_field,
        color: request.color,
        position: request.position,
        greeting: request.greeting,
        default_country: request.default_country,
        consent_text: request.consent_text,
        allowed_origins: request.allowed_origins,
    };
    Ok(Json(view(&app, widgets::update(&app.engine, &actor, id, change).await?)))
}

/// Deletes a widget; its leads stay
#[utoipa::path(delete, path = "/v1/capture/widgets/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<StatusCode> {
    sources::delete(&app.engine, &actor, "widget", id).await?;
    Ok(StatusCode::NO_CONTENT)
}
