//! The lists of words that estimates are made with, one file for each language.
//!
//! They are our own. A section is a heading and entries between commas; a star stands for the rest of a word. An entry
//! of several words weighs more than one of a single word.

use std::sync::LazyLock;

use super::{
    Intent,
    words::{Phrase, words},
};

const FILES: [(&str, &str); 6] = [
    ("en", include_str!("lexicon/en.txt")),
    ("de", include_str!("lexicon/de.txt")),
    ("es", include_str!("lexicon/es.txt")),
    ("fr", include_str!("lexicon/fr.txt")),
    ("pt", include_str!("lexicon/pt.txt")),
    ("hi", include_str!("lexicon/hi.txt")),
];

/// The topics of workspaces that have not made their own, beside [`super::OTHER`].
pub const TOPICS: [&str; 8] =
    ["pricing", "appointment", "delivery", "billing", "technical", "employment", "marketing", "product"];

static ALL: LazyLock<Vec<Lexicon>> =
    LazyLock::new(|| FILES.iter().map(|(code, text)| Lexicon::read(code, text)).collect());

/// What one language's words mean.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// ISO 639-1.
    pub code: &'static str,
    /// Words so ordinary that they tell the language.
    pub common: Vec<String>,
    /// What is said out of politeness and means nothing.
    pub polite: Vec<Phrase>,
    pub positive: Vec<Phrase>,
    pub negative: Vec<Phrase>,
    pub negation: Vec<Phrase>,
    pub intents: Vec<(Intent, Vec<Phrase>)>,
    pub topics: Vec<(&'static str, Vec<Phrase>)>,
}

/// Every language that there are words of.
pub(super) fn all() -> &'static [Lexicon] {
    &ALL
}

impl Lexicon {
    fn read(code: &'static str, text: &str) -> Self {
        let entries = |section: &str| -> Vec<&str> {
            let heading = format!("[{section}]\n");
            let (_, rest) = text.split_once(&heading).unwrap_or_else(|| panic!("{code}.txt lacks {section}"));
            let body = rest.split("\n[").next().unwrap_or_default();
            body.split([',', '\n']).map(str::trim).filter(|entry| !entry.is_empty()).collect()
        };
        let phrases = |section: &str| entries(section).into_iter().map(Phrase::parse).collect::<Vec<_>>();
        let named = |kind: &str, name: &str| phrases(&format!("{kind}.{name}"));
        Self {
            code,
            common: entries("common").into_iter().flat_map(words).collect(),
            polite: phrases("polite"),
            positive: phrases("positive"),
            negative: phrases("negative"),
            negation: phrases("negation"),
            intents: Intent::WITH_WORDS.iter().map(|intent| (*intent, named("intent", intent.as_str()))).collect(),
            topics: TOPICS.iter().map(|topic| (*topic, named("topic", topic))).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_list_and_no_empty_entry() {
        for lexicon in all() {
            let lists = [&lexicon.polite, &lexicon.positive, &lexicon.negative, &lexicon.negation];
            let intents = lexicon.intents.iter().map(|(_, phrases)| phrases);
            let topics = lexicon.topics.iter().map(|(_, phrases)| phrases);
            for list in lists.into_iter().chain(intents).chain(topics) {
                assert!(list.len() >= 3, "{}: {list:?}", lexicon.code);
                assert!(list.iter().all(|phrase| phrase.len() > 0), "{}: {list:?}", lexicon.code);
            }
        }
    }
}
