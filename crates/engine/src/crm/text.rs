//! Texts that people type, as they are stored.

use leadline_domain::{custom_fields::is_usable_key, emails::Email, phones::Phone};
use leadline_store::custom_fields::CustomField;
use serde_json::{Map, Value};

use super::Fault;

const NAME_MAX_CHARS: usize = 200;
const TAG_MAX_CHARS: usize = 60;
const TAGS_MAX: usize = 50;
const CUSTOM_FIELDS_MAX: usize = 200;
const CUSTOM_FIELDS_MAX_BYTES: usize = 64 * 1024;

/// Without blanks around it, and without U+0000, which PostgreSQL cannot hold. `None` where nothing is left.
pub(super) fn clean(text: &str) -> Option<String> {
    let text = text.replace('\0', "");
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A short text: a name, a company, a title.
pub(super) fn short(pointer: &str, text: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let text = clean(text)?;
    if text.chars().count() > NAME_MAX_CHARS {
        faults.push(Fault::new(pointer, format!("has at most {NAME_MAX_CHARS} characters")));
        return None;
    }
    Some(text)
}

/// An e-mail address in its canonical form.
pub(super) fn email(text: &str, faults: &mut Vec<Fault>) -> Option<String> {
    let text = clean(text)?;
    let email = Email::parse(&text).map(|email| email.canonical);
    if email.is_none() {
        faults.push(Fault::new("/email", "is not a usable e-mail address"));
    }
    email
}

/// A phone number, with what was typed.
pub(super) fn phone(text: &str, region: Option<&str>, faults: &mut Vec<Fault>) -> Option<(Phone, String)> {
    let text = clean(text)?;
    match Phone::parse(&text, region, None) {
        Some(phone) => Some((phone, text)),
        None => {
            faults.push(Fault::new("/phone", "is not a valid phone number; begin with + and the calling code"));
            None
        }
    }
}

/// Tags, each once.
pub(super) fn tags(tags: &[String], faults: &mut Vec<Fault>) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for (index, tag) in tags.iter().enumerate() {
        let Some(tag) = clean(tag) else { continue };
        if tag.chars().count() > TAG_MAX_CHARS {
            faults.push(Fault::new(format!("/tags/{index}"), format!("has at most {TAG_MAX_CHARS} characters")));
        }
        if !kept.contains(&tag) {
            kept.push(tag);
        }
    }
    if kept.len() > TAGS_MAX {
        faults.push(Fault::new("/tags", format!("a lead has at most {TAGS_MAX} tags")));
    }
    kept
}

/// Custom fields with changes put over them: a value replaces, `null` removes. Display names are put over each other in
/// the same way, and go with their field.
pub(super) fn custom_fields(
    stored: &Map<String, Value>,
    changes: Map<String, Value>,
    faults: &mut Vec<Fault>,
) -> Map<String, Value> {
    let mut fields = stored.clone();
    let mut names = display_names(&mut fields);
    let mut changes = changes;
    for (key, name) in display_names(&mut changes) {
        put(&mut names, &key, name);
    }
    for (key, value) in changes {
        put(&mut fields, &key, value);
    }
    names.retain(|key, name| fields.contains_key(key) && name.is_string());
    if !names.is_empty() {
        fields.insert(DISPLAY_NAMES.to_owned(), Value::Object(names));
    }
    if fields.len() > CUSTOM_FIELDS_MAX {
        faults.push(Fault::new("/customFields", format!("a lead has at most {CUSTOM_FIELDS_MAX} custom fields")));
    }
    if serde_json::to_string(&fields).map_or(0, |text| text.len()) > CUSTOM_FIELDS_MAX_BYTES {
        faults.push(Fault::new("/customFields", "custom fields hold at most 64 KiB"));
    }
    fields
}

/// Checks values that somebody sets against what the workspace defined. Fields without a definition hold anything, under
/// any key that can be found again.
pub(super) fn fit(changes: &Map<String, Value>, defined: &[CustomField], faults: &mut Vec<Fault>) {
    for (key, value) in changes.iter().filter(|(key, value)| *key != DISPLAY_NAMES && !value.is_null()) {
        let field = defined.iter().find(|field| field.key == *key);
        let fault = match field.and_then(|field| Some((field, field.kind?))) {
            Some((field, kind)) => kind.fault(value, &field.options),
            None => {
                (!is_usable_key(key)).then(|| "is no key of a field: it is too long, or has quotes in it".to_owned())
            }
        };
        faults.extend(fault.map(|message| {
            let key = key.replace('~', "~0").replace('/', "~1");
            Fault::new(format!("/customFields/{key}"), message)
        }));
    }
}

const DISPLAY_NAMES: &str = "_displayNames";

fn display_names(fields: &mut Map<String, Value>) -> Map<String, Value> {
    match fields.remove(DISPLAY_NAMES) {
        Some(Value::Object(names)) => names,
        _ => Map::new(),
    }
}

fn put(fields: &mut Map<String, Value>, key: &str, value: Value) {
    let key = key.replace('\0', "");
    if value.is_null() {
        fields.remove(&key);
    } else {
        fields.insert(key, storable(value));
    }
}

/// The value without U+0000 anywhere in it.
fn storable(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(text.replace('\0', "")),
        Value::Array(items) => Value::Array(items.into_iter().map(storable).collect()),
        Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key.replace('\0', ""), storable(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::added(json!({"a": 1}), json!({"b": "x\u{0}"}), json!({"a": 1, "b": "x"}))]
    #[case::replaced(json!({"a": 1}), json!({"a": 2}), json!({"a": 2}))]
    #[case::removed_with_its_name(
        json!({"a": 1, "b": 2, "_displayNames": {"a": "A", "b": "B"}}),
        json!({"a": null}),
        json!({"b": 2, "_displayNames": {"b": "B"}})
    )]
    #[case::renamed(
        json!({"a": 1, "_displayNames": {"a": "A"}}),
        json!({"_displayNames": {"a": "First"}}),
        json!({"a": 1, "_displayNames": {"a": "First"}})
    )]
    #[case::name_of_nothing(json!({}), json!({"_displayNames": {"a": "A"}}), json!({}))]
    fn changes_are_put_over_custom_fields(#[case] stored: Value, #[case] changes: Value, #[case] expected: Value) {
        let object = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let mut faults = Vec::new();

        let fields = custom_fields(&object(&stored), object(&changes), &mut faults);

        assert_eq!((Value::Object(fields), faults), (expected, vec![]));
    }

    #[test]
    fn tags_are_kept_once_and_trimmed() {
        let mut faults = Vec::new();

        let kept = tags(&[" vip ".into(), "vip".into(), "\0".into(), "x".repeat(61)], &mut faults);

        assert_eq!(kept[0], "vip");
        assert_eq!(kept.len(), 2);
        assert_eq!(faults[0].pointer, "/tags/3");
    }
}
