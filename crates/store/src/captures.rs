//! The feed of captures: what came in last, with its person, its page and the conversation that it opened.

use leadline_domain::{
    ids::{ConversationId, LeadId, SourceId, SubmissionId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, Param, Reader, Row, params};

/// A line of the feed.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "named as the columns they come from")]
pub struct Capture {
    pub id: SubmissionId,
    pub lead_id: LeadId,
    pub conversation_id: Option<ConversationId>,
    /// The code that the visitor's first WhatsApp message carries.
    pub reference: Option<String>,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    /// What the visitor entered.
    pub name: Option<String>,
    /// What the lead is called.
    pub lead_name: Option<String>,
    pub email: Option<String>,
    /// As entered.
    pub phone_raw: Option<String>,
    /// The lead's number in E.164.
    pub phone: Option<String>,
    pub message: Option<String>,
    pub page_url: Option<String>,
    pub referrer: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub captured_at: Timestamp,
}

/// The latest captures, newest first, of one widget where one is named.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    widget: Option<SourceId>,
    limit: i64,
) -> Result<Vec<Capture>, Error> {
    let columns = "c.submission_id AS id, c.lead_id, v.id AS conversation_id, v.reference, s.source_id, s.source,
                   s.source_name, s.name, l.name AS lead_name, s.email, s.phone AS phone_raw, l.phone, s.message,
                   s.page_url, s.referrer, c.ip, c.user_agent, c.captured_at";
    let (sql, params): (String, Vec<Param>) = match widget {
        // Found by the index `lead_captures_of_workspace`; the rest by keys and `conversations_of_submission`.
        None => (
            format!(
                "SELECT {columns} FROM lead_captures c JOIN lead_submissions s ON s.id = c.submission_id
                 LEFT JOIN leads l ON l.id = c.lead_id
                 LEFT JOIN conversations v ON v.submission_id = c.submission_id AND v.workspace_id = c.workspace_id
                 WHERE c.workspace_id = $1 ORDER BY c.captured_at DESC, c.submission_id DESC LIMIT $2"
            ),
            params![workspace, limit].into(),
        ),
        // Each submission of a widget opens a conversation, and those are found by `conversations_of_source`.
        Some(widget) => (
            format!(
                "SELECT {columns} FROM conversations v JOIN lead_captures c ON c.submission_id = v.submission_id
                 JOIN lead_submissions s ON s.id = v.submission_id
                 LEFT JOIN leads l ON l.id = c.lead_id
                 WHERE v.source_id = $3 AND v.workspace_id = $1 ORDER BY v.created_at DESC, v.id DESC LIMIT $2"
            ),
            params![workspace, limit, widget].into(),
        ),
    };
    reader.query(&sql, &params).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Capture, Error> {
    Ok(Capture {
        id: row.get("id")?,
        lead_id: row.get("lead_id")?,
        conversation_id: row.get("conversation_id")?,
        reference: row.get("reference")?,
        source_id: row.get("source_id")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        name: row.get("name")?,
        lead_name: row.get("lead_name")?,
        email: row.get("email")?,
        phone_raw: row.get("phone_raw")?,
        phone: row.get("phone")?,
        message: row.get("message")?,
        page_url: row.get("page_url")?,
        referrer: row.get("referrer")?,
        ip: row.get("ip")?,
        user_agent: row.get("user_agent")?,
        captured_at: row.get("captured_at")?,
    })
}
