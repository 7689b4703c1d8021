//! What a submission says of its lead's worth. A program may say it: another product that is known, under the names of its
//! fields, whatever the source's mapping says it in, and whoever makes a lead by the API. A visitor may not: what a form
//! calls so is a custom field like any other.

use leadline_domain::{
    fields::FieldMapping,
    values::{Amount, Quotable, ToldValues},
};
use serde_json::{Map, Value};

use super::Submission;

/// Takes what is said of the lead's worth out of its custom fields. What cannot be read as such stays among them.
pub(super) fn take(submission: &Submission, mapping: &FieldMapping, custom: &mut Map<String, Value>) -> ToldValues {
    if let Some(direct) = &submission.direct {
        return direct.values;
    }
    let is_believed =
        |target: &str| submission.inbound.is_some() || mapping.0.values().any(|mapped| mapped.trim() == target);
    let mut told = ToldValues::default();
    if is_believed("quotable") {
        told.quotable = take_field(custom, "quotable", |value| Quotable::parse(value.as_str()?));
    }
    if is_believed("quote_value") {
        told.quote = take_field(custom, "quoteValue", amount);
    }
    if is_believed("sales_value") {
        told.sales = take_field(custom, "salesValue", amount);
    }
    told
}

fn take_field<T>(custom: &mut Map<String, Value>, key: &str, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let value = read(custom.get(key)?)?;
    custom.remove(key);
    if let Some(Value::Object(names)) = custom.get_mut("_displayNames") {
        names.remove(key);
        if names.is_empty() {
            custom.remove("_displayNames");
        }
    }
    Some(value)
}

/// A number's own digits are its shortest, so that none is lost on the way.
fn amount(value: &Value) -> Option<Amount> {
    match value {
        Value::String(text) => Amount::parse(text).ok(),
        Value::Number(number) => Amount::parse(&number.to_string()).ok(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}
