//! Which leads somebody means, as a tree of conditions: the language of lists, views and of whatever acts on all leads
//! that match.
//!
//! A filter is written as JSON and kept as it was written: a group `{"all": […]}` or `{"any": […]}`, or a condition
//! `{"field": "score", "op": "at_least", "value": 50}`. Custom fields are `custom.` with their key, and what is kept
//! of the person behind the lead is `contact.` with its key; `segment` names segments. Reading one
//! ([`Filter::read`]) says what is wrong with it by JSON pointers, and makes moments of its dates, so that whoever
//! applies it needs no clock. As it was read it can be kept, for work that goes on for a while and means what was asked
//! when it began. How it becomes SQL is the store's business.

mod dates;
mod fields;
mod read;

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

pub use self::fields::{ALL as FIELDS, Description, Kind, LeadField, TouchPart};
use crate::{
    custom_fields::CustomKind,
    ids::{SegmentId, UserId},
    silence::Tz,
    time::Timestamp,
};

/// Groups stand in each other no deeper.
pub const DEPTH_MAX: usize = 4;

/// Conditions in one filter.
pub const CONDITIONS_MAX: usize = 50;

/// Values in one condition.
pub const VALUES_MAX: usize = 100;

/// The longest text that is looked for, in characters.
pub const LONGEST_TEXT: usize = 500;

/// The longest filter, in bytes of JSON.
pub const LONGEST_JSON: usize = 16 * 1024;

/// A tree of conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Filter {
    /// Each of them holds. None of them is true of every lead.
    All(Vec<Filter>),
    /// One of them holds. None of them asks nothing, and is true of every lead as well.
    Any(Vec<Filter>),
    /// None of them holds.
    None(Vec<Filter>),
    /// A condition.
    Is(Condition),
}

/// Something that is asked of a lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Condition {
    /// Of what.
    pub field: Field,
    /// What.
    pub test: Test,
    /// Whether the opposite is asked for. A field without a value is the opposite of every value.
    pub is_negated: bool,
}

/// What a condition is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// A field of every lead.
    Lead(LeadField),
    /// A custom field, and as what its values are taken.
    Custom {
        /// Its key.
        key: String,
        /// What kind it is.
        kind: Kind,
    },
    /// Something that is kept of the person behind the lead, as a text.
    Contact {
        /// Its key.
        key: String,
    },
}

/// What is kept of persons who came by a widget, and of those who became customers: key and name on the screen.
pub const CONTACT_DATA: &[(&str, &str)] = &[
    ("lead_page_url", "Widget's page"),
    ("lead_referrer", "Widget page's referrer"),
    ("lead_source", "Found by"),
    ("widget_id", "Widget's id"),
    ("platform", "Platform"),
];

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Test {
    /// There is no value.
    Empty,
    /// The text is or holds one of these, without regard to the case of letters.
    Text {
        /// How it is compared.
        how: TextMatch,
        /// With what.
        values: Vec<String>,
    },
    /// The number is inside.
    Number {
        /// The least.
        from: Option<Bound>,
        /// The greatest.
        until: Option<Bound>,
    },
    /// The moment is inside.
    Time {
        /// The first.
        from: Option<Timestamp>,
        /// The one after the last.
        before: Option<Timestamp>,
    },
    /// The day is inside.
    Day {
        /// The first.
        from: Option<NaiveDate>,
        /// The one after the last.
        before: Option<NaiveDate>,
    },
    /// It is one of these texts.
    OneOf(Vec<String>),
    /// It is one of these things.
    Ids(Vec<Uuid>),
    /// One of these is among them.
    HasAny(Vec<String>),
    /// Each of these is among them.
    HasAll(Vec<String>),
    /// It is so, or not.
    Flag(bool),
}

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum TextMatch {
    Is,
    Contains,
    Starts,
    Ends,
}

/// An end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bound {
    /// Where it is.
    pub value: f64,
    /// Whether that belongs to the range.
    pub is_included: bool,
}

/// When and where a filter is asked.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// What time it is.
    pub now: Timestamp,
    /// By which clock days begin.
    pub timezone: Tz,
}

/// What segments ask, as it was written.
pub type Segments = HashMap<SegmentId, Value>;

/// How a condition asks who is in a segment. It is no field: the segment's own conditions take its place.
pub const SEGMENT: &str = "segment";

/// What a filter is read with.
#[derive(Debug)]
pub struct Facts<'a> {
    /// When and where.
    pub moment: Moment,
    /// Who `me` is, where anybody is.
    pub me: Option<UserId>,
    /// The kinds of the custom fields that are defined.
    pub custom: &'a HashMap<String, CustomKind>,
    /// What the segments ask that a condition may name.
    pub segments: &'a Segments,
    /// Whether personal data may be asked for: what may not be seen must not be found out by a filter either.
    pub sees_personal: bool,
}

/// What is wrong with a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterFault {
    /// Where, as a JSON pointer into it.
    pub pointer: String,
    /// What.
    pub message: String,
    /// Whether it is well written, and asks for what may not be seen.
    pub is_forbidden: bool,
}

impl FilterFault {
    fn personal(pointer: String, name: &str) -> Self {
        Self { pointer, message: format!("filtering by {name} needs the permission pii:view"), is_forbidden: true }
    }
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(json: &Value, facts: &Facts<'_>) -> Result<Self, Vec<FilterFault>> {
        Self::read_within(json, facts, Vec::new())
    }

    /// Reads what a segment asks, which cannot be who is in it.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read_segment(id: SegmentId, json: &Value, facts: &Facts<'_>) -> Result<Self, Vec<FilterFault>> {
        Self::read_within(json, facts, vec![id])
    }

    fn read_within(json: &Value, facts: &Facts<'_>, within: Vec<SegmentId>) -> Result<Self, Vec<FilterFault>> {
        let mut reading = read::Reading { facts, within, conditions: 0, faults: Vec::new() };
        let read = reading.node(json, "", 0);
        match read {
            Some(filter) if reading.faults.is_empty() => Ok(filter),
            Some(_) | None => Err(reading.faults),
        }
    }

    /// Whether it asks nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::All(children) | Self::Any(children) => children.iter().all(Self::is_empty),
            // A group that asks nothing is true of every lead, and so its opposite of none.
            Self::None(children) => children.is_empty(),
            Self::Is(_) => false,
        }
    }

    /// The conditions that hold of every lead that it finds.
    #[must_use]
    pub fn necessary(&self) -> Vec<&Condition> {
        match self {
            Self::All(children) => children.iter().flat_map(Self::necessary).collect(),
            Self::Any(children) => match children.as_slice() {
                [only] => only.necessary(),
                _ => Vec::new(),
            },
            Self::None(_) => Vec::new(),
            Self::Is(condition) => vec![condition],
        }
    }
}

impl Field {
    /// What kind of values it has.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Lead(field) => field.description().kind,
            Self::Custom { kind, .. } => *kind,
            Self::Contact { .. } => Kind::Text,
        }
    }

    /// Whether it may tell who a person is. Custom fields hold whatever a visitor typed, and what is kept
    /// of a person where they were.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        match self {
            Self::Lead(field) => field.description().is_personal,
            Self::Custom { .. } | Self::Contact { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests;
