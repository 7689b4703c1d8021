//! What visits mean for leads: engagement, what is suspicious about having none, and every touch.
//!
//! It is looked at twice, so that nothing falls between: when a submission is dispatched, for what is known of its
//! visitor by then, and after visits were committed, for the leads that their visitors are by then.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadline_domain::{
    attribution::Touch,
    ids::{LeadId, WorkspaceId},
    scores::{self, Channel, Scoring, SessionFact, SuspicionFacts, Weights, history::Cause},
    time::{DAY_MS, Timestamp},
    touches,
    visits::{Arrival, Totals},
};
use leadline_store::{
    Error, Tx,
    events::{self, Event, NewEvent},
    visits::{
        self as rows, TrackedSite,
        standing::{self, LeadStanding, Link, VisitOfLead, Visitor},
    },
    workspaces,
};
use serde_json::{Value, json};

use crate::{Engine, live::LiveHint, reasons};

/// A site whose script reported within this time tracks: a visitor without a visit is then one who hides, or none.
const TRACKS_FOR_MS: i64 = 7 * DAY_MS;

/// Leads looked at in one transaction.
const AT_ONCE: usize = 200;

/// What suspicion says of visits.
const SESSION_REASONS: [&str; 2] = ["no_session", "no_engagement"];

/// A submission and the visit it came from.
struct Arrived {
    workspace: WorkspaceId,
    lead: LeadId,
    at: Timestamp,
    makes_the_lead: bool,
    arrival: Arrival,
}

/// What the store and this node know beside the visits.
struct Around<'a> {
    engine: &'a Engine,
    sites: Vec<TrackedSite>,
    arrived: HashMap<LeadId, Vec<Arrived>>,
}

/// Lets visits tell on the leads whose submissions these events are.
pub(crate) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event]) -> Result<(), Error> {
    let arrived: Vec<Arrived> = events.iter().filter_map(arrived).collect();
    if arrived.is_empty() {
        return Ok(());
    }
    let workspaces: BTreeSet<WorkspaceId> = arrived.iter().map(|one| one.workspace).collect();
    let sites = rows::sites_of(tx, &workspaces.into_iter().collect::<Vec<_>>()).await?;
    let mut around = Around { engine, sites, arrived: HashMap::new() };
    standing::link(tx, &links(&around, &arrived)).await?;
    let leads: BTreeSet<LeadId> = arrived.iter().filter(|one| around.may_tell(one)).map(|one| one.lead).collect();
    for one in arrived {
        around.arrived.entry(one.lead).or_default().push(one);
    }
    stand(tx, &leads.into_iter().collect::<Vec<_>>(), &around).await.map(drop)
}

fn arrived(event: &Event) -> Option<Arrived> {
    event.submission_id?;
    let arrival = serde_json::from_value::<Option<Arrival>>(event.data.get("arrival")?.clone()).ok()??;
    Some(Arrived {
        workspace: event.workspace_id,
        lead: event.lead_id?,
        at: event.created_at,
        makes_the_lead: event.kind == "lead.created",
        arrival,
    })
}

/// Who sent what, each pair once. A workspace without a site has no visits.
fn links(around: &Around<'_>, arrived: &[Arrived]) -> Vec<Link> {
    let mut links: BTreeMap<(WorkspaceId, &str, LeadId), Link> = BTreeMap::new();
    for one in arrived.iter().filter(|one| around.has_a_site(one.workspace)) {
        let Some(visitor) = one.arrival.visitor() else { continue };
        let link = Link {
            workspace_id: one.workspace,
            visitor_id: visitor.to_owned(),
            lead_id: one.lead,
            session_id: one.arrival.session_id.clone(),
            seen_at: one.at.0,
        };
        links.insert((one.workspace, visitor, one.lead), link);
    }
    links.into_values().collect()
}

/// Lets visits that grew tell on the leads that their visitors are.
pub(super) async fn grow(engine: &Engine, visitors: &[Visitor]) -> Result<(), Error> {
    let mut leads = standing::leads_of(&engine.store.reader(), visitors).await?;
    leads.sort_unstable();
    let around = Around { engine, sites: Vec::new(), arrived: HashMap::new() };
    for some in leads.chunks(AT_ONCE) {
        let mut tx = engine.store.begin().await?;
        let changed = stand(&mut tx, some, &around).await?;
        let scored = changed.iter().filter(|one| one.scores_differ).map(|one| scored(engine, &one.lead));
        let scored: Vec<NewEvent> = scored.collect();
        events::append(&mut tx, &scored).await?;
        tx.commit().await?;
        if !scored.is_empty() {
            engine.wake.events.notify_one();
        }
        changed.iter().for_each(|one| engine.live.publish(hint(&one.lead)));
    }
    Ok(())
}

/// What consumers hear of it. Where a submission is dispatched its own event tells them.
fn scored(engine: &Engine, lead: &LeadStanding) -> NewEvent {
    let data = json!({"stageId": lead.stage_id, "pipelineId": lead.pipeline_id, "cause": Cause::Visit.as_str()});
    engine.event(lead.workspace_id, lead.id, "lead.scored", data)
}

fn hint(lead: &LeadStanding) -> LiveHint {
    let data = json!({
        "kind": "lead.engaged", "leadId": lead.id, "stageId": lead.stage_id, "pipelineId": lead.pipeline_id,
        "fromStageId": null, "op": null,
    });
    LiveHint { workspace: lead.workspace_id, event: "lead".to_owned(), data }
}

/// Writes what visits change about these leads, and tells which changed.
async fn stand(tx: &mut Tx, leads: &[LeadId], around: &Around<'_>) -> Result<Vec<Changed>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let before = standing::lock(tx, leads).await?;
    let mut visits: HashMap<LeadId, Vec<VisitOfLead>> = HashMap::new();
    for visit in standing::visits_of(tx, leads).await? {
        visits.entry(visit.lead_id).or_default().push(visit);
    }
    let scorings = scorings(tx, &before).await?;
    let mut changed = Vec::new();
    for lead in before {
        let now = around.lead_as_it_stands(
            &lead,
            visits.get(&lead.id).map_or(&[], Vec::as_slice),
            &scorings[&lead.workspace_id],
        );
        if now != lead {
            let scores_differ = scores_of(&now) != scores_of(&lead);
            changed.push(Changed { lead: now, scores_differ });
        }
    }
    let rows: Vec<LeadStanding> = changed.iter().map(|one| one.lead.clone()).collect();
    standing::update(tx, &rows).await?;
    Ok(changed)
}

/// A lead that visits changed.
struct Changed {
    lead: LeadStanding,
    scores_differ: bool,
}

fn scores_of(lead: &LeadStanding) -> (i64, Option<i64>, i64) {
    (lead.score, lead.figures.engagement, lead.suspicion)
}

/// What the workspaces of these leads score by.
async fn scorings(tx: &mut Tx, leads: &[LeadStanding]) -> Result<HashMap<WorkspaceId, Scoring>, Error> {
    let ids: BTreeSet<WorkspaceId> = leads.iter().map(|lead| lead.workspace_id).collect();
    let ids: Vec<WorkspaceId> = ids.into_iter().collect();
    let mut scorings: HashMap<WorkspaceId, Scoring> = ids.iter().map(|id| (*id, Scoring::default())).collect();
    for (id, settings) in workspaces::settings_of(tx, &ids).await? {
        scorings.insert(id, Scoring::of(&settings));
    }
    Ok(scorings)
}

impl Around<'_> {
    fn has_a_site(&self, workspace: WorkspaceId) -> bool {
        self.sites.iter().any(|site| site.workspace_id == workspace)
    }

    /// Whether a submission may change what visits say. Most leads are made without any, and cost nothing more.
    fn may_tell(&self, one: &Arrived) -> bool {
        let has_more_touches = one.arrival.first_touch.is_some() || !one.makes_the_lead;
        has_more_touches || (one.arrival.is_browser && self.has_a_site(one.workspace))
    }

    fn lead_as_it_stands(&self, before: &LeadStanding, visits: &[VisitOfLead], scoring: &Scoring) -> LeadStanding {
        let mut lead = before.clone();
        let arrived = self.arrived.get(&lead.id).map_or(&[][..], Vec::as_slice);
        let latest = arrived.iter().find(|one| one.at == lead.last_submission_at);
        if !visits.is_empty() {
            count(&mut lead, visits, &scoring.weights);
        }
        let sent_in = visits.iter().max_by_key(|visit| visit.sent_at).and_then(|visit| visit.sent_in.clone());
        let session = latest.and_then(|one| one.arrival.session_id.clone()).or(sent_in);
        lead.figures.session_id = session.or(lead.figures.session_id);
        add_touches(&mut lead, visits, arrived);
        if let Some(fact) = self.session_fact(&lead, visits, latest) {
            suspect(&mut lead, fact, &scoring.weights);
        }
        let scores_differ = lead.suspicion != before.suspicion || lead.figures.engagement != before.figures.engagement;
        let was_heard_of = lead.last_visit_at > before.last_visit_at;
        if scores_differ || was_heard_of {
            score(&mut lead, was_heard_of, scoring);
        }
        lead
    }

    /// What the latest submission's visits say; `None` where it came another way, or it is too early to tell.
    fn session_fact(
        &self,
        lead: &LeadStanding,
        visits: &[VisitOfLead],
        latest: Option<&Arrived>,
    ) -> Option<SessionFact> {
        let of_sender: Vec<Totals> =
            visits.iter().filter(|visit| visit.sent_at == lead.last_submission_at).map(|visit| visit.totals).collect();
        if !of_sender.is_empty() {
            let all = of_sender.into_iter().fold(Totals::default(), Totals::plus);
            let is_idle = scores::is_idle(&all.engagement_facts());
            return Some(if is_idle { SessionFact::Idle } else { SessionFact::Engaged });
        }
        let Arrived { workspace, arrival, .. } = latest.filter(|one| one.arrival.is_browser)?;
        let is_on_its_way = match (arrival.visitor(), &arrival.session_id) {
            (Some(visitor), Some(session)) => self.engine.visits.awaits(*workspace, visitor, session),
            _ => false,
        };
        let is_missed = !is_on_its_way && self.tracks(*workspace, arrival.origin.as_deref()?);
        is_missed.then_some(SessionFact::Missing)
    }

    fn tracks(&self, workspace: WorkspaceId, origin: &str) -> bool {
        let since = self.engine.clock.now().plus_ms(-TRACKS_FOR_MS);
        let of_workspace = self.sites.iter().filter(|site| site.workspace_id == workspace);
        let mut tracking = of_workspace.filter(|site| site.tracked_at.is_some_and(|at| at >= since));
        tracking.any(|site| site.allowed_origins.iter().any(|allowed| allowed == origin))
    }
}

/// A visit ends a silence.
fn score(lead: &mut LeadStanding, was_heard_of: bool, scoring: &Scoring) {
    if was_heard_of {
        lead.score_reasons = reasons::without_silence(&lead.score_reasons);
    }
    let (fit, silence) = (reasons::fit(&lead.score_reasons), reasons::silence(&lead.score_reasons));
    lead.score = reasons::total(lead.figures.engagement, fit, lead.suspicion, silence, &scoring.weights);
    lead.score_version = scoring.version;
}

fn count(lead: &mut LeadStanding, visits: &[VisitOfLead], weights: &Weights) {
    let all = visits.iter().map(|visit| visit.totals).fold(Totals::default(), Totals::plus);
    lead.last_visit_at = lead.last_visit_at.max(visits.iter().map(|visit| visit.visited_at).max());
    let engagement = scores::engagement(&all.engagement_facts(), weights);
    let figures = &mut lead.figures;
    figures.engagement = Some(engagement.total.into());
    figures.engagement_reasons = Some(reasons::to_json(&engagement.reasons));
    figures.session_duration_seconds = Some(all.active_seconds);
    figures.max_scroll_percent = Some(all.max_scroll_percent);
    figures.click_count = Some(all.click_count);
    figures.pages_visited = Some(all.pages_visited);
    figures.return_visits = Some(all.return_visits());
}

/// A lead that has had one touch says so by its first touch alone.
fn add_touches(lead: &mut LeadStanding, visits: &[VisitOfLead], arrived: &[Arrived]) {
    let mut all = lead.figures.touches.clone().unwrap_or_default();
    let told_first = serde_json::from_value::<Touch>(lead.first_touch.clone()).ok();
    let of_visits = visits.iter().map(|visit| Touch { at: visit.started_at, params: visit.touch.clone() });
    let of_submissions =
        arrived.iter().flat_map(|one| [one.arrival.first_touch.clone(), one.arrival.touch.clone()]).flatten();
    told_first.into_iter().chain(of_visits).chain(of_submissions).for_each(|touch| touches::add(&mut all, touch));
    if all.len() > 1 {
        lead.figures.touches = Some(all);
    }
}

fn suspect(lead: &mut LeadStanding, fact: SessionFact, weights: &Weights) {
    let mut all = lead.suspicion_reasons.as_array().cloned().unwrap_or_default();
    all.retain(|reason| !SESSION_REASONS.iter().any(|code| reason["code"] == *code));
    let facts = SuspicionFacts { channel: Channel::Browser, session: Some(fact), ..SuspicionFacts::default() };
    let told = scores::suspicion(&facts, weights).reasons;
    all.extend(reasons::to_json(&told).as_array().cloned().unwrap_or_default());
    lead.suspicion_reasons = Value::Array(all);
    lead.suspicion = reasons::suspicion(&lead.suspicion_reasons).into();
}
