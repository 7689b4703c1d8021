//! Text messages by Twilio: `POST /2010-04-01/Accounts/{sid}/Messages.json`, a form with basic authentication; and the
//! signature that it puts on what it calls back with.

use std::{collections::BTreeMap, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use url::{Url, form_urlencoded};

use super::{Handed, Reason, Text, judged};
use crate::client::{Request, Response};

/// An account, with its secret open.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// Where the API is, without a slash at the end.
    pub base: &'a str,
    /// `AC…`
    pub sid: &'a str,
    /// What signs in.
    pub token: &'a str,
    /// From which number, or `MG…` of a messaging service.
    pub from: &'a str,
}

/// The request that hands a text over; none where the account's address is none.
#[must_use]
pub fn request(account: &Account<'_>, text: &Text<'_>, timeout: Duration) -> Option<Request> {
    let url = Url::parse(&format!("{}/2010-04-01/Accounts/{}/Messages.json", account.base, account.sid)).ok()?;
    let sender = if account.from.starts_with("MG") { "MessagingServiceSid" } else { "From" };
    let body = form_urlencoded::Serializer::new(String::new())
        .append_pair("To", text.to)
        .append_pair(sender, account.from)
        .append_pair("Body", text.body)
        .append_pair("StatusCallback", text.callback)
        .finish();
    Some(Request {
        method: Method::POST,
        url,
        headers: vec![
            ("authorization".to_owned(), basic(account)),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("accept".to_owned(), "application/json".to_owned()),
        ],
        body: Bytes::from(body),
        timeout,
    })
}

/// What asks whether an account can be used: reading its own description.
#[must_use]
pub fn look_up(account: &Account<'_>, timeout: Duration) -> Option<crate::client::Fetch> {
    let url = Url::parse(&format!("{}/2010-04-01/Accounts/{}.json", account.base, account.sid)).ok()?;
    let headers = vec![("authorization".to_owned(), basic(account))];
    Some(crate::client::Fetch { url, headers, timeout, max_body_bytes: crate::client::MAX_BODY_BYTES })
}

/// What fetches a picture that somebody sent; none where it is not at Twilio, whose secret nobody else gets to see.
#[must_use]
pub fn fetch_media(
    account: &Account<'_>,
    url: &str,
    max_body_bytes: usize,
    timeout: Duration,
) -> Option<crate::client::Fetch> {
    let url = Url::parse(url).ok()?;
    let base = Url::parse(account.base).ok()?;
    let is_theirs = url.origin() == base.origin();
    let headers = vec![("authorization".to_owned(), basic(account))];
    is_theirs.then_some(crate::client::Fetch { url, headers, timeout, max_body_bytes })
}

fn basic(account: &Account<'_>) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", account.sid, account.token)))
}

/// What an answer means.
#[must_use]
pub fn read(response: &Response) -> Handed {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.is_success() {
        return Handed::Taken { provider_id: body["sid"].as_str().map(str::to_owned) };
    }
    judged(response, reason(response.status, &body))
}

fn reason(status: u16, body: &Value) -> Reason {
    let code = body["code"].as_i64().map_or_else(|| format!("http_{status}"), |code| code.to_string());
    let message = body["message"].as_str().map_or_else(|| format!("Twilio answered {status}"), str::to_owned);
    Reason::new(code, &message)
}

/// Whether Twilio signed this request: `url` is the address as Twilio was told it, `fields` what the body holds as a
/// form; of another body the address carries a hash.
#[must_use]
pub fn is_signed(token: &str, url: &str, fields: &[(String, String)], body: &[u8], signature: &str) -> bool {
    let Ok(given) = STANDARD.decode(signature.trim()) else { return false };
    let claimed = Url::parse(url)
        .ok()
        .and_then(|url| url.query_pairs().find(|(name, _)| name == "bodySHA256").map(|(_, hash)| hash.into_owned()));
    if let Some(hash) = &claimed {
        let found = hex::encode(Sha256::digest(body));
        if !bool::from(found.as_bytes().ct_eq(hash.to_lowercase().as_bytes())) {
            return false;
        }
    }
    let fields = if claimed.is_some() { &[] } else { fields };
    both_ports(url).iter().any(|url| bool::from(signature_of(token, url, fields).ct_eq(&given)))
}

/// The address followed by each field's name and value, by name; each value of a field once.
fn signature_of(token: &str, url: &str, fields: &[(String, String)]) -> Vec<u8> {
    let mut sorted: BTreeMap<&str, std::collections::BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in fields {
        sorted.entry(name).or_default().insert(value);
    }
    let mut mac = Hmac::<sha1::Sha1>::new_from_slice(token.as_bytes()).expect("a key of any length");
    mac.update(url.as_bytes());
    for (name, values) in sorted {
        for value in values {
            mac.update(name.as_bytes());
            mac.update(value.as_bytes());
        }
    }
    mac.finalize().into_bytes().to_vec()
}

/// Proxies drop or add the standard port; Twilio signs one of the two.
fn both_ports(url: &str) -> Vec<String> {
    let mut ways = vec![url.to_owned()];
    let Ok(parsed) = Url::parse(url) else { return ways };
    let (Some(host), Some(port)) = (parsed.host_str(), parsed.port_or_known_default()) else { return ways };
    let scheme = parsed.scheme();
    let with = format!("{scheme}://{host}:{port}");
    let without = format!("{scheme}://{host}");
    if let Some(rest) = url.strip_prefix(&with) {
        ways.push(format!("{without}{rest}"));
    } else if let Some(rest) = url.strip_prefix(&without) {
        ways.push(format!("{with}{rest}"));
    }
    ways
}
