//! `leadline move`: all of it arrives, once, whatever happens on the way, and the old database stays as it was.

use std::{fs, process::Stdio};

use leadline_engine::delivery::destinations::{Wish, create_destination};
use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::installation::{Installation, command, ended, left_behind};

/// What nobody may read anywhere.
const PASSWORD: &str = "s3cr3t-Passw0rd";

fn with_password(url: &str) -> String {
    url.replacen("postgres@", &format!("postgres:{PASSWORD}@"), 1)
}

/// Pages that show what an installation has.
const PAGES: &[&str] = &[
    "/v1/identity/leads?limit=50",
    "/v1/identity/leads?search=person%207",
    "/v1/identity/board",
    "/v1/identity/reports/sources?from=2026-01-01&to=2026-01-31",
    "/v1/identity/reports/over-time?from=2026-01-01&to=2026-01-31",
    "/v1/identity/contacts?limit=50",
    "/v1/identity/jobs",
    "/v1/identity/custom-fields",
    "/v1/capture/ledger",
    "/v1/capture/submissions",
    "/v1/delivery/destinations",
];

/// An installation in which nothing is left to do, so that what it answers stays the same.
async fn working_app() -> TestApp {
    let app = TestApp::start(Db::Sqlite).await;
    let wish = Wish {
        name: Some("CRM".into()),
        url: Some("https://crm.example.com/hook".into()),
        events: Some(vec!["lead.created".into()]),
        is_active: Some(false),
        ..Wish::default()
    };
    create_destination(&app.engine, &app.actor(), &wish).await.expect("a destination");
    for n in 0..12 {
        let email = format!("person{n}@example.com");
        app.submit(json!({"name": format!("Person {n}"), "email": email, "Budget": n, "Note": "a\tb\n\\N"})).await;
        app.advance(std::time::Duration::from_secs(60));
    }
    app.run_jobs().await;
    app.run_work().await;
    app
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_move_everything_is_answered_as_before() {
    let mut app = working_app().await;
    let url = left_behind(&mut app).await;
    let target = Installation::empty(Db::Postgres).await;
    let old = |arguments: &[&str]| command(app.data_dir(), &url, arguments);
    let token = ended(old(&["token", "create", "--role", "super_admin"])).await.stdout.trim().to_owned();
    let password = ended(old(&["user", "create", "--email", "ann@example.com", "--role", "admin"])).await;
    let before = Installation::over(app.data_dir(), &url);
    let server = before.serve().await;
    let credentials = json!({"email": "ann@example.com", "password": password.stdout.trim()}).to_string();
    let (head, _) = server.ask("POST", "/v1/session", "Accept: */*", &credentials).await;
    let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).expect("a session");
    let cookie = format!("Cookie: {}", cookie.split(';').next().expect("a cookie"));
    let mut answers = Vec::new();
    for page in PAGES {
        answers.push(server.get(page, &token).await);
    }
    server.stop().await;
    let bytes = fs::read(app.data_dir().join("leadline.db")).expect("the file");
    let log = fs::read(app.data_dir().join("leadline.db-wal")).unwrap_or_default();

    let moved = ended(old(&["move", "--to", &with_password(&target.url)])).await;

    moved.assert_done();
    assert!(!moved.stderr.contains(PASSWORD) && !moved.stdout.contains(PASSWORD), "{}", moved.stderr);
    assert!(moved.stderr.contains("is the same on both sides"), "{}", moved.stderr);
    assert!(fs::read(app.data_dir().join("leadline.db")).expect("the file") == bytes, "the old file was written");
    assert!(fs::read(app.data_dir().join("leadline.db-wal")).unwrap_or_default() == log, "the old log was written");
    let after = Installation::over(app.data_dir(), &target.url);
    let server = after.serve().await;
    for (page, before) in PAGES.iter().zip(answers) {
        assert_eq!(server.get(page, &token).await, before, "{page}");
    }
    let (head, _) = server.ask("GET", "/v1/session", &cookie, "").await;
    assert!(head.starts_with("HTTP/1.1 200"), "whoever was signed in still is: {head}");
    // The next lead gets a number that none has.
    let lead = json!({"name": "New", "email": "new@example.com"}).to_string();
    let (head, _) = server.ask("POST", "/v1/identity/leads", &format!("Authorization: Bearer {token}"), &lead).await;
    assert!(head.starts_with("HTTP/1.1 20"), "{head}");
    server.stop().await;
    assert_eq!(after.count("leads").await, 13);
    assert_eq!(after.count("(SELECT DISTINCT number FROM leads) AS n").await, 13);
    app.stop().await;
    target.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_values_come_through_in_every_table_there_and_back() {
    let source = Installation::odd(Db::Sqlite).await;
    source.execute("DELETE FROM installation").await;
    let before = source.tables().await;
    let postgres = Installation::empty(Db::Postgres).await;
    let back = source.path("back.db");

    source.run(&["move", "--to", &postgres.url]).await.assert_done();
    let there = postgres.tables().await;
    let way_back = postgres.run(&["move", "--to", &format!("sqlite://{}", back.display())]).await;

    way_back.assert_done();
    assert_eq!(there, before);
    let returned = Installation::over(&source.folder, &format!("sqlite://{}", back.display()));
    assert_eq!(returned.tables().await, before);
    assert!(!source.path("back.db.unfinished").exists());
    let triggers = "sqlite_schema WHERE type = 'trigger'";
    assert_eq!(returned.count(triggers).await, source.count(triggers).await);
    let indexes = "sqlite_schema WHERE type = 'index'";
    assert_eq!(returned.count(indexes).await, source.count(indexes).await);
    postgres.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn indexes_and_triggers_are_there_after_a_move() {
    let source = Installation::odd(Db::Sqlite).await;
    source.execute("DELETE FROM installation").await;
    let (moved, fresh) = (Installation::empty(Db::Postgres).await, Installation::empty(Db::Postgres).await);
    fresh.run(&["migrate"]).await.assert_done();

    source.run(&["move", "--to", &moved.url]).await.assert_done();

    let enabled = "pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'";
    let indexes = "pg_indexes WHERE schemaname = 'public'";
    for what in [enabled, indexes, "pg_tables WHERE schemaname = 'public'"] {
        assert_eq!(moved.count(what).await, fresh.count(what).await, "{what}");
    }
    moved.take_away().await;
    fresh.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_goes_on_where_it_stood() {
    let source = Installation::odd(Db::Sqlite).await;
    source.execute("DELETE FROM installation").await;
    let before = source.tables().await;
    let target = Installation::empty(Db::Postgres).await;

    for words in ["alerts: 4 rows", "deliveries: 4 rows", "leads: 4 rows", "workspaces: 4 rows", "Comparing", "Making"]
    {
        let mut command = source.command(&["move", "--to", &target.url]);
        let mut process = command.stdout(Stdio::null()).spawn().expect("a move");
        let mut lines = BufReader::new(process.stderr.take().expect("what it says")).lines();
        let mut said = Vec::new();
        while let Some(line) = lines.next_line().await.expect("readable") {
            said.push(line);
            if said.last().is_some_and(|line| line.starts_with(words)) {
                break;
            }
        }
        assert!(said.last().is_some_and(|line| line.starts_with(words)), "{words}: {said:?}");
        process.kill().await.expect("killed");

        let early = Installation::over(&source.folder, &target.url);
        early.run(&["serve"]).await.assert_refused(1, &["is not finished", "run the same `leadline move`"]);
        early.run(&["migrate"]).await.assert_refused(1, &["is not finished"]);
    }
    let finished = source.run(&["move", "--to", &target.url]).await;

    finished.assert_done();
    assert!(finished.stderr.contains("goes on where it stood"), "{}", finished.stderr);
    assert_eq!(target.tables().await, before);
    target.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_something_else_is_not_gone_on_with() {
    let source = Installation::odd(Db::Sqlite).await;
    source.execute("DELETE FROM installation").await;
    let target = Installation::empty(Db::Postgres).await;
    let mut process = source.command(&["move", "--to", &target.url]).spawn().expect("a move");
    let mut first = [0; 1];
    process.stderr.take().expect("what it says").read_exact(&mut first).await.expect("a sign");
    process.kill().await.expect("killed");
    source.execute("DELETE FROM alerts").await;

    let refused = source.run(&["move", "--to", &target.url]).await;
    let anew = source.run(&["move", "--restart", "--to", &target.url]).await;

    refused.assert_refused(1, &["has changed since", "--restart"]);
    anew.assert_done();
    assert_eq!(target.tables().await, source.tables().await);
    target.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_postgresql_cannot_hold_is_replaced_and_said() {
    let source = Installation::empty(Db::Sqlite).await;
    source.store().await.close().await;
    let sql = r#"INSERT INTO workspaces (id, slug, name, settings, created_at)
                 VALUES ('00000000-0000-7000-8000-000000000001', 'a', 'b' || char(0) || 'c', '{"x":"\u0000"}', 0)"#;
    source.execute(sql).await;
    let target = Installation::empty(Db::Postgres).await;

    let moved = source.run(&["move", "--to", &target.url]).await;

    moved.assert_done();
    assert!(moved.stderr.contains("2 texts had the character U+0000"), "{}", moved.stderr);
    assert_eq!(target.count("workspaces WHERE name = U&'b\\FFFDc' AND settings ->> 'x' = U&'\\FFFD'").await, 1);
    target.take_away().await;
}

/// A year of leads as measurements load it: so much is there that `verify` has all its questions answered.
#[rstest]
#[case(Db::Sqlite, Db::Postgres)]
#[case(Db::Postgres, Db::Sqlite)]
#[tokio::test(flavor = "multi_thread")]
async fn the_books_of_a_year_add_up_before_a_move_and_after_it(#[case] from: Db, #[case] to: Db) {
    let (source, target) = (Installation::empty(from).await, Installation::empty(to).await);
    source.serve().await.stop().await;
    source.run(&["dev", "load-leads", "--count", "300", "--with-history"]).await.assert_done();
    source.run(&["verify"]).await.assert_done();

    source.run(&["move", "--to", &target.url]).await.assert_done();
    let moved = Installation::over(&source.path(""), &target.url);
    moved.run(&["verify"]).await.assert_done();

    assert_eq!((moved.count("leads").await, moved.count("lead_submissions").await), (300, 600));
    source.take_away().await;
    target.take_away().await;
}

/// The first thing that a migration makes is its own table, and a machine may go away right after.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_cut_off_before_its_first_table_goes_on() {
    let source = Installation::empty(Db::Sqlite).await;
    source.store().await.close().await;
    let target = Installation::empty(Db::Postgres).await;
    target
        .execute("CREATE TABLE seaql_migrations (version TEXT NOT NULL PRIMARY KEY, applied_at BIGINT NOT NULL)")
        .await;

    let moved = source.run(&["move", "--to", &target.url]).await;

    moved.assert_done();
    target.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_is_refused_where_something_would_be_lost() {
    let mut app = working_app().await;
    let url = left_behind(&mut app).await;
    let source = Installation::over(app.data_dir(), &url);
    let (target, full) = (Installation::empty(Db::Postgres).await, Installation::odd(Db::Postgres).await);

    let server = source.serve().await;
    source.run(&["move", "--to", &target.url]).await.assert_refused(1, &["another process serves", "stop it"]);
    server.stop().await;

    source.run(&["move", "--to", &full.url]).await.assert_refused(1, &["is not empty", "4 rows"]);

    let strange = Installation::empty(Db::Postgres).await;
    strange.execute("CREATE TABLE accounts (id BIGINT)").await;
    source.run(&["move", "--to", &strange.url]).await.assert_refused(1, &["tables of something else", "accounts"]);

    let newer = Installation::empty(Db::Postgres).await;
    newer.run(&["migrate"]).await.assert_done();
    newer.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('9999_later', 0)").await;
    source.run(&["move", "--to", &newer.url]).await.assert_refused(1, &["newer version", "9999_later"]);

    // Another node is at work on it.
    let node = target.store().await;
    source.run(&["move", "--to", &target.url]).await.assert_refused(1, &["other Leadline processes"]);
    node.close().await;

    source.execute("DELETE FROM seaql_migrations WHERE version LIKE '0027%'").await;
    source.run(&["move", "--to", &target.url]).await.assert_refused(1, &["older version", "leadline migrate"]);
    source.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('0027_automations', 0)").await;

    fs::write(source.path("secret.key"), "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=").expect("written");
    source.run(&["move", "--to", &target.url]).await.assert_refused(2, &["not the key that the database"]);
    fs::remove_file(source.path("secret.key")).expect("removed");
    source.run(&["move", "--to", &target.url]).await.assert_refused(2, &["secret.key", "is missing"]);
    assert_eq!(target.count("pg_tables WHERE schemaname = 'public' AND tablename = 'leadline_copying'").await, 0);

    app.stop().await;
    for installation in [target, full, strange, newer] {
        installation.take_away().await;
    }
}

#[rstest]
#[case::nothing(&["move"], 2, "--to")]
#[case::an_address_alone(&["move", "postgres://u:s3cr3t-Passw0rd@127.0.0.1:1/x"], 2, "unexpected argument")]
#[case::a_word(&["move", "--to", "u:s3cr3t-Passw0rd@there"], 2, "begins with postgres://")]
#[case::the_same_kind(&["move", "--to", "sqlite:///tmp/x.db"], 2, "of the same kind")]
#[case::nobody_there(&["move", "--to", "postgres://u:s3cr3t-Passw0rd@127.0.0.1:1/x"], 1, "postgres://u@127.0.0.1:1/x")]
#[case::no_port(&["move", "--to", "postgres://u:s3cr3t-Passw0rd@127.0.0.1:99999/x"], 1, "the given address")]
#[case::of_another_command(&["verify", "--database-url", "postgres://u:s3cr3t-Passw0rd@127.0.0.1:99999/x"], 1, "parsed")]
#[case::an_option(&["move", "--to", "postgres://127.0.0.1:1/x?password=s3cr3t-Passw0rd"], 1, "127.0.0.1:1/x cannot")]
#[case::a_wrong_option(&["move", "--tp=postgres://u:s3cr3t-Passw0rd@h/x"], 2, "unexpected argument")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_said_without_the_password(
    #[case] arguments: &[&str],
    #[case] code: i32,
    #[case] words: &str,
) {
    let installation = Installation::empty(Db::Sqlite).await.with_key();
    installation.run(&["migrate"]).await.assert_done();

    let ended = installation.run(arguments).await;

    ended.assert_refused(code, &[words]);
    assert!(!ended.stderr.contains(PASSWORD) && !ended.stdout.contains(PASSWORD), "{}", ended.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_to_move_where_nothing_is() {
    let installation = Installation::empty(Db::Sqlite).await;
    let target = Installation::empty(Db::Postgres).await;

    installation.run(&["move", "--to", &target.url]).await.assert_refused(1, &["there is no file"]);

    assert!(!installation.path("leadline.db").exists());
    fs::write(installation.path("leadline.db"), "no database").expect("written");
    installation.run(&["move", "--to", &target.url]).await.assert_refused(1, &["not a database"]);
    target.take_away().await;
}
