//! Sending a message to leads that somebody chose, at once.

use std::collections::{BTreeSet, HashMap};

use leadline_domain::{
    ids::{CauseId, ChannelId, LeadId, MessageId, MessageTemplateId, derived},
    messaging::{
        self, Approval, Candidate, MessageChannel,
        sending::{self, Facts, Skip},
    },
    templates::Form,
    time::Timestamp,
};
use leadline_store::{
    channels::{self, Channel},
    message_templates::{self, MessageTemplate},
    messages::{
        self, Cause, NewOutgoing,
        recipients::{self, Recipient},
    },
};
use uuid::Uuid;

use super::{Fault, MessagingError, checked_line, suppression, templates};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// Leads of one request.
pub const MOST_LEADS: usize = 1_000;

const MOST_SUBJECT_CHARS: usize = 250;

/// What somebody sends.
#[derive(Debug, Clone)]
pub struct QuickSend {
    /// To whom.
    pub leads: Vec<LeadId>,
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// By this channel; the workspace's own choice where none is named.
    pub channel: Option<ChannelId>,
    /// Made of this template.
    pub template: Option<MessageTemplateId>,
    /// Of e-mail: the subject.
    pub subject: Option<String>,
    /// What it says, where it is made of no template.
    pub text: Option<String>,
    /// Names the request: sent twice, it is carried out once.
    pub request: Option<Uuid>,
}

/// What became of one lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The lead.
    pub lead: LeadId,
    /// The message that waits to be sent, or why there is none.
    pub result: Result<MessageId, Skip>,
}

/// Puts a message to each lead into the queue, as far as nothing speaks against it that is known already.
///
/// # Errors
/// Where what somebody sends cannot be sent to anybody, or the store fails.
pub async fn send(engine: &Engine, actor: &Actor, quick: &QuickSend) -> Result<Vec<Outcome>, MessagingError> {
    let now = engine.clock.now();
    let leads: Vec<LeadId> = quick.leads.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
    if leads.is_empty() || leads.len() > MOST_LEADS {
        return Err(MessagingError::field("/leadIds", &format!("must name 1 to {MOST_LEADS} leads")));
    }
    let reader = engine.store.reader();
    let template = match quick.template {
        Some(id) => message_templates::find(&reader, actor.workspace, id).await?,
        None => None,
    };
    check(quick, template.as_ref())?;
    let channels = channels::list(&reader, actor.workspace).await?;
    if quick.channel.is_some_and(|id| channels.iter().all(|channel| channel.id != id)) {
        return Err(MessagingError::field("/channelId", "is no channel of this workspace"));
    }
    let cause = cause(actor, quick, now);

    let mut tx = engine.store.begin().await?;
    let found: HashMap<LeadId, Recipient> =
        recipients::list(&mut tx, actor.workspace, &leads).await?.into_iter().map(|one| (one.lead_id, one)).collect();
    let mut outcomes = Vec::with_capacity(leads.len());
    let mut rows = Vec::new();
    for lead in leads {
        let recipient = found.get(&lead);
        let mut result = decide(quick, template.as_ref(), recipient, &channels, now);
        if let (Ok(()), Some(one)) = (result, recipient) {
            let addresses = (one.email.as_deref(), one.phone.as_deref());
            if suppression::is_listed(engine, &mut tx, actor.workspace, addresses).await? {
                result = Err(Skip::Suppressed);
            }
        }
        let row = recipient.map(|one| row(quick, actor, one, cause, now));
        outcomes.push(Outcome {
            lead,
            result: match (result, &row) {
                (Ok(()), Some(row)) => Ok(row.id),
                (Err(skip), _) => Err(skip),
                (Ok(()), None) => Err(Skip::LeadGone),
            },
        });
        rows.extend(row.filter(|_| result.is_ok()));
    }
    messages::insert_outgoing(&mut tx, &rows).await?;
    let deed = Deed::new("message.sent", cause, quick.kind.label());
    let deed = deed.with(serde_json::json!({"channel": quick.kind, "leads": outcomes.len(), "queued": rows.len()}));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    engine.wake.messages.notify_one();
    Ok(outcomes)
}

fn check(quick: &QuickSend, template: Option<&MessageTemplate>) -> Result<(), MessagingError> {
    let mut faults = Vec::new();
    match (quick.template, template, &quick.text) {
        (Some(_), None, _) => faults.push(Fault::new("/templateId", "is no template of this workspace")),
        (Some(_), Some(_), Some(_)) => faults.push(Fault::new("/message", "say it, or name a template; not both")),
        (Some(_), Some(one), None) if one.channel != quick.kind => {
            faults.push(Fault::new("/templateId", "is a template for another channel"));
        }
        (Some(_), Some(one), None) if one.approval != Approval::Approved => {
            faults.push(Fault::new("/templateId", "is not approved"));
        }
        (Some(_), Some(_), None) => {}
        (None, _, Some(text)) => faults.extend(check_words(quick, text)),
        (None, _, None) => faults.push(Fault::new("/message", "is required where no template is named")),
    }
    if faults.is_empty() { Ok(()) } else { Err(MessagingError::Invalid(faults)) }
}

fn check_words(quick: &QuickSend, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    if text.trim().is_empty() {
        faults.push(Fault::new("/message", "must say something"));
    }
    faults.extend(templates::check_text("/message", text, templates::most_chars(quick.kind), Form::Text).err());
    match (&quick.subject, quick.kind) {
        (Some(subject), MessageChannel::Email) => {
            faults.extend(checked_line("/subject", subject, MOST_SUBJECT_CHARS).err());
            faults.extend(templates::check_text("/subject", subject, MOST_SUBJECT_CHARS, Form::Text).err());
        }
        (None, MessageChannel::Email) => faults.push(Fault::new("/subject", "is required for e-mail")),
        (Some(_), MessageChannel::Whatsapp | MessageChannel::Sms) => {
            faults.push(Fault::new("/subject", "is for e-mail alone"));
        }
        (None, MessageChannel::Whatsapp | MessageChannel::Sms) => {}
    }
    faults
}

fn cause(actor: &Actor, quick: &QuickSend, now: Timestamp) -> CauseId {
    quick.request.map_or_else(
        || CauseId::new(now, random_bytes()),
        |request| CauseId(derived("leadline quick send v1", &[actor.workspace.0.as_bytes(), request.as_bytes()])),
    )
}

/// What is known now; it is decided once more when the message is sent.
fn decide(
    quick: &QuickSend,
    template: Option<&MessageTemplate>,
    recipient: Option<&Recipient>,
    channels: &[Channel],
    now: Timestamp,
) -> Result<(), Skip> {
    let candidates: Vec<Candidate<ChannelId>> =
        channels.iter().map(|one| Candidate { id: one.id, provider: one.provider, is_active: one.is_active }).collect();
    let chosen = quick.channel.or_else(|| messaging::choose(quick.kind, &candidates));
    let chosen = channels.iter().find(|channel| Some(channel.id) == chosen);
    let facts = Facts {
        kind: quick.kind,
        channel: chosen.map(|channel| (channel.provider, channel.is_active)),
        is_channel_deleted: false,
        has_lead: recipient.is_some(),
        email: recipient.and_then(|one| one.email.as_deref()),
        phone: recipient.and_then(|one| one.phone.as_deref()),
        address: None,
        is_suppressed: false,
        template: template.map_or(sending::Template::None, |one| sending::Template::There(one.approval)),
        last_inbound_at: recipient.and_then(|one| one.last_inbound_at(quick.kind)),
        now,
    };
    sending::decide(&facts).map(drop)
}

fn row(quick: &QuickSend, actor: &Actor, recipient: &Recipient, cause: CauseId, now: Timestamp) -> NewOutgoing {
    NewOutgoing {
        id: messages::outgoing_id(actor.workspace, &format!("quick {cause} {}", recipient.lead_id)),
        workspace_id: actor.workspace,
        lead_id: Some(recipient.lead_id),
        contact_id: Some(recipient.contact_id),
        kind: quick.kind,
        channel_id: quick.channel,
        conversation_id: None,
        template_id: quick.template,
        subject: quick.subject.as_ref().map(|subject| subject.trim().to_owned()),
        body: quick.text.clone().unwrap_or_default(),
        cause: Cause::User,
        cause_id: Some(cause),
        cause_step: None,
        user_id: actor.user,
        author_name: Some(actor.name.clone()),
        due_at: now.0,
        created_at: now.0,
    }
}
