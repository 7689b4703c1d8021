//! The one door, on both databases: whose a submission is, what it changes, and that repeats and races make no second
//! lead.

use std::time::Duration;

use leadline_engine::capture::AcceptError;
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

const ANNA: &str = "anna@example.com";
const PHONE: &str = "+4915112345678";

#[rstest]
#[tokio::test]
async fn a_submission_makes_a_lead_with_its_evidence(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;

    let accepted = app.submit(json!({"Full Name": "Anna Keller", "E-Mail": "Anna@Example.com", "tel": PHONE})).await;

    assert!(accepted.stored && !accepted.duplicate && accepted.lead.is_some());
    assert_eq!(app.count("leads WHERE name = 'Anna Keller' AND email = 'anna@example.com'").await, 1);
    assert_eq!(app.count("lead_submissions WHERE payload LIKE '%Anna@Example.com%'").await, 1);
    assert_eq!(app.count("lead_captures").await, 1);
    assert_eq!(app.count("contacts WHERE phone_number = '+4915112345678'").await, 1);
    assert_eq!(app.count("lead_activities WHERE kind = 'lead.created'").await, 1);
    assert_eq!(app.count("events WHERE kind = 'lead.created' AND NOT dispatched").await, 1);
    assert_eq!(app.count("lead_stage_counts WHERE n = 1").await, 1);
    app.stop().await;
}

/// What the first and the second submission carry, and whether they are one person.
#[rstest]
#[case::by_email(json!({"email": ANNA}), None, json!({"email": "ANNA@example.com "}), None, "email")]
#[case::by_phone(json!({"phone": PHONE}), None, json!({"phone": "0049 151 12345678"}), None, "phone")]
#[case::by_visitor(json!({"name": "A", "__visitor_id": "v1"}), None, json!({"name": "B", "__visitor_id": "v1"}), None, "visitor")]
#[case::visitor_brings_a_phone(json!({"email": ANNA, "__visitor_id": "v1"}), None, json!({"phone": PHONE, "__visitor_id": "v1"}), None, "visitor")]
#[case::by_ip(json!({"name": "A"}), Some("203.0.113.7"), json!({"name": "A"}), Some("203.0.113.7"), "ip")]
#[case::email_joins_by_ip(json!({"email": ANNA}), Some("203.0.113.7"), json!({"phone": PHONE}), Some("203.0.113.7"), "ip")]
#[case::shared_browser(json!({"email": ANNA, "__visitor_id": "v1"}), None, json!({"email": "b@example.com", "__visitor_id": "v1"}), None, "new")]
#[case::shared_network(json!({"email": ANNA}), Some("203.0.113.7"), json!({"email": "b@example.com"}), Some("203.0.113.7"), "new")]
#[case::other_address(json!({"name": "A"}), Some("203.0.113.7"), json!({"name": "A"}), Some("203.0.113.8"), "new")]
#[case::nothing_in_common(json!({"email": ANNA}), None, json!({"email": "b@example.com"}), None, "new")]
#[case::email_beats_a_new_phone(json!({"email": ANNA, "phone": PHONE}), None, json!({"email": ANNA, "phone": "+4915187654321"}), None, "email")]
#[tokio::test]
async fn the_second_submission_is_told_apart_or_joined_with_its_reason(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] first: Value,
    #[case] first_ip: Option<&str>,
    #[case] second: Value,
    #[case] second_ip: Option<&str>,
    #[case] by: &str,
) {
    let app = TestApp::start(db).await;

    let one = app.try_submit(first, first_ip).await.expect("accepted");
    let two = app.try_submit(second, second_ip).await.expect("accepted");

    let is_new = by == "new";
    assert_eq!(one.lead != two.lead, is_new);
    assert_eq!(two.duplicate, !is_new);
    assert_eq!(app.count("leads").await, if is_new { 2 } else { 1 });
    assert_eq!(app.count("lead_submissions").await, 2);
    let reason = match db {
        Db::Sqlite => format!("lead_submissions WHERE match_reason ->> 'by' = '{by}' AND id = '{}'", two.receipt),
        Db::Postgres => {
            format!("lead_submissions WHERE match_reason ->> 'by' = '{by}' AND id = '{}'::uuid", two.receipt)
        }
    };
    assert_eq!(app.count(&reason).await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_address_names_nobody_after_its_window(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let one = app.try_submit(json!({"name": "A"}), Some("203.0.113.7")).await.expect("accepted");

    app.advance(Duration::from_secs(30 * 60));
    let two = app.try_submit(json!({"name": "A"}), Some("203.0.113.7")).await.expect("accepted");

    assert_ne!(one.lead, two.lead);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_same_key_is_the_same_submission(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let fields = json!({"email": ANNA, "submissionId": "0190b5a0-0000-7000-8000-000000000001"});

    let one = app.submit(fields.clone()).await;
    let two = app.submit(fields).await;

    assert_eq!((one.receipt, one.lead), (two.receipt, two.lead));
    assert!(two.duplicate);
    assert_eq!(app.count("lead_submissions").await, 1);
    assert_eq!(app.count("events").await, 1);
    app.stop().await;
}

#[rstest]
#[case::by_everything(json!({"name": "A", "email": ANNA, "phone": PHONE, "__visitor_id": "v1"}), Some("203.0.113.7"))]
#[case::by_email(json!({"email": ANNA}), None)]
#[case::by_phone(json!({"phone": PHONE}), None)]
#[case::by_visitor(json!({"name": "A", "__visitor_id": "v1"}), None)]
#[case::by_ip(json!({"name": "A"}), Some("203.0.113.7"))]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_at_once_are_one_lead_and_sixty_four_submissions(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] fields: Value,
    #[case] ip: Option<&'static str>,
) {
    let app = std::sync::Arc::new(TestApp::start(db).await);

    let posts: Vec<_> = (0..64)
        .map(|_| {
            let (app, fields) = (std::sync::Arc::clone(&app), fields.clone());
            tokio::spawn(async move { app.try_submit(fields, ip).await.expect("accepted") })
        })
        .collect();
    let mut created = 0;
    for post in posts {
        created += i32::from(!post.await.expect("no panic").duplicate);
    }

    assert_eq!(created, 1);
    assert_eq!(app.count("leads").await, 1);
    assert_eq!(app.count("leads WHERE submission_count = 64").await, 1);
    assert_eq!(app.count("lead_submissions").await, 64);
    assert_eq!(app.count("contacts").await, 1);
}

#[rstest]
#[tokio::test]
async fn who_comes_back_after_a_day_is_re_engaged(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    app.submit(json!({"email": ANNA})).await;

    app.advance(Duration::from_secs(60 * 60));
    app.submit(json!({"email": ANNA})).await;
    app.advance(Duration::from_secs(24 * 60 * 60));
    app.submit(json!({"email": ANNA})).await;

    assert_eq!(app.count("events WHERE kind = 'lead.resubmitted'").await, 1);
    assert_eq!(app.count("events WHERE kind = 'lead.re_engaged'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_later_submission_fills_gaps_and_overwrites_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    app.submit(json!({"email": ANNA, "company": "Acme", "budget": "10"})).await;

    app.submit(json!({"email": ANNA, "company": "Other", "name": "Anna", "budget": "", "size": 0})).await;

    assert_eq!(app.count("leads WHERE company = 'Acme' AND name = 'Anna' AND submission_count = 2").await, 1);
    assert_eq!(app.count("leads WHERE custom_fields ->> 'budget' = '10'").await, 1);
    assert_eq!(app.count("leads WHERE CAST(custom_fields ->> 'size' AS TEXT) = '0'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn nobody_to_name_is_refused(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(json!({"message": "hello"}), json!({"name": "  ", "email": ""}), json!({}))] fields: Value,
) {
    let app = TestApp::start(db).await;

    let refused = app.try_submit(fields, None).await;

    assert!(matches!(refused, Err(AcceptError::Nothing)));
    assert_eq!(app.count("lead_submissions").await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn an_address_or_number_that_cannot_be_used_is_kept_as_it_was_entered(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;

    app.submit(json!({"email": "not an address", "phone": "12"})).await;

    assert_eq!(app.count("leads WHERE email IS NULL AND phone IS NULL AND phone_raw = '12'").await, 1);
    assert_eq!(app.count("leads WHERE custom_fields ->> 'unusableEmail' = 'not an address'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_first_visit_is_kept_as_the_browser_remembers_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let first = json!({"at": "2026-01-01T00:00:00.000Z", "pageUrl": "https://a.example/", "utmSource": "first\u{0}"});

    app.submit(json!({"email": ANNA, "utm_source": "last", "__first_touch": first.to_string()})).await;
    app.submit(json!({"email": "b@example.com", "utm_source": "last", "__first_touch": "{\"at\":\"2999"})).await;

    assert_eq!(app.count("leads WHERE first_touch ->> 'utmSource' = 'first'").await, 1);
    assert_eq!(app.count("leads WHERE last_touch ->> 'utmSource' = 'last'").await, 2);
    assert_eq!(app.count("leads WHERE first_touch ->> 'utmSource' = 'last'").await, 1);
    assert_eq!(app.count("leads WHERE custom_fields ->> 'firstTouch' IS NOT NULL").await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_never_lands_in_a_stage_that_was_removed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    app.submit(json!({"email": ANNA})).await;
    // Another node removes the stage; this one remembers it for a moment.
    app.execute("UPDATE lead_pipeline_stages SET deleted_at = 1 WHERE name = 'New'").await;

    app.submit(json!({"email": "b@example.com"})).await;

    let there = "leads l JOIN lead_pipeline_stages s ON s.id = l.stage_id WHERE s.name = 'Contacted'";
    assert_eq!(app.count(there).await, 1);
    app.stop().await;
}
