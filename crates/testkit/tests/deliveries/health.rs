//! How a destination fares, as its screen tells it.

use std::time::Duration;

use leadline_domain::ids::DestinationId;
use leadline_store::destination_health::{self, Health};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;

use super::{destination, lead_named};

const HOUR: Duration = Duration::from_secs(3_600);

async fn health(app: &TestApp, id: DestinationId) -> Health {
    let all = destination_health::list(&app.engine.store.reader(), app.workspace, &[id], app.now()).await;
    all.expect("the store answers").remove(0)
}

fn busy_hours(health: &Health) -> Vec<(usize, i64, i64)> {
    let hours = health.hours.iter().enumerate();
    hours.filter(|(_, h)| h.delivered + h.failed > 0).map(|(n, h)| (n, h.delivered, h.failed)).collect()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn attempts_are_counted_by_the_hour_and_forgotten_after_a_day(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let id = destination(&app, &receiver.url()).await.destination.id;
    receiver.answers([Answer::Status(503), Answer::Status(404)]);
    lead_named(&app, "retried").await;
    lead_named(&app, "dead").await;
    app.run_jobs().await;
    let failing = health(&app, id).await;
    app.advance(HOUR);
    app.run_jobs().await;
    lead_named(&app, "late").await;
    app.run_jobs().await;

    let healthy = health(&app, id).await;
    app.advance(HOUR * 23);
    let later = health(&app, id).await;
    app.advance(HOUR);
    let last = health(&app, id).await;

    assert_eq!((failing.pending, failing.dead, busy_hours(&failing)), (1, 1, vec![(23, 0, 2)]));
    assert!(failing.last.expect("an attempt").error.is_some() && failing.p95_ms.is_some());
    assert_eq!((healthy.pending, healthy.dead, busy_hours(&healthy)), (0, 1, vec![(22, 0, 2), (23, 2, 0)]));
    assert_eq!((healthy.delivered(), healthy.failed()), (2, 2));
    assert_eq!(healthy.last.clone().map(|last| (last.status, last.error)), Some((Some(200), None)));
    assert!(healthy.failure.expect("the last failure").1.starts_with("the receiver answered"));
    assert_eq!((busy_hours(&later), later.failure), (vec![(0, 2, 0)], None));
    assert_eq!((busy_hours(&last), last.p95_ms), (vec![], None));
    assert_eq!(last.last, healthy.last, "what was answered last is remembered");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_add_to_the_same_hour(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let id = destination(&app, &receiver.url()).await.destination.id;
    for number in 0..20 {
        lead_named(&app, &format!("lead{number}")).await;
    }
    leadline_engine::dispatch::dispatch_all(&app.engine).await.expect("dispatched");

    let runs = [app.engine.clone(), app.engine.clone()].map(|engine| {
        tokio::spawn(async move { leadline_engine::delivery::deliver_due(&engine).await.expect("delivered") })
    });
    let mut sent = 0;
    for run in runs {
        sent += run.await.expect("no panic");
    }

    assert_eq!((sent, health(&app, id).await.delivered()), (20, 20));
    app.stop().await;
}
