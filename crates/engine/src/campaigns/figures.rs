//! Counting what became of messages, whatever caused them: heard in dispatch, in the transaction that hears it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use leadline_domain::{
    ids::{CampaignId, CauseId, ConversationId, WorkspaceId},
    messaging::{MessageChannel, Status},
};
use leadline_store::{
    Error, Tx,
    events::Event,
    links,
    message_figures::{self, Figures, Group},
};

use crate::{Engine, links::hits};

/// What a campaign's events come to in one dispatch.
#[derive(Debug, Default)]
pub struct Told {
    /// Campaigns of which something is told.
    pub campaigns: BTreeSet<(WorkspaceId, CampaignId)>,
    /// How many of the events are about their messages.
    pub count: usize,
}

/// Whether an event is about a message of a campaign.
#[must_use]
pub fn is_of_campaign(event: &Event) -> bool {
    event.kind.starts_with("message.") && event.data["causeKind"] == "campaign"
}

/// Counts what these events tell of messages.
pub(crate) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event]) -> Result<Told, Error> {
    let mut groups: BTreeMap<Group, Figures> = BTreeMap::new();
    let mut told = Told::default();
    let runs: BTreeSet<CauseId> = events
        .iter()
        .filter(|event| event.kind.starts_with("message.") && event.data["causeKind"] == "automation")
        .filter_map(|event| id_of(event, "causeId"))
        .collect();
    let automations: HashMap<CauseId, CauseId> =
        message_figures::automations_of(tx, &runs.into_iter().collect::<Vec<_>>()).await?.into_iter().collect();
    for event in events {
        if is_of_campaign(event) {
            told.count += 1;
            let subject: Option<CauseId> = id_of(event, "causeId").or_else(|| id_of(event, "subjectId"));
            told.campaigns.extend(subject.map(|id| (event.workspace_id, CampaignId(id.0))));
        }
        if let Some((group, figures)) = moved(event, &automations) {
            groups.entry(group).or_default().add(figures);
        }
    }
    answered(engine, tx, events, &mut groups, &mut told).await?;
    message_figures::add(tx, &groups).await?;
    Ok(told)
}

fn id_of<T: std::str::FromStr>(event: &Event, name: &str) -> Option<T> {
    event.data[name].as_str()?.parse().ok()
}

/// What the move of one message adds, and to which figures.
fn moved(event: &Event, automations: &HashMap<CauseId, CauseId>) -> Option<(Group, Figures)> {
    let status = |name: &str| event.data[name].as_str().and_then(Status::parse);
    let (from, to) = (status("from")?, status("status")?);
    let channel = event.data["channel"].as_str().and_then(MessageChannel::parse)?;
    let by_hand = (CauseId(event.workspace_id.0), "user");
    let (subject, cause) = match event.data["causeKind"].as_str() {
        Some("campaign") => (id_of(event, "causeId")?, "campaign"),
        Some("automation") => (*automations.get(&id_of::<CauseId>(event, "causeId")?)?, "automation"),
        _ => by_hand,
    };
    let group = Group {
        workspace: event.workspace_id,
        subject,
        hour: Group::hour_of(event.created_at),
        step: event.data["step"].as_i64().unwrap_or_default(),
        channel: channel.as_str(),
        cause,
    };
    Some((group, reached(from, to)))
}

/// What a message reaches for the first time when it moves from one status to another, and what it is no more.
fn reached(from: Status, to: Status) -> Figures {
    let is_out = |status| matches!(status, Status::Sent | Status::Delivered | Status::Read);
    let has_arrived = |status| matches!(status, Status::Delivered | Status::Read);
    let step = |is: bool, was: bool| i64::from(is) - i64::from(was);
    Figures {
        // What a provider took and could not deliver was sent all the same.
        sent: i64::from(is_out(to) && !is_out(from) && from != Status::Failed),
        delivered: i64::from(has_arrived(to) && !has_arrived(from)),
        seen: i64::from(to == Status::Read && from != Status::Read),
        failed: step(to == Status::Failed, from == Status::Failed),
        unclear: step(to == Status::Unknown, from == Status::Unknown),
        skipped: step(to == Status::Skipped, from == Status::Skipped),
        ..Figures::default()
    }
}

/// Whoever writes back answers the latest message of a campaign or an automation in their conversation.
async fn answered(
    engine: &Engine,
    tx: &mut Tx,
    events: &[Event],
    groups: &mut BTreeMap<Group, Figures>,
    told: &mut Told,
) -> Result<(), Error> {
    let now = engine.clock.now();
    let conversations: BTreeSet<ConversationId> = events
        .iter()
        .filter(|event| event.kind == "message.received")
        .filter_map(|event| id_of(event, "conversationId"))
        .collect();
    let mut messages = Vec::new();
    for conversation in conversations {
        messages.extend(links::find_answered(tx, conversation).await?);
    }
    // Whoever holds several of these rows takes them in one order.
    messages.sort_by_key(|message| message.id);
    for message in messages {
        let Some(was) = links::lock(tx, &message).await? else { continue };
        let is = links::Reactions { replied_at: was.replied_at.or(Some(now)), ..was };
        if is == was {
            continue;
        }
        links::write(tx, message.id, &is).await?;
        groups.entry(hits::group(&message, now)).or_default().add(hits::difference(&was, &is));
        if message.cause_kind == "campaign" {
            told.campaigns.extend(message.subject_id.map(|id| (message.workspace_id, CampaignId(id.0))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of a message that moved like this.
    fn after(statuses: &[Status]) -> Figures {
        let mut figures = Figures::default();
        statuses.windows(2).for_each(|step| figures.add(reached(step[0], step[1])));
        figures
    }

    #[test]
    fn a_message_counts_once_however_it_moves() {
        use Status::{Delivered, Failed, Queued, Read, Sending, Sent, Skipped, Unknown};
        let none = Figures::default();
        let cases: [(&[Status], Figures); 8] = [
            (&[Sending, Sent, Delivered, Read], Figures { sent: 1, delivered: 1, seen: 1, ..none }),
            (&[Sending, Read], Figures { sent: 1, delivered: 1, seen: 1, ..none }),
            (&[Sending, Delivered, Read], Figures { sent: 1, delivered: 1, seen: 1, ..none }),
            (&[Sending, Failed], Figures { failed: 1, ..none }),
            (&[Sending, Sent, Failed], Figures { sent: 1, failed: 1, ..none }),
            (&[Sending, Sent, Failed, Delivered], Figures { sent: 1, delivered: 1, ..none }),
            (&[Sending, Unknown, Sent], Figures { sent: 1, ..none }),
            (&[Queued, Skipped], Figures { skipped: 1, ..none }),
        ];

        for (statuses, expected) in cases {
            assert_eq!(after(statuses), expected, "{statuses:?}");
        }
    }
}
