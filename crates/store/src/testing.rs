//! What tests need beside the product: databases of their own, and a look into tables. Built with the feature
//! `testing` alone.

pub mod plans;

use std::hash::{DefaultHasher, Hash, Hasher};

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};

use crate::{
    Dialect, Durability, Store, Tx,
    copying::{CopyError, Shape},
    dialect::Kind,
    migrations,
    sql::{Error, params},
};

/// Makes a database on the server at `server_url`, as a copy of `template` or empty, and gives its address.
///
/// # Errors
/// Where the server cannot be reached, or somebody is connected to the template.
pub async fn create_database(server_url: &str, name: &str, template: Option<&str>) -> Result<String, Error> {
    let template = template.map(|template| format!(" TEMPLATE \"{template}\"")).unwrap_or_default();
    let server = Database::connect(server_url).await?;
    server.execute_unprepared(&format!("CREATE DATABASE \"{name}\"{template}")).await?;
    server.close().await?;
    database_url(server_url, name)
}

/// Makes the database `name` with every table, where the server at `server_url` has none of that name. Whoever asks
/// for it meanwhile waits.
///
/// # Errors
/// Where the server cannot be reached.
pub async fn create_template(server_url: &str, name: &str) -> Result<(), Error> {
    let server = Database::connect(server_url).await?;
    let lock = server.begin().await?;
    lock.execute_unprepared("SELECT pg_advisory_xact_lock(hashtext('leadline tests'))").await?;
    let found = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
    let found = lock.query_one_raw(Statement::from_string(DbBackend::Postgres, found)).await?;
    if found.is_none() {
        // Under its name it is whole, whoever dies meanwhile.
        let unfinished = format!("{name}_{}", uuid::Uuid::now_v7().simple());
        let url = create_database(server_url, &unfinished, None).await?;
        Store::open(&url, Durability::Full).await?.close().await;
        lock.execute_unprepared(&format!("ALTER DATABASE \"{unfinished}\" RENAME TO \"{name}\"")).await?;
    }
    lock.commit().await?;
    Ok(server.close().await?)
}

/// What tells the tables of this version from those of any other, for a name.
#[must_use]
pub fn schema_fingerprint() -> String {
    let mut hasher = DefaultHasher::new();
    migrations::texts().for_each(|text| text.hash(&mut hasher));
    format!("{:016x}", hasher.finish())
}

fn database_url(server_url: &str, name: &str) -> Result<String, Error> {
    let (address, _database) = server_url.rsplit_once('/').ok_or(Error::Address)?;
    Ok(format!("{address}/{name}"))
}

/// Drops a database, whoever still uses it.
///
/// # Errors
/// Where the server cannot be reached.
pub async fn drop_database(server_url: &str, name: &str) -> Result<(), Error> {
    let server = Database::connect(server_url).await?;
    server.execute_unprepared(&format!("DROP DATABASE IF EXISTS \"{name}\" WITH (FORCE)")).await?;
    Ok(server.close().await?)
}

/// How many rows `from` has: the part of a query after `FROM`.
///
/// # Errors
/// Where the text is not SQL.
pub async fn count(store: &Store, from: &str) -> Result<i64, Error> {
    store.reader().count(&format!("SELECT count(*) AS n FROM {from}"), &[]).await
}

/// Every column of every table, as (table, column).
///
/// # Errors
/// Where the database fails.
pub async fn columns(store: &Store) -> Result<Vec<(String, String)>, Error> {
    let sql = match store.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name AS table_name, c.name AS column_name FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
             WHERE m.type = 'table' ORDER BY 1, 2"
        }
        Dialect::Postgres => {
            "SELECT CAST(c.table_name AS TEXT) AS table_name, CAST(c.column_name AS TEXT) AS column_name
             FROM information_schema.columns AS c JOIN information_schema.tables AS t USING (table_schema, table_name)
             WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, 2"
        }
    };
    let rows = store.reader().query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.get("table_name")?, row.get("column_name")?))).collect()
}

/// Everything that stands in a column, as text; bytes as hexadecimal.
///
/// # Errors
/// Where the database fails.
pub async fn texts(store: &Store, table: &str, column: &str) -> Result<Vec<String>, Error> {
    let text = match store.dialect() {
        Dialect::Sqlite => {
            format!("CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS TEXT) END")
        }
        Dialect::Postgres => format!("CAST({column} AS TEXT)"),
    };
    let sql = format!("SELECT {text} AS text FROM {table} WHERE {column} IS NOT NULL");
    store.reader().query(&sql, &[]).await?.iter().map(|row| row.get("text")).collect()
}

/// How large a table is with its indexes, in bytes.
///
/// # Errors
/// Where the database fails.
pub async fn size_bytes(store: &Store, table: &str) -> Result<i64, Error> {
    let sql = match store.dialect() {
        Dialect::Sqlite => {
            "SELECT coalesce(sum(pgsize), 0) AS n FROM dbstat
             WHERE name IN (SELECT name FROM sqlite_schema WHERE tbl_name = $1)"
        }
        Dialect::Postgres => "SELECT pg_total_relation_size($1::text::regclass) AS n",
    };
    store.reader().count(sql, &params![table]).await
}

/// Runs a statement as it is, beside everything else.
///
/// # Errors
/// Where the text is not SQL.
pub async fn execute(store: &Store, sql: &str) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    tx.execute(sql, &[]).await?;
    tx.commit().await
}

/// While this is held, no other write gets through.
pub struct Stalled(Tx);

impl Stalled {
    /// Lets writes through again.
    ///
    /// # Errors
    /// Where the database is gone.
    pub async fn heal(self) -> Result<(), Error> {
        self.0.rollback().await
    }
}

/// Locks everything against writes.
///
/// # Errors
/// Where the lock is not to be had.
pub async fn stall(store: &Store) -> Result<Stalled, Error> {
    let mut tx = store.begin().await?;
    match store.dialect() {
        // Its one writer is ours now.
        Dialect::Sqlite => {}
        Dialect::Postgres => {
            tx.execute("LOCK TABLE identities, leads, lead_submissions IN ACCESS EXCLUSIVE MODE", &[]).await?;
        }
    }
    Ok(Stalled(tx))
}

/// Every column of every table that is copied from one database to another, with the type that PostgreSQL has for it.
///
/// # Errors
/// Where the tables cannot be made.
pub async fn copied_columns() -> Result<Vec<(String, String, &'static str)>, CopyError> {
    let shape = Shape::current().await?;
    let columns = shape.tables.iter().flat_map(|table| {
        table.columns.iter().map(|column| {
            let of_type = match column.kind {
                Kind::Id => "uuid",
                Kind::Text => "text",
                Kind::Integer => "bigint",
                Kind::Boolean => "boolean",
                Kind::Json => "jsonb",
                Kind::Bytes => "bytea",
            };
            (table.name.clone(), column.name.clone(), of_type)
        })
    });
    Ok(columns.collect())
}

/// The types of all columns in PostgreSQL, as (table, column, type).
///
/// # Errors
/// Where the database fails.
pub async fn column_types(store: &Store) -> Result<Vec<(String, String, String)>, Error> {
    let sql = "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c, CAST(data_type AS TEXT) AS d
               FROM information_schema.columns WHERE table_schema = 'public'";
    let rows = store.reader().query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.get("t")?, row.get("c")?, row.get("d")?))).collect()
}

/// Puts rows that nobody would call nice into every table: signs that end lines elsewhere, JSON in odd spellings, bytes,
/// numbers below nought, and nothing where there may be nothing. They mean nothing.
///
/// # Errors
/// Where a table does not take them.
pub async fn fill_every_table(store: &Store) -> Result<(), Error> {
    let shape = Shape::current().await.map_err(|_| Error::Address)?;
    let nullable = nullable_columns(store).await?;
    for table in &shape.tables {
        for row in 0..ODD_ROWS {
            let is_null = |column: &str| {
                row == ODD_ROWS - 1 && nullable.iter().any(|(of, name)| *of == table.name && name == column)
            };
            let values: Vec<String> = table
                .columns
                .iter()
                .map(
                    |column| {
                        if is_null(&column.name) { "NULL".to_owned() } else { odd(store.dialect(), column.kind, row) }
                    },
                )
                .collect();
            execute(store, &format!("INSERT INTO {} ({}) VALUES ({})", table.name, table.names(), values.join(", ")))
                .await?;
        }
    }
    Ok(())
}

const ODD_ROWS: i64 = 4;

fn odd(dialect: Dialect, kind: Kind, row: i64) -> String {
    match (kind, dialect) {
        (Kind::Id, _) => format!("'{}'", uuid::Uuid::now_v7()),
        (Kind::Text, _) => format!("'{row} \t\\N \\. \r\n '' \" é\u{1f600} {}'", uuid::Uuid::now_v7()),
        (Kind::Integer, _) => (row * 1_000_000_007 - 3).to_string(),
        (Kind::Boolean, _) => if row % 2 == 0 { "TRUE" } else { "FALSE" }.to_owned(),
        (Kind::Json, _) => {
            format!(r#"'{{"b": [1e308, -0.0, 100.00, {row}], "é": "\u00e9\t\\\"", "a": {{"z": null, "y": []}}}}'"#)
        }
        (Kind::Bytes, Dialect::Sqlite) => format!("X'00FF{row:02}{}'", uuid::Uuid::now_v7().simple()),
        (Kind::Bytes, Dialect::Postgres) => format!("'\\x00FF{row:02}{}'", uuid::Uuid::now_v7().simple()),
    }
}

async fn nullable_columns(store: &Store) -> Result<Vec<(String, String)>, Error> {
    let sql = match store.dialect() {
        Dialect::Sqlite => {
            "SELECT m.name AS t, c.name AS c FROM sqlite_schema AS m, pragma_table_info(m.name) AS c
             WHERE m.type = 'table' AND NOT c.\"notnull\" AND c.pk = 0"
        }
        Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS t, CAST(column_name AS TEXT) AS c FROM information_schema.columns
             WHERE table_schema = 'public' AND is_nullable = 'YES'"
        }
    };
    let rows = store.reader().query(sql, &[]).await?;
    rows.iter().map(|row| Ok((row.get("t")?, row.get("c")?))).collect()
}
