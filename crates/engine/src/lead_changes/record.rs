//! What a change leaves behind beside the rows: the timeline, the events, the stage counts.

use leadline_domain::ids::{ActivityId, LeadId, PipelineId, RunId, StageCountId, StageId};
use leadline_store::{
    Error, Tx,
    capture::{StageDelta, add_stage_counts},
    events::{self, Event, NewActivity, NewEvent},
};
use serde_json::{Value, json};

use crate::{Actor, Engine, random_bytes};

/// Collects what is written at the end of a transaction.
pub(crate) struct Record<'a> {
    engine: &'a Engine,
    actor: &'a Actor,
    activities: Vec<NewActivity>,
    events: Vec<NewEvent>,
    counts: Vec<StageDelta>,
    /// Which run of an automation does it, for whoever would start another one by it.
    cause: Option<Cause>,
}

/// The run of an automation by which something is done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cause {
    /// The run.
    pub(crate) run: RunId,
    /// How many automations started one another, this one included.
    pub(crate) depth: i64,
}

/// How an event says which run caused it.
const CAUSE: &str = "automation";

impl Cause {
    /// The run that caused an event.
    pub(crate) fn of(event: &Event) -> Option<Self> {
        let cause = event.data.get(CAUSE)?;
        Some(Self { run: cause["runId"].as_str()?.parse().ok()?, depth: cause["depth"].as_i64()? })
    }

    /// Says in an event's data that this run caused it.
    pub(crate) fn mark(self, data: &mut Value) {
        data[CAUSE] = json!({"runId": self.run, "depth": self.depth});
    }
}

impl<'a> Record<'a> {
    pub(crate) fn new(engine: &'a Engine, actor: &'a Actor) -> Self {
        Self { engine, actor, activities: Vec::new(), events: Vec::new(), counts: Vec::new(), cause: None }
    }

    /// Of what a run of an automation does.
    pub(crate) fn by(engine: &'a Engine, actor: &'a Actor, cause: Cause) -> Self {
        Self { cause: Some(cause), ..Self::new(engine, actor) }
    }

    /// A line of the lead's timeline.
    pub(crate) fn activity(&mut self, lead: LeadId, kind: &str, data: Value) {
        self.activities.push(self.engine.activity(self.actor, lead, kind, data));
    }

    /// The line that was put on a lead's timeline last.
    pub(crate) fn last_line(&self, lead: LeadId) -> Option<ActivityId> {
        self.activities.iter().rev().find(|line| line.lead_id == lead).map(|line| line.id)
    }

    /// An event. Every one says in which column the lead stands, so that open boards know where to look.
    pub(crate) fn event(&mut self, lead: LeadId, kind: &str, place: (PipelineId, StageId), mut data: Value) {
        data["pipelineId"] = place.0.to_string().into();
        data["stageId"] = place.1.to_string().into();
        if let Some(cause) = self.cause {
            cause.mark(&mut data);
        }
        self.events.push(self.engine.event(self.actor.workspace, lead, kind, data));
    }

    /// `n` leads came into the stage, or left it, and its leads are worth so many thousandths more, or less.
    pub(crate) fn count(&mut self, (pipeline, stage): (PipelineId, StageId), n: i64, value_milli: i64) {
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
    pub(crate) async fn commit(self, mut tx: Tx) -> Result<(), Error> {
        let engine = self.engine;
        self.write(&mut tx).await?;
        tx.commit().await?;
        engine.wake.events.notify_one();
        Ok(())
    }

    /// Writes everything. Whoever commits wakes the dispatcher.
    pub(crate) async fn write(mut self, tx: &mut Tx) -> Result<(), Error> {
        self.counts.retain(|delta| delta.n != 0 || delta.value_milli != 0);
        events::insert_activities(tx, &self.activities).await?;
        add_stage_counts(tx, &self.counts).await?;
        events::append(tx, &self.events).await
    }
}
