//! The privacy desk: erasing a person everywhere, who must not be written to, and what people agreed to.
//!
//! Erasing is a job ([`erase`]): it goes through every table by the list that the store keeps of them, and through what
//! lies elsewhere. The list of those who must not be written to ([`suppressions`]) knows keyed hashes alone, so that it
//! survives an erasure; [`consents`] go with their leads.

pub mod consents;
pub mod erase;
mod named;
pub mod suppressions;

use leadline_domain::{
    emails::Email,
    ids::{ContactId, LeadId, WorkspaceId},
    permissions::Permission,
    time::{DAY_MS, Timestamp},
};
use leadline_store::{
    Error,
    capture::IdentityKey,
    privacy::{
        person::{self, Person},
        rows,
    },
};
use serde_json::json;

use crate::{
    Actor, Engine,
    audit::{self, Deed},
    jobs::{self, AskError, Job, NewJob},
    seal::Keys,
};

/// What somebody needs to erase a person.
pub const PERMISSION: Permission = Permission::SettingsManage;

/// So long it is remembered who was erased: longer than anything waits in a spool while somebody looks after it.
const REMEMBERED_MS: i64 = 90 * DAY_MS;

/// Whom somebody means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// A contact.
    Contact(ContactId),
    /// The contact of a lead.
    Lead(LeadId),
}

/// Why something was not done at the privacy desk.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// There is no such thing in the workspace.
    #[error("there is no such person, entry or consent")]
    NotFound,
    /// It cannot be so: where, and what is wrong with it.
    #[error("{0} {1}")]
    Invalid(&'static str, &'static str),
    /// It is so already.
    #[error("it is so already")]
    AlreadySo,
    /// The job was not begun.
    #[error(transparent)]
    Job(#[from] AskError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Begins to erase a person everywhere, and tells the job that does it. With `suppress` nobody is to write to them, as
/// far as they are known by an address or a number.
///
/// # Errors
/// Where there is no such person, or too many jobs go on.
pub async fn ask(engine: &Engine, actor: &Actor, whom: Whom, suppress: bool) -> Result<Job, PrivacyError> {
    let reader = engine.store.reader();
    let now = engine.clock.now();
    let contact = contact_of(engine, actor.workspace, whom).await?;
    let found = person::find(&reader, actor.workspace, contact, now).await?;
    let reached = reached_by(&engine.keys, actor.workspace, &found);
    let keys: Vec<IdentityKey> = reached.iter().map(|(_, key)| *key).collect();
    let mut tx = engine.store.begin().await?;
    rows::note_erased(&mut tx, actor.workspace, &keys, now).await?;
    if suppress {
        for (kind, key) in reached {
            suppressions::insert(&mut tx, engine, actor, (kind, key), ("erased", None)).await?;
        }
    }
    let job = NewJob {
        kind: erase::KIND,
        params: json!({"contactId": contact}),
        about: json!({"contactId": contact, "suppressed": suppress}),
        total: erase::PHASES,
    };
    let job = jobs::ask(engine, &mut tx, actor, job).await?;
    let deed = Deed::new("person.erased", contact, "");
    let deed = deed.with(json!({"leads": found.leads.len(), "suppressed": suppress, "jobId": job.id}));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    jobs::wake(engine);
    Ok(job)
}

/// The contact that somebody means.
///
/// # Errors
/// Where there is none.
pub async fn contact_of(engine: &Engine, workspace: WorkspaceId, whom: Whom) -> Result<ContactId, PrivacyError> {
    let reader = engine.store.reader();
    let contact = match whom {
        Whom::Contact(contact) => Some(contact),
        Whom::Lead(lead) => person::contact_of(&reader, workspace, lead).await?,
    };
    let contact = contact.ok_or(PrivacyError::NotFound)?;
    if person::is_there(&reader, workspace, contact).await? { Ok(contact) } else { Err(PrivacyError::NotFound) }
}

/// Writes down that somebody looked at what is held of a person, or took it along.
///
/// # Errors
/// Where the database fails.
pub async fn note_look(engine: &Engine, actor: &Actor, contact: ContactId, action: &'static str) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    audit::record(&mut tx, engine.clock.now(), actor, Deed::new(action, contact, "")).await?;
    tx.commit().await
}

/// Under which keys somebody must not be written to: of each address and number of theirs.
#[must_use]
pub fn reached_by(keys: &Keys, workspace: WorkspaceId, person: &Person) -> Vec<(&'static str, IdentityKey)> {
    let of_contacts = person.reached_by.iter().map(|(email, phone)| (email.as_deref(), phone.as_deref()));
    let of_leads = person.leads.iter().map(|lead| (lead.email.as_deref(), lead.phone.as_deref()));
    let mut found = Vec::new();
    for (email, phone) in of_contacts.chain(of_leads) {
        found.extend(email.and_then(|email| email_key(keys, workspace, email)).map(|key| ("email", key)));
        found.extend(phone.map(|phone| ("phone", phone_key(keys, workspace, phone))));
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The key of an e-mail address, where it is one.
#[must_use]
pub fn email_key(keys: &Keys, workspace: WorkspaceId, email: &str) -> Option<IdentityKey> {
    let email = Email::parse(email)?;
    Some(IdentityKey(keys.identity(workspace.0, "contact_email", &email.canonical)))
}

/// The key of a number in E.164.
#[must_use]
pub fn phone_key(keys: &Keys, workspace: WorkspaceId, e164: &str) -> IdentityKey {
    IdentityKey(keys.identity(workspace.0, "contact_phone", e164))
}

/// Forgets who was erased long ago.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn retain(engine: &Engine, now: Timestamp) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    rows::forget_erased(&mut tx, now.plus_ms(-REMEMBERED_MS)).await?;
    tx.commit().await
}
