//! When a workspace works, and how soon it wants to answer.

use std::collections::BTreeSet;

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    silence::BusinessHours,
    time::Timestamp,
    working_time::NaiveDate,
};

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
};

/// What a workspace set.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the columns of `work_settings` under their own names")]
pub struct WorkSettings {
    /// All hours count where there are none.
    pub hours: Option<BusinessHours>,
    pub holidays: BTreeSet<NaiveDate>,
    /// No clock runs without it.
    pub respond_within_minutes: Option<i64>,
    pub escalate_after_minutes: Option<i64>,
    pub escalate_to: Vec<UserId>,
    pub reassigns: bool,
    pub counts_assignment: bool,
    /// 0 where nobody set anything yet.
    pub version: i64,
    pub updated_at: Timestamp,
}

/// What a workspace set; what holds at first where it set nothing.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId) -> Result<WorkSettings, Error> {
    let sql = format!("{} WHERE workspace_id = $1", select(reader.dialect()));
    let found = reader.query_one(&sql, &params![workspace]).await?.as_ref().map(read).transpose()?;
    Ok(found.unwrap_or_default())
}

/// The same for whoever is about to write by it.
///
/// # Errors
/// Where the database fails.
pub async fn find_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<WorkSettings, Error> {
    let sql = format!("{} WHERE workspace_id = $1", select(tx.dialect()));
    let found = tx.query_one(&sql, &params![workspace]).await?.as_ref().map(read).transpose()?;
    Ok(found.unwrap_or_default())
}

/// The same, which nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<WorkSettings, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE workspace_id = $1 {}", select(dialect), dialect.for_update());
    let found = tx.query_one(&sql, &params![workspace]).await?.as_ref().map(read).transpose()?;
    Ok(found.unwrap_or_default())
}

/// Writes what was locked.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, workspace: WorkspaceId, settings: &WorkSettings) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO work_settings (workspace_id, hours, holidays, respond_within_minutes, escalate_after_minutes,
             escalate_to, reassigns, counts_assignment, version, updated_at)
         VALUES ($1, {hours}, {holidays}, $4, $5, {escalate_to}, $7, $8, $9, $10)
         ON CONFLICT (workspace_id) DO UPDATE SET hours = excluded.hours, holidays = excluded.holidays,
             respond_within_minutes = excluded.respond_within_minutes,
             escalate_after_minutes = excluded.escalate_after_minutes, escalate_to = excluded.escalate_to,
             reassigns = excluded.reassigns, counts_assignment = excluded.counts_assignment,
             version = excluded.version, updated_at = excluded.updated_at",
        hours = dialect.json(2),
        holidays = dialect.json(3),
        escalate_to = dialect.json(6),
    );
    let values = params![
        workspace,
        serde_json::to_value(&settings.hours).unwrap_or_default(),
        serde_json::to_value(&settings.holidays).unwrap_or_default(),
        settings.respond_within_minutes,
        settings.escalate_after_minutes,
        serde_json::to_value(&settings.escalate_to).unwrap_or_default(),
        settings.reassigns,
        settings.counts_assignment,
        settings.version,
        settings.updated_at,
    ];
    tx.execute(&sql, &values).await.map(drop)
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT {} AS hours, {} AS holidays, respond_within_minutes, escalate_after_minutes, {} AS escalate_to,
             reassigns, counts_assignment, version, updated_at
         FROM work_settings",
        dialect.json_text("hours"),
        dialect.json_text("holidays"),
        dialect.json_text("escalate_to"),
    )
}

fn read(row: &Row) -> Result<WorkSettings, Error> {
    Ok(WorkSettings {
        hours: row.json("hours")?,
        holidays: row.json("holidays")?,
        respond_within_minutes: row.get("respond_within_minutes")?,
        escalate_after_minutes: row.get("escalate_after_minutes")?,
        escalate_to: row.json("escalate_to")?,
        reassigns: row.get("reassigns")?,
        counts_assignment: row.get("counts_assignment")?,
        version: row.get("version")?,
        updated_at: row.get("updated_at")?,
    })
}
