//! Writing campaigns: making, changing, copying and deleting them, and what speaks against starting one.

use std::collections::{BTreeMap, BTreeSet};

use leadline_domain::{
    automations::QuietHours,
    campaigns::{
        Audience, Content, MAPPINGS_MAX, Mapping, PER_MINUTE_MAX, Plan, State, TEST_MAX_MINUTES, Test, Tracking,
        moment_of,
    },
    ids::{AudienceId, CampaignId, ChannelId, LeadId, MessageTemplateId},
    messaging::{Approval, MessageChannel, variables},
    silence::timezone,
    templates::Form,
    time::Timestamp,
};
use leadline_store::{
    Tx, audiences,
    campaigns::{self as stored, CAMPAIGNS_MAX, Campaign},
    channels, message_templates, segments,
};
use serde_json::{Value, json};

use super::{CampaignError, Wrong, tell};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
    random_bytes,
};

const NAME_MAX_CHARS: usize = 120;
const SUBJECT_MAX_CHARS: usize = 250;
const TEXT_MAX_CHARS: usize = 500;

/// Leads of one request.
pub const LEADS_MAX: usize = 10_000;

/// To whom somebody wants a campaign to go.
#[derive(Debug, Clone)]
pub enum Chosen {
    /// What can be named.
    Named(Audience),
    /// These leads, of which an audience is made.
    Leads(Vec<LeadId>),
}

/// When somebody wants a campaign to start: by a clock on a wall, in a timezone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// `2026-01-05T09:30`.
    pub at: String,
    /// `Europe/Berlin`.
    pub timezone: String,
}

/// What somebody wants a campaign to be; what is absent stays as it is.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Campaign, Content and Plan under their own names")]
pub struct Wish {
    pub name: Option<String>,
    pub channel: Option<MessageChannel>,
    pub channel_id: Option<Option<ChannelId>>,
    pub template_id: Option<Option<MessageTemplateId>>,
    pub audience: Option<Option<Chosen>>,
    pub subjects: Option<Vec<String>>,
    pub variables: Option<BTreeMap<String, Mapping>>,
    pub tracking: Option<Tracking>,
    pub per_minute: Option<i64>,
    pub quiet_hours: Option<Option<QuietHours>>,
    pub test: Option<Option<Test>>,
    pub start: Option<Option<Start>>,
    /// Which version the change goes by, where it goes by one.
    pub version: Option<i64>,
}

/// Makes a draft.
///
/// # Errors
/// Where something about it cannot be so, there are too many, or the store fails.
pub async fn create(engine: &Engine, actor: &Actor, wish: Wish) -> Result<CampaignId, CampaignError> {
    insert(engine, actor, blank(engine, actor), wish).await
}

/// A draft of which nothing is said yet.
fn blank(engine: &Engine, actor: &Actor) -> Campaign {
    let now = engine.clock.now();
    Campaign {
        id: CampaignId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        name: String::new(),
        state: State::Draft,
        channel: MessageChannel::Email,
        channel_id: None,
        template_id: None,
        audience: None,
        content: Content { subjects: Vec::new(), variables: BTreeMap::new(), tracking: Tracking::USUAL },
        plan: Plan::default(),
        starts_at: None,
        next_at: None,
        next_slot_at: Timestamp(0),
        gathered: None,
        recipient_count: 0,
        asked_count: 0,
        skipped_count: 0,
        decide_at: None,
        winner: None,
        error: None,
        version: 0,
        made_by: actor.name.clone(),
        copied_from: None,
        started_at: None,
        finished_at: None,
        created_at: now,
        updated_at: now,
    }
}

async fn insert(engine: &Engine, actor: &Actor, draft: Campaign, wish: Wish) -> Result<CampaignId, CampaignError> {
    let leads = chosen_leads(&wish)?;
    let mut campaign = changed(engine, actor, draft, wish).await?;
    let mut tx = engine.store.begin().await?;
    if stored::count(&mut tx, actor.workspace).await? >= CAMPAIGNS_MAX {
        return Err(CampaignError::Conflict(format!("a workspace has at most {CAMPAIGNS_MAX} campaigns")));
    }
    make_audience(&mut tx, actor, &mut campaign, leads).await?;
    stored::write(&mut tx, &campaign).await?;
    let deed = Deed::new("campaign.created", campaign.id, &campaign.name);
    audit::record(&mut tx, campaign.updated_at, actor, deed).await?;
    tx.commit().await?;
    Ok(campaign.id)
}

/// Changes a campaign that has not started.
///
/// # Errors
/// Where it is not there, has started, cannot be so, or was changed since.
pub async fn update(engine: &Engine, actor: &Actor, id: CampaignId, wish: Wish) -> Result<(), CampaignError> {
    let found = stored::find(&engine.store.reader(), actor.workspace, id).await?.ok_or(CampaignError::NotFound)?;
    if wish.version.is_some_and(|version| version != found.version) {
        return Err(CampaignError::Stale);
    }
    let (version, before) = (found.version, compared(&found));
    let leads = chosen_leads(&wish)?;
    let mut campaign = changed(engine, actor, found, wish).await?;
    let mut tx = engine.store.begin().await?;
    let standing = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(CampaignError::NotFound)?;
    if !standing.state.is_open() {
        return Err(CampaignError::Conflict("the campaign has started; make a copy to change it".to_owned()));
    }
    if standing.version != version || standing.state != campaign.state {
        return Err(CampaignError::Stale);
    }
    make_audience(&mut tx, actor, &mut campaign, leads).await?;
    if campaign.state == State::Scheduled {
        check_whole(&campaign)?;
    }
    stored::write(&mut tx, &campaign).await?;
    let deed = Deed::new("campaign.updated", id, &campaign.name).with(audit::changed(&before, &compared(&campaign)));
    audit::record(&mut tx, campaign.updated_at, actor, deed).await?;
    tell(engine, &mut tx, &campaign, "campaign.updated").await?;
    Ok(tx.commit().await?)
}

fn compared(campaign: &Campaign) -> Value {
    json!({
        "name": campaign.name, "channel": campaign.channel, "templateId": campaign.template_id,
        "audience": campaign.audience, "content": campaign.content, "plan": campaign.plan,
        "startsAt": campaign.starts_at,
    })
}

/// Copies a campaign as a draft: to the same people, or to those who did not answer it.
///
/// # Errors
/// Where it is not there, went to nobody yet, or the store fails.
pub async fn copy(
    engine: &Engine,
    actor: &Actor,
    id: CampaignId,
    is_follow_up: bool,
) -> Result<CampaignId, CampaignError> {
    let found = stored::find(&engine.store.reader(), actor.workspace, id).await?.ok_or(CampaignError::NotFound)?;
    if is_follow_up && found.state != State::Finished {
        return Err(CampaignError::Conflict("only a finished campaign can be followed up".to_owned()));
    }
    let (audience, ending) = match is_follow_up {
        true => (Some(Audience::Unanswered { campaign_id: id }), "follow-up"),
        false => (found.audience, "copy"),
    };
    let room = NAME_MAX_CHARS - ending.len() - 3;
    let name: String = found.name.chars().take(room).collect();
    let draft = Campaign {
        name: format!("{name} ({ending})"),
        channel: found.channel,
        channel_id: found.channel_id,
        template_id: found.template_id,
        audience,
        content: found.content,
        plan: found.plan,
        copied_from: Some(id),
        ..blank(engine, actor)
    };
    insert(engine, actor, draft, Wish::default()).await
}

/// Deletes a campaign that is not under way. Its messages stay.
///
/// # Errors
/// Where it is not there, is under way, or the store fails.
pub async fn delete(engine: &Engine, actor: &Actor, id: CampaignId) -> Result<(), CampaignError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let campaign = stored::lock(&mut tx, actor.workspace, id).await?.ok_or(CampaignError::NotFound)?;
    if matches!(campaign.state, State::Running | State::Paused) {
        return Err(CampaignError::Conflict("the campaign is under way; cancel it first".to_owned()));
    }
    stored::delete(&mut tx, actor.workspace, id, now).await?;
    audit::record(&mut tx, now, actor, Deed::new("campaign.deleted", id, &campaign.name)).await?;
    tell(engine, &mut tx, &campaign, "campaign.deleted").await?;
    Ok(tx.commit().await?)
}

/// A campaign with what somebody wants, where nothing speaks against it. What is still missing may be missing.
async fn changed(
    engine: &Engine,
    actor: &Actor,
    mut campaign: Campaign,
    wish: Wish,
) -> Result<Campaign, CampaignError> {
    let mut wrongs = Vec::new();
    let is_new_audience = wish.audience.is_some();
    apply(&mut campaign, &wish, &mut wrongs);
    campaign.updated_at = engine.clock.now();
    campaign.version += 1;
    check_words(&campaign, &mut wrongs);
    check_plan(&campaign, &mut wrongs);
    check_named(engine, actor, &campaign, is_new_audience, &mut wrongs).await?;
    if !wrongs.is_empty() {
        return Err(CampaignError::Invalid(wrongs));
    }
    Ok(campaign)
}

fn apply(campaign: &mut Campaign, wish: &Wish, wrongs: &mut Vec<Wrong>) {
    if let Some(name) = &wish.name {
        name.trim().clone_into(&mut campaign.name);
    }
    if let Some(channel) = wish.channel {
        campaign.channel = channel;
    }
    if let Some(channel) = wish.channel_id {
        campaign.channel_id = channel;
    }
    if let Some(template) = wish.template_id {
        campaign.template_id = template;
    }
    match &wish.audience {
        Some(None) => campaign.audience = None,
        Some(Some(Chosen::Named(audience))) => campaign.audience = Some(*audience),
        Some(Some(Chosen::Leads(_))) | None => {}
    }
    if let Some(subjects) = &wish.subjects {
        campaign.content.subjects = subjects.iter().map(|subject| subject.trim().to_owned()).collect();
    }
    if let Some(variables) = &wish.variables {
        campaign.content.variables.clone_from(variables);
    }
    if let Some(tracking) = wish.tracking {
        campaign.content.tracking = tracking;
    }
    if let Some(pace) = wish.per_minute {
        campaign.plan.per_minute = pace;
    }
    if let Some(quiet) = wish.quiet_hours {
        campaign.plan.quiet_hours = quiet;
    }
    if let Some(test) = wish.test {
        campaign.plan.test = test;
    }
    match &wish.start {
        Some(Some(start)) => match timezone(&start.timezone).map(|zone| moment_of(&start.at, zone)) {
            Some(Some(at)) => {
                campaign.starts_at = Some(at);
                campaign.plan.timezone = Some(start.timezone.clone());
            }
            Some(None) => wrongs.push(Wrong::new("/start/at", "must be a time such as 2026-01-05T09:30")),
            None => wrongs.push(Wrong::new("/start/timezone", "must be a timezone such as Europe/Berlin")),
        },
        Some(None) => {
            campaign.starts_at = None;
            campaign.plan.timezone = None;
        }
        None => {}
    }
    if campaign.state == State::Scheduled {
        campaign.next_at = campaign.starts_at;
    }
}

fn is_line(text: &str, most: usize) -> bool {
    let length = text.chars().count();
    (1..=most).contains(&length) && !text.contains(char::is_control)
}

fn check_words(campaign: &Campaign, wrongs: &mut Vec<Wrong>) {
    if !is_line(&campaign.name, NAME_MAX_CHARS) {
        wrongs.push(Wrong::new("/name", format!("must have 1 to {NAME_MAX_CHARS} characters in one line")));
    }
    let subjects = &campaign.content.subjects;
    if subjects.len() > 2 {
        wrongs.push(Wrong::new("/subjects", "must be two at most"));
    }
    if !subjects.is_empty() && campaign.channel != MessageChannel::Email {
        wrongs.push(Wrong::new("/subjects", "are for e-mail alone"));
    }
    for (index, subject) in subjects.iter().enumerate() {
        let pointer = format!("/subjects/{index}");
        if !is_line(subject, SUBJECT_MAX_CHARS) {
            wrongs.push(Wrong::new(pointer, format!("must have 1 to {SUBJECT_MAX_CHARS} characters in one line")));
        } else if let Err(error) = variables::parse(subject, Form::Text) {
            wrongs.push(Wrong::new(pointer, error.to_string()));
        }
    }
    let variables = &campaign.content.variables;
    if variables.len() > MAPPINGS_MAX {
        wrongs.push(Wrong::new("/variables", format!("must be {MAPPINGS_MAX} at most")));
    }
    for (name, mapping) in variables {
        let pointer = format!("/variables/{}", name.replace('~', "~0").replace('/', "~1"));
        if !is_good_name(name) || name == variables::UNSUBSCRIBE {
            wrongs.push(Wrong::new(&pointer, "is no variable that can be chosen"));
        }
        if mapping.field.as_deref().is_some_and(|field| !is_good_name(field)) {
            wrongs.push(Wrong::new(format!("{pointer}/field"), "is no variable"));
        }
        let is_long = |text: &Option<String>| {
            text.as_deref().is_some_and(|text| text.chars().count() > TEXT_MAX_CHARS || text.contains('\0'))
        };
        if is_long(&mapping.text) || is_long(&mapping.fallback) {
            wrongs.push(Wrong::new(pointer, format!("must have at most {TEXT_MAX_CHARS} characters")));
        }
    }
}

fn is_good_name(name: &str) -> bool {
    is_line(name, NAME_MAX_CHARS) && variables::is_variable(name)
}

fn check_plan(campaign: &Campaign, wrongs: &mut Vec<Wrong>) {
    let plan = &campaign.plan;
    if !(0..=PER_MINUTE_MAX).contains(&plan.per_minute) {
        wrongs.push(Wrong::new("/perMinute", format!("must be 0 to {PER_MINUTE_MAX}")));
    }
    if plan.quiet_hours.is_some_and(|quiet| !quiet.are_good()) {
        wrongs.push(Wrong::new("/quietHours", "must begin and end at two different minutes of a day"));
    }
    let Some(test) = plan.test else {
        if campaign.content.subjects.len() > 1 {
            wrongs.push(Wrong::new("/test", "is needed where there are two subjects"));
        }
        return;
    };
    if campaign.content.subjects.len() != 2 {
        wrongs.push(Wrong::new("/subjects", "must be two where one of them is to win"));
    }
    if !(2..=100).contains(&test.percent) {
        wrongs.push(Wrong::new("/test/percent", "must be 2 to 100"));
    }
    if !(1..=TEST_MAX_MINUTES).contains(&test.after_minutes) {
        wrongs.push(Wrong::new("/test/afterMinutes", format!("must be 1 to {TEST_MAX_MINUTES}")));
    }
}

/// Whether what a campaign names is there.
async fn check_named(
    engine: &Engine,
    actor: &Actor,
    campaign: &Campaign,
    is_new_audience: bool,
    wrongs: &mut Vec<Wrong>,
) -> Result<(), CampaignError> {
    let reader = engine.store.reader();
    if let Some(id) = campaign.channel_id {
        let found = channels::find(&reader, actor.workspace, id).await?;
        match found {
            None => wrongs.push(Wrong::new("/channelId", "is no channel of this workspace")),
            Some(channel) if !channel.provider.carries().contains(&campaign.channel) => {
                wrongs.push(Wrong::new("/channelId", "does not carry such messages"));
            }
            Some(_) => {}
        }
    }
    if let Some(id) = campaign.template_id {
        match message_templates::find(&reader, actor.workspace, id).await? {
            None => wrongs.push(Wrong::new("/templateId", "is no template of this workspace")),
            Some(template) if template.channel != campaign.channel => {
                let (has, wants) = (template.channel.label(), campaign.channel.label());
                wrongs.push(Wrong::new("/templateId", format!("is a template for {has}, and the channel is {wants}")));
            }
            Some(template) if template.approval != Approval::Approved => {
                wrongs.push(Wrong::new("/templateId", "is not approved"));
            }
            Some(_) => {}
        }
    }
    if !is_new_audience {
        return Ok(());
    }
    let is_there = match campaign.audience {
        None => true,
        Some(Audience::Audience { audience_id }) => {
            audiences::find(&reader, actor.workspace, audience_id).await?.is_some()
        }
        Some(Audience::Segment { segment_id }) => segments::find(&reader, actor.workspace, segment_id).await?.is_some(),
        Some(Audience::Unanswered { campaign_id }) => {
            stored::find(&reader, actor.workspace, campaign_id).await?.is_some()
        }
    };
    if !is_there {
        wrongs.push(Wrong::new("/audience", "is not there"));
    }
    Ok(())
}

async fn make_audience(
    tx: &mut Tx,
    actor: &Actor,
    campaign: &mut Campaign,
    leads: Option<BTreeSet<LeadId>>,
) -> Result<(), CampaignError> {
    let Some(leads) = leads else { return Ok(()) };
    let now = campaign.updated_at;
    let mut audience = audiences::Audience {
        id: AudienceId::new(now, random_bytes()),
        workspace_id: actor.workspace,
        name: campaign.name.clone(),
        made_by: actor.name.clone(),
        member_count: 0,
        created_at: now,
    };
    let leads: Vec<LeadId> = leads.into_iter().collect();
    audience.member_count = audiences::insert(tx, &audience, &leads).await?;
    if audience.member_count == 0 {
        return Err(wrong_leads("names no lead of this workspace".to_owned()));
    }
    audit::record(tx, now, actor, Deed::new("audience.created", audience.id, &audience.name)).await?;
    campaign.audience = Some(Audience::Audience { audience_id: audience.id });
    Ok(())
}

/// The leads that somebody names, each once.
fn chosen_leads(wish: &Wish) -> Result<Option<BTreeSet<LeadId>>, CampaignError> {
    let Some(Some(Chosen::Leads(leads))) = &wish.audience else { return Ok(None) };
    if leads.is_empty() || leads.len() > LEADS_MAX {
        return Err(wrong_leads(format!("must name 1 to {LEADS_MAX} leads")));
    }
    Ok(Some(leads.iter().copied().collect()))
}

fn wrong_leads(message: String) -> CampaignError {
    CampaignError::Invalid(vec![Wrong::new("/audience/leadIds", message)])
}

/// What is missing before a campaign can start.
pub(super) fn check_whole(campaign: &Campaign) -> Result<(), CampaignError> {
    let mut wrongs = Vec::new();
    if campaign.audience.is_none() {
        wrongs.push(Wrong::new("/audience", "is needed before it can start"));
    }
    if campaign.template_id.is_none() {
        wrongs.push(Wrong::new("/templateId", "is needed before it can start"));
    }
    if wrongs.is_empty() { Ok(()) } else { Err(CampaignError::Invalid(wrongs)) }
}
