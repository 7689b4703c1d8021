//! The members of a workspace.
//!
//! A user may belong to several workspaces. Their name, password and whether they can sign in at all are one for all
//! of them, so only the admins of their only workspace may touch those.

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    permissions::RoleKey,
    time::Timestamp,
};
use leadline_store::{
    self as store, Store, Tx, credentials,
    users::{self, Member, User},
    workspaces,
};
use serde_json::{Value, json};

use crate::{
    Actor,
    admin::{AdminError, COMMAND_LINE, checked_email, checked_name, passwords, roles, secrets, sessions},
    audit::{self, Deed},
    random_bytes,
};

/// A user to be made or taken in.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they shall be.
    pub role: RoleKey,
    /// Their password; without one they get one.
    pub password: Option<String>,
}

/// A user who was just made or taken in.
#[derive(Debug, Clone)]
pub struct MadeUser {
    /// The member.
    pub member: Member,
    /// The password that was made for them, for this once.
    pub password: Option<String>,
}

/// Makes a user, or takes one in who belongs to another workspace, with a role that the actor may hand out.
///
/// # Errors
/// [`AdminError::Conflict`] where they are a member already, [`AdminError::Forbidden`] where the role is more than the
/// actor's, or where a field is not right.
pub async fn create(store: &Store, now: Timestamp, actor: &Actor, user: NewUser) -> Result<MadeUser, AdminError> {
    admit(store, now, actor, user).await
}

/// Makes a user, or takes one in, on the command line.
///
/// # Errors
/// [`AdminError::Conflict`] where they are a member already, or where a field is not right.
pub async fn take_in(
    store: &Store,
    now: Timestamp,
    workspace: WorkspaceId,
    new: NewUser,
) -> Result<MadeUser, AdminError> {
    admit(store, now, &Actor::system(workspace, COMMAND_LINE), new).await
}

async fn admit(store: &Store, now: Timestamp, actor: &Actor, new: NewUser) -> Result<MadeUser, AdminError> {
    let workspace = actor.workspace;
    let email = checked_email(&new.email)?;
    let name = checked_name("name", &new.name)?;
    if let Some(password) = &new.password {
        passwords::check("password", password)?;
    }
    let known = users::find_by_email(&store.reader(), &email).await?;
    let generated = (known.is_none() && new.password.is_none()).then(secrets::new_password);
    // Hashing takes its time: not inside a transaction.
    let password_hash = match new.password.as_deref().or(generated.as_deref()) {
        Some(password) => Some(passwords::hash(password).await?),
        None => None,
    };
    let mut tx = store.begin().await?;
    workspaces::lock(&mut tx, workspace).await?.ok_or(AdminError::NotFound)?;
    let role = roles::resolve_grantable(&mut tx, actor, new.role).await?;
    let id = match known {
        Some(user) => readmit(&mut tx, &user, password_hash.as_deref()).await?,
        None => {
            let (id, password_hash) = (UserId::new(now, random_bytes()), password_hash.unwrap_or_default());
            let user = User { id, email, name, password_hash, created_at: now, disabled_at: None };
            insert(&mut tx, &user).await?;
            id
        }
    };
    if !users::insert_member(&mut tx, workspace, id, new.role, now).await? {
        return Err(AdminError::Conflict("this user is a member already"));
    }
    let member = member_in(&mut tx, workspace, id).await?;
    let deed = Deed::new("user.created", id, &member.email).with(json!({ "role": role.label }));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(MadeUser { member, password: generated })
}

async fn insert(tx: &mut Tx, user: &User) -> Result<(), AdminError> {
    match users::insert(tx, user).await {
        Err(store::Error::Exists) => Err(AdminError::Conflict("somebody was given this address just now")),
        other => Ok(other?),
    }
}

/// Somebody who is known keeps their password, unless they belong nowhere any more.
async fn readmit(tx: &mut Tx, user: &User, password_hash: Option<&str>) -> Result<UserId, AdminError> {
    let Some(password_hash) = password_hash else { return Ok(user.id) };
    if users::count_memberships(tx, user.id).await? > 0 {
        return Err(AdminError::Conflict("this user has a password already; leave it out"));
    }
    users::set_password(tx, user.id, password_hash).await?;
    Ok(user.id)
}

/// What somebody wants changed about a member. What is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// What they shall be.
    pub role: Option<RoleKey>,
    /// Their name.
    pub name: Option<String>,
    /// Whether they are kept from signing in.
    pub disabled: Option<bool>,
    /// A new password for them.
    pub password: Option<String>,
}

/// Changes a member.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`] where the actor has less than the member or the new role,
/// [`AdminError::Conflict`] where nobody would be super admin, or where a field is not right.
pub async fn change(
    store: &Store,
    now: Timestamp,
    actor: &Actor,
    id: UserId,
    change: Change,
) -> Result<Member, AdminError> {
    let password_hash = match &change.password {
        Some(password) => {
            passwords::check("password", password)?;
            Some(passwords::hash(password).await?)
        }
        None => None,
    };
    if actor.user == Some(id) {
        sessions::refuse_beyond_provider(store, now, actor).await?;
    }
    let mut tx = store.begin().await?;
    let member = lock_member(&mut tx, actor, id).await?;
    let before = member.clone();
    if let Some(role) = change.role.filter(|role| *role != member.role.role) {
        let role = roles::resolve_grantable(&mut tx, actor, role).await?;
        users::set_role(&mut tx, actor.workspace, id, role.role).await?;
    }
    let is_about_the_person = change.name.is_some() || change.disabled.is_some() || change.password.is_some();
    if is_about_the_person {
        change_person(&mut tx, now, actor, &member, &change, password_hash.as_deref()).await?;
    }
    refuse_headless(&mut tx, actor.workspace, &member).await?;
    let member = member_in(&mut tx, actor.workspace, id).await?;
    let mut data = audit::changes(&shown(&before), &shown(&member));
    data["passwordReplaced"] = change.password.is_some().into();
    audit::record(&mut tx, now, actor, Deed::new("user.updated", id, &member.email).with(data)).await?;
    tx.commit().await?;
    Ok(member)
}

fn shown(member: &Member) -> Value {
    json!({"name": member.name, "role": member.role.label, "isDisabled": member.disabled_at.is_some()})
}

async fn change_person(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    member: &Member,
    change: &Change,
    password_hash: Option<&str>,
) -> Result<(), AdminError> {
    if member.is_elsewhere && actor.user != Some(member.id) {
        return Err(AdminError::Conflict(
            "this user belongs to another workspace too; only their role can be changed here",
        ));
    }
    let name = change.name.as_deref().map(|name| checked_name("name", name)).transpose()?;
    let disabled_at = match change.disabled {
        None => member.disabled_at,
        Some(false) => None,
        Some(true) => member.disabled_at.or(Some(now)),
    };
    users::update(tx, member.id, name.as_deref().unwrap_or(&member.name), disabled_at).await?;
    if let Some(hash) = password_hash {
        users::set_password(tx, member.id, hash).await?;
    }
    if password_hash.is_some() || disabled_at.is_some() {
        let own_session = actor.credential.filter(|_| actor.user == Some(member.id));
        credentials::revoke_sessions(tx, member.id, own_session, now).await?;
    }
    Ok(())
}

/// Ends a membership, with the member's sessions and tokens in this workspace.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`] where the actor has less than the member,
/// [`AdminError::Conflict`] where nobody would be super admin.
pub async fn remove(store: &Store, now: Timestamp, actor: &Actor, id: UserId) -> Result<(), AdminError> {
    let mut tx = store.begin().await?;
    let member = lock_member(&mut tx, actor, id).await?;
    users::delete_member(&mut tx, actor.workspace, id).await?;
    credentials::revoke_of_member(&mut tx, actor.workspace, id, now).await?;
    refuse_headless(&mut tx, actor.workspace, &member).await?;
    let deed = Deed::new("user.removed", id, &member.email).with(json!({ "role": member.role.label }));
    audit::record(&mut tx, now, actor, deed).await?;
    Ok(tx.commit().await?)
}

/// The member, while nobody else changes the workspace's members.
async fn lock_member(tx: &mut Tx, actor: &Actor, id: UserId) -> Result<Member, AdminError> {
    workspaces::lock(tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let member = member_in(tx, actor.workspace, id).await?;
    if !actor.role.may_grant(&member.role) {
        return Err(AdminError::Forbidden(
            "only a super admin changes a super admin, and nobody changes who has more than they have",
        ));
    }
    Ok(member)
}

async fn member_in(tx: &mut Tx, workspace: WorkspaceId, id: UserId) -> Result<Member, AdminError> {
    let members = users::members_in(tx, workspace).await?;
    members.into_iter().find(|member| member.id == id).ok_or(AdminError::NotFound)
}

/// A workspace that had a super admin keeps one. Those made on the command line may never have had any.
async fn refuse_headless(tx: &mut Tx, workspace: WorkspaceId, changed: &Member) -> Result<(), AdminError> {
    // Whoever has no password comes in by a provider, which may be gone some day.
    let is_head = |member: &Member| member.role.is_super_admin() && member.disabled_at.is_none() && member.has_password;
    if is_head(changed) && !users::members_in(tx, workspace).await?.iter().any(is_head) {
        return Err(AdminError::Conflict("a workspace keeps at least one super admin who can sign in with a password"));
    }
    Ok(())
}
