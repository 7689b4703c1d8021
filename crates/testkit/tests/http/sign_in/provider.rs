//! A sign-in provider on loopback: an honest one, until a test tells it to lie.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use ring::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use rsa::{
    RsaPrivateKey,
    pkcs1v15::SigningKey,
    rand_core::OsRng,
    sha2::Sha256,
    signature::{SignatureEncoding, Signer},
    traits::PublicKeyParts,
};
use serde_json::{Value, json};
use url::Url;

pub const CLIENT: &str = "leadline";
pub const SECRET: &str = "a secret of this client";

/// How it signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signs {
    Es256,
    Rs256,
    /// Not at all, and says so.
    None,
    /// With the client's secret.
    Hs256,
    /// With the published key, taken for a secret.
    Hs256ByThePublishedKey,
    /// With a key that it does not publish, by the name of one that it does.
    OtherKey,
    /// By the name of a key that it does not publish.
    UnknownKey,
}

/// What it answers in place of what it should.
#[derive(Debug, Clone)]
pub enum Instead {
    Says(u16, String),
    Hangs,
}

struct Inner {
    issuer: String,
    now_ms: i64,
    signs: Signs,
    /// What is put over the claims of everybody; null takes one away.
    claims: Value,
    /// By path.
    instead: HashMap<&'static str, Instead>,
    /// What it says of itself otherwise.
    metadata: Value,
    key: EcdsaKeyPair,
    other_key: EcdsaKeyPair,
    rsa: Option<RsaPrivateKey>,
    /// Nonce and challenge of each code, and whom it is for.
    codes: HashMap<String, (String, String, Value)>,
}

/// The provider. It runs until it is dropped.
pub struct Provider {
    inner: Arc<Mutex<Inner>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).expect("a key");
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).expect("a key")
}

impl Provider {
    pub async fn start(now_ms: i64) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address: SocketAddr = listener.local_addr().expect("an address");
        let inner = Arc::new(Mutex::new(Inner {
            issuer: format!("http://{address}"),
            now_ms,
            signs: Signs::Es256,
            claims: json!({}),
            instead: HashMap::new(),
            metadata: json!({}),
            key: new_key(),
            other_key: new_key(),
            rsa: None,
            codes: HashMap::new(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves until it is dropped");
        });
        Self { inner, server }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        lock(&self.inner)
    }

    pub fn issuer(&self) -> String {
        self.lock().issuer.clone()
    }

    pub fn set_clock(&self, now_ms: i64) {
        self.lock().now_ms = now_ms;
    }

    pub fn signs(&self, how: Signs) {
        let mut inner = self.lock();
        if how == Signs::Rs256 && inner.rsa.is_none() {
            inner.rsa = Some(RsaPrivateKey::new(&mut OsRng, 2048).expect("a key"));
        }
        inner.signs = how;
    }

    /// Puts these over the claims of everybody from now on.
    pub fn claims(&self, claims: Value) {
        self.lock().claims = claims;
    }

    pub fn says_of_itself(&self, metadata: Value) {
        self.lock().metadata = metadata;
    }

    pub fn answers(&self, path: &'static str, instead: Instead) {
        self.lock().instead.insert(path, instead);
    }

    pub fn is_honest_again(&self) {
        let mut inner = self.lock();
        inner.signs = Signs::Es256;
        inner.claims = json!({});
        inner.metadata = json!({});
        inner.instead.clear();
    }

    /// Somebody signs in here, whom a browser was sent with this address. Gives code and state.
    pub fn authorize(&self, url: &str, person: Value) -> (String, String) {
        let url = Url::parse(url).expect("an address");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let of = |name: &str| asked.get(name).cloned().unwrap_or_else(|| panic!("no {name} in {url}"));
        assert_eq!((of("client_id").as_str(), of("response_type").as_str()), (CLIENT, "code"));
        assert_eq!(of("code_challenge_method"), "S256");
        let scope = of("scope");
        assert!(scope.contains("openid") && scope.contains("email"), "{scope}");
        let mut inner = self.lock();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", inner.issuer)), "{url}");
        let code = format!("code-{}", inner.codes.len());
        inner.codes.insert(code.clone(), (of("nonce"), of("code_challenge"), person));
        (code, of("state"))
    }
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn instead(inner: &Mutex<Inner>, path: &str) -> Option<Response> {
    let instead = lock(inner).instead.get(path).cloned()?;
    match instead {
        Instead::Says(status, body) => {
            let status = StatusCode::from_u16(status).expect("a status");
            Some((status, [("content-type", "application/json")], body).into_response())
        }
        Instead::Hangs => std::future::pending().await,
    }
}

fn put_over(base: &mut Value, over: &Value) {
    for (name, value) in over.as_object().into_iter().flatten() {
        match value {
            Value::Null => drop(base.as_object_mut().expect("an object").remove(name)),
            value => base[name] = value.clone(),
        }
    }
}

async fn metadata(State(inner): State<Arc<Mutex<Inner>>>) -> Response {
    if let Some(answer) = instead(&inner, "metadata").await {
        return answer;
    }
    let inner = lock(&inner);
    let issuer = &inner.issuer;
    let mut said = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256", "RS256"],
    });
    put_over(&mut said, &inner.metadata);
    Json(said).into_response()
}

async fn keys(State(inner): State<Arc<Mutex<Inner>>>) -> Response {
    if let Some(answer) = instead(&inner, "keys").await {
        return answer;
    }
    Json(json!({"keys": published(&lock(&inner))})).into_response()
}

fn published(inner: &Inner) -> Vec<Value> {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = inner.key.public_key().as_ref();
    let mut keys = vec![json!({"kty": "EC", "crv": "P-256", "kid": "ec", "use": "sig", "alg": "ES256",
                               "x": part(&point[1..33]), "y": part(&point[33..65])})];
    if let Some(rsa) = &inner.rsa {
        keys.push(json!({"kty": "RSA", "kid": "rsa", "use": "sig", "alg": "RS256",
                         "n": part(&rsa.n().to_bytes_be()), "e": part(&rsa.e().to_bytes_be())}));
    }
    keys
}

async fn token(State(inner): State<Arc<Mutex<Inner>>>, headers: HeaderMap, body: String) -> Response {
    if let Some(answer) = instead(&inner, "token").await {
        return answer;
    }
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let mut inner = lock(&inner);
    let secret = SECRET.replace(' ', "+");
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
    if headers.get("authorization").and_then(|value| value.to_str().ok()) != Some(&expected) {
        return (StatusCode::UNAUTHORIZED, Json(json!({"error": "invalid_client"}))).into_response();
    }
    let of = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let known = inner.codes.remove(of("code"));
    let proof = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, of("code_verifier").as_bytes()));
    let Some((nonce, _, person)) = known.filter(|(_, challenge, _)| *challenge == proof) else {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"}))).into_response();
    };
    let now = inner.now_ms / 1_000;
    let mut claims = json!({"iss": inner.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce});
    put_over(&mut claims, &person);
    put_over(&mut claims, &inner.claims);
    let token = sign(&inner, &claims);
    Json(json!({"access_token": "access", "token_type": "Bearer", "expires_in": 300, "id_token": token}))
        .into_response()
}

fn sign(inner: &Inner, claims: &Value) -> String {
    let (algorithm, kid) = match inner.signs {
        Signs::Es256 | Signs::OtherKey => ("ES256", "ec"),
        Signs::UnknownKey => ("ES256", "nobody's"),
        Signs::Rs256 => ("RS256", "rsa"),
        Signs::None => ("none", "ec"),
        Signs::Hs256 | Signs::Hs256ByThePublishedKey => ("HS256", "ec"),
    };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(&json!({"alg": algorithm, "kid": kid, "typ": "JWT"})), part(claims));
    let keyed = |key: &[u8]| {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("any length");
        mac.update(message.as_bytes());
        mac.finalize().into_bytes().to_vec()
    };
    let by = |key: &EcdsaKeyPair| key.sign(&SystemRandom::new(), message.as_bytes()).expect("signed").as_ref().to_vec();
    let signature = match inner.signs {
        Signs::Es256 | Signs::UnknownKey => by(&inner.key),
        Signs::OtherKey => by(&inner.other_key),
        Signs::Rs256 => {
            let key = SigningKey::<Sha256>::new(inner.rsa.clone().expect("a key"));
            key.sign(message.as_bytes()).to_vec()
        }
        Signs::None => Vec::new(),
        Signs::Hs256 => keyed(SECRET.as_bytes()),
        Signs::Hs256ByThePublishedKey => keyed(inner.key.public_key().as_ref()),
    };
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}
