//! Signing in and out, one's own sessions and password.

use std::net::IpAddr;

use axum::{extract::State, response::IntoResponse};
use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderName, StatusCode, header};
use leadline_domain::{
    ids::{CredentialId, UserId, WorkspaceId},
    permissions::Rights,
    time::Timestamp,
    values::currency_of,
};
use leadline_engine::{
    Actor,
    admin::{
        secrets,
        sessions::{self, PasswordChange, Place, SESSION_MS, SignIn, SignedIn},
        workspaces::demands_second_factor,
    },
};
use leadline_store::{
    credentials, second_factors,
    users::{self, User},
    workspaces::{self, Workspace},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::views::All,
    app::App,
    client_ip::ClientIp,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes, SESSION_COOKIE, session_secret},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .public(routes!(sign_in))
        .signed_in_at_all(routes!(get_session))
        .signed_in_at_all(routes!(sign_out))
        .signed_in_at_all(routes!(switch_workspace))
        .signed_in(routes!(change_password))
        .signed_in(routes!(list_sessions))
        .signed_in(routes!(revoke_session))
        .signed_in(routes!(revoke_other_sessions))
}

/// Who is signed in, where, and what they may do there.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SessionView {
    user: SignedInUser,
    workspace: WorkspaceInSession,
    /// Where the user could switch to.
    workspaces: Vec<WorkspaceChoice>,
    /// The name of one of the roles that every workspace has, or the id of one of its own.
    #[schema(example = "admin")]
    role: String,
    #[schema(example = "Admin")]
    role_label: String,
    #[schema(example = json!(["leads:view"]))]
    permissions: Vec<&'static str>,
    /// Whether the user signs in with a second factor.
    has_second_factor: bool,
    /// Whether the user has a password. Who joined by a sign-in provider has none.
    has_password: bool,
    /// Whether the workspace wants one of everybody. Who has none can do nothing but set one up.
    needs_second_factor: bool,
    /// To be sent as `X-CSRF-Token` with every change; another one in each workspace. Empty for a token, which needs none.
    csrf_token: String,
    demo: bool,
    version: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignedInUser {
    id: Uuid,
    name: String,
    email: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorkspaceInSession {
    id: Uuid,
    slug: String,
    name: String,
    #[schema(example = "production")]
    environment: String,
    /// The currency that leads are quoted and sold in.
    #[schema(example = "EUR")]
    currency: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WorkspaceChoice {
    id: Uuid,
    slug: String,
    name: String,
}

impl SessionView {
    fn new(
        app: &App,
        user: User,
        role: &Rights,
        here: &Workspace,
        all: Vec<(Workspace, Rights)>,
        has_second_factor: bool,
        csrf_token: String,
    ) -> Self {
        let has_password = !user.password_hash.is_empty();
        Self {
            user: SignedInUser { id: user.id.0, name: user.name, email: user.email },
            workspace: WorkspaceInSession {
                id: here.id.0,
                slug: here.slug.clone(),
                name: here.name.clone(),
                environment: app.engine.options.environment.clone(),
                currency: currency_of(&here.settings).to_owned(),
            },
            workspaces: all
                .into_iter()
                .map(|(workspace, _)| WorkspaceChoice {
                    id: workspace.id.0,
                    slug: workspace.slug,
                    name: workspace.name,
                })
                .collect(),
            role: role.role.to_string(),
            role_label: role.label.clone(),
            permissions: role.permissions.names(),
            has_second_factor,
            has_password,
            needs_second_factor: demands_second_factor(&here.settings),
            csrf_token,
            demo: app.engine.options.demo,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}

async fn view(
    app: &App,
    user: UserId,
    workspace: WorkspaceId,
    (secret, is_from_provider): (Option<&str>, bool),
) -> ApiResult<SessionView> {
    let gone = || ApiError::new(Code::NotSignedIn);
    let user = users::find(&app.reader, user).await?.ok_or_else(gone)?;
    let all = workspaces::list_of_user(&app.reader, user.id).await?;
    let (here, role) = all.iter().find(|(found, _)| found.id == workspace).cloned().ok_or_else(gone)?;
    let all = if is_from_provider { vec![(here.clone(), role.clone())] } else { all };
    let factor = second_factors::find(&app.reader, user.id).await?;
    let has_second_factor = factor.is_some_and(|factor| factor.confirmed_at.is_some());
    let csrf_token = secret.map(|secret| secrets::csrf_token(secret, workspace)).unwrap_or_default();
    Ok(SessionView::new(app, user, &role, &here, all, has_second_factor, csrf_token))
}

/// The answer to whoever has just signed in: the session, and its cookie.
pub(super) async fn answer(app: &App, signed_in: &SignedIn) -> ApiResult<impl IntoResponse + use<>> {
    let known = (Some(signed_in.secret.as_str()), signed_in.is_from_provider);
    let view = view(app, signed_in.user, signed_in.workspace, known).await?;
    Ok((set_cookie(app, signed_in.secret.clone(), Duration::milliseconds(SESSION_MS)), Json(view)))
}

/// The cookie of a session that was just opened.
pub(super) fn session_cookie(app: &App, secret: String) -> String {
    let [(_, cookie), _] = set_cookie(app, secret, Duration::milliseconds(SESSION_MS));
    cookie
}

fn set_cookie(app: &App, secret: String, max_age: Duration) -> [(HeaderName, String); 2] {
    let cookie = Cookie::build((SESSION_COOKIE, secret))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.is_https())
        .max_age(max_age);
    [(header::SET_COOKIE, cookie.build().to_string()), (header::CACHE_CONTROL, "no-store".to_owned())]
}

/// Where somebody signs in: their address, and what the browser calls itself, to tell sessions apart.
pub(super) fn place(ip: IpAddr, headers: &HeaderMap) -> Place {
    let browser = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    Place { ip: Some(ip), browser }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignInRequest {
    email: String,
    #[schema(format = Password)]
    password: String,
    /// The code of the second factor, or a recovery code; for who has one.
    code: Option<String>,
}

/// Signs in.
#[utoipa::path(post, path = "/v1/session", tag = "session", request_body = SignInRequest,
    responses((status = 200, body = SessionView, description = "The session; its cookie is set"),
              (status = 401, description = "Wrong e-mail address or password, or a code is needed"),
              (status = 429, description = "Too many attempts")))]
async fn sign_in(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Json(body): Json<SignInRequest>,
) -> ApiResult<impl IntoResponse> {
    let SignInRequest { email, password, code } = body;
    let with = SignIn { email, password, code, place: place(ip, &headers) };
    let signed_in = sessions::sign_in(&app.engine, &app.attempts, with).await?;
    answer(&app, &signed_in).await
}

/// Who is signed in, and what they may do.
#[utoipa::path(get, path = "/v1/session", tag = "session", responses((status = 200, body = SessionView)))]
async fn get_session(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    headers: HeaderMap,
) -> ApiResult<impl IntoResponse> {
    let provider_of = sessions::provider_of(&app.engine.store, app.engine.clock.now(), &actor).await?;
    let secret = browsers_secret(&headers);
    let view = view(&app, person(&actor)?, actor.workspace, (secret.as_deref(), provider_of.is_some())).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)))
}

fn person(actor: &Actor) -> ApiResult<UserId> {
    actor.user.ok_or_else(|| ApiError::not_found().detail("this token belongs to no user"))
}

/// The secret of the session by which a browser asks; none for who asks with a token.
fn browsers_secret(headers: &HeaderMap) -> Option<String> {
    session_secret(headers).filter(|_| !headers.contains_key(header::AUTHORIZATION))
}

/// Signs out.
#[utoipa::path(delete, path = "/v1/session", tag = "session", responses((status = 204)))]
async fn sign_out(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<impl IntoResponse> {
    sessions::sign_out(&app.engine.store, app.engine.clock.now(), &actor).await?;
    Ok((StatusCode::NO_CONTENT, set_cookie(&app, String::new(), Duration::ZERO)))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SwitchWorkspaceRequest {
    workspace_id: Uuid,
}

/// Goes on in another workspace.
#[utoipa::path(patch, path = "/v1/session", tag = "session", request_body = SwitchWorkspaceRequest,
    responses((status = 200, body = SessionView)))]
async fn switch_workspace(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    headers: HeaderMap,
    Json(body): Json<SwitchWorkspaceRequest>,
) -> ApiResult<Json<SessionView>> {
    let to = WorkspaceId(body.workspace_id);
    sessions::switch_workspace(&app.engine.store, app.engine.clock.now(), &actor, to).await?;
    Ok(Json(view(&app, person(&actor)?, to, (browsers_secret(&headers).as_deref(), false)).await?))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangePasswordRequest {
    #[schema(format = Password)]
    current_password: String,
    /// At least 10 characters.
    #[schema(format = Password)]
    new_password: String,
}

/// Changes one's password. All other sessions of the user end.
#[utoipa::path(post, path = "/v1/session/password", tag = "session", request_body = ChangePasswordRequest,
    responses((status = 204)))]
async fn change_password(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<ChangePasswordRequest>,
) -> ApiResult<StatusCode> {
    let (store, now) = (&app.engine.store, app.engine.clock.now());
    let change = PasswordChange { current: body.current_password, new: body.new_password };
    sessions::change_password(store, &app.attempts, now, &actor, change).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OwnSessionView {
    id: Uuid,
    /// What the browser calls itself.
    browser: String,
    /// From where it was opened.
    #[schema(example = "203.0.113.9")]
    ip: Option<String>,
    /// Whether it is the session that asks.
    is_current: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_used_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// One's own sessions, newest first.
#[utoipa::path(get, path = "/v1/admin/sessions", tag = "session", responses((status = 200, body = All<OwnSessionView>)))]
async fn list_sessions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<OwnSessionView>>> {
    let sessions = match actor.user {
        Some(user) => {
            let now = app.engine.clock.now();
            let provider_of = sessions::provider_of(&app.engine.store, now, &actor).await?;
            credentials::list_sessions(&app.reader, user, provider_of, now).await?
        }
        None => Vec::new(),
    };
    let data = sessions.into_iter().map(|session| OwnSessionView {
        id: session.id.0,
        is_current: actor.credential == Some(session.id),
        ip: session.ip,
        browser: session.name,
        created_at: session.created_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    });
    Ok(Json(All { data: data.collect() }))
}

/// Ends one of one's own sessions.
#[utoipa::path(delete, path = "/v1/admin/sessions/{id}", tag = "session", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn revoke_session(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<StatusCode> {
    sessions::revoke_own(&app.engine.store, app.engine.clock.now(), &actor, CredentialId(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Serialize, ToSchema)]
struct RevokedView {
    /// How many sessions have ended.
    revoked: u64,
}

/// Ends all of one's own sessions but this one.
#[utoipa::path(post, path = "/v1/admin/sessions/revoke-others", tag = "session",
    responses((status = 200, body = RevokedView)))]
async fn revoke_other_sessions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<RevokedView>> {
    let revoked = sessions::revoke_others(&app.engine.store, app.engine.clock.now(), &actor).await?;
    Ok(Json(RevokedView { revoked }))
}
