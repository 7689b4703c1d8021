//! Doing an action to leads that are locked.

use std::collections::HashMap;

use leadline_domain::{
    ids::{ActivityId, LeadId, StageId, UserId},
    pipelines::Closing,
    time::Timestamp,
};
use leadline_store::{
    Tx,
    leads::{self, Locked, Moved},
    pipelines::{self, Stage},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Action, Refusal};
use crate::{
    Actor, Engine,
    crm::{LeadError, text},
    lead_changes::{Record, TAGS_MAX, owners, stages, tags},
};

/// What was done to a lead.
#[derive(Debug, Clone)]
pub(super) enum Effect {
    /// It is as the action says now.
    Changed(Undo),
    /// It was so already.
    Unchanged,
    /// Nothing.
    Refused(Refusal),
}

impl Effect {
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Changed(_) | Self::Unchanged => None,
            Self::Refused(refusal) => Some(*refusal),
        }
    }
}

/// What it takes to put a lead back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Undo {
    /// The line on its timeline that says what was done. What stands behind it happened since.
    pub(super) since: ActivityId,
    /// How it was.
    pub(super) before: Before,
}

/// How a lead was before an action, and how it is to be found for that to be put back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Before {
    /// In another column.
    Place {
        stage: StageId,
        rank: String,
        reason: Option<String>,
        entered_at: Timestamp,
        to: StageId,
        because: Option<String>,
    },
    /// Somebody else's.
    Owner { user: Option<UserId>, to: Option<UserId> },
    /// Not deleted.
    There { deleted_at: Timestamp },
    /// Deleted.
    Gone,
    /// Without these tags.
    Without(Vec<String>),
    /// With these tags.
    With(Vec<String>),
}

/// What an action names, as it is found in the transaction.
pub(super) enum Target {
    /// A column, and what is asked of leads that come into it.
    Stage { stage: Stage, closing: Closing },
    /// A member by name, or nobody.
    Member(Option<String>),
    /// Tags as they are stored.
    Tags(Vec<String>),
    /// Nothing.
    None,
}

impl Target {
    /// Finds what the action names. A stage stays there until the transaction ends.
    pub(super) async fn hold(tx: &mut Tx, actor: &Actor, action: &Action) -> Result<Self, LeadError> {
        match action {
            Action::Move { stage, .. } => {
                let stage = pipelines::hold_stage(tx, actor.workspace, *stage).await?.ok_or(LeadError::NoStage)?;
                let closing = stages::closing_for(tx, actor, &stage).await?;
                Ok(Self::Stage { stage, closing })
            }
            Action::Assign(None) => Ok(Self::Member(None)),
            Action::Assign(Some(user)) => {
                let name = leads::find_member(tx, actor.workspace, *user).await?.ok_or(LeadError::NoMember)?;
                Ok(Self::Member(Some(name)))
            }
            Action::Tag(tags) | Action::Untag(tags) => {
                let mut faults = Vec::new();
                let tags = text::tags(tags, &mut faults);
                if faults.is_empty() { Ok(Self::Tags(tags)) } else { Err(LeadError::Invalid(faults)) }
            }
            Action::Delete | Action::Restore => Ok(Self::None),
        }
    }
}

/// Does `action` to leads that are locked, and tells for each of `ids`, in their order, what was done to it.
pub(super) async fn act(
    tx: &mut Tx,
    record: &mut Record<'_>,
    (engine, actor): (&Engine, &Actor),
    (action, target): (&Action, &Target),
    locked: &[Locked],
    ids: &[LeadId],
) -> Result<Vec<(LeadId, Effect)>, LeadError> {
    let places: HashMap<LeadId, usize> = ids.iter().enumerate().rev().map(|(place, id)| (*id, place)).collect();
    let mut willing: Vec<&Locked> = locked.iter().filter(|lead| refusal(action, target, lead).is_none()).collect();
    // In the order in which they were named, for a move.
    willing.sort_by_key(|lead| places.get(&lead.id).copied());
    let now = engine.clock.now();
    let changed = match (action, target) {
        (Action::Move { reason, .. }, Target::Stage { stage, closing }) => {
            move_all(tx, record, actor, (stage, closing, reason.as_deref()), &willing, now).await?
        }
        (Action::Assign(to), Target::Member(name)) => {
            assign_all(tx, record, actor, (*to, name.as_deref()), &willing, now).await?
        }
        (Action::Delete, _) => delete_all(tx, record, actor, &willing, now).await?,
        (Action::Restore, _) => restore_all(tx, record, actor, &willing, now).await?,
        (Action::Tag(_), Target::Tags(tags)) => tag_all(tx, record, actor, tags, &willing, now).await?,
        (Action::Untag(_), Target::Tags(tags)) => untag_all(tx, record, actor, tags, &willing, now).await?,
        (Action::Move { .. } | Action::Assign(_) | Action::Tag(_) | Action::Untag(_), _) => HashMap::new(),
    };
    let by_id: HashMap<LeadId, &Locked> = locked.iter().map(|lead| (lead.id, lead)).collect();
    let effect = |id: &LeadId| {
        let Some(lead) = by_id.get(id) else { return Effect::Refused(Refusal::NotFound) };
        if let Some(refusal) = refusal(action, target, lead) {
            return Effect::Refused(refusal);
        }
        let line = record.last_line(*id);
        match changed.get(id).cloned().zip(line) {
            Some((before, since)) => Effect::Changed(Undo { since, before }),
            None => Effect::Unchanged,
        }
    };
    Ok(ids.iter().map(|id| (*id, effect(id))).collect())
}

/// How each lead was that an action changed.
type Changed = HashMap<LeadId, Before>;

fn refusal(action: &Action, target: &Target, lead: &Locked) -> Option<Refusal> {
    let deleted = lead.deleted_at.is_some().then_some(Refusal::Deleted);
    match (action, target) {
        (Action::Restore, _) => lead.merged_into.map(|_| Refusal::Merged),
        (Action::Delete, _) => None,
        (Action::Tag(_), Target::Tags(tags)) => {
            let added = tags.iter().filter(|tag| !lead.tags.contains(tag)).count();
            let too_many = (lead.tags.len() + added > TAGS_MAX).then_some(Refusal::TooManyTags);
            deleted.or(too_many)
        }
        (Action::Move { .. } | Action::Assign(_) | Action::Tag(_) | Action::Untag(_), _) => deleted,
    }
}

fn ids_of(leads: &[&Locked]) -> Vec<LeadId> {
    leads.iter().map(|lead| lead.id).collect()
}

async fn move_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    (stage, closing, reason): (&Stage, &Closing, Option<&str>),
    leads: &[&Locked],
    now: Timestamp,
) -> Result<Changed, LeadError> {
    let moved = stages::move_to_top(tx, record, actor, (stage, closing, reason), leads, now).await?;
    let before = |(lead, row): (&Locked, Moved)| {
        let before = Before::Place {
            stage: lead.stage_id,
            rank: lead.rank.clone(),
            reason: lead.close_reason.clone(),
            entered_at: lead.stage_entered_at,
            to: row.stage_id,
            because: row.close_reason,
        };
        (lead.id, before)
    };
    Ok(moved.into_iter().map(before).collect())
}

async fn assign_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    (to, to_name): (Option<UserId>, Option<&str>),
    leads: &[&Locked],
    now: Timestamp,
) -> Result<Changed, LeadError> {
    let changing: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.assigned_to != to).collect();
    owners::give(tx, record, actor, (to, to_name), &changing, now).await?;
    let before = |lead: &&Locked| (lead.id, Before::Owner { user: lead.assigned_to, to });
    Ok(changing.iter().map(before).collect())
}

/// Deletes those that are there.
pub(super) async fn delete_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    leads: &[&Locked],
    now: Timestamp,
) -> Result<Changed, LeadError> {
    let there: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.deleted_at.is_none()).collect();
    leads::set_deleted(tx, actor.workspace, &ids_of(&there), Some(now), now).await?;
    there.iter().for_each(|lead| appear(record, lead, "lead.deleted", -1));
    Ok(there.iter().map(|lead| (lead.id, Before::There { deleted_at: now })).collect())
}

/// Restores those that are deleted.
pub(super) async fn restore_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    leads: &[&Locked],
    now: Timestamp,
) -> Result<Changed, LeadError> {
    let deleted: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.deleted_at.is_some()).collect();
    leads::set_deleted(tx, actor.workspace, &ids_of(&deleted), None, now).await?;
    deleted.iter().for_each(|lead| appear(record, lead, "lead.restored", 1));
    Ok(deleted.iter().map(|lead| (lead.id, Before::Gone)).collect())
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
    actor: &Actor,
    tags: &[String],
    leads: &[&Locked],
    now: Timestamp,
) -> Result<Changed, LeadError> {
    let added = |lead: &Locked| tags.iter().filter(|tag| !lead.tags.contains(tag)).cloned().collect();
    let rows = leads.iter().map(|lead| (*lead, added(lead), Vec::new())).collect();
    let changed = tags::retag(tx, record, actor, rows, now).await?;
    Ok(changed.into_iter().map(|row| (row.id, Before::Without(row.added))).collect())
}

async fn untag_all(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    tags: &[String],
    leads: &[&Locked],
    now: Timestamp,
) -> Result<Changed, LeadError> {
    let removed = |lead: &Locked| tags.iter().filter(|tag| lead.tags.contains(tag)).cloned().collect();
    let rows = leads.iter().map(|lead| (*lead, Vec::new(), removed(lead))).collect();
    let changed = tags::retag(tx, record, actor, rows, now).await?;
    Ok(changed.into_iter().map(|row| (row.id, Before::With(row.removed))).collect())
}

/// What somebody did to leads since these lines, of what matters to what is put back.
pub(super) fn kinds_that_matter(before: &Before) -> &'static [&'static str] {
    match before {
        Before::Place { .. } => &["lead.stage_changed"],
        Before::Owner { .. } => &["lead.assigned"],
        // What is deleted at that very moment was not restored since.
        Before::There { .. } => &[],
        // Whose person wrote again is wanted.
        Before::Gone => &["lead.deleted", "lead.restored", "lead.resubmitted", "lead.re_engaged"],
        Before::Without(_) | Before::With(_) => &["tags.changed"],
    }
}

/// Whether a line about tags tells of one of these.
pub(super) fn tells_of(line: &Value, tag: &str) -> bool {
    ["added", "removed"]
        .iter()
        .any(|list| line[list].as_array().is_some_and(|tags| tags.iter().any(|told| told.as_str() == Some(tag))))
}
