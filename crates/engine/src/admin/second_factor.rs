//! The second factor of a user: codes from an app on their phone, and recovery codes for when the phone is gone.
//!
//! A secret counts from the first code on that was computed from it, so nobody locks themselves out by half a set-up.
//! Each code lets somebody in once, whoever sends it twice.

use leadline_domain::{
    ids::UserId,
    time::Timestamp,
    totp::{self, SECRET_BYTES},
};
use leadline_store::{
    Tx, credentials, second_factors,
    users::{self, Member},
    workspaces,
};
use qrcode::{Color, EcLevel, QrCode};
use sha2::{Digest, Sha256};

use crate::{
    Actor, Engine,
    admin::{AdminError, attempts::Attempts, sessions},
    audit::{self, Deed},
    random_bytes,
};

/// Recovery codes that somebody gets.
const CODES: usize = 10;

/// Random bytes of a recovery code: 16 letters and digits.
const CODE_BYTES: usize = 10;

/// The name under which an app shows the codes.
const ISSUER: &str = "Leadline";

/// A secret that waits for its first code.
#[derive(Debug, Clone)]
pub struct Begun {
    /// For typing it in.
    pub secret: String,
    /// What the picture says.
    pub address: String,
    /// The picture: how many squares its side has.
    pub size: usize,
    /// The dark ones, as the path of an SVG in which a square is one unit.
    pub path: String,
}

/// How somebody showed that they have the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proven {
    /// They have none.
    Nothing,
    /// By the code of this step.
    Step(i64),
    /// By a recovery code with this hash.
    Recovery([u8; 32]),
}

impl Proven {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "password",
            Self::Step(_) => "password and code",
            Self::Recovery(_) => "password and recovery code",
        }
    }
}

/// Makes a secret for the actor. It takes the place of one that was never confirmed.
///
/// # Errors
/// [`AdminError::Conflict`] where they have a second factor, [`AdminError::NotFound`] for a token.
pub async fn set_up(engine: &Engine, actor: &Actor) -> Result<Begun, AdminError> {
    let (user, _) = sessions::session_of(actor)?;
    sessions::refuse_beyond_provider(&engine.store, engine.clock.now(), actor).await?;
    let user = users::find(&engine.store.reader(), user).await?.ok_or(AdminError::NotFound)?;
    let secret = random_bytes::<SECRET_BYTES>();
    let written = totp::write_secret(&secret);
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    if !second_factors::begin(&mut tx, user.id, &engine.keys.seal(&written), now).await? {
        return Err(AdminError::Conflict("a second factor is set up already; remove it first"));
    }
    tx.commit().await?;
    let address = totp::address(ISSUER, &user.email, &secret);
    let (size, path) = draw(&address)?;
    Ok(Begun { secret: written, address, size, path })
}

/// The squares of a QR code, row by row, runs of dark ones as one rectangle each.
fn draw(text: &str) -> Result<(usize, String), AdminError> {
    let too_long = |_| AdminError::Conflict("the address is too long for a picture");
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(too_long)?;
    let (size, squares) = (code.width(), code.to_colors());
    let mut path = String::new();
    for (y, row) in squares.chunks(size).enumerate() {
        let mut x = 0;
        while x < size {
            let run = row[x..].iter().take_while(|square| **square == Color::Dark).count();
            if run > 0 {
                path.push_str(&format!("M{x} {y}h{run}v1h-{run}z"));
            }
            x += run.max(1);
        }
    }
    Ok((size, path))
}

/// Confirms the actor's secret by its first code and gives them recovery codes, for this once. Their other sessions end.
///
/// # Errors
/// [`AdminError::Conflict`] where there is nothing to confirm, [`AdminError::Invalid`] where the code does not count.
pub async fn confirm(
    engine: &Engine,
    attempts: &Attempts,
    actor: &Actor,
    code: &str,
) -> Result<Vec<String>, AdminError> {
    let (user, session) = sessions::session_of(actor)?;
    let now = engine.clock.now();
    sessions::refuse_beyond_provider(&engine.store, now, actor).await?;
    let nothing = AdminError::Conflict("there is nothing to confirm; begin again");
    let found = second_factors::find(&engine.store.reader(), user).await?;
    let factor = found.filter(|factor| factor.confirmed_at.is_none()).ok_or(nothing)?;
    count(attempts, user, now)?;
    let secret = open(engine, &factor.secret_sealed)?;
    let wrong = AdminError::Invalid { field: "code", message: "is not the code that the app shows now" };
    let step = totp::matching_step(&secret, code, now, factor.last_step).ok_or(wrong)?;
    attempts.forgive_codes(user);
    let codes = new_codes();
    let mut tx = engine.store.begin().await?;
    if !second_factors::confirm(&mut tx, user, &factor.secret_sealed, step, now).await? {
        return Err(AdminError::Conflict("there is nothing to confirm; begin again"));
    }
    second_factors::replace_recovery_codes(&mut tx, user, &hashes(user, &codes)).await?;
    credentials::revoke_sessions(&mut tx, user, Some(session), now).await?;
    audit::record(&mut tx, now, actor, Deed::new("second_factor.added", user, &actor.name)).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Gives the actor new recovery codes, for this once; those from before count no more.
///
/// # Errors
/// [`AdminError::Conflict`] where they have no second factor, [`AdminError::Invalid`] where it is another password.
pub async fn renew_codes(
    engine: &Engine,
    attempts: &Attempts,
    actor: &Actor,
    password: &str,
) -> Result<Vec<String>, AdminError> {
    let (user, _) = sessions::session_of(actor)?;
    let now = engine.clock.now();
    sessions::confirm_password(&engine.store, attempts, now, actor, "password", password).await?;
    let found = second_factors::find(&engine.store.reader(), user).await?;
    let none = AdminError::Conflict("there is no second factor");
    found.filter(|factor| factor.confirmed_at.is_some()).ok_or(none)?;
    let codes = new_codes();
    let mut tx = engine.store.begin().await?;
    second_factors::replace_recovery_codes(&mut tx, user, &hashes(user, &codes)).await?;
    audit::record(&mut tx, now, actor, Deed::new("second_factor.codes_renewed", user, &actor.name)).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Takes the actor's own second factor away.
///
/// # Errors
/// [`AdminError::NotFound`] where they have none, [`AdminError::Invalid`] where it is another password.
pub async fn remove(engine: &Engine, attempts: &Attempts, actor: &Actor, password: &str) -> Result<(), AdminError> {
    let (user, _) = sessions::session_of(actor)?;
    let now = engine.clock.now();
    sessions::confirm_password(&engine.store, attempts, now, actor, "password", password).await?;
    let mut tx = engine.store.begin().await?;
    if !second_factors::delete(&mut tx, user).await? {
        return Err(AdminError::NotFound);
    }
    audit::record(&mut tx, now, actor, Deed::new("second_factor.removed", user, &actor.name)).await?;
    Ok(tx.commit().await?)
}

/// Takes a member's second factor away, for one who has lost phone and codes. Their sessions end.
///
/// # Errors
/// [`AdminError::NotFound`] where there is no such member or they have none, [`AdminError::Forbidden`] where the actor
/// has less than they, [`AdminError::Conflict`] where they belong to another workspace too.
pub async fn reset(engine: &Engine, actor: &Actor, user: UserId) -> Result<(), AdminError> {
    let now = engine.clock.now();
    let mut tx = engine.store.begin().await?;
    workspaces::lock(&mut tx, actor.workspace).await?.ok_or(AdminError::NotFound)?;
    let member = member_in(&mut tx, actor, user).await?;
    if !actor.role.may_grant(&member.role) {
        return Err(AdminError::Forbidden("nobody changes a member who has more than they have"));
    }
    if member.is_elsewhere && actor.user != Some(user) {
        return Err(AdminError::Conflict("this user belongs to another workspace too; only they can remove it"));
    }
    if !second_factors::delete(&mut tx, user).await? {
        return Err(AdminError::NotFound);
    }
    credentials::revoke_sessions(&mut tx, user, actor.credential, now).await?;
    audit::record(&mut tx, now, actor, Deed::new("second_factor.reset", user, &member.name)).await?;
    Ok(tx.commit().await?)
}

async fn member_in(tx: &mut Tx, actor: &Actor, user: UserId) -> Result<Member, AdminError> {
    let members = users::members_in(tx, actor.workspace).await?;
    members.into_iter().find(|member| member.id == user).ok_or(AdminError::NotFound)
}

/// Looks at what somebody sent who has shown their password. What it finds is used up by [`use_up`].
pub(super) async fn prove(
    engine: &Engine,
    attempts: &Attempts,
    user: UserId,
    code: Option<&str>,
) -> Result<Proven, AdminError> {
    let found = second_factors::find(&engine.store.reader(), user).await?;
    let Some(factor) = found.filter(|factor| factor.confirmed_at.is_some()) else { return Ok(Proven::Nothing) };
    let code = code.map(str::trim).filter(|code| !code.is_empty()).ok_or(AdminError::SecondFactorNeeded)?;
    let now = engine.clock.now();
    count(attempts, user, now)?;
    if let Some(hash) = recovery_hash(user, code) {
        return Ok(Proven::Recovery(hash));
    }
    let secret = open(engine, &factor.secret_sealed)?;
    totp::matching_step(&secret, code, now, factor.last_step).map(Proven::Step).ok_or(AdminError::WrongCode)
}

/// Uses up what was proven, in the transaction of what it lets somebody do, and tells whether it counted still.
pub(super) async fn use_up(tx: &mut Tx, user: UserId, proven: &Proven, now: Timestamp) -> Result<bool, AdminError> {
    Ok(match proven {
        Proven::Nothing => true,
        Proven::Step(step) => second_factors::use_step(tx, user, *step).await?,
        Proven::Recovery(hash) => second_factors::use_recovery_code(tx, user, hash, now).await?,
    })
}

fn count(attempts: &Attempts, user: UserId, now: Timestamp) -> Result<(), AdminError> {
    attempts.begin_code(user, now).map_err(|retry_after_s| AdminError::TooManyAttempts { retry_after_s })
}

fn open(engine: &Engine, sealed: &str) -> Result<Vec<u8>, AdminError> {
    let written = engine.keys.open(sealed)?;
    totp::read_secret(&written).ok_or(AdminError::Sealed(crate::seal::Unsealable))
}

fn new_codes() -> Vec<String> {
    let code = |_| {
        let letters = totp::write_secret(&random_bytes::<CODE_BYTES>()).to_lowercase();
        [&letters[..4], &letters[4..8], &letters[8..12], &letters[12..]].join("-")
    };
    (0..CODES).map(code).collect()
}

fn hashes(user: UserId, codes: &[String]) -> Vec<[u8; 32]> {
    codes.iter().filter_map(|code| recovery_hash(user, code)).collect()
}

/// What is kept of a recovery code, for what may be one: 16 letters and digits, however they are written. They have 80
/// random bits, so a fast hash is as good as a slow one.
fn recovery_hash(user: UserId, code: &str) -> Option<[u8; 32]> {
    let letters: String = code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
    let is_one = letters.len() == 16 && totp::read_secret(&letters).is_some();
    let digest = || Sha256::new().chain_update(b"leadline recovery v1:").chain_update(user.0).chain_update(&letters);
    is_one.then(|| digest().finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_drawn_of_dark_squares() {
        let (size, path) = draw("otpauth://totp/Leadline:a%40b.de?secret=MZXW6YTB&issuer=Leadline").expect("it fits");

        assert!(size >= 21 && (size - 21) % 4 == 0, "{size}");
        assert!(path.starts_with("M0 0h7v1h-7z"), "a corner begins it: {path:.40}");
        assert!(path.chars().all(|c| c.is_ascii_digit() || "Mhvz -".contains(c)));
    }

    #[test]
    fn recovery_codes_are_read_however_they_are_written() {
        let user = UserId(uuid::Uuid::from_u128(1));
        let codes = new_codes();

        let hash = recovery_hash(user, &codes[0]);
        assert!(hash.is_some());
        assert_eq!(recovery_hash(user, &codes[0].to_uppercase().replace('-', " ")), hash);
        assert_ne!(recovery_hash(UserId(uuid::Uuid::from_u128(2)), &codes[0]), hash);
        assert_eq!(recovery_hash(user, "123456"), None);
        assert_eq!(hashes(user, &codes).len(), CODES);
    }
}
