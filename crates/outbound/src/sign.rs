//! Signatures: what receivers use to know that a request is ours and unchanged.
//!
//! Two families stand on every request. `X-Leadline-Signature` is the plain one: HMAC-SHA256 of the raw body, in hex,
//! keyed by the secret exactly as it is shown (`whsec_…`, its UTF-8 bytes), so that a receiver needs no decoding. The
//! Standard Webhooks headers sign id, time and body, keyed by the bytes behind `whsec_`, as that specification says.
//! While a secret is being rotated, both secrets sign the Standard Webhooks way, the newest first: that header holds a
//! list. `X-Leadline-Signature` holds one signature, the newest secret's.
//!
//! Time and random bytes are arguments. Where secrets are kept, and sealed, is the store's and the engine's business.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

const PREFIX: &str = "whsec_";
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
const TOLERANCE_S: u64 = 5 * 60;

/// A signing secret. It can be shown only by asking for it with [`Secret::reveal`].
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

/// The text is not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is whsec_ followed by 24 to 64 bytes in base64")]
pub struct SecretRefused;

/// Why an incoming signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// The timestamp is not a number, or more than five minutes away.
    #[error("the signature's timestamp is missing, unreadable or more than five minutes off")]
    Timestamp,
    /// None of the signatures fits any of the secrets.
    #[error("no signature matches")]
    NoMatch,
}

impl Secret {
    /// Makes a secret from fresh random bytes.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(bytes.to_vec())
    }

    /// Reads `whsec_<base64>`, with or without padding.
    pub fn parse(text: &str) -> Result<Self, SecretRefused> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(SecretRefused)?;
        let key = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).map_err(|_| SecretRefused)?;
        if KEY_BYTES.contains(&key.len()) { Ok(Self(key)) } else { Err(SecretRefused) }
    }

    /// The secret as shown to its owner: `whsec_<base64>`.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The last four characters of the shown text, padding aside: enough to tell two secrets apart.
    pub fn last4(&self) -> String {
        let encoded = STANDARD_NO_PAD.encode(&self.0);
        encoded[encoded.len() - 4..].to_owned()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The value of `X-Leadline-Signature`: `sha256=<hex>` of the raw body.
pub fn sign_plain(secret: &Secret, body: &[u8]) -> String {
    format!("sha256={}", hex::encode(hmac_sha256(secret.reveal().as_bytes(), &[body])))
}

/// One Standard Webhooks signature: `v1,<base64>` of `id.timestamp.body`.
pub fn sign_standard(secret: &Secret, id: &str, timestamp_s: i64, body: &[u8]) -> String {
    format!("v1,{}", STANDARD.encode(standard_mac(secret, id, &timestamp_s.to_string(), body)))
}

/// Checks Standard Webhooks headers: the time is near, and one of the space-separated `v1` signatures is ours.
pub fn verify_standard(
    secrets: &[Secret],
    id: &str,
    timestamp: &str,
    signatures: &str,
    body: &[u8],
    now_s: i64,
) -> Result<(), VerifyError> {
    let sent_s: i64 = timestamp.parse().map_err(|_| VerifyError::Timestamp)?;
    if sent_s.abs_diff(now_s) > TOLERANCE_S {
        return Err(VerifyError::Timestamp);
    }
    for secret in secrets {
        let wanted = standard_mac(secret, id, timestamp, body);
        if has_signature(signatures, &wanted) {
            return Ok(());
        }
    }
    Err(VerifyError::NoMatch)
}

/// Exactly the headers that a delivery carries beside the destination's own. The id is the same for every attempt; the
/// secrets come with the newest first.
pub fn delivery_headers(
    event: &str,
    delivery_id: &str,
    secrets: &[Secret],
    now_s: i64,
    body: &[u8],
    content_type: &str,
    version: &str,
) -> Vec<(String, String)> {
    let standard: Vec<String> = secrets.iter().map(|secret| sign_standard(secret, delivery_id, now_s, body)).collect();
    let mut headers = vec![
        ("content-type", content_type.to_owned()),
        ("user-agent", format!("Leadline/{version}")),
        ("x-leadline-event", event.to_owned()),
        ("x-leadline-delivery-id", delivery_id.to_owned()),
        ("webhook-id", delivery_id.to_owned()),
        ("webhook-timestamp", now_s.to_string()),
        ("webhook-signature", standard.join(" ")),
    ];
    headers.extend(secrets.first().map(|secret| ("x-leadline-signature", sign_plain(secret, body))));
    headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Whether the list holds the wanted signature. A shortened one has another length and never matches.
fn has_signature(signatures: &str, wanted: &[u8; 32]) -> bool {
    signatures
        .split(' ')
        .filter_map(|signature| signature.strip_prefix("v1,"))
        .filter_map(|encoded| STANDARD.decode(encoded).ok())
        .any(|given| given.ct_eq(wanted).into())
}

fn standard_mac(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
    hmac_sha256(&secret.0, &[id.as_bytes(), b".", timestamp.as_bytes(), b".", body])
}

pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
