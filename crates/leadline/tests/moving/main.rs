//! Backups, restoring them, and moving from one database to the other: with the real program, on both databases.

mod backups;
mod installation;
mod moves;

use std::collections::BTreeSet;

use leadline_store::testing;
use leadline_testkit::{Db, TestApp};
use rstest::rstest;

/// What migrations and the search index keep for themselves.
fn is_kept_apart(table: &str) -> bool {
    table == "seaql_migrations" || table.starts_with("lead_search") || table.starts_with("sqlite_")
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn every_column_of_every_table_is_copied(#[values(Db::Sqlite, Db::Postgres)] db: Db) {
    let app = TestApp::start(db).await;

    let there: BTreeSet<(String, String)> =
        testing::columns(&app.engine.store).await.expect("columns").into_iter().collect();
    let copied = testing::copied_columns().await.expect("the columns that are copied");

    let copied: BTreeSet<(String, String)> = copied.into_iter().map(|(table, column, _)| (table, column)).collect();
    let there: BTreeSet<(String, String)> = there.into_iter().filter(|(table, _)| !is_kept_apart(table)).collect();
    assert_eq!(copied, there);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kind_of_every_column_is_what_postgresql_has() {
    let app = TestApp::start(Db::Postgres).await;

    let types = testing::column_types(&app.engine.store).await.expect("types");

    for (table, column, of_type) in testing::copied_columns().await.expect("the columns that are copied") {
        let there = types.iter().find(|(of, name, _)| *of == table && *name == column).map(|(_, _, of_type)| of_type);
        assert_eq!(there.map(String::as_str), Some(of_type), "{table}.{column}");
    }
    app.stop().await;
}
