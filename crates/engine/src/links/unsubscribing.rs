//! Unsubscribing by the link of a message: into the suppression list, with proof, and out of what was agreed to.

use leadline_domain::{
    emails::Email,
    ids::SuppressionId,
    messaging::{MessageChannel, hits::Kind},
};
use leadline_store::{
    Error,
    capture::IdentityKey,
    events,
    links::{self as stored, LinkedMessage},
    suppressions::{self, Suppression},
    workspaces,
};
use serde_json::json;

use super::{
    Purpose, Token,
    hits::{self, Note, Visitor},
};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// Who is said to have done it.
const BY: &str = "Unsubscribe link";

/// What somebody sees before they unsubscribe, or after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Who wrote to them.
    pub from: String,
    /// By which kind of channel.
    pub channel: MessageChannel,
    /// Whether they did so already, by this link.
    pub is_done: bool,
}

/// Whether somebody pressed the button on our page, or their mailbox did it for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// The button on the page.
    Page,
    /// One click in the mailbox (RFC 8058).
    OneClick,
}

impl How {
    const fn words(self) -> &'static str {
        match self {
            Self::Page => "by the link of a message",
            Self::OneClick => "by one click in the mailbox",
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::OneClick => "one_click",
        }
    }
}

async fn find(engine: &Engine, token: &str) -> Result<Option<LinkedMessage>, Error> {
    // The hash is looked at before the store is asked.
    let is_ours = |token: &Token| token.leads_to(&engine.keys, Purpose::Unsubscribe, "");
    match Token::read(token).filter(is_ours) {
        Some(token) => stored::find_message(&engine.store.reader(), token.message).await,
        None => Ok(None),
    }
}

async fn standing(engine: &Engine, message: &LinkedMessage, is_done: bool) -> Result<Standing, Error> {
    let workspace = workspaces::find(&engine.store.reader(), message.workspace_id).await?;
    Ok(Standing { from: workspace.map(|one| one.name).unwrap_or_default(), channel: message.kind, is_done })
}

/// What the page of a link shows; none where the link is not ours, or its message is gone. Nothing changes by it but
/// what is written down of who looked.
///
/// # Errors
/// Where the store fails.
pub async fn look(engine: &Engine, token: &str, visitor: &Visitor, note: Note) -> Result<Option<Standing>, Error> {
    let Some(message) = find(engine, token).await? else { return Ok(None) };
    if note == Note::Hit {
        hits::write_or_warn(engine, &message, (Kind::Page, "unsubscribe"), visitor).await;
    }
    standing(engine, &message, false).await.map(Some)
}

/// Unsubscribes whoever got the message; none where the link is not ours, or its message is gone. A repeat changes
/// nothing, unless somebody took them out of the list meanwhile.
///
/// # Errors
/// Where the store fails.
pub async fn unsubscribe(engine: &Engine, token: &str, how: How) -> Result<Option<Standing>, Error> {
    let Some(message) = find(engine, token).await? else { return Ok(None) };
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let Some(was) = stored::lock(&mut tx, &message).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    let actor = Actor::system(message.workspace_id, BY);
    let mut is_listed_now = false;
    if let Some((kind, key)) = key_of(engine, &message) {
        let id = SuppressionId::new(now, random_bytes());
        let new = Suppression {
            id,
            key,
            kind: kind.to_owned(),
            reason: "unsubscribed".to_owned(),
            note: Some(format!("Unsubscribed {} ({})", how.words(), message.id)),
            added_by: BY.to_owned(),
            added_at: now,
        };
        is_listed_now = suppressions::add(&mut tx, message.workspace_id, &new).await?;
        if is_listed_now {
            let proof = json!({"kind": kind, "messageId": message.id, "how": how.as_str()});
            audit::record(&mut tx, now, &actor, Deed::new("suppression.added", id, "").with(proof)).await?;
        }
    }
    if is_listed_now || was.unsubscribed_at.is_none() {
        stored::withdraw_consents(&mut tx, &message, (BY, now)).await?;
        let line = hits::line(&message, "message.unsubscribed", now);
        events::insert_activities(&mut tx, &[line]).await?;
        events::append(&mut tx, &[hits::event(&message, "message.unsubscribed", now)]).await?;
    }
    let is = stored::Reactions { unsubscribed_at: was.unsubscribed_at.or(Some(now)), ..was };
    stored::write(&mut tx, message.id, &is).await?;
    hits::count(&mut tx, &message, hits::difference(&was, &is), now).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    standing(engine, &message, true).await.map(Some)
}

/// The keyed hash of the address that the message went to, as contacts are known by it.
fn key_of(engine: &Engine, message: &LinkedMessage) -> Option<(&'static str, IdentityKey)> {
    let address = message.address.as_deref()?;
    let key = |kind: &str, value: &str| IdentityKey(engine.keys.identity(message.workspace_id.0, kind, value));
    match message.kind {
        MessageChannel::Email => {
            let email = Email::parse(address)?;
            Some(("email", key("contact_email", &email.canonical)))
        }
        MessageChannel::Whatsapp | MessageChannel::Sms => Some(("phone", key("contact_phone", address))),
    }
}
