//! Changing leads that are locked, in a transaction of somebody else's: places on the board, owners, tags, and what each
//! change leaves behind. For `crm`, where people change leads, and for whatever does the same by itself.

pub(crate) mod owners;
mod record;
pub(crate) mod stages;
pub(crate) mod tags;

pub(crate) use record::{Cause, Record};

/// Tags on one lead at most; adding beyond it is refused.
pub(crate) const TAGS_MAX: usize = 50;
