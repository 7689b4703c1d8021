//! Pipelines and their stages: making, editing, removing.
//!
//! Leads leave a stage that goes in batches, each in a transaction of its own, so that no edit keeps captures waiting
//! for long; the edit itself is in the last one, which finds the stages empty. One that is broken off leaves some leads
//! in their new stage and the pipeline as it was, and can be done again.

mod edits;
mod emptying;

use std::collections::HashSet;

use leadline_domain::{
    ids::{PipelineId, StageId},
    pipelines::{Closing, PipelineFault},
};
use leadline_store::{
    self as store,
    pipelines::{self, NewPipeline},
};

pub use self::edits::{ClosingEdit, Edit, StageEdit, default_stages};
use self::{
    edits::{checked, checked_closing, unchanged},
    emptying::{Progress, empty},
};
use super::{Contention, Record, retrying};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

/// Why a pipeline was not changed.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// There is none of this id in the workspace.
    #[error("there is no such pipeline")]
    NotFound,
    /// It is where new leads come into.
    #[error("the default pipeline cannot be deleted")]
    IsDefault,
    /// It is the default one until another is.
    #[error("a workspace needs a default pipeline")]
    NeedsDefault,
    /// Somebody else changed it since it was read.
    #[error("the pipeline was changed meanwhile")]
    ChangedMeanwhile {
        /// The version that it has now.
        version: i64,
    },
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
    closing: &ClosingEdit,
) -> Result<PipelineId, PipelineError> {
    let now = engine.clock.now();
    let id = PipelineId::new(now, random_bytes());
    let closing = checked_closing(closing, &Closing::default());
    let (name, stages) = checked(name, stages, (id, &[]), &closing, now)?;
    let pipeline = NewPipeline { id, name, is_default: false, closing, created_at: now };
    let mut tx = engine.store.begin().await?;
    pipelines::insert(&mut tx, actor.workspace, &pipeline, &stages).await?;
    audit::record(&mut tx, now, actor, Deed::new("pipeline.created", id, &pipeline.name)).await?;
    tx.commit().await?;
    Ok(id)
}

/// Changes a pipeline.
///
/// # Errors
/// Where it is not there, was changed meanwhile or cannot be so, or leads are in a stage that is to go and have no place
/// to go to.
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

async fn try_update(engine: &Engine, actor: &Actor, id: PipelineId, edit: &Edit) -> Result<Progress, PipelineError> {
    let mut tx = engine.store.begin().await?;
    if edit.is_default == Some(true) {
        pipelines::lock_all(&mut tx, actor.workspace).await?;
    }
    let pipeline = pipelines::lock(&mut tx, actor.workspace, id).await?.ok_or(PipelineError::NotFound)?;
    if edit.version.is_some_and(|version| version != pipeline.version) {
        return Err(PipelineError::ChangedMeanwhile { version: pipeline.version });
    }
    if edit.is_default == Some(false) && pipeline.is_default {
        return Err(PipelineError::NeedsDefault);
    }
    let now = engine.clock.now();
    let name = edit.name.as_deref().unwrap_or(&pipeline.name);
    let edits = edit.stages.clone().unwrap_or_else(|| pipeline.stages.iter().map(unchanged).collect());
    let closing = checked_closing(&edit.closing, &pipeline.closing);
    let (name, stages) = checked(name, &edits, (id, &pipeline.stages), &closing, now)?;
    let kept: HashSet<StageId> = stages.iter().map(|stage| stage.id).collect();
    let removed: Vec<StageId> =
        pipeline.stages.iter().map(|stage| stage.id).filter(|stage| !kept.contains(stage)).collect();
    let fallback = pipeline.stages.iter().find(|stage| kept.contains(&stage.id));
    let mut record = Record::new(engine, actor);
    let emptied = empty(&mut tx, &mut record, actor, &removed, edit.move_leads_to, fallback, now).await?;
    if emptied == Progress::Done {
        pipelines::delete_stages(&mut tx, actor.workspace, &removed, now).await?;
        pipelines::update(&mut tx, actor.workspace, id, &name, &closing).await?;
        pipelines::write_stages(&mut tx, actor.workspace, &stages, now).await?;
        if edit.is_default == Some(true) && !pipeline.is_default {
            pipelines::set_default(&mut tx, actor.workspace, id).await?;
        }
        audit::record(&mut tx, now, actor, Deed::new("pipeline.updated", id, &name)).await?;
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
        audit::record(&mut tx, now, actor, Deed::new("pipeline.deleted", id, &pipeline.name)).await?;
    }
    record.commit(tx).await?;
    Ok(emptied)
}
