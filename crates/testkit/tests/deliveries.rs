//! Deliveries from the event to the receiver and back, on both databases.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use leadline_domain::{
    ids::{DeliveryId, Id, WorkspaceId},
    time::Timestamp,
};
use leadline_engine::{
    Actor, Options, capture,
    delivery::{
        self,
        destinations::{DestinationError, Wish, WithSecret},
        payload::Format,
        replay,
    },
    dispatch,
};
use leadline_outbound::{Secret, sign_plain, verify_standard};
use leadline_store::{
    deliveries::{self, Delivery, Filter, Finished, Lease, State},
    destinations::{self, Destination},
    events,
};
use leadline_testkit::{Answer, Db, Received, Receiver, TestApp};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::sync::Notify;

fn wish(url: &str) -> Wish {
    Wish {
        name: Some("CRM".into()),
        url: Some(url.into()),
        events: Some(vec!["lead.created".into()]),
        ..Wish::default()
    }
}

async fn destination(app: &TestApp, url: &str) -> WithSecret {
    destination_with(app, wish(url)).await
}

async fn destination_with(app: &TestApp, wish: Wish) -> WithSecret {
    delivery::destinations::create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination")
}

async fn change(app: &TestApp, destination: &Destination, wish: Wish) -> Destination {
    delivery::destinations::update_destination(&app.engine, &app.actor(), destination.id, &wish)
        .await
        .expect("a changed destination")
}

async fn all(app: &TestApp) -> Vec<Delivery> {
    let page = deliveries::list(&app.engine.store.reader(), app.workspace, &Filter::default(), 200, 0).await;
    page.expect("the deliveries").rows
}

async fn only(app: &TestApp) -> Delivery {
    let mut all = all(app).await;
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

async fn reload(app: &TestApp, destination: &Destination) -> Destination {
    let found = destinations::find(&app.engine.store.reader(), app.workspace, destination.id).await;
    found.expect("the store answers").expect("the destination is there")
}

async fn lead_named(app: &TestApp, name: &str) {
    app.submit(json!({"name": name, "email": format!("{name}@example.com")})).await;
}

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

fn assert_signed(request: &Received, secret: &str, now: Timestamp) {
    let secret = Secret::parse(secret).expect("a secret as shown");
    assert_eq!(request.header("x-leadline-signature"), sign_plain(&secret, &request.body));
    let (id, time) = (request.header("webhook-id"), request.header("webhook-timestamp"));
    assert_eq!(id, request.header("x-leadline-delivery-id"));
    let verified =
        verify_standard(&[secret], id, time, request.header("webhook-signature"), &request.body, now.0 / 1_000);
    assert_eq!(verified, Ok(()));
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
async fn a_delivery_and_a_dead_letter_are_sent_again_with_the_same_id_and_body(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(404)]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;
    let id = only(&app).await.id;

    assert!(replay::replay_dead_letter(&app.engine, &app.actor(), id).await.expect("replayed"));
    app.run_jobs().await;
    let after_first = only(&app).await;
    assert!(!replay::replay_dead_letter(&app.engine, &app.actor(), id).await.expect("no dead letter any more"));
    assert!(replay::replay_delivery(&app.engine, &app.actor(), id).await.expect("replayed"));
    app.run_jobs().await;

    assert_eq!((after_first.state, after_first.attempt_count, after_first.expires_at), (State::Delivered, 2, None));
    assert_eq!(only(&app).await.attempt_count, 3);
    let received = receiver.received();
    assert_eq!(received.len(), 3);
    assert!(received.iter().all(|one| one.body == received[0].body));
    assert!(received.iter().all(|one| one.header("webhook-id") == id.to_string()));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_another_workspace_does_not_exist(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await.destination;
    lead_named(&app, "ada").await;
    app.run_jobs().await;
    let delivery = only(&app).await;
    let (other, _) = app.make_workspace("other").await;
    let stranger = app.actor_in(other);
    let engine = &app.engine;

    let refused = [
        delivery::destinations::update_destination(engine, &stranger, made.id, &Wish::default()).await.err(),
        delivery::destinations::regenerate_secret(engine, &stranger, made.id).await.err(),
        delivery::destinations::test_destination(engine, &stranger, made.id).await.err(),
        delivery::destinations::delete_destination(engine, &stranger, made.id).await.err(),
    ];

    assert!(refused.iter().all(|error| matches!(error, Some(DestinationError::NotFound))), "{refused:?}");
    assert!(!replay::replay_delivery(engine, &stranger, delivery.id).await.expect("the store answers"));
    assert_eq!(seen_by(&stranger, &app, &delivery, &made).await, (0, 0, 0, 0));
    assert_ne!(seen_by(&app.actor(), &app, &delivery, &made).await, (0, 0, 0, 0));
    assert!(reload(&app, &made).await.is_active);
    app.stop().await;
}

async fn seen_by(
    actor: &Actor,
    app: &TestApp,
    delivery: &Delivery,
    made: &Destination,
) -> (usize, usize, usize, usize) {
    let reader = app.engine.store.reader();
    let WorkspaceId(_) = actor.workspace;
    let page = deliveries::list(&reader, actor.workspace, &Filter::default(), 10, 0).await.expect("a page");
    let found = deliveries::find(&reader, actor.workspace, delivery.id).await.expect("the store answers");
    let attempts = deliveries::list_attempts(&reader, actor.workspace, delivery.id).await.expect("attempts");
    let destination = destinations::find(&reader, actor.workspace, made.id).await.expect("the store answers");
    (page.rows.len(), usize::from(found.is_some()), attempts.len(), usize::from(destination.is_some()))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_what_waits_and_a_deletion_cancels_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await.destination;
    lead_named(&app, "ada").await;
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");

    change(&app, &made, Wish { is_active: Some(false), ..Wish::default() }).await;
    app.run_jobs().await;
    let held = only(&app).await;
    lead_named(&app, "not-sent-while-paused").await;
    delivery::destinations::delete_destination(&app.engine, &app.actor(), made.id).await.expect("deleted");
    app.run_jobs().await;

    assert_eq!(held.state, State::Pending);
    assert_eq!(only(&app).await.state, State::Cancelled);
    assert_eq!(receiver.received().len(), 0);
    assert!(!replay::replay_delivery(&app.engine, &app.actor(), held.id).await.expect("the store answers"));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_new_secret_signs_what_is_sent_from_then_on(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let made = destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(500)]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;

    let renewed = delivery::destinations::regenerate_secret(&app.engine, &app.actor(), made.destination.id)
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
        is_active: None,
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

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_is_deleted_in_its_time(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    receiver.answers([Answer::Status(400)]);
    lead_named(&app, "ada").await;
    app.run_jobs().await;
    lead_named(&app, "bob").await;
    app.run_jobs().await;
    let count = async || (app.count("deliveries").await, app.count("delivery_attempts").await);

    app.advance(Duration::from_secs(7 * 86_400 - 1));
    delivery::retain(&app.engine, app.now()).await.expect("cleaned up");
    let before = count().await;
    app.advance(Duration::from_secs(2));
    delivery::retain(&app.engine, app.now()).await.expect("cleaned up");
    let without_the_dead_letter = count().await;
    app.advance(Duration::from_secs(24 * 86_400));
    delivery::retain(&app.engine, app.now()).await.expect("cleaned up");

    assert_eq!((before, without_the_dead_letter, count().await), ((2, 2), (1, 1), (0, 0)));
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

#[test]
fn a_payload_is_json_with_the_promised_keys() {
    let ids = std::array::from_fn(|n| uuid::Uuid::from_u128(n as u128));
    let workspace = delivery::payload::Workspace { id: WorkspaceId(uuid::Uuid::from_u128(9)), slug: "acme" };

    let text = delivery::payload::sample(Format::Leadline, "lead.created", ids, workspace, "production", Timestamp(0));

    let payload: Value = serde_json::from_str(&text).expect("JSON");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!(keys(&payload), "createdAt environment event id lead submission test version workspace");
    assert_eq!(
        keys(&payload["lead"]),
        "company createdAt customFields email firstTouch id lastTouch leadAnalysis name number phone projectId \
         projectName score source sourceName stage state submissionCount suspicion tags title updatedAt"
    );
    assert_eq!(keys(&payload["submission"]), "fields id match message pageUrl receivedAt referrer");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_names_the_conversation_and_the_one_before(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let events = Some(vec!["lead.created".into(), "lead.re_engaged".into()]);
    destination_with(&app, Wish { events, ..wish(&receiver.url()) }).await;
    let began_at = app.now();
    let by_widget = async || {
        let mut submission = spooled(&app).await;
        submission.intake.kind = "widget".to_owned();
        app.engine.door.accept(submission.clone()).await.expect("accepted");
        app.run_jobs().await;
        capture::conversations::of_submission(submission.id).to_string()
    };

    let first = by_widget().await;
    app.advance(Duration::from_secs(25 * 3_600));
    let second = by_widget().await;

    let [created, came_back] = &receiver.received()[..] else { panic!("told twice") };
    assert_eq!(created.json()["conversationId"], first);
    assert_eq!(created.json().get("lastConversationAt"), None);
    assert_eq!(came_back.json()["event"], "lead.re_engaged");
    assert_eq!(came_back.json()["conversationId"], second);
    assert_eq!(came_back.json()["lastConversationAt"], began_at.to_string());
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_told_from_the_spool_is_recorded_and_not_told_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (receiver, failing) = (Receiver::start().await, Receiver::start().await);
    let told = destination(&app, &receiver.url()).await;
    destination(&app, &failing.url()).await;
    failing.answers([Answer::Status(500)]);
    app.engine.known.refresh(&app.engine.store, &app.engine.keys).await.expect("known");
    let submission = spooled(&app).await;

    let prepared = capture::prepare(&app.engine.keys, submission.clone()).expect("somebody");
    let forwarded = delivery::forward_spooled(&app.engine, &prepared).await;
    let pairs: Vec<_> = forwarded.iter().map(|one| (&submission, one)).collect();
    delivery::record_forwarded(&app.engine, &pairs).await.expect("recorded");
    delivery::record_forwarded(&app.engine, &pairs).await.expect("recorded again, after a replay that was cut short");
    app.engine.door.accept(submission.clone()).await.expect("accepted");
    app.run_jobs().await;

    let [first] = &receiver.received()[..] else { panic!("told once") };
    assert_signed(first, &told.secret, app.now());
    assert_eq!(failing.received().len(), 2, "what did not arrive is sent as a delivery");
    let deliveries = all(&app).await;
    assert!(deliveries.iter().all(|one| one.state == State::Delivered && one.lead_id.is_some()), "{deliveries:?}");
    let spooled = deliveries.iter().find(|one| one.destination_id == told.destination.id).expect("recorded");
    assert_eq!(first.header("webhook-id"), spooled.id.to_string());
    assert_eq!(first.json()["id"], spooled.event_id.to_string());
    assert_eq!(failing.received()[0].json()["id"], failing.received()[1].json()["id"]);
    assert_eq!(first.json()["lead"]["email"], "ada@example.com");
    assert_eq!(app.count("delivery_attempts").await, 2);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn from_the_spool_each_destination_is_told_in_its_own_format(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    destination(&app, &ours.url()).await;
    let format = Some(Format::WhatConverts.as_str().to_owned());
    destination_with(&app, Wish { format, ..wish(&theirs.url()) }).await;
    app.engine.known.refresh(&app.engine.store, &app.engine.keys).await.expect("known");
    let prepared = capture::prepare(&app.engine.keys, spooled(&app).await).expect("somebody");

    let forwarded = delivery::forward_spooled(&app.engine, &prepared).await;

    assert_eq!(forwarded.len(), 2);
    assert_eq!(ours.received()[0].json()["lead"]["email"], "ada@example.com");
    let told = theirs.received()[0].json();
    assert_eq!((&told["trigger"], &told["lead_id"]), (&json!("new"), &Value::Null));
    assert_eq!((&told["contact_name"], &told["email_address"]), (&json!("Ada"), &json!("ada@example.com")));
    assert_eq!(told["additional_fields"], json!({"name": "Ada", "email": "ada@example.com"}));
    app.stop().await;
}

async fn spooled(app: &TestApp) -> capture::Submission {
    let intake = app.engine.door.intakes().direct(app.workspace, Some(app.project)).await;
    let intake = intake.expect("the store answers").expect("the project is there");
    let fields = vec![("name".to_owned(), json!("Ada")), ("email".to_owned(), json!("ada@example.com"))];
    capture::Submission::new(&app.engine, intake, fields, capture::Request::default(), None)
}
