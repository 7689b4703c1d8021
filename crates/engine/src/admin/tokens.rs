//! Tokens for programs.

use leadline_domain::{
    ids::{CredentialId, UserId, WorkspaceId},
    permissions::{Permission, Role},
    time::Timestamp,
};
use leadline_store::{
    Store,
    credentials::{self, Credential, CredentialKind},
};

use crate::{
    Actor,
    admin::{AdminError, checked_name, secrets},
    random_bytes,
};

/// A token to be made.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What people call it.
    pub name: String,
    /// What it may do.
    pub role: Role,
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
    if !actor.role.may_grant(token.role) {
        return Err(AdminError::Forbidden("a token cannot have a role above your own"));
    }
    issue(store, now, actor.workspace, actor.user, token).await
}

/// Makes a token, for somebody or for nobody.
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
    let name = checked_name("name", &token.name)?;
    if token.expires_at.is_some_and(|at| at <= now) {
        return Err(AdminError::Invalid { field: "expiresAt", message: "must be in the future" });
    }
    let secret = secrets::new_token();
    let credential = Credential {
        id: CredentialId::new(now, random_bytes()),
        workspace_id: workspace,
        user_id: user,
        kind: CredentialKind::Token,
        name,
        role: Some(token.role),
        last4: secrets::last4(&secret),
        created_at: now,
        expires_at: token.expires_at,
        last_used_at: None,
    };
    let mut tx = store.begin().await?;
    credentials::insert(&mut tx, &credential, &secrets::hash(&secret)).await?;
    tx.commit().await?;
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
    if !credentials::revoke_token(&mut tx, actor.workspace, id, user, now).await? {
        return Err(AdminError::NotFound);
    }
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
