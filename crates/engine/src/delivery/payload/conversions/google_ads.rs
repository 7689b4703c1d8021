//! The body of Google Ads' `uploadClickConversions`, with one conversion.

use leadline_domain::{
    conversions::{GoogleClick, google_email, google_time},
    ids::DeliveryId,
};
use serde::Serialize;

use super::{Conversion, NotSent, Purpose, hashed};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Upload<'a> {
    conversions: [ClickConversion<'a>; 1],
    /// Google asks for it always. What it refuses then stands in an answer of 200.
    partial_failure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    validate_only: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ClickConversion<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    gclid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gbraid: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wbraid: Option<&'a str>,
    conversion_action: &'a str,
    conversion_date_time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversion_value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency_code: Option<&'a str>,
    /// By which Google knows a repeat.
    order_id: DeliveryId,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    user_identifiers: Vec<UserIdentifier>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum UserIdentifier {
    HashedEmail(String),
    HashedPhoneNumber(String),
}

pub(super) fn text(conversion: &Conversion<'_>) -> Result<String, NotSent> {
    let Conversion { facts, conversions, goal, touches, purpose } = conversion;
    let click = GoogleClick::latest(touches);
    // Google takes identifiers beside a gclid or alone, and refuses them beside the other two.
    let may_identify = matches!(click, None | Some(GoogleClick::Gclid(_)));
    let identifiers = if conversions.with_identifiers && may_identify { identifiers(conversion) } else { Vec::new() };
    let is_known = click.is_some() || !identifiers.is_empty();
    if !is_known {
        return Err(NotSent::new("the lead has no click id of Google Ads (gclid, gbraid or wbraid)"));
    }
    let Some(action) = &goal.conversion_action else {
        return Err(NotSent::new("no conversion action of Google Ads is set for this step"));
    };
    let (name, id) = click.map(GoogleClick::named).unzip();
    let named = |wanted: &str| id.filter(|_| name == Some(wanted));
    let worth = conversion.worth();
    let upload = Upload {
        conversions: [ClickConversion {
            gclid: named("gclid"),
            gbraid: named("gbraid"),
            wbraid: named("wbraid"),
            conversion_action: action,
            conversion_date_time: format!("{}+00:00", google_time(facts.created_at)),
            conversion_value: worth.map(|worth| worth.value.value()),
            currency_code: worth.and_then(|worth| worth.currency),
            order_id: facts.delivery_id,
            user_identifiers: identifiers,
        }],
        partial_failure: true,
        validate_only: (*purpose == Purpose::Trial).then_some(true),
    };
    Ok(serde_json::to_string(&upload).expect("texts and numbers can be written"))
}

fn identifiers(conversion: &Conversion<'_>) -> Vec<UserIdentifier> {
    let lead = &conversion.facts.lead;
    let email = lead.email.map(|email| UserIdentifier::HashedEmail(hashed(&google_email(email))));
    // Google hashes the number with its plus.
    let phone = lead.phone.filter(|phone| phone.starts_with('+'));
    let phone = phone.map(|phone| UserIdentifier::HashedPhoneNumber(hashed(phone)));
    email.into_iter().chain(phone).collect()
}
