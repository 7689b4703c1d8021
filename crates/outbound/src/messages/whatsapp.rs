//! The WhatsApp Cloud API: `POST /{version}/{phone number id}/messages`, a template or a text.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::{Handed, Reason, Text, judged};
use crate::client::{Fetch, MAX_BODY_BYTES, Request, Response};

/// A number at Meta, with its token open.
#[derive(Clone, Copy)]
pub struct Number<'a> {
    /// Where the API is, with its version and without a slash at the end.
    pub base: &'a str,
    /// The number's id there.
    pub phone_number_id: &'a str,
    /// What signs in.
    pub token: &'a str,
}

/// A template that Meta knows, and what its placeholders stand for, in their order.
#[derive(Debug, Clone)]
pub struct Template {
    /// What Meta calls it.
    pub name: String,
    /// Its language, as `en_US`.
    pub language: String,
    /// What stands in place of `{{1}}`, `{{2}}`, ….
    pub values: Vec<String>,
}

/// Meta's codes for "too many, later".
const TOO_MANY: [i64; 4] = [4, 80_007, 130_429, 131_056];

/// The request that hands a message over; none where the number's address is none.
#[must_use]
pub fn request(
    number: &Number<'_>,
    text: &Text<'_>,
    template: Option<&Template>,
    timeout: Duration,
) -> Option<Request> {
    let url = Url::parse(&format!("{}/{}/messages", number.base, number.phone_number_id)).ok()?;
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": text.to.trim_start_matches('+'),
        // Comes back with each report, so that one that is quicker than our own note finds its message.
        "biz_opaque_callback_data": text.id,
    });
    match template {
        Some(template) => {
            body["type"] = json!("template");
            body["template"] = described(template);
        }
        None => {
            body["type"] = json!("text");
            body["text"] = json!({"preview_url": false, "body": text.body});
        }
    }
    Some(Request {
        method: Method::POST,
        url,
        headers: vec![authorization(number), ("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from(body.to_string()),
        timeout,
    })
}

fn described(template: &Template) -> Value {
    let mut described = json!({"name": template.name, "language": {"code": template.language}});
    if !template.values.is_empty() {
        // Meta refuses parameters with line breaks, and empty ones.
        let parameters: Vec<Value> =
            template.values.iter().map(|value| json!({"type": "text", "text": in_a_line(value)})).collect();
        described["components"] = json!([{"type": "body", "parameters": parameters}]);
    }
    described
}

fn in_a_line(value: &str) -> String {
    let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { "-".to_owned() } else { line }
}

/// What asks whether a number can be used: reading its own description.
#[must_use]
pub fn look_up(number: &Number<'_>, timeout: Duration) -> Option<Fetch> {
    let url = format!("{}/{}?fields=display_phone_number,verified_name", number.base, number.phone_number_id);
    let url = Url::parse(&url).ok()?;
    Some(Fetch { url, headers: vec![authorization(number)], timeout, max_body_bytes: MAX_BODY_BYTES })
}

fn authorization(number: &Number<'_>) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {}", number.token))
}

/// What an answer means.
#[must_use]
pub fn read(response: &Response) -> Handed {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if response.is_success() {
        return Handed::Taken { provider_id: body["messages"][0]["id"].as_str().map(str::to_owned) };
    }
    let error = &body["error"];
    let code = error["code"].as_i64();
    let details = error["error_data"]["details"].as_str().or_else(|| error["message"].as_str());
    let status = response.status;
    let name = code.map_or_else(|| format!("http_{status}"), |code| code.to_string());
    let reason = Reason::new(name, details.unwrap_or(&format!("WhatsApp answered {status}")));
    if code.is_some_and(|code| TOO_MANY.contains(&code)) {
        return Handed::Later(reason, None);
    }
    judged(response, reason)
}
