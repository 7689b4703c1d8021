//! What people do with deliveries: sending again, pausing, deleting; and what they may not see.

use std::time::Duration;

use leadline_domain::ids::WorkspaceId;
use leadline_engine::{
    Actor,
    delivery::{
        self,
        destinations::{DestinationError, Wish},
        replay,
    },
    dispatch,
    retention::classes,
};
use leadline_store::{
    deliveries::{self, Delivery, Filter, State},
    destinations::{self, Destination},
};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;

use super::{change, destination, lead_named, only, reload};

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
        delivery::secrets::regenerate_secret(engine, &stranger, made.id, 0).await.err(),
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
    classes::sweep(&app.engine, app.now()).await.expect("cleaned up");
    let before = count().await;
    app.advance(Duration::from_secs(2));
    classes::sweep(&app.engine, app.now()).await.expect("cleaned up");
    let without_the_dead_letter = count().await;
    app.advance(Duration::from_secs(24 * 86_400));
    classes::sweep(&app.engine, app.now()).await.expect("cleaned up");

    assert_eq!((before, without_the_dead_letter, count().await), ((2, 2), (1, 1), (0, 0)));
    app.stop().await;
}
