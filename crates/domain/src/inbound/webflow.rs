//! Webflow, in the shape of today and in the one before it. Its `name` is the form's, not the person's.

use serde_json::{Map, Value};

use super::{
    Format, Unpacked,
    filing::{Filing, Reading, get, object, text, text_in},
};
use crate::fields::RawFields;

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    if get(item, "triggerType").is_some() {
        let payload = object(item, "payload")?;
        let data = payload.get("data")?.as_object()?;
        let id = text_in(payload, "id");
        let mut lead = lead(item, data, text_in(payload, "name"), id);
        let page = text_in(payload, "pageUrl").or_else(|| text_in(payload, "publishedPath"));
        lead.fields.extend(page.map(|page| ("page_url".to_owned(), Value::from(page))));
        return Some(Reading::Lead(lead));
    }
    let (_site, id, data) = (text(item, "site")?, text(item, "_id")?, object(item, "data")?);
    Some(Reading::Lead(lead(item, data, text(item, "name"), Some(id))))
}

fn lead(item: &RawFields, data: &Map<String, Value>, form: Option<String>, id: Option<String>) -> Unpacked {
    let mut filing = Filing::default();
    for (name, value) in data {
        filing.answer(None, &[Some(name.clone())], value.clone());
    }
    filing.put_some("form", form);
    let mut lead = filing.into_lead(Format::Webflow, item, id.as_deref().map(|id| format!("webflow {id}")));
    lead.record = id.map(|id| format!("webflow {id}"));
    lead
}
