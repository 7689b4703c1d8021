//! One HTTP try, and destinations opened for it.
//!
//! The runner, the test button and the spool all send through [`send_once`]. Custom headers may hold passwords: they are
//! sent, and never kept with the attempt.

use std::time::Duration;

use bytes::Bytes;
use leadline_domain::{
    destinations::{ContentType, Method as Verb, Rules},
    ids::{DeliveryId, DestinationId, ProjectId, WorkspaceId},
    retry::{Outcome, RetryPlan, parse_retry_after},
    time::{SECOND_MS, Timestamp},
};
use leadline_outbound::{Client, Method, Request, Response, Secret, SendError, delivery_headers};
use leadline_store::destinations::Destination;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    delivery::{
        jobs::{Offer, wants},
        mask::{HIDDEN, Mask, parts_of_header},
        payload::Shape,
        secrets::Secrets,
    },
    seal::{Keys, Unsealable},
};

/// How much of an answer's body is kept, in bytes.
pub const KEPT_BODY_BYTES: usize = 64 * 1024;

/// A destination with its secrets open. It lives in memory only.
#[derive(Debug, Clone)]
pub struct DestinationForSending {
    /// Which.
    pub id: DestinationId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// What people call it.
    pub name: String,
    /// Where requests go.
    pub url: Url,
    /// The kinds of events it gets.
    pub events: Vec<String>,
    /// Only those of leads in this project, where it is set.
    pub project_id: Option<ProjectId>,
    /// In which shape it wants its payloads.
    pub shape: Shape,
    /// What it wants besides, and how it is asked.
    pub rules: Rules,
    /// How stubbornly it is tried.
    pub retry_plan: RetryPlan,
    secrets: Secrets,
    headers: Headers,
    /// How many requests it gets at the same time.
    pub max_in_flight: usize,
    /// Which version of the destination this is.
    pub updated_at: Timestamp,
}

/// Custom headers; what they hold does not belong into a log.
#[derive(Clone)]
struct Headers(Vec<(String, String)>);

impl std::fmt::Debug for Headers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl DestinationForSending {
    /// Opens what was sealed. A previous secret whose time is up by `now` is left closed.
    ///
    /// # Errors
    /// Where it was sealed with another key, or the row was changed by hand.
    pub fn open(destination: &Destination, keys: &Keys, now: Timestamp) -> Result<Self, Unsealable> {
        let secrets = Secrets::open(destination, keys, now)?;
        let headers = match &destination.headers_sealed {
            Some(sealed) => serde_json::from_str(&keys.open(sealed)?).map_err(|_| Unsealable)?,
            None => Vec::new(),
        };
        Ok(Self {
            id: destination.id,
            workspace_id: destination.workspace_id,
            name: destination.name.clone(),
            url: Url::parse(&destination.url).map_err(|_| Unsealable)?,
            events: destination.events.clone(),
            project_id: destination.project_id,
            shape: Shape::of(&destination.format, destination.template.as_deref(), destination.rules.content_type),
            rules: destination.rules.clone(),
            retry_plan: destination.retry_plan,
            secrets,
            headers: Headers(headers),
            max_in_flight: usize::try_from(destination.max_in_flight).unwrap_or(1).max(1),
            updated_at: destination.updated_at,
        })
    }

    /// The same without its previous secret, where there is one whose time is up.
    #[must_use]
    pub fn after_overlap(&self, now: Timestamp) -> Option<Self> {
        let secrets = self.secrets.after_overlap(now)?;
        Some(Self { secrets, ..self.clone() })
    }

    /// Whether it wants this.
    #[must_use]
    pub fn wants(&self, offer: &Offer<'_>) -> bool {
        wants(&self.events, self.project_id, &self.rules, offer)
    }

    /// How long one request may take, where the installation allows `usual`.
    #[must_use]
    pub fn timeout(&self, usual: Duration) -> Duration {
        self.rules.timeout_seconds.and_then(|seconds| u64::try_from(seconds).ok()).map_or(usual, Duration::from_secs)
    }

    /// What is not to be kept of what the receiver says.
    fn mask(&self) -> Mask {
        let secrets = self.secrets.all().iter().map(Secret::reveal);
        Mask::of(secrets.chain(self.headers.0.iter().flat_map(|(_, value)| parts_of_header(value))))
    }
}

/// What is sent.
#[derive(Debug, Clone)]
pub struct Outgoing<'a> {
    /// Where to.
    pub destination: &'a DestinationForSending,
    /// The kind of event.
    pub event: &'a str,
    /// The same for every attempt.
    pub delivery_id: DeliveryId,
    /// The payload, as signed.
    pub body: Bytes,
}

/// What came of one HTTP try.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// The answer's status.
    pub status: Option<u16>,
    /// What was wrong, in words.
    pub error: Option<String>,
    /// What was sent; the values of custom headers are hidden.
    pub request_headers: Value,
    /// What the receiver sent.
    pub response_headers: Value,
    /// The beginning of the answer.
    pub response_body: Option<String>,
    /// What decides about another attempt.
    pub outcome: Outcome,
}

impl Attempt {
    /// How long it took, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        i64::try_from(self.duration.as_millis()).unwrap_or(i64::MAX)
    }

    /// Whether the receiver took it.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// Sends once and tells what came of it. `now` is the time that stands in the signature.
pub async fn send_once(client: &Client, outgoing: &Outgoing<'_>, now: Timestamp, timeout: Duration) -> Attempt {
    let destination = outgoing.destination;
    let id = outgoing.delivery_id.to_string();
    let version = env!("CARGO_PKG_VERSION");
    let now_s = now.0 / SECOND_MS;
    let content_type = ContentType::of_body(&outgoing.body).header();
    let secrets = destination.secrets.at(now);
    let mut headers = delivery_headers(outgoing.event, &id, secrets, now_s, &outgoing.body, content_type, version);
    let hidden = destination.headers.0.iter().map(|(name, _)| (name.as_str(), HIDDEN));
    let request_headers = as_json(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(hidden));
    headers.extend(destination.headers.0.iter().cloned());
    let method = match destination.rules.method {
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
    };
    let request = Request { method, url: destination.url.clone(), headers, body: outgoing.body.clone(), timeout };
    let (duration, answer) = client.send(&request).await;
    let attempt = Attempt {
        started_at: now,
        duration,
        status: None,
        error: None,
        request_headers,
        response_headers: Value::Object(Map::new()),
        response_body: None,
        outcome: Outcome::NetworkError,
    };
    match answer {
        Ok(response) => answered(attempt, &response, &destination.mask(), now),
        Err(error) => Attempt { error: Some(error.to_string()), outcome: outcome_of(&error), ..attempt },
    }
}

fn answered(attempt: Attempt, response: &Response, mask: &Mask, now: Timestamp) -> Attempt {
    let retry_after_ms = response.header("retry-after").and_then(|header| parse_retry_after(header, now));
    let error = (!response.is_success()).then(|| format!("the receiver answered {}", response.status));
    let hidden = response.headers.iter().map(|(name, value)| (name.as_str(), mask.hide(value.clone())));
    let headers: Vec<(&str, String)> = hidden.collect();
    Attempt {
        status: Some(response.status),
        error,
        response_headers: as_json(headers.iter().map(|(name, value)| (*name, value.as_str()))),
        response_body: Some(kept(&response.body, mask)),
        outcome: Outcome::Status { code: response.status, retry_after_ms },
        ..attempt
    }
}

fn outcome_of(error: &SendError) -> Outcome {
    match error {
        SendError::Refused(_) | SendError::Header(_) => Outcome::Refused,
        SendError::Timeout => Outcome::Timeout,
        SendError::Connect(_) | SendError::Tls(_) | SendError::Network(_) => Outcome::NetworkError,
    }
}

/// Headers by name; of one that comes twice, both values in a row. PostgreSQL stores no NUL in text or JSON.
fn as_json<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let mut map = Map::new();
    for (name, value) in headers {
        let value = value.replace('\0', "");
        match map.get_mut(name) {
            Some(Value::String(before)) => {
                before.push_str(", ");
                before.push_str(&value);
            }
            Some(_) | None => {
                map.insert(name.to_owned(), Value::String(value));
            }
        }
    }
    Value::Object(map)
}

fn kept(body: &[u8], mask: &Mask) -> String {
    // Masked before it is cut, so that no cut leaves half of a value.
    let mut text = mask.hide(String::from_utf8_lossy(body).replace('\0', ""));
    // Replacing what is no UTF-8 makes it longer.
    let end = text.floor_char_boundary(KEPT_BODY_BYTES);
    text.truncate(end);
    text
}
