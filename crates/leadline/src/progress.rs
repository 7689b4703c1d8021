//! How far long work on a database is: one line that changes on a terminal, and a line now and then elsewhere.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

use leadline_store::copying::Step;

/// How often the line on a terminal changes.
const TERMINAL_EVERY: Duration = Duration::from_millis(200);

/// How often a line is written elsewhere while a table goes on.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// What is shown.
pub(crate) struct Progress {
    is_terminal: bool,
    total: u64,
    phase: Phase,
    table: Option<(String, u64)>,
    done: u64,
    /// Rows that were there when this phase began: they say nothing of how quick it is.
    before: u64,
    began: Instant,
    shown: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Copying,
    Comparing,
    Indexes,
    Tidying,
}

impl Phase {
    fn words(self) -> &'static str {
        match self {
            Self::Copying => "Copying",
            Self::Comparing => "Comparing",
            Self::Indexes => "Making indexes",
            Self::Tidying => "Tidying up",
        }
    }
}

impl Progress {
    /// Of so many rows in each table.
    pub(crate) fn of(sizes: &[(String, u64)]) -> Self {
        let now = Instant::now();
        Self {
            is_terminal: stderr().is_terminal(),
            total: sizes.iter().map(|(_, rows)| rows).sum(),
            phase: Phase::Copying,
            table: None,
            done: 0,
            before: 0,
            began: now,
            shown: now,
        }
    }

    /// Takes a step in.
    pub(crate) fn tell(&mut self, step: Step<'_>) {
        match step {
            Step::Table(name, rows) => {
                self.enter(Phase::Copying);
                self.begin_table(name, rows);
                self.before += rows;
                self.done += rows;
            }
            Step::Comparing(name) => {
                self.enter(Phase::Comparing);
                self.begin_table(name, 0);
            }
            Step::Rows(rows) => {
                self.done += rows;
                if let Some((_, of_table)) = &mut self.table {
                    *of_table += rows;
                }
            }
            Step::Index(name) => {
                self.enter(Phase::Indexes);
                self.begin_table(name, 0);
            }
            Step::Tidying => self.enter(Phase::Tidying),
        }
        self.show();
    }

    /// Leaves the terminal's line.
    pub(crate) fn end(&mut self) {
        self.end_table();
        self.clear();
    }

    fn enter(&mut self, phase: Phase) {
        if self.phase == phase {
            return;
        }
        self.end_table();
        self.clear();
        (self.phase, self.done, self.before, self.began) = (phase, 0, 0, Instant::now());
        eprintln!("{} …", phase.words());
    }

    fn begin_table(&mut self, name: &str, rows: u64) {
        self.end_table();
        self.table = Some((name.to_owned(), rows));
    }

    fn end_table(&mut self) {
        let Some((name, rows)) = self.table.take() else { return };
        if self.phase == Phase::Copying && rows > 0 && !self.is_terminal {
            eprintln!("{name}: {} rows", grouped(rows));
        }
    }

    fn show(&mut self) {
        let every = if self.is_terminal { TERMINAL_EVERY } else { PLAIN_EVERY };
        if self.shown.elapsed() < every {
            return;
        }
        self.shown = Instant::now();
        let line = self.line();
        if self.is_terminal {
            eprint!("\r\x1b[2K{line}");
            let _nobody_looks = stderr().flush();
        } else {
            eprintln!("{line}");
        }
    }

    fn clear(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[2K");
        }
    }

    fn line(&self) -> String {
        let words = self.phase.words();
        let name = self.table.as_ref().map_or("", |(name, _)| name.as_str());
        if matches!(self.phase, Phase::Indexes | Phase::Tidying) {
            return format!("{words} {name}");
        }
        // What is only estimated may be less than there is.
        let total = self.total.max(self.done).max(1);
        let percent = self.done.saturating_mul(100) / total;
        let seconds = self.began.elapsed().as_secs_f64().max(0.001);
        let rate = (self.done - self.before) as f64 / seconds;
        format!(
            "{words} {name}: {} of {} rows, {percent} %, {} a second",
            grouped(self.done),
            grouped(total),
            grouped(rate as u64)
        )
    }
}

/// A number with its thousands apart.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let mut progress = Progress::of(&[("leads".to_owned(), 400), ("events".to_owned(), 600)]);

        progress.tell(Step::Table("leads", 100));
        progress.tell(Step::Rows(150));

        assert!(progress.line().starts_with("Copying leads: 250 of 1,000 rows, 25 %, "), "{}", progress.line());
    }
}
