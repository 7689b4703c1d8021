//! The event log and the timeline of leads. Both are written in the transaction of the change they tell of.

use leadline_domain::{
    ids::{ActivityId, EventId, LeadId, ProjectId, SourceId, SubmissionId, UserId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Page, Reader, Row, Tx, json_set, params},
};

/// Something that happened, on its way to whoever is to know.
#[derive(Debug, Clone, Serialize)]
pub struct NewEvent {
    /// The event; deliveries are derived from it.
    pub id: EventId,
    /// Whose event.
    pub workspace_id: WorkspaceId,
    /// Past tense, `noun.verbed`.
    pub kind: String,
    /// The lead it is about.
    pub lead_id: Option<LeadId>,
    /// The submission that caused it.
    pub submission_id: Option<SubmissionId>,
    /// What consumers need beyond the rows themselves.
    pub data: Value,
    /// Milliseconds since the epoch.
    pub created_at: i64,
    /// Always false for a new one.
    pub dispatched: bool,
}

const EVENT_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("kind", Kind::Text),
    ("lead_id", Kind::Id),
    ("submission_id", Kind::Id),
    ("data", Kind::Json),
    ("created_at", Kind::Integer),
    ("dispatched", Kind::Boolean),
];

/// An event that waits for its consumers.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `events` under their own names")]
pub struct Event {
    pub id: EventId,
    pub workspace_id: WorkspaceId,
    pub kind: String,
    pub lead_id: Option<LeadId>,
    pub submission_id: Option<SubmissionId>,
    pub data: Value,
    pub created_at: Timestamp,
}

impl Event {
    /// The source that it tells of, where there is one.
    #[must_use]
    pub fn source_id(&self) -> Option<SourceId> {
        self.id_in_data("sourceId")
    }

    /// The project that it tells of, where it names one.
    #[must_use]
    pub fn project_id(&self) -> Option<ProjectId> {
        self.id_in_data("projectId")
    }

    /// Whether nobody outside is told of it, and no screen: it is one of very many, of a file.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.data.get("quiet").and_then(Value::as_bool).unwrap_or(false)
    }

    fn id_in_data<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.data.get(name).and_then(Value::as_str).and_then(|id| id.parse().ok())
    }
}

/// A line of a lead's timeline to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_activities` under their own names")]
pub struct NewActivity {
    pub id: ActivityId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub kind: String,
    /// `user`, `token`, `system` or `visitor`.
    pub actor_kind: &'static str,
    pub actor_id: Option<UserId>,
    pub actor_name: String,
    pub data: Value,
    pub created_at: i64,
}

const ACTIVITY_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("kind", Kind::Text),
    ("actor_kind", Kind::Text),
    ("actor_id", Kind::Id),
    ("actor_name", Kind::Text),
    ("data", Kind::Json),
    ("created_at", Kind::Integer),
];

/// A line of a lead's timeline.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_activities` under their own names")]
pub struct Activity {
    pub id: ActivityId,
    pub kind: String,
    pub actor_kind: String,
    pub actor_name: String,
    pub data: Value,
    pub created_at: Timestamp,
}

/// Appends to the event log.
///
/// # Errors
/// Where the database fails.
pub async fn append(tx: &mut Tx, events: &[NewEvent]) -> Result<(), Error> {
    tx.insert_set("events", EVENT_COLUMNS, events, "").await.map(drop)
}

/// Appends to the timelines. A lead for which a person did something for the first time was answered then.
///
/// # Errors
/// Where the database fails.
pub async fn insert_activities(tx: &mut Tx, activities: &[NewActivity]) -> Result<(), Error> {
    tx.insert_set("lead_activities", ACTIVITY_COLUMNS, activities, "").await?;
    note_answers(tx, activities).await
}

/// What somebody does who takes care of a lead.
const ANSWERS: [&str; 5] = ["lead.stage_changed", "lead.assigned", "lead.converted", "note.added", "message.sent"];

/// A lead that was answered.
#[derive(Serialize)]
struct Answered {
    id: LeadId,
    at: i64,
}

const ANSWERED_COLUMNS: Columns = &[("id", Kind::Id), ("at", Kind::Integer)];

async fn note_answers(tx: &mut Tx, activities: &[NewActivity]) -> Result<(), Error> {
    let mut answered: Vec<Answered> = Vec::new();
    for line in activities.iter().filter(|line| line.actor_kind == "user" && ANSWERS.contains(&line.kind.as_str())) {
        if !answered.iter().any(|known| known.id == line.lead_id) {
            answered.push(Answered { id: line.lead_id, at: line.created_at });
        }
    }
    if answered.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE leads SET responded_at = r.at FROM {set} WHERE leads.id = r.id AND leads.responded_at IS NULL",
        set = tx.dialect().set(1, ANSWERED_COLUMNS),
    );
    tx.execute(&sql, &[json_set(&answered)]).await.map(drop)
}

/// The oldest events that nobody has dispatched, locked so that another node takes others.
///
/// # Errors
/// Where the database fails.
pub async fn claim_undispatched(tx: &mut Tx, limit: i64) -> Result<Vec<Event>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, workspace_id, kind, lead_id, submission_id, {data} AS data, created_at
         FROM events WHERE NOT dispatched ORDER BY created_at, id LIMIT $1 {lock}",
        data = dialect.json_text("data"),
        lock = dialect.skip_locked(),
    );
    tx.query(&sql, &params![limit]).await?.iter().map(read_event).collect()
}

/// Marks events as dispatched, in the transaction that made their jobs.
///
/// # Errors
/// Where the database fails.
pub async fn mark_dispatched(tx: &mut Tx, ids: &[EventId]) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let sql = format!("UPDATE events SET dispatched = true WHERE id IN {}", tx.dialect().id_list(1));
    tx.execute(&sql, &[json_set(ids)]).await.map(drop)
}

/// Deletes dispatched events from before `before`: the log is a queue with a memory, not an archive.
///
/// # Errors
/// Where the database fails.
pub async fn delete_dispatched(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM events WHERE id IN
               (SELECT id FROM events WHERE dispatched AND created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}

/// How many events wait.
///
/// # Errors
/// Where the database fails.
pub async fn count_undispatched(reader: &Reader) -> Result<i64, Error> {
    reader.count("SELECT count(*) AS n FROM events WHERE NOT dispatched", &[]).await
}

/// A page of a lead's timeline, newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_activities(
    reader: &Reader,
    workspace: WorkspaceId,
    lead: LeadId,
    limit: i64,
    offset: i64,
) -> Result<Page<Activity>, Error> {
    let sql = format!(
        "SELECT id, kind, actor_kind, actor_name, {data} AS data, created_at FROM lead_activities
         WHERE lead_id = $1 AND workspace_id = $2 ORDER BY id DESC LIMIT $3 OFFSET $4",
        data = reader.dialect().json_text("data"),
    );
    let rows = reader.query(&sql, &params![lead, workspace, limit, offset]).await?;
    let rows = rows.iter().map(read_activity).collect::<Result<_, _>>()?;
    let total = reader
        .count(
            "SELECT count(*) AS n FROM lead_activities WHERE lead_id = $1 AND workspace_id = $2",
            &params![lead, workspace],
        )
        .await?;
    Ok(Page { rows, total, total_is_capped: false })
}

/// A line of a lead's timeline, behind which is looked.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Since {
    /// The lead.
    pub lead_id: LeadId,
    /// The line.
    pub since: ActivityId,
}

const SINCE_COLUMNS: Columns = &[("lead_id", Kind::Id), ("since", Kind::Id)];

/// Lines that are looked at for what happened since.
const SINCE_MAX: i64 = 10_000;

/// What stands behind these lines on the timelines of their leads, of these kinds.
///
/// # Errors
/// Where the database fails.
pub async fn list_since(
    tx: &mut Tx,
    workspace: WorkspaceId,
    lines: &[Since],
    kinds: &[&str],
) -> Result<Vec<(LeadId, Value)>, Error> {
    if lines.is_empty() || kinds.is_empty() {
        return Ok(Vec::new());
    }
    // By the primary key, from each line on.
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT a.lead_id, {data} AS data FROM {set} CROSS JOIN lead_activities AS a
         WHERE a.lead_id = r.lead_id AND a.id > r.since AND a.workspace_id = $2 AND a.kind IN {kinds}
         LIMIT {SINCE_MAX}",
        data = dialect.json_text("a.data"),
        set = dialect.set(1, SINCE_COLUMNS),
        kinds = dialect.text_list(3),
    );
    let [workspace] = params![workspace];
    let rows = tx.query(&sql, &[json_set(lines), workspace, json_set(kinds)]).await?;
    rows.iter().map(|row| Ok((row.get("lead_id")?, row.json("data")?))).collect()
}

fn read_event(row: &Row) -> Result<Event, Error> {
    Ok(Event {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        kind: row.get("kind")?,
        lead_id: row.get("lead_id")?,
        submission_id: row.get("submission_id")?,
        data: row.json("data")?,
        created_at: row.get("created_at")?,
    })
}

fn read_activity(row: &Row) -> Result<Activity, Error> {
    Ok(Activity {
        id: row.get("id")?,
        kind: row.get("kind")?,
        actor_kind: row.get("actor_kind")?,
        actor_name: row.get("actor_name")?,
        data: row.json("data")?,
        created_at: row.get("created_at")?,
    })
}
