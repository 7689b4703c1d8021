//! `POST /chat/{chatKey}/{chatId}`: a chat as it goes on, from its first word to its end.
//!
//! One address opens a chat, adds to it and completes it. A request may carry the whole transcript or only what is new;
//! what was taken before is known again.

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use leadline_domain::{
    fields::RawFields,
    ids::{ConversationId, LeadId, SubmissionId},
    time::Timestamp,
};
use leadline_engine::capture::{
    chat::{self, Author, MOST_MESSAGES, Said, Taken, Update},
    conversations::ChatState,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::capture::{self as way_in};
use crate::{
    app::App,
    client_ip::ClientIp,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
};

/// The longest id of a chat, in characters.
const CHAT_ID_MAX_CHARS: usize = 200;

/// What is told about a request that was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ChatReceiptView {
    /// The submission, where the request told something new of the visitor; else the conversation.
    #[schema(value_type = Uuid)]
    receipt: SubmissionId,
    /// The chat's lead; null until the visitor can be reached.
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// Whether nothing in it was new, or it named a person who was known.
    duplicate: bool,
    /// Whether it is in the store already. On disk it is in any case.
    stored: bool,
    /// The chat's conversation.
    #[schema(value_type = Uuid)]
    conversation_id: ConversationId,
    /// `in_progress` or `completed`.
    state: &'static str,
}

/// A chat
///
/// Takes `messages` (each with `text`, and `author`, `id` and `at` where they are known) or one `text`; `state`
/// (`in_progress` or `completed`); and what is known of the visitor under the names that forms use. A lead is made from
/// the first e-mail address or phone number, in a field or in the visitor's own words. Repeats are harmless.
#[utoipa::path(post, path = "/chat/{key}/{chat}", tag = "ways in",
    params(
        ("key" = String, Path, description = "The chat source's key"),
        ("chat" = String, Path, description = "The chat, as its sender calls it; at most 200 characters"),
    ),
    request_body(content((Object = "application/json"), (String = "text/plain"),
        (Object = "application/x-www-form-urlencoded"))),
    responses(
        (status = 200, body = ChatReceiptView),
        (status = 404, description = "No chat source has this key"),
        (status = 413, description = "The body is over 1 MiB or has too many fields"),
        (status = 415, description = "The content type is not read here"),
        (status = 422, description = "A message or the state cannot be read"),
        (status = 503, description = "Neither store nor disk can take it"),
    ))]
pub(super) async fn post(
    State(app): State<App>,
    Path((key, chat_id)): Path<(String, String)>,
    ClientIp(ip): ClientIp,
    request: Request,
) -> Response {
    let result = take(&app, &key, &chat_id, ip.to_string(), request).await;
    way_in::with_cors(result.map_or_else(IntoResponse::into_response, |view| Json(view).into_response()))
}

async fn take(app: &App, key: &str, chat_id: &str, ip: String, request: Request) -> ApiResult<ChatReceiptView> {
    let arrived = way_in::arrive(app, "chat", key, Some(ip), request).await?;
    if chat_id.chars().count() > CHAT_ID_MAX_CHARS {
        return Err(ApiError::new(Code::NotFound));
    }
    let now = app.engine.clock.now();
    let Told { messages, fields, state } = read(arrived.fields, arrived.own_key.as_deref())?;
    let update = Update {
        intake: arrived.intake,
        chat_id: chat_id.to_owned(),
        messages,
        fields,
        state,
        received_at: now,
        request: arrived.evidence,
    };
    let Taken { conversation, receipt, lead, duplicate, stored, state } =
        chat::take(&app.engine, update).await.map_err(|error| way_in::refusal(&error))?;
    Ok(ChatReceiptView {
        receipt,
        lead_id: lead,
        duplicate,
        stored,
        conversation_id: conversation,
        state: state.as_str(),
    })
}

/// What a body says of a chat.
struct Told {
    messages: Vec<Said>,
    fields: RawFields,
    state: Option<ChatState>,
}

fn read(body: RawFields, own_key: Option<&str>) -> ApiResult<Told> {
    let mut told = Told { messages: Vec::new(), fields: Vec::new(), state: None };
    let (mut text, mut author) = (None, None);
    for (name, value) in body {
        match normalised(&name).as_str() {
            "messages" | "transcript" => told.messages = transcript(value)?,
            "text" => text = Some(value),
            "author" => author = Some(value),
            "state" | "leadstate" | "chatstate" => told.state = Some(state(&value)?),
            "submissionid" => {}
            _ => told.fields.push((name, value)),
        }
    }
    if let Some(text) = text {
        let text = text.as_str().ok_or_else(|| ApiError::field("/text", "must be a text"))?;
        let author = author.as_ref().map_or(Ok(Author::Visitor), |author| read_author(author, "/author"))?;
        told.messages.push(Said { id: own_key.map(str::to_owned), author, text: text.to_owned(), at: None });
    }
    Ok(told)
}

fn transcript(value: Value) -> ApiResult<Vec<Said>> {
    let Value::Array(list) = value else { return Err(ApiError::field("/messages", "must be a list")) };
    if list.len() > MOST_MESSAGES {
        return Err(ApiError::field("/messages", format!("has at most {MOST_MESSAGES} messages")));
    }
    list.into_iter().enumerate().map(|(place, one)| message(one, place)).collect()
}

fn message(value: Value, place: usize) -> ApiResult<Said> {
    let pointer = |name: &str| format!("/messages/{place}{name}");
    let fields: Map<String, Value> = match value {
        Value::String(text) => return Ok(Said { id: None, author: Author::Visitor, text, at: None }),
        Value::Object(fields) => fields,
        _ => return Err(ApiError::field(pointer(""), "must be an object with a text")),
    };
    let named = |names: &[&str]| {
        fields.iter().find(|(name, value)| names.contains(&normalised(name).as_str()) && !value.is_null())
    };
    let text = named(&["text", "body", "message", "content"]).and_then(|(_, text)| text.as_str());
    let text = text.ok_or_else(|| ApiError::field(pointer("/text"), "must be a text"))?;
    let author = match named(&["author", "from", "role", "sender", "type"]) {
        Some((name, author)) => read_author(author, &pointer(&format!("/{name}")))?,
        None => Author::Visitor,
    };
    let at = named(&["at", "time", "timestamp", "sentat", "createdat"]).and_then(|(_, at)| time(at));
    let id = named(&["id", "messageid"]).map(|(_, id)| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
    Ok(Said { id: id.filter(|id| !id.is_empty()), author, text: text.to_owned(), at })
}

/// The words that chat programs have for who is talking.
fn read_author(value: &Value, pointer: &str) -> ApiResult<Author> {
    match normalised(value.as_str().unwrap_or_default()).as_str() {
        "visitor" | "user" | "customer" | "client" | "lead" | "guest" | "contact" | "human" => Ok(Author::Visitor),
        "agent" | "operator" | "staff" | "support" | "admin" | "host" => Ok(Author::Agent),
        "bot" | "assistant" | "system" | "ai" => Ok(Author::Bot),
        _ => Err(ApiError::field(pointer, "must be visitor, agent or bot")),
    }
}

/// Read however it is spelt, the well-known "In Progess" among them.
fn state(value: &Value) -> ApiResult<ChatState> {
    match normalised(value.as_str().unwrap_or_default()).as_str() {
        "inprogress" | "inprogess" | "open" | "opened" | "active" => Ok(ChatState::InProgress),
        "completed" | "complete" | "closed" | "ended" | "done" => Ok(ChatState::Completed),
        _ => Err(ApiError::field("/state", "must be in_progress or completed")),
    }
}

/// RFC 3339, or seconds or milliseconds since the epoch. What cannot be read is as if it were not there.
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(text) = value.as_str() {
        return Timestamp::parse(text);
    }
    let number = value.as_i64().filter(|number| *number > 0)?;
    let is_in_seconds = number < 100_000_000_000;
    Some(Timestamp(if is_in_seconds { number * 1_000 } else { number }))
}

fn normalised(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect()
}
