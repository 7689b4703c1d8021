//! Taking what names a person out of a message, before it may leave for somebody else's machine.
//!
//! Rather too much than too little: what might be an address, a number or a name is replaced by a word for its kind.
//! What is known of the sender is taken out wherever it stands; names nobody told us of are found after the words that
//! introduce them, and at the end, where people sign.

use super::words::folded;

/// What is known of who wrote a message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// What they are called.
    pub names: &'a [&'a str],
    /// Their addresses and numbers, in every spelling that is known.
    pub contacts: &'a [&'a str],
}

/// What stands in place of a name.
const NAME: &str = "[name]";
/// What stands in place of an e-mail address.
const EMAIL: &str = "[email]";
/// What stands in place of a link.
const LINK: &str = "[link]";
/// What stands in place of a phone number, or of any number as long as one.
const NUMBER: &str = "[number]";

/// Shorter numbers are house numbers, budgets and years.
const FEWEST_DIGITS: usize = 7;

/// Shorter names are words.
const SHORTEST_NAME: usize = 3;

/// What people say before their name, folded.
const INTRODUCTIONS: [&str; 20] = [
    "my name is",
    "name is",
    "this is",
    "i am",
    "i'm",
    "ich heisse",
    "ich heiße",
    "mein name ist",
    "me llamo",
    "mi nombre es",
    "soy",
    "je m'appelle",
    "je suis",
    "mon nom est",
    "meu nome e",
    "me chamo",
    "eu sou",
    "mera naam",
    "मेरा नाम",
    "mi chiamo",
];

/// What people sign below, folded.
const GOODBYES: [&str; 16] = [
    "regards",
    "sincerely",
    "thanks",
    "thank you",
    "cheers",
    "grusse",
    "grüße",
    "gruß",
    "gruss",
    "saludos",
    "atentamente",
    "cordialement",
    "atenciosamente",
    "cumprimentos",
    "सादर",
    "धन्यवाद",
];

/// A message without what names people.
#[must_use]
pub fn redact(message: &str, known: &Known<'_>) -> String {
    let without_numbers = numbers(message);
    let lines: Vec<&str> = without_numbers.split('\n').collect();
    let mut signs = false;
    let mut redacted: Vec<String> = Vec::with_capacity(lines.len());
    for line in lines {
        let is_signature = signs && is_short(line) && !line.trim().is_empty();
        redacted.push(if is_signature { NAME.to_owned() } else { of_line(line, known) });
        let says_goodbye = ends_with_goodbye(line);
        // Empty lines stand between goodbye and name.
        signs = says_goodbye || (signs && line.trim().is_empty());
    }
    redacted.join("\n")
}

fn is_short(line: &str) -> bool {
    line.split_whitespace().count() <= 4
}

fn ends_with_goodbye(line: &str) -> bool {
    let line: String = folded(line).collect();
    let line = line.trim_end_matches(|letter: char| !letter.is_alphanumeric() && letter.is_ascii());
    GOODBYES.iter().any(|goodbye| line.ends_with(&folded(goodbye).collect::<String>()))
}

/// Replaces runs of digits, with what people write between them, that are as long as a phone number.
fn numbers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for letter in text.chars().chain(['\u{0}']) {
        let begins_or_goes_on = letter.is_numeric() || letter == '+' || (letter == '(' && run.is_empty());
        let goes_on = !run.is_empty() && matches!(letter, ' ' | '-' | '.' | '/' | '(' | ')' | '\u{a0}');
        if begins_or_goes_on || goes_on {
            run.push(letter);
            continue;
        }
        finish_run(&mut out, &mut run);
        if letter != '\u{0}' {
            out.push(letter);
        }
    }
    out
}

fn finish_run(out: &mut String, run: &mut String) {
    let digits = run.chars().filter(|letter| letter.is_numeric()).count();
    if digits >= FEWEST_DIGITS {
        let after = run.len() - run.trim_end_matches([' ', '.', '-', '/', '(', '\u{a0}']).len();
        let tail = run.split_off(run.len() - after);
        out.push_str(NUMBER);
        out.push_str(&tail);
    } else {
        out.push_str(run);
    }
    run.clear();
}

fn of_line(line: &str, known: &Known<'_>) -> String {
    let names: Vec<String> = known.names.iter().flat_map(|name| parts_of_name(name)).collect();
    let secrets: Vec<String> = known.contacts.iter().map(|text| fold(text.trim())).collect();
    let mut out = String::with_capacity(line.len());
    let mut introduced = 0;
    let mut said = String::new();
    for piece in line.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end_matches(char::is_whitespace);
        let space = &piece[word.len()..];
        let core =
            word.trim_matches(|letter: char| !letter.is_alphanumeric() && !matches!(letter, '@' | '+' | '[' | ']'));
        let begins_big = core.chars().next().is_some_and(|letter| letter.is_uppercase() || !letter.is_ascii());
        let replacement = kind(core, &names, &secrets).or((introduced > 0 && begins_big).then_some(NAME));
        // A name ends with its sentence.
        let goes_on = replacement == Some(NAME) && !word.ends_with(['.', ',', '!', '?', ';', ':']);
        introduced = if goes_on && introduced > 0 { introduced - 1 } else { 0 };
        match replacement {
            Some(instead) if !core.is_empty() => out.push_str(&word.replacen(core, instead, 1)),
            _ => out.push_str(word),
        }
        out.push_str(space);
        said.push_str(&fold(core));
        if INTRODUCTIONS.iter().any(|words| ends_with_words(&said, &fold(words))) {
            introduced = 3;
        }
        said.push(' ');
    }
    out
}

fn ends_with_words(said: &str, words: &str) -> bool {
    said.strip_suffix(words).is_some_and(|before| before.is_empty() || before.ends_with(' '))
}

fn fold(text: &str) -> String {
    folded(text).collect()
}

fn parts_of_name(name: &str) -> Vec<String> {
    let parts = name.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '-' | '.'));
    parts.map(fold).filter(|part| part.chars().count() >= SHORTEST_NAME).collect()
}

fn kind(word: &str, names: &[String], secrets: &[String]) -> Option<&'static str> {
    let plain = fold(word);
    let is_secret = secrets.iter().any(|secret| !secret.is_empty() && plain.contains(secret.as_str()));
    if word.contains('@') || (is_secret && plain.contains('.')) {
        return Some(EMAIL);
    }
    if is_secret {
        return Some(NUMBER);
    }
    if looks_like_a_link(&plain) {
        return Some(LINK);
    }
    let possessive = plain.strip_suffix("'s").unwrap_or(&plain);
    let is_name = |part: &str| names.iter().any(|name| name == part);
    let has_name = is_name(possessive) || plain.split(['-', '\'', ',']).any(is_name);
    has_name.then_some(NAME)
}

/// With a scheme, with `www.`, or a host with an ending: `example.com/offer`.
fn looks_like_a_link(word: &str) -> bool {
    if word.contains("://") || word.starts_with("www.") {
        return true;
    }
    let host = word.split(['/', '?', '#', ':']).next().unwrap_or_default();
    let Some((label, ending)) = host.rsplit_once('.') else { return false };
    let is_label = label.chars().any(char::is_alphanumeric) && label.chars().any(char::is_alphabetic);
    is_label && ending.chars().count() >= 2 && ending.chars().all(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const KNOWN: Known<'static> =
        Known { names: &["Anna-Lena Müller"], contacts: &["anna@firma.example", "0221 123"] };

    #[rstest]
    #[case("Call me: +49 (221) 123 45 67.", "Call me: [number].")]
    #[case("फोन: ९८७६५ ४३२१०", "फोन: [number]")]
    #[case("We have 250 rooms and 3 floors since 1998", "We have 250 rooms and 3 floors since 1998")]
    #[case("Mail a.b+c@example.co.uk, please", "Mail [email], please")]
    #[case("<anna@firma.example>", "<[email]>")]
    #[case("see https://a.example/x?y=anna and www.b.example or shop.example/anna", "see [link] and [link] or [link]")]
    #[case("Anna-Lena here, MULLER, müller's house", "[name] here, [name], [name] house")]
    #[case("My name is John Smith and I sell doors", "My name is [name] [name] and I sell doors")]
    #[case("Ich heiße Karl Krause. Guten Tag", "Ich heiße [name] [name]. Guten Tag")]
    #[case("I am interested in the flat", "I am interested in the flat")]
    #[case(
        "Please write back.\nKind regards,\n\nPeter Pan\nThe end of it all, as they say",
        "Please write back.\nKind regards,\n\n[name]\nThe end of it all, as they say"
    )]
    #[case("", "")]
    fn what_names_people_is_taken_out(#[case] message: &str, #[case] expected: &str) {
        assert_eq!(redact(message, &KNOWN), expected);
    }

    #[test]
    fn nothing_known_of_the_sender_stays_in_any_spelling() {
        let message = "ANNA-LENA MÜLLER (Anna-lena.Mueller@Example.COM, anna@firma.example) +4922112345678 anna-lena";

        let redacted = redact(message, &KNOWN).to_lowercase();

        for part in ["anna", "lena", "müller", "mueller", "example", "1234"] {
            assert!(!redacted.contains(part), "{part} in {redacted}");
        }
    }
}
