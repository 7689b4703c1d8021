//! Names to addresses, with the guard between: the client connects to the very addresses that were checked here.
//!
//! The machine's resolver blocks a thread for as long as a name server stays silent, and giving up on the answer does
//! not free the thread. So a name is looked up by at most one thread at a time, whoever else asks joins that look-up,
//! and all look-ups together hold at most [`MAX_LOOK_UPS`] of tokio's 512 blocking threads. A silent name server thus
//! costs its own deliveries their deadline and nobody else anything. Answers are not cached: that is the machine's task.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::{Semaphore, watch};

use crate::guard::{Guard, LOOPBACK, UrlRefused};

/// Finds the addresses of a host name. The system's resolver, unless a test brings its own.
pub type LookUp = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The name has no address, or the resolver does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the host name does not resolve")]
pub struct LookUpFailed;

type Answer = Result<Arc<[IpAddr]>, LookUpFailed>;

const MAX_LOOK_UPS: usize = 128;

/// The system's resolver.
pub(crate) fn system_look_up() -> LookUp {
    Arc::new(|host| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// The resolver that the client is built with.
pub(crate) struct GuardedResolver {
    guard: Guard,
    look_ups: Arc<LookUps>,
}

impl std::fmt::Debug for GuardedResolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("GuardedResolver")
    }
}

impl GuardedResolver {
    pub(crate) fn new(guard: Guard, look_up: LookUp) -> Self {
        Self { guard, look_ups: Arc::new(LookUps::new(look_up)) }
    }

    /// An address of a host that may be reached, for what is no HTTP. Says why there is none.
    pub(crate) async fn find_allowed(&self, host: &str) -> Result<IpAddr, String> {
        let found = match host.parse::<IpAddr>() {
            Ok(ip) => Arc::from([ip]),
            Err(_) => self.look_ups.find(host).await.map_err(|failed| failed.to_string())?,
        };
        let allowed = found.iter().find(|ip| self.guard.allows_ip(**ip)).copied();
        allowed.ok_or_else(|| UrlRefused::PrivateAddress.to_string())
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.guard.clone();
        let look_ups = Arc::clone(&self.look_ups);
        Box::pin(async move {
            let found = look_ups.find(name.as_str()).await?;
            // The port 0 is replaced by that of the URL.
            let allowed: Vec<SocketAddr> =
                found.iter().filter(|ip| guard.allows_ip(**ip)).map(|ip| SocketAddr::new(*ip, 0)).collect();
            if allowed.is_empty() {
                return Err(UrlRefused::PrivateAddress.into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

struct LookUps {
    look_up: LookUp,
    slots: Arc<Semaphore>,
    running: Arc<Mutex<HashMap<String, watch::Receiver<Option<Answer>>>>>,
}

impl LookUps {
    fn new(look_up: LookUp) -> Self {
        Self { look_up, slots: Arc::new(Semaphore::new(MAX_LOOK_UPS)), running: Arc::default() }
    }

    async fn find(&self, host: &str) -> Answer {
        if host == "localhost" {
            return Ok(Arc::new(LOOPBACK));
        }
        let mut answer = self.join_or_start(host);
        let answer = answer.wait_for(Option::is_some).await.map_err(|_| LookUpFailed)?;
        answer.clone().unwrap_or(Err(LookUpFailed))
    }

    fn join_or_start(&self, host: &str) -> watch::Receiver<Option<Answer>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        // A look-up that panicked has dropped its sender; joining it would never end.
        if let Some(answer) = running.get(host).filter(|answer| answer.has_changed().is_ok()) {
            return answer.clone();
        }
        let (sender, answer) = watch::channel(None);
        running.insert(host.to_owned(), answer.clone());
        tokio::spawn(self.run(host.to_owned(), sender));
        answer
    }

    /// Runs to its end even when nobody waits any more, so that the map tells how many threads really are busy.
    fn run(&self, host: String, sender: watch::Sender<Option<Answer>>) -> impl Future<Output = ()> + use<> {
        let (look_up, slots, running) = (self.look_up.clone(), self.slots.clone(), self.running.clone());
        async move {
            let _slot = slots.acquire().await.expect("the semaphore is never closed");
            let found = look_up(host.clone()).await;
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&host);
            sender.send_replace(Some(found.map(Into::into).map_err(|_| LookUpFailed)));
        }
    }
}
