//! Files of leads: what their columns are, what is made of a row, and why a row is refused.
//!
//! A column is given a target: a field of the lead, a custom field, or nothing. What the names of columns mean is known
//! from forms; what is suggested is a beginning, and what somebody chose for the same set of columns counts for more.

mod columns;
mod rows;

pub use columns::{Column, name_columns, set_of, suggest};
pub use rows::{Refusal, Row, read_row};

use serde::{Deserialize, Serialize};

use crate::fields::camel_case;

/// Custom fields that one file brings, at most: a lead keeps no more.
pub const CUSTOM_MAX: usize = 150;

/// The columns that a file of refused rows has beside those of the file that they come from. They mean nothing to an
/// import, so that it can be corrected and brought again.
pub const REFUSED_COLUMNS: [&str; 2] = ["Row in the file", "Why it was refused"];

/// What a column is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The whole name.
    Name,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// The country of the phone number.
    CountryCode,
    /// The company.
    Company,
    /// The person's title.
    Title,
    /// The message.
    Message,
    /// Tags, separated by commas or semicolons.
    Tags,
    /// Whether the lead is one to make an offer to.
    Quotable,
    /// What was quoted.
    QuoteValue,
    /// What it was sold for.
    SalesValue,
    /// The page that it came from.
    PageUrl,
    /// The page before that.
    Referrer,
    /// `utm_source`.
    UtmSource,
    /// `utm_medium`.
    UtmMedium,
    /// `utm_campaign`.
    UtmCampaign,
    /// `utm_term`.
    UtmTerm,
    /// `utm_content`.
    UtmContent,
    /// A custom field.
    Custom,
    /// Left out, also of what is kept as sent.
    Ignore,
}

impl Target {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::Name,
        Self::FirstName,
        Self::LastName,
        Self::Email,
        Self::Phone,
        Self::CountryCode,
        Self::Company,
        Self::Title,
        Self::Message,
        Self::Tags,
        Self::Quotable,
        Self::QuoteValue,
        Self::SalesValue,
        Self::PageUrl,
        Self::Referrer,
        Self::UtmSource,
        Self::UtmMedium,
        Self::UtmCampaign,
        Self::UtmTerm,
        Self::UtmContent,
        Self::Custom,
        Self::Ignore,
    ];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::CountryCode => "country_code",
            Self::Company => "company",
            Self::Title => "title",
            Self::Message => "message",
            Self::Tags => "tags",
            Self::Quotable => "quotable",
            Self::QuoteValue => "quote_value",
            Self::SalesValue => "sales_value",
            Self::PageUrl => "page_url",
            Self::Referrer => "referrer",
            Self::UtmSource => "utm_source",
            Self::UtmMedium => "utm_medium",
            Self::UtmCampaign => "utm_campaign",
            Self::UtmTerm => "utm_term",
            Self::UtmContent => "utm_content",
            Self::Custom => "custom",
            Self::Ignore => "ignore",
        }
    }

    /// The target of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.as_str() == name)
    }

    /// Whether it says who the lead is.
    #[must_use]
    pub fn names_somebody(self) -> bool {
        matches!(self, Self::Name | Self::FirstName | Self::LastName | Self::Email | Self::Phone)
    }
}

/// What becomes of a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// What it is for.
    pub target: Target,
    /// The name of the custom field; nothing for other targets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The key of the custom field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Rule {
    /// A rule for a field that every lead has.
    #[must_use]
    pub const fn of(target: Target) -> Self {
        Self { target, name: None, key: None }
    }

    /// A custom field of this name.
    #[must_use]
    pub fn custom(name: &str) -> Self {
        Self { target: Target::Custom, name: Some(name.to_owned()), key: Some(camel_case(name)) }
    }
}

/// What is done where a row's lead is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnMatch {
    /// What the file says counts, but for e-mail address and phone number, which fill what is empty.
    #[default]
    Update,
    /// Only what is empty is filled.
    Fill,
    /// The lead stays as it is.
    Skip,
}

impl OnMatch {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Update, Self::Fill, Self::Skip];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Fill => "fill",
            Self::Skip => "skip",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}
