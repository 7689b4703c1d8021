//! The secret before the newest, which signs beside it until its time is up.

use leadline_domain::time::Timestamp;

use super::Destination;
use crate::sql::{Error, Row, Tx, params};

/// A signing secret on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The secret, sealed.
    pub sealed: String,
    /// Until when it signs.
    pub until: Timestamp,
}

/// Writes the previous secret of a destination as it is now, or wipes it where there is none.
///
/// # Errors
/// Where the database fails.
pub async fn write_previous(tx: &mut Tx, destination: &Destination) -> Result<(), Error> {
    let (sealed, until) = match &destination.previous_secret {
        Some(previous) => (Some(previous.sealed.as_str()), Some(previous.until)),
        None => (None, None),
    };
    let sql = "UPDATE destinations SET previous_secret_sealed = $3, previous_secret_until = $4
               WHERE id = $1 AND workspace_id = $2";
    tx.execute(sql, &params![destination.id, destination.workspace_id, sealed, until]).await.map(drop)
}

/// Wipes the previous secrets whose time is up, of all workspaces. It reads the table, which is a small one.
///
/// # Errors
/// Where the database fails.
pub async fn wipe_previous(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    let sql = "UPDATE destinations SET previous_secret_sealed = NULL, previous_secret_until = NULL
               WHERE previous_secret_until <= $1";
    tx.execute(sql, &params![now]).await
}

pub(super) fn read_previous(row: &Row) -> Result<Option<PreviousSecret>, Error> {
    let sealed: Option<String> = row.get("previous_secret_sealed")?;
    let until: Option<Timestamp> = row.get("previous_secret_until")?;
    Ok(sealed.zip(until).map(|(sealed, until)| PreviousSecret { sealed, until }))
}
