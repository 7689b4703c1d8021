//! Contacts: the persons behind leads. They are made at capture and become customers when a lead is converted.
//!
//! What is asked of them goes by the index that narrows most, and else by a bounded strip of the newest: see [`list`].

mod found;
mod walked;

use leadline_domain::{
    ids::{ContactId, LeadId, WorkspaceId},
    time::Timestamp,
};
use serde_json::{Map, Value};

use crate::{
    dialect::Dialect,
    leads::LeadFilter,
    search::Terms,
    sql::{Error, Reader, Row, Tx, json_set, params},
};

pub use found::list;
pub use walked::{ContactRows, ContactWalk, walk};

/// A person.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `contacts` under their own names")]
pub struct Contact {
    pub id: ContactId,
    pub display_name: String,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    /// `lead` or `customer`.
    pub lifecycle: String,
    pub tags: Vec<String>,
    pub column_data: Map<String, Value>,
    /// Grows with every change.
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which contacts somebody wants to see. Nothing set means all.
#[derive(Debug, Clone, Default)]
pub struct ContactFilter {
    /// Whose name, e-mail or phone holds these words.
    pub search: Option<Terms>,
    /// That carry this tag.
    pub tag: Option<String>,
    /// Who are this: `lead` or `customer`.
    pub lifecycle: Option<String>,
    /// Who have a lead of which this holds.
    pub leads: Option<LeadFilter>,
}

/// What a list of contacts is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContactSort {
    /// When they were first heard of.
    #[default]
    CreatedAt,
    /// When they were changed last.
    UpdatedAt,
    /// Their name, without regard to case.
    Name,
}

impl ContactSort {
    /// The key, which an index has.
    fn key(self) -> &'static str {
        match self {
            Self::CreatedAt => "contacts.created_at",
            Self::UpdatedAt => "contacts.updated_at",
            Self::Name => "lower(contacts.display_name)",
        }
    }
}

/// One contact.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ContactId) -> Result<Option<Contact>, Error> {
    let sql = format!(
        "SELECT {} FROM contacts WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        columns(reader.dialect())
    );
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// These contacts in their order.
///
/// # Errors
/// Where the database fails.
pub async fn list_by_id(reader: &Reader, workspace: WorkspaceId, ids: &[ContactId]) -> Result<Vec<Contact>, Error> {
    let sql = format!(
        "SELECT {} FROM contacts WHERE id IN {} AND workspace_id = $2 AND deleted_at IS NULL",
        columns(reader.dialect()),
        reader.dialect().id_list(1),
    );
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[json_set(ids), workspace]).await?;
    let mut contacts: Vec<Contact> = rows.iter().map(read).collect::<Result<_, _>>()?;
    let places: std::collections::HashMap<ContactId, usize> =
        ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    contacts.sort_by_key(|contact| places.get(&contact.id).copied());
    Ok(contacts)
}

/// One contact, that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: ContactId) -> Result<Option<Contact>, Error> {
    let sql = format!(
        "SELECT {} FROM contacts WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        columns(tx.dialect()),
        tx.dialect().for_update(),
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Writes a contact that is locked, and notes that it may differ from its leads.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn update(tx: &mut Tx, workspace: WorkspaceId, contact: &Contact, now: Timestamp) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE contacts SET display_name = $3, email = $4, phone_number = $5, lifecycle = $6, tags = {tags},
                             column_data = {data}, updated_at = $9, edited_at = $9, version = version + 1
         WHERE id = $1 AND workspace_id = $2",
        tags = dialect.json(7),
        data = dialect.json(8),
    );
    let params = params![
        contact.id,
        workspace,
        contact.display_name,
        contact.email,
        contact.phone_number,
        contact.lifecycle,
        Value::from(contact.tags.clone()),
        Value::Object(contact.column_data.clone()),
        now,
    ];
    let changed = tx.execute(&sql, &params).await?;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// The notes on a lead, oldest first, as they are carried to its contact: who said what, and when.
///
/// # Errors
/// Where the database fails.
pub async fn notes_of_lead(tx: &mut Tx, workspace: WorkspaceId, lead: LeadId, limit: i64) -> Result<Vec<Value>, Error> {
    let sql = format!(
        "SELECT actor_name, {data} AS data, created_at FROM lead_activities
         WHERE lead_id = $1 AND workspace_id = $2 AND kind = 'note.added' ORDER BY id LIMIT $3",
        data = tx.dialect().json_text("data"),
    );
    let rows = tx.query(&sql, &params![lead, workspace, limit]).await?;
    rows.iter()
        .map(|row| {
            let data: Value = row.json("data")?;
            let by: String = row.get("actor_name")?;
            let at: Timestamp = row.get("created_at")?;
            Ok(serde_json::json!({"value": data["value"], "by": by, "at": at}))
        })
        .collect()
}

fn columns(dialect: Dialect) -> String {
    format!(
        "contacts.id, contacts.display_name, contacts.email, contacts.phone_number, contacts.lifecycle,
         {tags} AS tags, {data} AS column_data, contacts.version, contacts.created_at, contacts.updated_at",
        tags = dialect.json_text("contacts.tags"),
        data = dialect.json_text("contacts.column_data"),
    )
}

fn read(row: &Row) -> Result<Contact, Error> {
    Ok(Contact {
        id: row.get("id")?,
        display_name: row.get("display_name")?,
        email: row.get("email")?,
        phone_number: row.get("phone_number")?,
        lifecycle: row.get("lifecycle")?,
        tags: row.json("tags")?,
        column_data: row.json("column_data")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
