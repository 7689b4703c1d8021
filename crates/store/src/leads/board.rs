//! The board: the first cards of each column, and more of one.

use leadline_domain::ids::{LeadId, StageId, WorkspaceId};

use super::{
    Card, Cursor, LeadFilter,
    found::{Asked, Found, Strip, Walk, Where, found},
    read::{card_columns, read_card},
    tally::{Tally, all_tallies, tally_all, tally_capped},
    values::{VALUE, VALUE_PARTS},
};
use crate::{
    pipelines,
    sql::{COUNT_CAP, Error, Reader, Row, json_set},
};

/// Counting the matches in a column of the board stops here: a filter that finds more is too wide to be worked through.
const COLUMN_COUNT_CAP: i64 = 1_000;

/// Leads of a stage that are looked through from its top for those that match.
const STAGE_LOOKED_THROUGH: i64 = 20_000;

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
    let matches = match &found {
        Found::Few(ids) | Found::Newest(ids) => few_on_board(reader, workspace, &stages, ids, limit).await?,
        Found::Many(_) => first_matches(reader, workspace, &stages, filter, limit).await?,
        Found::All => {
            fill(&mut columns, &first_pages(reader, workspace, &stages, filter, limit).await?)?;
            for (stage, tally) in all_tallies(reader, workspace, &stages).await? {
                tally_in(&mut columns, stage, &tally);
            }
            return Ok(columns);
        }
    };
    fill(&mut columns, &matches)?;
    for row in &matches {
        let tally = Tally { count: row.get("n")?, value_milli: i128::from(row.get::<i64>("value_milli")?) };
        tally_in(&mut columns, row.get("stage_id")?, &tally);
    }
    let large: Vec<StageId> = match &found {
        Found::All | Found::Few(_) => Vec::new(),
        Found::Newest(_) => stages,
        Found::Many(_) => {
            let in_all = all_tallies(reader, workspace, &stages).await?;
            in_all.iter().filter(|(_, tally)| tally.count > STAGE_LOOKED_THROUGH).map(|(stage, _)| *stage).collect()
        }
    };
    for column in &mut columns {
        let is_over = matches!(found, Found::Many(_)) && column.count > COLUMN_COUNT_CAP;
        if is_over {
            column.count = COLUMN_COUNT_CAP;
        }
        if is_over || large.contains(&column.stage) {
            cap(column);
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

/// The same where something is asked, with how many each column has (`n`) and what they are worth. A column is looked
/// through once, from its top until enough match.
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
    let most = COLUMN_COUNT_CAP + 1;
    let (mut columns, mut tops) = (Vec::with_capacity(stages.len()), Vec::with_capacity(stages.len()));
    let limit = asked.condition.param(&limit);
    for (number, stage) in stages.iter().enumerate() {
        let from = asked.strip(dialect, workspace, &Strip::Stage(*stage), &VALUE_PARTS, STAGE_LOOKED_THROUGH);
        columns.push(format!(
            "column_{number} AS MATERIALIZED (SELECT leads.id, leads.rank, {VALUE} AS value_milli
                                              FROM {from} WHERE {text} LIMIT {most})"
        ));
        tops.push(format!(
            "SELECT top_{number}.id, in_all_{number}.n, in_all_{number}.value_milli
             FROM (SELECT count(*) AS n, CAST(coalesce(sum(value_milli), 0) AS BIGINT) AS value_milli
                   FROM column_{number}) AS in_all_{number}
             CROSS JOIN (SELECT id FROM column_{number} ORDER BY rank DESC, id DESC LIMIT ${limit}) AS top_{number}"
        ));
    }
    let sql = format!(
        "WITH {} SELECT {}, tops.n, tops.value_milli, users.name AS assigned_to_name
         FROM ({}) AS tops CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id = tops.id ORDER BY leads.rank DESC, leads.id DESC",
        columns.join(", "),
        card_columns(dialect),
        tops.join(" UNION ALL "),
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
    condition.params.push(json_set(stages));
    let stages = reader.dialect().id_list(condition.params.len());
    let limit = condition.param(&limit);
    let sql = format!(
        "SELECT {columns}, placed.n, placed.value_milli, users.name AS assigned_to_name
         FROM (SELECT leads.id, count(*) OVER (PARTITION BY leads.stage_id) AS n,
                      CAST(sum({VALUE}) OVER (PARTITION BY leads.stage_id) AS BIGINT) AS value_milli,
                      row_number() OVER (PARTITION BY leads.stage_id ORDER BY leads.rank DESC, leads.id DESC) AS place
               FROM {from} WHERE {filter} AND leads.stage_id IN {stages}) AS placed
         CROSS JOIN leads LEFT JOIN users ON users.id = leads.assigned_to
         WHERE leads.id = placed.id AND placed.place <= ${limit}
         ORDER BY leads.rank DESC, leads.id DESC",
        columns = card_columns(reader.dialect()),
        from = condition.from,
        filter = condition.text,
    );
    reader.query(&sql, &condition.params).await
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
