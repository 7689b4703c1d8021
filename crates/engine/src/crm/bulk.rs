//! One action on many leads, with a result for each.
//!
//! On leads that are named it is one transaction ([`apply`], [`apply_and_keep`]); on all that match a filter it is a
//! job that goes through them ([`all`]). A lead that is not there or deleted is refused and keeps the others from
//! nothing. What the action itself names must be there: a stage or a member that is not refuses the whole. What was done
//! is kept with each result, so that it can be taken back ([`undo`]).

mod act;
pub mod all;
mod undo;

use std::collections::BTreeSet;

use leadline_domain::{
    ids::{JobId, LeadId, StageId, UserId},
    permissions::Permission,
};
use leadline_store::{Tx, leads};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub use all::{StartError, start};

use self::act::{Effect, Target};
use super::{LeadError, Record, retrying};
use crate::{
    Actor, Engine,
    jobs::{self, Handler, Job, NewJob, NewResult, Outcome as RowOutcome, Step, Stepping, Turn},
};

/// The kind of these jobs.
pub const KIND: &str = "leads.bulk";

/// What is done to leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Freed of these tags.
    Untag(Vec<String>),
}

impl Action {
    /// What somebody needs beside the permission to change leads.
    #[must_use]
    pub fn permission(&self) -> Permission {
        match self {
            Self::Delete | Self::Restore => Permission::LeadsDelete,
            Self::Move { .. } | Self::Assign(_) | Self::Tag(_) | Self::Untag(_) => Permission::LeadsManage,
        }
    }

    /// Its name in results and on screens.
    fn name(&self) -> &'static str {
        match self {
            Self::Move { .. } => "move_stage",
            Self::Assign(_) => "assign",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::Tag(_) => "tag",
            Self::Untag(_) => "untag",
        }
    }
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
    /// It went into another lead.
    Merged,
}

impl Refusal {
    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Deleted => "deleted",
            Self::TooManyTags => "too_many_tags",
            Self::Merged => "merged",
        }
    }
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
    let target = Target::hold(&mut tx, actor, action).await?;
    let effects = apply_to(&mut tx, engine, actor, (action, &target), ids).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(outcomes(&effects))
}

/// The same, kept as a job that was done on the spot, so that it can be taken back.
///
/// # Errors
/// As [`apply`].
pub async fn apply_and_keep(
    engine: &Engine,
    actor: &Actor,
    action: &Action,
    ids: &[LeadId],
) -> Result<(Vec<Outcome>, JobId), LeadError> {
    retrying(|| try_apply_and_keep(engine, actor, action, ids)).await
}

async fn try_apply_and_keep(
    engine: &Engine,
    actor: &Actor,
    action: &Action,
    ids: &[LeadId],
) -> Result<(Vec<Outcome>, JobId), LeadError> {
    let mut tx = engine.store.begin().await?;
    let target = Target::hold(&mut tx, actor, action).await?;
    let effects = apply_to(&mut tx, engine, actor, (action, &target), ids).await?;
    let step = step(&effects);
    let new = NewJob { kind: KIND, params: json!({}), about: about(action, &target), total: step.looked_at };
    let kept = jobs::record(engine, &mut tx, actor, new, &step).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok((outcomes(&effects), kept.id))
}

fn outcomes(effects: &[(LeadId, Effect)]) -> Vec<Outcome> {
    let outcome = |(lead, effect): &(LeadId, Effect)| Outcome { lead: *lead, refused: effect.refusal() };
    effects.iter().map(outcome).collect()
}

/// What a transaction did, for the job that it belongs to. A lead that was named twice has one result.
fn step(effects: &[(LeadId, Effect)]) -> Step {
    let mut seen = BTreeSet::new();
    let once = effects.iter().filter(|(lead, _)| seen.insert(*lead));
    let results: Vec<NewResult> = once.map(|(lead, effect)| result(*lead, effect)).collect();
    let counted = |outcome: RowOutcome| {
        i64::try_from(results.iter().filter(|row| row.outcome == outcome).count()).unwrap_or(i64::MAX)
    };
    Step {
        looked_at: i64::try_from(results.len()).unwrap_or(i64::MAX),
        changed: counted(RowOutcome::Changed),
        failed: counted(RowOutcome::Failed),
        results,
        ..Step::default()
    }
}

fn result(lead: LeadId, effect: &Effect) -> NewResult {
    match effect {
        Effect::Changed(undo) => {
            let undo = serde_json::to_value(undo).unwrap_or(Value::Null);
            NewResult::of_lead(lead, RowOutcome::Changed).with_undo(undo)
        }
        Effect::Unchanged => NewResult::of_lead(lead, RowOutcome::Unchanged),
        Effect::Refused(refusal) => NewResult::of_lead(lead, RowOutcome::Failed).with_code(refusal.as_str()),
    }
}

/// What screens say of an action.
fn about(action: &Action, target: &Target) -> Value {
    let mut about = json!({"action": action.name()});
    match (action, target) {
        (Action::Move { stage, .. }, Target::Stage { stage: held, .. }) => {
            about["stageId"] = json!(stage);
            about["stageName"] = json!(held.name);
        }
        (Action::Assign(to), Target::Member(name)) => {
            about["assignedTo"] = json!(to);
            about["assignedToName"] = json!(name);
        }
        (_, Target::Tags(tags)) => about["tags"] = json!(tags),
        (_, _) => {}
    }
    about
}

async fn apply_to(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    action: (&Action, &Target),
    ids: &[LeadId],
) -> Result<Vec<(LeadId, Effect)>, LeadError> {
    let unique: BTreeSet<LeadId> = ids.iter().copied().collect();
    let locked = leads::lock(tx, actor.workspace, &unique.into_iter().collect::<Vec<_>>()).await?;
    let mut record = Record::new(engine, actor);
    let effects = act::act(tx, &mut record, (engine, actor), action, &locked, ids).await?;
    record.write(tx).await?;
    Ok(effects)
}

/// Works on these jobs.
pub(crate) struct Bulk;

impl Handler for Bulk {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn permission(&self, job: &Job) -> Permission {
        match job.about["action"].as_str() {
            Some("delete" | "restore") => Permission::LeadsDelete,
            _ => Permission::LeadsManage,
        }
    }

    fn can_undo(&self, _job: &Job) -> bool {
        true
    }

    fn work<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(all::step(engine, turn))
    }

    fn undo<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(undo::step(engine, turn))
    }
}

/// Leads in one transaction of a job. On SQLite submissions wait behind it.
const AT_ONCE: i64 = 250;
