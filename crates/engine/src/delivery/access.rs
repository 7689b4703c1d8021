//! Changing what a destination is asked with: OAuth, a platform's token, a certificate of ours. Secrets are sealed here
//! and never shown again.

use leadline_domain::oauth::{Grant, Oauth};
use leadline_outbound::ClientCertificate;
use leadline_store::destinations::Destination;
use serde::{Deserialize, Serialize};

use super::{destinations::Refused, tokens::OauthSecrets};
use crate::{Engine, seal::Keys, seal::Unsealable};

/// OAuth as somebody wants it, whole. A secret that is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct WishedOauth {
    /// `refresh_token` or `client_credentials`.
    pub grant: String,
    /// Where tokens are asked for.
    pub token_url: String,
    /// As whom.
    pub client_id: String,
    /// The client's secret.
    pub client_secret: Option<String>,
    /// What access tokens are got with.
    pub refresh_token: Option<String>,
    /// What for.
    pub scopes: Option<String>,
    /// What stands before the token in the header.
    pub scheme: Option<String>,
}

/// A certificate of ours, both parts as PEM.
#[derive(Clone)]
pub struct WishedCertificate {
    /// The certificate, with its chain if it has one.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl std::fmt::Debug for WishedCertificate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WishedCertificate(…)")
    }
}

/// What somebody wants a destination to be asked with; what is absent stays as it is, and null takes it away.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "told in the module's words")]
pub struct WishedAccess {
    pub oauth: Option<Option<WishedOauth>>,
    pub token: Option<Option<String>>,
    pub client_certificate: Option<Option<WishedCertificate>>,
}

const LONGEST_ID: usize = 500;
const LONGEST_SECRET: usize = 4_096;
const LONGEST_SCOPES: usize = 2_000;
const LONGEST_SCHEME: usize = 40;

/// Makes what a destination is asked with what is wished and lists what cannot be.
pub(super) fn apply(engine: &Engine, destination: &mut Destination, wish: &WishedAccess) -> Vec<Refused> {
    let mut refused = Vec::new();
    match &wish.oauth {
        None => {}
        Some(None) => (destination.rules.oauth, destination.access.oauth) = (None, None),
        Some(Some(wish)) => refused.extend(apply_oauth(engine, destination, wish)),
    }
    match &wish.token {
        None => {}
        Some(None) => destination.access.token = None,
        Some(Some(token)) => match checked_secret("/token", token) {
            Ok(token) => destination.access.token = Some(engine.keys.seal(token)),
            Err(wrong) => refused.push(wrong),
        },
    }
    match &wish.client_certificate {
        None => {}
        Some(None) => (destination.rules.client_certificate, destination.access.client_certificate) = (None, None),
        Some(Some(wish)) => refused.extend(apply_certificate(engine, destination, wish)),
    }
    refused
}

fn apply_oauth(engine: &Engine, destination: &mut Destination, wish: &WishedOauth) -> Vec<Refused> {
    let mut refused = Vec::new();
    let grant = Grant::parse(&wish.grant);
    if grant.is_none() {
        let message = "must be refresh_token or client_credentials";
        refused.push(Refused::new("/oauth/grant", "unknown_grant", message));
    }
    let url = engine.client.guard().check_url(&wish.token_url);
    if let Err(error) = &url {
        refused.push(Refused::new("/oauth/tokenUrl", error.code(), &error.to_string()));
    }
    let scopes = wish.scopes.as_deref().unwrap_or_default().trim();
    let scheme = wish.scheme.as_deref().map(str::trim).filter(|scheme| !scheme.is_empty()).unwrap_or("Bearer");
    let client_id = wish.client_id.trim();
    let is_plain = |text: &str, longest: usize| text.len() <= longest && !text.chars().any(char::is_control);
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    for (is_wrong, pointer, message) in [
        (client_id.is_empty() || !is_plain(client_id, LONGEST_ID), "/oauth/clientId", "must have 1 to 500 characters"),
        (!is_plain(scopes, LONGEST_SCOPES), "/oauth/scopes", "must be words parted by blanks, 2000 bytes at most"),
        (scheme.len() > LONGEST_SCHEME || !is_scheme(scheme), "/oauth/scheme", "must be one word such as Bearer"),
    ] {
        if is_wrong {
            refused.push(Refused::new(pointer, "invalid", message));
        }
    }
    let (Ok(url), Some(grant)) = (url, grant) else { return refused };
    let secrets = match wished_secrets(&engine.keys, destination, wish, url.as_str(), grant) {
        Ok(secrets) => secrets,
        Err(wrong) => {
            refused.extend(wrong);
            return refused;
        }
    };
    destination.access.oauth = Some(secrets.sealed(&engine.keys));
    destination.rules.oauth = Some(Oauth {
        grant,
        token_url: url.to_string(),
        client_id: client_id.to_owned(),
        scopes: scopes.to_owned(),
        scheme: scheme.to_owned(),
        set_at: engine.clock.now(),
    });
    refused
}

/// The secrets that are wished, with those kept that were not written anew. To another address nothing is taken along:
/// whoever may change a destination could otherwise have a secret sent to themselves.
fn wished_secrets(
    keys: &Keys,
    destination: &Destination,
    wish: &WishedOauth,
    token_url: &str,
    grant: Grant,
) -> Result<OauthSecrets, Vec<Refused>> {
    let has_moved = destination.rules.oauth.as_ref().is_some_and(|before| before.token_url != token_url);
    let sealed = destination.access.oauth.as_ref().filter(|_| !has_moved);
    let kept = sealed.and_then(|sealed| OauthSecrets::open(sealed, keys).ok());
    let (mut refused, mut secrets) = (Vec::new(), kept.unwrap_or_default());
    if let Some(secret) = &wish.client_secret {
        match checked_secret("/oauth/clientSecret", secret) {
            Ok(secret) => secret.clone_into(&mut secrets.client_secret),
            Err(wrong) => refused.push(wrong),
        }
    }
    if let Some(token) = &wish.refresh_token {
        match checked_secret("/oauth/refreshToken", token) {
            Ok(token) => secrets.refresh_token = Some(token.to_owned()),
            Err(wrong) => refused.push(wrong),
        }
    }
    let required = if has_moved { "is required again for another token address" } else { "is required" };
    if secrets.client_secret.is_empty() && wish.client_secret.is_none() {
        refused.push(Refused::new("/oauth/clientSecret", "required", required));
    }
    match grant {
        Grant::RefreshToken if secrets.refresh_token.is_none() && wish.refresh_token.is_none() => {
            refused.push(Refused::new("/oauth/refreshToken", "required", required));
        }
        Grant::RefreshToken => {}
        Grant::ClientCredentials => secrets.refresh_token = None,
    }
    if refused.is_empty() { Ok(secrets) } else { Err(refused) }
}

fn checked_secret<'a>(pointer: &str, secret: &'a str) -> Result<&'a str, Refused> {
    let secret = secret.trim();
    let can_be_sent =
        (1..=LONGEST_SECRET).contains(&secret.len()) && secret.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if can_be_sent {
        return Ok(secret);
    }
    let message = format!("must have 1 to {LONGEST_SECRET} letters, digits and signs of ASCII");
    Err(Refused::new(pointer, "invalid", &message))
}

/// As it is sealed.
#[derive(Serialize, Deserialize)]
struct SealedCertificate {
    certificate: String,
    key: String,
}

fn apply_certificate(engine: &Engine, destination: &mut Destination, wish: &WishedCertificate) -> Option<Refused> {
    let read = match ClientCertificate::read(&wish.certificate, &wish.key) {
        Ok(read) => read,
        Err(error) => {
            let part = if error.is_about_the_key() { "key" } else { "certificate" };
            return Some(Refused::new(&format!("/clientCertificate/{part}"), error.code(), &error.to_string()));
        }
    };
    if engine.client.showing(&read).is_err() {
        let message = "cannot be shown in a TLS connection";
        return Some(Refused::new("/clientCertificate/certificate", "certificate_invalid", message));
    }
    let both = SealedCertificate { certificate: wish.certificate.clone(), key: wish.key.clone() };
    let text = serde_json::to_string(&both).expect("texts can be written");
    destination.access.client_certificate = Some(engine.keys.seal(&text));
    destination.rules.client_certificate = Some(read.fingerprint().to_owned());
    None
}

/// Opens a destination's certificate.
pub(super) fn open_certificate(
    destination: &Destination,
    keys: &Keys,
) -> Result<Option<ClientCertificate>, Unsealable> {
    let Some(sealed) = &destination.access.client_certificate else { return Ok(None) };
    let both: SealedCertificate = serde_json::from_str(&keys.open(sealed)?).map_err(|_| Unsealable)?;
    ClientCertificate::read(&both.certificate, &both.key).map(Some).map_err(|_| Unsealable)
}
