//! Leads as they are gone through for a file.

use leadline_domain::{
    filters::Kind,
    ids::{Id, LeadId, WorkspaceId},
};
use uuid::Uuid;

use super::{
    LeadFilter, SortBy, SortOrder,
    found::{Asked, Found, Strip, Where, found},
};
use crate::{
    sql::{Error, Param, Reader, Row},
    walk::{Direction, Match, Order, Place, Range, Rows, STRIP, Walk},
};

/// Which leads are gone through.
pub struct LeadRows {
    workspace: WorkspaceId,
    filter: LeadFilter,
    sort: SortBy,
}

/// A walk through all leads that match.
pub type LeadWalk = Walk<LeadRows>;

/// Begins a walk.
#[must_use]
pub fn walk(workspace: WorkspaceId, filter: LeadFilter, sort: SortBy, order: SortOrder) -> LeadWalk {
    let direction = match order {
        SortOrder::Ascending => Direction::Up,
        SortOrder::Descending => Direction::Down,
    };
    let order = order_of(&sort);
    Walk::new(LeadRows { workspace, filter, sort }, order, direction)
}

fn order_of(sort: &SortBy) -> Order {
    match sort {
        SortBy::CreatedAt => Order::Creation,
        SortBy::UpdatedAt
        | SortBy::LastSubmissionAt
        | SortBy::Score
        | SortBy::Stage
        | SortBy::Engagement
        | SortBy::Suspicion
        | SortBy::SubmissionCount
        | SortBy::StageEnteredAt
        | SortBy::ConvertedAt
        | SortBy::Custom { kind: Kind::Number, .. } => Order::Numbers,
        SortBy::Name
        | SortBy::Email
        | SortBy::Phone
        | SortBy::Company
        | SortBy::Title
        | SortBy::Source
        | SortBy::AssignedTo
        | SortBy::Custom { .. } => Order::Texts,
    }
}

impl LeadRows {
    fn key(&self, reader: &Reader, params: &mut Vec<Param>) -> String {
        match self.sort {
            SortBy::CreatedAt => "CAST(NULL AS TEXT)".to_owned(),
            ref sort => format!("CAST({} AS TEXT)", sort.key(reader.dialect(), params)),
        }
    }

    async fn read(&self, reader: &Reader, mut condition: Where, order: &str) -> Result<Vec<Match>, Error> {
        let key = self.key(reader, &mut condition.params);
        let sql = format!(
            "SELECT leads.id, leads.created_at, {key} AS sort_key FROM {} WHERE {} {order}",
            condition.from, condition.text
        );
        reader.query(&sql, &condition.params).await?.iter().map(read_match).collect()
    }
}

impl Rows for LeadRows {
    async fn few(&self, reader: &Reader) -> Result<Option<Vec<Match>>, Error> {
        match found(reader, self.workspace, &self.filter).await? {
            Found::Few(ids) => {
                let condition = Where::among(self.workspace, &ids, reader);
                Ok(Some(self.read(reader, condition, "").await?))
            }
            Found::All | Found::Newest(_) | Found::Many(_) => Ok(None),
        }
    }

    async fn newest(&self, reader: &Reader) -> Result<Option<Place>, Error> {
        place_in(reader, self.workspace, Range { direction: Direction::Down, after: None, until: None }, 0).await
    }

    async fn end_of_strip(&self, reader: &Reader, range: &Range) -> Result<Option<Place>, Error> {
        place_in(reader, self.workspace, *range, STRIP - 1).await
    }

    async fn matches(&self, reader: &Reader, range: &Range) -> Result<Vec<Match>, Error> {
        let mut asked = Asked::of(reader.dialect(), &self.filter);
        // The range bounds the strip; the limit is there for both databases to read it as one.
        let strip = Strip::Range(*range);
        let from = asked.strip(reader.dialect(), self.workspace, &strip, self.sort.columns(), i64::from(i32::MAX));
        asked.condition.from = from;
        let order = format!("ORDER BY leads.created_at {0}, leads.id {0}", range.sql());
        self.read(reader, asked.condition, &order).await
    }
}

/// By the index `leads_by_creation`, which has all that is asked.
async fn place_in(reader: &Reader, workspace: WorkspaceId, range: Range, skipped: i64) -> Result<Option<Place>, Error> {
    let mut asked = Asked::of(reader.dialect(), &LeadFilter::default());
    let (text, (key, direction)) = asked.walk(reader.dialect(), workspace, &Strip::Range(range));
    let sql = format!(
        "SELECT leads.id, leads.created_at, CAST(NULL AS TEXT) AS sort_key
         FROM leads WHERE {text} ORDER BY {key} {direction}, leads.id {direction} LIMIT 1 OFFSET {skipped}"
    );
    let row = reader.query_one(&sql, &asked.condition.params).await?;
    Ok(row.as_ref().map(read_match).transpose()?.map(|found| found.place))
}

fn read_match(row: &Row) -> Result<Match, Error> {
    let id: LeadId = row.get("id")?;
    let place = Place { created_at: row.get("created_at")?, id: id.uuid() };
    Ok(Match { place, key: row.get("sort_key")? })
}

/// What a walk gives are ids of leads.
#[must_use]
pub fn lead_ids(ids: Vec<Uuid>) -> Vec<LeadId> {
    ids.into_iter().map(LeadId).collect()
}
