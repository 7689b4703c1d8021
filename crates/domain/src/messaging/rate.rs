//! How many messages a channel may send at once: so many a minute, evenly, by one number that all nodes share.

use crate::time::{MINUTE_MS, Timestamp};

/// How far ahead of its pace a channel may run, so that its messages go out in groups and not one by one.
const AHEAD_MS: i64 = 1_000;

/// Takes up to `wanted` turns of a channel that may send `per_minute` (0 for as many as there are) and whose next turn
/// is at `next`. Gives how many it got, and when the next turn is.
#[must_use]
pub fn take(per_minute: i64, next: Timestamp, now: Timestamp, wanted: i64) -> (i64, Timestamp) {
    if per_minute <= 0 || wanted <= 0 {
        return (wanted.max(0), next);
    }
    let begin = next.max(now);
    let until = now.plus_ms(AHEAD_MS);
    if begin > until {
        return (0, next);
    }
    // Turns stand `MINUTE_MS / per_minute` apart; counted in whole turns of the span, so that nothing is lost to rounding.
    let free = until.ms_since(begin) * per_minute / MINUTE_MS + 1;
    let taken = wanted.min(free);
    (taken, begin.plus_ms((taken * MINUTE_MS + per_minute - 1) / per_minute))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::unlimited(0, 0, 0, 500, (500, 0))]
    #[case::one_a_minute(1, 0, 100_000, 5, (1, 160_000))]
    #[case::not_yet(1, 160_000, 120_000, 5, (0, 160_000))]
    #[case::sixty_a_minute_in_a_group(60, 0, 100_000, 5, (2, 102_000))]
    #[case::as_few_as_there_are(600, 0, 100_000, 3, (3, 100_300))]
    #[case::nothing_wanted(60, 0, 100_000, 0, (0, 0))]
    fn turns_are_given(
        #[case] per_minute: i64,
        #[case] next: i64,
        #[case] now: i64,
        #[case] wanted: i64,
        #[case] expected: (i64, i64),
    ) {
        let (taken, next) = take(per_minute, Timestamp(next), Timestamp(now), wanted);

        assert_eq!((taken, next.0), expected);
    }

    #[test]
    fn over_a_minute_no_more_go_out_than_may() {
        for per_minute in [1, 7, 60, 1_000] {
            let (mut next, mut sent) = (Timestamp(0), 0);
            for now in (0..60_000).step_by(50) {
                let (taken, then) = take(per_minute, next, Timestamp(now), 100);
                sent += taken;
                next = then;
            }
            let ahead = per_minute * AHEAD_MS / MINUTE_MS + 1;
            assert!(sent <= per_minute + ahead && sent >= per_minute - 1, "{per_minute} a minute: {sent}");
        }
    }
}
