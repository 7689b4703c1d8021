//! Which source a key belongs to, remembered for a moment, so that neither the hot path asks the store each time nor
//! a store that is away makes a form unknown.

use std::{
    borrow::Cow,
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use leadline_domain::ids::{ProjectId, WorkspaceId};
use leadline_store::{
    Error, Store,
    sources::{self, Intake},
};

/// How long another node's change to a source may go unnoticed.
const FRESH: Duration = Duration::from_secs(1);

/// How long a look-up may take before what was known last is used.
const LOOK_UP_DEADLINE: Duration = Duration::from_millis(500);

/// How long the first look-up of a key may take. There is nothing else to go by: giving up refuses a lead.
const FIRST_LOOK_UP_DEADLINE: Duration = Duration::from_secs(5);

/// Keys looked up before the first visitor comes.
const FIRST: i64 = 10_000;

/// Keys remembered at most. Only keys that exist are remembered, so a guesser cannot fill it.
const MOST: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Asked {
    Key(Cow<'static, str>, String),
    Direct(WorkspaceId, Option<ProjectId>),
}

struct Entry {
    intake: Arc<Intake>,
    asked_at: Instant,
}

enum Recalled {
    Fresh(Arc<Intake>),
    Stale(Arc<Intake>),
    Nothing,
}

/// What is known about sources. Cheap to clone.
#[derive(Clone)]
pub struct Intakes {
    store: Store,
    known: Arc<Mutex<HashMap<Asked, Entry>>>,
    store_is_away: Arc<AtomicBool>,
}

impl Intakes {
    pub(crate) fn new(store: Store, store_is_away: Arc<AtomicBool>) -> Self {
        Self { store, known: Arc::default(), store_is_away }
    }

    /// Looks up the sources that got something last, so that a store that goes away before their first visitor comes
    /// makes none of them unknown.
    ///
    /// # Errors
    /// Where the store is away.
    pub async fn learn(&self) -> Result<(), Error> {
        for (key, intake) in sources::latest_intakes(&self.store.reader(), FIRST).await? {
            let asked = Asked::Key(Cow::Owned(intake.kind.clone()), key);
            self.remember(asked, Some(intake));
        }
        Ok(())
    }

    /// Where the key of a form (`form`) or an inbound webhook (`webhook`) leads to.
    ///
    /// # Errors
    /// Where the store is away and the key was never seen before.
    pub async fn by_key(&self, kind: &'static str, key: &str) -> Result<Option<Intake>, Error> {
        let asked = Asked::Key(Cow::Borrowed(kind), key.to_owned());
        self.find(asked, sources::find_intake(&self.store.reader(), kind, key)).await
    }

    /// Where a lead goes that names a project, or none.
    ///
    /// # Errors
    /// Where the store is away and this was never asked before.
    pub async fn direct(&self, workspace: WorkspaceId, project: Option<ProjectId>) -> Result<Option<Intake>, Error> {
        let asked = Asked::Direct(workspace, project);
        self.find(asked, sources::find_direct_intake(&self.store.reader(), workspace, project)).await
    }

    /// Forgets everything: a source, a pipeline or a workspace changed here.
    pub fn forget(&self) {
        self.lock().clear();
    }

    async fn find(
        &self,
        asked: Asked,
        look_up: impl Future<Output = Result<Option<Intake>, Error>>,
    ) -> Result<Option<Intake>, Error> {
        let (remembered, deadline) = match self.recall(&asked) {
            Recalled::Fresh(intake) => return Ok(Some(Intake::clone(&intake))),
            Recalled::Stale(intake) => (Some(intake), LOOK_UP_DEADLINE),
            Recalled::Nothing => (None, FIRST_LOOK_UP_DEADLINE),
        };
        let failed = match tokio::time::timeout(deadline, look_up).await {
            Ok(Ok(found)) => return Ok(self.remember(asked, found)),
            Ok(Err(error)) => error,
            Err(_elapsed) => Error::Contended,
        };
        remembered.map(|intake| Some(Intake::clone(&intake))).ok_or(failed)
    }

    /// What is known of a key. Whoever is told that it is stale is the one who asks again; the others go on with what
    /// there is, so that a busy form is not looked up by all its visitors at once.
    fn recall(&self, asked: &Asked) -> Recalled {
        // While the store is away, asking it would only make visitors wait.
        let freshest_there_is = self.store_is_away.load(Ordering::SeqCst);
        let mut known = self.lock();
        let Some(entry) = known.get_mut(asked) else { return Recalled::Nothing };
        let intake = Arc::clone(&entry.intake);
        if entry.asked_at.elapsed() < FRESH || freshest_there_is {
            return Recalled::Fresh(intake);
        }
        entry.asked_at = Instant::now();
        Recalled::Stale(intake)
    }

    fn remember(&self, asked: Asked, found: Option<Intake>) -> Option<Intake> {
        let mut known = self.lock();
        let Some(intake) = found else {
            known.remove(&asked);
            return None;
        };
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(asked, Entry { intake: Arc::new(intake.clone()), asked_at: Instant::now() });
        Some(intake)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Asked, Entry>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
