//! Changing what an ad platform is told of.

use std::collections::HashSet;

use leadline_domain::{
    conversions::{ActionSource, Amount, Conversions, Goal, Step, Upload},
    ids::StageId,
};
use leadline_store::destinations::Destination;

use super::{destinations::Refused, payload::conversions::Platform};

/// What a platform is to be told of, whole.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Conversions under their own names")]
pub struct WishedConversions {
    pub goals: Vec<WishedGoal>,
    pub upload: Option<String>,
    pub value_field: Option<String>,
    pub login_customer_id: Option<String>,
    pub with_identifiers: bool,
    pub action_source: Option<String>,
    pub test_event_code: Option<String>,
}

/// One step that counts.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "the fields of Goal under their own names")]
pub struct WishedGoal {
    pub on: String,
    pub stage_id: Option<StageId>,
    pub name: String,
    pub conversion_action: Option<String>,
    pub value: Option<f64>,
    pub currency: Option<String>,
}

const MOST_GOALS: usize = 50;
const LONGEST_NAME: usize = 100;

/// Makes the conversions what is wished and lists what cannot be.
pub(super) fn apply(destination: &mut Destination, wish: &WishedConversions) -> Vec<Refused> {
    let mut refused = Vec::new();
    if wish.goals.len() > MOST_GOALS {
        let message = format!("must be at most {MOST_GOALS}");
        return vec![Refused::new("/conversions/goals", "too_many", &message)];
    }
    let mut goals = Vec::new();
    for (index, goal) in wish.goals.iter().enumerate() {
        match checked_goal(&format!("/conversions/goals/{index}"), goal, &destination.url) {
            Ok(goal) => goals.push(goal),
            Err(wrong) => refused.extend(wrong),
        }
    }
    refused.extend(doubles(&goals));
    let upload = named(wish.upload.as_deref(), Upload::parse, "/conversions/upload", "must be request or file");
    let source = "must be system_generated or website";
    let source = named(wish.action_source.as_deref(), ActionSource::parse, "/conversions/actionSource", source);
    let customer: Option<String> = text(&wish.login_customer_id).map(|id| id.replace('-', ""));
    let is_customer = |id: &String| (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if customer.as_ref().is_some_and(|id| !is_customer(id)) {
        let message = "must be the digits of a customer id of Google Ads";
        refused.push(Refused::new("/conversions/loginCustomerId", "invalid", message));
    }
    let (field, code) = (text(&wish.value_field), text(&wish.test_event_code));
    for (pointer, value) in [("/conversions/valueField", &field), ("/conversions/testEventCode", &code)] {
        if value.as_ref().is_some_and(|value| !is_name(value)) {
            refused.push(Refused::new(pointer, "invalid", "must have at most 100 characters"));
        }
    }
    match (upload, source) {
        (Ok(upload), Ok(action_source)) if refused.is_empty() => {
            destination.rules.conversions = Some(Conversions {
                goals,
                upload,
                value_field: field,
                login_customer_id: customer,
                with_identifiers: wish.with_identifiers,
                action_source,
                test_event_code: code,
            });
        }
        (upload, source) => refused.extend([upload.err(), source.err()].into_iter().flatten()),
    }
    refused
}

fn named<T: Default>(
    name: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    pointer: &str,
    message: &str,
) -> Result<T, Refused> {
    match name {
        None => Ok(T::default()),
        Some(name) => parse(name).ok_or_else(|| Refused::new(pointer, "unknown", message)),
    }
}

fn text(value: &Option<String>) -> Option<String> {
    value.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn is_name(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

fn checked_goal(pointer: &str, wish: &WishedGoal, url: &str) -> Result<Goal, Vec<Refused>> {
    let mut refused = Vec::new();
    let mut refuse = |part: &str, code: &'static str, message: &str| {
        refused.push(Refused::new(&format!("{pointer}/{part}"), code, message));
    };
    let on = Step::parse(&wish.on);
    if on.is_none() {
        refuse("on", "unknown_step", "must be created, stage, won or converted");
    }
    if on == Some(Step::Stage) && wish.stage_id.is_none() {
        refuse("stageId", "required", "is required where the step is reaching a stage");
    }
    let name = wish.name.trim();
    if !is_name(name) {
        refuse("name", "invalid_name", "must have 1 to 100 characters");
    }
    let action = text(&wish.conversion_action).map(|action| resource_name(&action, url));
    if matches!(action, Some(None)) {
        let message = "must be a resource name such as customers/1234567890/conversionActions/987654321";
        refuse("conversionAction", "invalid_action", message);
    }
    let value = wish.value.map(Amount::of);
    if matches!(value, Some(None)) {
        refuse("value", "out_of_range", "must be between 0 and 1,000,000,000");
    }
    let currency = text(&wish.currency).map(|code| code.to_ascii_uppercase());
    let is_currency = |code: &String| code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if currency.as_ref().is_some_and(|code| !is_currency(code)) {
        refuse("currency", "unknown_currency", "must be the three letters of a currency, such as EUR");
    }
    if value.is_some() && currency.is_none() {
        refuse("currency", "required", "is required beside a value");
    }
    let Some(on) = on.filter(|_| refused.is_empty()) else { return Err(refused) };
    Ok(Goal {
        on,
        stage_id: wish.stage_id.filter(|_| on == Step::Stage),
        name: name.to_owned(),
        conversion_action: action.flatten(),
        value: value.flatten(),
        currency,
    })
}

/// The whole resource name: as it was given, or made of the id alone, as people see it in Google Ads, with the customer
/// of the destination's address.
fn resource_name(action: &str, url: &str) -> Option<String> {
    let is_number = |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(action) {
        let customer = url.split("/customers/").nth(1)?.split([':', '/', '?']).next()?;
        return is_number(customer).then(|| format!("customers/{customer}/conversionActions/{action}"));
    }
    let mut parts = action.split('/');
    let is_one = parts.next() == Some("customers")
        && parts.next().is_some_and(is_number)
        && parts.next() == Some("conversionActions")
        && parts.next().is_some_and(is_number)
        && parts.next().is_none();
    is_one.then(|| action.to_owned())
}

/// A step that stands twice would count as the first alone.
fn doubles(goals: &[Goal]) -> Vec<Refused> {
    let mut seen = HashSet::new();
    let is_double = |(_, goal): &(usize, &Goal)| !seen.insert(goal.key());
    let doubles: Vec<(usize, &Goal)> = goals.iter().enumerate().filter(is_double).collect();
    let refused = doubles.into_iter().map(|(index, _)| {
        Refused::new(&format!("/conversions/goals/{index}/on"), "double", "is chosen twice; a step counts as one thing")
    });
    refused.collect()
}

/// Whether a destination of an ad platform has what it needs.
pub(super) fn check(destination: &Destination) -> Vec<Refused> {
    let Some(platform) = Platform::of_name(&destination.format) else { return Vec::new() };
    let none = Conversions::default();
    let conversions = destination.rules.conversions.as_ref().unwrap_or(&none);
    let mut refused = Vec::new();
    if conversions.goals.is_empty() {
        let message = "must name at least one step that counts as a conversion";
        refused.push(Refused::new("/conversions/goals", "required", message));
    }
    let by_request = conversions.upload == Upload::Request;
    if !by_request && platform == Platform::Meta {
        let message = "Meta takes no files; send each conversion as a request";
        refused.push(Refused::new("/conversions/upload", "unknown", message));
    }
    if by_request && destination.access.token.is_none() {
        let message = match platform {
            Platform::GoogleAds => "is required: the developer token of Google Ads",
            Platform::Meta => "is required: the access token of the Conversions API",
        };
        refused.push(Refused::new("/token", "required", message));
    }
    if by_request && platform == Platform::GoogleAds {
        let missing = conversions.goals.iter().enumerate().filter(|(_, goal)| goal.conversion_action.is_none());
        refused.extend(missing.map(|(index, _)| {
            let pointer = format!("/conversions/goals/{index}/conversionAction");
            Refused::new(&pointer, "required", "is required: the conversion action that it counts as")
        }));
    }
    refused
}
