//! Text messages by any gateway that takes HTTP: an address, a body that somebody wrote with placeholders, and headers.
//! Each request carries `Idempotency-Key`, for gateways that know it.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::Value;
use url::Url;

use super::{Handed, Reason, Text, judged};
use crate::client::{Request, Response};

/// A gateway, with its secrets open.
#[derive(Clone, Copy)]
pub struct Gateway<'a> {
    /// Where texts go.
    pub url: &'a Url,
    /// The kind of the body, with the header that says so.
    pub content_type: &'a str,
    /// The body, filled in.
    pub body: &'a str,
    /// Custom headers.
    pub headers: &'a [(String, String)],
    /// The name of the field of the answer that has the gateway's id; parts with dots.
    pub id_field: Option<&'a str>,
}

/// The request that hands a text over.
#[must_use]
pub fn request(gateway: &Gateway<'_>, text: &Text<'_>, timeout: Duration) -> Request {
    let mut headers = vec![
        ("content-type".to_owned(), gateway.content_type.to_owned()),
        ("idempotency-key".to_owned(), text.id.to_owned()),
    ];
    headers.extend_from_slice(gateway.headers);
    Request {
        method: Method::POST,
        url: gateway.url.clone(),
        headers,
        body: Bytes::from(gateway.body.to_owned()),
        timeout,
    }
}

/// What an answer means.
#[must_use]
pub fn read(gateway: &Gateway<'_>, response: &Response) -> Handed {
    if response.is_success() {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let found = gateway.id_field.and_then(|path| path.split('.').try_fold(&body, |value, name| value.get(name)));
        let provider_id = found.and_then(|id| match id {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        return Handed::Taken { provider_id };
    }
    // What a gateway says in its body may be a page; its status is enough.
    let reason = Reason::new(format!("http_{}", response.status), &format!("the gateway answered {}", response.status));
    judged(response, reason)
}
