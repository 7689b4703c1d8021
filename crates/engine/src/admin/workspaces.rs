//! Making workspaces, the very first one included, and their settings.

use leadline_domain::{
    ids::{ProjectId, UserId, WorkspaceId},
    permissions::Role,
    silence,
    time::Timestamp,
    values,
};
use leadline_store::{
    self as store, Store, Tx, pipelines, projects, second_factors, users,
    workspaces::{self, Workspace},
};
use serde_json::{Value, json};

use crate::{
    Actor, ActorKind, Options,
    admin::{
        AdminError, checked_email, checked_name,
        detection::{self, DetectionChange},
        passwords,
        sessions::{self, Place, SignedIn},
    },
    audit::{self, Deed},
    random_bytes,
};

/// The slug of the workspace that setup and the demonstration make.
pub const DEFAULT_SLUG: &str = "default";

/// Minutes within which submissions from one IP address may be the same person's, where nothing else is set.
pub const IP_WINDOW_MINUTES: i64 = 30;

/// A shorter audit log would let somebody make what they did disappear within a week.
const SHORTEST_AUDIT_DAYS: i64 = 30;

/// The project that a workspace starts with.
const FIRST_PROJECT: &str = "Main";

/// What the settings of new workspaces begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Defaults {
    /// Hours of silence after which a submission re-engages.
    pub reengage_hours: i64,
    /// Whether a filled honeypot makes a bot.
    pub bot_detection: bool,
}

impl From<&Options> for Defaults {
    fn from(options: &Options) -> Self {
        Self { reengage_hours: options.reengage_hours, bot_detection: options.bot_detection }
    }
}

/// Who sets up an installation.
#[derive(Debug, Clone)]
pub struct FirstUser {
    /// The workspace's name.
    pub workspace_name: String,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// Their password.
    pub password: String,
    /// Where they are.
    pub place: Place,
}

/// Makes the first user, as super admin of the first workspace, and signs them in.
///
/// # Errors
/// [`AdminError::AlreadySetUp`] where there is a user, or where a field is not right.
pub async fn set_up(
    store: &Store,
    now: Timestamp,
    defaults: Defaults,
    first: FirstUser,
) -> Result<SignedIn, AdminError> {
    let workspace_name = checked_name("workspaceName", &first.workspace_name)?;
    let email = checked_email(&first.email)?;
    let name = checked_name("name", &first.name)?;
    passwords::check("password", &first.password)?;
    if users::any(&store.reader()).await? {
        return Err(AdminError::AlreadySetUp);
    }
    let password_hash = passwords::hash(&first.password).await?;
    let mut tx = store.begin().await?;
    let workspace = claim_default(&mut tx, now, defaults, &workspace_name).await?;
    let user = users::User {
        id: UserId::new(now, random_bytes()),
        email,
        name,
        password_hash,
        created_at: now,
        disabled_at: None,
    };
    users::insert(&mut tx, &user).await?;
    users::insert_member(&mut tx, workspace, user.id, Role::SuperAdmin.into(), now).await?;
    let actor = Actor {
        kind: ActorKind::User,
        user: Some(user.id),
        ip: first.place.ip,
        ..Actor::system(workspace, &user.name)
    };
    audit::record(&mut tx, now, &actor, Deed::new("workspace.created", workspace, &workspace_name)).await?;
    let signed_in = sessions::open(&mut tx, now, workspace, &user, &first.place, "setting up").await?;
    tx.commit().await?;
    Ok(signed_in)
}

/// The first workspace under its final name, held until the transaction ends, so that of two who set up at once one
/// finds the other's user.
async fn claim_default(tx: &mut Tx, now: Timestamp, defaults: Defaults, name: &str) -> Result<WorkspaceId, AdminError> {
    let id = match workspaces::lock_by_slug(tx, DEFAULT_SLUG).await? {
        Some(found) => {
            workspaces::update(tx, found.id, name, &found.settings).await?;
            found.id
        }
        None => match found(tx, now, defaults, DEFAULT_SLUG, name).await {
            Err(store::Error::Exists) => return Err(AdminError::AlreadySetUp),
            made => made?.id,
        },
    };
    if users::any_in(tx).await? {
        return Err(AdminError::AlreadySetUp);
    }
    Ok(id)
}

/// The workspace of this slug, made where there is none.
///
/// # Errors
/// Where the slug is not one, or the store fails.
pub async fn ensure(store: &Store, now: Timestamp, defaults: Defaults, slug: &str) -> Result<Workspace, AdminError> {
    if let Some(workspace) = workspaces::find_by_slug(&store.reader(), slug).await? {
        return Ok(workspace);
    }
    match create(store, now, defaults, slug, slug).await {
        // Somebody else made it just now.
        Err(AdminError::Conflict(_)) => {
            workspaces::find_by_slug(&store.reader(), slug).await?.ok_or(AdminError::NotFound)
        }
        made => made,
    }
}

/// Makes a workspace.
///
/// # Errors
/// [`AdminError::Conflict`] where the slug is taken, or where a field is not right.
pub async fn create(
    store: &Store,
    now: Timestamp,
    defaults: Defaults,
    slug: &str,
    name: &str,
) -> Result<Workspace, AdminError> {
    check_slug(slug)?;
    let name = checked_name("name", name)?;
    let mut tx = store.begin().await?;
    let workspace = match found(&mut tx, now, defaults, slug, &name).await {
        Err(store::Error::Exists) => return Err(AdminError::Conflict("a workspace of this slug exists already")),
        made => made?,
    };
    tx.commit().await?;
    Ok(workspace)
}

fn check_slug(slug: &str) -> Result<(), AdminError> {
    let is_slug_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=40).contains(&slug.len()) && slug.bytes().all(is_slug_byte) {
        return Ok(());
    }
    let message = "must have 1 to 40 lower-case letters, digits and hyphens";
    Err(AdminError::Invalid { field: "workspace", message })
}

/// Makes a workspace with what each one starts with: a project and a pipeline.
async fn found(
    tx: &mut Tx,
    now: Timestamp,
    defaults: Defaults,
    slug: &str,
    name: &str,
) -> Result<Workspace, store::Error> {
    let settings = json!({ "reengageHours": defaults.reengage_hours, "botDetection": defaults.bot_detection });
    let id = WorkspaceId::new(now, random_bytes());
    let workspace = Workspace { id, slug: slug.to_owned(), name: name.to_owned(), settings, created_at: now };
    workspaces::insert(tx, &workspace).await?;
    let project_id = ProjectId::new(now, random_bytes());
    let project =
        projects::Project { id: project_id, name: FIRST_PROJECT.to_owned(), pipeline_id: None, created_at: now };
    projects::insert(tx, id, &project).await?;
    pipelines::insert_default(tx, id, now, random_bytes).await?;
    Ok(workspace)
}

/// What somebody wants changed. What is `None` stays; a setting that is `Some(None)` goes back to its default.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The name.
    pub name: Option<String>,
    /// Hours of silence after which a submission re-engages; 0 for never.
    pub reengage_hours: Option<Option<i64>>,
    /// Minutes within which two submissions from one IP address may be the same person's; 0 for never.
    pub ip_window_minutes: Option<Option<i64>>,
    /// Whether a filled honeypot makes a bot.
    pub bot_detection: Option<Option<bool>>,
    /// The country of phone numbers without one, in two letters.
    pub default_country: Option<Option<String>>,
    /// The timezone that days and business hours follow, by its name (`Europe/Berlin`).
    pub timezone: Option<Option<String>>,
    /// The currency that leads are quoted and sold in, in three letters.
    pub currency: Option<Option<String>>,
    /// Whether everybody needs a second factor.
    pub require_second_factor: Option<Option<bool>>,
    /// How many days the audit log is kept.
    pub audit_days: Option<Option<i64>>,
    /// What the fraud desk goes by.
    pub detection: DetectionChange,
}

/// Changes a workspace's name and settings.
///
/// # Errors
/// Where a field is not right.
pub async fn change(store: &Store, now: Timestamp, actor: &Actor, change: Change) -> Result<Workspace, AdminError> {
    let id = actor.workspace;
    let mut tx = store.begin().await?;
    let mut workspace = workspaces::lock(&mut tx, id).await?.ok_or(AdminError::NotFound)?;
    let before = shown(&workspace);
    let demanded_before = demands_second_factor(&workspace.settings);
    if let Some(name) = &change.name {
        workspace.name = checked_name("name", name)?;
    }
    apply_settings(&mut workspace.settings, &change)?;
    if demands_second_factor(&workspace.settings) && !demanded_before {
        refuse_locking_oneself_out(store, actor).await?;
    }
    workspaces::update(&mut tx, id, &workspace.name, &workspace.settings).await?;
    let data = audit::changes(&before, &shown(&workspace));
    audit::record(&mut tx, now, actor, Deed::new("workspace.updated", id, &workspace.name).with(data)).await?;
    tx.commit().await?;
    Ok(workspace)
}

/// Name and settings side by side.
fn shown(workspace: &Workspace) -> Value {
    let mut shown = workspace.settings.clone();
    shown["name"] = workspace.name.as_str().into();
    shown
}

/// Whether a workspace wants everybody to have a second factor.
#[must_use]
pub fn demands_second_factor(settings: &Value) -> bool {
    settings.get("requireSecondFactor").and_then(Value::as_bool).unwrap_or(false)
}

/// Who demands a second factor of everybody has one.
async fn refuse_locking_oneself_out(store: &Store, actor: &Actor) -> Result<(), AdminError> {
    let Some(user) = actor.user else { return Ok(()) };
    let own = second_factors::find(&store.reader(), user).await?;
    if own.is_some_and(|own| own.confirmed_at.is_some()) {
        return Ok(());
    }
    let message = "set up your own second factor first";
    Err(AdminError::Invalid { field: "settings/requireSecondFactor", message })
}

fn apply_settings(settings: &mut Value, change: &Change) -> Result<(), AdminError> {
    in_range("settings/reengageHours", change.reengage_hours, 0..=24 * 365)?;
    in_range("settings/auditDays", change.audit_days, SHORTEST_AUDIT_DAYS..=3_650)?;
    in_range("settings/ipWindowMinutes", change.ip_window_minutes, 0..=24 * 60)?;
    let country = change.default_country.as_ref().map(|country| country.as_ref().map(|code| code.to_ascii_uppercase()));
    if let Some(Some(code)) = &country
        && !(code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()))
    {
        return Err(AdminError::Invalid {
            field: "settings/defaultCountry",
            message: "must be a country in two letters",
        });
    }
    let is_unknown = |name: &String| silence::timezone(name).is_none();
    if change.timezone.iter().flatten().any(is_unknown) {
        return Err(AdminError::Invalid {
            field: "settings/timezone",
            message: "must be the name of a timezone, such as Europe/Berlin",
        });
    }
    let currency = change.currency.as_ref().map(|code| code.as_ref().map(|code| code.trim().to_ascii_uppercase()));
    if currency.iter().flatten().any(|code| !values::is_currency(code)) {
        return Err(AdminError::Invalid {
            field: "settings/currency",
            message: "must be a currency in three letters, such as EUR",
        });
    }
    set(settings, "currency", currency);
    set(settings, "timezone", change.timezone.clone());
    set(settings, "reengageHours", change.reengage_hours);
    set(settings, "ipWindowMinutes", change.ip_window_minutes);
    set(settings, "botDetection", change.bot_detection);
    set(settings, "defaultCountry", country);
    set(settings, "requireSecondFactor", change.require_second_factor);
    set(settings, "auditDays", change.audit_days);
    detection::apply(settings, &change.detection)
}

pub(super) fn in_range(
    field: &'static str,
    value: Option<Option<i64>>,
    range: std::ops::RangeInclusive<i64>,
) -> Result<(), AdminError> {
    match value.flatten() {
        Some(number) if !range.contains(&number) => Err(AdminError::Invalid { field, message: "is out of range" }),
        Some(_) | None => Ok(()),
    }
}

pub(super) fn set<T: Into<Value>>(settings: &mut Value, name: &str, value: Option<Option<T>>) {
    let Value::Object(settings) = settings else { return };
    match value {
        None => {}
        Some(None) => drop(settings.remove(name)),
        Some(Some(value)) => drop(settings.insert(name.to_owned(), value.into())),
    }
}
