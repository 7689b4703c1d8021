//! Analyses of messages: what waits to be analysed, what came of it, and what each workspace wants looked for.
//!
//! The queue is one for all workspaces, like that of deliveries. A job that is leased is due again when its lease ends;
//! each lease counts the attempt up, and a result counts only while its attempt is the newest.

use leadline_domain::{
    ids::{LeadId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set, params},
};

/// What a workspace wants of analyses.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `lead_analysis_settings` under their own names")]
pub struct Settings {
    pub is_enabled: bool,
    pub keywords: Vec<String>,
    pub topics: Vec<OwnTopic>,
    /// Whether the endpoint is asked.
    pub endpoint_enabled: bool,
    pub base_url: Option<String>,
    pub model: Option<String>,
    pub key_sealed: Option<String>,
    pub key_last4: Option<String>,
    /// Whether what names people is taken out before a message leaves.
    pub redacts: bool,
    pub timeout_seconds: i64,
    pub updated_at: Timestamp,
}

/// A topic of a workspace's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnTopic {
    /// What it is called.
    pub name: String,
    /// The words that speak for it.
    pub words: Vec<String>,
}

/// Who does a job: ourselves, at once, or an endpoint that may take its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Ourselves.
    Offline,
    /// The workspace's endpoint.
    Endpoint,
}

impl Lane {
    fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Endpoint => "endpoint",
        }
    }
}

const SETTINGS_COLUMNS: &str = "is_enabled, endpoint_enabled, base_url, model, key_sealed, key_last4, redacts,
    timeout_seconds, updated_at";

fn select_settings(dialect: Dialect) -> String {
    format!(
        "SELECT workspace_id, {SETTINGS_COLUMNS}, {keywords} AS keywords, {topics} AS topics FROM lead_analysis_settings",
        keywords = dialect.json_text("keywords"),
        topics = dialect.json_text("topics"),
    )
}

/// What a workspace has set; `None` where it never did.
///
/// # Errors
/// Where the database fails.
pub async fn find_settings(reader: &Reader, workspace: WorkspaceId) -> Result<Option<Settings>, Error> {
    let sql = format!("{} WHERE workspace_id = $1", select_settings(reader.dialect()));
    reader.query_one(&sql, &params![workspace]).await?.as_ref().map(read_settings).transpose()
}

/// The same, to be changed: nobody else changes it until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock_settings(tx: &mut Tx, workspace: WorkspaceId) -> Result<Option<Settings>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE workspace_id = $1 {}", select_settings(dialect), dialect.for_update());
    tx.query_one(&sql, &params![workspace]).await?.as_ref().map(read_settings).transpose()
}

/// What these workspaces have set.
///
/// # Errors
/// Where the database fails.
pub async fn settings_of(tx: &mut Tx, workspaces: &[WorkspaceId]) -> Result<Vec<(WorkspaceId, Settings)>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE workspace_id IN {}", select_settings(dialect), dialect.id_list(1));
    let rows = tx.query(&sql, &[json_set(workspaces)]).await?;
    rows.iter().map(|row| Ok((row.get("workspace_id")?, read_settings(row)?))).collect()
}

fn read_settings(row: &Row) -> Result<Settings, Error> {
    Ok(Settings {
        is_enabled: row.get("is_enabled")?,
        keywords: row.json("keywords")?,
        topics: row.json("topics")?,
        endpoint_enabled: row.get("endpoint_enabled")?,
        base_url: row.get("base_url")?,
        model: row.get("model")?,
        key_sealed: row.get("key_sealed")?,
        key_last4: row.get("key_last4")?,
        redacts: row.get("redacts")?,
        timeout_seconds: row.get("timeout_seconds")?,
        updated_at: row.get("updated_at")?,
    })
}

/// Writes what a workspace wants.
///
/// # Errors
/// Where the database fails.
pub async fn save_settings(tx: &mut Tx, workspace: WorkspaceId, settings: &Settings) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO lead_analysis_settings (workspace_id, {SETTINGS_COLUMNS}, keywords, topics)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, {keywords}, {topics})
         ON CONFLICT (workspace_id) DO UPDATE SET is_enabled = excluded.is_enabled,
             endpoint_enabled = excluded.endpoint_enabled, base_url = excluded.base_url, model = excluded.model,
             key_sealed = excluded.key_sealed, key_last4 = excluded.key_last4, redacts = excluded.redacts,
             timeout_seconds = excluded.timeout_seconds, updated_at = excluded.updated_at,
             keywords = excluded.keywords, topics = excluded.topics",
        keywords = dialect.json(11),
        topics = dialect.json(12),
    );
    let lists = [json_set(&settings.keywords), json_set(&settings.topics)];
    let mut values = params![
        workspace,
        settings.is_enabled,
        settings.endpoint_enabled,
        settings.base_url,
        settings.model,
        settings.key_sealed,
        settings.key_last4,
        settings.redacts,
        settings.timeout_seconds,
        settings.updated_at,
    ]
    .to_vec();
    values.extend(lists);
    tx.execute(&sql, &values).await.map(drop)
}

/// Puts submissions with a message into the queue, each once, and tells how many went in. Those of workspaces that want
/// no analyses stay out.
///
/// # Errors
/// Where the database fails.
pub async fn enqueue(tx: &mut Tx, submissions: &[SubmissionId], now: Timestamp) -> Result<u64, Error> {
    if submissions.is_empty() {
        return Ok(0);
    }
    // Submissions are found by their primary key.
    let sql = format!(
        "INSERT INTO lead_analyses (submission_id, workspace_id, lead_id, lane, state, attempt_count, due_at, received_at)
         SELECT s.id, s.workspace_id, s.lead_id,
                CASE WHEN c.endpoint_enabled THEN 'endpoint' ELSE 'offline' END, 'pending', 0, $2, s.received_at
         FROM lead_submissions AS s LEFT JOIN lead_analysis_settings AS c ON c.workspace_id = s.workspace_id
         WHERE s.id IN {ids} AND s.message IS NOT NULL AND (c.is_enabled IS NULL OR c.is_enabled)
         ON CONFLICT (submission_id) DO NOTHING",
        ids = tx.dialect().id_list(1),
    );
    tx.execute(&sql, &[json_set(submissions), now.param()]).await
}

/// Whether something is due.
///
/// # Errors
/// Where the database fails.
pub async fn is_due(reader: &Reader, lane: Lane, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT due_at FROM lead_analyses WHERE lane = $1 AND state = 'pending' AND due_at <= $2
               ORDER BY due_at LIMIT 1";
    Ok(reader.query_one(sql, &params![lane.as_str(), now]).await?.is_some())
}

/// A message to be analysed.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of their tables under their own names")]
pub struct Job {
    pub submission_id: SubmissionId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    /// The number of this attempt.
    pub attempt_count: i64,
    pub message: String,
    /// What its writer is called, in all spellings that are known.
    pub names: Vec<String>,
    /// Their addresses and numbers.
    pub contacts: Vec<String>,
}

/// Leases what has waited longest until `until`.
///
/// # Errors
/// Where the database fails.
pub async fn lease(tx: &mut Tx, lane: Lane, limit: usize, now: Timestamp, until: Timestamp) -> Result<Vec<Job>, Error> {
    let dialect = tx.dialect();
    let pick = format!(
        "SELECT submission_id FROM lead_analyses WHERE lane = $1 AND state = 'pending' AND due_at <= $2
         ORDER BY due_at LIMIT $3 {}",
        dialect.skip_locked()
    );
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let picked = tx.query(&pick, &params![lane.as_str(), now, limit]).await?;
    let ids: Vec<SubmissionId> = picked.iter().map(|row| row.get("submission_id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = dialect.id_list(1);
    let lease = format!(
        "UPDATE lead_analyses SET due_at = $2, attempt_count = attempt_count + 1 WHERE submission_id IN {list}"
    );
    tx.execute(&lease, &[json_set(&ids), until.param()]).await?;
    let load = format!(
        "SELECT a.submission_id, a.workspace_id, a.lead_id, a.attempt_count, coalesce(s.message, '') AS message,
                s.name, s.email, s.phone, l.name AS lead_name, l.email AS lead_email, l.phone AS lead_phone
         FROM lead_analyses AS a JOIN lead_submissions AS s ON s.id = a.submission_id
         JOIN leads AS l ON l.id = a.lead_id WHERE a.submission_id IN {list} ORDER BY a.submission_id"
    );
    tx.query(&load, &[json_set(&ids)]).await?.iter().map(read_job).collect()
}

fn read_job(row: &Row) -> Result<Job, Error> {
    let texts = |columns: &[&str]| -> Result<Vec<String>, Error> {
        let read = columns.iter().map(|column| row.get::<Option<String>>(column)).collect::<Result<Vec<_>, _>>()?;
        Ok(read.into_iter().flatten().collect())
    };
    Ok(Job {
        submission_id: row.get("submission_id")?,
        workspace_id: row.get("workspace_id")?,
        lead_id: row.get("lead_id")?,
        attempt_count: row.get("attempt_count")?,
        message: row.get("message")?,
        names: texts(&["name", "lead_name"])?,
        contacts: texts(&["email", "phone", "lead_email", "lead_phone"])?,
    })
}

/// What came of a job: a result, or none where its workspace wants none any more.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_analyses` under their own names")]
pub struct Finished {
    pub submission_id: SubmissionId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub attempt_count: i64,
    pub state: &'static str,
    pub result: Option<Value>,
}

const FINISHED_COLUMNS: Columns = &[
    ("submission_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("attempt_count", Kind::Integer),
    ("state", Kind::Text),
    ("result", Kind::Json),
];

/// Records results, also on the leads whose newest message they are of, and gives those that counted: whose attempt was
/// still the newest.
///
/// # Errors
/// Where the database fails.
pub async fn finish(tx: &mut Tx, rows: &[Finished], now: Timestamp) -> Result<Vec<SubmissionId>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    // Who changes leads locks them in the order of their ids.
    let lock = format!("SELECT id FROM leads WHERE id IN {} ORDER BY id {}", dialect.id_list(1), dialect.for_update());
    let leads: Vec<LeadId> = rows.iter().map(|row| row.lead_id).collect();
    tx.query(&lock, &[json_set(&leads)]).await?;
    let set = dialect.set(1, FINISHED_COLUMNS);
    let record = format!(
        "UPDATE lead_analyses SET state = r.state, result = r.result, finished_at = $2
         FROM {set} WHERE lead_analyses.submission_id = r.submission_id AND lead_analyses.state = 'pending'
             AND lead_analyses.attempt_count = r.attempt_count RETURNING lead_analyses.submission_id"
    );
    let counted = tx.query(&record, &[json_set(rows), now.param()]).await?;
    let counted: Vec<SubmissionId> = counted.iter().map(|row| row.get("submission_id")).collect::<Result<_, _>>()?;
    let with_result: Vec<&Finished> =
        rows.iter().filter(|row| row.result.is_some() && counted.contains(&row.submission_id)).collect();
    let update = format!(
        "UPDATE leads SET lead_analysis = r.result, updated_at = $2, version = version + 1
         FROM {set} JOIN lead_analyses AS mine ON mine.submission_id = r.submission_id
         WHERE leads.id = r.lead_id AND leads.workspace_id = r.workspace_id AND NOT EXISTS
             (SELECT 1 FROM lead_analyses AS newer WHERE newer.lead_id = r.lead_id AND newer.state = 'done'
              AND newer.received_at > mine.received_at)"
    );
    tx.execute(&update, &[json_set(&with_result), now.param()]).await?;
    Ok(counted)
}

/// Gives leases back: jobs that were begun and not ended.
///
/// # Errors
/// Where the database fails.
pub async fn release(tx: &mut Tx, submissions: &[SubmissionId], now: Timestamp) -> Result<(), Error> {
    if submissions.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE lead_analyses SET due_at = $2 WHERE submission_id IN {} AND state = 'pending'",
        tx.dialect().id_list(1)
    );
    tx.execute(&sql, &[json_set(submissions), now.param()]).await.map(drop)
}

/// Puts the newest message of a lead into the queue once more, as the workspace's settings are now. Tells whether the
/// lead has one.
///
/// # Errors
/// Where the database fails.
pub async fn enqueue_again(tx: &mut Tx, workspace: WorkspaceId, lead: LeadId, now: Timestamp) -> Result<bool, Error> {
    // Read through the index of a lead's submissions.
    let newest = "SELECT id FROM lead_submissions WHERE lead_id = $1 AND workspace_id = $2 AND message IS NOT NULL
                  ORDER BY received_at DESC, id DESC LIMIT 1";
    let Some(row) = tx.query_one(newest, &params![lead, workspace]).await? else { return Ok(false) };
    let submission: SubmissionId = row.get("id")?;
    enqueue(tx, &[submission], now).await?;
    // A lease that is under way ends in nothing: its attempt is not the newest any more.
    let again = "UPDATE lead_analyses SET state = 'pending', due_at = $2, attempt_count = attempt_count + 1,
                     lane = coalesce((SELECT CASE WHEN endpoint_enabled THEN 'endpoint' ELSE 'offline' END
                                      FROM lead_analysis_settings AS c
                                      WHERE c.workspace_id = lead_analyses.workspace_id), 'offline')
                 WHERE submission_id = $1";
    tx.execute(again, &params![submission, now]).await?;
    Ok(true)
}
