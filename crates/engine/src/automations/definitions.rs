//! Making, changing and deleting automations. Each change is a version of its own; runs go on by the one they began with.

use leadline_domain::{
    automations::{Definition, DefinitionFault, Exit, QuietHours, Step, Trigger, USUAL_LOCK_MINUTES},
    ids::{AutomationId, StageId},
};
use leadline_store::{
    Error, Tx,
    automations::{self as stored, AUTOMATIONS_MAX, Automation, Counts},
};
use serde_json::{Value, json};

use super::naming::faults;
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

const NAME_MAX_CHARS: usize = 80;
const DESCRIPTION_MAX_CHARS: usize = 500;

/// What somebody says of an automation. What is `None` stays.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Automation and Definition under their own names")]
pub struct AutomationEdit {
    pub name: Option<String>,
    pub description: Option<Option<String>>,
    pub trigger: Option<Trigger>,
    pub condition: Option<Option<Value>>,
    pub steps: Option<Vec<Step>>,
    pub safety_lock_minutes: Option<i64>,
    pub quiet_hours: Option<Option<QuietHours>>,
    pub exit_on: Option<Vec<Exit>>,
    pub exit_stage_id: Option<Option<StageId>>,
    pub is_active: Option<bool>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Why an automation was not changed.
#[derive(Debug, thiserror::Error)]
pub enum AutomationError {
    /// There is none of this id.
    #[error("there is no such automation")]
    NotFound,
    /// The workspace has as many as it may have.
    #[error("a workspace has at most {AUTOMATIONS_MAX} automations")]
    Full,
    /// Somebody changed it since.
    #[error("somebody else changed the automation")]
    Stale,
    /// It cannot be so.
    #[error("{} things speak against it", .0.len())]
    Invalid(Vec<DefinitionFault>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

/// Makes an automation and tells its id.
///
/// # Errors
/// Where it cannot be so.
pub async fn create(engine: &Engine, actor: &Actor, edit: AutomationEdit) -> Result<AutomationId, AutomationError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    if stored::count(&mut tx, actor.workspace).await? >= AUTOMATIONS_MAX {
        return Err(AutomationError::Full);
    }
    let blank = Automation {
        id: AutomationId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        name: String::new(),
        description: None,
        definition: blank(),
        is_active: true,
        version: 0,
        made_by: actor.name.clone(),
        counts: Counts::default(),
        last_triggered_at: None,
        created_at: now,
        updated_at: now,
    };
    let automation = checked(engine, &mut tx, blank, edit).await?;
    stored::write(&mut tx, &automation).await?;
    let deed = Deed::new("automation.created", automation.id, &automation.name);
    audit::record(&mut tx, now, actor, deed).await?;
    tx.commit().await?;
    Ok(automation.id)
}

fn blank() -> Definition {
    Definition {
        trigger: Trigger::Arrived { source_id: None },
        condition: None,
        steps: Vec::new(),
        safety_lock_minutes: USUAL_LOCK_MINUTES,
        quiet_hours: None,
        exit_on: Vec::new(),
        exit_stage_id: None,
    }
}

/// What an automation would be, if it was made so. Nothing is stored.
///
/// # Errors
/// Where it cannot be so.
pub(super) async fn draft(engine: &Engine, actor: &Actor, edit: AutomationEdit) -> Result<Definition, AutomationError> {
    let mut definition = blank();
    apply(&mut definition, &edit);
    let mut tx = engine.store.begin().await?;
    let faults = faults(engine, &mut tx, actor, &definition).await?;
    tx.rollback().await?;
    if faults.is_empty() { Ok(definition) } else { Err(AutomationError::Invalid(faults)) }
}

/// Changes an automation.
///
/// # Errors
/// Where it is not there, cannot be so, or was changed since.
pub async fn update(
    engine: &Engine,
    actor: &Actor,
    id: AutomationId,
    edit: AutomationEdit,
) -> Result<(), AutomationError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let automation = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(AutomationError::NotFound)?;
    if edit.version.is_some_and(|version| version != automation.version) {
        return Err(AutomationError::Stale);
    }
    let before = compared(&automation);
    let automation = Automation { updated_at: now, ..checked(engine, &mut tx, automation, edit).await? };
    stored::write(&mut tx, &automation).await?;
    let deed = Deed::new("automation.updated", id, &automation.name);
    let deed = deed.with(audit::changed(&before, &compared(&automation)));
    audit::record(&mut tx, now, actor, deed).await?;
    Ok(tx.commit().await?)
}

fn compared(automation: &Automation) -> Value {
    let mut compared = json!(automation.definition);
    compared["name"] = automation.name.as_str().into();
    compared["description"] = automation.description.as_deref().into();
    compared["isActive"] = automation.is_active.into();
    compared
}

/// Deletes an automation. Runs that are under way end with their next step.
///
/// # Errors
/// Where it is not there.
pub async fn delete(engine: &Engine, actor: &Actor, id: AutomationId) -> Result<(), AutomationError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let automation = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(AutomationError::NotFound)?;
    stored::delete(&mut tx, actor.workspace, id, now).await?;
    audit::record(&mut tx, now, actor, Deed::new("automation.deleted", id, &automation.name)).await?;
    Ok(tx.commit().await?)
}

fn apply(definition: &mut Definition, edit: &AutomationEdit) {
    if let Some(trigger) = &edit.trigger {
        definition.trigger = trigger.clone();
    }
    if let Some(steps) = &edit.steps {
        definition.steps.clone_from(steps);
    }
    if let Some(condition) = &edit.condition {
        definition.condition.clone_from(condition);
    }
    if let Some(minutes) = edit.safety_lock_minutes {
        definition.safety_lock_minutes = minutes;
    }
    if let Some(quiet) = edit.quiet_hours {
        definition.quiet_hours = quiet;
    }
    if let Some(exits) = &edit.exit_on {
        definition.exit_on = Exit::ALL.into_iter().filter(|exit| exits.contains(exit)).collect();
        if !exits.contains(&Exit::StageLeft) && edit.exit_stage_id.is_none() {
            definition.exit_stage_id = None;
        }
    }
    if let Some(stage) = edit.exit_stage_id {
        definition.exit_stage_id = stage;
    }
}

async fn checked(
    engine: &Engine,
    tx: &mut Tx,
    mut automation: Automation,
    edit: AutomationEdit,
) -> Result<Automation, AutomationError> {
    apply(&mut automation.definition, &edit);
    // What is only switched on or off is not looked at anew: what it names may have gone since.
    let is_rewritten = edit.trigger.is_some()
        || edit.steps.is_some()
        || edit.condition.is_some()
        || edit.exit_stage_id.is_some()
        || automation.version == 0;
    let actor = Actor::system(automation.workspace_id, "");
    let mut faults = match is_rewritten {
        true => faults(engine, tx, &actor, &automation.definition).await?,
        false => automation.definition.faults(),
    };
    if let Some(name) = edit.name {
        name.trim().clone_into(&mut automation.name);
    }
    if !is_text(&automation.name, 1, NAME_MAX_CHARS) {
        faults.push(fault("/name", format!("has 1 to {NAME_MAX_CHARS} characters")));
    }
    if let Some(description) = edit.description {
        let description = description.map(|text| text.trim().to_owned());
        automation.description = description.filter(|text| !text.is_empty());
    }
    if automation.description.as_deref().is_some_and(|text| !is_text(text, 0, DESCRIPTION_MAX_CHARS)) {
        faults.push(fault("/description", format!("has at most {DESCRIPTION_MAX_CHARS} characters")));
    }
    automation.is_active = edit.is_active.unwrap_or(automation.is_active);
    automation.version += 1;
    if faults.is_empty() { Ok(automation) } else { Err(AutomationError::Invalid(faults)) }
}

fn is_text(text: &str, least: usize, most: usize) -> bool {
    let length = text.chars().count();
    (least..=most).contains(&length) && !text.chars().any(|letter| letter.is_control() && letter != '\n')
}

pub(super) fn fault(pointer: &str, message: impl Into<String>) -> DefinitionFault {
    DefinitionFault { pointer: pointer.to_owned(), message: message.into() }
}
