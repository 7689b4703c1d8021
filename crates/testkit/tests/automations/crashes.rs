//! A process that dies between any two transactions, and two that work at the same time.

use std::time::Duration;

use leadline_domain::{
    ids::LeadId,
    messaging::{MessageChannel, Status},
};
use leadline_engine::{automations::runner, dispatch};
use leadline_store::automations::runs;
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::fixtures::World;

/// One transaction of the work, as the process does it by itself.
#[derive(Debug, Clone, Copy)]
enum Work {
    Dispatch,
    Start,
}

/// Does `before` transactions, dies in the middle of the next (which is taken back), starts again and does the rest.
async fn with_a_crash(world: &mut World, before: usize, done: &mut usize) {
    for work in [Work::Dispatch, Work::Start, Work::Dispatch] {
        if *done == before {
            die_within(world, work).await;
            world.app.restart().await;
        }
        *done += 1;
        match work {
            Work::Dispatch => dispatch::dispatch_all(&world.app.engine).await.expect("dispatched"),
            Work::Start => drop(runner::send_due(&world.app.engine).await.expect("started")),
        }
    }
}

/// Takes what is due and dies before the commit.
async fn die_within(world: &World, work: Work) {
    let now = world.app.now();
    let mut tx = world.app.engine.store.begin().await.expect("a transaction");
    match work {
        Work::Dispatch => {
            let events = leadline_store::events::claim_undispatched(&mut tx, 100).await.expect("events");
            let ids: Vec<_> = events.iter().map(|event| event.id).collect();
            leadline_store::events::mark_dispatched(&mut tx, &ids).await.expect("marked");
        }
        Work::Start => {
            let due = runs::claim_due(&mut tx, now, 100).await.expect("due");
            let of: Vec<_> = due.iter().map(|due| due.run).collect();
            runs::delete_waiting(&mut tx, &of).await.expect("taken");
        }
    }
    drop(tx);
}

/// What a provider got: each message that was asked for, by its kind.
async fn asked(world: &World, lead: LeadId) -> Vec<MessageChannel> {
    world.messages(lead).await.into_iter().map(|(_, channel)| channel).collect()
}

#[rstest]
#[tokio::test]
async fn a_crash_between_any_two_transactions_leaves_each_step_started_once(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let mut world = World::start(db).await;

    for crash in 0..12 {
        let mut done = 0;
        let email = format!("a{crash}@example.com");
        let lead = {
            let fields = json!({"email": email, "phone": format!("+4917012345{crash:02}")});
            // Accepted, and nothing done about it yet.
            let data = json!({"sourceId": world.source});
            let lead = world.app.submit(fields).await.lead.expect("a lead");
            world.happens(lead, "lead.resubmitted", data).await;
            lead
        };
        with_a_crash(&mut world, crash, &mut done).await;
        let first = world.messages(lead).await[0].0;
        world.tell(lead, first, Status::Failed, Some(("131026", "not on WhatsApp"))).await;
        with_a_crash(&mut world, crash, &mut done).await;
        let second = world.last_message(lead).await;
        world.tell(lead, second, Status::Sent, None).await;
        with_a_crash(&mut world, crash, &mut done).await;
        world.app.advance(Duration::from_hours(2));
        with_a_crash(&mut world, crash, &mut done).await;
        let third = world.last_message(lead).await;
        world.tell(lead, third, Status::Sent, None).await;
        world.go_on().await;

        let all = [MessageChannel::Whatsapp, MessageChannel::Sms, MessageChannel::Email];
        assert_eq!(asked(&world, lead).await, all, "a crash after {crash} transactions");
        let told = world.timeline(lead).await;
        assert_eq!(told.len(), 6, "a crash after {crash} transactions: {told:?}");
    }
    let messages = world.app.count("messages WHERE cause_kind = 'automation'").await;
    assert_eq!(messages, 36);
    assert_eq!(world.stored().await.counts.completed, 12);
    world.app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn several_at_once_start_each_step_once(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    for index in 0..40 {
        let fields = json!({"email": format!("a{index}@example.com"), "phone": format!("+4917012345{index:02}")});
        let lead = world.app.submit(fields).await.lead.expect("a lead");
        world.happens(lead, "lead.resubmitted", json!({"sourceId": world.source})).await;
    }

    let node = || {
        let engine = world.app.engine.clone();
        tokio::spawn(async move {
            for _ in 0..20 {
                // Whoever waits for another for too long is told so, and tries again with the next round.
                let _contended = dispatch::dispatch_all(&engine).await;
                let _contended = runner::send_due(&engine).await;
            }
        })
    };
    for task in [node(), node(), node()] {
        task.await.expect("a node that ends");
    }
    world.go_on().await;

    assert_eq!(world.app.count("automation_runs WHERE state = 'running'").await, 40);
    assert_eq!(world.app.count("messages WHERE cause_kind = 'automation'").await, 40);
    assert_eq!(world.app.count("automation_sendings WHERE status = 'queued'").await, 40);
    assert_eq!(world.stored().await.counts.triggered, 40);
    world.app.stop().await;
}
