//! What is known of the leads of deliveries beside their own columns, for payload formats that tell more than ours.

use leadline_domain::{
    ids::{ContactId, DeliveryId, LeadId, SubmissionId, WorkspaceId},
    time::Timestamp,
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::queue::{Picked, load_sql, read_picked};
use crate::{
    Dialect,
    sql::{Error, Reader, Row, Tx, json_set, params},
};

/// What was told of a delivery's lead.
#[derive(Debug)]
pub struct Told {
    /// The delivery.
    pub id: DeliveryId,
    /// The person.
    pub contact_id: ContactId,
    /// The lead's phone number as entered.
    pub phone_raw: Option<String>,
    /// The country of the phone number as somebody named it.
    pub country_code: Option<String>,
    /// What is known of the lead's visitor.
    pub context: Option<Box<RawValue>>,
    /// The visitor's id.
    pub visitor_id: Option<String>,
    /// The id of the visit that led to the lead.
    pub session_id: Option<String>,
    /// The engagement, where it is known.
    pub engagement: Option<i64>,
    /// Seconds spent on the website.
    pub session_duration_seconds: Option<i64>,
    /// Pages seen.
    pub pages_visited: Option<i64>,
    /// Further visits.
    pub return_visits: Option<i64>,
    /// The codes of what makes the lead suspicious.
    pub suspicion_reasons: Vec<String>,
    /// The names of other projects that the same person asked about.
    pub related_projects: Vec<String>,
    /// The submission that caused the event, or else the latest of the lead.
    pub submission: Option<ToldSubmission>,
    /// The fields of the lead's latest submission to an inbound webhook that looks like a provider's record with an id
    /// and a trigger, unless that is the submission above.
    pub record: Option<Box<RawValue>>,
    /// Every touch of the lead but those of the time before its visits were followed.
    pub touches: Option<Box<RawValue>>,
}

/// A submission as its sender told it.
#[derive(Debug)]
pub struct ToldSubmission {
    /// The submission.
    pub id: SubmissionId,
    /// When it came.
    pub received_at: Timestamp,
    /// The kind of its source.
    pub source: String,
    /// The fields as sent.
    pub fields: Box<RawValue>,
    /// What the person wrote.
    pub message: Option<String>,
    /// The button or link that led there.
    pub cta: Option<String>,
    /// The page of the form.
    pub page_url: Option<String>,
    /// The page before it.
    pub referrer: Option<String>,
    /// Milliseconds from showing the form to sending it.
    pub time_to_submit_ms: Option<i64>,
    /// What was found out about the visitor.
    pub context: Option<Box<RawValue>>,
    /// The address of whoever sent the request.
    pub ip: Option<String>,
    /// The browser's name for itself.
    pub user_agent: Option<String>,
}

/// More other projects than anybody shows.
const MOST_RELATED: i64 = 20;

/// Reads what was told of the leads of these deliveries, all with one statement.
///
/// # Errors
/// Where the database fails.
pub async fn list_told(tx: &mut Tx, ids: &[DeliveryId]) -> Result<Vec<Told>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = told_sql(tx.dialect(), "deliveries");
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(read).collect()
}

/// Reads what is known of the leads of deliveries in a table, or in something with its columns.
fn told_sql(dialect: Dialect, deliveries: &str) -> String {
    let latest = |which: &str| {
        format!(
            "(SELECT x.id FROM lead_submissions AS x WHERE x.lead_id = l.id AND {which}
              ORDER BY x.received_at DESC, x.id DESC LIMIT 1)"
        )
    };
    format!(
        "SELECT d.id, l.contact_id, l.phone_raw, l.country_code, {lead_context} AS lead_context, l.visitor_id,
             l.session_id, l.engagement, l.session_duration_seconds, l.pages_visited, l.return_visits,
             {reasons} AS suspicion_reasons, {related} AS related_projects, u.id AS u_id, u.received_at, u.source,
             u.payload AS fields, u.message, u.cta, u.page_url, u.referrer, u.time_to_submit_ms, {context} AS context,
             c.ip, c.user_agent, r.payload AS record, {touches} AS touches
         FROM {deliveries} AS d
         JOIN leads AS l ON l.id = d.lead_id AND l.workspace_id = d.workspace_id
         LEFT JOIN lead_submissions AS u ON u.id = coalesce(d.submission_id, {any}) AND u.workspace_id = d.workspace_id
         LEFT JOIN lead_captures AS c ON c.submission_id = u.id
         LEFT JOIN lead_submissions AS r ON r.id = {record} AND r.id <> u.id
         WHERE d.id IN {list}",
        lead_context = dialect.json_text("l.context"),
        reasons = dialect.json_text("l.suspicion_reasons"),
        // By `leads_of_contact`, and there is no other way: nothing is asked of the leads so that another index would do,
        // the ones of leads that are not deleted included, which PostgreSQL reads from end to end while it has not
        // analysed the table.
        related = format_args!(
            "(SELECT {names} FROM (SELECT DISTINCT (SELECT p.name FROM projects AS p
                                                    WHERE p.id = x.project_id AND p.workspace_id = l.workspace_id) AS name
                                   FROM leads AS x
                                   WHERE x.contact_id = l.contact_id AND x.project_id <> l.project_id
                                     AND coalesce(x.deleted_at, 0) = 0 ORDER BY name LIMIT {MOST_RELATED}) AS q
              WHERE name IS NOT NULL)",
            names = dialect.json_array_of("name"),
        ),
        context = dialect.json_text("u.context"),
        touches = dialect.json_text("l.touches"),
        any = latest("TRUE"),
        // Whether it is one is for whoever knows the provider's shape to say; this leaves out most that are none.
        record = latest(r#"x.source = 'webhook' AND x.payload LIKE '%"lead_id":%' AND x.payload LIKE '%"trigger":%'"#),
        list = dialect.id_list(1),
    )
}

/// A lead as a delivery of its creation would tell it: the one that is named, or else the newest. `None` where there is
/// none.
///
/// # Errors
/// Where the database fails.
pub async fn as_if_told(
    reader: &Reader,
    workspace: WorkspaceId,
    lead: Option<LeadId>,
) -> Result<Option<(Picked, Told)>, Error> {
    let dialect = reader.dialect();
    let wanted = if lead.is_some() { "x.id = $2" } else { "x.id <> $2" };
    // By the key, or by `leads_by_creation`.
    let newest = format!(
        "SELECT x.id FROM leads AS x WHERE x.workspace_id = $1 AND x.deleted_at IS NULL AND {wanted}
         ORDER BY x.created_at DESC, x.id DESC LIMIT 1"
    );
    let id = lead.unwrap_or(LeadId(uuid::Uuid::nil()));
    let Some(row) = reader.query_one(&newest, &params![workspace, id]).await? else { return Ok(None) };
    let id: LeadId = row.get("id")?;
    let as_delivery = "(SELECT x.id, x.workspace_id, x.id AS destination_id, x.id AS event_id, 'lead.created' AS event,
             x.id AS lead_id, (SELECT u.id FROM lead_submissions AS u WHERE u.lead_id = x.id
                               ORDER BY u.id DESC LIMIT 1) AS submission_id,
             CAST(0 AS BIGINT) AS attempt_count, CAST(0 AS BIGINT) AS plan_attempt, CAST(NULL AS TEXT) AS goal, CAST(NULL AS TEXT) AS payload,
             x.created_at FROM leads AS x)";
    let values = [json_set(&[id])];
    let picked = reader.query_one(&load_sql(dialect, as_delivery), &values).await?;
    let told = reader.query_one(&told_sql(dialect, as_delivery), &values).await?;
    match (picked, told) {
        (Some(picked), Some(told)) => Ok(Some((read_picked(&picked)?, read(&told)?))),
        _ => Ok(None),
    }
}

/// As a score keeps it.
#[derive(Deserialize)]
struct Reason {
    code: String,
}

fn read(row: &Row) -> Result<Told, Error> {
    let raw = |column: &str| -> Result<Option<Box<RawValue>>, Error> {
        let text: Option<String> = row.get(column)?;
        Ok(text.and_then(|text| RawValue::from_string(text).ok()))
    };
    let submission = match raw("fields")? {
        None => None,
        Some(fields) => Some(ToldSubmission {
            id: row.get("u_id")?,
            received_at: row.get("received_at")?,
            source: row.get("source")?,
            fields,
            message: row.get("message")?,
            cta: row.get("cta")?,
            page_url: row.get("page_url")?,
            referrer: row.get("referrer")?,
            time_to_submit_ms: row.get("time_to_submit_ms")?,
            context: raw("context")?,
            ip: row.get("ip")?,
            user_agent: row.get("user_agent")?,
        }),
    };
    Ok(Told {
        id: row.get("id")?,
        contact_id: row.get("contact_id")?,
        phone_raw: row.get("phone_raw")?,
        country_code: row.get("country_code")?,
        context: raw("lead_context")?,
        visitor_id: row.get("visitor_id")?,
        session_id: row.get("session_id")?,
        engagement: row.get("engagement")?,
        session_duration_seconds: row.get("session_duration_seconds")?,
        pages_visited: row.get("pages_visited")?,
        return_visits: row.get("return_visits")?,
        suspicion_reasons: row.json::<Vec<Reason>>("suspicion_reasons")?.into_iter().map(|one| one.code).collect(),
        related_projects: row.json("related_projects")?,
        submission,
        record: raw("record")?,
        touches: raw("touches")?,
    })
}
