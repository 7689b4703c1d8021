//! Sending what is due: whose turn it is, whether it may go out, and what came of it.
//!
//! A turn is three steps. In a short transaction messages are claimed, decided about, and written down as under way with
//! what they say. With none open they are handed over. In another short one what came of each is recorded. Whoever dies
//! in between leaves messages under way whose lease runs out; of those nobody knows whether they went out, so they stay
//! where somebody sees them, unless the provider would know a repeat.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use leadline_domain::{
    ids::{ChannelId, ConversationId, MessageId},
    messaging::{
        MessageChannel, Provider, Status, rate,
        sending::{self, Facts, Skip},
        variables::Person,
    },
    names,
    time::{MINUTE_MS, SECOND_MS, Timestamp},
};
use leadline_outbound::messages::{Handed, Reason, whatsapp};
use leadline_store::{
    Error, Tx,
    channels::{self, Channel},
    messages::{
        self,
        outcome::{self as rows, Moved, Requeued, Standing},
        queue::{self, Due, DueLead, Said, Started},
        sandbox::{NewArrival, take},
    },
};
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet, time::timeout};

use super::{
    letters, outcome,
    sandbox::{self, Plan},
    send::{self, OpenChannel, Outgoing},
    templates,
};
use crate::Engine;

/// Messages claimed in one transaction.
const AT_ONCE: i64 = 100;

/// Batches under way on one node, over all channels.
const BATCHES: usize = 64;

/// Messages come due by themselves.
const POLL: Duration = Duration::from_millis(500);

/// How long a stop waits for what is under way.
const DRAIN: Duration = Duration::from_secs(8);

/// The waits before further tries of a message that its provider has surely not taken.
const WAITS_MS: [i64; 5] = [5 * SECOND_MS, 30 * SECOND_MS, 2 * MINUTE_MS, 10 * MINUTE_MS, 30 * MINUTE_MS];

/// How far ahead of a channel's next turn it is looked at.
const AHEAD_MS: i64 = SECOND_MS;

/// Messages of one channel that are written down as under way.
pub(super) struct Batch {
    channel: Channel,
    open: Arc<OpenChannel>,
    messages: Vec<Claimed>,
}

struct Claimed {
    outgoing: Outgoing,
    /// The number of this try.
    attempt: i64,
    arrival: NewArrival,
}

/// Sends until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    let mut under_way = JoinSet::new();
    while !*stop.borrow() {
        let mut claimed = 0;
        match claim_all(&engine).await {
            Ok((batches, settled)) => {
                claimed = batches.len() + settled;
                for batch in batches {
                    let engine = engine.clone();
                    under_way.spawn(async move { work(&engine, batch).await });
                }
            }
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "messages wait for the store"),
        }
        while under_way.try_join_next().is_some() {}
        if under_way.len() >= BATCHES {
            let _one_is_done = under_way.join_next().await;
        }
        if claimed > 0 {
            continue;
        }
        tokio::select! {
            () = engine.wake.messages.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
    // What is not over by then is found by its lease.
    let _drained = timeout(DRAIN, async { while under_way.join_next().await.is_some() {} }).await;
}

/// Sends everything that is due now, and tells how many messages were looked at. For tests, which say themselves when.
///
/// # Errors
/// Where the database fails.
pub async fn send_due(engine: &Engine) -> Result<usize, Error> {
    let mut count = 0;
    loop {
        let (batches, settled) = claim_all(engine).await?;
        if batches.is_empty() && settled == 0 {
            return Ok(count);
        }
        count += settled;
        for batch in batches {
            count += batch.messages.len();
            work(engine, batch).await;
        }
    }
}

/// Claims what is due and writes it down as under way, as the runner does, and goes no further: for tests that let a
/// node die there.
///
/// # Errors
/// Where the database fails.
pub async fn begin_due(engine: &Engine) -> Result<usize, Error> {
    let (batches, _) = claim_all(engine).await?;
    Ok(batches.iter().map(|batch| batch.messages.len()).sum())
}

/// What is due, and how much else was settled on the way: skipped, reported by the sandbox, or found to be lost.
async fn claim_all(engine: &Engine) -> Result<(Vec<Batch>, usize), Error> {
    let mut settled = settle_lost(engine).await? + sandbox::report_due(engine).await?;
    let now = engine.clock.now();
    let lanes = queue::list_lanes(&engine.store.reader(), now, now.plus_ms(AHEAD_MS)).await?;
    let mut batches = Vec::new();
    for lane in lanes {
        let (batch, skipped) = claim(engine, lane).await?;
        settled += skipped;
        batches.extend(batch);
    }
    Ok((batches, settled))
}

async fn claim(engine: &Engine, lane: Option<ChannelId>) -> Result<(Option<Batch>, usize), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let channel = match lane {
        // Another node is at it.
        Some(id) => match channels::take_turn(&mut tx, id).await? {
            Some(channel) => Some(channel),
            None => return Ok((None, 0)),
        },
        None => None,
    };
    let wanted = match &channel {
        Some(channel) => AT_ONCE.min(channel.max_in_flight - queue::count_in_flight(&mut tx, channel.id).await?),
        None => AT_ONCE,
    };
    let (turns, _) = match &channel {
        Some(channel) => rate::take(channel.per_minute, channel.next_slot_at, now, wanted),
        None => (wanted, now),
    };
    if turns <= 0 {
        tx.rollback().await?;
        return Ok((None, 0));
    }
    let due = queue::claim(&mut tx, lane, now, turns).await?;
    let open = channel.as_ref().filter(|one| one.deleted_at.is_none()).map(|one| engine.channels.open(engine, one));
    let (open, is_sealed) = match open {
        Some(Ok(open)) => (Some(open), false),
        Some(Err(_)) => (None, true),
        None => (None, false),
    };
    let decided = decide_all(engine, &mut tx, due, channel.as_ref(), is_sealed, now).await?;
    let batch = begin(engine, &mut tx, decided, channel, open, now).await?;
    tx.commit().await?;
    Ok(batch)
}

/// Each message with what was decided about it.
type Decided = Vec<(Due, Result<Outgoing, Reason>)>;

async fn decide_all(
    engine: &Engine,
    tx: &mut Tx,
    due: Vec<Due>,
    channel: Option<&Channel>,
    is_sealed: bool,
    now: Timestamp,
) -> Result<Decided, Error> {
    let mut decided = Vec::with_capacity(due.len());
    for message in due {
        let is_suppressed = super::suppression::is_suppressed(engine, tx, &message).await?;
        let result = decide(engine, &message, channel, is_suppressed, now);
        let result = match result {
            Ok(_) if is_sealed => Err(Reason::new("channel_sealed", "the channel's secrets cannot be opened")),
            other => other,
        };
        decided.push((message, result));
    }
    Ok(decided)
}

fn decide(
    engine: &Engine,
    message: &Due,
    channel: Option<&Channel>,
    is_suppressed: bool,
    now: Timestamp,
) -> Result<Outgoing, Reason> {
    let skip = |skip: Skip| Reason::new(skip.code(), &skip.to_string());
    let lead = message.lead.as_ref();
    let facts = Facts {
        kind: message.kind,
        channel: channel.map(|channel| (channel.provider, channel.is_active)),
        is_channel_deleted: channel.is_some_and(|channel| channel.deleted_at.is_some()),
        has_lead: lead.is_some(),
        email: lead.and_then(|lead| lead.email.as_deref()),
        phone: lead.and_then(|lead| lead.phone.as_deref()),
        address: answered_address(message),
        is_suppressed,
        template: match (&message.template_id, &message.template) {
            (None, _) => sending::Template::None,
            (Some(_), None) => sending::Template::Gone,
            (Some(_), Some(template)) => sending::Template::There(template.approval),
        },
        last_inbound_at: message.last_inbound_at,
        now,
    };
    let address = sending::decide(&facts).map_err(skip)?.to_owned();
    let values = letters::values(engine, message, values(lead));
    let said = match &message.template {
        Some(one) => {
            let subject = letters::subject(message).or(one.subject.as_deref());
            templates::say(subject, &one.body, one.body_html.as_deref(), &values)
        }
        None => templates::say(message.subject.as_deref(), &message.body, None, &values),
    };
    if said.body.trim().is_empty() && !message.has_files {
        return Err(skip(Skip::Empty));
    }
    Ok(Outgoing {
        id: message.id,
        address,
        dressed: letters::dress(engine, message, &said),
        subject: said.subject,
        body: said.body,
        body_html: said.body_html,
        template: whatsapp_template(message, &values),
        answers: message.answered_id.clone(),
        is_automatic: letters::is_to_many(message),
        has_files: message.has_files,
        workspace: message.workspace_id,
    })
}

/// Whoever wrote in the conversation is answered there; but a lead's own address counts first, as it may be newer.
fn answered_address(message: &Due) -> Option<&str> {
    let lead = message.lead.as_ref();
    let own = match message.kind {
        MessageChannel::Whatsapp | MessageChannel::Sms => lead.and_then(|lead| lead.phone.as_deref()),
        MessageChannel::Email => lead.and_then(|lead| lead.email.as_deref()),
    };
    if message.last_inbound_at.is_some() || message.lead_id.is_none() {
        return message.conversation_address.as_deref();
    }
    own.is_none().then_some(message.conversation_address.as_deref()).flatten()
}

fn values(lead: Option<&DueLead>) -> Value {
    let Some(lead) = lead else { return Person::default().values() };
    let person = Person {
        name: names::given(&lead.name, &lead.source_name),
        email: lead.email.as_deref(),
        phone: lead.phone.as_deref(),
        company: lead.company.as_deref(),
        title: lead.title.as_deref(),
        project: lead.project_name.as_deref(),
        custom_fields: lead.custom_fields.clone(),
    };
    person.values()
}

fn whatsapp_template(message: &Due, values: &Value) -> Option<whatsapp::Template> {
    let template = message.template.as_ref().filter(|_| message.kind == MessageChannel::Whatsapp)?;
    Some(whatsapp::Template {
        name: template.provider_name.clone()?,
        language: template.language.clone(),
        values: send::placeholder_values(&template.body, values),
    })
}

/// Writes down what begins and what is skipped, in the transaction that claimed it.
async fn begin(
    engine: &Engine,
    tx: &mut Tx,
    decided: Decided,
    channel: Option<Channel>,
    open: Option<Arc<OpenChannel>>,
    now: Timestamp,
) -> Result<(Option<Batch>, usize), Error> {
    let (mut skipped, mut started, mut messages) = (Vec::new(), Vec::new(), Vec::new());
    let mut said: BTreeMap<ConversationId, Said> = BTreeMap::new();
    for (due, result) in decided {
        let (outgoing, channel, open) = match (result, &channel, &open) {
            (Ok(outgoing), Some(channel), Some(open)) => (outgoing, channel, open),
            (Ok(_), ..) => continue,
            (Err(reason), ..) => {
                skipped.push((
                    standing(&due, channel.as_ref()),
                    Moved::to(due.id, Status::Skipped, now).because(&reason.code, &reason.message),
                ));
                continue;
            }
        };
        started.push(begun(&due, &outgoing, now.plus_ms(open.lease_ms()), now));
        let line = said.entry(due.conversation_id).or_insert_with(|| Said {
            id: due.conversation_id,
            said: 0,
            last_text: String::new(),
            last_message_at: None,
        });
        // A try that was begun before is in the conversation already.
        line.said += i64::from(due.attempt_count == 0);
        if !letters::is_to_many(&due) {
            line.last_text = messages::beginning_of(&outgoing.body);
            line.last_message_at = Some(now.0);
        }
        messages.push(Claimed {
            attempt: due.attempt_count + 1,
            arrival: arriving(&due, &outgoing, channel, now),
            outgoing,
        });
    }
    queue::start(tx, &started).await?;
    queue::show_said(tx, &said.into_values().collect::<Vec<_>>()).await?;
    outcome::write(engine, tx, &skipped, now).await?;
    let count = skipped.len();
    let (Some(channel), Some(open)) = (channel, open) else { return Ok((None, count)) };
    let turns = i64::try_from(messages.len()).unwrap_or(i64::MAX);
    let (_, next) = rate::take(channel.per_minute, channel.next_slot_at, now, turns);
    if turns > 0 && next != channel.next_slot_at {
        channels::set_next_slot(tx, channel.id, next).await?;
    }
    Ok(((!messages.is_empty()).then_some(Batch { channel, open, messages }), count))
}

fn begun(due: &Due, outgoing: &Outgoing, until: Timestamp, now: Timestamp) -> Started {
    Started {
        id: due.id,
        contact_id: due.contact_id,
        address: outgoing.address.clone(),
        subject: outgoing.subject.clone(),
        body: outgoing.body.clone(),
        body_html: outgoing.body_html.clone(),
        leased_until: until.0,
        started_at: now.0,
    }
}

fn arriving(due: &Due, outgoing: &Outgoing, channel: &Channel, now: Timestamp) -> NewArrival {
    NewArrival {
        message_id: due.id,
        workspace_id: due.workspace_id,
        channel_id: channel.id,
        lead_id: due.lead_id,
        contact_id: due.contact_id,
        kind: due.kind,
        address: outgoing.address.clone(),
        subject: outgoing.subject.clone(),
        body: outgoing.dressed_body().to_owned(),
        body_html: outgoing.dressed_html().map(str::to_owned),
        plan: "deliver",
        times: 1,
        next_report: None,
        report_at: None,
        arrived_at: now.0,
    }
}

fn standing(due: &Due, channel: Option<&Channel>) -> Standing {
    Standing {
        id: due.id,
        workspace_id: due.workspace_id,
        conversation_id: due.conversation_id,
        lead_id: due.lead_id,
        contact_id: due.contact_id,
        kind: due.kind,
        channel_id: channel.map(|channel| channel.id),
        status: Status::Queued,
        attempt_count: due.attempt_count,
        cause_kind: Some(due.cause_kind.clone()),
        cause_id: due.cause_id,
        cause_step: due.cause_step,
        provider_id: None,
        error_code: None,
        error_message: None,
    }
}

/// Hands a batch over and records what came of each message. Where the store fails meanwhile, leases run out.
async fn work(engine: &Engine, batch: Batch) {
    let result = if batch.open.provider == Provider::Sandbox {
        play(engine, &batch).await
    } else {
        hand_over(engine, batch).await
    };
    if let Err(error) = result {
        tracing::warn!(error = &error as &dyn std::error::Error, "what came of messages could not be recorded");
    }
}

/// The stand-in takes the whole batch, in a transaction of its own as a provider would, and answers for each.
async fn play(engine: &Engine, batch: &Batch) -> Result<(), Error> {
    let now = engine.clock.now();
    let plays = batch.open.setting("plays");
    let plan = |one: &Claimed| Plan::of(&one.outgoing.address, plays);
    let arrivals: Vec<NewArrival> = batch
        .messages
        .iter()
        .filter_map(|one| sandbox::arrival(plan(one), batch.open.setting("delaySeconds"), one.arrival.clone(), now))
        .collect();
    let mut tx = engine.store.begin().await?;
    take(&mut tx, &arrivals).await?;
    tx.commit().await?;
    let answers: Vec<Answered> = batch
        .messages
        .iter()
        .map(|one| Answered { id: one.outgoing.id, attempt: one.attempt, handed: plan(one).answer(one.outgoing.id) })
        .collect();
    // A break that the sandbox plays is a break, although it would know a repeat.
    record(engine, &batch.channel, false, &answers).await
}

async fn hand_over(engine: &Engine, batch: Batch) -> Result<(), Error> {
    let Batch { channel, open, messages } = batch;
    let mut sending = JoinSet::new();
    for one in messages {
        let (engine, open) = (engine.clone(), Arc::clone(&open));
        sending.spawn(async move {
            let handed = send::hand_over(&engine, &open, &one.outgoing).await;
            Answered { id: one.outgoing.id, attempt: one.attempt, handed }
        });
    }
    while let Some(joined) = sending.join_next().await {
        // One that panicked is under way until its lease is over.
        let Ok(answered) = joined else { continue };
        record(engine, &channel, open.knows_repeats(), &[answered]).await?;
    }
    Ok(())
}

/// What a provider answered.
struct Answered {
    id: MessageId,
    attempt: i64,
    handed: Handed,
}

async fn record(engine: &Engine, channel: &Channel, knows_repeats: bool, answers: &[Answered]) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let ids: Vec<MessageId> = answers.iter().map(|answer| answer.id).collect();
    let standing = rows::lock(&mut tx, &ids).await?;
    let (mut moved, mut again) = (Vec::new(), Vec::new());
    let (mut is_taken, mut error) = (false, None);
    for was in standing {
        let Some(answer) = answers.iter().find(|answer| answer.id == was.id) else { continue };
        match &answer.handed {
            Handed::Taken { .. } => is_taken = true,
            Handed::Refused(reason) | Handed::Later(reason, _) | Handed::Unclear(reason) => {
                error = Some(reason.message.clone());
            }
        }
        match judge(&was, answer, knows_repeats, now) {
            Judged::Moved(is) => moved.push((was, *is)),
            Judged::Again(row) => again.push(row),
            Judged::Nothing => {}
        }
    }
    outcome::write(engine, &mut tx, &moved, now).await?;
    rows::requeue(&mut tx, &again).await?;
    if let Some(error) = error {
        channels::note_error(&mut tx, channel.id, &error, now).await?;
    } else if is_taken {
        channels::note_sent(&mut tx, channel.id, now).await?;
    }
    tx.commit().await
}

enum Judged {
    Moved(Box<Moved>),
    Again(Requeued),
    /// Somebody else knows better.
    Nothing,
}

fn judge(was: &Standing, answer: &Answered, knows_repeats: bool, now: Timestamp) -> Judged {
    let is_ours = was.attempt_count == answer.attempt && was.status == Status::Sending;
    let moved = |moved: Moved| Judged::Moved(Box::new(moved));
    match &answer.handed {
        // However late: what was taken was taken. A report may have been quicker, and knows more.
        Handed::Taken { provider_id } => {
            let status = was.status.after_report(Status::Sent).unwrap_or(was.status);
            if matches!(status, Status::Queued | Status::Skipped) {
                return Judged::Nothing;
            }
            let mut is = Moved::to(was.id, status, now).reported(Status::Sent, now);
            is.provider_id.clone_from(provider_id);
            if status == Status::Failed {
                is.error_code.clone_from(&was.error_code);
                is.error_message.clone_from(&was.error_message);
            }
            moved(is)
        }
        _ if !is_ours => Judged::Nothing,
        Handed::Refused(reason) => moved(failed(was, reason, now)),
        Handed::Later(reason, after) => again(was, reason, *after, now),
        Handed::Unclear(reason) if knows_repeats => again(was, reason, None, now),
        Handed::Unclear(reason) => {
            moved(Moved::to(was.id, Status::Unknown, now).because(&reason.code, &reason.message))
        }
    }
}

fn failed(was: &Standing, reason: &Reason, now: Timestamp) -> Moved {
    Moved::to(was.id, Status::Failed, now).reported(Status::Failed, now).because(&reason.code, &reason.message)
}

fn again(was: &Standing, reason: &Reason, after: Option<Duration>, now: Timestamp) -> Judged {
    let tries_before = usize::try_from(was.attempt_count - 1).unwrap_or_default();
    let Some(wait) = WAITS_MS.get(tries_before) else { return Judged::Moved(Box::new(failed(was, reason, now))) };
    let asked = after.map_or(0, |after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX));
    Judged::Again(Requeued {
        id: was.id,
        due_at: now.plus_ms((*wait).max(asked)).0,
        status_at: now.0,
        error_code: Some(reason.code.clone()),
        error_message: Some(reason.message.clone()),
    })
}

/// Messages whose lease ran out: handed over again where the provider would know a repeat, and else unknown.
async fn settle_lost(engine: &Engine) -> Result<usize, Error> {
    let now = engine.clock.now();
    let mut count = 0;
    for id in rows::list_channels_with_lost(&engine.store.reader(), now).await? {
        let mut tx = engine.store.begin().await?;
        let Some(channel) = channels::take_turn(&mut tx, id).await? else { continue };
        let knows_repeats = engine.channels.open(engine, &channel).is_ok_and(|open| open.knows_repeats());
        let lost = rows::lock_lost(&mut tx, id, now, AT_ONCE).await?;
        count += lost.len();
        let reason = Reason::new("cut_off", "the message was being handed over when the program stopped");
        let (mut moved, mut again_rows) = (Vec::new(), Vec::new());
        for was in lost {
            match if knows_repeats { again(&was, &reason, None, now) } else { Judged::Nothing } {
                Judged::Again(row) => again_rows.push(Requeued { due_at: now.0, ..row }),
                Judged::Moved(is) => moved.push((was, *is)),
                Judged::Nothing => {
                    let is = Moved::to(was.id, Status::Unknown, now).because(&reason.code, &reason.message);
                    moved.push((was, is));
                }
            }
        }
        outcome::write(engine, &mut tx, &moved, now).await?;
        rows::requeue(&mut tx, &again_rows).await?;
        tx.commit().await?;
    }
    Ok(count)
}
