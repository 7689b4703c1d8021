//! The secrets of sessions and tokens, and what is kept of them.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use leadline_domain::ids::WorkspaceId;
use sha2::{Digest, Sha256};

use crate::random_bytes;

/// What tokens begin with, so that people and scanners know one where they see it.
pub const TOKEN_PREFIX: &str = "ldl_";

/// The secret of a session.
#[must_use]
pub fn new_session() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<32>())
}

/// A token.
#[must_use]
pub fn new_token() -> String {
    format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes::<32>()))
}

/// What is stored of a secret. It has 256 random bits, so a fast hash is as good as a slow one.
#[must_use]
pub fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

/// What a browser must send along to show that a change comes from our own page: it knows the session's answer, and
/// other pages do not. A page of one workspace has no token for another, so that it cannot write there once another
/// window moved the session.
#[must_use]
pub fn csrf_token(session: &str, workspace: WorkspaceId) -> String {
    let digest = Sha256::new()
        .chain_update(b"leadline csrf v2:")
        .chain_update(workspace.0.as_bytes())
        .chain_update(session)
        .finalize();
    URL_SAFE_NO_PAD.encode(&digest[..24])
}

/// A password for somebody who gets one and did not choose it.
#[must_use]
pub fn new_password() -> String {
    URL_SAFE_NO_PAD.encode(random_bytes::<15>())
}

/// The last four characters of a secret.
pub(crate) fn last4(secret: &str) -> String {
    secret.get(secret.len().saturating_sub(4)..).unwrap_or_default().to_owned()
}
