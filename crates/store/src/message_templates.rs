//! Texts that messages are made of. One that was deleted stays for the names in its messages, and is found here no more.

use leadline_domain::{
    ids::{ChannelId, MessageTemplateId, WorkspaceId},
    messaging::{Approval, MessageChannel},
    time::Timestamp,
};

use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Param, Reader, Row, Tx, json_set, params},
};

/// Templates of a workspace.
pub const MOST: i64 = 500;

/// A template.
#[derive(Debug, Clone)]
pub struct MessageTemplate {
    /// The template.
    pub id: MessageTemplateId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// For which kind of channel.
    pub channel: MessageChannel,
    /// What people call it.
    pub name: String,
    /// Its language, as `en` or `pt_BR`.
    pub language: String,
    /// Of e-mail: the subject, with placeholders.
    pub subject: Option<String>,
    /// The text, with placeholders.
    pub body: String,
    /// Of e-mail: the same as a page, with placeholders.
    pub body_html: Option<String>,
    /// Whether it may be used.
    pub approval: Approval,
    /// Why not.
    pub approval_reason: Option<String>,
    /// What the provider calls it.
    pub provider_name: Option<String>,
    /// Of WhatsApp: what Meta takes it for.
    pub category: Option<String>,
    /// When its provider last said how it stands.
    pub synced_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// Inserts a template.
///
/// # Errors
/// [`Error::Exists`] where its channel has one of that name.
pub async fn insert(tx: &mut Tx, template: &MessageTemplate) -> Result<(), Error> {
    let sql = "INSERT INTO message_templates (id, workspace_id, channel, name, language, subject, body, body_html,
                   approval, approval_reason, provider_name, updated_at, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let mut values = values(template).to_vec();
    values.extend(params![template.created_at]);
    tx.execute(sql, &values).await.map(drop)
}

/// Writes what can change of a template. False where it is not there (any more).
///
/// # Errors
/// [`Error::Exists`] where its channel has another of that name.
pub async fn update(tx: &mut Tx, template: &MessageTemplate) -> Result<bool, Error> {
    let sql = "UPDATE message_templates SET channel = $3, name = $4, language = $5, subject = $6, body = $7,
                   body_html = $8, approval = $9, approval_reason = $10, provider_name = $11, updated_at = $12
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &values(template)).await? == 1)
}

fn values(template: &MessageTemplate) -> [Param; 12] {
    params![
        template.id,
        template.workspace_id,
        template.channel.as_str(),
        template.name,
        template.language,
        template.subject,
        template.body,
        template.body_html,
        template.approval.as_str(),
        template.approval_reason,
        template.provider_name,
        template.updated_at,
    ]
}

/// Deletes a template. False where it is not there (any more).
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: MessageTemplateId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE message_templates SET deleted_at = $3 WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// The templates of a workspace, by channel and name. By `message_templates_by_name`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<MessageTemplate>, Error> {
    let sql = format!("{SELECT} WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY channel, name LIMIT $2");
    reader.query(&sql, &params![workspace, MOST]).await?.iter().map(read).collect()
}

/// One template of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(
    reader: &Reader,
    workspace: WorkspaceId,
    id: MessageTemplateId,
) -> Result<Option<MessageTemplate>, Error> {
    let sql = format!("{SELECT} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A template that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: MessageTemplateId,
) -> Result<Option<MessageTemplate>, Error> {
    let sql =
        format!("{SELECT} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}", tx.dialect().for_update());
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// How a template stands at its provider.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `message_templates` under their own names")]
pub struct Sighted {
    pub name: String,
    pub language: String,
    pub approval: &'static str,
    pub reason: Option<String>,
    pub category: Option<String>,
    pub provider_id: Option<String>,
}

const SIGHTED_COLUMNS: Columns = &[
    ("name", Kind::Text),
    ("language", Kind::Text),
    ("approval", Kind::Text),
    ("reason", Kind::Text),
    ("category", Kind::Text),
    ("provider_id", Kind::Text),
];

/// Writes down that a template was given to its provider.
///
/// # Errors
/// Where the database fails.
pub async fn set_submitted(
    tx: &mut Tx,
    id: MessageTemplateId,
    sighted: &Sighted,
    channel: ChannelId,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE message_templates SET provider_name = $2, approval = $3, approval_reason = $4, category = $5,
                      provider_id = $6, channel_id = $7, synced_at = $8, updated_at = $8
               WHERE id = $1";
    let Sighted { name, approval, reason, category, provider_id, .. } = sighted;
    let params = params![id, *name, *approval, *reason, *category, *provider_id, channel, now];
    tx.execute(sql, &params).await.map(drop)
}

/// Writes down how templates stand, those of them that are ours, and tells how many that were. By
/// `message_templates_by_provider_name`.
///
/// # Errors
/// Where the database fails.
pub async fn set_sighted(
    tx: &mut Tx,
    workspace: WorkspaceId,
    sighted: &[Sighted],
    now: Timestamp,
) -> Result<u64, Error> {
    if sighted.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "UPDATE message_templates SET approval = r.approval, approval_reason = r.reason,
                category = coalesce(r.category, message_templates.category),
                provider_id = coalesce(r.provider_id, message_templates.provider_id), synced_at = $3
         FROM {}
         WHERE message_templates.workspace_id = $2 AND message_templates.provider_name = r.name
               AND message_templates.provider_name IS NOT NULL AND message_templates.deleted_at IS NULL
               AND message_templates.channel = 'whatsapp' AND message_templates.language = r.language",
        tx.dialect().set(1, SIGHTED_COLUMNS)
    );
    let [workspace, now] = params![workspace, now];
    tx.execute(&sql, &[json_set(sighted), workspace, now]).await
}

/// Counts the templates of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM message_templates WHERE workspace_id = $1 AND deleted_at IS NULL";
    match tx.query_one(sql, &params![workspace]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

const SELECT: &str = "SELECT id, workspace_id, channel, name, language, subject, body, body_html, approval,
    approval_reason, provider_name, category, synced_at, created_at, updated_at FROM message_templates";

fn read(row: &Row) -> Result<MessageTemplate, Error> {
    let (channel, approval): (String, String) = (row.get("channel")?, row.get("approval")?);
    let wrong = |column: &str| Error::Column { column: column.to_owned() };
    Ok(MessageTemplate {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        channel: MessageChannel::parse(&channel).ok_or_else(|| wrong("channel"))?,
        name: row.get("name")?,
        language: row.get("language")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        body_html: row.get("body_html")?,
        approval: Approval::parse(&approval).ok_or_else(|| wrong("approval"))?,
        approval_reason: row.get("approval_reason")?,
        provider_name: row.get("provider_name")?,
        category: row.get("category")?,
        synced_at: row.get("synced_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
