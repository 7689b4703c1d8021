//! Going through all leads that match, some at a time, for work that changes them: by their creation, which no change
//! moves, and so that each is met once.

use leadline_domain::{
    ids::{LeadId, WorkspaceId},
    time::Timestamp,
};

use super::{
    LeadFilter,
    found::{Asked, FEW, Found, Walk, Where, found},
    tally::count_all,
};
use crate::sql::{Error, Reader, params};

/// Leads that are looked at in one query.
const STRIP: i64 = 5_000;

/// Counting deleted leads stops here.
const DELETED_COUNT_CAP: i64 = 100_000;

/// Which leads a sweep goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sweep {
    /// Those that are not deleted.
    There,
    /// Those that are.
    Deleted,
}

impl Sweep {
    /// In words of the indexes `leads_by_creation` and `leads_deleted_by_creation`.
    fn condition(self) -> &'static str {
        match self {
            Self::There => "leads.deleted_at IS NULL",
            // Who went into another lead is not merely deleted.
            Self::Deleted => "leads.deleted_at IS NOT NULL AND leads.merged_into IS NULL",
        }
    }
}

/// A place in a sweep: a lead, by its creation.
pub type Place = (Timestamp, LeadId);

/// What a stretch of a sweep found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swept {
    /// The leads that match.
    pub found: Vec<LeadId>,
    /// How many were looked at.
    pub looked_at: i64,
    /// Where the next stretch begins; nothing, where no lead was left.
    pub place: Option<Place>,
    /// Whether none are left.
    pub is_over: bool,
}

/// All leads that match, where they are few and all of them are known.
///
/// # Errors
/// Where the database fails.
pub async fn few(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<Option<Vec<LeadId>>, Error> {
    match found(reader, workspace, filter).await? {
        Found::Few(ids) => Ok(Some(ids)),
        Found::Newest(_) | Found::Many(_) => Ok(None),
        Found::All => {
            let few = i64::try_from(FEW).unwrap_or(i64::MAX);
            if count_all(reader, workspace, filter).await? > few {
                return Ok(None);
            }
            let walk = if filter.stage.is_some() { Walk::Stage } else { Walk::Workspace };
            let Where { text, params, .. } = Where::of(reader.dialect(), workspace, filter, walk);
            let sql = format!("SELECT leads.id FROM leads WHERE {text} LIMIT {few}");
            Ok(Some(reader.query(&sql, &params).await?.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?))
        }
    }
}

/// How many leads a sweep looks at, or the cap where counting stopped.
///
/// # Errors
/// Where the database fails.
pub async fn total(reader: &Reader, workspace: WorkspaceId, sweep: Sweep) -> Result<i64, Error> {
    match sweep {
        Sweep::There => count_all(reader, workspace, &LeadFilter::default()).await,
        Sweep::Deleted => {
            let sql = format!(
                "SELECT count(*) AS n FROM (SELECT 1 AS one FROM leads
                                            WHERE leads.workspace_id = $1 AND {} LIMIT {DELETED_COUNT_CAP}) AS c",
                sweep.condition()
            );
            reader.count(&sql, &params![workspace]).await
        }
    }
}

/// The next leads that match, `most` of them at most, behind `after` and up to those that came at `as_of`.
///
/// # Errors
/// Where the database fails.
pub async fn sweep(
    reader: &Reader,
    workspace: WorkspaceId,
    (filter, sweep): (&LeadFilter, Sweep),
    (after, as_of): (Option<Place>, Timestamp),
    most: i64,
) -> Result<Swept, Error> {
    // Where the strip ends is settled first: a lead that goes meanwhile must not pull one in that nobody looks at.
    let Some((end, in_strip)) = end_of_strip(reader, workspace, sweep, (after, as_of)).await? else {
        return Ok(Swept { found: Vec::new(), looked_at: 0, place: after, is_over: true });
    };
    let mut asked = Asked::of(reader.dialect(), filter);
    let rows = strip(&mut asked, workspace, sweep, after);
    let (at, id) = (asked.condition.param(&end.0), asked.condition.param(&end.1));
    let sql = format!(
        "SELECT leads.id, leads.created_at, leads.place
         FROM (SELECT s.*, row_number() OVER (ORDER BY s.created_at, s.id) AS place
               FROM ({rows} AND (leads.created_at, leads.id) <= (${at}, ${id})) AS s) AS leads
         WHERE {} ORDER BY leads.place LIMIT {most}",
        asked.condition.text
    );
    let rows = reader.query(&sql, &asked.condition.params).await?;
    let found: Vec<LeadId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    let is_full = i64::try_from(rows.len()).unwrap_or(i64::MAX) >= most;
    match rows.last().filter(|_| is_full) {
        Some(last) => {
            let place = (last.get("created_at")?, last.get("id")?);
            Ok(Swept { found, looked_at: last.get("place")?, place: Some(place), is_over: false })
        }
        None => Ok(Swept { found, looked_at: in_strip, place: Some(end), is_over: in_strip < STRIP }),
    }
}

/// The last lead of the next strip, and how many the strip has.
async fn end_of_strip(
    reader: &Reader,
    workspace: WorkspaceId,
    sweep: Sweep,
    (after, as_of): (Option<Place>, Timestamp),
) -> Result<Option<(Place, i64)>, Error> {
    let mut asked = Asked::of(reader.dialect(), &LeadFilter::default());
    let rows = strip(&mut asked, workspace, sweep, after);
    let until = asked.condition.param(&as_of);
    // Numbered behind the limit: SQLite would number all that there are before it takes some.
    let sql = format!(
        "SELECT n.created_at, n.id, n.place
         FROM (SELECT s.created_at, s.id, row_number() OVER (ORDER BY s.created_at, s.id) AS place
               FROM ({rows} AND leads.created_at <= ${until}
                     ORDER BY leads.created_at, leads.id LIMIT {STRIP}) AS s) AS n
         ORDER BY n.place DESC LIMIT 1"
    );
    let last = reader.query_one(&sql, &asked.condition.params).await?;
    last.map(|row| Ok(((row.get("created_at")?, row.get("id")?), row.get("place")?))).transpose()
}

/// Leads behind a place, by `leads_by_creation` or its like for deleted leads.
fn strip(asked: &mut Asked, workspace: WorkspaceId, sweep: Sweep, after: Option<Place>) -> String {
    let columns = asked.column_list();
    let workspace = asked.condition.param(&workspace);
    let behind = after.map_or_else(String::new, |(at, id)| {
        let (at, id) = (asked.condition.param(&at), asked.condition.param(&id));
        format!("AND (leads.created_at, leads.id) > (${at}, ${id})")
    });
    format!("SELECT {columns} FROM leads WHERE leads.workspace_id = ${workspace} AND {} {behind}", sweep.condition())
}
