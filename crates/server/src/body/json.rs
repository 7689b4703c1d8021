//! A JSON object as a list of fields.
//!
//! The names at the top keep their order and their repeats. Numbers that a float would change (ids of twenty digits,
//! `1e400`) stay the text they were. Half of a surrogate pair, as it is left when a script cuts a text inside an emoji,
//! becomes U+FFFD: the lead matters more than the emoji.

use std::fmt;

use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::{Value, value::RawValue};

use crate::{
    body::{Fields, MAX_FIELDS, refuse_long_name, too_many},
    error::{ApiError, ApiResult, Code},
};

/// The most values in one document. An empty object takes three bytes here and six hundred in memory.
const MAX_VALUES: usize = 20_000;

/// Digits that a float keeps as they are.
const EXACT_DIGITS: usize = 15;

/// Takes an object apart.
pub fn parse_object(text: &str) -> ApiResult<Fields> {
    if count_values(text) > MAX_VALUES {
        return Err(too_many(format!("the document has more than {MAX_VALUES} values")));
    }
    match read_fields(text) {
        Ok(fields) => checked(fields),
        Err(error) => match mend_surrogates(text).map(|mended| read_fields(&mended)) {
            Some(Ok(fields)) => checked(fields),
            Some(Err(_)) | None => Err(refusal(text, &error)),
        },
    }
}

/// Takes a list of objects apart, or gives one object as a list of it.
pub fn parse_list(text: &str, most: usize) -> ApiResult<Vec<Fields>> {
    if !text.trim_start().starts_with('[') {
        return Ok(vec![parse_object(text)?]);
    }
    if count_values(text) > MAX_VALUES {
        return Err(too_many(format!("the document has more than {MAX_VALUES} values")));
    }
    let items: Vec<&RawValue> = serde_json::from_str(text)
        .map_err(|error| ApiError::new(Code::UnreadableBody).detail(format!("not valid JSON: {error}")))?;
    if items.is_empty() {
        return Err(ApiError::new(Code::EmptyBody));
    }
    if items.len() > most {
        return Err(too_many(format!("the list has more than {most} objects")));
    }
    items.into_iter().map(|item| parse_object(item.get())).collect()
}

fn checked(fields: Fields) -> ApiResult<Fields> {
    if fields.len() > MAX_FIELDS {
        return Err(too_many(format!("the object has more than {MAX_FIELDS} fields")));
    }
    fields.iter().try_for_each(|(name, _)| refuse_long_name(name))?;
    Ok(fields)
}

fn refusal(text: &str, error: &serde_json::Error) -> ApiError {
    let is_object = text.trim_start().starts_with('{');
    if !is_object && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return ApiError::new(Code::NotAnObject);
    }
    ApiError::new(Code::UnreadableBody).detail(format!("not valid JSON: {error}"))
}

fn read_fields(text: &str) -> serde_json::Result<Fields> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let raw = deserializer.deserialize_map(TopLevel)?;
    deserializer.end()?;
    raw.into_iter().map(|(name, raw)| Ok((name, read_value(raw)?))).collect()
}

struct TopLevel;

impl<'de> Visitor<'de> for TopLevel {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry()? {
            fields.push(field);
        }
        Ok(fields)
    }
}

fn read_value(raw: &RawValue) -> serde_json::Result<Value> {
    let text = raw.get();
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    if is_number && !is_exact(text) {
        return Ok(Value::String(text.to_owned()));
    }
    serde_json::from_str(text)
}

fn is_exact(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let is_written_plainly = mantissa.len() == number.len();
    let in_range = number.parse::<f64>().is_ok_and(|value| value.is_finite() && (value != 0.0 || is_written_plainly));
    digits <= EXACT_DIGITS && in_range
}

/// How many values the document has at most, without building any of them.
fn count_values(text: &str) -> usize {
    let mut count = 1;
    let mut inside_string = false;
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => inside_string = !inside_string,
            b'\\' if inside_string => drop(bytes.next()),
            b',' | b'[' | b'{' if !inside_string => count += 1,
            _ => {}
        }
    }
    count
}

/// The text with every `\uD800`–`\uDFFF` that has no partner replaced, or nothing where there is none.
fn mend_surrogates(text: &str) -> Option<String> {
    let mut mended = String::with_capacity(text.len());
    let mut rest = text;
    let mut changed = false;
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            (Some(Half::High), Some(Half::Low)) => 12,
            (Some(_), _) => {
                mended.push_str("\\ufffd");
                rest = &rest[6..];
                changed = true;
                continue;
            }
            // Any other escape: the backslash and what it escapes stay together.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        mended.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    mended.push_str(rest);
    changed.then_some(mended)
}

enum Half {
    High,
    Low,
}

fn surrogate(text: &str) -> Option<Half> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    match u16::from_str_radix(digits, 16).ok()? {
        0xD800..=0xDBFF => Some(Half::High),
        0xDC00..=0xDFFF => Some(Half::Low),
        _ => None,
    }
}
