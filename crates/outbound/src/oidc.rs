//! Asking a sign-in provider who somebody is (OpenID Connect): where to send their browser, and what came back.
//!
//! The provider is found by its issuer alone; its addresses and keys are asked for anew each time, so that a key that
//! it took back counts no longer. What it answers is believed only where it is signed with a key that it publishes, for
//! us, for this very sign-in and not too long ago. Everything goes through the guarded client. Nothing that a provider
//! answers is quoted: it may come from a place that the user may not see.

use std::pin::Pin;
use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdTokenVerifier,
    CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    DiscoveryError, HttpRequest, HttpResponse, IssuerUrl, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, SignatureVerificationError, StandardErrorResponse, TokenResponse as _,
};
use serde_json::Value;

use crate::client::{Client, Fetch, MAX_BODY_BYTES, Request, Response, SendError};
use crate::guard::UrlRefused;

/// The longest name of somebody by a provider, by its standard.
const LONGEST_SUBJECT: usize = 255;

/// So far a provider's clock may be ahead of ours.
const CLOCKS_DIFFER: TimeDelta = TimeDelta::minutes(5);

/// Ways of signing that are taken: with a key that the provider publishes. A secret that both sides know (`HS256`)
/// proves less, and no signature (`none`) proves nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// How a provider knows us.
#[derive(Clone)]
pub struct Registration {
    /// The provider's issuer, exactly as it writes it.
    pub issuer: String,
    /// Our id there.
    pub client_id: String,
    /// Our secret there.
    pub client_secret: String,
    /// Where it sends browsers back to.
    pub redirect_url: String,
    /// How long everything that it is asked in one go may take.
    pub timeout: Duration,
}

/// What makes one sign-in its own.
#[derive(Clone)]
pub struct Asked {
    /// Comes back with the browser.
    pub state: String,
    /// Comes back in what the provider signs.
    pub nonce: String,
    /// Shows that whoever brings the code is who began (PKCE).
    pub verifier: String,
}

/// Somebody whom the provider vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// What it calls them, for good.
    pub subject: String,
    /// Their address.
    pub email: Option<String>,
    /// Whether it says that the address is theirs.
    pub is_email_verified: bool,
    /// Their name.
    pub name: Option<String>,
}

/// Why a provider cannot be used, or is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// Its address is not one that may be reached.
    #[error("the issuer cannot be used: {0}")]
    Issuer(#[from] UrlRefused),
    /// It could not be asked.
    #[error("the provider could not be asked: {0}")]
    Send(#[from] SendError),
    /// It did not answer in time.
    #[error("the provider did not answer in time")]
    Slow,
    /// What it says of itself cannot be used.
    #[error("{0}")]
    Discovery(String),
    /// It did not take our word.
    #[error("{0}")]
    Refused(&'static str),
    /// What it says of somebody is not believed.
    #[error("the ID token {0}")]
    Token(&'static str),
}

impl OidcError {
    /// A stable name for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Issuer(_) | Self::Discovery(_) => "provider_unusable",
            Self::Send(_) | Self::Slow => "provider_unreachable",
            Self::Refused(_) => "provider_refused",
            Self::Token(_) => "token_refused",
        }
    }
}

/// What a provider says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Where it has people sign in.
    pub authorization_endpoint: String,
    /// Ways in which it signs that we take.
    pub algorithms: Vec<String>,
    /// How many keys it publishes.
    pub key_count: usize,
}

/// Looks whether a provider can be found by its issuer, and used.
///
/// # Errors
/// Where it cannot, with what is wrong.
pub async fn check(client: &Client, issuer: &str, timeout: Duration) -> Result<Discovered, OidcError> {
    let metadata = in_time(timeout, discover(client, issuer, timeout)).await?;
    usable_endpoint(client, metadata.authorization_endpoint().as_str())?;
    let endpoint = metadata.token_endpoint().ok_or_else(|| unusable("the provider names no token endpoint"))?;
    client.guard().check_url(endpoint.as_str())?;
    let offered = metadata.id_token_signing_alg_values_supported();
    let algorithms: Vec<String> = ALGORITHMS.iter().filter(|known| offered.contains(known)).map(name_of).collect();
    if algorithms.is_empty() {
        return Err(unusable("the provider signs in no way that is taken here; RS256 and ES256 are the usual ones"));
    }
    let key_count = metadata.jwks().keys().len();
    if key_count == 0 {
        return Err(unusable("the provider publishes no keys that are known here"));
    }
    Ok(Discovered { authorization_endpoint: metadata.authorization_endpoint().to_string(), algorithms, key_count })
}

fn name_of(algorithm: &CoreJwsSigningAlgorithm) -> String {
    serde_json::to_value(algorithm).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Where somebody's browser goes to sign in.
///
/// # Errors
/// Where the provider cannot be used.
pub async fn address(client: &Client, ours: &Registration, asked: &Asked) -> Result<String, OidcError> {
    let metadata = in_time(ours.timeout, discover(client, &ours.issuer, ours.timeout)).await?;
    usable_endpoint(client, metadata.authorization_endpoint().as_str())?;
    let provider = CoreClient::from_provider_metadata(metadata, ClientId::new(ours.client_id.clone()), None)
        .set_redirect_uri(redirect(ours)?);
    let (state, nonce) = (asked.state.clone(), asked.nonce.clone());
    let verifier = PkceCodeVerifier::new(asked.verifier.clone());
    let (url, _, _) = provider
        .authorize_url(
            CoreAuthenticationFlow::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_scope(Scope::new("email".to_owned()))
        .add_scope(Scope::new("profile".to_owned()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    Ok(url.into())
}

/// Who it is that a code stands for, as the provider says at `now_ms`.
///
/// # Errors
/// Where the provider cannot be asked, does not take the code, or is not believed.
pub async fn redeem(
    client: &Client,
    ours: &Registration,
    asked: &Asked,
    code: &str,
    now_ms: i64,
) -> Result<Person, OidcError> {
    in_time(ours.timeout, redeem_in_its_time(client, ours, asked, code, now_ms)).await
}

async fn redeem_in_its_time(
    client: &Client,
    ours: &Registration,
    asked: &Asked,
    code: &str,
    now_ms: i64,
) -> Result<Person, OidcError> {
    let guarded = Guarded { client, timeout: ours.timeout };
    let metadata = discover(client, &ours.issuer, ours.timeout).await?;
    let (issuer, keys) = (metadata.issuer().clone(), metadata.jwks().clone());
    let takes = metadata.token_endpoint_auth_methods_supported();
    let in_the_body = takes.is_some_and(|methods| {
        !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
            && methods.contains(&CoreClientAuthMethod::ClientSecretPost)
    });
    let (id, secret) = (ClientId::new(ours.client_id.clone()), ClientSecret::new(ours.client_secret.clone()));
    let provider = CoreClient::from_provider_metadata(metadata, id.clone(), Some(secret))
        .set_redirect_uri(redirect(ours)?)
        .set_auth_type(if in_the_body { AuthType::RequestBody } else { AuthType::BasicAuth });
    let asking = provider.exchange_code(AuthorizationCode::new(code.to_owned()));
    let asking = asking.map_err(|_| unusable("the provider names no token endpoint"))?;
    let asking = asking.set_pkce_verifier(PkceCodeVerifier::new(asked.verifier.clone()));
    let answer = asking.request_async(&guarded).await.map_err(of_tokens)?;
    let token = answer.id_token().ok_or(OidcError::Token("is missing in the provider's answer"))?;
    let now = DateTime::from_timestamp_millis(now_ms).unwrap_or_default();
    let verifier = CoreIdTokenVerifier::new_public_client(id, issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now)
        .set_issue_time_verifier_fn(move |issued| issued_before(issued, now));
    let claims = token.claims(&verifier, &Nonce::new(asked.nonce.clone())).map_err(|error| of_claims(&error))?;
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err(OidcError::Token("names nobody in a way that can be kept"));
    }
    Ok(Person {
        subject: subject.to_owned(),
        email: claims.email().map(|email| email.as_str().to_owned()),
        is_email_verified: claims.email_verified().unwrap_or_else(|| has_verified_domain(&token.to_string())),
        name: claims.name().and_then(|names| names.get(None)).map(|name| name.as_str().to_owned()),
    })
}

/// Whether a token whose signature fits says that the domain of the address is its owner's: Entra ID's word, which has
/// no `email_verified`.
fn has_verified_domain(token: &str) -> bool {
    let payload = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
    let claims: Option<Value> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    let said = claims.and_then(|claims| claims.get("xms_edov").cloned()).unwrap_or_default();
    said == Value::Bool(true) || said == "1" || said == "true" || said == 1
}

fn issued_before(issued: DateTime<Utc>, now: DateTime<Utc>) -> Result<(), String> {
    if issued > now + CLOCKS_DIFFER { Err("issued in the future".to_owned()) } else { Ok(()) }
}

fn redirect(ours: &Registration) -> Result<RedirectUrl, OidcError> {
    RedirectUrl::new(ours.redirect_url.clone())
        .map_err(|_| unusable("the address of this server is not a complete one"))
}

/// A browser is sent there, so it must be an address that we would go to ourselves.
fn usable_endpoint(client: &Client, endpoint: &str) -> Result<(), OidcError> {
    client.guard().check_url(endpoint).map(drop).map_err(OidcError::Issuer)
}

async fn discover(client: &Client, issuer: &str, timeout: Duration) -> Result<CoreProviderMetadata, OidcError> {
    client.guard().check_url(issuer)?;
    let url = IssuerUrl::new(issuer.to_owned()).map_err(|_| OidcError::Issuer(UrlRefused::Malformed))?;
    let guarded = Guarded { client, timeout };
    CoreProviderMetadata::discover_async(url, &guarded).await.map_err(of_discovery)
}

fn of_discovery(error: DiscoveryError<Unsent>) -> OidcError {
    match error {
        DiscoveryError::Request(unsent) => unsent.into(),
        DiscoveryError::Response(status, ..) if status.is_success() => {
            unusable("the provider's answer is not JSON; is this its issuer?")
        }
        DiscoveryError::Response(status, ..) => {
            OidcError::Discovery(format!("the provider answers {}; is this its issuer?", status.as_u16()))
        }
        DiscoveryError::Parse(error) => {
            let path = error.path().to_string();
            let is_a_name = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.[]".contains(&byte));
            if is_a_name && path != "." && path.len() < 60 {
                return OidcError::Discovery(format!("what the provider says of itself has no usable {path}"));
            }
            unusable("what the provider says of itself cannot be read, or lacks something")
        }
        DiscoveryError::Validation(_) => unusable(
            "the provider writes its issuer in another way; copy it from there, with or without a slash at the end",
        ),
        _ => unusable("what the provider says of itself cannot be used"),
    }
}

fn unusable(why: &str) -> OidcError {
    OidcError::Discovery(why.to_owned())
}

type TokenError = RequestTokenError<Unsent, StandardErrorResponse<CoreErrorResponseType>>;

fn of_tokens(error: TokenError) -> OidcError {
    use CoreErrorResponseType as Kind;

    match error {
        RequestTokenError::Request(unsent) => unsent.into(),
        RequestTokenError::ServerResponse(answer) => OidcError::Refused(match answer.error() {
            Kind::InvalidClient | Kind::UnauthorizedClient => "the provider does not take our client id and secret",
            Kind::InvalidGrant => "the provider does not take the code that it sent",
            _ => "the provider refuses to say who it is",
        }),
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            OidcError::Refused("the provider's answer cannot be read")
        }
    }
}

fn of_claims(error: &ClaimsVerificationError) -> OidcError {
    OidcError::Token(match error {
        ClaimsVerificationError::Expired(_) => "has expired",
        ClaimsVerificationError::InvalidAudience(_) => "is for somebody else than us",
        ClaimsVerificationError::InvalidIssuer(_) => "is another issuer's",
        ClaimsVerificationError::InvalidNonce(_) => "belongs to another sign-in",
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::NoMatchingKey => "is signed with a key that is not published",
            SignatureVerificationError::DisallowedAlg(_)
            | SignatureVerificationError::UnsupportedAlg(_)
            | SignatureVerificationError::NoSignature => "is not signed in a way that is taken here",
            _ => "has a signature that does not fit",
        },
        _ => "is not a valid one",
    })
}

async fn in_time<T>(timeout: Duration, work: impl Future<Output = Result<T, OidcError>>) -> Result<T, OidcError> {
    tokio::time::timeout(timeout, work).await.unwrap_or(Err(OidcError::Slow))
}

/// The guarded client, as the library wants one.
struct Guarded<'a> {
    client: &'a Client,
    timeout: Duration,
}

/// Why there is no answer that could be read.
#[derive(Debug, thiserror::Error)]
enum Unsent {
    #[error(transparent)]
    Send(#[from] SendError),
    #[error("the answer is too long")]
    TooLong,
    #[error("the request cannot be sent")]
    Malformed,
}

impl From<Unsent> for OidcError {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::Send(SendError::Refused(refused)) => Self::Issuer(refused),
            Unsent::Send(error) => Self::Send(error),
            Unsent::TooLong => Self::Discovery("the provider's answer is longer than any good one".to_owned()),
            Unsent::Malformed => Self::Discovery("the provider names an address that cannot be asked".to_owned()),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for Guarded<'_> {
    type Error = Unsent;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Unsent>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.exchange(request))
    }
}

impl Guarded<'_> {
    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, Unsent> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string().parse().map_err(|_| Unsent::Malformed)?;
        let text = |value: &http::HeaderValue| value.to_str().map(str::to_owned).map_err(|_| Unsent::Malformed);
        let headers = parts.headers.iter().map(|(name, value)| Ok((name.to_string(), text(value)?)));
        let headers = headers.collect::<Result<Vec<_>, Unsent>>()?;
        let timeout = self.timeout;
        let answer = if parts.method == http::Method::GET {
            self.client.get(&Fetch { url, headers, timeout, max_body_bytes: MAX_BODY_BYTES }).await?
        } else {
            let request = Request { method: parts.method, url, headers, body: body.into(), timeout };
            self.client.send(&request).await.1?
        };
        of_answer(answer)
    }
}

/// The answer for the library. Of its headers only the kind of its body matters.
fn of_answer(answer: Response) -> Result<HttpResponse, Unsent> {
    if !answer.is_body_whole {
        return Err(Unsent::TooLong);
    }
    let mut built = http::Response::builder().status(answer.status);
    if let Some(kind) = answer.header("content-type") {
        built = built.header(http::header::CONTENT_TYPE, kind);
    }
    built.body(answer.body).map_err(|_| Unsent::Malformed)
}
