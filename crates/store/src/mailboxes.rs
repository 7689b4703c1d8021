//! How far the mailboxes of channels were read: a row for each channel that names one.

use leadline_domain::{
    ids::{ChannelId, WorkspaceId},
    time::Timestamp,
};

use crate::sql::{Error, Reader, Row, Tx, params};

/// How far a mailbox was read.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `mailboxes` under their own names")]
pub struct Mailbox {
    pub channel_id: ChannelId,
    pub workspace_id: WorkspaceId,
    /// Of which counting the numbers are; none where it was never looked at.
    pub uid_validity: Option<i64>,
    /// The last number that was read.
    pub last_uid: i64,
    /// How often it could not be read since it last could.
    pub failures: i64,
    pub read_at: Option<Timestamp>,
}

/// Begins to read a mailbox at `now`, or goes on with it. `is_another` forgets how far the last one was read.
///
/// # Errors
/// Where the database fails.
pub async fn keep(
    tx: &mut Tx,
    workspace: WorkspaceId,
    channel: ChannelId,
    is_another: bool,
    now: Timestamp,
) -> Result<(), Error> {
    if is_another {
        drop_of(tx, channel).await?;
    }
    let sql = "INSERT INTO mailboxes (channel_id, workspace_id, last_uid, next_at, failures) VALUES ($1, $2, 0, $3, 0)
               ON CONFLICT (channel_id) DO UPDATE SET next_at = excluded.next_at, failures = 0";
    tx.execute(sql, &params![channel, workspace, now]).await.map(drop)
}

/// Reads a mailbox no more.
///
/// # Errors
/// Where the database fails.
pub async fn drop_of(tx: &mut Tx, channel: ChannelId) -> Result<(), Error> {
    tx.execute("DELETE FROM mailboxes WHERE channel_id = $1", &params![channel]).await.map(drop)
}

/// Leaves a mailbox alone until [`keep`] takes it up again.
///
/// # Errors
/// Where the database fails.
pub async fn pause(tx: &mut Tx, channel: ChannelId) -> Result<(), Error> {
    let sql = "UPDATE mailboxes SET next_at = $2 WHERE channel_id = $1";
    tx.execute(sql, &params![channel, i64::MAX]).await.map(drop)
}

/// Mailboxes whose turn has come, those that waited longest first. By `mailboxes_due`.
///
/// # Errors
/// Where the database fails.
pub async fn list_due(reader: &Reader, now: Timestamp, limit: i64) -> Result<Vec<ChannelId>, Error> {
    let sql = "SELECT channel_id FROM mailboxes WHERE next_at <= $1 ORDER BY next_at LIMIT $2";
    reader.query(sql, &params![now, limit]).await?.iter().map(|row| row.get("channel_id")).collect()
}

/// Takes a mailbox to read it; none where somebody else did. Whoever dies leaves it due again at `until`.
///
/// # Errors
/// Where the database fails.
pub async fn take(tx: &mut Tx, channel: ChannelId, now: Timestamp, until: Timestamp) -> Result<Option<Mailbox>, Error> {
    let sql = "UPDATE mailboxes SET next_at = $3 WHERE channel_id = $1 AND next_at <= $2
               RETURNING channel_id, workspace_id, uid_validity, last_uid, failures, read_at";
    tx.query_one(sql, &params![channel, now, until]).await?.as_ref().map(read).transpose()
}

/// Writes down how far a mailbox was read, in the transaction of what was read.
///
/// # Errors
/// Where the database fails.
pub async fn advance(tx: &mut Tx, channel: ChannelId, uid_validity: i64, last_uid: i64) -> Result<(), Error> {
    let sql = "UPDATE mailboxes SET uid_validity = $2, last_uid = $3 WHERE channel_id = $1";
    tx.execute(sql, &params![channel, uid_validity, last_uid]).await.map(drop)
}

/// Says when a mailbox is looked at next, and whether it could be read.
///
/// # Errors
/// Where the database fails.
pub async fn rest(
    tx: &mut Tx,
    channel: ChannelId,
    next_at: Timestamp,
    read_at: Option<Timestamp>,
) -> Result<(), Error> {
    let sql = "UPDATE mailboxes SET next_at = $2, read_at = coalesce($3, read_at),
                      failures = CASE WHEN $4 THEN 0 ELSE failures + 1 END
               WHERE channel_id = $1";
    tx.execute(sql, &params![channel, next_at, read_at, read_at.is_some()]).await.map(drop)
}

fn read(row: &Row) -> Result<Mailbox, Error> {
    Ok(Mailbox {
        channel_id: row.get("channel_id")?,
        workspace_id: row.get("workspace_id")?,
        uid_validity: row.get("uid_validity")?,
        last_uid: row.get("last_uid")?,
        failures: row.get("failures")?,
        read_at: row.get("read_at")?,
    })
}
