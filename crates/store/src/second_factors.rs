//! Second factors: what an app on somebody's phone computes codes from, sealed, and hashes of their recovery codes.

use leadline_domain::{ids::UserId, time::Timestamp};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Tx, params},
};

/// Somebody's second factor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// What codes are computed from, sealed.
    pub secret_sealed: String,
    /// The step of the last code that was accepted; none up to it is accepted again.
    pub last_step: i64,
    /// When the first code was entered. Until then nobody is asked for one.
    pub confirmed_at: Option<Timestamp>,
}

/// The second factor of a user, confirmed or not.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, user: UserId) -> Result<Option<SecondFactor>, Error> {
    let sql = "SELECT secret_sealed, last_step, confirmed_at FROM second_factors WHERE user_id = $1";
    let Some(row) = reader.query_one(sql, &params![user]).await? else { return Ok(None) };
    Ok(Some(SecondFactor {
        secret_sealed: row.get("secret_sealed")?,
        last_step: row.get("last_step")?,
        confirmed_at: row.get("confirmed_at")?,
    }))
}

/// Begins with a new secret, which counts once it is confirmed. False where one is confirmed already.
///
/// # Errors
/// Where the database fails.
pub async fn begin(tx: &mut Tx, user: UserId, secret_sealed: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "INSERT INTO second_factors (user_id, secret_sealed, last_step, created_at) VALUES ($1, $2, 0, $3)
               ON CONFLICT (user_id) DO UPDATE SET secret_sealed = EXCLUDED.secret_sealed, last_step = 0,
                   created_at = EXCLUDED.created_at
               WHERE second_factors.confirmed_at IS NULL";
    Ok(tx.execute(sql, &params![user, secret_sealed, now]).await? == 1)
}

/// Confirms a secret by its first code. False where another secret took its place, or it is confirmed already.
///
/// # Errors
/// Where the database fails.
pub async fn confirm(tx: &mut Tx, user: UserId, secret_sealed: &str, step: i64, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE second_factors SET confirmed_at = $4, last_step = $3
               WHERE user_id = $1 AND secret_sealed = $2 AND confirmed_at IS NULL";
    Ok(tx.execute(sql, &params![user, secret_sealed, step, now]).await? == 1)
}

/// Uses a step up. False where it, or a later one, was used before: of two who send one code, one comes in.
///
/// # Errors
/// Where the database fails.
pub async fn use_step(tx: &mut Tx, user: UserId, step: i64) -> Result<bool, Error> {
    let sql = "UPDATE second_factors SET last_step = $2
               WHERE user_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL";
    Ok(tx.execute(sql, &params![user, step]).await? == 1)
}

/// Uses a recovery code up. False where there is none with this hash, or it was used before.
///
/// # Errors
/// Where the database fails.
pub async fn use_recovery_code(tx: &mut Tx, user: UserId, code_hash: &[u8], now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE recovery_codes SET used_at = $3 WHERE user_id = $1 AND code_hash = $2 AND used_at IS NULL";
    Ok(tx.execute(sql, &params![user, code_hash.to_vec(), now]).await? == 1)
}

#[derive(Serialize)]
struct Code {
    user_id: UserId,
    code_hash: String,
}

const CODE_COLUMNS: Columns = &[("user_id", Kind::Id), ("code_hash", Kind::Bytes)];

/// Puts recovery codes in place of all that a user has.
///
/// # Errors
/// Where the database fails.
pub async fn replace_recovery_codes(tx: &mut Tx, user: UserId, hashes: &[[u8; 32]]) -> Result<(), Error> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &params![user]).await?;
    let hex = |hash: &[u8; 32]| hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let codes: Vec<Code> = hashes.iter().map(|hash| Code { user_id: user, code_hash: hex(hash) }).collect();
    tx.insert_set("recovery_codes", CODE_COLUMNS, &codes, "").await.map(drop)
}

/// How many recovery codes a user has left.
///
/// # Errors
/// Where the database fails.
pub async fn count_recovery_codes(reader: &Reader, user: UserId) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) AS n FROM recovery_codes WHERE user_id = $1 AND used_at IS NULL";
    reader.count(sql, &params![user]).await
}

/// Takes a user's second factor and recovery codes away, and tells whether there was one that counted.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, user: UserId) -> Result<bool, Error> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = $1", &params![user]).await?;
    let confirmed = "DELETE FROM second_factors WHERE user_id = $1 AND confirmed_at IS NOT NULL";
    let had_one = tx.execute(confirmed, &params![user]).await? == 1;
    tx.execute("DELETE FROM second_factors WHERE user_id = $1", &params![user]).await?;
    Ok(had_one)
}
