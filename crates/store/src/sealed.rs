//! Where the database holds what is sealed with the installation's key: the one list, for whoever moves it to another
//! key or looks whether a key fits.
//!
//! A column that is not in [`PLACES`] would be lost with the old key. Columns of sealed text end in `_sealed`, members
//! of JSON in `Sealed`; a test looks for such names that are missing here.

use leadline_domain::ids::SealedRowId;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::{
    dialect::Kind,
    sql::{Error, Reader, Tx, json_set, params},
};

/// A column that holds something sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The table.
    pub table: &'static str,
    /// Its primary key.
    key: &'static str,
    /// The column.
    pub column: &'static str,
    /// How it holds it.
    pub shape: Shape,
}

/// How a column holds something sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// It is the sealed text.
    Text,
    /// It is a JSON object, of which these members are sealed text where they are there.
    Members(&'static [&'static str]),
}

/// Everything that is sealed. The check of the key comes first: once it is sealed with a new key, nothing starts any
/// more that has the old one alone.
pub const PLACES: [Place; 12] = [
    Place { table: "installation", key: "id", column: "check_sealed", shape: Shape::Text },
    Place { table: "destinations", key: "id", column: "secret_sealed", shape: Shape::Text },
    Place { table: "destinations", key: "id", column: "previous_secret_sealed", shape: Shape::Text },
    Place { table: "destinations", key: "id", column: "headers_sealed", shape: Shape::Text },
    Place { table: "destinations", key: "id", column: "oauth_sealed", shape: Shape::Text },
    Place { table: "destinations", key: "id", column: "token_sealed", shape: Shape::Text },
    Place { table: "destinations", key: "id", column: "client_certificate_sealed", shape: Shape::Text },
    Place { table: "channels", key: "id", column: "credentials_sealed", shape: Shape::Text },
    Place { table: "lead_analysis_settings", key: "workspace_id", column: "key_sealed", shape: Shape::Text },
    Place { table: "sign_in_providers", key: "workspace_id", column: "client_secret_sealed", shape: Shape::Text },
    Place { table: "second_factors", key: "user_id", column: "secret_sealed", shape: Shape::Text },
    Place { table: "sources", key: "id", column: "settings", shape: Shape::Members(SOURCE_MEMBERS) },
];

const SOURCE_MEMBERS: &[&str] = &["secretSealed", "verifyTokenSealed", "accessTokenSealed"];

/// What stands in one row of a place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Held {
    /// Of which row.
    pub id: SealedRowId,
    /// The sealed text, or the whole object.
    pub held: Value,
}

impl Place {
    /// Every sealed text of one row.
    #[must_use]
    pub fn texts(self, held: &Value) -> Vec<&str> {
        match self.shape {
            Shape::Text => held.as_str().into_iter().collect(),
            Shape::Members(names) => names.iter().filter_map(|name| held.get(name)?.as_str()).collect(),
        }
    }
}

/// Before every row.
#[must_use]
pub fn beginning() -> SealedRowId {
    SealedRowId(Uuid::nil())
}

/// The next rows of a place after one, by the table's primary key. Nobody else changes them until the transaction
/// ends.
///
/// # Errors
/// Where the database fails.
pub async fn list(tx: &mut Tx, place: Place, after: SealedRowId, limit: i64) -> Result<Vec<Held>, Error> {
    let Place { table, key, column, shape } = place;
    let dialect = tx.dialect();
    let held = match shape {
        Shape::Text => column.to_owned(),
        Shape::Members(_) => dialect.json_text(column),
    };
    let sql = format!(
        "SELECT {key} AS id, {held} AS held FROM {table} WHERE {key} > $1 AND {column} IS NOT NULL
         ORDER BY {key} LIMIT $2 {lock}",
        lock = dialect.for_update(),
    );
    let rows = tx.query(&sql, &params![after, limit]).await?;
    rows.iter()
        .map(|row| {
            let held = match shape {
                Shape::Text => Value::String(row.get("held")?),
                Shape::Members(_) => row.json("held")?,
            };
            Ok(Held { id: row.get("id")?, held })
        })
        .collect()
}

/// Puts something else into rows of a place.
///
/// # Errors
/// Where the database fails.
pub async fn replace(tx: &mut Tx, place: Place, rows: &[Held]) -> Result<u64, Error> {
    if rows.is_empty() {
        return Ok(0);
    }
    let Place { table, key, column, shape } = place;
    let kind = match shape {
        Shape::Text => Kind::Text,
        Shape::Members(_) => Kind::Json,
    };
    let set = tx.dialect().set(1, &[("id", Kind::Id), ("held", kind)]);
    let sql = format!("UPDATE {table} SET {column} = r.held FROM {set} WHERE {table}.{key} = r.id");
    tx.execute(&sql, &[json_set(rows)]).await
}

/// How many connections other processes of this program have to the database: those of running servers. SQLite knows of
/// none; there the data folder's lock says who runs.
///
/// # Errors
/// Where the database fails.
pub async fn count_other_connections(reader: &Reader) -> Result<i64, Error> {
    match reader.dialect().other_connections() {
        Some(from) => reader.count(&format!("SELECT count(*) AS n FROM {from}"), &[]).await,
        None => Ok(0),
    }
}
