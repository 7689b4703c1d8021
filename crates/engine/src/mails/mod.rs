//! Alerts by e-mail: who is told, and how often.
//!
//! A message is queued in the transaction that opens or closes its alert, and sent by [`runner`]. Where no server is set
//! up nothing is queued: nobody wants a month of alerts on the day on which it is.

mod personal;
pub mod runner;
mod words;

pub(crate) use personal::{Personal, queue_personal};

use leadline_domain::{
    ids::{MailId, UserId, derived},
    permissions::Permission,
    time::{DAY_MS, HOUR_MS, Timestamp},
};
use leadline_outbound::{Mail, MailError};
use leadline_store::{
    Error, Tx,
    alerts::Alert,
    mails::{self, NewMail},
    users,
};
use serde_json::json;

use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// How long messages are kept after they were made.
pub const KEPT_MS: i64 = 30 * DAY_MS;

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Opened,
    Closed,
}

/// Queues a message to everybody who wants to know of an alert and may see it. One thing that comes and goes is told
/// once an hour.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn queue(
    engine: &Engine,
    tx: &mut Tx,
    alert: &Alert,
    change: Change,
    now: Timestamp,
) -> Result<(), Error> {
    if engine.options.mailer.is_none() {
        return Ok(());
    }
    let Some(text) = words::of(alert, change, &engine.options.public_url) else { return Ok(()) };
    let recipients = mails::list_recipients(tx, alert.workspace_id).await?;
    let hour = now.0.div_euclid(HOUR_MS);
    let new: Vec<NewMail> = recipients
        .into_iter()
        .filter(|recipient| recipient.role.may(Permission::SettingsView))
        .map(|recipient| NewMail {
            id: MailId(derived(
                "leadline alert mail v1",
                &[
                    alert.workspace_id.0.as_bytes(),
                    recipient.id.0.as_bytes(),
                    alert.kind.as_bytes(),
                    alert.subject_id.as_bytes(),
                    &[u8::from(change == Change::Closed)],
                    &hour.to_le_bytes(),
                ],
            )),
            workspace_id: alert.workspace_id,
            user_id: recipient.id,
            recipient: recipient.email,
            subject: text.subject.clone(),
            body: text.body.clone(),
            created_at: now.0,
        })
        .collect();
    let queued = mails::insert_set(tx, &new).await?;
    if queued > 0 {
        // Before the commit: whoever wakes too early finds the message at the next look.
        engine.wake.mails.notify_one();
    }
    Ok(())
}

/// Tells a member of alerts by e-mail from now on, or no longer.
///
/// # Errors
/// Where the database fails.
pub async fn want(engine: &Engine, actor: &Actor, user: UserId, wants: bool) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    mails::set_wants_alerts(&mut tx, actor.workspace, user, wants).await?;
    let deed = Deed::new("alert_mails.changed", user, &actor.name).with(json!({ "wanted": wants }));
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await
}

/// Why no message is sent to oneself.
#[derive(Debug, thiserror::Error)]
pub enum TestError {
    /// No server is named.
    #[error("no mail server is set up")]
    NotConfigured,
    /// A token of nobody has no address.
    #[error("this token belongs to nobody")]
    Nobody,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Sends the actor a message at once, past the queue, and tells to whom that was and what the server said.
///
/// # Errors
/// Where there is no server, or nobody to send to.
pub async fn test(engine: &Engine, actor: &Actor, id: MailId) -> Result<(String, Result<(), MailError>), TestError> {
    let mailer = engine.options.mailer.as_ref().ok_or(TestError::NotConfigured)?;
    let user = actor.user.ok_or(TestError::Nobody)?;
    let user = users::find(&engine.store.reader(), user).await?.ok_or(TestError::Nobody)?;
    let mut tx = engine.store.begin().await?;
    let deed = Deed::new("alert_mails.tested", user.id, &user.email);
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await?;
    let mail = Mail {
        id: id.to_string(),
        to: &user.email,
        subject: "Leadline: A test",
        text: "Somebody at this address asked Leadline for a test. It works.\n",
    };
    let sent = mailer.send(&mail).await;
    Ok((user.email, sent))
}
