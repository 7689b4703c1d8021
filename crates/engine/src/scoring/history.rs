//! The history of leads' scores, written behind the event log and never while a submission waits.

use std::collections::BTreeMap;

use leadline_domain::{
    ids::LeadId,
    scores::history::{Cause, Entry, Figures, Note, note},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    events::Event,
    scoring::history::{self, NewRow, Standing},
};

use crate::reasons;

/// Notes what became of the scores of the leads that these events are about.
pub(crate) async fn follow(tx: &mut Tx, events: &[Event]) -> Result<(), Error> {
    let causes: BTreeMap<LeadId, (Cause, Timestamp)> =
        events.iter().filter_map(|event| Some((event.lead_id?, (cause(event)?, event.created_at)))).collect();
    let leads: Vec<LeadId> = causes.keys().copied().collect();
    let (mut rows, mut replaced) = (Vec::new(), Vec::new());
    for lead in history::standings(tx, &leads).await? {
        let (cause, at) = causes[&lead.lead_id];
        let now = entry(&lead, cause, at);
        let last = lead.last.as_ref();
        let number = last.map_or(0, |(number, _)| *number);
        match note(last.map(|(_, entry)| entry), &now) {
            Note::Nothing => {}
            Note::Append => rows.push(row(&lead, number + 1, now)),
            Note::Replace => {
                replaced.push((lead.lead_id, number));
                rows.push(row(&lead, number, now));
            }
        }
    }
    history::write(tx, &rows, &replaced).await
}

/// Why an event may have changed a score; nothing, where it cannot have.
fn cause(event: &Event) -> Option<Cause> {
    match event.kind.as_str() {
        "lead.created" => Some(Cause::Created),
        "lead.re_engaged" | "lead.resubmitted" => Some(Cause::Submission),
        "lead.updated" if event.submission_id.is_some() => Some(Cause::Submission),
        "lead.updated" => Some(Cause::Edit),
        "lead.scored" => event.data["cause"].as_str().and_then(Cause::parse),
        _ => None,
    }
}

fn entry(lead: &Standing, cause: Cause, at: Timestamp) -> Entry {
    let figures = Figures {
        score: lead.score,
        fit: reasons::fit(&lead.score_reasons).into(),
        engagement: lead.engagement,
        suspicion: lead.suspicion,
        silence: reasons::silence(&lead.score_reasons).into(),
    };
    Entry { at, figures, version: lead.score_version, cause }
}

fn row(lead: &Standing, number: i64, entry: Entry) -> NewRow {
    let figures = entry.figures;
    NewRow {
        lead_id: lead.lead_id,
        number,
        workspace_id: lead.workspace_id,
        at: entry.at.0,
        score: figures.score,
        fit: figures.fit,
        engagement: figures.engagement,
        suspicion: figures.suspicion,
        silence: figures.silence,
        version: entry.version,
        cause: entry.cause.as_str(),
    }
}
