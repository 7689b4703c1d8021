//! What goes in its time, and what a clock that leaps must not take with it.

use std::time::Duration;

use leadline_domain::time::DAY_MS;
use leadline_engine::{retain, retention};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

const DAY: Duration = Duration::from_secs(86_400);

/// Days go by, with a look at least once a week.
async fn live(app: &TestApp, days: u32) {
    for _ in 0..days / 7 {
        leap(app, 7).await;
    }
    leap(app, days % 7).await;
}

async fn leap(app: &TestApp, days: u32) {
    app.advance(days * DAY);
    retain(&app.engine).await.expect("what is over is deleted");
}

async fn left(app: &TestApp) -> (i64, i64, i64, i64) {
    let captures = app.count("lead_captures").await;
    (captures, app.count("events").await, app.count("lead_submissions").await, app.count("leads").await)
}

async fn begin(db: Db) -> TestApp {
    let app = TestApp::start(db).await;
    retain(&app.engine).await.expect("a first look");
    app.submit(json!({"name": "ada"})).await;
    app.run_jobs().await;
    app
}

async fn held_days(app: &TestApp) -> i64 {
    retention::memory(&app.engine.store).await.expect("remembered").held_ms / DAY_MS
}

const HELD: &str = "alerts WHERE kind = 'retention.held' AND closed_at IS NULL";

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn raw_requests_go_at_90_days_and_leads_stay(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = begin(db).await;

    live(&app, 89).await;
    assert_eq!(left(&app).await, (1, 0, 1, 1));
    live(&app, 1).await;
    assert_eq!(left(&app).await, (0, 0, 1, 1));
    live(&app, 401).await;

    assert_eq!(left(&app).await, (0, 0, 1, 1));
    assert_eq!((held_days(&app).await, app.count(HELD).await), (0, 0));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_leap_of_100_days_deletes_nothing_without_an_operators_word(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = begin(db).await;
    app.make_workspace("elsewhere").await;
    let all = (1, 1, 1, 1);

    leap(&app, 100).await;
    assert_eq!((left(&app).await, held_days(&app).await, app.count(HELD).await), (all, 100, 2));
    leap(&app, 1).await;
    assert_eq!(left(&app).await, all, "nor an hour or a day later");

    retention::confirm(&app.engine.store, app.now()).await.expect("confirmed");
    assert_eq!(app.count(HELD).await, 0);
    leap(&app, 1).await;
    assert_eq!((left(&app).await, held_days(&app).await), ((0, 0, 1, 1), 0));
    app.stop().await;
}

/// The machine was off for three weeks: nobody has to say anything, and things live as much longer.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn after_weeks_switched_off_things_go_by_the_time_that_was_lived(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = begin(db).await;
    live(&app, 10).await;

    leap(&app, 21).await;
    live(&app, 79).await;
    assert_eq!(left(&app).await.0, 1, "89 days lived, 110 by the calendar");
    live(&app, 1).await;

    assert_eq!((left(&app).await.0, held_days(&app).await), (0, 21));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_put_right_takes_its_alert_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = begin(db).await;
    let right = app.now();
    leap(&app, 100).await;
    assert_eq!(app.count(HELD).await, 1);

    app.set_clock(right.plus_ms(DAY_MS));
    retain(&app.engine).await.expect("looked");

    assert_eq!((left(&app).await, held_days(&app).await, app.count(HELD).await), ((1, 1, 1, 1), 0, 0));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_look_deletes_nothing_since_nothing_is_known_of_the_clock(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    app.submit(json!({"name": "ada"})).await;
    app.run_jobs().await;

    leap(&app, 365).await;

    assert_eq!(left(&app).await, (1, 1, 1, 1));
    app.stop().await;
}
