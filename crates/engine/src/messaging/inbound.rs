//! What people write to us: into the conversation that was made when they were captured, and told by an event.

use leadline_domain::{
    emails::Email,
    ids::{ActivityId, ContactId, ConversationId, EventId, LeadId, MessageId, derived},
    messaging::{MessageChannel, callbacks::Inbound},
    phones::Phone,
    time::{HOUR_MS, Timestamp},
    widgets::Reference,
};
use leadline_store::{
    Error, Tx,
    capture::IdentityKey,
    channels::Channel,
    events::{self, NewActivity, NewEvent},
    messages::inbound::{self as rows, NewInbound, Sender, Thread},
};
use serde_json::json;

use super::attachments;
use crate::{Engine, random_bytes};

/// Letters of one conversation in an hour that are taken for somebody's own.
const MOST_LETTERS_AN_HOUR: i64 = 30;

/// A message that somebody wrote, where it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrived {
    /// The message.
    pub message: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The lead that it belongs to.
    pub lead: Option<LeadId>,
}

/// An address as it is kept: E.164, or an e-mail address in its canonical form.
#[must_use]
pub fn canonical(kind: MessageChannel, address: &str) -> Option<String> {
    match kind {
        MessageChannel::Whatsapp | MessageChannel::Sms => Phone::parse(address, None, None).map(|phone| phone.e164),
        MessageChannel::Email => Email::parse(address).map(|email| email.canonical),
    }
}

/// Puts what somebody wrote where it belongs; none where it came before.
///
/// # Errors
/// Where the database fails.
pub(super) async fn receive(
    engine: &Engine,
    tx: &mut Tx,
    channel: &Channel,
    said: &Inbound,
    now: Timestamp,
) -> Result<Option<Arrived>, Error> {
    let sender = Sender {
        workspace: channel.workspace_id,
        kind: said.kind,
        channel: channel.id,
        address: said.address.as_deref(),
        person_ref: said.person_ref.as_deref(),
    };
    let (thread, went_to) = match rows::find_answered(tx, &sender, &said.answers).await? {
        // Whoever answers from elsewhere, or was sent our message by its reader, does not redirect the conversation.
        Some((thread, went_to)) => (thread, went_to),
        None => (find_thread(engine, tx, &sender, said, now).await?, said.address.clone()),
    };
    let sender = Sender { address: went_to.as_deref(), ..sender };
    let mut row = row(&thread, channel, said, now);
    row.is_automatic = said.is_automatic || is_a_loop(tx, &row, now).await?;
    if !rows::insert(tx, &row).await? {
        return Ok(None);
    }
    attachments::keep(tx, &row, &said.files, now).await?;
    if row.is_automatic {
        rows::show_automatic(tx, &sender, &row).await?;
        tell_screens(tx, &row, now).await?;
    } else {
        rows::show_received(tx, &sender, &row).await?;
        if let (Some(contact), Some(referral)) = (thread.contact_id, &said.referral) {
            rows::keep_referral(tx, contact, referral).await?;
        }
        tell(tx, &thread, &row, now).await?;
    }
    engine.wake.events.notify_one();
    Ok(Some(Arrived { message: row.id, conversation: thread.id, lead: thread.lead_id }))
}

/// Nobody writes so many letters in an hour: two programs answer each other, and ours has to stop.
async fn is_a_loop(tx: &mut Tx, row: &NewInbound, now: Timestamp) -> Result<bool, Error> {
    if row.channel != MessageChannel::Email {
        return Ok(false);
    }
    let since = now.plus_ms(-HOUR_MS);
    Ok(rows::count_since(tx, row.conversation_id, since, MOST_LETTERS_AN_HOUR).await? >= MOST_LETTERS_AN_HOUR)
}

/// Open screens show it; nothing follows from it.
async fn tell_screens(tx: &mut Tx, row: &NewInbound, now: Timestamp) -> Result<(), Error> {
    let event = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: row.workspace_id,
        kind: "conversation.changed".to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({"conversationId": row.conversation_id}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[event]).await
}

/// By the code in the message, then by what the provider calls the person, then by their address; else a new one.
async fn find_thread(
    engine: &Engine,
    tx: &mut Tx,
    sender: &Sender<'_>,
    said: &Inbound,
    now: Timestamp,
) -> Result<Thread, Error> {
    if let Some(code) = Reference::find(&said.text)
        && let Some(thread) = rows::find_by_reference(tx, sender.workspace, code.as_str()).await?
    {
        return Ok(thread);
    }
    if let Some(thread) = rows::find_by_person(tx, sender).await? {
        return Ok(thread);
    }
    if let Some(thread) = rows::find_by_address(tx, sender).await? {
        return Ok(thread);
    }
    let person = find_person(engine, tx, sender).await?;
    if let Some((_, Some(lead))) = person
        && let Some(thread) = rows::find_of_lead(tx, lead, sender.kind).await?
    {
        return Ok(thread);
    }
    let (contact, lead) = person.map_or((None, None), |(contact, lead)| (Some(contact), lead));
    rows::open(tx, new_thread(sender), sender, (contact, lead), now).await
}

async fn find_person(
    engine: &Engine,
    tx: &mut Tx,
    sender: &Sender<'_>,
) -> Result<Option<(ContactId, Option<LeadId>)>, Error> {
    let Some(address) = sender.address else { return Ok(None) };
    let kind = match sender.kind {
        MessageChannel::Whatsapp | MessageChannel::Sms => "contact_phone",
        MessageChannel::Email => "contact_email",
    };
    let key = IdentityKey(engine.keys.identity(sender.workspace.0, kind, address));
    rows::find_contact(tx, sender.workspace, key).await
}

/// Follows from who writes, so that two first messages at once begin one conversation.
fn new_thread(sender: &Sender<'_>) -> ConversationId {
    let who = sender.person_ref.or(sender.address).unwrap_or_default();
    let parts = [sender.workspace.0.as_bytes().as_slice(), sender.kind.as_str().as_bytes(), who.as_bytes()];
    ConversationId(derived("leadline inbound thread v1", &parts))
}

fn row(thread: &Thread, channel: &Channel, said: &Inbound, now: Timestamp) -> NewInbound {
    // The same message of the same channel is the same row, however often its provider tells of it.
    let id = derived("leadline inbound message v1", &[channel.id.0.as_bytes(), said.provider_id.as_bytes()]);
    NewInbound {
        id: MessageId(id),
        workspace_id: channel.workspace_id,
        conversation_id: thread.id,
        direction: "inbound",
        author: "visitor",
        author_name: said.name.clone(),
        lead_id: thread.lead_id,
        contact_id: thread.contact_id,
        channel: said.kind,
        channel_id: channel.id,
        address: said.address.clone().or_else(|| said.person_ref.clone()),
        subject: said.subject.clone(),
        body: said.text.clone(),
        quoted: said.quoted.clone(),
        is_automatic: said.is_automatic,
        status: "received",
        status_at: now.0,
        provider_id: Some(said.provider_id.clone()),
        referral: said.referral.clone(),
        sent_at: now.0,
        position: 0,
        created_at: now.0,
    }
}

async fn tell(tx: &mut Tx, thread: &Thread, row: &NewInbound, now: Timestamp) -> Result<(), Error> {
    let data = json!({
        "messageId": row.id,
        "leadId": thread.lead_id,
        "contactId": thread.contact_id,
        "conversationId": thread.id,
        "channel": row.channel,
        "channelId": row.channel_id,
        "tags": thread.tags,
    });
    let event = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: row.workspace_id,
        kind: "message.received".to_owned(),
        lead_id: thread.lead_id,
        submission_id: None,
        data,
        created_at: now.0,
        dispatched: false,
    };
    events::append(tx, &[event]).await?;
    let Some(lead_id) = thread.lead_id else { return Ok(()) };
    let line = NewActivity {
        id: ActivityId::new(now, random_bytes()),
        workspace_id: row.workspace_id,
        lead_id,
        kind: "message.received".to_owned(),
        actor_kind: "visitor",
        actor_id: None,
        actor_name: row.author_name.clone().unwrap_or_default(),
        data: json!({"messageId": row.id, "channel": row.channel, "conversationId": thread.id}),
        created_at: now.0,
    };
    events::insert_activities(tx, &[line]).await
}
