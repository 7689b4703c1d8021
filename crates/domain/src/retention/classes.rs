//! What is kept for a while, class by class, and for how many days a workspace wants each.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::time::{DAY_MS, Timestamp};

/// What is kept for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Raw requests behind submissions, with address and browser, and those that a webhook refused.
    Captures,
    /// Submissions that were held back.
    Quarantine,
    /// What came from blocked addresses.
    BlockedRequests,
    /// Deliveries that arrived, or were not to be made any more.
    Deliveries,
    /// Deliveries that were given up.
    DeadLetters,
    /// What people did, by the audit log.
    Audit,
}

impl Class {
    /// Each of them, in the order of the screen.
    pub const ALL: [Self; 6] =
        [Self::Captures, Self::Quarantine, Self::BlockedRequests, Self::Deliveries, Self::DeadLetters, Self::Audit];

    /// The name by which it is known outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Captures => "captures",
            Self::Quarantine => "quarantine",
            Self::BlockedRequests => "blockedRequests",
            Self::Deliveries => "deliveries",
            Self::DeadLetters => "deadLetters",
            Self::Audit => "audit",
        }
    }

    /// The name of its setting.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::Captures => "captureDays",
            Self::Quarantine => "quarantineDays",
            Self::BlockedRequests => "blockedRequestDays",
            Self::Deliveries => "deliveryDays",
            Self::DeadLetters => "deadLetterDays",
            Self::Audit => "auditDays",
        }
    }

    /// How many days it is kept where a workspace says nothing.
    #[must_use]
    pub const fn usual_days(self) -> i64 {
        match self {
            Self::Captures | Self::Quarantine | Self::BlockedRequests => 90,
            Self::Deliveries => 30,
            Self::DeadLetters => 7,
            Self::Audit => 730,
        }
    }

    /// How many days somebody may choose.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<i64> {
        match self {
            Self::Captures | Self::Quarantine | Self::BlockedRequests | Self::Deliveries => 1..=3_650,
            Self::DeadLetters => 1..=365,
            // A shorter one would let somebody make what they did disappear within a week.
            Self::Audit => 30..=3_650,
        }
    }

    /// How many days a workspace with these settings keeps it.
    #[must_use]
    pub fn days(self, settings: &Value) -> i64 {
        let chosen = settings.get(self.setting()).and_then(Value::as_i64);
        // What is out of range was never let in; it must not delete everything if it is there all the same.
        chosen.filter(|days| self.range().contains(days)).unwrap_or(self.usual_days())
    }

    /// From before when things have lived long enough at `now`.
    #[must_use]
    pub fn before(self, settings: &Value, now: Timestamp) -> Timestamp {
        now.plus_ms(-self.days(settings) * DAY_MS)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_workspace_that_says_nothing_has_what_is_usual() {
        let days: Vec<i64> = Class::ALL.iter().map(|class| class.days(&json!({}))).collect();

        assert_eq!(days, [90, 90, 90, 30, 7, 730]);
    }

    #[test]
    fn what_cannot_be_meant_deletes_nothing_early() {
        for wrong in [json!(0), json!(-5), json!("9"), json!(null), json!(1e9)] {
            assert_eq!(Class::Captures.days(&json!({"captureDays": wrong})), 90, "{wrong}");
        }
        assert_eq!(Class::Audit.days(&json!({"auditDays": 7})), 730);
        assert_eq!(Class::DeadLetters.days(&json!({"deadLetterDays": 14})), 14);
    }
}
