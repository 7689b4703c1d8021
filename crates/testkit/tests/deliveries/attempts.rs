//! What one attempt is and what comes of it: signatures, failures, retries, dead letters.

use std::time::Duration;

use leadline_engine::delivery::destinations::Wish;
use leadline_store::{
    deliveries::{self, State},
    events,
};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::json;

use super::{all, assert_signed, change, destination, destination_with, lead_named, only, reload, wish};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_lead_reaches_its_destination_signed_in_both_ways(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;

    app.submit(json!({"name": "Ada", "email": "ada@example.com", "message": "Hello", "budget": "5000"})).await;
    app.run_jobs().await;

    let delivery = only(&app).await;
    assert_eq!((delivery.state, delivery.attempt_count, delivery.last_status), (State::Delivered, 1, Some(200)));
    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(request.header("x-leadline-event"), "lead.created");
    assert_eq!(request.header("x-leadline-delivery-id"), delivery.id.to_string());
    assert_eq!(request.header("content-type"), "application/json");
    assert!(request.header("user-agent").starts_with("Leadline/"));
    assert_signed(request, &made.secret, app.now());
    let payload = request.json();
    assert_eq!(payload["version"], 1);
    assert_eq!(payload["event"], "lead.created");
    assert_eq!(payload["id"], delivery.event_id.to_string());
    assert_eq!(payload["workspace"]["slug"], "default");
    assert_eq!(payload["lead"]["email"], "ada@example.com");
    assert_eq!(payload["lead"]["number"], 1);
    assert_eq!(payload["lead"]["stage"]["name"], "New");
    assert_eq!(payload["lead"]["customFields"]["budget"], "5000");
    assert_eq!(payload["submission"]["fields"]["message"], "Hello");
    assert_eq!(payload["submission"]["match"]["by"], "new");
    assert_eq!((&payload["environment"], &payload["test"]), (&json!("production"), &json!(false)));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn body_and_id_are_the_same_at_every_attempt_although_the_lead_changes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(500), Answer::Status(503)]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;

    app.submit(json!({"name": "Ada Lovelace", "email": "ada@example.com", "company": "Analytical"})).await;
    app.run_jobs().await;
    assert_eq!(receiver.received().len(), 1, "the first retry waits a second");
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;
    app.advance(Duration::from_secs(2));
    app.run_jobs().await;

    let received = receiver.received();
    assert_eq!(received.len(), 3);
    for later in &received[1..] {
        assert_eq!(later.body, received[0].body);
        assert_eq!(later.header("x-leadline-delivery-id"), received[0].header("x-leadline-delivery-id"));
    }
    let delivery = only(&app).await;
    assert_eq!((delivery.state, delivery.attempt_count), (State::Delivered, 3));
    let attempts = deliveries::list_attempts(&app.engine.store.reader(), app.workspace, delivery.id).await;
    let statuses: Vec<_> = attempts.expect("attempts").iter().map(|one| (one.number, one.status)).collect();
    assert_eq!(statuses, [(3, Some(200)), (2, Some(503)), (1, Some(500))]);
    app.stop().await;
}

#[rstest]
#[case::refused_at_once("standard", 400, &[0], 1)]
#[case::after_the_fast_plan("fast", 500, &[0, 1, 2, 4], 4)]
#[case::at_the_first_failure("none", 500, &[0], 1)]
#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_arrive_becomes_a_dead_letter_and_is_told(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] plan: &str,
    #[case] status: u16,
    #[case] waits_s: &[u64],
    #[case] attempts: i64,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination_with(&app, Wish { retry_plan: Some(plan.into()), ..wish(&receiver.url()) }).await;
    receiver.answers([status; 9].map(Answer::Status));
    lead_named(&app, "ada").await;

    for wait_s in waits_s {
        app.advance(Duration::from_secs(*wait_s));
        app.run_jobs().await;
    }

    let dead = only(&app).await;
    assert_eq!((dead.state, dead.attempt_count), (State::Dead, attempts));
    assert_eq!(dead.last_status, Some(i64::from(status)));
    assert_eq!(dead.expires_at, Some(app.now().plus_ms(7 * 24 * 3_600_000)));
    assert!(dead.payload.expect("a kept payload").contains("ada@example.com"));
    let lead = dead.lead_id.expect("a lead");
    let timeline = events::list_activities(&app.engine.store.reader(), app.workspace, lead, 10, 0).await;
    let told = timeline.expect("a timeline").rows.into_iter().find(|line| line.kind == "delivery.exhausted");
    let data = told.expect("a line of it").data;
    assert_eq!((&data["destinationName"], &data["status"]), (&json!("CRM"), &json!(status)));
    assert_eq!(app.count("events WHERE kind = 'delivery.exhausted'").await, 1);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_is_switched_off_and_what_waits_for_it_is_held(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await.destination;
    receiver.answers([Answer::Status(500)]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;
    receiver.answers([Answer::Status(410)]);
    lead_named(&app, "bob").await;
    app.run_jobs().await;

    app.advance(Duration::from_secs(60));
    app.run_jobs().await;
    let switched_off = reload(&app, &made).await;
    assert!(!switched_off.is_active);
    assert_eq!(switched_off.disabled_reason.as_deref(), Some("the receiver answered 410 Gone"));
    assert_eq!(receiver.received().len(), 2, "the retry is held");

    let resumed = change(&app, &made, Wish { is_active: Some(true), ..Wish::default() }).await;
    app.run_jobs().await;
    assert_eq!((resumed.is_active, resumed.disabled_reason), (true, None));
    let states: Vec<State> = all(&app).await.iter().map(|one| one.state).collect();
    assert!(states.contains(&State::Dead) && states.contains(&State::Delivered), "{states:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_says_how_long_to_wait(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    receiver.answers([Answer::With(429, "retry-after", "30".into())]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;

    app.advance(Duration::from_secs(29));
    app.run_jobs().await;
    assert_eq!(receiver.received().len(), 1);
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;

    assert_eq!(receiver.received().len(), 2);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let elsewhere = Receiver::start().await;
    let receiver = Receiver::start().await;
    destination_with(&app, Wish { retry_plan: Some("none".into()), ..wish(&receiver.url()) }).await;
    receiver.answers([Answer::With(307, "location", elsewhere.url())]);

    lead_named(&app, "ada").await;
    app.run_jobs().await;

    assert_eq!((only(&app).await.state, elsewhere.received().len()), (State::Dead, 0));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_hang_and_a_closed_port_are_tried_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let closed_url = format!("http://{}/", closed.local_addr().expect("an address"));
    drop(closed);
    let nobody = destination(&app, &closed_url).await.destination;
    receiver.answers([Answer::Hang]);

    lead_named(&app, "ada").await;
    app.run_jobs().await;

    for delivery in all(&app).await {
        let error = delivery.last_error.expect("an error");
        let wanted = if delivery.destination_id == nobody.id { "connection refused" } else { "no answer in time" };
        assert_eq!((delivery.state, error.as_str(), delivery.last_status), (State::Pending, wanted, None));
        assert_eq!(delivery.next_attempt_at, app.now().plus_ms(1_000));
    }
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_the_database_cannot_hold_is_recorded_all_the_same(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let url = raw_receiver(b"HTTP/1.1 200 OK\r\nx-odd: a\xffb\r\ncontent-length: 5\r\n\r\n\0\xff\xfe\0x").await;
    destination(&app, &url).await;

    lead_named(&app, "ada").await;
    app.run_jobs().await;

    let delivery = only(&app).await;
    let attempts = deliveries::list_attempts(&app.engine.store.reader(), app.workspace, delivery.id).await;
    assert_eq!(delivery.state, State::Delivered);
    assert_eq!(attempts.expect("attempts")[0].response_body.as_deref(), Some("\u{fffd}\u{fffd}x"));
    app.stop().await;
}

/// A receiver that reads a request and answers these very bytes.
async fn raw_receiver(answer: &'static [u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut read = [0; 16 * 1024];
            if socket.read(&mut read).await.is_ok() {
                socket.write_all(answer).await.expect("the client listens");
            }
        }
    });
    url
}
