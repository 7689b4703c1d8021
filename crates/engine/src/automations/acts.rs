//! Steps that send nothing: each is done in the transaction that marks it as done, so once, whatever dies in between.
//!
//! Stages are held first, then leads; a lead that somebody else holds is left for the next round, so that nobody waits
//! here for anybody who waits for a run. Of each lead one step is done at a time, since each looks at the lead as it is.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadline_domain::{
    automations::{Act, Assignee, Done, Otherwise, Reason, Then, Trouble},
    ids::{DestinationId, LeadId, RunId, StageId, UserId, WorkspaceId},
    messaging::Status,
    pipelines::Closing,
};
use leadline_store::{
    Error, Tx,
    automations::runs::{self, Due, Since},
    destinations,
    leads::{self, Locked},
    pipelines::{self, Stage},
};
use serde_json::json;

use super::{
    record::{Loaded, Record},
    reports::{Said, note, take_in_act},
};
use crate::{
    Actor, Engine,
    conditions::Conditions,
    lead_changes::{self, Cause, TAGS_MAX, owners, stages, tags},
};

/// Steps in one transaction: each may write several rows, and on SQLite submissions wait behind it.
const AT_ONCE: usize = 64;

/// A step whose turn it is: which run of those that are loaded, where it stands in that, and whose it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    pub(super) place: usize,
    pub(super) due: Due,
    pub(super) lead: LeadId,
    pub(super) workspace: WorkspaceId,
}

/// Does steps that send nothing, as many as fit into a transaction; what is not done waits on. Tells how many were done.
pub(super) async fn perform(
    engine: &Engine,
    tx: &mut Tx,
    record: &mut Record,
    loaded: &mut [Loaded<'_>],
    turns: &[Turn],
) -> Result<usize, Error> {
    let mut seen = HashSet::new();
    let mut of_workspace: BTreeMap<WorkspaceId, Vec<Turn>> = BTreeMap::new();
    for turn in turns.iter().filter(|turn| seen.insert(turn.lead)).take(AT_ONCE) {
        of_workspace.entry(turn.workspace).or_default().push(*turn);
    }
    let mut done = 0;
    for (workspace, turns) in of_workspace {
        let acts = || turns.iter().filter_map(|turn| act_of(&loaded[turn.place], turn.due));
        let desk = Desk::open(engine, tx, workspace, &acts().collect::<Vec<_>>()).await?;
        let replied = who_replied(tx, loaded, &turns).await?;
        let ids: BTreeSet<LeadId> = turns.iter().map(|turn| turn.lead).collect();
        let ids: Vec<LeadId> = ids.into_iter().collect();
        let held: HashMap<LeadId, Locked> =
            leads::lock_free(tx, workspace, &ids).await?.into_iter().map(|lead| (lead.id, lead)).collect();
        for turn in turns {
            let Some(lead) = held.get(&turn.lead) else { continue };
            let one = &mut loaded[turn.place];
            one.stored.lead_id = lead.id;
            let has_replied = replied.contains(&one.stored.id);
            let result = desk.act(engine, tx, one, turn.due, (lead, has_replied)).await?;
            result.write(record, one, turn.due);
            done += 1;
        }
    }
    Ok(done)
}

fn act_of<'a>(loaded: &Loaded<'a>, due: Due) -> Option<&'a Act> {
    let step = usize::try_from(due.step).ok()?;
    loaded.run.definition.steps.get(step).map(|step| &step.act)
}

/// Whose time to reply is over and who wrote all the same: before the run came to wait, since its last message.
async fn who_replied(tx: &mut Tx, loaded: &[Loaded<'_>], turns: &[Turn]) -> Result<HashSet<RunId>, Error> {
    let waits = |turn: &&Turn| matches!(act_of(&loaded[turn.place], turn.due), Some(Act::AwaitReply { .. }));
    let since = |turn: &Turn| {
        let run = &loaded[turn.place];
        let messages = run.sendings.iter().filter(|one| one.channel.is_some());
        let last = messages.filter_map(|one| one.started_at).max().unwrap_or(run.stored.started_at);
        Since { run_id: run.stored.id, lead_id: turn.lead, since: last.0 }
    };
    let since: Vec<Since> = turns.iter().filter(waits).map(since).collect();
    Ok(runs::who_replied(tx, &since).await?.into_iter().collect())
}

/// The person of a run wrote: where it waits for that, it goes on.
pub(super) fn replied(record: &mut Record, loaded: &mut Loaded<'_>) {
    let waiting = loaded.sendings.iter().find(|one| one.status.is_none() && one.channel.is_none());
    let Some(due) = waiting.map(|one| Due { run: one.run_id, step: one.step, number: one.number }) else { return };
    if let Some(Act::AwaitReply { on_reply, .. }) = act_of(loaded, due) {
        after_waiting(*on_reply, Reason::Replied).write(record, loaded, due);
    }
}

/// What came of a step.
enum Outcome {
    /// The run goes on.
    Done(Done, Option<Reason>, String),
    /// It ends.
    End(Reason, &'static str),
}

fn after_waiting(then: Then, reason: Reason) -> Outcome {
    match then {
        Then::GoOn => Outcome::Done(Done::GoOn, Some(reason), reason.words().to_owned()),
        Then::End => Outcome::End(reason, "automation.exited"),
    }
}

impl Outcome {
    fn done(words: impl Into<String>) -> Self {
        Self::Done(Done::GoOn, None, words.into())
    }

    const fn failed(trouble: Trouble) -> Self {
        Self::Done(Done::Failed(trouble), None, String::new())
    }

    fn write(self, record: &mut Record, loaded: &mut Loaded<'_>, due: Due) {
        match self {
            Self::Done(done, reason, words) => take_in_act(record, loaded, due, done, (reason, &words)),
            Self::End(reason, kind) => {
                let said = Said { status: Status::Sent, code: Some(reason.as_str().to_owned()), error: None };
                note(record, loaded, due, &said);
                record.leave(&mut loaded.stored, loaded.name, reason, kind, Some(due.step));
            }
        }
    }
}

/// What steps of a workspace name, as it is now.
struct Desk {
    conditions: Option<Conditions>,
    stages: HashMap<StageId, (Stage, Closing)>,
    members: HashMap<UserId, String>,
    destinations: HashMap<DestinationId, String>,
}

impl Desk {
    async fn open(engine: &Engine, tx: &mut Tx, workspace: WorkspaceId, acts: &[&Act]) -> Result<Self, Error> {
        let mut desk =
            Self { conditions: None, stages: HashMap::new(), members: HashMap::new(), destinations: HashMap::new() };
        let actor = Actor::system(workspace, "");
        let stage_of = |act: &&Act| if let Act::MoveStage { stage_id, .. } = act { Some(*stage_id) } else { None };
        // In one order, as everybody holds them.
        for id in acts.iter().filter_map(stage_of).collect::<BTreeSet<_>>() {
            if let Some(stage) = pipelines::hold_stage(tx, workspace, id).await? {
                let closing = stages::closing_for(tx, &actor, &stage).await?;
                desk.stages.insert(id, (stage, closing));
            }
        }
        for act in acts {
            match act {
                Act::Condition { .. } if desk.conditions.is_none() => {
                    desk.conditions = Some(Conditions::load(engine, workspace).await?);
                }
                Act::Assign(Assignee::User(user)) if !desk.members.contains_key(user) => {
                    let name = leads::find_member(tx, workspace, *user).await?;
                    desk.members.extend(name.map(|name| (*user, name)));
                }
                Act::CallDestination(id) if !desk.destinations.contains_key(id) => {
                    let found = destinations::find(&engine.store.reader(), workspace, *id).await?;
                    let there = found.filter(|destination| destination.is_active);
                    desk.destinations.extend(there.map(|destination| (*id, destination.name)));
                }
                _ => {}
            }
        }
        Ok(desk)
    }

    async fn act(
        &self,
        engine: &Engine,
        tx: &mut Tx,
        run: &Loaded<'_>,
        due: Due,
        (lead, has_replied): (&Locked, bool),
    ) -> Result<Outcome, Error> {
        // A step that is not there any more cannot be: a run keeps its version.
        let Some(act) = act_of(run, due) else { return Ok(Outcome::failed(Trouble::Conditions)) };
        let workspace = run.stored.workspace_id;
        let actor = Actor::system(workspace, run.name);
        let cause = Cause { run: run.stored.id, depth: run.stored.depth + 1 };
        let mut left = lead_changes::Record::by(engine, &actor, cause);
        let place = (lead.pipeline_id, lead.stage_id);
        let now = engine.clock.now();
        let outcome = match act {
            // A message is asked for, and not done here.
            Act::Message(_) => return Ok(Outcome::failed(Trouble::Conditions)),
            Act::Wait => Outcome::done("The wait is over"),
            Act::AwaitReply { on_reply, .. } if has_replied => after_waiting(*on_reply, Reason::Replied),
            Act::AwaitReply { on_timeout, .. } => after_waiting(*on_timeout, Reason::NoReply),
            Act::Condition { filter, otherwise } => {
                let Some(asked) = self.conditions.as_ref().and_then(|known| known.read(filter).ok()) else {
                    return Ok(Outcome::failed(Trouble::Conditions));
                };
                let meets = !leads::matching(tx, workspace, &[lead.id], &asked).await?.is_empty();
                match otherwise {
                    _ if meets => Outcome::done("The lead meets the conditions"),
                    Otherwise::End => Outcome::End(Reason::NotMet, "automation.exited"),
                    Otherwise::SkipNext => {
                        let words = format!("{}, so the next step is left out", Reason::NotMet.words());
                        Outcome::Done(Done::SkipNext, Some(Reason::NotMet), words)
                    }
                }
            }
            Act::Assign(Assignee::Rules) => {
                left.event(lead.id, "lead.assignment_asked", place, json!({}));
                Outcome::done("Left to the assignment rules")
            }
            Act::Assign(Assignee::User(user)) => {
                let Some(name) = self.members.get(user) else { return Ok(Outcome::failed(Trouble::MemberGone)) };
                if lead.assigned_to != Some(*user) {
                    owners::give(tx, &mut left, &actor, (Some(*user), Some(name)), &[lead], now).await?;
                }
                Outcome::done(format!("Assigned to {name}"))
            }
            Act::AddTag(tag) => {
                let is_new = !lead.tags.contains(tag);
                if is_new && lead.tags.len() >= TAGS_MAX {
                    return Ok(Outcome::failed(Trouble::TooManyTags));
                }
                let added = is_new.then(|| tag.clone()).into_iter().collect();
                tags::retag(tx, &mut left, &actor, vec![(lead, added, Vec::new())], now).await?;
                Outcome::done(format!("Tag {tag} added"))
            }
            Act::RemoveTag(tag) => {
                let removed = lead.tags.contains(tag).then(|| tag.clone()).into_iter().collect();
                tags::retag(tx, &mut left, &actor, vec![(lead, Vec::new(), removed)], now).await?;
                Outcome::done(format!("Tag {tag} removed"))
            }
            Act::MoveStage { stage_id, reason } => {
                let Some((stage, closing)) = self.stages.get(stage_id) else {
                    return Ok(Outcome::failed(Trouble::StageGone));
                };
                let to = (stage, closing, reason.as_deref());
                match stages::move_to_top(tx, &mut left, &actor, to, &[lead], now).await {
                    Ok(_) => Outcome::done(format!("Moved to {}", stage.name)),
                    Err(stages::MoveError::Reason(_)) => return Ok(Outcome::failed(Trouble::Reason)),
                    Err(stages::MoveError::Internal(error)) => return Err(error),
                }
            }
            Act::AddNote(note) => {
                left.activity(lead.id, "note.added", json!({"value": note}));
                left.event(lead.id, "note.added", place, json!({}));
                Outcome::done("Note written")
            }
            Act::CallDestination(id) => {
                let Some(name) = self.destinations.get(id) else {
                    return Ok(Outcome::failed(Trouble::DestinationGone));
                };
                left.event(lead.id, "lead.automation_step", place, json!({"destinationId": id}));
                Outcome::done(format!("Told {name}"))
            }
        };
        left.write(tx).await?;
        Ok(outcome)
    }
}
