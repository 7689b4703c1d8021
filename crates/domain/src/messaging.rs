//! Messages to the people behind leads: by which kind of channel, through which provider, how they fare, and whether one
//! may go out at all.

pub mod callbacks;
pub mod files;
pub mod hits;
pub mod incoming;
pub mod links;
pub mod rate;
pub mod sending;
pub mod status;
pub mod variables;

use serde::{Deserialize, Serialize};

pub use status::Status;

/// By which kind of channel a message reaches somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageChannel {
    /// WhatsApp, by phone number.
    Whatsapp,
    /// A text message, by phone number.
    Sms,
    /// E-mail.
    Email,
}

impl MessageChannel {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Whatsapp, Self::Sms, Self::Email];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Whatsapp => "whatsapp",
            Self::Sms => "sms",
            Self::Email => "email",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// How people call it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Whatsapp => "WhatsApp",
            Self::Sms => "SMS",
            Self::Email => "E-mail",
        }
    }
}

/// Who carries the messages of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// A phone and a mailbox inside Leadline, for trying things out.
    Sandbox,
    /// The WhatsApp Cloud API.
    Whatsapp,
    /// Text messages by Twilio.
    Twilio,
    /// Text messages by any gateway that takes HTTP.
    SmsHttp,
    /// E-mail by a server that speaks SMTP.
    Smtp,
}

impl Provider {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sandbox, Self::Whatsapp, Self::Twilio, Self::SmsHttp, Self::Smtp];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Whatsapp => "whatsapp",
            Self::Twilio => "twilio",
            Self::SmsHttp => "sms_http",
            Self::Smtp => "smtp",
        }
    }

    /// The provider of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    /// Which messages it carries.
    #[must_use]
    pub const fn carries(self) -> &'static [MessageChannel] {
        match self {
            Self::Sandbox => &MessageChannel::ALL,
            Self::Whatsapp => &[MessageChannel::Whatsapp],
            Self::Twilio | Self::SmsHttp => &[MessageChannel::Sms],
            Self::Smtp => &[MessageChannel::Email],
        }
    }
}

/// Whether a template may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Somebody is still writing it.
    Draft,
    /// Somebody is looking at it: Meta, or a colleague.
    Pending,
    /// It may be used.
    Approved,
    /// It may not.
    Rejected,
}

impl Approval {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Draft, Self::Pending, Self::Approved, Self::Rejected];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Pending => "pending",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|approval| approval.as_str() == name)
    }

    /// What a state at Meta comes to, and words for it where its name does not say why a template cannot be used.
    #[must_use]
    pub fn of_whatsapp(status: &str) -> (Self, Option<&'static str>) {
        match status.to_ascii_uppercase().as_str() {
            // Still sent, although people complained about it.
            "APPROVED" | "FLAGGED" | "REINSTATED" => (Self::Approved, None),
            "REJECTED" => (Self::Rejected, Some("Meta rejected it")),
            "PAUSED" => (Self::Rejected, Some("Meta paused it, since people complained about it")),
            "DISABLED" => (Self::Rejected, Some("Meta disabled it, since people complained about it")),
            "DELETED" | "PENDING_DELETION" => (Self::Rejected, Some("It was deleted at Meta")),
            _ => (Self::Pending, None),
        }
    }
}

/// A channel that may carry a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate<Id> {
    /// The channel.
    pub id: Id,
    /// Who carries its messages.
    pub provider: Provider,
    /// Whether it is switched on.
    pub is_active: bool,
}

/// The channel for messages of a kind, of those of a workspace, oldest first: the oldest that is switched on, and a
/// sandbox only where there is no other.
#[must_use]
pub fn choose<Id: Copy>(kind: MessageChannel, channels: &[Candidate<Id>]) -> Option<Id> {
    let fits = |channel: &&Candidate<Id>| channel.is_active && channel.provider.carries().contains(&kind);
    let real = channels.iter().filter(fits).find(|channel| channel.provider != Provider::Sandbox);
    real.or_else(|| channels.iter().find(fits)).map(|channel| channel.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        assert!(MessageChannel::ALL.into_iter().all(|kind| MessageChannel::parse(kind.as_str()) == Some(kind)));
        assert!(Provider::ALL.into_iter().all(|kind| Provider::parse(kind.as_str()) == Some(kind)));
        assert!(Approval::ALL.into_iter().all(|kind| Approval::parse(kind.as_str()) == Some(kind)));
    }

    #[test]
    fn a_sandbox_plays_only_what_nobody_else_carries() {
        let channel = |id, provider, is_active| Candidate { id, provider, is_active };
        let all = [
            channel(1, Provider::Sandbox, true),
            channel(2, Provider::Twilio, false),
            channel(3, Provider::SmsHttp, true),
            channel(4, Provider::Twilio, true),
        ];

        assert_eq!(choose(MessageChannel::Sms, &all), Some(3));
        assert_eq!(choose(MessageChannel::Email, &all), Some(1));
        assert_eq!(choose(MessageChannel::Whatsapp, &all[1..]), None);
    }
}
