//! Days of a workspace: by the clock of its timezone, as a list that is asked for and answered.

use chrono::NaiveDate;

use crate::{
    silence::{Tz, day_begins, day_of},
    time::Timestamp,
};

/// How many days may be asked for at once.
pub const MOST_DAYS: i64 = 92;

/// How many are answered where nothing is said.
pub const USUAL_DAYS: i64 = 14;

/// A day, and from when to when it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Its date, as `2026-01-31`.
    pub on: String,
    /// When it begins.
    pub from_at: Timestamp,
    /// When the next one begins.
    pub until_at: Timestamp,
}

/// Why days cannot be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DaysError {
    /// A date is none.
    #[error("dates are written as 2026-01-31")]
    Date,
    /// The last day comes before the first.
    #[error("the last day comes before the first")]
    Order,
    /// There are too many of them.
    #[error("at most 92 days can be asked for")]
    TooMany,
}

/// The days from `first` to `last`, both included, the oldest first. The last one is today where it is not said, and
/// the first one two weeks before the last.
///
/// # Errors
/// Where a date is none, or there are too many days.
pub fn list_days(first: Option<&str>, last: Option<&str>, now: Timestamp, timezone: Tz) -> Result<Vec<Day>, DaysError> {
    let last = last.map_or(Ok(day_of(now, timezone)), parse)?;
    let usual = chrono::Days::new(USUAL_DAYS.unsigned_abs() - 1);
    let first = first.map_or_else(|| last.checked_sub_days(usual).ok_or(DaysError::Date), parse)?;
    let count = (last - first).num_days() + 1;
    if count < 1 {
        return Err(DaysError::Order);
    }
    if count > MOST_DAYS {
        return Err(DaysError::TooMany);
    }
    let begins = |day: NaiveDate| day_begins(day, timezone);
    let days = first.iter_days().take(usize::try_from(count).unwrap_or(0));
    Ok(days
        .filter_map(|day| {
            let next = day.succ_opt()?;
            Some(Day { on: day.to_string(), from_at: begins(day), until_at: begins(next) })
        })
        .collect())
}

/// Reads a date that a clock may show.
pub(crate) fn parse(text: &str) -> Result<NaiveDate, DaysError> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| DaysError::Date)?;
    // Years far off are dates, and no times that a clock will show.
    let is_near = date.to_string() == text && ("1970-01-02".."3000-01-01").contains(&text);
    if is_near { Ok(date) } else { Err(DaysError::Date) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::silence::timezone;

    fn list(first: Option<&str>, last: Option<&str>) -> Result<Vec<Day>, DaysError> {
        let now = Timestamp::parse("2026-03-30T22:30:00Z").expect("a time");
        list_days(first, last, now, timezone("Europe/Berlin").expect("a timezone"))
    }

    #[test]
    fn a_day_begins_at_midnight_where_the_workspace_is_and_may_be_short() {
        let days = list(Some("2026-03-29"), Some("2026-03-29")).expect("a day");

        assert_eq!(days[0].from_at.to_string(), "2026-03-28T23:00:00.000Z");
        assert_eq!(days[0].until_at.to_string(), "2026-03-29T22:00:00.000Z");
    }

    #[test]
    fn two_weeks_up_to_today_are_the_usual() {
        let days = list(None, None).expect("days");

        assert_eq!((days.len(), days[0].on.as_str(), days[13].on.as_str()), (14, "2026-03-18", "2026-03-31"));
        assert!(days.windows(2).all(|pair| pair[0].until_at == pair[1].from_at));
    }

    #[rstest]
    #[case(Some("yesterday"), None, DaysError::Date)]
    #[case(Some("9999-01-01"), Some("9999-01-02"), DaysError::Date)]
    #[case(Some("2026-3-1"), None, DaysError::Date)]
    #[case(Some("2026-03-02"), Some("2026-03-01"), DaysError::Order)]
    #[case(Some("2025-03-01"), Some("2026-03-01"), DaysError::TooMany)]
    fn what_is_no_range_is_refused(#[case] first: Option<&str>, #[case] last: Option<&str>, #[case] why: DaysError) {
        assert_eq!(list(first, last), Err(why));
    }
}
