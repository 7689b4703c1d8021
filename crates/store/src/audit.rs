//! The audit log: who did what to what, when, and from where. Rows are added and, when their time is over, deleted;
//! nothing changes one but the erasure of a person, which takes what names them and leaves that it happened.

use leadline_domain::{
    ids::{AuditId, CredentialId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::{Dialect, Kind},
    sql::{COUNT_CAP, Columns, Error, IntoParam, Page, Param, Reader, Row, Tx, params},
};

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the columns of `audit_entries` under their own names")]
pub struct AuditEntry {
    pub id: AuditId,
    pub workspace_id: WorkspaceId,
    /// `user`, `token`, `system`, or `visitor` for somebody who is not signed in.
    pub actor_kind: String,
    pub actor_id: Option<UserId>,
    pub credential_id: Option<CredentialId>,
    pub actor_name: String,
    pub ip: Option<String>,
    /// `noun.verbed`, such as `role.updated`.
    pub action: String,
    pub object_kind: String,
    pub object_id: Option<String>,
    pub object_name: String,
    pub data: Value,
    pub created_at: i64,
}

const COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("actor_kind", Kind::Text),
    ("actor_id", Kind::Id),
    ("credential_id", Kind::Id),
    ("actor_name", Kind::Text),
    ("ip", Kind::Text),
    ("action", Kind::Text),
    ("object_kind", Kind::Text),
    ("object_id", Kind::Text),
    ("object_name", Kind::Text),
    ("data", Kind::Json),
    ("created_at", Kind::Integer),
];

/// Adds entries.
///
/// # Errors
/// Where the database fails.
pub async fn append(tx: &mut Tx, entries: &[AuditEntry]) -> Result<(), Error> {
    tx.insert_set("audit_entries", COLUMNS, entries, "").await.map(drop)
}

/// Which entries somebody asks for. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Done by this user, by themselves or with one of their tokens.
    pub actor: Option<UserId>,
    /// What was done, or with a dot at its end (`role.`) everything that was done to such things.
    pub action: Option<String>,
    /// To what it was done.
    pub object: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
}

/// One page of a workspace's entries, the newest first.
///
/// By the index that begins with the workspace and the first of object, actor and action that is asked for; without any,
/// by time.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Page<AuditEntry>, Error> {
    let dialect = reader.dialect();
    let (conditions, mut params) = conditions(workspace, filter);
    let count = format!(
        "SELECT COUNT(*) AS n FROM (SELECT 1 FROM audit_entries WHERE {conditions} LIMIT {}) AS counted",
        COUNT_CAP + 1
    );
    let counted = reader.count(&count, &params).await?;
    params.extend(params![limit, offset]);
    let (limit, offset) = (params.len() - 1, params.len());
    let sql = format!(
        "{} WHERE {conditions} ORDER BY created_at DESC, id DESC LIMIT ${limit} OFFSET ${offset}",
        entries(dialect)
    );
    let rows = reader.query(&sql, &params).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

/// The next entries after one, the newest first: for whoever reads all of them in pieces.
///
/// # Errors
/// Where the database fails.
pub async fn list_after(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &Filter,
    after: Option<(Timestamp, AuditId)>,
    limit: i64,
) -> Result<Vec<AuditEntry>, Error> {
    let (mut conditions, mut params) = conditions(workspace, filter);
    if let Some((at, id)) = after {
        params.extend(params![at, id]);
        let (at, id) = (params.len() - 1, params.len());
        conditions.push_str(&format!(" AND (created_at, id) < (${at}, ${id})"));
    }
    params.push(limit.param());
    let sql = format!(
        "{} WHERE {conditions} ORDER BY created_at DESC, id DESC LIMIT ${}",
        entries(reader.dialect()),
        params.len()
    );
    reader.query(&sql, &params).await?.iter().map(read).collect()
}

fn conditions(workspace: WorkspaceId, filter: &Filter) -> (String, Vec<Param>) {
    let mut params = params![workspace].to_vec();
    let mut conditions = "workspace_id = $1".to_owned();
    let mut add = |condition: &str, param: Param| {
        params.push(param);
        conditions.push_str(&format!(" AND {condition} ${}", params.len()));
    };
    if let Some(actor) = filter.actor {
        add("actor_id =", actor.param());
    }
    if let Some(object) = &filter.object {
        add("object_id =", object.param());
    }
    match filter.action.as_deref() {
        Some(action) if action.ends_with('.') => {
            // Everything that begins with it comes before the same with the character after the dot.
            add("action >=", action.param());
            add("action <", format!("{}/", &action[..action.len() - 1]).param());
        }
        Some(action) => add("action =", action.param()),
        None => {}
    }
    if let Some(from) = filter.from {
        add("created_at >=", from.param());
    }
    if let Some(until) = filter.until {
        add("created_at <", until.param());
    }
    (conditions, params)
}

/// Deletes a workspace's entries from before, at most so many, and tells how many those were. By
/// `audit_entries_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_before(tx: &mut Tx, workspace: WorkspaceId, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM audit_entries WHERE id IN
               (SELECT id FROM audit_entries WHERE workspace_id = $1 AND created_at < $2
                ORDER BY created_at, id LIMIT $3)";
    tx.execute(sql, &params![workspace, before, limit]).await
}

fn entries(dialect: Dialect) -> String {
    let data = dialect.json_text("data");
    format!(
        "SELECT id, workspace_id, actor_kind, actor_id, credential_id, actor_name, ip, action, object_kind, object_id,
                object_name, {data} AS data, created_at
         FROM audit_entries"
    )
}

fn read(row: &Row) -> Result<AuditEntry, Error> {
    Ok(AuditEntry {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        actor_kind: row.get("actor_kind")?,
        actor_id: row.get("actor_id")?,
        credential_id: row.get("credential_id")?,
        actor_name: row.get("actor_name")?,
        ip: row.get("ip")?,
        action: row.get("action")?,
        object_kind: row.get("object_kind")?,
        object_id: row.get("object_id")?,
        object_name: row.get("object_name")?,
        data: row.json("data")?,
        created_at: row.get("created_at")?,
    })
}
