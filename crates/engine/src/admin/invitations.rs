//! Asking people to join a workspace. A link is worth one membership, for some days; of its secret only a hash is kept.
//!
//! Whoever asks learns nothing about the address: the answer is the same whether it has an account in another workspace
//! or not. Whoever holds the link has to know the account's password where there is one, so that a link that went astray
//! opens nobody's account.

use leadline_domain::{
    ids::{InvitationId, UserId},
    permissions::RoleKey,
    time::{DAY_MS, Timestamp},
};
use leadline_outbound::Mail;
use leadline_store::{
    self as store, Tx,
    invitations::{self, Invitation},
    second_factors,
    users::{self, User},
    workspaces,
};
use serde_json::json;

use crate::{
    Actor, ActorKind, Engine,
    admin::{
        AdminError,
        attempts::Attempts,
        checked_email, checked_name, passwords, roles,
        second_factor::{self, Proven},
        secrets,
        sessions::{self, Place, SignedIn},
        sign_in_provider,
    },
    audit::{self, Deed},
    random_bytes,
};

/// How long a link counts.
pub const LIFE_MS: i64 = 7 * DAY_MS;

/// Open invitations of a workspace at most.
const MOST: usize = 500;

/// An invitation with its link, for this once.
#[derive(Debug, Clone)]
pub struct Invited {
    /// The invitation.
    pub invitation: Invitation,
    /// Where the invited goes.
    pub link: String,
    /// What came of the e-mail.
    pub mail: Mailed,
}

/// What came of an e-mail with a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mailed {
    /// The server has it.
    Sent,
    /// No server is set up.
    NotConfigured,
    /// The server did not take it, and said this.
    Failed(String),
}

/// Asks somebody to join, and sends them the link where e-mail is set up.
///
/// # Errors
/// [`AdminError::Conflict`] where they are a member or asked already, [`AdminError::Forbidden`] where the role has more
/// than the actor, or where a field is not right.
pub async fn invite(engine: &Engine, actor: &Actor, email: &str, role: RoleKey) -> Result<Invited, AdminError> {
    let email = checked_email(email)?;
    let now = engine.clock.now();
    let secret = secrets::new_session();
    if invitations::list(&engine.store.reader(), actor.workspace).await?.len() >= MOST {
        return Err(AdminError::Conflict("a workspace has at most 500 open invitations"));
    }
    let mut tx = engine.store.begin().await?;
    workspaces::lock(&mut tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let role = roles::resolve_grantable(&mut tx, actor, role).await?;
    let members = users::members_in(&mut tx, actor.workspace).await?;
    if members.iter().any(|member| member.email == email) {
        return Err(AdminError::Conflict("this user is a member already"));
    }
    invitations::revoke_expired(&mut tx, actor.workspace, &email, now).await?;
    let invitation = Invitation {
        id: InvitationId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        email,
        role,
        invited_by: actor.user,
        invited_by_name: actor.name.clone(),
        created_at: now,
        sent_at: now,
        expires_at: now.plus_ms(LIFE_MS),
    };
    match invitations::insert(&mut tx, &invitation, &secrets::hash(&secret)).await {
        Err(store::Error::Exists) => {
            return Err(AdminError::Conflict("this address is invited already; send the invitation again instead"));
        }
        inserted => inserted?,
    }
    note(&mut tx, now, actor, "invitation.created", &invitation).await?;
    tx.commit().await?;
    hand_out(engine, invitation, &secret).await
}

/// Makes a new link for an open invitation and sends it; the one before counts no more.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`] where its role has more than the actor.
pub async fn resend(engine: &Engine, actor: &Actor, id: InvitationId) -> Result<Invited, AdminError> {
    let now = engine.clock.now();
    let secret = secrets::new_session();
    let mut tx = engine.store.begin().await?;
    let found = lock(&mut tx, actor, id).await?;
    let invitation = Invitation { sent_at: now, expires_at: now.plus_ms(LIFE_MS), ..found };
    if !invitations::renew(&mut tx, &invitation, &secrets::hash(&secret)).await? {
        return Err(AdminError::NotFound);
    }
    note(&mut tx, now, actor, "invitation.resent", &invitation).await?;
    tx.commit().await?;
    hand_out(engine, invitation, &secret).await
}

/// Takes an invitation back.
///
/// # Errors
/// [`AdminError::NotFound`], [`AdminError::Forbidden`] where its role has more than the actor.
pub async fn revoke(engine: &Engine, actor: &Actor, id: InvitationId) -> Result<(), AdminError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let invitation = lock(&mut tx, actor, id).await?;
    if !invitations::revoke(&mut tx, actor.workspace, id, now).await? {
        return Err(AdminError::NotFound);
    }
    note(&mut tx, now, actor, "invitation.revoked", &invitation).await?;
    Ok(tx.commit().await?)
}

async fn lock(tx: &mut Tx, actor: &Actor, id: InvitationId) -> Result<Invitation, AdminError> {
    workspaces::lock(tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let invitation = invitations::find(tx, actor.workspace, id).await?.ok_or(AdminError::NotFound)?;
    if !actor.role.may_grant(&invitation.role) {
        return Err(AdminError::Forbidden("nobody hands out more than they have"));
    }
    Ok(invitation)
}

async fn note(
    tx: &mut Tx,
    now: Timestamp,
    actor: &Actor,
    action: &'static str,
    invitation: &Invitation,
) -> Result<(), AdminError> {
    let deed = Deed::new(action, invitation.id, &invitation.email).with(json!({ "role": invitation.role.label }));
    Ok(audit::record(tx, now, actor, deed).await?)
}

/// The link, and what came of sending it. It is sent at once and past the queue, which would keep it readable.
async fn hand_out(engine: &Engine, invitation: Invitation, secret: &str) -> Result<Invited, AdminError> {
    // Behind the hash sign, it stays out of the logs of whatever stands between the browser and us.
    let link = format!("{}/invitation#{secret}", engine.options.public_url);
    let Some(mailer) = &engine.options.mailer else {
        return Ok(Invited { invitation, link, mail: Mailed::NotConfigured });
    };
    let workspace = workspaces::find(&engine.store.reader(), invitation.workspace_id).await?;
    let workspace = workspace.map(|workspace| workspace.name).unwrap_or_default();
    let by = &invitation.invited_by_name;
    let text = format!(
        "{by} invites you to join {workspace} on Leadline.\n\n{link}\n\nThe link is for you alone. It works once, for 7 \
         days.\nIf you did not expect this, you need not do anything.\n"
    );
    let subject = format!("{by} invites you to {workspace}");
    let id = InvitationId::new(invitation.sent_at, random_bytes()).to_string();
    let mail = Mail { id, to: &invitation.email, subject: &subject, text: &text };
    let mail = match mailer.send(&mail).await {
        Ok(()) => Mailed::Sent,
        Err(error) => Mailed::Failed(error.to_string()),
    };
    Ok(Invited { invitation, link, mail })
}

/// What whoever holds a link is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Into which workspace.
    pub workspace_name: String,
    /// For whom it is.
    pub email: String,
    /// What they will be.
    pub role_label: String,
    /// Who asks them.
    pub invited_by: String,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// What a link is worth.
///
/// # Errors
/// [`AdminError::InvitationInvalid`] where it is unknown, used, taken back or too old.
pub async fn look(engine: &Engine, secret: &str) -> Result<Shown, AdminError> {
    let reader = engine.store.reader();
    let found = invitations::find_by_token(&reader, &secrets::hash(secret), engine.clock.now()).await?;
    let invitation = found.ok_or(AdminError::InvitationInvalid)?;
    let workspace = workspaces::find(&reader, invitation.workspace_id).await?;
    Ok(Shown {
        workspace_name: workspace.ok_or(AdminError::InvitationInvalid)?.name,
        email: invitation.email,
        role_label: invitation.role.label,
        invited_by: invitation.invited_by_name,
        expires_at: invitation.expires_at,
    })
}

/// What somebody accepts an invitation with.
#[derive(Debug, Clone)]
pub struct Acceptance {
    /// The link's secret.
    pub secret: String,
    /// Their name, for a new account.
    pub name: Option<String>,
    /// The password of the account that they have, or of their new one.
    pub password: String,
    /// The code of their second factor, where they have one.
    pub code: Option<String>,
    /// Where they are.
    pub place: Place,
}

/// Makes whoever holds the link a member and signs them in.
///
/// # Errors
/// [`AdminError::InvitationInvalid`]; [`AdminError::WrongCredentials`] where the address has an account with another
/// password; [`AdminError::PasswordsOff`]; what a second factor says; or where a field is not right.
pub async fn accept(engine: &Engine, attempts: &Attempts, acceptance: Acceptance) -> Result<SignedIn, AdminError> {
    let Acceptance { secret, name, password, code, place } = acceptance;
    let now = engine.clock.now();
    let reader = engine.store.reader();
    let hash = secrets::hash(&secret);
    let found = invitations::find_by_token(&reader, &hash, now).await?;
    let invitation = found.ok_or(AdminError::InvitationInvalid)?;
    let wait = |retry_after_s| AdminError::TooManyAttempts { retry_after_s };
    attempts.begin(&invitation.email, place.ip, now).map_err(wait)?;
    let known = users::find_by_email(&reader, &invitation.email).await?;
    let belongs_somewhere = match &known {
        Some(user) => !workspaces::list_of_user(&reader, user.id).await?.is_empty(),
        None => false,
    };
    let (user, proven) = match &known {
        Some(user) if belongs_somewhere => {
            if !passwords::verify(&password, Some(&user.password_hash)).await? || user.disabled_at.is_some() {
                return Err(AdminError::WrongCredentials);
            }
            (user.clone(), second_factor::prove(engine, attempts, user.id, code.as_deref()).await?)
        }
        // Whoever belongs nowhere any more begins anew, under the id that timelines name.
        Some(_) | None => {
            if !sign_in_provider::takes_password_as(engine, invitation.workspace_id, &invitation.role).await? {
                return Err(AdminError::PasswordsOff);
            }
            let new = new_user(now, &invitation, name.as_deref().unwrap_or_default(), &password).await?;
            let id = known.as_ref().map_or(new.id, |user| user.id);
            (User { id, ..new }, Proven::Nothing)
        }
    };
    let mut tx = engine.store.begin().await?;
    workspaces::lock(&mut tx, invitation.workspace_id).await?.ok_or(AdminError::InvitationInvalid)?;
    if !invitations::accept(&mut tx, invitation.id, &hash, now).await? {
        return Err(AdminError::InvitationInvalid);
    }
    if !second_factor::use_up(&mut tx, user.id, &proven, now).await? {
        return Err(AdminError::WrongCode);
    }
    if known.is_none() {
        match users::insert(&mut tx, &user).await {
            Err(store::Error::Exists) => {
                return Err(AdminError::Conflict("this address was given an account just now; try again"));
            }
            inserted => inserted?,
        }
    } else if !belongs_somewhere {
        begin_anew(&mut tx, &user).await?;
    }
    users::insert_member(&mut tx, invitation.workspace_id, user.id, invitation.role.role, now).await?;
    let actor = Actor {
        kind: ActorKind::User,
        user: Some(user.id),
        ip: place.ip,
        ..Actor::system(invitation.workspace_id, &user.name)
    };
    note(&mut tx, now, &actor, "invitation.accepted", &invitation).await?;
    let signed_in = sessions::open(&mut tx, now, invitation.workspace_id, &user, &place, "invitation").await?;
    tx.commit().await?;
    attempts.forgive(&invitation.email, place.ip);
    attempts.forgive_codes(user.id);
    Ok(signed_in)
}

async fn begin_anew(tx: &mut Tx, user: &User) -> Result<(), AdminError> {
    if users::count_memberships(tx, user.id).await? > 0 {
        return Err(AdminError::Conflict("this user was taken into another workspace just now; try again"));
    }
    users::update(tx, user.id, &user.name, None).await?;
    users::set_password(tx, user.id, &user.password_hash).await?;
    second_factors::delete(tx, user.id).await?;
    Ok(())
}

async fn new_user(now: Timestamp, invitation: &Invitation, name: &str, password: &str) -> Result<User, AdminError> {
    let name = checked_name("name", name)?;
    passwords::check("password", password)?;
    Ok(User {
        id: UserId::new(now, random_bytes()),
        email: invitation.email.clone(),
        name,
        password_hash: passwords::hash(password).await?,
        created_at: now,
        disabled_at: None,
    })
}
