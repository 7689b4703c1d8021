//! Who does the work on leads, and until when: assignment rules, working hours, the clock of the first answer, tasks
//! and what single users are told of.
//!
//! [`follow`] hears of events; [`runner`] does what waits and what time brings. Each piece of it is done in the
//! transaction that takes it off the queue, so that it is done once, whichever node crashes when.

pub mod alerts;
pub mod arrivals;
pub mod availability;
pub mod responses;
pub mod rules;
pub mod runner;
pub mod settings;
pub mod tasks;

use leadline_domain::{
    ids::{UserId, WorkspaceId},
    silence::Tz,
    time::Timestamp,
    working_time::Calendar,
};
use leadline_store::{
    Error, Tx,
    deliveries::LeadFacts,
    events::Event,
    work_settings::{self, WorkSettings},
    workers::Worker,
};

use crate::{Engine, conditions::Conditions};

/// Why something was not changed.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    /// It is not there.
    #[error("not found")]
    NotFound,
    /// The workspace has as many as it may have.
    #[error("{0}")]
    Full(&'static str),
    /// Somebody changed it since.
    #[error("somebody else changed it")]
    Stale,
    /// Fields are wrong: each with its pointer and what is wrong with it.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<(String, String)>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

impl WorkError {
    fn field(pointer: &str, message: &str) -> Self {
        Self::Invalid(vec![(pointer.to_owned(), message.to_owned())])
    }
}

/// What these events cause here. Tells whether leads wait now for the runner.
///
/// # Errors
/// Where the database fails.
pub(crate) async fn follow(engine: &Engine, tx: &mut Tx, events: &[Event], leads: &[LeadFacts]) -> Result<bool, Error> {
    responses::follow(tx, events).await?;
    alerts::follow(engine, tx, events).await?;
    arrivals::follow(tx, events, leads).await
}

/// What holds in a workspace while some of its leads are worked on.
struct Context {
    settings: WorkSettings,
    conditions: Conditions,
    now: Timestamp,
}

impl Context {
    async fn load(engine: &Engine, workspace: WorkspaceId) -> Result<Self, Error> {
        Ok(Self {
            settings: work_settings::find(&engine.store.reader(), workspace).await?,
            conditions: Conditions::load(engine, workspace).await?,
            now: engine.clock.now(),
        })
    }

    fn timezone(&self) -> Tz {
        self.conditions.timezone()
    }

    fn calendar(&self) -> Calendar {
        calendar_of(&self.settings, self.timezone())
    }

    /// Whether somebody is in their working hours, and not away.
    fn is_at_work(&self, worker: &Worker) -> bool {
        let is_away = worker.away_until.is_some_and(|until| until > self.now);
        let calendar = self.calendar();
        let hours = worker.hours.clone().or(calendar.hours);
        !is_away && Calendar { hours, ..calendar }.is_open(self.now)
    }
}

/// When a workspace works.
fn calendar_of(settings: &WorkSettings, timezone: Tz) -> Calendar {
    Calendar { hours: settings.hours.clone(), holidays: settings.holidays.clone(), timezone }
}

/// Users that are named twice are meant once.
fn distinct(users: &[UserId]) -> Vec<UserId> {
    let mut seen = std::collections::HashSet::new();
    users.iter().copied().filter(|user| seen.insert(*user)).collect()
}
