//! What starts an automation, and what ends a run before its last step.

use serde::{Deserialize, Serialize};

use super::{definition::TAG_MAX_CHARS, step::is_line};
use crate::ids::{SegmentId, SourceId, StageId};

/// What an automation waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all_fields = "camelCase")]
pub enum Trigger {
    /// A lead arrives: whoever it is, by this source or by any.
    #[serde(rename = "lead.arrived")]
    Arrived {
        /// The source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source_id: Option<SourceId>,
    },
    /// A lead arrives that was not known before.
    #[serde(rename = "lead.created")]
    Created {
        /// The source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source_id: Option<SourceId>,
    },
    /// A lead comes back after a silence.
    #[serde(rename = "lead.re_engaged")]
    ReEngaged {
        /// The source.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source_id: Option<SourceId>,
    },
    /// A lead comes into a stage.
    #[serde(rename = "lead.stage_changed")]
    StageChanged {
        /// Which.
        stage_id: StageId,
    },
    /// A lead is given a tag.
    #[serde(rename = "lead.tag_added")]
    TagAdded {
        /// Which.
        tag: String,
    },
    /// A lead's score reaches a number from below.
    #[serde(rename = "lead.score_crossed")]
    ScoreCrossed {
        /// Which, 1 to 100.
        score: i64,
    },
    /// A lead comes into a segment.
    #[serde(rename = "lead.segment_entered")]
    SegmentEntered {
        /// Which.
        segment_id: SegmentId,
    },
    /// A lead is in a segment no more.
    #[serde(rename = "lead.segment_left")]
    SegmentLeft {
        /// Which.
        segment_id: SegmentId,
    },
    /// A message comes in, in a conversation that carries a tag where one is named.
    #[serde(rename = "message.received")]
    MessageReceived {
        /// Which tag.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tag: Option<String>,
    },
}

/// Something that happened to a lead, as far as triggers look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// A submission made the lead.
    Created(Option<SourceId>),
    /// A submission joined the lead.
    Resubmitted(Option<SourceId>),
    /// A submission joined the lead after a silence.
    ReEngaged(Option<SourceId>),
    /// It came into a stage.
    Stage(StageId),
    /// It was given tags.
    Tags(Vec<String>),
    /// Its score was one number and is another.
    Score {
        /// What it was.
        from: i64,
        /// What it is.
        to: i64,
    },
    /// It came into a segment.
    Entered(SegmentId),
    /// It is in a segment no more.
    Left(SegmentId),
    /// Its person wrote in a conversation with these tags.
    Message(Vec<String>),
}

impl Trigger {
    /// Whether this is what it waits for.
    #[must_use]
    pub fn fits(&self, happening: &Happening) -> bool {
        let by = |wanted: &Option<SourceId>, source: &Option<SourceId>| wanted.is_none() || wanted == source;
        match (self, happening) {
            (
                Self::Arrived { source_id },
                Happening::Created(source) | Happening::Resubmitted(source) | Happening::ReEngaged(source),
            )
            | (Self::Created { source_id }, Happening::Created(source))
            | (Self::ReEngaged { source_id }, Happening::ReEngaged(source)) => by(source_id, source),
            (Self::StageChanged { stage_id }, Happening::Stage(stage)) => stage_id == stage,
            (Self::TagAdded { tag }, Happening::Tags(tags)) => tags.contains(tag),
            (Self::ScoreCrossed { score }, Happening::Score { from, to }) => from < score && score <= to,
            (Self::SegmentEntered { segment_id }, Happening::Entered(segment))
            | (Self::SegmentLeft { segment_id }, Happening::Left(segment)) => segment_id == segment,
            (Self::MessageReceived { tag }, Happening::Message(tags)) => {
                tag.as_ref().is_none_or(|tag| tags.contains(tag))
            }
            (
                Self::Arrived { .. }
                | Self::Created { .. }
                | Self::ReEngaged { .. }
                | Self::StageChanged { .. }
                | Self::TagAdded { .. }
                | Self::ScoreCrossed { .. }
                | Self::SegmentEntered { .. }
                | Self::SegmentLeft { .. }
                | Self::MessageReceived { .. },
                _,
            ) => false,
        }
    }

    /// The source that it names, where it names one.
    #[must_use]
    pub fn source_id(&self) -> Option<SourceId> {
        match self {
            Self::Arrived { source_id } | Self::Created { source_id } | Self::ReEngaged { source_id } => *source_id,
            Self::StageChanged { .. }
            | Self::TagAdded { .. }
            | Self::ScoreCrossed { .. }
            | Self::SegmentEntered { .. }
            | Self::SegmentLeft { .. }
            | Self::MessageReceived { .. } => None,
        }
    }

    /// The segment that it names, where it names one.
    #[must_use]
    pub fn segment_id(&self) -> Option<SegmentId> {
        match self {
            Self::SegmentEntered { segment_id } | Self::SegmentLeft { segment_id } => Some(*segment_id),
            Self::Arrived { .. }
            | Self::Created { .. }
            | Self::ReEngaged { .. }
            | Self::StageChanged { .. }
            | Self::TagAdded { .. }
            | Self::ScoreCrossed { .. }
            | Self::MessageReceived { .. } => None,
        }
    }

    /// What cannot be so about it: the field and why.
    pub(super) fn fault(&self) -> Option<(&'static str, &'static str)> {
        let is_tag = |tag: &str| is_line(tag, TAG_MAX_CHARS);
        match self {
            Self::TagAdded { tag } if !is_tag(tag) => Some(("tag", "has 1 to 60 characters")),
            Self::MessageReceived { tag: Some(tag) } if !is_tag(tag) => Some(("tag", "has 1 to 60 characters")),
            Self::ScoreCrossed { score } if !(1..=100).contains(score) => Some(("score", "must be 1 to 100")),
            Self::Arrived { .. }
            | Self::Created { .. }
            | Self::ReEngaged { .. }
            | Self::StageChanged { .. }
            | Self::TagAdded { .. }
            | Self::ScoreCrossed { .. }
            | Self::SegmentEntered { .. }
            | Self::SegmentLeft { .. }
            | Self::MessageReceived { .. } => None,
        }
    }
}

/// What ends a run before its last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exit {
    /// The person wrote.
    Replied,
    /// The lead became a customer.
    Converted,
    /// The lead was won or lost.
    Closed,
    /// The person does not want messages any more.
    Unsubscribed,
    /// The lead left a stage: the one that the definition names, or any.
    StageLeft,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Replied, Self::Converted, Self::Closed, Self::Unsubscribed, Self::StageLeft];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replied => "replied",
            Self::Converted => "converted",
            Self::Closed => "closed",
            Self::Unsubscribed => "unsubscribed",
            Self::StageLeft => "stage_left",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|exit| exit.as_str() == name)
    }

    /// How a run says it.
    #[must_use]
    pub const fn reason(self) -> super::Reason {
        match self {
            Self::Replied => super::Reason::Replied,
            Self::Converted => super::Reason::Converted,
            Self::Closed => super::Reason::Closed,
            Self::Unsubscribed => super::Reason::Unsubscribed,
            Self::StageLeft => super::Reason::StageLeft,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    const HOOK: Option<SourceId> = Some(SourceId(Uuid::from_u128(1)));
    const FORM: Option<SourceId> = Some(SourceId(Uuid::from_u128(2)));
    const WON: StageId = StageId(Uuid::from_u128(3));
    const LOST: StageId = StageId(Uuid::from_u128(4));
    const HOT: SegmentId = SegmentId(Uuid::from_u128(5));

    fn tags(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|tag| (*tag).to_owned()).collect()
    }

    #[rstest]
    #[case::by_its_hook(Trigger::Arrived { source_id: HOOK }, Happening::Created(HOOK), true)]
    #[case::again_by_its_hook(Trigger::Arrived { source_id: HOOK }, Happening::Resubmitted(HOOK), true)]
    #[case::back_by_its_hook(Trigger::Arrived { source_id: HOOK }, Happening::ReEngaged(HOOK), true)]
    #[case::by_another(Trigger::Arrived { source_id: HOOK }, Happening::Created(FORM), false)]
    #[case::by_hand(Trigger::Arrived { source_id: HOOK }, Happening::Created(None), false)]
    #[case::by_any(Trigger::Arrived { source_id: None }, Happening::Created(None), true)]
    #[case::new(Trigger::Created { source_id: None }, Happening::Created(FORM), true)]
    #[case::not_new(Trigger::Created { source_id: None }, Happening::Resubmitted(FORM), false)]
    #[case::back(Trigger::ReEngaged { source_id: FORM }, Happening::ReEngaged(FORM), true)]
    #[case::soon_again(Trigger::ReEngaged { source_id: FORM }, Happening::Resubmitted(FORM), false)]
    #[case::won(Trigger::StageChanged { stage_id: WON }, Happening::Stage(WON), true)]
    #[case::lost(Trigger::StageChanged { stage_id: WON }, Happening::Stage(LOST), false)]
    #[case::tagged(Trigger::TagAdded { tag: "hot".into() }, Happening::Tags(tags(&["vip", "hot"])), true)]
    #[case::tagged_otherwise(Trigger::TagAdded { tag: "hot".into() }, Happening::Tags(tags(&["vip"])), false)]
    #[case::crossed(Trigger::ScoreCrossed { score: 60 }, Happening::Score { from: 59, to: 60 }, true)]
    #[case::was_there(Trigger::ScoreCrossed { score: 60 }, Happening::Score { from: 60, to: 90 }, false)]
    #[case::fell(Trigger::ScoreCrossed { score: 60 }, Happening::Score { from: 90, to: 60 }, false)]
    #[case::wrote(Trigger::MessageReceived { tag: None }, Happening::Message(vec![]), true)]
    #[case::wrote_there(
        Trigger::MessageReceived { tag: Some("lead-widget".into()) }, Happening::Message(tags(&["lead-widget"])), true
    )]
    #[case::wrote_elsewhere(
        Trigger::MessageReceived { tag: Some("lead-widget".into()) }, Happening::Message(vec![]), false
    )]
    #[case::entered(Trigger::SegmentEntered { segment_id: HOT }, Happening::Entered(HOT), true)]
    #[case::left(Trigger::SegmentEntered { segment_id: HOT }, Happening::Left(HOT), false)]
    #[case::left_it(Trigger::SegmentLeft { segment_id: HOT }, Happening::Left(HOT), true)]
    #[case::something_else(Trigger::Created { source_id: None }, Happening::Stage(WON), false)]
    fn a_trigger_hears_what_it_waits_for(
        #[case] trigger: Trigger,
        #[case] happening: Happening,
        #[case] expected: bool,
    ) {
        assert_eq!(trigger.fits(&happening), expected);
    }
}
