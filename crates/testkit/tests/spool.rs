//! The store stalls: submissions are taken all the same, destinations told, and afterwards everything is stored once and
//! nobody told twice.

use std::{collections::BTreeMap, time::Duration};

use leadline_engine::{
    capture::replay,
    delivery::destinations,
    sources::{FormChange, create_form},
};
use leadline_testkit::{Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::json;

const SHORT: Duration = Duration::from_millis(100);

async fn connect(app: &TestApp, receiver: &Receiver) {
    let wish = destinations::Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.created".into(), "lead.resubmitted".into()]),
        headers: Some(BTreeMap::new()),
        ..destinations::Wish::default()
    };
    destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination");
    app.engine.known.refresh(&app.engine).await.expect("destinations are known");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_store_refuses_nobody_and_tells_nobody_twice(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start_working(db, SHORT).await;
    let receiver = Receiver::start().await;
    connect(&app, &receiver).await;
    let mut hints = app.engine.live.subscribe();
    app.submit(json!({"name": "Before", "email": "before@example.com"})).await;
    receiver.wait_for(1).await;

    let stalled = app.stall_database().await;
    let mut receipts = Vec::new();
    for n in 0..10 {
        let accepted = app.submit(json!({"name": "During", "email": format!("during{n}@example.com")})).await;
        assert!(!accepted.stored && accepted.lead.is_none());
        receipts.push(accepted.receipt);
    }
    receiver.wait_for(11).await;
    stalled.heal().await.expect("healed");
    app.engine.door.spool_handle().drained().await;
    // The application dispatches by itself, and a hint follows each commit of that.
    let mut announced = 0;
    while announced < 11 {
        let hint = hints.recv().await.expect("a hint");
        announced += usize::from(hint.data["kind"] == "lead.created");
    }

    assert_eq!(app.count("leads").await, 11);
    for receipt in receipts {
        let id = if db == Db::Postgres { format!("'{receipt}'::uuid") } else { format!("'{receipt}'") };
        assert_eq!(app.count(&format!("lead_submissions WHERE id = {id}")).await, 1);
    }
    assert_eq!(app.count("deliveries WHERE state = 'delivered'").await, 11);
    assert_eq!(app.count("deliveries").await, 11);
    assert_eq!(app.count("deliveries WHERE lead_id IS NULL").await, 0);
    assert_eq!(receiver.received().len(), 11);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_spool_survives_a_restart(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    app.stop_writers().await;
    let accepted = app.submit(json!({"name": "Anna", "submissionId": "0190b5a0-0000-7000-8000-000000000001"})).await;
    assert!(!accepted.stored);

    app.restart().await;
    replay::replay(&app.engine).await.expect("replayed");
    replay::replay(&app.engine).await.expect("nothing left");

    assert_eq!(app.count("lead_submissions").await, 1);
    assert_eq!(app.count("events").await, 1);
    assert!(app.engine.door.spool_handle().is_empty());
    let again = app.submit(json!({"name": "Anna", "submissionId": "0190b5a0-0000-7000-8000-000000000001"})).await;
    assert_eq!((again.receipt, again.duplicate), (accepted.receipt, true));
    app.stop().await;
}

/// A form that nobody has sent since this process began is known all the same.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_goes_away_first_makes_no_form_unknown(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    let change = FormChange { name: Some("Contact".into()), ..FormChange::default() };
    let form = create_form(&app.engine, &app.actor(), change).await.expect("a form");
    app.restart().await;
    app.engine.door.intakes().learn().await.expect("the store is there");

    app.engine.store.clone().close().await;

    let intakes = app.engine.door.intakes();
    let found = intakes.by_key("form", &form.key).await.expect("remembered").expect("the form");
    assert_eq!(found.source_id, Some(form.id));
    assert!(intakes.by_key("webhook", &form.key).await.is_err());
    app.stop().await;
}
