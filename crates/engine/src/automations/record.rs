//! What changes about runs in one transaction, and what it leaves on timelines; written together at its end.

use std::collections::BTreeMap;

use leadline_domain::{
    automations::{Definition, Ending, Reason, Run, RunState, Sending, Step, StepKind},
    ids::{ActivityId, AutomationId, CauseId, ContactId, MessageId, RunId},
    messaging::{MessageChannel, Status},
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    automations::{
        self as stored, CountDelta,
        runs::{self, RunChange, SendingRow, StoredRun, StoredSending, status_text},
    },
    events::{self, NewActivity},
    messages::{self, Cause, NewOutgoing},
};
use serde_json::{Value, json};

use crate::{Actor, Engine, random_bytes};

/// Lines of a run that keep their order among those of one millisecond: as many as fit where an id has its first chance.
const ORDERED_LINES: i64 = 0x0fff;

/// Collects what is written at the end of a transaction.
pub(super) struct Record {
    now: Timestamp,
    lines: Vec<NewActivity>,
    /// Each once: a statement writes a row once.
    sendings: BTreeMap<(RunId, i64, i64), SendingRow>,
    changes: BTreeMap<RunId, RunChange>,
    emptied: Vec<RunId>,
    counts: BTreeMap<AutomationId, CountDelta>,
    messages: Vec<NewOutgoing>,
    has_waiting: bool,
}

/// A run that is locked, with what it goes by.
pub(super) struct Loaded<'a> {
    /// As it was stored.
    pub(super) stored: StoredRun,
    /// What its automation is called.
    pub(super) name: &'a str,
    /// What its rules say.
    pub(super) run: Run<'a>,
    /// Its sendings as they were stored.
    pub(super) sendings: Vec<StoredSending>,
}

impl<'a> Loaded<'a> {
    pub(super) fn new(
        stored: StoredRun,
        name: &'a str,
        definition: &'a Definition,
        sendings: Vec<StoredSending>,
    ) -> Self {
        let ending = match stored.state {
            RunState::Running | RunState::Exited => None,
            RunState::Completed => Some(Ending::Completed),
            RunState::Failed => Some(Ending::Failed),
            RunState::Skipped => Some(Ending::Skipped),
        };
        let never_began = stored.state == RunState::Skipped && stored.reason.is_some();
        let run = Run {
            definition,
            step: usize::try_from(stored.step).unwrap_or_default(),
            ending,
            has_left: stored.state == RunState::Exited || never_began,
            sendings: sendings.iter().map(StoredSending::plain).collect(),
        };
        Self { stored, name, run, sendings }
    }
}

/// A sending, written anew.
pub(super) fn row(run: &StoredRun, sending: &StoredSending, now: Timestamp) -> SendingRow {
    SendingRow {
        run_id: run.id,
        step: sending.step,
        number: sending.number,
        workspace_id: run.workspace_id,
        lead_id: run.lead_id,
        kind: sending.kind.as_str(),
        channel: sending.channel.map(MessageChannel::as_str),
        template_id: sending.template_id,
        message_id: sending.message_id,
        status: status_text(sending.status, sending.channel),
        reason: sending.reason.clone(),
        error: sending.error.clone(),
        due_at: sending.due_at.0,
        started_at: sending.started_at.map(|at| at.0),
        sent_at: sending.sent_at.map(|at| at.0),
        updated_at: now.0,
    }
}

/// A sending that waits, of a run that goes by this definition.
pub(super) fn waiting(
    run: &StoredRun,
    definition: &Definition,
    sending: &Sending,
    due_at: Timestamp,
    now: Timestamp,
) -> StoredSending {
    StoredSending {
        run_id: run.id,
        kind: definition.steps.get(sending.step).map_or(StepKind::Message, Step::kind),
        step: i64::try_from(sending.step).unwrap_or(i64::MAX),
        number: sending.number,
        channel: sending.channel,
        template_id: sending.template_id,
        message_id: None,
        status: None,
        reason: None,
        error: None,
        due_at,
        started_at: None,
        sent_at: None,
        updated_at: now,
    }
}

/// What a line says of a sending.
pub(super) fn of_sending(step: usize, number: i64, channel: Option<&str>) -> Value {
    json!({"step": step + 1, "number": number, "channel": channel})
}

impl Record {
    pub(super) fn new(engine: &Engine) -> Self {
        Self {
            now: engine.clock.now(),
            lines: Vec::new(),
            sendings: BTreeMap::new(),
            changes: BTreeMap::new(),
            emptied: Vec::new(),
            counts: BTreeMap::new(),
            messages: Vec::new(),
            has_waiting: false,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether a sending waits that did not before.
    pub(super) fn has_waiting(&self) -> bool {
        self.has_waiting
    }

    /// A line of the lead's timeline, by the automation itself.
    pub(super) fn line(&mut self, run: &mut StoredRun, name: &str, kind: &str, data: Value) {
        self.line_by(run, name, kind, data, &Actor::system(run.workspace_id, name));
    }

    /// A line of the lead's timeline, by somebody.
    pub(super) fn line_by(&mut self, run: &mut StoredRun, name: &str, kind: &str, mut data: Value, actor: &Actor) {
        data["automationId"] = json!(run.automation_id);
        data["automationName"] = json!(name);
        data["runId"] = json!(run.id);
        self.lines.push(NewActivity {
            id: ordered_id(self.now, run.line_count),
            workspace_id: run.workspace_id,
            lead_id: run.lead_id,
            kind: kind.to_owned(),
            actor_kind: actor.kind.as_str(),
            actor_id: actor.user,
            actor_name: actor.name.clone(),
            data,
            created_at: self.now.0,
        });
        run.line_count += 1;
    }

    /// A sending as it is from now on.
    pub(super) fn sending(&mut self, row: SendingRow) {
        self.has_waiting |= row.status == status_text(None, None);
        self.sendings.insert((row.run_id, row.step, row.number), row);
    }

    /// A run as it is from now on.
    pub(super) fn change(&mut self, run: &StoredRun) {
        let change = RunChange {
            id: run.id,
            lead_id: run.lead_id,
            state: run.state.as_str(),
            reason: run.reason.clone(),
            step: run.step,
            line_count: run.line_count,
            updated_at: self.now.0,
            finished_at: run.finished_at.map(|at| at.0),
        };
        self.changes.insert(run.id, change);
    }

    /// A run goes no further: what waits is taken away. `kind` is how its timeline calls that.
    pub(super) fn leave(&mut self, run: &mut StoredRun, name: &str, reason: Reason, kind: &str, step: Option<i64>) {
        run.state = RunState::Exited;
        run.reason = Some(reason.as_str().to_owned());
        run.finished_at = Some(self.now);
        let mut data = json!({"reason": reason.as_str(), "words": reason.words()});
        if let Some(step) = step {
            data["step"] = (step + 1).into();
        }
        self.line(run, name, kind, data);
        self.emptied.push(run.id);
        self.change(run);
    }

    /// A sending asks for its message.
    pub(super) fn ask(&mut self, run: &StoredRun, name: &str, contact: Option<ContactId>, sending: &mut StoredSending) {
        let Some(channel) = sending.channel else { return };
        let id = message_of(run, sending.step, sending.number);
        self.messages.push(NewOutgoing {
            id,
            workspace_id: run.workspace_id,
            lead_id: Some(run.lead_id),
            contact_id: contact,
            kind: channel,
            channel_id: None,
            conversation_id: None,
            template_id: sending.template_id,
            subject: None,
            body: String::new(),
            cause: Cause::Automation,
            cause_id: Some(CauseId(run.id.0)),
            cause_step: Some(sending.step),
            user_id: None,
            author_name: Some(name.to_owned()),
            due_at: self.now.0,
            created_at: self.now.0,
        });
        sending.message_id = Some(id);
        sending.status = Some(Status::Queued);
        sending.started_at = Some(self.now);
        self.sending(row(run, sending, self.now));
    }

    /// One more run of an automation began.
    pub(super) fn count_begun(&mut self, automation: AutomationId) {
        let now = self.now.0;
        let count = self.count(automation);
        count.triggered += 1;
        count.at = now;
    }

    /// `n` more runs of an automation stand so; fewer where it is below nought.
    pub(super) fn count_ended(&mut self, automation: AutomationId, state: RunState, n: i64) {
        let count = self.count(automation);
        match state {
            RunState::Completed => count.completed += n,
            RunState::Failed => count.failed += n,
            RunState::Skipped => count.skipped += n,
            RunState::Running | RunState::Exited => {}
        }
    }

    fn count(&mut self, id: AutomationId) -> &mut CountDelta {
        self.counts.entry(id).or_insert(CountDelta { id, triggered: 0, completed: 0, failed: 0, skipped: 0, at: 0 })
    }

    /// Writes rows and lines, so that what comes next in the transaction finds them. Figures wait for the end.
    pub(super) async fn write_rows(&mut self, tx: &mut Tx) -> Result<(), Error> {
        let changes: Vec<RunChange> = std::mem::take(&mut self.changes).into_values().collect();
        runs::update(tx, &changes).await?;
        let sendings: Vec<SendingRow> = std::mem::take(&mut self.sendings).into_values().collect();
        runs::write_sendings(tx, &sendings).await?;
        runs::delete_waiting(tx, &std::mem::take(&mut self.emptied)).await?;
        messages::insert_outgoing(tx, &std::mem::take(&mut self.messages)).await?;
        events::insert_activities(tx, &std::mem::take(&mut self.lines)).await
    }

    /// Writes everything. Whoever commits wakes whoever is to go on.
    pub(super) async fn write(mut self, tx: &mut Tx) -> Result<(), Error> {
        self.write_rows(tx).await?;
        let counts: Vec<CountDelta> = self.counts.into_values().collect();
        stored::add_counts(tx, &counts).await
    }
}

/// The message of a sending, by which it is asked for once.
pub(super) fn message_of(run: &StoredRun, step: i64, number: i64) -> MessageId {
    messages::outgoing_id(run.workspace_id, &format!("automation {} {step} {number}", run.id))
}

/// An id that comes behind those of the run's earlier lines, also of the same millisecond.
fn ordered_id(now: Timestamp, line: i64) -> ActivityId {
    let place = u16::try_from(line.min(ORDERED_LINES)).unwrap_or_default().to_be_bytes();
    let mut random: [u8; 10] = random_bytes();
    random[..2].copy_from_slice(&place);
    ActivityId::new(now, random)
}

/// When a sending is due that waits so many minutes from now.
pub(super) fn due_after(now: Timestamp, minutes: i64) -> Timestamp {
    now.plus_ms(minutes * MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_one_moment_stay_in_their_order() {
        let now = Timestamp(1_767_600_000_000);
        let ids: Vec<ActivityId> = (0..300).map(|line| ordered_id(now, line)).collect();

        assert!(ids.is_sorted());
        assert!(ordered_id(Timestamp(now.0 + 1), 0) > ids[299]);
    }
}
