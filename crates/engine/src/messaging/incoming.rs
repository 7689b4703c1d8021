//! E-mail that comes in, whichever way: read, told apart, and put where it belongs. What a mail server reports moves the
//! message that it is about; what a program writes is shown and answers nothing; what we sent ourselves is passed over.

use leadline_domain::{
    emails::Email,
    ids::ChannelId,
    messaging::{
        MessageChannel, Provider, Status,
        callbacks::{Inbound, Report},
        incoming::{self, Author, IncomingMail},
    },
    time::Timestamp,
};
use leadline_outbound::same_secret;
use leadline_store::{
    Error, Tx,
    channels::{self, Channel},
};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::{
    callbacks::{self, CallbackError},
    inbound,
};
use crate::Engine;

/// Mails that are taken apart at the same time: each takes a thread and a few times its own size in memory.
static READING: Semaphore = Semaphore::const_new(2);

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is in a conversation, now or before.
    Kept,
    /// It reports of messages of ours.
    Reported,
    /// It is our own, or no mail.
    PassedOver,
}

/// Takes a mail that was posted to a channel.
///
/// # Errors
/// Where there is no such channel, it takes no mail or not from this sender, this is no mail, or the store fails.
pub async fn post(engine: &Engine, id: ChannelId, token: &str, raw: Vec<u8>) -> Result<Taken, CallbackError> {
    let channel = admit(engine, id, token).await?;
    let mail = read(raw).await.ok_or(CallbackError::Unreadable)?;
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let taken = take(engine, &mut tx, &channel, mail, now).await?;
    channels::note_callback(&mut tx, channel.id, now).await?;
    tx.commit().await?;
    Ok(taken)
}

/// The channel, if whoever posts knows its secret. Asked before anything is read.
///
/// # Errors
/// Where there is no such channel, or the secret is another.
pub async fn admit(engine: &Engine, id: ChannelId, token: &str) -> Result<Channel, CallbackError> {
    let found = channels::find_called(&engine.store.reader(), id).await?;
    let channel = found.filter(|channel| channel.provider == Provider::Smtp).ok_or(CallbackError::NotFound)?;
    let open = engine.channels.open(engine, &channel)?;
    let wanted = open.credential("inboundToken");
    if wanted.is_empty() || !same_secret(wanted, token) {
        return Err(CallbackError::Forged);
    }
    Ok(channel)
}

/// A mail taken apart, on a thread of its own; none where it is none, or broke what reads it.
pub(super) async fn read(raw: Vec<u8>) -> Option<IncomingMail> {
    let _place = READING.acquire().await.ok()?;
    tokio::task::spawn_blocking(move || {
        let mut mail = incoming::read(&raw)?;
        // Some programs give their mails no id; what is the same byte for byte is the same mail.
        mail.message_id.get_or_insert_with(|| format!("sha256-{}", hex(&Sha256::digest(&raw))));
        Some(mail)
    })
    .await
    .ok()?
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Puts a mail where it belongs.
///
/// # Errors
/// Where the database fails.
pub(super) async fn take(
    engine: &Engine,
    tx: &mut Tx,
    channel: &Channel,
    mail: IncomingMail,
    now: Timestamp,
) -> Result<Taken, Error> {
    let is_automatic = match mail.author {
        Author::Server(bounces) => {
            let reports: Vec<Report> = bounces
                .into_iter()
                .map(|bounce| Report {
                    provider_id: String::new(),
                    message_id: Some(bounce.message),
                    status: Status::Failed,
                    at: Some(now),
                    reason: Some((bounce.code, bounce.reason)),
                })
                .collect();
            let reports = callbacks::find(tx, channel, reports).await?;
            callbacks::apply(engine, tx, &reports, now).await?;
            return Ok(Taken::Reported);
        }
        Author::Program => true,
        Author::Person => false,
    };
    let from = mail.from.as_deref().and_then(Email::parse).map(|email| email.canonical);
    let (Some(address), Some(message_id)) = (from, mail.message_id) else { return Ok(Taken::PassedOver) };
    if is_own(channel, &address) {
        return Ok(Taken::PassedOver);
    }
    let said = Inbound {
        name: mail.name,
        subject: mail.subject,
        quoted: mail.quoted,
        answers: mail.answers,
        is_automatic,
        files: mail.files,
        ..Inbound::text(MessageChannel::Email, message_id, Some(address), mail.text)
    };
    inbound::receive(engine, tx, channel, &said, now).await?;
    Ok(Taken::Kept)
}

/// Whether a channel wrote this itself: a copy to its own mailbox, or a mail that came back in a circle.
fn is_own(channel: &Channel, address: &str) -> bool {
    let own = ["from", "replyTo"].into_iter().filter_map(|name| channel.settings.get(name)?.as_str());
    let address_in = |text: &str| {
        let inner = text.rsplit_once('<').map_or(text, |(_, rest)| rest.trim_end_matches('>'));
        Email::parse(inner).map(|email| email.canonical)
    };
    own.filter_map(address_in).any(|own| own == address)
}
