//! Who was asked to join a workspace. Of the link's secret only a hash is stored.

use leadline_domain::{
    ids::{InvitationId, UserId, WorkspaceId},
    permissions::Rights,
    time::Timestamp,
};

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
    users::{read_rights, rights_columns, role_name},
};

/// Somebody who was asked to join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// Into which workspace.
    pub workspace_id: WorkspaceId,
    /// Who, in lower case.
    pub email: String,
    /// What they shall be.
    pub role: Rights,
    /// Who asked them.
    pub invited_by: Option<UserId>,
    /// The name of who asked them.
    pub invited_by_name: String,
    /// When they were asked first.
    pub created_at: Timestamp,
    /// When the link that counts was made.
    pub sent_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// Inserts an invitation whose secret has this hash.
///
/// # Errors
/// [`Error::Exists`] where an invitation of this address is open, or where the database fails.
pub async fn insert(tx: &mut Tx, invitation: &Invitation, token_hash: &[u8]) -> Result<(), Error> {
    let sql = "INSERT INTO invitations (id, workspace_id, email, role, role_id, token_hash, invited_by,
                                        invited_by_name, created_at, sent_at, expires_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let params = params![
        invitation.id,
        invitation.workspace_id,
        invitation.email,
        role_name(invitation.role.role),
        invitation.role.role.custom(),
        token_hash.to_vec(),
        invitation.invited_by,
        invitation.invited_by_name,
        invitation.created_at,
        invitation.sent_at,
        invitation.expires_at,
    ];
    tx.execute(sql, &params).await.map(drop)
}

/// The open invitation of this id, whether its time is over or not.
///
/// # Errors
/// Where the database fails.
pub async fn find(tx: &mut Tx, workspace: WorkspaceId, id: InvitationId) -> Result<Option<Invitation>, Error> {
    let sql = format!("{} WHERE i.id = $1 AND i.workspace_id = $2 AND {OPEN}", invitations(tx.dialect()));
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read).transpose()
}

/// The invitation whose secret has this hash, as long as it counts. By the unique key over the hash.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_token(reader: &Reader, token_hash: &[u8], now: Timestamp) -> Result<Option<Invitation>, Error> {
    let sql = format!("{} WHERE i.token_hash = $1 AND {OPEN} AND i.expires_at > $2", invitations(reader.dialect()));
    reader.query_one(&sql, &params![token_hash.to_vec(), now]).await?.as_ref().map(read).transpose()
}

/// Whether an address has an open invitation whose time is over, which is to make room for a new one. By
/// `invitations_open`.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_expired(tx: &mut Tx, workspace: WorkspaceId, email: &str, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE invitations SET revoked_at = $3
               WHERE workspace_id = $1 AND email = $2 AND accepted_at IS NULL AND revoked_at IS NULL
                 AND expires_at <= $3";
    Ok(tx.execute(sql, &params![workspace, email, now]).await? > 0)
}

/// The invitation of an address that counts, for whoever shows in another way than by its link that the address is
/// theirs. By `invitations_open`.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_email(
    reader: &Reader,
    workspace: WorkspaceId,
    email: &str,
    now: Timestamp,
) -> Result<Option<Invitation>, Error> {
    let sql = format!(
        "{} WHERE i.workspace_id = $1 AND i.email = $2 AND {OPEN} AND i.expires_at > $3",
        invitations(reader.dialect())
    );
    reader.query_one(&sql, &params![workspace, email, now]).await?.as_ref().map(read).transpose()
}

/// Uses an invitation up without its link, and tells whether it still counted.
///
/// # Errors
/// Where the database fails.
pub async fn accept_by_email(tx: &mut Tx, id: InvitationId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE invitations SET accepted_at = $2
               WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
    Ok(tx.execute(sql, &params![id, now]).await? == 1)
}

/// Gives an open invitation a new secret and a new time; the link before it is worth nothing from then on.
///
/// # Errors
/// Where the database fails.
pub async fn renew(tx: &mut Tx, invitation: &Invitation, token_hash: &[u8]) -> Result<bool, Error> {
    let sql = "UPDATE invitations SET token_hash = $3, sent_at = $4, expires_at = $5
               WHERE id = $1 AND workspace_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL";
    let params = params![
        invitation.id,
        invitation.workspace_id,
        token_hash.to_vec(),
        invitation.sent_at,
        invitation.expires_at,
    ];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Takes an invitation back and tells whether it was open.
///
/// # Errors
/// Where the database fails.
pub async fn revoke(tx: &mut Tx, workspace: WorkspaceId, id: InvitationId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE invitations SET revoked_at = $3
               WHERE id = $1 AND workspace_id = $2 AND accepted_at IS NULL AND revoked_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace, now]).await? == 1)
}

/// Uses an invitation up, and tells whether it still counted: of two who hold one link, one comes in.
///
/// # Errors
/// Where the database fails.
pub async fn accept(tx: &mut Tx, id: InvitationId, token_hash: &[u8], now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE invitations SET accepted_at = $3
               WHERE id = $1 AND token_hash = $2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $3";
    Ok(tx.execute(sql, &params![id, token_hash.to_vec(), now]).await? == 1)
}

/// The open invitations of a workspace, the newest first, those among them whose time is over. By `invitations_open`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Invitation>, Error> {
    let sql = format!(
        "{} WHERE i.workspace_id = $1 AND {OPEN} ORDER BY i.sent_at DESC, i.id DESC LIMIT 1000",
        invitations(reader.dialect())
    );
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

const OPEN: &str = "i.accepted_at IS NULL AND i.revoked_at IS NULL";

fn invitations(dialect: Dialect) -> String {
    format!(
        "SELECT i.id, i.workspace_id, i.email, {role}, i.invited_by, i.invited_by_name, i.created_at, i.sent_at,
                i.expires_at
         FROM invitations i LEFT JOIN roles r ON r.id = i.role_id",
        role = rights_columns(dialect, "i", "r", "role"),
    )
}

fn read(row: &Row) -> Result<Invitation, Error> {
    Ok(Invitation {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        email: row.get("email")?,
        role: read_rights(row, "role")?,
        invited_by: row.get("invited_by")?,
        invited_by_name: row.get("invited_by_name")?,
        created_at: row.get("created_at")?,
        sent_at: row.get("sent_at")?,
        expires_at: row.get("expires_at")?,
    })
}
