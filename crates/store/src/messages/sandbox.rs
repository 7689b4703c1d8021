//! What arrived at the built-in phone and mailbox, and what the sandbox will report of it: the stand-in for a provider,
//! with a memory of its own.

use leadline_domain::{
    ids::{ChannelId, ContactId, LeadId, MessageId, WorkspaceId},
    messaging::{MessageChannel, Status},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Something that arrives.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `sandbox_arrivals` under their own names")]
pub struct NewArrival {
    pub message_id: MessageId,
    pub workspace_id: WorkspaceId,
    pub channel_id: ChannelId,
    pub lead_id: Option<LeadId>,
    pub contact_id: Option<ContactId>,
    pub kind: MessageChannel,
    pub address: String,
    pub subject: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
    /// What the sandbox plays with it.
    pub plan: &'static str,
    /// How often it was handed over. Never more than once, if all is well.
    pub times: i64,
    pub next_report: Option<Status>,
    pub report_at: Option<i64>,
    pub arrived_at: i64,
}

const COLUMNS: Columns = &[
    ("message_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("channel_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("kind", Kind::Text),
    ("address", Kind::Text),
    ("subject", Kind::Text),
    ("body", Kind::Text),
    ("body_html", Kind::Text),
    ("plan", Kind::Text),
    ("times", Kind::Integer),
    ("next_report", Kind::Text),
    ("report_at", Kind::Integer),
    ("arrived_at", Kind::Integer),
];

/// Takes messages. One that is there already is the same one, handed over again; that is counted.
///
/// # Errors
/// Where the database fails.
pub async fn take(tx: &mut Tx, rows: &[NewArrival]) -> Result<(), Error> {
    let again = "ON CONFLICT (message_id) DO UPDATE SET times = sandbox_arrivals.times + 1";
    tx.insert_set("sandbox_arrivals", COLUMNS, rows, again).await.map(drop)
}

/// Something that arrived.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `sandbox_arrivals` under their own names")]
pub struct Arrival {
    pub message_id: MessageId,
    pub workspace_id: WorkspaceId,
    pub channel_id: ChannelId,
    pub kind: MessageChannel,
    pub address: String,
    pub subject: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
    pub plan: String,
    pub times: i64,
    pub next_report: Option<Status>,
    pub arrived_at: Timestamp,
    pub opened_at: Option<Timestamp>,
}

/// What the sandbox has to report by now; locked. By `sandbox_arrivals_to_report`.
///
/// # Errors
/// Where the database fails.
pub async fn lock_to_report(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<Vec<Arrival>, Error> {
    let sql = format!(
        "{SELECT} WHERE report_at IS NOT NULL AND report_at <= $1 ORDER BY report_at LIMIT $2 {}",
        tx.dialect().skip_locked()
    );
    tx.query(&sql, &params![now, limit]).await?.iter().map(read).collect()
}

/// Whether the sandbox has anything to report.
///
/// # Errors
/// Where the database fails.
pub async fn has_to_report(reader: &Reader, now: Timestamp) -> Result<bool, Error> {
    let sql = "SELECT message_id FROM sandbox_arrivals WHERE report_at IS NOT NULL AND report_at <= $1 LIMIT 1";
    Ok(reader.query_one(sql, &params![now]).await?.is_some())
}

/// What the sandbox reports next of a message.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `sandbox_arrivals` under their own names")]
pub struct NextReport {
    pub message_id: MessageId,
    pub next_report: Option<Status>,
    pub report_at: Option<i64>,
}

const NEXT_COLUMNS: Columns = &[("message_id", Kind::Id), ("next_report", Kind::Text), ("report_at", Kind::Integer)];

/// Writes down what the sandbox reports next.
///
/// # Errors
/// Where the database fails.
pub async fn set_next(tx: &mut Tx, rows: &[NextReport]) -> Result<(), Error> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "UPDATE sandbox_arrivals SET next_report = r.next_report, report_at = r.report_at
         FROM {} WHERE sandbox_arrivals.message_id = r.message_id",
        tx.dialect().set(1, NEXT_COLUMNS)
    );
    tx.execute(&sql, &[json_set(rows)]).await.map(drop)
}

/// Marks what arrived at an address as opened, and tells what was not before.
///
/// # Errors
/// Where the database fails.
pub async fn open(tx: &mut Tx, channel: ChannelId, address: &str, now: Timestamp) -> Result<Vec<MessageId>, Error> {
    // By `sandbox_arrivals_at`.
    let sql = "UPDATE sandbox_arrivals SET opened_at = $3
               WHERE channel_id = $1 AND address = $2 AND opened_at IS NULL RETURNING message_id";
    let rows = tx.query(sql, &params![channel, address, now]).await?;
    rows.iter().map(|row| row.get("message_id")).collect()
}

/// Somebody whose phone or mailbox got something.
#[derive(Debug, Clone)]
pub struct Device {
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// Their phone number or e-mail address.
    pub address: String,
    /// When something arrived last.
    pub last_at: Timestamp,
    /// How much of the latest arrivals it was.
    pub count: i64,
}

/// Arrivals that are looked through for those who got something.
const LOOKED_THROUGH: i64 = 5_000;

/// Who got something lately, the latest first. By `sandbox_arrivals_of_channel`.
///
/// # Errors
/// Where the database fails.
pub async fn list_devices(reader: &Reader, workspace: WorkspaceId, channel: ChannelId) -> Result<Vec<Device>, Error> {
    let sql = format!(
        "SELECT kind, address, max(arrived_at) AS last_at, count(*) AS n
         FROM (SELECT kind, address, arrived_at FROM sandbox_arrivals
               WHERE channel_id = $1 AND workspace_id = $2 ORDER BY arrived_at DESC LIMIT {LOOKED_THROUGH}) AS q
         GROUP BY kind, address ORDER BY last_at DESC LIMIT 100"
    );
    let rows = reader.query(&sql, &params![channel, workspace]).await?;
    rows.iter()
        .map(|row| {
            Ok(Device {
                kind: kind(row)?,
                address: row.get("address")?,
                last_at: row.get("last_at")?,
                count: row.get("n")?,
            })
        })
        .collect()
}

/// What arrived at one address, newest first. By `sandbox_arrivals_at`.
///
/// # Errors
/// Where the database fails.
pub async fn list_at(
    reader: &Reader,
    workspace: WorkspaceId,
    channel: ChannelId,
    address: &str,
    limit: i64,
) -> Result<Vec<Arrival>, Error> {
    let sql = format!(
        "{SELECT} WHERE channel_id = $1 AND address = $2 AND workspace_id = $3 ORDER BY arrived_at DESC, message_id DESC
         LIMIT $4"
    );
    reader.query(&sql, &params![channel, address, workspace, limit]).await?.iter().map(read).collect()
}

const SELECT: &str =
    "SELECT message_id, workspace_id, channel_id, kind, address, subject, body, body_html, plan, times,
    next_report, arrived_at, opened_at FROM sandbox_arrivals";

fn kind(row: &Row) -> Result<MessageChannel, Error> {
    let kind: String = row.get("kind")?;
    MessageChannel::parse(&kind).ok_or_else(|| Error::Column { column: "kind".to_owned() })
}

fn read(row: &Row) -> Result<Arrival, Error> {
    let next: Option<String> = row.get("next_report")?;
    Ok(Arrival {
        message_id: row.get("message_id")?,
        workspace_id: row.get("workspace_id")?,
        channel_id: row.get("channel_id")?,
        kind: kind(row)?,
        address: row.get("address")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        body_html: row.get("body_html")?,
        plan: row.get("plan")?,
        times: row.get("times")?,
        next_report: next.as_deref().and_then(Status::parse),
        arrived_at: row.get("arrived_at")?,
        opened_at: row.get("opened_at")?,
    })
}
