//! A destination on loopback that answers as told and keeps what it got.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use tokio::sync::watch;

/// How the receiver answers one request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// With this status.
    Status(u16),
    /// With this status and this header.
    With(u16, &'static str, String),
    /// With this status and this body.
    Body(u16, String),
    /// Never.
    Hang,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Received {
    /// `POST` or another verb.
    pub method: Method,
    /// Path and query.
    pub uri: String,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Received {
    /// The value of a header, or nothing.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// Where it is none.
    #[must_use]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }
}

#[derive(Default)]
struct Inner {
    answers: Mutex<VecDeque<Answer>>,
    otherwise: Mutex<Option<Answer>>,
    received: Mutex<Vec<Received>>,
    count: watch::Sender<usize>,
}

/// A receiver that runs until it is dropped.
pub struct Receiver {
    address: SocketAddr,
    inner: Arc<Inner>,
    server: tokio::task::JoinHandle<()>,
}

impl Receiver {
    /// A receiver that answers 200 until told otherwise.
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port on loopback");
        let address = listener.local_addr().expect("a bound listener has an address");
        let inner = Arc::<Inner>::default();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("the receiver serves until it is dropped");
        });
        Self { address, inner, server }
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next requests like this, one each; 200 after.
    pub fn answers(&self, answers: impl IntoIterator<Item = Answer>) {
        self.inner.answers.lock().unwrap_or_else(PoisonError::into_inner).extend(answers);
    }

    /// Answers all requests like this for which nothing else was said.
    pub fn answers_otherwise(&self, answer: Answer) {
        *self.inner.otherwise.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// Waits until this many requests have come.
    pub async fn wait_for(&self, count: usize) {
        let mut counted = self.inner.count.subscribe();
        counted.wait_for(|now| *now >= count).await.expect("the receiver is there");
    }

    /// What came so far.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.inner.received.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let received = Received { method, uri: uri.to_string(), headers, body };
    inner.received.lock().unwrap_or_else(PoisonError::into_inner).push(received);
    inner.count.send_modify(|count| *count += 1);
    let answer = inner.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
    let otherwise = || inner.otherwise.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match answer.or_else(otherwise).unwrap_or(Answer::Status(200)) {
        Answer::Status(code) => status(code).into_response(),
        Answer::With(code, name, value) => (status(code), [(name, value)]).into_response(),
        Answer::Body(code, body) => (status(code), body).into_response(),
        Answer::Hang => std::future::pending().await,
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).expect("a status of three digits")
}
