//! Moving leads out of stages that are about to go.

use leadline_domain::{ids::StageId, pipelines::Closing, time::Timestamp};
use leadline_store::{
    Tx,
    leads::{self, Locked, Moved},
    pipelines::{self, Stage},
};

use super::PipelineError;
use crate::{
    Actor,
    lead_changes::{Record, stages},
};

/// Leads that leave a stage in one transaction.
const LEADS_AT_ONCE: i64 = 500;

/// How far a transaction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// Everything is done.
    Done,
    /// A batch of leads has moved, and there may be more.
    LeadsLeft,
}

/// Moves a batch of leads out of stages that go. Deleted leads, which nobody sees in them, need no place to be named:
/// they go to `fallback`, so that they can be restored.
pub(super) async fn empty(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    removed: &[StageId],
    target: Option<StageId>,
    fallback: Option<&Stage>,
    now: Timestamp,
) -> Result<Progress, PipelineError> {
    let target = find_target(tx, actor, removed, target).await?;
    if removed.is_empty() {
        return Ok(Progress::Done);
    }
    let inside = leads::lock_in_stages(tx, actor.workspace, removed, LEADS_AT_ONCE).await?;
    let somebody_sees_them = inside.iter().any(|lead| lead.deleted_at.is_none());
    let target = match (&target, fallback) {
        (Some(target), _) => target,
        (None, Some(fallback)) if !somebody_sees_them => fallback,
        (None, _) if inside.is_empty() => return Ok(Progress::Done),
        (None, _) => return Err(PipelineError::LeadsInside),
    };
    let from = pipelines::left_stages(tx, actor.workspace, removed).await?;
    // Nobody is asked why all these are won or lost; those that were so already keep their reasons.
    let not_asked = Closing::default();
    let row = |lead: &Locked| Moved {
        id: lead.id,
        pipeline_id: target.pipeline_id,
        stage_id: target.id,
        rank: lead.rank.clone(),
        close_reason: stages::reason_in(&not_asked, target, lead, &from, None).ok().flatten(),
    };
    let rows: Vec<Moved> = inside.iter().map(row).collect();
    leads::move_to(tx, actor.workspace, &rows, now).await?;
    for (lead, row) in inside.iter().zip(&rows) {
        stages::tell(record, lead, target, &from, row.close_reason.as_deref(), None);
    }
    let is_full = i64::try_from(inside.len()).unwrap_or(i64::MAX) >= LEADS_AT_ONCE;
    Ok(if is_full { Progress::LeadsLeft } else { Progress::Done })
}

async fn find_target(
    tx: &mut Tx,
    actor: &Actor,
    removed: &[StageId],
    target: Option<StageId>,
) -> Result<Option<Stage>, PipelineError> {
    let Some(target) = target else { return Ok(None) };
    if removed.contains(&target) {
        return Err(PipelineError::NoTarget);
    }
    let stage = pipelines::hold_stage(tx, actor.workspace, target).await?;
    stage.map(Some).ok_or(PipelineError::NoTarget)
}
