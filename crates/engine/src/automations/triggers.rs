//! Starting runs: which automations wait for what happened, and whether something keeps them from starting.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map::Entry};

use leadline_domain::{
    automations::{CHAIN_MAX, Happening, Reach, Reason, Run, RunState, Trigger, is_locked},
    ids::{AutomationId, LeadId, RunId, SegmentId, StageId, WorkspaceId, derived},
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    automations::{
        self as stored, Automation,
        locks::{self, Key},
        runs::{self, NewRun, Person, ScoreStep, StoredRun},
    },
    capture::IdentityKey,
    events::Event,
    leads,
};
use serde_json::{Value, json};

use super::record::{Record, due_after, row, waiting};
use crate::{Engine, conditions::Conditions, lead_changes::Cause};

/// An automation that waits for an event.
struct Match<'a> {
    automation: &'a Automation,
    event: &'a Event,
    lead: LeadId,
    run: RunId,
}

/// Starts what waits for these events.
pub(super) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event], record: &mut Record) -> Result<(), Error> {
    let told: Vec<&Event> = events.iter().filter(|event| may_start(event)).collect();
    let workspaces: BTreeSet<WorkspaceId> = told.iter().map(|event| event.workspace_id).collect();
    let automations = stored::list_startable(tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
    if automations.is_empty() {
        return Ok(());
    }
    let scores = score_steps(tx, &automations, &told).await?;
    let matches = matches(&automations, &told, &scores);
    let unmet = unmet(engine, tx, &matches).await?;
    let leads: Vec<LeadId> = matches.iter().map(|one| one.lead).collect::<BTreeSet<_>>().into_iter().collect();
    let persons: HashMap<LeadId, Person> =
        runs::persons(tx, &leads).await?.into_iter().map(|person| (person.id, person)).collect();
    let keys: BTreeSet<Key> = matches
        .iter()
        .filter(|one| one.automation.is_active && one.automation.definition.safety_lock_minutes > 0)
        .flat_map(|one| {
            persons.get(&one.lead).map(|person| keys_of(engine, one.automation, person)).unwrap_or_default()
        })
        .collect();
    let held = locks::hold(tx, &keys.into_iter().collect::<Vec<_>>()).await?;
    let mut taken: HashMap<Key, Timestamp> = held.into_iter().collect();
    let mut begun = BTreeSet::new();
    let mut planned = Vec::new();
    for one in &matches {
        let Some(person) = persons.get(&one.lead).filter(|person| !person.is_deleted) else { continue };
        let keys = keys_of(engine, one.automation, person);
        let is_met = !unmet.contains(&(one.automation.id, one.lead));
        let against = against(one, is_met, person, &keys, &taken, record.now());
        if against.is_none() {
            for key in keys {
                if let Some(at) = taken.get_mut(&key) {
                    *at = record.now();
                    begun.insert(key);
                }
            }
        }
        planned.push((one, against));
    }
    locks::take(tx, &begun.into_iter().collect::<Vec<_>>(), record.now()).await?;
    let rows: Vec<NewRun> = planned.iter().map(|(one, against)| new_run(one, *against, record.now())).collect();
    let new: HashSet<RunId> = runs::insert(tx, &rows).await?.into_iter().collect();
    for (one, against) in planned.into_iter().filter(|(one, _)| new.contains(&one.run)) {
        begin(record, one, against);
    }
    Ok(())
}

/// Whether anything may wait for it. Of what comes in files nobody is told.
fn may_start(event: &Event) -> bool {
    let is_of_leads = event.kind.starts_with("lead.") || event.kind == "message.received";
    is_of_leads && event.lead_id.is_some() && !event.is_quiet()
}

/// What the scores were and are, where somebody waits for that and these events changed them.
async fn score_steps(
    tx: &mut Tx,
    automations: &[Automation],
    events: &[&Event],
) -> Result<HashMap<LeadId, ScoreStep>, Error> {
    let waiting: HashSet<WorkspaceId> = automations
        .iter()
        .filter(|one| matches!(one.definition.trigger, Trigger::ScoreCrossed { .. }))
        .map(|one| one.workspace_id)
        .collect();
    let mut since: BTreeMap<LeadId, Timestamp> = BTreeMap::new();
    for event in events.iter().filter(|event| event.kind.starts_with("lead.") && waiting.contains(&event.workspace_id))
    {
        let Some(lead) = event.lead_id else { continue };
        let first = since.entry(lead).or_insert(event.created_at);
        *first = (*first).min(event.created_at);
    }
    let steps = runs::score_steps(tx, &since.into_iter().collect::<Vec<_>>()).await?;
    Ok(steps.into_iter().map(|step| (step.lead, step)).collect())
}

/// Which leads do not meet the conditions of an automation that they would start: one statement for each automation.
async fn unmet(engine: &Engine, tx: &mut Tx, matches: &[Match<'_>]) -> Result<HashSet<(AutomationId, LeadId)>, Error> {
    let mut asked: BTreeMap<AutomationId, (&Automation, &Value, BTreeSet<LeadId>)> = BTreeMap::new();
    for one in matches.iter().filter(|one| one.automation.is_active) {
        if let Some(condition) = &one.automation.definition.condition {
            let (.., leads) =
                asked.entry(one.automation.id).or_insert_with(|| (one.automation, condition, BTreeSet::new()));
            leads.insert(one.lead);
        }
    }
    let mut known: HashMap<WorkspaceId, Conditions> = HashMap::new();
    let mut unmet = HashSet::new();
    for (id, (automation, condition, mut leads)) in asked {
        let workspace = automation.workspace_id;
        let conditions = match known.entry(workspace) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Conditions::load(engine, workspace).await?),
        };
        // Conditions that ask for what is gone are met by nobody, until they are mended.
        if let Ok(filter) = conditions.read(condition) {
            let ids: Vec<LeadId> = leads.iter().copied().collect();
            for lead in leads::matching(tx, workspace, &ids, &filter).await? {
                leads.remove(&lead);
            }
        }
        unmet.extend(leads.into_iter().map(|lead| (id, lead)));
    }
    Ok(unmet)
}

fn matches<'a>(
    automations: &'a [Automation],
    events: &[&'a Event],
    scores: &HashMap<LeadId, ScoreStep>,
) -> Vec<Match<'a>> {
    let mut matches: BTreeMap<(Timestamp, usize, RunId), Match<'a>> = BTreeMap::new();
    for (place, event) in events.iter().enumerate() {
        let Some(lead) = event.lead_id else { continue };
        let score = scores.get(&lead);
        let happenings = happenings(event, score);
        for automation in automations.iter().filter(|one| one.workspace_id == event.workspace_id) {
            let trigger = &automation.definition.trigger;
            if !happenings.iter().any(|happening| trigger.fits(happening)) {
                continue;
            }
            let run = run_id(automation, event, score);
            let one = Match { automation, event, lead, run };
            let is_new = !matches.values().any(|other| other.run == run);
            if is_new {
                matches.insert((event.created_at, place, run), one);
            }
        }
    }
    matches.into_values().collect()
}

/// The run that an event starts. The same event starts it once; a score that stays where it came to does not start it
/// again with the next event.
fn run_id(automation: &Automation, event: &Event, score: Option<&ScoreStep>) -> RunId {
    let id = automation.id.0;
    let crossed = matches!(automation.definition.trigger, Trigger::ScoreCrossed { .. }).then_some(score).flatten();
    RunId(match crossed {
        Some(step) => {
            let number = step.number.to_be_bytes();
            derived("leadline automation score v1", &[id.as_bytes(), step.lead.0.as_bytes(), &number])
        }
        None => derived("leadline automation run v1", &[id.as_bytes(), event.id.0.as_bytes()]),
    })
}

/// What an event says, in the words of triggers.
fn happenings(event: &Event, score: Option<&ScoreStep>) -> Vec<Happening> {
    let texts = |name: &str| -> Vec<String> {
        let list = event.data[name].as_array().into_iter().flatten();
        list.filter_map(|text| text.as_str()).map(str::to_owned).collect()
    };
    let mut happenings = Vec::new();
    match event.kind.as_str() {
        "lead.created" => happenings.push(Happening::Created(event.source_id())),
        "lead.resubmitted" => happenings.push(Happening::Resubmitted(event.source_id())),
        "lead.re_engaged" => happenings.push(Happening::ReEngaged(event.source_id())),
        "lead.stage_changed" => {
            let stage = event.data["toStageId"].as_str().and_then(|id| id.parse::<StageId>().ok());
            happenings.extend(stage.map(Happening::Stage));
        }
        "lead.segment_entered" | "lead.segment_left" => {
            let segment = event.data["segmentId"].as_str().and_then(|id| id.parse::<SegmentId>().ok());
            let happening = if event.kind == "lead.segment_left" { Happening::Left } else { Happening::Entered };
            happenings.extend(segment.map(happening));
        }
        "lead.updated" => happenings.push(Happening::Tags(texts("addedTags"))),
        "message.received" => happenings.push(Happening::Message(texts("tags"))),
        _ => {}
    }
    happenings.extend(score.map(|step| Happening::Score { from: step.from, to: step.to }));
    happenings
}

/// Who a person is to an automation's safety lock.
fn keys_of(engine: &Engine, automation: &Automation, person: &Person) -> Vec<Key> {
    let key = |kind: &str, value: &str| Key {
        automation: automation.id,
        key: IdentityKey(engine.keys.identity(person.workspace_id.0, kind, value)),
    };
    let email = person.email.as_deref().map(|email| key("automation_email", &email.to_lowercase()));
    let phone = person.phone.as_deref().map(|phone| key("automation_phone", phone));
    email.into_iter().chain(phone).collect()
}

/// What keeps an automation from starting.
fn against(
    one: &Match<'_>,
    is_met: bool,
    person: &Person,
    keys: &[Key],
    taken: &HashMap<Key, Timestamp>,
    now: Timestamp,
) -> Option<Reason> {
    let automation = one.automation;
    if !automation.is_active {
        return Some(Reason::Inactive);
    }
    if depth(one.event) >= CHAIN_MAX {
        return Some(Reason::Chain);
    }
    if !is_met {
        return Some(Reason::NotMet);
    }
    let definition = &automation.definition;
    let reach = Reach { phone: person.phone.is_some(), email: person.email.is_some() };
    if !reach.by_any(&definition.steps) {
        return Some(Reason::MissingContact);
    }
    let lock = |key: &Key| taken.get(key).copied().filter(|at| at.0 > 0);
    let is_held = keys.iter().any(|key| is_locked(lock(key), now, definition.safety_lock_minutes));
    is_held.then_some(Reason::SafetyLock)
}

/// How many automations started one another before what an event starts.
fn depth(event: &Event) -> i64 {
    Cause::of(event).map_or(0, |cause| cause.depth)
}

fn new_run(one: &Match<'_>, against: Option<Reason>, now: Timestamp) -> NewRun {
    let state = if against.is_some() { RunState::Skipped } else { RunState::Running };
    NewRun {
        id: one.run,
        workspace_id: one.automation.workspace_id,
        automation_id: one.automation.id,
        version: one.automation.version,
        lead_id: one.lead,
        event_id: one.event.id,
        state: state.as_str(),
        reason: against.map(Reason::as_str),
        step: 0,
        // The line that is written below.
        line_count: i64::from(against != Some(Reason::NotMet)),
        depth: depth(one.event),
        started_at: now.0,
        updated_at: now.0,
        finished_at: against.map(|_| now.0),
    }
}

/// Tells of a run that begins, or of why it does not.
fn begin(record: &mut Record, one: &Match<'_>, against: Option<Reason>) {
    let automation = one.automation;
    let now = record.now();
    let mut run = StoredRun {
        id: one.run,
        workspace_id: automation.workspace_id,
        automation_id: automation.id,
        version: automation.version,
        lead_id: one.lead,
        state: RunState::Running,
        reason: None,
        step: 0,
        line_count: 0,
        depth: depth(one.event),
        started_at: now,
        finished_at: None,
    };
    if let Some(reason) = against {
        record.count_ended(automation.id, RunState::Skipped, 1);
        if reason == Reason::NotMet {
            // It was not meant for this lead, whose timeline need not tell of it: the log of runs does.
            return;
        }
        let data = json!({"reason": reason.as_str(), "words": reason.words()});
        record.line(&mut run, &automation.name, "automation.skipped", data);
        return;
    }
    record.line(&mut run, &automation.name, "automation.triggered", json!({"event": one.event.kind}));
    record.count_begun(automation.id);
    let Some(begun) = Run::begin(&automation.definition) else { return };
    for first in &begun.sendings {
        let delay = automation.definition.steps.get(first.step).map_or(0, |step| step.delay_minutes);
        record.sending(row(&run, &waiting(&run, &automation.definition, first, due_after(now, delay), now), now));
    }
}
