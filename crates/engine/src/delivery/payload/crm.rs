//! The payload `crm`: everything that is known of a lead, flat and in `snake_case`, for CRMs behind Make and its like.
//!
//! Every key is there for every lead. What the visitor's browser would have told is 0, `Cold` or null for leads that
//! came without one.

use leadline_domain::{
    ids::{DeliveryId, LeadId, SubmissionId},
    networks::Network,
    phones,
    scores::{NetworkFact, engagement_label, suspicion_label},
};
use serde::Serialize;
use serde_json::{Map, Value, value::RawValue};

use super::{facts::Facts, visits::Visit};

#[derive(Serialize)]
struct Crm<'a> {
    event: &'a str,
    // Contact
    first_name: Option<&'a str>,
    phone_mobile: Option<String>,
    email: Option<&'a str>,
    email1: Option<&'a str>,
    country_code: Option<String>,
    // Project
    project_name: Option<&'a str>,
    user_location: Option<String>,
    lead_source: String,
    source_team: Option<String>,
    // Place
    user_country: Option<&'a str>,
    user_city: Option<&'a str>,
    user_timezone: Option<&'a str>,
    user_region: Option<&'a str>,
    // Behaviour
    engagement_score: i64,
    engagement_label: &'static str,
    session_duration_seconds: i64,
    pages_visited: i64,
    return_visits: i64,
    // Fraud
    suspicion_score: i64,
    suspicion_reasons: &'a [String],
    time_to_submit: Option<i64>,
    form_submit_count: i64,
    // Identity
    visitor_id: Option<&'a str>,
    session_id: Option<&'a str>,
    vpn_suspected: bool,
    // Context
    related_projects: &'a [String],
    refered_by: Option<String>,
    searched_keyword: Option<String>,
    user_agent: Option<&'a str>,
    user_ip: Option<&'a str>,
    // Status
    is_duplicate: bool,
    is_bot_lead: bool,
    test_lead: bool,
    dev_environment: bool,
    // For calling back
    lead_public_id: Option<LeadId>,
    lead_submission_public_id: Option<SubmissionId>,
    lead_id: Option<i64>,
    lead_submission_id: Option<i64>,
    make_send_public_id: DeliveryId,
    // What else a CRM cannot do without
    message: Option<&'a str>,
    custom_fields: &'a RawValue,
}

/// The text that is sent and signed.
pub(super) fn text(facts: &Facts<'_>) -> String {
    serde_json::to_string(&crm(facts)).expect("texts, numbers and JSON that was read before can be written")
}

fn crm<'a>(facts: &'a Facts<'_>) -> Crm<'a> {
    let lead = &facts.lead;
    let last = Visit::read(lead.last_touch);
    let place = facts.context.location.as_ref();
    let submission = facts.submission.as_ref();
    let custom = facts.custom_fields();
    let engagement = facts.visit.engagement.unwrap_or(0);
    let suspicion = lead.suspicion.unwrap_or(0);
    let is_honeypot = facts.suspicion_reasons.iter().any(|code| code == "honeypot_filled");
    Crm {
        event: facts.event,
        first_name: facts.name(),
        phone_mobile: lead.phone.map(phones::dashed).or_else(|| facts.phone_raw.map(str::to_owned)),
        email: lead.email,
        email1: lead.email,
        country_code: lead.phone.and_then(phones::calling_code).or_else(|| facts.country_code.map(str::to_owned)),
        project_name: lead.project_name,
        user_location: field(&custom, &["location", "userLocation"]),
        lead_source: field(&custom, &["leadSource"]).unwrap_or_else(|| lead.source_name.to_owned()),
        source_team: field(&custom, &["team", "teamName", "sourceTeam"]),
        user_country: place.and_then(|place| place.country.as_deref()),
        user_city: place.and_then(|place| place.city.as_deref()),
        user_timezone: place.and_then(|place| place.timezone.as_deref()).or(facts.context.timezone.as_deref()),
        user_region: place.and_then(|place| place.region.as_deref()),
        engagement_score: engagement,
        engagement_label: engagement_label(i32::try_from(engagement).unwrap_or(i32::MAX)),
        session_duration_seconds: facts.visit.session_duration_seconds.unwrap_or(0),
        pages_visited: facts.visit.pages_visited.unwrap_or(0),
        return_visits: facts.visit.return_visits.unwrap_or(0),
        suspicion_score: suspicion,
        suspicion_reasons: &facts.suspicion_reasons,
        time_to_submit: submission.and_then(|one| one.time_to_submit_ms),
        form_submit_count: lead.submission_count,
        visitor_id: facts.visit.visitor_id.as_deref(),
        session_id: facts.visit.session_id.as_deref(),
        vpn_suspected: facts.context.network.as_ref().map(Network::fact).is_some_and(is_vpn),
        related_projects: &facts.related_projects,
        refered_by: submission.and_then(|one| one.referrer.map(str::to_owned)).or(last.params.referrer),
        searched_keyword: last.params.utm_term.or(last.keyword),
        user_agent: facts.browser().and_then(|one| one.user_agent),
        user_ip: facts.browser().and_then(|one| one.ip),
        is_duplicate: lead.submission_count > 1,
        is_bot_lead: is_honeypot || suspicion_label(i32::try_from(suspicion).unwrap_or(i32::MAX)) == "likely_bot",
        test_lead: facts.is_test,
        dev_environment: facts.environment == "development",
        lead_public_id: lead.id,
        lead_submission_public_id: submission.and_then(|one| one.id),
        lead_id: lead.number,
        lead_submission_id: submission.and_then(|one| one.id).map(whole_number),
        make_send_public_id: facts.delivery_id,
        message: submission.and_then(|one| one.message),
        custom_fields: lead.custom_fields,
    }
}

const fn is_vpn(network: NetworkFact) -> bool {
    matches!(network, NetworkFact::Vpn | NetworkFact::PossiblyVpn)
}

fn field(custom: &Map<String, Value>, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| custom.get(*key)?.as_str().map(str::to_owned))
}

/// An id as a whole number, for receivers that take no other: 53 bits of its hash, which JavaScript holds exactly. That
/// two of a million submissions share one has a chance of one in 18,000; the id beside it is the one to go by.
fn whole_number(SubmissionId(id): SubmissionId) -> i64 {
    let hash = blake3::hash(id.as_bytes());
    let first: [u8; 8] = std::array::from_fn(|index| hash.as_bytes()[index]);
    i64::from_be_bytes(first) & ((1 << 53) - 1)
}
