//! The books: how many submissions each source had accepted, stored and excluded in each quarter of an hour, and what
//! became of the deliveries they made.
//!
//! Whoever changes one of these facts notes it in the same transaction, as a row that is only ever added, so that
//! writers do not wait for each other at a counter. [`fold`] adds those rows up into one per source and quarter. The
//! books are a trace of their own: a submission whose row is gone is still in them, which is how `verify` finds it.
//!
//! Quarters of an hour, because every timezone's day begins with one.

use std::collections::BTreeMap;

use leadline_domain::{
    ids::{SourceId, SubmissionId, WorkspaceId},
    time::{MINUTE_MS, Timestamp},
};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Param, Reader, Row, Tx, json_set, params},
};

/// How long a bucket of the books is.
pub const BUCKET_MS: i64 = 15 * MINUTE_MS;

/// Rows that [`fold`] takes at once.
const FOLD: i64 = 2_000;

/// Stands for "no source" where a column must not be empty: leads that were typed in, or that came through the API.
pub const NO_SOURCE: SourceId = SourceId(Uuid::nil());

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A submission was taken, and whoever sent it has a receipt.
    Accepted,
    /// Its row was seen in the table after the commit.
    Stored,
    /// A rule kept it from becoming a lead (a bot, a blocked address); it was taken all the same. Where somebody lets it
    /// out, both are taken back here and it is accepted anew.
    Excluded,
    /// It was erased because somebody may ask for that.
    Erased,
    /// A delivery was made for it.
    Owed,
    /// Such a delivery arrived.
    Delivered,
    /// Such a delivery was given up.
    Dead,
    /// Such a delivery was cancelled with its destination, or there was nothing to send.
    Cancelled,
}

/// What was counted, in one place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "each is the fact of its name")]
pub struct Counts {
    pub accepted: i64,
    pub stored: i64,
    pub excluded_by_rule: i64,
    pub erased: i64,
    pub owed: i64,
    pub delivered: i64,
    pub dead: i64,
    pub cancelled: i64,
}

impl Counts {
    fn add(&mut self, fact: Fact, n: i64) {
        let counted = match fact {
            Fact::Accepted => &mut self.accepted,
            Fact::Stored => &mut self.stored,
            Fact::Excluded => &mut self.excluded_by_rule,
            Fact::Erased => &mut self.erased,
            Fact::Owed => &mut self.owed,
            Fact::Delivered => &mut self.delivered,
            Fact::Dead => &mut self.dead,
            Fact::Cancelled => &mut self.cancelled,
        };
        *counted += n;
    }

    /// Adds what was counted elsewhere.
    pub fn add_all(&mut self, other: Self) {
        self.accepted += other.accepted;
        self.stored += other.stored;
        self.excluded_by_rule += other.excluded_by_rule;
        self.erased += other.erased;
        self.owed += other.owed;
        self.delivered += other.delivered;
        self.dead += other.dead;
        self.cancelled += other.cancelled;
    }

    /// Deliveries that are neither delivered nor given up.
    #[must_use]
    pub fn pending(self) -> i64 {
        self.owed - self.delivered - self.dead - self.cancelled
    }

    /// Submissions that were taken and are neither stored nor excluded. Those whose event waits to be dispatched are
    /// among them.
    #[must_use]
    pub fn missing(self) -> i64 {
        self.accepted - self.stored - self.excluded_by_rule
    }
}

/// Where something is counted: workspace, beginning of the quarter, source.
type Place = (Uuid, i64, Uuid);

/// What one transaction has to note.
#[derive(Debug, Clone, Default)]
pub struct Notes(BTreeMap<Place, Counts>);

impl Notes {
    /// Notes a fact about `n` submissions, or their deliveries, that a source received at `received_at`.
    pub fn add(
        &mut self,
        workspace: WorkspaceId,
        source: Option<SourceId>,
        received_at: Timestamp,
        fact: Fact,
        n: i64,
    ) {
        let place = (workspace.0, bucket(received_at), source.unwrap_or(NO_SOURCE).0);
        self.0.entry(place).or_default().add(fact, n);
    }
}

/// The beginning of the quarter of an hour.
#[must_use]
pub fn bucket(at: Timestamp) -> i64 {
    at.0 - at.0.rem_euclid(BUCKET_MS)
}

#[derive(Serialize)]
struct CountRow {
    workspace_id: WorkspaceId,
    bucket: i64,
    source_id: SourceId,
    #[serde(flatten)]
    counts: Counts,
}

const COLUMNS: Columns = &[
    ("workspace_id", Kind::Id),
    ("bucket", Kind::Integer),
    ("source_id", Kind::Id),
    ("accepted", Kind::Integer),
    ("stored", Kind::Integer),
    ("excluded_by_rule", Kind::Integer),
    ("erased", Kind::Integer),
    ("owed", Kind::Integer),
    ("delivered", Kind::Integer),
    ("dead", Kind::Integer),
    ("cancelled", Kind::Integer),
];

/// The columns that are added up.
const COUNTED: [&str; 8] =
    ["accepted", "stored", "excluded_by_rule", "erased", "owed", "delivered", "dead", "cancelled"];

fn rows(notes: &Notes) -> Vec<CountRow> {
    let of_something = notes.0.iter().filter(|(_, counts)| **counts != Counts::default());
    of_something
        .map(|(&(workspace, bucket, source), counts)| CountRow {
            workspace_id: WorkspaceId(workspace),
            bucket,
            source_id: SourceId(source),
            counts: *counts,
        })
        .collect()
}

/// Writes the notes of a transaction: one statement, and only additions.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, notes: &Notes) -> Result<(), Error> {
    tx.insert_set("ledger_deltas", COLUMNS, &rows(notes), "").await.map(drop)
}

/// Adds up to two thousand notes to the counts, and tells whether there may be more.
///
/// # Errors
/// Where the database fails.
pub async fn fold(tx: &mut Tx) -> Result<bool, Error> {
    let columns = columns();
    // In any order, since they are only added up, and without an index, which each submission would pay for.
    let sql = format!(
        "DELETE FROM ledger_deltas WHERE {place} IN (SELECT {place} FROM ledger_deltas LIMIT $1 {lock})
         RETURNING {columns}",
        place = tx.dialect().row_place(),
        lock = tx.dialect().skip_locked(),
    );
    let taken = tx.query(&sql, &params![FOLD]).await?;
    let mut notes = Notes::default();
    for row in &taken {
        let (workspace, source): (WorkspaceId, SourceId) = (row.get("workspace_id")?, row.get("source_id")?);
        notes.0.entry((workspace.0, row.get("bucket")?, source.0)).or_default().add_all(read_counts(row)?);
    }
    let added: Vec<String> =
        COUNTED.iter().map(|name| format!("{name} = ledger_counts.{name} + excluded.{name}")).collect();
    let conflict = format!("ON CONFLICT (workspace_id, bucket, source_id) DO UPDATE SET {}", added.join(", "));
    tx.insert_set("ledger_counts", COLUMNS, &rows(&notes), &conflict).await?;
    Ok(taken.len() == usize::try_from(FOLD).unwrap_or(usize::MAX))
}

fn columns() -> String {
    COLUMNS.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// A day of a workspace: which one, and from when to when.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Day {
    /// Its place in the list that was asked for.
    pub day: i64,
    /// When it begins.
    pub from_at: i64,
    /// When the next one begins.
    pub until_at: i64,
}

const DAY_COLUMNS: Columns = &[("day", Kind::Integer), ("from_at", Kind::Integer), ("until_at", Kind::Integer)];

/// What a source had on a day.
#[derive(Debug, Clone, Copy)]
pub struct DayOfSource {
    /// Which of the days that were asked for.
    pub day: i64,
    /// The source; [`NO_SOURCE`] for leads without one.
    pub source: SourceId,
    /// What was counted.
    pub counts: Counts,
}

/// The books of these days, source by source. Reads the counts of these days by their primary key, and the few notes
/// that are not folded yet; never a lead.
///
/// # Errors
/// Where the database fails.
pub async fn list_days(reader: &Reader, workspace: WorkspaceId, days: &[Day]) -> Result<Vec<DayOfSource>, Error> {
    let set = reader.dialect().set(1, DAY_COLUMNS);
    let of_days = |table: &str| {
        format!(
            "SELECT r.day, c.* FROM {set} JOIN (SELECT {} FROM {table}) AS c
             ON c.workspace_id = $2 AND c.bucket >= r.from_at AND c.bucket < r.until_at",
            columns()
        )
    };
    let sql = format!(
        "SELECT day, source_id, {} FROM ({} UNION ALL {}) AS q GROUP BY day, source_id ORDER BY day, source_id",
        sums(),
        of_days("ledger_counts"),
        of_days("ledger_deltas"),
    );
    let mut values = vec![json_set(days)];
    values.extend(params![workspace]);
    let found = reader.query(&sql, &values).await?;
    let mut lines = Vec::with_capacity(found.len());
    for row in &found {
        let counts = read_counts(row)?;
        // What was noted and taken back leaves nothing to tell.
        if counts != Counts::default() {
            lines.push(DayOfSource { day: row.get("day")?, source: row.get("source_id")?, counts });
        }
    }
    Ok(lines)
}

/// The names of all sources that the workspace has or had.
///
/// # Errors
/// Where the database fails.
pub async fn list_source_names(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<(SourceId, String)>, Error> {
    let sql = "SELECT id, name FROM sources WHERE workspace_id = $1 ORDER BY created_at DESC LIMIT 10000";
    let rows = reader.query(sql, &params![workspace]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("name")?))).collect()
}

fn sums() -> String {
    COUNTED
        .iter()
        .map(|name| format!("CAST(coalesce(sum({name}), 0) AS BIGINT) AS {name}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn read_counts(row: &Row) -> Result<Counts, Error> {
    Ok(Counts {
        accepted: row.get("accepted")?,
        stored: row.get("stored")?,
        excluded_by_rule: row.get("excluded_by_rule")?,
        erased: row.get("erased")?,
        owed: row.get("owed")?,
        delivered: row.get("delivered")?,
        dead: row.get("dead")?,
        cancelled: row.get("cancelled")?,
    })
}

/// The kinds of event by which a submission announces itself; each submission has one of them.
pub(crate) const ANNOUNCEMENTS: &str = "('lead.created', 'lead.re_engaged', 'lead.resubmitted')";

/// How the books of a workspace differ from what must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Whose books.
    pub workspace: WorkspaceId,
    /// Submissions that were taken and are neither stored, nor excluded, nor waiting to be dispatched. Below zero,
    /// where more is stored than was taken.
    pub missing: i64,
}

/// The workspaces whose books since `since` do not add up. One statement, so that it sees one moment.
///
/// # Errors
/// Where the database fails.
pub async fn list_differences(reader: &Reader, since: Timestamp) -> Result<Vec<Difference>, Error> {
    let sql = difference_sql("");
    let rows = reader.query(&sql, &params![bucket(since)]).await?;
    rows.iter().map(read_difference).collect()
}

/// How the books of one workspace since `since` differ, where they do.
///
/// # Errors
/// Where the database fails.
pub async fn find_difference(
    reader: &Reader,
    workspace: WorkspaceId,
    since: Timestamp,
) -> Result<Option<Difference>, Error> {
    let values: [Param; 2] = params![bucket(since), workspace];
    reader.query_one(&difference_sql("AND workspace_id = $2"), &values).await?.as_ref().map(read_difference).transpose()
}

fn difference_sql(whose: &str) -> String {
    let missing = "accepted - stored - excluded_by_rule AS n";
    // Events that wait are few and have an index of their own (events_undispatched).
    format!(
        "SELECT workspace_id, CAST(sum(n) AS BIGINT) AS missing FROM (
             SELECT workspace_id, {missing} FROM ledger_counts WHERE bucket >= $1 {whose}
             UNION ALL SELECT workspace_id, {missing} FROM ledger_deltas WHERE bucket >= $1 {whose}
             UNION ALL SELECT workspace_id, -1 AS n FROM events
                 WHERE NOT dispatched AND submission_id IS NOT NULL AND created_at >= $1 AND kind IN {ANNOUNCEMENTS}
                 {whose}) AS q
         GROUP BY workspace_id HAVING sum(n) <> 0"
    )
}

fn read_difference(row: &Row) -> Result<Difference, Error> {
    Ok(Difference { workspace: row.get("workspace_id")?, missing: row.get("missing")? })
}

/// Which of these submissions have a row: what the dispatcher saw after the commit.
///
/// # Errors
/// Where the database fails.
pub async fn seen(tx: &mut Tx, ids: &[SubmissionId]) -> Result<Vec<SubmissionId>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT id FROM lead_submissions WHERE id IN {}", tx.dialect().id_list(1));
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(|row| row.get("id")).collect()
}

/// Deletes submissions for good, with their raw evidence, and keeps the books right: what is erased is counted as
/// that, and no longer missed. Gives how many there were.
///
/// # Errors
/// Where the database fails.
pub async fn erase_submissions(tx: &mut Tx, workspace: WorkspaceId, ids: &[SubmissionId]) -> Result<usize, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let list = tx.dialect().id_list(2);
    let mut values = params![workspace].to_vec();
    values.push(json_set(ids));
    let sql = format!("DELETE FROM lead_captures WHERE workspace_id = $1 AND submission_id IN {list}");
    tx.execute(&sql, &values).await?;
    let sql = format!(
        "DELETE FROM lead_submissions WHERE workspace_id = $1 AND id IN {list} RETURNING source_id, received_at"
    );
    let gone = tx.query(&sql, &values).await?;
    let mut notes = Notes::default();
    for row in &gone {
        notes.add(workspace, row.get("source_id")?, row.get("received_at")?, Fact::Erased, 1);
    }
    write(tx, &notes).await?;
    Ok(gone.len())
}
