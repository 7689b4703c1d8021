//! Starting, pausing, going on and ending.

use leadline_domain::{
    campaigns::State,
    ids::CampaignId,
    messaging::{self, Approval, Candidate},
};
use leadline_store::{
    Tx,
    campaigns::{self as stored, Campaign, recipients},
    channels, message_templates,
};

use super::{CampaignError, Wrong, drafts, gathering, tell};
use crate::{
    Actor, Engine,
    audit::{self, Deed},
};

/// Starts a campaign: at once, or when its time has come.
///
/// # Errors
/// Where it is not there, started before, lacks something, or the store fails.
pub async fn start(engine: &Engine, actor: &Actor, id: CampaignId) -> Result<(), CampaignError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut campaign = find(&mut tx, actor, id).await?;
    if campaign.state != State::Draft {
        return Err(conflict("has been started already"));
    }
    drafts::check_whole(&campaign)?;
    check_ways(engine, &campaign).await?;
    let deed = match campaign.starts_at.filter(|at| *at > now) {
        Some(at) => {
            campaign.state = State::Scheduled;
            campaign.next_at = Some(at);
            "campaign.scheduled"
        }
        None => {
            begin(&mut campaign, engine);
            "campaign.started"
        }
    };
    finish(engine, tx, actor, campaign, deed).await
}

/// It goes out from now on. Who gets it is written down first.
pub(super) fn begin(campaign: &mut Campaign, engine: &Engine) {
    let now = engine.clock.now();
    campaign.state = State::Running;
    campaign.started_at = Some(now);
    campaign.next_at = Some(now);
    campaign.gathered = Some(gathering::beginning());
}

/// Whether the workspace has a channel for it, and its template may be used.
async fn check_ways(engine: &Engine, campaign: &Campaign) -> Result<(), CampaignError> {
    let reader = engine.store.reader();
    let channels = channels::list(&reader, campaign.workspace_id).await?;
    let candidates: Vec<_> =
        channels.iter().map(|one| Candidate { id: one.id, provider: one.provider, is_active: one.is_active }).collect();
    let is_there = match campaign.channel_id {
        Some(id) => channels.iter().any(|channel| channel.id == id && channel.is_active),
        None => messaging::choose(campaign.channel, &candidates).is_some(),
    };
    let mut wrongs = Vec::new();
    if !is_there {
        let label = campaign.channel.label();
        wrongs.push(Wrong::new("/channelId", format!("no channel for {label} is set up and switched on")));
    }
    let template = match campaign.template_id {
        Some(id) => message_templates::find(&reader, campaign.workspace_id, id).await?,
        None => None,
    };
    if template.is_none_or(|template| template.approval != Approval::Approved) {
        wrongs.push(Wrong::new("/templateId", "was deleted, or is not approved"));
    }
    if wrongs.is_empty() { Ok(()) } else { Err(CampaignError::Invalid(wrongs)) }
}

/// Stops a campaign for a while: what waits for its turn is taken back, and what is under way arrives. One that has not
/// begun is a draft again.
///
/// # Errors
/// Where it is not there or not under way, or the store fails.
pub async fn pause(engine: &Engine, actor: &Actor, id: CampaignId) -> Result<(), CampaignError> {
    let mut tx = engine.store.begin().await?;
    let mut campaign = find(&mut tx, actor, id).await?;
    match campaign.state {
        State::Scheduled => campaign.state = State::Draft,
        State::Running => {
            hold(engine, &mut tx, &mut campaign).await?;
            campaign.state = State::Paused;
        }
        State::Draft | State::Paused | State::Finished | State::Cancelled => return Err(conflict("is not under way")),
    }
    campaign.next_at = None;
    finish(engine, tx, actor, campaign, "campaign.paused").await
}

/// Takes back what nobody has begun to send.
pub(super) async fn hold(engine: &Engine, tx: &mut Tx, campaign: &mut Campaign) -> Result<(), leadline_store::Error> {
    campaign.asked_count -= recipients::take_back(tx, campaign.id, engine.clock.now()).await?;
    Ok(())
}

/// Goes on with a campaign that was stopped.
///
/// # Errors
/// Where it is not there or was not stopped, or the store fails.
pub async fn resume(engine: &Engine, actor: &Actor, id: CampaignId) -> Result<(), CampaignError> {
    let mut tx = engine.store.begin().await?;
    let mut campaign = find(&mut tx, actor, id).await?;
    if campaign.state != State::Paused {
        return Err(conflict("was not paused"));
    }
    check_ways(engine, &campaign).await?;
    campaign.state = State::Running;
    campaign.error = None;
    campaign.next_at = Some(engine.clock.now());
    finish(engine, tx, actor, campaign, "campaign.resumed").await
}

/// Ends a campaign for good. Who has not got it will not.
///
/// # Errors
/// Where it is not there or over, or the store fails.
pub async fn cancel(engine: &Engine, actor: &Actor, id: CampaignId) -> Result<(), CampaignError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let mut campaign = find(&mut tx, actor, id).await?;
    match campaign.state {
        State::Scheduled | State::Running | State::Paused => {}
        State::Draft => return Err(conflict("has not been started; delete it")),
        State::Finished | State::Cancelled => return Err(conflict("is over")),
    }
    hold(engine, &mut tx, &mut campaign).await?;
    campaign.state = State::Cancelled;
    campaign.gathered = None;
    campaign.finished_at = Some(now);
    // Those who wait are given up a few at a time.
    campaign.next_at = Some(now);
    finish(engine, tx, actor, campaign, "campaign.cancelled").await
}

fn conflict(what: &str) -> CampaignError {
    CampaignError::Conflict(format!("the campaign {what}"))
}

async fn find(tx: &mut Tx, actor: &Actor, id: CampaignId) -> Result<Campaign, CampaignError> {
    stored::lock(tx, actor.workspace, id).await?.ok_or(CampaignError::NotFound)
}

async fn finish(
    engine: &Engine,
    mut tx: Tx,
    actor: &Actor,
    mut campaign: Campaign,
    action: &'static str,
) -> Result<(), CampaignError> {
    campaign.updated_at = engine.clock.now();
    campaign.version += 1;
    stored::write(&mut tx, &campaign).await?;
    audit::record(&mut tx, campaign.updated_at, actor, Deed::new(action, campaign.id, &campaign.name)).await?;
    tell(engine, &mut tx, &campaign, action).await?;
    tx.commit().await?;
    engine.wake.campaigns.notify_one();
    Ok(())
}
