//! `/v1/identity/lead-pipelines`: pipelines and their stages.

use std::collections::HashMap;

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{PipelineId, StageId},
    permissions::Permission,
    pipelines::{Closing, StageKind},
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    crm::pipelines::{self, ClosingEdit, Edit, PipelineError, StageEdit},
};
use leadline_store::pipelines::{self as stored, Pipeline, Stage};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query, present},
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
    /// Grows with every edit. Sent back with one, it keeps what somebody else changed meanwhile from being overwritten.
    version: i64,
    #[serde(flatten)]
    closing: ClosingView,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

/// What a pipeline asks when a lead is won or lost.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ClosingView {
    /// Why leads are won; without any nobody is asked.
    won_reasons: Vec<String>,
    /// Why leads are lost.
    lost_reasons: Vec<String>,
    /// Whether no lead is moved into a won stage without a reason.
    won_reason_required: bool,
    /// Whether no lead is moved into a lost stage without a reason.
    lost_reason_required: bool,
}

impl From<&Closing> for ClosingView {
    fn from(closing: &Closing) -> Self {
        Self {
            won_reasons: closing.won_reasons.clone(),
            lost_reasons: closing.lost_reasons.clone(),
            won_reason_required: closing.won_reason_required,
            lost_reason_required: closing.lost_reason_required,
        }
    }
}

impl From<&Pipeline> for PipelineView {
    fn from(pipeline: &Pipeline) -> Self {
        Self {
            id: pipeline.id,
            name: pipeline.name.clone(),
            is_default: pipeline.is_default,
            stages: pipeline.stages.iter().map(StageView::from).collect(),
            version: pipeline.version,
            closing: ClosingView::from(&pipeline.closing),
            created_at: pipeline.created_at,
        }
    }
}

impl PipelineView {
    /// With how many leads stand in each stage.
    fn counted(pipeline: &Pipeline, counts: &HashMap<StageId, i64>) -> Self {
        let mut view = Self::from(pipeline);
        for stage in &mut view.stages {
            stage.lead_count = Some(counts.get(&stage.id).copied().unwrap_or(0));
        }
        view
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
    /// How likely a lead in it is won, in percent.
    probability: i64,
    /// After how many days in it a lead is stale, where the stage is open; null for never.
    stale_after_days: Option<i64>,
    /// How many leads stand in it. Told where pipelines are, and left out on the board, whose columns have counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_count: Option<i64>,
}

impl From<&Stage> for StageView {
    fn from(stage: &Stage) -> Self {
        Self {
            id: stage.id,
            name: stage.name.clone(),
            color: stage.color.clone(),
            kind: stage.kind.into(),
            position: stage.position,
            probability: stage.probability,
            stale_after_days: stage.stale_after_days,
            lead_count: None,
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
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewPipeline {
    /// 1 to 80 characters.
    name: String,
    /// At least 2, of which one is open; those of a first pipeline where nothing is said.
    stages: Option<Vec<NewStage>>,
    /// Why leads are won, at most 30 reasons of 1 to 80 characters.
    won_reasons: Option<Vec<String>>,
    /// Why leads are lost, at most 30 reasons of 1 to 80 characters.
    lost_reasons: Option<Vec<String>>,
    won_reason_required: Option<bool>,
    lost_reason_required: Option<bool>,
}

/// A new stage.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewStage {
    /// 1 to 80 characters.
    name: String,
    /// The name of a colour.
    color: String,
    kind: StageKindName,
    /// 0 to 100 percent; where nothing is said, 100 for won, 0 for lost, 50 for open.
    probability: Option<i64>,
    /// 1 to 3650; null for never.
    stale_after_days: Option<i64>,
}

/// What is to change about a pipeline.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PipelinePatch {
    /// The version that the change is made on. Where the pipeline has another by now, nothing is changed; who sends none
    /// overwrites what is there.
    version: Option<i64>,
    name: Option<String>,
    /// True makes it the pipeline that new leads come into, in place of the one that was.
    is_default: Option<bool>,
    /// All stages from now on, from left to right. Those that are missing are removed.
    stages: Option<Vec<StagePatch>>,
    /// The stage that takes the leads of removed stages. Without it a stage with leads cannot be removed.
    #[schema(value_type = Option<Uuid>)]
    move_leads_to: Option<StageId>,
    /// Why leads are won, at most 30 reasons of 1 to 80 characters.
    won_reasons: Option<Vec<String>>,
    /// Why leads are lost, at most 30 reasons of 1 to 80 characters.
    lost_reasons: Option<Vec<String>>,
    won_reason_required: Option<bool>,
    lost_reason_required: Option<bool>,
}

/// A stage that stays, or a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct StagePatch {
    /// Absent for a new one.
    #[schema(value_type = Option<Uuid>)]
    id: Option<StageId>,
    /// 1 to 80 characters.
    name: String,
    /// The name of a colour.
    color: String,
    kind: StageKindName,
    /// 0 to 100 percent; where nothing is said it stays, or follows a kind that changes.
    probability: Option<i64>,
    /// 1 to 3650; null for never; where nothing is said it stays.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    stale_after_days: Option<Option<i64>>,
    /// Taken and not read: the order of the list counts.
    #[expect(dead_code, reason = "a stage may be sent back as it was answered")]
    position: Option<i64>,
    /// Taken and not read.
    #[expect(dead_code, reason = "a stage may be sent back as it was answered")]
    lead_count: Option<i64>,
}

impl From<NewStage> for StageEdit {
    fn from(stage: NewStage) -> Self {
        Self {
            id: None,
            name: stage.name,
            color: stage.color,
            kind: stage.kind.into(),
            probability: stage.probability,
            stale_after_days: Some(stage.stale_after_days),
        }
    }
}

impl From<StagePatch> for StageEdit {
    fn from(stage: StagePatch) -> Self {
        Self {
            id: stage.id,
            name: stage.name,
            color: stage.color,
            kind: stage.kind.into(),
            probability: stage.probability,
            stale_after_days: stage.stale_after_days,
        }
    }
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
    let counts = stored::lead_counts(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: pipelines.iter().map(|pipeline| PipelineView::counted(pipeline, &counts)).collect() }))
}

/// Makes a pipeline
#[utoipa::path(post, path = "/v1/identity/lead-pipelines", tag = "identity", request_body = NewPipeline,
    responses((status = 200, body = PipelineView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewPipeline>,
) -> ApiResult<Json<PipelineView>> {
    let stages = request
        .stages
        .map_or_else(pipelines::default_stages, |stages| stages.into_iter().map(StageEdit::from).collect());
    let closing = ClosingEdit {
        won_reasons: request.won_reasons,
        lost_reasons: request.lost_reasons,
        won_reason_required: request.won_reason_required,
        lost_reason_required: request.lost_reason_required,
    };
    let id = pipelines::create(&app.engine, &actor, &request.name, &stages, &closing).await?;
    show(&app, &actor, id).await
}

/// Changes a pipeline; leads stay in their stages
#[utoipa::path(patch, path = "/v1/identity/lead-pipelines/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = PipelinePatch, responses((status = 200, body = PipelineView),
    (status = 409, description = "Leads are in a stage that is to be removed (`/moveLeadsTo`), or somebody else changed \
     the pipeline meanwhile (`/version`)")))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<PipelineId>,
    Json(patch): Json<PipelinePatch>,
) -> ApiResult<Json<PipelineView>> {
    let edit = Edit {
        version: patch.version,
        name: patch.name,
        is_default: patch.is_default,
        stages: patch.stages.map(|stages| stages.into_iter().map(StageEdit::from).collect()),
        move_leads_to: patch.move_leads_to,
        closing: ClosingEdit {
            won_reasons: patch.won_reasons,
            lost_reasons: patch.lost_reasons,
            won_reason_required: patch.won_reason_required,
            lost_reason_required: patch.lost_reason_required,
        },
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
    let counts = stored::lead_counts(&app.reader, actor.workspace).await?;
    Ok(Json(PipelineView::counted(&pipeline, &counts)))
}

impl From<PipelineError> for ApiError {
    fn from(error: PipelineError) -> Self {
        match error {
            PipelineError::NotFound => Self::not_found(),
            PipelineError::IsDefault => Self::new(Code::Conflict).detail("the default pipeline cannot be deleted"),
            PipelineError::NeedsDefault => {
                Self::field("/isDefault", "stays as it is until another pipeline is made the default one")
            }
            PipelineError::ChangedMeanwhile { version } => Self::new(Code::Conflict)
                .detail("somebody else changed the pipeline meanwhile; nothing was changed now")
                .and_field("/version", format!("is {version} by now")),
            PipelineError::Faulty(faults) => faults.iter().fold(Self::new(Code::InvalidFields), |error, fault| {
                error.and_field(fault.pointer(), fault.to_string())
            }),
            PipelineError::ForeignStage(place) => {
                Self::field(format!("/stages/{place}/id"), "is not a stage of this pipeline, or stands here twice")
            }
            PipelineError::LeadsInside => Self::new(Code::Conflict)
                .detail("leads are in a stage that is to be removed; say in moveLeadsTo which stage takes them")
                .and_field("/moveLeadsTo", "is needed, since leads are in a stage that is to be removed"),
            PipelineError::NoTarget => Self::field("/moveLeadsTo", "is not a stage that stays"),
            PipelineError::Internal(error) => error.into(),
        }
    }
}
