//! When a delivery is tried again.
//!
//! Decided from the plan, the number of the attempt and what came of it. Sending, and remembering what was decided,
//! is the engine's.

use chrono::DateTime;

use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// The waits before the retries of the fast phase.
const FAST_MS: [i64; 3] = [SECOND_MS, 2 * SECOND_MS, 4 * SECOND_MS];

/// The waits before the retries of the slow phase.
const SLOW_MS: [i64; 6] = [MINUTE_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 6 * HOUR_MS, DAY_MS];

/// A receiver cannot put us off for longer than this at a time.
const RETRY_AFTER_MAX_MS: i64 = DAY_MS;

/// How stubbornly a destination is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RetryPlan {
    /// Seconds, then minutes and hours.
    Standard,
    /// Three retries within seconds.
    Fast,
    /// Once.
    None,
}

impl RetryPlan {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Fast, Self::None];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Fast => "fast",
            Self::None => "none",
        }
    }

    /// The plan of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plan| plan.as_str() == name)
    }

    /// How often a delivery is tried, the first time included.
    #[must_use]
    pub const fn attempts_max(self) -> usize {
        match self {
            Self::Standard => 1 + FAST_MS.len() + SLOW_MS.len(),
            Self::Fast => 1 + FAST_MS.len(),
            Self::None => 1,
        }
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered.
    Status {
        /// With this status.
        code: u16,
        /// And asked to wait for so long.
        retry_after_ms: Option<i64>,
    },
    /// The receiver answered with a status of success and refused in words what it was sent.
    Declined {
        /// After which time it may think otherwise; `None` where it will not.
        retry_after_ms: Option<i64>,
    },
    /// No connection, or it broke.
    NetworkError,
    /// No answer in time.
    Timeout,
    /// The guard did not let us connect to this address.
    Refused,
}

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It arrived.
    Delivered,
    /// Another attempt.
    Retry {
        /// Not before then.
        at: Timestamp,
    },
    /// A dead letter.
    GiveUp {
        /// The receiver said that it is gone for good.
        disable_destination: bool,
    },
}

/// Judges attempt `attempt_number` (the first is 1) that has just been made.
///
/// `jitter`, 0 to 999, lengthens the waits of the slow phase by up to a tenth, so that the deliveries that failed
/// together do not come back together.
#[must_use]
pub fn judge(plan: RetryPlan, attempt_number: u32, outcome: &Outcome, now: Timestamp, jitter: u16) -> Verdict {
    let retry_after_ms = match class_of(outcome) {
        Class::Delivered => return Verdict::Delivered,
        Class::Refused => return Verdict::GiveUp { disable_destination: false },
        Class::Gone => return Verdict::GiveUp { disable_destination: true },
        Class::Passing { retry_after_ms } => retry_after_ms.clamp(0, RETRY_AFTER_MAX_MS),
    };
    match planned_wait_ms(plan, attempt_number, jitter) {
        Some(wait_ms) => Verdict::Retry { at: now.plus_ms(wait_ms.max(retry_after_ms)) },
        None => Verdict::GiveUp { disable_destination: false },
    }
}

/// Judges the probe of a destination whose deliveries are held back: what would be tried again waits on, with all of its
/// plan.
#[must_use]
pub fn judge_probe(outcome: &Outcome, now: Timestamp) -> Verdict {
    match class_of(outcome) {
        Class::Delivered => Verdict::Delivered,
        Class::Passing { .. } => Verdict::Retry { at: now },
        Class::Refused => Verdict::GiveUp { disable_destination: false },
        Class::Gone => Verdict::GiveUp { disable_destination: true },
    }
}

/// Reads a `Retry-After` header, seconds or a date, as milliseconds from `now`.
#[must_use]
pub fn parse_retry_after(header: &str, now: Timestamp) -> Option<i64> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds = header.parse::<i64>().unwrap_or(i64::MAX);
        return Some(seconds.saturating_mul(SECOND_MS));
    }
    let date = DateTime::parse_from_rfc2822(header).ok()?;
    Some(Timestamp(date.timestamp_millis()).ms_since(now).max(0))
}

/// What an outcome means for the next attempt.
enum Class {
    Delivered,
    /// Another attempt may go better.
    Passing {
        retry_after_ms: i64,
    },
    /// Another attempt would go no better.
    Refused,
    Gone,
}

fn class_of(outcome: &Outcome) -> Class {
    match *outcome {
        Outcome::Status { code, retry_after_ms } => class_of_status(code, retry_after_ms.unwrap_or(0)),
        Outcome::Declined { retry_after_ms: Some(retry_after_ms) } => Class::Passing { retry_after_ms },
        Outcome::Declined { retry_after_ms: None } => Class::Refused,
        // A name may resolve to another address next time, so the guard's refusal passes like a broken network.
        Outcome::NetworkError | Outcome::Timeout | Outcome::Refused => Class::Passing { retry_after_ms: 0 },
    }
}

fn class_of_status(code: u16, retry_after_ms: i64) -> Class {
    match code {
        200..=299 => Class::Delivered,
        408 | 425 | 429 | 500..=599 => Class::Passing { retry_after_ms },
        410 => Class::Gone,
        _ => Class::Refused,
    }
}

fn planned_wait_ms(plan: RetryPlan, attempt_number: u32, jitter: u16) -> Option<i64> {
    let retry = usize::try_from(attempt_number).ok()?.saturating_sub(1);
    if retry + 1 >= plan.attempts_max() {
        return None;
    }
    if let Some(wait_ms) = FAST_MS.get(retry) {
        return Some(*wait_ms);
    }
    let wait_ms = *SLOW_MS.get(retry - FAST_MS.len())?;
    Some(wait_ms + wait_ms * i64::from(jitter.min(999)) / 10_000)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp(1_763_706_618_000);
    const UNAVAILABLE: Outcome = Outcome::Status { code: 503, retry_after_ms: None };

    fn wait_ms(verdict: Verdict) -> Option<i64> {
        match verdict {
            Verdict::Retry { at } => Some(at.ms_since(NOW)),
            Verdict::Delivered | Verdict::GiveUp { .. } => None,
        }
    }

    fn waits_s(plan: RetryPlan) -> Vec<i64> {
        (1..).map_while(|number| wait_ms(judge(plan, number, &UNAVAILABLE, NOW, 0))).map(|ms| ms / 1_000).collect()
    }

    #[rstest]
    #[case(RetryPlan::Standard, vec![1, 2, 4, 60, 300, 1_800, 7_200, 21_600, 86_400])]
    #[case(RetryPlan::Fast, vec![1, 2, 4])]
    #[case(RetryPlan::None, vec![])]
    fn each_plan_waits_as_decided(#[case] plan: RetryPlan, #[case] waits: Vec<i64>) {
        assert_eq!(plan.attempts_max(), waits.len() + 1);
        assert_eq!(waits_s(plan), waits);
    }

    #[rstest]
    #[case(200, Verdict::Delivered)]
    #[case(204, Verdict::Delivered)]
    #[case(299, Verdict::Delivered)]
    #[case(301, Verdict::GiveUp { disable_destination: false })]
    #[case(400, Verdict::GiveUp { disable_destination: false })]
    #[case(404, Verdict::GiveUp { disable_destination: false })]
    #[case(410, Verdict::GiveUp { disable_destination: true })]
    #[case(422, Verdict::GiveUp { disable_destination: false })]
    #[case(408, Verdict::Retry { at: NOW.plus_ms(1_000) })]
    #[case(425, Verdict::Retry { at: NOW.plus_ms(1_000) })]
    #[case(429, Verdict::Retry { at: NOW.plus_ms(1_000) })]
    #[case(500, Verdict::Retry { at: NOW.plus_ms(1_000) })]
    #[case(599, Verdict::Retry { at: NOW.plus_ms(1_000) })]
    #[case(600, Verdict::GiveUp { disable_destination: false })]
    fn each_status_is_judged_as_decided(#[case] code: u16, #[case] expected: Verdict) {
        let outcome = Outcome::Status { code, retry_after_ms: None };

        assert_eq!(judge(RetryPlan::Standard, 1, &outcome, NOW, 0), expected);
    }

    #[test]
    fn what_was_declined_in_words_is_tried_again_only_where_later_may_go_better() {
        let later = Outcome::Declined { retry_after_ms: Some(6 * HOUR_MS) };
        let never = Outcome::Declined { retry_after_ms: None };

        assert_eq!(wait_ms(judge(RetryPlan::Standard, 1, &later, NOW, 0)), Some(6 * HOUR_MS));
        assert_eq!(judge(RetryPlan::Standard, 1, &never, NOW, 0), Verdict::GiveUp { disable_destination: false });
    }

    #[rstest]
    #[case(Outcome::NetworkError)]
    #[case(Outcome::Timeout)]
    #[case(Outcome::Refused)]
    fn what_never_got_an_answer_is_tried_again(#[case] outcome: Outcome) {
        assert_eq!(wait_ms(judge(RetryPlan::Fast, 3, &outcome, NOW, 999)), Some(4_000));
        assert_eq!(judge(RetryPlan::Fast, 4, &outcome, NOW, 999), Verdict::GiveUp { disable_destination: false });
    }

    #[test]
    fn a_destination_that_is_gone_is_disabled_under_every_plan() {
        let gone = Outcome::Status { code: 410, retry_after_ms: Some(1) };

        for plan in RetryPlan::ALL {
            assert_eq!(judge(plan, 1, &gone, NOW, 0), Verdict::GiveUp { disable_destination: true });
        }
    }

    #[rstest]
    #[case(1, 999, 1_000)]
    #[case(3, 999, 4_000)]
    #[case(4, 0, 60_000)]
    #[case(4, 500, 63_000)]
    #[case(4, 999, 65_994)]
    #[case(9, 999, 95_031_360)]
    #[case(9, u16::MAX, 95_031_360)]
    fn jitter_lengthens_only_the_slow_phase(#[case] number: u32, #[case] jitter: u16, #[case] expected_ms: i64) {
        assert_eq!(wait_ms(judge(RetryPlan::Standard, number, &UNAVAILABLE, NOW, jitter)), Some(expected_ms));
    }

    #[rstest]
    #[case::shorter_than_the_plan(4, 1_000, 60_000)]
    #[case::longer_than_the_plan(1, 90_000, 90_000)]
    #[case::longer_than_a_day(1, i64::MAX, DAY_MS)]
    #[case::nonsense(1, -5, 1_000)]
    fn the_later_of_plan_and_retry_after_counts(#[case] number: u32, #[case] after_ms: i64, #[case] expected_ms: i64) {
        let outcome = Outcome::Status { code: 429, retry_after_ms: Some(after_ms) };

        assert_eq!(wait_ms(judge(RetryPlan::Standard, number, &outcome, NOW, 0)), Some(expected_ms));
    }

    #[test]
    fn retry_after_gives_no_attempt_beyond_the_plan() {
        let outcome = Outcome::Status { code: 503, retry_after_ms: Some(1_000) };

        assert_eq!(judge(RetryPlan::None, 1, &outcome, NOW, 0), Verdict::GiveUp { disable_destination: false });
        assert_eq!(judge(RetryPlan::Fast, 4, &outcome, NOW, 0), Verdict::GiveUp { disable_destination: false });
    }

    #[rstest]
    #[case("0", Some(0))]
    #[case(" 120 ", Some(120_000))]
    #[case("99999999999999999999", Some(i64::MAX))]
    #[case("Fri, 21 Nov 2025 06:31:18 GMT", Some(60_000))]
    #[case("Fri, 21 Nov 2025 06:00:00 GMT", Some(0))]
    #[case("-1", None)]
    #[case("1.5", None)]
    #[case("soon", None)]
    #[case("", None)]
    fn retry_after_is_seconds_or_a_date(#[case] header: &str, #[case] expected_ms: Option<i64>) {
        assert_eq!(parse_retry_after(header, NOW), expected_ms);
    }

    #[test]
    fn plans_read_back_from_their_names() {
        for plan in RetryPlan::ALL {
            assert_eq!(RetryPlan::parse(plan.as_str()), Some(plan));
        }
        assert_eq!(RetryPlan::parse("forever"), None);
    }
}
