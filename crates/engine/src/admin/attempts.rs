//! How often signing in may fail: for one address from one place, from one place, and for one address from anywhere.
//!
//! The limits get wider in that order, so that a stranger who guesses cannot lock out the owner. Codes of a second factor
//! are few, so their limit is narrow from anywhere; only who knows the password gets to it. Counts are kept in memory, by
//! each node for itself.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use leadline_domain::{
    ids::UserId,
    time::{MINUTE_MS, Timestamp},
};

/// How long a failure counts.
const WINDOW_MS: i64 = 15 * MINUTE_MS;
/// More keys than this mean an attack from many places; the oldest make room.
const MAX_KEYS: usize = 20_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Pair(String, Place),
    Place(Place),
    Email(String),
    Code(UserId),
    Provider(Place),
}

impl Key {
    fn limit(&self) -> u32 {
        match self {
            Self::Pair(..) | Self::Code(_) => 10,
            Self::Place(_) | Self::Provider(_) => 50,
            Self::Email(_) => 100,
        }
    }
}

/// An IPv4 address, or the 64 bits of an IPv6 address that one customer gets.
type Place = [u8; 8];

fn place(ip: Option<IpAddr>) -> Place {
    let mut place = [0; 8];
    match ip.map(|ip| ip.to_canonical()) {
        None => {}
        Some(IpAddr::V4(ip)) => place[..4].copy_from_slice(&ip.octets()),
        Some(IpAddr::V6(ip)) => place.copy_from_slice(&ip.octets()[..8]),
    }
    place
}

#[derive(Debug, Clone, Copy)]
struct Count {
    attempts: u32,
    since: Timestamp,
}

/// The failures of the last quarter of an hour.
#[derive(Debug, Default)]
pub struct Attempts {
    counts: Mutex<HashMap<Key, Count>>,
}

impl Attempts {
    /// Counts an attempt before it is made, so that many at once are counted too. Answers how many seconds to wait
    /// where there were too many.
    ///
    /// # Errors
    /// Where there were too many, with the seconds to wait.
    pub fn begin(&self, email: &str, ip: Option<IpAddr>, now: Timestamp) -> Result<(), u64> {
        self.count(&keys(email, ip), now)
    }

    /// Counts a code of a user's second factor before it is looked at.
    ///
    /// # Errors
    /// Where there were too many, with the seconds to wait.
    pub fn begin_code(&self, user: UserId, now: Timestamp) -> Result<(), u64> {
        self.count(&[Key::Code(user)], now)
    }

    /// Forgets the codes of a user who entered the right one.
    pub fn forgive_codes(&self, user: UserId) {
        self.lock().remove(&Key::Code(user));
    }

    /// Counts a sign-in with a provider when it begins: each makes us ask the provider, and waits for it in the store.
    ///
    /// # Errors
    /// Where there were too many, with the seconds to wait.
    pub fn begin_with_provider(&self, ip: Option<IpAddr>, now: Timestamp) -> Result<(), u64> {
        self.count(&[Key::Provider(place(ip))], now)
    }

    /// Takes back a sign-in with a provider that succeeded.
    pub fn forgive_with_provider(&self, ip: Option<IpAddr>) {
        if let Some(count) = self.lock().get_mut(&Key::Provider(place(ip))) {
            count.attempts = count.attempts.saturating_sub(1);
        }
    }

    fn count(&self, keys: &[Key], now: Timestamp) -> Result<(), u64> {
        let mut counts = self.lock();
        for key in keys {
            if let Some(count) = counts.get(key).filter(|count| is_fresh(count, now) && count.attempts >= key.limit()) {
                let wait_ms = WINDOW_MS - now.ms_since(count.since);
                return Err(u64::try_from(wait_ms / 1_000 + 1).unwrap_or(1));
            }
        }
        make_room(&mut counts, now);
        for key in keys {
            let count = counts.entry(key.clone()).or_insert(Count { attempts: 0, since: now });
            if !is_fresh(count, now) {
                *count = Count { attempts: 0, since: now };
            }
            count.attempts += 1;
        }
        Ok(())
    }

    /// Takes back an attempt that succeeded.
    pub fn forgive(&self, email: &str, ip: Option<IpAddr>) {
        let mut counts = self.lock();
        for key in keys(email, ip) {
            match key {
                Key::Pair(..) => drop(counts.remove(&key)),
                Key::Place(_) | Key::Email(_) | Key::Code(_) | Key::Provider(_) => {
                    if let Some(count) = counts.get_mut(&key) {
                        count.attempts = count.attempts.saturating_sub(1);
                    }
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keys(email: &str, ip: Option<IpAddr>) -> [Key; 3] {
    let email: String = email.trim().to_lowercase().chars().take(254).collect();
    let place = place(ip);
    [Key::Pair(email.clone(), place), Key::Place(place), Key::Email(email)]
}

fn is_fresh(count: &Count, now: Timestamp) -> bool {
    now.ms_since(count.since) < WINDOW_MS
}

fn make_room(counts: &mut HashMap<Key, Count>, now: Timestamp) {
    if counts.len() < MAX_KEYS {
        return;
    }
    counts.retain(|_, count| is_fresh(count, now));
    if counts.len() >= MAX_KEYS {
        let mut ages: Vec<i64> = counts.values().map(|count| count.since.0).collect();
        let (_, middle, _) = ages.select_nth_unstable(MAX_KEYS / 2);
        let middle = *middle;
        counts.retain(|_, count| count.since.0 > middle);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn ip(text: &str) -> Option<IpAddr> {
        text.parse().ok()
    }

    #[test]
    fn the_eleventh_failure_from_one_place_has_to_wait() {
        let attempts = Attempts::default();
        for _ in 0..10 {
            assert_eq!(attempts.begin("a@b.de", ip("192.0.2.1"), NOW), Ok(()));
        }

        assert_eq!(attempts.begin("A@B.de ", ip("192.0.2.1"), NOW.plus_ms(60_000)), Err(14 * 60 + 1));
        assert_eq!(attempts.begin("a@b.de", ip("192.0.2.2"), NOW), Ok(()), "the owner elsewhere is not locked out");
        assert_eq!(attempts.begin("a@b.de", ip("192.0.2.1"), NOW.plus_ms(WINDOW_MS)), Ok(()));
    }

    #[test]
    fn a_success_is_not_counted() {
        let attempts = Attempts::default();
        for _ in 0..200 {
            assert_eq!(attempts.begin("a@b.de", ip("192.0.2.1"), NOW), Ok(()));
            attempts.forgive("a@b.de", ip("192.0.2.1"));
        }
    }

    #[test]
    fn many_addresses_from_one_network_have_to_wait() {
        let attempts = Attempts::default();
        let results: Vec<bool> = (0..60)
            .map(|n| attempts.begin(&format!("{n}@b.de"), ip(&format!("2001:db8::{n:x}")), NOW).is_ok())
            .collect();

        assert_eq!(results.iter().filter(|ok| **ok).count(), 50);
    }

    #[test]
    fn an_attack_from_everywhere_does_not_fill_the_memory() {
        let attempts = Attempts::default();
        for n in 0..30_000_u32 {
            let from = IpAddr::from(n.to_be_bytes());
            let _result = attempts.begin(&format!("{n}@b.de"), Some(from), NOW.plus_ms(i64::from(n)));
        }

        assert!(attempts.lock().len() <= MAX_KEYS + 3);
    }
}
