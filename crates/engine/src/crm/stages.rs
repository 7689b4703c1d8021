//! Moving a lead to its place on the board.

use std::collections::HashMap;

use leadline_domain::{
    ids::{LeadId, StageId},
    pipelines::{Closing, ReasonFault, StageKind},
    rank::Rank,
};
use leadline_store::{
    Error, Tx,
    leads::{self, Locked, Moved},
    pipelines::{self, Left, Stage},
};
use serde_json::json;

use super::{LeadError, Record, retrying};
use crate::{Actor, Engine, random_bytes};

/// Where a lead is put.
#[derive(Debug, Clone)]
pub struct Move {
    /// The column.
    pub stage: StageId,
    /// The lead that it comes to stand below; without one it comes to stand on top.
    pub below: Option<LeadId>,
    /// Why it is won or lost, where the column says that it is.
    pub reason: Option<String>,
    /// A name for this very move, by which the screen that made it knows the hint of it.
    pub op: Option<String>,
}

/// Moves a lead to another place: into another column, or up and down in its own. Where the lead above has left the
/// column meanwhile, it comes to stand on top.
///
/// # Errors
/// Where lead, stage or the lead above are not there, the lead is deleted, or its reason cannot be so.
pub async fn move_stage(engine: &Engine, actor: &Actor, lead: LeadId, to: &Move) -> Result<(), LeadError> {
    retrying(|| try_move(engine, actor, lead, to)).await
}

async fn try_move(engine: &Engine, actor: &Actor, lead: LeadId, to: &Move) -> Result<(), LeadError> {
    let mut tx = engine.store.begin().await?;
    let stage = pipelines::hold_stage(&mut tx, actor.workspace, to.stage).await?.ok_or(LeadError::NoStage)?;
    let ids: Vec<LeadId> = [Some(lead), to.below].into_iter().flatten().collect();
    let locked = leads::lock(&mut tx, actor.workspace, &ids).await?;
    let find = |id: LeadId| locked.iter().find(|lead| lead.id == id);
    let lead = find(lead).ok_or(LeadError::NotFound)?;
    if lead.deleted_at.is_some() {
        return Err(LeadError::Deleted);
    }
    let above = match to.below {
        None => None,
        Some(above) if above == lead.id => return Err(LeadError::NoNeighbour),
        Some(above) => Some(find(above).ok_or(LeadError::NoNeighbour)?),
    };
    let is_in_column = |above: &&Locked| above.stage_id == stage.id && above.deleted_at.is_none();
    let rank = rank_below(&mut tx, engine, actor, lead.id, &stage, above.filter(is_in_column)).await?;
    let from = pipelines::left_stages(&mut tx, actor.workspace, &[lead.stage_id]).await?;
    let closing = closing_for(&mut tx, actor, &stage).await?;
    let close_reason = reason_in(&closing, &stage, lead, &from, to.reason.as_deref())?;
    let moved = Moved { id: lead.id, pipeline_id: stage.pipeline_id, stage_id: stage.id, rank, close_reason };
    leads::move_to(&mut tx, actor.workspace, std::slice::from_ref(&moved), engine.clock.now()).await?;
    let mut record = Record::new(engine, actor);
    tell(&mut record, lead, &stage, &from, moved.close_reason.as_deref(), to.op.as_deref());
    Ok(record.commit(tx).await?)
}

/// What is asked of a lead that comes into the stage.
pub(super) async fn closing_for(tx: &mut Tx, actor: &Actor, stage: &Stage) -> Result<Closing, Error> {
    match stage.kind {
        StageKind::Open => Ok(Closing::default()),
        StageKind::Won | StageKind::Lost => pipelines::closing_of(tx, actor.workspace, stage.pipeline_id).await,
    }
}

/// The reason that a lead carries once it is in `stage`. One that only changes places keeps its own.
pub(super) fn reason_in(
    closing: &Closing,
    stage: &Stage,
    lead: &Locked,
    from: &HashMap<StageId, Left>,
    given: Option<&str>,
) -> Result<Option<String>, ReasonFault> {
    if lead.stage_id == stage.id && given.is_none() {
        return Ok(lead.close_reason.clone());
    }
    let was_of_its_kind = from.get(&lead.stage_id).is_some_and(|left| left.kind == stage.kind);
    closing.reason(stage.kind, given, lead.close_reason.as_deref().filter(|_| was_of_its_kind))
}

/// A rank between the lead above and the one below that.
async fn rank_below(
    tx: &mut Tx,
    engine: &Engine,
    actor: &Actor,
    lead: LeadId,
    stage: &Stage,
    above: Option<&Locked>,
) -> Result<String, Error> {
    let below = match above {
        Some(above) => leads::neighbour_below(tx, actor.workspace, stage.id, &above.rank, lead).await?,
        None => leads::top_of(tx, actor.workspace, stage.id, lead).await?,
    };
    let above = above.and_then(|above| Rank::parse(&above.rank));
    let below = below.as_deref().and_then(Rank::parse);
    let salt = u32::from_le_bytes(random_bytes());
    Ok(Rank::between(above.as_ref(), below.as_ref(), engine.clock.now(), salt).as_str().to_owned())
}

/// Records that a lead came into `stage`. Within its column it only changed places: open boards want to know, the
/// timeline does not.
pub(super) fn tell(
    record: &mut Record<'_>,
    lead: &Locked,
    stage: &Stage,
    from: &HashMap<StageId, Left>,
    reason: Option<&str>,
    op: Option<&str>,
) {
    let place = (stage.pipeline_id, stage.id);
    if lead.stage_id == stage.id {
        tell_reason(record, lead, reason);
        record.event(lead.id, "lead.reordered", place, json!({"op": op}));
        return;
    }
    let mut data = json!({
        "fromStageId": lead.stage_id,
        "fromStageName": from.get(&lead.stage_id).map(|left| &left.name),
        "toStageId": stage.id,
        "toStageName": stage.name,
        "toStageKind": stage.kind.as_str(),
    });
    if let Some(reason) = reason {
        data["reason"] = reason.into();
    }
    record.activity(lead.id, "lead.stage_changed", data.clone());
    // A deleted lead moves when its stage goes; nobody sees it or counts it.
    if lead.deleted_at.is_some() {
        return;
    }
    let mut event = data;
    event["op"] = op.into();
    record.event(lead.id, "lead.stage_changed", place, event);
    let value = lead.values.milli();
    record.count((lead.pipeline_id, lead.stage_id), -1, -value);
    record.count(place, 1, value);
}

/// Records that a lead that stays in its stage is won or lost for another reason.
pub(super) fn tell_reason(record: &mut Record<'_>, lead: &Locked, reason: Option<&str>) {
    if lead.close_reason.as_deref() == reason {
        return;
    }
    let change = json!({"field": "closeReason", "from": lead.close_reason, "to": reason});
    record.activity(lead.id, "lead.updated", json!({"changes": [change]}));
    record.event(lead.id, "lead.updated", (lead.pipeline_id, lead.stage_id), json!({"fields": ["closeReason"]}));
}
