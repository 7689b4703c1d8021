//! `/v1/capture/chats`: chats that bring leads.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{ProjectId, SourceId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::sources::{
    self,
    widgets::{self, ChatChange, IDLE_MINUTES},
};
use leadline_store::sources::{self as stored, Source};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::ApiResult,
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SourcesManage, routes!(list, create))
        .at(Permission::SourcesManage, routes!(update, delete))
}

/// A chat source.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChatView {
    #[schema(value_type = Uuid)]
    id: SourceId,
    name: String,
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    /// The secret part of its address.
    key: String,
    /// Where chats are told to; the chat's own id stands behind it.
    url: String,
    /// Minutes of silence after which a chat counts as completed.
    idle_minutes: i64,
    /// The country of numbers without a calling code; null for the workspace's own.
    default_country: Option<String>,
    received_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(app: &App, chat: Source) -> ChatView {
    ChatView {
        id: chat.id,
        project_id: chat.project_id,
        url: format!("{}/chat/{}", app.engine.options.public_url, chat.key),
        idle_minutes: chat.settings.get("idleMinutes").and_then(Value::as_i64).unwrap_or(IDLE_MINUTES),
        default_country: chat.settings.get("defaultCountry").and_then(Value::as_str).map(str::to_owned),
        received_count: chat.received_count,
        last_received_at: chat.last_received_at,
        created_at: chat.created_at,
        name: chat.name,
        key: chat.key,
    }
}

/// All chat sources.
#[derive(Debug, Serialize, ToSchema)]
struct ChatList {
    data: Vec<ChatView>,
}

/// A new chat source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewChat {
    /// 1 to 120 characters.
    name: String,
    /// Where its leads go; the first project where none is named.
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// 1 to 10080; 30 where nothing is said.
    idle_minutes: Option<i64>,
    /// Such as `DE`.
    default_country: Option<String>,
}

/// What is to change about a chat source.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChatPatch {
    name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    idle_minutes: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    default_country: Option<Option<String>>,
}

/// Lists the chat sources, newest first
#[utoipa::path(get, path = "/v1/capture/chats", tag = "capture", responses((status = 200, body = ChatList)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<ChatList>> {
    let chats = stored::list(&app.reader, actor.workspace, "chat").await?;
    Ok(Json(ChatList { data: chats.into_iter().map(|chat| view(&app, chat)).collect() }))
}

/// Makes a chat source
#[utoipa::path(post, path = "/v1/capture/chats", tag = "capture", request_body = NewChat,
    responses((status = 200, body = ChatView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewChat>,
) -> ApiResult<Json<ChatView>> {
    let change = ChatChange {
        name: Some(request.name),
        project: request.project_id,
        idle_minutes: request.idle_minutes,
        default_country: request.default_country.map(Some),
    };
    Ok(Json(view(&app, widgets::create_chat(&app.engine, &actor, change).await?)))
}

/// Changes a chat source
#[utoipa::path(patch, path = "/v1/capture/chats/{id}", tag = "capture", params(("id" = Uuid, Path)),
    request_body = ChatPatch, responses((status = 200, body = ChatView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
    Json(request): Json<ChatPatch>,
) -> ApiResult<Json<ChatView>> {
    let change = ChatChange {
        name: request.name,
        project: request.project_id,
        idle_minutes: request.idle_minutes,
        default_country: request.default_country,
    };
    Ok(Json(view(&app, widgets::update_chat(&app.engine, &actor, id, change).await?)))
}

/// Deletes a chat source; its address stops, its leads stay
#[utoipa::path(delete, path = "/v1/capture/chats/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<StatusCode> {
    sources::delete(&app.engine, &actor, "chat", id).await?;
    Ok(StatusCode::NO_CONTENT)
}
