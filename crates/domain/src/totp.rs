//! Codes that an app on somebody's phone computes from the time (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits, which is
//! what all apps know).
//!
//! A code counts for its own half minute and the ones beside it, since clocks differ; and never twice, for which the
//! caller keeps the step of the last one.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::time::Timestamp;

/// How long a code is the newest one.
pub const STEP_MS: i64 = 30_000;

/// Random bytes of a secret: as many as the hash has.
pub const SECRET_BYTES: usize = 20;

/// Half minutes that a phone's clock may be off.
const OFF_BY: i64 = 1;

const DIGITS: u32 = 6;

/// The half minute that a time falls into.
#[must_use]
pub const fn step_at(now: Timestamp) -> i64 {
    now.0.div_euclid(STEP_MS)
}

/// The code of a half minute.
#[must_use]
pub fn code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[19] & 0x0f);
    let word = u32::from_be_bytes([digest[at] & 0x7f, digest[at + 1], digest[at + 2], digest[at + 3]]);
    format!("{:0width$}", word % 10_u32.pow(DIGITS), width = DIGITS as usize)
}

/// The half minute whose code this is, of those that count now and come after the last that was used.
#[must_use]
pub fn matching_step(secret: &[u8], entered: &str, now: Timestamp, last_step: i64) -> Option<i64> {
    let entered: String = entered.chars().filter(|c| !c.is_whitespace()).collect();
    let steps = step_at(now) - OFF_BY..=step_at(now) + OFF_BY;
    steps.filter(|step| *step > last_step).find(|step| code(secret, *step) == entered)
}

/// The letters and digits by which a secret is typed in: base 32 of RFC 4648 without padding.
#[must_use]
pub fn write_secret(secret: &[u8]) -> String {
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let (mut text, mut held, mut bits) = (String::new(), 0_u32, 0);
    for byte in secret {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// The bytes of a secret that [`write_secret`] wrote down.
#[must_use]
pub fn read_secret(text: &str) -> Option<Vec<u8>> {
    let (mut secret, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.bytes() {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'2'..=b'7' => letter - b'2' + 26,
            _ => return None,
        };
        held = (held << 5 | u32::from(value)) & 0xfff;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            secret.push((held >> bits & 0xff) as u8);
        }
    }
    Some(secret)
}

/// The address that an app reads from a picture: the secret, and under which names to show its codes.
#[must_use]
pub fn address(issuer: &str, account: &str, secret: &[u8]) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (issuer, account) = (encoded(issuer), encoded(account));
    format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", write_secret(secret))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const SECRET: &[u8] = b"12345678901234567890";

    /// The last six of the eight digits in RFC 6238, appendix B.
    #[rstest]
    #[case(59, "287082")]
    #[case(1_111_111_109, "081804")]
    #[case(1_111_111_111, "050471")]
    #[case(1_234_567_890, "005924")]
    #[case(2_000_000_000, "279037")]
    #[case(20_000_000_000, "353130")]
    fn codes_are_those_of_the_standard(#[case] seconds: i64, #[case] expected: &str) {
        assert_eq!(code(SECRET, step_at(Timestamp(seconds * 1_000))), expected);
    }

    #[test]
    fn a_code_counts_a_half_minute_early_and_late_and_no_further() {
        let now = Timestamp(1_767_600_000_000);
        let step = step_at(now);

        for off_by in -3..=3 {
            let found = matching_step(SECRET, &code(SECRET, step + off_by), now, 0);
            assert_eq!(found, (-1..=1).contains(&off_by).then_some(step + off_by), "off by {off_by}");
        }
        assert_eq!(matching_step(SECRET, "", now, 0), None);
        assert_eq!(matching_step(SECRET, "12345", now, 0), None);
    }

    #[test]
    fn a_code_that_was_used_and_those_before_it_count_no_more() {
        let now = Timestamp(1_767_600_000_000);
        let step = step_at(now);

        assert_eq!(matching_step(SECRET, &code(SECRET, step), now, step), None);
        assert_eq!(matching_step(SECRET, &code(SECRET, step - 1), now, step), None);
        assert_eq!(matching_step(SECRET, &code(SECRET, step + 1), now, step), Some(step + 1));
    }

    #[rstest]
    #[case(b"", "")]
    #[case(b"f", "MY")]
    #[case(b"fooba", "MZXW6YTB")]
    #[case(b"foobar", "MZXW6YTBOI")]
    fn secrets_are_written_in_base_32(#[case] secret: &[u8], #[case] text: &str) {
        assert_eq!(write_secret(secret), text);
        assert_eq!(read_secret(text).as_deref(), Some(secret));
    }

    #[test]
    fn what_is_no_secret_is_not_read() {
        assert_eq!(read_secret("MZXW6YT!"), None);
    }

    #[test]
    fn an_app_reads_the_address() {
        let address = address("Leadline: Müller & Co", "ann@example.com", b"fooba");

        assert_eq!(
            address,
            "otpauth://totp/Leadline%3A%20M%C3%BCller%20%26%20Co:ann%40example.com?secret=MZXW6YTB\
             &issuer=Leadline%3A%20M%C3%BCller%20%26%20Co"
        );
    }
}
