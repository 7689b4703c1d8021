//! One row for the installation: how to tell whether a key is the one that this database was written with.

use leadline_domain::{ids::SealedRowId, time::Timestamp};
use uuid::Uuid;

use crate::sql::{Error, Reader, Row, Tx, params};

/// The one row. Not zero, after which lists of sealed rows begin.
const ONE: SealedRowId = SealedRowId(Uuid::from_u128(1));

const FIND: &str = "SELECT check_sealed, identity_check FROM installation WHERE id = $1";

/// What only the right keys make of known texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// A known text, sealed.
    pub sealed: String,
    /// The keyed hash of a known text.
    pub identity: String,
}

/// Finds the check; none in a database that was never served.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader) -> Result<Option<Check>, Error> {
    reader.query_one(FIND, &params![ONE]).await?.as_ref().map(read).transpose()
}

/// Keeps the check, unless another node kept one before, and gives what is kept.
///
/// # Errors
/// Where the database fails.
pub async fn keep(tx: &mut Tx, check: &Check, now: Timestamp) -> Result<Check, Error> {
    let sql = "INSERT INTO installation (id, check_sealed, identity_check, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (id) DO NOTHING";
    tx.execute(sql, &params![ONE, check.sealed, check.identity, now]).await?;
    let row = tx.query_one(FIND, &params![ONE]).await?;
    read(&row.ok_or_else(|| Error::Column { column: "check_sealed".to_owned() })?)
}

fn read(row: &Row) -> Result<Check, Error> {
    Ok(Check { sealed: row.get("check_sealed")?, identity: row.get("identity_check")? })
}
