//! The API's description, a page to read and try it, and a page of every error code. All of it works offline.

use std::{fmt::Write as _, sync::Arc};

use axum::{
    Router,
    extract::State,
    response::{Html, IntoResponse, Redirect, Response},
    routing::get,
};
use bytes::Bytes;
use http::{HeaderValue, header};
use utoipa::{
    ToSchema,
    openapi::{
        ComponentsBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::Config;

use crate::{
    app::App,
    error::{ApiError, Code, ConflictView, FieldError, Problem},
    extract::Path,
    guard::SESSION_COOKIE,
};

mod operations;

/// Swagger UI writes styles into the page; its scripts are files.
const DOCS_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' \
     data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
);

/// Takes the routes of the API and of the ways in apart into what answers and what describes.
pub(crate) fn describe(api: OpenApiRouter<App>, public: OpenApiRouter<App>) -> (Router<App>, Router<App>, OpenApi) {
    let (api, api_described) = api.split_for_parts();
    let (public, public_described) = public.split_for_parts();
    let info = InfoBuilder::new()
        .title("Leadline")
        .description(Some(
            "Leads in, leads out. Errors are `application/problem+json`; `/docs/errors` lists the codes.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").build()));
    let mut whole = OpenApiBuilder::new().info(info.build()).components(Some(components().build())).build();
    whole.merge(public_described);
    whole.merge(api_described);
    operations::complete(&mut whole);
    (api, public, whole)
}

fn components() -> ComponentsBuilder {
    let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("A token of /v1/admin/tokens"));
    let session = ApiKeyValue::with_description(SESSION_COOKIE, "Changes need the header X-CSRF-Token as well");
    let mut schemas = vec![(Problem::name().into_owned(), <Problem as utoipa::PartialSchema>::schema())];
    schemas.push((FieldError::name().into_owned(), <FieldError as utoipa::PartialSchema>::schema()));
    schemas.push((ConflictView::name().into_owned(), <ConflictView as utoipa::PartialSchema>::schema()));
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .security_scheme("token", SecurityScheme::Http(token.build()))
        .security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)))
}

/// The description of every route, as `/openapi.json` answers it.
#[must_use]
pub fn openapi_json() -> String {
    json(&describe(crate::api::routes(), crate::public::routes()).2)
}

fn json(document: &OpenApi) -> String {
    document.to_pretty_json().expect("a description is plain data") + "\n"
}

/// What the routes below answer with.
#[derive(Clone)]
struct Docs {
    document: Bytes,
    config: Arc<Config<'static>>,
}

pub(crate) fn routes(document: &OpenApi) -> Router<App> {
    let document = json(document).into();
    let docs = Docs { document, config: Arc::new(Config::new(["/openapi.json"]).persist_authorization(false)) };
    Router::new()
        .route("/openapi.json", get(description))
        .route("/docs", get(|| async { Redirect::to("/docs/") }))
        .route("/docs/", get(|docs: State<Docs>| docs_file(docs, Path(String::new()))))
        .route("/docs/errors", get(errors_page))
        .route("/docs/{*file}", get(docs_file))
        .with_state(docs)
}

async fn description(State(docs): State<Docs>) -> Response {
    ([(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-cache")], docs.document).into_response()
}

async fn docs_file(State(docs): State<Docs>, Path(path): Path<String>) -> Result<Response, ApiError> {
    let found = utoipa_swagger_ui::serve(&path, docs.config).ok().flatten().ok_or(ApiError::not_found())?;
    let kind = HeaderValue::from_str(&found.content_type).unwrap_or(HeaderValue::from_static("text/plain"));
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, DOCS_POLICY),
        (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600")),
    ];
    Ok((headers, found.bytes.into_owned()).into_response())
}

async fn errors_page() -> Response {
    let mut rows = String::new();
    for code in Code::ALL {
        let (name, status, title) = (code.as_str(), code.status().as_u16(), code.title());
        // Writing to a string cannot fail.
        let _written =
            write!(rows, "<tr id=\"{name}\"><td><code>{name}</code><td>{status}<td>{title}<td>{}</tr>", code.meaning());
    }
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Errors of the API</title>\
         <meta name=\"viewport\" content=\"width=device-width\"><h1>Errors of the API</h1>\
         <table><thead><tr><th>Code<th>Status<th>Title<th>Meaning</tr></thead><tbody>{rows}</tbody></table></html>"
    );
    Html(page).into_response()
}
