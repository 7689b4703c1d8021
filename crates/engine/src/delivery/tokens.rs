//! Access tokens for destinations that ask for one: fetched from a token endpoint through the guarded client, kept in
//! memory until shortly before their end, and fetched by one delivery at a time.
//!
//! Where an endpoint gives a new refresh token with each access token, the new one is sealed into the row, or the next
//! process could ask for nothing.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use leadline_domain::{
    ids::{DestinationId, WorkspaceId},
    oauth::{AccessToken, Grant, Oauth, refusal},
};
use leadline_outbound::{Client, Method, Request, SendError};
use leadline_store::destinations::{self, Destination};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};
use url::{Url, form_urlencoded};

use super::destinations::store_change;
use crate::{
    Engine,
    seal::{Keys, Unsealable},
};

/// Open secrets of OAuth, as they are sealed.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OauthSecrets {
    pub(super) client_secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
}

impl OauthSecrets {
    pub(super) fn sealed(&self, keys: &Keys) -> String {
        keys.seal(&serde_json::to_string(self).expect("texts can be written"))
    }

    pub(super) fn open(sealed: &str, keys: &Keys) -> Result<Self, Unsealable> {
        serde_json::from_str(&keys.open(sealed)?).map_err(|_| Unsealable)
    }
}

/// How a destination's tokens are got. It lives in memory only.
#[derive(Clone)]
pub(super) struct TokenSource {
    pub(super) oauth: Oauth,
    url: Url,
    secrets: OauthSecrets,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenSource({})", self.url)
    }
}

impl TokenSource {
    /// Opens what was sealed; `None` where the destination needs no token.
    pub(super) fn open(destination: &Destination, keys: &Keys) -> Result<Option<Self>, Unsealable> {
        let (Some(oauth), Some(sealed)) = (&destination.rules.oauth, &destination.access.oauth) else {
            return Ok(None);
        };
        let url = Url::parse(&oauth.token_url).map_err(|_| Unsealable)?;
        Ok(Some(Self { oauth: oauth.clone(), url, secrets: OauthSecrets::open(sealed, keys)? }))
    }

    /// What must not be kept of what anybody says.
    pub(super) fn hidden(&self) -> Vec<String> {
        [Some(self.secrets.client_secret.clone()), self.secrets.refresh_token.clone()].into_iter().flatten().collect()
    }

    fn body(&self, refresh_token: Option<&str>) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", self.oauth.grant.as_str());
        form.append_pair("client_id", &self.oauth.client_id);
        form.append_pair("client_secret", &self.secrets.client_secret);
        if self.oauth.grant == Grant::RefreshToken {
            form.append_pair("refresh_token", refresh_token.unwrap_or_default());
        }
        if !self.oauth.scopes.is_empty() {
            form.append_pair("scope", &self.oauth.scopes);
        }
        form.finish()
    }
}

/// Why there is no access token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    /// The token endpoint could not be asked.
    #[error("no access token: the token address could not be asked: {0}")]
    Send(#[from] SendError),
    /// It refused.
    #[error("no access token: the token address answered {status}{}", reason.as_ref().map(|name| format!(" ({name})")).unwrap_or_default())]
    Refused {
        /// With this status.
        status: u16,
        /// By this name.
        reason: Option<String>,
    },
    /// It answered something else.
    #[error("no access token: the token address answered, but {0}")]
    Answer(&'static str),
}

/// The tokens that are in use. Cheap to clone.
#[derive(Clone, Default)]
pub struct Tokens {
    held: Arc<Mutex<HashMap<DestinationId, Slot>>>,
}

type Slot = Arc<tokio::sync::Mutex<Option<Held>>>;

struct Held {
    /// By which settings it was got.
    oauth: Oauth,
    token: AccessToken,
    /// What the next one is got with.
    refresh_token: Option<String>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(…)")
    }
}

/// A token that a request is made with.
pub(super) struct Given {
    pub(super) token: String,
    /// Whether it was there already, and may be worth nothing any more.
    pub(super) was_held: bool,
}

/// Whom a token is for.
#[derive(Clone, Copy)]
pub(super) struct Bearer<'a> {
    pub(super) id: DestinationId,
    pub(super) workspace: WorkspaceId,
    pub(super) source: &'a TokenSource,
    /// The way out, which shows the destination's certificate where it has one.
    pub(super) client: &'a Client,
}

impl Tokens {
    /// A token that is not `refused`, from memory or from the endpoint.
    pub(super) async fn get(
        &self,
        engine: &Engine,
        bearer: Bearer<'_>,
        refused: Option<&str>,
        until: Instant,
    ) -> Result<Given, TokenError> {
        let slot = self.slot(bearer.id);
        let mut held = timeout_at(until, slot.lock()).await.map_err(|_| SendError::Timeout)?;
        let now = engine.clock.now();
        let source = bearer.source;
        let of_these_settings = held.as_ref().filter(|held| held.oauth == source.oauth);
        let is_good = |held: &&Held| now < held.token.stale_at && Some(held.token.token.as_str()) != refused;
        if let Some(held) = of_these_settings.filter(is_good) {
            return Ok(Given { token: held.token.token.clone(), was_held: true });
        }
        let refresh_token = of_these_settings
            .and_then(|held| held.refresh_token.clone())
            .or_else(|| source.secrets.refresh_token.clone());
        *held = None;
        let token = fetch(engine, bearer, refresh_token.as_deref(), until).await?;
        if let Some(next) = token.refresh_token.as_ref().filter(|next| Some(*next) != refresh_token.as_ref()) {
            keep_refresh_token(engine, bearer, next).await;
        }
        let refresh_token = token.refresh_token.clone().or(refresh_token);
        let given = Given { token: token.token.clone(), was_held: false };
        *held = Some(Held { oauth: source.oauth.clone(), token, refresh_token });
        Ok(given)
    }

    fn slot(&self, id: DestinationId) -> Slot {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(held.entry(id).or_default())
    }
}

async fn fetch(
    engine: &Engine,
    bearer: Bearer<'_>,
    refresh_token: Option<&str>,
    until: Instant,
) -> Result<AccessToken, TokenError> {
    let headers = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("user-agent", concat!("Leadline/", env!("CARGO_PKG_VERSION"))),
    ];
    let request = Request {
        method: Method::POST,
        url: bearer.source.url.clone(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        body: Bytes::from(bearer.source.body(refresh_token)),
        timeout: left(until),
    };
    let (_, answer) = bearer.client.send(&request).await;
    let answer = answer?;
    if !answer.is_success() {
        return Err(TokenError::Refused { status: answer.status, reason: refusal(&answer.body) });
    }
    AccessToken::read(&answer.body, engine.clock.now()).map_err(TokenError::Answer)
}

/// What is left of a request's time.
pub(super) fn left(until: Instant) -> Duration {
    until.saturating_duration_since(Instant::now())
}

/// The old one may be worth nothing from now on. Where this fails, the new one is in memory as long as the process is.
async fn keep_refresh_token(engine: &Engine, bearer: Bearer<'_>, refresh_token: &str) {
    if let Err(error) = try_keep(engine, bearer, refresh_token).await {
        tracing::error!(destination.id = %bearer.id, %error, "a new refresh token could not be kept");
    }
}

async fn try_keep(
    engine: &Engine,
    bearer: Bearer<'_>,
    refresh_token: &str,
) -> Result<(), super::destinations::DestinationError> {
    let mut tx = engine.store.begin().await?;
    let Some(mut destination) = destinations::lock(&mut tx, bearer.workspace, bearer.id).await? else { return Ok(()) };
    let is_as_it_was = destination.rules.oauth.as_ref() == Some(&bearer.source.oauth);
    if !is_as_it_was {
        return Ok(tx.rollback().await?);
    }
    let secrets = OauthSecrets { refresh_token: Some(refresh_token.to_owned()), ..bearer.source.secrets.clone() };
    destination.access.oauth = Some(secrets.sealed(&engine.keys));
    store_change(engine, tx, destination).await.map(drop)
}
