//! Taking an action back, lead by lead: only what it changed, and only where nobody changed that since.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadline_domain::{
    ids::{LeadId, StageId, UserId},
    time::Timestamp,
};
use leadline_store::{
    Tx,
    events::{self, Since},
    leads::{self, Locked, Returned},
    pipelines::{self, Left, Stage},
};
use serde_json::Value;

use super::{
    AT_ONCE,
    act::{self, Before, Undo},
};
use crate::{
    Actor, Engine,
    crm::LeadError,
    jobs::{JobError, Taken, Turn, Turned, Undoable},
    lead_changes::{Record, TAGS_MAX, owners, stages, tags},
};

/// A lead that is to be put back.
struct Asked<'a> {
    lead: &'a Locked,
    before: &'a Before,
    /// What was done to it since, of what matters.
    since: &'a [Value],
}

/// Why a lead is left alone, by its id.
type LeftAlone = HashMap<LeadId, &'static str>;

/// Puts the next leads back.
pub(super) async fn step(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let rows = turn.to_undo(engine, AT_ONCE).await?;
    let is_last = i64::try_from(rows.len()).unwrap_or(i64::MAX) < AT_ONCE;
    let mut tx = turn.begin(engine).await?;
    let mut record = Record::new(engine, turn.actor());
    let left = put_back(&mut tx, &mut record, engine, turn.actor(), &rows).await.map_err(|error| match error {
        LeadError::Internal(error) => JobError::Store(error),
        _ => JobError::GiveUp("What was changed cannot be put back.".to_owned()),
    })?;
    record.write(&mut tx).await?;
    let taken: Vec<Taken> = rows
        .iter()
        .map(|row| Taken { seq: row.seq, left: row.lead_id.and_then(|id| left.get(&id)).map(|&why| why.to_owned()) })
        .collect();
    turn.commit_undo(engine, tx, &taken, is_last).await
}

async fn put_back(
    tx: &mut Tx,
    record: &mut Record<'_>,
    engine: &Engine,
    actor: &Actor,
    rows: &[Undoable],
) -> Result<LeftAlone, LeadError> {
    let undos: HashMap<LeadId, Undo> = rows.iter().filter_map(read).collect();
    let mut ids: Vec<LeadId> = undos.keys().copied().collect();
    ids.sort_unstable();
    // Stages come before leads in the order of locks.
    let stages = hold_stages(tx, actor, &undos).await?;
    let locked = leads::lock(tx, actor.workspace, &ids).await?;
    let since = since(tx, actor, &undos).await?;
    let mut left: LeftAlone = rows.iter().filter_map(|row| row.lead_id).map(|id| (id, "not_found")).collect();
    let mut asked = Vec::new();
    for lead in &locked {
        let Some(undo) = undos.get(&lead.id) else { continue };
        let told = since.get(&lead.id).map(Vec::as_slice).unwrap_or_default();
        match reason_to_leave(lead, &undo.before, told) {
            Some(why) => drop(left.insert(lead.id, why)),
            None => asked.push(Asked { lead, before: &undo.before, since: told }),
        }
    }
    let now = engine.clock.now();
    let mut done = move_back(tx, record, actor, &stages, &asked, &mut left, now).await?;
    done.extend(give_back(tx, record, actor, &asked, &mut left, now).await?);
    done.extend(bring_back(tx, record, actor, &asked, now).await?);
    done.extend(tag_back(tx, record, actor, &asked, now).await?);
    for id in done {
        left.remove(&id);
    }
    Ok(left)
}

fn read(row: &Undoable) -> Option<(LeadId, Undo)> {
    Some((row.lead_id?, serde_json::from_value(row.undo.clone()).ok()?))
}

/// The stages that leads go back to, as far as they are still there. A batch comes from few.
async fn hold_stages(
    tx: &mut Tx,
    actor: &Actor,
    undos: &HashMap<LeadId, Undo>,
) -> Result<HashMap<StageId, Stage>, LeadError> {
    let wanted = undos.values().filter_map(|undo| match &undo.before {
        Before::Place { stage, .. } => Some(*stage),
        Before::Owner { .. } | Before::There { .. } | Before::Gone | Before::Without(_) | Before::With(_) => None,
    });
    let mut held = HashMap::new();
    for id in wanted.collect::<BTreeSet<_>>() {
        if let Some(stage) = pipelines::hold_stage(tx, actor.workspace, id).await? {
            held.insert(id, stage);
        }
    }
    Ok(held)
}

/// What stands on the leads' timelines behind what was done to them.
async fn since(
    tx: &mut Tx,
    actor: &Actor,
    undos: &HashMap<LeadId, Undo>,
) -> Result<HashMap<LeadId, Vec<Value>>, LeadError> {
    let lines: Vec<Since> = undos.iter().map(|(id, undo)| Since { lead_id: *id, since: undo.since }).collect();
    let kinds: BTreeSet<&str> = undos.values().flat_map(|undo| act::kinds_that_matter(&undo.before)).copied().collect();
    let found = events::list_since(tx, actor.workspace, &lines, &Vec::from_iter(kinds)).await?;
    let mut since: HashMap<LeadId, Vec<Value>> = HashMap::new();
    for (lead, line) in found {
        since.entry(lead).or_default().push(line);
    }
    Ok(since)
}

/// Why a lead is left as it is: somebody changed since what the action had changed.
fn reason_to_leave(lead: &Locked, before: &Before, since: &[Value]) -> Option<&'static str> {
    let changed = |is_changed: bool| is_changed.then_some("changed_since");
    let deleted = lead.deleted_at.is_some().then_some("deleted");
    match before {
        Before::Place { to, because, .. } => {
            deleted.or(changed(!since.is_empty() || lead.stage_id != *to || lead.close_reason != *because))
        }
        Before::Owner { to, .. } => deleted.or(changed(!since.is_empty() || lead.assigned_to != *to)),
        Before::There { deleted_at } => changed(lead.deleted_at != Some(*deleted_at)),
        Before::Gone => changed(!since.is_empty() || lead.deleted_at.is_some()),
        Before::Without(tags) => deleted.or(changed(kept(tags, since, |tag| lead.tags.contains(tag)).is_empty())),
        Before::With(tags) => {
            let missing = kept(tags, since, |tag| !lead.tags.contains(tag));
            let too_many = lead.tags.len() + missing.len() > TAGS_MAX;
            deleted.or(changed(missing.is_empty())).or(too_many.then_some("too_many_tags"))
        }
    }
}

/// The tags that are still as the action left them.
fn kept(tags: &[String], since: &[Value], is_so: impl Fn(&String) -> bool) -> Vec<String> {
    let untouched = |tag: &&String| is_so(tag) && !since.iter().any(|line| act::tells_of(line, tag));
    tags.iter().filter(untouched).cloned().collect()
}

async fn move_back(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    stages: &HashMap<StageId, Stage>,
    asked: &[Asked<'_>],
    left: &mut LeftAlone,
    now: Timestamp,
) -> Result<Vec<LeadId>, LeadError> {
    let mut moving: Vec<(&Locked, &Stage, Returned)> = Vec::new();
    for Asked { lead, before, .. } in asked {
        let Before::Place { stage, rank, reason, entered_at, .. } = before else { continue };
        let Some(stage) = stages.get(stage) else {
            left.insert(lead.id, "stage_gone");
            continue;
        };
        let row = Returned {
            id: lead.id,
            pipeline_id: stage.pipeline_id,
            stage_id: stage.id,
            rank: rank.clone(),
            close_reason: reason.clone(),
            stage_entered_at: entered_at.0,
        };
        moving.push((lead, stage, row));
    }
    let from: Vec<StageId> = moving.iter().map(|(lead, _, _)| lead.stage_id).collect();
    let from: HashMap<StageId, Left> = pipelines::left_stages(tx, actor.workspace, &from).await?;
    let rows: Vec<Returned> = moving.iter().map(|(_, _, row)| row.clone()).collect();
    leads::move_back(tx, actor.workspace, &rows, now).await?;
    for (lead, stage, row) in &moving {
        stages::tell(record, lead, stage, &from, row.close_reason.as_deref(), None);
    }
    Ok(moving.iter().map(|(lead, _, _)| lead.id).collect())
}

async fn give_back(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    asked: &[Asked<'_>],
    left: &mut LeftAlone,
    now: Timestamp,
) -> Result<Vec<LeadId>, LeadError> {
    let mut owners: BTreeMap<Option<UserId>, Vec<&Locked>> = BTreeMap::new();
    for Asked { lead, before, .. } in asked {
        if let Before::Owner { user, .. } = before {
            owners.entry(*user).or_default().push(lead);
        }
    }
    let mut done = Vec::new();
    // A batch was of few people.
    for (owner, leads) in owners {
        let name = match owner {
            Some(user) => leads::find_member(tx, actor.workspace, user).await?,
            None => None,
        };
        if owner.is_some() && name.is_none() {
            left.extend(leads.iter().map(|lead| (lead.id, "member_gone")));
            continue;
        }
        owners::give(tx, record, actor, (owner, name.as_deref()), &leads, now).await?;
        done.extend(leads.iter().map(|lead| lead.id));
    }
    Ok(done)
}

/// Restores what was deleted, and deletes what was restored.
async fn bring_back(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    asked: &[Asked<'_>],
    now: Timestamp,
) -> Result<Vec<LeadId>, LeadError> {
    let that = |wanted: fn(&Before) -> bool| -> Vec<&Locked> {
        asked.iter().filter(|one| wanted(one.before)).map(|one| one.lead).collect()
    };
    let deleted = that(|before| matches!(before, Before::There { .. }));
    let restored = that(|before| matches!(before, Before::Gone));
    let mut done = act::restore_all(tx, record, actor, &deleted, now).await?;
    done.extend(act::delete_all(tx, record, actor, &restored, now).await?);
    Ok(done.into_keys().collect())
}

async fn tag_back(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    asked: &[Asked<'_>],
    now: Timestamp,
) -> Result<Vec<LeadId>, LeadError> {
    let wanted = asked.iter().filter_map(|Asked { lead, before, since }| match before {
        Before::Without(added) => Some((*lead, Vec::new(), kept(added, since, |tag| lead.tags.contains(tag)))),
        Before::With(removed) => Some((*lead, kept(removed, since, |tag| !lead.tags.contains(tag)), Vec::new())),
        Before::Place { .. } | Before::Owner { .. } | Before::There { .. } | Before::Gone => None,
    });
    let changed = tags::retag(tx, record, actor, wanted.collect(), now).await?;
    Ok(changed.into_iter().map(|row| row.id).collect())
}
