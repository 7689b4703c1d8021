//! Receivers that are down: their deliveries wait, one is tried now and then, and all go out when somebody answers.

use std::{ops::Range, time::Duration};

use leadline_engine::delivery::{self, destinations::Wish};
use leadline_store::{deliveries::State, destinations::Destination};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;

use super::{all, change, destination, destination_with, lead_named, reload, wish};

const OPEN: &str = "destinations WHERE breaker_opened_at IS NOT NULL";
const ALERT: &str = "alerts WHERE kind = 'destination.failing' AND closed_at IS NULL";

async fn leads(app: &TestApp, numbers: Range<usize>) {
    for number in numbers {
        lead_named(app, &format!("lead{number}")).await;
    }
}

/// A receiver that is down, with 60 deliveries to it: 25 at once, of which enough failed, and then more.
async fn down(app: &TestApp) -> (Receiver, Destination, usize) {
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Answer::Status(500));
    let made = destination(app, &receiver.url()).await.destination;
    leads(app, 0..25).await;
    app.run_jobs().await;
    let tried = receiver.received().len();
    leads(app, 25..60).await;
    app.run_jobs().await;
    assert!((20..=25).contains(&tried), "{tried}");
    assert_eq!(receiver.received().len(), tried, "what came later waits");
    (receiver, made, tried)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_wait_for_a_receiver_that_is_down_and_go_out_when_it_answers(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let mut app = TestApp::start(db).await;
    let (receiver, _, tried) = down(&app).await;
    let opened = (app.count(OPEN).await, app.count(ALERT).await);

    app.advance(Duration::from_millis(1_900));
    app.run_jobs().await;
    let before_the_probe = receiver.received().len();
    app.advance(Duration::from_millis(200));
    app.run_jobs().await;
    let after_one = receiver.received().len();
    app.restart().await;
    app.advance(Duration::from_millis(3_900));
    app.run_jobs().await;
    let after_the_restart = receiver.received().len();
    let waiting = app.count("deliveries WHERE state = 'pending'").await;
    let untouched = app.count("deliveries WHERE plan_attempt = 0").await;
    receiver.answers_otherwise(Answer::Status(200));
    app.advance(Duration::from_millis(200));
    app.run_jobs().await;

    assert_eq!(opened, (1, 1), "held back, and somebody is told at once");
    assert_eq!((before_the_probe, after_one, after_the_restart), (tried, tried + 1, tried + 1));
    assert_eq!(waiting, 60);
    assert_eq!(untouched, 60 - i64::try_from(tried).expect("a few"), "waiting and probing use up no plan");
    assert!(all(&app).await.iter().all(|one| one.state == State::Delivered));
    assert_eq!((app.count(OPEN).await, app.count(ALERT).await), (0, 0));
    assert_eq!(receiver.received().len(), tried + 1 + 60);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_nodes_one_sends_the_probe(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, _, tried) = down(&app).await;
    app.advance(Duration::from_secs(2));

    let nodes = [app.engine.clone(), app.engine.clone(), app.engine.clone()];
    let runs = nodes.map(|engine| tokio::spawn(async move { delivery::deliver_due(&engine).await.expect("sent") }));
    for run in runs {
        run.await.expect("no panic");
    }

    assert_eq!(receiver.received().len(), tried + 1);
    app.stop().await;
}

#[rstest]
#[case::refused(404, 1, true)]
#[case::gone(410, 1, false)]
#[case::asked_to_wait(429, 0, true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_probe_is_judged_like_any_attempt_but_by_no_plan(
    #[case] status: u16,
    #[case] dead: i64,
    #[case] is_active: bool,
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let (receiver, _, tried) = down(&app).await;
    receiver.answers([Answer::Status(status)]);
    receiver.answers_otherwise(Answer::Status(200));

    app.advance(Duration::from_secs(2));
    app.run_jobs().await;

    let went_on = status == 404;
    assert_eq!(app.count("deliveries WHERE state = 'dead'").await, dead);
    assert_eq!(app.count("destinations WHERE is_active").await, i64::from(is_active));
    assert_eq!(receiver.received().len(), if went_on { tried + 60 } else { tried + 1 });
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_now_and_then_is_not_held_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    receiver.answers((0..90).map(|n| Answer::Status([500, 503, 200][n % 3])));
    leads(&app, 0..60).await;

    for seconds in [0, 1, 2, 4, 66] {
        app.advance(Duration::from_secs(seconds));
        app.run_jobs().await;
        assert_eq!(app.count(OPEN).await, 0);
    }

    assert_eq!(app.count("deliveries WHERE state = 'delivered'").await, 60);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_short_plan_ends_in_seconds_whatever_the_receiver_does(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    receiver.answers_otherwise(Answer::Status(500));
    destination_with(&app, Wish { retry_plan: Some("fast".into()), ..wish(&receiver.url()) }).await;
    leads(&app, 0..30).await;

    for seconds in [0, 1, 2, 4] {
        app.advance(Duration::from_secs(seconds));
        app.run_jobs().await;
    }

    assert_eq!(app.count("deliveries WHERE state = 'dead'").await, 30);
    assert_eq!(receiver.received().len(), 120);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn another_address_is_tried_at_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (_receiver, made, _) = down(&app).await;
    let mended = Receiver::start().await;

    change(&app, &made, Wish { name: Some("Renamed".into()), ..Wish::default() }).await;
    let renamed = app.count(OPEN).await;
    change(&app, &reload(&app, &made).await, Wish { url: Some(mended.url()), ..Wish::default() }).await;
    delivery::deliver_due(&app.engine).await.expect("sent");

    assert_eq!((renamed, app.count(OPEN).await), (1, 0));
    assert!(mended.received().len() >= 35);
    app.stop().await;
}
