//! What a lead is worth: whether it is one to quote, what was quoted, what it was sold for.
//!
//! Amounts are exact decimals, counted in thousandths of the workspace's currency: no currency has smaller coins that
//! people quote in, and fifteen digits come through every program's JSON unharmed.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

/// The currency of a workspace that chose none.
pub const DEFAULT_CURRENCY: &str = "USD";

/// Thousandths in one.
const MILLI: i64 = 1_000;

/// The largest amount, in thousandths.
const MOST_MILLI: i64 = 999_999_999_999_999;

/// The most digits after the point.
const DECIMALS: usize = 3;

/// Whether this is a currency's code: three capital letters.
#[must_use]
pub fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The currency that a workspace with these settings quotes and sells in.
#[must_use]
pub fn currency_of(settings: &Value) -> &str {
    settings.get("currency").and_then(Value::as_str).unwrap_or(DEFAULT_CURRENCY)
}

/// A sum of money that is not negative. Written into the spool as its thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Amount(i64);

/// Why a text is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmountFault {
    /// There is something else in it than digits and one point.
    #[error("must be an amount such as 1250 or 1250.50")]
    NotAnAmount,
    /// It is less than nothing.
    #[error("must not be negative")]
    Negative,
    /// It is finer than a thousandth.
    #[error("has at most {DECIMALS} digits after the point")]
    TooFine,
    /// It is more than can be kept.
    #[error("is at most 999999999999.999")]
    TooLarge,
}

impl Amount {
    /// The amount that a text says: digits, and perhaps a point with digits behind it.
    ///
    /// # Errors
    /// Where it says something else, or too much.
    pub fn parse(text: &str) -> Result<Self, AmountFault> {
        let text = text.trim();
        if let Some(rest) = text.strip_prefix('-') {
            return Err(Self::parse(rest).map_or_else(|fault| fault, |_| AmountFault::Negative));
        }
        let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !fraction.is_none_or(is_number) {
            return Err(AmountFault::NotAnAmount);
        }
        let fraction = fraction.unwrap_or_default().trim_end_matches('0');
        if fraction.len() > DECIMALS {
            return Err(AmountFault::TooFine);
        }
        let digits = format!("{}{fraction:0<DECIMALS$}", whole.trim_start_matches('0'));
        let milli = digits.parse().map_err(|_| AmountFault::TooLarge)?;
        if milli > MOST_MILLI { Err(AmountFault::TooLarge) } else { Ok(Self(milli)) }
    }

    /// The amount of so many thousandths; `None` where it cannot be one.
    #[must_use]
    pub fn from_milli(milli: i64) -> Option<Self> {
        (0..=MOST_MILLI).contains(&milli).then_some(Self(milli))
    }

    /// Its thousandths.
    #[must_use]
    pub const fn milli(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&decimal(i128::from(self.0)))
    }
}

/// Thousandths as a decimal: with two digits after the point, and a third where there is one.
#[must_use]
pub fn decimal(milli: i128) -> String {
    let sign = if milli < 0 { "-" } else { "" };
    let (whole, rest) = (milli.unsigned_abs() / MILLI as u128, milli.unsigned_abs() % MILLI as u128);
    let text = format!("{sign}{whole}.{rest:03}");
    text.strip_suffix('0').map(str::to_owned).unwrap_or(text)
}

/// What is to be expected of a sum whose leads are won with this probability, in percent.
#[must_use]
pub fn weighted(milli: i128, probability: i64) -> i128 {
    let hundredfold = milli * i128::from(probability);
    (hundredfold + 50).div_euclid(100)
}

/// Whether a lead is one to make an offer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quotable {
    /// Nobody said.
    #[default]
    NotSet,
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It is not decided yet.
    Pending,
}

impl Quotable {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotSet, Self::Yes, Self::No, Self::Pending];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSet => "not_set",
            Self::Yes => "yes",
            Self::No => "no",
            Self::Pending => "pending",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotSet => "Not Set",
            Self::Yes => "Yes",
            Self::No => "No",
            Self::Pending => "Pending",
        }
    }

    /// The one of this name or label, in any case.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let name = name.trim();
        let is_named = |one: &Self| one.as_str().eq_ignore_ascii_case(name) || one.label().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(is_named)
    }
}

/// What a lead is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Values {
    /// Whether it is one to make an offer to.
    pub quotable: Quotable,
    /// What was quoted.
    pub quote: Option<Amount>,
    /// What it was sold for.
    pub sales: Option<Amount>,
}

impl Values {
    /// The one number of a lead, in thousandths: what it was sold for, or else what was quoted.
    #[must_use]
    pub fn milli(&self) -> i64 {
        self.sales.or(self.quote).map_or(0, Amount::milli)
    }
}

/// What somebody says of a lead's worth; `None` says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of `Values`")]
pub struct ToldValues {
    pub quotable: Option<Quotable>,
    pub quote: Option<Amount>,
    pub sales: Option<Amount>,
}

impl ToldValues {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What a lead of `values` is worth after this was said. That nobody set a thing unsets nothing.
    #[must_use]
    pub fn over(&self, values: Values) -> Values {
        Values {
            quotable: self.quotable.filter(|said| *said != Quotable::NotSet).unwrap_or(values.quotable),
            quote: self.quote.or(values.quote),
            sales: self.sales.or(values.sales),
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("0", "0.00")]
    #[case("1250", "1250.00")]
    #[case(" 1250.5 ", "1250.50")]
    #[case("0007.050", "7.05")]
    #[case("3.125", "3.125")]
    #[case("1.10000", "1.10")]
    #[case("999999999999.999", "999999999999.999")]
    fn an_amount_reads_back_as_it_was_meant(#[case] typed: &str, #[case] shown: &str) {
        assert_eq!(Amount::parse(typed).map(|amount| amount.to_string()), Ok(shown.to_owned()));
    }

    #[rstest]
    #[case("", AmountFault::NotAnAmount)]
    #[case(".", AmountFault::NotAnAmount)]
    #[case("1.", AmountFault::NotAnAmount)]
    #[case(".5", AmountFault::NotAnAmount)]
    #[case("1,5", AmountFault::NotAnAmount)]
    #[case("1e3", AmountFault::NotAnAmount)]
    #[case("NaN", AmountFault::NotAnAmount)]
    #[case("Infinity", AmountFault::NotAnAmount)]
    #[case("+1", AmountFault::NotAnAmount)]
    #[case("1 000", AmountFault::NotAnAmount)]
    #[case("٣", AmountFault::NotAnAmount)]
    #[case("-1", AmountFault::Negative)]
    #[case("--1", AmountFault::Negative)]
    #[case("-x", AmountFault::NotAnAmount)]
    #[case("1.2345", AmountFault::TooFine)]
    #[case("1000000000000", AmountFault::TooLarge)]
    #[case("99999999999999999999999999999999", AmountFault::TooLarge)]
    fn what_is_no_amount_is_refused(#[case] typed: &str, #[case] fault: AmountFault) {
        assert_eq!(Amount::parse(typed), Err(fault));
    }

    #[rstest]
    #[case(1_005, 50, 503)]
    #[case(1_000, 0, 0)]
    #[case(i128::from(i64::MAX), 100, i128::from(i64::MAX))]
    fn a_sum_is_weighted_without_losing_a_coin(#[case] milli: i128, #[case] percent: i64, #[case] expected: i128) {
        assert_eq!(weighted(milli, percent), expected);
    }

    #[test]
    fn a_lead_is_worth_what_it_was_sold_for_or_else_was_quoted() {
        let (quote, sales) = (Amount::from_milli(2_000), Amount::from_milli(1_500));
        let values = |quote, sales| Values { quote, sales, ..Values::default() };

        assert_eq!(values(quote, sales).milli(), 1_500);
        assert_eq!(values(quote, None).milli(), 2_000);
        assert_eq!(values(None, None).milli(), 0);
    }

    #[test]
    fn what_is_not_said_stays() {
        let before = Values { quotable: Quotable::Yes, quote: Amount::from_milli(1), sales: None };
        let told = ToldValues { quotable: Some(Quotable::NotSet), sales: Amount::from_milli(2), quote: None };

        assert_eq!(told.over(before), Values { sales: Amount::from_milli(2), ..before });
    }

    #[test]
    fn quotable_is_known_by_name_and_label() {
        for one in Quotable::ALL {
            assert_eq!((Quotable::parse(one.as_str()), Quotable::parse(one.label())), (Some(one), Some(one)));
        }
        assert_eq!(Quotable::parse("NOT SET"), Some(Quotable::NotSet));
        assert_eq!(Quotable::parse("maybe"), None);
    }

    #[rstest]
    #[case("EUR", true)]
    #[case("eur", false)]
    #[case("EURO", false)]
    #[case("É1", false)]
    fn a_currency_has_three_capital_letters(#[case] code: &str, #[case] expected: bool) {
        assert_eq!(is_currency(code), expected);
    }
}
