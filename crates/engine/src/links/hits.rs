//! Requests of a message's links and its picture: where they lead, and what they tell.

use std::{collections::BTreeMap, net::IpAddr};

use leadline_domain::{
    ids::{ActivityId, CauseId, EventId, HitId},
    messaging::{
        hits::{self, Kind, Request, Sent},
        links,
    },
    time::Timestamp,
};
use leadline_store::{
    Error, Tx,
    events::{self, NewActivity, NewEvent},
    links::{self as stored, Hit, LinkedMessage, Reactions},
    message_figures::{self, Figures, Group},
};
use serde_json::json;

use super::{Purpose, Token};
use crate::{Engine, random_bytes};

/// The longest name of a program that is kept, in characters.
const AGENT_MAX_CHARS: usize = 300;

/// Who asks.
#[derive(Debug, Clone, Default)]
pub struct Visitor {
    /// What the program calls itself.
    pub agent: String,
    /// Whether it says that nobody asked for it yet.
    pub is_prefetch: bool,
    /// From where.
    pub ip: Option<IpAddr>,
}

/// Whether a request is written down. `HEAD` asks and changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It is.
    Hit,
    /// It is not.
    Nothing,
}

/// Where a link leads; none where it is not ours, or its message is gone.
///
/// # Errors
/// Where the store fails before the answer is known. A hit that cannot be written down is logged, and the link leads
/// where it leads all the same.
pub async fn follow(engine: &Engine, token: &str, visitor: &Visitor, note: Note) -> Result<Option<String>, Error> {
    let Some(token) = Token::read(token) else { return Ok(None) };
    let Some(message) = stored::find_message(&engine.store.reader(), token.message).await? else { return Ok(None) };
    let targets = targets_of(&message);
    let Some(target) = targets.iter().find(|target| token.leads_to(&engine.keys, Purpose::Click, target)) else {
        return Ok(None);
    };
    if note == Note::Hit {
        write_or_warn(engine, &message, (Kind::Click, target), visitor).await;
    }
    Ok(Some(target.clone()))
}

/// Notes that the picture was asked for. Whoever asked gets it whatever becomes of that.
pub async fn open(engine: &Engine, token: &str, visitor: &Visitor) {
    let Some(token) = Token::read(token).filter(|token| token.leads_to(&engine.keys, Purpose::Open, "")) else {
        return;
    };
    match stored::find_message(&engine.store.reader(), token.message).await {
        Ok(Some(message)) => write_or_warn(engine, &message, (Kind::Open, ""), visitor).await,
        Ok(None) => {}
        Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "an opened message cannot be looked up"),
    }
}

pub(super) async fn write_or_warn(engine: &Engine, message: &LinkedMessage, hit: (Kind, &str), visitor: &Visitor) {
    if let Err(error) = write(engine, message, hit, visitor).await {
        tracing::warn!(error = &error as &dyn std::error::Error, "a hit cannot be written down");
    }
}

/// The links of a message, of its page and of its text, each once.
fn targets_of(message: &LinkedMessage) -> Vec<String> {
    let mut targets = message.body_html.as_deref().map(links::of_page).unwrap_or_default();
    for target in links::of_text(&message.body) {
        if !targets.contains(&target) {
            targets.push(target);
        }
    }
    targets
}

async fn write(
    engine: &Engine,
    message: &LinkedMessage,
    (kind, link): (Kind, &str),
    visitor: &Visitor,
) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    let Some(was) = stored::lock(&mut tx, message).await? else { return tx.rollback().await };
    if was.hit_count >= stored::HITS_MAX {
        return tx.rollback().await;
    }
    let hit = to_hit(engine, (kind, link), visitor, now);
    metrics::counter!("leadline_message_hits_total", "kind" => kind.as_str()).increment(1);
    stored::insert_hit(&mut tx, message, &hit).await?;
    let hits = stored::list_hits(&mut tx, message.id).await?;
    let is = judge(&mut tx, message, &hits, was).await?;
    stored::write(&mut tx, message.id, &is).await?;
    tell(&mut tx, message, (&was, &is), now).await?;
    count(&mut tx, message, difference(&was, &is), now).await?;
    tx.commit().await?;
    engine.wake.events.notify_one();
    Ok(())
}

fn to_hit(engine: &Engine, (kind, link): (Kind, &str), visitor: &Visitor, now: Timestamp) -> Hit {
    let network = visitor.ip.and_then(|ip| engine.geo.look_up(ip).1);
    let agent: String = visitor.agent.chars().filter(|letter| !letter.is_control()).take(AGENT_MAX_CHARS).collect();
    let sign = hits::sign(&Request {
        kind,
        agent: &agent,
        is_prefetch: visitor.is_prefetch,
        network: network.as_ref().map(|network| network.kind),
    });
    Hit {
        id: HitId::new(now, random_bytes()),
        kind,
        link: link.to_owned(),
        agent,
        network: network.and_then(|network| network.organisation),
        sign,
        why: sign,
        hit_at: now,
    }
}

/// Judges all hits of a message anew, and gives what they come to.
async fn judge(tx: &mut Tx, message: &LinkedMessage, hits: &[Hit], was: Reactions) -> Result<Reactions, Error> {
    let sent = Sent {
        at: message.sent_at.unwrap_or_default(),
        delivered_at: message.delivered_at,
        links: targets_of(message).len(),
    };
    let plain: Vec<hits::Hit<'_>> =
        hits.iter().map(|hit| hits::Hit { kind: hit.kind, at: hit.hit_at, link: &hit.link, sign: hit.sign }).collect();
    let verdicts = hits::judge(sent, &plain);
    let changed: Vec<_> = hits
        .iter()
        .zip(&verdicts)
        .filter(|(hit, verdict)| hit.why != **verdict)
        .map(|(hit, verdict)| (hit.id, *verdict))
        .collect();
    stored::set_verdicts(tx, &changed).await?;
    let first = |kind: Kind, is_human: bool| {
        let of_kind = hits.iter().zip(&verdicts).filter(|(hit, why)| hit.kind == kind && why.is_none() == is_human);
        of_kind.map(|(hit, _)| hit.hit_at).min()
    };
    Ok(Reactions {
        human_open_at: first(Kind::Open, true),
        machine_open_at: first(Kind::Open, false),
        human_click_at: first(Kind::Click, true),
        machine_click_at: first(Kind::Click, false),
        hit_count: i64::try_from(hits.len()).unwrap_or(i64::MAX),
        ..was
    })
}

/// By how much figures change with the reactions to one message.
#[must_use]
pub fn difference(was: &Reactions, is: &Reactions) -> Figures {
    let step = |was: Option<Timestamp>, is: Option<Timestamp>| i64::from(is.is_some()) - i64::from(was.is_some());
    Figures {
        human_opens: step(was.human_open_at, is.human_open_at),
        machine_opens: step(was.machine_open_at, is.machine_open_at),
        human_clicks: step(was.human_click_at, is.human_click_at),
        machine_clicks: step(was.machine_click_at, is.machine_click_at),
        unsubscribed: step(was.unsubscribed_at, is.unsubscribed_at),
        replied: step(was.replied_at, is.replied_at),
        ..Figures::default()
    }
}

/// To which figures a message belongs, by the hour of what happened.
#[must_use]
pub fn group(message: &LinkedMessage, now: Timestamp) -> Group {
    let cause = match message.cause_kind.as_str() {
        "campaign" => "campaign",
        "automation" => "automation",
        _ => "user",
    };
    Group {
        workspace: message.workspace_id,
        subject: message.subject_id.unwrap_or(CauseId(message.workspace_id.0)),
        hour: Group::hour_of(now),
        step: message.step,
        channel: message.kind.as_str(),
        cause,
    }
}

pub(super) async fn count(tx: &mut Tx, message: &LinkedMessage, figures: Figures, now: Timestamp) -> Result<(), Error> {
    message_figures::add(tx, &BTreeMap::from([(group(message, now), figures)])).await
}

/// Tells of the first time that a person opened, or followed a link.
async fn tell(
    tx: &mut Tx,
    message: &LinkedMessage,
    (was, is): (&Reactions, &Reactions),
    now: Timestamp,
) -> Result<(), Error> {
    let mut kinds = Vec::new();
    if was.human_open_at.is_none() && is.human_open_at.is_some() {
        kinds.push("message.opened");
    }
    if was.human_click_at.is_none() && is.human_click_at.is_some() {
        kinds.push("message.clicked");
        let line = line(message, "message.clicked", now);
        events::insert_activities(tx, &[line]).await?;
    }
    let new: Vec<NewEvent> = kinds.into_iter().map(|kind| event(message, kind, now)).collect();
    events::append(tx, &new).await?;
    Ok(())
}

pub(super) fn line(message: &LinkedMessage, kind: &str, now: Timestamp) -> NewActivity {
    NewActivity {
        id: ActivityId::new(now, random_bytes()),
        workspace_id: message.workspace_id,
        lead_id: message.lead_id,
        kind: kind.to_owned(),
        actor_kind: "visitor",
        actor_id: None,
        actor_name: String::new(),
        data: json!({"messageId": message.id, "channel": message.kind}),
        created_at: now.0,
    }
}

pub(super) fn event(message: &LinkedMessage, kind: &str, now: Timestamp) -> NewEvent {
    NewEvent {
        id: EventId::new(now, random_bytes()),
        workspace_id: message.workspace_id,
        kind: kind.to_owned(),
        lead_id: Some(message.lead_id),
        submission_id: None,
        data: json!({
            "messageId": message.id,
            "leadId": message.lead_id,
            "contactId": message.contact_id,
            "conversationId": message.conversation_id,
            "channel": message.kind,
            "causeKind": message.cause_kind,
            "subjectId": message.subject_id,
        }),
        created_at: now.0,
        dispatched: false,
    }
}
