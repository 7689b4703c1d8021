//! One action on many leads: one transaction, a result for each lead.
//!
//! A lead that is not there or deleted is refused and keeps the others from nothing. What the action itself names must
//! be there: a stage or a member that is not refuses the whole.

use std::collections::{BTreeSet, HashMap};

use leadline_domain::{
    ids::{LeadId, StageId, UserId},
    rank::Rank,
};
use leadline_store::{
    Tx,
    leads::{self, Locked, Moved, Tagged},
    pipelines::{self, Stage},
};
use serde_json::{Value, json};

use super::{LeadError, Record, retrying, stages, text};
use crate::{Actor, Engine};

/// Tags on one lead at most; adding beyond it is refused.
const TAGS_MAX: usize = 50;

/// What is done to leads.
#[derive(Debug, Clone)]
pub enum Action {
    /// Put on top of a column, in the order in which they were named.
    Move {
        /// The column.
        stage: StageId,
        /// Why they are won or lost, where the column says that they are.
        reason: Option<String>,
    },
    /// Given to a member, or to nobody.
    Assign(Option<UserId>),
    /// Deleted softly.
    Delete,
    /// Restored.
    Restore,
    /// Given these tags beside their own.
    Tag(Vec<String>),
}

/// What became of one lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The lead.
    pub lead: LeadId,
    /// Why nothing was done to it; `None` where it is now as the action says.
    pub refused: Option<Refusal>,
}

/// Why nothing was done to a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is none of this id in the workspace.
    NotFound,
    /// It is deleted.
    Deleted,
    /// It would have too many tags.
    TooManyTags,
}

/// Does `action` to leads and tells for each, in their order, what became of it. One that is as the action says already
/// counts as done.
///
/// # Errors
/// Where the stage or the member that the action names is not there, or a tag cannot be so.
pub async fn apply(engine: &Engine, actor: &Actor, action: &Action, ids: &[LeadId]) -> Result<Vec<Outcome>, LeadError> {
    retrying(|| try_apply(engine, actor, action, ids)).await
}

async fn try_apply(engine: &Engine, actor: &Actor, action: &Action, ids: &[LeadId]) -> Result<Vec<Outcome>, LeadError> {
    let mut tx = engine.store.begin().await?;
    let target = match action {
        Action::Move { stage, .. } => {
            Some(pipelines::hold_stage(&mut tx, actor.workspace, *stage).await?.ok_or(LeadError::NoStage)?)
        }
        Action::Assign(_) | Action::Delete | Action::Restore | Action::Tag(_) => None,
    };
    let unique: BTreeSet<LeadId> = ids.iter().copied().collect();
    let locked = leads::lock(&mut tx, actor.workspace, &unique.into_iter().collect::<Vec<_>>()).await?;
    let mut changing: Vec<&Locked> = locked.iter().filter(|lead| refusal(action, lead).is_none()).collect();
    // In the order in which they were named, for a move.
    changing.sort_by_key(|lead| ids.iter().position(|id| *id == lead.id));
    let mut record = Record::new(engine, actor);
    match (action, &target) {
        (Action::Move { reason, .. }, Some(stage)) => {
            move_all(&mut tx, &mut record, (engine, actor), (stage, reason.as_deref()), &changing).await?;
        }
        (Action::Move { .. }, None) => return Err(LeadError::NoStage),
        (Action::Assign(to), _) => assign_all(&mut tx, &mut record, engine, actor, *to, &changing).await?,
        (Action::Delete, _) => delete_all(&mut tx, &mut record, engine, actor, &changing).await?,
        (Action::Restore, _) => restore_all(&mut tx, &mut record, engine, actor, &changing).await?,
        (Action::Tag(tags), _) => tag_all(&mut tx, &mut record, engine, actor, tags, &changing).await?,
    }
    record.commit(tx).await?;
    let outcome = |id: &LeadId| {
        let lead = locked.iter().find(|lead| lead.id == *id);
        Outcome { lead: *id, refused: lead.map_or(Some(Refusal::NotFound), |lead| refusal(action, lead)) }
    };
    Ok(ids.iter().map(outcome).collect())
}

fn refusal(action: &Action, lead: &Locked) -> Option<Refusal> {
    let deleted = lead.deleted_at.is_some().then_some(Refusal::Deleted);
    match action {
        Action::Move { .. } | Action::Assign(_) => deleted,
        Action::Delete | Action::Restore => None,
        Action::Tag(tags) => {
            let added = tags.iter().filter(|tag| !lead.tags.contains(tag)).count();
            let too_many = (lead.tags.len() + added > TAGS_MAX).then_some(Refusal::TooManyTags);
            deleted.or(too_many)
        }
    }
}

fn ids_of(leads: &[&Locked]) -> Vec<LeadId> {
    leads.iter().map(|lead| lead.id).collect()
}

async fn move_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    (engine, actor): (&Engine, &Actor),
    (stage, reason): (&Stage, Option<&str>),
    leads: &[&Locked],
) -> Result<(), LeadError> {
    let now = engine.clock.now();
    let moving: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.stage_id != stage.id).collect();
    let from: Vec<StageId> = moving.iter().map(|lead| lead.stage_id).collect();
    let from = pipelines::left_stages(tx, actor.workspace, &from).await?;
    let closing = stages::closing_for(tx, actor, stage).await?;
    let mut rows: Vec<Moved> = Vec::with_capacity(moving.len());
    for (lead, salt) in moving.iter().zip((0..=u32::MAX).rev()) {
        rows.push(Moved {
            id: lead.id,
            pipeline_id: stage.pipeline_id,
            stage_id: stage.id,
            rank: Rank::at(now, salt).as_str().to_owned(),
            close_reason: stages::reason_in(&closing, stage, lead, &from, reason)?,
        });
    }
    leads::move_to(tx, actor.workspace, &rows, now).await?;
    for (lead, row) in moving.iter().zip(&rows) {
        stages::tell(record, lead, stage, &from, row.close_reason.as_deref(), None);
    }
    Ok(())
}

async fn assign_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    engine: &Engine,
    actor: &Actor,
    to: Option<UserId>,
    leads: &[&Locked],
) -> Result<(), LeadError> {
    let to_name = match to {
        Some(user) => Some(leads::find_member(tx, actor.workspace, user).await?.ok_or(LeadError::NoMember)?),
        None => None,
    };
    let changing: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.assigned_to != to).collect();
    if changing.is_empty() {
        return Ok(());
    }
    leads::assign(tx, actor.workspace, &ids_of(&changing), to, engine.clock.now()).await?;
    let from: Vec<UserId> = changing.iter().filter_map(|lead| lead.assigned_to).collect();
    let names: HashMap<UserId, String> = leads::names_of_users(tx, &from).await?;
    for lead in changing {
        let from_name = lead.assigned_to.and_then(|user| names.get(&user));
        record.activity(lead.id, "lead.assigned", json!({"fromName": from_name, "toName": to_name, "to": to}));
        let data = json!({"from": lead.assigned_to, "to": to});
        record.event(lead.id, "lead.assigned", (lead.pipeline_id, lead.stage_id), data);
    }
    Ok(())
}

async fn delete_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    engine: &Engine,
    actor: &Actor,
    leads: &[&Locked],
) -> Result<(), LeadError> {
    let now = engine.clock.now();
    let there: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.deleted_at.is_none()).collect();
    leads::set_deleted(tx, actor.workspace, &ids_of(&there), Some(now), now).await?;
    there.iter().for_each(|lead| appear(record, lead, "lead.deleted", -1));
    Ok(())
}

async fn restore_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    engine: &Engine,
    actor: &Actor,
    leads: &[&Locked],
) -> Result<(), LeadError> {
    let deleted: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.deleted_at.is_some()).collect();
    leads::set_deleted(tx, actor.workspace, &ids_of(&deleted), None, engine.clock.now()).await?;
    deleted.iter().for_each(|lead| appear(record, lead, "lead.restored", 1));
    Ok(())
}

fn appear(record: &mut Record<'_>, lead: &Locked, kind: &str, n: i64) {
    let place = (lead.pipeline_id, lead.stage_id);
    record.activity(lead.id, kind, json!({}));
    record.event(lead.id, kind, place, json!({}));
    record.count(place, n, n * lead.values.milli());
}

async fn tag_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    engine: &Engine,
    actor: &Actor,
    tags: &[String],
    leads: &[&Locked],
) -> Result<(), LeadError> {
    let mut faults = Vec::new();
    let tags = text::tags(tags, &mut faults);
    if !faults.is_empty() {
        return Err(LeadError::Invalid(faults));
    }
    let mut rows = Vec::new();
    for lead in leads {
        let added: Vec<String> = tags.iter().filter(|tag| !lead.tags.contains(tag)).cloned().collect();
        if added.is_empty() {
            continue;
        }
        record.activity(lead.id, "tags.changed", json!({"added": added, "removed": Value::Array(Vec::new())}));
        record.event(lead.id, "lead.updated", (lead.pipeline_id, lead.stage_id), json!({"fields": ["tags"]}));
        let tags = lead.tags.iter().chain(&added).cloned().collect();
        rows.push(Tagged { id: lead.id, tags, added, removed: Vec::new() });
    }
    Ok(leads::set_tags(tx, actor.workspace, &rows, engine.clock.now()).await?)
}
