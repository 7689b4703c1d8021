//! Asking for the messages of a campaign: those whose turn has come, as many as its pace and what is on its way allow.

use std::collections::{BTreeSet, HashMap, HashSet};

use leadline_domain::{
    automations::{Clock, zone_of},
    campaigns::{FIRST_WAVE, Metric, SECOND_WAVE, State, Tried, window, winner},
    emails::Email,
    ids::{CauseId, LeadId},
    messaging::{
        self, Candidate, Provider, rate,
        sending::{self, Facts, Skip, Template},
    },
    silence::Tz,
    time::{MINUTE_MS, Timestamp},
};
use leadline_store::{
    Error, Tx,
    automations::runs::{self, Person},
    campaigns::{
        self as stored, Campaign,
        recipients::{self, Settled, Waiting},
    },
    capture::IdentityKey,
    channels::{self, Channel},
    message_figures, message_templates,
    messages::{self, Cause, NewOutgoing},
    suppressions, workspaces,
};

use super::{feeder::LOOK_AGAIN_MS, steering, tell};
use crate::{Engine, conditions::timezone_of};

/// Messages that are asked for in one transaction.
const AT_ONCE: i64 = 500;

/// Asks for some more messages, and tells whether there was anything to do.
pub(super) async fn step(engine: &Engine, campaign: &Campaign) -> Result<bool, Error> {
    let now = engine.clock.now();
    let ways = Ways::load(engine, campaign).await?;
    let mut tx = engine.store.begin().await?;
    let found = stored::claim(&mut tx, campaign.id).await?;
    let is_due = |one: &Campaign| {
        one.state == State::Running && one.gathered.is_none() && one.next_at.is_some_and(|at| at <= now)
    };
    let Some(mut standing) = found.filter(is_due) else {
        tx.rollback().await?;
        return Ok(false);
    };
    let is_on = match ways.against() {
        Some(skip) => {
            stop(engine, &mut tx, &mut standing, skip).await?;
            false
        }
        None => feed(engine, &mut tx, &mut standing, &ways).await?,
    };
    stored::write(&mut tx, &standing).await?;
    tx.commit().await?;
    if is_on {
        engine.wake.messages.notify_one();
    }
    Ok(is_on)
}

/// By what a campaign goes out.
struct Ways {
    channel: Option<Channel>,
    template: Template,
    zone: Tz,
}

impl Ways {
    async fn load(engine: &Engine, campaign: &Campaign) -> Result<Self, Error> {
        let reader = engine.store.reader();
        let channels = channels::list(&reader, campaign.workspace_id).await?;
        let candidates: Vec<_> = channels
            .iter()
            .map(|one| Candidate { id: one.id, provider: one.provider, is_active: one.is_active })
            .collect();
        let chosen = campaign.channel_id.or_else(|| messaging::choose(campaign.channel, &candidates));
        let template = match campaign.template_id {
            Some(id) => message_templates::find(&reader, campaign.workspace_id, id).await?,
            None => None,
        };
        let workspace = workspaces::find(&reader, campaign.workspace_id).await?;
        Ok(Self {
            channel: channels.into_iter().find(|channel| Some(channel.id) == chosen),
            template: template.map_or(Template::Gone, |template| Template::There(template.approval)),
            zone: workspace.map_or(Tz::UTC, |workspace| timezone_of(&workspace.settings)),
        })
    }

    /// What speaks against every message of the campaign.
    fn against(&self) -> Option<Skip> {
        let Some(channel) = &self.channel else { return Some(Skip::NoChannel) };
        if !channel.is_active {
            return Some(Skip::ChannelInactive);
        }
        match self.template {
            Template::There(messaging::Approval::Approved) => None,
            Template::There(_) => Some(Skip::TemplateNotApproved),
            Template::Gone | Template::None => Some(Skip::TemplateGone),
        }
    }

    fn provider(&self) -> Option<(Provider, bool)> {
        self.channel.as_ref().map(|channel| (channel.provider, channel.is_active))
    }
}

/// Nobody is left out because of what can be mended: the campaign waits until somebody does.
async fn stop(engine: &Engine, tx: &mut Tx, campaign: &mut Campaign, skip: Skip) -> Result<(), Error> {
    steering::hold(engine, tx, campaign).await?;
    campaign.state = State::Paused;
    campaign.next_at = None;
    campaign.error = Some(skip.to_string());
    campaign.version += 1;
    campaign.updated_at = engine.clock.now();
    tell(engine, tx, campaign, "campaign.paused").await
}

/// Asks for what is due, and says when to look next. Tells whether anything was asked for.
async fn feed(engine: &Engine, tx: &mut Tx, campaign: &mut Campaign, ways: &Ways) -> Result<bool, Error> {
    let now = engine.clock.now();
    let open = recipients::count_open(tx, campaign.id).await?;
    let channel_pace = ways.channel.as_ref().map_or(0, |channel| channel.per_minute);
    let room = (window(campaign.plan.per_minute, channel_pace) - open).min(AT_ONCE);
    let (turns, _) = rate::take(campaign.plan.per_minute, campaign.next_slot_at, now, room);
    if turns <= 0 {
        campaign.next_at = Some(now.plus_ms(LOOK_AGAIN_MS));
        return Ok(false);
    }
    for wave in waves(campaign) {
        let due = recipients::list_due(tx, campaign.id, wave, (now, turns)).await?;
        if !due.is_empty() {
            ask(engine, tx, campaign, ways, (wave, &due)).await?;
            campaign.next_at = Some(now);
            return Ok(true);
        }
    }
    look_ahead(engine, tx, campaign, open).await
}

/// Which waves may go out: the second once it is known which subject is better.
fn waves(campaign: &Campaign) -> Vec<i64> {
    let is_undecided = campaign.plan.test.is_some() && campaign.winner.is_none();
    if is_undecided { vec![FIRST_WAVE] } else { vec![FIRST_WAVE, SECOND_WAVE] }
}

/// Nobody is due: finds out who is next, decides which subject won, or finds that all is done. Tells whether there is
/// more to do at once.
async fn look_ahead(engine: &Engine, tx: &mut Tx, campaign: &mut Campaign, open: i64) -> Result<bool, Error> {
    let now = engine.clock.now();
    let mut next = recipients::next_due(tx, campaign.id, FIRST_WAVE).await?;
    if let (Some(test), None) = (campaign.plan.test, campaign.winner) {
        // Where subjects were tried with nobody, there is nothing to wait for.
        let decide_at = campaign.decide_at.or_else(|| next.is_none().then_some(now));
        if decide_at.is_some_and(|at| at <= now) {
            campaign.winner = Some(choose_winner(tx, campaign, test.metric).await?);
            campaign.next_at = Some(now);
            tell(engine, tx, campaign, "campaign.updated").await?;
            return Ok(true);
        }
        next = next.into_iter().chain(decide_at).min();
    } else {
        next = next.into_iter().chain(recipients::next_due(tx, campaign.id, SECOND_WAVE).await?).min();
    }
    campaign.next_at = match next {
        Some(at) => Some(at.max(now.plus_ms(LOOK_AGAIN_MS))),
        None if open > 0 => Some(now.plus_ms(LOOK_AGAIN_MS)),
        None => {
            campaign.state = State::Finished;
            campaign.finished_at = Some(now);
            campaign.version += 1;
            campaign.updated_at = now;
            tell(engine, tx, campaign, "campaign.finished").await?;
            None
        }
    };
    Ok(false)
}

async fn choose_winner(tx: &mut Tx, campaign: &Campaign, metric: Metric) -> Result<i64, Error> {
    let figures = message_figures::by_step_in(tx, campaign.workspace_id, CauseId(campaign.id.0)).await?;
    let tried = |variant: i64| {
        let of = figures.iter().find(|(step, _)| *step == variant).map(|(_, figures)| *figures).unwrap_or_default();
        let reacted = match metric {
            Metric::Opens => of.human_opens,
            Metric::Clicks => of.human_clicks,
        };
        Tried { sent: of.sent, reacted }
    };
    Ok(winner(tried(0), tried(1)))
}

/// What is known of the leads of some recipients.
struct People {
    persons: HashMap<LeadId, Person>,
    suppressed: HashSet<LeadId>,
}

impl People {
    async fn load(engine: &Engine, tx: &mut Tx, campaign: &Campaign, due: &[Waiting]) -> Result<Self, Error> {
        let leads: BTreeSet<LeadId> = due.iter().map(|one| one.lead_id).collect();
        let mut persons = runs::persons(tx, &leads.into_iter().collect::<Vec<_>>()).await?;
        let merged: BTreeSet<LeadId> = persons.iter().filter_map(|person| person.merged_into).collect();
        persons.extend(runs::persons(tx, &merged.into_iter().collect::<Vec<_>>()).await?);
        let keys: Vec<(LeadId, IdentityKey)> =
            persons.iter().flat_map(|person| keys_of(engine, campaign, person)).collect();
        let asked: Vec<IdentityKey> = keys.iter().map(|(_, key)| *key).collect();
        let listed: HashSet<[u8; 16]> =
            suppressions::which_in(tx, campaign.workspace_id, &asked).await?.into_iter().map(|key| key.0).collect();
        Ok(Self {
            suppressed: keys.into_iter().filter(|(_, key)| listed.contains(&key.0)).map(|(lead, _)| lead).collect(),
            persons: persons.into_iter().map(|person| (person.id, person)).collect(),
        })
    }

    /// Who gets it; nobody where the lead is gone.
    fn person(&self, lead: LeadId) -> Option<&Person> {
        let person = self.persons.get(&lead)?;
        let person = person.merged_into.map_or(Some(person), |winner| self.persons.get(&winner))?;
        (!person.is_deleted).then_some(person)
    }
}

/// Whoever asked by one of their addresses is left in peace by the other, too.
fn keys_of(engine: &Engine, campaign: &Campaign, person: &Person) -> Vec<(LeadId, IdentityKey)> {
    let key = |kind: &str, value: &str| IdentityKey(engine.keys.identity(campaign.workspace_id.0, kind, value));
    let email = person.email.as_deref().and_then(Email::parse).map(|email| key("contact_email", &email.canonical));
    let phone = person.phone.as_deref().map(|phone| key("contact_phone", phone));
    email.into_iter().chain(phone).map(|key| (person.id, key)).collect()
}

async fn ask(
    engine: &Engine,
    tx: &mut Tx,
    campaign: &mut Campaign,
    ways: &Ways,
    (wave, due): (i64, &[Waiting]),
) -> Result<(), Error> {
    let now = engine.clock.now();
    let people = People::load(engine, tx, campaign, due).await?;
    let (mut settled, mut rows) = (Vec::with_capacity(due.len()), Vec::with_capacity(due.len()));
    let mut skipped = 0;
    for one in due {
        let variant = if wave == SECOND_WAVE { campaign.winner.unwrap_or_default() } else { one.variant };
        let waiting = Settled {
            contact_id: one.contact_id,
            variant,
            state: "waiting",
            reason: None,
            message_id: None,
            due_at: now.0,
        };
        let person = people.person(one.lead_id);
        if let Err(skip) = decide(campaign, ways, &people, person, now) {
            skipped += 1;
            settled.push(Settled { state: "skipped", reason: Some(skip.code()), ..waiting });
            continue;
        }
        let Some(person) = person else { continue };
        if let Some(end) = quiet_until(campaign, ways, person, now) {
            settled.push(Settled { due_at: end.0, ..waiting });
            continue;
        }
        let row = row(campaign, person, one, variant, now);
        settled.push(Settled { state: "asked", message_id: Some(row.id), ..waiting });
        rows.push(row);
    }
    messages::insert_outgoing(tx, &rows).await?;
    recipients::settle(tx, campaign.id, &settled, now).await?;
    let asked = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    campaign.asked_count += asked;
    campaign.skipped_count += skipped;
    (_, campaign.next_slot_at) = rate::take(campaign.plan.per_minute, campaign.next_slot_at, now, asked);
    if let (Some(test), None) = (campaign.plan.test, campaign.decide_at) {
        campaign.decide_at = Some(now.plus_ms(test.after_minutes * MINUTE_MS));
    }
    metrics::counter!("leadline_campaign_messages_total").increment(rows.len() as u64);
    Ok(())
}

/// What is known now; it is decided once more when the message is sent.
fn decide(
    campaign: &Campaign,
    ways: &Ways,
    people: &People,
    person: Option<&Person>,
    now: Timestamp,
) -> Result<(), Skip> {
    let facts = Facts {
        kind: campaign.channel,
        channel: ways.provider(),
        is_channel_deleted: false,
        has_lead: person.is_some(),
        email: person.and_then(|one| one.email.as_deref()),
        phone: person.and_then(|one| one.phone.as_deref()),
        address: None,
        is_suppressed: person.is_some_and(|one| people.suppressed.contains(&one.id)),
        template: ways.template,
        last_inbound_at: None,
        now,
    };
    sending::decide(&facts).map(drop)
}

fn quiet_until(campaign: &Campaign, ways: &Ways, person: &Person, now: Timestamp) -> Option<Timestamp> {
    let clock = Clock {
        browser: person.browser_zone.as_deref(),
        place: person.place_zone.as_deref(),
        country: person.place_country.as_deref().or(person.country_code.as_deref()),
    };
    campaign.plan.quiet_hours?.end(now, zone_of(clock, ways.zone))
}

fn row(campaign: &Campaign, person: &Person, to: &Waiting, variant: i64, now: Timestamp) -> NewOutgoing {
    NewOutgoing {
        // The same campaign asks for one message to one person, however often it is tried.
        id: messages::outgoing_id(campaign.workspace_id, &format!("campaign {} {}", campaign.id, to.contact_id)),
        workspace_id: campaign.workspace_id,
        lead_id: Some(person.id),
        contact_id: Some(person.contact_id),
        kind: campaign.channel,
        channel_id: campaign.channel_id,
        conversation_id: None,
        template_id: campaign.template_id,
        subject: None,
        body: String::new(),
        cause: Cause::Campaign,
        cause_id: Some(CauseId(campaign.id.0)),
        cause_step: Some(variant),
        user_id: None,
        author_name: Some(campaign.name.clone()),
        due_at: now.0,
        created_at: now.0,
    }
}
