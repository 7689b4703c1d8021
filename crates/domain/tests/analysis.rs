//! How often the estimate agrees with people, over messages of our own in eight languages.
//!
//! Every second message is held out: the lists of words were never changed for its sake, so its figures are the honest
//! ones. Messages and lists are by the same hands all the same, so other people's messages will fare worse, and the
//! floors stay well below what is reached here.

use std::collections::BTreeMap;

use leadline_domain::analysis::{Wanted, estimate};

const MESSAGES: &str = include_str!("data/messages.jsonl");

/// What people say of one message.
struct Labelled {
    language: String,
    sentiment: String,
    intent: String,
    topic: String,
    message: String,
    is_held_out: bool,
}

fn messages() -> Vec<Labelled> {
    let read = |(index, line): (usize, &str)| {
        let [language, sentiment, intent, topic, message]: [String; 5] =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("line {}: {error}", index + 1));
        Labelled { language, sentiment, intent, topic, message, is_held_out: index % 2 == 1 }
    };
    MESSAGES.lines().enumerate().map(read).collect()
}

/// Agreement of one task, in percent: over the messages that the lists were made with, and over the others.
fn agreement(task: &str, of: impl Fn(&Labelled) -> (String, String)) -> (usize, usize) {
    let mut hits: BTreeMap<bool, (usize, usize)> = BTreeMap::new();
    for labelled in messages() {
        let (expected, found) = of(&labelled);
        let (right, all) = hits.entry(labelled.is_held_out).or_default();
        *all += 1;
        if expected == found {
            *right += 1;
        } else if !labelled.is_held_out {
            println!("  {task}: {found} for {expected}: {}", labelled.message);
        }
    }
    let percent = |held_out: bool| hits.get(&held_out).map_or(0, |(right, all)| 100 * right / all);
    println!("{task}: {} % agreement, {} % over held-out messages", percent(false), percent(true));
    (percent(false), percent(true))
}

#[test]
fn the_labelled_set_has_enough_messages_of_each_language() {
    let mut languages: BTreeMap<String, usize> = BTreeMap::new();
    messages().into_iter().for_each(|labelled| *languages.entry(labelled.language).or_default() += 1);

    assert!(messages().len() >= 60);
    for language in ["en", "de", "es", "fr", "pt", "hi"] {
        assert!(languages[language] >= 8, "{languages:?}");
    }
}

#[test]
fn the_estimate_agrees_with_people_at_least_as_often_as_is_promised() {
    let found = |labelled: &Labelled| estimate(&labelled.message, &Wanted::default());

    let language = agreement("language", |one| (one.language.clone(), found(one).language.unwrap_or("?").to_owned()));
    let sentiment =
        agreement("sentiment", |one| (one.sentiment.clone(), found(one).sentiment.label.as_str().to_owned()));
    let intent = agreement("intent", |one| (one.intent.clone(), found(one).intent.label.as_str().to_owned()));
    let topic = agreement("topic", |one| (one.topic.clone(), found(one).topic.label));

    for (task, (known, held_out), floor) in
        [("language", language, 85), ("sentiment", sentiment, 80), ("intent", intent, 80), ("topic", topic, 80)]
    {
        assert!(known >= floor && held_out >= floor, "{task}: {known} %, held out {held_out} %, floor {floor} %");
    }
}
