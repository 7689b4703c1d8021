//! Who the lead is, and what they filled in.

use leadline_domain::{attribution::Param, fields::as_sent, inbound::Format, phones::national};
use serde_json::{Map, Value, json};

use super::{Facts, Provider, Rule::Lead, known::Known};

/// What a lead is called and reached by.
struct Person<'a> {
    name: Option<&'a str>,
    company: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
}

impl<'a> Person<'a> {
    fn of(facts: &'a Facts<'_>) -> Self {
        let lead = &facts.lead;
        Self { name: facts.name(), company: lead.company, email: lead.email, phone: lead.phone.or(facts.phone_raw) }
    }
}

pub(super) fn contact(facts: &Facts<'_>, provider: Provider<'_>) -> Vec<Known> {
    let person = Person::of(facts);
    vec![
        ("contact_name", Lead, json!(person.name)),
        ("contact_company_name", Lead, json!(person.company)),
        ("contact_email_address", Lead, json!(person.email)),
        ("contact_phone_number", Lead, json!(person.phone)),
        ("email_address", Lead, beside(provider, ["email_address", "contact_email_address"], person.email)),
        ("phone_number", Lead, beside(provider, ["phone_number", "contact_phone_number"], person.phone)),
    ]
}

/// The lead's own, unless the provider told another one beside the contact's: the line that was called from, say.
fn beside(provider: Provider<'_>, [name, contacts]: [&str; 2], ours: Option<&str>) -> Value {
    match (provider.ever(name), provider.ever(contacts)) {
        (Some(told), Some(contacts)) if told != contacts => told.clone(),
        (Some(_) | None, Some(_) | None) => json!(ours),
    }
}

/// How fields were read. What else the provider read stands beside it.
pub(super) fn field_mappings(facts: &Facts<'_>, provider: Provider<'_>) -> Value {
    let person = Person::of(facts);
    let mut mappings = provider.now("field_mappings").and_then(Value::as_object).cloned().unwrap_or_default();
    let ours = [
        ("Company Name", person.company.map(str::to_owned)),
        ("Contact Person", person.name.map(str::to_owned)),
        ("Email", person.email.map(str::to_owned)),
        ("Phone Number", person.phone.map(national)),
    ];
    for (name, value) in ours {
        match value {
            Some(value) => drop(mappings.insert(name.to_owned(), value.into())),
            None if facts.is_cause => {}
            None => drop(mappings.remove(name)),
        }
    }
    Value::Object(mappings)
}

/// Every field that was submitted, under the name that its sender gave it. What our script adds, and where another
/// product's lead came from, is told under keys of its own.
pub(super) fn additional_fields(facts: &Facts<'_>) -> Value {
    let Some(submission) = &facts.submission else { return json!({}) };
    let mut fields = match submission.unpacked() {
        Some(lead) if lead.format == Format::WhatConverts => Map::new(),
        Some(lead) if lead.format != Format::Generic => {
            let answers = lead.fields.into_iter().filter(|(name, _)| Param::named(name).is_none());
            as_sent(&answers.map(|(name, value)| (name, answer(value))).collect())
        }
        Some(_) | None => submission.fields.clone(),
    };
    fields.retain(|name, _| !name.starts_with("__"));
    // Who makes a lead by hand or by the API gives its custom fields apart.
    if matches!(submission.source, "api" | "manual" | "import") {
        for (name, value) in custom_fields(facts) {
            fields.entry(name).or_insert(value);
        }
    }
    Value::Object(fields)
}

/// Some products send each answer as a list, though there is only one.
fn answer(value: Value) -> Value {
    match value {
        Value::Array(mut list) if list.len() == 1 => list.remove(0),
        value => value,
    }
}

/// Custom fields by the names as they came.
fn custom_fields(facts: &Facts<'_>) -> Map<String, Value> {
    let mut fields = facts.custom_fields();
    let names = fields.remove("_displayNames").unwrap_or_default();
    let name_of = |key: String| names[&key].as_str().map_or_else(|| key.clone(), str::to_owned);
    fields.into_iter().map(|(key, value)| (name_of(key), value)).collect()
}
