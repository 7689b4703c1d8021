//! What a campaign is, as it is written.

use std::collections::{BTreeMap, HashMap};

use leadline_domain::{
    automations::QuietHours,
    campaigns::{Audience, Mapping, Metric, Test, Tracking},
    ids::{AudienceId, CampaignId, ChannelId, LeadId, MessageTemplateId, SegmentId},
    messaging::MessageChannel,
};
use leadline_engine::{
    Actor,
    campaigns::drafts::{Chosen, Start, Wish},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    api::leads::filter::{FilterReading, of_segment},
    app::App,
    error::{ApiError, ApiResult},
    extract::present,
};

/// By which kind of channel a campaign goes.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum ChannelName {
    Whatsapp,
    Sms,
    Email,
}

impl From<ChannelName> for MessageChannel {
    fn from(name: ChannelName) -> Self {
        match name {
            ChannelName::Whatsapp => Self::Whatsapp,
            ChannelName::Sms => Self::Sms,
            ChannelName::Email => Self::Email,
        }
    }
}

impl From<MessageChannel> for ChannelName {
    fn from(channel: MessageChannel) -> Self {
        match channel {
            MessageChannel::Whatsapp => Self::Whatsapp,
            MessageChannel::Sms => Self::Sms,
            MessageChannel::Email => Self::Email,
        }
    }
}

/// To whom a campaign goes: one of these.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CampaignAudienceRequest {
    /// Leads that somebody chose.
    #[schema(value_type = Option<Uuid>)]
    audience_id: Option<AudienceId>,
    /// Whoever is in a segment when it starts.
    #[schema(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    /// Those who got this campaign and did not answer.
    #[schema(value_type = Option<Uuid>)]
    unanswered_campaign_id: Option<CampaignId>,
    /// These leads, at most 10,000; an audience is made of them.
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 10_000)]
    lead_ids: Option<Vec<LeadId>>,
}

impl CampaignAudienceRequest {
    async fn chosen(self, app: &App, actor: &Actor) -> ApiResult<Chosen> {
        match (self.audience_id, self.segment_id, self.unanswered_campaign_id, self.lead_ids) {
            (Some(audience_id), None, None, None) => Ok(Chosen::Named(Audience::Audience { audience_id })),
            (None, Some(segment_id), None, None) => {
                // Who may not see what a segment asks for must not write to those who are in it either.
                let reading = FilterReading::load(app, actor).await?;
                let seen = of_segment(&app.reader, &reading, actor, segment_id).await;
                seen.map_err(|_| ApiError::field("/audience/segmentId", "is not a segment here"))?;
                Ok(Chosen::Named(Audience::Segment { segment_id }))
            }
            (None, None, Some(campaign_id), None) => Ok(Chosen::Named(Audience::Unanswered { campaign_id })),
            (None, None, None, Some(leads)) => Ok(Chosen::Leads(leads)),
            _ => Err(ApiError::field("/audience", "must name one of them and not more")),
        }
    }
}

/// What stands in place of a template's placeholder.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignVariable {
    /// The value of this variable, such as `company` or `customFields.budget`.
    field: Option<String>,
    /// These words, in place of any value.
    text: Option<String>,
    /// These words where there is no value.
    fallback: Option<String>,
}

impl From<CampaignVariable> for Mapping {
    fn from(of: CampaignVariable) -> Self {
        Self { field: of.field, text: of.text, fallback: of.fallback }
    }
}

impl From<Mapping> for CampaignVariable {
    fn from(of: Mapping) -> Self {
        Self { field: of.field, text: of.text, fallback: of.fallback }
    }
}

/// What is written down of who looks at a letter.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CampaignTracking {
    /// Whether a picture tells that it was opened.
    opens: bool,
    /// Whether the links of the page tell that they were followed.
    clicks: bool,
    /// Whether those of the text do as well.
    #[serde(default)]
    text_links: bool,
}

impl From<CampaignTracking> for Tracking {
    fn from(of: CampaignTracking) -> Self {
        Self { opens: of.opens, clicks: of.clicks, text_links: of.text_links }
    }
}

impl From<Tracking> for CampaignTracking {
    fn from(of: Tracking) -> Self {
        Self { opens: of.opens, clicks: of.clicks, text_links: of.text_links }
    }
}

/// Hours of the day in which nothing goes out, as minutes after midnight, by the clock of whoever would get it.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CampaignQuiet {
    /// When they begin.
    #[schema(example = 1260, maximum = 1439)]
    from_minute: u16,
    /// When they end.
    #[schema(example = 480, maximum = 1439)]
    until_minute: u16,
}

impl From<CampaignQuiet> for QuietHours {
    fn from(of: CampaignQuiet) -> Self {
        Self { from_minute: of.from_minute, until_minute: of.until_minute }
    }
}

impl From<QuietHours> for CampaignQuiet {
    fn from(of: QuietHours) -> Self {
        Self { from_minute: of.from_minute, until_minute: of.until_minute }
    }
}

/// What makes a subject the better one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum CampaignMetric {
    /// How many people opened.
    Opens,
    /// How many people clicked.
    Clicks,
}

/// Two subjects are tried with some, and the better one goes to the rest.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CampaignTest {
    /// How many of a hundred recipients it is tried with, half of them each subject.
    #[schema(minimum = 2, maximum = 100, example = 20)]
    percent: i64,
    metric: CampaignMetric,
    /// When it is decided, counted from the first message.
    #[schema(minimum = 1, maximum = 10080, example = 120)]
    after_minutes: i64,
}

impl From<CampaignTest> for Test {
    fn from(of: CampaignTest) -> Self {
        let metric = match of.metric {
            CampaignMetric::Opens => Metric::Opens,
            CampaignMetric::Clicks => Metric::Clicks,
        };
        Self { percent: of.percent, metric, after_minutes: of.after_minutes }
    }
}

impl From<Test> for CampaignTest {
    fn from(of: Test) -> Self {
        let metric = match of.metric {
            Metric::Opens => CampaignMetric::Opens,
            Metric::Clicks => CampaignMetric::Clicks,
        };
        Self { percent: of.percent, metric, after_minutes: of.after_minutes }
    }
}

/// When a campaign starts, by a clock on a wall.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CampaignStart {
    /// Without an offset: the timezone says it.
    #[schema(example = "2026-01-05T09:30")]
    at: String,
    #[schema(example = "Europe/Berlin")]
    timezone: String,
}

impl From<CampaignStart> for Start {
    fn from(of: CampaignStart) -> Self {
        Self { at: of.at, timezone: of.timezone }
    }
}

fn mappings(variables: HashMap<String, CampaignVariable>) -> BTreeMap<String, Mapping> {
    variables.into_iter().map(|(name, variable)| (name, variable.into())).collect()
}

/// A campaign that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct NewCampaign {
    /// 1 to 120 characters.
    name: String,
    channel: ChannelName,
    /// By this channel; the workspace's own choice where none is named.
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    /// Approved, and for the same kind of channel.
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    audience: Option<CampaignAudienceRequest>,
    /// Of e-mail, in place of the template's: none, one, or two to be tried.
    #[serde(default)]
    #[schema(max_items = 2)]
    subjects: Vec<String>,
    /// What stands in place of the template's placeholders, by their names.
    #[serde(default)]
    variables: HashMap<String, CampaignVariable>,
    /// Opens and clicks where nothing is said.
    tracking: Option<CampaignTracking>,
    /// At most so many a minute; 0 for as many as the channel takes.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    per_minute: i64,
    quiet_hours: Option<CampaignQuiet>,
    test: Option<CampaignTest>,
    /// At once where nothing is said.
    start: Option<CampaignStart>,
}

impl NewCampaign {
    pub(super) async fn wish(self, app: &App, actor: &Actor) -> ApiResult<Wish> {
        let audience = match self.audience {
            Some(audience) => Some(audience.chosen(app, actor).await?),
            None => None,
        };
        Ok(Wish {
            name: Some(self.name),
            channel: Some(self.channel.into()),
            channel_id: Some(self.channel_id),
            template_id: Some(self.template_id),
            audience: Some(audience),
            subjects: Some(self.subjects),
            variables: Some(mappings(self.variables)),
            tracking: Some(self.tracking.map_or(Tracking::USUAL, Tracking::from)),
            per_minute: Some(self.per_minute),
            quiet_hours: Some(self.quiet_hours.map(QuietHours::from)),
            test: Some(self.test.map(Test::from)),
            start: Some(self.start.map(Start::from)),
            version: None,
        })
    }
}

/// What is to change about a campaign; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CampaignPatch {
    name: Option<String>,
    channel: Option<ChannelName>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<Option<ChannelId>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<Option<MessageTemplateId>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<CampaignAudienceRequest>)]
    audience: Option<Option<CampaignAudienceRequest>>,
    #[schema(max_items = 2)]
    subjects: Option<Vec<String>>,
    variables: Option<HashMap<String, CampaignVariable>>,
    tracking: Option<CampaignTracking>,
    #[schema(minimum = 0, maximum = 1_000_000)]
    per_minute: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<CampaignQuiet>)]
    quiet_hours: Option<Option<CampaignQuiet>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<CampaignTest>)]
    test: Option<Option<CampaignTest>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<CampaignStart>)]
    start: Option<Option<CampaignStart>>,
    /// The version that the change goes by; where it is not the latest, nothing is changed.
    version: Option<i64>,
}

impl CampaignPatch {
    pub(super) async fn wish(self, app: &App, actor: &Actor) -> ApiResult<Wish> {
        let audience = match self.audience {
            Some(Some(audience)) => Some(Some(audience.chosen(app, actor).await?)),
            Some(None) => Some(None),
            None => None,
        };
        Ok(Wish {
            name: self.name,
            channel: self.channel.map(MessageChannel::from),
            channel_id: self.channel_id,
            template_id: self.template_id,
            audience,
            subjects: self.subjects,
            variables: self.variables.map(mappings),
            tracking: self.tracking.map(Tracking::from),
            per_minute: self.per_minute,
            quiet_hours: self.quiet_hours.map(|quiet| quiet.map(QuietHours::from)),
            test: self.test.map(|test| test.map(Test::from)),
            start: self.start.map(|start| start.map(Start::from)),
            version: self.version,
        })
    }
}
