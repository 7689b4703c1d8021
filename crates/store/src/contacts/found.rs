//! How it is found out which contacts are meant.
//!
//! A filter of leads that few leads match names their persons. Any other question is asked of a strip: the first of an
//! order that an index has, of all contacts or of those with a tag or of those who are customers. A workspace that fits
//! into the strip gets an exact answer; in a larger one, a search goes by the search index of leads, which have the
//! names of their persons, and by those persons whom somebody renamed since.

use leadline_domain::ids::{ContactId, WorkspaceId};

use super::{Contact, ContactFilter, ContactSort, columns, read};
use crate::{
    dialect::Dialect,
    leads::{LeadFilter, People, Search, SearchScope, SortOrder, of_contact, people},
    sql::{COUNT_CAP, Error, IntoParam, Page, Param, Reader, json_set},
};

/// So many contacts are looked through as a whole where no index has the answer, and the answer is exact.
const LOOKED_THROUGH: i64 = 100_000;

/// Contacts that are looked through where there are more. The answer is of the first of them anyway, so it is a quick one.
const LOOKED_THROUGH_OF_MANY: i64 = 10_000;

/// Renamed persons that a search finds at most.
const RENAMED_MAX: i64 = 2_000;

/// A page of contacts, and how many there are.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &ContactFilter,
    (sort, order): (ContactSort, SortOrder),
    (limit, offset): (i64, i64),
) -> Result<Page<Contact>, Error> {
    if is_everybody(filter) {
        return everybody(reader, workspace, (sort, order), (limit, offset)).await;
    }
    let found = found(reader, workspace, filter, (sort, order)).await?;
    let Question { from, text, mut params, is_capped, is_in_order } = found;
    let (key, direction) = (sort.key(), direction(order));
    // A strip is handed on row by row in its order, and is left as soon as enough is counted.
    let most = if is_in_order { (COUNT_CAP + 1).max(limit + offset) } else { LOOKED_THROUGH };
    params.extend([limit.param(), offset.param()]);
    let (limit, offset) = (params.len() - 1, params.len());
    // The count is there without a page, too.
    let sql = format!(
        "WITH found AS MATERIALIZED (SELECT contacts.id, {key} AS sort_key FROM {from} WHERE {text} LIMIT {most})
         SELECT counted.n AS counted, page.id AS found_id, {columns}
         FROM (SELECT count(*) AS n FROM found) AS counted
         LEFT JOIN (SELECT found.id, found.sort_key FROM found
                    ORDER BY found.sort_key {direction}, found.id {direction}
                    LIMIT ${limit} OFFSET ${offset}) AS page ON TRUE
         LEFT JOIN contacts ON contacts.id = page.id
         ORDER BY page.sort_key {direction}, page.id {direction}",
        columns = columns(reader.dialect()),
    );
    let rows = reader.query(&sql, &params).await?;
    let counted = rows.first().map_or(Ok(0), |row| row.get("counted"))?;
    let mut contacts = Vec::with_capacity(rows.len());
    for row in &rows {
        if row.get::<Option<ContactId>>("found_id")?.is_some() {
            contacts.push(read(row)?);
        }
    }
    let mut page = Page::new(contacts, counted);
    page.total_is_capped |= is_capped;
    Ok(page)
}

/// A page of all of them, by the index of its order; counted by that of their creation.
async fn everybody(
    reader: &Reader,
    workspace: WorkspaceId,
    (sort, order): (ContactSort, SortOrder),
    (limit, offset): (i64, i64),
) -> Result<Page<Contact>, Error> {
    let which = "contacts.workspace_id = $1 AND contacts.deleted_at IS NULL";
    // In an order that an index has: PostgreSQL would look for those of one workspace among those of all.
    let count = format!(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM contacts WHERE {which}
                                    ORDER BY contacts.created_at DESC, contacts.id DESC LIMIT {}) AS c",
        COUNT_CAP + 1
    );
    let counted = reader.count(&count, &[workspace.param()]).await?;
    let sql = format!(
        "SELECT {columns} FROM contacts WHERE {which}
         ORDER BY {key} {direction}, contacts.id {direction} LIMIT $2 OFFSET $3",
        columns = columns(reader.dialect()),
        key = sort.key(),
        direction = direction(order),
    );
    let rows = reader.query(&sql, &[workspace.param(), limit.param(), offset.param()]).await?;
    Ok(Page::new(rows.iter().map(read).collect::<Result<_, _>>()?, counted))
}

/// What is asked, and of which rows.
struct Question {
    from: String,
    text: String,
    params: Vec<Param>,
    /// Whether there may be more than are looked at.
    is_capped: bool,
    /// Whether the rows come in the order that is asked for.
    is_in_order: bool,
}

async fn found(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &ContactFilter,
    order: (ContactSort, SortOrder),
) -> Result<Question, Error> {
    if let Some(leads) = &filter.leads {
        match people(reader, workspace, leads).await? {
            People::Few(ids) => return Ok(among(reader, workspace, filter, &ids, false)),
            People::Newest(ids) => return Ok(among(reader, workspace, filter, &ids, true)),
            People::Everybody | People::Many => {}
        }
    }
    let strip = Strip::of(filter, order);
    let beyond = strip.has_more(reader, workspace).await?;
    if let (Some(terms), true) = (&filter.search, beyond && filter.leads.is_none()) {
        let search = Search { terms: terms.clone(), scope: SearchScope::Everything };
        let leads = LeadFilter { search: Some(search), ..LeadFilter::default() };
        let (mut ids, is_capped) = match people(reader, workspace, &leads).await? {
            People::Few(ids) => (ids, false),
            People::Newest(ids) => (ids, true),
            People::Everybody | People::Many => (Vec::new(), true),
        };
        ids.extend(renamed(reader, workspace, filter).await?);
        return Ok(among(reader, workspace, filter, &ids, is_capped));
    }
    let mut params = vec![workspace.param()];
    let from = strip.sql(if beyond { LOOKED_THROUGH_OF_MANY } else { LOOKED_THROUGH });
    let text = conditions(reader.dialect(), workspace, filter, &mut params);
    Ok(Question { from, text, params, is_capped: beyond, is_in_order: strip.is_in_order })
}

fn is_everybody(filter: &ContactFilter) -> bool {
    let ContactFilter { search, tag, lifecycle, leads } = filter;
    search.is_none() && tag.is_none() && lifecycle.is_none() && leads.is_none()
}

/// The rows that are looked through, of which `$1` is the workspace.
struct Strip {
    which: String,
    order: String,
    is_in_order: bool,
}

impl Strip {
    fn of(filter: &ContactFilter, (sort, order): (ContactSort, SortOrder)) -> Self {
        let mut which = "contacts.workspace_id = $1 AND contacts.deleted_at IS NULL".to_owned();
        let is_of_customers = filter.lifecycle.as_deref().is_some_and(|lifecycle| lifecycle != "lead");
        // The words of the partial indexes `contacts_won` and `contacts_tagged`.
        if is_of_customers {
            which.push_str(" AND contacts.lifecycle <> 'lead'");
        }
        if filter.tag.is_some() {
            which.push_str(" AND contacts.tags <> '[]'");
        }
        let asked = (sort, order);
        let (sort, order) = if is_of_customers || filter.tag.is_some() {
            (ContactSort::CreatedAt, SortOrder::Descending)
        } else {
            asked
        };
        let is_in_order = asked == (sort, order);
        let direction = direction(order);
        let order = format!("{} {direction}, contacts.id {direction}", sort.key());
        Self { which, order, is_in_order }
    }

    async fn has_more(&self, reader: &Reader, workspace: WorkspaceId) -> Result<bool, Error> {
        let sql = format!(
            "SELECT count(*) AS n FROM (SELECT contacts.id FROM contacts WHERE {} ORDER BY {}
                                        LIMIT 1 OFFSET {LOOKED_THROUGH}) AS beyond",
            self.which, self.order
        );
        Ok(reader.count(&sql, &[workspace.param()]).await? > 0)
    }

    fn sql(&self, rows: i64) -> String {
        let Self { which, order, .. } = self;
        format!("(SELECT * FROM contacts WHERE {which} ORDER BY {order} LIMIT {rows}) AS contacts")
    }
}

/// Those of these that match, fetched one by one.
fn among(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &ContactFilter,
    ids: &[ContactId],
    is_capped: bool,
) -> Question {
    let mut params = vec![workspace.param(), json_set(ids)];
    // What leads have to be was asked of them already.
    let rest = ContactFilter { leads: None, ..filter.clone() };
    let rest = conditions(reader.dialect(), workspace, &rest, &mut params);
    let list = reader.dialect().id_list(2);
    let from = format!("(SELECT DISTINCT value FROM {list} AS named) AS few CROSS JOIN contacts");
    let of_workspace = reader.dialect().equal_unindexed("contacts.workspace_id", 1);
    let text = format!("contacts.id = few.value AND {of_workspace} AND contacts.deleted_at IS NULL AND {rest}");
    Question { from, text, params, is_capped, is_in_order: false }
}

/// Whoever somebody renamed, by the index `contacts_edited`.
async fn renamed(reader: &Reader, workspace: WorkspaceId, filter: &ContactFilter) -> Result<Vec<ContactId>, Error> {
    let mut params = vec![workspace.param()];
    let search = ContactFilter { search: filter.search.clone(), ..ContactFilter::default() };
    let text = conditions(reader.dialect(), workspace, &search, &mut params);
    let sql = format!(
        "SELECT contacts.id FROM (SELECT * FROM contacts WHERE workspace_id = $1 AND edited_at IS NOT NULL
                                  ORDER BY edited_at DESC LIMIT {LOOKED_THROUGH}) AS contacts
         WHERE {text} LIMIT {RENAMED_MAX}"
    );
    reader.query(&sql, &params).await?.iter().map(|row| row.get("id")).collect()
}

/// What a filter asks of rows that are called `contacts`.
pub(super) fn conditions(
    dialect: Dialect,
    workspace: WorkspaceId,
    filter: &ContactFilter,
    params: &mut Vec<Param>,
) -> String {
    let mut all = Vec::new();
    if let Some(terms) = &filter.search {
        let text = "lower(contacts.display_name || ' ' || coalesce(contacts.email, '') || ' '
                          || coalesce(contacts.phone_number, ''))";
        all.push(terms.condition(text, params));
    }
    if let Some(tag) = &filter.tag {
        params.push(json_set(&[tag]));
        all.push(dialect.json_list_has("contacts.tags", params.len()));
    }
    if let Some(lifecycle) = &filter.lifecycle {
        params.push(lifecycle.param());
        all.push(format!("contacts.lifecycle = ${}", params.len()));
    }
    if let Some(leads) = &filter.leads {
        all.push(of_contact(dialect, workspace, leads, params));
    }
    if all.is_empty() { "TRUE".to_owned() } else { all.join(" AND ") }
}

fn direction(order: SortOrder) -> &'static str {
    match order {
        SortOrder::Ascending => "ASC",
        SortOrder::Descending => "DESC",
    }
}
