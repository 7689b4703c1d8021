//! Reading submissions: each accepted capture with its fields as they were sent.

use leadline_domain::{
    ids::{ContactId, LeadId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::sql::{COUNT_CAP, Error, Page, Reader, Row, params};

/// A submission.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_submissions` under their own names")]
pub struct Submission {
    pub id: SubmissionId,
    pub lead_id: LeadId,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    /// The fields as they were sent, as a JSON object.
    pub payload: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub project: Option<String>,
    pub message: Option<String>,
    pub cta: Option<String>,
    pub page_url: Option<String>,
    pub referrer: Option<String>,
    pub match_reason: Value,
    pub received_at: Timestamp,
    pub time_to_submit_ms: Option<i64>,
    pub context: Option<Value>,
    /// The address it came from, as long as the raw evidence lives.
    pub ip: Option<String>,
}

/// Whose submissions.
#[derive(Debug, Clone, Copy)]
pub enum Whose {
    /// Everybody's.
    Everybody,
    /// Those of a lead.
    Lead(LeadId),
    /// Those of all leads of a contact.
    Contact(ContactId),
}

/// A page of submissions, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    whose: Whose,
    limit: i64,
    offset: i64,
) -> Result<Page<Submission>, Error> {
    let condition = match whose {
        Whose::Everybody => "workspace_id = $1",
        Whose::Lead(_) => "lead_id = $2 AND workspace_id = $1",
        // By `leads_of_contact` and `lead_submissions_of_lead`.
        Whose::Contact(_) => {
            "lead_id IN (SELECT id FROM leads WHERE contact_id = $2 AND workspace_id = $1) AND workspace_id = $1"
        }
    };
    let reason = reader.dialect().json_text("match_reason");
    let context = reader.dialect().json_text("context");
    let sql = format!(
        "SELECT id, lead_id, source_id, source, source_name, payload, name, email, phone, project, message, cta,
                page_url, referrer, {reason} AS match_reason, received_at, time_to_submit_ms,
                coalesce({context}, 'null') AS context,
                (SELECT ip FROM lead_captures c WHERE c.submission_id = lead_submissions.id) AS ip
         FROM lead_submissions WHERE {condition} ORDER BY id DESC LIMIT $3 OFFSET $4"
    );
    let count = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM lead_submissions WHERE {condition} LIMIT {}) AS counted",
        COUNT_CAP + 1
    );
    let (rows, counted) = match whose {
        Whose::Contact(contact) => (
            reader.query(&sql, &params![workspace, contact, limit, offset]).await?,
            reader.count(&count, &params![workspace, contact]).await?,
        ),
        Whose::Lead(lead) => (
            reader.query(&sql, &params![workspace, lead, limit, offset]).await?,
            reader.count(&count, &params![workspace, lead]).await?,
        ),
        Whose::Everybody => {
            let sql = sql.replace("$3", "$2").replace("$4", "$3");
            let rows = reader.query(&sql, &params![workspace, limit, offset]).await?;
            (rows, reader.count(&count, &params![workspace]).await?)
        }
    };
    let rows = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Page::new(rows, counted))
}

fn read(row: &Row) -> Result<Submission, Error> {
    Ok(Submission {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        source_id: row.get("source_id")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        payload: row.get("payload")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        project: row.get("project")?,
        message: row.get("message")?,
        cta: row.get("cta")?,
        page_url: row.get("page_url")?,
        referrer: row.get("referrer")?,
        match_reason: row.json("match_reason")?,
        received_at: row.get("received_at")?,
        time_to_submit_ms: row.get("time_to_submit_ms")?,
        context: row.json("context")?,
        ip: row.get("ip")?,
    })
}
