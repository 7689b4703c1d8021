use rstest::rstest;
use uuid::Uuid;

use super::*;
use crate::automations::{Act, Message, Otherwise, Trigger};

const WELCOME: MessageTemplateId = MessageTemplateId(Uuid::from_u128(1));
const FOLLOW_UP: MessageTemplateId = MessageTemplateId(Uuid::from_u128(2));

/// WhatsApp at once with SMS behind it, e-mail two hours later.
fn welcome() -> Definition {
    let step = |channel, delay_minutes, template_id, fallback_channel| {
        Step::message(delay_minutes, Message { fallback_channel, ..Message::by(channel, template_id) })
    };
    Definition {
        trigger: Trigger::Arrived { source_id: None },
        condition: None,
        steps: vec![
            step(MessageChannel::Whatsapp, 0, WELCOME, Some(MessageChannel::Sms)),
            step(MessageChannel::Email, 120, FOLLOW_UP, None),
        ],
        safety_lock_minutes: 5,
        quiet_hours: None,
        exit_on: Vec::new(),
        exit_stage_id: None,
    }
}

/// Its time has come, and its message was made.
fn make(run: &mut Run<'_>) {
    run.sendings.iter_mut().filter(|one| one.status.is_none()).for_each(|one| one.status = Some(Status::Queued));
}

fn words(effects: &[Effect]) -> Vec<String> {
    let word = |effect: &Effect| match effect {
        Effect::Sent { step, number } => format!("sent {step}.{number}"),
        Effect::Done { step, number } => format!("done {step}.{number}"),
        Effect::Failed { step, number } => format!("failed {step}.{number}"),
        Effect::Skipped { step, number } => format!("skipped {step}.{number}"),
        Effect::FellBack(one) => {
            format!("fallback {}.{} by {}", one.step, one.number, one.channel.expect("a channel").as_str())
        }
        Effect::Begun(one, minutes) => format!("next {}.{} in {minutes}", one.step, one.number),
        Effect::Ended(ending) => format!("{ending:?}").to_lowercase(),
    };
    effects.iter().map(word).collect()
}

/// Plays reports, each with its sending and perhaps a reason, and tells what followed.
fn play(run: &mut Run<'_>, reports: &[(usize, i64, Status, Option<&str>)]) -> Vec<String> {
    let mut told = Vec::new();
    for (step, number, status, reason) in reports {
        make(run);
        told.extend(words(&run.report(*step, *number, *status, *reason)));
    }
    told
}

#[rstest]
#[case::all_is_well(
    &[(0, 0, Status::Sent, None), (1, 0, Status::Sent, None)],
    &["sent 0.0", "next 1.0 in 120", "sent 1.0", "completed"]
)]
#[case::the_other_way(
    &[(0, 0, Status::Failed, Some("not_on_whatsapp")), (0, 1, Status::Sent, None), (1, 0, Status::Sent, None)],
    &["failed 0.0", "fallback 0.1 by sms", "sent 0.1", "next 1.0 in 120", "sent 1.0", "completed"]
)]
#[case::neither_way(
    &[(0, 0, Status::Failed, None), (0, 1, Status::Failed, None), (1, 0, Status::Sent, None)],
    &["failed 0.0", "fallback 0.1 by sms", "failed 0.1", "next 1.0 in 120", "sent 1.0", "failed"]
)]
#[case::it_fails_after_it_was_sent(
    &[(0, 0, Status::Sent, None), (0, 0, Status::Failed, None), (0, 1, Status::Sent, None), (1, 0, Status::Sent, None)],
    &["sent 0.0", "next 1.0 in 120", "failed 0.0", "fallback 0.1 by sms", "sent 0.1", "sent 1.0", "completed"]
)]
#[case::it_fails_after_the_end(
    &[(0, 0, Status::Sent, None), (1, 0, Status::Sent, None), (0, 0, Status::Failed, None), (0, 1, Status::Failed, None)],
    &["sent 0.0", "next 1.0 in 120", "sent 1.0", "completed", "failed 0.0", "fallback 0.1 by sms", "failed 0.1", "failed"]
)]
#[case::a_closed_window_leaves_sms(
    &[(0, 0, Status::Skipped, Some("window_closed")), (0, 1, Status::Sent, None)],
    &["skipped 0.0", "fallback 0.1 by sms", "sent 0.1", "next 1.0 in 120"]
)]
#[case::who_wants_none_gets_none(
    &[(0, 0, Status::Skipped, Some("suppressed")), (1, 0, Status::Skipped, Some("suppressed"))],
    &["skipped 0.0", "next 1.0 in 120", "skipped 1.0", "skipped"]
)]
#[case::nobody_knows_so_it_is_not_sent_again(
    &[(0, 0, Status::Unknown, None), (1, 0, Status::Sent, None)],
    &["sent 0.0", "next 1.0 in 120", "sent 1.0", "completed"]
)]
#[case::it_arrived_all_the_same(
    &[(0, 0, Status::Failed, None), (0, 0, Status::Delivered, None), (0, 1, Status::Sent, None)],
    &["failed 0.0", "fallback 0.1 by sms", "sent 0.0", "sent 0.1", "next 1.0 in 120"]
)]
#[case::of_no_sending(&[(0, 4, Status::Sent, None), (7, 0, Status::Sent, None)], &[])]
fn what_follows_from_reports(#[case] reports: &[(usize, i64, Status, Option<&str>)], #[case] expected: &[&str]) {
    let definition = welcome();
    let mut run = Run::begin(&definition).expect("a run");

    assert_eq!(play(&mut run, reports), expected);
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

#[test]
fn reports_in_any_order_with_repeats_come_to_the_same_and_fall_back_once_at_most() {
    let definition = welcome();
    let orders = orders(&[Status::Sent, Status::Delivered, Status::Read, Status::Failed]);
    assert_eq!(orders.len(), 24);

    for order in orders {
        let mut run = Run::begin(&definition).expect("a run");
        let twice = order.iter().flat_map(|status| [*status, *status]).chain(order.iter().copied());
        let reports: Vec<_> = twice.map(|status| (0, 0, status, None)).collect();
        let told = play(&mut run, &reports);

        let count = |word: &str| told.iter().filter(|told| told.starts_with(word)).count();
        assert_eq!(run.sendings[0].status, Some(Status::Read), "{order:?}");
        assert!(count("fallback") <= 1, "{order:?}: {told:?}");
        assert_eq!(count("fallback"), count("failed 0.0"), "{order:?}: {told:?}");
        assert!(count("next") <= 1 && count("sent 0.0") <= 2, "{order:?}: {told:?}");
    }
}

#[test]
fn who_left_gets_nothing_more() {
    let definition = welcome();
    let mut run = Run::begin(&definition).expect("a run");
    run.has_left = true;

    assert_eq!(play(&mut run, &[(0, 0, Status::Failed, None)]), ["failed 0.0"]);
}

#[test]
fn the_last_step_that_came_to_nothing_is_tried_again_with_its_fallback_behind_it() {
    let definition = welcome();
    let mut run = Run::begin(&definition).expect("a run");
    assert_eq!(run.retry(), None);
    let failed = [(0, 0, Status::Failed, None), (0, 1, Status::Failed, None), (1, 0, Status::Sent, None)];
    play(&mut run, &failed);
    assert_eq!(run.ending, Some(Ending::Failed));

    let again = run.retry().expect("something to retry");
    assert_eq!((again.step, again.number, again.channel), (0, 2, Some(MessageChannel::Whatsapp)));
    run.sendings.push(again);
    assert_eq!(run.retry(), None, "one that is under way is not tried once more");

    let told = play(&mut run, &[(0, 2, Status::Failed, None), (0, 3, Status::Sent, None)]);
    assert_eq!(told, ["failed 0.2", "fallback 0.3 by sms", "sent 0.3", "completed"]);
    assert_eq!(run.retry(), None);
}

/// A question, a tag, a note.
fn of_acts() -> Definition {
    let step = |act| Step { delay_minutes: 0, act };
    let condition = Act::Condition { filter: serde_json::json!({"all": []}), otherwise: Otherwise::SkipNext };
    let steps = vec![step(condition), step(Act::AddTag("hot".into())), step(Act::AddNote("Call".into()))];
    Definition { steps, ..welcome() }
}

#[rstest]
#[case::all_is_well(&[Done::GoOn, Done::GoOn, Done::GoOn],
    &["done 0.0", "next 1.0 in 0", "done 1.0", "next 2.0 in 0", "done 2.0", "completed"])]
#[case::past_the_next(&[Done::SkipNext, Done::GoOn], &["done 0.0", "next 2.0 in 0", "done 2.0", "completed"])]
#[case::one_fails(&[Done::GoOn, Done::Failed(Trouble::TooManyTags), Done::GoOn],
    &["done 0.0", "next 1.0 in 0", "failed 1.0", "next 2.0 in 0", "done 2.0", "failed"])]
fn what_follows_from_steps_that_send_nothing(#[case] done: &[Done], #[case] expected: &[&str]) {
    let definition = of_acts();
    let mut run = Run::begin(&definition).expect("a run");
    let mut told = Vec::new();

    for done in done {
        told.extend(words(&run.act(run.step, 0, *done)));
        assert_eq!(run.act(0, 0, *done), [], "a step has its turn once");
    }

    assert_eq!(told, expected);
}

#[test]
fn who_cannot_be_written_to_can_be_tagged_all_the_same() {
    let nowhere = Reach { phone: false, email: false };
    let mut steps = welcome().steps;
    steps.push(Step { delay_minutes: 0, act: Act::Wait });
    assert!(!nowhere.by_any(&steps));
    steps.push(Step { delay_minutes: 0, act: Act::AddTag("hot".into()) });
    assert!(nowhere.by_any(&steps));
}

#[rstest]
#[case::both(true, true, true)]
#[case::phone(true, false, true)]
#[case::email(false, true, true)]
#[case::neither(false, false, false)]
fn a_lead_is_within_reach_by_any_of_the_steps(#[case] phone: bool, #[case] email: bool, #[case] expected: bool) {
    assert_eq!(Reach { phone, email }.by_any(&welcome().steps), expected);
}
