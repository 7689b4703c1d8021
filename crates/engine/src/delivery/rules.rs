//! Changing the rules of a destination.

use std::collections::BTreeSet;

use leadline_domain::{
    destinations::{ContentType, Filter, Method, Rules},
    ids::{SourceId, StageId},
};

use leadline_store::{
    Error, Tx,
    destinations::{self, Destination},
};

use super::destinations::Refused;

/// The kinds of sources that leads come from.
const SOURCES: [&str; 8] = ["manual", "webhook", "import", "api", "form", "widget", "chat", "facebook"];

/// The most names in one condition.
const MOST_NAMES: usize = 100;
const MAX_TAG_CHARS: usize = 100;
const MOST_MINUTES: i64 = 30 * 24 * 60;
const MOST_HOURS: i64 = 365 * 24;
/// A lease is a minute, and recording needs some of it.
const MOST_SECONDS: i64 = 30;
const MOST_REQUESTS: i64 = 60_000;

/// What somebody wants the rules to be; what is absent stays as it is, and null goes back to how it was at first.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Rules under their own names")]
pub struct WishedRules {
    pub filter: Option<WishedFilter>,
    pub includes_tests: Option<bool>,
    pub in_development: Option<bool>,
    pub duplicate_window_minutes: Option<Option<i64>>,
    pub reengage_after_hours: Option<Option<i64>>,
    pub method: Option<String>,
    pub content_type: Option<String>,
    pub timeout_seconds: Option<Option<i64>>,
    pub requests_per_minute: Option<Option<i64>>,
    pub in_order: Option<bool>,
}

/// A whole filter: what is absent is no condition.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Filter under their own names")]
pub struct WishedFilter {
    pub sources: Vec<String>,
    pub source_ids: Vec<SourceId>,
    pub tags: Vec<String>,
    pub stage_ids: Vec<StageId>,
    pub min_score: Option<i64>,
    pub max_suspicion: Option<i64>,
}

/// Makes the rules what is wished and lists what cannot be.
pub(super) fn apply(rules: &mut Rules, wish: &WishedRules) -> Vec<Refused> {
    let mut refused = Vec::new();
    if let Some(filter) = &wish.filter {
        match checked_filter(filter) {
            Ok(filter) => rules.filter = filter,
            Err(wrong) => refused.extend(wrong),
        }
    }
    if let Some(includes_tests) = wish.includes_tests {
        rules.includes_tests = includes_tests;
    }
    if let Some(in_development) = wish.in_development {
        rules.in_development = in_development;
    }
    if let Some(in_order) = wish.in_order {
        rules.in_order = in_order;
    }
    for (target, pointer, wished, most) in [
        (
            &mut rules.duplicate_window_minutes,
            "/duplicateWindowMinutes",
            wish.duplicate_window_minutes,
            (0, MOST_MINUTES),
        ),
        (&mut rules.reengage_after_hours, "/reengageAfterHours", wish.reengage_after_hours, (0, MOST_HOURS)),
        (&mut rules.timeout_seconds, "/timeoutSeconds", wish.timeout_seconds, (1, MOST_SECONDS)),
        (&mut rules.requests_per_minute, "/requestsPerMinute", wish.requests_per_minute, (1, MOST_REQUESTS)),
    ] {
        let Some(value) = wished else { continue };
        let (least, most) = most;
        if value.is_some_and(|value| !(least..=most).contains(&value)) {
            let message = format!("must be between {least} and {most}");
            refused.push(Refused::new(pointer, "out_of_range", &message));
        }
        *target = value;
    }
    if let Some(name) = &wish.method {
        match Method::parse(name) {
            Some(method) => rules.method = method,
            None => refused.push(Refused::new("/method", "unknown_method", "must be POST, PUT or PATCH")),
        }
    }
    if let Some(name) = &wish.content_type {
        match ContentType::parse(name) {
            Some(content_type) => rules.content_type = content_type,
            None => refused.push(Refused::new("/contentType", "unknown_content_type", "must be json or form")),
        }
    }
    refused
}

fn checked_filter(wish: &WishedFilter) -> Result<Filter, Vec<Refused>> {
    let mut refused = Vec::new();
    for (index, source) in wish.sources.iter().enumerate() {
        if !SOURCES.contains(&source.as_str()) {
            let message = format!("must be one of {}", SOURCES.join(", "));
            refused.push(Refused::new(&format!("/filter/sources/{index}"), "unknown_source", &message));
        }
    }
    for (index, tag) in wish.tags.iter().enumerate() {
        if tag.trim().is_empty() || tag.chars().count() > MAX_TAG_CHARS || tag.contains('\0') {
            let message = format!("must have 1 to {MAX_TAG_CHARS} characters");
            refused.push(Refused::new(&format!("/filter/tags/{index}"), "invalid_tag", &message));
        }
    }
    let counts = [
        ("/filter/sources", wish.sources.len()),
        ("/filter/sourceIds", wish.source_ids.len()),
        ("/filter/tags", wish.tags.len()),
        ("/filter/stageIds", wish.stage_ids.len()),
    ];
    for (pointer, _) in counts.into_iter().filter(|(_, count)| *count > MOST_NAMES) {
        refused.push(Refused::new(pointer, "too_many", &format!("must be at most {MOST_NAMES}")));
    }
    for (pointer, value) in [("/filter/minScore", wish.min_score), ("/filter/maxSuspicion", wish.max_suspicion)] {
        if value.is_some_and(|value| !(0..=100).contains(&value)) {
            refused.push(Refused::new(pointer, "out_of_range", "must be between 0 and 100"));
        }
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    Ok(Filter {
        sources: distinct(&wish.sources),
        source_ids: wish.source_ids.clone(),
        tags: distinct(&wish.tags),
        stage_ids: wish.stage_ids.clone(),
        min_score: wish.min_score,
        max_suspicion: wish.max_suspicion,
    })
}

/// Whether what a filter names by id is there: one that is not would keep every lead away without a word.
pub(super) async fn check_names(tx: &mut Tx, destination: &Destination) -> Result<Vec<Refused>, Error> {
    let Filter { stage_ids, source_ids, .. } = &destination.rules.filter;
    let goals = destination.rules.conversions.iter().flat_map(|conversions| &conversions.goals).enumerate();
    let goals: Vec<(usize, StageId)> = goals.filter_map(|(index, goal)| Some((index, goal.stage_id?))).collect();
    if stage_ids.is_empty() && source_ids.is_empty() && goals.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<StageId> = stage_ids.iter().copied().chain(goals.iter().map(|(_, stage)| *stage)).collect();
    let (stages, sources) = destinations::list_filterable(tx, destination.workspace_id, &all, source_ids).await?;
    let of_goals = goals.iter().filter(|(_, stage)| !stages.contains(stage)).map(|(index, _)| {
        let pointer = format!("/conversions/goals/{index}/stageId");
        Refused::new(&pointer, "unknown_stage", "is not a stage of this workspace")
    });
    let of_goals: Vec<Refused> = of_goals.collect();
    let stages = missing("/filter/stageIds", stage_ids, &stages, "unknown_stage", "is not a stage of this workspace");
    let sources =
        missing("/filter/sourceIds", source_ids, &sources, "unknown_source", "is not a source of this workspace");
    Ok(stages.into_iter().chain(sources).chain(of_goals).collect())
}

fn missing<T: PartialEq>(pointer: &str, named: &[T], there: &[T], code: &'static str, message: &str) -> Vec<Refused> {
    let gone = named.iter().enumerate().filter(|(_, id)| !there.contains(id));
    gone.map(|(index, _)| Refused::new(&format!("{pointer}/{index}"), code, message)).collect()
}

fn distinct(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.trim().to_owned()).collect::<BTreeSet<_>>().into_iter().collect()
}
