//! Contacts: the persons behind leads. They are made at capture and become customers when a lead is converted.

use leadline_domain::{
    ids::{ContactId, LeadId, WorkspaceId},
    time::Timestamp,
};
use serde_json::{Map, Value};

use crate::{
    dialect::Dialect,
    search::Terms,
    sql::{COUNT_CAP, Error, Page, Param, Reader, Row, Tx, params},
};

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
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A page of contacts, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    search: Option<&Terms>,
    limit: i64,
    offset: i64,
) -> Result<Page<Contact>, Error> {
    let mut params: Vec<Param> = params![workspace].into();
    let mut filter = "workspace_id = $1 AND deleted_at IS NULL".to_owned();
    if let Some(terms) = search {
        let text = "lower(display_name || ' ' || coalesce(email, '') || ' ' || coalesce(phone_number, ''))";
        let condition = terms.condition(text, &mut params);
        filter = format!("{filter} AND {condition}");
    }
    let cap = COUNT_CAP + 1;
    let count = format!("SELECT count(*) AS n FROM (SELECT 1 AS one FROM contacts WHERE {filter} LIMIT {cap}) AS c");
    let counted = reader.count(&count, &params).await?;
    let place = params.len();
    params.extend(params![limit, offset]);
    let sql = format!(
        "{} WHERE {filter} ORDER BY created_at DESC, id DESC LIMIT ${} OFFSET ${}",
        select(reader.dialect()),
        place + 1,
        place + 2,
    );
    let rows = reader.query(&sql, &params).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

/// One contact.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ContactId) -> Result<Option<Contact>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// One contact, that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: ContactId) -> Result<Option<Contact>, Error> {
    let sql = format!(
        "{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        select(tx.dialect()),
        tx.dialect().for_update(),
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// Writes a contact that is locked.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn update(tx: &mut Tx, workspace: WorkspaceId, contact: &Contact, now: Timestamp) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE contacts SET display_name = $3, email = $4, phone_number = $5, lifecycle = $6, tags = {tags},
                             column_data = {data}, updated_at = $9
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

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, display_name, email, phone_number, lifecycle, {tags} AS tags, {data} AS column_data, created_at,
                updated_at
         FROM contacts",
        tags = dialect.json_text("tags"),
        data = dialect.json_text("column_data"),
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
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
