//! Handling conversations: whose they are, putting them off, closing them, answering, and keeping notes.

use leadline_domain::{
    ids::{AttachmentId, CannedReplyId, ConversationId, EventId, MessageId, MessageTemplateId, UserId},
    messaging::{Approval, MessageChannel},
    templates::Form,
    time::Timestamp,
};
use leadline_store::{
    Tx,
    canned_replies::{self, CannedReply},
    channels,
    conversations::inbox::{self, Entry, Handling, NewNote},
    events::{self, NewEvent},
    message_templates,
    messages::{self, Cause, NewOutgoing},
    users,
};
use serde_json::json;
use uuid::Uuid;

use super::{MessagingError, attachments, checked_line, templates};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

const MOST_NOTE_CHARS: usize = 5_000;
const MOST_NAME_CHARS: usize = 80;

/// What somebody wants done with a conversation; what is absent stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Whose it is from now on.
    pub assigned_to: Option<Option<UserId>>,
    /// Until when it is put off.
    pub snoozed_until: Option<Option<Timestamp>>,
    /// Whether it is done.
    pub is_closed: Option<bool>,
    /// Whether everything in it was read.
    pub is_read: bool,
}

/// Does something with a conversation.
///
/// # Errors
/// Where it is not there, what is wanted cannot be, or the store fails.
pub async fn handle(engine: &Engine, actor: &Actor, id: ConversationId, wish: &Wish) -> Result<Entry, MessagingError> {
    let now = engine.clock.now();
    if wish.snoozed_until.flatten().is_some_and(|until| until <= now || until.ms_since(now) > 366 * 86_400_000) {
        return Err(MessagingError::field("/snoozedUntil", "must be within the next year"));
    }
    let mut tx = engine.store.begin().await?;
    if let Some(Some(user)) = wish.assigned_to
        && users::find_member(&engine.store.reader(), actor.workspace, user).await?.is_none()
    {
        return Err(MessagingError::field("/assignedTo", "is no member of the workspace"));
    }
    let handling = Handling {
        assigned_to: wish.assigned_to,
        snoozed_until: wish.snoozed_until,
        closed_at: wish.is_closed.map(|is_closed| is_closed.then_some(now)),
        is_read: wish.is_read,
    };
    if !inbox::handle(&mut tx, actor.workspace, id, &handling, now).await? {
        return Err(MessagingError::NotFound);
    }
    tell(engine, &mut tx, actor, id, now).await?;
    tx.commit().await?;
    inbox::find(&engine.store.reader(), actor.workspace, id).await?.ok_or(MessagingError::NotFound)
}

/// Open screens show it; nobody outside is told.
async fn tell(
    engine: &Engine,
    tx: &mut Tx,
    actor: &Actor,
    id: ConversationId,
    now: Timestamp,
) -> Result<(), MessagingError> {
    let event = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        kind: "conversation.changed".to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({"conversationId": id}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[event]).await?;
    engine.wake.events.notify_one();
    Ok(())
}

/// Keeps a note in a conversation, for the team alone.
///
/// # Errors
/// Where it is not there, the note is empty or too long, or the store fails.
pub async fn add_note(
    engine: &Engine,
    actor: &Actor,
    id: ConversationId,
    text: &str,
) -> Result<MessageId, MessagingError> {
    let now = engine.clock.now();
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MOST_NOTE_CHARS || text.contains('\0') {
        return Err(MessagingError::field("/value", &format!("must have 1 to {MOST_NOTE_CHARS} characters")));
    }
    let found = inbox::find(&engine.store.reader(), actor.workspace, id).await?;
    let entry = found.ok_or(MessagingError::NotFound)?;
    let note = NewNote {
        id: MessageId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        conversation_id: id,
        direction: "note",
        author: "agent",
        author_name: actor.name.clone(),
        user_id: actor.user,
        lead_id: entry.lead_id,
        body: text.to_owned(),
        sent_at: now.0,
        position: 0,
        created_at: now.0,
    };
    let mut tx = engine.store.begin().await?;
    inbox::add_note(&mut tx, &note).await?;
    tell(engine, &mut tx, actor, id, now).await?;
    tx.commit().await?;
    Ok(note.id)
}

/// What somebody answers.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Made of this template.
    pub template: Option<MessageTemplateId>,
    /// Of e-mail: the subject.
    pub subject: Option<String>,
    /// What it says, where it is made of no template.
    pub text: Option<String>,
    /// Files of the conversation's composer that go along.
    pub files: Vec<AttachmentId>,
    /// Names the request: sent twice, it is carried out once.
    pub request: Option<Uuid>,
}

/// Answers in a conversation: the message waits to be sent.
///
/// # Errors
/// Where the conversation is not there or cannot be answered, the answer cannot be sent, or the store fails.
pub async fn reply(
    engine: &Engine,
    actor: &Actor,
    id: ConversationId,
    reply: &Reply,
) -> Result<MessageId, MessagingError> {
    let now = engine.clock.now();
    let reader = engine.store.reader();
    let entry = inbox::find(&reader, actor.workspace, id).await?.ok_or(MessagingError::NotFound)?;
    let Some(kind) = MessageChannel::parse(&entry.channel) else {
        return Err(MessagingError::Conflict("a chat on a website cannot be answered from here".to_owned()));
    };
    check_reply(engine, actor, kind, reply).await?;
    // The channel that somebody wrote by; the workspace's own choice where that is gone.
    let by = match entry.channel_id {
        Some(channel) => channels::find(&reader, actor.workspace, channel).await?,
        None => None,
    };
    let request = reply.request.unwrap_or_else(|| MessageId::new(now, random_bytes()).0);
    let subject = reply.subject.as_ref().map(|subject| subject.trim().to_owned()).filter(|text| !text.is_empty());
    let row = NewOutgoing {
        id: messages::outgoing_id(actor.workspace, &format!("reply {id} {request}")),
        workspace_id: actor.workspace,
        lead_id: entry.lead_id,
        contact_id: None,
        kind,
        channel_id: by.filter(|channel| channel.is_active).map(|channel| channel.id),
        conversation_id: Some(id),
        template_id: reply.template,
        subject: match subject {
            None if kind == MessageChannel::Email => {
                Some(answering(inbox::last_subject(&reader, actor.workspace, id).await?.as_deref()))
            }
            subject => subject,
        },
        body: reply.text.clone().unwrap_or_default(),
        cause: Cause::User,
        cause_id: None,
        cause_step: None,
        user_id: actor.user,
        author_name: Some(actor.name.clone()),
        due_at: now.0,
        created_at: now.0,
    };
    let mut tx = engine.store.begin().await?;
    let is_new = !messages::insert_outgoing(&mut tx, std::slice::from_ref(&row)).await?.is_empty();
    if is_new {
        attachments::attach(&mut tx, actor, id, (row.id, kind), &reply.files).await?;
    }
    tell(engine, &mut tx, actor, id, now).await?;
    tx.commit().await?;
    engine.wake.messages.notify_one();
    Ok(row.id)
}

/// The subject of an answer. What somebody else wrote holds no placeholders of ours, whatever it looks like.
fn answering(subject: Option<&str>) -> String {
    let subject = subject.map(|text| text.replace('{', "(").replace('}', ")")).unwrap_or_default();
    let subject: String = subject.trim().chars().take(200).collect();
    match subject.as_str() {
        "" => "Re: your message".to_owned(),
        text if text.to_lowercase().starts_with("re:") => subject,
        text => format!("Re: {text}"),
    }
}

async fn check_reply(
    engine: &Engine,
    actor: &Actor,
    kind: MessageChannel,
    reply: &Reply,
) -> Result<(), MessagingError> {
    let Some(id) = reply.template else {
        let text = reply.text.as_deref().unwrap_or_default();
        if text.trim().is_empty() && reply.files.is_empty() {
            return Err(MessagingError::field("/message", "must say something"));
        }
        let fault = templates::check_text("/message", text, templates::most_chars(kind), Form::Text).err();
        let subject = reply.subject.as_deref().filter(|subject| !subject.trim().is_empty());
        let subject_fault = subject.and_then(|subject| checked_line("/subject", subject, 250).err());
        let faults: Vec<_> = fault.into_iter().chain(subject_fault).collect();
        return if faults.is_empty() { Ok(()) } else { Err(MessagingError::Invalid(faults)) };
    };
    if kind == MessageChannel::Whatsapp && !reply.files.is_empty() {
        return Err(MessagingError::field("/attachmentIds", "cannot go along with a template of WhatsApp"));
    }
    if reply.text.is_some() {
        return Err(MessagingError::field("/message", "say it, or name a template; not both"));
    }
    let found = message_templates::find(&engine.store.reader(), actor.workspace, id).await?;
    match found {
        Some(template) if template.channel != kind => {
            Err(MessagingError::field("/templateId", "is a template for another channel"))
        }
        Some(template) if template.approval != Approval::Approved => {
            Err(MessagingError::field("/templateId", "is not approved"))
        }
        Some(_) => Ok(()),
        None => Err(MessagingError::field("/templateId", "is no template of this workspace")),
    }
}

/// Keeps a text for later, or writes over the one of this name.
///
/// # Errors
/// Where it cannot be sent, there are too many, or the store fails.
pub async fn save_canned(
    engine: &Engine,
    actor: &Actor,
    name: &str,
    body: &str,
) -> Result<CannedReply, MessagingError> {
    let now = engine.clock.now();
    let name = checked_line("/name", name, MOST_NAME_CHARS).map_err(|fault| MessagingError::Invalid(vec![fault]))?;
    if body.trim().is_empty() {
        return Err(MessagingError::field("/body", "must say something"));
    }
    templates::check_text("/body", body, MOST_NOTE_CHARS, Form::Text)
        .map_err(|fault| MessagingError::Invalid(vec![fault]))?;
    let mut tx = engine.store.begin().await?;
    if canned_replies::count(&mut tx, actor.workspace).await? >= canned_replies::MOST {
        let detail = format!("a workspace has at most {} canned replies", canned_replies::MOST);
        return Err(MessagingError::Conflict(detail));
    }
    let reply = CannedReply {
        id: CannedReplyId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        name,
        body: body.to_owned(),
        created_at: now,
        updated_at: now,
    };
    let saved = canned_replies::save(&mut tx, &reply).await?;
    audit::record(&mut tx, now, actor, Deed::new("canned_reply.saved", saved.id, &saved.name)).await?;
    tx.commit().await?;
    Ok(saved)
}

/// Deletes a canned reply.
///
/// # Errors
/// Where it is not there, or the store fails.
pub async fn delete_canned(engine: &Engine, actor: &Actor, id: CannedReplyId) -> Result<(), MessagingError> {
    let mut tx = engine.store.begin().await?;
    let found = canned_replies::delete(&mut tx, actor.workspace, id).await?;
    let name = found.ok_or(MessagingError::NotFound)?;
    let deed = Deed::new("canned_reply.deleted", id, &name);
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, "Re: your message")]
    #[case(Some("Your roof"), "Re: Your roof")]
    #[case(Some("RE: Your roof"), "RE: Your roof")]
    #[case(Some("{{customFields.note}}"), "Re: ((customFields.note))")]
    fn an_answer_has_the_subject_of_what_it_answers(#[case] subject: Option<&str>, #[case] expected: &str) {
        assert_eq!(answering(subject), expected);
    }
}
