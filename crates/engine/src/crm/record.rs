//! What a change leaves behind beside the rows: the timeline, the events, the stage counts.

use leadline_domain::ids::{ActivityId, LeadId, PipelineId, StageCountId, StageId};
use leadline_store::{
    Error, Tx,
    capture::{StageDelta, add_stage_counts},
    events::{self, NewActivity, NewEvent},
};
use serde_json::Value;

use crate::{Actor, Engine, random_bytes};

/// Collects what is written at the end of a transaction.
pub(super) struct Record<'a> {
    engine: &'a Engine,
    actor: &'a Actor,
    activities: Vec<NewActivity>,
    events: Vec<NewEvent>,
    counts: Vec<StageDelta>,
}

impl<'a> Record<'a> {
    pub(super) fn new(engine: &'a Engine, actor: &'a Actor) -> Self {
        Self { engine, actor, activities: Vec::new(), events: Vec::new(), counts: Vec::new() }
    }

    /// A line of the lead's timeline.
    pub(super) fn activity(&mut self, lead: LeadId, kind: &str, data: Value) {
        self.activities.push(self.engine.activity(self.actor, lead, kind, data));
    }

    /// The line that was put on a lead's timeline last.
    pub(super) fn last_line(&self, lead: LeadId) -> Option<ActivityId> {
        self.activities.iter().rev().find(|line| line.lead_id == lead).map(|line| line.id)
    }

    /// An event. Every one says in which column the lead stands, so that open boards know where to look.
    pub(super) fn event(&mut self, lead: LeadId, kind: &str, place: (PipelineId, StageId), mut data: Value) {
        data["pipelineId"] = place.0.to_string().into();
        data["stageId"] = place.1.to_string().into();
        self.events.push(self.engine.event(self.actor.workspace, lead, kind, data));
    }

    /// `n` leads came into the stage, or left it, and its leads are worth so many thousandths more, or less.
    pub(super) fn count(&mut self, (pipeline, stage): (PipelineId, StageId), n: i64, value_milli: i64) {
        match self.counts.iter_mut().find(|delta| delta.stage_id == stage) {
            Some(delta) => {
                delta.n += n;
                delta.value_milli += value_milli;
            }
            None => self.counts.push(StageDelta {
                id: StageCountId::new(self.engine.clock.now(), random_bytes()),
                workspace_id: self.actor.workspace,
                pipeline_id: pipeline,
                stage_id: stage,
                n,
                value_milli,
            }),
        }
    }

    /// Writes everything, commits, and wakes the dispatcher.
    pub(super) async fn commit(self, mut tx: Tx) -> Result<(), Error> {
        let engine = self.engine;
        self.write(&mut tx).await?;
        tx.commit().await?;
        engine.wake.events.notify_one();
        Ok(())
    }

    /// Writes everything. Whoever commits wakes the dispatcher.
    pub(super) async fn write(mut self, tx: &mut Tx) -> Result<(), Error> {
        self.counts.retain(|delta| delta.n != 0 || delta.value_milli != 0);
        events::insert_activities(tx, &self.activities).await?;
        add_stage_counts(tx, &self.counts).await?;
        events::append(tx, &self.events).await
    }
}
