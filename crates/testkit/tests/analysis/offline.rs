//! The estimate that is made without anybody else.

use leadline_engine::analysis::{self, AgainError, Change};
use leadline_store::analyses::{self, Lane, OwnTopic};
use leadline_testkit::{Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::{Value, json};
use std::time::Duration;

use super::{change, message, on_lead};

#[rstest]
#[tokio::test]
async fn a_message_is_analysed_once_it_came_and_the_lead_says_how(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let keywords = Some(vec!["licence*".to_owned(), "fax".to_owned()]);
    change(&app, Change { keywords, ..Change::default() }).await;
    let lead = message(&app, "a@example.com", "Could you send me a quote for 25 licences?").await;
    assert_eq!(on_lead(&app, lead).await, Value::Null);

    let analysed = app.run_analyses().await;

    let found = on_lead(&app, lead).await;
    assert_eq!(analysed, 1);
    assert_eq!((&found["method"], &found["version"], &found["fallback"]), (&json!("offline"), &json!(1), &Value::Null));
    assert_eq!((&found["language"], &found["keywords"]), (&json!("en"), &json!(["licence*"])));
    assert_eq!((&found["intent"]["label"], &found["topic"]["label"]), (&json!("purchase"), &json!("pricing")));
    assert_eq!(found["summary"], "Could you send me a quote for 25 licences?");
    assert_eq!(app.count("lead_analyses WHERE state = 'done' AND result IS NOT NULL").await, 1);
    assert_eq!(app.count("events WHERE kind = 'lead.analysed'").await, 1);
    assert_eq!(app.run_analyses().await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_lead_shows_its_newest_message_whichever_is_analysed_last(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = message(&app, "a@example.com", "What does it cost?").await;
    app.run_analyses().await;
    app.advance(Duration::from_secs(60));
    message(&app, "a@example.com", "I can't log in and nobody answers. Terrible!").await;
    app.run_analyses().await;

    // The first one once more, as after a node that died with it in hand.
    app.execute(
        "UPDATE lead_analyses SET state = 'pending', due_at = 0 WHERE received_at = (SELECT min(received_at) FROM lead_analyses)",
    )
    .await;
    let analysed = app.run_analyses().await;

    assert_eq!(analysed, 1);
    assert_eq!(on_lead(&app, lead).await["sentiment"]["label"], "negative");
    assert_eq!(app.count("lead_analyses WHERE state = 'done'").await, 2);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_says_nothing_is_not_analysed_and_who_wants_none_gets_none(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    app.submit(json!({"email": "a@example.com"})).await;
    let before = message(&app, "b@example.com", "Hello").await;
    leadline_engine::dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    change(&app, Change { is_enabled: Some(false), ..Change::default() }).await;
    let after = message(&app, "c@example.com", "Hello").await;

    app.run_analyses().await;

    assert_eq!(app.count("lead_analyses").await, 1);
    assert_eq!(app.count("lead_analyses WHERE state = 'skipped'").await, 1);
    assert_eq!((on_lead(&app, before).await, on_lead(&app, after).await), (Value::Null, Value::Null));
    let again = analysis::analyse_again(&app.engine, &app.actor(), before).await;
    assert!(matches!(again, Err(AgainError::Off)), "{again:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_job_whose_process_died_goes_on_and_counts_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = message(&app, "a@example.com", "What does it cost?").await;
    leadline_engine::dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    // A process leases it and is gone.
    let (now, until) = (app.now(), app.now().plus_ms(180_000));
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let leased = analyses::lease(&mut tx, Lane::Offline, 10, now, until).await.expect("a lease");
    tx.commit().await.expect("committed");
    assert_eq!(leased.len(), 1);

    let while_leased = app.run_analyses().await;
    app.advance(Duration::from_secs(180));
    let after = app.run_analyses().await;

    assert_eq!((while_leased, after), (0, 1));
    assert_eq!(on_lead(&app, lead).await["method"], "offline");
    // The one that was thought dead comes with its result after all.
    let late = analyses::Finished {
        submission_id: leased[0].submission_id,
        workspace_id: app.workspace,
        lead_id: lead,
        attempt_count: leased[0].attempt_count,
        state: "done",
        result: Some(json!({"method": "late"})),
    };
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let counted = analyses::finish(&mut tx, &[late], app.now()).await.expect("a result");
    tx.commit().await.expect("committed");
    assert_eq!(counted, []);
    assert_eq!(on_lead(&app, lead).await["method"], "offline");
    assert_eq!(app.count("events WHERE kind = 'lead.analysed'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_is_analysed_again_by_the_settings_of_today(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let lead = message(&app, "a@example.com", "Twelve solar panels for the barn, please").await;
    let silent = app.submit(json!({"email": "b@example.com"})).await.lead.expect("a lead");
    app.run_analyses().await;
    let topics = vec![OwnTopic { name: "Solar".to_owned(), words: vec!["solar panel*".to_owned()] }];
    change(&app, Change { topics: Some(topics), ..Change::default() }).await;

    analysis::analyse_again(&app.engine, &app.actor(), lead).await.expect("queued");
    let of_silent = analysis::analyse_again(&app.engine, &app.actor(), silent).await;
    let (stranger, _) = app.make_workspace("stranger").await;
    let of_stranger = analysis::analyse_again(&app.engine, &app.actor_in(stranger), lead).await;
    app.run_analyses().await;

    assert_eq!(on_lead(&app, lead).await["topic"]["label"], "Solar");
    assert!(matches!(of_silent, Err(AgainError::NoMessage)), "{of_silent:?}");
    assert!(matches!(of_stranger, Err(AgainError::NoMessage)), "{of_stranger:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_destination_can_have_the_analysis(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let wish = leadline_engine::delivery::destinations::Wish {
        name: Some("CRM".into()),
        url: Some(receiver.url()),
        events: Some(vec!["lead.analysed".into()]),
        ..Default::default()
    };
    let made = leadline_engine::delivery::destinations::create_destination(&app.engine, &app.actor(), &wish).await;
    made.expect("a destination");
    message(&app, "a@example.com", "What does it cost?").await;

    app.run_analyses().await;
    app.run_jobs().await;

    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(request.header("x-leadline-event"), "lead.analysed");
    assert_eq!(request.json()["lead"]["leadAnalysis"]["intent"]["label"], "purchase");
    assert_eq!(request.json()["submission"]["message"], "What does it cost?");
    app.stop().await;
}
