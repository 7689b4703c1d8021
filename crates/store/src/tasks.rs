//! Tasks: what somebody means to do, with or without a lead, and when they want to be reminded.

use leadline_domain::{
    ids::{LeadId, TaskId, UserId, WorkspaceId},
    tasks::Times,
    time::Timestamp,
};

use crate::{
    dialect::Dialect,
    sql::{COUNT_CAP, Error, IntoParam, Page, Param, Reader, Row, Tx, params},
};

/// Where tasks stand that are due at no time: behind all others.
const NEVER: i64 = 253_402_300_799_000;

/// A task.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `tasks` under their own names")]
pub struct Task {
    pub id: TaskId,
    pub lead_id: Option<LeadId>,
    pub title: String,
    pub assignee_id: UserId,
    pub times: Times,
    pub done_by_name: Option<String>,
    pub made_by: Option<UserId>,
    pub made_by_name: String,
    /// Grows with every change.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A task with the names of what it points at.
#[derive(Debug, Clone)]
pub struct ListedTask {
    /// The task.
    pub task: Task,
    /// Whose it is; nothing, where that user is gone.
    pub assignee_name: Option<String>,
    /// The name of its lead.
    pub lead_name: Option<String>,
}

/// Which tasks somebody wants to see. Those of deleted leads are not among them.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaskFilter {
    /// Those of one user.
    pub assignee: Option<UserId>,
    /// Those of one lead.
    pub lead: Option<LeadId>,
    /// Those that are done, the latest first; else those that are not, the most urgent first.
    pub are_done: bool,
    /// Those that are due from then on.
    pub due_from: Option<Timestamp>,
    /// Those that are due before.
    pub due_before: Option<Timestamp>,
}

/// A page of tasks.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &TaskFilter,
    (limit, offset): (i64, i64),
) -> Result<Page<ListedTask>, Error> {
    let mut values: Vec<Param> = Vec::new();
    let condition = condition(reader.dialect(), workspace, filter, &mut values);
    let order = if filter.are_done { "t.done_at DESC, t.id DESC" } else { "t.sort_at, t.id" };
    let count = format!(
        "SELECT count(*) AS n FROM (SELECT t.id FROM tasks AS t WHERE {condition} LIMIT {}) AS q",
        COUNT_CAP + 1
    );
    let counted = reader.count(&count, &values).await?;
    values.extend([limit.param(), offset.param()]);
    let sql =
        format!("{LISTED} WHERE {condition} ORDER BY {order} LIMIT ${} OFFSET ${}", values.len() - 1, values.len());
    let rows = reader.query(&sql, &values).await?;
    Ok(Page::new(rows.iter().map(read_listed).collect::<Result<_, _>>()?, counted))
}

/// By `tasks_open`, `tasks_open_of_user` or their like for those that are done; those of one lead by `tasks_of_lead`.
fn condition(dialect: Dialect, workspace: WorkspaceId, filter: &TaskFilter, values: &mut Vec<Param>) -> String {
    let mut param = |value: Param| {
        values.push(value);
        values.len()
    };
    let workspace = param(workspace.param());
    let mut parts = Vec::new();
    match filter.lead {
        None => parts.push(format!("t.workspace_id = ${workspace}")),
        Some(lead) => {
            parts.push(dialect.equal_unindexed("t.workspace_id", workspace));
            parts.push(format!("t.lead_id = ${}", param(lead.param())));
        }
    }
    if let Some(assignee) = filter.assignee {
        parts.push(format!("t.assignee_id = ${}", param(assignee.param())));
    }
    parts.push(if filter.are_done { "t.done_at IS NOT NULL" } else { "t.done_at IS NULL" }.to_owned());
    if let Some(from) = filter.due_from {
        parts.push(format!("t.sort_at >= ${}", param(from.param())));
    }
    if let Some(before) = filter.due_before {
        parts.push(format!("t.sort_at < ${}", param(before.param())));
    }
    let of_living = "(t.lead_id IS NULL
                      OR EXISTS (SELECT 1 FROM leads AS l WHERE l.id = t.lead_id AND l.deleted_at IS NULL))";
    parts.push(of_living.to_owned());
    parts.join(" AND ")
}

/// One task.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: TaskId) -> Result<Option<ListedTask>, Error> {
    let sql = format!("{LISTED} WHERE t.id = $1 AND t.workspace_id = $2");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_listed).transpose()
}

/// One task, that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: TaskId) -> Result<Option<Task>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM tasks AS t WHERE t.id = $1 AND t.workspace_id = $2 {}",
        tx.dialect().for_update()
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Inserts a task, or writes one that is locked.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, workspace: WorkspaceId, task: &Task) -> Result<(), Error> {
    let sql =
        "INSERT INTO tasks (id, workspace_id, lead_id, title, assignee_id, due_at, sort_at, remind_at, reminded_at,
                   overdue_told_at, next_at, done_at, done_by_name, made_by, made_by_name, version, created_at,
                   updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
               ON CONFLICT (id) DO UPDATE SET title = excluded.title, assignee_id = excluded.assignee_id,
                   due_at = excluded.due_at, sort_at = excluded.sort_at, remind_at = excluded.remind_at,
                   reminded_at = excluded.reminded_at, overdue_told_at = excluded.overdue_told_at,
                   next_at = excluded.next_at, done_at = excluded.done_at, done_by_name = excluded.done_by_name,
                   version = excluded.version, updated_at = excluded.updated_at";
    let times = task.times;
    let values = params![
        task.id,
        workspace,
        task.lead_id,
        task.title,
        task.assignee_id,
        times.due_at,
        times.due_at.map_or(NEVER, |at| at.0),
        times.remind_at,
        times.reminded_at,
        times.overdue_told_at,
        times.next().map(|(at, _)| at),
        times.done_at,
        task.done_by_name,
        task.made_by,
        task.made_by_name,
        task.version,
        task.created_at,
        task.updated_at,
    ];
    tx.execute(sql, &values).await.map(drop)
}

/// Deletes a task and tells whether it was there.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: TaskId) -> Result<bool, Error> {
    let sql = "DELETE FROM tasks WHERE id = $1 AND workspace_id = $2";
    Ok(tx.execute(sql, &params![id, workspace]).await? == 1)
}

/// A task of which something is to be told.
#[derive(Debug, Clone)]
pub struct DueTask {
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// The task.
    pub task: Task,
    /// Whether its lead is deleted, so that nothing is told.
    pub is_void: bool,
}

/// Whether something is to be told of a task. By `tasks_next`.
///
/// # Errors
/// Where the database fails.
pub async fn is_due(reader: &Reader, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT id FROM tasks WHERE next_at <= $1 ORDER BY next_at LIMIT 1";
    Ok(reader.query_one(sql, &params![now]).await?.is_some())
}

/// Takes tasks of which something is to be told, so that another node takes others.
///
/// # Errors
/// Where the database fails.
pub async fn claim_due(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<DueTask>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, t.workspace_id,
                EXISTS (SELECT 1 FROM leads AS l WHERE l.id = t.lead_id AND l.deleted_at IS NOT NULL) AS is_void
         FROM tasks AS t WHERE t.next_at <= $1 ORDER BY t.next_at LIMIT $2 {}",
        tx.dialect().skip_locked()
    );
    let rows = tx.query(&sql, &params![now, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(DueTask { workspace_id: row.get("workspace_id")?, task: read(row)?, is_void: row.get("is_void")? })
        })
        .collect()
}

/// Notes what was told of a task, and when the next thing is to be; nothing more where `next` is none.
///
/// # Errors
/// Where the database fails.
pub async fn note_told(tx: &mut Tx, id: TaskId, times: &Times, next: Option<Timestamp>) -> Result<(), Error> {
    let sql = "UPDATE tasks SET reminded_at = $2, overdue_told_at = $3, next_at = $4 WHERE id = $1";
    tx.execute(sql, &params![id, times.reminded_at, times.overdue_told_at, next]).await.map(drop)
}

const COLUMNS: &str =
    "t.id, t.lead_id, t.title, t.assignee_id, t.due_at, t.remind_at, t.reminded_at, t.overdue_told_at,
    t.done_at, t.done_by_name, t.made_by, t.made_by_name, t.version, t.created_at, t.updated_at";

const LISTED: &str = "SELECT t.id, t.lead_id, t.title, t.assignee_id, t.due_at, t.remind_at, t.reminded_at,
        t.overdue_told_at, t.done_at, t.done_by_name, t.made_by, t.made_by_name, t.version, t.created_at, t.updated_at,
        (SELECT u.name FROM users AS u WHERE u.id = t.assignee_id) AS assignee_name,
        (SELECT l.name FROM leads AS l WHERE l.id = t.lead_id) AS lead_name
    FROM tasks AS t";

fn read_listed(row: &Row) -> Result<ListedTask, Error> {
    Ok(ListedTask { task: read(row)?, assignee_name: row.get("assignee_name")?, lead_name: row.get("lead_name")? })
}

fn read(row: &Row) -> Result<Task, Error> {
    Ok(Task {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        title: row.get("title")?,
        assignee_id: row.get("assignee_id")?,
        times: Times {
            due_at: row.get("due_at")?,
            remind_at: row.get("remind_at")?,
            reminded_at: row.get("reminded_at")?,
            overdue_told_at: row.get("overdue_told_at")?,
            done_at: row.get("done_at")?,
        },
        done_by_name: row.get("done_by_name")?,
        made_by: row.get("made_by")?,
        made_by_name: row.get("made_by_name")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
