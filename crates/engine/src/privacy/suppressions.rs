//! Who must not be written to, whatever somebody plans.

use leadline_domain::{emails::Email, ids::SuppressionId, phones::Phone};
use leadline_store::{
    Error, Tx,
    capture::IdentityKey,
    suppressions::{self as stored, Suppression},
};
use serde_json::json;

use super::{PrivacyError, email_key, phone_key};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// The longest note, in characters.
const NOTE_MAX_CHARS: usize = 200;

/// Whom somebody puts into the list.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// An e-mail address.
    pub email: Option<String>,
    /// A phone number with its calling code.
    pub phone: Option<String>,
    /// Why, in a few words.
    pub note: Option<String>,
}

/// Puts an address or a number into the list. Only a keyed hash of it is kept.
///
/// # Errors
/// Where it is neither, or is in the list already.
pub async fn add(engine: &Engine, actor: &Actor, wish: &Wish) -> Result<Suppression, PrivacyError> {
    let note = wish.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    if note.is_some_and(|note| note.chars().count() > NOTE_MAX_CHARS || note.chars().any(char::is_control)) {
        return Err(PrivacyError::Invalid("/note", "has at most 200 characters and no line breaks"));
    }
    let said =
        |text: &Option<String>| text.as_deref().map(str::trim).map(str::to_owned).filter(|text| !text.is_empty());
    let (kind, key) = match (said(&wish.email), said(&wish.phone)) {
        (Some(email), None) => {
            let wrong = PrivacyError::Invalid("/email", "is no e-mail address");
            let email = Email::parse(&email).ok_or(wrong)?;
            ("email", email_key(&engine.keys, actor.workspace, &email.canonical))
        }
        (None, Some(phone)) => {
            let wrong =
                PrivacyError::Invalid("/phone", "is no phone number with its calling code, such as +44 20 7946 0001");
            let phone = Phone::parse(&phone, None, None).ok_or(wrong)?;
            ("phone", Some(phone_key(&engine.keys, actor.workspace, &phone.e164)))
        }
        (None, None) | (Some(_), Some(_)) => {
            return Err(PrivacyError::Invalid("/email", "or a phone number is needed, and not both"));
        }
    };
    let key = key.ok_or(PrivacyError::Invalid("/email", "is no e-mail address"))?;
    let mut tx = engine.store.begin().await?;
    let added = insert(&mut tx, engine, actor, (kind, key), ("asked", note)).await?;
    let added = added.ok_or(PrivacyError::AlreadySo)?;
    let deed = Deed::new("suppression.added", added.id, "").with(json!({"kind": kind}));
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await?;
    Ok(added)
}

/// Takes an entry out of the list.
///
/// # Errors
/// Where there is none.
pub async fn remove(engine: &Engine, actor: &Actor, id: SuppressionId) -> Result<(), PrivacyError> {
    let mut tx = engine.store.begin().await?;
    let removed = stored::remove(&mut tx, actor.workspace, id).await?.ok_or(PrivacyError::NotFound)?;
    let deed = Deed::new("suppression.removed", id, "").with(json!({"kind": removed.kind, "reason": removed.reason}));
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    Ok(tx.commit().await?)
}

/// Adds an entry, unless it is there; gives it where it was not.
pub(super) async fn insert(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    (kind, key): (&str, IdentityKey),
    (reason, note): (&str, Option<&str>),
) -> Result<Option<Suppression>, Error> {
    let now = engine.clock.now();
    let new = Suppression {
        id: SuppressionId::new(now, random_bytes()),
        key,
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        note: note.map(str::to_owned),
        added_by: actor.name.clone(),
        added_at: now,
    };
    let is_new = stored::add(tx, actor.workspace, &new).await?;
    Ok(is_new.then_some(new))
}
