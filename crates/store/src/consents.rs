//! What people agreed to, with the submission that proves it.

use leadline_domain::{
    ids::{ConsentId, ContactId, LeadId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, params},
};

/// A consent to be kept.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `consents` under their own names")]
pub struct NewConsent {
    pub id: ConsentId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub submission_id: SubmissionId,
    pub purpose: &'static str,
    pub field: String,
    pub wording: String,
    pub source_name: String,
    pub page_url: Option<String>,
    pub given_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("submission_id", Kind::Id),
    ("purpose", Kind::Text),
    ("field", Kind::Text),
    ("wording", Kind::Text),
    ("source_name", Kind::Text),
    ("page_url", Kind::Text),
    ("given_at", Kind::Integer),
];

/// A consent.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `consents` under their own names")]
pub struct Consent {
    pub id: ConsentId,
    pub lead_id: LeadId,
    /// The submission that it came with; its raw request is the proof while it is kept.
    pub submission_id: SubmissionId,
    pub purpose: String,
    pub field: String,
    pub wording: String,
    pub source_name: String,
    pub page_url: Option<String>,
    pub given_at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
    pub withdrawn_by: Option<String>,
}

/// Keeps consents.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, rows: &[NewConsent]) -> Result<(), Error> {
    tx.insert_set("consents", COLUMNS, rows, "ON CONFLICT (id) DO NOTHING").await.map(drop)
}

/// Notes that a consent does not count any more, and tells whose it was; nothing, where it is not there or was
/// withdrawn before.
///
/// # Errors
/// Where the database fails.
pub async fn withdraw(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: ConsentId,
    (by, now): (&str, Timestamp),
) -> Result<Option<Consent>, Error> {
    let sql = format!(
        "UPDATE consents SET withdrawn_at = $3, withdrawn_by = $4
         WHERE id = $1 AND workspace_id = $2 AND withdrawn_at IS NULL RETURNING {SHOWN}"
    );
    tx.query_one(&sql, &params![id, workspace, now, by]).await?.as_ref().map(read).transpose()
}

/// A consent of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ConsentId) -> Result<Option<Consent>, Error> {
    let sql = format!("SELECT {SHOWN} FROM consents WHERE id = $1 AND workspace_id = $2");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// What a contact agreed to, over all leads of theirs, the latest first. By `leads_of_contact` and `consents_of_lead`.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_contact(
    reader: &Reader,
    workspace: WorkspaceId,
    contact: ContactId,
    limit: i64,
) -> Result<Vec<Consent>, Error> {
    let sql = format!(
        "SELECT {SHOWN} FROM consents
         WHERE lead_id IN (SELECT id FROM leads WHERE contact_id = $1 AND workspace_id = $2) AND workspace_id = $2
         ORDER BY given_at DESC, id DESC LIMIT $3"
    );
    reader.query(&sql, &params![contact, workspace, limit]).await?.iter().map(read).collect()
}

const SHOWN: &str =
    "id, lead_id, submission_id, purpose, field, wording, source_name, page_url, given_at, withdrawn_at,
                     withdrawn_by";

fn read(row: &Row) -> Result<Consent, Error> {
    Ok(Consent {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        submission_id: row.get("submission_id")?,
        purpose: row.get("purpose")?,
        field: row.get("field")?,
        wording: row.get("wording")?,
        source_name: row.get("source_name")?,
        page_url: row.get("page_url")?,
        given_at: row.get("given_at")?,
        withdrawn_at: row.get("withdrawn_at")?,
        withdrawn_by: row.get("withdrawn_by")?,
    })
}
