//! A campaign to very many people by the sandbox: messages a second, what the product holds in memory meanwhile, and
//! that a pause and a death in the middle neither double a message nor lose one.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use leadline_store::{Durability, Store, testing};
use reqwest::Method;
use serde_json::{Value, json};

use crate::server::{Database, Product};

const CAMPAIGNS: &str = "/v1/messaging/campaigns";

/// How often it is looked how far a campaign is.
const LOOK: Duration = Duration::from_millis(250);

/// How long it is looked whether anything goes out in a pause.
const PAUSE: Duration = Duration::from_secs(3);

/// Sends one campaign to so many people as fast as it goes, and another with a pause and a death in it.
pub(crate) async fn measure(database: Database, recipients: u64) -> anyhow::Result<()> {
    let mut product = Product::start_filled(database, recipients).await?;
    println!("a campaign to {recipients} people, {database}        per second   peak memory");
    let first = prepare(&product).await?;
    let begun = Instant::now();
    steer(&product, &first, "start").await?;
    wait(&product, &first, |campaign| campaign["state"] == "finished").await?;
    let rate = recipients as f64 / begun.elapsed().as_secs_f64();
    println!("{:<44} {rate:>10.0}   {:>8.0} MB", "from start to finished", product.peak_memory_mb()?);
    check(&product, &first, recipients).await?;

    let second = copy(&product, &first).await?;
    steer(&product, &second, "start").await?;
    wait(&product, &second, |campaign| asked(campaign) >= recipients / 5).await?;
    steer(&product, &second, "pause").await?;
    // What was being handed over arrives; nothing else does.
    tokio::time::sleep(PAUSE).await;
    let before = arrived(&product).await?;
    tokio::time::sleep(PAUSE).await;
    let after = arrived(&product).await?;
    ensure!(before == after, "{} messages went out in a pause", after - before);
    steer(&product, &second, "resume").await?;
    wait(&product, &second, |campaign| asked(campaign) >= recipients / 2).await?;
    product.kill_and_start_again().await?;
    let begun = Instant::now();
    wait(&product, &second, |campaign| campaign["state"] == "finished").await?;
    println!("{:<44} {:>10.1} s", "paused, killed, and gone on with until done", begun.elapsed().as_secs_f64());
    check(&product, &second, recipients).await?;
    let doubles = count(&product, "sandbox_arrivals WHERE times > 1").await?;
    println!("{:<44} {doubles:>10}", "handed over twice, and known to be the same");
    let all = i64::try_from(2 * recipients)?;
    ensure!(arrived(&product).await? == all, "not everybody got both");
    println!();
    product.stop().await
}

async fn prepare(product: &Product) -> anyhow::Result<String> {
    made(product, "/v1/messaging/channels", json!({"kind": "sandbox", "name": "Sandbox"})).await?;
    let template = json!({"channel": "email", "name": "Spring", "subject": "Hello {{firstName}}",
        "body": "Dear {{firstName}},\n\nthe viewings begin on Monday: https://example.com/viewings",
        "html": "<p>Dear {{firstName}},</p><p>the <a href=\"https://example.com/viewings\">viewings</a> begin on \
                 Monday.</p>"});
    let template = made(product, "/v1/messaging/templates", template).await?;
    let filter = json!({"all": [{"field": "email", "op": "contains", "value": "@"}]});
    let segment = made(product, "/v1/identity/segments", json!({"name": "Everybody", "filter": filter})).await?;
    let campaign = json!({"name": "Spring", "channel": "email", "templateId": template,
        "audience": {"segmentId": segment}});
    made(product, CAMPAIGNS, campaign).await
}

async fn made(product: &Product, path: &str, body: Value) -> anyhow::Result<String> {
    let answer = product.call(Method::POST, path, Some(body)).await?;
    Ok(answer["id"].as_str().context("an id")?.to_owned())
}

async fn copy(product: &Product, id: &str) -> anyhow::Result<String> {
    made(product, &format!("{CAMPAIGNS}/{id}/copy"), json!({})).await
}

async fn steer(product: &Product, id: &str, step: &str) -> anyhow::Result<()> {
    product.call(Method::POST, &format!("{CAMPAIGNS}/{id}/{step}"), Some(json!({}))).await.map(drop)
}

fn asked(campaign: &Value) -> u64 {
    campaign["progress"]["asked"].as_u64().unwrap_or_default()
}

async fn wait(product: &Product, id: &str, is_so: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    loop {
        let campaign = product.call(Method::GET, &format!("{CAMPAIGNS}/{id}"), None).await?;
        ensure!(campaign["state"] != "paused" || campaign["error"].is_null(), "{campaign}");
        if is_so(&campaign) {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The report says what the rows say, and the rows say that everybody got one.
async fn check(product: &Product, id: &str, recipients: u64) -> anyhow::Result<()> {
    let all = i64::try_from(recipients)?;
    let messages = count(product, &format!("messages WHERE cause_kind = 'campaign' AND cause_id = '{id}'")).await?;
    ensure!(messages == all, "{messages} messages to {all} people");
    // Figures follow in dispatch, and what the mailbox reports comes a second later.
    let mut sent = 0;
    for _ in 0..240 {
        let report = product.call(Method::GET, &format!("{CAMPAIGNS}/{id}/report"), None).await?;
        let figure = |name: &str| report["figures"][name].as_i64().unwrap_or_default();
        sent = figure("sent");
        if sent == all && figure("delivered") == all {
            println!("{:<44} {sent:>10}", "sent and delivered, by the report");
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
    anyhow::bail!("the report says {sent} were sent, of {all}")
}

async fn arrived(product: &Product) -> anyhow::Result<i64> {
    count(product, "sandbox_arrivals").await
}

async fn count(product: &Product, from: &str) -> anyhow::Result<i64> {
    let store = Store::open(product.database_url(), Durability::Full).await?;
    let count = testing::count(&store, from).await?;
    store.close().await;
    Ok(count)
}
