//! Campaigns: what each one is and how far it has come. [`recipients`] has to whom it goes, and what became of each;
//! their messages stand among all others.

pub mod recipients;

use leadline_domain::{
    campaigns::{Audience, Content, Plan, State},
    ids::{CampaignId, ChannelId, MessageTemplateId, WorkspaceId},
    messaging::MessageChannel,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    dialect::Dialect,
    sql::{COUNT_CAP, Error, IntoParam, Page, Param, Reader, Row, Tx, json_set, params},
};

/// Campaigns of one workspace at most.
pub const CAMPAIGNS_MAX: i64 = 2_000;

/// A campaign.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `campaigns` under their own names")]
pub struct Campaign {
    pub id: CampaignId,
    pub workspace_id: WorkspaceId,
    pub name: String,
    pub state: State,
    pub channel: MessageChannel,
    /// By this channel; the workspace's own choice where none is named.
    pub channel_id: Option<ChannelId>,
    pub template_id: Option<MessageTemplateId>,
    /// Drafts may go to nobody yet.
    pub audience: Option<Audience>,
    pub content: Content,
    pub plan: Plan,
    pub starts_at: Option<Timestamp>,
    /// When somebody is to look at it next.
    pub next_at: Option<Timestamp>,
    /// When its next message may be asked for, by its own pace.
    pub next_slot_at: Timestamp,
    /// How far its recipients are written down; null once all are.
    pub gathered: Option<Value>,
    pub recipient_count: i64,
    /// Recipients whose message was asked for.
    pub asked_count: i64,
    /// Recipients for whom none will be.
    pub skipped_count: i64,
    /// When it is decided which subject is better.
    pub decide_at: Option<Timestamp>,
    pub winner: Option<i64>,
    /// Why it could not go on.
    pub error: Option<String>,
    pub version: i64,
    pub made_by: String,
    pub copied_from: Option<CampaignId>,
    pub started_at: Option<Timestamp>,
    pub finished_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A page of the campaigns of a workspace, the newest first. By `campaigns_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    state: Option<State>,
    (limit, offset): (i64, i64),
) -> Result<Page<Campaign>, Error> {
    let mut asked: Vec<Param> = params![workspace].to_vec();
    let mut condition = "workspace_id = $1 AND deleted_at IS NULL".to_owned();
    if let Some(state) = state {
        asked.extend(params![state.as_str()]);
        condition.push_str(" AND state = $2");
    }
    let counted = format!(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM campaigns WHERE {condition} LIMIT {}) AS c",
        COUNT_CAP + 1
    );
    let total = reader.count(&counted, &asked).await?;
    asked.extend(params![limit, offset]);
    let sql = format!(
        "{} WHERE {condition} ORDER BY created_at DESC, id DESC LIMIT ${} OFFSET ${}",
        select(reader.dialect()),
        asked.len() - 1,
        asked.len()
    );
    let rows = reader.query(&sql, &asked).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, total))
}

/// One campaign.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: CampaignId) -> Result<Option<Campaign>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// What campaigns are called. By primary key.
///
/// # Errors
/// Where the database fails.
pub async fn names(
    reader: &Reader,
    workspace: WorkspaceId,
    ids: &[CampaignId],
) -> Result<Vec<(CampaignId, String)>, Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql =
        format!("SELECT id, name FROM campaigns WHERE workspace_id = $2 AND id IN {}", reader.dialect().id_list(1));
    let rows = reader.query(&sql, &[json_set(ids), workspace.param()]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, row.get("name")?))).collect()
}

/// One campaign, that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: CampaignId) -> Result<Option<Campaign>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        select(dialect),
        dialect.for_update()
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// How many campaigns a workspace has.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM campaigns WHERE workspace_id = $1 AND deleted_at IS NULL";
    tx.query_one(sql, &params![workspace]).await?.map_or(Ok(0), |row| row.get("n"))
}

/// Campaigns that are to be looked at, those that waited longest first. By `campaigns_due`.
///
/// # Errors
/// Where the database fails.
pub async fn list_due(reader: &Reader, now: Timestamp, limit: i64) -> Result<Vec<Campaign>, Error> {
    let sql =
        format!("{} WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT $2", select(reader.dialect()));
    reader.query(&sql, &params![now, limit]).await?.iter().map(read).collect()
}

/// A campaign, held until the transaction ends. One that another node holds is passed over: so many nodes feed many
/// campaigns, and no two the same at once.
///
/// # Errors
/// Where the database fails.
pub async fn claim(tx: &mut Tx, id: CampaignId) -> Result<Option<Campaign>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE id = $1 AND deleted_at IS NULL {}", select(dialect), dialect.skip_locked());
    tx.query_one(&sql, &params![id]).await?.as_ref().map(read).transpose()
}

/// Inserts a campaign, or writes one that is locked.
///
/// # Errors
/// Where the database fails.
pub async fn write(tx: &mut Tx, campaign: &Campaign) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO campaigns (id, workspace_id, name, state, channel, channel_id, template_id, audience, content, plan,
             starts_at, next_at, next_slot_at, gathered, recipient_count, asked_count, skipped_count, decide_at, winner,
             error, version, made_by, copied_from, started_at, finished_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, {audience}, {content}, {plan}, $11, $12, $13, {gathered}, $15, $16, $17, $18,
             $19, $20, $21, $22, $23, $24, $25, $26, $27)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state, channel = excluded.channel,
             channel_id = excluded.channel_id, template_id = excluded.template_id, audience = excluded.audience,
             content = excluded.content, plan = excluded.plan, starts_at = excluded.starts_at,
             next_at = excluded.next_at, next_slot_at = excluded.next_slot_at, gathered = excluded.gathered,
             recipient_count = excluded.recipient_count, asked_count = excluded.asked_count,
             skipped_count = excluded.skipped_count, decide_at = excluded.decide_at, winner = excluded.winner,
             error = excluded.error, version = excluded.version, started_at = excluded.started_at,
             finished_at = excluded.finished_at, updated_at = excluded.updated_at",
        audience = dialect.json(8),
        content = dialect.json(9),
        plan = dialect.json(10),
        gathered = dialect.json(14),
    );
    let params = params![
        campaign.id,
        campaign.workspace_id,
        campaign.name,
        campaign.state.as_str(),
        campaign.channel.as_str(),
        campaign.channel_id,
        campaign.template_id,
        json!(campaign.audience),
        json!(campaign.content),
        json!(campaign.plan),
        campaign.starts_at,
        campaign.next_at,
        campaign.next_slot_at,
        campaign.gathered.as_ref().map(Value::to_string),
        campaign.recipient_count,
        campaign.asked_count,
        campaign.skipped_count,
        campaign.decide_at,
        campaign.winner,
        campaign.error,
        campaign.version,
        campaign.made_by,
        campaign.copied_from,
        campaign.started_at,
        campaign.finished_at,
        campaign.created_at,
        campaign.updated_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// Deletes a campaign that never began, or is over.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: CampaignId, now: Timestamp) -> Result<(), Error> {
    let sql =
        "UPDATE campaigns SET deleted_at = $3, updated_at = $3, next_at = NULL WHERE id = $1 AND workspace_id = $2";
    tx.execute(sql, &params![id, workspace, now]).await.map(drop)
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, workspace_id, name, state, channel, channel_id, template_id, {audience} AS audience,
                {content} AS content, {plan} AS plan, starts_at, next_at, next_slot_at, {gathered} AS gathered,
                recipient_count, asked_count, skipped_count, decide_at, winner, error, version, made_by, copied_from,
                started_at, finished_at, created_at, updated_at
         FROM campaigns",
        audience = dialect.json_text("audience"),
        content = dialect.json_text("content"),
        plan = dialect.json_text("plan"),
        gathered = dialect.json_text("gathered"),
    )
}

fn read(row: &Row) -> Result<Campaign, Error> {
    let wrong = |column: &str| Error::Column { column: column.to_owned() };
    let (state, channel): (String, String) = (row.get("state")?, row.get("channel")?);
    Ok(Campaign {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        name: row.get("name")?,
        state: State::parse(&state).ok_or_else(|| wrong("state"))?,
        channel: MessageChannel::parse(&channel).ok_or_else(|| wrong("channel"))?,
        channel_id: row.get("channel_id")?,
        template_id: row.get("template_id")?,
        audience: row.json("audience")?,
        content: row.json("content")?,
        plan: row.json("plan")?,
        starts_at: row.get("starts_at")?,
        next_at: row.get("next_at")?,
        next_slot_at: row.get("next_slot_at")?,
        gathered: row.json_or_none("gathered")?,
        recipient_count: row.get("recipient_count")?,
        asked_count: row.get("asked_count")?,
        skipped_count: row.get("skipped_count")?,
        decide_at: row.get("decide_at")?,
        winner: row.get("winner")?,
        error: row.get("error")?,
        version: row.get("version")?,
        made_by: row.get("made_by")?,
        copied_from: row.get("copied_from")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
