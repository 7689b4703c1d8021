//! What belongs to a person by an id, and its deletion: by an index, some rows at a time.
//!
//! Leads go last, in the order of locks that everybody keeps. The books stay right: a submission that is erased is
//! counted as that, a delivery that will not be made as cancelled.

use leadline_domain::{
    ids::{ContactId, ConversationId, DeliveryId, LeadId, MergeId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use super::places::{Owner, rows_of};
use crate::{
    capture::IdentityKey,
    ledger::{self, Fact, Notes},
    sql::{Error, IntoParam, Param, Reader, Tx, json_set, params},
};

/// Deletes the rows that belong to these things, in every table whose rows do.
///
/// # Errors
/// Where the database fails.
pub async fn delete_of<T: Serialize + Sync>(tx: &mut Tx, owner: Owner, ids: &[T]) -> Result<u64, Error> {
    let mut deleted = 0;
    if ids.is_empty() {
        return Ok(deleted);
    }
    for (table, column) in rows_of(owner) {
        let sql = format!("DELETE FROM {table} WHERE {column} IN {}", tx.dialect().id_list(1));
        deleted += tx.execute(&sql, &[json_set(ids)]).await?;
    }
    Ok(deleted)
}

/// Whose rows go.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// In which workspace.
    pub workspace: WorkspaceId,
    /// The leads.
    pub leads: &'a [LeadId],
    /// The contacts.
    pub contacts: &'a [ContactId],
}

/// Deletes some deliveries of leads with their attempts, and names them. Those that wait are booked as cancelled.
///
/// # Errors
/// Where the database fails.
pub async fn deliveries(tx: &mut Tx, of: Of<'_>, limit: i64) -> Result<Vec<DeliveryId>, Error> {
    // By `deliveries_of_lead`.
    let sql = format!(
        "SELECT id, source_id, submission_id, created_at, state FROM deliveries
         WHERE lead_id IN {} AND workspace_id = $2 ORDER BY id LIMIT $3 {}",
        tx.dialect().id_list(1),
        tx.dialect().for_update(),
    );
    let rows = tx.query(&sql, &listed(of.leads, of.workspace, limit)).await?;
    let mut notes = Notes::default();
    let mut ids = Vec::with_capacity(rows.len());
    for row in &rows {
        let is_owed = row.get::<Option<SubmissionId>>("submission_id")?.is_some();
        if is_owed && row.get::<String>("state")? == "pending" {
            notes.add(of.workspace, row.get("source_id")?, row.get("created_at")?, Fact::Cancelled, 1);
        }
        ids.push(row.get("id")?);
    }
    ledger::write(tx, &notes).await?;
    delete_of(tx, Owner::Delivery, &ids).await?;
    delete_by_id(tx, "deliveries", &ids).await?;
    Ok(ids)
}

/// Deletes some conversations of leads and contacts with what was said in them, and names them.
///
/// # Errors
/// Where the database fails.
pub async fn conversations(tx: &mut Tx, of: Of<'_>, limit: i64) -> Result<Vec<ConversationId>, Error> {
    let mut ids: Vec<ConversationId> = Vec::new();
    // By `conversations_of_lead` and `conversations_of_contact`.
    for (column, list) in [("lead_id", json_set(of.leads)), ("contact_id", json_set(of.contacts))] {
        let sql = format!(
            "SELECT id FROM conversations WHERE {column} IN {} AND workspace_id = $2 ORDER BY id LIMIT $3",
            tx.dialect().id_list(1)
        );
        let [workspace, limit] = params![of.workspace, limit];
        let rows = tx.query(&sql, &[list, workspace, limit]).await?;
        let found: Vec<ConversationId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
        ids.extend(found);
    }
    ids.sort_unstable();
    ids.dedup();
    these_conversations(tx, &ids).await?;
    Ok(ids)
}

/// Deletes conversations with what was said in them.
///
/// # Errors
/// Where the database fails.
pub async fn these_conversations(tx: &mut Tx, ids: &[ConversationId]) -> Result<u64, Error> {
    delete_of(tx, Owner::Conversation, ids).await?;
    delete_by_id(tx, "conversations", ids).await
}

/// Deletes some submissions of leads with all that is kept of them, and names them.
///
/// # Errors
/// Where the database fails.
pub async fn submissions(tx: &mut Tx, of: Of<'_>, limit: i64) -> Result<Vec<SubmissionId>, Error> {
    // By `lead_submissions_of_lead`.
    let sql = format!(
        "SELECT id FROM lead_submissions WHERE lead_id IN {} AND workspace_id = $2 ORDER BY id LIMIT $3",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &listed(of.leads, of.workspace, limit)).await?;
    let ids: Vec<SubmissionId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    delete_of(tx, Owner::Submission, &ids).await?;
    ledger::erase_submissions(tx, of.workspace, &ids).await?;
    Ok(ids)
}

/// Deletes the merges that leads were in, and names them.
///
/// # Errors
/// Where the database fails.
pub async fn merges(tx: &mut Tx, of: Of<'_>) -> Result<Vec<MergeId>, Error> {
    let mut ids: Vec<MergeId> = Vec::new();
    // By `lead_merges_of_winner` and `lead_merges_of_loser`.
    for column in ["winner_id", "loser_id"] {
        let sql =
            format!("SELECT id FROM lead_merges WHERE {column} IN {} AND workspace_id = $2", tx.dialect().id_list(1));
        let [workspace] = params![of.workspace];
        let rows = tx.query(&sql, &[json_set(of.leads), workspace]).await?;
        let found: Vec<MergeId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
        ids.extend(found);
    }
    ids.sort_unstable();
    ids.dedup();
    delete_of(tx, Owner::Merge, &ids).await?;
    delete_by_id(tx, "lead_merges", &ids).await?;
    Ok(ids)
}

/// Deletes what browsers reported, and that they are the leads'.
///
/// # Errors
/// Where the database fails.
pub async fn visits(tx: &mut Tx, of: Of<'_>, visitors: &[String]) -> Result<u64, Error> {
    let mut deleted = 0;
    if !visitors.is_empty() {
        // By the primary key.
        let sql = format!(
            "DELETE FROM visitor_sessions WHERE workspace_id = $2 AND visitor_id IN {}",
            tx.dialect().text_list(1)
        );
        let [workspace] = params![of.workspace];
        deleted += tx.execute(&sql, &[json_set(visitors), workspace]).await?;
    }
    // By `lead_visitors_of_lead`.
    let sql = format!("DELETE FROM lead_visitors WHERE lead_id IN {} AND workspace_id = $2", tx.dialect().id_list(1));
    let [workspace] = params![of.workspace];
    tx.execute(&sql, &[json_set(of.leads), workspace]).await?;
    Ok(deleted)
}

/// Forgets when somebody was seen.
///
/// # Errors
/// Where the database fails.
pub async fn recent_visits(tx: &mut Tx, keys: &[IdentityKey]) -> Result<u64, Error> {
    delete_keys(tx, "recent_visits", keys).await
}

/// Keeps of what jobs did to leads only that they did something: what it takes to put it back goes.
///
/// # Errors
/// Where the database fails.
pub async fn job_results(tx: &mut Tx, of: Of<'_>) -> Result<u64, Error> {
    // By `job_results_of_lead`.
    let sql = format!(
        "UPDATE job_results SET lead_id = NULL, message = NULL, undo = NULL
         WHERE lead_id IN {} AND lead_id IS NOT NULL AND workspace_id = $2",
        tx.dialect().id_list(1)
    );
    let [workspace] = params![of.workspace];
    tx.execute(&sql, &[json_set(of.leads), workspace]).await
}

/// Keeps of what the audit log says of things only that somebody did something to them. By `audit_entries_by_object`.
///
/// # Errors
/// Where the database fails.
pub async fn audit_entries(tx: &mut Tx, workspace: WorkspaceId, objects: &[String]) -> Result<u64, Error> {
    if objects.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "UPDATE audit_entries SET object_name = '', data = {} WHERE object_id IN {} AND workspace_id = $1
                AND action NOT LIKE 'person.%'",
        tx.dialect().json(3),
        tx.dialect().text_list(2),
    );
    let [workspace] = params![workspace];
    let erased = serde_json::json!({"erased": true});
    tx.execute(&sql, &[workspace, json_set(objects), erased.param()]).await
}

/// Deletes rows of the index by tag.
///
/// # Errors
/// Where the database fails.
pub async fn leads(tx: &mut Tx, of: Of<'_>) -> Result<u64, Error> {
    let list = tx.dialect().id_list(1);
    if let Some(table) = tx.dialect().search_table() {
        let found = format!("DELETE FROM {table} WHERE rowid IN (SELECT number FROM leads WHERE id IN {list})");
        tx.execute(&found, &[json_set(of.leads)]).await?;
    }
    let [workspace] = params![of.workspace];
    // By the primary key.
    let sql = format!("DELETE FROM leads WHERE id IN {list} AND workspace_id = $2");
    tx.execute(&sql, &[json_set(of.leads), workspace]).await
}

/// Deletes contacts, with what belongs to them.
///
/// # Errors
/// Where the database fails.
pub async fn contacts(tx: &mut Tx, of: Of<'_>) -> Result<u64, Error> {
    delete_of(tx, Owner::Contact, of.contacts).await?;
    let sql = format!("DELETE FROM contacts WHERE id IN {} AND workspace_id = $2", tx.dialect().id_list(1));
    let [workspace] = params![of.workspace];
    tx.execute(&sql, &[json_set(of.contacts), workspace]).await
}

/// The identities that name one of these, among the next so many behind a key, and where the next ones begin. No index
/// leads from a lead to what it is known by: every submission would pay for it.
///
/// # Errors
/// Where the database fails.
pub async fn identities(
    reader: &Reader,
    of: Of<'_>,
    after: Option<IdentityKey>,
    limit: i64,
) -> Result<(Vec<IdentityKey>, Option<IdentityKey>), Error> {
    let after = after.map_or_else(Vec::new, |key| key.0.to_vec());
    let strip = "FROM identities WHERE key > $1 ORDER BY key";
    let last = format!("SELECT key {strip} LIMIT 1 OFFSET {}", limit - 1);
    let next = reader.query_one(&last, &params![after]).await?;
    let next = next.map(|row| IdentityKey::read(&row, "key")).transpose()?;
    let mut subjects: Vec<Value> = of.leads.iter().map(|id| serde_json::json!(id)).collect();
    subjects.extend(of.contacts.iter().map(|id| serde_json::json!(id)));
    let sql = format!(
        "SELECT key FROM (SELECT key, subject_id {strip} LIMIT {limit}) AS s WHERE subject_id IN {}",
        reader.dialect().id_list(2)
    );
    let [after] = params![after];
    let rows = reader.query(&sql, &[after, json_set(&subjects)]).await?;
    Ok((rows.iter().map(|row| IdentityKey::read(row, "key")).collect::<Result<_, _>>()?, next))
}

/// Deletes identities.
///
/// # Errors
/// Where the database fails.
pub async fn delete_identities(tx: &mut Tx, keys: &[IdentityKey]) -> Result<u64, Error> {
    delete_keys(tx, "identities", keys).await
}

/// Notes whom somebody had erased, so that what of them waits elsewhere is not stored again.
///
/// # Errors
/// Where the database fails.
pub async fn note_erased(
    tx: &mut Tx,
    workspace: WorkspaceId,
    keys: &[IdentityKey],
    now: Timestamp,
) -> Result<(), Error> {
    for key in keys {
        let sql = "INSERT INTO erased_keys (key, workspace_id, erased_at) VALUES ($1, $2, $3)
                   ON CONFLICT (key) DO UPDATE SET erased_at = excluded.erased_at";
        tx.execute(sql, &params![key.0.to_vec(), workspace, now]).await?;
    }
    Ok(())
}

/// Which of these were erased, and when.
///
/// # Errors
/// Where the database fails.
pub async fn erased(reader: &Reader, keys: &[IdentityKey]) -> Result<Vec<(IdentityKey, Timestamp)>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT key, erased_at FROM erased_keys WHERE key IN {}", reader.dialect().bytes_list(1));
    let rows = reader.query(&sql, &[json_set(keys)]).await?;
    rows.iter().map(|row| Ok((IdentityKey::read(row, "key")?, row.get("erased_at")?))).collect()
}

/// Forgets who was erased before. By `erased_keys_by_age`.
///
/// # Errors
/// Where the database fails.
pub async fn forget_erased(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    tx.execute("DELETE FROM erased_keys WHERE erased_at < $1", &params![before]).await
}

async fn delete_keys(tx: &mut Tx, table: &str, keys: &[IdentityKey]) -> Result<u64, Error> {
    if keys.is_empty() {
        return Ok(0);
    }
    let mut keys = keys.to_vec();
    // In the order of their keys, as every writer of these tables.
    keys.sort_unstable();
    let sql = format!("DELETE FROM {table} WHERE key IN {}", tx.dialect().bytes_list(1));
    tx.execute(&sql, &[json_set(&keys)]).await
}

async fn delete_by_id<T: Serialize + Sync>(tx: &mut Tx, table: &str, ids: &[T]) -> Result<u64, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let sql = format!("DELETE FROM {table} WHERE id IN {}", tx.dialect().id_list(1));
    tx.execute(&sql, &[json_set(ids)]).await
}

fn listed<T: Serialize>(ids: &[T], workspace: WorkspaceId, limit: i64) -> [Param; 3] {
    let [workspace, limit] = params![workspace, limit];
    [json_set(ids), workspace, limit]
}
