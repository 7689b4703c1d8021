//! `/v1/capture/forms`: forms on websites.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{ProjectId, SourceId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::sources::{self, FormChange};
use leadline_store::sources::{self as stored, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::ApiResult,
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SourcesManage, routes!(list, create))
        .at(Permission::SourcesManage, routes!(update, delete))
}

/// A form.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FormView {
    #[schema(value_type = Uuid)]
    id: SourceId,
    name: String,
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    /// The secret part of its address.
    key: String,
    /// Where browsers post to.
    url: String,
    /// Where a browser goes after it submitted; null for our own page.
    thank_you_url: Option<String>,
    /// 301 or 303.
    redirect_status: u16,
    /// The origins that may post; empty for any.
    allowed_origins: Vec<String>,
    received_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received_at: Option<Timestamp>,
    /// HTML to start from.
    snippet: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(app: &App, form: Source) -> FormView {
    let url = format!("{}/f/{}", app.engine.options.public_url, form.key);
    let origins = form.settings.get("allowedOrigins").cloned();
    FormView {
        id: form.id,
        project_id: form.project_id,
        thank_you_url: form.settings.get("thankYouUrl").and_then(Value::as_str).map(str::to_owned),
        redirect_status: if form.settings.get("redirectStatus") == Some(&Value::from(303)) { 303 } else { 301 },
        allowed_origins: origins.and_then(|origins| serde_json::from_value(origins).ok()).unwrap_or_default(),
        received_count: form.received_count,
        last_received_at: form.last_received_at,
        snippet: snippet(&url),
        created_at: form.created_at,
        name: form.name,
        key: form.key,
        url,
    }
}

fn snippet(url: &str) -> String {
    format!(
        "<form action=\"{url}\" method=\"post\">\n  <input name=\"name\" autocomplete=\"name\" required>\n  \
         <input name=\"email\" type=\"email\" autocomplete=\"email\" required>\n  \
         <input name=\"phone\" type=\"tel\" autocomplete=\"tel\">\n  <textarea name=\"message\"></textarea>\n  \
         <button>Send</button>\n</form>"
    )
}

/// All forms.
#[derive(Debug, Serialize, ToSchema)]
struct FormList {
    data: Vec<FormView>,
}

/// A new form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewForm {
    /// 1 to 120 characters.
    name: String,
    /// Where its leads go; the first project where none is named.
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Where a browser goes after it submitted.
    thank_you_url: Option<String>,
    /// 301 (default) or 303.
    redirect_status: Option<u16>,
    /// The origins that may post; empty (default) for any.
    allowed_origins: Option<Vec<String>>,
}

/// What is to change about a form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct FormPatch {
    name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    thank_you_url: Option<Option<String>>,
    redirect_status: Option<u16>,
    allowed_origins: Option<Vec<String>>,
}

/// Lists the forms, newest first
#[utoipa::path(get, path = "/v1/capture/forms", tag = "capture", responses((status = 200, body = FormList)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<FormList>> {
    let forms = stored::list(&app.engine.store.reader(), actor.workspace, "form").await?;
    Ok(Json(FormList { data: forms.into_iter().map(|form| view(&app, form)).collect() }))
}

/// Makes a form
#[utoipa::path(post, path = "/v1/capture/forms", tag = "capture", request_body = NewForm,
    responses((status = 200, body = FormView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewForm>,
) -> ApiResult<Json<FormView>> {
    let change = FormChange {
        name: Some(request.name),
        project: request.project_id,
        thank_you_url: request.thank_you_url.map(Some),
        redirect_status: request.redirect_status,
        allowed_origins: request.allowed_origins,
    };
    let form = sources::create_form(&app.engine, &actor, change).await?;
    Ok(Json(view(&app, form)))
}

/// Changes a form
#[utoipa::path(patch, path = "/v1/capture/forms/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = FormPatch, responses((status = 200, body = FormView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
    Json(request): Json<FormPatch>,
) -> ApiResult<Json<FormView>> {
    let change = FormChange {
        name: request.name,
        project: request.project_id,
        thank_you_url: request.thank_you_url,
        redirect_status: request.redirect_status,
        allowed_origins: request.allowed_origins,
    };
    let form = sources::update_form(&app.engine, &actor, id, change).await?;
    Ok(Json(view(&app, form)))
}

/// Deletes a form; its address stops, its leads stay
#[utoipa::path(delete, path = "/v1/capture/forms/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<StatusCode> {
    sources::delete(&app.engine, &actor, "form", id).await?;
    Ok(StatusCode::NO_CONTENT)
}
