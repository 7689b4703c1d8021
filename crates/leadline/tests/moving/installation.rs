//! Installations to run the program on: a data folder, a database, and what the program says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
};

use leadline_store::{Durability, Store, testing};
use leadline_testkit::{Db, TestApp};
use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
};

/// The key of [`leadline_testkit::SECRET`] as a key file has it.
pub const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A data folder and the address of a database.
pub struct Installation {
    pub folder: PathBuf,
    pub url: String,
    database: Option<String>,
    kept: Option<TempDir>,
}

/// How a command ended.
pub struct Ended {
    status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

fn server() -> String {
    std::env::var("LEADLINE_TEST_POSTGRES_URL").expect("tests need a PostgreSQL")
}

/// An empty database on the tests' server: its address and its name.
async fn postgres_database() -> (String, String) {
    let name = format!("leadline_moving_{}", uuid::Uuid::now_v7().simple());
    (testing::create_database(&server(), &name, None).await.expect("a database"), name)
}

impl Installation {
    /// An empty folder, and a database that has no tables yet.
    pub async fn empty(db: Db) -> Self {
        let kept = tempfile::tempdir().expect("a folder");
        let folder = kept.path().to_owned();
        let (url, database) = match db {
            Db::Sqlite => (leadline_store::sqlite_url(&folder), None),
            Db::Postgres => {
                let (url, name) = postgres_database().await;
                (url, Some(name))
            }
        };
        Self { folder, url, database, kept: Some(kept) }
    }

    /// What is there already.
    pub fn over(folder: &Path, url: &str) -> Self {
        Self { folder: folder.to_owned(), url: url.to_owned(), database: None, kept: None }
    }

    /// One with rows in every table that no server would want to read.
    pub async fn odd(db: Db) -> Self {
        let made = Self::empty(db).await;
        let store = made.store().await;
        testing::fill_every_table(&store).await.expect("rows");
        store.close().await;
        made
    }

    /// The key of tests.
    pub fn with_key(self) -> Self {
        fs::write(self.folder.join("secret.key"), KEY).expect("written");
        self
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub async fn store(&self) -> Store {
        Store::open(&self.url, Durability::Full).await.expect("the database opens")
    }

    pub async fn count(&self, from: &str) -> i64 {
        let store = Store::connect(&self.url, Durability::Full).await.expect("the database opens");
        let counted = testing::count(&store, from).await.expect("countable");
        store.close().await;
        counted
    }

    pub async fn execute(&self, sql: &str) {
        let store = Store::connect(&self.url, Durability::Full).await.expect("the database opens");
        testing::execute(&store, sql).await.expect("a statement that runs");
        store.close().await;
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        command(&self.folder, &self.url, arguments)
    }

    pub async fn run(&self, arguments: &[&str]) -> Ended {
        ended(self.command(arguments)).await
    }

    /// The rows and checksums of all tables, as a backup counts them.
    pub async fn tables(&self) -> Value {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("look.backup");
        let made = self.run(&["backup", "--json", "--to", &file.display().to_string()]).await;
        made.assert_done();
        let manifest: Value = serde_json::from_str(&made.stdout).expect("a manifest");
        manifest["tables"].clone()
    }

    pub async fn serve(&self) -> Server {
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("a free port");
        let mut command = self.command(&["serve", "--listen", &free.to_string()]);
        let mut process = command.stderr(Stdio::null()).spawn().expect("a server");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("readable").expect("it says that it listens");
        assert!(line.contains("listens on"), "{line}");
        Server { process, address: free.to_string() }
    }

    pub async fn take_away(self) {
        if let Some(name) = self.database {
            testing::drop_database(&server(), &name).await.expect("dropped");
        }
        drop(self.kept);
    }
}

/// The program on a folder and a database.
pub fn command(folder: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadline"));
    command.args(arguments).env_clear().env("LEADLINE_DATA_DIR", folder).env("LEADLINE_DATABASE_URL", url);
    command.env("LEADLINE_LISTEN", "127.0.0.1:0").current_dir(folder).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

pub async fn ended(mut command: Command) -> Ended {
    let output = command.output().await.expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// What an application leaves when it is stopped: its folder and its database go on.
pub async fn left_behind(app: &mut TestApp) -> String {
    let url = app.engine.store.url().to_owned();
    app.stop_writers().await;
    app.engine.store.clone().close().await;
    fs::write(app.data_dir().join("secret.key"), KEY).expect("written");
    // The address without what the pool adds to it.
    url.split('?').next().unwrap_or_default().to_owned()
}

impl Ended {
    pub fn assert_done(&self) {
        assert!(self.status.success(), "{}", self.stderr);
    }

    pub fn assert_refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "{}", self.stderr);
        for words in words {
            assert!(self.stderr.contains(words), "{words:?} is not in {}", self.stderr);
        }
    }
}

/// A running server.
pub struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// Asks, and gives the head and the body of the answer.
    pub async fn ask(&self, method: &str, path: &str, header: &str, body: &str) -> (String, String) {
        let mut connection = TcpStream::connect(&self.address).await.expect("it listens");
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{header}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        connection.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).await.expect("an answer");
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }

    /// What it answers to whoever may read everything.
    pub async fn get(&self, path: &str, token: &str) -> Value {
        let (head, body) = self.ask("GET", path, &format!("Authorization: Bearer {token}"), "").await;
        assert!(head.starts_with("HTTP/1.1 200"), "{path}: {head} {body}");
        // Chunks have their lengths between them.
        let (from, to) = (body.find('{').unwrap_or(0), body.rfind('}').map_or(body.len(), |at| at + 1));
        serde_json::from_str(&body[from..to]).unwrap_or_else(|_| panic!("{path}: no JSON in {body}"))
    }

    pub async fn stop(mut self) {
        self.process.kill().await.expect("killed");
    }
}
