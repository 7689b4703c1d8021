//! Importing a file of very many rows: rows a second, and what the product holds in memory while it does.

use std::{
    fmt::Write as _,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::{fs::File, io::AsyncWriteExt};

use crate::server::{Database, Product};

const IMPORTS: &str = "/v1/identity/imports";

/// How often it is looked how far the job is.
const LOOK: Duration = Duration::from_millis(500);

/// Reads a file of so many rows, tries it, makes leads of it and puts them back.
pub(crate) async fn measure(database: Database, rows: u64) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("rows.csv");
    let bytes = write(&path, rows).await?;
    let product = Product::start(database).await?;
    println!("import of {rows} rows ({} MB), {database}     rows per second   peak memory", bytes / 1_000_000);
    let begun = Instant::now();
    let import = bring(&product, &path).await?;
    print(&product, "file read and kept", rows, begun)?;
    let path = format!("{IMPORTS}/{}", import["id"].as_str().context("an id")?);
    for (what, step, job) in [("dry run", "dry-run", "checkJob"), ("leads made", "start", "job")] {
        let begun = Instant::now();
        product.call(Method::POST, &format!("{path}/{step}"), Some(json!({}))).await?;
        let done = finish(&product, &path, job, "done").await?;
        print(&product, what, rows, begun)?;
        ensure!(done["tally"]["created"] == rows, "not every row is a lead: {}", done["tally"]);
    }
    let begun = Instant::now();
    let job = product.call(Method::GET, &path, None).await?["job"]["id"].as_str().context("a job")?.to_owned();
    product.call(Method::POST, &format!("/v1/identity/jobs/{job}/undo"), Some(json!({}))).await?;
    finish(&product, &path, "job", "undone").await?;
    print(&product, "put back", rows, begun)?;
    println!();
    product.stop().await
}

fn print(product: &Product, what: &str, rows: u64, begun: Instant) -> anyhow::Result<()> {
    let rate = rows as f64 / begun.elapsed().as_secs_f64();
    println!("{what:<40} {rate:>12.0}   {:>8} MB", product.peak_memory_mb()?);
    Ok(())
}

/// A file as a list of contacts has it: a few columns that are the lead's own, and a few that are not.
async fn write(path: &std::path::Path, rows: u64) -> anyhow::Result<u64> {
    let mut file = File::create(path).await?;
    file.write_all("Name,E-mail,Phone,Company,City,Budget,Note\r\n".as_bytes()).await?;
    let mut text = String::new();
    for row in 0..rows {
        write!(
            text,
            "Person {row},person{row}@example.com,+49 151 {:08},\"Company {}, Ltd\",City {},{},\"met at the fair, row {row}\"\r\n",
            row % 100_000_000,
            row % 5_000,
            row % 300,
            row % 9_000,
        )?;
        if text.len() > 1_000_000 {
            file.write_all(text.as_bytes()).await?;
            text.clear();
        }
    }
    file.write_all(text.as_bytes()).await?;
    file.flush().await?;
    Ok(file.metadata().await?.len())
}

async fn bring(product: &Product, path: &std::path::Path) -> anyhow::Result<Value> {
    let file = File::open(path).await?;
    let request = product.client.post(format!("http://{}{IMPORTS}?fileName=rows.csv", product.address));
    let answer = request.bearer_auth(&product.token).body(file).send().await?;
    let (status, text) = (answer.status(), answer.text().await?);
    ensure!(status.is_success(), "{status} {text}");
    Ok(serde_json::from_str(&text)?)
}

async fn finish(product: &Product, path: &str, job: &str, state: &str) -> anyhow::Result<Value> {
    loop {
        tokio::time::sleep(LOOK).await;
        let import = product.call(Method::GET, path, None).await?;
        if !import[job]["finishedAt"].is_null() {
            ensure!(import[job]["state"] == state, "{}", import[job]);
            return Ok(import);
        }
    }
}
