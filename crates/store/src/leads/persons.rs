//! The persons behind leads that match.

use leadline_domain::ids::{ContactId, WorkspaceId};

use super::{
    LeadFilter,
    found::{Found, Where, found},
};
use crate::{
    dialect::Dialect,
    sql::{Error, IntoParam, Param, Reader},
};

/// Who is behind leads that match.
pub(crate) enum People {
    /// Everybody who has a lead.
    Everybody,
    /// These are all.
    Few(Vec<ContactId>),
    /// These are behind the newest leads that match; there may be more.
    Newest(Vec<ContactId>),
    /// More than a few.
    Many,
}

/// Finds the persons behind leads that match.
pub(crate) async fn people(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<People, Error> {
    let (ids, are_all) = match found(reader, workspace, filter).await? {
        Found::All => return Ok(People::Everybody),
        Found::Many(_) => return Ok(People::Many),
        Found::Few(ids) => (ids, true),
        Found::Newest(ids) => (ids, false),
    };
    let condition = Where::among(workspace, &ids, reader);
    let sql = format!("SELECT DISTINCT leads.contact_id FROM {} WHERE {}", condition.from, condition.text);
    let rows = reader.query(&sql, &condition.params).await?;
    let contacts = rows.iter().map(|row| row.get("contact_id")).collect::<Result<_, _>>()?;
    Ok(if are_all { People::Few(contacts) } else { People::Newest(contacts) })
}

/// That somebody in a row of `contacts` has a lead that matches. By the index `leads_of_contact`; the parameters go
/// behind those that are there.
pub(crate) fn of_contact(
    dialect: Dialect,
    workspace: WorkspaceId,
    filter: &LeadFilter,
    params: &mut Vec<Param>,
) -> String {
    params.push(workspace.param());
    let of_workspace = dialect.equal_unindexed("leads.workspace_id", params.len());
    let text = format!("leads.contact_id = contacts.id AND leads.deleted_at IS NULL AND {of_workspace}");
    let mut condition = Where { from: String::new(), text, params: std::mem::take(params) };
    condition.narrow(dialect, filter);
    *params = condition.params;
    // Asked of one contact after the other, in their order: PostgreSQL would make a join of it, if it were not for the
    // offset, and read all leads for a page of contacts.
    format!("EXISTS (SELECT 1 FROM leads WHERE {} LIMIT 1 OFFSET 0)", condition.text)
}
