//! Messages to the people behind leads, and what became of them: one table for what somebody sent at once, for
//! automations and for campaigns, beside what was said in chats.
//!
//! Whoever wants a message sent inserts a row with [`insert_outgoing`], in the transaction of whatever causes it, and is
//! done: the row is the request. Its id follows from a key that the caller gives, so one thing asks for a message once,
//! however often it is tried. Who gets it, by which template and whether it may go out at all is found when it is sent
//! (see [`queue`]), and what becomes of it is told by events (see [`outcome`]).

pub mod inbound;
pub mod list;
pub mod outcome;
pub mod queue;
pub mod recipients;
pub mod sandbox;

use std::collections::{BTreeMap, BTreeSet, HashSet};

use leadline_domain::{
    ids::{
        CauseId, ChannelId, ContactId, ConversationId, LeadId, MessageId, MessageTemplateId, UserId, WorkspaceId,
        derived,
    },
    messaging::{self, Candidate, MessageChannel},
};
use serde::Serialize;

use crate::{
    channels,
    dialect::Kind,
    sql::{Columns, Error, Tx, json_set},
};

/// What makes a message be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Cause {
    /// Somebody sent it at once.
    User,
    /// A step of an automation's run.
    Automation,
    /// A campaign.
    Campaign,
}

impl Cause {
    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Automation => "automation",
            Self::Campaign => "campaign",
        }
    }
}

/// A message that is to be sent.
#[derive(Debug, Clone)]
pub struct NewOutgoing {
    /// The message; see [`outgoing_id`].
    pub id: MessageId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// To which lead. None only for an answer in a conversation of nobody that we know.
    pub lead_id: Option<LeadId>,
    /// The person behind it, where the caller knows.
    pub contact_id: Option<ContactId>,
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// By this channel; the workspace's own choice where none is named (see `leadline_domain::messaging::choose`).
    pub channel_id: Option<ChannelId>,
    /// In this conversation; the latest open one of lead and kind where none is named.
    pub conversation_id: Option<ConversationId>,
    /// Made of this template. `subject` and `body` stay empty then.
    pub template_id: Option<MessageTemplateId>,
    /// Of e-mail that somebody wrote: its subject. May hold placeholders.
    pub subject: Option<String>,
    /// What somebody wrote. May hold placeholders.
    pub body: String,
    /// What makes it be sent.
    pub cause: Cause,
    /// The run or campaign or act that does.
    pub cause_id: Option<CauseId>,
    /// The step of the run.
    pub cause_step: Option<i64>,
    /// Who sent it, where a person did.
    pub user_id: Option<UserId>,
    /// How they are called.
    pub author_name: Option<String>,
    /// Not before then: milliseconds since the epoch.
    pub due_at: i64,
    /// When it was asked for.
    pub created_at: i64,
}

/// The id of the message that a key stands for: the same key in the same workspace is the same message, so a step that
/// is tried again after a crash finds that it was started.
#[must_use]
pub fn outgoing_id(workspace: WorkspaceId, key: &str) -> MessageId {
    MessageId(derived("leadline outgoing message v1", &[workspace.0.as_bytes(), key.as_bytes()]))
}

/// The conversation with a lead by a kind of channel, where none was made before.
#[must_use]
pub fn thread_of(lead: LeadId, kind: MessageChannel) -> ConversationId {
    ConversationId(derived("leadline thread v1", &[lead.0.as_bytes(), kind.as_str().as_bytes()]))
}

#[derive(Serialize)]
struct Row {
    id: MessageId,
    workspace_id: WorkspaceId,
    conversation_id: ConversationId,
    direction: &'static str,
    author: &'static str,
    author_name: Option<String>,
    user_id: Option<UserId>,
    lead_id: Option<LeadId>,
    contact_id: Option<ContactId>,
    channel: &'static str,
    channel_id: Option<ChannelId>,
    template_id: Option<MessageTemplateId>,
    subject: Option<String>,
    body: String,
    status: &'static str,
    status_at: i64,
    cause_kind: &'static str,
    cause_id: Option<CauseId>,
    cause_step: Option<i64>,
    due_at: i64,
    sent_at: i64,
    position: i64,
    created_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("conversation_id", Kind::Id),
    ("direction", Kind::Text),
    ("author", Kind::Text),
    ("author_name", Kind::Text),
    ("user_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("channel", Kind::Text),
    ("channel_id", Kind::Id),
    ("template_id", Kind::Id),
    ("subject", Kind::Text),
    ("body", Kind::Text),
    ("status", Kind::Text),
    ("status_at", Kind::Integer),
    ("cause_kind", Kind::Text),
    ("cause_id", Kind::Id),
    ("cause_step", Kind::Integer),
    ("due_at", Kind::Integer),
    ("sent_at", Kind::Integer),
    ("position", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// Asks for messages, and tells which of them nobody had asked for before. Wake `messages` of the engine after the
/// commit, or wait for its poll.
///
/// # Errors
/// Where the database fails.
pub async fn insert_outgoing(tx: &mut Tx, rows: &[NewOutgoing]) -> Result<Vec<MessageId>, Error> {
    let known = known(tx, rows).await?;
    let new: Vec<&NewOutgoing> = rows.iter().filter(|row| !known.contains(&row.id)).collect();
    if new.is_empty() {
        return Ok(Vec::new());
    }
    let workspaces: BTreeSet<WorkspaceId> = new.iter().map(|row| row.workspace_id).collect();
    let channels = channels::candidates(tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
    let threads = threads(tx, &new).await?;
    let rows: Vec<Row> = new.iter().filter_map(|row| to_row(row, &channels, &threads)).collect();
    tx.insert_new("messages", COLUMNS, &rows, "id").await
}

async fn known(tx: &mut Tx, rows: &[NewOutgoing]) -> Result<HashSet<MessageId>, Error> {
    let ids: Vec<MessageId> = rows.iter().map(|row| row.id).collect();
    let sql = format!("SELECT id FROM messages WHERE id IN {}", tx.dialect().id_list(1));
    tx.query(&sql, &[json_set(&ids)]).await?.iter().map(|row| row.get("id")).collect()
}

type Thread = (LeadId, MessageChannel);

#[derive(Serialize)]
struct Wanted {
    lead_id: LeadId,
    channel: &'static str,
}

/// The conversation for each lead and kind of channel: the latest that is open, or a new one.
async fn threads(tx: &mut Tx, rows: &[&NewOutgoing]) -> Result<BTreeMap<Thread, ConversationId>, Error> {
    let without: BTreeMap<Thread, &NewOutgoing> = rows
        .iter()
        .filter(|row| row.conversation_id.is_none())
        .filter_map(|row| Some(((row.lead_id?, row.kind), *row)))
        .collect();
    if without.is_empty() {
        return Ok(BTreeMap::new());
    }
    let wanted: Vec<Wanted> =
        without.keys().map(|(lead_id, kind)| Wanted { lead_id: *lead_id, channel: kind.as_str() }).collect();
    // By `conversations_of_lead`.
    let sql = format!(
        "SELECT r.lead_id, r.channel,
                (SELECT c.id FROM conversations AS c
                 WHERE c.lead_id = r.lead_id AND c.channel = r.channel AND c.state <> 'completed'
                 ORDER BY c.created_at DESC, c.id DESC LIMIT 1) AS id
         FROM {}",
        tx.dialect().set(1, &[("lead_id", Kind::Id), ("channel", Kind::Text)])
    );
    let mut found = BTreeMap::new();
    for row in tx.query(&sql, &[json_set(&wanted)]).await? {
        let channel: String = row.get("channel")?;
        let (Some(kind), Some(id)) = (MessageChannel::parse(&channel), row.get::<Option<ConversationId>>("id")?) else {
            continue;
        };
        found.insert((row.get("lead_id")?, kind), id);
    }
    let missing: Vec<NewThread> = without
        .iter()
        .filter(|(thread, _)| !found.contains_key(thread))
        .map(|((lead, kind), row)| NewThread::new(thread_of(*lead, *kind), row))
        .collect();
    open(tx, &missing).await?;
    found.extend(missing.iter().filter_map(|row| Some(((row.lead_id?, row.kind), row.id))));
    Ok(found)
}

/// A conversation that begins with a message of ours, or with one of somebody's.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct NewThread {
    pub(crate) id: ConversationId,
    pub(crate) workspace_id: WorkspaceId,
    pub(crate) lead_id: Option<LeadId>,
    pub(crate) contact_id: Option<ContactId>,
    #[serde(rename = "channel")]
    pub(crate) kind: MessageChannel,
    pub(crate) channel_id: Option<ChannelId>,
    pub(crate) address: Option<String>,
    pub(crate) person_ref: Option<String>,
    pub(crate) created_at: i64,
}

impl NewThread {
    fn new(id: ConversationId, row: &NewOutgoing) -> Self {
        Self {
            id,
            workspace_id: row.workspace_id,
            lead_id: row.lead_id,
            contact_id: row.contact_id,
            kind: row.kind,
            channel_id: None,
            address: None,
            person_ref: None,
            created_at: row.created_at,
        }
    }
}

const THREAD_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("channel", Kind::Text),
    ("channel_id", Kind::Id),
    ("address", Kind::Text),
    ("person_ref", Kind::Text),
    ("created_at", Kind::Integer),
];

/// Opens conversations that are not there. The person of a lead is looked up where the caller does not know it.
pub(crate) async fn open(tx: &mut Tx, rows: &[NewThread]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO conversations (id, workspace_id, lead_id, contact_id, channel, channel_id, address, person_ref,
             state, tags, fields, message_count, created_at, updated_at)
         SELECT r.id, r.workspace_id, r.lead_id,
                coalesce(r.contact_id, (SELECT l.contact_id FROM leads AS l WHERE l.id = r.lead_id)),
                r.channel, r.channel_id, r.address, r.person_ref, 'open', '[]', '{{}}', 0, r.created_at, r.created_at
         FROM {} WHERE true ON CONFLICT (id) DO NOTHING",
        tx.dialect().set(1, THREAD_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// What a list shows of a text, in characters.
const BEGINNING: usize = 160;

/// The beginning of a text in one line, for lists.
#[must_use]
pub fn beginning_of(text: &str) -> String {
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(BEGINNING) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// A message to nobody has no conversation, and is none.
fn to_row(
    new: &NewOutgoing,
    channels: &[(WorkspaceId, Candidate<ChannelId>)],
    threads: &BTreeMap<Thread, ConversationId>,
) -> Option<Row> {
    let of_lead = new.lead_id.and_then(|lead| threads.get(&(lead, new.kind)).copied());
    let candidates: Vec<Candidate<ChannelId>> =
        channels.iter().filter(|(workspace, _)| *workspace == new.workspace_id).map(|(_, channel)| *channel).collect();
    Some(Row {
        id: new.id,
        workspace_id: new.workspace_id,
        conversation_id: new.conversation_id.or(of_lead)?,
        direction: "outbound",
        author: if new.cause == Cause::User { "agent" } else { "bot" },
        author_name: new.author_name.clone(),
        user_id: new.user_id,
        lead_id: new.lead_id,
        contact_id: new.contact_id,
        channel: new.kind.as_str(),
        channel_id: new.channel_id.or_else(|| messaging::choose(new.kind, &candidates)),
        template_id: new.template_id,
        subject: new.subject.clone(),
        body: new.body.clone(),
        status: messaging::Status::Queued.as_str(),
        status_at: new.created_at,
        cause_kind: new.cause.as_str(),
        cause_id: new.cause_id,
        cause_step: new.cause_step,
        due_at: new.due_at,
        sent_at: new.due_at,
        position: 0,
        created_at: new.created_at,
    })
}
