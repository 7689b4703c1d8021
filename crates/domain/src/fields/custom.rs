//! Custom fields: camelCase keys, and beside them the names as they came.

use serde_json::{Map, Value};

use super::leaves::text_of;

const FIELDS_MAX: usize = 200;
const KEY_MAX_CHARS: usize = 100;
const LABEL_MAX_CHARS: usize = 200;
const VALUE_MAX_CHARS: usize = 10_000;

/// The key under which the names as they came stand.
const DISPLAY_NAMES: &str = "_displayNames";

/// The custom fields of one submission.
#[derive(Default)]
pub(super) struct CustomFields {
    values: Map<String, Value>,
    labels: Map<String, Value>,
}

impl CustomFields {
    /// Adds a field; one without values, and one too many, is left out.
    pub(super) fn add(&mut self, label: &str, values: &[Value]) {
        let value = match values {
            [] => return,
            [Value::String(text)] => Value::String(shortened(text, VALUE_MAX_CHARS)),
            [value] => value.clone(),
            several => {
                let texts: Vec<String> = several.iter().map(text_of).collect();
                Value::String(shortened(&texts.join(", "), VALUE_MAX_CHARS))
            }
        };
        if self.values.len() < FIELDS_MAX {
            let key = self.unused_key(label);
            self.labels.insert(key.clone(), Value::String(shortened(label, LABEL_MAX_CHARS)));
            self.values.insert(key, value);
        }
    }

    /// The object that a lead keeps.
    pub(super) fn into_object(mut self) -> Map<String, Value> {
        if !self.values.is_empty() {
            self.values.insert(DISPLAY_NAMES.to_owned(), Value::Object(self.labels));
        }
        self.values
    }

    fn unused_key(&self, label: &str) -> String {
        let key = camel_case(label);
        if !self.values.contains_key(&key) {
            return key;
        }
        let stem = shortened(&key, KEY_MAX_CHARS - 3);
        (2..=FIELDS_MAX + 1)
            .map(|number| format!("{stem}{number}"))
            .find(|key| !self.values.contains_key(key))
            .expect("there are fewer fields than numbers")
    }
}

/// `Preferred contact_time` → `preferredContactTime`.
///
/// A key is made of letters and digits alone, has at most 100 characters, and is never a name that JavaScript objects
/// have from birth.
#[must_use]
pub fn camel_case(name: &str) -> String {
    let mut key = String::new();
    for word in words(name) {
        if key.is_empty() {
            key = word.to_lowercase();
        } else {
            let mut letters = word.chars();
            key.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            key.push_str(&letters.as_str().to_lowercase());
        }
    }
    let key = shortened(&key, KEY_MAX_CHARS);
    match key.as_str() {
        "" => "field".to_owned(),
        "constructor" | "prototype" | "toString" | "valueOf" | "hasOwnProperty" => format!("{key}Field"),
        _ => key,
    }
}

/// Splits at everything that is no letter or digit, and before capitals that begin a word.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut is_inside = false;
    for (at, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            is_inside = false;
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let begins_a_word = letter.is_uppercase()
            && (before.is_some_and(|before| !before.is_uppercase()) || after.is_some_and(|after| after.is_lowercase()));
        match words.last_mut() {
            Some(word) if is_inside && !begins_a_word => word.push(*letter),
            Some(_) | None => words.push(letter.to_string()),
        }
        is_inside = true;
    }
    words
}

/// The first characters of a text.
pub(super) fn shortened(text: &str, max_chars: usize) -> String {
    text.char_indices().nth(max_chars).map_or(text, |(end, _)| &text[..end]).to_owned()
}
