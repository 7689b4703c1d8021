//! Chats: what is said is kept from the first word on; a lead is made as soon as the visitor can be reached, and is told
//! more of as the chat goes on.
//!
//! A chat's lead comes through the one door like every other: whenever the chat tells something new of the visitor, a
//! submission with everything told so far goes there. Its id follows from what was told, so a repeat is the same
//! submission, and one that a crash kept from the door is noticed at the next word, or when the chat falls silent.

use std::{collections::BTreeMap, time::Duration};

use leadline_domain::{
    chats::Reach,
    fields::{FieldMapping, RawFields, Recognised, recognise},
    ids::{ConversationId, EventId, LeadId, MessageId, SubmissionId, WorkspaceId, derived, submission_for_key},
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    conversations::{self as rows, ChatChange, Conversation, LeadState, NewConversation, NewMessage},
    events::{self, NewEvent},
    sources::Intake,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    AcceptError, Request, Submission,
    conversations::{ChatPart, ChatState, of_chat},
    spool::Record,
};
use crate::{Engine, random_bytes};

/// Messages in one request.
pub const MOST_MESSAGES: usize = 200;

/// The longest message, in characters. The rest is cut; the request as it came is in the capture.
const MESSAGE_MAX_CHARS: usize = 5_000;

/// What a chat tells of its visitor at most: fields, and characters of each.
const MOST_FIELDS: usize = 100;
const FIELD_MAX_CHARS: usize = 2_000;

/// Visitor's messages that become the lead's message.
const TEXTS: i64 = 20;
const TEXT_MAX_CHARS: usize = 2_000;

/// How long a chat may be silent where its source says nothing.
const IDLE_MINUTES: i64 = 30;

/// Silent chats that are completed in one go.
const IDLE_AT_ONCE: i64 = 100;

/// How often two requests of one chat are let meet before it counts as a failure.
const TRIES: u32 = 8;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The visitor.
    Visitor,
    /// A person who answers.
    Agent,
    /// A program that answers.
    Bot,
}

impl Author {
    fn as_str(self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Agent => "agent",
            Self::Bot => "bot",
        }
    }

    fn direction(self) -> &'static str {
        match self {
            Self::Visitor => "inbound",
            Self::Agent | Self::Bot => "outbound",
        }
    }
}

/// Something said.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Said {
    /// The sender's id of it, by which a repeat is known; without one, author, time and words are what it is known by.
    pub id: Option<String>,
    /// Who said it.
    pub author: Author,
    /// What.
    pub text: String,
    /// When; the time of the request where nothing is said.
    pub at: Option<Timestamp>,
}

/// What one request tells of a chat.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Update {
    /// Where it came in.
    pub intake: Intake,
    /// The chat, as its sender calls it.
    pub chat_id: String,
    /// What was said.
    pub messages: Vec<Said>,
    /// What was told of the visitor.
    pub fields: RawFields,
    /// How far the chat is, where that was said.
    pub state: Option<ChatState>,
    /// When it came in.
    pub received_at: Timestamp,
    /// How it came in.
    pub request: Request,
}

/// What was answered.
#[derive(Debug, Clone, Copy)]
pub struct Taken {
    /// The conversation.
    pub conversation: ConversationId,
    /// The submission, where the request told something new of the visitor; else the conversation.
    pub receipt: SubmissionId,
    /// The chat's lead, where it has one.
    pub lead: Option<LeadId>,
    /// Whether there was nothing new in it, or the person who was named was known.
    pub duplicate: bool,
    /// Whether it is in the store (or in the spool).
    pub stored: bool,
    /// How far the chat is.
    pub state: ChatState,
}

/// Takes what a request tells of a chat: when this returns `Ok`, it is on disk.
///
/// # Errors
/// Where the database cannot hold it, or neither the store nor the spool can take it.
pub async fn take(engine: &Engine, update: Update) -> Result<Taken, AcceptError> {
    if engine.door.store_is_away() {
        return spool(engine, update).await;
    }
    let recorded = match tokio::time::timeout(engine.door.deadline, record(engine, &update)).await {
        Ok(Ok(recorded)) => recorded,
        Ok(Err(error)) if error.is_about_the_data() => return Err(AcceptError::Unstorable(error)),
        Ok(Err(_)) | Err(_) => {
            engine.door.mark_away();
            return spool(engine, update).await;
        }
    };
    engine.wake.events.notify_one();
    let Recorded { conversation, lead, state, is_news, submission } = recorded;
    let receipt = SubmissionId(conversation.0);
    let Some(submission) = submission else {
        return Ok(Taken { conversation, receipt, lead, duplicate: !is_news, stored: true, state });
    };
    let is_update = submission.chat.as_ref().is_some_and(|chat| chat.is_update);
    let accepted = engine.door.accept(submission).await?;
    Ok(Taken {
        conversation,
        receipt: accepted.receipt,
        lead: accepted.lead.or(lead),
        duplicate: if is_update { !is_news } else { accepted.duplicate },
        stored: accepted.stored,
        state,
    })
}

async fn spool(engine: &Engine, update: Update) -> Result<Taken, AcceptError> {
    let conversation = of_chat(update.intake.source_id, &update.chat_id);
    let state = update.state.unwrap_or(ChatState::InProgress);
    let workspace = update.intake.workspace_id;
    engine.door.spool.append(Record::Chat(Box::new(update))).await.map_err(AcceptError::NoRoom)?;
    tracing::warn!(
        event = "lead.persistence_failed",
        conversation.id = %conversation,
        workspace.id = %workspace,
        "lead.persistence_failed: a part of chat {conversation} waits in the spool"
    );
    let receipt = SubmissionId(conversation.0);
    Ok(Taken { conversation, receipt, lead: None, duplicate: false, stored: false, state })
}

/// What recording came to.
pub(super) struct Recorded {
    conversation: ConversationId,
    lead: Option<LeadId>,
    state: ChatState,
    is_news: bool,
    /// What the door is to hear.
    pub(super) submission: Option<Submission>,
}

/// Keeps what was said, and tells what the door is to hear of it.
pub(super) async fn record(engine: &Engine, update: &Update) -> Result<Recorded, Error> {
    for _ in 1..TRIES {
        match try_record(engine, update).await {
            Err(Error::Contended | Error::Exists) => tokio::task::yield_now().await,
            result => return result,
        }
    }
    try_record(engine, update).await
}

async fn try_record(engine: &Engine, update: &Update) -> Result<Recorded, Error> {
    let (intake, now) = (&update.intake, update.received_at);
    let id = of_chat(intake.source_id, &update.chat_id);
    let mut tx = engine.store.begin().await?;
    let chat = rows::lock_chat(&mut tx, &fresh(id, update)).await?;
    let said = rows::add_messages(&mut tx, &messages(&chat, update)).await?;
    let fields = told(&chat.fields, update);
    let tells_more = fields != chat.fields;
    let is_news = said > 0 || tells_more;
    let state = state_after(&chat, update.state, is_news);
    let changes_state = state.as_str() != chat.state;
    let completed_at = match state {
        ChatState::Completed => Some(chat.completed_at.unwrap_or(now)),
        ChatState::InProgress => None,
    };
    let change = ChatChange {
        id,
        state: state.as_str(),
        fields: Value::Object(fields.clone()),
        said: i64::try_from(said).unwrap_or_default(),
        last_message_at: if said > 0 {
            Some(now.max(chat.last_message_at.unwrap_or(now)))
        } else {
            chat.last_message_at
        },
        idle_at: (state == ChatState::InProgress).then(|| now.plus_ms(idle_minutes(intake) * MINUTE_MS)),
        completed_at,
        now,
    };
    rows::update_chat(&mut tx, intake.workspace_id, &change).await?;
    let submission = for_the_door(&mut tx, &chat, fields, state, update).await?;
    if let Some(lead) = chat.lead_id.filter(|_| submission.is_none() && (is_news || changes_state)) {
        tell(&mut tx, intake.workspace_id, lead, id, state, now).await?;
    }
    tx.commit().await?;
    Ok(Recorded { conversation: id, lead: chat.lead_id, state, is_news, submission })
}

/// A chat that was completed goes on where something new is said in it; a repeat of old words changes nothing.
fn state_after(chat: &Conversation, said: Option<ChatState>, is_news: bool) -> ChatState {
    let was_completed = chat.state == ChatState::Completed.as_str();
    match said {
        Some(ChatState::Completed) => ChatState::Completed,
        Some(ChatState::InProgress) | None if was_completed && !is_news => ChatState::Completed,
        Some(ChatState::InProgress) | None => ChatState::InProgress,
    }
}

/// The lead is told of by an event that carries how far its chat is; what was said is in the thread.
async fn tell(
    tx: &mut Tx,
    workspace: WorkspaceId,
    lead: LeadId,
    conversation: ConversationId,
    state: ChatState,
    now: Timestamp,
) -> Result<(), Error> {
    rows::set_lead_states(tx, &[LeadState { id: lead, lead_state: state.as_str() }]).await?;
    let event = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: workspace,
        kind: "lead.updated".to_owned(),
        lead_id: Some(lead),
        submission_id: None,
        data: json!({"conversationId": conversation, "state": state.as_str()}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[event]).await
}

/// The submission that the door is to hear, where the chat names somebody and the door does not know all of it.
async fn for_the_door(
    tx: &mut Tx,
    chat: &Conversation,
    fields: Map<String, Value>,
    state: ChatState,
    update: &Update,
) -> Result<Option<Submission>, Error> {
    let recognised = recognise(&pairs(&fields), &FieldMapping::default());
    if !names_somebody(&recognised, state) {
        return Ok(None);
    }
    let id = submission_id(update, &fields);
    if chat.submission_id == Some(id) && chat.lead_id.is_some() {
        return Ok(None);
    }
    let mut fields = pairs(&fields);
    if recognised.message.is_none() {
        let words = rows::visitor_texts(tx, chat.id, TEXTS).await?.join("\n");
        let words: String = words.chars().take(TEXT_MAX_CHARS).collect();
        fields.extend((!words.is_empty()).then(|| ("message".to_owned(), words.into())));
    }
    let part = ChatPart { chat_id: update.chat_id.clone(), state, is_update: chat.lead_id.is_some() };
    Ok(Some(Submission {
        standing: super::Standing::Open,
        id,
        is_repeatable: true,
        intake: update.intake.clone(),
        fields,
        received_at: update.received_at,
        request: update.request.clone(),
        direct: None,
        inbound: None,
        chat: Some(part),
        imported: None,
    }))
}

/// A chat makes a lead once its visitor can be reached. One that is over with a name alone has nothing better to wait
/// for.
fn names_somebody(recognised: &Recognised, state: ChatState) -> bool {
    let can_be_reached = recognised.email_raw.is_some() || recognised.phone_raw.is_some();
    can_be_reached || (state == ChatState::Completed && recognised.name.is_some())
}

fn submission_id(update: &Update, fields: &Map<String, Value>) -> SubmissionId {
    let source = update.intake.source_id.map(|source| source.0).unwrap_or_default();
    let mut told = String::new();
    write_sorted(&mut told, &Value::Object(fields.clone()));
    submission_for_key(source, &format!("chat\n{}\n{told}", update.chat_id))
}

/// Databases give the keys of an object back in an order of their own.
fn write_sorted(text: &mut String, value: &Value) {
    let Value::Object(fields) = value else {
        text.push_str(&value.to_string());
        return;
    };
    let sorted: BTreeMap<&String, &Value> = fields.iter().collect();
    for (name, value) in sorted {
        text.push_str(&Value::from(name.as_str()).to_string());
        write_sorted(text, value);
    }
}

fn pairs(fields: &Map<String, Value>) -> RawFields {
    fields.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// What the chat has told of its visitor, with what this request adds. What was named goes before what was only seen in
/// the words, and what was seen first stays.
fn told(before: &Map<String, Value>, update: &Update) -> Map<String, Value> {
    let mut fields = before.clone();
    for (name, value) in &update.fields {
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        let has_room = fields.len() < MOST_FIELDS || fields.contains_key(name);
        if !is_empty && has_room {
            fields.insert(name.chars().take(200).collect(), bounded(value));
        }
    }
    let named = recognise(&pairs(&fields), &FieldMapping::default());
    let seen = seen_in(update);
    for (name, is_named, value) in
        [("email", named.email_raw.is_some(), seen.email), ("phone", named.phone_raw.is_some(), seen.phone)]
    {
        if let Some(value) = value.filter(|_| !is_named) {
            fields.insert(name.to_owned(), value.into());
        }
    }
    fields
}

fn bounded(value: &Value) -> Value {
    let text = match value {
        Value::String(text) => text.replace('\0', ""),
        Value::Number(_) | Value::Bool(_) | Value::Null => value.to_string(),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string().replace("\\u0000", "");
            let whole = serde_json::from_str(&text).ok().filter(|_| text.len() <= FIELD_MAX_CHARS);
            return whole.unwrap_or_else(|| text.chars().take(FIELD_MAX_CHARS).collect::<String>().into());
        }
    };
    text.chars().take(FIELD_MAX_CHARS).collect::<String>().into()
}

fn seen_in(update: &Update) -> Reach {
    let country = |settings: &Value| settings.get("defaultCountry").and_then(Value::as_str).map(str::to_owned);
    let region = country(&update.intake.source_settings).or_else(|| country(&update.intake.workspace_settings));
    update
        .messages
        .iter()
        .filter(|said| said.author == Author::Visitor)
        .fold(Reach::default(), |found, said| found.or(Reach::in_text(&said.text, region.as_deref())))
}

fn idle_minutes(intake: &Intake) -> i64 {
    intake.source_settings.get("idleMinutes").and_then(Value::as_i64).unwrap_or(IDLE_MINUTES).max(1)
}

fn fresh(id: ConversationId, update: &Update) -> NewConversation {
    let now = update.received_at.0;
    NewConversation {
        id,
        workspace_id: update.intake.workspace_id,
        source_id: update.intake.source_id,
        lead_id: None,
        contact_id: None,
        submission_id: None,
        channel: "chat",
        state: ChatState::InProgress.as_str(),
        reference: None,
        external_id: Some(update.chat_id.clone()),
        tags: json!([]),
        fields: json!({}),
        message_count: 0,
        created_at: now,
        updated_at: now,
    }
}

/// The rows of what was said. Each id follows from what the message is known by, so that a sender may send its whole
/// transcript every time.
fn messages(chat: &Conversation, update: &Update) -> Vec<NewMessage> {
    let (conversation, now) = (chat.id, update.received_at);
    let mut rows: Vec<NewMessage> = Vec::with_capacity(update.messages.len());
    for (place, said) in update.messages.iter().take(MOST_MESSAGES).enumerate() {
        let body: String = said.text.replace('\0', "").chars().take(MESSAGE_MAX_CHARS).collect();
        let mut nth = 0u32;
        // The same words twice in one transcript were said twice.
        let id = loop {
            let id = message_id(conversation, said, nth);
            let is_taken = said.id.is_none() && rows.iter().any(|row| row.id == id);
            if !is_taken {
                break id;
            }
            nth += 1;
        };
        let is_repeated = rows.iter().any(|row| row.id == id);
        if body.trim().is_empty() || is_repeated {
            continue;
        }
        rows.push(NewMessage {
            id,
            workspace_id: update.intake.workspace_id,
            conversation_id: conversation,
            direction: said.author.direction(),
            author: said.author.as_str(),
            body,
            // Nobody has said anything in the future, whatever their clock says.
            sent_at: said.at.map_or(now, |at| at.min(now)).0,
            position: chat.message_count + i64::try_from(place).unwrap_or_default(),
            created_at: now.0,
        });
    }
    rows.sort_by_key(|row| row.id);
    rows
}

fn message_id(conversation: ConversationId, said: &Said, nth: u32) -> MessageId {
    let at = said.at.map(|at| at.0).unwrap_or_default().to_le_bytes();
    let conversation = conversation.0;
    MessageId(match &said.id {
        Some(id) => derived("leadline message by id v1", &[conversation.as_bytes(), id.as_bytes()]),
        None => derived(
            "leadline message by words v1",
            &[conversation.as_bytes(), said.author.as_str().as_bytes(), &at, said.text.as_bytes(), &nth.to_le_bytes()],
        ),
    })
}

/// Completes the chats that have been silent for as long as their sources allow.
///
/// # Errors
/// Where the store fails; what was completed before stays so.
pub async fn complete_idle(engine: &Engine) -> Result<(), Error> {
    loop {
        let now = engine.clock.now();
        let idle = rows::list_idle(&engine.store.reader(), now, IDLE_AT_ONCE).await?;
        let is_all = idle.len() < usize::try_from(IDLE_AT_ONCE).unwrap_or(usize::MAX);
        for chat in idle {
            complete(engine, &chat, now).await?;
        }
        if is_all {
            return Ok(());
        }
    }
}

async fn complete(engine: &Engine, chat: &rows::Idle, now: Timestamp) -> Result<(), Error> {
    let intake = match &chat.source_key {
        Some(key) => engine.door.intakes().by_key("chat", key).await?,
        None => None,
    };
    let (Some(intake), Some(chat_id)) = (intake, chat.external_id.clone()) else {
        return close(engine, chat, now).await;
    };
    let update = Update {
        intake,
        chat_id,
        messages: Vec::new(),
        fields: Vec::new(),
        state: Some(ChatState::Completed),
        received_at: now,
        request: Request::default(),
    };
    if let Some(submission) = record(engine, &update).await?.submission {
        // Where the door fails, the conversation still lacks its submission, and its next word brings it again.
        let _spooled_or_logged = engine.door.accept(submission).await;
    }
    engine.wake.events.notify_one();
    Ok(())
}

/// Completes a chat whose source was deleted.
async fn close(engine: &Engine, chat: &rows::Idle, now: Timestamp) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    let Some(found) = rows::find_locked(&mut tx, chat.workspace, chat.id).await? else { return Ok(()) };
    let change = ChatChange {
        id: chat.id,
        state: ChatState::Completed.as_str(),
        fields: Value::Object(found.fields),
        said: 0,
        last_message_at: found.last_message_at,
        idle_at: None,
        completed_at: Some(now),
        now,
    };
    rows::update_chat(&mut tx, chat.workspace, &change).await?;
    if let Some(lead) = found.lead_id {
        tell(&mut tx, chat.workspace, lead, chat.id, ChatState::Completed, now).await?;
    }
    tx.commit().await
}

/// How often silent chats are looked for.
pub(crate) const COMPLETE_EVERY: Duration = Duration::from_secs(30);
