//! What became of each row of a job, in the order in which it was done, and what it takes to put it back.

use leadline_domain::ids::{JobId, LeadId, WorkspaceId};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Page, Reader, Row, Tx, json_set, params},
};

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is another now.
    Changed,
    /// It was as it should be.
    Unchanged,
    /// It could not be done.
    Failed,
}

impl Outcome {
    const ALL: [Self; 3] = [Self::Changed, Self::Unchanged, Self::Failed];

    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
        }
    }
}

/// What stands in place of a reason where a row was put back.
const UNDONE: &str = "undone";

/// What became of a row, to be noted.
#[derive(Debug, Clone)]
pub struct NewResult {
    /// The lead that it was about.
    pub lead_id: Option<LeadId>,
    /// The row of a file that it came from.
    pub row_number: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed, as a stable word.
    pub code: Option<String>,
    /// Why it failed, for people. It may hold personal data.
    pub message: Option<String>,
    /// What it takes to put it back.
    pub undo: Option<Value>,
}

impl NewResult {
    /// What became of a lead.
    #[must_use]
    pub fn of_lead(lead: LeadId, outcome: Outcome) -> Self {
        Self { lead_id: Some(lead), row_number: None, outcome, code: None, message: None, undo: None }
    }

    /// The same, with what it takes to put it back.
    #[must_use]
    pub fn with_undo(self, undo: Value) -> Self {
        Self { undo: Some(undo), ..self }
    }

    /// The same, with the reason.
    #[must_use]
    pub fn with_code(self, code: &str) -> Self {
        Self { code: Some(code.to_owned()), ..self }
    }
}

/// What became of a row, as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct JobResult {
    /// Its place.
    pub seq: i64,
    /// The lead that it was about.
    pub lead_id: Option<LeadId>,
    /// What that is called now; nothing, where it is gone.
    pub lead_name: Option<String>,
    /// The row of a file that it came from.
    pub row_number: Option<i64>,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it failed.
    pub code: Option<String>,
    /// Why it failed, for people.
    pub message: Option<String>,
    /// What became of putting it back; nothing, where nobody tried.
    pub undone: Option<Undone>,
}

/// What became of putting a row back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undone {
    /// It is as it was.
    Back,
    /// It was left alone for this reason.
    Left(String),
}

/// A row that may be put back.
#[derive(Debug, Clone)]
pub struct Undoable {
    /// Its place.
    pub seq: i64,
    /// The lead that it was about.
    pub lead_id: Option<LeadId>,
    /// What it takes; `null` where nothing was kept.
    pub undo: Value,
}

/// What became of putting a row back, to be noted.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its place.
    pub seq: i64,
    /// Why it was left alone; nothing, where it is as it was.
    pub left: Option<String>,
}

/// Which results a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// All.
    All,
    /// Those with this outcome.
    With(Outcome),
    /// Those that were not put back.
    Left,
}

impl Shown {
    /// The results of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if name == "left" {
            return Some(Self::Left);
        }
        Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == name).map(Self::With)
    }

    fn condition(self) -> String {
        match self {
            Self::All => String::new(),
            // In words of the indexes `job_results_failed` and `job_results_left`.
            Self::With(outcome) => format!("AND outcome = '{}'", outcome.as_str()),
            Self::Left => format!("AND undo_outcome IS NOT NULL AND undo_outcome <> '{UNDONE}'"),
        }
    }
}

#[derive(Serialize)]
struct ResultRow<'a> {
    job_id: JobId,
    seq: i64,
    workspace_id: WorkspaceId,
    lead_id: Option<LeadId>,
    row_number: Option<i64>,
    outcome: &'static str,
    code: Option<&'a str>,
    message: Option<String>,
    undo: Option<&'a Value>,
}

const RESULT_COLUMNS: Columns = &[
    ("job_id", Kind::Id),
    ("seq", Kind::Integer),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("row_number", Kind::Integer),
    ("outcome", Kind::Text),
    ("code", Kind::Text),
    ("message", Kind::Text),
    ("undo", Kind::Json),
];

#[derive(Serialize)]
struct TakenRow<'a> {
    seq: i64,
    undo_outcome: &'a str,
}

const TAKEN_COLUMNS: Columns = &[("seq", Kind::Integer), ("undo_outcome", Kind::Text)];

/// Notes what became of rows, behind the `before` that have a result already.
///
/// # Errors
/// Where the database fails.
pub async fn insert(
    tx: &mut Tx,
    (workspace, job): (WorkspaceId, JobId),
    before: i64,
    rows: &[NewResult],
) -> Result<(), Error> {
    let rows: Vec<ResultRow<'_>> = rows
        .iter()
        .zip(before + 1..)
        .map(|(row, seq)| ResultRow {
            job_id: job,
            seq,
            workspace_id: workspace,
            lead_id: row.lead_id,
            row_number: row.row_number,
            outcome: row.outcome.as_str(),
            code: row.code.as_deref(),
            // What somebody's file holds may hold U+0000, which PostgreSQL refuses.
            message: row.message.as_ref().map(|message| message.replace('\0', "")),
            undo: row.undo.as_ref(),
        })
        .collect();
    tx.insert_set("job_results", RESULT_COLUMNS, &rows, "").await.map(drop)
}

/// The rows of a job that may be put back and come before `before`, the last first.
///
/// # Errors
/// Where the database fails.
pub async fn list_undoable(
    reader: &Reader,
    (workspace, job): (WorkspaceId, JobId),
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Undoable>, Error> {
    // By the primary key, from its end.
    let sql = format!(
        "SELECT seq, lead_id, {undo} AS undo_text FROM job_results
         WHERE job_id = $1 AND seq < $2 AND workspace_id = $3 AND outcome = 'changed' AND undo_outcome IS NULL
         ORDER BY seq DESC LIMIT $4",
        undo = reader.dialect().json_text("undo"),
    );
    let rows = reader.query(&sql, &params![job, before.unwrap_or(i64::MAX), workspace, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Undoable {
                seq: row.get("seq")?,
                lead_id: row.get("lead_id")?,
                undo: row.json_or_none("undo_text")?.unwrap_or(Value::Null),
            })
        })
        .collect()
}

/// Notes what became of putting rows back.
///
/// # Errors
/// [`Error::Contended`] where one of them is not there.
pub async fn mark(tx: &mut Tx, (workspace, job): (WorkspaceId, JobId), rows: &[Taken]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE job_results SET undo_outcome = r.undo_outcome FROM {set}
         WHERE job_results.job_id = $2 AND job_results.seq = r.seq AND job_results.workspace_id = $3",
        set = tx.dialect().set(1, TAKEN_COLUMNS),
    );
    let written: Vec<TakenRow<'_>> =
        rows.iter().map(|row| TakenRow { seq: row.seq, undo_outcome: row.left.as_deref().unwrap_or(UNDONE) }).collect();
    let [job, workspace] = params![job, workspace];
    let changed = tx.execute(&sql, &[json_set(&written), job, workspace]).await?;
    if changed == rows.len() as u64 { Ok(()) } else { Err(Error::Contended) }
}

/// A page of what became of a job's rows, in their order. `total` is what the job says that there are.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    (workspace, job): (WorkspaceId, JobId),
    shown: Shown,
    (limit, offset): (i64, i64),
    total: i64,
) -> Result<Page<JobResult>, Error> {
    // The page first, by a key of its own, then the leads of that page.
    let sql = format!(
        "SELECT r.seq, r.lead_id, r.row_number, r.outcome, r.code, r.message, r.undo_outcome, leads.name AS lead_name
         FROM (SELECT seq, workspace_id, lead_id, row_number, outcome, code, message, undo_outcome FROM job_results
               WHERE job_id = $1 AND workspace_id = $2 {condition} ORDER BY seq LIMIT $3 OFFSET $4) AS r
         LEFT JOIN leads ON leads.id = r.lead_id AND leads.workspace_id = r.workspace_id
         ORDER BY r.seq",
        condition = shown.condition(),
    );
    let rows = reader.query(&sql, &params![job, workspace, limit, offset]).await?;
    Ok(Page { rows: rows.iter().map(read).collect::<Result<_, _>>()?, total, total_is_capped: false })
}

fn read(row: &Row) -> Result<JobResult, Error> {
    let outcome: String = row.get("outcome")?;
    let unknown = || Error::Column { column: "outcome".to_owned() };
    let undone: Option<String> = row.get("undo_outcome")?;
    Ok(JobResult {
        seq: row.get("seq")?,
        lead_id: row.get("lead_id")?,
        lead_name: row.get("lead_name")?,
        row_number: row.get("row_number")?,
        outcome: Outcome::ALL.into_iter().find(|known| known.as_str() == outcome).ok_or_else(unknown)?,
        code: row.get("code")?,
        message: row.get("message")?,
        undone: undone.map(|word| if word == UNDONE { Undone::Back } else { Undone::Left(word) }),
    })
}
