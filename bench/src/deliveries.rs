//! How fast stored leads reach a receiver on loopback, out of a queue that was filled first.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use axum::{Router, routing::post};
use reqwest::Method;
use serde_json::json;
use tokio::sync::watch;

use crate::{
    CONNECTIONS,
    load::Load,
    server::{Database, Product},
};

/// Longer than this, and something is wrong.
const DEADLINE: Duration = Duration::from_secs(120);

pub(crate) async fn measure(database: Database, leads: u64) -> anyhow::Result<()> {
    let received = Arc::new(AtomicU64::new(0));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let counter = Arc::clone(&received);
    let (open, gate) = watch::channel(false);
    let receiver = Router::new().route(
        "/hook",
        post(move || {
            let (counter, mut gate) = (Arc::clone(&counter), gate.clone());
            async move {
                // While the queue is filled nobody is answered, so that what is measured after is deliveries alone.
                gate.wait_for(|is_open| *is_open).await.expect("the gate outlives its waiters");
                counter.fetch_add(1, Ordering::Relaxed);
                "ok"
            }
        }),
    );
    let receiver = tokio::spawn(async move { axum::serve(listener, receiver).await });
    let product = Product::start(database).await?;
    let path = product.make_form().await?;
    let destination = json!({"name": "Bench", "url": url, "events": ["lead.created"]});
    product.call(Method::POST, "/v1/delivery/destinations", Some(destination)).await?;
    let mut posted = 0;
    while posted < leads {
        let load = Load {
            address: product.address,
            path: path.clone(),
            connections: CONNECTIONS,
            span: Duration::from_secs(1),
        };
        posted += load.run().await?.count() as u64;
    }
    let begin = Instant::now();
    open.send_replace(true);
    while received.load(Ordering::Relaxed) < posted {
        ensure!(begin.elapsed() < DEADLINE, "only {} of {posted} arrived", received.load(Ordering::Relaxed));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let rate = posted as f64 / begin.elapsed().as_secs_f64();
    println!("deliveries, {database:<10} {rate:>8.0} per second, of {posted} that waited");
    receiver.abort();
    product.stop().await
}
