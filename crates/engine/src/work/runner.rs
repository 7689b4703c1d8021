//! Does what waits, and what time brings: leads that came, answers that are overdue, reminders.

use std::time::Duration;

use leadline_store::Error;
use tokio::sync::watch;

use super::{arrivals, responses, tasks};
use crate::Engine;

/// Polling alone is correct; wake-ups make new leads quick. Reminders come by it alone.
const POLL: Duration = Duration::from_secs(1);

/// Works until `stop` says otherwise.
pub(crate) async fn run(engine: Engine, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        match work_due(&engine).await {
            Ok(0) => {}
            Ok(_) => continue,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "assignment and reminders wait for the store");
            }
        }
        tokio::select! {
            () = engine.wake.work.notified() => {}
            () = tokio::time::sleep(POLL) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Does some of what is due, and tells how much that was.
///
/// # Errors
/// Where the database fails; what was done before stays done.
pub async fn work_due(engine: &Engine) -> Result<usize, Error> {
    let came = arrivals::take_in_due(engine).await?;
    let escalated = responses::escalate_due(engine).await?;
    let reminded = tasks::remind_due(engine).await?;
    Ok(came + escalated + reminded)
}
