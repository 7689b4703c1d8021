//! What one user is told of, and by which way they want it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a personal alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A lead came to them.
    LeadAssigned,
    /// A lead of theirs came back.
    LeadReturned,
    /// A lead of theirs waits for its first answer for too long.
    ResponseOverdue,
    /// A lead still waits, and they are among those who are to know.
    ResponseEscalated,
    /// The time of a task's reminder.
    TaskReminder,
    /// A task of theirs should have been done.
    TaskOverdue,
    /// Somebody gave them a task.
    TaskAssigned,
}

impl AlertKind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::LeadAssigned,
        Self::LeadReturned,
        Self::ResponseOverdue,
        Self::ResponseEscalated,
        Self::TaskReminder,
        Self::TaskOverdue,
        Self::TaskAssigned,
    ];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::LeadAssigned => "lead.assigned",
            Self::LeadReturned => "lead.returned",
            Self::ResponseOverdue => "response.overdue",
            Self::ResponseEscalated => "response.escalated",
            Self::TaskReminder => "task.reminder",
            Self::TaskOverdue => "task.overdue",
            Self::TaskAssigned => "task.assigned",
        }
    }

    /// The kind of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// By which ways somebody wants alerts of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ways {
    /// Under the bell.
    pub app: bool,
    /// By e-mail.
    pub mail: bool,
}

impl Ways {
    /// Both.
    pub const ALL: Self = Self { app: true, mail: true };
}

/// What somebody wants to be told of. What they said nothing about comes by every way.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Wishes(BTreeMap<String, Ways>);

impl Wishes {
    /// By which ways alerts of a kind come.
    #[must_use]
    pub fn of(&self, kind: AlertKind) -> Ways {
        self.0.get(kind.as_str()).copied().unwrap_or(Ways::ALL)
    }

    /// Says by which ways they come from now on.
    pub fn set(&mut self, kind: AlertKind, ways: Ways) {
        self.0.insert(kind.as_str().to_owned(), ways);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_said_nothing_is_told_of_everything() {
        let mut wishes = Wishes::default();
        wishes.set(AlertKind::TaskReminder, Ways { app: true, mail: false });

        for kind in AlertKind::ALL {
            assert_eq!(AlertKind::parse(kind.as_str()), Some(kind));
            assert_eq!(wishes.of(kind).mail, kind != AlertKind::TaskReminder);
        }
        let kept: Wishes = serde_json::from_value(serde_json::to_value(&wishes).expect("json")).expect("wishes");
        assert_eq!(kept, wishes);
    }
}
