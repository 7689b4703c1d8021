//! What people and machines do about messages: requests of links and pictures, unsubscribing, and answers.
//!
//! A hit is one request, kept as it came with why it is taken for a machine's. A reaction sums up what is known of one
//! message, and is the row that whoever judges hits holds.

use leadline_domain::{
    ids::{CauseId, ContactId, ConversationId, HitId, LeadId, MessageId, WorkspaceId},
    messaging::{
        MessageChannel,
        hits::{Kind as HitKind, Why},
    },
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// Hits of one message that are kept. More are a machine's, and say nothing new.
pub const HITS_MAX: i64 = 200;

/// Links that are listed with how often they were followed.
const LINKS_LISTED: i64 = 100;

/// A message that somebody follows a link of.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `messages` under their own names")]
pub struct LinkedMessage {
    pub id: MessageId,
    pub workspace_id: WorkspaceId,
    pub lead_id: LeadId,
    pub contact_id: Option<ContactId>,
    pub conversation_id: ConversationId,
    pub kind: MessageChannel,
    pub address: Option<String>,
    pub body: String,
    pub body_html: Option<String>,
    pub cause_kind: String,
    /// The campaign or automation; none for what was sent by hand.
    pub subject_id: Option<CauseId>,
    pub step: i64,
    /// When it was handed over.
    pub sent_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
}

const LINKED: &str = "SELECT m.id, m.workspace_id, m.lead_id, m.contact_id, m.conversation_id, m.channel, m.address,
    m.body, m.body_html, m.cause_kind, m.started_at, m.delivered_at, coalesce(m.cause_step, 0) AS step,
    CASE m.cause_kind WHEN 'campaign' THEN m.cause_id
         WHEN 'automation' THEN (SELECT r.automation_id FROM automation_runs AS r WHERE r.id = m.cause_id) END AS subject_id
    FROM messages AS m";

/// The message of a link. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn find_message(reader: &Reader, id: MessageId) -> Result<Option<LinkedMessage>, Error> {
    let sql = format!("{LINKED} WHERE m.id = $1 AND m.direction = 'outbound' AND m.lead_id IS NOT NULL");
    reader.query_one(&sql, &params![id]).await?.as_ref().map(read_linked).transpose()
}

/// The latest message of a campaign or an automation in a conversation that somebody answers in. By
/// `messages_of_conversation`.
///
/// # Errors
/// Where the database fails.
pub async fn find_answered(tx: &mut Tx, conversation: ConversationId) -> Result<Option<LinkedMessage>, Error> {
    let sql = format!(
        "{LINKED} WHERE m.conversation_id = $1 AND m.direction = 'outbound' AND m.lead_id IS NOT NULL
             AND m.cause_kind IN ('campaign', 'automation') AND m.status IN ('sent', 'delivered', 'read', 'unknown')
         ORDER BY m.sent_at DESC, m.position DESC LIMIT 1"
    );
    tx.query_one(&sql, &params![conversation]).await?.as_ref().map(read_linked).transpose()
}

fn read_linked(row: &Row) -> Result<LinkedMessage, Error> {
    let channel: String = row.get("channel")?;
    Ok(LinkedMessage {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        lead_id: row.get("lead_id")?,
        contact_id: row.get("contact_id")?,
        conversation_id: row.get("conversation_id")?,
        kind: MessageChannel::parse(&channel).ok_or_else(|| Error::Column { column: "channel".to_owned() })?,
        address: row.get("address")?,
        body: row.get("body")?,
        body_html: row.get("body_html")?,
        cause_kind: row.get::<Option<String>>("cause_kind")?.unwrap_or_default(),
        subject_id: row.get("subject_id")?,
        step: row.get("step")?,
        sent_at: row.get("started_at")?,
        delivered_at: row.get("delivered_at")?,
    })
}

/// What is known of how a message was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(missing_docs, reason = "the columns of `message_reactions` under their own names")]
pub struct Reactions {
    pub human_open_at: Option<Timestamp>,
    pub machine_open_at: Option<Timestamp>,
    pub human_click_at: Option<Timestamp>,
    pub machine_click_at: Option<Timestamp>,
    pub unsubscribed_at: Option<Timestamp>,
    pub replied_at: Option<Timestamp>,
    pub hit_count: i64,
}

/// The reactions to a message, that nobody else writes until the transaction ends. None where the message is gone. By
/// primary keys.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, message: &LinkedMessage) -> Result<Option<Reactions>, Error> {
    let dialect = tx.dialect();
    let sql = "INSERT INTO message_reactions (message_id, workspace_id, lead_id, hit_count)
               SELECT m.id, m.workspace_id, m.lead_id, 0 FROM messages AS m WHERE m.id = $1 AND m.lead_id IS NOT NULL
               ON CONFLICT (message_id) DO NOTHING";
    tx.execute(sql, &params![message.id]).await?;
    let sql = format!(
        "SELECT human_open_at, machine_open_at, human_click_at, machine_click_at, unsubscribed_at, replied_at, hit_count
         FROM message_reactions WHERE message_id = $1 {}",
        dialect.for_update()
    );
    let found = tx.query_one(&sql, &params![message.id]).await?;
    found
        .map(|row| {
            Ok(Reactions {
                human_open_at: row.get("human_open_at")?,
                machine_open_at: row.get("machine_open_at")?,
                human_click_at: row.get("human_click_at")?,
                machine_click_at: row.get("machine_click_at")?,
                unsubscribed_at: row.get("unsubscribed_at")?,
                replied_at: row.get("replied_at")?,
                hit_count: row.get("hit_count")?,
            })
        })
        .transpose()
}

/// Writes reactions that are locked.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, message: MessageId, is: &Reactions) -> Result<(), Error> {
    let sql = "UPDATE message_reactions SET human_open_at = $2, machine_open_at = $3, human_click_at = $4,
                   machine_click_at = $5, unsubscribed_at = $6, replied_at = $7, hit_count = $8
               WHERE message_id = $1";
    let params = params![
        message,
        is.human_open_at,
        is.machine_open_at,
        is.human_click_at,
        is.machine_click_at,
        is.unsubscribed_at,
        is.replied_at,
        is.hit_count,
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// One request.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `message_hits` under their own names")]
pub struct Hit {
    pub id: HitId,
    pub kind: HitKind,
    /// The address that it asked for; empty where it was the picture.
    pub link: String,
    pub agent: String,
    /// Who runs the network that it came from, where that is known.
    pub network: Option<String>,
    /// What it says of itself that makes it a machine's.
    pub sign: Option<Why>,
    /// Why it is taken for a machine's; none for people's.
    pub why: Option<Why>,
    pub hit_at: Timestamp,
}

/// Writes down a request.
///
/// # Errors
/// Where the database fails.
pub async fn insert_hit(tx: &mut Tx, message: &LinkedMessage, hit: &Hit) -> Result<(), Error> {
    let sql = "INSERT INTO message_hits (id, workspace_id, message_id, lead_id, subject_id, kind, link, agent, network,
                   sign, why, hit_at)
               SELECT $1, m.workspace_id, m.id, m.lead_id, $3, $4, $5, $6, $7, $8, $9, $10
               FROM messages AS m WHERE m.id = $2 AND m.lead_id IS NOT NULL";
    let params = params![
        hit.id,
        message.id,
        message.subject_id.unwrap_or(CauseId(message.workspace_id.0)),
        hit.kind.as_str(),
        hit.link,
        hit.agent,
        hit.network,
        hit.sign.map(Why::as_str),
        hit.why.map(Why::as_str),
        hit.hit_at,
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// The hits of a message, the first ones first. By `message_hits_of_message`.
///
/// # Errors
/// Where the database fails.
pub async fn list_hits(tx: &mut Tx, message: MessageId) -> Result<Vec<Hit>, Error> {
    let sql = format!("{HITS} WHERE message_id = $1 ORDER BY hit_at, id LIMIT {HITS_MAX}");
    tx.query(&sql, &params![message]).await?.iter().map(read_hit).collect()
}

/// The hits of some messages of a workspace, for whoever reads a report. By `message_hits_of_message`.
///
/// # Errors
/// Where the database fails.
pub async fn list_hits_of(reader: &Reader, workspace: WorkspaceId, message: MessageId) -> Result<Vec<Hit>, Error> {
    let sql = format!("{HITS} WHERE message_id = $1 AND workspace_id = $2 ORDER BY hit_at, id LIMIT {HITS_MAX}");
    reader.query(&sql, &params![message, workspace]).await?.iter().map(read_hit).collect()
}

const HITS: &str = "SELECT id, kind, link, agent, network, sign, why, hit_at FROM message_hits";

fn read_hit(row: &Row) -> Result<Hit, Error> {
    let kind: String = row.get("kind")?;
    let why = |column: &str| {
        let text: Option<String> = row.get(column)?;
        Ok::<_, Error>(text.as_deref().and_then(Why::parse))
    };
    Ok(Hit {
        id: row.get("id")?,
        kind: HitKind::parse(&kind).ok_or_else(|| Error::Column { column: "kind".to_owned() })?,
        link: row.get("link")?,
        agent: row.get("agent")?,
        network: row.get("network")?,
        sign: why("sign")?,
        why: why("why")?,
        hit_at: row.get("hit_at")?,
    })
}

#[derive(Serialize)]
struct Verdict {
    id: HitId,
    why: Option<&'static str>,
}

/// Writes down what hits are taken for now.
///
/// # Errors
/// Where the database fails.
pub async fn set_verdicts(tx: &mut Tx, verdicts: &[(HitId, Option<Why>)]) -> Result<(), Error> {
    const COLUMNS: Columns = &[("id", Kind::Id), ("why", Kind::Text)];
    if verdicts.is_empty() {
        return Ok(());
    }
    let rows: Vec<Verdict> = verdicts.iter().map(|(id, why)| Verdict { id: *id, why: why.map(Why::as_str) }).collect();
    let sql = format!(
        "UPDATE message_hits SET why = r.why FROM {} WHERE message_hits.id = r.id",
        tx.dialect().set(1, COLUMNS)
    );
    tx.execute(&sql, &[json_set(&rows)]).await.map(drop)
}

/// How often one link of a campaign or an automation was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowedLink {
    /// The address.
    pub link: String,
    /// Messages by which a person followed it.
    pub people: i64,
    /// Requests by people.
    pub human_clicks: i64,
    /// Requests by machines.
    pub machine_clicks: i64,
}

/// The links of a campaign or an automation, those that most people followed first. By `message_hits_of_subject`.
///
/// # Errors
/// Where the database fails.
pub async fn followed(reader: &Reader, workspace: WorkspaceId, subject: CauseId) -> Result<Vec<FollowedLink>, Error> {
    let sql = format!(
        "SELECT link, count(DISTINCT CASE WHEN why IS NULL THEN message_id END) AS people,
                count(CASE WHEN why IS NULL THEN 1 END) AS human, count(why) AS machine
         FROM message_hits WHERE subject_id = $1 AND kind = 'click' AND workspace_id = $2
         GROUP BY link ORDER BY people DESC, human DESC, link LIMIT {LINKS_LISTED}"
    );
    let rows = reader.query(&sql, &params![subject, workspace]).await?;
    rows.iter()
        .map(|row| {
            Ok(FollowedLink {
                link: row.get("link")?,
                people: row.get("people")?,
                human_clicks: row.get("human")?,
                machine_clicks: row.get("machine")?,
            })
        })
        .collect()
}

/// Why requests of a campaign or an automation were taken for machines', with how many. By `message_hits_of_subject`.
///
/// # Errors
/// Where the database fails.
pub async fn machine_reasons(
    reader: &Reader,
    workspace: WorkspaceId,
    subject: CauseId,
) -> Result<Vec<(String, i64)>, Error> {
    let sql = "SELECT why, count(*) AS n FROM message_hits
               WHERE subject_id = $1 AND workspace_id = $2 AND why IS NOT NULL GROUP BY why ORDER BY n DESC, why";
    let rows = reader.query(sql, &params![subject, workspace]).await?;
    rows.iter().map(|row| Ok((row.get("why")?, row.get("n")?))).collect()
}

/// Takes back what the person behind a message agreed to as to being written to, over all leads of theirs; tells how
/// many consents that were. By `leads_of_contact` and `consents_of_lead`.
///
/// # Errors
/// Where the database fails.
pub async fn withdraw_consents(
    tx: &mut Tx,
    message: &LinkedMessage,
    (by, now): (&str, Timestamp),
) -> Result<u64, Error> {
    let leads = match message.contact_id {
        Some(contact) => {
            let sql = "SELECT id FROM leads WHERE contact_id = $1 AND workspace_id = $2";
            let rows = tx.query(sql, &params![contact, message.workspace_id]).await?;
            rows.iter().map(|row| row.get("id")).collect::<Result<Vec<LeadId>, _>>()?
        }
        None => vec![message.lead_id],
    };
    let sql = format!(
        "UPDATE consents SET withdrawn_at = $3, withdrawn_by = $4
         WHERE lead_id IN {} AND workspace_id = $2 AND purpose IN ('marketing', 'messages') AND withdrawn_at IS NULL",
        tx.dialect().id_list(1)
    );
    let [workspace, now, by] = params![message.workspace_id, now, by];
    tx.execute(&sql, &[json_set(&leads), workspace, now, by]).await
}
