//! Jotform: the answers stand as JSON text in one field of a multipart form, under `q3_name` and the like.

use serde_json::{Map, Value};

use super::{
    Format,
    filing::{Filing, Reading, plain, text, text_in},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let (form, id) = (text(item, "formID")?, text(item, "submissionID")?);
    let answers: Map<String, Value> = serde_json::from_str(&text(item, "rawRequest")?).ok()?;
    let mut filing = Filing::default();
    for (name, value) in &answers {
        let Some(name) = question(name) else { continue };
        filing.answer(None, &[Some(name)], answer(value));
    }
    filing.put_some("form", text(item, "formTitle"));
    filing.put("form_id", form);
    let mut lead = filing.into_lead(Format::Jotform, item, Some(format!("jotform {id}")));
    lead.record = Some(format!("jotform {id}"));
    Some(Reading::Lead(lead))
}

/// `q6_yourMessage` → `yourMessage`. What has no number is the form's machinery, apart from the page's own parameters.
fn question(name: &str) -> Option<String> {
    let Some(rest) = name.strip_prefix('q') else {
        return name.starts_with("utm_").then(|| name.to_owned());
    };
    let (number, question) = rest.split_once('_')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !question.is_empty()).then(|| question.to_owned())
}

fn answer(value: &Value) -> Value {
    match value {
        Value::Object(parts) => compound(parts).map_or_else(|| value.clone(), Value::from),
        Value::Array(list) => list.iter().map(answer).collect(),
        Value::String(text) => Value::from(unescaped(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// A name, a phone number or a date in parts.
fn compound(parts: &Map<String, Value>) -> Option<String> {
    const ORDERS: [&[&str]; 4] = [
        &["full"],
        &["prefix", "first", "middle", "last", "suffix"],
        &["country", "area", "phone"],
        &["year", "month", "day"],
    ];
    let order = ORDERS.into_iter().find(|order| parts.keys().all(|part| order.contains(&part.as_str())))?;
    let texts: Vec<String> = order.iter().filter_map(|part| text_in(parts, part)).collect();
    let between = if order[0] == "year" { "-" } else { " " };
    plain(&Value::from(unescaped(&texts.join(between))))
}

/// Jotform escapes what visitors type as if it were HTML.
fn unescaped(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&#039;", "'").replace("&#39;", "'");
    // The ampersand last, so that an escaped entity stays what was typed.
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
