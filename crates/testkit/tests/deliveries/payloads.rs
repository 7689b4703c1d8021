//! What is told of a lead, by event and from the spool.

use std::time::Duration;

use leadline_domain::{
    ids::{DeliveryId, WorkspaceId},
    time::Timestamp,
};
use leadline_engine::{
    capture,
    delivery::{
        self,
        destinations::Wish,
        payload::{Format, Sample, Shape, leadline::Workspace, sample},
    },
};
use leadline_store::deliveries::State;
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use super::{all, assert_signed, destination, destination_with, wish};

#[test]
fn a_payload_is_json_with_the_promised_keys() {
    let ids = std::array::from_fn(|n| uuid::Uuid::from_u128(n as u128));
    let made_up = Sample {
        event: "lead.created",
        ids,
        delivery_id: DeliveryId(uuid::Uuid::from_u128(8)),
        workspace: Workspace { id: WorkspaceId(uuid::Uuid::from_u128(9)), slug: "acme" },
        environment: "production",
        now: Timestamp(0),
    };

    let text = sample(&Shape::Fixed(Format::Leadline), &made_up).expect("a sample");

    let payload: Value = serde_json::from_str(&text).expect("JSON");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&payload), "createdAt environment event id lead submission test version workspace");
    assert_eq!(
        keys(&payload["lead"]),
        "closeReason company createdAt currency customFields email firstTouch id lastTouch leadAnalysis name number \
         phone projectId projectName quotable quoteValue salesValue score source sourceName stage state \
         submissionCount suspicion tags title updatedAt"
    );
    assert_eq!(keys(&payload["submission"]), "fields id match message pageUrl receivedAt referrer");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_names_the_conversation_and_the_one_before(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let events = Some(vec!["lead.created".into(), "lead.re_engaged".into()]);
    destination_with(&app, Wish { events, ..wish(&receiver.url()) }).await;
    let began_at = app.now();
    let by_widget = async || {
        let mut submission = spooled(&app).await;
        submission.intake.kind = "widget".to_owned();
        app.engine.door.accept(submission.clone()).await.expect("accepted");
        app.run_jobs().await;
        capture::conversations::of_submission(submission.id).to_string()
    };

    let first = by_widget().await;
    app.advance(Duration::from_secs(25 * 3_600));
    let second = by_widget().await;

    let [created, came_back] = &receiver.received()[..] else { panic!("told twice") };
    assert_eq!(created.json()["conversationId"], first);
    assert_eq!(created.json().get("lastConversationAt"), None);
    assert_eq!(came_back.json()["event"], "lead.re_engaged");
    assert_eq!(came_back.json()["conversationId"], second);
    assert_eq!(came_back.json()["lastConversationAt"], began_at.to_string());
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_from_the_spool_is_recorded_and_not_told_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, failing) = (Receiver::start().await, Receiver::start().await);
    let told = destination(&app, &receiver.url()).await;
    destination(&app, &failing.url()).await;
    failing.answers([Answer::Status(500)]);
    app.engine.known.refresh(&app.engine).await.expect("known");
    let submission = spooled(&app).await;

    let prepared = capture::prepare(&app.engine.keys, submission.clone()).expect("somebody");
    let forwarded = delivery::forward_spooled(&app.engine, &prepared).await;
    let pairs: Vec<_> = forwarded.iter().map(|one| (&submission, one)).collect();
    delivery::record_forwarded(&app.engine, &pairs).await.expect("recorded");
    delivery::record_forwarded(&app.engine, &pairs).await.expect("recorded again, after a replay that was cut short");
    app.engine.door.accept(submission.clone()).await.expect("accepted");
    app.run_jobs().await;

    let [first] = &receiver.received()[..] else { panic!("told once") };
    assert_signed(first, &told.secret, app.now());
    assert_eq!(failing.received().len(), 2, "what did not arrive is sent as a delivery");
    let deliveries = all(&app).await;
    assert!(deliveries.iter().all(|one| one.state == State::Delivered && one.lead_id.is_some()), "{deliveries:?}");
    let spooled = deliveries.iter().find(|one| one.destination_id == told.destination.id).expect("recorded");
    assert_eq!(first.header("webhook-id"), spooled.id.to_string());
    assert_eq!(first.json()["id"], spooled.event_id.to_string());
    assert_eq!(failing.received()[0].json()["id"], failing.received()[1].json()["id"]);
    assert_eq!(first.json()["lead"]["email"], "ada@example.com");
    assert_eq!(app.count("delivery_attempts").await, 2);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn from_the_spool_each_destination_is_told_in_its_own_format(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    destination(&app, &ours.url()).await;
    let format = Some(Format::WhatConverts.as_str().to_owned());
    destination_with(&app, Wish { format, ..wish(&theirs.url()) }).await;
    app.engine.known.refresh(&app.engine).await.expect("known");
    let prepared = capture::prepare(&app.engine.keys, spooled(&app).await).expect("somebody");

    let forwarded = delivery::forward_spooled(&app.engine, &prepared).await;

    assert_eq!(forwarded.len(), 2);
    assert_eq!(ours.received()[0].json()["lead"]["email"], "ada@example.com");
    let told = theirs.received()[0].json();
    assert_eq!((&told["trigger"], &told["lead_id"]), (&json!("new"), &Value::Null));
    assert_eq!((&told["contact_name"], &told["email_address"]), (&json!("Ada"), &json!("ada@example.com")));
    assert_eq!(told["additional_fields"], json!({"name": "Ada", "email": "ada@example.com"}));
    app.stop().await;
}

async fn spooled(app: &TestApp) -> capture::Submission {
    let intake = app.engine.door.intakes().direct(app.workspace, Some(app.project)).await;
    let intake = intake.expect("the store answers").expect("the project is there");
    let fields = vec![("name".to_owned(), json!("Ada")), ("email".to_owned(), json!("ada@example.com"))];
    capture::Submission::new(&app.engine, intake, fields, capture::Request::default(), None)
}
