//! Chats, from their first word to their end: when a lead is made, what it is told, and that repeats change nothing.

use std::time::Duration;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use leadline_domain::permissions::Role;
use leadline_engine::{
    capture::{chat, replay},
    dispatch,
    sources::widgets::{ChatChange, create_chat},
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use crate::browser::{Answer, Caller, Site};

async fn admin(site: &Site) -> Caller<'_> {
    let token = site.token(Role::Admin).await;
    site.with_token(&token)
}

async fn make(site: &Site) -> String {
    let answer = admin(site).await.post("/v1/capture/chats", json!({"name": "Live chat", "idleMinutes": 10})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()["key"].as_str().expect("a key").to_owned()
}

async fn say(site: &Site, key: &str, chat: &str, body: Value) -> Answer {
    let request = Request::post(format!("/chat/{key}/{chat}")).header("content-type", "application/json");
    site.send(request.body(Body::from(body.to_string())).expect("a request")).await
}

async fn said(site: &Site, key: &str, chat: &str, body: Value) -> Value {
    let answer = say(site, key, chat, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[rstest]
#[tokio::test]
async fn a_lead_is_made_when_the_visitor_can_be_reached_and_told_more_of_later(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let site = Site::start(db).await;
    let key = make(&site).await;

    let opened = said(&site, &key, "c1", json!({"state": "in_progress", "text": "Hello, anybody there?"})).await;
    assert_eq!((&opened["leadId"], &opened["state"]), (&Value::Null, &json!("in_progress")));
    assert_eq!(site.app.count("leads").await, 0);
    let reached = said(&site, &key, "c1", json!({"text": "write to anna@example.com", "plan": "Pro"})).await;
    let lead = reached["leadId"].as_str().expect("a lead").to_owned();
    let talked = said(&site, &key, "c1", json!({"author": "agent", "text": "Thanks! Call +1 416 555 0199"})).await;
    let phoned = said(&site, &key, "c1", json!({"name": "Anna Keller", "text": "or +44 20 7946 0001"})).await;
    let done = said(&site, &key, "c1", json!({"state": "completed"})).await;

    for answer in [&talked, &phoned, &done] {
        assert_eq!(answer["leadId"], lead.as_str(), "{answer}");
        assert_eq!(answer["conversationId"], opened["conversationId"]);
    }
    assert_eq!(done["state"], "completed");
    let found = admin(&site).await.get(&format!("/v1/identity/leads/{lead}")).await.json();
    assert_eq!(found["email"], "anna@example.com");
    assert_eq!(found["phone"], "+442079460001");
    assert_eq!(found["name"], "Anna Keller");
    assert_eq!(found["source"], "chat");
    assert_eq!(found["state"], "completed");
    assert_eq!(found["submissionCount"], 1);
    assert_eq!(found["customFields"]["plan"], "Pro");
    assert!(found["message"].as_str().is_some_and(|text| text.starts_with("Hello, anybody there?")));
    assert_eq!(site.app.count("leads").await, 1);
    assert_eq!(site.app.count("conversations WHERE lead_id IS NOT NULL AND state = 'completed'").await, 1);
    assert_eq!(site.app.count("events WHERE kind = 'lead.created'").await, 1);
    assert_eq!(site.app.count("events WHERE kind = 'lead.updated'").await, 3);
    assert_eq!(site.app.count("events WHERE kind = 'lead.created' AND data ->> 'state' = 'in_progress'").await, 1);
    let conversation = opened["conversationId"].as_str().expect("an id");
    let told = format!("events WHERE data ->> 'conversationId' = '{conversation}'");
    assert_eq!(site.app.count(&told).await, 4);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_thread_stands_on_the_lead_in_its_order(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let key = make(&site).await;
    let messages = json!([
        {"author": "bot", "text": "How can I help?"},
        {"author": "visitor", "text": "I am <b>Anna</b>, anna@example.com"},
        {"author": "agent", "text": "Hello Anna"},
    ]);

    let lead = said(&site, &key, "c1", json!({"messages": messages})).await["leadId"].clone();
    let lead = lead.as_str().expect("a lead");

    let list = admin(&site).await.get(&format!("/v1/messaging/conversations?leadId={lead}")).await.json();
    assert_eq!(list["data"][0]["messageCount"], 3);
    assert_eq!(list["data"][0]["state"], "in_progress");
    let id = list["data"][0]["id"].as_str().expect("an id").to_owned();
    let thread = admin(&site).await.get(&format!("/v1/messaging/conversations/{id}")).await.json();
    let bodies: Vec<&str> =
        thread["messages"].as_array().expect("messages").iter().filter_map(|one| one["body"].as_str()).collect();
    assert_eq!(bodies, ["How can I help?", "I am <b>Anna</b>, anna@example.com", "Hello Anna"]);
    let token = site.token(Role::Viewer).await;
    let masked = site.with_token(&token).get(&format!("/v1/messaging/conversations/{id}")).await.text();
    assert!(!masked.contains("anna"), "{masked}");
    let (other, _) = site.app.make_workspace("other").await;
    let token = site.token_in(other, Role::Admin).await;
    let hidden = site.with_token(&token).get(&format!("/v1/messaging/conversations/{id}")).await;
    assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn the_same_transcript_sent_again_and_again_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let key = make(&site).await;
    let one = json!({"messages": [{"text": "yes"}, {"text": "yes"}, {"id": "m3", "text": "anna@example.com"}]});
    let more = json!({"messages": [{"text": "yes"}, {"text": "yes"}, {"id": "m3", "text": "anna@example.com"},
        {"author": "agent", "text": "Thanks"}], "state": "In Progess"});

    let first = said(&site, &key, "c1", one.clone()).await;
    let again = said(&site, &key, "c1", one).await;
    said(&site, &key, "c1", more.clone()).await;
    let last = said(&site, &key, "c1", more).await;

    assert_eq!(
        (&first["duplicate"], &again["duplicate"], &last["duplicate"]),
        (&json!(false), &json!(true), &json!(true))
    );
    assert_eq!(site.app.count("messages").await, 4);
    assert_eq!(site.app.count("lead_submissions").await, 1);
    assert_eq!(site.app.count("events WHERE kind = 'lead.created'").await, 1);
    assert_eq!(site.app.count("events WHERE kind = 'lead.updated'").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_silent_chat_completes_by_itself_and_a_new_word_opens_it_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let key = make(&site).await;
    said(&site, &key, "c1", json!({"text": "anna@example.com"})).await;
    said(&site, &key, "c2", json!({"text": "hm", "name": "Bert"})).await;
    said(&site, &key, "c3", json!({"text": "just looking"})).await;

    site.app.advance(Duration::from_secs(10 * 60 - 1));
    chat::complete_idle(&site.app.engine).await.expect("looked for");
    assert_eq!(site.app.count("conversations WHERE state = 'completed'").await, 0);
    site.app.advance(Duration::from_secs(1));
    chat::complete_idle(&site.app.engine).await.expect("completed");
    chat::complete_idle(&site.app.engine).await.expect("nothing left");

    assert_eq!(site.app.count("conversations WHERE state = 'completed'").await, 3);
    assert_eq!(site.app.count("leads WHERE lead_state = 'completed'").await, 2);
    assert_eq!(site.app.count("leads WHERE name = 'Bert'").await, 1);
    assert_eq!(site.app.count("events WHERE kind = 'lead.updated' AND data ->> 'state' = 'completed'").await, 1);
    let repeat = said(&site, &key, "c1", json!({"text": "anna@example.com"})).await;
    assert_eq!(repeat["state"], "completed");
    let reopened = said(&site, &key, "c1", json!({"text": "one more thing"})).await;
    assert_eq!(reopened["state"], "in_progress");
    assert_eq!(site.app.count("leads WHERE lead_state = 'in_progress'").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_chat_of_a_source_that_is_gone_completes_too(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let key = make(&site).await;
    said(&site, &key, "c1", json!({"text": "anna@example.com"})).await;
    let list = admin(&site).await.get("/v1/capture/chats").await.json();
    let id = list["data"][0]["id"].as_str().expect("an id").to_owned();
    admin(&site).await.delete(&format!("/v1/capture/chats/{id}")).await;

    site.app.advance(Duration::from_secs(3_600));
    chat::complete_idle(&site.app.engine).await.expect("completed");

    assert_eq!(site.app.count("conversations WHERE state = 'completed'").await, 1);
    assert_eq!(site.app.count("leads WHERE lead_state = 'completed'").await, 1);
    assert_eq!(say(&site, &key, "c1", json!({"text": "hello?"})).await.problem().0, 404);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_said_while_the_store_is_away_is_there_afterwards(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut site = Site::start(db).await;
    let key = make(&site).await;
    said(&site, &key, "c1", json!({"text": "hello"})).await;
    site.app.stop_writers().await;
    // The door notices that nobody writes, and sends what follows to the spool.
    let waits = said(&site, &key, "c1", json!({"text": "anna@example.com"})).await;
    assert_eq!((&waits["stored"], &waits["leadId"]), (&json!(false), &Value::Null));

    site.app.restart().await;
    replay::replay(&site.app.engine).await.expect("replayed");
    dispatch::dispatch_all(&site.app.engine).await.expect("dispatched");

    assert_eq!(site.app.count("messages").await, 2);
    assert_eq!(site.app.count("leads WHERE email = 'anna@example.com' AND lead_state = 'in_progress'").await, 1);
    assert_eq!(site.app.count("conversations WHERE lead_id IS NOT NULL").await, 1);
    site.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn words_that_the_store_cannot_take_wait_in_the_spool(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start_working(db, Duration::from_millis(200)).await;
    let wish = ChatChange { name: Some("Chat".into()), ..ChatChange::default() };
    let key = create_chat(&app.engine, &app.actor(), wish).await.expect("a chat source").key;
    let intake = app.engine.door.intakes().by_key("chat", &key).await.expect("known").expect("there");
    let update = |text: &str| chat::Update {
        intake: intake.clone(),
        chat_id: "c1".into(),
        messages: vec![chat::Said { id: None, author: chat::Author::Visitor, text: text.into(), at: None }],
        fields: Vec::new(),
        state: None,
        received_at: app.now(),
        request: leadline_engine::capture::Request::default(),
    };
    chat::take(&app.engine, update("hello")).await.expect("taken");

    let stalled = app.stall_database().await;
    let during = chat::take(&app.engine, update("I am anna@example.com")).await.expect("taken");
    let after = chat::take(&app.engine, update("and +44 20 7946 0001")).await.expect("taken");
    assert!(!during.stored && !after.stored);
    stalled.heal().await.expect("healed");
    app.engine.door.spool_handle().drained().await;

    assert_eq!(app.count("messages").await, 3);
    assert_eq!(app.count("leads WHERE email = 'anna@example.com' AND phone = '+442079460001'").await, 1);
    assert_eq!(app.count("leads").await, 1);
    app.stop().await;
}

#[rstest]
#[case::messages_are_no_list(json!({"messages": "hi"}), "/messages")]
#[case::a_message_is_a_number(json!({"messages": [1]}), "/messages/0")]
#[case::no_text(json!({"messages": [{"author": "visitor"}]}), "/messages/0/text")]
#[case::nobody_known(json!({"messages": [{"author": "ghost", "text": "boo"}]}), "/messages/0/author")]
#[case::text_is_no_text(json!({"text": 1}), "/text")]
#[case::an_unknown_state(json!({"text": "hi", "state": "maybe"}), "/state")]
#[tokio::test]
async fn what_cannot_be_read_is_refused_by_name(#[case] body: Value, #[case] pointer: &str) {
    let site = Site::start(Db::Sqlite).await;
    let key = make(&site).await;

    let answer = say(&site, &key, "c1", body).await;

    assert_eq!(answer.problem().0, 422);
    assert_eq!(answer.pointers(), [pointer]);
    assert_eq!(site.app.count("conversations").await, 0);
    site.stop().await;
}

#[rstest]
#[tokio::test]
async fn hostile_words_are_bounded_and_kept_as_text(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let site = Site::start(db).await;
    let key = make(&site).await;
    let body = json!({
        "messages": [{"text": format!("\u{0}'; DROP TABLE leads; -- {}", "x".repeat(20_000))}, {"text": "  "}],
        "email": "anna@example.com", "deep": {"a": {"b": ["\u{0}", 1.5, null]}}, "long": "y".repeat(50_000),
    });

    let first = said(&site, &key, "%F0%9F%98%80", body.clone()).await;
    let again = said(&site, &key, "%F0%9F%98%80", body).await;

    assert_eq!(first["leadId"], again["leadId"]);
    assert_eq!(again["duplicate"], true);
    assert_eq!(site.app.count("messages WHERE length(body) = 5000").await, 1);
    assert_eq!(site.app.count("lead_submissions").await, 1);
    site.stop().await;
}
