//! What lets leads in, and what they are about: projects, forms, inbound webhooks, widgets, chats, sites.
//!
//! A key is the secret part of a source's address: 24 random bytes, so that nobody guesses one.

mod reception;
pub mod widgets;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leadline_domain::{
    fields::FieldMapping,
    ids::{PipelineId, ProjectId, SiteId, SourceId},
};
use leadline_store::{
    Error, Tx, pipelines, projects,
    projects::Project,
    sources::{self, Site, Source},
};
use serde_json::{Map, Value, json};
use url::Url;

pub use self::reception::Reception;
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// Longest name of a project or a source, in characters.
pub const LONGEST_NAME: usize = 120;

/// Why a source or a project cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It is not there.
    #[error("not found")]
    NotFound,
    /// A field is wrong: the field and what is wrong with it.
    #[error("{0} {1}")]
    Field(&'static str, &'static str),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// What a form is told beyond its name.
#[derive(Debug, Clone, Default)]
pub struct FormChange {
    /// A new name.
    pub name: Option<String>,
    /// Another project.
    pub project: Option<ProjectId>,
    /// Where a browser goes after it submitted; `Some(None)` for our own page.
    pub thank_you_url: Option<Option<String>>,
    /// 301 or 303.
    pub redirect_status: Option<u16>,
    /// The origins that may post; none for any.
    pub allowed_origins: Option<Vec<String>>,
}

/// What an inbound webhook is told beyond its name.
#[derive(Debug, Clone, Default)]
pub struct WebhookChange {
    /// A new name.
    pub name: Option<String>,
    /// Another project.
    pub project: Option<ProjectId>,
    /// Incoming field → core field.
    pub field_mapping: Option<FieldMapping>,
    /// How it receives.
    pub reception: Reception,
    /// Whether its key is to be replaced; the old address stops at once.
    pub regenerate_key: bool,
}

/// What somebody changes on a project. `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct ProjectChange {
    /// A new name.
    pub name: Option<String>,
    /// The pipeline that its new leads come into; `Some(None)` for the default one.
    pub pipeline: Option<Option<PipelineId>>,
}

/// Makes a project.
///
/// # Errors
/// Where the name is not 1 to 120 characters, there is no such pipeline, or the database fails.
pub async fn create_project(engine: &Engine, actor: &Actor, change: &ProjectChange) -> Result<Project, SourceError> {
    let now = engine.clock.now();
    let name = checked_name(change.name.as_deref().unwrap_or_default())?;
    let pipeline_id = change.pipeline.flatten();
    let project = Project { id: ProjectId::new(now, random_bytes()), name, pipeline_id, created_at: now };
    let mut tx = engine.store.begin().await?;
    hold_pipeline(&mut tx, actor, pipeline_id).await?;
    projects::insert(&mut tx, actor.workspace, &project).await?;
    audit::record(&mut tx, now, actor, Deed::new("project.created", project.id, &project.name)).await?;
    tx.commit().await?;
    engine.door.intakes().forget();
    Ok(project)
}

/// Changes a project. Leads that are there stay where they are.
///
/// # Errors
/// Where it is not there, the name is not 1 to 120 characters, there is no such pipeline, or the database fails.
pub async fn change_project(
    engine: &Engine,
    actor: &Actor,
    id: ProjectId,
    change: &ProjectChange,
) -> Result<Project, SourceError> {
    let name = change.name.as_deref().map(checked_name).transpose()?;
    let mut tx = engine.store.begin().await?;
    hold_pipeline(&mut tx, actor, change.pipeline.flatten()).await?;
    let mut project = projects::lock(&mut tx, actor.workspace, id).await?.ok_or(SourceError::NotFound)?;
    project.name = name.unwrap_or(project.name);
    project.pipeline_id = change.pipeline.unwrap_or(project.pipeline_id);
    projects::update(&mut tx, actor.workspace, &project).await?;
    let deed = Deed::new("project.updated", id, &project.name);
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await?;
    engine.door.intakes().forget();
    Ok(project)
}

/// Holds the pipeline that a project names, so that it is not deleted meanwhile.
async fn hold_pipeline(tx: &mut Tx, actor: &Actor, pipeline: Option<PipelineId>) -> Result<(), SourceError> {
    let Some(pipeline) = pipeline else { return Ok(()) };
    let is_there = pipelines::hold(tx, actor.workspace, pipeline).await?;
    if is_there { Ok(()) } else { Err(SourceError::Field("pipelineId", "is not a pipeline here")) }
}

/// Puts a project away. Its leads stay; the last project of a workspace stays too, since leads must go somewhere.
///
/// # Errors
/// Where it is not there, it is the last one, sources lead into it, or the database fails.
pub async fn delete_project(engine: &Engine, actor: &Actor, id: ProjectId) -> Result<(), SourceError> {
    let reader = engine.store.reader();
    let known = projects::list(&reader, actor.workspace).await?;
    if !known.iter().any(|project| project.id == id) {
        return Err(SourceError::NotFound);
    }
    let is_the_last = known.len() == 1;
    if is_the_last {
        return Err(SourceError::Field("id", "is the workspace's last project"));
    }
    for kind in ["form", "webhook", "widget", "chat"] {
        let in_use = sources::list(&reader, actor.workspace, kind).await?.iter().any(|source| source.project_id == id);
        if in_use {
            return Err(SourceError::Field("id", "still has sources that lead into it"));
        }
    }
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    let was_there = projects::delete(&mut tx, actor.workspace, id, now).await?;
    if was_there {
        let name = known.iter().find(|project| project.id == id).map_or("", |project| project.name.as_str());
        audit::record(&mut tx, now, actor, Deed::new("project.deleted", id, name)).await?;
    }
    tx.commit().await?;
    engine.door.intakes().forget();
    if was_there { Ok(()) } else { Err(SourceError::NotFound) }
}

/// Makes a form.
///
/// # Errors
/// Where a field is wrong, the project is not there, or the database fails.
pub async fn create_form(engine: &Engine, actor: &Actor, change: FormChange) -> Result<Source, SourceError> {
    let project = project_or_first(engine, actor, change.project).await?;
    let mut form = new_source(engine, "form", project, change.name.as_deref().unwrap_or_default())?;
    form.settings = json!({"redirectStatus": 301});
    apply_form_settings(&mut form, &change)?;
    insert(engine, actor, form).await
}

/// Changes a form.
///
/// # Errors
/// Where a field is wrong, it is not there, or the database fails.
pub async fn update_form(
    engine: &Engine,
    actor: &Actor,
    id: SourceId,
    change: FormChange,
) -> Result<Source, SourceError> {
    let mut form = find(engine, actor, "form", id).await?;
    let before = compared(&form);
    apply_form_settings(&mut form, &change)?;
    change_and_store(engine, actor, &before, form, change.name.as_deref(), change.project).await
}

/// Makes an inbound webhook.
///
/// # Errors
/// Where a field is wrong, the project is not there, or the database fails.
pub async fn create_webhook(engine: &Engine, actor: &Actor, change: WebhookChange) -> Result<Source, SourceError> {
    let project = project_or_first(engine, actor, change.project).await?;
    let mut webhook = new_source(engine, "webhook", project, change.name.as_deref().unwrap_or_default())?;
    webhook.settings = json!({"fieldMapping": checked_mapping(change.field_mapping.unwrap_or_default())?});
    reception::apply(&engine.keys, &mut webhook, &change.reception)?;
    insert(engine, actor, webhook).await
}

/// Changes an inbound webhook, or gives it a new key.
///
/// # Errors
/// Where a field is wrong, it is not there, or the database fails.
pub async fn update_webhook(
    engine: &Engine,
    actor: &Actor,
    id: SourceId,
    change: WebhookChange,
) -> Result<Source, SourceError> {
    let mut webhook = find(engine, actor, "webhook", id).await?;
    let before = compared(&webhook);
    if let Some(mapping) = change.field_mapping {
        webhook.settings["fieldMapping"] = json!(checked_mapping(mapping)?);
    }
    reception::apply(&engine.keys, &mut webhook, &change.reception)?;
    if change.regenerate_key {
        webhook.key = new_key();
    }
    change_and_store(engine, actor, &before, webhook, change.name.as_deref(), change.project).await
}

/// Puts a form (`form`), an inbound webhook (`webhook`), a widget (`widget`) or a chat (`chat`) away. Its leads stay.
///
/// # Errors
/// Where it is not there or the database fails.
pub async fn delete(engine: &Engine, actor: &Actor, kind: &str, id: SourceId) -> Result<(), SourceError> {
    let found = find(engine, actor, kind, id).await?;
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    let was_there = sources::delete(&mut tx, actor.workspace, kind, id, now).await?;
    if was_there {
        let deed = Deed::new("source.deleted", id, &found.name).with(json!({ "kind": kind }));
        audit::record(&mut tx, now, actor, deed).await?;
    }
    tx.commit().await?;
    engine.door.intakes().forget();
    if was_there { Ok(()) } else { Err(SourceError::NotFound) }
}

/// Makes a site.
///
/// # Errors
/// Where a field is wrong or the database fails.
pub async fn create_site(engine: &Engine, actor: &Actor, name: &str, origins: &[String]) -> Result<Site, SourceError> {
    let now = engine.clock.now();
    let site = Site {
        id: SiteId::new(now, random_bytes()),
        name: checked_name(name)?,
        key: new_key(),
        allowed_origins: checked_origins(origins)?,
        created_at: now,
    };
    let mut tx = engine.store.begin().await?;
    sources::insert_site(&mut tx, actor.workspace, &site).await?;
    audit::record(&mut tx, now, actor, Deed::new("site.created", site.id, &site.name)).await?;
    tx.commit().await?;
    Ok(site)
}

/// Changes a site.
///
/// # Errors
/// Where a field is wrong, it is not there, or the database fails.
pub async fn update_site(
    engine: &Engine,
    actor: &Actor,
    id: SiteId,
    name: Option<&str>,
    origins: Option<&[String]>,
) -> Result<Site, SourceError> {
    let found = sources::find_site(&engine.store.reader(), actor.workspace, id).await?;
    let mut site = found.ok_or(SourceError::NotFound)?;
    if let Some(name) = name {
        site.name = checked_name(name)?;
    }
    if let Some(origins) = origins {
        site.allowed_origins = checked_origins(origins)?;
    }
    let mut tx = engine.store.begin().await?;
    let is_there = sources::update_site(&mut tx, actor.workspace, &site).await?;
    if is_there {
        audit::record(&mut tx, engine.clock.now(), actor, Deed::new("site.updated", id, &site.name)).await?;
    }
    tx.commit().await?;
    if is_there { Ok(site) } else { Err(SourceError::NotFound) }
}

/// Puts a site away.
///
/// # Errors
/// Where it is not there or the database fails.
pub async fn delete_site(engine: &Engine, actor: &Actor, id: SiteId) -> Result<(), SourceError> {
    let found = sources::find_site(&engine.store.reader(), actor.workspace, id).await?;
    let name = found.ok_or(SourceError::NotFound)?.name;
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    let was_there = sources::delete_site(&mut tx, actor.workspace, id, now).await?;
    if was_there {
        audit::record(&mut tx, now, actor, Deed::new("site.deleted", id, &name)).await?;
    }
    tx.commit().await?;
    if was_there { Ok(()) } else { Err(SourceError::NotFound) }
}

async fn find(engine: &Engine, actor: &Actor, kind: &str, id: SourceId) -> Result<Source, SourceError> {
    let found = sources::find(&engine.store.reader(), actor.workspace, kind, id).await?;
    found.ok_or(SourceError::NotFound)
}

/// What of a source is compared, to name what somebody changed: its key and what is sealed are named, never told.
fn compared(source: &Source) -> Value {
    let mut compared = match &source.settings {
        Value::Object(settings) => settings.clone(),
        _ => Map::new(),
    };
    compared.insert("name".to_owned(), source.name.as_str().into());
    compared.insert("key".to_owned(), source.key.as_str().into());
    compared.insert("projectId".to_owned(), source.project_id.to_string().into());
    compared.into()
}

fn told(source: &Source, mut data: Value) -> Value {
    data["kind"] = source.kind.as_str().into();
    data
}

async fn change_and_store(
    engine: &Engine,
    actor: &Actor,
    before: &Value,
    mut source: Source,
    name: Option<&str>,
    project: Option<ProjectId>,
) -> Result<Source, SourceError> {
    if let Some(name) = name {
        source.name = checked_name(name)?;
    }
    if project.is_some() {
        source.project_id = project_or_first(engine, actor, project).await?;
    }
    let mut tx = engine.store.begin().await?;
    let is_there = sources::update(&mut tx, actor.workspace, &source).await?;
    if is_there {
        let deed = Deed::new("source.updated", source.id, &source.name);
        let deed = deed.with(told(&source, audit::changed(before, &compared(&source))));
        audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    }
    tx.commit().await?;
    engine.door.intakes().forget();
    if is_there { Ok(source) } else { Err(SourceError::NotFound) }
}

async fn insert(engine: &Engine, actor: &Actor, source: Source) -> Result<Source, SourceError> {
    let mut tx = engine.store.begin().await?;
    sources::insert(&mut tx, actor.workspace, &source).await?;
    let deed = Deed::new("source.created", source.id, &source.name).with(told(&source, json!({})));
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    tx.commit().await?;
    Ok(source)
}

async fn project_or_first(
    engine: &Engine,
    actor: &Actor,
    project: Option<ProjectId>,
) -> Result<ProjectId, SourceError> {
    let known = projects::list(&engine.store.reader(), actor.workspace).await?;
    let found = match project {
        Some(id) => known.iter().find(|project| project.id == id),
        None => known.first(),
    };
    found.map(|project| project.id).ok_or(SourceError::Field("projectId", "is not a project of this workspace"))
}

fn new_source(engine: &Engine, kind: &str, project: ProjectId, name: &str) -> Result<Source, SourceError> {
    let now = engine.clock.now();
    Ok(Source {
        id: SourceId::new(now, random_bytes()),
        project_id: project,
        kind: kind.to_owned(),
        name: checked_name(name)?,
        key: new_key(),
        settings: Value::Null,
        received_count: 0,
        last_received_at: None,
        created_at: now,
    })
}

fn new_key() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<24>())
}

fn apply_form_settings(form: &mut Source, change: &FormChange) -> Result<(), SourceError> {
    if let Some(url) = &change.thank_you_url {
        form.settings["thankYouUrl"] = match url {
            Some(url) => checked_web_url(url)?.into(),
            None => Value::Null,
        };
    }
    if let Some(status) = change.redirect_status {
        let is_allowed = status == 301 || status == 303;
        if !is_allowed {
            return Err(SourceError::Field("redirectStatus", "must be 301 or 303"));
        }
        form.settings["redirectStatus"] = status.into();
    }
    if let Some(origins) = &change.allowed_origins {
        form.settings["allowedOrigins"] = checked_origins(origins)?.into();
    }
    Ok(())
}

fn checked_name(name: &str) -> Result<String, SourceError> {
    let name = name.trim();
    let is_good = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains('\0');
    if is_good { Ok(name.to_owned()) } else { Err(SourceError::Field("name", "must have 1 to 120 characters")) }
}

fn checked_web_url(url: &str) -> Result<String, SourceError> {
    let wrong = SourceError::Field("thankYouUrl", "must be an http or https address of at most 2000 characters");
    let Ok(parsed) = Url::parse(url.trim()) else { return Err(wrong) };
    let is_good = matches!(parsed.scheme(), "http" | "https") && parsed.has_host() && parsed.as_str().len() <= 2_000;
    if is_good { Ok(parsed.into()) } else { Err(wrong) }
}

fn checked_origins(origins: &[String]) -> Result<Vec<String>, SourceError> {
    let wrong = "must be a list of at most 50 origins such as https://www.example.com";
    if origins.len() > 50 {
        return Err(SourceError::Field("allowedOrigins", wrong));
    }
    let origin = |text: &String| {
        let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        url.map(|url| url.origin().ascii_serialization()).ok_or(SourceError::Field("allowedOrigins", wrong))
    };
    origins.iter().map(origin).collect()
}

const CORE_FIELDS: [&str; 10] =
    ["name", "email", "phone", "company", "title", "message", "project", "quotable", "quote_value", "sales_value"];

/// Checks that a mapping names core fields, and few enough of them.
///
/// # Errors
/// Where it does not.
pub fn checked_mapping(mapping: FieldMapping) -> Result<FieldMapping, SourceError> {
    let is_small = mapping.0.len() <= 100 && mapping.0.keys().all(|key| key.len() <= 200 && !key.contains('\0'));
    let names_core_fields = mapping.0.values().all(|target| CORE_FIELDS.contains(&target.as_str()));
    if is_small && names_core_fields {
        return Ok(mapping);
    }
    let wrong = "must map incoming names to name, email, phone, company, title, message, project, quotable, \
                 quote_value or sales_value";
    Err(SourceError::Field("fieldMapping", wrong))
}
