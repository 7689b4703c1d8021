//! Renewing a destination's secret: how long the old one signs beside the new one, and that it is gone after that.

use std::time::Duration;

use leadline_domain::ids::DestinationId;
use leadline_engine::{
    delivery::{
        self,
        destinations::{DestinationError, Wish, WithSecret},
        secrets,
    },
    retain,
};
use leadline_outbound::{Secret, sign_plain, sign_standard};
use leadline_testkit::{Answer, Db, Received, Receiver, TestApp};
use rstest::rstest;

use super::{change, destination, lead_named, reload};

const HOUR: Duration = Duration::from_secs(3_600);

const WITH_A_PREVIOUS: &str =
    "destinations WHERE previous_secret_sealed IS NOT NULL OR previous_secret_until IS NOT NULL";

async fn renew(app: &TestApp, id: DestinationId, overlap_hours: i64) -> WithSecret {
    secrets::regenerate_secret(&app.engine, &app.actor(), id, overlap_hours).await.expect("a new secret")
}

async fn deliver(app: &TestApp, name: &str) {
    lead_named(app, name).await;
    app.run_jobs().await;
}

/// That a request is signed by these secrets, the newest first, and by no other; the plain signature by the newest.
fn assert_signed_by(request: &Received, secrets: &[&str]) {
    let secrets: Vec<Secret> = secrets.iter().map(|text| Secret::parse(text).expect("a secret as shown")).collect();
    let time: i64 = request.header("webhook-timestamp").parse().expect("a time");
    let signatures: Vec<String> =
        secrets.iter().map(|secret| sign_standard(secret, request.header("webhook-id"), time, &request.body)).collect();
    assert_eq!(request.header("webhook-signature"), signatures.join(" "));
    let plain: Vec<_> = request.headers.get_all("x-leadline-signature").iter().collect();
    assert_eq!(plain, [sign_plain(&secrets[0], &request.body).as_str()]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn both_secrets_sign_until_the_overlap_is_over(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;
    let id = made.destination.id;

    let renewed = renew(&app, id, 24).await;
    deliver(&app, "ada").await;
    delivery::destinations::test_destination(&app.engine, &app.actor(), id).await.expect("sent");
    app.advance(24 * HOUR - Duration::from_millis(1));
    deliver(&app, "bob").await;
    app.advance(Duration::from_millis(1));
    deliver(&app, "cy").await;
    delivery::destinations::test_destination(&app.engine, &app.actor(), id).await.expect("sent");

    let received = receiver.received();
    let (old, new) = (made.secret.as_str(), renewed.secret.as_str());
    assert_eq!(received.len(), 5);
    received[..3].iter().for_each(|request| assert_signed_by(request, &[new, old]));
    received[3..].iter().for_each(|request| assert_signed_by(request, &[new]));
    app.stop().await;
}

/// The runner of the product holds its destinations for as long as they are not changed; nobody changes this one.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_goes_on_stops_using_the_old_secret(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start_working(db, Duration::from_secs(20)).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;
    let renewed = renew(&app, made.destination.id, 1).await;

    lead_named(&app, "ada").await;
    receiver.wait_for(1).await;
    app.advance(HOUR);
    lead_named(&app, "bob").await;
    receiver.wait_for(2).await;

    let received = receiver.received();
    assert_signed_by(&received[0], &[&renewed.secret, &made.secret]);
    assert_signed_by(&received[1], &[&renewed.secret]);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_after_a_renewal_is_signed_anew(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(500)]);
    deliver(&app, "ada").await;

    let renewed = renew(&app, made.destination.id, 168).await;
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;

    let received = receiver.received();
    assert_signed_by(&received[0], &[&made.secret]);
    assert_signed_by(&received[1], &[&renewed.secret, &made.secret]);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_second_renewal_ends_the_secret_before_the_last(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let id = destination(&app, &receiver.url()).await.destination.id;

    let first = renew(&app, id, 168).await;
    let second = renew(&app, id, 1).await;
    deliver(&app, "ada").await;
    let third = renew(&app, id, 0).await;
    deliver(&app, "bob").await;

    let received = receiver.received();
    assert_signed_by(&received[0], &[&second.secret, &first.secret]);
    assert_signed_by(&received[1], &[&third.secret]);
    assert_eq!(app.count(WITH_A_PREVIOUS).await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_next_change_after_the_overlap_wipes_the_old_secret(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await.destination;
    renew(&app, made.id, 1).await;
    let rename = |name: &str| Wish { name: Some(name.to_owned()), ..Wish::default() };

    change(&app, &made, rename("during")).await;
    let during = reload(&app, &made).await;
    app.advance(HOUR);
    change(&app, &made, rename("after")).await;

    assert_eq!(during.previous_secret.map(|previous| previous.until), Some(app.now()));
    assert_eq!(app.count(WITH_A_PREVIOUS).await, 0);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn retention_wipes_the_old_secret_after_the_overlap_and_not_before(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await.destination;
    let deleted = destination(&app, &receiver.url()).await.destination;
    retain(&app.engine).await.expect("a first look");
    for id in [made.id, deleted.id] {
        renew(&app, id, 2).await;
    }
    delivery::destinations::delete_destination(&app.engine, &app.actor(), deleted.id).await.expect("deleted");

    app.advance(HOUR);
    retain(&app.engine).await.expect("looked");
    assert_eq!(app.count(WITH_A_PREVIOUS).await, 2);
    app.advance(HOUR);
    retain(&app.engine).await.expect("looked");

    assert_eq!(app.count(WITH_A_PREVIOUS).await, 0);
    app.stop().await;
}

#[rstest]
#[case::negative(-1)]
#[case::longer_than_a_week(169)]
#[case::absurd(i64::MAX)]
#[tokio::test(flavor = "multi_thread")]
async fn an_overlap_beyond_a_week_is_refused_and_the_secret_stays(#[case] hours: i64) {
    let app = TestApp::start(Db::Sqlite).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;

    let refused = secrets::regenerate_secret(&app.engine, &app.actor(), made.destination.id, hours).await;

    let Err(DestinationError::Refused(refused)) = refused else { panic!("it is refused") };
    assert_eq!(refused[0].pointer, "/overlapHours");
    assert_eq!(reload(&app, &made.destination).await.secret_sealed, made.destination.secret_sealed);
    app.stop().await;
}
