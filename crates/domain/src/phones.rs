//! Phone numbers: reading them, and writing them in the shapes that people and receivers want.
//!
//! What is valid is what libphonenumber's metadata says is valid. A number that is not is no [`Phone`]: whoever has its
//! raw text keeps that, and nothing is sent to it or matched by it.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

/// Longer texts are not numbers. The longest numbers of the tables, with label and extension, have 27 characters.
const RAW_MAX_CHARS: usize = 64;

/// A valid number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Phone {
    /// The number in E.164, with its `+`.
    pub e164: String,
    /// Its region (`IN`), where it has one.
    pub region: Option<String>,
}

impl Phone {
    /// Reads a number as people type it. `country_code` is what the submission says (`IN`, `+91`), `default_region` is
    /// what the source is set to; what the submission says counts first. `None` unless the number is valid.
    #[must_use]
    pub fn parse(raw: &str, default_region: Option<&str>, country_code: Option<&str>) -> Option<Self> {
        let raw = raw.trim();
        if raw.is_empty() || raw.chars().count() > RAW_MAX_CHARS {
            return None;
        }
        let regions = [country_code.and_then(region_of), default_region.and_then(region_of)];
        let number = match regions {
            [None, None] => valid_number(raw, None).or_else(|| valid_number(&with_plus(raw)?, None)),
            _ => regions.into_iter().flatten().find_map(|region| valid_number(raw, Some(region))),
        };
        number.map(|number| Self::of(&number))
    }

    fn of(number: &PhoneNumber) -> Self {
        Self {
            e164: number.format_as(PhoneNumberFormat::E164).into_owned(),
            region: number.get_region_code().map(|region| region.as_region_str().to_string()),
        }
    }
}

/// `+91 99999 99999`; what is no number comes back as it is.
#[must_use]
pub fn international(e164: &str) -> String {
    formatted(e164, |number| number.format_as(PhoneNumberFormat::International).into_owned())
}

/// `099999 99999`; what is no number comes back as it is.
#[must_use]
pub fn national(e164: &str) -> String {
    formatted(e164, |number| number.format_as(PhoneNumberFormat::National).into_owned())
}

/// `+91-9999999999`; what is no number comes back as it is.
#[must_use]
pub fn dashed(e164: &str) -> String {
    formatted(e164, |number| format!("+{}-{}", number.country_code, number.get_national_significant_number()))
}

/// `+91`, where it is a number.
#[must_use]
pub fn calling_code(e164: &str) -> Option<String> {
    read(e164).map(|number| format!("+{}", number.country_code))
}

/// All but the calling code and the last two digits hidden: `+91••••••••99`. Takes numbers as entered as well.
#[must_use]
pub fn mask(phone: &str) -> String {
    let digits: Vec<char> = phone.chars().filter(char::is_ascii_digit).collect();
    let shown = if digits.len() > 4 { &digits[digits.len() - 2..] } else { &[] };
    let calling_code = read(phone).map_or_else(String::new, |number| format!("+{}", number.country_code));
    format!("{calling_code}••••••••{}", shown.iter().collect::<String>())
}

/// Whether this is the code of a region that has numbers of its own, such as `DE`.
#[must_use]
pub fn is_region(code: &str) -> bool {
    code.len() == 2
        && region_of(code).is_some_and(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region).is_some())
}

/// The region that a region code or a calling code stands for; of several with one calling code the main one.
fn region_of(text: &str) -> Option<Region> {
    let text = text.trim();
    if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Region::from_code(&text.to_ascii_uppercase()).ok();
    }
    let digits = text.trim_start_matches('+').trim_start_matches("00");
    let is_calling_code = (1..=3).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    let calling_code = is_calling_code.then(|| digits.parse().ok())??;
    PHONE_NUMBER_UTIL.get_region_for_country_code(calling_code)
}

fn valid_number(raw: &str, region: Option<Region>) -> Option<PhoneNumber> {
    PhoneNumber::parse(raw, region).ok().filter(PhoneNumber::is_valid)
}

/// `0049…` is `+49…` nearly everywhere; where no region says otherwise it is read so.
fn with_plus(raw: &str) -> Option<String> {
    raw.strip_prefix("00").map(|rest| format!("+{rest}"))
}

fn formatted(e164: &str, format: impl Fn(&PhoneNumber) -> String) -> String {
    read(e164).map_or_else(|| e164.to_owned(), |number| format(&number))
}

fn read(e164: &str) -> Option<PhoneNumber> {
    if e164.len() > RAW_MAX_CHARS || !e164.starts_with('+') {
        return None;
    }
    PhoneNumber::parse(e164, None).ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::own_region("9876543210", Some("IN"), None, Some("+919876543210"))]
    #[case::lower_case_region("9876543210", Some("in"), None, Some("+919876543210"))]
    #[case::calling_code("9876543210", None, Some("+91"), Some("+919876543210"))]
    #[case::bare_calling_code("9876543210", None, Some("91"), Some("+919876543210"))]
    #[case::calling_code_with_zeros("9876543210", None, Some("0091"), Some("+919876543210"))]
    #[case::region_as_code("9876543210", Some("DE"), Some("IN"), Some("+919876543210"))]
    #[case::the_code_is_wrong("0151 23456789", Some("DE"), Some("XX"), Some("+4915123456789"))]
    #[case::the_code_does_not_fit("0151 23456789", Some("DE"), Some("+376"), Some("+4915123456789"))]
    #[case::shared_calling_code("(416) 555-0123", None, Some("1"), Some("+14165550123"))]
    #[case::plus_needs_no_region("+49 151 23456789", None, None, Some("+4915123456789"))]
    #[case::zeros_without_region("0049 151 23456789", None, None, Some("+4915123456789"))]
    #[case::no_region("0151 23456789", None, None, None)]
    #[case::zero("0", Some("DE"), None, None)]
    #[case::too_long("+49 151 23456789 or else, on every second day, +49 30 12345678 instead", None, None, None)]
    #[case::empty(" ", Some("DE"), Some("DE"), None)]
    fn numbers_are_read_with_what_is_known(
        #[case] raw: &str,
        #[case] default_region: Option<&str>,
        #[case] country_code: Option<&str>,
        #[case] expected: Option<&str>,
    ) {
        let phone = Phone::parse(raw, default_region, country_code);

        assert_eq!(phone.map(|phone| phone.e164).as_deref(), expected);
    }

    #[test]
    fn a_number_knows_its_region() {
        let region = |raw| Phone::parse(raw, None, None).and_then(|phone| phone.region);

        assert_eq!(region("+14165550123").as_deref(), Some("CA"));
        assert_eq!(region("+80012345678"), region("+80012345678"));
    }

    #[rstest]
    #[case("+919999999999", "+91 99999 99999", "099999 99999", "+91-9999999999")]
    #[case("+14165550123", "+1 416-555-0123", "(416) 555-0123", "+1-4165550123")]
    #[case("+390612345678", "+39 06 1234 5678", "06 1234 5678", "+39-0612345678")]
    #[case("call me", "call me", "call me", "call me")]
    #[case("", "", "", "")]
    fn numbers_are_written_for_people_and_receivers(
        #[case] e164: &str,
        #[case] expected_international: &str,
        #[case] expected_national: &str,
        #[case] expected_dashed: &str,
    ) {
        assert_eq!(international(e164), expected_international);
        assert_eq!(national(e164), expected_national);
        assert_eq!(dashed(e164), expected_dashed);
    }

    #[rstest]
    #[case("+919876543210", "+91••••••••10")]
    #[case("0151 23456789", "••••••••89")]
    #[case("1234", "••••••••")]
    #[case("call me", "••••••••")]
    #[case("", "••••••••")]
    fn masks_show_the_calling_code_and_two_digits(#[case] phone: &str, #[case] expected: &str) {
        assert_eq!(mask(phone), expected);
    }
}
