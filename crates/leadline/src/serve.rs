//! `leadline serve`: the whole product in one process.

use std::{
    fs::{File, OpenOptions},
    net::IpAddr,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use anyhow::{Context, bail};
use ipnet::IpNet;
use leadline_engine::{Background, Clock, Engine, Options, Parts, geo::Files};
use leadline_outbound::{Client, Guard};
use leadline_server::{App, Settings, demo::Demo};
use leadline_store::{Error, Store};
use metrics_exporter_prometheus::PrometheusBuilder;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::{Instant, sleep, timeout_at},
};

use crate::{Exit, address, config::Config, demo, listen, secret_key};

/// How long to wait for a database that is not there yet, as when both start together.
const DATABASE_DEADLINE: Duration = Duration::from_secs(30);

/// How long a stop may take in all. Whoever stops us kills after ten seconds.
const STOP: Duration = Duration::from_secs(9);

/// A submission waits this long for the store before it goes to the spool; visitors wait for it.
const STORE_DEADLINE: Duration = Duration::from_secs(1);

/// Room for some ten thousand submissions when the disk is full.
const SPOOL_RESERVE_BYTES: usize = 32 * 1024 * 1024;

/// How long one delivery attempt may take.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Serves until it is told to stop.
pub(crate) async fn serve(config: Config) -> anyhow::Result<Exit> {
    secret_key::make_data_dir(&config.data_dir)?;
    let _only_one_here = lock(&config.data_dir)?;
    let key_file = secret_key::load(config.secret_key.as_deref(), &config.data_dir)?;
    // Bound before anything else, so that a port in use is said at once.
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("{} cannot be listened on", config.listen))?;
    let metrics = PrometheusBuilder::new().install_recorder().context("metrics cannot be collected")?;
    let store = open_store(&config).await?;
    key_file.confirm(&store).await?;
    let keys = key_file.keys;
    if keys.is_rotating() {
        tracing::warn!("a rotation of the key is not finished; stop, and run `leadline key rotate` again");
    }
    let client = Client::new(Guard::new(allowed(&config))).context("the HTTP client cannot be made")?;
    let parts = Parts { store, client, keys, clock: Clock::System, options: options(&config) };
    let (engine, running) = Engine::start(parts, Background::Everything).context("the spool cannot be opened")?;
    if let Err(error) = engine.door.intakes().learn().await {
        tracing::warn!(error = &error as &dyn std::error::Error, "the sources cannot be read ahead");
    }
    let settings = Settings { trusted_proxies: config.trusted_proxies.clone() };
    let mut app = App::new(engine.clone(), settings).with_metrics(metrics);
    if config.demo {
        app = app.with_demo(prepare_demo(&engine, &config).await?);
    } else {
        println!("Leadline listens on {}", config.public_url);
    }
    // The first visitor should not wait for it.
    tokio::task::spawn_blocking(leadline_domain::agents::warm_up);
    tracing::info!(listen = %config.listen, environment = %config.environment, "serving");
    let (stopping, deadline) = (app.clone(), Arc::new(OnceLock::new()));
    let told_at = Arc::clone(&deadline);
    listen::serve(listener, leadline_server::router(app), async move {
        told_to_stop().await;
        stopping.stop();
        told_at.get_or_init(|| Instant::now() + STOP);
    })
    .await;
    let deadline = *deadline.get_or_init(|| Instant::now() + STOP);
    // Statements may hang; what they were about to do is repeated at the next start.
    let in_order = timeout_at(deadline, async {
        running.stop().await;
        engine.store.clone().close().await;
    });
    if in_order.await.is_err() {
        tracing::warn!("some background work was cut off; it goes on at the next start");
    }
    tracing::info!("stopped");
    Ok(Exit::Done)
}

async fn prepare_demo(engine: &Engine, config: &Config) -> anyhow::Result<Demo> {
    let (demo, credentials) = demo::prepare(engine, config).await.context("the demonstration cannot be made")?;
    println!("\n  Leadline runs at  {}", config.public_url);
    println!("  Demo form         {}/demo", config.public_url);
    println!("  Demo receiver     {}/demo/receiver\n", config.public_url);
    println!("  Sign in with      {}", credentials.email);
    println!("  Password          {}\n", credentials.password);
    Ok(demo)
}

/// Two processes in one data folder would share a spool.
pub(crate) fn lock(data_dir: &Path) -> anyhow::Result<File> {
    let path = data_dir.join("lock");
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
    if file.try_lock().is_err() {
        bail!("another process serves from the data folder {}", data_dir.display());
    }
    Ok(file)
}

async fn open_store(config: &Config) -> anyhow::Result<Store> {
    let deadline = Instant::now() + DATABASE_DEADLINE;
    loop {
        match Store::open(&config.database_url, config.durability).await {
            Ok(store) => return Ok(store),
            Err(error) if Instant::now() >= deadline || matches!(error, Error::Unfinished) => {
                return Err(error).context("the database cannot be opened");
            }
            Err(error) => {
                let error = address::hidden(&format!("{:#}", anyhow::Error::new(error)));
                tracing::warn!(error, "the database cannot be opened yet");
                sleep(Duration::from_millis(500)).await;
            }
        }
    }
}

/// What the operator allows, and in a demonstration our own address, where its receiver is.
fn allowed(config: &Config) -> Vec<IpNet> {
    let mut ranges = config.outbound_allow.clone();
    if config.demo {
        ranges.push(IpNet::from(own_address(config)));
    }
    ranges
}

pub(crate) fn own_address(config: &Config) -> IpAddr {
    match config.listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from([127, 0, 0, 1]),
        ip => ip,
    }
}

pub(crate) fn options(config: &Config) -> Options {
    Options {
        data_dir: config.data_dir.clone(),
        public_url: config.public_url.clone(),
        environment: config.environment.clone(),
        reengage_hours: config.reengage_hours,
        bot_detection: config.bot_detection,
        demo: config.demo,
        store_deadline: STORE_DEADLINE,
        spool_reserve_bytes: SPOOL_RESERVE_BYTES,
        import_max_bytes: config.import_max_bytes,
        facebook_graph_url: config.facebook_graph_url.clone(),
        delivery_timeout: DELIVERY_TIMEOUT,
        geo: Files { places: config.geo_db.clone(), networks: config.asn_db.clone() },
        mailer: config.mailer.clone(),
        mail_trust: leadline_engine::Trust::System,
    }
}

async fn told_to_stop() {
    let terminate = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminate => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    tracing::info!("told to stop");
}
