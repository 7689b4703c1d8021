//! Leads once they are in: moving, changing, assigning, noting, converting, deleting; and the pipelines they are in.
//!
//! Each function is one transaction: rows, timeline, events. Where another writer was quicker it is tried again on what
//! that one wrote. Locks are taken in one order: stages, leads by their ids, contacts, identities. How leads come in is
//! the business of `capture`; what follows from an event that of `dispatch`.

pub mod bulk;
pub mod contacts;
pub mod convert;
pub mod custom_fields;
pub mod draft;
pub mod leads;
pub mod membership;
pub mod merging;
pub mod pipelines;
pub mod segments;
pub mod splitting;
pub mod stages;
pub mod views;

mod identities;
mod text;
mod worth;

use leadline_domain::pipelines::ReasonFault;
use leadline_store as store;

pub use bulk::{Action, Outcome, Refusal, apply, apply_and_keep};
pub use convert::convert;
pub use leads::{Basis, Changes, Conflict, add_note, assign, delete, restore, update};
pub use stages::{Move, move_stage};
pub use worth::WorthChanges;

use crate::lead_changes::{Record, stages::MoveError};

/// How often a change is tried again because another writer was quicker.
const TRIES: u32 = 8;

/// Why a lead was not changed.
#[derive(Debug, thiserror::Error)]
pub enum LeadError {
    /// There is none of this id in the workspace.
    #[error("there is no such lead")]
    NotFound,
    /// It is deleted; restore it first.
    #[error("the lead is deleted")]
    Deleted,
    /// There is no such stage in the workspace.
    #[error("there is no such stage")]
    NoStage,
    /// The lead that it is to stand below does not exist, or is itself.
    #[error("there is no such lead to stand below")]
    NoNeighbour,
    /// It cannot be won or lost for this reason, or not without one.
    #[error(transparent)]
    Reason(#[from] ReasonFault),
    /// The user is not a member, or may not sign in.
    #[error("the user is no member of the workspace")]
    NoMember,
    /// Some of what was said of it cannot be so.
    #[error("{} fields are not valid", .0.len())]
    Invalid(Vec<Fault>),
    /// Somebody else changed what the change would overwrite.
    #[error("{} fields were changed by somebody else", .0.len())]
    Conflicts(Vec<Conflict>),
    /// The store failed.
    #[error(transparent)]
    Internal(#[from] store::Error),
}

impl From<MoveError> for LeadError {
    fn from(error: MoveError) -> Self {
        match error {
            MoveError::Reason(fault) => Self::Reason(fault),
            MoveError::Internal(error) => Self::Internal(error),
        }
    }
}

/// A field that cannot be so.
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

/// Whether an error says that trying again may help.
trait Contention {
    fn is_contended(&self) -> bool;
}

impl Contention for LeadError {
    fn is_contended(&self) -> bool {
        matches!(self, Self::Internal(store::Error::Contended))
    }
}

/// Runs a transaction again where another writer was quicker.
async fn retrying<T, E, F>(mut attempt: impl FnMut() -> F) -> Result<T, E>
where
    E: Contention,
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..TRIES {
        match attempt().await {
            Err(error) if error.is_contended() => tokio::task::yield_now().await,
            result => return result,
        }
    }
    attempt().await
}
