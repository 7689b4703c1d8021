//! The demonstration: a page with a form to try, and a receiver that shows what a CRM would get.
//!
//! The receiver keeps the last deliveries in memory and checks their signature as any receiver would.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use leadline_domain::time::Timestamp;
use serde::Serialize;

use crate::app::App;

/// Deliveries that the receiver remembers.
const REMEMBERED: usize = 50;

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'",
);

/// Whether headers and body carry a signature that is valid now.
pub type Verify = Box<dyn Fn(&HeaderMap, &[u8]) -> bool + Send + Sync>;

/// What the demonstration shows.
pub struct Demo {
    form_key: String,
    site_key: String,
    verify: Verify,
    deliveries: Mutex<VecDeque<Delivery>>,
}

impl Demo {
    /// A demonstration of this form and site, with a receiver that checks signatures.
    #[must_use]
    pub fn new(form_key: String, site_key: String, verify: Verify) -> Self {
        Self { form_key, site_key, verify, deliveries: Mutex::default() }
    }

    fn deliveries(&self) -> MutexGuard<'_, VecDeque<Delivery>> {
        self.deliveries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that the receiver got.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Delivery {
    received_at: Timestamp,
    event: String,
    delivery_id: String,
    signature_is_valid: bool,
    body: serde_json::Value,
}

pub(crate) fn routes(app: &App) -> Router<App> {
    if app.demo.is_none() {
        return Router::new();
    }
    Router::new()
        .route("/demo", get(page))
        .route("/demo/thanks", get(thanks))
        .route("/demo/style.css", get(style))
        .route("/demo/receiver", post(receive).get(receiver_page))
        .route("/demo/receiver.js", get(receiver_script))
        .route("/demo/receiver/deliveries", get(deliveries))
}

async fn page(State(app): State<App>) -> Response {
    let Some(demo) = &app.demo else { return StatusCode::NOT_FOUND.into_response() };
    let form = include_str!("demo/form.html").replace("{{form}}", &demo.form_key).replace("{{site}}", &demo.site_key);
    html(form)
}

async fn thanks() -> Response {
    html(include_str!("demo/thanks.html").to_owned())
}

async fn receiver_page() -> Response {
    html(include_str!("demo/receiver.html").to_owned())
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("demo/style.css"))
}

async fn receiver_script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("demo/receiver.js"))
}

/// What a CRM does: checks the signature, then takes the lead.
async fn receive(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Response {
    let Some(demo) = &app.demo else { return StatusCode::NOT_FOUND.into_response() };
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let now = app.engine.clock.now();
    let id = text("webhook-id");
    let signature_is_valid = (demo.verify)(&headers, &body);
    if !signature_is_valid {
        return (StatusCode::UNAUTHORIZED, "the signature is not valid\n").into_response();
    }
    let mut deliveries = demo.deliveries();
    let is_known = deliveries.iter().any(|known| known.delivery_id == id);
    if !is_known {
        deliveries.push_front(Delivery {
            received_at: now,
            event: text("x-leadline-event"),
            delivery_id: id,
            signature_is_valid,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        });
        deliveries.truncate(REMEMBERED);
    }
    (StatusCode::OK, "taken\n").into_response()
}

async fn deliveries(State(app): State<App>) -> Response {
    let Some(demo) = &app.demo else { return StatusCode::NOT_FOUND.into_response() };
    let deliveries: Vec<Delivery> = demo.deliveries().iter().cloned().collect();
    axum::Json(deliveries).into_response()
}

fn html(text: String) -> Response {
    let mut response = Html(text).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    response
}
