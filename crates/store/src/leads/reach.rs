//! How many leads match, and how many persons are behind them.

use leadline_domain::ids::WorkspaceId;

use super::{
    LeadFilter,
    found::{Asked, Found, Where, depth, found, has_index, is_whole, narrows, strip_of},
    tally::count_all,
};
use crate::sql::{COUNT_CAP, Error, Reader};

/// How far a filter reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reach {
    /// How many leads match, or where counting stopped.
    pub leads: i64,
    /// Whether there may be more than `leads`.
    pub leads_are_capped: bool,
    /// How many persons are behind those that were counted.
    pub contacts: i64,
    /// Whether there may be more than `contacts`.
    pub contacts_are_capped: bool,
}

/// Counts those that match, by looking once through what a list of them is made of.
///
/// # Errors
/// Where the database fails.
pub async fn reach(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<Reach, Error> {
    let mut newest = None;
    if has_index(reader.dialect(), filter) {
        match found(reader, workspace, filter).await? {
            Found::Few(ids) => return count(reader, Where::among(workspace, &ids, reader), true).await,
            Found::Newest(ids) => return count(reader, Where::among(workspace, &ids, reader), false).await,
            Found::Many(ids) => newest = Some(ids),
            Found::All => {}
        }
    }
    let dialect = reader.dialect();
    let depth = depth(reader, workspace).await?;
    let strip = strip_of(filter);
    let mut asked = Asked::of(dialect, filter);
    asked.condition.from = asked.strip(dialect, workspace, &strip, &["contact_id"], depth);
    let is_whole = is_whole(reader, workspace, &strip, depth).await?;
    let reach = count(reader, asked.condition, is_whole).await?;
    if let Some(ids) = newest.filter(|ids| !is_whole && reach.leads < i64::try_from(ids.len()).unwrap_or(i64::MAX)) {
        // The index knows of more than stand among the newest.
        return count(reader, Where::among(workspace, &ids, reader), false).await;
    }
    if narrows(filter) {
        return Ok(reach);
    }
    let leads = count_all(reader, workspace, filter).await?;
    Ok(Reach { leads, leads_are_capped: false, contacts_are_capped: reach.leads < leads, ..reach })
}

async fn count(reader: &Reader, condition: Where, are_all: bool) -> Result<Reach, Error> {
    let sql = format!(
        "SELECT count(*) AS leads, count(DISTINCT found.contact_id) AS contacts
         FROM (SELECT leads.contact_id FROM {} WHERE {} LIMIT {}) AS found",
        condition.from,
        condition.text,
        COUNT_CAP + 1,
    );
    let Some(row) = reader.query_one(&sql, &condition.params).await? else { return Ok(Reach::default()) };
    let (leads, contacts): (i64, i64) = (row.get("leads")?, row.get("contacts")?);
    let is_capped = !are_all || leads > COUNT_CAP;
    Ok(Reach { leads: leads.min(COUNT_CAP), leads_are_capped: is_capped, contacts, contacts_are_capped: is_capped })
}
