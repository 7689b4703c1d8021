//! Signatures that others put on what they send: each provider's own way of proving that a request is theirs.
//!
//! All are HMAC-SHA256 keyed by a secret that the provider and we know. They differ in the header, in the encoding, and
//! in whether a time is signed with the body; where one is, it must be near. Comparisons take the same time whatever
//! they find.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use subtle::ConstantTimeEq;

use crate::sign::{Secret, hmac_sha256, verify_standard};

/// How far a signed time may be off.
const TOLERANCE_S: u64 = 5 * 60;

/// A way of signing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `X-Hub-Signature-256: sha256=<hex>` of the body: Facebook, GitHub and many more.
    Hub,
    /// `X-Leadline-Signature: sha256=<hex>` of the body: ours.
    Leadline,
    /// `Typeform-Signature: sha256=<base64>` of the body.
    Typeform,
    /// `Tally-Signature: <base64>` of the body.
    Tally,
    /// `X-Webflow-Signature: <hex>` of `timestamp:body`; the time in milliseconds.
    Webflow,
    /// `Calendly-Webhook-Signature: t=<seconds>,v1=<hex>` of `t.body`.
    Calendly,
    /// `X-HubSpot-Signature-v3: <base64>` of method, address, body and time in milliseconds.
    HubSpot,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`: Standard Webhooks.
    Standard,
}

impl Scheme {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Hub,
        Self::Leadline,
        Self::Typeform,
        Self::Tally,
        Self::Webflow,
        Self::Calendly,
        Self::HubSpot,
        Self::Standard,
    ];

    /// The header that carries the signature.
    pub fn header(self) -> &'static str {
        match self {
            Self::Hub => "x-hub-signature-256",
            Self::Leadline => "x-leadline-signature",
            Self::Typeform => "typeform-signature",
            Self::Tally => "tally-signature",
            Self::Webflow => "x-webflow-signature",
            Self::Calendly => "calendly-webhook-signature",
            Self::HubSpot => "x-hubspot-signature-v3",
            Self::Standard => "webhook-signature",
        }
    }
}

/// A request as it came, as far as signatures are about it.
#[derive(Clone, Copy)]
pub struct Incoming<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The address as the sender knows it.
    pub url: &'a str,
    /// A header by its name in lower case.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// The body, byte for byte.
    pub body: &'a [u8],
    /// Now, in seconds since the epoch.
    pub now_s: i64,
}

/// Why a request is not taken for its provider's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// It carries no signature, or no secret.
    #[error("the request carries no proof of its sender")]
    Missing,
    /// What it carries does not fit.
    #[error("the proof of the sender does not fit")]
    Wrong,
}

/// Checks that one of the schemes' signatures is there and fits.
///
/// # Errors
/// Where none is there, or none fits.
pub fn verify_signature(schemes: &[Scheme], secret: &str, incoming: &Incoming<'_>) -> Result<(), Unproven> {
    let mut is_there = false;
    for scheme in schemes {
        let Some(given) = (incoming.header)(scheme.header()) else { continue };
        is_there = true;
        if fits(*scheme, secret, given.trim(), incoming) {
            return Ok(());
        }
    }
    Err(if is_there { Unproven::Wrong } else { Unproven::Missing })
}

/// Whether two secrets are the same, in a time that does not tell how much of them is.
pub fn same_secret(ours: &str, theirs: &str) -> bool {
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

/// HMAC-SHA256 in hex, as Facebook wants a token proved (`appsecret_proof`).
pub fn hmac_hex(key: &str, text: &str) -> String {
    hex::encode(hmac_sha256(key.as_bytes(), &[text.as_bytes()]))
}

fn fits(scheme: Scheme, secret: &str, given: &str, incoming: &Incoming<'_>) -> bool {
    let Incoming { method, url, body, now_s, .. } = *incoming;
    let mac = |parts: &[&[u8]]| hmac_sha256(secret.as_bytes(), parts);
    let header = |name: &str| (incoming.header)(name).map(|value| value.trim().to_owned());
    match scheme {
        Scheme::Hub | Scheme::Leadline => given.strip_prefix("sha256=").is_some_and(|hex| is_hex(hex, &mac(&[body]))),
        Scheme::Typeform => given.strip_prefix("sha256=").is_some_and(|text| is_base64(text, &mac(&[body]))),
        Scheme::Tally => is_base64(given, &mac(&[body])),
        Scheme::Webflow => header("x-webflow-timestamp")
            .is_some_and(|time| is_near(&time, 1_000, now_s) && is_hex(given, &mac(&[time.as_bytes(), b":", body]))),
        Scheme::Calendly => {
            let part = |name: &str| given.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
            let (Some(time), Some(hex)) = (part("t"), part("v1")) else { return false };
            is_near(time, 1, now_s) && is_hex(hex, &mac(&[time.as_bytes(), b".", body]))
        }
        Scheme::HubSpot => header("x-hubspot-request-timestamp").is_some_and(|time| {
            let signed = mac(&[method.as_bytes(), url.as_bytes(), body, time.as_bytes()]);
            is_near(&time, 1_000, now_s) && is_base64(given, &signed)
        }),
        Scheme::Standard => {
            let (Some(id), Some(time)) = (header("webhook-id"), header("webhook-timestamp")) else { return false };
            let Ok(secret) = Secret::parse(secret) else { return false };
            verify_standard(&[secret], &id, &time, given, body, now_s).is_ok()
        }
    }
}

fn is_near(time: &str, per_second: i64, now_s: i64) -> bool {
    time.parse::<i64>().is_ok_and(|time| (time / per_second).abs_diff(now_s) <= TOLERANCE_S)
}

fn is_hex(given: &str, wanted: &[u8; 32]) -> bool {
    hex::decode(given).is_ok_and(|given| given.ct_eq(wanted).into())
}

fn is_base64(given: &str, wanted: &[u8; 32]) -> bool {
    STANDARD.decode(given).is_ok_and(|given| given.ct_eq(wanted).into())
}
