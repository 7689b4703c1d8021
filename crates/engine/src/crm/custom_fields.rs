//! Custom fields: defining, renaming, taking back. No lead is touched by any of it.

use leadline_domain::custom_fields::{
    CustomKind, NAME_MAX_CHARS, OPTION_MAX_CHARS, OPTIONS_MAX, is_key, is_usable_key,
};
use leadline_domain::fields::camel_case;
use leadline_store::{
    self as store,
    custom_fields::{self as stored, CustomField, FIELDS_MAX},
};

use super::{Fault, text::clean};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// A field as somebody defines it.
#[derive(Debug, Clone)]
pub struct NewField {
    /// Its key; made of the name where there is none.
    pub key: Option<String>,
    /// Its name on the screen.
    pub name: String,
    /// What it holds.
    pub kind: CustomKind,
    /// What its values are chosen from.
    pub options: Vec<String>,
    /// Whether cards show it.
    pub is_on_card: bool,
}

/// What somebody changes on a field.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the same as in NewField")]
pub struct FieldChange {
    pub name: Option<String>,
    pub kind: Option<CustomKind>,
    pub options: Option<Vec<String>>,
    pub is_on_card: Option<bool>,
}

/// Why a field was not changed.
#[derive(Debug, thiserror::Error)]
pub enum FieldError {
    /// There is none of this key.
    #[error("there is no such field")]
    NotFound,
    /// It is defined already.
    #[error("the field is defined already")]
    Exists,
    /// The workspace has as many as it may have.
    #[error("a workspace has at most {FIELDS_MAX} fields")]
    Full,
    /// It cannot be so.
    #[error("{} things speak against it", .0.len())]
    Invalid(Vec<Fault>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

/// Defines a field, or makes a definition of one that came by itself, and tells its key.
///
/// # Errors
/// Where it is defined already or cannot be so.
pub async fn create(engine: &Engine, actor: &Actor, new: &NewField) -> Result<String, FieldError> {
    let now = engine.clock.now();
    let key = new.key.clone().unwrap_or_else(|| camel_case(&new.name));
    let mut tx = engine.store.begin().await?;
    let before = stored::lock(&mut tx, actor.workspace, &key).await?;
    let came_by_itself = before.is_some();
    if before.as_ref().is_some_and(|field| field.kind.is_some()) {
        return Err(FieldError::Exists);
    }
    // What came by itself keeps its key, however it is written.
    let is_good = is_key(&key) || (came_by_itself && is_usable_key(&key));
    if !is_good {
        return Err(invalid("/key", "must be camelCase: letters and digits, a small letter first"));
    }
    if !came_by_itself && stored::count(&mut tx, actor.workspace).await? >= FIELDS_MAX {
        return Err(FieldError::Full);
    }
    let field = checked(CustomField {
        key: key.clone(),
        name: new.name.clone(),
        kind: Some(new.kind),
        options: new.options.clone(),
        is_on_card: new.is_on_card,
        seen_count: before.as_ref().map_or(0, |field| field.seen_count),
        last_seen_at: before.as_ref().and_then(|field| field.last_seen_at),
        created_at: before.as_ref().map_or(now, |field| field.created_at),
        updated_at: now,
    })?;
    stored::write(&mut tx, actor.workspace, &field).await?;
    audit::record(&mut tx, now, actor, Deed::new("custom_field.created", &key, &field.name)).await?;
    tx.commit().await?;
    Ok(key)
}

/// Changes a field. Saying what one that came by itself holds defines it.
///
/// # Errors
/// Where it is not there or cannot be so.
pub async fn update(engine: &Engine, actor: &Actor, key: &str, change: &FieldChange) -> Result<(), FieldError> {
    let mut tx = engine.store.begin().await?;
    let before = stored::lock(&mut tx, actor.workspace, key).await?.ok_or(FieldError::NotFound)?;
    // A name says nothing of values, so a field that only gets one holds any text.
    let kind = change.kind.or(before.kind).unwrap_or(CustomKind::Text);
    let field = checked(CustomField {
        name: change.name.clone().unwrap_or(before.name),
        kind: Some(kind),
        options: change.options.clone().unwrap_or(if kind.has_options() { before.options } else { Vec::new() }),
        is_on_card: change.is_on_card.unwrap_or(before.is_on_card),
        updated_at: engine.clock.now(),
        ..before
    })?;
    stored::write(&mut tx, actor.workspace, &field).await?;
    audit::record(&mut tx, field.updated_at, actor, Deed::new("custom_field.updated", key, &field.name)).await?;
    Ok(tx.commit().await?)
}

/// Takes a definition back: the values stay, and the field is again one that came by itself, where it did. One without
/// a definition leaves the list until it comes again.
///
/// # Errors
/// Where it is not there.
pub async fn remove(engine: &Engine, actor: &Actor, key: &str) -> Result<(), FieldError> {
    let mut tx = engine.store.begin().await?;
    let before = stored::lock(&mut tx, actor.workspace, key).await?.ok_or(FieldError::NotFound)?;
    let deed = Deed::new("custom_field.deleted", key, &before.name);
    audit::record(&mut tx, engine.clock.now(), actor, deed).await?;
    if before.kind.is_some() && before.seen_count > 0 {
        let undefined = CustomField { kind: None, options: Vec::new(), is_on_card: false, ..before };
        stored::write(&mut tx, actor.workspace, &undefined).await?;
    } else {
        stored::delete(&mut tx, actor.workspace, key).await?;
    }
    Ok(tx.commit().await?)
}

fn checked(mut field: CustomField) -> Result<CustomField, FieldError> {
    let mut faults = Vec::new();
    field.name = clean(&field.name).unwrap_or_default();
    if field.name.is_empty() || field.name.chars().count() > NAME_MAX_CHARS {
        faults.push(Fault::new("/name", format!("has 1 to {NAME_MAX_CHARS} characters")));
    }
    let mut options: Vec<String> = Vec::new();
    for (index, option) in field.options.iter().enumerate() {
        let pointer = format!("/options/{index}");
        match clean(option) {
            None => faults.push(Fault::new(pointer, "must not be empty")),
            Some(option) if option.chars().count() > OPTION_MAX_CHARS => {
                faults.push(Fault::new(pointer, format!("has at most {OPTION_MAX_CHARS} characters")));
            }
            Some(option) if options.contains(&option) => faults.push(Fault::new(pointer, "stands there twice")),
            Some(option) => options.push(option),
        }
    }
    let has_options = field.kind.is_some_and(CustomKind::has_options);
    if has_options && (field.options.is_empty() || field.options.len() > OPTIONS_MAX) {
        faults.push(Fault::new("/options", format!("must be 1 to {OPTIONS_MAX}")));
    }
    if !has_options && !field.options.is_empty() {
        faults.push(Fault::new("/options", "belong to the types select and multi_select"));
    }
    field.options = options;
    if faults.is_empty() { Ok(field) } else { Err(FieldError::Invalid(faults)) }
}

fn invalid(pointer: &str, message: &str) -> FieldError {
    FieldError::Invalid(vec![Fault::new(pointer, message)])
}
