//! What a placeholder does with its value on the way.

use chrono::{
    DateTime,
    format::{Item, StrftimeItems},
};

use crate::phones;

/// The names of all filters.
pub const FILTERS: [&str; 9] =
    ["default", "upper", "lower", "trim", "cut", "e164", "national", "international", "date"];

/// The longest text that is given to a filter, in characters.
const ARGUMENT_MAX_CHARS: usize = 200;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    /// This, where there is no value.
    Default(String),
    Upper,
    Lower,
    Trim,
    /// The first so many characters.
    Cut(usize),
    /// A phone number as `+4930123456`.
    E164,
    /// As it is dialled in its country.
    National,
    /// With spaces, for people.
    International,
    /// A time in a format of `strftime`, in UTC.
    Date(String),
}

impl Filter {
    /// Reads `name` or `name:'argument'`.
    pub(super) fn parse(text: &str) -> Result<Self, (&'static str, String)> {
        let (name, argument) = match text.split_once(':') {
            Some((name, argument)) => (name.trim(), Some(unquoted(argument)?)),
            None => (text.trim(), None),
        };
        let invalid = |message: &str| Err(("invalid_filter", message.to_owned()));
        match (name, argument) {
            ("default", Some(text)) => Ok(Self::Default(text)),
            ("default", None) => invalid("default needs a text, as in default:'unknown'"),
            ("upper", None) => Ok(Self::Upper),
            ("lower", None) => Ok(Self::Lower),
            ("trim", None) => Ok(Self::Trim),
            ("cut", Some(text)) => match text.parse() {
                Ok(chars) => Ok(Self::Cut(chars)),
                Err(_) => invalid("cut needs a number of characters, as in cut:100"),
            },
            ("cut", None) => invalid("cut needs a number of characters, as in cut:100"),
            ("e164", None) => Ok(Self::E164),
            ("national", None) => Ok(Self::National),
            ("international", None) => Ok(Self::International),
            ("date", None) => Ok(Self::Date("%Y-%m-%d".to_owned())),
            ("date", Some(format)) if is_format(&format) => Ok(Self::Date(format)),
            ("date", Some(_)) => invalid("date needs a format of strftime, as in date:'%d.%m.%Y'"),
            (name, Some(_)) if FILTERS.contains(&name) => invalid("this filter takes nothing behind a colon"),
            (name, _) => Err(("unknown_filter", format!("there is no filter named {name}"))),
        }
    }

    pub(super) fn apply(&self, value: String) -> String {
        match self {
            Self::Default(text) if value.is_empty() => text.clone(),
            Self::Default(_) => value,
            Self::Upper => value.to_uppercase(),
            Self::Lower => value.to_lowercase(),
            Self::Trim => value.trim().to_owned(),
            Self::Cut(chars) => value.chars().take(*chars).collect(),
            Self::E164 => phones::Phone::parse(&value, None, None).map_or(value, |phone| phone.e164),
            Self::National => phones::national(&value),
            Self::International => phones::international(&value),
            Self::Date(format) => date(&value, format).unwrap_or(value),
        }
    }
}

fn date(value: &str, format: &str) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(value).ok()?;
    Some(time.to_utc().format(format).to_string())
}

fn is_format(format: &str) -> bool {
    StrftimeItems::new(format).all(|item| item != Item::Error)
}

/// Splits at the bars that stand outside quotes.
pub(super) fn split(text: &str) -> Result<Vec<String>, (&'static str, String)> {
    let mut pieces = vec![String::new()];
    let mut quote = None;
    for char in text.chars() {
        match quote {
            None if char == '|' => {
                pieces.push(String::new());
                continue;
            }
            None if matches!(char, '\'' | '"') => quote = Some(char),
            Some(open) if char == open => quote = None,
            None | Some(_) => {}
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(char);
        }
    }
    match quote {
        None => Ok(pieces),
        Some(_) => Err(("invalid_filter", "a quote is not closed".to_owned())),
    }
}

fn unquoted(argument: &str) -> Result<String, (&'static str, String)> {
    let argument = argument.trim();
    let inside = ['\'', '"'].iter().find_map(|quote| argument.strip_prefix(*quote)?.strip_suffix(*quote));
    let text = inside.unwrap_or(argument);
    if text.chars().count() > ARGUMENT_MAX_CHARS {
        return Err(("invalid_filter", format!("a filter takes at most {ARGUMENT_MAX_CHARS} characters")));
    }
    Ok(text.to_owned())
}
