//! Making, changing and deleting templates, and showing what they would say.

use leadline_domain::{
    ids::MessageTemplateId,
    messaging::{Approval, MessageChannel, variables},
    templates::{Form, TemplateError},
};
use leadline_store::{
    Error,
    message_templates::{self, MessageTemplate},
};
use serde_json::Value;

use super::{Fault, MessagingError, checked_line};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

const MOST_NAME_CHARS: usize = 120;
const MOST_SUBJECT_CHARS: usize = 250;
/// The longest text of a message that is no e-mail: WhatsApp's bound, and ten text messages.
const MOST_TEXT_CHARS: usize = 1_600;
/// The longest e-mail, as text or as a page.
const MOST_LETTER_CHARS: usize = 50_000;

/// What somebody wants a template to be; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of a template under their own names")]
pub struct Wish {
    pub channel: Option<MessageChannel>,
    pub name: Option<String>,
    pub language: Option<String>,
    pub subject: Option<Option<String>>,
    pub body: Option<String>,
    pub body_html: Option<Option<String>>,
    pub approval: Option<Approval>,
    pub approval_reason: Option<Option<String>>,
    pub provider_name: Option<Option<String>>,
}

/// Makes a template.
///
/// # Errors
/// Where something about it is not valid, its name is taken, or the store fails.
pub async fn create(engine: &Engine, actor: &Actor, wish: &Wish) -> Result<MessageTemplate, MessagingError> {
    let now = engine.clock.now();
    let mut template = MessageTemplate {
        id: MessageTemplateId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        channel: wish.channel.unwrap_or(MessageChannel::Email),
        name: String::new(),
        language: "en".to_owned(),
        subject: None,
        body: String::new(),
        body_html: None,
        approval: Approval::Approved,
        approval_reason: None,
        provider_name: None,
        category: None,
        synced_at: None,
        created_at: now,
        updated_at: now,
    };
    apply(&mut template, wish)?;
    let mut tx = engine.store.begin().await?;
    if message_templates::count(&mut tx, actor.workspace).await? >= message_templates::MOST {
        return Err(MessagingError::Conflict(format!("a workspace has at most {} templates", message_templates::MOST)));
    }
    message_templates::insert(&mut tx, &template).await.map_err(taken)?;
    audit::record(&mut tx, now, actor, Deed::new("message_template.created", template.id, &template.name)).await?;
    tx.commit().await?;
    Ok(template)
}

/// Changes a template. Messages that wait for their turn say what it says then.
///
/// # Errors
/// Where it is not there, something about it is not valid, or the store fails.
pub async fn update(
    engine: &Engine,
    actor: &Actor,
    id: MessageTemplateId,
    wish: &Wish,
) -> Result<MessageTemplate, MessagingError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let found = message_templates::lock(&mut tx, actor.workspace, id).await?;
    let mut template = found.ok_or(MessagingError::NotFound)?;
    apply(&mut template, wish)?;
    template.updated_at = now;
    message_templates::update(&mut tx, &template).await.map_err(taken)?;
    audit::record(&mut tx, now, actor, Deed::new("message_template.updated", id, &template.name)).await?;
    tx.commit().await?;
    Ok(template)
}

/// Deletes a template. Messages that wait for it are not sent.
///
/// # Errors
/// Where it is not there, or the store fails.
pub async fn delete(engine: &Engine, actor: &Actor, id: MessageTemplateId) -> Result<(), MessagingError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let found = message_templates::lock(&mut tx, actor.workspace, id).await?;
    let template = found.ok_or(MessagingError::NotFound)?;
    message_templates::delete(&mut tx, actor.workspace, id, now).await?;
    audit::record(&mut tx, now, actor, Deed::new("message_template.deleted", id, &template.name)).await?;
    tx.commit().await?;
    Ok(())
}

fn taken(error: Error) -> MessagingError {
    match error {
        Error::Exists => MessagingError::field("/name", "is taken by another template of this channel"),
        error => error.into(),
    }
}

fn apply(template: &mut MessageTemplate, wish: &Wish) -> Result<(), MessagingError> {
    let mut faults = Vec::new();
    if let Some(channel) = wish.channel {
        template.channel = channel;
    }
    if let Some(name) = &wish.name {
        template.name.clone_from(name);
    }
    match checked_line("/name", &template.name, MOST_NAME_CHARS) {
        Ok(name) => template.name = name,
        Err(fault) => faults.push(fault),
    }
    if let Some(language) = &wish.language {
        let is_code = (2..=15).contains(&language.len())
            && language.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if is_code {
            template.language.clone_from(language);
        } else {
            faults.push(Fault::new("/language", "must be a code such as en or pt_BR"));
        }
    }
    if let Some(subject) = &wish.subject {
        template.subject = subject.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    }
    if let Some(body) = &wish.body {
        template.body.clone_from(body);
    }
    if let Some(html) = &wish.body_html {
        template.body_html = html.clone().filter(|text| !text.trim().is_empty());
    }
    if let Some(approval) = wish.approval {
        template.approval = approval;
    }
    if let Some(reason) = &wish.approval_reason {
        template.approval_reason = reason.as_ref().map(|text| text.chars().filter(|c| *c != '\0').take(500).collect());
    }
    if let Some(name) = &wish.provider_name {
        template.provider_name = name.as_ref().map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    }
    if template.provider_name.as_ref().is_some_and(|name| checked_line("", name, 512).is_err()) {
        faults.push(Fault::new("/providerName", "must have at most 512 characters in one line"));
    }
    faults.extend(check_texts(template));
    if faults.is_empty() { Ok(()) } else { Err(MessagingError::Invalid(faults)) }
}

fn check_texts(template: &MessageTemplate) -> Vec<Fault> {
    let mut faults = Vec::new();
    let is_letter = template.channel == MessageChannel::Email;
    let most = if is_letter { MOST_LETTER_CHARS } else { MOST_TEXT_CHARS };
    faults.extend(check_text("/body", &template.body, most, Form::Text).err());
    if template.body.trim().is_empty() {
        faults.push(Fault::new("/body", "must say something"));
    }
    match (&template.subject, is_letter) {
        (None, true) => faults.push(Fault::new("/subject", "is required for e-mail")),
        (Some(_), false) => faults.push(Fault::new("/subject", "is for e-mail alone")),
        (Some(subject), true) => {
            faults.extend(checked_line("/subject", subject, MOST_SUBJECT_CHARS).err());
            faults.extend(check_text("/subject", subject, MOST_SUBJECT_CHARS, Form::Text).err());
        }
        (None, false) => {}
    }
    if let Some(html) = &template.body_html {
        if !is_letter {
            faults.push(Fault::new("/html", "is for e-mail alone"));
        }
        faults.extend(check_text("/html", html, MOST_LETTER_CHARS, Form::Html).err());
    }
    faults
}

/// Whether a text can be sent: its length, its signs, its placeholders.
pub(super) fn check_text(pointer: &str, text: &str, most: usize, form: Form) -> Result<(), Fault> {
    if text.chars().count() > most {
        return Err(Fault::new(pointer, format!("must have at most {most} characters")));
    }
    if text.contains('\0') {
        return Err(Fault::new(pointer, "must not hold U+0000"));
    }
    let refused = |error: TemplateError| Fault::new(pointer, error.to_string());
    variables::parse(text, form).map(drop).map_err(refused)
}

/// The longest text that somebody writes by hand.
pub(super) fn most_chars(channel: MessageChannel) -> usize {
    if channel == MessageChannel::Email { MOST_LETTER_CHARS } else { MOST_TEXT_CHARS }
}

/// What a template says to somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the parts of a message under their own names")]
pub struct Said {
    pub subject: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
}

/// Fills texts in.
#[must_use]
pub fn say(subject: Option<&str>, body: &str, body_html: Option<&str>, values: &Value) -> Said {
    Said {
        subject: subject.map(|text| variables::fill(text, Form::Text, values)),
        body: variables::fill(body, Form::Text, values),
        body_html: body_html.map(|text| variables::fill(text, Form::Html, values)),
    }
}
