use leadline_domain::{
    destinations::{Filter, Rules},
    ids::{DestinationId, EventId, LeadId, ProjectId, StageId, SubmissionId, WorkspaceId, delivery_for},
    retry::RetryPlan,
    time::Timestamp,
};
use leadline_store::{
    deliveries::LeadFacts,
    destinations::{Destination, SealedAccess},
    events::Event,
};
use rstest::rstest;
use serde_json::{Value, json};
use uuid::Uuid;

use super::jobs_for;

const HOME: u128 = 1;
const ABROAD: u128 = 2;

pub(super) fn destination(number: u128, workspace: u128, events: &[&str], project: Option<u128>) -> Destination {
    Destination {
        id: DestinationId(Uuid::from_u128(number)),
        workspace_id: WorkspaceId(Uuid::from_u128(workspace)),
        project_id: project.map(|project| ProjectId(Uuid::from_u128(project))),
        name: String::new(),
        url: String::new(),
        events: events.iter().map(|event| (*event).to_owned()).collect(),
        format: "leadline".to_owned(),
        template: None,
        rules: Rules::default(),
        retry_plan: RetryPlan::Standard,
        secret_sealed: String::new(),
        secret_last4: String::new(),
        previous_secret: None,
        headers_sealed: None,
        header_names: Vec::new(),
        access: SealedAccess::default(),
        is_active: true,
        disabled_reason: None,
        max_in_flight: 8,
        created_at: Timestamp(0),
        updated_at: Timestamp(0),
    }
}

fn event(number: u128, kind: &str, submission: Option<u128>) -> Event {
    Event {
        id: EventId(Uuid::from_u128(number)),
        workspace_id: WorkspaceId(Uuid::from_u128(HOME)),
        kind: kind.to_owned(),
        lead_id: Some(LeadId(Uuid::from_u128(7))),
        submission_id: submission.map(|id| SubmissionId(Uuid::from_u128(id))),
        data: Value::Null,
        created_at: Timestamp(5),
    }
}

fn facts(project: u128, is_test: bool) -> LeadFacts {
    LeadFacts {
        id: LeadId(Uuid::from_u128(7)),
        project_id: ProjectId(Uuid::from_u128(project)),
        is_test,
        source: "form".to_owned(),
        source_id: None,
        tags: vec!["vip".to_owned()],
        stage_id: StageId(Uuid::from_u128(4)),
        score: 40,
        suspicion: 10,
    }
}

#[rstest]
#[case::chosen(&["lead.created"], HOME, None, false, "production", true)]
#[case::not_chosen(&["lead.updated"], HOME, None, false, "production", false)]
#[case::somebody_elses(&["lead.created"], ABROAD, None, false, "production", false)]
#[case::of_the_project(&["lead.created"], HOME, Some(3), false, "production", true)]
#[case::of_another_project(&["lead.created"], HOME, Some(4), false, "production", false)]
#[case::a_test_in_production(&["lead.created"], HOME, None, true, "production", false)]
#[case::in_development(&["lead.created"], HOME, None, true, "development", false)]
fn a_destination_gets_what_it_wants(
    #[case] events: &[&str],
    #[case] workspace: u128,
    #[case] project: Option<u128>,
    #[case] is_test: bool,
    #[case] environment: &str,
    #[case] wanted: bool,
) {
    let destinations = [destination(1, workspace, events, project)];

    let jobs = jobs_for(&[event(9, "lead.created", None)], &destinations, &[facts(3, is_test)], environment);

    assert_eq!(jobs.len(), usize::from(wanted));
}

#[rstest]
#[case::a_test_where_tests_are_wanted(Rules { includes_tests: true, ..Rules::default() }, "production", true)]
#[case::a_test_in_development(Rules { in_development: true, ..Rules::default() }, "development", true)]
#[case::filtered_out(Rules { includes_tests: true, filter: Filter { min_score: Some(41), ..Filter::default() }, ..Rules::default() }, "production", false)]
#[case::admitted(Rules { includes_tests: true, filter: Filter { tags: vec!["vip".into()], ..Filter::default() }, ..Rules::default() }, "production", true)]
fn a_destination_that_has_rules_gets_what_they_say(
    #[case] rules: Rules,
    #[case] environment: &str,
    #[case] wanted: bool,
) {
    let destinations = [Destination { rules, ..destination(1, HOME, &["lead.created"], None) }];

    let jobs = jobs_for(&[event(9, "lead.created", None)], &destinations, &[facts(3, true)], environment);

    assert_eq!(jobs.len(), usize::from(wanted));
}

#[rstest]
#[case::at_once(0, Some(30), None, &[])]
#[case::later(3_600_000, Some(30), None, &["lead.resubmitted"])]
#[case::late_enough_for_this_one(3_600_000, None, Some(1), &["lead.re_engaged"])]
fn a_lead_that_comes_again_is_told_by_how_long_it_was_silent(
    #[case] silence_ms: i64,
    #[case] window: Option<i64>,
    #[case] reengage: Option<i64>,
    #[case] told: &[&str],
) {
    let rules = Rules { duplicate_window_minutes: window, reengage_after_hours: reengage, ..Rules::default() };
    let destinations = [Destination { rules, ..destination(1, HOME, &["lead.resubmitted", "lead.re_engaged"], None) }];
    let again = Event { data: json!({"silenceMs": silence_ms}), ..event(9, "lead.resubmitted", Some(8)) };

    let jobs = jobs_for(&[again], &destinations, &[facts(3, false)], "production");

    assert_eq!(jobs.iter().map(|job| job.event.as_str()).collect::<Vec<_>>(), told);
}

#[rstest]
#[case::a_submission_announces_itself("lead.created", Some(8), 8)]
#[case::a_submission_that_updates("lead.updated", Some(8), 8)]
#[case::a_change("lead.updated", None, 9)]
fn a_delivery_is_named_after_its_submission_or_else_its_event(
    #[case] kind: &str,
    #[case] submission: Option<u128>,
    #[case] origin: u128,
) {
    let destinations = [destination(1, HOME, &["lead.created", "lead.updated"], None)];

    let jobs = jobs_for(&[event(9, kind, submission)], &destinations, &[facts(3, false)], "production");

    assert_eq!(jobs[0].id, delivery_for(Uuid::from_u128(origin), destinations[0].id));
    assert_eq!(jobs, jobs_for(&[event(9, kind, submission)], &destinations, &[facts(3, false)], "production"));
}

#[test]
fn a_submission_is_announced_to_a_destination_once_with_the_weightiest_event() {
    let destinations = [destination(1, HOME, &["lead.resubmitted", "lead.re_engaged"], None)];
    let events = [event(9, "lead.resubmitted", Some(8)), event(10, "lead.re_engaged", Some(8))];

    let jobs = jobs_for(&events, &destinations, &[facts(3, false)], "production");

    assert_eq!(jobs.iter().map(|job| job.event.as_str()).collect::<Vec<_>>(), ["lead.re_engaged"]);
}
