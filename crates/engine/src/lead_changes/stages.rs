//! Putting leads into a stage: the reason that it asks for, and what is told of it.

use std::collections::HashMap;

use leadline_domain::{
    ids::StageId,
    pipelines::{Closing, ReasonFault, StageKind},
    rank::Rank,
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    leads::{self, Locked, Moved},
    pipelines::{self, Left, Stage},
};
use serde_json::json;

use super::Record;
use crate::Actor;

/// Why leads were not put into a stage.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MoveError {
    /// They cannot be won or lost for this reason, or not without one.
    #[error(transparent)]
    Reason(#[from] ReasonFault),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] Error),
}

/// Puts leads that are locked on top of a stage, in their order, and gives those that were not in it, as they are now.
pub(crate) async fn move_to_top<'a>(
    tx: &mut Tx,
    record: &mut Record<'_>,
    actor: &Actor,
    (stage, closing, reason): (&Stage, &Closing, Option<&str>),
    leads: &[&'a Locked],
    now: Timestamp,
) -> Result<Vec<(&'a Locked, Moved)>, MoveError> {
    let moving: Vec<&Locked> = leads.iter().copied().filter(|lead| lead.stage_id != stage.id).collect();
    let from: Vec<StageId> = moving.iter().map(|lead| lead.stage_id).collect();
    let from = pipelines::left_stages(tx, actor.workspace, &from).await?;
    let mut rows: Vec<Moved> = Vec::with_capacity(moving.len());
    for (lead, salt) in moving.iter().zip((0..=u32::MAX).rev()) {
        rows.push(Moved {
            id: lead.id,
            pipeline_id: stage.pipeline_id,
            stage_id: stage.id,
            rank: Rank::at(now, salt).as_str().to_owned(),
            close_reason: reason_in(closing, stage, lead, &from, reason)?,
        });
    }
    leads::move_to(tx, actor.workspace, &rows, now).await?;
    for (lead, row) in moving.iter().zip(&rows) {
        tell(record, lead, stage, &from, row.close_reason.as_deref(), None);
    }
    Ok(moving.into_iter().zip(rows).collect())
}

/// What is asked of a lead that comes into the stage.
pub(crate) async fn closing_for(tx: &mut Tx, actor: &Actor, stage: &Stage) -> Result<Closing, Error> {
    match stage.kind {
        StageKind::Open => Ok(Closing::default()),
        StageKind::Won | StageKind::Lost => pipelines::closing_of(tx, actor.workspace, stage.pipeline_id).await,
    }
}

/// The reason that a lead carries once it is in `stage`. One that only changes places keeps its own.
pub(crate) fn reason_in(
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

/// Records that a lead came into `stage`. Within its column it only changed places: open boards want to know, the
/// timeline does not.
pub(crate) fn tell(
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
pub(crate) fn tell_reason(record: &mut Record<'_>, lead: &Locked, reason: Option<&str>) {
    if lead.close_reason.as_deref() == reason {
        return;
    }
    let change = json!({"field": "closeReason", "from": lead.close_reason, "to": reason});
    record.activity(lead.id, "lead.updated", json!({"changes": [change]}));
    record.event(lead.id, "lead.updated", (lead.pipeline_id, lead.stage_id), json!({"fields": ["closeReason"]}));
}
