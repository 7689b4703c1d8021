//! Changing a contact by hand.

use leadline_domain::ids::{ContactId, EventId};
use leadline_store::{
    self as store, Error,
    contacts::{self, Contact},
    events::{self, NewEvent},
    workspaces,
};
use serde_json::{Map, Value, json};

use super::{Contention, Fault, identities, retrying, text};
use crate::{Actor, Engine, random_bytes};

/// What somebody changes on a contact. `None` leaves it, `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the columns of `contacts` under their own names")]
pub struct ContactChanges {
    pub display_name: Option<String>,
    pub email: Option<Option<String>>,
    pub phone_number: Option<Option<String>>,
    /// `lead` or `customer`.
    pub lifecycle: Option<String>,
    /// All tags from now on.
    pub tags: Option<Vec<String>>,
    /// Data to set; `null` removes one.
    pub column_data: Option<Map<String, Value>>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Why a contact was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ContactError {
    /// There is none of this id in the workspace.
    #[error("there is no such contact")]
    NotFound,
    /// Somebody changed the same since; this is what it is now.
    #[error("somebody else changed the contact")]
    Stale(Box<Contact>),
    /// Some of what was said of it cannot be so.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

impl Contention for ContactError {
    fn is_contended(&self) -> bool {
        matches!(self, Self::Internal(Error::Contended))
    }
}

/// Changes a contact. Its leads stay as they are.
///
/// # Errors
/// Where it is not there, was changed since, or a value cannot be so.
pub async fn update(
    engine: &Engine,
    actor: &Actor,
    id: ContactId,
    changes: &ContactChanges,
) -> Result<(), ContactError> {
    let workspace = workspaces::find(&engine.store.reader(), actor.workspace).await?;
    let country = workspace.and_then(|workspace| workspace.settings["defaultCountry"].as_str().map(str::to_owned));
    retrying(|| try_update(engine, actor, id, changes, country.as_deref())).await
}

async fn try_update(
    engine: &Engine,
    actor: &Actor,
    id: ContactId,
    changes: &ContactChanges,
    country: Option<&str>,
) -> Result<(), ContactError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let before = contacts::lock(&mut tx, actor.workspace, id).await?.ok_or(ContactError::NotFound)?;
    let mut faults = Vec::new();
    let after = changed(&before, changes, country, &mut faults);
    if !faults.is_empty() {
        return Err(ContactError::Invalid(faults));
    }
    let fields = differences(&before, &after);
    if fields.is_empty() {
        return Ok(tx.rollback().await?);
    }
    if changes.version.is_some_and(|version| version != before.version) {
        return Err(ContactError::Stale(Box::new(before)));
    }
    contacts::update(&mut tx, actor.workspace, &after, now).await?;
    let corrections =
        [("contact_email", &before.email, &after.email), ("contact_phone", &before.phone_number, &after.phone_number)];
    for (kind, old, new) in corrections.into_iter().filter(|(_, old, new)| old != new) {
        let of_contact = (actor.workspace.0, kind, id.0);
        identities::exchange(&mut tx, engine, of_contact, (old.as_deref(), new.as_deref()), now).await?;
    }
    let event = NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        kind: "contact.updated".to_owned(),
        lead_id: None,
        submission_id: None,
        data: json!({"contactId": id, "fields": fields}),
        created_at: now.0,
        dispatched: false,
    };
    events::append(&mut tx, &[event]).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

fn changed(before: &Contact, changes: &ContactChanges, country: Option<&str>, faults: &mut Vec<Fault>) -> Contact {
    let mut after = before.clone();
    if let Some(name) = &changes.display_name {
        match text::clean(name) {
            None => faults.push(Fault::new("/displayName", "must not be empty")),
            Some(name) => after.display_name = text::short("/displayName", &name, faults).unwrap_or_default(),
        }
    }
    if let Some(email) = &changes.email {
        after.email = email.as_deref().and_then(|email| text::email(email, faults));
    }
    if let Some(phone) = &changes.phone_number {
        let known = faults.len();
        let parsed = phone.as_deref().and_then(|phone| text::phone(phone, country, faults));
        faults.iter_mut().skip(known).for_each(|fault| "/phoneNumber".clone_into(&mut fault.pointer));
        after.phone_number = parsed.map(|(phone, _)| phone.e164);
    }
    if let Some(lifecycle) = &changes.lifecycle {
        after.lifecycle.clone_from(lifecycle);
    }
    if let Some(tags) = &changes.tags {
        after.tags = text::tags(tags, faults);
    }
    if let Some(data) = &changes.column_data {
        let known = faults.len();
        text::fit(data, &[], faults);
        after.column_data = text::custom_fields(&before.column_data, data.clone(), faults);
        for fault in faults.iter_mut().skip(known) {
            fault.pointer = fault.pointer.replacen("/customFields", "/columnData", 1);
        }
    }
    after
}

/// Which fields differ.
#[must_use]
pub fn differences(before: &Contact, after: &Contact) -> Vec<&'static str> {
    let differ = [
        ("displayName", before.display_name != after.display_name),
        ("email", before.email != after.email),
        ("phoneNumber", before.phone_number != after.phone_number),
        ("lifecycle", before.lifecycle != after.lifecycle),
        ("tags", before.tags != after.tags),
        ("columnData", before.column_data != after.column_data),
    ];
    differ.into_iter().filter(|(_, differ)| *differ).map(|(field, _)| field).collect()
}
