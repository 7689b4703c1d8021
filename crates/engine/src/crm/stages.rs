//! Moving a lead to its place on the board.

use leadline_domain::{
    ids::{LeadId, StageId},
    rank::Rank,
};
use leadline_store::{
    Error, Tx,
    leads::{self, Locked, Moved},
    pipelines::{self, Stage},
};

use super::{LeadError, retrying};
use crate::{
    Actor, Engine,
    lead_changes::{
        Record,
        stages::{closing_for, reason_in, tell},
    },
    random_bytes,
};

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
