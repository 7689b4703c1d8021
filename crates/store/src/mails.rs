//! E-mail to those who work here: what waits to be handed to the server, and what became of it.

use leadline_domain::{
    ids::{MailId, UserId, WorkspaceId},
    permissions::Rights,
    time::Timestamp,
};
use serde::Serialize;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, IntoParam, Reader, Row, Tx, json_set, params},
    users::{read_rights, rights_columns},
};

/// Somebody who is told of alerts.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// What they may see.
    pub role: Rights,
}

/// Who of a workspace wants to be told of alerts and can sign in. At most 200, by primary key of the workspace.
///
/// # Errors
/// Where the database fails.
pub async fn list_recipients(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Recipient>, Error> {
    let sql = format!(
        "SELECT u.id, u.email, {role} FROM memberships AS m JOIN users AS u ON u.id = m.user_id
              LEFT JOIN roles AS r ON r.id = m.role_id
         WHERE m.workspace_id = $1 AND m.wants_alert_mails AND u.disabled_at IS NULL ORDER BY u.id LIMIT 200",
        role = rights_columns(tx.dialect(), "m", "r", "role"),
    );
    let rows = tx.query(&sql, &params![workspace]).await?;
    rows.iter()
        .map(|row| Ok(Recipient { id: row.get("id")?, email: row.get("email")?, role: read_rights(row, "role")? }))
        .collect()
}

/// Whether a member is told of alerts; `None` for who is none.
///
/// # Errors
/// Where the database fails.
pub async fn wants_alerts(reader: &Reader, workspace: WorkspaceId, user: UserId) -> Result<Option<bool>, Error> {
    let sql = "SELECT wants_alert_mails FROM memberships WHERE workspace_id = $1 AND user_id = $2";
    let row = reader.query_one(sql, &params![workspace, user]).await?;
    row.map(|row| row.get("wants_alert_mails")).transpose()
}

/// Tells a member of alerts from now on, or no longer.
///
/// # Errors
/// Where the database fails.
pub async fn set_wants_alerts(tx: &mut Tx, workspace: WorkspaceId, user: UserId, wants: bool) -> Result<(), Error> {
    let sql = "UPDATE memberships SET wants_alert_mails = $3 WHERE workspace_id = $1 AND user_id = $2";
    tx.execute(sql, &params![workspace, user, wants]).await.map(drop)
}

/// A message that is to be sent.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `mails` under their own names")]
pub struct NewMail {
    pub id: MailId,
    pub workspace_id: WorkspaceId,
    pub user_id: UserId,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    pub created_at: i64,
}

const NEW_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("user_id", Kind::Id),
    ("recipient", Kind::Text),
    ("subject", Kind::Text),
    ("body", Kind::Text),
    ("created_at", Kind::Integer),
];

/// Puts messages into the queue, each once, and tells how many went in.
///
/// # Errors
/// Where the database fails.
pub async fn insert_set(tx: &mut Tx, mails: &[NewMail]) -> Result<u64, Error> {
    if mails.is_empty() {
        return Ok(0);
    }
    let sql = format!(
        "INSERT INTO mails (id, workspace_id, user_id, recipient, subject, body, state, attempt_count, due_at, created_at)
         SELECT id, workspace_id, user_id, recipient, subject, body, 'pending', 0, created_at, created_at FROM {}
         WHERE true ON CONFLICT (id) DO NOTHING",
        tx.dialect().set(1, NEW_COLUMNS)
    );
    tx.execute(&sql, &[json_set(mails)]).await
}

/// A message that somebody is about to send.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `mails` under their own names")]
pub struct Leased {
    pub id: MailId,
    pub recipient: String,
    pub subject: String,
    pub body: String,
    /// The number of this attempt.
    pub attempt_count: i64,
}

/// Whether something is due.
///
/// # Errors
/// Where the database fails.
pub async fn is_due(reader: &Reader, now: Timestamp) -> Result<bool, Error> {
    // By `mails_due`.
    let sql = "SELECT id FROM mails WHERE state = 'pending' AND due_at <= $1 ORDER BY due_at LIMIT 1";
    Ok(reader.query_one(sql, &params![now]).await?.is_some())
}

/// Leases what has waited longest until `until`, and counts the attempt.
///
/// # Errors
/// Where the database fails.
pub async fn lease(tx: &mut Tx, limit: i64, now: Timestamp, until: Timestamp) -> Result<Vec<Leased>, Error> {
    let dialect = tx.dialect();
    let pick = format!(
        "SELECT id FROM mails WHERE state = 'pending' AND due_at <= $1 ORDER BY due_at LIMIT $2 {}",
        dialect.skip_locked()
    );
    let picked = tx.query(&pick, &params![now, limit]).await?;
    let ids: Vec<MailId> = picked.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "UPDATE mails SET due_at = $2, attempt_count = attempt_count + 1 WHERE id IN {}
         RETURNING id, recipient, subject, body, attempt_count",
        dialect.id_list(1)
    );
    tx.query(&sql, &[json_set(&ids), until.param()]).await?.iter().map(read_leased).collect()
}

fn read_leased(row: &Row) -> Result<Leased, Error> {
    Ok(Leased {
        id: row.get("id")?,
        recipient: row.get("recipient")?,
        subject: row.get("subject")?,
        body: row.get("body")?,
        attempt_count: row.get("attempt_count")?,
    })
}

/// What became of an attempt.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The server has it.
    Sent,
    /// It is tried again then.
    Later {
        /// When.
        at: Timestamp,
        /// What went wrong.
        error: String,
    },
    /// It is tried no more.
    Failed {
        /// What went wrong.
        error: String,
    },
}

/// Records what became of an attempt, while it is the newest.
///
/// # Errors
/// Where the database fails.
pub async fn finish(tx: &mut Tx, mail: &Leased, outcome: &Outcome, now: Timestamp) -> Result<(), Error> {
    let (state, due_at, error, finished_at) = match outcome {
        Outcome::Sent => ("sent", now, None, Some(now)),
        Outcome::Later { at, error } => ("pending", *at, Some(error.as_str()), None),
        Outcome::Failed { error } => ("failed", now, Some(error.as_str()), Some(now)),
    };
    let sql = "UPDATE mails SET state = $3, due_at = $4, last_error = $5, finished_at = $6
               WHERE id = $1 AND attempt_count = $2 AND state = 'pending'";
    tx.execute(sql, &params![mail.id, mail.attempt_count, state, due_at, error, finished_at]).await.map(drop)
}

/// How e-mail does in a workspace.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Messages that wait, counted up to 1,000.
    pub waiting: i64,
    /// The newest that was tried: when it was made, how it stands and what went wrong.
    pub last: Option<Last>,
}

/// The newest message that was tried.
#[derive(Debug, Clone)]
pub struct Last {
    /// When it was made.
    pub created_at: Timestamp,
    /// `pending`, `sent` or `failed`.
    pub state: String,
    /// What went wrong.
    pub error: Option<String>,
}

/// How e-mail does in a workspace. By `mails_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn standing(reader: &Reader, workspace: WorkspaceId) -> Result<Standing, Error> {
    let waiting = "SELECT count(*) AS n FROM
        (SELECT id FROM mails WHERE workspace_id = $1 AND state = 'pending' LIMIT 1000) AS q";
    let waiting = reader.count(waiting, &params![workspace]).await?;
    let last = "SELECT created_at, state, last_error FROM mails WHERE workspace_id = $1 AND attempt_count > 0
                ORDER BY created_at DESC LIMIT 1";
    let last = reader.query_one(last, &params![workspace]).await?;
    let last = last.map(|row| {
        Ok::<_, Error>(Last {
            created_at: row.get("created_at")?,
            state: row.get("state")?,
            error: row.get("last_error")?,
        })
    });
    Ok(Standing { waiting, last: last.transpose()? })
}

/// Deletes messages that were made before `before`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_old(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE created_at < $1 ORDER BY created_at LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}
