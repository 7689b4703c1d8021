//! `/v1/identity/lead-webhooks`: inbound webhooks.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    fields::FieldMapping,
    ids::{ProjectId, SourceId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    capture::inbound::SECRET_HEADER,
    sources::{self, Reception, WebhookChange},
};
use leadline_store::sources::{self as stored, Source};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
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
        .at(Permission::SourcesManage, routes!(regenerate_key))
}

/// An inbound webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WebhookView {
    #[schema(value_type = Uuid)]
    id: SourceId,
    name: String,
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    /// The secret part of its address.
    api_key: String,
    /// Where to post to.
    url: String,
    /// Incoming field to core field.
    field_mapping: BTreeMap<String, String>,
    /// `auto`, or the one format that is expected.
    format: String,
    /// What senders must prove beside the key: `none`, `signature` or `header`.
    proof: String,
    /// The header that holds the secret, where that is the proof.
    secret_header: String,
    /// Whether there is a secret: what signatures are keyed by, what the header holds, or Google's key.
    has_secret: bool,
    /// Whether there is a token for Facebook's handshake.
    has_verify_token: bool,
    /// Whether there is a token for fetching leads from Facebook.
    has_access_token: bool,
    /// The origins that may send; empty for any.
    allowed_origins: Vec<String>,
    received_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_received_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

fn view(app: &App, webhook: Source) -> WebhookView {
    let named = |name: &str, default: &str| {
        webhook.settings.get(name).and_then(serde_json::Value::as_str).unwrap_or(default).to_owned()
    };
    let has = |name: &str| webhook.settings.get(name).is_some_and(serde_json::Value::is_string);
    let origins = webhook.settings.get("allowedOrigins").cloned().unwrap_or_default();
    let mapping = webhook.settings.get("fieldMapping").cloned().unwrap_or_default();
    WebhookView {
        id: webhook.id,
        project_id: webhook.project_id,
        url: format!("{}/webhooks/leads/{}", app.engine.options.public_url, webhook.key),
        field_mapping: serde_json::from_value(mapping).unwrap_or_default(),
        format: named("format", "auto"),
        proof: named("proof", "none"),
        secret_header: named("secretHeader", SECRET_HEADER),
        has_secret: has("secretSealed"),
        has_verify_token: has("verifyTokenSealed"),
        has_access_token: has("accessTokenSealed"),
        allowed_origins: serde_json::from_value(origins).unwrap_or_default(),
        received_count: webhook.received_count,
        last_received_at: webhook.last_received_at,
        created_at: webhook.created_at,
        name: webhook.name,
        api_key: webhook.key,
    }
}

/// All inbound webhooks.
#[derive(Debug, Serialize, ToSchema)]
struct WebhookList {
    data: Vec<WebhookView>,
}

/// A new inbound webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewWebhook {
    /// 1 to 120 characters.
    name: String,
    /// Where its leads go; the first project where none is named.
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Incoming field to name, email, phone, company, title, message, project, quotable, quote_value or sales_value.
    field_mapping: Option<BTreeMap<String, String>>,
    /// `auto` (default), `whatconverts`, `facebook`, `google`, `typeform`, `hubspot`, `jotform`, `webflow`, `elementor`,
    /// `unbounce`, `tally`, `calendly`, `gravity` or `generic`.
    format: Option<String>,
    /// `none` (default), `signature` (the format's own, or Google's key) or `header`.
    proof: Option<String>,
    /// What signatures are keyed by, what the header holds, or Google's key; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    secret: Option<Option<String>>,
    /// The header that holds the secret; `x-webhook-secret` where none is named.
    secret_header: Option<String>,
    /// What Facebook sends in its handshake; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    verify_token: Option<Option<String>>,
    /// Facebook's token for the page; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    access_token: Option<Option<String>>,
    /// The origins that may send; empty for any.
    allowed_origins: Option<Vec<String>>,
}

/// What is to change about an inbound webhook.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WebhookPatch {
    name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    field_mapping: Option<BTreeMap<String, String>>,
    /// `auto` (default), `whatconverts`, `facebook`, `google`, `typeform`, `hubspot`, `jotform`, `webflow`, `elementor`,
    /// `unbounce`, `tally`, `calendly`, `gravity` or `generic`.
    format: Option<String>,
    /// `none` (default), `signature` (the format's own, or Google's key) or `header`.
    proof: Option<String>,
    /// What signatures are keyed by, what the header holds, or Google's key; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    secret: Option<Option<String>>,
    /// The header that holds the secret; `x-webhook-secret` where none is named.
    secret_header: Option<String>,
    /// What Facebook sends in its handshake; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    verify_token: Option<Option<String>>,
    /// Facebook's token for the page; null takes it away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    access_token: Option<Option<String>>,
    /// The origins that may send; empty for any.
    allowed_origins: Option<Vec<String>>,
}

/// Lists the inbound webhooks, newest first
#[utoipa::path(get, path = "/v1/identity/lead-webhooks", tag = "identity",
    responses((status = 200, body = WebhookList)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<WebhookList>> {
    let webhooks = stored::list(&app.engine.store.reader(), actor.workspace, "webhook").await?;
    Ok(Json(WebhookList { data: webhooks.into_iter().map(|webhook| view(&app, webhook)).collect() }))
}

/// Makes an inbound webhook
#[utoipa::path(post, path = "/v1/identity/lead-webhooks", tag = "identity", request_body = NewWebhook,
    responses((status = 200, body = WebhookView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewWebhook>,
) -> ApiResult<Json<WebhookView>> {
    let change = WebhookChange {
        name: Some(request.name),
        project: request.project_id,
        field_mapping: request.field_mapping.map(FieldMapping),
        reception: Reception {
            format: request.format,
            proof: request.proof,
            secret: request.secret,
            secret_header: request.secret_header,
            verify_token: request.verify_token,
            access_token: request.access_token,
            allowed_origins: request.allowed_origins,
        },
        regenerate_key: false,
    };
    let webhook = sources::create_webhook(&app.engine, &actor, change).await?;
    Ok(Json(view(&app, webhook)))
}

/// Changes an inbound webhook
#[utoipa::path(patch, path = "/v1/identity/lead-webhooks/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = WebhookPatch, responses((status = 200, body = WebhookView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
    Json(request): Json<WebhookPatch>,
) -> ApiResult<Json<WebhookView>> {
    let change = WebhookChange {
        name: request.name,
        project: request.project_id,
        field_mapping: request.field_mapping.map(FieldMapping),
        reception: Reception {
            format: request.format,
            proof: request.proof,
            secret: request.secret,
            secret_header: request.secret_header,
            verify_token: request.verify_token,
            access_token: request.access_token,
            allowed_origins: request.allowed_origins,
        },
        regenerate_key: false,
    };
    let webhook = sources::update_webhook(&app.engine, &actor, id, change).await?;
    Ok(Json(view(&app, webhook)))
}

/// Deletes an inbound webhook; its address stops, its leads stay
#[utoipa::path(delete, path = "/v1/identity/lead-webhooks/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<StatusCode> {
    sources::delete(&app.engine, &actor, "webhook", id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives an inbound webhook a new key; the old address stops at once
#[utoipa::path(post, path = "/v1/identity/lead-webhooks/{id}/regenerate-key", tag = "identity",
    params(("id" = Uuid, Path)), responses((status = 200, body = WebhookView)))]
async fn regenerate_key(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SourceId>,
) -> ApiResult<Json<WebhookView>> {
    let change = WebhookChange { regenerate_key: true, ..WebhookChange::default() };
    let webhook = sources::update_webhook(&app.engine, &actor, id, change).await?;
    Ok(Json(view(&app, webhook)))
}
