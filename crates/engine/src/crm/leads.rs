//! Changing one lead: what is said of it, whose it is, notes, deletion.

use leadline_domain::{
    ids::{LeadId, UserId},
    scores::{self, LeadFields, Scoring},
};
use leadline_store::{
    Tx, custom_fields,
    leads::{self, Details, Locked, Tagged},
    search, workspaces,
};
use serde_json::{Map, Value, json};

use super::{
    Action, Fault, LeadError, Record, Refusal, apply, identities, retrying,
    text::{self, clean},
    worth::{self, WorthChanges},
};
use crate::{Actor, Engine, reasons};

const NOTE_MAX_CHARS: usize = 10_000;

/// What somebody changes on a lead. `None` leaves it, `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Changes {
    pub name: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub company: Option<Option<String>>,
    pub title: Option<Option<String>>,
    /// All tags from now on.
    pub tags: Option<Vec<String>>,
    /// Fields to set; `null` removes one.
    pub custom_fields: Option<Map<String, Value>>,
    /// What it is worth.
    pub worth: WorthChanges,
    /// What whoever changes it goes by.
    pub basis: Basis,
}

/// What a change goes by. What somebody else wrote meanwhile is not overwritten.
#[derive(Debug, Clone, Default)]
pub struct Basis {
    /// The version of the lead. Whatever a change would overwrite in another version is in conflict.
    pub version: Option<i64>,
    /// The fields as they were seen, named as in the timeline; custom fields one by one. Only these are compared.
    pub seen: Map<String, Value>,
}

/// A field that is neither what a change goes by nor what it would make of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where it stands in the body, as a JSON pointer.
    pub pointer: String,
    /// What the change would write.
    pub yours: Value,
    /// What is there.
    pub theirs: Value,
}

/// Changes a lead. A lead without a name is called by its e-mail, phone or source.
///
/// # Errors
/// Where the lead is not there or deleted, a value cannot be so, or somebody else changed what would be overwritten.
pub async fn update(engine: &Engine, actor: &Actor, lead: LeadId, changes: &Changes) -> Result<(), LeadError> {
    let workspace = workspaces::find(&engine.store.reader(), actor.workspace).await?;
    let settings = workspace.map(|workspace| workspace.settings).unwrap_or_default();
    let mut faults = Vec::new();
    if let Some(fields) = &changes.custom_fields {
        let defined = custom_fields::defined(&engine.store.reader(), actor.workspace).await?;
        text::fit(fields, &defined, &mut faults);
    }
    retrying(|| try_update(engine, actor, lead, changes, &settings, faults.clone())).await
}

async fn try_update(
    engine: &Engine,
    actor: &Actor,
    lead: LeadId,
    changes: &Changes,
    settings: &Value,
    mut faults: Vec<Fault>,
) -> Result<(), LeadError> {
    let mut tx = engine.store.begin().await?;
    let lead = lock_one(&mut tx, actor, lead).await?;
    let mut details = changed(&lead, changes, settings["defaultCountry"].as_str(), &mut faults);
    score(&lead, &mut details, &Scoring::of(settings));
    let tagged = changes.tags.as_ref().map(|tags| retagged(&lead, text::tags(tags, &mut faults)));
    let worth = worth::changed(&mut tx, actor, &lead, &changes.worth, &mut faults).await?;
    if !faults.is_empty() {
        return Err(LeadError::Invalid(faults));
    }
    let now = engine.clock.now();
    let mut record = Record::new(engine, actor);
    let mut differences = differences(&lead, &details);
    let mut fields: Vec<&str> = differences.iter().map(|(field, _, _)| *field).collect();
    let of_worth = worth.differences(&lead);
    let of_tags = tagged.as_ref().map(|tagged| ("tags", json!(lead.tags), json!(tagged.tags)));
    let conflicts = changes.basis.conflicts(&lead, differences.iter().chain(&of_worth).chain(&of_tags));
    if !conflicts.is_empty() {
        return Err(LeadError::Conflicts(conflicts));
    }
    if !differences.is_empty() {
        leads::update_details(&mut tx, actor.workspace, lead.id, &details, now).await?;
        identities::follow(&mut tx, engine, actor, &lead, &details).await?;
    }
    if !of_worth.is_empty() {
        worth.write(&mut tx, &mut record, actor, &lead, now).await?;
        fields.extend(of_worth.iter().map(|(field, _, _)| *field));
        differences.extend(of_worth);
    }
    if !differences.is_empty() {
        let lines: Vec<Value> =
            differences.iter().map(|(field, from, to)| json!({"field": field, "from": from, "to": to})).collect();
        record.activity(lead.id, "lead.updated", json!({"changes": lines}));
    }
    let mut data = json!({});
    if let Some(tagged) = tagged.filter(|tagged| !tagged.added.is_empty() || !tagged.removed.is_empty()) {
        data["addedTags"] = json!(tagged.added);
        record.activity(lead.id, "tags.changed", json!({"added": tagged.added, "removed": tagged.removed}));
        leads::set_tags(&mut tx, actor.workspace, &[tagged], now).await?;
        fields.push("tags");
    }
    if !fields.is_empty() {
        let place = (lead.pipeline_id, lead.stage_id);
        data["fields"] = json!(fields);
        record.event(lead.id, "lead.updated", place, data);
    }
    Ok(record.commit(tx).await?)
}

impl Basis {
    fn conflicts<'a>(
        &self,
        lead: &Locked,
        differences: impl Iterator<Item = &'a (&'static str, Value, Value)>,
    ) -> Vec<Conflict> {
        let is_stale = self.version.is_some_and(|version| version != lead.version);
        let is_another = |seen: Option<&Value>, theirs: &Value| is_stale || seen.is_some_and(|seen| seen != theirs);
        let mut conflicts = Vec::new();
        for (field, theirs, yours) in differences.filter(|(_, theirs, yours)| theirs != yours) {
            let seen = self.seen.get(*field);
            if *field != "customFields" {
                if is_another(seen, theirs) {
                    conflicts.push(Conflict {
                        pointer: format!("/{field}"),
                        yours: yours.clone(),
                        theirs: theirs.clone(),
                    });
                }
                continue;
            }
            for key in yours.as_object().into_iter().chain(theirs.as_object()).flat_map(Map::keys) {
                let pointer = format!("/customFields/{}", key.replace('~', "~0").replace('/', "~1"));
                let is_told = conflicts.iter().any(|conflict| conflict.pointer == pointer);
                let is_meta = key == "_displayNames";
                if yours[key] == theirs[key] || is_told || is_meta {
                    continue;
                }
                if is_another(seen.and_then(|seen| seen.get(key)), &theirs[key]) {
                    conflicts.push(Conflict { pointer, yours: yours[key].clone(), theirs: theirs[key].clone() });
                }
            }
        }
        conflicts
    }
}

/// Locks a lead that is there and not deleted.
pub(super) async fn lock_one(tx: &mut Tx, actor: &Actor, lead: LeadId) -> Result<Locked, LeadError> {
    let lead = leads::lock(tx, actor.workspace, &[lead]).await?.pop().ok_or(LeadError::NotFound)?;
    if lead.deleted_at.is_some() { Err(LeadError::Deleted) } else { Ok(lead) }
}

/// The lead's details with the changes put over them.
fn changed(lead: &Locked, changes: &Changes, country: Option<&str>, faults: &mut Vec<Fault>) -> Details {
    let short =
        |pointer: &str, change: &Option<Option<String>>, stored: &Option<String>, faults: &mut Vec<Fault>| match change
        {
            None => stored.clone(),
            Some(text) => text.as_deref().and_then(|text| text::short(pointer, text, faults)),
        };
    let company = short("/company", &changes.company, &lead.company, faults);
    let title = short("/title", &changes.title, &lead.title, faults);
    let email = match &changes.email {
        None => lead.email.clone(),
        Some(email) => email.as_deref().and_then(|email| text::email(email, faults)),
    };
    let (phone, phone_raw, country_code) = match &changes.phone {
        None => (lead.phone.clone(), lead.phone_raw.clone(), lead.country_code.clone()),
        Some(phone) => {
            let region = lead.country_code.as_deref().or(country);
            let parsed = phone.as_deref().and_then(|phone| text::phone(phone, region, faults));
            match parsed {
                Some((phone, raw)) => (Some(phone.e164), Some(raw), phone.region),
                None => (None, None, None),
            }
        }
    };
    let name = match &changes.name {
        None => Some(lead.name.clone()),
        Some(name) => name.as_deref().and_then(|name| text::short("/name", name, faults)),
    };
    let name =
        [name.as_ref(), email.as_ref(), phone.as_ref()].into_iter().flatten().next().unwrap_or(&lead.source_name);
    let custom_fields = match &changes.custom_fields {
        None => lead.custom_fields.clone(),
        Some(fields) => text::custom_fields(&lead.custom_fields, fields.clone(), faults),
    };
    Details {
        search_text: search::text(
            name,
            email.as_deref(),
            phone.as_deref().or(phone_raw.as_deref()),
            company.as_deref(),
        ),
        name: name.clone(),
        email,
        phone,
        phone_raw,
        country_code,
        company,
        title,
        custom_fields: Value::Object(custom_fields),
        score: 0,
        score_reasons: json!([]),
        score_version: 0,
    }
}

/// The score follows from what is known of the lead, so it changes with it. What silence took stays taken: nothing was
/// heard of the lead itself.
pub(super) fn score(lead: &Locked, details: &mut Details, scoring: &Scoring) {
    let none = Map::new();
    let fields = LeadFields {
        email: details.email.as_deref(),
        phone: details.phone.as_deref(),
        country: details.country_code.as_deref(),
        name: &details.name,
        company: details.company.as_deref(),
        title: details.title.as_deref(),
        message: lead.message.as_deref(),
        source: &lead.source_name,
        custom_fields: details.custom_fields.as_object().unwrap_or(&none),
    };
    let fit = scores::fit_of(&fields, &scoring.weights);
    let silence = reasons::silence(&lead.score_reasons);
    details.score = reasons::total(lead.engagement, fit.total, lead.suspicion, silence, &scoring.weights);
    details.score_reasons = reasons::of_lead(&fit, silence);
    details.score_version = scoring.version;
}

/// What differs, as it stands in the timeline: field, before, after.
fn differences(lead: &Locked, details: &Details) -> Vec<(&'static str, Value, Value)> {
    let mut differences: Vec<(&'static str, Value, Value)> = vec![
        ("name", json!(lead.name), json!(details.name)),
        ("email", json!(lead.email), json!(details.email)),
        ("phone", json!(lead.phone), json!(details.phone)),
        ("company", json!(lead.company), json!(details.company)),
        ("title", json!(lead.title), json!(details.title)),
        ("customFields", Value::Object(lead.custom_fields.clone()), details.custom_fields.clone()),
    ];
    differences.retain(|(_, from, to)| from != to);
    differences
}

fn retagged(lead: &Locked, tags: Vec<String>) -> Tagged {
    let added = tags.iter().filter(|tag| !lead.tags.contains(tag)).cloned().collect();
    let removed = lead.tags.iter().filter(|tag| !tags.contains(tag)).cloned().collect();
    Tagged { id: lead.id, tags, added, removed }
}

/// Gives a lead to a member of the workspace, or to nobody.
///
/// # Errors
/// Where the lead is not there or deleted, or the user is no member.
pub async fn assign(engine: &Engine, actor: &Actor, lead: LeadId, to: Option<UserId>) -> Result<(), LeadError> {
    alone(engine, actor, lead, Action::Assign(to)).await
}

/// Deletes a lead softly. One that is deleted already stays so.
///
/// # Errors
/// Where the lead is not there.
pub async fn delete(engine: &Engine, actor: &Actor, lead: LeadId) -> Result<(), LeadError> {
    alone(engine, actor, lead, Action::Delete).await
}

/// Takes a deletion back. A lead that is not deleted stays so.
///
/// # Errors
/// Where the lead is not there.
pub async fn restore(engine: &Engine, actor: &Actor, lead: LeadId) -> Result<(), LeadError> {
    alone(engine, actor, lead, Action::Restore).await
}

async fn alone(engine: &Engine, actor: &Actor, lead: LeadId, action: Action) -> Result<(), LeadError> {
    let outcomes = apply(engine, actor, &action, &[lead]).await?;
    match outcomes.first().map(|outcome| outcome.refused) {
        Some(None) => Ok(()),
        Some(Some(Refusal::Deleted | Refusal::Merged)) => Err(LeadError::Deleted),
        Some(Some(Refusal::NotFound | Refusal::TooManyTags)) | None => Err(LeadError::NotFound),
    }
}

/// Puts a note on a lead.
///
/// # Errors
/// Where the lead is not there or deleted, or the note is empty or too long.
pub async fn add_note(engine: &Engine, actor: &Actor, lead: LeadId, note: &str) -> Result<(), LeadError> {
    let note = clean(note).ok_or_else(|| invalid("/value", "must not be empty"))?;
    if note.chars().count() > NOTE_MAX_CHARS {
        return Err(invalid("/value", &format!("has at most {NOTE_MAX_CHARS} characters")));
    }
    retrying(|| try_add_note(engine, actor, lead, &note)).await
}

async fn try_add_note(engine: &Engine, actor: &Actor, lead: LeadId, note: &str) -> Result<(), LeadError> {
    let mut tx = engine.store.begin().await?;
    let lead = lock_one(&mut tx, actor, lead).await?;
    let mut record = Record::new(engine, actor);
    record.activity(lead.id, "note.added", json!({"value": note}));
    record.event(lead.id, "note.added", (lead.pipeline_id, lead.stage_id), json!({}));
    Ok(record.commit(tx).await?)
}

pub(super) fn invalid(pointer: &str, message: &str) -> LeadError {
    LeadError::Invalid(vec![Fault::new(pointer, message)])
}
