//! Campaigns: one message to very many people. What one says, to whom, how fast, and which of two subjects wins.
//!
//! Everything here is a rule over values. Who the recipients are is written down once, when a campaign starts; whoever
//! feeds it asks for messages in the order of these rules, and may die at any moment.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    automations::QuietHours,
    ids::{AudienceId, CampaignId, ContactId, SegmentId, derived},
    silence::Tz,
    time::{MINUTE_MS, SECOND_MS, Timestamp},
};

/// Placeholders that a campaign may fill in its own way.
pub const MAPPINGS_MAX: usize = 40;

/// The longest time until a winner is chosen: a week.
pub const TEST_MAX_MINUTES: i64 = 7 * 24 * 60;

/// The fastest pace that a campaign may ask for.
pub const PER_MINUTE_MAX: i64 = 1_000_000;

/// How a campaign stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Somebody is still writing it.
    Draft,
    /// It starts by itself.
    Scheduled,
    /// It goes out.
    Running,
    /// Somebody stopped it for a while.
    Paused,
    /// Everybody's message is settled.
    Finished,
    /// Somebody ended it, or it could not go on.
    Cancelled,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Draft, Self::Scheduled, Self::Running, Self::Paused, Self::Finished, Self::Cancelled];

    /// How it is stored and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Scheduled => "scheduled",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Finished => "finished",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether what it says and to whom may still be changed.
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Scheduled)
    }
}

/// To whom a campaign goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Audience {
    /// Leads that somebody chose.
    Audience {
        /// Which audience.
        audience_id: AudienceId,
    },
    /// Whoever is in a segment when it starts.
    Segment {
        /// Which segment.
        segment_id: SegmentId,
    },
    /// Those who got another campaign and did not answer.
    Unanswered {
        /// Which campaign.
        campaign_id: CampaignId,
    },
}

/// What stands in place of a template's placeholder.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Mapping {
    /// The value of this variable (`company`, `customFields.budget`).
    pub field: Option<String>,
    /// These words.
    pub text: Option<String>,
    /// These words where the variable has no value.
    pub fallback: Option<String>,
}

/// What is written down of who looks at a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tracking {
    /// Whether a picture tells that it was opened.
    pub opens: bool,
    /// Whether the links of the page tell that they were followed.
    pub clicks: bool,
    /// Whether those of the text do as well.
    pub text_links: bool,
}

impl Tracking {
    /// Everything but the links of the text, where they would be long to look at.
    pub const USUAL: Self = Self { opens: true, clicks: true, text_links: false };

    /// Nothing.
    pub const NONE: Self = Self { opens: false, clicks: false, text_links: false };
}

/// What a campaign says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// Subjects in place of the template's: none, one, or two of which the better one wins.
    pub subjects: Vec<String>,
    /// What stands in place of the template's placeholders, by their names.
    pub variables: BTreeMap<String, Mapping>,
    /// What is written down of who looks.
    pub tracking: Tracking,
}

impl Content {
    /// The subject of a variant; the template's own where none stands here.
    #[must_use]
    pub fn subject(&self, variant: i64) -> Option<&str> {
        let index = usize::try_from(variant).unwrap_or_default();
        self.subjects.get(index).or_else(|| self.subjects.first()).map(String::as_str)
    }

    /// What the placeholders stand for, with the campaign's own choices in place.
    #[must_use]
    pub fn values(&self, of_lead: &Value) -> Value {
        let mut values = of_lead.clone();
        for (name, mapping) in &self.variables {
            put(&mut values, name, Value::String(mapping.value(of_lead)));
        }
        values
    }
}

impl Mapping {
    fn value(&self, values: &Value) -> String {
        let found = match (&self.text, &self.field) {
            (Some(text), _) => text.clone(),
            (None, Some(field)) => text_at(values, field),
            (None, None) => String::new(),
        };
        if found.trim().is_empty() { self.fallback.clone().unwrap_or_default() } else { found }
    }
}

/// The value of a variable as text.
fn text_at(values: &Value, name: &str) -> String {
    let found = match name.strip_prefix("customFields.") {
        Some(key) => values["customFields"].get(key),
        None => values.get(name),
    };
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn put(values: &mut Value, name: &str, value: Value) {
    let Some(object) = values.as_object_mut() else { return };
    match name.strip_prefix("customFields.") {
        Some(key) => {
            let fields = object.entry("customFields").or_insert_with(|| Value::Object(Map::new()));
            if let Some(fields) = fields.as_object_mut() {
                fields.insert(key.to_owned(), value);
            }
        }
        None => {
            object.insert(name.to_owned(), value);
        }
    }
}

/// What makes a subject the better one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// How many people opened.
    Opens,
    /// How many people clicked.
    Clicks,
}

/// Two subjects are tried with some, and the better one goes to the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// How many of a hundred recipients it is tried with, half of them each subject.
    pub percent: i64,
    /// What decides.
    pub metric: Metric,
    /// When it is decided, counted from the first message.
    pub after_minutes: i64,
}

/// How a campaign goes out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Plan {
    /// How many messages a minute it asks for at most; 0 for as many as the channel takes.
    pub per_minute: i64,
    /// When nothing goes out, by the clock of whoever would get it.
    pub quiet_hours: Option<QuietHours>,
    /// Which subject is better is found out first.
    pub test: Option<Test>,
    /// By which clock its start was chosen, for the screen.
    pub timezone: Option<String>,
}

/// The part of recipients that gets a message first: those with whom subjects are tried, or everybody.
pub const FIRST_WAVE: i64 = 0;
/// The rest, once it is known which subject is better.
pub const SECOND_WAVE: i64 = 1;

/// In which wave somebody is, and with which subject. It follows from who they are, so that it is the same however often
/// it is asked, and has nothing to do with how they came into the list.
#[must_use]
pub fn place_of(campaign: CampaignId, contact: ContactId, test: Option<Test>) -> (i64, i64) {
    let Some(test) = test else { return (FIRST_WAVE, 0) };
    let drawn = derived("leadline campaign place v1", &[campaign.0.as_bytes(), contact.0.as_bytes()]);
    let bytes = drawn.into_bytes();
    let hundredths = i64::from(u16::from_be_bytes([bytes[0], bytes[1]])) * 100 / 65_536;
    if hundredths >= test.percent { (SECOND_WAVE, 0) } else { (FIRST_WAVE, i64::from(bytes[2] & 1)) }
}

/// How a subject fared among those it was tried with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tried {
    /// Messages that went out.
    pub sent: i64,
    /// People who did what decides.
    pub reacted: i64,
}

/// Which of two subjects is better: the one that more people of a hundred reacted to. The first where both are alike.
#[must_use]
pub fn winner(first: Tried, second: Tried) -> i64 {
    // Compared without dividing: a/b < c/d where a·d < c·b.
    i64::from(first.reacted * second.sent.max(1) < second.reacted * first.sent.max(1))
}

/// How many messages of a campaign may be asked for and not settled: so many that whoever sends never waits, and so few
/// that it stops soon after somebody says so.
#[must_use]
pub fn window(campaign_per_minute: i64, channel_per_minute: i64) -> i64 {
    const MOST: i64 = 2_000;
    const AHEAD_MS: i64 = 10 * SECOND_MS;
    let pace = [campaign_per_minute, channel_per_minute].into_iter().filter(|pace| *pace > 0).min();
    pace.map_or(MOST, |pace| (pace * AHEAD_MS / MINUTE_MS).clamp(5, MOST))
}

/// The moment that a clock in a timezone shows as this (`2026-01-05T09:30`). An hour that is left out in spring is that
/// hour later; of one that comes twice in autumn it is the first.
#[must_use]
pub fn moment_of(local: &str, timezone: Tz) -> Option<Timestamp> {
    let local = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"]
        .iter()
        .find_map(|format| NaiveDateTime::parse_from_str(local, format).ok())?;
    let at = |local: NaiveDateTime| timezone.from_local_datetime(&local).earliest();
    let moment = at(local).or_else(|| at(local.checked_add_signed(chrono::Duration::hours(1))?))?;
    Some(Timestamp(moment.timestamp_millis()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn test(percent: i64) -> Test {
        Test { percent, metric: Metric::Opens, after_minutes: 60 }
    }

    #[test]
    fn people_are_divided_as_they_should_be_and_always_the_same_way() {
        let campaign = CampaignId(Uuid::from_u128(7));
        let places: Vec<(i64, i64)> =
            (0..10_000).map(|n| place_of(campaign, ContactId(Uuid::from_u128(n)), Some(test(20)))).collect();

        let of = |place: (i64, i64)| places.iter().filter(|one| **one == place).count();
        assert_eq!(of((FIRST_WAVE, 0)) + of((FIRST_WAVE, 1)) + of((SECOND_WAVE, 0)), 10_000);
        assert!((850..1_150).contains(&of((FIRST_WAVE, 0))), "{}", of((FIRST_WAVE, 0)));
        assert!((850..1_150).contains(&of((FIRST_WAVE, 1))), "{}", of((FIRST_WAVE, 1)));
        let again = place_of(campaign, ContactId(Uuid::from_u128(3)), Some(test(20)));
        assert_eq!(again, places[3]);
        assert_eq!(place_of(campaign, ContactId(Uuid::from_u128(3)), None), (FIRST_WAVE, 0));
        assert_eq!(place_of(campaign, ContactId(Uuid::from_u128(3)), Some(test(100))).0, FIRST_WAVE);
    }

    #[rstest]
    #[case::first((100, 30), (100, 20), 0)]
    #[case::second((100, 20), (100, 30), 1)]
    #[case::by_share((1_000, 100), (10, 2), 1)]
    #[case::alike((100, 10), (200, 20), 0)]
    #[case::nothing((0, 0), (0, 0), 0)]
    fn the_better_subject_wins(#[case] first: (i64, i64), #[case] second: (i64, i64), #[case] expected: i64) {
        let tried = |(sent, reacted)| Tried { sent, reacted };

        assert_eq!(winner(tried(first), tried(second)), expected);
    }

    #[rstest]
    #[case::unlimited(0, 0, 2_000)]
    #[case::campaign(60, 0, 10)]
    #[case::slower_channel(6_000, 60, 10)]
    #[case::slow(1, 0, 5)]
    #[case::fast(1_000_000, 0, 2_000)]
    fn only_so_many_wait_to_be_sent(#[case] campaign: i64, #[case] channel: i64, #[case] expected: i64) {
        assert_eq!(window(campaign, channel), expected);
    }

    #[rstest]
    #[case::winter("2026-01-05T09:30", Some("2026-01-05T08:30:00Z"))]
    #[case::summer("2026-07-05 09:30", Some("2026-07-05T07:30:00Z"))]
    #[case::left_out("2026-03-29T02:30", Some("2026-03-29T01:30:00Z"))]
    #[case::twice("2026-10-25T02:30", Some("2026-10-25T00:30:00Z"))]
    #[case::no_time("2026-02-30T09:00", None)]
    #[case::nothing("", None)]
    fn a_start_is_by_the_clock_on_the_wall(#[case] local: &str, #[case] expected: Option<&str>) {
        let berlin = crate::silence::timezone("Europe/Berlin").expect("a timezone");

        assert_eq!(moment_of(local, berlin), expected.and_then(Timestamp::parse));
    }

    #[test]
    fn placeholders_stand_for_what_the_campaign_says() {
        let mapping = |field: Option<&str>, text: Option<&str>, fallback: Option<&str>| Mapping {
            field: field.map(str::to_owned),
            text: text.map(str::to_owned),
            fallback: fallback.map(str::to_owned),
        };
        let content = Content {
            subjects: vec!["A".to_owned(), "B".to_owned()],
            variables: BTreeMap::from([
                ("firstName".to_owned(), mapping(Some("customFields.nick"), None, Some("there"))),
                ("company".to_owned(), mapping(None, Some("Harbour Lofts"), None)),
                ("customFields.unit".to_owned(), mapping(Some("project"), None, None)),
                ("title".to_owned(), mapping(Some("title"), None, Some("friend"))),
            ]),
            tracking: Tracking::USUAL,
        };
        let of_lead =
            json!({"firstName": "Ada", "title": null, "project": "Website", "customFields": {"nick": "Countess"}});

        let values = content.values(&of_lead);

        assert_eq!(
            values,
            json!({"firstName": "Countess", "company": "Harbour Lofts", "title": "friend", "project": "Website",
                "customFields": {"nick": "Countess", "unit": "Website"}})
        );
        assert_eq!((content.subject(0), content.subject(1), content.subject(7)), (Some("A"), Some("B"), Some("A")));
    }
}
