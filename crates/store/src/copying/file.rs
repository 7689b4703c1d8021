//! A new SQLite file, filled from a snapshot of PostgreSQL. It is written without a journal and is nothing until it is
//! whole: whoever wants it gives it its name then.

use std::path::Path;

use futures_util::TryStreamExt;
use sea_orm::{
    SqlxSqliteConnector,
    sqlx::{
        self, AssertSqlSafe, ConnectOptions, Connection, Row, SqliteConnection,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use super::{
    CopyError, Shape, Source, Step, Sums, TableSum, Tell,
    cells::{Adder, Cell},
    compare,
    shape::Table,
    source::no_json,
    sums,
};
use crate::{dialect::Dialect, migrations};

/// Rows of one statement, and its values: SQLite takes 32,766.
const ROWS_MAX: usize = 200;
const VALUES_MAX: usize = 30_000;

/// Leads that are put into the search index at once.
const INDEXED_AT_ONCE: i64 = 20_000;

/// Writes everything of a snapshot into a new file, reads it again, and gives what the rows add up to.
///
/// # Errors
/// Where either fails; what is left of the file is of no use then.
pub async fn write_file(
    source: &mut Source,
    shape: &Shape,
    path: &Path,
    tell: &mut Tell<'_>,
) -> Result<Sums, CopyError> {
    make_tables(path, shape).await?;
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false).disable_statement_logging();
    let options = options.journal_mode(SqliteJournalMode::Off).synchronous(SqliteSynchronous::Off);
    let mut file = options.pragma("cache_size", "-65536").connect().await?;
    // What triggers count is copied as well; indexes are made when the rows are there.
    let mut later = take_down(&mut file, "index").await?;
    later.extend(take_down(&mut file, "trigger").await?);
    let mut copied = Sums::new();
    for table in &shape.tables {
        tell(Step::Table(&table.name, 0));
        let sum = copy(source, table, &mut file, tell).await?;
        copied.insert(table.name.clone(), TableSum::from(sum));
        if let Some(column) = &table.numbered {
            set_number(&mut file, &table.name, source.last_number(&table.name, column).await?).await?;
        }
    }
    for (name, statement) in later {
        tell(Step::Index(&name));
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut file).await?;
    }
    file.close().await?;
    let mut there = Source::open_file(path).await?;
    let sums = sums(&mut there, shape, tell).await?;
    there.close().await?;
    compare(&copied, &sums)?;
    Ok(copied)
}

async fn make_tables(path: &Path, shape: &Shape) -> Result<(), CopyError> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true).disable_statement_logging();
    let options = options.journal_mode(SqliteJournalMode::Memory).synchronous(SqliteSynchronous::Off);
    let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
    let connection = SqlxSqliteConnector::from_sqlx_sqlite_pool(pool);
    migrations::run_some(&connection, Dialect::Sqlite, Some(shape.steps)).await?;
    connection.close().await.map_err(crate::sql::Error::from)?;
    Ok(())
}

async fn take_down(file: &mut SqliteConnection, what: &str) -> Result<Vec<(String, String)>, CopyError> {
    let asked = "SELECT name, sql FROM sqlite_schema WHERE type = $1 AND sql IS NOT NULL";
    let rows = sqlx::query(asked).bind(what).fetch_all(&mut *file).await?;
    let mut taken: Vec<(String, String)> = Vec::with_capacity(rows.len());
    for row in rows {
        let name: String = row.try_get(0)?;
        sqlx::raw_sql(AssertSqlSafe(format!("DROP {what} \"{name}\""))).execute(&mut *file).await?;
        taken.push((name, row.try_get(1)?));
    }
    Ok(taken)
}

async fn copy(
    source: &mut Source,
    table: &Table,
    file: &mut SqliteConnection,
    tell: &mut Tell<'_>,
) -> Result<super::Sum, CopyError> {
    let at_once = (VALUES_MAX / table.columns.len().max(1)).clamp(1, ROWS_MAX);
    let mut adder = Adder::default();
    let mut waiting: Vec<Vec<Cell>> = Vec::with_capacity(at_once);
    sqlx::query("BEGIN").execute(&mut *file).await?;
    // What the migrations put there comes with the rows.
    sqlx::raw_sql(AssertSqlSafe(format!("DELETE FROM \"{}\"", table.name))).execute(&mut *file).await?;
    let mut rows = source.rows(table, None);
    while let Some(taken) = rows.try_next().await? {
        adder.add(&taken.cells).map_err(|column| no_json(table, column, &taken.cells))?;
        waiting.push(taken.cells);
        if waiting.len() == at_once {
            insert(file, table, &mut waiting).await?;
            tell(Step::Rows(at_once as u64));
        }
    }
    let rest = waiting.len() as u64;
    insert(file, table, &mut waiting).await?;
    tell(Step::Rows(rest));
    sqlx::query("COMMIT").execute(&mut *file).await?;
    Ok(adder.sum)
}

async fn insert(file: &mut SqliteConnection, table: &Table, rows: &mut Vec<Vec<Cell>>) -> Result<(), CopyError> {
    if rows.is_empty() {
        return Ok(());
    }
    let row = format!("({})", vec!["?"; table.columns.len()].join(", "));
    let values = vec![row; rows.len()].join(", ");
    let sql = format!("INSERT INTO \"{}\" ({}) VALUES {values}", table.name, table.names());
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for cell in rows.drain(..).flatten() {
        query = match cell {
            Cell::Null => query.bind(None::<String>),
            Cell::Id(id) => query.bind(id.hyphenated().to_string()),
            Cell::Text(text) | Cell::Json(text) => query.bind(text),
            Cell::Integer(number) => query.bind(number),
            Cell::Boolean(flag) => query.bind(flag),
            Cell::Bytes(bytes) => query.bind(bytes),
        };
    }
    query.execute(file).await?;
    Ok(())
}

/// The next row gets a number that none had before, even where the last ones are gone.
async fn set_number(file: &mut SqliteConnection, table: &str, last: Option<i64>) -> Result<(), CopyError> {
    let Some(last) = last else { return Ok(()) };
    sqlx::query("DELETE FROM sqlite_sequence WHERE name = $1").bind(table).execute(&mut *file).await?;
    let sql = "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)";
    sqlx::query(sql).bind(table).bind(last).execute(file).await?;
    Ok(())
}

/// Makes the index by which SQLite searches for leads, of a file that was copied from a database without one.
///
/// # Errors
/// Where the file cannot be written.
pub async fn build_search_index(path: &Path, tell: &mut Tell<'_>) -> Result<(), CopyError> {
    let Some(index) = Dialect::Sqlite.search_table() else { return Ok(()) };
    let options = SqliteConnectOptions::new().filename(path).foreign_keys(false).disable_statement_logging();
    let mut file = options.pragma("cache_size", "-65536").connect().await?;
    tell(Step::Index(index));
    let next = "SELECT max(number) FROM (SELECT number FROM leads WHERE number > $1 ORDER BY number LIMIT $2) AS few";
    let sql = format!(
        "INSERT INTO {index} (rowid, body) SELECT number, search_text FROM leads
         WHERE number > $1 AND number <= $2 AND deleted_at IS NULL"
    );
    let mut done = i64::MIN;
    loop {
        let last = sqlx::query(next).bind(done).bind(INDEXED_AT_ONCE).fetch_one(&mut file).await?;
        let Some(last) = last.try_get::<Option<i64>, _>(0)? else { break };
        sqlx::query(AssertSqlSafe(sql.clone())).bind(done).bind(last).execute(&mut file).await?;
        done = last;
    }
    file.close().await?;
    Ok(())
}
