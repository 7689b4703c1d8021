//! Who a submission comes from: a lead of the same project that is known already, or somebody new.
//!
//! The order is the provider's record, visitor, e-mail, phone, IP. A visitor id or an IP address may be shared, so a
//! match by one of them is refused where both sides carry a different e-mail or a different phone. Every answer comes
//! with its reason, which is stored with the submission and shown.

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// What a person can be known by, in the order in which it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Key {
    /// The id that the provider of an inbound webhook gave the lead.
    Record,
    /// The id that the embed script gave the browser.
    Visitor,
    /// The canonical e-mail address.
    Email,
    /// The phone number in E.164.
    Phone,
    /// The IP address: browser submissions only, and only for a while.
    Ip,
}

impl Key {
    /// All of them, in the order in which they count.
    pub const ALL: [Self; 5] = [Self::Record, Self::Visitor, Self::Email, Self::Phone, Self::Ip];

    /// How it is stored and shown.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Visitor => "visitor",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Ip => "ip",
        }
    }

    /// Whether several people may share it.
    fn may_be_shared(self) -> bool {
        match self {
            Self::Visitor | Self::Ip => true,
            Self::Record | Self::Email | Self::Phone => false,
        }
    }
}

/// The e-mail and phone that one side carries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Contact<'a> {
    /// The canonical e-mail address.
    pub email: Option<&'a str>,
    /// The phone number in E.164.
    pub phone: Option<&'a str>,
}

/// A lead that one of the submission's keys names.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a, L> {
    /// The lead.
    pub lead: L,
    /// What it carries.
    pub contact: Contact<'a>,
    /// When this key was last seen with it.
    pub seen_at: Timestamp,
}

/// Why a match was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Both sides carry an e-mail, and not the same.
    EmailDiffers,
    /// Both sides carry a phone, and not the same.
    PhoneDiffers,
    /// The IP address was last seen too long ago.
    TooLongAgo,
}

/// A match that was refused, for the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// By which key it was found.
    pub by: Key,
    /// Why it was refused.
    pub because: Because,
}

/// What was decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision<L> {
    /// The lead and the key that found it; `None` for somebody new.
    pub found: Option<(L, Key)>,
    /// What was looked at before and refused.
    pub refused: Vec<Refused>,
}

/// Decides whose submission it is. `candidate` tells whom a key of the submission names, and is asked in the order of
/// [`Key::ALL`]; a key that the submission does not carry names nobody. `ip_window_ms` of 0 switches matching by IP
/// off.
pub fn decide<'a, L: Copy>(
    ours: Contact<'_>,
    now: Timestamp,
    ip_window_ms: i64,
    mut candidate: impl FnMut(Key) -> Option<Candidate<'a, L>>,
) -> Decision<L> {
    let mut refused = Vec::new();
    for by in Key::ALL {
        let Some(theirs) = candidate(by) else { continue };
        match objection(by, ours, &theirs, now, ip_window_ms) {
            Some(because) => refused.push(Refused { by, because }),
            None => return Decision { found: Some((theirs.lead, by)), refused },
        }
    }
    Decision { found: None, refused }
}

fn objection<L>(
    by: Key,
    ours: Contact<'_>,
    theirs: &Candidate<'_, L>,
    now: Timestamp,
    ip_window_ms: i64,
) -> Option<Because> {
    if by == Key::Ip && now.ms_since(theirs.seen_at) >= ip_window_ms {
        return Some(Because::TooLongAgo);
    }
    if !by.may_be_shared() {
        return None;
    }
    if differ(ours.email, theirs.contact.email) {
        return Some(Because::EmailDiffers);
    }
    if differ(ours.phone, theirs.contact.phone) {
        return Some(Because::PhoneDiffers);
    }
    None
}

fn differ(ours: Option<&str>, theirs: Option<&str>) -> bool {
    matches!((ours, theirs), (Some(ours), Some(theirs)) if ours != theirs)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const WINDOW: i64 = 30 * crate::time::MINUTE_MS;
    const NOW: Timestamp = Timestamp(1_000 * WINDOW);

    fn known(lead: u8, email: Option<&'static str>, phone: Option<&'static str>) -> Candidate<'static, u8> {
        Candidate { lead, contact: Contact { email, phone }, seen_at: NOW }
    }

    /// Who is found when the keys `v e p i` name the leads 1 to 4, and what each of those carries. The key `r` names
    /// lead 5, which carries another e-mail and another phone.
    #[rstest]
    #[case::everything_agrees("vepi", (Some("a"), Some("1")), [(Some("a"), Some("1")); 4], Some((1, Key::Visitor)), &[])]
    #[case::email_comes_before_phone("ep", (Some("a"), Some("1")), [(Some("a"), Some("1")); 4], Some((2, Key::Email)), &[])]
    #[case::phone_comes_before_ip("pi", (Some("a"), Some("1")), [(None, None); 4], Some((3, Key::Phone)), &[])]
    #[case::ip_alone("i", (None, None), [(None, None); 4], Some((4, Key::Ip)), &[])]
    #[case::ip_with_one_side_empty("i", (Some("a"), None), [(None, Some("1")); 4], Some((4, Key::Ip)), &[])]
    #[case::nobody("", (Some("a"), Some("1")), [(None, None); 4], None, &[])]
    #[case::shared_browser_other_email("v", (Some("b"), None), [(Some("a"), None); 4], None, &[(Key::Visitor, Because::EmailDiffers)])]
    #[case::shared_browser_other_phone("v", (None, Some("2")), [(Some("a"), Some("1")); 4], None, &[(Key::Visitor, Because::PhoneDiffers)])]
    #[case::same_email_other_phone("v", (Some("a"), Some("2")), [(Some("a"), Some("1")); 4], None, &[(Key::Visitor, Because::PhoneDiffers)])]
    #[case::refused_visitor_then_email("ve", (Some("b"), None), [(Some("a"), None), (Some("b"), None), (None, None), (None, None)], Some((2, Key::Email)), &[(Key::Visitor, Because::EmailDiffers)])]
    #[case::email_is_never_refused("e", (Some("a"), Some("2")), [(Some("a"), Some("1")); 4], Some((2, Key::Email)), &[])]
    #[case::phone_is_never_refused("p", (Some("b"), Some("1")), [(Some("a"), Some("1")); 4], Some((3, Key::Phone)), &[])]
    #[case::shared_network("i", (Some("b"), None), [(Some("a"), None); 4], None, &[(Key::Ip, Because::EmailDiffers)])]
    #[case::all_shared_keys_refused("vi", (Some("b"), None), [(Some("a"), None); 4], None, &[(Key::Visitor, Because::EmailDiffers), (Key::Ip, Because::EmailDiffers)])]
    #[case::record_comes_before_visitor("rve", (Some("a"), Some("1")), [(Some("a"), Some("1")); 4], Some((5, Key::Record)), &[])]
    fn the_decision_table(
        #[case] keys: &str,
        #[case] ours: (Option<&'static str>, Option<&'static str>),
        #[case] theirs: [(Option<&'static str>, Option<&'static str>); 4],
        #[case] found: Option<(u8, Key)>,
        #[case] refused: &[(Key, Because)],
    ) {
        let ours = Contact { email: ours.0, phone: ours.1 };

        let decision = decide(ours, NOW, WINDOW, |by| {
            let (letter, lead, (email, phone)) = match by {
                Key::Visitor => ("v", 1, theirs[0]),
                Key::Email => ("e", 2, theirs[1]),
                Key::Phone => ("p", 3, theirs[2]),
                Key::Ip => ("i", 4, theirs[3]),
                Key::Record => ("r", 5, (Some("z"), Some("9"))),
            };
            keys.contains(letter).then(|| known(lead, email, phone))
        });

        assert_eq!(decision.found, found);
        let refused: Vec<Refused> =
            refused.iter().map(|(by, because)| Refused { by: *by, because: *because }).collect();
        assert_eq!(decision.refused, refused);
    }

    #[rstest]
    #[case::just_inside(WINDOW - 1, WINDOW, true)]
    #[case::just_outside(WINDOW, WINDOW, false)]
    #[case::switched_off(0, 0, false)]
    fn an_ip_counts_only_inside_its_window(#[case] age_ms: i64, #[case] window_ms: i64, #[case] matches: bool) {
        let old = Candidate { lead: 4u8, contact: Contact::default(), seen_at: NOW.plus_ms(-age_ms) };

        let decision = decide(Contact::default(), NOW, window_ms, |by| (by == Key::Ip).then_some(old));

        assert_eq!(decision.found.is_some(), matches);
    }
}
