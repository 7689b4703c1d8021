//! What a submission's event says of the visit it came from, for whoever follows visits.

use leadline_domain::{attribution::Touch, touches, visits::Arrival};
use serde_json::Value;

use super::prepare::Prepared;

/// The visit of a submission; null where nothing is known of it.
pub(super) fn arrival(prepared: &Prepared) -> Value {
    let (submission, recognised) = (&prepared.submission, &prepared.recognised);
    let is_browser = submission.request.is_browser;
    let says_something = |touch: &Touch| touches::says_something(&touch.params);
    let touch = Touch { at: submission.received_at, params: recognised.touch.clone() };
    let first_touch = recognised.first_touch.clone().filter(|first| first.at <= submission.received_at);
    let arrival = Arrival {
        is_browser,
        visitor_id: recognised.visitor_id.clone(),
        session_id: recognised.session_id.clone(),
        origin: submission.request.origin.clone().filter(|_| is_browser),
        touch: Some(touch).filter(says_something),
        first_touch: first_touch.filter(says_something),
    };
    let is_known = arrival != Arrival::default();
    is_known.then(|| serde_json::to_value(arrival).ok()).flatten().unwrap_or_default()
}
