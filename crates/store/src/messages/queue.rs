//! Messages on their way out: which channels have something to send, and what is known of each message when its turn
//! has come.

use leadline_domain::{
    campaigns::Content,
    ids::{CauseId, ChannelId, ContactId, ConversationId, LeadId, MessageId, MessageTemplateId, WorkspaceId},
    messaging::{Approval, MessageChannel},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Channels that are looked at in one go.
const LANES: i64 = 200;

/// A message whose turn has come, with what decides about it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `messages` and of what they name, under their own names")]
pub struct Due {
    pub id: MessageId,
    pub workspace_id: WorkspaceId,
    pub conversation_id: ConversationId,
    pub kind: MessageChannel,
    pub subject: Option<String>,
    pub body: String,
    pub cause_kind: String,
    pub cause_id: Option<CauseId>,
    pub cause_step: Option<i64>,
    pub attempt_count: i64,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    /// The lead, where it is there.
    pub lead: Option<DueLead>,
    /// Where whoever wrote in the conversation is.
    pub conversation_address: Option<String>,
    pub last_inbound_at: Option<Timestamp>,
    /// Of e-mail: what the mail is called that is answered.
    pub answered_id: Option<String>,
    /// Whether it has files.
    pub has_files: bool,
    pub template_id: Option<MessageTemplateId>,
    /// The template, where it is there.
    pub template: Option<DueTemplate>,
    /// What the campaign says that asked for it.
    pub campaign: Option<Content>,
}

/// What a message may say of a lead.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct DueLead {
    pub name: String,
    pub source_name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub project_name: Option<String>,
    pub custom_fields: Map<String, Value>,
}

/// What a message is made of.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `message_templates` under their own names")]
pub struct DueTemplate {
    pub approval: Approval,
    pub language: String,
    pub subject: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
    pub provider_name: Option<String>,
}

/// Channels with a message that is due and a turn before `turn_before`. None stands for messages without a channel.
///
/// # Errors
/// Where the database fails.
pub async fn list_lanes(
    reader: &Reader,
    now: Timestamp,
    turn_before: Timestamp,
) -> Result<Vec<Option<ChannelId>>, Error> {
    // Channels are few; each asks `messages_due` once.
    let sql = "SELECT c.id FROM channels AS c
               WHERE c.next_slot_at <= $2
                     AND EXISTS (SELECT 1 FROM messages AS m
                                 WHERE m.channel_id = c.id AND m.status = 'queued' AND m.due_at <= $1)
               LIMIT $3";
    let rows = reader.query(sql, &params![now, turn_before, LANES]).await?;
    let mut lanes: Vec<Option<ChannelId>> = rows.iter().map(|row| row.get("id").map(Some)).collect::<Result<_, _>>()?;
    let without = "SELECT id FROM messages WHERE channel_id IS NULL AND status = 'queued' AND due_at <= $1 LIMIT 1";
    if reader.query_one(without, &params![now]).await?.is_some() {
        lanes.push(None);
    }
    Ok(lanes)
}

/// How many messages of a channel are under way. By `messages_in_flight`.
///
/// # Errors
/// Where the database fails.
pub async fn count_in_flight(tx: &mut Tx, channel: ChannelId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM messages WHERE channel_id = $1 AND status = 'sending'";
    match tx.query_one(sql, &params![channel]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// The messages of a channel whose turn has come, those that waited longest first; locked, so that another node takes
/// others. By `messages_due`.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx, channel: Option<ChannelId>, now: Timestamp, limit: i64) -> Result<Vec<Due>, Error> {
    let dialect = tx.dialect();
    let picked = match channel {
        Some(channel) => {
            let sql = format!(
                "SELECT id FROM messages WHERE channel_id = $3 AND status = 'queued' AND due_at <= $1
                 ORDER BY due_at LIMIT $2 {}",
                dialect.skip_locked()
            );
            tx.query(&sql, &params![now, limit, channel]).await?
        }
        None => {
            let sql = format!(
                "SELECT id FROM messages WHERE channel_id IS NULL AND status = 'queued' AND due_at <= $1
                 ORDER BY due_at LIMIT $2 {}",
                dialect.skip_locked()
            );
            tx.query(&sql, &params![now, limit]).await?
        }
    };
    let ids: Vec<MessageId> = picked.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{} WHERE m.id IN {} ORDER BY m.due_at, m.id", select(dialect), dialect.id_list(1));
    tx.query(&sql, &[json_set(&ids)]).await?.iter().map(read).collect()
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT m.id, m.workspace_id, m.conversation_id, m.channel, m.subject, m.body, m.cause_kind, m.cause_id,
                m.cause_step, m.attempt_count, m.lead_id, coalesce(m.contact_id, l.contact_id) AS contact_id,
                m.template_id, l.id AS found_lead, l.name, l.source_name, l.email, l.phone, l.company, l.title,
                {fields} AS custom_fields, p.name AS project_name, c.address AS conversation_address, c.last_inbound_at,
                t.id AS found_template, t.approval, t.language, t.subject AS t_subject, t.body AS t_body, t.body_html,
                t.provider_name, {content} AS campaign_content,
                (SELECT a.provider_id FROM messages AS a
                 WHERE a.conversation_id = m.conversation_id AND a.direction = 'inbound' AND a.channel = 'email'
                       AND m.channel = 'email'
                 ORDER BY a.sent_at DESC, a.position DESC LIMIT 1) AS answered_id,
                (EXISTS (SELECT 1 FROM attachments AS f WHERE f.message_id = m.id AND f.message_id IS NOT NULL)) AS has_files
         FROM messages AS m
         JOIN conversations AS c ON c.id = m.conversation_id
         LEFT JOIN leads AS l ON l.id = m.lead_id AND l.workspace_id = m.workspace_id AND l.deleted_at IS NULL
         LEFT JOIN projects AS p ON p.id = l.project_id
         LEFT JOIN message_templates AS t
              ON t.id = m.template_id AND t.workspace_id = m.workspace_id AND t.deleted_at IS NULL
         LEFT JOIN campaigns AS g ON m.cause_kind = 'campaign' AND g.id = m.cause_id",
        content = dialect.json_text("g.content"),
        fields = dialect.json_text("l.custom_fields"),
    )
}

fn read(row: &Row) -> Result<Due, Error> {
    let wrong = |column: &str| Error::Column { column: column.to_owned() };
    let channel: String = row.get("channel")?;
    Ok(Due {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        conversation_id: row.get("conversation_id")?,
        kind: MessageChannel::parse(&channel).ok_or_else(|| wrong("channel"))?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        cause_kind: row.get("cause_kind")?,
        cause_id: row.get("cause_id")?,
        cause_step: row.get("cause_step")?,
        attempt_count: row.get("attempt_count")?,
        lead_id: row.get("lead_id")?,
        contact_id: row.get("contact_id")?,
        lead: read_lead(row)?,
        conversation_address: row.get("conversation_address")?,
        last_inbound_at: row.get("last_inbound_at")?,
        answered_id: row.get("answered_id")?,
        has_files: row.get("has_files")?,
        template_id: row.get("template_id")?,
        template: read_template(row)?,
        campaign: row.json_or_none("campaign_content")?,
    })
}

fn read_lead(row: &Row) -> Result<Option<DueLead>, Error> {
    if row.get::<Option<LeadId>>("found_lead")?.is_none() {
        return Ok(None);
    }
    Ok(Some(DueLead {
        name: row.get("name")?,
        source_name: row.get("source_name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        company: row.get("company")?,
        title: row.get("title")?,
        project_name: row.get("project_name")?,
        custom_fields: row.json("custom_fields")?,
    }))
}

fn read_template(row: &Row) -> Result<Option<DueTemplate>, Error> {
    if row.get::<Option<MessageTemplateId>>("found_template")?.is_none() {
        return Ok(None);
    }
    let approval: String = row.get("approval")?;
    Ok(Some(DueTemplate {
        approval: Approval::parse(&approval).ok_or_else(|| Error::Column { column: "approval".to_owned() })?,
        language: row.get("language")?,
        subject: row.get("t_subject")?,
        body: row.get("t_body")?,
        body_html: row.get("body_html")?,
        provider_name: row.get("provider_name")?,
    }))
}

/// A message that somebody begins to hand over.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct Started {
    pub id: MessageId,
    pub contact_id: Option<ContactId>,
    pub address: String,
    pub subject: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
    /// By then it is over, or nobody knows what became of it.
    pub leased_until: i64,
    pub started_at: i64,
}

const STARTED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("contact_id", Kind::Id),
    ("address", Kind::Text),
    ("subject", Kind::Text),
    ("body", Kind::Text),
    ("body_html", Kind::Text),
    ("leased_until", Kind::Integer),
    ("started_at", Kind::Integer),
];

/// Writes down that messages are about to be handed over, and what they say: before anybody outside is talked to, so
/// that a crash in between leaves a message of which it is known that it may have gone out.
///
/// # Errors
/// Where the database fails.
pub async fn start(tx: &mut Tx, rows: &[Started]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE messages SET status = 'sending', status_at = r.started_at, contact_id = r.contact_id,
                address = r.address, subject = r.subject, body = r.body, body_html = r.body_html,
                leased_until = r.leased_until, started_at = r.started_at, sent_at = r.started_at,
                attempt_count = messages.attempt_count + 1, error_code = NULL, error_message = NULL
         FROM {} WHERE messages.id = r.id AND messages.status = 'queued'",
        dialect.set(1, STARTED_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// Something that is said in a conversation from now on.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `conversations` under their own names")]
pub struct Said {
    pub id: ConversationId,
    /// How many messages more there are.
    pub said: i64,
    pub last_text: String,
    /// None for what is said to many: it is in the conversation, and does not bring it up in the inbox.
    pub last_message_at: Option<i64>,
}

const SAID_COLUMNS: Columns =
    &[("id", Kind::Id), ("said", Kind::Integer), ("last_text", Kind::Text), ("last_message_at", Kind::Integer)];

/// Shows in conversations what we said in them.
///
/// # Errors
/// Where the database fails.
pub async fn show_said(tx: &mut Tx, rows: &[Said]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE conversations SET message_count = message_count + r.said,
                last_text = CASE WHEN r.last_message_at IS NULL THEN conversations.last_text ELSE r.last_text END,
                last_direction = CASE WHEN r.last_message_at IS NULL THEN conversations.last_direction
                                      ELSE 'outbound' END,
                last_message_at = coalesce(r.last_message_at, conversations.last_message_at),
                updated_at = coalesce(r.last_message_at, conversations.updated_at)
         FROM {} WHERE conversations.id = r.id",
        tx.dialect().set(1, SAID_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}
