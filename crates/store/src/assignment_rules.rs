//! Assignment rules: who gets which new leads, in which order they are asked, and whose turn it was last.

use leadline_domain::{
    assignment::Method,
    ids::{AssignmentRuleId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
};

/// Rules of one workspace at most.
pub const RULES_MAX: i64 = 50;

/// A rule.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of `assignment_rules` under their own names")]
pub struct AssignmentRule {
    pub id: AssignmentRuleId,
    pub position: i64,
    pub name: String,
    pub is_active: bool,
    /// A tree of conditions, as it was written.
    pub filter: Value,
    pub method: Method,
    /// In the order of their turns.
    pub members: Vec<UserId>,
    pub only_available: bool,
    pub takes_returning: bool,
    /// Who gets what none of them can take; the rules behind it are asked where there is nobody.
    pub fallback_user_id: Option<UserId>,
    pub respond_within_minutes: Option<i64>,
    pub last_user_id: Option<UserId>,
    pub assigned_count: i64,
    pub last_assigned_at: Option<Timestamp>,
    /// Grows with every change by a person.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// All rules of a workspace in their order. By `assignment_rules_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<AssignmentRule>, Error> {
    let sql = format!("{} WHERE workspace_id = $1 {ORDER}", select(reader.dialect()));
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// The same, which nobody else changes or takes a turn of until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<AssignmentRule>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE workspace_id = $1 {ORDER} {}", select(dialect), dialect.for_update());
    tx.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// Inserts a rule, or writes what people say of one that is locked. Whose turn it is stays.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, workspace: WorkspaceId, rule: &AssignmentRule) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO assignment_rules (id, workspace_id, position, name, is_active, filter, method, members,
             only_available, takes_returning, fallback_user_id, respond_within_minutes, assigned_count, version,
             created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, {filter}, $7, {members}, $9, $10, $11, $12, 0, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE SET position = excluded.position, name = excluded.name,
             is_active = excluded.is_active, filter = excluded.filter, method = excluded.method,
             members = excluded.members, only_available = excluded.only_available,
             takes_returning = excluded.takes_returning, fallback_user_id = excluded.fallback_user_id,
             respond_within_minutes = excluded.respond_within_minutes, version = excluded.version,
             updated_at = excluded.updated_at",
        filter = dialect.json(6),
        members = dialect.json(8),
    );
    let values = params![
        rule.id,
        workspace,
        rule.position,
        rule.name,
        rule.is_active,
        rule.filter,
        rule.method.as_str(),
        serde_json::to_value(&rule.members).unwrap_or_default(),
        rule.only_available,
        rule.takes_returning,
        rule.fallback_user_id,
        rule.respond_within_minutes,
        rule.version,
        rule.created_at,
        rule.updated_at,
    ];
    tx.execute(&sql, &values).await.map(drop)
}

/// Notes that a rule gave leads away, and who got the last of them.
///
/// # Errors
/// Where the database fails.
pub async fn note_turn(
    tx: &mut Tx,
    id: AssignmentRuleId,
    last: Option<UserId>,
    count: i64,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE assignment_rules SET last_user_id = $2, assigned_count = assigned_count + $3,
                      last_assigned_at = $4
               WHERE id = $1";
    tx.execute(sql, &params![id, last, count, now]).await.map(drop)
}

/// Deletes a rule and tells whether it was there.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: AssignmentRuleId) -> Result<bool, Error> {
    let sql = "DELETE FROM assignment_rules WHERE id = $1 AND workspace_id = $2";
    Ok(tx.execute(sql, &params![id, workspace]).await? == 1)
}

const ORDER: &str = "ORDER BY position, id LIMIT 50";

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, position, name, is_active, {} AS filter, method, {} AS members, only_available, takes_returning,
             fallback_user_id, respond_within_minutes, last_user_id, assigned_count, last_assigned_at, version,
             created_at, updated_at
         FROM assignment_rules",
        dialect.json_text("filter"),
        dialect.json_text("members"),
    )
}

fn read(row: &Row) -> Result<AssignmentRule, Error> {
    let method: String = row.get("method")?;
    Ok(AssignmentRule {
        id: row.get("id")?,
        position: row.get("position")?,
        name: row.get("name")?,
        is_active: row.get("is_active")?,
        filter: row.json("filter")?,
        method: Method::parse(&method).ok_or_else(|| Error::Column { column: "method".to_owned() })?,
        members: row.json("members")?,
        only_available: row.get("only_available")?,
        takes_returning: row.get("takes_returning")?,
        fallback_user_id: row.get("fallback_user_id")?,
        respond_within_minutes: row.get("respond_within_minutes")?,
        last_user_id: row.get("last_user_id")?,
        assigned_count: row.get("assigned_count")?,
        last_assigned_at: row.get("last_assigned_at")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
