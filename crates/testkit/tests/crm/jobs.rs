//! Jobs: over a crash, on two nodes at once, stopped, given up, put back and forgotten.

use std::{sync::Arc, time::Duration};

use leadline_domain::{ids::JobId, permissions::Permission};
use leadline_engine::{
    Engine, dispatch,
    jobs::{
        self, AskError, Handler, Job, JobError, Kinds, NewJob, NewResult, Outcome, State, Step, Stepping, Taken, Turn,
        Turned,
    },
    retain,
};
use leadline_store::jobs::{
    self as stored,
    results::{self, Shown},
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

/// Rows in one step of these tests.
const AT_ONCE: i64 = 3;

const DAY: Duration = Duration::from_secs(86_400);

/// A kind that counts to its `total`, a result for each number. Each fifth fails.
struct Counting;

impl Handler for Counting {
    fn kind(&self) -> &'static str {
        "test.count"
    }

    fn permission(&self, _job: &Job) -> Permission {
        Permission::LeadsManage
    }

    fn can_undo(&self, _job: &Job) -> bool {
        true
    }

    fn work<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(count(engine, turn))
    }

    fn undo<'a>(&'a self, engine: &'a Engine, turn: Turn) -> Stepping<'a> {
        Box::pin(count_back(engine, turn))
    }
}

async fn count(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let wish: Value = turn.params()?;
    if wish["refuses"] == true {
        return Err(JobError::GiveUp("this cannot be counted".to_owned()));
    }
    if wish["isStopped"] == true {
        let actor =
            leadline_engine::Actor { role: leadline_domain::permissions::Role::Admin.into(), ..turn.actor().clone() };
        jobs::cancel(engine, &actor, turn.job().id).await.expect("stopped while a step is being prepared");
    }
    let from: i64 = turn.cursor()?.unwrap_or(0);
    let until = (from + AT_ONCE).min(turn.job().total);
    let rows = (from + 1..=until).map(|number| NewResult {
        lead_id: None,
        row_number: Some(number),
        outcome: if number % 5 == 0 { Outcome::Failed } else { Outcome::Changed },
        code: None,
        message: Some(format!("a\0{number}")),
        undo: Some(json!({"number": number})),
    });
    let rows: Vec<NewResult> = rows.collect();
    let failed = rows.iter().filter(|row| row.outcome == Outcome::Failed).count() as i64;
    let tx = turn.begin(engine).await?;
    let is_last = until == turn.job().total;
    let step = Step {
        cursor: Some(json!(until)),
        looked_at: until - from,
        changed: until - from - failed,
        failed,
        results: rows,
        is_last,
        ..Step::default()
    };
    turn.commit(engine, tx, step).await
}

/// Each seventh was changed by somebody else meanwhile.
async fn count_back(engine: &Engine, turn: Turn) -> Result<Turned, JobError> {
    let rows = turn.to_undo(engine, AT_ONCE).await?;
    let tx = turn.begin(engine).await?;
    let taken: Vec<Taken> = rows
        .iter()
        .map(|row| {
            let number = row.undo["number"].as_i64().expect("a number");
            Taken { seq: row.seq, left: (number % 7 == 0).then(|| "changed_since".to_owned()) }
        })
        .collect();
    let is_last = (rows.len() as i64) < AT_ONCE;
    turn.commit_undo(engine, tx, &taken, is_last).await
}

/// An application that can count.
async fn start(db: Db) -> TestApp {
    let mut app = TestApp::start(db).await;
    teach(&mut app);
    app
}

fn teach(app: &mut TestApp) {
    app.engine.jobs = Kinds::of(vec![Arc::new(Counting)]);
}

async fn ask(app: &TestApp, total: i64, params: Value) -> Result<Job, AskError> {
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let new = NewJob { kind: "test.count", params, about: json!({"what": "numbers"}), total };
    let job = jobs::ask(&app.engine, &mut tx, &app.actor(), new).await?;
    tx.commit().await.expect("committed");
    Ok(job)
}

async fn reload(app: &TestApp, id: JobId) -> Job {
    let found = stored::find(&app.engine.store.reader(), app.workspace, id).await.expect("the store answers");
    found.expect("the job is there")
}

async fn numbers(app: &TestApp, id: JobId, shown: Shown) -> Vec<i64> {
    let page = results::list(&app.engine.store.reader(), (app.workspace, id), shown, (200, 0), 0).await;
    page.expect("results").rows.iter().map(|row| row.row_number.expect("a number")).collect()
}

async fn run(engine: &Engine) {
    while jobs::step(engine).await.expect("a step") {}
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_job_goes_on_where_it_stood_when_its_node_died(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = start(db).await;
    let job = ask(&app, 10, json!({})).await.expect("begun");

    jobs::step(&app.engine).await.expect("a step");
    let begun = reload(&app, job.id).await;
    app.restart().await;
    teach(&mut app);
    let too_early = jobs::step(&app.engine).await.expect("a look");
    app.advance(Duration::from_millis(10_001));
    run(&app.engine).await;

    assert_eq!((job.state, begun.state, begun.done, begun.changed), (State::Queued, State::Running, 3, 3));
    assert!(!too_early, "whoever had it may still be alive");
    let done = reload(&app, job.id).await;
    assert_eq!((done.state, done.done, done.changed, done.failed), (State::Done, 10, 8, 2));
    assert!(done.finished_at.is_some());
    assert_eq!(numbers(&app, job.id, Shown::All).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(numbers(&app, job.id, Shown::With(Outcome::Failed)).await, [5, 10]);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_at_one_job_do_each_step_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = start(db).await;
    let job = ask(&app, 60, json!({})).await.expect("begun");
    let other = Engine { node: uuid::Uuid::from_u128(2), ..app.engine.clone() };

    let until_done = async |engine: &Engine| {
        while reload(&app, job.id).await.finished_at.is_none() {
            jobs::step(engine).await.expect("a step");
            // Nobody's lease keeps the other away: both are always at it.
            app.advance(Duration::from_secs(11));
        }
    };
    tokio::join!(until_done(&app.engine), until_done(&other));

    let done = reload(&app, job.id).await;
    assert_eq!((done.state, done.done, done.result_count), (State::Done, 60, 60));
    assert_eq!(numbers(&app, job.id, Shown::All).await, (1..=60).collect::<Vec<_>>());
    assert_eq!(app.count("jobs WHERE moves = 20").await, 1, "a step each, and none in vain");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_stopped_keeps_nothing_of_the_step_that_was_being_prepared(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = start(db).await;
    let job = ask(&app, 10, json!({"isStopped": true})).await.expect("begun");

    run(&app.engine).await;
    let again = jobs::cancel(&app.engine, &app.actor(), job.id).await;

    let stopped = reload(&app, job.id).await;
    assert_eq!((stopped.state, stopped.done, stopped.result_count), (State::Cancelled, 0, 0));
    assert_eq!(app.count("job_results").await, 0);
    assert!(matches!(again, Err(AskError::Ended)), "{again:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn short_jobs_do_not_wait_for_a_long_one(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = start(db).await;
    let long = ask(&app, 300, json!({})).await.expect("begun");
    app.advance(Duration::from_secs(1));
    let short = ask(&app, 6, json!({})).await.expect("begun");

    for _ in 0..4 {
        app.advance(Duration::from_secs(1));
        jobs::step(&app.engine).await.expect("a step");
    }

    assert_eq!((reload(&app, long.id).await.done, reload(&app, short.id).await.state), (6, State::Done));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_job_changed_is_put_back_row_by_row_over_a_crash(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = start(db).await;
    let job = ask(&app, 16, json!({})).await.expect("begun");
    let too_early = jobs::undo(&app.engine, &app.actor(), job.id).await;
    run(&app.engine).await;

    jobs::undo(&app.engine, &app.actor(), job.id).await.expect("it is put back");
    jobs::step(&app.engine).await.expect("a step");
    let begun = reload(&app, job.id).await;
    jobs::cancel(&app.engine, &app.actor(), job.id).await.expect("stopped");
    app.restart().await;
    teach(&mut app);
    jobs::undo(&app.engine, &app.actor(), job.id).await.expect("it goes on");
    run(&app.engine).await;
    let again = jobs::undo(&app.engine, &app.actor(), job.id).await;

    assert!(matches!(too_early, Err(AskError::NotUndoable)), "{too_early:?}");
    assert_eq!((begun.state, begun.undone, begun.left_alone), (State::Undoing, 2, 1), "16, 14 and 13");
    let undone = reload(&app, job.id).await;
    assert_eq!((undone.state, undone.changed, undone.undone, undone.left_alone), (State::Undone, 13, 11, 2));
    assert_eq!(undone.undone_by.map(|who| who.name).as_deref(), Some("Test"));
    assert_eq!(numbers(&app, job.id, Shown::Left).await, [7, 14]);
    assert!(matches!(again, Err(AskError::NotUndoable)), "{again:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_can_never_go_on_says_why_and_keeps_no_other_waiting(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = start(db).await;
    let hopeless = ask(&app, 10, json!({"refuses": true})).await.expect("begun");
    app.advance(Duration::from_secs(1));
    let sound = ask(&app, 3, json!({})).await.expect("begun");

    run(&app.engine).await;

    let failed = reload(&app, hopeless.id).await;
    assert_eq!((failed.state, failed.error.as_deref()), (State::Failed, Some("this cannot be counted")));
    assert_eq!(reload(&app, sound.id).await.state, State::Done);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_has_so_many_jobs_at_once_and_another_its_own(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = start(db).await;
    for _ in 0..20 {
        ask(&app, 1, json!({})).await.expect("begun");
    }

    let one_more = ask(&app, 1, json!({})).await;
    let (other, _) = app.make_workspace("other").await;
    let mut tx = app.engine.store.begin().await.expect("a transaction");
    let new = NewJob { kind: "test.count", params: json!({}), about: json!({}), total: 1 };
    let theirs = jobs::ask(&app.engine, &mut tx, &app.actor_in(other), new).await;
    tx.commit().await.expect("committed");
    run(&app.engine).await;

    assert!(matches!(one_more, Err(AskError::TooMany)), "{one_more:?}");
    assert!(theirs.is_ok(), "{theirs:?}");
    assert!(ask(&app, 1, json!({})).await.is_ok(), "the others have ended");
    let stolen = jobs::undo(&app.engine, &app.actor(), theirs.expect("theirs").id).await;
    assert!(matches!(stolen, Err(AskError::NotFound)), "{stolen:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn open_screens_hear_of_each_step(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = start(db).await;
    let mut screen = app.engine.live.subscribe();

    let job = ask(&app, 4, json!({})).await.expect("begun");
    run(&app.engine).await;
    dispatch::dispatch_all(&app.engine).await.expect("dispatched");

    let mut heard = Vec::new();
    while let Ok(hint) = screen.try_recv() {
        assert_eq!((hint.event.as_str(), &hint.data["jobId"]), ("job", &json!(job.id)));
        heard.push((hint.data["state"].as_str().expect("a state").to_owned(), hint.data["done"].clone()));
    }
    heard.sort_by_key(|(_, done)| done.as_i64());
    let expected = [("queued", 0), ("running", 3), ("done", 4)].map(|(state, done)| (state.to_owned(), json!(done)));
    assert_eq!(heard, expected);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn finished_jobs_go_after_30_days_with_their_results(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = start(db).await;
    retain(&app.engine).await.expect("a first look");
    ask(&app, 10, json!({})).await.expect("begun");
    run(&app.engine).await;
    let unfinished = ask(&app, 10, json!({})).await.expect("begun");
    jobs::step(&app.engine).await.expect("a step");

    let live = async |days: u32| {
        for _ in 0..days {
            app.advance(DAY);
            retain(&app.engine).await.expect("what is over is deleted");
        }
    };
    live(30).await;
    assert_eq!((app.count("jobs").await, app.count("job_results").await), (2, 13));
    live(1).await;

    assert_eq!((app.count("jobs").await, app.count("job_results").await), (1, 3));
    assert_eq!(reload(&app, unfinished.id).await.state, State::Running);
    app.stop().await;
}
