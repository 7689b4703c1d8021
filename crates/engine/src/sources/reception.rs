//! How an inbound webhook receives: the format of its bodies, and what it demands of its senders. Secrets are sealed
//! like those of destinations and never told again.

use leadline_domain::inbound::Format;
use leadline_store::sources::Source;
use serde_json::Value;

use super::{SourceError, checked_origins};
use crate::seal::Keys;

/// The longest secret or token.
const LONGEST_SECRET: usize = 1_000;

/// What is told about how a source receives. A secret is set by `Some(Some(…))` and taken away by `Some(None)`.
#[derive(Debug, Clone, Default)]
pub struct Reception {
    /// `auto`, or one of the formats.
    pub format: Option<String>,
    /// `none`, `signature` or `header`.
    pub proof: Option<String>,
    /// What signatures are keyed by, what the header holds, or Google's key.
    pub secret: Option<Option<String>>,
    /// The header that holds the secret.
    pub secret_header: Option<String>,
    /// What Facebook is told, so that it can make sure of us.
    pub verify_token: Option<Option<String>>,
    /// What Facebook told us, so that leads can be fetched.
    pub access_token: Option<Option<String>>,
    /// The origins that may send; none for any.
    pub allowed_origins: Option<Vec<String>>,
}

pub(super) fn apply(keys: &Keys, source: &mut Source, change: &Reception) -> Result<(), SourceError> {
    let settings = &mut source.settings;
    if let Some(format) = &change.format {
        if format != "auto" && Format::parse(format).is_none() {
            return Err(SourceError::Field("format", "must be auto or one of the formats"));
        }
        settings["format"] = format.as_str().into();
    }
    if let Some(name) = &change.secret_header {
        settings["secretHeader"] = checked_header(name)?.into();
    }
    let secrets = [
        ("secret", "secretSealed", &change.secret),
        ("verifyToken", "verifyTokenSealed", &change.verify_token),
        ("accessToken", "accessTokenSealed", &change.access_token),
    ];
    for (field, name, secret) in secrets {
        match secret {
            Some(Some(secret)) => settings[name] = keys.seal(checked_secret(field, secret)?).into(),
            Some(None) => settings[name] = Value::Null,
            None => {}
        }
    }
    if let Some(origins) = &change.allowed_origins {
        settings["allowedOrigins"] = checked_origins(origins)?.into();
    }
    if let Some(proof) = &change.proof {
        if !["none", "signature", "header"].contains(&proof.as_str()) {
            return Err(SourceError::Field("proof", "must be none, signature or header"));
        }
        settings["proof"] = proof.as_str().into();
    }
    let demands_proof = settings.get("proof").and_then(Value::as_str).is_some_and(|proof| proof != "none");
    let has_secret = settings.get("secretSealed").is_some_and(Value::is_string);
    if demands_proof && !has_secret {
        return Err(SourceError::Field("secret", "is needed to check what senders are to prove"));
    }
    Ok(())
}

fn checked_secret<'a>(field: &'static str, secret: &'a str) -> Result<&'a str, SourceError> {
    let secret = secret.trim();
    let is_good = (4..=LONGEST_SECRET).contains(&secret.len()) && !secret.contains('\0');
    if is_good { Ok(secret) } else { Err(SourceError::Field(field, "must have 4 to 1000 characters")) }
}

fn checked_header(name: &str) -> Result<String, SourceError> {
    let name = name.trim().to_ascii_lowercase();
    let is_good = (1..=100).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    if is_good { Ok(name) } else { Err(SourceError::Field("secretHeader", "must be the name of a header")) }
}
