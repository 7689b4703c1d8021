//! Conversations: threads of messages with one person. A widget's submission opens one for the visitor's first WhatsApp
//! message to land in; a chat is one from its first word on, whether or not it has named anybody yet.

pub mod inbox;

use leadline_domain::{
    ids::{ContactId, ConversationId, LeadId, MessageId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// A conversation to be inserted, or to be given its lead.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `conversations` under their own names")]
pub struct NewConversation {
    pub id: ConversationId,
    pub workspace_id: WorkspaceId,
    pub source_id: Option<SourceId>,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    /// The submission that told of the person last.
    pub submission_id: Option<SubmissionId>,
    /// `whatsapp` or `chat`.
    pub channel: &'static str,
    /// `open` until a WhatsApp conversation is closed; `in_progress` or `completed` for a chat.
    pub state: &'static str,
    /// The code by which the visitor's first message is known.
    pub reference: Option<String>,
    /// The chat's id, as its sender calls it.
    pub external_id: Option<String>,
    pub tags: Value,
    /// What the chat told of the visitor so far.
    pub fields: Value,
    pub message_count: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("source_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("submission_id", Kind::Id),
    ("channel", Kind::Text),
    ("state", Kind::Text),
    ("reference", Kind::Text),
    ("external_id", Kind::Text),
    ("tags", Kind::Json),
    ("fields", Kind::Json),
    ("message_count", Kind::Integer),
    ("created_at", Kind::Integer),
    ("updated_at", Kind::Integer),
];

/// What a submission leaves on its person: a tag, and where the person was found.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The person.
    pub contact: ContactId,
    /// The tag.
    pub tag: &'static str,
    /// Added to the contact's data where the key is not there yet.
    pub data: Map<String, Value>,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize)]
struct Marked {
    id: ContactId,
    tags: Value,
    column_data: Value,
    updated_at: i64,
}

const MARKED_COLUMNS: Columns =
    &[("id", Kind::Id), ("tags", Kind::Json), ("column_data", Kind::Json), ("updated_at", Kind::Integer)];

/// Whether the lead of a chat is complete.
#[derive(Debug, Clone, Serialize)]
pub struct LeadState {
    /// The lead.
    pub id: LeadId,
    /// `in_progress` or `completed`.
    pub lead_state: &'static str,
}

const STATE_COLUMNS: Columns = &[("id", Kind::Id), ("lead_state", Kind::Text)];

/// A message to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct NewMessage {
    pub id: MessageId,
    pub workspace_id: WorkspaceId,
    pub conversation_id: ConversationId,
    /// `inbound` from the visitor, `outbound` to them.
    pub direction: &'static str,
    /// `visitor`, `agent` or `bot`.
    pub author: &'static str,
    pub body: String,
    pub sent_at: i64,
    /// Orders what was said at the same time.
    pub position: i64,
    pub created_at: i64,
}

const MESSAGE_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("conversation_id", Kind::Id),
    ("direction", Kind::Text),
    ("author", Kind::Text),
    ("body", Kind::Text),
    ("sent_at", Kind::Integer),
    ("position", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// A conversation.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `conversations` under their own names")]
pub struct Conversation {
    pub id: ConversationId,
    pub source_id: Option<SourceId>,
    pub source_name: Option<String>,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    pub submission_id: Option<SubmissionId>,
    pub channel: String,
    pub state: String,
    pub reference: Option<String>,
    pub external_id: Option<String>,
    pub tags: Vec<String>,
    pub fields: Map<String, Value>,
    pub message_count: i64,
    pub created_at: Timestamp,
    pub last_message_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
}

/// A message.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct Message {
    pub id: MessageId,
    pub direction: String,
    pub author: String,
    pub body: String,
    pub sent_at: Timestamp,
}

/// What changes about a chat when something is said in it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `conversations` under their own names")]
pub struct ChatChange {
    pub id: ConversationId,
    pub state: &'static str,
    pub fields: Value,
    pub said: i64,
    pub last_message_at: Option<Timestamp>,
    pub idle_at: Option<Timestamp>,
    pub completed_at: Option<Timestamp>,
    pub now: Timestamp,
}

/// A chat in which nobody has said anything for long enough.
#[derive(Debug, Clone)]
pub struct Idle {
    /// The chat.
    pub id: ConversationId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// The key of its source; none where that was deleted.
    pub source_key: Option<String>,
    /// The chat's id, as its sender calls it.
    pub external_id: Option<String>,
}

/// Opens conversations; one that is there is given its lead.
///
/// # Errors
/// Where the database fails.
pub async fn open(tx: &mut Tx, rows: &[NewConversation]) -> Result<(), Error> {
    release_references(tx, rows).await?;
    let conflict = "ON CONFLICT (id) DO UPDATE SET lead_id = excluded.lead_id, contact_id = excluded.contact_id,
                    submission_id = excluded.submission_id, updated_at = excluded.updated_at";
    tx.insert_set("conversations", COLUMNS, rows, conflict).await.map(drop)
}

/// A code names one open conversation of its workspace. In the rare case that a new one has the code of an older one,
/// the older lets go of it: whoever wrote to that did so long ago, and is known by phone.
async fn release_references(tx: &mut Tx, rows: &[NewConversation]) -> Result<(), Error> {
    let coded: Vec<&NewConversation> = rows.iter().filter(|row| row.reference.is_some()).collect();
    if coded.is_empty() {
        return Ok(());
    }
    // Found by the index `conversations_by_reference`.
    let sql = format!(
        "UPDATE conversations SET reference = NULL FROM {set}
         WHERE conversations.workspace_id = r.workspace_id AND conversations.reference = r.reference
               AND conversations.state <> 'completed' AND conversations.id <> r.id",
        set = tx.dialect().set(1, COLUMNS),
    );
    tx.execute(&sql, &[json_set(&coded)]).await.map(drop)
}

/// Leaves marks on persons: tags are added and never taken, and what a contact's data says already stays.
///
/// # Errors
/// Where the database fails.
pub async fn mark_contacts(tx: &mut Tx, marks: &[Mark]) -> Result<(), Error> {
    if marks.is_empty() {
        return Ok(());
    }
    let dialect = tx.dialect();
    let ids: Vec<ContactId> = marks.iter().map(|mark| mark.contact).collect();
    let sql = format!(
        "SELECT id, {tags} AS tags, {data} AS column_data, updated_at FROM contacts WHERE id IN {list} ORDER BY id {lock}",
        tags = dialect.json_text("tags"),
        data = dialect.json_text("column_data"),
        list = dialect.id_list(1),
        lock = dialect.for_update(),
    );
    let mut changed = Vec::new();
    for row in tx.query(&sql, &[json_set(&ids)]).await? {
        let id: ContactId = row.get("id")?;
        let (mut tags, mut data): (Vec<String>, Map<String, Value>) = (row.json("tags")?, row.json("column_data")?);
        let mut updated_at: i64 = row.get("updated_at")?;
        for mark in marks.iter().filter(|mark| mark.contact == id) {
            if !tags.iter().any(|tag| tag == mark.tag) {
                tags.push(mark.tag.to_owned());
            }
            for (key, value) in &mark.data {
                data.entry(key.clone()).or_insert_with(|| value.clone());
            }
            updated_at = updated_at.max(mark.at.0);
        }
        changed.push(Marked { id, tags: Value::from(tags), column_data: Value::Object(data), updated_at });
    }
    let set = dialect.set(1, MARKED_COLUMNS);
    let sql = format!(
        "UPDATE contacts SET tags = r.tags, column_data = r.column_data, updated_at = r.updated_at,
                             version = contacts.version + 1
         FROM {set} WHERE contacts.id = r.id"
    );
    tx.execute(&sql, &[json_set(&changed)]).await.map(drop)
}

/// Says which leads are still being talked to.
///
/// # Errors
/// Where the database fails.
pub async fn set_lead_states(tx: &mut Tx, rows: &[LeadState]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let set = tx.dialect().set(1, STATE_COLUMNS);
    let sql = format!("UPDATE leads SET lead_state = r.lead_state FROM {set} WHERE leads.id = r.id");
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// Makes sure that a chat is there and that nobody else changes it until the transaction ends.
///
/// # Errors
/// [`Error::Contended`] where it vanished meanwhile.
pub async fn lock_chat(tx: &mut Tx, fresh: &NewConversation) -> Result<Conversation, Error> {
    let rows = std::slice::from_ref(fresh);
    tx.insert_set("conversations", COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await?;
    find_locked(tx, fresh.workspace_id, fresh.id).await?.ok_or(Error::Contended)
}

/// A chat that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn find_locked(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ConversationId,
) -> Result<Option<Conversation>, Error> {
    let sql = format!("{} WHERE c.id = $1 AND c.workspace_id = $2 {}", select(tx.dialect()), of_c(tx.dialect()));
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// The lock is on the conversation alone: the outer side of a join cannot be locked on PostgreSQL.
fn of_c(dialect: Dialect) -> &'static str {
    if dialect.for_update().is_empty() { "" } else { "FOR UPDATE OF c" }
}

/// Adds messages and tells how many were new: a message that is there already is the same one, sent again.
///
/// # Errors
/// Where the database fails.
pub async fn add_messages(tx: &mut Tx, rows: &[NewMessage]) -> Result<u64, Error> {
    tx.insert_set("messages", MESSAGE_COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await
}

/// Writes what changed about a chat that is locked.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn update_chat(tx: &mut Tx, workspace: WorkspaceId, change: &ChatChange) -> Result<(), Error> {
    let sql = format!(
        "UPDATE conversations SET state = $3, fields = {fields}, message_count = message_count + $5,
                last_message_at = $6, idle_at = $7, completed_at = $8, updated_at = $9
         WHERE id = $1 AND workspace_id = $2",
        fields = tx.dialect().json(4),
    );
    let params = params![
        change.id,
        workspace,
        change.state,
        change.fields,
        change.said,
        change.last_message_at,
        change.idle_at,
        change.completed_at,
        change.now,
    ];
    if tx.execute(&sql, &params).await? == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// Chats of all workspaces that have been silent for as long as their sources allow, the longest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_idle(reader: &Reader, now: Timestamp, limit: i64) -> Result<Vec<Idle>, Error> {
    // Found by the index `conversations_idle`.
    let sql = "SELECT c.id, c.workspace_id, s.key AS source_key, c.external_id FROM conversations c
               LEFT JOIN sources s ON s.id = c.source_id AND s.deleted_at IS NULL
               WHERE c.state = 'in_progress' AND c.idle_at <= $1 ORDER BY c.idle_at LIMIT $2";
    let rows = reader.query(sql, &params![now, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Idle {
                id: row.get("id")?,
                workspace: row.get("workspace_id")?,
                source_key: row.get("source_key")?,
                external_id: row.get("external_id")?,
            })
        })
        .collect()
}

/// What the visitor wrote in a chat, oldest first, up to `limit` messages.
///
/// # Errors
/// Where the database fails.
pub async fn visitor_texts(tx: &mut Tx, id: ConversationId, limit: i64) -> Result<Vec<String>, Error> {
    // Found by the index `messages_of_conversation`.
    let sql = "SELECT body FROM messages WHERE conversation_id = $1 AND author = 'visitor' ORDER BY sent_at, position LIMIT $2";
    tx.query(sql, &params![id, limit]).await?.iter().map(|row| row.get("body")).collect()
}

/// The conversations of a lead, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_lead(
    reader: &Reader,
    workspace: WorkspaceId,
    lead: LeadId,
    limit: i64,
) -> Result<Vec<Conversation>, Error> {
    // Found by the index `conversations_of_lead`.
    let sql = format!(
        "{} WHERE c.lead_id = $1 AND c.workspace_id = $2 ORDER BY c.created_at DESC, c.id DESC LIMIT $3",
        select(reader.dialect())
    );
    reader.query(&sql, &params![lead, workspace, limit]).await?.iter().map(read).collect()
}

/// The conversations of a contact and of its leads, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_contact(
    reader: &Reader,
    workspace: WorkspaceId,
    contact: ContactId,
    limit: i64,
) -> Result<Vec<Conversation>, Error> {
    // Found by `conversations_of_contact`, and by `leads_of_contact` and `conversations_of_lead`.
    let sql = format!(
        "{} WHERE c.workspace_id = $2 AND c.id IN
             (SELECT id FROM conversations WHERE contact_id = $1
              UNION SELECT v.id FROM leads JOIN conversations AS v ON v.lead_id = leads.id WHERE leads.contact_id = $1)
         ORDER BY c.created_at DESC, c.id DESC LIMIT $3",
        select(reader.dialect())
    );
    reader.query(&sql, &params![contact, workspace, limit]).await?.iter().map(read).collect()
}

/// One conversation.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Conversation>, Error> {
    let sql = format!("{} WHERE c.id = $1 AND c.workspace_id = $2", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// The latest messages of a conversation, in the order in which they were written.
///
/// # Errors
/// Where the database fails.
pub async fn messages(
    reader: &Reader,
    workspace: WorkspaceId,
    id: ConversationId,
    limit: i64,
) -> Result<Vec<Message>, Error> {
    // Found by the index `messages_of_conversation`.
    let sql = "SELECT id, direction, author, body, sent_at FROM messages
               WHERE conversation_id = $1 AND workspace_id = $2 ORDER BY sent_at DESC, position DESC LIMIT $3";
    let rows = reader.query(sql, &params![id, workspace, limit]).await?;
    rows.iter()
        .rev()
        .map(|row| {
            Ok(Message {
                id: row.get("id")?,
                direction: row.get("direction")?,
                author: row.get("author")?,
                body: row.get("body")?,
                sent_at: row.get("sent_at")?,
            })
        })
        .collect()
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT c.id, c.source_id, s.name AS source_name, c.lead_id, c.contact_id, c.submission_id, c.channel, c.state,
                c.reference, c.external_id, {tags} AS tags, {fields} AS fields, c.message_count, c.created_at,
                c.last_message_at, c.completed_at
         FROM conversations c LEFT JOIN sources s ON s.id = c.source_id",
        tags = dialect.json_text("c.tags"),
        fields = dialect.json_text("c.fields"),
    )
}

fn read(row: &Row) -> Result<Conversation, Error> {
    Ok(Conversation {
        id: row.get("id")?,
        source_id: row.get("source_id")?,
        source_name: row.get("source_name")?,
        lead_id: row.get("lead_id")?,
        contact_id: row.get("contact_id")?,
        submission_id: row.get("submission_id")?,
        channel: row.get("channel")?,
        state: row.get("state")?,
        reference: row.get("reference")?,
        external_id: row.get("external_id")?,
        tags: row.json("tags")?,
        fields: row.json("fields")?,
        message_count: row.get("message_count")?,
        created_at: row.get("created_at")?,
        last_message_at: row.get("last_message_at")?,
        completed_at: row.get("completed_at")?,
    })
}
