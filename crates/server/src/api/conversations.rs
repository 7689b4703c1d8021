//! `/v1/messaging/conversations`: the threads of a lead or a contact, and what was said in them.

use axum::extract::State;
use leadline_domain::{
    ids::{ContactId, ConversationId, LeadId, MessageId, SourceId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_store::conversations::{self, Conversation, Message};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::masking::Sight,
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// A lead has few conversations; whoever sends hundreds is shown the latest.
const MOST: i64 = 50;

/// The latest messages of a thread.
const MOST_MESSAGES: i64 = 500;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(list)).at(Permission::LeadsView, routes!(get))
}

/// A conversation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConversationView {
    #[schema(value_type = Uuid)]
    id: ConversationId,
    /// Null for a chat that has named nobody yet.
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    #[schema(value_type = Option<Uuid>)]
    contact_id: Option<ContactId>,
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    source_name: Option<String>,
    /// `whatsapp` or `chat`.
    channel: String,
    /// `open`, `in_progress` or `completed`.
    state: String,
    /// The code in the visitor's first WhatsApp message.
    reference: Option<String>,
    /// The chat's id, as its sender calls it.
    external_id: Option<String>,
    tags: Vec<String>,
    message_count: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_message_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    completed_at: Option<Timestamp>,
}

impl From<Conversation> for ConversationView {
    fn from(row: Conversation) -> Self {
        Self {
            id: row.id,
            lead_id: row.lead_id,
            contact_id: row.contact_id,
            source_id: row.source_id,
            source_name: row.source_name,
            channel: row.channel,
            state: row.state,
            reference: row.reference,
            external_id: row.external_id,
            tags: row.tags,
            message_count: row.message_count,
            created_at: row.created_at,
            last_message_at: row.last_message_at,
            completed_at: row.completed_at,
        }
    }
}

/// A message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageView {
    #[schema(value_type = Uuid)]
    id: MessageId,
    /// `inbound` from the visitor, `outbound` to them.
    direction: String,
    /// `visitor`, `agent` or `bot`.
    author: String,
    /// Hidden without `pii:view`.
    body: String,
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
}

impl MessageView {
    fn new(message: Message, sight: Sight) -> Self {
        Self {
            id: message.id,
            direction: message.direction,
            author: message.author,
            body: sight.text(Some(message.body)).unwrap_or_default(),
            sent_at: message.sent_at,
        }
    }
}

/// A conversation with its latest messages.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConversationDetail {
    #[serde(flatten)]
    conversation: ConversationView,
    /// Oldest first, at most the latest 500.
    messages: Vec<MessageView>,
}

/// Conversations.
#[derive(Debug, Serialize, ToSchema)]
struct ConversationList {
    data: Vec<ConversationView>,
}

/// Whose conversations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Those of this lead.
    #[param(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// Those of this contact and its leads.
    #[param(value_type = Option<Uuid>)]
    contact_id: Option<ContactId>,
}

/// The conversations of a lead or a contact, newest first, at most 50
#[utoipa::path(get, path = "/v1/messaging/conversations", tag = "messaging", params(Asked),
    responses((status = 200, body = ConversationList)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(asked): Query<Asked>,
) -> ApiResult<Json<ConversationList>> {
    let found = match (asked.lead_id, asked.contact_id) {
        (Some(lead), None) => conversations::list_of_lead(&app.reader, actor.workspace, lead, MOST).await?,
        (None, Some(contact)) => conversations::list_of_contact(&app.reader, actor.workspace, contact, MOST).await?,
        (None, None) | (Some(_), Some(_)) => {
            return Err(ApiError::field("/leadId", "name a lead or a contact, and not both"));
        }
    };
    Ok(Json(ConversationList { data: found.into_iter().map(ConversationView::from).collect() }))
}

/// One conversation with its messages
#[utoipa::path(get, path = "/v1/messaging/conversations/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = ConversationDetail)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ConversationId>,
) -> ApiResult<Json<ConversationDetail>> {
    let found = conversations::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let messages = conversations::messages(&app.reader, actor.workspace, id, MOST_MESSAGES).await?;
    let sight = Sight::of(&actor);
    let messages = messages.into_iter().map(|message| MessageView::new(message, sight)).collect();
    Ok(Json(ConversationDetail { conversation: found.into(), messages }))
}
