//! What an automation is: what it waits for, and its steps from top to bottom.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Exit, QuietHours, Step, Trigger};
use crate::ids::StageId;

/// Steps of one automation at most.
pub const STEPS_MAX: usize = 20;

/// The longest wait before a step: 30 days.
pub const DELAY_MAX_MINUTES: i64 = 30 * 24 * 60;

/// The longest safety lock: 30 days.
pub const LOCK_MAX_MINUTES: i64 = 30 * 24 * 60;

/// The longest tag.
pub(super) const TAG_MAX_CHARS: usize = 60;

/// The waits that the screen offers: at once, 5, 15 and 30 minutes, 1, 2 and 24 hours.
pub const OFFERED_DELAYS_MINUTES: [i64; 7] = [0, 5, 15, 30, 60, 120, 1_440];

/// What an automation does. Kept as it is for each version, since runs go on by the one that they began with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Definition {
    /// What starts it.
    pub trigger: Trigger,
    /// Which leads it starts for: a tree of conditions, as it was written; any lead where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Value>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// For how long the same phone or e-mail does not start it again; 0 for not at all.
    pub safety_lock_minutes: i64,
    /// When nothing is sent, by the clock of whoever would get it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// What ends a run before its last step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exit_on: Vec<Exit>,
    /// With [`Exit::StageLeft`]: which stage; any where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_stage_id: Option<StageId>,
}

/// What speaks against a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DefinitionFault {
    /// Where it stands, as a JSON pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

impl Definition {
    /// What speaks against it, as far as it can be told without looking anything up.
    #[must_use]
    pub fn faults(&self) -> Vec<DefinitionFault> {
        let mut faults = Vec::new();
        let mut fault = |pointer: String, message: String| faults.push(DefinitionFault { pointer, message });
        if !(1..=STEPS_MAX).contains(&self.steps.len()) {
            fault("/steps".to_owned(), format!("has 1 to {STEPS_MAX} steps"));
        }
        for (index, step) in self.steps.iter().enumerate() {
            for (field, message) in step.faults() {
                fault(format!("/steps/{index}/{field}"), message);
            }
        }
        if self.exit_stage_id.is_some() && !self.exit_on.contains(&Exit::StageLeft) {
            fault("/exitStageId".to_owned(), "needs stage_left among what ends a run".to_owned());
        }
        if !(0..=LOCK_MAX_MINUTES).contains(&self.safety_lock_minutes) {
            fault("/safetyLockMinutes".to_owned(), format!("must be 0 to {LOCK_MAX_MINUTES} minutes"));
        }
        if self.quiet_hours.is_some_and(|quiet| !quiet.are_good()) {
            let message = "begin and end at different minutes of the day, 0 to 1439".to_owned();
            fault("/quietHours".to_owned(), message);
        }
        if let Some((field, message)) = self.trigger.fault() {
            fault(format!("/trigger/{field}"), message.to_owned());
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;
    use crate::{automations::Message, ids::MessageTemplateId, messaging::MessageChannel};

    const SMS: Option<MessageChannel> = Some(MessageChannel::Sms);

    fn message() -> Message {
        let template = MessageTemplateId(Uuid::nil());
        Message { fallback_channel: SMS, ..Message::by(MessageChannel::Whatsapp, template) }
    }

    fn step() -> Step {
        Step::message(0, message())
    }

    fn definition(steps: Vec<Step>) -> Definition {
        Definition {
            trigger: Trigger::Arrived { source_id: None },
            condition: None,
            steps,
            safety_lock_minutes: 5,
            quiet_hours: None,
            exit_on: Vec::new(),
            exit_stage_id: None,
        }
    }

    fn pointers(definition: &Definition) -> Vec<String> {
        definition.faults().into_iter().map(|fault| fault.pointer).collect()
    }

    #[rstest]
    #[case::as_it_should_be(definition(vec![step()]), &[])]
    #[case::nothing_to_do(definition(vec![]), &["/steps"])]
    #[case::too_much(definition(vec![step(); 21]), &["/steps"])]
    #[case::as_much_as_may_be(definition(vec![step(); 20]), &[])]
    #[case::before_it_began(definition(vec![Step { delay_minutes: -1, ..step() }]), &["/steps/0/delayMinutes"])]
    #[case::after_30_days(definition(vec![step(), Step { delay_minutes: 43_201, ..step() }]), &["/steps/1/delayMinutes"])]
    #[case::on_the_30th_day(definition(vec![Step { delay_minutes: 43_200, ..step() }]), &[])]
    #[case::back_to_itself(
        definition(vec![Step::message(0, Message { fallback_channel: Some(MessageChannel::Whatsapp), ..message() })]),
        &["/steps/0/fallbackChannel"]
    )]
    #[case::a_text_for_no_channel(
        definition(vec![Step::message(0, Message {
            fallback_channel: None, fallback_template_id: Some(MessageTemplateId(Uuid::nil())), ..message()
        })]),
        &["/steps/0/fallbackTemplateId"]
    )]
    #[case::locked_for_good(Definition { safety_lock_minutes: 43_201, ..definition(vec![step()]) }, &["/safetyLockMinutes"])]
    #[case::a_stage_that_nobody_leaves(
        Definition { exit_stage_id: Some(StageId(Uuid::nil())), ..definition(vec![step()]) }, &["/exitStageId"]
    )]
    #[case::never_quiet(
        Definition { quiet_hours: Some(QuietHours { from_minute: 60, until_minute: 60 }), ..definition(vec![step()]) },
        &["/quietHours"]
    )]
    #[case::without_a_tag(
        Definition { trigger: Trigger::TagAdded { tag: " ".into() }, ..definition(vec![step()]) },
        &["/trigger/tag"]
    )]
    fn what_speaks_against_a_definition_is_pointed_at(#[case] definition: Definition, #[case] expected: &[&str]) {
        assert_eq!(pointers(&definition), expected);
    }

    #[test]
    fn a_definition_reads_back_as_it_was_written() {
        let all = Definition {
            trigger: Trigger::ScoreCrossed { score: 60 },
            quiet_hours: Some(QuietHours { from_minute: 1_260, until_minute: 480 }),
            exit_on: vec![Exit::Replied],
            ..definition(vec![step()])
        };

        let text = serde_json::to_string(&all).expect("JSON");

        assert_eq!(serde_json::from_str::<Definition>(&text).expect("a definition"), all);
        let plain = serde_json::to_value(definition(vec![step()])).expect("JSON");
        assert_eq!(plain["steps"][0]["fallbackChannel"], json!("sms"));
        assert_eq!(plain["trigger"], json!({"event": "lead.arrived"}));
    }
}
