//! Tokens for programs. Everybody makes their own; who manages tokens sees and ends everybody's.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{ids::CredentialId, permissions::Permissions, time::Timestamp};
use leadline_engine::admin::tokens::{self, NewToken};
use leadline_store::credentials::Credential;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::{roles::parse_permissions, users::parse_role, views::All},
    app::App,
    error::ApiResult,
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .signed_in(routes!(list_tokens))
        .signed_in(routes!(create_token))
        .signed_in(routes!(revoke_token))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TokenView {
    id: Uuid,
    name: String,
    /// The name of one of the roles that every workspace has, or the id of one of its own.
    #[schema(example = "agent")]
    role: Option<String>,
    #[schema(example = "Agent")]
    role_label: Option<String>,
    /// The permissions that it is kept to; null for all of its role's.
    #[schema(example = json!(["leads:view"]))]
    scopes: Option<Vec<&'static str>>,
    /// Whose it is; tokens made on the command line are nobody's.
    user_id: Option<Uuid>,
    /// The last four characters, to tell tokens apart.
    last4: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    /// The token itself, this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

impl TokenView {
    fn new(credential: Credential, token: Option<String>) -> Self {
        Self {
            id: credential.id.0,
            name: credential.name,
            role: credential.role.as_ref().map(|rights| rights.role.to_string()),
            role_label: credential.role.map(|rights| rights.label),
            scopes: credential.scopes.map(Permissions::names),
            user_id: credential.user_id.map(|user| user.0),
            last4: credential.last4,
            created_at: credential.created_at,
            expires_at: credential.expires_at,
            last_used_at: credential.last_used_at,
            token,
        }
    }
}

/// One's own tokens, or everybody's for who manages tokens, newest first.
#[utoipa::path(get, path = "/v1/admin/tokens", tag = "tokens", responses((status = 200, body = All<TokenView>)))]
async fn list_tokens(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<TokenView>>> {
    let credentials = tokens::list(&app.engine.store, app.engine.clock.now(), &actor).await?;
    Ok(Json(All { data: credentials.into_iter().map(|token| TokenView::new(token, None)).collect() }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateTokenRequest {
    #[schema(example = "Reporting")]
    name: String,
    /// Not above one's own; one's own where it is absent.
    #[schema(example = "viewer")]
    role: Option<String>,
    /// What it may do, of what its role lets it do; all of that where this is absent.
    #[schema(example = json!(["leads:view"]))]
    scopes: Option<Vec<String>>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Makes a token for oneself.
#[utoipa::path(post, path = "/v1/admin/tokens", tag = "tokens", request_body = CreateTokenRequest,
    responses((status = 200, body = TokenView)))]
async fn create_token(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<CreateTokenRequest>,
) -> ApiResult<Json<TokenView>> {
    let role = body.role.as_deref().map(parse_role).transpose()?.unwrap_or(actor.role.role);
    let scopes = body.scopes.as_deref().map(|names| parse_permissions("/scopes", names)).transpose()?;
    let token = NewToken { name: body.name, role, scopes, expires_at: body.expires_at };
    let made = tokens::create(&app.engine.store, app.engine.clock.now(), &actor, token).await?;
    Ok(Json(TokenView::new(made.credential, Some(made.secret))))
}

/// Ends a token, at once.
#[utoipa::path(delete, path = "/v1/admin/tokens/{id}", tag = "tokens", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn revoke_token(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<StatusCode> {
    tokens::revoke(&app.engine.store, app.engine.clock.now(), &actor, CredentialId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}
