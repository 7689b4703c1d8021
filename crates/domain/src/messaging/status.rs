//! How a message fares. A status only ever moves forward, in one order that holds whoever reports it and however late:
//! the same reports in any order, any number of times, end in the same status.

use serde::{Deserialize, Serialize};

/// How an outgoing message fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It waits for its turn.
    Queued,
    /// Somebody is handing it to the provider.
    Sending,
    /// We were cut off while we handed it over. It may have gone out, so it is not sent again by itself.
    Unknown,
    /// The provider has it.
    Sent,
    /// It will not arrive. The reason stands beside it.
    Failed,
    /// It is on the person's device, or in their mailbox.
    Delivered,
    /// They have seen it.
    Read,
    /// It was not sent on purpose. The reason stands beside it.
    Skipped,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Unknown,
        Self::Sent,
        Self::Failed,
        Self::Delivered,
        Self::Read,
        Self::Skipped,
    ];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Skipped => "skipped",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// The event that tells of it, where one does.
    #[must_use]
    pub const fn event(self) -> Option<&'static str> {
        match self {
            Self::Queued | Self::Sending => None,
            Self::Unknown => Some("message.unknown"),
            Self::Sent => Some("message.sent"),
            Self::Failed => Some("message.failed"),
            Self::Delivered => Some("message.delivered"),
            Self::Read => Some("message.read"),
            Self::Skipped => Some("message.skipped"),
        }
    }

    /// Where it stands on the way. What arrived has arrived, whatever else is said: `failed` stands below.
    const fn place(self) -> u8 {
        match self {
            Self::Queued => 0,
            Self::Sending => 1,
            Self::Unknown => 2,
            Self::Sent => 3,
            Self::Failed => 4,
            Self::Delivered => 5,
            Self::Read => 6,
            Self::Skipped => 7,
        }
    }

    /// The status after a provider's report, where that changes anything. Only what a provider can know is believed, and
    /// nothing moves what was never sent.
    #[must_use]
    pub fn after_report(self, reported: Self) -> Option<Self> {
        let can_be_reported = matches!(reported, Self::Sent | Self::Failed | Self::Delivered | Self::Read);
        let was_handed_over = !matches!(self, Self::Queued | Self::Skipped);
        (can_be_reported && was_handed_over && reported.place() > self.place()).then_some(reported)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn orders(of: &[Status]) -> Vec<Vec<Status>> {
        if of.is_empty() {
            return vec![Vec::new()];
        }
        (0..of.len())
            .flat_map(|first| {
                let rest: Vec<Status> = of.iter().enumerate().filter(|(at, _)| *at != first).map(|(_, s)| *s).collect();
                orders(&rest).into_iter().map(move |order| [vec![of[first]], order].concat())
            })
            .collect()
    }

    #[test]
    fn reports_in_any_order_with_repeats_end_in_the_same_status() {
        let reports = [Status::Sent, Status::Delivered, Status::Read, Status::Failed];
        let orders = orders(&reports);
        assert_eq!(orders.len(), 24);

        for begun in [Status::Sending, Status::Unknown, Status::Sent] {
            for order in &orders {
                let twice = order.iter().flat_map(|status| [*status, *status]).chain(order.iter().copied());
                let mut failures = 0;
                let end = twice.fold(begun, |status, reported| {
                    let next = status.after_report(reported);
                    failures += usize::from(next == Some(Status::Failed));
                    next.unwrap_or(status)
                });

                assert_eq!(end, Status::Read, "{order:?}");
                assert!(failures <= 1, "{order:?} failed {failures} times");
            }
        }
    }

    #[rstest]
    #[case::backwards(Status::Read, Status::Delivered, None)]
    #[case::the_same(Status::Sent, Status::Sent, None)]
    #[case::arrived_all_the_same(Status::Failed, Status::Delivered, Some(Status::Delivered))]
    #[case::failed_after_it_arrived(Status::Delivered, Status::Failed, None)]
    #[case::nobody_sent_it(Status::Queued, Status::Delivered, None)]
    #[case::nor_this(Status::Skipped, Status::Read, None)]
    #[case::not_theirs_to_say(Status::Sent, Status::Skipped, None)]
    #[case::nor_that(Status::Sent, Status::Queued, None)]
    #[case::found_out_after_all(Status::Unknown, Status::Sent, Some(Status::Sent))]
    fn a_status_moves_forward_only(#[case] from: Status, #[case] reported: Status, #[case] expected: Option<Status>) {
        assert_eq!(from.after_report(reported), expected);
    }

    #[test]
    fn names_read_back() {
        assert!(Status::ALL.into_iter().all(|status| Status::parse(status.as_str()) == Some(status)));
    }
}
