//! The numbers in the formulas: what each reason weighs, as documented or as a workspace set it.
//!
//! Every number has a name, which for most is the code of the reason that it weighs. What rides in a workspace's
//! settings is only what differs from the documentation, with the number of the version that said so.

use std::{
    collections::BTreeMap,
    ops::{Index, RangeInclusive},
};

use serde_json::{Map, Value, json};

use super::rules::{MOST_RULES, Rule};

/// What a number belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// How well a lead fits.
    Fit,
    /// How engaged its visitor was.
    Engagement,
    /// How suspicious its submissions are.
    Suspicion,
    /// How the lead's score is made of the others.
    Total,
    /// What silence costs.
    Silence,
}

impl Group {
    /// Its name outside.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fit => "fit",
            Self::Engagement => "engagement",
            Self::Suspicion => "suspicion",
            Self::Total => "total",
            Self::Silence => "silence",
        }
    }
}

macro_rules! weights {
    ($($group:ident { $($name:ident = $code:literal, $documented:literal in $range:expr, $meaning:literal;)* })*) => {
        /// A number of the formulas.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Weight {$($(
            #[doc = $meaning]
            $name,
        )*)*}

        impl Weight {
            /// All of them, in the order of the documentation.
            pub const ALL: &[Self] = &[$($(Self::$name,)*)*];

            /// Its name, which is the code of the reason that it weighs, if it weighs one.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {$($(Self::$name => $code,)*)*}
            }

            /// What it belongs to.
            #[must_use]
            pub const fn group(self) -> Group {
                match self {$($(Self::$name => Group::$group,)*)*}
            }

            /// What it is where nobody set it.
            #[must_use]
            pub const fn documented(self) -> i32 {
                match self {$($(Self::$name => $documented,)*)*}
            }

            /// What it may be.
            #[must_use]
            pub const fn range(self) -> RangeInclusive<i32> {
                match self {$($(Self::$name => $range,)*)*}
            }
        }
    };
}

weights! {
    Fit {
        Email = "email", 15 in 0..=100, "A usable e-mail address.";
        WorkEmail = "work_email", 10 in 0..=100, "An e-mail address at a domain of its own, beside that.";
        Phone = "phone", 20 in 0..=100, "A valid phone number.";
        Name = "name", 10 in 0..=100, "A name.";
        Company = "company", 15 in 0..=100, "A company.";
        Title = "title", 10 in 0..=100, "A title.";
        Message = "message", 10 in 0..=100, "A message of 20 characters or more.";
        Rules = "rules", 10 in 0..=100, "The most that the workspace's own rules add together.";
    }
    Engagement {
        Duration = "duration", 35 in 0..=100, "The most for time in which a page was looked at.";
        SecondsPerPoint = "seconds_per_point", 10 in 1..=3_600, "Seconds that make a point of it.";
        Scroll = "scroll", 30 in 0..=100, "What a page read to its end adds; half of it adds half.";
        Clicks = "clicks", 20 in 0..=100, "The most for clicks, a point each.";
        Returns = "returns", 15 in 0..=100, "The most for visits after the first.";
        PointsPerReturn = "points_per_return", 5 in 0..=100, "Points for each of these.";
    }
    Suspicion {
        HoneypotFilled = "honeypot_filled", 40 in 0..=100, "A honeypot was filled while detection is off.";
        SubmittedUnder5S = "submitted_under_5_s", 30 in 0..=100, "Submitted in under 5 seconds.";
        SubmittedUnder10S = "submitted_under_10_s", 10 in 0..=100, "Submitted in 5 to 10 seconds.";
        NoSession = "no_session", 15 in 0..=100, "No visit, where the site tracks.";
        NoEngagement = "no_engagement", 10 in 0..=100, "A visit in which nothing happened.";
        Vpn = "vpn", 15 in 0..=100, "A VPN or a hosting network.";
        PossibleVpn = "possible_vpn", 5 in 0..=100, "Perhaps a VPN or a hosting network.";
        ThreeSubmissionsIn24H = "three_submissions_in_24h", 20 in 0..=100, "Three submissions or more in 24 hours.";
        TwoSubmissionsIn24H = "two_submissions_in_24h", 10 in 0..=100, "Two submissions in 24 hours.";
        CompetitorEmail = "competitor_email", 25 in 0..=100, "An e-mail address at a competitor's.";
        DisposableEmail = "disposable_email", 20 in 0..=100, "An e-mail address that is thrown away.";
        PhoneNotValid = "phone_not_valid", 15 in 0..=100, "A phone number that is not valid for its country.";
        Links = "links", 15 in 0..=100, "Links in the message or in the name.";
        FormTokenMissing = "form_token_missing", 20 in 0..=100, "No form token.";
        FormTokenForged = "form_token_forged", 20 in 0..=100, "A form token that is not ours.";
        FormTokenExpired = "form_token_expired", 20 in 0..=100, "A form token that is too old.";
        AutomatedUserAgent = "automated_user_agent", 15 in 0..=100, "The user agent of a program, or an empty one.";
        TimezoneFarFromIp = "timezone_far_from_ip", 5 in 0..=100, "A timezone far from the country of the address.";
    }
    Total {
        EngagementShare = "engagement_share", 60 in 0..=100, "Percent of the score that engagement makes where it is known; fit makes the rest.";
        SuspicionShare = "suspicion_share", 50 in 0..=100, "Percent of the suspicion that is taken off.";
    }
    Silence {
        Silence = "silence", 0 in 0..=100, "Points lost for each full week of silence.";
        SilenceGraceDays = "silence_grace_days", 14 in 0..=365, "Days of silence that cost nothing.";
    }
}

impl Weight {
    /// The number of this name.
    #[must_use]
    pub fn find(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|weight| weight.code() == code)
    }
}

/// Every number of the formulas, and the workspace's own rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    numbers: [i32; Weight::ALL.len()],
    /// The workspace's own rules; what they add together is capped.
    pub rules: Vec<Rule>,
}

/// As documented.
impl Default for Weights {
    fn default() -> Self {
        let mut numbers = [0; Weight::ALL.len()];
        for (number, weight) in numbers.iter_mut().zip(Weight::ALL) {
            *number = weight.documented();
        }
        Self { numbers, rules: Vec::new() }
    }
}

impl Index<Weight> for Weights {
    type Output = i32;

    fn index(&self, weight: Weight) -> &i32 {
        &self.numbers[weight as usize]
    }
}

/// Something that is wrong with weights that somebody proposes: where, as a JSON pointer, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub pointer: String,
    /// What.
    pub message: String,
}

impl Weights {
    /// These numbers by name, the rest as documented, with these rules.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse(named: &BTreeMap<String, i64>, rules: Vec<Rule>) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut weights = Self::default();
        for (code, number) in named {
            if let Err(message) = weights.set(code, *number) {
                faults.push(Fault { pointer: format!("/weights/{}", escaped(code)), message });
            }
        }
        if rules.len() > MOST_RULES {
            faults.push(Fault { pointer: "/rules".into(), message: format!("has at most {MOST_RULES} rules") });
        }
        for (place, rule) in rules.iter().enumerate() {
            let found = rule.faults().into_iter();
            faults.extend(found.map(|(name, message)| Fault { pointer: format!("/rules/{place}/{name}"), message }));
        }
        weights.rules = rules.into_iter().map(Rule::tidied).collect();
        if faults.is_empty() { Ok(weights) } else { Err(faults) }
    }

    fn set(&mut self, code: &str, number: i64) -> Result<(), String> {
        let weight = Weight::find(code).ok_or("is not the name of a weight")?;
        let number = i32::try_from(number).ok().filter(|number| weight.range().contains(number));
        let (least, most) = (*weight.range().start(), *weight.range().end());
        self.numbers[weight as usize] = number.ok_or_else(|| format!("must be from {least} to {most}"))?;
        Ok(())
    }

    /// The numbers that are not as documented, by name.
    #[must_use]
    pub fn differing(&self) -> BTreeMap<&'static str, i32> {
        let all = Weight::ALL.iter().map(|weight| (weight, self[*weight]));
        all.filter(|(weight, number)| *number != weight.documented())
            .map(|(weight, number)| (weight.code(), number))
            .collect()
    }

    /// How they are stored: what is not as documented.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({"weights": self.differing(), "rules": self.rules})
    }

    /// As they were stored. What is not known any more, or no longer in its range, is as documented.
    #[must_use]
    pub fn from_json(stored: &Value) -> Self {
        let mut weights = Self::default();
        for (code, number) in stored["weights"].as_object().unwrap_or(&Map::new()) {
            // What cannot be so is left as it is.
            let _unknown = weights.set(code, number.as_i64().unwrap_or(i64::MAX));
        }
        let rules = stored["rules"].as_array().into_iter().flatten();
        weights.rules = rules.filter_map(|rule| serde_json::from_value(rule.clone()).ok()).collect();
        weights
    }

    /// What silence took by `now` from a lead that was last heard of at `heard_at`; zero or less.
    #[must_use]
    pub fn silence(&self, heard_at: crate::time::Timestamp, now: crate::time::Timestamp) -> i32 {
        let grace_ms = i64::from(self[Weight::SilenceGraceDays]) * crate::time::DAY_MS;
        let weeks = (now.ms_since(heard_at) - grace_ms).max(0) / (7 * crate::time::DAY_MS);
        let points = weeks.saturating_mul(i64::from(self[Weight::Silence])).min(100);
        -i32::try_from(points).unwrap_or(100)
    }
}

/// A key as a JSON pointer writes it.
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What a workspace scores by: its weights, and the number of their version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scoring {
    /// The version; 0 for the documentation's.
    pub version: i64,
    /// The weights.
    pub weights: Weights,
}

impl Scoring {
    /// The key in a workspace's settings.
    pub const KEY: &'static str = "scoring";

    /// What the settings of a workspace say.
    #[must_use]
    pub fn of(settings: &Value) -> Self {
        settings.get(Self::KEY).map_or_else(Self::default, |stored| Self {
            version: stored["version"].as_i64().unwrap_or(0),
            weights: Weights::from_json(stored),
        })
    }

    /// What rides in the settings.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut stored = self.weights.to_json();
        stored["version"] = json!(self.version);
        stored
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::time::{DAY_MS, Timestamp};

    fn named(numbers: &[(&str, i64)]) -> BTreeMap<String, i64> {
        numbers.iter().map(|(code, number)| ((*code).to_owned(), *number)).collect()
    }

    #[test]
    fn every_number_has_a_name_of_its_own_and_is_in_its_range() {
        for (place, weight) in Weight::ALL.iter().enumerate() {
            assert_eq!(*weight as usize, place);
            assert_eq!(Weight::find(weight.code()), Some(*weight));
            assert!(weight.range().contains(&weight.documented()), "{weight:?}");
        }
    }

    #[test]
    fn what_is_stored_is_what_differs_and_comes_back() {
        let weights = Weights::parse(&named(&[("email", 20), ("phone", 20)]), Vec::new()).expect("weights");

        let scoring = Scoring { version: 3, weights };
        let stored = scoring.to_json();

        assert_eq!(stored, json!({"version": 3, "weights": {"email": 20}, "rules": []}));
        assert_eq!(Scoring::of(&json!({"scoring": stored})), scoring);
        assert_eq!(Scoring::of(&json!({})), Scoring::default());
    }

    #[test]
    fn what_is_stored_and_not_known_is_as_documented() {
        let stored = json!({"weights": {"email": 900, "charm": 5, "phone": "x"}, "rules": [{"field": "shoe"}]});

        assert_eq!(Weights::from_json(&stored), Weights::default());
    }

    #[rstest]
    #[case(&[("email", 101)], &["/weights/email"])]
    #[case(&[("email", -1), ("vpn", i64::MAX)], &["/weights/email", "/weights/vpn"])]
    #[case(&[("seconds_per_point", 0)], &["/weights/seconds_per_point"])]
    #[case(&[("a/b", 1)], &["/weights/a~1b"])]
    fn each_bad_number_is_pointed_at(#[case] numbers: &[(&str, i64)], #[case] expected: &[&str]) {
        let faults = Weights::parse(&named(numbers), Vec::new()).expect_err("faults");

        assert_eq!(faults.iter().map(|fault| fault.pointer.as_str()).collect::<Vec<_>>(), expected);
    }

    #[rstest]
    #[case::within_the_grace(2, 14, 14, 0)]
    #[case::not_a_full_week(2, 14, 20, 0)]
    #[case::a_week(2, 14, 21, -2)]
    #[case::three_weeks(2, 14, 35, -6)]
    #[case::off(0, 0, 900, 0)]
    #[case::no_more_than_there_is(100, 0, 9_000, -100)]
    #[case::a_clock_that_went_back(2, 0, -30, 0)]
    fn silence_costs_points_by_the_week(
        #[case] points: i64,
        #[case] grace: i64,
        #[case] days: i64,
        #[case] expected: i32,
    ) {
        let numbers = named(&[("silence", points), ("silence_grace_days", grace)]);
        let weights = Weights::parse(&numbers, Vec::new()).expect("weights");

        let heard_at = Timestamp(1_767_600_000_000);

        assert_eq!(weights.silence(heard_at, heard_at.plus_ms(days * DAY_MS)), expected);
    }
}
