//! The place of a lead in its column.
//!
//! Ranks are texts compared byte by byte, so both databases sort them alike. A new lead stands on top, because its
//! rank begins with its time; a lead put between two others gets a rank that lies between theirs, and nobody else has
//! to move.
//!
//! A rank reads as the digits of a fraction to the base 36 and never ends in `0`; so between any two there is room.

use std::fmt;

use crate::time::Timestamp;

/// A place in a column, compared bytewise; the greater one stands higher.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank(String);

const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// Digits of time and salt, before the closing digit.
const LEVEL_0: usize = 20;

/// Where two ranks are too close, the place between them is looked for this many digits further on.
const LEVEL_DIGITS: usize = 4;

/// The distance to the neighbour, in units of the level's last digit. Small beside a level (36^4), so that thousands
/// of leads can be dropped at one place; large enough to halve it a few times before going down a level.
const STEP: u64 = 256;

/// Closes every rank, since it must not end in `0`; from the middle, to leave room on both sides.
const CLOSING_DIGIT: char = 'i';

impl Rank {
    /// The place on top of everything that came before `now`. `salt` tells apart what came in one millisecond.
    #[must_use]
    pub fn at(now: Timestamp, salt: u32) -> Self {
        let millis = u64::try_from(now.0).unwrap_or(0) & 0xffff_ffff_ffff;
        Self(format!("{millis:012x}{salt:08x}{CLOSING_DIGIT}"))
    }

    /// Reads a stored rank. `None` where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_rank = text.bytes().all(|byte| DIGITS.contains(&byte)) && !text.is_empty() && !text.ends_with('0');
        is_rank.then(|| Self(text.to_owned()))
    }

    /// The place strictly below `upper` and strictly above `lower`. `None` is the end of the column.
    ///
    /// Where the neighbours changed places meanwhile, so that nothing lies between them, it is the place below `upper`.
    /// `salt` tells apart what two people drop at one place at one time.
    #[must_use]
    pub fn between(upper: Option<&Self>, lower: Option<&Self>, now: Timestamp, salt: u32) -> Self {
        match (upper, lower) {
            (None, None) => Self::at(now, salt),
            (None, Some(lower)) => Self::above(lower, now, salt),
            (Some(upper), None) => Self::below(upper, salt),
            (Some(upper), Some(lower)) if lower < upper => Self::inside(upper, lower.as_str(), salt),
            (Some(upper), Some(_)) => Self::below(upper, salt),
        }
    }

    /// As it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn above(lower: &Self, now: Timestamp, salt: u32) -> Self {
        let newest = Self::at(now, salt);
        if newest > *lower {
            return newest;
        }
        let mut digits = digits_of(lower.as_str(), LEVEL_0);
        if add(&mut digits, STEP) {
            return Self::of(&digits, salt);
        }
        Self(format!("{lower}{CLOSING_DIGIT}"))
    }

    fn below(upper: &Self, salt: u32) -> Self {
        let mut digits = digits_of(upper.as_str(), LEVEL_0);
        if subtract(&mut digits, STEP) {
            return Self::of(&digits, salt);
        }
        Self::inside(upper, "", salt)
    }

    /// Goes down the levels until there is room, and steps away from the lower neighbour on one level and from the
    /// upper one on the next: whichever of the two stays while others come in, one of the levels has room for them.
    fn inside(upper: &Self, lower: &str, salt: u32) -> Self {
        let mut level = 0;
        loop {
            let end = LEVEL_0 + level * LEVEL_DIGITS;
            let mut low = digits_of(lower, end);
            let mut high = digits_of(upper.as_str(), end);
            let gap = gap(&low, &high);
            if gap > STEP && !level.is_multiple_of(2) {
                subtract(&mut high, STEP);
                return Self::of(&high, salt);
            }
            if gap >= 2 {
                add(&mut low, STEP.min(gap / 2));
                return Self::of(&low, salt);
            }
            level += 1;
        }
    }

    fn of(digits: &[u8], salt: u32) -> Self {
        let mut text: String = digits.iter().map(|digit| char::from(DIGITS[usize::from(*digit)])).collect();
        let mut salt = salt;
        for _ in 0..LEVEL_DIGITS {
            text.push(char::from(DIGITS[(salt % 36) as usize]));
            salt /= 36;
        }
        text.push(CLOSING_DIGIT);
        Self(text)
    }
}

impl fmt::Display for Rank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first `count` digits, filled up with zeros.
fn digits_of(text: &str, count: usize) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'0'..=b'9' => byte - b'0',
        _ => byte - b'a' + 10,
    };
    text.bytes().map(value).chain(std::iter::repeat(0)).take(count).collect()
}

/// `high - low`, where more than anybody needs is as good as any number.
fn gap(low: &[u8], high: &[u8]) -> u64 {
    const PLENTY: i64 = 1 << 32;
    let mut gap = 0_i64;
    for (low, high) in low.iter().zip(high) {
        gap = (gap * 36 + i64::from(*high) - i64::from(*low)).min(PLENTY);
    }
    u64::try_from(gap).unwrap_or(0)
}

/// Adds in place; `false` where that would not fit.
fn add(digits: &mut [u8], amount: u64) -> bool {
    let mut carry = amount;
    for digit in digits.iter_mut().rev() {
        let sum = u64::from(*digit) + carry;
        *digit = (sum % 36) as u8;
        carry = sum / 36;
    }
    carry == 0
}

/// Subtracts in place; `false` where that would not fit.
fn subtract(digits: &mut [u8], amount: u64) -> bool {
    let mut borrow = amount;
    for digit in digits.iter_mut().rev() {
        let part = borrow % 36;
        borrow /= 36;
        if u64::from(*digit) < part {
            borrow += 1;
            *digit += 36;
        }
        *digit -= part as u8;
    }
    borrow == 0
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: Timestamp = Timestamp(1_763_706_618_042);

    fn between(upper: &Rank, lower: &Rank, salt: u32) -> Rank {
        let rank = Rank::between(Some(upper), Some(lower), NOW, salt);
        assert!(*upper > rank && rank > *lower, "{upper} > {rank} > {lower}");
        assert_eq!(Rank::parse(rank.as_str()).as_ref(), Some(&rank));
        rank
    }

    /// Repeatable numbers, spread well enough for tests.
    fn numbers() -> impl Iterator<Item = u32> {
        std::iter::successors(Some(0x2545_f491_u32), |state| {
            let mut next = *state;
            next ^= next << 13;
            next ^= next >> 17;
            next ^= next << 5;
            Some(next)
        })
    }

    #[test]
    fn a_newer_lead_stands_higher() {
        let older = Rank::at(NOW, u32::MAX);
        let newer = Rank::at(NOW.plus_ms(1), 0);

        assert!(newer > older);
        assert_eq!(older.as_str().len(), newer.as_str().len());
        assert!(Rank::at(Timestamp(-1), 0) < older);
    }

    #[rstest]
    #[case("0198", true)]
    #[case("az9", true)]
    #[case("", false)]
    #[case("a0", false)]
    #[case("A1", false)]
    #[case("a b", false)]
    fn only_ranks_are_read(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(Rank::parse(text).is_some(), expected);
    }

    #[test]
    fn the_top_is_above_even_a_lead_from_the_future() {
        let mut top = Rank::at(NOW.plus_ms(1_000_000), 7);

        for salt in numbers().take(5_000) {
            let rank = Rank::between(None, Some(&top), NOW, salt);
            assert!(rank > top);
            top = rank;
        }
        assert!(top.as_str().len() <= 32, "{top}");
        let highest = Rank::parse("zzzzzzzzzzzzzzzzzzzzzzzz").expect("all digits are digits");
        assert!(Rank::between(None, Some(&highest), NOW, 0) > highest);
    }

    #[test]
    fn the_bottom_is_below_everything() {
        let mut bottom = Rank::at(NOW, 7);

        for salt in numbers().take(5_000) {
            let rank = Rank::between(Some(&bottom), None, NOW, salt);
            assert!(rank < bottom);
            bottom = rank;
        }
        assert!(bottom.as_str().len() <= 32, "{bottom}");
        let lowest = Rank::parse("0000000000000000000000001").expect("it does not end in 0");
        assert!(Rank::between(Some(&lowest), None, NOW, 0) < lowest);
    }

    #[test]
    fn thousands_fit_below_one_lead() {
        let upper = Rank::at(NOW.plus_ms(1), 3);
        let mut lower = Rank::at(NOW, 5);

        for salt in numbers().take(20_000) {
            lower = between(&upper, &lower, salt);
        }
        assert!(lower.as_str().len() <= 48, "{lower}");
    }

    #[test]
    fn thousands_fit_above_one_lead() {
        let lower = Rank::at(NOW, 3);
        let mut upper = Rank::at(NOW.plus_ms(1), 5);

        for salt in numbers().take(20_000) {
            upper = between(&upper, &lower, salt);
        }
        assert!(upper.as_str().len() <= 48, "{upper}");
    }

    #[test]
    fn thousands_fit_at_random_places() {
        let mut column = vec![Rank::at(NOW, 1), Rank::at(NOW, 2)];

        for number in numbers().take(5_000) {
            let at = 1 + number as usize % (column.len() - 1);
            let rank = between(&column[at], &column[at - 1], number);
            column.insert(at, rank);
        }
        assert!(column.is_sorted());
        assert!(column.iter().all(|rank| rank.as_str().len() <= 120));
    }

    #[test]
    fn the_place_between_the_last_two_grows_slowly() {
        let mut upper = Rank::at(NOW.plus_ms(1), 3);
        let mut lower = Rank::at(NOW, 5);

        for number in numbers().take(500) {
            let rank = between(&upper, &lower, number);
            if number % 2 == 0 { upper = rank } else { lower = rank }
        }
        assert!(upper.as_str().len() <= 400, "{}", upper.as_str().len());
    }

    #[test]
    fn two_drops_at_one_place_are_told_apart_by_their_salt() {
        let (upper, lower) = (Rank::at(NOW.plus_ms(1), 0), Rank::at(NOW, 0));

        assert_ne!(between(&upper, &lower, 1), between(&upper, &lower, 2));
    }

    #[test]
    fn neighbours_that_changed_places_give_the_place_below_the_upper_one() {
        let (upper, lower) = (Rank::at(NOW, 0), Rank::at(NOW.plus_ms(1), 0));

        assert!(Rank::between(Some(&upper), Some(&lower), NOW, 9) < upper);
        assert!(Rank::between(Some(&upper), Some(&upper), NOW, 9) < upper);
    }

    #[test]
    fn even_the_closest_neighbours_have_room_between_them() {
        let lower = Rank::parse("a").expect("a is a digit");
        let upper = Rank::parse("a0000000000000000000000000000001").expect("it does not end in 0");

        between(&upper, &lower, 0);
    }
}
