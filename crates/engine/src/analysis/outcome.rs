//! What is stored of an analysis, and in which words.

use leadline_domain::{
    analysis::{self, Analysis, Intent, Judged, Sentiment, Topic, Wanted},
    time::Timestamp,
};
use leadline_store::analyses::Settings;
use serde_json::{Value, json};

use super::endpoint::{Answer, Failure};

/// What our own estimate is called.
const OWN_MODEL: &str = "leadline word lists";

/// What the workspace looks for.
#[must_use]
pub fn wanted(settings: &Settings) -> Wanted {
    let topics = settings.topics.iter().map(|topic| Topic { name: topic.name.clone(), words: topic.words.clone() });
    Wanted { keywords: settings.keywords.clone(), topics: topics.collect() }
}

/// The estimate made here, as it is stored; `failure` says why the endpoint has no part in it although it should have.
pub(super) fn carry_out_here(message: &str, wanted: &Wanted, failure: Option<&Failure>, now: Timestamp) -> Value {
    let analysis = analysis::estimate(message, wanted);
    outcome_json(&analysis, "offline", OWN_MODEL, failure, now)
}

/// An endpoint's answer as it is stored. Keywords and language are found here all the same: the endpoint sees neither
/// the workspace's list nor what was taken out.
pub(super) fn of_answer(
    message: &str,
    wanted: &Wanted,
    answer: Answer,
    model: &str,
    redacted: bool,
    now: Timestamp,
) -> Value {
    let own = analysis::estimate(message, wanted);
    let confidence = answer.confidence;
    let analysis = Analysis {
        sentiment: Judged { label: answer.sentiment, confidence },
        intent: Judged { label: answer.intent, confidence },
        topic: Judged { label: answer.topic, confidence },
        summary: answer.summary,
        ..own
    };
    let mut outcome = outcome_json(&analysis, "endpoint", model, None, now);
    outcome["redacted"] = redacted.into();
    outcome
}

/// An analysis as it is stored and shown.
fn outcome_json(analysis: &Analysis, method: &str, model: &str, failure: Option<&Failure>, now: Timestamp) -> Value {
    let judged = |label: &str, confidence: u8| json!({"label": label, "confidence": confidence});
    let Judged { label: sentiment, confidence: sure_of_sentiment } = analysis.sentiment;
    let Judged { label: intent, confidence: sure_of_intent } = analysis.intent;
    json!({
        "method": method,
        "model": model,
        "version": analysis::VERSION,
        "language": analysis.language,
        "keywords": analysis.keywords,
        "sentiment": judged(Sentiment::as_str(sentiment), sure_of_sentiment),
        "intent": judged(Intent::as_str(intent), sure_of_intent),
        "topic": judged(&analysis.topic.label, analysis.topic.confidence),
        "summary": analysis.summary.replace('\0', ""),
        "redacted": Value::Null,
        "fallback": failure.map(|failure| json!({"reason": failure.code(), "detail": failure.to_string()})),
        "analysedAt": now,
    })
}
