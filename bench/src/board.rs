//! The board, moves and searches over a workspace with very many leads.

use std::time::{Duration, Instant};

use anyhow::Context;
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    load::{ms, quantile},
    server::{Database, Product},
};

/// How often each question is asked.
const TIMES: usize = 60;

/// What people type, whole or not yet whole: names that tens of thousands carry, with and without a second word, beside
/// what one lead has.
const SEARCHES: [(&str, &[&str]); 5] = [
    ("search by name", &["amelia", "amelia hart", "okonkwo", "priya sh", "lukas", "kofi sharma", "weber", "noah b"]),
    ("search by e-mail", &["hart.77@", "weber.123456@", "rossi.9999", "@atlas.example"]),
    ("search by phone", &["+4915110200", "0151 10234567", "015112000077", "+491511"]),
    ("search by company", &["atlas freight", "quayside", "lumen op", "dental"]),
    ("search for nobody", &["zzzzqqq", "no such person", "xylophone 9"]),
];

pub(crate) async fn measure(database: Database, leads: u64) -> anyhow::Result<()> {
    let begin = Instant::now();
    let product = Product::start_filled(database, leads).await?;
    println!("\n{leads} leads on {database} (loaded in {:.0} s)      p50 ms   p95 ms", begin.elapsed().as_secs_f64());
    let board = product.call(Method::GET, "/v1/identity/board", None).await?;
    ask(&product, "board: 6 stages, counts, first pages", |_| "/v1/identity/board".into()).await?;
    ask(&product, "list: first page, newest first", |_| "/v1/identity/leads".into()).await?;
    move_cards(&product, &board).await?;
    for (name, terms) in SEARCHES {
        let term = |n: usize| encoded(terms[n % terms.len()]);
        ask(&product, &format!("{name}, list"), |n| format!("/v1/identity/leads?limit=50&search={}", term(n))).await?;
        ask(&product, &format!("{name}, board"), |n| format!("/v1/identity/board?limit=50&search={}", term(n))).await?;
    }
    product.stop().await
}

async fn ask(product: &Product, name: &str, path: impl Fn(usize) -> String) -> anyhow::Result<()> {
    let mut latencies = Vec::with_capacity(TIMES);
    for n in 0..TIMES {
        let begin = Instant::now();
        product.call(Method::GET, &path(n), None).await?;
        latencies.push(begin.elapsed());
    }
    print(name, latencies);
    Ok(())
}

async fn move_cards(product: &Product, board: &Value) -> anyhow::Result<()> {
    let stages = board["stages"].as_array().context("stages")?;
    let cards = stages[0]["cards"].as_array().context("cards")?;
    let mut latencies = Vec::with_capacity(cards.len());
    for (n, card) in cards.iter().enumerate() {
        let lead = card["id"].as_str().context("a card")?;
        let to = &stages[1 + n % 5];
        let below = to["cards"][n % 20]["id"].clone();
        let body = json!({"stageId": to["stage"]["id"], "afterLeadId": below});
        let begin = Instant::now();
        product.call(Method::PATCH, &format!("/v1/identity/leads/{lead}/stage"), Some(body)).await?;
        latencies.push(begin.elapsed());
    }
    print("move a card between two others", latencies);
    Ok(())
}

fn print(name: &str, mut latencies: Vec<Duration>) {
    latencies.sort_unstable();
    println!("{name:<44} {:>8.1} {:>8.1}", ms(quantile(&latencies, 0.5)), ms(quantile(&latencies, 0.95)));
}

fn encoded(text: &str) -> String {
    text.replace('+', "%2B").replace(' ', "%20").replace('@', "%40")
}
