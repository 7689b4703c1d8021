//! What we know of a lead, under WhatConverts' keys.

use leadline_domain::{scores::suspicion_label, values::Quotable};
use serde_json::{Value, json};

use super::{
    Facts, Provider,
    Rule::{self, Latest, Ours, Provider as Theirs},
    contact, visit,
};

/// A key, whose word counts for it, and ours.
pub(super) type Known = (&'static str, Rule, Value);

/// The keys of the shape, as its documentation has them.
pub(super) fn values(facts: &Facts<'_>, provider: Provider<'_>) -> Vec<Known> {
    let mut values = record(facts, provider);
    values.extend(visit::pages_and_device(facts));
    values.push(("additional_fields", Latest, contact::additional_fields(facts)));
    values.extend(visit::origin(facts));
    values.push(("notes", Theirs, Value::Null));
    values.extend(contact::contact(facts, provider));
    values.extend(visit::place(facts));
    values.push(("field_mappings", Ours, contact::field_mappings(facts, provider)));
    values.extend(visit::ids(facts));
    values.push(("duplicate", Latest, json!(facts.event == "lead.resubmitted")));
    values.push(("spam", Latest, json!(facts.lead.suspicion.is_some_and(is_spam))));
    values
}

fn is_spam(suspicion: i64) -> bool {
    suspicion_label(i32::try_from(suspicion).unwrap_or(i32::MAX)) == "likely_bot"
}

fn record(facts: &Facts<'_>, provider: Provider<'_>) -> Vec<Known> {
    let lead = &facts.lead;
    let source = facts.submission.as_ref().map_or(lead.source, |one| one.source);
    let status = if lead.submission_count > 1 { "Repeat" } else { "Unique" };
    vec![
        ("trigger", Ours, trigger(facts, provider)),
        ("lead_id", Theirs, json!(lead.number)),
        ("user_id", Theirs, json!(facts.contact_id)),
        ("lead_type", Theirs, json!(lead_type(source))),
        ("lead_status", Latest, json!(status)),
        ("lead_analysis", Theirs, no_analysis()),
        ("last_updated", Ours, last_updated(facts, provider)),
        ("date_created", Theirs, json!(lead.created_at.in_seconds())),
        ("quotable", Ours, quotable(facts, provider)),
        ("quote_value", Rule::Lead, amount(lead.quote_value.as_deref())),
        ("sales_value", Rule::Lead, amount(lead.sales_value.as_deref())),
        ("spotted_keywords", Theirs, Value::Null),
        ("lead_score", Latest, json!(lead.score)),
        ("lead_state", Ours, lead_state(facts, provider)),
        ("profile", Theirs, json!(lead.project_name)),
        ("profile_id", Theirs, json!(lead.project_id)),
        ("account", Theirs, json!(facts.workspace.slug)),
        ("account_id", Theirs, json!(facts.workspace.id)),
    ]
}

/// A lead is new when it is told of for the first time. What the provider calls new is so under an id of its own, even
/// where it is a person whom we know.
fn trigger(facts: &Facts<'_>, provider: Provider<'_>) -> Value {
    if facts.event == "lead.created" {
        return json!("new");
    }
    provider.here("trigger").cloned().unwrap_or_else(|| json!("update"))
}

fn lead_type(source: &str) -> &'static str {
    match source {
        "form" | "facebook" => "Web Form",
        "chat" | "widget" => "Chat",
        _ => "Other",
    }
}

/// What stands here, which the provider's word has gone into; a word of it that we have no name for is passed on.
fn quotable(facts: &Facts<'_>, provider: Provider<'_>) -> Value {
    match Quotable::parse(facts.lead.quotable).unwrap_or_default() {
        Quotable::NotSet => {
            let theirs = provider.ever("quotable").filter(|said| said.as_str().and_then(Quotable::parse).is_none());
            theirs.cloned().unwrap_or_else(|| json!(Quotable::NotSet.label()))
        }
        set @ (Quotable::Yes | Quotable::No | Quotable::Pending) => json!(set.label()),
    }
}

/// A decimal as the number that it is, as short as the provider writes it.
fn amount(decimal: Option<&str>) -> Value {
    let Some(decimal) = decimal else { return Value::Null };
    let shortest = decimal.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(if shortest.is_empty() { "0" } else { shortest }).unwrap_or_default()
}

fn no_analysis() -> Value {
    json!({
        "Keyword Detection": null, "Lead Summary": null, "Intent Detection": null, "Sentiment Detection": null,
        "Topic Detection": null,
    })
}

/// The provider's time is that of the provider's change only.
fn last_updated(facts: &Facts<'_>, provider: Provider<'_>) -> Value {
    provider.here("last_updated").cloned().unwrap_or_else(|| json!(facts.lead.updated_at.in_seconds()))
}

/// Receivers of this shape compare with its own spelling.
fn lead_state(facts: &Facts<'_>, provider: Provider<'_>) -> Value {
    const IN_PROGRESS: &str = "In Progess";
    let is_in_progress =
        |said: &str| said.eq_ignore_ascii_case("in progress") || said.eq_ignore_ascii_case(IN_PROGRESS);
    match provider.now("lead_state") {
        Some(said) if said.as_str().is_some_and(is_in_progress) => json!(IN_PROGRESS),
        Some(said) => said.clone(),
        None if facts.lead.state == "in_progress" => json!(IN_PROGRESS),
        None => json!("Completed"),
    }
}
