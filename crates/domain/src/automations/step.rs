//! What a step of an automation does: a message, a wait, a question, or something done to the lead.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::{DELAY_MAX_MINUTES, TAG_MAX_CHARS};
use crate::{
    ids::{DestinationId, MessageTemplateId, StageId, UserId},
    messaging::MessageChannel,
};

/// The longest note that a step writes.
const NOTE_MAX_CHARS: usize = 2_000;

/// The longest reason for which a step wins or loses a lead.
const REASON_MAX_CHARS: usize = 80;

/// A step of an automation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenStep", into = "WrittenStep")]
pub struct Step {
    /// How long to wait before it, after the step before; of [`Act::AwaitReply`], how long to wait at most.
    pub delay_minutes: i64,
    /// What it does.
    pub act: Act,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Sends a message.
    Message(Message),
    /// Nothing but waiting.
    Wait,
    /// Waits until the person writes, or until the time is over.
    AwaitReply {
        /// What follows once they wrote.
        on_reply: Then,
        /// What follows once the time is over.
        on_timeout: Then,
    },
    /// Goes on only with leads that meet conditions.
    Condition {
        /// A tree of conditions, as it was written (see [`crate::filters`]).
        filter: Value,
        /// What follows where they do not meet them.
        otherwise: Otherwise,
    },
    /// Gives the lead to somebody.
    Assign(Assignee),
    /// Gives the lead a tag.
    AddTag(String),
    /// Takes a tag from the lead.
    RemoveTag(String),
    /// Puts the lead into a stage.
    MoveStage {
        /// Which.
        stage_id: StageId,
        /// Why it is won or lost, where the stage says that it is.
        reason: Option<String>,
    },
    /// Writes a note on the lead.
    AddNote(String),
    /// Tells a destination of the lead.
    CallDestination(DestinationId),
}

/// A message of an automation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// By which channel it goes.
    pub channel: MessageChannel,
    /// What is said.
    pub template_id: MessageTemplateId,
    /// What is tried where the channel fails.
    pub fallback_channel: Option<MessageChannel>,
    /// What is said there; the same text where nothing is chosen.
    pub fallback_template_id: Option<MessageTemplateId>,
}

/// The other way of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fallback {
    /// By which channel.
    pub channel: MessageChannel,
    /// A text for that channel, or none of its own.
    pub template_id: Option<MessageTemplateId>,
}

impl Message {
    /// A message without another way.
    #[must_use]
    pub const fn by(channel: MessageChannel, template_id: MessageTemplateId) -> Self {
        Self { channel, template_id, fallback_channel: None, fallback_template_id: None }
    }

    /// The other way, where the message has one.
    #[must_use]
    pub fn fallback(&self) -> Option<Fallback> {
        let template_id = self.fallback_template_id;
        self.fallback_channel.map(|channel| Fallback { channel, template_id })
    }

    /// The channels that it may go by, its own first.
    pub fn channels(&self) -> impl Iterator<Item = MessageChannel> {
        [Some(self.channel), self.fallback_channel].into_iter().flatten()
    }
}

/// How a run goes on after waiting for a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// With the next step.
    GoOn,
    /// Not at all.
    End,
}

/// How a run goes on with a lead that does not meet the conditions of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// Not at all.
    End,
    /// With the step after the next one.
    SkipNext,
}

/// To whom a step gives a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Assignee {
    /// Whoever the assignment rules choose, where the lead is nobody's yet.
    Rules,
    /// A member of the workspace.
    User(UserId),
}

/// What kind of step one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants of Act under their own names")]
pub enum StepKind {
    #[default]
    Message,
    Wait,
    WaitForReply,
    Condition,
    Assign,
    AddTag,
    RemoveTag,
    MoveStage,
    AddNote,
    CallDestination,
}

impl StepKind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Message,
        Self::Wait,
        Self::WaitForReply,
        Self::Condition,
        Self::Assign,
        Self::AddTag,
        Self::RemoveTag,
        Self::MoveStage,
        Self::AddNote,
        Self::CallDestination,
    ];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Wait => "wait",
            Self::WaitForReply => "wait_for_reply",
            Self::Condition => "condition",
            Self::Assign => "assign",
            Self::AddTag => "add_tag",
            Self::RemoveTag => "remove_tag",
            Self::MoveStage => "move_stage",
            Self::AddNote => "add_note",
            Self::CallDestination => "call_destination",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl Step {
    /// A step that sends a message.
    #[must_use]
    pub const fn message(delay_minutes: i64, message: Message) -> Self {
        Self { delay_minutes, act: Act::Message(message) }
    }

    /// What kind it is.
    #[must_use]
    pub const fn kind(&self) -> StepKind {
        match self.act {
            Act::Message(_) => StepKind::Message,
            Act::Wait => StepKind::Wait,
            Act::AwaitReply { .. } => StepKind::WaitForReply,
            Act::Condition { .. } => StepKind::Condition,
            Act::Assign(_) => StepKind::Assign,
            Act::AddTag(_) => StepKind::AddTag,
            Act::RemoveTag(_) => StepKind::RemoveTag,
            Act::MoveStage { .. } => StepKind::MoveStage,
            Act::AddNote(_) => StepKind::AddNote,
            Act::CallDestination(_) => StepKind::CallDestination,
        }
    }

    /// The message that it sends.
    #[must_use]
    pub const fn sent(&self) -> Option<&Message> {
        match &self.act {
            Act::Message(message) => Some(message),
            _ => None,
        }
    }

    /// Whether anybody would see that it was done: neither waiting nor asking is seen.
    #[must_use]
    pub const fn has_effect(&self) -> bool {
        !matches!(self.act, Act::Wait | Act::AwaitReply { .. } | Act::Condition { .. })
    }

    /// What speaks against it, as far as it can be told without looking anything up: the field and why.
    pub(super) fn faults(&self) -> Vec<(&'static str, String)> {
        let mut faults = Vec::new();
        let mut fault = |field: &'static str, message: &str| faults.push((field, message.to_owned()));
        let is_within = (0..=DELAY_MAX_MINUTES).contains(&self.delay_minutes);
        if !is_within {
            fault("delayMinutes", &format!("must be 0 to {DELAY_MAX_MINUTES} minutes"));
        }
        match &self.act {
            Act::Message(message) => {
                if message.fallback_channel == Some(message.channel) {
                    fault("fallbackChannel", "must be another channel than the step's own");
                }
                if message.fallback_channel.is_none() && message.fallback_template_id.is_some() {
                    fault("fallbackTemplateId", "needs a fallback channel");
                }
            }
            Act::Wait | Act::AwaitReply { .. } => {
                if is_within && self.delay_minutes == 0 {
                    fault("delayMinutes", "must be at least one minute: this step waits");
                }
            }
            Act::AddTag(tag) | Act::RemoveTag(tag) => {
                if !is_line(tag, TAG_MAX_CHARS) {
                    fault("tag", &format!("has 1 to {TAG_MAX_CHARS} characters"));
                }
            }
            Act::MoveStage { reason, .. } => {
                if reason.as_ref().is_some_and(|reason| !is_line(reason, REASON_MAX_CHARS)) {
                    fault("reason", &format!("has 1 to {REASON_MAX_CHARS} characters"));
                }
            }
            Act::AddNote(note) => {
                let length = note.trim().chars().count();
                if !(1..=NOTE_MAX_CHARS).contains(&length) || note.contains('\0') {
                    fault("note", &format!("has 1 to {NOTE_MAX_CHARS} characters"));
                }
            }
            Act::Condition { .. } | Act::Assign(_) | Act::CallDestination(_) => {}
        }
        faults
    }
}

/// Whether a text is one line that says something.
pub(super) fn is_line(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
}

/// A step as it is written down: its kind, and the fields that this kind has. Without a kind it is a message, as every
/// step once was.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(missing_docs, reason = "the fields of Act under their own names")]
pub struct WrittenStep {
    #[serde(skip_serializing_if = "is_message")]
    pub kind: StepKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<MessageChannel>,
    pub delay_minutes: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_id: Option<MessageTemplateId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_channel: Option<MessageChannel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fallback_template_id: Option<MessageTemplateId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_reply: Option<Then>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_timeout: Option<Then>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<Otherwise>,
    /// Nobody where the assignment rules choose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_id: Option<StageId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination_id: Option<DestinationId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it in so")]
fn is_message(kind: &StepKind) -> bool {
    *kind == StepKind::Message
}

/// A field of a written step that is missing, or that its kind does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {message}")]
pub struct StepFault {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub message: &'static str,
}

impl WrittenStep {
    fn act(&self) -> Result<Act, StepFault> {
        fn needed<T: Clone>(field: &'static str, value: Option<&T>) -> Result<T, StepFault> {
            value.cloned().ok_or(StepFault { field, message: "is required" })
        }
        let text = |field, value: &Option<String>| needed(field, value.as_ref()).map(|text| text.trim().to_owned());
        Ok(match self.kind {
            StepKind::Message => Act::Message(Message {
                channel: needed("channel", self.channel.as_ref())?,
                template_id: needed("templateId", self.template_id.as_ref())?,
                fallback_channel: self.fallback_channel,
                fallback_template_id: self.fallback_template_id,
            }),
            StepKind::Wait => Act::Wait,
            StepKind::WaitForReply => Act::AwaitReply {
                on_reply: self.on_reply.unwrap_or(Then::End),
                on_timeout: self.on_timeout.unwrap_or(Then::GoOn),
            },
            StepKind::Condition => Act::Condition {
                filter: needed("filter", self.filter.as_ref())?,
                otherwise: self.otherwise.unwrap_or(Otherwise::End),
            },
            StepKind::Assign => Act::Assign(self.assigned_to.map_or(Assignee::Rules, Assignee::User)),
            StepKind::AddTag => Act::AddTag(text("tag", &self.tag)?),
            StepKind::RemoveTag => Act::RemoveTag(text("tag", &self.tag)?),
            StepKind::MoveStage => Act::MoveStage {
                stage_id: needed("stageId", self.stage_id.as_ref())?,
                reason: self.reason.as_deref().map(|reason| reason.trim().to_owned()),
            },
            StepKind::AddNote => Act::AddNote(text("note", &self.note)?),
            StepKind::CallDestination => Act::CallDestination(needed("destinationId", self.destination_id.as_ref())?),
        })
    }

    /// Which fields it has.
    fn said(&self) -> [(&'static str, bool); 14] {
        [
            ("channel", self.channel.is_some()),
            ("templateId", self.template_id.is_some()),
            ("fallbackChannel", self.fallback_channel.is_some()),
            ("fallbackTemplateId", self.fallback_template_id.is_some()),
            ("onReply", self.on_reply.is_some()),
            ("onTimeout", self.on_timeout.is_some()),
            ("filter", self.filter.is_some()),
            ("otherwise", self.otherwise.is_some()),
            ("assignedTo", self.assigned_to.is_some()),
            ("tag", self.tag.is_some()),
            ("stageId", self.stage_id.is_some()),
            ("reason", self.reason.is_some()),
            ("note", self.note.is_some()),
            ("destinationId", self.destination_id.is_some()),
        ]
    }
}

impl TryFrom<WrittenStep> for Step {
    type Error = StepFault;

    fn try_from(written: WrittenStep) -> Result<Self, StepFault> {
        let step = Self { delay_minutes: written.delay_minutes, act: written.act()? };
        let own = WrittenStep::from(step.clone());
        let strange = written.said().into_iter().zip(own.said()).find(|((_, said), (_, has))| *said && !has);
        match strange {
            Some(((field, _), _)) => Err(StepFault { field, message: "is no field of this kind of step" }),
            None => Ok(step),
        }
    }
}

impl From<Step> for WrittenStep {
    fn from(step: Step) -> Self {
        let written = Self { kind: step.kind(), delay_minutes: step.delay_minutes, ..Self::default() };
        match step.act {
            Act::Message(message) => Self {
                channel: Some(message.channel),
                template_id: Some(message.template_id),
                fallback_channel: message.fallback_channel,
                fallback_template_id: message.fallback_template_id,
                ..written
            },
            Act::Wait => written,
            Act::AwaitReply { on_reply, on_timeout } => {
                Self { on_reply: Some(on_reply), on_timeout: Some(on_timeout), ..written }
            }
            Act::Condition { filter, otherwise } => {
                Self { filter: Some(filter), otherwise: Some(otherwise), ..written }
            }
            Act::Assign(Assignee::Rules) => written,
            Act::Assign(Assignee::User(user)) => Self { assigned_to: Some(user), ..written },
            Act::AddTag(tag) | Act::RemoveTag(tag) => Self { tag: Some(tag), ..written },
            Act::MoveStage { stage_id, reason } => Self { stage_id: Some(stage_id), reason, ..written },
            Act::AddNote(note) => Self { note: Some(note), ..written },
            Act::CallDestination(destination) => Self { destination_id: Some(destination), ..written },
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    const ID: &str = "00000000-0000-0000-0000-000000000001";

    #[rstest]
    #[case(json!({"channel": "sms", "delayMinutes": 5, "templateId": ID}))]
    #[case(json!({"channel": "sms", "delayMinutes": 0, "templateId": ID, "fallbackChannel": "email",
        "fallbackTemplateId": ID}))]
    #[case(json!({"kind": "wait", "delayMinutes": 60}))]
    #[case(json!({"kind": "wait_for_reply", "delayMinutes": 60, "onReply": "end", "onTimeout": "go_on"}))]
    #[case(json!({"kind": "condition", "delayMinutes": 0, "filter": {"all": []}, "otherwise": "skip_next"}))]
    #[case(json!({"kind": "assign", "delayMinutes": 0}))]
    #[case(json!({"kind": "assign", "delayMinutes": 0, "assignedTo": ID}))]
    #[case(json!({"kind": "add_tag", "delayMinutes": 0, "tag": "hot"}))]
    #[case(json!({"kind": "remove_tag", "delayMinutes": 0, "tag": "hot"}))]
    #[case(json!({"kind": "move_stage", "delayMinutes": 0, "stageId": ID, "reason": "Too dear"}))]
    #[case(json!({"kind": "add_note", "delayMinutes": 0, "note": "Call them"}))]
    #[case(json!({"kind": "call_destination", "delayMinutes": 0, "destinationId": ID}))]
    fn each_kind_is_written_as_it_is_read(#[case] json: Value) {
        let step: Step = serde_json::from_value(json.clone()).expect("a step");

        assert_eq!(serde_json::to_value(&step).expect("JSON"), json);
        assert_eq!(step.faults(), []);
    }

    #[rstest]
    #[case(json!({"delayMinutes": 0, "templateId": ID}), "channel is required")]
    #[case(json!({"channel": "sms"}), "templateId is required")]
    #[case(json!({"kind": "add_tag"}), "tag is required")]
    #[case(json!({"kind": "wait", "tag": "hot"}), "tag is no field of this kind of step")]
    #[case(json!({"kind": "message", "channel": "sms", "templateId": ID, "note": "x"}), "note is no field of this kind of step")]
    fn a_field_that_is_missing_or_strange_is_named(#[case] json: Value, #[case] expected: &str) {
        let error = serde_json::from_value::<Step>(json).expect_err("no step");

        assert_eq!(error.to_string(), expected);
    }

    #[rstest]
    #[case(json!({"kind": "wait"}), "delayMinutes")]
    #[case(json!({"kind": "wait_for_reply", "delayMinutes": 0}), "delayMinutes")]
    #[case(json!({"kind": "wait", "delayMinutes": 43_201}), "delayMinutes")]
    #[case(json!({"kind": "add_tag", "tag": "  "}), "tag")]
    #[case(json!({"kind": "add_tag", "tag": "a\u{0}b"}), "tag")]
    #[case(json!({"kind": "add_note", "note": "a\u{0}b"}), "note")]
    #[case(json!({"kind": "move_stage", "stageId": ID, "reason": ""}), "reason")]
    fn what_cannot_be_so_is_pointed_at(#[case] json: Value, #[case] expected: &str) {
        let step: Step = serde_json::from_value(json).expect("a step");

        assert_eq!(step.faults().into_iter().map(|(field, _)| field).collect::<Vec<_>>(), [expected]);
    }

    #[test]
    fn kinds_read_back() {
        for kind in StepKind::ALL {
            assert_eq!(StepKind::parse(kind.as_str()), Some(kind));
        }
    }
}
