//! What tracking costs: as many reports of visits beside as many submissions, how long submissions take without them
//! and with them in one run, and how much the database grows.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use leadline_store::{Durability, Store, testing};
use reqwest::Method;
use serde_json::json;

use crate::{
    load::{form_post, ms, paced, post, quantile},
    server::{Database, Product},
};

/// Submissions, and reports, each second.
const RATE: u32 = 500;

/// A visit has so many pages, and each page is reported so often.
const PAGES: u64 = 4;
const BEATS: u64 = 3;

/// Until everything that was taken is written.
const SETTLE: Duration = Duration::from_secs(5);

/// Where visits are kept.
const VISITS: &str = "visitor_sessions";

pub(crate) async fn measure(database: Database, seconds: u64) -> anyhow::Result<()> {
    let product = Product::start(database).await?;
    let form = product.make_form().await?;
    let site = product.call(Method::POST, "/v1/capture/sites", Some(json!({"name": "Bench"}))).await?;
    let tracker = format!("/t/{}", site["key"].as_str().context("a site without a key")?);
    let span = Duration::from_secs(seconds);
    // The first seconds fill caches and plans.
    submissions(&product, &form, Duration::from_secs(3)).await?;
    let alone = submissions(&product, &form, span).await?;
    let (beside, _) = tokio::try_join!(submissions(&product, &form, span), reports(&product, &tracker, span))?;
    tokio::time::sleep(SETTLE).await;
    let store = Store::connect(product.database_url(), Durability::Full).await?;
    // The table alone: what follows the submissions of before may still be written.
    let before = testing::size_bytes(&store, VISITS).await?;
    let reported = reports(&product, &tracker, span / 3).await?;
    tokio::time::sleep(SETTLE).await;
    let grown = testing::size_bytes(&store, VISITS).await? - before;
    store.close().await;
    let views = reported.len() as f64 / BEATS as f64;
    let (p99_alone, p99_beside) = (ms(quantile(&alone, 0.99)), ms(quantile(&beside, 0.99)));
    println!(
        "tracking, {database:<10} {RATE} submissions/s: p50 {:.1} ms, p99 {p99_alone:.1} ms; beside {RATE} reports/s: \
         p50 {:.1} ms, p99 {p99_beside:.1} ms ({:.2} times); {:.0} kB for 1,000 page views",
        ms(quantile(&alone, 0.5)),
        ms(quantile(&beside, 0.5)),
        p99_beside / p99_alone,
        grown as f64 / views,
    );
    product.stop().await
}

async fn submissions(product: &Product, path: &str, span: Duration) -> anyhow::Result<Vec<Duration>> {
    let (host, path) = (product.address.to_string(), path.to_owned());
    paced(product.address, RATE, span, move |id, _| form_post(&path, &host, id)).await
}

async fn reports(product: &Product, path: &str, span: Duration) -> anyhow::Result<Vec<Duration>> {
    let (host, path) = (product.address.to_string(), path.to_owned());
    let begin = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    paced(product.address, RATE, span, move |id, n| {
        // One connection after the other tells of its own visit, beat by beat and page by page.
        let (worker, _) = id.rsplit_once('-').unwrap_or((id, ""));
        let visit = n / (PAGES * BEATS);
        let (page, beat) = (n / BEATS % PAGES, n % BEATS + 1);
        let body = json!({
            "visitor": format!("v-{worker}-{visit}"), "session": format!("s-{worker}-{visit}"), "now": begin + 60_000,
            "referrer": "https://search.example/",
            "pages": [{"at": begin + i64::try_from(page).unwrap_or(0), "ms": 5_000 * beat, "scroll": 20 * beat,
                       "clicks": beat, "url": format!("https://www.example.com/products/page-{page}?utm_source=bench")}],
        });
        post(&path, &host, "text/plain;charset=UTF-8", &body.to_string())
    })
    .await
}
