//! One submission split off a lead: what goes with it, who is taken for whom since, and putting it back.

use std::{collections::BTreeMap, time::Duration};

use leadline_domain::ids::{LeadId, SubmissionId};
use leadline_engine::crm::{
    merging,
    splitting::{self, SplitOffError},
};
use leadline_store::submissions::{self, Submission, Whose};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{contact, lead, read, timeline};

const VISITOR: &str = "0199aaaa-0000-7000-8000-000000000001";

/// Ada, and Bob at the same computer, who was taken for her.
async fn taken_for_one(app: &TestApp) -> (LeadId, SubmissionId) {
    let ada = lead(app, json!({"name": "Ada", "phone": "+442079460001", "__visitor_id": VISITOR})).await;
    app.advance(Duration::from_secs(60));
    let bob = json!({"name": "Bob", "email": "bob@example.com", "message": "A quote", "company": "Bolts", "__visitor_id": VISITOR});
    let accepted = app.submit(bob).await;
    assert_eq!(accepted.lead, Some(ada));
    app.advance(Duration::from_secs(60));
    app.run_jobs().await;
    (ada, accepted.receipt)
}

async fn submissions_of(app: &TestApp, lead: LeadId) -> Vec<Submission> {
    let reader = app.engine.store.reader();
    submissions::list(&reader, app.workspace, Whose::Lead(lead), 50, 0).await.expect("submissions").rows
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_submission_becomes_a_lead_with_what_it_says_and_takes_that_from_the_other(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (ada, submission) = taken_for_one(&app).await;
    assert_eq!(read(&app, ada).await.card.email.as_deref(), Some("bob@example.com"));

    let reason = Some("Two people at one computer");
    let bob = splitting::split_off(&app.engine, &app.actor(), ada, submission, reason).await.expect("split off");
    app.run_jobs().await;

    let made = read(&app, bob).await;
    assert_eq!((made.card.name.as_str(), made.card.email.as_deref()), ("Bob", Some("bob@example.com")));
    assert_eq!((made.card.company.as_deref(), made.card.submission_count), (Some("Bolts"), 1));
    let left = read(&app, ada).await;
    assert_eq!((left.card.name.as_str(), left.card.email.as_deref()), ("Ada", None));
    assert_eq!((left.card.phone.as_deref(), left.card.submission_count), (Some("+442079460001"), 1));
    assert_eq!(left.message, None);
    let (of_ada, of_bob) = (submissions_of(&app, ada).await, submissions_of(&app, bob).await);
    assert_eq!((of_ada.len(), of_bob.len(), of_bob[0].id), (1, 1, submission));
    assert_eq!(of_bob[0].match_reason["splitFrom"], json!(ada));
    assert_eq!(of_bob[0].match_reason["splitReason"], json!(reason));
    assert_ne!(made.contact_id, left.contact_id);
    assert_eq!(contact(&app, made.contact_id).await.email.as_deref(), Some("bob@example.com"));
    let told = |lines: Vec<(String, serde_json::Value)>| (lines[0].0.clone(), lines[0].1["leadId"].clone());
    assert_eq!(told(timeline(&app, ada).await), ("submission.split_off".into(), json!(bob)));
    assert_eq!(told(timeline(&app, bob).await), ("lead.made_by_split".into(), json!(ada)));
    assert_eq!(app.count("(SELECT sum(n) AS n FROM lead_stage_counts) AS c WHERE c.n = 2").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn its_sender_is_not_taken_for_the_other_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ada, submission) = taken_for_one(&app).await;
    let bob = splitting::split_off(&app.engine, &app.actor(), ada, submission, None).await.expect("split off");
    app.advance(Duration::from_secs(60));

    let by_email = lead(&app, json!({"email": "bob@example.com"})).await;
    let by_visitor = lead(&app, json!({"name": "Robert", "__visitor_id": VISITOR})).await;
    let by_phone = lead(&app, json!({"phone": "+442079460001"})).await;

    assert_eq!((by_email, by_visitor, by_phone), (bob, bob, ada));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_other_submissions_say_as_well_stays(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let ada = lead(&app, json!({"name": "Ada", "email": "ada@example.com"})).await;
    app.advance(Duration::from_secs(60));
    let again = app.submit(json!({"name": "Ada", "email": "ada@example.com", "message": "Again"})).await;

    let other = splitting::split_off(&app.engine, &app.actor(), ada, again.receipt, None).await.expect("split off");
    app.advance(Duration::from_secs(60));

    assert_eq!(read(&app, ada).await.card.email.as_deref(), Some("ada@example.com"));
    assert_eq!(lead(&app, json!({"email": "ada@example.com"})).await, ada);
    assert_ne!(other, ada);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn merging_puts_them_together_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ada, submission) = taken_for_one(&app).await;
    let bob = splitting::split_off(&app.engine, &app.actor(), ada, submission, None).await.expect("split off");

    merging::merge(&app.engine, &app.actor(), ada, bob, &BTreeMap::new()).await.expect("merged");

    assert_eq!(submissions_of(&app, ada).await.len(), 2);
    let whole = read(&app, ada).await;
    assert_eq!((whole.card.email.as_deref(), whole.card.submission_count), (Some("bob@example.com"), 2));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_only_submission_stays_and_so_does_what_is_of_others(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ada, submission) = taken_for_one(&app).await;
    let eve = app.submit(json!({"email": "eve@example.com"})).await;
    let split = async |lead, submission| splitting::split_off(&app.engine, &app.actor(), lead, submission, None).await;

    let only = split(eve.lead.expect("a lead"), eve.receipt).await;
    let foreign = split(ada, eve.receipt).await;
    let first = split(ada, submission).await;
    let second = split(ada, submission).await;

    assert!(matches!(only, Err(SplitOffError::OnlyOne)));
    assert!(matches!(foreign, Err(SplitOffError::NotFound)));
    assert!(first.is_ok());
    assert!(matches!(second, Err(SplitOffError::NotFound)));
    app.stop().await;
}
