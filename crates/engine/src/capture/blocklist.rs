//! Which addresses a workspace blocks, remembered for a moment, so that neither the hot path asks the store each time
//! nor a store that is away lets everybody in.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ipnet::IpNet;
use leadline_domain::{
    ids::{BlockedIpId, WorkspaceId},
    time::Timestamp,
};
use leadline_store::{
    Store,
    blocked_ips::{self, BlockedIp},
};

use crate::addresses::{parse_range, write_range};

/// How long another node's block may go unnoticed.
const FRESH: Duration = Duration::from_secs(1);

/// How long a look-up may take before what was known last is used.
const LOOK_UP_DEADLINE: Duration = Duration::from_millis(500);

/// Ranges that one workspace may block.
pub const MOST_RANGES: i64 = 10_000;

/// The block that an address falls under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The block.
    pub id: BlockedIpId,
    /// Its range.
    pub range: String,
}

/// What is known about blocks. Cheap to clone.
#[derive(Clone)]
pub(super) struct Blocklist {
    store: Store,
    known: Arc<Mutex<HashMap<WorkspaceId, Entry>>>,
    /// Held while a list is read that nobody knows yet, so that a hundred visitors ask for it once.
    reading: Arc<tokio::sync::Mutex<()>>,
    store_is_away: Arc<AtomicBool>,
}

struct Entry {
    ranges: Arc<Ranges>,
    asked_at: Instant,
}

#[derive(Default)]
struct Ranges {
    addresses: HashMap<IpAddr, (BlockedIpId, Option<i64>)>,
    networks: Vec<(IpNet, BlockedIpId, Option<i64>)>,
}

impl Blocklist {
    pub fn new(store: Store, store_is_away: Arc<AtomicBool>) -> Self {
        Self { store, known: Arc::default(), reading: Arc::default(), store_is_away }
    }

    /// The block that `ip` falls under now.
    pub async fn find(&self, workspace: WorkspaceId, ip: IpAddr, now: Timestamp) -> Option<Block> {
        self.ranges(workspace).await.find(ip, now)
    }

    /// Forgets everything: blocks changed here.
    pub fn forget(&self) {
        self.lock().clear();
    }

    async fn ranges(&self, workspace: WorkspaceId) -> Arc<Ranges> {
        match self.remembered(workspace) {
            Some((ranges, true)) => ranges,
            Some((ranges, false)) => self.read(workspace).await.unwrap_or(ranges),
            None => {
                let _one_reads = self.reading.lock().await;
                match self.remembered(workspace) {
                    Some((ranges, _)) => ranges,
                    // A lead is never lost to a list that cannot be read, and those who wait do not each ask again.
                    None => match self.read(workspace).await {
                        Some(ranges) => ranges,
                        None => self.remember(workspace, &[]),
                    },
                }
            }
        }
    }

    async fn read(&self, workspace: WorkspaceId) -> Option<Arc<Ranges>> {
        let reader = self.store.reader();
        let look_up = blocked_ips::list_all(&reader, workspace, MOST_RANGES);
        match tokio::time::timeout(LOOK_UP_DEADLINE, look_up).await {
            Ok(Ok(rows)) => Some(self.remember(workspace, &rows)),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// What is known, and whether that is good enough. Whoever finds it stale asks for all that come meanwhile.
    fn remembered(&self, workspace: WorkspaceId) -> Option<(Arc<Ranges>, bool)> {
        let freshest_there_is = self.store_is_away.load(Ordering::SeqCst);
        let mut known = self.lock();
        let entry = known.get_mut(&workspace)?;
        let is_fresh = entry.asked_at.elapsed() < FRESH || freshest_there_is;
        if !is_fresh {
            entry.asked_at = Instant::now();
        }
        Some((Arc::clone(&entry.ranges), is_fresh))
    }

    fn remember(&self, workspace: WorkspaceId, rows: &[BlockedIp]) -> Arc<Ranges> {
        let ranges = Arc::new(Ranges::of(rows));
        self.lock().insert(workspace, Entry { ranges: Arc::clone(&ranges), asked_at: Instant::now() });
        ranges
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<WorkspaceId, Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ranges {
    fn of(rows: &[BlockedIp]) -> Self {
        let mut ranges = Self::default();
        for row in rows {
            let Some(range) = parse_range(&row.ip_range) else { continue };
            if range.prefix_len() == range.max_prefix_len() {
                ranges.addresses.insert(range.addr(), (row.id, row.expires_at));
            } else {
                ranges.networks.push((range, row.id, row.expires_at));
            }
        }
        ranges
    }

    fn find(&self, ip: IpAddr, now: Timestamp) -> Option<Block> {
        let is_in_force = |expires_at: Option<i64>| expires_at.is_none_or(|at| now.0 < at);
        let address = self.addresses.get(&ip).filter(|(_, expires_at)| is_in_force(*expires_at));
        if let Some((id, _)) = address {
            return Some(Block { id: *id, range: ip.to_string() });
        }
        let network = self.networks.iter().find(|(range, _, until)| range.contains(&ip) && is_in_force(*until));
        network.map(|(range, id, _)| Block { id: *id, range: write_range(*range) })
    }
}
