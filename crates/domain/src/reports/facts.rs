//! What reports need of a lead, and nothing else: no name, no address, nothing that says who it is.

use std::collections::HashMap;

use uuid::Uuid;

/// What something is called in facts: the number of a [`Name`]. Zero is nothing.
pub type NameNumber = u32;

/// Nothing: nobody's lead, no campaign.
pub const NOTHING: NameNumber = 0;

/// What leads share, such as a project or a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Name {
    /// Something that has an id.
    Id(Uuid),
    /// Something that has a name alone.
    Text(String),
}

/// Numbers for what leads share: a number is quicker to count by than a text, and shorter to keep.
#[derive(Debug, Clone, Default)]
pub struct Names {
    names: Vec<Name>,
    numbers: HashMap<Name, NameNumber>,
}

impl Names {
    /// The number of a name, which is a new one where nobody asked before.
    pub fn number(&mut self, name: Name) -> NameNumber {
        if let Some(known) = self.numbers.get(&name) {
            return *known;
        }
        self.names.push(name.clone());
        // Nobody has four billion of them: each lead brings ten at most.
        let number = NameNumber::try_from(self.names.len()).unwrap_or(NameNumber::MAX);
        self.numbers.insert(name, number);
        number
    }

    /// The number of an id, and nothing for none.
    pub fn id(&mut self, id: Option<Uuid>) -> NameNumber {
        id.map_or(NOTHING, |id| self.number(Name::Id(id)))
    }

    /// The number of a text, and nothing for none.
    pub fn text(&mut self, text: Option<String>) -> NameNumber {
        text.filter(|text| !text.is_empty()).map_or(NOTHING, |text| self.number(Name::Text(text)))
    }

    /// The number of a name that somebody asked for before.
    #[must_use]
    pub fn find(&self, name: &Name) -> Option<NameNumber> {
        self.numbers.get(name).copied()
    }

    /// What has this number.
    #[must_use]
    pub fn get(&self, number: NameNumber) -> Option<&Name> {
        let place = usize::try_from(number).ok()?.checked_sub(1)?;
        self.names.get(place)
    }

    /// The id that has this number.
    #[must_use]
    pub fn id_of(&self, number: NameNumber) -> Option<Uuid> {
        match self.get(number) {
            Some(Name::Id(id)) => Some(*id),
            Some(Name::Text(_)) | None => None,
        }
    }

    /// The text that has this number.
    #[must_use]
    pub fn text_of(&self, number: NameNumber) -> Option<&str> {
        match self.get(number) {
            Some(Name::Text(text)) => Some(text),
            Some(Name::Id(_)) | None => None,
        }
    }

    /// All names, in the order of their numbers.
    #[must_use]
    pub fn all(&self) -> &[Name] {
        &self.names
    }
}

/// A time that a lead spent in a stage that it has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// The stage.
    pub stage: NameNumber,
    /// How long.
    pub ms: i64,
}

/// What reports need of a lead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LeadFact {
    /// When it came.
    pub created_at: i64,
    /// What it is about.
    pub project: NameNumber,
    /// In which pipeline it is.
    pub pipeline: NameNumber,
    /// In which stage.
    pub stage: NameNumber,
    /// Since when.
    pub stage_entered_at: i64,
    /// Whose it is.
    pub owner: NameNumber,
    /// The kind of its source.
    pub source_kind: NameNumber,
    /// Its source, where that is one of several.
    pub source: NameNumber,
    /// How its first visit came about.
    pub channel: NameNumber,
    /// `utm_source`, `utm_medium` and `utm_campaign` of that visit.
    pub campaign: [NameNumber; 3],
    /// Why it was won or lost.
    pub close_reason: NameNumber,
    /// When a person first did something about it.
    pub responded_at: Option<i64>,
    /// What was quoted.
    pub quote_milli: Option<i64>,
    /// What it was sold for.
    pub sales_milli: Option<i64>,
    /// The stages that it has left, the first first.
    pub stays: Vec<Stay>,
}

/// Where leads came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A kind of source.
    Kind(String),
    /// One source.
    One(Uuid),
}

/// Whose leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Nobody's.
    Nobody,
    /// This user's.
    User(Uuid),
}

/// Which leads a report is about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Those about this project.
    pub project: Option<Uuid>,
    /// Those in this pipeline.
    pub pipeline: Option<Uuid>,
    /// Those that came this way.
    pub from: Option<From>,
    /// Those of this user, or of nobody.
    pub owner: Option<Owner>,
}

impl Filter {
    /// Whether a report is about the lead.
    #[must_use]
    pub fn matches(&self, lead: &LeadFact, names: &Names) -> bool {
        let is = |number: NameNumber, id: Option<Uuid>| id.is_none_or(|id| names.id_of(number) == Some(id));
        let came = match &self.from {
            None => true,
            Some(From::Kind(kind)) => names.text_of(lead.source_kind) == Some(kind),
            Some(From::One(source)) => is(lead.source, Some(*source)),
        };
        let is_whose = match self.owner {
            None => true,
            Some(Owner::Nobody) => lead.owner == NOTHING,
            Some(Owner::User(user)) => is(lead.owner, Some(user)),
        };
        came && is_whose && is(lead.project, self.project) && is(lead.pipeline, self.pipeline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_number() {
        let mut names = Names::default();
        let id = Uuid::from_u128(7);

        let (first, text) = (names.id(Some(id)), names.text(Some("spring".to_owned())));

        assert_eq!((names.id(Some(id)), names.text(Some("spring".to_owned()))), (first, text));
        assert_eq!((names.id_of(first), names.text_of(text)), (Some(id), Some("spring")));
        assert_eq!((names.text_of(first), names.get(NOTHING), names.get(99)), (None, None, None));
        assert_eq!((names.id(None), names.text(Some(String::new()))), (NOTHING, NOTHING));
    }

    #[test]
    fn a_filter_asks_for_everything_that_is_said() {
        let mut names = Names::default();
        let [project, user, other] = [1, 2, 3].map(Uuid::from_u128);
        let mine = LeadFact {
            project: names.id(Some(project)),
            owner: names.id(Some(user)),
            source_kind: names.text(Some("form".to_owned())),
            ..LeadFact::default()
        };
        let asked = Filter {
            project: Some(project),
            from: Some(From::Kind("form".to_owned())),
            owner: Some(Owner::User(user)),
            pipeline: None,
        };

        assert!(Filter::default().matches(&mine, &names) && asked.matches(&mine, &names));
        for asked in [
            Filter { project: Some(other), ..asked.clone() },
            Filter { from: Some(From::One(other)), ..asked.clone() },
            Filter { from: Some(From::Kind("api".to_owned())), ..asked.clone() },
            Filter { owner: Some(Owner::Nobody), ..asked.clone() },
            Filter { pipeline: Some(other), ..asked },
        ] {
            assert!(!asked.matches(&mine, &names), "{asked:?}");
        }
    }
}
