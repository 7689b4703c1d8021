//! WhatsApp's own templates: giving one to Meta to be looked at (`POST /{account}/message_templates`), and asking how
//! all of them stand.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use serde_json::{Value, json};
use url::Url;

use super::Reason;
use crate::client::{Fetch, Request, Response};

/// An account of a business at Meta, with its token open.
#[derive(Clone, Copy)]
pub struct Business<'a> {
    /// Where the API is, with its version and without a slash at the end.
    pub base: &'a str,
    /// The id of the WhatsApp business account.
    pub id: &'a str,
    /// What signs in.
    pub token: &'a str,
}

/// A template to be looked at.
#[derive(Debug, Clone)]
pub struct Proposal<'a> {
    /// Small letters, digits and underscores.
    pub name: &'a str,
    /// Its language, as `en_US`.
    pub language: &'a str,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    pub category: &'a str,
    /// The text, with `{{1}}`, `{{2}}`, ….
    pub body: &'a str,
    /// What may stand in place of each.
    pub examples: &'a [String],
}

/// How a template stands at Meta.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What Meta calls it; empty where it does not say.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// `APPROVED`, `PENDING`, `REJECTED`, `PAUSED`, ….
    pub status: String,
    /// What Meta takes it for.
    pub category: Option<String>,
    /// Why it was rejected.
    pub reason: Option<String>,
}

/// What is read of a list: a few hundred templates with their texts.
const LIST_MAX_BYTES: usize = 2 * 1024 * 1024;

/// The request that gives a template to Meta; none where the account's address is none.
#[must_use]
pub fn submit(business: &Business<'_>, proposal: &Proposal<'_>, timeout: Duration) -> Option<Request> {
    let url = Url::parse(&format!("{}/{}/message_templates", business.base, business.id)).ok()?;
    let mut text = json!({"type": "BODY", "text": proposal.body});
    if !proposal.examples.is_empty() {
        text["example"] = json!({"body_text": [proposal.examples]});
    }
    let body = json!({
        "name": proposal.name,
        "language": proposal.language,
        "category": proposal.category,
        "components": [text],
    });
    Some(Request {
        method: Method::POST,
        url,
        headers: vec![authorization(business), ("content-type".to_owned(), "application/json".to_owned())],
        body: Bytes::from(body.to_string()),
        timeout,
    })
}

/// How it stands after that.
///
/// # Errors
/// What Meta has against it.
pub fn read_submitted(proposal: &Proposal<'_>, response: &Response) -> Result<Standing, Reason> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if !response.is_success() {
        return Err(refusal(response.status, &body));
    }
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    Ok(Standing {
        id: text("id").unwrap_or_default(),
        name: proposal.name.to_owned(),
        language: proposal.language.to_owned(),
        status: text("status").unwrap_or_else(|| "PENDING".to_owned()),
        category: text("category"),
        reason: None,
    })
}

/// What asks how the account's templates stand; `after` goes on behind a page.
#[must_use]
pub fn list(business: &Business<'_>, after: Option<&str>, timeout: Duration) -> Option<Fetch> {
    let mut url = Url::parse(&format!("{}/{}/message_templates", business.base, business.id)).ok()?;
    url.query_pairs_mut()
        .append_pair("fields", "id,name,language,status,category,rejected_reason")
        .append_pair("limit", "200");
    if let Some(after) = after {
        url.query_pairs_mut().append_pair("after", after);
    }
    Some(Fetch { url, headers: vec![authorization(business)], timeout, max_body_bytes: LIST_MAX_BYTES })
}

/// A page of them, and behind what the next one begins.
///
/// # Errors
/// What Meta answers instead.
pub fn read_list(response: &Response) -> Result<(Vec<Standing>, Option<String>), Reason> {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    if !response.is_success() {
        return Err(refusal(response.status, &body));
    }
    let list = body["data"].as_array().ok_or_else(|| Reason::new("unreadable", "WhatsApp's answer cannot be read"))?;
    let read = |one: &Value| {
        let text = |name: &str| one[name].as_str().map(str::to_owned);
        Some(Standing {
            id: text("id").unwrap_or_default(),
            name: text("name")?,
            language: text("language").unwrap_or_default(),
            status: text("status")?,
            category: text("category"),
            reason: text("rejected_reason").filter(|reason| reason != "NONE"),
        })
    };
    let has_more = body["paging"]["next"].is_string();
    let after = body["paging"]["cursors"]["after"].as_str().map(str::to_owned).filter(|_| has_more);
    Ok((list.iter().filter_map(read).collect(), after))
}

/// What Meta says to people comes before what it says to programs.
fn refusal(status: u16, body: &Value) -> Reason {
    let error = &body["error"];
    let words = [&error["error_user_msg"], &error["error_data"]["details"], &error["message"]];
    let words =
        words.into_iter().find_map(Value::as_str).map_or_else(|| format!("WhatsApp answered {status}"), str::to_owned);
    let code = error["code"].as_i64().map_or_else(|| format!("http_{status}"), |code| code.to_string());
    Reason::new(code, &words)
}

fn authorization(business: &Business<'_>) -> (String, String) {
    ("authorization".to_owned(), format!("Bearer {}", business.token))
}
