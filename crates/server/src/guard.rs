//! Who sends a request, and whether they may.
//!
//! A route stands in its table on one line with the permission it needs. Nothing is reachable by leaving the permission
//! out: a route is put in with [`GuardedRoutes::at`], [`GuardedRoutes::signed_in`] and the like, and each of them says
//! what it means in the OpenAPI document as well.

use std::net::IpAddr;

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use cookie::Cookie;
use http::{Extensions, HeaderMap, Method, header, request::Parts};
use leadline_domain::permissions::Permission;
use leadline_engine::{Actor, admin::secrets};
use subtle::ConstantTimeEq;
use utoipa::openapi::{
    Content, Ref, RefOr, ResponseBuilder,
    extensions::ExtensionsBuilder,
    path::{Operation, PathItem},
    security::SecurityRequirement,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use crate::{
    app::App,
    client_ip::ClientIp,
    error::{ApiError, ApiResult, Code},
};

/// The cookie that carries a session's secret.
pub const SESSION_COOKIE: &str = "leadline_session";

/// The header that shows that a change comes from our own page.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// A table of routes that says who may use each.
pub trait GuardedRoutes: Sized {
    /// Adds routes that need a permission.
    #[must_use]
    fn at(self, permission: Permission, routes: UtoipaMethodRouter<App>) -> Self;

    /// Adds routes for whoever is signed in or has a token.
    #[must_use]
    fn signed_in(self, routes: UtoipaMethodRouter<App>) -> Self;

    /// The same for those, too, who have to set up a second factor before they may do anything else.
    #[must_use]
    fn signed_in_at_all(self, routes: UtoipaMethodRouter<App>) -> Self;

    /// Adds routes for everybody.
    #[must_use]
    fn public(self, routes: UtoipaMethodRouter<App>) -> Self;
}

impl GuardedRoutes for OpenApiRouter<App> {
    fn at(self, permission: Permission, routes: UtoipaMethodRouter<App>) -> Self {
        self.routes(guarded(Needs::Permission(permission), routes))
    }

    fn signed_in(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.routes(guarded(Needs::Somebody, routes))
    }

    fn signed_in_at_all(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.routes(guarded(Needs::Anybody, routes))
    }

    fn public(self, routes: UtoipaMethodRouter<App>) -> Self {
        self.routes(guarded(Needs::Nobody, routes))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    Permission(Permission),
    Somebody,
    /// Somebody, with or without the second factor that their workspace wants.
    Anybody,
    Nobody,
}

fn guarded(needs: Needs, (schemas, mut paths, router): UtoipaMethodRouter<App>) -> UtoipaMethodRouter<App> {
    for operation in paths.paths.values_mut().flat_map(operations) {
        document(needs, operation);
    }
    let router = match needs {
        Needs::Nobody => router,
        Needs::Permission(_) | Needs::Somebody | Needs::Anybody => {
            router.route_layer(middleware::from_fn(move |request, next| check(needs, request, next)))
        }
    };
    (schemas, paths, router)
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn document(needs: Needs, operation: &mut Operation) {
    let mut problems = vec![("400", "The request could not be read"), ("422", "Some fields are not valid")];
    match needs {
        Needs::Nobody => operation.security = Some(Vec::new()),
        Needs::Somebody | Needs::Anybody | Needs::Permission(_) => {
            let no_scopes: [&str; 0] = [];
            let ways = ["token", "session"].map(|way| SecurityRequirement::new(way, no_scopes));
            operation.security = Some(ways.into());
            problems.extend([("401", "Nobody is signed in"), ("403", "Not allowed"), ("404", "Not found")]);
        }
    }
    if let Needs::Permission(permission) = needs {
        let extensions = operation.extensions.get_or_insert_default();
        extensions.merge(ExtensionsBuilder::new().add("x-permission", permission.as_str()).build());
    }
    for (status, description) in problems {
        let response = ResponseBuilder::new().description(description).content("application/problem+json", problem());
        operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(response.build()));
    }
}

/// The body of every error.
pub(crate) fn problem() -> Content {
    Content::new(Some(Ref::from_schema_name("Problem")))
}

/// Who sends the request, as far as it can be told.
#[derive(Debug, Clone)]
enum Caller {
    /// A program with a token that is valid.
    Token(Box<Actor>),
    /// A browser with a session that is valid.
    Session { actor: Box<Actor>, csrf: String, lacks_second_factor: bool },
    /// A token that is not valid.
    BadToken,
    /// Neither a token nor a session that is valid.
    Nobody,
}

/// Finds out who sends a request. Whether they may is decided at the route.
pub async fn identify(State(app): State<App>, ClientIp(ip): ClientIp, mut request: Request, next: Next) -> Response {
    match find_caller(&app, request.headers(), ip).await {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => error.into_response(),
    }
}

async fn find_caller(app: &App, headers: &HeaderMap, ip: IpAddr) -> ApiResult<Caller> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let actor = match token {
            Some(token) => app.authenticate(token).await?,
            None => None,
        };
        return Ok(actor.map_or(Caller::BadToken, |found| Caller::Token(at(found.actor, ip))));
    }
    let Some(secret) = session_secret(headers) else { return Ok(Caller::Nobody) };
    let found = app.authenticate(&secret).await?;
    Ok(found.map_or(Caller::Nobody, |found| Caller::Session {
        lacks_second_factor: found.lacks_second_factor,
        csrf: secrets::csrf_token(&secret, found.actor.workspace),
        actor: at(found.actor, ip),
    }))
}

/// Who it is, and from where.
fn at(actor: Actor, ip: IpAddr) -> Box<Actor> {
    Box::new(Actor { ip: Some(ip), ..actor })
}

/// The secret in the session cookie.
pub(crate) fn session_secret(headers: &HeaderMap) -> Option<String> {
    cookie_value(headers, SESSION_COOKIE)
}

/// What a cookie holds.
pub(crate) fn cookie_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(Cookie::split_parse)
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == name)
        .map(|cookie| cookie.value().to_owned())
}

async fn check(needs: Needs, request: Request, next: Next) -> Response {
    match allowed(needs, request.extensions(), request.method(), request.headers()) {
        Ok(_) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn allowed(needs: Needs, extensions: &Extensions, method: &Method, headers: &HeaderMap) -> ApiResult<Actor> {
    let actor = match extensions.get::<Caller>() {
        Some(Caller::Token(actor)) => actor,
        Some(Caller::Session { actor, csrf, lacks_second_factor }) => {
            if !is_harmless(method) && !has_csrf_token(headers, csrf) {
                return Err(ApiError::new(Code::CsrfTokenMismatch));
            }
            if *lacks_second_factor && needs != Needs::Anybody {
                return Err(ApiError::new(Code::SecondFactorRequired));
            }
            actor
        }
        Some(Caller::BadToken) => return Err(ApiError::new(Code::InvalidToken)),
        Some(Caller::Nobody) | None => return Err(ApiError::new(Code::NotSignedIn)),
    };
    match needs {
        Needs::Permission(permission) if !actor.role.may(permission) => {
            let detail = format!("the role {} lacks the permission {permission}", actor.role);
            Err(ApiError::new(Code::Forbidden).detail(detail))
        }
        Needs::Permission(_) | Needs::Somebody | Needs::Anybody | Needs::Nobody => Ok(Actor::clone(actor)),
    }
}

fn is_harmless(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

fn has_csrf_token(headers: &HeaderMap, expected: &str) -> bool {
    let sent = headers.get(CSRF_HEADER).map_or(&b""[..], |value| value.as_bytes());
    sent.ct_eq(expected.as_bytes()).into()
}

/// Whoever sends the request. Taking it is a check too, so that a handler can never see an actor that a route without
/// a guard let in.
#[derive(Debug, Clone)]
pub struct CurrentActor(pub Actor);

impl<S: Send + Sync> FromRequestParts<S> for CurrentActor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> ApiResult<Self> {
        // What more the route needs was checked on the way here.
        allowed(Needs::Anybody, &parts.extensions, &parts.method, &parts.headers).map(Self)
    }
}
