//! How long things took, in a few counters: durations fall into buckets, and a percentile is read from those.
//!
//! Buckets are narrow where receivers mostly are and wide where only "slow" matters, so that an hour of a busy
//! destination is sixteen numbers.

/// How many buckets there are.
pub const BUCKETS: usize = 16;

/// Counts by bucket.
pub type Histogram = [i64; BUCKETS];

/// Where each bucket ends, in milliseconds; the last has no end.
const ENDS_MS: [i64; BUCKETS - 1] = [10, 20, 35, 50, 75, 100, 150, 250, 400, 650, 1_000, 2_000, 4_000, 7_000, 10_000];

/// The bucket of a duration.
#[must_use]
pub fn bucket_of(duration_ms: i64) -> usize {
    ENDS_MS.iter().position(|end| duration_ms < *end).unwrap_or(BUCKETS - 1)
}

/// What `percent` of the durations stay below, about: read along a straight line through the bucket that it falls into.
/// In the last bucket it is where that begins. Nothing where there are none.
#[must_use]
pub fn percentile_ms(counts: &Histogram, percent: u8) -> Option<i64> {
    let total: i64 = counts.iter().sum();
    if total <= 0 {
        return None;
    }
    // The rank of the one that is asked for, from 1.
    let rank = (total * i64::from(percent.min(100)) + 99) / 100;
    let mut below = 0;
    for (bucket, count) in counts.iter().enumerate() {
        if below + count >= rank.max(1) {
            let begin = if bucket == 0 { 0 } else { ENDS_MS[bucket - 1] };
            let width = ENDS_MS.get(bucket).map_or(0, |end| end - begin);
            return Some(begin + width * (rank.max(1) - below) / count);
        }
        below += count;
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn histogram(durations: &[(i64, i64)]) -> Histogram {
        let mut counts = [0; BUCKETS];
        for (duration_ms, count) in durations {
            counts[bucket_of(*duration_ms)] += count;
        }
        counts
    }

    #[rstest]
    #[case::none(&[], None)]
    #[case::one(&[(30, 1)], Some(35))]
    #[case::mostly_quick(&[(5, 96), (9_000, 4)], Some(9))]
    #[case::the_slow_count(&[(5, 90), (3_000, 10)], Some(3_000))]
    #[case::beyond_the_end(&[(60_000, 7)], Some(10_000))]
    fn a_percentile_is_read_from_the_counts(#[case] durations: &[(i64, i64)], #[case] wanted: Option<i64>) {
        assert_eq!(percentile_ms(&histogram(durations), 95), wanted);
    }

    #[rstest]
    #[case(0, 0)]
    #[case(9, 0)]
    #[case(10, 1)]
    #[case(9_999, 14)]
    #[case(i64::MAX, 15)]
    fn each_duration_has_its_bucket(#[case] duration_ms: i64, #[case] bucket: usize) {
        assert_eq!(bucket_of(duration_ms), bucket);
    }
}
