//! `/v1/messaging/inbox`: conversations as those who answer see them, and what they do with them.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{AttachmentId, CannedReplyId, ChannelId, ConversationId, LeadId, MessageTemplateId, UserId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::messaging::inbox::{self as engine, Reply, Wish};
use leadline_store::{
    canned_replies::{self, CannedReply},
    conversations::inbox::{self, Entry, Folder, InboxFilter, Owner},
    leads::{self, LeadFilter, Search, SearchScope, SortBy, SortOrder},
    search::Terms,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::messages::{SentMessageView, shown};
use crate::{
    api::{
        masking::Sight,
        views::{All, PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query, present},
    guard::{CurrentActor, GuardedRoutes},
};

/// Leads whose conversations a search shows.
const MOST_LEADS: i64 = 200;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsView, routes!(count_unread))
        .at(Permission::MessagingSend, routes!(handle))
        .at(Permission::MessagingSend, routes!(add_note))
        .at(Permission::MessagingSend, routes!(reply))
        .at(Permission::MessagingSend, routes!(list_canned))
        .at(Permission::MessagingSend, routes!(save_canned))
        .at(Permission::MessagingSend, routes!(delete_canned))
}

/// A conversation in the inbox.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InboxEntry {
    #[schema(value_type = Uuid)]
    id: ConversationId,
    /// `whatsapp`, `sms`, `email` or `chat`.
    channel: String,
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    channel_name: Option<String>,
    /// Null where nobody knows who writes.
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    lead_name: Option<String>,
    address: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    assigned_to: Option<UserId>,
    assigned_name: Option<String>,
    unread_count: i64,
    message_count: i64,
    /// The beginning of what was said last.
    last_text: Option<String>,
    /// `inbound` or `outbound`.
    last_direction: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_message_at: Option<Timestamp>,
    /// When the person wrote last: by WhatsApp they can be answered freely for 24 hours.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_inbound_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
    tags: Vec<String>,
}

impl InboxEntry {
    fn new(row: Entry, sight: Sight) -> Self {
        let is_letter = row.channel == "email";
        Self {
            id: row.id,
            channel_id: row.channel_id,
            channel_name: row.channel_name,
            lead_id: row.lead_id,
            lead_name: row.lead_name.map(|name| sight.name(name)),
            address: if is_letter { sight.email(row.address) } else { sight.phone(row.address) },
            channel: row.channel,
            assigned_to: row.assigned_to,
            assigned_name: row.assigned_name,
            unread_count: row.unread_count,
            message_count: row.message_count,
            last_text: sight.text(row.last_text),
            last_direction: row.last_direction,
            last_message_at: row.last_message_at,
            last_inbound_at: row.last_inbound_at,
            snoozed_until: row.snoozed_until,
            closed_at: row.closed_at,
            tags: row.tags,
        }
    }
}

/// Which conversations.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct InboxQuery {
    /// `open` (where nothing is said), `snoozed`, `closed` or `all`.
    folder: Option<String>,
    /// A user's id, `me`, or `nobody`.
    assigned_to: Option<String>,
    /// Only those with something unread.
    unread: Option<bool>,
    /// `whatsapp`, `sms`, `email` or `chat`.
    channel: Option<String>,
    /// By the person's name, e-mail address, phone number or company.
    search: Option<String>,
    page: Option<i64>,
    limit: Option<i64>,
    /// What the page before called `nextCursor`: it goes on there, however far down that is.
    cursor: Option<String>,
}

/// A page of the inbox.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InboxPage {
    #[serde(flatten)]
    page: Paged<InboxEntry>,
    /// Where the next page begins; null behind the last one.
    next_cursor: Option<String>,
}

/// The inbox, the latest first
///
/// With `cursor` nothing is counted: `total` is what the page has.
#[utoipa::path(get, path = "/v1/messaging/inbox", tag = "messaging", params(InboxQuery),
    responses((status = 200, body = InboxPage)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<InboxQuery>,
) -> ApiResult<Json<InboxPage>> {
    let after = query.cursor.as_deref().map(place).transpose()?;
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let sight = Sight::of(&actor);
    let owner = match query.assigned_to.as_deref() {
        None => None,
        Some("nobody") => Some(Owner::Nobody),
        Some("me") => Some(actor.user.map_or(Owner::Nobody, Owner::User)),
        Some(id) => {
            let refused = |_| ApiError::field("/assignedTo", "must be a user's id, me or nobody");
            Some(Owner::User(id.parse().map_err(refused)?))
        }
    };
    let found = match query.search.as_deref().and_then(Terms::parse) {
        Some(terms) => {
            let scope = if sight.is_masked() { SearchScope::Company } else { SearchScope::Everything };
            let filter = LeadFilter { search: Some(Search { terms, scope }), ..LeadFilter::default() };
            let order = (SortBy::CreatedAt, SortOrder::Descending);
            let leads = leads::list(&app.reader, actor.workspace, &filter, order, (MOST_LEADS, 0)).await?;
            let address = query.search.as_deref().filter(|_| !sight.is_masked()).unwrap_or_default().trim();
            Some((leads.rows.into_iter().map(|lead| lead.id).collect(), address.replace('\0', "")))
        }
        None => None,
    };
    let filter = InboxFilter {
        folder: folder(query.folder.as_deref())?,
        owner,
        is_unread: query.unread.unwrap_or(false),
        channel: query.channel.map(|channel| channel.replace('\0', "")),
        found,
        after,
    };
    let now = app.engine.clock.now();
    let offset = if after.is_some() { 0 } else { window.offset() };
    // One more than is shown tells whether there are more.
    let mut page = inbox::list(&app.reader, actor.workspace, &filter, now, (window.limit + 1, offset)).await?;
    let has_more = page.rows.len() as i64 > window.limit;
    page.rows.truncate(usize::try_from(window.limit).unwrap_or_default());
    if after.is_some() {
        page.total = page.rows.len() as i64;
    }
    let last = page.rows.last().filter(|_| has_more);
    let next_cursor = last.and_then(|row| Some(format!("{}.{}", row.last_message_at?.0, row.id)));
    Ok(Json(InboxPage { page: window.paged(page, |row| InboxEntry::new(row, sight)), next_cursor }))
}

fn place(cursor: &str) -> ApiResult<(Timestamp, ConversationId)> {
    let read = cursor.split_once('.').and_then(|(at, id)| Some((Timestamp(at.parse().ok()?), id.parse().ok()?)));
    read.ok_or_else(|| ApiError::field("/cursor", "must be what a page called nextCursor"))
}

fn folder(name: Option<&str>) -> ApiResult<Folder> {
    match name {
        None | Some("open") => Ok(Folder::Open),
        Some("snoozed") => Ok(Folder::Snoozed),
        Some("closed") => Ok(Folder::Closed),
        Some("all") => Ok(Folder::All),
        Some(_) => Err(ApiError::field("/folder", "must be open, snoozed, closed or all")),
    }
}

/// How many conversations have something unread.
#[derive(Debug, Serialize, ToSchema)]
struct UnreadView {
    /// At most 1,000.
    unread: i64,
}

/// How many open conversations have something unread
#[utoipa::path(get, path = "/v1/messaging/inbox/unread", tag = "messaging",
    responses((status = 200, body = UnreadView)))]
async fn count_unread(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<UnreadView>> {
    let unread = inbox::count_unread(&app.reader, actor.workspace, app.engine.clock.now()).await?;
    Ok(Json(UnreadView { unread }))
}

/// What is to be done with a conversation.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ConversationPatch {
    /// Whose it is from now on; null for nobody's.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    assigned_to: Option<Option<UserId>>,
    /// Until when it is put off; null to take it up again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = DateTime)]
    snoozed_until: Option<Option<Timestamp>>,
    is_closed: Option<bool>,
    /// True marks everything in it as read.
    is_read: Option<bool>,
}

/// Assigns, puts off, closes or reads a conversation
#[utoipa::path(patch, path = "/v1/messaging/conversations/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    request_body = ConversationPatch, responses((status = 200, body = InboxEntry)))]
async fn handle(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ConversationId>,
    Json(patch): Json<ConversationPatch>,
) -> ApiResult<Json<InboxEntry>> {
    let wish = Wish {
        assigned_to: patch.assigned_to,
        snoozed_until: patch.snoozed_until,
        is_closed: patch.is_closed,
        is_read: patch.is_read.unwrap_or(false),
    };
    let entry = engine::handle(&app.engine, &actor, id, &wish).await?;
    Ok(Json(InboxEntry::new(entry, Sight::of(&actor))))
}

/// A note for the team.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConversationNote {
    /// 1 to 5,000 characters.
    value: String,
}

/// Keeps a note in a conversation, for the team alone
#[utoipa::path(post, path = "/v1/messaging/conversations/{id}/notes", tag = "messaging",
    params(("id" = Uuid, Path)), request_body = ConversationNote, responses((status = 200, body = SentMessageView)))]
async fn add_note(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ConversationId>,
    Json(note): Json<ConversationNote>,
) -> ApiResult<Json<SentMessageView>> {
    let made = engine::add_note(&app.engine, &actor, id, &note.value).await?;
    shown(&app, &actor, made).await
}

/// An answer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReplyRequest {
    /// What it says, with placeholders. Or name a template.
    message: Option<String>,
    /// Of e-mail.
    subject: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    /// Files of the conversation that were uploaded before: up to 10 by e-mail, one by WhatsApp.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 10)]
    attachment_ids: Vec<AttachmentId>,
    /// Names the request: sent twice, it is carried out once.
    request_id: Option<Uuid>,
}

/// Answers in a conversation; the message is sent at once
#[utoipa::path(post, path = "/v1/messaging/conversations/{id}/replies", tag = "messaging",
    params(("id" = Uuid, Path)), request_body = ReplyRequest, responses((status = 200, body = SentMessageView)))]
async fn reply(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ConversationId>,
    Json(request): Json<ReplyRequest>,
) -> ApiResult<Json<SentMessageView>> {
    let reply = Reply {
        template: request.template_id,
        subject: request.subject,
        text: request.message,
        files: request.attachment_ids,
        request: request.request_id,
    };
    let made = engine::reply(&app.engine, &actor, id, &reply).await?;
    shown(&app, &actor, made).await
}

/// A text that those who answer use often.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CannedReplyView {
    #[schema(value_type = Uuid)]
    id: CannedReplyId,
    name: String,
    body: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<CannedReply> for CannedReplyView {
    fn from(row: CannedReply) -> Self {
        Self { id: row.id, name: row.name, body: row.body, updated_at: row.updated_at }
    }
}

/// The canned replies of the workspace, by name
#[utoipa::path(get, path = "/v1/messaging/canned-replies", tag = "messaging",
    responses((status = 200, body = All<CannedReplyView>)))]
async fn list_canned(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<CannedReplyView>>> {
    let found = canned_replies::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: found.into_iter().map(CannedReplyView::from).collect() }))
}

/// A text to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CannedReplyRequest {
    /// 1 to 80 characters. One of this name is written over.
    name: String,
    /// With placeholders such as `{{firstName}}`.
    body: String,
}

/// Keeps a text for later
#[utoipa::path(post, path = "/v1/messaging/canned-replies", tag = "messaging", request_body = CannedReplyRequest,
    responses((status = 200, body = CannedReplyView)))]
async fn save_canned(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<CannedReplyRequest>,
) -> ApiResult<Json<CannedReplyView>> {
    Ok(Json(engine::save_canned(&app.engine, &actor, &request.name, &request.body).await?.into()))
}

/// Deletes a canned reply
#[utoipa::path(delete, path = "/v1/messaging/canned-replies/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete_canned(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CannedReplyId>,
) -> ApiResult<StatusCode> {
    engine::delete_canned(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
