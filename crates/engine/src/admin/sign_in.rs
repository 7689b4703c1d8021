//! Signing in with a workspace's provider: there and back, and what a session from there is worth.
//!
//! What began in a browser ends in the same one: it keeps a secret in a cookie, from which the nonce and the verifier
//! of the code are made, and of which the store has a hash. The state comes back with the provider's answer and is used
//! up by the first who brings it. Who somebody is, and whether they come in, is decided by `leadline-domain`.
//!
//! A session from a provider counts in its workspace alone, and changes nothing that would count in another: a
//! workspace chooses its provider, and must not choose who somebody is elsewhere. The second factor is the same as with
//! a password: whoever has one is asked for it after the provider.

mod coming;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leadline_domain::time::{MINUTE_MS, Timestamp};
use leadline_outbound::oidc::{self, Asked};
use leadline_store::{
    self as store,
    sign_in::{self, Begun, Provider},
    workspaces::{self, Workspace},
};
use serde_json::json;
use sha2::{Digest, Sha256};

use self::coming::{Coming, Entered, Said, note};
use crate::{
    Engine,
    admin::{
        AdminError,
        attempts::Attempts,
        secrets,
        sessions::{Place, SignedIn},
        sign_in_provider::registration,
    },
};

/// How long somebody may take at the provider, and for the code of their second factor.
pub const LIFE_MS: i64 = 10 * MINUTE_MS;

/// The longest answer of a provider that is looked at, and the longest address of a page of ours.
const LONGEST: usize = 4_000;
const LONGEST_PATH: usize = 500;

/// Where somebody comes to who did not say where to.
const START: &str = "/board";

/// A sign-in that begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// Where the browser goes.
    pub address: String,
    /// What it keeps meanwhile.
    pub secret: String,
}

/// What a provider sends a browser back with.
#[derive(Debug, Clone, Default)]
pub struct Brought {
    /// What we gave it.
    pub state: Option<String>,
    /// What it gives for asking who it is.
    pub code: Option<String>,
    /// Why it gives nothing.
    pub error: Option<String>,
    /// Who it says it is.
    pub issuer: Option<String>,
}

/// What comes of coming back.
#[derive(Debug, Clone)]
pub enum Came {
    /// A session, and where its user wanted to be.
    In(SignedIn, String),
    /// The code of their second factor is wanted, and where they wanted to be.
    NeedsCode(String),
    /// Nothing, and why, by a stable name.
    Refused(&'static str),
}

/// Begins a sign-in with the provider of a workspace.
///
/// # Errors
/// [`AdminError::NotFound`] where there is none, [`AdminError::TooManyAttempts`], [`AdminError::Provider`] where it
/// cannot be used.
pub async fn start(
    engine: &Engine,
    attempts: &Attempts,
    slug: &str,
    return_to: Option<&str>,
    place: &Place,
) -> Result<Beginning, AdminError> {
    let now = engine.clock.now();
    let wait = |retry_after_s| AdminError::TooManyAttempts { retry_after_s };
    attempts.begin_with_provider(place.ip, now).map_err(wait)?;
    let (workspace, provider) = find(engine, slug).await?.ok_or(AdminError::NotFound)?;
    let (state, secret) = (secrets::new_session(), secrets::new_session());
    let ours = registration(engine, &provider, &workspace.slug)?;
    let address = oidc::address(&engine.client, &ours, &asked(&state, &secret)).await?;
    let begun = Begun {
        key: secrets::hash(&state),
        browser: secrets::hash(&secret),
        workspace_id: workspace.id,
        return_to: own_page(return_to),
        vouched: None,
        expires_at: now.plus_ms(LIFE_MS),
    };
    let mut tx = engine.store.begin().await?;
    sign_in::insert_begun(&mut tx, &begun).await?;
    tx.commit().await?;
    Ok(Beginning { address, secret })
}

/// A page of ours, by its path; anything else would let a link send people elsewhere by our name.
fn own_page(path: Option<&str>) -> String {
    let is_ours = |path: &&str| {
        let rest = path.strip_prefix('/').unwrap_or("/");
        let is_plain = path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        is_plain && !rest.starts_with('/') && path.len() <= LONGEST_PATH
    };
    path.filter(is_ours).unwrap_or(START).to_owned()
}

/// What makes a sign-in its own. Nonce and verifier follow from the browser's secret, so that nobody else has them.
fn asked(state: &str, secret: &str) -> Asked {
    Asked { state: state.to_owned(), nonce: derived("nonce", secret), verifier: derived("verifier", secret) }
}

fn derived(what: &str, secret: &str) -> String {
    let digest = Sha256::new().chain_update(format!("leadline sign-in {what} v1:")).chain_update(secret).finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

async fn find(engine: &Engine, slug: &str) -> Result<Option<(Workspace, Provider)>, AdminError> {
    let reader = engine.store.reader();
    let Some(workspace) = workspaces::find_by_slug(&reader, slug).await? else { return Ok(None) };
    let provider = sign_in::find_provider(&reader, workspace.id).await?;
    Ok(provider.filter(|provider| provider.is_enabled).map(|provider| (workspace, provider)))
}

/// Takes what a provider sent a browser back with.
///
/// # Errors
/// Where the store fails. Everything else is [`Came::Refused`].
pub async fn come_back(
    engine: &Engine,
    attempts: &Attempts,
    slug: &str,
    brought: &Brought,
    secret: Option<&str>,
    place: &Place,
) -> Result<Came, AdminError> {
    let (Some(state), Some(secret)) = (brought.state.as_deref(), secret) else { return Ok(Came::Refused("over")) };
    let key = secrets::hash(state);
    let reader = engine.store.reader();
    let begun = sign_in::find_begun(&reader, &key, &secrets::hash(secret), engine.clock.now()).await?;
    let Some(begun) = begun else { return Ok(Came::Refused("over")) };
    let Some((workspace, provider)) = find(engine, slug).await? else { return Ok(Came::Refused("over")) };
    if begun.workspace_id != workspace.id {
        return Ok(Came::Refused("over"));
    }
    let mut tx = engine.store.begin().await?;
    let is_first = sign_in::use_up(&mut tx, &key).await?;
    tx.commit().await?;
    if !is_first {
        return Ok(Came::Refused("over"));
    }
    let code = match code_of(brought, &provider) {
        Ok(code) => code,
        Err(why) => return refused(engine, &provider, place, (why, why, "")).await,
    };
    let ours = registration(engine, &provider, &workspace.slug)?;
    let now = engine.clock.now();
    let person = match oidc::redeem(&engine.client, &ours, &asked(state, secret), code, now.0).await {
        Ok(person) => person,
        Err(error) => return refused(engine, &provider, place, (error.code(), &error.to_string(), "")).await,
    };
    let said = Said::new(person, &provider);
    let coming = Coming { engine, attempts, provider: &provider, said: &said, place };
    match coming.enter(None, None).await {
        Err(AdminError::SecondFactorNeeded) => {
            wait_for_code(engine, &begun, &said, secret).await?;
            Ok(Came::NeedsCode(begun.return_to))
        }
        Err(AdminError::TooManyAttempts { .. }) => Ok(Came::Refused("too_many_attempts")),
        Err(error @ (AdminError::Store(_) | AdminError::Sealed(_))) => Err(error),
        // What it goes by was changed meanwhile.
        Err(_) => Ok(Came::Refused("again")),
        Ok(Entered::In(signed_in)) => Ok(Came::In(signed_in, begun.return_to)),
        Ok(Entered::Refused(why)) => Ok(Came::Refused(why)),
    }
}

/// The code that a provider sent, as far as it is its own answer.
fn code_of<'a>(brought: &'a Brought, provider: &Provider) -> Result<&'a str, &'static str> {
    // Another provider's answer, brought to this one's address, would tell this one the other's code.
    if brought.issuer.as_deref().is_some_and(|issuer| issuer != provider.issuer) {
        return Err("other_issuer");
    }
    match brought.error.as_deref() {
        Some("access_denied") => return Err("cancelled"),
        Some(_) => return Err("provider_refused"),
        None => {}
    }
    brought.code.as_deref().filter(|code| (1..=LONGEST).contains(&code.len())).ok_or("provider_refused")
}

/// Keeps what the provider said until the browser brings a code.
async fn wait_for_code(engine: &Engine, begun: &Begun, said: &Said, secret: &str) -> Result<(), AdminError> {
    let waiting = Begun {
        key: waiting_key(secret),
        vouched: Some(json!(said)),
        expires_at: engine.clock.now().plus_ms(LIFE_MS),
        ..begun.clone()
    };
    let mut tx = engine.store.begin().await?;
    sign_in::insert_begun(&mut tx, &waiting).await?;
    Ok(tx.commit().await?)
}

fn waiting_key(secret: &str) -> [u8; 32] {
    secrets::hash(&derived("code", secret))
}

/// Ends a sign-in that waits for the code of a second factor.
///
/// # Errors
/// [`AdminError::WrongCode`], [`AdminError::TooManyAttempts`], [`AdminError::SignInOver`] where nothing waits.
pub async fn finish(
    engine: &Engine,
    attempts: &Attempts,
    secret: Option<&str>,
    code: &str,
    place: &Place,
) -> Result<SignedIn, AdminError> {
    let secret = secret.ok_or(AdminError::SignInOver)?;
    let (key, browser) = (waiting_key(secret), secrets::hash(secret));
    let reader = engine.store.reader();
    let begun = sign_in::find_begun(&reader, &key, &browser, engine.clock.now()).await?;
    let begun = begun.ok_or(AdminError::SignInOver)?;
    let said = begun.vouched.clone().and_then(|said| serde_json::from_value::<Said>(said).ok());
    let said = said.ok_or(AdminError::SignInOver)?;
    let provider = sign_in::find_provider(&reader, begun.workspace_id).await?;
    let is_the_same = |provider: &Provider| provider.is_enabled && provider.issuer == said.issuer;
    let provider = provider.filter(is_the_same).ok_or(AdminError::SignInOver)?;
    let coming = Coming { engine, attempts, provider: &provider, said: &said, place };
    match coming.enter(Some(code), Some(&key)).await? {
        Entered::In(signed_in) => Ok(signed_in),
        Entered::Refused(_) => Err(AdminError::SignInOver),
    }
}

async fn refused(
    engine: &Engine,
    provider: &Provider,
    place: &Place,
    (code, reason, email): (&'static str, &str, &str),
) -> Result<Came, AdminError> {
    note(engine, provider, place, (reason, email)).await?;
    Ok(Came::Refused(code))
}

/// Deletes sign-ins that were never ended.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn retain(engine: &Engine, now: Timestamp, at_once: i64) -> Result<(), store::Error> {
    loop {
        let mut tx = engine.store.begin().await?;
        let deleted = sign_in::delete_expired(&mut tx, now, at_once).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Some("/leads/42?tab=a#b"), "/leads/42?tab=a#b")]
    #[case(None, START)]
    #[case(Some(""), START)]
    #[case(Some("leads"), START)]
    #[case(Some("//evil.example"), START)]
    #[case(Some("/\\evil.example"), START)]
    #[case(Some("/a\\b"), START)]
    #[case(Some("https://evil.example"), START)]
    #[case(Some("/a\r\nSet-Cookie: b"), START)]
    #[case(Some("/\t/evil.example"), START)]
    #[case(Some("javascript:alert(1)"), START)]
    fn only_pages_of_ours_are_gone_to(#[case] path: Option<&str>, #[case] expected: &str) {
        assert_eq!(own_page(path), expected);
    }

    #[test]
    fn what_a_sign_in_bears_follows_from_the_browser_s_secret_alone() {
        let (one, same, other) = (asked("s", "a"), asked("t", "a"), asked("s", "b"));

        assert_eq!((&one.nonce, &one.verifier), (&same.nonce, &same.verifier));
        assert!(one.nonce != other.nonce && one.verifier != other.verifier && one.nonce != one.verifier);
        assert_eq!(one.verifier.len(), 43, "as long as a verifier must be at least");
    }
}
