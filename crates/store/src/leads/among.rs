//! Which of a few leads match a filter, asked of just those.

use std::collections::HashMap;

use leadline_domain::{
    filters::Filter,
    ids::{LeadId, UserId, WorkspaceId},
};

use super::{LeadFilter, found::Where};
use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, json_set, params},
};

/// Those of `ids` that are there, not deleted and match. By the primary key, one after the other.
///
/// # Errors
/// Where the database fails.
pub async fn matching(
    tx: &mut Tx,
    workspace: WorkspaceId,
    ids: &[LeadId],
    filter: &Filter,
) -> Result<Vec<LeadId>, Error> {
    let asked = asked(tx.dialect(), workspace, ids, filter);
    read(&tx.query(&sql(&asked), &asked.params).await?)
}

/// The same, of what is committed.
///
/// # Errors
/// Where the database fails.
pub async fn matching_now(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[LeadId],
    filter: &Filter,
) -> Result<Vec<LeadId>, Error> {
    let asked = asked(reader.dialect(), workspace, ids, filter);
    read(&reader.query(&sql(&asked), &asked.params).await?)
}

/// The newest leads of a workspace. By `leads_by_creation`.
///
/// # Errors
/// Where the database fails.
pub async fn newest(reader: &Reader, workspace: WorkspaceId, most: i64) -> Result<Vec<LeadId>, Error> {
    let sql = "SELECT id FROM leads WHERE workspace_id = $1 AND deleted_at IS NULL
               ORDER BY created_at DESC, id DESC LIMIT $2";
    read(&reader.query(sql, &params![workspace, most]).await?)
}

/// Whose these leads are; those of nobody and those that are deleted are left out.
///
/// # Errors
/// Where the database fails.
pub async fn owners(tx: &mut Tx, ids: &[LeadId]) -> Result<HashMap<LeadId, UserId>, Error> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let sql = format!(
        "SELECT id, assigned_to FROM leads WHERE id IN {} AND assigned_to IS NOT NULL AND deleted_at IS NULL",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("assigned_to")?))).collect()
}

fn asked(dialect: Dialect, workspace: WorkspaceId, ids: &[LeadId], filter: &Filter) -> Where {
    let mut asked = Where::named(workspace, ids, dialect);
    let filter = LeadFilter { conditions: Some(filter.clone()), ..LeadFilter::default() };
    asked.narrow(dialect, &filter);
    asked
}

fn sql(asked: &Where) -> String {
    format!("SELECT leads.id FROM {} WHERE {}", asked.from, asked.text)
}

fn read(rows: &[Row]) -> Result<Vec<LeadId>, Error> {
    rows.iter().map(|row| row.get("id")).collect()
}
