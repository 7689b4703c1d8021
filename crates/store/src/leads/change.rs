//! Changing leads. The rows are locked first ([`lock`]); the engine decides on what it then sees.

use std::collections::HashMap;

use leadline_domain::{
    ids::{ContactId, LeadId, PipelineId, ProjectId, StageId, UserId, WorkspaceId},
    time::Timestamp,
    values::Values,
};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    stays,
    values::{VALUE_COLUMNS, read_values},
};
use crate::{
    capture::{IDENTITY_COLUMNS, Identity, IdentityKey, LeadTag, insert_tags},
    dialect::Kind,
    sql::{Columns, Error, Row, Tx, json_set, params},
};

/// A lead that nobody else changes until the transaction ends.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Locked {
    pub id: LeadId,
    pub project_id: ProjectId,
    pub contact_id: ContactId,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
    pub rank: String,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    pub country_code: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub message: Option<String>,
    pub source_name: String,
    pub tags: Vec<String>,
    pub custom_fields: Map<String, Value>,
    pub engagement: Option<i64>,
    pub suspicion: i64,
    pub score_reasons: Value,
    pub assigned_to: Option<UserId>,
    pub stage_entered_at: Timestamp,
    pub values: Values,
    pub close_reason: Option<String>,
    pub converted_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub version: i64,
    pub merged_into: Option<LeadId>,
}

/// A lead's new place.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Moved {
    pub id: LeadId,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
    pub rank: String,
    /// Why it is won or lost now.
    pub close_reason: Option<String>,
}

pub(super) const MOVED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("pipeline_id", Kind::Id),
    ("stage_id", Kind::Id),
    ("rank", Kind::Text),
    ("close_reason", Kind::Text),
];

/// What people edit on a lead, and what follows from it.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Details {
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    pub country_code: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub custom_fields: Value,
    pub score: i64,
    pub score_reasons: Value,
    pub score_version: i64,
    pub search_text: String,
}

/// A lead's new tags.
#[derive(Debug, Clone)]
pub struct Tagged {
    /// The lead.
    pub id: LeadId,
    /// All its tags from now on.
    pub tags: Vec<String>,
    /// Those of them that it did not have.
    pub added: Vec<String>,
    /// Those that it had and has no more.
    pub removed: Vec<String>,
}

#[derive(Serialize)]
struct TagsRow<'a> {
    id: LeadId,
    tags: &'a [String],
}

const TAGS_COLUMNS: Columns = &[("id", Kind::Id), ("tags", Kind::Json)];

const LEAD_TAG_COLUMNS: Columns = &[("tag", Kind::Text), ("lead_id", Kind::Id)];

/// Locks these leads in the order of their ids and reads them, also those that are deleted. What is not the workspace's
/// does not come out.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Locked>, Error> {
    let list = tx.dialect().id_list(2);
    lock_where(tx, workspace, &format!("id IN {list}"), ids, i64::MAX).await
}

/// Locks those of these leads that nobody else holds, in the order of their ids: for whoever may come back for the rest.
///
/// # Errors
/// Where the database fails.
pub async fn lock_free(tx: &mut Tx, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Locked>, Error> {
    let dialect = tx.dialect();
    let which = format!("id IN {}", dialect.id_list(2));
    lock_as(tx, workspace, &which, ids, (i64::MAX, dialect.skip_locked())).await
}

/// Locks at most `limit` leads of these stages, also those that are deleted.
///
/// # Errors
/// Where the database fails.
pub async fn lock_in_stages(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stages: &[StageId],
    limit: i64,
) -> Result<Vec<Locked>, Error> {
    // Two conditions for the two indexes: most leads are not deleted.
    let list = tx.dialect().id_list(2);
    let there = format!("deleted_at IS NULL AND stage_id IN {list}");
    let mut leads = lock_where(tx, workspace, &there, stages, limit).await?;
    let rest = limit - i64::try_from(leads.len()).unwrap_or(limit);
    if rest > 0 {
        let deleted = format!("deleted_at IS NOT NULL AND stage_id IN {list}");
        leads.extend(lock_where(tx, workspace, &deleted, stages, rest).await?);
    }
    Ok(leads)
}

async fn lock_where<T: Serialize + Sync>(
    tx: &mut Tx,
    workspace: WorkspaceId,
    condition: &str,
    ids: &[T],
    limit: i64,
) -> Result<Vec<Locked>, Error> {
    let lock = tx.dialect().for_update();
    lock_as(tx, workspace, condition, ids, (limit, lock)).await
}

async fn lock_as<T: Serialize + Sync>(
    tx: &mut Tx,
    workspace: WorkspaceId,
    condition: &str,
    ids: &[T],
    (limit, lock): (i64, &str),
) -> Result<Vec<Locked>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, project_id, contact_id, pipeline_id, stage_id, rank, name, email, phone, phone_raw, country_code,
                company, title, message, source_name, {tags} AS tags, {custom} AS custom_fields, engagement, suspicion,
                {reasons} AS score_reasons, assigned_to, stage_entered_at, {VALUE_COLUMNS}, close_reason, converted_at,
                deleted_at, version, merged_into
         FROM leads WHERE workspace_id = $1 AND {condition} ORDER BY id LIMIT $3 {lock}",
        tags = dialect.json_text("tags"),
        custom = dialect.json_text("custom_fields"),
        reasons = dialect.json_text("score_reasons"),
    );
    let [workspace, limit] = params![workspace, limit];
    tx.query(&sql, &[workspace, json_set(ids), limit]).await?.iter().map(read_locked).collect()
}

fn read_locked(row: &Row) -> Result<Locked, Error> {
    Ok(Locked {
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        contact_id: row.get("contact_id")?,
        pipeline_id: row.get("pipeline_id")?,
        stage_id: row.get("stage_id")?,
        rank: row.get("rank")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        phone_raw: row.get("phone_raw")?,
        country_code: row.get("country_code")?,
        company: row.get("company")?,
        title: row.get("title")?,
        message: row.get("message")?,
        source_name: row.get("source_name")?,
        tags: row.json("tags")?,
        custom_fields: row.json("custom_fields")?,
        engagement: row.get("engagement")?,
        suspicion: row.get("suspicion")?,
        score_reasons: row.json("score_reasons")?,
        assigned_to: row.get("assigned_to")?,
        stage_entered_at: row.get("stage_entered_at")?,
        values: read_values(row)?,
        close_reason: row.get("close_reason")?,
        converted_at: row.get("converted_at")?,
        deleted_at: row.get("deleted_at")?,
        version: row.get("version")?,
        merged_into: row.get("merged_into")?,
    })
}

/// The rank of the card on top of a column, `except` apart.
///
/// # Errors
/// Where the database fails.
pub async fn top_of(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stage: StageId,
    except: LeadId,
) -> Result<Option<String>, Error> {
    let sql = "SELECT rank FROM leads
               WHERE stage_id = $1 AND workspace_id = $2 AND deleted_at IS NULL AND id <> $3
               ORDER BY rank DESC, id DESC LIMIT 1";
    let row = tx.query_one(sql, &params![stage, workspace, except]).await?;
    row.map(|row| row.get("rank")).transpose()
}

/// The rank of the first card below `rank` in a column, `except` apart. Cards of the same rank are passed over: there is
/// no place between two of them.
///
/// # Errors
/// Where the database fails.
pub async fn neighbour_below(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stage: StageId,
    rank: &str,
    except: LeadId,
) -> Result<Option<String>, Error> {
    let sql = "SELECT rank FROM leads
               WHERE stage_id = $1 AND workspace_id = $2 AND deleted_at IS NULL AND id <> $3 AND rank < $4
               ORDER BY rank DESC, id DESC LIMIT 1";
    let row = tx.query_one(sql, &params![stage, workspace, except, rank]).await?;
    row.map(|row| row.get("rank")).transpose()
}

/// Puts leads into their new places; one that stays in its stage has still entered it when it did, and the stage that
/// one leaves is noted among its stays. The stage counts are the caller's to add.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn move_to(tx: &mut Tx, workspace: WorkspaceId, rows: &[Moved], now: Timestamp) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    stays::note(tx, workspace, rows, now).await?;
    let sql = format!(
        "UPDATE leads SET pipeline_id = r.pipeline_id, stage_id = r.stage_id, rank = r.rank,
                          close_reason = r.close_reason, updated_at = $2,
                          stage_entered_at = CASE WHEN leads.stage_id = r.stage_id THEN stage_entered_at ELSE $2 END,
                          version = version + 1
         FROM {set} WHERE leads.id = r.id AND leads.workspace_id = $3",
        set = tx.dialect().set(1, MOVED_COLUMNS),
    );
    let [now, workspace] = params![now, workspace];
    let changed = tx.execute(&sql, &[json_set(rows), now, workspace]).await?;
    expect_all(changed, rows.len())
}

/// A lead that goes back to where it was.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Returned {
    pub id: LeadId,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
    pub rank: String,
    pub close_reason: Option<String>,
    /// When it came into that stage first, in milliseconds.
    pub stage_entered_at: i64,
}

pub(super) const RETURNED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("pipeline_id", Kind::Id),
    ("stage_id", Kind::Id),
    ("rank", Kind::Text),
    ("close_reason", Kind::Text),
    ("stage_entered_at", Kind::Integer),
];

/// Puts leads back into the places that they had, as if they had never left. The stage counts are the caller's to add.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn move_back(tx: &mut Tx, workspace: WorkspaceId, rows: &[Returned], now: Timestamp) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    stays::forget(tx, rows).await?;
    let sql = format!(
        "UPDATE leads SET pipeline_id = r.pipeline_id, stage_id = r.stage_id, rank = r.rank,
                          close_reason = r.close_reason, stage_entered_at = r.stage_entered_at, updated_at = $2,
                          version = version + 1
         FROM {set} WHERE leads.id = r.id AND leads.workspace_id = $3",
        set = tx.dialect().set(1, RETURNED_COLUMNS),
    );
    let [now, workspace] = params![now, workspace];
    let changed = tx.execute(&sql, &[json_set(rows), now, workspace]).await?;
    expect_all(changed, rows.len())
}

/// Writes what people edit.
///
/// # Errors
/// [`Error::Contended`] where the lead is not there.
pub async fn update_details(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: LeadId,
    details: &Details,
    now: Timestamp,
) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE leads SET name = $3, email = $4, phone = $5, phone_raw = $6, country_code = $7, company = $8,
                          title = $9, custom_fields = {custom}, score = $11, score_reasons = {reasons},
                          search_text = $13, updated_at = $14, score_version = $15, version = version + 1
         WHERE id = $1 AND workspace_id = $2",
        custom = dialect.json(10),
        reasons = dialect.json(12),
    );
    let params = params![
        id,
        workspace,
        details.name,
        details.email,
        details.phone,
        details.phone_raw,
        details.country_code,
        details.company,
        details.title,
        details.custom_fields,
        details.score,
        details.score_reasons,
        details.search_text,
        now,
        details.score_version,
    ];
    let changed = tx.execute(&sql, &params).await?;
    expect_all(changed, 1)
}

/// Gives leads to a user, or to nobody.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn assign(
    tx: &mut Tx,
    workspace: WorkspaceId,
    ids: &[LeadId],
    to: Option<UserId>,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE leads SET assigned_to = $3, updated_at = $4, version = version + 1
         WHERE workspace_id = $1 AND id IN {}",
        tx.dialect().id_list(2),
    );
    let [workspace, to, now] = params![workspace, to, now];
    let changed = tx.execute(&sql, &[workspace, json_set(ids), to, now]).await?;
    expect_all(changed, ids.len())
}

/// Gives leads their new tags, in the rows and in the index by tag.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn set_tags(tx: &mut Tx, workspace: WorkspaceId, rows: &[Tagged], now: Timestamp) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE leads SET tags = r.tags, updated_at = $2, version = version + 1
         FROM {set} WHERE leads.id = r.id AND leads.workspace_id = $3",
        set = tx.dialect().set(1, TAGS_COLUMNS),
    );
    let written: Vec<TagsRow<'_>> = rows.iter().map(|row| TagsRow { id: row.id, tags: &row.tags }).collect();
    let [now, workspace_param] = params![now, workspace];
    let changed = tx.execute(&sql, &[json_set(&written), now, workspace_param]).await?;
    expect_all(changed, rows.len())?;
    delete_tags(tx, workspace, &index_rows(workspace, rows, |row| &row.removed)).await?;
    insert_tags(tx, &index_rows(workspace, rows, |row| &row.added)).await
}

fn index_rows(workspace: WorkspaceId, rows: &[Tagged], tags: impl Fn(&Tagged) -> &[String]) -> Vec<LeadTag> {
    let of_lead = |row: &Tagged| -> Vec<LeadTag> {
        let tags = tags(row).iter();
        tags.map(|tag| LeadTag { workspace_id: workspace, tag: tag.clone(), lead_id: row.id }).collect()
    };
    rows.iter().flat_map(of_lead).collect()
}

/// Takes tags out of the index by tag.
///
/// # Errors
/// Where the database fails.
pub async fn delete_tags(tx: &mut Tx, workspace: WorkspaceId, rows: &[LeadTag]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "DELETE FROM lead_tags WHERE workspace_id = $2 AND (tag, lead_id) IN (SELECT r.tag, r.lead_id FROM {})",
        tx.dialect().set(1, LEAD_TAG_COLUMNS),
    );
    let [workspace] = params![workspace];
    tx.execute(&sql, &[json_set(rows), workspace]).await.map(drop)
}

/// Deletes leads softly, or restores them where `at` is `None`. The stage counts are the caller's to add.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn set_deleted(
    tx: &mut Tx,
    workspace: WorkspaceId,
    ids: &[LeadId],
    at: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE leads SET deleted_at = $3, updated_at = $4, version = version + 1
         WHERE workspace_id = $1 AND id IN {}",
        tx.dialect().id_list(2),
    );
    let [workspace, at, now] = params![workspace, at, now];
    let changed = tx.execute(&sql, &[workspace, json_set(ids), at, now]).await?;
    expect_all(changed, ids.len())
}

/// Marks a lead as converted into `contact`.
///
/// # Errors
/// [`Error::Contended`] where the lead is not there.
pub async fn convert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: LeadId,
    contact: ContactId,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE leads SET contact_id = $3, converted_at = $4, updated_at = $4, version = version + 1
               WHERE id = $1 AND workspace_id = $2";
    let changed = tx.execute(sql, &params![id, workspace, contact, now]).await?;
    expect_all(changed, 1)
}

/// The name of a member who can be given leads: one who belongs to the workspace and may sign in.
///
/// # Errors
/// Where the database fails.
pub async fn find_member(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<Option<String>, Error> {
    let sql = "SELECT users.name FROM memberships JOIN users ON users.id = memberships.user_id
               WHERE memberships.workspace_id = $1 AND memberships.user_id = $2 AND users.disabled_at IS NULL";
    let row = tx.query_one(sql, &params![workspace, user]).await?;
    row.map(|row| row.get("name")).transpose()
}

/// The names of these users, whether they are members still or not.
///
/// # Errors
/// Where the database fails.
pub async fn names_of_users(tx: &mut Tx, users: &[UserId]) -> Result<HashMap<UserId, String>, Error> {
    let sql = format!("SELECT id, name FROM users WHERE id IN {}", tx.dialect().id_list(1));
    let rows = tx.query(&sql, &[json_set(users)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("name")?))).collect()
}

/// Whom an identity names: a lead or a contact, by its kind.
///
/// # Errors
/// Where the database fails.
pub async fn find_identity(tx: &mut Tx, key: IdentityKey) -> Result<Option<Uuid>, Error> {
    let sql = "SELECT subject_id FROM identities WHERE key = $1";
    let row = tx.query_one(sql, &params![key.0.to_vec()]).await?;
    row.map(|row| row.get::<LeadId>("subject_id").map(|id| id.0)).transpose()
}

/// Claims identities that are free. One that names somebody goes on naming them.
///
/// # Errors
/// Where the database fails.
pub async fn claim_free_identities(tx: &mut Tx, rows: &[Identity]) -> Result<(), Error> {
    let mut rows = rows.to_vec();
    // In the order of their keys, as every writer of this table.
    rows.sort_by_key(|row| row.key);
    tx.insert_set("identities", IDENTITY_COLUMNS, &rows, "ON CONFLICT (key) DO NOTHING").await.map(drop)
}

/// Gives up identities that name `subject`, so that whoever comes with them next is not taken for it.
///
/// # Errors
/// Where the database fails.
pub async fn release_identities(tx: &mut Tx, keys: &[IdentityKey], subject: Uuid) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let sql = format!("DELETE FROM identities WHERE subject_id = $2 AND key IN {}", tx.dialect().bytes_list(1));
    let [subject] = params![LeadId(subject)];
    tx.execute(&sql, &[json_set(keys), subject]).await.map(drop)
}

fn expect_all(changed: u64, expected: usize) -> Result<(), Error> {
    if changed == expected as u64 { Ok(()) } else { Err(Error::Contended) }
}
