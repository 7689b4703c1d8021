//! `/v1/messaging/channels/{id}/sandbox`: the built-in phone and mailbox.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{ChannelId, ConversationId, LeadId, MessageId},
    messaging::{MessageChannel, Provider},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    messaging::sandbox::{self as engine, Answer},
};
use leadline_store::{
    channels,
    messages::sandbox::{self, Arrival, Device},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::message_templates::channel;
use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// What one phone or mailbox shows.
const MOST: i64 = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::PiiView, routes!(list_devices))
        .at(Permission::PiiView, routes!(list_arrivals))
        .at(Permission::MessagingSend, routes!(open))
        .at(Permission::MessagingSend, routes!(answer))
}

/// A phone or mailbox that got something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SandboxDeviceView {
    /// `whatsapp`, `sms` or `email`.
    #[schema(value_type = String)]
    kind: MessageChannel,
    /// Its phone number or e-mail address.
    address: String,
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    count: i64,
}

impl From<Device> for SandboxDeviceView {
    fn from(row: Device) -> Self {
        let Device { kind, address, last_at, count } = row;
        Self { kind, address, last_at, count }
    }
}

/// The phones and mailboxes that got something lately, the latest first, at most 100
#[utoipa::path(get, path = "/v1/messaging/channels/{id}/sandbox", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = All<SandboxDeviceView>)))]
async fn list_devices(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
) -> ApiResult<Json<All<SandboxDeviceView>>> {
    demand_sandbox(&app, &actor, id).await?;
    let found = sandbox::list_devices(&app.reader, actor.workspace, id).await?;
    Ok(Json(All { data: found.into_iter().map(SandboxDeviceView::from).collect() }))
}

async fn demand_sandbox(app: &App, actor: &Actor, id: ChannelId) -> ApiResult<()> {
    let found = channels::find(&app.reader, actor.workspace, id).await?;
    found.filter(|channel| channel.provider == Provider::Sandbox).map(drop).ok_or_else(ApiError::not_found)
}

/// Something that arrived.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SandboxArrivalView {
    #[schema(value_type = Uuid)]
    message_id: MessageId,
    #[schema(value_type = String)]
    kind: MessageChannel,
    subject: Option<String>,
    body: String,
    html: Option<String>,
    /// What the sandbox plays with it: `deliver`, `bounce`, `never`, `late` or `break`.
    plays: String,
    /// How often it was handed over.
    times: i64,
    #[schema(value_type = String, format = DateTime)]
    arrived_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_at: Option<Timestamp>,
}

impl From<Arrival> for SandboxArrivalView {
    fn from(row: Arrival) -> Self {
        Self {
            message_id: row.message_id,
            kind: row.kind,
            subject: row.subject,
            body: row.body,
            html: row.body_html,
            plays: row.plan,
            times: row.times,
            arrived_at: row.arrived_at,
            opened_at: row.opened_at,
        }
    }
}

/// Whose phone or mailbox.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ArrivalQuery {
    /// The phone number or e-mail address; nothing has arrived where none is named.
    address: Option<String>,
}

/// What arrived at one phone or mailbox, newest first, at most 200
#[utoipa::path(get, path = "/v1/messaging/channels/{id}/sandbox/arrivals", tag = "messaging",
    params(("id" = Uuid, Path), ArrivalQuery), responses((status = 200, body = All<SandboxArrivalView>)))]
async fn list_arrivals(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
    Query(query): Query<ArrivalQuery>,
) -> ApiResult<Json<All<SandboxArrivalView>>> {
    demand_sandbox(&app, &actor, id).await?;
    let address = query.address.unwrap_or_default().replace('\0', "");
    let found = sandbox::list_at(&app.reader, actor.workspace, id, &address, MOST).await?;
    Ok(Json(All { data: found.into_iter().map(SandboxArrivalView::from).collect() }))
}

/// Which phone or mailbox is opened.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SandboxOpenRequest {
    address: String,
}

/// Opens a phone or mailbox: what arrived there counts as read
#[utoipa::path(post, path = "/v1/messaging/channels/{id}/sandbox/open", tag = "messaging",
    params(("id" = Uuid, Path)), request_body = SandboxOpenRequest, responses((status = 204)))]
async fn open(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
    Json(request): Json<SandboxOpenRequest>,
) -> ApiResult<StatusCode> {
    engine::open(&app.engine, &actor, id, &request.address.replace('\0', "")).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What somebody says from a phone or mailbox.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SandboxAnswerRequest {
    /// `whatsapp`, `sms` or `email`.
    channel: String,
    /// From which phone number or e-mail address.
    address: String,
    /// 1 to 5,000 characters.
    text: String,
}

/// Where what was said is now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SandboxAnswerView {
    #[schema(value_type = Uuid)]
    message_id: MessageId,
    #[schema(value_type = Uuid)]
    conversation_id: ConversationId,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
}

/// Answers from a phone or mailbox, as the person behind a lead would
#[utoipa::path(post, path = "/v1/messaging/channels/{id}/sandbox/answers", tag = "messaging",
    params(("id" = Uuid, Path)), request_body = SandboxAnswerRequest, responses((status = 200, body = SandboxAnswerView)))]
async fn answer(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
    Json(request): Json<SandboxAnswerRequest>,
) -> ApiResult<Json<SandboxAnswerView>> {
    let said = Answer { kind: channel(&request.channel)?, address: request.address, text: request.text };
    let arrived = engine::answer(&app.engine, &actor, id, &said).await?;
    Ok(Json(SandboxAnswerView {
        message_id: arrived.message,
        conversation_id: arrived.conversation,
        lead_id: arrived.lead,
    }))
}
