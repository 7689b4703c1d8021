//! The log of an automation's runs.

use std::collections::HashMap;

use axum::extract::State;
use leadline_domain::{
    automations::{Reason, RunState},
    ids::{AutomationId, LeadId, MessageId, MessageTemplateId, RunId},
    time::Timestamp,
};
use leadline_engine::Actor;
use leadline_store::automations::{
    self as stored,
    log::{self, LoggedRun, RunFilter},
    runs::{StoredSending, status_text},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::definition::{StepChannel, StepKindName};
use crate::{
    api::{
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::CurrentActor,
};

/// A lead on its way through an automation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunView {
    #[schema(value_type = Uuid)]
    id: RunId,
    #[schema(value_type = Uuid)]
    automation_id: AutomationId,
    /// The version of the automation that it goes by.
    version: i64,
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    /// What the lead is called; null where it is gone.
    lead_name: Option<String>,
    /// `running`, `completed`, `failed`, `skipped` or `exited`.
    state: &'static str,
    /// Why it never began, or left before its last step.
    reason: Option<String>,
    /// The same in words.
    reason_words: Option<&'static str>,
    /// The step that it is at, from 1.
    step: i64,
    /// What was tried, in order.
    sendings: Vec<SendingView>,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

/// One try of a step to do what it does.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SendingView {
    /// From 1.
    step: i64,
    /// Whether it is the other way of its step.
    is_fallback: bool,
    /// What kind of step it is.
    kind: StepKindName,
    /// Null where the step sends nothing.
    channel: Option<StepChannel>,
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    template_name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    message_id: Option<MessageId>,
    /// `waiting`, `queued`, `sending`, `sent`, `delivered`, `read`, `failed`, `unknown`, `skipped`; `done` of a step that
    /// sends nothing.
    status: &'static str,
    /// Why it was not sent, or failed: a stable name. Of a wait for a reply and of a condition: how that ended.
    reason: Option<String>,
    /// The same in words, where they are ours.
    reason_words: Option<&'static str>,
    /// The same in words; null without `pii:view`.
    error: Option<String>,
    /// When its time comes, or came.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
}

/// Which runs, and which page of them.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// `running`, `completed`, `failed`, `skipped` or `exited`.
    state: Option<String>,
    /// Of this lead.
    #[param(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where it is absent.
    limit: Option<i64>,
}

/// Lists an automation's runs, newest first
#[utoipa::path(get, path = "/v1/identity/lead-automations/{id}/runs", tag = "identity",
    params(("id" = Uuid, Path), RunsQuery), responses((status = 200, body = Paged<RunView>)))]
pub(super) async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AutomationId>,
    Query(query): Query<RunsQuery>,
) -> ApiResult<Json<Paged<RunView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let state = query.state.as_deref().map(|name| {
        RunState::parse(name)
            .ok_or_else(|| ApiError::field("/state", "is running, completed, failed, skipped or exited"))
    });
    let filter = RunFilter { state: state.transpose()?, lead: query.lead_id };
    stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let page = (window.limit, window.offset());
    let runs = log::list_runs(&app.reader, actor.workspace, id, filter, page).await?;
    let names = template_names(&app, &actor, &runs.rows).await?;
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(runs, |run| view(run, sight, &names))))
}

/// One run of an automation.
pub(super) async fn show_run(app: &App, actor: &Actor, automation: AutomationId, run: RunId) -> ApiResult<RunView> {
    let found = log::find_run(&app.reader, actor.workspace, automation, run).await?.ok_or_else(ApiError::not_found)?;
    let names = template_names(app, actor, std::slice::from_ref(&found)).await?;
    Ok(view(found, Sight::of(actor), &names))
}

async fn template_names(app: &App, actor: &Actor, runs: &[LoggedRun]) -> ApiResult<HashMap<MessageTemplateId, String>> {
    let mut ids: Vec<MessageTemplateId> =
        runs.iter().flat_map(|run| &run.sendings).filter_map(|sending| sending.template_id).collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(log::template_names(&app.reader, actor.workspace, &ids).await?)
}

fn view(logged: LoggedRun, sight: Sight, names: &HashMap<MessageTemplateId, String>) -> RunView {
    let LoggedRun { run, lead_name, sendings } = logged;
    RunView {
        id: run.id,
        automation_id: run.automation_id,
        version: run.version,
        lead_id: run.lead_id,
        lead_name: lead_name.map(|name| sight.name(name)),
        state: run.state.as_str(),
        reason_words: run.reason.as_deref().and_then(Reason::parse).map(Reason::words),
        reason: run.reason,
        step: run.step + 1,
        sendings: sendings.into_iter().map(|sending| sending_view(sending, sight, names)).collect(),
        started_at: run.started_at,
        finished_at: run.finished_at,
    }
}

/// A provider's words may name whoever it could not reach.
fn sending_view(sending: StoredSending, sight: Sight, names: &HashMap<MessageTemplateId, String>) -> SendingView {
    SendingView {
        step: sending.step + 1,
        is_fallback: sending.number % 2 == 1,
        kind: sending.kind.into(),
        channel: sending.channel.map(StepChannel::from),
        template_id: sending.template_id,
        template_name: sending.template_id.and_then(|id| names.get(&id).cloned()),
        message_id: sending.message_id,
        status: status_text(sending.status, sending.channel),
        reason_words: sending.reason.as_deref().and_then(Reason::parse).map(Reason::words),
        reason: sending.reason,
        error: sending.error.filter(|_| !sight.is_masked()),
        due_at: sending.due_at,
        sent_at: sending.sent_at,
    }
}
