//! Custom fields of leads: those that somebody defined, and those that came in submissions (`kind` is null then).
//!
//! The values stand with the leads and are found by their key alone, so a definition can be made, renamed and taken
//! back without a lead being touched. The counts are kept beside submissions and never with them: they are for people
//! who tidy up, and may lag.

use std::collections::HashMap;

use leadline_domain::{
    custom_fields::{CustomKind, is_usable_key},
    ids::WorkspaceId,
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Fields of one workspace at most. More keys than these are no fields but data.
pub const FIELDS_MAX: i64 = 1_000;

/// Rows that are looked through for fields that nobody listed.
const LOOKED_THROUGH: i64 = 50_000;

/// How many of them may have come by themselves. Visitors make up what they like, and people must be able to define
/// fields all the same.
const CAME_MAX: i64 = FIELDS_MAX / 2;

/// A field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomField {
    /// Under which its values stand.
    pub key: String,
    /// Its name on the screen.
    pub name: String,
    /// What it holds, where somebody defined it.
    pub kind: Option<CustomKind>,
    /// What its values are chosen from.
    pub options: Vec<String>,
    /// Whether cards of the board show it.
    pub is_on_card: bool,
    /// How many submissions brought it, as far as was counted.
    pub seen_count: i64,
    /// When one last did.
    pub last_seen_at: Option<Timestamp>,
    /// When it was first known.
    pub created_at: Timestamp,
    /// When it was last changed by somebody.
    pub updated_at: Timestamp,
}

/// A field that came in submissions.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `custom_fields` under their own names")]
pub struct Seen {
    pub workspace_id: WorkspaceId,
    pub key: String,
    pub name: String,
    pub seen_count: i64,
    pub last_seen_at: i64,
}

const SEEN_COLUMNS: Columns = &[
    ("workspace_id", Kind::Id),
    ("key", Kind::Text),
    ("name", Kind::Text),
    ("seen_count", Kind::Integer),
    ("last_seen_at", Kind::Integer),
];

/// All fields of a workspace, the defined ones first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<CustomField>, Error> {
    // By the primary key, which the workspace begins.
    let sql = format!(
        "{} WHERE workspace_id = $1 ORDER BY (kind IS NULL), created_at, key",
        select(&reader.dialect().json_text("options"))
    );
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// A field that somebody has a value of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its key.
    pub key: String,
    /// How it is called: as the workspace defined it, or as it came.
    pub name: String,
}

/// The fields that the newest leads hold, or what is kept of the newest contacts, and whether those are all there are.
///
/// # Errors
/// Where the database fails.
pub async fn held(reader: &Reader, workspace: WorkspaceId, by: Holder) -> Result<(Vec<Held>, bool), Error> {
    let known = list(reader, workspace).await?;
    let dialect = reader.dialect();
    let (table, column) = match by {
        Holder::Leads => ("leads", "custom_fields"),
        Holder::Contacts => ("contacts", "column_data"),
    };
    // By `leads_by_creation` or `contacts_by_creation`.
    let newest = format!(
        "(SELECT {column} FROM {table} WHERE workspace_id = $1 AND deleted_at IS NULL
          ORDER BY created_at DESC, id DESC LIMIT {LOOKED_THROUGH}) AS newest"
    );
    let column = format!("newest.{column}");
    let keys = format!(
        "SELECT DISTINCT held.key AS key FROM {newest} CROSS JOIN {} LIMIT {FIELDS_MAX}",
        dialect.json_keys(&column)
    );
    let names = format!(
        "SELECT held.key AS key, CAST(min(held.value) AS TEXT) AS name FROM {newest} CROSS JOIN {} GROUP BY held.key
         LIMIT {FIELDS_MAX}",
        dialect.json_texts_in(&column, "_displayNames")
    );
    let mut came: HashMap<String, String> = HashMap::new();
    for row in reader.query(&names, &params![workspace]).await? {
        came.insert(row.get("key")?, row.get::<Option<String>>("name")?.unwrap_or_default());
    }
    let mut held: Vec<Held> = known.into_iter().map(|field| Held { key: field.key, name: field.name }).collect();
    for row in reader.query(&keys, &params![workspace]).await? {
        let key: String = row.get("key")?;
        if is_usable_key(&key) && !held.iter().any(|field| field.key == key) {
            let name = came.remove(&key).filter(|name| !name.is_empty()).unwrap_or_else(|| key.clone());
            held.push(Held { key, name });
        }
    }
    let beyond = format!(
        "SELECT count(*) AS n FROM (SELECT id FROM {table} WHERE workspace_id = $1 AND deleted_at IS NULL
                                    ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {LOOKED_THROUGH}) AS beyond"
    );
    let are_all = reader.count(&beyond, &params![workspace]).await? == 0;
    Ok((held, are_all))
}

/// Who holds fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holder {
    /// Leads.
    Leads,
    /// Contacts.
    Contacts,
}

/// The fields that are defined.
///
/// # Errors
/// Where the database fails.
pub async fn defined(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<CustomField>, Error> {
    let fields = list(reader, workspace).await?;
    Ok(fields.into_iter().filter(|field| field.kind.is_some()).collect())
}

/// The kinds of the fields that are defined, by their keys.
///
/// # Errors
/// Where the database fails.
pub async fn kinds(reader: &Reader, workspace: WorkspaceId) -> Result<HashMap<String, CustomKind>, Error> {
    let fields = defined(reader, workspace).await?;
    Ok(fields.into_iter().filter_map(|field| field.kind.map(|kind| (field.key, kind))).collect())
}

/// One field, to be changed: nobody else changes it until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, key: &str) -> Result<Option<CustomField>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "{} WHERE workspace_id = $1 AND key = $2 {}",
        select(&dialect.json_text("options")),
        dialect.for_update()
    );
    tx.query_one(&sql, &params![workspace, key]).await?.as_ref().map(read).transpose()
}

/// How many fields a workspace has.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM custom_fields WHERE workspace_id = $1";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Writes what somebody says of a field; one that is not there is made.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, workspace: WorkspaceId, field: &CustomField) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO custom_fields (workspace_id, key, name, kind, options, is_on_card, seen_count, last_seen_at,
                                    created_at, updated_at)
         VALUES ($1, $2, $3, $4, {options}, $6, $7, $8, $9, $10)
         ON CONFLICT (workspace_id, key) DO UPDATE SET name = excluded.name, kind = excluded.kind,
             options = excluded.options, is_on_card = excluded.is_on_card, updated_at = excluded.updated_at",
        options = tx.dialect().json(5),
    );
    let options = serde_json::Value::from(field.options.clone());
    let kind = field.kind.map(CustomKind::as_str);
    let params = params![
        workspace,
        field.key,
        field.name,
        kind,
        options,
        field.is_on_card,
        field.seen_count,
        field.last_seen_at,
        field.created_at,
        field.updated_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// Takes a field off the list, and tells whether it was there.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, key: &str) -> Result<bool, Error> {
    let sql = "DELETE FROM custom_fields WHERE workspace_id = $1 AND key = $2";
    Ok(tx.execute(sql, &params![workspace, key]).await? == 1)
}

/// Counts fields that came in submissions. The rows are in the order of their keys, as every writer's.
///
/// # Errors
/// Where the database fails.
pub async fn add_seen(tx: &mut Tx, workspace: WorkspaceId, rows: &[Seen]) -> Result<(), Error> {
    // A workspace with too many fields goes on counting those that it has.
    let sql = "SELECT count(*) AS n FROM custom_fields WHERE workspace_id = $1 AND kind IS NULL";
    let came: i64 = tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))?;
    let room = (CAME_MAX - came).max(0);
    let set = tx.dialect().set(1, SEEN_COLUMNS);
    let known = format!(
        "UPDATE custom_fields SET seen_count = custom_fields.seen_count + r.seen_count, last_seen_at = r.last_seen_at
         FROM {set} WHERE custom_fields.workspace_id = r.workspace_id AND custom_fields.key = r.key"
    );
    tx.execute(&known, &[json_set(rows)]).await?;
    let sql = format!(
        "INSERT INTO custom_fields (workspace_id, key, name, options, is_on_card, seen_count, last_seen_at, created_at,
                                    updated_at)
         SELECT r.workspace_id, r.key, r.name, {none}, FALSE, r.seen_count, r.last_seen_at, r.last_seen_at,
                r.last_seen_at
         FROM {set}
         WHERE NOT EXISTS (SELECT 1 FROM custom_fields AS c WHERE c.workspace_id = r.workspace_id AND c.key = r.key)
         ORDER BY r.key LIMIT $2 ON CONFLICT (workspace_id, key) DO NOTHING",
        none = tx.dialect().json(3),
    );
    let [room, none] = params![room, "[]"];
    tx.execute(&sql, &[json_set(rows), room, none]).await.map(drop)
}

fn select(options: &str) -> String {
    format!(
        "SELECT key, name, kind, {options} AS options, is_on_card, seen_count, last_seen_at, created_at, updated_at
         FROM custom_fields"
    )
}

fn read(row: &Row) -> Result<CustomField, Error> {
    let kind: Option<String> = row.get("kind")?;
    Ok(CustomField {
        key: row.get("key")?,
        name: row.get("name")?,
        kind: kind.as_deref().and_then(CustomKind::parse),
        options: row.json("options")?,
        is_on_card: row.get("is_on_card")?,
        seen_count: row.get("seen_count")?,
        last_seen_at: row.get("last_seen_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
