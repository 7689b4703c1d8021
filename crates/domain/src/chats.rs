//! What a chat tells about the visitor before anybody asked: the first e-mail address and the first phone number in
//! what was written.

use crate::{emails::Email, phones::Phone};

/// Longer texts are searched up to here.
const TEXT_MAX_CHARS: usize = 20_000;

/// Fewer digits are a price, a house number, a time.
const PHONE_MIN_DIGITS: usize = 7;

/// The longest number of any country, with its calling code and `00` before it.
const PHONE_MAX_DIGITS: usize = 17;

/// How the visitor of a chat can be reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    /// An e-mail address as it was written.
    pub email: Option<String>,
    /// A phone number as it was written.
    pub phone: Option<String>,
}

impl Reach {
    /// The first valid e-mail address and the first valid phone number in a text. Numbers without a calling code count
    /// where the chat's country is known.
    #[must_use]
    pub fn in_text(text: &str, default_region: Option<&str>) -> Self {
        let text: String = text.chars().take(TEXT_MAX_CHARS).collect();
        Self { email: first_email(&text), phone: first_phone(&text, default_region) }
    }

    /// Whether nobody can be reached.
    #[must_use]
    pub fn is_nobody(&self) -> bool {
        self.email.is_none() && self.phone.is_none()
    }

    /// This, completed by what was found elsewhere.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { email: self.email.or(other.email), phone: self.phone.or(other.phone) }
    }
}

fn first_email(text: &str) -> Option<String> {
    text.split(|letter: char| letter.is_whitespace() || ",;<>()[]{}\"'|\\".contains(letter))
        .map(|word| word.rsplit_once("mailto:").map_or(word, |(_, address)| address))
        // A link may hold an "@", and is nobody's address.
        .filter(|word| word.contains('@') && !word.contains("//"))
        .map(|word| word.trim_matches(|letter: char| !letter.is_alphanumeric() && !"_+-".contains(letter)))
        .find(|word| Email::parse(word).is_some())
        .map(str::to_owned)
}

/// A number is a run of digits with the signs that people put between them.
fn first_phone(text: &str, default_region: Option<&str>) -> Option<String> {
    let mut rest = text;
    while let Some(start) = rest.find(|letter: char| letter == '+' || letter == '(' || letter.is_ascii_digit()) {
        let before = rest[..start].chars().next_back();
        let from_here = &rest[start..];
        let end = from_here
            .char_indices()
            .find(|(_, letter)| !letter.is_ascii_digit() && !"+()-./ \u{a0}".contains(*letter))
            .map_or(from_here.len(), |(at, _)| at);
        let run = from_here[..end].trim_end_matches(|letter: char| !letter.is_ascii_digit());
        let after = from_here[run.len()..].chars().next();
        if let Some(phone) = phone_of(before, run, after, default_region) {
            return Some(phone);
        }
        rest = &from_here[end.max(1)..];
    }
    None
}

fn phone_of(before: Option<char>, run: &str, after: Option<char>, default_region: Option<&str>) -> Option<String> {
    let is_part_of_more =
        |letter: Option<char>| letter.is_some_and(|letter| letter.is_alphanumeric() || "$€£@_=#:%".contains(letter));
    let digits = run.chars().filter(char::is_ascii_digit).count();
    let has_the_size = (PHONE_MIN_DIGITS..=PHONE_MAX_DIGITS).contains(&digits);
    // "Tel:0301234567" is a number, "id:0301234567" is not told from it; a calling code settles it.
    let stands_alone = !is_part_of_more(before) || (before == Some(':') && run.starts_with('+'));
    if !has_the_size || !stands_alone || is_part_of_more(after) || is_a_date(run) {
        return None;
    }
    Phone::parse(run, default_region, None).map(|_| run.to_owned())
}

/// `2026-05-01`, `2026/5/1` and `01.05.2026`, alone or with what follows them.
fn is_a_date(run: &str) -> bool {
    let first = run.split(' ').next().unwrap_or_default();
    let parts: Vec<&str> = first.split(['-', '/', '.']).collect();
    let [a, b, c] = parts[..] else { return false };
    let number = |part: &str| part.parse::<u32>().ok();
    let is_year = |part: &str| part.len() == 4 && number(part).is_some_and(|year| (1900..2100).contains(&year));
    let is_short = |part: &str| part.len() <= 2 && number(part).is_some_and(|day| (1..=31).contains(&day));
    (is_year(a) && is_short(b) && is_short(c)) || (is_short(a) && is_short(b) && (is_year(c) || is_short(c)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("my mail is anna@example.com", Some("anna@example.com"))]
    #[case::at_the_end_of_a_sentence("Write to anna@example.com.", Some("anna@example.com"))]
    #[case::in_brackets("Anna Keller <anna.keller+shop@example.co.uk>, thanks", Some("anna.keller+shop@example.co.uk"))]
    #[case::a_link("[me](mailto:anna@example.com)", Some("anna@example.com"))]
    #[case::the_first_that_is_one("@anna or b@c or anna@example.com or bob@example.com", Some("anna@example.com"))]
    #[case::an_address_of_a_page("see https://medium.com/@anna/post", None)]
    #[case::a_handle("I am @anna", None)]
    #[case::none("hello", None)]
    fn the_first_address_is_found(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(Reach::in_text(text, None).email.as_deref(), expected);
    }

    #[rstest]
    #[case::with_calling_code("call +49 170 1234567 please", None, Some("+49 170 1234567"))]
    #[case::dashes("it's +1-416-555-0123.", None, Some("+1-416-555-0123"))]
    #[case::zeros("0049 170 1234567", None, Some("0049 170 1234567"))]
    #[case::brackets("(416) 555-0123 is mine", Some("CA"), Some("(416) 555-0123"))]
    #[case::national("0170 1234567", Some("DE"), Some("0170 1234567"))]
    #[case::national_without_country("0170 1234567", None, None)]
    #[case::after_a_colon("Tel:+491701234567", None, Some("+491701234567"))]
    #[case::a_date("on 2026-05-01 12 we meet", Some("US"), None)]
    #[case::a_german_date("am 01.05.2026", Some("DE"), None)]
    #[case::money("it costs $4165550123", Some("CA"), None)]
    #[case::an_order("order A4165550123", Some("CA"), None)]
    #[case::in_an_address("https://example.com/?id=4165550123", Some("CA"), None)]
    #[case::too_short("room 12345", Some("DE"), None)]
    #[case::too_long("1234567890123456789012345", Some("DE"), None)]
    #[case::the_second_is_one("my order 12345, my number +491701234567", None, Some("+491701234567"))]
    #[case::only_signs("+ ( - .", Some("DE"), None)]
    #[case::other_scripts("رقمي +971 50 123 4567 شكرا", None, Some("+971 50 123 4567"))]
    fn the_first_number_is_found(#[case] text: &str, #[case] region: Option<&str>, #[case] expected: Option<&str>) {
        assert_eq!(Reach::in_text(text, region).phone.as_deref(), expected);
    }

    #[test]
    fn what_was_known_first_stays() {
        let first = Reach { email: Some("a@example.com".into()), phone: None };
        let later = Reach { email: Some("b@example.com".into()), phone: Some("+491701234567".into()) };

        let both = first.or(later);

        assert_eq!(both.email.as_deref(), Some("a@example.com"));
        assert_eq!(both.phone.as_deref(), Some("+491701234567"));
    }
}
