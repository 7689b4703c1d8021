//! What was told of the leads of deliveries, for payload formats that repeat what they were told.

use leadline_domain::ids::{ContactId, DeliveryId};
use serde_json::value::RawValue;

use crate::sql::{Error, Row, Tx, json_set};

/// What was told of a delivery's lead.
#[derive(Debug)]
pub struct Told {
    /// The delivery.
    pub id: DeliveryId,
    /// The person.
    pub contact_id: ContactId,
    /// The lead's phone number as entered.
    pub phone_raw: Option<String>,
    /// What is known of the lead's visitor.
    pub context: Option<Box<RawValue>>,
    /// The submission that caused the event, or else the latest of the lead.
    pub submission: Option<ToldSubmission>,
    /// The fields of the lead's latest submission to an inbound webhook that looks like a provider's record with an id
    /// and a trigger, unless that is the submission above.
    pub record: Option<Box<RawValue>>,
}

/// A submission as its sender told it.
#[derive(Debug)]
pub struct ToldSubmission {
    /// The kind of its source.
    pub source: String,
    /// The fields as sent.
    pub fields: Box<RawValue>,
    /// The page of the form.
    pub page_url: Option<String>,
    /// What was found out about the visitor.
    pub context: Option<Box<RawValue>>,
    /// The address of whoever sent the request.
    pub ip: Option<String>,
}

/// Reads what was told of the leads of these deliveries, all with one statement.
///
/// # Errors
/// Where the database fails.
pub async fn list_told(tx: &mut Tx, ids: &[DeliveryId]) -> Result<Vec<Told>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let latest = |which: &str| {
        format!(
            "(SELECT x.id FROM lead_submissions AS x WHERE x.lead_id = l.id AND {which}
              ORDER BY x.received_at DESC, x.id DESC LIMIT 1)"
        )
    };
    let sql = format!(
        "SELECT d.id, l.contact_id, l.phone_raw, {lead_context} AS lead_context, u.source, u.payload AS fields,
             u.page_url, {context} AS context, c.ip, r.payload AS record
         FROM deliveries AS d
         JOIN leads AS l ON l.id = d.lead_id AND l.workspace_id = d.workspace_id
         LEFT JOIN lead_submissions AS u ON u.id = coalesce(d.submission_id, {any}) AND u.workspace_id = d.workspace_id
         LEFT JOIN lead_captures AS c ON c.submission_id = u.id
         LEFT JOIN lead_submissions AS r ON r.id = {record} AND r.id <> u.id
         WHERE d.id IN {list}",
        lead_context = dialect.json_text("l.context"),
        context = dialect.json_text("u.context"),
        any = latest("x.workspace_id = d.workspace_id"),
        // Whether it is one is for whoever knows the provider's shape to say; this leaves out most that are none.
        record = latest(r#"x.source = 'webhook' AND x.payload LIKE '%"lead_id":%' AND x.payload LIKE '%"trigger":%'"#),
        list = dialect.id_list(1),
    );
    tx.query(&sql, &[json_set(ids)]).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Told, Error> {
    let raw = |column: &str| -> Result<Option<Box<RawValue>>, Error> {
        let text: Option<String> = row.get(column)?;
        Ok(text.and_then(|text| RawValue::from_string(text).ok()))
    };
    let submission = match raw("fields")? {
        None => None,
        Some(fields) => Some(ToldSubmission {
            source: row.get("source")?,
            fields,
            page_url: row.get("page_url")?,
            context: raw("context")?,
            ip: row.get("ip")?,
        }),
    };
    Ok(Told {
        id: row.get("id")?,
        contact_id: row.get("contact_id")?,
        phone_raw: row.get("phone_raw")?,
        context: raw("lead_context")?,
        submission,
        record: raw("record")?,
    })
}
