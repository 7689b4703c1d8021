//! The accept loop: time limits for slow clients, and a drain in which no request is cut off.
//!
//! Axum's own loop has no limit for the time in which a request's head must arrive, and at its end closes connections
//! whose next request may be on its way. Here a drain first takes what the kernel has accepted already, then tells
//! every connection with its next answer that it is the last, and only then closes those that are silent.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use http::{HeaderValue, Request, header};
use hyper::body::Incoming;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tower::ServiceExt;

/// Connections at once. Beyond it new ones wait in the kernel's queue.
const CONNECTIONS: usize = 20_000;

/// How long the head of a request may take to arrive, and how long a connection may be silent between two.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);

/// How long open connections have to come back for their last answer.
const LAST_ANSWERS: Duration = Duration::from_millis(1_500);

/// How long requests that are being answered may go on.
const FINISH: Duration = Duration::from_secs(5);

/// Serves until `stop` is done, then drains.
pub(crate) async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let server = Server {
        router,
        is_draining: Arc::default(),
        graceful: GracefulShutdown::new(),
        room: Arc::new(Semaphore::new(CONNECTIONS)),
    };
    tokio::pin!(stop);
    loop {
        let Ok(room) = Arc::clone(&server.room).acquire_owned().await else { return };
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => server.take(stream, peer, room),
                Err(error) => {
                    // Out of file descriptors, most likely: give what is open a moment to end.
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            () = &mut stop => break,
        }
    }
    server.drain(listener).await;
}

struct Server {
    router: Router,
    is_draining: Arc<AtomicBool>,
    graceful: GracefulShutdown,
    room: Arc<Semaphore>,
}

impl Server {
    fn take(&self, stream: TcpStream, peer: SocketAddr, room: OwnedSemaphorePermit) {
        // Answers are small; waiting to fill packets would only delay them.
        let _as_far_as_it_goes = stream.set_nodelay(true);
        let (router, is_draining) = (self.router.clone(), Arc::clone(&self.is_draining));
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo(peer));
            let (router, is_draining) = (router.clone(), Arc::clone(&is_draining));
            async move {
                let mut response = router.oneshot(request.map(Body::new)).await?;
                if is_draining.load(Ordering::SeqCst) {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, std::convert::Infallible>(response)
            }
        });
        let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_DEADLINE);
        let connection = builder.serve_connection(TokioIo::new(stream), service).into_owned();
        let watched = self.graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = watched.await {
                tracing::debug!(error, "a connection ended badly");
            }
            drop(room);
        });
    }

    async fn drain(self, listener: TcpListener) {
        self.is_draining.store(true, Ordering::SeqCst);
        // What the kernel accepted before we were told to stop was sent in good faith.
        while let Ok(Ok((stream, peer))) = timeout(Duration::from_millis(20), listener.accept()).await {
            let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else { break };
            self.take(stream, peer, room);
        }
        drop(listener);
        let all = u32::try_from(CONNECTIONS).expect("a few thousand");
        let _all_ended = timeout(LAST_ANSWERS, self.room.acquire_many(all)).await;
        if timeout(FINISH, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("some requests took too long and were cut off");
        }
    }
}
