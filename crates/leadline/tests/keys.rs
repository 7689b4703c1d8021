//! The process and its key: it starts with the right one alone, and `leadline key rotate` can be cut off anywhere.

use std::{
    fs,
    path::PathBuf,
    process::{ExitStatus, Stdio},
};

use leadline_engine::{
    delivery::destinations::{Wish, create_destination},
    seal::{Keys, resealing},
};
use leadline_store::{Durability, Store, destinations};
use leadline_testkit::{Db, SECRET, TestApp};
use rstest::rstest;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// The 32 bytes of [`SECRET`] as a key file has them.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
const OTHER_KEY: &str = "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=";

/// A database with a destination and its key file, as a server left them.
struct Left {
    app: TestApp,
    url: String,
    secret: String,
}

/// How a command ended.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

impl Left {
    async fn behind(db: Db) -> Self {
        let mut app = TestApp::start(db).await;
        let wish = Wish {
            name: Some("CRM".into()),
            url: Some("https://example.com/hook".into()),
            events: Some(vec!["lead.created".into()]),
            ..Wish::default()
        };
        let secret = create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination").secret;
        let url = app.engine.store.url().to_owned();
        app.stop_writers().await;
        app.engine.store.clone().close().await;
        let left = Self { app, url, secret };
        fs::write(left.key_file(), KEY).expect("written");
        left
    }

    fn key_file(&self) -> PathBuf {
        self.app.data_dir().join("secret.key")
    }

    fn keys(&self) -> Keys {
        Keys::parse(&fs::read_to_string(self.key_file()).expect("a key file")).expect("keys")
    }

    fn command(&self, arguments: &[&str], variable: Option<&str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_leadline"));
        command.args(arguments).arg("--data-dir").arg(self.app.data_dir());
        command.args(["--database-url", &self.url, "--listen", "127.0.0.1:0"]).current_dir(self.app.data_dir());
        command.env_remove("LEADLINE_SECRET_KEY").envs(variable.map(|key| ("LEADLINE_SECRET_KEY", key)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str], variable: Option<&str>) -> Ended {
        let output = self.command(arguments, variable).output().await.expect("the command runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Ended { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    async fn rotate(&self, variable: Option<&str>) -> Ended {
        self.run(&["key", "rotate"], variable).await
    }

    /// Starts a server and waits until it says that it listens.
    async fn serve(&self, variable: Option<&str>) -> Child {
        let mut server = self.command(&["serve"], variable).stderr(Stdio::null()).spawn().expect("a server");
        let mut lines = BufReader::new(server.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("readable").expect("it says that it listens");
        assert!(line.contains("listens on"), "{line}");
        server
    }

    async fn store(&self) -> Store {
        Store::open(&self.url, Durability::Full).await.expect("the database opens")
    }

    /// What the destination's secret is to somebody with these keys.
    async fn secret_with(&self, keys: &Keys) -> Option<String> {
        let store = self.store().await;
        let all = destinations::list_all_active(&store.reader()).await.expect("readable");
        store.close().await;
        keys.open(&all[0].secret_sealed).ok()
    }

    async fn take_away(self) {
        self.app.stop().await;
    }
}

impl Ended {
    fn assert_refused(&self, code: i32, words: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "{}", self.stderr);
        for words in words {
            assert!(self.stderr.contains(words), "{words:?} is not in {}", self.stderr);
        }
    }

    fn assert_done(&self) {
        assert!(self.status.success(), "{}", self.stderr);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_named_and_nothing_starts(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let left = Left::behind(db).await;
    let wrong = "not the key that the database was written with";

    left.run(&["serve"], Some(OTHER_KEY)).await.assert_refused(2, &["LEADLINE_SECRET_KEY", wrong, "Put back the key"]);
    fs::write(left.key_file(), OTHER_KEY).expect("written");
    let path = left.key_file().display().to_string();
    left.run(&["serve"], None).await.assert_refused(2, &[&path, wrong, "Put back the key"]);
    left.rotate(None).await.assert_refused(2, &[&path, wrong]);
    assert_eq!(fs::read_to_string(left.key_file()).expect("still there"), OTHER_KEY);

    left.serve(Some(KEY)).await.kill().await.expect("stopped");
    left.take_away().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_key_file_that_is_gone_is_not_replaced_by_a_new_one(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let left = Left::behind(db).await;
    fs::remove_file(left.key_file()).expect("taken away");

    let ended = left.run(&["serve"], None).await;
    let rotated = left.rotate(None).await;

    ended.assert_refused(2, &["secret.key: is missing", "Put back the key"]);
    rotated.assert_refused(2, &["there is none yet"]);
    assert!(!left.key_file().exists());
    left.take_away().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_seals_everything_with_a_key_that_the_old_file_does_not_hold(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let left = Left::behind(db).await;

    left.rotate(None).await.assert_done();

    let new = left.keys();
    assert!(!new.is_rotating());
    assert_eq!(left.secret_with(&new).await.as_ref(), Some(&left.secret));
    assert_eq!(left.secret_with(&Keys::derive(&SECRET)).await, None);
    left.run(&["serve"], Some(KEY)).await.assert_refused(2, &["not of the same time", "Put back the key"]);
    left.serve(None).await.kill().await.expect("stopped");
    left.rotate(None).await.assert_done();
    assert_ne!(left.keys(), new, "again, from a file that was rotated before");
    assert_eq!(left.secret_with(&left.keys()).await.as_ref(), Some(&left.secret));
    left.take_away().await;
}

/// Where a crash can leave a rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// A new file lies beside the old one.
    BeforeTheFile,
    /// The file holds both keys, and no row is sealed anew.
    BeforeTheRows,
    /// Some rows are.
    AmongTheRows,
    /// All rows are, and the file holds the old key still.
    BeforeTheEnd,
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_that_was_cut_off_is_finished_by_another_run(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
    #[values(Cut::BeforeTheFile, Cut::BeforeTheRows, Cut::AmongTheRows, Cut::BeforeTheEnd)] cut: Cut,
) {
    let left = Left::behind(db).await;
    let both = Keys::derive(&SECRET).rotated();
    match cut {
        Cut::BeforeTheFile => {
            fs::write(left.app.data_dir().join("secret.key.new"), both.write_down("\n")).expect("written");
        }
        Cut::BeforeTheRows => fs::write(left.key_file(), both.write_down("\n")).expect("written"),
        Cut::AmongTheRows | Cut::BeforeTheEnd => {
            fs::write(left.key_file(), both.write_down("\n")).expect("written");
            let store = left.store().await;
            resealing::reseal(&store, &both).await.expect("resealed");
            if cut == Cut::AmongTheRows {
                let old = Keys::derive(&SECRET).seal(&left.secret);
                let sql = format!("UPDATE destinations SET secret_sealed = '{old}'");
                leadline_store::testing::execute(&store, &sql).await.expect("put back");
            }
            store.close().await;
        }
    }

    // A machine that restarts serves before anybody looks.
    left.serve(None).await.kill().await.expect("stopped");
    left.rotate(None).await.assert_done();

    let keys = left.keys();
    assert!(!keys.is_rotating());
    assert_eq!(keys == both.after_rotation(), cut != Cut::BeforeTheFile, "a key that was begun is the one that stays");
    assert_eq!(left.secret_with(&keys).await.as_ref(), Some(&left.secret));
    assert!(!left.app.data_dir().join("secret.key.new").exists());
    left.take_away().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_beside_a_running_server_is_refused(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let left = Left::behind(db).await;
    let mut server = left.serve(None).await;

    left.rotate(None).await.assert_refused(1, &["stop it, then run this again"]);
    server.kill().await.expect("stopped");
    if db == Db::Postgres {
        // Another node, with a data folder of its own.
        let node = left.store().await;
        left.rotate(None).await.assert_refused(1, &["other Leadline processes", "stop all of them"]);
        node.close().await;
    }

    assert_eq!(fs::read_to_string(left.key_file()).expect("a key file"), KEY);
    left.take_away().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn with_the_key_in_a_variable_a_first_run_changes_nothing_and_a_second_finishes(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let left = Left::behind(db).await;
    fs::remove_file(left.key_file()).expect("taken away");

    let begun = left.rotate(Some(KEY)).await;
    let both = begun.stdout.trim();
    let untouched = left.secret_with(&Keys::derive(&SECRET)).await;
    left.serve(Some(both)).await.kill().await.expect("stopped");
    let finished = left.rotate(Some(both)).await;
    let new = finished.stdout.trim();
    left.rotate(Some(both)).await.assert_done();

    begun.assert_done();
    finished.assert_done();
    assert!(begun.stderr.contains("Nothing is changed yet"), "{}", begun.stderr);
    assert_eq!(untouched.as_ref(), Some(&left.secret));
    let keys = Keys::parse(new).expect("keys and nothing else on stdout");
    assert_eq!(keys, Keys::parse(both).expect("keys").after_rotation());
    assert_eq!(left.secret_with(&keys).await.as_ref(), Some(&left.secret));
    left.serve(Some(new)).await.kill().await.expect("stopped");
    assert!(!left.key_file().exists());
    left.take_away().await;
}
