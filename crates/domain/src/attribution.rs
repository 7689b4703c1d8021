//! Where a visitor came from: UTM parameters and click ids, read from fields and from the page's address.
//!
//! A [`Touch`] is one such visit at a time. The first and the last touch of a lead are kept by whoever stores leads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// The click ids that are kept, as the ad platforms spell them.
pub const CLICK_IDS: [&str; 18] = [
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
];

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
}

impl Param {
    /// The field of this name, in any case and with or without `_`, `-` and spaces.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let bare: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        match bare.as_str() {
            "utmsource" => Some(Self::UtmSource),
            "utmmedium" => Some(Self::UtmMedium),
            "utmcampaign" => Some(Self::UtmCampaign),
            "utmterm" => Some(Self::UtmTerm),
            "utmcontent" => Some(Self::UtmContent),
            bare => CLICK_IDS.into_iter().find(|id| id.replace('_', "") == bare).map(Self::ClickId),
        }
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
                self.click_ids.entry(name.to_owned()).or_insert_with(|| shortened(value));
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
    #[case("source", None)]
    #[case("", None)]
    fn touch_fields_are_known_in_any_spelling(#[case] name: &str, #[case] expected: Option<Param>) {
        assert_eq!(Param::named(name), expected);
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
