//! Whether somebody whom a sign-in provider vouches for comes in, and as whom.
//!
//! What names a person for good is the provider's subject. An address is believed once, when a subject is seen for the
//! first time: addresses are changed and given to others, and whoever has one now may not be who had it then.

use crate::{emails::Email, ids::UserId};

/// What a provider says of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vouched {
    /// Their address, as the provider writes it.
    pub email: Option<String>,
    /// Whether the provider says that it is theirs.
    pub is_verified: bool,
}

/// A user as far as they matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The user.
    pub user: UserId,
    /// Whether they are a member of the workspace.
    pub is_member: bool,
    /// Whether they belong to another workspace.
    pub is_elsewhere: bool,
    /// Whether they are kept from signing in.
    pub is_disabled: bool,
    /// Whether the provider knows them by a subject already.
    pub has_subject: bool,
}

/// What is known of whoever comes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// The user whom the provider knows by this subject.
    pub by_subject: Option<Known>,
    /// The user who has this address.
    pub by_email: Option<Known>,
    /// Whether the address was invited into the workspace.
    pub is_invited: bool,
    /// Whether everybody at the provider's domains may join.
    pub is_open: bool,
}

/// As whom somebody comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// As the user that the subject belongs to.
    Known(UserId),
    /// As the user with this address, whose subject it is from now on.
    Linked(UserId),
    /// As a user who belonged nowhere any more and was invited again.
    Again(UserId),
    /// As somebody new.
    New,
}

/// Why somebody does not come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The provider told no address.
    NoEmail,
    /// The provider does not say that the address is theirs.
    Unverified,
    /// The address is at another domain than those that the workspace takes.
    Domain,
    /// They are kept from signing in.
    Disabled,
    /// They were not invited.
    NotInvited,
    /// The provider knows the user with this address by another subject: the address was given to somebody else.
    OtherSubject,
    /// They belong to another workspace, which has not chosen this provider.
    Elsewhere,
}

impl Refused {
    /// A stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoEmail => "no_email",
            Self::Unverified => "email_unverified",
            Self::Domain => "other_domain",
            Self::Disabled => "disabled",
            Self::NotInvited => "not_invited",
            Self::OtherSubject => "other_subject",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// The address of somebody, where the workspace takes it.
///
/// # Errors
/// Where there is none, nobody verified it, or it is elsewhere.
pub fn address(vouched: &Vouched, domains: &[String]) -> Result<String, Refused> {
    let email = vouched.email.as_deref().and_then(Email::parse).ok_or(Refused::NoEmail)?;
    if !vouched.is_verified {
        return Err(Refused::Unverified);
    }
    // Exactly these: what lies below a domain may be somebody else's.
    if !domains.iter().any(|domain| domain == email.domain()) {
        return Err(Refused::Domain);
    }
    Ok(email.canonical)
}

/// As whom somebody comes in whose address the workspace takes.
///
/// # Errors
/// Where they do not.
pub fn decide(facts: &Facts) -> Result<Entry, Refused> {
    match (facts.by_subject, facts.by_email) {
        // They came before they belonged elsewhere; their session counts here alone.
        (Some(known), _) if known.is_member => {
            if known.is_disabled {
                Err(Refused::Disabled)
            } else {
                Ok(Entry::Known(known.user))
            }
        }
        (Some(known), _) if known.is_elsewhere => Err(Refused::NotInvited),
        // Whoever was removed stays removed until somebody asks them back, by the address that is theirs.
        (Some(known), other) => {
            let is_their_address = other.is_none_or(|other| other.user == known.user);
            if facts.is_invited && is_their_address { Ok(Entry::Again(known.user)) } else { Err(Refused::NotInvited) }
        }
        (None, Some(known)) if known.is_member || known.is_elsewhere => {
            may_be_linked(known)?;
            if known.has_subject { Err(Refused::OtherSubject) } else { Ok(Entry::Linked(known.user)) }
        }
        (None, Some(known)) => {
            if facts.is_invited {
                Ok(Entry::Again(known.user))
            } else {
                Err(Refused::NotInvited)
            }
        }
        (None, None) if facts.is_invited || facts.is_open => Ok(Entry::New),
        (None, None) => Err(Refused::NotInvited),
    }
}

/// Whoever runs a workspace's provider can be anybody in it. They must not become anybody elsewhere.
fn may_be_linked(known: Known) -> Result<(), Refused> {
    if known.is_elsewhere {
        return Err(Refused::Elsewhere);
    }
    if known.is_disabled { Err(Refused::Disabled) } else { Ok(()) }
}

/// Whether somebody may sign in with a password where the workspace wants its provider to be used. Without those who
/// may nobody could come in while the provider is down, or is set up wrongly.
#[must_use]
pub fn keeps_password(is_super_admin: bool, is_elsewhere: bool) -> bool {
    is_super_admin || is_elsewhere
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    const ANN: UserId = UserId(Uuid::from_u128(1));
    const BEN: UserId = UserId(Uuid::from_u128(2));

    const MEMBER: Known =
        Known { user: ANN, is_member: true, is_elsewhere: false, is_disabled: false, has_subject: false };
    const GONE: Known = Known { is_member: false, ..MEMBER };
    const OTHER: Known = Known { user: BEN, ..MEMBER };

    fn facts(by_subject: Option<Known>, by_email: Option<Known>, is_invited: bool, is_open: bool) -> Facts {
        Facts { by_subject, by_email, is_invited, is_open }
    }

    #[rstest]
    #[case::by_the_subject(facts(Some(MEMBER), None, false, false), Ok(Entry::Known(ANN)))]
    #[case::whatever_address_they_have_now(facts(Some(MEMBER), Some(OTHER), false, false), Ok(Entry::Known(ANN)))]
    #[case::by_the_address_once(facts(None, Some(MEMBER), false, false), Ok(Entry::Linked(ANN)))]
    #[case::an_address_given_to_another(
        facts(None, Some(Known { has_subject: true, ..MEMBER }), true, true),
        Err(Refused::OtherSubject)
    )]
    #[case::somebody_of_another_workspace(
        facts(None, Some(Known { is_elsewhere: true, ..MEMBER }), true, true),
        Err(Refused::Elsewhere)
    )]
    #[case::somebody_of_another_workspace_alone(
        facts(None, Some(Known { is_elsewhere: true, ..GONE }), true, true),
        Err(Refused::Elsewhere)
    )]
    #[case::somebody_who_is_elsewhere_too_since(
        facts(Some(Known { is_elsewhere: true, ..MEMBER }), None, false, false),
        Ok(Entry::Known(ANN))
    )]
    #[case::somebody_who_is_elsewhere_alone_since(
        facts(Some(Known { is_elsewhere: true, ..GONE }), None, true, true),
        Err(Refused::NotInvited)
    )]
    #[case::disabled(facts(Some(Known { is_disabled: true, ..MEMBER }), None, true, true), Err(Refused::Disabled))]
    #[case::disabled_and_unknown(facts(None, Some(Known { is_disabled: true, ..MEMBER }), true, true), Err(Refused::Disabled))]
    #[case::removed(facts(Some(GONE), Some(GONE), false, true), Err(Refused::NotInvited))]
    #[case::removed_before_they_ever_came(facts(None, Some(GONE), false, true), Err(Refused::NotInvited))]
    #[case::removed_and_invited_again(facts(Some(GONE), None, true, false), Ok(Entry::Again(ANN)))]
    #[case::invited_by_an_address_of_another(facts(Some(GONE), Some(OTHER), true, false), Err(Refused::NotInvited))]
    #[case::new(facts(None, None, false, true), Ok(Entry::New))]
    #[case::new_and_invited(facts(None, None, true, false), Ok(Entry::New))]
    #[case::new_and_not_invited(facts(None, None, false, false), Err(Refused::NotInvited))]
    fn who_comes_in(#[case] facts: Facts, #[case] expected: Result<Entry, Refused>) {
        assert_eq!(decide(&facts), expected);
    }

    #[rstest]
    #[case(Some("Ann@Example.com"), true, Ok("ann@example.com"))]
    #[case(Some("ann@example.com"), false, Err(Refused::Unverified))]
    #[case(Some("ann@sub.example.com"), true, Err(Refused::Domain))]
    #[case(Some("ann@example.com.evil.test"), true, Err(Refused::Domain))]
    #[case(Some("ann@evilexample.com"), true, Err(Refused::Domain))]
    #[case(Some("ann"), true, Err(Refused::NoEmail))]
    #[case(None, true, Err(Refused::NoEmail))]
    fn an_address_counts_where_it_is_verified_and_at_a_domain(
        #[case] email: Option<&str>,
        #[case] is_verified: bool,
        #[case] expected: Result<&str, Refused>,
    ) {
        let vouched = Vouched { email: email.map(str::to_owned), is_verified };

        assert_eq!(address(&vouched, &["example.com".to_owned()]).as_deref().map_err(|error| *error), expected);
    }
}
