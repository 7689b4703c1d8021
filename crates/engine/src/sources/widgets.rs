//! WhatsApp widgets and chats: sources whose settings say how a widget looks and where it leads, or how long a chat may
//! be silent.

use leadline_domain::{
    ids::{ProjectId, SourceId},
    phones::{self, Phone},
    widgets,
};
use leadline_store::sources::Source;
use serde_json::{Value, json};

use super::{
    SourceError, change_and_store, checked_name, checked_origins, compared, find, insert, new_source, project_or_first,
};
use crate::{Actor, Engine};

/// Longest text that a widget shows, in characters.
pub const LONGEST_TEXT: usize = 300;

/// How long a chat may be silent before it counts as completed, where its source says nothing else.
pub const IDLE_MINUTES: i64 = 30;

/// What a widget is told. `None` leaves as it is, or takes the default for a new one.
#[derive(Debug, Clone, Default)]
pub struct WidgetChange {
    /// Its name in the dashboard.
    pub name: Option<String>,
    /// Another project.
    pub project: Option<ProjectId>,
    /// The business's WhatsApp number.
    pub phone_number: Option<String>,
    /// Whether it asks for the visitor's name.
    pub name_field: Option<bool>,
    /// The colour of its buttons, `#rrggbb`.
    pub color: Option<String>,
    /// `right` or `left`.
    pub position: Option<String>,
    /// The words at its head.
    pub greeting: Option<String>,
    /// The country of numbers without a calling code; `Some(None)` for the workspace's own.
    pub default_country: Option<Option<String>>,
    /// What the visitor agrees to by sending; `Some(None)` for nothing.
    pub consent_text: Option<Option<String>>,
    /// The websites that may show it; none for any.
    pub allowed_origins: Option<Vec<String>>,
}

/// What a chat source is told.
#[derive(Debug, Clone, Default)]
pub struct ChatChange {
    /// Its name in the dashboard.
    pub name: Option<String>,
    /// Another project.
    pub project: Option<ProjectId>,
    /// Minutes of silence after which a chat counts as completed.
    pub idle_minutes: Option<i64>,
    /// The country of numbers without a calling code; `Some(None)` for the workspace's own.
    pub default_country: Option<Option<String>>,
}

/// Makes a widget. Its id is the public part of its address, so it needs no other key.
///
/// # Errors
/// Where a field is wrong, the project is not there, or the database fails.
pub async fn create(engine: &Engine, actor: &Actor, change: WidgetChange) -> Result<Source, SourceError> {
    let project = project_or_first(engine, actor, change.project).await?;
    let mut widget = new_source(engine, "widget", project, change.name.as_deref().unwrap_or_default())?;
    widget.key = widget.id.to_string();
    widget.settings = json!({
        "nameField": true, "color": "#25d366", "position": "right", "greeting": "How can we help?",
        "defaultCountry": null, "consentText": null, "allowedOrigins": [],
    });
    if change.phone_number.is_none() {
        return Err(SourceError::Field("phoneNumber", "is required"));
    }
    apply(&mut widget, &change)?;
    insert(engine, actor, widget).await
}

/// Changes a widget.
///
/// # Errors
/// Where a field is wrong, it is not there, or the database fails.
pub async fn update(engine: &Engine, actor: &Actor, id: SourceId, change: WidgetChange) -> Result<Source, SourceError> {
    let mut widget = find(engine, actor, "widget", id).await?;
    let before = compared(&widget);
    apply(&mut widget, &change)?;
    change_and_store(engine, actor, &before, widget, change.name.as_deref(), change.project).await
}

/// Makes a chat source.
///
/// # Errors
/// Where a field is wrong, the project is not there, or the database fails.
pub async fn create_chat(engine: &Engine, actor: &Actor, change: ChatChange) -> Result<Source, SourceError> {
    let project = project_or_first(engine, actor, change.project).await?;
    let mut chat = new_source(engine, "chat", project, change.name.as_deref().unwrap_or_default())?;
    chat.settings = json!({"idleMinutes": IDLE_MINUTES, "defaultCountry": null});
    apply_to_chat(&mut chat, &change)?;
    insert(engine, actor, chat).await
}

/// Changes a chat source.
///
/// # Errors
/// Where a field is wrong, it is not there, or the database fails.
pub async fn update_chat(
    engine: &Engine,
    actor: &Actor,
    id: SourceId,
    change: ChatChange,
) -> Result<Source, SourceError> {
    let mut chat = find(engine, actor, "chat", id).await?;
    let before = compared(&chat);
    apply_to_chat(&mut chat, &change)?;
    change_and_store(engine, actor, &before, chat, change.name.as_deref(), change.project).await
}

fn apply(widget: &mut Source, change: &WidgetChange) -> Result<(), SourceError> {
    let settings = &mut widget.settings;
    if let Some(country) = &change.default_country {
        settings["defaultCountry"] = checked_country(country.as_deref())?;
    }
    if let Some(number) = &change.phone_number {
        let country = settings["defaultCountry"].as_str();
        let wrong =
            SourceError::Field("phoneNumber", "must be a phone number with its calling code, such as +491701234567");
        settings["phoneNumber"] = Phone::parse(number, country, None).ok_or(wrong)?.e164.into();
    }
    if let Some(name_field) = change.name_field {
        settings["nameField"] = name_field.into();
    }
    if let Some(color) = &change.color {
        if !widgets::is_color(color) {
            return Err(SourceError::Field("color", "must be a colour such as #25d366"));
        }
        settings["color"] = color.to_ascii_lowercase().into();
    }
    if let Some(position) = &change.position {
        if !["left", "right"].contains(&position.as_str()) {
            return Err(SourceError::Field("position", "must be left or right"));
        }
        settings["position"] = position.as_str().into();
    }
    if let Some(greeting) = &change.greeting {
        settings["greeting"] = checked_text("greeting", greeting)?.into();
    }
    if let Some(consent) = &change.consent_text {
        settings["consentText"] = match consent.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            Some(text) => checked_text("consentText", text)?.into(),
            None => Value::Null,
        };
    }
    if let Some(origins) = &change.allowed_origins {
        settings["allowedOrigins"] = checked_origins(origins)?.into();
    }
    if let Some(name) = &change.name {
        widget.name = checked_name(name)?;
    }
    Ok(())
}

fn apply_to_chat(chat: &mut Source, change: &ChatChange) -> Result<(), SourceError> {
    if let Some(country) = &change.default_country {
        chat.settings["defaultCountry"] = checked_country(country.as_deref())?;
    }
    if let Some(minutes) = change.idle_minutes {
        if !(1..=10_080).contains(&minutes) {
            return Err(SourceError::Field("idleMinutes", "must be 1 to 10080"));
        }
        chat.settings["idleMinutes"] = minutes.into();
    }
    Ok(())
}

fn checked_text(field: &'static str, text: &str) -> Result<String, SourceError> {
    let text = text.trim();
    let is_good = !text.is_empty() && text.chars().count() <= LONGEST_TEXT && !text.contains('\0');
    if is_good { Ok(text.to_owned()) } else { Err(SourceError::Field(field, "must have 1 to 300 characters")) }
}

fn checked_country(country: Option<&str>) -> Result<Value, SourceError> {
    let Some(country) = country.map(str::trim).filter(|country| !country.is_empty()) else { return Ok(Value::Null) };
    let country = country.to_ascii_uppercase();
    let wrong = SourceError::Field("defaultCountry", "must be a country such as DE");
    if phones::is_region(&country) { Ok(country.into()) } else { Err(wrong) }
}
