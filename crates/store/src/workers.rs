//! Members as those who work: when they do, how long they are away, how many open leads they have, and what they want
//! to be told of.

use std::collections::HashMap;

use leadline_domain::{
    ids::{StageId, UserId, WorkspaceId},
    permissions::Rights,
    personal_alerts::Wishes,
    silence::BusinessHours,
    time::Timestamp,
};

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, json_set, params},
    users::{read_rights, rights_columns},
};

/// A member who can sign in.
#[derive(Debug, Clone)]
pub struct Worker {
    /// Who.
    pub id: UserId,
    /// As others see them.
    pub name: String,
    /// In lower case.
    pub email: String,
    /// What they may do.
    pub role: Rights,
    /// Until when they are away.
    pub away_until: Option<Timestamp>,
    /// Their own hours, where they are not the workspace's.
    pub hours: Option<BusinessHours>,
    /// What they want to be told of.
    pub wishes: Wishes,
}

/// The members of a workspace who can sign in, by name.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Worker>, Error> {
    let sql = format!("{} ORDER BY u.name, u.id LIMIT 1000", select(reader.dialect()));
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// Those of these users who are members and can sign in. By the primary key of memberships.
///
/// # Errors
/// Where the database fails.
pub async fn find_in(tx: &mut Tx, workspace: WorkspaceId, users: &[UserId]) -> Result<HashMap<UserId, Worker>, Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let dialect = tx.dialect();
    let sql = format!("{} AND m.user_id IN {}", select(dialect), dialect.id_list(2));
    let [workspace] = params![workspace];
    let rows = tx.query(&sql, &[workspace, json_set(users)]).await?;
    rows.iter().map(|row| read(row).map(|worker| (worker.id, worker))).collect()
}

/// Says until when a member is away, and when they work; tells whether they are one.
///
/// # Errors
/// Where the database fails.
pub async fn set_times(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    away_until: Option<Timestamp>,
    hours: Option<&BusinessHours>,
) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE memberships SET away_until = $3, work_hours = {} WHERE workspace_id = $1 AND user_id = $2",
        tx.dialect().json(4)
    );
    let hours = hours.map(|hours| serde_json::to_string(hours).unwrap_or_default());
    Ok(tx.execute(&sql, &params![workspace, user, away_until, hours]).await? == 1)
}

/// Says what a member wants to be told of, and tells whether they are one.
///
/// # Errors
/// Where the database fails.
pub async fn set_wishes(tx: &mut Tx, workspace: WorkspaceId, user: UserId, wishes: &Wishes) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE memberships SET alert_wishes = {} WHERE workspace_id = $1 AND user_id = $2",
        tx.dialect().json(3)
    );
    let wishes = serde_json::to_value(wishes).unwrap_or_default();
    Ok(tx.execute(&sql, &params![workspace, user, wishes]).await? == 1)
}

/// How many leads in open stages each of these members has; who has none is left out.
///
/// # Errors
/// Where the database fails.
pub async fn count_open_leads(
    tx: &mut Tx,
    workspace: WorkspaceId,
    users: &[UserId],
) -> Result<HashMap<UserId, i64>, Error> {
    if users.is_empty() {
        return Ok(HashMap::new());
    }
    let stages = "SELECT s.id FROM lead_pipelines AS p JOIN lead_pipeline_stages AS s ON s.pipeline_id = p.id
                  WHERE p.workspace_id = $1 AND p.deleted_at IS NULL AND s.kind = 'open'";
    let rows = tx.query(stages, &params![workspace]).await?;
    let stages: Vec<StageId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    // By `leads_open_of_owner`, of which nothing else is read.
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT assigned_to, count(*) AS n FROM leads
         WHERE assigned_to IS NOT NULL AND deleted_at IS NULL AND assigned_to IN {users} AND stage_id IN {stages}
         GROUP BY assigned_to",
        users = dialect.id_list(1),
        stages = dialect.id_list(2),
    );
    let rows = tx.query(&sql, &[json_set(users), json_set(&stages)]).await?;
    rows.iter().map(|row| Ok((row.get("assigned_to")?, row.get("n")?))).collect()
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT u.id, u.name, u.email, {role}, m.away_until, {hours} AS work_hours, {wishes} AS alert_wishes
         FROM memberships AS m JOIN users AS u ON u.id = m.user_id LEFT JOIN roles AS r ON r.id = m.role_id
         WHERE m.workspace_id = $1 AND u.disabled_at IS NULL",
        role = rights_columns(dialect, "m", "r", "role"),
        hours = dialect.json_text("m.work_hours"),
        wishes = dialect.json_text("m.alert_wishes"),
    )
}

fn read(row: &Row) -> Result<Worker, Error> {
    Ok(Worker {
        id: row.get("id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        role: read_rights(row, "role")?,
        away_until: row.get("away_until")?,
        hours: row.json_or_none("work_hours")?,
        wishes: row.json_or_none("alert_wishes")?.unwrap_or_default(),
    })
}
