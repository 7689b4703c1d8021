//! A lane for each destination: how many requests it gets at once, and how many jobs are held for it.
//!
//! The slots of a lane are its own, so a receiver that hangs blocks nobody else. Jobs are leased a little ahead of the
//! slots, so that a fast receiver does not wait for the database between two requests: as many as its lane gets rid of
//! in a quarter of a second. A slow receiver has no more leased than it has slots.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leadline_domain::{
    breaker::{Breaker, Gate},
    ids::DestinationId,
    time::{MINUTE_MS, Timestamp},
};
use tokio::sync::{Semaphore, watch};

use crate::delivery::send::DestinationForSending;

/// Jobs held for one destination at most: a batch for the database, and little to give back at a stop.
const MOST_HELD: usize = 512;

/// What one destination has to itself.
pub(super) struct Lane {
    /// The destination as it is now, or nothing where it gets nothing: it is paused, deleted, or cannot be opened. Jobs
    /// look here at the last moment, so that they are signed with the secret of that moment.
    pub(super) current: watch::Sender<Option<Arc<DestinationForSending>>>,
    /// Which version of the destination this is.
    pub(super) version: Timestamp,
    pub(super) slots: Arc<Semaphore>,
    pub(super) pace: Pace,
    /// What may go out.
    pub(super) gate: Gate,
    /// Whether jobs that are held go back unsent; they look here at the last moment.
    pub(super) is_held_back: Arc<AtomicBool>,
    limit: Option<Limit>,
    max_in_flight: usize,
    /// Each job holds a clone. Clones are counted instead of kept in a counter, so that a task that panics cannot leave
    /// the count wrong.
    held: Arc<()>,
}

impl Lane {
    pub(super) fn new(version: Timestamp, max_in_flight: usize) -> Self {
        Self {
            current: watch::Sender::new(None),
            version,
            slots: Arc::new(Semaphore::new(max_in_flight)),
            pace: Pace::default(),
            gate: Gate::All,
            is_held_back: Arc::default(),
            limit: None,
            max_in_flight,
            held: Arc::default(),
        }
    }

    /// What a job carries as long as it is held.
    pub(super) fn hold(&self) -> Arc<()> {
        Arc::clone(&self.held)
    }

    /// How many jobs are held: in flight, or waiting for a slot.
    pub(super) fn held(&self) -> usize {
        Arc::strong_count(&self.held) - 1
    }

    /// How many requests it gets at once.
    pub(super) fn max_in_flight(&self) -> usize {
        self.max_in_flight
    }

    /// Sets how many requests it gets within a minute.
    pub(super) fn set_limit(&mut self, per_minute: Option<i64>) {
        if self.limit.map(|limit| limit.per_minute) != per_minute {
            self.limit = per_minute.map(Limit::new);
        }
    }

    /// Lets go of a secret that signs no more.
    pub(super) fn end_overlap(&self, now: Timestamp) {
        self.current.send_if_modified(|current| {
            let after = current.as_ref().and_then(|destination| destination.after_overlap(now));
            let is_over = after.is_some();
            if is_over {
                *current = after.map(Arc::new);
            }
            is_over
        });
    }

    /// Goes by this breaker from now on.
    pub(super) fn hold_back(&mut self, breaker: &Breaker, now: Timestamp) {
        self.gate = breaker.gate(now);
        self.is_held_back.store(self.gate != Gate::All, Ordering::Relaxed);
    }

    /// How many more may be leased now.
    pub(super) fn room(&mut self, now: Timestamp) -> usize {
        let room = match self.gate {
            Gate::All => self.pace.window(self.max_in_flight).saturating_sub(self.held()),
            Gate::Probe => 1_usize.saturating_sub(self.held()),
            Gate::Nothing => 0,
        };
        self.limit.as_mut().map_or(room, |limit| room.min(limit.allowed(now)))
    }

    /// So many were leased.
    pub(super) fn spend(&mut self, count: usize) {
        if let Some(limit) = &mut self.limit {
            limit.spend(count);
        }
    }
}

/// How many requests a lane may begin: so many a minute, and of those no more than a second's share, or one, at once.
#[derive(Debug, Clone, Copy)]
struct Limit {
    per_minute: i64,
    /// In sixty-thousandths of a request, so that a millisecond's share is a whole number.
    saved: i64,
    since: Option<Timestamp>,
}

impl Limit {
    const ONE: i64 = 60_000;

    const fn new(per_minute: i64) -> Self {
        Self { per_minute, saved: Self::ONE, since: None }
    }

    fn allowed(&mut self, now: Timestamp) -> usize {
        let passed_ms = self.since.map_or(0, |since| now.ms_since(since)).clamp(0, MINUTE_MS);
        self.since = Some(now);
        let most = (self.per_minute * 1_000).max(Self::ONE);
        self.saved = (self.saved + passed_ms * self.per_minute).min(most);
        usize::try_from(self.saved / Self::ONE).unwrap_or(0)
    }

    fn spend(&mut self, count: usize) {
        self.saved -= i64::try_from(count).unwrap_or(i64::MAX / Self::ONE) * Self::ONE;
    }
}

/// How fast a lane gets rid of its jobs.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pace {
    per_second: f64,
    finished: u32,
}

impl Pace {
    /// One more is done.
    pub(super) fn count(&mut self) {
        self.finished += 1;
    }

    /// Takes in what was done since the last time. The past counts half, so that one odd moment does not decide.
    pub(super) fn take_in(&mut self, since: Duration) {
        let seconds = since.as_secs_f64().max(0.001);
        self.per_second = (self.per_second + f64::from(self.finished) / seconds) / 2.0;
        self.finished = 0;
    }

    fn window(&self, slots: usize) -> usize {
        let ahead = (self.per_second / 4.0).min(MOST_HELD as f64);
        // A float that is clamped to what a lane may hold is a whole number of jobs.
        (ahead as usize).max(slots)
    }
}

/// Divides `free` among those that have room: nobody gets more than its room, and where there is not enough for all,
/// everybody gets the same or one less. `turn` says who is first.
pub(super) fn shares(rooms: &[(DestinationId, usize)], free: usize, turn: usize) -> Vec<(DestinationId, usize)> {
    let mut waiting: Vec<(DestinationId, usize)> = rooms.iter().copied().filter(|(_, room)| *room > 0).collect();
    let count = waiting.len();
    if count > 0 {
        waiting.rotate_left(turn % count);
    }
    // The smallest rooms first: what they leave is for the others.
    waiting.sort_by_key(|(_, room)| *room);
    let mut left = free;
    let mut shares = Vec::with_capacity(count);
    for (index, (id, room)) in waiting.into_iter().enumerate() {
        let share = room.min(left.div_ceil(count - index));
        left -= share;
        if share > 0 {
            shares.push((id, share));
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    #[rstest]
    #[case::enough_for_all(&[8, 3], 100, 0, &[3, 8])]
    #[case::the_small_leave_the_rest_to_the_big(&[100, 2, 100], 12, 0, &[2, 5, 5])]
    #[case::fewer_than_heads(&[8, 8, 8], 2, 0, &[1, 1])]
    #[case::no_room(&[0, 0], 10, 0, &[])]
    #[case::nothing_free(&[8], 0, 0, &[])]
    fn what_is_free_is_divided_fairly(
        #[case] rooms: &[usize],
        #[case] free: usize,
        #[case] turn: usize,
        #[case] wanted: &[usize],
    ) {
        let rooms: Vec<_> = rooms.iter().enumerate().map(|(i, room)| (destination(i), *room)).collect();

        let shares: Vec<usize> = shares(&rooms, free, turn).into_iter().map(|(_, share)| share).collect();

        assert_eq!(shares, wanted);
    }

    #[test]
    fn everybody_has_its_turn_when_there_is_too_little() {
        let rooms: Vec<_> = (0..3).map(|i| (destination(i), 8)).collect();

        let served: std::collections::BTreeSet<_> =
            (0..3).flat_map(|turn| shares(&rooms, 1, turn)).map(|(id, _)| id).collect();

        assert_eq!(served.len(), 3);
    }

    #[test]
    fn a_lane_is_leased_ahead_by_a_quarter_of_a_second_and_never_less_than_its_slots() {
        let mut pace = Pace::default();
        assert_eq!(pace.window(8), 8);

        for _ in 0..10 {
            (0..100).for_each(|_| pace.count());
            pace.take_in(Duration::from_millis(100));
        }
        assert!((230..=250).contains(&pace.window(8)), "{}", pace.window(8));

        for _ in 0..10 {
            pace.take_in(Duration::from_millis(100));
        }
        assert_eq!(pace.window(8), 8);
    }

    #[rstest]
    #[case::slow(30)]
    #[case::fast(6_000)]
    fn a_limited_lane_begins_no_more_than_its_minute_and_a_second_allow(#[case] per_minute: i64) {
        let mut limit = Limit::new(per_minute);
        let mut begun = 0;
        let mut most_at_once = 0;

        for ms in (0..=60_000).step_by(50) {
            let allowed = limit.allowed(Timestamp(ms));
            limit.spend(allowed);
            begun += allowed;
            most_at_once = most_at_once.max(allowed);
        }

        let wanted = usize::try_from(per_minute).expect("a count");
        assert!((wanted - 1..=wanted + 1).contains(&begun), "{begun}");
        assert!(most_at_once <= (wanted / 60).max(1), "{most_at_once}");
    }

    fn destination(index: usize) -> DestinationId {
        DestinationId(Uuid::from_u128(index as u128))
    }
}
