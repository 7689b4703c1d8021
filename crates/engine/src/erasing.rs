//! Whoever keeps something of persons that no table shows: packed, or on the disk.
//!
//! A feature that does so hands in a [`Keeper`]; whoever erases a person asks each of them. Neither knows the other.

use std::{pin::Pin, sync::Arc};

use leadline_domain::{ids::WorkspaceId, privacy::Traces};
use leadline_store::Error;

use crate::Engine;

/// Keeps something of persons.
pub trait Keeper: Send + Sync {
    /// Takes out what names the person, and tells in how many places that was. It may be asked again at any time.
    fn erase<'a>(&'a self, engine: &'a Engine, workspace: WorkspaceId, person: &'a Traces) -> Erasing<'a>;
}

/// A keeper at work.
pub type Erasing<'a> = Pin<Box<dyn Future<Output = Result<u64, KeeperError>> + Send + 'a>>;

/// Why something was not taken out. It is tried again.
#[derive(Debug, thiserror::Error)]
pub enum KeeperError {
    /// The disk failed, or what is on it cannot be stored yet.
    #[error("what is kept on the disk cannot be erased now: {0}")]
    Disk(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// Everybody who keeps something.
#[derive(Clone, Default)]
pub struct Keepers(Arc<[Arc<dyn Keeper>]>);

impl Keepers {
    /// These keepers.
    #[must_use]
    pub fn of(keepers: Vec<Arc<dyn Keeper>>) -> Self {
        Self(keepers.into())
    }

    /// Has all of them take out what names the person.
    ///
    /// # Errors
    /// Where one of them cannot now.
    pub async fn erase(&self, engine: &Engine, workspace: WorkspaceId, person: &Traces) -> Result<u64, KeeperError> {
        let mut places = 0;
        for keeper in self.0.iter() {
            places += keeper.erase(engine, workspace, person).await?;
        }
        Ok(places)
    }
}
