//! Work that is done once for all nodes, now and then: when it was done last, and what it remembers.

use leadline_domain::time::Timestamp;
use serde_json::Value;

use crate::sql::{Error, Reader, Tx, params};

/// When something was done last, and what it remembers of it.
#[derive(Debug, Clone)]
pub struct Schedule {
    /// When it was done last; nothing, where it never was.
    pub ran_at: Option<Timestamp>,
    /// What it remembers.
    pub state: Value,
}

/// Takes a turn at something that is due again after `period_ms`. Nobody else does it until the transaction ends;
/// nothing, where it is not due or somebody else is at it.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx, name: &str, period_ms: i64, now: Timestamp) -> Result<Option<Schedule>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT ran_at, {state} AS state FROM schedules WHERE name = $1 {lock}",
        state = dialect.json_text("state"),
        lock = dialect.skip_locked(),
    );
    let Some(row) = tx.query_one(&sql, &params![name]).await? else { return Ok(None) };
    let ran_at: Timestamp = row.get("ran_at")?;
    // A time to come means that the clock was put back.
    let was_done_lately = now.ms_since(ran_at) < period_ms && ran_at <= now;
    if was_done_lately {
        return Ok(None);
    }
    tx.execute("UPDATE schedules SET ran_at = $2 WHERE name = $1", &params![name, now]).await?;
    Ok(Some(Schedule { ran_at: (ran_at.0 > 0).then_some(ran_at), state: row.json("state")? }))
}

/// Keeps what something remembers.
///
/// # Errors
/// Where the database fails.
pub async fn remember(tx: &mut Tx, name: &str, state: &Value) -> Result<(), Error> {
    let sql = format!("UPDATE schedules SET state = {} WHERE name = $1", tx.dialect().json(2));
    tx.execute(&sql, &params![name, *state]).await.map(drop)
}

/// What something remembers.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, name: &str) -> Result<Option<Value>, Error> {
    let sql = format!("SELECT {} AS state FROM schedules WHERE name = $1", reader.dialect().json_text("state"));
    reader.query_one(&sql, &params![name]).await?.map(|row| row.json("state")).transpose()
}
