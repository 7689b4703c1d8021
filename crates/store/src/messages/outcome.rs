//! What becomes of messages: what a provider answered when it was handed one, what it reports later, and what is done
//! about those of which nobody knows.

use leadline_domain::{
    ids::{CauseId, ChannelId, ContactId, ConversationId, LeadId, MessageId, WorkspaceId},
    messaging::{MessageChannel, Status},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set, params},
};

/// How a message stands, for whoever moves it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct Standing {
    pub id: MessageId,
    pub workspace_id: WorkspaceId,
    pub conversation_id: ConversationId,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    pub kind: MessageChannel,
    pub channel_id: Option<ChannelId>,
    pub status: Status,
    pub attempt_count: i64,
    pub cause_kind: Option<String>,
    pub cause_id: Option<CauseId>,
    pub cause_step: Option<i64>,
    pub provider_id: Option<String>,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

/// Messages that nobody else moves until the transaction ends. By primary key, in the order of their ids.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, ids: &[MessageId]) -> Result<Vec<Standing>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "{SELECT} WHERE id IN {} AND direction = 'outbound' AND status IS NOT NULL ORDER BY id {}",
        dialect.id_list(1),
        dialect.for_update()
    );
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(read).collect()
}

/// Messages of a channel by what the provider calls them. By `messages_by_provider`.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_provider(
    tx: &mut Tx,
    channel: ChannelId,
    provider_ids: &[String],
) -> Result<Vec<(String, MessageId)>, Error> {
    let sql = format!(
        "SELECT id, provider_id FROM messages WHERE channel_id = $2 AND provider_id IN {}",
        tx.dialect().text_list(1)
    );
    let rows = tx.query(&sql, &[json_set(provider_ids), channel.param()]).await?;
    rows.iter().map(|row| Ok((row.get("provider_id")?, row.get("id")?))).collect()
}

/// Up to `limit` messages whose lease ran out: whoever was handing them over is gone. Locked. By `messages_in_flight`,
/// channel by channel, deleted ones included.
///
/// # Errors
/// Where the database fails.
pub async fn lock_lost(tx: &mut Tx, channel: ChannelId, now: Timestamp, limit: i64) -> Result<Vec<Standing>, Error> {
    let sql = format!(
        "{SELECT} WHERE channel_id = $1 AND status = 'sending' AND leased_until <= $2 ORDER BY leased_until LIMIT $3 {}",
        tx.dialect().skip_locked()
    );
    tx.query(&sql, &params![channel, now, limit]).await?.iter().map(read).collect()
}

/// Channels with messages whose lease ran out.
///
/// # Errors
/// Where the database fails.
pub async fn list_channels_with_lost(reader: &Reader, now: Timestamp) -> Result<Vec<ChannelId>, Error> {
    let sql = "SELECT c.id FROM channels AS c
               WHERE EXISTS (SELECT 1 FROM messages AS m
                             WHERE m.channel_id = c.id AND m.status = 'sending' AND m.leased_until <= $1) LIMIT 200";
    reader.query(sql, &params![now]).await?.iter().map(|row| row.get("id")).collect()
}

/// What a message is from now on.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct Moved {
    pub id: MessageId,
    pub status: Status,
    pub status_at: i64,
    /// What went wrong; none where nothing did.
    pub error_code: Option<String>,
    pub error_message: Option<String>,
    /// These stay as they are where they are set already.
    pub provider_id: Option<String>,
    pub accepted_at: Option<i64>,
    pub delivered_at: Option<i64>,
    pub read_at: Option<i64>,
    pub failed_at: Option<i64>,
}

impl Moved {
    /// A message whose status stays or becomes this one, without anything else.
    #[must_use]
    pub fn to(id: MessageId, status: Status, at: Timestamp) -> Self {
        Self {
            id,
            status,
            status_at: at.0,
            error_code: None,
            error_message: None,
            provider_id: None,
            accepted_at: None,
            delivered_at: None,
            read_at: None,
            failed_at: None,
        }
    }

    /// The same, with when the provider says that this happened.
    #[must_use]
    pub fn reported(mut self, reported: Status, at: Timestamp) -> Self {
        match reported {
            Status::Sent => self.accepted_at = Some(at.0),
            Status::Delivered => self.delivered_at = Some(at.0),
            Status::Read => self.read_at = Some(at.0),
            Status::Failed => self.failed_at = Some(at.0),
            Status::Queued | Status::Sending | Status::Unknown | Status::Skipped => {}
        }
        self
    }

    /// The same, with what went wrong.
    #[must_use]
    pub fn because(mut self, code: &str, message: &str) -> Self {
        self.error_code = Some(code.to_owned());
        self.error_message = Some(message.to_owned());
        self
    }
}

const MOVED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("status", Kind::Text),
    ("status_at", Kind::Integer),
    ("error_code", Kind::Text),
    ("error_message", Kind::Text),
    ("provider_id", Kind::Text),
    ("accepted_at", Kind::Integer),
    ("delivered_at", Kind::Integer),
    ("read_at", Kind::Integer),
    ("failed_at", Kind::Integer),
];

/// Moves messages that are locked. What is known already of when something happened stays.
///
/// # Errors
/// Where the database fails.
pub async fn move_set(tx: &mut Tx, rows: &[Moved]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE messages SET status = r.status, status_at = r.status_at, leased_until = NULL,
                error_code = r.error_code, error_message = r.error_message,
                provider_id = coalesce(messages.provider_id, r.provider_id),
                accepted_at = coalesce(messages.accepted_at, r.accepted_at),
                delivered_at = coalesce(messages.delivered_at, r.delivered_at),
                read_at = coalesce(messages.read_at, r.read_at),
                failed_at = coalesce(messages.failed_at, r.failed_at)
         FROM {} WHERE messages.id = r.id",
        tx.dialect().set(1, MOVED_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// A message that is handed over again later: the provider did not take it, of that we are sure.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct Requeued {
    pub id: MessageId,
    pub due_at: i64,
    pub status_at: i64,
    pub error_code: Option<String>,
    pub error_message: Option<String>,
}

const REQUEUED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("due_at", Kind::Integer),
    ("status_at", Kind::Integer),
    ("error_code", Kind::Text),
    ("error_message", Kind::Text),
];

/// Puts messages that are locked and under way back into the queue.
///
/// # Errors
/// Where the database fails.
pub async fn requeue(tx: &mut Tx, rows: &[Requeued]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE messages SET status = 'queued', status_at = r.status_at, due_at = r.due_at, leased_until = NULL,
                error_code = r.error_code, error_message = r.error_message
         FROM {} WHERE messages.id = r.id AND messages.status = 'sending'",
        tx.dialect().set(1, REQUEUED_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// One message of a workspace, for whoever asks about it while writing.
///
/// # Errors
/// Where the database fails.
pub async fn lock_one(tx: &mut Tx, workspace: WorkspaceId, id: MessageId) -> Result<Option<Standing>, Error> {
    let found = lock(tx, &[id]).await?;
    Ok(found.into_iter().find(|message| message.workspace_id == workspace))
}

const SELECT: &str = "SELECT id, workspace_id, conversation_id, lead_id, contact_id, channel, channel_id, status,
    attempt_count, cause_kind, cause_id, cause_step, provider_id, error_code, error_message FROM messages";

fn read(row: &Row) -> Result<Standing, Error> {
    let wrong = |column: &str| Error::Column { column: column.to_owned() };
    let (kind, status): (String, String) = (row.get("channel")?, row.get("status")?);
    Ok(Standing {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        conversation_id: row.get("conversation_id")?,
        lead_id: row.get("lead_id")?,
        contact_id: row.get("contact_id")?,
        kind: MessageChannel::parse(&kind).ok_or_else(|| wrong("channel"))?,
        channel_id: row.get("channel_id")?,
        status: Status::parse(&status).ok_or_else(|| wrong("status"))?,
        attempt_count: row.get("attempt_count")?,
        cause_kind: row.get("cause_kind")?,
        cause_id: row.get("cause_id")?,
        cause_step: row.get("cause_step")?,
        provider_id: row.get("provider_id")?,
        error_code: row.get("error_code")?,
        error_message: row.get("error_message")?,
    })
}
