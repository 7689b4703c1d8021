//! What one batch of accepted submissions writes, by set: one statement per table for the whole batch.
//!
//! The rows come decided from the engine. The order of calls inside a transaction is the engine's too; what matters
//! here is that every set is sorted by its key, so that two writers on PostgreSQL take their locks in one order.

use leadline_domain::{
    ids::{
        ContactId, LeadId, PipelineId, ProjectId, SourceId, StageCountId, StageId, SubmissionId, UserId, WorkspaceId,
    },
    time::Timestamp,
    values::Values,
};
use serde::{Serialize, Serializer};
use serde_json::Value;
use uuid::Uuid;

use crate::{
    dialect::Kind,
    leads::values::{VALUE_COLUMNS, read_values},
    sql::{Columns, Error, Row, Tx, json_set, params},
};

/// The keyed hash of (project or workspace, kind, value) that names a person without holding the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdentityKey(pub [u8; 16]);

impl IdentityKey {
    /// Reads a key as it is written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        hex::decode(text).ok()?.try_into().ok().map(Self)
    }

    pub(crate) fn read(row: &Row, column: &str) -> Result<Self, Error> {
        let bytes: Vec<u8> = row.get(column)?;
        bytes.try_into().map(Self).map_err(|_| Error::Column { column: column.to_owned() })
    }
}

impl Serialize for IdentityKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(self.0))
    }
}

/// A key in a set of keys.
#[derive(Serialize)]
pub(crate) struct Keyed {
    pub(crate) key: IdentityKey,
}

pub(crate) const KEY_COLUMNS: Columns = &[("key", Kind::Bytes)];

/// An identity and whom it names: a lead inside a project, a contact inside a workspace.
#[derive(Debug, Clone, Serialize)]
pub struct Identity {
    /// The keyed hash.
    pub key: IdentityKey,
    /// `visitor`, `email`, `phone`, `ip`, or `contact_email`, `contact_phone`.
    pub kind: &'static str,
    /// The lead or the contact.
    pub subject_id: Uuid,
    /// When it was last seen.
    pub seen_at: i64,
}

/// What a stored identity says.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// The keyed hash.
    pub key: IdentityKey,
    /// The lead or the contact.
    pub subject_id: Uuid,
    /// When it was last seen.
    pub seen_at: Timestamp,
}

/// What is known about a lead that a submission may belong to.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Candidate {
    pub id: LeadId,
    pub workspace_id: WorkspaceId,
    pub contact_id: ContactId,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    pub country_code: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub message: Option<String>,
    pub source_name: String,
    pub custom_fields: Value,
    pub score: i64,
    pub score_reasons: Value,
    pub score_version: i64,
    pub engagement: Option<i64>,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub last_touch: Value,
    pub visitor_id: Option<String>,
    pub submission_count: i64,
    pub last_submission_at: Timestamp,
    pub values: Values,
    pub created_at: Timestamp,
    pub deleted_at: Option<Timestamp>,
}

/// A lead to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct NewLead {
    pub id: LeadId,
    pub workspace_id: WorkspaceId,
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
    pub source: String,
    pub source_id: Option<SourceId>,
    pub source_name: String,
    pub tags: Value,
    pub custom_fields: Value,
    pub score: i64,
    pub score_reasons: Value,
    pub engagement: Option<i64>,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub score_version: i64,
    pub assigned_to: Option<UserId>,
    pub first_touch: Value,
    pub last_touch: Value,
    pub visitor_id: Option<String>,
    pub context: Option<Value>,
    pub submission_count: i64,
    pub last_submission_at: i64,
    pub stage_entered_at: i64,
    pub is_test: bool,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub search_text: String,
}

const LEAD_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("project_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("pipeline_id", Kind::Id),
    ("stage_id", Kind::Id),
    ("rank", Kind::Text),
    ("name", Kind::Text),
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("phone_raw", Kind::Text),
    ("country_code", Kind::Text),
    ("company", Kind::Text),
    ("title", Kind::Text),
    ("message", Kind::Text),
    ("source", Kind::Text),
    ("source_id", Kind::Id),
    ("source_name", Kind::Text),
    ("tags", Kind::Json),
    ("custom_fields", Kind::Json),
    ("score", Kind::Integer),
    ("score_reasons", Kind::Json),
    ("engagement", Kind::Integer),
    ("suspicion", Kind::Integer),
    ("suspicion_reasons", Kind::Json),
    ("score_version", Kind::Integer),
    ("assigned_to", Kind::Id),
    ("first_touch", Kind::Json),
    ("last_touch", Kind::Json),
    ("visitor_id", Kind::Text),
    ("context", Kind::Json),
    ("submission_count", Kind::Integer),
    ("last_submission_at", Kind::Integer),
    ("stage_entered_at", Kind::Integer),
    ("is_test", Kind::Boolean),
    ("version", Kind::Integer),
    ("created_at", Kind::Integer),
    ("updated_at", Kind::Integer),
    ("search_text", Kind::Text),
];

/// What a further submission changes on a lead that exists.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Resubmitted {
    pub id: LeadId,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub phone_raw: Option<String>,
    pub country_code: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub message: Option<String>,
    pub custom_fields: Value,
    pub score: i64,
    pub score_reasons: Value,
    pub suspicion: i64,
    pub suspicion_reasons: Value,
    pub score_version: i64,
    pub last_touch: Value,
    pub visitor_id: Option<String>,
    /// `None` leaves what was found out before.
    pub context: Option<Value>,
    pub submission_count: i64,
    pub last_submission_at: i64,
    pub updated_at: i64,
    pub search_text: String,
}

const RESUBMITTED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("name", Kind::Text),
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("phone_raw", Kind::Text),
    ("country_code", Kind::Text),
    ("company", Kind::Text),
    ("title", Kind::Text),
    ("message", Kind::Text),
    ("custom_fields", Kind::Json),
    ("score", Kind::Integer),
    ("score_reasons", Kind::Json),
    ("suspicion", Kind::Integer),
    ("suspicion_reasons", Kind::Json),
    ("score_version", Kind::Integer),
    ("last_touch", Kind::Json),
    ("visitor_id", Kind::Text),
    ("context", Kind::Json),
    ("submission_count", Kind::Integer),
    ("last_submission_at", Kind::Integer),
    ("updated_at", Kind::Integer),
    ("search_text", Kind::Text),
];

/// A person to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `contacts` under their own names")]
pub struct NewContact {
    pub id: ContactId,
    pub workspace_id: WorkspaceId,
    pub display_name: String,
    pub email: Option<String>,
    pub phone_number: Option<String>,
    pub lifecycle: &'static str,
    pub tags: Value,
    pub column_data: Value,
    pub created_at: i64,
    pub updated_at: i64,
}

const CONTACT_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("display_name", Kind::Text),
    ("email", Kind::Text),
    ("phone_number", Kind::Text),
    ("lifecycle", Kind::Text),
    ("tags", Kind::Json),
    ("column_data", Kind::Json),
    ("created_at", Kind::Integer),
    ("updated_at", Kind::Integer),
];

/// An accepted submission.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_submissions` under their own names")]
pub struct NewSubmission {
    pub id: SubmissionId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub source_id: Option<SourceId>,
    pub source: String,
    pub source_name: String,
    pub payload: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub project: Option<String>,
    pub message: Option<String>,
    pub cta: Option<String>,
    pub page_url: Option<String>,
    pub referrer: Option<String>,
    pub match_reason: Value,
    pub received_at: i64,
    pub time_to_submit_ms: Option<i64>,
    pub context: Option<Value>,
}

const SUBMISSION_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("source_id", Kind::Id),
    ("source", Kind::Text),
    ("source_name", Kind::Text),
    ("payload", Kind::Text),
    ("name", Kind::Text),
    ("email", Kind::Text),
    ("phone", Kind::Text),
    ("project", Kind::Text),
    ("message", Kind::Text),
    ("cta", Kind::Text),
    ("page_url", Kind::Text),
    ("referrer", Kind::Text),
    ("match_reason", Kind::Json),
    ("received_at", Kind::Integer),
    ("time_to_submit_ms", Kind::Integer),
    ("context", Kind::Json),
];

/// The raw evidence of a submission, kept for a while.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_captures` under their own names")]
pub struct NewCapture {
    pub submission_id: SubmissionId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub origin: Option<String>,
    pub content_type: Option<String>,
    pub raw_body: String,
    pub captured_at: i64,
    pub expires_at: i64,
}

const CAPTURE_COLUMNS: Columns = &[
    ("submission_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("ip", Kind::Text),
    ("user_agent", Kind::Text),
    ("origin", Kind::Text),
    ("content_type", Kind::Text),
    ("raw_body", Kind::Text),
    ("captured_at", Kind::Integer),
    ("expires_at", Kind::Integer),
];

/// How many leads came into a stage, or left it, and by how much its leads are worth more or less.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_stage_counts` under their own names")]
pub struct StageDelta {
    pub id: StageCountId,
    pub workspace_id: WorkspaceId,
    pub pipeline_id: PipelineId,
    pub stage_id: StageId,
    pub n: i64,
    pub value_milli: i64,
}

const STAGE_DELTA_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("pipeline_id", Kind::Id),
    ("stage_id", Kind::Id),
    ("n", Kind::Integer),
    ("value_milli", Kind::Integer),
];

pub(crate) const IDENTITY_COLUMNS: Columns =
    &[("key", Kind::Bytes), ("kind", Kind::Text), ("subject_id", Kind::Id), ("seen_at", Kind::Integer)];

/// A tag on a lead, for the index by tag.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_tags` under their own names")]
pub struct LeadTag {
    pub workspace_id: WorkspaceId,
    pub tag: String,
    pub lead_id: LeadId,
}

const TAG_COLUMNS: Columns = &[("workspace_id", Kind::Id), ("tag", Kind::Text), ("lead_id", Kind::Id)];

/// Which of these submissions are stored already, and with which lead.
///
/// # Errors
/// Where the database fails.
pub async fn known_submissions(tx: &mut Tx, ids: &[SubmissionId]) -> Result<Vec<(SubmissionId, LeadId)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let list = tx.dialect().id_list(1);
    let sql = format!("SELECT id, lead_id FROM lead_submissions WHERE id IN {list}");
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("lead_id")?))).collect()
}

/// Whom these identities name.
///
/// # Errors
/// Where the database fails.
pub async fn find_identities(tx: &mut Tx, keys: &[IdentityKey]) -> Result<Vec<Known>, Error> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let list = tx.dialect().bytes_list(1);
    // Who went into another lead is taken for that one; by `leads_merged`, which holds few.
    let sql = format!(
        "SELECT i.key, coalesce(m.merged_into, i.subject_id) AS subject_id, i.seen_at
         FROM identities AS i LEFT JOIN leads AS m ON m.id = i.subject_id AND m.merged_into IS NOT NULL
         WHERE i.key IN {list}"
    );
    let rows = tx.query(&sql, &[json_set(keys)]).await?;
    rows.iter()
        .map(|row| {
            let subject: LeadId = row.get("subject_id")?;
            Ok(Known { key: IdentityKey::read(row, "key")?, subject_id: subject.0, seen_at: row.get("seen_at")? })
        })
        .collect()
}

/// The e-mail and phone that leads carry, for deciding whose a submission is.
///
/// # Errors
/// Where the database fails.
pub async fn contacts_of_leads(
    tx: &mut Tx,
    ids: &[LeadId],
) -> Result<Vec<(LeadId, Option<String>, Option<String>)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id, email, phone FROM leads WHERE id IN {}", tx.dialect().id_list(1));
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("email")?, row.get("phone")?))).collect()
}

/// The leads that submissions belong to, locked in the order of their ids where several writers exist.
///
/// # Errors
/// Where the database fails.
pub async fn lock_leads(tx: &mut Tx, ids: &[LeadId]) -> Result<Vec<Candidate>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, workspace_id, contact_id, pipeline_id, stage_id, name, email, phone, phone_raw, country_code, company, title, message,
                source_name, {custom} AS custom_fields, score, {score} AS score_reasons, score_version, engagement,
                suspicion, {suspicion} AS suspicion_reasons, {touch} AS last_touch, visitor_id, submission_count,
                last_submission_at, {VALUE_COLUMNS}, created_at, deleted_at
         FROM leads WHERE id IN {list} ORDER BY id {lock}",
        custom = dialect.json_text("custom_fields"),
        score = dialect.json_text("score_reasons"),
        suspicion = dialect.json_text("suspicion_reasons"),
        touch = dialect.json_text("last_touch"),
        list = dialect.id_list(1),
        lock = dialect.for_update(),
    );
    let rows = tx.query(&sql, &[json_set(ids)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Candidate {
                id: row.get("id")?,
                workspace_id: row.get("workspace_id")?,
                contact_id: row.get("contact_id")?,
                pipeline_id: row.get("pipeline_id")?,
                stage_id: row.get("stage_id")?,
                name: row.get("name")?,
                email: row.get("email")?,
                phone: row.get("phone")?,
                phone_raw: row.get("phone_raw")?,
                country_code: row.get("country_code")?,
                company: row.get("company")?,
                title: row.get("title")?,
                message: row.get("message")?,
                source_name: row.get("source_name")?,
                custom_fields: row.json("custom_fields")?,
                score: row.get("score")?,
                score_reasons: row.json("score_reasons")?,
                score_version: row.get("score_version")?,
                engagement: row.get("engagement")?,
                suspicion: row.get("suspicion")?,
                suspicion_reasons: row.json("suspicion_reasons")?,
                last_touch: row.json("last_touch")?,
                visitor_id: row.get("visitor_id")?,
                submission_count: row.get("submission_count")?,
                last_submission_at: row.get("last_submission_at")?,
                values: read_values(row)?,
                created_at: row.get("created_at")?,
                deleted_at: row.get("deleted_at")?,
            })
        })
        .collect()
}

/// Claims identities that nobody had a moment ago. Where another writer was quicker, the whole batch is to be decided
/// again on what that one wrote.
///
/// # Errors
/// [`Error::Contended`] where one of them is taken by now.
pub async fn claim_identities(tx: &mut Tx, rows: &[Identity]) -> Result<(), Error> {
    let inserted = tx.insert_set("identities", IDENTITY_COLUMNS, rows, "ON CONFLICT (key) DO NOTHING").await?;
    let all_were_free = inserted == rows.len() as u64;
    if all_were_free { Ok(()) } else { Err(Error::Contended) }
}

/// Points identities that wander (an IP address, a shared browser) at whom they name now.
///
/// # Errors
/// Where the database fails.
pub async fn point_identities(tx: &mut Tx, rows: &[Identity]) -> Result<(), Error> {
    let conflict = "ON CONFLICT (key) DO UPDATE SET subject_id = excluded.subject_id, seen_at = excluded.seen_at";
    tx.insert_set("identities", IDENTITY_COLUMNS, rows, conflict).await.map(drop)
}

/// Inserts leads.
///
/// # Errors
/// Where the database fails.
pub async fn insert_leads(tx: &mut Tx, rows: &[NewLead]) -> Result<(), Error> {
    tx.insert_set("leads", LEAD_COLUMNS, rows, "").await.map(drop)
}

/// Writes what further submissions change. The rows must be locked (see [`lock_leads`]).
///
/// # Errors
/// Where the database fails.
pub async fn update_resubmitted(tx: &mut Tx, rows: &[Resubmitted]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let set = tx.dialect().set(1, RESUBMITTED_COLUMNS);
    let assignment = |name: &str| match name {
        // What is not known this time was not found to be otherwise.
        "context" => "context = coalesce(r.context, leads.context)".to_owned(),
        _ => format!("{name} = r.{name}"),
    };
    let assignments: Vec<String> = RESUBMITTED_COLUMNS.iter().skip(1).map(|(name, _)| assignment(name)).collect();
    let sql = format!(
        "UPDATE leads SET {}, version = version + 1, deleted_at = NULL FROM {set} WHERE leads.id = r.id",
        assignments.join(", ")
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// Inserts persons.
///
/// # Errors
/// Where the database fails.
pub async fn insert_contacts(tx: &mut Tx, rows: &[NewContact]) -> Result<(), Error> {
    tx.insert_set("contacts", CONTACT_COLUMNS, rows, "").await.map(drop)
}

/// Inserts submissions. One that is there already means another node replays the same spool or a repeat was quicker.
///
/// # Errors
/// [`Error::Contended`] where one of them is stored by now.
pub async fn insert_submissions(tx: &mut Tx, rows: &[NewSubmission]) -> Result<(), Error> {
    let conflict = "ON CONFLICT (id) DO NOTHING";
    let inserted = tx.insert_set("lead_submissions", SUBMISSION_COLUMNS, rows, conflict).await?;
    if inserted == rows.len() as u64 { Ok(()) } else { Err(Error::Contended) }
}

/// Inserts the raw evidence.
///
/// # Errors
/// Where the database fails.
pub async fn insert_captures(tx: &mut Tx, rows: &[NewCapture]) -> Result<(), Error> {
    tx.insert_set("lead_captures", CAPTURE_COLUMNS, rows, "").await.map(drop)
}

/// Inserts tags into the index by tag.
///
/// # Errors
/// Where the database fails.
pub async fn insert_tags(tx: &mut Tx, rows: &[LeadTag]) -> Result<(), Error> {
    tx.insert_set("lead_tags", TAG_COLUMNS, rows, "ON CONFLICT DO NOTHING").await.map(drop)
}

/// Notes how many leads came into stages, or left them. Rows are only ever added, so that writers do not wait for
/// each other at a counter; [`fold_stage_counts`] keeps them few.
///
/// # Errors
/// Where the database fails.
pub async fn add_stage_counts(tx: &mut Tx, rows: &[StageDelta]) -> Result<(), Error> {
    tx.insert_set("lead_stage_counts", STAGE_DELTA_COLUMNS, rows, "").await.map(drop)
}

/// Makes one row per stage out of many. `ids` names the new rows.
///
/// # Errors
/// Where the database fails.
pub async fn fold_stage_counts(tx: &mut Tx, mut new_id: impl FnMut() -> StageCountId) -> Result<(), Error> {
    let sql =
        "SELECT stage_id FROM lead_stage_counts GROUP BY stage_id HAVING count(*) > 64 ORDER BY stage_id LIMIT 100";
    let crowded: Vec<StageId> = {
        let rows = tx.query(sql, &[]).await?;
        rows.iter().map(|row| row.get("stage_id")).collect::<Result<_, _>>()?
    };
    for stage in crowded {
        let taken = tx
            .query(
                "DELETE FROM lead_stage_counts WHERE stage_id = $1 RETURNING workspace_id, pipeline_id, n, value_milli",
                &params![stage],
            )
            .await?;
        let Some(first) = taken.first() else { continue };
        let (workspace_id, pipeline_id) = (first.get("workspace_id")?, first.get("pipeline_id")?);
        let (mut n, mut value) = (0i64, 0i128);
        for row in &taken {
            n += row.get::<i64>("n")?;
            value += i128::from(row.get::<i64>("value_milli")?);
        }
        let mut folded = Vec::new();
        // One row, and more only where a number of the database cannot hold what all are worth.
        while folded.is_empty() || value != 0 {
            let value_milli = i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX });
            value -= i128::from(value_milli);
            folded.push(StageDelta { id: new_id(), workspace_id, pipeline_id, stage_id: stage, n, value_milli });
            n = 0;
        }
        add_stage_counts(tx, &folded).await?;
    }
    Ok(())
}
