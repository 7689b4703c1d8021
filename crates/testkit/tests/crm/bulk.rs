//! Actions on many leads: over all that match, over a crash and on two nodes, stopped half-way, and taken back.

use std::{collections::HashMap, time::Duration};

use leadline_domain::ids::{JobId, LeadId, StageId, UserId};
use leadline_engine::{
    Engine,
    crm::{self, Action, Changes, Move, bulk},
    jobs::{self, Job, Outcome, State},
};
use leadline_store::{
    jobs::{
        self as stored,
        results::{self, Shown, Undone},
    },
    leads::{FromSource, LeadFilter},
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{crowd, lead, member, pipeline, read, stages};

/// More than are named one by one.
const MANY: usize = 2_600;

fn forms() -> LeadFilter {
    LeadFilter { source: Some(FromSource::Kind("form".into())), ..LeadFilter::default() }
}

fn tagged(tag: &str) -> LeadFilter {
    LeadFilter { tag: Some(tag.into()), ..LeadFilter::default() }
}

async fn reload(app: &TestApp, id: JobId) -> Job {
    let found = stored::find(&app.engine.store.reader(), app.workspace, id).await.expect("the store answers");
    found.expect("the job is there")
}

async fn begin(app: &TestApp, action: Action, filter: LeadFilter) -> Job {
    bulk::start(&app.engine, &app.actor(), action, filter).await.expect("begun")
}

async fn run(engine: &Engine) {
    while jobs::step(engine).await.expect("a step") {}
}

async fn take_back(app: &TestApp, job: JobId) -> Job {
    app.advance(Duration::from_secs(1));
    jobs::undo(&app.engine, &app.actor(), job).await.expect("it can be taken back");
    run(&app.engine).await;
    reload(app, job).await
}

async fn left(app: &TestApp, job: JobId) -> Vec<(LeadId, String)> {
    let page = results::list(&app.engine.store.reader(), (app.workspace, job), Shown::Left, (200, 0), 0).await;
    let code = |undone: Option<Undone>| match undone {
        Some(Undone::Left(code)) => code,
        other => panic!("{other:?} was left"),
    };
    page.expect("results").rows.into_iter().map(|row| (row.lead_id.expect("a lead"), code(row.undone))).collect()
}

/// Where each lead stands, with all that a move changes.
async fn places(app: &TestApp, ids: &[LeadId]) -> HashMap<LeadId, (StageId, String, i64, Option<String>)> {
    let mut places = HashMap::new();
    for id in ids {
        let card = read(app, *id).await.card;
        places.insert(*id, (card.stage_id, card.rank, card.stage_entered_at.0, card.close_reason));
    }
    places
}

/// That the counts of all columns are those of their leads.
async fn assert_counts(app: &TestApp) {
    for stage in stages(app).await {
        let counted = format!("(SELECT sum(n) AS n FROM lead_stage_counts WHERE stage_id = '{}') AS c", stage.id);
        let there = app.count(&format!("leads WHERE stage_id = '{}' AND deleted_at IS NULL", stage.id)).await;
        let is_counted = format!("{counted} WHERE coalesce(c.n, 0) = {there}");
        assert_eq!(app.count(&is_counted).await, 1, "{} has {there}", stage.name);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn all_that_match_are_moved_once_when_the_node_dies_half_way(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let mut app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let owner = member(&app, "ada").await;
    let models = crowd(&app, pipeline(&app).await.id, &stages, owner, MANY).await;
    app.advance(Duration::from_secs(200));
    let target = stages[2].id;
    let matching = models.iter().filter(|model| model.source == "form").count() as i64;
    let moving = models.iter().filter(|model| model.source == "form" && model.stage != target).count() as i64;

    let job = begin(&app, Action::Move { stage: target, reason: None }, forms()).await;
    app.advance(Duration::from_secs(1));
    let late = lead(&app, json!({"email": "late@example.com"})).await;
    for _ in 0..3 {
        jobs::step(&app.engine).await.expect("a step");
    }
    let begun = reload(&app, job.id).await;
    app.restart().await;
    app.advance(Duration::from_secs(11));
    run(&app.engine).await;

    assert_eq!((job.total, begun.state), (MANY as i64, State::Running));
    assert!(begun.changed > 0 && begun.changed < moving, "{begun:?}");
    let done = reload(&app, job.id).await;
    assert_eq!((done.state, done.changed, done.failed, done.result_count), (State::Done, moving, 0, matching));
    assert_eq!(done.done, MANY as i64, "each was looked at once");
    assert_eq!(app.count("lead_activities WHERE kind = 'lead.stage_changed'").await, moving);
    assert_eq!(app.count("events WHERE kind = 'lead.stage_changed'").await, moving);
    assert_eq!(app.count(&format!("leads WHERE source = 'form' AND stage_id <> '{target}'")).await, 0);
    assert_ne!(read(&app, late).await.card.stage_id, target, "it came after the job was asked for");
    assert_counts(&app).await;
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_nodes_at_one_action_double_and_skip_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let owner = member(&app, "ada").await;
    crowd(&app, pipeline(&app).await.id, &stages, owner, MANY).await;
    app.advance(Duration::from_secs(200));
    let other = Engine { node: uuid::Uuid::from_u128(2), ..app.engine.clone() };

    let job = begin(&app, Action::Tag(vec!["seen".into()]), LeadFilter::default()).await;
    let until_done = async |engine: &Engine| {
        while reload(&app, job.id).await.finished_at.is_none() {
            jobs::step(engine).await.expect("a step");
            app.advance(Duration::from_secs(11));
        }
    };
    tokio::join!(until_done(&app.engine), until_done(&other));

    let many = MANY as i64;
    let done = reload(&app, job.id).await;
    assert_eq!((done.state, done.changed, done.done), (State::Done, many, many));
    assert_eq!(app.count("lead_tags WHERE tag = 'seen'").await, many);
    assert_eq!(app.count("lead_activities WHERE kind = 'tags.changed'").await, many);
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_half_way_can_be_taken_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let owner = member(&app, "ada").await;
    crowd(&app, pipeline(&app).await.id, &stages, owner, MANY).await;
    app.advance(Duration::from_secs(200));

    let job = begin(&app, Action::Delete, forms()).await;
    jobs::step(&app.engine).await.expect("a step");
    jobs::cancel(&app.engine, &app.actor(), job.id).await.expect("stopped");
    run(&app.engine).await;
    let stopped = reload(&app, job.id).await;
    let deleted = app.count("leads WHERE deleted_at IS NOT NULL").await;
    assert_counts(&app).await;
    let undone = take_back(&app, job.id).await;

    assert_eq!((stopped.state, stopped.changed), (State::Cancelled, deleted));
    assert!(deleted > 0 && deleted < MANY as i64, "{deleted} deleted");
    assert_eq!((undone.state, undone.undone, undone.left_alone), (State::Undone, deleted, 0));
    assert_eq!(app.count("leads WHERE deleted_at IS NOT NULL").await, 0);
    assert_counts(&app).await;
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn leads_go_back_to_where_they_were_unless_somebody_moved_them_since(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let mut ids = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        app.advance(Duration::from_secs(1));
        ids.push(lead(&app, json!({"email": format!("{name}@example.com")})).await);
    }
    let [still, moved_on, moved_away_and_back, deleted, edited] = ids[..] else { panic!("five leads") };
    let before = places(&app, &ids).await;
    app.advance(Duration::from_secs(60));

    let job = begin(&app, Action::Move { stage: stages[3].id, reason: None }, LeadFilter::default()).await;
    run(&app.engine).await;
    app.advance(Duration::from_secs(1));
    let actor = app.actor();
    let to = |stage: StageId| Move { stage, below: None, reason: None, op: None };
    crm::move_stage(&app.engine, &actor, moved_on, &to(stages[1].id)).await.expect("moved");
    crm::move_stage(&app.engine, &actor, moved_away_and_back, &to(stages[1].id)).await.expect("moved");
    app.advance(Duration::from_secs(1));
    crm::move_stage(&app.engine, &actor, moved_away_and_back, &to(stages[3].id)).await.expect("moved back");
    crm::delete(&app.engine, &actor, deleted).await.expect("deleted");
    let name = Changes { name: Some(Some("Erin".into())), ..Changes::default() };
    crm::update(&app.engine, &actor, edited, &name).await.expect("edited");
    let undone = take_back(&app, job.id).await;

    assert_eq!((undone.state, undone.undone, undone.left_alone), (State::Undone, 2, 3));
    let after = places(&app, &ids).await;
    assert_eq!((&after[&still], &after[&edited]), (&before[&still], &before[&edited]), "as if they had never left");
    assert_eq!((after[&moved_on].0, after[&moved_away_and_back].0), (stages[1].id, stages[3].id));
    assert_eq!(read(&app, edited).await.card.name, "Erin", "what somebody did since stays");
    let mut why = left(&app, job.id).await;
    why.sort();
    let changed = "changed_since".to_owned();
    let expected = [(moved_on, changed.clone()), (moved_away_and_back, changed), (deleted, "deleted".to_owned())];
    assert_eq!(why, expected);
    assert_counts(&app).await;
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_action_is_taken_back(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ada, bob) = (member(&app, "ada").await, member(&app, "bob").await);
    let a = lead(&app, json!({"email": "a@example.com"})).await;
    let b = lead(&app, json!({"email": "b@example.com"})).await;
    let actor = app.actor();
    crm::assign(&app.engine, &actor, a, Some(ada)).await.expect("assigned");
    let own = Changes { tags: Some(vec!["own".into(), "vip".into()]), ..Changes::default() };
    crm::update(&app.engine, &actor, a, &own).await.expect("tagged");
    let shape = async || {
        let mut all = Vec::new();
        for id in [a, b] {
            let lead = read(&app, id).await;
            let mut tags = lead.card.tags.clone();
            tags.sort();
            all.push((lead.card.assigned_to, tags, lead.deleted_at.is_some()));
        }
        all
    };
    let before = shape().await;

    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>();
    let actions = [
        Action::Assign(Some(bob)),
        Action::Assign(None),
        Action::Tag(tags(&["vip", "hot"])),
        Action::Untag(tags(&["own", "missing"])),
        Action::Delete,
    ];
    for action in actions {
        app.advance(Duration::from_secs(1));
        let (_, job) = crm::apply_and_keep(&app.engine, &actor, &action, &[a, b, a]).await.expect("done");
        assert_ne!(shape().await, before, "{action:?}");
        let undone = take_back(&app, job).await;
        assert_eq!((undone.state, undone.left_alone), (State::Undone, 0), "{action:?}");
        assert_eq!(shape().await, before, "{action:?}");
        assert_eq!(app.count("lead_tags").await, 2, "{action:?}");
        assert_counts(&app).await;
    }
    app.advance(Duration::from_secs(1));
    crm::delete(&app.engine, &actor, a).await.expect("deleted");
    app.advance(Duration::from_secs(1));
    let job = begin(&app, Action::Restore, LeadFilter::default()).await;
    run(&app.engine).await;
    assert_eq!(
        (reload(&app, job.id).await.changed, shape().await),
        (1, before.clone()),
        "only those that were deleted"
    );
    take_back(&app, job.id).await;
    assert!(read(&app, a).await.deleted_at.is_some() && read(&app, b).await.deleted_at.is_none());
    assert_counts(&app).await;
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn tags_and_owners_that_somebody_changed_since_stay(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let (ada, bob) = (member(&app, "ada").await, member(&app, "bob").await);
    let a = lead(&app, json!({"email": "a@example.com"})).await;
    let b = lead(&app, json!({"email": "b@example.com"})).await;
    let actor = app.actor();
    let second = || app.advance(Duration::from_secs(1));
    let set = async |lead: LeadId, tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        let change = Changes { tags: Some(tags), ..Changes::default() };
        crm::update(&app.engine, &actor, lead, &change).await.expect("tagged");
        app.advance(Duration::from_secs(1));
    };
    let give = async |lead: LeadId, to: Option<UserId>| {
        crm::assign(&app.engine, &actor, lead, to).await.expect("assigned");
        app.advance(Duration::from_secs(1));
    };

    second();
    let action = Action::Tag(vec!["hot".into(), "new".into()]);
    let (_, job) = crm::apply_and_keep(&app.engine, &actor, &action, &[a, b]).await.expect("done");
    second();
    set(a, &["hot"]).await;
    set(b, &["new"]).await;
    set(b, &["new", "hot"]).await;
    let tags = take_back(&app, job).await;
    let kept = (read(&app, a).await.card.tags, read(&app, b).await.card.tags);
    let (_, job) = crm::apply_and_keep(&app.engine, &actor, &Action::Assign(Some(ada)), &[a, b]).await.expect("done");
    second();
    give(a, Some(bob)).await;
    give(b, Some(bob)).await;
    give(b, Some(ada)).await;
    let owners = take_back(&app, job).await;

    assert_eq!((tags.undone, tags.left_alone), (2, 0));
    assert_eq!(kept, (vec![], vec!["hot".to_owned()]), "one took it away and put it back: it is theirs now");
    assert_eq!((owners.undone, owners.left_alone), (0, 2));
    assert_eq!((read(&app, a).await.card.assigned_to, read(&app, b).await.card.assigned_to), (Some(bob), Some(ada)));
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_goes_meanwhile_ends_the_action_and_says_so(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let stages = stages(&app).await;
    let a = lead(&app, json!({"email": "a@example.com"})).await;

    let job = begin(&app, Action::Move { stage: stages[1].id, reason: None }, LeadFilter::default()).await;
    app.execute(&format!("UPDATE lead_pipeline_stages SET deleted_at = 1 WHERE id = '{}'", stages[1].id)).await;
    run(&app.engine).await;
    let gone = Action::Move { stage: stages[1].id, reason: None };
    let refused = bulk::start(&app.engine, &app.actor(), gone, LeadFilter::default()).await;

    let failed = reload(&app, job.id).await;
    assert_eq!((failed.state, failed.error.as_deref()), (State::Failed, Some("The stage is gone.")));
    assert_eq!(read(&app, a).await.card.stage_id, stages[0].id);
    assert!(refused.is_err(), "{refused:?}");
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn each_result_says_what_became_of_its_lead(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let a = lead(&app, json!({"email": "a@example.com"})).await;
    let b = lead(&app, json!({"email": "b@example.com"})).await;
    let full = Changes { tags: Some((0..50).map(|n| n.to_string()).collect()), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), b, &full).await.expect("tagged");
    let vip = Changes { tags: Some(vec!["vip".into()]), ..Changes::default() };
    crm::update(&app.engine, &app.actor(), a, &vip).await.expect("tagged");
    let c = lead(&app, json!({"email": "c@example.com"})).await;

    let job = begin(&app, Action::Tag(vec!["vip".into()]), LeadFilter::default()).await;
    run(&app.engine).await;
    let few = begin(&app, Action::Untag(vec!["vip".into()]), tagged("vip")).await;
    run(&app.engine).await;

    let reader = app.engine.store.reader();
    let page = results::list(&reader, (app.workspace, job.id), Shown::All, (200, 0), 3).await.expect("results");
    let mut found: Vec<_> = page.rows.into_iter().map(|row| (row.lead_id, row.outcome.as_str(), row.code)).collect();
    found.sort_by_key(|(lead, _, _)| *lead);
    let mut expected = vec![
        (Some(a), Outcome::Unchanged.as_str(), None),
        (Some(b), Outcome::Failed.as_str(), Some("too_many_tags".to_owned())),
        (Some(c), Outcome::Changed.as_str(), None),
    ];
    expected.sort_by_key(|(lead, _, _)| *lead);
    assert_eq!(found, expected);
    let counts = |job: Job| (job.total, job.done, job.changed, job.failed);
    assert_eq!(counts(reload(&app, job.id).await), (3, 3, 1, 1));
    assert_eq!(counts(reload(&app, few.id).await), (2, 2, 2, 0));
    app.stop().await;
}
