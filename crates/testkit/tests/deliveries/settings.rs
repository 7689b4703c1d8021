//! Destinations: secrets, headers, addresses, and the button that tries one out.

use std::{collections::BTreeMap, time::Duration};

use leadline_domain::ids::Id;
use leadline_engine::delivery::{
    self,
    destinations::{DestinationError, Wish},
};
use leadline_store::deliveries;
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;

use super::{assert_signed, destination, destination_with, lead_named, only, reload, wish};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_what_is_sent_from_then_on(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(500)]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;

    let renewed = delivery::secrets::regenerate_secret(&app.engine, &app.actor(), made.destination.id, 0)
        .await
        .expect("a new secret");
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;

    let received = receiver.received();
    assert_ne!(made.secret, renewed.secret);
    assert_signed(&received[0], &made.secret, app.now());
    assert_signed(&received[1], &renewed.secret, app.now());
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn secrets_and_custom_headers_are_sealed_and_not_kept_with_attempts(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let headers = BTreeMap::from([("Authorization".to_owned(), "Bearer very-secret".to_owned())]);
    let made = destination_with(&app, Wish { headers: Some(headers), ..wish(&receiver.url()) }).await;

    lead_named(&app, "ada").await;
    app.run_jobs().await;

    assert_eq!(receiver.received()[0].header("authorization"), "Bearer very-secret");
    let stored = reload(&app, &made.destination).await;
    assert_eq!(stored.header_names, ["Authorization"]);
    let delivery = only(&app).await;
    let attempts = deliveries::list_attempts(&app.engine.store.reader(), app.workspace, delivery.id).await;
    let attempts = attempts.expect("attempts");
    let seen = format!("{stored:?} {attempts:?}");
    assert!(!seen.contains("very-secret") && !seen.contains(&made.secret), "{seen}");
    assert_eq!(attempts[0].request_headers["Authorization"], "•••");
    app.stop().await;
}

#[rstest]
#[case::private("https://10.1.2.3/", "/url", "url_private_address")]
#[case::plain("http://example.com/", "/url", "url_not_https")]
#[case::local("https://crm.internal/", "/url", "url_private_name")]
#[case::nonsense("nowhere", "/url", "url_malformed")]
#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_may_not_be_reached_is_refused_at_save(
    #[case] url: &str,
    #[case] pointer: &str,
    #[case] code: &str,
) {
    let app = TestApp::start(Db::Sqlite).await;

    let refused = delivery::destinations::create_destination(&app.engine, &app.actor(), &wish(url)).await;

    let Err(DestinationError::Refused(refused)) = refused else { panic!("it is refused") };
    assert_eq!((refused[0].pointer.as_str(), refused[0].code), (pointer, code));
    assert_eq!(app.count("destinations").await, 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_that_is_wrong_with_a_destination_is_told_at_once() {
    let app = TestApp::start(Db::Sqlite).await;
    let wish = Wish {
        name: Some(" ".into()),
        url: None,
        events: Some(vec!["lead.created".into(), "lead.exploded".into()]),
        format: Some("xml".into()),
        retry_plan: Some("forever".into()),
        project_id: Some(Some(leadline_domain::ids::ProjectId::from_uuid(app.workspace.uuid()))),
        headers: Some(BTreeMap::from([("Host".into(), "x".into())])),
        ..Wish::default()
    };

    let refused = delivery::destinations::create_destination(&app.engine, &app.actor(), &wish).await;

    let Err(DestinationError::Refused(refused)) = refused else { panic!("it is refused") };
    let pointers: Vec<&str> = refused.iter().map(|one| one.pointer.as_str()).collect();
    let wanted = ["/url", "/name", "/events/1", "/format", "/retryPlan", "/headers/Host", "/projectId"];
    assert_eq!(pointers, wanted);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_test_button_sends_a_signed_lead_and_stores_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(202), Answer::Status(500)]);
    let actor = app.actor();
    let test = || delivery::destinations::test_destination(&app.engine, &actor, made.destination.id);

    let (good, bad) = (test().await.expect("sent"), test().await.expect("sent"));

    assert_eq!((good.status, good.is_delivered()), (Some(202), true));
    assert_eq!((bad.status, bad.is_delivered()), (Some(500), false));
    let request = &receiver.received()[0];
    assert_signed(request, &made.secret, app.now());
    assert_eq!(request.json()["test"], true);
    assert_eq!(app.count("deliveries").await + app.count("delivery_attempts").await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_to_64_kib_without_the_secrets_that_it_echoes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let headers = BTreeMap::from([("Authorization".to_owned(), "Bearer very/secret".to_owned())]);
    let made = destination_with(&app, Wish { headers: Some(headers), ..wish(&receiver.url()) }).await;
    let echo = format!("{} {} very\\/secret {}", made.secret, "Bearer very/secret", "x".repeat(100_000));
    receiver.answers([Answer::Body(500, echo), Answer::With(500, "x-echo", "Bearer very/secret".into())]);

    lead_named(&app, "ada").await;
    app.run_jobs().await;
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;

    let delivery = only(&app).await;
    let attempts = deliveries::list_attempts(&app.engine.store.reader(), app.workspace, delivery.id).await;
    let [second, first] = &attempts.expect("attempts")[..] else { panic!("two attempts") };
    let body = first.response_body.as_deref().expect("a body");
    assert!(body.starts_with("••• ••• ••• xxx"), "{}", &body[..100]);
    assert!((60_000..=65_536).contains(&body.len()), "{}", body.len());
    assert_eq!(second.response_headers["x-echo"], "•••");
    app.stop().await;
}
