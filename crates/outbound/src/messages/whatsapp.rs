//! The WhatsApp Cloud API: `POST /{version}/{phone number id}/messages`, a template or a text.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
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

/// A file that Meta was given, for one message.
#[derive(Debug, Clone)]
pub struct Media {
    /// What Meta calls it.
    pub id: String,
    /// `image`, `video`, `audio` or `document`.
    pub kind: &'static str,
    /// What a document is called.
    pub file_name: String,
}

/// As what a file is sent, by what it is: what phones show by themselves, and all else as a document. What is said
/// beside a recording would be lost, so that one with words is a document.
#[must_use]
pub fn media_kind(content_type: &str, has_words: bool) -> &'static str {
    match content_type {
        "image/jpeg" | "image/png" => "image",
        "video/mp4" | "video/3gpp" => "video",
        "audio/aac" | "audio/amr" | "audio/mpeg" | "audio/mp4" | "audio/ogg" if !has_words => "audio",
        _ => "document",
    }
}

/// Meta's codes for "too many, later".
const TOO_MANY: [i64; 4] = [4, 80_007, 130_429, 131_056];

/// The request that hands a message over; none where the number's address is none.
#[must_use]
pub fn request(
    number: &Number<'_>,
    text: &Text<'_>,
    template: Option<&Template>,
    media: Option<&Media>,
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
    match (template, media) {
        (Some(template), _) => {
            body["type"] = json!("template");
            body["template"] = described(template);
        }
        (None, Some(media)) => {
            body["type"] = json!(media.kind);
            body[media.kind] = with_words(media, text.body);
        }
        (None, None) => {
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

fn with_words(media: &Media, words: &str) -> Value {
    let mut file = json!({"id": media.id});
    if !words.trim().is_empty() && media.kind != "audio" {
        file["caption"] = json!(words);
    }
    if media.kind == "document" {
        file["filename"] = json!(media.file_name);
    }
    file
}

/// The request that gives Meta a file to send.
#[must_use]
pub fn upload(
    number: &Number<'_>,
    (name, content_type, bytes): (&str, &str, &[u8]),
    timeout: Duration,
) -> Option<Request> {
    let url = Url::parse(&format!("{}/{}/media", number.base, number.phone_number_id)).ok()?;
    // Follows from the file, and stands nowhere in it.
    let boundary = format!("leadline-{}", hex::encode(Sha256::digest(bytes)));
    let field = |name: &str, value: &str| {
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let name: String = name.chars().map(|c| if c.is_control() || c == '"' || c == '\\' { '_' } else { c }).collect();
    let mut body = field("messaging_product", "whatsapp").into_bytes();
    body.extend_from_slice(field("type", content_type).as_bytes());
    let head = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         content-type: {content_type}\r\n\r\n"
    );
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    let headers =
        vec![authorization(number), ("content-type".to_owned(), format!("multipart/form-data; boundary={boundary}"))];
    Some(Request { method: Method::POST, url, headers, body: Bytes::from(body), timeout })
}

/// What Meta calls the file that it was given. Nothing was sent to anybody yet, so that any failure may be tried again
/// but for a refusal.
///
/// # Errors
/// What its answer means where it has not taken it.
pub fn read_upload(response: &Response) -> Result<String, Handed> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match body["id"].as_str().filter(|_| response.is_success()) {
        Some(id) => Ok(id.to_owned()),
        None => Err(match read(response) {
            Handed::Taken { .. } | Handed::Unclear(_) => {
                Handed::Later(Reason::new("media_not_taken", "WhatsApp has not taken the file"), None)
            }
            other => other,
        }),
    }
}

/// What asks where a file is that somebody sent.
#[must_use]
pub fn look_up_media(number: &Number<'_>, id: &str, timeout: Duration) -> Option<Fetch> {
    let is_id = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let url = Url::parse(&format!("{}/{id}", number.base)).ok().filter(|_| is_id)?;
    Some(Fetch { url, headers: vec![authorization(number)], timeout, max_body_bytes: MAX_BODY_BYTES })
}

/// Where it is, as Meta answers.
#[must_use]
pub fn media_address(response: &Response) -> Option<Url> {
    let body: Value = serde_json::from_slice(&response.body).ok()?;
    Url::parse(body["url"].as_str().filter(|_| response.is_success())?).ok()
}

/// What fetches it from there.
#[must_use]
pub fn fetch_media(number: &Number<'_>, url: Url, max_body_bytes: usize, timeout: Duration) -> Fetch {
    Fetch { url, headers: vec![authorization(number)], timeout, max_body_bytes }
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
