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
        let remembered = self.lock().get(&asked).map(|entry| (Arc::clone(&entry.intake), entry.asked_at.elapsed()));
        // While the store is away, asking it would only make visitors wait.
        let freshest_there_is = self.store_is_away.load(Ordering::SeqCst);
        if let Some((intake, age)) = &remembered
            && (*age < FRESH || freshest_there_is)
        {
            return Ok(Some(Intake::clone(intake)));
        }
        match tokio::time::timeout(LOOK_UP_DEADLINE, look_up).await {
            Ok(Ok(found)) => Ok(self.remember(asked, found)),
            Ok(Err(error)) => remembered.map(|(intake, _)| Some(Intake::clone(&intake))).ok_or(error),
            Err(_elapsed) => remembered.map(|(intake, _)| Some(Intake::clone(&intake))).ok_or(Error::Contended),
        }
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
