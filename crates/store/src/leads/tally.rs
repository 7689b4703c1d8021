//! How many leads there are, and what they are worth together.

use leadline_domain::ids::{StageId, WorkspaceId};

use super::{
    LeadFilter,
    found::Where,
    values::{SUM, VALUE, read_sum},
};
use crate::sql::{Error, Reader, Row, json_set, params};

/// How many leads match in a column, and what they are worth together, in thousandths.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) count: i64,
    pub(super) value_milli: i128,
}

pub(super) async fn count_all(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<i64, Error> {
    Ok(tally_all(reader, workspace, filter).await?.count)
}

/// By the index of the counts on workspace and stage.
pub(super) async fn tally_all(reader: &Reader, workspace: WorkspaceId, filter: &LeadFilter) -> Result<Tally, Error> {
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

/// Of the rows that a condition finds, until counting stops.
pub(super) async fn tally_capped(reader: &Reader, condition: &Where, cap: i64) -> Result<Tally, Error> {
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

/// By the index of the counts on workspace and stage: a stage has one row, and those since it was folded last.
pub(super) async fn all_tallies(
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
