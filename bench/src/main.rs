//! What this machine can do, in one run: ratios hold from machine to machine, times do not.
//!
//! `make bench` runs it beside a durable PostgreSQL (`fsync` on). The product runs as its own process, as it is
//! installed; the load comes from here over loopback and shares the machine's cores with it, so the figures are what
//! is left for the product beside its own load.

mod board;
mod campaign;
mod deliveries;
mod enrich;
mod imports;
mod inbox;
mod load;
mod million;
mod server;
mod tracking;

use std::{net::SocketAddr, time::Duration};

use axum::{Router, body::Bytes, routing::post};
use clap::{Parser, Subcommand};

use crate::{
    load::Load,
    server::{Database, Product},
};

/// Connections that post at the same time.
const CONNECTIONS: usize = 64;

#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    /// How long each way of posting is measured
    #[arg(long, global = true, default_value_t = 10)]
    seconds: u64,
    /// How many leads the board holds
    #[arg(long, global = true, default_value_t = 1_000_000)]
    leads: u64,
    /// How long submissions are measured beside reports of visits, and without them
    #[arg(long, global = true, default_value_t = 60)]
    tracking_seconds: u64,
    /// How many leads are delivered
    #[arg(long, global = true, default_value_t = 20_000)]
    deliveries: u64,
    /// How many rows are imported
    #[arg(long, global = true, default_value_t = 1_000_000)]
    rows: u64,
    /// To how many people `campaign` goes
    #[arg(long, global = true, default_value_t = 100_000)]
    recipients: u64,
    /// How many conversations the inbox has
    #[arg(long, global = true, default_value_t = 100_000)]
    conversations: u64,
    /// How often `million` and `inbox` ask each question
    #[arg(long, global = true, default_value_t = 40)]
    times: usize,
    /// Where `million` writes how statements were answered
    #[arg(long, global = true, default_value = ".")]
    plans: std::path::PathBuf,
    /// On which database `million`, `inbox` and `campaign` measure; on both where nothing is said
    #[arg(long, global = true)]
    only: Option<Database>,
    /// A database of places to look addresses up in
    #[arg(long, global = true)]
    geo_db: Option<std::path::PathBuf>,
}

#[derive(Debug, PartialEq, Eq, Subcommand)]
enum Command {
    /// Finding out who a visitor is, alone
    Enrich,
    /// Accepting submissions, alone
    Accept,
    /// Submissions beside reports of visits, alone
    Tracking,
    /// Deliveries, alone
    Deliveries,
    /// A million leads, alone
    Board,
    /// Lists, filters, sorts, searches and reports over a year of a million leads, alone
    Million,
    /// The inbox with very many conversations, alone; not among what is measured where nothing is named
    Inbox,
    /// A file of a million rows, alone; not among what is measured where nothing is named
    Import,
    /// A campaign to very many people, alone; not among what is measured where nothing is named
    Campaign,
    /// Answers every post, having read it: what the HTTP library alone can do
    #[command(hide = true)]
    Bare { listen: SocketAddr },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if let Some(Command::Bare { listen }) = cli.command {
        return bare(listen).await;
    }
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    println!("{} cores, {CONNECTIONS} connections, {} s each\n", std::thread::available_parallelism()?, cli.seconds);
    let is_asked_for = |part: &Command| cli.command.as_ref().is_none_or(|only| only == part);
    if is_asked_for(&Command::Enrich) {
        enrich::measure(cli.geo_db.as_deref());
    }
    if is_asked_for(&Command::Accept) {
        captures(&cli).await?;
    }
    for database in Database::ALL.into_iter().filter(|_| is_asked_for(&Command::Tracking)) {
        tracking::measure(database, cli.tracking_seconds).await?;
    }
    for database in Database::ALL.into_iter().filter(|_| is_asked_for(&Command::Deliveries)) {
        deliveries::measure(database, cli.deliveries).await?;
        deliveries::measure_delays(database).await?;
    }
    for database in Database::ALL.into_iter().filter(|_| is_asked_for(&Command::Board)) {
        board::measure(database, cli.leads).await?;
    }
    for database in Database::ALL.into_iter().filter(|_| is_asked_for(&Command::Million)) {
        if cli.only.is_none_or(|only| only == database) {
            million::measure(database, cli.leads, cli.times, &cli.plans).await?;
        }
    }
    for database in Database::ALL.into_iter().filter(|_| cli.command == Some(Command::Inbox)) {
        if cli.only.is_none_or(|only| only == database) {
            inbox::measure(database, cli.conversations, cli.times).await?;
        }
    }
    // Takes longer than all others together.
    for database in Database::ALL.into_iter().filter(|_| cli.command == Some(Command::Import)) {
        imports::measure(database, cli.rows).await?;
    }
    for database in Database::ALL.into_iter().filter(|_| cli.command == Some(Command::Campaign)) {
        if cli.only.is_none_or(|only| only == database) {
            campaign::measure(database, cli.recipients).await?;
        }
    }
    Ok(())
}

async fn captures(cli: &Cli) -> anyhow::Result<()> {
    let span = Duration::from_secs(cli.seconds);
    println!("accepted form posts          per second   p50 ms   p99 ms   CPU us each   memory at rest, under load");
    let bare = server::bare().await?;
    Load { address: bare.address, path: "/f/bare".into(), connections: CONNECTIONS, span }
        .run()
        .await?
        .print("bare handler, body read", None);
    drop(bare);
    for database in Database::ALL {
        let product = Product::start(database).await?;
        let path = product.make_form().await?;
        let at_rest = product.memory_mb()?;
        let load = Load { address: product.address, path, connections: CONNECTIONS, span };
        // The first seconds fill caches and plans.
        Load { span: Duration::from_secs(2), ..load.clone() }.run().await?;
        let cpu_before = product.cpu()?;
        let result = load.run().await?;
        let cpu = product.cpu()? - cpu_before;
        let cost = (cpu.as_secs_f64() * 1e6 / result.count().max(1) as f64, at_rest, product.peak_memory_mb()?);
        result.print(&format!("form post, {database}"), Some(cost));
        product.stop().await?;
    }
    println!();
    Ok(())
}

async fn bare(listen: SocketAddr) -> anyhow::Result<()> {
    let router =
        Router::new().route("/f/{key}", post(|body: Bytes| async move { format!("{{\"bytes\":{}}}", body.len()) }));
    Ok(axum::serve(tokio::net::TcpListener::bind(listen).await?, router).await?)
}
