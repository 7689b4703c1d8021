//! A workspace's sign-in provider: setting it up, trying it, and whether passwords count beside it.
//!
//! Whoever runs the provider can come in as anybody whose address is at one of its domains. So only a super admin sets
//! one up, and what its sessions may do ends at the workspace: see [`super::sign_in`]. Passwords can be turned off, and
//! never for super admins, so that a provider that is down or set up wrongly locks nobody out for good.

use leadline_domain::{
    emails::{Email, listed_domain},
    ids::WorkspaceId,
    permissions::{Rights, RoleKey},
    sign_in::keeps_password,
    time::Timestamp,
};
use leadline_outbound::oidc::{self, Discovered, OidcError, Registration};
use leadline_store::{
    Tx, credentials,
    sign_in::{self, Provider},
    users,
    workspaces::{self, Workspace},
};
use serde_json::{Value, json};

use crate::{
    Actor, Engine,
    admin::{AdminError, checked_name, roles},
    audit::{self, Deed},
};

/// The longest name on the button.
const LABEL_CHARS: usize = 40;

/// The longest issuer and client id.
const LONGEST: usize = 500;

/// The longest client secret.
const LONGEST_SECRET: usize = 2_000;

/// Domains of one provider at most.
const MOST_DOMAINS: usize = 50;

/// What somebody wants a provider to be.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What the button says it is.
    pub label: String,
    /// Its issuer.
    pub issuer: String,
    /// Our id there.
    pub client_id: String,
    /// Our secret there; the one before where none is given.
    pub client_secret: Option<String>,
    /// The domains of addresses that it is believed for.
    pub domains: Vec<String>,
    /// What somebody becomes who was not invited; without one they must be.
    pub role: Option<RoleKey>,
    /// Whether everybody may sign in with a password still.
    pub takes_passwords: bool,
    /// Whether it is used.
    pub is_enabled: bool,
}

/// Sets a workspace's provider up, or changes it.
///
/// # Errors
/// [`AdminError::Forbidden`] for whoever is no super admin, or where a field is not right.
pub async fn save(engine: &Engine, actor: &Actor, wish: Wish) -> Result<Provider, AdminError> {
    only_super_admins(actor)?;
    let now = engine.clock.now();
    let checked = checked(engine, &wish)?;
    let mut tx = engine.store.begin().await?;
    workspaces::lock(&mut tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let before = sign_in::provider_in(&mut tx, actor.workspace).await?;
    let provider = put_together(engine, &mut tx, actor, (before.as_ref(), checked), now).await?;
    if !provider.takes_passwords {
        turn_passwords_off(&mut tx, &provider, before.as_ref(), now).await?;
    }
    let is_another = before.as_ref().is_some_and(|before| before.issuer != provider.issuer);
    if is_another || !provider.is_enabled {
        credentials::revoke_of_provider(&mut tx, actor.workspace, now).await?;
    }
    sign_in::save_provider(&mut tx, &provider).await?;
    let action = if before.is_some() { "sign_in_provider.updated" } else { "sign_in_provider.created" };
    let mut data = audit::changes(&before.as_ref().map_or(Value::Null, shown), &shown(&provider));
    let secret_of = |provider: &Provider| provider.client_secret_sealed.clone();
    data["secretReplaced"] = (before.as_ref().map(secret_of) != Some(secret_of(&provider))).into();
    audit::record(&mut tx, now, actor, Deed::new(action, actor.workspace, &provider.label).with(data)).await?;
    tx.commit().await?;
    Ok(provider)
}

/// Takes a workspace's provider away. The sessions that it opened end.
///
/// # Errors
/// [`AdminError::Forbidden`] for whoever is no super admin, [`AdminError::NotFound`] where there is none.
pub async fn remove(engine: &Engine, actor: &Actor) -> Result<(), AdminError> {
    only_super_admins(actor)?;
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    workspaces::lock(&mut tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let before = sign_in::provider_in(&mut tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    sign_in::delete_provider(&mut tx, actor.workspace).await?;
    let ended = credentials::revoke_of_provider(&mut tx, actor.workspace, now).await?;
    let deed = Deed::new("sign_in_provider.removed", actor.workspace, &before.label);
    let deed = deed.with(json!({"issuer": before.issuer, "sessionsEnded": ended}));
    audit::record(&mut tx, now, actor, deed).await?;
    Ok(tx.commit().await?)
}

/// Asks a provider what it says of itself. Tells what is wrong where it cannot be used.
///
/// # Errors
/// [`AdminError::Forbidden`] for whoever is no super admin: it makes us send requests.
pub async fn check(engine: &Engine, actor: &Actor, issuer: &str) -> Result<Result<Discovered, OidcError>, AdminError> {
    only_super_admins(actor)?;
    Ok(oidc::check(&engine.client, issuer.trim(), time_limit(engine)).await)
}

/// How long a provider has for everything that it is asked in one go, which is up to three requests.
pub(super) fn time_limit(engine: &Engine) -> std::time::Duration {
    engine.options.delivery_timeout * 2
}

/// Where a provider sends browsers back to. Each workspace has an address of its own, so that what one provider was
/// told to send is not taken for another's.
#[must_use]
pub fn redirect_url(engine: &Engine, slug: &str) -> String {
    format!("{}/v1/sign-in/{slug}/callback", engine.options.public_url)
}

/// How the provider knows us, with the secret open.
pub(super) fn registration(engine: &Engine, provider: &Provider, slug: &str) -> Result<Registration, AdminError> {
    Ok(Registration {
        issuer: provider.issuer.clone(),
        client_id: provider.client_id.clone(),
        client_secret: engine.keys.open(&provider.client_secret_sealed)?,
        redirect_url: redirect_url(engine, slug),
        timeout: time_limit(engine),
    })
}

/// Whether somebody may sign in with a password who belongs to these workspaces.
pub(super) async fn takes_password_of(engine: &Engine, all: &[(Workspace, Rights)]) -> Result<bool, AdminError> {
    let [(workspace, rights)] = all else { return Ok(true) };
    takes_password_as(engine, workspace.id, rights).await
}

/// Whether somebody with this role, who belongs nowhere else, may sign in to a workspace with a password.
pub(super) async fn takes_password_as(
    engine: &Engine,
    workspace: WorkspaceId,
    rights: &Rights,
) -> Result<bool, AdminError> {
    if keeps_password(rights.is_super_admin(), false) {
        return Ok(true);
    }
    let provider = sign_in::find_provider(&engine.store.reader(), workspace).await?;
    Ok(provider.is_none_or(|provider| provider.takes_passwords || !provider.is_enabled))
}

fn only_super_admins(actor: &Actor) -> Result<(), AdminError> {
    if actor.role.is_super_admin() {
        return Ok(());
    }
    Err(AdminError::Forbidden(
        "only a super admin sets up a sign-in provider: whoever runs it can become anybody in the workspace",
    ))
}

fn checked(engine: &Engine, wish: &Wish) -> Result<Wish, AdminError> {
    let label = checked_name("label", &wish.label)?;
    if label.chars().count() > LABEL_CHARS {
        return Err(AdminError::Invalid { field: "label", message: "must have at most 40 characters" });
    }
    let issuer = wish.issuer.trim().to_owned();
    let refused = |message: String| AdminError::Refused { field: "issuer", message };
    let url = engine.client.guard().check_url(&issuer).map_err(|error| refused(error.to_string()))?;
    if url.query().is_some() || issuer.contains('#') || issuer.len() > LONGEST {
        return Err(refused("must be an address without query and fragment, of at most 500 characters".to_owned()));
    }
    let client_id = visible("clientId", &wish.client_id, LONGEST)?;
    let client_secret = match wish.client_secret.as_deref().map(str::trim).filter(|secret| !secret.is_empty()) {
        Some(secret) => Some(visible("clientSecret", secret, LONGEST_SECRET)?),
        None => None,
    };
    let domains = checked_domains(&wish.domains)?;
    if wish.role.is_some() && domains.iter().any(|domain| gives_mailboxes_to_anybody(domain)) {
        let message = "hold one where anybody can have an address; take only who was invited";
        return Err(AdminError::Invalid { field: "domains", message });
    }
    if wish.role == Some(leadline_domain::permissions::Role::SuperAdmin.into()) {
        let message = "must not be super admin: nobody becomes one by having an address";
        return Err(AdminError::Invalid { field: "role", message });
    }
    Ok(Wish { label, issuer, client_id, client_secret, domains, ..wish.clone() })
}

fn visible(field: &'static str, text: &str, longest: usize) -> Result<String, AdminError> {
    let text = text.trim();
    if text.is_empty() || text.len() > longest || !text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
        return Err(AdminError::Invalid { field, message: "must be visible ASCII characters, and not too many" });
    }
    Ok(text.to_owned())
}

fn checked_domains(wished: &[String]) -> Result<Vec<String>, AdminError> {
    let wrong = AdminError::Invalid { field: "domains", message: "must be 1 to 50 domains such as example.com" };
    if wished.is_empty() || wished.len() > MOST_DOMAINS {
        return Err(wrong);
    }
    let Some(mut domains) = wished.iter().map(|text| listed_domain(text)).collect::<Option<Vec<_>>>() else {
        return Err(wrong);
    };
    domains.sort_unstable();
    domains.dedup();
    Ok(domains)
}

fn gives_mailboxes_to_anybody(domain: &str) -> bool {
    Email::parse(&format!("somebody@{domain}")).is_some_and(|email| email.is_free_mail() || email.is_disposable())
}

async fn put_together(
    engine: &Engine,
    tx: &mut Tx,
    actor: &Actor,
    (before, wish): (Option<&Provider>, Wish),
    now: Timestamp,
) -> Result<Provider, AdminError> {
    let role = match wish.role {
        Some(key) => Some(roles::resolve_grantable(tx, actor, key).await?),
        None => None,
    };
    // A secret is for the issuer that it was given for: sent to another, it would be that one's.
    let same = before.filter(|before| before.issuer == wish.issuer);
    let client_secret_sealed = match (&wish.client_secret, same) {
        (Some(secret), _) => engine.keys.seal(secret),
        (None, Some(before)) => before.client_secret_sealed.clone(),
        (None, None) => {
            return Err(AdminError::Invalid { field: "clientSecret", message: "is needed for a new issuer" });
        }
    };
    let same = same.filter(|before| before.client_id == wish.client_id);
    Ok(Provider {
        workspace_id: actor.workspace,
        label: wish.label,
        issuer: wish.issuer,
        client_id: wish.client_id,
        client_secret_sealed,
        domains: wish.domains,
        role,
        takes_passwords: wish.takes_passwords,
        is_enabled: wish.is_enabled,
        created_at: before.map_or(now, |before| before.created_at),
        updated_at: now,
        last_used_at: same.and_then(|before| before.last_used_at),
    })
}

/// Turns passwords off for all but super admins and those who belong elsewhere too, whose sessions go on.
async fn turn_passwords_off(
    tx: &mut Tx,
    provider: &Provider,
    before: Option<&Provider>,
    now: Timestamp,
) -> Result<(), AdminError> {
    let refused = |message| AdminError::Invalid { field: "takesPasswords", message };
    if !provider.is_enabled {
        return Err(refused("can be off only while the provider is used"));
    }
    if provider.last_used_at.is_none() {
        return Err(refused("can be off once somebody has signed in with the provider as it is set up now"));
    }
    let members = users::members_in(tx, provider.workspace_id).await?;
    let keeps_one =
        |member: &users::Member| member.role.is_super_admin() && member.disabled_at.is_none() && member.has_password;
    if !members.iter().any(keeps_one) {
        return Err(refused("can be off only while a super admin has a password"));
    }
    if before.is_some_and(|before| !before.takes_passwords && before.is_enabled) {
        return Ok(());
    }
    let others = members.iter().filter(|member| !keeps_password(member.role.is_super_admin(), member.is_elsewhere));
    let others: Vec<_> = others.map(|member| member.id).collect();
    credentials::revoke_by_password(tx, provider.workspace_id, &others, now).await?;
    Ok(())
}

/// What is told of a provider in the audit log. No secret is among it.
fn shown(provider: &Provider) -> Value {
    json!({
        "label": provider.label,
        "issuer": provider.issuer,
        "clientId": provider.client_id,
        "domains": provider.domains,
        "role": provider.role.as_ref().map(|role| &role.label),
        "takesPasswords": provider.takes_passwords,
        "isEnabled": provider.is_enabled,
    })
}
