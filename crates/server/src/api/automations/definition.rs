//! What an automation is, as it is written and shown.

use leadline_domain::{
    automations::{Exit, QuietHours, Step, Trigger},
    ids::{MessageTemplateId, SourceId, StageId},
    messaging::MessageChannel,
};
use leadline_engine::automations::definitions::AutomationEdit;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    error::{ApiError, ApiResult},
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

/// One message of an automation.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct StepView {
    channel: StepChannel,
    /// Minutes to wait after the step before, up to 43,200. The screen offers 0, 5, 15, 30, 60, 120 and 1,440.
    #[serde(default)]
    delay_minutes: i64,
    /// A template for the channel.
    #[schema(value_type = Uuid)]
    template_id: MessageTemplateId,
    /// What is tried where the channel fails or cannot be used.
    #[serde(default)]
    fallback_channel: Option<StepChannel>,
    /// What is said there; the same text where nothing is chosen.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    fallback_template_id: Option<MessageTemplateId>,
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        Self {
            channel: step.channel.into(),
            delay_minutes: step.delay_minutes,
            template_id: step.template_id,
            fallback_channel: step.fallback_channel.map(StepChannel::from),
            fallback_template_id: step.fallback_template_id,
        }
    }
}

impl From<StepView> for Step {
    fn from(step: StepView) -> Self {
        Self {
            channel: step.channel.into(),
            delay_minutes: step.delay_minutes,
            template_id: step.template_id,
            fallback_channel: step.fallback_channel.map(MessageChannel::from),
            fallback_template_id: step.fallback_template_id,
        }
    }
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
}

impl From<Trigger> for TriggerView {
    fn from(trigger: Trigger) -> Self {
        let plain = |event| Self { event, stage_id: None, tag: None, score: None };
        match trigger {
            Trigger::Arrived { .. } => plain(TriggerEvent::Arrived),
            Trigger::Created { .. } => plain(TriggerEvent::Created),
            Trigger::ReEngaged { .. } => plain(TriggerEvent::ReEngaged),
            Trigger::StageChanged { stage_id } => {
                Self { stage_id: Some(stage_id), ..plain(TriggerEvent::StageChanged) }
            }
            Trigger::TagAdded { tag } => Self { tag: Some(tag), ..plain(TriggerEvent::TagAdded) },
            Trigger::ScoreCrossed { score } => Self { score: Some(score), ..plain(TriggerEvent::ScoreCrossed) },
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
            TriggerEvent::MessageReceived => {
                let tag = self.tag.map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty());
                Trigger::MessageReceived { tag }
            }
        })
    }
}

/// What ends a run before its last step.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ExitName {
    /// The person wrote.
    Replied,
    /// The lead became a customer.
    Converted,
    /// The lead was won or lost.
    Closed,
}

impl From<Exit> for ExitName {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Replied => Self::Replied,
            Exit::Converted => Self::Converted,
            Exit::Closed => Self::Closed,
        }
    }
}

impl From<ExitName> for Exit {
    fn from(exit: ExitName) -> Self {
        match exit {
            ExitName::Replied => Self::Replied,
            ExitName::Converted => Self::Converted,
            ExitName::Closed => Self::Closed,
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
    /// 1 to 20, from top to bottom.
    steps: Vec<StepView>,
    /// For how many minutes the same phone or e-mail does not start it again, up to 43,200; 5 where nothing is said.
    safety_lock_minutes: Option<i64>,
    quiet_hours: Option<QuietHoursView>,
    #[serde(default)]
    exit_on: Vec<ExitName>,
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
            steps: Some(self.steps.into_iter().map(Step::from).collect()),
            safety_lock_minutes: self.safety_lock_minutes,
            quiet_hours: Some(self.quiet_hours.map(QuietHours::from)),
            exit_on: Some(self.exit_on.into_iter().map(Exit::from).collect()),
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
    steps: Option<Vec<StepView>>,
    safety_lock_minutes: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<QuietHoursView>)]
    quiet_hours: Option<Option<QuietHoursView>>,
    exit_on: Option<Vec<ExitName>>,
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
            steps: self.steps.map(|steps| steps.into_iter().map(Step::from).collect()),
            safety_lock_minutes: self.safety_lock_minutes,
            quiet_hours: self.quiet_hours.map(|quiet| quiet.map(QuietHours::from)),
            exit_on: self.exit_on.map(|exits| exits.into_iter().map(Exit::from).collect()),
            is_active: self.is_active,
            version: self.version,
        })
    }
}
