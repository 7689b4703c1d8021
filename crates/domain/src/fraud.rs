//! When a submission is held back, so that a person decides about it, and how often a visitor came lately.
//!
//! Only what a browser sends is ever held back: a program at a webhook or the API has a key and a sender that is known.
//! Where settings and facts come from is not known here.

use crate::time::{DAY_MS, Timestamp};

/// Why a submission is in quarantine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// It filled a field that people do not see.
    Honeypot,
    /// Too many came from its address.
    RateLimited,
    /// It is more suspicious than the workspace lets in.
    Suspicion,
}

impl HoldReason {
    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Honeypot => "honeypot",
            Self::RateLimited => "rate_limited",
            Self::Suspicion => "suspicion",
        }
    }
}

/// What holding back is decided by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HoldFacts {
    /// A browser sent it.
    pub is_from_browser: bool,
    /// Its address is on the list of those that always come through, or a person let it out.
    pub is_trusted: bool,
    /// The honeypot was filled, and detection is on.
    pub honeypot_caught: bool,
    /// Too many came from its address.
    pub is_rate_limited: bool,
    /// How suspicious it is.
    pub suspicion: i32,
    /// From how much suspicion on the workspace holds submissions back; `None` for never.
    pub hold_at: Option<i32>,
}

/// Whether a submission is held back, and why: the reason that says most.
#[must_use]
pub fn hold(facts: &HoldFacts) -> Option<HoldReason> {
    if !facts.is_from_browser || facts.is_trusted {
        return None;
    }
    if facts.honeypot_caught {
        return Some(HoldReason::Honeypot);
    }
    if facts.is_rate_limited {
        return Some(HoldReason::RateLimited);
    }
    let is_too_suspicious = facts.hold_at.is_some_and(|limit| facts.suspicion >= limit);
    is_too_suspicious.then_some(HoldReason::Suspicion)
}

/// The last two times somebody was seen. More are not needed: three in a day is as many as count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visits {
    /// The later one.
    pub last: Timestamp,
    /// The one before it.
    pub previous: Option<Timestamp>,
}

impl Visits {
    /// With one more, in whichever order they become known: what waited in a spool is older than what came since.
    #[must_use]
    pub fn with(before: Option<Self>, at: Timestamp) -> Self {
        match before {
            None => Self { last: at, previous: None },
            Some(seen) if at >= seen.last => Self { last: at, previous: Some(seen.last) },
            Some(seen) => Self { last: seen.last, previous: Some(seen.previous.map_or(at, |other| other.max(at))) },
        }
    }

    /// How many there were in the 24 hours up to and with a further one at `now`, counting to three.
    #[must_use]
    pub fn in_24h(before: Option<Self>, now: Timestamp) -> u32 {
        let is_recent = |at: &Timestamp| *at <= now && now.ms_since(*at) < DAY_MS;
        let seen = before.map_or([None, None], |seen| [Some(seen.last), seen.previous]);
        let recent = seen.iter().flatten().filter(|at| is_recent(at)).count();
        1 + u32::try_from(recent).unwrap_or(u32::MAX - 1)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const BROWSER: HoldFacts = HoldFacts {
        is_from_browser: true,
        is_trusted: false,
        honeypot_caught: false,
        is_rate_limited: false,
        suspicion: 0,
        hold_at: None,
    };

    #[rstest]
    #[case(BROWSER, None)]
    #[case(HoldFacts { honeypot_caught: true, ..BROWSER }, Some(HoldReason::Honeypot))]
    #[case(HoldFacts { honeypot_caught: true, is_rate_limited: true, ..BROWSER }, Some(HoldReason::Honeypot))]
    #[case(HoldFacts { is_rate_limited: true, ..BROWSER }, Some(HoldReason::RateLimited))]
    #[case(HoldFacts { suspicion: 100, ..BROWSER }, None)]
    #[case(HoldFacts { suspicion: 59, hold_at: Some(60), ..BROWSER }, None)]
    #[case(HoldFacts { suspicion: 60, hold_at: Some(60), ..BROWSER }, Some(HoldReason::Suspicion))]
    #[case(HoldFacts { honeypot_caught: true, is_trusted: true, ..BROWSER }, None)]
    #[case(HoldFacts { honeypot_caught: true, is_from_browser: false, ..BROWSER }, None)]
    #[case(HoldFacts { suspicion: 100, hold_at: Some(1), is_from_browser: false, ..BROWSER }, None)]
    fn what_is_held_back_and_why(#[case] facts: HoldFacts, #[case] expected: Option<HoldReason>) {
        assert_eq!(hold(&facts), expected);
    }

    const NOW: i64 = 10 * DAY_MS;

    #[rstest]
    #[case(&[], 1)]
    #[case(&[NOW - 1], 2)]
    #[case(&[NOW - DAY_MS + 1], 2)]
    #[case(&[NOW - DAY_MS], 1)]
    #[case(&[NOW - 2, NOW - 1], 3)]
    #[case(&[NOW - 1, NOW - 2], 3)]
    #[case(&[NOW - 3, NOW - 2, NOW - 1], 3)]
    #[case(&[NOW - DAY_MS, NOW - 1], 2)]
    #[case(&[NOW - 1, NOW - DAY_MS, NOW - 2], 3)]
    #[case(&[NOW + 1], 1)]
    fn visits_within_a_day_are_counted_to_three(#[case] seen: &[i64], #[case] expected: u32) {
        let before = seen.iter().fold(None, |before, at| Some(Visits::with(before, Timestamp(*at))));

        assert_eq!(Visits::in_24h(before, Timestamp(NOW)), expected);
    }
}
