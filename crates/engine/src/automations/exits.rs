//! Ending runs before their last step: who answered, bought or was given up needs no further reminder.

use std::collections::{BTreeSet, HashMap};

use leadline_domain::{
    automations::{Exit, RunState},
    ids::{LeadId, RunId},
};
use leadline_store::{Error, Tx, automations::runs, events::Event};

use super::{record::Record, reports::Found};

/// Ends the runs that these events end.
pub(super) async fn follow(tx: &mut Tx, events: &[Event], record: &mut Record) -> Result<(), Error> {
    let mut happened: HashMap<LeadId, Vec<Exit>> = HashMap::new();
    for event in events {
        if let (Some(lead), Some(exit)) = (event.lead_id, exit(event)) {
            happened.entry(lead).or_default().push(exit);
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
        let of_lead = happened.get(&loaded.stored.lead_id).map(Vec::as_slice).unwrap_or_default();
        let Some(exit) = of_lead.iter().find(|exit| loaded.run.definition.exit_on.contains(exit)) else { continue };
        if loaded.stored.state == RunState::Running {
            record.leave(&mut loaded.stored, loaded.name, exit.reason(), "automation.exited", None);
        }
    }
    Ok(())
}

fn exit(event: &Event) -> Option<Exit> {
    match event.kind.as_str() {
        "message.received" => Some(Exit::Replied),
        "lead.converted" => Some(Exit::Converted),
        "lead.stage_changed" => {
            let is_closed = matches!(event.data["toStageKind"].as_str(), Some("won" | "lost"));
            is_closed.then_some(Exit::Closed)
        }
        _ => None,
    }
}
