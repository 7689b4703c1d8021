//! What each destination was sent, by the hour: counts that are kept up in the transaction that records results, so that
//! how a destination fares is read from a few rows and not from its deliveries.

use leadline_domain::{
    durations::{BUCKETS, Histogram},
    ids::{DestinationId, WorkspaceId},
    time::Timestamp,
};
use serde_json::{Map, Value, json};

use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set, params},
};

/// What came of the attempts of one hour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hour {
    /// To whom.
    pub destination_id: DestinationId,
    /// When the hour began.
    pub hour: Timestamp,
    /// Whose destination.
    pub workspace_id: WorkspaceId,
    /// Attempts that arrived.
    pub delivered: i64,
    /// Attempts that did not.
    pub failed: i64,
    /// How long they took.
    pub durations: Histogram,
    /// The last one.
    pub last: Last,
    /// The last that failed: when, and what was wrong.
    pub failure: Option<(Timestamp, String)>,
}

/// What came of the last attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `destination_hours` under their own names")]
pub struct Last {
    pub at: Timestamp,
    pub status: Option<i64>,
    pub error: Option<String>,
}

const COLUMNS: Columns = &[
    ("destination_id", Kind::Id),
    ("hour", Kind::Integer),
    ("workspace_id", Kind::Id),
    ("delivered", Kind::Integer),
    ("failed", Kind::Integer),
    ("b0", Kind::Integer),
    ("b1", Kind::Integer),
    ("b2", Kind::Integer),
    ("b3", Kind::Integer),
    ("b4", Kind::Integer),
    ("b5", Kind::Integer),
    ("b6", Kind::Integer),
    ("b7", Kind::Integer),
    ("b8", Kind::Integer),
    ("b9", Kind::Integer),
    ("b10", Kind::Integer),
    ("b11", Kind::Integer),
    ("b12", Kind::Integer),
    ("b13", Kind::Integer),
    ("b14", Kind::Integer),
    ("b15", Kind::Integer),
    ("last_at", Kind::Integer),
    ("last_status", Kind::Integer),
    ("last_error", Kind::Text),
    ("failed_at", Kind::Integer),
    ("failure", Kind::Text),
];

/// Adds to the counts. The rows must be in one order on every node, since each is locked until the commit.
///
/// # Errors
/// Where the database fails.
pub async fn add(tx: &mut Tx, hours: &[Hour]) -> Result<(), Error> {
    if hours.is_empty() {
        return Ok(());
    }
    let rows: Vec<Value> = hours.iter().map(as_row).collect();
    let sums = COLUMNS.iter().map(|(name, _)| *name).filter(|name| is_count(name));
    let sums: Vec<String> = sums.map(|name| format!("{name} = destination_hours.{name} + excluded.{name}")).collect();
    // Of two nodes the one that commits last need not be the one that asked last.
    let newer = |name: &str| {
        format!(
            "{name} = CASE WHEN excluded.last_at >= destination_hours.last_at THEN excluded.{name}
                           ELSE destination_hours.{name} END"
        )
    };
    let conflict = format!(
        "ON CONFLICT (destination_id, hour) DO UPDATE SET {sums}, {at}, {status}, {error},
             failed_at = coalesce(excluded.failed_at, destination_hours.failed_at),
             failure = coalesce(excluded.failure, destination_hours.failure)",
        sums = sums.join(", "),
        at = newer("last_at"),
        status = newer("last_status"),
        error = newer("last_error"),
    );
    tx.insert_set("destination_hours", COLUMNS, &rows, &conflict).await.map(drop)
}

fn is_count(name: &str) -> bool {
    name == "delivered" || name == "failed" || name.strip_prefix('b').is_some_and(|n| n.parse::<usize>().is_ok())
}

fn as_row(hour: &Hour) -> Value {
    let (failed_at, failure) = hour.failure.clone().unzip();
    let mut row: Map<String, Value> =
        hour.durations.iter().enumerate().map(|(n, count)| (format!("b{n}"), json!(count))).collect();
    let rest = json!({
        "destination_id": hour.destination_id, "hour": hour.hour.0, "workspace_id": hour.workspace_id,
        "delivered": hour.delivered, "failed": hour.failed, "last_at": hour.last.at.0,
        "last_status": hour.last.status, "last_error": hour.last.error,
        "failed_at": failed_at.map(|at| at.0), "failure": failure,
    });
    if let Value::Object(rest) = rest {
        row.extend(rest);
    }
    Value::Object(row)
}

/// The hours of these destinations from `since` on, and the newest of each however old it is, the oldest first. Both by
/// the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[DestinationId],
    since: Timestamp,
) -> Result<Vec<Hour>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let buckets: Vec<String> = (0..BUCKETS).map(|n| format!("h.b{n}")).collect();
    let sql = format!(
        "SELECT h.destination_id, h.hour, h.workspace_id, h.delivered, h.failed, {buckets}, h.last_at, h.last_status,
             h.last_error, h.failed_at, h.failure
         FROM destination_hours AS h
         WHERE h.destination_id IN {list} AND h.workspace_id = $2
           AND (h.hour >= $3 OR h.hour = (SELECT max(m.hour) FROM destination_hours AS m
                                          WHERE m.destination_id = h.destination_id))
         ORDER BY h.destination_id, h.hour",
        buckets = buckets.join(", "),
        list = reader.dialect().id_list(1),
    );
    let rows = reader.query(&sql, &[json_set(ids), workspace.param(), since.param()]).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Hour, Error> {
    let mut durations = [0; BUCKETS];
    for (n, count) in durations.iter_mut().enumerate() {
        *count = row.get(&format!("b{n}"))?;
    }
    let failed_at: Option<Timestamp> = row.get("failed_at")?;
    Ok(Hour {
        destination_id: row.get("destination_id")?,
        hour: row.get("hour")?,
        workspace_id: row.get("workspace_id")?,
        delivered: row.get("delivered")?,
        failed: row.get("failed")?,
        durations,
        last: Last { at: row.get("last_at")?, status: row.get("last_status")?, error: row.get("last_error")? },
        failure: failed_at.zip(row.get("failure")?),
    })
}

/// Deletes hours from before `before`, some at a time, and tells how many. There are few: 24 for each destination and
/// day.
///
/// # Errors
/// Where the database fails.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM destination_hours WHERE (destination_id, hour) IN
                   (SELECT destination_id, hour FROM destination_hours WHERE hour < $1 LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}
