//! The built-in phone and mailbox: takes what is sent, reports as a provider would, and plays what can go wrong.

use leadline_domain::{
    ids::{ChannelId, MessageId},
    messaging::{MessageChannel, Provider, Status},
    time::{HOUR_MS, SECOND_MS, Timestamp},
};
use leadline_outbound::messages::{Handed, Reason};
use leadline_store::{
    Error, channels,
    messages::{
        outcome as rows,
        sandbox::{self, Arrival, NewArrival, NextReport},
    },
};

use super::{
    MessagingError, callbacks,
    inbound::{self, Arrived},
};
use crate::{Actor, Engine, random_bytes};
use leadline_domain::messaging::callbacks::{Inbound, Report};

/// What a sandbox can play, by name.
pub const PLANS: [&str; 6] = ["deliver", "refuse", "bounce", "never", "late", "break"];

/// How late "late" is.
const LATE_MS: i64 = HOUR_MS;

/// Reports in one transaction.
const AT_ONCE: i64 = 200;

/// What is played with one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Plan {
    /// It arrives.
    Deliver,
    /// The provider does not take it.
    Refuse,
    /// The provider takes it and reports a failure.
    Bounce,
    /// The provider takes it and never reports anything more.
    Never,
    /// It arrives an hour late.
    Late,
    /// The connection breaks while it is handed over.
    Break,
}

impl Plan {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Refuse => "refuse",
            Self::Bounce => "bounce",
            Self::Never => "never",
            Self::Late => "late",
            Self::Break => "break",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Deliver, Self::Refuse, Self::Bounce, Self::Never, Self::Late, Self::Break]
            .into_iter()
            .find(|plan| plan.as_str() == name)
    }

    /// What is played for a recipient: what their address asks for, or else what the channel plays. A phone number asks
    /// by its end (990001 to 990005), an e-mail address by what stands before the `@`.
    pub(super) fn of(address: &str, plays: &str) -> Self {
        let asked = match address.split_once('@') {
            Some((local, _)) => Self::parse(&local.to_ascii_lowercase()),
            None => match address.get(address.len().saturating_sub(6)..) {
                Some("990001") => Some(Self::Refuse),
                Some("990002") => Some(Self::Bounce),
                Some("990003") => Some(Self::Never),
                Some("990004") => Some(Self::Late),
                Some("990005") => Some(Self::Break),
                _ => None,
            },
        };
        asked.or_else(|| Self::parse(plays)).unwrap_or(Self::Deliver)
    }

    /// What the stand-in answers when it is handed a message.
    pub(super) fn answer(self, id: MessageId) -> Handed {
        match self {
            Self::Refuse => Handed::Refused(Reason::new("sandbox_refused", "the sandbox plays a refusal")),
            Self::Break => Handed::Unclear(Reason::new("sandbox_broken_off", "the sandbox plays a broken connection")),
            Self::Deliver | Self::Bounce | Self::Never | Self::Late => {
                Handed::Taken { provider_id: Some(format!("sandbox-{id}")) }
            }
        }
    }

    /// What it reports next, and when.
    fn next(self, delay_ms: i64, now: Timestamp) -> Option<(Status, Timestamp)> {
        match self {
            Self::Deliver => Some((Status::Delivered, now.plus_ms(delay_ms))),
            Self::Late => Some((Status::Delivered, now.plus_ms(LATE_MS))),
            Self::Bounce => Some((Status::Failed, now.plus_ms(delay_ms))),
            Self::Refuse | Self::Never | Self::Break => None,
        }
    }
}

/// What arrives of a message, if anything does.
pub(super) fn arrival(plan: Plan, delay: &str, mut row: NewArrival, now: Timestamp) -> Option<NewArrival> {
    if plan == Plan::Refuse {
        return None;
    }
    let next = plan.next(delay.parse::<i64>().unwrap_or(1) * SECOND_MS, now);
    row.plan = plan.as_str();
    row.next_report = next.map(|(status, _)| status);
    row.report_at = next.map(|(_, at)| at.0);
    Some(row)
}

/// Reports what is due, as a provider would by calling back, and tells how much that was.
///
/// # Errors
/// Where the database fails.
pub(super) async fn report_due(engine: &Engine) -> Result<usize, Error> {
    let now = engine.clock.now();
    if !sandbox::has_to_report(&engine.store.reader(), now).await? {
        return Ok(0);
    }
    let mut tx = engine.store.begin().await?;
    let due = sandbox::lock_to_report(&mut tx, now, AT_ONCE).await?;
    let reports: Vec<(MessageId, Report)> =
        due.iter().filter_map(|one| Some((one.message_id, report(one, now)?))).collect();
    callbacks::apply(engine, &mut tx, &reports, now).await?;
    let done: Vec<NextReport> =
        due.iter().map(|one| NextReport { message_id: one.message_id, next_report: None, report_at: None }).collect();
    sandbox::set_next(&mut tx, &done).await?;
    tx.commit().await?;
    Ok(due.len())
}

fn report(arrival: &Arrival, now: Timestamp) -> Option<Report> {
    let status = arrival.next_report?;
    let reason =
        (status == Status::Failed).then(|| ("sandbox_bounced".to_owned(), "the sandbox plays a bounce".to_owned()));
    Some(Report {
        provider_id: format!("sandbox-{}", arrival.message_id),
        message_id: Some(arrival.message_id),
        status,
        at: Some(now),
        reason,
    })
}

/// Somebody opens the phone or mailbox at an address: what arrived there has been read.
///
/// # Errors
/// Where there is no such sandbox, or the store fails.
pub async fn open(engine: &Engine, actor: &Actor, channel: ChannelId, address: &str) -> Result<(), MessagingError> {
    let now = engine.clock.now();
    find(engine, actor, channel).await?;
    let mut tx = engine.store.begin().await?;
    let opened = sandbox::open(&mut tx, channel, address, now).await?;
    let standing = rows::lock(&mut tx, &opened).await?;
    // Only what was delivered can be read; a text message tells nobody that it was.
    let read: Vec<(MessageId, Report)> = standing
        .iter()
        .filter(|one| one.status == Status::Delivered && one.kind != MessageChannel::Sms)
        .map(|one| {
            let provider_id = format!("sandbox-{}", one.id);
            (
                one.id,
                Report { provider_id, message_id: Some(one.id), status: Status::Read, at: Some(now), reason: None },
            )
        })
        .collect();
    callbacks::apply(engine, &mut tx, &read, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Somebody answers from the phone or mailbox at an address.
#[derive(Debug, Clone)]
pub struct Answer {
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// From which number or e-mail address.
    pub address: String,
    /// What they say.
    pub text: String,
}

/// Takes an answer from the built-in phone, as if its provider had called back.
///
/// # Errors
/// Where there is no such sandbox, nothing is said, or the store fails.
pub async fn answer(
    engine: &Engine,
    actor: &Actor,
    channel: ChannelId,
    answer: &Answer,
) -> Result<Arrived, MessagingError> {
    let now = engine.clock.now();
    let channel = find(engine, actor, channel).await?;
    let text = answer.text.trim();
    if text.is_empty() || text.chars().count() > 5_000 || text.contains('\0') {
        return Err(MessagingError::field("/text", "must have 1 to 5,000 characters"));
    }
    let address = inbound::canonical(answer.kind, &answer.address)
        .ok_or_else(|| MessagingError::field("/address", "must be a phone number or an e-mail address"))?;
    let id = format!("sandbox-in-{}", MessageId::new(now, random_bytes()));
    let said = Inbound::text(answer.kind, id, Some(address), text.to_owned());
    let mut tx = engine.store.begin().await?;
    let arrived = inbound::receive(engine, &mut tx, &channel, &said, now).await?;
    tx.commit().await?;
    arrived.ok_or(MessagingError::NotFound)
}

async fn find(engine: &Engine, actor: &Actor, id: ChannelId) -> Result<channels::Channel, MessagingError> {
    let found = channels::find(&engine.store.reader(), actor.workspace, id).await?;
    found.filter(|channel| channel.provider == Provider::Sandbox).ok_or(MessagingError::NotFound)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::arrives("+491701234567", "deliver", Plan::Deliver)]
    #[case::as_the_channel_plays("+491701234567", "bounce", Plan::Bounce)]
    #[case::a_number_asks("+491701990001", "deliver", Plan::Refuse)]
    #[case::a_number_asks_for_more("+491701990005", "bounce", Plan::Break)]
    #[case::an_address_asks("Late@example.com", "deliver", Plan::Late)]
    #[case::an_address_like_any("ada@late.example", "deliver", Plan::Deliver)]
    #[case::short("1", "what", Plan::Deliver)]
    #[case::other_letters("ä€990001x", "never", Plan::Never)]
    fn a_recipient_says_what_is_played(#[case] address: &str, #[case] plays: &str, #[case] expected: Plan) {
        assert_eq!(Plan::of(address, plays), expected);
    }
}
