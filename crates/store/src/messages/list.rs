//! Reading messages: those of a lead, of a conversation, of what caused them, or the latest of a workspace.

use leadline_domain::{
    ids::{CauseId, ChannelId, ContactId, ConversationId, LeadId, MessageId, MessageTemplateId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    dialect::Dialect,
    sql::{COUNT_CAP, Error, IntoParam, Page, Param, Reader, Row, params},
};

/// A message, in or out.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct Listed {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub lead_id: Option<LeadId>,
    pub lead_name: Option<String>,
    pub contact_id: Option<ContactId>,
    /// `inbound`, `outbound` or `note`.
    pub direction: String,
    /// `visitor`, `agent` or `bot`.
    pub author: String,
    pub author_name: Option<String>,
    /// The kind of channel; none for what was said in chats.
    pub kind: Option<String>,
    pub channel_id: Option<ChannelId>,
    pub channel_name: Option<String>,
    pub template_id: Option<MessageTemplateId>,
    pub template_name: Option<String>,
    pub address: Option<String>,
    pub subject: Option<String>,
    pub body: String,
    /// Of e-mail that came in: the history below it.
    pub quoted: Option<String>,
    /// Whether a program wrote it.
    pub is_automatic: bool,
    pub status: Option<String>,
    pub status_at: Option<Timestamp>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    pub provider_id: Option<String>,
    pub cause_kind: Option<String>,
    pub cause_id: Option<CauseId>,
    pub cause_step: Option<i64>,
    pub attempt_count: i64,
    pub due_at: Option<Timestamp>,
    /// When it was said.
    pub said_at: Timestamp,
    pub accepted_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub failed_at: Option<Timestamp>,
    pub referral: Option<Value>,
    pub created_at: Timestamp,
}

/// Which messages somebody wants to see. Nothing set means all that went out or came in by a channel.
#[derive(Debug, Clone, Default)]
pub struct MessageFilter {
    /// To or from this lead.
    pub lead: Option<LeadId>,
    /// In this conversation.
    pub conversation: Option<ConversationId>,
    /// That this caused.
    pub cause: Option<CauseId>,
    /// By this channel.
    pub channel: Option<ChannelId>,
    /// That fare like this.
    pub status: Option<String>,
}

/// A page of messages, newest first.
///
/// By `messages_of_lead`, `messages_of_conversation`, `messages_of_cause` or `messages_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &MessageFilter,
    (limit, offset): (i64, i64),
) -> Result<Page<Listed>, Error> {
    let (condition, mut params) = condition(workspace, filter);
    let counted = format!(
        "SELECT count(*) AS n FROM (SELECT m.id FROM messages AS m WHERE {condition} LIMIT {}) AS q",
        COUNT_CAP + 1
    );
    let total = reader.count(&counted, &params).await?;
    params.extend(params![limit, offset]);
    let order = if filter.conversation.is_some() { "m.sent_at DESC, m.position DESC" } else { "m.created_at DESC" };
    let sql = format!(
        "{select} WHERE {condition} ORDER BY {order}, m.id DESC LIMIT ${limit} OFFSET ${offset}",
        select = select(reader.dialect()),
        limit = params.len() - 1,
        offset = params.len(),
    );
    let rows = reader.query(&sql, &params).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

fn condition(workspace: WorkspaceId, filter: &MessageFilter) -> (String, Vec<Param>) {
    let mut params = vec![workspace.param()];
    let mut text = "m.workspace_id = $1".to_owned();
    let mut and = |column: &str, param: Option<Param>| {
        if let Some(param) = param {
            params.push(param);
            text.push_str(&format!(" AND {column} = ${}", params.len()));
        }
    };
    and("m.lead_id", filter.lead.map(|id| id.param()));
    and("m.conversation_id", filter.conversation.map(|id| id.param()));
    and("m.cause_id", filter.cause.map(|id| id.param()));
    and("m.channel_id", filter.channel.map(|id| id.param()));
    and("m.status", filter.status.as_ref().map(IntoParam::param));
    if filter.conversation.is_none() {
        text.push_str(" AND m.status IS NOT NULL");
    }
    (text, params)
}

/// One message.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: MessageId) -> Result<Option<Listed>, Error> {
    let sql = format!("{} WHERE m.id = $1 AND m.workspace_id = $2", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT m.id, m.conversation_id, m.lead_id, l.name AS lead_name, m.contact_id, m.direction, m.author,
                m.author_name, m.channel, m.channel_id, c.name AS channel_name, m.template_id, t.name AS template_name,
                m.address, m.subject, m.body, m.quoted, m.is_automatic, m.status, m.status_at, m.error_code, m.error_message, m.provider_id,
                m.cause_kind, m.cause_id, m.cause_step, m.attempt_count, m.due_at, m.sent_at, m.accepted_at,
                m.delivered_at, m.read_at, m.failed_at, {referral} AS referral, m.created_at
         FROM messages AS m
         LEFT JOIN leads AS l ON l.id = m.lead_id
         LEFT JOIN channels AS c ON c.id = m.channel_id
         LEFT JOIN message_templates AS t ON t.id = m.template_id",
        referral = dialect.json_text("m.referral"),
    )
}

fn read(row: &Row) -> Result<Listed, Error> {
    Ok(Listed {
        id: row.get("id")?,
        conversation_id: row.get("conversation_id")?,
        lead_id: row.get("lead_id")?,
        lead_name: row.get("lead_name")?,
        contact_id: row.get("contact_id")?,
        direction: row.get("direction")?,
        author: row.get("author")?,
        author_name: row.get("author_name")?,
        kind: row.get("channel")?,
        channel_id: row.get("channel_id")?,
        channel_name: row.get("channel_name")?,
        template_id: row.get("template_id")?,
        template_name: row.get("template_name")?,
        address: row.get("address")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        quoted: row.get("quoted")?,
        is_automatic: row.get("is_automatic")?,
        status: row.get("status")?,
        status_at: row.get("status_at")?,
        error_code: row.get("error_code")?,
        error_message: row.get("error_message")?,
        provider_id: row.get("provider_id")?,
        cause_kind: row.get("cause_kind")?,
        cause_id: row.get("cause_id")?,
        cause_step: row.get("cause_step")?,
        attempt_count: row.get("attempt_count")?,
        due_at: row.get("due_at")?,
        said_at: row.get("sent_at")?,
        accepted_at: row.get("accepted_at")?,
        delivered_at: row.get("delivered_at")?,
        read_at: row.get("read_at")?,
        failed_at: row.get("failed_at")?,
        referral: row.json_or_none("referral")?,
        created_at: row.get("created_at")?,
    })
}
