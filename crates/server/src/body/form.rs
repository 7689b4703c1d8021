//! `a=1&b=2`, and the nested names of PHP forms.

use std::collections::HashMap;

use encoding_rs::Encoding;
use serde_json::{Map, Value};

use crate::{
    body::{Fields, MAX_FIELDS, charset, refuse_long_name, too_many},
    error::ApiResult,
};

/// Names nested deeper than this stay text: nobody nests so deep, except to make us recurse.
const MAX_NESTING: usize = 8;

/// Takes an urlencoded body apart.
pub fn parse(body: &[u8], label: Option<&str>) -> ApiResult<Fields> {
    let encoding = charset::encoding(label)?;
    let mut fields = NestedFields::default();
    for pair in body.trim_ascii().split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let equals = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let value = pair.get(equals + 1..).unwrap_or_default();
        fields.add(decode(&pair[..equals], encoding), Value::String(decode(value, encoding)))?;
    }
    Ok(fields.finish())
}

/// `%41` and `+`. A percent sign that escapes nothing stays one.
fn decode(text: &[u8], encoding: &'static Encoding) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let escaped = if *first == b'%' { after.get(..2).and_then(hex_byte) } else { None };
        bytes.push(match (escaped, first) {
            (Some(byte), _) => byte,
            (None, b'+') => b' ',
            (None, byte) => *byte,
        });
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    charset::decode_lossy(&bytes, encoding)
}

fn hex_byte(digits: &[u8]) -> Option<u8> {
    let mut byte = [0];
    hex::decode_to_slice(digits, &mut byte).ok()?;
    Some(byte[0])
}

/// Fields under construction. `a[b]=1` and `a[c]=2` become one field `a` with an object; `a[]=1` an array. A name that
/// does not fit what is there already stays the text it is, so that no value is ever lost.
#[derive(Default)]
pub struct NestedFields {
    fields: Fields,
    /// Where the field of a nested name stands in `fields`.
    roots: HashMap<String, usize>,
    count: usize,
}

impl NestedFields {
    /// Adds a field.
    pub fn add(&mut self, name: String, value: Value) -> ApiResult<()> {
        refuse_long_name(&name)?;
        self.count += 1;
        if self.count > MAX_FIELDS {
            return Err(too_many(format!("the body has more than {MAX_FIELDS} fields")));
        }
        let refused = match split_name(&name) {
            Some((root, path)) => self.add_nested(root, &path, value),
            None => Err(value),
        };
        if let Err(value) = refused {
            self.fields.push((name, value));
        }
        Ok(())
    }

    fn add_nested(&mut self, root: &str, path: &[&str], value: Value) -> Result<(), Value> {
        if let Some(index) = self.roots.get(root) {
            return place(&mut self.fields[*index].1, path, value);
        }
        let mut field = Value::Null;
        place(&mut field, path, value)?;
        self.roots.insert(root.to_owned(), self.fields.len());
        self.fields.push((root.to_owned(), field));
        Ok(())
    }

    /// The fields.
    pub fn finish(self) -> Fields {
        self.fields
    }
}

/// `a[b][]` as `a` and `["b", ""]`; nothing where the name is not of this form.
fn split_name(name: &str) -> Option<(&str, Vec<&str>)> {
    let (root, rest) = name.split_once('[')?;
    let inner = rest.strip_suffix(']')?;
    let path: Vec<&str> = inner.split("][").take(MAX_NESTING + 1).collect();
    let is_plain = path.len() <= MAX_NESTING && path.iter().all(|step| !step.contains(['[', ']']));
    (is_plain && !root.is_empty()).then_some((root, path))
}

/// Puts `value` at `path` inside `target`, or gives it back where something else stands in the way.
fn place(target: &mut Value, path: &[&str], value: Value) -> Result<(), Value> {
    let Some((step, rest)) = path.split_first() else {
        if !target.is_null() {
            return Err(value);
        }
        *target = value;
        return Ok(());
    };
    if target.is_null() {
        *target = if step.is_empty() { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
    }
    match target {
        Value::Array(items) if step.is_empty() => {
            let mut item = Value::Null;
            place(&mut item, rest, value)?;
            items.push(item);
            Ok(())
        }
        Value::Object(object) => {
            let key = if step.is_empty() { object.len().to_string() } else { (*step).to_owned() };
            place(object.entry(key).or_insert(Value::Null), rest, value)
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(value),
    }
}
