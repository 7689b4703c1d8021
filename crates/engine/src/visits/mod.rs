//! Visits of sites that carry our script, from what browsers report to what leads show of it.
//!
//! Best effort, and never in the way of a submission: a report is taken into bounded memory and answered at once, and
//! what gathered is written about every second, a few statements for all of it. What does not fit, or was not yet
//! written when a node dies, is lost and counted. [`mod@standing`] says what visits mean for leads.

mod sites;
mod standing;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use leadline_domain::{
    ids::{SiteId, WorkspaceId},
    time::{DAY_MS, HOUR_MS, Timestamp},
    visits::{Report, Visit},
};
use leadline_store::{
    Error,
    visits::{self as rows, StoredVisit, TrackedSite, VisitKey, standing::Visitor},
};
use tokio::sync::watch;

use crate::Engine;
pub(crate) use standing::follow;

/// Visits are deleted this long after they began.
const LIFE_MS: i64 = 90 * DAY_MS;

/// How long reports gather. On SQLite there is one writer, and submissions wait behind each of its commits.
const GATHER: Duration = Duration::from_secs(1);

/// How long submissions have the writer to themselves between two parts of what gathered.
const LET_PASS: Duration = Duration::from_millis(20);

/// Visits written in one transaction.
const AT_ONCE: usize = 250;

/// Visits that wait to be written, and pages in them. Beyond it reports are dropped: memory is for submissions.
const MOST_WAITING: usize = 10_000;
const MOST_PAGES_WAITING: usize = 50_000;

/// Visits of one visitor that are kept.
const MOST_VISITS: i64 = 300;

/// Visits deleted in one transaction, so that nobody waits long behind it.
const DELETED_AT_ONCE: i64 = 1_000;

/// What a stopping node gives the store to take what is left.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// Where reports of browsers come in. Cheap to clone.
#[derive(Clone, Default)]
pub struct Visits {
    sites: sites::Sites,
    waiting: Arc<Mutex<Waiting>>,
}

#[derive(Default)]
struct Waiting {
    visits: HashMap<VisitKey, (SiteId, Visit)>,
    pages: usize,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It waits to be written.
    Waits,
    /// It says nothing that can be used.
    Unreadable,
    /// There is no room.
    Dropped,
}

impl Visits {
    /// The site of this key.
    ///
    /// # Errors
    /// Where the store is away and the key was never seen before.
    pub async fn site(&self, engine: &Engine, key: &str) -> Result<Option<Arc<TrackedSite>>, Error> {
        self.sites.by_key(engine, key).await
    }

    /// Takes what a browser reports of a visit of this site.
    pub fn take(&self, site: &TrackedSite, body: &[u8], received_at: Timestamp) -> Taken {
        let taken = match Report::read(body, received_at) {
            Some(report) => self.wait(site, report, received_at),
            None => Taken::Unreadable,
        };
        let outcome = match taken {
            Taken::Waits => "taken",
            Taken::Unreadable => "unreadable",
            Taken::Dropped => "dropped",
        };
        metrics::counter!("leadline_tracker_reports_total", "outcome" => outcome).increment(1);
        taken
    }

    /// Counts a report that was not even read.
    pub fn drop_unread(&self) {
        metrics::counter!("leadline_tracker_reports_total", "outcome" => "dropped").increment(1);
    }

    fn wait(&self, site: &TrackedSite, report: Report, received_at: Timestamp) -> Taken {
        let key = VisitKey {
            workspace_id: site.workspace_id,
            visitor_id: report.visitor.clone(),
            session_id: report.session.clone(),
        };
        self.lock().add(key, site.id, Visit::begin(report, received_at))
    }

    /// Whether something of this visit waits to be written on this node.
    fn awaits(&self, workspace: WorkspaceId, visitor: &str, session: &str) -> bool {
        let (visitor_id, session_id) = (visitor.to_owned(), session.to_owned());
        self.lock().visits.contains_key(&VisitKey { workspace_id: workspace, visitor_id, session_id })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, key: VisitKey, site: SiteId, visit: Visit) -> Taken {
        let has_room = self.visits.len() < MOST_WAITING && self.pages + visit.pages.len() <= MOST_PAGES_WAITING;
        if !has_room {
            return Taken::Dropped;
        }
        match self.visits.get_mut(&key) {
            Some((_, known)) => {
                self.pages -= known.pages.len();
                known.take(visit.pages, visit.seen_at);
                self.pages += known.pages.len();
            }
            None => {
                self.pages += visit.pages.len();
                self.visits.insert(key, (site, visit));
            }
        }
        Taken::Waits
    }

    /// Takes out up to `most` visits.
    fn take_out(&mut self, most: usize) -> Vec<StoredVisit> {
        let keys: Vec<VisitKey> = self.visits.keys().take(most).cloned().collect();
        let out = keys.into_iter().filter_map(|key| {
            let (site_id, visit) = self.visits.remove(&key)?;
            self.pages -= visit.pages.len();
            Some(StoredVisit { key, site_id, visit })
        });
        out.collect()
    }
}

/// Writes what gathers until `stop` says otherwise, and then what is left.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(GATHER) => {}
            _ = stop.changed() => break,
        }
        // While the store is away it is asked by those who have more to lose.
        if engine.door.store_is_away() {
            continue;
        }
        if let Err(error) = flush(&engine).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "visits cannot be written now");
        }
    }
    let _late_ones_are_lost = tokio::time::timeout(LAST_WRITE, flush(&engine)).await;
}

/// Writes everything that waits now.
///
/// # Errors
/// Where the database fails; what could not be written waits on.
pub async fn flush(engine: &Engine) -> Result<(), Error> {
    loop {
        let some = engine.visits.lock().take_out(AT_ONCE);
        if some.is_empty() {
            return Ok(());
        }
        let is_all = some.len() < AT_ONCE;
        let visitors = visitors(&some);
        if let Err(error) = write(engine, &some).await {
            if !error.is_about_the_data() {
                put_back(engine, some);
            }
            return Err(error);
        }
        standing::grow(engine, &visitors).await?;
        if is_all {
            return Ok(());
        }
        tokio::time::sleep(LET_PASS).await;
    }
}

fn visitors(visits: &[StoredVisit]) -> Vec<Visitor> {
    let visitor = |visit: &StoredVisit| Visitor {
        workspace_id: visit.key.workspace_id,
        visitor_id: visit.key.visitor_id.clone(),
    };
    visits.iter().map(visitor).collect::<HashSet<_>>().into_iter().collect()
}

fn put_back(engine: &Engine, visits: Vec<StoredVisit>) {
    let mut waiting = engine.visits.lock();
    for StoredVisit { key, site_id, visit } in visits {
        if waiting.add(key, site_id, visit) == Taken::Dropped {
            engine.visits.drop_unread();
        }
    }
}

async fn write(engine: &Engine, heard: &[StoredVisit]) -> Result<(), Error> {
    let now = engine.clock.now();
    let mut keys: Vec<VisitKey> = heard.iter().map(|one| one.key.clone()).collect();
    keys.sort_unstable();
    let mut tx = engine.store.begin().await?;
    let stored = rows::lock(&mut tx, &keys).await?;
    let mut stored: HashMap<VisitKey, StoredVisit> = stored.into_iter().map(|one| (one.key.clone(), one)).collect();
    let new: Vec<VisitKey> = keys.into_iter().filter(|key| !stored.contains_key(key)).collect();
    let crowded: HashSet<_> = rows::crowded(&mut tx, &new, MOST_VISITS).await?.into_iter().collect();
    let mut changed = Vec::with_capacity(heard.len());
    for one in heard {
        let visitor = (one.key.workspace_id, one.key.visitor_id.clone());
        match stored.remove(&one.key) {
            Some(mut known) => {
                known.visit.take(one.visit.pages.clone(), one.visit.seen_at);
                changed.push(known);
            }
            None if crowded.contains(&visitor) => engine.visits.drop_unread(),
            None => changed.push(one.clone()),
        }
    }
    changed.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    rows::upsert(&mut tx, &changed).await?;
    let sites: HashSet<SiteId> = heard.iter().map(|one| one.site_id).collect();
    rows::note_sites(&mut tx, &sites.into_iter().collect::<Vec<_>>(), now, now.plus_ms(-HOUR_MS)).await?;
    tx.commit().await
}

/// Deletes visits that have lived long enough. What they said of leads stays.
///
/// # Errors
/// Where the database fails; what was deleted before stays so.
pub async fn retain(engine: &Engine, now: Timestamp) -> Result<(), Error> {
    let before = now.plus_ms(-LIFE_MS);
    loop {
        let mut tx = engine.store.begin().await?;
        let deleted = rows::delete_older(&mut tx, before, DELETED_AT_ONCE).await?;
        tx.commit().await?;
        if deleted == 0 {
            return Ok(());
        }
    }
}
