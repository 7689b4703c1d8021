//! `leadline export`: beside a running server, into a file that is whole or not there.

use std::process::Stdio;

use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;
use tokio::process::Command;

async fn export(app: &TestApp, arguments: &[&str]) -> (bool, String, String) {
    let ended = Command::new(env!("CARGO_BIN_EXE_leadline"))
        .arg("export")
        .args(arguments)
        .env_clear()
        .env("LEADLINE_DATA_DIR", app.data_dir())
        .env("LEADLINE_DATABASE_URL", app.engine.store.url())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ended.status.success(), text(&ended.stdout), text(&ended.stderr))
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn leads_and_contacts_are_exported_beside_a_running_server(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;
    app.submit(json!({"name": "Ada", "email": "ada@example.com", "Budget": "5"})).await;
    app.submit(json!({"name": "Bob", "email": "bob@example.com"})).await;
    let file = app.data_dir().join("contacts.xlsx");

    let filter = json!({"field": "name", "op": "is", "value": "ada"}).to_string();
    let (is_done, printed, said) =
        export(&app, &["leads", "--columns", "name,email,custom.budget", "--filter", &filter]).await;
    assert!(is_done, "{said}");
    assert_eq!(printed, "\u{feff}Name,Email,Budget\r\nAda,ada@example.com,5\r\n");

    let (is_done, printed, said) = export(&app, &["contacts", "-o", &file.display().to_string()]).await;
    assert!(is_done && printed.is_empty(), "{said}");
    assert!(std::fs::read(&file).expect("a file").starts_with(b"PK"));
    assert!(!app.data_dir().join("contacts.xlsx.unfinished").exists());

    for (arguments, words) in [
        (vec!["leads", "--columns", "secret"], "there is no column secret"),
        (vec!["leads", "--filter", "x"], "is not valid JSON"),
        (vec!["leads", "--workspace", "none"], "no workspace"),
        (vec!["leads", "--segment", "x"], "--segment"),
    ] {
        let (is_done, printed, said) = export(&app, &arguments).await;
        assert!(!is_done && printed.is_empty() && said.contains(words), "{arguments:?}: {said}");
    }
    app.stop().await;
}
