//! A database that has every table already, which each test gets a copy of: copying takes a small part of the time that
//! making the tables anew would.

use std::path::{Path, PathBuf};

use leadline_store::{Durability, Store, sqlite_url, testing};

/// Puts a SQLite file with every table into `folder`, where [`sqlite_url`] looks for it.
pub(crate) async fn copy_sqlite(folder: &Path) {
    // Beside the test's program, so that it goes when that goes.
    let program = std::env::current_exe().expect("a program with a path");
    let template = program.with_file_name(format!("leadline-tests-{}.db", testing::schema_fingerprint()));
    if !template.exists() {
        make_sqlite(&template).await;
    }
    std::fs::copy(template, sqlite_path(folder)).expect("a copy of the template");
}

/// Tests that start together each make one, and the last to be done leaves its own: they are the same.
async fn make_sqlite(template: &Path) {
    let folder = tempfile::tempdir_in(template.parent().expect("a folder of programs")).expect("a folder");
    let store = Store::open(&sqlite_url(folder.path()), Durability::Normal).await.expect("a database that opens");
    store.close().await;
    std::fs::rename(sqlite_path(folder.path()), template).expect("a template in its place");
}

fn sqlite_path(folder: &Path) -> PathBuf {
    let url = sqlite_url(folder);
    PathBuf::from(url.strip_prefix("sqlite://").expect("an address of SQLite"))
}

/// Makes the database `name` with every table on the server at `server_url`, and gives its address.
pub(crate) async fn copy_postgres(server_url: &str, name: &str) -> String {
    let template = format!("leadline_tests_{}", testing::schema_fingerprint());
    testing::create_template(server_url, &template).await.expect("a template on the tests' PostgreSQL");
    testing::create_database(server_url, name, Some(&template)).await.expect("a database on the tests' PostgreSQL")
}
