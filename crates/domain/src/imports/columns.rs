//! Columns by their names, and what they are taken for.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::{CUSTOM_MAX, REFUSED_COLUMNS, Rule, Target};
use crate::{
    emails::Email,
    fields::{camel_case, column_kind},
    ids::derived,
};

/// Names of columns are cut to this many characters.
const NAME_MAX_CHARS: usize = 100;

/// A column of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name, unlike that of every other.
    pub name: String,
    /// Values of the first rows that have one.
    pub samples: Vec<String>,
}

/// Names for as many columns as a file has: those of its header, and numbers where that says nothing. What is named like
/// one before gets a number behind its name.
#[must_use]
pub fn name_columns(header: &[String], width: usize) -> Vec<String> {
    let mut taken: HashSet<String> = HashSet::new();
    (0..width.max(header.len()))
        .map(|index| {
            let text = header.get(index).map(|text| clean(text)).unwrap_or_default();
            let name = if text.is_empty() { format!("Column {}", index + 1) } else { text };
            let numbered = (2..).map(|number| format!("{name} ({number})"));
            let free = std::iter::once(name.clone()).chain(numbered).find(|name| !taken.contains(&name.to_lowercase()));
            let free = free.expect("numbers do not end");
            taken.insert(free.to_lowercase());
            free
        })
        .collect()
}

fn clean(text: &str) -> String {
    let plain: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    words.join(" ").chars().take(NAME_MAX_CHARS).collect()
}

/// What stands for a set of columns, in whatever order they come.
#[must_use]
pub fn set_of(columns: &[String]) -> Uuid {
    let counts = |name: &&String| !REFUSED_COLUMNS.contains(&name.as_str());
    let mut names: Vec<String> = columns.iter().filter(counts).map(|name| name.to_lowercase()).collect();
    names.sort_unstable();
    let parts: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
    derived("leadline import columns v1", &parts)
}

/// What columns are taken for until somebody says otherwise. `known` has the names of the workspace's custom fields, by
/// key. Each field is filled from one column; a second one that could is a custom field.
#[must_use]
pub fn suggest(columns: &[Column], known: &HashMap<String, String>) -> Vec<Rule> {
    let mut taken: HashSet<Target> = HashSet::new();
    let mut rules: Vec<Option<Rule>> = columns
        .iter()
        .map(|column| {
            let target = target_of(&column.name)?;
            let has_values_for_it = target != Target::Email || !are_no_addresses(column);
            let is_free = target == Target::Ignore || taken.insert(target);
            (has_values_for_it && is_free).then(|| Rule::of(target))
        })
        .collect();
    if !taken.contains(&Target::Email) {
        let addresses = columns.iter().position(are_addresses);
        if let Some(index) = addresses {
            rules[index] = Some(Rule::of(Target::Email));
        }
    }
    let mut custom = 0;
    rules
        .into_iter()
        .zip(columns)
        .map(|(rule, column)| {
            rule.unwrap_or_else(|| {
                custom += 1;
                let says_something = !column.samples.is_empty() && custom <= CUSTOM_MAX;
                if says_something { custom_field(&column.name, known) } else { Rule::of(Target::Ignore) }
            })
        })
        .collect()
}

fn custom_field(name: &str, known: &HashMap<String, String>) -> Rule {
    let key = camel_case(name);
    let by_name = known.iter().find(|(_, known)| known.eq_ignore_ascii_case(name));
    match known.get_key_value(&key).or(by_name) {
        Some((key, name)) => Rule { target: Target::Custom, name: Some(name.clone()), key: Some(key.clone()) },
        None => Rule::custom(name),
    }
}

/// What the name alone says. Files have columns that no form has.
fn target_of(name: &str) -> Option<Target> {
    if REFUSED_COLUMNS.contains(&name) {
        return Some(Target::Ignore);
    }
    let key = camel_case(name).to_lowercase();
    let by_name = match key.as_str() {
        "jobtitle" | "position" | "jobposition" | "funktion" | "berufsbezeichnung" => Some(Target::Title),
        "tags" | "labels" | "tag" | "schlagworte" => Some(Target::Tags),
        "quotable" => Some(Target::Quotable),
        "quotevalue" => Some(Target::QuoteValue),
        "salesvalue" => Some(Target::SalesValue),
        "utmsource" => Some(Target::UtmSource),
        "utmmedium" => Some(Target::UtmMedium),
        "utmcampaign" => Some(Target::UtmCampaign),
        "utmterm" => Some(Target::UtmTerm),
        "utmcontent" => Some(Target::UtmContent),
        _ => None,
    };
    by_name.or_else(|| column_kind(name).and_then(Target::parse))
}

fn are_addresses(column: &Column) -> bool {
    !column.samples.is_empty() && column.samples.iter().all(|sample| Email::parse(sample).is_some())
}

/// An "E-mail sent" that holds days is no address.
fn are_no_addresses(column: &Column) -> bool {
    !column.samples.is_empty() && column.samples.iter().all(|sample| !sample.contains('@'))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn column(name: &str, sample: &str) -> Column {
        let samples = if sample.is_empty() { Vec::new() } else { vec![sample.to_owned()] };
        Column { name: name.to_owned(), samples }
    }

    #[rstest]
    #[case::as_they_are(&["Name", "Email"], 2, &["Name", "Email"])]
    #[case::empty(&["Name", " ", ""], 3, &["Name", "Column 2", "Column 3"])]
    #[case::twice(&["Phone", "phone", "Phone"], 3, &["Phone", "phone (2)", "Phone (3)"])]
    #[case::wider_than_its_header(&["Name"], 3, &["Name", "Column 2", "Column 3"])]
    #[case::lines(&["First\r\nname\t "], 1, &["First name"])]
    fn every_column_has_a_name_of_its_own(#[case] header: &[&str], #[case] width: usize, #[case] expected: &[&str]) {
        let header: Vec<String> = header.iter().map(|name| (*name).to_owned()).collect();

        assert_eq!(name_columns(&header, width), expected);
    }

    #[rstest]
    #[case("E-Mail-Adresse", "a@b.example", Target::Email)]
    #[case("Email sent", "2026-01-31", Target::Custom)]
    #[case("Reach me at", "a@b.example", Target::Email)]
    #[case("Mobile Number", "0151 1234567", Target::Phone)]
    #[case("Vorname", "Anna", Target::FirstName)]
    #[case("Job title", "CEO", Target::Title)]
    #[case("Firma", "Acme", Target::Company)]
    #[case("utm_source", "google", Target::UtmSource)]
    #[case("Budget", "100", Target::Custom)]
    #[case("Fax", "", Target::Ignore)]
    fn a_column_is_known_by_its_name(#[case] name: &str, #[case] sample: &str, #[case] expected: Target) {
        let rules = suggest(&[column(name, sample)], &HashMap::new());

        assert_eq!(rules[0].target, expected);
    }

    #[test]
    fn a_second_column_for_the_same_field_is_a_custom_one() {
        let rules = suggest(&[column("Phone", "1"), column("Mobile", "2")], &HashMap::new());

        assert_eq!(rules, [Rule::of(Target::Phone), Rule::custom("Mobile")]);
    }

    #[test]
    fn a_custom_field_that_is_there_is_found_by_its_name() {
        let known = HashMap::from([("size".to_owned(), "Number of seats".to_owned())]);

        let rules = suggest(&[column("number of Seats", "5"), column("Size", "6")], &known);

        assert_eq!(rules[0].key.as_deref(), Some("size"));
        assert_eq!(rules[1].name.as_deref(), Some("Number of seats"));
    }

    #[test]
    fn a_set_of_columns_is_the_same_in_any_order() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();

        assert_eq!(set_of(&names(&["Name", "Email"])), set_of(&names(&["email", "Name"])));
        assert_ne!(set_of(&names(&["Name", "Email"])), set_of(&names(&["Name", "Phone"])));
    }
}
