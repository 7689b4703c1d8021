//! `leadline backup` and `leadline restore`: what was acknowledged is in there, and comes back on either database.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use leadline_testkit::{Db, TestApp};
use rstest::rstest;
use serde_json::{Value, json};

use crate::installation::{Installation, KEY, command, ended, left_behind};

/// The one backup in a folder.
fn only_one(folder: &std::path::Path) -> std::path::PathBuf {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut backups: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "backup")).collect();
    assert_eq!(backups.len(), 1, "{backups:?}");
    backups.remove(0)
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_before_is_in_a_backup_that_is_made_under_load(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let app = TestApp::start(db).await;
    let acknowledged = AtomicU64::new(0);
    let is_over = tokio::sync::Notify::new();
    let to = app.data_dir().join("backups/");
    let url = app.engine.store.url().to_owned();
    for n in 0..20 {
        app.submit(json!({"name": "Person", "email": format!("person{n}@example.com")})).await;
        acknowledged.fetch_add(1, Ordering::SeqCst);
    }
    app.run_jobs().await;

    let submitting = async {
        let mut over = std::pin::pin!(is_over.notified());
        for n in 20_u64.. {
            app.advance(Duration::from_millis(7));
            let one = app.submit(json!({"name": "Person", "email": format!("person{n}@example.com")}));
            tokio::select! {
                () = &mut over => break,
                _accepted = one => drop(acknowledged.fetch_add(1, Ordering::SeqCst)),
            }
        }
    };
    let backing_up = async {
        let before = acknowledged.load(Ordering::SeqCst);
        let made = ended(command(app.data_dir(), &url, &["backup", "--to", &to.display().to_string()])).await;
        is_over.notify_one();
        (before, made)
    };
    let ((), (before, made)) = tokio::join!(submitting, backing_up);

    made.assert_done();
    let backup = only_one(&to);
    assert_eq!(made.stdout.trim(), backup.display().to_string());
    for into in [Db::Sqlite, Db::Postgres] {
        let restored = Installation::empty(into).await;
        restored.run(&["restore", "--from", &backup.display().to_string()]).await.assert_done();
        let leads = restored.count("leads").await;
        assert!(leads >= i64::try_from(before).expect("a number"), "{leads} of {before}");
        assert!(leads <= app.count("leads").await);
        // Those that came first, without a gap, and each with all that belongs to it.
        let last = format!("leads WHERE email = 'person{}@example.com'", leads - 1);
        assert_eq!(restored.count(&last).await, 1);
        assert_eq!(restored.count("lead_submissions").await, leads);
        assert_eq!(restored.count("events WHERE kind = 'lead.created'").await, leads);
        if into == Db::Sqlite {
            assert!(
                restored.count("lead_search WHERE lead_search MATCH '\"person1@\"'").await > 0,
                "found by a search"
            );
        }
        restored.take_away().await;
    }
    app.stop().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn odd_values_come_back_on_either_database(
    #[values(Db::Sqlite, Db::Postgres)] from: Db,
    #[values(Db::Sqlite, Db::Postgres)] into: Db,
) {
    let source = Installation::odd(from).await;
    let file = source.path("all.backup");
    let name = file.display().to_string();

    source.run(&["backup", "--to", &name]).await.assert_done();
    source.run(&["backup", "verify", &name]).await.assert_done();
    let target = Installation::empty(into).await;
    let restored = target.run(&["restore", "--from", &name]).await;

    restored.assert_done();
    assert_eq!(target.tables().await, source.tables().await);
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    if into == Db::Sqlite {
        assert_eq!(target.count("sqlite_schema WHERE name LIKE 'leadline_backup%'").await, 0);
        let mode = fs::metadata(target.path("leadline.db")).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    source.take_away().await;
    target.take_away().await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_the_spool_is_in_a_backup_and_is_stored_after_it_is_restored(
    #[values(Db::Sqlite, Db::Postgres)] db: Db,
) {
    let mut app = TestApp::start(db).await;
    app.submit(json!({"name": "Stored", "email": "stored@example.com"})).await;
    app.stop_writers().await;
    app.submit(json!({"name": "Spooled", "email": "spooled@example.com"})).await;
    let url = left_behind(&mut app).await;
    let file = app.data_dir().join("all.backup").display().to_string();

    let made = ended(command(app.data_dir(), &url, &["backup", "--json", "--to", &file])).await;

    made.assert_done();
    let manifest: Value = serde_json::from_str(&made.stdout).expect("a manifest");
    assert_eq!((&manifest["format"], &manifest["hasKey"]), (&json!(1), &json!(false)));
    assert_eq!(manifest["tables"]["leads"]["rows"], 1);
    assert!(manifest["files"].as_object().is_some_and(|files| files.keys().any(|name| name.starts_with("spool/"))));
    let restored = Installation::empty(Db::Sqlite).await.with_key();
    restored.run(&["restore", "--from", &file]).await.assert_done();
    // Once more, as after somebody was cut off.
    restored.run(&["restore", "--from", &file]).await.assert_refused(1, &["is not empty"]);
    restored.run(&["restore", "--replace", "--from", &file]).await.assert_done();
    let server = restored.serve().await;
    let token = restored.run(&["token", "create", "--role", "super_admin"]).await.stdout.trim().to_owned();
    // It answers when the spool is stored.
    let mut emails = 0;
    while emails < 2 {
        let leads = server.get("/v1/identity/leads", &token).await;
        emails = leads["data"].as_array().map_or(0, Vec::len);
        tokio::task::yield_now().await;
    }
    server.stop().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_in_a_folder_are_kept_as_many_as_are_wanted() {
    let source = Installation::odd(Db::Sqlite).await;
    let folder = source.path("backups");
    fs::create_dir(&folder).expect("a folder");
    let to = folder.display().to_string();
    let others = ["notes.txt", "leadline-of-friday.backup"];
    others.iter().for_each(|name| fs::write(folder.join(name), "mine").expect("written"));
    let cut_off = folder.join("leadline-20200101T000000.000Z.backup.unfinished");
    fs::write(&cut_off, "half of one").expect("written");

    let mut made = Vec::new();
    for _ in 0..3 {
        let one = source.run(&["backup", "--keep", "2", "--to", &to]).await;
        one.assert_done();
        made.push(one.stdout.trim().to_owned());
    }

    let there = |path: &String| std::path::Path::new(path).exists();
    assert_eq!(made.iter().map(there).collect::<Vec<_>>(), [false, true, true]);
    assert!(others.iter().all(|name| folder.join(name).exists()) && !cut_off.exists());
    source.run(&["backup", "--to", &made[2]]).await.assert_refused(2, &["is there already"]);
    source.run(&["backup", "--keep", "2", "--to", &format!("{to}/x")]).await.assert_refused(2, &["--keep", "a folder"]);
    source.run(&["backup", "--keep", "0", "--to", &to]).await.assert_refused(2, &["--keep"]);
    source.run(&["backup", "--to", "/nowhere/at/all"]).await.assert_refused(2, &["there is no folder"]);
    source.run(&["backup"]).await.assert_refused(2, &["--to"]);
    let left: Vec<_> =
        fs::read_dir(&source.folder).expect("a folder").flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("unfinished")), "{left:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_backup_changes_nothing(#[values(Db::Sqlite, Db::Postgres)] into: Db) {
    let source = Installation::odd(Db::Sqlite).await;
    let file = source.path("all.backup");
    let name = file.display().to_string();
    source.run(&["backup", "--to", &name]).await.assert_done();
    let target = Installation::empty(into).await;

    let change = |sql: &'static str| {
        let damaged = source.path("damaged.backup");
        fs::copy(&file, &damaged).expect("copied");
        let as_database = Installation::over(&source.folder, &format!("sqlite://{}", damaged.display()));
        async move {
            as_database.execute(sql).await;
            damaged.display().to_string()
        }
    };
    for (sql, words) in [
        ("DELETE FROM tasks WHERE id = (SELECT min(id) FROM tasks)", "tasks does not hold"),
        ("UPDATE leads SET name = name || 'x'", "leads does not hold"),
        ("UPDATE leadline_backup SET manifest = '{}'", "is no backup of Leadline"),
        ("UPDATE leadline_backup SET manifest = replace(manifest, '\"format\": 1', '\"format\": 2')", "newer version"),
        ("DROP TABLE leadline_backup", "is no backup of Leadline"),
    ] {
        let damaged = change(sql).await;
        source.run(&["backup", "verify", &damaged]).await.assert_refused(1, &[words]);
        target.run(&["restore", "--from", &damaged]).await.assert_refused(1, &[words]);
    }
    let cut = fs::read(&file).expect("a file");
    fs::write(source.path("cut.backup"), &cut[..cut.len() / 2]).expect("written");
    let half = source.path("cut.backup").display().to_string();
    source.run(&["backup", "verify", &half]).await.assert_refused(1, &["leadline: "]);
    target.run(&["restore", "--from", &half]).await.assert_refused(1, &["leadline: "]);
    target.run(&["restore", "--from", "/nowhere"]).await.assert_refused(1, &["there is no file /nowhere"]);

    assert!(!target.path("leadline.db").exists());
    target.run(&["restore", "--from", &name]).await.assert_done();
    target.take_away().await;
}

/// A backup may come from somebody else: what it calls a file of the spool must not become a path of theirs.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_writes_nothing_beside_the_spool() {
    let source = Installation::odd(Db::Sqlite).await;
    fs::create_dir(source.path("spool")).expect("a folder");
    fs::write(source.path("spool/0000000000000001.spool"), "some").expect("written");
    let file = source.path("all.backup");
    source.run(&["backup", "--to", &file.display().to_string()]).await.assert_done();
    let hostile = Installation::over(&source.folder, &format!("sqlite://{}", file.display()));
    for table in ["leadline_backup SET manifest = replace(manifest", "leadline_backup_files SET name = replace(name"] {
        hostile.execute(&format!("UPDATE {table}, 'spool/0000000000000001.spool', 'spool/../../out')")).await;
    }
    let target = Installation::empty(Db::Sqlite).await;

    let refused = target.run(&["restore", "--from", &file.display().to_string()]).await;

    refused.assert_refused(1, &["a file that no spool has"]);
    assert!(!target.folder.parent().expect("a folder").join("out").exists());
    assert!(!target.path("leadline.db").exists());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_is_replaced_only_if_that_is_said(#[values(Db::Sqlite, Db::Postgres)] into: Db) {
    let source = Installation::odd(Db::Sqlite).await;
    let file = source.path("all.backup").display().to_string();
    source.run(&["backup", "--to", &file]).await.assert_done();
    let target = Installation::odd(into).await;
    let mine = target.tables().await;
    fs::create_dir(target.path("spool")).expect("a folder");
    fs::write(target.path("spool/0000000000000009.spool"), "waits").expect("written");

    target.run(&["restore", "--from", &file]).await.assert_refused(1, &["is not empty"]);
    assert_eq!(target.tables().await, mine);
    target.run(&["restore", "--replace", "--from", &file]).await.assert_done();

    assert_eq!(target.tables().await, source.tables().await);
    let names = fs::read_dir(&target.folder).expect("a folder").flatten().map(|entry| entry.path());
    let aside: Vec<_> = names.filter(|path| path.to_string_lossy().contains("before-")).collect();
    let spool = aside.iter().find(|path| path.is_dir()).expect("the spool");
    assert_eq!(fs::read(spool.join("0000000000000009.spool")).expect("a file"), b"waits");
    if into == Db::Sqlite {
        let old = aside.iter().find(|path| path.is_file()).expect("the old file");
        let old = Installation::over(&target.folder, &format!("sqlite://{}", old.display()));
        assert_eq!(old.tables().await, mine);
    }
    target.take_away().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_in_a_backup_only_if_that_is_said() {
    let mut app = TestApp::start(Db::Sqlite).await;
    let url = left_behind(&mut app).await;
    let path = |name: &str| app.data_dir().join(name).display().to_string();
    let (without, with) = (path("without.backup"), path("with.backup"));
    let backed_up = ended(command(app.data_dir(), &url, &["backup", "--to", &without])).await;
    ended(command(app.data_dir(), &url, &["backup", "--include-key", "--to", &with])).await.assert_done();

    assert!(backed_up.stderr.contains("secret.key beside it"), "{}", backed_up.stderr);
    let keyless = Installation::empty(Db::Sqlite).await;
    let restored = keyless.run(&["restore", "--from", &without]).await;
    restored.assert_done();
    assert!(restored.stderr.contains("Put the secret key"), "{}", restored.stderr);
    assert!(!keyless.path("secret.key").exists());
    let whole = Installation::empty(Db::Sqlite).await;
    whole.run(&["restore", "--from", &with]).await.assert_done();
    whole.serve().await.stop().await;
    assert_eq!(fs::metadata(whole.path("secret.key")).expect("a key").permissions().mode() & 0o777, 0o600);
    assert!(
        !fs::read(whole.path("leadline.db")).expect("a file").windows(KEY.len()).any(|part| part == KEY.as_bytes())
    );

    let other = Installation::empty(Db::Sqlite).await;
    fs::write(other.path("secret.key"), "CAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAg=").expect("written");
    other.run(&["restore", "--from", &with]).await.assert_refused(2, &["not the key", "Nothing was restored"]);
    assert!(!other.path("leadline.db").exists());
    let none = Installation::odd(Db::Sqlite).await;
    none.run(&["backup", "--include-key", "--to", &path("none.backup")]).await.assert_refused(2, &["no secret key"]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_other_tables_is_left_to_the_version_that_made_them() {
    let source = Installation::odd(Db::Sqlite).await;
    let to = source.path("x.backup").display().to_string();

    source.execute("INSERT INTO seaql_migrations (version, applied_at) VALUES ('9999_later', 0)").await;
    source.run(&["backup", "--to", &to]).await.assert_refused(1, &["newer version", "9999_later"]);

    let nothing = Installation::empty(Db::Sqlite).await;
    nothing.run(&["backup", "--to", &to]).await.assert_refused(1, &["there is no file"]);
    let postgres = Installation::empty(Db::Postgres).await;
    postgres.run(&["backup", "--to", &to]).await.assert_refused(1, &["no database of Leadline"]);
    assert!(!source.path("x.backup").exists() && !nothing.path("leadline.db").exists());
    postgres.take_away().await;
}
