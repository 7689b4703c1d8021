//! Inbound webhooks at the door: what a source demands of its senders, and the submissions that a request holds.
//!
//! Shapes are unpacked by `leadline_domain::inbound`, signatures checked by `leadline_outbound`; here they meet the
//! source's settings. Leads that a provider only gives notice of are fetched by [`fetch`]; requests that were refused
//! are kept for a look by [`refused`].

pub mod fetch;
pub mod refused;

use leadline_domain::{
    fields::{FieldMapping, RawFields},
    ids::SubmissionId,
    inbound::{Format, Unpacked},
};
pub use leadline_outbound::{Incoming, Unproven};
use leadline_outbound::{Scheme, same_secret, verify_signature};
use leadline_store::{requests::RawRequest, sources::Intake};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{AcceptError, Accepted, Request, Submission, own_key};
use crate::{Engine, seal::Keys};

/// The header that carries a source's secret where none is named.
pub const SECRET_HEADER: &str = "x-webhook-secret";

/// What an inbound format says of a submission beyond its fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Inbound {
    /// The fields as the provider sent them.
    pub sent: RawFields,
    /// The provider's id of the lead.
    pub record: Option<String>,
    /// Whether the provider tells more of a lead, rather than the person coming again.
    pub is_update: bool,
}

/// Why a request is turned away before anybody looks for a lead in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// It comes from a page that the source does not allow.
    #[error("the origin is not one that the source allows")]
    Origin,
    /// It does not prove its sender as the source demands.
    #[error(transparent)]
    Unproven(#[from] Unproven),
}

/// The format that a source was told to expect; nothing where each body says for itself.
#[must_use]
pub fn chosen_format(settings: &Value) -> Option<Format> {
    text(settings, "format").and_then(Format::parse)
}

/// Checks what the source demands of where a request comes from.
///
/// # Errors
/// Where it allows certain origins, and this is none of them.
pub fn admit_origin(intake: &Intake, origin: Option<&str>) -> Result<(), NotAdmitted> {
    let allowed = intake.source_settings.get("allowedOrigins").and_then(Value::as_array);
    let Some(allowed) = allowed.filter(|allowed| !allowed.is_empty()) else { return Ok(()) };
    let is_allowed =
        |origin: &str| allowed.iter().any(|one| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(origin)));
    if origin.is_some_and(is_allowed) { Ok(()) } else { Err(NotAdmitted::Origin) }
}

/// Checks what the source demands as proof of the sender. `key_inside` is the key that Google puts into the body.
///
/// # Errors
/// Where the proof is missing or does not fit.
pub fn admit_sender(
    keys: &Keys,
    intake: &Intake,
    incoming: &Incoming<'_>,
    key_inside: Option<&str>,
) -> Result<(), NotAdmitted> {
    let settings = &intake.source_settings;
    let proof = text(settings, "proof").unwrap_or("none");
    if proof == "none" {
        return Ok(());
    }
    // A secret that cannot be opened lets nobody in.
    let secret = opened(keys, settings, "secretSealed").ok_or(Unproven::Wrong)?;
    if proof == "header" {
        let name = text(settings, "secretHeader").unwrap_or(SECRET_HEADER);
        let given = (incoming.header)(name).ok_or(Unproven::Missing)?;
        let given = given.strip_prefix("Bearer ").unwrap_or(&given);
        return if same_secret(&secret, given.trim()) { Ok(()) } else { Err(Unproven::Wrong.into()) };
    }
    let format = chosen_format(settings);
    let takes_key = matches!(format, None | Some(Format::Google));
    match key_inside.filter(|_| takes_key) {
        Some(key) if same_secret(&secret, key) => Ok(()),
        Some(_) => Err(Unproven::Wrong.into()),
        None => Ok(verify_signature(schemes_of(format), &secret, incoming)?),
    }
}

fn schemes_of(format: Option<Format>) -> &'static [Scheme] {
    match format {
        None => &Scheme::ALL,
        Some(Format::Facebook) => &[Scheme::Hub],
        Some(Format::Typeform) => &[Scheme::Typeform],
        Some(Format::HubSpot) => &[Scheme::HubSpot],
        Some(Format::Webflow) => &[Scheme::Webflow],
        Some(Format::Tally) => &[Scheme::Tally],
        Some(Format::Calendly) => &[Scheme::Calendly],
        Some(Format::Google) => &[],
        // These sign nothing themselves; whatever relays them may.
        Some(
            Format::WhatConverts
            | Format::Jotform
            | Format::Elementor
            | Format::Unbounce
            | Format::Gravity
            | Format::Generic,
        ) => &[Scheme::Hub, Scheme::Leadline, Scheme::Standard],
    }
}

/// Whether a provider that makes sure of us knows the source's verify token.
#[must_use]
pub fn knows_verify_token(keys: &Keys, intake: &Intake, given: &str) -> bool {
    opened(keys, &intake.source_settings, "verifyTokenSealed").is_some_and(|token| same_secret(&token, given))
}

fn opened(keys: &Keys, settings: &Value, name: &str) -> Option<String> {
    keys.open(text(settings, name)?).ok()
}

fn text<'a>(settings: &'a Value, name: &str) -> Option<&'a str> {
    settings.get(name).and_then(Value::as_str)
}

/// The submissions that a request holds. `key` is the sender's own, where it brought one with the request.
#[must_use]
pub fn submissions(
    engine: &Engine,
    intake: &Intake,
    leads: Vec<Unpacked>,
    request: &Request,
    key: Option<&str>,
) -> Vec<Submission> {
    let is_one = leads.len() == 1;
    let numbered = |index: usize| key.map(|key| if is_one { key.to_owned() } else { format!("{key} {index}") });
    let submission = |(index, lead): (usize, Unpacked)| {
        let key = numbered(index).or_else(|| lead.key.clone()).or_else(|| own_key(&lead.sent));
        // Of several each keeps its own part; and what was secret in a body is not kept at all.
        let keeps_the_whole = is_one && lead.format != Format::Google;
        let request = if keeps_the_whole { request.clone() } else { only(request, &lead.sent) };
        let mut intake = intake.clone();
        if lead.format == Format::Facebook {
            intake.kind = "facebook".to_owned();
        }
        let mut submission = Submission::new(engine, intake, lead.fields, request, key.as_deref());
        if lead.format != Format::Generic {
            submission.inbound = Some(Inbound { sent: lead.sent, record: lead.record, is_update: lead.is_update });
        }
        submission
    };
    leads.into_iter().enumerate().map(submission).collect()
}

fn only(request: &Request, sent: &RawFields) -> Request {
    let body: Map<String, Value> = sent.iter().cloned().collect();
    let content_type = Some("application/json".to_owned());
    Request { raw_body: Value::Object(body).to_string(), content_type, ..request.clone() }
}

/// What may differ from a source's settings when a request is looked at once more.
#[derive(Debug, Clone, Default)]
pub struct Otherwise {
    /// Another format; `Some(None)` for each body by its looks.
    pub format: Option<Option<Format>>,
    /// Another mapping.
    pub field_mapping: Option<FieldMapping>,
}

impl Otherwise {
    /// The format that counts.
    #[must_use]
    pub fn format(&self, settings: &Value) -> Option<Format> {
        self.format.unwrap_or_else(|| chosen_format(settings))
    }

    /// The mapping that counts.
    #[must_use]
    pub fn mapping(&self, settings: &Value) -> FieldMapping {
        let stored = || serde_json::from_value(settings.get("fieldMapping")?.clone()).ok();
        self.field_mapping.clone().or_else(stored).unwrap_or_default()
    }
}

/// Sends the leads of a kept request through the door once more, as if it had come now. What has a key of its own keeps
/// it, so what is stored already is not stored twice; the rest gets one from the request and the mapping, so the same
/// replay twice is one submission.
pub async fn submit_again(
    engine: &Engine,
    intake: &Intake,
    kept: &RawRequest,
    leads: Vec<Unpacked>,
    otherwise: &Otherwise,
) -> Vec<Result<Accepted, AcceptError>> {
    let mut intake = intake.clone();
    let mapping = otherwise.mapping(&intake.source_settings);
    intake.source_settings["fieldMapping"] = json!(mapping);
    let request = Request {
        is_browser: intake.kind == "form",
        ip: kept.ip.clone(),
        user_agent: kept.user_agent.clone(),
        origin: kept.origin.clone(),
        content_type: kept.content_type.clone(),
        raw_body: kept.raw_body.clone(),
        ..Request::default()
    };
    let keyed = leads.into_iter().enumerate().map(|(index, lead)| {
        let own = lead.key.clone().or_else(|| own_key(&lead.sent));
        let key = own.unwrap_or_else(|| replay_key(kept.id, index, &mapping, lead.format));
        Unpacked { key: Some(key), ..lead }
    });
    let mut done = Vec::new();
    for submission in submissions(engine, &intake, keyed.collect(), &request, None) {
        done.push(engine.door.accept(submission).await);
    }
    done
}

fn replay_key(request: SubmissionId, index: usize, mapping: &FieldMapping, format: Format) -> String {
    format!("replay {request} {index} {} {}", format.as_str(), json!(mapping))
}
