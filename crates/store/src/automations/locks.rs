//! The safety lock: who started an automation last, by keyed hashes of phone and e-mail. The hashes name nobody, and go
//! once the longest lock is over.

use leadline_domain::{ids::AutomationId, time::Timestamp};
use serde::Serialize;

use crate::{
    capture::IdentityKey,
    dialect::Kind,
    sql::{Columns, Error, Tx, json_set, params},
};

/// Somebody, as an automation knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The automation.
    pub automation: AutomationId,
    /// A phone number or an e-mail address.
    pub key: IdentityKey,
}

#[derive(Serialize)]
struct LockRow {
    automation_id: AutomationId,
    key: IdentityKey,
    taken_at: i64,
}

const COLUMNS: Columns = &[("automation_id", Kind::Id), ("key", Kind::Bytes), ("taken_at", Kind::Integer)];

fn row(key: &Key, taken_at: i64) -> LockRow {
    LockRow { automation_id: key.automation, key: key.key, taken_at }
}

/// When each of these started its automation last; 0 for never. Nobody else starts it for them until the transaction
/// ends. `keys` come in order, so that two nodes never wait for each other.
///
/// # Errors
/// Where the database fails.
pub async fn hold(tx: &mut Tx, keys: &[Key]) -> Result<Vec<(Key, Timestamp)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let rows: Vec<LockRow> = keys.iter().map(|key| row(key, 0)).collect();
    // A row that is not there cannot be locked: two nodes would both find nothing.
    tx.insert_set("automation_locks", COLUMNS, &rows, "ON CONFLICT (automation_id, key) DO NOTHING").await?;
    let sql = format!(
        "SELECT l.automation_id, l.key, l.taken_at FROM {set} JOIN automation_locks AS l
         ON l.automation_id = r.automation_id AND l.key = r.key ORDER BY l.automation_id, l.key {lock}",
        set = dialect.set(1, COLUMNS),
        lock = if dialect.for_update().is_empty() { "" } else { "FOR UPDATE OF l" },
    );
    tx.query(&sql, &[json_set(&rows)])
        .await?
        .iter()
        .map(|row| {
            let key = Key { automation: row.get("automation_id")?, key: IdentityKey::read(row, "key")? };
            Ok((key, row.get("taken_at")?))
        })
        .collect()
}

/// Notes that these started their automations, where they are held.
///
/// # Errors
/// Where the database fails.
pub async fn take(tx: &mut Tx, keys: &[Key], now: Timestamp) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows: Vec<LockRow> = keys.iter().map(|key| row(key, now.0)).collect();
    let sql = format!(
        "UPDATE automation_locks SET taken_at = r.taken_at FROM {}
         WHERE automation_locks.automation_id = r.automation_id AND automation_locks.key = r.key",
        tx.dialect().set(1, COLUMNS)
    );
    tx.execute(&sql, &[json_set(&rows)]).await.map(drop)
}

/// Forgets who started something before `before`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_before(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    // By `automation_locks_by_age`.
    let sql = "DELETE FROM automation_locks WHERE (automation_id, key) IN
               (SELECT automation_id, key FROM automation_locks WHERE taken_at < $1 ORDER BY taken_at LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}
