//! Telling ad platforms what became of the people who clicked on their ads.
//!
//! [`Conversions`] says which steps of a lead count for a destination, and as what. [`GoogleClick`] and the rest find
//! in a lead's touches what a platform knows a click by. Whatever was clicked came in through a visitor's browser, so
//! what cannot be a click id is none.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{
    attribution::Touch,
    ids::{DeliveryId, DestinationId, LeadId, StageId, delivery_for, derived},
    time::{DAY_MS, Timestamp},
};

/// What a destination of an ad platform is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Conversions {
    /// Which steps count. The first that a lead's step meets is the one it is told by.
    pub goals: Vec<Goal>,
    /// How they get there.
    #[serde(skip_serializing_if = "Upload::is_request")]
    pub upload: Upload,
    /// The custom field that a conversion's value stands in. Where it says none, what the lead was sold for counts, and
    /// where it was not sold the goal's own value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_field: Option<String>,
    /// Google Ads: the manager account that the request is made by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login_customer_id: Option<String>,
    /// Google Ads: whether hashed e-mail address and phone number go out, too.
    #[serde(skip_serializing_if = "is_false")]
    pub with_identifiers: bool,
    /// Meta: where the conversion is said to have happened.
    #[serde(skip_serializing_if = "ActionSource::is_system")]
    pub action_source: ActionSource,
    /// Meta: shows events under "Test events" in place of counting them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test_event_code: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// One step that counts, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Goal {
    /// Which step.
    pub on: Step,
    /// Which stage, where the step is reaching one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage_id: Option<StageId>,
    /// Meta's name of the event; the name of Google's conversion action as it stands in files.
    pub name: String,
    /// The resource name of Google's conversion action.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversion_action: Option<String>,
    /// What it is worth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Amount>,
    /// In which currency, by its three letters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// A step of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// It came.
    Created,
    /// It reached a certain stage.
    Stage,
    /// It reached any stage that means won.
    Won,
    /// It was made a customer.
    Converted,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Created, Self::Stage, Self::Won, Self::Converted];

    /// How it is chosen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Stage => "stage",
            Self::Won => "won",
            Self::Converted => "converted",
        }
    }

    /// The step of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.as_str() == name)
    }

    /// The event that tells of it.
    #[must_use]
    pub const fn event(self) -> &'static str {
        match self {
            Self::Created => "lead.created",
            Self::Stage | Self::Won => "lead.stage_changed",
            Self::Converted => "lead.converted",
        }
    }
}

/// How conversions get to the platform.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Upload {
    /// One request for each.
    #[default]
    Request,
    /// By hand, in a file that somebody downloads.
    File,
}

impl Upload {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Request, Self::File];

    /// How it is chosen.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::File => "file",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_request(&self) -> bool {
        *self == Self::Request
    }
}

/// Where Meta is told that a conversion happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionSource {
    /// In a program such as this one.
    #[default]
    SystemGenerated,
    /// On the website.
    Website,
}

impl ActionSource {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::SystemGenerated, Self::Website];

    /// As Meta spells it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SystemGenerated => "system_generated",
            Self::Website => "website",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
    fn is_system(&self) -> bool {
        *self == Self::SystemGenerated
    }
}

/// An amount of money, in millionths: what is compared and added must not be a fraction of the machine's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(i64);

const MILLIONTHS: f64 = 1_000_000.0;

/// More than any lead is worth, and little enough to be exact.
const MOST: f64 = 1_000_000_000.0;

impl Amount {
    /// This much; `None` for what is no amount, below zero or beyond a thousand million.
    #[must_use]
    pub fn of(value: f64) -> Option<Self> {
        #[expect(clippy::cast_possible_truncation, reason = "it was just held to be small")]
        (0.0..=MOST).contains(&value).then(|| Self((value * MILLIONTHS).round() as i64))
    }

    /// As a plain number.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0 as f64 / MILLIONTHS
    }

    /// Reads what people type: `1200`, `1200.50`, `€ 1,200.50`, `1.200,50`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let kept: String =
            text.chars().filter(|letter| letter.is_ascii_digit() || matches!(letter, '.' | ',' | '-')).collect();
        if text.chars().count() > 40 || kept.contains('-') {
            return None;
        }
        let last = kept.rfind(['.', ',']);
        // A sign with three digits behind it parts thousands, unless it is the only point of an amount such as 0.125.
        let parts_thousands =
            |at: usize| kept.len() - at == 4 && (kept[at..].starts_with(',') || kept.matches('.').count() > 1);
        let plain: String = match last {
            Some(at) if !parts_thousands(at) => {
                let whole: String = kept[..at].chars().filter(char::is_ascii_digit).collect();
                format!("{whole}.{}", &kept[at + 1..])
            }
            Some(_) | None => kept.chars().filter(char::is_ascii_digit).collect(),
        };
        plain.parse().ok().and_then(Self::of)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.value())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        Self::of(value).ok_or_else(|| serde::de::Error::custom("not an amount"))
    }
}

/// What a conversion is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Worth<'a> {
    /// So much.
    pub value: Amount,
    /// Of this currency, where one is named.
    pub currency: Option<&'a str>,
}

/// What an event says of a lead's step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stepped {
    /// The stage that was reached.
    pub stage_id: Option<StageId>,
    /// Whether that means won.
    pub is_won: bool,
}

impl Goal {
    /// A name of it that stays when what it is called changes. Deliveries keep it.
    #[must_use]
    pub fn key(&self) -> String {
        match (self.on, self.stage_id) {
            (Step::Stage, Some(stage)) => stage.to_string(),
            (step, _) => step.as_str().to_owned(),
        }
    }

    fn is_met(&self, kind: &str, stepped: Stepped) -> bool {
        let is_told_by_it = self.on.event() == kind;
        is_told_by_it
            && match self.on {
                Step::Created | Step::Converted => true,
                Step::Stage => self.stage_id.is_some() && self.stage_id == stepped.stage_id,
                Step::Won => stepped.is_won,
            }
    }
}

impl Conversions {
    /// What a step counts as.
    #[must_use]
    pub fn goal_met(&self, kind: &str, stepped: Stepped) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.is_met(kind, stepped))
    }

    /// The goal of this key.
    #[must_use]
    pub fn goal(&self, key: &str) -> Option<&Goal> {
        self.goals.iter().find(|goal| goal.key() == key)
    }

    /// The events that tell of the steps that count.
    #[must_use]
    pub fn events(&self) -> Vec<String> {
        let told = |event: &&str| self.goals.iter().any(|goal| goal.on.event() == *event);
        let all = ["lead.created", "lead.stage_changed", "lead.converted"];
        all.into_iter().filter(|event| told(event)).map(str::to_owned).collect()
    }

    /// What a lead's conversion is worth: by its custom field, by what it was `sold` for, or else by the goal.
    #[must_use]
    pub fn worth_of<'a>(
        &self,
        goal: &'a Goal,
        custom_fields: &Map<String, Value>,
        sold: Option<Worth<'a>>,
    ) -> Option<Worth<'a>> {
        let said = self.value_field.as_ref().and_then(|field| match custom_fields.get(field)? {
            Value::Number(number) => number.as_f64().and_then(Amount::of),
            Value::String(text) => Amount::read(text),
            _ => None,
        });
        let in_its_currency = |value| Worth { value, currency: goal.currency.as_deref() };
        said.map(in_its_currency).or(sold).or_else(|| goal.value.map(in_its_currency))
    }
}

/// The delivery of a lead's conversion: one for each goal, however often the lead reaches it. By this id platforms know
/// a repeat, too.
#[must_use]
pub fn conversion_of(lead: LeadId, goal: &str, destination: DestinationId) -> DeliveryId {
    delivery_for(derived("leadline conversion v1", &[lead.0.as_bytes(), goal.as_bytes()]), destination)
}

/// Longer than any that was seen.
const LONGEST_ID: usize = 500;

/// Whether a text could be the id of a click: what is not would be refused, or compute in somebody's spreadsheet.
fn is_click_id(text: &str) -> bool {
    let is_of_an_id = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'%');
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(is_of_an_id)
}

fn click_id<'a>(touch: &'a Touch, name: &str) -> Option<&'a str> {
    touch.params.click_ids.get(name).map(String::as_str).filter(|id| is_click_id(id))
}

/// What Google knows a click by: one of these, and never two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoogleClick<'a> {
    /// `gclid`.
    Gclid(&'a str),
    /// `gbraid`: a click that led into an app on iOS.
    Gbraid(&'a str),
    /// `wbraid`: a click out of an app on iOS.
    Wbraid(&'a str),
}

impl<'a> GoogleClick<'a> {
    /// The click of the latest of these touches that has one.
    #[must_use]
    pub fn latest(touches: &'a [Touch]) -> Option<Self> {
        newest_first(touches).into_iter().find_map(|touch| {
            let gclid = click_id(touch, "gclid").map(Self::Gclid);
            let gbraid = || click_id(touch, "gbraid").map(Self::Gbraid);
            let wbraid = || click_id(touch, "wbraid").map(Self::Wbraid);
            gclid.or_else(gbraid).or_else(wbraid)
        })
    }

    /// The name that Google has for it, and the id.
    #[must_use]
    pub const fn named(self) -> (&'static str, &'a str) {
        match self {
            Self::Gclid(id) => ("gclid", id),
            Self::Gbraid(id) => ("gbraid", id),
            Self::Wbraid(id) => ("wbraid", id),
        }
    }
}

/// What Meta knows a browser by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MetaClick {
    /// The click, as its cookie has it or as it is built where there was no cookie.
    pub fbc: Option<String>,
    /// The browser.
    pub fbp: Option<String>,
}

impl MetaClick {
    /// The latest of each among these touches.
    #[must_use]
    pub fn latest(touches: &[Touch]) -> Self {
        let touches = newest_first(touches);
        let cookie = |touch: &Touch, name| click_id(touch, name).filter(|id| id.starts_with("fb.")).map(str::to_owned);
        let fbc = |touch: &&Touch| {
            let built = || {
                let id = click_id(touch, "fbclid")?;
                // 1 stands for a domain of two parts, which is what Meta asks of servers that set no cookie.
                Some(format!("fb.1.{}.{id}", touch.at.0))
            };
            cookie(touch, "fbc").or_else(built)
        };
        Self { fbc: touches.iter().find_map(fbc), fbp: touches.iter().find_map(|touch| cookie(touch, "fbp")) }
    }
}

fn newest_first(touches: &[Touch]) -> Vec<&Touch> {
    let mut touches: Vec<&Touch> = touches.iter().collect();
    // Stable, so that of two at one time the one that was named first counts.
    touches.sort_by_key(|touch| std::cmp::Reverse(touch.at));
    touches
}

/// Meta refuses a whole request for an event that is older.
pub const META_OLDEST_MS: i64 = 7 * DAY_MS;

/// A time as Google Ads reads it, in UTC: `2026-01-05 08:00:00`, to which requests add the zone.
#[must_use]
pub fn google_time(at: Timestamp) -> String {
    at.in_seconds().replace('T', " ").replace('Z', "")
}

/// An e-mail address as Google hashes it: of its own service's addresses without the dots in front of the `@`.
#[must_use]
pub fn google_email(email: &str) -> String {
    let email = plain_email(email);
    match email.rsplit_once('@') {
        Some((local, domain @ ("gmail.com" | "googlemail.com"))) => format!("{}@{domain}", local.replace('.', "")),
        Some(_) | None => email,
    }
}

/// An e-mail address as Meta hashes it.
#[must_use]
pub fn plain_email(email: &str) -> String {
    email.trim().to_lowercase()
}

/// A phone number as Meta hashes it: digits with the country's, no plus and no zero in front. `None` without a country.
#[must_use]
pub fn meta_phone(e164: &str) -> Option<String> {
    let digits: String = e164.strip_prefix('+')?.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (!digits.is_empty()).then(|| digits.to_owned())
}

#[cfg(test)]
mod tests;
