//! Signing in and out, and finding out who sends a request.

use std::net::IpAddr;

use leadline_domain::{
    ids::{CredentialId, UserId, WorkspaceId},
    permissions::Rights,
    time::{DAY_MS, MINUTE_MS, Timestamp},
};
use leadline_store::{
    self as store, Store, Tx,
    credentials::{self, Credential, CredentialKind, Valid},
    users::{self, User},
    workspaces::{self, Workspace},
};
use serde_json::json;
use uuid::Uuid;

use crate::{
    Actor, ActorKind, Engine,
    admin::{AdminError, attempts::Attempts, passwords, second_factor, secrets, sign_in_provider},
    audit::{self, Deed},
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
    /// Whether a sign-in provider opened it.
    pub is_from_provider: bool,
}

/// What somebody signs in with.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// Their address, as typed.
    pub email: String,
    /// Their password.
    pub password: String,
    /// The code of their second factor, or one of their recovery codes.
    pub code: Option<String>,
    /// Where they are.
    pub place: Place,
}

/// Where somebody is who opens a session.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// Their address.
    pub ip: Option<IpAddr>,
    /// The browser they use.
    pub browser: String,
}

/// Opens a session for whoever has this address and password, and a code where they have a second factor, in the first
/// of their workspaces by name.
///
/// # Errors
/// [`AdminError::WrongCredentials`], whatever it is that is wrong; with the right ones [`AdminError::PasswordsOff`],
/// [`AdminError::SecondFactorNeeded`] and [`AdminError::WrongCode`]; [`AdminError::TooManyAttempts`].
pub async fn sign_in(engine: &Engine, attempts: &Attempts, sign_in: SignIn) -> Result<SignedIn, AdminError> {
    let SignIn { email: typed, password, code, place } = sign_in;
    let now = engine.clock.now();
    attempts.begin(&typed, place.ip, now).map_err(|retry_after_s| AdminError::TooManyAttempts { retry_after_s })?;
    let reader = engine.store.reader();
    let email = super::checked_email(&typed).unwrap_or_default();
    let user = users::find_by_email(&reader, &email).await?;
    let matches = passwords::verify(&password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
    let workspaces = workspaces::list_of_user(&reader, user.as_ref().map_or(NOBODY, |user| user.id)).await?;
    let may_come_in = |user: &User| matches && user.disabled_at.is_none() && !workspaces.is_empty();
    let Some(user) = user.clone().filter(may_come_in) else {
        let tried = Tried { email: &email, user: user.as_ref(), workspaces: &ids(&workspaces), place: &place };
        note_refused(engine, &tried, "password").await?;
        return Err(AdminError::WrongCredentials);
    };
    if !sign_in_provider::takes_password_of(engine, &workspaces).await? {
        attempts.forgive(&typed, place.ip);
        let tried = Tried { email: &email, user: Some(&user), workspaces: &ids(&workspaces), place: &place };
        note_refused(engine, &tried, "passwords_off").await?;
        return Err(AdminError::PasswordsOff);
    }
    let proven = match second_factor::prove(engine, attempts, user.id, code.as_deref()).await {
        Err(AdminError::SecondFactorNeeded) => {
            attempts.forgive(&typed, place.ip);
            return Err(AdminError::SecondFactorNeeded);
        }
        Err(AdminError::WrongCode) => {
            let tried = Tried { email: &email, user: Some(&user), workspaces: &ids(&workspaces), place: &place };
            note_refused(engine, &tried, "code").await?;
            return Err(AdminError::WrongCode);
        }
        proven => proven?,
    };
    let mut tx = engine.store.begin().await?;
    if !second_factor::use_up(&mut tx, user.id, &proven, now).await? {
        tx.rollback().await?;
        let tried = Tried { email: &email, user: Some(&user), workspaces: &ids(&workspaces), place: &place };
        note_refused(engine, &tried, "code").await?;
        return Err(AdminError::WrongCode);
    }
    let workspace = workspaces.first().map(|(workspace, _)| workspace.id).ok_or(AdminError::WrongCredentials)?;
    let signed_in = open(&mut tx, now, workspace, &user, &place, proven.as_str()).await?;
    tx.commit().await?;
    attempts.forgive(&typed, place.ip);
    attempts.forgive_codes(user.id);
    Ok(signed_in)
}

/// No user has this id.
const NOBODY: UserId = UserId(Uuid::nil());

/// Workspaces in which one failure is written down at most.
const NOTED_IN: usize = 20;

fn ids(workspaces: &[(Workspace, Rights)]) -> Vec<WorkspaceId> {
    workspaces.iter().map(|(workspace, _)| workspace.id).collect()
}

/// Somebody who did not come in.
struct Tried<'a> {
    email: &'a str,
    user: Option<&'a User>,
    workspaces: &'a [WorkspaceId],
    place: &'a Place,
}

/// Writes a failure down where the user belongs. One that is about nobody is written down in the installation's first
/// workspace: somebody should see it, and an address that is known costs no more than one that is not.
async fn note_refused(engine: &Engine, tried: &Tried<'_>, reason: &str) -> Result<(), AdminError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut noted: Vec<WorkspaceId> = workspaces::find_first(&mut tx).await?.into_iter().collect();
    if !tried.workspaces.is_empty() {
        noted = tried.workspaces.iter().copied().take(NOTED_IN).collect();
    }
    let Some(first) = noted.first() else { return Ok(tx.rollback().await?) };
    let name = tried.user.map_or("Somebody unknown", |user| user.name.as_str());
    let actor = Actor {
        kind: ActorKind::Visitor,
        user: tried.user.map(|user| user.id),
        ip: tried.place.ip,
        ..Actor::system(*first, name)
    };
    let object = tried.user.map_or_else(String::new, |user| user.id.to_string());
    let deed = Deed::new("session.refused", object, tried.email).with(json!({ "reason": reason }));
    audit::record_in(&mut tx, now, &actor, &noted, &deed).await?;
    Ok(tx.commit().await?)
}

/// How somebody showed who they are.
#[derive(Debug, Clone)]
pub(super) struct By {
    /// In words.
    pub words: String,
    /// Whose sign-in provider vouched for them.
    pub provider_of: Option<WorkspaceId>,
}

impl From<&str> for By {
    fn from(words: &str) -> Self {
        Self { words: words.to_owned(), provider_of: None }
    }
}

/// Opens a session and writes it down, with the way in which its user showed who they are.
pub(super) async fn open(
    tx: &mut Tx,
    now: Timestamp,
    workspace: WorkspaceId,
    user: &User,
    place: &Place,
    by: impl Into<By>,
) -> Result<SignedIn, store::Error> {
    let by = by.into();
    let secret = secrets::new_session();
    let credential = Credential {
        id: CredentialId::new(now, random_bytes()),
        workspace_id: workspace,
        user_id: Some(user.id),
        kind: CredentialKind::Session,
        name: place.browser.chars().filter(|c| !c.is_control()).take(200).collect(),
        role: None,
        scopes: None,
        ip: place.ip.map(|ip| ip.to_string()),
        last4: secrets::last4(&secret),
        created_at: now,
        expires_at: Some(now.plus_ms(SESSION_MS)),
        last_used_at: Some(now),
        provider_of: by.provider_of,
    };
    credentials::insert(tx, &credential, &secrets::hash(&secret)).await?;
    let actor = Actor {
        kind: ActorKind::User,
        user: Some(user.id),
        credential: Some(credential.id),
        ip: place.ip,
        ..Actor::system(workspace, &user.name)
    };
    let deed = Deed::new("session.opened", user.id, &user.email).with(json!({ "by": by.words }));
    audit::record(tx, now, &actor, deed).await?;
    let is_from_provider = by.provider_of.is_some();
    Ok(SignedIn { secret, session: credential.id, workspace, user: user.id, is_from_provider })
}

/// Who has this secret, of a session or a token, as long as it is valid.
///
/// # Errors
/// Where the store fails.
pub async fn authenticate(store: &Store, now: Timestamp, secret: &str) -> Result<Option<Authenticated>, store::Error> {
    let valid = credentials::find_valid(&store.reader(), &secrets::hash(secret), now).await?;
    let found = valid.and_then(authenticated);
    if let Some(found) = &found
        && let Some(credential) = found.actor.credential
        && found.last_used_at.is_none_or(|at| now.ms_since(at) >= TOUCH_EVERY_MS)
    {
        touch(store.clone(), credential, now);
    }
    Ok(found)
}

/// What an actor may do by now, as long as its session or token is valid: for answers that have no end of their own.
///
/// # Errors
/// Where the store fails.
pub async fn still(store: &Store, now: Timestamp, actor: &Actor) -> Result<Option<Authenticated>, store::Error> {
    let Some(credential) = actor.credential else { return Ok(None) };
    let valid = credentials::find_valid_by_id(&store.reader(), credential, now).await?;
    Ok(valid.and_then(authenticated).filter(|found| found.actor.workspace == actor.workspace))
}

/// Somebody whose session or token is valid.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who it is. From where is told by the request.
    pub actor: Actor,
    /// Whether the workspace wants everybody to have a second factor and this is somebody without one: they may do
    /// nothing but set one up.
    pub lacks_second_factor: bool,
    last_used_at: Option<Timestamp>,
}

fn authenticated(valid: Valid) -> Option<Authenticated> {
    let role = effective_rights(&valid)?;
    let credential = valid.credential;
    let is_session = credential.kind == CredentialKind::Session;
    let (kind, name) = match credential.kind {
        CredentialKind::Session => (ActorKind::User, valid.user_name.unwrap_or_default()),
        CredentialKind::Token => (ActorKind::Token, credential.name),
    };
    Some(Authenticated {
        lacks_second_factor: is_session && valid.demands_second_factor && !valid.has_second_factor,
        last_used_at: credential.last_used_at,
        actor: Actor {
            workspace: credential.workspace_id,
            kind,
            user: credential.user_id,
            credential: Some(credential.id),
            name,
            role,
            ip: None,
        },
    })
}

/// A session has its user's rights. A token has those of its role that its user has too, and none beyond those that it
/// is kept to; a token of nobody has what it was given.
fn effective_rights(valid: &Valid) -> Option<Rights> {
    let credential = &valid.credential;
    let token = match (credential.kind, credential.user_id, credential.role.clone()) {
        (CredentialKind::Session, Some(_), _) => return valid.member_role.clone(),
        (CredentialKind::Session, None, _) | (CredentialKind::Token, _, None) => return None,
        (CredentialKind::Token, None, Some(role)) => role,
        (CredentialKind::Token, Some(_), Some(role)) => role.held_by(valid.member_role.as_ref()?),
    };
    Some(match credential.scopes {
        Some(scopes) => token.narrowed(scopes),
        None => token,
    })
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
    revoke(store, now, actor, user, session).await
}

/// Ends one of the actor's sessions.
///
/// # Errors
/// [`AdminError::NotFound`] where it is not the actor's or has ended.
pub async fn revoke_own(store: &Store, now: Timestamp, actor: &Actor, session: CredentialId) -> Result<(), AdminError> {
    revoke(store, now, actor, actor.user.ok_or(AdminError::NotFound)?, session).await
}

async fn revoke(
    store: &Store,
    now: Timestamp,
    actor: &Actor,
    user: UserId,
    session: CredentialId,
) -> Result<(), AdminError> {
    if actor.credential != Some(session) {
        refuse_beyond_provider(store, now, actor).await?;
    }
    let mut tx = store.begin().await?;
    if !credentials::revoke_session(&mut tx, user, session, now).await? {
        return Err(AdminError::NotFound);
    }
    audit::record(&mut tx, now, actor, Deed::new("session.ended", session, &actor.name)).await?;
    Ok(tx.commit().await?)
}

/// Ends all of the actor's sessions but the one it acts with, and tells how many.
///
/// # Errors
/// [`AdminError::NotFound`] where the actor is no person at the dashboard.
pub async fn revoke_others(store: &Store, now: Timestamp, actor: &Actor) -> Result<u64, AdminError> {
    let (user, session) = session_of(actor)?;
    refuse_beyond_provider(store, now, actor).await?;
    let mut tx = store.begin().await?;
    let ended = credentials::revoke_sessions(&mut tx, user, Some(session), now).await?;
    let deed = Deed::new("session.others_ended", user, &actor.name).with(json!({ "ended": ended }));
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(ended)
}

/// The workspace whose sign-in provider opened the actor's session, where one did.
///
/// # Errors
/// Where the database fails.
pub async fn provider_of(store: &Store, now: Timestamp, actor: &Actor) -> Result<Option<WorkspaceId>, store::Error> {
    let Some(credential) = actor.credential else { return Ok(None) };
    let valid = credentials::find_valid_by_id(&store.reader(), credential, now).await?;
    Ok(valid.and_then(|valid| valid.credential.provider_of))
}

/// Keeps a session from a provider away from what would count in other workspaces too: whoever runs the provider could
/// have opened it.
pub(super) async fn refuse_from_provider(store: &Store, now: Timestamp, actor: &Actor) -> Result<(), AdminError> {
    match provider_of(store, now, actor).await? {
        Some(_) => Err(AdminError::Forbidden(
            "this session was opened with a sign-in provider, and counts in its workspace alone; sign in with your password",
        )),
        None => Ok(()),
    }
}

/// The same where the actor's user belongs to other workspaces.
pub(super) async fn refuse_beyond_provider(store: &Store, now: Timestamp, actor: &Actor) -> Result<(), AdminError> {
    let Some(user) = actor.user else { return Ok(()) };
    if workspaces::list_of_user(&store.reader(), user).await?.len() < 2 {
        return Ok(());
    }
    refuse_from_provider(store, now, actor).await
}

/// Lets the actor's session count in another of its workspaces.
///
/// # Errors
/// [`AdminError::NotFound`] where the user is no member there, [`AdminError::Forbidden`] where a sign-in provider
/// opened the session.
pub async fn switch_workspace(store: &Store, now: Timestamp, actor: &Actor, to: WorkspaceId) -> Result<(), AdminError> {
    let (user, session) = session_of(actor)?;
    refuse_from_provider(store, now, actor).await?;
    users::find_member(&store.reader(), to, user).await?.ok_or(AdminError::NotFound)?;
    let mut tx = store.begin().await?;
    if !credentials::move_session(&mut tx, session, to).await? {
        return Err(AdminError::NotFound);
    }
    let deed = Deed::new("session.moved", session, &actor.name);
    audit::record_in(&mut tx, now, actor, &[actor.workspace, to], &deed).await?;
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
    passwords: PasswordChange,
) -> Result<(), AdminError> {
    let (user_id, session) = session_of(actor)?;
    passwords::check("newPassword", &passwords.new)?;
    confirm_password(store, attempts, now, actor, "currentPassword", &passwords.current).await?;
    let hash = passwords::hash(&passwords.new).await?;
    let mut tx = store.begin().await?;
    users::set_password(&mut tx, user_id, &hash).await?;
    credentials::revoke_sessions(&mut tx, user_id, Some(session), now).await?;
    audit::record(&mut tx, now, actor, Deed::new("user.password_changed", user_id, &actor.name)).await?;
    Ok(tx.commit().await?)
}

/// Makes sure that it is really the actor who sits at their browser. Guesses count as attempts to sign in.
///
/// # Errors
/// [`AdminError::Invalid`] where it is another password; [`AdminError::TooManyAttempts`].
pub(super) async fn confirm_password(
    store: &Store,
    attempts: &Attempts,
    now: Timestamp,
    actor: &Actor,
    field: &'static str,
    password: &str,
) -> Result<(), AdminError> {
    let (user_id, _) = session_of(actor)?;
    let user = users::find(&store.reader(), user_id).await?.ok_or(AdminError::NotFound)?;
    attempts
        .begin(&user.email, actor.ip, now)
        .map_err(|retry_after_s| AdminError::TooManyAttempts { retry_after_s })?;
    if user.password_hash.is_empty() {
        return Err(AdminError::Conflict("this account has no password: it signs in with a provider"));
    }
    if !passwords::verify(password, Some(&user.password_hash)).await? {
        return Err(AdminError::Invalid { field, message: "is not the current password" });
    }
    attempts.forgive(&user.email, actor.ip);
    Ok(())
}

/// What it takes to change one's password.
#[derive(Debug, Clone)]
pub struct PasswordChange {
    /// The one that counts now.
    pub current: String,
    /// The one that shall count.
    pub new: String,
}

pub(super) fn session_of(actor: &Actor) -> Result<(UserId, CredentialId), AdminError> {
    match (actor.kind, actor.user, actor.credential) {
        (ActorKind::User, Some(user), Some(session)) => Ok((user, session)),
        (ActorKind::User | ActorKind::Token | ActorKind::System | ActorKind::Visitor, _, _) => {
            Err(AdminError::NotFound)
        }
    }
}
