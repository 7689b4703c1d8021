//! Custom fields that a workspace has defined: what kind they are, and which values fit.
//!
//! A definition binds people who edit leads, and never a visitor: what came in a submission stays as it was sent,
//! whether it fits or not. Fields without a definition hold any value.

use chrono::NaiveDate;
use serde_json::Value;

use crate::fields::camel_case;

/// The longest name on the screen, in characters.
pub const NAME_MAX_CHARS: usize = 100;

/// The longest text value, in characters.
pub const TEXT_MAX_CHARS: usize = 10_000;

/// Options of one field at most.
pub const OPTIONS_MAX: usize = 200;

/// The longest option, in characters.
pub const OPTION_MAX_CHARS: usize = 100;

/// Keys are no longer than this, in characters.
pub const KEY_MAX_CHARS: usize = 100;

/// What kind of values a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CustomKind {
    /// Any text.
    Text,
    /// A number.
    Number,
    /// A day, as `2026-01-31`.
    Date,
    /// One of the field's options.
    Select,
    /// Some of the field's options.
    MultiSelect,
    /// An address on the web.
    Url,
    /// Yes or no.
    Boolean,
}

impl CustomKind {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Text, Self::Number, Self::Date, Self::Select, Self::MultiSelect, Self::Url, Self::Boolean];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::Select => "select",
            Self::MultiSelect => "multi_select",
            Self::Url => "url",
            Self::Boolean => "boolean",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether values are chosen from options.
    #[must_use]
    pub fn has_options(self) -> bool {
        matches!(self, Self::Select | Self::MultiSelect)
    }

    /// What is wrong with a value that somebody sets, where anything is.
    #[must_use]
    pub fn fault(self, value: &Value, options: &[String]) -> Option<String> {
        let is_option = |value: &Value| value.as_str().is_some_and(|text| options.iter().any(|option| option == text));
        let fits = match self {
            Self::Text => value.as_str().is_some_and(|text| text.chars().count() <= TEXT_MAX_CHARS),
            Self::Number => value.is_number(),
            Self::Date => value.as_str().is_some_and(|text| parse_day(text).is_some()),
            Self::Select => is_option(value),
            Self::MultiSelect => value.as_array().is_some_and(|list| list.iter().all(is_option)),
            Self::Url => value.as_str().is_some_and(is_web_address),
            Self::Boolean => value.is_boolean(),
        };
        (!fits).then(|| self.demand().to_owned())
    }

    fn demand(self) -> &'static str {
        match self {
            Self::Text => "must be a text of at most 10000 characters",
            Self::Number => "must be a number",
            Self::Date => "must be a day, as 2026-01-31",
            Self::Select => "must be one of the field's options",
            Self::MultiSelect => "must be a list of the field's options",
            Self::Url => "must be an address that begins with https:// or http://",
            Self::Boolean => "must be true or false",
        }
    }
}

/// A day as it is written in values and filters.
#[must_use]
pub fn parse_day(text: &str) -> Option<NaiveDate> {
    let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    // Years far off are dates, and no times that a clock will show.
    let is_near = day.to_string() == text && ("1000-01-01".."3000-01-01").contains(&text);
    is_near.then_some(day)
}

/// Whether a text is the key of a definition: camelCase, as incoming names become keys.
#[must_use]
pub fn is_key(text: &str) -> bool {
    !text.is_empty() && camel_case(text) == text
}

/// Whether a field of this key can be told apart in every database, whoever made it: no sign that is one of their
/// own, and no control character.
#[must_use]
pub fn is_usable_key(text: &str) -> bool {
    let is_plain = |letter: char| !letter.is_control() && !matches!(letter, '"' | '\\');
    let length = text.chars().count();
    (1..=KEY_MAX_CHARS).contains(&length) && text != "_displayNames" && text.chars().all(is_plain)
}

fn is_web_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_clean = !text.chars().any(|letter| letter.is_whitespace() || letter.is_control());
    is_clean && text.chars().count() <= 2_000 && rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::text(CustomKind::Text, json!("a"), json!(1))]
    #[case::number(CustomKind::Number, json!(-1.5), json!("1"))]
    #[case::date(CustomKind::Date, json!("2026-02-28"), json!("2026-02-30"))]
    #[case::date_in_full(CustomKind::Date, json!("2026-02-28"), json!("2026-2-28"))]
    #[case::select(CustomKind::Select, json!("red"), json!("blue"))]
    #[case::multi_select(CustomKind::MultiSelect, json!(["red", "green"]), json!(["red", "blue"]))]
    #[case::no_list(CustomKind::MultiSelect, json!([]), json!("red"))]
    #[case::url(CustomKind::Url, json!("https://example.com/a?b"), json!("javascript:alert(1)"))]
    #[case::url_of_nothing(CustomKind::Url, json!("http://x"), json!("https://"))]
    #[case::boolean(CustomKind::Boolean, json!(false), json!("false"))]
    fn a_value_fits_its_kind_or_not(#[case] kind: CustomKind, #[case] good: Value, #[case] bad: Value) {
        let options = ["red".to_owned(), "green".to_owned()];

        assert_eq!(kind.fault(&good, &options), None);
        assert_eq!(kind.fault(&bad, &options).as_deref(), Some(kind.demand()));
    }

    #[rstest]
    #[case("budget", true, true)]
    #[case("größeDesTeams", true, true)]
    #[case("Budget", false, true)]
    #[case("job title", false, true)]
    #[case("a\"b", false, false)]
    #[case("$.a", false, true)]
    #[case("", false, false)]
    #[case("_displayNames", false, false)]
    fn keys_are_camel_case_and_plain(#[case] key: &str, #[case] of_definition: bool, #[case] usable: bool) {
        assert_eq!((is_key(key), is_usable_key(key)), (of_definition, usable));
    }
}
