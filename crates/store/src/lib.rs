//! The only SQL: rows, migrations, the event log and the queues, on SQLite and on PostgreSQL.
//!
//! Each statement is written once. What must differ between the databases stands in [`dialect`]; how text and
//! parameters reach them in [`sql`]. Writes take a [`Tx`], reads a [`Reader`], and every function that touches a
//! workspace's rows takes the workspace in its signature. No rule is decided here: functions store and find what the
//! engine decided.

pub mod alerts;
pub mod analyses;
pub mod arrivals;
pub mod assignment_rules;
pub mod attachments;
pub mod audiences;
pub mod audit;
pub mod automations;
pub mod backup;
pub mod blocked_ips;
pub mod breakers;
pub mod campaigns;
pub mod canned_replies;
pub mod capture;
pub mod captures;
pub mod channels;
pub mod consents;
pub mod contacts;
pub mod conversations;
pub mod copying;
pub mod credentials;
pub mod crm_links;
pub mod custom_fields;
pub mod deliveries;
pub mod destination_health;
pub mod destination_hours;
pub mod destinations;
mod dialect;
pub mod events;
pub mod fetches;
pub mod imports;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod lead_views;
pub mod leads;
pub mod ledger;
pub mod links;
pub mod mailboxes;
pub mod mails;
pub mod message_figures;
pub mod message_templates;
pub mod messages;
mod migrations;
pub mod notify;
pub mod personal_alerts;
pub mod pipelines;
pub mod privacy;
pub mod projects;
pub mod quarantine;
pub mod recent_visits;
pub mod reports;
pub mod requests;
pub mod responses;
pub mod retention;
pub mod roles;
pub mod schedules;
pub mod scoring;
pub mod sealed;
pub mod search;
pub mod second_factors;
pub mod segments;
pub mod sign_in;
pub mod sources;
mod sql;
pub mod statistics;
pub mod submissions;
pub mod suppressions;
pub mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
pub mod users;
pub mod verify;
pub mod visits;
pub mod walk;
pub mod work_settings;
pub mod workers;
pub mod workspaces;

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, Database, DatabaseConnection, SqliteTransactionMode, TransactionOptions, TransactionTrait,
    sqlx::{
        Connection,
        sqlite::{SqliteJournalMode, SqliteSynchronous},
    },
};

use tokio::{sync::watch, time::timeout};

pub use dialect::Dialect;
pub use sql::{Error, Page, Reader, Tx};

/// How long a statement waits for a connection, and on SQLite for another writer, before it fails.
const WAIT: Duration = Duration::from_secs(5);

/// SQLite readers. WAL readers do not block each other or the writer; a few keep both cores busy.
const SQLITE_READERS: u32 = 4;

/// Connections to PostgreSQL that write, and that read. A handful serves thousands of short statements a second; a
/// server's default of 100 leaves room for several nodes.
const POSTGRES_WRITERS: u32 = 10;
const POSTGRES_READERS: u32 = 8;

/// How durable a commit on SQLite is. Only measurements choose anything but [`Durability::Full`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// A commit is on the disk before it returns (`synchronous=FULL`).
    #[default]
    Full,
    /// A power cut may take the last commits (`synchronous=NORMAL`): the control that shows what FULL is for.
    Normal,
}

/// A database: one writer (SQLite) or several (PostgreSQL), and readers that cannot write.
#[derive(Clone)]
pub struct Store {
    pools: watch::Sender<Pools>,
    dialect: Dialect,
    url: String,
}

#[derive(Clone)]
struct Pools {
    writer: DatabaseConnection,
    reader: DatabaseConnection,
}

impl Store {
    /// Connects to `sqlite://PATH` or `postgres://…`, makes the file where there is none, and brings the tables up to
    /// date.
    ///
    /// # Errors
    /// Where the URL is of another kind, the database cannot be reached, or a migration fails.
    pub async fn open(url: &str, durability: Durability) -> Result<Self, Error> {
        let store = Self::connect(url, durability).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connects without touching the tables.
    ///
    /// # Errors
    /// Where the URL is of another kind or the database cannot be reached.
    pub async fn connect(url: &str, durability: Durability) -> Result<Self, Error> {
        match Dialect::of_url(url)? {
            Dialect::Sqlite => Self::connect_sqlite(url, durability).await,
            Dialect::Postgres => Self::connect_postgres(url).await,
        }
    }

    async fn connect_sqlite(url: &str, durability: Durability) -> Result<Self, Error> {
        let url = with_create(url);
        let synchronous = match durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        };
        let options = |connections: u32, read_only: bool| {
            let mut options = ConnectOptions::new(url.clone());
            options
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(WAIT)
                .idle_timeout(None::<Duration>)
                .max_lifetime(None::<Duration>)
                .test_before_acquire(false)
                .sqlx_logging(false)
                // SQLite ends a transaction by itself when the disk is full or fails. The driver does not hear of it
                // and counts on: the next transaction would be one inside another that nobody ever commits. Nobody
                // holds an idle connection, so one that counts a transaction has lost count and is replaced.
                .map_sqlx_sqlite_before_acquire(|connection, _| {
                    let has_lost_count = connection.is_in_transaction();
                    Box::pin(async move { Ok(!has_lost_count) })
                })
                .map_sqlx_sqlite_opts(move |sqlite| {
                    sqlite
                        .journal_mode(SqliteJournalMode::Wal)
                        .synchronous(synchronous)
                        .busy_timeout(WAIT)
                        .pragma("cache_size", "-65536")
                        .pragma("temp_store", "memory")
                        .pragma("wal_autocheckpoint", "4000")
                        .pragma("query_only", if read_only { "on" } else { "off" })
                });
            options
        };
        let writer = Database::connect(options(1, false)).await?;
        let reader = Database::connect(options(SQLITE_READERS, true)).await?;
        Ok(Self { pools: watch::Sender::new(Pools { writer, reader }), dialect: Dialect::Sqlite, url: url.clone() })
    }

    async fn connect_postgres(url: &str) -> Result<Self, Error> {
        let pools = watch::Sender::new(postgres_pools(url).await?);
        Ok(Self { pools, dialect: Dialect::Postgres, url: url.to_owned() })
    }

    /// Takes new connections in place of all there are, if new ones answer. On SQLite nothing needs it.
    ///
    /// A network that swallowed bytes leaves connections that look alive and never answer; the pool waits for them,
    /// and in the end has none to give. Whoever holds a connection keeps it to the end of what it does.
    ///
    /// # Errors
    /// Where new connections do not answer either.
    pub async fn reconnect(&self) -> Result<(), Error> {
        if self.dialect == Dialect::Sqlite {
            return Ok(());
        }
        let pools = postgres_pools(&self.url).await?;
        self.pools.send_replace(pools);
        Ok(())
    }

    /// Hears when connections are replaced, for whoever holds one of its own.
    pub fn reconnections(&self) -> Reconnections {
        Reconnections(self.pools.subscribe())
    }

    /// Brings the tables up to date. Safe to run on several nodes at once.
    ///
    /// # Errors
    /// Where a migration fails; on both databases nothing of it is left then.
    pub async fn migrate(&self) -> Result<(), Error> {
        migrations::run(&self.writer(), self.dialect).await
    }

    /// Which of the two databases this is.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The address that the store was opened with. It may hold a password: never log it.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Begins a write. On SQLite it waits for the one writer and takes the lock at once, so that no later statement
    /// of it can fail for the lock.
    ///
    /// # Errors
    /// Where no connection or lock is to be had in time.
    pub async fn begin(&self) -> Result<Tx, Error> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let transaction = sql::in_time(self.dialect, self.writer().begin_with_options(options)).await?;
        Ok(Tx::new(transaction, self.dialect))
    }

    /// A reader: it sees what is committed and cannot write.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(self.pools.borrow().reader.clone(), self.dialect)
    }

    /// Answers when a statement reaches the database and comes back.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.reader().query("SELECT 1 AS one", &[]).await.map(drop)
    }

    /// Answers when a write can begin.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn ping_writer(&self) -> Result<(), Error> {
        self.begin().await?.rollback().await
    }

    /// Closes every connection; on SQLite the write-ahead log is folded into the file.
    pub async fn close(self) {
        let Pools { writer, reader } = self.pools.borrow().clone();
        let _closed = reader.close().await;
        let _closed = writer.close().await;
    }

    fn writer(&self) -> DatabaseConnection {
        self.pools.borrow().writer.clone()
    }
}

/// For every connection to PostgreSQL.
const POSTGRES_SETTINGS: [(&str, &str); 8] = [
    // A generic plan made while the tables are empty stays when they are not.
    ("plan_cache_mode", "force_custom_plan"),
    // Nothing here runs so long that compiling it first would pay.
    ("jit", "off"),
    ("synchronous_commit", "on"),
    ("timezone", "UTC"),
    // What a lost network left open must not hold its locks against those who come after it.
    ("idle_in_transaction_session_timeout", "15s"),
    ("tcp_keepalives_idle", "30"),
    ("tcp_keepalives_interval", "10"),
    ("tcp_keepalives_count", "3"),
];

/// For those that write: whatever they touch they find by a key. Of tables that have grown since they were last analysed
/// the planner thinks that they are small, and would read them, or an index, from end to end, for each batch of the
/// first minutes.
const POSTGRES_BY_KEY: [(&str, &str); 4] =
    [("enable_seqscan", "off"), ("enable_bitmapscan", "off"), ("enable_hashjoin", "off"), ("enable_mergejoin", "off")];

/// Connections that answered a first statement.
async fn postgres_pools(url: &str) -> Result<Pools, Error> {
    // By which a process tells its own connections from those of others.
    let name = format!("leadline {}", uuid::Uuid::now_v7().simple());
    let pool = |connections: u32, settings: &'static [(&str, &str)]| {
        let mut options = ConnectOptions::new(url.to_owned());
        options
            .max_connections(connections)
            .min_connections(1)
            .connect_timeout(WAIT)
            .acquire_timeout(WAIT)
            .sqlx_logging(false)
            .map_sqlx_postgres_opts({
                let name = name.clone();
                move |postgres| {
                    let settings = POSTGRES_SETTINGS.iter().chain(settings).copied();
                    postgres.application_name(&name).options(settings)
                }
            });
        timeout(WAIT, Database::connect(options))
    };
    let writer = pool(POSTGRES_WRITERS, &POSTGRES_BY_KEY).await.map_err(|_elapsed| Error::TimedOut)??;
    let reader = pool(POSTGRES_READERS, &[("default_transaction_read_only", "on")]);
    let reader = reader.await.map_err(|_elapsed| Error::TimedOut)??;
    Ok(Pools { writer, reader })
}

/// Tells of connections that were replaced.
pub struct Reconnections(watch::Receiver<Pools>);

impl Reconnections {
    /// Waits for the next time.
    pub async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            // The store is gone, and nothing will ever be replaced again.
            std::future::pending::<()>().await;
        }
    }
}

/// The address of the SQLite file inside a data folder.
#[must_use]
pub fn sqlite_url(data_dir: &Path) -> String {
    format!("sqlite://{}", data_dir.join("leadline.db").display())
}

fn with_create(url: &str) -> String {
    if url.contains("mode=") {
        return url.to_owned();
    }
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}mode=rwc")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::params;

    const INSERT: &str = "INSERT INTO workspaces (id, slug, name, settings, created_at) VALUES ($1, $1, $2, '{}', 0)";

    /// SQLite takes a transaction back by itself when the disk is full, and the driver goes on counting it as open:
    /// what is written over that connection later would be part of something that never ends.
    #[tokio::test]
    async fn a_write_after_a_full_disk_is_kept() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = Store::open(&sqlite_url(folder.path()), Durability::Full).await.expect("a new file");
        let mut tx = store.begin().await.expect("a write");
        tx.execute("PRAGMA max_page_count = 1", &[]).await.expect("the file may not grow");
        let refused = tx.execute(INSERT, &params!["large", "x".repeat(1_000_000)]).await;
        assert!(refused.expect_err("no room").to_string().contains("failed"));
        drop(tx);
        store.ping_writer().await.expect("the writer answers");

        let mut tx = store.begin().await.expect("a write");
        tx.execute(INSERT, &params!["small", "kept"]).await.expect("room for a small row");
        tx.commit().await.expect("a commit");

        let kept = store.reader().query("SELECT slug FROM workspaces", &[]).await.expect("a reader");
        assert_eq!(kept.len(), 1);
    }
}
