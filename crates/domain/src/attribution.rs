//! Where a visitor came from: UTM parameters, click ids and the ids of other programs, read from fields and from the
//! page's address.
//!
//! A [`Touch`] is one such visit at a time. The first and the last touch of a lead are kept by whoever stores leads.
//! How a visit came about is read from it in `referrers`.

use std::{
    collections::{BTreeMap, HashMap},
    sync::LazyLock,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{referrers, time::Timestamp};

/// The click ids that are kept, as the ad platforms spell them.
pub const CLICK_IDS: [&str; 19] = [
    "gclid",
    "gbraid",
    "wbraid",
    "dclid",
    "gclsrc",
    "msclkid",
    "fbclid",
    "fbp",
    "fbc",
    "ttclid",
    "twclid",
    "li_fat_id",
    "igshid",
    "yclid",
    "epik",
    "sccid",
    "rdt_cid",
    "ctwa_clid",
    "irclickid",
];

/// The ids under which other programs know the visitor.
pub const PROGRAM_IDS: [&str; 11] = [
    "google_analytics_client_id",
    "unbounce_page_id",
    "unbounce_variant_id",
    "unbounce_visitor_id",
    "vwo_account_id",
    "vwo_experiment_id",
    "vwo_variant_id",
    "vwo_user_id",
    "salesforce_user_id",
    "roistat_visit_id",
    "hubspot_visitor_id",
];

/// Further names for click ids and for the ids of programs, without anything but letters and digits.
const OTHER_NAMES: [(&str, Param); 20] = [
    ("googleclickid", Param::ClickId("gclid")),
    ("microsoftclickid", Param::ClickId("msclkid")),
    ("bingclickid", Param::ClickId("msclkid")),
    ("facebookbrowserid", Param::ClickId("fbp")),
    ("fbbrowserid", Param::ClickId("fbp")),
    ("facebookclickid", Param::ClickId("fbc")),
    ("fbclickid", Param::ClickId("fbc")),
    ("tiktokclickid", Param::ClickId("ttclid")),
    ("gaclientid", Param::ProgramId("google_analytics_client_id")),
    ("gacid", Param::ProgramId("google_analytics_client_id")),
    ("googleclientid", Param::ProgramId("google_analytics_client_id")),
    ("unbouncevariant", Param::ProgramId("unbounce_variant_id")),
    ("vwovariationid", Param::ProgramId("vwo_variant_id")),
    ("vwouuid", Param::ProgramId("vwo_user_id")),
    ("sfdcuserid", Param::ProgramId("salesforce_user_id")),
    ("roistatvisit", Param::ProgramId("roistat_visit_id")),
    ("roistatid", Param::ProgramId("roistat_visit_id")),
    ("hubspotutk", Param::ProgramId("hubspot_visitor_id")),
    ("hutk", Param::ProgramId("hubspot_visitor_id")),
    ("hubspotuserid", Param::ProgramId("hubspot_visitor_id")),
];

/// Cookies that pages copy into hidden fields under their own names. These names are exact: `_ga` is a cookie, `GA` may
/// be anything.
const COOKIES: [(&str, Param); 6] = [
    ("_ga", Param::ProgramId("google_analytics_client_id")),
    ("_gcl_aw", Param::ClickId("gclid")),
    ("_uetmsclkid", Param::ClickId("msclkid")),
    ("_vwo_uuid", Param::ProgramId("vwo_user_id")),
    ("roistat_visit", Param::ProgramId("roistat_visit_id")),
    ("ubvt", Param::ProgramId("unbounce_visitor_id")),
];

static NAMES: LazyLock<HashMap<String, Param>> = LazyLock::new(|| {
    let bare = |name: &str| name.replace('_', "");
    let utm = [
        ("utmsource", Param::UtmSource),
        ("utmmedium", Param::UtmMedium),
        ("utmcampaign", Param::UtmCampaign),
        ("utmterm", Param::UtmTerm),
        ("utmcontent", Param::UtmContent),
    ];
    let click_ids = CLICK_IDS.into_iter().map(|id| (bare(id), Param::ClickId(id)));
    let program_ids = PROGRAM_IDS.into_iter().map(|id| (bare(id), Param::ProgramId(id)));
    let others = utm.into_iter().chain(OTHER_NAMES).map(|(name, param)| (name.to_owned(), param));
    click_ids.chain(program_ids).chain(others).collect()
});

/// The longest UTM value or click id that is kept, in characters.
const VALUE_MAX_CHARS: usize = 500;

/// What is known of one visit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TouchParams {
    /// The page on which the form stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page_url: Option<String>,
    /// The page before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referrer: Option<String>,
    /// `utm_source`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_source: Option<String>,
    /// `utm_medium`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_medium: Option<String>,
    /// `utm_campaign`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_campaign: Option<String>,
    /// `utm_term`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_term: Option<String>,
    /// `utm_content`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub utm_content: Option<String>,
    /// Click ids by their names as the ad platforms spell them (`gclid`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub click_ids: BTreeMap<String, String>,
    /// The ids under which other programs know the visitor, by the names in [`PROGRAM_IDS`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub program_ids: BTreeMap<String, String>,
}

/// One visit at a time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Touch {
    /// When it was.
    pub at: Timestamp,
    /// Where it came from.
    #[serde(flatten)]
    pub params: TouchParams,
}

/// The longest text that is read as a touch.
const LONGEST_TOUCH_CHARS: usize = 8_000;

impl Touch {
    /// Reads the JSON that the embed script sends of an earlier visit. What is not one says nothing.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        if text.chars().count() > LONGEST_TOUCH_CHARS {
            return None;
        }
        // No database holds a NUL in JSON.
        serde_json::from_str(&text.replace("\\u0000", "")).ok()
    }

    /// How it is kept and shown: with `channel`, `source` and `keyword`, which are ours to say and never the visitor's.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Ok(Value::Object(mut json)) = serde_json::to_value(self) else { return Value::Object(Map::new()) };
        if let Some(origin) = referrers::classify(&self.params) {
            json.insert("channel".to_owned(), serde_json::to_value(origin.channel).unwrap_or_default());
            json.extend(origin.source.map(|source| ("source".to_owned(), source.into())));
            json.extend(origin.keyword.map(|keyword| ("keyword".to_owned(), keyword.into())));
        }
        Value::Object(json)
    }
}

/// A field that belongs to a touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Param {
    /// `utm_source`.
    UtmSource,
    /// `utm_medium`.
    UtmMedium,
    /// `utm_campaign`.
    UtmCampaign,
    /// `utm_term`.
    UtmTerm,
    /// `utm_content`.
    UtmContent,
    /// One of [`CLICK_IDS`].
    ClickId(&'static str),
    /// One of [`PROGRAM_IDS`].
    ProgramId(&'static str),
}

impl Param {
    /// The field of this name, in any case and with or without `_`, `-` and spaces.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        NAMES.get(&bare).copied()
    }

    /// The cookie of this name.
    #[must_use]
    pub fn of_cookie(name: &str) -> Option<Self> {
        COOKIES.into_iter().find(|(cookie, _)| *cookie == name).map(|(_, param)| param)
    }
}

impl TouchParams {
    /// Keeps `value` where there is none yet and it is not empty.
    pub fn fill(&mut self, param: Param, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        let slot = match param {
            Param::UtmSource => &mut self.utm_source,
            Param::UtmMedium => &mut self.utm_medium,
            Param::UtmCampaign => &mut self.utm_campaign,
            Param::UtmTerm => &mut self.utm_term,
            Param::UtmContent => &mut self.utm_content,
            Param::ClickId(name) => {
                self.click_ids.entry(name.to_owned()).or_insert_with(|| shortened(inside_cookie(value)));
                return;
            }
            Param::ProgramId(name) => {
                self.program_ids.entry(name.to_owned()).or_insert_with(|| shortened(inside_cookie(value)));
                return;
            }
        };
        slot.get_or_insert_with(|| shortened(value));
    }

    /// Nothing is known of the visit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Reads the UTM and click id fields among `fields`; the first non-empty value of each wins.
#[must_use]
pub fn from_fields<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> TouchParams {
    let mut params = TouchParams::default();
    for (name, value) in fields {
        if let Some(param) = Param::named(name) {
            params.fill(param, value);
        }
    }
    params
}

/// Fills what is missing from the query string of the page's address.
#[must_use]
pub fn complete(mut params: TouchParams) -> TouchParams {
    let Some(page_url) = params.page_url.clone() else { return params };
    let address = page_url.split_once('#').map_or(page_url.as_str(), |(address, _)| address);
    let Some((_, query)) = address.split_once('?') else { return params };
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        if let Some(param) = Param::named(&name) {
            params.fill(param, &value.replace('\0', ""));
        }
    }
    params
}

/// Some cookies wrap what they hold: `GA1.2.1017418163.1594157791`, `GCL.1594157791.Cj0KCQ`, `_uet5c7e`.
fn inside_cookie(value: &str) -> &str {
    let after = |dots: usize| value.splitn(dots + 1, '.').nth(dots).filter(|rest| !rest.is_empty());
    let inside = match value {
        analytics if analytics.starts_with("GA1.") => after(2),
        click if click.starts_with("GCL.") => after(2),
        click => click.strip_prefix("_uet").filter(|rest| !rest.is_empty()),
    };
    inside.unwrap_or(value)
}

fn shortened(value: &str) -> String {
    value.chars().take(VALUE_MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("utm_source", Some(Param::UtmSource))]
    #[case("UTM-Campaign", Some(Param::UtmCampaign))]
    #[case("utmContent", Some(Param::UtmContent))]
    #[case("_fbp", Some(Param::ClickId("fbp")))]
    #[case("LI_FAT_ID", Some(Param::ClickId("li_fat_id")))]
    #[case("ctwaClid", Some(Param::ClickId("ctwa_clid")))]
    #[case("facebook_click_id", Some(Param::ClickId("fbc")))]
    #[case("Unbounce Page ID", Some(Param::ProgramId("unbounce_page_id")))]
    #[case("hubspotutk", Some(Param::ProgramId("hubspot_visitor_id")))]
    #[case("GA", None)]
    #[case("source", None)]
    #[case("", None)]
    fn touch_fields_are_known_in_any_spelling(#[case] name: &str, #[case] expected: Option<Param>) {
        assert_eq!(Param::named(name), expected);
    }

    #[rstest]
    #[case("_ga", "GA1.2.1017418163.1594157791", "1017418163.1594157791")]
    #[case("_gcl_aw", "GCL.1594157791.Cj0KCQjw_abc.def", "Cj0KCQjw_abc.def")]
    #[case("_uetmsclkid", "_uet5c7e0d", "5c7e0d")]
    #[case("_vwo_uuid", "D4A14C3EFD6DB2A5", "D4A14C3EFD6DB2A5")]
    #[case("_ga", "GA1.2.", "GA1.2.")]
    fn an_id_is_taken_out_of_its_cookie(#[case] cookie: &str, #[case] value: &str, #[case] expected: &str) {
        let mut params = TouchParams::default();

        params.fill(Param::of_cookie(cookie).expect("a known cookie"), value);

        let kept = params.click_ids.values().chain(params.program_ids.values()).next();
        assert_eq!(kept.map(String::as_str), Some(expected));
    }

    #[test]
    fn the_channel_is_ours_to_say() {
        let claimed = r#"{"at": "1970-01-01T00:00:00.000Z", "pageUrl": "https://example.com/", "channel": "paid"}"#;

        let kept = Touch::read(claimed).expect("a touch").to_json();

        assert_eq!(kept["channel"], "direct");
    }

    #[test]
    fn the_first_non_empty_value_wins() {
        let params = from_fields([("utm_source", " "), ("UTM_Source", "google"), ("utm_source", "bing"), ("x", "y")]);

        assert_eq!(params, TouchParams { utm_source: Some("google".to_owned()), ..TouchParams::default() });
    }

    #[test]
    fn the_page_address_fills_only_what_is_missing() {
        let given = TouchParams {
            page_url: Some(
                "https://example.com/a?utm_source=mail&utm_medium=e%20mail&gclid=G-1&x=1#utm_term=no".into(),
            ),
            utm_source: Some("google".to_owned()),
            ..TouchParams::default()
        };

        let completed = complete(given.clone());

        assert_eq!(completed.utm_source, given.utm_source);
        assert_eq!(completed.utm_medium.as_deref(), Some("e mail"));
        assert_eq!(completed.utm_term, None);
        assert_eq!(completed.click_ids, BTreeMap::from([("gclid".to_owned(), "G-1".to_owned())]));
    }

    #[rstest]
    #[case("/only/a/path?utm_source=a")]
    #[case("not a url ?utm_source=a")]
    #[case("?utm_source=a")]
    fn an_address_need_not_be_whole(#[case] page_url: &str) {
        let params = complete(TouchParams { page_url: Some(page_url.to_owned()), ..TouchParams::default() });

        assert_eq!(params.utm_source.as_deref(), Some("a"));
    }

    #[rstest]
    #[case("https://example.com/#/step?utm_source=a")]
    #[case("https://example.com/#?utm_source=a")]
    #[case("https://example.com/?")]
    #[case("")]
    fn what_is_no_query_fills_nothing(#[case] page_url: &str) {
        let given = TouchParams { page_url: Some(page_url.to_owned()), ..TouchParams::default() };

        assert_eq!(complete(given.clone()), given);
    }

    #[test]
    fn long_values_are_cut_between_characters() {
        let params = from_fields([("gclid", "ä".repeat(600).as_str())]);

        assert_eq!(params.click_ids["gclid"].chars().count(), 500);
    }

    #[test]
    fn a_touch_reads_and_writes_as_camel_case_without_what_is_missing() {
        let touch = Touch { at: Timestamp(0), params: from_fields([("utm_source", "google"), ("gclid", "1")]) };

        let json = serde_json::to_value(&touch).expect("a touch is plain data");

        assert_eq!(
            json,
            serde_json::json!({"at": "1970-01-01T00:00:00.000Z", "utmSource": "google", "clickIds": {"gclid": "1"}})
        );
        assert_eq!(serde_json::from_value::<Touch>(json).ok(), Some(touch));
    }
}
