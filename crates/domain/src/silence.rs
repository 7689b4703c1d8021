//! When a source has been silent for too long.
//!
//! Silence is counted in the hours in which leads are to be expected: with business hours, a weekend does not add to
//! it, and nobody is alerted outside them.

use chrono::{DateTime, Datelike, Duration, NaiveDate, TimeZone, Utc};
pub use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::time::{DAY_MS, MINUTE_MS, Timestamp};

/// How far back silence is counted. Longer ones are as long as this.
const LONGEST_DAYS: i64 = 62;

/// Minutes in a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// When leads are to be expected, by the clock of a timezone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BusinessHours {
    /// Days of the week: 1 is Monday, 7 is Sunday.
    pub days: Vec<u8>,
    /// Minutes after midnight when they begin.
    pub from_minute: u16,
    /// Minutes after midnight when they end.
    pub until_minute: u16,
}

impl BusinessHours {
    /// Whether it names at least one day, and ends after it begins.
    #[must_use]
    pub fn are_good(&self) -> bool {
        let days_are_good = (1..=7).contains(&self.days.len()) && self.days.iter().all(|day| (1..=7).contains(day));
        days_are_good && self.from_minute < self.until_minute && self.until_minute <= DAY_MINUTES
    }

    /// The hours of a day, where it has any.
    pub(crate) fn of(&self, day: NaiveDate, timezone: Tz) -> Option<(i64, i64)> {
        let number = u8::try_from(day.weekday().number_from_monday()).unwrap_or(0);
        self.days
            .contains(&number)
            .then(|| (minute_of(day, self.from_minute, timezone), minute_of(day, self.until_minute, timezone)))
    }
}

/// The timezone of this name, such as `Europe/Berlin`.
#[must_use]
pub fn timezone(name: &str) -> Option<Tz> {
    name.parse().ok()
}

/// The beginning of a day in a timezone.
#[must_use]
pub fn day_begins(day: NaiveDate, timezone: Tz) -> Timestamp {
    Timestamp(minute_of(day, 0, timezone))
}

/// The day that it is in a timezone.
#[must_use]
pub fn day_of(at: Timestamp, timezone: Tz) -> NaiveDate {
    let utc = DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default();
    utc.with_timezone(&timezone).date_naive()
}

/// When a clock on the wall shows this minute of this day. Where it is put forward over it, a little later.
fn minute_of(day: NaiveDate, minute: u16, timezone: Tz) -> i64 {
    let wall = day.and_time(chrono::NaiveTime::MIN) + Duration::minutes(i64::from(minute));
    let earliest = |wall| timezone.from_local_datetime(&wall).earliest();
    // Clocks are put forward by an hour or less, but for islands that left out a day.
    let steps = (0..=24 * 4).find_map(|quarters| earliest(wall + Duration::minutes(15 * quarters)));
    steps.map_or_else(|| wall.and_utc().timestamp_millis(), |at| at.timestamp_millis())
}

/// What is asked of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// Silence of so many minutes is too long.
    pub silent_after_minutes: i64,
    /// After an alert the next one comes no sooner.
    pub cooldown_minutes: i64,
    /// When leads are to be expected; always, where there are none.
    pub business_hours: Option<BusinessHours>,
    /// By which clock.
    pub timezone: Tz,
}

/// What is known of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// When its last lead came, or since when one is waited for.
    pub last_lead_at: Timestamp,
    /// When it was last said to be silent.
    pub alerted_at: Option<Timestamp>,
    /// The last lead as of an alert that is open.
    pub open_since_lead_at: Option<Timestamp>,
}

/// What is to be said of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    Nothing,
    /// It has been silent for too long.
    Silent {
        /// For so long, in the hours that count.
        silence_ms: i64,
    },
    /// A lead came again.
    Recovered,
}

/// Judges a source.
#[must_use]
pub fn judge(expectation: &Expectation, facts: Facts, now: Timestamp) -> Verdict {
    if let Some(last_then) = facts.open_since_lead_at {
        let a_lead_came = facts.last_lead_at > last_then;
        return if a_lead_came { Verdict::Recovered } else { Verdict::Nothing };
    }
    let cooldown_ms = expectation.cooldown_minutes * MINUTE_MS;
    let is_cooling = facts.alerted_at.is_some_and(|at| now.ms_since(at) < cooldown_ms);
    let silence_ms = silence_ms(expectation, facts.last_lead_at, now);
    let is_too_long = silence_ms >= expectation.silent_after_minutes * MINUTE_MS;
    if is_too_long && !is_cooling && is_open(expectation, now) {
        return Verdict::Silent { silence_ms };
    }
    Verdict::Nothing
}

/// Whether leads are to be expected now.
fn is_open(expectation: &Expectation, now: Timestamp) -> bool {
    let Some(hours) = &expectation.business_hours else { return true };
    let today = hours.of(day_of(now, expectation.timezone), expectation.timezone);
    today.is_some_and(|(from, until)| (from..until).contains(&now.0))
}

/// How long nothing came, in the hours in which something was to be expected.
#[must_use]
pub fn silence_ms(expectation: &Expectation, last_lead_at: Timestamp, now: Timestamp) -> i64 {
    let since = Timestamp(last_lead_at.0.max(now.0 - LONGEST_DAYS * DAY_MS));
    if since >= now {
        return 0;
    }
    let Some(hours) = &expectation.business_hours else { return now.ms_since(since) };
    let last_day = day_of(now, expectation.timezone);
    day_of(since, expectation.timezone)
        .iter_days()
        .take_while(|day| *day <= last_day)
        .filter_map(|day| hours.of(day, expectation.timezone))
        .map(|(from, until)| (until.min(now.0) - from.max(since.0)).max(0))
        .sum()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn expectation(hours: Option<BusinessHours>) -> Expectation {
        let timezone = timezone("Europe/Berlin").expect("a timezone");
        Expectation { silent_after_minutes: 8 * 60, cooldown_minutes: 24 * 60, business_hours: hours, timezone }
    }

    fn working_week() -> BusinessHours {
        BusinessHours { days: vec![1, 2, 3, 4, 5], from_minute: 9 * 60, until_minute: 17 * 60 }
    }

    fn facts(last: &str) -> Facts {
        Facts { last_lead_at: at(last), alerted_at: None, open_since_lead_at: None }
    }

    #[rstest]
    #[case::not_yet("2026-01-05T09:59:59Z", false)]
    #[case::as_soon_as_it_is_too_long("2026-01-05T10:00:00Z", true)]
    fn without_business_hours_every_minute_counts(#[case] now: &str, #[case] is_silent: bool) {
        let verdict = judge(&expectation(None), facts("2026-01-05T02:00:00Z"), at(now));

        assert_eq!(verdict != Verdict::Nothing, is_silent, "{verdict:?}");
    }

    /// The last lead came on Friday at 16:00 in Berlin, which leaves one hour of that day; seven more are over on Monday
    /// at 16:00.
    #[rstest]
    #[case::a_weekend_is_no_silence("2026-01-11T12:00:00Z", Verdict::Nothing)]
    #[case::monday_before_it_is_too_long("2026-01-12T14:59:00Z", Verdict::Nothing)]
    #[case::monday("2026-01-12T15:00:00Z", Verdict::Silent { silence_ms: 8 * 60 * MINUTE_MS })]
    #[case::nobody_is_woken_at_night("2026-01-12T20:00:00Z", Verdict::Nothing)]
    fn with_business_hours_only_they_count(#[case] now: &str, #[case] expected: Verdict) {
        let verdict = judge(&expectation(Some(working_week())), facts("2026-01-09T15:00:00Z"), at(now));

        assert_eq!(verdict, expected);
    }

    #[test]
    fn business_hours_follow_the_clock_on_the_wall() {
        let hours = BusinessHours { days: vec![7], from_minute: 0, until_minute: DAY_MINUTES };
        let (last, now) = (at("2026-03-28T12:00:00Z"), at("2026-03-30T12:00:00Z"));

        // The night in which clocks are put forward.
        assert_eq!(silence_ms(&expectation(Some(hours)), last, now), 23 * 60 * MINUTE_MS);
    }

    #[test]
    fn an_open_alert_ends_with_the_next_lead_and_not_with_the_evening() {
        let open = |last: &str| Facts {
            last_lead_at: at(last),
            alerted_at: Some(at("2026-01-12T15:00:00Z")),
            open_since_lead_at: Some(at("2026-01-09T15:00:00Z")),
        };
        let week = expectation(Some(working_week()));

        assert_eq!(judge(&week, open("2026-01-09T15:00:00Z"), at("2026-01-12T22:00:00Z")), Verdict::Nothing);
        assert_eq!(judge(&week, open("2026-01-12T22:00:00Z"), at("2026-01-12T22:00:01Z")), Verdict::Recovered);
    }

    #[rstest]
    #[case("2026-01-06T09:59:00Z", Verdict::Nothing)]
    #[case("2026-01-06T10:00:00Z", Verdict::Silent { silence_ms: 8 * 60 * MINUTE_MS })]
    fn the_next_alert_waits_for_the_cooldown(#[case] now: &str, #[case] expected: Verdict) {
        let facts = Facts { alerted_at: Some(at("2026-01-05T10:00:00Z")), ..facts("2026-01-06T02:00:00Z") };

        assert_eq!(judge(&expectation(None), facts, at(now)), expected);
    }

    #[rstest]
    #[case(vec![], 0, 60)]
    #[case(vec![8], 0, 60)]
    #[case(vec![1; 8], 0, 60)]
    #[case(vec![1], 60, 60)]
    #[case(vec![1], 0, 1441)]
    fn hours_that_are_none_are_refused(#[case] days: Vec<u8>, #[case] from_minute: u16, #[case] until_minute: u16) {
        assert!(!BusinessHours { days, from_minute, until_minute }.are_good());
    }
}
