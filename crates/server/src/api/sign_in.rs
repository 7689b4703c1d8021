//! `/v1/sign-in`: signing in with a workspace's provider, there and back.
//!
//! A browser begins here, goes to the provider and comes back to the callback, which answers with a redirect whatever
//! the provider sent: to where somebody wanted to be, or to the sign-in page with the reason why not.

use std::net::IpAddr;

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use cookie::{Cookie, SameSite, time::Duration};
use http::{HeaderMap, HeaderName, StatusCode, header};
use leadline_engine::admin::sign_in::{self as admin, Brought, Came};
use leadline_store::sign_in;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::session::{self, SessionView},
    app::App,
    client_ip::ClientIp,
    error::ApiResult,
    extract::{Json, Path, Query},
    guard::{GuardedRoutes, cookie_value},
};

/// The cookie that ties a sign-in to the browser that began it.
const COOKIE: &str = "leadline_sign_in";

/// Where it is sent.
const COOKIE_PATH: &str = "/v1/sign-in";

/// Providers that strangers are shown without naming a workspace.
const SHOWN: i64 = 1;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .public(routes!(list_providers))
        .public(routes!(start))
        .public(routes!(come_back))
        .public(routes!(finish))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ProvidersQuery {
    /// The slug of a workspace.
    workspace: Option<String>,
}

/// Providers to sign in with.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OfferedProvidersView {
    data: Vec<OfferedProviderView>,
    /// Whether there are others, which are shown to who names their workspace.
    has_others: bool,
}

#[derive(Debug, Serialize, ToSchema)]
struct OfferedProviderView {
    /// The slug of the workspace.
    #[schema(example = "default")]
    workspace: String,
    /// What the button says.
    #[schema(example = "Example ID")]
    label: String,
}

/// With what people can sign in, beside a password
///
/// Without a workspace it tells of the provider of an installation that has one; who its other customers are is
/// nobody's business.
#[utoipa::path(get, path = "/v1/sign-in", tag = "session", params(ProvidersQuery),
    responses((status = 200, body = OfferedProvidersView)))]
async fn list_providers(
    State(app): State<App>,
    Query(query): Query<ProvidersQuery>,
) -> ApiResult<Json<OfferedProvidersView>> {
    let slug = query.workspace.as_deref().filter(|slug| is_slug(slug));
    let asked = query.workspace.is_some();
    let mut found =
        if asked && slug.is_none() { Vec::new() } else { sign_in::list_offered(&app.reader, slug, SHOWN + 1).await? };
    let has_others = found.len() > 1;
    if has_others {
        found.clear();
    }
    let data = found.into_iter().map(|one| OfferedProviderView { workspace: one.workspace, label: one.label });
    Ok(Json(OfferedProvidersView { data: data.collect(), has_others }))
}

/// What no workspace can be called is not looked for.
fn is_slug(text: &str) -> bool {
    let is_slug_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(is_slug_byte)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct BeginSignInRequest {
    /// The slug of the workspace.
    #[schema(example = "default")]
    workspace: String,
    /// The page to come to then, as a path.
    #[schema(example = "/board")]
    next: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct BegunSignInView {
    /// Where the browser goes.
    url: String,
}

/// Begins a sign-in with a workspace's provider
///
/// Within ten minutes, in the same browser.
#[utoipa::path(post, path = "/v1/sign-in", tag = "session", request_body = BeginSignInRequest,
    responses((status = 200, body = BegunSignInView, description = "Where to go; a cookie ties it to the browser"),
              (status = 404, description = "The workspace has no provider"),
              (status = 424, description = "The provider cannot be used"),
              (status = 429, description = "Too many attempts")))]
async fn start(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Json(body): Json<BeginSignInRequest>,
) -> ApiResult<Response> {
    if !is_slug(&body.workspace) {
        return Err(crate::error::ApiError::not_found());
    }
    let place = session::place(ip, &headers);
    let begun = admin::start(&app.engine, &app.attempts, &body.workspace, body.next.as_deref(), &place).await?;
    let cookie = set_cookie(&app, begun.secret, Duration::milliseconds(admin::LIFE_MS));
    Ok((cookie, Json(BegunSignInView { url: begun.address })).into_response())
}

fn set_cookie(app: &App, secret: String, max_age: Duration) -> [(HeaderName, String); 2] {
    let cookie = Cookie::build((COOKIE, secret))
        .path(COOKIE_PATH)
        .http_only(true)
        // Strict ones do not come along when the provider sends the browser back.
        .same_site(SameSite::Lax)
        .secure(app.is_https())
        .max_age(max_age);
    [(header::SET_COOKIE, cookie.build().to_string()), (header::CACHE_CONTROL, "no-store".to_owned())]
}

/// What a provider sends back, as far as it matters here. Providers add what they like.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct CallbackQuery {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    iss: Option<String>,
}

/// Where a provider sends the browser back to
///
/// Always a redirect: to the page that somebody wanted, with a session, or to the sign-in page with `refused` or
/// `step`.
#[utoipa::path(get, path = "/v1/sign-in/{workspace}/callback", tag = "session",
    params(("workspace" = String, Path), CallbackQuery),
    responses((status = 303, description = "To a page of the dashboard")))]
async fn come_back(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Path(slug): Path<String>,
    query: Result<Query<CallbackQuery>, crate::error::ApiError>,
) -> ApiResult<Response> {
    // What cannot be read is nobody's answer.
    let query = query.map(|query| query.0).unwrap_or_default();
    let slug = if is_slug(&slug) { slug } else { String::new() };
    let brought = Brought { state: query.state, code: query.code, error: query.error, issuer: query.iss };
    let came = take(&app, ip, &headers, &slug, &brought).await?;
    let (to, cookies) = match came {
        Came::In(signed_in, to) => (to, vec![session::session_cookie(&app, signed_in.secret), cookie_gone(&app)]),
        Came::NeedsCode(to) => (page(&[("step", "code"), ("workspace", &slug), ("next", &to)]), Vec::new()),
        Came::Refused(why) => (page(&[("refused", why), ("workspace", &slug)]), vec![cookie_gone(&app)]),
    };
    let mut answer = (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response();
    for cookie in cookies {
        if let Ok(cookie) = cookie.parse() {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    answer.headers_mut().insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    Ok(answer)
}

async fn take(app: &App, ip: IpAddr, headers: &HeaderMap, slug: &str, brought: &Brought) -> ApiResult<Came> {
    if slug.is_empty() {
        return Ok(Came::Refused("over"));
    }
    let secret = cookie_value(headers, COOKIE);
    let place = session::place(ip, headers);
    Ok(admin::come_back(&app.engine, &app.attempts, slug, brought, secret.as_deref(), &place).await?)
}

/// The sign-in page, with what happened.
fn page(what: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(what.iter().filter(|(_, value)| !value.is_empty()))
        .finish();
    format!("/sign-in?{query}")
}

fn cookie_gone(app: &App) -> String {
    let [(_, cookie), _] = set_cookie(app, String::new(), Duration::ZERO);
    cookie
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FinishSignInRequest {
    /// The code of the second factor, or a recovery code.
    code: String,
}

/// Ends a sign-in with a provider by the code of the second factor
#[utoipa::path(post, path = "/v1/sign-in/code", tag = "session", request_body = FinishSignInRequest,
    responses((status = 200, body = SessionView, description = "The session; its cookie is set"),
              (status = 401, description = "The code does not count"),
              (status = 429, description = "Too many attempts")))]
async fn finish(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Json(body): Json<FinishSignInRequest>,
) -> ApiResult<Response> {
    let secret = cookie_value(&headers, COOKIE);
    let place = session::place(ip, &headers);
    let signed_in = admin::finish(&app.engine, &app.attempts, secret.as_deref(), &body.code, &place).await?;
    Ok(session::answer(&app, &signed_in).await?.into_response())
}
