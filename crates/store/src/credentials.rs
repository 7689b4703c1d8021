//! Sessions and tokens. Of their secrets only hashes are stored.

use leadline_domain::{
    ids::{CredentialId, UserId, WorkspaceId},
    permissions::{Permissions, Rights},
    time::Timestamp,
};
use serde_json::json;

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, json_set, params},
    users::{read_optional_rights, rights_columns, role_name},
};

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CredentialKind {
    /// A browser that is signed in.
    Session,
    /// A program's.
    Token,
}

impl CredentialKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Token => "token",
        }
    }
}

/// A session or token, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// The credential.
    pub id: CredentialId,
    /// Where it counts.
    pub workspace_id: WorkspaceId,
    /// Whose it is. Tokens made on the command line are nobody's.
    pub user_id: Option<UserId>,
    /// What it is.
    pub kind: CredentialKind,
    /// What a person calls the token; the browser of a session.
    pub name: String,
    /// A token's role. A session has its user's.
    pub role: Option<Rights>,
    /// What a token is kept to, of what its role lets it do; `None` for all of it.
    pub scopes: Option<Permissions>,
    /// From where a session was opened.
    pub ip: Option<String>,
    /// The last four characters of the secret, to tell tokens apart.
    pub last4: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, give or take a few minutes.
    pub last_used_at: Option<Timestamp>,
    /// Whose sign-in provider opened a session. It counts in that workspace alone.
    pub provider_of: Option<WorkspaceId>,
}

/// A valid credential with what counts about its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valid {
    /// The credential.
    pub credential: Credential,
    /// Its owner's name.
    pub user_name: Option<String>,
    /// What its owner is in the workspace now.
    pub member_role: Option<Rights>,
    /// Whether its owner signs in with a second factor.
    pub has_second_factor: bool,
    /// Whether the workspace wants everybody to.
    pub demands_second_factor: bool,
}

/// Inserts a credential whose secret has this hash.
///
/// # Errors
/// Where the database fails.
pub async fn insert(tx: &mut Tx, credential: &Credential, secret_hash: &[u8]) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO credentials (id, workspace_id, user_id, kind, name, role, secret_hash, last4, created_at, expires_at,
                                  role_id, permissions, ip, provider_of)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, {scopes}, $13, $14)",
        scopes = tx.dialect().json(12),
    );
    let role = credential.role.as_ref().map(|rights| rights.role);
    let params = params![
        credential.id,
        credential.workspace_id,
        credential.user_id,
        credential.kind.as_str(),
        credential.name,
        role.map(role_name),
        secret_hash.to_vec(),
        credential.last4,
        credential.created_at,
        credential.expires_at,
        role.and_then(|role| role.custom()),
        credential.scopes.map(|scopes| json!(scopes.names()).to_string()),
        credential.ip,
        credential.provider_of,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// The credential whose secret has this hash, unless it was revoked, has expired or belongs to somebody disabled.
///
/// # Errors
/// Where the database fails.
pub async fn find_valid(reader: &Reader, secret_hash: &[u8], now: Timestamp) -> Result<Option<Valid>, Error> {
    let sql = valid(reader.dialect(), "c.secret_hash = $1");
    reader.query_one(&sql, &params![secret_hash.to_vec(), now]).await?.as_ref().map(read_valid).transpose()
}

/// The credential of this id, on the same conditions.
///
/// # Errors
/// Where the database fails.
pub async fn find_valid_by_id(reader: &Reader, id: CredentialId, now: Timestamp) -> Result<Option<Valid>, Error> {
    let sql = valid(reader.dialect(), "c.id = $1");
    reader.query_one(&sql, &params![id, now]).await?.as_ref().map(read_valid).transpose()
}

/// By the unique key of credentials and primary keys of everything else. Whoever runs a workspace's sign-in provider
/// can be anybody in it, so a session from there is worth nothing anywhere else.
fn valid(dialect: Dialect, which: &str) -> String {
    format!(
        "SELECT {columns}, u.name AS user_name, {member},
                f.confirmed_at IS NOT NULL AS has_second_factor,
                COALESCE(CAST({demands} AS TEXT) IN ('true', '1'), FALSE) AS demands_second_factor
         FROM credentials c
         JOIN workspaces w ON w.id = c.workspace_id
         LEFT JOIN roles r ON r.id = c.role_id
         LEFT JOIN users u ON u.id = c.user_id
         LEFT JOIN memberships m ON m.user_id = c.user_id AND m.workspace_id = c.workspace_id
         LEFT JOIN roles mr ON mr.id = m.role_id
         LEFT JOIN second_factors f ON f.user_id = c.user_id
         WHERE {which} AND c.revoked_at IS NULL AND (c.expires_at IS NULL OR c.expires_at > $2)
           AND u.disabled_at IS NULL
           AND (c.provider_of IS NULL OR c.provider_of = c.workspace_id)",
        columns = columns(dialect),
        member = rights_columns(dialect, "m", "mr", "member_role"),
        demands = dialect.json_at("w.settings", &["requireSecondFactor"]),
    )
}

fn read_valid(row: &Row) -> Result<Valid, Error> {
    Ok(Valid {
        credential: read(row)?,
        user_name: row.get("user_name")?,
        member_role: read_optional_rights(row, "member_role")?,
        has_second_factor: row.get("has_second_factor")?,
        demands_second_factor: row.get("demands_second_factor")?,
    })
}

/// Notes that a credential was used.
///
/// # Errors
/// Where the database fails.
pub async fn touch(tx: &mut Tx, id: CredentialId, now: Timestamp) -> Result<(), Error> {
    tx.execute("UPDATE credentials SET last_used_at = $2 WHERE id = $1", &params![id, now]).await.map(drop)
}

/// Lets a session count in another workspace of its user.
///
/// # Errors
/// Where the database fails.
pub async fn move_session(tx: &mut Tx, id: CredentialId, workspace: WorkspaceId) -> Result<bool, Error> {
    let sql = "UPDATE credentials SET workspace_id = $2 WHERE id = $1 AND kind = 'session' AND revoked_at IS NULL";
    Ok(tx.execute(sql, &params![id, workspace]).await? == 1)
}

/// The valid tokens of a workspace, newest first: everybody's, or one user's.
///
/// # Errors
/// Where the database fails.
pub async fn list_tokens(
    reader: &Reader,
    workspace: WorkspaceId,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Vec<Credential>, Error> {
    let sql = format!(
        "{credentials} WHERE c.workspace_id = $1 AND c.kind = 'token' AND c.revoked_at IS NULL
         AND (c.expires_at IS NULL OR c.expires_at > $2) {of_user} ORDER BY c.created_at DESC, c.id DESC LIMIT 1000",
        credentials = credentials(reader.dialect()),
        of_user = if user.is_some() { "AND c.user_id = $3" } else { "" },
    );
    let rows = match user {
        Some(user) => reader.query(&sql, &params![workspace, now, user]).await?,
        None => reader.query(&sql, &params![workspace, now]).await?,
    };
    rows.iter().map(read).collect()
}

/// A user's valid sessions, newest first, whatever their workspace; or those in one that its provider opened.
///
/// # Errors
/// Where the database fails.
pub async fn list_sessions(
    reader: &Reader,
    user: UserId,
    provider_of: Option<WorkspaceId>,
    now: Timestamp,
) -> Result<Vec<Credential>, Error> {
    let sql = format!(
        "{} WHERE c.user_id = $1 AND c.kind = 'session' AND c.revoked_at IS NULL {of_provider}
         AND (c.expires_at IS NULL OR c.expires_at > $2) ORDER BY c.created_at DESC, c.id DESC LIMIT 1000",
        credentials(reader.dialect()),
        of_provider = if provider_of.is_some() { "AND c.provider_of = $3" } else { "" },
    );
    let rows = match provider_of {
        Some(workspace) => reader.query(&sql, &params![user, now, workspace]).await?,
        None => reader.query(&sql, &params![user, now]).await?,
    };
    rows.iter().map(read).collect()
}

/// Ends a token of a workspace, where it must be this user's if one is named, and gives its name if it was valid.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_token(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: CredentialId,
    user: Option<UserId>,
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let sql = format!(
        "UPDATE credentials SET revoked_at = $3
         WHERE id = $1 AND workspace_id = $2 AND kind = 'token' AND revoked_at IS NULL {of_user} RETURNING name",
        of_user = if user.is_some() { "AND user_id = $4" } else { "" },
    );
    let ended = match user {
        Some(user) => tx.query_one(&sql, &params![id, workspace, now, user]).await?,
        None => tx.query_one(&sql, &params![id, workspace, now]).await?,
    };
    ended.map(|row| row.get("name")).transpose()
}

/// Ends one session of a user and tells whether it was valid.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_session(tx: &mut Tx, user: UserId, id: CredentialId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE credentials SET revoked_at = $3
               WHERE id = $1 AND user_id = $2 AND kind = 'session' AND revoked_at IS NULL";
    Ok(tx.execute(sql, &params![id, user, now]).await? == 1)
}

/// Ends all sessions of a user but one, and tells how many.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_sessions(
    tx: &mut Tx,
    user: UserId,
    except: Option<CredentialId>,
    now: Timestamp,
) -> Result<u64, Error> {
    let sql = format!(
        "UPDATE credentials SET revoked_at = $2
         WHERE user_id = $1 AND kind = 'session' AND revoked_at IS NULL {but_one}",
        but_one = if except.is_some() { "AND id <> $3" } else { "" },
    );
    match except {
        Some(except) => tx.execute(&sql, &params![user, now, except]).await,
        None => tx.execute(&sql, &params![user, now]).await,
    }
}

/// Ends every session and token of a user in one workspace.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_of_member(tx: &mut Tx, workspace: WorkspaceId, user: UserId, now: Timestamp) -> Result<u64, Error> {
    let sql = "UPDATE credentials SET revoked_at = $3
               WHERE workspace_id = $1 AND user_id = $2 AND revoked_at IS NULL";
    tx.execute(sql, &params![workspace, user, now]).await
}

/// Ends every session that a workspace's sign-in provider opened.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_of_provider(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<u64, Error> {
    // By `credentials_of_provider`.
    let sql = "UPDATE credentials SET revoked_at = $2 WHERE provider_of = $1 AND revoked_at IS NULL";
    tx.execute(sql, &params![workspace, now]).await
}

/// Ends the sessions of some users in a workspace that no provider opened.
///
/// # Errors
/// Where the database fails.
pub async fn revoke_by_password(
    tx: &mut Tx,
    workspace: WorkspaceId,
    users: &[UserId],
    now: Timestamp,
) -> Result<u64, Error> {
    // By `credentials_of_user`.
    let sql = format!(
        "UPDATE credentials SET revoked_at = $3
         WHERE user_id IN {} AND workspace_id = $2 AND kind = 'session' AND provider_of IS NULL AND revoked_at IS NULL",
        tx.dialect().id_list(1)
    );
    let [workspace, now] = params![workspace, now];
    tx.execute(&sql, &[json_set(users), workspace, now]).await
}

fn credentials(dialect: Dialect) -> String {
    format!("SELECT {} FROM credentials c LEFT JOIN roles r ON r.id = c.role_id", columns(dialect))
}

fn columns(dialect: Dialect) -> String {
    format!(
        "c.id, c.workspace_id, c.user_id, c.kind, c.name, {role}, {scopes} AS scopes, c.ip, c.last4, c.created_at,
         c.expires_at, c.last_used_at, c.provider_of",
        role = rights_columns(dialect, "c", "r", "role"),
        scopes = dialect.json_text("c.permissions"),
    )
}

fn read(row: &Row) -> Result<Credential, Error> {
    let kind = match row.get::<String>("kind")?.as_str() {
        "session" => CredentialKind::Session,
        "token" => CredentialKind::Token,
        _ => return Err(Error::Column { column: "kind".to_owned() }),
    };
    Ok(Credential {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        user_id: row.get("user_id")?,
        kind,
        name: row.get("name")?,
        role: read_optional_rights(row, "role")?,
        scopes: row.json_or_none::<Vec<String>>("scopes")?.map(|names| Permissions::named(&names)),
        ip: row.get("ip")?,
        last4: row.get("last4")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        last_used_at: row.get("last_used_at")?,
        provider_of: row.get("provider_of")?,
    })
}
