//! What a batch holds back: quarantine entries and records of blocked addresses, with the answers that look like
//! everybody's, and how often each visitor came lately.
//!
//! The rows go into the same transaction as the batch's leads, so what was answered is on the disk here as there. The
//! books count it as accepted and excluded, until somebody lets it out.

use std::collections::{BTreeMap, HashMap};

use leadline_domain::{
    fraud::{self, HoldReason, Visits},
    ids::{BlockedAttemptId, BlockedIpId, LeadId, SubmissionId},
    scores::Score,
    time::{DAY_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    blocked_ips::{self, Attempt, BlockedIp},
    capture::IdentityKey,
    ledger::{Fact, Notes},
    quarantine::{self, NewEntry, Released},
    recent_visits::{self, Visited},
};

use super::{batch::Outcome, detection::Detection, prepare::Prepared, standing::Standing};
use crate::{
    addresses::{self, household_range, may_be_one_visitors, write_range},
    random_bytes, reasons,
};

/// Quarantine and records of blocked addresses live 90 days.
const LIFE_MS: i64 = 90 * DAY_MS;

/// How long an address stays blocked that filled a honeypot: addresses move on to other people.
const AUTOMATIC_BLOCK_MS: i64 = 7 * DAY_MS;

/// Who blocks addresses that fill honeypots.
const BLOCKER: &str = "Leadline";

/// Of what a blocked address sends, the beginning is enough to know it by.
const BODY_KEPT_CHARS: usize = 4_000;

/// What the store knows of those whom a batch may hold back, and what the batch adds.
#[derive(Default)]
pub(super) struct Holding {
    held: HashMap<SubmissionId, LeadId>,
    answered: HashMap<IdentityKey, LeadId>,
    visits: HashMap<IdentityKey, Visits>,
    visited: BTreeMap<IdentityKey, Visits>,
    entries: Vec<NewEntry>,
    attempts: Vec<Attempt>,
    blocks: Vec<BlockedIp>,
    released: Vec<Released>,
    booked: Notes,
}

/// What is thought of a submission.
pub(super) struct Judged {
    pub suspicion: Score,
    pub hold: Option<Hold>,
}

/// How a submission is held back.
pub(super) enum Hold {
    Blocked { id: BlockedIpId, range: String },
    Quarantine(HoldReason),
}

impl Holding {
    pub async fn read<P: AsRef<Prepared>>(tx: &mut Tx, batch: &[P]) -> Result<Self, Error> {
        let all = || batch.iter().map(AsRef::as_ref);
        let repeatable: Vec<SubmissionId> =
            all().filter(|one| one.submission.is_repeatable).map(|one| one.submission.id).collect();
        let visitors = sorted(all().flat_map(|one| one.visitor_keys.into_iter().flatten()));
        let (blocked, others): (Vec<&Prepared>, Vec<&Prepared>) = all().partition(|one| is_blocked(one));
        let attempts: Vec<BlockedAttemptId> =
            blocked.iter().filter(|one| one.submission.is_repeatable).map(|one| attempt_id(one)).collect();
        let suspects = others.iter().filter(|one| one.may_be_held());
        let persons = sorted(suspects.filter_map(|one| one.person_key));
        let blocked_persons = sorted(blocked.iter().filter_map(|one| one.person_key));
        let mut held: HashMap<SubmissionId, LeadId> = quarantine::known(tx, &repeatable).await?.into_iter().collect();
        let recorded = blocked_ips::known_attempts(tx, &attempts).await?;
        held.extend(recorded.into_iter().map(|(id, lead)| (SubmissionId(id.0), lead)));
        let mut answered: HashMap<IdentityKey, LeadId> =
            quarantine::answered(tx, &persons).await?.into_iter().collect();
        answered.extend(blocked_ips::answered(tx, &blocked_persons).await?);
        let visits = recent_visits::find(tx, &visitors).await?.into_iter().collect();
        Ok(Self { held, answered, visits, ..Self::default() })
    }

    /// What was answered to a submission that is held back already, and was not let out.
    pub fn known(&self, prepared: &Prepared) -> Option<Outcome> {
        let is_let_out = matches!(prepared.submission.standing, Standing::Released { .. });
        let lead = self.held.get(&prepared.submission.id).filter(|_| !is_let_out)?;
        Some(Outcome { lead: *lead, duplicate: true, held: true })
    }

    /// Thinks about a submission, and remembers that its visitor came.
    pub fn judge(&mut self, prepared: &Prepared) -> Judged {
        if let Standing::Blocked { id, range } = &prepared.submission.standing {
            let hold = Hold::Blocked { id: *id, range: range.clone() };
            return Judged { suspicion: Score::default(), hold: Some(hold) };
        }
        let suspicion = match self.count_visit(prepared) {
            // What the first of a day adds is nothing.
            None | Some(1) => prepared.suspicion.clone(),
            more => prepared.suspicion_after(more),
        };
        let hold = fraud::hold(&prepared.hold_facts(suspicion.total)).map(Hold::Quarantine);
        Judged { suspicion, hold }
    }

    /// Submissions in 24 hours by this visitor or from this address, this one included.
    fn count_visit(&mut self, prepared: &Prepared) -> Option<u32> {
        let was_counted_before = matches!(prepared.submission.standing, Standing::Released { .. });
        if was_counted_before {
            return None;
        }
        let at = prepared.submission.received_at;
        let mut most = None;
        for key in prepared.visitor_keys.into_iter().flatten() {
            let before = self.visits.get(&key).copied();
            most = most.max(Some(Visits::in_24h(before, at)));
            let visits = Visits::with(before, at);
            self.visits.insert(key, visits);
            self.visited.insert(key, visits);
        }
        most
    }

    /// Holds a submission back. The answer names the lead that it would have joined, the one that was made up for the
    /// same person before, or one made up now.
    pub fn hold(&mut self, prepared: &Prepared, judged: &Judged, hold: Hold, joins: Option<LeadId>) -> Outcome {
        let at = prepared.submission.received_at;
        let before = joins.or_else(|| self.answered.get(&prepared.person_key?).copied());
        let lead = before.unwrap_or_else(|| LeadId::new(at, random_bytes()));
        if let Some(person) = prepared.person_key {
            self.answered.insert(person, lead);
        }
        self.held.insert(prepared.submission.id, lead);
        self.book(prepared, at, 1);
        match hold {
            Hold::Blocked { id, range } => self.attempts.push(attempt(prepared, id, range, lead)),
            Hold::Quarantine(reason) => {
                self.entries.push(entry(prepared, reason, &judged.suspicion, lead));
                self.blocks.extend(automatic_block(prepared, reason));
                metrics::counter!("leadline_quarantined_total", "reason" => reason.as_str()).increment(1);
            }
        }
        Outcome { lead, duplicate: before.is_some(), held: true }
    }

    /// Notes what became of a submission that was let out.
    pub fn note_lead(&mut self, prepared: &Prepared, lead: LeadId) {
        let Standing::Released { by, .. } = &prepared.submission.standing else { return };
        let Timestamp(released_at) = prepared.submission.received_at;
        let id = prepared.submission.id;
        self.released.push(Released { id, lead_id: lead, released_at, released_by: by.clone() });
    }

    /// Takes a submission that was let out from where it was excluded: it is booked again where its row stands, and
    /// one receipt counts once.
    pub fn book_released(&mut self, prepared: &Prepared) {
        let Standing::Released { held_at, .. } = &prepared.submission.standing else { return };
        self.book(prepared, *held_at, -1);
    }

    fn book(&mut self, prepared: &Prepared, at: Timestamp, n: i64) {
        let intake = &prepared.submission.intake;
        for fact in [Fact::Accepted, Fact::Excluded] {
            self.booked.add(intake.workspace_id, intake.source_id, at, fact, n);
        }
    }

    /// What the books have to note of all this.
    pub fn take_booked(&mut self) -> Notes {
        std::mem::take(&mut self.booked)
    }

    pub async fn write(&self, tx: &mut Tx) -> Result<(), Error> {
        quarantine::insert(tx, &self.entries).await?;
        quarantine::note_released(tx, &self.released).await?;
        blocked_ips::insert_attempts(tx, &self.attempts).await?;
        blocked_ips::insert(tx, &self.blocks).await?;
        let visited: Vec<Visited> = self.visited.iter().map(|(key, visits)| visited(*key, *visits)).collect();
        recent_visits::note(tx, &visited).await
    }
}

fn sorted(keys: impl Iterator<Item = IdentityKey>) -> Vec<IdentityKey> {
    let mut keys: Vec<IdentityKey> = keys.collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn is_blocked(prepared: &Prepared) -> bool {
    matches!(prepared.submission.standing, Standing::Blocked { .. })
}

fn attempt_id(prepared: &Prepared) -> BlockedAttemptId {
    BlockedAttemptId(prepared.submission.id.0)
}

fn visited(key: IdentityKey, visits: Visits) -> Visited {
    Visited { key, last_at: visits.last.0, previous_at: visits.previous.map(|at| at.0) }
}

fn entry(prepared: &Prepared, reason: HoldReason, suspicion: &Score, lead: LeadId) -> NewEntry {
    let submission = &prepared.submission;
    let recognised = &prepared.recognised;
    let (intake, request) = (&submission.intake, &submission.request);
    NewEntry {
        id: submission.id,
        workspace_id: intake.workspace_id,
        reason: reason.as_str(),
        suspicion: i64::from(suspicion.total),
        suspicion_reasons: reasons::to_json(&suspicion.reasons),
        source_id: intake.source_id,
        source: intake.kind.clone(),
        source_name: intake.source_name.clone(),
        name: recognised.name.clone(),
        email: recognised.email_raw.clone(),
        phone: recognised.phone_raw.clone(),
        message: recognised.message.clone(),
        payload: serde_json::to_string(&recognised.as_sent).unwrap_or_default(),
        submission: serde_json::to_string(submission).unwrap_or_default(),
        ip: request.ip.clone(),
        user_agent: request.user_agent.clone(),
        origin: request.origin.clone(),
        page_url: recognised.page_url.clone(),
        person_key: prepared.person_key,
        answered_lead_id: lead,
        received_at: submission.received_at.0,
        expires_at: submission.received_at.plus_ms(LIFE_MS).0,
    }
}

fn attempt(prepared: &Prepared, id: BlockedIpId, ip_range: String, lead: LeadId) -> Attempt {
    let submission = &prepared.submission;
    let (intake, request) = (&submission.intake, &submission.request);
    Attempt {
        id: attempt_id(prepared),
        workspace_id: intake.workspace_id,
        blocked_ip_id: id,
        ip_range,
        ip: request.ip.clone().unwrap_or_default(),
        source_id: intake.source_id,
        source: intake.kind.clone(),
        source_name: intake.source_name.clone(),
        user_agent: request.user_agent.clone(),
        origin: request.origin.clone(),
        content_type: request.content_type.clone(),
        raw_body: request.raw_body.chars().filter(|letter| *letter != '\0').take(BODY_KEPT_CHARS).collect(),
        person_key: prepared.person_key,
        answered_lead_id: lead,
        attempted_at: submission.received_at.0,
        expires_at: submission.received_at.plus_ms(LIFE_MS).0,
    }
}

/// The block of whoever filled a honeypot, where the workspace wants that. Never a proxy's or an office's address.
fn automatic_block(prepared: &Prepared, reason: HoldReason) -> Option<BlockedIp> {
    let submission = &prepared.submission;
    let wanted =
        reason == HoldReason::Honeypot && Detection(&submission.intake.workspace_settings).blocks_honeypot_ips();
    let ip = submission.request.ip.as_deref().and_then(addresses::parse);
    let ip = ip.filter(|ip| wanted && may_be_one_visitors(*ip))?;
    let at = submission.received_at;
    Some(BlockedIp {
        id: BlockedIpId::new(at, random_bytes()),
        workspace_id: submission.intake.workspace_id,
        ip_range: write_range(household_range(ip)),
        reason: Some("filled a honeypot".to_owned()),
        created_by: BLOCKER.to_owned(),
        created_at: at.0,
        expires_at: Some(at.plus_ms(AUTOMATIC_BLOCK_MS).0),
    })
}
