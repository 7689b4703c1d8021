//! Leads counted by days, by what they share, by how long they waited, and by why they were decided.

use std::{cmp::Reverse, collections::HashMap};

use super::{
    facts::{LeadFact, NameNumber},
    figures::{Figures, Outcome, Tally, wait_ms},
    period::{Bucket, Span},
};
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};

/// Groups that are shown by themselves. The rest is counted together.
pub const MOST_GROUPS: usize = 200;

/// Whether a lead is of the period, or of the one that it is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Of the period.
    Now,
    /// Of the one before.
    Before,
}

/// What is counted now and before.
#[derive(Debug, Clone, Default)]
pub struct Both<T> {
    /// In the period.
    pub now: T,
    /// In the one that it is compared with.
    pub before: T,
}

impl<T> Both<T> {
    /// The one of them.
    pub fn at(&mut self, when: When) -> &mut T {
        match when {
            When::Now => &mut self.now,
            When::Before => &mut self.before,
        }
    }
}

/// Leads by the days on which they came.
#[derive(Debug, Clone)]
pub struct Intervals {
    spans: Both<Vec<Span>>,
    tallies: Both<Vec<Tally>>,
}

impl Intervals {
    /// Nothing is counted yet.
    #[must_use]
    pub fn of(buckets: &[Bucket]) -> Self {
        let spans = Both {
            now: buckets.iter().map(|bucket| bucket.span).collect(),
            before: buckets.iter().filter_map(|bucket| bucket.before).collect::<Vec<_>>(),
        };
        let tallies =
            Both { now: vec![Tally::default(); spans.now.len()], before: vec![Tally::default(); spans.before.len()] };
        Self { spans, tallies }
    }

    /// Counts a lead. One that came on none of the days is left out.
    pub fn add(&mut self, when: When, lead: &LeadFact, outcome: Outcome, target_ms: i64) {
        let spans = self.spans.at(when);
        let next = spans.partition_point(|span| span.from_at.0 <= lead.created_at);
        let Some(place) = next.checked_sub(1).filter(|place| lead.created_at < spans[*place].until_at.0) else {
            return;
        };
        if let Some(tally) = self.tallies.at(when).get_mut(place) {
            tally.add(lead, outcome, target_ms);
        }
    }

    /// What was counted, in the order of the days, beside what was before.
    #[must_use]
    pub fn figures(self) -> Vec<(Figures, Option<Figures>)> {
        let mut before = self.tallies.before.into_iter();
        self.tallies.now.into_iter().map(|now| (now.figures(), before.next().map(Tally::figures))).collect()
    }
}

/// What leads are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Their source.
    Source,
    /// The campaign of their first visit.
    Campaign,
    /// Whose they are.
    Owner,
    /// What they are about.
    Project,
}

/// What the leads of a group share.
pub type Shared = [NameNumber; 4];

impl By {
    fn shared(self, lead: &LeadFact) -> Shared {
        let [source, medium, campaign] = lead.campaign;
        match self {
            Self::Source => [lead.source_kind, lead.source, 0, 0],
            Self::Campaign => [lead.channel, source, medium, campaign],
            Self::Owner => [lead.owner, 0, 0, 0],
            Self::Project => [lead.project, 0, 0, 0],
        }
    }
}

/// Leads by what they share.
#[derive(Debug, Clone)]
pub struct Groups {
    by: By,
    tallies: HashMap<Shared, Both<Tally>>,
}

/// The leads of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What they share; nothing, where these are all that have no group of their own.
    pub shared: Option<Shared>,
    /// Their figures.
    pub now: Figures,
    /// Those of the period before.
    pub before: Figures,
}

impl Groups {
    /// Nothing is counted yet.
    #[must_use]
    pub fn by(by: By) -> Self {
        Self { by, tallies: HashMap::new() }
    }

    /// Counts a lead.
    pub fn add(&mut self, when: When, lead: &LeadFact, outcome: Outcome, target_ms: i64) {
        let shared = self.by.shared(lead);
        self.tallies.entry(shared).or_default().at(when).add(lead, outcome, target_ms);
    }

    /// The groups, the largest first, and behind them those that are too many together.
    #[must_use]
    pub fn figures(self) -> Vec<Group> {
        let mut groups: Vec<(Shared, Both<Tally>)> = self.tallies.into_iter().collect();
        groups.sort_unstable_by_key(|(shared, both)| (Reverse((both.now.leads(), both.before.leads())), *shared));
        let rest = groups.split_off(groups.len().min(MOST_GROUPS));
        let group =
            |shared, both: Both<Tally>| Group { shared, now: both.now.figures(), before: both.before.figures() };
        let has_rest = !rest.is_empty();
        let together = rest.into_iter().fold(Both::<Tally>::default(), |mut together, (_, both)| {
            together.now.merge(both.now);
            together.before.merge(both.before);
            together
        });
        let mut groups: Vec<Group> = groups.into_iter().map(|(shared, both)| group(Some(shared), both)).collect();
        groups.extend(has_rest.then(|| group(None, together)));
        groups
    }
}

/// Waits are counted up to these, each with those that are longer than the one before.
pub const WAITS_MS: [i64; 6] = [5 * MINUTE_MS, 15 * MINUTE_MS, HOUR_MS, 4 * HOUR_MS, DAY_MS, 3 * DAY_MS];

/// How long leads waited for the first answer: up to each of [`WAITS_MS`], longer, and in vain so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Distribution {
    /// Those that waited up to each, and those that waited longer than the last.
    pub answered: [i64; WAITS_MS.len() + 1],
    /// Those that wait still.
    pub waiting: i64,
}

impl Distribution {
    /// Counts a lead.
    pub fn add(&mut self, lead: &LeadFact) {
        match wait_ms(lead) {
            Some(wait) => self.answered[WAITS_MS.partition_point(|most| *most < wait)] += 1,
            None => self.waiting += 1,
        }
    }
}

/// Why leads were won or lost.
#[derive(Debug, Clone, Default)]
pub struct Reasons {
    won: HashMap<NameNumber, i64>,
    lost: HashMap<NameNumber, i64>,
}

impl Reasons {
    /// Counts a lead, where it is decided.
    pub fn add(&mut self, lead: &LeadFact, outcome: Outcome) {
        let counts = match outcome {
            Outcome::Open => return,
            Outcome::Won => &mut self.won,
            Outcome::Lost => &mut self.lost,
        };
        *counts.entry(lead.close_reason).or_default() += 1;
    }

    /// Why leads were won, the most frequent reason first.
    #[must_use]
    pub fn won(&self) -> Vec<(NameNumber, i64)> {
        sorted(&self.won)
    }

    /// Why leads were lost.
    #[must_use]
    pub fn lost(&self) -> Vec<(NameNumber, i64)> {
        sorted(&self.lost)
    }
}

fn sorted(counts: &HashMap<NameNumber, i64>) -> Vec<(NameNumber, i64)> {
    let mut counts: Vec<(NameNumber, i64)> = counts.iter().map(|(reason, count)| (*reason, *count)).collect();
    counts.sort_unstable_by_key(|(reason, count)| (Reverse(*count), *reason));
    counts.truncate(MOST_GROUPS);
    counts
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::{
        reports::period::{Period, Wish},
        silence::Tz,
        time::Timestamp,
    };

    fn at(time: &str) -> LeadFact {
        let created_at = Timestamp::parse(time).expect("a time").0;
        LeadFact { created_at, ..LeadFact::default() }
    }

    #[test]
    fn a_lead_is_counted_on_its_day_and_on_no_other() {
        let wish = Wish { from: Some("2026-03-01"), to: Some("2026-03-03"), compare: Some("previous"), interval: None };
        let period = Period::read(wish, Timestamp(0), Tz::UTC).expect("a period");
        let mut intervals = Intervals::of(&period.buckets);

        for (when, time) in [
            (When::Now, "2026-02-28T23:59:59.999Z"),
            (When::Now, "2026-03-01T00:00:00Z"),
            (When::Now, "2026-03-01T23:59:59.999Z"),
            (When::Now, "2026-03-03T12:00:00Z"),
            (When::Now, "2026-03-04T00:00:00Z"),
            (When::Before, "2026-02-28T12:00:00Z"),
            (When::Before, "2026-03-01T12:00:00Z"),
        ] {
            intervals.add(when, &at(time), Outcome::Open, 0);
        }

        let counted: Vec<(i64, Option<i64>)> =
            intervals.figures().iter().map(|(now, before)| (now.leads, before.map(|one| one.leads))).collect();
        assert_eq!(counted, [(2, Some(0)), (0, Some(0)), (1, Some(1))]);
    }

    #[test]
    fn the_largest_groups_come_first_and_the_smallest_together() {
        let mut groups = Groups::by(By::Project);
        let of = |project| LeadFact { project, ..LeadFact::default() };
        for project in 1..=250 {
            groups.add(When::Now, &of(project), Outcome::Open, 0);
        }
        groups.add(When::Now, &of(9), Outcome::Won, 0);
        groups.add(When::Before, &of(250), Outcome::Lost, 0);

        let groups = groups.figures();

        assert_eq!(groups.len(), MOST_GROUPS + 1);
        assert_eq!((groups[0].shared, groups[0].now.leads, groups[0].now.won), (Some([9, 0, 0, 0]), 2, 1));
        assert_eq!((groups[1].shared, groups[1].before.lost), (Some([250, 0, 0, 0]), 1));
        assert_eq!((groups[200].shared, groups[200].now.leads), (None, 50));
    }

    #[rstest]
    #[case::at_once(0, 0)]
    #[case::five_minutes(300_000, 0)]
    #[case::longer(300_001, 1)]
    #[case::three_days(259_200_000, 5)]
    #[case::a_week(604_800_000, 6)]
    fn a_wait_is_counted_in_its_place(#[case] wait: i64, #[case] place: usize) {
        let mut distribution = Distribution::default();

        distribution.add(&LeadFact { created_at: 7, responded_at: Some(7 + wait), ..LeadFact::default() });
        distribution.add(&LeadFact::default());

        assert_eq!((distribution.answered[place], distribution.answered.iter().sum::<i64>()), (1, 1));
        assert_eq!(distribution.waiting, 1);
    }

    #[test]
    fn reasons_are_of_those_that_are_decided() {
        let mut reasons = Reasons::default();
        for (close_reason, outcome) in
            [(1, Outcome::Lost), (2, Outcome::Lost), (2, Outcome::Lost), (0, Outcome::Won), (1, Outcome::Open)]
        {
            reasons.add(&LeadFact { close_reason, ..LeadFact::default() }, outcome);
        }

        assert_eq!((reasons.lost(), reasons.won()), (vec![(2, 2), (1, 1)], vec![(0, 1)]));
    }
}
