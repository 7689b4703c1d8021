//! Files of messages: what they are, and their bytes in blocks. They are in the database like everything else, so that
//! every node serves them, one backup holds them, and erasing a person takes them
//! ([decision 010](../../../docs/decisions/010-attachments.md)).
//!
//! A file that its provider still keeps waits here until it was fetched. One that somebody put into the composer belongs
//! to no message until that is sent, and is deleted after a day.

use leadline_domain::{
    ids::{AttachmentId, ChannelId, ConversationId, MessageId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Bytes of a block.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Here.
    Stored,
    /// At the provider; they will be fetched.
    Waiting,
    /// Nowhere. The reason stands beside it.
    Refused,
}

impl State {
    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stored => "stored",
            Self::Waiting => "waiting",
            Self::Refused => "refused",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Stored, Self::Waiting, Self::Refused].into_iter().find(|state| state.as_str() == name)
    }
}

/// A file of a message.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `attachments` under their own names")]
pub struct Attachment {
    pub id: AttachmentId,
    pub workspace_id: WorkspaceId,
    pub conversation_id: ConversationId,
    pub message_id: Option<MessageId>,
    pub channel_id: Option<ChannelId>,
    pub user_id: Option<UserId>,
    pub position: i64,
    pub file_name: String,
    pub content_type: String,
    /// What a browser may show it as, by its first bytes.
    pub picture_type: Option<String>,
    pub size_bytes: i64,
    pub state: State,
    pub reason: Option<String>,
    /// What its provider is to be asked for, as JSON.
    pub place: Option<String>,
    pub attempt_count: i64,
    pub due_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

#[derive(Serialize)]
struct NewRow<'a> {
    id: AttachmentId,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    message_id: Option<MessageId>,
    channel_id: Option<ChannelId>,
    user_id: Option<UserId>,
    position: i64,
    file_name: &'a str,
    content_type: &'a str,
    picture_type: Option<&'a str>,
    size_bytes: i64,
    state: &'static str,
    reason: Option<&'a str>,
    place: Option<&'a str>,
    attempt_count: i64,
    due_at: Option<i64>,
    created_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("conversation_id", Kind::Id),
    ("message_id", Kind::Id),
    ("channel_id", Kind::Id),
    ("user_id", Kind::Id),
    ("position", Kind::Integer),
    ("file_name", Kind::Text),
    ("content_type", Kind::Text),
    ("picture_type", Kind::Text),
    ("size_bytes", Kind::Integer),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("place", Kind::Text),
    ("attempt_count", Kind::Integer),
    ("due_at", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// Inserts files.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, rows: &[Attachment]) -> Result<(), Error> {
    let rows: Vec<NewRow<'_>> = rows.iter().map(new_row).collect();
    tx.insert_set("attachments", COLUMNS, &rows, "").await.map(drop)
}

fn new_row(row: &Attachment) -> NewRow<'_> {
    NewRow {
        id: row.id,
        workspace_id: row.workspace_id,
        conversation_id: row.conversation_id,
        message_id: row.message_id,
        channel_id: row.channel_id,
        user_id: row.user_id,
        position: row.position,
        file_name: &row.file_name,
        content_type: &row.content_type,
        picture_type: row.picture_type.as_deref(),
        size_bytes: row.size_bytes,
        state: row.state.as_str(),
        reason: row.reason.as_deref(),
        place: row.place.as_deref(),
        attempt_count: row.attempt_count,
        due_at: row.due_at.map(|at| at.0),
        created_at: row.created_at.0,
    }
}

/// Writes the bytes of a file, in blocks.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, file: AttachmentId, conversation: ConversationId, bytes: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO attachment_blocks (attachment_id, number, conversation_id, bytes) VALUES ($1, $2, $3, $4)";
    for (block, number) in bytes.chunks(BLOCK_BYTES).zip(0_i64..) {
        tx.execute(sql, &params![file, number, conversation, block.to_vec()]).await?;
    }
    Ok(())
}

/// A block of a file, from 0; none behind its end. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn read_block(reader: &Reader, file: AttachmentId, number: i64) -> Result<Option<Vec<u8>>, Error> {
    let sql = "SELECT bytes FROM attachment_blocks WHERE attachment_id = $1 AND number = $2";
    let row = reader.query_one(sql, &params![file, number]).await?;
    row.map(|row| row.get("bytes")).transpose()
}

/// All bytes of a file. It is at most as large as `leadline_domain::messaging::files` says.
///
/// # Errors
/// Where the database fails.
pub async fn read_all(reader: &Reader, file: AttachmentId) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    while let Some(block) = read_block(reader, file, (bytes.len() / BLOCK_BYTES) as i64).await? {
        let is_last = block.len() < BLOCK_BYTES;
        bytes.extend(block);
        if is_last {
            break;
        }
    }
    Ok(bytes)
}

/// One file of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: AttachmentId) -> Result<Option<Attachment>, Error> {
    let sql = format!("{SELECT} WHERE id = $1 AND workspace_id = $2");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// The files of messages, in their order. By `attachments_of_message`.
///
/// # Errors
/// Where the database fails.
pub async fn of_messages(
    reader: &Reader,
    workspace: WorkspaceId,
    messages: &[MessageId],
) -> Result<Vec<Attachment>, Error> {
    if messages.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "{SELECT} WHERE message_id IN {} AND message_id IS NOT NULL AND workspace_id = $2 ORDER BY message_id, position",
        reader.dialect().id_list(1)
    );
    let [workspace] = params![workspace];
    reader.query(&sql, &[json_set(messages), workspace]).await?.iter().map(read).collect()
}

/// Files that somebody put into the composer of a conversation and that are in no message yet, locked. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn lock_unsent(
    tx: &mut Tx,
    workspace: WorkspaceId,
    conversation: ConversationId,
    ids: &[AttachmentId],
) -> Result<Vec<Attachment>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "{SELECT} WHERE id IN {} AND workspace_id = $2 AND conversation_id = $3 AND message_id IS NULL ORDER BY id {}",
        dialect.id_list(1),
        dialect.for_update()
    );
    let [workspace, conversation] = params![workspace, conversation];
    tx.query(&sql, &[json_set(ids), workspace, conversation]).await?.iter().map(read).collect()
}

/// Puts a file into a message. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn attach(tx: &mut Tx, id: AttachmentId, message: MessageId, position: i64) -> Result<(), Error> {
    let sql = "UPDATE attachments SET message_id = $2, position = $3 WHERE id = $1";
    tx.execute(sql, &params![id, message, position]).await.map(drop)
}

/// How many files wait in the composer of a conversation. By `attachments_of_conversation`.
///
/// # Errors
/// Where the database fails.
pub async fn count_unsent(tx: &mut Tx, conversation: ConversationId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM attachments WHERE conversation_id = $1 AND message_id IS NULL";
    match tx.query_one(sql, &params![conversation]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// Files that wait to be fetched, the longest first. By `attachments_due`.
///
/// # Errors
/// Where the database fails.
pub async fn list_due(reader: &Reader, now: Timestamp, limit: i64) -> Result<Vec<Attachment>, Error> {
    let sql = format!("{SELECT} WHERE due_at <= $1 AND due_at IS NOT NULL ORDER BY due_at LIMIT $2");
    reader.query(&sql, &params![now, limit]).await?.iter().map(read).collect()
}

/// Takes a file to fetch it; false where somebody else did. Whoever dies leaves it due again at `until`.
///
/// # Errors
/// Where the database fails.
pub async fn take(tx: &mut Tx, id: AttachmentId, now: Timestamp, until: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE attachments SET due_at = $3, attempt_count = attempt_count + 1
               WHERE id = $1 AND due_at IS NOT NULL AND due_at <= $2";
    Ok(tx.execute(sql, &params![id, now, until]).await? == 1)
}

/// What became of a file that was to be fetched.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `attachments` under their own names")]
pub struct Fetched {
    pub state: State,
    pub reason: Option<String>,
    pub content_type: String,
    pub picture_type: Option<String>,
    pub size_bytes: i64,
    /// When it is tried again.
    pub due_at: Option<Timestamp>,
}

/// Writes down what became of a file. False where it was erased meanwhile, or somebody else fetched it. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn settle(tx: &mut Tx, id: AttachmentId, fetched: &Fetched) -> Result<bool, Error> {
    let sql = "UPDATE attachments SET state = $2, reason = $3, content_type = $4, picture_type = $5, size_bytes = $6,
                      due_at = $7
               WHERE id = $1 AND state = 'waiting'";
    let Fetched { state, reason, content_type, picture_type, size_bytes, due_at } = fetched;
    let params = params![id, state.as_str(), *reason, *content_type, *picture_type, *size_bytes, *due_at];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Deletes a file that is in no message. False where it is not there. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn delete_unsent(tx: &mut Tx, workspace: WorkspaceId, id: AttachmentId) -> Result<bool, Error> {
    let sql = "DELETE FROM attachments WHERE id = $1 AND workspace_id = $2 AND message_id IS NULL";
    let found = tx.execute(sql, &params![id, workspace]).await? == 1;
    if found {
        tx.execute("DELETE FROM attachment_blocks WHERE attachment_id = $1", &params![id]).await?;
    }
    Ok(found)
}

/// Deletes files that were never sent, and tells how many. By `attachments_unsent`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_forgotten(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "SELECT id FROM attachments WHERE message_id IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2";
    let rows = tx.query(sql, &params![before, limit]).await?;
    let ids: Vec<AttachmentId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let list = tx.dialect().id_list(1);
    for (table, column) in [("attachment_blocks", "attachment_id"), ("attachments", "id")] {
        tx.execute(&format!("DELETE FROM {table} WHERE {column} IN {list}"), &[json_set(&ids)]).await?;
    }
    Ok(ids.len() as u64)
}

const SELECT: &str = "SELECT id, workspace_id, conversation_id, message_id, channel_id, user_id, position, file_name,
           content_type, picture_type, size_bytes, state, reason, place, attempt_count, due_at, created_at
    FROM attachments";

fn read(row: &Row) -> Result<Attachment, Error> {
    let state: String = row.get("state")?;
    Ok(Attachment {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        conversation_id: row.get("conversation_id")?,
        message_id: row.get("message_id")?,
        channel_id: row.get("channel_id")?,
        user_id: row.get("user_id")?,
        position: row.get("position")?,
        file_name: row.get("file_name")?,
        content_type: row.get("content_type")?,
        picture_type: row.get("picture_type")?,
        size_bytes: row.get("size_bytes")?,
        state: State::parse(&state).ok_or_else(|| Error::Column { column: "state".to_owned() })?,
        reason: row.get("reason")?,
        place: row.get("place")?,
        attempt_count: row.get("attempt_count")?,
        due_at: row.get("due_at")?,
        created_at: row.get("created_at")?,
    })
}
