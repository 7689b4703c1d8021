//! Unbounce: the fields of a landing page as JSON text, each with a list of values.

use serde_json::{Map, Value};

use super::{
    Format,
    filing::{Filing, Reading, get, object, text},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let data = data_of(item)?;
    let first = |name: &str| data.get(name).and_then(|values| single(values).as_str().map(str::to_owned));
    let page = text(item, "page_id").or_else(|| first("page_uuid"))?;
    let mut filing = Filing::default();
    for (name, values) in data.iter().filter(|(name, _)| !is_about_the_page(name)) {
        filing.answer(None, &[Some(name.clone())], single(values));
    }
    filing.put_some("page_url", text(item, "page_url").or_else(|| first("page_url")));
    filing.put_some("form", text(item, "page_name").or_else(|| first("page_name")));
    filing.put_some("unbounce_variant_id", text(item, "variant").or_else(|| first("variant")));
    // There is no id of the submission; page, time and address together are one.
    let parts = [first("date_submitted"), first("time_submitted"), first("ip_address")];
    let parts: Option<Vec<String>> = parts.into_iter().collect();
    let key = parts.map(|parts| format!("unbounce {page} {} {}", parts.join(" "), Value::Object(data.clone())));
    filing.put("unbounce_page_id", page);
    Some(Reading::Lead(filing.into_lead(Format::Unbounce, item, key)))
}

fn data_of(item: &RawFields) -> Option<Map<String, Value>> {
    if let Some(text) = text(item, "data.json") {
        return serde_json::from_str(&text).ok();
    }
    let is_a_page = get(item, "page_id").is_some() && get(item, "variant").is_some();
    object(item, "data.json").or_else(|| object(item, "data").filter(|_| is_a_page)).cloned()
}

fn is_about_the_page(name: &str) -> bool {
    ["ip_address", "page_uuid", "page_name", "page_url", "variant", "date_submitted", "time_submitted"].contains(&name)
}

fn single(values: &Value) -> Value {
    match values.as_array().map(Vec::as_slice) {
        Some([value]) => value.clone(),
        Some(_) | None => values.clone(),
    }
}
