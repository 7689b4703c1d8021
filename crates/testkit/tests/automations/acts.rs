//! Steps that send nothing: each is done once, with its reason where it is not.

use std::time::Duration;

use leadline_domain::{
    automations::{Act, Assignee, Exit, Otherwise, QuietHours, RunState, Step, Then, Trigger},
    ids::{LeadId, MessageTemplateId, StageId, UserId},
    messaging::{MessageChannel, Status},
    permissions::Role,
};
use leadline_engine::{
    automations::{definitions::AutomationEdit, retry},
    crm::{self, Changes},
    privacy::suppressions,
    random_bytes,
};
use leadline_store::{
    leads::{self, Lead},
    pipelines, users,
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::{Value, json};

use crate::fixtures::{World, act, step};

async fn with(db: Db, steps: Vec<Step>) -> World {
    let world = World::start(db).await;
    world.change(AutomationEdit { steps: Some(steps), ..AutomationEdit::default() }).await;
    world
}

async fn read(world: &World, lead: LeadId) -> Lead {
    let found = leads::find(&world.app.engine.store.reader(), world.app.workspace, lead).await;
    found.expect("the store answers").expect("the lead is there")
}

async fn member(world: &World) -> UserId {
    let now = world.app.now();
    let user = users::User {
        id: UserId::new(now, random_bytes()),
        email: "grace@team.example".into(),
        name: "Grace".into(),
        password_hash: String::new(),
        created_at: now,
        disabled_at: None,
    };
    let mut tx = world.app.engine.store.begin().await.expect("a transaction");
    users::insert(&mut tx, &user).await.expect("a user");
    users::insert_member(&mut tx, world.app.workspace, user.id, Role::Agent.into(), now).await.expect("a member");
    tx.commit().await.expect("committed");
    user.id
}

async fn stage(world: &World, place: usize) -> StageId {
    let pipeline = pipelines::find(&world.app.engine.store.reader(), world.app.workspace, None).await;
    pipeline.expect("the store answers").expect("a pipeline").stages[place].id
}

fn condition(filter: Value, otherwise: Otherwise) -> Step {
    act(Act::Condition { filter, otherwise })
}

#[rstest]
#[tokio::test]
async fn a_lead_is_tagged_moved_and_noted_in_order_and_its_timeline_says_so(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let world = with(db, vec![act(Act::AddTag("hot".into()))]).await;
    let stage_id = stage(&world, 1).await;
    let steps = vec![
        act(Act::AddTag("hot".into())),
        act(Act::MoveStage { stage_id, reason: None }),
        act(Act::RemoveTag("hot".into())),
        act(Act::AddNote("Call them".into())),
    ];
    world.change(AutomationEdit { steps: Some(steps), ..AutomationEdit::default() }).await;

    let lead = world.arrives(json!({"name": "Somebody who cannot be reached"})).await;

    let now = read(&world, lead).await;
    assert_eq!((now.card.stage_id, now.card.tags.len()), (stage_id, 0));
    let told = ["triggered", "step_done 1", "step_done 2", "step_done 3", "step_done 4", "completed"];
    assert_eq!(world.timeline(lead).await, told);
    assert_eq!(world.app.count("lead_activities WHERE kind = 'note.added'").await, 1);
    assert_eq!(world.app.count("lead_activities WHERE kind = 'tags.changed'").await, 2);
    let counted = "lead_stage_counts AS c WHERE c.stage_id = (SELECT stage_id FROM leads LIMIT 1) AND c.n = 1";
    assert_eq!(world.app.count(counted).await, 1);
    let [run] = &world.runs().await[..] else { panic!("one run") };
    assert_eq!(run.run.state, RunState::Completed);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_goes_on_only_if_it_meets_the_conditions(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let is_ada = json!({"field": "name", "op": "is", "value": "Ada"});
    let steps = vec![
        condition(is_ada.clone(), Otherwise::SkipNext),
        act(Act::AddTag("ada".into())),
        condition(is_ada, Otherwise::End),
        act(Act::AddTag("end".into())),
    ];
    let world = with(db, steps).await;

    let ada = world.ada().await;
    let bob = world.arrives(json!({"name": "Bob", "email": "bob@example.com"})).await;

    assert_eq!(read(&world, ada).await.card.tags, ["ada", "end"]);
    assert_eq!(read(&world, bob).await.card.tags, Vec::<String>::new());
    let told = ["triggered", "step_done 1 conditions_not_met", "exited 3 conditions_not_met"];
    assert_eq!(world.timeline(bob).await, told);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_does_not_meet_the_conditions_of_the_start_is_in_the_run_log_alone(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let world = World::start(db).await;
    let condition = Some(Some(json!({"field": "email", "op": "ends_with", "value": "@example.com"})));
    world.change(AutomationEdit { condition, ..AutomationEdit::default() }).await;

    let inside = world.ada().await;
    let outside = world.arrives(json!({"email": "eve@elsewhere.test"})).await;

    assert_eq!(world.timeline(inside).await, ["triggered"]);
    assert_eq!(world.timeline(outside).await, Vec::<String>::new());
    let run = world.runs().await.into_iter().find(|run| run.run.lead_id == outside).expect("a run");
    assert_eq!((run.run.state, run.run.reason.as_deref()), (RunState::Skipped, Some("conditions_not_met")));
    assert_eq!(world.stored().await.counts.skipped, 1);
    world.app.stop().await;
}

/// Waits for a reply for an hour, between a message and a note.
fn asks(template: MessageTemplateId, on_reply: Then, on_timeout: Then) -> Vec<Step> {
    vec![
        step(MessageChannel::Email, 0, template),
        Step { delay_minutes: 60, act: Act::AwaitReply { on_reply, on_timeout } },
        act(Act::AddNote("Next".into())),
    ]
}

#[rstest]
#[case::replies_and_ends(true, Then::End, Then::GoOn, "exited 2 replied", 0)]
#[case::replies_and_goes_on(true, Then::GoOn, Then::End, "completed", 1)]
#[case::is_silent_and_goes_on(false, Then::End, Then::GoOn, "completed", 1)]
#[case::is_silent_and_ends(false, Then::GoOn, Then::End, "exited 2 no_reply", 0)]
#[tokio::test]
async fn a_run_waits_for_a_reply_and_no_longer_than_it_should(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] replies: bool,
    #[case] on_reply: Then,
    #[case] on_timeout: Then,
    #[case] last: &str,
    #[case] notes: i64,
) {
    let world = World::start(db).await;
    let steps = Some(asks(world.follow_up, on_reply, on_timeout));
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;
    let lead = world.ada().await;
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;

    world.app.advance(Duration::from_mins(59));
    assert_eq!(world.go_on().await, 0, "the time is not over");
    if replies {
        world.happens(lead, "message.received", json!({"tags": []})).await;
    } else {
        world.app.advance(Duration::from_mins(1));
    }
    world.go_on().await;

    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some(last));
    assert_eq!(world.app.count("lead_activities WHERE kind = 'note.added'").await, notes);
    assert_eq!(world.app.count("automation_sendings WHERE status = 'waiting'").await, 0);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_run_waits_its_time_also_at_night(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = with(db, vec![Step { delay_minutes: 30, act: Act::Wait }, act(Act::AddTag("awake".into()))]).await;
    // Nearly always: what is sent waits for that, what is done to the lead does not.
    let quiet_hours = Some(Some(QuietHours { from_minute: 0, until_minute: 1_439 }));
    world.change(AutomationEdit { quiet_hours, ..AutomationEdit::default() }).await;
    let lead = world.ada().await;
    assert_eq!(world.go_on().await, 0);

    world.app.advance(Duration::from_mins(30));
    world.go_on().await;

    assert_eq!(read(&world, lead).await.card.tags, ["awake"]);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_step_that_cannot_be_done_says_why_and_is_tried_again(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = with(db, vec![Step { delay_minutes: 5, act: Act::AddTag("one too many".into()) }]).await;
    let lead = world.ada().await;
    let tags = |count: usize| Changes {
        tags: Some((0..count).map(|number| format!("tag {number}")).collect()),
        ..Changes::default()
    };
    let (engine, actor) = (&world.app.engine, world.app.actor());
    crm::update(engine, &actor, lead, &tags(50)).await.expect("tagged");
    world.app.advance(Duration::from_mins(5));
    world.go_on().await;
    let told = ["triggered", "step_failed 1 too_many_tags The lead has too many tags"];
    assert_eq!(world.timeline(lead).await, told);

    crm::update(engine, &actor, lead, &tags(1)).await.expect("tagged");
    world.app.advance(Duration::from_mins(1));
    retry::retry(engine, &actor, world.automation, lead).await.expect("tried again");
    world.go_on().await;

    assert_eq!(read(&world, lead).await.card.tags, ["tag 0", "one too many"]);
    let [run] = &world.runs().await[..] else { panic!("one run") };
    assert_eq!(run.run.state, RunState::Completed);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_is_given_to_a_member_and_asked_for_by_the_rules(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let member = member(&world).await;
    let steps = Some(vec![act(Act::Assign(Assignee::User(member))), act(Act::Assign(Assignee::Rules))]);
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;

    let lead = world.ada().await;

    assert_eq!(read(&world, lead).await.card.assigned_to, Some(member));
    assert_eq!(world.app.count("events WHERE kind = 'lead.assignment_asked'").await, 1);
    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some("completed"));
    world.app.stop().await;
}

#[rstest]
#[case::another_stage(false)]
#[case::by_its_own_step(true)]
#[tokio::test]
async fn a_run_ends_when_the_lead_leaves_a_stage_but_not_by_what_it_does_itself(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[case] by_itself: bool,
) {
    let world = World::start(db).await;
    let stage_id = stage(&world, 1).await;
    let moves = act(Act::MoveStage { stage_id, reason: None });
    let waits = Step { delay_minutes: 10, act: Act::AddTag("stayed".into()) };
    let steps = Some(if by_itself { vec![moves, waits] } else { vec![waits] });
    let exit_on = Some(vec![Exit::StageLeft]);
    world.change(AutomationEdit { steps, exit_on, ..AutomationEdit::default() }).await;
    let lead = world.ada().await;

    if !by_itself {
        let to = crm::Move { stage: stage_id, below: None, reason: None, op: None };
        crm::move_stage(&world.app.engine, &world.app.actor(), lead, &to).await.expect("moved");
    }
    world.go_on().await;
    world.app.advance(Duration::from_mins(10));
    world.go_on().await;

    let last = if by_itself { "completed" } else { "exited stage_left" };
    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some(last));
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_run_ends_at_its_next_step_for_who_wants_no_more_messages(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let exit_on = Some(vec![Exit::Unsubscribed]);
    world.change(AutomationEdit { exit_on, ..AutomationEdit::default() }).await;
    let lead = world.ada().await;
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;

    let wish = suppressions::Wish { email: Some("ada@example.com".into()), ..suppressions::Wish::default() };
    suppressions::add(&world.app.engine, &world.app.actor(), &wish).await.expect("added");
    world.app.advance(Duration::from_hours(2));
    world.go_on().await;

    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some("exited 2 unsubscribed"));
    assert_eq!(world.messages(lead).await.len(), 1);
    world.app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_do_each_step_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let steps = vec![act(Act::AddNote("Once".into())), act(Act::AddTag("hot".into()))];
    let world = with(db, steps).await;
    for index in 0..40 {
        let lead = world.app.submit(json!({"email": format!("a{index}@example.com")})).await.lead.expect("a lead");
        world.happens(lead, "lead.resubmitted", json!({"sourceId": world.source})).await;
    }

    let node = || {
        let engine = world.app.engine.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                let _contended = leadline_engine::dispatch::dispatch_all(&engine).await;
                let _contended = leadline_engine::automations::runner::send_due(&engine).await;
            }
        })
    };
    for task in [node(), node(), node()] {
        task.await.expect("a node that ends");
    }
    world.go_on().await;

    assert_eq!(world.app.count("lead_activities WHERE kind = 'note.added'").await, 40);
    assert_eq!(world.app.count("lead_activities WHERE kind = 'tags.changed'").await, 40);
    assert_eq!(world.app.count("automation_sendings WHERE status = 'done'").await, 80);
    assert_eq!(world.stored().await.counts.completed, 40);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_run_goes_by_the_version_that_it_began_with(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = with(db, vec![Step { delay_minutes: 5, act: Act::AddTag("old".into()) }]).await;
    let before = world.ada().await;
    let steps = Some(vec![Step { delay_minutes: 5, act: Act::AddTag("new".into()) }]);
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;
    let after = world.arrives(json!({"email": "bob@example.com"})).await;

    world.app.advance(Duration::from_mins(5));
    world.go_on().await;

    assert_eq!(read(&world, before).await.card.tags, ["old"]);
    assert_eq!(read(&world, after).await.card.tags, ["new"]);
    let trigger = world.stored().await.definition.trigger;
    assert!(matches!(trigger, Trigger::Arrived { .. }));
    world.app.stop().await;
}
