//! Which site a key belongs to, remembered for a moment, so that not every report asks the store.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use leadline_store::{
    Error,
    visits::{self as rows, TrackedSite},
};

use crate::Engine;

/// How long a change to a site may go unnoticed.
const FRESH: Duration = Duration::from_secs(1);

/// How long a look-up may take.
const LOOK_UP_DEADLINE: Duration = Duration::from_millis(500);

/// Keys remembered at most. Only keys that exist are remembered, so a guesser cannot fill it.
const MOST: usize = 100_000;

/// What is known about sites. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Sites {
    known: Arc<Mutex<HashMap<String, Known>>>,
}

#[derive(Clone)]
struct Known {
    site: Arc<TrackedSite>,
    asked_at: Instant,
}

impl Sites {
    pub(super) async fn by_key(&self, engine: &Engine, key: &str) -> Result<Option<Arc<TrackedSite>>, Error> {
        let remembered = self.lock().get(key).cloned();
        if let Some(known) = &remembered
            && (known.asked_at.elapsed() < FRESH || engine.door.store_is_away())
        {
            return Ok(Some(Arc::clone(&known.site)));
        }
        let reader = engine.store.reader();
        match tokio::time::timeout(LOOK_UP_DEADLINE, rows::find_site(&reader, key)).await {
            Ok(Ok(found)) => Ok(self.remember(key, found)),
            Ok(Err(error)) => remembered.map(|known| Some(known.site)).ok_or(error),
            Err(_elapsed) => remembered.map(|known| Some(known.site)).ok_or(Error::TimedOut),
        }
    }

    fn remember(&self, key: &str, found: Option<TrackedSite>) -> Option<Arc<TrackedSite>> {
        let mut known = self.lock();
        let Some(site) = found.map(Arc::new) else {
            known.remove(key);
            return None;
        };
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(key.to_owned(), Known { site: Arc::clone(&site), asked_at: Instant::now() });
        Some(site)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
