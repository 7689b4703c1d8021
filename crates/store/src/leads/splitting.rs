//! Splitting one submission off a lead: what it says, what the others of the lead say, and moving what belongs to it.

use leadline_domain::{
    ids::{ContactId, LeadId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::sql::{Error, Row, Tx, params};

/// Submissions of one lead that are compared with the one that goes.
const COMPARED_MAX: i64 = 1_000;

/// A submission that is to go.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_submissions` under their own names")]
pub struct Leaving {
    pub id: SubmissionId,
    pub lead_id: LeadId,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    /// The fields as they were sent, as a JSON object.
    pub payload: String,
    /// What the source says of fields.
    pub source_settings: Option<Value>,
    pub said: Said,
    pub match_reason: Value,
    pub context: Option<Value>,
    /// The address it came from, as long as the raw evidence lives.
    pub ip: Option<String>,
}

/// What a submission says of the person.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `lead_submissions` under their own names")]
pub struct Said {
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub message: Option<String>,
    pub received_at: Timestamp,
}

/// A submission of a lead, that nobody else moves until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(
    tx: &mut Tx,
    workspace: WorkspaceId,
    lead: LeadId,
    submission: SubmissionId,
) -> Result<Option<Leaving>, Error> {
    let dialect = tx.dialect();
    let held = format!("SELECT id FROM lead_submissions WHERE id = $1 {}", dialect.for_update());
    tx.query(&held, &params![submission]).await?;
    let sql = format!(
        "SELECT s.id, s.lead_id, s.source_id, s.source, s.source_name, s.payload, s.name, s.email, s.phone, s.message,
                s.received_at, {reason} AS match_reason, {context} AS context,
                (SELECT c.ip FROM lead_captures AS c WHERE c.submission_id = s.id) AS ip,
                (SELECT {settings} FROM sources AS o WHERE o.id = s.source_id) AS source_settings
         FROM lead_submissions AS s WHERE s.id = $1 AND s.lead_id = $2 AND s.workspace_id = $3",
        reason = dialect.json_text("s.match_reason"),
        context = dialect.json_text("s.context"),
        settings = dialect.json_text("o.settings"),
    );
    tx.query_one(&sql, &params![submission, lead, workspace]).await?.as_ref().map(read).transpose()
}

fn read(row: &Row) -> Result<Leaving, Error> {
    Ok(Leaving {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        source_id: row.get("source_id")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        payload: row.get("payload")?,
        source_settings: row.json_or_none("source_settings")?,
        said: read_said(row)?,
        match_reason: row.json("match_reason")?,
        context: row.json_or_none("context")?,
        ip: row.get("ip")?,
    })
}

/// What the other submissions of a lead say, the newest first.
///
/// # Errors
/// Where the database fails.
pub async fn others(
    tx: &mut Tx,
    workspace: WorkspaceId,
    lead: LeadId,
    except: SubmissionId,
) -> Result<Vec<Said>, Error> {
    // By `lead_submissions_of_lead`.
    let sql = "SELECT name, email, phone, message, received_at FROM lead_submissions
               WHERE lead_id = $1 AND workspace_id = $2 AND id <> $3 ORDER BY id DESC LIMIT $4";
    tx.query(sql, &params![lead, workspace, except, COMPARED_MAX]).await?.iter().map(read_said).collect()
}

fn read_said(row: &Row) -> Result<Said, Error> {
    Ok(Said {
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        message: row.get("message")?,
        received_at: row.get("received_at")?,
    })
}

/// Moves a submission to another lead, with its raw request, what was agreed to in it and the conversations that it began.
///
/// # Errors
/// Where the database fails.
pub async fn move_submission(
    tx: &mut Tx,
    workspace: WorkspaceId,
    leaving: &Leaving,
    (lead, contact): (LeadId, ContactId),
    match_reason: &Value,
) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE lead_submissions SET lead_id = $2, match_reason = {} WHERE id = $1 AND workspace_id = $3",
        dialect.json(4)
    );
    tx.execute(&sql, &params![leaving.id, lead, workspace, *match_reason]).await?;
    let sql = "UPDATE lead_captures SET lead_id = $2 WHERE submission_id = $1 AND workspace_id = $3";
    tx.execute(sql, &params![leaving.id, lead, workspace]).await?;
    // By `consents_of_lead`.
    let sql = "UPDATE consents SET lead_id = $2 WHERE lead_id = $4 AND submission_id = $1 AND workspace_id = $3";
    tx.execute(sql, &params![leaving.id, lead, workspace, leaving.lead_id]).await?;
    // By `conversations_of_submission`, and each one's messages by theirs.
    let sql = "UPDATE messages SET lead_id = $2, contact_id = $4 WHERE workspace_id = $3 AND conversation_id IN
               (SELECT id FROM conversations WHERE submission_id = $1 AND workspace_id = $3)";
    tx.execute(sql, &params![leaving.id, lead, workspace, contact]).await?;
    let sql = "UPDATE conversations SET lead_id = $2, contact_id = $4 WHERE submission_id = $1 AND workspace_id = $3";
    tx.execute(sql, &params![leaving.id, lead, workspace, contact]).await.map(drop)
}

/// Makes a visitor one of a lead's, who may be one of others as well.
///
/// # Errors
/// Where the database fails.
pub async fn share_visitor(
    tx: &mut Tx,
    workspace: WorkspaceId,
    visitor: &str,
    (from, to): (LeadId, LeadId),
) -> Result<(), Error> {
    let sql = "INSERT INTO lead_visitors (workspace_id, visitor_id, lead_id, session_id, seen_at)
               SELECT workspace_id, visitor_id, $3, session_id, seen_at FROM lead_visitors
               WHERE lead_id = $2 AND workspace_id = $1 AND visitor_id = $4 ON CONFLICT DO NOTHING";
    tx.execute(sql, &params![workspace, from, to, visitor]).await.map(drop)
}
