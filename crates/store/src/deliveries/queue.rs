//! The worker's side: what is due, leasing it, and what came of it. The queue is one for all workspaces, so nothing here
//! takes one.
//!
//! Each lease counts the attempt up, and a result is recorded only while its attempt is still the newest: a slow worker
//! cannot overwrite a job that was rescued from it.

use leadline_domain::{
    breaker::Breaker,
    ids::{ConversationId, DeliveryId, DestinationId, EventId, LeadId, ProjectId, StageId, SubmissionId, WorkspaceId},
    time::Timestamp,
    values::Values,
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::{State, books};
use crate::{
    breakers,
    dialect::{Dialect, Kind},
    leads::values::read_values,
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set, params},
};

/// How a destination stands in the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The destination.
    pub id: DestinationId,
    /// Which version of it is current.
    pub updated_at: Timestamp,
    /// Whether it gets anything at the moment: it is active and not deleted.
    pub is_open: bool,
    /// Whether something is due for it.
    pub is_due: bool,
    /// Whether it is left in peace for a while.
    pub breaker: Breaker,
}

/// What makes a pending delivery claimable at `$1`. First tries and retries have an index each (`deliveries_first`,
/// `deliveries_later`), which is why they are asked for apart: each question then reads no more than it answers, however
/// many retries wait for later.
const DUE: &str = "state = 'pending' AND next_attempt_at <= $1 AND (leased_until IS NULL OR leased_until <= $1)";

/// The active destinations for which something is due, and those in `held`, for which somebody has jobs in hand.
///
/// # Errors
/// Where the database fails.
pub async fn standings(reader: &Reader, held: &[DestinationId], now: Timestamp) -> Result<Vec<Standing>, Error> {
    // A scalar sub-select is never turned into a join, which would read the whole queue; and asking for the earliest
    // keeps PostgreSQL from looking for any at all by reading the table, which is long when there is none.
    let any = |which: &str| {
        format!(
            "(SELECT next_attempt_at FROM deliveries WHERE destination_id = t.id AND {DUE} AND {which}
              ORDER BY next_attempt_at LIMIT 1) IS NOT NULL"
        )
    };
    let is_held = format!("id IN {}", reader.dialect().id_list(2));
    let sql = format!(
        "SELECT id, updated_at, is_open, is_due, {breaker}
         FROM (SELECT id, updated_at, {breaker}, is_active AND deleted_at IS NULL AS is_open,
                      is_active AND ({first} OR {later}) AS is_due
               FROM destinations AS t WHERE deleted_at IS NULL OR {is_held}) AS q
         WHERE is_due OR {is_held} ORDER BY id",
        first = any("plan_attempt = 0"),
        later = any("plan_attempt > 0"),
        breaker = breakers::COLUMNS,
    );
    let rows = reader.query(&sql, &[now.param(), json_set(held)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Standing {
                id: row.get("id")?,
                updated_at: row.get("updated_at")?,
                is_open: row.get("is_open")?,
                is_due: row.get("is_due")?,
                breaker: breakers::read(row)?,
            })
        })
        .collect()
}

/// Picks up to `limit` due deliveries of each destination, first tries before retries, and keeps other nodes from
/// picking them until the end of the transaction.
///
/// # Errors
/// Where the database fails.
pub async fn pick(
    tx: &mut Tx,
    destinations: &[DestinationId],
    limit: usize,
    now: Timestamp,
) -> Result<Vec<DeliveryId>, Error> {
    let dialect = tx.dialect();
    let ids = |which: &str| {
        format!(
            "(SELECT {array} FROM (SELECT id FROM deliveries WHERE destination_id = t.id AND {DUE} AND {which}
              ORDER BY next_attempt_at LIMIT $2 {lock}) AS q)",
            array = dialect.json_array_of("id"),
            lock = dialect.skip_locked(),
        )
    };
    let sql = format!(
        "SELECT {} AS first, {} AS later FROM destinations AS t WHERE id IN {} AND is_active AND deleted_at IS NULL",
        ids("plan_attempt = 0"),
        ids("plan_attempt > 0"),
        dialect.id_list(3),
    );
    let mut values = params![now, i64::try_from(limit).unwrap_or(i64::MAX)].to_vec();
    values.push(json_set(destinations));
    let mut picked = Vec::new();
    for row in tx.query(&sql, &values).await? {
        let first: Vec<DeliveryId> = row.json("first")?;
        let later: Vec<DeliveryId> = row.json("later")?;
        picked.extend(first.into_iter().chain(later).take(limit));
    }
    Ok(picked)
}

/// Picks of each destination the delivery whose turn it is, where it is due: a retry before all that came later, and
/// nothing while one is under way.
///
/// # Errors
/// Where the database fails.
pub async fn pick_next_in_order(
    tx: &mut Tx,
    destinations: &[DestinationId],
    now: Timestamp,
) -> Result<Vec<DeliveryId>, Error> {
    if destinations.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    // By `deliveries_later` and `deliveries_first`, the first entry of each.
    let head = |which: &str| {
        format!(
            "(SELECT id FROM deliveries WHERE destination_id = t.id AND state = 'pending' AND {which}
              ORDER BY next_attempt_at, event_id LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT id FROM deliveries WHERE id IN (SELECT coalesce({later}, {first}) FROM destinations AS t
             WHERE id IN {list} AND is_active AND deleted_at IS NULL) AND {DUE} {lock}",
        later = head("plan_attempt > 0"),
        first = head("plan_attempt = 0"),
        list = dialect.id_list(2),
        lock = dialect.skip_locked(),
    );
    let rows = tx.query(&sql, &[now.param(), json_set(destinations)]).await?;
    rows.iter().map(|row| row.get("id")).collect()
}

/// A delivery that was picked, with what its payload is made of.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of `deliveries` under their own names")]
pub struct Picked {
    pub id: DeliveryId,
    pub workspace_id: WorkspaceId,
    /// The workspace's name in addresses.
    pub workspace_slug: String,
    pub destination_id: DestinationId,
    pub event_id: EventId,
    pub event: String,
    pub lead_id: Option<LeadId>,
    /// How many attempts there were before.
    pub attempt_count: i64,
    pub plan_attempt: i64,
    /// Which of its destination's goals a conversion is about.
    pub goal: Option<String>,
    /// What is sent, where it was sent before.
    pub payload: Option<String>,
    pub created_at: Timestamp,
    /// The lead as it is now.
    pub lead: Option<PickedLead>,
    /// The submission that caused the event.
    pub submission: Option<PickedSubmission>,
    /// What the event says, where it is not about a lead.
    pub event_data: Option<Box<RawValue>>,
}

/// A lead as payloads tell it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct PickedLead {
    pub id: LeadId,
    pub number: i64,
    pub project_id: String,
    pub project_name: Option<String>,
    pub stage_id: String,
    pub stage_name: Option<String>,
    /// What the lead is worth.
    pub values: Values,
    /// What that is in, where the workspace chose a currency.
    pub currency: Option<String>,
    pub close_reason: Option<String>,
    pub name: String,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub company: Option<String>,
    pub title: Option<String>,
    pub source: String,
    pub source_name: String,
    pub tags: Box<RawValue>,
    pub custom_fields: Box<RawValue>,
    pub score: i64,
    pub suspicion: i64,
    pub submission_count: i64,
    pub first_touch: Box<RawValue>,
    pub last_touch: Box<RawValue>,
    pub lead_analysis: Box<RawValue>,
    pub is_test: bool,
    /// `in_progress` while the lead's chat goes on, else `completed`.
    pub lead_state: String,
    /// The latest conversation at the time of the event.
    pub conversation_id: Option<ConversationId>,
    /// When there was last a word in an earlier conversation, or one was begun.
    pub last_conversation_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A submission as payloads tell it.
#[derive(Debug)]
#[expect(missing_docs, reason = "the columns of `lead_submissions` under their own names")]
pub struct PickedSubmission {
    pub id: SubmissionId,
    pub received_at: Timestamp,
    pub fields: Box<RawValue>,
    pub page_url: Option<String>,
    pub referrer: Option<String>,
    pub message: Option<String>,
    pub match_reason: Box<RawValue>,
}

/// Reads what was picked, all with one statement.
///
/// # Errors
/// Where the database fails.
pub async fn load(tx: &mut Tx, ids: &[DeliveryId]) -> Result<Vec<Picked>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = load_sql(tx.dialect(), "deliveries");
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(read_picked).collect()
}

/// Reads deliveries out of a table, or of something with its columns.
pub(super) fn load_sql(dialect: Dialect, deliveries: &str) -> String {
    // What is one value stands as a subquery: PostgreSQL puts at most eight tables in order by itself
    // (`join_collapse_limit`), and beyond that begins with all deliveries.
    format!(
        "SELECT d.id, d.workspace_id, (SELECT w.slug FROM workspaces AS w WHERE w.id = d.workspace_id) AS slug,
             d.destination_id, d.event_id, d.event, d.lead_id, d.attempt_count, d.plan_attempt, d.goal, d.payload,
             d.created_at,
             (SELECT w.settings->>'currency' FROM workspaces AS w WHERE w.id = d.workspace_id) AS currency, l.quotable,
             l.quote_value_milli, l.sales_value_milli, l.close_reason,
             l.id AS l_id, l.number, l.project_id, p.name AS project_name, l.stage_id, s.name AS stage_name, l.name,
             l.email, l.phone, l.company, l.title, l.source, l.source_name, {tags} AS tags, {custom} AS custom_fields,
             l.score, l.suspicion, l.submission_count, {first} AS first_touch, {last} AS last_touch,
             coalesce({analysis}, 'null') AS lead_analysis, l.is_test, l.lead_state,
             (SELECT c.id FROM conversations AS c WHERE c.lead_id = l.id AND c.created_at <= d.created_at
              ORDER BY c.created_at DESC LIMIT 1) AS conversation_id,
             (SELECT max(coalesce(c.last_message_at, c.created_at)) FROM conversations AS c
              WHERE c.lead_id = l.id AND c.created_at < d.created_at) AS last_conversation_at,
             l.created_at AS l_created_at, l.updated_at AS l_updated_at,
             u.id AS u_id, u.received_at, u.payload AS fields, u.page_url, u.referrer, u.message,
             {reason} AS match_reason,
             (SELECT {data} FROM events AS e WHERE e.id = d.event_id AND d.lead_id IS NULL AND d.submission_id IS NULL
              AND d.payload IS NULL) AS event_data
         FROM {deliveries} AS d
         LEFT JOIN leads AS l ON l.id = d.lead_id AND l.workspace_id = d.workspace_id AND d.payload IS NULL
         LEFT JOIN projects AS p ON p.id = l.project_id
         LEFT JOIN lead_pipeline_stages AS s ON s.id = l.stage_id
         LEFT JOIN lead_submissions AS u ON u.id = d.submission_id AND u.workspace_id = d.workspace_id
              AND d.payload IS NULL
         WHERE d.id IN {list}",
        tags = dialect.json_text("l.tags"),
        custom = dialect.json_text("l.custom_fields"),
        first = dialect.json_text("l.first_touch"),
        last = dialect.json_text("l.last_touch"),
        analysis = dialect.json_text("l.lead_analysis"),
        reason = dialect.json_text("u.match_reason"),
        data = dialect.json_text("e.data"),
        list = dialect.id_list(1),
    )
}

pub(super) fn read_picked(row: &Row) -> Result<Picked, Error> {
    Ok(Picked {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        workspace_slug: row.get("slug")?,
        destination_id: row.get("destination_id")?,
        event_id: row.get("event_id")?,
        event: row.get("event")?,
        lead_id: row.get("lead_id")?,
        attempt_count: row.get("attempt_count")?,
        plan_attempt: row.get("plan_attempt")?,
        goal: row.get("goal")?,
        payload: row.get("payload")?,
        created_at: row.get("created_at")?,
        lead: row.get::<Option<LeadId>>("l_id")?.map(|id| read_picked_lead(row, id)).transpose()?,
        submission: row.get::<Option<SubmissionId>>("u_id")?.map(|id| read_picked_submission(row, id)).transpose()?,
        event_data: row.get::<Option<String>>("event_data")?.and_then(|text| RawValue::from_string(text).ok()),
    })
}

fn read_picked_lead(row: &Row, id: LeadId) -> Result<PickedLead, Error> {
    Ok(PickedLead {
        id,
        number: row.get("number")?,
        project_id: row.get::<ProjectId>("project_id")?.to_string(),
        project_name: row.get("project_name")?,
        stage_id: row.get::<StageId>("stage_id")?.to_string(),
        stage_name: row.get("stage_name")?,
        values: read_values(row)?,
        currency: row.get("currency")?,
        close_reason: row.get("close_reason")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        company: row.get("company")?,
        title: row.get("title")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        tags: raw(row, "tags")?,
        custom_fields: raw(row, "custom_fields")?,
        score: row.get("score")?,
        suspicion: row.get("suspicion")?,
        submission_count: row.get("submission_count")?,
        first_touch: raw(row, "first_touch")?,
        last_touch: raw(row, "last_touch")?,
        lead_analysis: raw(row, "lead_analysis")?,
        is_test: row.get("is_test")?,
        lead_state: row.get("lead_state")?,
        conversation_id: row.get("conversation_id")?,
        last_conversation_at: row.get("last_conversation_at")?,
        created_at: row.get("l_created_at")?,
        updated_at: row.get("l_updated_at")?,
    })
}

fn read_picked_submission(row: &Row, id: SubmissionId) -> Result<PickedSubmission, Error> {
    Ok(PickedSubmission {
        id,
        received_at: row.get("received_at")?,
        fields: raw(row, "fields")?,
        page_url: row.get("page_url")?,
        referrer: row.get("referrer")?,
        message: row.get("message")?,
        match_reason: raw(row, "match_reason")?,
    })
}

/// JSON on its way through. What is none (a row edited by hand) becomes null: it must not hold up the queue.
fn raw(row: &Row, column: &str) -> Result<Box<RawValue>, Error> {
    let text: String = row.get(column)?;
    Ok(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
}

/// A delivery that is about to be sent, and what.
#[derive(Debug, Serialize)]
pub struct Lease<'a> {
    /// Which.
    pub id: DeliveryId,
    /// What is sent, at this attempt and all that follow.
    pub payload: &'a str,
}

const LEASE_COLUMNS: Columns = &[("id", Kind::Id), ("payload", Kind::Text)];

/// Leases what was picked until `until`, counts the attempt, and keeps the payload. A lease that ran out is taken over
/// as a repeat: nobody knows whether its request arrived.
///
/// # Errors
/// Where the database fails.
pub async fn lease(tx: &mut Tx, rows: &[Lease<'_>], until: Timestamp) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE deliveries SET leased_until = $2, attempt_count = attempt_count + 1,
             repeat_count = repeat_count + CASE WHEN leased_until IS NULL THEN 0 ELSE 1 END,
             payload = coalesce(deliveries.payload, r.payload)
         FROM {} WHERE deliveries.id = r.id",
        tx.dialect().set(1, LEASE_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows), until.param()]).await.map(drop)
}

/// What came of an attempt.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `deliveries` under their own names")]
pub struct Finished {
    pub id: DeliveryId,
    /// The number of the attempt, as counted when it was leased.
    pub attempt_count: i64,
    pub state: State,
    pub plan_attempt: i64,
    pub next_attempt_at: i64,
    pub last_status: Option<i64>,
    pub last_error: Option<String>,
    pub finished_at: Option<i64>,
    pub expires_at: Option<i64>,
}

const FINISHED_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("attempt_count", Kind::Integer),
    ("state", Kind::Text),
    ("plan_attempt", Kind::Integer),
    ("next_attempt_at", Kind::Integer),
    ("last_status", Kind::Integer),
    ("last_error", Kind::Text),
    ("finished_at", Kind::Integer),
    ("expires_at", Kind::Integer),
];

/// Records results and gives those that counted: whose attempt was still the newest and whose delivery still waited.
///
/// # Errors
/// Where the database fails.
pub async fn finish(tx: &mut Tx, rows: &[Finished]) -> Result<Vec<DeliveryId>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE deliveries SET state = r.state, plan_attempt = r.plan_attempt, next_attempt_at = r.next_attempt_at,
             leased_until = NULL, last_status = r.last_status, last_error = r.last_error, finished_at = r.finished_at,
             expires_at = r.expires_at
         FROM {} WHERE deliveries.id = r.id AND deliveries.attempt_count = r.attempt_count
             AND deliveries.state = 'pending' RETURNING deliveries.id, {}",
        tx.dialect().set(1, FINISHED_COLUMNS),
        books::ENTRY
    );
    let counted = tx.query(&sql, &[json_set(rows)]).await?;
    books::close(tx, &counted).await?;
    counted.iter().map(|row| row.get("id")).collect()
}

/// A lease that is given back because nothing was sent.
#[derive(Debug, Clone, Serialize)]
pub struct Unsent {
    /// Which delivery.
    pub id: DeliveryId,
    /// The attempt that was not made.
    pub attempt_count: i64,
}

const UNSENT_COLUMNS: Columns = &[("id", Kind::Id), ("attempt_count", Kind::Integer)];

/// Gives leases back.
///
/// # Errors
/// Where the database fails.
pub async fn release(tx: &mut Tx, rows: &[Unsent]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE deliveries SET leased_until = NULL, attempt_count = deliveries.attempt_count - 1
         FROM {} WHERE deliveries.id = r.id AND deliveries.attempt_count = r.attempt_count
             AND deliveries.state = 'pending'",
        tx.dialect().set(1, UNSENT_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}
