//! The body of a request to Meta's Conversions API, with one event.

use leadline_domain::{
    conversions::{ActionSource, META_OLDEST_MS, MetaClick, meta_phone, plain_email},
    ids::DeliveryId,
    time::{SECOND_MS, Timestamp},
};
use serde::Serialize;

use super::{Conversion, NotSent, hashed};
use crate::delivery::payload::facts::Facts;

#[derive(Serialize)]
struct Events<'a> {
    data: [Event<'a>; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    test_event_code: Option<&'a str>,
}

#[derive(Serialize)]
struct Event<'a> {
    event_name: &'a str,
    event_time: i64,
    /// By which Meta knows a repeat.
    event_id: DeliveryId,
    action_source: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event_source_url: Option<String>,
    user_data: UserData,
    custom_data: CustomData<'a>,
}

#[derive(Serialize)]
struct UserData {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    em: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ph: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_id: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fbc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fbp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lead_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ip_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_user_agent: Option<String>,
}

#[derive(Serialize)]
struct CustomData<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    /// What Meta asks of events out of a program for leads.
    event_source: &'static str,
    lead_event_source: &'static str,
}

pub(super) fn text(conversion: &Conversion<'_>, now: Timestamp) -> Result<String, NotSent> {
    let Conversion { facts, conversions, goal, touches, .. } = conversion;
    if now.ms_since(facts.created_at) > META_OLDEST_MS {
        return Err(NotSent::new("it is more than seven days old, and Meta takes none of that age"));
    }
    let user_data = user_data(facts, MetaClick::latest(touches));
    if !user_data.can_be_matched() {
        return Err(NotSent::new(
            "nothing of the lead can be matched by Meta: no e-mail address, no phone number with its country, no click \
             (fbclid, fbc), no browser id (fbp) and no lead of its own forms",
        ));
    }
    let page = facts.submission.as_ref().and_then(|one| one.page_url);
    let action_source = match conversions.action_source {
        // Meta refuses what is said to come from a website without browser and page.
        ActionSource::Website if page.is_some() && user_data.client_user_agent.is_some() => ActionSource::Website,
        ActionSource::Website | ActionSource::SystemGenerated => ActionSource::SystemGenerated,
    };
    let worth = conversion.worth();
    let events = Events {
        data: [Event {
            event_name: &goal.name,
            event_time: facts.created_at.0.div_euclid(SECOND_MS),
            event_id: facts.delivery_id,
            action_source: action_source.as_str(),
            event_source_url: page.filter(|_| action_source == ActionSource::Website).map(str::to_owned),
            user_data,
            custom_data: CustomData {
                value: worth.map(|worth| worth.value.value()),
                currency: worth.and_then(|worth| worth.currency),
                event_source: "crm",
                lead_event_source: "Leadline",
            },
        }],
        test_event_code: conversions.test_event_code.as_deref(),
    };
    Ok(serde_json::to_string(&events).expect("texts and numbers can be written"))
}

impl UserData {
    /// Whether Meta can find somebody by it. An address of the network and the name of a browser are many people's, and
    /// our own id is nobody's there.
    fn can_be_matched(&self) -> bool {
        let is_a_person = !self.em.is_empty() || !self.ph.is_empty();
        is_a_person || [&self.fbc, &self.fbp, &self.lead_id].into_iter().any(Option::is_some)
    }
}

fn user_data(facts: &Facts<'_>, click: MetaClick) -> UserData {
    let browser = facts.browser();
    let phone = facts.lead.phone.and_then(meta_phone);
    UserData {
        em: facts.lead.email.map(|email| hashed(&plain_email(email))).into_iter().collect(),
        ph: phone.map(|phone| hashed(&phone)).into_iter().collect(),
        external_id: facts.contact_id.map(|id| hashed(&id.to_string())).into_iter().collect(),
        fbc: click.fbc,
        fbp: click.fbp,
        lead_id: lead_of_meta(facts),
        client_ip_address: browser.and_then(|one| one.ip).map(str::to_owned),
        client_user_agent: browser.and_then(|one| one.user_agent).map(str::to_owned),
    }
}

/// Meta's own id of a lead that came by its forms: 15 to 17 digits.
fn lead_of_meta(facts: &Facts<'_>) -> Option<String> {
    let record = facts.submission.as_ref()?.unpacked()?.record?;
    let id = record.strip_prefix("facebook ")?;
    let is_one = (15..=17).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    is_one.then(|| id.to_owned())
}
