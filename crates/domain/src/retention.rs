//! By which time things have lived long enough, where the clock may not be right.
//!
//! A clock that leaps ahead makes everything look old. Between two looks no more than a few days pass while a process
//! runs, so a longer step is not believed: its length is held back, and what is deleted is judged by the time that was
//! seen to pass. That way nothing goes because of the leap, everything else goes in its turn, and a person who knows
//! that the time did pass (the machine was switched off) lets go of what is held back.

mod classes;

use serde::{Deserialize, Serialize};

use crate::time::{DAY_MS, Timestamp};

pub use classes::Class;

/// A longer step of the clock is not believed.
pub const LONGEST_STEP_MS: i64 = 7 * DAY_MS;

/// What is remembered from one look to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Memory {
    /// The latest time that was believed. It never goes back.
    pub believed_at: Option<Timestamp>,
    /// How far the clock leapt ahead of that.
    pub held_ms: i64,
    /// When it did, by its own word.
    pub held_since: Option<Timestamp>,
}

/// What a look at the clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// This is the first one, and nothing is known yet.
    First,
    /// It is this time, as far as deleting goes.
    AsOf(Timestamp),
    /// The clock has leapt: it is no later than this.
    Leapt(Timestamp),
}

impl Memory {
    /// Looks at the clock.
    #[must_use]
    pub fn look(self, now: Timestamp) -> (Self, Look) {
        let Some(believed) = self.believed_at else {
            return (Self { believed_at: Some(now), ..Self::default() }, Look::First);
        };
        let time = now.plus_ms(-self.held_ms);
        let step_ms = time.ms_since(believed);
        if step_ms > LONGEST_STEP_MS {
            let held_since = self.held_since.or(Some(now));
            let memory = Self { held_ms: self.held_ms + step_ms, held_since, ..self };
            return (memory, Look::Leapt(believed));
        }
        if step_ms < 0 {
            return self.put_back(now, -step_ms);
        }
        (Self { believed_at: Some(time), ..self }, Look::AsOf(time))
    }

    /// The clock was put back. What it had leapt ahead it has no longer, and the time that passed since the last look is
    /// believed as ever.
    fn put_back(self, now: Timestamp, by_ms: i64) -> (Self, Look) {
        let still_held_ms = self.held_ms - self.held_ms.min(by_ms);
        let held_ms = if still_held_ms > LONGEST_STEP_MS { still_held_ms } else { 0 };
        let time = now.plus_ms(-held_ms);
        let held_since = self.held_since.filter(|_| held_ms > 0);
        (Self { believed_at: self.believed_at.max(Some(time)), held_ms, held_since }, Look::AsOf(time))
    }

    /// Somebody says that the clock is right.
    #[must_use]
    pub fn confirm(now: Timestamp) -> Self {
        Self { believed_at: Some(now), held_ms: 0, held_since: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp(1_767_600_000_000);

    fn after(days: i64) -> Timestamp {
        START.plus_ms(days * DAY_MS)
    }

    fn looks(at: &[i64]) -> (Memory, Vec<Look>) {
        let mut memory = Memory::default();
        let mut looks = Vec::new();
        for days in at {
            let (next, look) = memory.look(after(*days));
            memory = next;
            looks.push(look);
        }
        (memory, looks)
    }

    #[test]
    fn steps_that_can_be_are_believed() {
        let (memory, seen) = looks(&[0, 0, 7, 14]);

        assert_eq!(seen, [Look::First, Look::AsOf(after(0)), Look::AsOf(after(7)), Look::AsOf(after(14))]);
        assert_eq!(memory.held_ms, 0);
    }

    #[test]
    fn a_leap_is_held_back_for_good_and_time_goes_on_behind_it() {
        let (memory, seen) = looks(&[0, 100, 101, 103]);

        assert_eq!(seen[1..], [Look::Leapt(after(0)), Look::AsOf(after(1)), Look::AsOf(after(3))]);
        assert_eq!((memory.held_ms, memory.held_since), (100 * DAY_MS, Some(after(100))));
        let (_, look) = Memory::confirm(after(103)).look(after(104));
        assert_eq!(look, Look::AsOf(after(104)));
    }

    #[test]
    fn a_clock_that_is_put_right_again_needs_nobody() {
        let (memory, seen) = looks(&[0, 100, 101, 2, 3]);

        assert_eq!(seen[3..], [Look::AsOf(after(2)), Look::AsOf(after(3))]);
        assert_eq!((memory.held_ms, memory.held_since), (0, None));
    }

    #[test]
    fn a_clock_that_starts_in_the_past_and_is_put_right_is_no_leap() {
        let (memory, seen) = looks(&[0, -10_000, 1]);

        assert_eq!(seen[1..], [Look::AsOf(after(-10_000)), Look::AsOf(after(1))]);
        assert_eq!(memory.held_ms, 0);
    }
}
