//! HubSpot: a list of events, one for each property that changed. Those about one contact are one submission.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Format, Unpacked,
    filing::{Filing, Reading, get, text},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let (kind, object, event) = (text(item, "subscriptionType")?, text(item, "objectId")?, text(item, "eventId")?);
    let Some(what) = kind.strip_prefix("contact.").or_else(|| kind.strip_prefix("object.")) else {
        return Some(Reading::Nothing);
    };
    // A creation names only the contact; its properties come as events of their own.
    let (Some(name), true) = (text(item, "propertyName"), what == "propertyChange") else {
        return Some(Reading::Nothing);
    };
    let portal = text(item, "portalId").unwrap_or_default();
    let mut filing = Filing::default();
    let kind = match name.as_str() {
        "mobilephone" => Some("phone"),
        "jobtitle" => Some("title"),
        _ => None,
    };
    filing.answer(kind, &[Some(name)], get(item, "propertyValue").cloned().unwrap_or(Value::Null));
    let mut lead = filing.into_lead(Format::HubSpot, item, Some(format!("hubspot {portal} {event}")));
    lead.record = Some(format!("hubspot {portal} {object}"));
    // It is HubSpot that knows more, not the person who came again.
    lead.is_update = true;
    Some(Reading::Lead(lead))
}

/// Puts the events about one contact together. Their key is made of theirs, so the same events are the same submission.
pub(super) fn by_record(leads: Vec<Unpacked>) -> Vec<Unpacked> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut merged: Vec<Unpacked> = Vec::with_capacity(leads.len());
    for lead in leads {
        let Some(record) = lead.record.clone().filter(|_| lead.format == Format::HubSpot) else {
            merged.push(lead);
            continue;
        };
        match places.get(&record) {
            Some(place) => join(&mut merged[*place], lead),
            None => {
                places.insert(record, merged.len());
                merged.push(lead);
            }
        }
    }
    merged
}

fn join(first: &mut Unpacked, other: Unpacked) {
    let keys = first.key.clone().unwrap_or_default();
    let key = other.key.unwrap_or_default();
    let is_repeated = keys.split('\n').any(|known| known == key);
    if is_repeated {
        return;
    }
    let mut keys: Vec<&str> = keys.split('\n').chain([key.as_str()]).collect();
    keys.sort_unstable();
    first.key = Some(keys.join("\n"));
    first.fields.extend(other.fields);
    first.sent.extend(other.sent);
}
