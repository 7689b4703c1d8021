//! Keys derived from the installation's secret, and what is sealed with them.
//!
//! One 32-byte secret stands in the key file; each purpose gets a key of its own, so that none can be used for
//! another. Destination secrets and headers are sealed with AES-256-GCM; identities are hashed with a key, so
//! that a stolen database does not tell whose they are.

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use uuid::Uuid;

use crate::random_bytes;

/// The keys of one installation.
pub struct Keys {
    seal: [u8; 32],
    identity: [u8; 32],
}

/// What was sealed cannot be opened: another key file, or a changed row.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened with this installation's secret key")]
pub struct Unsealable;

const NONCE_BYTES: usize = 12;

impl Keys {
    /// Derives the keys from the 32 bytes of the key file.
    #[must_use]
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self {
            seal: blake3::derive_key("leadline seal v1", secret),
            identity: blake3::derive_key("leadline identity v1", secret),
        }
    }

    /// The first 16 bytes of the keyed hash of an identity in its scope (a project or a workspace).
    #[must_use]
    pub fn identity(&self, scope: Uuid, kind: &str, value: &str) -> [u8; 16] {
        let mut hasher = blake3::Hasher::new_keyed(&self.identity);
        hasher.update(scope.as_bytes());
        hasher.update(&[u8::try_from(kind.len()).unwrap_or(u8::MAX)]);
        hasher.update(kind.as_bytes());
        hasher.update(value.as_bytes());
        let mut key = [0; 16];
        hasher.finalize_xof().fill(&mut key);
        key
    }

    /// Seals text: `v1:` and base64 of nonce and ciphertext.
    #[must_use]
    pub fn seal(&self, text: &str) -> String {
        let bytes: [u8; NONCE_BYTES] = random_bytes();
        let nonce = Nonce::<Aes256Gcm>::from(bytes);
        let sealed = self.cipher().encrypt(&nonce, text.as_bytes()).expect("AES-GCM takes any text of this size");
        format!("v1:{}", STANDARD.encode([&bytes[..], &sealed[..]].concat()))
    }

    /// Opens what [`Keys::seal`] made.
    ///
    /// # Errors
    /// Where it was sealed with another key or changed since.
    pub fn open(&self, sealed: &str) -> Result<String, Unsealable> {
        let encoded = sealed.strip_prefix("v1:").ok_or(Unsealable)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| Unsealable)?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(Unsealable)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Unsealable)?;
        let text = self.cipher().decrypt(&Nonce::<Aes256Gcm>::from(nonce), ciphertext).map_err(|_| Unsealable)?;
        String::from_utf8(text).map_err(|_| Unsealable)
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new(&self.seal.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_the_same_key_alone() {
        let keys = Keys::derive(&[1; 32]);
        let sealed = keys.seal("whsec_abc");

        assert_eq!(keys.open(&sealed).ok().as_deref(), Some("whsec_abc"));
        assert!(Keys::derive(&[2; 32]).open(&sealed).is_err());
        assert_ne!(sealed, keys.seal("whsec_abc"));
        assert!(!sealed.contains("whsec"));
    }

    #[test]
    fn an_identity_differs_by_scope_kind_and_value() {
        let keys = Keys::derive(&[1; 32]);
        let scope = Uuid::from_u128(1);
        let one = keys.identity(scope, "email", "a@b.de");

        assert_eq!(one, keys.identity(scope, "email", "a@b.de"));
        assert_ne!(one, keys.identity(Uuid::from_u128(2), "email", "a@b.de"));
        assert_ne!(one, keys.identity(scope, "phone", "a@b.de"));
    }
}
