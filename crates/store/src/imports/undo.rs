//! What putting an import back reads of its leads and takes from the tables.

use std::collections::{HashMap, HashSet};

use leadline_domain::ids::{ContactId, LeadId, WorkspaceId};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    capture::IdentityKey,
    sql::{Error, Tx, json_set, params},
};

/// What happened to a lead beside its import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Since {
    /// Submissions that there are of it.
    pub submissions: i64,
    /// Whether it is in a conversation, or somebody was told of it.
    pub is_told: bool,
}

/// How often leads were submitted, and whether anybody outside knows of them.
///
/// # Errors
/// Where the database fails.
pub async fn since(tx: &mut Tx, leads: &[LeadId]) -> Result<HashMap<LeadId, Since>, Error> {
    if leads.is_empty() {
        return Ok(HashMap::new());
    }
    // By `lead_submissions_of_lead`, `conversations_of_lead` and `deliveries_of_lead`.
    let sql = format!(
        "SELECT l.id, (SELECT count(*) FROM lead_submissions AS s WHERE s.lead_id = l.id) AS submissions,
                (EXISTS (SELECT 1 FROM conversations AS c WHERE c.lead_id = l.id)
                 OR EXISTS (SELECT 1 FROM deliveries AS d WHERE d.lead_id = l.id)) AS is_told
         FROM leads AS l WHERE l.id IN {}",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(leads)]).await?;
    rows.iter()
        .map(|row| Ok((row.get("id")?, Since { submissions: row.get("submissions")?, is_told: row.get("is_told")? })))
        .collect()
}

/// Which of these leads people or programs did something to that is no part of the import.
///
/// # Errors
/// Where the database fails.
pub async fn touched(tx: &mut Tx, leads: &[LeadId], import: &str) -> Result<HashSet<LeadId>, Error> {
    if leads.is_empty() {
        return Ok(HashSet::new());
    }
    let dialect = tx.dialect();
    // By the primary key, which the lead begins.
    let sql = format!(
        "SELECT lead_id, {data} AS data_text FROM lead_activities
         WHERE lead_id IN {list} AND actor_kind IN ('user', 'token')",
        data = dialect.json_text("data"),
        list = dialect.id_list(1),
    );
    let mut touched = HashSet::new();
    for row in tx.query(&sql, &[json_set(leads)]).await? {
        let data: Value = row.json("data_text")?;
        if data["importId"] != import {
            touched.insert(row.get("lead_id")?);
        }
    }
    Ok(touched)
}

/// Gives up identities that name one of these leads or contacts.
///
/// # Errors
/// Where the database fails.
pub async fn release(tx: &mut Tx, keys: &[IdentityKey], subjects: &[Uuid]) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut keys = keys.to_vec();
    keys.sort_unstable();
    let dialect = tx.dialect();
    // By the keys alone: of two lists PostgreSQL would compare each row with each.
    let subject = dialect.is_among("subject_id", 2);
    let sql = format!("DELETE FROM identities WHERE key IN {} AND {subject}", dialect.bytes_list(1));
    tx.execute(&sql, &[json_set(&keys), json_set(subjects)]).await.map(drop)
}

/// Deletes leads for good, with everything that only they have. Their submissions, their tags and their identities are
/// gone already.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn delete_leads(tx: &mut Tx, workspace: WorkspaceId, leads: &[LeadId]) -> Result<(), Error> {
    if leads.is_empty() {
        return Ok(());
    }
    let list = tx.dialect().id_list(1);
    if let Some(table) = tx.dialect().search_table() {
        let found = format!("DELETE FROM {table} WHERE rowid IN (SELECT number FROM leads WHERE id IN {list})");
        tx.execute(&found, &[json_set(leads)]).await?;
    }
    // Each by an index that the lead begins.
    let tables = ["lead_activities", "lead_scores", "lead_analyses", "lead_visitors", "lead_stage_stays", "consents"];
    for table in tables {
        tx.execute(&format!("DELETE FROM {table} WHERE lead_id IN {list}"), &[json_set(leads)]).await?;
    }
    let sql = format!("DELETE FROM leads WHERE id IN {list} AND workspace_id = $2");
    let [workspace] = params![workspace];
    let deleted = tx.execute(&sql, &[json_set(leads), workspace]).await?;
    if deleted == leads.len() as u64 { Ok(()) } else { Err(Error::Contended) }
}

/// Deletes those of these persons who have no lead and no conversation.
///
/// # Errors
/// Where the database fails.
pub async fn delete_contacts(tx: &mut Tx, workspace: WorkspaceId, contacts: &[ContactId]) -> Result<(), Error> {
    if contacts.is_empty() {
        return Ok(());
    }
    // By `leads_of_contact` and `conversations_of_contact`.
    let sql = format!(
        "DELETE FROM contacts WHERE id IN {} AND workspace_id = $2
             AND NOT EXISTS (SELECT 1 FROM leads AS l WHERE l.contact_id = contacts.id)
             AND NOT EXISTS (SELECT 1 FROM conversations AS c WHERE c.contact_id = contacts.id)",
        tx.dialect().id_list(1)
    );
    let [workspace] = params![workspace];
    tx.execute(&sql, &[json_set(contacts), workspace]).await.map(drop)
}
