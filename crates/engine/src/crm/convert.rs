//! Making a customer of a lead's person.

use leadline_domain::ids::{ContactId, LeadId};
use leadline_store::{
    Error, Tx,
    capture::IdentityKey,
    contacts::{self, Contact},
    leads::{self, Locked},
};
use serde_json::{Map, Value, json};

use super::{
    LeadError, Record,
    leads::{invalid, lock_one},
    retrying, text,
};
use crate::{Actor, Engine};

/// Notes carried to the contact at most; all of them stay with the lead.
const NOTES_MAX: i64 = 100;

/// Notes that a contact has of all its leads at most.
const ALL_NOTES_MAX: usize = 500;

const PLATFORM_MAX_CHARS: usize = 60;

/// Converts a lead: its contact becomes a customer of this name, and is told what the lead knows. Where another contact
/// has the lead's phone or e-mail, the lead goes to that one. A lead that is converted already stays as it is.
///
/// # Errors
/// Where the lead is not there or deleted, or name or platform cannot be so.
pub async fn convert(
    engine: &Engine,
    actor: &Actor,
    lead: LeadId,
    name: &str,
    platform: Option<&str>,
) -> Result<(), LeadError> {
    let mut faults = Vec::new();
    let name = text::short("/name", name, &mut faults);
    if !faults.is_empty() {
        return Err(LeadError::Invalid(faults));
    }
    let name = name.ok_or_else(|| invalid("/name", "must not be empty"))?;
    let platform = platform.and_then(text::clean);
    if platform.as_deref().is_some_and(|platform| platform.chars().count() > PLATFORM_MAX_CHARS) {
        return Err(invalid("/platform", &format!("has at most {PLATFORM_MAX_CHARS} characters")));
    }
    retrying(|| try_convert(engine, actor, lead, &name, platform.as_deref())).await
}

async fn try_convert(
    engine: &Engine,
    actor: &Actor,
    lead: LeadId,
    name: &str,
    platform: Option<&str>,
) -> Result<(), LeadError> {
    let mut tx = engine.store.begin().await?;
    let lead = lock_one(&mut tx, actor, lead).await?;
    if lead.converted_at.is_some() {
        return Ok(tx.rollback().await?);
    }
    let now = engine.clock.now();
    let mut contact = person(&mut tx, engine, actor, &lead).await?;
    let notes = contacts::notes_of_lead(&mut tx, actor.workspace, lead.id, NOTES_MAX).await?;
    become_customer(&mut contact, &lead, name, platform, notes);
    contacts::update(&mut tx, actor.workspace, &contact, now).await?;
    leads::convert(&mut tx, actor.workspace, lead.id, contact.id, now).await?;
    let mut record = Record::new(engine, actor);
    let data = json!({"contactId": contact.id, "name": name, "platform": platform});
    record.activity(lead.id, "lead.converted", data);
    let data = json!({"contactId": contact.id});
    record.event(lead.id, "lead.converted", (lead.pipeline_id, lead.stage_id), data);
    Ok(record.commit(tx).await?)
}

/// The contact that has the lead's phone or e-mail, else the lead's own.
async fn person(tx: &mut Tx, engine: &Engine, actor: &Actor, lead: &Locked) -> Result<Contact, LeadError> {
    let known_by = [("contact_phone", lead.phone.as_deref()), ("contact_email", lead.email.as_deref())];
    for (kind, value) in known_by {
        let Some(value) = value else { continue };
        let key = IdentityKey(engine.keys.identity(actor.workspace.0, kind, value));
        let Some(named) = leads::find_identity(tx, key).await? else { continue };
        if let Some(contact) = contacts::lock(tx, actor.workspace, ContactId(named)).await? {
            return Ok(contact);
        }
    }
    // Every lead has a contact from its capture on; one that is gone is being erased.
    Ok(contacts::lock(tx, actor.workspace, lead.contact_id).await?.ok_or(Error::Contended)?)
}

/// What the contact has is kept; what it lacks comes from the lead.
fn become_customer(contact: &mut Contact, lead: &Locked, name: &str, platform: Option<&str>, notes: Vec<Value>) {
    name.clone_into(&mut contact.display_name);
    "customer".clone_into(&mut contact.lifecycle);
    contact.email = contact.email.take().or_else(|| lead.email.clone());
    contact.phone_number = contact.phone_number.take().or_else(|| lead.phone.clone());
    for tag in &lead.tags {
        if !contact.tags.contains(tag) {
            contact.tags.push(tag.clone());
        }
    }
    carry(&mut contact.column_data, &lead.custom_fields);
    if let Some(platform) = platform {
        contact.column_data.insert("platform".to_owned(), platform.into());
    }
    if !notes.is_empty() {
        // Whoever was converted before keeps the notes of that lead, too.
        let known = contact.column_data.get("notes").and_then(Value::as_array).cloned().unwrap_or_default();
        let all: Vec<Value> = known.into_iter().chain(notes).take(ALL_NOTES_MAX).collect();
        contact.column_data.insert("notes".to_owned(), Value::Array(all));
    }
}

fn carry(data: &mut Map<String, Value>, custom_fields: &Map<String, Value>) {
    for (key, value) in custom_fields {
        match (data.get_mut(key), value) {
            (Some(Value::Object(names)), Value::Object(more)) if key == "_displayNames" => {
                names.extend(more.clone());
            }
            (Some(_), _) => {}
            (None, _) => {
                data.insert(key.clone(), value.clone());
            }
        }
    }
}
