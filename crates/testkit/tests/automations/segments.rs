//! Coming into segments and leaving them: on timelines, as triggers, and when a segment changes.

use std::time::Duration;

use leadline_domain::{
    automations::{Act, Trigger},
    ids::{LeadId, SegmentId},
};
use leadline_engine::{
    automations::definitions::AutomationEdit,
    crm::{
        self, Changes, membership,
        segments::{self, SegmentEdit},
    },
};
use leadline_store::events;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixtures::{World, act};

async fn segment(world: &World, filter: Value) -> SegmentId {
    let edit = SegmentEdit { name: Some("Hot".into()), filter: Some(filter), ..SegmentEdit::default() };
    let made = segments::create(&world.app.engine, &world.app.actor(), edit).await.expect("a segment");
    take_down(world).await;
    made
}

async fn take_down(world: &World) {
    while membership::step(&world.app.engine).await.expect("leads are looked at") {}
}

fn tagged(tag: &str) -> Value {
    json!({"field": "tags", "op": "any_of", "value": [tag]})
}

async fn tag(world: &World, lead: LeadId, tags: &[&str]) {
    world.app.advance(Duration::from_secs(1));
    let change = Changes { tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()), ..Changes::default() };
    crm::update(&world.app.engine, &world.app.actor(), lead, &change).await.expect("tagged");
    world.go_on().await;
}

async fn moves(world: &World, lead: LeadId) -> Vec<String> {
    let reader = world.app.engine.store.reader();
    let lines = events::list_activities(&reader, world.app.workspace, lead, 100, 0).await.expect("a timeline").rows;
    let of_segments = lines.into_iter().rev().filter(|line| line.kind.starts_with("segment."));
    of_segments.map(|line| format!("{} {}", line.kind, line.data["segmentName"].as_str().unwrap_or_default())).collect()
}

#[rstest]
#[tokio::test]
async fn a_timeline_tells_when_the_lead_comes_and_goes_once_each(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    segment(&world, tagged("hot")).await;
    let lead = world.ada().await;

    tag(&world, lead, &["hot"]).await;
    tag(&world, lead, &["hot", "vip"]).await;
    assert_eq!(moves(&world, lead).await, ["segment.entered Hot"]);
    tag(&world, lead, &["vip"]).await;

    assert_eq!(moves(&world, lead).await, ["segment.entered Hot", "segment.left Hot"]);
    assert_eq!(world.app.count("segment_members").await, 0);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_is_in_a_segment_when_it_is_made_or_changed_is_taken_down_without_a_word(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let world = World::start(db).await;
    let (ada, bob) = (world.ada().await, world.arrives(json!({"email": "bob@example.com"})).await);
    tag(&world, ada, &["hot"]).await;
    tag(&world, bob, &["cold"]).await;

    let hot = segment(&world, tagged("hot")).await;
    assert_eq!(world.app.count(&format!("segment_members WHERE lead_id = '{ada}'")).await, 1);
    let edit = SegmentEdit { filter: Some(tagged("cold")), ..SegmentEdit::default() };
    segments::update(&world.app.engine, &world.app.actor(), hot, edit).await.expect("changed");
    take_down(&world).await;
    assert_eq!(world.app.count(&format!("segment_members WHERE lead_id = '{bob}'")).await, 1);
    world.go_on().await;
    assert_eq!((moves(&world, ada).await.len(), moves(&world, bob).await.len()), (0, 0));

    tag(&world, bob, &[]).await;
    assert_eq!(moves(&world, bob).await, ["segment.left Hot"]);
    segments::delete(&world.app.engine, &world.app.actor(), hot).await.expect("deleted");
    assert_eq!(world.app.count("segment_members").await, 0);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_that_nobody_follows_says_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let hot = segment(&world, tagged("hot")).await;
    let edit = SegmentEdit { is_followed: Some(false), ..SegmentEdit::default() };
    segments::update(&world.app.engine, &world.app.actor(), hot, edit).await.expect("changed");
    let lead = world.ada().await;

    tag(&world, lead, &["hot"]).await;

    assert_eq!(moves(&world, lead).await, Vec::<String>::new());
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn coming_and_going_start_automations(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let segment_id = segment(&world, tagged("hot")).await;
    let make = |name: &str, trigger: Trigger, note: &str| {
        let steps = Some(vec![act(Act::AddNote(note.into()))]);
        let (name, safety_lock_minutes) = (Some(name.to_owned()), Some(0));
        AutomationEdit { name, trigger: Some(trigger), steps, safety_lock_minutes, ..AutomationEdit::default() }
    };
    let came = world.make(make("Came", Trigger::SegmentEntered { segment_id }, "Came")).await;
    let went = world.make(make("Went", Trigger::SegmentLeft { segment_id }, "Went")).await;
    let lead = world.ada().await;

    tag(&world, lead, &["hot"]).await;
    assert_eq!((world.runs_of(came).await.len(), world.runs_of(went).await.len()), (1, 0));
    tag(&world, lead, &[]).await;

    assert_eq!((world.runs_of(came).await.len(), world.runs_of(went).await.len()), (1, 1));
    assert_eq!(world.app.count("lead_activities WHERE kind = 'note.added'").await, 2);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_segment_of_segments_follows_them(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let hot = segment(&world, tagged("hot")).await;
    let both = json!({"all": [{"field": "segment", "op": "is", "value": hot}, tagged("vip")]});
    segment(&world, both).await;
    let lead = world.ada().await;

    tag(&world, lead, &["vip"]).await;
    assert_eq!(moves(&world, lead).await.len(), 0);
    tag(&world, lead, &["vip", "hot"]).await;

    assert_eq!(moves(&world, lead).await.len(), 2);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_that_is_deleted_leaves(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    segment(&world, tagged("hot")).await;
    let lead = world.ada().await;
    tag(&world, lead, &["hot"]).await;

    world.app.advance(Duration::from_secs(1));
    crm::delete(&world.app.engine, &world.app.actor(), lead).await.expect("deleted");
    world.go_on().await;

    assert_eq!(moves(&world, lead).await, ["segment.entered Hot", "segment.left Hot"]);
    world.app.stop().await;
}
