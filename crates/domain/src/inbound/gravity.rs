//! Gravity Forms: an entry whose fields go by numbers. `1.3` and `1.6` are the parts of a name; what an address or a
//! number looks like tells the rest.

use serde_json::Value;

use super::{
    Format,
    filing::{Filing, Reading, get, plain, text},
};
use crate::{emails::Email, fields::RawFields};

/// What Gravity Forms says of the entry itself. It stays in the fields as sent.
const ABOUT_THE_ENTRY: [&str; 20] = [
    "id",
    "post_id",
    "date_created",
    "date_updated",
    "is_starred",
    "is_read",
    "ip",
    "source_url",
    "source_id",
    "user_agent",
    "currency",
    "payment_status",
    "payment_date",
    "payment_amount",
    "payment_method",
    "transaction_id",
    "is_fulfilled",
    "created_by",
    "transaction_type",
    "status",
];

pub(super) fn read(item: &RawFields) -> Option<Reading> {
    let (form, id, _created) = (text(item, "form_id")?, text(item, "id")?, get(item, "date_created")?);
    let mut filing = Filing::default();
    for (name, value) in item.iter().filter(|(name, _)| !ABOUT_THE_ENTRY.contains(&name.as_str())) {
        let Some(answer) = plain(value) else { continue };
        match kind(item, name, &answer) {
            Some(kind) => filing.answer(Some(kind), &[Some(format!("Field {name}"))], Value::from(answer)),
            None if is_number(name) => filing.put(&format!("Field {name}"), answer),
            None => filing.answer(None, &[Some(name.clone())], value.clone()),
        }
    }
    filing.put_some("page_url", text(item, "source_url"));
    let key = format!("gravity {form} {id}");
    let mut lead = filing.into_lead(Format::Gravity, item, Some(key.clone()));
    lead.record = Some(key);
    Some(Reading::Lead(lead))
}

fn is_number(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn kind(item: &RawFields, name: &str, answer: &str) -> Option<&'static str> {
    if !is_number(name) {
        return None;
    }
    if let Some((field, part)) = name.split_once('.') {
        // An address has parts 3 and 6, too (city and country), but also a part 5; a name never has.
        let is_a_name = get(item, &format!("{field}.5")).is_none();
        return match part {
            "3" if is_a_name => Some("first_name"),
            "6" if is_a_name => Some("last_name"),
            _ => None,
        };
    }
    if Email::parse(answer).is_some() {
        return Some("email");
    }
    looks_like_a_phone(answer).then_some("phone")
}

/// Ten digits or more, or at least seven with the signs that people put between them.
fn looks_like_a_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = text.chars().all(|letter| letter.is_ascii_digit() || " +-()./".contains(letter));
    let is_marked = text.starts_with(['+', '(', '0']) || text.contains([' ', '-', '(']);
    let is_a_date = text.len() == 10 && text.as_bytes()[4] == b'-';
    is_plain && !is_a_date && digits <= 15 && (digits >= 10 || (digits >= 7 && is_marked))
}
