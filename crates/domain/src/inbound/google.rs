//! Lead forms of Google Ads. The key that proves the sender stands in the body, and goes no further.

use serde_json::Value;

use super::{
    Format,
    filing::{Filing, Reading, get, text, text_in},
};
use crate::fields::RawFields;

/// The field that proves the sender.
pub const KEY_FIELD: &str = "google_key";

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let columns = get(item, "user_column_data")?.as_array()?;
    let mut filing = Filing::default();
    for column in columns.iter().filter_map(Value::as_object) {
        let id = text_in(column, "column_id");
        let kind = match id.as_deref() {
            Some("FULL_NAME") => Some("name"),
            Some("FIRST_NAME") => Some("first_name"),
            Some("LAST_NAME") => Some("last_name"),
            Some("EMAIL" | "WORK_EMAIL") => Some("email"),
            Some("PHONE_NUMBER" | "WORK_PHONE") => Some("phone"),
            Some("COMPANY_NAME") => Some("company"),
            Some("JOB_TITLE") => Some("title"),
            Some(_) | None => None,
        };
        let value = column.get("string_value").or_else(|| column.get("boolean_value")).cloned().unwrap_or_default();
        filing.answer(kind, &[text_in(column, "column_name"), id], value);
    }
    filing.put("utm_source", "google");
    filing.put("utm_medium", "cpc");
    filing.put_some("gclid", text(item, "gcl_id"));
    for name in ["form_id", "campaign_id", "adgroup_id", "creative_id", "asset_group_id", "is_test"] {
        filing.put_some(name, get(item, name).cloned());
    }
    let id = text(item, "lead_id");
    let mut lead = filing.into_lead(Format::Google, item, id.as_deref().map(|id| format!("google {id}")));
    lead.sent.retain(|(name, _)| name != KEY_FIELD);
    lead.record = id.map(|id| format!("google {id}"));
    Some(Reading::Lead(lead))
}

/// A raw body in which the key is masked, for those who look at requests. The body may be cut or broken.
#[must_use]
pub fn without_key(body: &str) -> String {
    let Some(at) = body.find(KEY_FIELD) else { return body.to_owned() };
    let (before, rest) = body.split_at(at + KEY_FIELD.len());
    let value = rest.trim_start_matches(['"', ' ', '\t', '\r', '\n', ':', '=']);
    let start = rest.len() - value.len();
    let end = value.find(['"', '&']).unwrap_or(value.len());
    format!("{before}{}•••{}", &rest[..start], without_key(&value[end..]))
}

#[cfg(test)]
mod tests {
    use super::without_key;

    #[test]
    fn the_key_is_masked_wherever_it_stands() {
        assert_eq!(without_key(r#"{"google_key" : "hush","a":1}"#), r#"{"google_key" : "•••","a":1}"#);
        assert_eq!(without_key("a=1&google_key=hush&b=2&google_key=x"), "a=1&google_key=•••&b=2&google_key=•••");
        assert_eq!(without_key(r#"{"google_key":"hus"#), r#"{"google_key":"•••"#);
        assert_eq!(without_key("nothing"), "nothing");
    }
}
