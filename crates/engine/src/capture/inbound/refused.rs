//! Requests that a source refused, kept for whoever sets it up: the last of each source, with secrets masked.
//!
//! A request is only noted while it is answered; the store hears of it a moment later. Nobody can fill the store this
//! way: what waits is bounded in memory, and a source keeps a fixed number.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use leadline_domain::{
    ids::{SourceId, SubmissionId},
    time::{DAY_MS, Timestamp},
};
use leadline_store::{
    Error, fetches,
    requests::{self, NewRefused},
    sources::Intake,
};
use serde_json::{Map, Value};

use super::super::Request;
use crate::{Engine, random_bytes};

/// How many a source keeps.
const MOST_OF_A_SOURCE: usize = 50;

/// How many wait for the store at the same time.
const MOST_WAITING: usize = 256;

const LIFE_MS: i64 = 90 * DAY_MS;
const BODY_MAX_BYTES: usize = 64 * 1024;
const HEADERS_MAX: usize = 50;
const HEADER_MAX_CHARS: usize = 300;
const MASKED: &str = "•••";

/// Rows deleted in one transaction.
const DELETE_AT_ONCE: i64 = 1_000;

/// Refused requests that wait for the store.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<VecDeque<NewRefused>>);

/// What was answered to a refused request.
#[derive(Debug, Clone, Copy)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The stable code.
    pub code: &'static str,
}

impl Refusals {
    /// Notes a refused request. The oldest that waits makes room.
    pub fn note(
        &self,
        now: Timestamp,
        intake: &Intake,
        method: &str,
        headers: impl Iterator<Item = (String, String)>,
        request: Request,
        refusal: Refusal,
    ) {
        let Some(source_id) = intake.source_id else { return };
        let row = NewRefused {
            id: SubmissionId::new(now, random_bytes()),
            workspace_id: intake.workspace_id,
            source_id,
            method: method.to_owned(),
            headers: masked(headers),
            ip: request.ip,
            user_agent: request.user_agent,
            origin: request.origin,
            content_type: request.content_type,
            raw_body: shortened(&leadline_domain::inbound::without_google_key(&request.raw_body)),
            status: i64::from(refusal.status),
            code: refusal.code.to_owned(),
            received_at: now.0,
            expires_at: now.plus_ms(LIFE_MS).0,
        };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_this_source = waiting.iter().filter(|one| one.source_id == source_id).count();
        if of_this_source >= MOST_OF_A_SOURCE
            && let Some(oldest) = waiting.iter().position(|one| one.source_id == source_id)
        {
            waiting.remove(oldest);
        }
        if waiting.len() >= MOST_WAITING {
            waiting.pop_front();
        }
        waiting.push_back(row);
    }

    fn take(&self) -> Vec<NewRefused> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..).collect()
    }
}

/// Stores the refused requests that wait.
///
/// # Errors
/// Where the store fails; then they are gone, since they are worth less than what it has to do instead.
pub async fn keep_refused(engine: &Engine) -> Result<(), Error> {
    let rows = engine.refused.take();
    if rows.is_empty() {
        return Ok(());
    }
    let sources: BTreeSet<SourceId> = rows.iter().map(|row| row.source_id).collect();
    let sources: Vec<SourceId> = sources.into_iter().collect();
    let mut tx = engine.store.begin().await?;
    let most = i64::try_from(MOST_OF_A_SOURCE).unwrap_or(i64::MAX);
    requests::keep_refused(&mut tx, &rows, &sources, most).await?;
    tx.commit().await
}

/// Deletes fetches that have been over for 90 days by `now`.
///
/// # Errors
/// Where the store fails; what was deleted before that stays deleted.
pub async fn retain(engine: &Engine, now: Timestamp) -> Result<(), Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let fetched = fetches::delete_finished(&mut tx, now.plus_ms(-LIFE_MS), DELETE_AT_ONCE).await?;
        tx.commit().await?;
        if fetched == 0 {
            return Ok(());
        }
    }
}

/// Headers for a look: what could let somebody in is masked.
fn masked(headers: impl Iterator<Item = (String, String)>) -> Value {
    let shown = headers.take(HEADERS_MAX).map(|(name, value)| {
        let value = if tells_a_secret(&name) { MASKED.to_owned() } else { value.replace('\0', "") };
        (name, Value::from(value.chars().take(HEADER_MAX_CHARS).collect::<String>()))
    });
    Value::Object(shown.collect::<Map<_, _>>())
}

fn tells_a_secret(header: &str) -> bool {
    const SIGNS: [&str; 8] = ["auth", "cookie", "secret", "token", "key", "signature", "password", "session"];
    // A source may name any header for its secret, and only these are known to hold none.
    const HARMLESS: [&str; 14] = [
        "accept",
        "accept-encoding",
        "accept-language",
        "content-length",
        "content-type",
        "date",
        "host",
        "origin",
        "referer",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "x-forwarded-for",
        "x-webflow-timestamp",
    ];
    let is_custom = !HARMLESS.contains(&header);
    is_custom && (header.starts_with("x-") || SIGNS.iter().any(|sign| header.contains(sign)))
}

fn shortened(body: &str) -> String {
    let body = body.replace('\0', "");
    if body.len() <= BODY_MAX_BYTES {
        return body;
    }
    let end = (0..=BODY_MAX_BYTES).rev().find(|at| body.is_char_boundary(*at)).unwrap_or(0);
    body[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_let_somebody_in_is_masked() {
        let headers = [
            ("authorization", "Bearer abc"),
            ("x-webhook-secret", "hush"),
            ("x-anything", "hush"),
            ("typeform-signature", "sha256=abc"),
            ("content-type", "application/json"),
            ("user-agent", "curl"),
        ];

        let shown = masked(headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));

        let shown: Vec<&str> = headers.iter().map(|(name, _)| shown[name].as_str().expect("a text")).collect();
        assert_eq!(shown, [MASKED, MASKED, MASKED, MASKED, "application/json", "curl"]);
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let cut = shortened(&"ä".repeat(BODY_MAX_BYTES));

        assert_eq!(cut.len(), BODY_MAX_BYTES);
    }
}
