//! `/v1/admin/assignment-rules`: who gets which new leads.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    assignment::Method,
    filters::LONGEST_JSON,
    ids::{AssignmentRuleId, UserId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    work::{
        WorkError,
        rules::{self as engine, RuleEdit},
    },
};
use leadline_store::assignment_rules::{self as stored, AssignmentRule};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        leads::filter::{FilterReading, refused},
        views::All,
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SettingsView, routes!(list))
        .at(Permission::SettingsManage, routes!(create))
        .at(Permission::SettingsManage, routes!(try_out))
        .at(Permission::SettingsManage, routes!(update, delete))
}

impl From<WorkError> for ApiError {
    fn from(error: WorkError) -> Self {
        match error {
            WorkError::NotFound => Self::not_found(),
            WorkError::Full(detail) => Self::new(Code::Conflict).detail(detail),
            WorkError::Stale => Self::new(Code::StaleVersion),
            WorkError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, (pointer, message)| error.and_field(pointer, message)),
            WorkError::Store(error) => error.into(),
        }
    }
}

/// How a rule chooses among its people.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AssignmentMethod {
    /// Always the one.
    Person,
    /// One after the other.
    RoundRobin,
    /// Whoever has the fewest leads in open stages.
    LeastBusy,
}

impl From<Method> for AssignmentMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Person => Self::Person,
            Method::RoundRobin => Self::RoundRobin,
            Method::LeastBusy => Self::LeastBusy,
        }
    }
}

impl From<AssignmentMethod> for Method {
    fn from(method: AssignmentMethod) -> Self {
        match method {
            AssignmentMethod::Person => Self::Person,
            AssignmentMethod::RoundRobin => Self::RoundRobin,
            AssignmentMethod::LeastBusy => Self::LeastBusy,
        }
    }
}

/// Who gets which new leads. Rules are asked in their order, and the first that has somebody takes the lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AssignmentRuleView {
    #[schema(value_type = Uuid)]
    id: AssignmentRuleId,
    name: String,
    is_active: bool,
    /// A tree of conditions, as the list of leads takes it.
    #[schema(value_type = Object)]
    filter: Value,
    method: AssignmentMethod,
    /// In the order of their turns.
    #[schema(value_type = Vec<Uuid>)]
    members: Vec<UserId>,
    /// Whether only those get leads who are in their working hours and not away.
    only_available: bool,
    /// Whether leads that came back are taken as well, where they are nobody's.
    takes_returning: bool,
    /// Who gets what none of them can take; where there is nobody the rules behind it are asked.
    #[schema(value_type = Option<Uuid>)]
    fallback_user_id: Option<UserId>,
    /// How soon its leads are to be answered; as the workspace says where it is null.
    respond_within_minutes: Option<i64>,
    /// Who had the last turn.
    #[schema(value_type = Option<Uuid>)]
    last_user_id: Option<UserId>,
    /// How many leads it gave to somebody.
    assigned_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_assigned_at: Option<Timestamp>,
    /// Grows with every change.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<AssignmentRule> for AssignmentRuleView {
    fn from(rule: AssignmentRule) -> Self {
        Self {
            id: rule.id,
            name: rule.name,
            is_active: rule.is_active,
            filter: rule.filter,
            method: rule.method.into(),
            members: rule.members,
            only_available: rule.only_available,
            takes_returning: rule.takes_returning,
            fallback_user_id: rule.fallback_user_id,
            respond_within_minutes: rule.respond_within_minutes,
            last_user_id: rule.last_user_id,
            assigned_count: rule.assigned_count,
            last_assigned_at: rule.last_assigned_at,
            version: rule.version,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
        }
    }
}

/// Lists assignment rules in their order
#[utoipa::path(get, path = "/v1/admin/assignment-rules", tag = "admin",
    responses((status = 200, body = All<AssignmentRuleView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<AssignmentRuleView>>> {
    let rules = stored::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: rules.into_iter().map(AssignmentRuleView::from).collect() }))
}

/// A rule that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewAssignmentRule {
    /// 1 to 80 characters.
    name: String,
    /// A tree of conditions, as the list of leads takes it; `me` is nobody in it. All leads where it is absent.
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
    method: AssignmentMethod,
    /// 1 to 100 members of the workspace; one where the method is `person`.
    #[schema(value_type = Vec<Uuid>)]
    members: Vec<UserId>,
    is_active: Option<bool>,
    only_available: Option<bool>,
    takes_returning: Option<bool>,
    #[schema(value_type = Option<Uuid>)]
    fallback_user_id: Option<UserId>,
    /// 1 minute to 31 days.
    respond_within_minutes: Option<i64>,
    /// Its place among the rules, from 0; behind them where it is absent.
    position: Option<i64>,
}

/// Makes an assignment rule
#[utoipa::path(post, path = "/v1/admin/assignment-rules", tag = "admin", request_body = NewAssignmentRule,
    responses((status = 200, body = AssignmentRuleView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewAssignmentRule>,
) -> ApiResult<Json<AssignmentRuleView>> {
    let filter = request.filter.map(Value::Object);
    checked(&app, &actor, filter.as_ref()).await?;
    let edit = RuleEdit {
        name: Some(request.name),
        is_active: request.is_active,
        filter,
        method: Some(request.method.into()),
        members: Some(request.members),
        only_available: request.only_available,
        takes_returning: request.takes_returning,
        fallback: Some(request.fallback_user_id),
        respond_within_minutes: Some(request.respond_within_minutes),
        position: request.position,
        version: None,
    };
    let id = engine::create(&app.engine, &actor, edit).await?;
    show(&app, &actor, id).await
}

/// Conditions that are to be tried.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AssignmentTrial {
    #[schema(value_type = Object)]
    filter: Map<String, Value>,
    /// The rule whose place they would have; behind all where it is absent.
    #[schema(value_type = Option<Uuid>)]
    rule_id: Option<AssignmentRuleId>,
}

/// What became of a trial.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AssignmentTrialView {
    /// The leads that came last, at most 100.
    looked_at: i64,
    /// How many of them match.
    matching: i64,
    /// How many of those an active rule before it would have taken.
    taken_before: i64,
}

/// Tries conditions on the last 100 leads and changes nothing
#[utoipa::path(post, path = "/v1/admin/assignment-rules/test", tag = "admin", request_body = AssignmentTrial,
    responses((status = 200, body = AssignmentTrialView)))]
async fn try_out(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<AssignmentTrial>,
) -> ApiResult<Json<AssignmentTrialView>> {
    let filter = Value::Object(request.filter);
    checked(&app, &actor, Some(&filter)).await?;
    let trial = engine::try_out(&app.engine, &actor, &filter, request.rule_id).await?;
    Ok(Json(AssignmentTrialView {
        looked_at: trial.looked_at,
        matching: trial.matching,
        taken_before: trial.taken_before,
    }))
}

/// What is to change about a rule; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AssignmentRulePatch {
    name: Option<String>,
    is_active: Option<bool>,
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
    method: Option<AssignmentMethod>,
    #[schema(value_type = Option<Vec<Uuid>>)]
    members: Option<Vec<UserId>>,
    only_available: Option<bool>,
    takes_returning: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    fallback_user_id: Option<Option<UserId>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    respond_within_minutes: Option<Option<i64>>,
    /// Its place among the rules, from 0.
    position: Option<i64>,
    /// The version that the change goes by; where it is not the latest, nothing is changed.
    version: Option<i64>,
}

/// Changes an assignment rule, or its place
#[utoipa::path(patch, path = "/v1/admin/assignment-rules/{id}", tag = "admin", params(("id" = Uuid, Path)),
    request_body = AssignmentRulePatch, responses((status = 200, body = AssignmentRuleView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AssignmentRuleId>,
    Json(patch): Json<AssignmentRulePatch>,
) -> ApiResult<Json<AssignmentRuleView>> {
    let filter = patch.filter.map(Value::Object);
    checked(&app, &actor, filter.as_ref()).await?;
    let edit = RuleEdit {
        name: patch.name,
        is_active: patch.is_active,
        filter,
        method: patch.method.map(Method::from),
        members: patch.members,
        only_available: patch.only_available,
        takes_returning: patch.takes_returning,
        fallback: patch.fallback_user_id,
        respond_within_minutes: patch.respond_within_minutes,
        position: patch.position,
        version: patch.version,
    };
    engine::update(&app.engine, &actor, id, edit).await?;
    show(&app, &actor, id).await
}

/// Deletes an assignment rule; the leads that it gave to somebody stay theirs
#[utoipa::path(delete, path = "/v1/admin/assignment-rules/{id}", tag = "admin", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AssignmentRuleId>,
) -> ApiResult<StatusCode> {
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(app: &App, actor: &Actor, id: AssignmentRuleId) -> ApiResult<Json<AssignmentRuleView>> {
    let rules = stored::list(&app.reader, actor.workspace).await?;
    let rule = rules.into_iter().find(|rule| rule.id == id).ok_or_else(ApiError::not_found)?;
    Ok(Json(rule.into()))
}

/// Whether conditions can be asked, and ask for nothing that whoever writes them may not see.
async fn checked(app: &App, actor: &Actor, filter: Option<&Value>) -> ApiResult<()> {
    let Some(filter) = filter else { return Ok(()) };
    if filter.to_string().len() > LONGEST_JSON {
        return Err(ApiError::field("/filter", format!("has at most {LONGEST_JSON} bytes")));
    }
    let reading = FilterReading::load(app, actor).await?;
    reading.read_for_all(actor, filter).map(drop).map_err(|faults| refused("/filter", faults))
}
