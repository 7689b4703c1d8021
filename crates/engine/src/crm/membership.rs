//! Who comes into segments that are followed, and who leaves them: told on the leads' timelines and by events.
//!
//! Every event of a lead, and of the person behind it, has the lead looked at once more: a statement for each followed
//! segment and batch. Time alone makes nobody come or go: conditions on dates are looked at when something happens to the
//! lead. When a segment is followed first, or asks for something else, who is in it is taken down without a word, some
//! leads at a time.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::Duration,
};

use leadline_domain::ids::{ContactId, LeadId, SegmentId, WorkspaceId};
use leadline_store::{
    Error, Tx,
    events::{self, Event, NewActivity, NewEvent},
    leads::{self, LeadFilter, Sweep},
    segments::{
        Segment,
        members::{self, Member},
    },
};
use serde_json::json;
use tokio::sync::watch;

use crate::{Actor, Engine, conditions::Conditions, lead_changes::Cause};

/// As whom leads come and go.
const ACTOR: &str = "Segments";

/// Leads that are taken down in one transaction.
const AT_ONCE: i64 = 500;

/// How often it is looked whether something is to be taken down.
const POLL: Duration = Duration::from_millis(500);

/// How long to wait after the store refused.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// What is known of why a lead is looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Why {
    /// The run of an automation that caused it; of several the one that is deepest.
    cause: Option<Cause>,
    /// Whether somebody is told outside.
    is_loud: bool,
}

/// Looks at the leads of these events, and tells whether anybody came or went.
pub(crate) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event]) -> Result<bool, Error> {
    let mut of_workspace: BTreeMap<WorkspaceId, Vec<&Event>> = BTreeMap::new();
    for event in events.iter().filter(|event| concerns(event)) {
        of_workspace.entry(event.workspace_id).or_default().push(event);
    }
    let mut has_changed = false;
    for (workspace, events) in of_workspace {
        let followed = members::followed(tx, workspace).await?;
        if !followed.is_empty() {
            let leads = leads_of(tx, workspace, &events).await?;
            has_changed |= look(engine, tx, workspace, &followed, &leads).await?;
        }
    }
    Ok(has_changed)
}

fn concerns(event: &Event) -> bool {
    event.lead_id.is_some() || event.kind == "contact.updated"
}

async fn leads_of(tx: &mut Tx, workspace: WorkspaceId, events: &[&Event]) -> Result<BTreeMap<LeadId, Why>, Error> {
    let contact_of = |event: &Event| event.data["contactId"].as_str().and_then(|id| id.parse::<ContactId>().ok());
    let contacts: BTreeSet<ContactId> =
        events.iter().filter(|event| event.lead_id.is_none()).filter_map(|event| contact_of(event)).collect();
    let mut of_contacts: HashMap<ContactId, Vec<LeadId>> = HashMap::new();
    for (contact, lead) in members::leads_of(tx, workspace, &contacts.into_iter().collect::<Vec<_>>()).await? {
        of_contacts.entry(contact).or_default().push(lead);
    }
    let mut leads: BTreeMap<LeadId, Why> = BTreeMap::new();
    for event in events {
        let concerned = match event.lead_id {
            Some(lead) => vec![lead],
            None => contact_of(event).and_then(|contact| of_contacts.get(&contact)).cloned().unwrap_or_default(),
        };
        let cause = Cause::of(event);
        for lead in concerned {
            let why = leads.entry(lead).or_default();
            why.is_loud |= !event.is_quiet();
            why.cause = why.cause.into_iter().chain(cause).max_by_key(|cause| cause.depth);
        }
    }
    Ok(leads)
}

async fn look(
    engine: &Engine,
    tx: &mut Tx,
    workspace: WorkspaceId,
    followed: &[Segment],
    leads: &BTreeMap<LeadId, Why>,
) -> Result<bool, Error> {
    let conditions = Conditions::load(engine, workspace).await?;
    let ids: Vec<LeadId> = leads.keys().copied().collect();
    let before = members::of_leads(tx, &ids).await?;
    let (mut came, mut went) = (BTreeSet::new(), BTreeSet::new());
    for segment in followed {
        let Some(inside) = inside(tx, workspace, &conditions, segment, &ids).await? else { continue };
        for lead in &ids {
            let member = Member { segment_id: segment.id, lead_id: *lead };
            match (before.contains(&member), inside.contains(lead)) {
                (false, true) => drop(came.insert(member)),
                (true, false) => drop(went.insert(member)),
                (true, true) | (false, false) => {}
            }
        }
    }
    let now = engine.clock.now();
    let came = members::enter(tx, workspace, &came.into_iter().collect::<Vec<_>>(), now).await?;
    let went = members::leave(tx, &went.into_iter().collect::<Vec<_>>()).await?;
    let told = Telling { engine, workspace, leads, segments: followed.iter().map(|one| (one.id, one)).collect() };
    let mut lines: Vec<(NewActivity, NewEvent)> = went.iter().filter_map(|one| told.of(one, "left")).collect();
    lines.extend(came.iter().filter_map(|one| told.of(one, "entered")));
    let (lines, told): (Vec<NewActivity>, Vec<NewEvent>) = lines.into_iter().unzip();
    events::insert_activities(tx, &lines).await?;
    events::append(tx, &told).await?;
    Ok(!told.is_empty())
}

/// Which of these leads are in a segment; nothing where it asks for what is gone, so that nobody comes or goes until it
/// is mended.
async fn inside(
    tx: &mut Tx,
    workspace: WorkspaceId,
    conditions: &Conditions,
    segment: &Segment,
    ids: &[LeadId],
) -> Result<Option<HashSet<LeadId>>, Error> {
    match conditions.read_segment(segment.id, &segment.filter) {
        Ok(filter) => Ok(Some(leads::matching(tx, workspace, ids, &filter).await?.into_iter().collect())),
        Err(_) => Ok(None),
    }
}

struct Telling<'a> {
    engine: &'a Engine,
    workspace: WorkspaceId,
    leads: &'a BTreeMap<LeadId, Why>,
    segments: HashMap<SegmentId, &'a Segment>,
}

impl Telling<'_> {
    /// The line and the event of a lead that came or went.
    fn of(&self, member: &Member, how: &str) -> Option<(NewActivity, NewEvent)> {
        // While it is still being taken down who is in it, nobody is told.
        let segment = self.segments.get(&member.segment_id).filter(|segment| segment.followed_since.is_some())?;
        let why = self.leads.get(&member.lead_id).copied().unwrap_or_default();
        let actor = Actor::system(self.workspace, ACTOR);
        let mut data = json!({"segmentId": segment.id, "segmentName": segment.name});
        let line = self.engine.activity(&actor, member.lead_id, &format!("segment.{how}"), data.clone());
        if !why.is_loud {
            data["quiet"] = true.into();
        }
        if let Some(cause) = why.cause {
            cause.mark(&mut data);
        }
        let event = self.engine.event(self.workspace, member.lead_id, &format!("lead.segment_{how}"), data);
        Some((line, event))
    }
}

/// Takes down who is in segments until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let wait = match step(&engine).await {
            Ok(true) => continue,
            Ok(false) => POLL,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "segments wait for the store");
                AFTER_FAILURE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Takes down who of the next leads is in the segment that waited longest, and tells whether there was one.
///
/// # Errors
/// Where the database fails; nothing of the step is done then.
pub async fn step(engine: &Engine) -> Result<bool, Error> {
    let reader = engine.store.reader();
    // Asked without a transaction first: mostly there is none, and on SQLite a transaction keeps submissions waiting.
    if !members::is_any_to_take_down(&reader).await? {
        return Ok(false);
    }
    let mut tx = engine.store.begin().await?;
    let Some(taking) = members::claim(&mut tx).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    let (workspace, segment) = (taking.workspace, &taking.segment);
    let now = engine.clock.now();
    let all = LeadFilter::default();
    let swept = leads::sweep(&reader, workspace, (&all, Sweep::There), (taking.place, now), AT_ONCE).await?;
    let conditions = Conditions::load(engine, workspace).await?;
    let before = members::of_leads(&mut tx, &swept.found).await?;
    let inside = inside(&mut tx, workspace, &conditions, segment, &swept.found).await?.unwrap_or_default();
    let member = |lead: &LeadId| Member { segment_id: segment.id, lead_id: *lead };
    let came: Vec<Member> = inside.iter().map(member).filter(|member| !before.contains(member)).collect();
    let stays = |one: &&Member| one.segment_id != segment.id || inside.contains(&one.lead_id);
    let went: Vec<Member> = before.iter().filter(|one| !stays(one)).copied().collect();
    members::enter(&mut tx, workspace, &came, now).await?;
    members::leave(&mut tx, &went).await?;
    members::advance(&mut tx, segment.id, swept.place, swept.is_over.then_some(now)).await?;
    tx.commit().await?;
    Ok(true)
}
