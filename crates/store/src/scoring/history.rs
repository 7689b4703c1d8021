//! What the scores of leads were: a row for each time that they changed.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    scores::history::{Cause, Entry, Figures},
};
use serde::Serialize;
use serde_json::Value;

use crate::{
    dialect::Kind,
    sql::{Columns, Error, Page, Reader, Row, Tx, json_set, params},
};

/// Rows that a lead keeps.
const MOST: i64 = 100;

/// A lead's scores, and the last row of their history.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `leads` under their own names")]
pub struct Standing {
    pub lead_id: LeadId,
    pub workspace_id: WorkspaceId,
    pub score: i64,
    pub score_reasons: Value,
    pub engagement: Option<i64>,
    pub suspicion: i64,
    pub score_version: i64,
    /// The last row and its number, where there is one.
    pub last: Option<(i64, Entry)>,
}

/// A row to be written.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the columns of `lead_scores` under their own names")]
pub struct NewRow {
    pub lead_id: LeadId,
    pub number: i64,
    pub workspace_id: WorkspaceId,
    pub at: i64,
    pub score: i64,
    pub fit: i64,
    pub engagement: Option<i64>,
    pub suspicion: i64,
    pub silence: i64,
    pub version: i64,
    pub cause: &'static str,
}

const ROW_COLUMNS: Columns = &[
    ("lead_id", Kind::Id),
    ("number", Kind::Integer),
    ("workspace_id", Kind::Id),
    ("at", Kind::Integer),
    ("score", Kind::Integer),
    ("fit", Kind::Integer),
    ("engagement", Kind::Integer),
    ("suspicion", Kind::Integer),
    ("silence", Kind::Integer),
    ("version", Kind::Integer),
    ("cause", Kind::Text),
];

const KEY_COLUMNS: Columns = &[("lead_id", Kind::Id), ("number", Kind::Integer)];

/// What is read of a row, of the alias `h`.
const READ: &str = "h.number, h.at, h.score AS h_score, h.fit, h.engagement AS h_engagement, h.suspicion AS \
                    h_suspicion, h.silence, h.version, h.cause";

/// The scores of these leads, with what was noted of them last.
///
/// # Errors
/// Where the database fails.
pub async fn standings(tx: &mut Tx, leads: &[LeadId]) -> Result<Vec<Standing>, Error> {
    if leads.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT l.id, l.workspace_id, l.score, {reasons} AS score_reasons, l.engagement, l.suspicion, l.score_version,
                {READ}
         FROM leads AS l LEFT JOIN lead_scores AS h
             ON h.lead_id = l.id AND h.number = (SELECT max(number) FROM lead_scores AS m WHERE m.lead_id = l.id)
         WHERE l.id IN {list} ORDER BY l.id",
        reasons = dialect.json_text("l.score_reasons"),
        list = dialect.id_list(1),
    );
    tx.query(&sql, &[json_set(leads)]).await?.iter().map(read_standing).collect()
}

fn read_standing(row: &Row) -> Result<Standing, Error> {
    let number: Option<i64> = row.get("number")?;
    Ok(Standing {
        lead_id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        score: row.get("score")?,
        score_reasons: row.json("score_reasons")?,
        engagement: row.get("engagement")?,
        suspicion: row.get("suspicion")?,
        score_version: row.get("score_version")?,
        last: number.map(|number| Ok::<_, Error>((number, read_entry(row)?))).transpose()?,
    })
}

fn read_entry(row: &Row) -> Result<Entry, Error> {
    let cause: String = row.get("cause")?;
    Ok(Entry {
        at: row.get("at")?,
        figures: Figures {
            score: row.get("h_score")?,
            fit: row.get("fit")?,
            engagement: row.get("h_engagement")?,
            suspicion: row.get("h_suspicion")?,
            silence: row.get("silence")?,
        },
        version: row.get("version")?,
        cause: Cause::parse(&cause).ok_or_else(|| Error::Column { column: "cause".to_owned() })?,
    })
}

/// Writes rows, in place of those of the same number, and lets go of the oldest where a lead has too many.
///
/// # Errors
/// [`Error::Contended`] where another node was at the same lead.
pub async fn write(tx: &mut Tx, rows: &[NewRow], replaced: &[(LeadId, i64)]) -> Result<(), Error> {
    delete(tx, replaced, "h.number = r.number").await?;
    let written = tx.insert_set("lead_scores", ROW_COLUMNS, rows, "ON CONFLICT (lead_id, number) DO NOTHING").await?;
    if written != rows.len() as u64 {
        return Err(Error::Contended);
    }
    let full: Vec<(LeadId, i64)> =
        rows.iter().filter(|row| row.number > MOST).map(|row| (row.lead_id, row.number - MOST)).collect();
    delete(tx, &full, "h.number <= r.number").await
}

#[derive(Serialize)]
struct Key {
    lead_id: LeadId,
    number: i64,
}

async fn delete(tx: &mut Tx, keys: &[(LeadId, i64)], which: &str) -> Result<(), Error> {
    if keys.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> = keys.iter().map(|(lead_id, number)| Key { lead_id: *lead_id, number: *number }).collect();
    let sql = format!(
        "DELETE FROM lead_scores AS h WHERE EXISTS (SELECT 1 FROM {} WHERE h.lead_id = r.lead_id AND {which})",
        tx.dialect().set(1, KEY_COLUMNS),
    );
    tx.execute(&sql, &[json_set(&keys)]).await.map(drop)
}

/// What the scores of a lead were, the newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    lead: LeadId,
    limit: i64,
    offset: i64,
) -> Result<Page<Entry>, Error> {
    let sql = format!(
        "SELECT {READ} FROM lead_scores AS h WHERE h.lead_id = $1 AND h.workspace_id = $2
         ORDER BY h.number DESC LIMIT $3 OFFSET $4"
    );
    let rows = reader.query(&sql, &params![lead, workspace, limit, offset]).await?;
    let count = "SELECT count(*) AS n FROM lead_scores WHERE lead_id = $1 AND workspace_id = $2";
    let total = reader.count(count, &params![lead, workspace]).await?;
    Ok(Page::new(rows.iter().map(read_entry).collect::<Result<_, _>>()?, total))
}
