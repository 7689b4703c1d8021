//! WhatConverts: a lead with its analysis and attribution, sent when it is new and again when it changes.

use serde_json::Value;

use super::{
    Format,
    filing::{Filing, Reading, get, object, text, text_in},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let (id, trigger) = (text(item, "lead_id")?, text(item, "trigger")?);
    let is_update = !trigger.eq_ignore_ascii_case("new");
    // What an update says is what tells it from the one before: its time has whole seconds only.
    let key = if is_update { format!("update {}", content_of(item)) } else { "new".to_owned() };
    let mut filing = Filing::default();
    file_person(&mut filing, item);
    file_origin(&mut filing, item);
    for (name, value) in item.iter().filter(|(name, _)| name != "trigger") {
        match name.as_str() {
            // The agent's words, not the visitor's.
            "notes" => filing.put("agent_notes", value.clone()),
            "lead_state" => filing.put(name, state(value)),
            _ => filing.put(name, value.clone()),
        }
    }
    let mut lead = filing.into_lead(Format::WhatConverts, item, Some(format!("whatconverts {id} {key}")));
    lead.record = Some(format!("whatconverts {id}"));
    lead.is_update = is_update;
    Some(Reading::Lead(lead))
}

fn file_person(filing: &mut Filing, item: &RawFields) {
    let mapped = |name: &str| object(item, "field_mappings").and_then(|fields| text_in(fields, name));
    let additional = |name: &str| object(item, "additional_fields").and_then(|fields| text_in(fields, name));
    let named = |name: &str| text(item, name);
    let name = named("contact_name").or_else(|| mapped("Contact Person")).or_else(|| additional("full_name"));
    filing.put_some("name", name);
    let email = named("contact_email_address").or_else(|| named("email_address")).or_else(|| mapped("Email"));
    filing.put_some("email", email.or_else(|| additional("email_address")));
    let phone = named("contact_phone_number").or_else(|| named("phone_number")).or_else(|| mapped("Phone Number"));
    filing.put_some("phone", phone.or_else(|| additional("phone_number")));
    filing.put_some("company", named("contact_company_name").or_else(|| mapped("Company Name")));
    filing.put_some("message", additional("message"));
    filing.put_some("project", named("profile"));
}

fn file_origin(filing: &mut Filing, item: &RawFields) {
    const ORIGIN: [(&str, &str); 8] = [
        ("utm_source", "lead_source"),
        ("utm_medium", "lead_medium"),
        ("utm_campaign", "lead_campaign"),
        ("utm_content", "lead_content"),
        ("utm_term", "lead_keyword"),
        ("page_url", "lead_url"),
        ("fbp", "facebook_browser_id"),
        ("fbc", "facebook_click_id"),
    ];
    for (ours, theirs) in ORIGIN {
        filing.put_some(ours, text(item, theirs));
    }
}

/// Their documents spell it `In Progess`.
fn state(value: &Value) -> Value {
    match value.as_str() {
        Some(state) if state.eq_ignore_ascii_case("in progess") => Value::from("In Progress"),
        Some(_) | None => value.clone(),
    }
}

fn content_of(item: &RawFields) -> String {
    let content: Vec<String> = item.iter().map(|(name, _)| name.as_str()).map(|name| said(item, name)).collect();
    content.join("\n")
}

fn said(item: &RawFields, name: &str) -> String {
    format!("{name}={}", get(item, name).unwrap_or(&Value::Null))
}
