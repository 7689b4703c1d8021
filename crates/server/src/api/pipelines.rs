//! `/v1/identity/lead-pipelines`: pipelines and their stages.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{PipelineId, StageId},
    permissions::Permission,
    pipelines::StageKind,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    crm::pipelines::{self, Edit, PipelineError, StageEdit},
};
use leadline_store::pipelines::{self as stored, Pipeline, Stage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::SettingsManage, routes!(create))
        .at(Permission::SettingsManage, routes!(update, delete))
        .at(Permission::LeadsView, routes!(ensure_default))
}

/// A pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PipelineView {
    #[schema(value_type = Uuid)]
    id: PipelineId,
    name: String,
    /// Whether new leads come into this one.
    is_default: bool,
    /// From left to right.
    stages: Vec<StageView>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<&Pipeline> for PipelineView {
    fn from(pipeline: &Pipeline) -> Self {
        Self {
            id: pipeline.id,
            name: pipeline.name.clone(),
            is_default: pipeline.is_default,
            stages: pipeline.stages.iter().map(StageView::from).collect(),
            created_at: pipeline.created_at,
        }
    }
}

/// A stage of a pipeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct StageView {
    #[schema(value_type = Uuid)]
    id: StageId,
    name: String,
    /// The name of a colour: blue, amber, purple, pink, green, red, gray, teal, indigo or orange.
    color: String,
    kind: StageKindName,
    /// From 0, from left to right.
    position: i64,
}

impl From<&Stage> for StageView {
    fn from(stage: &Stage) -> Self {
        Self {
            id: stage.id,
            name: stage.name.clone(),
            color: stage.color.clone(),
            kind: stage.kind.into(),
            position: stage.position,
        }
    }
}

/// What reaching a stage means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum StageKindName {
    Open,
    Won,
    Lost,
}

impl From<StageKind> for StageKindName {
    fn from(kind: StageKind) -> Self {
        match kind {
            StageKind::Open => Self::Open,
            StageKind::Won => Self::Won,
            StageKind::Lost => Self::Lost,
        }
    }
}

impl From<StageKindName> for StageKind {
    fn from(kind: StageKindName) -> Self {
        match kind {
            StageKindName::Open => Self::Open,
            StageKindName::Won => Self::Won,
            StageKindName::Lost => Self::Lost,
        }
    }
}

/// A new pipeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPipeline {
    /// 1 to 80 characters.
    name: String,
    /// At least 2, of which one is open; those of a first pipeline where nothing is said.
    stages: Option<Vec<NewStage>>,
}

/// A new stage.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewStage {
    /// 1 to 80 characters.
    name: String,
    /// The name of a colour.
    color: String,
    kind: StageKindName,
}

/// What is to change about a pipeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PipelinePatch {
    name: Option<String>,
    /// All stages from now on, from left to right. Those that are missing are removed.
    stages: Option<Vec<StagePatch>>,
    /// The stage that takes the leads of removed stages. Without it a stage with leads cannot be removed.
    #[schema(value_type = Option<Uuid>)]
    move_leads_to: Option<StageId>,
}

/// A stage that stays, or a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StagePatch {
    /// Absent for a new one.
    #[schema(value_type = Option<Uuid>)]
    id: Option<StageId>,
    /// 1 to 80 characters.
    name: String,
    /// The name of a colour.
    color: String,
    kind: StageKindName,
    /// Taken and not read: the order of the list counts.
    #[expect(dead_code, reason = "a stage may be sent back as it was answered")]
    position: Option<i64>,
}

/// Where the leads of a deleted pipeline go.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct DeleteQuery {
    /// A stage of another pipeline. Without it a pipeline with leads cannot be deleted.
    #[param(value_type = Option<Uuid>)]
    move_leads_to: Option<StageId>,
}

/// Lists the pipelines, the default one first
#[utoipa::path(get, path = "/v1/identity/lead-pipelines", tag = "identity",
    responses((status = 200, body = All<PipelineView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<PipelineView>>> {
    let pipelines = stored::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: pipelines.iter().map(PipelineView::from).collect() }))
}

/// Makes a pipeline
#[utoipa::path(post, path = "/v1/identity/lead-pipelines", tag = "identity", request_body = NewPipeline,
    responses((status = 200, body = PipelineView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewPipeline>,
) -> ApiResult<Json<PipelineView>> {
    let stages = request.stages.map_or_else(pipelines::default_stages, |stages| {
        let edit =
            |stage: NewStage| StageEdit { id: None, name: stage.name, color: stage.color, kind: stage.kind.into() };
        stages.into_iter().map(edit).collect()
    });
    let id = pipelines::create(&app.engine, &actor, &request.name, &stages).await?;
    show(&app, &actor, id).await
}

/// Changes a pipeline; leads stay in their stages
#[utoipa::path(patch, path = "/v1/identity/lead-pipelines/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = PipelinePatch, responses((status = 200, body = PipelineView),
    (status = 409, description = "Leads are in a stage that is to be removed")))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<PipelineId>,
    Json(patch): Json<PipelinePatch>,
) -> ApiResult<Json<PipelineView>> {
    let edit =
        |stage: StagePatch| StageEdit { id: stage.id, name: stage.name, color: stage.color, kind: stage.kind.into() };
    let edit = Edit {
        name: patch.name,
        stages: patch.stages.map(|stages| stages.into_iter().map(edit).collect()),
        move_leads_to: patch.move_leads_to,
    };
    pipelines::update(&app.engine, &actor, id, &edit).await?;
    show(&app, &actor, id).await
}

/// Deletes a pipeline that is not the default one
#[utoipa::path(delete, path = "/v1/identity/lead-pipelines/{id}", tag = "identity",
    params(("id" = Uuid, Path), DeleteQuery),
    responses((status = 204), (status = 409, description = "It is the default one, or leads are in it")))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<PipelineId>,
    Query(query): Query<DeleteQuery>,
) -> ApiResult<StatusCode> {
    pipelines::delete(&app.engine, &actor, id, query.move_leads_to).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the default pipeline where there is none, and shows it
#[utoipa::path(post, path = "/v1/identity/lead-pipelines/ensure-default", tag = "identity",
    responses((status = 200, body = PipelineView)))]
async fn ensure_default(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<PipelineView>> {
    let id = pipelines::ensure_default(&app.engine, &actor).await?;
    show(&app, &actor, id).await
}

async fn show(app: &App, actor: &Actor, id: PipelineId) -> ApiResult<Json<PipelineView>> {
    let pipeline = stored::find(&app.reader, actor.workspace, Some(id)).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(PipelineView::from(&pipeline)))
}

impl From<PipelineError> for ApiError {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::NotFound => Self::not_found(),
            PipelineError::IsDefault => Self::new(Code::Conflict).detail("the default pipeline cannot be deleted"),
            PipelineError::Faulty(faults) => faults.iter().fold(Self::new(Code::InvalidFields), |error, fault| {
                error.and_field(fault.pointer(), fault.to_string())
            }),
            PipelineError::ForeignStage(place) => {
                Self::field(format!("/stages/{place}/id"), "is not a stage of this pipeline, or stands here twice")
            }
            PipelineError::LeadsInside => Self::new(Code::Conflict)
                .detail("leads are in a stage that is to be removed; say in moveLeadsTo which stage takes them"),
            PipelineError::NoTarget => Self::field("/moveLeadsTo", "is not a stage that stays"),
            PipelineError::Internal(error) => error.into(),
        }
    }
}
