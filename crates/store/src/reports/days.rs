//! Facts of days, packed. A day is announced first and packed later: from its announcement on the database notes each
//! change of one of its leads, and between the two lies more time than a transaction may take, so that no change that
//! was under way goes unnoticed. A day with a change that is noted is not used until it is packed again.

use std::ops::Range;

use leadline_domain::{
    ids::WorkspaceId,
    reports::{Names, packing},
    time::{DAY_MS, Timestamp},
};

use super::{day_of, read};
use crate::sql::{Error, Reader, Tx, json_set, params};

/// Changes of a day that are looked at when it is packed. The others make it be packed once more.
const CHANGES_MAX: i64 = 10_000;

/// What is known of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    /// The day, counted from the epoch.
    pub day: i64,
    /// When it was announced.
    pub announced_at: Timestamp,
    /// Whether it is packed, and nothing of it has changed since.
    pub is_packed: bool,
}

/// The packed facts of those of these days that can be used, in their order.
pub(super) async fn packed(
    reader: &Reader,
    workspace: WorkspaceId,
    days: Range<i64>,
) -> Result<Vec<(i64, Vec<u8>)>, Error> {
    // By the primary key, and by `report_changes_of_day`. One statement, so that a day and its changes are of one moment.
    let sql = "SELECT d.day, d.packed FROM report_days AS d
               WHERE d.workspace_id = $1 AND d.day >= $2 AND d.day < $3 AND d.packed IS NOT NULL
                     AND NOT EXISTS (SELECT 1 FROM report_changes AS c
                                     WHERE c.workspace_id = d.workspace_id AND c.day = d.day)
               ORDER BY d.day";
    let rows = reader.query(sql, &params![workspace, days.start, days.end]).await?;
    rows.iter().map(|row| Ok((row.get("day")?, row.get("packed")?))).collect()
}

/// Workspaces with so many leads at least.
///
/// # Errors
/// Where the database fails.
pub async fn large_workspaces(reader: &Reader, leads: i64) -> Result<Vec<WorkspaceId>, Error> {
    let sql = "SELECT workspace_id FROM lead_stage_counts GROUP BY workspace_id HAVING sum(n) >= $1
               ORDER BY workspace_id LIMIT 1000";
    reader.query(sql, &params![leads]).await?.iter().map(|row| row.get("workspace_id")).collect()
}

/// When the first lead of a workspace came. By `leads_by_creation`.
///
/// # Errors
/// Where the database fails.
pub async fn first_day(reader: &Reader, workspace: WorkspaceId) -> Result<Option<i64>, Error> {
    let sql = "SELECT created_at FROM leads WHERE workspace_id = $1 AND deleted_at IS NULL
               ORDER BY created_at, id LIMIT 1";
    let row = reader.query_one(sql, &params![workspace]).await?;
    row.map(|row| Ok(day_of(row.get("created_at")?))).transpose()
}

/// The days from `first` on that are announced, in their order.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId, first: i64) -> Result<Vec<Day>, Error> {
    let sql = "SELECT d.day, d.announced_at,
                      d.packed IS NOT NULL AND NOT EXISTS (SELECT 1 FROM report_changes AS c
                           WHERE c.workspace_id = d.workspace_id AND c.day = d.day) AS is_packed
               FROM report_days AS d WHERE d.workspace_id = $1 AND d.day >= $2 ORDER BY d.day LIMIT 10000";
    let rows = reader.query(sql, &params![workspace, first]).await?;
    rows.iter()
        .map(|row| {
            Ok(Day { day: row.get("day")?, announced_at: row.get("announced_at")?, is_packed: row.get("is_packed")? })
        })
        .collect()
}

/// Announces days.
///
/// # Errors
/// Where the database fails.
pub async fn announce(tx: &mut Tx, workspace: WorkspaceId, days: &[i64], now: Timestamp) -> Result<(), Error> {
    let numbers = tx.dialect().number_list(3);
    let sql = format!(
        "INSERT INTO report_days (workspace_id, day, version, announced_at)
         SELECT $1, value, 0, $2 FROM {numbers} AS days WHERE TRUE ON CONFLICT DO NOTHING"
    );
    let [workspace, now] = params![workspace, now];
    tx.execute(&sql, &[workspace, now, json_set(days)]).await.map(drop)
}

/// A day that was read, to be kept.
#[derive(Debug)]
pub struct ReadDay {
    day: i64,
    version: i64,
    changes: Vec<i64>,
    packed: Vec<u8>,
}

/// Reads the leads of an announced day.
///
/// # Errors
/// Where the database fails.
pub async fn read_day(reader: &Reader, workspace: WorkspaceId, day: i64) -> Result<Option<ReadDay>, Error> {
    let sql = "SELECT version FROM report_days WHERE workspace_id = $1 AND day = $2";
    let Some(row) = reader.query_one(sql, &params![workspace, day]).await? else { return Ok(None) };
    let version = row.get("version")?;
    // Before the leads: what is noted now is in what is read next.
    let sql = format!(
        "SELECT number FROM report_changes WHERE workspace_id = $1 AND day = $2 ORDER BY number LIMIT {CHANGES_MAX}"
    );
    let changes = reader.query(&sql, &params![workspace, day]).await?;
    let changes = changes.iter().map(|row| row.get("number")).collect::<Result<_, _>>()?;
    let mut names = Names::default();
    let facts = read(reader, workspace, day * DAY_MS..(day + 1) * DAY_MS, &mut names).await?;
    Ok(Some(ReadDay { day, version, changes, packed: packing::pack(&facts, &names) }))
}

/// Keeps a day that was read, unless somebody else kept it meanwhile.
///
/// # Errors
/// Where the database fails.
pub async fn keep(tx: &mut Tx, workspace: WorkspaceId, read: ReadDay) -> Result<(), Error> {
    let ReadDay { day, version, changes, packed } = read;
    let sql = "UPDATE report_days SET packed = $4, version = version + 1
               WHERE workspace_id = $1 AND day = $2 AND version = $3";
    if tx.execute(sql, &params![workspace, day, version, packed]).await? == 0 {
        return Ok(());
    }
    let numbers = tx.dialect().number_list(2);
    let sql = format!("DELETE FROM report_changes WHERE number IN {numbers} AND workspace_id = $1");
    let [workspace] = params![workspace];
    tx.execute(&sql, &[workspace, json_set(&changes)]).await.map(drop)
}
