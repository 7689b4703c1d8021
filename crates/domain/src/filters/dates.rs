//! Dates of a filter, absolute and relative, as ranges: days begin where the workspace is.

use std::ops::Range;

use chrono::{Datelike, Days, Months, NaiveDate};
use serde_json::Value;

use super::Moment;
use crate::{
    custom_fields::parse_day,
    silence::{day_begins, day_of},
    time::{HOUR_MS, MINUTE_MS, Timestamp},
};

/// The most units that a relative date may go back or forth.
const AMOUNT_MAX: u64 = 10_000;

/// When something was: from one moment on, and before another one.
pub(super) type Span = (Option<Timestamp>, Option<Timestamp>);

#[derive(Clone, Copy)]
enum Unit {
    Minutes,
    Hours,
    Days,
    Weeks,
    Months,
    Years,
}

const WHAT_A_DATE_IS: &str = "must be a day, as 2026-01-31, or a time, as 2026-01-31T12:00:00Z";
const WHAT_AN_AGE_IS: &str =
    "must be an object as {\"amount\": 7, \"unit\": \"days\"}; units are minutes, hours, days, weeks, months and years";

/// The span that an operator and its value mean.
pub(super) fn span(op: &str, value: &Value, at: Moment) -> Result<Option<Span>, String> {
    let span = match op {
        "on" => {
            let on = one(value, at)?;
            (Some(on.start), Some(on.end))
        }
        "before" => (None, Some(one(value, at)?.start)),
        "after" => (Some(one(value, at)?.end), None),
        "between" => {
            let [first, last] = value.as_array().map(Vec::as_slice).unwrap_or_default() else {
                return Err("must be a list of two days or times".to_owned());
            };
            let (first, last) = (one(first, at)?, one(last, at)?);
            if last.end < first.start {
                return Err("ends before it begins".to_owned());
            }
            (Some(first.start), Some(last.end))
        }
        "in_last" => (Some(back(value, at, Edge::Inside)?), Some(at.now.plus_ms(1))),
        "more_than_ago" => (None, Some(back(value, at, Edge::Outside)?)),
        "in_next" => (Some(at.now), Some(forth(value, at)?)),
        "this" => {
            let this = period(value, at, 0)?;
            (Some(this.start), Some(this.end))
        }
        "previous" => {
            let previous = period(value, at, 1)?;
            (Some(previous.start), Some(previous.end))
        }
        _ => return Ok(None),
    };
    Ok(Some(span))
}

/// A day, or a moment.
fn one(value: &Value, at: Moment) -> Result<Range<Timestamp>, String> {
    let text = value.as_str().ok_or(WHAT_A_DATE_IS)?;
    if let Some(day) = parse_day(text) {
        let next = day.succ_opt().ok_or(WHAT_A_DATE_IS)?;
        return Ok(day_begins(day, at.timezone)..day_begins(next, at.timezone));
    }
    let time = Timestamp::parse(text).ok_or(WHAT_A_DATE_IS)?;
    Ok(time..time.plus_ms(1))
}

/// Which edge of the day a relative date means: "the last 3 days" are today and the two before, and "more than 3 days
/// ago" is before all of the day three days ago.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Inside,
    Outside,
}

fn back(value: &Value, at: Moment, edge: Edge) -> Result<Timestamp, String> {
    let (amount, unit) = age(value)?;
    let today = day_of(at.now, at.timezone);
    let days = |days: u64| {
        let inside = if edge == Edge::Inside { 1 } else { 0 };
        today.checked_sub_days(Days::new(days - inside))
    };
    let months = |months: u64| today.checked_sub_months(Months::new(u32::try_from(months).unwrap_or(u32::MAX)));
    let day = match unit {
        Unit::Minutes => return Ok(at.now.plus_ms(-(amount as i64) * MINUTE_MS)),
        Unit::Hours => return Ok(at.now.plus_ms(-(amount as i64) * HOUR_MS)),
        Unit::Days => days(amount),
        Unit::Weeks => days(amount * 7),
        Unit::Months => months(amount),
        Unit::Years => months(amount * 12),
    };
    day.filter(|day| day.year() > 0).map(|day| day_begins(day, at.timezone)).ok_or_else(|| "is too long ago".to_owned())
}

/// Through the whole day that many days from now.
fn forth(value: &Value, at: Moment) -> Result<Timestamp, String> {
    let (amount, unit) = age(value)?;
    let today = day_of(at.now, at.timezone);
    let months = |months: u64| today.checked_add_months(Months::new(u32::try_from(months).unwrap_or(u32::MAX)));
    let day = match unit {
        Unit::Minutes => return Ok(at.now.plus_ms(amount as i64 * MINUTE_MS)),
        Unit::Hours => return Ok(at.now.plus_ms(amount as i64 * HOUR_MS)),
        Unit::Days => today.checked_add_days(Days::new(amount)),
        Unit::Weeks => today.checked_add_days(Days::new(amount * 7)),
        Unit::Months => months(amount),
        Unit::Years => months(amount * 12),
    };
    let next = day.filter(|day| day.year() < 9_000).and_then(|day| day.succ_opt());
    next.map(|day| day_begins(day, at.timezone)).ok_or_else(|| "is too far away".to_owned())
}

fn age(value: &Value) -> Result<(u64, Unit), String> {
    let object = value.as_object().filter(|object| object.len() == 2).ok_or(WHAT_AN_AGE_IS)?;
    let amount = object.get("amount").and_then(Value::as_u64).ok_or(WHAT_AN_AGE_IS)?;
    let unit = match object.get("unit").and_then(Value::as_str) {
        Some("minutes") => Unit::Minutes,
        Some("hours") => Unit::Hours,
        Some("days") => Unit::Days,
        Some("weeks") => Unit::Weeks,
        Some("months") => Unit::Months,
        Some("years") => Unit::Years,
        Some(_) | None => return Err(WHAT_AN_AGE_IS.to_owned()),
    };
    if !(1..=AMOUNT_MAX).contains(&amount) {
        return Err(format!("must have an amount of 1 to {AMOUNT_MAX}"));
    }
    Ok((amount, unit))
}

/// The day, week (from Monday), month or year that it is, or the one before.
fn period(value: &Value, at: Moment, before: u32) -> Result<Range<Timestamp>, String> {
    let today = day_of(at.now, at.timezone);
    let monday = today.checked_sub_days(Days::new(u64::from(today.weekday().num_days_from_monday())));
    let (start, end): (Option<NaiveDate>, Option<NaiveDate>) = match value.as_str() {
        Some("day") => (today.checked_sub_days(Days::new(before.into())), today.checked_add_days(Days::new(1))),
        Some("week") => (
            monday.and_then(|day| day.checked_sub_days(Days::new(7 * u64::from(before)))),
            monday.and_then(|day| day.checked_add_days(Days::new(7))),
        ),
        Some("month") => {
            let first = today.with_day(1);
            (
                first.and_then(|day| day.checked_sub_months(Months::new(before))),
                first.and_then(|day| day.checked_add_months(Months::new(1))),
            )
        }
        Some("year") => {
            let first = today.with_day(1).and_then(|day| day.with_month(1));
            (
                first.and_then(|day| day.checked_sub_months(Months::new(12 * before))),
                first.and_then(|day| day.checked_add_months(Months::new(12))),
            )
        }
        Some(_) | None => return Err("must be day, week, month or year".to_owned()),
    };
    // What comes before ends where the present one begins.
    let end = if before == 0 { end } else { this_begins(value, at) };
    match (start, end) {
        (Some(start), Some(end)) => Ok(day_begins(start, at.timezone)..day_begins(end, at.timezone)),
        (None, _) | (_, None) => Err("is too long ago".to_owned()),
    }
}

fn this_begins(value: &Value, at: Moment) -> Option<NaiveDate> {
    period(value, at, 0).ok().map(|this| day_of(this.start, at.timezone))
}
