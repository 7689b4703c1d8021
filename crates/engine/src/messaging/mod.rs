//! Messages to the people behind leads, and from them: channels, templates, sending, what providers report, what people
//! write, and the inbox in which somebody answers.
//!
//! [`quick_send`] and other features ask for messages by inserting rows. [`runner`] takes those that are due, decides
//! with `leadline_domain::messaging` whether they may go out, writes down that it begins, and hands them over by
//! [`send`]; `letters` has what belongs to letters to many; [`outcome`] writes down what came of it and tells it by
//! events. [`sandbox`] plays a provider. [`callbacks`] hears the others, and [`inbound`] puts what people write where
//! it belongs: e-mail by [`incoming`], whether it was posted or found in a [`mailbox`]. [`attachments`] keeps files, and
//! [`approvals`] asks Meta about templates.

pub mod approvals;
pub mod attachments;
pub mod audiences;
pub mod callbacks;
pub mod channels;
pub mod inbound;
pub mod inbox;
pub mod incoming;
mod letters;
pub mod mailbox;
mod outcome;
pub mod quick_send;
pub mod runner;
pub mod sandbox;
pub mod send;
mod suppression;
pub mod templates;

use leadline_store as store;

pub use send::OpenChannels;

/// One thing that is wrong with what somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands in the body, as a JSON pointer.
    pub pointer: String,
    /// What is wrong with it.
    pub message: String,
}

impl Fault {
    fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Why nothing came of what somebody wants.
#[derive(Debug, thiserror::Error)]
pub enum MessagingError {
    /// The workspace has no such thing.
    #[error("there is no such thing")]
    NotFound,
    /// There is one of that name already, or there are too many.
    #[error("{0}")]
    Conflict(String),
    /// Some of it cannot be so.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<Fault>),
    /// What is sealed was sealed with another key file.
    #[error("the channel's secrets cannot be opened")]
    Sealed(#[from] crate::seal::Unsealable),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

impl MessagingError {
    fn field(pointer: &str, message: &str) -> Self {
        Self::Invalid(vec![Fault::new(pointer, message)])
    }
}

/// A text of one line within bounds, trimmed.
fn checked_line(pointer: &str, text: &str, most: usize) -> Result<String, Fault> {
    let text = text.trim();
    let is_good = !text.is_empty() && text.chars().count() <= most && !text.contains(char::is_control);
    if is_good {
        Ok(text.to_owned())
    } else {
        Err(Fault::new(pointer, format!("must have 1 to {most} characters in one line")))
    }
}
