//! Providers of messages: what each wants to be told, and what its answer means.
//!
//! An answer is one of four things: the provider has the message; it will never take it; it has surely not taken it now;
//! or nobody knows. The last is what a break in the middle leaves, and it is never guessed at: a message that may have
//! gone out is not sent again.

pub mod sms_http;
pub mod twilio;
pub mod whatsapp;
pub mod whatsapp_templates;

use std::time::Duration;

use crate::client::{Response, SendError};

/// What became of a message that was handed to its provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// The provider has it, and calls it this.
    Taken {
        /// The provider's name for it.
        provider_id: Option<String>,
    },
    /// The provider will not take it.
    Refused(Reason),
    /// The provider has not taken it; it may be asked again, not before so long.
    Later(Reason, Option<Duration>),
    /// It may have been taken.
    Unclear(Reason),
}

/// Why a message did not go out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// A stable name, or the provider's number.
    pub code: String,
    /// What the provider says, or what went wrong.
    pub message: String,
}

/// What is kept of what a provider says, in characters.
const LONGEST: usize = 500;

impl Reason {
    /// A reason, cut to what is kept, in one line.
    #[must_use]
    pub fn new(code: impl Into<String>, message: &str) -> Self {
        let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
        let code: String = code.into();
        Self { code: code.chars().take(64).collect(), message: line.trim().to_owned() }
    }
}

/// A text on its way to a phone.
#[derive(Debug, Clone, Copy)]
pub struct Text<'a> {
    /// Our id of it, by which a provider may tell a repeat.
    pub id: &'a str,
    /// To which number, in E.164.
    pub to: &'a str,
    /// What it says.
    pub body: &'a str,
    /// Where the provider reports what becomes of it.
    pub callback: &'a str,
}

/// What an exchange that brought no answer says of the message.
#[must_use]
pub fn without_answer(error: &SendError) -> Handed {
    let reason = Reason::new(error.code(), &error.to_string());
    match error {
        SendError::Refused(_) | SendError::Header(_) => Handed::Refused(reason),
        SendError::Connect(_) | SendError::Tls(_) => Handed::Later(reason, None),
        SendError::Timeout | SendError::Network(_) => Handed::Unclear(reason),
    }
}

/// What an answer's status says where it is no success; `reason` is what the body tells.
fn judged(response: &Response, reason: Reason) -> Handed {
    match response.status {
        429 | 503 => Handed::Later(reason, retry_after(response)),
        400..=499 => Handed::Refused(reason),
        // A server that fails may have failed after it took the message.
        _ => Handed::Unclear(reason),
    }
}

fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.header("retry-after")?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(24 * 60 * 60)))
}
