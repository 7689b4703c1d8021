//! Access tokens: got at the token address, used until they are worth nothing, and got again.

use std::time::Duration;

use leadline_engine::delivery::{
    access::{WishedAccess, WishedOauth},
    destinations::{DestinationError, Wish, update_destination},
};
use leadline_store::deliveries::State;
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use serde_json::json;

use super::{all, change, destination_with, lead_named, only, wish};

fn oauth(tokens: &Receiver) -> WishedOauth {
    WishedOauth {
        grant: "refresh_token".to_owned(),
        token_url: tokens.url(),
        client_id: "client-1".to_owned(),
        client_secret: Some("client-secret".to_owned()),
        refresh_token: Some("refresh-1".to_owned()),
        scopes: Some("ads read".to_owned()),
        scheme: None,
    }
}

fn asking(receiver: &Receiver, oauth: WishedOauth) -> Wish {
    Wish { access: with(oauth), ..wish(&receiver.url()) }
}

fn with(oauth: WishedOauth) -> WishedAccess {
    WishedAccess { oauth: Some(Some(oauth)), ..WishedAccess::default() }
}

fn token(name: &str) -> Answer {
    Answer::Body(200, json!({"access_token": name, "expires_in": 3_600, "token_type": "Bearer"}).to_string())
}

async fn deliver(app: &TestApp, name: &str) {
    lead_named(app, name).await;
    app.run_jobs().await;
}

fn authorizations(receiver: &Receiver) -> Vec<String> {
    receiver.received().iter().map(|request| request.header("authorization").to_owned()).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_once_and_again_shortly_before_its_end(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers([token("first"), token("second")]);
    destination_with(&app, asking(&receiver, oauth(&tokens))).await;

    deliver(&app, "ada").await;
    app.advance(Duration::from_secs(3_539));
    deliver(&app, "bob").await;
    app.advance(Duration::from_secs(1));
    deliver(&app, "cy").await;

    assert_eq!(authorizations(&receiver), ["Bearer first", "Bearer first", "Bearer second"]);
    let asked = tokens.received();
    assert_eq!((asked.len(), asked[0].header("content-type")), (2, "application/x-www-form-urlencoded"));
    let form = "grant_type=refresh_token&client_id=client-1&client_secret=client-secret&refresh_token=refresh-1\
                &scope=ads+read";
    assert_eq!(String::from_utf8_lossy(&asked[0].body), form);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_deliveries_at_once_ask_for_one_token(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers_otherwise(token("one"));
    destination_with(&app, asking(&receiver, oauth(&tokens))).await;

    for name in ["ada", "bob", "cy", "di", "ed", "flo"] {
        lead_named(&app, name).await;
    }
    app.run_jobs().await;

    assert_eq!((receiver.received().len(), tokens.received().len()), (6, 1));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_renewed_within_the_attempt(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers([token("first"), token("second")]);
    destination_with(&app, asking(&receiver, oauth(&tokens))).await;
    deliver(&app, "ada").await;

    receiver.answers([Answer::Status(401)]);
    deliver(&app, "bob").await;

    assert_eq!(authorizations(&receiver), ["Bearer first", "Bearer first", "Bearer second"]);
    let deliveries = all(&app).await;
    assert!(deliveries.iter().all(|one| (one.state, one.attempt_count) == (State::Delivered, 1)), "{deliveries:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_refuses_every_token_is_asked_twice_and_no_more(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers([token("first"), token("second")]);
    destination_with(&app, asking(&receiver, oauth(&tokens))).await;
    deliver(&app, "ada").await;

    receiver.answers_otherwise(Answer::Status(401));
    deliver(&app, "bob").await;

    assert_eq!((receiver.received().len(), tokens.received().len()), (3, 2));
    assert!(all(&app).await.iter().any(|one| (one.state, one.last_status) == (State::Dead, Some(401))));
    app.stop().await;
}

#[rstest]
#[case::refused(Answer::Body(400, json!({"error": "invalid_grant"}).to_string()), "the token address answered 400 (invalid_grant)")]
#[case::nonsense(Answer::Body(200, "<html>".to_owned()), "the token address answered, but its answer is not JSON")]
#[case::silence(Answer::Hang, "the token address could not be asked: no answer in time")]
#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_the_attempt_fails_with_the_reason_and_is_tried_again(
    #[case] answer: Answer,
    #[case] reason: &str,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers([answer, token("late")]);
    destination_with(&app, asking(&receiver, oauth(&tokens))).await;

    deliver(&app, "ada").await;
    let failed = only(&app).await;
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;

    assert_eq!((failed.state, failed.attempt_count, failed.last_status), (State::Pending, 1, None));
    assert_eq!(failed.last_error, Some(format!("no access token: {reason}")));
    assert_eq!(authorizations(&receiver), ["Bearer late"]);
    assert_eq!(only(&app).await.state, State::Delivered);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_refresh_token_is_kept_for_the_next_process(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    let rotated = json!({"access_token": "first", "refresh_token": "refresh-2", "expires_in": 60}).to_string();
    tokens.answers([Answer::Body(200, rotated)]);
    tokens.answers_otherwise(token("second"));
    destination_with(&app, asking(&receiver, oauth(&tokens))).await;

    deliver(&app, "ada").await;
    app.restart().await;
    deliver(&app, "bob").await;

    let asked: Vec<String> =
        tokens.received().iter().map(|one| String::from_utf8_lossy(&one.body).into_owned()).collect();
    assert!(
        asked[0].contains("refresh_token=refresh-1&") && asked[1].contains("refresh_token=refresh-2&"),
        "{asked:?}"
    );
    assert_eq!(authorizations(&receiver), ["Bearer first", "Bearer second"]);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_client_by_itself_sends_no_refresh_token_and_its_own_word_before_the_token(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers_otherwise(token("own"));
    let wished = WishedOauth {
        grant: "client_credentials".to_owned(),
        refresh_token: None,
        scopes: None,
        scheme: Some("Zoho-oauthtoken".to_owned()),
        ..oauth(&tokens)
    };
    destination_with(&app, asking(&receiver, wished)).await;

    deliver(&app, "ada").await;

    assert_eq!(authorizations(&receiver), ["Zoho-oauthtoken own"]);
    let form = "grant_type=client_credentials&client_id=client-1&client_secret=client-secret";
    assert_eq!(String::from_utf8_lossy(&tokens.received()[0].body), form);
    app.stop().await;
}

/// Whoever may change a destination could otherwise have its secret sent to themselves.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_does_not_move_to_another_token_address(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, tokens, other) = (Receiver::start().await, Receiver::start().await, Receiver::start().await);
    tokens.answers_otherwise(token("one"));
    let made = destination_with(&app, asking(&receiver, oauth(&tokens))).await.destination;
    let without = |tokens| WishedOauth { client_secret: None, refresh_token: None, ..oauth(tokens) };

    let moved = Wish { access: with(without(&other)), ..Wish::default() };
    let refused = update_destination(&app.engine, &app.actor(), made.id, &moved).await;
    change(&app, &made, Wish { access: with(without(&tokens)), ..Wish::default() }).await;
    deliver(&app, "ada").await;

    let Err(DestinationError::Refused(refused)) = refused else { panic!("it is refused") };
    let pointers: Vec<&str> = refused.iter().map(|one| one.pointer.as_str()).collect();
    assert_eq!(pointers, ["/oauth/clientSecret", "/oauth/refreshToken"]);
    assert_eq!((authorizations(&receiver), other.received().len()), (vec!["Bearer one".to_owned()], 0));
    app.stop().await;
}

/// A name of the outside that means somewhere inside by the time it is asked: stopped at the connection, as a
/// destination's own address is.
#[rstest]
#[case::link_local("http://169.254.169.254/token", "/oauth/tokenUrl")]
#[case::metadata("https://metadata.google.internal/token", "/oauth/tokenUrl")]
#[case::private("https://10.0.0.1/token", "/oauth/tokenUrl")]
#[case::plain("http://example.com/token", "/oauth/tokenUrl")]
#[tokio::test(flavor = "multi_thread")]
async fn a_token_address_is_held_to_what_any_address_is(
    #[case] url: &str,
    #[case] pointer: &str,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (receiver, tokens) = (Receiver::start().await, Receiver::start().await);
    tokens.answers_otherwise(token("one"));
    let made = destination_with(&app, asking(&receiver, oauth(&tokens))).await.destination;

    let inward = WishedOauth { token_url: url.to_owned(), ..oauth(&tokens) };
    let wish = Wish { access: with(inward), ..Wish::default() };
    let refused = update_destination(&app.engine, &app.actor(), made.id, &wish).await;
    // As if it had been saved by an older version, or by hand.
    app.execute(&format!("UPDATE destinations SET rules = {}", replaced(&app, &tokens.url(), url))).await;
    deliver(&app, "ada").await;

    let Err(DestinationError::Refused(refused)) = refused else { panic!("it is refused") };
    assert_eq!(refused[0].pointer, pointer);
    let failed = only(&app).await;
    assert_eq!((failed.state, failed.attempt_count), (State::Pending, 1));
    assert!(
        failed
            .last_error
            .is_some_and(|error| error.starts_with("no access token: the token address could not be asked: refused"))
    );
    assert_eq!((receiver.received().len(), tokens.received().len()), (0, 0));
    app.stop().await;
}

fn replaced(app: &TestApp, before: &str, after: &str) -> String {
    match app.db() {
        Db::Sqlite => format!("replace(rules, '{before}', '{after}')"),
        Db::Postgres => format!("replace(CAST(rules AS TEXT), '{before}', '{after}')::jsonb"),
    }
}
