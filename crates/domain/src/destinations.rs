//! What a destination wants, and how it wants to be asked.
//!
//! [`Rules`] is everything about a destination besides its address, its events, its secrets and its payload. Absent
//! fields are as they were before there were rules, so that a row without any behaves as it always did.

use serde::{Deserialize, Serialize};

use crate::{
    conversions::Conversions,
    ids::{SourceId, StageId},
    oauth::Oauth,
    time::{HOUR_MS, MINUTE_MS},
};

/// The rules of one destination.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Rules {
    /// Which leads it is told of.
    pub filter: Filter,
    /// Whether it is told of tests in production, too.
    #[serde(skip_serializing_if = "is_false")]
    pub includes_tests: bool,
    /// Whether it is told of anything while the installation runs in development.
    #[serde(skip_serializing_if = "is_false")]
    pub in_development: bool,
    /// A lead that comes again within so many minutes is not told of again; 0 tells of each time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_minutes: Option<i64>,
    /// A lead that comes again after so many hours of silence counts as coming back; 0 for never. The workspace's
    /// setting where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reengage_after_hours: Option<i64>,
    /// How a request is made.
    #[serde(skip_serializing_if = "Method::is_post")]
    pub method: Method,
    /// How the body is written.
    #[serde(skip_serializing_if = "ContentType::is_json")]
    pub content_type: ContentType,
    /// How long one request may take; the installation's setting where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<i64>,
    /// The most requests within a minute that one node sends; no limit where it is absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<i64>,
    /// Whether each delivery waits until those before it have ended.
    #[serde(skip_serializing_if = "is_false")]
    pub in_order: bool,
    /// Which steps of leads it is told of, where it is an ad platform's. Kept while another format is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversions: Option<Conversions>,
    /// How the access tokens are got that it is asked with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oauth: Option<Oauth>,
    /// The SHA-256 of the certificate that we show it, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// Which leads a destination is told of: those that meet all that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Filter {
    /// From one of these kinds of sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// From one of these sources.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub source_ids: Vec<SourceId>,
    /// With one of these tags.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// In one of these stages.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stage_ids: Vec<StageId>,
    /// With at least this score.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_score: Option<i64>,
    /// With at most this suspicion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_suspicion: Option<i64>,
}

/// What a filter looks at. What is not known yet meets no condition.
#[derive(Debug, Clone, Copy, Default)]
pub struct FilterFacts<'a> {
    /// The kind of the lead's source.
    pub source: &'a str,
    /// The lead's source.
    pub source_id: Option<SourceId>,
    /// The lead's tags.
    pub tags: &'a [String],
    /// Where the lead stands.
    pub stage_id: Option<StageId>,
    /// The lead's score.
    pub score: Option<i64>,
    /// The lead's suspicion.
    pub suspicion: Option<i64>,
}

impl Filter {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a lead meets all of it.
    #[must_use]
    pub fn admits(&self, facts: &FilterFacts<'_>) -> bool {
        let of_kind = self.sources.is_empty() || self.sources.iter().any(|kind| kind == facts.source);
        let from = is_one_of(&self.source_ids, facts.source_id);
        let tagged = self.tags.is_empty() || self.tags.iter().any(|tag| facts.tags.contains(tag));
        let stands = is_one_of(&self.stage_ids, facts.stage_id);
        let good = self.min_score.is_none_or(|least| facts.score.is_some_and(|score| score >= least));
        let clean = self.max_suspicion.is_none_or(|most| facts.suspicion.is_some_and(|suspicion| suspicion <= most));
        of_kind && from && tagged && stands && good && clean
    }
}

fn is_one_of<T: PartialEq>(wanted: &[T], one: Option<T>) -> bool {
    wanted.is_empty() || one.is_some_and(|one| wanted.contains(&one))
}

/// The verb of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "HTTP's own")]
pub enum Method {
    #[default]
    Post,
    Put,
    Patch,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Post, Self::Put, Self::Patch];

    /// As it stands in a request.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
        }
    }

    /// The verb of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_post(&self) -> bool {
        *self == Self::Post
    }
}

/// How a body is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ContentType {
    /// As JSON.
    #[default]
    Json,
    /// As a form's fields, `application/x-www-form-urlencoded`.
    Form,
}

impl ContentType {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Json, Self::Form];

    /// How it is chosen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Form => "form",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// The one that a body is written in: a form begins with no bracket, since those are escaped in it, and holds no
    /// blanks.
    #[must_use]
    pub fn of_body(body: &[u8]) -> Self {
        match body.trim_ascii_start().first() {
            Some(b'{' | b'[') => Self::Json,
            Some(_) | None => Self::Form,
        }
    }

    /// As it stands in a request.
    #[must_use]
    pub const fn header(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Form => "application/x-www-form-urlencoded",
        }
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_json(&self) -> bool {
        *self == Self::Json
    }
}

const RETURNS: [&str; 2] = ["lead.re_engaged", "lead.resubmitted"];

impl Rules {
    /// As what a destination is told of an event of this kind, by how long the lead was silent before; `None` where it
    /// is not told at all.
    #[must_use]
    pub fn kind_told<'a>(&self, kind: &'a str, silence_ms: Option<i64>) -> Option<&'a str> {
        let (true, Some(silence_ms)) = (RETURNS.contains(&kind), silence_ms) else { return Some(kind) };
        if silence_ms < self.duplicate_window_minutes.unwrap_or(0).saturating_mul(MINUTE_MS) {
            return None;
        }
        let Some(hours) = self.reengage_after_hours else { return Some(kind) };
        let came_back = hours > 0 && silence_ms >= hours.saturating_mul(HOUR_MS);
        Some(if came_back { RETURNS[0] } else { RETURNS[1] })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use uuid::Uuid;

    use super::*;

    fn facts() -> FilterFacts<'static> {
        FilterFacts {
            source: "form",
            source_id: Some(source(1)),
            score: Some(40),
            suspicion: Some(10),
            ..FilterFacts::default()
        }
    }

    fn source(number: u128) -> SourceId {
        SourceId(Uuid::from_u128(number))
    }

    #[rstest]
    #[case::nothing_set(Filter::default(), true)]
    #[case::kind(Filter { sources: vec!["chat".into(), "form".into()], ..Filter::default() }, true)]
    #[case::other_kind(Filter { sources: vec!["chat".into()], ..Filter::default() }, false)]
    #[case::source(Filter { source_ids: vec![source(1)], ..Filter::default() }, true)]
    #[case::other_source(Filter { source_ids: vec![source(2)], ..Filter::default() }, false)]
    #[case::no_such_tag(Filter { tags: vec!["vip".into()], ..Filter::default() }, false)]
    #[case::stage_unknown(Filter { stage_ids: vec![StageId(Uuid::nil())], ..Filter::default() }, false)]
    #[case::score_reached(Filter { min_score: Some(40), ..Filter::default() }, true)]
    #[case::score_missed(Filter { min_score: Some(41), ..Filter::default() }, false)]
    #[case::clean(Filter { max_suspicion: Some(10), ..Filter::default() }, true)]
    #[case::suspicious(Filter { max_suspicion: Some(9), ..Filter::default() }, false)]
    #[case::all_have_to_hold(Filter { min_score: Some(1), max_suspicion: Some(9), ..Filter::default() }, false)]
    fn a_filter_admits_what_meets_all_of_it(#[case] filter: Filter, #[case] admitted: bool) {
        assert_eq!(filter.admits(&facts()), admitted);
    }

    #[test]
    fn what_is_not_known_meets_no_condition() {
        let unknown = FilterFacts { score: None, ..facts() };

        assert!(!Filter { min_score: Some(0), ..Filter::default() }.admits(&unknown));
        assert!(Filter::default().admits(&unknown));
    }

    #[rstest]
    #[case::as_the_workspace_says(None, None, HOUR_MS, Some("lead.resubmitted"))]
    #[case::within_the_window(Some(30), None, 30 * MINUTE_MS - 1, None)]
    #[case::behind_the_window(Some(30), None, 30 * MINUTE_MS, Some("lead.resubmitted"))]
    #[case::back_sooner(None, Some(1), HOUR_MS, Some("lead.re_engaged"))]
    #[case::not_back_yet(None, Some(1), HOUR_MS - 1, Some("lead.resubmitted"))]
    #[case::never_back(None, Some(0), 10_000 * HOUR_MS, Some("lead.resubmitted"))]
    #[case::the_window_counts_more(Some(120), Some(1), HOUR_MS, None)]
    fn a_return_is_told_by_its_silence(
        #[case] window: Option<i64>,
        #[case] reengage: Option<i64>,
        #[case] silence_ms: i64,
        #[case] told: Option<&str>,
    ) {
        let rules = Rules { duplicate_window_minutes: window, reengage_after_hours: reengage, ..Rules::default() };

        assert_eq!(rules.kind_told("lead.resubmitted", Some(silence_ms)), told);
        assert_eq!(rules.kind_told("lead.created", Some(silence_ms)), Some("lead.created"));
        assert_eq!(rules.kind_told("lead.resubmitted", None), Some("lead.resubmitted"));
    }

    #[rstest]
    #[case(r#"{"a":1}"#, ContentType::Json)]
    #[case("\r\n\t [1]", ContentType::Json)]
    #[case("%7B=1&a=+x", ContentType::Form)]
    #[case("", ContentType::Form)]
    fn a_body_shows_how_it_is_written(#[case] body: &str, #[case] content_type: ContentType) {
        assert_eq!(ContentType::of_body(body.as_bytes()), content_type);
    }

    #[test]
    fn rules_that_say_nothing_take_no_room() {
        let text = serde_json::to_string(&Rules::default()).expect("rules can be written");

        assert_eq!(text, r#"{"filter":{}}"#);
        assert_eq!(serde_json::from_str::<Rules>("{}").expect("rules"), Rules::default());
    }
}
