//! Leads that are probably one person: the same e-mail, the same phone, or the same name and company, inside a project.
//!
//! The leads of a workspace are gone through in the order of one of these, by an index, a bounded number at a time; who
//! looks further goes on behind the last.

use leadline_domain::ids::{LeadId, ProjectId, WorkspaceId};

use super::{Card, read::load_cards};
use crate::sql::{Error, IntoParam, Param, Reader, params};

/// Leads that are looked at for one answer.
const LOOKED_AT: i64 = 20_000;

/// Groups in one answer.
const GROUPS: i64 = 25;

/// By what leads are probably one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameBy {
    /// The e-mail address.
    Email,
    /// The phone number.
    Phone,
    /// Name and company, without regard to case.
    Name,
}

impl SameBy {
    const ALL: [Self; 3] = [Self::Email, Self::Phone, Self::Name];

    /// How it is shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Name => "name",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }

    /// The key of `leads_by_email`, `leads_by_phone` or `leads_by_name`.
    const fn key(self) -> &'static str {
        match self {
            Self::Email => "leads.email",
            Self::Phone => "leads.phone",
            Self::Name => "lower(leads.name)",
        }
    }

    /// What must be the same beside the key, and be there.
    const fn beside(self) -> Option<&'static str> {
        match self {
            Self::Email | Self::Phone => None,
            Self::Name => Some("lower(trim(leads.company))"),
        }
    }

    const fn condition(self) -> &'static str {
        match self {
            Self::Email => "leads.email IS NOT NULL AND leads.deleted_at IS NULL",
            Self::Phone => "leads.phone IS NOT NULL AND leads.deleted_at IS NULL",
            Self::Name => "leads.deleted_at IS NULL",
        }
    }
}

/// Leads that are probably one person.
#[derive(Debug, Clone)]
pub struct Group {
    /// The one that came first, and the one that came last.
    pub cards: Vec<Card>,
    /// How many there are.
    pub count: i64,
}

/// Some groups, and where to go on.
#[derive(Debug, Clone)]
pub struct Duplicates {
    /// The groups.
    pub groups: Vec<Group>,
    /// Behind which the next ones are looked for; nothing, where all leads were looked at.
    pub next: Option<String>,
}

struct Found {
    key: String,
    first: LeadId,
    last: LeadId,
    count: i64,
}

/// The next groups behind `after`.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    by: SameBy,
    project: Option<ProjectId>,
    after: Option<&str>,
) -> Result<Duplicates, Error> {
    let Some((end, is_last)) = end(reader, workspace, by, after).await? else {
        return Ok(Duplicates { groups: Vec::new(), next: None });
    };
    let mut found = groups(reader, workspace, (by, project), (after, &end)).await?;
    let is_full = i64::try_from(found.len()).unwrap_or(i64::MAX) >= GROUPS;
    let cut = found.last().filter(|_| is_full).map(|last| last.key.clone());
    // Of the last key there may be more groups than came: they come together next time.
    if let Some(last) = cut.as_ref().filter(|last| found.iter().any(|group| group.key != **last)) {
        found.retain(|group| group.key != *last);
    }
    let next = match found.last().filter(|_| is_full) {
        Some(last) => Some(last.key.clone()),
        None => (!is_last).then_some(end),
    };
    let ids: Vec<LeadId> = found.iter().flat_map(|group| [group.first, group.last]).collect();
    let cards = load_cards(reader, workspace, &ids).await?;
    let card = |id: LeadId| cards.iter().find(|card| card.id == id).cloned();
    let group = |found: &Found| Group {
        cards: [found.first, found.last].into_iter().filter_map(card).collect(),
        count: found.count,
    };
    Ok(Duplicates { groups: found.iter().map(group).filter(|group| group.cards.len() == 2).collect(), next })
}

/// The key of the last lead that is looked at, and whether none comes behind it. All leads with one key are looked at
/// together.
async fn end(
    reader: &Reader,
    workspace: WorkspaceId,
    by: SameBy,
    after: Option<&str>,
) -> Result<Option<(String, bool)>, Error> {
    let (key, condition) = (by.key(), by.condition());
    let (behind, values) = behind(by, workspace, after);
    let sql = format!(
        "SELECT s.key, s.place FROM
             (SELECT t.key, row_number() OVER (ORDER BY t.key) AS place FROM
                  (SELECT {key} AS key FROM leads WHERE leads.workspace_id = $1 AND {condition} {behind}
                   ORDER BY {key} LIMIT {LOOKED_AT}) AS t) AS s
         ORDER BY s.place DESC LIMIT 1"
    );
    let row = reader.query_one(&sql, &values).await?;
    row.map(|row| Ok((row.get("key")?, row.get::<i64>("place")? < LOOKED_AT))).transpose()
}

async fn groups(
    reader: &Reader,
    workspace: WorkspaceId,
    (by, project): (SameBy, Option<ProjectId>),
    (after, end): (Option<&str>, &str),
) -> Result<Vec<Found>, Error> {
    let (key, condition) = (by.key(), by.condition());
    let is_there = by.beside().map_or_else(String::new, |beside| format!("AND {beside} <> ''"));
    let and_beside = by.beside().map_or_else(String::new, |beside| format!(", {beside}"));
    let (behind, mut values) = behind(by, workspace, after);
    values.push(end.param());
    let until = values.len();
    let of_project = project.map_or_else(String::new, |project| {
        values.push(project.param());
        format!("AND leads.project_id = ${}", values.len())
    });
    // An id is as old as its lead; as texts they have the same order, and both databases know the least of texts.
    let sql = format!(
        "SELECT g.key, g.first_id, g.last_id, g.n FROM
             (SELECT {key} AS key, min(CAST(leads.id AS TEXT)) AS first_id, max(CAST(leads.id AS TEXT)) AS last_id,
                     count(*) AS n
              FROM leads
              WHERE leads.workspace_id = $1 AND {condition} {behind} AND {key} <= ${until} {of_project}
                    AND {key} <> '' {is_there}
              GROUP BY leads.project_id, {key}{and_beside} HAVING count(*) > 1) AS g
         ORDER BY g.key, g.first_id LIMIT {GROUPS}"
    );
    let rows = reader.query(&sql, &values).await?;
    let id = |text: String| text.parse::<LeadId>().map_err(|_| Error::Column { column: "id".to_owned() });
    rows.iter()
        .map(|row| {
            Ok(Found {
                key: row.get("key")?,
                first: id(row.get("first_id")?)?,
                last: id(row.get("last_id")?)?,
                count: row.get("n")?,
            })
        })
        .collect()
}

fn behind(by: SameBy, workspace: WorkspaceId, after: Option<&str>) -> (String, Vec<Param>) {
    let mut values: Vec<Param> = params![workspace].into();
    let text = after.map_or_else(String::new, |after| {
        values.push(after.param());
        format!("AND {} > ${}", by.key(), values.len())
    });
    (text, values)
}
