//! Receivers of a few lines each, on a free port of this machine.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use leadline_outbound::{Client, Guard, LookUp, Method, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// For tests that expect an answer: long enough for a busy machine.
pub const PATIENT: Duration = Duration::from_secs(20);
/// For tests that expect the deadline to pass.
pub const SHORT: Duration = Duration::from_millis(150);

/// A listening socket that counts who connects.
pub struct Receiver {
    pub address: SocketAddr,
    hits: Arc<AtomicUsize>,
}

impl Receiver {
    /// Reads each request to its end, answers these bytes and closes.
    pub async fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer: Arc<[u8]> = answer.into().into();
        Self::serving(move |mut stream| {
            let answer = Arc::clone(&answer);
            async move {
                read_request(&mut stream).await;
                // The client may close while a large answer is still on its way.
                let _ = stream.write_all(&answer).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    /// Reads each request, answers these bytes and then keeps the connection open without a word.
    pub async fn stalling_after(answer: &'static [u8]) -> Self {
        Self::serving(move |mut stream| async move {
            read_request(&mut stream).await;
            stream.write_all(answer).await.unwrap();
            std::future::pending::<()>().await;
        })
        .await
    }

    /// Closes every connection at once, and so only counts.
    pub async fn canary() -> Self {
        Self::serving(|_| async {}).await
    }

    pub async fn serving<F, Task>(serve: F) -> Self
    where
        F: Fn(TcpStream) -> Task + Send + 'static,
        Task: Future<Output = ()> + Send + 'static,
    {
        Self::serving_at("127.0.0.1:0".parse().unwrap(), serve).await
    }

    pub async fn serving_at<F, Task>(address: SocketAddr, serve: F) -> Self
    where
        F: Fn(TcpStream) -> Task + Send + 'static,
        Task: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let hits = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&hits);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream));
            }
        });
        Self { address, hits }
    }

    pub fn hits(&self) -> usize {
        self.hits.load(Ordering::SeqCst)
    }

    /// A small POST to this receiver.
    pub fn request(&self, timeout: Duration) -> Request {
        request(&format!("http://{}/hook", self.address), timeout)
    }
}

pub fn request(url: &str, timeout: Duration) -> Request {
    Request {
        method: Method::POST,
        url: url.parse().unwrap(),
        headers: Vec::new(),
        body: Bytes::from_static(b"{\"a\":1}"),
        timeout,
    }
}

/// A client that may reach the loopback network.
pub fn loopback_client() -> Client {
    Client::new(allowing(&["127.0.0.0/8"])).unwrap()
}

pub fn client_with(guard: Guard, look_up: LookUp) -> Client {
    Client::with_look_up(guard, look_up).unwrap()
}

pub fn allowing(ranges: &[&str]) -> Guard {
    Guard::new(ranges.iter().map(|range| range.parse().unwrap()).collect())
}

/// Reads headers and body of one request and gives them back as text.
pub async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    while !is_complete(&bytes) {
        let read = stream.read_buf(&mut bytes).await.unwrap();
        assert_ne!(read, 0, "the request broke off");
    }
    String::from_utf8(bytes).unwrap()
}

fn is_complete(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    body.len() >= length.parse().unwrap()
}
