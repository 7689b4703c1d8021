//! What people read of automations: the log of runs, and what a lead's timeline says of them.

use std::collections::HashMap;

use leadline_domain::{
    automations::RunState,
    ids::{ActivityId, AutomationId, LeadId, MessageTemplateId, RunId, SourceId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use super::runs::{SELECT_SENDING, StoredRun, StoredSending, read_run, read_sending};
use crate::sql::{COUNT_CAP, Error, IntoParam, Page, Param, Reader, json_set, params};

/// Lines of one timeline that are shown: the newest.
const LINES_MAX: i64 = 500;

/// Which runs somebody wants to see.
#[derive(Debug, Clone, Copy, Default)]
pub struct RunFilter {
    /// That stand so.
    pub state: Option<RunState>,
    /// Of this lead.
    pub lead: Option<LeadId>,
}

/// A run with its lead's name and its sendings.
#[derive(Debug, Clone)]
pub struct LoggedRun {
    /// The run.
    pub run: StoredRun,
    /// What the lead is called; none where it is gone.
    pub lead_name: Option<String>,
    /// What was tried, in order.
    pub sendings: Vec<StoredSending>,
}

/// A page of an automation's runs, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_runs(
    reader: &Reader,
    workspace: WorkspaceId,
    automation: AutomationId,
    filter: RunFilter,
    (limit, offset): (i64, i64),
) -> Result<Page<LoggedRun>, Error> {
    let mut condition = "r.automation_id = $1 AND r.workspace_id = $2".to_owned();
    let mut values: Vec<Param> = params![automation, workspace].to_vec();
    if let Some(state) = filter.state {
        // By `automation_runs_by_state`, else by `automation_runs_of_automation`.
        values.push(state.as_str().param());
        condition += &format!(" AND r.state = ${}", values.len());
    }
    if let Some(lead) = filter.lead {
        values.push(lead.param());
        condition += &format!(" AND r.lead_id = ${}", values.len());
    }
    let total = format!(
        "SELECT count(*) AS n FROM (SELECT r.id FROM automation_runs AS r WHERE {condition} LIMIT {}) AS q",
        COUNT_CAP + 1
    );
    let total = reader.count(&total, &values).await?;
    let sql = format!(
        "{SELECT_LOGGED} WHERE {condition} ORDER BY r.started_at DESC, r.id DESC LIMIT ${} OFFSET ${}",
        values.len() + 1,
        values.len() + 2
    );
    values.extend(params![limit, offset]);
    Ok(Page::new(logged(reader, &sql, &values).await?, total))
}

/// One run of an automation.
///
/// # Errors
/// Where the database fails.
pub async fn find_run(
    reader: &Reader,
    workspace: WorkspaceId,
    automation: AutomationId,
    run: RunId,
) -> Result<Option<LoggedRun>, Error> {
    let sql = format!("{SELECT_LOGGED} WHERE r.id = $1 AND r.automation_id = $2 AND r.workspace_id = $3");
    Ok(logged(reader, &sql, &params![run, automation, workspace]).await?.pop())
}

const SELECT_LOGGED: &str = "SELECT r.id, r.workspace_id, r.automation_id, r.version, r.lead_id, r.state, r.reason,
    r.step, r.line_count, r.depth, r.started_at, r.finished_at,
    (SELECT l.name FROM leads AS l WHERE l.id = r.lead_id) AS lead_name FROM automation_runs AS r";

async fn logged(reader: &Reader, sql: &str, values: &[Param]) -> Result<Vec<LoggedRun>, Error> {
    let rows = reader.query(sql, values).await?;
    let mut runs: Vec<LoggedRun> = rows
        .iter()
        .map(|row| Ok(LoggedRun { run: read_run(row)?, lead_name: row.get("lead_name")?, sendings: Vec::new() }))
        .collect::<Result<_, Error>>()?;
    let ids: Vec<RunId> = runs.iter().map(|one| one.run.id).collect();
    let mut sendings = sendings_of(reader, &ids).await?;
    for one in &mut runs {
        one.sendings = sendings.remove(&one.run.id).unwrap_or_default();
    }
    Ok(runs)
}

async fn sendings_of(reader: &Reader, runs: &[RunId]) -> Result<HashMap<RunId, Vec<StoredSending>>, Error> {
    let mut by_run: HashMap<RunId, Vec<StoredSending>> = HashMap::new();
    if runs.is_empty() {
        return Ok(by_run);
    }
    let sql = format!("{SELECT_SENDING} WHERE run_id IN {} ORDER BY run_id, step, number", reader.dialect().id_list(1));
    for row in reader.query(&sql, &[json_set(runs)]).await? {
        let sending = read_sending(&row)?;
        by_run.entry(sending.run_id).or_default().push(sending);
    }
    Ok(by_run)
}

/// A line of a lead's timeline that an automation wrote.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_activities` under their own names")]
pub struct Line {
    pub id: ActivityId,
    pub kind: String,
    pub actor_name: String,
    pub data: Value,
    pub created_at: Timestamp,
}

/// What automations did for a lead.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// The lines, oldest first.
    pub lines: Vec<Line>,
    /// The runs that they tell of.
    pub runs: HashMap<RunId, StoredRun>,
    /// Their sendings, in order.
    pub sendings: HashMap<RunId, Vec<StoredSending>>,
    /// Automations that are there no more.
    pub deleted: Vec<AutomationId>,
}

/// What automations did for a lead: the newest lines, with how their messages fare now.
///
/// # Errors
/// Where the database fails.
pub async fn timeline(reader: &Reader, workspace: WorkspaceId, lead: LeadId) -> Result<Timeline, Error> {
    let dialect = reader.dialect();
    // By the key of `lead_activities`: one lead's lines alone are looked through.
    let sql = format!(
        "SELECT id, kind, actor_name, {data} AS data, created_at FROM lead_activities
         WHERE lead_id = $1 AND workspace_id = $2 AND kind LIKE 'automation.%' ORDER BY id DESC LIMIT {LINES_MAX}",
        data = dialect.json_text("data"),
    );
    let mut lines: Vec<Line> = reader
        .query(&sql, &params![lead, workspace])
        .await?
        .iter()
        .map(|row| {
            Ok(Line {
                id: row.get("id")?,
                kind: row.get("kind")?,
                actor_name: row.get("actor_name")?,
                data: row.json("data")?,
                created_at: row.get("created_at")?,
            })
        })
        .collect::<Result<_, Error>>()?;
    lines.reverse();
    let mut ids: Vec<RunId> =
        lines.iter().filter_map(|line| line.data["runId"].as_str().and_then(|id| id.parse().ok())).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(Timeline { lines, ..Timeline::default() });
    }
    let sql = format!(
        "SELECT id, workspace_id, automation_id, version, lead_id, state, reason, step, line_count, depth, started_at, finished_at
         FROM automation_runs WHERE id IN {} AND workspace_id = $2",
        dialect.id_list(1)
    );
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[json_set(&ids), workspace]).await?;
    let runs: Vec<StoredRun> = rows.iter().map(read_run).collect::<Result<_, _>>()?;
    let automations: Vec<AutomationId> = runs.iter().map(|run| run.automation_id).collect();
    Ok(Timeline {
        lines,
        sendings: sendings_of(reader, &ids).await?,
        deleted: deleted(reader, &automations).await?,
        runs: runs.into_iter().map(|run| (run.id, run)).collect(),
    })
}

async fn deleted(reader: &Reader, ids: &[AutomationId]) -> Result<Vec<AutomationId>, Error> {
    let sql = format!(
        "SELECT id FROM lead_automation_workflows WHERE id IN {} AND deleted_at IS NOT NULL",
        reader.dialect().id_list(1)
    );
    reader.query(&sql, &[json_set(ids)]).await?.iter().map(|row| row.get("id")).collect()
}

/// What templates are called, deleted ones too.
///
/// # Errors
/// Where the database fails.
pub async fn template_names(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[MessageTemplateId],
) -> Result<HashMap<MessageTemplateId, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT id, name FROM message_templates WHERE id IN {} AND workspace_id = $2",
        reader.dialect().id_list(1)
    );
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[json_set(ids), workspace]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("name")?))).collect()
}

/// What sources are called that were not deleted.
///
/// # Errors
/// Where the database fails.
pub async fn source_names(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[SourceId],
) -> Result<HashMap<SourceId, String>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT id, name FROM sources WHERE id IN {} AND workspace_id = $2 AND deleted_at IS NULL",
        reader.dialect().id_list(1)
    );
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[json_set(ids), workspace]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("name")?))).collect()
}
