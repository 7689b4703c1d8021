//! Hints for screens that are open now: what changed, not how. They are lost without harm, since every screen also
//! asks by itself from time to time.
//!
//! The dispatcher publishes them after its commit. With several nodes on PostgreSQL each node hears the others through
//! `NOTIFY` (see `dispatch`).

use leadline_domain::ids::WorkspaceId;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::broadcast;

/// Hints that a slow screen may be behind before it is told to ask for everything again.
const BACKLOG: usize = 1_024;

/// Something changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LiveHint {
    /// For whom.
    pub workspace: WorkspaceId,
    /// `lead`, `delivery` or `alert`.
    pub event: String,
    /// Ids of what changed.
    pub data: Value,
}

/// Where hints are published and heard.
#[derive(Debug, Clone)]
pub struct Live {
    sender: broadcast::Sender<LiveHint>,
}

impl Default for Live {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(BACKLOG) }
    }
}

impl Live {
    /// Tells whoever listens on this node.
    pub fn publish(&self, hint: LiveHint) {
        // An error means that nobody listens, which is fine.
        let _listeners = self.sender.send(hint);
    }

    /// Hears what is published from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<LiveHint> {
        self.sender.subscribe()
    }
}
