//! How fast stored leads reach a receiver on loopback: out of a queue that was filled first, and how long after they
//! came in when they come steadily.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::ensure;
use axum::{Json, Router, routing::post};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    CONNECTIONS,
    load::{Load, form_post, ms, paced, quantile},
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

/// Submissions a second of the steady run, and how long it and the full one take.
const STEADY: u32 = 200;
const SPAN: Duration = Duration::from_secs(20);

/// How long leads are under way from their arrival to the receiver: at a steady rate, and while as many come as are
/// accepted.
pub(crate) async fn measure_delays(database: Database) -> anyhow::Result<()> {
    let delays: Arc<Mutex<Vec<Duration>>> = Arc::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", listener.local_addr()?);
    let kept = Arc::clone(&delays);
    let receiver = post(move |Json(body): Json<Value>| {
        let kept = Arc::clone(&kept);
        async move { kept.lock().unwrap_or_else(PoisonError::into_inner).extend(delay(&body)) }
    });
    let receiver = tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", receiver)).await });
    let product = Product::start(database).await?;
    let path = product.make_form().await?;
    let destination = json!({"name": "Bench", "url": url, "events": ["lead.created"], "format": "simple"});
    product.call(Method::POST, "/v1/delivery/destinations", Some(destination)).await?;

    let (host, form) = (product.address.to_string(), path.clone());
    let request = move |id: &str, _| form_post(&form, &host, id);
    let posted = paced(product.address, STEADY, SPAN, request).await?.len();
    tell(&format!("created to received, {database}, {STEADY}/s"), posted, &delays).await?;
    let load = Load { address: product.address, path, connections: CONNECTIONS, span: SPAN };
    let posted = load.run().await?.count();
    tell(&format!("created to received, {database}, full speed"), posted, &delays).await?;
    receiver.abort();
    product.stop().await
}

/// Waits until all have come and prints how long they took.
async fn tell(what: &str, posted: usize, delays: &Mutex<Vec<Duration>>) -> anyhow::Result<()> {
    let begin = Instant::now();
    let count = || delays.lock().unwrap_or_else(PoisonError::into_inner).len();
    while count() < posted {
        ensure!(begin.elapsed() < DEADLINE, "only {} of {posted} arrived", count());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut delays = std::mem::take(&mut *delays.lock().unwrap_or_else(PoisonError::into_inner));
    delays.sort_unstable();
    let [p50, p99] = [0.5, 0.99].map(|q| ms(quantile(&delays, q)));
    println!("{what:<48} p50 {p50:.0} ms, p99 {p99:.0} ms, of {posted}");
    Ok(())
}

/// Since the submission came in, by its own time, which has milliseconds.
fn delay(body: &Value) -> Option<Duration> {
    let captured = leadline_domain::time::Timestamp::parse(body["capturedAt"].as_str()?)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(now.saturating_sub(Duration::from_millis(u64::try_from(captured.0).ok()?)))
}
