//! Events on their way to destinations: who gets what, sending it, trying again, giving up.
//!
//! [`jobs`] says which destinations want an event; the dispatcher stores that. [`payload`] writes what is sent, in the
//! destination's format. [`runner`] leases what is due, sends it
//! and records what came of it. [`send`] is one HTTP try, used by the runner, by the test button and for the spool.
//! [`destinations`], [`goals`], [`access`], [`secrets`], [`replay`] and [`replays`] are what people ask for, [`callbacks`] what receivers tell.
//! While the store is away, [`spooled`] tells the destinations
//! that are known. Nothing here makes events of leads.

pub mod access;
pub mod callbacks;
pub mod destinations;
pub mod goals;
pub mod jobs;
mod mask;
pub mod payload;
pub mod preview;
pub mod replay;
pub mod replays;
pub mod retention;
pub mod rules;
pub mod runner;
pub mod secrets;
pub mod send;
pub mod spooled;
mod tokens;

#[cfg(test)]
mod tests;

pub use jobs::jobs_for;
pub use retention::retain;
pub use runner::{deliver_due, run};
pub use spooled::{Known, forward_spooled, record_forwarded};
pub use tokens::Tokens;

/// The events that a destination can choose.
pub const EVENTS: [&str; 25] = [
    "lead.created",
    "lead.re_engaged",
    "lead.resubmitted",
    "lead.updated",
    "lead.analysed",
    "lead.stage_changed",
    "lead.assigned",
    "lead.scored",
    "lead.converted",
    "lead.deleted",
    "lead.restored",
    "lead.merged",
    "lead.split",
    "lead.segment_entered",
    "lead.segment_left",
    "message.received",
    "message.sent",
    "message.delivered",
    "message.read",
    "message.failed",
    "message.unknown",
    "source.silent",
    "source.recovered",
    "destination.failing",
    "destination.recovered",
];
