//! Signing in and out, and finding out who sends a request.

use std::net::IpAddr;

use leadline_domain::{
    ids::{CredentialId, UserId, WorkspaceId},
    permissions::Role,
    time::{DAY_MS, MINUTE_MS, Timestamp},
};
use leadline_store::{
    self as store, Store, Tx,
    credentials::{self, Credential, CredentialKind, Valid},
    users, workspaces,
};

use crate::{
    Actor, ActorKind,
    admin::{AdminError, attempts::Attempts, passwords, secrets},
    random_bytes,
};

/// How long a session lasts at most.
pub const SESSION_MS: i64 = 30 * DAY_MS;

/// When a credential was used is noted no more often than this.
const TOUCH_EVERY_MS: i64 = 5 * MINUTE_MS;

/// A session that was just opened.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// What the browser keeps.
    pub secret: String,
    /// The session.
    pub session: CredentialId,
    /// Where it counts.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub user: UserId,
}

/// What somebody signs in with.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Their address, as typed.
    pub email: String,
    /// Their password.
    pub password: String,
    /// Where they are.
    pub ip: Option<IpAddr>,
    /// The browser they use.
    pub browser: String,
}

/// Opens a session for whoever has this address and password, in the first of their workspaces by name.
///
/// # Errors
/// [`AdminError::WrongCredentials`], whatever it is that is wrong; [`AdminError::TooManyAttempts`].
pub async fn sign_in(
    store: &Store,
    attempts: &Attempts,
    now: Timestamp,
    sign_in: SignIn,
) -> Result<SignedIn, AdminError> {
    attempts
        .begin(&sign_in.email, sign_in.ip, now)
        .map_err(|retry_after_s| AdminError::TooManyAttempts { retry_after_s })?;
    let reader = store.reader();
    let email = super::checked_email(&sign_in.email).unwrap_or_default();
    let user = users::find_by_email(&reader, &email).await?;
    let matches = passwords::verify(&sign_in.password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
    let user = user.filter(|user| matches && user.disabled_at.is_none()).ok_or(AdminError::WrongCredentials)?;
    let workspaces = workspaces::list_of_user(&reader, user.id).await?;
    let (workspace, _) = workspaces.first().ok_or(AdminError::WrongCredentials)?;
    let mut tx = store.begin().await?;
    let signed_in = open(&mut tx, now, workspace.id, user.id, &sign_in.browser).await?;
    tx.commit().await?;
    attempts.forgive(&sign_in.email, sign_in.ip);
    Ok(signed_in)
}

/// Opens a session.
pub(super) async fn open(
    tx: &mut Tx,
    now: Timestamp,
    workspace: WorkspaceId,
    user: UserId,
    browser: &str,
) -> Result<SignedIn, store::Error> {
    let secret = secrets::new_session();
    let credential = Credential {
        id: CredentialId::new(now, random_bytes()),
        workspace_id: workspace,
        user_id: Some(user),
        kind: CredentialKind::Session,
        name: browser.chars().filter(|c| !c.is_control()).take(200).collect(),
        role: None,
        last4: secrets::last4(&secret),
        created_at: now,
        expires_at: Some(now.plus_ms(SESSION_MS)),
        last_used_at: Some(now),
    };
    credentials::insert(tx, &credential, &secrets::hash(&secret)).await?;
    Ok(SignedIn { secret, session: credential.id, workspace, user })
}

/// Who has this secret, of a session or a token, as long as it is valid.
///
/// # Errors
/// Where the store fails.
pub async fn authenticate(store: &Store, now: Timestamp, secret: &str) -> Result<Option<Actor>, store::Error> {
    let valid = credentials::find_valid(&store.reader(), &secrets::hash(secret), now).await?;
    let Some((valid, role)) = valid.and_then(|valid| effective_role(&valid).map(|role| (valid, role))) else {
        return Ok(None);
    };
    let credential = valid.credential;
    if credential.last_used_at.is_none_or(|at| now.ms_since(at) >= TOUCH_EVERY_MS) {
        touch(store.clone(), credential.id, now);
    }
    let (kind, name) = match credential.kind {
        CredentialKind::Session => (ActorKind::User, valid.user_name.unwrap_or_default()),
        CredentialKind::Token => (ActorKind::Token, credential.name),
    };
    Ok(Some(Actor {
        workspace: credential.workspace_id,
        kind,
        user: credential.user_id,
        credential: Some(credential.id),
        name,
        role,
    }))
}

/// A session has its user's role. A token has its own, but never more than its user has now; a token of nobody has
/// what it was given.
fn effective_role(valid: &Valid) -> Option<Role> {
    let credential = &valid.credential;
    match (credential.kind, credential.user_id, credential.role, valid.member_role) {
        (CredentialKind::Session, Some(_), _, member) => member,
        (CredentialKind::Session, None, _, _) | (CredentialKind::Token, _, None, _) => None,
        (CredentialKind::Token, None, Some(role), _) => Some(role),
        (CredentialKind::Token, Some(_), Some(role), member) => {
            member.map(|member| if member.may_grant(role) { role } else { member })
        }
    }
}

/// Notes the use in the background: a reader must not wait for the writer.
fn touch(store: Store, credential: CredentialId, now: Timestamp) {
    tokio::spawn(async move {
        let noted = async {
            let mut tx = store.begin().await?;
            credentials::touch(&mut tx, credential, now).await?;
            tx.commit().await
        };
        if let Err(error) = noted.await {
            tracing::debug!(%error, "the use of a credential was not noted");
        }
    });
}

/// Ends the actor's session.
///
/// # Errors
/// [`AdminError::NotFound`] where the actor has none.
pub async fn sign_out(store: &Store, now: Timestamp, actor: &Actor) -> Result<(), AdminError> {
    let (user, session) = session_of(actor)?;
    revoke(store, now, user, session).await
}

/// Ends one of the actor's sessions.
///
/// # Errors
/// [`AdminError::NotFound`] where it is not the actor's or has ended.
pub async fn revoke_own(store: &Store, now: Timestamp, actor: &Actor, session: CredentialId) -> Result<(), AdminError> {
    revoke(store, now, actor.user.ok_or(AdminError::NotFound)?, session).await
}

async fn revoke(store: &Store, now: Timestamp, user: UserId, session: CredentialId) -> Result<(), AdminError> {
    let mut tx = store.begin().await?;
    if !credentials::revoke_session(&mut tx, user, session, now).await? {
        return Err(AdminError::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Ends all of the actor's sessions but the one it acts with, and tells how many.
///
/// # Errors
/// [`AdminError::NotFound`] where the actor is no person at the dashboard.
pub async fn revoke_others(store: &Store, now: Timestamp, actor: &Actor) -> Result<u64, AdminError> {
    let (user, session) = session_of(actor)?;
    let mut tx = store.begin().await?;
    let ended = credentials::revoke_sessions(&mut tx, user, Some(session), now).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Lets the actor's session count in another of its workspaces.
///
/// # Errors
/// [`AdminError::NotFound`] where the user is no member there.
pub async fn switch_workspace(store: &Store, actor: &Actor, to: WorkspaceId) -> Result<(), AdminError> {
    let (user, session) = session_of(actor)?;
    users::find_member(&store.reader(), to, user).await?.ok_or(AdminError::NotFound)?;
    let mut tx = store.begin().await?;
    if !credentials::move_session(&mut tx, session, to).await? {
        return Err(AdminError::NotFound);
    }
    Ok(tx.commit().await?)
}

/// Changes the actor's own password and ends all of their other sessions. Guesses at the current password count as
/// attempts to sign in.
///
/// # Errors
/// [`AdminError::WrongCredentials`] where the current password is another one, or where the new one is not right.
pub async fn change_password(
    store: &Store,
    attempts: &Attempts,
    now: Timestamp,
    actor: &Actor,
    ip: Option<IpAddr>,
    passwords: PasswordChange,
) -> Result<(), AdminError> {
    let (user_id, session) = session_of(actor)?;
    passwords::check("newPassword", &passwords.new)?;
    let user = users::find(&store.reader(), user_id).await?.ok_or(AdminError::NotFound)?;
    attempts.begin(&user.email, ip, now).map_err(|retry_after_s| AdminError::TooManyAttempts { retry_after_s })?;
    if !passwords::verify(&passwords.current, Some(&user.password_hash)).await? {
        let message = "is not the current password";
        return Err(AdminError::Invalid { field: "currentPassword", message });
    }
    attempts.forgive(&user.email, ip);
    let hash = passwords::hash(&passwords.new).await?;
    let mut tx = store.begin().await?;
    users::set_password(&mut tx, user_id, &hash).await?;
    credentials::revoke_sessions(&mut tx, user_id, Some(session), now).await?;
    Ok(tx.commit().await?)
}

/// What it takes to change one's password.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// The one that counts now.
    pub current: String,
    /// The one that shall count.
    pub new: String,
}

fn session_of(actor: &Actor) -> Result<(UserId, CredentialId), AdminError> {
    match (actor.kind, actor.user, actor.credential) {
        (ActorKind::User, Some(user), Some(session)) => Ok((user, session)),
        (ActorKind::User | ActorKind::Token | ActorKind::System | ActorKind::Visitor, _, _) => {
            Err(AdminError::NotFound)
        }
    }
}
