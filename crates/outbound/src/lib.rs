//! The only way out of Leadline: requests to addresses that users chose, and e-mail by the operator's server.
//!
//! This crate knows which addresses may be reached (`guard`), makes the request to exactly the address it checked
//! (`client`, `resolve`), signs what it sends (`sign`), shows a certificate where one is asked for (`certificates`),
//! and checks what others signed (`proof`). What providers of messages want to be told, and what their answers mean, is
//! in [`messages`]; asking a provider who somebody is, in [`oidc`]. No other crate opens a connection to a place named
//! by a user.
//!
//! It does not know leads, deliveries or retries: the engine decides what to send, when, and what an answer means.
//! Read `guard` first, then `client`.

mod certificates;
mod client;
mod guard;
mod headers;
mod mail;
pub mod messages;
pub mod oidc;
mod proof;
mod ranges;
mod resolve;
mod sign;

pub use certificates::{CertificateRefused, ClientCertificate, MAX_PEM_BYTES};
pub use client::{BuildError, Client, DEFAULT_TIMEOUT, Fetch, MAX_BODY_BYTES, Request, Response, SendError};
pub use guard::{Guard, MAX_URL_CHARS, UrlRefused};
pub use headers::{HeaderRefused, check_custom_header};
pub use http::Method;
pub use mail::{
    Found, Letter, LetterError, LetterFile, Mail, MailError, MailServer, Mailbox, MailboxError, MailboxServer, Mailer,
    MailerRefused, Trust,
};
pub use proof::{Incoming, Scheme, Unproven, hmac_hex, same_secret, verify_signature};
pub use resolve::{LookUp, LookUpFailed};
pub use sign::{Secret, SecretRefused, VerifyError, delivery_headers, sign_plain, sign_standard, verify_standard};
