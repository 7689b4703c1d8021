//! Writing down who gets a campaign, when it starts: some hundred people in a transaction, with where the next ones
//! begin in the same one.

use std::collections::BTreeMap;

use leadline_domain::{
    campaigns::{Audience, place_of},
    ids::{ContactId, LeadId, SegmentId},
    messaging::MessageChannel,
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    campaigns::{
        self as stored, Campaign,
        recipients::{self, Candidate, NewRecipient},
    },
    leads::{self, LeadFilter, Place, Sweep},
    segments, statistics,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::tell;
use crate::{Engine, conditions::Conditions};

/// Leads that are written down in one transaction.
const AT_ONCE: i64 = 1_000;

/// From so many recipients on the planner looks at their table before they are asked for by it.
const MANY: i64 = 5_000;

/// Where it goes on.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Cursor {
    /// At the beginning.
    Start,
    /// Behind this lead of an audience.
    Audience(LeadId),
    /// Behind this recipient of another campaign.
    Unanswered(ContactId),
    /// Behind this lead of those that match, of those that had come by then. What a segment asks is kept as it was then.
    Segment { filter: Box<LeadFilter>, as_of: Timestamp, after: Option<Place> },
}

/// Where every campaign begins.
pub(super) fn beginning() -> Value {
    json!(Cursor::Start)
}

/// Some more leads, and where the next ones begin; nothing where there are no more.
struct Stretch {
    leads: Vec<LeadId>,
    next: Option<Cursor>,
}

/// Writes some more recipients down, and tells whether there was anything to do.
pub(super) async fn step(engine: &Engine, campaign: &Campaign) -> Result<bool, Error> {
    let wrong = || Error::Column { column: "gathered".to_owned() };
    let cursor: Cursor = serde_json::from_value(campaign.gathered.clone().unwrap_or_default()).map_err(|_| wrong())?;
    // Leads that match are looked for before the transaction: on SQLite submissions wait behind it.
    let swept = match (campaign.audience, &cursor) {
        (Some(Audience::Segment { segment_id }), _) => Some(sweep(engine, campaign, segment_id, cursor.clone()).await?),
        (Some(Audience::Audience { .. } | Audience::Unanswered { .. }) | None, _) => None,
    };
    let mut tx = engine.store.begin().await?;
    let Some(mut standing) = stored::claim(&mut tx, campaign.id).await? else {
        tx.rollback().await?;
        return Ok(false);
    };
    let is_as_it_was = standing.gathered == campaign.gathered && standing.state == campaign.state;
    if !is_as_it_was {
        tx.rollback().await?;
        return Ok(false);
    }
    let stretch = match swept {
        Some(stretch) => stretch,
        None => next(&mut tx, &standing, &cursor).await?,
    };
    write(engine, &mut tx, &standing, &stretch.leads).await?;
    let now = engine.clock.now();
    standing.gathered = stretch.next.map(|cursor| json!(cursor));
    standing.next_at = Some(now);
    if standing.gathered.is_none() {
        standing.recipient_count = recipients::count(&mut tx, standing.id).await?;
        tell(engine, &mut tx, &standing, "campaign.updated").await?;
    }
    stored::write(&mut tx, &standing).await?;
    tx.commit().await?;
    if standing.gathered.is_none()
        && standing.recipient_count >= MANY
        && let Err(error) = statistics::refresh(&engine.store).await
    {
        tracing::debug!(error = &error as &dyn std::error::Error, "the planner looks at the tables later, by itself");
    }
    Ok(true)
}

async fn next(tx: &mut Tx, campaign: &Campaign, cursor: &Cursor) -> Result<Stretch, Error> {
    let workspace = campaign.workspace_id;
    match campaign.audience {
        Some(Audience::Audience { audience_id }) => {
            let after = match cursor {
                Cursor::Audience(after) => Some(*after),
                Cursor::Start | Cursor::Unanswered(_) | Cursor::Segment { .. } => None,
            };
            let leads = recipients::of_audience(tx, workspace, audience_id, (after, AT_ONCE)).await?;
            Ok(Stretch { next: leads.last().copied().map(Cursor::Audience), leads })
        }
        Some(Audience::Unanswered { campaign_id }) => {
            let after = match cursor {
                Cursor::Unanswered(after) => Some(*after),
                Cursor::Start | Cursor::Audience(_) | Cursor::Segment { .. } => None,
            };
            let (leads, last) = recipients::unanswered(tx, workspace, campaign_id, (after, AT_ONCE)).await?;
            Ok(Stretch { leads, next: last.map(Cursor::Unanswered) })
        }
        Some(Audience::Segment { .. }) | None => Ok(Stretch { leads: Vec::new(), next: None }),
    }
}

async fn sweep(engine: &Engine, campaign: &Campaign, segment: SegmentId, cursor: Cursor) -> Result<Stretch, Error> {
    let (filter, as_of, after) = match cursor {
        Cursor::Segment { filter, as_of, after } => (filter, as_of, after),
        Cursor::Start | Cursor::Audience(_) | Cursor::Unanswered(_) => match asked(engine, campaign, segment).await? {
            Some(filter) => (Box::new(filter), engine.clock.now(), None),
            // Nobody is in a segment that was deleted, or asks for what cannot be asked any more.
            None => return Ok(Stretch { leads: Vec::new(), next: None }),
        },
    };
    let reader = engine.store.reader();
    let these = (&*filter, Sweep::There);
    let swept = leads::sweep(&reader, campaign.workspace_id, these, (after, as_of), AT_ONCE).await?;
    let next = (!swept.is_over).then_some(Cursor::Segment { filter, as_of, after: swept.place });
    Ok(Stretch { leads: swept.found, next })
}

/// What a segment asks now.
pub(super) async fn asked(
    engine: &Engine,
    campaign: &Campaign,
    segment: SegmentId,
) -> Result<Option<LeadFilter>, Error> {
    let reader = engine.store.reader();
    let Some(segment) = segments::find(&reader, campaign.workspace_id, segment).await? else { return Ok(None) };
    let conditions = Conditions::load(engine, campaign.workspace_id).await?;
    let filter = conditions.read_segment(segment.id, &segment.filter).ok();
    Ok(filter.map(|filter| LeadFilter { conditions: Some(filter), ..LeadFilter::default() }))
}

async fn write(engine: &Engine, tx: &mut Tx, campaign: &Campaign, leads: &[LeadId]) -> Result<(), Error> {
    let now = engine.clock.now();
    let has_address = |one: &Candidate| match campaign.channel {
        MessageChannel::Email => one.has_email,
        MessageChannel::Whatsapp | MessageChannel::Sms => one.has_phone,
    };
    let mut people: BTreeMap<ContactId, Candidate> = BTreeMap::new();
    for one in recipients::candidates(tx, campaign.workspace_id, leads).await? {
        let known = people.entry(one.contact_id).or_insert(one);
        if has_address(&one) && !has_address(known) {
            *known = one;
        }
    }
    let rows: Vec<NewRecipient> = people
        .values()
        .map(|one| {
            let (wave, variant) = place_of(campaign.id, one.contact_id, campaign.plan.test);
            NewRecipient {
                campaign_id: campaign.id,
                contact_id: one.contact_id,
                workspace_id: campaign.workspace_id,
                lead_id: one.lead_id,
                has_address: has_address(one),
                variant,
                wave,
                state: "waiting",
                due_at: now.0,
                updated_at: now.0,
            }
        })
        .collect();
    recipients::insert(tx, &rows).await
}
