//! Leads that came: who gets them by the rules, and from when on somebody is to answer.
//!
//! Dispatch puts them into a queue. A run takes some of a workspace's, with the rules and the leads locked, and does
//! all of it in one transaction. Whose turn it is stands in the rule's row, so turns are fair over all nodes.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use leadline_domain::{
    assignment::{Candidate, Method, Turn, choose},
    ids::{LeadId, UserId, WorkspaceId},
    permissions::Permission,
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    arrivals::{self, Arrival, ArrivalKind},
    assignment_rules::{self, AssignmentRule},
    deliveries::LeadFacts,
    events::{self, Event, NewActivity, NewEvent},
    leads::{self, Locked},
    responses::{self as clocks, NewClock},
    workers::{self, Worker},
};
use serde_json::json;

use super::{Context, responses};
use crate::{Actor, Engine};

/// Leads in one transaction. On SQLite submissions wait behind it.
const AT_ONCE: i64 = 100;

/// How often a transaction is tried again because another writer was quicker.
const TRIES: usize = 5;

/// How long the leads of a workspace wait in which something went wrong.
const AFTER_FAILURE_MS: i64 = MINUTE_MS;

/// As whom rules act.
pub(super) const ACTOR: &str = "Assignment rules";

/// The event by which somebody wants a lead to be given out that may have been there for long.
const ASKED: &str = "lead.assignment_asked";

/// The source of leads that come from a file. Nobody waits for an answer to those.
const IMPORT: &str = "import";

/// Puts the leads of these events into the queue, as far as their workspaces want it; tells whether there are any.
pub(super) async fn follow(tx: &mut Tx, events: &[Event], leads: &[LeadFacts]) -> Result<bool, Error> {
    let came = |event: &&Event| !event.is_quiet() && kind_of(event).is_some();
    let workspaces: BTreeSet<WorkspaceId> = events.iter().filter(came).map(|event| event.workspace_id).collect();
    if workspaces.is_empty() {
        return Ok(false);
    }
    let wanted = arrivals::wanted(tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
    let facts: HashMap<LeadId, &LeadFacts> = leads.iter().map(|lead| (lead.id, lead)).collect();
    let mut queued: BTreeMap<LeadId, Arrival> = BTreeMap::new();
    for event in events.iter().filter(came) {
        let (Some(kind), Some(lead)) = (kind_of(event), event.lead_id) else { continue };
        let (Some(wanted), Some(facts)) = (wanted.get(&event.workspace_id), facts.get(&lead)) else { continue };
        let is_new = kind == ArrivalKind::Created;
        let starts_clock = is_new && wanted.clock && !facts.is_test && facts.source != IMPORT;
        let is_for_rules = if kind == ArrivalKind::Returned { wanted.returning } else { wanted.rules };
        if starts_clock || is_for_rules {
            let (workspace_id, at) = (event.workspace_id, event.created_at.0);
            let arrival = Arrival { lead_id: lead, workspace_id, kind, starts_clock, arrived_at: at, due_at: at };
            // Whoever came and came back in one batch is new.
            queued.entry(lead).or_insert(arrival);
        }
    }
    let queued: Vec<Arrival> = queued.into_values().collect();
    Ok(arrivals::insert(tx, &queued).await? > 0)
}

fn kind_of(event: &Event) -> Option<ArrivalKind> {
    match event.kind.as_str() {
        "lead.created" => Some(ArrivalKind::Created),
        "lead.re_engaged" => Some(ArrivalKind::Returned),
        ASKED => Some(ArrivalKind::Asked),
        _ => None,
    }
}

/// Takes in what waits, and tells how many leads that were.
///
/// # Errors
/// Where the database fails.
pub async fn take_in_due(engine: &Engine) -> Result<usize, Error> {
    let now = engine.clock.now();
    let mut count = 0;
    for workspace in arrivals::workspaces_due(&engine.store.reader(), now).await? {
        match take_in(engine, workspace).await {
            Ok(taken) => count += taken,
            Err(error) => {
                // One workspace's trouble keeps no other waiting.
                tracing::warn!(workspace.id = %workspace, error = &error as &dyn std::error::Error,
                    "new leads wait for their rules");
                let mut tx = engine.store.begin().await?;
                arrivals::put_off(&mut tx, workspace, now, now.plus_ms(AFTER_FAILURE_MS)).await?;
                tx.commit().await?;
            }
        }
    }
    Ok(count)
}

async fn take_in(engine: &Engine, workspace: WorkspaceId) -> Result<usize, Error> {
    let context = Context::load(engine, workspace).await?;
    for _ in 1..TRIES {
        match try_take_in(engine, workspace, &context).await {
            Err(Error::Contended) => tokio::task::yield_now().await,
            result => return result,
        }
    }
    try_take_in(engine, workspace, &context).await
}

async fn try_take_in(engine: &Engine, workspace: WorkspaceId, context: &Context) -> Result<usize, Error> {
    let mut tx = engine.store.begin().await?;
    // First, so that of several nodes one goes on and the others find what it left.
    let rules = assignment_rules::lock(&mut tx, workspace).await?;
    let came = arrivals::claim(&mut tx, workspace, context.now, AT_ONCE).await?;
    if came.is_empty() {
        tx.rollback().await?;
        return Ok(0);
    }
    let mut ids: Vec<LeadId> = came.iter().map(|arrival| arrival.lead_id).collect();
    ids.sort_unstable();
    let locked = leads::lock(&mut tx, workspace, &ids).await?;
    let there: HashMap<LeadId, &Locked> =
        locked.iter().filter(|lead| lead.deleted_at.is_none()).map(|lead| (lead.id, lead)).collect();
    let mut desk = Desk::open(&mut tx, workspace, context, &rules).await?;
    desk.give_out(&mut tx, workspace, &came, &there).await?;
    desk.write(&mut tx, engine, workspace, &there).await?;
    let started = desk.clocks(workspace, &came, &there);
    clocks::start(&mut tx, &started).await?;
    // Somebody may have been quicker than this.
    let answerable: Vec<LeadId> = started.iter().map(|clock| clock.lead_id).collect();
    responses::settle(&mut tx, &answerable, (&context.settings, context.timezone())).await?;
    arrivals::delete(&mut tx, &ids).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(ids.len())
}

/// A lead that goes to somebody.
struct Given {
    lead: LeadId,
    to: UserId,
    rule: usize,
}

/// A rule at work: whose turn it was last, and how many leads it gave away.
struct Taking<'a> {
    rule: &'a AssignmentRule,
    last: Option<UserId>,
    count: i64,
}

/// Where leads are given out.
struct Desk<'a> {
    context: &'a Context,
    rules: Vec<Taking<'a>>,
    workers: HashMap<UserId, Worker>,
    open_leads: HashMap<UserId, i64>,
    given: Vec<Given>,
    /// By which rule's wish a lead is to be answered.
    targets: HashMap<LeadId, usize>,
}

impl<'a> Desk<'a> {
    async fn open(
        tx: &mut Tx,
        workspace: WorkspaceId,
        context: &'a Context,
        rules: &'a [AssignmentRule],
    ) -> Result<Self, Error> {
        let rules: Vec<Taking<'a>> = rules
            .iter()
            .filter(|rule| rule.is_active)
            .map(|rule| Taking { rule, last: rule.last_user_id, count: 0 })
            .collect();
        let named = |taking: &Taking<'a>| {
            taking.rule.members.iter().copied().chain(taking.rule.fallback_user_id).collect::<Vec<_>>()
        };
        let all: BTreeSet<UserId> = rules.iter().flat_map(named).collect();
        let all: Vec<UserId> = all.into_iter().collect();
        let counts = rules.iter().any(|taking| taking.rule.method == Method::LeastBusy);
        let counted: &[UserId] = if counts { &all } else { &[] };
        Ok(Self {
            context,
            rules,
            workers: workers::find_in(tx, workspace, &all).await?,
            open_leads: workers::count_open_leads(tx, workspace, counted).await?,
            given: Vec::new(),
            targets: HashMap::new(),
        })
    }

    fn candidate(&self, user: UserId) -> Candidate {
        let worker = self.workers.get(&user);
        Candidate {
            user,
            may_take: worker.is_some_and(|worker| worker.role.may(Permission::LeadsView)),
            is_available: worker.is_some_and(|worker| self.context.is_at_work(worker)),
            open_leads: self.open_leads.get(&user).copied().unwrap_or_default(),
        }
    }

    /// Asks the rules in their order. A lead that one of them takes is not asked of those behind it.
    async fn give_out(
        &mut self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        came: &[Arrival],
        there: &HashMap<LeadId, &Locked>,
    ) -> Result<(), Error> {
        let is_free = |arrival: &&Arrival| {
            let owner = there.get(&arrival.lead_id).map(|lead| lead.assigned_to);
            owner.is_some_and(|owner| owner.is_none() || arrival.kind == ArrivalKind::Overdue)
        };
        let mut waiting: Vec<&Arrival> = came.iter().filter(is_free).collect();
        for place in 0..self.rules.len() {
            let rule = self.rules[place].rule;
            let takes = |arrival: &&&Arrival| arrival.kind != ArrivalKind::Returned || rule.takes_returning;
            let asked: Vec<LeadId> = waiting.iter().filter(takes).map(|arrival| arrival.lead_id).collect();
            if asked.is_empty() {
                continue;
            }
            let Ok(filter) = self.context.conditions.read(&rule.filter) else {
                // A field that it asks for was defined in another way since, so nobody is in it until it is mended.
                tracing::warn!(rule.id = %rule.id, "an assignment rule asks for what is not there");
                continue;
            };
            let matching: HashSet<LeadId> =
                leads::matching(tx, workspace, &asked, &filter).await?.into_iter().collect();
            waiting.retain(|arrival| {
                let is_asked = matching.contains(&arrival.lead_id);
                !(is_asked && self.give(place, arrival, there[&arrival.lead_id].assigned_to))
            });
        }
        Ok(())
    }

    /// Gives a lead to whoever the rule chooses; tells whether there was anybody.
    fn give(&mut self, place: usize, arrival: &Arrival, owner: Option<UserId>) -> bool {
        let Taking { rule, last, .. } = self.rules[place];
        self.targets.entry(arrival.lead_id).or_insert(place);
        let among: Vec<Candidate> = rule.members.iter().map(|user| self.candidate(*user)).collect();
        let turn =
            Turn { method: rule.method, among: &among, only_available: rule.only_available, last, except: owner };
        let fallback = || {
            let user = rule.fallback_user_id.filter(|user| Some(*user) != owner)?;
            self.candidate(user).may_take.then_some(user)
        };
        let chosen = choose(&turn);
        let Some(to) = chosen.or_else(fallback) else { return false };
        let taking = &mut self.rules[place];
        taking.last = chosen.or(taking.last);
        taking.count += 1;
        *self.open_leads.entry(to).or_default() += 1;
        self.given.push(Given { lead: arrival.lead_id, to, rule: place });
        true
    }

    async fn write(
        &self,
        tx: &mut Tx,
        engine: &Engine,
        workspace: WorkspaceId,
        there: &HashMap<LeadId, &Locked>,
    ) -> Result<(), Error> {
        let now = self.context.now;
        let mut of_user: BTreeMap<UserId, Vec<LeadId>> = BTreeMap::new();
        for given in &self.given {
            of_user.entry(given.to).or_default().push(given.lead);
        }
        for (user, ids) in &of_user {
            leads::assign(tx, workspace, ids, Some(*user), now).await?;
        }
        for taking in self.rules.iter().filter(|taking| taking.count > 0) {
            assignment_rules::note_turn(tx, taking.rule.id, taking.last, taking.count, now).await?;
        }
        let former: Vec<UserId> = self.given.iter().filter_map(|given| there[&given.lead].assigned_to).collect();
        let names = leads::names_of_users(tx, &former).await?;
        let actor = Actor::system(workspace, ACTOR);
        let (mut lines, mut told): (Vec<NewActivity>, Vec<NewEvent>) = (Vec::new(), Vec::new());
        for given in &self.given {
            let (lead, rule) = (there[&given.lead], self.rules[given.rule].rule);
            let to_name = self.workers.get(&given.to).map(|worker| &worker.name);
            let from_name = lead.assigned_to.and_then(|user| names.get(&user));
            let line = json!({"fromName": from_name, "toName": to_name, "to": given.to, "ruleId": rule.id,
                "ruleName": rule.name});
            lines.push(engine.activity(&actor, lead.id, "lead.assigned", line));
            let data = json!({"from": lead.assigned_to, "to": given.to, "ruleId": rule.id,
                "pipelineId": lead.pipeline_id, "stageId": lead.stage_id});
            told.push(engine.event(workspace, lead.id, "lead.assigned", data));
        }
        events::insert_activities(tx, &lines).await?;
        events::append(tx, &told).await
    }

    /// The clocks that start now.
    fn clocks(&self, workspace: WorkspaceId, came: &[Arrival], there: &HashMap<LeadId, &Locked>) -> Vec<NewClock> {
        let settings = &self.context.settings;
        let calendar = self.context.calendar();
        let starts = came.iter().filter(|arrival| arrival.starts_clock && there.contains_key(&arrival.lead_id));
        starts
            .filter_map(|arrival| {
                let rule = self.targets.get(&arrival.lead_id).map(|place| self.rules[*place].rule);
                let minutes = rule.and_then(|rule| rule.respond_within_minutes).or(settings.respond_within_minutes)?;
                let from = Timestamp(arrival.arrived_at);
                let due_at = calendar.after_ms(from, minutes * MINUTE_MS);
                let escalate = |more: i64| calendar.after_ms(due_at, more * MINUTE_MS).0;
                Some(NewClock {
                    lead_id: arrival.lead_id,
                    workspace_id: workspace,
                    rule_id: rule.map(|rule| rule.id),
                    started_at: arrival.arrived_at,
                    due_at: due_at.0,
                    escalate_at: settings.escalate_after_minutes.map(escalate),
                    next_at: due_at.0,
                })
            })
            .collect()
    }
}
