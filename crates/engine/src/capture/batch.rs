//! Commits a batch of submissions in one transaction: whose each one is, what that changes, and the events, with one
//! statement per table for the whole batch.
//!
//! Submissions of a batch are decided in their order, each on what the ones before it made. Between writers the table
//! of identities is the judge: whoever claims a key first has the lead, and the other batch is decided again.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use leadline_domain::{
    consents::consents_in,
    identity::{self, Candidate, Contact, Decision, Key},
    ids::{
        ActivityId, ConsentId, ContactId, EventId, LeadId, PipelineId, StageCountId, StageId, SubmissionId,
        WorkspaceId, derived,
    },
    imports::OnMatch,
    scores::Score,
    time::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Store, Tx,
    capture::{
        self, Identity, IdentityKey, Known, LeadTag, NewCapture, NewContact, NewLead, NewSubmission, Resubmitted,
        StageDelta,
    },
    consents::{self, NewConsent},
    events::{self, NewActivity, NewEvent},
    leads::{self, LeadValues},
    ledger::{self, Fact},
    pipelines,
};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Accepted, Submission,
    arrival::arrival,
    conversations,
    holding::Holding,
    imports::joining::{self, Change, ChangeKind},
    prepare::Prepared,
    working::{Working, context},
};
use crate::random_bytes;

/// Submissions in one transaction. Larger batches bring little and make the first in it wait for the last.
pub(super) const LARGEST: usize = 256;

/// How often a batch is decided again because another writer was quicker, before it counts as a failure.
const TRIES: u32 = 12;

/// How long a batch may take. A store that needs longer counts as away.
const BATCH_DEADLINE: Duration = Duration::from_secs(5);

/// Raw evidence lives 90 days.
const CAPTURE_LIFE_MS: i64 = 90 * DAY_MS;

/// What became of one submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// The lead it belongs to.
    pub lead: LeadId,
    /// Whether the lead was there before.
    pub duplicate: bool,
    /// Whether it was held back; then the lead is made up.
    pub held: bool,
}

impl Outcome {
    pub(super) fn accepted(self, receipt: SubmissionId) -> Accepted {
        Accepted { receipt, lead: Some(self.lead), duplicate: self.duplicate, stored: true, held: self.held }
    }
}

type Result1 = Result<Outcome, Arc<Error>>;

/// Commits submissions and tells for each what became of it. One that the database cannot hold does not keep the
/// others out: a batch refused for its data is halved until the bad one is alone.
pub async fn commit(store: &Store, prepared: Vec<Arc<Prepared>>) -> Vec<Result1> {
    let mut done = Vec::with_capacity(prepared.len());
    let mut open = vec![prepared];
    while let Some(mut batch) = open.pop() {
        match commit_whole(store, &batch).await {
            Ok(outcomes) => {
                let abandoned = || Arc::new(Error::TimedOut);
                done.extend(outcomes.into_iter().map(|outcome| outcome.ok_or_else(abandoned)));
            }
            Err(error) if error.is_about_the_data() && batch.len() > 1 => {
                let later = batch.split_off(batch.len() / 2);
                open.push(later);
                open.push(batch);
            }
            Err(error) => {
                let error = Arc::new(error);
                done.extend(batch.iter().map(|_| Err(Arc::clone(&error))));
            }
        }
    }
    done
}

/// `None` for what was abandoned meanwhile.
async fn commit_whole(store: &Store, batch: &[Arc<Prepared>]) -> Result<Vec<Option<Outcome>>, Error> {
    for _ in 1..TRIES {
        match within_deadline(try_commit(store, batch)).await {
            Err(Error::Contended | Error::Exists) => tokio::task::yield_now().await,
            result => return result,
        }
    }
    within_deadline(try_commit(store, batch)).await
}

async fn within_deadline<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::time::timeout(BATCH_DEADLINE, work).await.unwrap_or(Err(Error::TimedOut))
}

async fn try_commit(store: &Store, whole: &[Arc<Prepared>]) -> Result<Vec<Option<Outcome>>, Error> {
    let mut tx = store.begin().await?;
    let is_ours: Vec<bool> = whole.iter().map(|one| !one.claim.is_abandoned()).collect();
    let ours = whole.iter().zip(&is_ours).filter(|(_, is_ours)| **is_ours);
    let batch: Vec<Arc<Prepared>> = ours.map(|(one, _)| Arc::clone(one)).collect();
    let planned = Planned::make(&mut tx, &batch).await?;
    planned.write(&mut tx).await?;
    let all_are_still_ours = batch.iter().all(|one| one.claim.hold());
    if !all_are_still_ours {
        tx.rollback().await?;
        return Err(Error::Contended);
    }
    tx.commit().await?;
    let mut outcomes = planned.outcomes.into_iter();
    Ok(is_ours.into_iter().map(|is_ours| if is_ours { outcomes.next() } else { None }).collect())
}

/// What a batch comes to, before it is written.
pub(super) struct Planned {
    /// What becomes of each submission, in the order of the batch.
    pub(super) outcomes: Vec<Outcome>,
    /// What rows of files change.
    pub(super) changes: HashMap<SubmissionId, Change>,
    written: Written,
    holding: Holding,
}

impl Planned {
    /// Decides about a batch. What it goes by stays as it is until the transaction ends.
    pub(super) async fn make(tx: &mut Tx, batch: &[Arc<Prepared>]) -> Result<Self, Error> {
        let mut known = Knowledge::read(tx, batch).await?;
        let mut holding = Holding::read(tx, batch).await?;
        let decided: Vec<Decided> = batch.iter().map(|prepared| known.decide(prepared, &mut holding)).collect();
        let mut written = Written { booked: holding.take_booked(), ..Written::default() };
        known.hold_stages(tx, batch, &decided).await?;
        known.lock_matched(tx, &decided).await?;
        let both = batch.iter().zip(&decided);
        let outcomes = both.map(|(prepared, decided)| known.apply(prepared, decided, &mut written)).collect();
        let changes = std::mem::take(&mut known.changes);
        known.finish(&mut written);
        Ok(Self { outcomes, changes, written, holding })
    }

    /// Writes it, with one statement per table.
    pub(super) async fn write(&self, tx: &mut Tx) -> Result<(), Error> {
        self.written.write(tx).await?;
        self.holding.write(tx).await
    }
}

/// What was decided about one submission of a batch.
enum Decided {
    /// It is stored already.
    Repeat(LeadId),
    /// It is held back, and answered as if it were not.
    Held(Outcome),
    /// It belongs to a lead that was there before the batch, or that an earlier one of the batch makes.
    Joins { lead: LeadId, decision: Decision<LeadId>, suspicion: Score },
    /// It makes a lead.
    Makes { lead: LeadId, decision: Decision<LeadId>, suspicion: Score },
}

impl Decided {
    fn lead(&self) -> LeadId {
        match self {
            Self::Repeat(lead) | Self::Held(Outcome { lead, .. }) => *lead,
            Self::Joins { lead, .. } | Self::Makes { lead, .. } => *lead,
        }
    }
}

/// What the store knows of a batch's people, and what the batch has added so far.
struct Knowledge {
    stored: HashMap<SubmissionId, LeadId>,
    named: HashMap<IdentityKey, Known>,
    carries: HashMap<LeadId, Carried>,
    contacts: HashMap<LeadId, ContactId>,
    leads: HashMap<LeadId, Working>,
    /// Where new leads go whose stage was removed since their source was looked up.
    instead: HashMap<StageId, (PipelineId, StageId)>,
    claimed: BTreeMap<IdentityKey, Identity>,
    pointed: BTreeMap<IdentityKey, Identity>,
    /// What rows of files change.
    changes: HashMap<SubmissionId, Change>,
}

/// The e-mail and phone that a lead carries.
#[derive(Debug, Clone, Default)]
struct Carried {
    email: Option<String>,
    phone: Option<String>,
}

/// The rows of a batch.
#[derive(Default)]
struct Written {
    contacts: Vec<NewContact>,
    new_leads: Vec<NewLead>,
    resubmitted: Vec<Resubmitted>,
    submissions: Vec<NewSubmission>,
    captures: Vec<NewCapture>,
    activities: Vec<NewActivity>,
    events: Vec<NewEvent>,
    tags: Vec<LeadTag>,
    counts: Vec<StageDelta>,
    values: Vec<LeadValues>,
    booked: ledger::Notes,
    claimed: Vec<Identity>,
    pointed: Vec<Identity>,
    conversations: conversations::Rows,
    consents: Vec<NewConsent>,
}

impl Knowledge {
    async fn read(tx: &mut Tx, batch: &[Arc<Prepared>]) -> Result<Self, Error> {
        let repeatable: Vec<SubmissionId> =
            batch.iter().filter(|one| one.submission.is_repeatable).map(|one| one.submission.id).collect();
        let stored = capture::known_submissions(tx, &repeatable).await?.into_iter().collect();
        let mut keys: Vec<IdentityKey> = batch.iter().flat_map(|one| all_keys(one)).collect();
        keys.sort_unstable();
        keys.dedup();
        let named: HashMap<IdentityKey, Known> =
            capture::find_identities(tx, &keys).await?.into_iter().map(|known| (known.key, known)).collect();
        let mut leads: Vec<LeadId> = batch
            .iter()
            .flat_map(|one| Key::ALL.into_iter().filter_map(|key| key_of(one, key)))
            .filter_map(|key| named.get(&key).map(|known| LeadId(known.subject_id)))
            .collect();
        leads.sort_unstable();
        leads.dedup();
        let carries = capture::contacts_of_leads(tx, &leads)
            .await?
            .into_iter()
            .map(|(lead, email, phone)| (lead, Carried { email, phone }))
            .collect();
        Ok(Self {
            stored,
            named,
            carries,
            contacts: HashMap::new(),
            leads: HashMap::new(),
            instead: HashMap::new(),
            claimed: BTreeMap::new(),
            pointed: BTreeMap::new(),
            changes: HashMap::new(),
        })
    }

    /// Decides whose submission it is, and takes its keys for that lead, unless it is held back.
    fn decide(&mut self, prepared: &Prepared, holding: &mut Holding) -> Decided {
        let submission = &prepared.submission;
        if let Some(lead) = self.stored.get(&submission.id) {
            holding.note_lead(prepared, *lead);
            return Decided::Repeat(*lead);
        }
        if let Some(outcome) = holding.known(prepared) {
            return Decided::Held(outcome);
        }
        let ours = Contact { email: prepared.email.as_deref(), phone: prepared.phone.as_deref() };
        let window_ms = setting(&submission.intake.workspace_settings, "ipWindowMinutes", 30) * MINUTE_MS;
        let decision = identity::decide(ours, submission.received_at, window_ms, |key| self.candidate(prepared, key));
        let found = decision.found.map(|(lead, _)| lead);
        let mut judged = holding.judge(prepared);
        if let Some(hold) = judged.hold.take() {
            return Decided::Held(holding.hold(prepared, &judged, hold, found));
        }
        let suspicion = judged.suspicion;
        let lead = found.unwrap_or_else(|| LeadId::new(submission.received_at, random_bytes()));
        if joins_in_vain(prepared, found) {
            return Decided::Joins { lead, decision, suspicion };
        }
        self.take_keys(prepared, lead);
        self.stored.insert(submission.id, lead);
        holding.note_lead(prepared, lead);
        holding.book_released(prepared);
        let carried = self.carries.entry(lead).or_default();
        carried.email = carried.email.take().or_else(|| prepared.email.clone());
        carried.phone = carried.phone.take().or_else(|| prepared.phone.clone());
        match found {
            Some(lead) => Decided::Joins { lead, decision, suspicion },
            None => Decided::Makes { lead, decision, suspicion },
        }
    }

    fn candidate(&self, prepared: &Prepared, key: Key) -> Option<Candidate<'_, LeadId>> {
        let known = self.named.get(&key_of(prepared, key)?)?;
        let lead = LeadId(known.subject_id);
        // An identity without a lead is one that was erased while we looked: nobody.
        let carried = self.carries.get(&lead)?;
        let contact = Contact { email: carried.email.as_deref(), phone: carried.phone.as_deref() };
        Some(Candidate { lead, contact, seen_at: known.seen_at })
    }

    /// E-mail and phone stay with the lead that had them first; a browser and an address go on to the latest.
    fn take_keys(&mut self, prepared: &Prepared, lead: LeadId) {
        for key in Key::ALL {
            let Some(hash) = key_of(prepared, key) else { continue };
            let identity = Identity {
                key: hash,
                kind: key.as_str(),
                subject_id: lead.0,
                seen_at: prepared.submission.received_at.0,
            };
            let is_claimed = self.take(identity, key, names_nobody_else(prepared));
            if is_claimed {
                self.note_claim(prepared, hash);
            }
        }
    }

    /// What a row of a file claims is given up where the file is put back.
    fn note_claim(&mut self, prepared: &Prepared, key: IdentityKey) {
        if prepared.submission.imported.is_some() {
            self.changes.entry(prepared.submission.id).or_default().keys.push(key);
        }
    }

    /// Tells whether the key was nobody's before.
    fn take(&mut self, identity: Identity, key: Key, is_all_there_is: bool) -> bool {
        let hash = identity.key;
        let before = self.named.get(&hash).copied();
        let names_another = before.is_some_and(|known| known.subject_id != identity.subject_id);
        let wanders = match key {
            Key::Visitor => names_another,
            Key::Ip => before.is_some() || !is_all_there_is,
            Key::Record | Key::Email | Key::Phone => false,
        };
        if wanders && !self.claimed.contains_key(&hash) {
            self.name(&identity);
            self.pointed.insert(hash, identity);
        } else if before.is_none() || wanders {
            self.name(&identity);
            self.claimed.insert(hash, identity);
        }
        before.is_none()
    }

    fn name(&mut self, identity: &Identity) {
        let known = Known { key: identity.key, subject_id: identity.subject_id, seen_at: Timestamp(identity.seen_at) };
        self.named.insert(identity.key, known);
    }

    /// Holds the stages that new leads go to. Sources are remembered for a moment, and a stage may be gone by now.
    async fn hold_stages(&mut self, tx: &mut Tx, batch: &[Arc<Prepared>], decided: &[Decided]) -> Result<(), Error> {
        let makers = batch.iter().zip(decided).filter(|(_, decided)| matches!(decided, Decided::Makes { .. }));
        let wanted: BTreeMap<StageId, (WorkspaceId, PipelineId)> = makers
            .map(|(one, _)| (place(one), one.submission.intake.workspace_id))
            .map(|((pipeline, stage), workspace)| (stage, (workspace, pipeline)))
            .collect();
        let stages: Vec<StageId> = wanted.keys().copied().collect();
        let held = pipelines::hold_stages(tx, &stages).await?;
        for (stage, (workspace, pipeline)) in wanted.into_iter().filter(|(stage, _)| !held.contains(stage)) {
            let entry = pipelines::entry_stage(tx, workspace, pipeline).await?;
            // A workspace always has a default pipeline; one that is being changed is looked at again.
            let entry = entry.ok_or(Error::Contended)?;
            self.instead.insert(stage, (entry.pipeline_id, entry.id));
        }
        Ok(())
    }

    /// Locks the leads that were there before, in the order of their ids, and reads what is to be changed.
    async fn lock_matched(&mut self, tx: &mut Tx, decided: &[Decided]) -> Result<(), Error> {
        let made: HashSet<LeadId> =
            decided.iter().filter(|one| matches!(one, Decided::Makes { .. })).map(Decided::lead).collect();
        let mut matched: Vec<LeadId> = decided
            .iter()
            .filter(|one| matches!(one, Decided::Joins { .. }))
            .map(Decided::lead)
            .filter(|lead| !made.contains(lead))
            .collect();
        matched.sort_unstable();
        matched.dedup();
        for row in capture::lock_leads(tx, &matched).await? {
            self.contacts.insert(row.id, row.contact_id);
            self.leads.insert(row.id, Working::stored(row));
        }
        let all_are_there = matched.iter().all(|lead| self.leads.contains_key(lead));
        if all_are_there { Ok(()) } else { Err(Error::Contended) }
    }

    /// Turns a decision into rows.
    fn apply(&mut self, prepared: &Prepared, decided: &Decided, written: &mut Written) -> Outcome {
        let (lead, decision, suspicion, is_new) = match decided {
            Decided::Repeat(lead) => return Outcome { lead: *lead, duplicate: true, held: false },
            Decided::Held(outcome) => return *outcome,
            Decided::Joins { lead, decision, suspicion } => (*lead, decision, suspicion, false),
            Decided::Makes { lead, decision, suspicion } => (*lead, decision, suspicion, true),
        };
        if is_new {
            let contact = self.contact_for(prepared, written);
            self.note_made(prepared, contact, written);
            self.contacts.insert(lead, contact);
            let wanted = place(prepared);
            let place = self.instead.get(&wanted.1).copied().unwrap_or(wanted);
            self.leads.insert(lead, Working::made(prepared, suspicion, lead, contact, place));
            written.evidence(prepared, lead, decision);
            written.conversations.take(prepared, lead, Some(contact));
            let data = event_data(prepared, decision, &self.leads[&lead]);
            written.tell(prepared, lead, "lead.created", data);
            return Outcome { lead, duplicate: false, held: false };
        }
        if let Some(imported) = &prepared.submission.imported {
            return self.join_row(prepared, imported.on_match, (lead, decision), written);
        }
        let working = self.leads.get_mut(&lead).expect("a lead that is joined was locked or made before");
        let silence_ms = prepared.submission.received_at.0 - working.row.last_submission_at;
        working.join(prepared, suspicion);
        written.evidence(prepared, lead, decision);
        let kind = kind_of_repeat(prepared, silence_ms);
        let mut data = event_data(prepared, decision, working);
        data["silenceMs"] = silence_ms.into();
        written.tell(prepared, lead, kind, data);
        written.conversations.take(prepared, lead, self.contacts.get(&lead).copied());
        self.claim_contact_keys(prepared, lead);
        Outcome { lead, duplicate: true, held: false }
    }

    /// A row of a file whose lead is there already. One that says nothing new changes nothing.
    fn join_row(
        &mut self,
        prepared: &Prepared,
        on_match: OnMatch,
        (lead, decision): (LeadId, &Decision<LeadId>),
        written: &mut Written,
    ) -> Outcome {
        let outcome = Outcome { lead, duplicate: true, held: false };
        if joins_in_vain(prepared, Some(lead)) {
            return outcome;
        }
        let working = self.leads.get_mut(&lead).expect("a lead that is joined was locked or made before");
        let mut fields = joining::join(working, prepared, on_match);
        let has_new_keys = self.changes.get(&prepared.submission.id).is_some_and(|change| !change.keys.is_empty());
        if fields.is_empty() && !has_new_keys {
            return outcome;
        }
        joining::settle(working, prepared, &mut fields);
        written.evidence(prepared, lead, decision);
        let data = event_data(prepared, decision, working);
        written.tell(prepared, lead, "lead.updated", data);
        self.claim_contact_keys(prepared, lead);
        let change = self.changes.entry(prepared.submission.id).or_default();
        change.kind = Some(ChangeKind::Updated);
        change.fields = fields;
        outcome
    }

    fn note_made(&mut self, prepared: &Prepared, contact: ContactId, written: &Written) {
        if prepared.submission.imported.is_none() {
            return;
        }
        let is_new = written.contacts.last().is_some_and(|row| row.id == contact);
        let change = self.changes.entry(prepared.submission.id).or_default();
        change.kind = Some(ChangeKind::Made);
        change.contact = is_new.then_some(contact);
    }

    /// The person behind a new lead: known in the workspace by e-mail or phone, or new.
    fn contact_for(&mut self, prepared: &Prepared, written: &mut Written) -> ContactId {
        let keys = prepared.contact_identities;
        let known = [keys.email, keys.phone].into_iter().flatten().find_map(|key| self.named.get(&key));
        let contact = known.map(|known| ContactId(known.subject_id));
        let id = contact.unwrap_or_else(|| {
            let row = new_contact(prepared);
            let id = row.id;
            written.contacts.push(row);
            id
        });
        self.claim_contact_keys_for(prepared, id);
        id
    }

    fn claim_contact_keys(&mut self, prepared: &Prepared, lead: LeadId) {
        if let Some(contact) = self.contacts.get(&lead).copied() {
            self.claim_contact_keys_for(prepared, contact);
        }
    }

    fn claim_contact_keys_for(&mut self, prepared: &Prepared, contact: ContactId) {
        let keys = prepared.contact_identities;
        for (key, kind) in [(keys.email, "contact_email"), (keys.phone, "contact_phone")] {
            let Some(key) = key.filter(|key| !self.named.contains_key(key)) else { continue };
            let seen_at = prepared.submission.received_at.0;
            let identity = Identity { key, kind, subject_id: contact.0, seen_at };
            self.name(&identity);
            self.claimed.insert(key, identity);
            self.note_claim(prepared, key);
        }
    }

    /// Leads and identities go into the batch once each, sorted, so that writers take their locks in one order.
    fn finish(self, written: &mut Written) {
        let mut leads: Vec<Working> = self.leads.into_values().filter(|working| working.is_touched).collect();
        leads.sort_unstable_by_key(|working| working.row.id);
        let mut stages: BTreeMap<(Uuid, Uuid), StageDelta> = BTreeMap::new();
        for working in leads {
            count(&mut stages, &working);
            written.values.extend(working.changed_values());
            if working.is_new {
                written.tags.extend(working.tags());
                written.new_leads.push(working.row);
            } else {
                written.resubmitted.push(working.resubmitted());
            }
        }
        written.counts = stages.into_values().collect();
        written.claimed = self.claimed.into_values().collect();
        written.pointed = self.pointed.into_values().collect();
    }
}

impl Written {
    async fn write(&self, tx: &mut Tx) -> Result<(), Error> {
        capture::claim_identities(tx, &self.claimed).await?;
        capture::insert_contacts(tx, &self.contacts).await?;
        capture::insert_leads(tx, &self.new_leads).await?;
        capture::update_resubmitted(tx, &self.resubmitted).await?;
        // A statement of its own, since hardly any submission says what its lead is worth.
        leads::set_values(tx, &self.values).await?;
        capture::insert_submissions(tx, &self.submissions).await?;
        capture::insert_captures(tx, &self.captures).await?;
        capture::insert_tags(tx, &self.tags).await?;
        events::insert_activities(tx, &self.activities).await?;
        events::append(tx, &self.events).await?;
        capture::add_stage_counts(tx, &self.counts).await?;
        self.conversations.write(tx).await?;
        // Hardly any form asks for one, and none makes no statement.
        consents::insert(tx, &self.consents).await?;
        ledger::write(tx, &self.booked).await?;
        // Last, because a busy address is one row that every writer wants: it is locked for the commit alone.
        capture::point_identities(tx, &self.pointed).await
    }

    fn evidence(&mut self, prepared: &Prepared, lead: LeadId, decision: &Decision<LeadId>) {
        let submission = &prepared.submission;
        let recognised = &prepared.recognised;
        let intake = &submission.intake;
        self.booked.add(intake.workspace_id, intake.source_id, submission.received_at, Fact::Accepted, 1);
        self.submissions.push(NewSubmission {
            id: submission.id,
            workspace_id: submission.intake.workspace_id,
            lead_id: lead,
            source_id: submission.intake.source_id,
            source: submission.intake.kind.clone(),
            source_name: submission.intake.source_name.clone(),
            payload: serde_json::to_string(&recognised.as_sent).unwrap_or_default(),
            name: recognised.name.clone(),
            email: recognised.email_raw.clone(),
            phone: recognised.phone_raw.clone(),
            project: recognised.project.clone(),
            message: recognised.message.clone(),
            cta: recognised.cta.clone(),
            page_url: recognised.page_url.clone(),
            referrer: recognised.referrer.clone(),
            match_reason: match_reason(decision),
            received_at: submission.received_at.0,
            time_to_submit_ms: recognised.time_to_submit_ms,
            context: context(prepared),
        });
        self.consents.extend(consents_of(prepared, lead));
        if submission.imported.is_some() {
            // A row has no request behind it, and a file of them would push all visitors out of the feed.
            return;
        }
        self.captures.push(NewCapture {
            submission_id: submission.id,
            workspace_id: submission.intake.workspace_id,
            lead_id: lead,
            ip: submission.request.ip.clone(),
            user_agent: submission.request.user_agent.clone(),
            origin: submission.request.origin.clone(),
            content_type: submission.request.content_type.clone(),
            raw_body: submission.request.raw_body.replace('\0', ""),
            captured_at: submission.received_at.0,
            expires_at: submission.received_at.plus_ms(CAPTURE_LIFE_MS).0,
        });
    }

    fn tell(&mut self, prepared: &Prepared, lead: LeadId, kind: &str, data: Value) {
        let submission = &prepared.submission;
        let direct = submission.direct.as_ref();
        if conversations::is_update(prepared) {
            // The thread says what was said; a line for each message would hide the rest of the timeline.
            self.say(prepared, lead, kind, data);
            return;
        }
        self.activities.push(NewActivity {
            id: ActivityId::new(submission.received_at, random_bytes()),
            workspace_id: submission.intake.workspace_id,
            lead_id: lead,
            kind: kind.to_owned(),
            actor_kind: direct.map_or("visitor", |direct| if direct.actor_is_token { "token" } else { "user" }),
            actor_id: direct.and_then(|direct| direct.actor_user),
            actor_name: direct.map_or_else(|| submission.intake.source_name.clone(), |by| by.actor_name.clone()),
            data: activity_data(submission, &data),
            created_at: submission.received_at.0,
        });
        self.say(prepared, lead, kind, data);
    }

    fn say(&mut self, prepared: &Prepared, lead: LeadId, kind: &str, data: Value) {
        let submission = &prepared.submission;
        let event = derived("leadline submission event v1", &[submission.id.0.as_bytes()]);
        self.events.push(NewEvent {
            id: EventId(event),
            workspace_id: submission.intake.workspace_id,
            kind: kind.to_owned(),
            lead_id: Some(lead),
            submission_id: Some(submission.id),
            data,
            created_at: submission.received_at.0,
            dispatched: false,
        });
    }
}

/// What the person agreed to, under ids that a repeat would have as well.
fn consents_of(prepared: &Prepared, lead: LeadId) -> impl Iterator<Item = NewConsent> {
    let submission = &prepared.submission;
    consents_in(&prepared.recognised.as_sent).into_iter().map(move |consent| NewConsent {
        id: ConsentId(derived("leadline consent v1", &[submission.id.0.as_bytes(), consent.field.as_bytes()])),
        workspace_id: submission.intake.workspace_id,
        lead_id: lead,
        submission_id: submission.id,
        purpose: consent.purpose.as_str(),
        field: consent.field,
        wording: consent.wording,
        source_name: submission.intake.source_name.clone(),
        page_url: prepared.recognised.page_url.clone(),
        given_at: submission.received_at.0,
    })
}

fn activity_data(submission: &Submission, event: &Value) -> Value {
    let mut data = json!({"submissionId": submission.id, "source": submission.intake.kind, "match": event["match"]});
    if let Some(imported) = &submission.imported {
        data["importId"] = json!(imported.import);
    }
    data
}

/// Whether a row of a file found its lead, and is to leave it as it is.
fn joins_in_vain(prepared: &Prepared, found: Option<LeadId>) -> bool {
    let imported = prepared.submission.imported.as_ref();
    found.is_some() && imported.is_some_and(|imported| imported.on_match == OnMatch::Skip)
}

/// Where a new lead goes: where somebody put it, or to the entry stage of its source's workspace.
fn place(prepared: &Prepared) -> (PipelineId, StageId) {
    let intake = &prepared.submission.intake;
    let chosen = prepared.submission.direct.as_ref().and_then(|direct| direct.stage);
    chosen.unwrap_or((intake.pipeline_id, intake.stage_id))
}

fn new_contact(prepared: &Prepared) -> NewContact {
    let now = prepared.submission.received_at;
    NewContact {
        id: ContactId::new(now, random_bytes()),
        workspace_id: prepared.submission.intake.workspace_id,
        display_name: prepared.name.clone(),
        email: prepared.email.clone(),
        phone_number: prepared.phone.clone(),
        lifecycle: "lead",
        tags: json!([]),
        column_data: json!({}),
        created_at: now.0,
        updated_at: now.0,
    }
}

fn count(stages: &mut BTreeMap<(Uuid, Uuid), StageDelta>, working: &Working) {
    let (row, (n, value_milli)) = (&working.row, working.adds());
    if (n, value_milli) == (0, 0) {
        return;
    }
    let delta = stages.entry((row.workspace_id.0, row.stage_id.0)).or_insert_with(|| StageDelta {
        id: StageCountId::new(Timestamp(row.updated_at), random_bytes()),
        workspace_id: row.workspace_id,
        pipeline_id: row.pipeline_id,
        stage_id: row.stage_id,
        n: 0,
        value_milli: 0,
    });
    delta.n += n;
    delta.value_milli += value_milli;
}

fn kind_of_repeat(prepared: &Prepared, silence_ms: i64) -> &'static str {
    let is_update = prepared.submission.inbound.as_ref().is_some_and(|inbound| inbound.is_update);
    if is_update || conversations::is_update(prepared) {
        return "lead.updated";
    }
    let hours = setting(&prepared.submission.intake.workspace_settings, "reengageHours", 24);
    let was_silent_long_enough = hours > 0 && silence_ms >= hours * HOUR_MS;
    if was_silent_long_enough { "lead.re_engaged" } else { "lead.resubmitted" }
}

fn match_reason(decision: &Decision<LeadId>) -> Value {
    let by = decision.found.map_or("new", |(_, key)| key.as_str());
    json!({"by": by, "refused": decision.refused})
}

/// What consumers of the event need: how it was matched, where it came in and where the lead stands.
fn event_data(prepared: &Prepared, decision: &Decision<LeadId>, working: &Working) -> Value {
    let intake = &prepared.submission.intake;
    let mut data = json!({
        "match": match_reason(decision), "sourceId": intake.source_id, "projectId": intake.project_id,
        "stageId": working.row.stage_id, "pipelineId": working.row.pipeline_id, "arrival": arrival(prepared),
    });
    conversations::tell(&mut data, prepared);
    if let Some(imported) = &prepared.submission.imported {
        data["importId"] = json!(imported.import);
        data["quiet"] = json!(!imported.tells_destinations);
    }
    data
}

fn setting(settings: &Value, name: &str, default: i64) -> i64 {
    settings.get(name).and_then(Value::as_i64).unwrap_or(default)
}

fn key_of(prepared: &Prepared, key: Key) -> Option<IdentityKey> {
    let keys = prepared.identities;
    match key {
        Key::Record => keys.record,
        Key::Visitor => keys.visitor,
        Key::Email => keys.email,
        Key::Phone => keys.phone,
        Key::Ip => keys.ip,
    }
}

/// Whether the IP address is all that a submission can be known by.
fn names_nobody_else(prepared: &Prepared) -> bool {
    let keys = prepared.identities;
    keys.record.is_none() && keys.visitor.is_none() && keys.email.is_none() && keys.phone.is_none()
}

fn all_keys(prepared: &Prepared) -> impl Iterator<Item = IdentityKey> {
    let (keys, contact) = (prepared.identities, prepared.contact_identities);
    [keys.record, keys.visitor, keys.email, keys.phone, keys.ip, contact.email, contact.phone].into_iter().flatten()
}
