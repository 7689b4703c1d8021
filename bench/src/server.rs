//! The product as its own process, and what the system says about it.

use std::{
    env, fmt, fs,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use leadline_store::testing;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

/// Clock ticks a second in `/proc`, which Linux fixes for programs.
const TICKS: f64 = 100.0;

/// Which database the product runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Database {
    Sqlite,
    Postgres,
}

impl Database {
    pub(crate) const ALL: [Self; 2] = [Self::Sqlite, Self::Postgres];
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        })
    }
}

/// A running product with a token for its API.
pub(crate) struct Product {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    pub(crate) client: reqwest::Client,
    database_url: String,
    /// Where its files and its database are, as it is told on the command line.
    arguments: Vec<String>,
    child: Child,
    postgres: Option<(String, String)>,
    _folder: TempDir,
}

impl Product {
    pub(crate) async fn start(database: Database) -> anyhow::Result<Self> {
        Self::start_filled(database, 0).await
    }

    /// Starts with so many leads on the board already.
    pub(crate) async fn start_filled(database: Database, leads: u64) -> anyhow::Result<Self> {
        Self::start_loaded(database, leads, &[]).await
    }

    /// Starts with a year of so many leads.
    pub(crate) async fn start_with_history(database: Database, leads: u64) -> anyhow::Result<Self> {
        Self::start_loaded(database, leads, &["--with-history"]).await
    }

    async fn start_loaded(database: Database, leads: u64, how: &[&str]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut arguments = vec!["--data-dir".to_owned(), folder.path().display().to_string()];
        let mut postgres = None;
        let mut database_url = leadline_store::sqlite_url(folder.path());
        if database == Database::Postgres {
            let server =
                env::var("LEADLINE_TEST_POSTGRES_URL").context("run it by `make bench`, which starts PostgreSQL")?;
            let name = format!("leadline_bench_{}_{leads}_{}", std::process::id(), free_address()?.port());
            database_url = testing::create_database(&server, &name, None).await?;
            arguments.extend(["--database-url".to_owned(), database_url.clone()]);
            postgres = Some((server, name));
        }
        let token = output(&["token", "create", "--role", "admin"], &arguments).await?;
        if leads > 0 {
            let count = leads.to_string();
            output(&[&["dev", "load-leads", "--count", &count], how].concat(), &arguments).await?;
        }
        let address = free_address()?;
        let child = serve(address, &arguments)?;
        let client = reqwest::Client::new();
        let product = Self { address, token, client, database_url, arguments, child, postgres, _folder: folder };
        product.wait_until_ready().await?;
        Ok(product)
    }

    /// Kills the process where it stands (SIGKILL), and starts it again on the same files.
    pub(crate) async fn kill_and_start_again(&mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        self.child = serve(self.address, &self.arguments)?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        for _ in 0..200 {
            let answer = self.client.get(format!("http://{}/readyz", self.address)).send().await;
            if answer.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("the product does not become ready")
    }

    /// Calls the API.
    pub(crate) async fn call(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request =
            self.client.request(method, format!("http://{}{path}", self.address)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        ensure!(status.is_success(), "{path}: {status} {text}");
        Ok(serde_json::from_str(&text)?)
    }

    /// Makes a form and gives the path to post to.
    pub(crate) async fn make_form(&self) -> anyhow::Result<String> {
        let form = self.call(reqwest::Method::POST, "/v1/capture/forms", Some(json!({"name": "Bench"}))).await?;
        Ok(format!("/f/{}", form["key"].as_str().context("a form without a key")?))
    }

    /// Where its rows are.
    pub(crate) fn database_url(&self) -> &str {
        &self.database_url
    }

    /// CPU time that the process has used.
    pub(crate) fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid()?))?;
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(Duration::from_secs_f64(ticks / TICKS))
    }

    pub(crate) fn memory_mb(&self) -> anyhow::Result<f64> {
        self.status("VmRSS:")
    }

    pub(crate) fn peak_memory_mb(&self) -> anyhow::Result<f64> {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name)).context("a status line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? / 1024.0)
    }

    fn pid(&self) -> anyhow::Result<u32> {
        self.child.id().context("the product has ended")
    }

    pub(crate) async fn stop(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        if let Some((server, name)) = self.postgres.take() {
            testing::drop_database(&server, &name).await?;
        }
        Ok(())
    }
}

fn serve(address: SocketAddr, arguments: &[String]) -> anyhow::Result<Child> {
    let child = Command::new(binary()?)
        .args(["serve", "--listen", &address.to_string()])
        .args(arguments)
        .env("LEADLINE_OUTBOUND_ALLOW", "127.0.0.0/8")
        .env("RUST_LOG", "error")
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

/// The bare handler in a process of its own.
pub(crate) struct Bare {
    pub(crate) address: SocketAddr,
    _child: Child,
}

pub(crate) async fn bare() -> anyhow::Result<Bare> {
    let address = free_address()?;
    let child = Command::new(env::current_exe()?).args(["bare", &address.to_string()]).kill_on_drop(true).spawn()?;
    while tokio::net::TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(Bare { address, _child: child })
}

async fn output(command: &[&str], arguments: &[String]) -> anyhow::Result<String> {
    let output = Command::new(binary()?).args(command).args(arguments).stderr(Stdio::inherit()).output().await?;
    ensure!(output.status.success(), "{command:?} failed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// The product beside this program, as cargo builds both.
fn binary() -> anyhow::Result<PathBuf> {
    let path = env::current_exe()?.with_file_name("leadline");
    ensure!(path.exists(), "{} is not built; run it by `make bench`", path.display());
    Ok(path)
}

fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
