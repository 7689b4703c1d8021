//! A PostgreSQL database that is filled from a snapshot of SQLite, and can be killed at any moment.
//!
//! Rows go by `COPY`: of the same 200,000 submissions it took 7 seconds where sets of rows in a JSON parameter took
//! 18. Each few megabytes are one transaction that also notes how far the table is; whoever runs it again goes on
//! there. Triggers are off meanwhile, since what they count is copied as well, and indexes are made when the rows are
//! there; what has to be done for that stands in the state, too ([`super::state`]). While the state is there, nothing
//! else starts on the database.

use std::time::Duration;

use futures_util::TryStreamExt;
use sea_orm::sqlx::{self, AssertSqlSafe, Connection, PgConnection, Row, postgres::PgDatabaseError};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep},
};

use super::{
    CopyError, Origin, Shape, Source, Step, Sums, TableSum, Tell,
    cells::{Adder, Lines},
    compare,
    shape::Table,
    source::{APPLIED, connect_postgres, no_json},
    state::{self, Entry, Reached},
    sums,
};
use crate::{Durability, Store, migrations, sealed};

/// How long connections of a process that has ended may take to go.
const PATIENCE: Duration = Duration::from_secs(3);

/// Any number that nobody else locks on.
const LOCK: i64 = 0x6c65_6164_636f_7079;

/// What to do with what is in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// It must be empty, or hold the beginning of this very copy, which goes on.
    Continue,
    /// It must be empty, or hold the beginning of any copy, which is thrown away.
    Restart,
    /// Whatever it holds is thrown away.
    Replace,
}

/// The database that is filled.
pub struct Target {
    connection: PgConnection,
    url: String,
    shape: Shape,
    goes_on: bool,
}

impl Target {
    /// Prepares the database at `url`: its tables are made as `shape` has them, and it is locked against other copies.
    ///
    /// # Errors
    /// Where it is not empty, is in use, or holds another copy's beginning.
    pub async fn prepare(url: &str, shape: &Shape, origin: &Origin, purpose: Purpose) -> Result<Self, CopyError> {
        let store = Store::connect(url, Durability::Full).await?;
        let prepared = Self::prepare_alone(&store, shape, origin, purpose).await;
        store.close().await;
        prepared
    }

    async fn prepare_alone(store: &Store, shape: &Shape, origin: &Origin, purpose: Purpose) -> Result<Self, CopyError> {
        let others = others_after_a_while(store).await?;
        if others > 0 {
            return Err(CopyError::InUse(others));
        }
        let mut connection = connect_postgres(store.url()).await?;
        lock(&mut connection).await?;
        let goes_on = state::exists(&mut connection).await?;
        if goes_on {
            take_up(&mut connection, shape, origin, purpose).await?;
        } else {
            check_tables(&mut connection, shape).await?;
            if purpose != Purpose::Replace {
                check_empty(&mut connection, shape).await?;
            }
            let made = applied(&mut connection).await?.len();
            if made < shape.steps {
                migrations::run_some(&store.writer(), store.dialect(), Some(shape.steps - made)).await?;
            }
            begin(&mut connection, shape, origin).await?;
        }
        sqlx::query("SET synchronous_commit = off").execute(&mut connection).await?;
        sqlx::query("SET maintenance_work_mem = '256MB'").execute(&mut connection).await?;
        let url = store.url().to_owned();
        Ok(Self { connection, url, shape: shape.clone(), goes_on: goes_on && purpose == Purpose::Continue })
    }

    /// Whether it goes on with a copy that was cut off.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Copies the rows that are not there yet, and gives what all of them add up to.
    ///
    /// # Errors
    /// Where either database fails, or a row cannot be held.
    pub async fn fill(&mut self, source: &mut Source, tell: &mut Tell<'_>) -> Result<Sums, CopyError> {
        let mut sums = Sums::new();
        for table in self.shape.tables.clone() {
            let reached: Reached =
                state::find(&mut self.connection, Entry::Reached, &table.name).await?.unwrap_or_default();
            tell(Step::Table(&table.name, reached.rows));
            let sum = if reached.is_done { reached.sum() } else { self.copy(source, &table, reached, tell).await? };
            sums.insert(table.name.clone(), TableSum::from(sum));
        }
        Ok(sums)
    }

    async fn copy(
        &mut self,
        source: &mut Source,
        table: &Table,
        reached: Reached,
        tell: &mut Tell<'_>,
    ) -> Result<super::Sum, CopyError> {
        // One batch is made while another is on its way; no more, so that memory stays what it is.
        let (batches, inbox) = mpsc::channel::<Batch>(1);
        let reading = read(source, table, reached, batches);
        let writing = async {
            // Its own, so that whoever reads does not wait for somebody who has gone.
            let mut inbox = inbox;
            while let Some(batch) = inbox.recv().await {
                self.write(table, &batch).await?;
                tell(Step::Rows(batch.rows));
            }
            Ok::<_, CopyError>(())
        };
        let (read, written) = tokio::join!(reading, writing);
        written?;
        read
    }

    /// One transaction: rows, and how far that is.
    async fn write(&mut self, table: &Table, batch: &Batch) -> Result<(), CopyError> {
        let mut transaction = self.connection.begin().await?;
        if !batch.text.is_empty() {
            let sql = format!("COPY \"{}\" ({}) FROM STDIN", table.name, table.names());
            let mut copy = transaction.copy_in_raw(&sql).await?;
            copy.send(batch.text.as_bytes()).await?;
            copy.finish().await.map_err(|error| refused(table, &batch.text, error))?;
        }
        state::put(&mut transaction, Entry::Reached, &table.name, &batch.reached).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Makes a database of the rows: compares them with what was copied, sets the numbers that the database gives, and
    /// makes indexes and triggers. It can be used once [`Target::end`] is done.
    ///
    /// # Errors
    /// Where they are not the same, or the database fails.
    pub async fn finish(&mut self, source: &mut Source, copied: &Sums, tell: &mut Tell<'_>) -> Result<(), CopyError> {
        let mut there = Source::open(&self.url).await?;
        let sums = sums(&mut there, &self.shape, tell).await?;
        there.close().await?;
        compare(copied, &sums)?;
        for table in &self.shape.tables {
            let Some(column) = &table.numbered else { continue };
            if let Some(last) = source.last_number(&table.name, column).await? {
                let sql = "SELECT setval(pg_get_serial_sequence($1, $2), greatest($3, 1))";
                sqlx::query(sql).bind(&table.name).bind(column).bind(last).execute(&mut self.connection).await?;
            }
        }
        for (name, statement) in state::list_later(&mut self.connection).await? {
            tell(Step::Index(name.split_once(' ').map_or(name.as_str(), |(_, name)| name)));
            let mut transaction = self.connection.begin().await?;
            sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *transaction).await?;
            state::remove(&mut transaction, Entry::Later, &name).await?;
            transaction.commit().await?;
        }
        tell(Step::Tidying);
        for table in &self.shape.tables {
            let sql = format!("VACUUM (ANALYZE) \"{}\"", table.name);
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Lets the database be used.
    ///
    /// # Errors
    /// Where it fails.
    pub async fn end(mut self) -> Result<(), CopyError> {
        sqlx::query("SET synchronous_commit = on").execute(&mut self.connection).await?;
        state::end(&mut self.connection).await?;
        self.connection.close().await?;
        Ok(())
    }
}

/// Rows on their way, and how far the table is with them.
struct Batch {
    text: String,
    rows: u64,
    reached: Reached,
}

/// Reads a table from where it stands, batch by batch. The last one may be empty, and says that the table is done.
async fn read(
    source: &mut Source,
    table: &Table,
    reached: Reached,
    batches: mpsc::Sender<Batch>,
) -> Result<super::Sum, CopyError> {
    let mut adder = Adder::after(reached.sum());
    let mut place = reached.place;
    let mut lines = Lines::default();
    let mut rows = source.rows(table, place.clone().as_deref());
    while let Some(taken) = rows.try_next().await? {
        adder.add(&taken.cells).map_err(|column| no_json(table, column, &taken.cells))?;
        lines.add(&taken.cells);
        if lines.is_full() {
            place = Some(taken.place(table));
            let (text, rows) = lines.take();
            let batch = Batch { text, rows, reached: Reached::at(adder.sum, place.clone(), false) };
            if batches.send(batch).await.is_err() {
                // Nobody writes any more, and whoever did says why.
                return Ok(adder.sum);
            }
        }
    }
    let (text, rows) = lines.take();
    let _nobody_writes = batches.send(Batch { text, rows, reached: Reached::at(adder.sum, place, true) }).await;
    Ok(adder.sum)
}

/// Which row it is that the database refuses, where it says so.
fn refused(table: &Table, text: &str, error: sqlx::Error) -> CopyError {
    let said = error.as_database_error().and_then(|error| error.try_downcast_ref::<PgDatabaseError>());
    let line = said.and_then(PgDatabaseError::r#where).and_then(line_of);
    let Some(line) = line.and_then(|line| text.split('\n').nth(line.checked_sub(1)?)) else {
        return CopyError::Refused {
            table: table.name.clone(),
            row: "it does not say which".to_owned(),
            source: error,
        };
    };
    let cells: Vec<&str> = line.split('\t').collect();
    let id = table.columns.iter().position(|column| column.name == "id");
    let at = id.or_else(|| table.key.first().copied()).unwrap_or(0);
    let row = format!("{} {}", table.columns[at].name, cells.get(at).unwrap_or(&"?"));
    CopyError::Refused { table: table.name.clone(), row, source: error }
}

/// PostgreSQL says `COPY leads, line 17, column name: "…"`.
fn line_of(context: &str) -> Option<usize> {
    let rest = context.split_once("line ")?.1;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// Connections of a process that was killed a moment ago go by themselves.
async fn others_after_a_while(store: &Store) -> Result<i64, CopyError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let others = sealed::count_other_connections(&store.reader()).await?;
        if others == 0 || Instant::now() >= deadline {
            return Ok(others);
        }
        sleep(Duration::from_millis(50)).await;
    }
}

/// One copy at a time; the lock goes with the connection.
async fn lock(connection: &mut PgConnection) -> Result<(), CopyError> {
    let is_ours: bool =
        sqlx::query("SELECT pg_try_advisory_lock($1)").bind(LOCK).fetch_one(connection).await?.try_get(0)?;
    if is_ours { Ok(()) } else { Err(CopyError::InUse(1)) }
}

/// Goes on with a copy that was begun, or throws away what came of it.
async fn take_up(
    connection: &mut PgConnection,
    shape: &Shape,
    origin: &Origin,
    purpose: Purpose,
) -> Result<(), CopyError> {
    if applied(connection).await?.len() != shape.steps {
        return Err(CopyError::OtherTables);
    }
    if purpose == Purpose::Continue {
        let begun: Option<Origin> = state::find(connection, Entry::Origin, "").await?;
        return if begun.as_ref() == Some(origin) { Ok(()) } else { Err(CopyError::OtherOrigin) };
    }
    let mut transaction = connection.begin().await?;
    state::forget_rows(&mut transaction).await?;
    state::put(&mut transaction, Entry::Origin, "", origin).await?;
    empty(&mut transaction, shape).await?;
    transaction.commit().await?;
    Ok(())
}

async fn applied(connection: &mut PgConnection) -> Result<Vec<String>, CopyError> {
    let asked = "SELECT to_regclass('seaql_migrations') IS NOT NULL";
    if !sqlx::query(asked).fetch_one(&mut *connection).await?.try_get::<bool, _>(0)? {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(APPLIED).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// That no table is there which is not ours, and that ours are no newer.
async fn check_tables(connection: &mut PgConnection, shape: &Shape) -> Result<(), CopyError> {
    let known = migrations::names();
    let applied = applied(connection).await?;
    if let Some(newer) = applied.iter().find(|name| !known.contains(name)) {
        return Err(CopyError::Newer(newer.clone()));
    }
    // Of a backup that is older than this version, the tables must be as old until it is all there.
    if applied.len() > shape.steps {
        return Err(CopyError::OtherTables);
    }
    // What an extension brings belongs to it.
    let asked = "SELECT c.relname FROM pg_class AS c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = current_schema()::regnamespace
                 AND NOT EXISTS (SELECT 1 FROM pg_depend AS d WHERE d.objid = c.oid AND d.deptype = 'e') ORDER BY c.relname";
    for row in sqlx::query(asked).fetch_all(connection).await? {
        let name: String = row.try_get(0)?;
        // The first that migrations make; whoever is killed right after leaves it without a row.
        let is_first = name == "seaql_migrations";
        let is_ours = is_first || (!applied.is_empty() && shape.table_names().any(|ours| ours == name));
        if !is_ours {
            return Err(CopyError::Strangers(name));
        }
    }
    Ok(())
}

/// That there is nothing but what migrations put there.
async fn check_empty(connection: &mut PgConnection, shape: &Shape) -> Result<(), CopyError> {
    for Table { name, seeds, .. } in &shape.tables {
        let asked = "SELECT to_regclass($1) IS NOT NULL";
        if !sqlx::query(asked).bind(name).fetch_one(&mut *connection).await?.try_get::<bool, _>(0)? {
            continue;
        }
        let counted = AssertSqlSafe(format!("SELECT count(*) FROM \"{name}\""));
        let rows: i64 = sqlx::query(counted).fetch_one(&mut *connection).await?.try_get(0)?;
        if rows > *seeds {
            return Err(CopyError::NotEmpty { table: name.clone(), rows });
        }
    }
    Ok(())
}

/// Notes that a copy has begun, and takes away every row and what only slows it down or counts twice: all or nothing.
async fn begin(connection: &mut PgConnection, shape: &Shape, origin: &Origin) -> Result<(), CopyError> {
    let names: Vec<String> = shape.table_names().map(str::to_owned).collect();
    let mut transaction = connection.begin().await?;
    state::make(&mut transaction).await?;
    state::put(&mut transaction, Entry::Origin, "", origin).await?;
    let indexes = "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index AS i
                   JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_class AS t ON t.oid = i.indrelid
                   WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY ($1)
                         AND NOT i.indisprimary AND NOT EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)";
    for row in sqlx::query(indexes).bind(&names).fetch_all(&mut *transaction).await? {
        let (name, made): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        state::put(&mut transaction, Entry::Later, &format!("1 {name}"), &made).await?;
        sqlx::raw_sql(AssertSqlSafe(format!("DROP INDEX \"{name}\""))).execute(&mut *transaction).await?;
    }
    let triggers = "SELECT DISTINCT t.relname FROM pg_trigger AS g JOIN pg_class AS t ON t.oid = g.tgrelid
                    WHERE t.relnamespace = current_schema()::regnamespace AND t.relname = ANY ($1) AND NOT g.tgisinternal";
    for row in sqlx::query(triggers).bind(&names).fetch_all(&mut *transaction).await? {
        let name: String = row.try_get(0)?;
        let on = format!("ALTER TABLE \"{name}\" ENABLE TRIGGER USER");
        state::put(&mut transaction, Entry::Later, &format!("2 {name}"), &on).await?;
        let off = format!("ALTER TABLE \"{name}\" DISABLE TRIGGER USER");
        sqlx::raw_sql(AssertSqlSafe(off)).execute(&mut *transaction).await?;
    }
    empty(&mut transaction, shape).await?;
    transaction.commit().await?;
    Ok(())
}

/// Takes away every row: of a copy that is begun anew, of what is to be replaced, or those of the migrations.
async fn empty(connection: &mut PgConnection, shape: &Shape) -> Result<(), CopyError> {
    let names: Vec<String> = shape.table_names().map(|name| format!("\"{name}\"")).collect();
    let sql = format!("TRUNCATE {} RESTART IDENTITY", names.join(", "));
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_is_refused_is_read_from_what_postgresql_says() {
        assert_eq!(line_of("COPY leads, line 17, column name: \"x\""), Some(17));
        assert_eq!(line_of("SQL statement"), None);
    }
}
