//! What the answers of ad platforms mean: both say some things in the body that others say by the status.

use leadline_domain::{retry::Outcome, time::HOUR_MS};
use serde_json::Value;

use super::Platform;

/// What an answer says beside its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// In words.
    pub error: String,
    /// What it comes to; `None` where the status says it.
    pub outcome: Option<Outcome>,
}

/// Characters of an answer's own words that are repeated; the whole of it is kept with the attempt.
const LONGEST_WORDS: usize = 300;

/// Google has not seen the click or the conversion action yet, and asks for hours of patience.
const TOO_EARLY: [&str; 2] = ["TOO_RECENT_EVENT", "TOO_RECENT_CONVERSION_ACTION"];
const TOO_EARLY_WAIT_MS: i64 = 6 * HOUR_MS;

/// It has the conversion already: an answer of ours was lost on the way.
const IS_THERE: [&str; 2] = ["CLICK_CONVERSION_ALREADY_EXISTS", "ORDER_ID_ALREADY_IN_USE"];

/// It was not at its best.
const PASSING: [&str; 4] = ["INTERNAL_ERROR", "TRANSIENT_ERROR", "RESOURCE_EXHAUSTED", "DEADLINE_EXCEEDED"];

/// Reads an answer. `None` where there is no more to it than its status.
#[must_use]
pub fn read(platform: Platform, status: u16, body: &[u8]) -> Option<Said> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let is_success = (200..300).contains(&status);
    match (platform, is_success) {
        (Platform::GoogleAds, true) => partial_failure(answer.get("partialFailureError")?),
        (Platform::Meta, true) => {
            let took_none = answer.get("events_received").and_then(Value::as_i64) == Some(0);
            took_none.then(|| declined("Meta took none of it".to_owned(), None))
        }
        (Platform::GoogleAds, false) => {
            let reason = codes(&answer["error"]).into_iter().next();
            refused(status, platform, answer["error"]["message"].as_str(), reason.as_deref(), None)
        }
        (Platform::Meta, false) => {
            let error = &answer["error"];
            let words = error["error_user_msg"].as_str().or(error["message"].as_str());
            // Meta answers 400 to some of what passes by itself, and says so.
            let passes = error["is_transient"].as_bool() == Some(true);
            let outcome = passes.then_some(Outcome::Declined { retry_after_ms: Some(0) });
            refused(status, platform, words, None, outcome)
        }
    }
}

fn partial_failure(error: &Value) -> Option<Said> {
    let is_none = error.as_object().is_none_or(serde_json::Map::is_empty);
    if is_none {
        return None;
    }
    let codes = codes(error);
    let is = |known: &[&str]| codes.iter().any(|code| known.contains(&code.as_str()));
    let is_there = !codes.is_empty() && codes.iter().all(|code| IS_THERE.contains(&code.as_str()));
    if is_there {
        return None;
    }
    let retry_after_ms = match (is(&TOO_EARLY), is(&PASSING)) {
        (true, _) => Some(TOO_EARLY_WAIT_MS),
        (false, true) => Some(0),
        (false, false) => None,
    };
    let words = error["message"].as_str().unwrap_or_default();
    let reason = if codes.is_empty() { String::new() } else { format!(" {}:", codes.join(", ")) };
    Some(declined(format!("Google Ads refused the conversion:{reason} {}", shortened(words)), retry_after_ms))
}

fn declined(error: String, retry_after_ms: Option<i64>) -> Said {
    Said { error, outcome: Some(Outcome::Declined { retry_after_ms }) }
}

fn refused(
    status: u16,
    platform: Platform,
    words: Option<&str>,
    reason: Option<&str>,
    outcome: Option<Outcome>,
) -> Option<Said> {
    let words = shortened(words?);
    let reason = reason.map(|reason| format!("{reason}: ")).unwrap_or_default();
    Some(Said { error: format!("{} answered {status}: {reason}{words}", platform.label()), outcome })
}

/// The names of what went wrong: `details[].errors[].errorCode`, which is an object of one member.
fn codes(error: &Value) -> Vec<String> {
    let details = error["details"].as_array().into_iter().flatten();
    let errors = details.filter_map(|detail| detail["errors"].as_array()).flatten();
    let names = errors.filter_map(|one| one["errorCode"].as_object()?.values().next()?.as_str());
    let is_a_name =
        |name: &&str| name.len() <= 80 && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    names.filter(is_a_name).take(5).map(str::to_owned).collect()
}

fn shortened(words: &str) -> String {
    words.replace('\0', "").chars().take(LONGEST_WORDS).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn failure(codes: &[&str]) -> Value {
        let errors: Vec<Value> =
            codes.iter().map(|code| json!({"errorCode": {"conversionUploadError": code}, "message": "m"})).collect();
        json!({"partialFailureError": {"code": 3, "message": "It did not work., at conversions[0]", "details": [
            {"@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": errors}]},
            "results": [{}]})
    }

    fn outcome(platform: Platform, status: u16, body: &Value) -> Option<Option<Outcome>> {
        read(platform, status, body.to_string().as_bytes()).map(|said| said.outcome)
    }

    const REFUSED: Option<Option<Outcome>> = Some(Some(Outcome::Declined { retry_after_ms: None }));
    const AT_ONCE: Option<Option<Outcome>> = Some(Some(Outcome::Declined { retry_after_ms: Some(0) }));
    const IN_HOURS: Option<Option<Outcome>> = Some(Some(Outcome::Declined { retry_after_ms: Some(6 * HOUR_MS) }));

    #[rstest]
    #[case::taken(json!({"results": [{"gclid": "A"}]}), None)]
    #[case::no_error(json!({"partialFailureError": {}, "results": [{}]}), None)]
    #[case::refused(failure(&["EXPIRED_EVENT"]), REFUSED)]
    #[case::unnamed(json!({"partialFailureError": {"code": 3}}), REFUSED)]
    #[case::too_early(failure(&["TOO_RECENT_EVENT"]), IN_HOURS)]
    #[case::passing(failure(&["INTERNAL_ERROR"]), AT_ONCE)]
    #[case::a_repeat(failure(&["ORDER_ID_ALREADY_IN_USE"]), None)]
    #[case::a_repeat_and_more(failure(&["ORDER_ID_ALREADY_IN_USE", "EXPIRED_EVENT"]), REFUSED)]
    fn google_says_in_an_answer_of_200_what_it_refused(#[case] body: Value, #[case] wanted: Option<Option<Outcome>>) {
        assert_eq!(outcome(Platform::GoogleAds, 200, &body), wanted);
    }

    #[rstest]
    #[case::taken(200, json!({"events_received": 1, "messages": []}), None)]
    #[case::none_taken(200, json!({"events_received": 0}), REFUSED)]
    #[case::refused(400, json!({"error": {"message": "Invalid parameter", "code": 100}}), Some(None))]
    #[case::passing(400, json!({"error": {"message": "Busy", "is_transient": true}}), AT_ONCE)]
    fn meta_says_in_the_body_what_passes(
        #[case] status: u16,
        #[case] body: Value,
        #[case] wanted: Option<Option<Outcome>>,
    ) {
        assert_eq!(outcome(Platform::Meta, status, &body), wanted);
    }

    #[test]
    fn what_went_wrong_is_said_in_the_platforms_own_words() {
        let google = read(Platform::GoogleAds, 200, failure(&["EXPIRED_EVENT"]).to_string().as_bytes());
        let meta = read(Platform::Meta, 400, br#"{"error":{"message":"Invalid parameter"}}"#);

        let words = "Google Ads refused the conversion: EXPIRED_EVENT: It did not work., at conversions[0]";
        assert_eq!(google.map(|said| said.error).as_deref(), Some(words));
        assert_eq!(meta.map(|said| said.error).as_deref(), Some("Meta answered 400: Invalid parameter"));
        assert_eq!(read(Platform::GoogleAds, 502, b"<html>"), None);
    }
}
