//! Hashing and checking passwords with argon2id.
//!
//! One hash takes 19 MiB and a few dozen milliseconds of a core, so only a few run at once and none on the threads that
//! serve requests.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::admin::AdminError;

/// Hashes that run at once.
static SLOTS: Semaphore = Semaphore::const_new(2);

/// Hashes that were computed since the process began.
static COMPUTED: AtomicU64 = AtomicU64::new(0);

const MIN_CHARS: usize = 10;
const MAX_CHARS: usize = 200;

/// Refuses passwords that are too short to be worth hashing, or too long to be passwords.
pub fn check(field: &'static str, password: &str) -> Result<(), AdminError> {
    match password.chars().count() {
        0..MIN_CHARS => Err(AdminError::Invalid { field, message: "must have at least 10 characters" }),
        MIN_CHARS..=MAX_CHARS => Ok(()),
        _ => Err(AdminError::Invalid { field, message: "must have at most 200 characters" }),
    }
}

/// The password's hash, as a PHC string.
pub async fn hash(password: &str) -> Result<String, AdminError> {
    let password = password.to_owned();
    blocking(move || hash_now(&password)).await?.ok_or(AdminError::Hashing)
}

/// How many hashes were computed since the process began: what signing in costs, told apart from how long it took.
#[must_use]
pub fn computed() -> u64 {
    COMPUTED.load(Ordering::SeqCst)
}

/// Whether this is the password with that hash. Without a hash, or with one of somebody who has no password, it takes as
/// long and says no, so that nobody can tell by the time whether an address is known.
pub async fn verify(password: &str, hash: Option<&str>) -> Result<bool, AdminError> {
    if password.chars().count() > MAX_CHARS {
        return Ok(false);
    }
    let (password, hash) = (password.to_owned(), hash.map(str::to_owned));
    blocking(move || {
        let known = hash.filter(|hash| PasswordHash::new(hash).is_ok());
        let is_known = known.is_some();
        let hash = known.or_else(|| nobodys_hash().clone()).unwrap_or_default();
        COMPUTED.fetch_add(1, Ordering::SeqCst);
        let matches = PasswordHash::new(&hash)
            .is_ok_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
        is_known && matches
    })
    .await
}

fn nobodys_hash() -> &'static Option<String> {
    static HASH: OnceLock<Option<String>> = OnceLock::new();
    HASH.get_or_init(|| make("the password of nobody"))
}

fn hash_now(password: &str) -> Option<String> {
    COMPUTED.fetch_add(1, Ordering::SeqCst);
    make(password)
}

fn make(password: &str) -> Option<String> {
    Argon2::default().hash_password(password.as_bytes()).ok().map(|hash| hash.to_string())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, AdminError> {
    let _slot = SLOTS.acquire().await.map_err(|_| AdminError::Hashing)?;
    spawn_blocking(work).await.map_err(|_| AdminError::Hashing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits_its_hash() {
        let hash = hash("correct horse").await.expect("hashes");

        assert!(hash.starts_with("$argon2id$"));
        assert!(verify("correct horse", Some(&hash)).await.expect("verifies"));
        assert!(!verify("wrong horse", Some(&hash)).await.expect("verifies"));
        assert!(!verify("correct horse", Some("rubbish")).await.expect("verifies"));
        assert!(!verify("the password of nobody", None).await.expect("verifies"));
    }

    #[test]
    fn passwords_have_ten_characters_at_least() {
        assert!(check("password", "123456789").is_err());
        assert!(check("password", "äöüäöüäöüä").is_ok());
        assert!(check("password", &"x".repeat(201)).is_err());
    }
}
