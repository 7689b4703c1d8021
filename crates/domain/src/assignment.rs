//! Who of several people gets a lead.
//!
//! Pure: the caller knows who may take leads, who is at work and how many open leads each has, and keeps whose turn it
//! was last.

use crate::ids::UserId;

/// How a rule chooses among its people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Always the one.
    Person,
    /// One after the other.
    RoundRobin,
    /// Whoever has the fewest open leads; of those who have as few, one after the other.
    LeastBusy,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Person, Self::RoundRobin, Self::LeastBusy];

    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::RoundRobin => "round_robin",
            Self::LeastBusy => "least_busy",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

/// Somebody whom a rule names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub user: UserId,
    /// Whether they are a member who may see leads.
    pub may_take: bool,
    /// Whether they are in their working hours and not away.
    pub is_available: bool,
    /// Leads of theirs in open stages.
    pub open_leads: i64,
}

/// A choice that is to be made.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// How.
    pub method: Method,
    /// Among whom, in the order of the rule.
    pub among: &'a [Candidate],
    /// Whether only those who are at work count.
    pub only_available: bool,
    /// Who got the one before.
    pub last: Option<UserId>,
    /// Who is not to get it: from whom it is taken.
    pub except: Option<UserId>,
}

/// Who gets the lead; `None` where nobody of them can.
#[must_use]
pub fn choose(turn: &Turn<'_>) -> Option<UserId> {
    let can =
        |one: &&Candidate| one.may_take && (one.is_available || !turn.only_available) && turn.except != Some(one.user);
    // Begins behind whoever was last, and at the first where that one is no longer among them.
    let begins = turn.among.iter().position(|one| Some(one.user) == turn.last).map_or(0, |place| place + 1);
    let in_turn = turn.among[begins..].iter().chain(&turn.among[..begins]).filter(can);
    match turn.method {
        Method::Person => turn.among.iter().find(can).map(|one| one.user),
        Method::RoundRobin => in_turn.map(|one| one.user).next(),
        // The first of the least, in turn.
        Method::LeastBusy => in_turn.min_by_key(|one| one.open_leads).map(|one| one.user),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId(Uuid::from_u128(number))
    }

    fn one(number: u128, open_leads: i64) -> Candidate {
        Candidate { user: user(number), may_take: true, is_available: true, open_leads }
    }

    fn turn<'a>(method: Method, among: &'a [Candidate], last: Option<u128>) -> Turn<'a> {
        Turn { method, among, only_available: true, last: last.map(user), except: None }
    }

    #[test]
    fn everybody_has_their_turn() {
        let three = [one(1, 0), one(2, 0), one(3, 0)];
        let mut last = None;
        let mut got = Vec::new();
        for _ in 0..7 {
            last = choose(&Turn { last, ..turn(Method::RoundRobin, &three, None) });
            got.push(last);
        }

        assert_eq!(got, [1, 2, 3, 1, 2, 3, 1].map(|number| Some(user(number))));
    }

    #[rstest]
    #[case::whose_turn_it_is_is_away(Some(1), [true, false, true], Some(3))]
    #[case::who_was_last_left(Some(9), [true, true, true], Some(1))]
    #[case::alone(Some(2), [false, true, false], Some(2))]
    #[case::nobody(Some(1), [false, false, false], None)]
    fn who_is_away_is_passed_over(#[case] last: Option<u128>, #[case] here: [bool; 3], #[case] expected: Option<u128>) {
        let mut three = [one(1, 0), one(2, 0), one(3, 0)];
        for (candidate, is_here) in three.iter_mut().zip(here) {
            candidate.is_available = is_here;
        }

        assert_eq!(choose(&turn(Method::RoundRobin, &three, last)), expected.map(user));
        let whoever = Turn { only_available: false, ..turn(Method::RoundRobin, &three, last) };
        assert!(choose(&whoever).is_some());
    }

    #[rstest]
    #[case::the_least([4, 1, 3], None, Some(2))]
    #[case::of_two_the_first([1, 4, 1], None, Some(1))]
    #[case::of_two_the_one_whose_turn_it_is([1, 4, 1], Some(1), Some(3))]
    fn who_has_the_fewest_gets_it(#[case] open: [i64; 3], #[case] last: Option<u128>, #[case] expected: Option<u128>) {
        let three = [one(1, open[0]), one(2, open[1]), one(3, open[2])];

        assert_eq!(choose(&turn(Method::LeastBusy, &three, last)), expected.map(user));
    }

    #[rstest]
    fn who_may_not_see_leads_gets_none(
        #[values(Method::Person, Method::RoundRobin, Method::LeastBusy)] method: Method,
    ) {
        let gone = [Candidate { may_take: false, ..one(1, 0) }];

        assert_eq!(choose(&Turn { only_available: false, ..turn(method, &gone, None) }), None);
        assert_eq!(Method::parse(method.as_str()), Some(method));
    }

    #[test]
    fn a_lead_that_is_taken_from_somebody_goes_to_another() {
        let two = [one(1, 0), one(2, 5)];

        for method in [Method::RoundRobin, Method::LeastBusy] {
            let turn = Turn { except: Some(user(1)), ..turn(method, &two, Some(2)) };
            assert_eq!(choose(&turn), Some(user(2)));
        }
        let alone = Turn { except: Some(user(1)), ..turn(Method::Person, &two[..1], None) };
        assert_eq!(choose(&alone), None);
    }
}
