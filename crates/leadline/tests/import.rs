//! `leadline import`, run as an operator runs it.

use std::{
    fs,
    process::{ExitStatus, Stdio},
};

use leadline_store::verify;
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};
use tokio::process::Command;

/// The 32 bytes of the test's key as a key file has them.
const KEY: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";

const PEOPLE: &str = "Who\tMail\tSize\r\nAnna\tanna@example.com\t5\r\n\t\t6\r\nBob\tbob@example.com\t7\r\n";

/// How a command ended.
struct Ended {
    status: ExitStatus,
    stdout: String,
    stderr: String,
}

async fn run(app: &TestApp, arguments: &[&str]) -> Ended {
    fs::write(app.data_dir().join("secret.key"), KEY).expect("written");
    fs::write(app.data_dir().join("people.tsv"), PEOPLE).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_leadline"));
    command.args(["import", "people.tsv"]).args(arguments).arg("--data-dir").arg(app.data_dir());
    command.args(["--database-url", app.engine.store.url()]).current_dir(app.data_dir());
    command.env_remove("LEADLINE_SECRET_KEY").stdin(Stdio::null()).kill_on_drop(true);
    let output = command.output().await.expect("the command runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { status: output.status, stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

#[rstest]
#[tokio::test]
async fn a_file_is_imported_beside_a_running_server(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    let mapping = r#"{"Who": "name", "Size": "custom:Team size"}"#;
    let how = ["--workspace", "default", "--mapping", mapping, "--json"];

    let tried = run(&app, &[&how[..], &["--dry-run"]].concat()).await;
    let nothing = app.count("leads").await + app.count("imports").await;
    let done = run(&app, &[&how[..], &["--errors", "refused.csv", "--tag", "fair"]].concat()).await;

    let answer =
        |ended: &Ended| serde_json::from_str::<Value>(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    assert_eq!((answer(&tried)["dryRun"].clone(), nothing), (json!(true), 0));
    assert_eq!(answer(&tried)["tally"], answer(&done)["tally"]);
    let tally = &answer(&done)["tally"];
    assert_eq!((&tally["created"], &tally["refused"], done.status.success()), (&json!(2), &json!(1), true));
    let refused = fs::read_to_string(app.data_dir().join("refused.csv")).expect("the refused rows");
    assert_eq!(refused.lines().nth(1), Some(",,6,3,\"There is no name, e-mail address or phone number in it\""));
    app.run_jobs().await;
    assert_eq!(app.count("lead_tags WHERE tag = 'fair'").await, 2);
    assert_eq!(app.count("custom_fields WHERE key = 'teamSize'").await, 1);
    let report = verify::run(&app.engine.store.reader(), app.now()).await.expect("readable");
    assert!(report.checks.iter().all(verify::Check::adds_up), "{:?}", report.checks);
    app.stop().await;
}

#[rstest]
#[case::no_workspace(&["--workspace", "nowhere"], 1, "there is no workspace \"nowhere\"")]
#[case::no_project(&["--workspace", "default", "--project", "X"], 2, "--project: \"X\" is none of Main")]
#[case::no_column(&["--workspace", "default", "--mapping", "{\"Mai\": \"email\"}"], 2, "the file has no column \"Mai\"")]
#[case::no_target(&["--workspace", "default", "--mapping", "{\"Mail\": \"mail\"}"], 2, "\"mail\" is no target")]
#[tokio::test]
async fn what_cannot_be_is_said_and_leaves_nothing(#[case] how: &[&str], #[case] code: i32, #[case] words: &str) {
    let app = TestApp::start(Db::Sqlite).await;

    let ended = run(&app, how).await;

    assert_eq!(ended.status.code(), Some(code), "{}", ended.stderr);
    assert!(ended.stderr.contains(words), "{}", ended.stderr);
    assert_eq!(app.count("leads").await + app.count("import_blocks").await, 0);
    app.stop().await;
}
