//! What the fields of a submission mean: which of them are the lead's own data, which its touch, and which are custom.
//!
//! Nothing that came is lost: a field that means nothing to us is a custom field, and the fields as sent stand beside.
//! What the values are worth (is the address usable, the number valid) is decided in `emails` and `phones`.

mod custom;
mod leaves;
mod names;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::custom::camel_case;
pub(crate) use self::leaves::text_of;
use self::{
    custom::{CustomFields, shortened},
    leaves::{Leaf, Origin, leaves_of, without_nul},
    names::{Fit, SLOTS, Slot, hinted_slot, mapped_slot, nested_slot_of, normalise, segments, slot_of},
};
use crate::{
    attribution::{self, Param, Touch, TouchParams},
    emails::Email,
};

/// Fields in the order in which they came. Names may repeat, values may be nested.
pub type RawFields = Vec<(String, Value)>;

/// Incoming field → core field, as a source was told.
///
/// The incoming name is compared like all names; nested ones are written with dots. A target that is no core field is
/// the name of a custom field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FieldMapping(pub BTreeMap<String, String>);

/// What a submission says, sorted out.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recognised {
    /// The person's name.
    pub name: Option<String>,
    /// The e-mail address as entered.
    pub email_raw: Option<String>,
    /// The phone number as entered.
    pub phone_raw: Option<String>,
    /// The country of the phone number, as a region or a calling code.
    pub country_code: Option<String>,
    /// The company.
    pub company: Option<String>,
    /// The person's title.
    pub title: Option<String>,
    /// The message.
    pub message: Option<String>,
    /// The project that the form named.
    pub project: Option<String>,
    /// The location that the visitor named. It is a custom field as well.
    pub location: Option<String>,
    /// The team that the form named. It is a custom field as well.
    pub team: Option<String>,
    /// The button or link that led here.
    pub cta: Option<String>,
    /// The page of the form.
    pub page_url: Option<String>,
    /// The page before it.
    pub referrer: Option<String>,
    /// UTM parameters and click ids, completed from the page's address.
    pub touch: TouchParams,
    /// What stood in the honeypot, where it was not empty.
    pub honeypot: Option<String>,
    /// Milliseconds from showing the form to sending it.
    pub time_to_submit_ms: Option<i64>,
    /// The visitor's id, made by the embed script.
    pub visitor_id: Option<String>,
    /// The session's id, made by the embed script.
    pub session_id: Option<String>,
    /// The visit that brought the visitor first, where the embed script knows it to be another one.
    pub first_touch: Option<Touch>,
    /// The browser's timezone, as the embed script says it.
    pub timezone: Option<String>,
    /// What shows that the embed script was there.
    pub form_token: Option<String>,
    /// The submission's own key.
    pub submission_key: Option<String>,
    /// Everything else, by camelCase key, with `_displayNames`.
    pub custom: Map<String, Value>,
    /// The fields as sent, without NUL; a repeated name has a list of its values.
    pub as_sent: Map<String, Value>,
}

/// Sorts out `fields`.
#[must_use]
pub fn recognise(fields: &RawFields, mapping: &FieldMapping) -> Recognised {
    let leaves = leaves_of(fields);
    let roles = roles_of(&leaves, mapping);
    let mut recognised = Recognised { as_sent: as_sent(fields), ..Recognised::default() };
    let mut slots = Slots::default();
    for (index, (leaf, role)) in leaves.iter().zip(&roles).enumerate() {
        match role {
            Role::Reserved(reserved) => take_reserved(&mut recognised, *reserved, leaf),
            Role::Slot(slot, fit) => slots.offer(*slot, *fit, index, leaf),
            Role::Param(param) => recognised.touch.fill(*param, &leaf.text().unwrap_or_default()),
            Role::Custom(_) => {}
        }
    }
    guess_addresses(&mut slots, &leaves, &roles);
    let used = fill(&mut recognised, &slots);
    recognised.custom = custom_fields(&leaves, &roles, &slots, &used);
    recognised
}

/// Whether a field of this name says by itself what it is: the lead's own data, or where the visitor came from.
pub(crate) fn is_telling(name: &str) -> bool {
    slot_of(&normalise(name)).is_some() || Param::named(name).is_some()
}

/// What a column of this name is for certain, under the name that [`recognise`] knows it by: the lead's own data alone.
pub(crate) fn column_kind(name: &str) -> Option<&'static str> {
    let segments = segments(name);
    let by_name = slot_of(&normalise(name)).or_else(|| nested_slot_of(&segments)).map(|(slot, _)| slot);
    match by_name.or_else(|| hinted_slot(&segments))? {
        Slot::Name => Some("name"),
        Slot::FirstName => Some("first_name"),
        Slot::LastName => Some("last_name"),
        Slot::Email => Some("email"),
        Slot::Phone => Some("phone"),
        Slot::CountryCode => Some("country_code"),
        Slot::Company => Some("company"),
        Slot::Title => Some("title"),
        Slot::Message => Some("message"),
        Slot::PageUrl => Some("page_url"),
        Slot::Referrer => Some("referrer"),
        Slot::Project | Slot::Location | Slot::Team | Slot::Cta => None,
    }
}

/// What a leaf is.
enum Role<'a> {
    Reserved(Reserved),
    Slot(Slot, Fit),
    Param(Param),
    /// A custom field, of this name where the source's mapping gives one.
    Custom(Option<&'a str>),
}

/// Fields that our own script and our own callers send.
#[derive(Clone, Copy)]
enum Reserved {
    Honeypot,
    TimeToSubmit,
    VisitorId,
    SessionId,
    FirstTouch,
    Timezone,
    FormToken,
    SubmissionKey,
}

fn roles_of<'a>(leaves: &[Leaf], mapping: &'a FieldMapping) -> Vec<Role<'a>> {
    let targets: HashMap<String, &str> = mapping
        .0
        .iter()
        .map(|(name, target)| (normalise(name), target.trim()))
        .filter(|(_, target)| !target.is_empty())
        .collect();
    leaves.iter().map(|leaf| role_of(leaf, &targets)).collect()
}

fn role_of<'a>(leaf: &Leaf, targets: &HashMap<String, &'a str>) -> Role<'a> {
    if let Some(reserved) = reserved_of(leaf) {
        return Role::Reserved(reserved);
    }
    let name = normalise(&leaf.path);
    if let Some(target) = targets.get(&name) {
        return mapped_role(target);
    }
    let segments = segments(&leaf.path);
    let is_top = leaf.origin == Origin::Top && segments.len() <= 1;
    let slot = if is_top { slot_of(&name) } else { nested_slot_of(&segments) };
    if let Some((slot, fit)) = slot {
        return Role::Slot(slot, fit);
    }
    let cookie = Param::of_cookie(&leaf.path);
    cookie.or_else(|| segments.last().and_then(|last| Param::named(last))).map_or(Role::Custom(None), Role::Param)
}

fn mapped_role(target: &str) -> Role<'_> {
    match (mapped_slot(target), Param::named(target)) {
        (Some(slot), _) => Role::Slot(slot, Fit::Mapped),
        (None, Some(param)) => Role::Param(param),
        (None, None) => Role::Custom(Some(target)),
    }
}

fn reserved_of(leaf: &Leaf) -> Option<Reserved> {
    if leaf.origin != Origin::Top {
        return None;
    }
    match leaf.path.to_ascii_lowercase().as_str() {
        "__pg_hp" => Some(Reserved::Honeypot),
        "__pg_tts" => Some(Reserved::TimeToSubmit),
        "__visitor_id" => Some(Reserved::VisitorId),
        "__session_id" => Some(Reserved::SessionId),
        "__first_touch" => Some(Reserved::FirstTouch),
        "__timezone" => Some(Reserved::Timezone),
        "__form_token" => Some(Reserved::FormToken),
        "submissionid" | "submission_id" | "submission-id" | "__submission_id" => Some(Reserved::SubmissionKey),
        _ => None,
    }
}

fn take_reserved(recognised: &mut Recognised, reserved: Reserved, leaf: &Leaf) {
    let text = leaf.text().map(|text| shortened(&text, SHORT_MAX_CHARS));
    match reserved {
        Reserved::Honeypot => recognised.honeypot = text,
        Reserved::TimeToSubmit => recognised.time_to_submit_ms = text.as_deref().and_then(milliseconds),
        Reserved::VisitorId => recognised.visitor_id = text,
        Reserved::SessionId => recognised.session_id = text,
        Reserved::FirstTouch => recognised.first_touch = text.as_deref().and_then(Touch::read),
        Reserved::Timezone => recognised.timezone = text,
        Reserved::FormToken => recognised.form_token = text,
        Reserved::SubmissionKey => recognised.submission_key = text,
    }
}

fn milliseconds(text: &str) -> Option<i64> {
    let rounded = text.parse::<f64>().ok()?.round();
    (0.0..1e15).contains(&rounded).then_some(rounded as i64)
}

/// The best field for each slot so far.
#[derive(Default)]
struct Slots([Option<Candidate>; SLOTS]);

struct Candidate {
    fit: Fit,
    leaf: usize,
    text: String,
}

impl Slots {
    fn get(&self, slot: Slot) -> Option<&Candidate> {
        self.0[slot as usize].as_ref()
    }

    /// Takes the field where it fits better than what is there; among equals the first one stays.
    fn offer(&mut self, slot: Slot, fit: Fit, index: usize, leaf: &Leaf) {
        let Some(text) = leaf.text() else { return };
        let place = &mut self.0[slot as usize];
        if place.as_ref().is_none_or(|candidate| fit < candidate.fit) {
            *place = Some(Candidate { fit, leaf: index, text });
        }
    }
}

/// An address is worth a second look: without one, nobody can answer the lead.
fn guess_addresses(slots: &mut Slots, leaves: &[Leaf], roles: &[Role<'_>]) {
    for (index, (leaf, role)) in leaves.iter().zip(roles).enumerate() {
        if !matches!(role, Role::Custom(None)) {
            continue;
        }
        let Some(text) = leaf.text() else { continue };
        match hinted_slot(&segments(&leaf.path)) {
            Some(Slot::Email) if Email::parse(&text).is_some() => slots.offer(Slot::Email, Fit::Guessed, index, leaf),
            Some(Slot::Phone) if looks_like_a_phone(&text) => slots.offer(Slot::Phone, Fit::Guessed, index, leaf),
            Some(_) | None => {}
        }
    }
}

fn looks_like_a_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    (7..=20).contains(&digits) && text.chars().all(|letter| letter.is_ascii_digit() || " +-()./\u{a0}".contains(letter))
}

const NAME_MAX_CHARS: usize = 200;
const SHORT_MAX_CHARS: usize = 500;
const URL_MAX_CHARS: usize = 4_000;
const MESSAGE_MAX_CHARS: usize = 20_000;

/// Fills in what the slots hold, and tells which leaves were used up.
fn fill(recognised: &mut Recognised, slots: &Slots) -> HashSet<usize> {
    let mut used = HashSet::new();
    let mut take = |slot: Slot, max_chars: usize| {
        let candidate = slots.get(slot)?;
        used.insert(candidate.leaf);
        Some(shortened(&candidate.text, max_chars))
    };
    recognised.email_raw = take(Slot::Email, SHORT_MAX_CHARS);
    recognised.phone_raw = take(Slot::Phone, SHORT_MAX_CHARS);
    recognised.country_code = take(Slot::CountryCode, SHORT_MAX_CHARS);
    recognised.company = take(Slot::Company, SHORT_MAX_CHARS);
    recognised.title = take(Slot::Title, SHORT_MAX_CHARS);
    recognised.message = take(Slot::Message, MESSAGE_MAX_CHARS);
    recognised.project = take(Slot::Project, SHORT_MAX_CHARS);
    recognised.cta = take(Slot::Cta, SHORT_MAX_CHARS);
    recognised.page_url = take(Slot::PageUrl, URL_MAX_CHARS);
    recognised.referrer = take(Slot::Referrer, URL_MAX_CHARS);
    // A lead has no column for these two, so they stay custom fields.
    let keep = |slot: Slot| slots.get(slot).map(|candidate| shortened(&candidate.text, SHORT_MAX_CHARS));
    recognised.location = keep(Slot::Location);
    recognised.team = keep(Slot::Team);

    let (name, parts) = name_of(slots);
    recognised.name = name.map(|name| shortened(&on_one_line(&name), NAME_MAX_CHARS));
    used.extend(parts);
    let mut touch = std::mem::take(&mut recognised.touch);
    touch.page_url.clone_from(&recognised.page_url);
    touch.referrer.clone_from(&recognised.referrer);
    recognised.touch = attribution::complete(touch);
    used
}

/// The whole name, or its parts joined, whichever fits better. Some forms call the first name just `name`.
fn name_of(slots: &Slots) -> (Option<String>, Vec<usize>) {
    let joined = |parts: &[&Candidate]| {
        let texts: Vec<&str> = parts.iter().map(|part| part.text.as_str()).collect();
        (Some(texts.join(" ")), parts.iter().map(|part| part.leaf).collect())
    };
    match (slots.get(Slot::Name), slots.get(Slot::FirstName), slots.get(Slot::LastName)) {
        (None, None, None) => (None, Vec::new()),
        (Some(name), None, Some(last)) if name.fit == last.fit => {
            if name.text.ends_with(&last.text) {
                joined(&[name])
            } else {
                joined(&[name, last])
            }
        }
        (Some(name), first, last) if [first, last].into_iter().flatten().all(|part| name.fit <= part.fit) => {
            joined(&[name])
        }
        (_, first, last) => joined(&[first, last].into_iter().flatten().collect::<Vec<_>>()),
    }
}

/// Line breaks and tabs become one space, so that a name cannot begin a new line of a mail's head.
fn on_one_line(name: &str) -> String {
    let breaks_the_line = |letter: char| matches!(letter, '\t'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
    name.split(breaks_the_line).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn custom_fields(leaves: &[Leaf], roles: &[Role<'_>], slots: &Slots, used: &HashSet<usize>) -> Map<String, Value> {
    let mut custom = CustomFields::default();
    for (index, (leaf, role)) in leaves.iter().zip(roles).enumerate() {
        if is_custom(index, leaf, role, slots, used) {
            let label = match role {
                Role::Custom(Some(name)) => name,
                Role::Custom(None) | Role::Reserved(_) | Role::Slot(..) | Role::Param(_) => leaf.path.as_str(),
            };
            custom.add(label, &leaf.values);
        }
    }
    custom.into_object()
}

/// Nested fields stay custom fields whatever else they are, and so do UTM parameters. A field that lost its slot to
/// another one stays where it says something else.
fn is_custom(index: usize, leaf: &Leaf, role: &Role<'_>, slots: &Slots, used: &HashSet<usize>) -> bool {
    if leaf.origin == Origin::SecondReading {
        return false;
    }
    match role {
        Role::Reserved(_) => false,
        Role::Custom(_) => true,
        Role::Param(Param::ClickId(_) | Param::ProgramId(_)) => leaf.origin == Origin::Nested,
        Role::Param(_) => true,
        Role::Slot(_, Fit::InPerson | Fit::Nested | Fit::Guessed) => true,
        Role::Slot(slot, Fit::Mapped | Fit::Exact | Fit::Similar) => {
            let says_the_same =
                |winner: &Candidate| used.contains(&winner.leaf) && Some(&winner.text) == leaf.text().as_ref();
            !used.contains(&index) && !slots.get(*slot).is_some_and(says_the_same)
        }
    }
}

/// The fields as they came. Only NUL is gone, which PostgreSQL cannot store.
#[must_use]
pub fn as_sent(fields: &RawFields) -> Map<String, Value> {
    let mut sent = Map::new();
    let mut repeated: HashSet<String> = HashSet::new();
    for (name, value) in fields {
        let (name, value) = (without_nul(name), value_without_nul(value));
        match sent.get_mut(&name) {
            None => {
                sent.insert(name, value);
            }
            Some(Value::Array(values)) if repeated.contains(&name) => values.push(value),
            Some(first) => {
                *first = Value::Array(vec![first.take(), value]);
                repeated.insert(name);
            }
        }
    }
    sent
}

fn value_without_nul(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_nul(text)),
        Value::Array(list) => Value::Array(list.iter().map(value_without_nul).collect()),
        Value::Object(object) => {
            Value::Object(object.iter().map(|(key, value)| (without_nul(key), value_without_nul(value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}
