//! Leads as far as their scores go: what these are made from, and what they are.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// What a lead's scores are made from, and what they are now.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Facts {
    pub id: LeadId,
    pub pipeline_id: String,
    pub stage_id: String,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub country_code: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub message: Option<String>,
    pub source_name: String,
    pub custom_fields: Map<String, Value>,
    pub session_duration_seconds: Option<i64>,
    pub max_scroll_percent: Option<i64>,
    pub click_count: Option<i64>,
    pub return_visits: Option<i64>,
    pub last_submission_at: Timestamp,
    pub last_visit_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub scores: Scores,
}

/// What a lead's row says of its scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Scores {
    pub id: LeadId,
    pub score: i64,
    pub score_reasons: Value,
    pub engagement: Option<i64>,
    pub engagement_reasons: Option<Value>,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub score_version: i64,
}

const SCORE_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("score", Kind::Integer),
    ("score_reasons", Kind::Json),
    ("engagement", Kind::Integer),
    ("engagement_reasons", Kind::Json),
    ("suspicion", Kind::Integer),
    ("suspicion_reasons", Kind::Json),
    ("score_version", Kind::Integer),
];

/// Locks the leads of a workspace that come after `cursor` by creation and id, `limit` of them at most.
///
/// # Errors
/// Where the database fails.
pub async fn lock_after(
    tx: &mut Tx,
    workspace: WorkspaceId,
    cursor: Option<(Timestamp, LeadId)>,
    limit: i64,
) -> Result<Vec<Facts>, Error> {
    let dialect = tx.dialect();
    // By `leads_by_creation`.
    let (after, mut params) = match cursor {
        None => ("", Vec::new()),
        Some((at, id)) => ("AND (created_at, id) > ($3, $4)", params![at, id].to_vec()),
    };
    let sql = format!(
        "{} WHERE workspace_id = $1 AND deleted_at IS NULL {after} ORDER BY created_at, id LIMIT $2 {}",
        select(dialect),
        dialect.for_update()
    );
    let mut all = params![workspace, limit].to_vec();
    all.append(&mut params);
    tx.query(&sql, &all).await?.iter().map(read).collect()
}

/// The newest leads of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn newest(reader: &Reader, workspace: WorkspaceId, limit: i64) -> Result<Vec<Facts>, Error> {
    let sql = format!(
        "{} WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at DESC, id DESC LIMIT $2",
        select(reader.dialect())
    );
    reader.query(&sql, &params![workspace, limit]).await?.iter().map(read).collect()
}

/// How many leads a workspace has.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS n FROM lead_stage_counts WHERE workspace_id = $1";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Writes scores. The rows must be locked (see [`lock_after`]). Nobody changed the lead, so `updated_at` stays.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn update(tx: &mut Tx, workspace: WorkspaceId, rows: &[Scores]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let names = SCORE_COLUMNS.iter().skip(1).map(|(name, _)| format!("{name} = r.{name}"));
    let sql = format!(
        "UPDATE leads SET {}, version = leads.version + 1 FROM {} WHERE leads.id = r.id AND leads.workspace_id = $2",
        names.collect::<Vec<_>>().join(", "),
        tx.dialect().set(1, SCORE_COLUMNS),
    );
    let [workspace] = params![workspace];
    let changed = tx.execute(&sql, &[json_set(rows), workspace]).await?;
    if changed == rows.len() as u64 { Ok(()) } else { Err(Error::Contended) }
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, CAST(pipeline_id AS TEXT) AS pipeline_id, CAST(stage_id AS TEXT) AS stage_id, name, email, phone,
                country_code, company, title, message, source_name, {custom} AS custom_fields,
                session_duration_seconds, max_scroll_percent, click_count, return_visits, last_submission_at,
                last_visit_at, created_at, {scores}
         FROM leads",
        custom = dialect.json_text("custom_fields"),
        scores = score_columns(dialect),
    )
}

fn score_columns(dialect: Dialect) -> String {
    format!(
        "score, {score} AS score_reasons, engagement, {engagement} AS engagement_reasons, suspicion,
         {suspicion} AS suspicion_reasons, score_version",
        score = dialect.json_text("score_reasons"),
        engagement = dialect.json_text("engagement_reasons"),
        suspicion = dialect.json_text("suspicion_reasons"),
    )
}

fn read(row: &Row) -> Result<Facts, Error> {
    Ok(Facts {
        id: row.get("id")?,
        pipeline_id: row.get("pipeline_id")?,
        stage_id: row.get("stage_id")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        country_code: row.get("country_code")?,
        company: row.get("company")?,
        title: row.get("title")?,
        message: row.get("message")?,
        source_name: row.get("source_name")?,
        custom_fields: row.json("custom_fields")?,
        session_duration_seconds: row.get("session_duration_seconds")?,
        max_scroll_percent: row.get("max_scroll_percent")?,
        click_count: row.get("click_count")?,
        return_visits: row.get("return_visits")?,
        last_submission_at: row.get("last_submission_at")?,
        last_visit_at: row.get("last_visit_at")?,
        created_at: row.get("created_at")?,
        scores: read_scores(row)?,
    })
}

fn read_scores(row: &Row) -> Result<Scores, Error> {
    let engagement: Option<String> = row.get("engagement_reasons")?;
    Ok(Scores {
        id: row.get("id")?,
        score: row.get("score")?,
        score_reasons: row.json("score_reasons")?,
        engagement: row.get("engagement")?,
        engagement_reasons: engagement.and_then(|reasons| serde_json::from_str(&reasons).ok()),
        suspicion: row.get("suspicion")?,
        suspicion_reasons: row.json("suspicion_reasons")?,
        score_version: row.get("score_version")?,
    })
}
