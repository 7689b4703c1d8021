//! Roles: those that every workspace has, and its own.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::RoleId,
    permissions::{Permission, Permissions, Role},
    time::Timestamp,
};
use leadline_engine::admin::roles::{self as admin, RoleChange};
use leadline_store::roles::{self, CustomRole};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{users::parse_role, views::All},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .signed_in(routes!(list_roles))
        .signed_in(routes!(list_permissions))
        .at(Permission::UsersManage, routes!(create_role))
        .at(Permission::UsersManage, routes!(change_role))
        .at(Permission::UsersManage, routes!(delete_role))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RoleView {
    /// What names it elsewhere: a name that every workspace knows, or the id of one of its own.
    #[schema(example = "marketer")]
    name: String,
    #[schema(example = "Marketer")]
    label: String,
    #[schema(example = json!(["leads:view"]))]
    permissions: Vec<&'static str>,
    /// Whether every workspace has it. Such a role cannot be changed.
    is_built_in: bool,
    /// How many members have it.
    members: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    updated_at: Option<Timestamp>,
}

impl RoleView {
    fn built_in(role: Role, members: i64) -> Self {
        Self {
            name: role.to_string(),
            label: role.label().to_owned(),
            permissions: Permissions::of(role.permissions()).names(),
            is_built_in: true,
            members,
            updated_at: None,
        }
    }

    fn custom(role: CustomRole, members: i64) -> Self {
        Self {
            name: role.id.to_string(),
            label: role.name,
            permissions: role.permissions.names(),
            is_built_in: false,
            members,
            updated_at: Some(role.updated_at),
        }
    }
}

/// The roles and what they may do: those that every workspace has, then its own.
#[utoipa::path(get, path = "/v1/admin/roles", tag = "roles", responses((status = 200, body = All<RoleView>)))]
async fn list_roles(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<RoleView>>> {
    let counts = roles::count_members(&app.reader, actor.workspace).await?;
    let members = |name: &str| counts.iter().find(|(role, _)| role == name).map_or(0, |(_, count)| *count);
    let own = roles::list(&app.reader, actor.workspace).await?;
    let built_in = Role::ALL.into_iter().map(|role| RoleView::built_in(role, members(role.as_str())));
    let own = own.into_iter().map(|role| {
        let members = members(&role.id.to_string());
        RoleView::custom(role, members)
    });
    Ok(Json(All { data: built_in.chain(own).collect() }))
}

#[derive(Debug, Serialize, ToSchema)]
struct PermissionView {
    #[schema(example = "leads:view")]
    name: &'static str,
    /// What it lets somebody do.
    #[schema(example = "See leads, contacts and the board")]
    meaning: &'static str,
}

/// Everything that a role can let somebody do.
#[utoipa::path(get, path = "/v1/admin/permissions", tag = "roles",
    responses((status = 200, body = All<PermissionView>)))]
async fn list_permissions() -> Json<All<PermissionView>> {
    let view = |permission: Permission| PermissionView { name: permission.as_str(), meaning: permission.meaning() };
    Json(All { data: Permission::ALL.into_iter().map(view).collect() })
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateRoleRequest {
    #[schema(example = "Night shift")]
    name: String,
    #[schema(example = json!(["leads:view"]))]
    permissions: Vec<String>,
}

/// The permissions with these names.
pub(super) fn parse_permissions(pointer: &str, names: &[String]) -> ApiResult<Permissions> {
    let unknown = names.iter().position(|name| Permission::parse(name).is_none());
    match unknown {
        Some(place) => Err(ApiError::field(format!("{pointer}/{place}"), "must be one of GET /v1/admin/permissions")),
        None => Ok(Permissions::named(names)),
    }
}

/// Makes a role. Nobody puts more into it than they have.
#[utoipa::path(post, path = "/v1/admin/roles", tag = "roles", request_body = CreateRoleRequest,
    responses((status = 200, body = RoleView)))]
async fn create_role(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<CreateRoleRequest>,
) -> ApiResult<Json<RoleView>> {
    let permissions = parse_permissions("/permissions", &body.permissions)?;
    let (store, now) = (&app.engine.store, app.engine.clock.now());
    let role = admin::create(store, now, &actor, &body.name, permissions).await?;
    Ok(Json(RoleView::custom(role, 0)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeRoleRequest {
    name: Option<String>,
    permissions: Option<Vec<String>>,
}

/// Changes a role of the workspace's own. It counts from the next request of everybody who has it.
#[utoipa::path(patch, path = "/v1/admin/roles/{id}", tag = "roles", params(("id" = Uuid, Path)),
    request_body = ChangeRoleRequest, responses((status = 200, body = RoleView)))]
async fn change_role(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<RoleId>,
    Json(body): Json<ChangeRoleRequest>,
) -> ApiResult<Json<RoleView>> {
    let permissions = body.permissions.as_deref().map(|names| parse_permissions("/permissions", names)).transpose()?;
    let change = RoleChange { name: body.name, permissions };
    let role = admin::change(&app.engine.store, app.engine.clock.now(), &actor, id, change).await?;
    let counts = roles::count_members(&app.reader, actor.workspace).await?;
    let members = counts.iter().find(|(name, _)| *name == id.to_string()).map_or(0, |(_, count)| *count);
    Ok(Json(RoleView::custom(role, members)))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeleteRoleQuery {
    /// The role that everybody gets who has this one: a name or an id.
    move_to: Option<String>,
}

/// Deletes a role of the workspace's own. Who has it gets the one named in `moveTo`.
#[utoipa::path(delete, path = "/v1/admin/roles/{id}", tag = "roles", params(("id" = Uuid, Path), DeleteRoleQuery),
    responses((status = 204)))]
async fn delete_role(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<RoleId>,
    Query(query): Query<DeleteRoleQuery>,
) -> ApiResult<StatusCode> {
    let wrong = |_| ApiError::field("/moveTo", "must be one of the roles of GET /v1/admin/roles");
    let to = query.move_to.as_deref().map(parse_role).transpose().map_err(wrong)?;
    admin::delete(&app.engine.store, app.engine.clock.now(), &actor, id, to).await?;
    Ok(StatusCode::NO_CONTENT)
}
