//! One job on its way: its lane's slot, the request, and what its answer means.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use leadline_domain::{
    ids::AttemptId,
    retry::{judge, judge_probe},
    time::SECOND_MS,
};
use tokio::sync::{Semaphore, watch};

use super::record::{Job, Result as Outcome};
use crate::{
    Engine,
    delivery::send::{Attempt, DestinationForSending, Outgoing, send_once},
    random_bytes,
};

/// What is left of a lease when a request's time is over: for recording.
const LEASE_MARGIN_MS: i64 = 5 * SECOND_MS;

/// What one job needs on its way.
pub(super) struct Sender {
    pub(super) engine: Engine,
    pub(super) slots: Arc<Semaphore>,
    /// The destination as it is at the last moment.
    pub(super) current: watch::Receiver<Option<Arc<DestinationForSending>>>,
    pub(super) is_held_back: Arc<AtomicBool>,
    /// Says that the time of a stop is over.
    pub(super) hurry: watch::Receiver<bool>,
}

impl Sender {
    /// Sends the job when its lane has a slot for it.
    pub(super) async fn carry_out(mut self, job: &Job) -> Outcome {
        let Ok(_slot) = Arc::clone(&self.slots).acquire_owned().await else { return Outcome::Unsent };
        let Some(destination) = self.current.borrow().clone() else { return Outcome::Unsent };
        let is_held_back = self.is_held_back.load(Ordering::Relaxed) && !job.is_probe;
        if is_held_back {
            return Outcome::Unsent;
        }
        let now = self.engine.clock.now();
        let timeout = destination.timeout(self.engine.options.delivery_timeout);
        let timeout_ms = i64::try_from(timeout.as_millis()).unwrap_or(i64::MAX);
        let has_time = now.plus_ms(timeout_ms).plus_ms(LEASE_MARGIN_MS) <= job.leased_until;
        if !has_time {
            return Outcome::Unsent;
        }
        let outgoing =
            Outgoing { destination: &destination, event: &job.event, delivery_id: job.id, body: job.body.clone() };
        let attempt = tokio::select! {
            attempt = send_once(&self.engine, &outgoing, now, timeout) => attempt,
            _ = self.hurry.wait_for(|hurry| *hurry) => return Outcome::Unsent,
        };
        self.judged(job, attempt)
    }

    fn judged(&self, job: &Job, attempt: Attempt) -> Outcome {
        let at = self.engine.clock.now();
        let of_plan = u32::try_from(job.plan_attempt + 1).unwrap_or(u32::MAX);
        let verdict = if job.is_probe {
            judge_probe(&attempt.outcome, at)
        } else {
            judge(job.destination.retry_plan, of_plan, &attempt.outcome, at, rand::random_range(0..1_000))
        };
        metrics::histogram!("leadline_delivery_duration_seconds").record(attempt.duration.as_secs_f64());
        let id = AttemptId::new(attempt.started_at, random_bytes());
        Outcome::Sent { id, attempt: Box::new(attempt), verdict, at }
    }
}
