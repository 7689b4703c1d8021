//! What a filter may ask of a lead: its own fields by name, with what kind each is.

use serde::{Deserialize, Serialize};

/// What kind of values a field has, which says what may be asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Any text.
    Text,
    /// A whole number.
    Whole,
    /// A number.
    Number,
    /// A moment.
    Time,
    /// A day.
    Day,
    /// One of several texts.
    Choice,
    /// One of several things, by their ids.
    Id,
    /// Several texts.
    Set,
    /// Yes or no.
    Flag,
}

impl Kind {
    /// Its name outside. Kinds that are asked alike have the same.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whole | Self::Number => "number",
            Self::Time | Self::Day => "date",
            Self::Choice => "choice",
            Self::Id => "id",
            Self::Set => "set",
            Self::Flag => "flag",
        }
    }
}

/// A part of a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of Touch under their own names")]
pub enum TouchPart {
    Channel,
    Source,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmTerm,
    UtmContent,
    PageUrl,
    Referrer,
    Gclid,
    Fbclid,
    Msclkid,
}

/// A field of every lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of a lead under their own names")]
pub enum LeadField {
    Name,
    Email,
    Phone,
    Country,
    Company,
    Title,
    Message,
    Source,
    SourceId,
    ProjectId,
    PipelineId,
    StageId,
    StageKind,
    AssignedTo,
    Tags,
    Score,
    Engagement,
    Suspicion,
    IsTest,
    State,
    Lifecycle,
    ContactTags,
    ContactSince,
    SubmissionCount,
    ReturnVisits,
    PagesVisited,
    CreatedAt,
    UpdatedAt,
    LastSubmissionAt,
    StageEnteredAt,
    ConvertedAt,
    LastVisitAt,
    VisitorCountry,
    VisitorRegion,
    VisitorCity,
    DeviceKind,
    Browser,
    Os,
    Language,
    FirstTouch(TouchPart),
    LastTouch(TouchPart),
}

/// How a field is called, by programs and by people, and what it is.
#[derive(Debug, Clone, Copy)]
pub struct Description {
    /// The field.
    pub field: LeadField,
    /// Its name in filters.
    pub name: &'static str,
    /// Its name on the screen.
    pub label: &'static str,
    /// Under which heading it stands there.
    pub group: &'static str,
    /// What kind of values it has.
    pub kind: Kind,
    /// Whether it tells who a person is, so that asking for it needs `pii:view`.
    pub is_personal: bool,
}

impl LeadField {
    /// The field of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Description> {
        ALL.iter().find(|description| description.name == name)
    }

    /// How it is called.
    #[must_use]
    pub fn description(self) -> &'static Description {
        ALL.iter().find(|description| description.field == self).expect("a test looks every field up")
    }
}

const fn open(
    field: LeadField,
    name: &'static str,
    label: &'static str,
    group: &'static str,
    kind: Kind,
) -> Description {
    Description { field, name, label, group, kind, is_personal: false }
}

const fn personal(
    field: LeadField,
    name: &'static str,
    label: &'static str,
    group: &'static str,
    kind: Kind,
) -> Description {
    Description { field, name, label, group, kind, is_personal: true }
}

use {
    Kind::{Choice, Flag, Id, Set, Text, Time, Whole},
    LeadField as Lead, TouchPart as Part,
};

const PERSON: &str = "Person";
const STATE: &str = "Lead";
const NUMBERS: &str = "Numbers";
const DATES: &str = "Dates";
const VISITOR: &str = "Visitor";
const FIRST: &str = "First touch";
const LAST: &str = "Last touch";

/// All fields, in the order of the screen.
pub const ALL: &[Description] = &[
    personal(Lead::Name, "name", "Name", PERSON, Text),
    personal(Lead::Email, "email", "E-mail", PERSON, Text),
    personal(Lead::Phone, "phone", "Phone", PERSON, Text),
    open(Lead::Country, "country", "Phone country", PERSON, Choice),
    open(Lead::Company, "company", "Company", PERSON, Text),
    open(Lead::Title, "title", "Title", PERSON, Text),
    personal(Lead::Message, "message", "Message", PERSON, Text),
    open(Lead::PipelineId, "pipelineId", "Pipeline", STATE, Id),
    open(Lead::StageId, "stageId", "Stage", STATE, Id),
    open(Lead::StageKind, "stageKind", "Stage type", STATE, Choice),
    open(Lead::AssignedTo, "assignedTo", "Assigned to", STATE, Id),
    open(Lead::Tags, "tags", "Tags", STATE, Set),
    open(Lead::ProjectId, "projectId", "Project", STATE, Id),
    open(Lead::Source, "source", "Source type", STATE, Choice),
    open(Lead::SourceId, "sourceId", "Source", STATE, Id),
    open(Lead::Lifecycle, "lifecycle", "Contact lifecycle", STATE, Choice),
    open(Lead::ContactTags, "contactTags", "Contact's tags", STATE, Set),
    open(Lead::State, "state", "Chat state", STATE, Choice),
    open(Lead::IsTest, "isTest", "Test lead", STATE, Flag),
    open(Lead::Score, "score", "Score", NUMBERS, Whole),
    open(Lead::Engagement, "engagement", "Engagement", NUMBERS, Whole),
    open(Lead::Suspicion, "suspicion", "Suspicion", NUMBERS, Whole),
    open(Lead::SubmissionCount, "submissionCount", "Submissions", NUMBERS, Whole),
    open(Lead::ReturnVisits, "returnVisits", "Return visits", NUMBERS, Whole),
    open(Lead::PagesVisited, "pagesVisited", "Pages visited", NUMBERS, Whole),
    open(Lead::CreatedAt, "createdAt", "Created", DATES, Time),
    open(Lead::ContactSince, "contactSince", "Contact since", DATES, Time),
    open(Lead::UpdatedAt, "updatedAt", "Updated", DATES, Time),
    open(Lead::LastSubmissionAt, "lastSubmissionAt", "Last submission", DATES, Time),
    open(Lead::StageEnteredAt, "stageEnteredAt", "In stage since", DATES, Time),
    open(Lead::ConvertedAt, "convertedAt", "Converted", DATES, Time),
    open(Lead::LastVisitAt, "lastVisitAt", "Last visit", DATES, Time),
    open(Lead::VisitorCountry, "visitorCountry", "Visitor's country", VISITOR, Choice),
    open(Lead::VisitorRegion, "visitorRegion", "Visitor's region", VISITOR, Text),
    open(Lead::VisitorCity, "visitorCity", "Visitor's city", VISITOR, Text),
    open(Lead::DeviceKind, "deviceKind", "Device", VISITOR, Choice),
    open(Lead::Browser, "browser", "Browser", VISITOR, Text),
    open(Lead::Os, "os", "Operating system", VISITOR, Text),
    open(Lead::Language, "language", "Language", VISITOR, Text),
    open(Lead::FirstTouch(Part::Channel), "firstTouch.channel", "Channel", FIRST, Choice),
    open(Lead::FirstTouch(Part::Source), "firstTouch.source", "Came from", FIRST, Text),
    open(Lead::FirstTouch(Part::UtmSource), "firstTouch.utmSource", "UTM source", FIRST, Text),
    open(Lead::FirstTouch(Part::UtmMedium), "firstTouch.utmMedium", "UTM medium", FIRST, Text),
    open(Lead::FirstTouch(Part::UtmCampaign), "firstTouch.utmCampaign", "UTM campaign", FIRST, Text),
    open(Lead::FirstTouch(Part::UtmTerm), "firstTouch.utmTerm", "UTM term", FIRST, Text),
    open(Lead::FirstTouch(Part::UtmContent), "firstTouch.utmContent", "UTM content", FIRST, Text),
    personal(Lead::FirstTouch(Part::PageUrl), "firstTouch.pageUrl", "Page", FIRST, Text),
    personal(Lead::FirstTouch(Part::Referrer), "firstTouch.referrer", "Referrer", FIRST, Text),
    personal(Lead::FirstTouch(Part::Gclid), "firstTouch.gclid", "Google click id", FIRST, Text),
    personal(Lead::FirstTouch(Part::Fbclid), "firstTouch.fbclid", "Facebook click id", FIRST, Text),
    personal(Lead::FirstTouch(Part::Msclkid), "firstTouch.msclkid", "Microsoft click id", FIRST, Text),
    open(Lead::LastTouch(Part::Channel), "lastTouch.channel", "Channel", LAST, Choice),
    open(Lead::LastTouch(Part::Source), "lastTouch.source", "Came from", LAST, Text),
    open(Lead::LastTouch(Part::UtmSource), "lastTouch.utmSource", "UTM source", LAST, Text),
    open(Lead::LastTouch(Part::UtmMedium), "lastTouch.utmMedium", "UTM medium", LAST, Text),
    open(Lead::LastTouch(Part::UtmCampaign), "lastTouch.utmCampaign", "UTM campaign", LAST, Text),
    open(Lead::LastTouch(Part::UtmTerm), "lastTouch.utmTerm", "UTM term", LAST, Text),
    open(Lead::LastTouch(Part::UtmContent), "lastTouch.utmContent", "UTM content", LAST, Text),
    personal(Lead::LastTouch(Part::PageUrl), "lastTouch.pageUrl", "Page", LAST, Text),
    personal(Lead::LastTouch(Part::Referrer), "lastTouch.referrer", "Referrer", LAST, Text),
    personal(Lead::LastTouch(Part::Gclid), "lastTouch.gclid", "Google click id", LAST, Text),
    personal(Lead::LastTouch(Part::Fbclid), "lastTouch.fbclid", "Facebook click id", LAST, Text),
    personal(Lead::LastTouch(Part::Msclkid), "lastTouch.msclkid", "Microsoft click id", LAST, Text),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_field_has_a_name_of_its_own() {
        let names: HashSet<&str> = ALL.iter().map(|description| description.name).collect();

        assert_eq!(names.len(), ALL.len());
        for description in ALL {
            assert_eq!(description.field.description().name, description.name);
        }
    }
}
