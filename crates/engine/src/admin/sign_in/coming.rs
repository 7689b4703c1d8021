//! Somebody whom a provider vouched for, at the door: who they are, whether they come in, and their session.

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    sign_in::{self as rules, Entry, Facts, Vouched},
    time::Timestamp,
};
use leadline_outbound::oidc::Person;
use leadline_store::{
    self as store, Tx,
    invitations::{self, Invitation},
    second_factors,
    sign_in::{self, Provider, Subject},
    users::{self, User},
    workspaces,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{
    Actor, ActorKind, Engine,
    admin::{
        AdminError, NAME_CHARS,
        attempts::Attempts,
        second_factor::{self, Proven},
        sessions::{self, By, Place, SignedIn},
    },
    audit::{self, Deed},
    random_bytes,
};

/// The longest address of somebody that is kept.
const LONGEST_EMAIL: usize = 320;

/// What the provider said, as it is kept until a code is entered.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Said {
    pub(super) issuer: String,
    subject: String,
    email: Option<String>,
    is_verified: bool,
    name: String,
}

impl Said {
    pub(super) fn new(person: Person, provider: &Provider) -> Self {
        let plain = |text: String| text.chars().filter(|c| !c.is_control()).take(NAME_CHARS).collect::<String>();
        Self {
            issuer: provider.issuer.clone(),
            subject: person.subject,
            email: person.email.filter(|email| email.len() < LONGEST_EMAIL && !email.contains(char::is_control)),
            is_verified: person.is_email_verified,
            name: person.name.map(plain).unwrap_or_default().trim().to_owned(),
        }
    }
}

/// What comes of it.
pub(super) enum Entered {
    In(SignedIn),
    Refused(&'static str),
}

/// Somebody whom a provider vouched for, at the door.
pub(super) struct Coming<'a> {
    pub(super) engine: &'a Engine,
    pub(super) attempts: &'a Attempts,
    pub(super) provider: &'a Provider,
    pub(super) said: &'a Said,
    pub(super) place: &'a Place,
}

impl Coming<'_> {
    /// Lets them in, or tells why not. `waiting` is used up with it.
    pub(super) async fn enter(&self, code: Option<&str>, waiting: Option<&[u8; 32]>) -> Result<Entered, AdminError> {
        let vouched = Vouched { email: self.said.email.clone(), is_verified: self.said.is_verified };
        let email = match rules::address(&vouched, &self.provider.domains) {
            Ok(email) => email,
            Err(why) => return self.refused(why.as_str()).await,
        };
        let (facts, invitation) = self.facts(&email).await?;
        let entry = match rules::decide(&facts) {
            Ok(entry) => entry,
            Err(why) => return self.refused(why.as_str()).await,
        };
        let proven = match entry {
            // Whoever begins anew has none any more.
            Entry::Again(_) | Entry::New => Proven::Nothing,
            Entry::Known(user) | Entry::Linked(user) => {
                match second_factor::prove(self.engine, self.attempts, user, code).await {
                    Err(AdminError::WrongCode) => {
                        self.note("code").await?;
                        return Err(AdminError::WrongCode);
                    }
                    proven => proven?,
                }
            }
        };
        match self.open(entry, &email, invitation, (proven, waiting)).await {
            // Somebody else was quicker with this subject, address or code.
            Err(AdminError::Store(store::Error::Exists)) => self.refused("again").await,
            opened => opened.map(Entered::In),
        }
    }

    async fn facts(&self, email: &str) -> Result<(Facts, Option<Invitation>), AdminError> {
        let reader = self.engine.store.reader();
        let workspace = self.provider.workspace_id;
        let by_subject = sign_in::find_by_subject(&reader, self.subject()).await?;
        let by_email = sign_in::find_by_email(&reader, workspace, &self.provider.issuer, email).await?;
        let now = self.engine.clock.now();
        let invitation = invitations::find_by_email(&reader, workspace, email, now).await?;
        let is_open = self.provider.role.as_ref().is_some_and(|role| !role.is_super_admin());
        Ok((Facts { by_subject, by_email, is_invited: invitation.is_some(), is_open }, invitation))
    }

    fn subject(&self) -> Subject<'_> {
        Subject { workspace: self.provider.workspace_id, issuer: &self.provider.issuer, subject: &self.said.subject }
    }

    async fn open(
        &self,
        entry: Entry,
        email: &str,
        invitation: Option<Invitation>,
        (proven, waiting): (Proven, Option<&[u8; 32]>),
    ) -> Result<SignedIn, AdminError> {
        let (engine, workspace) = (self.engine, self.provider.workspace_id);
        let now = engine.clock.now();
        let mut user = self.user(entry, email, now).await?;
        let mut tx = engine.store.begin().await?;
        workspaces::lock(&mut tx, workspace).await?.ok_or(AdminError::NotFound)?;
        if let Some(key) = waiting
            && !sign_in::use_up(&mut tx, key).await?
        {
            return Err(AdminError::SignInOver);
        }
        if !second_factor::use_up(&mut tx, user.id, &proven, now).await? {
            return Err(AdminError::WrongCode);
        }
        match entry {
            Entry::Known(id) => {
                sign_in::touch_subject(&mut tx, self.subject(), id, now).await?;
            }
            Entry::Linked(id) => {
                sign_in::insert_subject(&mut tx, self.subject(), id, now).await?;
                let deed = Deed::new("user.linked", id, &user.email).with(json!({"provider": self.provider.label}));
                audit::record(&mut tx, now, &self.actor(&user), deed).await?;
            }
            Entry::Again(_) | Entry::New => {
                self.join(&mut tx, entry, &mut user, invitation, now).await?;
            }
        }
        sign_in::touch_provider(&mut tx, workspace, now).await?;
        let words = match proven {
            Proven::Nothing => self.provider.label.clone(),
            Proven::Step(_) => format!("{} and code", self.provider.label),
            Proven::Recovery(_) => format!("{} and recovery code", self.provider.label),
        };
        let by = By { words, provider_of: Some(workspace) };
        let signed_in = sessions::open(&mut tx, now, workspace, &user, self.place, by).await?;
        tx.commit().await?;
        self.attempts.forgive_with_provider(self.place.ip);
        self.attempts.forgive_codes(user.id);
        Ok(signed_in)
    }

    async fn user(&self, entry: Entry, email: &str, now: Timestamp) -> Result<User, AdminError> {
        match entry {
            Entry::Known(id) | Entry::Linked(id) | Entry::Again(id) => {
                let found = users::find(&self.engine.store.reader(), id).await?;
                found.ok_or(AdminError::NotFound)
            }
            Entry::New => {
                let local = email.split('@').next().unwrap_or_default();
                let name = if self.said.name.is_empty() { local } else { &self.said.name };
                Ok(User {
                    id: UserId::new(now, random_bytes()),
                    email: email.to_owned(),
                    name: name.to_owned(),
                    password_hash: String::new(),
                    created_at: now,
                    disabled_at: None,
                })
            }
        }
    }

    /// Makes somebody a member: by their invitation, or else by the domain of their address.
    async fn join(
        &self,
        tx: &mut Tx,
        entry: Entry,
        user: &mut User,
        invitation: Option<Invitation>,
        now: Timestamp,
    ) -> Result<(), AdminError> {
        let workspace = self.provider.workspace_id;
        let (role, by) = match (&invitation, &self.provider.role) {
            (Some(invitation), _) => (&invitation.role, "invitation"),
            (None, Some(role)) => (role, "domain"),
            (None, None) => return Err(AdminError::InvitationInvalid),
        };
        if let Some(invitation) = &invitation
            && !invitations::accept_by_email(tx, invitation.id, now).await?
        {
            return Err(AdminError::Store(store::Error::Exists));
        }
        if entry == Entry::New {
            users::insert(tx, user).await?;
        } else {
            self.begin_anew(tx, user).await?;
        }
        users::insert_member(tx, workspace, user.id, role.role, now).await?;
        sign_in::insert_subject(tx, self.subject(), user.id, now).await?;
        let data = json!({"role": role.label, "by": by, "provider": self.provider.label});
        audit::record(tx, now, &self.actor(user), Deed::new("user.created", user.id, &user.email).with(data)).await?;
        Ok(())
    }

    /// Whoever belongs nowhere any more begins anew, under the id that timelines name.
    async fn begin_anew(&self, tx: &mut Tx, user: &mut User) -> Result<(), AdminError> {
        if users::count_memberships(tx, user.id).await? > 0 {
            return Err(AdminError::Store(store::Error::Exists));
        }
        user.disabled_at = None;
        user.password_hash = String::new();
        users::update(tx, user.id, &user.name, None).await?;
        users::set_password(tx, user.id, "").await?;
        second_factors::delete(tx, user.id).await?;
        sign_in::forget_subjects(tx, self.provider.workspace_id, user.id).await?;
        Ok(())
    }

    fn actor(&self, user: &User) -> Actor {
        Actor {
            kind: ActorKind::User,
            user: Some(user.id),
            ip: self.place.ip,
            ..Actor::system(self.provider.workspace_id, &user.name)
        }
    }

    async fn refused(&self, why: &'static str) -> Result<Entered, AdminError> {
        self.note(why).await?;
        Ok(Entered::Refused(why))
    }

    async fn note(&self, why: &str) -> Result<(), AdminError> {
        let email = self.said.email.as_deref().unwrap_or_default();
        note(self.engine, self.provider, self.place, (why, email)).await
    }
}

/// Writes a sign-in down that came to nothing, in the workspace whose provider it was.
pub(super) async fn note(
    engine: &Engine,
    provider: &Provider,
    place: &Place,
    (reason, email): (&str, &str),
) -> Result<(), AdminError> {
    let now = engine.clock.now();
    let workspace: WorkspaceId = provider.workspace_id;
    let actor = Actor { kind: ActorKind::Visitor, ip: place.ip, ..Actor::system(workspace, "Somebody unknown") };
    let deed = Deed::new("session.refused", "", email).with(json!({"reason": reason, "by": provider.label}));
    let mut tx = engine.store.begin().await?;
    audit::record(&mut tx, now, &actor, deed).await?;
    Ok(tx.commit().await?)
}
