//! The tables. Each migration is one text with column types filled in per database, append-only: expand, move,
//! contract.

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};
use sea_orm_migration::{MigrationName, MigrationTrait, MigratorTrait, SchemaManager};

use crate::{copying, dialect::Dialect, sql::Error};

/// Any number will do, as long as nobody else locks on it.
const POSTGRES_LOCK: i64 = 0x6c65_6164_6c69_6e65;

/// Every migration, in their order.
const TEXTS: &[Text] = &[
    Text { name: "0001_first", both: include_str!("migrations/0001_first.sql") },
    Text { name: "0002_fraud", both: include_str!("migrations/0002_fraud.sql") },
    Text { name: "0003_tracking", both: include_str!("migrations/0003_tracking.sql") },
    Text { name: "0004_context", both: include_str!("migrations/0004_context.sql") },
    Text { name: "0005_inbound", both: include_str!("migrations/0005_inbound.sql") },
    Text { name: "0006_ledger", both: include_str!("migrations/0006_ledger.sql") },
    Text { name: "0007_conversations", both: include_str!("migrations/0007_conversations.sql") },
    Text { name: "0008_analysis", both: include_str!("migrations/0008_analysis.sql") },
    Text { name: "0009_scoring", both: include_str!("migrations/0009_scoring.sql") },
    Text { name: "0010_related", both: include_str!("migrations/0010_related.sql") },
    Text { name: "0011_rules", both: include_str!("migrations/0011_rules.sql") },
    Text { name: "0012_keys", both: include_str!("migrations/0012_keys.sql") },
    Text { name: "0013_desk", both: include_str!("migrations/0013_desk.sql") },
    Text { name: "0014_conversions", both: include_str!("migrations/0014_conversions.sql") },
    Text { name: "0015_pipelines", both: include_str!("migrations/0015_pipelines.sql") },
    Text { name: "0016_filters", both: include_str!("migrations/0016_filters.sql") },
    Text { name: "0017_mails", both: include_str!("migrations/0017_mails.sql") },
    Text { name: "0018_jobs", both: include_str!("migrations/0018_jobs.sql") },
    Text { name: "0019_imports", both: include_str!("migrations/0019_imports.sql") },
    Text { name: "0020_admin", both: include_str!("migrations/0020_admin.sql") },
    Text { name: "0021_contacts", both: include_str!("migrations/0021_contacts.sql") },
    Text { name: "0022_merging", both: include_str!("migrations/0022_merging.sql") },
    Text { name: "0023_privacy", both: include_str!("migrations/0023_privacy.sql") },
    Text { name: "0024_reports", both: include_str!("migrations/0024_reports.sql") },
    Text { name: "0025_work", both: include_str!("migrations/0025_work.sql") },
    Text { name: "0026_messaging", both: include_str!("migrations/0026_messaging.sql") },
    Text { name: "0027_automations", both: include_str!("migrations/0027_automations.sql") },
    Text { name: "0028_sign_in", both: include_str!("migrations/0028_sign_in.sql") },
    Text { name: "0031_steps", both: include_str!("migrations/0031_steps.sql") },
    Text { name: "0032_campaigns", both: include_str!("migrations/0032_campaigns.sql") },
    Text { name: "0033_mailbox", both: include_str!("migrations/0033_mailbox.sql") },
];

struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        TEXTS.iter().map(|text| Box::new(*text) as Box<dyn MigrationTrait>).collect()
    }
}

#[derive(Clone, Copy)]
struct Text {
    name: &'static str,
    both: &'static str,
}

/// The texts as they stand in their files.
#[cfg(feature = "testing")]
pub(crate) fn texts() -> impl Iterator<Item = &'static str> {
    TEXTS.iter().map(|text| text.both)
}

impl MigrationName for Text {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait]
impl MigrationTrait for Text {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let dialect = match manager.get_database_backend() {
            sea_orm::DbBackend::Postgres => Dialect::Postgres,
            _ => Dialect::Sqlite,
        };
        for statement in statements(self.both, dialect) {
            manager.get_connection().execute_unprepared(&statement).await?;
        }
        Ok(())
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}

/// The statements of a migration for one database. A line `-- sqlite` or `-- postgres` before a statement keeps it for
/// that one.
fn statements(text: &str, dialect: Dialect) -> Vec<String> {
    filled(text, dialect, |statement| dialect.schema(statement))
}

fn filled(text: &str, dialect: Dialect, fill: impl Fn(&str) -> String) -> Vec<String> {
    let (ours, theirs) = match dialect {
        Dialect::Sqlite => ("-- sqlite\n", "-- postgres\n"),
        Dialect::Postgres => ("-- postgres\n", "-- sqlite\n"),
    };
    text.split(";\n")
        .map(str::trim)
        .filter(|statement| !statement.is_empty() && !statement.contains(theirs))
        .map(|statement| fill(&statement.replace(ours, "")))
        .collect()
}

/// The names of all migrations, oldest first.
pub(crate) fn names() -> Vec<String> {
    TEXTS.iter().map(|text| text.name.to_owned()).collect()
}

/// The statements of the first so many migrations for a database that is only looked at: its columns have the names of
/// their kinds.
pub(crate) fn described(steps: usize) -> Vec<String> {
    TEXTS.iter().take(steps).flat_map(|text| filled(text.both, Dialect::Sqlite, Dialect::described)).collect()
}

/// Runs what has not run yet. On PostgreSQL nodes that start together wait for each other; on SQLite the file's own
/// lock does that.
pub(crate) async fn run(connection: &DatabaseConnection, dialect: Dialect) -> Result<(), Error> {
    if copying::is_unfinished(connection, dialect).await? {
        return Err(Error::Unfinished);
    }
    run_some(connection, dialect, None).await
}

/// Runs no more than so many.
pub(crate) async fn run_some(
    connection: &DatabaseConnection,
    dialect: Dialect,
    steps: Option<usize>,
) -> Result<(), Error> {
    let steps = steps.and_then(|steps| u32::try_from(steps).ok());
    match dialect {
        Dialect::Sqlite => Ok(Migrations::up(connection, steps).await?),
        Dialect::Postgres => run_locked(connection, steps).await,
    }
}

async fn run_locked(connection: &DatabaseConnection, steps: Option<u32>) -> Result<(), Error> {
    use sea_orm::TransactionTrait;
    // The lock lives as long as this transaction, so a node that dies while it migrates lets go of it.
    let lock = connection.begin().await?;
    let statement = Statement::from_sql_and_values(
        sea_orm::DbBackend::Postgres,
        "SELECT pg_advisory_xact_lock($1)",
        [POSTGRES_LOCK.into()],
    );
    lock.execute_raw(statement).await?;
    let result = Migrations::up(connection, steps).await;
    lock.commit().await?;
    Ok(result?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marked_statement_is_kept_for_its_database_alone() {
        let text = "CREATE TABLE a (id $ID);\n-- sqlite\nCREATE b;\n-- postgres\nCREATE c;\n";

        assert_eq!(statements(text, Dialect::Sqlite), ["CREATE TABLE a (id TEXT)", "CREATE b"]);
        assert_eq!(statements(text, Dialect::Postgres), ["CREATE TABLE a (id UUID)", "CREATE c"]);
    }

    /// A file that nobody lists would never run, and nothing else would say so.
    #[test]
    fn every_file_is_listed() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/migrations")).expect("the folder");
        let mut names: Vec<String> = files
            .map(|file| file.expect("a file").file_name().to_string_lossy().trim_end_matches(".sql").to_owned())
            .collect();
        names.sort();

        assert_eq!(names, TEXTS.iter().map(|text| text.name).collect::<Vec<_>>());
    }
}
