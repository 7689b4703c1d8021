//! What an automation is, as it is written and shown.

use leadline_domain::{
    automations::{Exit, Otherwise, QuietHours, Step, StepFault, StepKind, Then, Trigger, WrittenStep},
    ids::{DestinationId, MessageTemplateId, SegmentId, SourceId, StageId, UserId},
    messaging::MessageChannel,
};
use leadline_engine::automations::definitions::AutomationEdit;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    error::{ApiError, ApiResult, Code},
    extract::present,
};

/// By which kind of channel a step goes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum StepChannel {
    Whatsapp,
    Sms,
    Email,
}

impl From<StepChannel> for MessageChannel {
    fn from(channel: StepChannel) -> Self {
        match channel {
            StepChannel::Whatsapp => Self::Whatsapp,
            StepChannel::Sms => Self::Sms,
            StepChannel::Email => Self::Email,
        }
    }
}

impl From<MessageChannel> for StepChannel {
    fn from(channel: MessageChannel) -> Self {
        match channel {
            MessageChannel::Whatsapp => Self::Whatsapp,
            MessageChannel::Sms => Self::Sms,
            MessageChannel::Email => Self::Email,
        }
    }
}

/// What kind of step one is.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum StepKindName {
    /// Sends a message: `channel`, `templateId`, and perhaps a fallback.
    #[default]
    Message,
    /// Waits for `delayMinutes`.
    Wait,
    /// Waits until the person writes, for `delayMinutes` at most: `onReply`, `onTimeout`.
    WaitForReply,
    /// Goes on only with leads that meet `filter`; `otherwise` says what follows with others.
    Condition,
    /// Gives the lead to `assignedTo`, or to whoever the assignment rules choose.
    Assign,
    /// Gives the lead a `tag`.
    AddTag,
    /// Takes a `tag` from the lead.
    RemoveTag,
    /// Puts the lead into the stage `stageId`, perhaps for a `reason`.
    MoveStage,
    /// Writes a `note` on the lead.
    AddNote,
    /// Tells the destination `destinationId` of the lead.
    CallDestination,
}

impl From<StepKind> for StepKindName {
    fn from(kind: StepKind) -> Self {
        match kind {
            StepKind::Message => Self::Message,
            StepKind::Wait => Self::Wait,
            StepKind::WaitForReply => Self::WaitForReply,
            StepKind::Condition => Self::Condition,
            StepKind::Assign => Self::Assign,
            StepKind::AddTag => Self::AddTag,
            StepKind::RemoveTag => Self::RemoveTag,
            StepKind::MoveStage => Self::MoveStage,
            StepKind::AddNote => Self::AddNote,
            StepKind::CallDestination => Self::CallDestination,
        }
    }
}

impl From<StepKindName> for StepKind {
    fn from(kind: StepKindName) -> Self {
        match kind {
            StepKindName::Message => Self::Message,
            StepKindName::Wait => Self::Wait,
            StepKindName::WaitForReply => Self::WaitForReply,
            StepKindName::Condition => Self::Condition,
            StepKindName::Assign => Self::Assign,
            StepKindName::AddTag => Self::AddTag,
            StepKindName::RemoveTag => Self::RemoveTag,
            StepKindName::MoveStage => Self::MoveStage,
            StepKindName::AddNote => Self::AddNote,
            StepKindName::CallDestination => Self::CallDestination,
        }
    }
}

/// How a run goes on after waiting for a reply.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ThenName {
    /// With the next step.
    GoOn,
    /// Not at all.
    End,
}

impl From<Then> for ThenName {
    fn from(then: Then) -> Self {
        match then {
            Then::GoOn => Self::GoOn,
            Then::End => Self::End,
        }
    }
}

impl From<ThenName> for Then {
    fn from(then: ThenName) -> Self {
        match then {
            ThenName::GoOn => Self::GoOn,
            ThenName::End => Self::End,
        }
    }
}

/// How a run goes on with a lead that does not meet the conditions of a step.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum OtherwiseName {
    /// Not at all.
    End,
    /// With the step after the next one.
    SkipNext,
}

impl From<Otherwise> for OtherwiseName {
    fn from(otherwise: Otherwise) -> Self {
        match otherwise {
            Otherwise::End => Self::End,
            Otherwise::SkipNext => Self::SkipNext,
        }
    }
}

impl From<OtherwiseName> for Otherwise {
    fn from(otherwise: OtherwiseName) -> Self {
        match otherwise {
            OtherwiseName::End => Self::End,
            OtherwiseName::SkipNext => Self::SkipNext,
        }
    }
}

/// A step of an automation. Which fields it has follows from its kind; the others are left out.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StepView {
    /// A message, where nothing is said.
    #[serde(default)]
    kind: StepKindName,
    /// Of a message: by which kind of channel it goes.
    #[serde(default)]
    channel: Option<StepChannel>,
    /// Minutes to wait after the step before, up to 43,200. The screen offers 0, 5, 15, 30, 60, 120 and 1,440.
    #[serde(default)]
    delay_minutes: i64,
    /// Of a message: a template for the channel.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    /// Of a message: what is tried where the channel fails or cannot be used.
    #[serde(default)]
    fallback_channel: Option<StepChannel>,
    /// Of a message: what is said there; the same text where nothing is chosen.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    fallback_template_id: Option<MessageTemplateId>,
    /// Of waiting for a reply: what follows once the person wrote; the end where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_reply: Option<ThenName>,
    /// Of waiting for a reply: what follows once the time is over; the next step where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    on_timeout: Option<ThenName>,
    /// Of a condition: a tree of conditions, as the list of leads takes it. `me` is nobody in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
    /// Of a condition: what follows where the lead does not meet it; the end where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    otherwise: Option<OtherwiseName>,
    /// Of assigning: to whom; left to the assignment rules where nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    assigned_to: Option<UserId>,
    /// Of adding and removing a tag: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tag: Option<String>,
    /// Of moving: into which stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    /// Of moving: why the lead is won or lost, where the stage asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of a note: what it says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// Of telling a destination: which.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    destination_id: Option<DestinationId>,
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        let written = WrittenStep::from(step);
        Self {
            kind: written.kind.into(),
            channel: written.channel.map(StepChannel::from),
            delay_minutes: written.delay_minutes,
            template_id: written.template_id,
            fallback_channel: written.fallback_channel.map(StepChannel::from),
            fallback_template_id: written.fallback_template_id,
            on_reply: written.on_reply.map(ThenName::from),
            on_timeout: written.on_timeout.map(ThenName::from),
            filter: written.filter.and_then(|filter| filter.as_object().cloned()),
            otherwise: written.otherwise.map(OtherwiseName::from),
            assigned_to: written.assigned_to,
            tag: written.tag,
            stage_id: written.stage_id,
            reason: written.reason,
            note: written.note,
            destination_id: written.destination_id,
        }
    }
}

impl StepView {
    fn read(self) -> Result<Step, StepFault> {
        Step::try_from(WrittenStep {
            kind: self.kind.into(),
            channel: self.channel.map(MessageChannel::from),
            delay_minutes: self.delay_minutes,
            template_id: self.template_id,
            fallback_channel: self.fallback_channel.map(MessageChannel::from),
            fallback_template_id: self.fallback_template_id,
            on_reply: self.on_reply.map(Then::from),
            on_timeout: self.on_timeout.map(Then::from),
            filter: self.filter.map(Value::Object),
            otherwise: self.otherwise.map(Otherwise::from),
            assigned_to: self.assigned_to,
            tag: self.tag,
            stage_id: self.stage_id,
            reason: self.reason,
            note: self.note,
            destination_id: self.destination_id,
        })
    }
}

/// Steps as they are meant, or what is wrong with how they are written, each at its place.
fn read_steps(steps: Vec<StepView>) -> ApiResult<Vec<Step>> {
    let mut read = Vec::with_capacity(steps.len());
    let mut wrong: Option<ApiError> = None;
    for (index, step) in steps.into_iter().enumerate() {
        match step.read() {
            Ok(step) => read.push(step),
            Err(fault) => {
                let error = wrong.take().unwrap_or_else(|| ApiError::new(Code::InvalidFields));
                wrong = Some(error.and_field(format!("/steps/{index}/{}", fault.field), fault.message));
            }
        }
    }
    wrong.map_or(Ok(read), Err)
}

/// Hours of the day in which nothing is sent, as minutes after midnight. They may go over midnight.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct QuietHoursView {
    /// When they begin.
    #[schema(example = 1260, maximum = 1439)]
    from_minute: u16,
    /// When they end.
    #[schema(example = 480, maximum = 1439)]
    until_minute: u16,
}

impl From<QuietHours> for QuietHoursView {
    fn from(quiet: QuietHours) -> Self {
        Self { from_minute: quiet.from_minute, until_minute: quiet.until_minute }
    }
}

impl From<QuietHoursView> for QuietHours {
    fn from(quiet: QuietHoursView) -> Self {
        Self { from_minute: quiet.from_minute, until_minute: quiet.until_minute }
    }
}

/// What starts an automation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(super) enum TriggerEvent {
    /// A lead arrives, new or known.
    #[serde(rename = "lead.arrived")]
    Arrived,
    /// A lead arrives that was not known.
    #[serde(rename = "lead.created")]
    Created,
    /// A lead comes back after a silence.
    #[serde(rename = "lead.re_engaged")]
    ReEngaged,
    /// A lead comes into a stage.
    #[serde(rename = "lead.stage_changed")]
    StageChanged,
    /// A lead is given a tag.
    #[serde(rename = "lead.tag_added")]
    TagAdded,
    /// A lead's score reaches a number from below.
    #[serde(rename = "lead.score_crossed")]
    ScoreCrossed,
    /// A lead comes into a segment that is followed on timelines.
    #[serde(rename = "lead.segment_entered")]
    SegmentEntered,
    /// A lead is in such a segment no more.
    #[serde(rename = "lead.segment_left")]
    SegmentLeft,
    /// A message comes in.
    #[serde(rename = "message.received")]
    MessageReceived,
}

/// What starts an automation. The source of an arrival stands in `webhookSourceId`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct TriggerView {
    event: TriggerEvent,
    /// With `lead.stage_changed`: the stage.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    /// With `lead.tag_added`: the tag; with `message.received`: a tag of the conversation, or none for any.
    #[serde(default)]
    tag: Option<String>,
    /// With `lead.score_crossed`: the number, 1 to 100.
    #[serde(default)]
    score: Option<i64>,
    /// With `lead.segment_entered` and `lead.segment_left`: the segment.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
}

impl From<Trigger> for TriggerView {
    fn from(trigger: Trigger) -> Self {
        let plain = |event| Self { event, stage_id: None, tag: None, score: None, segment_id: None };
        match trigger {
            Trigger::Arrived { .. } => plain(TriggerEvent::Arrived),
            Trigger::Created { .. } => plain(TriggerEvent::Created),
            Trigger::ReEngaged { .. } => plain(TriggerEvent::ReEngaged),
            Trigger::StageChanged { stage_id } => {
                Self { stage_id: Some(stage_id), ..plain(TriggerEvent::StageChanged) }
            }
            Trigger::TagAdded { tag } => Self { tag: Some(tag), ..plain(TriggerEvent::TagAdded) },
            Trigger::ScoreCrossed { score } => Self { score: Some(score), ..plain(TriggerEvent::ScoreCrossed) },
            Trigger::SegmentEntered { segment_id } => {
                Self { segment_id: Some(segment_id), ..plain(TriggerEvent::SegmentEntered) }
            }
            Trigger::SegmentLeft { segment_id } => {
                Self { segment_id: Some(segment_id), ..plain(TriggerEvent::SegmentLeft) }
            }
            Trigger::MessageReceived { tag } => Self { tag, ..plain(TriggerEvent::MessageReceived) },
        }
    }
}

impl TriggerView {
    fn read(self, source_id: Option<SourceId>) -> ApiResult<Trigger> {
        let needed = |field: &str| ApiError::field(format!("/trigger/{field}"), "is required");
        Ok(match self.event {
            TriggerEvent::Arrived => Trigger::Arrived { source_id },
            TriggerEvent::Created => Trigger::Created { source_id },
            TriggerEvent::ReEngaged => Trigger::ReEngaged { source_id },
            TriggerEvent::StageChanged => {
                Trigger::StageChanged { stage_id: self.stage_id.ok_or_else(|| needed("stageId"))? }
            }
            TriggerEvent::TagAdded => {
                let tag = self.tag.ok_or_else(|| needed("tag"))?;
                Trigger::TagAdded { tag: tag.trim().to_owned() }
            }
            TriggerEvent::ScoreCrossed => Trigger::ScoreCrossed { score: self.score.ok_or_else(|| needed("score"))? },
            TriggerEvent::SegmentEntered => {
                Trigger::SegmentEntered { segment_id: self.segment_id.ok_or_else(|| needed("segmentId"))? }
            }
            TriggerEvent::SegmentLeft => {
                Trigger::SegmentLeft { segment_id: self.segment_id.ok_or_else(|| needed("segmentId"))? }
            }
            TriggerEvent::MessageReceived => {
                let tag = self.tag.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty());
                Trigger::MessageReceived { tag }
            }
        })
    }
}

/// What ends a run before its last step.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum ExitName {
    /// The person wrote.
    Replied,
    /// The lead became a customer.
    Converted,
    /// The lead was won or lost.
    Closed,
    /// The person does not want messages any more; the run ends when its next step is due.
    Unsubscribed,
    /// The lead left a stage: `exitStageId`, or any.
    StageLeft,
}

impl From<Exit> for ExitName {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Replied => Self::Replied,
            Exit::Converted => Self::Converted,
            Exit::Closed => Self::Closed,
            Exit::Unsubscribed => Self::Unsubscribed,
            Exit::StageLeft => Self::StageLeft,
        }
    }
}

impl From<ExitName> for Exit {
    fn from(exit: ExitName) -> Self {
        match exit {
            ExitName::Replied => Self::Replied,
            ExitName::Converted => Self::Converted,
            ExitName::Closed => Self::Closed,
            ExitName::Unsubscribed => Self::Unsubscribed,
            ExitName::StageLeft => Self::StageLeft,
        }
    }
}

/// An automation that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewAutomation {
    /// 1 to 80 characters.
    name: String,
    description: Option<String>,
    /// The source whose leads start it. May be left out where a `trigger` is given: then any source does.
    #[schema(value_type = Option<Uuid>)]
    webhook_source_id: Option<SourceId>,
    /// What starts it: a lead that arrives, where nothing is said.
    trigger: Option<TriggerView>,
    /// For which leads it starts: a tree of conditions, as the list of leads takes it. `me` is nobody in it.
    #[schema(value_type = Option<Object>)]
    condition: Option<Map<String, Value>>,
    /// 1 to 20, from top to bottom.
    steps: Vec<StepView>,
    /// For how many minutes the same phone or e-mail does not start it again, up to 43,200; 5 where nothing is said.
    safety_lock_minutes: Option<i64>,
    quiet_hours: Option<QuietHoursView>,
    #[serde(default)]
    exit_on: Vec<ExitName>,
    /// With `stage_left`: which stage; any where nothing is said.
    #[schema(value_type = Option<Uuid>)]
    exit_stage_id: Option<StageId>,
    /// Whether it is switched on, as it is where nothing is said.
    is_active: Option<bool>,
}

impl NewAutomation {
    pub(super) fn edit(self) -> ApiResult<AutomationEdit> {
        let trigger = match self.trigger {
            Some(trigger) => trigger.read(self.webhook_source_id)?,
            None if self.webhook_source_id.is_none() => {
                return Err(ApiError::field("/webhookSourceId", "is required, or a trigger"));
            }
            None => Trigger::Arrived { source_id: self.webhook_source_id },
        };
        Ok(AutomationEdit {
            name: Some(self.name),
            description: Some(self.description),
            trigger: Some(trigger),
            condition: Some(self.condition.map(Value::Object)),
            steps: Some(read_steps(self.steps)?),
            safety_lock_minutes: self.safety_lock_minutes,
            quiet_hours: Some(self.quiet_hours.map(QuietHours::from)),
            exit_on: Some(self.exit_on.into_iter().map(Exit::from).collect()),
            exit_stage_id: Some(self.exit_stage_id),
            is_active: self.is_active,
            version: None,
        })
    }
}

/// What is to change about an automation; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct AutomationPatch {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    webhook_source_id: Option<Option<SourceId>>,
    trigger: Option<TriggerView>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    condition: Option<Option<Map<String, Value>>>,
    steps: Option<Vec<StepView>>,
    safety_lock_minutes: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<QuietHoursView>)]
    quiet_hours: Option<Option<QuietHoursView>>,
    exit_on: Option<Vec<ExitName>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    exit_stage_id: Option<Option<StageId>>,
    is_active: Option<bool>,
    /// The version that the change goes by; where it is not the latest, nothing is changed.
    version: Option<i64>,
}

impl AutomationPatch {
    /// What changes, where `before` is what started it so far.
    pub(super) fn edit(self, before: &Trigger) -> ApiResult<AutomationEdit> {
        let source = self.webhook_source_id.unwrap_or_else(|| before.source_id());
        let trigger = match self.trigger {
            Some(trigger) => Some(trigger.read(source)?),
            None if self.webhook_source_id.is_some() => Some(TriggerView::from(before.clone()).read(source)?),
            None => None,
        };
        Ok(AutomationEdit {
            name: self.name,
            description: self.description,
            trigger,
            condition: self.condition.map(|condition| condition.map(Value::Object)),
            steps: self.steps.map(read_steps).transpose()?,
            safety_lock_minutes: self.safety_lock_minutes,
            quiet_hours: self.quiet_hours.map(|quiet| quiet.map(QuietHours::from)),
            exit_on: self.exit_on.map(|exits| exits.into_iter().map(Exit::from).collect()),
            exit_stage_id: self.exit_stage_id,
            is_active: self.is_active,
            version: self.version,
        })
    }
}
