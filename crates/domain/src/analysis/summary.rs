//! The short form of a message: its most telling sentences, in its own words.

use super::{
    lexicon::Lexicon,
    words::{Phrase, words},
};

/// Characters of a summary at most.
const LONGEST: usize = 180;

/// A sentence of fewer words is a greeting or a signature.
const FEWEST_WORDS: usize = 3;

pub(super) fn of(message: &str, lexicons: &[&Lexicon]) -> String {
    let whole = shorten(message, usize::MAX);
    if whole.chars().count() <= LONGEST {
        return whole;
    }
    let sentences = sentences(message);
    let telling = |sentence: &&String| weight(sentence, lexicons);
    // The first of equals: people begin with what they want.
    let best = sentences.iter().rev().max_by_key(telling).map_or(whole.as_str(), String::as_str);
    shorten(best, LONGEST)
}

/// A text on one line, cut after a word where it has more than `most` characters.
#[must_use]
pub fn shorten(text: &str, most: usize) -> String {
    let line = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let line = line.collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    let at_a_word = cut.rsplit_once(' ').map_or(cut.as_str(), |(before, _)| before);
    // A word as long as the line is cut where it is.
    let kept = if at_a_word.chars().count() * 2 < most { cut.as_str() } else { at_a_word };
    format!("{}…", kept.trim_end_matches([',', ';', ':', ' ', '-']))
}

fn sentences(message: &str) -> Vec<String> {
    let mut sentences = Vec::new();
    let mut sentence = String::new();
    let mut letters = message.chars().peekable();
    while let Some(letter) = letters.next() {
        sentence.push(letter);
        let ends_here = match letter {
            '!' | '?' | '\n' | '।' | '。' => true,
            '.' => letters.peek().is_none_or(|next| next.is_whitespace()),
            _ => false,
        };
        if ends_here {
            sentences.push(std::mem::take(&mut sentence));
        }
    }
    sentences.push(sentence);
    sentences.retain(|sentence| !sentence.trim().is_empty());
    sentences
}

/// How much a sentence says of what its writer wants. Long ones say more by chance, so length counts against them.
fn weight(sentence: &str, lexicons: &[&Lexicon]) -> usize {
    let heard = words(sentence);
    if heard.len() < FEWEST_WORDS {
        return 0;
    }
    let found = |phrases: &[Phrase]| phrases.iter().filter(|phrase| phrase.occurs(&heard, sentence)).count();
    let of_lexicon = |lexicon: &&Lexicon| {
        let intents: usize = lexicon.intents.iter().map(|(_, phrases)| found(phrases)).sum();
        let topics: usize = lexicon.topics.iter().map(|(_, phrases)| found(phrases)).sum();
        intents + topics
    };
    1 + 100 * lexicons.iter().map(of_lexicon).sum::<usize>() / (10 + heard.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::lexicon;

    #[test]
    fn a_short_message_is_its_own_summary_and_a_long_one_its_most_telling_sentence() {
        let lexicons: Vec<&Lexicon> = lexicon::all().iter().collect();
        let long = "Hello there. My wife and I were walking through the city on a sunny Sunday with our dog, whom we got \
                    last winter. We would like to get a quote for a new kitchen. The dog likes kitchens a lot too.";

        assert_eq!(of(" Hello,\n\nplease   call me ", &lexicons), "Hello, please call me");
        assert_eq!(of(long, &lexicons), "We would like to get a quote for a new kitchen.");
    }

    #[test]
    fn a_long_text_is_cut_after_a_word() {
        assert_eq!(shorten("one two, three four", 13), "one two…");
        assert_eq!(shorten("donaudampfschifffahrt", 6), "donau…");
        assert_eq!(shorten("short", 6), "short");
    }
}
