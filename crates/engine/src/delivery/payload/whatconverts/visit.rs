//! Where the lead came from, and with what.

use leadline_domain::agents::{Device, Kind};
use serde_json::json;

use super::{Facts, Rule::Latest, known::Known};
use crate::delivery::payload::visits::Visit;

pub(super) fn pages_and_device(facts: &Facts<'_>) -> Vec<Known> {
    let [first, last] = [facts.lead.first_touch, facts.lead.last_touch].map(Visit::read);
    let page = facts.submission.as_ref().and_then(|one| one.page_url.map(str::to_owned)).or(last.params.page_url);
    let device = facts.context.device.clone().unwrap_or_default();
    let kind = kind_of(&device);
    vec![
        ("lead_url", Latest, json!(page)),
        ("landing_url", Latest, json!(first.params.page_url)),
        ("operating_system", Latest, json!(joined(device.os, device.os_version))),
        ("browser", Latest, json!(joined(device.browser, device.browser_version))),
        ("device_type", Latest, json!(kind)),
        ("device_make", Latest, json!(joined(device.make, device.model))),
    ]
}

fn joined(name: Option<String>, detail: Option<String>) -> Option<String> {
    let name = name?;
    Some(detail.map_or_else(|| name.clone(), |detail| format!("{name} {detail}")))
}

fn kind_of(device: &Device) -> Option<&'static str> {
    match device.kind {
        Kind::Desktop => Some("Desktop"),
        Kind::Smartphone => Some("Smartphone"),
        Kind::Tablet => Some("Tablet"),
        Kind::Tv => Some("TV"),
        Kind::Console => Some("Console"),
        Kind::Bot => Some("Bot"),
        Kind::Other => None,
    }
}

/// Of one visit, so that no campaign is credited with another one's keyword: the last that came from somewhere.
pub(super) fn origin(facts: &Facts<'_>) -> Vec<Known> {
    let [first, last] = [facts.lead.first_touch, facts.lead.last_touch].map(Visit::read);
    let visit = if last.tells_of_an_origin() || !first.tells_of_an_origin() { last } else { first };
    let params = visit.params;
    vec![
        ("lead_source", Latest, json!(params.utm_source.or(visit.source))),
        ("lead_medium", Latest, json!(params.utm_medium.or(visit.channel))),
        ("lead_campaign", Latest, json!(params.utm_campaign)),
        ("lead_content", Latest, json!(params.utm_content)),
        ("lead_keyword", Latest, json!(params.utm_term.or(visit.keyword))),
        ("ip_address", Latest, json!(facts.browser().and_then(|one| one.ip))),
    ]
}

pub(super) fn place(facts: &Facts<'_>) -> Vec<Known> {
    let place = facts.context.location.clone().unwrap_or_default();
    vec![
        ("city", Latest, json!(place.city)),
        ("state", Latest, json!(place.region_code.or(place.region))),
        ("zip", Latest, json!(place.postal_code)),
        ("country", Latest, json!(place.country)),
    ]
}

/// The ids of clicks and of other programs, and ours for them where it is another.
const IDS: [(&str, Option<&str>); 15] = [
    ("gclid", None),
    ("msclkid", None),
    ("unbounce_page_id", None),
    ("unbounce_variant_id", None),
    ("unbounce_visitor_id", None),
    ("salesforce_user_id", None),
    ("roistat_visit_id", None),
    ("hubspot_visitor_id", None),
    ("facebook_browser_id", Some("fbp")),
    ("facebook_click_id", Some("fbc")),
    ("google_analytics_client_id", None),
    ("vwo_account_id", None),
    ("vwo_experiment_id", None),
    ("vwo_variant_id", None),
    ("vwo_user_id", None),
];

/// Those of the last visit, and what only the first one had.
pub(super) fn ids(facts: &Facts<'_>) -> Vec<Known> {
    let visits = [facts.lead.last_touch, facts.lead.first_touch].map(Visit::read);
    let id = |name: &str| {
        let of_visit = |visit: &Visit| visit.params.click_ids.get(name).or(visit.params.program_ids.get(name)).cloned();
        visits.iter().find_map(of_visit)
    };
    IDS.into_iter().map(|(name, ours)| (name, Latest, json!(id(ours.unwrap_or(name))))).collect()
}
