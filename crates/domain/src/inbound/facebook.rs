//! Facebook Lead Ads. A page's webhook tells only that there is a lead, by its id; the lead itself is fetched from the
//! Graph API, or comes that way through Zapier and the like.

use serde_json::Value;

use super::{
    Format,
    filing::{Filing, Reading, get, text, text_in},
};
use crate::fields::RawFields;

/// The most notices that one request may carry; Facebook sends at most 1,000 changes at once.
const MOST_NOTICES: usize = 1_000;

/// Word of a lead that has to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The lead's id (`leadgen_id`).
    pub lead: String,
    /// The form's id.
    pub form: Option<String>,
}

impl Notice {
    /// The key of the submission that the lead will be.
    #[must_use]
    pub fn key(&self) -> String {
        key_of(&self.lead)
    }
}

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    if text(item, "object").as_deref() == Some("page")
        && let Some(entries) = get(item, "entry").and_then(Value::as_array)
    {
        let notices: Vec<Notice> = entries.iter().flat_map(notices_of).take(MOST_NOTICES).collect();
        return Some(if notices.is_empty() { Reading::Nothing } else { Reading::Notices(notices) });
    }
    detail(item)
}

fn notices_of(entry: &Value) -> Vec<Notice> {
    let changes = entry.get("changes").and_then(Value::as_array);
    changes.into_iter().flatten().filter(|change| change["field"] == "leadgen").filter_map(notice).collect()
}

fn notice(change: &Value) -> Option<Notice> {
    let value = change.get("value")?.as_object()?;
    let lead = text_in(value, "leadgen_id").filter(|id| is_id(id))?;
    Some(Notice { lead, form: text_in(value, "form_id").filter(|id| is_id(id)) })
}

/// Ids become part of an address, so they are what Facebook makes them of and nothing else.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn detail(item: &RawFields) -> Option<Reading> {
    let answers = get(item, "field_data")?.as_array()?;
    let mut filing = Filing::default();
    for answer in answers.iter().filter_map(Value::as_object) {
        let Some(name) = text_in(answer, "name") else { continue };
        let kind = match name.as_str() {
            "full_name" => Some("name"),
            "email" => Some("email"),
            "phone_number" => Some("phone"),
            "company_name" => Some("company"),
            "job_title" => Some("title"),
            _ => None,
        };
        let values = answer.get("values").or_else(|| answer.get("value")).cloned().unwrap_or_default();
        filing.answer(kind, &[Some(name)], values);
    }
    file_origin(&mut filing, item);
    for name in ["form_id", "form_name", "ad_id", "adset_id", "adset_name", "campaign_id", "is_organic", "platform"] {
        filing.put_some(name, get(item, name).cloned());
    }
    let id = text(item, "id").or_else(|| text(item, "leadgen_id"));
    let mut lead = filing.into_lead(Format::Facebook, item, id.as_deref().map(key_of));
    lead.record = id.map(|id| format!("facebook {id}"));
    Some(Reading::Lead(lead))
}

fn file_origin(filing: &mut Filing, item: &RawFields) {
    let source = match text(item, "platform").as_deref() {
        Some("ig") => "instagram",
        Some(_) | None => "facebook",
    };
    let is_organic = get(item, "is_organic").and_then(Value::as_bool) == Some(true);
    filing.put("utm_source", source);
    filing.put("utm_medium", if is_organic { "organic" } else { "paid" });
    filing.put_some("utm_campaign", text(item, "campaign_name"));
    filing.put_some("utm_content", text(item, "ad_name"));
}

fn key_of(lead: &str) -> String {
    format!("facebook {lead}")
}
