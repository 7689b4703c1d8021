//! `/v1/admin/sign-in-provider`: the OpenID Connect provider with which people of the workspace sign in.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{ids::WorkspaceId, permissions::Permission, time::Timestamp};
use leadline_engine::admin::sign_in_provider::{self as admin, Wish};
use leadline_store::{
    sign_in::{self, Provider},
    workspaces,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::users::parse_role,
    app::App,
    error::{ApiError, ApiResult},
    extract::Json,
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::UsersManage, routes!(get_provider))
        .at(Permission::UsersManage, routes!(save_provider))
        .at(Permission::UsersManage, routes!(remove_provider))
        .at(Permission::UsersManage, routes!(check_provider))
}

/// A workspace's sign-in provider, and what it has to be told of us.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignInProviderView {
    /// Null where none is set up.
    provider: Option<SignInProvider>,
    /// Where the provider sends browsers back to: to be registered there.
    #[schema(example = "https://leads.example.com/v1/sign-in/default/callback")]
    redirect_url: String,
    /// The page on which people of this workspace sign in.
    #[schema(example = "https://leads.example.com/sign-in?workspace=default")]
    sign_in_url: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignInProvider {
    /// What the button says it is.
    #[schema(example = "Example ID")]
    label: String,
    #[schema(example = "https://id.example.com")]
    issuer: String,
    client_id: String,
    /// The domains of addresses that it is believed for.
    domains: Vec<String>,
    /// What somebody becomes who was not invited; null where only who was invited comes in.
    role: Option<String>,
    role_label: Option<String>,
    /// Whether everybody may sign in with a password still. Super admins always may.
    takes_passwords: bool,
    is_enabled: bool,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// When somebody came in by it last, as it is set up now.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
}

impl From<Provider> for SignInProvider {
    fn from(provider: Provider) -> Self {
        Self {
            label: provider.label,
            issuer: provider.issuer,
            client_id: provider.client_id,
            domains: provider.domains,
            role: provider.role.as_ref().map(|rights| rights.role.to_string()),
            role_label: provider.role.map(|rights| rights.label),
            takes_passwords: provider.takes_passwords,
            is_enabled: provider.is_enabled,
            updated_at: provider.updated_at,
            last_used_at: provider.last_used_at,
        }
    }
}

async fn view(app: &App, workspace: WorkspaceId, provider: Option<Provider>) -> ApiResult<Json<SignInProviderView>> {
    let workspace = workspaces::find(&app.reader, workspace).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(SignInProviderView {
        provider: provider.map(SignInProvider::from),
        redirect_url: admin::redirect_url(&app.engine, &workspace.slug),
        sign_in_url: format!("{}/sign-in?workspace={}", app.engine.options.public_url, workspace.slug),
    }))
}

/// The workspace's sign-in provider
#[utoipa::path(get, path = "/v1/admin/sign-in-provider", tag = "users",
    responses((status = 200, body = SignInProviderView)))]
async fn get_provider(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<SignInProviderView>> {
    let provider = sign_in::find_provider(&app.reader, actor.workspace).await?;
    view(&app, actor.workspace, provider).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SaveProviderRequest {
    /// What the button says it is, of at most 40 characters.
    #[schema(example = "Example ID")]
    label: String,
    /// Exactly as the provider writes it.
    #[schema(example = "https://id.example.com")]
    issuer: String,
    client_id: String,
    /// Sealed, and never told again. Needed for a new issuer; else the one before stays.
    #[schema(format = Password)]
    client_secret: Option<String>,
    /// 1 to 50. Only addresses at exactly these are taken.
    #[schema(example = json!(["example.com"]))]
    domains: Vec<String>,
    /// What somebody becomes who was not invited; without it only who was invited comes in.
    #[schema(example = "agent")]
    role: Option<String>,
    /// Whether everybody may sign in with a password still. It can be off once somebody has signed in with the
    /// provider.
    takes_passwords: bool,
    is_enabled: bool,
}

/// Sets the sign-in provider up, or changes it
///
/// For super admins: whoever runs the provider can become anybody in the workspace. With another issuer, or while it is
/// not used, the sessions that it opened end.
#[utoipa::path(put, path = "/v1/admin/sign-in-provider", tag = "users", request_body = SaveProviderRequest,
    responses((status = 200, body = SignInProviderView)))]
async fn save_provider(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<SaveProviderRequest>,
) -> ApiResult<Json<SignInProviderView>> {
    let wish = Wish {
        label: body.label,
        issuer: body.issuer,
        client_id: body.client_id,
        client_secret: body.client_secret,
        domains: body.domains,
        role: body.role.as_deref().map(parse_role).transpose()?,
        takes_passwords: body.takes_passwords,
        is_enabled: body.is_enabled,
    };
    let saved = admin::save(&app.engine, &actor, wish).await?;
    view(&app, actor.workspace, Some(saved)).await
}

/// Takes the sign-in provider away
///
/// For super admins. The sessions that it opened end, and whoever has no password needs one from an admin.
#[utoipa::path(delete, path = "/v1/admin/sign-in-provider", tag = "users", responses((status = 204)))]
async fn remove_provider(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<StatusCode> {
    admin::remove(&app.engine, &actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckProviderRequest {
    #[schema(example = "https://id.example.com")]
    issuer: String,
}

/// What a provider says of itself, or what is wrong with it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ProviderCheckView {
    is_usable: bool,
    /// What is wrong, in words.
    problem: Option<String>,
    /// Where it has people sign in.
    authorization_endpoint: Option<String>,
    /// Those of its ways to sign that are taken.
    #[schema(example = json!(["RS256"]))]
    algorithms: Vec<String>,
    /// How many keys it publishes.
    key_count: usize,
}

/// Looks whether a provider can be found by its issuer, and used
///
/// For super admins. Nothing is stored.
#[utoipa::path(post, path = "/v1/admin/sign-in-provider/check", tag = "users", request_body = CheckProviderRequest,
    responses((status = 200, body = ProviderCheckView)))]
async fn check_provider(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<CheckProviderRequest>,
) -> ApiResult<Json<ProviderCheckView>> {
    Ok(Json(match admin::check(&app.engine, &actor, &body.issuer).await? {
        Ok(found) => ProviderCheckView {
            is_usable: true,
            problem: None,
            authorization_endpoint: Some(found.authorization_endpoint),
            algorithms: found.algorithms,
            key_count: found.key_count,
        },
        Err(error) => ProviderCheckView {
            is_usable: false,
            problem: Some(error.to_string()),
            authorization_endpoint: None,
            algorithms: Vec::new(),
            key_count: 0,
        },
    }))
}
