//! How the statements behind each question are answered: asked in this process, of the same database.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use axum::{Router, body::Body, http::Request};
use leadline_engine::{Background, Clock, Engine, Options, Parts, Running, geo::Files, seal::Keys};
use leadline_outbound::{Client, Guard};
use leadline_server::{App, Settings};
use leadline_store::{Store, testing::plans};
use tempfile::TempDir;
use tower::ServiceExt;

use super::questions::Question;

/// The application in this process, and the file for plans.
pub(super) struct Plans {
    store: Store,
    router: Router,
    token: String,
    file: BufWriter<File>,
    path: PathBuf,
    running: Running,
    _folder: TempDir,
}

impl Plans {
    pub(super) fn open(store: &Store, token: &str, path: PathBuf) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let parts = Parts {
            store: store.clone(),
            client: Client::new(Guard::new(Vec::new()))?,
            keys: Keys::derive(&[7; 32]),
            clock: Clock::System,
            options: options(folder.path()),
        };
        let (engine, running) = Engine::start(parts, Background::Writers)?;
        let router = leadline_server::router(App::new(engine, Settings::default()));
        let file = BufWriter::new(File::create(&path)?);
        Ok(Self { store: store.clone(), router, token: token.to_owned(), file, path, running, _folder: folder })
    }

    /// Writes the plans of everything that a question asks, and tells which of them read a large table from end to end.
    pub(super) async fn explain(&mut self, question: &Question) -> anyhow::Result<Vec<String>> {
        writeln!(self.file, "== {}", question.name)?;
        let mut scans = Vec::new();
        let path = question.paths().first().map_or("/", String::as_str);
        let request = Request::get(path).header("authorization", format!("Bearer {}", self.token));
        let answer = self.router.clone().oneshot(request.body(Body::empty())?);
        let (answer, asked) = plans::asked_by(answer).await;
        writeln!(self.file, "{path} {}", answer?.status())?;
        for statement in asked {
            let plan = plans::plan(&self.store, &statement).await?;
            writeln!(self.file, "-- {}", statement.sql())?;
            writeln!(self.file, "     {}", statement.params().join(", "))?;
            for line in &plan {
                writeln!(self.file, "     {line}")?;
            }
            scans.extend(plans::full_scans(self.store.dialect(), &plan));
        }
        self.file.flush()?;
        Ok(scans)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) async fn close(mut self) {
        if let Err(error) = self.file.flush() {
            eprintln!("the plans are not whole: {error}");
        }
        self.running.stop().await;
        drop(self.router);
        self.store.close().await;
    }
}

fn options(folder: &Path) -> Options {
    Options {
        data_dir: folder.to_owned(),
        public_url: "http://localhost".into(),
        environment: "development".into(),
        reengage_hours: 24,
        bot_detection: true,
        demo: false,
        store_deadline: Duration::from_secs(5),
        spool_reserve_bytes: 0,
        import_max_bytes: 1,
        facebook_graph_url: "http://localhost".into(),
        delivery_timeout: Duration::from_secs(1),
        geo: Files::default(),
        mailer: None,
        mail_trust: leadline_engine::Trust::System,
    }
}
