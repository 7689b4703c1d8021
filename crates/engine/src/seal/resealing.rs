//! Moving everything that is sealed to the newest key.
//!
//! It can be cut off at any moment and begun again: what the newest key opens is passed over. The key from before may be
//! dropped only when this came to its end.

use leadline_domain::ids::SealedRowId;
use leadline_store::{
    Error, Store,
    sealed::{self, Held, PLACES, Place, Shape},
};
use serde_json::Value;

use super::{Keys, Unsealable};

/// Rows in one transaction.
const AT_ONCE: i64 = 100;

/// What was done.
#[derive(Debug, Default)]
pub struct Resealed {
    /// How many rows have got something in place of what they had.
    pub rows: u64,
    /// Rows with something that none of the keys opens. They are left as they were.
    pub unsealable: Vec<(Place, SealedRowId)>,
}

/// Seals everything with the newest key that is sealed with the one before.
///
/// # Errors
/// Where the store fails; what was moved before that stays moved.
pub async fn reseal(store: &Store, keys: &Keys) -> Result<Resealed, Error> {
    let mut done = Resealed::default();
    for place in PLACES {
        let mut after = sealed::beginning();
        while let Some(last) = reseal_few(store, keys, place, after, &mut done).await? {
            after = last;
        }
    }
    Ok(done)
}

/// One transaction's worth of rows. Gives the last of them; nothing, where there was none left.
async fn reseal_few(
    store: &Store,
    keys: &Keys,
    place: Place,
    after: SealedRowId,
    done: &mut Resealed,
) -> Result<Option<SealedRowId>, Error> {
    let mut tx = store.begin().await?;
    let rows = sealed::list(&mut tx, place, after, AT_ONCE).await?;
    let last = rows.last().map(|row| row.id);
    let mut moved = Vec::new();
    for Held { id, held } in rows {
        let mut after = held.clone();
        let opened = reseal_held(keys, place, &mut after);
        if opened.is_err() {
            done.unsealable.push((place, id));
        }
        if after != held {
            moved.push(Held { id, held: after });
        }
    }
    done.rows += sealed::replace(&mut tx, place, &moved).await?;
    tx.commit().await?;
    Ok(last)
}

/// Moves what can be opened, whatever else in the row cannot.
fn reseal_held(keys: &Keys, place: Place, held: &mut Value) -> Result<(), Unsealable> {
    match place.shape {
        Shape::Text => reseal_text(keys, held),
        Shape::Members(names) => names
            .iter()
            .map(|name| {
                held.get_mut(name).filter(|held| held.is_string()).map_or(Ok(()), |held| reseal_text(keys, held))
            })
            .fold(Ok(()), Result::and),
    }
}

fn reseal_text(keys: &Keys, held: &mut Value) -> Result<(), Unsealable> {
    let text = held.as_str().ok_or(Unsealable)?;
    if let Some(moved) = keys.reseal(text)? {
        *held = Value::String(moved);
    }
    Ok(())
}
