//! Payloads of somebody's own shape: JSON with `{{placeholders}}` inside its strings; and texts with placeholders, for
//! messages.
//!
//! The text is read as JSON first and filled in after, each value escaped for the string in which it stands: whatever a
//! visitor typed, what comes out has the structure that was written. Everything between the placeholders comes out as it
//! was written, to the byte. Names of objects are literal.
//!
//! A placeholder is a path of names with dots (`customFields.budget`) and filters behind bars, in the order in which
//! they apply: `{{phone | national}}`, `{{company | default:'unknown' | upper}}`. What has no value is empty.

mod filters;
mod scan;

use serde_json::Value;

pub use filters::FILTERS;
use filters::Filter;

/// The longest template, in bytes.
pub const MAX_BYTES: usize = 64 * 1024;

/// The deepest nesting of objects and lists.
pub const MAX_DEPTH: usize = 32;

/// The most placeholders of a template.
pub const MAX_PLACEHOLDERS: usize = 200;

/// What the values of one payload take together, in bytes before they are escaped: a template may repeat a long field
/// many times. Beyond it every value is cut to its share.
const VALUES_MAX_BYTES: usize = 2 * 1024 * 1024;

/// A template that can be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    form: Form,
    parts: Vec<Part>,
}

/// What a template makes, which says how a value is written into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON: a value is the inside of a string.
    Json,
    /// Text: a value is itself.
    Text,
    /// A page: a value is text in it, and never a tag or the end of an attribute.
    Html,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// Goes out as it is.
    Literal(String),
    Placeholder(Placeholder),
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placeholder {
    path: Vec<String>,
    filters: Vec<Filter>,
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// The character of the line, from 1.
    pub column: usize,
    /// A stable name for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Template {
    /// Reads a template. `is_known` says of a placeholder's path whether there is such a value.
    ///
    /// # Errors
    /// The first thing that is wrong, and where it stands.
    pub fn parse(text: &str, is_known: impl Fn(&[String]) -> bool) -> Result<Self, TemplateError> {
        scan::check_json(text)?;
        Self::of_placeholders(text, Form::Json, scan::placeholders(text)?, is_known)
    }

    /// Reads a text with placeholders, which is a page where `form` says so.
    ///
    /// # Errors
    /// The first thing that is wrong, and where it stands.
    pub fn parse_text(text: &str, form: Form, is_known: impl Fn(&[String]) -> bool) -> Result<Self, TemplateError> {
        Self::of_placeholders(text, form, scan::placeholders_of_text(text)?, is_known)
    }

    fn of_placeholders(
        text: &str,
        form: Form,
        placeholders: Vec<scan::Found>,
        is_known: impl Fn(&[String]) -> bool,
    ) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut literal_from = 0;
        for found in placeholders {
            parts.push(Part::Literal(text[literal_from..found.start].to_owned()));
            literal_from = found.end;
            let refused = |code, message| scan::error_at(text, found.start, code, message);
            let placeholder = Placeholder::parse(&found.text).map_err(|(code, message)| refused(code, message))?;
            if !is_known(&placeholder.path) {
                let message = format!("there is no value named {}", placeholder.path.join("."));
                return Err(refused("unknown_placeholder", message));
            }
            parts.push(Part::Placeholder(placeholder));
        }
        if parts.len() > 2 * MAX_PLACEHOLDERS {
            let message = format!("there are more than {MAX_PLACEHOLDERS} placeholders");
            return Err(scan::error_at(text, 0, "too_many_placeholders", message));
        }
        parts.push(Part::Literal(text[literal_from..].to_owned()));
        Ok(Self { form, parts })
    }

    /// The text with values in it, of the template's structure, whatever the values are.
    #[must_use]
    pub fn fill(&self, values: &Value) -> String {
        let share = self.share(values);
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Placeholder(placeholder) => {
                    let value = placeholder.value(values);
                    self.form.push(&mut text, &value[..value.floor_char_boundary(share)]);
                }
            }
        }
        text
    }

    /// What each placeholder stands for, in their order, for those who put the values in themselves.
    #[must_use]
    pub fn values(&self, values: &Value) -> Vec<String> {
        let placeholders = self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder.value(values)),
        });
        placeholders.collect()
    }

    /// The text with `{{1}}`, `{{2}}`, … in place of its placeholders, as WhatsApp's own templates are written.
    #[must_use]
    pub fn numbered(&self) -> String {
        let mut count = 0;
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Placeholder(_) => {
                    count += 1;
                    text.push_str(&format!("{{{{{count}}}}}"));
                }
            }
        }
        text
    }

    /// How long one value may be. The values are made twice for it, so that no more than one of them is in memory.
    fn share(&self, values: &Value) -> usize {
        let placeholders = self.parts.iter().filter_map(|part| match part {
            Part::Literal(_) => None,
            Part::Placeholder(placeholder) => Some(placeholder.value(values).len()),
        });
        let (count, total) = placeholders.fold((0, 0), |(count, total), length| (count + 1, total + length));
        if total > VALUES_MAX_BYTES { VALUES_MAX_BYTES / count } else { VALUES_MAX_BYTES }
    }
}

impl Form {
    fn push(self, text: &mut String, value: &str) {
        match self {
            Self::Json => push_escaped(text, value),
            Self::Text => text.push_str(value),
            Self::Html => push_as_html(text, value),
        }
    }
}

/// Writes a text so that a page shows it, wherever in the page it stands between tags or quotes.
fn push_as_html(text: &mut String, value: &str) {
    for char in value.chars() {
        match char {
            '&' => text.push_str("&amp;"),
            '<' => text.push_str("&lt;"),
            '>' => text.push_str("&gt;"),
            '"' => text.push_str("&quot;"),
            '\'' => text.push_str("&#39;"),
            char => text.push(char),
        }
    }
}

/// Writes a text as the inside of a JSON string.
fn push_escaped(text: &mut String, value: &str) {
    let quoted = serde_json::to_string(value).expect("a text can be written as JSON");
    text.push_str(&quoted[1..quoted.len() - 1]);
}

impl Placeholder {
    fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let mut pieces = filters::split(text)?.into_iter();
        let path = pieces.next().unwrap_or_default();
        let path: Vec<String> = path.trim().split('.').map(|name| name.trim().to_owned()).collect();
        if path.iter().any(String::is_empty) {
            return Err(("invalid_placeholder", "a placeholder holds a name, as in {{email}}".to_owned()));
        }
        let filters = pieces.map(|piece| Filter::parse(&piece)).collect::<Result<_, _>>()?;
        Ok(Self { path, filters })
    }

    fn value(&self, values: &Value) -> String {
        let found = find(values, &self.path).map(text_of).unwrap_or_default();
        self.filters.iter().fold(found, |value, filter| filter.apply(value))
    }
}

/// The value under a path. A name may hold dots itself, as flattened fields' do: the longest that fits counts.
fn find<'a>(values: &'a Value, path: &[String]) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(values);
    }
    (1..=path.len()).rev().find_map(|names| {
        let inner = values.get(path[..names].join("."))?;
        find(inner, &path[names..])
    })
}

/// A value as text: lists with commas, objects as JSON.
fn text_of(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
        Value::Array(items) => items.iter().map(text_of).collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests;
