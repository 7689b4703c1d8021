//! Alerts: silent sources, failing destinations and books that differ are said once, by one node, and are over when
//! their reason is.

use std::time::Duration;

use leadline_domain::ids::{DestinationId, SourceId};
use leadline_engine::{
    alerts::{self, Wish, watch::watch},
    capture::{Request, Submission},
    delivery::destinations::{self, Wish as DestinationWish},
    sources::{self, FormChange},
};
use leadline_store::alerts::{self as stored, Alert};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::json;

const HOUR: Duration = Duration::from_secs(3_600);

async fn form(app: &TestApp) -> (SourceId, String) {
    let change = FormChange { name: Some("Contact".into()), ..FormChange::default() };
    let form = sources::create_form(&app.engine, &app.actor(), change).await.expect("a form");
    (form.id, form.key)
}

async fn watched_form(app: &TestApp) -> (SourceId, String) {
    let (form, key) = form(app).await;
    let wish = Wish { silent_after_minutes: 120, cooldown_minutes: 300, business_hours: None };
    alerts::watch_source(&app.engine, &app.actor(), form, Some(wish)).await.expect("watched");
    (form, key)
}

async fn post(app: &TestApp, key: &str, name: &str) {
    let intake = app.engine.door.intakes().by_key("form", key).await.expect("the store answers").expect("the form");
    let fields = [("name".to_owned(), json!(name))].into_iter().collect();
    let submission = Submission::new(&app.engine, intake, fields, Request::default(), None);
    app.engine.door.accept(submission).await.expect("accepted");
    app.run_jobs().await;
}

async fn subscribe(app: &TestApp, receiver: &Receiver, events: &[&str]) -> DestinationId {
    let wish = DestinationWish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(events.iter().map(|event| (*event).to_owned()).collect()),
        ..DestinationWish::default()
    };
    let made = destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination");
    made.destination.id
}

async fn listed(app: &TestApp, is_open: bool) -> Vec<Alert> {
    let reader = app.engine.store.reader();
    stored::list(&reader, app.workspace, is_open, 50, 0).await.expect("alerts").rows
}

async fn kinds(app: &TestApp) -> Vec<String> {
    listed(app, true).await.into_iter().map(|alert| alert.kind).collect()
}

async fn look(app: &TestApp) {
    watch(&app.engine).await.expect("looked");
    app.run_jobs().await;
}

async fn look_after(app: &TestApp, span: Duration) {
    app.advance(span);
    look(app).await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_silent_source_is_said_once_and_recovers_with_its_next_lead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    subscribe(&app, &receiver, &["source.silent", "source.recovered"]).await;
    let (id, key) = watched_form(&app).await;
    post(&app, &key, "ada").await;

    look_after(&app, HOUR).await;
    assert!(kinds(&app).await.is_empty());
    look_after(&app, HOUR).await;
    look_after(&app, HOUR).await;
    let open = listed(&app, true).await;
    assert_eq!((open.len(), open[0].kind.as_str(), open[0].subject_id), (1, "source.silent", id.0));
    post(&app, &key, "bob").await;
    look_after(&app, HOUR).await;

    assert!(kinds(&app).await.is_empty());
    let told: Vec<_> = receiver.received().iter().map(leadline_testkit::Received::json).collect();
    let said: Vec<_> = told.iter().map(|body| (&body["event"], &body["alert"]["sourceName"])).collect();
    assert_eq!(said, [(&json!("source.silent"), &json!("Contact")), (&json!("source.recovered"), &json!("Contact"))]);
    assert_eq!((&told[0]["lead"], &told[0]["alert"]["silentMinutes"]), (&json!(null), &json!(120)));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_next_silence_waits_for_the_cooldown(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (_, key) = watched_form(&app).await;
    look_after(&app, 2 * HOUR).await;
    assert_eq!(kinds(&app).await, ["source.silent"]);
    post(&app, &key, "ada").await;
    look_after(&app, HOUR).await;

    look_after(&app, 3 * HOUR).await;
    assert!(kinds(&app).await.is_empty(), "four hours of five");
    look_after(&app, HOUR).await;

    assert_eq!((kinds(&app).await.len(), listed(&app, false).await.len()), (1, 1));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_alert_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    watched_form(&app).await;
    app.advance(3 * HOUR);

    let nodes = (0..8).map(|_| {
        let engine = app.engine.clone();
        tokio::spawn(async move { watch(&engine).await })
    });
    for node in nodes.collect::<Vec<_>>() {
        node.await.expect("a node").expect("looked");
    }

    assert_eq!(kinds(&app).await, ["source.silent"]);
    assert_eq!(app.count("events WHERE kind = 'source.silent'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_source_that_is_watched_no_longer_or_deleted_is_not_silent(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (first, _) = watched_form(&app).await;
    let (second, _) = watched_form(&app).await;
    look_after(&app, 3 * HOUR).await;
    assert_eq!(kinds(&app).await.len(), 2);

    alerts::watch_source(&app.engine, &app.actor(), first, None).await.expect("watched no longer");
    sources::delete(&app.engine, &app.actor(), "form", second).await.expect("deleted");
    look_after(&app, HOUR).await;

    assert!(kinds(&app).await.is_empty());
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_destination_is_said_to_the_others_until_something_arrives(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (broken, other) = (Receiver::start().await, Receiver::start().await);
    let failing = subscribe(&app, &broken, &["lead.created", "destination.failing", "destination.recovered"]).await;
    subscribe(&app, &other, &["destination.failing", "destination.recovered"]).await;
    broken.answers([Answer::Status(200), Answer::Status(400)]);
    app.submit(json!({"name": "ada"})).await;
    app.run_jobs().await;
    look(&app).await;
    assert!(kinds(&app).await.is_empty());

    app.advance(HOUR);
    app.submit(json!({"name": "bob"})).await;
    app.run_jobs().await;
    look_after(&app, HOUR).await;
    let open = listed(&app, true).await;
    assert_eq!(
        (open[0].kind.as_str(), open[0].subject_id, &open[0].data["status"]),
        ("destination.failing", failing.0, &json!(400))
    );
    app.submit(json!({"name": "cora"})).await;
    app.run_jobs().await;
    look_after(&app, HOUR).await;

    assert!(kinds(&app).await.is_empty());
    let said: Vec<_> = other.received().iter().map(|request| request.header("x-leadline-event").to_owned()).collect();
    assert_eq!(said, ["destination.failing", "destination.recovered"]);
    assert_eq!(broken.received().len(), 3, "one that fails is not told of itself");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn books_that_differ_are_an_alert(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    app.submit(json!({"name": "ada"})).await;
    look_after(&app, HOUR).await;
    assert!(kinds(&app).await.is_empty());

    app.submit(json!({"name": "bob"})).await;
    app.execute("DELETE FROM lead_submissions WHERE name = 'bob'").await;
    app.run_jobs().await;
    look_after(&app, HOUR).await;

    let open = listed(&app, true).await;
    assert_eq!((open[0].kind.as_str(), &open[0].data["missing"]), ("ledger.differs", &json!(1)));
    app.stop().await;
}
