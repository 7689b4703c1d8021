//! Deliveries as they are shown: lists, one with its attempts, counts.

use leadline_domain::{
    ids::{AttemptId, DeliveryId, DestinationId, EventId, LeadId, WorkspaceId},
    time::Timestamp,
};
use serde_json::Value;

use super::{Filter, State};
use crate::sql::{COUNT_CAP, Error, IntoParam, Page, Reader, Row, params};

/// A delivery as it is shown.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `deliveries` under their own names")]
pub struct Delivery {
    pub id: DeliveryId,
    pub destination_id: DestinationId,
    pub destination_name: String,
    pub url: String,
    pub event: String,
    pub event_id: EventId,
    pub lead_id: Option<LeadId>,
    pub lead_name: Option<String>,
    pub state: State,
    pub attempt_count: i64,
    pub next_attempt_at: Timestamp,
    pub payload: Option<String>,
    pub last_status: Option<i64>,
    pub last_error: Option<String>,
    pub created_at: Timestamp,
    pub finished_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

/// A page of deliveries, the newest first; dead letters by when they died.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &Filter,
    limit: i64,
    offset: i64,
) -> Result<Page<Delivery>, Error> {
    let counted = count_matching(reader, workspace, filter, COUNT_CAP + 1).await?;
    let these = filter.conditions(reader.dialect(), workspace);
    let order = format!("{} DESC, d.id DESC", filter.clock());
    let mut values = these.values.clone();
    values.extend(params![limit, offset]);
    // The page is found first and its rows read then: what is in order carries no payloads.
    let page = format!(
        "SELECT d.id FROM deliveries AS d WHERE {} ORDER BY {order} LIMIT ${} OFFSET ${}",
        these.text(),
        values.len() - 1,
        values.len(),
    );
    let sql = select(&format!("WHERE d.id IN (SELECT id FROM ({page}) AS q) ORDER BY {order}"));
    let rows = reader.query(&sql, &values).await?;
    Ok(Page::new(rows.iter().map(read_delivery).collect::<Result<_, _>>()?, counted))
}

/// How many deliveries match, counted up to `cap`.
///
/// # Errors
/// Where the database fails.
pub async fn count_matching(reader: &Reader, workspace: WorkspaceId, filter: &Filter, cap: i64) -> Result<i64, Error> {
    let mut these = filter.conditions(reader.dialect(), workspace);
    let text = these.text();
    these.values.push(cap.param());
    let sql = format!(
        "SELECT count(*) AS n FROM (SELECT 1 FROM deliveries AS d WHERE {text} LIMIT ${}) AS q",
        these.values.len()
    );
    reader.count(&sql, &these.values).await
}

/// Finds a delivery of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: DeliveryId) -> Result<Option<Delivery>, Error> {
    let sql = select("WHERE d.id = $1 AND d.workspace_id = $2");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_delivery).transpose()
}

fn select(rest: &str) -> String {
    format!(
        "SELECT d.id, d.destination_id, t.name AS destination_name, t.url, d.event, d.event_id, d.lead_id,
             l.name AS lead_name, d.state, d.attempt_count, d.next_attempt_at, d.payload, d.last_status, d.last_error,
             d.created_at, d.finished_at, d.expires_at
         FROM deliveries AS d JOIN destinations AS t ON t.id = d.destination_id
         LEFT JOIN leads AS l ON l.id = d.lead_id AND l.workspace_id = d.workspace_id {rest}"
    )
}

fn read_delivery(row: &Row) -> Result<Delivery, Error> {
    let state: String = row.get("state")?;
    Ok(Delivery {
        id: row.get("id")?,
        destination_id: row.get("destination_id")?,
        destination_name: row.get("destination_name")?,
        url: row.get("url")?,
        event: row.get("event")?,
        event_id: row.get("event_id")?,
        lead_id: row.get("lead_id")?,
        lead_name: row.get("lead_name")?,
        state: State::parse(&state).ok_or_else(|| Error::Column { column: "state".to_owned() })?,
        attempt_count: row.get("attempt_count")?,
        next_attempt_at: row.get("next_attempt_at")?,
        payload: row.get("payload")?,
        last_status: row.get("last_status")?,
        last_error: row.get("last_error")?,
        created_at: row.get("created_at")?,
        finished_at: row.get("finished_at")?,
        expires_at: row.get("expires_at")?,
    })
}

/// One HTTP try as it is shown.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `delivery_attempts` under their own names")]
pub struct Attempt {
    pub id: AttemptId,
    pub number: i64,
    pub started_at: Timestamp,
    pub duration_ms: i64,
    pub status: Option<i64>,
    pub error: Option<String>,
    pub request_headers: Value,
    pub response_headers: Value,
    pub response_body: Option<String>,
}

/// A delivery whose receiver fails forever and that is replayed forever has more; nobody reads on.
const MOST_ATTEMPTS_SHOWN: i64 = 100;

/// The attempts of a delivery, the newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_attempts(
    reader: &Reader,
    workspace: WorkspaceId,
    delivery: DeliveryId,
) -> Result<Vec<Attempt>, Error> {
    let dialect = reader.dialect();
    let sql = format!(
        "SELECT id, number, started_at, duration_ms, status, error, {request} AS request_headers,
             {response} AS response_headers, response_body
         FROM delivery_attempts WHERE delivery_id = $1 AND workspace_id = $2 ORDER BY number DESC, id DESC LIMIT $3",
        request = dialect.json_text("request_headers"),
        response = dialect.json_text("response_headers"),
    );
    let rows = reader.query(&sql, &params![delivery, workspace, MOST_ATTEMPTS_SHOWN]).await?;
    rows.iter().map(read_attempt).collect()
}

fn read_attempt(row: &Row) -> Result<Attempt, Error> {
    Ok(Attempt {
        id: row.get("id")?,
        number: row.get("number")?,
        started_at: row.get("started_at")?,
        duration_ms: row.get("duration_ms")?,
        status: row.get("status")?,
        error: row.get("error")?,
        request_headers: row.json("request_headers")?,
        response_headers: row.json("response_headers")?,
        response_body: row.get("response_body")?,
    })
}

/// How many deliveries wait, anywhere, counted up to a cap.
///
/// # Errors
/// Where the database fails.
pub async fn count_pending(reader: &Reader) -> Result<i64, Error> {
    let sql =
        format!("SELECT count(*) AS n FROM (SELECT 1 FROM deliveries WHERE state = 'pending' LIMIT {COUNT_CAP}) AS q");
    reader.count(&sql, &[]).await
}

/// How many deliveries of the workspace are in this state, counted up to a cap.
///
/// # Errors
/// Where the database fails.
pub async fn count(reader: &Reader, workspace: WorkspaceId, state: State) -> Result<i64, Error> {
    count_matching(reader, workspace, &Filter { state: Some(state), ..Filter::default() }, COUNT_CAP).await
}
