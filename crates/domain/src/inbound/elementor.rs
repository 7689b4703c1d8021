//! Elementor Pro: the fields by their labels, or (with "advanced data") each with its id, title and value.

use serde_json::{Map, Value};

use super::{
    Format,
    filing::{Filing, Reading, get, object, text, text_in},
};
use crate::fields::RawFields;

/// What Elementor adds about the visit. It stays in the fields as sent.
const ABOUT_THE_VISIT: [&str; 7] = ["Date", "Time", "User Agent", "Remote IP", "Powered by", "form_id", "form_name"];

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    match (object(item, "form"), object(item, "fields")) {
        (Some(form), Some(fields)) if form.contains_key("id") => advanced(item, form, fields),
        (Some(_) | None, Some(_) | None) => simple(item),
    }
}

fn advanced(item: &RawFields, form: &Map<String, Value>, fields: &Map<String, Value>) -> Option<Reading> {
    let mut filing = Filing::default();
    for (id, field) in fields {
        let field = field.as_object()?;
        let kind = match text_in(field, "type").as_deref() {
            Some("email") => Some("email"),
            Some("tel") => Some("phone"),
            Some(_) | None => None,
        };
        let value = field.get("value").or_else(|| field.get("raw_value")).cloned().unwrap_or_default();
        filing.answer(kind, &[text_in(field, "title"), Some(id.clone())], value);
    }
    let page = object(item, "meta").and_then(|meta| text_in(meta.get("page_url")?.as_object()?, "value"));
    filing.put_some("page_url", page);
    filing.put_some("form", text_in(form, "name"));
    Some(Reading::Lead(filing.into_lead(Format::Elementor, item, None)))
}

fn simple(item: &RawFields) -> Option<Reading> {
    let is_elementors = text(item, "Powered by").is_some_and(|name| name == "Elementor")
        || (get(item, "form_id").is_some() && get(item, "form_name").is_some() && get(item, "Page URL").is_some());
    if !is_elementors {
        return None;
    }
    let mut filing = Filing::default();
    for (name, value) in item.iter().filter(|(name, _)| !ABOUT_THE_VISIT.contains(&name.as_str())) {
        filing.answer(None, &[Some(name.clone())], value.clone());
    }
    filing.put_some("form", text(item, "form_name"));
    Some(Reading::Lead(filing.into_lead(Format::Elementor, item, None)))
}
