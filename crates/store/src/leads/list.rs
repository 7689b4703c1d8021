//! A page of a list of leads, and how many there are.
//!
//! What no index answers is asked of a strip. One statement looks through it, for the page and for the count.

use leadline_domain::ids::{LeadId, WorkspaceId};

use super::{
    Card, LeadFilter, SortBy, SortOrder,
    found::{Asked, FEW, Found, Strip, Walk, Where, depth, found, has_at_most, has_index, is_whole, narrows, strip_of},
    read::{card_columns, read_card},
    tally::count_all,
};
use crate::sql::{COUNT_CAP, Error, Page, Reader};

/// Leads that are sorted where no index has their order: the newest that match.
const SORTED_MAX: i64 = 20_000;

/// A strip that the filter narrows to so many leads is looked through whatever the order: they stand far from each other,
/// and more of them cost more than the newest of the workspace.
const NARROW_MAX: i64 = 5_000;

/// How far a list is looked for where no index has the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Depth {
    /// Among the newest leads of a large workspace, which is quick.
    #[default]
    Newest,
    /// Among all of them, however long it takes: some seconds for a million.
    All,
}

/// A page of a list, and what it is of.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The page, and how many match in all.
    pub page: Page<Card>,
    /// Where only so many of the newest leads were looked through: how many.
    pub looked_through: Option<i64>,
}

impl Listed {
    fn of_all(page: Page<Card>) -> Self {
        Self { page, looked_through: None }
    }
}

/// A page of a list, and how many there are. See [`Depth::Newest`].
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &LeadFilter,
    order: (SortBy, SortOrder),
    page: (i64, i64),
) -> Result<Page<Card>, Error> {
    Ok(list_to_depth(reader, workspace, filter, order, page, Depth::Newest).await?.page)
}

/// The same, as deep as is wanted. What was found among the newest and is of all is not looked for again.
///
/// # Errors
/// Where the database fails; on PostgreSQL also where it takes longer than a statement may.
pub async fn list_to_depth(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &LeadFilter,
    (sort, order): (SortBy, SortOrder),
    page: (i64, i64),
    depth: Depth,
) -> Result<Listed, Error> {
    let list = List { reader, workspace, filter, sort, order, page };
    let newest = if narrows(filter) { list.narrowed().await? } else { list.all().await? };
    if depth == Depth::Newest || !newest.page.total_is_capped {
        return Ok(newest);
    }
    let (rows, total) = list.look_through(Looked::All).await?;
    Ok(Listed::of_all(Page { rows, total, total_is_capped: false }))
}

/// What is asked for.
struct List<'a> {
    reader: &'a Reader,
    workspace: WorkspaceId,
    filter: &'a LeadFilter,
    sort: SortBy,
    order: SortOrder,
    /// How many, and how many before them are passed over.
    page: (i64, i64),
}

/// What is looked through for those that match.
enum Looked<'a> {
    /// So many leads of a strip.
    Strip(&'a Strip, i64),
    /// All leads.
    All,
}

impl List<'_> {
    async fn all(&self) -> Result<Listed, Error> {
        let total = count_all(self.reader, self.workspace, self.filter).await?;
        if self.sort.has_index() {
            let condition = Where::of(self.reader.dialect(), self.workspace, self.filter, Walk::Workspace);
            let rows = self.read(condition).await?;
            return Ok(Listed::of_all(Page { rows, total, total_is_capped: false }));
        }
        let depth = depth(self.reader, self.workspace).await?;
        let (rows, _) = self.look_through(Looked::Strip(&strip_of(self.filter), depth)).await?;
        let total_is_capped = total > SORTED_MAX;
        let looked_through = total_is_capped.then_some(SORTED_MAX);
        Ok(Listed { page: Page { rows, total: total.min(SORTED_MAX), total_is_capped }, looked_through })
    }

    async fn narrowed(&self) -> Result<Listed, Error> {
        let Self { reader, workspace, filter, .. } = *self;
        let depth = depth(reader, workspace).await?;
        let has_index = has_index(reader.dialect(), filter);
        let mut newest = None;
        if filter.search.is_some() || has_index {
            match found(reader, workspace, filter).await? {
                Found::All => return self.all().await,
                Found::Few(ids) => return Ok(Listed::of_all(self.among(&ids, false).await?)),
                Found::Newest(ids) => {
                    let looked_through = (!has_index).then_some(depth);
                    return Ok(Listed { page: self.among(&ids, true).await?, looked_through });
                }
                Found::Many(ids) => newest = Some(ids),
            }
        }
        let strip = self.strip().await?;
        let (rows, counted) = self.look_through(Looked::Strip(&strip, depth)).await?;
        let is_whole = counted <= COUNT_CAP && is_whole(reader, workspace, &strip, depth).await?;
        // Where counting stopped in the order of the list, the page is right.
        let is_right = is_whole || (counted > COUNT_CAP && strip.is_in(&self.sort, self.order));
        let looked_through = (!is_right).then_some(depth);
        let are_few = counted <= i64::try_from(FEW).unwrap_or(i64::MAX);
        let is_of_newest =
            strip == strip_of(filter) || strip == Strip::Sorted(SortBy::CreatedAt, SortOrder::Descending);
        if is_whole || !are_few || (newest.is_none() && is_of_newest) {
            let page = Page { rows, total: counted.min(COUNT_CAP), total_is_capped: !is_whole };
            return Ok(Listed { page, looked_through });
        }
        // They stand far from where the order begins.
        let newest = match newest {
            Some(ids) => ids,
            None => match found(reader, workspace, filter).await? {
                Found::All => Vec::new(),
                Found::Few(ids) | Found::Newest(ids) | Found::Many(ids) => ids,
            },
        };
        Ok(Listed { page: self.among(&newest, true).await?, looked_through })
    }

    /// The strip to look through: one that the filter narrows, where it is short or has the order of the list, and else
    /// one that has this order.
    async fn strip(&self) -> Result<Strip, Error> {
        let Self { reader, workspace, filter, ref sort, order, .. } = *self;
        let strip = strip_of(filter).towards(sort, order);
        let is_narrow = !matches!(strip, Strip::Sorted(..));
        let serves = !sort.has_index()
            || strip.is_in(sort, order)
            || (is_narrow && has_at_most(reader, workspace, &strip, NARROW_MAX).await?);
        Ok(if serves { strip } else { Strip::Sorted(sort.clone(), order) })
    }

    /// The page out of those that match, and how many these are, until counting stopped.
    async fn look_through(&self, looked: Looked<'_>) -> Result<(Vec<Card>, i64), Error> {
        let dialect = self.reader.dialect();
        let (limit, offset) = self.page;
        let (mut condition, walk, most) = match looked {
            Looked::Strip(strip, depth) => {
                let mut asked = Asked::of(dialect, self.filter);
                let from = asked.strip(dialect, self.workspace, strip, self.sort.columns(), depth);
                let is_in_order = strip.is_in(&self.sort, self.order);
                let most = if is_in_order { (COUNT_CAP + 1).max(limit + offset) } else { SORTED_MAX };
                (Where { from, ..asked.condition }, "", most)
            }
            // In an order in which they mostly stand in the table. What is sorted is narrow and matches already.
            Looked::All => {
                let condition = Where::of(dialect, self.workspace, self.filter, Walk::Workspace);
                (condition, "ORDER BY leads.created_at DESC, leads.id DESC", i64::MAX)
            }
        };
        let key = self.sort.key(dialect, &mut condition.params);
        let (limit, offset) = (condition.param(&limit), condition.param(&offset));
        // The count is there without a page, too.
        let sql = format!(
            "WITH found AS MATERIALIZED (SELECT leads.id, {key} AS sort_key FROM {from} WHERE {filter} {walk} LIMIT {most})
             SELECT counted.n AS counted, page.id AS found_id, {columns}, users.name AS assigned_to_name
             FROM (SELECT count(*) AS n FROM found) AS counted
             LEFT JOIN (SELECT found.id, found.sort_key FROM found
                        ORDER BY {inner} LIMIT ${limit} OFFSET ${offset}) AS page ON TRUE
             LEFT JOIN leads ON leads.id = page.id LEFT JOIN users ON users.id = leads.assigned_to
             ORDER BY {outer}",
            from = condition.from,
            filter = condition.text,
            columns = card_columns(dialect),
            inner = self.order_by("found.sort_key", "found.id"),
            outer = self.order_by("page.sort_key", "page.id"),
        );
        let rows = self.reader.query(&sql, &condition.params).await?;
        let counted = rows.first().map_or(Ok(0), |row| row.get("counted"))?;
        let mut cards = Vec::with_capacity(rows.len());
        for row in &rows {
            if row.get::<Option<LeadId>>("found_id")?.is_some() {
                cards.push(read_card(row)?);
            }
        }
        Ok((cards, counted))
    }

    async fn among(&self, ids: &[LeadId], total_is_capped: bool) -> Result<Page<Card>, Error> {
        let rows = self.read(Where::among(self.workspace, ids, self.reader)).await?;
        Ok(Page { rows, total: i64::try_from(ids.len()).unwrap_or(i64::MAX), total_is_capped })
    }

    /// The page out of all that match. What is sorted and passed over is narrow; the cards are fetched for the page alone.
    async fn read(&self, mut condition: Where) -> Result<Vec<Card>, Error> {
        let dialect = self.reader.dialect();
        let key = self.sort.key(dialect, &mut condition.params);
        let (limit, offset) = (condition.param(&self.page.0), condition.param(&self.page.1));
        let sql = format!(
            "SELECT {columns}, users.name AS assigned_to_name
             FROM (SELECT leads.id, {key} AS sort_key FROM {from} WHERE {filter}
                   ORDER BY {inner} LIMIT ${limit} OFFSET ${offset}) AS page
             CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
             WHERE leads.id = page.id ORDER BY {outer}",
            columns = card_columns(dialect),
            from = condition.from,
            filter = condition.text,
            inner = self.order_by(&key, "leads.id"),
            outer = self.order_by("page.sort_key", "page.id"),
        );
        self.reader.query(&sql, &condition.params).await?.iter().map(read_card).collect()
    }

    /// An index has its keys in their order, and none of them is null. Among the others, null comes last.
    fn order_by(&self, key: &str, id: &str) -> String {
        let direction = self.order.sql();
        let nulls = if self.sort.has_index() { String::new() } else { format!("({key}) IS NULL, ") };
        format!("{nulls}{key} {direction}, {id} {direction}")
    }
}
