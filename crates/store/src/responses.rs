//! The clock of the first answer to a lead: until when somebody is to act, who did, and what was told meanwhile.
//!
//! A row stands for one lead. Who writes it has locked the lead before, or dispatches.

use std::collections::HashMap;

use leadline_domain::{
    ids::{AssignmentRuleId, LeadId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// A clock that starts.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_responses` under their own names")]
pub struct NewClock {
    pub lead_id: LeadId,
    pub workspace_id: WorkspaceId,
    pub rule_id: Option<AssignmentRuleId>,
    pub started_at: i64,
    pub due_at: i64,
    pub escalate_at: Option<i64>,
    pub next_at: i64,
}

const NEW_COLUMNS: Columns = &[
    ("lead_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("rule_id", Kind::Id),
    ("started_at", Kind::Integer),
    ("due_at", Kind::Integer),
    ("escalate_at", Kind::Integer),
    ("next_at", Kind::Integer),
];

/// Starts clocks. One that was started already runs as it does.
///
/// # Errors
/// Where the database fails.
pub async fn start(tx: &mut Tx, clocks: &[NewClock]) -> Result<(), Error> {
    tx.insert_set("lead_responses", NEW_COLUMNS, clocks, "ON CONFLICT (lead_id) DO NOTHING").await.map(drop)
}

/// A clock that runs.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the columns of `lead_responses` under their own names")]
pub struct Clock {
    pub lead_id: LeadId,
    pub workspace_id: WorkspaceId,
    pub rule_id: Option<AssignmentRuleId>,
    pub started_at: Timestamp,
    pub due_at: Timestamp,
    pub escalate_at: Option<Timestamp>,
    /// When something is told next.
    pub next_at: Option<Timestamp>,
    pub told_at: Option<Timestamp>,
}

/// The clocks of these leads that run, which nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock_running(tx: &mut Tx, leads: &[LeadId]) -> Result<Vec<Clock>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT lead_id, workspace_id, rule_id, started_at, due_at, escalate_at, next_at, told_at FROM lead_responses
         WHERE lead_id IN {} AND answered_at IS NULL ORDER BY lead_id {}",
        dialect.id_list(1),
        dialect.for_update()
    );
    tx.query(&sql, &[json_set(leads)]).await?.iter().map(read_clock).collect()
}

/// Leads of which something is to be told. By `lead_responses_next`.
///
/// # Errors
/// Where the database fails.
pub async fn list_due(reader: &Reader, now: Timestamp, limit: i64) -> Result<Vec<(WorkspaceId, LeadId)>, Error> {
    let sql = "SELECT workspace_id, lead_id FROM lead_responses WHERE next_at <= $1 ORDER BY next_at LIMIT $2";
    let rows = reader.query(sql, &params![now, limit]).await?;
    rows.iter().map(|row| Ok((row.get("workspace_id")?, row.get("lead_id")?))).collect()
}

/// What somebody did with a lead first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Act {
    /// The lead.
    pub lead_id: LeadId,
    /// Who.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
}

#[derive(Serialize)]
struct Since {
    lead_id: LeadId,
    started_at: i64,
}

const SINCE_COLUMNS: Columns = &[("lead_id", Kind::Id), ("started_at", Kind::Integer)];

/// The first line of these kinds that a person put on each lead's timeline since its clock started. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn first_acts(tx: &mut Tx, clocks: &[Clock], kinds: &[&str]) -> Result<Vec<Act>, Error> {
    if clocks.is_empty() {
        return Ok(Vec::new());
    }
    let since: Vec<Since> =
        clocks.iter().map(|clock| Since { lead_id: clock.lead_id, started_at: clock.started_at.0 }).collect();
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT a.lead_id, a.actor_id, a.created_at FROM {set} CROSS JOIN lead_activities AS a
         WHERE a.lead_id = r.lead_id AND a.actor_kind = 'user' AND a.created_at >= r.started_at AND a.kind IN {kinds}
         ORDER BY a.lead_id, a.id LIMIT 20000",
        set = dialect.set(1, SINCE_COLUMNS),
        kinds = dialect.text_list(2),
    );
    let mut acts: Vec<Act> = Vec::new();
    for row in tx.query(&sql, &[json_set(&since), json_set(kinds)]).await? {
        let act = Act { lead_id: row.get("lead_id")?, by: row.get("actor_id")?, at: row.get("created_at")? };
        if acts.last().is_none_or(|last| last.lead_id != act.lead_id) {
            acts.push(act);
        }
    }
    Ok(acts)
}

/// An answer that is noted.
#[derive(Debug, Clone, Copy, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_responses` under their own names")]
pub struct Answer {
    pub lead_id: LeadId,
    pub answered_at: i64,
    pub answered_by: Option<UserId>,
    /// Of working time.
    pub answered_in_ms: i64,
}

const ANSWER_COLUMNS: Columns = &[
    ("lead_id", Kind::Id),
    ("answered_at", Kind::Integer),
    ("answered_by", Kind::Id),
    ("answered_in_ms", Kind::Integer),
];

/// Stops the clocks of leads that were answered.
///
/// # Errors
/// Where the database fails.
pub async fn stop(tx: &mut Tx, answers: &[Answer]) -> Result<(), Error> {
    if answers.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE lead_responses SET answered_at = r.answered_at, answered_by = r.answered_by,
                                   answered_in_ms = r.answered_in_ms, next_at = NULL
         FROM {} WHERE lead_responses.lead_id = r.lead_id AND lead_responses.answered_at IS NULL",
        tx.dialect().set(1, ANSWER_COLUMNS)
    );
    tx.execute(&sql, &[json_set(answers)]).await.map(drop)
}

/// Notes that something was told, and when the next thing is to be.
///
/// # Errors
/// Where the database fails.
pub async fn note_told(
    tx: &mut Tx,
    lead: LeadId,
    (told_at, escalated_at): (Option<Timestamp>, Option<Timestamp>),
    next_at: Option<Timestamp>,
) -> Result<(), Error> {
    let sql = "UPDATE lead_responses SET told_at = coalesce(told_at, $2), escalated_at = coalesce(escalated_at, $3),
                      next_at = $4
               WHERE lead_id = $1";
    tx.execute(sql, &params![lead, told_at, escalated_at, next_at]).await.map(drop)
}

/// How it stands with the first answer to a lead.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_responses` under their own names")]
pub struct Standing {
    pub started_at: Timestamp,
    pub due_at: Timestamp,
    pub escalated_at: Option<Timestamp>,
    pub answered_at: Option<Timestamp>,
    pub answered_by_name: Option<String>,
    pub answered_in_ms: Option<i64>,
}

/// How it stands with the first answer to these leads; those without a clock are left out.
///
/// # Errors
/// Where the database fails.
pub async fn standings(
    reader: &Reader,
    workspace: WorkspaceId,
    leads: &[LeadId],
) -> Result<HashMap<LeadId, Standing>, Error> {
    if leads.is_empty() {
        return Ok(HashMap::new());
    }
    // By primary keys.
    let dialect = reader.dialect();
    let sql = format!(
        "SELECT c.lead_id, c.started_at, c.due_at, c.escalated_at, c.answered_at, c.answered_in_ms,
                (SELECT u.name FROM users AS u WHERE u.id = c.answered_by) AS answered_by_name
         FROM lead_responses AS c WHERE c.lead_id IN {list} AND {of_workspace}",
        list = dialect.id_list(1),
        of_workspace = dialect.equal_unindexed("c.workspace_id", 2),
    );
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[json_set(leads), workspace]).await?;
    rows.iter().map(|row| Ok((row.get("lead_id")?, read_standing(row)?))).collect()
}

fn read_standing(row: &Row) -> Result<Standing, Error> {
    Ok(Standing {
        started_at: row.get("started_at")?,
        due_at: row.get("due_at")?,
        escalated_at: row.get("escalated_at")?,
        answered_at: row.get("answered_at")?,
        answered_by_name: row.get("answered_by_name")?,
        answered_in_ms: row.get("answered_in_ms")?,
    })
}

fn read_clock(row: &Row) -> Result<Clock, Error> {
    Ok(Clock {
        lead_id: row.get("lead_id")?,
        workspace_id: row.get("workspace_id")?,
        rule_id: row.get("rule_id")?,
        started_at: row.get("started_at")?,
        due_at: row.get("due_at")?,
        escalate_at: row.get("escalate_at")?,
        next_at: row.get("next_at")?,
        told_at: row.get("told_at")?,
    })
}
