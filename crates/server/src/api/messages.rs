//! `/v1/messaging/messages`: what was sent and what came in, and how it fares; and sending to leads that somebody chose.

use axum::extract::State;
use leadline_domain::{
    ids::{AudienceId, CauseId, ChannelId, ContactId, ConversationId, LeadId, MessageId, MessageTemplateId},
    messaging::Status,
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::messaging::{
    audiences as audience_engine,
    quick_send::{self, Outcome, QuickSend},
};
use leadline_store::{
    audiences::{self, Audience},
    messages::list::{self as stored, Listed, MessageFilter},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::{
    attachments::{self, AttachmentView},
    message_templates::channel,
};
use crate::{
    api::{
        masking::Sight,
        views::{All, PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::MessagingSend, routes!(quick_send_to_leads))
        .at(Permission::MessagingSend, routes!(create_audience))
        .at(Permission::LeadsView, routes!(list_audiences))
}

/// A message that went out or came in by a channel, or a note in a conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SentMessageView {
    #[schema(value_type = Uuid)]
    id: MessageId,
    #[schema(value_type = Uuid)]
    conversation_id: ConversationId,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    lead_name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<ContactId>,
    /// `inbound`, `outbound`, or `note` for what the team keeps for itself.
    direction: String,
    /// `visitor`, `agent` or `bot`.
    author: String,
    author_name: Option<String>,
    /// `whatsapp`, `sms` or `email`; null for what was said in a chat.
    channel: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    channel_name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    template_name: Option<String>,
    /// To or from which number or address.
    address: Option<String>,
    subject: Option<String>,
    body: String,
    /// Of e-mail that came in: the history below it.
    quoted: Option<String>,
    /// Whether a program wrote it, such as an absence note.
    is_automatic: bool,
    /// Its files.
    attachments: Vec<AttachmentView>,
    /// `queued`, `sending`, `unknown`, `sent`, `failed`, `delivered`, `read` or `skipped`; `received` for what came in.
    status: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    status_at: Option<Timestamp>,
    /// Why it failed, was skipped, or nobody knows: a stable name, or the provider's number.
    error_code: Option<String>,
    error: Option<String>,
    /// What the provider calls it.
    provider_id: Option<String>,
    /// `user`, `automation` or `campaign`.
    cause_kind: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    cause_id: Option<CauseId>,
    step: Option<i64>,
    attempt_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    due_at: Option<Timestamp>,
    /// When it was said: its place in the conversation.
    #[schema(value_type = String, format = DateTime)]
    said_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    failed_at: Option<Timestamp>,
    /// The advertisement that was clicked before somebody wrote.
    #[schema(value_type = Option<Object>)]
    referral: Option<Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl SentMessageView {
    pub(super) fn new(row: Listed, attachments: Vec<AttachmentView>, sight: Sight) -> Self {
        let is_letter = row.address.as_deref().is_some_and(|address| address.contains('@'));
        let address = if is_letter { sight.email(row.address) } else { sight.phone(row.address) };
        Self {
            id: row.id,
            conversation_id: row.conversation_id,
            lead_id: row.lead_id,
            lead_name: row.lead_name.map(|name| sight.name(name)),
            contact_id: row.contact_id,
            author_name: if row.direction == "inbound" {
                row.author_name.map(|name| sight.name(name))
            } else {
                row.author_name
            },
            direction: row.direction,
            author: row.author,
            channel: row.kind,
            channel_id: row.channel_id,
            channel_name: row.channel_name,
            template_id: row.template_id,
            template_name: row.template_name,
            address,
            subject: sight.text(row.subject),
            body: sight.text(Some(row.body)).unwrap_or_default(),
            quoted: sight.text(row.quoted),
            is_automatic: row.is_automatic,
            attachments,
            status: row.status,
            status_at: row.status_at,
            error_code: row.error_code,
            // Providers quote numbers in what they say.
            error: sight.text(row.error_message),
            provider_id: sight.identifier(row.provider_id),
            cause_kind: row.cause_kind,
            cause_id: row.cause_id,
            step: row.cause_step,
            attempt_count: row.attempt_count,
            due_at: row.due_at,
            said_at: row.said_at,
            sent_at: row.accepted_at,
            delivered_at: row.delivered_at,
            read_at: row.read_at,
            failed_at: row.failed_at,
            referral: if sight.is_masked() { None } else { row.referral },
            created_at: row.created_at,
        }
    }
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct MessageQuery {
    /// To or from this lead.
    #[param(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// In this conversation, with the team's notes.
    #[param(value_type = Option<Uuid>)]
    conversation_id: Option<ConversationId>,
    /// That this run, campaign or act caused.
    #[param(value_type = Option<Uuid>)]
    cause_id: Option<CauseId>,
    /// By this channel.
    #[param(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    /// That fare like this.
    status: Option<String>,
    page: Option<i64>,
    limit: Option<i64>,
}

/// Messages, newest first
#[utoipa::path(get, path = "/v1/messaging/messages", tag = "messaging", params(MessageQuery),
    responses((status = 200, body = Paged<SentMessageView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<MessageQuery>,
) -> ApiResult<Json<Paged<SentMessageView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    if query.status.as_deref().is_some_and(|name| name != "received" && Status::parse(name).is_none()) {
        return Err(ApiError::field("/status", "is no status of messages"));
    }
    let filter = MessageFilter {
        lead: query.lead_id,
        conversation: query.conversation_id,
        cause: query.cause_id,
        channel: query.channel_id,
        status: query.status,
    };
    let found = stored::list(&app.reader, actor.workspace, &filter, (window.limit, window.offset())).await?;
    let sight = Sight::of(&actor);
    let ids: Vec<MessageId> = found.rows.iter().map(|row| row.id).collect();
    let mut files = attachments::views_of(&app, actor.workspace, &ids, sight).await?;
    Ok(Json(window.paged(found, |row| {
        let own = files.remove(&row.id).unwrap_or_default();
        SentMessageView::new(row, own, sight)
    })))
}

/// One message
#[utoipa::path(get, path = "/v1/messaging/messages/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = SentMessageView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MessageId>,
) -> ApiResult<Json<SentMessageView>> {
    shown(&app, &actor, id).await
}

/// One message with its files, as an actor sees it.
pub(super) async fn shown(
    app: &App,
    actor: &leadline_engine::Actor,
    id: MessageId,
) -> ApiResult<Json<SentMessageView>> {
    let found = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let sight = Sight::of(actor);
    let mut files = attachments::views_of(app, actor.workspace, &[id], sight).await?;
    Ok(Json(SentMessageView::new(found, files.remove(&id).unwrap_or_default(), sight)))
}

/// A message to leads that somebody chose.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct QuickSendRequest {
    /// At most 1,000.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 1_000)]
    lead_ids: Vec<LeadId>,
    /// `whatsapp`, `sms` or `email`.
    #[schema(example = "sms")]
    channel: String,
    /// What it says, with placeholders such as `{{firstName}}`. Or name a template.
    message: Option<String>,
    /// Of e-mail, where it is made of no template.
    subject: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    /// By this channel; the workspace's own choice where none is named.
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    /// Names the request: sent twice, it is carried out once.
    request_id: Option<Uuid>,
}

/// What became of one lead.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct QuickSendResult {
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    /// `queued` or `skipped`.
    status: &'static str,
    /// The message that waits to be sent.
    #[schema(value_type = Option<Uuid>)]
    message_id: Option<MessageId>,
    /// Why none was made: a stable name.
    code: Option<&'static str>,
    /// The same in words.
    reason: Option<String>,
}

impl From<Outcome> for QuickSendResult {
    fn from(outcome: Outcome) -> Self {
        let skip = outcome.result.err();
        Self {
            lead_id: outcome.lead,
            status: if skip.is_none() { "queued" } else { "skipped" },
            message_id: outcome.result.ok(),
            code: skip.map(leadline_domain::messaging::sending::Skip::code),
            reason: skip.map(|skip| skip.to_string()),
        }
    }
}

/// What became of each lead.
#[derive(Debug, Serialize, ToSchema)]
struct QuickSendView {
    queued: usize,
    skipped: usize,
    results: Vec<QuickSendResult>,
}

/// Sends a message to leads
///
/// Each lead needs what the channel goes by: a phone number, or an e-mail address. Whoever has none is skipped, with
/// the reason; the others' messages are sent at once.
#[utoipa::path(post, path = "/v1/identity/leads/broadcast/quick-send", tag = "identity",
    request_body = QuickSendRequest, responses((status = 200, body = QuickSendView)))]
async fn quick_send_to_leads(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<QuickSendRequest>,
) -> ApiResult<Json<QuickSendView>> {
    let quick = QuickSend {
        leads: request.lead_ids,
        kind: channel(&request.channel)?,
        channel: request.channel_id,
        template: request.template_id,
        subject: request.subject,
        text: request.message,
        request: request.request_id,
    };
    let outcomes = quick_send::send(&app.engine, &actor, &quick).await?;
    let queued = outcomes.iter().filter(|outcome| outcome.result.is_ok()).count();
    let skipped = outcomes.len() - queued;
    let results = outcomes.into_iter().map(QuickSendResult::from).collect();
    Ok(Json(QuickSendView { queued, skipped, results }))
}

/// An audience of leads that somebody chose.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AudienceView {
    #[schema(value_type = Uuid)]
    id: AudienceId,
    name: String,
    member_count: i64,
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<Audience> for AudienceView {
    fn from(row: Audience) -> Self {
        let Audience { id, workspace_id: _, name, made_by, member_count, created_at } = row;
        Self { id, name, member_count, made_by, created_at }
    }
}

/// Leads that are to be an audience.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AudienceRequest {
    /// 1 to 120 characters.
    name: String,
    /// At most 10,000.
    #[schema(value_type = Vec<Uuid>, min_items = 1, max_items = 10_000)]
    lead_ids: Vec<LeadId>,
}

/// Makes an audience of leads
#[utoipa::path(post, path = "/v1/identity/leads/broadcast/create-audience", tag = "identity",
    request_body = AudienceRequest, responses((status = 200, body = AudienceView)))]
async fn create_audience(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<AudienceRequest>,
) -> ApiResult<Json<AudienceView>> {
    let made = audience_engine::create(&app.engine, &actor, &request.name, &request.lead_ids).await?;
    Ok(Json(made.into()))
}

/// The audiences of the workspace, newest first
#[utoipa::path(get, path = "/v1/messaging/audiences", tag = "messaging",
    responses((status = 200, body = All<AudienceView>)))]
async fn list_audiences(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<AudienceView>>> {
    let found = audiences::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: found.into_iter().map(AudienceView::from).collect() }))
}
