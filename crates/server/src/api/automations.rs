//! `/v1/identity/lead-automations`: what happens to leads by itself, the log of runs, a rehearsal, and trying a
//! failed step again; beside it what automations did for one lead.

mod definition;
mod rehearsal;
mod runs;
mod timeline;

use std::collections::HashMap;

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    automations::{Act, Step},
    ids::{AutomationId, LeadId, SourceId, StageId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    automations::{
        definitions::{self as engine, AutomationEdit, AutomationError},
        retry::{self, RetryError},
    },
};
use leadline_store::automations::{self as stored, Automation, Counts};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{leads::filter::FilterReading, views::All},
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};
use definition::{AutomationPatch, NewAutomation, QuietHoursView, StepView, TriggerView};
use runs::{RunView, show_run};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::SettingsManage, routes!(create))
        .at(Permission::LeadsView, routes!(rehearsal::rehearse))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::SettingsManage, routes!(update))
        .at(Permission::SettingsManage, routes!(delete))
        .at(Permission::LeadsView, routes!(runs::list))
        .at(Permission::MessagingSend, routes!(retry))
        .at(Permission::LeadsView, routes!(timeline::get))
}

/// An automation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AutomationView {
    #[schema(value_type = Uuid)]
    id: AutomationId,
    name: String,
    description: Option<String>,
    /// The source whose leads start it; null where any source does, or something else starts it.
    #[schema(value_type = Option<Uuid>)]
    webhook_source_id: Option<SourceId>,
    /// What that source is called; null where it was deleted.
    webhook_source_name: Option<String>,
    trigger: TriggerView,
    /// For which leads it starts; null for any.
    #[schema(value_type = Option<Object>)]
    condition: Option<Value>,
    /// From top to bottom.
    steps: Vec<StepView>,
    /// For how many minutes the same phone or e-mail does not start it again.
    safety_lock_minutes: i64,
    /// When nothing is sent, by the clock of whoever would get it.
    quiet_hours: Option<QuietHoursView>,
    /// What ends a run before its last step.
    exit_on: Vec<definition::ExitName>,
    /// With `stage_left`: which stage; null for any.
    #[schema(value_type = Option<Uuid>)]
    exit_stage_id: Option<StageId>,
    is_active: bool,
    /// Grows with every change.
    version: i64,
    stats: StatsView,
    /// Who made it.
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// How often an automation ran, and how that ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct StatsView {
    /// Runs that began.
    triggered: i64,
    /// Runs of which all steps are through, and nothing failed.
    completed: i64,
    /// Runs of which all steps are through, and something failed.
    failed: i64,
    /// Runs that never began, or sent nothing.
    skipped: i64,
    /// When it was started last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_triggered_at: Option<Timestamp>,
}

/// What the sources of automations are called.
async fn source_names(app: &App, actor: &Actor, of: &[Automation]) -> ApiResult<HashMap<SourceId, String>> {
    let ids: Vec<SourceId> = of.iter().filter_map(|one| one.definition.trigger.source_id()).collect();
    Ok(stored::log::source_names(&app.reader, actor.workspace, &ids).await?)
}

impl AutomationView {
    fn new(automation: Automation, names: &HashMap<SourceId, String>) -> Self {
        let Automation { id, name, description, definition, is_active, version, made_by, .. } = automation;
        let Counts { triggered, completed, failed, skipped } = automation.counts;
        let last_triggered_at = automation.last_triggered_at;
        Self {
            id,
            name,
            description,
            webhook_source_id: definition.trigger.source_id(),
            webhook_source_name: definition.trigger.source_id().and_then(|id| names.get(&id).cloned()),
            trigger: definition.trigger.into(),
            condition: definition.condition,
            steps: definition.steps.into_iter().map(StepView::from).collect(),
            safety_lock_minutes: definition.safety_lock_minutes,
            quiet_hours: definition.quiet_hours.map(QuietHoursView::from),
            exit_on: definition.exit_on.into_iter().map(definition::ExitName::from).collect(),
            exit_stage_id: definition.exit_stage_id,
            is_active,
            version,
            stats: StatsView { triggered, completed, failed, skipped, last_triggered_at },
            made_by,
            created_at: automation.created_at,
            updated_at: automation.updated_at,
        }
    }
}

/// Lists automations, the oldest first
#[utoipa::path(get, path = "/v1/identity/lead-automations", tag = "identity",
    responses((status = 200, body = All<AutomationView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<AutomationView>>> {
    let automations = stored::list(&app.reader, actor.workspace).await?;
    let names = source_names(&app, &actor, &automations).await?;
    Ok(Json(All { data: automations.into_iter().map(|one| AutomationView::new(one, &names)).collect() }))
}

/// Makes an automation
///
/// Its runs send messages: every lead that arrives by the source gets the steps from top to bottom.
#[utoipa::path(post, path = "/v1/identity/lead-automations", tag = "identity", request_body = NewAutomation,
    responses((status = 200, body = AutomationView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewAutomation>,
) -> ApiResult<Json<AutomationView>> {
    let edit = request.edit()?;
    may_ask(&app, &actor, &edit).await?;
    let id = engine::create(&app.engine, &actor, edit).await?;
    show(&app, &actor, id).await
}

/// One automation
#[utoipa::path(get, path = "/v1/identity/lead-automations/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = AutomationView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AutomationId>,
) -> ApiResult<Json<AutomationView>> {
    show(&app, &actor, id).await
}

async fn show(app: &App, actor: &Actor, id: AutomationId) -> ApiResult<Json<AutomationView>> {
    let automation = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let names = source_names(app, actor, std::slice::from_ref(&automation)).await?;
    Ok(Json(AutomationView::new(automation, &names)))
}

/// Changes an automation
///
/// Runs that are under way keep the version that they began with; one that is switched off sends nothing more.
#[utoipa::path(patch, path = "/v1/identity/lead-automations/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = AutomationPatch, responses((status = 200, body = AutomationView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AutomationId>,
    Json(patch): Json<AutomationPatch>,
) -> ApiResult<Json<AutomationView>> {
    let automation = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let edit = patch.edit(&automation.definition.trigger)?;
    may_ask(&app, &actor, &edit).await?;
    engine::update(&app.engine, &actor, id, edit).await?;
    show(&app, &actor, id).await
}

/// Whether whoever writes conditions may see what they ask for: who meets them would tell.
async fn may_ask(app: &App, actor: &Actor, edit: &AutomationEdit) -> ApiResult<()> {
    let asked = |step: &Step| if let Act::Condition { filter, .. } = &step.act { Some(filter.clone()) } else { None };
    let of_steps = edit.steps.iter().flatten().filter_map(asked);
    let all: Vec<Value> = edit.condition.iter().flatten().cloned().chain(of_steps).collect();
    if all.is_empty() {
        return Ok(());
    }
    let reading = FilterReading::load(app, actor).await?;
    let faults = all.iter().filter_map(|filter| reading.read_for_all(actor, filter).err()).flatten();
    match faults.into_iter().find(|fault| fault.is_forbidden) {
        Some(fault) => Err(ApiError::new(Code::Forbidden).detail(fault.message)),
        None => Ok(()),
    }
}

/// Deletes an automation; what it did stays on the timelines
#[utoipa::path(delete, path = "/v1/identity/lead-automations/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AutomationId>,
) -> ApiResult<StatusCode> {
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Tries the last step once more that failed for a lead
#[utoipa::path(post, path = "/v1/identity/lead-automations/{id}/retry/{leadId}", tag = "identity",
    params(("id" = Uuid, Path), ("leadId" = Uuid, Path)), responses((status = 200, body = RunView)))]
async fn retry(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path((id, lead)): Path<(AutomationId, LeadId)>,
) -> ApiResult<Json<RunView>> {
    let run = retry::retry(&app.engine, &actor, id, lead).await?;
    Ok(Json(show_run(&app, &actor, id, run).await?))
}

impl From<AutomationError> for ApiError {
    fn from(error: AutomationError) -> Self {
        match error {
            AutomationError::NotFound => Self::not_found(),
            AutomationError::Full => Self::new(Code::Conflict).detail(error.to_string()),
            AutomationError::Stale => Self::new(Code::StaleVersion),
            AutomationError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
            AutomationError::Internal(error) => error.into(),
        }
    }
}

impl From<RetryError> for ApiError {
    fn from(error: RetryError) -> Self {
        match error {
            RetryError::NotFound => Self::not_found(),
            RetryError::Nothing => Self::new(Code::Conflict).detail(error.to_string()),
            RetryError::Internal(error) => error.into(),
        }
    }
}
