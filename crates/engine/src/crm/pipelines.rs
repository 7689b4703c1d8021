//! Pipelines and their stages: making, editing, removing.
//!
//! Leads leave a stage that goes in batches, each in a transaction of its own, so that no edit keeps captures waiting
//! for long; the edit itself is in the last one, which finds the stages empty. One that is broken off leaves some leads
//! in their new stage and the pipeline as it was, and can be done again.

use std::collections::HashSet;

use leadline_domain::{
    ids::{PipelineId, StageId},
    pipelines::{PipelineFault, STAGES_MAX, StageDraft, StageKind, faults},
    time::Timestamp,
};
use leadline_store::{
    self as store, Tx,
    leads::{self, Moved},
    pipelines::{self, NewPipeline, Stage},
};

use super::{Contention, Record, retrying, stages, text::clean};
use crate::{Actor, Engine, random_bytes};

/// Leads that leave a stage in one transaction.
const LEADS_AT_ONCE: i64 = 500;

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
}

/// What somebody changes on a pipeline.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Its name.
    pub name: Option<String>,
    /// All its stages from left to right; those that are missing are removed.
    pub stages: Option<Vec<StageEdit>>,
    /// Where the leads of removed stages go.
    pub move_leads_to: Option<StageId>,
}

/// Why a pipeline was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// There is none of this id in the workspace.
    #[error("there is no such pipeline")]
    NotFound,
    /// It is where new leads come into.
    #[error("the default pipeline cannot be deleted")]
    IsDefault,
    /// It cannot be so.
    #[error("{} things speak against it", .0.len())]
    Faulty(Vec<PipelineFault>),
    /// The stage at this place of the list, counted from 0, is not this pipeline's, or stands there twice.
    #[error("stage {0} is not of this pipeline, or stands there twice")]
    ForeignStage(usize),
    /// Leads are in a stage that is to go, and nobody said where they should go.
    #[error("leads are in a stage that is to be removed")]
    LeadsInside,
    /// Where leads should go is no stage that stays.
    #[error("leads cannot be moved to a stage that is not there")]
    NoTarget,
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

impl Contention for PipelineError {
    fn is_contended(&self) -> bool {
        matches!(self, Self::Internal(store::Error::Contended))
    }
}

/// Makes the pipeline that a workspace starts with, unless it has one.
///
/// # Errors
/// Where the store fails.
pub async fn ensure_default(engine: &Engine, actor: &Actor) -> Result<PipelineId, PipelineError> {
    let mut tx = engine.store.begin().await?;
    let id = pipelines::insert_default(&mut tx, actor.workspace, engine.clock.now(), random_bytes).await?;
    tx.commit().await?;
    engine.door.intakes().forget();
    Ok(id)
}

/// Makes a pipeline.
///
/// # Errors
/// Where it cannot be so.
pub async fn create(
    engine: &Engine,
    actor: &Actor,
    name: &str,
    stages: &[StageEdit],
) -> Result<PipelineId, PipelineError> {
    let now = engine.clock.now();
    let id = PipelineId::new(now, random_bytes());
    let (name, stages) = checked(name, stages, id, &[], now)?;
    let pipeline = NewPipeline { id, name, is_default: false, created_at: now };
    let mut tx = engine.store.begin().await?;
    pipelines::insert(&mut tx, actor.workspace, &pipeline, &stages).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a pipeline.
///
/// # Errors
/// Where it is not there or cannot be so, or leads are in a stage that is to go and have no place to go to.
pub async fn update(engine: &Engine, actor: &Actor, id: PipelineId, edit: &Edit) -> Result<(), PipelineError> {
    while retrying(|| try_update(engine, actor, id, edit)).await? == Progress::LeadsLeft {}
    engine.door.intakes().forget();
    Ok(())
}

/// Deletes a pipeline that is not the default one.
///
/// # Errors
/// Where it is not there or the default one, or leads are in it and have no place to go to.
pub async fn delete(
    engine: &Engine,
    actor: &Actor,
    id: PipelineId,
    move_leads_to: Option<StageId>,
) -> Result<(), PipelineError> {
    while retrying(|| try_delete(engine, actor, id, move_leads_to)).await? == Progress::LeadsLeft {}
    engine.door.intakes().forget();
    Ok(())
}

/// How far a transaction came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Everything is done.
    Done,
    /// A batch of leads has moved, and there may be more.
    LeadsLeft,
}

async fn try_update(engine: &Engine, actor: &Actor, id: PipelineId, edit: &Edit) -> Result<Progress, PipelineError> {
    let mut tx = engine.store.begin().await?;
    let pipeline = pipelines::lock(&mut tx, actor.workspace, id).await?.ok_or(PipelineError::NotFound)?;
    let now = engine.clock.now();
    let name = edit.name.as_deref().unwrap_or(&pipeline.name);
    let edits = edit.stages.clone().unwrap_or_else(|| pipeline.stages.iter().map(unchanged).collect());
    let (name, stages) = checked(name, &edits, id, &pipeline.stages, now)?;
    let kept: HashSet<StageId> = stages.iter().map(|stage| stage.id).collect();
    let removed: Vec<StageId> =
        pipeline.stages.iter().map(|stage| stage.id).filter(|stage| !kept.contains(stage)).collect();
    let fallback = pipeline.stages.iter().find(|stage| kept.contains(&stage.id));
    let mut record = Record::new(engine, actor);
    let emptied = empty(&mut tx, &mut record, actor, &removed, edit.move_leads_to, fallback, now).await?;
    if emptied == Progress::Done {
        pipelines::delete_stages(&mut tx, actor.workspace, &removed, now).await?;
        pipelines::rename(&mut tx, actor.workspace, id, &name).await?;
        pipelines::write_stages(&mut tx, actor.workspace, &stages, now).await?;
    }
    record.commit(tx).await?;
    Ok(emptied)
}

async fn try_delete(
    engine: &Engine,
    actor: &Actor,
    id: PipelineId,
    move_leads_to: Option<StageId>,
) -> Result<Progress, PipelineError> {
    let mut tx = engine.store.begin().await?;
    let pipeline = pipelines::lock(&mut tx, actor.workspace, id).await?.ok_or(PipelineError::NotFound)?;
    if pipeline.is_default {
        return Err(PipelineError::IsDefault);
    }
    let now = engine.clock.now();
    let removed: Vec<StageId> = pipeline.stages.iter().map(|stage| stage.id).collect();
    let fallback = pipelines::entry_stage_of_default(&mut tx, actor.workspace).await?;
    let mut record = Record::new(engine, actor);
    let emptied = empty(&mut tx, &mut record, actor, &removed, move_leads_to, fallback.as_ref(), now).await?;
    if emptied == Progress::Done {
        pipelines::delete_stages(&mut tx, actor.workspace, &removed, now).await?;
        pipelines::delete(&mut tx, actor.workspace, id, now).await?;
    }
    record.commit(tx).await?;
    Ok(emptied)
}

/// Moves a batch of leads out of stages that go. Deleted leads, which nobody sees in them, need no place to be named:
/// they go to `fallback`, so that they can be restored.
async fn empty(
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
    let rows: Vec<Moved> = inside
        .iter()
        .map(|lead| Moved {
            id: lead.id,
            pipeline_id: target.pipeline_id,
            stage_id: target.id,
            rank: lead.rank.clone(),
        })
        .collect();
    leads::move_to(tx, actor.workspace, &rows, now).await?;
    let names = pipelines::names_of_stages(tx, actor.workspace, removed).await?;
    inside.iter().for_each(|lead| stages::tell(record, lead, target, &names, None));
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

fn unchanged(stage: &Stage) -> StageEdit {
    StageEdit { id: Some(stage.id), name: stage.name.clone(), color: stage.color.clone(), kind: stage.kind }
}

/// Name and stages as they are to be stored, or what speaks against them.
fn checked(
    name: &str,
    edits: &[StageEdit],
    pipeline: PipelineId,
    stored: &[Stage],
    now: Timestamp,
) -> Result<(String, Vec<Stage>), PipelineError> {
    let names: Vec<String> =
        edits.iter().take(STAGES_MAX + 1).map(|edit| clean(&edit.name).unwrap_or_default()).collect();
    let name = clean(name).unwrap_or_default();
    let drafts: Vec<StageDraft<'_>> =
        edits.iter().zip(&names).map(|(edit, name)| StageDraft { name, color: &edit.color, kind: edit.kind }).collect();
    let faults = faults(&name, &drafts);
    if !faults.is_empty() {
        return Err(PipelineError::Faulty(faults));
    }
    let mut stages: Vec<Stage> = Vec::with_capacity(edits.len());
    for ((place, edit), (position, name)) in edits.iter().enumerate().zip((0..).zip(names)) {
        let id = match edit.id {
            None => StageId::new(now, random_bytes()),
            Some(id) => {
                let is_ours = stored.iter().any(|stage| stage.id == id);
                let is_there_already = stages.iter().any(|stage| stage.id == id);
                if !is_ours || is_there_already {
                    return Err(PipelineError::ForeignStage(place));
                }
                id
            }
        };
        let (color, kind) = (edit.color.clone(), edit.kind);
        stages.push(Stage { id, pipeline_id: pipeline, name, color, kind, position });
    }
    Ok((name, stages))
}

/// The stages of the pipeline that a workspace starts with, for one made without any.
#[must_use]
pub fn default_stages() -> Vec<StageEdit> {
    leadline_domain::pipelines::DEFAULT_STAGES
        .iter()
        .map(|stage| StageEdit {
            id: None,
            name: stage.name.to_owned(),
            color: stage.color.to_owned(),
            kind: stage.kind,
        })
        .collect()
}
