//! Tally: a list of fields with label, type and value. Choices come as ids beside their options.

use serde_json::{Map, Value};

use super::{
    Format,
    filing::{Filing, Reading, get, object, plain, text, text_in},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    if text(item, "eventType")? != "FORM_RESPONSE" {
        return None;
    }
    let data = object(item, "data")?;
    let mut filing = Filing::default();
    for field in data.get("fields")?.as_array()?.iter().filter_map(Value::as_object) {
        let kind = match text_in(field, "type").as_deref() {
            Some("INPUT_EMAIL") => Some("email"),
            Some("INPUT_PHONE_NUMBER") => Some("phone"),
            // Each option of a list of checkboxes comes once more by itself.
            Some("CHECKBOXES") if field.get("value").is_some_and(Value::is_boolean) => continue,
            Some(_) | None => None,
        };
        // The key is made of a number, and says nothing where there is a label.
        filing.answer(kind, &[text_in(field, "label").or_else(|| text_in(field, "key"))], value_of(field));
    }
    filing.put_some("form", text_in(data, "formName"));
    let id = text_in(data, "responseId").or_else(|| text_in(data, "submissionId"));
    let key = id.clone().or_else(|| get(item, "eventId").and_then(plain));
    let mut lead = filing.into_lead(Format::Tally, item, key.map(|key| format!("tally {key}")));
    lead.record = id.map(|id| format!("tally {id}"));
    Some(Reading::Lead(lead))
}

fn value_of(field: &Map<String, Value>) -> Value {
    let value = field.get("value").cloned().unwrap_or_default();
    let (Some(chosen), Some(options)) = (value.as_array(), field.get("options").and_then(Value::as_array)) else {
        return files(&value).unwrap_or(value);
    };
    let label = |id: &Value| options.iter().find(|option| option["id"] == *id).map(|option| option["text"].clone());
    chosen.iter().map(|id| label(id).unwrap_or_else(|| id.clone())).collect()
}

/// Uploaded files, by their addresses.
fn files(value: &Value) -> Option<Value> {
    let files = value.as_array().filter(|files| !files.is_empty())?;
    files.iter().map(|file| file.get("url").cloned()).collect::<Option<Vec<Value>>>().map(Value::Array)
}
