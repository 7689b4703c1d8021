//! Putting an import back, the last row first.
//!
//! What a row changed of a lead is as it was, field by field, where nobody changed that field since. A lead that a row
//! made is gone for good where nothing but the import ever happened to it; where people worked with it or others were
//! told of it, it is deleted as by hand and can be restored; where the person came again by themselves, it stays.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadline_domain::{
    ids::{ContactId, LeadId, PipelineId, StageCountId, StageId, SubmissionId},
    values::{Amount, Values},
};
use leadline_store::{
    Error, Tx,
    capture::{self, IdentityKey, LeadTag, StageDelta},
    events,
    imports::{
        Import,
        undo::{self as stored, Since},
    },
    leads, ledger, search,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{
    import_of,
    joining::{score_json, text_of, values_json},
    rows::{is_contended, submission_of},
};
use crate::{
    Actor, Engine,
    capture::working::Working,
    jobs::{JobError, Taken, Turn, Turned, Undoable},
    random_bytes,
};

/// Rows that are put back in one step.
const AT_ONCE: i64 = 200;

/// How often a step is tried at once where other writers are quicker.
const TRIES: u32 = 12;

/// Why a lead is left alone that somebody deleted.
const DELETED_SINCE: &str = "deleted_since";

/// What it takes to put a row back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Kept {
    row: i64,
    made: bool,
    keys: Vec<String>,
    contact: Option<ContactId>,
    tags: Option<Vec<String>>,
    fields: Map<String, Value>,
}

/// Puts the next rows back.
pub(super) async fn step(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let import = import_of(engine, &turn).await?;
    let rows = turn.to_undo(engine, AT_ONCE).await?;
    let is_last = i64::try_from(rows.len()).is_ok_and(|count| count < AT_ONCE);
    for _ in 0..TRIES {
        let mut tx = turn.begin(engine).await?;
        match put_back(&mut tx, engine, turn.actor(), &import, &rows).await {
            Ok(taken) => return turn.commit_undo(engine, tx, &taken, is_last).await,
            Err(error) if is_contended(&error) => tx.rollback().await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::Contended.into())
}

async fn put_back(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    import: &Import,
    rows: &[Undoable],
) -> Result<Vec<Taken>, Error> {
    let mut back = Back::read(tx, import, rows).await?;
    let mut taken = Vec::with_capacity(rows.len());
    for row in rows {
        let kept: Kept = serde_json::from_value(row.undo.clone()).unwrap_or_default();
        let left = match row.lead_id {
            Some(lead) if back.leads.contains_key(&lead) => back.row(import, lead, kept),
            Some(_) | None => Some("gone"),
        };
        taken.push(Taken { seq: row.seq, left: left.map(str::to_owned) });
    }
    back.write(tx, engine, actor, import).await?;
    Ok(taken)
}

/// What becomes of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It stays, perhaps with other fields.
    Stays,
    /// It is deleted and can be restored.
    Deleted,
    /// It is gone for good.
    Gone,
}

/// A lead while rows of it are put back.
struct Lead {
    working: Working,
    values_before: Values,
    was_deleted: bool,
    since: Since,
    is_touched_by_people: bool,
    fate: Fate,
}

/// The leads of some rows, and what is taken from the tables.
struct Back {
    leads: BTreeMap<LeadId, Lead>,
    submissions: Vec<SubmissionId>,
    keys: Vec<IdentityKey>,
    contacts: Vec<ContactId>,
    tags: Vec<LeadTag>,
}

impl Back {
    async fn read(tx: &mut Tx, import: &Import, rows: &[Undoable]) -> Result<Self, Error> {
        let ids: BTreeSet<LeadId> = rows.iter().filter_map(|row| row.lead_id).collect();
        let ids: Vec<LeadId> = ids.into_iter().collect();
        let locked = capture::lock_leads(tx, &ids).await?;
        let mut since: HashMap<LeadId, Since> = stored::since(tx, &ids).await?;
        let touched: HashSet<LeadId> = stored::touched(tx, &ids, &import.id.to_string()).await?;
        let leads = locked
            .into_iter()
            .filter(|row| row.workspace_id == import.workspace_id)
            .map(|row| {
                let (id, values_before, was_deleted) = (row.id, row.values, row.deleted_at.is_some());
                let lead = Lead {
                    working: Working::stored(row),
                    values_before,
                    was_deleted,
                    since: since.remove(&id).unwrap_or_default(),
                    is_touched_by_people: touched.contains(&id),
                    fate: Fate::Stays,
                };
                (id, lead)
            })
            .collect();
        Ok(Self { leads, submissions: Vec::new(), keys: Vec::new(), contacts: Vec::new(), tags: Vec::new() })
    }

    /// Puts one row back, and tells why not, where it does not.
    fn row(&mut self, import: &Import, id: LeadId, kept: Kept) -> Option<&'static str> {
        let lead = self.leads.get_mut(&id)?;
        let left = if kept.made { unmake(lead) } else { restore(lead, &kept.fields) };
        let stays_as_it_is = left.is_some_and(|left| kept.made || left == DELETED_SINCE);
        if stays_as_it_is {
            return left;
        }
        if lead.fate == Fate::Gone {
            self.contacts.extend(kept.contact);
            let tags = kept.tags.unwrap_or_default().into_iter();
            self.tags.extend(tags.map(|tag| LeadTag { workspace_id: import.workspace_id, tag, lead_id: id }));
        }
        // A lead that can be restored keeps what it is known by, and what it was made of.
        if lead.fate != Fate::Deleted {
            self.submissions.push(submission_of(import, kept.row));
            self.keys.extend(kept.keys.iter().filter_map(|key| IdentityKey::parse(key)));
            lead.since.submissions -= 1;
            lead.working.row.submission_count -= 1;
        }
        left
    }

    async fn write(self, tx: &mut Tx, engine: &Engine, actor: &Actor, import: &Import) -> Result<(), Error> {
        let now = engine.clock.now();
        let workspace = import.workspace_id;
        let of_fate = |fate: Fate| -> Vec<LeadId> {
            self.leads.iter().filter(|(_, lead)| lead.fate == fate).map(|(id, _)| *id).collect()
        };
        let (gone, deleted) = (of_fate(Fate::Gone), of_fate(Fate::Deleted));
        let deleted: Vec<LeadId> = deleted.into_iter().filter(|id| !self.leads[id].was_deleted).collect();
        let subjects = self.leads.iter().flat_map(|(id, lead)| [id.0, lead.working.row.contact_id.0]);
        stored::release(tx, &self.keys, &subjects.collect::<Vec<_>>()).await?;
        ledger::erase_submissions(tx, workspace, &self.submissions).await?;
        leads::delete_tags(tx, workspace, &self.tags).await?;
        self.tell(tx, engine, actor, import).await?;
        capture::add_stage_counts(tx, &self.counts(engine)).await?;
        let changed = self.leads.into_values().filter(|lead| lead.fate != Fate::Gone && lead.working.is_touched);
        let changed: Vec<Working> = changed.filter(|lead| !lead.was_deleted).map(|lead| lead.working).collect();
        let values: Vec<leads::LeadValues> = changed.iter().filter_map(Working::changed_values).collect();
        let rows: Vec<capture::Resubmitted> = changed.into_iter().map(Working::resubmitted).collect();
        capture::update_resubmitted(tx, &rows).await?;
        leads::set_values(tx, &values).await?;
        if !deleted.is_empty() {
            leads::set_deleted(tx, workspace, &deleted, Some(now), now).await?;
        }
        stored::delete_leads(tx, workspace, &gone).await?;
        stored::delete_contacts(tx, workspace, &self.contacts).await
    }

    /// Lines of the timelines of those that stay, and events: the search index and, where the import told them,
    /// destinations have to hear of it.
    async fn tell(&self, tx: &mut Tx, engine: &Engine, actor: &Actor, import: &Import) -> Result<(), Error> {
        let tells = import.options["tellsDestinations"] == true;
        let (mut activities, mut told) = (Vec::new(), Vec::new());
        let changed = |lead: &Lead| lead.fate != Fate::Gone && lead.working.is_touched && !lead.was_deleted;
        for (id, lead) in self.leads.iter().filter(|(_, lead)| changed(lead)) {
            let kind = if lead.fate == Fate::Deleted { "lead.deleted" } else { "lead.updated" };
            let line = if lead.fate == Fate::Deleted { kind } else { "import.undone" };
            let data = json!({"importId": import.id});
            activities.push(engine.activity(actor, *id, line, data));
            let row = &lead.working.row;
            let data = json!({
                "stageId": row.stage_id, "pipelineId": row.pipeline_id, "importId": import.id, "quiet": !tells,
            });
            told.push(engine.event(import.workspace_id, *id, kind, data));
        }
        events::insert_activities(tx, &activities).await?;
        events::append(tx, &told).await
    }

    fn counts(&self, engine: &Engine) -> Vec<StageDelta> {
        let mut stages: BTreeMap<StageId, (PipelineId, i64, i64)> = BTreeMap::new();
        let workspace = self.leads.values().map(|lead| lead.working.row.workspace_id).next();
        for lead in self.leads.values().filter(|lead| !lead.was_deleted) {
            let row = &lead.working.row;
            let after = lead.working.values.1.milli();
            let (n, value) = match lead.fate {
                Fate::Stays => (0, after - lead.values_before.milli()),
                Fate::Deleted | Fate::Gone => (-1, -lead.values_before.milli()),
            };
            let stage = stages.entry(row.stage_id).or_insert((row.pipeline_id, 0, 0));
            stage.1 += n;
            stage.2 += value;
        }
        let Some(workspace_id) = workspace else { return Vec::new() };
        stages
            .into_iter()
            .filter(|(_, (_, n, value_milli))| (*n, *value_milli) != (0, 0))
            .map(|(stage_id, (pipeline_id, n, value_milli))| StageDelta {
                id: StageCountId::new(engine.clock.now(), random_bytes()),
                workspace_id,
                pipeline_id,
                stage_id,
                n,
                value_milli,
            })
            .collect()
    }
}

/// Takes back that a row made a lead.
fn unmake(lead: &mut Lead) -> Option<&'static str> {
    if lead.since.submissions > 1 {
        return Some("submitted_since");
    }
    lead.fate = if lead.is_touched_by_people || lead.since.is_told { Fate::Deleted } else { Fate::Gone };
    lead.working.is_touched = true;
    None
}

/// Puts back what a row changed, as far as it is still as the row left it.
fn restore(lead: &mut Lead, fields: &Map<String, Value>) -> Option<&'static str> {
    if lead.was_deleted {
        return Some(DELETED_SINCE);
    }
    let mut is_whole = true;
    let changed = |pair: &Value| (pair[0].clone(), pair[1].clone());
    for (name, pair) in fields.iter().filter(|(name, _)| *name != "score") {
        let (before, after) = changed(pair);
        is_whole &= match name.as_str() {
            "custom" => restore_custom(lead, pair),
            "values" => restore_values(lead, &before, &after),
            // It was deleted, and the file brought it back.
            "deleted" => {
                lead.fate = Fate::Deleted;
                true
            }
            text => restore_text(lead, text, &before, &after),
        };
    }
    lead.working.is_touched = true;
    let row = &mut lead.working.row;
    if let Some((before, _)) = fields.get("score").map(changed).filter(|(_, after)| score_json(row) == *after) {
        row.score = before["score"].as_i64().unwrap_or(row.score);
        row.score_version = before["version"].as_i64().unwrap_or(row.score_version);
        row.score_reasons = before["reasons"].clone();
    }
    let phone = row.phone.as_deref().or(row.phone_raw.as_deref());
    row.search_text = search::text(&row.name, row.email.as_deref(), phone, row.company.as_deref());
    (!is_whole).then_some("changed_since")
}

fn restore_text(lead: &mut Lead, name: &str, before: &Value, after: &Value) -> bool {
    let row = &mut lead.working.row;
    if name == "name" {
        let is_as_left = after.as_str() == Some(row.name.as_str());
        if let Some(before) = before.as_str().filter(|_| is_as_left) {
            before.clone_into(&mut row.name);
        }
        return is_as_left;
    }
    let Some(text) = text_of(row, name) else { return false };
    let is_as_left = text.as_deref() == after.as_str();
    if is_as_left {
        *text = before.as_str().map(str::to_owned);
    }
    is_as_left
}

fn restore_custom(lead: &mut Lead, pairs: &Value) -> bool {
    let mut custom = lead.working.row.custom_fields.as_object().cloned().unwrap_or_default();
    let mut is_whole = true;
    for (key, pair) in pairs.as_object().into_iter().flatten() {
        if custom.get(key) != Some(&pair[1]) {
            is_whole = false;
        } else if pair[0].is_null() {
            custom.remove(key);
            forget_name(&mut custom, key);
        } else {
            custom.insert(key.clone(), pair[0].clone());
        }
    }
    lead.working.row.custom_fields = Value::Object(custom);
    is_whole
}

fn forget_name(custom: &mut Map<String, Value>, key: &str) {
    let Some(Value::Object(names)) = custom.get_mut("_displayNames") else { return };
    names.remove(key);
    if names.is_empty() {
        custom.remove("_displayNames");
    }
}

fn restore_values(lead: &mut Lead, before: &Value, after: &Value) -> bool {
    let is_as_left = values_json(lead.working.values.1) == *after;
    if is_as_left {
        let amount = |name: &str| before[name].as_i64().and_then(Amount::from_milli);
        lead.working.values.1 = Values {
            quotable: serde_json::from_value(before["quotable"].clone()).unwrap_or_default(),
            quote: amount("quote"),
            sales: amount("sales"),
        };
    }
    is_as_left
}
