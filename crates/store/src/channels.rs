//! The accounts by which messages go out and come in. Their credentials come and go sealed; opening them is the
//! engine's. A channel that was deleted stays for the names in its messages, and carries nothing any more.

use leadline_domain::{
    ids::{ChannelId, WorkspaceId},
    messaging::{Candidate, MessageChannel, Provider},
    time::Timestamp,
};
use serde_json::{Map, Value};

use crate::{
    dialect::Dialect,
    sql::{Error, Param, Reader, Row, Tx, json_set, params},
};

/// Channels of a workspace. Whoever needs more has another product in mind.
pub const MOST: i64 = 50;

/// A channel.
#[derive(Debug, Clone)]
pub struct Channel {
    /// The channel.
    pub id: ChannelId,
    /// Whose.
    pub workspace_id: WorkspaceId,
    /// Who carries its messages.
    pub provider: Provider,
    /// What people call it.
    pub name: String,
    /// What it needs to know that is no secret.
    pub settings: Map<String, Value>,
    /// Its secrets: an object of JSON, sealed.
    pub credentials_sealed: Option<String>,
    /// The end of each secret by its name, to tell two apart.
    pub credential_hints: Map<String, Value>,
    /// Whether it carries anything at the moment.
    pub is_active: bool,
    /// How many messages it may send in a minute; 0 for as many as there are.
    pub per_minute: i64,
    /// How many it sends at the same time.
    pub max_in_flight: i64,
    /// When its next turn is.
    pub next_slot_at: Timestamp,
    /// When the provider took a message last.
    pub last_sent_at: Option<Timestamp>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// When that was.
    pub last_error_at: Option<Timestamp>,
    /// When the provider called back last.
    pub last_callback_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// Inserts a channel.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, channel: &Channel) -> Result<(), Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "INSERT INTO channels (id, workspace_id, name, settings, credentials_sealed, credential_hints, is_active,
             per_minute, max_in_flight, updated_at, kind, created_at)
         VALUES ($1, $2, $3, {settings}, $5, {hints}, $7, $8, $9, $10, $11, $12)",
        settings = dialect.json(4),
        hints = dialect.json(6),
    );
    let mut values = values(channel).to_vec();
    values.extend(params![channel.provider.as_str(), channel.created_at]);
    tx.execute(&sql, &values).await.map(drop)
}

/// Writes what people can change of a channel. False where it is not there (any more).
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, channel: &Channel) -> Result<bool, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "UPDATE channels SET name = $3, settings = {settings}, credentials_sealed = $5, credential_hints = {hints},
             is_active = $7, per_minute = $8, max_in_flight = $9, updated_at = $10
         WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        settings = dialect.json(4),
        hints = dialect.json(6),
    );
    Ok(tx.execute(&sql, &values(channel)).await? == 1)
}

fn values(channel: &Channel) -> [Param; 10] {
    params![
        channel.id,
        channel.workspace_id,
        channel.name,
        Value::Object(channel.settings.clone()),
        channel.credentials_sealed,
        Value::Object(channel.credential_hints.clone()),
        channel.is_active,
        channel.per_minute,
        channel.max_in_flight,
        channel.updated_at,
    ]
}

/// Deletes a channel and forgets its secrets. False where it is not there (any more).
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: ChannelId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE channels SET deleted_at = $3, updated_at = $3, is_active = false, credentials_sealed = NULL
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// The channels of a workspace, oldest first. By `channels_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Channel>, Error> {
    let sql = format!(
        "{} WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY created_at, id LIMIT $2",
        select(reader.dialect())
    );
    reader.query(&sql, &params![workspace, MOST]).await?.iter().map(read).collect()
}

/// One channel of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: ChannelId) -> Result<Option<Channel>, Error> {
    let sql = format!("{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL", select(reader.dialect()));
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A channel by its id alone, for whoever calls back: the address names it, and nothing else.
///
/// # Errors
/// Where the database fails.
pub async fn find_called(reader: &Reader, id: ChannelId) -> Result<Option<Channel>, Error> {
    let sql = format!("{} WHERE id = $1 AND deleted_at IS NULL", select(reader.dialect()));
    reader.query_one(&sql, &params![id]).await?.as_ref().map(read).transpose()
}

/// A channel that nobody else changes until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: ChannelId) -> Result<Option<Channel>, Error> {
    let dialect = tx.dialect();
    let sql = format!(
        "{} WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        select(dialect),
        dialect.for_update()
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// A channel whose turn is taken, deleted or not, unless another node takes it right now.
///
/// # Errors
/// Where the database fails.
pub async fn take_turn(tx: &mut Tx, id: ChannelId) -> Result<Option<Channel>, Error> {
    let dialect = tx.dialect();
    let sql = format!("{} WHERE id = $1 {}", select(dialect), dialect.skip_locked());
    tx.query_one(&sql, &params![id]).await?.as_ref().map(read).transpose()
}

/// Says when a channel's next turn is.
///
/// # Errors
/// Where the database fails.
pub async fn set_next_slot(tx: &mut Tx, id: ChannelId, next: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE channels SET next_slot_at = $2 WHERE id = $1", &params![id, next]).await.map(drop)
}

/// Notes how a channel fares.
///
/// # Errors
/// Where the database fails.
pub async fn note_sent(tx: &mut Tx, id: ChannelId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE channels SET last_sent_at = $2, last_error = NULL, last_error_at = NULL WHERE id = $1";
    tx.execute(sql, &params![id, now]).await.map(drop)
}

/// Notes what went wrong with a channel.
///
/// # Errors
/// Where the database fails.
pub async fn note_error(tx: &mut Tx, id: ChannelId, error: &str, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE channels SET last_error = $2, last_error_at = $3 WHERE id = $1";
    tx.execute(sql, &params![id, error, now]).await.map(drop)
}

/// Notes that a channel works again.
///
/// # Errors
/// Where the database fails.
pub async fn clear_error(tx: &mut Tx, id: ChannelId) -> Result<(), Error> {
    let sql = "UPDATE channels SET last_error = NULL, last_error_at = NULL WHERE id = $1";
    tx.execute(sql, &params![id]).await.map(drop)
}

/// Notes that a provider called back.
///
/// # Errors
/// Where the database fails.
pub async fn note_callback(tx: &mut Tx, id: ChannelId, now: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE channels SET last_callback_at = $2 WHERE id = $1", &params![id, now]).await.map(drop)
}

/// Counts the channels of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn count(tx: &mut Tx, workspace: WorkspaceId) -> Result<i64, Error> {
    let sql = "SELECT count(*) AS n FROM channels WHERE workspace_id = $1 AND deleted_at IS NULL";
    match tx.query_one(sql, &params![workspace]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

/// What may carry the messages of these workspaces, oldest first. By `channels_of_workspace`.
pub(crate) async fn candidates(
    tx: &mut Tx,
    workspaces: &[WorkspaceId],
) -> Result<Vec<(WorkspaceId, Candidate<ChannelId>)>, Error> {
    let sql = format!(
        "SELECT id, workspace_id, kind, is_active FROM channels
         WHERE workspace_id IN {} AND deleted_at IS NULL ORDER BY workspace_id, created_at, id",
        tx.dialect().id_list(1)
    );
    let rows = tx.query(&sql, &[json_set(workspaces)]).await?;
    rows.iter()
        .map(|row| {
            let candidate =
                Candidate { id: row.get("id")?, provider: provider(row)?, is_active: row.get("is_active")? };
            Ok((row.get("workspace_id")?, candidate))
        })
        .collect()
}

/// By which kinds of channel a workspace can send at the moment.
///
/// # Errors
/// Where the database fails.
pub async fn list_sendable(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<MessageChannel>, Error> {
    let channels = list(reader, workspace).await?;
    let carries =
        |kind: &MessageChannel| channels.iter().any(|one| one.is_active && one.provider.carries().contains(kind));
    Ok(MessageChannel::ALL.into_iter().filter(carries).collect())
}

fn select(dialect: Dialect) -> String {
    format!(
        "SELECT id, workspace_id, kind, name, {settings} AS settings, credentials_sealed,
                {hints} AS credential_hints, is_active, per_minute, max_in_flight, next_slot_at, last_sent_at, last_error,
                last_error_at, last_callback_at, created_at, updated_at, deleted_at
         FROM channels",
        settings = dialect.json_text("settings"),
        hints = dialect.json_text("credential_hints"),
    )
}

fn provider(row: &Row) -> Result<Provider, Error> {
    let kind: String = row.get("kind")?;
    Provider::parse(&kind).ok_or_else(|| Error::Column { column: "kind".to_owned() })
}

fn read(row: &Row) -> Result<Channel, Error> {
    Ok(Channel {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        provider: provider(row)?,
        name: row.get("name")?,
        settings: row.json("settings")?,
        credentials_sealed: row.get("credentials_sealed")?,
        credential_hints: row.json("credential_hints")?,
        is_active: row.get("is_active")?,
        per_minute: row.get("per_minute")?,
        max_in_flight: row.get("max_in_flight")?,
        next_slot_at: row.get("next_slot_at")?,
        last_sent_at: row.get("last_sent_at")?,
        last_error: row.get("last_error")?,
        last_error_at: row.get("last_error_at")?,
        last_callback_at: row.get("last_callback_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        deleted_at: row.get("deleted_at")?,
    })
}
