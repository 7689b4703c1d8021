//! The only way out of Leadline: requests to addresses that users chose.
//!
//! This crate knows which addresses may be reached (`guard`), makes the request to exactly the address it checked
//! (`client`, `resolve`), and signs what it sends (`sign`). No other crate opens a connection to a place named by a user.
//!
//! It does not know leads, deliveries or retries: the engine decides what to send, when, and what an answer means.
//! Read `guard` first, then `client`.

mod client;
mod guard;
mod headers;
mod ranges;
mod resolve;
mod sign;

pub use client::{BuildError, Client, DEFAULT_TIMEOUT, MAX_BODY_BYTES, Request, Response, SendError};
pub use guard::{Guard, MAX_URL_CHARS, UrlRefused};
pub use headers::{HeaderRefused, check_custom_header};
pub use resolve::{LookUp, LookUpFailed};
pub use sign::{Secret, SecretRefused, VerifyError, delivery_headers, sign_plain, sign_standard, verify_standard};
