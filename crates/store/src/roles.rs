//! Roles that a workspace made. Those that every workspace has stand in the domain.

use leadline_domain::{
    ids::{RoleId, WorkspaceId},
    permissions::{Permissions, Rights, RoleKey},
    time::Timestamp,
};
use serde_json::json;

use crate::{
    dialect::Dialect,
    sql::{Error, Reader, Row, Tx, params},
    users::role_name,
};

/// A role of a workspace's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomRole {
    /// The role.
    pub id: RoleId,
    /// Its name on the screen.
    pub name: String,
    /// What it lets somebody do.
    pub permissions: Permissions,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl CustomRole {
    /// What somebody with this role may do.
    #[must_use]
    pub fn rights(&self) -> Rights {
        Rights { role: RoleKey::Custom(self.id), label: self.name.clone(), permissions: self.permissions }
    }
}

/// Who has a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bearers {
    /// Members.
    pub members: i64,
    /// Tokens that are valid.
    pub tokens: i64,
    /// Invitations that are open.
    pub invitations: i64,
    /// A sign-in provider, whose users get it.
    pub providers: i64,
}

impl Bearers {
    /// Whether there is anybody.
    #[must_use]
    pub const fn are_any(self) -> bool {
        self.members + self.tokens + self.invitations + self.providers > 0
    }
}

/// Inserts a role.
///
/// # Errors
/// [`Error::Exists`] where the name is taken, or where the database fails.
pub async fn insert(tx: &mut Tx, workspace: WorkspaceId, role: &CustomRole) -> Result<(), Error> {
    let sql = format!(
        "INSERT INTO roles (id, workspace_id, name, permissions, created_at, updated_at)
         VALUES ($1, $2, $3, {permissions}, $5, $6)",
        permissions = tx.dialect().json(4),
    );
    let permissions = json!(role.permissions.names());
    let params = params![role.id, workspace, role.name, permissions, role.created_at, role.updated_at];
    tx.execute(&sql, &params).await.map(drop)
}

/// Writes name and permissions, and tells whether the role is there.
///
/// # Errors
/// [`Error::Exists`] where the name is taken, or where the database fails.
pub async fn update(tx: &mut Tx, workspace: WorkspaceId, role: &CustomRole) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE roles SET name = $3, permissions = {permissions}, updated_at = $5
         WHERE id = $1 AND workspace_id = $2",
        permissions = tx.dialect().json(4),
    );
    let permissions = json!(role.permissions.names());
    Ok(tx.execute(&sql, &params![role.id, workspace, role.name, permissions, role.updated_at]).await? == 1)
}

/// Deletes a role and tells whether it was there. Whoever has it must have another one by then.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: RoleId) -> Result<bool, Error> {
    let sql = "DELETE FROM roles WHERE id = $1 AND workspace_id = $2";
    Ok(tx.execute(sql, &params![id, workspace]).await? == 1)
}

/// Gives everybody who has a role another one: members, tokens, and who is invited. By the indexes over `role_id`.
///
/// # Errors
/// Where the database fails.
pub async fn replace(tx: &mut Tx, workspace: WorkspaceId, from: RoleId, to: RoleKey) -> Result<(), Error> {
    for table in ["memberships", "credentials", "invitations", "sign_in_providers"] {
        let sql = format!("UPDATE {table} SET role = $3, role_id = $4 WHERE role_id = $1 AND workspace_id = $2");
        tx.execute(&sql, &params![from, workspace, role_name(to), to.custom()]).await?;
    }
    Ok(())
}

/// Who has a role.
///
/// # Errors
/// Where the database fails.
pub async fn count_bearers(tx: &mut Tx, workspace: WorkspaceId, id: RoleId, now: Timestamp) -> Result<Bearers, Error> {
    // Each by the index over `role_id`.
    let sql = "SELECT
         (SELECT COUNT(*) FROM memberships WHERE role_id = $1 AND workspace_id = $2) AS members,
         (SELECT COUNT(*) FROM credentials WHERE role_id = $1 AND workspace_id = $2 AND revoked_at IS NULL
             AND (expires_at IS NULL OR expires_at > $3)) AS tokens,
         (SELECT COUNT(*) FROM invitations WHERE role_id = $1 AND workspace_id = $2 AND accepted_at IS NULL
             AND revoked_at IS NULL AND expires_at > $3) AS invitations,
         (SELECT COUNT(*) FROM sign_in_providers WHERE role_id = $1 AND workspace_id = $2) AS providers";
    match tx.query_one(sql, &params![id, workspace, now]).await? {
        Some(row) => Ok(Bearers {
            members: row.get("members")?,
            tokens: row.get("tokens")?,
            invitations: row.get("invitations")?,
            providers: row.get("providers")?,
        }),
        None => Ok(Bearers::default()),
    }
}

/// A workspace's own roles, by name. By `roles_of_workspace`.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<CustomRole>, Error> {
    let sql = format!("{} WHERE workspace_id = $1 ORDER BY name LIMIT 1000", roles(reader.dialect()));
    reader.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// The same as this transaction sees them. Whoever changes roles locks the workspace first.
///
/// # Errors
/// Where the database fails.
pub async fn list_in(tx: &mut Tx, workspace: WorkspaceId) -> Result<Vec<CustomRole>, Error> {
    let sql = format!("{} WHERE workspace_id = $1 ORDER BY name LIMIT 1000", roles(tx.dialect()));
    tx.query(&sql, &params![workspace]).await?.iter().map(read).collect()
}

/// How many members have each role, by what the roles are called outside.
///
/// # Errors
/// Where the database fails.
pub async fn count_members(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<(String, i64)>, Error> {
    // By the primary key of memberships.
    let sql = "SELECT role, role_id, COUNT(*) AS n FROM memberships WHERE workspace_id = $1 GROUP BY role, role_id";
    let rows = reader.query(sql, &params![workspace]).await?;
    rows.iter()
        .map(|row| {
            let id: Option<RoleId> = row.get("role_id")?;
            let name = match id {
                Some(id) => id.to_string(),
                None => row.get("role")?,
            };
            Ok((name, row.get("n")?))
        })
        .collect()
}

fn roles(dialect: Dialect) -> String {
    let permissions = dialect.json_text("permissions");
    format!("SELECT id, name, {permissions} AS permissions, created_at, updated_at FROM roles")
}

fn read(row: &Row) -> Result<CustomRole, Error> {
    let names: Vec<String> = row.json("permissions")?;
    Ok(CustomRole {
        id: row.get("id")?,
        name: row.get("name")?,
        permissions: Permissions::named(&names),
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
