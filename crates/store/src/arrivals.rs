//! Arrivals: leads that wait to be given to somebody by a rule, and for their clock to start.
//!
//! A row is written in the transaction that dispatches what it comes of, and goes in the transaction that does what it
//! waits for, so that each is done once whatever crashes.

use std::collections::HashMap;

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Why a lead waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ArrivalKind {
    /// It is new.
    Created,
    /// Its person came back.
    Returned,
    /// Nobody answered it, and somebody else is to have it.
    Overdue,
    /// Somebody wants it to be given out.
    Asked,
}

impl ArrivalKind {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "created" => Some(Self::Created),
            "returned" => Some(Self::Returned),
            "overdue" => Some(Self::Overdue),
            "asked" => Some(Self::Asked),
            _ => None,
        }
    }
}

/// A lead that waits.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_arrivals` under their own names")]
pub struct Arrival {
    pub lead_id: LeadId,
    pub workspace_id: WorkspaceId,
    pub kind: ArrivalKind,
    pub starts_clock: bool,
    pub arrived_at: i64,
    pub due_at: i64,
}

const COLUMNS: Columns = &[
    ("lead_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("kind", Kind::Text),
    ("starts_clock", Kind::Boolean),
    ("arrived_at", Kind::Integer),
    ("due_at", Kind::Integer),
];

/// What a workspace does with arrivals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// It has rules.
    pub rules: bool,
    /// One of them takes leads that came back.
    pub returning: bool,
    /// It wants first answers in time.
    pub clock: bool,
}

/// What these workspaces do with arrivals; those that do nothing are left out.
///
/// # Errors
/// Where the database fails.
pub async fn wanted(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<HashMap<WorkspaceId, Wanted>, Error> {
    let list = tx.dialect().id_list(1);
    let mut wanted: HashMap<WorkspaceId, Wanted> = HashMap::new();
    // By `assignment_rules_of_workspace`, at most 50 rows of each.
    let sql = format!(
        "SELECT workspace_id, takes_returning, respond_within_minutes FROM assignment_rules
         WHERE workspace_id IN {list} AND is_active"
    );
    for row in tx.query(&sql, &[json_set(workspaces)]).await? {
        let of_workspace = wanted.entry(row.get("workspace_id")?).or_default();
        of_workspace.rules = true;
        of_workspace.returning |= row.get::<bool>("takes_returning")?;
        of_workspace.clock |= row.get::<Option<i64>>("respond_within_minutes")?.is_some();
    }
    let sql = format!(
        "SELECT workspace_id FROM work_settings WHERE workspace_id IN {list} AND respond_within_minutes IS NOT NULL"
    );
    for row in tx.query(&sql, &[json_set(workspaces)]).await? {
        wanted.entry(row.get("workspace_id")?).or_default().clock = true;
    }
    Ok(wanted)
}

/// Puts leads into the queue. One that waits already waits as it did.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, arrivals: &[Arrival]) -> Result<u64, Error> {
    tx.insert_set("lead_arrivals", COLUMNS, arrivals, "ON CONFLICT (lead_id) DO NOTHING").await
}

/// Workspaces in which leads are due. By `lead_arrivals_due`, at most so many rows.
///
/// # Errors
/// Where the database fails.
pub async fn workspaces_due(reader: &Reader, now: Timestamp) -> Result<Vec<WorkspaceId>, Error> {
    let sql = "SELECT DISTINCT q.workspace_id FROM
                   (SELECT workspace_id FROM lead_arrivals WHERE due_at <= $1 ORDER BY due_at LIMIT 2000) AS q";
    reader.query(sql, &params![now]).await?.iter().map(|row| row.get("workspace_id")).collect()
}

/// Takes some of the leads that are due, in the order of their coming, so that another node takes others.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp, limit: i64) -> Result<Vec<Arrival>, Error> {
    // By `lead_arrivals_of_workspace`.
    let sql = format!(
        "SELECT lead_id, workspace_id, kind, starts_clock, arrived_at, due_at FROM lead_arrivals
         WHERE workspace_id = $1 AND due_at <= $2 ORDER BY due_at, lead_id LIMIT $3 {}",
        tx.dialect().skip_locked()
    );
    tx.query(&sql, &params![workspace, now, limit]).await?.iter().map(read).collect()
}

/// Takes leads out of the queue.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, leads: &[LeadId]) -> Result<(), Error> {
    if leads.is_empty() {
        return Ok(());
    }
    let sql = format!("DELETE FROM lead_arrivals WHERE lead_id IN {}", tx.dialect().id_list(1));
    tx.execute(&sql, &[json_set(leads)]).await.map(drop)
}

/// Puts off what is due in a workspace in which something went wrong.
///
/// # Errors
/// Where the database fails.
pub async fn put_off(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp, until: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE lead_arrivals SET due_at = $3 WHERE workspace_id = $1 AND due_at <= $2";
    tx.execute(sql, &params![workspace, now, until]).await.map(drop)
}

fn read(row: &Row) -> Result<Arrival, Error> {
    let kind: String = row.get("kind")?;
    Ok(Arrival {
        lead_id: row.get("lead_id")?,
        workspace_id: row.get("workspace_id")?,
        kind: ArrivalKind::parse(&kind).ok_or_else(|| Error::Column { column: "kind".to_owned() })?,
        starts_clock: row.get("starts_clock")?,
        arrived_at: row.get("arrived_at")?,
        due_at: row.get("due_at")?,
    })
}
