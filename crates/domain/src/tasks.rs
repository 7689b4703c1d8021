//! What is told of a task, and when: a reminder at its time, and once that it is overdue.

use crate::time::Timestamp;

/// The longest title, in characters.
pub const TITLE_MAX_CHARS: usize = 200;

/// A task as far as time goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Times {
    /// Until when it is to be done.
    pub due_at: Option<Timestamp>,
    /// When somebody wants to be reminded.
    pub remind_at: Option<Timestamp>,
    /// When the reminder was given.
    pub reminded_at: Option<Timestamp>,
    /// When it was told that the task is overdue.
    pub overdue_told_at: Option<Timestamp>,
    /// When it was done.
    pub done_at: Option<Timestamp>,
}

/// What is told of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// That it is time.
    Reminder,
    /// That it should have been done.
    Overdue,
}

impl Times {
    /// What is told next, and when. Of a task that is done nothing is.
    #[must_use]
    pub fn next(&self) -> Option<(Timestamp, Told)> {
        if self.done_at.is_some() {
            return None;
        }
        let reminder = self.remind_at.filter(|_| self.reminded_at.is_none()).map(|at| (at, Told::Reminder));
        let overdue = self.due_at.filter(|_| self.overdue_told_at.is_none()).map(|at| (at, Told::Overdue));
        match (reminder, overdue) {
            (Some(first), Some(second)) if second.0 < first.0 => Some(second),
            (Some(first), _) => Some(first),
            (None, second) => second,
        }
    }

    /// The times once somebody set others: what was told of a time counts for that time alone.
    #[must_use]
    pub fn with(self, due_at: Option<Timestamp>, remind_at: Option<Timestamp>) -> Self {
        Self {
            due_at,
            remind_at,
            reminded_at: self.reminded_at.filter(|_| remind_at == self.remind_at),
            overdue_told_at: self.overdue_told_at.filter(|_| due_at == self.due_at),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const fn at(hour: i64) -> Option<Timestamp> {
        Some(Timestamp(hour))
    }

    #[rstest]
    #[case::nothing(Times::default(), None)]
    #[case::reminder_first(
        Times { due_at: at(3), remind_at: at(2), ..Times::default() },
        Some((Timestamp(2), Told::Reminder))
    )]
    #[case::then_overdue(
        Times { due_at: at(3), remind_at: at(2), reminded_at: at(2), ..Times::default() },
        Some((Timestamp(3), Told::Overdue))
    )]
    #[case::a_reminder_after_it_was_due(
        Times { due_at: at(3), remind_at: at(4), ..Times::default() },
        Some((Timestamp(3), Told::Overdue))
    )]
    #[case::both_told(
        Times { due_at: at(3), remind_at: at(2), reminded_at: at(2), overdue_told_at: at(3), done_at: None },
        None
    )]
    #[case::done(Times { due_at: at(3), done_at: at(1), ..Times::default() }, None)]
    fn a_task_is_told_of_in_order(#[case] times: Times, #[case] expected: Option<(Timestamp, Told)>) {
        assert_eq!(times.next(), expected);
    }

    #[test]
    fn another_time_is_told_of_anew() {
        let told = Times { due_at: at(3), remind_at: at(2), reminded_at: at(2), overdue_told_at: at(3), done_at: None };

        assert_eq!(told.with(at(3), at(2)).next(), None);
        assert_eq!(told.with(at(9), at(2)).next(), Some((Timestamp(9), Told::Overdue)));
        assert_eq!(told.with(at(3), at(8)).next(), Some((Timestamp(8), Told::Reminder)));
    }
}
