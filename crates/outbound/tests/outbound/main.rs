//! The ways out, tried against receivers that misbehave and against the cases that others wrote (in `../shared/cases`,
//! beside the project).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod client;
mod guard;
mod headers;
mod names;
mod proof;
mod receivers;
mod sign;
mod tls;
