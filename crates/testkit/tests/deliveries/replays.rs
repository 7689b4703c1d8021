//! Sending many deliveries again: by a filter, by name, over a crash, and no more than was meant.

use std::time::Duration;

use leadline_engine::delivery::{
    self,
    replays::{self, ReplayError},
};
use leadline_store::deliveries::{
    Filter, State,
    replays::{self as stored, Chosen, Job, Progress},
};
use leadline_testkit::{Answer, Db, Receiver, TestApp};
use rstest::rstest;

use super::{all, destination, lead_named};

/// Leads whose deliveries all died.
async fn dead_letters(app: &TestApp, receiver: &Receiver, names: &[&str]) {
    for name in names {
        receiver.answers([Answer::Status(404)]);
        lead_named(app, name).await;
        app.run_jobs().await;
        app.advance(Duration::from_secs(1));
    }
}

fn dead() -> Chosen {
    Chosen::Filter(Filter { state: Some(State::Dead), ..Filter::default() })
}

async fn reload(app: &TestApp, job: &Job) -> Job {
    let found = stored::find(&app.engine.store.reader(), app.workspace, job.id).await.expect("the store answers");
    found.expect("the job is there")
}

async fn run(app: &TestApp, at_once: i64) {
    while replays::step(&app.engine, at_once).await.expect("a step") {}
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_dead_letters_since_a_time_go_out_again_once_over_a_crash(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    dead_letters(&app, &receiver, &["early"]).await;
    let since = app.now();
    dead_letters(&app, &receiver, &["a", "b", "c", "d", "e"]).await;
    let chosen = Chosen::Filter(Filter { from: Some(since), ..Filter::default() });

    let job = replays::start(&app.engine, &app.actor(), chosen).await.expect("begun");
    app.advance(Duration::from_secs(1));
    dead_letters(&app, &receiver, &["too-late"]).await;
    replays::step(&app.engine, 2).await.expect("a step");
    let begun = reload(&app, &job).await;
    app.restart().await;
    run(&app, 2).await;
    app.run_jobs().await;

    assert_eq!((job.total, begun.state, begun.done), (5, Progress::Running, 2));
    let done = reload(&app, &job).await;
    assert_eq!((done.state, done.done, done.replayed), (Progress::Done, 5, 5));
    assert!(done.finished_at.is_some());
    assert_eq!(receiver.received().len(), 7 + 5);
    let still_dead = all(&app).await.into_iter().filter(|one| one.state == State::Dead);
    let names: Vec<String> = still_dead.filter_map(|one| one.lead_name).collect();
    assert_eq!(names, ["too-late", "early"]);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn those_that_were_named_go_out_again_whatever_came_of_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    let gone = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    dead_letters(&app, &receiver, &["dead"]).await;
    lead_named(&app, "delivered").await;
    app.run_jobs().await;
    let to_be_deleted = destination(&app, &gone.url()).await.destination;
    lead_named(&app, "both").await;
    app.run_jobs().await;
    delivery::destinations::delete_destination(&app.engine, &app.actor(), to_be_deleted.id).await.expect("deleted");
    let unknown = leadline_domain::ids::DeliveryId::new(app.now(), [1; 10]);
    let mut ids: Vec<_> = all(&app).await.into_iter().map(|one| one.id).collect();
    ids.extend([unknown, ids[0]]);

    let job = replays::start(&app.engine, &app.actor(), Chosen::Ids(ids)).await.expect("begun");
    run(&app, 500).await;
    app.run_jobs().await;

    let done = reload(&app, &job).await;
    assert_eq!((done.state, done.total, done.done, done.replayed), (Progress::Done, 5, 5, 3));
    assert_eq!((receiver.received().len(), gone.received().len()), (6, 1));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_replays_one_thing_at_a_time_and_only_its_own(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    dead_letters(&app, &receiver, &["a", "b", "c"]).await;
    let (other, _) = app.make_workspace("other").await;
    let stranger = app.actor_in(other);

    let job = replays::start(&app.engine, &app.actor(), dead()).await.expect("begun");
    let second = replays::start(&app.engine, &app.actor(), dead()).await;
    replays::step(&app.engine, 1).await.expect("a step");
    let of_another = replays::start(&app.engine, &stranger, dead()).await.expect("theirs");
    let stolen = replays::cancel(&app.engine, &stranger, job.id).await;
    replays::cancel(&app.engine, &app.actor(), job.id).await.expect("stopped");
    run(&app, 1).await;

    assert!(matches!(second, Err(ReplayError::UnderWay)), "{second:?}");
    assert!(matches!(stolen, Err(ReplayError::NotFound)), "{stolen:?}");
    assert_eq!(of_another.total, 0, "another workspace's dead letters are not theirs");
    let stopped = reload(&app, &job).await;
    assert_eq!((stopped.state, stopped.replayed), (Progress::Cancelled, 1));
    assert_eq!(app.count("deliveries WHERE state = 'dead'").await, 2);
    assert!(replays::start(&app.engine, &app.actor(), dead()).await.is_ok());
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_books_take_back_what_is_sent_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let receiver = Receiver::start().await;
    destination(&app, &receiver.url()).await;
    dead_letters(&app, &receiver, &["a", "b", "c"]).await;

    replays::start(&app.engine, &app.actor(), dead()).await.expect("begun");
    run(&app, 2).await;
    app.run_jobs().await;

    let booked =
        "(SELECT coalesce(sum(dead), 0) AS dead, coalesce(sum(delivered), 0) AS delivered FROM ledger_deltas) AS q";
    assert_eq!(app.count(&format!("{booked} WHERE dead = 0 AND delivered = 3")).await, 1);
    app.stop().await;
}
