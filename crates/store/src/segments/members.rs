//! Who was in the segments that are followed when it was looked last.

use std::collections::HashSet;

use leadline_domain::{
    ids::{ContactId, LeadId, SegmentId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use super::{Segment, read, select};
use crate::{
    dialect::Kind,
    leads::Place,
    sql::{Columns, Error, IntoParam, Reader, Tx, json_set, params},
};

/// Followed segments of one workspace at most: each is asked of the leads of every batch of events.
pub const FOLLOWED_MAX: i64 = 50;

/// Leads of one contact that are looked at when contacts changed.
const OF_CONTACT_MAX: i64 = 200;

/// A lead in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[expect(missing_docs, reason = "the columns of `segment_members` under their own names")]
pub struct Member {
    pub segment_id: SegmentId,
    pub lead_id: LeadId,
}

#[derive(Serialize)]
struct MemberRow {
    segment_id: SegmentId,
    lead_id: LeadId,
    workspace_id: WorkspaceId,
    entered_at: i64,
}

const ROW_COLUMNS: Columns =
    &[("segment_id", Kind::Id), ("lead_id", Kind::Id), ("workspace_id", Kind::Id), ("entered_at", Kind::Integer)];

const MEMBER_COLUMNS: Columns = &[("segment_id", Kind::Id), ("lead_id", Kind::Id)];

/// The segments of a workspace that are followed.
///
/// # Errors
/// Where the database fails.
pub async fn followed(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Segment>, Error> {
    // By `segments_followed`.
    let sql = format!("{} WHERE workspace_id = $1 AND is_followed LIMIT {FOLLOWED_MAX}", select(tx.dialect()));
    tx.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// How many segments of a workspace are followed.
///
/// # Errors
/// Where the database fails.
pub async fn count_followed(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM segments WHERE workspace_id = $1 AND is_followed";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// The leads of contacts, up to 200 of each on average.
///
/// # Errors
/// Where the database fails.
pub async fn leads_of(
    tx: &mut Tx,
    workspace: WorkspaceId,
    contacts: &[ContactId],
) -> Result<Vec<(ContactId, LeadId)>, Error> {
    if contacts.is_empty() {
        return Ok(Vec::new());
    }
    // By `leads_of_contact`.
    let sql = format!(
        "SELECT contact_id, id FROM leads WHERE contact_id IN {} AND workspace_id = $2 AND deleted_at IS NULL LIMIT $3",
        tx.dialect().id_list(1)
    );
    let most = OF_CONTACT_MAX.saturating_mul(i64::try_from(contacts.len()).unwrap_or(i64::MAX));
    let rows = tx.query(&sql, &[json_set(contacts), workspace.param(), most.param()]).await?;
    rows.iter().map(|row| Ok((row.get("contact_id")?, row.get("id")?))).collect()
}

/// In which segments these leads were.
///
/// # Errors
/// Where the database fails.
pub async fn of_leads(tx: &mut Tx, leads: &[LeadId]) -> Result<HashSet<Member>, Error> {
    if leads.is_empty() {
        return Ok(HashSet::new());
    }
    // By `segment_members_of_lead`.
    let sql = format!("SELECT segment_id, lead_id FROM segment_members WHERE lead_id IN {}", tx.dialect().id_list(1));
    let rows = tx.query(&sql, &[json_set(leads)]).await?;
    rows.iter().map(|row| Ok(Member { segment_id: row.get("segment_id")?, lead_id: row.get("lead_id")? })).collect()
}

/// Writes down who came, and gives those of whom it was not known.
///
/// # Errors
/// Where the database fails.
pub async fn enter(tx: &mut Tx, workspace: WorkspaceId, came: &[Member], now: Timestamp) -> Result<Vec<Member>, Error> {
    if came.is_empty() {
        return Ok(Vec::new());
    }
    let row = |member: &Member| MemberRow {
        segment_id: member.segment_id,
        lead_id: member.lead_id,
        workspace_id: workspace,
        entered_at: now.0,
    };
    let rows: Vec<MemberRow> = came.iter().map(row).collect();
    let sql = format!(
        "INSERT INTO segment_members (segment_id, lead_id, workspace_id, entered_at)
         SELECT segment_id, lead_id, workspace_id, entered_at FROM {} WHERE true
         ON CONFLICT (segment_id, lead_id) DO NOTHING RETURNING segment_id, lead_id",
        tx.dialect().set(1, ROW_COLUMNS)
    );
    let rows = tx.query(&sql, &[json_set(&rows)]).await?;
    rows.iter().map(|row| Ok(Member { segment_id: row.get("segment_id")?, lead_id: row.get("lead_id")? })).collect()
}

/// Writes down who went, and gives those of whom it was not known.
///
/// # Errors
/// Where the database fails.
pub async fn leave(tx: &mut Tx, went: &[Member]) -> Result<Vec<Member>, Error> {
    if went.is_empty() {
        return Ok(Vec::new());
    }
    // By the primary key.
    let sql = format!(
        "DELETE FROM segment_members WHERE (segment_id, lead_id) IN (SELECT segment_id, lead_id FROM {})
         RETURNING segment_id, lead_id",
        tx.dialect().set(1, MEMBER_COLUMNS)
    );
    let rows = tx.query(&sql, &[json_set(went)]).await?;
    rows.iter().map(|row| Ok(Member { segment_id: row.get("segment_id")?, lead_id: row.get("lead_id")? })).collect()
}

/// Forgets some of who was in a segment, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn forget(tx: &mut Tx, segment: SegmentId, at_once: i64) -> Result<u64, Error> {
    // By the primary key.
    let sql = "DELETE FROM segment_members WHERE segment_id = $1 AND lead_id IN
               (SELECT lead_id FROM segment_members WHERE segment_id = $1 LIMIT $2)";
    tx.execute(sql, &params![segment, at_once]).await
}

/// A segment of which is being taken down who is in it, and how far that is.
#[derive(Debug, Clone)]
pub struct TakingDown {
    /// Whose.
    pub workspace: WorkspaceId,
    /// The segment.
    pub segment: Segment,
    /// The lead that was looked at last.
    pub place: Option<Place>,
}

/// Whether there is a segment of which is to be taken down who is in it.
///
/// # Errors
/// Where the database fails.
pub async fn is_any_to_take_down(reader: &Reader) -> Result<bool, Error> {
    // By `segments_to_take_down`.
    let sql = "SELECT id FROM segments WHERE is_followed AND followed_since IS NULL LIMIT 1";
    Ok(reader.query_one(sql, &[]).await?.is_some())
}

/// The segment that waited longest to be taken down, locked; what another node holds is left to it.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx) -> Result<Option<TakingDown>, Error> {
    // By `segments_to_take_down`.
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, name, description, {} AS filter, is_followed, followed_since, version, made_by, created_at, updated_at,
                workspace_id, taken_down_at, taken_down_to
         FROM segments WHERE is_followed AND followed_since IS NULL ORDER BY updated_at LIMIT 1 {}",
        dialect.json_text("filter"),
        dialect.skip_locked(),
    );
    let Some(row) = tx.query_one(&sql, &[]).await? else { return Ok(None) };
    let (at, to): (Option<Timestamp>, Option<LeadId>) = (row.get("taken_down_at")?, row.get("taken_down_to")?);
    Ok(Some(TakingDown { workspace: row.get("workspace_id")?, segment: read(&row)?, place: at.zip(to) }))
}

/// Notes how far it is, or that it is done since `done`.
///
/// # Errors
/// Where the database fails.
pub async fn advance(
    tx: &mut Tx,
    segment: SegmentId,
    place: Option<Place>,
    done: Option<Timestamp>,
) -> Result<(), Error> {
    let sql = "UPDATE segments SET taken_down_at = $2, taken_down_to = $3, followed_since = $4 WHERE id = $1";
    let (at, to) = place.unzip();
    tx.execute(sql, &params![segment, at, to, done]).await.map(drop)
}
