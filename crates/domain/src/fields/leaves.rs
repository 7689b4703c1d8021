//! The fields of a submission, flattened: each leaf is a name and its plain values.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{RawFields, names::normalise};

/// Deeper values are kept as JSON text.
const DEPTH_MAX: usize = 32;

/// More leaves than anybody's form has.
const LEAVES_MAX: usize = 2_000;

/// One field after flattening.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    /// Its name, with dots where it was nested.
    pub(super) path: String,
    /// Its values that are not empty; several where the name was repeated or the value a list.
    pub(super) values: Vec<Value>,
    /// Where it stood.
    pub(super) origin: Origin,
}

/// Where a leaf stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Origin {
    /// A field of its own.
    Top,
    /// Inside an object or a list.
    Nested,
    /// A second reading of something that is a leaf already: an object that is itself a name and a value, or JSON in a
    /// text. It may fill a slot and is never a custom field.
    SecondReading,
}

impl Leaf {
    /// The first value, as text.
    pub(super) fn text(&self) -> Option<String> {
        self.values.first().map(text_of)
    }
}

/// Flattens `fields`. Names and texts are without NUL and without white space around them.
pub(super) fn leaves_of(fields: &RawFields) -> Vec<Leaf> {
    let mut collector = Collector::default();
    for (name, value) in fields {
        let name = clean(name);
        let path = name.trim_end_matches("[]");
        collector.walk(path, value, 0, Origin::Top);
        if let Some(unpacked) = json_inside(path, value) {
            collector.walk(path, &unpacked, 0, Origin::SecondReading);
        }
    }
    collector.leaves
}

/// A plain value as text. Whole numbers have no fraction even where JSON gave them one.
pub(crate) fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 => format!("{float:.0}"),
            Some(_) | None => number.to_string(),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// Without NUL, which PostgreSQL cannot store, and without white space around it.
pub(super) fn clean(text: &str) -> String {
    without_nul(text).trim().to_owned()
}

/// Without NUL.
pub(super) fn without_nul(text: &str) -> String {
    text.replace('\0', "")
}

#[derive(Default)]
struct Collector {
    leaves: Vec<Leaf>,
    places: HashMap<(String, Origin), usize>,
}

impl Collector {
    fn walk(&mut self, path: &str, value: &Value, depth: usize, origin: Origin) {
        let inside = if origin == Origin::Top { Origin::Nested } else { origin };
        match value {
            Value::Array(list) if is_plain_list(list) => {
                self.push(path, list.iter().filter_map(plain).collect(), origin);
            }
            Value::Object(_) | Value::Array(_) if depth >= DEPTH_MAX => {
                self.push(path, vec![Value::String(clean(&value.to_string()))], inside);
            }
            Value::Object(object) => {
                if let Some((name, value)) = name_and_value(object) {
                    self.walk(&clean(name), value, DEPTH_MAX, Origin::SecondReading);
                }
                for (key, value) in object {
                    self.walk(&format!("{path}.{}", clean(key)), value, depth + 1, inside);
                }
            }
            Value::Array(list) => {
                for (index, value) in list.iter().enumerate() {
                    self.walk(&format!("{path}.{index}"), value, depth + 1, inside);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.push(path, plain(value).into_iter().collect(), origin);
            }
        }
    }

    fn push(&mut self, path: &str, values: Vec<Value>, origin: Origin) {
        if let Some(place) = self.places.get(&(path.to_owned(), origin)) {
            self.leaves[*place].values.extend(values);
        } else if self.leaves.len() < LEAVES_MAX {
            self.places.insert((path.to_owned(), origin), self.leaves.len());
            self.leaves.push(Leaf { path: path.to_owned(), values, origin });
        }
    }
}

fn is_plain_list(list: &[Value]) -> bool {
    !list.iter().any(|value| value.is_object() || value.is_array())
}

/// A value that says something.
fn plain(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(clean(text)).filter(|text| !text.is_empty()).map(Value::String),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.clone()),
    }
}

/// Objects such as `{"name": "email", "value": "a@example.com"}`, in which a list of fields often comes.
fn name_and_value(object: &Map<String, Value>) -> Option<(&str, &Value)> {
    const NAMES: [&str; 8] = ["name", "key", "label", "ref", "fieldName", "propertyName", "question", "title"];
    const VALUES: [&str; 6] = ["value", "values", "answer", "text", "response", "propertyValue"];
    let text = |object: &'_ Map<String, Value>, key: &str| object.get(key).is_some_and(Value::is_string);
    let holder = match object.get("field") {
        Some(Value::Object(field)) => field,
        Some(_) | None => object,
    };
    let name_key = NAMES.into_iter().find(|key| text(holder, key))?;
    let named_by_type = object.get("type").and_then(Value::as_str);
    let value =
        VALUES.into_iter().chain(named_by_type).filter(|key| *key != name_key).find_map(|key| object.get(key))?;
    let is_plain = match value {
        Value::Array(list) => is_plain_list(list),
        Value::Object(_) => false,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    is_plain.then(|| Some((holder.get(name_key)?.as_str()?, value)))?
}

/// Some form builders send the whole submission once more as JSON text in one field.
fn json_inside(name: &str, value: &Value) -> Option<Value> {
    const CARRIERS: [&str; 5] = ["rawrequest", "payload", "data", "json", "formdata"];
    let text = value.as_str().filter(|text| text.trim_start().starts_with('{'))?;
    CARRIERS.contains(&normalise(name).as_str()).then(|| serde_json::from_str(text).ok())?
}
