//! When nothing is sent: quiet hours, by the clock of whoever would get the message.

use chrono::{DateTime, Timelike, Utc};
use serde::{Deserialize, Serialize};

use crate::{
    silence::{DAY_MINUTES, Tz, timezone},
    time::{MINUTE_MS, Timestamp},
    timezones,
};

/// Hours of the day in which nothing is sent. They may go over midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QuietHours {
    /// Minutes after midnight when they begin.
    pub from_minute: u16,
    /// Minutes after midnight when they end.
    pub until_minute: u16,
}

/// What is known of where somebody's clock stands.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock<'a> {
    /// The zone of their browser's clock.
    pub browser: Option<&'a str>,
    /// The zone of the place where their address is.
    pub place: Option<&'a str>,
    /// Their country, in two letters: where the address is, or the phone number.
    pub country: Option<&'a str>,
}

impl QuietHours {
    /// Whether both are minutes of a day, and there is something between them.
    #[must_use]
    pub fn are_good(self) -> bool {
        self.from_minute < DAY_MINUTES && self.until_minute < DAY_MINUTES && self.from_minute != self.until_minute
    }

    /// When they end, where it is quiet now.
    #[must_use]
    pub fn end(self, now: Timestamp, zone: Tz) -> Option<Timestamp> {
        let local = DateTime::<Utc>::from_timestamp_millis(now.0)?.with_timezone(&zone);
        let minute = u16::try_from(local.hour() * 60 + local.minute()).ok()?;
        let day = i64::from(DAY_MINUTES);
        let since_begin = (i64::from(minute) - i64::from(self.from_minute)).rem_euclid(day);
        let length = (i64::from(self.until_minute) - i64::from(self.from_minute)).rem_euclid(day);
        if since_begin >= length {
            return None;
        }
        // By the clock on the wall. Where that is put on or back in between, the next look finds the rest, or none.
        let into_the_minute = now.0.rem_euclid(MINUTE_MS);
        Some(now.plus_ms((length - since_begin) * MINUTE_MS - into_the_minute))
    }
}

/// The zone of somebody: what their browser says, or else where they are, or else the one zone of their country, or else
/// the workspace's own.
#[must_use]
pub fn zone_of(clock: Clock<'_>, workspace: Tz) -> Tz {
    let by_country = || clock.country.and_then(timezones::only_zone_of);
    let named = clock.browser.and_then(timezone).or_else(|| clock.place.and_then(timezone));
    named.or_else(|| by_country().and_then(timezone)).unwrap_or(workspace)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn berlin() -> Tz {
        timezone("Europe/Berlin").expect("a timezone")
    }

    const NIGHT: QuietHours = QuietHours { from_minute: 21 * 60, until_minute: 8 * 60 };
    const LUNCH: QuietHours = QuietHours { from_minute: 12 * 60, until_minute: 13 * 60 };

    #[rstest]
    #[case::in_the_evening(NIGHT, "2026-01-05T19:59:59Z", None)]
    #[case::as_night_begins(NIGHT, "2026-01-05T20:00:00Z", Some("2026-01-06T07:00:00Z"))]
    #[case::after_midnight(NIGHT, "2026-01-05T23:30:30.250Z", Some("2026-01-06T07:00:00Z"))]
    #[case::a_moment_before_morning(NIGHT, "2026-01-06T06:59:59.999Z", Some("2026-01-06T07:00:00Z"))]
    #[case::in_the_morning(NIGHT, "2026-01-06T07:00:00Z", None)]
    #[case::at_lunch(LUNCH, "2026-01-05T11:15:00Z", Some("2026-01-05T12:00:00Z"))]
    #[case::in_summer(LUNCH, "2026-07-06T10:15:00Z", Some("2026-07-06T11:00:00Z"))]
    #[case::after_lunch(LUNCH, "2026-01-05T12:00:00Z", None)]
    fn it_is_quiet_until_the_hours_end(#[case] quiet: QuietHours, #[case] now: &str, #[case] expected: Option<&str>) {
        assert_eq!(quiet.end(at(now), berlin()), expected.map(at));
    }

    #[rstest]
    #[case::browser(Clock { browser: Some("Asia/Tokyo"), place: Some("Europe/Paris"), country: Some("DE") }, "Asia/Tokyo")]
    #[case::place(Clock { place: Some("Europe/Paris"), country: Some("DE"), ..Clock::default() }, "Europe/Paris")]
    #[case::no_zone(Clock { browser: Some("Mars/Olympus"), country: Some("IN"), ..Clock::default() }, "Asia/Kolkata")]
    #[case::country(Clock { country: Some("JP"), ..Clock::default() }, "Asia/Tokyo")]
    #[case::large_country(Clock { country: Some("US"), ..Clock::default() }, "Europe/Berlin")]
    #[case::nothing(Clock::default(), "Europe/Berlin")]
    fn the_clock_is_that_of_the_person(#[case] clock: Clock<'_>, #[case] expected: &str) {
        assert_eq!(zone_of(clock, berlin()).name(), expected);
    }
}
