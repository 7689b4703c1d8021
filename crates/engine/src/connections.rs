//! Sees to it that the store can be reached again after a network that swallowed bytes, without a restart.

use std::time::Duration;

use leadline_store::{Dialect, Store};
use tokio::sync::watch;

/// How often the connections are tried.
const TRY_EVERY: Duration = Duration::from_secs(5);

/// Longer than a pool makes anyone wait for a connection.
const DEADLINE: Duration = Duration::from_secs(6);

/// Tries in a row without an answer before connections are replaced: a pool that is only busy answers one of them.
const FAILURES_BEFORE: u32 = 2;

/// Replaces connections that stopped to answer, until `stop` says otherwise.
pub(crate) async fn run(store: Store, mut stop: watch::Receiver<bool>) {
    if store.dialect() == Dialect::Sqlite {
        return;
    }
    let mut failures = 0;
    loop {
        tokio::select! {
            () = tokio::time::sleep(TRY_EVERY) => {}
            _ = stop.changed() => return,
        }
        if matches!(tokio::time::timeout(DEADLINE, store.ping()).await, Ok(Ok(()))) {
            failures = 0;
            continue;
        }
        failures += 1;
        if failures < FAILURES_BEFORE {
            continue;
        }
        match store.reconnect().await {
            Ok(()) => {
                failures = 0;
                tracing::warn!("connections to the store did not answer and were replaced");
            }
            Err(error) => {
                tracing::debug!(
                    error = &error as &dyn std::error::Error,
                    "the store cannot be reached over new connections either"
                );
            }
        }
    }
}
