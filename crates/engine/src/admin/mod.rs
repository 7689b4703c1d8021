//! Workspaces, the people in them, and their sessions and tokens.
//!
//! Everything here needs the store and the time alone, so that the command line can do it beside a running server.
//! What somebody may do at all is decided by the route table of the server; here stands what depends on whom it
//! concerns: nobody hands out more than they have, and no workspace is left without a super admin.

pub mod attempts;
pub mod detection;
pub mod invitations;
pub mod passwords;
pub mod roles;
pub mod second_factor;
pub mod secrets;
pub mod sessions;
pub mod sign_in;
pub mod sign_in_provider;
pub mod tokens;
pub mod users;
pub mod workspaces;

use leadline_domain::{emails::Email, ids::WorkspaceId};
use leadline_outbound::oidc::OidcError;
use leadline_store as store;

use crate::{Engine, seal::Unsealable};

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    /// A field is not right.
    #[error("{field} {message}")]
    Invalid {
        /// The field's name in the request.
        field: &'static str,
        /// What is wrong with it.
        message: &'static str,
    },
    /// Nobody has this e-mail address with this password.
    #[error("wrong e-mail address or password")]
    WrongCredentials,
    /// Address and password are right, and a code of the second factor is wanted besides.
    #[error("a code of the second factor is needed")]
    SecondFactorNeeded,
    /// It is no code that counts now, or it was used before.
    #[error("the code does not count")]
    WrongCode,
    /// The workspace wants its sign-in provider to be used instead of passwords.
    #[error("passwords are not used in this workspace")]
    PasswordsOff,
    /// A sign-in with a provider took too long, or is over.
    #[error("the sign-in is over")]
    SignInOver,
    /// A sign-in provider cannot be used.
    #[error(transparent)]
    Provider(#[from] OidcError),
    /// A field is not right, for a reason that is known only now.
    #[error("{field} {message}")]
    Refused {
        /// The field's name in the request.
        field: &'static str,
        /// What is wrong with it.
        message: String,
    },
    /// An invitation's link is unknown, used, taken back or too old.
    #[error("the invitation does not count")]
    InvitationInvalid,
    /// Too many failures; wait this long.
    #[error("too many attempts")]
    TooManyAttempts {
        /// Seconds until the next attempt may succeed.
        retry_after_s: u64,
    },
    /// There is a user already.
    #[error("already set up")]
    AlreadySetUp,
    /// There is no such thing in this workspace.
    #[error("no such thing")]
    NotFound,
    /// What is stored stands against it.
    #[error("{0}")]
    Conflict(&'static str),
    /// The actor may not do it to this one.
    #[error("{0}")]
    Forbidden(&'static str),
    /// A password could not be hashed.
    #[error("the password could not be hashed")]
    Hashing,
    /// Something was sealed with another key.
    #[error("a second factor cannot be opened")]
    Sealed(#[from] Unsealable),
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

/// Makes a workspace with its first project and its pipeline.
///
/// # Errors
/// [`AdminError::Conflict`] where the slug is taken, or where a field is not right.
pub async fn create_workspace(engine: &Engine, slug: &str, name: &str) -> Result<WorkspaceId, AdminError> {
    let defaults = engine.options.as_ref().into();
    let workspace = workspaces::create(&engine.store, engine.clock.now(), defaults, slug, name).await?;
    Ok(workspace.id)
}

/// Who does what is done beside a running server.
pub(crate) const COMMAND_LINE: &str = "Command line";

/// The longest name of anything.
const NAME_CHARS: usize = 120;

fn checked_name(field: &'static str, name: &str) -> Result<String, AdminError> {
    let name = name.trim();
    if name.is_empty() {
        return Err(AdminError::Invalid { field, message: "must not be empty" });
    }
    if name.chars().count() > NAME_CHARS {
        return Err(AdminError::Invalid { field, message: "must have at most 120 characters" });
    }
    if name.chars().any(char::is_control) {
        return Err(AdminError::Invalid { field, message: "must not have control characters" });
    }
    Ok(name.to_owned())
}

fn checked_email(email: &str) -> Result<String, AdminError> {
    let message = "must be an e-mail address";
    Email::parse(email).map(|email| email.canonical).ok_or(AdminError::Invalid { field: "email", message })
}
