//! Which destinations are left in peace for a while: columns of `destinations`, so that it outlives the process and all
//! nodes go by it. They are no part of a destination's version.

use leadline_domain::{
    breaker::{Breaker, Open},
    ids::{DestinationId, ProjectId, WorkspaceId},
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Row, Tx, json_set, params},
};

/// The columns that [`read`] wants.
pub(crate) const COLUMNS: &str = "breaker_failures, breaker_opened_at, breaker_probes, breaker_probe_at";

/// A destination's breaker, with what is told of it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `destinations` under their own names")]
pub struct Held {
    pub id: DestinationId,
    pub workspace_id: WorkspaceId,
    pub project_id: Option<ProjectId>,
    pub name: String,
    pub breaker: Breaker,
}

/// The breakers of `failing`, and those of `others` that have counted anything: the rest have nothing to forget. They are
/// kept from changing until the end of the transaction, in one order for all nodes.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, failing: &[DestinationId], others: &[DestinationId]) -> Result<Vec<Held>, Error> {
    let dialect = tx.dialect();
    // By the primary key.
    let sql = format!(
        "SELECT id, workspace_id, project_id, name, {COLUMNS} FROM destinations
         WHERE deleted_at IS NULL AND (id IN {failing}
               OR id IN {others} AND (breaker_failures > 0 OR breaker_opened_at IS NOT NULL)) ORDER BY id {lock}",
        failing = dialect.id_list(1),
        others = dialect.id_list(2),
        lock = dialect.for_update(),
    );
    let rows = tx.query(&sql, &[json_set(failing), json_set(others)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Held {
                id: row.get("id")?,
                workspace_id: row.get("workspace_id")?,
                project_id: row.get("project_id")?,
                name: row.get("name")?,
                breaker: read(row)?,
            })
        })
        .collect()
}

pub(crate) fn read(row: &Row) -> Result<Breaker, Error> {
    let since: Option<Timestamp> = row.get("breaker_opened_at")?;
    let probe_at: Option<Timestamp> = row.get("breaker_probe_at")?;
    let probes: i64 = row.get("breaker_probes")?;
    let open = since.map(|since| Open { since, probes, probe_at: probe_at.unwrap_or(since) });
    Ok(Breaker { failures: row.get("breaker_failures")?, open })
}

const ROW: Columns = &[
    ("id", Kind::Id),
    ("failures", Kind::Integer),
    ("opened_at", Kind::Integer),
    ("probes", Kind::Integer),
    ("probe_at", Kind::Integer),
];

/// Writes breakers that are locked.
///
/// # Errors
/// Where the database fails.
pub async fn save(tx: &mut Tx, breakers: &[(DestinationId, Breaker)]) -> Result<(), Error> {
    if breakers.is_empty() {
        return Ok(());
    }
    let rows: Vec<Value> = breakers
        .iter()
        .map(|(id, breaker)| {
            json!({
                "id": id, "failures": breaker.failures, "opened_at": breaker.open.map(|open| open.since.0),
                "probes": breaker.open.map_or(0, |open| open.probes),
                "probe_at": breaker.open.map(|open| open.probe_at.0),
            })
        })
        .collect();
    let sql = format!(
        "UPDATE destinations SET breaker_failures = r.failures, breaker_opened_at = r.opened_at,
             breaker_probes = r.probes, breaker_probe_at = r.probe_at
         FROM {} WHERE destinations.id = r.id",
        tx.dialect().set(1, ROW)
    );
    tx.execute(&sql, &[json_set(&rows)]).await.map(drop)
}

/// Takes the probe that is due, and tells whether it is ours: until `until` nobody else sends one.
///
/// # Errors
/// Where the database fails.
pub async fn claim_probe(tx: &mut Tx, id: DestinationId, now: Timestamp, until: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE destinations SET breaker_probe_at = $3
               WHERE id = $1 AND breaker_opened_at IS NOT NULL AND breaker_probe_at <= $2";
    Ok(tx.execute(sql, &params![id, now, until]).await? == 1)
}

/// Retries that are brought forward at once.
const MOST_FORWARD: i64 = 1_000;

/// Makes retries of a destination that answers again due now, in place of in hours; at most 1,000, the next ones first.
/// By `deliveries_later`.
///
/// # Errors
/// Where the database fails.
pub async fn bring_forward(tx: &mut Tx, id: DestinationId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE deliveries SET next_attempt_at = $2
               WHERE id IN (SELECT id FROM deliveries WHERE destination_id = $1 AND state = 'pending'
                            AND plan_attempt > 0 AND next_attempt_at > $2 AND leased_until IS NULL
                            ORDER BY next_attempt_at LIMIT $3)
                 AND state = 'pending' AND leased_until IS NULL";
    tx.execute(sql, &[id.param(), now.param(), MOST_FORWARD.param()]).await.map(drop)
}
