//! What was found out about the visitor behind a submission: where they are, on whose network, with which device and in
//! which language.
//!
//! The pieces come from elsewhere: from a proxy in front of us, from databases of addresses, from the browser's own
//! words. All of it is a hint for people and for scores; nobody is recognised by it.

use serde::{Deserialize, Serialize};

use crate::{
    agents::{self, Device},
    networks::Network,
    scores::NetworkFact,
    timezones,
};

/// The longest name of a place that is kept, in characters.
const NAME_MAX_CHARS: usize = 100;

/// More languages than anybody asks for.
const LANGUAGES_MAX: usize = 50;

/// What was found out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Context {
    /// Where the address is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Whose network it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// What the visitor holds in their hands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The language that the browser asks for first (`pt-BR`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The timezone of the browser's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// Where an address is, as well as is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Location {
    /// The ISO code of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The region's name, or its code where that is all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The region's code inside the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_code: Option<String>,
    /// The city.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// The postal code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The timezone there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

/// What is said of a place, by whomever.
#[derive(Debug, Clone, Copy, Default)]
#[expect(missing_docs, reason = "the fields of Location before they were looked at")]
pub struct Place<'a> {
    pub country: Option<&'a str>,
    pub region: Option<&'a str>,
    pub region_code: Option<&'a str>,
    pub city: Option<&'a str>,
    pub postal_code: Option<&'a str>,
    pub timezone: Option<&'a str>,
}

impl Context {
    /// Nothing was found out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what the user agent says.
    pub fn read_user_agent(&mut self, user_agent: &str) {
        if self.device.is_none() {
            self.device = agents::read(user_agent);
        }
    }

    /// Adds what a database says of the address. What is known already counts more, and only a place in the same
    /// country completes it.
    pub fn complete(&mut self, location: Option<Location>, network: Option<Network>) {
        self.location = match (self.location.take(), location) {
            (Some(ours), Some(theirs)) => Some(ours.completed(theirs)),
            (ours, theirs) => ours.or(theirs),
        };
        self.network = self.network.take().or(network);
    }

    /// Adds what the browser says of its clock.
    pub fn read_timezone(&mut self, timezone: Option<&str>) {
        self.timezone = timezone.filter(|name| timezones::is_known(name)).map(str::to_owned);
    }

    /// What the network means for suspicion.
    #[must_use]
    pub fn network_fact(&self) -> Option<NetworkFact> {
        self.network.as_ref().map(Network::fact)
    }

    /// Whether the browser's clock is far from the country of the address.
    #[must_use]
    pub fn timezone_is_far(&self) -> Option<bool> {
        timezones::is_far(self.timezone.as_deref()?, self.location.as_ref()?.country.as_deref()?)
    }
}

impl Location {
    /// A place as it is kept; `None` where nothing is said of it.
    #[must_use]
    pub fn of(place: &Place<'_>) -> Option<Self> {
        let region_code = place.region_code.and_then(name);
        let location = Self {
            country: place.country.and_then(country),
            region: place.region.and_then(name).or_else(|| region_code.clone()),
            region_code,
            city: place.city.and_then(name),
            postal_code: place.postal_code.and_then(name),
            timezone: place.timezone.map(str::trim).filter(|zone| timezones::is_known(zone)).map(str::to_owned),
        };
        (location != Self::default()).then_some(location)
    }

    fn completed(self, other: Self) -> Self {
        let is_elsewhere = self.country.is_some() && other.country.is_some() && self.country != other.country;
        let is_another_city = self.city.is_some() && other.city.is_some() && self.city != other.city;
        if is_elsewhere || is_another_city {
            return self;
        }
        Self {
            country: self.country.or(other.country),
            region: self.region.or(other.region),
            region_code: self.region_code.or(other.region_code),
            city: self.city.or(other.city),
            postal_code: self.postal_code.or(other.postal_code),
            timezone: self.timezone.or(other.timezone),
        }
    }
}

/// `XX` is said where nothing is known.
fn country(code: &str) -> Option<String> {
    let code = code.trim().to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    (is_code && code != "XX" && code != "ZZ").then_some(code)
}

fn name(text: &str) -> Option<String> {
    let text: String = text.trim().chars().filter(|letter| !letter.is_control()).take(NAME_MAX_CHARS).collect();
    let says_nothing = matches!(text.to_ascii_lowercase().as_str(), "" | "-" | "?" | "unknown" | "undefined" | "null");
    (!says_nothing).then_some(text)
}

/// The language that an `Accept-Language` asks for first, as it is written: `pt-BR`.
#[must_use]
pub fn language_of(accept_language: &str) -> Option<String> {
    let mut best: Option<(f32, String)> = None;
    for entry in accept_language.split(',').take(LANGUAGES_MAX) {
        let (tag, weight) = entry.split_once(';').unwrap_or((entry, ""));
        let weight = weight.trim().strip_prefix("q=").map_or(Some(1.0), |weight| weight.trim().parse::<f32>().ok());
        let (Some(tag), Some(weight)) = (language_tag(tag), weight) else { continue };
        let is_better = best.as_ref().is_none_or(|(before, _)| weight > *before);
        if is_better && weight > 0.0 {
            best = Some((weight, tag));
        }
    }
    best.map(|(_, tag)| tag)
}

/// `PT-br` → `pt-BR`, `zh-hans-cn` → `zh-Hans-CN`.
fn language_tag(tag: &str) -> Option<String> {
    let mut parts = tag.trim().split(['-', '_']);
    let language = parts.next().filter(|part| matches!(part.len(), 2 | 3))?;
    let mut written = language.to_ascii_lowercase();
    for part in parts.take(2) {
        written.push('-');
        match part.len() {
            2 => written.push_str(&part.to_ascii_uppercase()),
            4 => {
                let (first, rest) = part.split_at_checked(1)?;
                written.push_str(&first.to_ascii_uppercase());
                written.push_str(&rest.to_ascii_lowercase());
            }
            3 | 5..=8 => written.push_str(&part.to_ascii_lowercase()),
            _ => return None,
        }
    }
    written.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-').then_some(written)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("de-AT,de;q=0.9,en;q=0.8", Some("de-AT"))]
    #[case("en;q=0.5, PT-br", Some("pt-BR"))]
    #[case("zh-hans-cn", Some("zh-Hans-CN"))]
    #[case("es-419,es;q=0.9", Some("es-419"))]
    #[case("*", None)]
    #[case("en;q=0", None)]
    #[case("en;q=nonsense, fr;q=0.1", Some("fr"))]
    #[case("<script>", None)]
    #[case("日本語", None)]
    #[case("", None)]
    fn the_language_asked_for_first_is_taken(#[case] header: &str, #[case] expected: Option<&str>) {
        assert_eq!(language_of(header).as_deref(), expected);
    }

    #[test]
    fn an_endless_list_of_languages_is_cut() {
        assert_eq!(language_of(&"de,".repeat(100_000)).as_deref(), Some("de"));
        assert_eq!(language_of(&"日".repeat(100_000)), None);
    }

    fn germany() -> Location {
        Location { country: Some("DE".into()), ..Location::default() }
    }

    #[test]
    fn only_a_place_in_the_same_country_completes_what_is_known() {
        let berlin =
            Place { country: Some("de"), city: Some("Berlin"), timezone: Some("Europe/Berlin"), ..Place::default() };
        let paris = Place { country: Some("FR"), city: Some("Paris"), ..Place::default() };
        let mut completed = Context { location: Some(germany()), ..Context::default() };
        let mut kept = completed.clone();

        completed.complete(Location::of(&berlin), None);
        kept.complete(Location::of(&paris), None);

        assert_eq!(completed.location.and_then(|place| place.city).as_deref(), Some("Berlin"));
        assert_eq!(kept.location, Some(germany()));
    }

    #[rstest]
    #[case::unknown_country(Place { country: Some("XX"), ..Place::default() })]
    #[case::no_code(Place { country: Some("Germany"), ..Place::default() })]
    #[case::unknown_city(Place { city: Some(" unknown "), ..Place::default() })]
    #[case::no_zone(Place { timezone: Some("Mars/Olympus"), ..Place::default() })]
    fn what_says_nothing_is_no_place(#[case] place: Place<'_>) {
        assert_eq!(Location::of(&place), None);
    }

    #[test]
    fn names_of_places_are_bounded() {
        let long = "ß".repeat(5_000);

        let location = Location::of(&Place { city: Some(&long), ..Place::default() }).expect("a place");

        assert_eq!(location.city.map(|city| city.chars().count()), Some(100));
    }

    #[test]
    fn a_clock_is_far_only_where_both_are_known() {
        let mut context = Context { location: Some(germany()), ..Context::default() };
        assert_eq!(context.timezone_is_far(), None);

        context.read_timezone(Some("Asia/Tokyo"));
        assert_eq!(context.timezone_is_far(), Some(true));

        context.read_timezone(Some("not a zone"));
        assert_eq!(context.timezone_is_far(), None);
    }
}
