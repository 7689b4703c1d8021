//! Mailboxes of channels: each is looked into every half minute, by one node, and what came since goes where it belongs.
//!
//! How far a mailbox was read is written down in the transaction that keeps what was read, and a mail is known by its
//! own id as well, so that none is kept twice, whoever dies and whenever. Nothing in the mailbox is moved or deleted.

use std::time::Duration;

use leadline_domain::{
    ids::ChannelId,
    messaging::incoming::MAIL_MAX_BYTES,
    time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp},
};
use leadline_outbound::{Mailbox, MailboxError, MailboxServer};
use leadline_store::{
    Error, Tx,
    channels::{self, Channel},
    mailboxes,
};
use tokio::{sync::watch, task::JoinSet};

use super::{incoming, send::OpenChannel};
use crate::Engine;

/// How often mailboxes that are due are looked for.
const POLL: Duration = Duration::from_secs(2);

/// How often a mailbox is looked into.
const EVERY_MS: i64 = 30 * SECOND_MS;

/// How long whoever took a mailbox has it to themselves.
const LEASE_MS: i64 = 10 * MINUTE_MS;

/// Mailboxes that one node reads at the same time.
const AT_ONCE: i64 = 8;

/// Mails of one turn.
const MAILS: usize = 50;

/// The longest wait after failures.
const LONGEST_WAIT_MS: i64 = 15 * MINUTE_MS;

/// Keeps track of a channel's mailbox, or of none any more.
///
/// # Errors
/// Where the database fails.
pub(super) async fn keep(tx: &mut Tx, was: Option<&Channel>, is: &Channel, now: Timestamp) -> Result<(), Error> {
    if !is.settings.contains_key("imapServer") || !is.is_active {
        return if is.is_active { mailboxes::drop_of(tx, is.id).await } else { mailboxes::pause(tx, is.id).await };
    }
    let place = |channel: &Channel| {
        ["imapServer", "imapUsername", "imapFolder"].map(|name| channel.settings.get(name).cloned())
    };
    let is_another = was.is_some_and(|was| place(was) != place(is));
    mailboxes::keep(tx, is.workspace_id, is.id, is_another, now).await
}

/// Reads mailboxes until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut reading = JoinSet::new();
    while !*stop.borrow() {
        while reading.try_join_next().is_some() {}
        let room = AT_ONCE - reading.len() as i64;
        match mailboxes::list_due(&engine.store.reader(), engine.clock.now(), room).await {
            Ok(due) => {
                for channel in due {
                    let engine = engine.clone();
                    reading.spawn(async move { read_and_log(&engine, channel).await });
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "mailboxes wait for the store"),
        }
        tokio::select! {
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
    reading.abort_all();
}

async fn read_and_log(engine: &Engine, channel: ChannelId) {
    if let Err(error) = read_one(engine, channel).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "what came into a mailbox could not be kept");
    }
}

/// Reads every mailbox that is due, and tells how many that were. For tests, which say themselves when.
///
/// # Errors
/// Where the database fails.
pub async fn read_due(engine: &Engine) -> Result<usize, Error> {
    let due = mailboxes::list_due(&engine.store.reader(), engine.clock.now(), AT_ONCE).await?;
    for channel in &due {
        read_one(engine, *channel).await?;
    }
    Ok(due.len())
}

async fn read_one(engine: &Engine, id: ChannelId) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let taken = mailboxes::take(&mut tx, id, now, now.plus_ms(LEASE_MS)).await?;
    tx.commit().await?;
    let Some(taken) = taken else { return Ok(()) };
    let Some(channel) = channels::find(&engine.store.reader(), taken.workspace_id, id).await? else { return Ok(()) };
    let read = match engine.channels.open(engine, &channel) {
        Ok(open) => read_new(engine, &channel, &open, &taken).await,
        Err(_) => Err(Failure::Mailbox(MailboxError("the channel's secrets cannot be opened".to_owned()))),
    };
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    match read {
        Ok(has_more) => {
            let next = if has_more { now } else { now.plus_ms(EVERY_MS) };
            mailboxes::rest(&mut tx, id, next, Some(now)).await?;
            if taken.failures > 0 {
                channels::clear_error(&mut tx, id).await?;
            }
        }
        Err(Failure::Mailbox(MailboxError(text))) => {
            let wait = (EVERY_MS << taken.failures.clamp(0, 10)).min(LONGEST_WAIT_MS);
            mailboxes::rest(&mut tx, id, now.plus_ms(wait), None).await?;
            channels::note_error(&mut tx, id, &text, now).await?;
        }
        Err(Failure::Store(error)) => return Err(error),
    }
    tx.commit().await
}

#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Mailbox(#[from] MailboxError),
    #[error(transparent)]
    Store(#[from] Error),
}

/// Reads what came since, and tells whether there is more.
async fn read_new(
    engine: &Engine,
    channel: &Channel,
    open: &OpenChannel,
    before: &mailboxes::Mailbox,
) -> Result<bool, Failure> {
    let mut mailbox = engine.client.open_mailbox(&server(open), engine.options.mail_trust.clone()).await?;
    let result = read_mails(engine, channel, &mut mailbox, before).await;
    mailbox.leave().await;
    result
}

pub(super) fn server(open: &OpenChannel) -> MailboxServer<'_> {
    let folder = open.setting("imapFolder");
    MailboxServer {
        url: open.setting("imapServer"),
        username: open.setting("imapUsername"),
        password: open.credential("imapPassword"),
        folder: if folder.is_empty() { "INBOX" } else { folder },
        is_marked: open.setting("imapMarksRead") == "yes",
    }
}

async fn read_mails(
    engine: &Engine,
    channel: &Channel,
    mailbox: &mut Mailbox,
    before: &mailboxes::Mailbox,
) -> Result<bool, Failure> {
    let validity = mailbox.uid_validity;
    let uids = match before.uid_validity {
        // What was there before the channel was made is nobody's answer to us.
        None => {
            let mut tx = engine.store.begin().await?;
            mailboxes::advance(&mut tx, channel.id, validity, mailbox.uid_next - 1).await?;
            tx.commit().await?;
            return Ok(false);
        }
        Some(known) if known == validity => mailbox.list_after(before.last_uid).await?,
        // The server counts anew: what came since the day of the last look is read again, and known by its own id.
        Some(_) => {
            let since = before.read_at.unwrap_or(engine.clock.now()).plus_ms(-DAY_MS);
            let mut found = mailbox.list_since(since.0).await?;
            found.drain(..found.len().saturating_sub(MAILS * 10));
            found
        }
    };
    let is_recounted = before.uid_validity != Some(validity);
    // Read in one go then, so that the counting and how far it was read belong together.
    let turn = if is_recounted { uids.len() } else { MAILS };
    for uid in uids.iter().take(turn) {
        let found = mailbox.read(*uid, MAIL_MAX_BYTES).await?;
        let mail = match found {
            Some(found) => incoming::read(found.bytes).await.map(|mail| (mail, found.is_whole)),
            None => None,
        };
        let now = engine.clock.now();
        let mut tx = engine.store.begin().await?;
        if let Some((mut mail, is_whole)) = mail {
            if !is_whole {
                mail.text = "[This e-mail is too large to be shown here; it is in the mailbox]".to_owned();
                mail.quoted = None;
                mail.files.clear();
            }
            incoming::take(engine, &mut tx, channel, mail, now).await?;
        }
        let is_last = uids.last() == Some(uid);
        if !is_recounted || is_last {
            mailboxes::advance(&mut tx, channel.id, validity, *uid).await?;
        }
        tx.commit().await?;
        mailbox.mark_read(*uid).await?;
    }
    if uids.is_empty() && is_recounted {
        let mut tx = engine.store.begin().await?;
        mailboxes::advance(&mut tx, channel.id, validity, mailbox.uid_next - 1).await?;
        tx.commit().await?;
    }
    Ok(uids.len() > turn)
}
