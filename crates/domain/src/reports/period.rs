//! Which days a report is about, how they are grouped, and which days it is compared with.

use chrono::{Datelike, Days, Months, NaiveDate};
use thiserror::Error;

use crate::{
    days,
    silence::{Tz, day_begins, day_of},
    time::Timestamp,
};

/// How many days a report may be about: three years.
pub const MOST_DAYS: i64 = 1_100;

/// How many it is about where nothing is said.
pub const USUAL_DAYS: u64 = 30;

/// Up to so many days are shown one by one where nothing is said, and up to so many as weeks.
const DAYS_APART: i64 = 62;
const WEEKS_APART: i64 = 400;

/// What a report is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// As many days right before.
    Previous,
    /// The same days a year before.
    Year,
}

impl Comparison {
    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "previous" => Some(Self::Previous),
            "year" => Some(Self::Year),
            _ => None,
        }
    }
}

/// How days are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interval {
    /// Each for itself.
    Day,
    /// From Monday on.
    Week,
    /// From the first on.
    Month,
}

impl Interval {
    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "day" => Some(Self::Day),
            "week" => Some(Self::Week),
            "month" => Some(Self::Month),
            _ => None,
        }
    }

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    fn usual(days: i64) -> Self {
        if days <= DAYS_APART {
            return Self::Day;
        }
        if days <= WEEKS_APART { Self::Week } else { Self::Month }
    }

    /// The first day after the group that this day is in.
    fn next(self, day: NaiveDate) -> Option<NaiveDate> {
        match self {
            Self::Day => day.succ_opt(),
            Self::Week => day.checked_add_days(Days::new(7 - u64::from(day.weekday().num_days_from_monday()))),
            Self::Month => day.with_day(1)?.checked_add_months(Months::new(1)),
        }
    }
}

/// Days, from the first to the last, and from when to when they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub first: NaiveDate,
    /// The last day.
    pub last: NaiveDate,
    /// When the first begins.
    pub from_at: Timestamp,
    /// When the day after the last begins.
    pub until_at: Timestamp,
}

impl Span {
    fn of(first: NaiveDate, last: NaiveDate, timezone: Tz) -> Option<Self> {
        let after = last.succ_opt()?;
        let (from_at, until_at) = (day_begins(first, timezone), day_begins(after, timezone));
        Some(Self { first, last, from_at, until_at })
    }

    fn days(&self) -> i64 {
        (self.last - self.first).num_days() + 1
    }
}

/// Some days of a period that are counted together, beside those that they are compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// The days.
    pub span: Span,
    /// The days that they are compared with.
    pub before: Option<Span>,
}

/// What a report is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// All its days.
    pub span: Span,
    /// All days that it is compared with.
    pub before: Option<Span>,
    /// How they are grouped.
    pub interval: Interval,
    /// The groups, the oldest first; a group has days, whether anything came on them or not.
    pub buckets: Vec<Bucket>,
}

/// Which days somebody asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish<'a> {
    /// The first day, such as `2026-01-31`.
    pub from: Option<&'a str>,
    /// The last day.
    pub to: Option<&'a str>,
    /// `previous` or `year`.
    pub compare: Option<&'a str>,
    /// `day`, `week` or `month`.
    pub interval: Option<&'a str>,
}

/// Why days cannot be reported about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PeriodFault {
    /// The first is no date.
    #[error("must be a date such as 2026-01-31")]
    From,
    /// The last is no date.
    #[error("must be a date such as 2026-01-31")]
    To,
    /// The last day comes before the first.
    #[error("must not come before the first day")]
    Order,
    /// There are too many of them.
    #[error("a report is about {MOST_DAYS} days at most")]
    TooMany,
    /// There is no such comparison.
    #[error("must be previous or year")]
    Compare,
    /// There is no such interval.
    #[error("must be day, week or month")]
    Interval,
}

impl PeriodFault {
    /// The parameter that is wrong.
    #[must_use]
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To | Self::Order | Self::TooMany => "to",
            Self::Compare => "compare",
            Self::Interval => "interval",
        }
    }
}

impl Period {
    /// Reads what somebody asks for: the last thirty days up to today where nothing is said.
    ///
    /// # Errors
    /// Where it is no period, or too long a one.
    pub fn read(wish: Wish<'_>, now: Timestamp, timezone: Tz) -> Result<Self, PeriodFault> {
        let today = day_of(now, timezone);
        let last = wish.to.map_or(Ok(today), |text| days::parse(text).map_err(|_| PeriodFault::To))?;
        let usual = last.checked_sub_days(Days::new(USUAL_DAYS - 1)).ok_or(PeriodFault::From);
        let first = wish.from.map_or(usual, |text| days::parse(text).map_err(|_| PeriodFault::From))?;
        let comparison = said(wish.compare).map(|name| Comparison::parse(name).ok_or(PeriodFault::Compare));
        let interval = said(wish.interval).map(|name| Interval::parse(name).ok_or(PeriodFault::Interval));
        if last < first {
            return Err(PeriodFault::Order);
        }
        let span = Span::of(first, last, timezone).ok_or(PeriodFault::To)?;
        if span.days() > MOST_DAYS {
            return Err(PeriodFault::TooMany);
        }
        let interval = interval.transpose()?.unwrap_or(Interval::usual(span.days()));
        Self::grouped(span, comparison.transpose()?, interval, timezone).ok_or(PeriodFault::From)
    }

    fn grouped(span: Span, comparison: Option<Comparison>, interval: Interval, timezone: Tz) -> Option<Self> {
        let earlier = |day: NaiveDate| match comparison {
            None => None,
            Some(Comparison::Previous) => day.checked_sub_days(Days::new(span.days().unsigned_abs())),
            Some(Comparison::Year) => day.checked_sub_months(Months::new(12)),
        };
        let mut buckets = Vec::new();
        let mut first = span.first;
        while first <= span.last {
            let next = interval.next(first)?;
            let last = next.pred_opt()?.min(span.last);
            let before = match (earlier(first), earlier(last)) {
                (Some(first), Some(last)) => Span::of(first, last, timezone),
                (_, _) => None,
            };
            buckets.push(Bucket { span: Span::of(first, last, timezone)?, before });
            first = next;
        }
        let before = match (earlier(span.first), earlier(span.last)) {
            (Some(first), Some(last)) => Span::of(first, last, timezone),
            (_, _) => None,
        };
        Some(Self { span, before, interval, buckets })
    }
}

fn said(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::silence::timezone;

    fn read(from: &str, to: &str, compare: &str, interval: &str) -> Result<Period, PeriodFault> {
        let now = Timestamp::parse("2026-03-30T22:30:00Z").expect("a time");
        let [from, to, compare, interval] = [from, to, compare, interval].map(|text| said(Some(text)));
        let wish = Wish { from, to, compare, interval };
        Period::read(wish, now, timezone("Europe/Berlin").expect("a timezone"))
    }

    fn days(span: &Span) -> String {
        format!("{}..{}", span.first, span.last)
    }

    #[test]
    fn thirty_days_up_to_today_in_the_workspace_are_the_usual() {
        let period = read("", "", "", "").expect("a period");

        assert_eq!((days(&period.span), period.interval), ("2026-03-02..2026-03-31".to_owned(), Interval::Day));
        assert_eq!(period.buckets.len(), 30);
        assert_eq!(period.span.from_at.to_string(), "2026-03-01T23:00:00.000Z");
        assert_eq!(period.span.until_at.to_string(), "2026-03-31T22:00:00.000Z");
        assert_eq!(period.before, None);
    }

    #[rstest]
    #[case::previous("2026-03-01", "2026-03-31", "previous", "2026-01-29..2026-02-28")]
    #[case::one_day("2026-03-01", "2026-03-01", "previous", "2026-02-28..2026-02-28")]
    #[case::a_year_before("2026-03-01", "2026-03-31", "year", "2025-03-01..2025-03-31")]
    #[case::a_leap_day("2024-02-29", "2024-02-29", "year", "2023-02-28..2023-02-28")]
    fn a_period_is_compared_with_an_earlier_one(
        #[case] from: &str,
        #[case] to: &str,
        #[case] compare: &str,
        #[case] expected: &str,
    ) {
        let period = read(from, to, compare, "day").expect("a period");

        assert_eq!(period.before.as_ref().map(days).as_deref(), Some(expected));
        assert!(period.buckets.iter().all(|bucket| bucket.before.is_some()));
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first_but_for_where_the_period_begins_and_ends() {
        let weeks = read("2026-03-04", "2026-03-17", "", "week").expect("weeks");
        let months = read("2026-01-31", "2026-03-01", "previous", "month").expect("months");

        let shown = |period: &Period| period.buckets.iter().map(|bucket| days(&bucket.span)).collect::<Vec<_>>();
        assert_eq!(shown(&weeks), ["2026-03-04..2026-03-08", "2026-03-09..2026-03-15", "2026-03-16..2026-03-17"]);
        assert_eq!(shown(&months), ["2026-01-31..2026-01-31", "2026-02-01..2026-02-28", "2026-03-01..2026-03-01"]);
    }

    #[rstest]
    #[case::days("2026-01-01", "2026-03-03", Interval::Day)]
    #[case::weeks("2026-01-01", "2026-12-31", Interval::Week)]
    #[case::months("2024-01-01", "2025-12-31", Interval::Month)]
    fn long_periods_are_shown_in_larger_parts(#[case] from: &str, #[case] to: &str, #[case] expected: Interval) {
        assert_eq!(read(from, to, "", "").expect("a period").interval, expected);
    }

    #[test]
    fn a_day_on_which_clocks_change_is_as_long_as_it_is() {
        let period = read("2026-03-28", "2026-03-29", "", "day").expect("two days");

        let hours = |bucket: &Bucket| bucket.span.until_at.ms_since(bucket.span.from_at) / 3_600_000;
        assert_eq!(period.buckets.iter().map(hours).collect::<Vec<_>>(), [24, 23]);
    }

    #[rstest]
    #[case("yesterday", "", "", "", PeriodFault::From)]
    #[case("", "2026-02-30", "", "", PeriodFault::To)]
    #[case("", "2026-1-1", "", "", PeriodFault::To)]
    #[case("", "9999-12-31", "", "", PeriodFault::To)]
    #[case("2026-03-02", "2026-03-01", "", "", PeriodFault::Order)]
    #[case("2020-01-01", "2026-03-01", "", "", PeriodFault::TooMany)]
    #[case("", "", "decade", "", PeriodFault::Compare)]
    #[case("", "", "", "hour", PeriodFault::Interval)]
    fn what_is_no_period_is_refused(
        #[case] from: &str,
        #[case] to: &str,
        #[case] compare: &str,
        #[case] interval: &str,
        #[case] why: PeriodFault,
    ) {
        assert_eq!(read(from, to, compare, interval), Err(why));
    }
}
