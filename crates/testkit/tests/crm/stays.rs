//! The stages that leads have left, and when a person first did something about them.

use std::time::Duration;

use leadline_domain::ids::LeadId;
use leadline_engine::{
    Actor,
    crm::{self, Action, Move},
    jobs,
};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{lead, stages};

const HOUR: Duration = Duration::from_secs(3_600);

async fn move_to(app: &TestApp, actor: &Actor, lead: LeadId, place: usize) {
    let to = Move { stage: stages(app).await[place].id, below: None, reason: None, op: None };
    crm::move_stage(&app.engine, actor, lead, &to).await.expect("moved");
}

/// How many stays there are, and how many milliseconds they took together.
async fn stays(app: &TestApp) -> (i64, i64) {
    let took = app.count("(SELECT sum(left_at - entered_at) AS took FROM lead_stage_stays) AS s WHERE took = 10800000");
    (app.count("lead_stage_stays").await, took.await)
}

#[rstest]
#[tokio::test]
async fn each_stage_that_is_left_is_a_stay_and_what_is_put_back_was_none(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let anna = lead(&app, json!({"name": "Anna", "email": "anna@example.com"})).await;
    let actor = app.actor();

    app.advance(HOUR);
    move_to(&app, &actor, anna, 1).await;
    // Within its stage it has entered it when it did, wherever it stands in the column.
    move_to(&app, &actor, anna, 1).await;
    assert_eq!(stays(&app).await, (1, 0));
    for place in [0, 2] {
        app.advance(HOUR);
        move_to(&app, &actor, anna, place).await;
    }
    assert_eq!(stays(&app).await, (3, 1));

    app.advance(HOUR);
    let lost = Action::Move { stage: stages(&app).await[5].id, reason: None };
    let (_, job) = crm::apply_and_keep(&app.engine, &actor, &lost, &[anna]).await.expect("done");
    assert_eq!(stays(&app).await.0, 4);
    jobs::undo(&app.engine, &actor, job).await.expect("it can be taken back");
    while jobs::step(&app.engine).await.expect("a step") {}
    assert_eq!(stays(&app).await, (3, 1));
    app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_is_answered_once_and_by_a_person(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let anna = lead(&app, json!({"name": "Anna", "email": "anna@example.com"})).await;
    let begun = app.now().0;
    let program = Actor::system(app.workspace, "Routing");
    let answered = async |after: i64| app.count(&format!("leads WHERE responded_at = {}", begun + after)).await;

    app.advance(HOUR);
    move_to(&app, &program, anna, 1).await;
    lead(&app, json!({"name": "Anna", "email": "anna@example.com"})).await;
    assert_eq!(app.count("leads WHERE responded_at IS NULL").await, 1);
    app.advance(HOUR);
    crm::add_note(&app.engine, &app.actor(), anna, "called").await.expect("a note");
    assert_eq!(answered(7_200_000).await, 1);
    app.advance(HOUR);
    move_to(&app, &app.actor(), anna, 2).await;
    assert_eq!(answered(7_200_000).await, 1);
    app.stop().await;
}
