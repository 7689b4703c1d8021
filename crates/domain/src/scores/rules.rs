//! A workspace's own rules: points for what stands in a lead's fields.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::emails::Email;

/// Rules of one workspace at most.
pub const MOST_RULES: usize = 50;

/// Characters of a value or of a custom field's name at most.
const LONGEST: usize = 200;

/// The most that one rule adds or takes.
const MOST_POINTS: i32 = 100;

/// Points for leads in which a field is like this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rule {
    /// Which field.
    pub field: Field,
    /// The name of the custom field, where it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_field: Option<String>,
    /// How it is compared. Case never matters.
    pub test: Test,
    /// With what.
    pub value: String,
    /// What it adds; below zero, what it takes from the other rules' points.
    pub points: i32,
}

/// A field that rules can look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// The part of the e-mail address after the `@`.
    EmailDomain,
    /// The phone's country, in two letters.
    Country,
    /// The name of the source that made the lead.
    Source,
    /// The company.
    Company,
    /// The title.
    Title,
    /// The latest message.
    Message,
    /// A custom field.
    CustomField,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Test {
    /// It is the value.
    Is,
    /// The value is somewhere in it.
    Contains,
    /// It begins with the value.
    StartsWith,
}

/// What of a lead its fit is read from.
#[derive(Debug, Clone, Copy)]
pub struct LeadFields<'a> {
    /// The e-mail address.
    pub email: Option<&'a str>,
    /// The phone number, where it is valid.
    pub phone: Option<&'a str>,
    /// The phone's country.
    pub country: Option<&'a str>,
    /// The name.
    pub name: &'a str,
    /// The company.
    pub company: Option<&'a str>,
    /// The title.
    pub title: Option<&'a str>,
    /// The latest message.
    pub message: Option<&'a str>,
    /// The name of the source that made it.
    pub source: &'a str,
    /// Custom fields by key.
    pub custom_fields: &'a Map<String, Value>,
}

impl Rule {
    /// What is wrong with it: the name of a field, and words.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let is_text = |text: &str| {
            let is_plain = !text.chars().any(char::is_control);
            is_plain && !text.trim().is_empty() && text.chars().count() <= LONGEST
        };
        if !is_text(&self.value) {
            faults.push(("value", format!("must have 1 to {LONGEST} characters")));
        }
        if !(-MOST_POINTS..=MOST_POINTS).contains(&self.points) {
            faults.push(("points", format!("must be from -{MOST_POINTS} to {MOST_POINTS}")));
        }
        match (self.field, self.custom_field.as_deref()) {
            (Field::CustomField, Some(name)) if is_text(name) => {}
            (Field::CustomField, _) => faults.push(("customField", "must name the custom field".to_owned())),
            (_, Some(_)) => faults.push(("customField", "belongs to rules about a custom field only".to_owned())),
            (_, None) => {}
        }
        faults
    }

    pub(super) fn tidied(self) -> Self {
        let trimmed = |text: &str| text.trim().to_owned();
        Self { value: trimmed(&self.value), custom_field: self.custom_field.as_deref().map(trimmed), ..self }
    }

    fn applies(&self, lead: &LeadFields<'_>) -> bool {
        let Some(found) = self.read(lead) else { return false };
        let (found, value) = (found.trim().to_lowercase(), self.value.to_lowercase());
        match self.test {
            Test::Is => found == value,
            Test::Contains => found.contains(&value),
            Test::StartsWith => found.starts_with(&value),
        }
    }

    fn read(&self, lead: &LeadFields<'_>) -> Option<String> {
        let text = |text: Option<&str>| text.map(str::to_owned);
        match self.field {
            Field::EmailDomain => lead.email.and_then(Email::parse).map(|email| email.domain().to_owned()),
            Field::Country => text(lead.country),
            Field::Source => text(Some(lead.source)),
            Field::Company => text(lead.company),
            Field::Title => text(lead.title),
            Field::Message => text(lead.message),
            Field::CustomField => match lead.custom_fields.get(self.custom_field.as_deref()?)? {
                Value::String(value) => Some(value.clone()),
                Value::Null | Value::Array(_) | Value::Object(_) => None,
                plain @ (Value::Bool(_) | Value::Number(_)) => Some(plain.to_string()),
            },
        }
    }
}

/// What these rules add together for a lead, before it is capped.
pub(super) fn points(rules: &[Rule], lead: &LeadFields<'_>) -> i32 {
    rules.iter().filter(|rule| rule.applies(lead)).map(|rule| rule.points).sum()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn rule(field: Field, test: Test, value: &str) -> Rule {
        let custom_field = (field == Field::CustomField).then(|| "budget".to_owned());
        Rule { field, custom_field, test, value: value.to_owned(), points: 4 }
    }

    #[rstest]
    #[case(Field::EmailDomain, Test::Is, "ACME.example", true)]
    #[case(Field::EmailDomain, Test::Is, "example", false)]
    #[case(Field::Country, Test::Is, "de", true)]
    #[case(Field::Source, Test::StartsWith, "demo", true)]
    #[case(Field::Company, Test::Contains, "corp", true)]
    #[case(Field::Title, Test::StartsWith, "Head", true)]
    #[case(Field::Title, Test::StartsWith, "of", false)]
    #[case(Field::Message, Test::Contains, "pricing", true)]
    #[case(Field::CustomField, Test::Is, "5000", true)]
    #[case(Field::CustomField, Test::Is, "50", false)]
    fn a_rule_looks_at_its_field(
        #[case] field: Field,
        #[case] test: Test,
        #[case] value: &str,
        #[case] expected: bool,
    ) {
        let custom_fields = json!({"budget": 5000});
        let lead = LeadFields {
            email: Some("anna@acme.example"),
            phone: None,
            country: Some("DE"),
            name: "Anna",
            company: Some("Acme Corp"),
            title: Some("Head of Sales"),
            message: Some("About your Pricing"),
            source: "Demo request",
            custom_fields: custom_fields.as_object().expect("an object"),
        };

        assert_eq!(points(&[rule(field, test, value)], &lead), if expected { 4 } else { 0 });
    }

    #[test]
    fn what_is_not_there_is_like_nothing() {
        let none = Map::new();
        let lead = LeadFields {
            email: None,
            phone: None,
            country: None,
            name: "",
            company: None,
            title: None,
            message: None,
            source: "Form",
            custom_fields: &none,
        };
        let fields = [Field::EmailDomain, Field::Country, Field::Company, Field::Title, Field::CustomField];

        let found = fields.map(|field| points(&[rule(field, Test::Contains, "a")], &lead));

        assert_eq!(found, [0; 5]);
    }

    #[rstest]
    #[case(Rule { value: " ".into(), ..rule(Field::Title, Test::Is, "") }, &["value"])]
    #[case(Rule { points: 101, ..rule(Field::Title, Test::Is, "x") }, &["points"])]
    #[case(Rule { custom_field: None, ..rule(Field::CustomField, Test::Is, "x") }, &["customField"])]
    #[case(Rule { custom_field: Some("a".into()), ..rule(Field::Title, Test::Is, "x") }, &["customField"])]
    #[case(rule(Field::CustomField, Test::Is, "x"), &[])]
    fn what_is_wrong_with_a_rule_is_named(#[case] rule: Rule, #[case] expected: &[&str]) {
        assert_eq!(rule.faults().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), expected);
    }
}
