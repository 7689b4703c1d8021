//! Contacts as they are gone through for a file.

use leadline_domain::ids::{ContactId, Id, WorkspaceId};

use super::{ContactFilter, ContactSort, found::conditions};
use crate::{
    leads::SortOrder,
    sql::{Error, IntoParam, Param, Reader, Row},
    walk::{Direction, Match, Order, Place, Range, Rows, STRIP, Walk},
};

/// Which contacts are gone through.
pub struct ContactRows {
    workspace: WorkspaceId,
    filter: ContactFilter,
    sort: ContactSort,
}

/// A walk through all contacts that match.
pub type ContactWalk = Walk<ContactRows>;

/// Begins a walk.
#[must_use]
pub fn walk(workspace: WorkspaceId, filter: ContactFilter, sort: ContactSort, order: SortOrder) -> ContactWalk {
    let direction = match order {
        SortOrder::Ascending => Direction::Up,
        SortOrder::Descending => Direction::Down,
    };
    let order = match sort {
        ContactSort::CreatedAt => Order::Creation,
        ContactSort::UpdatedAt => Order::Numbers,
        ContactSort::Name => Order::Texts,
    };
    Walk::new(ContactRows { workspace, filter, sort }, order, direction)
}

impl ContactRows {
    /// The contacts of a range by the index `contacts_by_creation`.
    fn strip(&self, range: &Range) -> (String, String, Vec<Param>) {
        let mut params = vec![self.workspace.param()];
        let mut text = "contacts.workspace_id = $1 AND contacts.deleted_at IS NULL".to_owned();
        for (place, sign) in [range.after, range.until].into_iter().zip(range.signs()) {
            let Some(place) = place else { continue };
            params.extend([place.created_at.param(), ContactId(place.id).param()]);
            let (at, id) = (params.len() - 1, params.len());
            text.push_str(&format!(" AND (contacts.created_at, contacts.id) {sign} (${at}, ${id})"));
        }
        let order = format!("contacts.created_at {0}, contacts.id {0}", range.sql());
        (text, order, params)
    }

    async fn place(&self, reader: &Reader, range: &Range, skipped: i64) -> Result<Option<Place>, Error> {
        let (text, order, params) = self.strip(range);
        let sql = format!(
            "SELECT contacts.id, contacts.created_at, CAST(NULL AS TEXT) AS sort_key
             FROM contacts WHERE {text} ORDER BY {order} LIMIT 1 OFFSET {skipped}"
        );
        let row = reader.query_one(&sql, &params).await?;
        Ok(row.as_ref().map(read_match).transpose()?.map(|found| found.place))
    }
}

impl Rows for ContactRows {
    async fn few(&self, _: &Reader) -> Result<Option<Vec<Match>>, Error> {
        Ok(None)
    }

    async fn newest(&self, reader: &Reader) -> Result<Option<Place>, Error> {
        self.place(reader, &Range { direction: Direction::Down, after: None, until: None }, 0).await
    }

    async fn end_of_strip(&self, reader: &Reader, range: &Range) -> Result<Option<Place>, Error> {
        self.place(reader, range, STRIP - 1).await
    }

    async fn matches(&self, reader: &Reader, range: &Range) -> Result<Vec<Match>, Error> {
        let (text, order, mut params) = self.strip(range);
        let asked = conditions(reader.dialect(), self.workspace, &self.filter, &mut params);
        // The range bounds the strip; the limit is there for both databases to read it as one.
        let sql = format!(
            "SELECT contacts.id, contacts.created_at, CAST({} AS TEXT) AS sort_key
             FROM (SELECT * FROM contacts WHERE {text} ORDER BY {order} LIMIT {}) AS contacts
             WHERE {asked} ORDER BY {order}",
            self.sort.key(),
            i32::MAX,
        );
        reader.query(&sql, &params).await?.iter().map(read_match).collect()
    }
}

fn read_match(row: &Row) -> Result<Match, Error> {
    let id: ContactId = row.get("id")?;
    let place = Place { created_at: row.get("created_at")?, id: id.uuid() };
    Ok(Match { place, key: row.get("sort_key")? })
}
