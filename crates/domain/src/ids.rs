//! Identifiers: one newtype for each kind of thing, all of them UUIDs made by us and never by the database.
//!
//! They read and write as hyphenated lower-case text everywhere outside. New ones are version 7, so that rows come in
//! the order of their making; [`derived`] makes one from what it stands for, so that a repeat names the same thing.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// An id of any kind, for code that treats them alike (the store's parameters).
pub trait Id: Copy {
    /// The bare UUID.
    fn uuid(self) -> Uuid;
    /// The id that this UUID is.
    fn from_uuid(uuid: Uuid) -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id, made at `now` from 10 random bytes.
            #[must_use]
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                Self(version_7(now, random))
            }
        }

        impl Id for $name {
            fn uuid(self) -> Uuid { self.0 }
            fn from_uuid(uuid: Uuid) -> Self { Self(uuid) }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { self.0.hyphenated().fmt(f) }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> { text.parse().map(Self) }
        }
    )*};
}

ids! {
    /// Something to be fetched from a provider: a lead that it gave notice of, or the leads of a form.
    FetchId;
    /// A tenant.
    WorkspaceId;
    /// Someone who signs in.
    UserId;
    /// A session or a personal token.
    CredentialId;
    /// What leads are about; identity is resolved inside one.
    ProjectId;
    /// What lets leads in: a form, an inbound webhook.
    SourceId;
    /// A web site that carries the embed script.
    SiteId;
    /// A person.
    ContactId;
    /// A person's interest in one project.
    LeadId;
    /// One accepted capture; also its receipt.
    SubmissionId;
    /// An ordered set of stages.
    PipelineId;
    /// A column of the board.
    StageId;
    /// A row of a lead's timeline.
    ActivityId;
    /// A row of the event log.
    EventId;
    /// An outside endpoint.
    DestinationId;
    /// One event to one destination.
    DeliveryId;
    /// One HTTP try of a delivery.
    AttemptId;
    /// A thread of messages with one person.
    ConversationId;
    /// One message of a conversation.
    MessageId;
    /// A delta of the number of leads in a stage.
    StageCountId;
    /// Something that somebody should look at.
    AlertId;
    /// An e-mail to somebody who works here.
    MailId;
    /// A range of addresses that is blocked.
    BlockedIpId;
    /// A request that came from a blocked address.
    BlockedAttemptId;
    /// A re-score of a workspace's leads.
    RescoreId;
    /// A row that holds something sealed, whatever it is a row of.
    SealedRowId;
    /// Many deliveries that are sent again.
    ReplayId;
    /// A saved view of leads.
    LeadViewId;
    /// Long work that somebody asked for.
    JobId;
    /// Leads of which some conditions hold, and the people behind them.
    SegmentId;
    /// A file of leads.
    ImportId;
    /// Two leads that became one.
    MergeId;
    /// A role that a workspace made.
    RoleId;
    /// Somebody who was asked to join a workspace.
    InvitationId;
    /// A row of the audit log.
    AuditId;
    /// Somebody who must not be written to.
    SuppressionId;
    /// What somebody agreed to.
    ConsentId;
    /// Who gets which new leads.
    AssignmentRuleId;
    /// Something that somebody means to do.
    TaskId;
    /// Something that one user should look at.
    PersonalAlertId;
    /// An account by which messages go out and come in.
    ChannelId;
    /// A text that messages are made of.
    MessageTemplateId;
    /// What made a message be sent: a run of an automation, a campaign, what somebody sent at once.
    CauseId;
    /// A text that somebody answers with often.
    CannedReplyId;
    /// A file of a message.
    AttachmentId;
    /// People that a campaign may go to.
    AudienceId;
    /// What messages leads get by themselves.
    AutomationId;
    /// A lead on its way through an automation.
    RunId;
    /// A message to very many people.
    CampaignId;
    /// One request of a link or a picture of a message.
    HitId;
}

fn version_7(now: Timestamp, random: [u8; 10]) -> Uuid {
    let millis = u64::try_from(now.0).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The id that stands for `parts`: the same parts give the same id, on every node and after every restart.
///
/// It carries version 7 so that it fits wherever ids go, but its time is part of the hash: nothing may read a time out
/// of it.
#[must_use]
pub fn derived(purpose: &str, parts: &[&[u8]]) -> Uuid {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut bytes = [0u8; 16];
    hasher.finalize_xof().fill(&mut bytes);
    uuid::Builder::from_bytes(bytes)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::SortRand)
        .into_uuid()
}

/// The receipt of a submission that carries its own key: the same key on the same source is the same submission.
#[must_use]
pub fn submission_for_key(source: Uuid, key: &str) -> SubmissionId {
    SubmissionId(derived("leadline submission key v1", &[source.as_bytes(), key.trim().as_bytes()]))
}

/// The delivery of one event to one destination. Derived from the submission where there is one, so that a spooled
/// submission and its replay name the same delivery.
#[must_use]
pub fn delivery_for(origin: Uuid, destination: DestinationId) -> DeliveryId {
    DeliveryId(derived("leadline delivery v1", &[origin.as_bytes(), destination.0.as_bytes()]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_ids_are_version_7_and_sort_by_time() {
        let earlier = LeadId::new(Timestamp(1_000), [0xff; 10]);
        let later = LeadId::new(Timestamp(1_001), [0; 10]);

        assert_eq!(earlier.0.get_version_num(), 7);
        assert!(earlier < later);
    }

    #[test]
    fn the_same_key_on_the_same_source_is_the_same_submission() {
        let source = Uuid::from_u128(1);

        assert_eq!(submission_for_key(source, "a"), submission_for_key(source, " a "));
        assert_ne!(submission_for_key(source, "a"), submission_for_key(Uuid::from_u128(2), "a"));
        assert_ne!(derived("p", &[b"ab", b"c"]), derived("p", &[b"a", b"bc"]));
    }

    #[test]
    fn ids_read_back_from_their_text() {
        let id = LeadId::new(Timestamp(1_700_000_000_000), [7; 10]);

        assert_eq!(id.to_string().parse::<LeadId>().ok(), Some(id));
    }
}
