//! What keeps an automation from sending, each with its reason on the timeline.

use std::time::Duration;

use leadline_domain::{
    automations::{Exit, RunState},
    messaging::{MessageChannel, Status},
};
use leadline_engine::{
    automations::definitions::{self, AutomationEdit},
    crm,
};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{World, step};

#[rstest]
#[tokio::test]
async fn the_same_phone_or_email_starts_it_once_in_five_minutes(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let lead = world.ada().await;

    world.app.advance(Duration::from_secs(299));
    let by_email = world.arrives(json!({"name": "Ada", "email": "ADA@example.com"})).await;
    let by_phone = world.arrives(json!({"name": "Somebody", "phone": "0049 170 1234567"})).await;
    let another = world.arrives(json!({"email": "bob@example.com"})).await;
    assert_eq!((by_email, by_phone), (lead, lead));
    assert_eq!(world.timeline(lead).await, ["triggered", "skipped safety_lock", "skipped safety_lock"]);
    assert_eq!(world.timeline(another).await, ["triggered"]);
    world.app.advance(Duration::from_secs(1));
    world.ada().await;

    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some("triggered"));
    let counts = world.stored().await.counts;
    assert_eq!((counts.triggered, counts.skipped), (3, 2));
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn two_leads_of_one_batch_and_one_phone_start_it_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let lead = world.ada().await;
    world.app.advance(Duration::from_hours(1));
    // Twice in one batch of events.
    let data = json!({"sourceId": world.source});
    world.happens(lead, "lead.resubmitted", data.clone()).await;
    world.happens(lead, "lead.resubmitted", data).await;
    world.go_on().await;

    let told = world.timeline(lead).await;
    assert_eq!(told.iter().filter(|line| *line == "triggered").count(), 2, "{told:?}");
    assert_eq!(told.iter().filter(|line| *line == "skipped safety_lock").count(), 1, "{told:?}");
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn without_a_lock_every_arrival_starts_it(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    world.change(AutomationEdit { safety_lock_minutes: Some(0), ..AutomationEdit::default() }).await;
    let lead = world.ada().await;
    world.ada().await;

    assert_eq!(world.timeline(lead).await, ["triggered", "triggered"]);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_cannot_be_reached_by_any_step_is_left_out(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let steps = Some(vec![step(MessageChannel::Whatsapp, 0, world.welcome)]);
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;

    let lead = world.arrives(json!({"email": "ada@example.com"})).await;

    assert_eq!(world.timeline(lead).await, ["skipped missing_contact"]);
    let [run] = &world.runs().await[..] else { panic!("one run") };
    assert_eq!((run.run.state, run.sendings.len()), (RunState::Skipped, 0));
    assert_eq!(world.app.count("messages").await, 0);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_that_is_switched_off_says_so_and_sends_nothing_more(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let before = world.ada().await;
    world.report(before, world.last_message(before).await, Status::Sent, None).await;
    world.change(AutomationEdit { is_active: Some(false), ..AutomationEdit::default() }).await;

    let after = world.arrives(json!({"email": "bob@example.com"})).await;
    world.app.advance(Duration::from_hours(2));
    world.go_on().await;

    assert_eq!(world.timeline(after).await, ["skipped inactive"]);
    assert_eq!(world.timeline(before).await, ["triggered", "step_sent 1 whatsapp", "skipped 2 inactive"]);
    assert_eq!(world.messages(before).await.len(), 1);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn one_that_was_deleted_sends_nothing_more(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let lead = world.ada().await;
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;
    definitions::delete(&world.app.engine, &world.app.actor(), world.automation).await.expect("deleted");

    world.app.advance(Duration::from_hours(2));
    world.go_on().await;
    let after = world.arrives(json!({"email": "bob@example.com"})).await;

    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some("skipped 2 automation_deleted"));
    assert_eq!(world.timeline(after).await, Vec::<String>::new());
    world.app.stop().await;
}

/// Each reason by which a message is not sent: without another way the run goes on, with one that is tried.
#[rstest]
#[tokio::test]
async fn what_speaks_against_a_message_stands_on_the_timeline(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(
        ("no_phone", true), ("channel_deleted", true), ("no_channel", true), ("template_not_approved", true),
        ("window_closed", true), ("suppressed", false)
    )]
    (code, leaves_another_way): (&str, bool),
) {
    let world = World::start(db).await;
    let lead = world.ada().await;

    world.report(lead, world.last_message(lead).await, Status::Skipped, Some((code, "in words"))).await;

    let mut told = vec!["triggered".to_owned(), format!("skipped 1 whatsapp {code}")];
    told.extend(leaves_another_way.then(|| "fallback 1 sms".to_owned()));
    assert_eq!(world.timeline(lead).await, told);
    if leaves_another_way {
        world.report(lead, world.last_message(lead).await, Status::Skipped, Some((code, "in words"))).await;
        told.push(format!("skipped 1 sms {code}"));
    }
    world.app.advance(Duration::from_hours(2));
    assert_eq!(world.go_on().await, 1, "the next step comes all the same");
    world.report(lead, world.last_message(lead).await, Status::Skipped, Some(("no_email", "in words"))).await;
    told.push("skipped 2 email no_email".to_owned());
    assert_eq!(world.timeline(lead).await, told);
    let counts = world.stored().await.counts;
    assert_eq!((counts.completed, counts.failed, counts.skipped), (0, 0, 1));
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn who_answers_or_buys_gets_no_further_step(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(("message.received", "replied"), ("lead.converted", "converted"), ("lead.stage_changed", "closed"))]
    (kind, reason): (&str, &str),
) {
    let world = World::start(db).await;
    world.change(AutomationEdit { exit_on: Some(Exit::ALL.to_vec()), ..AutomationEdit::default() }).await;
    let lead = world.ada().await;
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;

    world.happens(lead, kind, json!({"toStageKind": "won", "tags": []})).await;
    world.go_on().await;
    world.app.advance(Duration::from_hours(3));

    assert_eq!(world.go_on().await, 0);
    assert_eq!(world.timeline(lead).await.last(), Some(&format!("exited {reason}")));
    assert_eq!(world.runs().await[0].run.state, RunState::Exited);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_lead_that_was_deleted_gets_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let lead = world.ada().await;
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;
    crm::delete(&world.app.engine, &world.app.actor(), lead).await.expect("deleted");

    world.app.advance(Duration::from_hours(2));
    world.go_on().await;

    assert_eq!(world.messages(lead).await.len(), 1);
    assert_eq!(world.timeline(lead).await.last().map(String::as_str), Some("skipped 2 lead_deleted"));
    world.app.stop().await;
}
