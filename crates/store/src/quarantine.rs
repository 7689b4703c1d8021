//! Submissions that were held back: kept for a while with everything needed to accept them later.

use leadline_domain::{
    ids::{LeadId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    capture::{self, IdentityKey},
    dialect::Kind,
    sql::{COUNT_CAP, Columns, Error, Page, Reader, Row, Tx, json_set, params},
};

/// An entry to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `quarantine` under their own names")]
pub struct NewEntry {
    pub id: SubmissionId,
    pub workspace_id: WorkspaceId,
    pub reason: &'static str,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub message: Option<String>,
    /// The fields as they were sent, as a JSON object.
    pub payload: String,
    /// Everything that came, for accepting it later; only the engine reads it.
    pub submission: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub origin: Option<String>,
    pub page_url: Option<String>,
    /// Whom it is from: a repeat is answered with the same lead.
    pub person_key: Option<IdentityKey>,
    /// The lead that the answer named.
    pub answered_lead_id: LeadId,
    pub received_at: i64,
    pub expires_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("reason", Kind::Text),
    ("suspicion", Kind::Integer),
    ("suspicion_reasons", Kind::Json),
    ("source_id", Kind::Id),
    ("source", Kind::Text),
    ("source_name", Kind::Text),
    ("name", Kind::Text),
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("message", Kind::Text),
    ("payload", Kind::Text),
    ("submission", Kind::Text),
    ("ip", Kind::Text),
    ("user_agent", Kind::Text),
    ("origin", Kind::Text),
    ("page_url", Kind::Text),
    ("person_key", Kind::Bytes),
    ("answered_lead_id", Kind::Id),
    ("received_at", Kind::Integer),
    ("expires_at", Kind::Integer),
];

/// An entry, as people see it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `quarantine` under their own names")]
pub struct Entry {
    pub id: SubmissionId,
    pub reason: String,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub message: Option<String>,
    pub payload: String,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub origin: Option<String>,
    pub page_url: Option<String>,
    pub received_at: Timestamp,
    pub expires_at: Timestamp,
    pub released_at: Option<Timestamp>,
    pub released_by: Option<String>,
    pub lead_id: Option<LeadId>,
}

/// That an entry was let out, and what became of it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `quarantine` under their own names")]
pub struct Released {
    pub id: SubmissionId,
    pub lead_id: LeadId,
    pub released_at: i64,
    pub released_by: String,
}

const RELEASED_COLUMNS: Columns =
    &[("id", Kind::Id), ("lead_id", Kind::Id), ("released_at", Kind::Integer), ("released_by", Kind::Text)];

/// Which of these are held back already, and which lead their answer named.
///
/// # Errors
/// Where the database fails.
pub async fn known(tx: &mut Tx, ids: &[SubmissionId]) -> Result<Vec<(SubmissionId, LeadId)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = tx.dialect().id_list(1);
    let sql = format!("SELECT id, answered_lead_id FROM quarantine WHERE id IN {list}");
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("answered_lead_id")?))).collect()
}

/// Which lead these persons were answered with; found by `quarantine_of_person`.
///
/// # Errors
/// Where the database fails.
pub async fn answered(tx: &mut Tx, persons: &[IdentityKey]) -> Result<Vec<(IdentityKey, LeadId)>, Error> {
    if persons.is_empty() {
        return Ok(Vec::new());
    }
    let set = tx.dialect().set(1, capture::KEY_COLUMNS);
    // One row is looked at for each person, however many there are of theirs.
    let sql = format!(
        "SELECT r.key, (SELECT answered_lead_id FROM quarantine WHERE person_key = r.key LIMIT 1) AS lead_id FROM {set}"
    );
    let keys: Vec<_> = persons.iter().map(|key| capture::Keyed { key: *key }).collect();
    let rows = tx.query(&sql, &[json_set(&keys)]).await?;
    let answers = rows.iter().map(|row| Ok((IdentityKey::read(row, "key")?, row.get::<Option<LeadId>>("lead_id")?)));
    let answers = answers.collect::<Result<Vec<_>, Error>>()?;
    Ok(answers.into_iter().filter_map(|(key, lead)| Some((key, lead?))).collect())
}

/// Inserts entries.
///
/// # Errors
/// [`Error::Contended`] where one of them is there by now.
pub async fn insert(tx: &mut Tx, rows: &[NewEntry]) -> Result<(), Error> {
    let inserted = tx.insert_set("quarantine", COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await?;
    if inserted == rows.len() as u64 { Ok(()) } else { Err(Error::Contended) }
}

/// Notes that entries were let out. One that is gone by now was let out all the same.
///
/// # Errors
/// Where the database fails.
pub async fn note_released(tx: &mut Tx, rows: &[Released]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let set = tx.dialect().set(1, RELEASED_COLUMNS);
    let sql = format!(
        "UPDATE quarantine SET lead_id = r.lead_id, released_at = r.released_at, released_by = r.released_by
         FROM {set} WHERE quarantine.id = r.id AND quarantine.released_at IS NULL"
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

const SEEN: &str = "id, reason, suspicion, source_id, source, source_name, name, email, phone, message, payload, ip,
     user_agent, origin, page_url, received_at, expires_at, released_at, released_by, lead_id";

/// A page of entries, newest first, through `quarantine_of_workspace`; those that wait, or all.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    only_waiting: bool,
    limit: i64,
    offset: i64,
) -> Result<Page<Entry>, Error> {
    let reasons = reader.dialect().json_text("suspicion_reasons");
    let condition = if only_waiting { "workspace_id = $1 AND released_at IS NULL" } else { "workspace_id = $1" };
    let sql = format!(
        "SELECT {SEEN}, {reasons} AS suspicion_reasons FROM quarantine WHERE {condition}
         ORDER BY received_at DESC, id DESC LIMIT $2 OFFSET $3"
    );
    let count = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM quarantine WHERE {condition} LIMIT {}) AS counted",
        COUNT_CAP + 1
    );
    let rows = reader.query(&sql, &params![workspace, limit, offset]).await?;
    let counted = reader.count(&count, &params![workspace]).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

/// One entry.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: SubmissionId) -> Result<Option<Entry>, Error> {
    let reasons = reader.dialect().json_text("suspicion_reasons");
    let sql =
        format!("SELECT {SEEN}, {reasons} AS suspicion_reasons FROM quarantine WHERE id = $1 AND workspace_id = $2");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Everything that came with an entry, as the engine wrote it down.
///
/// # Errors
/// Where the database fails.
pub async fn find_submission(
    reader: &Reader,
    workspace: WorkspaceId,
    id: SubmissionId,
) -> Result<Option<String>, Error> {
    let sql = "SELECT submission FROM quarantine WHERE id = $1 AND workspace_id = $2";
    let row = reader.query_one(sql, &params![id, workspace]).await?;
    row.map(|row| row.get("submission")).transpose()
}

fn read(row: &Row) -> Result<Entry, Error> {
    Ok(Entry {
        id: row.get("id")?,
        reason: row.get("reason")?,
        suspicion: row.get("suspicion")?,
        suspicion_reasons: row.json("suspicion_reasons")?,
        source_id: row.get("source_id")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        message: row.get("message")?,
        payload: row.get("payload")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        origin: row.get("origin")?,
        page_url: row.get("page_url")?,
        received_at: row.get("received_at")?,
        expires_at: row.get("expires_at")?,
        released_at: row.get("released_at")?,
        released_by: row.get("released_by")?,
        lead_id: row.get("lead_id")?,
    })
}
