//! Referrers and messages that others have collected as spam.

use leadline_domain::{
    attribution::TouchParams,
    referrers::{Channel, classify},
    scores::{self, SuspicionFacts, Weights},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/cases");

fn list(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(format!("{FOLDER}/{file}"))
        .unwrap_or_else(|error| panic!("the outside test material is missing: ../shared/cases/{file} ({error})"));
    serde_json::from_str(&text).expect("the file is a list of texts")
}

fn channel_of(referrer: &str) -> Option<Channel> {
    let page_url = Some("https://example.com/contact".to_owned());
    let params = TouchParams { page_url, referrer: Some(referrer.to_owned()), ..TouchParams::default() };
    classify(&params).map(|origin| origin.channel)
}

#[test]
fn spam_of_referrers_is_told_apart_and_never_credited_to_a_search_engine_or_network() {
    let spam = list("attribution/referrer_spam.json");

    let channels: Vec<Option<Channel>> = spam.iter().map(|host| channel_of(&format!("http://{host}/"))).collect();

    let flagged = channels.iter().filter(|channel| **channel == Some(Channel::Spam)).count();
    println!("referrer spam: {flagged} of {} flagged, {:.1} %", spam.len(), 100.0 * flagged as f64 / spam.len() as f64);
    let credited: Vec<&String> = spam
        .iter()
        .zip(&channels)
        .filter(|(_, channel)| !matches!(channel, Some(Channel::Spam | Channel::Referral)))
        .map(|(host, _)| host)
        .collect();
    assert_eq!(credited, Vec::<&String>::new());
    assert!(flagged * 100 >= spam.len() * 8, "only {flagged}");
}

#[test]
fn terms_of_spam_alone_raise_little_suspicion() {
    let terms = list("spam/comment_terms.json");

    let raised = terms.iter().filter(|term| {
        let message = format!("Hello, please have a look at {term} and call me back.");
        let score = scores::suspicion(
            &SuspicionFacts { message: Some(&message), ..SuspicionFacts::default() },
            &Weights::default(),
        );
        // Somebody may well ask about these things: no term by itself makes anybody suspicious.
        assert!(score.total < 30, "{term}");
        score.total > 0
    });

    println!("spam terms: {} of {} raise suspicion by themselves", raised.count(), terms.len());
}
