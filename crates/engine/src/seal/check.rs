//! Whether keys are those that a database was written with.
//!
//! With other keys everything would seem to work, and nobody would be recognised and nothing that is sealed opened.
//! So the first start leaves a known text in the database, sealed, and the hash of another; every later start looks
//! whether it makes the same of them. A database from before there was such a check is known by what is sealed in it.

use leadline_domain::{ids::SealedRowId, time::Timestamp};
use leadline_store::{
    Error, Store, Tx,
    installation::{self, Check},
    sealed::{self, Held, Place},
};
use uuid::Uuid;

use super::Keys;

/// What is sealed.
const KNOWN: &str = "leadline";

/// Rows read at once.
const AT_ONCE: i64 = 200;

/// Why the keys are not used with this database.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefused {
    /// Neither of them fits.
    #[error("this is not the key that the database was written with")]
    Other,
    /// The database knows the identity key and not the sealing key: one of the two is from before a rotation.
    #[error("this key and the database are not of the same time: one of them is from before a rotation of the key")]
    OfAnotherTime,
    /// The store failed.
    #[error("the store failed")]
    Internal(#[from] Error),
}

/// Makes sure that these are the keys of the database, and leaves what tells so in one that was never served.
///
/// # Errors
/// Where they are not, or the store fails.
pub async fn confirm(store: &Store, keys: &Keys, now: Timestamp) -> Result<(), KeyRefused> {
    if let Some(check) = installation::find(&store.reader()).await? {
        return fits(keys, &check);
    }
    let mut tx = store.begin().await?;
    if !opens_what_is_there(&mut tx, keys).await? {
        return Err(KeyRefused::Other);
    }
    let check = Check { sealed: keys.seal(KNOWN), identity: identity(keys) };
    // Of nodes that start together on an empty database the first decides.
    let kept = installation::keep(&mut tx, &check, now).await?;
    tx.commit().await?;
    fits(keys, &kept)
}

/// Whether these keys are those that a check was made with. Reads and writes nothing.
///
/// # Errors
/// Where they are not.
pub fn fits(keys: &Keys, check: &Check) -> Result<(), KeyRefused> {
    let knows_people = identity(keys) == check.identity;
    let opens = keys.open(&check.sealed).is_ok_and(|text| text == KNOWN);
    match (knows_people, opens) {
        (true, true) => Ok(()),
        (true, false) => Err(KeyRefused::OfAnotherTime),
        (false, _) => Err(KeyRefused::Other),
    }
}

/// Everything that is sealed and that these keys do not open, by its place and row. Changes nothing.
///
/// # Errors
/// Where the store fails.
pub async fn list_unopened(store: &Store, keys: &Keys) -> Result<Vec<(Place, SealedRowId)>, Error> {
    let mut tx = store.begin().await?;
    let mut unopened = Vec::new();
    for place in sealed::PLACES {
        let mut after = sealed::beginning();
        loop {
            let rows = sealed::list(&mut tx, place, after, AT_ONCE).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            let is_closed = |row: &&Held| place.texts(&row.held).into_iter().any(|text| keys.open(text).is_err());
            unopened.extend(rows.iter().filter(is_closed).map(|row| (place, row.id)));
        }
    }
    tx.rollback().await?;
    Ok(unopened)
}

fn identity(keys: &Keys) -> String {
    keys.identity(Uuid::nil(), "installation", KNOWN).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Whether the keys open anything of what is sealed, or nothing is. One value is enough: some may be older than a change
/// of the key that nobody was warned of.
async fn opens_what_is_there(tx: &mut Tx, keys: &Keys) -> Result<bool, Error> {
    let mut is_anything_sealed = false;
    for place in sealed::PLACES {
        let mut after = sealed::beginning();
        loop {
            let rows = sealed::list(tx, place, after, AT_ONCE).await?;
            let Some(last) = rows.last() else { break };
            after = last.id;
            for text in rows.iter().flat_map(|row| place.texts(&row.held)) {
                if keys.open(text).is_ok() {
                    return Ok(true);
                }
                is_anything_sealed = true;
            }
        }
    }
    Ok(!is_anything_sealed)
}
