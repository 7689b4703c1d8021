//! Which destinations want an event. Pure: the dispatcher reads the facts and stores the answer.

use std::collections::HashMap;

use leadline_domain::{
    conversions::{Stepped, conversion_of},
    destinations::{FilterFacts, Rules},
    ids::{DeliveryId, LeadId, ProjectId, SubmissionId, WorkspaceId, delivery_for},
    pipelines::StageKind,
    time::Timestamp,
};
use leadline_store::{
    deliveries::{LeadFacts, NewDelivery, State},
    destinations::Destination,
    events::Event,
};
use uuid::Uuid;

use super::payload::conversions::of_destination;

/// What a destination chooses by.
#[derive(Debug, Clone, Copy)]
pub struct Offer<'a> {
    /// The kind of event.
    pub kind: &'a str,
    /// The project of the lead, where it is known.
    pub project: Option<ProjectId>,
    /// Whether the lead is somebody's test.
    pub is_test: bool,
    /// `production` or `development`.
    pub environment: &'a str,
    /// What filters look at; `None` where the event is about no lead, which no filter holds back.
    pub lead: Option<FilterFacts<'a>>,
}

/// Whether a destination that chose these events, and perhaps this project, wants it. Tests stay at home in production,
/// and in development everything does, unless the destination says otherwise.
#[must_use]
pub fn wants(events: &[String], project: Option<ProjectId>, rules: &Rules, offer: &Offer<'_>) -> bool {
    let is_chosen = events.iter().any(|kind| kind == offer.kind);
    let is_of_the_project = project.is_none() || project == offer.project;
    let is_for_here = is_at_home(rules, offer);
    let is_admitted = offer.lead.as_ref().is_none_or(|lead| rules.filter.admits(lead));
    is_chosen && is_of_the_project && is_for_here && is_admitted
}

/// Whether a destination is told here of such leads: of tests, and in development, only where it says so.
fn is_at_home(rules: &Rules, offer: &Offer<'_>) -> bool {
    match offer.environment {
        "production" => rules.includes_tests || !offer.is_test,
        _ => rules.in_development,
    }
}

/// The event by which a step of an automation tells one destination of a lead, whatever that chose to be told of.
const CALL: &str = "lead.automation_step";

/// The deliveries that these events make. The destinations must be active.
#[must_use]
pub fn jobs_for(
    events: &[Event],
    destinations: &[Destination],
    leads: &[LeadFacts],
    environment: &str,
) -> Vec<NewDelivery> {
    let facts: HashMap<LeadId, &LeadFacts> = leads.iter().map(|lead| (lead.id, lead)).collect();
    let mut by_workspace: HashMap<WorkspaceId, Vec<&Destination>> = HashMap::new();
    for destination in destinations {
        by_workspace.entry(destination.workspace_id).or_default().push(destination);
    }
    let mut jobs: HashMap<DeliveryId, NewDelivery> = HashMap::new();
    for event in events.iter().filter(|event| !event.is_quiet()) {
        let lead = event.lead_id.and_then(|id| facts.get(&id));
        let silence_ms = event.data["silenceMs"].as_i64();
        for destination in by_workspace.get(&event.workspace_id).into_iter().flatten() {
            let Some(kind) = destination.rules.kind_told(&event.kind, silence_ms) else { continue };
            let offer = Offer {
                kind,
                project: lead.map_or_else(|| event.project_id(), |lead| Some(lead.project_id)),
                is_test: lead.is_some_and(|lead| lead.is_test),
                environment,
                lead: lead.map(|lead| filter_facts(lead)),
            };
            if event.kind == CALL {
                if names(event, destination) && is_at_home(&destination.rules, &offer) {
                    keep_the_weightier(&mut jobs, job(event, kind, destination));
                }
                continue;
            }
            let is_wanted = wants(&destination.events, destination.project_id, &destination.rules, &offer);
            if !is_wanted || is_about(event, destination) {
                continue;
            }
            match goal_of(event, kind, destination) {
                Some(Counts::Not) => {}
                Some(Counts::As(goal)) => keep_the_weightier(&mut jobs, conversion(event, kind, destination, goal)),
                None => keep_the_weightier(&mut jobs, job(event, kind, destination)),
            }
        }
    }
    let mut jobs: Vec<NewDelivery> = jobs.into_values().collect();
    // In one order on every node, so that two that dispatch at once do not wait for each other in a circle.
    jobs.sort_by_key(|job| job.id);
    jobs
}

fn filter_facts(lead: &LeadFacts) -> FilterFacts<'_> {
    FilterFacts {
        source: &lead.source,
        source_id: lead.source_id,
        tags: &lead.tags,
        stage_id: Some(lead.stage_id),
        score: Some(lead.score),
        suspicion: Some(lead.suspicion),
    }
}

/// Whether an event tells of this very destination: one that fails is not told so, since that would fail as well.
fn is_about(event: &Event, destination: &Destination) -> bool {
    event.kind.starts_with("destination.") && names(event, destination)
}

fn names(event: &Event, destination: &Destination) -> bool {
    event.data["destinationId"] == destination.id.to_string()
}

/// Events by which a submission announces itself, the weightiest first. A destination gets one of them per submission,
/// under an id derived from the submission: the spool forwards submissions before there is an event.
const ANNOUNCEMENTS: [&str; 4] = ["lead.created", "lead.re_engaged", "lead.resubmitted", "lead.updated"];

/// Whether a submission announces itself by events of this kind.
#[must_use]
pub fn is_announcement(kind: &str) -> bool {
    ANNOUNCEMENTS.contains(&kind)
}

fn weight(kind: &str) -> usize {
    ANNOUNCEMENTS.iter().position(|announcement| *announcement == kind).unwrap_or(ANNOUNCEMENTS.len())
}

fn keep_the_weightier(jobs: &mut HashMap<DeliveryId, NewDelivery>, job: NewDelivery) {
    let is_outweighed = jobs.get(&job.id).is_some_and(|other| weight(&other.event) <= weight(&job.event));
    if !is_outweighed {
        jobs.insert(job.id, job);
    }
}

fn job(event: &Event, kind: &str, destination: &Destination) -> NewDelivery {
    let Timestamp(created_at) = event.created_at;
    NewDelivery {
        id: delivery_for(origin(event), destination.id),
        workspace_id: event.workspace_id,
        destination_id: destination.id,
        event_id: event.id,
        event: kind.to_owned(),
        lead_id: event.lead_id,
        submission_id: event.submission_id,
        source_id: event.source_id(),
        state: State::Pending,
        attempt_count: 0,
        plan_attempt: 0,
        next_attempt_at: created_at,
        payload: None,
        last_status: None,
        last_error: None,
        created_at,
        finished_at: None,
        expires_at: None,
        goal: None,
    }
}

/// Whether an event is a conversion.
enum Counts {
    As(String),
    Not,
}

/// As what an event counts for an ad platform; `None` where the destination is none.
fn goal_of(event: &Event, kind: &str, destination: &Destination) -> Option<Counts> {
    let platform = of_destination(&destination.format, destination.rules.conversions.as_ref());
    let (_, conversions) = platform?;
    let stepped = Stepped {
        stage_id: serde_json::from_value(event.data["toStageId"].clone()).ok(),
        is_won: event.data["toStageKind"] == StageKind::Won.as_str(),
    };
    Some(conversions.goal_met(kind, stepped).map_or(Counts::Not, |goal| Counts::As(goal.key())))
}

/// One for each lead and goal: whoever goes back and forth over a board converts nobody twice.
fn conversion(event: &Event, kind: &str, destination: &Destination, goal: String) -> NewDelivery {
    let once = event.lead_id.map(|lead| conversion_of(lead, &goal, destination.id));
    let job = job(event, kind, destination);
    NewDelivery { id: once.unwrap_or(job.id), goal: Some(goal), ..job }
}

fn origin(event: &Event) -> Uuid {
    let SubmissionId(submission) = match event.submission_id {
        Some(submission) if is_announcement(&event.kind) => submission,
        Some(_) | None => return event.id.0,
    };
    submission
}
