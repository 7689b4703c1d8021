//! What somebody changes on a pipeline, and what of it can be stored.

use leadline_domain::{
    ids::{PipelineId, StageId},
    pipelines::{Closing, DEFAULT_STAGES, PipelineFault, STAGES_MAX, StageDraft, StageKind, faults},
    time::Timestamp,
};
use leadline_store::pipelines::Stage;

use super::PipelineError;
use crate::{crm::text::clean, random_bytes};

/// A stage as somebody wants it.
#[derive(Debug, Clone)]
pub struct StageEdit {
    /// The stage; `None` for a new one.
    pub id: Option<StageId>,
    /// Its name.
    pub name: String,
    /// Its colour.
    pub color: String,
    /// What reaching it means.
    pub kind: StageKind,
    /// How likely a lead in it is won, in percent; `None` leaves it, or is what is usual for its kind.
    pub probability: Option<i64>,
    /// After how many days a lead in it is stale; `None` leaves it, `Some(None)` is never.
    pub stale_after_days: Option<Option<i64>>,
}

/// What somebody changes about the reasons of a pipeline. `None` leaves it.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of `Closing`")]
pub struct ClosingEdit {
    pub won_reasons: Option<Vec<String>>,
    pub lost_reasons: Option<Vec<String>>,
    pub won_reason_required: Option<bool>,
    pub lost_reason_required: Option<bool>,
}

/// What somebody changes on a pipeline.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// The version that they saw; whoever names none takes what there is.
    pub version: Option<i64>,
    /// Its name.
    pub name: Option<String>,
    /// Whether new leads come into it.
    pub is_default: Option<bool>,
    /// All its stages from left to right; those that are missing are removed.
    pub stages: Option<Vec<StageEdit>>,
    /// Where the leads of removed stages go.
    pub move_leads_to: Option<StageId>,
    /// What it asks when a lead is won or lost.
    pub closing: ClosingEdit,
}

pub(super) fn unchanged(stage: &Stage) -> StageEdit {
    StageEdit {
        id: Some(stage.id),
        name: stage.name.clone(),
        color: stage.color.clone(),
        kind: stage.kind,
        probability: None,
        stale_after_days: None,
    }
}

/// The reasons as they are to be stored; [`checked`] says what speaks against them.
pub(super) fn checked_closing(edit: &ClosingEdit, stored: &Closing) -> Closing {
    let reasons = |edit: &Option<Vec<String>>, stored: &[String]| match edit {
        None => stored.to_vec(),
        Some(reasons) => reasons.iter().map(|reason| clean(reason).unwrap_or_default()).collect(),
    };
    Closing {
        won_reasons: reasons(&edit.won_reasons, &stored.won_reasons),
        lost_reasons: reasons(&edit.lost_reasons, &stored.lost_reasons),
        won_reason_required: edit.won_reason_required.unwrap_or(stored.won_reason_required),
        lost_reason_required: edit.lost_reason_required.unwrap_or(stored.lost_reason_required),
    }
}

/// Name and stages as they are to be stored, or what speaks against them and the reasons.
pub(super) fn checked(
    name: &str,
    edits: &[StageEdit],
    (pipeline, stored): (PipelineId, &[Stage]),
    closing: &Closing,
    now: Timestamp,
) -> Result<(String, Vec<Stage>), PipelineError> {
    let name = clean(name).unwrap_or_default();
    let wanted: Vec<Stage> = edits
        .iter()
        .take(STAGES_MAX + 1)
        .zip(0..)
        .map(|(edit, position)| wanted(edit, position, (pipeline, stored), now))
        .collect();
    let faults: Vec<PipelineFault> =
        faults(&name, &wanted.iter().map(draft).collect::<Vec<_>>()).into_iter().chain(closing.faults()).collect();
    if !faults.is_empty() {
        return Err(PipelineError::Faulty(faults));
    }
    for (place, edit) in edits.iter().enumerate() {
        let Some(id) = edit.id else { continue };
        let is_ours = stored.iter().any(|stage| stage.id == id);
        let is_there_already = edits[..place].iter().any(|earlier| earlier.id == Some(id));
        if !is_ours || is_there_already {
            return Err(PipelineError::ForeignStage(place));
        }
    }
    Ok((name, wanted))
}

/// The stage as it would be, whether it may or not.
fn wanted(edit: &StageEdit, position: i64, (pipeline, stored): (PipelineId, &[Stage]), now: Timestamp) -> Stage {
    let before = edit.id.and_then(|id| stored.iter().find(|stage| stage.id == id));
    // A probability that nobody set on purpose goes with the kind.
    let usual = before.filter(|stage| stage.kind == edit.kind).map(|stage| stage.probability);
    Stage {
        id: edit.id.unwrap_or_else(|| StageId::new(now, random_bytes())),
        pipeline_id: pipeline,
        name: clean(&edit.name).unwrap_or_default(),
        color: edit.color.clone(),
        kind: edit.kind,
        position,
        probability: edit.probability.or(usual).unwrap_or_else(|| edit.kind.usual_probability()),
        stale_after_days: edit.stale_after_days.unwrap_or(before.and_then(|stage| stage.stale_after_days)),
    }
}

fn draft(stage: &Stage) -> StageDraft<'_> {
    StageDraft {
        name: &stage.name,
        color: &stage.color,
        kind: stage.kind,
        probability: stage.probability,
        stale_after_days: stage.stale_after_days,
    }
}

/// The stages of the pipeline that a workspace starts with, for one made without any.
#[must_use]
pub fn default_stages() -> Vec<StageEdit> {
    DEFAULT_STAGES
        .iter()
        .map(|stage| StageEdit {
            id: None,
            name: stage.name.to_owned(),
            color: stage.color.to_owned(),
            kind: stage.kind,
            probability: Some(stage.probability),
            stale_after_days: None,
        })
        .collect()
}
