//! With what and from where the demonstration's visitors come.

use leadline_domain::{
    context::{Context, Location, Place},
    networks::{Marks, Network},
};

pub(crate) const USER_AGENTS: [&str; 5] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0",
];

/// Where a visitor is: country, region, city, postal code, timezone and language.
const PLACES: [[&str; 6]; 5] = [
    ["GB", "England", "Bristol", "BS1", "Europe/London", "en-GB"],
    ["GB", "England", "London", "E14", "Europe/London", "en-GB"],
    ["IE", "Leinster", "Dublin", "D02", "Europe/Dublin", "en-IE"],
    ["DE", "Hamburg", "Hamburg", "20457", "Europe/Berlin", "de-DE"],
    ["US", "Massachusetts", "Boston", "02110", "America/New_York", "en-US"],
];

/// On whose network, place by place.
const NETWORKS: [(u32, &str); PLACES.len()] = [
    (2856, "British Telecommunications PLC"),
    (5607, "Sky UK Limited"),
    (5466, "Eircom Limited"),
    (3320, "Deutsche Telekom AG"),
    (7922, "Comcast Cable Communications, LLC"),
];

/// What would be found out about a visitor with this user agent, always the same for one `number`.
pub(crate) fn context(number: usize, user_agent: &str) -> Context {
    let [country, region, city, postal_code, timezone, language] = PLACES[number % PLACES.len()];
    let (asn, organisation) = NETWORKS[number % NETWORKS.len()];
    let place = Place {
        country: Some(country),
        region: Some(region),
        city: Some(city),
        postal_code: Some(postal_code),
        timezone: Some(timezone),
        ..Place::default()
    };
    let mut context = Context {
        location: Location::of(&place),
        network: Network::of(Some(asn), Some(organisation), Marks::default()),
        language: Some(language.to_owned()),
        ..Context::default()
    };
    context.read_user_agent(user_agent);
    context
}
