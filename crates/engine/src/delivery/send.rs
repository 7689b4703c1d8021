//! One HTTP try, and destinations opened for it.
//!
//! The runner, the test button and the spool all send through [`send_once`]. Custom headers may hold passwords, and tokens
//! are passwords: they are sent, and never kept with the attempt.

use std::time::Duration;

use bytes::Bytes;
use leadline_domain::{
    destinations::{ContentType, Method as Verb, Rules},
    ids::{DeliveryId, DestinationId, ProjectId, WorkspaceId},
    retry::{Outcome, RetryPlan, parse_retry_after},
    time::{SECOND_MS, Timestamp},
};
use leadline_outbound::{BuildError, Client, Method, Request, Response, Secret, SendError, delivery_headers};
use leadline_store::destinations::Destination;
use serde_json::{Map, Value};
use tokio::time::Instant;
use url::Url;

use crate::{
    Engine,
    delivery::{
        access::open_certificate,
        jobs::{Offer, wants},
        mask::{HIDDEN, Mask, parts_of_header},
        payload::{
            Shape,
            conversions::{Platform, answers},
        },
        secrets::Secrets,
        tokens::{Bearer, Given, TokenError, TokenSource, left},
    },
    seal::Unsealable,
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
    /// Where its access tokens come from.
    tokens: Option<TokenSource>,
    /// The token that its platform asks for by a name of its own.
    platform_token: Option<PlatformToken>,
    /// The way out: everybody's, or one that shows this destination's certificate.
    client: Client,
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

/// What a destination's requests carry beside our headers.
struct OwnHeaders {
    /// Sent, and never kept with the attempt.
    secret: Vec<(String, String)>,
    open: Vec<(String, String)>,
}

/// A token that does not belong into a log.
#[derive(Clone)]
struct PlatformToken(String);

impl std::fmt::Debug for PlatformToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlatformToken(…)")
    }
}

/// A destination that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// What is sealed of it cannot be opened.
    #[error(transparent)]
    Sealed(#[from] Unsealable),
    /// Its certificate cannot be shown.
    #[error("the certificate cannot be shown in a TLS connection")]
    Certificate(#[from] BuildError),
}

impl DestinationForSending {
    /// Opens what was sealed. A previous secret whose time is up by `now` is left closed.
    ///
    /// # Errors
    /// Where it was sealed with another key, or the row was changed by hand.
    pub fn open(destination: &Destination, engine: &Engine, now: Timestamp) -> Result<Self, Unusable> {
        let keys = &*engine.keys;
        let secrets = Secrets::open(destination, keys, now)?;
        let headers = match &destination.headers_sealed {
            Some(sealed) => serde_json::from_str(&keys.open(sealed)?).map_err(|_| Unsealable)?,
            None => Vec::new(),
        };
        let platform_token = destination.access.token.as_ref().map(|sealed| keys.open(sealed)).transpose()?;
        let client = match open_certificate(destination, keys)? {
            Some(certificate) => engine.client.showing(&certificate)?,
            None => engine.client.clone(),
        };
        Ok(Self {
            id: destination.id,
            workspace_id: destination.workspace_id,
            name: destination.name.clone(),
            url: Url::parse(&destination.url).map_err(|_| Unsealable)?,
            events: destination.events.clone(),
            project_id: destination.project_id,
            shape: Shape::of_destination(&destination.format, destination.template.as_deref(), &destination.rules),
            rules: destination.rules.clone(),
            retry_plan: destination.retry_plan,
            secrets,
            headers: Headers(headers),
            tokens: TokenSource::open(destination, keys)?,
            platform_token: platform_token.map(PlatformToken),
            client,
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
    fn mask(&self, access_token: Option<&str>) -> Mask {
        let secrets = self.secrets.all().iter().map(Secret::reveal);
        let of_headers = self.headers.0.iter().flat_map(|(_, value)| parts_of_header(value));
        let of_tokens = self.tokens.iter().flat_map(TokenSource::hidden);
        let tokens = self.platform_token.iter().map(|token| token.0.clone()).chain(access_token.map(str::to_owned));
        Mask::of(secrets.chain(of_headers).chain(of_tokens).chain(tokens))
    }

    /// Where a request goes. Meta asks for its token in the address, which is why it is not kept there.
    fn target(&self) -> Url {
        let mut url = self.url.clone();
        if let (Some(Platform::Meta), Some(token)) = (self.shape.platform(), &self.platform_token) {
            url.query_pairs_mut().append_pair("access_token", &token.0);
        }
        url
    }

    /// Headers beside ours.
    fn own_headers(&self, access_token: Option<&str>) -> OwnHeaders {
        let mut secret = self.headers.0.clone();
        if let (Some(source), Some(token)) = (&self.tokens, access_token) {
            secret.retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
            secret.push(("authorization".to_owned(), format!("{} {token}", source.oauth.scheme)));
        }
        let mut open = Vec::new();
        if self.shape.platform() == Some(Platform::GoogleAds) {
            secret.extend(self.platform_token.as_ref().map(|token| ("developer-token".to_owned(), token.0.clone())));
            let customer = self.rules.conversions.as_ref().and_then(|one| one.login_customer_id.clone());
            open.extend(customer.map(|customer| ("login-customer-id".to_owned(), customer)));
        }
        OwnHeaders { secret, open }
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
        matches!(self.outcome, Outcome::Status { code: 200..=299, .. })
    }

    /// One of which nothing left the house.
    #[must_use]
    pub(super) fn not_made(now: Timestamp, error: String) -> Self {
        Self {
            started_at: now,
            duration: Duration::ZERO,
            status: None,
            error: Some(error),
            request_headers: Value::Object(Map::new()),
            response_headers: Value::Object(Map::new()),
            response_body: None,
            outcome: Outcome::NetworkError,
        }
    }
}

/// Sends once and tells what came of it, all within `timeout`. `now` is the time that stands in the signature. An access
/// token that the receiver refuses is renewed once.
pub async fn send_once(engine: &Engine, outgoing: &Outgoing<'_>, now: Timestamp, timeout: Duration) -> Attempt {
    let (started, until) = (Instant::now(), Instant::now() + timeout);
    let Some(source) = &outgoing.destination.tokens else { return exchange(outgoing, None, now, until).await };
    let attempt = match with_token(engine, outgoing, source, now, until).await {
        Ok(attempt) => attempt,
        Err(error) => Attempt::not_made(now, error.to_string()),
    };
    Attempt { duration: started.elapsed(), ..attempt }
}

async fn with_token(
    engine: &Engine,
    outgoing: &Outgoing<'_>,
    source: &TokenSource,
    now: Timestamp,
    until: Instant,
) -> Result<Attempt, TokenError> {
    let destination = outgoing.destination;
    let (id, workspace, client) = (destination.id, destination.workspace_id, &destination.client);
    let bearer = Bearer { id, workspace, source, client };
    let Given { token, was_held } = engine.tokens.get(engine, bearer, None, until).await?;
    let attempt = exchange(outgoing, Some(&token), now, until).await;
    let may_be_stale = attempt.status == Some(401) && was_held;
    if !may_be_stale {
        return Ok(attempt);
    }
    let Given { token, .. } = engine.tokens.get(engine, bearer, Some(&token), until).await?;
    Ok(exchange(outgoing, Some(&token), now, until).await)
}

async fn exchange(outgoing: &Outgoing<'_>, access_token: Option<&str>, now: Timestamp, until: Instant) -> Attempt {
    let destination = outgoing.destination;
    let OwnHeaders { secret, open } = destination.own_headers(access_token);
    let mut headers = our_headers(outgoing, now);
    headers.extend(open);
    let hidden = secret.iter().map(|(name, _)| (name.as_str(), HIDDEN));
    let request_headers = as_json(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).chain(hidden));
    headers.extend(secret);
    let method = match destination.rules.method {
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
    };
    let (url, body) = (destination.target(), outgoing.body.clone());
    let (duration, answer) =
        destination.client.send(&Request { method, url, headers, body, timeout: left(until) }).await;
    let attempt = Attempt { duration, error: None, request_headers, ..Attempt::not_made(now, String::new()) };
    match answer {
        Ok(response) => {
            let attempt = answered(attempt, &response, &destination.mask(access_token), now);
            reread(attempt, destination.shape.platform(), &response, &destination.mask(access_token))
        }
        Err(error) => Attempt { error: Some(error.to_string()), outcome: outcome_of(&error), ..attempt },
    }
}

/// What goes with every delivery. Ad platforms know nothing of our signatures.
fn our_headers(outgoing: &Outgoing<'_>, now: Timestamp) -> Vec<(String, String)> {
    let destination = outgoing.destination;
    let (id, now_s) = (outgoing.delivery_id.to_string(), now.0 / SECOND_MS);
    let content_type = ContentType::of_body(&outgoing.body).header();
    let version = env!("CARGO_PKG_VERSION");
    let secrets = destination.secrets.at(now);
    let headers = delivery_headers(outgoing.event, &id, secrets, now_s, &outgoing.body, content_type, version);
    if destination.shape.platform().is_none() {
        return headers;
    }
    headers.into_iter().filter(|(name, _)| name == "content-type" || name == "user-agent").collect()
}

/// What an ad platform says beside its status.
fn reread(attempt: Attempt, platform: Option<Platform>, response: &Response, mask: &Mask) -> Attempt {
    let said = platform.and_then(|platform| answers::read(platform, response.status, &response.body));
    match said {
        None => attempt,
        Some(said) => {
            Attempt { error: Some(mask.hide(said.error)), outcome: said.outcome.unwrap_or(attempt.outcome), ..attempt }
        }
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
