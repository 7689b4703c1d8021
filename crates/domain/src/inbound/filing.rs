//! What the providers' files share: looking into a body, and filing answers under names.

use serde_json::{Map, Value};

use super::{Format, Notice, Unpacked};
use crate::fields::{RawFields, is_telling, text_of};

/// What an item of a body turned out to be.
pub(super) enum Reading {
    /// A submission.
    Lead(Unpacked),
    /// Word of leads that have to be fetched.
    Notices(Vec<Notice>),
    /// Something of the provider's that is about nobody.
    Nothing,
}

/// A field of an item.
pub(super) fn get<'a>(item: &'a RawFields, name: &str) -> Option<&'a Value> {
    item.iter().find(|(field, _)| field == name).map(|(_, value)| value)
}

/// A field of an item that is an object.
pub(super) fn object<'a>(item: &'a RawFields, name: &str) -> Option<&'a Map<String, Value>> {
    get(item, name)?.as_object()
}

/// A value as text, where it is plain and says something.
pub(super) fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => text_of(value),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A field of an item as text.
pub(super) fn text(item: &RawFields, name: &str) -> Option<String> {
    plain(get(item, name)?)
}

/// A field of an object as text.
pub(super) fn text_in(object: &Map<String, Value>, name: &str) -> Option<String> {
    plain(object.get(name)?)
}

/// Fields on their way into a submission.
#[derive(Default)]
pub(super) struct Filing(RawFields);

impl Filing {
    /// Files a value under a name of ours, unless there is nothing to file.
    pub(super) fn put(&mut self, name: &str, value: impl Into<Value>) {
        let value = value.into();
        let is_empty = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
        if !is_empty {
            self.0.push((name.to_owned(), value));
        }
    }

    /// Files a value that may be missing.
    pub(super) fn put_some(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// Files an answer: under what the provider knows it to be, else under the first of the question's names that is
    /// telling, else under the question as it was asked.
    pub(super) fn answer(&mut self, kind: Option<&str>, names: &[Option<String>], value: Value) {
        let names: Vec<&str> = names.iter().flatten().map(|name| name.trim()).filter(|name| !name.is_empty()).collect();
        let asked = names.first().copied().unwrap_or("field");
        let telling = names.iter().map(|name| asked_for(name)).find(|name| is_telling(name));
        let name = kind.map(str::to_owned).or(telling).filter(|name| !self.has(name));
        self.put(name.as_deref().unwrap_or(asked), value);
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(field, _)| field == name)
    }

    /// The submission.
    pub(super) fn into_lead(self, format: Format, item: &RawFields, key: Option<String>) -> Unpacked {
        Unpacked { format, fields: self.0, sent: item.clone(), key, record: None, is_update: false }
    }
}

/// `What is your name?` → `name`. People write questions where programs write names.
fn asked_for(question: &str) -> String {
    const OPENINGS: [&str; 7] =
        ["please enter your ", "what is your ", "what's your ", "whats your ", "enter your ", "please enter ", "your "];
    let name = question.trim_end_matches(['?', '*', ':', ' ']);
    let lower = name.to_lowercase();
    let opening = OPENINGS.into_iter().find(|opening| lower.starts_with(opening));
    // Lower case may have another length than the text itself.
    opening.map_or_else(|| name.to_owned(), |opening| lower[opening.len()..].to_owned())
}
