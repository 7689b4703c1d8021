//! What a row of a file changes of a lead that is there already, field by field, so that each can be put back.
//!
//! A file is somebody's list and no sign of life: it says nothing of a visit, raises no suspicion and ends no silence.

use leadline_domain::{
    ids::ContactId,
    imports::OnMatch,
    values::{Amount, ToldValues, Values},
};
use leadline_store::capture::{IdentityKey, NewLead};
use serde_json::{Map, Value, json};

use crate::capture::{
    prepare::Prepared,
    working::{Working, fill, is_called_for_want_of_a_name, rescore},
};

/// What a row of a file changes.
#[derive(Debug, Default)]
pub(in crate::capture) struct Change {
    /// How; nothing, where it says nothing new.
    pub(in crate::capture) kind: Option<ChangeKind>,
    /// Identities that were nobody's before.
    pub(in crate::capture) keys: Vec<IdentityKey>,
    /// The person, where it made one.
    pub(in crate::capture) contact: Option<ContactId>,
    /// What each field was, and what it is.
    pub(in crate::capture) fields: Map<String, Value>,
}

/// How a row changes something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum ChangeKind {
    /// It made a lead.
    Made,
    /// It changed one.
    Updated,
}

/// The fields that are texts, each under the name of its column.
pub(in crate::capture) const TEXTS: [&str; 8] =
    ["name", "email", "phone", "phone_raw", "country_code", "company", "title", "message"];

/// The text of this name.
pub(in crate::capture) fn text_of<'a>(row: &'a mut NewLead, name: &str) -> Option<&'a mut Option<String>> {
    Some(match name {
        "email" => &mut row.email,
        "phone" => &mut row.phone,
        "phone_raw" => &mut row.phone_raw,
        "country_code" => &mut row.country_code,
        "company" => &mut row.company,
        "title" => &mut row.title,
        "message" => &mut row.message,
        _ => return None,
    })
}

/// Puts what a row says into its lead, and tells what is another now.
pub(in crate::capture) fn join(working: &mut Working, prepared: &Prepared, on_match: OnMatch) -> Map<String, Value> {
    let before = texts(&mut working.row);
    let mut changed = Map::new();
    put_texts(&mut working.row, prepared, on_match);
    for ((name, before), (_, after)) in before.into_iter().zip(texts(&mut working.row)) {
        if before != after {
            changed.insert(name.to_owned(), json!([before, after]));
        }
    }
    let custom = put_custom(&mut working.row, prepared, on_match);
    if !custom.is_empty() {
        changed.insert("custom".to_owned(), Value::Object(custom));
    }
    let values = working.values.1;
    working.values.1 = told(prepared.values, values, on_match);
    if values != working.values.1 {
        changed.insert("values".to_owned(), json!([values_json(values), values_json(working.values.1)]));
    }
    if working.was_deleted && !working.is_touched {
        changed.insert("deleted".to_owned(), json!([true, false]));
    }
    changed
}

/// Counts the row as a submission of its lead, and scores the lead anew.
pub(in crate::capture) fn settle(working: &mut Working, prepared: &Prepared, changed: &mut Map<String, Value>) {
    working.is_touched = true;
    let row = &mut working.row;
    row.submission_count += 1;
    row.updated_at = row.updated_at.max(prepared.submission.received_at.0);
    let before = score_json(row);
    rescore(row, &prepared.submission.intake.workspace_settings);
    let after = score_json(row);
    if before != after {
        changed.insert("score".to_owned(), json!([before, after]));
    }
}

fn texts(row: &mut NewLead) -> Vec<(&'static str, Option<String>)> {
    let name = row.name.clone();
    TEXTS.into_iter().map(|text| (text, text_of(row, text).map_or(Some(name.clone()), |value| value.clone()))).collect()
}

fn put_texts(row: &mut NewLead, prepared: &Prepared, on_match: OnMatch) {
    let recognised = &prepared.recognised;
    let counts = on_match == OnMatch::Update;
    if let Some(name) = recognised.name.as_ref().filter(|_| counts || is_called_for_want_of_a_name(row, prepared)) {
        row.name.clone_from(name);
    }
    // What a lead is reached by is never exchanged by a file: the other address is on the submission's card.
    fill(&mut row.email, prepared.email.as_ref());
    if row.phone.is_none() && (prepared.phone.is_some() || row.phone_raw.is_none()) {
        row.phone.clone_from(&prepared.phone);
        row.phone_raw = recognised.phone_raw.clone().or(row.phone_raw.take());
        fill(&mut row.country_code, prepared.region.as_ref());
    }
    let texts = [
        (&mut row.company, &recognised.company),
        (&mut row.title, &recognised.title),
        (&mut row.message, &recognised.message),
    ];
    for (ours, theirs) in texts {
        if theirs.is_some() && (counts || ours.is_none()) {
            ours.clone_from(theirs);
        }
    }
}

fn put_custom(row: &mut NewLead, prepared: &Prepared, on_match: OnMatch) -> Map<String, Value> {
    let mut changed = Map::new();
    let mut custom = row.custom_fields.as_object().cloned().unwrap_or_default();
    let told = prepared.custom_fields.iter().filter(|(key, value)| *key != "_displayNames" && !is_empty(value));
    for (key, value) in told {
        let before = custom.get(key).cloned().unwrap_or_default();
        let is_taken = on_match == OnMatch::Update || is_empty(&before);
        if before == *value || !is_taken {
            continue;
        }
        changed.insert(key.clone(), json!([before, value]));
        custom.insert(key.clone(), value.clone());
        let name = prepared.custom_fields.get("_displayNames").and_then(|names| names.get(key));
        let names = custom.entry("_displayNames").or_insert_with(|| json!({}));
        if let (Some(name), Some(names)) = (name, names.as_object_mut()) {
            names.entry(key.clone()).or_insert_with(|| name.clone());
        }
    }
    if !changed.is_empty() {
        row.custom_fields = Value::Object(custom);
    }
    changed
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn told(told: ToldValues, before: Values, on_match: OnMatch) -> Values {
    let after = told.over(before);
    match on_match {
        OnMatch::Update => after,
        OnMatch::Fill | OnMatch::Skip => Values {
            quotable: if before.quotable == Values::default().quotable { after.quotable } else { before.quotable },
            quote: before.quote.or(after.quote),
            sales: before.sales.or(after.sales),
        },
    }
}

/// What a lead is worth, as it is kept to be put back.
pub(in crate::capture) fn values_json(values: Values) -> Value {
    json!({
        "quotable": values.quotable, "quote": values.quote.map(Amount::milli), "sales": values.sales.map(Amount::milli),
    })
}

/// What a lead scores, as it is kept to be put back.
pub(in crate::capture) fn score_json(row: &NewLead) -> Value {
    json!({"score": row.score, "reasons": row.score_reasons, "version": row.score_version})
}
