//! Automations: what each one is, in all its versions, and how often it ran. [`runs`] has the leads on their way through
//! them, [`locks`] keeps the same person from starting one twice, [`log`] is what people read of it.

pub mod locks;
pub mod log;
pub mod runs;

use leadline_domain::{
    automations::Definition,
    ids::{AutomationId, SourceId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Automations of one workspace at most.
pub const AUTOMATIONS_MAX: i64 = 200;

/// An automation.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_automation_workflows` under their own names")]
pub struct Automation {
    pub id: AutomationId,
    pub workspace_id: WorkspaceId,
    pub name: String,
    pub description: Option<String>,
    /// What it does, in its newest version.
    pub definition: Definition,
    pub is_active: bool,
    /// Grows with every change.
    pub version: i64,
    /// Who made it.
    pub made_by: String,
    /// How often it ran. Written by [`add_counts`] alone.
    pub counts: Counts,
    pub last_triggered_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// How often an automation ran, and how that ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Runs that began.
    pub triggered: i64,
    /// Of those, that came to their end with something sent and nothing failed.
    pub completed: i64,
    /// Of those, that came to their end with something failed.
    pub failed: i64,
    /// Runs that never began, or sent nothing.
    pub skipped: i64,
}

/// All automations of a workspace, the oldest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Automation>, Error> {
    // By `lead_automation_workflows_of_workspace`.
    let sql = format!(
        "{} WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT {AUTOMATIONS_MAX}",
        select(reader.dialect())
    );
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// One automation.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: AutomationId) -> Result<Option<Automation>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// One automation that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: AutomationId) -> Result<Option<Automation>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        select(dialect),
        dialect.for_update()
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// How many automations a workspace has.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM lead_automation_workflows WHERE workspace_id = $1 AND deleted_at IS NULL";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Whether a workspace has this source, of whichever kind.
///
/// # Errors
/// Where the database fails.
pub async fn has_source(tx: &mut Tx, workspace: WorkspaceId, id: SourceId) -> Result<bool, Error> {
    let sql = "SELECT id FROM sources WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.query_one(sql, &params![id, workspace]).await?.is_some())
}

/// What may be started in these workspaces, switched on or not.
///
/// # Errors
/// Where the database fails.
pub async fn list_startable(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<Vec<Automation>, Error> {
    if workspaces.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    // By `lead_automation_workflows_of_workspace`; each workspace has few.
    let sql = format!(
        "{} WHERE workspace_id IN {} AND deleted_at IS NULL ORDER BY workspace_id, created_at, id",
        select(dialect),
        dialect.id_list(1)
    );
    tx.query(&sql, &[json_set(workspaces)]).await?.iter().map(read).collect()
}

/// Inserts an automation, or writes one that is locked, and keeps what it does now as a version of its own.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, automation: &Automation) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO lead_automation_workflows (id, workspace_id, name, description, webhook_source_id, starts_on, steps,
             safety_lock_minutes, quiet_hours, exit_on, is_active, version, made_by, created_at, updated_at,
             start_condition, exit_stage_id, triggered_count, completed_count, failed_count, skipped_count)
         VALUES ($1, $2, $3, $4, $5, {starts_on}, {steps}, $8, {quiet_hours}, {exit_on}, $11, $12, $13, $14, $15,
                 {condition}, $17, 0, 0, 0, 0)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
             webhook_source_id = excluded.webhook_source_id, starts_on = excluded.starts_on, steps = excluded.steps,
             safety_lock_minutes = excluded.safety_lock_minutes, quiet_hours = excluded.quiet_hours,
             exit_on = excluded.exit_on, start_condition = excluded.start_condition,
             exit_stage_id = excluded.exit_stage_id, is_active = excluded.is_active, version = excluded.version,
             updated_at = excluded.updated_at",
        starts_on = dialect.json(6),
        steps = dialect.json(7),
        quiet_hours = dialect.json(9),
        exit_on = dialect.json(10),
        condition = dialect.json(16),
    );
    let definition = &automation.definition;
    let text = |value: Value| (!value.is_null()).then(|| value.to_string());
    let params = params![
        automation.id,
        automation.workspace_id,
        automation.name,
        automation.description,
        definition.trigger.source_id(),
        json!(definition.trigger),
        json!(definition.steps),
        definition.safety_lock_minutes,
        text(json!(definition.quiet_hours)),
        json!(definition.exit_on),
        automation.is_active,
        automation.version,
        automation.made_by,
        automation.created_at,
        automation.updated_at,
        definition.condition.as_ref().map(Value::to_string),
        definition.exit_stage_id,
    ];
    tx.execute(&sql, &params).await?;
    let sql = format!(
        "INSERT INTO automation_versions (automation_id, version, definition, created_at)
         VALUES ($1, $2, {}, $4) ON CONFLICT (automation_id, version) DO NOTHING",
        dialect.json(3)
    );
    let params = params![automation.id, automation.version, json!(definition), automation.updated_at];
    tx.execute(&sql, &params).await.map(drop)
}

/// Deletes an automation and tells whether it was there. Its runs stay, for the timelines that tell of them.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: AutomationId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE lead_automation_workflows SET deleted_at = $3, is_active = false, updated_at = $3
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// By how much the figures of an automation grow.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_automation_workflows` under their own names")]
pub struct CountDelta {
    pub id: AutomationId,
    pub triggered: i64,
    pub completed: i64,
    pub failed: i64,
    pub skipped: i64,
    /// When it was started last; 0 where it was not.
    pub at: i64,
}

const DELTA_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("triggered", Kind::Integer),
    ("completed", Kind::Integer),
    ("failed", Kind::Integer),
    ("skipped", Kind::Integer),
    ("at", Kind::Integer),
];

/// Adds to the figures of automations, one row for each. Called last in a transaction, in the order of their ids: these
/// are the rows that all nodes want.
///
/// # Errors
/// Where the database fails.
pub async fn add_counts(tx: &mut Tx, rows: &[CountDelta]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let dialect = tx.dialect();
    let ids: Vec<AutomationId> = rows.iter().map(|row| row.id).collect();
    let lock = format!(
        "SELECT id FROM lead_automation_workflows WHERE id IN {} ORDER BY id {}",
        dialect.id_list(1),
        dialect.for_update()
    );
    tx.query(&lock, &[json_set(&ids)]).await?;
    let sql = format!(
        "UPDATE lead_automation_workflows SET triggered_count = triggered_count + r.triggered,
             completed_count = completed_count + r.completed, failed_count = failed_count + r.failed,
             skipped_count = skipped_count + r.skipped,
             last_triggered_at = CASE WHEN r.at > coalesce(last_triggered_at, 0) THEN r.at ELSE last_triggered_at END
         FROM {} WHERE lead_automation_workflows.id = r.id",
        dialect.set(1, DELTA_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, workspace_id, name, description, {starts_on} AS starts_on, {steps} AS steps, safety_lock_minutes,
                {quiet_hours} AS quiet_hours, {exit_on} AS exit_on, {condition} AS start_condition, exit_stage_id,
                is_active, version, made_by, triggered_count,
                completed_count, failed_count, skipped_count, last_triggered_at, created_at, updated_at
         FROM lead_automation_workflows",
        starts_on = dialect.json_text("starts_on"),
        steps = dialect.json_text("steps"),
        quiet_hours = dialect.json_text("quiet_hours"),
        exit_on = dialect.json_text("exit_on"),
        condition = dialect.json_text("start_condition"),
    )
}

fn read(row: &Row) -> Result<Automation, Error> {
    Ok(Automation {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        name: row.get("name")?,
        description: row.get("description")?,
        definition: Definition {
            trigger: row.json("starts_on")?,
            condition: row.json_or_none("start_condition")?,
            steps: row.json("steps")?,
            safety_lock_minutes: row.get("safety_lock_minutes")?,
            quiet_hours: row.json_or_none("quiet_hours")?,
            exit_on: row.json("exit_on")?,
            exit_stage_id: row.get("exit_stage_id")?,
        },
        is_active: row.get("is_active")?,
        version: row.get("version")?,
        made_by: row.get("made_by")?,
        counts: Counts {
            triggered: row.get("triggered_count")?,
            completed: row.get("completed_count")?,
            failed: row.get("failed_count")?,
            skipped: row.get("skipped_count")?,
        },
        last_triggered_at: row.get("last_triggered_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
