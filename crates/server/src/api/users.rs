//! The members of the workspace.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::UserId,
    permissions::{Permission, RoleKey},
    time::Timestamp,
};
use leadline_engine::admin::users::{self as admin, Change, NewUser};
use leadline_store::users::{self, Member};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::LeadsView, routes!(list_members))
        .at(Permission::UsersManage, routes!(list_users))
        .at(Permission::UsersManage, routes!(create_user))
        .at(Permission::UsersManage, routes!(change_user))
        .at(Permission::UsersManage, routes!(remove_user))
}

#[derive(Debug, Serialize, ToSchema)]
struct MemberView {
    id: Uuid,
    name: String,
}

/// Those to whom leads can be assigned.
#[utoipa::path(get, path = "/v1/admin/members", tag = "users", responses((status = 200, body = All<MemberView>)))]
async fn list_members(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<MemberView>>> {
    let members = users::list_members(&app.reader, actor.workspace).await?;
    let active = members.into_iter().filter(|member| member.disabled_at.is_none());
    Ok(Json(All { data: active.map(|member| MemberView { id: member.id.0, name: member.name }).collect() }))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct UserView {
    id: Uuid,
    email: String,
    name: String,
    /// The name of one of the roles that every workspace has, or the id of one of its own.
    #[schema(example = "agent")]
    role: String,
    #[schema(example = "Agent")]
    role_label: String,
    /// Whether they are kept from signing in.
    disabled: bool,
    /// Whether they belong to another workspace too. Then only their role can be changed here.
    is_elsewhere: bool,
    /// Whether they sign in with a second factor.
    has_second_factor: bool,
    /// When one of their sessions was used last, give or take a few minutes.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The password that was made for them, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl UserView {
    fn new(member: Member, password: Option<String>) -> Self {
        Self {
            id: member.id.0,
            email: member.email,
            name: member.name,
            role: member.role.role.to_string(),
            role_label: member.role.label,
            disabled: member.disabled_at.is_some(),
            is_elsewhere: member.is_elsewhere,
            has_second_factor: member.has_second_factor,
            last_seen_at: member.last_seen_at,
            created_at: member.created_at,
            password,
        }
    }
}

/// The users of the workspace, by name.
#[utoipa::path(get, path = "/v1/admin/users", tag = "users", responses((status = 200, body = All<UserView>)))]
async fn list_users(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<UserView>>> {
    let members = users::list_members(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: members.into_iter().map(|member| UserView::new(member, None)).collect() }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateUserRequest {
    email: String,
    name: String,
    #[schema(example = "agent")]
    role: String,
    /// Without one, a password is made and shown once.
    #[schema(format = Password)]
    password: Option<String>,
}

pub(super) fn parse_role(name: &str) -> ApiResult<RoleKey> {
    RoleKey::parse(name).ok_or_else(|| ApiError::field("/role", "must be one of the roles of GET /v1/admin/roles"))
}

/// Makes a user, or takes one in who belongs to another workspace.
#[utoipa::path(post, path = "/v1/admin/users", tag = "users", request_body = CreateUserRequest,
    responses((status = 200, body = UserView)))]
async fn create_user(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<CreateUserRequest>,
) -> ApiResult<Json<UserView>> {
    let role = parse_role(&body.role)?;
    let user = NewUser { email: body.email, name: body.name, role, password: body.password };
    let made = admin::create(&app.engine.store, app.engine.clock.now(), &actor, user).await?;
    Ok(Json(UserView::new(made.member, made.password)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeUserRequest {
    role: Option<String>,
    name: Option<String>,
    disabled: Option<bool>,
    #[schema(format = Password)]
    password: Option<String>,
}

/// Changes a user. A new password or being disabled ends their sessions.
#[utoipa::path(patch, path = "/v1/admin/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    request_body = ChangeUserRequest, responses((status = 200, body = UserView)))]
async fn change_user(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
    Json(body): Json<ChangeUserRequest>,
) -> ApiResult<Json<UserView>> {
    let role = body.role.as_deref().map(parse_role).transpose()?;
    let change = Change { role, name: body.name, disabled: body.disabled, password: body.password };
    let member = admin::change(&app.engine.store, app.engine.clock.now(), &actor, UserId(id), change).await?;
    Ok(Json(UserView::new(member, None)))
}

/// Takes a user out of the workspace. Their sessions and tokens here end; what they did stays.
#[utoipa::path(delete, path = "/v1/admin/users/{id}", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn remove_user(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<StatusCode> {
    admin::remove(&app.engine.store, app.engine.clock.now(), &actor, UserId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
