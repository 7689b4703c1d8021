//! How far the leads of a pipeline came, and how long they took.

use std::collections::HashMap;

use uuid::Uuid;

use super::{
    facts::{LeadFact, NameNumber, Names},
    figures::{Outcome, average, quantile},
};

/// Counts the leads of a pipeline by its open stages, from the first to the last.
#[derive(Debug, Clone)]
pub struct Funnel {
    places: HashMap<Uuid, usize>,
    known: HashMap<NameNumber, Option<usize>>,
    steps: Vec<Counted>,
    won: i64,
    lost: i64,
    won_after_ms: Vec<i64>,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    reached: i64,
    now: i64,
    lost: i64,
    times_ms: Vec<i64>,
}

/// An open stage of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// Leads that came as far as here, or further.
    pub reached: i64,
    /// Those that are here now.
    pub now: i64,
    /// Those that came no further and were lost.
    pub lost: i64,
    /// How long half of those that went on were here, at most.
    pub median_ms: Option<i64>,
    /// How long those that went on were here on average.
    pub average_ms: Option<i64>,
}

/// What became of all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counts {
    /// The open stages, in their order.
    pub steps: Vec<Step>,
    /// Those that were won.
    pub won: i64,
    /// Those that were lost.
    pub lost: i64,
    /// How long half of those that were won took, at most.
    pub median_won_ms: Option<i64>,
}

impl Funnel {
    /// A funnel of these open stages.
    #[must_use]
    pub fn of(stages: &[Uuid]) -> Self {
        let places = stages.iter().enumerate().map(|(place, stage)| (*stage, place)).collect();
        Self {
            places,
            known: HashMap::new(),
            steps: vec![Counted::default(); stages.len()],
            won: 0,
            lost: 0,
            won_after_ms: Vec::new(),
        }
    }

    /// Counts a lead of the pipeline. Every lead has reached the first stage, one that was won has passed all of them,
    /// and any other has come as far as the furthest stage that it was ever in.
    pub fn add(&mut self, lead: &LeadFact, outcome: Outcome, names: &Names) {
        let now = self.place(lead.stage, names);
        let mut times_ms: Vec<(usize, i64)> = Vec::new();
        let mut furthest = now.unwrap_or(0);
        for stay in &lead.stays {
            let Some(place) = self.place(stay.stage, names) else { continue };
            furthest = furthest.max(place);
            // Who comes back to a stage has been in it for all of the time; who is in it now has not gone on.
            match times_ms.iter_mut().find(|(known, _)| *known == place) {
                Some((_, ms)) => *ms += stay.ms,
                None if now == Some(place) => {}
                None => times_ms.push((place, stay.ms)),
            }
        }
        for (place, ms) in times_ms {
            self.steps[place].times_ms.push(ms);
        }
        match outcome {
            Outcome::Won => {
                furthest = self.steps.len().saturating_sub(1);
                self.won += 1;
                self.won_after_ms.push((lead.stage_entered_at - lead.created_at).max(0));
            }
            Outcome::Lost => {
                self.lost += 1;
                if let Some(step) = self.steps.get_mut(furthest) {
                    step.lost += 1;
                }
            }
            Outcome::Open => {}
        }
        self.steps.iter_mut().take(furthest + 1).for_each(|step| step.reached += 1);
        if let Some(step) = now.and_then(|place| self.steps.get_mut(place)) {
            step.now += 1;
        }
    }

    fn place(&mut self, stage: NameNumber, names: &Names) -> Option<usize> {
        *self.known.entry(stage).or_insert_with(|| names.id_of(stage).and_then(|id| self.places.get(&id).copied()))
    }

    /// What was counted.
    #[must_use]
    pub fn counts(mut self) -> Counts {
        let step = |mut counted: Counted| Step {
            reached: counted.reached,
            now: counted.now,
            lost: counted.lost,
            average_ms: average(&counted.times_ms),
            median_ms: quantile(&mut counted.times_ms, 50),
        };
        Counts {
            steps: self.steps.into_iter().map(step).collect(),
            won: self.won,
            lost: self.lost,
            median_won_ms: quantile(&mut self.won_after_ms, 50),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reports::facts::Stay;

    const NEW: u128 = 1;
    const TALKING: u128 = 2;
    const OFFER: u128 = 3;
    const WON: u128 = 8;
    const LOST: u128 = 9;

    /// In which stage a lead is, what became of it, and which stages it has left after how long.
    type Told<'a> = (u128, Outcome, &'a [(u128, i64)]);

    fn counted(leads: &[Told<'_>]) -> Counts {
        let mut names = Names::default();
        let mut funnel = Funnel::of(&[NEW, TALKING, OFFER].map(Uuid::from_u128));
        for (stage, outcome, stays) in leads {
            let mut number = |id: u128| names.id(Some(Uuid::from_u128(id)));
            let stays = stays.iter().map(|(stage, ms)| Stay { stage: number(*stage), ms: *ms }).collect();
            let lead =
                LeadFact { created_at: 10, stage_entered_at: 60, stage: number(*stage), stays, ..LeadFact::default() };
            funnel.add(&lead, *outcome, &names);
        }
        funnel.counts()
    }

    fn reached(counts: &Counts) -> Vec<i64> {
        counts.steps.iter().map(|step| step.reached).collect()
    }

    #[test]
    fn a_lead_has_reached_the_furthest_stage_that_it_was_in_and_those_before() {
        let counts = counted(&[
            (NEW, Outcome::Open, &[]),
            (NEW, Outcome::Open, &[(NEW, 5), (OFFER, 7)]),
            (TALKING, Outcome::Open, &[(NEW, 3)]),
        ]);

        assert_eq!(reached(&counts), [3, 2, 1]);
        assert_eq!(counts.steps.iter().map(|step| step.now).collect::<Vec<_>>(), [2, 1, 0]);
    }

    #[test]
    fn who_was_won_has_passed_all_stages_and_who_was_lost_stopped_where_they_were() {
        let counts = counted(&[
            (WON, Outcome::Won, &[(NEW, 50)]),
            (LOST, Outcome::Lost, &[(NEW, 1), (TALKING, 2)]),
            (LOST, Outcome::Lost, &[]),
        ]);

        assert_eq!((reached(&counts), counts.won, counts.lost), (vec![3, 2, 1], 1, 2));
        assert_eq!(counts.steps.iter().map(|step| step.lost).collect::<Vec<_>>(), [1, 1, 0]);
        assert_eq!(counts.median_won_ms, Some(50));
    }

    #[test]
    fn the_time_in_a_stage_is_that_of_all_visits_of_those_who_went_on() {
        let counts = counted(&[
            (OFFER, Outcome::Open, &[(NEW, 10), (TALKING, 100), (NEW, 30), (TALKING, 300)]),
            (TALKING, Outcome::Open, &[(NEW, 20), (TALKING, 999)]),
        ]);

        let times: Vec<_> = counts.steps.iter().map(|step| (step.median_ms, step.average_ms)).collect();
        assert_eq!(times, [(Some(20), Some(30)), (Some(400), Some(400)), (None, None)]);
    }

    #[test]
    fn stages_that_are_gone_are_passed_over() {
        let counts = counted(&[(77, Outcome::Open, &[(78, 5), (TALKING, 5)])]);

        assert_eq!((reached(&counts), counts.steps[0].now), (vec![1, 1, 0], 0));
    }

    #[test]
    fn a_pipeline_without_open_stages_has_no_steps() {
        let mut funnel = Funnel::of(&[]);

        funnel.add(&LeadFact::default(), Outcome::Lost, &Names::default());

        assert_eq!((funnel.clone().counts().steps, funnel.counts().lost), (vec![], 1));
    }
}
