//! The stages that leads have left: what reports say of how far leads came, and how long they took. The stage that a lead
//! is in stands on the lead itself, so that coming in costs nothing here.

use leadline_domain::{
    ids::{LeadId, StageId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use super::change::{MOVED_COLUMNS, Moved, RETURNED_COLUMNS, Returned};
use crate::{
    dialect::Kind,
    sql::{Columns, Error, Tx, json_set, params},
};

/// Notes the stages that leads are about to leave.
pub(super) async fn note(tx: &mut Tx, workspace: WorkspaceId, rows: &[Moved], now: Timestamp) -> Result<(), Error> {
    // Who comes and goes within a millisecond has been there once.
    let sql = format!(
        "INSERT INTO lead_stage_stays (lead_id, entered_at, stage_id, workspace_id, left_at)
         SELECT leads.id, leads.stage_entered_at, leads.stage_id, leads.workspace_id, $2
         FROM {set} CROSS JOIN leads
         WHERE leads.id = r.id AND leads.workspace_id = $3 AND leads.stage_id <> r.stage_id
         ON CONFLICT DO NOTHING",
        set = tx.dialect().set(1, MOVED_COLUMNS),
    );
    let [now, workspace] = params![now, workspace];
    tx.execute(&sql, &[json_set(rows), now, workspace]).await.map(drop)
}

/// Forgets that leads had left the stages to which they go back.
pub(super) async fn forget(tx: &mut Tx, rows: &[Returned]) -> Result<(), Error> {
    let sql = format!(
        "DELETE FROM lead_stage_stays WHERE (lead_id, entered_at, stage_id) IN
             (SELECT s.lead_id, s.entered_at, s.stage_id FROM {set} CROSS JOIN lead_stage_stays AS s
              WHERE s.lead_id = r.id AND s.entered_at >= r.stage_entered_at)",
        set = tx.dialect().set(1, RETURNED_COLUMNS),
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// A time that a lead spent in a stage.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_stage_stays` under their own names")]
pub struct NewStay {
    pub lead_id: LeadId,
    pub entered_at: i64,
    pub stage_id: StageId,
    pub workspace_id: WorkspaceId,
    pub left_at: i64,
}

const STAY_COLUMNS: Columns = &[
    ("lead_id", Kind::Id),
    ("entered_at", Kind::Integer),
    ("stage_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("left_at", Kind::Integer),
];

/// Inserts what leads went through elsewhere.
///
/// # Errors
/// Where the database fails.
pub async fn insert_stays(tx: &mut Tx, rows: &[NewStay]) -> Result<(), Error> {
    tx.insert_set("lead_stage_stays", STAY_COLUMNS, rows, "ON CONFLICT DO NOTHING").await.map(drop)
}
