//! Every touch of a lead, from the first, without overwriting any.
//!
//! A touch says where a visit came from. The same origin within a day is the same touch, told by the visit and by the
//! submission that came of it; a visit that says nothing of its origin is none.

use crate::{
    attribution::{Touch, TouchParams},
    time::DAY_MS,
};

/// Touches of one lead that are kept. The last one stands on the lead besides.
const MOST: usize = 100;

/// Adds a touch in its place, where it is a new one and there is room.
pub fn add(touches: &mut Vec<Touch>, touch: Touch) {
    if !says_something(&touch.params) || touches.len() >= MOST {
        return;
    }
    let is_known = |known: &Touch| {
        let apart_ms = known.at.ms_since(touch.at).saturating_abs();
        apart_ms < DAY_MS && origin(&known.params) == origin(&touch.params)
    };
    if touches.iter().any(is_known) {
        return;
    }
    let place = touches.partition_point(|known| known.at <= touch.at);
    touches.insert(place, touch);
}

/// Whether it tells more than which page it was.
#[must_use]
pub fn says_something(params: &TouchParams) -> bool {
    let page_alone = TouchParams { page_url: params.page_url.clone(), ..TouchParams::default() };
    *params != page_alone
}

/// What makes two touches one: everything but the page, and the site that led here instead of its page.
fn origin(params: &TouchParams) -> TouchParams {
    let referrer = params.referrer.as_deref().map(site).filter(|_| params.utm_source.is_none());
    TouchParams { page_url: None, referrer, ..params.clone() }
}

fn site(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{HOUR_MS, Timestamp};

    const NOON: i64 = 1_767_614_400_000;

    fn touch(at: i64, source: &str, page: &str) -> Touch {
        let params = TouchParams {
            page_url: Some(page.to_owned()),
            utm_source: Some(source.to_owned()),
            ..TouchParams::default()
        };
        Touch { at: Timestamp(at), params }
    }

    fn sources(touches: &[Touch]) -> Vec<&str> {
        touches.iter().filter_map(|touch| touch.params.utm_source.as_deref()).collect()
    }

    #[test]
    fn touches_stand_in_their_order_and_none_is_overwritten() {
        let mut touches = Vec::new();

        for (at, source) in [(2, "newsletter"), (0, "ads"), (1, "partner"), (3, "ads")] {
            add(&mut touches, touch(NOON + at * DAY_MS, source, "https://a.example/"));
        }

        assert_eq!(sources(&touches), ["ads", "partner", "newsletter", "ads"]);
    }

    #[test]
    fn a_visit_and_its_submission_tell_of_one_touch() {
        let mut touches = Vec::new();

        add(&mut touches, touch(NOON, "ads", "https://a.example/landing"));
        add(&mut touches, touch(NOON + HOUR_MS, "ads", "https://a.example/contact"));

        assert_eq!(touches.len(), 1);
        assert_eq!(touches[0].at, Timestamp(NOON));
    }

    #[test]
    fn a_direct_visit_is_no_touch_and_pages_of_one_referrer_are_one() {
        let mut touches = Vec::new();
        let from = |referrer: &str| TouchParams { referrer: Some(referrer.to_owned()), ..TouchParams::default() };

        add(&mut touches, Touch { at: Timestamp(NOON), params: TouchParams::default() });
        add(&mut touches, Touch { at: Timestamp(NOON), params: from("https://search.example/?q=a") });
        add(&mut touches, Touch { at: Timestamp(NOON + 1), params: from("https://search.example/") });
        add(&mut touches, Touch { at: Timestamp(NOON + 2), params: from("https://blog.example/") });

        assert_eq!(touches.len(), 2);
    }

    #[test]
    fn there_is_an_end_to_touches() {
        let mut touches = Vec::new();

        for n in 0..1_000 {
            add(&mut touches, touch(NOON + n, &n.to_string(), "https://a.example/"));
        }

        assert_eq!(touches.len(), MOST);
        assert_eq!(sources(&touches)[0], "0");
    }
}
