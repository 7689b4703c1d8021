//! The token that the embed script puts into every form: it shows that the script was there, and when it was fetched.
//!
//! It names nobody and is the same for everybody in one hour, so the script stays one file that browsers and networks
//! between may keep. A program that posts without a browser has none, or copies one that grows old.

use leadline_domain::{
    scores::FormTokenFact,
    time::{DAY_MS, HOUR_MS, Timestamp},
};
use uuid::Uuid;

use crate::seal::Keys;

/// What stands in the script where the token goes.
pub const PLACE: &str = "$FORM_TOKEN$";

/// How old it may be: a page can lie open overnight.
const LIFE_MS: i64 = DAY_MS;

/// The token of the hour: hours since 1970 and what proves them, as hexadecimal.
#[must_use]
pub fn issue(keys: &Keys, now: Timestamp) -> String {
    let hour = now.0.div_euclid(HOUR_MS);
    format!("{hour:x}.{}", proof(keys, hour))
}

/// What a token says of a submission that came then.
pub(super) fn check(keys: &Keys, token: Option<&str>, came_at: Timestamp) -> FormTokenFact {
    let Some(token) = token else { return FormTokenFact::Missing };
    let parts = token.split_once('.').and_then(|(hour, proof)| Some((i64::from_str_radix(hour, 16).ok()?, proof)));
    let Some((hour, _)) = parts.filter(|(hour, given)| *given == proof(keys, *hour)) else {
        return FormTokenFact::Forged;
    };
    // Counted from the end of its hour: nobody is to be late by the hour in which the script was fetched.
    let age_ms = came_at.0.saturating_sub(hour.saturating_add(1).saturating_mul(HOUR_MS));
    if age_ms > LIFE_MS { FormTokenFact::Expired } else { FormTokenFact::Valid }
}

/// Short, since every visitor fetches it, and long enough: each guess is a submission.
fn proof(keys: &Keys, hour: i64) -> String {
    let [first, second, third, fourth, ..] = keys.identity(Uuid::nil(), "form_token", &hour.to_string());
    format!("{:08x}", u32::from_be_bytes([first, second, third, fourth]))
}

#[cfg(test)]
mod tests {
    use leadline_domain::time::MINUTE_MS;
    use rstest::rstest;

    use super::*;

    const FETCHED: Timestamp = Timestamp(1_767_600_000_000 + 59 * MINUTE_MS);

    #[rstest]
    #[case::at_once(0, FormTokenFact::Valid)]
    #[case::overnight(DAY_MS, FormTokenFact::Valid)]
    #[case::too_old(DAY_MS + 2 * MINUTE_MS, FormTokenFact::Expired)]
    #[case::by_a_clock_that_is_behind(-MINUTE_MS, FormTokenFact::Valid)]
    fn a_token_lives_a_day(#[case] later_ms: i64, #[case] expected: FormTokenFact) {
        let keys = Keys::derive(&[7; 32]);
        let token = issue(&keys, FETCHED);

        assert_eq!(check(&keys, Some(&token), FETCHED.plus_ms(later_ms)), expected);
    }

    #[test]
    fn what_we_did_not_issue_is_forged() {
        let keys = Keys::derive(&[7; 32]);
        let theirs = issue(&Keys::derive(&[8; 32]), FETCHED);
        let ours = issue(&keys, FETCHED);
        let (hour, proof) = ours.split_once('.').expect("two parts");
        let later = i64::from_str_radix(hour, 16).expect("hours") + 100;

        for forged in [theirs.as_str(), "", ".", "x.y", PLACE, &format!("{later:x}.{proof}"), "7fffffffffffffff."] {
            assert_eq!(check(&keys, Some(forged), FETCHED), FormTokenFact::Forged, "{forged}");
        }
        assert_eq!(check(&keys, None, FETCHED), FormTokenFact::Missing);
    }
}
