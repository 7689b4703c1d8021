//! Who a lead and its person are known by, kept in step when somebody corrects an e-mail address or a phone number.
//!
//! The old value is given up, so that whoever really has it is not taken for this lead. The new one is claimed where it
//! is free; where it names somebody else it goes on naming them.

use leadline_domain::time::Timestamp;
use leadline_store::{
    Error, Tx,
    capture::{Identity, IdentityKey},
    contacts,
    leads::{self, Details, Locked},
};
use uuid::Uuid;

use crate::{Actor, Engine};

/// One of the two things that people correct, before and after.
struct Correction<'a> {
    kind: &'static str,
    contact_kind: &'static str,
    old: Option<&'a str>,
    new: Option<&'a str>,
}

/// Brings identities and the contact in step with what was written to a lead.
pub(super) async fn follow(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    lead: &Locked,
    details: &Details,
) -> Result<(), Error> {
    let now = engine.clock.now();
    let corrections = [
        Correction {
            kind: "email",
            contact_kind: "contact_email",
            old: lead.email.as_deref(),
            new: details.email.as_deref(),
        },
        Correction {
            kind: "phone",
            contact_kind: "contact_phone",
            old: lead.phone.as_deref(),
            new: details.phone.as_deref(),
        },
    ];
    for correction in corrections.iter().filter(|correction| correction.old != correction.new) {
        let of_lead = (lead.project_id.0, correction.kind, lead.id.0);
        exchange(tx, engine, of_lead, (correction.old, correction.new), now).await?;
    }
    follow_contact(tx, engine, actor, lead, details, &corrections).await
}

/// What the person had in common with the lead stays in common. A person who had another address of their own keeps it.
async fn follow_contact(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    lead: &Locked,
    details: &Details,
    corrections: &[Correction<'_>; 2],
) -> Result<(), Error> {
    let now = engine.clock.now();
    let Some(mut contact) = contacts::lock(tx, actor.workspace, lead.contact_id).await? else { return Ok(()) };
    let before = (contact.display_name.clone(), contact.email.clone(), contact.phone_number.clone());
    if contact.display_name == lead.name {
        contact.display_name.clone_from(&details.name);
    }
    for (value, correction) in [&mut contact.email, &mut contact.phone_number].into_iter().zip(corrections) {
        let had_the_same = value.as_deref() == correction.old;
        if correction.old == correction.new || !had_the_same {
            continue;
        }
        *value = correction.new.map(str::to_owned);
        let of_contact = (actor.workspace.0, correction.contact_kind, contact.id.0);
        exchange(tx, engine, of_contact, (correction.old, correction.new), now).await?;
    }
    let after = (contact.display_name.clone(), contact.email.clone(), contact.phone_number.clone());
    if before == after {
        return Ok(());
    }
    contacts::update(tx, actor.workspace, &contact, now).await
}

pub(super) async fn exchange(
    tx: &mut Tx,
    engine: &Engine,
    (scope, kind, subject): (Uuid, &'static str, Uuid),
    (old, new): (Option<&str>, Option<&str>),
    now: Timestamp,
) -> Result<(), Error> {
    let key = |value: &str| IdentityKey(engine.keys.identity(scope, kind, value));
    if let Some(old) = old {
        leads::release_identities(tx, &[key(old)], subject).await?;
    }
    let claimed = new.map(|new| Identity { key: key(new), kind, subject_id: subject, seen_at: now.0 });
    match claimed {
        Some(claimed) => leads::claim_free_identities(tx, &[claimed]).await,
        None => Ok(()),
    }
}
