//! What there is to copy: every table that the migrations make, found by making them.
//!
//! SQLite takes any word for a column's type. So the migrations are run in memory with the names of our own kinds in the
//! place of types, and the database is asked what it has: a table that somebody adds tomorrow is copied without being
//! named here.

use std::collections::BTreeSet;

use sea_orm::sqlx::{self, AssertSqlSafe, ConnectOptions, Row, SqliteConnection, sqlite::SqliteConnectOptions};

use super::CopyError;
use crate::{dialect::Kind, migrations};

/// The tables of a database that some migrations have made.
#[derive(Debug, Clone)]
pub struct Shape {
    pub(crate) tables: Vec<Table>,
    /// How many migrations that were.
    pub(super) steps: usize,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) name: String,
    /// By their names, which is the same order on both databases.
    pub(crate) columns: Vec<Column>,
    /// The columns of the primary key, in its order, as places in `columns`.
    pub(super) key: Vec<usize>,
    /// Whether SQLite keeps it in the order of its key.
    pub(super) is_clustered: bool,
    /// The column that the database numbers.
    pub(super) numbered: Option<String>,
    /// How many rows the migrations put into it.
    pub(super) seeds: i64,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Table {
    /// The columns' names, quoted, with commas.
    pub(crate) fn names(&self) -> String {
        let names: Vec<String> = self.columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        names.join(", ")
    }
}

impl Shape {
    /// The tables that this version of the product makes.
    ///
    /// # Errors
    /// Where a migration does something that cannot be copied.
    pub async fn current() -> Result<Self, CopyError> {
        Self::after(migrations::names().len()).await
    }

    /// The tables as they were when `migration` was the newest; `None` where there is no such migration.
    ///
    /// # Errors
    /// As [`Shape::current`].
    pub async fn when_newest_was(migration: &str) -> Result<Option<Self>, CopyError> {
        match migrations::names().iter().position(|name| *name == migration) {
            Some(at) => Self::after(at + 1).await.map(Some),
            None => Ok(None),
        }
    }

    /// The newest migration.
    #[must_use]
    pub fn version(&self) -> String {
        self.steps.checked_sub(1).and_then(|last| migrations::names().into_iter().nth(last)).unwrap_or_default()
    }

    /// The names of all tables that are copied.
    pub fn table_names(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().map(|table| table.name.as_str())
    }

    async fn after(steps: usize) -> Result<Self, CopyError> {
        let options = SqliteConnectOptions::new().in_memory(true).disable_statement_logging();
        let mut memory = options.connect().await?;
        for statement in migrations::described(steps) {
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut memory).await?;
        }
        // Virtual tables and what they keep themselves are no tables of this type: they are made from the others.
        let listed = "SELECT name, wr FROM pragma_table_list
                      WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
        let mut tables = Vec::new();
        for row in sqlx::query(listed).fetch_all(&mut memory).await? {
            tables.push(table(&mut memory, row.try_get(0)?, row.try_get::<i64, _>(1)? != 0).await?);
        }
        let tables = in_order(&mut memory, tables).await?;
        Ok(Self { tables, steps })
    }
}

async fn table(memory: &mut SqliteConnection, name: String, is_clustered: bool) -> Result<Table, CopyError> {
    let asked = "SELECT name, type, pk, hidden FROM pragma_table_xinfo($1) ORDER BY name";
    let (mut columns, mut key, mut numbered) = (Vec::new(), Vec::new(), None);
    for (at, row) in sqlx::query(asked).bind(&name).fetch_all(&mut *memory).await?.iter().enumerate() {
        let (column, of_type): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (place_in_key, hidden): (i64, i64) = (row.try_get(2)?, row.try_get(3)?);
        let kind = if hidden == 0 { kind(&of_type) } else { None };
        let Some(kind) = kind else {
            return Err(CopyError::Unknown { table: name, column, of_type });
        };
        if place_in_key > 0 {
            key.push((place_in_key, at));
        }
        if place_in_key > 0 && of_type == NUMBERED {
            numbered = Some(column.clone());
        }
        columns.push(Column { name: column, kind });
    }
    key.sort_unstable();
    let key = key.into_iter().map(|(_, at)| at).collect();
    let counted = sqlx::query(AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\""))).fetch_one(memory).await?;
    Ok(Table { name, columns, key, is_clustered, numbered, seeds: counted.try_get(0)? })
}

/// What SQLite demands of a column that it numbers.
const NUMBERED: &str = "INTEGER";

fn kind(of_type: &str) -> Option<Kind> {
    match of_type {
        "OUR_ID" => Some(Kind::Id),
        "OUR_JSON" => Some(Kind::Json),
        "OUR_BYTES" => Some(Kind::Bytes),
        "TEXT" => Some(Kind::Text),
        "BIGINT" | NUMBERED => Some(Kind::Integer),
        "BOOLEAN" => Some(Kind::Boolean),
        _ => None,
    }
}

/// What a row refers to comes before the row.
async fn in_order(memory: &mut SqliteConnection, mut waiting: Vec<Table>) -> Result<Vec<Table>, CopyError> {
    let asked = "SELECT m.name, f.\"table\" FROM sqlite_schema AS m, pragma_foreign_key_list(m.name) AS f
                 WHERE m.type = 'table' AND f.\"table\" <> m.name";
    let mut needs = BTreeSet::new();
    for row in sqlx::query(asked).fetch_all(memory).await? {
        needs.insert((row.try_get::<String, _>(0)?, row.try_get::<String, _>(1)?));
    }
    let mut ordered: Vec<Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let is_free = |table: &Table| {
            let still_waits = |name: &str| waiting.iter().any(|other| other.name == name);
            !needs.iter().any(|(child, parent)| *child == table.name && still_waits(parent))
        };
        // In a circle nobody is first; then the database says so when it is copied.
        let next = waiting.iter().position(is_free).unwrap_or(0);
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn kinds_keys_and_seeds_are_found() {
        let shape = Shape::current().await.expect("a shape");

        let leads = shape.tables.iter().find(|table| table.name == "leads").expect("leads");
        assert_eq!(leads.numbered.as_deref(), Some("number"));
        let kind = |name: &str| leads.columns.iter().find(|column| column.name == name).map(|column| column.kind);
        assert_eq!(kind("id"), Some(Kind::Id));
        assert_eq!(kind("custom_fields"), Some(Kind::Json));
        assert_eq!((kind("is_test"), kind("rank")), (Some(Kind::Boolean), Some(Kind::Text)));
        let visits = shape.tables.iter().find(|table| table.name == "lead_visitors").expect("lead_visitors");
        let key: Vec<&str> = visits.key.iter().map(|at| visits.columns[*at].name.as_str()).collect();
        assert_eq!((key.join(" "), visits.is_clustered), ("workspace_id visitor_id lead_id".to_owned(), true));
        let schedules = shape.tables.iter().find(|table| table.name == "schedules").expect("schedules");
        assert!(schedules.seeds > 0);
        assert!(!shape.table_names().any(|name| name.starts_with("lead_search") || name.starts_with("sqlite_")));
    }

    #[tokio::test]
    async fn a_parent_comes_before_its_children() {
        let mut memory = SqliteConnectOptions::new().in_memory(true).connect().await.expect("memory");
        let made =
            "CREATE TABLE a (id TEXT PRIMARY KEY, b TEXT REFERENCES b (id)); CREATE TABLE b (id TEXT PRIMARY KEY)";
        sqlx::raw_sql(made).execute(&mut memory).await.expect("tables");
        let mut tables = Vec::new();
        for name in ["a", "b"] {
            tables.push(table(&mut memory, name.to_owned(), false).await.expect("a table"));
        }

        let ordered = in_order(&mut memory, tables).await.expect("an order");

        assert_eq!(ordered.iter().map(|table| table.name.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    }
}
