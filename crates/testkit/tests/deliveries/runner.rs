//! The one who sends: its slots, its order, its leases, and how it stops.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use leadline_domain::ids::DeliveryId;
use leadline_engine::{
    Options,
    delivery::{self, destinations::Wish},
    dispatch,
};
use leadline_store::{
    deliveries::{self, Finished, Lease, State},
    destinations::Destination,
};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;
use tokio::sync::Notify;

use super::{change, destination, destination_with, lead_named, only, wish};

/// A receiver that answers only when it is let go, and tells how many requests it holds.
struct Holding {
    url: String,
    arrived: Arc<Notify>,
    held: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

/// Counts a request as long as its connection lives.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Holding {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let (arrived, held, most) =
            (Arc::new(Notify::new()), Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let state = (arrived.clone(), held.clone(), most.clone());
        let router = axum::Router::new().fallback(move || {
            let (arrived, held, most) = state.clone();
            async move {
                let now = held.fetch_add(1, Ordering::SeqCst) + 1;
                most.fetch_max(now, Ordering::SeqCst);
                let _counted = Counted(held);
                arrived.notify_one();
                std::future::pending::<()>().await;
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, arrived, held, most }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_hangs_takes_its_own_slots_only(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let hanging = Holding::start().await;
    let healthy = Receiver::start().await;
    destination_with(&app, Wish { retry_plan: Some("none".into()), ..wish(&hanging.url) }).await;
    destination(&app, &healthy.url()).await;
    for number in 0..30 {
        lead_named(&app, &format!("lead{number}")).await;
    }
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");

    let mut engine = app.engine.clone();
    let patient = Options { delivery_timeout: Duration::from_secs(30), ..Options::clone(&engine.options) };
    engine.options = Arc::new(patient);
    let sending = tokio::spawn(async move { delivery::deliver_due(&engine).await });
    while healthy.received().len() < 30 || hanging.held.load(Ordering::SeqCst) < 8 {
        tokio::task::yield_now().await;
    }
    sending.abort();

    assert_eq!(hanging.most.load(Ordering::SeqCst), 8);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_sending_and_recording_sends_again_under_the_same_id(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let holding = Holding::start().await;
    let made = destination(&app, &holding.url).await.destination;
    lead_named(&app, "ada").await;
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    tokio::select! {
        _ = delivery::deliver_due(&app.engine) => panic!("the receiver never answers"),
        () = holding.arrived.notified() => {}
    }
    let before = only(&app).await;
    let receiver = Receiver::start().await;
    change(&app, &made, Wish { url: Some(receiver.url()), ..Wish::default() }).await;

    app.run_jobs().await;
    assert_eq!(receiver.received().len(), 0, "the dead process still has the lease");
    app.advance(Duration::from_secs(61));
    app.run_jobs().await;

    let after = only(&app).await;
    assert_eq!((after.state, after.attempt_count), (State::Delivered, 2));
    let [request] = &receiver.received()[..] else { panic!("one request") };
    assert_eq!(request.header("x-leadline-delivery-id"), before.id.to_string());
    assert_eq!(String::from_utf8_lossy(&request.body), before.payload.expect("a payload kept before sending"));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_worker_cannot_overwrite_a_job_that_was_rescued_from_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let made = destination(&app, "http://127.0.0.1:9/").await.destination;
    lead_named(&app, "ada").await;
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    let id = only(&app).await.id;

    let first = lease(&app, &made, id).await;
    assert_eq!(lease_count(&app, &made).await, 0, "a leased job is nobody else's");
    app.advance(Duration::from_secs(61));
    let second = lease(&app, &made, id).await;
    let of_the_slow = finish(&app, id, first, State::Dead).await;
    let of_the_rescuer = finish(&app, id, second, State::Delivered).await;
    let too_late = finish(&app, id, first, State::Dead).await;

    assert_eq!((of_the_slow, of_the_rescuer, too_late), (0, 1, 0));
    assert_eq!(only(&app).await.state, State::Delivered);
    app.stop().await;
}

/// Leases the one delivery and gives the number of the attempt.
async fn lease(app: &TestApp, destination: &Destination, id: DeliveryId) -> i64 {
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let picked = deliveries::pick(&mut tx, &[destination.id], 8, app.now()).await.expect("picked");
    assert_eq!(picked, [id]);
    let loaded = deliveries::load(&mut tx, &picked).await.expect("loaded");
    deliveries::lease(&mut tx, &[Lease { id, payload: "{}" }], app.now().plus_ms(60_000)).await.expect("leased");
    tx.commit().await.expect("committed");
    loaded[0].attempt_count + 1
}

async fn lease_count(app: &TestApp, destination: &Destination) -> usize {
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let picked = deliveries::pick(&mut tx, &[destination.id], 8, app.now()).await.expect("picked");
    tx.rollback().await.expect("rolled back");
    picked.len()
}

async fn finish(app: &TestApp, id: DeliveryId, attempt_count: i64, state: State) -> usize {
    let row = Finished {
        id,
        attempt_count,
        state,
        plan_attempt: 1,
        next_attempt_at: app.now().0,
        last_status: Some(200),
        last_error: None,
        finished_at: Some(app.now().0),
        expires_at: None,
    };
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let counted = deliveries::finish(&mut tx, &[row]).await.expect("finished");
    tx.commit().await.expect("committed");
    counted.len()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn first_tries_come_before_retries(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await.destination;
    receiver.answers([Answer::Status(500)]);
    lead_named(&app, "early").await;
    app.run_jobs().await;
    app.advance(Duration::from_secs(5));
    lead_named(&app, "late").await;
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");

    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let picked = deliveries::pick(&mut tx, &[made.id], 1, app.now()).await.expect("picked");
    let loaded = deliveries::load(&mut tx, &picked).await.expect("loaded");
    tx.rollback().await.expect("rolled back");

    assert_eq!(loaded[0].lead.as_ref().map(|lead| lead.name.as_str()), Some("late"));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_leads_to_many_destinations_all_arrive_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receivers = [Receiver::start().await, Receiver::start().await, Receiver::start().await];
    for receiver in &receivers {
        destination(&app, &receiver.url()).await;
        receiver.answers([Answer::Status(500), Answer::Status(200), Answer::Status(503)]);
    }
    for number in 0..40 {
        lead_named(&app, &format!("lead{number}")).await;
    }

    app.run_jobs().await;
    app.advance(Duration::from_secs(1));
    app.run_jobs().await;

    let delivered = app.count("deliveries WHERE state = 'delivered'").await;
    assert_eq!((app.count("deliveries").await, delivered), (120, 120));
    assert_eq!(app.count("delivery_attempts").await, 126);
    for receiver in &receivers {
        let received = receiver.received();
        let ids: std::collections::BTreeSet<&str> = received.iter().map(|one| one.header("webhook-id")).collect();
        assert_eq!((received.len(), ids.len()), (42, 40));
    }
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_records_what_was_sent_and_gives_back_the_rest(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let holding = Holding::start().await;
    destination(&app, &holding.url).await;
    for number in 0..12 {
        lead_named(&app, &format!("lead{number}")).await;
    }
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let running = tokio::spawn(delivery::run(app.engine.clone(), stopped));
    holding.arrived.notified().await;

    stop.send_replace(true);
    running.await.expect("no panic");

    assert_eq!(app.count("deliveries WHERE leased_until IS NOT NULL").await, 0);
    let attempts = app.count("delivery_attempts").await;
    assert!((1..=8).contains(&attempts), "{attempts}");
    assert_eq!(app.count("deliveries WHERE attempt_count > 0").await, attempts);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_share_one_queue_and_what_a_dead_one_held_is_sent_by_another() {
    let app = TestApp::start(Db::Postgres).await;
    let (slow, quick) = (Holding::start().await, Receiver::start().await);
    let made = destination(&app, &slow.url).await.destination;
    destination(&app, &quick.url()).await;
    for number in 0..60 {
        lead_named(&app, &format!("lead{number}")).await;
    }
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");
    let node = |engine: leadline_engine::Engine| tokio::spawn(async move { delivery::deliver_due(&engine).await });

    // Both send what there is; each has its own eight slots for the slow receiver, and no delivery is with both.
    let nodes = [node(app.engine.clone()), node(app.engine.clone())];
    while quick.received().len() < 60 || slow.held.load(Ordering::SeqCst) < 16 {
        tokio::task::yield_now().await;
    }
    let leased = app.count("deliveries WHERE state = 'pending' AND leased_until IS NOT NULL").await;
    assert!(leased >= 16, "{leased} are held for the slow receiver");
    let ids: std::collections::BTreeSet<String> =
        quick.received().iter().map(|request| request.header("webhook-id").to_owned()).collect();
    assert_eq!((quick.received().len(), ids.len()), (60, 60), "nothing went out twice");

    // Both die in the middle of it. When their leases have ended, a third one sends all of it under the same ids.
    nodes.iter().for_each(tokio::task::JoinHandle::abort);
    change(&app, &made, Wish { url: Some(quick.url()), ..Wish::default() }).await;
    app.advance(Duration::from_secs(61));
    app.run_jobs().await;

    assert_eq!(app.count("deliveries WHERE state = 'delivered'").await, 120);
    app.stop().await;
}
