//! Signing in with a provider: who set one up, which of its subjects is which user, and sign-ins that have begun.
//!
//! Of what a browser and a provider's answer bear, only hashes are stored.

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    permissions::{Rights, RoleKey},
    sign_in::Known,
    time::Timestamp,
};
use serde_json::{Value, json};

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
    users::{read_optional_rights, rights_columns, role_name},
};

/// A workspace's provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Whose it is.
    pub workspace_id: WorkspaceId,
    /// What the button of the sign-in page says it is.
    pub label: String,
    /// Its issuer, as it writes it itself.
    pub issuer: String,
    /// Under which id it knows us.
    pub client_id: String,
    /// With which secret, sealed.
    pub client_secret_sealed: String,
    /// The domains of addresses that it is believed for.
    pub domains: Vec<String>,
    /// What somebody becomes who was not invited; without one they must be.
    pub role: Option<Rights>,
    /// Whether everybody may sign in with a password still.
    pub takes_passwords: bool,
    /// Whether it is used at all.
    pub is_enabled: bool,
    /// When it was set up.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// When somebody came in by it last.
    pub last_used_at: Option<Timestamp>,
}

/// The provider of a workspace. By its primary key.
///
/// # Errors
/// Where the database fails.
pub async fn find_provider(reader: &Reader, workspace: WorkspaceId) -> Result<Option<Provider>, Error> {
    let sql = format!("{} WHERE p.workspace_id = $1", providers(reader.dialect()));
    reader.query_one(&sql, &params![workspace]).await?.as_ref().map(read).transpose()
}

/// The same as this transaction sees it. Whoever changes it locks the workspace first.
///
/// # Errors
/// Where the database fails.
pub async fn provider_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Option<Provider>, Error> {
    let sql = format!("{} WHERE p.workspace_id = $1", providers(tx.dialect()));
    tx.query_one(&sql, &params![workspace]).await?.as_ref().map(read).transpose()
}

/// A provider that is used, as strangers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The workspace's slug.
    pub workspace: String,
    /// What the button says.
    pub label: String,
}

/// The providers that are used: of one workspace, or the first few of all. An installation has one for a workspace at
/// most, and few workspaces.
///
/// # Errors
/// Where the database fails.
pub async fn list_offered(reader: &Reader, slug: Option<&str>, limit: i64) -> Result<Vec<Offered>, Error> {
    let of_slug = if slug.is_some() { "AND w.slug = $2" } else { "" };
    let sql = format!(
        "SELECT w.slug, p.label FROM sign_in_providers p JOIN workspaces w ON w.id = p.workspace_id
         WHERE p.is_enabled {of_slug} LIMIT $1"
    );
    let rows = match slug {
        Some(slug) => reader.query(&sql, &params![limit, slug]).await?,
        None => reader.query(&sql, &params![limit]).await?,
    };
    rows.iter().map(|row| Ok(Offered { workspace: row.get("slug")?, label: row.get("label")? })).collect()
}

/// Writes a workspace's provider.
///
/// # Errors
/// Where the database fails.
pub async fn save_provider(tx: &mut Tx, provider: &Provider) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO sign_in_providers (workspace_id, label, issuer, client_id, client_secret_sealed, domains, role,
             role_id, takes_passwords, is_enabled, created_at, updated_at, last_used_at)
         VALUES ($1, $2, $3, $4, $5, {domains}, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (workspace_id) DO UPDATE SET label = EXCLUDED.label, issuer = EXCLUDED.issuer,
             client_id = EXCLUDED.client_id, client_secret_sealed = EXCLUDED.client_secret_sealed,
             domains = EXCLUDED.domains, role = EXCLUDED.role, role_id = EXCLUDED.role_id,
             takes_passwords = EXCLUDED.takes_passwords, is_enabled = EXCLUDED.is_enabled,
             updated_at = EXCLUDED.updated_at, last_used_at = EXCLUDED.last_used_at",
        domains = tx.dialect().json(6),
    );
    let role = provider.role.as_ref().map(|rights| rights.role);
    let params = params![
        provider.workspace_id,
        provider.label,
        provider.issuer,
        provider.client_id,
        provider.client_secret_sealed,
        json!(provider.domains),
        role.map(role_name),
        role.and_then(RoleKey::custom),
        provider.takes_passwords,
        provider.is_enabled,
        provider.created_at,
        provider.updated_at,
        provider.last_used_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// Takes a workspace's provider away, with what it knew of users, and tells whether there was one.
///
/// # Errors
/// Where the database fails.
pub async fn delete_provider(tx: &mut Tx, workspace: WorkspaceId) -> Result<bool, Error> {
    // By the first column of the primary key.
    tx.execute("DELETE FROM sign_in_subjects WHERE workspace_id = $1", &params![workspace]).await?;
    Ok(tx.execute("DELETE FROM sign_in_providers WHERE workspace_id = $1", &params![workspace]).await? == 1)
}

/// Notes that somebody came in by a workspace's provider.
///
/// # Errors
/// Where the database fails.
pub async fn touch_provider(tx: &mut Tx, workspace: WorkspaceId, now: Timestamp) -> Result<(), Error> {
    let sql = "UPDATE sign_in_providers SET last_used_at = $2 WHERE workspace_id = $1";
    tx.execute(sql, &params![workspace, now]).await.map(drop)
}

/// Whom a workspace's provider means.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The provider.
    pub issuer: &'a str,
    /// Its name for somebody.
    pub subject: &'a str,
}

/// The user that a subject is.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_subject(reader: &Reader, subject: Subject<'_>) -> Result<Option<Known>, Error> {
    // By the primary keys of subjects and users.
    let sql = format!(
        "{KNOWN} WHERE u.id = (SELECT user_id FROM sign_in_subjects
                               WHERE workspace_id = $1 AND issuer = $2 AND subject = $3)"
    );
    let params = params![subject.workspace, subject.issuer, subject.subject];
    reader.query_one(&sql, &params).await?.as_ref().map(read_known).transpose()
}

/// The user who has an address, which is in lower case.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_email(
    reader: &Reader,
    workspace: WorkspaceId,
    issuer: &str,
    email: &str,
) -> Result<Option<Known>, Error> {
    // By the unique key over addresses.
    let sql = format!("{KNOWN} WHERE u.email = $3");
    reader.query_one(&sql, &params![workspace, issuer, email]).await?.as_ref().map(read_known).transpose()
}

/// What else is asked of a user goes by primary keys, `memberships_of_user` and `sign_in_subjects_of_user`.
const KNOWN: &str = "SELECT u.id, u.disabled_at IS NOT NULL AS is_disabled,
        EXISTS (SELECT 1 FROM memberships m WHERE m.workspace_id = $1 AND m.user_id = u.id) AS is_member,
        EXISTS (SELECT 1 FROM memberships m WHERE m.user_id = u.id AND m.workspace_id <> $1) AS is_elsewhere,
        EXISTS (SELECT 1 FROM sign_in_subjects s
                WHERE s.user_id = u.id AND s.workspace_id = $1 AND s.issuer = $2) AS has_subject
    FROM users u";

/// Remembers that a subject is a user.
///
/// # Errors
/// [`Error::Exists`] where the subject is somebody else's, or the user has another; or where the database fails.
pub async fn insert_subject(tx: &mut Tx, subject: Subject<'_>, user: UserId, now: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO sign_in_subjects (workspace_id, issuer, subject, user_id, created_at, last_used_at)
               VALUES ($1, $2, $3, $4, $5, $5)";
    let params = params![subject.workspace, subject.issuer, subject.subject, user, now];
    tx.execute(sql, &params).await.map(drop)
}

/// Notes that a subject came in, and tells whether it is this user's still.
///
/// # Errors
/// Where the database fails.
pub async fn touch_subject(tx: &mut Tx, subject: Subject<'_>, user: UserId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE sign_in_subjects SET last_used_at = $5
               WHERE workspace_id = $1 AND issuer = $2 AND subject = $3 AND user_id = $4";
    let params = params![subject.workspace, subject.issuer, subject.subject, user, now];
    Ok(tx.execute(sql, &params).await? == 1)
}

/// Forgets by what subjects a user was known in a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn forget_subjects(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<(), Error> {
    let sql = "DELETE FROM sign_in_subjects WHERE user_id = $1 AND workspace_id = $2";
    tx.execute(sql, &params![user, workspace]).await.map(drop)
}

/// A sign-in on its way: at the provider, or back from it and waiting for a code.
#[derive(Debug, Clone, PartialEq)]
pub struct Begun {
    /// By which it is found: a hash.
    pub key: [u8; 32],
    /// Whose browser it is: a hash of what its cookie holds.
    pub browser: [u8; 32],
    /// Where somebody wants to sign in.
    pub workspace_id: WorkspaceId,
    /// Where they want to be then, on our own pages.
    pub return_to: String,
    /// What the provider said of them, once it did.
    pub vouched: Option<Value>,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// Writes a sign-in down.
///
/// # Errors
/// Where the database fails.
pub async fn insert_begun(tx: &mut Tx, begun: &Begun) -> Result<(), Error> {
    let vouched = tx.dialect().json(5);
    let sql = format!(
        "INSERT INTO sign_ins_begun (key, browser, workspace_id, return_to, vouched, expires_at)
         VALUES ($1, $2, $3, $4, {vouched}, $6)"
    );
    let params = params![
        begun.key.to_vec(),
        begun.browser.to_vec(),
        begun.workspace_id,
        begun.return_to,
        begun.vouched.as_ref().map(Value::to_string),
        begun.expires_at,
    ];
    tx.execute(&sql, &params).await.map(drop)
}

/// A sign-in of this browser that counts still.
///
/// # Errors
/// Where the database fails.
pub async fn find_begun(
    reader: &Reader,
    key: &[u8; 32],
    browser: &[u8; 32],
    now: Timestamp,
) -> Result<Option<Begun>, Error> {
    let sql = format!("{} WHERE key = $1 AND browser = $2 AND expires_at > $3", begun(reader.dialect()));
    let row = reader.query_one(&sql, &params![key.to_vec(), browser.to_vec(), now]).await?;
    row.map(|row| read_begun(&row, *key, *browser)).transpose()
}

/// Uses a sign-in up, and tells whether it was there: of two who bring one answer, one comes in.
///
/// # Errors
/// Where the database fails.
pub async fn use_up(tx: &mut Tx, key: &[u8; 32]) -> Result<bool, Error> {
    Ok(tx.execute("DELETE FROM sign_ins_begun WHERE key = $1", &params![key.to_vec()]).await? == 1)
}

/// Deletes sign-ins whose time is over. By `sign_ins_begun_by_expiry`.
///
/// # Errors
/// Where the database fails.
pub async fn delete_expired(tx: &mut Tx, now: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM sign_ins_begun WHERE key IN
               (SELECT key FROM sign_ins_begun WHERE expires_at <= $1 ORDER BY expires_at LIMIT $2)";
    tx.execute(sql, &params![now, limit]).await
}

fn begun(dialect: Dialect) -> String {
    let vouched = dialect.json_text("vouched");
    format!("SELECT workspace_id, return_to, {vouched} AS vouched, expires_at FROM sign_ins_begun")
}

fn read_begun(row: &Row, key: [u8; 32], browser: [u8; 32]) -> Result<Begun, Error> {
    Ok(Begun {
        key,
        browser,
        workspace_id: row.get("workspace_id")?,
        return_to: row.get("return_to")?,
        vouched: row.json_or_none("vouched")?,
        expires_at: row.get("expires_at")?,
    })
}

fn providers(dialect: Dialect) -> String {
    format!(
        "SELECT p.workspace_id, p.label, p.issuer, p.client_id, p.client_secret_sealed, {domains} AS domains, {role},
                p.takes_passwords, p.is_enabled, p.created_at, p.updated_at, p.last_used_at
         FROM sign_in_providers p LEFT JOIN roles r ON r.id = p.role_id",
        domains = dialect.json_text("p.domains"),
        role = rights_columns(dialect, "p", "r", "role"),
    )
}

fn read(row: &Row) -> Result<Provider, Error> {
    Ok(Provider {
        workspace_id: row.get("workspace_id")?,
        label: row.get("label")?,
        issuer: row.get("issuer")?,
        client_id: row.get("client_id")?,
        client_secret_sealed: row.get("client_secret_sealed")?,
        domains: row.json("domains")?,
        role: read_optional_rights(row, "role")?,
        takes_passwords: row.get("takes_passwords")?,
        is_enabled: row.get("is_enabled")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}

fn read_known(row: &Row) -> Result<Known, Error> {
    Ok(Known {
        user: row.get("id")?,
        is_member: row.get("is_member")?,
        is_elsewhere: row.get("is_elsewhere")?,
        is_disabled: row.get("is_disabled")?,
        has_subject: row.get("has_subject")?,
    })
}
