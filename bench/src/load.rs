//! Posts as fast as a number of connections allow, each person once, and keeps every latency.

use std::{
    net::SocketAddr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// What is posted where.
#[derive(Debug, Clone)]
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) connections: usize,
    pub(crate) span: Duration,
}

/// Every latency, sorted.
pub(crate) struct Measured {
    latencies: Vec<Duration>,
    span: Duration,
}

impl Load {
    pub(crate) async fn run(&self) -> anyhow::Result<Measured> {
        let begin = Instant::now();
        let mut workers = JoinSet::new();
        for worker in 0..self.connections {
            let load = self.clone();
            workers.spawn(async move { load.work(worker, begin).await });
        }
        let mut latencies = Vec::new();
        while let Some(worker) = workers.join_next().await {
            latencies.extend(worker??);
        }
        latencies.sort_unstable();
        Ok(Measured { latencies, span: begin.elapsed() })
    }

    async fn work(&self, worker: usize, begin: Instant) -> anyhow::Result<Vec<Duration>> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (mut latencies, mut answer) = (Vec::new(), Vec::with_capacity(4_096));
        let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
        while begin.elapsed() < self.span {
            let request = self.request(&format!("{run:x}-{worker}-{}", latencies.len()));
            let sent = Instant::now();
            stream.write_all(request.as_bytes()).await?;
            read_answer(&mut stream, &mut answer).await?;
            latencies.push(sent.elapsed());
        }
        Ok(latencies)
    }

    fn request(&self, id: &str) -> String {
        form_post(&self.path, &self.address.to_string(), id)
    }
}

/// A form as people fill it in: 300 bytes, urlencoded would be the same size.
pub(crate) fn form_post(path: &str, host: &str, id: &str) -> String {
    let body = format!(
        "{{\"name\":\"Bench {id}\",\"email\":\"{id}@example.com\",\"company\":\"Example Works\",\
             \"message\":\"Please tell me more about the offer.\",\"utm_source\":\"bench\",\"utm_medium\":\"cpc\",\
             \"page_url\":\"https://www.example.com/offer?gclid=abc\",\"budget\":\"1000\",\"__visitor_id\":\"v-{id}\"}}"
    );
    post(path, host, "application/json", &body)
}

/// A whole request.
pub(crate) fn post(path: &str, host: &str, content_type: &str, body: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {content_type}\r\nuser-agent: Mozilla/5.0 bench\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(crate) async fn read_answer(stream: &mut TcpStream, answer: &mut Vec<u8>) -> anyhow::Result<()> {
    answer.clear();
    loop {
        let read = stream.read_buf(answer).await?;
        ensure!(read > 0, "the server closed a connection");
        let Some(end) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = std::str::from_utf8(&answer[..end])?.to_ascii_lowercase();
        if head.starts_with("http/1.1 204") {
            return Ok(());
        }
        ensure!(head.starts_with("http/1.1 200"), "answered {}", head.lines().next().unwrap_or_default());
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next());
        let length: usize = length.context("an answer without a length")?.trim().parse()?;
        if answer.len() >= end + 4 + length {
            return Ok(());
        }
    }
}

impl Measured {
    pub(crate) fn count(&self) -> usize {
        self.latencies.len()
    }

    pub(crate) fn print(&self, name: &str, cost: Option<(f64, f64, f64)>) {
        let rate = self.count() as f64 / self.span.as_secs_f64();
        let (p50, p99) = (ms(quantile(&self.latencies, 0.5)), ms(quantile(&self.latencies, 0.99)));
        let cost =
            cost.map(|(cpu, rest, peak)| format!("{cpu:>13.0}   {rest:.0} MB, {peak:.0} MB")).unwrap_or_default();
        println!("{name:<28} {rate:>10.0} {p50:>8.2} {p99:>8.2} {cost}");
    }
}

/// The latency that this share of all stays under.
pub(crate) fn quantile(sorted: &[Duration], share: f64) -> Duration {
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or_default()
}

/// As milliseconds.
pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// Connections of a paced load. A request waits for the one before it on its connection, and counts from when it was due.
const PACED_CONNECTIONS: u32 = 25;

/// Sends `rate` requests each second and gives every latency, sorted. `request` is told an id and how many its connection
/// sent before.
pub(crate) async fn paced(
    address: SocketAddr,
    rate: u32,
    span: Duration,
    request: impl Fn(&str, u64) -> String + Clone + Send + 'static,
) -> anyhow::Result<Vec<Duration>> {
    let run = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let (begin, between) = (Instant::now(), Duration::from_secs(1) * PACED_CONNECTIONS / rate);
    let mut workers: JoinSet<anyhow::Result<Vec<Duration>>> = JoinSet::new();
    for worker in 0..PACED_CONNECTIONS {
        let request = request.clone();
        workers.spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut latencies, mut answer) = (Vec::new(), Vec::with_capacity(4_096));
            let mut due = begin + between * worker / PACED_CONNECTIONS;
            while due < begin + span {
                tokio::time::sleep_until(due.into()).await;
                let n = latencies.len() as u64;
                let text = request(&format!("{run:x}-{worker}-{n}"), n);
                stream.write_all(text.as_bytes()).await?;
                read_answer(&mut stream, &mut answer).await?;
                latencies.push(due.elapsed());
                due += between;
            }
            Ok(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(worker) = workers.join_next().await {
        latencies.extend(worker??);
    }
    latencies.sort_unstable();
    Ok(latencies)
}
