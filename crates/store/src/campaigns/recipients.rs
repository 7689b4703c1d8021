//! To whom a campaign goes: written down once, when it starts, each person once, and moved from waiting to asked or
//! skipped in the transaction that asks for their message.

use leadline_domain::{
    ids::{AudienceId, CampaignId, ContactId, LeadId, MessageId, WorkspaceId},
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{COUNT_CAP, Columns, Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params},
};

/// Somebody who may get a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Candidate {
    pub lead_id: LeadId,
    pub contact_id: ContactId,
    pub has_email: bool,
    pub has_phone: bool,
}

/// What is known of these leads, of those that are there; who went into another lead stands for that. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn candidates(tx: &mut Tx, workspace: WorkspaceId, leads: &[LeadId]) -> Result<Vec<Candidate>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT w.id, w.contact_id, w.email IS NOT NULL AS has_email, w.phone IS NOT NULL AS has_phone
         FROM leads AS l JOIN leads AS w ON w.id = coalesce(l.merged_into, l.id)
         WHERE l.id IN {} AND l.workspace_id = $2 AND w.deleted_at IS NULL",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(leads), workspace.param()]).await?;
    rows.iter()
        .map(|row| {
            Ok(Candidate {
                lead_id: row.get("id")?,
                contact_id: row.get("contact_id")?,
                has_email: row.get("has_email")?,
                has_phone: row.get("has_phone")?,
            })
        })
        .collect()
}

/// Leads of an audience behind one of them, in the order of their ids. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn of_audience(
    tx: &mut Tx,
    workspace: WorkspaceId,
    audience: AudienceId,
    (after, limit): (Option<LeadId>, i64),
) -> Result<Vec<LeadId>, Error> {
    let mut asked: Vec<Param> = params![audience, workspace, limit].to_vec();
    let behind = after.map_or_else(String::new, |lead| {
        asked.extend(params![lead]);
        "AND lead_id > $4".to_owned()
    });
    let sql = format!(
        "SELECT lead_id FROM audience_members WHERE audience_id = $1 AND workspace_id = $2 {behind}
         ORDER BY lead_id LIMIT $3"
    );
    tx.query(&sql, &asked).await?.iter().map(|row| row.get("lead_id")).collect()
}

/// One lead of an audience that is there, for a preview. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn first_of(reader: &Reader, workspace: WorkspaceId, audience: AudienceId) -> Result<Option<LeadId>, Error> {
    let sql = "SELECT m.lead_id FROM audience_members AS m JOIN leads AS l ON l.id = m.lead_id
               WHERE m.audience_id = $1 AND m.workspace_id = $2 AND l.deleted_at IS NULL ORDER BY m.lead_id LIMIT 1";
    reader.query_one(sql, &params![audience, workspace]).await?.map(|row| row.get("lead_id")).transpose()
}

/// Recipients of a campaign behind one of them who got its message and neither answered nor unsubscribed, in the order
/// of their ids; and whom was looked at last. By primary keys.
///
/// # Errors
/// Where the database fails.
pub async fn unanswered(
    tx: &mut Tx,
    workspace: WorkspaceId,
    campaign: CampaignId,
    (after, limit): (Option<ContactId>, i64),
) -> Result<(Vec<LeadId>, Option<ContactId>), Error> {
    let mut asked: Vec<Param> = params![campaign, workspace, limit].to_vec();
    let behind = after.map_or_else(String::new, |contact| {
        asked.extend(params![contact]);
        "AND contact_id > $4".to_owned()
    });
    let sql = format!(
        "SELECT r.contact_id, r.lead_id,
                EXISTS (SELECT 1 FROM messages AS m WHERE m.id = r.message_id AND m.status IN ('sent', 'delivered', 'read'))
                AND NOT EXISTS (SELECT 1 FROM message_reactions AS a WHERE a.message_id = r.message_id
                                AND (a.replied_at IS NOT NULL OR a.unsubscribed_at IS NOT NULL)) AS counts
         FROM (SELECT contact_id, lead_id, message_id FROM campaign_recipients
               WHERE campaign_id = $1 AND workspace_id = $2 {behind} ORDER BY contact_id LIMIT $3) AS r
         ORDER BY r.contact_id"
    );
    let rows = tx.query(&sql, &asked).await?;
    let last = rows.last().map(|row| row.get("contact_id")).transpose()?;
    let mut leads = Vec::new();
    for row in &rows {
        if row.get::<bool>("counts")? {
            leads.push(row.get("lead_id")?);
        }
    }
    Ok((leads, last))
}

/// A recipient who is written down.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `campaign_recipients` under their own names")]
pub struct NewRecipient {
    pub campaign_id: CampaignId,
    pub contact_id: ContactId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub has_address: bool,
    pub variant: i64,
    pub wave: i64,
    pub state: &'static str,
    pub due_at: i64,
    pub updated_at: i64,
}

const COLUMNS: Columns = &[
    ("campaign_id", Kind::Id),
    ("contact_id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("lead_id", Kind::Id),
    ("has_address", Kind::Boolean),
    ("variant", Kind::Integer),
    ("wave", Kind::Integer),
    ("state", Kind::Text),
    ("due_at", Kind::Integer),
    ("updated_at", Kind::Integer),
];

/// Writes recipients down, each person once. Who is there already by a lead without an address goes by this one, where
/// it has one. The rows name each person once.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, rows: &[NewRecipient]) -> Result<(), Error> {
    let again = "ON CONFLICT (campaign_id, contact_id) DO UPDATE
        SET lead_id = excluded.lead_id, has_address = excluded.has_address
        WHERE excluded.has_address AND NOT campaign_recipients.has_address";
    tx.insert_set("campaign_recipients", COLUMNS, rows, again).await.map(drop)
}

/// How many recipients a campaign has. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, campaign: CampaignId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM campaign_recipients WHERE campaign_id = $1";
    tx.query_one(sql, &params![campaign]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// A recipient whose turn has come.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "the columns of `campaign_recipients` under their own names")]
pub struct Waiting {
    pub contact_id: ContactId,
    pub lead_id: LeadId,
    pub variant: i64,
}

/// Recipients of a wave whose turn has come, those who waited longest first. By `campaign_recipients_waiting`.
///
/// # Errors
/// Where the database fails.
pub async fn list_due(
    tx: &mut Tx,
    campaign: CampaignId,
    wave: i64,
    (now, limit): (Timestamp, i64),
) -> Result<Vec<Waiting>, Error> {
    let sql = "SELECT contact_id, lead_id, variant FROM campaign_recipients
               WHERE campaign_id = $1 AND wave = $2 AND state = 'waiting' AND due_at <= $3
               ORDER BY due_at LIMIT $4";
    let rows = tx.query(sql, &params![campaign, wave, now, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                contact_id: row.get("contact_id")?,
                lead_id: row.get("lead_id")?,
                variant: row.get("variant")?,
            })
        })
        .collect()
}

/// When the next recipient of a wave is due. By `campaign_recipients_waiting`.
///
/// # Errors
/// Where the database fails.
pub async fn next_due(tx: &mut Tx, campaign: CampaignId, wave: i64) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT due_at FROM campaign_recipients WHERE campaign_id = $1 AND wave = $2 AND state = 'waiting'
               ORDER BY due_at LIMIT 1";
    tx.query_one(sql, &params![campaign, wave]).await?.map(|row| row.get("due_at")).transpose()
}

/// How many messages of a campaign were asked for and are not settled. By `messages_open_of_cause`.
///
/// # Errors
/// Where the database fails.
pub async fn count_open(tx: &mut Tx, campaign: CampaignId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM messages
               WHERE cause_id = $1 AND cause_kind = 'campaign' AND status IN ('queued', 'sending')";
    tx.query_one(sql, &params![campaign]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// What becomes of a recipient.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `campaign_recipients` under their own names")]
pub struct Settled {
    pub contact_id: ContactId,
    pub variant: i64,
    pub state: &'static str,
    pub reason: Option<&'static str>,
    pub message_id: Option<MessageId>,
    pub due_at: i64,
}

const SETTLED: Columns = &[
    ("contact_id", Kind::Id),
    ("variant", Kind::Integer),
    ("state", Kind::Text),
    ("reason", Kind::Text),
    ("message_id", Kind::Id),
    ("due_at", Kind::Integer),
];

/// Writes down what became of recipients who waited.
///
/// # Errors
/// Where the database fails.
pub async fn settle(tx: &mut Tx, campaign: CampaignId, rows: &[Settled], now: Timestamp) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    // By the primary key.
    let sql = format!(
        "UPDATE campaign_recipients SET state = r.state, reason = r.reason, message_id = r.message_id,
                variant = r.variant, due_at = r.due_at, updated_at = $3
         FROM {} WHERE campaign_recipients.campaign_id = $2 AND campaign_recipients.contact_id = r.contact_id
             AND campaign_recipients.state = 'waiting'",
        tx.dialect().set(1, SETTLED)
    );
    let [campaign, now] = params![campaign, now];
    tx.execute(&sql, &[json_set(rows), campaign, now]).await
}

/// Takes back messages of a campaign that wait for their turn, so that their recipients wait again; tells how many. By
/// `messages_open_of_cause` and `campaign_recipients_by_message`.
///
/// # Errors
/// Where the database fails.
pub async fn take_back(tx: &mut Tx, campaign: CampaignId, now: Timestamp) -> Result<i64, Error> {
    let sql = "DELETE FROM messages WHERE cause_id = $1 AND cause_kind = 'campaign' AND status IN ('queued', 'sending')
                   AND status = 'queued' RETURNING id";
    let rows = tx.query(sql, &params![campaign]).await?;
    let ids: Vec<MessageId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "UPDATE campaign_recipients SET state = 'waiting', message_id = NULL, due_at = $2, updated_at = $2
         WHERE message_id IN {}",
        tx.dialect().id_list(1)
    );
    let count = tx.execute(&sql, &[json_set(&ids), now.param()]).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Gives up some recipients who wait, and tells how many. By `campaign_recipients_waiting`.
///
/// # Errors
/// Where the database fails.
pub async fn give_up(
    tx: &mut Tx,
    campaign: CampaignId,
    reason: &str,
    (now, limit): (Timestamp, i64),
) -> Result<i64, Error> {
    let sql = "UPDATE campaign_recipients SET state = 'skipped', reason = $2, updated_at = $3
               WHERE campaign_id = $1 AND state = 'waiting' AND contact_id IN
                     (SELECT contact_id FROM campaign_recipients WHERE campaign_id = $1 AND state = 'waiting' LIMIT $4)";
    let count = tx.execute(sql, &params![campaign, reason, now, limit]).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Why recipients were left out before a message was asked for, with how many. By `campaign_recipients_skipped`.
///
/// # Errors
/// Where the database fails.
pub async fn skipped(reader: &Reader, campaign: CampaignId) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT reason, count(*) AS n FROM campaign_recipients WHERE campaign_id = $1 AND state = 'skipped'
               GROUP BY reason ORDER BY n DESC, reason";
    let rows = reader.query(sql, &params![campaign]).await?;
    rows.iter().map(|row| Ok((row.get::<Option<String>>("reason")?.unwrap_or_default(), row.get("n")?))).collect()
}

/// How the messages of a campaign stand, with how many stand so. By `messages_of_cause`.
///
/// # Errors
/// Where the database fails.
pub async fn standing(reader: &Reader, campaign: CampaignId) -> Result<Vec<(String, Option<String>, i64)>, Error> {
    let sql = "SELECT status, CASE WHEN status IN ('failed', 'skipped', 'unknown') THEN error_code END AS code,
                      count(*) AS n
               FROM messages WHERE cause_id = $1 AND cause_kind = 'campaign' AND status IS NOT NULL
               GROUP BY 1, 2 ORDER BY n DESC, status LIMIT 100";
    let rows = reader.query(sql, &params![campaign]).await?;
    rows.iter().map(|row| Ok((row.get("status")?, row.get("code")?, row.get("n")?))).collect()
}

/// A recipient in a report.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of what a recipient names, under their own names")]
pub struct Reported {
    pub contact_id: ContactId,
    pub lead_id: LeadId,
    pub lead_name: Option<String>,
    pub variant: i64,
    pub message_id: Option<MessageId>,
    /// The status of the message; `waiting` or `skipped` where there is none.
    pub status: String,
    /// Why it failed or was left out: a stable name.
    pub reason: Option<String>,
    /// The same in words, where a provider said something.
    pub error: Option<String>,
    pub address: Option<String>,
    pub sent_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub read_at: Option<Timestamp>,
    pub human_open_at: Option<Timestamp>,
    pub machine_open_at: Option<Timestamp>,
    pub human_click_at: Option<Timestamp>,
    pub machine_click_at: Option<Timestamp>,
    pub unsubscribed_at: Option<Timestamp>,
    pub replied_at: Option<Timestamp>,
}

/// Which recipients somebody wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// All of them.
    All,
    /// Whose message stands so, `waiting` or `skipped` among it; what was delivered was sent, and what was read was
    /// delivered, as the figures have it.
    Status(&'a str),
    /// Who opened, by themselves.
    Opened,
    /// Who followed a link, by themselves.
    Clicked,
    /// Whose message a machine alone looked at.
    MachineOnly,
    /// Who wrote back.
    Replied,
    /// Who unsubscribed.
    Unsubscribed,
}

impl Which<'_> {
    fn condition(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Status("waiting") => "AND r.state = 'waiting'",
            Self::Status("skipped") => "AND (r.state = 'skipped' OR m.status = 'skipped')",
            Self::Status("sent") => "AND m.status IN ('sent', 'delivered', 'read')",
            Self::Status("delivered") => "AND m.status IN ('delivered', 'read')",
            Self::Status(_) => "AND m.status = $3",
            Self::Opened => "AND a.human_open_at IS NOT NULL",
            Self::Clicked => "AND a.human_click_at IS NOT NULL",
            Self::MachineOnly => {
                "AND a.human_open_at IS NULL AND a.human_click_at IS NULL
                 AND (a.machine_open_at IS NOT NULL OR a.machine_click_at IS NOT NULL)"
            }
            Self::Replied => "AND a.replied_at IS NOT NULL",
            Self::Unsubscribed => "AND a.unsubscribed_at IS NOT NULL",
        }
    }
}

const SHOWN: &str = "r.contact_id, r.lead_id, l.name AS lead_name, r.variant, r.message_id,
    coalesce(m.status, r.state) AS status, coalesce(m.error_code, r.reason) AS reason, m.error_message AS error,
    m.address, m.accepted_at, m.delivered_at, m.read_at, a.human_open_at, a.machine_open_at, a.human_click_at,
    a.machine_click_at, a.unsubscribed_at, a.replied_at";

const FROM: &str = "FROM campaign_recipients AS r
    LEFT JOIN messages AS m ON m.id = r.message_id
    LEFT JOIN message_reactions AS a ON a.message_id = r.message_id
    LEFT JOIN leads AS l ON l.id = r.lead_id
    WHERE r.campaign_id = $1 AND r.workspace_id = $2";

/// A page of the recipients of a campaign, in the order of their ids. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    campaign: CampaignId,
    which: Which<'_>,
    (limit, offset): (i64, i64),
) -> Result<Page<Reported>, Error> {
    let condition = which.condition();
    let mut asked: Vec<Param> = params![campaign, workspace].to_vec();
    if let (Which::Status(status), true) = (which, condition.contains("$3")) {
        asked.extend(params![status]);
    }
    let counted =
        format!("SELECT count(*) AS n FROM (SELECT 1 AS one {FROM} {condition} LIMIT {}) AS c", COUNT_CAP + 1);
    let total = reader.count(&counted, &asked).await?;
    asked.extend(params![limit, offset]);
    let sql = format!(
        "SELECT {SHOWN} {FROM} {condition} ORDER BY r.contact_id LIMIT ${} OFFSET ${}",
        asked.len() - 1,
        asked.len()
    );
    let rows = reader.query(&sql, &asked).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

/// Recipients behind one of them, for files. By the primary key.
///
/// # Errors
/// Where the database fails.
pub async fn walk(
    reader: &Reader,
    workspace: WorkspaceId,
    campaign: CampaignId,
    (after, limit): (Option<ContactId>, i64),
) -> Result<Vec<Reported>, Error> {
    let mut asked: Vec<Param> = params![campaign, workspace, limit].to_vec();
    let behind = after.map_or_else(String::new, |contact| {
        asked.extend(params![contact]);
        "AND r.contact_id > $4".to_owned()
    });
    let sql = format!("SELECT {SHOWN} {FROM} {behind} ORDER BY r.contact_id LIMIT $3");
    reader.query(&sql, &asked).await?.iter().map(read).collect()
}

fn read(row: &Row) -> Result<Reported, Error> {
    Ok(Reported {
        contact_id: row.get("contact_id")?,
        lead_id: row.get("lead_id")?,
        lead_name: row.get("lead_name")?,
        variant: row.get("variant")?,
        message_id: row.get("message_id")?,
        status: row.get("status")?,
        reason: row.get("reason")?,
        error: row.get("error")?,
        address: row.get("address")?,
        sent_at: row.get("accepted_at")?,
        delivered_at: row.get("delivered_at")?,
        read_at: row.get("read_at")?,
        human_open_at: row.get("human_open_at")?,
        machine_open_at: row.get("machine_open_at")?,
        human_click_at: row.get("human_click_at")?,
        machine_click_at: row.get("machine_click_at")?,
        unsubscribed_at: row.get("unsubscribed_at")?,
        replied_at: row.get("replied_at")?,
    })
}
