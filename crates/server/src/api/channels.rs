//! `/v1/messaging/channels`: the accounts by which messages go out and come in. Secrets go in and never come out.

use std::collections::BTreeMap;

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::ChannelId,
    messaging::{MessageChannel, Provider},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::messaging::{
    MessagingError,
    channels::{self as engine, Field, Wish},
};
use leadline_store::channels::{self, Channel};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::MessagingSend, routes!(list))
        .at(Permission::SettingsManage, routes!(create))
        .at(Permission::SettingsView, routes!(list_kinds))
        .at(Permission::MessagingSend, routes!(get))
        .at(Permission::SettingsManage, routes!(update))
        .at(Permission::SettingsManage, routes!(delete))
        .at(Permission::SettingsManage, routes!(test))
}

/// A channel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelView {
    #[schema(value_type = Uuid)]
    id: ChannelId,
    /// `sandbox`, `whatsapp`, `twilio`, `sms_http` or `smtp`.
    #[schema(value_type = String)]
    kind: Provider,
    name: String,
    /// Which messages it carries: `whatsapp`, `sms`, `email`.
    #[schema(value_type = Vec<String>)]
    carries: Vec<MessageChannel>,
    /// What it needs to know that is no secret.
    #[schema(value_type = Object)]
    settings: Map<String, Value>,
    /// The end of each secret, by its name.
    #[schema(value_type = Object)]
    credentials: Map<String, Value>,
    is_active: bool,
    /// How many messages it may send in a minute; 0 for as many as there are.
    per_minute: i64,
    /// How many it sends at the same time.
    max_in_flight: i64,
    /// Where its provider calls back; null where none does.
    callback_url: Option<String>,
    /// Where mails that come in may be posted; null where the channel takes none.
    inbound_url: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_sent_at: Option<Timestamp>,
    /// What went wrong last; null once a message was taken after it.
    last_error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_error_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_callback_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl ChannelView {
    fn new(channel: Channel, app: &App) -> Self {
        let calls_back = matches!(channel.provider, Provider::Whatsapp | Provider::Twilio | Provider::SmsHttp);
        let callback = format!("{}/channels/{}/callback", app.engine.options.public_url, channel.id);
        let takes_mail = channel.provider == Provider::Smtp && channel.credential_hints.contains_key("inboundToken");
        Self {
            id: channel.id,
            kind: channel.provider,
            name: channel.name,
            carries: channel.provider.carries().to_vec(),
            settings: channel.settings,
            credentials: channel.credential_hints,
            is_active: channel.is_active,
            per_minute: channel.per_minute,
            max_in_flight: channel.max_in_flight,
            callback_url: calls_back.then_some(callback),
            inbound_url: takes_mail.then(|| format!("{}/channels/{}/mail", app.engine.options.public_url, channel.id)),
            last_sent_at: channel.last_sent_at,
            last_error: channel.last_error,
            last_error_at: channel.last_error_at,
            last_callback_at: channel.last_callback_at,
            created_at: channel.created_at,
            updated_at: channel.updated_at,
        }
    }
}

/// The channels of the workspace, oldest first
#[utoipa::path(get, path = "/v1/messaging/channels", tag = "messaging",
    responses((status = 200, body = All<ChannelView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<ChannelView>>> {
    let found = channels::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: found.into_iter().map(|channel| ChannelView::new(channel, &app)).collect() }))
}

/// What a kind of channel wants to know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelKindView {
    #[schema(value_type = String)]
    kind: Provider,
    #[schema(value_type = Vec<String>)]
    carries: Vec<MessageChannel>,
    fields: Vec<ChannelFieldView>,
}

/// One thing that a kind of channel wants to know.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelFieldView {
    name: &'static str,
    /// Whether it belongs into `credentials`; else it belongs into `settings`.
    is_secret: bool,
    is_required: bool,
    default: Option<&'static str>,
}

impl From<&Field> for ChannelFieldView {
    fn from(field: &Field) -> Self {
        let Field { name, is_secret, is_required, default, .. } = *field;
        Self { name, is_secret, is_required, default }
    }
}

/// What each kind of channel wants to know
#[utoipa::path(get, path = "/v1/messaging/channel-kinds", tag = "messaging",
    responses((status = 200, body = All<ChannelKindView>)))]
async fn list_kinds(CurrentActor(_): CurrentActor) -> Json<All<ChannelKindView>> {
    let view = |kind: Provider| ChannelKindView {
        kind,
        carries: kind.carries().to_vec(),
        fields: engine::fields(kind).iter().map(ChannelFieldView::from).collect(),
    };
    Json(All { data: Provider::ALL.map(view).into() })
}

/// A new channel.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChannelRequest {
    /// `sandbox`, `whatsapp`, `twilio`, `sms_http` or `smtp`.
    #[schema(example = "sandbox")]
    kind: String,
    /// 1 to 120 characters.
    name: String,
    is_active: Option<bool>,
    /// 0 to 600,000; 0 for as many as there are.
    per_minute: Option<i64>,
    /// 1 to 100.
    max_in_flight: Option<i64>,
    /// What its kind wants to know, as `channel-kinds` tells; null takes something away.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Option<String>>,
    /// Secrets that its kind wants to know; null takes one away. They are never told again.
    #[serde(default)]
    #[schema(value_type = Object)]
    credentials: BTreeMap<String, Option<String>>,
}

/// What a channel is to be; what is absent stays as it is.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChannelWish {
    /// 1 to 120 characters.
    name: Option<String>,
    is_active: Option<bool>,
    /// 0 to 600,000; 0 for as many as there are.
    per_minute: Option<i64>,
    /// 1 to 100.
    max_in_flight: Option<i64>,
    /// What its kind wants to know, as `channel-kinds` tells; null takes something away.
    #[serde(default)]
    #[schema(value_type = Object)]
    settings: BTreeMap<String, Option<String>>,
    /// Secrets that its kind wants to know; null takes one away. They are never told again.
    #[serde(default)]
    #[schema(value_type = Object)]
    credentials: BTreeMap<String, Option<String>>,
}

impl From<ChannelWish> for Wish {
    fn from(wish: ChannelWish) -> Self {
        let ChannelWish { name, is_active, per_minute, max_in_flight, settings, credentials } = wish;
        Self { name, is_active, per_minute, max_in_flight, settings, credentials }
    }
}

/// Makes a channel
///
/// A sandbox needs nothing but a name: what is sent by it arrives at a phone and a mailbox inside Leadline.
#[utoipa::path(post, path = "/v1/messaging/channels", tag = "messaging", request_body = ChannelRequest,
    responses((status = 200, body = ChannelView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<ChannelRequest>,
) -> ApiResult<Json<ChannelView>> {
    let Some(provider) = Provider::parse(&request.kind) else {
        return Err(ApiError::field("/kind", "must be sandbox, whatsapp, twilio, sms_http or smtp"));
    };
    let ChannelRequest { kind: _, name, is_active, per_minute, max_in_flight, settings, credentials } = request;
    let wish = Wish { name: Some(name), is_active, per_minute, max_in_flight, settings, credentials };
    let channel = engine::create(&app.engine, &actor, provider, &wish).await?;
    Ok(Json(ChannelView::new(channel, &app)))
}

/// One channel
#[utoipa::path(get, path = "/v1/messaging/channels/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = ChannelView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
) -> ApiResult<Json<ChannelView>> {
    let found = channels::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(ChannelView::new(found, &app)))
}

/// Changes a channel; its kind stays
#[utoipa::path(patch, path = "/v1/messaging/channels/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    request_body = ChannelWish, responses((status = 200, body = ChannelView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
    Json(wish): Json<ChannelWish>,
) -> ApiResult<Json<ChannelView>> {
    let channel = engine::update(&app.engine, &actor, id, &wish.into()).await?;
    Ok(Json(ChannelView::new(channel, &app)))
}

/// Deletes a channel and its secrets; what waits for it is not sent
#[utoipa::path(delete, path = "/v1/messaging/channels/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
) -> ApiResult<StatusCode> {
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a test of a channel showed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChannelTestView {
    /// Whether it can be used.
    is_good: bool,
    /// What was found, in a sentence.
    detail: String,
}

/// Asks the channel's provider whether it can be used; nothing is sent to anybody
#[utoipa::path(post, path = "/v1/messaging/channels/{id}/test", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = ChannelTestView)))]
async fn test(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
) -> ApiResult<Json<ChannelTestView>> {
    let tested = engine::test(&app.engine, &actor, id).await?;
    Ok(Json(ChannelTestView { is_good: tested.is_good, detail: tested.detail }))
}

impl From<MessagingError> for ApiError {
    fn from(error: MessagingError) -> Self {
        match error {
            MessagingError::NotFound => Self::not_found(),
            MessagingError::Conflict(detail) => Self::new(Code::Conflict).detail(detail),
            MessagingError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
            MessagingError::Sealed(error) => Self::internal(&error),
            MessagingError::Internal(error) => error.into(),
        }
    }
}
