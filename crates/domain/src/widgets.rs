//! The WhatsApp widget: the short code that leads a visitor's first message back to the conversation that was made for
//! it, the address that opens WhatsApp, and the look that a site may choose.

use std::fmt;

use form_urlencoded::byte_serialize;

use crate::ids::SubmissionId;

/// Digits and letters that nobody takes for another when reading them out: no 0, O, 1, I, L or U.
const ALPHABET: &[u8; 30] = b"23456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Six of thirty are 729 million codes: among ten thousand open conversations a new one meets a taken code once in
/// seventy thousand times.
const LENGTH: usize = 6;

/// What stands before the code in a message.
const PREFIX: &str = "LD-";

/// Longer messages are cut: an address that is too long opens nothing. The whole message is in the submission.
const TEXT_MAX_CHARS: usize = 800;

/// What a visitor says who wrote nothing.
const NO_MESSAGE: &str = "Hello";

/// The code of a conversation, such as `LD-7F3KQM`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference(String);

impl Reference {
    /// The code of the conversation that this submission opens. It follows from the submission alone, so that it can be
    /// told while the store is away.
    #[must_use]
    pub fn of(submission: SubmissionId) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("leadline conversation reference v1");
        hasher.update(submission.0.as_bytes());
        let mut bytes = [0u8; 8];
        hasher.finalize_xof().fill(&mut bytes);
        let mut number = u64::from_le_bytes(bytes);
        let base = ALPHABET.len() as u64;
        let mut code = PREFIX.to_owned();
        for _ in 0..LENGTH {
            code.push(char::from(ALPHABET[usize::try_from(number % base).unwrap_or_default()]));
            number /= base;
        }
        Self(code)
    }

    /// The first code in a text, however it is cased: `ref ld-7f3kqm.` holds `LD-7F3KQM`.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        upper.match_indices(PREFIX).find_map(|(at, _)| {
            let begins_a_word = !upper[..at].chars().next_back().is_some_and(char::is_alphanumeric);
            let rest = &upper[at + PREFIX.len()..];
            let code: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
            let is_whole = code.len() == LENGTH && code.bytes().all(|byte| ALPHABET.contains(&byte));
            (begins_a_word && is_whole).then(|| Self(format!("{PREFIX}{code}")))
        })
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address that opens WhatsApp with the visitor's message and the code in it. `business` is in E.164.
#[must_use]
pub fn redirect_url(business: &str, message: Option<&str>, reference: &Reference) -> String {
    let digits: String = business.chars().filter(char::is_ascii_digit).collect();
    let message = message.map(str::trim).filter(|message| !message.is_empty()).unwrap_or(NO_MESSAGE);
    let message: String = message.chars().take(TEXT_MAX_CHARS).collect();
    // WhatsApp shows a plus sign as one, where a form would read a space.
    let text: String = byte_serialize(format!("{message}\n\nRef {reference}").as_bytes()).collect();
    format!("https://wa.me/{digits}?text={}", text.replace('+', "%20"))
}

/// Whether a text holds enough digits to be somebody's number. What the number is worth is decided in `phones`; here
/// only what cannot be one is told from what may be mistyped.
#[must_use]
pub fn may_be_a_phone(raw: &str) -> bool {
    raw.chars().filter(|letter| letter.is_numeric()).count() >= 5
}

/// A colour as `#rrggbb`.
#[must_use]
pub fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    fn reference(n: u128) -> Reference {
        Reference::of(SubmissionId(Uuid::from_u128(n)))
    }

    #[test]
    fn a_code_follows_from_its_submission_alone() {
        assert_eq!(reference(7), reference(7));
        assert_ne!(reference(7), reference(8));
    }

    #[test]
    fn codes_have_no_letters_that_are_mistaken() {
        for n in 0..2_000 {
            let code = reference(n);
            let letters = code.as_str().strip_prefix("LD-").expect("the prefix");

            assert_eq!(letters.len(), 6);
            assert!(!letters.contains(['0', 'O', '1', 'I', 'L', 'U']), "{code}");
        }
    }

    #[test]
    fn codes_spread_over_what_there_is() {
        let distinct: std::collections::HashSet<Reference> = (0..10_000).map(reference).collect();

        assert!(distinct.len() >= 9_999, "{}", distinct.len());
    }

    #[rstest]
    #[case::as_we_write_it("I am interested\n\nRef LD-7F3KQM", Some("LD-7F3KQM"))]
    #[case::small("ref ld-7f3kqm.", Some("LD-7F3KQM"))]
    #[case::the_second_is_whole("LD-7F LD-7F3KQM", Some("LD-7F3KQM"))]
    #[case::inside_a_word("WORLD-7F3KQM", None)]
    #[case::too_long("LD-7F3KQMA", None)]
    #[case::a_letter_we_never_use("LD-7F3KQO", None)]
    #[case::none("hello", None)]
    fn a_code_is_found_in_a_message(#[case] text: &str, #[case] expected: Option<&str>) {
        assert_eq!(Reference::find(text).as_ref().map(Reference::as_str), expected);
    }

    #[rstest]
    #[case(Some("Price of 2 + 2?"), "https://wa.me/491701234567?text=Price%20of%202%20%2B%202%3F%0A%0ARef%20LD-")]
    #[case(
        Some("Größe & \"mehr\""),
        "https://wa.me/491701234567?text=Gr%C3%B6%C3%9Fe%20%26%20%22mehr%22%0A%0ARef%20LD-"
    )]
    #[case(Some("  "), "https://wa.me/491701234567?text=Hello%0A%0ARef%20LD-")]
    #[case(None, "https://wa.me/491701234567?text=Hello%0A%0ARef%20LD-")]
    fn whatsapp_opens_with_message_and_code(#[case] message: Option<&str>, #[case] expected: &str) {
        let url = redirect_url("+491701234567", message, &reference(7));

        assert!(url.starts_with(expected), "{url}");
        assert!(url.ends_with(reference(7).as_str().trim_start_matches("LD-")), "{url}");
    }

    #[test]
    fn a_long_message_leaves_room_for_the_code() {
        let url = redirect_url("+491701234567", Some(&"ä".repeat(10_000)), &reference(7));

        assert!(url.len() < 6_000);
        assert!(url.ends_with(reference(7).as_str().trim_start_matches("LD-")));
    }

    #[rstest]
    #[case("+49 170 1234567", true)]
    #[case("٠١٢٣٤٥", true)]
    #[case("call me", false)]
    #[case("1234", false)]
    fn what_has_no_digits_is_no_number(#[case] raw: &str, #[case] expected: bool) {
        assert_eq!(may_be_a_phone(raw), expected);
    }

    #[rstest]
    #[case("#25D366", true)]
    #[case("#25d36", false)]
    #[case("red", false)]
    #[case("#25d36;", false)]
    fn colours_are_six_digits(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_color(text), expected);
    }
}
