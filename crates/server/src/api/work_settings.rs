//! `/v1/admin/work-settings` and availability: when people work, and how soon leads are to be answered.

use std::collections::BTreeSet;

use axum::extract::State;
use leadline_domain::{ids::UserId, permissions::Permission, time::Timestamp, working_time::NaiveDate};
use leadline_engine::{
    Actor,
    work::{
        availability::{self, TimesEdit},
        settings::{self as engine, SettingsEdit},
    },
};
use leadline_store::{
    work_settings::{self as stored, WorkSettings},
    workers::{self, Worker},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::source_health::HoursView;
use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SettingsView, routes!(get))
        .at(Permission::SettingsManage, routes!(change))
        .at(Permission::LeadsView, routes!(list_availability))
        .at(Permission::LeadsView, routes!(change_own))
        .at(Permission::UsersManage, routes!(change_others))
}

/// When a workspace works, and how soon it wants to answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorkSettingsView {
    /// By the clock of the workspace's timezone; all hours count where it is null.
    hours: Option<HoursView>,
    /// Days on which nobody works.
    #[schema(value_type = Vec<String>, example = json!(["2026-12-25"]))]
    holidays: BTreeSet<NaiveDate>,
    /// In how many minutes of working time somebody is to act on a new lead; no clock runs where it is null.
    respond_within_minutes: Option<i64>,
    /// How many minutes of working time later others are told; nobody is where it is null.
    escalate_after_minutes: Option<i64>,
    /// Who is told then.
    #[schema(value_type = Vec<Uuid>)]
    escalate_to: Vec<UserId>,
    /// Whether the rules give the lead to somebody else then.
    reassigns: bool,
    /// Whether a person who gives the lead to somebody has answered it.
    counts_assignment: bool,
    /// Grows with every change.
    version: i64,
}

impl From<WorkSettings> for WorkSettingsView {
    fn from(settings: WorkSettings) -> Self {
        Self {
            hours: settings.hours.map(HoursView::of),
            holidays: settings.holidays,
            respond_within_minutes: settings.respond_within_minutes,
            escalate_after_minutes: settings.escalate_after_minutes,
            escalate_to: settings.escalate_to,
            reassigns: settings.reassigns,
            counts_assignment: settings.counts_assignment,
            version: settings.version,
        }
    }
}

/// Tells when the workspace works, and how soon it wants to answer
#[utoipa::path(get, path = "/v1/admin/work-settings", tag = "admin",
    responses((status = 200, body = WorkSettingsView)))]
async fn get(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<WorkSettingsView>> {
    Ok(Json(stored::find(&app.reader, actor.workspace).await?.into()))
}

/// What is to change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WorkSettingsPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<HoursView>)]
    hours: Option<Option<HoursView>>,
    /// At most 400 days.
    #[schema(example = json!(["2026-12-25"]))]
    holidays: Option<Vec<String>>,
    /// 1 minute to 31 days.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    respond_within_minutes: Option<Option<i64>>,
    /// 1 minute to 31 days.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    escalate_after_minutes: Option<Option<i64>>,
    /// At most 50 members.
    #[schema(value_type = Option<Vec<Uuid>>)]
    escalate_to: Option<Vec<UserId>>,
    reassigns: Option<bool>,
    counts_assignment: Option<bool>,
    /// The version that the change goes by; where it is not the latest, nothing is changed.
    version: Option<i64>,
}

/// Changes when the workspace works, and how soon it wants to answer
#[utoipa::path(patch, path = "/v1/admin/work-settings", tag = "admin", request_body = WorkSettingsPatch,
    responses((status = 200, body = WorkSettingsView)))]
async fn change(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(patch): Json<WorkSettingsPatch>,
) -> ApiResult<Json<WorkSettingsView>> {
    let edit = SettingsEdit {
        hours: patch.hours.map(hours).transpose()?,
        holidays: patch.holidays.as_deref().map(days).transpose()?,
        respond_within_minutes: patch.respond_within_minutes,
        escalate_after_minutes: patch.escalate_after_minutes,
        escalate_to: patch.escalate_to,
        reassigns: patch.reassigns,
        counts_assignment: patch.counts_assignment,
        version: patch.version,
    };
    engine::change(&app.engine, &actor, edit).await?;
    Ok(Json(stored::find(&app.reader, actor.workspace).await?.into()))
}

fn hours(view: Option<HoursView>) -> ApiResult<Option<leadline_domain::silence::BusinessHours>> {
    let Some(view) = view else { return Ok(None) };
    let wrong = || ApiError::field("/hours", "must have times such as 09:00, and at most 24:00");
    view.read().map(Some).ok_or_else(wrong)
}

fn days(texts: &[String]) -> ApiResult<BTreeSet<NaiveDate>> {
    let mut days = BTreeSet::new();
    for (index, text) in texts.iter().enumerate() {
        let day = (text.len() == "2026-12-25".len()).then(|| text.parse().ok()).flatten();
        days.insert(day.ok_or_else(|| ApiError::field(format!("/holidays/{index}"), "must be a day, as 2026-12-25"))?);
    }
    Ok(days)
}

/// When a member works.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AvailabilityView {
    #[schema(value_type = Uuid)]
    user_id: UserId,
    name: String,
    /// Until when they are away; null where they are not.
    #[schema(value_type = Option<String>, format = DateTime)]
    away_until: Option<Timestamp>,
    /// Their own hours; null where they are the workspace's.
    hours: Option<HoursView>,
}

impl AvailabilityView {
    fn of(worker: Worker, now: Timestamp) -> Self {
        Self {
            user_id: worker.id,
            name: worker.name,
            away_until: worker.away_until.filter(|until| *until > now),
            hours: worker.hours.map(HoursView::of),
        }
    }
}

/// Lists when members work, and who is away
#[utoipa::path(get, path = "/v1/identity/availability", tag = "identity",
    responses((status = 200, body = All<AvailabilityView>)))]
async fn list_availability(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<AvailabilityView>>> {
    let now = app.engine.clock.now();
    let workers = workers::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: workers.into_iter().map(|worker| AvailabilityView::of(worker, now)).collect() }))
}

/// What is to change about when somebody works; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AvailabilityPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    away_until: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<HoursView>)]
    hours: Option<Option<HoursView>>,
}

/// Says when the caller works, and how long they are away
#[utoipa::path(patch, path = "/v1/identity/availability", tag = "identity", request_body = AvailabilityPatch,
    responses((status = 200, body = AvailabilityView)))]
async fn change_own(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(patch): Json<AvailabilityPatch>,
) -> ApiResult<Json<AvailabilityView>> {
    let user = actor.user.ok_or_else(|| ApiError::new(Code::Conflict).detail("this token belongs to nobody"))?;
    set(&app, &actor, user, patch).await
}

/// Says when a member works, and how long they are away
#[utoipa::path(patch, path = "/v1/admin/availability/{id}", tag = "admin", params(("id" = Uuid, Path)),
    request_body = AvailabilityPatch, responses((status = 200, body = AvailabilityView)))]
async fn change_others(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(user): Path<UserId>,
    Json(patch): Json<AvailabilityPatch>,
) -> ApiResult<Json<AvailabilityView>> {
    set(&app, &actor, user, patch).await
}

async fn set(app: &App, actor: &Actor, user: UserId, patch: AvailabilityPatch) -> ApiResult<Json<AvailabilityView>> {
    let edit = TimesEdit { away_until: patch.away_until, hours: patch.hours.map(hours).transpose()? };
    availability::set(&app.engine, actor, user, edit).await?;
    let now = app.engine.clock.now();
    let workers = workers::list(&app.reader, actor.workspace).await?;
    let worker = workers.into_iter().find(|worker| worker.id == user).ok_or_else(ApiError::not_found)?;
    Ok(Json(AvailabilityView::of(worker, now)))
}
