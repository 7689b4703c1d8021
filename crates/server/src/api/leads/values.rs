//! What a lead is worth, as requests say it and answers show it: amounts are decimals in texts, so that no program on the
//! way makes something near to them of it.

use leadline_domain::values::{Amount, Quotable};
use serde::{Deserialize, Deserializer, Serialize, de::Error};
use serde_json::Value;
use utoipa::ToSchema;

/// Whether a lead is one to make an offer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum QuotableName {
    NotSet,
    Yes,
    No,
    Pending,
}

impl From<Quotable> for QuotableName {
    fn from(quotable: Quotable) -> Self {
        match quotable {
            Quotable::NotSet => Self::NotSet,
            Quotable::Yes => Self::Yes,
            Quotable::No => Self::No,
            Quotable::Pending => Self::Pending,
        }
    }
}

impl From<QuotableName> for Quotable {
    fn from(name: QuotableName) -> Self {
        match name {
            QuotableName::NotSet => Self::NotSet,
            QuotableName::Yes => Self::Yes,
            QuotableName::No => Self::No,
            QuotableName::Pending => Self::Pending,
        }
    }
}

/// An amount in a request: a decimal in a text, or a number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AmountField(pub(crate) Amount);

impl<'de> Deserialize<'de> for AmountField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let amount = match Value::deserialize(deserializer)? {
            Value::String(text) => Amount::parse(&text),
            // The shortest digits that mean the number, which are those that were sent.
            Value::Number(number) => Amount::parse(&number.to_string()),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Amount::parse(""),
        };
        amount.map(Self).map_err(D::Error::custom)
    }
}
