//! When a destination that answers nothing is left in peace for a while, and when it is tried again.
//!
//! After [`FAILURES`] failures in a row (no connection, no answer in time, a 5xx) the breaker opens. Deliveries then wait
//! and use up nothing of their plans; one probe at a time goes out, after pauses that grow. The first answer that is no
//! such failure closes it. A receiver that fails now and then never gets there: any answer between starts the count
//! anew. One delivery alone does not get there either, since no plan has that many attempts, so the documented times of
//! its attempts stay.
//!
//! Only the standard plan has a breaker. The others end within seconds, as whoever chose them wants: their deliveries
//! are tried at once and die at once.

use crate::{
    retry::{Outcome, RetryPlan},
    time::{DAY_MS, MINUTE_MS, SECOND_MS, Timestamp},
};

/// So many failures in a row open it.
pub const FAILURES: i64 = 20;

/// The pause before the first probe.
const FIRST_PAUSE_MS: i64 = 2 * SECOND_MS;

/// No pause is longer.
const LONGEST_PAUSE_MS: i64 = 5 * MINUTE_MS;

/// After so long deliveries go out by their plans again, and die by them: a destination that nobody cares about does
/// not gather deliveries for good.
const LONGEST_HOLD_MS: i64 = 3 * DAY_MS;

/// How a destination stands. It is stored with it, so that it outlives the process and is the same for all nodes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breaker {
    /// Failures in a row, as far as they count.
    pub failures: i64,
    /// Where it is open.
    pub open: Option<Open>,
}

/// An open breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Open {
    /// Since when.
    pub since: Timestamp,
    /// Probes that failed since.
    pub probes: i64,
    /// When the next one goes out.
    pub probe_at: Timestamp,
}

/// What may go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Everything, by its plan.
    All,
    /// One probe.
    Probe,
    /// Nothing yet.
    Nothing,
}

/// What an attempt changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It opened.
    Opened,
    /// It closed.
    Closed,
}

/// What an attempt says of its receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It answers.
    Alive,
    /// It does not, or only that it is broken.
    Failing,
    /// It asks for time, which is neither.
    Busy,
}

/// Reads an attempt. A refusal of what was sent (a 4xx) is the answer of somebody who is there.
#[must_use]
pub fn sign_of(outcome: &Outcome) -> Sign {
    match *outcome {
        Outcome::NetworkError | Outcome::Timeout | Outcome::Refused => Sign::Failing,
        Outcome::Status { code: 500..=599, .. } => Sign::Failing,
        Outcome::Status { code: 408 | 425 | 429, .. } => Sign::Busy,
        Outcome::Status { .. } | Outcome::Declined { .. } => Sign::Alive,
    }
}

/// Whether destinations with this plan have a breaker.
#[must_use]
pub fn guards(plan: RetryPlan) -> bool {
    match plan {
        RetryPlan::Standard => true,
        RetryPlan::Fast | RetryPlan::None => false,
    }
}

impl Breaker {
    /// What may go out now.
    #[must_use]
    pub fn gate(&self, now: Timestamp) -> Gate {
        match self.open {
            None => Gate::All,
            Some(open) if now.ms_since(open.since) >= LONGEST_HOLD_MS => Gate::All,
            Some(open) if open.probe_at <= now => Gate::Probe,
            Some(_) => Gate::Nothing,
        }
    }

    /// The breaker after an attempt that ended now, and what that changed. `was_probe` tells it from attempts that were
    /// under way when it opened.
    #[must_use]
    pub fn after(self, sign: Sign, was_probe: bool, now: Timestamp) -> (Self, Option<Change>) {
        match (sign, self.open) {
            (Sign::Alive, None) => (Self::default(), None),
            (Sign::Alive, Some(_)) => (Self::default(), Some(Change::Closed)),
            (Sign::Failing, None) if self.failures + 1 >= FAILURES => {
                let open = Open { since: now, probes: 0, probe_at: now.plus_ms(pause_ms(0)) };
                (Self { failures: self.failures + 1, open: Some(open) }, Some(Change::Opened))
            }
            (Sign::Failing, None) => (Self { failures: self.failures + 1, open: None }, None),
            (Sign::Busy, None) => (self, None),
            (Sign::Failing | Sign::Busy, Some(open)) if was_probe => {
                let probes = open.probes + 1;
                let open = Open { probes, probe_at: now.plus_ms(pause_ms(probes)), ..open };
                (Self { open: Some(open), ..self }, None)
            }
            (Sign::Failing | Sign::Busy, Some(_)) => (self, None),
        }
    }
}

/// The pause after so many probes that failed: each twice as long as the one before.
fn pause_ms(probes: i64) -> i64 {
    let doublings = u32::try_from(probes.clamp(0, 20)).unwrap_or(20);
    (FIRST_PAUSE_MS << doublings).min(LONGEST_PAUSE_MS)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp(1_763_706_618_000);

    /// The breaker after these signs, one a second, none of a probe.
    fn after(signs: impl IntoIterator<Item = Sign>) -> (Breaker, Vec<Change>) {
        let mut breaker = Breaker::default();
        let mut changes = Vec::new();
        for (second, sign) in (0_i64..).zip(signs) {
            let (next, change) = breaker.after(sign, false, NOW.plus_ms(second * SECOND_MS));
            breaker = next;
            changes.extend(change);
        }
        (breaker, changes)
    }

    fn failures(count: usize) -> Vec<Sign> {
        vec![Sign::Failing; count]
    }

    #[rstest]
    #[case::a_row(failures(20), vec![Change::Opened])]
    #[case::one_less(failures(19), vec![])]
    #[case::now_and_then([failures(19), vec![Sign::Alive], failures(19)].concat(), vec![])]
    #[case::every_other([Sign::Failing, Sign::Alive].repeat(100), vec![])]
    #[case::busy_between([failures(19), vec![Sign::Busy], failures(1)].concat(), vec![Change::Opened])]
    #[case::busy_alone(vec![Sign::Busy; 100], vec![])]
    #[case::on_its_way_when_it_opened([failures(20), vec![Sign::Alive]].concat(), vec![Change::Opened, Change::Closed])]
    fn it_opens_after_twenty_in_a_row(#[case] signs: Vec<Sign>, #[case] changes: Vec<Change>) {
        assert_eq!(after(signs).1, changes);
    }

    #[test]
    fn probes_go_out_one_at_a_time_after_pauses_that_grow() {
        let (mut breaker, _) = after(failures(20));
        let mut now = NOW.plus_ms(19 * SECOND_MS);
        let mut pauses = Vec::new();
        for _ in 0..10 {
            let probe_at = breaker.open.expect("it is open").probe_at;
            assert_eq!(breaker.gate(probe_at.plus_ms(-1)), Gate::Nothing);
            assert_eq!(breaker.gate(probe_at), Gate::Probe);
            pauses.push(probe_at.ms_since(now) / SECOND_MS);
            now = probe_at;
            (breaker, _) = breaker.after(Sign::Failing, true, now);
        }

        assert_eq!(pauses, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    }

    #[test]
    fn what_was_under_way_when_it_opened_does_not_put_the_probe_off() {
        let (breaker, _) = after(failures(20));

        assert_eq!(breaker.after(Sign::Failing, false, NOW.plus_ms(DAY_MS)), (breaker, None));
    }

    #[test]
    fn the_first_answer_closes_it_and_everything_goes_out() {
        let (breaker, _) = after(failures(20));

        let (closed, change) = breaker.after(Sign::Alive, true, NOW);

        assert_eq!((closed.gate(NOW), change), (Gate::All, Some(Change::Closed)));
        assert_eq!(closed, Breaker::default());
    }

    #[test]
    fn after_three_days_plans_go_on() {
        let (breaker, _) = after(failures(20));
        let since = breaker.open.expect("it is open").since;

        assert_eq!(breaker.gate(since.plus_ms(3 * DAY_MS)), Gate::All);
    }

    #[rstest]
    #[case(Outcome::NetworkError, Sign::Failing)]
    #[case(Outcome::Timeout, Sign::Failing)]
    #[case(Outcome::Refused, Sign::Failing)]
    #[case(Outcome::Status { code: 500, retry_after_ms: None }, Sign::Failing)]
    #[case(Outcome::Status { code: 429, retry_after_ms: None }, Sign::Busy)]
    #[case(Outcome::Status { code: 404, retry_after_ms: None }, Sign::Alive)]
    #[case(Outcome::Status { code: 410, retry_after_ms: None }, Sign::Alive)]
    #[case(Outcome::Status { code: 200, retry_after_ms: None }, Sign::Alive)]
    fn an_answer_is_a_sign_of_life_unless_it_says_broken(#[case] outcome: Outcome, #[case] sign: Sign) {
        assert_eq!(sign_of(&outcome), sign);
    }
}
