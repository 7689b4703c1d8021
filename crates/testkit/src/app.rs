//! The application under test.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use leadline_domain::{
    fields::RawFields,
    ids::{PipelineId, ProjectId, UserId, WorkspaceId},
    permissions::Role,
    time::Timestamp,
};
use leadline_engine::{
    Actor, ActorKind, Background, Clock, Engine, Options, Parts, Running,
    admin::workspaces::{self, Defaults},
    analysis,
    capture::{AcceptError, Accepted, Request, Submission},
    delivery, dispatch,
    geo::Files,
    random_bytes,
    seal::{Keys, check},
    work,
};
use leadline_outbound::{Client, Guard};
use leadline_store::{Durability, Store, projects, testing};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::template;

/// Where the tests' PostgreSQL is.
const POSTGRES: &str = "LEADLINE_TEST_POSTGRES_URL";

/// When every test begins: a Monday morning.
const BEGINNING: Timestamp = Timestamp(1_767_600_000_000);

/// The key file's 32 bytes.
pub const SECRET: [u8; 32] = [7; 32];

/// On which database a test runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Db {
    /// A file of its own.
    Sqlite,
    /// A database of its own on the server that `make test` starts.
    Postgres,
}

/// The application, with a workspace to work in.
pub struct TestApp {
    /// The engine, for use cases and reads.
    pub engine: Engine,
    /// The workspace that [`TestApp::actor`] works in.
    pub workspace: WorkspaceId,
    /// Its first project.
    pub project: ProjectId,
    clock: Arc<AtomicI64>,
    db: Db,
    running: Option<Running>,
    folder: TempDir,
    database: Option<String>,
    background: Background,
    store_deadline: Duration,
    keys: Keys,
}

impl TestApp {
    /// Starts an application on a database of its own.
    ///
    /// # Panics
    /// Where there is no PostgreSQL for [`Db::Postgres`].
    pub async fn start(db: Db) -> Self {
        Self::start_with(db, Background::Writers, Duration::from_secs(20)).await
    }

    /// Starts an application that works by itself, as the product does, and in which a submission waits only
    /// `store_deadline` for the store.
    ///
    /// # Panics
    /// Where there is no PostgreSQL for [`Db::Postgres`].
    pub async fn start_working(db: Db, store_deadline: Duration) -> Self {
        Self::start_with(db, Background::Everything, store_deadline).await
    }

    async fn start_with(db: Db, background: Background, store_deadline: Duration) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (url, database) = match db {
            Db::Sqlite => {
                template::copy_sqlite(folder.path()).await;
                (leadline_store::sqlite_url(folder.path()), None)
            }
            Db::Postgres => {
                let name = format!("leadline_test_{}", hex_name(random_bytes()));
                (template::copy_postgres(&postgres_server(), &name).await, Some(name))
            }
        };
        let clock = Arc::new(AtomicI64::new(BEGINNING.0));
        let keys = Keys::derive(&SECRET);
        let (engine, running) = start(&url, &folder, &clock, background, store_deadline, &keys).await;
        let mut app = Self {
            engine,
            workspace: WorkspaceId(uuid::Uuid::nil()),
            project: ProjectId(uuid::Uuid::nil()),
            clock,
            db,
            running: Some(running),
            folder,
            database,
            background,
            store_deadline,
            keys,
        };
        (app.workspace, app.project) = app.make_workspace("default").await;
        app
    }

    /// Makes a workspace with its default pipeline and a first project.
    pub async fn make_workspace(&self, slug: &str) -> (WorkspaceId, ProjectId) {
        let engine = &self.engine;
        let defaults = Defaults::from(engine.options.as_ref());
        let made = workspaces::ensure(&engine.store, engine.clock.now(), defaults, slug).await.expect("a workspace");
        let projects = projects::list(&engine.store.reader(), made.id).await.expect("projects");
        (made.id, projects[0].id)
    }

    /// Somebody who may do everything in the test's workspace.
    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor_in(self.workspace)
    }

    /// Somebody who may do everything in `workspace`.
    #[must_use]
    pub fn actor_in(&self, workspace: WorkspaceId) -> Actor {
        Actor {
            workspace,
            kind: ActorKind::User,
            user: Some(UserId(uuid::Uuid::from_u128(1))),
            credential: None,
            name: "Test".into(),
            role: Role::Admin.into(),
            ip: None,
        }
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        Timestamp(self.clock.load(Ordering::SeqCst))
    }

    /// Moves time on.
    pub fn advance(&self, by: Duration) {
        let millis = i64::try_from(by.as_millis()).expect("a test's span");
        self.clock.fetch_add(millis, Ordering::SeqCst);
    }

    /// Sets the clock, forward or back.
    pub fn set_clock(&self, now: Timestamp) {
        self.clock.store(now.0, Ordering::SeqCst);
    }

    /// A submission by hand through the one door, as a browser would send it, without an IP address.
    pub async fn submit(&self, fields: Value) -> Accepted {
        self.try_submit(fields, None).await.expect("an accepted submission")
    }

    /// A submission through the one door, from an address if one is given.
    ///
    /// # Errors
    /// What the door says.
    pub async fn try_submit(&self, fields: Value, ip: Option<&str>) -> Result<Accepted, AcceptError> {
        let intake = self.engine.door.intakes().direct(self.workspace, Some(self.project)).await;
        let intake = intake.expect("the store answers").expect("the project is there");
        let fields: RawFields = match fields {
            Value::Object(fields) => fields.into_iter().collect(),
            other => panic!("fields are an object, not {other}"),
        };
        let key = fields.iter().find(|(name, _)| name == "submissionId").and_then(|(_, key)| key.as_str());
        let key = key.map(str::to_owned);
        let request = Request {
            is_browser: true,
            ip: ip.map(str::to_owned),
            raw_body: json!({"test": true}).to_string(),
            ..Request::default()
        };
        let submission = Submission::new(&self.engine, intake, fields, request, key.as_deref());
        self.engine.door.accept(submission).await
    }

    /// Dispatches all events and makes all deliveries that are due, until nothing is.
    pub async fn run_jobs(&self) {
        loop {
            dispatch::dispatch_all(&self.engine).await.expect("events are dispatched");
            let sent = delivery::deliver_due(&self.engine).await.expect("deliveries are made");
            if sent == 0 {
                return;
            }
        }
    }

    /// Dispatches all events and does the work on leads that is due, until nothing is: gives new ones out, tells of
    /// those that wait, reminds of tasks.
    pub async fn run_work(&self) {
        loop {
            dispatch::dispatch_all(&self.engine).await.expect("events are dispatched");
            if work::runner::work_due(&self.engine).await.expect("the work is done") == 0 {
                return;
            }
        }
    }

    /// Analyses every message that waits, after dispatching what brought it, and tells how many those were.
    pub async fn run_analyses(&self) -> usize {
        dispatch::dispatch_all(&self.engine).await.expect("events are dispatched");
        analysis::analyse_due(&self.engine).await.expect("messages are analysed")
    }

    /// How many rows `from` has, which is the part of a query after `FROM`.
    pub async fn count(&self, from: &str) -> i64 {
        testing::count(&self.engine.store, from).await.expect("a countable table")
    }

    /// Runs a statement as it is, as another node or a person at the database would.
    pub async fn execute(&self, sql: &str) {
        testing::execute(&self.engine.store, sql).await.expect("a statement that runs");
    }

    /// Takes the store's writers away until what is returned is dropped: the next writes hang, as behind a dead disk.
    pub async fn stall_database(&self) -> testing::Stalled {
        testing::stall(&self.engine.store).await.expect("a lock")
    }

    /// The default pipeline of the test's workspace.
    pub async fn pipeline(&self) -> PipelineId {
        let intake = self.engine.door.intakes().direct(self.workspace, None).await;
        intake.expect("the store answers").expect("a workspace with a pipeline").pipeline_id
    }

    /// Stops everything but the door: submissions go to the spool, as they do when the process is about to end.
    pub async fn stop_writers(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
    }

    /// Stops the process in an orderly way and starts it again on the same database, at the same time.
    pub async fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        let url = self.engine.store.url().to_owned();
        let (background, deadline) = (self.background, self.store_deadline);
        let (engine, running) = start(&url, &self.folder, &self.clock, background, deadline, &self.keys).await;
        self.engine = engine;
        self.running = Some(running);
    }

    /// Starts again with other keys, as after a rotation.
    pub async fn restart_with(&mut self, keys: Keys) {
        self.keys = keys;
        self.restart().await;
    }

    /// The folder with spool and key file.
    #[must_use]
    pub fn data_dir(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Which database this is.
    #[must_use]
    pub fn db(&self) -> Db {
        self.db
    }

    /// Stops everything and takes the database away. Tests end with it; one that panics leaves its database to the
    /// server, which is thrown away as a whole.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            running.stop().await;
        }
        self.engine.store.clone().close().await;
        if let Some(name) = self.database.take() {
            testing::drop_database(&postgres_server(), &name).await.expect("the database goes away");
        }
    }
}

async fn start(
    url: &str,
    folder: &TempDir,
    clock: &Arc<AtomicI64>,
    background: Background,
    store_deadline: Duration,
    keys: &Keys,
) -> (Engine, Running) {
    let store = Store::open(url, Durability::Full).await.expect("a database that opens");
    let now = Timestamp(clock.load(Ordering::SeqCst));
    check::confirm(&store, keys, now).await.expect("the keys of the database");
    let allow = vec!["127.0.0.0/8".parse().expect("a range")];
    let parts = Parts {
        store,
        client: Client::new(Guard::new(allow)).expect("a client"),
        keys: keys.clone(),
        clock: Clock::Manual(Arc::clone(clock)),
        options: Options {
            data_dir: folder.path().to_owned(),
            public_url: "http://leadline.test".into(),
            environment: "production".into(),
            reengage_hours: 24,
            bot_detection: true,
            demo: false,
            store_deadline,
            spool_reserve_bytes: 0,
            import_max_bytes: 4_000_000,
            facebook_graph_url: "http://127.0.0.1:9".into(),
            delivery_timeout: Duration::from_millis(300),
            geo: Files::default(),
            mailer: None,
            mail_trust: leadline_outbound::Trust::System,
        },
    };
    Engine::start(parts, background).expect("an engine that starts")
}

fn postgres_server() -> String {
    std::env::var(POSTGRES).unwrap_or_else(|_| {
        panic!("{POSTGRES} is not set: data tests run on PostgreSQL too. `make test` starts one and sets it.")
    })
}

fn hex_name(bytes: [u8; 8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
