//! The queue of deliveries, their attempts, and the dead letters.
//!
//! A delivery is leased for a while, sent, and recorded: that is in `queue`, and what some payloads need besides in
//! `told`. What people look at is in `list`. Here stand inserting, replaying, cancelling and deleting.

mod books;
mod conversions;
mod filter;
mod list;
mod queue;
pub mod replays;
mod skipped;
mod told;

use leadline_domain::{
    ids::{
        AttemptId, DeliveryId, DestinationId, EventId, LeadId, ProjectId, SourceId, StageId, SubmissionId, WorkspaceId,
    },
    time::Timestamp,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Param, Tx, json_set, params},
};

pub use conversions::{Conversion, Span, list_conversions, touches_of};
pub use filter::Filter;
pub use list::{Attempt, Delivery, count, count_matching, count_pending, find, list, list_attempts};
pub use queue::{
    Finished, Lease, Picked, PickedLead, PickedSubmission, Standing, Unsent, finish, lease, load, pick,
    pick_next_in_order, release, standings,
};
pub use skipped::{Skipped, skip};
pub use told::{Told, ToldSubmission, as_if_told, list_told};

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is to be sent, now or later.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up: a dead letter.
    Dead,
    /// Its destination was deleted.
    Cancelled,
    /// There was nothing of it that its destination could use.
    Skipped,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Delivered, Self::Dead, Self::Cancelled, Self::Skipped];

    /// Its name in the database and outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl<'de> Deserialize<'de> for State {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).ok_or_else(|| D::Error::custom("not a state of deliveries"))
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A delivery to be inserted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the columns of `deliveries` under their own names")]
pub struct NewDelivery {
    pub id: DeliveryId,
    pub workspace_id: WorkspaceId,
    pub destination_id: DestinationId,
    pub event_id: EventId,
    pub event: String,
    pub lead_id: Option<LeadId>,
    pub submission_id: Option<SubmissionId>,
    /// Where that submission came in.
    pub source_id: Option<SourceId>,
    pub state: State,
    pub attempt_count: i64,
    pub plan_attempt: i64,
    pub next_attempt_at: i64,
    pub payload: Option<String>,
    pub last_status: Option<i64>,
    pub last_error: Option<String>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
    pub expires_at: Option<i64>,
    /// Which of its destination's goals a conversion is about.
    pub goal: Option<String>,
}

const DELIVERY_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("destination_id", Kind::Id),
    ("event_id", Kind::Id),
    ("event", Kind::Text),
    ("lead_id", Kind::Id),
    ("submission_id", Kind::Id),
    ("source_id", Kind::Id),
    ("state", Kind::Text),
    ("attempt_count", Kind::Integer),
    ("plan_attempt", Kind::Integer),
    ("next_attempt_at", Kind::Integer),
    ("payload", Kind::Text),
    ("last_status", Kind::Integer),
    ("last_error", Kind::Text),
    ("created_at", Kind::Integer),
    ("finished_at", Kind::Integer),
    ("expires_at", Kind::Integer),
    ("goal", Kind::Text),
];

/// One HTTP try to be inserted.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `delivery_attempts` under their own names")]
pub struct NewAttempt {
    pub id: AttemptId,
    pub workspace_id: WorkspaceId,
    pub delivery_id: DeliveryId,
    pub number: i64,
    pub started_at: i64,
    pub duration_ms: i64,
    pub status: Option<i64>,
    pub error: Option<String>,
    pub request_headers: Value,
    pub response_headers: Value,
    pub response_body: Option<String>,
}

const ATTEMPT_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("delivery_id", Kind::Id),
    ("number", Kind::Integer),
    ("started_at", Kind::Integer),
    ("duration_ms", Kind::Integer),
    ("status", Kind::Integer),
    ("error", Kind::Text),
    ("request_headers", Kind::Json),
    ("response_headers", Kind::Json),
    ("response_body", Kind::Text),
];

/// Inserts deliveries that are not there yet. Their ids are derived from what they deliver, so a repeat finds its own;
/// all that it can add is the lead, which was not known when a delivery was made from the spool. A conversion that was
/// skipped is taken up again.
///
/// # Errors
/// Where the database fails.
pub async fn insert_set(tx: &mut Tx, rows: &[NewDelivery]) -> Result<(), Error> {
    let new: Vec<DeliveryId> = tx.insert_new("deliveries", DELIVERY_COLUMNS, rows, "id").await?;
    if new.len() < rows.len() {
        let sql = format!(
            "UPDATE deliveries SET lead_id = r.lead_id FROM {}
             WHERE deliveries.id = r.id AND deliveries.lead_id IS NULL AND r.lead_id IS NOT NULL",
            tx.dialect().set(1, DELIVERY_COLUMNS)
        );
        tx.execute(&sql, &[json_set(rows)]).await?;
        skipped::take_up(tx, rows).await?;
    }
    books::open(tx, rows, &new).await
}

/// Inserts attempts. One that is there already was recorded by a commit whose answer got lost.
///
/// # Errors
/// Where the database fails.
pub async fn insert_attempts(tx: &mut Tx, rows: &[NewAttempt]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    // A delivery that was erased while it was on its way leaves nothing: what the receiver said may name the person.
    let names: Vec<&str> = ATTEMPT_COLUMNS.iter().map(|(name, _)| *name).collect();
    let sql = format!(
        "INSERT INTO delivery_attempts ({names}) SELECT {names} FROM {set}
         WHERE EXISTS (SELECT 1 FROM deliveries AS d WHERE d.id = r.delivery_id)
         ON CONFLICT (delivery_id, id) DO NOTHING",
        names = names.join(", "),
        set = tx.dialect().set(1, ATTEMPT_COLUMNS),
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// Cancels what still waits for a destination.
///
/// # Errors
/// Where the database fails.
pub async fn cancel_pending(
    tx: &mut Tx,
    workspace: WorkspaceId,
    destination: DestinationId,
    now: Timestamp,
) -> Result<u64, Error> {
    let mut cancelled = 0;
    // First tries and retries apart, for their indexes.
    for which in ["plan_attempt = 0", "plan_attempt > 0"] {
        let sql = format!(
            "UPDATE deliveries SET state = 'cancelled', leased_until = NULL, finished_at = $3
             WHERE destination_id = $1 AND workspace_id = $2 AND state = 'pending' AND {which}
             RETURNING {}",
            books::ENTRY
        );
        let rows = tx.query(&sql, &params![destination, workspace, now]).await?;
        books::close(tx, &rows).await?;
        cancelled += rows.len() as u64;
    }
    Ok(cancelled)
}

/// Makes those of these deliveries pending again that are in one of these states, from the start of their plans, and
/// gives them. Their ids, payloads and attempts stay. Left out is what the workspace does not have, and what goes to a
/// destination that is gone.
///
/// # Errors
/// Where the database fails.
pub async fn replay_set(
    tx: &mut Tx,
    workspace: WorkspaceId,
    ids: &[DeliveryId],
    from: &[State],
    now: Timestamp,
) -> Result<Vec<DeliveryId>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    // As they were before, and locked in one order, so that the books can take them back.
    let before = format!(
        "SELECT deliveries.id, {} FROM deliveries WHERE id IN {ids} AND workspace_id = $2 AND state IN {states}
           AND EXISTS (SELECT 1 FROM destinations AS t
                       WHERE t.id = deliveries.destination_id AND t.deleted_at IS NULL) ORDER BY id {lock}",
        books::ENTRY,
        ids = dialect.id_list(1),
        states = dialect.text_list(3),
        lock = dialect.for_update(),
    );
    let before = tx.query(&before, &[json_set(ids), workspace.param(), json_set(from)]).await?;
    let found: Vec<DeliveryId> = before.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if found.is_empty() {
        return Ok(found);
    }
    let sql = format!(
        "UPDATE deliveries SET state = 'pending', plan_attempt = 0, next_attempt_at = $3, finished_at = NULL,
             expires_at = NULL, repeat_count = repeat_count + 1
         WHERE id IN {} AND workspace_id = $2",
        dialect.id_list(1)
    );
    tx.execute(&sql, &[json_set(&found), workspace.param(), now.param()]).await?;
    books::reopen(tx, &before).await?;
    Ok(found)
}

/// What the choice of destinations depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeadFacts {
    /// The lead.
    pub id: LeadId,
    /// What it is about.
    pub project_id: ProjectId,
    /// Whether it is one of somebody's tests.
    pub is_test: bool,
    /// The kind of its source.
    pub source: String,
    /// Its source.
    pub source_id: Option<SourceId>,
    /// Its tags.
    pub tags: Vec<String>,
    /// Where it stands.
    pub stage_id: StageId,
    /// Its score.
    pub score: i64,
    /// Its suspicion.
    pub suspicion: i64,
}

/// What the choice of destinations for these leads' events depends on.
///
/// # Errors
/// Where the database fails.
pub async fn lead_facts(tx: &mut Tx, leads: &[LeadId]) -> Result<Vec<LeadFacts>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id, project_id, is_test, source, source_id, {} AS tags, stage_id, score, suspicion
         FROM leads WHERE id IN {}",
        dialect.json_text("tags"),
        dialect.id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(leads)]).await?;
    rows.iter()
        .map(|row| {
            Ok(LeadFacts {
                id: row.get("id")?,
                project_id: row.get("project_id")?,
                is_test: row.get("is_test")?,
                source: row.get("source")?,
                source_id: row.get("source_id")?,
                tags: row.json("tags")?,
                stage_id: row.get("stage_id")?,
                score: row.get("score")?,
                suspicion: row.get("suspicion")?,
            })
        })
        .collect()
}

/// Deletes deliveries that a statement finds, with their attempts.
pub(crate) async fn delete_found(tx: &mut Tx, sql: &str, values: &[Param]) -> Result<u64, Error> {
    let found = tx.query(sql, values).await?;
    let ids: Vec<DeliveryId> = found.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let list = tx.dialect().id_list(1);
    tx.execute(&format!("DELETE FROM delivery_attempts WHERE delivery_id IN {list}"), &[json_set(&ids)]).await?;
    tx.execute(&format!("DELETE FROM deliveries WHERE id IN {list}"), &[json_set(&ids)]).await
}

/// Cancels what was dispatched to a destination in the moment of its deletion.
///
/// # Errors
/// Where the database fails.
pub async fn cancel_orphans(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    let sql = format!(
        "UPDATE deliveries SET state = 'cancelled', leased_until = NULL, finished_at = $1
         WHERE state = 'pending' AND destination_id IN (SELECT id FROM destinations WHERE deleted_at IS NOT NULL)
         RETURNING {}",
        books::ENTRY
    );
    let rows = tx.query(&sql, &params![now]).await?;
    books::close(tx, &rows).await?;
    Ok(rows.len() as u64)
}
