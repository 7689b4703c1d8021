//! How a filter becomes SQL, and which of two ways answers it.
//!
//! Conditions that no index answers are asked of a strip of `leads`: a bounded number of rows in an order that an index
//! has. A workspace that fits into the strip gets an exact answer; in a larger one, what was found in the strip is shown
//! as the newest of what there is.

use std::collections::BTreeSet;

use leadline_domain::{
    filters::{Bound, Condition, Field, LeadField, Test},
    ids::{LeadId, StageId, WorkspaceId},
};

use super::{Assigned, FromSource, LeadFilter, SearchScope, SortBy, SortOrder, conditions::Writing};
use crate::{
    dialect::Dialect,
    search,
    sql::{Error, IntoParam, Param, Reader, json_set},
    walk::Range,
};

/// A filter that finds at most so many leads is answered from those, and a search that finds more from the newest of
/// them: nobody looks for somebody on page forty, and a bounded answer is quick however common the name.
pub(super) const FEW: usize = 2_000;

/// A workspace with at most so many leads is looked through as a whole where no index has the answer, and gets an exact
/// one, if a slow one: custom fields of so many leads take about a third of a second to read.
const LOOKED_THROUGH: i64 = 100_000;

/// Leads that are looked through in a larger workspace. Its answer is of its newest leads anyway, so it is a quick one.
const LOOKED_THROUGH_OF_MANY: i64 = 20_000;

/// How many events that wait for the index a search looks through. More wait only after an outage.
const UNINDEXED_MAX: i64 = 1_000;

/// What is known of a filter before its answer is read.
pub(super) enum Found {
    /// Nothing narrows but stage and pipeline, which have counts of their own.
    All,
    /// These are all that match.
    Few(Vec<LeadId>),
    /// More than a few match a search, or there are more leads than were looked through; these are the newest.
    Newest(Vec<LeadId>),
    /// More than a few match something else than a search. These are some of the newest.
    Many(Vec<LeadId>),
}

/// A condition with its parameters. More parameters may follow.
#[derive(Clone)]
pub(super) struct Where {
    /// What the rows of `leads` come from.
    pub(super) from: String,
    pub(super) text: String,
    pub(super) params: Vec<Param>,
}

/// Which leads are gone through where no index of the filter's own narrows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Walk {
    /// Those of the workspace.
    Workspace,
    /// Those of one stage, which the condition names.
    Stage,
    /// Those that another table names one by one.
    Named,
}

impl Where {
    /// What `filter` asks for, on the rows of `leads` themselves.
    pub(super) fn of(dialect: Dialect, workspace: WorkspaceId, filter: &LeadFilter, walk: Walk) -> Self {
        let mut condition = Self::indexed(dialect, workspace, filter, walk);
        if let Some(search) = &filter.search {
            let column = match search.scope {
                SearchScope::Everything => "search_text",
                SearchScope::Company => "lower(company)",
            };
            let text = search.terms.condition(column, &mut condition.params);
            condition.and(&text);
        }
        condition
    }

    fn indexed(dialect: Dialect, workspace: WorkspaceId, filter: &LeadFilter, walk: Walk) -> Self {
        let has_an_owner = matches!(filter.assigned, Some(Assigned::User(_)));
        let walk = if walk == Walk::Stage && has_an_owner { Walk::Workspace } else { walk };
        let mut condition = Self::living(dialect, workspace, walk);
        condition.narrow(dialect, filter);
        condition
    }

    /// Everything that is asked but for the search; tells which columns it reads.
    pub(super) fn narrow(&mut self, dialect: Dialect, filter: &LeadFilter) -> BTreeSet<&'static str> {
        let condition = self;
        if let Some(stage) = filter.stage {
            condition.equal("leads.stage_id", &stage);
        }
        if let Some(pipeline) = filter.pipeline {
            condition.equal("leads.pipeline_id", &pipeline);
        }
        if let Some(project) = filter.project {
            condition.equal("leads.project_id", &project);
        }
        match &filter.source {
            Some(FromSource::Kind(kind)) => condition.equal("leads.source", kind),
            Some(FromSource::One(source)) => condition.equal("leads.source_id", source),
            None => {}
        }
        match filter.assigned {
            Some(Assigned::User(user)) => condition.equal("leads.assigned_to", &user),
            Some(Assigned::Nobody) => condition.and("leads.assigned_to IS NULL"),
            None => {}
        }
        if let Some(tag) = &filter.tag {
            let tag = condition.param(tag);
            // Asked of one lead after the other: PostgreSQL would make a join of it, if it were not for the offset, and
            // read everybody's tags for a rare one.
            condition.and(&format!(
                "EXISTS (SELECT 1 FROM lead_tags t
                         WHERE t.workspace_id = leads.workspace_id AND t.tag = ${tag} AND t.lead_id = leads.id
                         LIMIT 1 OFFSET 0)"
            ));
        }
        let mut columns = BTreeSet::new();
        if let Some(tree) = &filter.conditions {
            let text = Writing { dialect, params: &mut condition.params, columns: &mut columns }.filter(tree);
            condition.and(&text);
        }
        columns
    }

    /// Adds a parameter and tells its number.
    pub(super) fn param(&mut self, value: &impl IntoParam) -> usize {
        self.params.push(value.param());
        self.params.len()
    }

    pub(super) fn and(&mut self, condition: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(condition);
    }

    pub(super) fn equal(&mut self, column: &str, value: &impl IntoParam) {
        let number = self.param(value);
        self.and(&format!("{column} = ${number}"));
    }

    /// The leads of a list of ids, fetched one by one: CROSS JOIN is SQLite's way to say which side is walked.
    pub(super) fn among(workspace: WorkspaceId, ids: &[LeadId], reader: &Reader) -> Self {
        Self::named(workspace, ids, reader.dialect())
    }

    /// The same for whoever asks in a transaction.
    pub(super) fn named(workspace: WorkspaceId, ids: &[LeadId], dialect: Dialect) -> Self {
        let mut condition = Self::living(dialect, workspace, Walk::Named);
        condition.params.push(json_set(ids));
        let list = dialect.id_list(condition.params.len());
        condition.from = format!("{list} AS few CROSS JOIN leads");
        condition.and("leads.id = few.value");
        condition
    }

    /// The leads of the workspace that are not deleted.
    fn living(dialect: Dialect, workspace: WorkspaceId, walk: Walk) -> Self {
        let text = "leads.deleted_at IS NULL".to_owned();
        let mut condition = Self { from: "leads".to_owned(), text, params: Vec::new() };
        match walk {
            Walk::Workspace => condition.equal("leads.workspace_id", &workspace),
            Walk::Stage | Walk::Named => {
                let number = condition.param(&workspace);
                condition.and(&dialect.equal_unindexed("leads.workspace_id", number));
            }
        }
        condition
    }
}

/// Which leads are looked through, in which order.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Strip {
    /// Those of the workspace in an order that an index has.
    Sorted(SortBy, SortOrder),
    /// Those that came, were changed, or are scored between two ends.
    Between(SortBy, Ends, SortOrder),
    /// Those of one stage, from the top of its column.
    Stage(StageId),
    /// Those of one stage below a place in its column.
    Below(StageId, super::Cursor),
    /// Those of one user, the newest first.
    Owner(Assigned),
    /// Those of a part of the order in which they were made.
    Range(Range),
}

impl Strip {
    /// The same, in the direction of this order where it is between ends of its key.
    pub(super) fn towards(self, sort: &SortBy, order: SortOrder) -> Self {
        match self {
            Self::Between(by, ends, _) if by == *sort => Self::Between(by, ends, order),
            strip => strip,
        }
    }

    /// Whether its leads come in this order.
    pub(super) fn is_in(&self, sort: &SortBy, order: SortOrder) -> bool {
        match self {
            Self::Sorted(by, direction) | Self::Between(by, _, direction) => by == sort && *direction == order,
            // Of an owner, too, the newest come first, but they stand far from each other: reading as many of them as
            // are counted costs more than looking through the newest of everybody.
            Self::Owner(_) | Self::Stage(_) | Self::Below(..) | Self::Range(_) => false,
        }
    }
}

/// Two ends of a range, the lower one first: a sign and a number.
type Ends = [Option<(&'static str, i64)>; 2];

/// What is asked, apart from the rows that it is asked of.
pub(super) struct Asked {
    /// The condition, on rows that are called `leads`.
    pub(super) condition: Where,
    /// The columns that it reads.
    columns: BTreeSet<&'static str>,
}

/// The columns that the condition of every filter reads, and every order.
const ALWAYS: [&str; 11] = [
    "id",
    "workspace_id",
    "stage_id",
    "pipeline_id",
    "project_id",
    "source",
    "source_id",
    "assigned_to",
    "created_at",
    "rank",
    "score",
];

impl Asked {
    pub(super) fn of(dialect: Dialect, filter: &LeadFilter) -> Self {
        let mut condition = Where { from: String::new(), text: "TRUE".to_owned(), params: Vec::new() };
        let mut columns = condition.narrow(dialect, filter);
        if let Some(search) = &filter.search {
            let column = match search.scope {
                SearchScope::Everything => "leads.search_text",
                SearchScope::Company => "lower(leads.company)",
            };
            columns.extend(["search_text", "company"]);
            let text = search.terms.condition(column, &mut condition.params);
            condition.and(&text);
        }
        columns.extend(ALWAYS);
        Self { condition, columns }
    }

    /// The columns that the condition reads, with commas between them.
    pub(super) fn column_list(&self) -> String {
        Vec::from_iter(self.columns.iter().copied()).join(", ")
    }

    /// The rows of a strip, at most so many, as what follows FROM. Only columns that are read are among them: most of a
    /// lead is long texts that stand in pages of their own. Both databases hand a limited sub-select on row by row in
    /// its order, and stop as soon as enough is found.
    pub(super) fn strip(
        &mut self,
        dialect: Dialect,
        workspace: WorkspaceId,
        strip: &Strip,
        more: &[&'static str],
        rows: i64,
    ) -> String {
        let (text, (key, direction)) = self.walk(dialect, workspace, strip);
        let mut columns = self.columns.clone();
        columns.extend(more);
        let columns = Vec::from_iter(columns).join(", ");
        let order = format!("{key} {direction}, leads.id {direction}");
        format!("(SELECT {columns} FROM leads WHERE {text} ORDER BY {order} LIMIT {rows}) AS leads")
    }

    /// Which leads a strip has, and the key and direction in which they come; of the same key, by their ids.
    pub(super) fn walk(
        &mut self,
        dialect: Dialect,
        workspace: WorkspaceId,
        strip: &Strip,
    ) -> (String, (String, &'static str)) {
        let workspace = self.condition.param(&workspace);
        let of_workspace = match strip {
            Strip::Sorted(..) | Strip::Between(..) | Strip::Owner(_) | Strip::Range(_) => {
                format!("leads.workspace_id = ${workspace}")
            }
            Strip::Stage(_) | Strip::Below(..) => dialect.equal_unindexed("leads.workspace_id", workspace),
        };
        let text = format!("leads.deleted_at IS NULL AND {of_workspace}");
        let by_rank = ("leads.rank".to_owned(), "DESC");
        let by_creation = ("leads.created_at".to_owned(), "DESC");
        let by = |sort: &SortBy, order: SortOrder| (sort.key(dialect, &mut Vec::new()), order.sql());
        match strip {
            Strip::Sorted(sort, order) => (text, by(sort, *order)),
            Strip::Between(sort, ends, order) => {
                let key = sort.key(dialect, &mut Vec::new());
                let ends = ends.iter().flatten().map(|(sign, end)| {
                    let end = self.condition.param(end);
                    format!(" AND {key} {sign} ${end}")
                });
                (text + &ends.collect::<String>(), by(sort, *order))
            }
            Strip::Stage(stage) => {
                let stage = self.condition.param(stage);
                (format!("leads.stage_id = ${stage} AND {text}"), by_rank)
            }
            Strip::Below(stage, place) => {
                let stage = self.condition.param(stage);
                let (rank, id) = (self.condition.param(&place.rank), self.condition.param(&place.id));
                let below = format!("(leads.rank, leads.id) < (${rank}, ${id})");
                (format!("leads.stage_id = ${stage} AND {below} AND {text}"), by_rank)
            }
            Strip::Owner(Assigned::User(user)) => {
                let user = self.condition.param(user);
                (format!("{text} AND leads.assigned_to = ${user}"), by_creation)
            }
            Strip::Range(range) => {
                let ends = [range.after, range.until].into_iter().zip(range.signs());
                let ends: String = ends
                    .filter_map(|(place, sign)| Some((place?, sign)))
                    .map(|(place, sign)| {
                        let at = self.condition.param(&place.created_at);
                        let id = self.condition.param(&LeadId(place.id));
                        format!(" AND (leads.created_at, leads.id) {sign} (${at}, ${id})")
                    })
                    .collect();
                (text + &ends, by(&SortBy::CreatedAt, SortOrder::from(range.direction)))
            }
            Strip::Owner(Assigned::Nobody) => (format!("{text} AND leads.assigned_to IS NULL"), by_creation),
        }
    }
}

/// The strip that a filter is asked of: by the index that narrows most, and else all leads from the newest on.
pub(super) fn strip_of(filter: &LeadFilter) -> Strip {
    let necessary: Vec<&Condition> = filter.conditions.iter().flat_map(|tree| tree.necessary()).collect();
    let asked = |field: LeadField| {
        let field = Field::Lead(field);
        necessary.iter().find(move |condition| !condition.is_negated && condition.field == field)
    };
    let only = |field: LeadField| match asked(field).map(|condition| &condition.test) {
        Some(Test::Ids(ids)) if ids.len() == 1 => ids.first().copied(),
        Some(_) | None => None,
    };
    let owner = match filter.assigned {
        Some(Assigned::User(user)) => Some(user),
        Some(Assigned::Nobody) | None => only(LeadField::AssignedTo).map(leadline_domain::ids::UserId),
    };
    if let Some(owner) = owner {
        return Strip::Owner(Assigned::User(owner));
    }
    if let Some(stage) = filter.stage.or_else(|| only(LeadField::StageId).map(StageId)) {
        return Strip::Stage(stage);
    }
    let dates = [
        (LeadField::CreatedAt, SortBy::CreatedAt),
        (LeadField::LastSubmissionAt, SortBy::LastSubmissionAt),
        (LeadField::UpdatedAt, SortBy::UpdatedAt),
    ];
    for (field, sort) in dates {
        if let Some(Test::Time { from, before }) = asked(field).map(|condition| &condition.test) {
            let ends = [from.map(|at| (">=", at.0)), before.map(|at| ("<", at.0))];
            return Strip::Between(sort, ends, SortOrder::Descending);
        }
    }
    if let Some(Test::Number { from, until }) = asked(LeadField::Score).map(|condition| &condition.test) {
        let end = |bound: &Option<Bound>, with: &'static str, without: &'static str| {
            bound.as_ref().map(|bound| (if bound.is_included { with } else { without }, bound.value as i64))
        };
        let ends = [end(from, ">=", ">"), end(until, "<=", "<")];
        return Strip::Between(SortBy::Score, ends, SortOrder::Descending);
    }
    Strip::Sorted(SortBy::CreatedAt, SortOrder::Descending)
}

/// A piece of text that every lead that is found has among what it is searched by, long enough for an index.
fn piece_of(filter: &LeadFilter) -> Option<String> {
    let tree = filter.conditions.as_ref()?;
    let piece = |condition: &&Condition| {
        let is_searched = matches!(
            condition.field,
            Field::Lead(LeadField::Name | LeadField::Email | LeadField::Phone | LeadField::Company)
        );
        let Test::Text { values, .. } = &condition.test else { return None };
        let [value] = values.as_slice() else { return None };
        let piece = value.trim().to_lowercase();
        // A sigma is small in two ways, by what stands beside it.
        let is_steady = !piece.contains(['σ', 'ς']) && piece.chars().count() >= search::TRIGRAM_CHARS;
        (is_searched && !condition.is_negated && is_steady).then_some(piece)
    };
    tree.necessary().iter().filter_map(piece).max_by_key(|piece| piece.chars().count())
}

/// The one tag that every lead that is found carries.
fn tag_of(filter: &LeadFilter) -> Option<String> {
    let tag = |condition: &&Condition| match (&condition.field, &condition.test) {
        (Field::Lead(LeadField::Tags), Test::HasAny(tags) | Test::HasAll(tags)) if !condition.is_negated => {
            tags.first().filter(|_| tags.len() == 1 || matches!(condition.test, Test::HasAll(_))).cloned()
        }
        (_, _) => None,
    };
    let necessary = || filter.conditions.iter().flat_map(|tree| tree.necessary());
    filter.tag.clone().or_else(|| necessary().find_map(|condition| tag(&condition)))
}

/// Whether anything narrows but stage and pipeline.
pub(super) fn narrows(filter: &LeadFilter) -> bool {
    filter.search.is_some()
        || filter.project.is_some()
        || filter.source.is_some()
        || filter.assigned.is_some()
        || filter.tag.is_some()
        || filter.conditions.as_ref().is_some_and(|tree| !tree.is_empty())
}

/// Finds out whether few or many leads match, over the index that narrows most.
pub(super) async fn found(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<Found, Error> {
    if !narrows(filter) {
        return Ok(Found::All);
    }
    let depth = depth(reader, workspace).await?;
    let probe = probe(reader, workspace, filter, depth);
    let rows = reader.query(&probe.sql, &probe.params).await?;
    let are_few = rows.len() <= FEW;
    let ids = rows.iter().take(FEW).map(|row| row.get("id")).collect::<Result<_, _>>()?;
    if !are_few {
        return Ok(if filter.search.is_some() { Found::Newest(ids) } else { Found::Many(ids) });
    }
    let is_whole = match &probe.strip {
        None => true,
        Some(strip) => is_whole(reader, workspace, strip, depth).await?,
    };
    Ok(if is_whole { Found::Few(ids) } else { Found::Newest(ids) })
}

/// How many leads of this workspace are looked through where no index has the answer.
pub(super) async fn depth(reader: &Reader, workspace: WorkspaceId) -> Result<i64, Error> {
    let all = super::tally::count_all(reader, workspace, &LeadFilter::default()).await?;
    Ok(if all <= LOOKED_THROUGH { LOOKED_THROUGH } else { LOOKED_THROUGH_OF_MANY })
}

/// Whether a strip has no more rows than the depth to which it is looked through.
pub(super) async fn is_whole(
    reader: &Reader,
    workspace: WorkspaceId,
    strip: &Strip,
    depth: i64,
) -> Result<bool, Error> {
    // The workspace has no more leads than these.
    Ok(depth == LOOKED_THROUGH || has_at_most(reader, workspace, strip, depth).await?)
}

/// Whether a strip has at most so many rows.
pub(super) async fn has_at_most(
    reader: &Reader,
    workspace: WorkspaceId,
    strip: &Strip,
    rows: i64,
) -> Result<bool, Error> {
    let mut asked = Asked::of(reader.dialect(), &LeadFilter::default());
    // Without the ids, which an index of an owner's leads does not have.
    let (text, (key, direction)) = asked.walk(reader.dialect(), workspace, strip);
    let sql = format!(
        "SELECT count(*) AS n FROM (SELECT 1 AS one FROM leads WHERE {text} ORDER BY {key} {direction}
                                    LIMIT 1 OFFSET {rows}) AS beyond"
    );
    Ok(reader.count(&sql, &asked.condition.params).await? == 0)
}

/// How it is found out whether few or many match.
struct Probe {
    sql: String,
    params: Vec<Param>,
    /// What it looks through, where that is bounded.
    strip: Option<Strip>,
}

impl Probe {
    fn unbounded((sql, params): (String, Vec<Param>)) -> Self {
        Self { sql, params, strip: None }
    }
}

/// An index that names the leads that match, or some more.
enum Index {
    /// The table beside `leads`, asked for these trigrams.
    Table(&'static str, String),
    /// The trigrams of the column, of a condition's text or of the search alone.
    Text(Option<String>),
    /// The tags.
    Tag(String),
}

fn index_of(dialect: Dialect, filter: &LeadFilter) -> Option<Index> {
    let search = filter.search.as_ref().filter(|search| search.scope == SearchScope::Everything);
    let piece = piece_of(filter);
    match dialect.search_table() {
        Some(table) => {
            let trigrams = search.and_then(|search| search.terms.trigrams());
            let trigrams = trigrams.or_else(|| piece.as_deref().map(search::quote));
            trigrams.map(|trigrams| Index::Table(table, trigrams))
        }
        None => (search.is_some() || piece.is_some()).then_some(Index::Text(piece)),
    }
    .or_else(|| tag_of(filter).map(Index::Tag))
}

/// Whether an index names the leads that match, so that they need not be looked for in a strip.
pub(super) fn has_index(dialect: Dialect, filter: &LeadFilter) -> bool {
    index_of(dialect, filter).is_some()
}

fn probe(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter, depth: i64) -> Probe {
    let dialect = reader.dialect();
    let condition = |walk| Where::of(dialect, workspace, filter, walk);
    let newest = "ORDER BY leads.created_at DESC, leads.id DESC";
    // What is not searched is walked if it finds many, so any of it tells enough.
    let order = if filter.search.is_some() { newest } else { "" };
    match index_of(dialect, filter) {
        Some(Index::Table(table, trigrams)) => Probe::unbounded(probe_table(table, condition(Walk::Named), &trigrams)),
        Some(Index::Text(piece)) => Probe::unbounded(probe_text(condition(Walk::Workspace), piece.as_deref(), newest)),
        Some(Index::Tag(tag)) => Probe::unbounded(probe_tag(condition(Walk::Named), &tag, order)),
        None => {
            let strip = strip_of(filter);
            let mut asked = Asked::of(dialect, filter);
            let from = asked.strip(dialect, workspace, &strip, &[], depth);
            let limit = FEW + 1;
            let sql = format!("SELECT leads.id FROM {from} WHERE {} {order} LIMIT {limit}", asked.condition.text);
            Probe { sql, params: asked.condition.params, strip: Some(strip) }
        }
    }
}

/// Over the trigram index of the column itself.
fn probe_text(mut condition: Where, piece: Option<&str>, order: &str) -> (String, Vec<Param>) {
    if let Some(piece) = piece {
        let pattern = condition.param(&format!("%{}%", search::escape(piece)));
        condition.and(&format!("leads.search_text LIKE ${pattern} ESCAPE '\\'"));
    }
    let limit = FEW + 1;
    (format!("SELECT leads.id FROM leads WHERE {} {order} LIMIT {limit}", condition.text), condition.params)
}

/// Over the table beside `leads`, and over the leads that it does not know yet. The newest are those that were stored
/// last, which is the order that the table has.
fn probe_table(table: &str, mut condition: Where, trigrams: &str) -> (String, Vec<Param>) {
    let filter = condition.text.clone();
    let query = condition.param(&trigrams);
    let limit = FEW + 1;
    let sql = format!(
        "SELECT id, number FROM (SELECT leads.id, leads.number
                                 FROM {table} CROSS JOIN leads ON leads.number = {table}.rowid
                                 WHERE {table} MATCH ${query} AND {filter}
                                 ORDER BY {table}.rowid DESC LIMIT {limit}) AS indexed
         UNION
         SELECT leads.id, leads.number
         FROM (SELECT lead_id FROM events WHERE NOT dispatched AND lead_id IS NOT NULL
               ORDER BY created_at DESC, id DESC LIMIT {UNINDEXED_MAX}) AS told
         CROSS JOIN leads WHERE leads.id = told.lead_id AND {filter}
         ORDER BY number DESC LIMIT {limit}"
    );
    (sql, condition.params)
}

fn probe_tag(mut condition: Where, tag: &str, order: &str) -> (String, Vec<Param>) {
    let filter = condition.text.clone();
    let tag = condition.param(&tag);
    let limit = FEW + 1;
    let sql = format!(
        "SELECT leads.id FROM lead_tags CROSS JOIN leads
         WHERE lead_tags.workspace_id = $1 AND lead_tags.tag = ${tag} AND leads.id = lead_tags.lead_id AND {filter}
         {order} LIMIT {limit}"
    );
    (sql, condition.params)
}
