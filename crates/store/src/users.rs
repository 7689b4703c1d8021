//! People who sign in, and what they are in which workspace.
//!
//! A user is one person with one password, whatever number of workspaces they belong to. Rows stay when somebody
//! leaves, since timelines name them.

use leadline_domain::{
    ids::{RoleId, UserId, WorkspaceId},
    permissions::{Permissions, Rights, Role, RoleKey},
    time::Timestamp,
};

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
};

/// Someone who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// In lower case, unique.
    pub email: String,
    /// As others see it.
    pub name: String,
    /// A PHC string; empty for who has no password.
    pub password_hash: String,
    /// When they were made.
    pub created_at: Timestamp,
    /// Since when they cannot sign in.
    pub disabled_at: Option<Timestamp>,
}

/// A user in a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub id: UserId,
    /// In lower case.
    pub email: String,
    /// As others see it.
    pub name: String,
    /// What they are here.
    pub role: Rights,
    /// When they became a member.
    pub created_at: Timestamp,
    /// Since when they cannot sign in.
    pub disabled_at: Option<Timestamp>,
    /// Whether they belong to another workspace as well.
    pub is_elsewhere: bool,
    /// Whether they sign in with a second factor.
    pub has_second_factor: bool,
    /// Whether they have a password. Who joined by a sign-in provider has none.
    pub has_password: bool,
    /// When one of their sessions here was used last.
    pub last_seen_at: Option<Timestamp>,
}

/// Inserts a user.
///
/// # Errors
/// [`Error::Exists`] where the e-mail address is taken, or where the database fails.
pub async fn insert(tx: &mut Tx, user: &User) -> Result<(), Error> {
    let sql = "INSERT INTO users (id, email, name, password_hash, created_at) VALUES ($1, $2, $3, $4, $5)";
    let params = params![user.id, user.email, user.name, user.password_hash, user.created_at];
    tx.execute(sql, &params).await.map(drop)
}

/// Writes the name and since when the user is disabled, and tells whether they are there.
///
/// # Errors
/// Where the database fails.
pub async fn update(tx: &mut Tx, id: UserId, name: &str, disabled_at: Option<Timestamp>) -> Result<bool, Error> {
    let sql = "UPDATE users SET name = $2, disabled_at = $3 WHERE id = $1";
    Ok(tx.execute(sql, &params![id, name, disabled_at]).await? == 1)
}

/// Writes a new password and tells whether the user is there.
///
/// # Errors
/// Where the database fails.
pub async fn set_password(tx: &mut Tx, id: UserId, password_hash: &str) -> Result<bool, Error> {
    let sql = "UPDATE users SET password_hash = $2 WHERE id = $1";
    Ok(tx.execute(sql, &params![id, password_hash]).await? == 1)
}

/// Whether there is any user at all.
///
/// # Errors
/// Where the database fails.
pub async fn any(reader: &Reader) -> Result<bool, Error> {
    Ok(reader.query_one("SELECT 1 AS one FROM users LIMIT 1", &[]).await?.is_some())
}

/// Whether there is any user at all, as this transaction sees it.
///
/// # Errors
/// Where the database fails.
pub async fn any_in(tx: &mut Tx) -> Result<bool, Error> {
    Ok(tx.query_one("SELECT 1 AS one FROM users LIMIT 1", &[]).await?.is_some())
}

/// One user.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, id: UserId) -> Result<Option<User>, Error> {
    let sql = format!("{USERS} WHERE id = $1");
    reader.query_one(&sql, &params![id]).await?.as_ref().map(read).transpose()
}

/// The user of this address, which is in lower case.
///
/// # Errors
/// Where the database fails.
pub async fn find_by_email(reader: &Reader, email: &str) -> Result<Option<User>, Error> {
    let sql = format!("{USERS} WHERE email = $1");
    reader.query_one(&sql, &params![email]).await?.as_ref().map(read).transpose()
}

/// Makes a user a member, and tells whether they were none before.
///
/// # Errors
/// Where the database fails.
pub async fn insert_member(
    tx: &mut Tx,
    workspace: WorkspaceId,
    user: UserId,
    role: RoleKey,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "INSERT INTO memberships (workspace_id, user_id, role, role_id, created_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, &params![workspace, user, role_name(role), role.custom(), now]).await? == 1)
}

/// Makes a member something else and tells whether they are one.
///
/// # Errors
/// Where the database fails.
pub async fn set_role(tx: &mut Tx, workspace: WorkspaceId, user: UserId, role: RoleKey) -> Result<bool, Error> {
    let sql = "UPDATE memberships SET role = $3, role_id = $4 WHERE workspace_id = $1 AND user_id = $2";
    Ok(tx.execute(sql, &params![workspace, user, role_name(role), role.custom()]).await? == 1)
}

/// Ends a membership and tells whether there was one.
///
/// # Errors
/// Where the database fails.
pub async fn delete_member(tx: &mut Tx, workspace: WorkspaceId, user: UserId) -> Result<bool, Error> {
    let sql = "DELETE FROM memberships WHERE workspace_id = $1 AND user_id = $2";
    Ok(tx.execute(sql, &params![workspace, user]).await? == 1)
}

/// The members of a workspace, by name.
///
/// # Errors
/// Where the database fails.
pub async fn list_members(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Member>, Error> {
    let sql = format!("{} ORDER BY u.name, u.id LIMIT 1000", members(reader.dialect()));
    reader.query(&sql, &params![workspace]).await?.iter().map(read_member).collect()
}

/// One member of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find_member(reader: &Reader, workspace: WorkspaceId, user: UserId) -> Result<Option<Member>, Error> {
    let sql = format!("{} AND u.id = $2", members(reader.dialect()));
    reader.query_one(&sql, &params![workspace, user]).await?.as_ref().map(read_member).transpose()
}

/// The members of a workspace as this transaction sees them. Whoever changes members locks the workspace first.
///
/// # Errors
/// Where the database fails.
pub async fn members_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Member>, Error> {
    let sql = members(tx.dialect());
    tx.query(&sql, &params![workspace]).await?.iter().map(read_member).collect()
}

/// How many memberships a user has, as this transaction sees it.
///
/// # Errors
/// Where the database fails.
pub async fn count_memberships(tx: &mut Tx, user: UserId) -> Result<i64, Error> {
    let sql = "SELECT COUNT(*) AS n FROM memberships WHERE user_id = $1";
    match tx.query_one(sql, &params![user]).await? {
        Some(row) => row.get("n"),
        None => Ok(0),
    }
}

const USERS: &str = "SELECT id, email, name, password_hash, created_at, disabled_at FROM users";

/// Members with their roles, by the primary key of memberships; what is asked of each besides goes by
/// `memberships_of_user`, `credentials_of_user` and primary keys.
fn members(dialect: Dialect) -> String {
    format!(
        "SELECT u.id, u.email, u.name, {role}, m.created_at, u.disabled_at, u.password_hash <> '' AS has_password,
                EXISTS (SELECT 1 FROM memberships o
                        WHERE o.user_id = m.user_id AND o.workspace_id <> m.workspace_id) AS is_elsewhere,
                EXISTS (SELECT 1 FROM second_factors f
                        WHERE f.user_id = m.user_id AND f.confirmed_at IS NOT NULL) AS has_second_factor,
                (SELECT MAX(c.last_used_at) FROM credentials c
                 WHERE c.user_id = m.user_id AND c.kind = 'session' AND c.workspace_id = m.workspace_id) AS last_seen_at
         FROM memberships m JOIN users u ON u.id = m.user_id LEFT JOIN roles r ON r.id = m.role_id
         WHERE m.workspace_id = $1",
        role = rights_columns(dialect, "m", "r", "role"),
    )
}

fn read(row: &Row) -> Result<User, Error> {
    Ok(User {
        id: row.get("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        password_hash: row.get("password_hash")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
    })
}

fn read_member(row: &Row) -> Result<Member, Error> {
    Ok(Member {
        id: row.get("id")?,
        email: row.get("email")?,
        name: row.get("name")?,
        role: read_rights(row, "role")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
        is_elsewhere: row.get("is_elsewhere")?,
        has_second_factor: row.get("has_second_factor")?,
        has_password: row.get("has_password")?,
        last_seen_at: row.get("last_seen_at")?,
    })
}

/// What the column of a role holds for those that a workspace made; which one it is stands beside it.
const CUSTOM: &str = "custom";

/// What a column holds of a role.
pub(crate) fn role_name(role: RoleKey) -> &'static str {
    match role {
        RoleKey::BuiltIn(role) => role.as_str(),
        RoleKey::Custom(_) => CUSTOM,
    }
}

/// The columns that [`read_rights`] reads: those of the table that names a role, and of the role that a workspace made.
pub(crate) fn rights_columns(dialect: Dialect, of: &str, role: &str, name: &str) -> String {
    let permissions = dialect.json_text(&format!("{role}.permissions"));
    format!("{of}.role AS {name}, {of}.role_id AS {name}_id, {role}.name AS {name}_label, {permissions} AS {name}_may")
}

/// A role with what it lets somebody do. One that is gone lets nobody do anything.
pub(crate) fn read_rights(row: &Row, name: &str) -> Result<Rights, Error> {
    read_optional_rights(row, name)?.ok_or_else(|| Error::Column { column: name.to_owned() })
}

/// The same where there may be none.
pub(crate) fn read_optional_rights(row: &Row, name: &str) -> Result<Option<Rights>, Error> {
    let Some(text) = row.get::<Option<String>>(name)? else { return Ok(None) };
    if let Some(role) = Role::parse(&text) {
        return Ok(Some(role.into()));
    }
    let id: Option<RoleId> = row.get(&format!("{name}_id"))?;
    let role = id.map(RoleKey::Custom).ok_or_else(|| Error::Column { column: name.to_owned() })?;
    let label = row.get::<Option<String>>(&format!("{name}_label"))?.unwrap_or_default();
    let names: Vec<String> = row.json_or_none(&format!("{name}_may"))?.unwrap_or_default();
    Ok(Some(Rights { role, label, permissions: Permissions::named(&names) }))
}
