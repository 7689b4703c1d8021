//! The figures of some leads: how many came, what became of them, what they were worth, and how soon somebody answered.

use std::collections::HashMap;

use uuid::Uuid;

use super::facts::{LeadFact, Names};
use crate::pipelines::StageKind;

/// What became of a lead, by the kind of its stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is still being worked on.
    Open,
    /// It became a customer.
    Won,
    /// It did not.
    Lost,
}

/// What stages mean, by the numbers that facts have for them.
#[derive(Debug, Clone, Default)]
pub struct Stages {
    kinds: HashMap<Uuid, StageKind>,
    known: Vec<Option<Outcome>>,
}

impl Stages {
    /// Those of a workspace.
    #[must_use]
    pub fn of(kinds: HashMap<Uuid, StageKind>) -> Self {
        Self { kinds, known: Vec::new() }
    }

    /// What became of a lead. One in a stage that is gone is open.
    pub fn outcome(&mut self, lead: &LeadFact, names: &Names) -> Outcome {
        let place = usize::try_from(lead.stage).unwrap_or(0);
        if let Some(known) = self.known.get(place).copied().flatten() {
            return known;
        }
        let kind = names.id_of(lead.stage).and_then(|id| self.kinds.get(&id));
        let outcome = match kind {
            Some(StageKind::Won) => Outcome::Won,
            Some(StageKind::Lost) => Outcome::Lost,
            Some(StageKind::Open) | None => Outcome::Open,
        };
        if self.known.len() <= place {
            self.known.resize(place + 1, None);
        }
        self.known[place] = Some(outcome);
        outcome
    }
}

/// Counts leads.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    leads: i64,
    won: i64,
    lost: i64,
    sales_milli: i128,
    quote_milli: i128,
    /// How long leads waited for the first answer.
    waits_ms: Vec<i64>,
    in_time: i64,
}

/// What was counted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Figures {
    /// Leads that came.
    pub leads: i64,
    /// Those of them that are still being worked on.
    pub open: i64,
    /// Those that were won.
    pub won: i64,
    /// Those that were lost.
    pub lost: i64,
    /// The won among those that are decided, from 0 to 1; nothing, where none is decided.
    pub win_rate: Option<f64>,
    /// What those that were won were sold for, in thousandths.
    pub sales_milli: i128,
    /// What was quoted to all of them, in thousandths.
    pub quote_milli: i128,
    /// What a lead brought, in thousandths; nothing, where none came.
    pub milli_per_lead: Option<i128>,
    /// Those to which somebody answered.
    pub responded: i64,
    /// How long half of those waited at most.
    pub median_response_ms: Option<i64>,
    /// How long nine in ten of those waited at most.
    pub p90_response_ms: Option<i64>,
    /// Those that were answered in time, among all, from 0 to 1; nothing, where none came.
    pub within_target: Option<f64>,
}

impl Tally {
    /// Counts a lead. An answer is in time where it took no longer than `target_ms`.
    pub fn add(&mut self, lead: &LeadFact, outcome: Outcome, target_ms: i64) {
        self.leads += 1;
        self.quote_milli += i128::from(lead.quote_milli.unwrap_or(0));
        match outcome {
            Outcome::Open => {}
            Outcome::Won => {
                self.won += 1;
                self.sales_milli += i128::from(lead.sales_milli.unwrap_or(0));
            }
            Outcome::Lost => self.lost += 1,
        }
        if let Some(wait) = wait_ms(lead) {
            self.waits_ms.push(wait);
            self.in_time += i64::from(wait <= target_ms);
        }
    }

    /// How many were counted.
    #[must_use]
    pub fn leads(&self) -> i64 {
        self.leads
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: Self) {
        self.leads += other.leads;
        self.won += other.won;
        self.lost += other.lost;
        self.sales_milli += other.sales_milli;
        self.quote_milli += other.quote_milli;
        self.in_time += other.in_time;
        self.waits_ms.extend(other.waits_ms);
    }

    /// What was counted.
    #[must_use]
    pub fn figures(mut self) -> Figures {
        let leads = i128::from(self.leads);
        Figures {
            leads: self.leads,
            open: self.leads - self.won - self.lost,
            won: self.won,
            lost: self.lost,
            win_rate: share(self.won, self.won + self.lost),
            sales_milli: self.sales_milli,
            quote_milli: self.quote_milli,
            milli_per_lead: (leads > 0).then(|| (self.sales_milli + leads / 2).div_euclid(leads)),
            responded: i64::try_from(self.waits_ms.len()).unwrap_or(i64::MAX),
            median_response_ms: quantile(&mut self.waits_ms, 50),
            p90_response_ms: quantile(&mut self.waits_ms, 90),
            within_target: share(self.in_time, self.leads),
        }
    }
}

/// How long a lead waited for the first answer. One that was made after it was answered waited for nothing.
pub(super) fn wait_ms(lead: &LeadFact) -> Option<i64> {
    lead.responded_at.map(|at| (at - lead.created_at).max(0))
}

/// A part of a whole, from 0 to 1; nothing, where there is no whole.
#[must_use]
pub fn share(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// The least of these that `percent` of them do not exceed. Their order changes.
pub(super) fn quantile(values: &mut [i64], percent: usize) -> Option<i64> {
    let place = (values.len() * percent).div_ceil(100).checked_sub(1)?;
    Some(*values.select_nth_unstable(place).1)
}

/// What they are on average, rounded.
pub(super) fn average(values: &[i64]) -> Option<i64> {
    let count = i128::try_from(values.len()).ok().filter(|count| *count > 0)?;
    let sum: i128 = values.iter().copied().map(i128::from).sum();
    i64::try_from((sum + count / 2).div_euclid(count)).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::none(&[], None, None, None)]
    #[case::one(&[7], Some(7), Some(7), Some(7))]
    #[case::two(&[9, 1], Some(1), Some(9), Some(5))]
    #[case::three(&[3, 1, 2], Some(2), Some(3), Some(2))]
    #[case::ten(&[10, 1, 9, 2, 8, 3, 7, 4, 6, 5], Some(5), Some(9), Some(6))]
    fn quantiles_are_values_that_there_are(
        #[case] values: &[i64],
        #[case] median: Option<i64>,
        #[case] p90: Option<i64>,
        #[case] mean: Option<i64>,
    ) {
        let mut values = values.to_vec();

        assert_eq!((quantile(&mut values, 50), quantile(&mut values, 90), average(&values)), (median, p90, mean));
    }

    #[test]
    fn what_was_lost_or_is_open_brought_nothing() {
        let sold = LeadFact { sales_milli: Some(3_000), quote_milli: Some(4_000), ..LeadFact::default() };
        let mut tally = Tally::default();

        for outcome in [Outcome::Won, Outcome::Lost, Outcome::Open] {
            tally.add(&sold, outcome, 0);
        }
        let figures = tally.figures();

        assert_eq!((figures.sales_milli, figures.quote_milli, figures.milli_per_lead), (3_000, 12_000, Some(1_000)));
        assert_eq!((figures.open, figures.won, figures.lost, figures.win_rate), (1, 1, 1, Some(0.5)));
        assert_eq!((figures.responded, figures.median_response_ms, figures.within_target), (0, None, Some(0.0)));
    }

    #[test]
    fn nothing_has_no_shares() {
        let figures = Tally::default().figures();

        assert_eq!((figures.win_rate, figures.milli_per_lead, figures.within_target), (None, None, None));
    }

    #[test]
    fn an_answer_is_in_time_up_to_the_target() {
        let answered =
            |after: i64| LeadFact { created_at: 100, responded_at: Some(100 + after), ..LeadFact::default() };
        let mut tally = Tally::default();

        for after in [-5, 0, 60, 61] {
            tally.add(&answered(after), Outcome::Open, 60);
        }
        let figures = tally.figures();

        assert_eq!((figures.within_target, figures.median_response_ms), (Some(0.75), Some(0)));
    }

    #[test]
    fn a_stage_that_is_gone_leaves_its_leads_open() {
        let mut names = Names::default();
        let [won, gone] = [1, 2].map(Uuid::from_u128);
        let mut stages = Stages::of(HashMap::from([(won, StageKind::Won)]));
        let mut outcome = |id| {
            let lead = LeadFact { stage: names.id(Some(id)), ..LeadFact::default() };
            stages.outcome(&lead, &names)
        };

        assert_eq!([outcome(won), outcome(gone), outcome(won)], [Outcome::Won, Outcome::Open, Outcome::Won]);
    }
}
