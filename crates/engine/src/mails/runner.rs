//! Sends what is queued. A message is leased while it is sent, so one that was under way when a process died is sent
//! again under the same id.

use std::time::Duration;

use leadline_domain::time::{HOUR_MS, MINUTE_MS, Timestamp};
use leadline_outbound::{Mail, MailError, Mailer};
use leadline_store::{
    Error,
    mails::{self, Leased, Outcome},
};
use tokio::{sync::watch, task::JoinSet};

use crate::Engine;

/// Longer than a message may take.
const LEASE_MS: i64 = 2 * MINUTE_MS;

/// Messages under way at the same time. Servers do not like more from one sender.
const AT_ONCE: i64 = 4;

/// Retries come due by themselves.
const POLL: Duration = Duration::from_secs(5);

/// The waits before further tries: a server that greylists wants minutes, one that is away may want hours.
const WAITS_MS: [i64; 5] = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS];

/// Sends until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match send_due(&engine).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "e-mail waits for the store"),
        }
        tokio::select! {
            () = engine.wake.mails.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Sends some of what is due and tells how many messages that were.
///
/// # Errors
/// Where the database fails.
pub async fn send_due(engine: &Engine) -> Result<usize, Error> {
    let Some(mailer) = &engine.options.mailer else { return Ok(0) };
    let now = engine.clock.now();
    if !mails::is_due(&engine.store.reader(), now).await? {
        return Ok(0);
    }
    let mut tx = engine.store.begin().await?;
    let leased = mails::lease(&mut tx, AT_ONCE, now, now.plus_ms(LEASE_MS)).await?;
    tx.commit().await?;
    let count = leased.len();
    let mut sending = JoinSet::new();
    for mail in leased {
        let mailer = mailer.clone();
        sending.spawn(async move {
            let sent = send(&mailer, &mail).await;
            (mail, sent)
        });
    }
    while let Some(joined) = sending.join_next().await {
        // One that panicked is leased until its time is over, and tried again.
        let Ok((mail, sent)) = joined else { continue };
        let now = engine.clock.now();
        let outcome = judged(&mail, sent, now);
        let counted = match &outcome {
            Outcome::Sent => "sent",
            Outcome::Later { .. } => "retry",
            Outcome::Failed { .. } => "failed",
        };
        metrics::counter!("leadline_mails_total", "outcome" => counted).increment(1);
        if let Outcome::Failed { error } = &outcome {
            tracing::warn!(mail.id = %mail.id, error, "an e-mail was given up");
        }
        let mut tx = engine.store.begin().await?;
        mails::finish(&mut tx, &mail, &outcome, now).await?;
        tx.commit().await?;
    }
    Ok(count)
}

async fn send(mailer: &Mailer, mail: &Leased) -> Result<(), MailError> {
    let message = Mail { id: mail.id.to_string(), to: &mail.recipient, subject: &mail.subject, text: &mail.body };
    mailer.send(&message).await
}

fn judged(mail: &Leased, sent: Result<(), MailError>, now: Timestamp) -> Outcome {
    let tries_before = usize::try_from(mail.attempt_count - 1).unwrap_or_default();
    match (sent, WAITS_MS.get(tries_before)) {
        (Ok(()), _) => Outcome::Sent,
        (Err(MailError::Refused(error)), _) | (Err(MailError::Failed(error)), None) => Outcome::Failed { error },
        (Err(MailError::Failed(error)), Some(wait)) => Outcome::Later { at: now.plus_ms(*wait), error },
    }
}
