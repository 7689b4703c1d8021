//! How many submissions one address sends to one source. In memory and bounded, each node for itself: what is above the
//! limit is held back and not lost, so a node that forgets is no harm.
//!
//! Each key holds one number, the time at which all that came would be used up at the allowed pace (the generic cell
//! rate algorithm). So a burst of a minute's worth is let through, and after it the pace.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
};

use leadline_domain::time::{MINUTE_MS, SECOND_MS, Timestamp};
use uuid::Uuid;

use crate::addresses::household;

/// Keys remembered at most. Where more are busy within a minute, all are forgotten.
const MOST: usize = 100_000;

const MICROS: i64 = 1_000;

/// What came lately.
#[derive(Default)]
pub(super) struct Limiter {
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    used_up_at: HashMap<(Uuid, u128), i64>,
    swept_at: i64,
}

impl Limiter {
    /// Counts a submission to `source` from `ip`, and tells whether it is above the limit.
    pub fn is_over(&self, source: Uuid, ip: IpAddr, per_minute: i64, now: Timestamp) -> bool {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.sweep(now.0);
        let now_us = now.0.saturating_mul(MICROS);
        let pace_us = MINUTE_MS * MICROS / per_minute.max(1);
        let burst_us = MINUTE_MS * MICROS - pace_us;
        let key = (source, household(ip));
        let used_up_at = slots.used_up_at.get(&key).copied().unwrap_or(now_us).max(now_us);
        if used_up_at - now_us > burst_us {
            return true;
        }
        slots.used_up_at.insert(key, used_up_at + pace_us);
        false
    }
}

impl Slots {
    fn sweep(&mut self, now: i64) {
        let is_full = self.used_up_at.len() >= MOST;
        if !is_full {
            return;
        }
        // Looking at all of them once a second is cheap; for each submission it would not be.
        if now.saturating_sub(self.swept_at).abs() >= SECOND_MS {
            self.swept_at = now;
            self.used_up_at.retain(|_, used_up_at| *used_up_at > now.saturating_mul(MICROS));
        }
        if self.used_up_at.len() >= MOST {
            self.used_up_at.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Uuid = Uuid::from_u128(1);

    fn over(limiter: &Limiter, ip: &str, at_ms: i64) -> bool {
        limiter.is_over(SOURCE, ip.parse().expect("an address"), 3, Timestamp(at_ms))
    }

    #[test]
    fn a_minutes_worth_passes_at_once_and_then_the_pace() {
        let limiter = Limiter::default();

        let burst: Vec<bool> = (0..5).map(|_| over(&limiter, "203.0.113.9", 0)).collect();
        let later: Vec<bool> = [19_999, 20_000, 20_001, 40_000].map(|at| over(&limiter, "203.0.113.9", at)).into();

        assert_eq!(burst, [false, false, false, true, true]);
        assert_eq!(later, [true, false, true, false]);
    }

    #[test]
    fn another_address_and_another_source_have_their_own() {
        let limiter = Limiter::default();
        assert!((0..3).all(|_| !over(&limiter, "2001:db8::1", 0)));

        assert!(over(&limiter, "2001:db8::2", 0), "the same household");
        assert!(!over(&limiter, "2001:db8:0:1::1", 0));
        assert!(!limiter.is_over(Uuid::from_u128(2), "2001:db8::1".parse().expect("an address"), 3, Timestamp(0)));
    }

    #[test]
    fn it_never_grows_beyond_its_bound() {
        let limiter = Limiter::default();

        for n in 0..u32::try_from(MOST).expect("a small number") + 10 {
            limiter.is_over(SOURCE, IpAddr::V4(n.into()), 3, Timestamp(i64::from(n)));
        }

        assert!(limiter.slots.lock().expect("nobody panicked").used_up_at.len() <= MOST);
    }
}
