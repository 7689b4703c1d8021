//! One action on many leads: on those that are named, at once; on all that match, as a job.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use leadline_domain::ids::{JobId, LeadId, PipelineId, ProjectId, SegmentId, StageId, UserId};
use leadline_engine::{
    Actor,
    crm::{
        self, Action, Outcome,
        bulk::{self, StartError},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::filter::Asked;
use crate::{
    api::jobs::JobView,
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, present},
    guard::CurrentActor,
};

/// Leads that can be named in one bulk action.
const BULK_MAX: usize = 200;

/// One action on many leads: those that are named, or all that match.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BulkRequest {
    action: BulkAction,
    /// 1 to 200.
    #[schema(value_type = Option<Vec<Uuid>>)]
    lead_ids: Option<Vec<LeadId>>,
    /// In place of `leadIds`: all leads that the list finds with this.
    query: Option<BulkQuery>,
    /// For `move_stage`.
    #[schema(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    /// For `move_stage` into a stage that is won or lost.
    reason: Option<String>,
    /// For `assign`; null for nobody.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    assigned_to: Option<Option<UserId>>,
    /// For `tag`: added to those that are there; for `untag`: taken away.
    tags: Option<Vec<String>>,
}

/// Which leads, as the list of leads is asked. Nothing means all of them.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct BulkQuery {
    search: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    #[schema(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    source: Option<String>,
    assigned_to: Option<String>,
    tag: Option<String>,
    /// A tree of conditions, as the list of leads takes it.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    /// Those of a segment, as it is now.
    #[schema(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum BulkAction {
    MoveStage,
    Assign,
    Delete,
    Restore,
    Tag,
    Untag,
}

/// What became of each lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BulkView {
    /// In the order of the request.
    results: Vec<BulkResult>,
    succeeded: usize,
    failed: usize,
    /// By which it can be put back: `POST /v1/identity/jobs/{id}/undo`.
    #[schema(value_type = Uuid)]
    job_id: JobId,
}

/// What became of one lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BulkResult {
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    ok: bool,
    /// `not_found`, `deleted`, `merged` or `too_many_tags`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl From<Outcome> for BulkResult {
    fn from(outcome: Outcome) -> Self {
        let refused = outcome.refused;
        Self { lead_id: outcome.lead, ok: refused.is_none(), code: refused.map(crm::Refusal::as_str) }
    }
}

/// Does one action to many leads
///
/// Named by `leadIds`, they are done at once, with a result for each. With `query` a job does it to all that match, and
/// restores those that are deleted; it is answered with 202 and can be followed and stopped under `/v1/identity/jobs`.
/// Either can be put back there. `delete` and `restore` need the permission `leads:delete` as well.
#[utoipa::path(post, path = "/v1/identity/leads/bulk-action", tag = "identity", request_body = BulkRequest,
    responses((status = 200, body = BulkView), (status = 202, body = JobView, description = "It goes on by itself")))]
pub(super) async fn bulk_action(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(mut request): Json<BulkRequest>,
) -> ApiResult<Response> {
    let (leads, query) = (request.lead_ids.take(), request.query.take());
    let action = action(request)?;
    if !actor.role.may(action.permission()) {
        let detail = format!("the role {} lacks the permission {}", actor.role, action.permission());
        return Err(ApiError::new(Code::Forbidden).detail(detail));
    }
    match (leads, query) {
        (Some(leads), None) => on_named(&app, &actor, &action, &leads).await.map(IntoResponse::into_response),
        (None, Some(query)) => on_matching(&app, &actor, action, query).await.map(IntoResponse::into_response),
        (Some(_), Some(_)) => Err(ApiError::field("/query", "cannot be told together with leadIds")),
        (None, None) => Err(ApiError::field("/leadIds", "is required, or else query")),
    }
}

async fn on_named(app: &App, actor: &Actor, action: &Action, leads: &[LeadId]) -> ApiResult<Json<BulkView>> {
    if leads.is_empty() || leads.len() > BULK_MAX {
        return Err(ApiError::field("/leadIds", format!("must name 1 to {BULK_MAX} leads")));
    }
    let (outcomes, job_id) = crm::apply_and_keep(&app.engine, actor, action, leads).await?;
    let results: Vec<BulkResult> = outcomes.into_iter().map(BulkResult::from).collect();
    let succeeded = results.iter().filter(|result| result.ok).count();
    Ok(Json(BulkView { succeeded, failed: results.len() - succeeded, results, job_id }))
}

async fn on_matching(
    app: &App,
    actor: &Actor,
    action: Action,
    query: BulkQuery,
) -> ApiResult<(StatusCode, Json<JobView>)> {
    let asked = Asked {
        search: query.search,
        stage: query.stage_id,
        pipeline: query.pipeline_id,
        project: query.project_id,
        source: query.source,
        assigned_to: query.assigned_to,
        tag: query.tag,
        filter: query.filter.map(|filter| filter.to_string()),
        segment: query.segment_id,
    };
    let filter = asked.filter(app, actor).await.map_err(|error| error.within("/query"))?;
    let job = bulk::start(&app.engine, actor, action, filter).await?;
    Ok((StatusCode::ACCEPTED, Json(JobView::new(app, actor, job))))
}

impl From<StartError> for ApiError {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Lead(error) => error.into(),
            StartError::Ask(error) => error.into(),
        }
    }
}

fn action(request: BulkRequest) -> ApiResult<Action> {
    let needed = |field: &str| ApiError::field(field, "is required for this action");
    Ok(match request.action {
        BulkAction::MoveStage => {
            Action::Move { stage: request.stage_id.ok_or_else(|| needed("/stageId"))?, reason: request.reason }
        }
        BulkAction::Assign => Action::Assign(request.assigned_to.ok_or_else(|| needed("/assignedTo"))?),
        BulkAction::Delete => Action::Delete,
        BulkAction::Restore => Action::Restore,
        BulkAction::Tag => Action::Tag(request.tags.ok_or_else(|| needed("/tags"))?),
        BulkAction::Untag => Action::Untag(request.tags.ok_or_else(|| needed("/tags"))?),
    })
}
