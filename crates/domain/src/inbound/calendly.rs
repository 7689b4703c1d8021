//! Calendly: somebody booked, cancelled, or answered a routing form.

use serde_json::{Map, Value};

use super::{
    Format,
    filing::{Filing, Reading, object, text, text_in},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let event = text(item, "event")?;
    let is_calendlys = event.starts_with("invitee") || event == "routing_form_submission.created";
    let payload = object(item, "payload").filter(|_| is_calendlys)?;
    let mut filing = Filing::default();
    filing.put_some("name", text_in(payload, "name").or_else(|| full_name(payload)));
    filing.put_some("email", text_in(payload, "email"));
    filing.put_some("phone", text_in(payload, "text_reminder_number"));
    for answer in payload.get("questions_and_answers").and_then(Value::as_array).into_iter().flatten() {
        let Some(answer) = answer.as_object() else { continue };
        filing.answer(None, &[text_in(answer, "question")], answer.get("answer").cloned().unwrap_or_default());
    }
    for (name, value) in payload.get("tracking").and_then(Value::as_object).into_iter().flatten() {
        filing.put(name, value.clone());
    }
    let booked = payload.get("scheduled_event").and_then(Value::as_object);
    for (ours, theirs) in [("Event", "name"), ("Event start", "start_time"), ("Event end", "end_time")] {
        filing.put_some(ours, booked.and_then(|event| text_in(event, theirs)));
    }
    for name in ["status", "timezone", "cancel_url", "reschedule_url"] {
        filing.put_some(name, text_in(payload, name));
    }
    let id = text_in(payload, "uri");
    let key = id.as_deref().map(|id| format!("calendly {event} {id}"));
    let mut lead = filing.into_lead(Format::Calendly, item, key);
    lead.is_update = !event.ends_with(".created");
    lead.record = id.map(|id| format!("calendly {id}"));
    Some(Reading::Lead(lead))
}

fn full_name(payload: &Map<String, Value>) -> Option<String> {
    let parts: Vec<String> = ["first_name", "last_name"].iter().filter_map(|part| text_in(payload, part)).collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}
