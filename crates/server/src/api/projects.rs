//! `/v1/capture/projects`: what leads are about.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{ids::ProjectId, permissions::Permission, time::Timestamp};
use leadline_engine::sources::{self, SourceError};
use leadline_store::projects::{self, Project};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::SourcesManage, routes!(create))
        .at(Permission::SourcesManage, routes!(rename, delete))
}

/// A project.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProjectView {
    #[schema(value_type = Uuid)]
    id: ProjectId,
    name: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Project> for ProjectView {
    fn from(project: Project) -> Self {
        Self { id: project.id, name: project.name, created_at: project.created_at }
    }
}

/// All projects.
#[derive(Debug, Serialize, ToSchema)]
struct ProjectList {
    data: Vec<ProjectView>,
}

/// A project's name.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ProjectRequest {
    /// 1 to 120 characters.
    name: String,
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
    let project = sources::create_project(&app.engine, &actor, &request.name).await?;
    Ok(Json(project.into()))
}

/// Renames a project
#[utoipa::path(patch, path = "/v1/capture/projects/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = ProjectRequest, responses((status = 200, body = ProjectView)))]
async fn rename(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ProjectId>,
    Json(request): Json<ProjectRequest>,
) -> ApiResult<Json<ProjectView>> {
    let project = sources::rename_project(&app.engine, &actor, id, &request.name).await?;
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
