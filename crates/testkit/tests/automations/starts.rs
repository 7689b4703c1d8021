//! What starts an automation beside a lead that arrives by its source.

use leadline_domain::{automations::Trigger, ids::AutomationId, messaging::MessageChannel};
use leadline_engine::{
    automations::definitions::AutomationEdit,
    crm::{self, Changes, Move},
};
use leadline_store::pipelines;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{World, step};

async fn on(world: &World, trigger: Trigger) -> AutomationId {
    let steps = Some(vec![step(MessageChannel::Email, 0, world.follow_up)]);
    let (name, trigger) = (Some("Another".to_owned()), Some(trigger));
    world.make(AutomationEdit { name, trigger, steps, ..AutomationEdit::default() }).await
}

async fn begun(world: &World, automation: AutomationId) -> usize {
    world.go_on().await;
    world.runs_of(automation).await.iter().filter(|run| run.run.state.as_str() == "running").count()
}

#[rstest]
#[tokio::test]
async fn only_arrivals_by_the_chosen_source_start_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let any = on(&world, Trigger::Created { source_id: None }).await;

    let elsewhere = world.app.submit(json!({"email": "eve@example.com"})).await.lead.expect("a lead");
    let (of_source, of_any) = (begun(&world, world.automation).await, begun(&world, any).await);

    assert_eq!((of_source, of_any), (0, 1));
    assert_eq!(world.timeline(elsewhere).await, ["triggered"]);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_stage_and_a_tag_start_it_when_the_lead_gets_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let pipeline = pipelines::find(&world.app.engine.store.reader(), world.app.workspace, None).await;
    let stage = pipeline.expect("the store answers").expect("a pipeline").stages[1].id;
    let staged = on(&world, Trigger::StageChanged { stage_id: stage }).await;
    let tagged = on(&world, Trigger::TagAdded { tag: "hot".into() }).await;
    let lead = world.ada().await;
    let (engine, actor) = (&world.app.engine, world.app.actor());
    assert_eq!((begun(&world, staged).await, begun(&world, tagged).await), (0, 0));

    let to = Move { stage, below: None, reason: None, op: None };
    crm::move_stage(engine, &actor, lead, &to).await.expect("moved");
    let change = Changes { tags: Some(vec!["cold".into()]), ..Changes::default() };
    crm::update(engine, &actor, lead, &change).await.expect("changed");
    assert_eq!((begun(&world, staged).await, begun(&world, tagged).await), (1, 0));
    let change = Changes { tags: Some(vec!["cold".into(), "hot".into()]), ..Changes::default() };
    crm::update(engine, &actor, lead, &change).await.expect("changed");

    assert_eq!((begun(&world, staged).await, begun(&world, tagged).await), (1, 1));
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_score_starts_it_once_it_reaches_the_number_and_not_with_each_event_after(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let world = World::start(db).await;
    let lead = world.app.submit(json!({"email": "ada@gmail.com"})).await.lead.expect("a lead");
    world.go_on().await;
    let card = leadline_store::leads::find(&world.app.engine.store.reader(), world.app.workspace, lead).await;
    let score = card.expect("the store answers").expect("the lead").card.score;
    let edit = AutomationEdit { safety_lock_minutes: Some(0), ..AutomationEdit::default() };
    let steps = Some(vec![step(MessageChannel::Email, 0, world.follow_up)]);
    let (name, trigger) = (Some("Hot".to_owned()), Some(Trigger::ScoreCrossed { score: score + 1 }));
    let crossed = world.make(AutomationEdit { name, trigger, steps, ..edit }).await;
    let (engine, actor) = (&world.app.engine, world.app.actor());
    let changed = |company: &str, name: &str| Changes {
        company: Some(Some(company.to_owned())),
        name: Some(Some(name.to_owned())),
        ..Changes::default()
    };
    assert_eq!(begun(&world, crossed).await, 0);

    world.app.advance(std::time::Duration::from_mins(90));
    crm::update(engine, &actor, lead, &changed("Engines", "Ada Lovelace")).await.expect("changed");
    assert_eq!(begun(&world, crossed).await, 1);
    crm::update(engine, &actor, lead, &changed("Engines Ltd", "Ada King")).await.expect("changed");

    assert_eq!(begun(&world, crossed).await, 1);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_message_in_a_conversation_with_the_tag_starts_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let wrote = on(&world, Trigger::MessageReceived { tag: Some("lead-widget".into()) }).await;
    let lead = world.ada().await;

    world.happens(lead, "message.received", json!({"tags": ["other"]})).await;
    assert_eq!(begun(&world, wrote).await, 0);
    world.happens(lead, "message.received", json!({"tags": ["lead-widget"]})).await;

    assert_eq!(begun(&world, wrote).await, 1);
    world.app.stop().await;
}
