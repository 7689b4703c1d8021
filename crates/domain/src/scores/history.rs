//! What a lead's scores were: when a change is worth a row of its own.

use crate::time::{MINUTE_MS, Timestamp};

/// A visit changes scores every few seconds. Within this time it is one change.
const ONE_VISIT_MS: i64 = 30 * MINUTE_MS;

/// The scores of a lead at some time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// The one number.
    pub score: i64,
    /// How well it fits.
    pub fit: i64,
    /// How engaged its visitor was, where that is known.
    pub engagement: Option<i64>,
    /// How suspicious it is.
    pub suspicion: i64,
    /// What silence took; zero or less.
    pub silence: i64,
}

/// Why scores changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The lead was made.
    Created,
    /// A further submission.
    Submission,
    /// Somebody changed the lead.
    Edit,
    /// Its visitor looked around.
    Visit,
    /// All leads were scored again.
    Rescore,
    /// Nothing was heard of it.
    Silence,
}

impl Cause {
    const ALL: [Self; 6] = [Self::Created, Self::Submission, Self::Edit, Self::Visit, Self::Rescore, Self::Silence];

    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Submission => "submission",
            Self::Edit => "edit",
            Self::Visit => "visit",
            Self::Rescore => "rescore",
            Self::Silence => "silence",
        }
    }

    /// The cause of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == name)
    }
}

/// A row of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// When it came to be so.
    pub at: Timestamp,
    /// What the scores were from then on.
    pub figures: Figures,
    /// The version of the weights.
    pub version: i64,
    /// Why.
    pub cause: Cause,
}

/// What is to be done about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// It is none.
    Nothing,
    /// It goes on with what the last row began.
    Replace,
    /// It is a row of its own.
    Append,
}

/// What is to be done where `last` was noted before, and it is `now` like this.
#[must_use]
pub fn note(last: Option<&Entry>, now: &Entry) -> Note {
    let Some(last) = last else { return Note::Append };
    if last.figures == now.figures {
        return Note::Nothing;
    }
    let is_one_visit = (last.cause, now.cause) == (Cause::Visit, Cause::Visit);
    let goes_on = is_one_visit && (0..ONE_VISIT_MS).contains(&now.at.ms_since(last.at));
    if goes_on { Note::Replace } else { Note::Append }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn entry(score: i64, cause: Cause, minutes: i64) -> Entry {
        let figures = Figures { score, fit: score, engagement: None, suspicion: 0, silence: 0 };
        Entry { at: Timestamp(minutes * MINUTE_MS), figures, version: 0, cause }
    }

    #[rstest]
    #[case::the_first(None, entry(1, Cause::Created, 0), Note::Append)]
    #[case::the_same(Some(entry(1, Cause::Created, 0)), entry(1, Cause::Rescore, 9), Note::Nothing)]
    #[case::another(Some(entry(1, Cause::Created, 0)), entry(2, Cause::Edit, 0), Note::Append)]
    #[case::a_visit_begins(Some(entry(1, Cause::Created, 0)), entry(2, Cause::Visit, 0), Note::Append)]
    #[case::a_visit_goes_on(Some(entry(1, Cause::Visit, 0)), entry(2, Cause::Visit, 29), Note::Replace)]
    #[case::a_later_visit(Some(entry(1, Cause::Visit, 0)), entry(2, Cause::Visit, 30), Note::Append)]
    #[case::a_clock_that_went_back(Some(entry(1, Cause::Visit, 9)), entry(2, Cause::Visit, 0), Note::Append)]
    fn a_change_is_noted_once(#[case] last: Option<Entry>, #[case] now: Entry, #[case] expected: Note) {
        assert_eq!(note(last.as_ref(), &now), expected);
    }
}
