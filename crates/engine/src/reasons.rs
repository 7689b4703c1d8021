//! Scores as leads' rows carry them: reasons as JSON, and the arithmetic over what was stored.
//!
//! Every feature that scores uses it; the formulas are the domain's.

use leadline_domain::scores::{self, Parts, Reason, Score, Weight, Weights};
use serde_json::{Value, json};

/// Reasons as they are stored.
pub fn to_json(reasons: &[Reason]) -> Value {
    reasons.iter().map(|reason| json!({"code": reason.code, "points": reason.points})).collect()
}

/// The reasons of a lead's score: those of its fit, and what silence took.
pub fn of_lead(fit: &Score, silence: i32) -> Value {
    let mut reasons = fit.reasons.clone();
    if silence != 0 {
        reasons.push(Reason { code: Weight::Silence.code(), points: silence });
    }
    to_json(&reasons)
}

/// The fit of a lead, by the stored reasons of its score.
pub fn fit(score_reasons: &Value) -> i32 {
    capped(points(score_reasons, |code| code != Weight::Silence.code()))
}

/// What silence took, by the stored reasons of a lead's score.
pub fn silence(score_reasons: &Value) -> i32 {
    let taken = points(score_reasons, |code| code == Weight::Silence.code());
    i32::try_from(taken.clamp(-100, 0)).unwrap_or(0)
}

/// The reasons of a lead's score when something was heard of it again.
pub fn without_silence(score_reasons: &Value) -> Value {
    let all = score_reasons.as_array().into_iter().flatten();
    all.filter(|reason| reason["code"] != Weight::Silence.code()).cloned().collect()
}

/// A suspicion by its stored reasons.
pub fn suspicion(reasons: &Value) -> i32 {
    capped(points(reasons, |_| true))
}

/// The stored codes of reasons.
pub fn codes(reasons: &Value) -> impl Iterator<Item = &str> {
    reasons.as_array().into_iter().flatten().filter_map(|reason| reason["code"].as_str())
}

/// A lead's score by the other numbers of its row.
pub fn total(engagement: Option<i64>, fit: i32, suspicion: i64, silence: i32, weights: &Weights) -> i64 {
    let number = |number: i64| i32::try_from(number).unwrap_or(0);
    let parts = Parts { engagement: engagement.map(number), fit, suspicion: number(suspicion), silence };
    scores::lead_score(parts, weights).into()
}

fn points(reasons: &Value, counts: impl Fn(&str) -> bool) -> i64 {
    let all = reasons.as_array().into_iter().flatten();
    let counted = all.filter(|reason| reason["code"].as_str().is_some_and(&counts));
    counted.filter_map(|reason| reason["points"].as_i64()).sum()
}

fn capped(points: i64) -> i32 {
    i32::try_from(points.clamp(0, 100)).unwrap_or(100)
}
