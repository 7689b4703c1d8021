//! The books: silent where all is well, and loud about each thing that somebody breaks on purpose.

use std::time::Duration;

use leadline_domain::{ids::SubmissionId, time::Timestamp};
use leadline_engine::{
    capture::replay,
    delivery::{self, destinations::Wish, replay::replay_delivery},
};
use leadline_store::{
    deliveries::{self, Filter},
    ledger::{self, Counts, Day},
    verify::{self, Report},
};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::json;
use uuid::Uuid;

async fn connect(app: &TestApp, receiver: &Receiver) {
    let wish = Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.created".into(), "lead.resubmitted".into()]),
        ..Wish::default()
    };
    delivery::destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination");
}

async fn lead(app: &TestApp, name: &str) -> SubmissionId {
    app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await.receipt
}

async fn report(app: &TestApp) -> Report {
    verify::run(&app.engine.store.reader(), app.now()).await.expect("the database can be read")
}

/// What is wrong, by name, with how many.
async fn wrong(app: &TestApp) -> Vec<(&'static str, i64)> {
    let checks = report(app).await.checks;
    checks.into_iter().filter(|check| !check.adds_up()).map(|check| (check.name, check.wrong)).collect()
}

async fn fold(app: &TestApp) {
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    assert!(!ledger::fold(&mut tx).await.expect("folded"));
    tx.commit().await.expect("a commit");
}

/// The books of the workspace, all days together.
async fn books(app: &TestApp) -> Counts {
    let whole = Day { day: 0, from_at: 0, until_at: i64::MAX };
    let lines = ledger::list_days(&app.engine.store.reader(), app.workspace, &[whole]).await.expect("the books");
    let mut all = Counts::default();
    lines.into_iter().for_each(|line| all.add_all(line.counts));
    all
}

/// A day's worth of everything: three leads, one of them twice; one delivery fails for good.
async fn a_busy_day(app: &TestApp, receiver: &Receiver) {
    connect(app, receiver).await;
    receiver.answers([Answer::Status(400)]);
    for name in ["ada", "bob", "cora", "ada"] {
        lead(app, name).await;
    }
    app.run_jobs().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn where_all_is_well_nothing_is_said(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;

    a_busy_day(&app, &receiver).await;

    let before = books(&app).await;
    assert_eq!(wrong(&app).await, []);
    fold(&app).await;
    assert_eq!((books(&app).await, wrong(&app).await), (before, vec![]));
    let expected = Counts { accepted: 4, stored: 4, owed: 4, delivered: 3, dead: 1, ..Counts::default() };
    assert_eq!((before, before.missing(), before.pending()), (expected, 0, 0));
    let totals = report(&app).await.totals;
    assert_eq!((totals.accepted, totals.stored, totals.delivered, totals.dead, totals.pending), (4, 4, 3, 1, 0));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn waiting_is_no_fault_and_a_replay_or_a_deleted_destination_keeps_the_books_right(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    connect(&app, &receiver).await;
    receiver.answers([Answer::Status(200), Answer::Status(503)]);
    lead(&app, "ada").await;
    app.run_jobs().await;
    lead(&app, "bob").await;
    assert_eq!(wrong(&app).await, [], "an event that was just made");
    app.run_jobs().await;
    assert_eq!((books(&app).await.pending(), wrong(&app).await), (1, vec![]), "a retry that is due later");

    let page = deliveries::list(&app.engine.store.reader(), app.workspace, &Filter::default(), 10, 0).await;
    let rows = page.expect("deliveries").rows;
    let done = rows.iter().find(|row| row.state == deliveries::State::Delivered).expect("one arrived");
    assert!(replay_delivery(&app.engine, &app.actor(), done.id).await.expect("replayed"));
    assert_eq!((books(&app).await.pending(), wrong(&app).await), (2, vec![]));
    receiver.answers([Answer::Status(200)]);
    delivery::deliver_due(&app.engine).await.expect("sent");
    assert_eq!((books(&app).await.pending(), wrong(&app).await), (1, vec![]), "arrived twice, because somebody asked");

    delivery::destinations::delete_destination(&app.engine, &app.actor(), done.destination_id).await.expect("deleted");
    let counts = books(&app).await;
    assert_eq!((counts.pending(), counts.cancelled, counts.delivered), (0, 1, 1));
    assert_eq!(wrong(&app).await, []);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_the_spool_took_is_booked_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    app.stop_writers().await;
    lead(&app, "ada").await;
    assert_eq!(books(&app).await, Counts::default());

    app.restart().await;
    replay::replay(&app.engine).await.expect("replayed");
    replay::replay(&app.engine).await.expect("nothing left");
    app.run_jobs().await;

    assert_eq!((books(&app).await.accepted, books(&app).await.stored), (1, 1));
    assert_eq!(wrong(&app).await, []);
    app.stop().await;
}

/// Something that somebody breaks, and what must be said of it.
#[rstest]
#[case::a_submission("DELETE FROM lead_submissions WHERE name = 'bob'", &[
    ("leads whose submissions do not add up", 1),
    ("announced submissions that are gone", 1),
    ("submissions that were accepted and are not stored", 1),
])]
#[case::a_lead_with_all_its_traces(
    "DELETE FROM lead_submissions WHERE name = 'bob'; DELETE FROM events WHERE lead_id IN
        (SELECT id FROM leads WHERE name = 'bob');
     UPDATE lead_stage_counts SET n = n - 1 WHERE id = (SELECT id FROM lead_stage_counts WHERE n > 0 LIMIT 1);
     DELETE FROM leads WHERE name = 'bob'",
    &[("submissions that were accepted and are not stored", 1)],
)]
#[case::a_lead("DELETE FROM leads WHERE name = 'bob'", &[
    ("submissions without a lead", 1), ("stages whose count does not add up", 1),
])]
#[case::a_contact("DELETE FROM contacts WHERE display_name = 'bob'", &[("leads without a contact", 1)])]
#[case::a_count("UPDATE leads SET submission_count = 7 WHERE name = 'bob'", &[
    ("leads whose submissions do not add up", 1),
])]
#[case::a_second_delivery(
    "INSERT INTO deliveries (id, workspace_id, destination_id, event_id, event, lead_id, submission_id, state,
         attempt_count, plan_attempt, next_attempt_at, created_at, finished_at)
     SELECT $ID, workspace_id, destination_id, event_id, event, lead_id, submission_id, state, attempt_count,
         plan_attempt, next_attempt_at, created_at, finished_at FROM deliveries WHERE state = 'dead'",
    &[("deliveries made twice", 1)],
)]
#[case::a_second_delivery_of_another_event(
    "INSERT INTO deliveries (id, workspace_id, destination_id, event_id, event, lead_id, submission_id, state,
         attempt_count, plan_attempt, next_attempt_at, created_at, finished_at)
     SELECT $ID, workspace_id, destination_id, $ID, event, lead_id, submission_id, state, attempt_count,
         plan_attempt, next_attempt_at, created_at, finished_at FROM deliveries WHERE state = 'dead'",
    &[("deliveries made twice", 1)],
)]
#[case::a_second_arrival(
    "INSERT INTO delivery_attempts (id, workspace_id, delivery_id, number, started_at, duration_ms, status,
         request_headers, response_headers)
     SELECT $ID, workspace_id, delivery_id, number + 1, started_at, duration_ms, status, request_headers,
         response_headers FROM delivery_attempts
     WHERE delivery_id = (SELECT id FROM deliveries WHERE state = 'delivered' LIMIT 1)",
    &[("deliveries that arrived twice", 1)],
)]
#[case::an_event_nobody_dispatches("UPDATE events SET dispatched = false, created_at = created_at - 61000
     WHERE kind = 'lead.created' AND lead_id IN (SELECT id FROM leads WHERE name = 'bob')", &[("events that nobody dispatches", 1)])]
#[case::a_lease_long_past(
    "UPDATE deliveries SET state = 'pending', leased_until = created_at - 301000 WHERE state = 'dead'",
    &[("deliveries that are owed and not there", 1), ("deliveries that nobody makes", 1)],
)]
#[case::a_lease_without_end(
    "UPDATE deliveries SET state = 'pending', leased_until = created_at + 86400000 WHERE state = 'dead'",
    &[("deliveries that are owed and not there", 1), ("deliveries that nobody makes", 1)],
)]
#[case::a_delivery_long_due(
    "UPDATE deliveries SET state = 'pending', leased_until = NULL, next_attempt_at = created_at - 301000
     WHERE state = 'dead'",
    &[("deliveries that are owed and not there", 1), ("deliveries that nobody makes", 1)],
)]
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_breaks_is_found(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] statements: &str,
    #[case] expected: &[(&str, i64)],
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    a_busy_day(&app, &receiver).await;
    fold(&app).await;
    assert_eq!(wrong(&app).await, []);

    let cast = if db == Db::Postgres { "::uuid" } else { "" };
    for statement in statements.split(';') {
        let mut statement = statement.to_owned();
        while statement.contains("$ID") {
            statement = statement.replacen("$ID", &format!("'{}'{cast}", Uuid::now_v7()), 1);
        }
        app.execute(&statement).await;
    }

    let found = report(&app).await;
    assert_eq!(wrong(&app).await, expected);
    let named = found.checks.iter().filter(|check| !check.adds_up()).all(|check| !check.examples.is_empty());
    assert!(named, "each is named: {found:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_or_erased_is_not_missed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    connect(&app, &receiver).await;
    let accepted = app.submit(json!({"name": "ada", "email": "ada@example.com"})).await;
    let lead = accepted.lead.expect("a lead");
    app.run_jobs().await;

    leadline_engine::crm::leads::delete(&app.engine, &app.actor(), lead).await.expect("deleted");
    app.run_jobs().await;
    assert_eq!(wrong(&app).await, []);

    let (elsewhere, _) = app.make_workspace("elsewhere").await;
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let none = ledger::erase_submissions(&mut tx, elsewhere, &[accepted.receipt]).await.expect("nothing of theirs");
    let erased = ledger::erase_submissions(&mut tx, app.workspace, &[accepted.receipt]).await.expect("erased");
    tx.commit().await.expect("a commit");
    app.execute("DELETE FROM leads").await;
    assert_eq!((none, erased, wrong(&app).await), (0, 1, vec![]));
    assert_eq!((books(&app).await.erased, app.count("lead_captures").await), (1, 0));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_vanishes_before_its_event_is_dispatched_is_a_difference(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    lead(&app, "ada").await;
    lead(&app, "bob").await;
    let difference = async || {
        let since = Timestamp(0);
        let found = ledger::find_difference(&app.engine.store.reader(), app.workspace, since).await;
        found.expect("the books").map(|difference| difference.missing)
    };
    assert_eq!(difference().await, None, "both wait to be dispatched");

    app.execute("DELETE FROM lead_submissions WHERE name = 'bob'").await;
    app.run_jobs().await;

    assert_eq!((difference().await, books(&app).await.missing()), (Some(1), 1));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_day_holds_what_came_between_its_ends(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let quarter = ledger::bucket(app.now());
    lead(&app, "ada").await;
    app.advance(Duration::from_secs(900));
    lead(&app, "bob").await;
    fold(&app).await;
    app.advance(Duration::from_secs(900));
    lead(&app, "cora").await;

    let days: Vec<Day> =
        (0..2).map(|n| Day { day: n, from_at: quarter + n * 900_000, until_at: quarter + (n + 1) * 900_000 }).collect();
    let lines = ledger::list_days(&app.engine.store.reader(), app.workspace, &days).await.expect("the books");
    let (elsewhere, _) = app.make_workspace("elsewhere").await;
    let theirs = ledger::list_days(&app.engine.store.reader(), elsewhere, &days).await.expect("the books");

    let accepted: Vec<(i64, i64)> = lines.iter().map(|line| (line.day, line.counts.accepted)).collect();
    assert_eq!(accepted, [(0, 1), (1, 1)]);
    assert!(lines.iter().all(|line| line.source == ledger::NO_SOURCE));
    assert!(theirs.is_empty());
    app.stop().await;
}
