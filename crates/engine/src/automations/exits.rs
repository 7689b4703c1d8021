//! Ending runs before their last step: who answered, bought or was given up needs no further reminder. And going on
//! with those that wait for an answer.

use std::collections::{BTreeSet, HashMap};

use leadline_domain::{
    automations::{Definition, Exit, RunState},
    ids::{LeadId, RunId, StageId},
};
use leadline_store::{Error, Tx, automations::runs, events::Event};

use super::{acts, record::Record, reports::Found};
use crate::lead_changes::Cause;

/// What happened to a lead, as far as it ends runs.
#[derive(Debug, Clone, Copy)]
struct Happened {
    exit: Exit,
    /// The stage that it left.
    left: Option<StageId>,
    /// The run that did it: what a run does itself does not end it.
    by: Option<RunId>,
}

impl Happened {
    fn ends(&self, run: RunId, definition: &Definition) -> bool {
        let is_the_stage = definition.exit_stage_id.is_none() || definition.exit_stage_id == self.left;
        let is_meant = self.exit != Exit::StageLeft || is_the_stage;
        definition.exit_on.contains(&self.exit) && is_meant && self.by != Some(run)
    }
}

/// Ends the runs that these events end, and moves on those that waited for them.
pub(super) async fn follow(tx: &mut Tx, events: &[Event], record: &mut Record) -> Result<(), Error> {
    let mut happened: HashMap<LeadId, Vec<Happened>> = HashMap::new();
    for event in events {
        let Some(lead) = event.lead_id else { continue };
        let exits = exits(event);
        if !exits.is_empty() {
            happened.entry(lead).or_default().extend(exits);
        }
    }
    let leads: BTreeSet<LeadId> = happened.keys().copied().collect();
    let going_on = runs::running_of_leads(tx, &leads.into_iter().collect::<Vec<_>>()).await?;
    if going_on.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<RunId> = going_on.into_iter().map(|(run, _)| run).collect();
    let found = Found::load(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    for mut loaded in found.loaded() {
        if loaded.stored.state != RunState::Running {
            continue;
        }
        let of_lead = happened.get(&loaded.stored.lead_id).map(Vec::as_slice).unwrap_or_default();
        match of_lead.iter().find(|one| one.ends(loaded.stored.id, loaded.run.definition)) {
            Some(one) => record.leave(&mut loaded.stored, loaded.name, one.exit.reason(), "automation.exited", None),
            None if of_lead.iter().any(|one| one.exit == Exit::Replied) => acts::replied(record, &mut loaded),
            None => {}
        }
    }
    Ok(())
}

fn exits(event: &Event) -> Vec<Happened> {
    let by = Cause::of(event).map(|cause| cause.run);
    let plain = |exit| Happened { exit, left: None, by };
    match event.kind.as_str() {
        "message.received" => vec![plain(Exit::Replied)],
        "lead.converted" => vec![plain(Exit::Converted)],
        "lead.stage_changed" => {
            let left = event.data["fromStageId"].as_str().and_then(|id| id.parse().ok());
            let is_closed = matches!(event.data["toStageKind"].as_str(), Some("won" | "lost"));
            let closed = is_closed.then_some(plain(Exit::Closed));
            closed.into_iter().chain([Happened { left, ..plain(Exit::StageLeft) }]).collect()
        }
        _ => Vec::new(),
    }
}
