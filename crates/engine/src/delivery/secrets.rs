//! What signs a destination's requests: its secret, and for a while the one before.
//!
//! Somebody who renews a secret can let the old one sign beside the new one, so that no receiver refuses anything until
//! it was told. When that time is up, the old secret is not used any more, leaves memory, and is wiped from the row at
//! the next change or by retention.

use leadline_domain::{
    ids::DestinationId,
    time::{HOUR_MS, Timestamp},
};
use leadline_outbound::Secret;
use leadline_store::destinations::{self, Destination, PreviousSecret};
use serde_json::json;

use super::destinations::{DestinationError, Refused, WithSecret, store_change};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
    seal::{Keys, Unsealable},
};

/// The longest overlap: whoever needs more than a week has forgotten it.
const LONGEST_OVERLAP_HOURS: i64 = 7 * 24;

/// Open secrets. They live in memory only.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    /// The newest first; at most one more.
    open: Vec<Secret>,
    /// Until when all but the newest sign.
    overlap_until: Option<Timestamp>,
}

impl Secrets {
    /// Opens what was sealed, the previous secret as long as it signs.
    pub(super) fn open(destination: &Destination, keys: &Keys, now: Timestamp) -> Result<Self, Unsealable> {
        let parse = |sealed: &str| Secret::parse(&keys.open(sealed)?).map_err(|_| Unsealable);
        let mut open = vec![parse(&destination.secret_sealed)?];
        let previous = destination.previous_secret.as_ref().filter(|previous| now < previous.until);
        if let Some(previous) = previous {
            open.push(parse(&previous.sealed)?);
        }
        Ok(Self { open, overlap_until: previous.map(|previous| previous.until) })
    }

    /// All of them, whether they still sign or not.
    pub(super) fn all(&self) -> &[Secret] {
        &self.open
    }

    /// What signs at this time, the newest first.
    pub(super) fn at(&self, now: Timestamp) -> &[Secret] {
        let is_over = self.overlap_until.is_some_and(|until| until <= now);
        if is_over { &self.open[..1] } else { &self.open }
    }

    /// The newest alone, where the time of another is up.
    pub(super) fn after_overlap(&self, now: Timestamp) -> Option<Self> {
        let is_over = self.overlap_until.is_some_and(|until| until <= now);
        is_over.then(|| Self { open: self.open[..1].to_vec(), overlap_until: None })
    }
}

/// Gives a destination a new secret. The old one signs beside it for `overlap_hours`; with 0 it is worth nothing from
/// now on, and neither is one from a rotation before.
///
/// # Errors
/// Where it is not there, the overlap is too long, or the store fails.
pub async fn regenerate_secret(
    engine: &Engine,
    actor: &Actor,
    id: DestinationId,
    overlap_hours: i64,
) -> Result<WithSecret, DestinationError> {
    if !(0..=LONGEST_OVERLAP_HOURS).contains(&overlap_hours) {
        let message = format!("must be 0 to {LONGEST_OVERLAP_HOURS} hours");
        let refused = Refused { pointer: "/overlapHours".to_owned(), code: "invalid_overlap", message };
        return Err(DestinationError::Refused(vec![refused]));
    }
    let secret = Secret::from_random(random_bytes());
    let mut tx = engine.store.begin().await?;
    let found = destinations::lock(&mut tx, actor.workspace, id).await?;
    let mut destination = found.ok_or(DestinationError::NotFound)?;
    let until = engine.clock.now().plus_ms(overlap_hours * HOUR_MS);
    let replaced = std::mem::replace(&mut destination.secret_sealed, engine.keys.seal(&secret.reveal()));
    destination.previous_secret = (overlap_hours > 0).then_some(PreviousSecret { sealed: replaced, until });
    destination.secret_last4 = secret.last4();
    let deed = Deed::new("destination.secret_renewed", id, &destination.name);
    let deed = deed.with(json!({ "overlapHours": overlap_hours }));
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    let destination = store_change(engine, tx, destination).await?;
    Ok(WithSecret { destination, secret: secret.reveal() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delivery::tests;

    const UNTIL: Timestamp = Timestamp(1_000);

    fn renewed(keys: &Keys) -> Destination {
        let sealed = |byte: u8| keys.seal(&Secret::from_random([byte; 32]).reveal());
        Destination {
            secret_sealed: sealed(2),
            previous_secret: Some(PreviousSecret { sealed: sealed(1), until: UNTIL }),
            ..tests::destination(1, 1, &[], None)
        }
    }

    #[test]
    fn both_secrets_sign_until_the_overlap_is_over_and_the_newest_alone_from_then_on() {
        let keys = Keys::derive(&[7; 32]);
        let secrets = Secrets::open(&renewed(&keys), &keys, Timestamp(0)).expect("opened");
        let [newest, previous] = [2, 1].map(|byte| Secret::from_random([byte; 32]));

        assert_eq!(secrets.at(Timestamp(999)), [newest.clone(), previous]);
        assert_eq!(secrets.at(UNTIL), [newest]);
    }

    #[test]
    fn a_secret_whose_time_is_up_leaves_memory_and_is_not_opened_again() {
        let keys = Keys::derive(&[7; 32]);
        let secrets = Secrets::open(&renewed(&keys), &keys, Timestamp(0)).expect("opened");

        let later = Secrets::open(&renewed(&keys), &keys, UNTIL).expect("opened");
        let after = secrets.after_overlap(UNTIL).expect("another");

        assert!(secrets.after_overlap(Timestamp(999)).is_none() && after.after_overlap(UNTIL).is_none());
        assert_eq!((later.open.len(), after.open.len()), (1, 1));
    }
}
