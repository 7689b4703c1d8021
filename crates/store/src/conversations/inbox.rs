//! The inbox: conversations as those who answer see them, the latest first, and what they do with them.

use leadline_domain::{
    ids::{ChannelId, ConversationId, LeadId, MessageId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::{Dialect, Kind},
    sql::{COUNT_CAP, Columns, Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params},
};

/// A conversation in the inbox.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `conversations` under their own names")]
pub struct Entry {
    pub id: ConversationId,
    /// `whatsapp`, `sms`, `email` or `chat`.
    pub channel: String,
    pub channel_id: Option<ChannelId>,
    pub channel_name: Option<String>,
    pub lead_id: Option<LeadId>,
    pub lead_name: Option<String>,
    pub address: Option<String>,
    pub assigned_to: Option<UserId>,
    pub assigned_name: Option<String>,
    pub unread_count: i64,
    pub message_count: i64,
    pub last_text: Option<String>,
    pub last_direction: Option<String>,
    pub last_message_at: Option<Timestamp>,
    pub last_inbound_at: Option<Timestamp>,
    pub snoozed_until: Option<Timestamp>,
    pub closed_at: Option<Timestamp>,
    pub tags: Vec<String>,
}

/// In which state a conversation is, for the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Folder {
    /// Somebody may have to answer.
    #[default]
    Open,
    /// Put off until later.
    Snoozed,
    /// Done.
    Closed,
    /// All of them.
    All,
}

/// Whose conversations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This user's.
    User(UserId),
    /// Nobody's.
    Nobody,
}

/// Which conversations somebody wants to see.
#[derive(Debug, Clone, Default)]
pub struct InboxFilter {
    /// In which state.
    pub folder: Folder,
    /// Whose.
    pub owner: Option<Owner>,
    /// Only those with something unread.
    pub is_unread: bool,
    /// By this kind of channel.
    pub channel: Option<String>,
    /// Of these leads, or with this address.
    pub found: Option<(Vec<LeadId>, String)>,
    /// Those behind this one in the order of the list: when its last message was, and which it is.
    pub after: Option<(Timestamp, ConversationId)>,
}

/// A page of the inbox, the latest first. By `conversations_open`, `conversations_unread`, `conversations_owned` or
/// `conversations_inbox`, from where the last page ended; what was searched for by `conversations_of_lead` and
/// `conversations_by_address`. Behind a place nothing is counted.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &InboxFilter,
    now: Timestamp,
    (limit, offset): (i64, i64),
) -> Result<Page<Entry>, Error> {
    let (condition, mut params) = condition(reader.dialect(), workspace, filter, now);
    let total = if filter.after.is_none() {
        let counted = format!(
            "SELECT count(*) AS n FROM (SELECT c.id FROM conversations AS c WHERE {condition} LIMIT {}) AS q",
            COUNT_CAP + 1
        );
        reader.count(&counted, &params).await?
    } else {
        0
    };
    params.extend(params![limit, offset]);
    let sql = format!(
        "{select} WHERE {condition} ORDER BY c.last_message_at DESC, c.id DESC LIMIT ${limit} OFFSET ${offset}",
        select = select(reader.dialect()),
        limit = params.len() - 1,
        offset = params.len(),
    );
    let rows = reader.query(&sql, &params).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

fn condition(dialect: Dialect, workspace: WorkspaceId, filter: &InboxFilter, now: Timestamp) -> (String, Vec<Param>) {
    let mut params = vec![workspace.param(), now.param()];
    // What is searched for is found by itself: no walk through everything that the workspace has.
    let of_workspace = match &filter.found {
        Some(_) => dialect.equal_unindexed("c.workspace_id", 1),
        None => "c.workspace_id = $1".to_owned(),
    };
    let mut text = format!("{of_workspace} AND c.last_message_at IS NOT NULL");
    text.push_str(match filter.folder {
        Folder::Open => " AND c.closed_at IS NULL AND (c.snoozed_until IS NULL OR c.snoozed_until <= $2)",
        Folder::Snoozed => " AND c.closed_at IS NULL AND c.snoozed_until > $2",
        Folder::Closed => " AND c.closed_at IS NOT NULL AND $2 >= 0",
        Folder::All => " AND $2 >= 0",
    });
    match filter.owner {
        Some(Owner::User(user)) => {
            params.push(user.param());
            text.push_str(&format!(" AND c.assigned_to = ${}", params.len()));
        }
        Some(Owner::Nobody) => text.push_str(" AND c.assigned_to IS NULL"),
        None => {}
    }
    if filter.is_unread {
        text.push_str(" AND c.unread_count > 0");
    }
    if let Some((at, id)) = filter.after {
        params.extend(params![at, id]);
        text.push_str(&format!(" AND (c.last_message_at, c.id) < (${}, ${})", params.len() - 1, params.len()));
    }
    if let Some(channel) = &filter.channel {
        params.push(channel.param());
        text.push_str(&format!(" AND c.channel = ${}", params.len()));
    }
    if let Some((leads, address)) = &filter.found {
        params.push(json_set(leads));
        params.push(address.param());
        let n = params.len();
        // Both ways by an index, and not one over all conversations.
        text.push_str(&format!(
            " AND c.id IN (SELECT x.id FROM conversations AS x WHERE x.lead_id IN {}
                           UNION SELECT y.id FROM conversations AS y
                                 WHERE y.workspace_id = $1 AND y.channel IN ('whatsapp', 'sms', 'email')
                                       AND y.address = ${n})",
            dialect.id_list(n - 1)
        ));
    }
    (text, params)
}

/// How many conversations are open and have something unread, up to 1,000.
///
/// # Errors
/// Where the database fails.
pub async fn count_unread(reader: &Reader, workspace: WorkspaceId, now: Timestamp) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM
                   (SELECT c.id FROM conversations AS c
                    WHERE c.workspace_id = $1 AND c.last_message_at IS NOT NULL AND c.closed_at IS NULL
                          AND c.unread_count > 0 AND (c.snoozed_until IS NULL OR c.snoozed_until <= $2) LIMIT 1000) AS q";
    reader.count(sql, &params![workspace, now]).await
}

/// One conversation of the inbox.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ConversationId) -> Result<Option<Entry>, Error> {
    let sql = format!("{} WHERE c.id = $1 AND c.workspace_id = $2", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// The subject that was written last in a conversation. By `messages_of_conversation`.
///
/// # Errors
/// Where the database fails.
pub async fn last_subject(
    reader: &Reader,
    workspace: WorkspaceId,
    id: ConversationId,
) -> Result<Option<String>, Error> {
    let sql = "SELECT subject FROM messages WHERE conversation_id = $1 AND workspace_id = $2 AND subject IS NOT NULL
               ORDER BY sent_at DESC, position DESC LIMIT 1";
    let row = reader.query_one(sql, &params![id, workspace]).await?;
    row.map(|row| row.get("subject")).transpose()
}

/// What somebody does with a conversation; what is absent stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Handling {
    /// Whose it is from now on.
    pub assigned_to: Option<Option<UserId>>,
    /// Until when it is put off.
    pub snoozed_until: Option<Option<Timestamp>>,
    /// Since when it is done.
    pub closed_at: Option<Option<Timestamp>>,
    /// Whether everything in it was read.
    pub is_read: bool,
}

/// Writes what somebody does with a conversation. False where it is not there.
///
/// # Errors
/// Where the database fails.
pub async fn handle(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ConversationId,
    handling: &Handling,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "UPDATE conversations SET updated_at = $3,
                   assigned_to = CASE WHEN $4 THEN $5 ELSE assigned_to END,
                   snoozed_until = CASE WHEN $6 THEN $7 ELSE snoozed_until END,
                   closed_at = CASE WHEN $8 THEN $9 ELSE closed_at END,
                   unread_count = CASE WHEN $10 THEN 0 ELSE unread_count END
               WHERE id = $1 AND workspace_id = $2";
    let Handling { assigned_to, snoozed_until, closed_at, is_read } = handling;
    let params = params![
        id,
        workspace,
        now,
        assigned_to.is_some(),
        assigned_to.flatten(),
        snoozed_until.is_some(),
        snoozed_until.flatten(),
        closed_at.is_some(),
        closed_at.flatten(),
        *is_read,
    ];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// A note that the team keeps in a conversation.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct NewNote {
    pub id: MessageId,
    pub workspace_id: WorkspaceId,
    pub conversation_id: ConversationId,
    pub direction: &'static str,
    pub author: &'static str,
    pub author_name: String,
    pub user_id: Option<UserId>,
    pub lead_id: Option<LeadId>,
    pub body: String,
    pub sent_at: i64,
    pub position: i64,
    pub created_at: i64,
}

const NOTE_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("conversation_id", Kind::Id),
    ("direction", Kind::Text),
    ("author", Kind::Text),
    ("author_name", Kind::Text),
    ("user_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("body", Kind::Text),
    ("sent_at", Kind::Integer),
    ("position", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// Adds a note.
///
/// # Errors
/// Where the database fails.
pub async fn add_note(tx: &mut Tx, note: &NewNote) -> Result<(), Error> {
    tx.insert_set("messages", NOTE_COLUMNS, std::slice::from_ref(note), "").await.map(drop)
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT c.id, c.channel, c.channel_id, h.name AS channel_name, c.lead_id, l.name AS lead_name, c.address,
                c.assigned_to, u.name AS assigned_name, c.unread_count, c.message_count, c.last_text, c.last_direction,
                c.last_message_at, c.last_inbound_at, c.snoozed_until, c.closed_at, {tags} AS tags
         FROM conversations AS c
         LEFT JOIN leads AS l ON l.id = c.lead_id
         LEFT JOIN users AS u ON u.id = c.assigned_to
         LEFT JOIN channels AS h ON h.id = c.channel_id",
        tags = dialect.json_text("c.tags"),
    )
}

fn read(row: &Row) -> Result<Entry, Error> {
    Ok(Entry {
        id: row.get("id")?,
        channel: row.get("channel")?,
        channel_id: row.get("channel_id")?,
        channel_name: row.get("channel_name")?,
        lead_id: row.get("lead_id")?,
        lead_name: row.get("lead_name")?,
        address: row.get("address")?,
        assigned_to: row.get("assigned_to")?,
        assigned_name: row.get("assigned_name")?,
        unread_count: row.get("unread_count")?,
        message_count: row.get("message_count")?,
        last_text: row.get("last_text")?,
        last_direction: row.get("last_direction")?,
        last_message_at: row.get("last_message_at")?,
        last_inbound_at: row.get("last_inbound_at")?,
        snoozed_until: row.get("snoozed_until")?,
        closed_at: row.get("closed_at")?,
        tags: row.json("tags")?,
    })
}
