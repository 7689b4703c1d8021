//! The payload `whatconverts`: a lead in the shape in which WhatConverts tells of leads to webhooks.
//!
//! Every key of that shape is there for every lead; what is not known is null. Here what the provider told of a lead
//! and what we know of it become one: [`Rule`] says which counts for which key. What we know of it is in `known`, with
//! its visitor's part in `visit` and the person's in `contact`.

mod contact;
mod known;
mod visit;

use leadline_domain::inbound::{Format, Unpacked};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::facts::{Facts, unpacked};

/// Whose word counts for a key; the others' counts where that one says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// What is written here.
    Ours,
    /// The lead's own data, which people may have corrected.
    Lead,
    /// Whoever spoke last: the provider where the submission is its, else we.
    Latest,
    /// The provider, whenever it spoke.
    Provider,
}

/// What WhatConverts told of the lead.
#[derive(Debug, Clone, Copy)]
struct Provider<'a> {
    /// In the submission that the lead is told by.
    now: Option<&'a Map<String, Value>>,
    /// Whether that submission is what happened.
    is_cause: bool,
    /// In an earlier one.
    before: Option<&'a Map<String, Value>>,
}

impl<'a> Provider<'a> {
    fn of(facts: &'a Facts<'_>) -> Self {
        let is_whatconverts = |one: Option<Unpacked>| one.is_some_and(|one| one.format == Format::WhatConverts);
        let now = facts.submission.as_ref().filter(|one| is_whatconverts(one.unpacked())).map(|one| &one.fields);
        let before = facts.record.as_ref().filter(|fields| is_whatconverts(unpacked(fields)));
        Self { now, is_cause: facts.is_cause, before }
    }

    /// What it says in the message that is passed on.
    fn here(self, name: &str) -> Option<&'a Value> {
        self.now(name).filter(|_| self.is_cause)
    }

    fn now(self, name: &str) -> Option<&'a Value> {
        self.now?.get(name).filter(|value| !value.is_null())
    }

    fn before(self, name: &str) -> Option<&'a Value> {
        self.before?.get(name).filter(|value| !value.is_null())
    }

    fn ever(self, name: &str) -> Option<&'a Value> {
        self.now(name).or(self.before(name))
    }

    fn choose(self, rule: Rule, name: &str, ours: Value) -> Value {
        let ours = Some(ours).filter(|value| !value.is_null());
        let chosen = match rule {
            Rule::Ours => ours,
            // What somebody has deleted since stays deleted.
            Rule::Lead => ours.or_else(|| self.here(name).cloned()),
            Rule::Latest => self.now(name).cloned().or(ours).or_else(|| self.before(name).cloned()),
            Rule::Provider => self.ever(name).cloned().or(ours),
        };
        chosen.unwrap_or_default()
    }
}

/// The text that is sent and signed.
#[must_use]
pub fn text(facts: &Facts<'_>) -> String {
    let provider = Provider::of(facts);
    let known = known::values(facts, provider);
    let mut body: Vec<(&str, Value)> =
        known.into_iter().map(|(name, rule, ours)| (name, provider.choose(rule, name, ours))).collect();
    // Calls, recordings and whatever else a kind of lead has: nothing that the provider told is lost.
    let further = provider.now.or(provider.before).into_iter().flatten();
    let further: Vec<(&str, Value)> = further
        .filter(|(name, _)| !body.iter().any(|(known, _)| known == name))
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect();
    body.extend(further);
    serde_json::to_string(&InOrder(body)).expect("names and JSON values can be written")
}

/// A JSON object with its keys in the order in which the provider writes them.
struct InOrder<'a>(Vec<(&'a str, Value)>);

impl Serialize for InOrder<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
