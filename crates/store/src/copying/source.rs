//! A database that is read from end to end and not written: one snapshot, however long that takes.
//!
//! SQLite is opened read-only and read in one transaction, which sees what was committed when it began and holds nobody
//! up. PostgreSQL is read in one `REPEATABLE READ READ ONLY` transaction. Rows come one after the other, so memory does
//! not grow with the table. On SQLite they come in the order of a key, so that a copy can go on where it stood.

use std::{path::Path, str::FromStr, time::Duration};

use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use sea_orm::sqlx::{
    self, AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, SqliteConnection, TypeInfo, ValueRef,
    postgres::{PgConnectOptions, PgRow},
    sqlite::{SqliteArguments, SqliteConnectOptions, SqliteRow},
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    CopyError, Sum,
    cells::{Adder, Cell, json_without_nul, without_nul},
    shape::{Shape, Table},
};
use crate::{
    dialect::{Dialect, Kind},
    installation::Check,
    migrations,
};

/// How long SQLite waits for whoever holds the file alone for a moment.
const WAIT: Duration = Duration::from_secs(5);

/// Rows that SQLite's thread may be ahead.
const ROWS_AHEAD: usize = 500;

/// A snapshot of a database.
pub struct Source {
    connection: Connected,
    applied: Vec<String>,
    seen: i64,
    replaced: u64,
}

enum Connected {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

/// A place in a table: what the last row that was read is found by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mark {
    Number(i64),
    Text(String),
    Bytes(String),
}

/// A row, and on SQLite its number where the table is not in the order of its key.
pub(super) struct Taken {
    pub(super) cells: Vec<Cell>,
    number: Option<i64>,
}

impl Taken {
    /// Where to go on after this row.
    pub(super) fn place(&self, table: &Table) -> Vec<Mark> {
        if let Some(number) = self.number {
            return vec![Mark::Number(number)];
        }
        table.key.iter().map(|at| mark(&self.cells[*at])).collect()
    }
}

fn mark(cell: &Cell) -> Mark {
    match cell {
        Cell::Integer(number) => Mark::Number(*number),
        Cell::Boolean(flag) => Mark::Number(i64::from(*flag)),
        Cell::Bytes(bytes) => Mark::Bytes(hex::encode(bytes)),
        Cell::Id(id) => Mark::Text(id.hyphenated().to_string()),
        Cell::Text(text) | Cell::Json(text) => Mark::Text(text.clone()),
        // A key has none.
        Cell::Null => Mark::Text(String::new()),
    }
}

impl Source {
    /// Opens the database at an address and takes a snapshot of it.
    ///
    /// # Errors
    /// Where it cannot be opened, or is none of ours.
    pub async fn open(url: &str) -> Result<Self, CopyError> {
        match Dialect::of_url(url)? {
            Dialect::Sqlite => Self::open_sqlite(SqliteConnectOptions::from_str(url)?).await,
            Dialect::Postgres => Self::open_postgres(url).await,
        }
    }

    /// The same for a file.
    ///
    /// # Errors
    /// As [`Source::open`].
    pub async fn open_file(path: &Path) -> Result<Self, CopyError> {
        Self::open_sqlite(SqliteConnectOptions::new().filename(path)).await
    }

    async fn open_sqlite(options: SqliteConnectOptions) -> Result<Self, CopyError> {
        let path = options.get_filename().to_owned();
        if !path.exists() {
            return Err(CopyError::NoFile(path));
        }
        let options = options.read_only(true).create_if_missing(false).foreign_keys(false).busy_timeout(WAIT);
        let options = options.row_buffer_size(ROWS_AHEAD).disable_statement_logging();
        let mut connection = options.connect().await?;
        let seen = data_version(&mut connection).await?;
        sqlx::query("BEGIN").execute(&mut connection).await?;
        let asked = "SELECT count(*) FROM sqlite_schema WHERE name = 'seaql_migrations'";
        let is_ours: i64 = sqlx::query(asked).fetch_one(&mut connection).await?.try_get(0)?;
        let mut applied = Vec::new();
        if is_ours > 0 {
            let rows = sqlx::query(APPLIED).fetch_all(&mut connection).await?;
            applied = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        }
        Ok(Self { connection: Connected::Sqlite(Box::new(connection)), applied, seen, replaced: 0 })
    }

    async fn open_postgres(url: &str) -> Result<Self, CopyError> {
        let mut connection = connect_postgres(url).await?;
        sqlx::query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").execute(&mut connection).await?;
        let asked =
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'seaql_migrations'";
        let is_ours: i64 = sqlx::query(asked).fetch_one(&mut connection).await?.try_get(0)?;
        let mut applied = Vec::new();
        if is_ours > 0 {
            let rows = sqlx::query(APPLIED).fetch_all(&mut connection).await?;
            applied = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        }
        Ok(Self { connection: Connected::Postgres(Box::new(connection)), applied, seen: 0, replaced: 0 })
    }

    /// Whether it is SQLite or PostgreSQL.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        match self.connection {
            Connected::Sqlite(_) => Dialect::Sqlite,
            Connected::Postgres(_) => Dialect::Postgres,
        }
    }

    /// The tables that it has, of whichever version of the product up to this one.
    ///
    /// # Errors
    /// Where they are of a newer version, or none of ours.
    pub async fn shape(&self) -> Result<Shape, CopyError> {
        let Some(newest) = self.applied.last() else { return Err(CopyError::NotOurs) };
        let known = migrations::names();
        if let Some(unknown) = self.applied.iter().find(|name| !known.contains(name)) {
            return Err(CopyError::Newer(unknown.clone()));
        }
        let shape = Shape::when_newest_was(newest).await?.ok_or(CopyError::NotOurs)?;
        // Migrations run in their order, so none is missing before the newest.
        match known[..shape.steps].iter().find(|name| !self.applied.contains(name)) {
            Some(missing) => Err(CopyError::Older(missing.clone())),
            None => Ok(shape),
        }
    }

    /// The tables that it has, where they are those of this version.
    ///
    /// # Errors
    /// Where they are of another version, or none of ours.
    pub async fn current_shape(&self) -> Result<Shape, CopyError> {
        let shape = self.shape().await?;
        match migrations::names().into_iter().nth(shape.steps) {
            Some(missing) => Err(CopyError::Older(missing)),
            None => Ok(shape),
        }
    }

    /// What tells whether a key is the one that it was written with; nothing where it was never served.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn key_check(&mut self) -> Result<Option<Check>, CopyError> {
        let asked = "SELECT check_sealed, identity_check FROM installation";
        let texts = match &mut self.connection {
            Connected::Sqlite(connection) => {
                let row = sqlx::query(asked).fetch_optional(&mut **connection).await?;
                row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?
            }
            Connected::Postgres(connection) => {
                let row = sqlx::query(asked).fetch_optional(&mut **connection).await?;
                row.map(|row| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?))).transpose()?
            }
        };
        Ok(texts.map(|(sealed, identity)| Check { sealed, identity }))
    }

    /// How many rows there are in each table; on PostgreSQL about as many.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn sizes(&mut self, shape: &Shape) -> Result<Vec<(String, u64)>, CopyError> {
        let mut sizes = Vec::with_capacity(shape.tables.len());
        for Table { name, .. } in &shape.tables {
            let rows: i64 = match &mut self.connection {
                Connected::Sqlite(connection) => {
                    let counted = AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\""));
                    sqlx::query(counted).fetch_one(&mut **connection).await?.try_get(0)?
                }
                Connected::Postgres(connection) => {
                    let told = "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass($1)";
                    sqlx::query(told).bind(name).fetch_one(&mut **connection).await?.try_get(0)?
                }
            };
            sizes.push((name.clone(), u64::try_from(rows).unwrap_or(0)));
        }
        Ok(sizes)
    }

    /// Whether there is nothing but what migrations put there.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn is_empty(&mut self, shape: &Shape) -> Result<bool, CopyError> {
        let Connected::Sqlite(connection) = &mut self.connection else { return Ok(false) };
        for Table { name, seeds, .. } in &shape.tables {
            let counted = AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\""));
            let rows: i64 = sqlx::query(counted).fetch_one(&mut **connection).await?.try_get(0)?;
            if rows > *seeds {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The rows of a table, after a place where there is one.
    pub(super) fn rows<'a>(
        &'a mut self,
        table: &'a Table,
        after: Option<&[Mark]>,
    ) -> BoxStream<'a, Result<Taken, CopyError>> {
        let replaced = &mut self.replaced;
        match &mut self.connection {
            Connected::Sqlite(connection) => {
                let mut query = sqlx::query(AssertSqlSafe(sqlite_select(table, after.is_some())));
                for mark in after.unwrap_or_default() {
                    query = bind(query, mark);
                }
                let rows = query.fetch(&mut **connection).map_err(CopyError::from);
                rows.map(move |row| read_sqlite(table, &row?, replaced)).boxed()
            }
            Connected::Postgres(connection) => {
                let query = sqlx::query(AssertSqlSafe(postgres_select(table)));
                let rows = query.fetch(&mut **connection).map_err(CopyError::from);
                rows.map(move |row| read_postgres(table, &row?)).boxed()
            }
        }
    }

    /// Adds up a table.
    pub(super) async fn sum(&mut self, table: &Table, tell: &mut (dyn FnMut(u64) + Send)) -> Result<Sum, CopyError> {
        let mut adder = Adder::default();
        let mut rows = self.rows(table, None);
        while let Some(taken) = rows.try_next().await? {
            adder.add(&taken.cells).map_err(|column| no_json(table, column, &taken.cells))?;
            tell(1);
        }
        Ok(adder.sum)
    }

    /// The last number that the database gave in a table, whether or not its row is still there.
    pub(super) async fn last_number(&mut self, table: &str, column: &str) -> Result<Option<i64>, CopyError> {
        Ok(match &mut self.connection {
            Connected::Sqlite(connection) => {
                let asked = "SELECT seq FROM sqlite_sequence WHERE name = $1";
                let row = sqlx::query(asked).bind(table).fetch_optional(&mut **connection).await?;
                row.map(|row| row.try_get(0)).transpose()?
            }
            Connected::Postgres(connection) => {
                let asked = "SELECT pg_sequence_last_value(pg_get_serial_sequence($1, $2)::regclass)";
                sqlx::query(asked).bind(table).bind(column).fetch_one(&mut **connection).await?.try_get(0)?
            }
        })
    }

    /// How many values had a sign that PostgreSQL cannot hold, and have another in its place.
    #[must_use]
    pub fn replaced(&self) -> u64 {
        self.replaced
    }

    /// Whether every page of the file is in order. PostgreSQL looks after that itself.
    ///
    /// # Errors
    /// Where it is not, or cannot be read.
    pub async fn check_pages(&mut self) -> Result<(), CopyError> {
        let Connected::Sqlite(connection) = &mut self.connection else { return Ok(()) };
        let row = sqlx::query("PRAGMA integrity_check(1)").fetch_one(&mut **connection).await?;
        match row.try_get::<String, _>(0)?.as_str() {
            "ok" => Ok(()),
            wrong => Err(CopyError::Damaged(wrong.to_owned())),
        }
    }

    /// Ends the snapshot, and tells whether nobody has written since it was taken. Only SQLite knows.
    ///
    /// # Errors
    /// Where the database fails.
    pub async fn close(self) -> Result<bool, CopyError> {
        match self.connection {
            Connected::Sqlite(mut connection) => {
                sqlx::query("ROLLBACK").execute(&mut *connection).await?;
                let is_same = data_version(&mut connection).await? == self.seen;
                connection.close().await?;
                Ok(is_same)
            }
            Connected::Postgres(mut connection) => {
                sqlx::query("ROLLBACK").execute(&mut *connection).await?;
                connection.close().await?;
                Ok(true)
            }
        }
    }
}

pub(super) const APPLIED: &str = "SELECT version FROM seaql_migrations ORDER BY version";

/// Changes whenever another connection has committed something.
async fn data_version(connection: &mut SqliteConnection) -> Result<i64, CopyError> {
    Ok(sqlx::query("PRAGMA data_version").fetch_one(connection).await?.try_get(0)?)
}

/// A connection for long work: nothing of it is cut off for the time it takes.
pub(super) async fn connect_postgres(url: &str) -> Result<PgConnection, CopyError> {
    let name = format!("leadline {}", Uuid::now_v7().simple());
    let settings = [
        ("jit", "off"),
        ("timezone", "UTC"),
        ("statement_timeout", "0"),
        ("idle_in_transaction_session_timeout", "0"),
        // Rows come in the order in which they were written, not from the middle.
        ("synchronize_seqscans", "off"),
        ("tcp_keepalives_idle", "30"),
        ("tcp_keepalives_interval", "10"),
        ("tcp_keepalives_count", "3"),
        // Of a process that was killed in the middle of a long statement.
        ("client_connection_check_interval", "1s"),
    ];
    let options = PgConnectOptions::from_str(url)?.application_name(&name).options(settings);
    let connecting = options.disable_statement_logging().connect().await;
    Ok(connecting?)
}

fn sqlite_select(table: &Table, goes_on: bool) -> String {
    let (names, name) = (table.names(), &table.name);
    if !table.is_clustered {
        let after = if goes_on { "WHERE rowid > $1 " } else { "" };
        // By the table itself, from its first page to its last.
        return format!("SELECT {names}, rowid FROM \"{name}\" {after}ORDER BY rowid");
    }
    let key: Vec<String> = table.key.iter().map(|at| format!("\"{}\"", table.columns[*at].name)).collect();
    let key = key.join(", ");
    let marks: Vec<String> = (1..=table.key.len()).map(|number| format!("${number}")).collect();
    let after = if goes_on { format!("WHERE ({key}) > ({}) ", marks.join(", ")) } else { String::new() };
    format!("SELECT {names} FROM \"{name}\" {after}ORDER BY {key}")
}

type SqliteQuery<'q> = sqlx::query::Query<'q, sqlx::Sqlite, SqliteArguments>;

fn bind<'q>(query: SqliteQuery<'q>, mark: &Mark) -> SqliteQuery<'q> {
    match mark {
        Mark::Number(number) => query.bind(*number),
        Mark::Text(text) => query.bind(text.clone()),
        Mark::Bytes(bytes) => query.bind(hex::decode(bytes).unwrap_or_default()),
    }
}

fn postgres_select(table: &Table) -> String {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| match column.kind {
            Kind::Json => format!("\"{0}\"::text AS \"{0}\"", column.name),
            Kind::Id | Kind::Text | Kind::Integer | Kind::Boolean | Kind::Bytes => format!("\"{}\"", column.name),
        })
        .collect();
    format!("SELECT {} FROM \"{}\"", columns.join(", "), table.name)
}

/// SQLite keeps in any column what it is given; only what the column is for is taken.
fn read_sqlite(table: &Table, row: &SqliteRow, replaced: &mut u64) -> Result<Taken, CopyError> {
    let mut cells = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let value = row.try_get_raw(at)?;
        if value.is_null() {
            cells.push(Cell::Null);
            continue;
        }
        let stored = value.type_info().name().to_owned();
        let cell = match (column.kind, stored.as_str()) {
            (Kind::Id, "TEXT") => row.try_get::<String, _>(at)?.parse().ok().map(Cell::Id),
            (Kind::Integer, "INTEGER") => Some(Cell::Integer(row.try_get_unchecked(at)?)),
            (Kind::Boolean, "INTEGER") => match row.try_get_unchecked::<i64, _>(at)? {
                0 => Some(Cell::Boolean(false)),
                1 => Some(Cell::Boolean(true)),
                _ => None,
            },
            (Kind::Bytes, "BLOB") => Some(Cell::Bytes(row.try_get_unchecked(at)?)),
            (Kind::Text, "TEXT") => {
                let text: String = row.try_get_unchecked(at)?;
                Some(Cell::Text(counted(replaced, without_nul(&text)).unwrap_or(text)))
            }
            (Kind::Json, "TEXT") => {
                let text: String = row.try_get_unchecked(at)?;
                Some(Cell::Json(counted(replaced, json_without_nul(&text)).unwrap_or(text)))
            }
            _ => None,
        };
        let Some(cell) = cell else {
            let (table_name, column) = (table.name.clone(), column.name.clone());
            return Err(CopyError::Value { table: table_name, column, row: name_row(table, &cells), stored });
        };
        cells.push(cell);
    }
    let number = if table.is_clustered { None } else { Some(row.try_get_unchecked(table.columns.len())?) };
    Ok(Taken { cells, number })
}

fn counted(replaced: &mut u64, text: Option<String>) -> Option<String> {
    *replaced += u64::from(text.is_some());
    text
}

fn read_postgres(table: &Table, row: &PgRow) -> Result<Taken, CopyError> {
    let mut cells = Vec::with_capacity(table.columns.len());
    for (at, column) in table.columns.iter().enumerate() {
        let cell = match column.kind {
            Kind::Id => row.try_get::<Option<Uuid>, _>(at)?.map(Cell::Id),
            Kind::Integer => row.try_get::<Option<i64>, _>(at)?.map(Cell::Integer),
            Kind::Boolean => row.try_get::<Option<bool>, _>(at)?.map(Cell::Boolean),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map(Cell::Bytes),
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map(Cell::Text),
            Kind::Json => row.try_get::<Option<String>, _>(at)?.map(Cell::Json),
        };
        cells.push(cell.unwrap_or(Cell::Null));
    }
    Ok(Taken { cells, number: None })
}

pub(super) fn no_json(table: &Table, column: usize, cells: &[Cell]) -> CopyError {
    CopyError::Value {
        table: table.name.clone(),
        column: table.columns[column].name.clone(),
        row: name_row(table, cells),
        stored: "what is no JSON".to_owned(),
    }
}

/// What a row is found by, as far as its columns were read. Keys are ids and numbers, and never what somebody entered.
fn name_row(table: &Table, cells: &[Cell]) -> String {
    let by_id = table.columns.iter().position(|column| column.name == "id").into_iter();
    let named: Vec<String> = by_id
        .chain(table.key.iter().copied())
        .filter_map(|at| match cells.get(at)? {
            Cell::Id(id) => Some(format!("{} {id}", table.columns[at].name)),
            Cell::Integer(number) => Some(format!("{} {number}", table.columns[at].name)),
            _ => None,
        })
        .collect();
    if named.is_empty() { "some row".to_owned() } else { named.join(", ") }
}
