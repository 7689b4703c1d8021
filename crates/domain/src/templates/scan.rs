//! Finding the placeholders of a template, and saying where something is wrong.

use serde::de::IgnoredAny;

use super::{MAX_BYTES, MAX_DEPTH, TemplateError};

const OPEN: &str = "{{";
const CLOSE: &str = "}}";

/// A placeholder where it stands, braces included.
pub(super) struct Found {
    /// Its first byte.
    pub(super) start: usize,
    /// The byte behind it.
    pub(super) end: usize,
    /// What is between the braces, read as the JSON string that it is part of.
    pub(super) text: String,
}

/// Whether this is an object or a list of JSON within the bounds.
pub(super) fn check_json(text: &str) -> Result<(), TemplateError> {
    if text.len() > MAX_BYTES {
        let message = format!("a template has at most {MAX_BYTES} bytes");
        return Err(error_at(text, 0, "template_too_long", message));
    }
    if let Err(error) = serde_json::from_str::<IgnoredAny>(text) {
        let message = error.to_string();
        // What it says ends with the place, which stands beside it already.
        let message = message.split(" at line ").next().unwrap_or_default();
        let message = if text.trim().is_empty() { "a template is an object of JSON" } else { message };
        let (line, column) = (error.line().max(1), error.column().max(1));
        return Err(TemplateError { line, column, code: "invalid_json", message: message.to_owned() });
    }
    if !text.trim_start().starts_with(['{', '[']) {
        return Err(error_at(text, 0, "invalid_json", "a template is an object or a list of JSON".to_owned()));
    }
    Ok(())
}

/// The placeholders of a text that is JSON, in their order.
pub(super) fn placeholders(text: &str) -> Result<Vec<Found>, TemplateError> {
    let mut found = Vec::new();
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = text[at..].find(['"', '{', '}', '[', ']']) {
        let start = at + next;
        match text.as_bytes()[start] {
            b'"' => {
                let end = end_of_string(text, start);
                let inside = in_string(text, start + 1, end - 1)?;
                let is_name = text[end..].trim_start().starts_with(':');
                if let (true, Some(first)) = (is_name, inside.first()) {
                    let message = "names are literal: placeholders stand in values".to_owned();
                    return Err(error_at(text, first.start, "placeholder_in_name", message));
                }
                found.extend(inside);
                at = end;
            }
            b'{' | b'[' => {
                depth += 1;
                if depth > MAX_DEPTH {
                    let message = format!("objects and lists are nested at most {MAX_DEPTH} deep");
                    return Err(error_at(text, start, "template_too_deep", message));
                }
                at = start + 1;
            }
            _ => {
                depth = depth.saturating_sub(1);
                at = start + 1;
            }
        }
    }
    Ok(found)
}

/// The byte behind the string that begins at `start`.
fn end_of_string(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start + 1;
    while at < bytes.len() && bytes[at] != b'"' {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

fn in_string(text: &str, from: usize, to: usize) -> Result<Vec<Found>, TemplateError> {
    between(text, from, to, |raw| serde_json::from_str(&format!("\"{raw}\"")).ok())
}

/// The placeholders of a text that is no JSON, in their order.
pub(super) fn placeholders_of_text(text: &str) -> Result<Vec<Found>, TemplateError> {
    if text.len() > MAX_BYTES {
        let message = format!("a template has at most {MAX_BYTES} bytes");
        return Err(error_at(text, 0, "template_too_long", message));
    }
    between(text, 0, text.len(), |raw| Some(raw.to_owned()))
}

/// The placeholders between two bytes of a text; `read` says what one means that is written like this.
fn between(
    text: &str,
    from: usize,
    to: usize,
    read: impl Fn(&str) -> Option<String>,
) -> Result<Vec<Found>, TemplateError> {
    let mut found = Vec::new();
    let mut at = from;
    while let Some(next) = text[at..to].find(OPEN) {
        let start = at + next;
        let inside = start + OPEN.len();
        let Some(length) = text[inside..to].find(CLOSE) else {
            let message = "this placeholder is not closed by }}".to_owned();
            return Err(error_at(text, start, "invalid_placeholder", message));
        };
        let end = inside + length + CLOSE.len();
        let Some(text) = read(&text[inside..inside + length]) else {
            let message = "this placeholder is cut by an escape".to_owned();
            return Err(error_at(text, start, "invalid_placeholder", message));
        };
        found.push(Found { start, end, text });
        at = end;
    }
    Ok(found)
}

/// An error at a byte of the text.
pub(super) fn error_at(text: &str, at: usize, code: &'static str, message: String) -> TemplateError {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    TemplateError {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
        code,
        message,
    }
}
