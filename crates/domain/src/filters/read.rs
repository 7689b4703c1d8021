//! Reading a filter from JSON, with a pointer to whatever is wrong with it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{
    Bound, CONDITIONS_MAX, Condition, DEPTH_MAX, Facts, Field, Filter, FilterFault, Kind, LONGEST_TEXT, LeadField,
    SEGMENT, Test, TextMatch, VALUES_MAX, dates,
};
use crate::{
    custom_fields::{CustomKind, is_usable_key},
    ids::SegmentId,
    silence::day_of,
};

/// How custom fields are written in front of their keys.
const CUSTOM: &str = "custom.";

/// The same for what is kept of the person behind a lead.
const CONTACT: &str = "contact.";

/// Whole numbers beyond it are no numbers of a lead.
const WHOLE_MAX: f64 = 1e15;

/// An operator, what it asks, and whether it asks for the opposite.
type Asked = Result<(Test, bool), String>;

pub(super) struct Reading<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The segments whose conditions these are, the outermost first.
    pub(super) within: Vec<SegmentId>,
    pub(super) conditions: usize,
    pub(super) faults: Vec<FilterFault>,
}

impl Reading<'_> {
    pub(super) fn node(&mut self, json: &Value, pointer: &str, depth: usize) -> Option<Filter> {
        let Some(object) = json.as_object() else { return self.fault(pointer, "must be a group or a condition") };
        for (name, group) in [("all", Filter::All as fn(Vec<Filter>) -> Filter), ("any", Filter::Any)] {
            if let Some(children) = object.get(name) {
                if object.len() > 1 {
                    return self.fault(pointer, "a group has nothing beside its conditions");
                }
                return self.group(children, &format!("{pointer}/{name}"), depth).map(group);
            }
        }
        self.conditions += 1;
        if self.conditions == CONDITIONS_MAX + 1 {
            return self.fault(pointer, format!("a filter has at most {CONDITIONS_MAX} conditions"));
        }
        if self.conditions > CONDITIONS_MAX {
            return None;
        }
        if object.get("field").and_then(Value::as_str) == Some(SEGMENT) {
            return self.segment(object, pointer);
        }
        self.condition(object, pointer).map(Filter::Is)
    }

    /// Who is in segments, by what those ask.
    fn segment(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<Filter> {
        self.only_parts(object, pointer)?;
        let op = object.get("op").and_then(Value::as_str).unwrap_or_default();
        let (names, is_negated) = match one_or_several(op, object.get("value").unwrap_or(&Value::Null)) {
            None => return self.fault(&format!("{pointer}/op"), "is not an operator for a segment"),
            Some(Err(message)) => return self.fault(&format!("{pointer}/value"), message),
            Some(Ok(asked)) => asked,
        };
        let at = format!("{pointer}/value");
        let mut asked = Vec::with_capacity(names.len());
        for name in names {
            let id = name.parse::<SegmentId>().ok();
            let Some((id, json)) = id.and_then(|id| Some((id, self.facts.segments.get(&id)?))) else {
                return self.fault(&at, "is not a segment here");
            };
            if self.within.contains(&id) {
                return self.fault(&at, "goes in a circle: the segment asks who is in it");
            }
            if self.within.len() >= DEPTH_MAX {
                return self.fault(&at, format!("segments name each other at most {DEPTH_MAX} deep"));
            }
            let within = self.within.iter().copied().chain([id]).collect();
            let mut inner = Reading { facts: self.facts, within, conditions: self.conditions, faults: Vec::new() };
            let read = inner.node(json, "", 0);
            self.conditions = inner.conditions;
            if let Some(fault) = inner.faults.first() {
                let message = if fault.is_forbidden {
                    fault.message.clone()
                } else {
                    format!("names a segment that {}", fault.message)
                };
                let is_forbidden = fault.is_forbidden;
                self.faults.push(FilterFault { pointer: at, message, is_forbidden });
                return None;
            }
            asked.push(read?);
        }
        Some(if is_negated { Filter::None(asked) } else { Filter::Any(asked) })
    }

    /// Refuses what a condition does not have.
    fn only_parts(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<()> {
        let Some(name) = object.keys().find(|name| !["field", "op", "value"].contains(&name.as_str())) else {
            return Some(());
        };
        let name = name.replace('~', "~0").replace('/', "~1");
        self.fault(&format!("{pointer}/{name}"), "is not a field that exists here")
    }

    fn group(&mut self, children: &Value, pointer: &str, depth: usize) -> Option<Vec<Filter>> {
        let Some(children) = children.as_array() else { return self.fault(pointer, "must be a list of conditions") };
        if depth >= DEPTH_MAX {
            return self.fault(pointer, format!("groups stand in each other at most {DEPTH_MAX} deep"));
        }
        if children.len() > CONDITIONS_MAX {
            return self.fault(pointer, format!("a filter has at most {CONDITIONS_MAX} conditions"));
        }
        let read: Vec<Option<Filter>> = children
            .iter()
            .enumerate()
            .map(|(index, child)| self.node(child, &format!("{pointer}/{index}"), depth + 1))
            .collect();
        read.into_iter().collect()
    }

    fn condition(&mut self, object: &Map<String, Value>, pointer: &str) -> Option<Condition> {
        self.only_parts(object, pointer)?;
        let Some(name) = object.get("field").and_then(Value::as_str) else {
            return self.fault(&format!("{pointer}/field"), "must be the name of a field");
        };
        let Some(op) = object.get("op").and_then(Value::as_str) else {
            return self.fault(&format!("{pointer}/op"), "must be an operator");
        };
        let value = object.get("value").unwrap_or(&Value::Null);
        let Some(field) = self.field(name, op) else {
            return self.fault(&format!("{pointer}/field"), "is not a field that can be filtered by");
        };
        if field.is_personal() && !self.facts.sees_personal {
            self.faults.push(FilterFault::personal(format!("{pointer}/field"), name));
            return None;
        }
        match self.asked(&field, op, value) {
            Ok(Some((test, is_negated))) => Some(Condition { field, test, is_negated }),
            Ok(None) => {
                let kind = field.kind().as_str();
                self.fault(&format!("{pointer}/op"), format!("is not an operator for a {kind} field"))
            }
            Err(message) => self.fault(&format!("{pointer}/value"), message),
        }
    }

    fn field(&self, name: &str, op: &str) -> Option<Field> {
        if let Some(key) = name.strip_prefix(CONTACT) {
            return is_usable_key(key).then(|| Field::Contact { key: key.to_owned() });
        }
        let Some(key) = name.strip_prefix(CUSTOM) else {
            return LeadField::named(name).map(|description| Field::Lead(description.field));
        };
        let is_comparison = matches!(op, "more_than" | "at_least" | "less_than" | "at_most" | "between");
        let kind = match self.facts.custom.get(key) {
            Some(CustomKind::Text | CustomKind::Url) => Kind::Text,
            Some(CustomKind::Number) => Kind::Number,
            Some(CustomKind::Date) => Kind::Day,
            Some(CustomKind::Select) => Kind::Choice,
            Some(CustomKind::MultiSelect) => Kind::Set,
            Some(CustomKind::Boolean) => Kind::Flag,
            // Nobody said what it holds, so what is asked says it.
            None if is_comparison => Kind::Number,
            None => Kind::Text,
        };
        is_usable_key(key).then(|| Field::Custom { key: key.to_owned(), kind })
    }

    /// `None` where there is no such operator for the field.
    fn asked(&self, field: &Field, op: &str, value: &Value) -> Result<Option<(Test, bool)>, String> {
        if let "empty" | "not_empty" = op {
            let has_no_value = value.is_null();
            let asked = Some((Test::Empty, op == "not_empty"));
            return if has_no_value { Ok(asked) } else { Err("must be left out".to_owned()) };
        }
        let asked = match field.kind() {
            Kind::Text => text(field, op, value),
            Kind::Whole => number(op, value, true),
            Kind::Number => number(op, value, false),
            Kind::Time => return self.time(op, value),
            Kind::Day => return self.day(op, value),
            Kind::Choice => choice(op, value),
            Kind::Id => self.id(field, op, value),
            Kind::Set => set(op, value),
            Kind::Flag => flag(op, value),
        };
        asked.transpose()
    }

    fn time(&self, op: &str, value: &Value) -> Result<Option<(Test, bool)>, String> {
        let span = dates::span(op, value, self.facts.moment)?;
        Ok(span.map(|(from, before)| (Test::Time { from, before }, false)))
    }

    fn day(&self, op: &str, value: &Value) -> Result<Option<(Test, bool)>, String> {
        let span = dates::span(op, value, self.facts.moment)?;
        let zone = self.facts.moment.timezone;
        Ok(span.map(|(from, before)| {
            let from = from.map(|at| day_of(at, zone));
            // Through the whole day that its last moment is in.
            let before = before.and_then(|at| day_of(at.plus_ms(-1), zone).succ_opt());
            (Test::Day { from, before }, false)
        }))
    }

    fn id(&self, field: &Field, op: &str, value: &Value) -> Option<Asked> {
        let (values, is_negated) = match one_or_several(op, value)? {
            Ok(asked) => asked,
            Err(message) => return Some(Err(message)),
        };
        let me = |text: String| {
            if text != "me" || *field != Field::Lead(LeadField::AssignedTo) {
                return Ok(text);
            }
            self.facts.me.map(|me| me.to_string()).ok_or_else(|| "must name somebody: who asks is no user".to_owned())
        };
        let ids: Result<Vec<Uuid>, String> = values
            .into_iter()
            .map(|text| me(text)?.parse::<Uuid>().map_err(|_| "must be an id, or a list of ids".to_owned()))
            .collect();
        Some(ids.map(|ids| (Test::Ids(ids), is_negated)))
    }

    fn fault<T>(&mut self, pointer: &str, message: impl Into<String>) -> Option<T> {
        self.faults.push(FilterFault { pointer: pointer.to_owned(), message: message.into(), is_forbidden: false });
        None
    }
}

fn text(field: &Field, op: &str, value: &Value) -> Option<Asked> {
    let how = match op {
        "is" | "is_not" | "any_of" | "none_of" => TextMatch::Is,
        "contains" | "not_contains" => TextMatch::Contains,
        "starts_with" => TextMatch::Starts,
        "ends_with" => TextMatch::Ends,
        _ => return None,
    };
    let is_negated = matches!(op, "is_not" | "none_of" | "not_contains");
    let values = if matches!(op, "any_of" | "none_of") { texts(value) } else { one_text(value).map(|text| vec![text]) };
    // People write phone numbers with blanks and brackets, and none is stored so.
    let is_phone = *field == Field::Lead(LeadField::Phone);
    let plain = |text: String| text.replace(|sign: char| is_phone && " \u{a0}()/-.".contains(sign), "");
    Some(values.map(|values| {
        let values = values.into_iter().map(plain).collect();
        (Test::Text { how, values }, is_negated)
    }))
}

fn number(op: &str, value: &Value, is_whole: bool) -> Option<Asked> {
    let (from, until) = match op {
        "is" | "is_not" => (Some(true), Some(true)),
        "at_least" => (Some(true), None),
        "more_than" => (Some(false), None),
        "at_most" => (None, Some(true)),
        "less_than" => (None, Some(false)),
        "between" => {
            let [first, last] = value.as_array().map(Vec::as_slice).unwrap_or_default() else {
                return Some(Err("must be a list of two numbers".to_owned()));
            };
            let bounds = one_number(first, is_whole).and_then(|first| Ok((first, one_number(last, is_whole)?)));
            return Some(bounds.map(|(first, last)| (range(Some((first, true)), Some((last, true))), false)));
        }
        _ => return None,
    };
    let number = one_number(value, is_whole);
    let bound = |number: f64, is_in: Option<bool>| is_in.map(|is_in| (number, is_in));
    Some(number.map(|number| (range(bound(number, from), bound(number, until)), op == "is_not")))
}

fn range(from: Option<(f64, bool)>, until: Option<(f64, bool)>) -> Test {
    let bound = |(value, is_included)| Bound { value, is_included };
    Test::Number { from: from.map(bound), until: until.map(bound) }
}

fn one_number(value: &Value, is_whole: bool) -> Result<f64, String> {
    let demand = if is_whole { "must be a whole number" } else { "must be a number" };
    let number = value.as_f64().ok_or(demand)?;
    let fits = number.abs() <= WHOLE_MAX && (!is_whole || number.fract() == 0.0);
    if fits { Ok(number) } else { Err(demand.to_owned()) }
}

fn choice(op: &str, value: &Value) -> Option<Asked> {
    Some(one_or_several(op, value)?.map(|(values, is_negated)| (Test::OneOf(values), is_negated)))
}

fn one_or_several(op: &str, value: &Value) -> Option<Result<(Vec<String>, bool), String>> {
    let is_negated = matches!(op, "is_not" | "none_of");
    match op {
        "is" | "is_not" => Some(one_text(value).map(|text| (vec![text], is_negated))),
        "any_of" | "none_of" => Some(texts(value).map(|texts| (texts, is_negated))),
        _ => None,
    }
}

fn set(op: &str, value: &Value) -> Option<Asked> {
    match op {
        "any_of" => Some(texts(value).map(|texts| (Test::HasAny(texts), false))),
        "none_of" => Some(texts(value).map(|texts| (Test::HasAny(texts), true))),
        "all_of" => Some(texts(value).map(|texts| (Test::HasAll(texts), false))),
        _ => None,
    }
}

fn flag(op: &str, value: &Value) -> Option<Asked> {
    let flag = value.as_bool().ok_or_else(|| "must be true or false".to_owned());
    match op {
        "is" => Some(flag.map(|flag| (Test::Flag(flag), false))),
        _ => None,
    }
}

fn texts(value: &Value) -> Result<Vec<String>, String> {
    let list = value.as_array().filter(|list| (1..=VALUES_MAX).contains(&list.len()));
    let list = list.ok_or_else(|| format!("must be a list of 1 to {VALUES_MAX} texts"))?;
    list.iter().map(one_text).collect()
}

fn one_text(value: &Value) -> Result<String, String> {
    let text = value.as_str().ok_or("must be a text")?;
    // No lead can hold U+0000, and PostgreSQL refuses to look for it.
    if text.is_empty() || text.contains('\0') {
        return Err("must be a text with something in it".to_owned());
    }
    if text.chars().count() > LONGEST_TEXT {
        return Err(format!("has at most {LONGEST_TEXT} characters"));
    }
    Ok(text.to_owned())
}
