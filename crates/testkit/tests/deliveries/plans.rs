//! Each plan to its end by an injected clock: when every attempt is made, and what comes of the delivery.

use std::time::Duration;

use leadline_engine::delivery::destinations::Wish;
use leadline_store::deliveries::State;
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;

use super::{all, destination_with, lead_named, wish};

/// How a receiver answers every time.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Status(u16),
    RetryAfter(u16, &'static str),
    Hang,
    ClosedPort,
    NoTls,
    Reset,
    LargeBody(u16),
}

/// Waits in seconds before each attempt behind the first.
const STANDARD: &[i64] = &[1, 2, 4, 60, 300, 1_800, 7_200, 21_600, 86_400];
const FAST: &[i64] = &[1, 2, 4];

#[rstest]
#[case::taken("standard", Kind::Status(204), &[], State::Delivered)]
#[case::unavailable("standard", Kind::Status(503), STANDARD, State::Dead)]
#[case::unavailable_fast("fast", Kind::Status(500), FAST, State::Dead)]
#[case::unavailable_once("none", Kind::Status(502), &[], State::Dead)]
#[case::told_to_wait("standard", Kind::RetryAfter(429, "90"), &[90, 90, 90, 90, 300, 1_800, 7_200, 21_600, 86_400], State::Dead)]
#[case::told_to_wait_less("fast", Kind::RetryAfter(503, "0"), FAST, State::Dead)]
#[case::timed_out_there("fast", Kind::Status(408), FAST, State::Dead)]
#[case::too_early("fast", Kind::Status(425), FAST, State::Dead)]
#[case::unknown("standard", Kind::Status(404), &[], State::Dead)]
#[case::not_valid("standard", Kind::Status(422), &[], State::Dead)]
#[case::elsewhere("standard", Kind::Status(302), &[], State::Dead)]
#[case::gone("standard", Kind::Status(410), &[], State::Dead)]
#[case::hangs("fast", Kind::Hang, FAST, State::Dead)]
#[case::nobody_listens("standard", Kind::ClosedPort, STANDARD, State::Dead)]
#[case::speaks_no_tls("fast", Kind::NoTls, FAST, State::Dead)]
#[case::hangs_up("fast", Kind::Reset, FAST, State::Dead)]
#[case::answers_at_length("standard", Kind::LargeBody(200), &[], State::Delivered)]
#[case::refuses_at_length("fast", Kind::LargeBody(500), FAST, State::Dead)]
#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_is_tried_at_its_times_and_ends(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] plan: &str,
    #[case] kind: Kind,
    #[case] waits_s: &[i64],
    #[case] end: State,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let attempts = waits_s.len() + 1;
    receiver.answers(std::iter::repeat_n(answer(kind), attempts));
    let url = match kind {
        Kind::ClosedPort => closed_port().await,
        Kind::NoTls => receiver.url().replace("http://", "https://"),
        Kind::Reset => hangs_up().await,
        _ => receiver.url(),
    };
    destination_with(&app, Wish { retry_plan: Some(plan.to_owned()), ..wish(&url) }).await;

    lead_named(&app, "ada").await;
    app.run_jobs().await;
    for (number, wait_s) in (1..).zip(waits_s) {
        let waiting = all(&app).await.remove(0);
        assert_eq!((waiting.state, waiting.attempt_count), (State::Pending, number));
        let wait_ms = waiting.next_attempt_at.ms_since(app.now());
        // The slow phase is lengthened by up to a tenth, so that what failed together does not come back together.
        let most_ms = if *wait_s >= 60 { wait_s * 1_100 } else { wait_s * 1_000 };
        assert!((wait_s * 1_000..=most_ms).contains(&wait_ms), "attempt {number} waits {wait_ms} ms");
        let wait = Duration::from_millis(u64::try_from(wait_ms).expect("a wait"));
        app.advance(wait - Duration::from_millis(1));
        app.run_jobs().await;
        assert_eq!(all(&app).await[0].attempt_count, number, "not before its time");
        app.advance(Duration::from_millis(1));
        app.run_jobs().await;
    }

    let ended = all(&app).await.remove(0);
    assert_eq!((ended.state, ended.attempt_count), (end, i64::try_from(attempts).expect("a count")));
    assert_eq!(app.count("delivery_attempts").await, ended.attempt_count);
    app.stop().await;
}

fn answer(kind: Kind) -> Answer {
    match kind {
        Kind::Status(status) => Answer::Status(status),
        Kind::RetryAfter(status, after) => Answer::With(status, "retry-after", after.to_owned()),
        Kind::LargeBody(status) => Answer::Body(status, "x".repeat(10 * 1024 * 1024)),
        Kind::Hang => Answer::Hang,
        Kind::ClosedPort | Kind::NoTls | Kind::Reset => Answer::Status(200),
    }
}

async fn closed_port() -> String {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    format!("http://{}/", closed.local_addr().expect("an address"))
}

/// A receiver that takes connections and closes them without a word.
async fn hangs_up() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    url
}
