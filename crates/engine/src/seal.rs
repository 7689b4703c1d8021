//! The installation's keys, and what is sealed with them.
//!
//! Destination secrets and headers and the like are sealed with AES-256-GCM; identities are hashed with a key of their
//! own, so that a stolen database does not tell whose they are. Both keys come from the one secret of the key file
//! until the sealing key is rotated; then they stand there each by itself (see [`text`]), since the identity key must
//! stay: with another one nobody would be recognised. [`check`] tells whether keys are those of a database, and
//! [`resealing`] moves everything that is sealed to the newest key.

pub mod check;
pub mod resealing;
mod text;

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Nonce},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use uuid::Uuid;

use crate::random_bytes;

/// The keys of one installation.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    identity: [u8; 32],
    /// Seals, and opens.
    seal: [u8; 32],
    /// Opens as well: the sealing key from before a rotation that is under way.
    before: Option<[u8; 32]>,
}

/// What was sealed cannot be opened: another key file, or a changed row.
#[derive(Debug, thiserror::Error)]
#[error("a sealed value cannot be opened with this installation's secret key")]
pub struct Unsealable;

const NONCE_BYTES: usize = 12;

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

impl Keys {
    /// Derives the keys from the 32 bytes of a key file that was never rotated.
    #[must_use]
    pub fn derive(secret: &[u8; 32]) -> Self {
        Self {
            seal: blake3::derive_key("leadline seal v1", secret),
            identity: blake3::derive_key("leadline identity v1", secret),
            before: None,
        }
    }

    /// The same with a new sealing key; what the one until now sealed can be opened, too.
    #[must_use]
    pub fn rotated(&self) -> Self {
        Self { identity: self.identity, seal: random_bytes(), before: Some(self.seal) }
    }

    /// Whether a rotation is under way.
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        self.before.is_some()
    }

    /// The same without the sealing key from before: for when nothing is sealed with it any more.
    #[must_use]
    pub fn after_rotation(&self) -> Self {
        Self { before: None, ..self.clone() }
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
        let sealed = cipher(&self.seal).encrypt(&nonce, text.as_bytes()).expect("AES-GCM takes any text of this size");
        format!("v1:{}", STANDARD.encode([&bytes[..], &sealed[..]].concat()))
    }

    /// Opens what [`Keys::seal`] made.
    ///
    /// # Errors
    /// Where it was sealed with another key or changed since.
    pub fn open(&self, sealed: &str) -> Result<String, Unsealable> {
        match (open_with(&self.seal, sealed), &self.before) {
            (Ok(text), _) => Ok(text),
            (Err(_), Some(before)) => open_with(before, sealed),
            (Err(error), None) => Err(error),
        }
    }

    /// What must stand in place of something sealed, so that the newest key opens it; nothing where that does already.
    ///
    /// # Errors
    /// Where none of the keys opens it.
    pub fn reseal(&self, sealed: &str) -> Result<Option<String>, Unsealable> {
        if open_with(&self.seal, sealed).is_ok() {
            return Ok(None);
        }
        self.open(sealed).map(|text| Some(self.seal(&text)))
    }
}

fn open_with(key: &[u8; 32], sealed: &str) -> Result<String, Unsealable> {
    let encoded = sealed.strip_prefix("v1:").ok_or(Unsealable)?;
    let bytes = STANDARD.decode(encoded).map_err(|_| Unsealable)?;
    let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(Unsealable)?;
    let nonce: [u8; NONCE_BYTES] = nonce.try_into().map_err(|_| Unsealable)?;
    let text = cipher(key).decrypt(&Nonce::<Aes256Gcm>::from(nonce), ciphertext).map_err(|_| Unsealable)?;
    String::from_utf8(text).map_err(|_| Unsealable)
}

fn cipher(key: &[u8; 32]) -> Aes256Gcm {
    Aes256Gcm::new(&(*key).into())
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
    fn a_new_sealing_key_opens_what_the_old_one_sealed_until_the_rotation_is_over() {
        let old = Keys::derive(&[1; 32]);
        let (both, sealed) = (old.rotated(), old.seal("whsec_abc"));

        let moved = both.reseal(&sealed).ok().flatten().expect("another text");

        let new = both.after_rotation();
        assert_eq!(both.open(&sealed).ok().as_deref(), Some("whsec_abc"));
        assert_eq!(new.open(&moved).ok().as_deref(), Some("whsec_abc"));
        assert!(new.open(&sealed).is_err() && old.open(&moved).is_err());
        assert!(both.reseal(&moved).is_ok_and(|again| again.is_none()));
        assert!(both.reseal(&Keys::derive(&[2; 32]).seal("x")).is_err());
        assert_eq!(old.identity(Uuid::nil(), "email", "a@b.de"), new.identity(Uuid::nil(), "email", "a@b.de"));
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
