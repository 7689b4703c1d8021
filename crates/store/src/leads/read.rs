//! Reading leads: one, a page of a list, the board.

use std::collections::HashMap;

use leadline_domain::{
    ids::{ContactId, LeadId, ProjectId, StageId, WorkspaceId},
    time::Timestamp,
};

use super::{
    Card, Cursor, Lead, LeadFilter, SortBy, SortOrder,
    found::{Asked, FEW, Found, Strip, Walk, Where, depth, found, is_whole, strip_of},
    values::{SUM, VALUE, VALUE_COLUMNS, VALUE_PARTS, read_sum, read_values},
};
use crate::{
    dialect::Dialect,
    pipelines,
    sql::{COUNT_CAP, Error, Page, Reader, Row, Tx, json_set, params},
    visits::standing::{figure_columns, read_figures},
};

/// Counting the matches in a column of the board stops here: a filter that finds more is too wide to be worked through.
const COLUMN_COUNT_CAP: i64 = 1_000;

/// Leads of one person that are looked at for their projects.
const MOST_RELATED: i64 = 50;

/// Another project that the person behind a lead asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// Their newest lead in it.
    pub lead_id: LeadId,
    /// The project.
    pub project_id: ProjectId,
    /// What it is called.
    pub project_name: String,
    /// When that lead was made.
    pub created_at: Timestamp,
}

/// A column of the board with its first cards.
#[derive(Debug, Clone)]
pub struct Column {
    /// The stage.
    pub stage: StageId,
    /// Its cards, from the top.
    pub cards: Vec<Card>,
    /// How many match in all, or the cap where counting stopped.
    pub count: i64,
    /// Whether there may be more than `count`.
    pub count_is_capped: bool,
    /// What they are worth together, in thousandths; `None` where counting stopped.
    pub value_milli: Option<i128>,
}

/// More cards of a column.
#[derive(Debug, Clone)]
pub struct StagePage {
    /// The cards, from where the cursor was downwards.
    pub cards: Vec<Card>,
    /// How many match in the whole column, or the cap where counting stopped.
    pub count: i64,
    /// Whether there may be more than `count`.
    pub count_is_capped: bool,
    /// What they are worth together, in thousandths; `None` where counting stopped.
    pub value_milli: Option<i128>,
}

/// How many leads match in a column, and what they are worth together.
#[derive(Default)]
struct Tally {
    count: i64,
    value_milli: i128,
}

/// The columns of a card, but for the assignee's name.
fn card_columns(dialect: Dialect) -> String {
    format!(
        "leads.id, leads.project_id, leads.pipeline_id, leads.stage_id, leads.rank, leads.name, leads.email,
         leads.phone, leads.company, leads.title, leads.source, leads.source_name, {tags} AS tags,
         {custom} AS custom_fields, leads.score,
         leads.suspicion, leads.assigned_to, leads.submission_count, leads.last_submission_at,
         leads.stage_entered_at, {VALUE_COLUMNS}, leads.close_reason, leads.is_test, leads.version,
         leads.created_at, leads.updated_at",
        tags = dialect.json_text("leads.tags"),
        custom = dialect.json_text("leads.custom_fields"),
    )
}

/// Leads that are sorted where no index has their order: the newest that match.
const SORTED_MAX: i64 = 20_000;

/// Leads of a stage that are looked through from its top for those that match.
const STAGE_LOOKED_THROUGH: i64 = 20_000;

/// Where the rows of a list are, and how many.
struct Rows {
    condition: Where,
    total: i64,
    total_is_capped: bool,
}

/// A page of a list, and how many there are.
///
/// # Errors
/// Where the database fails.
pub async fn list(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &LeadFilter,
    (sort, order): (SortBy, SortOrder),
    (limit, offset): (i64, i64),
) -> Result<Page<Card>, Error> {
    let Rows { mut condition, total, total_is_capped } = rows(reader, workspace, filter, &sort, order).await?;
    let dialect = reader.dialect();
    let key = sort.key(dialect, &mut condition.params);
    let (limit, offset) = (condition.param(&limit), condition.param(&offset));
    let direction = order.sql();
    // An index has its keys in their order, and none of them is null. Among the others, null comes last.
    let nulls = |key: &str| if sort.has_index() { String::new() } else { format!("({key}) IS NULL, ") };
    // What is sorted and passed over is narrow; the cards are fetched for the page alone.
    let sql = format!(
        "SELECT {columns}, users.name AS assigned_to_name
         FROM (SELECT leads.id, {key} AS sort_key FROM {from} WHERE {filter}
               ORDER BY {inner_nulls}{key} {direction}, leads.id {direction} LIMIT ${limit} OFFSET ${offset}) AS page
         CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id = page.id ORDER BY {outer_nulls}page.sort_key {direction}, page.id {direction}",
        columns = card_columns(dialect),
        from = condition.from,
        filter = condition.text,
        inner_nulls = nulls(&key),
        outer_nulls = nulls("page.sort_key"),
    );
    let rows = reader.query(&sql, &condition.params).await?;
    let rows = rows.iter().map(read_card).collect::<Result<_, _>>()?;
    Ok(Page { rows, total, total_is_capped })
}

async fn rows(
    reader: &Reader,
    workspace: WorkspaceId,
    filter: &LeadFilter,
    sort: &SortBy,
    order: SortOrder,
) -> Result<Rows, Error> {
    let dialect = reader.dialect();
    let among = |ids: &[LeadId], total_is_capped| Rows {
        condition: Where::among(workspace, ids, reader),
        total: count_of(ids.len()),
        total_is_capped,
    };
    let newest = match found(reader, workspace, filter).await? {
        Found::Few(ids) => return Ok(among(&ids, false)),
        Found::Newest(ids) => return Ok(among(&ids, true)),
        Found::All if sort.has_index() => {
            let condition = Where::of(dialect, workspace, filter, Walk::Workspace);
            let total = count_all(reader, workspace, filter).await?;
            return Ok(Rows { condition, total, total_is_capped: false });
        }
        Found::All => {
            let total = count_all(reader, workspace, filter).await?;
            let condition = sortable(reader, workspace, filter, sort).await?;
            return Ok(Rows { condition, total: total.min(SORTED_MAX), total_is_capped: total > SORTED_MAX });
        }
        Found::Many(newest) => newest,
    };
    if !sort.has_index() {
        let condition = sortable(reader, workspace, filter, sort).await?;
        let counted = count_capped(reader, &condition, COUNT_CAP).await?;
        return Ok(Rows { condition, total: counted.min(COUNT_CAP), total_is_capped: counted > COUNT_CAP });
    }
    let strip = Strip::Sorted(sort.clone(), order);
    let mut asked = Asked::of(dialect, filter);
    let depth = depth(reader, workspace).await?;
    asked.condition.from = asked.strip(dialect, workspace, &strip, sort.columns(), depth);
    let counted = count_capped(reader, &asked.condition, COUNT_CAP).await?;
    let are_near = counted > count_of(FEW);
    if !are_near {
        // They stand far from where the order begins.
        return Ok(among(&newest, true));
    }
    let total_is_capped = counted > COUNT_CAP || !is_whole(reader, workspace, &strip).await?;
    Ok(Rows { condition: asked.condition, total: counted.min(COUNT_CAP), total_is_capped })
}

/// The newest leads that match, for an order that no index has.
async fn sortable(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter, sort: &SortBy) -> Result<Where, Error> {
    let dialect = reader.dialect();
    let mut asked = Asked::of(dialect, filter);
    let depth = depth(reader, workspace).await?;
    let from = asked.strip(dialect, workspace, &strip_of(filter), sort.columns(), depth);
    let mut condition = asked.condition;
    condition.from = format!("(SELECT * FROM {from} WHERE {} LIMIT {SORTED_MAX}) AS leads", condition.text);
    condition.text = "TRUE".to_owned();
    Ok(condition)
}

pub(super) async fn count_all(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<i64, Error> {
    Ok(tally_all(reader, workspace, filter).await?.count)
}

/// By the index of the counts on workspace and stage.
async fn tally_all(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<Tally, Error> {
    let from = "lead_stage_counts".to_owned();
    let mut condition = Where { from, text: "workspace_id = $1".to_owned(), params: params![workspace].into() };
    if let Some(stage) = filter.stage {
        condition.equal("stage_id", &stage);
    }
    if let Some(pipeline) = filter.pipeline {
        condition.equal("pipeline_id", &pipeline);
    }
    let sql = format!(
        "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS n, {SUM} FROM lead_stage_counts WHERE {}",
        condition.text
    );
    let row = reader.query_one(&sql, &condition.params).await?;
    row.map_or(Ok(Tally::default()), |row| Ok(Tally { count: row.get("n")?, value_milli: read_sum(&row)? }))
}

async fn tally_capped(reader: &Reader, condition: &Where, cap: i64) -> Result<Tally, Error> {
    let (from, filter, limit) = (&condition.from, &condition.text, cap + 1);
    let sql = format!(
        "SELECT count(*) AS n, CAST(coalesce(sum(c.value_milli), 0) AS BIGINT) AS value_milli
         FROM (SELECT {VALUE} AS value_milli FROM {from} WHERE {filter} LIMIT {limit}) AS c"
    );
    let row = reader.query_one(&sql, &condition.params).await?;
    row.map_or(Ok(Tally::default()), |row| {
        Ok(Tally { count: row.get("n")?, value_milli: i128::from(row.get::<i64>("value_milli")?) })
    })
}

async fn count_capped(reader: &Reader, condition: &Where, cap: i64) -> Result<i64, Error> {
    let (from, filter, limit) = (&condition.from, &condition.text, cap + 1);
    let sql = format!("SELECT count(*) AS n FROM (SELECT 1 AS one FROM {from} WHERE {filter} LIMIT {limit}) AS c");
    reader.count(&sql, &condition.params).await
}

fn count_of(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// The first cards of these stages, and how many match in each. Stages that are not the workspace's come out empty.
///
/// # Errors
/// Where the database fails.
pub async fn board(
    reader: &Reader,
    workspace: WorkspaceId,
    stages: &[StageId],
    filter: &LeadFilter,
    limit: i64,
) -> Result<Vec<Column>, Error> {
    let mut columns: Vec<Column> = stages
        .iter()
        .map(|stage| Column {
            stage: *stage,
            cards: Vec::new(),
            count: 0,
            count_is_capped: false,
            value_milli: Some(0),
        })
        .collect();
    let stages: Vec<StageId> =
        stages.iter().copied().filter(|stage| filter.stage.is_none_or(|only| only == *stage)).collect();
    let Some(first) = stages.first() else { return Ok(columns) };
    let found = found(reader, workspace, &on_board(reader, workspace, *first, filter).await?).await?;
    match &found {
        Found::Few(ids) | Found::Newest(ids) => {
            let rows = few_on_board(reader, workspace, &stages, ids, limit).await?;
            fill(&mut columns, &rows)?;
            for row in &rows {
                let tally = Tally { count: row.get("n")?, value_milli: i128::from(row.get::<i64>("value_milli")?) };
                tally_in(&mut columns, row.get("stage_id")?, &tally);
            }
            let is_capped = matches!(found, Found::Newest(_));
            columns.iter_mut().filter(|column| is_capped && stages.contains(&column.stage)).for_each(cap);
        }
        Found::All => {
            fill(&mut columns, &first_pages(reader, workspace, &stages, filter, limit).await?)?;
            for (stage, tally) in all_tallies(reader, workspace, &stages).await? {
                tally_in(&mut columns, stage, &tally);
            }
        }
        Found::Many(_) => {
            fill(&mut columns, &first_matches(reader, workspace, &stages, filter, limit).await?)?;
            let in_all = all_tallies(reader, workspace, &stages).await?;
            let is_large =
                |stage| in_all.iter().any(|(one, tally)| *one == stage && tally.count > STAGE_LOOKED_THROUGH);
            for (stage, tally) in capped_tallies(reader, workspace, &stages, filter).await? {
                let count = tally.count.min(COLUMN_COUNT_CAP);
                tally_in(&mut columns, stage, &Tally { count, ..tally });
                if tally.count > COLUMN_COUNT_CAP || is_large(stage) {
                    columns.iter_mut().filter(|column| column.stage == stage).for_each(cap);
                }
            }
        }
    }
    Ok(columns)
}

/// What the board that `stage` is of is asked for. A search fills that board from one set of leads, so that a column
/// shows the same on the board as in pages of its own, and other pipelines have no part in it.
async fn on_board(
    reader: &Reader,
    workspace: WorkspaceId,
    stage: StageId,
    filter: &LeadFilter,
) -> Result<LeadFilter, Error> {
    if filter.search.is_none() {
        return Ok(filter.clone());
    }
    let pipeline = match filter.pipeline {
        Some(pipeline) => Some(pipeline),
        None => pipelines::find_stage(reader, workspace, stage).await?.map(|stage| stage.pipeline_id),
    };
    Ok(LeadFilter { stage: None, pipeline, ..filter.clone() })
}

fn fill(columns: &mut [Column], rows: &[Row]) -> Result<(), Error> {
    for row in rows {
        let card = read_card(row)?;
        if let Some(column) = columns.iter_mut().find(|column| column.stage == card.stage_id) {
            column.cards.push(card);
        }
    }
    Ok(())
}

fn tally_in(columns: &mut [Column], stage: StageId, tally: &Tally) {
    if let Some(column) = columns.iter_mut().find(|column| column.stage == stage) {
        column.count = tally.count;
        column.value_milli = Some(tally.value_milli);
    }
}

/// Counting stopped: there may be more, and what all are worth is not known.
fn cap(column: &mut Column) {
    column.count_is_capped = true;
    column.value_milli = None;
}

/// One statement for all columns, each walked from its top on its own index.
async fn first_pages(
    reader: &Reader,
    workspace: WorkspaceId,
    stages: &[StageId],
    filter: &LeadFilter,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let columns = card_columns(reader.dialect());
    let mut condition = Where::of(reader.dialect(), workspace, filter, Walk::Stage);
    let limit = condition.param(&limit);
    let parts: Vec<String> = stages
        .iter()
        .map(|stage| {
            let stage = condition.param(stage);
            format!(
                "SELECT * FROM (SELECT {columns} FROM leads WHERE leads.stage_id = ${stage} AND {filter}
                 ORDER BY leads.rank DESC, leads.id DESC LIMIT ${limit}) AS s{stage}",
                filter = condition.text,
            )
        })
        .collect();
    let sql = format!(
        "SELECT cards.*, users.name AS assigned_to_name FROM ({}) AS cards
         LEFT JOIN users ON users.id = cards.assigned_to ORDER BY cards.rank DESC, cards.id DESC",
        parts.join(" UNION ALL "),
    );
    reader.query(&sql, &condition.params).await
}

/// The same where something is asked: each column is looked through from its top, so far as is bounded.
async fn first_matches(
    reader: &Reader,
    workspace: WorkspaceId,
    stages: &[StageId],
    filter: &LeadFilter,
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let dialect = reader.dialect();
    let mut asked = Asked::of(dialect, filter);
    let text = asked.condition.text.clone();
    let limit = asked.condition.param(&limit);
    let mut parts = Vec::with_capacity(stages.len());
    for (place, stage) in stages.iter().enumerate() {
        let from = asked.strip(dialect, workspace, &Strip::Stage(*stage), &[], STAGE_LOOKED_THROUGH);
        parts.push(format!("SELECT * FROM (SELECT leads.id FROM {from} WHERE {text} LIMIT ${limit}) AS s{place}"));
    }
    let sql = format!(
        "SELECT {columns}, users.name AS assigned_to_name FROM ({}) AS tops
         CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id = tops.id ORDER BY leads.rank DESC, leads.id DESC",
        parts.join(" UNION ALL "),
        columns = card_columns(dialect),
    );
    reader.query(&sql, &asked.condition.params).await
}

/// The cards of all columns out of a few leads, each with how many its column has (`n`) and what they are worth. What is
/// sorted is narrow; the cards are fetched for the tops of the columns alone.
async fn few_on_board(
    reader: &Reader,
    workspace: WorkspaceId,
    stages: &[StageId],
    ids: &[LeadId],
    limit: i64,
) -> Result<Vec<Row>, Error> {
    let mut condition = Where::among(workspace, ids, reader);
    let limit = condition.param(&limit);
    condition.params.push(json_set(stages));
    let sql = format!(
        "SELECT {columns}, placed.n, placed.value_milli, users.name AS assigned_to_name
         FROM (SELECT leads.id, leads.stage_id, count(*) OVER (PARTITION BY leads.stage_id) AS n,
                      CAST(sum({VALUE}) OVER (PARTITION BY leads.stage_id) AS BIGINT) AS value_milli,
                      row_number() OVER (PARTITION BY leads.stage_id ORDER BY leads.rank DESC, leads.id DESC) AS place
               FROM {from} WHERE {filter}) AS placed
         CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id = placed.id AND placed.place <= ${limit} AND placed.stage_id IN {stages}
         ORDER BY leads.rank DESC, leads.id DESC",
        columns = card_columns(reader.dialect()),
        from = condition.from,
        filter = condition.text,
        stages = reader.dialect().id_list(condition.params.len()),
    );
    reader.query(&sql, &condition.params).await
}

/// By the index of the counts on workspace and stage: a stage has one row, and those since it was folded last.
async fn all_tallies(
    reader: &Reader,
    workspace: WorkspaceId,
    stages: &[StageId],
) -> Result<Vec<(StageId, Tally)>, Error> {
    let sql = format!(
        "SELECT stage_id, CAST(sum(n) AS BIGINT) AS n, {SUM} FROM lead_stage_counts
         WHERE workspace_id = $1 AND stage_id IN {} GROUP BY stage_id",
        reader.dialect().id_list(2),
    );
    let [workspace] = params![workspace];
    let rows = reader.query(&sql, &[workspace, json_set(stages)]).await?;
    let read = |row: &Row| Ok((row.get("stage_id")?, Tally { count: row.get("n")?, value_milli: read_sum(row)? }));
    rows.iter().map(read).collect()
}

/// Goes through the leads of each stage until enough match, a thousand of them at most, whose values are added up on
/// the way.
async fn capped_tallies(
    reader: &Reader,
    workspace: WorkspaceId,
    stages: &[StageId],
    filter: &LeadFilter,
) -> Result<Vec<(StageId, Tally)>, Error> {
    let dialect = reader.dialect();
    let mut asked = Asked::of(dialect, filter);
    let text = asked.condition.text.clone();
    let limit = COLUMN_COUNT_CAP + 1;
    let mut parts = Vec::with_capacity(stages.len());
    for (place, stage) in stages.iter().enumerate() {
        let from = asked.strip(dialect, workspace, &Strip::Stage(*stage), &VALUE_PARTS, STAGE_LOOKED_THROUGH);
        parts.push(format!(
            "SELECT CAST({place} AS BIGINT) AS place, count(*) AS n,
                    CAST(coalesce(sum(c.value_milli), 0) AS BIGINT) AS value_milli
             FROM (SELECT {VALUE} AS value_milli FROM {from} WHERE {text} LIMIT {limit}) AS c"
        ));
    }
    let rows = reader.query(&parts.join(" UNION ALL "), &asked.condition.params).await?;
    rows.iter()
        .map(|row| {
            let place: i64 = row.get("place")?;
            let stage = usize::try_from(place).ok().and_then(|place| stages.get(place));
            let stage = *stage.ok_or(Error::Column { column: "place".to_owned() })?;
            Ok((stage, Tally { count: row.get("n")?, value_milli: i128::from(row.get::<i64>("value_milli")?) }))
        })
        .collect()
}

/// The cards of a stage below `after`, or from the top.
///
/// # Errors
/// Where the database fails.
pub async fn stage_page(
    reader: &Reader,
    workspace: WorkspaceId,
    stage: StageId,
    filter: &LeadFilter,
    after: Option<&Cursor>,
    limit: i64,
) -> Result<StagePage, Error> {
    let filter = LeadFilter { stage: Some(stage), ..filter.clone() };
    let found = found(reader, workspace, &on_board(reader, workspace, stage, &filter).await?).await?;
    let dialect = reader.dialect();
    let mut condition = match &found {
        Found::Few(ids) | Found::Newest(ids) => {
            let mut condition = Where::among(workspace, ids, reader);
            let number = condition.param(&stage);
            condition.and(&dialect.equal_unindexed("leads.stage_id", number));
            condition
        }
        Found::All => Where::of(dialect, workspace, &filter, Walk::Stage),
        Found::Many(_) => {
            let strip = after.map_or(Strip::Stage(stage), |after| Strip::Below(stage, after.clone()));
            in_stage(reader, workspace, &filter, &strip)
        }
    };
    let counting = match found {
        Found::Many(_) => in_stage(reader, workspace, &filter, &Strip::Stage(stage)),
        Found::All | Found::Few(_) | Found::Newest(_) => condition.clone(),
    };
    if let (Some(after), Found::All | Found::Few(_) | Found::Newest(_)) = (after, &found) {
        let (rank, id) = (condition.param(&after.rank), condition.param(&after.id));
        condition.and(&format!("(leads.rank, leads.id) < (${rank}, ${id})"));
    }
    let limit = condition.param(&limit);
    // A strip has its own order, which is this one.
    let order = if matches!(found, Found::Many(_)) { "" } else { "ORDER BY leads.rank DESC, leads.id DESC" };
    let sql = format!(
        "SELECT {columns}, users.name AS assigned_to_name
         FROM (SELECT leads.id FROM {from} WHERE {filter} {order} LIMIT ${limit}) AS page
         CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id = page.id ORDER BY leads.rank DESC, leads.id DESC",
        columns = card_columns(dialect),
        from = condition.from,
        filter = condition.text,
    );
    let cards = reader.query(&sql, &condition.params).await?;
    let cards = cards.iter().map(read_card).collect::<Result<_, _>>()?;
    let tally = match found {
        Found::All => tally_all(reader, workspace, &filter).await?,
        // What was found is short already.
        Found::Few(_) | Found::Newest(_) => tally_capped(reader, &counting, COUNT_CAP).await?,
        Found::Many(_) => tally_capped(reader, &counting, COLUMN_COUNT_CAP).await?,
    };
    let (count, count_is_capped) = match found {
        Found::All | Found::Few(_) => (tally.count, false),
        Found::Newest(_) => (tally.count, true),
        Found::Many(_) => {
            let in_all = all_tallies(reader, workspace, &[stage]).await?;
            let is_large = in_all.iter().any(|(_, all)| all.count > STAGE_LOOKED_THROUGH);
            (tally.count.min(COLUMN_COUNT_CAP), tally.count > COLUMN_COUNT_CAP || is_large)
        }
    };
    let value_milli = Some(tally.value_milli).filter(|_| !count_is_capped);
    Ok(StagePage { cards, count, count_is_capped, value_milli })
}

/// What is asked of the leads of a stage.
fn in_stage(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter, strip: &Strip) -> Where {
    let mut asked = Asked::of(reader.dialect(), filter);
    asked.condition.from = asked.strip(reader.dialect(), workspace, strip, &VALUE_PARTS, STAGE_LOOKED_THROUGH);
    asked.condition
}

/// One lead, also where it is deleted.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: LeadId) -> Result<Option<Lead>, Error> {
    let [workspace] = params![workspace];
    reader.query_one(&whole(reader.dialect()), &[workspace, json_set(&[id])]).await?.as_ref().map(read_lead).transpose()
}

/// These leads in their order, without those that are deleted.
///
/// # Errors
/// Where the database fails.
pub async fn list_by_id(reader: &Reader, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Lead>, Error> {
    let [workspace] = params![workspace];
    let rows = reader.query(&whole(reader.dialect()), &[workspace, json_set(ids)]).await?;
    let mut leads: Vec<Lead> = rows.iter().map(read_lead).collect::<Result<_, _>>()?;
    leads.retain(|lead| lead.deleted_at.is_none());
    let places: HashMap<LeadId, usize> = ids.iter().enumerate().map(|(place, id)| (*id, place)).collect();
    leads.sort_by_key(|lead| places.get(&lead.card.id).copied());
    Ok(leads)
}

/// The leads of a contact, the newest first.
///
/// # Errors
/// Where the database fails.
pub async fn list_of_contact(
    reader: &Reader,
    workspace: WorkspaceId,
    contact: ContactId,
    limit: i64,
) -> Result<Vec<Lead>, Error> {
    // By `leads_of_contact`.
    let sql = "SELECT id FROM leads WHERE contact_id = $1 AND workspace_id = $2 AND deleted_at IS NULL
               ORDER BY created_at DESC, id DESC LIMIT $3";
    let rows = reader.query(sql, &params![contact, workspace, limit]).await?;
    let ids: Vec<LeadId> = rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?;
    list_by_id(reader, workspace, &ids).await
}

/// Leads that the same person has in other projects: by the contact, or by a visitor that was seen in both. Newest
/// first, the newest one of each project.
///
/// # Errors
/// Where the database fails.
pub async fn related(reader: &Reader, workspace: WorkspaceId, lead: &Lead) -> Result<Vec<Related>, Error> {
    // By `leads_of_contact` and the keys of `lead_visitors`.
    let sql = format!(
        "SELECT leads.id, leads.project_id, projects.name AS project_name, leads.created_at
         FROM leads JOIN projects ON projects.id = leads.project_id
         WHERE leads.workspace_id = $1 AND leads.project_id <> $2 AND leads.deleted_at IS NULL
           AND leads.id IN (SELECT id FROM leads WHERE contact_id = $3
                            UNION SELECT theirs.lead_id FROM lead_visitors AS ours
                            JOIN lead_visitors AS theirs
                              ON theirs.workspace_id = ours.workspace_id AND theirs.visitor_id = ours.visitor_id
                            WHERE ours.lead_id = $4 AND ours.workspace_id = $1)
         ORDER BY leads.created_at DESC, leads.id DESC LIMIT {MOST_RELATED}"
    );
    let rows = reader.query(&sql, &params![workspace, lead.card.project_id, lead.contact_id, lead.card.id]).await?;
    let mut related: Vec<Related> = Vec::new();
    for row in &rows {
        let one = Related {
            lead_id: row.get("id")?,
            project_id: row.get("project_id")?,
            project_name: row.get("project_name")?,
            created_at: row.get("created_at")?,
        };
        if !related.iter().any(|known| known.project_id == one.project_id) {
            related.push(one);
        }
    }
    Ok(related)
}

/// These leads as the transaction sees them, also where they are deleted.
///
/// # Errors
/// Where the database fails.
pub async fn load(tx: &mut Tx, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Lead>, Error> {
    let [workspace] = params![workspace];
    tx.query(&whole(tx.dialect()), &[workspace, json_set(ids)]).await?.iter().map(read_lead).collect()
}

fn whole(dialect: Dialect) -> String {
    format!(
        "SELECT {card}, users.name AS assigned_to_name, leads.number, leads.contact_id, projects.name AS project_name,
                lead_pipeline_stages.name AS stage_name,
                (SELECT settings->>'currency' FROM workspaces WHERE workspaces.id = leads.workspace_id) AS currency,
                leads.phone_raw, leads.country_code, leads.source_id, leads.message, {figures},
                {score} AS score_reasons,
                {suspicion} AS suspicion_reasons, {first} AS first_touch, {last} AS last_touch, leads.visitor_id,
                leads.lead_state, coalesce({context}, 'null') AS context, {analysis} AS lead_analysis,
                leads.converted_at, leads.deleted_at, leads.merged_into
         FROM leads LEFT JOIN users ON users.id = leads.assigned_to
         LEFT JOIN projects ON projects.id = leads.project_id
         LEFT JOIN lead_pipeline_stages ON lead_pipeline_stages.id = leads.stage_id
         WHERE leads.workspace_id = $1 AND leads.id IN {ids} ORDER BY leads.id",
        card = card_columns(dialect),
        figures = figure_columns(dialect),
        score = dialect.json_text("leads.score_reasons"),
        suspicion = dialect.json_text("leads.suspicion_reasons"),
        first = dialect.json_text("leads.first_touch"),
        last = dialect.json_text("leads.last_touch"),
        context = dialect.json_text("leads.context"),
        analysis = dialect.json_text("leads.lead_analysis"),
        ids = dialect.id_list(2),
    )
}

/// These leads as cards, as far as they are there, in no order.
///
/// # Errors
/// Where the database fails.
pub(super) async fn load_cards(reader: &Reader, workspace: WorkspaceId, ids: &[LeadId]) -> Result<Vec<Card>, Error> {
    let columns = card_columns(reader.dialect());
    let sql = format!(
        "SELECT {columns}, users.name AS assigned_to_name
         FROM leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id IN {} AND leads.workspace_id = $1",
        reader.dialect().id_list(2),
    );
    let [workspace] = params![workspace];
    reader.query(&sql, &[workspace, json_set(ids)]).await?.iter().map(read_card).collect()
}

fn read_card(row: &Row) -> Result<Card, Error> {
    Ok(Card {
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        pipeline_id: row.get("pipeline_id")?,
        stage_id: row.get("stage_id")?,
        rank: row.get("rank")?,
        name: row.get("name")?,
        email: row.get("email")?,
        phone: row.get("phone")?,
        company: row.get("company")?,
        title: row.get("title")?,
        source: row.get("source")?,
        source_name: row.get("source_name")?,
        tags: row.json("tags")?,
        custom_fields: row.json("custom_fields")?,
        score: row.get("score")?,
        suspicion: row.get("suspicion")?,
        assigned_to: row.get("assigned_to")?,
        assigned_to_name: row.get("assigned_to_name")?,
        submission_count: row.get("submission_count")?,
        last_submission_at: row.get("last_submission_at")?,
        stage_entered_at: row.get("stage_entered_at")?,
        values: read_values(row)?,
        close_reason: row.get("close_reason")?,
        is_test: row.get("is_test")?,
        version: row.get("version")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

fn read_lead(row: &Row) -> Result<Lead, Error> {
    Ok(Lead {
        card: read_card(row)?,
        number: row.get("number")?,
        contact_id: row.get("contact_id")?,
        project_name: row.get("project_name")?,
        stage_name: row.get("stage_name")?,
        currency: row.get("currency")?,
        phone_raw: row.get("phone_raw")?,
        country_code: row.get("country_code")?,
        source_id: row.get("source_id")?,
        message: row.get("message")?,
        figures: read_figures(row)?,
        score_reasons: row.json("score_reasons")?,
        suspicion_reasons: row.json("suspicion_reasons")?,
        first_touch: row.json("first_touch")?,
        last_touch: row.json("last_touch")?,
        visitor_id: row.get("visitor_id")?,
        lead_state: row.get("lead_state")?,
        context: row.json("context")?,
        lead_analysis: row.json_or_none("lead_analysis")?,
        converted_at: row.get("converted_at")?,
        deleted_at: row.get("deleted_at")?,
        merged_into: row.get("merged_into")?,
    })
}
