//! The HTTP client: one request to one receiver, or one GET from a provider, whatever the other side does.
//!
//! A request is checked by the guard, goes to an address that the guard has seen, follows no redirect and uses no
//! proxy. One deadline covers the name look-up, connecting, TLS, sending and the answer. Once a status line and headers
//! have come, that status is the result: a body that drips past the deadline, breaks off or is larger than
//! [`MAX_BODY_BYTES`] is kept as far as it came. Anything else would send a lead again that the receiver already took.
//! Bodies are never decompressed, so a small answer stays small.
//!
//! Nothing here is shared between destinations except the look-up slots of `resolve`; a receiver that hangs holds its own
//! requests only. Errors are worded here and never quote the answer: it may come from a place the user may not see.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Method;
use rustls::CertificateError;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::certificates::ClientCertificate;
use crate::guard::{Guard, UrlRefused};
use crate::headers::{HeaderRefused, header_map};
use crate::resolve::{GuardedResolver, LookUp, LookUpFailed, system_look_up};

/// How long a receiver has for everything.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of an answer's body is read.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

const MAX_HEADER_VALUE_CHARS: usize = 1024;
/// Divided among the addresses of a name, so that one silent address leaves time for the next.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(8);
/// Shorter than the usual keep-alive of servers: a request on a connection that the receiver just closed is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(15);
/// As many as a destination gets requests at once, so that a busy one does not connect anew for most of them.
const IDLE_CONNECTIONS_PER_HOST: usize = 8;

/// Sends requests to receivers. Cheap to clone; clones share connections.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    guard: Guard,
    /// Kept for clients that show a certificate: they find addresses the same way.
    resolver: Arc<GuardedResolver>,
}

/// One request with a body.
#[derive(Clone, Debug)]
pub struct Request {
    /// `POST`, `PUT` or `PATCH`.
    pub method: Method,
    /// Where to; see [`Guard::check_url`].
    pub url: Url,
    /// All headers apart from those that frame the request.
    pub headers: Vec<(String, String)>,
    /// The body, as signed.
    pub body: Bytes,
    /// How long the whole exchange may take; [`DEFAULT_TIMEOUT`] unless there is a reason.
    pub timeout: Duration,
}

/// One GET.
#[derive(Clone, Debug)]
pub struct Fetch {
    /// From where; see [`Guard::check_url`].
    pub url: Url,
    /// All headers apart from those that frame the request.
    pub headers: Vec<(String, String)>,
    /// How long the whole exchange may take.
    pub timeout: Duration,
    /// How much of the answer's body is read.
    pub max_body_bytes: usize,
}

/// What the receiver answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers with lower-case names; long values are cut, bytes that are not UTF-8 replaced.
    pub headers: Vec<(String, String)>,
    /// The body as sent, at most as much of it as is read.
    pub body: Vec<u8>,
    /// Whether the body is all there.
    pub is_body_whole: bool,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The URL, or every address behind it, is not allowed. Nothing was sent.
    #[error("refused: {0}")]
    Refused(#[from] UrlRefused),
    /// A header cannot be sent. Nothing was sent.
    #[error("refused: {0}")]
    Header(#[from] HeaderRefused),
    /// The deadline passed before the answer's headers had come.
    #[error("no answer in time")]
    Timeout,
    /// No connection came about. Nothing was sent.
    #[error("{0}")]
    Connect(String),
    /// The TLS handshake failed. Nothing was sent.
    #[error("{0}")]
    Tls(String),
    /// The connection broke or the answer was not HTTP; the receiver may have seen the request.
    #[error("{0}")]
    Network(String),
}

/// The client cannot be built; this happens at the start of the process only.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client could not be set up")]
pub struct BuildError(#[from] reqwest::Error);

impl Client {
    /// A client that reaches what the guard allows. It trusts the certificates of the machine, or those in the file
    /// that `SSL_CERT_FILE` names.
    pub fn new(guard: Guard) -> Result<Self, BuildError> {
        Self::with_look_up(guard, system_look_up())
    }

    /// The same with another way of finding addresses, which the guard distrusts just as much.
    pub fn with_look_up(guard: Guard, look_up: LookUp) -> Result<Self, BuildError> {
        install_tls_provider();
        let resolver = Arc::new(GuardedResolver::new(guard.clone(), look_up));
        let http = match builder(&resolver).build() {
            Ok(http) => http,
            // A machine without certificates can still capture leads; its deliveries fail one by one, and say why.
            Err(error) => {
                tracing::warn!(%error, "no trusted certificates found; HTTPS destinations will fail");
                builder(&resolver).tls_certs_only([]).build()?
            }
        };
        Ok(Self { http, guard, resolver })
    }

    /// The same client, which shows a certificate to receivers that ask for one. Its connections are its own: what one
    /// destination may reach by its certificate, no other may.
    pub fn showing(&self, certificate: &ClientCertificate) -> Result<Self, BuildError> {
        let identity = reqwest::Identity::from_pem(certificate.pem.as_bytes())?;
        let http = builder(&self.resolver).identity(identity).build()?;
        Ok(Self { http, guard: self.guard.clone(), resolver: Arc::clone(&self.resolver) })
    }

    /// The guard that this client obeys.
    pub fn guard(&self) -> &Guard {
        &self.guard
    }

    /// An address of a host that may be reached.
    pub(crate) async fn find_allowed(&self, host: &str) -> Result<std::net::IpAddr, String> {
        self.resolver.find_allowed(host).await
    }

    /// Sends one request and waits for the answer. Gives the time it took, too, which an error has as well.
    pub async fn send(&self, request: &Request) -> (Duration, Result<Response, SendError>) {
        let started = Instant::now();
        let result = self.exchange(request, started + request.timeout).await;
        (started.elapsed(), result)
    }

    /// Fetches what somebody has for us, under the same guard.
    pub async fn get(&self, fetch: &Fetch) -> Result<Response, SendError> {
        let deadline = Instant::now() + fetch.timeout;
        self.guard.check_parsed(&fetch.url)?;
        let headers = header_map(&fetch.headers)?;
        let asking = self.http.get(fetch.url.clone()).headers(headers);
        send(asking, deadline, fetch.max_body_bytes).await
    }

    async fn exchange(&self, request: &Request, deadline: Instant) -> Result<Response, SendError> {
        // The resolver never sees a host that is an IP address, so this check stands for it.
        self.guard.check_parsed(&request.url)?;
        let headers = header_map(&request.headers)?;
        let sending =
            self.http.request(request.method.clone(), request.url.clone()).headers(headers).body(request.body.clone());
        send(sending, deadline, MAX_BODY_BYTES).await
    }
}

impl Response {
    /// Whether the receiver took the delivery.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The first header of this name, which must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl SendError {
    /// A stable name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refused) => refused.code(),
            Self::Header(refused) => refused.code(),
            Self::Timeout => "timeout",
            Self::Connect(_) => "connect_failed",
            Self::Tls(_) => "tls_failed",
            Self::Network(_) => "network_error",
        }
    }

    /// Finds the cause that says most. The outer texts hold the URL, which may hold a key, so none is passed on.
    fn from_source(error: &reqwest::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(current) = cause {
            if let Some(known) = known_cause(current) {
                return known;
            }
            cause = current.source();
        }
        if error.is_timeout() {
            return Self::Timeout;
        }
        if error.is_connect() {
            return Self::Connect("no connection to the receiver".to_owned());
        }
        Self::Network("the exchange with the receiver broke off".to_owned())
    }
}

/// There is one provider of cryptography in the process: ring. Whoever comes first installs it.
fn install_tls_provider() {
    // An error only says that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

fn builder(resolver: &Arc<GuardedResolver>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .dns_resolver(Arc::clone(resolver))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .no_gzip()
        .no_brotli()
        .no_zstd()
        .no_deflate()
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_PER_HOST)
        // Without pings a dead HTTP/2 connection would swallow every later request to the same host.
        .http2_keep_alive_interval(Duration::from_secs(5))
        .http2_keep_alive_timeout(Duration::from_secs(4))
}

async fn send(
    request: reqwest::RequestBuilder,
    deadline: Instant,
    max_body_bytes: usize,
) -> Result<Response, SendError> {
    let answer = timeout_at(deadline, request.send()).await.map_err(|_| SendError::Timeout)?;
    let answer = answer.map_err(|error| SendError::from_source(&error))?;
    Ok(read_response(answer, deadline, max_body_bytes).await)
}

async fn read_response(mut answer: reqwest::Response, deadline: Instant, max_body_bytes: usize) -> Response {
    let status = answer.status().as_u16();
    let headers = answer.headers().iter().map(|(name, value)| (name.to_string(), cut(value.as_bytes()))).collect();
    let mut body = Vec::new();
    let is_body_whole = loop {
        match timeout_at(deadline, answer.chunk()).await {
            Ok(Ok(Some(chunk))) => body.extend_from_slice(&chunk[..chunk.len().min(max_body_bytes - body.len())]),
            Ok(Ok(None)) => break true,
            Ok(Err(_)) | Err(_) => break false,
        }
        if body.len() == max_body_bytes {
            break false;
        }
    };
    Response { status, headers, body, is_body_whole }
}

fn cut(value: &[u8]) -> String {
    String::from_utf8_lossy(value).chars().take(MAX_HEADER_VALUE_CHARS).collect()
}

fn known_cause(cause: &(dyn Error + 'static)) -> Option<SendError> {
    if let Some(refused) = cause.downcast_ref::<UrlRefused>() {
        return Some(SendError::Refused(*refused));
    }
    if let Some(failed) = cause.downcast_ref::<LookUpFailed>() {
        return Some(SendError::Connect(failed.to_string()));
    }
    if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
        return Some(SendError::Tls(tls_text(tls).to_owned()));
    }
    if let Some(http) = cause.downcast_ref::<hyper::Error>() {
        return http_text(http).map(|text| SendError::Network(text.to_owned()));
    }
    known_io_cause(cause.downcast_ref::<io::Error>()?)
}

fn known_io_cause(error: &io::Error) -> Option<SendError> {
    // `source` of an io::Error skips the error it wraps, so we look inside.
    if let Some(known) = error.get_ref().and_then(|inner| known_cause(inner)) {
        return Some(known);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(SendError::Connect("connection refused".to_owned())),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(SendError::Connect("the receiver's network cannot be reached".to_owned()))
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            Some(SendError::Network("the receiver closed the connection before answering".to_owned()))
        }
        // Of all other kinds the caller learns as much from where in the exchange it happened.
        _ => None,
    }
}

fn tls_text(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => "the certificate is not trusted",
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "the certificate has expired"
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "the certificate is for another host name",
        rustls::Error::InvalidCertificate(_) => "the certificate is not valid",
        _ => "the TLS handshake failed",
    }
}

fn http_text(error: &hyper::Error) -> Option<&'static str> {
    if error.is_parse() {
        return Some("the answer is not valid HTTP");
    }
    if error.is_incomplete_message() {
        return Some("the receiver closed the connection before answering");
    }
    None
}
