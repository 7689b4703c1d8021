//! Roles that a workspace makes. Nobody makes, changes or gives one that has more than they have, and one that somebody
//! has goes only where they get another.

use leadline_domain::{
    ids::{RoleId, WorkspaceId},
    permissions::{Permissions, Rights, Role, RoleKey},
    time::Timestamp,
};
use leadline_store::{
    Store, Tx,
    roles::{self, CustomRole},
    workspaces,
};
use serde_json::json;

use crate::{
    Actor,
    admin::{AdminError, checked_name},
    audit::{self, Deed},
    random_bytes,
};

/// Roles of its own that a workspace has at most.
const MOST: usize = 50;

const TOO_MUCH: AdminError = AdminError::Forbidden("nobody hands out more than they have");

/// What somebody wants changed on a role.
#[derive(Debug, Clone, Default)]
pub struct RoleChange {
    /// Its name.
    pub name: Option<String>,
    /// What it lets somebody do.
    pub permissions: Option<Permissions>,
}

/// The role of this key with what it lets somebody do, in a workspace.
pub(super) async fn resolve(tx: &mut Tx, workspace: WorkspaceId, key: RoleKey) -> Result<Rights, AdminError> {
    let id = match key {
        RoleKey::BuiltIn(role) => return Ok(role.into()),
        RoleKey::Custom(id) => id,
    };
    let own = roles::list_in(tx, workspace).await?;
    let unknown = AdminError::Invalid { field: "role", message: "must be one of the roles of GET /v1/admin/roles" };
    own.iter().find(|role| role.id == id).map(CustomRole::rights).ok_or(unknown)
}

/// The same, where the actor may hand it out.
pub(super) async fn resolve_grantable(tx: &mut Tx, actor: &Actor, key: RoleKey) -> Result<Rights, AdminError> {
    let rights = resolve(tx, actor.workspace, key).await?;
    if !actor.role.may_grant(&rights) {
        return Err(AdminError::Forbidden(
            "only a super admin makes super admins, and nobody hands out more than they have",
        ));
    }
    Ok(rights)
}

/// Makes a role.
///
/// # Errors
/// [`AdminError::Conflict`] where the name is taken, [`AdminError::Forbidden`] where it has more than the actor, or
/// where a field is not right.
pub async fn create(
    store: &Store,
    now: Timestamp,
    actor: &Actor,
    name: &str,
    permissions: Permissions,
) -> Result<CustomRole, AdminError> {
    let name = checked_name("name", name)?;
    check_permissions(actor, permissions)?;
    let mut tx = store.begin().await?;
    workspaces::lock(&mut tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let known = roles::list_in(&mut tx, actor.workspace).await?;
    if known.len() >= MOST {
        return Err(AdminError::Conflict("a workspace has at most 50 roles of its own"));
    }
    check_name_is_free(&known, None, &name)?;
    let id = RoleId::new(now, random_bytes());
    let role = CustomRole { id, name, permissions, created_at: now, updated_at: now };
    roles::insert(&mut tx, actor.workspace, &role).await?;
    let deed = Deed::new("role.created", id, &role.name).with(json!({ "permissions": permissions.names() }));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(role)
}

/// Changes a role, for everybody who has it, from their next request on.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Conflict`] where the name is taken, [`AdminError::Forbidden`] where the role
/// has or would have more than the actor, or where a field is not right.
pub async fn change(
    store: &Store,
    now: Timestamp,
    actor: &Actor,
    id: RoleId,
    change: RoleChange,
) -> Result<CustomRole, AdminError> {
    let name = change.name.as_deref().map(|name| checked_name("name", name)).transpose()?;
    let mut tx = store.begin().await?;
    let (known, before) = lock_role(&mut tx, actor, id).await?;
    let permissions = change.permissions.unwrap_or(before.permissions);
    check_permissions(actor, permissions)?;
    if let Some(name) = &name {
        check_name_is_free(&known, Some(id), name)?;
    }
    let name = name.unwrap_or_else(|| before.name.clone());
    let role = CustomRole { name, permissions, updated_at: now, ..before.clone() };
    roles::update(&mut tx, actor.workspace, &role).await?;
    let shown = |role: &CustomRole| json!({"name": role.name, "permissions": role.permissions.names()});
    let data = audit::changes(&shown(&before), &shown(&role));
    audit::record(&mut tx, now, actor, Deed::new("role.updated", id, &role.name).with(data)).await?;
    tx.commit().await?;
    Ok(role)
}

/// Deletes a role. Who has it gets the role `to`, without which nobody may have it.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Conflict`] where somebody has it and no other is named,
/// [`AdminError::Forbidden`] where it or the other has more than the actor.
pub async fn delete(
    store: &Store,
    now: Timestamp,
    actor: &Actor,
    id: RoleId,
    to: Option<RoleKey>,
) -> Result<(), AdminError> {
    let mut tx = store.begin().await?;
    let (_, role) = lock_role(&mut tx, actor, id).await?;
    let bearers = roles::count_bearers(&mut tx, actor.workspace, id, now).await?;
    let mut moved_to = None;
    if let Some(to) = to {
        if to == RoleKey::Custom(id) {
            return Err(AdminError::Invalid { field: "moveTo", message: "must be another role" });
        }
        let rights = resolve_grantable(&mut tx, actor, to).await.map_err(|error| match error {
            AdminError::Invalid { message, .. } => AdminError::Invalid { field: "moveTo", message },
            other => other,
        })?;
        moved_to = Some(rights.label);
        roles::replace(&mut tx, actor.workspace, id, to).await?;
    } else if bearers.are_any() {
        return Err(AdminError::Conflict("somebody has this role: name another for them in moveTo"));
    } else {
        // What is over or revoked may name it still.
        roles::replace(&mut tx, actor.workspace, id, Role::Viewer.into()).await?;
    }
    roles::delete(&mut tx, actor.workspace, id).await?;
    let data = json!({"movedTo": moved_to, "members": bearers.members, "tokens": bearers.tokens});
    audit::record(&mut tx, now, actor, Deed::new("role.deleted", id, &role.name).with(data)).await?;
    Ok(tx.commit().await?)
}

/// The role, while nobody else changes the workspace's roles or members, where the actor has all that it has.
async fn lock_role(tx: &mut Tx, actor: &Actor, id: RoleId) -> Result<(Vec<CustomRole>, CustomRole), AdminError> {
    workspaces::lock(tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let known = roles::list_in(tx, actor.workspace).await?;
    let role = known.iter().find(|role| role.id == id).cloned().ok_or(AdminError::NotFound)?;
    if !actor.role.may_grant(&role.rights()) {
        return Err(TOO_MUCH);
    }
    Ok((known, role))
}

fn check_permissions(actor: &Actor, permissions: Permissions) -> Result<(), AdminError> {
    if permissions.is_empty() {
        return Err(AdminError::Invalid { field: "permissions", message: "must name at least one" });
    }
    if permissions.are_among(actor.role.permissions) { Ok(()) } else { Err(TOO_MUCH) }
}

/// Names differ by more than the case of their letters, those of the roles that every workspace has among them.
fn check_name_is_free(known: &[CustomRole], own: Option<RoleId>, name: &str) -> Result<(), AdminError> {
    let folded = name.to_lowercase();
    let is_taken = known.iter().any(|role| Some(role.id) != own && role.name.to_lowercase() == folded)
        || Role::ALL.iter().any(|role| role.label().to_lowercase() == folded);
    if is_taken { Err(AdminError::Conflict("a role of this name exists already")) } else { Ok(()) }
}
