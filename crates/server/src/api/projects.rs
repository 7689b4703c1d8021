//! `/v1/capture/projects`: what leads are about.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{PipelineId, ProjectId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::sources::{self, ProjectChange, SourceError};
use leadline_store::projects::{self, Project};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::SourcesManage, routes!(create))
        .at(Permission::SourcesManage, routes!(change, delete))
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProjectView {
    #[schema(value_type = Uuid)]
    id: ProjectId,
    name: String,
    /// The pipeline that its new leads come into; null for the default one.
    #[schema(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        let Project { id, name, pipeline_id, created_at } = project;
        Self { id, name, pipeline_id, created_at }
    }
}

/// All projects.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectList {
    data: Vec<ProjectView>,
}

/// A new project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProjectRequest {
    /// 1 to 120 characters.
    name: String,
    /// The pipeline that its leads come into; the default one where none is named.
    #[schema(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
}

/// What is to change about a project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ProjectPatch {
    /// 1 to 120 characters.
    name: Option<String>,
    /// The pipeline that its new leads come into; null for the default one. Leads that are there stay where they are.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    pipeline_id: Option<Option<PipelineId>>,
}

/// Lists the projects, oldest first; leads that name none go to the first
#[utoipa::path(get, path = "/v1/capture/projects", tag = "capture", responses((status = 200, body = ProjectList)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<ProjectList>> {
    let projects = projects::list(&app.engine.store.reader(), actor.workspace).await?;
    Ok(Json(ProjectList { data: projects.into_iter().map(ProjectView::from).collect() }))
}

/// Makes a project
#[utoipa::path(post, path = "/v1/capture/projects", tag = "capture", request_body = ProjectRequest,
    responses((status = 200, body = ProjectView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<ProjectRequest>,
) -> ApiResult<Json<ProjectView>> {
    let change = ProjectChange { name: Some(request.name), pipeline: Some(request.pipeline_id) };
    let project = sources::create_project(&app.engine, &actor, &change).await?;
    Ok(Json(project.into()))
}

/// Changes a project
#[utoipa::path(patch, path = "/v1/capture/projects/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = ProjectPatch, responses((status = 200, body = ProjectView)))]
async fn change(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ProjectId>,
    Json(patch): Json<ProjectPatch>,
) -> ApiResult<Json<ProjectView>> {
    let change = ProjectChange { name: patch.name, pipeline: patch.pipeline_id };
    let project = sources::change_project(&app.engine, &actor, id, &change).await?;
    Ok(Json(project.into()))
}

/// Puts a project away; its leads stay
#[utoipa::path(delete, path = "/v1/capture/projects/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ProjectId>,
) -> ApiResult<StatusCode> {
    sources::delete_project(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<SourceError> for ApiError {
    fn from(error: SourceError) -> Self {
        match error {
            SourceError::NotFound => Self::not_found(),
            SourceError::Field("id", message) => Self::new(Code::Conflict).detail(format!("it {message}")),
            SourceError::Field(field, message) => Self::field(format!("/{field}"), message),
            SourceError::Store(error) => error.into(),
        }
    }
}
