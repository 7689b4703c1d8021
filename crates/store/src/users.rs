//! People who sign in, and what they are in which workspace.
//!
//! A user is one person with one password, whatever number of workspaces they belong to. Rows stay when somebody
//! leaves, since timelines name them.

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    permissions::Role,
    time::Timestamp,
};

use crate::sql::{Error, Reader, Row, Tx, params};

/// Someone who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user.
    pub id: UserId,
    /// In lower case, unique.
    pub email: String,
    /// As others see it.
    pub name: String,
    /// A PHC string.
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
    pub role: Role,
    /// When they became a member.
    pub created_at: Timestamp,
    /// Since when they cannot sign in.
    pub disabled_at: Option<Timestamp>,
    /// Whether they belong to another workspace as well.
    pub is_elsewhere: bool,
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
    role: Role,
    now: Timestamp,
) -> Result<bool, Error> {
    let sql = "INSERT INTO memberships (workspace_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING";
    Ok(tx.execute(sql, &params![workspace, user, role.as_str(), now]).await? == 1)
}

/// Makes a member something else and tells whether they are one.
///
/// # Errors
/// Where the database fails.
pub async fn set_role(tx: &mut Tx, workspace: WorkspaceId, user: UserId, role: Role) -> Result<bool, Error> {
    let sql = "UPDATE memberships SET role = $3 WHERE workspace_id = $1 AND user_id = $2";
    Ok(tx.execute(sql, &params![workspace, user, role.as_str()]).await? == 1)
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
    let sql = format!("{MEMBERS} ORDER BY u.name, u.id LIMIT 1000");
    reader.query(&sql, &params![workspace]).await?.iter().map(read_member).collect()
}

/// One member of a workspace.
///
/// # Errors
/// Where the database fails.
pub async fn find_member(reader: &Reader, workspace: WorkspaceId, user: UserId) -> Result<Option<Member>, Error> {
    let sql = format!("{MEMBERS} AND u.id = $2");
    reader.query_one(&sql, &params![workspace, user]).await?.as_ref().map(read_member).transpose()
}

/// The members of a workspace as this transaction sees them. Whoever changes members locks the workspace first.
///
/// # Errors
/// Where the database fails.
pub async fn members_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<Member>, Error> {
    tx.query(MEMBERS, &params![workspace]).await?.iter().map(read_member).collect()
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

const MEMBERS: &str = "SELECT u.id, u.email, u.name, m.role, m.created_at, u.disabled_at,
        EXISTS (SELECT 1 FROM memberships o
                WHERE o.user_id = m.user_id AND o.workspace_id <> m.workspace_id) AS is_elsewhere
     FROM memberships m JOIN users u ON u.id = m.user_id
     WHERE m.workspace_id = $1";

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
        role: read_role(row, "role")?,
        created_at: row.get("created_at")?,
        disabled_at: row.get("disabled_at")?,
        is_elsewhere: row.get("is_elsewhere")?,
    })
}

/// A role that a column names.
pub(crate) fn read_role(row: &Row, column: &str) -> Result<Role, Error> {
    Role::parse(&row.get::<String>(column)?).ok_or_else(|| Error::Column { column: column.to_owned() })
}
