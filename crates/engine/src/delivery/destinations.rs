//! Making, changing, testing and deleting destinations.
//!
//! A secret is told once, when it is made. A wish is checked as a whole: whoever made it hears of everything that is
//! wrong with it at once.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use leadline_domain::{
    destinations::{ContentType, Rules},
    ids::{DeliveryId, DestinationId, ProjectId},
    retry::RetryPlan,
    time::Timestamp,
};
use leadline_outbound::{Secret, check_custom_header};
use leadline_store::{
    deliveries,
    destinations::{self, Destination, SealedAccess},
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    EVENTS,
    access::{self, WishedAccess},
    goals::{self, WishedConversions},
    payload::{
        Format, Sample,
        conversions::{Platform, of_destination},
        leadline::Workspace,
        sample, template,
    },
    rules::{self, WishedRules},
    send::{Attempt, DestinationForSending, Outgoing, Unusable, send_once},
};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
    seal::Unsealable,
};

/// Requests that a destination gets at the same time, unless it says otherwise.
const MAX_IN_FLIGHT: i64 = 8;
const MOST_IN_FLIGHT: i64 = 64;
const MAX_NAME_CHARS: usize = 200;
const MAX_HEADERS: usize = 20;
/// Servers refuse header sections of more than 8 or 16 KiB; the signatures need some of it too.
const MAX_HEADERS_BYTES: usize = 4 * 1024;

/// What somebody wants a destination to be; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What to call it.
    pub name: Option<String>,
    /// Where to send.
    pub url: Option<String>,
    /// Which events.
    pub events: Option<Vec<String>>,
    /// Which shape of payload.
    pub format: Option<String>,
    /// Its own payload.
    pub template: Option<Option<String>>,
    /// What it wants besides, and how it is asked.
    pub rules: WishedRules,
    /// How many requests it gets at the same time.
    pub max_in_flight: Option<i64>,
    /// How stubborn to be.
    pub retry_plan: Option<String>,
    /// Only this project, or every one.
    pub project_id: Option<Option<ProjectId>>,
    /// What an ad platform is told of.
    pub conversions: Option<Option<WishedConversions>>,
    /// What it is asked with besides.
    pub access: WishedAccess,
    /// All custom headers.
    pub headers: Option<BTreeMap<String, String>>,
    /// Whether it gets anything at the moment.
    pub is_active: Option<bool>,
}

/// One thing that is wrong with a wish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// A stable name for programs.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
}

impl Refused {
    pub(super) fn new(pointer: &str, code: &'static str, message: &str) -> Self {
        Self { pointer: pointer.to_owned(), code, message: message.to_owned() }
    }
}

/// Why a destination is not made, changed or tested.
#[derive(Debug, thiserror::Error)]
pub enum DestinationError {
    /// Some of what was wished cannot be.
    #[error("some of it is not valid")]
    Refused(Vec<Refused>),
    /// The workspace has no such destination.
    #[error("there is no such destination")]
    NotFound,
    /// Its secret was sealed with another key file.
    #[error("the destination's secret cannot be opened")]
    Sealed(#[from] Unsealable),
    /// It cannot be used as it is kept.
    #[error("the destination cannot be used")]
    Unusable(#[from] Unusable),
    /// Something failed that the caller can do nothing about.
    #[error("the store failed")]
    Internal(#[from] leadline_store::Error),
}

/// A destination and its new secret, which is told this once.
pub struct WithSecret {
    /// The destination.
    pub destination: Destination,
    /// `whsec_…`
    pub secret: String,
}

/// Makes a destination.
///
/// # Errors
/// Where something about it is not valid, or the store fails.
pub async fn create_destination(engine: &Engine, actor: &Actor, wish: &Wish) -> Result<WithSecret, DestinationError> {
    let now = engine.clock.now();
    let secret = Secret::from_random(random_bytes());
    let mut destination = blank(engine, actor, &secret, now);
    let mut refused = Vec::new();
    for (pointer, is_missing) in
        [("/name", wish.name.is_none()), ("/url", wish.url.is_none()), ("/events", is_without_events(wish))]
    {
        if is_missing {
            refused.push(Refused::new(pointer, "required", "is required"));
        }
    }
    refused.extend(apply(engine, &mut destination, wish));

    let mut tx = engine.store.begin().await?;
    refused.extend(check_project(&mut tx, &destination).await?);
    refused.extend(rules::check_names(&mut tx, &destination).await?);
    if !refused.is_empty() {
        return Err(DestinationError::Refused(refused));
    }
    destinations::insert(&mut tx, &destination).await?;
    destinations::write_access(&mut tx, &destination).await?;
    audit::record(&mut tx, now, actor, Deed::new("destination.created", destination.id, &destination.name)).await?;
    tx.commit().await?;
    Ok(WithSecret { destination, secret: secret.reveal() })
}

/// What an ad platform is told of says which events those are.
fn is_without_events(wish: &Wish) -> bool {
    wish.events.is_none() && wish.format.as_deref().and_then(Platform::of_name).is_none()
}

fn blank(engine: &Engine, actor: &Actor, secret: &Secret, now: Timestamp) -> Destination {
    Destination {
        id: DestinationId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        project_id: None,
        name: String::new(),
        url: String::new(),
        events: Vec::new(),
        format: Format::Leadline.as_str().to_owned(),
        template: None,
        rules: Rules::default(),
        retry_plan: RetryPlan::Standard,
        secret_sealed: engine.keys.seal(&secret.reveal()),
        secret_last4: secret.last4(),
        previous_secret: None,
        headers_sealed: None,
        header_names: Vec::new(),
        access: SealedAccess::default(),
        is_active: true,
        disabled_reason: None,
        max_in_flight: MAX_IN_FLIGHT,
        created_at: now,
        updated_at: now,
    }
}

/// Changes a destination. Switching it on forgets why it was switched off, and what waited for it is sent.
///
/// # Errors
/// Where it is not there, something about it is not valid, or the store fails.
pub async fn update_destination(
    engine: &Engine,
    actor: &Actor,
    id: DestinationId,
    wish: &Wish,
) -> Result<Destination, DestinationError> {
    let mut tx = engine.store.begin().await?;
    let found = destinations::lock(&mut tx, actor.workspace, id).await?;
    let mut destination = found.ok_or(DestinationError::NotFound)?;
    let before = shown(&destination);
    let mut refused = apply(engine, &mut destination, wish);
    if wish.project_id.is_some() {
        refused.extend(check_project(&mut tx, &destination).await?);
    }
    if wish.rules.filter.is_some() || wish.conversions.is_some() {
        refused.extend(rules::check_names(&mut tx, &destination).await?);
    }
    if !refused.is_empty() {
        return Err(DestinationError::Refused(refused));
    }
    let deed = Deed::new("destination.updated", id, &destination.name);
    let deed = deed.with(audit::changed(&before, &shown(&destination)));
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    store_change(engine, tx, destination).await
}

/// What of a destination is compared, to name what somebody changed. Nothing of it is told.
fn shown(destination: &Destination) -> Value {
    json!({
        "name": destination.name,
        "url": destination.url,
        "projectId": destination.project_id,
        "events": destination.events,
        "format": destination.format,
        "template": destination.template,
        "rules": format!("{:?}", destination.rules),
        "retryPlan": destination.retry_plan.as_str(),
        "maxInFlight": destination.max_in_flight,
        "headers": destination.headers_sealed,
        "access": format!("{:?}", destination.access),
        "isActive": destination.is_active,
    })
}

/// Deletes a destination. What waits for it is cancelled.
///
/// # Errors
/// Where it is not there, or the store fails.
pub async fn delete_destination(
    engine: &Engine,
    actor: &Actor,
    id: DestinationId,
) -> Result<Destination, DestinationError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let found = destinations::lock(&mut tx, actor.workspace, id).await?;
    let destination = found.ok_or(DestinationError::NotFound)?;
    destinations::delete(&mut tx, actor.workspace, id, now).await?;
    deliveries::cancel_pending(&mut tx, actor.workspace, id, now).await?;
    audit::record(&mut tx, now, actor, Deed::new("destination.deleted", id, &destination.name)).await?;
    tx.commit().await?;
    Ok(Destination { is_active: false, updated_at: now, ..destination })
}

/// Sends a synthetic lead, signed like any other, and tells what came of it. Nothing of it is stored but who sent it.
///
/// # Errors
/// Where the destination is not there, its secret cannot be opened, or the store fails.
pub async fn test_destination(engine: &Engine, actor: &Actor, id: DestinationId) -> Result<Attempt, DestinationError> {
    let reader = engine.store.reader();
    let found = destinations::find(&reader, actor.workspace, id).await?;
    let now = engine.clock.now();
    let found = found.ok_or(DestinationError::NotFound)?;
    let destination = DestinationForSending::open(&found, engine, now)?;
    // Before it is sent: what the receiver gets shall not be there without a word of who sent it.
    let mut tx = engine.store.begin().await?;
    audit::record(&mut tx, now, actor, Deed::new("destination.tested", id, &found.name)).await?;
    tx.commit().await?;
    let slugs = destinations::list_workspace_slugs(&reader, &[actor.workspace]).await?;
    let slug = slugs.into_iter().next().map(|(_, slug)| slug).unwrap_or_default();
    let event = destination.events.first().map_or(EVENTS[0], String::as_str);
    let ids: [Uuid; 6] = std::array::from_fn(|_| DeliveryId::new(now, random_bytes()).0);
    let workspace = Workspace { id: actor.workspace, slug: &slug };
    let delivery_id = DeliveryId::new(now, random_bytes());
    let environment = &engine.options.environment;
    let body = match sample(&destination.shape, &Sample { event, ids, delivery_id, workspace, environment, now }) {
        Ok(body) => body,
        Err(not_sent) => return Ok(Attempt::not_made(now, not_sent.reason)),
    };
    let outgoing = Outgoing { destination: &destination, event, delivery_id, body: Bytes::from(body) };
    let timeout = destination.timeout(engine.options.delivery_timeout);
    Ok(send_once(engine, &outgoing, now, timeout).await)
}

pub(super) async fn store_change(
    engine: &Engine,
    mut tx: leadline_store::Tx,
    mut destination: Destination,
) -> Result<Destination, DestinationError> {
    let now = engine.clock.now();
    // Two changes within a millisecond must not look like one version to those who hold a copy.
    destination.updated_at = now.max(destination.updated_at.plus_ms(1));
    destination.previous_secret = destination.previous_secret.filter(|previous| now < previous.until);
    destinations::write_previous(&mut tx, &destination).await?;
    destinations::write_access(&mut tx, &destination).await?;
    let is_there = destinations::update(&mut tx, &destination).await?;
    if !is_there {
        return Err(DestinationError::NotFound);
    }
    tx.commit().await?;
    engine.wake.deliveries.notify_one();
    Ok(destination)
}

async fn check_project(
    tx: &mut leadline_store::Tx,
    destination: &Destination,
) -> Result<Option<Refused>, leadline_store::Error> {
    let Some(project) = destination.project_id else { return Ok(None) };
    let is_there = destinations::project_exists(tx, destination.workspace_id, project).await?;
    Ok((!is_there).then(|| Refused::new("/projectId", "unknown_project", "is not a project of this workspace")))
}

/// Makes the destination what is wished and lists what cannot be.
fn apply(engine: &Engine, destination: &mut Destination, wish: &Wish) -> Vec<Refused> {
    let mut refused = Vec::new();
    if let Some(name) = &wish.name {
        refused.extend(apply_name(destination, name));
    }
    if let Some(url) = &wish.url {
        match engine.client.guard().check_url(url) {
            Ok(url) => destination.url = url.to_string(),
            Err(error) => refused.push(Refused::new("/url", error.code(), &error.to_string())),
        }
    }
    if let Some(events) = &wish.events {
        refused.extend(apply_events(destination, events));
    }
    if let Some(format) = &wish.format {
        match Format::parse(format) {
            Some(format) => format.as_str().clone_into(&mut destination.format),
            None => {
                let names = Format::ALL.map(Format::as_str).join(", ");
                refused.push(Refused::new("/format", "unknown_format", &format!("must be one of {names}")));
            }
        }
    }
    refused.extend(rules::apply(&mut destination.rules, &wish.rules));
    if let Some(template) = &wish.template {
        destination.template.clone_from(template);
    }
    refused.extend(check_template(destination, wish));
    refused.extend(apply_conversions(engine, destination, wish));
    if let Some(most) = wish.max_in_flight {
        if !(1..=MOST_IN_FLIGHT).contains(&most) {
            let message = format!("must be between 1 and {MOST_IN_FLIGHT}");
            refused.push(Refused::new("/maxInFlight", "out_of_range", &message));
        }
        destination.max_in_flight = most;
    }
    if let Some(name) = &wish.retry_plan {
        match RetryPlan::parse(name) {
            Some(plan) => destination.retry_plan = plan,
            None => refused.push(Refused::new("/retryPlan", "unknown_plan", "must be standard, fast or none")),
        }
    }
    if let Some(project) = wish.project_id {
        destination.project_id = project;
    }
    if let Some(headers) = &wish.headers {
        refused.extend(apply_headers(engine, destination, headers));
    }
    if let Some(is_active) = wish.is_active {
        destination.is_active = is_active;
        destination.disabled_reason = None;
    }
    refused
}

/// What an ad platform is told of, and what it is asked with. Its events follow from that.
fn apply_conversions(engine: &Engine, destination: &mut Destination, wish: &Wish) -> Vec<Refused> {
    let mut refused = access::apply(engine, destination, &wish.access);
    match &wish.conversions {
        None => {}
        Some(None) => destination.rules.conversions = None,
        Some(Some(wish)) => refused.extend(goals::apply(destination, wish)),
    }
    // What could not be made of the wish is not missing, too.
    let is_about_them = |one: &Refused| one.pointer.starts_with("/conversions") || one.pointer == "/token";
    if !refused.iter().any(is_about_them) {
        refused.extend(goals::check(destination));
    }
    if let Some((_, conversions)) = of_destination(&destination.format, destination.rules.conversions.as_ref()) {
        destination.events = conversions.events();
    }
    refused
}

/// Whether the template that would be sent is one, and the format and the way of writing go together.
fn check_template(destination: &Destination, wish: &Wish) -> Option<Refused> {
    let is_template = destination.format == Format::Template.as_str();
    let content_type = destination.rules.content_type;
    if !is_template && content_type != ContentType::Json {
        let message = "only a template can be written as a form";
        return Some(Refused::new("/contentType", "not_a_template", message));
    }
    let is_touched = wish.template.is_some() || wish.format.is_some() || wish.rules.content_type.is_some();
    match &destination.template {
        None if is_template => Some(Refused::new("/template", "required", "is required for this format")),
        Some(text) if is_touched => {
            let error = template::parse(text, content_type).err()?;
            Some(Refused::new("/template", error.code, &error.to_string()))
        }
        None | Some(_) => None,
    }
}

fn apply_name(destination: &mut Destination, name: &str) -> Option<Refused> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME_CHARS || name.contains('\0') {
        let message = format!("must have 1 to {MAX_NAME_CHARS} characters");
        return Some(Refused::new("/name", "invalid_name", &message));
    }
    name.clone_into(&mut destination.name);
    None
}

fn apply_events(destination: &mut Destination, events: &[String]) -> Vec<Refused> {
    if events.is_empty() {
        return vec![Refused::new("/events", "no_events", "must name at least one event")];
    }
    let unknown: Vec<Refused> = events
        .iter()
        .enumerate()
        .filter(|(_, event)| !EVENTS.contains(&event.as_str()))
        .map(|(index, _)| {
            Refused::new(&format!("/events/{index}"), "unknown_event", "is not an event that can be chosen")
        })
        .collect();
    let mut seen = BTreeSet::new();
    destination.events = events.iter().filter(|event| seen.insert(event.as_str())).cloned().collect();
    unknown
}

fn apply_headers(engine: &Engine, destination: &mut Destination, headers: &BTreeMap<String, String>) -> Vec<Refused> {
    let mut refused = Vec::new();
    let size_bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || size_bytes > MAX_HEADERS_BYTES {
        let message = format!("must be at most {MAX_HEADERS} headers with {MAX_HEADERS_BYTES} bytes in all");
        refused.push(Refused::new("/headers", "too_many_headers", &message));
    }
    for (name, value) in headers {
        if let Err(error) = check_custom_header(name, value) {
            let pointer = format!("/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            refused.push(Refused::new(&pointer, error.code(), &error.to_string()));
        }
    }
    let pairs: Vec<(&String, &String)> = headers.iter().collect();
    let text = serde_json::to_string(&pairs).expect("pairs of texts can be written");
    destination.headers_sealed = (!headers.is_empty()).then(|| engine.keys.seal(&text));
    destination.header_names = headers.keys().cloned().collect();
    refused
}
