//! Words as they are compared: in lower case, without accents, split the same way in messages and in lists.

use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in folded(text) {
        if belongs_to_a_word(letter) {
            word.push(letter);
        } else if letter == '\'' && word.chars().count() > 2 {
            // "doesn't" is a word; "l'isolation" is two.
            word.push(letter);
        } else if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    words.push(word);
    words.iter_mut().for_each(|word| word.truncate(word.trim_end_matches('\'').len()));
    words.retain(|word| !word.is_empty());
    words
}

/// A text in lower case and without the accents of Latin letters, which people leave out.
pub(super) fn folded(text: &str) -> impl Iterator<Item = char> {
    text.nfd()
        .filter(|letter| !matches!(letter, '\u{300}'..='\u{36f}'))
        .flat_map(char::to_lowercase)
        .map(|letter| if matches!(letter, '’' | '`' | '´') { '\'' } else { letter })
}

/// Indian scripts write vowels as marks on the letter before; a star ends the beginning of a word in a list.
fn belongs_to_a_word(letter: char) -> bool {
    letter.is_alphanumeric() || is_combining_mark(letter) || matches!(letter, '*' | '\u{200d}')
}

/// One entry of a list: words that stand next to each other, each whole or, with a star, by its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Phrase {
    words: Vec<Pattern>,
    /// Scripts without spaces are searched as they are.
    unspaced: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Whole(String),
    Beginning(String),
}

impl Phrase {
    /// Reads an entry; one without a letter in it matches nothing.
    pub(super) fn parse(text: &str) -> Self {
        let unspaced = text.chars().any(is_unspaced).then(|| folded(text.trim()).collect());
        let words = words(text)
            .into_iter()
            .filter(|word| word != "*")
            .map(|word| match word.strip_suffix('*') {
                Some(beginning) => Pattern::Beginning(beginning.to_owned()),
                None => Pattern::Whole(word),
            })
            .collect();
        Self { words, unspaced }
    }

    /// How many words it has.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether it stands at the beginning of these words.
    pub(super) fn begins(&self, words: &[String]) -> bool {
        !self.words.is_empty()
            && self.words.len() <= words.len()
            && self.words.iter().zip(words).all(|(pattern, word)| pattern.fits(word))
    }

    /// Whether it stands anywhere in a text.
    pub(super) fn occurs(&self, words: &[String], text: &str) -> bool {
        match &self.unspaced {
            Some(part) => !part.is_empty() && folded(text).collect::<String>().contains(part.as_str()),
            None => (0..words.len()).any(|at| self.begins(&words[at..])),
        }
    }
}

impl Pattern {
    fn fits(&self, word: &str) -> bool {
        match self {
            Self::Whole(whole) => whole == word,
            Self::Beginning(beginning) => word.starts_with(beginning.as_str()),
        }
    }
}

/// Letters of scripts that put no spaces between words: Thai, Japanese, Chinese.
fn is_unspaced(letter: char) -> bool {
    matches!(letter, '\u{e00}'..='\u{e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("Doesn’t IT work?", &["doesn't", "it", "work"])]
    #[case("l'isolation, rendez-vous", &["l", "isolation", "rendez", "vous"])]
    #[case("¿Cuánto cuesta?", &["cuanto", "cuesta"])]
    #[case("मुझे रिफ़ंड चाहिए।", &["मुझे", "रिफ़ंड", "चाहिए"])]
    #[case("", &[])]
    fn a_text_falls_into_words(#[case] text: &str, #[case] expected: &[&str]) {
        // Both sides decomposed: a letter with a dot below has two spellings.
        let expected: Vec<String> = expected.iter().map(|word| word.nfd().collect()).collect();
        assert_eq!(words(text), expected);
    }

    #[rstest]
    #[case("price*", "What are your PRICES?", true)]
    #[case("price", "What are your prices?", false)]
    #[case("solar panel*", "two solar panels", true)]
    #[case("solar panel*", "solar and panels", false)]
    #[case("価格", "この製品の価格を教えてください", true)]
    #[case("*", "anything", false)]
    #[case("", "anything", false)]
    fn an_entry_is_found_as_whole_words(#[case] entry: &str, #[case] text: &str, #[case] expected: bool) {
        assert_eq!(Phrase::parse(entry).occurs(&words(text), text), expected);
    }
}
