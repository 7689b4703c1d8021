//! A year of very many leads, each with two submissions, twenty custom fields and a history: how long lists, filters,
//! sorts, searches, segments and reports take, and that none of their statements reads a large table from end to end.

mod plans;
mod questions;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use leadline_store::{Dialect, Durability, Store, testing};
use reqwest::Method;

use self::{
    plans::Plans,
    questions::{Question, World},
};
use crate::{
    load::{ms, quantile},
    server::{Database, Product},
};

/// How long days may take to be packed for reports.
const PATIENCE: Duration = Duration::from_secs(900);

/// Measures everything on one database, asking each question so often, and writes how each statement was answered into a file of the folder.
pub(crate) async fn measure(database: Database, leads: u64, times: usize, folder: &Path) -> anyhow::Result<()> {
    let begun = Instant::now();
    let product = Product::start_with_history(database, leads).await?;
    let store = Store::connect(product.database_url(), Durability::Full).await?;
    if store.dialect() == Dialect::Postgres {
        // As its autovacuum does a minute after rows came in. SQLite keeps no statistics.
        testing::execute(&store, "ANALYZE").await?;
    }
    let submissions = testing::count(&store, "lead_submissions").await?;
    println!(
        "\n{leads} leads with {submissions} submissions on {database} (loaded in {:.0} s)",
        begun.elapsed().as_secs_f64()
    );
    wait_for_days(&store).await?;
    let world = World::read(&product).await?;
    let mut plans = Plans::open(&store, &product.token, folder.join(format!("million-{database}.txt")))?;
    let questions = world.questions();
    println!("{:<52} {:>8} {:>8}   full scans", "", "p50 ms", "p95 ms");
    let mut scans = 0;
    for question in &questions {
        let latencies = ask(&product, question, times).await?;
        let scanned = plans.explain(question).await?;
        scans += scanned.len();
        println!(
            "{:<52} {:>8.1} {:>8.1}   {}",
            question.name,
            ms(quantile(&latencies, 0.5)),
            ms(quantile(&latencies, 0.95)),
            if scanned.is_empty() { "none".to_owned() } else { scanned.join("; ") }
        );
    }
    println!("How each of their statements is answered stands in {}", plans.path().display());
    plans.close().await;
    product.stop().await?;
    ensure!(scans == 0, "{scans} statements read a large table from end to end");
    Ok(())
}

async fn ask(product: &Product, question: &Question, times: usize) -> anyhow::Result<Vec<Duration>> {
    let mut latencies = Vec::with_capacity(times);
    for n in 0..times {
        let begin = Instant::now();
        product.call(Method::GET, question.path(n), None).await?;
        latencies.push(begin.elapsed());
    }
    latencies.sort_unstable();
    Ok(latencies)
}

/// Facts of days are packed a minute after the product began.
async fn wait_for_days(store: &Store) -> anyhow::Result<()> {
    let begun = Instant::now();
    if testing::count(store, "leads").await? < leadline_engine::reports::LARGE {
        return Ok(());
    }
    while begun.elapsed() < PATIENCE {
        let days = testing::count(store, "report_days").await.context("days")?;
        if days > 0 && testing::count(store, "report_days WHERE packed IS NULL").await? == 0 {
            println!("{days} days were packed for reports {:.0} s later", begun.elapsed().as_secs_f64());
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    bail!("days are not packed")
}
