//! Personal alerts: what one user should look at, until they have seen it. They name leads and tasks by ids alone.

use leadline_domain::{
    ids::{LeadId, PersonalAlertId, TaskId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Page, Reader, Row, Tx, json_set, params},
};

/// An alert that is to be shown.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `personal_alerts` under their own names")]
pub struct NewPersonalAlert {
    pub id: PersonalAlertId,
    pub workspace_id: WorkspaceId,
    pub user_id: UserId,
    pub kind: &'static str,
    pub lead_id: Option<LeadId>,
    pub task_id: Option<TaskId>,
    /// How many things it stands for.
    pub n: i64,
    pub created_at: i64,
}

const NEW_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("user_id", Kind::Id),
    ("kind", Kind::Text),
    ("lead_id", Kind::Id),
    ("task_id", Kind::Id),
    ("n", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// Shows alerts. One that is there already stands for more from now on, and is to be seen again.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, alerts: &[NewPersonalAlert]) -> Result<(), Error> {
    let again = "ON CONFLICT (id) DO UPDATE SET n = personal_alerts.n + excluded.n, seen_at = NULL,
                                                created_at = excluded.created_at";
    tx.insert_set("personal_alerts", NEW_COLUMNS, alerts, again).await.map(drop)
}

/// An alert as it is shown.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `personal_alerts` under their own names")]
pub struct PersonalAlert {
    pub id: PersonalAlertId,
    pub kind: String,
    pub lead_id: Option<LeadId>,
    pub task_id: Option<TaskId>,
    pub n: i64,
    pub created_at: Timestamp,
    pub lead_name: Option<String>,
    pub task_title: Option<String>,
}

/// What a user has not seen yet, the newest first. By `personal_alerts_unseen`.
///
/// # Errors
/// Where the database fails.
pub async fn list_unseen(
    reader: &Reader,
    workspace: WorkspaceId,
    user: UserId,
    (limit, offset): (i64, i64),
) -> Result<Page<PersonalAlert>, Error> {
    let sql = "SELECT a.id, a.kind, a.lead_id, a.task_id, a.n, a.created_at,
                      (SELECT l.name FROM leads AS l WHERE l.id = a.lead_id AND l.deleted_at IS NULL) AS lead_name,
                      (SELECT t.title FROM tasks AS t WHERE t.id = a.task_id) AS task_title
               FROM personal_alerts AS a WHERE a.workspace_id = $1 AND a.user_id = $2 AND a.seen_at IS NULL
               ORDER BY a.created_at DESC, a.id DESC LIMIT $3 OFFSET $4";
    let rows = reader.query(sql, &params![workspace, user, limit, offset]).await?;
    let count = "SELECT count(*) AS n FROM (SELECT id FROM personal_alerts
                     WHERE workspace_id = $1 AND user_id = $2 AND seen_at IS NULL LIMIT 10001) AS q";
    let counted = reader.count(count, &params![workspace, user]).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

/// Notes that a user has seen one of their alerts, or all of them; tells how many those were.
///
/// # Errors
/// Where the database fails.
pub async fn mark_seen(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    id: Option<PersonalAlertId>,
    now: Timestamp,
) -> Result<u64, Error> {
    let all = "UPDATE personal_alerts SET seen_at = $3 WHERE workspace_id = $1 AND user_id = $2 AND seen_at IS NULL";
    match id {
        None => tx.execute(all, &params![workspace, user, now]).await,
        Some(id) => tx.execute(&format!("{all} AND id = $4"), &params![workspace, user, now, id]).await,
    }
}

/// Takes away what was told of a task that is done or gone.
///
/// # Errors
/// Where the database fails.
pub async fn delete_of_task(tx: &mut Tx, task: TaskId) -> Result<(), Error> {
    tx.execute("DELETE FROM personal_alerts WHERE task_id = $1", &params![task]).await.map(drop)
}

/// Takes away what was told of leads, of these kinds: it is over.
///
/// # Errors
/// Where the database fails.
pub async fn delete_of_leads(tx: &mut Tx, leads: &[LeadId], kinds: &[&str]) -> Result<(), Error> {
    if leads.is_empty() {
        return Ok(());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "DELETE FROM personal_alerts WHERE lead_id IS NOT NULL AND lead_id IN {} AND kind IN {}",
        dialect.id_list(1),
        dialect.text_list(2)
    );
    tx.execute(&sql, &[json_set(leads), json_set(kinds)]).await.map(drop)
}

/// Deletes alerts that were made before `before`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM personal_alerts WHERE id IN
               (SELECT id FROM personal_alerts WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

fn read(row: &Row) -> Result<PersonalAlert, Error> {
    Ok(PersonalAlert {
        id: row.get("id")?,
        kind: row.get("kind")?,
        lead_id: row.get("lead_id")?,
        task_id: row.get("task_id")?,
        n: row.get("n")?,
        created_at: row.get("created_at")?,
        lead_name: row.get("lead_name")?,
        task_title: row.get("task_title")?,
    })
}
