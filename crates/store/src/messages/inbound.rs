//! What people write to us: finding the conversation that a message belongs to, and putting it there.

use leadline_domain::{
    ids::{ChannelId, ContactId, ConversationId, LeadId, MessageId, WorkspaceId},
    messaging::MessageChannel,
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use super::NewThread;
use crate::{
    capture::IdentityKey,
    dialect::{Dialect, Kind},
    sql::{Columns, Error, IntoParam, Row, Tx, json_set, params},
};

/// A conversation that somebody may have written in.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `conversations` under their own names")]
pub struct Thread {
    pub id: ConversationId,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    pub tags: Vec<String>,
}

/// Where somebody writes from.
#[derive(Debug, Clone)]
pub struct Sender<'a> {
    /// In which workspace they arrive.
    pub workspace: WorkspaceId,
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// By which channel.
    pub channel: ChannelId,
    /// Their phone number or e-mail address, where it is shown.
    pub address: Option<&'a str>,
    /// What the provider calls them where it hides their number.
    pub person_ref: Option<&'a str>,
}

/// The conversation that a code names. By `conversations_by_reference`.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_reference(tx: &mut Tx, workspace: WorkspaceId, code: &str) -> Result<Option<Thread>, Error> {
    let sql = format!(
        "{} WHERE workspace_id = $1 AND reference = $2 AND state <> 'completed' AND reference IS NOT NULL LIMIT 1",
        select(tx.dialect())
    );
    tx.query_one(&sql, &params![workspace, code]).await?.as_ref().map(read).transpose()
}

/// The conversation of the nearest of these messages of ours that is there, and where that message went. By primary
/// keys.
///
/// # Errors
/// Where the database fails.
pub async fn find_answered(
    tx: &mut Tx,
    sender: &Sender<'_>,
    answers: &[MessageId],
) -> Result<Option<(Thread, Option<String>)>, Error> {
    if answers.is_empty() {
        return Ok(None);
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT c.id, c.lead_id, c.contact_id, {tags} AS tags, m.id AS message_id, m.address AS went_to
         FROM messages AS m JOIN conversations AS c ON c.id = m.conversation_id
         WHERE m.id IN {ids} AND m.workspace_id = $2 AND m.channel = $3 AND m.direction = 'outbound'",
        tags = dialect.json_text("c.tags"),
        ids = dialect.id_list(1),
    );
    let [workspace, kind] = params![sender.workspace, sender.kind.as_str()];
    let rows = tx.query(&sql, &[json_set(answers), workspace, kind]).await?;
    let mut nearest: Option<(usize, &Row)> = None;
    for row in &rows {
        let id: MessageId = row.get("message_id")?;
        let place = answers.iter().position(|answered| *answered == id).unwrap_or(usize::MAX);
        if nearest.is_none_or(|(known, _)| place < known) {
            nearest = Some((place, row));
        }
    }
    nearest.map(|(_, row)| Ok((read(row)?, row.get("went_to")?))).transpose()
}

/// How many messages came in in a conversation since then, up to `most`. By `messages_of_conversation`.
///
/// # Errors
/// Where the database fails.
pub async fn count_since(tx: &mut Tx, thread: ConversationId, since: Timestamp, most: i64) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM (SELECT id FROM messages WHERE conversation_id = $1 AND sent_at >= $2
                                                AND direction = 'inbound' LIMIT $3) AS q";
    match tx.query_one(sql, &params![thread, since, most]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// The latest conversation with somebody by what the provider calls them. By `conversations_by_person`.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_person(tx: &mut Tx, sender: &Sender<'_>) -> Result<Option<Thread>, Error> {
    let Some(person) = sender.person_ref else { return Ok(None) };
    let sql = format!(
        "{} WHERE workspace_id = $1 AND channel = $2 AND person_ref = $3 AND person_ref IS NOT NULL
         ORDER BY created_at DESC, id DESC LIMIT 1",
        select(tx.dialect())
    );
    let params = params![sender.workspace, sender.kind.as_str(), person];
    tx.query_one(&sql, &params).await?.as_ref().map(read).transpose()
}

/// The latest conversation with somebody by their address. By `conversations_by_address`.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_address(tx: &mut Tx, sender: &Sender<'_>) -> Result<Option<Thread>, Error> {
    let Some(address) = sender.address else { return Ok(None) };
    let sql = format!(
        "{} WHERE workspace_id = $1 AND channel = $2 AND address = $3 AND address IS NOT NULL
         ORDER BY created_at DESC, id DESC LIMIT 1",
        select(tx.dialect())
    );
    let params = params![sender.workspace, sender.kind.as_str(), address];
    tx.query_one(&sql, &params).await?.as_ref().map(read).transpose()
}

/// The person whom an address names, with their latest lead.
///
/// # Errors
/// Where the database fails.
pub async fn find_contact(
    tx: &mut Tx,
    workspace: WorkspaceId,
    key: IdentityKey,
) -> Result<Option<(ContactId, Option<LeadId>)>, Error> {
    // By the key itself; the lead by `leads_of_contact`.
    let sql = "SELECT k.id, (SELECT l.id FROM leads AS l WHERE l.contact_id = k.id AND l.deleted_at IS NULL
                             ORDER BY l.created_at DESC, l.id DESC LIMIT 1) AS lead_id
               FROM identities AS i JOIN contacts AS k ON k.id = i.subject_id
               WHERE i.key = $1 AND k.workspace_id = $2 AND k.deleted_at IS NULL";
    let row = tx.query_one(sql, &params![key.0.to_vec(), workspace]).await?;
    row.map(|row| Ok((row.get("id")?, row.get("lead_id")?))).transpose()
}

/// The latest conversation with a lead by a kind of channel that is not over. By `conversations_of_lead`.
///
/// # Errors
/// Where the database fails.
pub async fn find_of_lead(tx: &mut Tx, lead: LeadId, kind: MessageChannel) -> Result<Option<Thread>, Error> {
    let sql = format!(
        "{} WHERE lead_id = $1 AND channel = $2 AND state <> 'completed' ORDER BY created_at DESC, id DESC LIMIT 1",
        select(tx.dialect())
    );
    tx.query_one(&sql, &params![lead, kind.as_str()]).await?.as_ref().map(read).transpose()
}

/// Opens a conversation that begins with somebody's message.
///
/// # Errors
/// Where the database fails.
pub async fn open(
    tx: &mut Tx,
    id: ConversationId,
    sender: &Sender<'_>,
    (contact, lead): (Option<ContactId>, Option<LeadId>),
    now: Timestamp,
) -> Result<Thread, Error> {
    let row = NewThread {
        id,
        workspace_id: sender.workspace,
        lead_id: lead,
        contact_id: contact,
        kind: sender.kind,
        channel_id: Some(sender.channel),
        address: sender.address.map(str::to_owned),
        person_ref: sender.person_ref.map(str::to_owned),
        created_at: now.0,
    };
    super::open(tx, &[row]).await?;
    Ok(Thread { id, lead_id: lead, contact_id: contact, tags: Vec::new() })
}

/// A message that came in.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct NewInbound {
    pub id: MessageId,
    pub workspace_id: WorkspaceId,
    pub conversation_id: ConversationId,
    pub direction: &'static str,
    pub author: &'static str,
    pub author_name: Option<String>,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    pub channel: MessageChannel,
    pub channel_id: ChannelId,
    pub address: Option<String>,
    pub subject: Option<String>,
    pub body: String,
    pub quoted: Option<String>,
    pub is_automatic: bool,
    pub status: &'static str,
    pub status_at: i64,
    pub provider_id: Option<String>,
    pub referral: Option<Value>,
    pub sent_at: i64,
    pub position: i64,
    pub created_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("conversation_id", Kind::Id),
    ("direction", Kind::Text),
    ("author", Kind::Text),
    ("author_name", Kind::Text),
    ("lead_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("channel", Kind::Text),
    ("channel_id", Kind::Id),
    ("address", Kind::Text),
    ("subject", Kind::Text),
    ("body", Kind::Text),
    ("quoted", Kind::Text),
    ("is_automatic", Kind::Boolean),
    ("status", Kind::Text),
    ("status_at", Kind::Integer),
    ("provider_id", Kind::Text),
    ("referral", Kind::Json),
    ("sent_at", Kind::Integer),
    ("position", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// Inserts a message that came in; false where it came before.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, row: &NewInbound) -> Result<bool, Error> {
    let new: Vec<MessageId> = tx.insert_new("messages", COLUMNS, std::slice::from_ref(row), "id").await?;
    Ok(!new.is_empty())
}

/// Shows in a conversation what somebody wrote: it is unread, nobody has closed it or put it off any more, and whoever
/// wrote is where they wrote from.
///
/// # Errors
/// Where the database fails.
pub async fn show_received(tx: &mut Tx, sender: &Sender<'_>, row: &NewInbound) -> Result<(), Error> {
    let sql = "UPDATE conversations SET message_count = message_count + 1, unread_count = unread_count + 1,
                   last_text = $3, last_direction = 'inbound', last_message_at = $4, last_inbound_at = $4,
                   updated_at = $4, closed_at = NULL, snoozed_until = NULL, channel_id = $5,
                   address = coalesce($6, address), person_ref = coalesce($7, person_ref)
               WHERE id = $1 AND workspace_id = $2";
    let params = params![
        row.conversation_id,
        sender.workspace,
        super::beginning_of(&row.body),
        row.created_at,
        sender.channel,
        sender.address,
        sender.person_ref,
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// Shows in a conversation what a program wrote: it is there to be read, and nobody is called because of it.
///
/// # Errors
/// Where the database fails.
pub async fn show_automatic(tx: &mut Tx, sender: &Sender<'_>, row: &NewInbound) -> Result<(), Error> {
    let sql = "UPDATE conversations SET message_count = message_count + 1, last_text = $3, last_direction = 'inbound',
                   last_message_at = $4, updated_at = $4, address = coalesce(address, $5)
               WHERE id = $1 AND workspace_id = $2";
    let params =
        params![row.conversation_id, sender.workspace, super::beginning_of(&row.body), row.created_at, sender.address];
    tx.execute(sql, &params).await.map(drop)
}

/// What came with a click on an advertisement, kept with the person where nothing is yet.
///
/// # Errors
/// Where the database fails.
pub async fn keep_referral(tx: &mut Tx, contact: ContactId, referral: &Value) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT {} AS column_data FROM contacts WHERE id = $1 {}",
        dialect.json_text("column_data"),
        dialect.for_update()
    );
    let Some(row) = tx.query_one(&sql, &params![contact]).await? else { return Ok(()) };
    let mut data: serde_json::Map<String, Value> = row.json("column_data")?;
    if data.contains_key("whatsappReferral") {
        return Ok(());
    }
    data.insert("whatsappReferral".to_owned(), referral.clone());
    let sql = format!("UPDATE contacts SET column_data = {}, version = version + 1 WHERE id = $1", dialect.json(2));
    tx.execute(&sql, &[contact.param(), Value::Object(data).param()]).await.map(drop)
}

fn select(dialect: Dialect) -> String {
    format!("SELECT id, lead_id, contact_id, {} AS tags FROM conversations", dialect.json_text("tags"))
}

fn read(row: &Row) -> Result<Thread, Error> {
    Ok(Thread {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        contact_id: row.get("contact_id")?,
        tags: row.json("tags")?,
    })
}
