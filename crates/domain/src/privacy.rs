//! By what a person is named in a text: addresses, numbers, ids of their browser, their full name.
//!
//! Whoever erases a person looks through texts that carry no id of theirs. What is looked for is told apart from what
//! merely contains it: `ann@example.com` is not in `joann@example.com`, and a company's number is not in one of its
//! extensions. [`Traces::pieces`] is the coarse question, which a database can answer for very many texts at once;
//! [`Traces::are_in`] is the answer.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{emails::Email, phones};

/// What stands in place of what was erased.
pub const ERASED: &str = "[erased]";

/// Fewer digits are a date, a postcode or an amount.
const DIGITS_MIN: usize = 8;

/// So many digits of a number, from its end, are looked for before it is looked at closely.
const DIGITS_TELLING: usize = 7;

/// No number has more digits, with everything that people write before it.
const DIGITS_MAX: usize = 18;

/// Shorter ids of browsers say nothing: whoever reports a visit chooses them.
const ID_MIN_CHARS: usize = 8;

/// Shorter names, and names of one word, are many people's.
const NAME_MIN_CHARS: usize = 6;

/// What names one person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traces {
    emails: BTreeSet<String>,
    phones: BTreeSet<String>,
    ids: BTreeSet<String>,
    names: BTreeSet<String>,
}

/// What a text must hold somewhere to be worth a closer look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pieces {
    /// In the text with its letters from A to Z made small.
    pub texts: Vec<String>,
    /// In the same without the signs that people write between digits.
    pub digits: Vec<String>,
}

/// Which traces count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// What is theirs alone: addresses, numbers and ids.
    Alone,
    /// Their full name as well, which others may share.
    WithName,
}

impl Traces {
    /// An address, as entered or canonical.
    pub fn add_email(&mut self, raw: &str) {
        let entered = raw.trim().to_lowercase();
        let looks_like_one = entered.contains('@') && entered.len() >= 6 && !entered.contains(char::is_whitespace);
        self.emails.extend(looks_like_one.then_some(entered));
        self.emails.extend(Email::parse(raw).map(|email| email.canonical));
    }

    /// A number, as entered or in E.164.
    pub fn add_phone(&mut self, raw: &str) {
        let digits = digits_of(raw);
        let mut written = vec![digits.clone(), digits_of(&phones::national(raw))];
        if let Some(code) = phones::calling_code(raw).map(|code| digits_of(&code)) {
            let own = digits.strip_prefix(code.as_str()).unwrap_or(&digits);
            written.extend([own.to_owned(), format!("0{own}"), format!("{code}0{own}")]);
        }
        let without_way_out = |digits: String| digits.strip_prefix("00").map_or(digits.clone(), str::to_owned);
        let long_enough = |digits: &String| digits.len() >= DIGITS_MIN && digits.len() <= DIGITS_MAX;
        self.phones.extend(written.into_iter().map(without_way_out).filter(long_enough));
    }

    /// An id: of their browser, or of a row about them.
    pub fn add_id(&mut self, id: &str) {
        let id = id.trim().to_ascii_lowercase();
        self.ids.extend((id.chars().count() >= ID_MIN_CHARS).then_some(id));
    }

    /// What they are called.
    pub fn add_name(&mut self, name: &str) {
        let name = name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let is_full = name.contains(' ') && name.chars().count() >= NAME_MIN_CHARS;
        self.names.extend(is_full.then_some(name));
    }

    /// Whether nothing is known that could be looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.emails.is_empty() && self.phones.is_empty() && self.ids.is_empty() && self.names.is_empty()
    }

    /// Their addresses.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.emails.iter().map(String::as_str)
    }

    /// What a text must hold somewhere to name them.
    #[must_use]
    pub fn pieces(&self, naming: Naming) -> Pieces {
        let plain = self.emails.iter().chain(&self.ids).map(|text| text.to_ascii_lowercase());
        let in_addresses = self.emails.iter().map(|email| percent_encoded(email));
        let names = self.names.iter().filter(|_| naming == Naming::WithName).map(|name| name.to_ascii_lowercase());
        let texts: BTreeSet<String> = plain.chain(in_addresses).chain(names).collect();
        let digits: BTreeSet<String> =
            self.phones.iter().map(|digits| digits[digits.len() - DIGITS_TELLING..].to_owned()).collect();
        Pieces { texts: texts.into_iter().collect(), digits: digits.into_iter().collect() }
    }

    /// Whether a text names them.
    #[must_use]
    pub fn are_in(&self, text: &str, naming: Naming) -> bool {
        // Line breaks as JSON writes them would look like a letter before what follows.
        let plain = text.replace("\\n", " ").replace("\\r", " ").replace("\\t", " ").to_lowercase();
        if self.are_in_plain(&plain, naming) {
            return true;
        }
        plain.contains('%') && self.are_in_plain(&percent_decoded(&plain).to_lowercase(), naming)
    }

    fn are_in_plain(&self, text: &str, naming: Naming) -> bool {
        self.emails.iter().any(|email| holds(text, email, is_of_address))
            || self.ids.iter().any(|id| holds(text, id, char::is_alphanumeric))
            || naming == Naming::WithName && self.names.iter().any(|name| holds(text, name, char::is_alphanumeric))
            || !self.phones.is_empty() && stretches(text).iter().any(|parts| self.are_number_in(parts))
    }

    fn are_number_in(&self, parts: &[String]) -> bool {
        (0..parts.len()).any(|from| {
            let mut digits = String::new();
            parts[from..].iter().any(|part| {
                digits.push_str(part);
                let number = digits.strip_prefix("00").unwrap_or(&digits);
                digits.len() <= DIGITS_MAX && self.phones.contains(number)
            })
        })
    }

    /// Puts [`ERASED`] in place of every text in a JSON value that names them, and tells whether there was one.
    pub fn redact(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) if self.are_in(text, Naming::WithName) => {
                ERASED.clone_into(text);
                true
            }
            Value::Array(parts) => parts.iter_mut().fold(false, |found, part| self.redact(part) | found),
            Value::Object(parts) => parts.values_mut().fold(false, |found, part| self.redact(part) | found),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
        }
    }

    /// The same for rows: all texts of the innermost list that names them go, since they are one person's.
    pub fn redact_rows(&self, value: &mut Value) -> bool {
        match value {
            Value::Array(parts) => {
                let text = |part: &Value| part.as_str().is_some_and(|text| self.are_in(text, Naming::WithName));
                let is_named = parts.iter().any(text);
                if is_named {
                    parts.iter_mut().filter(|part| part.is_string()).for_each(|part| *part = ERASED.into());
                }
                parts.iter_mut().fold(is_named, |found, part| self.redact_rows(part) | found)
            }
            Value::Object(parts) => parts.values_mut().fold(false, |found, part| self.redact_rows(part) | found),
            Value::String(_) => self.redact(value),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }
}

/// Whether `piece` stands in a text by itself: no sign that could be a part of it stands before or behind.
fn holds(text: &str, piece: &str, is_part: fn(char) -> bool) -> bool {
    text.match_indices(piece).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + piece.len()..]);
        // A dot joins two words, and ends a sentence.
        let mut before = before.chars().rev();
        let mut behind = behind.chars();
        !continues([before.next(), before.next()], is_part) && !continues([behind.next(), behind.next()], is_part)
    })
}

fn continues([next, after]: [Option<char>; 2], is_part: fn(char) -> bool) -> bool {
    match next {
        Some('.') => after.is_some_and(is_part),
        Some(next) => is_part(next),
        None => false,
    }
}

fn is_of_address(letter: char) -> bool {
    letter.is_alphanumeric() || "_+-".contains(letter)
}

/// What may be numbers: each stretch of digits, with the signs between them that people write, in the parts that blanks
/// make of it.
fn stretches(text: &str) -> Vec<Vec<String>> {
    let (mut all, mut parts, mut part, mut gap) = (Vec::new(), Vec::new(), String::new(), String::new());
    for letter in text.chars() {
        if letter.is_ascii_digit() {
            if gap.contains([' ', '\u{a0}']) {
                parts.push(std::mem::take(&mut part));
            }
            gap.clear();
            part.push(letter);
        } else if !part.is_empty() && gap.chars().count() < 3 && " \u{a0}-./()".contains(letter) {
            gap.push(letter);
        } else {
            gap.clear();
            parts.extend(Some(std::mem::take(&mut part)).filter(|part| !part.is_empty()));
            all.extend(Some(std::mem::take(&mut parts)).filter(|parts| !parts.is_empty()));
        }
    }
    parts.extend(Some(part).filter(|part| !part.is_empty()));
    all.extend(Some(parts).filter(|parts| !parts.is_empty()));
    all
}

fn digits_of(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn percent_encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._*".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
    text.bytes().map(encode).collect::<String>().to_ascii_lowercase()
}

fn percent_decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let code = bytes.get(at + 1..at + 3).and_then(|code| std::str::from_utf8(code).ok());
        match (bytes[at], code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                at += 2;
            }
            (b'+', _) => decoded.push(b' '),
            (byte, _) => decoded.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn ann() -> Traces {
        let mut traces = Traces::default();
        traces.add_email("Ann@Example.com");
        traces.add_phone("+4917112345678");
        traces.add_id("v-0123456789");
        traces.add_name("Ann  Beispiel");
        traces
    }

    #[rstest]
    #[case::plain("write to ann@example.com.", true)]
    #[case::capitals("ANN@EXAMPLE.COM", true)]
    #[case::json(r#"{"m":"hi\nann@example.com"}"#, true)]
    #[case::form("email=ann%40example.com&x=1", true)]
    #[case::form_after_a_blank("m=hi+ann%40Example.com", true)]
    #[case::longer_before("joann@example.com", false)]
    #[case::longer_before_a_dot("jo.ann@example.com", false)]
    #[case::longer_behind("ann@example.com.au", false)]
    #[case::longer_ending("ann@example.community", false)]
    #[case::number("+4917112345678", true)]
    #[case::number_at_home("call 0171 / 123 45 678 today", true)]
    #[case::number_from_abroad("0049 171 12345678", true)]
    #[case::number_with_zero("+49 (0) 171-12345678", true)]
    #[case::number_in_a_form("phone=%2B49+171+12345678", true)]
    #[case::number_after_another("5 017112345678 3", true)]
    #[case::extension("+49 171 12345678-12", false)]
    #[case::longer_number("49171123456789", false)]
    #[case::browser(r#"{"__visitor_id":"v-0123456789"}"#, true)]
    #[case::longer_id("v-01234567890", false)]
    #[case::name("Ann Beispiel", false)]
    #[case::nothing("", false)]
    fn what_is_theirs_alone_is_found_and_nothing_that_merely_contains_it(#[case] text: &str, #[case] found: bool) {
        assert_eq!(ann().are_in(text, Naming::Alone), found, "{text}");
    }

    #[test]
    fn whatever_is_found_closely_is_found_coarsely_before() {
        let pieces = ann().pieces(Naming::WithName);

        for text in ["ann@example.com", "email=ann%40example.com", "v-0123456789", "ann beispiel"] {
            assert!(pieces.texts.iter().any(|piece| text.contains(piece.as_str())), "{text}");
        }
        assert!(pieces.digits.iter().all(|piece| "017112345678".contains(piece.as_str())), "{pieces:?}");
    }

    #[test]
    fn one_word_and_short_ids_name_nobody() {
        let mut traces = Traces::default();
        traces.add_name("Ann");
        traces.add_id("1");
        traces.add_phone("12345");
        traces.add_email("nobody");

        assert!(traces.is_empty());
    }

    #[test]
    fn a_condition_loses_its_value_and_a_row_all_its_cells() {
        let mut filter = json!({"all": [{"field": "email", "op": "is", "value": "ann@example.com"}, {"value": ["a", "Ann Beispiel"]}]});
        let mut rows = json!([[2, ["Ann", "ann@example.com", "likes tea"]], [3, ["Ben", "ben@example.com", "coffee"]]]);

        assert!(ann().redact(&mut filter) && ann().redact_rows(&mut rows));

        assert_eq!(filter, json!({"all": [{"field": "email", "op": "is", "value": ERASED}, {"value": ["a", ERASED]}]}));
        assert_eq!(rows, json!([[2, [ERASED, ERASED, ERASED]], [3, ["Ben", "ben@example.com", "coffee"]]]));
        assert!(!ann().redact(&mut json!({"a": 1})));
    }
}
