//! An endpoint that is asked: used, late, wrong, refusing. Each ends in a stored analysis.

use std::time::Duration;

use leadline_engine::analysis::{self, Change, EndpointChange, SettingsError};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use super::{change, message, on_lead, use_endpoint};

fn completion(content: &Value) -> Answer {
    let body = json!({"choices": [{"message": {"role": "assistant", "content": content.to_string()}}]});
    Answer::Body(200, body.to_string())
}

fn good() -> Value {
    json!({"sentiment": "negative", "intent": "support", "topic": "billing", "summary": "Wants money back.", "confidence": 91})
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_is_asked_without_what_names_people_and_its_answer_kept(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    receiver.answers([completion(&good())]);
    use_endpoint(&app, &receiver.url()).await;
    change(&app, Change { keywords: Some(vec!["refund".to_owned()]), ..Change::default() }).await;
    let text = "I am Ada Lovelace, ada@example.com, 030 90182 123. See https://shop.example/x: I want a refund!";
    let lead = message(&app, "ada@example.com", text).await;

    app.run_analyses().await;

    let found = on_lead(&app, lead).await;
    assert_eq!((&found["method"], &found["model"]), (&json!("endpoint"), &json!("small-model")));
    assert_eq!((&found["redacted"], &found["fallback"]), (&json!(true), &Value::Null));
    assert_eq!(found["topic"], json!({"label": "billing", "confidence": 91}));
    assert_eq!((&found["summary"], &found["keywords"]), (&json!("Wants money back."), &json!(["refund"])));
    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(request.uri, "/hook/chat/completions");
    assert_eq!(request.header("authorization"), "Bearer sk-test-0123456789");
    let asked = request.json();
    assert_eq!((&asked["model"], &asked["response_format"]["type"]), (&json!("small-model"), &json!("json_schema")));
    let seen = asked["messages"].to_string();
    assert!(seen.contains("I want a refund!") && seen.contains("[name]"), "{seen}");
    for part in ["Ada", "Lovelace", "example.com", "90182", "shop.example"] {
        assert!(!seen.contains(part), "{part} in {seen}");
    }
    app.stop().await;
}

#[rstest]
#[case::late(Answer::Hang, "timeout")]
#[case::refused(Answer::Status(401), "refused")]
#[case::overwhelmed(Answer::With(429, "retry-after", "60".to_owned()), "refused")]
#[case::redirected(Answer::With(302, "location", "http://127.0.0.1/elsewhere".to_owned()), "refused")]
#[case::not_json(Answer::Body(200, "<html>".to_owned()), "malformed")]
#[case::not_the_schema(completion(&json!({"sentiment": "furious"})), "malformed")]
#[case::endless(Answer::Body(200, "[".repeat(200_000)), "malformed")]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_an_endpoint_does_an_analysis_is_stored_and_says_so(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] answer: Answer,
    #[case] reason: &str,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    receiver.answers([answer]);
    use_endpoint(&app, &receiver.url()).await;
    let lead = message(&app, "ada@example.com", "What does it cost?").await;

    app.run_analyses().await;

    let found = on_lead(&app, lead).await;
    assert_eq!((&found["method"], &found["fallback"]["reason"]), (&json!("offline"), &json!(reason)));
    assert_eq!(found["intent"]["label"], "purchase");
    assert_eq!(receiver.received().len(), 1, "an endpoint is asked once");
    assert_eq!(app.count("lead_analyses WHERE state = 'done'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_gone_is_soon_left_alone(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    receiver.answers(vec![Answer::Status(500); 4]);
    use_endpoint(&app, &receiver.url()).await;
    for index in 0..12 {
        let fields = json!({"email": format!("{index}@example.com"), "message": "What does it cost?"});
        app.submit(fields).await;
    }

    let analysed = app.run_analyses().await;

    assert_eq!(analysed, 12);
    // As many as are asked at once had begun before it was known.
    assert_eq!(receiver.received().len(), 4);
    assert_eq!(app.count("leads WHERE lead_analysis ->> 'method' = 'offline'").await, 12);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_gives_back_what_an_endpoint_has_not_answered(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start_working(db, Duration::from_secs(20)).await;
    let receiver = Receiver::start().await;
    receiver.answers([Answer::Hang, completion(&good())]);
    use_endpoint(&app, &receiver.url()).await;
    let patient = EndpointChange { timeout_seconds: Some(60), ..EndpointChange::default() };
    change(&app, Change { endpoint: patient, ..Change::default() }).await;
    let lead = message(&app, "ada@example.com", "What does it cost?").await;
    receiver.wait_for(1).await;

    app.restart().await;
    receiver.wait_for(2).await;

    // No time has passed: it did not have to wait for the lease.
    let mut live = app.engine.live.subscribe();
    while on_lead(&app, lead).await == Value::Null {
        live.recv().await.expect("a hint");
    }
    assert_eq!(on_lead(&app, lead).await["method"], "endpoint");
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_key_is_sealed_and_stays_with_the_address_it_was_given_for(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let made = use_endpoint(&app, "http://127.0.0.1:9/v1").await;
    let base_url = |url: &str| Change {
        endpoint: EndpointChange { base_url: Some(Some(url.to_owned())), ..EndpointChange::default() },
        ..Change::default()
    };

    let same_host = change(&app, base_url("http://127.0.0.1:9/v2/")).await;
    let other_host = change(&app, base_url("http://127.0.0.1:10/v1")).await;

    assert_eq!(made.key_last4.as_deref(), Some("6789"));
    assert_eq!(same_host.base_url.as_deref(), Some("http://127.0.0.1:9/v2"));
    assert!(same_host.key_sealed.is_some_and(|sealed| !sealed.contains("sk-test")));
    assert_eq!((other_host.key_sealed, other_host.key_last4), (None, None));
    app.stop().await;
}

#[rstest]
#[case("http://10.0.0.1/v1", "/endpoint/baseUrl")]
#[case("https://models.internal/v1", "/endpoint/baseUrl")]
#[case("https://api.example.com/v1?key=1", "/endpoint/baseUrl")]
#[tokio::test]
async fn an_endpoint_is_never_inside(#[case] url: &str, #[case] pointer: &str) {
    let app = TestApp::start(Db::Sqlite).await;
    let endpoint = EndpointChange { base_url: Some(Some(url.to_owned())), ..EndpointChange::default() };

    let refused = analysis::change(&app.engine, &app.actor(), &Change { endpoint, ..Change::default() }).await;

    let Err(SettingsError::Refused(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.iter().map(|one| one.pointer.as_str()).collect::<Vec<_>>(), [pointer]);
    app.stop().await;
}
