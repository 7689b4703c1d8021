//! What a lead's message says: which of the workspace's keywords are in it, its mood, what its writer wants, what it is
//! about, and a short form of it.
//!
//! This is the estimate that needs nobody else: lists of words in six languages, and arithmetic. It is often right and
//! sometimes wrong, and says so with every answer. [`redact`] takes out what names people before a message may leave.

mod language;
mod lexicon;
pub mod redact;
mod summary;
mod words;

use std::collections::BTreeMap;

use self::{
    lexicon::Lexicon,
    words::{Phrase, words},
};

pub use lexicon::TOPICS;
pub use summary::shorten;

/// The topic of what is about none of the topics.
pub const OTHER: &str = "other";

/// Grows when the same message would be judged differently.
pub const VERSION: i64 = 1;

/// More of a message is not read. Whoever writes more has said what they want.
const LONGEST: usize = 4_000;

/// How many words before a word can turn it into its opposite.
const NEGATION_REACH: usize = 3;

/// What a workspace looks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Words and phrases to be spotted; a star stands for the rest of a word.
    pub keywords: Vec<String>,
    /// The workspace's own topics, in place of ours where there are any.
    pub topics: Vec<Topic>,
}

/// A topic of a workspace's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// What it is called.
    pub name: String,
    /// The words that speak for it, beside its name.
    pub words: Vec<String>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Analysis {
    /// ISO 639-1, or 639-3 where that has none; `None` where nobody can tell.
    pub language: Option<&'static str>,
    /// Those of the workspace's keywords that are in it, as the workspace writes them.
    pub keywords: Vec<String>,
    /// Its mood.
    pub sentiment: Judged<Sentiment>,
    /// What its writer wants.
    pub intent: Judged<Intent>,
    /// What it is about: a topic's name, or [`OTHER`].
    pub topic: Judged<String>,
    /// Its short form.
    pub summary: String,
}

/// An answer, and how much of what was found speaks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged<T> {
    /// The answer.
    pub label: T,
    /// 0 to 100.
    pub confidence: u8,
}

/// The mood of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sentiment {
    /// Pleased.
    Positive,
    /// Neither, or both.
    Neutral,
    /// Displeased.
    Negative,
}

impl Sentiment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Neutral, Self::Negative];

    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Neutral => "neutral",
            Self::Negative => "negative",
        }
    }
}

/// What the writer of a message wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Intent {
    /// To sell something to us.
    Advertising,
    /// To work for us.
    Employment,
    /// Help with what they have, or to complain about it.
    Support,
    /// To meet, to visit, to be called.
    Appointment,
    /// To buy, or to hear a price.
    Purchase,
    /// To do business together.
    Partnership,
    /// To know something.
    Information,
    /// Something else, or nothing.
    Other,
}

impl Intent {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Advertising,
        Self::Employment,
        Self::Support,
        Self::Appointment,
        Self::Purchase,
        Self::Partnership,
        Self::Information,
        Self::Other,
    ];

    /// Those that words speak for. Where two have the same weight, the earlier is meant: the first ones have words that
    /// nobody else uses, the last ones words that everybody does.
    pub(self) const WITH_WORDS: [Self; 7] = [
        Self::Advertising,
        Self::Employment,
        Self::Support,
        Self::Appointment,
        Self::Purchase,
        Self::Partnership,
        Self::Information,
    ];

    /// How it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Advertising => "advertising",
            Self::Employment => "employment",
            Self::Support => "support",
            Self::Appointment => "appointment",
            Self::Purchase => "purchase",
            Self::Partnership => "partnership",
            Self::Information => "information",
            Self::Other => "other",
        }
    }
}

/// Estimates what a message says.
#[must_use]
pub fn estimate(message: &str, wanted: &Wanted) -> Analysis {
    let message: String = message.chars().take(LONGEST).collect();
    let all_words = words(&message);
    let spoken = language::of(&message, &all_words);
    let heard = without_politeness(&all_words, &spoken.lexicons);
    let topic = if wanted.topics.is_empty() {
        strongest(spoken.lexicons.iter().flat_map(|lexicon| weigh(&heard, &lexicon.topics)))
    } else {
        strongest(own_topics(&all_words, &message, &wanted.topics))
    };
    let intent = strongest(spoken.lexicons.iter().flat_map(|lexicon| weigh(&heard, &lexicon.intents)));
    Analysis {
        language: spoken.code,
        keywords: spot(&message, &wanted.keywords),
        sentiment: sentiment(&heard, &spoken.lexicons),
        intent: intent.unwrap_or(Judged { label: Intent::Other, confidence: NOTHING_FOUND }),
        topic: match topic {
            Some(topic) => Judged { label: topic.label.to_owned(), confidence: topic.confidence },
            None => Judged { label: OTHER.to_owned(), confidence: NOTHING_FOUND },
        },
        summary: summary::of(&message, &spoken.lexicons),
    }
}

/// The names of a workspace's topics, [`OTHER`] among them.
#[must_use]
pub fn topic_names(wanted: &Wanted) -> Vec<String> {
    let names: Vec<String> = match wanted.topics.is_empty() {
        true => TOPICS.iter().map(|topic| (*topic).to_owned()).collect(),
        false => wanted.topics.iter().map(|topic| topic.name.clone()).collect(),
    };
    names.into_iter().filter(|name| name != OTHER).chain([OTHER.to_owned()]).collect()
}

/// Those of the workspace's keywords that a message holds.
#[must_use]
pub fn spot(message: &str, keywords: &[String]) -> Vec<String> {
    let heard = words(message);
    keywords.iter().filter(|keyword| Phrase::parse(keyword).occurs(&heard, message)).cloned().collect()
}

/// What nothing speaks for is a guess.
const NOTHING_FOUND: u8 = 30;

fn confidence(best: usize, rest: usize) -> u8 {
    u8::try_from(100 * best / (best + rest + 1)).unwrap_or(100)
}

/// A word that means nothing by itself stays in its place, so that no words become neighbours that were none.
fn without_politeness(words: &[String], lexicons: &[&Lexicon]) -> Vec<String> {
    let mut heard = words.to_vec();
    for phrase in lexicons.iter().flat_map(|lexicon| &lexicon.polite) {
        for at in 0..words.len() {
            if phrase.begins(&words[at..]) {
                heard[at..at + phrase.len()].iter_mut().for_each(String::clear);
            }
        }
    }
    heard
}

fn weigh<'a, T: Copy>(
    words: &'a [String],
    lists: &'a [(T, Vec<Phrase>)],
) -> impl Iterator<Item = (T, usize)> + use<'a, T> {
    lists.iter().map(|(label, phrases)| (*label, phrases.iter().map(|phrase| weight(words, phrase)).sum()))
}

/// Each place where a phrase stands counts as many times as the phrase has words, but a word repeated does not shout
/// down the rest.
fn weight(words: &[String], phrase: &Phrase) -> usize {
    let places = (0..words.len()).filter(|at| phrase.begins(&words[*at..])).count();
    places.min(2) * phrase.len().min(3)
}

/// The label with the most weight, the earlier of equals; `None` where nothing has any.
fn strongest<T: Copy + Ord>(weights: impl Iterator<Item = (T, usize)>) -> Option<Judged<T>> {
    let mut order: Vec<T> = Vec::new();
    let mut sums: BTreeMap<T, usize> = BTreeMap::new();
    for (label, weight) in weights {
        if !order.contains(&label) {
            order.push(label);
        }
        *sums.entry(label).or_default() += weight;
    }
    let (mut best, mut rest) = (None, 0);
    for label in order {
        let weight = sums[&label];
        match best {
            Some((_, most)) if weight <= most => rest = rest.max(weight),
            _ => {
                rest = best.map_or(0, |(_, most)| most);
                best = Some((label, weight));
            }
        }
    }
    best.filter(|(_, weight)| *weight > 0).map(|(label, weight)| Judged { label, confidence: confidence(weight, rest) })
}

fn own_topics<'a>(words: &[String], message: &str, topics: &'a [Topic]) -> impl Iterator<Item = (&'a str, usize)> {
    let weights: Vec<(&str, usize)> = topics
        .iter()
        .map(|topic| {
            let entries = topic.words.iter().chain([&topic.name]).map(|entry| Phrase::parse(entry));
            let found = entries.filter(|phrase| phrase.occurs(words, message));
            (topic.name.as_str(), found.map(|phrase| phrase.len().clamp(1, 3)).sum())
        })
        .collect();
    weights.into_iter()
}

fn sentiment(words: &[String], lexicons: &[&Lexicon]) -> Judged<Sentiment> {
    let (mut good, mut bad) = (0, 0);
    for lexicon in lexicons {
        for at in 0..words.len() {
            let found = |phrases: &[Phrase]| {
                phrases.iter().filter(|phrase| phrase.begins(&words[at..])).map(Phrase::len).max().unwrap_or(0)
            };
            let (pleased, displeased) = (found(&lexicon.positive), found(&lexicon.negative));
            let reach = &words[at.saturating_sub(NEGATION_REACH)..at];
            let is_negated =
                (0..reach.len()).any(|back| lexicon.negation.iter().any(|negation| negation.begins(&reach[back..])));
            match is_negated {
                false => {
                    good += pleased;
                    bad += displeased;
                }
                // "Not good" is bad; "no problem" is not good for that.
                true => bad += pleased,
            }
        }
    }
    match good.cmp(&bad) {
        std::cmp::Ordering::Greater => Judged { label: Sentiment::Positive, confidence: confidence(good, bad) },
        std::cmp::Ordering::Less => Judged { label: Sentiment::Negative, confidence: confidence(bad, good) },
        std::cmp::Ordering::Equal => Judged { label: Sentiment::Neutral, confidence: if good == 0 { 40 } else { 34 } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted() -> Wanted {
        Wanted {
            keywords: vec!["Solar panel*".to_owned(), "heat pump".to_owned(), "Wallbox".to_owned()],
            topics: vec![
                Topic { name: "Solar".to_owned(), words: vec!["panel*".to_owned(), "photovoltaic*".to_owned()] },
                Topic { name: "Heating".to_owned(), words: vec!["heat pump".to_owned()] },
            ],
        }
    }

    #[test]
    fn the_workspaces_own_keywords_and_topics_are_found_in_any_language() {
        let found = estimate("WE NEED 12 solar panels and, perhaps, a wallbox.", &wanted());
        let foreign = estimate("Czy macie panele solar panels w magazynie?", &wanted());

        assert_eq!(found.keywords, ["Solar panel*", "Wallbox"]);
        assert_eq!((found.topic.label.as_str(), found.topic.confidence > 50), ("Solar", true));
        assert_eq!(foreign.keywords, ["Solar panel*"]);
        assert_eq!(estimate("Hello", &wanted()).topic, Judged { label: "other".to_owned(), confidence: NOTHING_FOUND });
        assert_eq!(topic_names(&wanted()), ["Solar", "Heating", "other"]);
    }

    #[test]
    fn a_negation_turns_praise_around_and_politeness_says_nothing() {
        let of = |message: &str| estimate(message, &Wanted::default()).sentiment.label;

        assert_eq!(of("The work was not good at all."), Sentiment::Negative);
        assert_eq!(of("The work was very good."), Sentiment::Positive);
        assert_eq!(of("Please call me about the offer. Thank you in advance, best regards"), Sentiment::Neutral);
        assert_eq!(of("Wir sind mit der Arbeit nicht zufrieden."), Sentiment::Negative);
    }

    #[test]
    fn nothing_a_visitor_sends_is_too_much() {
        let monsters =
            ["", " ", "\u{0}\u{0}", "\u{202e}abc", "🤯🤯🤯", "'''''", "***", "۱۲۳۴۵۶۷", "ﷺ", "a\u{300}\u{301}"];
        for text in monsters.iter().map(|text| (*text).to_owned()).chain([
            "not good ".repeat(50_000),
            "x".repeat(200_000),
            "क्ष".repeat(20_000),
            ". ".repeat(100_000),
        ]) {
            let found = estimate(&text, &wanted());

            assert!(found.summary.chars().count() <= 200, "{}", found.summary.len());
            assert!(found.sentiment.confidence <= 100 && found.intent.confidence <= 100);
        }
    }
}
