//! What other products send to an inbound webhook, unpacked into the fields of a submission each.
//!
//! Each provider has a file that knows its shape and gives nothing where a body is not of it; what nobody knows is read
//! as it stands. Unpacking puts answers under the names by which [`crate::fields`] recognises them, or under the
//! question as it was asked, and finds the provider's own ids: of the delivery, so that a repeat is the same submission,
//! and of the record, so that a later word about a lead reaches that lead.

mod calendly;
mod elementor;
mod facebook;
mod filing;
mod google;
mod gravity;
mod hubspot;
mod jotform;
mod tally;
mod typeform;
mod unbounce;
mod webflow;
mod whatconverts;

use crate::fields::RawFields;

use self::filing::Reading;
pub use self::{
    facebook::{Notice, is_id as is_facebook_id},
    google::{KEY_FIELD as GOOGLE_KEY_FIELD, without_key as without_google_key},
};

/// The most submissions that are taken from one request.
pub const MOST_LEADS: usize = 100;

/// Whose shape a body has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Chats, calls and forms tracked by WhatConverts.
    WhatConverts,
    /// Lead Ads of Facebook and Instagram: the page's notices, and lead details as the Graph API gives them.
    Facebook,
    /// Lead forms of Google Ads.
    Google,
    /// Typeform.
    Typeform,
    /// HubSpot.
    HubSpot,
    /// Jotform.
    Jotform,
    /// Webflow.
    Webflow,
    /// Elementor Pro on WordPress.
    Elementor,
    /// Unbounce.
    Unbounce,
    /// Tally.
    Tally,
    /// Calendly.
    Calendly,
    /// Gravity Forms on WordPress.
    Gravity,
    /// Fields as they stand.
    Generic,
}

impl Format {
    /// All of them, in the order in which a body is tried.
    pub const ALL: [Self; 13] = [
        Self::WhatConverts,
        Self::Facebook,
        Self::Google,
        Self::Typeform,
        Self::HubSpot,
        Self::Jotform,
        Self::Webflow,
        Self::Elementor,
        Self::Unbounce,
        Self::Tally,
        Self::Calendly,
        Self::Gravity,
        Self::Generic,
    ];

    /// How it is stored and chosen.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WhatConverts => "whatconverts",
            Self::Facebook => "facebook",
            Self::Google => "google",
            Self::Typeform => "typeform",
            Self::HubSpot => "hubspot",
            Self::Jotform => "jotform",
            Self::Webflow => "webflow",
            Self::Elementor => "elementor",
            Self::Unbounce => "unbounce",
            Self::Tally => "tally",
            Self::Calendly => "calendly",
            Self::Gravity => "gravity",
            Self::Generic => "generic",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    fn read(self, item: &RawFields) -> Option<Reading> {
        match self {
            Self::WhatConverts => whatconverts::read(item),
            Self::Facebook => facebook::read(item),
            Self::Google => google::read(item),
            Self::Typeform => typeform::read(item),
            Self::HubSpot => hubspot::read(item),
            Self::Jotform => jotform::read(item),
            Self::Webflow => webflow::read(item),
            Self::Elementor => elementor::read(item),
            Self::Unbounce => unbounce::read(item),
            Self::Tally => tally::read(item),
            Self::Calendly => calendly::read(item),
            Self::Gravity => gravity::read(item),
            Self::Generic => Some(Reading::Lead(Unpacked::as_it_stands(item))),
        }
    }
}

/// One submission out of a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Unpacked {
    /// Whose shape it had.
    pub format: Format,
    /// Its fields, for [`crate::fields::recognise`].
    pub fields: RawFields,
    /// The fields as the provider sent them, without what is secret among them.
    pub sent: RawFields,
    /// The provider's id of this delivery: the same again is the same submission.
    pub key: Option<String>,
    /// The provider's id of the lead: whatever else comes about it belongs to the same lead.
    pub record: Option<String>,
    /// Whether the provider tells more of a lead that it told before, rather than the person coming again.
    pub is_update: bool,
}

impl Unpacked {
    fn as_it_stands(item: &RawFields) -> Self {
        Self {
            format: Format::Generic,
            fields: item.clone(),
            sent: item.clone(),
            key: None,
            record: None,
            is_update: false,
        }
    }
}

/// What is in a request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// Submissions, in their order.
    pub leads: Vec<Unpacked>,
    /// Leads that have to be fetched from the provider.
    pub notices: Vec<Notice>,
}

/// Unpacks the items of a body, of which there is one unless it was a list. Without a chosen format each item is taken
/// for what it looks like; what does not have the chosen shape is read as it stands, since a lead in a strange shape is
/// still a lead.
#[must_use]
pub fn unpack(chosen: Option<Format>, items: &[RawFields]) -> Contents {
    let mut contents = Contents::default();
    for item in items.iter().take(MOST_LEADS) {
        match read(chosen, item) {
            Reading::Lead(lead) => contents.leads.push(lead),
            Reading::Notices(notices) => contents.notices.extend(notices),
            Reading::Nothing => {}
        }
    }
    contents.leads = hubspot::by_record(contents.leads);
    contents
}

fn read(chosen: Option<Format>, item: &RawFields) -> Reading {
    let found = match chosen {
        Some(format) => format.read(item),
        None => Format::ALL.into_iter().find_map(|format| format.read(item)),
    };
    found.unwrap_or_else(|| Reading::Lead(Unpacked::as_it_stands(item)))
}
