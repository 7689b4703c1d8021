//! From a row's cells to the fields of a submission.

use serde_json::{Map, Value, json};

use super::{Rule, Target};
use crate::{
    custom_fields::CustomKind,
    fields::{RawFields, camel_case},
    values::{Amount, Quotable, ToldValues},
};

/// Tags of one row at most.
const TAGS_MAX: usize = 20;

/// The longest tag, in characters.
const TAG_MAX_CHARS: usize = 50;

/// Why a row makes no lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It has no name, e-mail address or phone number.
    Nobody,
    /// A cell is too long for what its column is for.
    TooLong {
        /// The column, from 0.
        column: usize,
        /// What fits, in characters.
        most: usize,
    },
    /// The database cannot hold what is in it.
    Unstorable,
}

impl Refusal {
    /// Its name outside.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::TooLong { .. } => "too_long",
            Self::Unstorable => "unstorable",
        }
    }

    /// What to tell people, where `columns` has the columns' names.
    #[must_use]
    pub fn words(&self, columns: &[String]) -> String {
        match self {
            Self::Nobody => "There is no name, e-mail address or phone number in it".to_owned(),
            Self::TooLong { column, most } => {
                let name = columns.get(*column).map_or("", String::as_str);
                format!("{name} has more than {most} characters")
            }
            Self::Unstorable => "The database cannot hold what is in it".to_owned(),
        }
    }
}

/// What a row says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// What forms would send in its place.
    pub fields: RawFields,
    /// Its cells under their columns' names, without those that are left out.
    pub sent: RawFields,
    /// Custom fields, with their names.
    pub custom: Map<String, Value>,
    /// Tags.
    pub tags: Vec<String>,
    /// What the lead is worth.
    pub values: ToldValues,
}

/// Reads a row. `kind_of` tells what kind of values a custom field has, where somebody said so.
///
/// # Errors
/// Where it names nobody, or a cell is too long.
pub fn read_row(
    columns: &[String],
    rules: &[Rule],
    cells: &[String],
    kind_of: impl Fn(&str) -> Option<CustomKind>,
) -> Result<Row, Refusal> {
    let mut row = Row::default();
    let mut filled: Vec<(Target, String)> = Vec::new();
    let mut names_somebody = false;
    for (index, (rule, name)) in rules.iter().zip(columns).enumerate() {
        let text = cells.get(index).map(|cell| clean(cell)).unwrap_or_default();
        if rule.target == Target::Ignore || text.is_empty() {
            continue;
        }
        let most = most_chars(rule.target);
        if text.len() > most && text.chars().count() > most {
            return Err(Refusal::TooLong { column: index, most });
        }
        row.sent.push((name.clone(), Value::String(text.clone())));
        names_somebody |= rule.target.names_somebody();
        match rule.target {
            Target::Custom => row.put_custom(rule, name, &text, &kind_of),
            Target::Tags => row.put_tags(&text),
            Target::Quotable | Target::QuoteValue | Target::SalesValue => row.put_value(rule.target, name, &text),
            target => match filled.iter().find(|(other, _)| *other == target) {
                None => {
                    row.fields.push((target.as_str().to_owned(), Value::String(text.clone())));
                    filled.push((target, text));
                }
                Some((_, first)) if *first == text => {}
                // What another column says is not lost.
                Some(_) => row.put_custom(&Rule::custom(name), name, &text, &kind_of),
            },
        }
    }
    if names_somebody { Ok(row) } else { Err(Refusal::Nobody) }
}

/// Without what the databases cannot hold, and without white space around it.
fn clean(cell: &str) -> String {
    let cell = cell.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0' || letter == '\u{feff}');
    if cell.contains('\0') { cell.replace('\0', "") } else { cell.to_owned() }
}

fn most_chars(target: Target) -> usize {
    match target {
        Target::Name | Target::FirstName | Target::LastName => 200,
        Target::Message => 10_000,
        Target::PageUrl | Target::Referrer => 4_000,
        Target::Custom => crate::custom_fields::TEXT_MAX_CHARS,
        Target::Tags => 1_000,
        Target::Email
        | Target::Phone
        | Target::CountryCode
        | Target::Company
        | Target::Title
        | Target::Quotable
        | Target::QuoteValue
        | Target::SalesValue
        | Target::UtmSource
        | Target::UtmMedium
        | Target::UtmCampaign
        | Target::UtmTerm
        | Target::UtmContent
        | Target::Ignore => 500,
    }
}

impl Row {
    fn put_custom(&mut self, rule: &Rule, column: &str, text: &str, kind_of: &impl Fn(&str) -> Option<CustomKind>) {
        let name = rule.name.as_deref().unwrap_or(column);
        let key = rule.key.clone().unwrap_or_else(|| camel_case(name));
        if self.custom.contains_key(&key) {
            return;
        }
        let value = typed(text, kind_of(&key));
        let names = self.custom.entry("_displayNames").or_insert_with(|| json!({}));
        names[key.as_str()] = json!(name);
        self.custom.insert(key, value);
    }

    fn put_tags(&mut self, text: &str) {
        for tag in text.split([',', ';']).map(str::trim).filter(|tag| !tag.is_empty()) {
            let tag: String = tag.chars().filter(|letter| !letter.is_control()).take(TAG_MAX_CHARS).collect();
            if self.tags.len() < TAGS_MAX && !self.tags.contains(&tag) {
                self.tags.push(tag);
            }
        }
    }

    /// What is no amount is kept as the text that it is.
    fn put_value(&mut self, target: Target, column: &str, text: &str) {
        let was_read = match target {
            Target::Quotable => {
                let quotable = quotable(text);
                self.values.quotable = quotable.or(self.values.quotable);
                quotable.is_some()
            }
            Target::QuoteValue => {
                let amount = amount(text);
                self.values.quote = amount.or(self.values.quote);
                amount.is_some()
            }
            _ => {
                let amount = amount(text);
                self.values.sales = amount.or(self.values.sales);
                amount.is_some()
            }
        };
        if !was_read {
            self.put_custom(&Rule::custom(column), column, text, &|_| None);
        }
    }
}

/// A text as a value of its field's kind, where it can be one.
fn typed(text: &str, kind: Option<CustomKind>) -> Value {
    let as_text = || Value::String(text.to_owned());
    match kind {
        Some(CustomKind::Number) => {
            serde_json::from_str::<serde_json::Number>(text).map_or_else(|_| as_text(), Value::Number)
        }
        Some(CustomKind::Boolean) => truth(text).map_or_else(as_text, Value::Bool),
        Some(CustomKind::MultiSelect) => {
            let options = text.split([';', ',']).map(str::trim).filter(|option| !option.is_empty());
            Value::Array(options.map(|option| Value::String(option.to_owned())).collect())
        }
        Some(CustomKind::Text | CustomKind::Date | CustomKind::Select | CustomKind::Url) | None => as_text(),
    }
}

fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "y" | "1" | "x" | "ja" | "wahr" => Some(true),
        "false" | "no" | "n" | "0" | "nein" | "falsch" => Some(false),
        _ => None,
    }
}

fn quotable(text: &str) -> Option<Quotable> {
    let name = text.to_lowercase().replace([' ', '-'], "_");
    Quotable::parse(&name).or_else(|| truth(text).map(|yes| if yes { Quotable::Yes } else { Quotable::No }))
}

/// An amount as people write it: with a currency, with or without signs between the thousands. Where there are two kinds
/// of signs the last is the decimal one; a single comma is, where one or two digits follow.
fn amount(text: &str) -> Option<Amount> {
    let digits: String = text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-')).collect();
    let (point, comma) = (digits.rfind('.'), digits.rfind(','));
    let plain = match (point, comma) {
        (Some(point), Some(comma)) if point > comma => digits.replace(',', ""),
        (Some(_), Some(_)) => digits.replace('.', "").replace(',', "."),
        (None, Some(comma)) if digits.matches(',').count() == 1 && digits.len() - comma <= 3 => {
            digits.replace(',', ".")
        }
        (None, Some(_)) => digits.replace(',', ""),
        (Some(_), None) if digits.matches('.').count() > 1 => digits.replace('.', ""),
        (Some(_) | None, None) => digits,
    };
    let has_letters = text.chars().filter(|letter| letter.is_alphabetic()).count() > 4;
    if has_letters { None } else { Amount::parse(&plain).ok() }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn read(rules: &[Rule], cells: &[&str]) -> Result<Row, Refusal> {
        let columns = texts(&["A", "B", "C"]);
        read_row(&columns, rules, &texts(cells), |key| (key == "seats").then_some(CustomKind::Number))
    }

    #[test]
    fn cells_become_the_fields_that_their_columns_are_for() {
        let rules = [Rule::of(Target::Email), Rule::custom("Seats"), Rule::of(Target::Tags)];

        let row = read(&rules, &[" a@b.example ", "12", "vip; hot,vip"]).expect("a row");

        assert_eq!(row.fields, [("email".to_owned(), json!("a@b.example"))]);
        assert_eq!(Value::Object(row.custom), json!({"seats": 12, "_displayNames": {"seats": "Seats"}}));
        assert_eq!(row.tags, ["vip", "hot"]);
        assert_eq!(row.sent[1], ("B".to_owned(), json!("12")));
    }

    #[test]
    fn what_a_second_column_says_is_kept_beside_the_first() {
        let rules = [Rule::of(Target::Phone), Rule::of(Target::Phone), Rule::of(Target::Ignore)];

        let row = read(&rules, &["1", "2", "secret"]).expect("a row");

        assert_eq!(row.fields, [("phone".to_owned(), json!("1"))]);
        assert_eq!(row.custom["b"], "2");
        assert_eq!(row.sent.len(), 2);
    }

    #[rstest]
    #[case::nobody(&["", "x"], Refusal::Nobody)]
    #[case::too_long(&["a@b.example", &"x".repeat(10_001)], Refusal::TooLong { column: 1, most: 10_000 })]
    fn a_row_is_refused_for_a_reason(#[case] cells: &[&str], #[case] expected: Refusal) {
        assert_eq!(read(&[Rule::of(Target::Email), Rule::custom("Note")], cells), Err(expected));
    }

    #[rstest]
    #[case("1250", Some("1250.00"))]
    #[case("€ 1.250,50", Some("1250.50"))]
    #[case("1,250.50 USD", Some("1250.50"))]
    #[case("1,250", Some("1250.00"))]
    #[case("12,5", Some("12.50"))]
    #[case("1.250.000", Some("1250000.00"))]
    #[case("about ten thousand", None)]
    #[case("-5", None)]
    fn an_amount_is_read_as_people_write_it(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(amount(text).map(|amount| amount.to_string()).as_deref(), expected);
    }
}
