//! Two leads that become one: the rows that move, what was there before, and the way back.
//!
//! The lead that goes into another is deleted and points at it. Whoever is known by what named it is taken for the
//! other one from then on (see `capture::find_identities`), so no identity is rewritten, and a split has none to give
//! back.

use leadline_domain::{
    ids::{LeadId, MergeId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, json_set, params},
};

/// Merges of one lead that are listed.
const MERGES_MAX: i64 = 100;

/// What moves with a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Submission,
    Activity,
    Conversation,
    Task,
    Message,
    /// A lead that went into the one that goes now.
    Lead,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Submission => "submission",
            Self::Activity => "activity",
            Self::Conversation => "conversation",
            Self::Task => "task",
            Self::Message => "message",
            Self::Lead => "lead",
        }
    }

    /// The table, and its column that says whose the row is.
    const fn table(self) -> (&'static str, &'static str) {
        match self {
            Self::Submission => ("lead_submissions", "lead_id"),
            Self::Activity => ("lead_activities", "lead_id"),
            Self::Conversation => ("conversations", "lead_id"),
            Self::Task => ("tasks", "lead_id"),
            Self::Message => ("messages", "lead_id"),
            Self::Lead => ("leads", "merged_into"),
        }
    }

    const ALL: [Self; 6] =
        [Self::Submission, Self::Activity, Self::Conversation, Self::Task, Self::Message, Self::Lead];
}

/// What of a lead matters to a merge beside what people edit.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct History {
    pub id: LeadId,
    pub submission_count: i64,
    pub last_submission_at: Timestamp,
    pub first_touch: Value,
    pub last_touch: Value,
    pub created_at: Timestamp,
}

/// How much there is of a lead, each counted up to a cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Submissions.
    pub submissions: i64,
    /// Lines of its timeline.
    pub activities: i64,
    /// Conversations.
    pub conversations: i64,
    /// Deliveries, which stay where they are.
    pub deliveries: i64,
}

/// A merge.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The merge.
    pub id: MergeId,
    /// Whose leads.
    pub workspace_id: WorkspaceId,
    /// The lead that stayed.
    pub winner_id: LeadId,
    /// The lead that went into it.
    pub loser_id: LeadId,
    /// What that one was called.
    pub loser_name: String,
    /// What it takes to split them.
    pub before: Value,
    /// Who did it.
    pub merged_by: String,
    /// When.
    pub merged_at: Timestamp,
    /// Who split them again.
    pub split_by: Option<String>,
    /// When.
    pub split_at: Option<Timestamp>,
}

/// What a merge or a split writes to the lead that stays, beside its details.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Absorbed {
    pub message: Option<String>,
    pub assigned_to: Option<UserId>,
    pub submission_count: i64,
    pub last_submission_at: Timestamp,
    pub first_touch: Value,
    pub last_touch: Value,
}

/// Reads what matters of leads that are locked.
///
/// # Errors
/// Where the database fails.
pub async fn history(tx: &mut Tx, workspace: WorkspaceId, id: LeadId) -> Result<Option<History>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, submission_count, last_submission_at, {first} AS first_touch, {last} AS last_touch, created_at
         FROM leads WHERE id = $1 AND workspace_id = $2",
        first = dialect.json_text("first_touch"),
        last = dialect.json_text("last_touch"),
    );
    let row = tx.query_one(&sql, &params![id, workspace]).await?;
    row.map(|row| {
        Ok(History {
            id: row.get("id")?,
            submission_count: row.get("submission_count")?,
            last_submission_at: row.get("last_submission_at")?,
            first_touch: row.json("first_touch")?,
            last_touch: row.json("last_touch")?,
            created_at: row.get("created_at")?,
        })
    })
    .transpose()
}

/// Counts what there is of a lead, each up to `cap`.
///
/// # Errors
/// Where the database fails.
pub async fn extent(reader: &Reader, workspace: WorkspaceId, id: LeadId, cap: i64) -> Result<Extent, Error> {
    // Each by the table's index on the lead.
    let counted = |table: &str| {
        format!(
            "(SELECT count(*) FROM (SELECT 1 AS one FROM {table} WHERE lead_id = $1 AND workspace_id = $2 LIMIT $3)
              AS c)"
        )
    };
    let sql = format!(
        "SELECT {} AS submissions, {} AS activities, {} AS conversations, {} AS deliveries",
        counted("lead_submissions"),
        counted("lead_activities"),
        counted("conversations"),
        counted("deliveries"),
    );
    let row = reader.query_one(&sql, &params![id, workspace, cap]).await?;
    let row = row.ok_or_else(|| Error::Column { column: "submissions".to_owned() })?;
    Ok(Extent {
        submissions: row.get("submissions")?,
        activities: row.get("activities")?,
        conversations: row.get("conversations")?,
        deliveries: row.get("deliveries")?,
    })
}

/// Writes what the lead that stays has of the other one.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn absorb(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: LeadId,
    absorbed: &Absorbed,
    now: Timestamp,
) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE leads SET message = $3, assigned_to = $4, submission_count = $5, last_submission_at = $6,
                          first_touch = {first}, last_touch = {last}, updated_at = $9, version = version + 1
         WHERE id = $1 AND workspace_id = $2",
        first = dialect.json(7),
        last = dialect.json(8),
    );
    let params = params![
        id,
        workspace,
        absorbed.message,
        absorbed.assigned_to,
        absorbed.submission_count,
        absorbed.last_submission_at,
        absorbed.first_touch,
        absorbed.last_touch,
        now,
    ];
    expect_one(tx.execute(&sql, &params).await?)
}

/// Puts a lead away into another.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn put_away(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (loser, winner): (LeadId, LeadId),
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE leads SET merged_into = $3, deleted_at = $4, updated_at = $4, version = version + 1
               WHERE id = $1 AND workspace_id = $2 AND merged_into IS NULL";
    expect_one(tx.execute(sql, &params![loser, workspace, winner, now]).await?)
}

/// Takes a lead out of the one that it went into.
///
/// # Errors
/// [`Error::Contended`] where it is not in it.
pub async fn take_out(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (loser, winner): (LeadId, LeadId),
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE leads SET merged_into = NULL, deleted_at = NULL, updated_at = $4, version = version + 1
               WHERE id = $1 AND workspace_id = $2 AND merged_into = $3";
    expect_one(tx.execute(sql, &params![loser, workspace, winner, now]).await?)
}

/// Moves what belongs to a lead to another one, and notes what moved.
///
/// # Errors
/// Where the database fails.
pub async fn move_rows(
    tx: &mut Tx,
    workspace: WorkspaceId,
    merge: MergeId,
    (loser, winner): (LeadId, LeadId),
) -> Result<(), Error> {
    for kind in Kind::ALL {
        let (table, owner) = kind.table();
        let noted = format!(
            "INSERT INTO lead_merge_rows (merge_id, kind, row_id)
             SELECT $1, $2, id FROM {table} WHERE {owner} = $3 AND workspace_id = $4"
        );
        tx.execute(&noted, &params![merge, kind.as_str(), loser, workspace]).await?;
        let moved = format!("UPDATE {table} SET {owner} = $2 WHERE {owner} = $1 AND workspace_id = $3");
        tx.execute(&moved, &params![loser, winner, workspace]).await?;
    }
    move_captures(tx, workspace, merge, winner).await?;
    // Visitors are of both from now on. Those of a deleted lead harm nobody, so they stay for the way back.
    let visitors = "INSERT INTO lead_visitors (workspace_id, visitor_id, lead_id, session_id, seen_at)
                    SELECT workspace_id, visitor_id, $2, session_id, seen_at FROM lead_visitors
                    WHERE lead_id = $1 AND workspace_id = $3
                    ON CONFLICT DO NOTHING";
    tx.execute(visitors, &params![loser, winner, workspace]).await.map(drop)
}

/// Moves back what a merge had moved, as far as it is still there.
///
/// # Errors
/// Where the database fails.
pub async fn move_rows_back(
    tx: &mut Tx,
    workspace: WorkspaceId,
    merge: MergeId,
    (loser, winner): (LeadId, LeadId),
) -> Result<(), Error> {
    for kind in Kind::ALL {
        let (table, owner) = kind.table();
        let moved = format!(
            "UPDATE {table} SET {owner} = $2 WHERE {owner} = $1 AND workspace_id = $3
                    AND id IN (SELECT row_id FROM lead_merge_rows WHERE merge_id = $4 AND kind = $5)"
        );
        tx.execute(&moved, &params![winner, loser, workspace, merge, kind.as_str()]).await?;
    }
    move_captures(tx, workspace, merge, loser).await
}

/// The raw requests follow their submissions, by whose ids they are found.
async fn move_captures(tx: &mut Tx, workspace: WorkspaceId, merge: MergeId, to: LeadId) -> Result<(), Error> {
    let sql = "UPDATE lead_captures SET lead_id = $1 WHERE workspace_id = $2 AND submission_id IN
                      (SELECT row_id FROM lead_merge_rows WHERE merge_id = $3 AND kind = 'submission')";
    tx.execute(sql, &params![to, workspace, merge]).await.map(drop)
}

/// The visitors of a lead, at most so many.
///
/// # Errors
/// Where the database fails.
pub async fn visitors(tx: &mut Tx, workspace: WorkspaceId, id: LeadId, most: i64) -> Result<Vec<String>, Error> {
    let sql = "SELECT visitor_id FROM lead_visitors WHERE lead_id = $1 AND workspace_id = $2
               ORDER BY visitor_id LIMIT $3";
    tx.query(sql, &params![id, workspace, most]).await?.iter().map(|row| row.get("visitor_id")).collect()
}

/// Takes visitors of a lead that another one has too, except these, which were its own before.
///
/// # Errors
/// Where the database fails.
pub async fn forget_visitors(
    tx: &mut Tx,
    workspace: WorkspaceId,
    (loser, winner): (LeadId, LeadId),
    own: &[String],
) -> Result<(), Error> {
    let sql = format!(
        "DELETE FROM lead_visitors WHERE lead_id = $1 AND workspace_id = $2 AND visitor_id IN
                (SELECT visitor_id FROM lead_visitors WHERE lead_id = $3 AND workspace_id = $2)
                AND visitor_id NOT IN {}",
        tx.dialect().text_list(4)
    );
    let [winner, workspace, loser] = params![winner, workspace, loser];
    tx.execute(&sql, &[winner, workspace, loser, json_set(own)]).await.map(drop)
}

/// Notes a merge.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, merge: &Merge) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO lead_merges (id, workspace_id, winner_id, loser_id, loser_name, before, merged_by, merged_at)
         VALUES ($1, $2, $3, $4, $5, {before}, $7, $8)",
        before = tx.dialect().json(6),
    );
    let params = params![
        merge.id,
        merge.workspace_id,
        merge.winner_id,
        merge.loser_id,
        merge.loser_name,
        merge.before,
        merge.merged_by,
        merge.merged_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// Notes that a merge that is locked was split again.
///
/// # Errors
/// [`Error::Contended`] where it was already.
pub async fn mark_split(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: MergeId,
    by: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE lead_merges SET split_by = $3, split_at = $4
               WHERE id = $1 AND workspace_id = $2 AND split_at IS NULL";
    expect_one(tx.execute(sql, &params![id, workspace, by, now]).await?)
}

/// A merge of the workspace, which nobody else splits until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: MergeId) -> Result<Option<Merge>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2 {}", select(tx.dialect()), tx.dialect().for_update());
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A merge of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: MergeId) -> Result<Option<Merge>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// The merges into a lead that were not split again, the latest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_into(reader: &Reader, workspace: WorkspaceId, winner: LeadId) -> Result<Vec<Merge>, Error> {
    // By `lead_merges_of_winner`.
    let sql = format!(
        "{} WHERE winner_id = $1 AND workspace_id = $2 AND split_at IS NULL
         ORDER BY merged_at DESC, id DESC LIMIT {MERGES_MAX}",
        select(reader.dialect())
    );
    reader.query(&sql, &params![winner, workspace]).await?.iter().map(read).collect()
}

/// The lead that one went into, where it did.
///
/// # Errors
/// Where the database fails.
pub async fn winner_of(reader: &Reader, workspace: WorkspaceId, id: LeadId) -> Result<Option<LeadId>, Error> {
    let sql = "SELECT merged_into FROM leads WHERE id = $1 AND workspace_id = $2";
    let row = reader.query_one(sql, &params![id, workspace]).await?;
    row.map_or(Ok(None), |row| row.get("merged_into"))
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, workspace_id, winner_id, loser_id, loser_name, {} AS before_text, merged_by, merged_at, split_by,
                split_at
         FROM lead_merges",
        dialect.json_text("before")
    )
}

fn read(row: &Row) -> Result<Merge, Error> {
    Ok(Merge {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        winner_id: row.get("winner_id")?,
        loser_id: row.get("loser_id")?,
        loser_name: row.get("loser_name")?,
        before: row.json("before_text")?,
        merged_by: row.get("merged_by")?,
        merged_at: row.get("merged_at")?,
        split_by: row.get("split_by")?,
        split_at: row.get("split_at")?,
    })
}

fn expect_one(changed: u64) -> Result<(), Error> {
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}
