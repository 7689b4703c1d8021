//! Moving runs on by what is reported of their messages, and by what became of steps that send none.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadline_domain::{
    automations::{Definition, Done, Effect, Ending, Reason, RunState},
    ids::{AutomationId, MessageId, RunId},
    messaging::{MessageChannel, Status},
};
use leadline_store::{
    Error, Tx,
    automations::runs::{self, Due, Standing, StoredSending, Version},
    events::Event,
};
use serde_json::{Value, json};

use super::record::{Loaded, Record, due_after, of_sending, row, waiting};

/// What is reported of a message.
struct Report {
    message: MessageId,
    said: Said,
}

/// What became of a try of a step.
pub(super) struct Said {
    pub(super) status: Status,
    /// Why, by a stable name.
    pub(super) code: Option<String>,
    /// The same in words.
    pub(super) error: Option<String>,
}

/// Moves on the runs whose messages these events tell of.
pub(super) async fn follow(tx: &mut Tx, events: &[Event], record: &mut Record) -> Result<(), Error> {
    let reports: Vec<Report> = events.iter().filter_map(report).collect();
    let messages: BTreeSet<MessageId> = reports.iter().map(|report| report.message).collect();
    let places: HashMap<MessageId, Due> =
        runs::of_messages(tx, &messages.into_iter().collect::<Vec<_>>()).await?.into_iter().collect();
    if places.is_empty() {
        return Ok(());
    }
    let ids: BTreeSet<RunId> = places.values().map(|place| place.run).collect();
    let found = Found::load(tx, &ids.into_iter().collect::<Vec<_>>()).await?;
    let mut loaded: BTreeMap<RunId, Loaded<'_>> =
        found.loaded().into_iter().map(|loaded| (loaded.stored.id, loaded)).collect();
    let mut moved = BTreeSet::new();
    for report in &reports {
        let Some(place) = places.get(&report.message) else { continue };
        if let Some(loaded) = loaded.get_mut(&place.run) {
            take_in(record, loaded, *place, &report.said);
            moved.insert(place.run);
        }
    }
    loaded.retain(|run, _| moved.contains(run));
    for loaded in loaded.values() {
        record.change(&loaded.stored);
    }
    Ok(())
}

fn report(event: &Event) -> Option<Report> {
    let status = Status::ALL.into_iter().find(|status| status.event() == Some(event.kind.as_str()))?;
    let text = |name: &str| event.data[name].as_str().map(str::to_owned);
    let message = text("messageId")?.parse().ok()?;
    Some(Report { message, said: Said { status, code: text("errorCode"), error: text("error") } })
}

/// Runs that are locked, with what it takes to go on with them.
pub(super) struct Found {
    runs: Vec<runs::StoredRun>,
    definitions: HashMap<Version, Definition>,
    standings: HashMap<AutomationId, Standing>,
    sendings: HashMap<RunId, Vec<StoredSending>>,
}

impl Found {
    /// Locks runs and reads what belongs to them.
    pub(super) async fn load(tx: &mut Tx, ids: &[RunId]) -> Result<Self, Error> {
        let runs = runs::lock(tx, ids).await?;
        Self::of(tx, runs).await
    }

    /// Reads what belongs to runs that are locked.
    pub(super) async fn of(tx: &mut Tx, runs: Vec<runs::StoredRun>) -> Result<Self, Error> {
        let versions: BTreeSet<Version> =
            runs.iter().map(|run| Version { automation_id: run.automation_id, version: run.version }).collect();
        let automations: BTreeSet<AutomationId> = runs.iter().map(|run| run.automation_id).collect();
        let ids: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        let definitions = runs::definitions(tx, &versions.into_iter().collect::<Vec<_>>()).await?;
        let standings = runs::standings(tx, &automations.into_iter().collect::<Vec<_>>()).await?;
        let mut sendings: HashMap<RunId, Vec<StoredSending>> = HashMap::new();
        for sending in runs::sendings_of(tx, &ids).await? {
            sendings.entry(sending.run_id).or_default().push(sending);
        }
        Ok(Self {
            runs,
            definitions: definitions.into_iter().collect(),
            standings: standings.into_iter().map(|standing| (standing.id, standing)).collect(),
            sendings,
        })
    }

    /// How an automation stands.
    pub(super) fn standing(&self, id: AutomationId) -> Option<&Standing> {
        self.standings.get(&id)
    }

    /// The runs, as far as what they go by is there.
    pub(super) fn loaded(&self) -> Vec<Loaded<'_>> {
        let load = |run: &runs::StoredRun| {
            let version = Version { automation_id: run.automation_id, version: run.version };
            let definition = self.definitions.get(&version)?;
            let name = self.standings.get(&run.automation_id).map_or("", |standing| standing.name.as_str());
            let sendings = self.sendings.get(&run.id).cloned().unwrap_or_default();
            Some(Loaded::new(run.clone(), name, definition, sendings))
        };
        self.runs.iter().filter_map(load).collect()
    }
}

/// Takes a report in, and writes down what follows.
fn take_in(record: &mut Record, loaded: &mut Loaded<'_>, place: Due, said: &Said) {
    let Ok(step) = usize::try_from(place.step) else { return };
    let before = loaded.run.sendings.clone();
    let was_said = loaded.stored.finished_at.is_some() && is_anything_out(loaded);
    let effects = loaded.run.report(step, place.number, said.status, said.code.as_deref());
    if loaded.run.sendings != before {
        note(record, loaded, place, said);
        effects.iter().for_each(|effect| tell(record, loaded, effect, said, was_said));
    }
}

/// Takes in what became of a step that sends nothing, and writes down what follows.
pub(super) fn take_in_act(
    record: &mut Record,
    loaded: &mut Loaded<'_>,
    place: Due,
    done: Done,
    (reason, words): (Option<Reason>, &str),
) {
    let Ok(step) = usize::try_from(place.step) else { return };
    let said = match done {
        Done::GoOn | Done::SkipNext => Said {
            status: Status::Sent,
            code: reason.map(|reason| reason.as_str().to_owned()),
            error: Some(words.to_owned()),
        },
        Done::Failed(trouble) => Said {
            status: Status::Failed,
            code: Some(trouble.as_str().to_owned()),
            error: Some(trouble.words().to_owned()),
        },
    };
    let was_said = loaded.stored.finished_at.is_some() && is_anything_out(loaded);
    let effects = loaded.run.act(step, place.number, done);
    if !effects.is_empty() {
        note(record, loaded, place, &said);
        effects.iter().for_each(|effect| tell(record, loaded, effect, &said, was_said));
        record.change(&loaded.stored);
    }
}

/// Writes down what became of a try.
pub(super) fn note(record: &mut Record, loaded: &mut Loaded<'_>, place: Due, said: &Said) {
    let now = record.now();
    let found = loaded.sendings.iter_mut().find(|one| (one.step, one.number) == (place.step, place.number));
    let Some(sending) = found else { return };
    sending.status = Some(said.status);
    sending.reason.clone_from(&said.code);
    // Of what went well only the timeline has the words.
    sending.error = said.error.clone().filter(|_| said.status != Status::Sent);
    sending.started_at = sending.started_at.or(Some(now));
    let is_out = matches!(said.status, Status::Sent | Status::Delivered | Status::Read | Status::Unknown);
    sending.sent_at = sending.sent_at.or(is_out.then_some(now));
    let written = row(&loaded.stored, sending, now);
    record.sending(written);
}

fn is_anything_out(loaded: &Loaded<'_>) -> bool {
    loaded.sendings.iter().any(|one| one.sent_at.is_some())
}

fn tell(record: &mut Record, loaded: &mut Loaded<'_>, effect: &Effect, report: &Said, was_said: bool) {
    let now = record.now();
    let name = loaded.name;
    match effect {
        Effect::Sent { step, number } => {
            let mut data = said_of(loaded, *step, *number);
            if report.status == Status::Unknown {
                data["unknown"] = true.into();
            }
            record.line(&mut loaded.stored, name, "automation.step_sent", data);
        }
        Effect::Done { step, number } => {
            let mut data = said_of(loaded, *step, *number);
            data["reason"] = json!(report.code);
            data["words"] = json!(report.error);
            record.line(&mut loaded.stored, name, "automation.step_done", data);
        }
        Effect::Failed { step, number } => {
            let mut data = said_of(loaded, *step, *number);
            data["reason"] = json!(report.code);
            data["error"] = json!(report.error);
            record.line(&mut loaded.stored, name, "automation.step_failed", data);
        }
        Effect::Skipped { step, number } => {
            let mut data = said_of(loaded, *step, *number);
            data["reason"] = json!(report.code);
            data["words"] = json!(report.error);
            record.line(&mut loaded.stored, name, "automation.skipped", data);
        }
        Effect::FellBack(other) => {
            let from = loaded.run.sendings.iter().find(|one| (one.step, one.number + 1) == (other.step, other.number));
            let from = from.and_then(|one| one.channel).map(MessageChannel::as_str);
            let mut data = of_sending(other.step, other.number, other.channel.map(MessageChannel::as_str));
            data["fromChannel"] = json!(from);
            record.line(&mut loaded.stored, name, "automation.fallback", data);
            let waits = waiting(&loaded.stored, loaded.run.definition, other, now, now);
            record.sending(row(&loaded.stored, &waits, now));
            loaded.sendings.push(waits);
        }
        Effect::Begun(next, minutes) => {
            loaded.stored.step = i64::try_from(next.step).unwrap_or(i64::MAX);
            let waits = waiting(&loaded.stored, loaded.run.definition, next, due_after(now, *minutes), now);
            record.sending(row(&loaded.stored, &waits, now));
            loaded.sendings.push(waits);
        }
        Effect::Ended(ending) => end(record, loaded, *ending, was_said),
    }
}

/// What a line says of a try: also what kind of step it is, where that sends nothing.
fn said_of(loaded: &Loaded<'_>, step: usize, number: i64) -> Value {
    let sending = loaded.run.sendings.iter().find(|one| (one.step, one.number) == (step, number));
    let channel = sending.and_then(|one| one.channel);
    let mut data = of_sending(step, number, channel.map(MessageChannel::as_str));
    let kind = loaded.run.definition.steps.get(step).filter(|step| step.sent().is_none());
    if let Some(kind) = kind {
        data["kind"] = kind.kind().as_str().into();
    }
    data
}

/// All steps are through. It is told once, and only where something was sent: else the steps' own lines say all.
fn end(record: &mut Record, loaded: &mut Loaded<'_>, ending: Ending, was_said: bool) {
    let (before, after) = (loaded.stored.state, RunState::from(ending));
    record.count_ended(loaded.stored.automation_id, before, -1);
    record.count_ended(loaded.stored.automation_id, after, 1);
    loaded.stored.state = after;
    loaded.stored.finished_at = Some(record.now());
    if is_anything_out(loaded) && !was_said {
        let steps = loaded.run.definition.steps.len();
        let name = loaded.name;
        let data = json!({"steps": steps, "withFailures": ending == Ending::Failed});
        record.line(&mut loaded.stored, name, "automation.completed", data);
    }
}
