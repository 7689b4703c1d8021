//! Automations that start one another, and where that ends; destinations that steps tell.

use leadline_domain::{
    automations::{Act, CHAIN_MAX, Trigger},
    ids::AutomationId,
};
use leadline_engine::{
    automations::definitions::AutomationEdit,
    delivery::destinations::{Wish, create_destination},
};
use leadline_testkit::Db;
use rstest::rstest;

use crate::fixtures::{World, act};

async fn on_tag(world: &World, tag: &str, gives: &str) -> AutomationId {
    let steps = Some(vec![act(Act::RemoveTag(gives.into())), act(Act::AddTag(gives.into()))]);
    let trigger = Some(Trigger::TagAdded { tag: tag.into() });
    let (name, safety_lock_minutes) = (Some(format!("{tag} to {gives}")), Some(0));
    world.make(AutomationEdit { name, trigger, steps, safety_lock_minutes, ..AutomationEdit::default() }).await
}

#[rstest]
#[tokio::test]
async fn automations_start_one_another_and_never_for_ever(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let steps = Some(vec![act(Act::AddTag("a".into()))]);
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;
    let there = on_tag(&world, "a", "b").await;
    let back = on_tag(&world, "b", "a").await;

    let lead = world.ada().await;

    let runs = [world.runs_of(there).await, world.runs_of(back).await].concat();
    let deepest = runs.iter().map(|run| run.run.depth).max();
    assert_eq!(deepest, Some(CHAIN_MAX));
    let cut: Vec<_> = runs.iter().filter(|run| run.run.reason.as_deref() == Some("chain_too_long")).collect();
    assert_eq!((cut.len(), cut[0].run.depth), (1, CHAIN_MAX));
    assert_eq!(runs.len(), usize::try_from(CHAIN_MAX).expect("a number"));
    let told = world.timeline(lead).await;
    assert_eq!(told.iter().filter(|line| *line == "skipped chain_too_long").count(), 1, "{told:?}");
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_destination_is_told_of_the_lead_once_whatever_it_chose(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let wish = |name: &str| Wish {
        name: Some(name.into()),
        url: Some("https://crm.example/hook".into()),
        events: Some(vec!["lead.deleted".into()]),
        ..Wish::default()
    };
    let (engine, actor) = (&world.app.engine, world.app.actor());
    let made = create_destination(engine, &actor, &wish("CRM")).await.expect("a destination");
    create_destination(engine, &actor, &wish("Another")).await.expect("a destination");
    let steps = Some(vec![act(Act::CallDestination(made.destination.id))]);
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;

    let lead = world.ada().await;

    let there = format!("deliveries WHERE lead_id = '{lead}' AND event = 'lead.automation_step'");
    assert_eq!(world.app.count(&there).await, 1);
    assert_eq!(world.app.count("deliveries").await, 1);
    assert_eq!(world.timeline(lead).await, ["triggered", "step_done 1", "completed"]);
    world.app.stop().await;
}
