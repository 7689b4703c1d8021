//! Whether a message may go out, and why not: decided anew in the moment in which it is sent, by what is true then.

use super::{Approval, MessageChannel, Provider};
use crate::time::{HOUR_MS, Timestamp};

/// How long WhatsApp lets a business answer in its own words after somebody wrote.
pub const WHATSAPP_WINDOW_MS: i64 = 24 * HOUR_MS;

/// What is known when a message is about to be sent.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// By which kind of channel.
    pub kind: MessageChannel,
    /// The channel that it would go by: who carries it, and whether it is switched on. None where there is none.
    pub channel: Option<(Provider, bool)>,
    /// Whether that channel was deleted.
    pub is_channel_deleted: bool,
    /// Whether the lead is there.
    pub has_lead: bool,
    /// The lead's e-mail address.
    pub email: Option<&'a str>,
    /// The lead's phone number.
    pub phone: Option<&'a str>,
    /// Where to send it, where that is no matter of the lead: an answer to whoever wrote.
    pub address: Option<&'a str>,
    /// Whether the person must not be written to.
    pub is_suppressed: bool,
    /// The template, where it is made of one: whether it is there, and whether it may be used.
    pub template: Template,
    /// When the person last wrote by this channel.
    pub last_inbound_at: Option<Timestamp>,
    /// What time it is.
    pub now: Timestamp,
}

/// The template of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Template {
    /// It has none: somebody wrote it.
    None,
    /// It had one that was deleted.
    Gone,
    /// This may be used, or not.
    There(Approval),
}

/// Why a message is not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Skip {
    /// No channel of the workspace carries such messages.
    #[error("no channel is set up for it")]
    NoChannel,
    /// The channel was deleted.
    #[error("the channel was deleted")]
    ChannelDeleted,
    /// The channel is switched off.
    #[error("the channel is switched off")]
    ChannelInactive,
    /// The channel does not carry such messages.
    #[error("the channel does not carry such messages")]
    ChannelMismatch,
    /// The lead was deleted.
    #[error("the lead was deleted")]
    LeadGone,
    /// The lead has no e-mail address.
    #[error("the lead has no e-mail address")]
    NoEmail,
    /// The lead has no phone number.
    #[error("the lead has no phone number")]
    NoPhone,
    /// The person does not want to be written to.
    #[error("the person is on the suppression list")]
    Suppressed,
    /// The template was deleted.
    #[error("the template was deleted")]
    TemplateGone,
    /// The template is not approved.
    #[error("the template is not approved")]
    TemplateNotApproved,
    /// WhatsApp takes only templates from businesses that nobody has written to for a day.
    #[error("the person has not written within 24 hours, so WhatsApp takes only an approved template")]
    WindowClosed,
    /// There is nothing to send.
    #[error("the message is empty")]
    Empty,
}

impl Skip {
    /// A stable name for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoChannel => "no_channel",
            Self::ChannelDeleted => "channel_deleted",
            Self::ChannelInactive => "channel_inactive",
            Self::ChannelMismatch => "channel_mismatch",
            Self::LeadGone => "lead_deleted",
            Self::NoEmail => "no_email",
            Self::NoPhone => "no_phone",
            Self::Suppressed => "suppressed",
            Self::TemplateGone => "template_deleted",
            Self::TemplateNotApproved => "template_not_approved",
            Self::WindowClosed => "window_closed",
            Self::Empty => "empty_message",
        }
    }
}

/// Where a message goes, unless something speaks against it.
///
/// # Errors
/// What speaks against it.
pub fn decide<'a>(facts: &Facts<'a>) -> Result<&'a str, Skip> {
    if !facts.has_lead && facts.address.is_none() {
        return Err(Skip::LeadGone);
    }
    let address = facts.address.map_or_else(|| of_lead(facts), Ok)?;
    if facts.is_channel_deleted {
        return Err(Skip::ChannelDeleted);
    }
    let (provider, is_active) = facts.channel.ok_or(Skip::NoChannel)?;
    if !is_active {
        return Err(Skip::ChannelInactive);
    }
    if !provider.carries().contains(&facts.kind) {
        return Err(Skip::ChannelMismatch);
    }
    match facts.template {
        Template::Gone => return Err(Skip::TemplateGone),
        Template::There(Approval::Approved) => {}
        Template::There(Approval::Draft | Approval::Pending | Approval::Rejected) => {
            return Err(Skip::TemplateNotApproved);
        }
        Template::None if provider == Provider::Whatsapp && !is_window_open(facts) => return Err(Skip::WindowClosed),
        Template::None => {}
    }
    if facts.is_suppressed {
        return Err(Skip::Suppressed);
    }
    Ok(address)
}

fn of_lead<'a>(facts: &Facts<'a>) -> Result<&'a str, Skip> {
    let there = |text: Option<&'a str>| text.map(str::trim).filter(|text| !text.is_empty());
    match facts.kind {
        MessageChannel::Whatsapp | MessageChannel::Sms => there(facts.phone).ok_or(Skip::NoPhone),
        MessageChannel::Email => there(facts.email).ok_or(Skip::NoEmail),
    }
}

fn is_window_open(facts: &Facts<'_>) -> bool {
    facts.last_inbound_at.is_some_and(|wrote| facts.now.ms_since(wrote) < WHATSAPP_WINDOW_MS)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp(1_000 * HOUR_MS);

    fn facts(kind: MessageChannel, provider: Provider) -> Facts<'static> {
        Facts {
            kind,
            channel: Some((provider, true)),
            is_channel_deleted: false,
            has_lead: true,
            email: Some("ada@example.com"),
            phone: Some("+491701234567"),
            address: None,
            is_suppressed: false,
            template: Template::None,
            last_inbound_at: None,
            now: NOW,
        }
    }

    fn sms() -> Facts<'static> {
        facts(MessageChannel::Sms, Provider::Twilio)
    }

    fn whatsapp() -> Facts<'static> {
        facts(MessageChannel::Whatsapp, Provider::Whatsapp)
    }

    #[rstest]
    #[case::sms(sms(), Ok("+491701234567"))]
    #[case::email(facts(MessageChannel::Email, Provider::Smtp), Ok("ada@example.com"))]
    #[case::an_answer_goes_where_the_question_came_from(
        Facts { address: Some("+491700000000"), has_lead: false, ..sms() }, Ok("+491700000000"))]
    #[case::no_phone(Facts { phone: Some(" "), ..sms() }, Err(Skip::NoPhone))]
    #[case::no_email(Facts { email: None, ..facts(MessageChannel::Email, Provider::Smtp) }, Err(Skip::NoEmail))]
    #[case::lead_gone(Facts { has_lead: false, ..sms() }, Err(Skip::LeadGone))]
    #[case::no_channel(Facts { channel: None, ..sms() }, Err(Skip::NoChannel))]
    #[case::deleted(Facts { is_channel_deleted: true, ..sms() }, Err(Skip::ChannelDeleted))]
    #[case::switched_off(Facts { channel: Some((Provider::Twilio, false)), ..sms() }, Err(Skip::ChannelInactive))]
    #[case::another_kind(Facts { channel: Some((Provider::Smtp, true)), ..sms() }, Err(Skip::ChannelMismatch))]
    #[case::template_gone(Facts { template: Template::Gone, ..sms() }, Err(Skip::TemplateGone))]
    #[case::rejected(Facts { template: Template::There(Approval::Rejected), ..sms() }, Err(Skip::TemplateNotApproved))]
    #[case::draft(Facts { template: Template::There(Approval::Draft), ..sms() }, Err(Skip::TemplateNotApproved))]
    #[case::suppressed(Facts { is_suppressed: true, ..sms() }, Err(Skip::Suppressed))]
    #[case::window_never_open(whatsapp(), Err(Skip::WindowClosed))]
    #[case::window_open(
        Facts { last_inbound_at: Some(NOW.plus_ms(1 - WHATSAPP_WINDOW_MS)), ..whatsapp() }, Ok("+491701234567"))]
    #[case::window_closed(
        Facts { last_inbound_at: Some(NOW.plus_ms(-WHATSAPP_WINDOW_MS)), ..whatsapp() }, Err(Skip::WindowClosed))]
    #[case::a_template_needs_no_window(
        Facts { template: Template::There(Approval::Approved), ..whatsapp() }, Ok("+491701234567"))]
    #[case::a_sandbox_has_no_window(facts(MessageChannel::Whatsapp, Provider::Sandbox), Ok("+491701234567"))]
    fn what_speaks_against_a_message_is_named(#[case] facts: Facts<'_>, #[case] expected: Result<&str, Skip>) {
        assert_eq!(decide(&facts), expected);
    }
}
