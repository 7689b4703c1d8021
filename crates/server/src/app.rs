//! What every handler may ask for.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use leadline_engine::{
    Engine,
    admin::{
        attempts::Attempts,
        sessions::{self, Authenticated},
    },
};
use leadline_store::Reader;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Semaphore, watch};

use crate::{client_ip, demo::Demo, error::ApiResult};

/// Requests that look through all leads of a workspace at once: each holds a connection for seconds.
const LONG_LOOKS: usize = 2;

/// What the operator set about HTTP.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Proxies whose word about the client's address is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// The application: the engine for writes, a reader for reads. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// For everything that changes something.
    pub engine: Engine,
    /// For everything that only looks.
    pub reader: Reader,
    pub(crate) attempts: Arc<Attempts>,
    /// Whoever looks through all leads of a workspace waits for those who do so already.
    pub(crate) long_looks: Arc<Semaphore>,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) demo: Option<Arc<Demo>>,
    settings: Arc<Settings>,
    stopping: Arc<watch::Sender<bool>>,
}

impl App {
    /// Puts the application together.
    #[must_use]
    pub fn new(engine: Engine, settings: Settings) -> Self {
        let reader = engine.store.reader();
        Self {
            engine,
            reader,
            attempts: Arc::default(),
            long_looks: Arc::new(Semaphore::new(LONG_LOOKS)),
            metrics: None,
            demo: None,
            settings: Arc::new(settings),
            stopping: Arc::new(watch::Sender::new(false)),
        }
    }

    /// Lets `/metrics` answer with what is counted there.
    #[must_use]
    pub fn with_metrics(mut self, handle: PrometheusHandle) -> Self {
        self.metrics = Some(handle);
        self
    }

    /// Shows the demonstration's form and receiver.
    #[must_use]
    pub fn with_demo(mut self, demo: Demo) -> Self {
        self.demo = Some(Arc::new(demo));
        self
    }

    /// Ends the answers that have no end of their own (live updates), so that the process can.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    pub(crate) fn client_ip(&self, peer: IpAddr, headers: &http::HeaderMap) -> IpAddr {
        client_ip::resolve(peer, headers, &self.settings.trusted_proxies)
    }

    /// Whether what this peer says of others is believed.
    pub(crate) fn is_trusted_proxy(&self, peer: IpAddr) -> bool {
        client_ip::is_trusted(peer.to_canonical(), &self.settings.trusted_proxies)
    }

    /// Whether browsers reach us by HTTPS alone.
    pub(crate) fn is_https(&self) -> bool {
        self.engine.options.public_url.starts_with("https:")
    }

    /// Who has this secret.
    pub(crate) async fn authenticate(&self, secret: &str) -> ApiResult<Option<Authenticated>> {
        Ok(sessions::authenticate(&self.engine.store, self.engine.clock.now(), secret).await?)
    }
}
