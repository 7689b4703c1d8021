//! Tokens for programs.

use leadline_domain::{
    ids::{CredentialId, UserId, WorkspaceId},
    permissions::{Permission, Permissions, Rights, RoleKey},
    time::Timestamp,
};
use leadline_store::{
    Store, Tx,
    credentials::{self, Credential, CredentialKind},
};
use serde_json::json;

use crate::{
    Actor,
    admin::{AdminError, COMMAND_LINE, checked_name, roles, secrets},
    audit::{self, Deed},
    random_bytes,
};

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: RoleKey,
    /// What it is kept to, of what its role lets it do; `None` for all of it.
    pub scopes: Option<Permissions>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A token that was just made, with its secret for this once.
#[derive(Debug, Clone)]
pub struct MadeToken {
    /// What is stored of it.
    pub credential: Credential,
    /// The token itself.
    pub secret: String,
}

/// Makes a token that belongs to the actor, with a role that the actor may hand out.
///
/// # Errors
/// [`AdminError::Forbidden`] where the role is more than the actor's, or where a field is not right.
pub async fn create(store: &Store, now: Timestamp, actor: &Actor, token: NewToken) -> Result<MadeToken, AdminError> {
    let mut tx = store.begin().await?;
    let role = roles::resolve(&mut tx, actor.workspace, token.role).await?;
    let kept_to = token.scopes.map_or(role.permissions, |scopes| scopes.and(role.permissions));
    let is_above = role.is_super_admin() && !actor.role.is_super_admin();
    if is_above || !kept_to.are_among(actor.role.permissions) {
        return Err(AdminError::Forbidden("a token cannot do more than you can"));
    }
    let made = insert(&mut tx, now, actor, actor.user, role, token).await?;
    tx.commit().await?;
    Ok(made)
}

/// Makes a token on the command line, for somebody or for nobody.
///
/// # Errors
/// Where a field is not right.
pub async fn issue(
    store: &Store,
    now: Timestamp,
    workspace: WorkspaceId,
    user: Option<UserId>,
    token: NewToken,
) -> Result<MadeToken, AdminError> {
    let mut tx = store.begin().await?;
    let role = roles::resolve(&mut tx, workspace, token.role).await?;
    let actor = Actor::system(workspace, COMMAND_LINE);
    let made = insert(&mut tx, now, &actor, user, role, token).await?;
    tx.commit().await?;
    Ok(made)
}

async fn insert(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    user: Option<UserId>,
    role: Rights,
    token: NewToken,
) -> Result<MadeToken, AdminError> {
    let name = checked_name("name", &token.name)?;
    if token.expires_at.is_some_and(|at| at <= now) {
        return Err(AdminError::Invalid { field: "expiresAt", message: "must be in the future" });
    }
    if token.scopes.is_some_and(Permissions::is_empty) {
        return Err(AdminError::Invalid { field: "scopes", message: "must name at least one" });
    }
    if token.scopes.is_some_and(|scopes| !scopes.are_among(role.permissions)) {
        return Err(AdminError::Invalid { field: "scopes", message: "must be among the permissions of the role" });
    }
    let secret = secrets::new_token();
    let credential = Credential {
        id: CredentialId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        user_id: user,
        kind: CredentialKind::Token,
        name,
        role: Some(role),
        scopes: token.scopes,
        ip: None,
        last4: secrets::last4(&secret),
        created_at: now,
        expires_at: token.expires_at,
        last_used_at: None,
        provider_of: None,
    };
    credentials::insert(tx, &credential, &secrets::hash(&secret)).await?;
    let data = json!({
        "role": credential.role.as_ref().map(|role| role.label.as_str()),
        "scopes": credential.scopes.map(Permissions::names),
        "expiresAt": credential.expires_at,
    });
    audit::record(tx, now, actor, Deed::new("token.created", credential.id, &credential.name).with(data)).await?;
    Ok(MadeToken { credential, secret })
}

/// The tokens that the actor may see: everybody's where it manages tokens, else its own.
///
/// # Errors
/// Where the store fails.
pub async fn list(store: &Store, now: Timestamp, actor: &Actor) -> Result<Vec<Credential>, AdminError> {
    match reach(actor) {
        Reach::All => Ok(credentials::list_tokens(&store.reader(), actor.workspace, None, now).await?),
        Reach::Own(user) => Ok(credentials::list_tokens(&store.reader(), actor.workspace, Some(user), now).await?),
        Reach::None => Ok(Vec::new()),
    }
}

/// Ends a token, at once.
///
/// # Errors
/// [`AdminError::NotFound`] where the actor sees no such token.
pub async fn revoke(store: &Store, now: Timestamp, actor: &Actor, id: CredentialId) -> Result<(), AdminError> {
    let user = match reach(actor) {
        Reach::All => None,
        Reach::Own(user) => Some(user),
        Reach::None => return Err(AdminError::NotFound),
    };
    let mut tx = store.begin().await?;
    let name = credentials::revoke_token(&mut tx, actor.workspace, id, user, now).await?;
    let name = name.ok_or(AdminError::NotFound)?;
    audit::record(&mut tx, now, actor, Deed::new("token.revoked", id, &name)).await?;
    Ok(tx.commit().await?)
}

/// Whose tokens an actor sees.
enum Reach {
    All,
    Own(UserId),
    None,
}

fn reach(actor: &Actor) -> Reach {
    if actor.role.may(Permission::TokensManage) {
        return Reach::All;
    }
    actor.user.map_or(Reach::None, Reach::Own)
}
