//! `/v1/identity/tasks`: what people mean to do, with or without a lead.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{LeadId, TaskId, UserId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    work::tasks::{self as engine, NewTask, TaskChange},
};
use leadline_store::tasks::{self as stored, ListedTask, TaskFilter};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsManage, routes!(create))
        .at(Permission::LeadsManage, routes!(update, delete))
}

/// Something that somebody means to do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TaskView {
    #[schema(value_type = Uuid)]
    id: TaskId,
    /// Hidden without `pii:view`: it may name somebody.
    title: String,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    lead_name: Option<String>,
    #[schema(value_type = Uuid)]
    assignee_id: UserId,
    assignee_name: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    remind_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    done_at: Option<Timestamp>,
    done_by_name: Option<String>,
    made_by_name: String,
    /// Grows with every change.
    version: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl TaskView {
    fn new(listed: ListedTask, sight: Sight) -> Self {
        let ListedTask { task, assignee_name, lead_name } = listed;
        Self {
            id: task.id,
            title: sight.text(Some(task.title)).unwrap_or_default(),
            lead_id: task.lead_id,
            lead_name: lead_name.map(|name| sight.name(name)),
            assignee_id: task.assignee_id,
            assignee_name,
            due_at: task.times.due_at,
            remind_at: task.times.remind_at,
            done_at: task.times.done_at,
            done_by_name: task.done_by_name,
            made_by_name: task.made_by_name,
            version: task.version,
            created_at: task.created_at,
            updated_at: task.updated_at,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum TaskState {
    /// Not done yet, the most urgent first.
    #[default]
    Open,
    /// Done, the latest first.
    Done,
}

/// Which tasks.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct TasksQuery {
    /// `me` or a user's id; everybody's where it is absent.
    assignee: Option<String>,
    #[param(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// `open` (where it is absent) or `done`.
    #[param(inline)]
    state: Option<TaskState>,
    /// Those that are due from then on.
    #[param(value_type = Option<String>, format = DateTime)]
    due_from: Option<Timestamp>,
    /// Those that are due before.
    #[param(value_type = Option<String>, format = DateTime)]
    due_before: Option<Timestamp>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where it is absent.
    limit: Option<i64>,
}

/// Lists tasks; those of deleted leads are not among them
#[utoipa::path(get, path = "/v1/identity/tasks", tag = "identity", params(TasksQuery),
    responses((status = 200, body = Paged<TaskView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<TasksQuery>,
) -> ApiResult<Json<Paged<TaskView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let filter = TaskFilter {
        assignee: query.assignee.map(|who| assignee(&who, &actor)).transpose()?,
        lead: query.lead_id,
        are_done: query.state.unwrap_or_default() == TaskState::Done,
        due_from: query.due_from,
        due_before: query.due_before,
    };
    let found = stored::list(&app.reader, actor.workspace, &filter, (window.limit, window.offset())).await?;
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(found, |task| TaskView::new(task, sight))))
}

fn assignee(who: &str, actor: &Actor) -> ApiResult<UserId> {
    if who == "me" {
        return actor.user.ok_or_else(|| ApiError::field("/assignee", "this token belongs to nobody"));
    }
    who.parse().map_err(|_| ApiError::field("/assignee", "must be me or a user's id"))
}

/// A task that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewTaskRequest {
    /// 1 to 200 characters, in one line.
    title: String,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// The caller where it is absent; a token of nobody has to name somebody.
    #[schema(value_type = Option<Uuid>)]
    assignee_id: Option<UserId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    remind_at: Option<Timestamp>,
}

/// Makes a task
#[utoipa::path(post, path = "/v1/identity/tasks", tag = "identity", request_body = NewTaskRequest,
    responses((status = 200, body = TaskView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewTaskRequest>,
) -> ApiResult<Json<TaskView>> {
    let new = NewTask {
        lead: request.lead_id,
        title: request.title,
        assignee: request.assignee_id,
        due_at: request.due_at,
        remind_at: request.remind_at,
    };
    let id = engine::create(&app.engine, &actor, &new).await?;
    show(&app, &actor, id).await
}

/// What is to change about a task; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TaskPatch {
    title: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    assignee_id: Option<UserId>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Option<Timestamp>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    remind_at: Option<Option<Timestamp>>,
    /// Ticks it off, or opens it again.
    done: Option<bool>,
    /// The version that the change goes by; where it is not the latest, nothing is changed.
    version: Option<i64>,
}

/// Changes a task, ticks it off, or opens it again
#[utoipa::path(patch, path = "/v1/identity/tasks/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = TaskPatch, responses((status = 200, body = TaskView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<TaskId>,
    Json(patch): Json<TaskPatch>,
) -> ApiResult<Json<TaskView>> {
    let change = TaskChange {
        title: patch.title,
        assignee: patch.assignee_id,
        due_at: patch.due_at,
        remind_at: patch.remind_at,
        is_done: patch.done,
        version: patch.version,
    };
    engine::update(&app.engine, &actor, id, &change).await?;
    show(&app, &actor, id).await
}

/// Deletes a task
#[utoipa::path(delete, path = "/v1/identity/tasks/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<TaskId>,
) -> ApiResult<StatusCode> {
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn show(app: &App, actor: &Actor, id: TaskId) -> ApiResult<Json<TaskView>> {
    let task = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(TaskView::new(task, Sight::of(actor))))
}
