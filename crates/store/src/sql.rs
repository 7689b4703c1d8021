//! How statements reach the database: text with `$1` parameters, rows with typed columns, sets of rows as one JSON
//! parameter.
//!
//! This is a thin seam over sea-orm, which brings the pool, both drivers and one kind of error. It exists because ids
//! and JSON are stored differently by the two databases (see `dialect`), and because sets keep the hot path at one
//! statement per table.

use std::time::Duration;

use leadline_domain::{
    ids::{self, Id},
    time::Timestamp,
};
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, QueryResult, SqlErr, Statement, TryGetable, Value,
};
use serde::{Serialize, de::DeserializeOwned};
use tokio::time::timeout;
use uuid::Uuid;

use crate::dialect::{Dialect, Kind};

/// How long the answer to one statement on PostgreSQL may take. Only a network that swallows bytes takes longer, and it
/// never says so: without a deadline whoever asked would wait for good.
const STATEMENT_DEADLINE: Duration = Duration::from_secs(30);

/// What can go wrong between us and the database.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is neither `sqlite://…` nor `postgres://…`.
    #[error("the database URL must begin with sqlite:// or postgres://")]
    Address,
    /// Another database was to be copied into this one, and that was cut off.
    #[error(
        "another database is being copied into this one, and that is not finished: run the same `leadline move` or \
         `leadline restore` again, it goes on where it stood"
    )]
    Unfinished,
    /// A row with that key is there already.
    #[error("a row with that key exists already")]
    Exists,
    /// Another writer was there first; the whole transaction is to be tried again.
    #[error("another writer changed the same rows")]
    Contended,
    /// The database did not answer in time.
    #[error("the database did not answer in time")]
    TimedOut,
    /// The value in a column is not what the code expects: a bug or a hand-edited database.
    #[error("column {column} does not hold what it should")]
    Column {
        /// The column's name.
        column: String,
    },
    /// Anything else the database says.
    #[error("the database failed")]
    Database(#[source] DbErr),
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) {
            return Self::Exists;
        }
        let text = error.to_string();
        let contended = ["deadlock detected", "could not serialize access"].iter().any(|part| text.contains(part));
        if contended { Self::Contended } else { Self::Database(error) }
    }
}

impl Error {
    /// Whether the database refused the data itself (a value it cannot hold), so that trying again is of no use.
    /// SQLSTATE class 22 is "data exception"; SQLite has no such class and accepts every text.
    #[must_use]
    pub fn is_about_the_data(&self) -> bool {
        let Self::Database(error) = self else { return false };
        let (DbErr::Exec(runtime) | DbErr::Query(runtime)) = error else { return false };
        let sea_orm::RuntimeErr::SqlxError(error) = runtime else { return false };
        error
            .as_database_error()
            .and_then(sea_orm::sqlx::error::DatabaseError::code)
            .is_some_and(|c| c.starts_with("22"))
    }
}

/// A parameter of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Param {
    Id(Option<Uuid>),
    Text(Option<String>),
    Integer(Option<i64>),
    Number(f64),
    Boolean(bool),
    Bytes(Vec<u8>),
}

impl Param {
    fn value(&self, dialect: Dialect) -> Value {
        match self {
            Self::Id(id) => dialect.id(*id),
            Self::Text(text) => Value::String(text.clone()),
            Self::Integer(number) => Value::BigInt(*number),
            Self::Number(number) => Value::Double(Some(*number)),
            Self::Boolean(flag) => Value::Bool(Some(*flag)),
            Self::Bytes(bytes) => Value::Bytes(Some(bytes.clone())),
        }
    }
}

/// What can stand as a parameter.
pub(crate) trait IntoParam {
    fn param(&self) -> Param;
}

macro_rules! into_param {
    ($($kind:ty, $self:ident => $param:expr;)*) => {$(
        impl IntoParam for $kind {
            fn param(&$self) -> Param { $param }
        }
    )*};
}
into_param! {
    str, self => Param::Text(Some(self.to_owned()));
    &str, self => Param::Text(Some((*self).to_owned()));
    String, self => Param::Text(Some(self.clone()));
    Option<String>, self => Param::Text(self.clone());
    Option<&str>, self => Param::Text(self.map(str::to_owned));
    i64, self => Param::Integer(Some(*self));
    Option<i64>, self => Param::Integer(*self);
    f64, self => Param::Number(*self);
    bool, self => Param::Boolean(*self);
    Vec<u8>, self => Param::Bytes(self.clone());
    Timestamp, self => Param::Integer(Some(self.0));
    Option<Timestamp>, self => Param::Integer(self.map(|time| time.0));
    serde_json::Value, self => Param::Text(Some(self.to_string()));
}

/// The parameters of a statement, in the order of `$1`, `$2`, ….
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::sql::IntoParam::param(&$value)),*] };
}
pub(crate) use params;

/// A row of an answer.
pub(crate) struct Row {
    result: QueryResult,
    dialect: Dialect,
}

impl Row {
    /// The value of `column`.
    pub(crate) fn get<T: Column>(&self, column: &str) -> Result<T, Error> {
        T::read(self, column)
    }

    /// A JSON column, read as `T`.
    pub(crate) fn json<T: DeserializeOwned>(&self, column: &str) -> Result<T, Error> {
        let text = self.raw::<String>(column)?;
        serde_json::from_str(&text).map_err(|_| wrong(column))
    }

    /// A JSON column that may be null.
    pub(crate) fn json_or_none<T: DeserializeOwned>(&self, column: &str) -> Result<Option<T>, Error> {
        let text = self.raw::<Option<String>>(column)?;
        text.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| wrong(column))
    }

    fn raw<T: TryGetable>(&self, column: &str) -> Result<T, Error> {
        self.result.try_get("", column).map_err(|_| wrong(column))
    }
}

fn wrong(column: &str) -> Error {
    Error::Column { column: column.to_owned() }
}

/// What can be read from a column.
pub(crate) trait Column: Sized {
    fn read(row: &Row, column: &str) -> Result<Self, Error>;
}

macro_rules! plain_columns {
    ($($kind:ty),*) => {$(
        impl Column for $kind {
            fn read(row: &Row, column: &str) -> Result<Self, Error> { row.raw(column) }
        }
        impl Column for Option<$kind> {
            fn read(row: &Row, column: &str) -> Result<Self, Error> { row.raw(column) }
        }
    )*};
}
plain_columns!(String, i64, bool, Vec<u8>);

impl Column for Timestamp {
    fn read(row: &Row, column: &str) -> Result<Self, Error> {
        row.raw(column).map(Timestamp)
    }
}
impl Column for Option<Timestamp> {
    fn read(row: &Row, column: &str) -> Result<Self, Error> {
        Ok(row.raw::<Option<i64>>(column)?.map(Timestamp))
    }
}
macro_rules! id_columns {
    ($($kind:ty),* $(,)?) => {$(
        impl IntoParam for $kind {
            fn param(&self) -> Param { Param::Id(Some(self.uuid())) }
        }
        impl IntoParam for Option<$kind> {
            fn param(&self) -> Param { Param::Id(self.map(Id::uuid)) }
        }
        impl Column for $kind {
            fn read(row: &Row, column: &str) -> Result<Self, Error> {
                read_uuid(row, column)?.map(<$kind>::from_uuid).ok_or_else(|| wrong(column))
            }
        }
        impl Column for Option<$kind> {
            fn read(row: &Row, column: &str) -> Result<Self, Error> {
                Ok(read_uuid(row, column)?.map(<$kind>::from_uuid))
            }
        }
    )*};
}
id_columns!(
    ids::WorkspaceId,
    ids::UserId,
    ids::CredentialId,
    ids::ProjectId,
    ids::SourceId,
    ids::SiteId,
    ids::ContactId,
    ids::LeadId,
    ids::SubmissionId,
    ids::PipelineId,
    ids::StageId,
    ids::ActivityId,
    ids::EventId,
    ids::DestinationId,
    ids::DeliveryId,
    ids::AttemptId,
    ids::StageCountId,
    ids::ConversationId,
    ids::MessageId,
    ids::FetchId,
    ids::AlertId,
    ids::MailId,
    ids::BlockedIpId,
    ids::BlockedAttemptId,
    ids::RescoreId,
    ids::SealedRowId,
    ids::ReplayId,
    ids::LeadViewId,
    ids::JobId,
    ids::SegmentId,
    ids::ImportId,
    ids::MergeId,
    ids::RoleId,
    ids::InvitationId,
    ids::AuditId,
    ids::SuppressionId,
    ids::ConsentId,
    ids::AssignmentRuleId,
    ids::TaskId,
    ids::PersonalAlertId,
    ids::ChannelId,
    ids::MessageTemplateId,
    ids::CauseId,
    ids::CannedReplyId,
    ids::AttachmentId,
    ids::AudienceId,
    ids::AutomationId,
    ids::RunId,
    ids::CampaignId,
    ids::HitId,
);

fn read_uuid(row: &Row, column: &str) -> Result<Option<Uuid>, Error> {
    match row.dialect {
        Dialect::Postgres => row.raw::<Option<Uuid>>(column),
        Dialect::Sqlite => match row.raw::<Option<String>>(column)? {
            Some(text) => text.parse().map(Some).map_err(|_| wrong(column)),
            None => Ok(None),
        },
    }
}

/// A set of rows on its way into a table: the columns by name and kind, in one place for both databases.
pub(crate) type Columns = &'static [(&'static str, Kind)];

/// A write transaction. Dropping it without [`Tx::commit`] takes everything back.
pub struct Tx {
    transaction: DatabaseTransaction,
    dialect: Dialect,
}

impl Tx {
    pub(crate) fn new(transaction: DatabaseTransaction, dialect: Dialect) -> Self {
        Self { transaction, dialect }
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// Where the database does not confirm it; then it may or may not have happened.
    pub async fn commit(self) -> Result<(), Error> {
        in_time(self.dialect, self.transaction.commit()).await
    }

    /// Takes everything back. Dropping does the same, but later.
    ///
    /// # Errors
    /// Where the database is gone.
    pub async fn rollback(self) -> Result<(), Error> {
        in_time(self.dialect, self.transaction.rollback()).await
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) async fn execute(&mut self, sql: &str, params: &[Param]) -> Result<u64, Error> {
        let statement = statement(self.dialect, sql, params);
        Ok(in_time(self.dialect, self.transaction.execute_raw(statement)).await?.rows_affected())
    }

    pub(crate) async fn query(&mut self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Error> {
        query(&self.transaction, self.dialect, sql, params).await
    }

    pub(crate) async fn query_one(&mut self, sql: &str, params: &[Param]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    /// Inserts a set of rows with one statement and tells how many went in. `conflict` is what follows the rows, such
    /// as `ON CONFLICT (id) DO NOTHING`.
    pub(crate) async fn insert_set<T: Serialize>(
        &mut self,
        table: &str,
        columns: Columns,
        rows: &[T],
        conflict: &str,
    ) -> Result<u64, Error> {
        if rows.is_empty() {
            return Ok(0);
        }
        let sql = self.insert_sql(table, columns, conflict);
        self.execute(&sql, &[json_set(rows)]).await
    }

    /// Inserts those of a set of rows whose `key` is free, and gives the keys that went in.
    pub(crate) async fn insert_new<T: Serialize, Key: Column>(
        &mut self,
        table: &str,
        columns: Columns,
        rows: &[T],
        key: &str,
    ) -> Result<Vec<Key>, Error> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let conflict = format!("ON CONFLICT ({key}) DO NOTHING RETURNING {key}");
        let sql = self.insert_sql(table, columns, &conflict);
        self.query(&sql, &[json_set(rows)]).await?.iter().map(|row| row.get(key)).collect()
    }

    fn insert_sql(&self, table: &str, columns: Columns, conflict: &str) -> String {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        let set = self.dialect.set(1, columns);
        // "WHERE true" keeps SQLite from reading ON CONFLICT as the ON of a join.
        format!("INSERT INTO {table} ({names}) SELECT {names} FROM {set} WHERE true {conflict}")
    }
}

/// A set of rows, or a list of ids, as one parameter.
pub(crate) fn json_set<T: Serialize>(rows: &[T]) -> Param {
    Param::Text(Some(serde_json::to_string(rows).expect("rows are made of maps, texts and numbers")))
}

/// Reads what is committed.
#[derive(Clone)]
pub struct Reader {
    connection: DatabaseConnection,
    dialect: Dialect,
}

impl Reader {
    pub(crate) fn new(connection: DatabaseConnection, dialect: Dialect) -> Self {
        Self { connection, dialect }
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(crate) async fn query(&self, sql: &str, params: &[Param]) -> Result<Vec<Row>, Error> {
        #[cfg(feature = "testing")]
        crate::testing::plans::note(sql, params);
        query(&self.connection, self.dialect, sql, params).await
    }

    pub(crate) async fn query_one(&self, sql: &str, params: &[Param]) -> Result<Option<Row>, Error> {
        Ok(self.query(sql, params).await?.into_iter().next())
    }

    pub(crate) async fn count(&self, sql: &str, params: &[Param]) -> Result<i64, Error> {
        match self.query_one(sql, params).await? {
            Some(row) => row.get("n"),
            None => Ok(0),
        }
    }
}

async fn query(
    connection: &impl ConnectionTrait,
    dialect: Dialect,
    sql: &str,
    params: &[Param],
) -> Result<Vec<Row>, Error> {
    let results = in_time(dialect, connection.query_all_raw(statement(dialect, sql, params))).await?;
    Ok(results.into_iter().map(|result| Row { result, dialect }).collect())
}

/// Waits for the database, but not for good where a network is between us and it.
pub(crate) async fn in_time<T>(dialect: Dialect, asked: impl Future<Output = Result<T, DbErr>>) -> Result<T, Error> {
    match dialect {
        Dialect::Sqlite => Ok(asked.await?),
        Dialect::Postgres => Ok(timeout(STATEMENT_DEADLINE, asked).await.map_err(|_elapsed| Error::TimedOut)??),
    }
}

fn statement(dialect: Dialect, sql: &str, params: &[Param]) -> Statement {
    Statement::from_sql_and_values(dialect.backend(), sql, params.iter().map(|param| param.value(dialect)))
}

/// One page of a list, with how many there are in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows of this page.
    pub rows: Vec<T>,
    /// How many there are in all, or the cap where counting stopped.
    pub total: i64,
    /// Whether there are more than `total`.
    pub total_is_capped: bool,
}

/// Counting stops here: nobody reads page 200, and an exact count of a rare filter reads the whole table.
pub(crate) const COUNT_CAP: i64 = 10_000;

impl<T> Page<T> {
    pub(crate) fn new(rows: Vec<T>, counted: i64) -> Self {
        Self { rows, total: counted.min(COUNT_CAP), total_is_capped: counted > COUNT_CAP }
    }
}
