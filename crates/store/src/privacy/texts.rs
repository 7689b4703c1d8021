//! Texts in which somebody may be named, looked through in strips by primary key.
//!
//! The database is asked for what is worth a closer look ([`strip`]); whoever knows the person looks closely ([`load`])
//! and says what goes. Nothing is locked while it is looked for.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    privacy::Pieces,
};
use serde_json::{Map, Value};

use super::places::Owner;
use crate::{
    dialect::{Dialect, Kind},
    search::escape,
    sql::{Columns, Error, IntoParam, Param, Reader, Row, Tx, json_set, params},
};

/// Signs that people write between the digits of a number, also as forms send them.
const BETWEEN_DIGITS: [&str; 11] = [" ", "-", ".", "/", "(", ")", "+", "%20", "%28", "%29", "%2f"];

/// A table with texts.
#[derive(Debug, Clone, Copy)]
pub struct Texts {
    /// Its primary key.
    pub(crate) key: Columns,
    /// How its rows belong to a workspace.
    pub(crate) scope: Scope,
    /// The columns that are looked through.
    pub(crate) columns: Columns,
    /// A column that names a lead, where no index leads there.
    pub(crate) lead: Option<&'static str>,
    /// Whether a row that holds the id of a lead or contact names the person.
    pub by_id: bool,
    /// What becomes of a row that names them.
    pub act: Act,
}

impl Texts {
    /// Whether the column of this number holds JSON.
    #[must_use]
    pub fn is_json(&self, column: usize) -> bool {
        self.columns.get(column).is_some_and(|(_, kind)| *kind == Kind::Json)
    }
}

/// How rows belong to a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// They say so.
    Workspace,
    /// Their import does.
    Imports,
}

/// What becomes of a row that names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It is deleted.
    Delete,
    /// It is deleted, with what belongs to it.
    DeleteWith(Owner),
    /// The texts that name them are replaced.
    Redact,
    /// The same, with the other texts of the same list.
    RedactRows,
}

/// The key of a row, by the names of its columns.
pub type Key = Map<String, Value>;

/// The id of a row that has one.
#[must_use]
pub fn id_of(key: &Key) -> Option<&str> {
    key.get("id").and_then(Value::as_str)
}

/// Whose rows are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Sought<'a> {
    /// Whose workspace.
    pub workspace: WorkspaceId,
    /// What a text must hold somewhere.
    pub pieces: &'a Pieces,
    /// The leads of the person.
    pub leads: &'a [LeadId],
}

/// What came of a strip.
#[derive(Debug, Clone, Default)]
pub struct Strip {
    /// Rows that are worth a closer look, and whether they are the person's by an id already.
    pub found: Vec<(Key, bool)>,
    /// Where the next strip begins; nothing, where this was the last one.
    pub next: Option<Key>,
}

/// A row, as far as it is looked through.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Its key.
    pub key: Key,
    /// Its columns, in the order of [`Texts::columns`].
    pub columns: Vec<Option<String>>,
}

/// Looks through the next rows behind `after`.
///
/// # Errors
/// Where the database fails.
pub async fn strip(
    reader: &Reader,
    (table, texts): (&str, &Texts),
    sought: Sought<'_>,
    after: Option<&Key>,
    limit: i64,
) -> Result<Strip, Error> {
    let dialect = reader.dialect();
    let keys = key_names(texts);
    let mut values: Vec<Param> = params![sought.workspace].into();
    let of_workspace = match texts.scope {
        Scope::Workspace => "workspace_id = $1",
        Scope::Imports => "import_id IN (SELECT id FROM imports WHERE workspace_id = $1)",
    };
    let behind = match after {
        Some(after) => {
            let places: Vec<String> = texts
                .key
                .iter()
                .map(|(name, kind)| {
                    values.push(key_param(*kind, after.get(*name)));
                    format!("${}", values.len())
                })
                .collect();
            format!("AND ({keys}) > ({})", places.join(", "))
        }
        None => String::new(),
    };
    // By the primary key, from where it stopped.
    let rows = format!("FROM {table} WHERE {of_workspace} {behind} ORDER BY {keys}");
    let last = format!("SELECT {} {rows} LIMIT 1 OFFSET {}", shown_key(texts), limit - 1);
    let next = reader.query_one(&last, &values).await?.map(|row| read_key(&row, texts)).transpose()?;
    let [words, digits] = [patterns(&sought.pieces.texts), patterns(&sought.pieces.digits)];
    values.extend([words, digits]);
    let (words, digits) = (values.len() - 1, values.len());
    let owned = match texts.lead {
        Some(column) => {
            values.push(json_set(sought.leads));
            format!("CASE WHEN {column} IN {} THEN 1 ELSE 0 END", dialect.id_list(values.len()))
        }
        None => "0".to_owned(),
    };
    let among = |column: &str, parameter: usize| {
        format!("EXISTS (SELECT 1 FROM {} AS p WHERE {column} LIKE p.value ESCAPE '\\')", dialect.text_list(parameter))
    };
    let plain = BETWEEN_DIGITS.iter().fold("words".to_owned(), |text, sign| format!("replace({text}, '{sign}', '')"));
    // The strip first, then its texts once, then the questions about them.
    let sql = format!(
        "SELECT {shown}, CAST(owned AS BIGINT) AS owned FROM
             (SELECT b.*, {plain} AS plain FROM
                  (SELECT {keys}, {owned} AS owned, {text} AS words {rows} LIMIT {limit}) AS b) AS c
         WHERE owned = 1 OR {by_words} OR {by_digits}",
        shown = shown_key(texts),
        text = dialect.folded(&joined(dialect, texts)),
        by_words = among("words", words),
        by_digits = among("plain", digits),
    );
    let found = reader.query(&sql, &values).await?;
    let found = found.iter().map(|row| Ok((read_key(row, texts)?, row.get::<i64>("owned")? == 1)));
    Ok(Strip { found: found.collect::<Result<_, Error>>()?, next })
}

/// Reads what stands in rows.
///
/// # Errors
/// Where the database fails.
pub async fn load(reader: &Reader, (table, texts): (&str, &Texts), keys: &[Key]) -> Result<Vec<Looked>, Error> {
    let dialect = reader.dialect();
    let columns: Vec<String> = texts
        .columns
        .iter()
        .map(|(name, kind)| match kind {
            Kind::Json => format!("{} AS {name}_text", dialect.json_text(name)),
            _ => format!("{name} AS {name}_text"),
        })
        .collect();
    let sql = format!(
        "SELECT {shown}, {columns} FROM {table} WHERE {these}",
        shown = shown_key(texts),
        columns = columns.join(", "),
        these = these(dialect, texts, 1),
    );
    let rows = reader.query(&sql, &[json_set(keys)]).await?;
    rows.iter()
        .map(|row| {
            let text = |(name, _): &(&str, Kind)| row.get::<Option<String>>(&format!("{name}_text"));
            let columns = texts.columns.iter().map(text).collect::<Result<_, _>>()?;
            Ok(Looked { key: read_key(row, texts)?, columns })
        })
        .collect()
}

/// Deletes rows, and tells how many there were.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, (table, texts): (&str, &Texts), keys: &[Key]) -> Result<u64, Error> {
    if keys.is_empty() {
        return Ok(0);
    }
    let sql = format!("DELETE FROM {table} WHERE {}", these(tx.dialect(), texts, 1));
    tx.execute(&sql, &[json_set(keys)]).await
}

/// Writes other texts into rows, one after the other: they are few.
///
/// # Errors
/// Where the database fails.
pub async fn rewrite(tx: &mut Tx, (table, texts): (&str, &Texts), rows: &[Looked]) -> Result<u64, Error> {
    let dialect = tx.dialect();
    let mut changed = 0;
    for row in rows {
        let set: Vec<String> = texts
            .columns
            .iter()
            .zip(2..)
            .map(|((name, kind), at)| match kind {
                Kind::Json => format!("{name} = {}", dialect.json(at)),
                _ => format!("{name} = ${at}"),
            })
            .collect();
        let sql = format!("UPDATE {table} SET {} WHERE {}", set.join(", "), these(dialect, texts, 1));
        let mut values = vec![json_set(std::slice::from_ref(&row.key))];
        values.extend(row.columns.iter().map(IntoParam::param));
        changed += tx.execute(&sql, &values).await?;
    }
    Ok(changed)
}

/// That a row is among the keys in a JSON parameter.
fn these(dialect: Dialect, texts: &Texts, parameter: usize) -> String {
    let names: Vec<String> = texts.key.iter().map(|(name, _)| format!("r.{name}")).collect();
    format!("({}) IN (SELECT {} FROM {})", key_names(texts), names.join(", "), dialect.set(parameter, texts.key))
}

fn joined(dialect: Dialect, texts: &Texts) -> String {
    let column = |(name, kind): &(&str, Kind)| match kind {
        Kind::Json => format!("coalesce({}, '')", dialect.json_text(name)),
        _ => format!("coalesce({name}, '')"),
    };
    texts.columns.iter().map(column).collect::<Vec<_>>().join(" || ' ' || ")
}

fn patterns(pieces: &[String]) -> Param {
    json_set(&pieces.iter().map(|piece| format!("%{}%", escape(piece))).collect::<Vec<_>>())
}

fn key_names(texts: &Texts) -> String {
    texts.key.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// The key as it is written: ids and numbers as texts.
fn shown_key(texts: &Texts) -> String {
    texts.key.iter().map(|(name, _)| format!("CAST({name} AS TEXT) AS key_{name}")).collect::<Vec<_>>().join(", ")
}

fn read_key(row: &Row, texts: &Texts) -> Result<Key, Error> {
    texts
        .key
        .iter()
        .map(|(name, kind)| {
            let text: String = row.get(&format!("key_{name}"))?;
            let wrong = || Error::Column { column: (*name).to_owned() };
            let value = match kind {
                Kind::Integer => Value::from(text.parse::<i64>().map_err(|_| wrong())?),
                _ => Value::from(text),
            };
            Ok(((*name).to_owned(), value))
        })
        .collect()
}

fn key_param(kind: Kind, value: Option<&Value>) -> Param {
    match kind {
        Kind::Integer => value.and_then(Value::as_i64).param(),
        _ => value.and_then(Value::as_str).and_then(|text| text.parse::<LeadId>().ok()).param(),
    }
}
