//! The API's description against the running server: whatever a tool makes up by it is answered as it says.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// The key of [`leadline_testkit::SECRET`] as a key file has it.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

/// A server of its own on this database, where it listens, and a token that may everything.
struct Server {
    process: Child,
    address: String,
    token: String,
    app: TestApp,
}

impl Server {
    async fn start(db: Db) -> Self {
        let mut app = TestApp::start(db).await;
        let url = app.engine.store.url().to_owned();
        app.stop_writers().await;
        app.engine.store.clone().close().await;
        std::fs::write(app.data_dir().join("secret.key"), KEY).expect("written");
        let command = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_leadline"));
            command.args(arguments).arg("--data-dir").arg(app.data_dir()).args(["--database-url", &url]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
            command
        };
        let workspace = ["token", "create", "--workspace", "default", "--role", "super_admin"];
        let made = command(&workspace).output().await.expect("a token");
        let token = String::from_utf8(made.stdout).expect("text").trim().to_owned();
        let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|one| one.local_addr()).expect("a free port");
        let listen = free.to_string();
        let mut process = command(&["serve", "--listen", &listen]).spawn().expect("a server");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("readable").expect("it says that it listens");
        let address = format!("http://{listen}");
        assert!(line.contains(&address), "{line}");
        Self { process, address, token, app }
    }

    /// Asks it everything that the tool makes up.
    async fn examine(&self, packages: &Path) -> Output {
        let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/description/schemathesis.toml");
        let begin = "import sys; sys.path.insert(0, sys.argv.pop(1)); from schemathesis.cli import schemathesis; \
                     sys.exit(schemathesis())";
        let mut command = Command::new("python3");
        command.args(["-c", begin]).arg(packages).arg("--config-file").arg(config);
        command.args(["run", &format!("{}/openapi.json", self.address)]);
        // The live stream never ends.
        command.args(["--exclude-path", "/v1/live", "--seed", "1", "--no-color"]);
        command.args(["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "8"]);
        command.args(["--continue-on-failure", "--warnings", "off", "--request-timeout", "60"]);
        command.args(["-H", &format!("Authorization: Bearer {}", self.token)]);
        command.current_dir(self.app.data_dir()).kill_on_drop(true).output().await.expect("python3")
    }

    async fn stop(mut self) {
        self.process.kill().await.expect("killed");
        self.app.stop().await;
    }
}

fn packages() -> PathBuf {
    let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../python");
    assert!(packages.join("schemathesis").exists(), "schemathesis is missing: scripts/python-packages.sh");
    packages
}

#[rstest]
#[tokio::test]
async fn whatever_fits_or_breaks_the_description_is_answered_as_it_says(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let server = Server::start(db).await;

    let examined = server.examine(&packages()).await;

    let report = String::from_utf8_lossy(&examined.stdout);
    assert!(examined.status.success(), "{report}\n{}", String::from_utf8_lossy(&examined.stderr));
    assert!(report.contains("generated"), "nothing was asked: {report}");
    server.stop().await;
}
