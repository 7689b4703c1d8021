//! Typeform: a list of typed answers, and the questions beside it.

use serde_json::{Map, Value};

use super::{
    Format,
    filing::{Filing, Reading, object, text, text_in},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let response = object(item, "form_response")?;
    let questions = response.get("definition").and_then(|definition| definition["fields"].as_array());
    let mut filing = Filing::default();
    for answer in response.get("answers").and_then(Value::as_array).into_iter().flatten() {
        let (Some(answer), Some(field)) = (answer.as_object(), answer["field"].as_object()) else { continue };
        let kind = match text_in(answer, "type").as_deref() {
            Some("email") => Some("email"),
            Some("phone_number") => Some("phone"),
            Some(_) | None => None,
        };
        let title = title_of(questions, text_in(field, "id")).or_else(|| text_in(field, "title"));
        filing.answer(kind, &[title, text_in(field, "ref")], value_of(answer));
    }
    for (name, value) in response.get("hidden").and_then(Value::as_object).into_iter().flatten() {
        filing.answer(None, &[Some(name.clone())], value.clone());
    }
    filing.put_some("score", response.get("calculated").and_then(|calculated| calculated.get("score")).cloned());
    filing.put_some("form", response.get("definition").and_then(|definition| definition.get("title")).cloned());
    let key = text(item, "event_id").map(|id| format!("typeform {id}"));
    let mut lead = filing.into_lead(Format::Typeform, item, key);
    lead.record = text_in(response, "token").map(|token| format!("typeform {token}"));
    Some(Reading::Lead(lead))
}

fn title_of(questions: Option<&Vec<Value>>, id: Option<String>) -> Option<String> {
    let id = id?;
    let question = questions?.iter().find(|question| question["id"] == id.as_str())?;
    // Recalled answers stand in a title as {{…}}, which would differ from visitor to visitor.
    text_in(question.as_object()?, "title").filter(|title| !title.contains("{{"))
}

/// The value stands under the name of its type. A choice is worth its label.
fn value_of(answer: &Map<String, Value>) -> Value {
    let kind = text_in(answer, "type").unwrap_or_default();
    match answer.get(&kind) {
        Some(Value::Object(chosen)) => {
            let labels = chosen.get("labels").and_then(Value::as_array).cloned().unwrap_or_default();
            let single = ["label", "other", "name", "email"].into_iter().filter_map(|name| chosen.get(name).cloned());
            let all: Vec<Value> = labels.into_iter().chain(single.take(2)).collect();
            if all.is_empty() { Value::Object(chosen.clone()) } else { Value::Array(all) }
        }
        Some(value) => value.clone(),
        None => Value::Null,
    }
}
