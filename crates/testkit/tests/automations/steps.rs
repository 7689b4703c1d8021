//! From step to step: the example, fallbacks, late and repeated reports, retries.

use std::time::Duration;

use leadline_domain::{
    automations::{QuietHours, RunState},
    messaging::{MessageChannel, Status},
};
use leadline_engine::automations::{definitions::AutomationEdit, retry};
use leadline_testkit::Db;
use rstest::rstest;
use serde_json::json;

use crate::fixtures::{World, step};

const NO_WHATSAPP: Option<(&str, &str)> = Some(("131026", "the number is not on WhatsApp"));

#[rstest]
#[tokio::test]
async fn a_lead_gets_whatsapp_or_else_sms_at_once_and_an_email_two_hours_later(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let world = World::start(db).await;

    let lead = world.ada().await;
    assert_eq!(world.timeline(lead).await, ["triggered"]);
    world.report(lead, world.last_message(lead).await, Status::Failed, NO_WHATSAPP).await;
    let sms = world.last_message(lead).await;
    world.report(lead, sms, Status::Sent, None).await;
    world.app.advance(Duration::from_mins(119));
    assert_eq!(world.go_on().await, 0, "it is not yet time for the e-mail");
    world.app.advance(Duration::from_mins(1));
    assert_eq!(world.go_on().await, 1);
    let email = world.last_message(lead).await;
    world.report(lead, email, Status::Sent, None).await;
    world.report(lead, email, Status::Delivered, None).await;
    world.report(lead, email, Status::Read, None).await;

    let channels: Vec<_> = world.messages(lead).await.into_iter().map(|(_, channel)| channel).collect();
    assert_eq!(channels, [MessageChannel::Whatsapp, MessageChannel::Sms, MessageChannel::Email]);
    let told = [
        "triggered",
        "step_failed 1 whatsapp 131026 the number is not on WhatsApp",
        "fallback 1 sms",
        "step_sent 1 sms",
        "step_sent 2 email",
        "completed",
    ];
    assert_eq!(world.timeline(lead).await, told);
    let [run] = &world.runs().await[..] else { panic!("one run") };
    let statuses: Vec<_> = run.sendings.iter().map(|sending| sending.status).collect();
    assert_eq!(statuses, [Some(Status::Failed), Some(Status::Sent), Some(Status::Read)]);
    assert_eq!(run.run.state, RunState::Completed);
    let counts = world.stored().await.counts;
    assert_eq!((counts.triggered, counts.completed, counts.failed, counts.skipped), (1, 1, 0, 0));
    world.app.stop().await;
}

fn orders(of: &[Status]) -> Vec<Vec<Status>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for first in of {
        let rest: Vec<Status> = of.iter().filter(|one| *one != first).copied().collect();
        all.extend(orders(&rest).into_iter().map(|order| [vec![*first], order].concat()));
    }
    all
}

#[rstest]
#[tokio::test]
async fn reports_in_any_order_and_twice_fall_back_once_at_most(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let orders = orders(&[Status::Sent, Status::Delivered, Status::Read, Status::Failed]);
    assert_eq!(orders.len(), 24);

    for (index, order) in orders.iter().enumerate() {
        let lead = world
            .arrives(json!({"email": format!("a{index}@example.com"), "phone": format!("+4917012345{index:02}")}))
            .await;
        let message = world.last_message(lead).await;
        // Of one order each report comes by itself, of the next all come in one batch.
        for status in order.iter().flat_map(|status| [*status, *status]).chain(order.iter().copied()) {
            world.tell(lead, message, status, None).await;
            if index % 2 == 0 {
                world.go_on().await;
            }
        }
        world.go_on().await;

        let messages = world.messages(lead).await;
        let fallbacks = messages.iter().filter(|(_, channel)| *channel == MessageChannel::Sms).count();
        let run = world.runs().await.into_iter().find(|run| run.run.lead_id == lead).expect("a run");
        assert_eq!(run.sendings[0].status, Some(Status::Read), "{order:?}");
        assert!(fallbacks <= 1, "{order:?}: {messages:?}");
        let failed = world.timeline(lead).await.iter().filter(|line| line.starts_with("step_failed")).count();
        assert_eq!(failed, fallbacks, "{order:?}: {:?}", world.timeline(lead).await);
    }
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn what_is_reported_of_somebody_elses_message_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let lead = world.ada().await;
    let stranger = leadline_store::messages::outgoing_id(world.app.workspace, "somebody else's");

    world.report(lead, stranger, Status::Failed, NO_WHATSAPP).await;

    assert_eq!(world.messages(lead).await.len(), 1);
    assert_eq!(world.timeline(lead).await, ["triggered"]);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_step_that_failed_is_tried_again_when_somebody_says_so(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let lead = world.ada().await;
    world.report(lead, world.last_message(lead).await, Status::Failed, NO_WHATSAPP).await;
    world.report(lead, world.last_message(lead).await, Status::Failed, Some(("30003", "the phone is off"))).await;
    world.app.advance(Duration::from_hours(2));
    world.go_on().await;
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;
    assert_eq!(world.stored().await.counts.failed, 1);
    let (engine, actor) = (&world.app.engine, world.app.actor());

    retry::retry(engine, &actor, world.automation, lead).await.expect("something to try again");
    let twice = retry::retry(engine, &actor, world.automation, lead).await;
    assert!(matches!(twice, Err(retry::RetryError::Nothing)), "{twice:?}");
    world.report(lead, world.last_message(lead).await, Status::Sent, None).await;

    assert_eq!(world.messages(lead).await.len(), 4);
    let told = world.timeline(lead).await;
    assert_eq!(told[told.len() - 2..], ["retried 1 whatsapp", "step_sent 1 whatsapp"]);
    let counts = world.stored().await.counts;
    assert_eq!((counts.triggered, counts.completed, counts.failed), (1, 1, 0));
    let done = retry::retry(engine, &actor, world.automation, lead).await;
    assert!(matches!(done, Err(retry::RetryError::Nothing)), "{done:?}");
    let (stranger, _) = world.app.make_workspace("stranger").await;
    let of_stranger = retry::retry(engine, &world.app.actor_in(stranger), world.automation, lead).await;
    assert!(matches!(of_stranger, Err(retry::RetryError::NotFound)), "{of_stranger:?}");
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn a_run_goes_on_by_the_version_that_it_began_with(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let before = world.ada().await;
    let steps = Some(vec![step(MessageChannel::Email, 0, world.follow_up)]);
    world.change(AutomationEdit { steps, ..AutomationEdit::default() }).await;
    let after = world.arrives(json!({"email": "bob@example.com"})).await;

    world.report(before, world.last_message(before).await, Status::Sent, None).await;
    world.app.advance(Duration::from_hours(2));
    world.go_on().await;

    let by = |messages: Vec<(_, MessageChannel)>| messages.into_iter().map(|(_, by)| by).collect::<Vec<_>>();
    assert_eq!(by(world.messages(before).await), [MessageChannel::Whatsapp, MessageChannel::Email]);
    assert_eq!(by(world.messages(after).await), [MessageChannel::Email]);
    world.app.stop().await;
}

#[rstest]
#[tokio::test]
async fn nothing_is_sent_while_it_is_night_where_the_lead_is(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let world = World::start(db).await;
    let quiet = QuietHours { from_minute: 21 * 60, until_minute: 8 * 60 };
    world.change(AutomationEdit { quiet_hours: Some(Some(quiet)), ..AutomationEdit::default() }).await;
    // Tests begin at 8 in the morning of universal time, which is 17 o'clock in Tokyo, and 9 in Germany.
    world.app.advance(Duration::from_hours(5));

    let in_tokyo = world.arrives(json!({"phone": "+81312345678"})).await;
    let in_berlin = world.arrives(json!({"phone": "+491701234567"})).await;

    assert_eq!((world.messages(in_tokyo).await.len(), world.messages(in_berlin).await.len()), (0, 1));
    world.app.advance(Duration::from_mins(9 * 60 + 59));
    world.go_on().await;
    assert_eq!(world.messages(in_tokyo).await.len(), 0);
    world.app.advance(Duration::from_mins(1));
    world.go_on().await;
    assert_eq!(world.messages(in_tokyo).await.len(), 1);
    world.app.stop().await;
}
