//! Automations: what happens to a lead by itself, when, and what follows where a message cannot be sent.
//!
//! A [`Definition`] says what an automation waits for and which steps it takes; a run keeps the definition that it began
//! with. What follows from the reports of its messages, in whatever order and however often they come, is decided by
//! [`Run`]: the fallback, the next step, the end. Nothing here knows when a report comes: the engine says what it is.

mod definition;
mod quiet;
mod run;
mod step;
mod trigger;

pub use definition::{
    DELAY_MAX_MINUTES, Definition, DefinitionFault, LOCK_MAX_MINUTES, OFFERED_DELAYS_MINUTES, STEPS_MAX,
};
pub use quiet::{Clock, QuietHours, zone_of};
pub use run::{Done, Effect, Ending, Reach, Run, Sending, Trouble};
pub use step::{Act, Assignee, Fallback, Message, Otherwise, Step, StepFault, StepKind, Then, WrittenStep};
pub use trigger::{Exit, Happening, Trigger};

/// How many automations may start one another in a row: each by what a step of the one before did. Whoever goes in a
/// circle is stopped here.
pub const CHAIN_MAX: i64 = 5;

/// How long an automation does not start again for the same phone or e-mail, where nobody said.
pub const USUAL_LOCK_MINUTES: i64 = 5;

/// Why a run never began, or ended before its last step. Why a single message was not sent is for the messages to say
/// (see [`crate::messaging::sending::Skip`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The same phone or e-mail started it a moment ago.
    SafetyLock,
    /// The lead has neither a phone number nor an e-mail address that any step could use.
    MissingContact,
    /// The automation is switched off.
    Inactive,
    /// The automation was deleted.
    AutomationDeleted,
    /// The lead was deleted.
    LeadDeleted,
    /// The person answered.
    Replied,
    /// The lead became a customer.
    Converted,
    /// The lead was won or lost.
    Closed,
    /// The person does not want messages any more.
    Unsubscribed,
    /// The lead left a stage.
    StageLeft,
    /// The lead does not meet the conditions.
    NotMet,
    /// Nobody answered in time.
    NoReply,
    /// Too many automations started one another.
    Chain,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::SafetyLock,
        Self::MissingContact,
        Self::Inactive,
        Self::AutomationDeleted,
        Self::LeadDeleted,
        Self::Replied,
        Self::Converted,
        Self::Closed,
        Self::Unsubscribed,
        Self::StageLeft,
        Self::NotMet,
        Self::NoReply,
        Self::Chain,
    ];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SafetyLock => "safety_lock",
            Self::MissingContact => "missing_contact",
            Self::Inactive => "inactive",
            Self::AutomationDeleted => "automation_deleted",
            Self::LeadDeleted => "lead_deleted",
            Self::Replied => "replied",
            Self::Converted => "converted",
            Self::Closed => "closed",
            Self::Unsubscribed => "unsubscribed",
            Self::StageLeft => "stage_left",
            Self::NotMet => "conditions_not_met",
            Self::NoReply => "no_reply",
            Self::Chain => "chain_too_long",
        }
    }

    /// The reason of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// How a timeline says it.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::SafetyLock => "Safety lock",
            Self::MissingContact => "Missing contact info",
            Self::Inactive => "The automation is switched off",
            Self::AutomationDeleted => "The automation was deleted",
            Self::LeadDeleted => "The lead was deleted",
            Self::Replied => "The person replied",
            Self::Converted => "The lead was converted",
            Self::Closed => "The lead was won or lost",
            Self::Unsubscribed => "The person does not want messages any more",
            Self::StageLeft => "The lead left the stage",
            Self::NotMet => "The lead does not meet the conditions",
            Self::NoReply => "The person did not reply in time",
            Self::Chain => "Too many automations started one another",
        }
    }
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunState {
    /// It goes through the steps.
    Running,
    /// All steps are through, and nothing failed.
    Completed,
    /// All steps are through, and something failed.
    Failed,
    /// It never began, or nothing of it was sent.
    Skipped,
    /// It left before its last step.
    Exited,
}

impl RunState {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Running, Self::Completed, Self::Failed, Self::Skipped, Self::Exited];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Exited => "exited",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

impl From<Ending> for RunState {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Completed => Self::Completed,
            Ending::Failed => Self::Failed,
            Ending::Skipped => Self::Skipped,
        }
    }
}

/// Whether the safety lock keeps a run from starting: the same phone or e-mail started one at `taken_at`.
#[must_use]
pub fn is_locked(taken_at: Option<crate::time::Timestamp>, now: crate::time::Timestamp, lock_minutes: i64) -> bool {
    // A lock of the future is of a clock that was put back, and holds as well.
    taken_at.is_some_and(|at| now.ms_since(at) < lock_minutes * crate::time::MINUTE_MS)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn reasons_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("bored"), None);
        assert!(RunState::ALL.into_iter().all(|state| RunState::parse(state.as_str()) == Some(state)));
    }

    #[rstest]
    #[case::never_before(None, 5, false)]
    #[case::at_once(Some(600_000), 5, true)]
    #[case::just_inside(Some(300_001), 5, true)]
    #[case::just_outside(Some(300_000), 5, false)]
    #[case::without_a_lock(Some(600_000), 0, false)]
    #[case::a_clock_that_was_put_back(Some(900_000), 5, true)]
    fn the_safety_lock_holds_for_its_window(
        #[case] taken_at: Option<i64>,
        #[case] minutes: i64,
        #[case] expected: bool,
    ) {
        assert_eq!(is_locked(taken_at.map(Timestamp), Timestamp(600_000), minutes), expected);
    }
}
