//! Working time: how much of it lies between two moments, and when so much of it will be over.
//!
//! It runs in the hours of the week that count, by the clock on the wall of a timezone, and stands still on holidays.
//! Where no hours are set all time is working time.

use std::collections::BTreeSet;

pub use chrono::NaiveDate;

use crate::{
    silence::{BusinessHours, Tz, day_begins, day_of},
    time::{DAY_MS, Timestamp},
};

/// How far time is counted, in days. A calendar of nothing but holidays has no end otherwise.
const LONGEST_DAYS: usize = 400;

/// When somebody works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    /// The hours of the week that count; all of them where there are none.
    pub hours: Option<BusinessHours>,
    /// Days without any.
    pub holidays: BTreeSet<NaiveDate>,
    /// By which clock.
    pub timezone: Tz,
}

impl Calendar {
    /// Whether somebody works at this moment.
    #[must_use]
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.is_always()
            || self.of(day_of(at, self.timezone)).is_some_and(|(from, until)| (from..until).contains(&at.0))
    }

    /// How much working time lies between two moments.
    #[must_use]
    pub fn between_ms(&self, from: Timestamp, until: Timestamp) -> i64 {
        if self.is_always() {
            return until.ms_since(from).max(0);
        }
        let last = day_of(until, self.timezone);
        day_of(from, self.timezone)
            .iter_days()
            .take(LONGEST_DAYS)
            .take_while(|day| *day <= last)
            .filter_map(|day| self.of(day))
            .map(|(opens, closes)| (closes.min(until.0) - opens.max(from.0)).max(0))
            .sum()
    }

    /// When so much working time will be over that begins to run at `from`.
    #[must_use]
    pub fn after_ms(&self, from: Timestamp, working_ms: i64) -> Timestamp {
        if self.is_always() {
            return from.plus_ms(working_ms);
        }
        let mut left = working_ms;
        for (opens, closes) in day_of(from, self.timezone).iter_days().take(LONGEST_DAYS).filter_map(|day| self.of(day))
        {
            let begins = opens.max(from.0);
            let has = (closes - begins).max(0);
            if has > 0 && left <= has {
                return Timestamp(begins + left);
            }
            left -= has;
        }
        from.plus_ms(i64::try_from(LONGEST_DAYS).unwrap_or(i64::MAX).saturating_mul(DAY_MS))
    }

    fn is_always(&self) -> bool {
        self.hours.is_none() && self.holidays.is_empty()
    }

    /// When a day's work begins and ends, where it has any.
    fn of(&self, day: NaiveDate) -> Option<(i64, i64)> {
        if self.holidays.contains(&day) {
            return None;
        }
        match &self.hours {
            Some(hours) => hours.of(day, self.timezone),
            None => {
                let tomorrow = day.succ_opt().unwrap_or(day);
                Some((day_begins(day, self.timezone).0, day_begins(tomorrow, self.timezone).0))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{silence::timezone, time::MINUTE_MS};

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).expect("a time")
    }

    fn calendar(days: &[u8], from_minute: u16, until_minute: u16, holidays: &[&str]) -> Calendar {
        Calendar {
            hours: Some(BusinessHours { days: days.to_vec(), from_minute, until_minute }),
            holidays: holidays.iter().map(|day| day.parse().expect("a day")).collect(),
            timezone: timezone("Europe/Berlin").expect("a timezone"),
        }
    }

    fn week(holidays: &[&str]) -> Calendar {
        calendar(&[1, 2, 3, 4, 5], 9 * 60, 17 * 60, holidays)
    }

    /// Berlin is an hour ahead in winter: 9:00 there is 8:00 here.
    #[rstest]
    #[case::in_the_morning("2026-01-12T08:30:00Z", 60, "2026-01-12T09:30:00Z")]
    #[case::before_it_opens("2026-01-12T04:00:00Z", 60, "2026-01-12T09:00:00Z")]
    #[case::over_the_night("2026-01-12T15:30:00Z", 60, "2026-01-13T08:30:00Z")]
    #[case::over_the_weekend("2026-01-09T15:30:00Z", 60, "2026-01-12T08:30:00Z")]
    #[case::on_a_sunday("2026-01-11T12:00:00Z", 15, "2026-01-12T08:15:00Z")]
    #[case::until_it_closes("2026-01-12T15:00:00Z", 60, "2026-01-12T16:00:00Z")]
    #[case::for_two_days("2026-01-12T08:00:00Z", 16 * 60, "2026-01-13T16:00:00Z")]
    fn a_target_runs_in_working_hours(#[case] from: &str, #[case] minutes: i64, #[case] due: &str) {
        let due = at(due);

        assert_eq!(week(&[]).after_ms(at(from), minutes * MINUTE_MS), due);
        assert_eq!(week(&[]).between_ms(at(from), due), minutes * MINUTE_MS);
    }

    #[test]
    fn a_holiday_is_a_day_without_work() {
        let holiday = week(&["2026-01-12"]);

        assert_eq!(holiday.after_ms(at("2026-01-09T15:30:00Z"), 60 * MINUTE_MS), at("2026-01-13T08:30:00Z"));
        assert!(!holiday.is_open(at("2026-01-12T10:00:00Z")));
        assert!(holiday.is_open(at("2026-01-13T10:00:00Z")));
    }

    /// In the night to 29 March 2026 the clocks of Berlin go from 2:00 to 3:00; to 25 October they go from 3:00 to 2:00.
    #[rstest]
    #[case::the_hour_that_is_left_out("2026-03-29T00:30:00Z", 60, "2026-03-29T01:30:00Z")]
    #[case::the_whole_short_day("2026-03-28T23:00:00Z", 23 * 60, "2026-03-29T22:00:00Z")]
    #[case::the_hour_that_comes_twice("2026-10-25T00:30:00Z", 60, "2026-10-25T01:30:00Z")]
    #[case::the_whole_long_day("2026-10-24T22:00:00Z", 25 * 60, "2026-10-25T23:00:00Z")]
    fn time_runs_on_while_clocks_change(#[case] from: &str, #[case] minutes: i64, #[case] due: &str) {
        let always = calendar(&[1, 2, 3, 4, 5, 6, 7], 0, 24 * 60, &[]);

        assert_eq!(always.after_ms(at(from), minutes * MINUTE_MS), at(due));
        assert_eq!(always.between_ms(at(from), at(due)), minutes * MINUTE_MS);
    }

    /// Nine o'clock is nine o'clock, before the change (8:00 here) and after it (7:00).
    #[test]
    fn hours_follow_the_clock_on_the_wall() {
        let friday_evening = at("2026-03-27T16:00:00Z");

        assert_eq!(week(&[]).after_ms(friday_evening, MINUTE_MS), at("2026-03-30T07:01:00Z"));
        assert!(week(&[]).is_open(at("2026-03-27T08:00:00Z")) && !week(&[]).is_open(at("2026-03-27T07:59:00Z")));
        assert!(week(&[]).is_open(at("2026-03-30T07:00:00Z")) && !week(&[]).is_open(at("2026-03-30T15:00:00Z")));
    }

    #[test]
    fn without_hours_all_time_counts_and_holidays_do_not() {
        let always = Calendar { hours: None, holidays: BTreeSet::new(), timezone: Tz::UTC };
        let but_one = Calendar { holidays: BTreeSet::from(["2026-01-12".parse().expect("a day")]), ..always.clone() };
        let evening = at("2026-01-11T23:30:00Z");

        assert_eq!(always.after_ms(evening, 60 * MINUTE_MS), at("2026-01-12T00:30:00Z"));
        assert_eq!(but_one.after_ms(evening, 60 * MINUTE_MS), at("2026-01-13T00:30:00Z"));
        assert_eq!(but_one.between_ms(evening, at("2026-01-13T00:30:00Z")), 60 * MINUTE_MS);
    }

    #[test]
    fn a_calendar_without_work_ends_all_the_same() {
        let mut never = week(&[]);
        never.hours = Some(BusinessHours { days: Vec::new(), from_minute: 0, until_minute: 60 });

        assert!(never.after_ms(at("2026-01-12T00:00:00Z"), MINUTE_MS) > at("2027-01-12T00:00:00Z"));
    }
}
