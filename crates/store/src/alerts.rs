//! Alerts: what somebody should look at, once each while it lasts. And the sources that are watched for silence.

use leadline_domain::{
    ids::{AlertId, DestinationId, ProjectId, SourceId, WorkspaceId},
    silence::BusinessHours,
    time::Timestamp,
};
use serde_json::Value;
use uuid::Uuid;

use crate::sql::{Error, Page, Reader, Row, Tx, params};

/// Something that somebody should look at.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `alerts` under their own names")]
pub struct Alert {
    pub id: AlertId,
    pub workspace_id: WorkspaceId,
    /// The event that opened it: `source.silent`, `destination.failing`, `ledger.differs`, `retention.held`,
    /// `dead_letters.leaving`.
    pub kind: String,
    /// What it is about.
    pub subject_id: Uuid,
    pub subject_name: String,
    pub data: Value,
    pub opened_at: Timestamp,
    pub acknowledged_at: Option<Timestamp>,
    pub acknowledged_by: Option<String>,
    pub closed_at: Option<Timestamp>,
}

/// Opens an alert and tells whether it was not open yet: one thing has one open alert of a kind.
///
/// # Errors
/// Where the database fails.
pub async fn open(tx: &mut Tx, alert: &Alert) -> Result<bool, Error> {
    let sql = format!(
        "INSERT INTO alerts (id, workspace_id, kind, subject_id, subject_name, data, opened_at)
         VALUES ($1, $2, $3, $4, $5, {data}, $7)
         ON CONFLICT (workspace_id, kind, subject_id) WHERE closed_at IS NULL DO NOTHING",
        data = tx.dialect().json(6),
    );
    let subject = SourceId(alert.subject_id);
    let values =
        params![alert.id, alert.workspace_id, alert.kind, subject, alert.subject_name, alert.data, alert.opened_at];
    Ok(tx.execute(&sql, &values).await? == 1)
}

/// Closes an alert that is open, and tells whether it was.
///
/// # Errors
/// Where the database fails.
pub async fn close(
    tx: &mut Tx,
    workspace: WorkspaceId,
    kind: &str,
    subject: Uuid,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "UPDATE alerts SET closed_at = $4
               WHERE workspace_id = $1 AND kind = $2 AND subject_id = $3 AND closed_at IS NULL";
    Ok(tx.execute(sql, &params![workspace, kind, SourceId(subject), now]).await? == 1)
}

/// Closes the open alerts of a kind in every workspace.
///
/// # Errors
/// Where the database fails.
pub async fn close_everywhere(tx: &mut Tx, kind: &str, now: Timestamp) -> Result<u64, Error> {
    tx.execute("UPDATE alerts SET closed_at = $2 WHERE kind = $1 AND closed_at IS NULL", &params![kind, now]).await
}

/// Every open alert of a kind.
///
/// # Errors
/// Where the database fails.
pub async fn list_open(tx: &mut Tx, kind: &str) -> Result<Vec<Alert>, Error> {
    let sql = format!("{} WHERE kind = $1 AND closed_at IS NULL", select(&tx.dialect().json_text("data")));
    tx.query(&sql, &params![kind]).await?.iter().map(read).collect()
}

/// Notes who has seen an alert, and gives it. `None` where the workspace has none of this id.
///
/// # Errors
/// Where the database fails.
pub async fn acknowledge(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: AlertId,
    by: &str,
    now: Timestamp,
) -> Result<Option<Alert>, Error> {
    let sql = "UPDATE alerts SET acknowledged_at = $3, acknowledged_by = $4
               WHERE id = $1 AND workspace_id = $2 AND acknowledged_at IS NULL";
    tx.execute(sql, &params![id, workspace, now, by]).await?;
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2", select(&tx.dialect().json_text("data")));
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A page of the workspace's alerts: the open ones, or those that are closed, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    open: bool,
    limit: i64,
    offset: i64,
) -> Result<Page<Alert>, Error> {
    let which = if open { "closed_at IS NULL" } else { "closed_at IS NOT NULL" };
    let sql = format!(
        "{} WHERE workspace_id = $1 AND {which} ORDER BY opened_at DESC, id DESC LIMIT $2 OFFSET $3",
        select(&reader.dialect().json_text("data"))
    );
    let rows = reader.query(&sql, &params![workspace, limit, offset]).await?;
    let count = format!("SELECT count(*) AS n FROM alerts WHERE workspace_id = $1 AND {which}");
    let total = reader.count(&count, &params![workspace]).await?;
    Ok(Page { rows: rows.iter().map(read).collect::<Result<_, _>>()?, total, total_is_capped: false })
}

/// Deletes alerts that were closed before `before`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_closed(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM alerts WHERE id IN (SELECT id FROM alerts WHERE closed_at < $1 LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

fn select(data: &str) -> String {
    format!(
        "SELECT id, workspace_id, kind, subject_id, subject_name, {data} AS data, opened_at, acknowledged_at,
             acknowledged_by, closed_at
         FROM alerts"
    )
}

fn read(row: &Row) -> Result<Alert, Error> {
    let subject: SourceId = row.get("subject_id")?;
    Ok(Alert {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        kind: row.get("kind")?,
        subject_id: subject.0,
        subject_name: row.get("subject_name")?,
        data: row.json("data")?,
        opened_at: row.get("opened_at")?,
        acknowledged_at: row.get("acknowledged_at")?,
        acknowledged_by: row.get("acknowledged_by")?,
        closed_at: row.get("closed_at")?,
    })
}

/// How a source is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `source_watches` under their own names")]
pub struct Watch {
    pub silent_after_minutes: i64,
    pub cooldown_minutes: i64,
    pub business_hours: Option<BusinessHours>,
    pub watched_since: Timestamp,
    pub alerted_at: Option<Timestamp>,
}

/// A source as far as its health goes.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "named as the columns they come from")]
pub struct SourceHealth {
    pub id: SourceId,
    pub workspace_id: WorkspaceId,
    pub project_id: ProjectId,
    pub kind: String,
    pub name: String,
    pub last_received_at: Option<Timestamp>,
    /// How it is watched, where it is.
    pub watch: Option<Watch>,
    /// What was set for its workspace.
    pub workspace_settings: Value,
    /// Its open alert of silence.
    pub alert: Option<Value>,
}

/// The workspace's sources with their health, by name. Few columns of a list that is bounded elsewhere as well; read by
/// `sources_of_workspace`, and the rest by primary keys and `alerts_open`.
///
/// # Errors
/// Where the database fails.
pub async fn list_health(
    reader: &Reader,
    workspace: WorkspaceId,
    source: Option<SourceId>,
) -> Result<Vec<SourceHealth>, Error> {
    let (condition, values) = match source {
        Some(source) => ("s.workspace_id = $1 AND s.id = $2", params![workspace, source].to_vec()),
        None => ("s.workspace_id = $1", params![workspace].to_vec()),
    };
    let sql = health_sql(reader.dialect(), "LEFT JOIN", condition);
    reader.query(&sql, &values).await?.iter().map(read_health).collect()
}

/// Every source of the installation that is watched.
///
/// # Errors
/// Where the database fails.
pub async fn list_watched(tx: &mut Tx) -> Result<Vec<SourceHealth>, Error> {
    let sql = health_sql(tx.dialect(), "JOIN", "true");
    tx.query(&sql, &[]).await?.iter().map(read_health).collect()
}

fn health_sql(dialect: crate::Dialect, join: &str, condition: &str) -> String {
    format!(
        "SELECT s.id, s.workspace_id, s.project_id, s.kind, s.name, s.last_received_at, w.silent_after_minutes,
             w.cooldown_minutes, {hours} AS business_hours, w.watched_since, w.alerted_at, {settings} AS settings,
             {alert} AS alert
         FROM sources s JOIN workspaces o ON o.id = s.workspace_id
         {join} source_watches w ON w.source_id = s.id
         LEFT JOIN alerts a ON a.workspace_id = s.workspace_id AND a.kind = 'source.silent' AND a.subject_id = s.id
              AND a.closed_at IS NULL
         WHERE {condition} AND s.deleted_at IS NULL ORDER BY s.name, s.id LIMIT 10000",
        hours = dialect.json_text("w.business_hours"),
        settings = dialect.json_text("o.settings"),
        alert = dialect.json_text("a.data"),
    )
}

fn read_health(row: &Row) -> Result<SourceHealth, Error> {
    let json = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let silent_after: Option<i64> = row.get("silent_after_minutes")?;
    let watch = match silent_after {
        None => None,
        Some(silent_after_minutes) => Some(Watch {
            silent_after_minutes,
            cooldown_minutes: row.get("cooldown_minutes")?,
            business_hours: row.json("business_hours")?,
            watched_since: row.get("watched_since")?,
            alerted_at: row.get("alerted_at")?,
        }),
    };
    Ok(SourceHealth {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        project_id: row.get("project_id")?,
        kind: row.get("kind")?,
        name: row.get("name")?,
        last_received_at: row.get("last_received_at")?,
        watch,
        workspace_settings: row.json("settings")?,
        alert: json(row.get("alert")?),
    })
}

/// Watches a source, or watches it in another way.
///
/// # Errors
/// Where the database fails.
pub async fn watch(tx: &mut Tx, workspace: WorkspaceId, source: SourceId, watch: &Watch) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO source_watches (source_id, workspace_id, silent_after_minutes, cooldown_minutes, business_hours,
             watched_since)
         VALUES ($1, $2, $3, $4, {hours}, $6)
         ON CONFLICT (source_id) DO UPDATE SET silent_after_minutes = excluded.silent_after_minutes,
             cooldown_minutes = excluded.cooldown_minutes, business_hours = excluded.business_hours",
        hours = tx.dialect().json(5),
    );
    let hours = serde_json::to_value(&watch.business_hours).unwrap_or_default();
    let values =
        params![source, workspace, watch.silent_after_minutes, watch.cooldown_minutes, hours, watch.watched_since];
    tx.execute(&sql, &values).await.map(drop)
}

/// Watches a source no longer.
///
/// # Errors
/// Where the database fails.
pub async fn unwatch(tx: &mut Tx, workspace: WorkspaceId, source: SourceId) -> Result<(), Error> {
    let sql = "DELETE FROM source_watches WHERE source_id = $1 AND workspace_id = $2";
    tx.execute(sql, &params![source, workspace]).await.map(drop)
}

/// Notes that a source was said to be silent.
///
/// # Errors
/// Where the database fails.
pub async fn note_alerted(tx: &mut Tx, source: SourceId, now: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE source_watches SET alerted_at = $2 WHERE source_id = $1", &params![source, now]).await.map(drop)
}

/// A destination to which nothing gets through.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "named as the columns they come from")]
pub struct Failing {
    pub id: DestinationId,
    pub workspace_id: WorkspaceId,
    pub project_id: Option<ProjectId>,
    pub name: String,
    /// Why it was switched off, where it was not by hand.
    pub disabled_reason: Option<String>,
    /// The status of the newest answer.
    pub last_status: Option<i64>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Destinations that refused what was made for them since `since`, and took nothing that was made after it. Those that
/// a receiver switched off (410) are among them until somebody switches them on, and those whose deliveries are held
/// back.
///
/// For each destination it reads from the newest delivery back (`deliveries_of_destination`), one row where all is well.
///
/// # Errors
/// Where the database fails.
pub async fn list_failing(tx: &mut Tx, since: Timestamp) -> Result<Vec<Failing>, Error> {
    let newest = |column: &str, condition: &str| {
        format!(
            "(SELECT d.{column} FROM deliveries d WHERE d.destination_id = t.id AND d.created_at >= $1
                AND {condition} ORDER BY d.created_at DESC LIMIT 1)"
        )
    };
    let failed = "(d.state = 'dead' OR d.state = 'pending' AND d.plan_attempt > 1)";
    let sql = format!(
        "SELECT id, workspace_id, project_id, name, disabled_reason, last_status, last_error FROM (
             SELECT t.id, t.workspace_id, t.project_id, t.name, t.disabled_reason, t.is_active,
                 t.breaker_opened_at,
                 {failed_at} AS failed_at, {delivered_at} AS delivered_at, {status} AS last_status,
                 {error} AS last_error
             FROM destinations t
             WHERE t.deleted_at IS NULL AND (t.is_active OR t.disabled_reason IS NOT NULL)) AS q
         WHERE disabled_reason IS NOT NULL
            OR is_active AND (breaker_opened_at IS NOT NULL
                OR failed_at IS NOT NULL AND (delivered_at IS NULL OR delivered_at < failed_at))
         ORDER BY id",
        failed_at = newest("created_at", failed),
        delivered_at = newest("created_at", "d.state = 'delivered'"),
        status = newest("last_status", failed),
        error = newest("last_error", failed),
    );
    let rows = tx.query(&sql, &params![since]).await?;
    rows.iter()
        .map(|row| {
            Ok(Failing {
                id: row.get("id")?,
                workspace_id: row.get("workspace_id")?,
                project_id: row.get("project_id")?,
                name: row.get("name")?,
                disabled_reason: row.get("disabled_reason")?,
                last_status: row.get("last_status")?,
                last_error: row.get("last_error")?,
            })
        })
        .collect()
}
