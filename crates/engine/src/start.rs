//! Puts an engine together and keeps its work going: writers, replay, dispatcher, runner, schedules.

use std::{sync::Arc, time::Duration};

use leadline_domain::{
    ids::StageCountId,
    time::{DAY_MS, HOUR_MS, Timestamp},
};
use leadline_outbound::Client;
use leadline_store::{
    Dialect, Error, Store, Tx, alerts as stored_alerts, blocked_ips, capture as rows, events, ledger,
    mails as stored_mails, personal_alerts, recent_visits,
};
use tokio::{sync::watch, task::JoinSet};
use uuid::Uuid;

use crate::{
    Clock, Engine, Options, Wake, admin, alerts, analysis, automations, campaigns,
    capture::{Door, FileKeeper, Spool, SpoolKeeper, chat, imports, inbound, replay, seen_fields},
    connections, crm, delivery, dispatch,
    erasing::Keepers,
    geo::Geo,
    jobs,
    live::Live,
    mails, messaging, privacy, random_bytes, reports, retention, scoring,
    seal::Keys,
    visits, work,
};

/// Writers on PostgreSQL. Two overlap one's round trips with the other's commit; more only contend.
const POSTGRES_WRITERS: usize = 2;

/// How often rows of stage counts and notes of the ledger are folded.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// How often refused requests are kept: soon enough for somebody who sets up a source and looks.
const KEEP_REFUSED_EVERY: Duration = Duration::from_millis(500);

/// How often sources, destinations and books are looked at.
const WATCH_EVERY: Duration = Duration::from_secs(60);

/// How often facts of days are packed for reports.
const REPORTS_EVERY: Duration = Duration::from_secs(60);

/// How often what has lived long enough is deleted.
const RETENTION_EVERY: Duration = Duration::from_millis(HOUR_MS as u64);

/// How often it is looked whether a database of addresses was replaced.
const GEO_EVERY: Duration = Duration::from_secs(60);

/// Dispatched events are kept this long, for whoever looks into what happened.
const EVENT_LIFE_MS: i64 = 7 * DAY_MS;

/// Blocks that ran out are shown this long, beside what came under them.
const BLOCK_LIFE_MS: i64 = 90 * DAY_MS;

/// Rows deleted in one transaction, so that nobody waits long behind it.
const DELETE_AT_ONCE: i64 = 1_000;

/// What an engine is made of.
pub struct Parts {
    /// The database, with its tables up to date.
    pub store: Store,
    /// The only way out.
    pub client: Client,
    /// The installation's keys, which are those of the database (see [`crate::seal::check`]).
    pub keys: Keys,
    /// What time it is.
    pub clock: Clock,
    /// What the operator set.
    pub options: Options,
}

/// Which work goes on by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// All of it: the product.
    Everything,
    /// The writers alone: tests that say themselves when events are dispatched and deliveries sent.
    Writers,
}

/// The work that goes on beside requests.
pub struct Running {
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Running {
    /// Ends the work in an orderly way: what was begun is finished, what waits is left to the next start.
    pub async fn stop(mut self) {
        let _nobody_listens = self.stop.send(true);
        while self.tasks.join_next().await.is_some() {}
    }
}

impl Engine {
    /// Puts an engine together and starts its work.
    ///
    /// # Errors
    /// Where the spool's folder cannot be used.
    pub fn start(parts: Parts, background: Background) -> std::io::Result<(Self, Running)> {
        let Parts { store, client, keys, clock, options } = parts;
        let keys = Arc::new(keys);
        let spool = Spool::open(&options.data_dir.join("spool"), options.spool_reserve_bytes)?;
        let geo = Geo::open(options.geo.clone());
        let (door, queue) = Door::new(&store, spool, Arc::clone(&keys), geo.clone(), &options);
        let wake = Arc::new(Wake::default());
        let engine = Self {
            store,
            clock,
            keys,
            client,
            live: Live::default(),
            wake,
            options: Arc::new(options),
            geo,
            door,
            known: delivery::Known::default(),
            tokens: delivery::Tokens::default(),
            refused: Arc::default(),
            visits: visits::Visits::default(),
            jobs: job_kinds(),
            keepers: Keepers::of(vec![Arc::new(SpoolKeeper), Arc::new(FileKeeper)]),
            channels: messaging::OpenChannels::default(),
            node: Uuid::from_bytes(random_bytes()),
        };
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        let queue = Arc::new(queue);
        for _ in 0..writers(engine.store.dialect()) {
            tasks.spawn(Arc::clone(&queue).run_writer(engine.clone(), stopped.clone()));
        }
        if background == Background::Everything {
            tasks.spawn(queue.run_forwarder(engine.clone(), stopped.clone()));
            tasks.spawn(replay::run(engine.clone(), stopped.clone()));
            tasks.spawn(connections::run(engine.store.clone(), stopped.clone()));
            tasks.spawn(dispatch::run(engine.clone(), stopped.clone()));
            tasks.spawn(dispatch::hear_other_nodes(engine.clone(), stopped.clone()));
            tasks.spawn(delivery::run(engine.clone(), stopped.clone()));
            tasks.spawn(inbound::fetch::run(engine.clone(), stopped.clone()));
            tasks.spawn(every(KEEP_REFUSED_EVERY, stopped.clone(), engine.clone(), keep_refused));
            tasks.spawn(visits::run(engine.clone(), stopped.clone()));
            tasks.spawn(analysis::run(engine.clone(), stopped.clone()));
            tasks.spawn(scoring::rescore::run(engine.clone(), stopped.clone()));
            tasks.spawn(delivery::replays::run(engine.clone(), stopped.clone()));
            tasks.spawn(automations::runner::run(engine.clone(), stopped.clone()));
            tasks.spawn(crm::membership::run(engine.clone(), stopped.clone()));
            tasks.spawn(campaigns::feeder::run(engine.clone(), stopped.clone()));
            tasks.spawn(mails::runner::run(engine.clone(), stopped.clone()));
            tasks.spawn(work::runner::run(engine.clone(), stopped.clone()));
            tasks.spawn(jobs::runner::run(engine.clone(), stopped.clone()));
            tasks.spawn(messaging::runner::run(engine.clone(), stopped.clone()));
            tasks.spawn(messaging::mailbox::run(engine.clone(), stopped.clone()));
            tasks.spawn(messaging::attachments::run(engine.clone(), stopped.clone()));
            tasks.spawn(every(FOLD_EVERY, stopped.clone(), engine.clone(), fold));
            tasks.spawn(every(seen_fields::WRITE_EVERY, stopped.clone(), engine.clone(), write_seen_fields));
            tasks.spawn(every(chat::COMPLETE_EVERY, stopped.clone(), engine.clone(), complete_idle_chats));
            tasks.spawn(every(GEO_EVERY, stopped.clone(), engine.clone(), look_for_newer_files));
            tasks.spawn(every(WATCH_EVERY, stopped.clone(), engine.clone(), watch));
            tasks.spawn(every(REPORTS_EVERY, stopped.clone(), engine.clone(), pack_days));
            tasks.spawn(every(RETENTION_EVERY, stopped, engine.clone(), retain_by_itself));
        }
        Ok((engine, Running { stop, tasks }))
    }
}

/// Every kind of job that there is.
fn job_kinds() -> jobs::Kinds {
    jobs::Kinds::of(vec![
        Arc::new(crm::bulk::Bulk),
        Arc::new(imports::run::Run),
        Arc::new(imports::check::Check),
        Arc::new(privacy::erase::Erase),
    ])
}

fn writers(dialect: Dialect) -> usize {
    match dialect {
        Dialect::Sqlite => 1,
        Dialect::Postgres => POSTGRES_WRITERS,
    }
}

async fn every<Work: Future<Output = Result<(), Error>>>(
    period: Duration,
    mut stop: watch::Receiver<bool>,
    engine: Engine,
    work: impl Fn(Engine) -> Work,
) {
    while !*stop.borrow() {
        if let Err(error) = work(engine.clone()).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "scheduled work failed and is tried again later");
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            _ = stop.changed() => {}
        }
    }
}

async fn fold(engine: Engine) -> Result<(), Error> {
    let mut tx = engine.store.begin().await?;
    let now = engine.clock.now();
    rows::fold_stage_counts(&mut tx, || StageCountId::new(now, random_bytes())).await?;
    tx.commit().await?;
    fold_ledger(&engine.store).await
}

/// Adds the ledger's notes up, a transaction for each few thousand.
async fn fold_ledger(store: &Store) -> Result<(), Error> {
    loop {
        let mut tx = store.begin().await?;
        let may_be_more = ledger::fold(&mut tx).await?;
        tx.commit().await?;
        if !may_be_more {
            return Ok(());
        }
    }
}

async fn write_seen_fields(engine: Engine) -> Result<(), Error> {
    seen_fields::write_seen(&engine).await
}

async fn complete_idle_chats(engine: Engine) -> Result<(), Error> {
    chat::complete_idle(&engine).await
}

async fn look_for_newer_files(engine: Engine) -> Result<(), Error> {
    let reading = tokio::task::spawn_blocking(move || engine.geo.refresh());
    if let Err(error) = reading.await {
        tracing::error!(error = &error as &dyn std::error::Error, "databases of addresses could not be looked at");
    }
    Ok(())
}

async fn keep_refused(engine: Engine) -> Result<(), Error> {
    inbound::refused::keep_refused(&engine).await
}

/// Blocks that ran out, after 90 days; whoever was seen, after one.
async fn delete_held(tx: &mut Tx, now: Timestamp) -> Result<u64, Error> {
    let blocks = blocked_ips::delete_expired(tx, now.plus_ms(-BLOCK_LIFE_MS), DELETE_AT_ONCE).await?;
    let visits = recent_visits::delete_old(tx, now.plus_ms(-DAY_MS), DELETE_AT_ONCE).await?;
    Ok(blocks + visits)
}

async fn watch(engine: Engine) -> Result<(), Error> {
    alerts::watch::watch(&engine).await
}

async fn pack_days(engine: Engine) -> Result<(), Error> {
    reports::keep(&engine, reports::LARGE).await
}

async fn retain_by_itself(engine: Engine) -> Result<(), Error> {
    retain(&engine).await
}

/// Deletes what has lived long enough, as far as the clock can be believed.
///
/// # Errors
/// Where the database fails; what was deleted before that stays deleted.
pub async fn retain(engine: &Engine) -> Result<(), Error> {
    // Everything below is judged by this time and never by the clock itself.
    let Some(now) = retention::as_of(engine).await? else { return Ok(()) };
    loop {
        let mut tx = engine.store.begin().await?;
        let events = events::delete_dispatched(&mut tx, now.plus_ms(-EVENT_LIFE_MS), DELETE_AT_ONCE).await?;
        let closed = now.plus_ms(-alerts::watch::CLOSED_KEPT_MS);
        let alerts = stored_alerts::delete_closed(&mut tx, closed, DELETE_AT_ONCE).await?;
        let held = delete_held(&mut tx, now).await?;
        let mails = stored_mails::delete_old(&mut tx, now.plus_ms(-mails::KEPT_MS), DELETE_AT_ONCE).await?;
        let told = now.plus_ms(-work::alerts::KEPT_MS);
        let told = personal_alerts::delete_old(&mut tx, told, DELETE_AT_ONCE).await?;
        tx.commit().await?;
        if events + alerts + held + mails + told == 0 {
            break;
        }
    }
    retention::classes::sweep(engine, now).await?;
    inbound::refused::retain(engine, now).await?;
    imports::retain(engine, now).await?;
    visits::retain(engine, now).await?;
    scoring::silence::retain(engine, now).await?;
    jobs::retain(engine, now, DELETE_AT_ONCE).await?;
    automations::retain(engine, now, DELETE_AT_ONCE).await?;
    admin::sign_in::retain(engine, now, DELETE_AT_ONCE).await?;
    messaging::attachments::retain(engine, now, DELETE_AT_ONCE).await?;
    privacy::retain(engine, now).await?;
    delivery::retain(engine, now).await
}
