//! Pipelines and their stages.
//!
//! A stage that is gone keeps its row, since timelines and events name it. Whoever puts a lead into a stage holds the
//! stage's row shared meanwhile, and whoever removes a stage locks it, so that no lead is left in a stage that is gone.

use std::collections::HashMap;

use leadline_domain::{
    ids::{PipelineId, StageId, WorkspaceId},
    pipelines::{Closing, DEFAULT_PIPELINE_NAME, DEFAULT_STAGES, StageKind},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::{
    dialect::{Dialect, Kind},
    sql::{Columns, Error, Reader, Row, Tx, json_set, params},
};

/// A pipeline with its stages, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pipeline {
    /// The pipeline.
    pub id: PipelineId,
    /// Its name.
    pub name: String,
    /// Whether new leads come into this one.
    pub is_default: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every edit.
    pub version: i64,
    /// What it asks when a lead is won or lost.
    pub closing: Closing,
    /// Its columns, at least two.
    pub stages: Vec<Stage>,
}

/// A column of the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// The stage.
    pub id: StageId,
    /// Whose stage it is.
    pub pipeline_id: PipelineId,
    /// Its name.
    pub name: String,
    /// One of the colours of `leadline_domain::pipelines::COLOURS`.
    pub color: String,
    /// What reaching it means.
    pub kind: StageKind,
    /// Its place, counted from the left.
    pub position: i64,
    /// How likely a lead in it is won, in percent.
    pub probability: i64,
    /// After how many days a lead in it is stale.
    pub stale_after_days: Option<i64>,
}

/// What is told of a stage that a lead leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Its name.
    pub name: String,
    /// What reaching it meant.
    pub kind: StageKind,
}

/// A pipeline to be inserted.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the columns of `lead_pipelines` under their own names")]
pub struct NewPipeline {
    pub id: PipelineId,
    pub name: String,
    pub is_default: bool,
    pub closing: Closing,
    pub created_at: Timestamp,
}

/// The column `closing`.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ClosingColumn {
    won_reasons: Vec<String>,
    lost_reasons: Vec<String>,
    won_reason_required: bool,
    lost_reason_required: bool,
}

impl From<&Closing> for ClosingColumn {
    fn from(closing: &Closing) -> Self {
        Self {
            won_reasons: closing.won_reasons.clone(),
            lost_reasons: closing.lost_reasons.clone(),
            won_reason_required: closing.won_reason_required,
            lost_reason_required: closing.lost_reason_required,
        }
    }
}

impl From<ClosingColumn> for Closing {
    fn from(column: ClosingColumn) -> Self {
        Self {
            won_reasons: column.won_reasons,
            lost_reasons: column.lost_reasons,
            won_reason_required: column.won_reason_required,
            lost_reason_required: column.lost_reason_required,
        }
    }
}

fn closing_text(closing: &Closing) -> String {
    serde_json::to_string(&ClosingColumn::from(closing)).expect("texts and flags can be written")
}

#[derive(Serialize)]
struct StageRow<'a> {
    id: StageId,
    workspace_id: WorkspaceId,
    pipeline_id: PipelineId,
    name: &'a str,
    color: &'a str,
    kind: &'static str,
    position: i64,
    probability: i64,
    stale_after_days: Option<i64>,
    created_at: i64,
}

const STAGE_COLUMNS: Columns = &[
    ("id", Kind::Id),
    ("workspace_id", Kind::Id),
    ("pipeline_id", Kind::Id),
    ("name", Kind::Text),
    ("color", Kind::Text),
    ("kind", Kind::Text),
    ("position", Kind::Integer),
    ("probability", Kind::Integer),
    ("stale_after_days", Kind::Integer),
    ("created_at", Kind::Integer),
];

/// What [`read_stage`] reads.
const STAGE: &str = "id, pipeline_id, name, color, kind, position, probability, stale_after_days";

/// Makes the pipeline that a workspace starts with, unless it has one, and tells which it is. Two that do this at
/// once get the same one: the unique index lets a single one in. `random` gives the random part of ids.
///
/// # Errors
/// Where the database fails.
pub async fn insert_default(
    tx: &mut Tx,
    workspace: WorkspaceId,
    now: Timestamp,
    random: impl Fn() -> [u8; 10],
) -> Result<PipelineId, Error> {
    let pipeline = NewPipeline {
        id: PipelineId::new(now, random()),
        name: DEFAULT_PIPELINE_NAME.to_owned(),
        is_default: true,
        closing: Closing::default(),
        created_at: now,
    };
    let stages: Vec<Stage> = DEFAULT_STAGES
        .iter()
        .zip(0..)
        .map(|(stage, position)| Stage {
            id: StageId::new(now, random()),
            pipeline_id: pipeline.id,
            name: stage.name.to_owned(),
            color: stage.color.to_owned(),
            kind: stage.kind,
            position,
            probability: stage.probability,
            stale_after_days: None,
        })
        .collect();
    if insert(tx, workspace, &pipeline, &stages).await? {
        return Ok(pipeline.id);
    }
    let sql = "SELECT id FROM lead_pipelines WHERE workspace_id = $1 AND is_default AND deleted_at IS NULL";
    tx.query_one(sql, &params![workspace]).await?.ok_or(Error::Contended)?.get("id")
}

/// Inserts a pipeline with its stages and tells whether it went in: a second default one does not.
///
/// # Errors
/// Where the database fails.
pub async fn insert(
    tx: &mut Tx,
    workspace: WorkspaceId,
    pipeline: &NewPipeline,
    stages: &[Stage],
) -> Result<bool, Error> {
    let sql = format!(
        "INSERT INTO lead_pipelines (id, workspace_id, name, is_default, closing, created_at)
         VALUES ($1, $2, $3, $4, {closing}, $6) ON CONFLICT DO NOTHING",
        closing = tx.dialect().json(5),
    );
    let closing = closing_text(&pipeline.closing);
    let row = params![pipeline.id, workspace, pipeline.name, pipeline.is_default, closing, pipeline.created_at];
    if tx.execute(&sql, &row).await? == 0 {
        return Ok(false);
    }
    write_stages(tx, workspace, stages, pipeline.created_at).await?;
    Ok(true)
}

/// Writes name and reasons of a pipeline, counts the edit, and tells whether it is there.
///
/// # Errors
/// Where the database fails.
pub async fn update(
    tx: &mut Tx,
    workspace: WorkspaceId,
    id: PipelineId,
    name: &str,
    closing: &Closing,
) -> Result<bool, Error> {
    let sql = format!(
        "UPDATE lead_pipelines SET name = $3, closing = {closing}, version = version + 1
         WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL",
        closing = tx.dialect().json(4),
    );
    Ok(tx.execute(&sql, &params![id, workspace, name, closing_text(closing)]).await? == 1)
}

/// Locks all pipelines of a workspace in the order of their ids, for whoever changes which one is the default.
///
/// # Errors
/// Where the database fails.
pub async fn lock_all(tx: &mut Tx, workspace: WorkspaceId) -> Result<(), Error> {
    let sql = format!(
        "SELECT id FROM lead_pipelines WHERE workspace_id = $1 AND deleted_at IS NULL ORDER BY id {}",
        tx.dialect().for_update(),
    );
    tx.query(&sql, &params![workspace]).await.map(drop)
}

/// Makes a pipeline the default one. All pipelines must be locked.
///
/// # Errors
/// [`Error::Contended`] where it is not there.
pub async fn set_default(tx: &mut Tx, workspace: WorkspaceId, id: PipelineId) -> Result<(), Error> {
    // In this order: the unique index lets a single one be it at any moment.
    let sql = "UPDATE lead_pipelines SET is_default = FALSE WHERE workspace_id = $1 AND is_default";
    tx.execute(sql, &params![workspace]).await?;
    let sql = "UPDATE lead_pipelines SET is_default = TRUE
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL";
    let changed = tx.execute(sql, &params![id, workspace]).await?;
    if changed == 1 { Ok(()) } else { Err(Error::Contended) }
}

/// What a pipeline asks when a lead is won or lost; nothing where it is not there.
///
/// # Errors
/// Where the database fails.
pub async fn closing_of(tx: &mut Tx, workspace: WorkspaceId, id: PipelineId) -> Result<Closing, Error> {
    let sql = format!(
        "SELECT {closing} AS closing FROM lead_pipelines WHERE id = $1 AND workspace_id = $2",
        closing = tx.dialect().json_text("closing"),
    );
    let row = tx.query_one(&sql, &params![id, workspace]).await?;
    row.map_or_else(|| Ok(Closing::default()), |row| read_closing(&row))
}

/// How many leads stand in each stage of a workspace. By the index on its counts, of which a stage has a few dozen rows.
///
/// # Errors
/// Where the database fails.
pub async fn lead_counts(reader: &Reader, workspace: WorkspaceId) -> Result<HashMap<StageId, i64>, Error> {
    let sql = "SELECT stage_id, CAST(sum(n) AS BIGINT) AS n FROM lead_stage_counts WHERE workspace_id = $1
               GROUP BY stage_id";
    let rows = reader.query(sql, &params![workspace]).await?;
    rows.iter().map(|row| Ok((row.get("stage_id")?, row.get("n")?))).collect()
}

/// Inserts the stages that are new and writes what may be edited of those that are not.
///
/// # Errors
/// Where the database fails.
pub async fn write_stages(tx: &mut Tx, workspace: WorkspaceId, stages: &[Stage], now: Timestamp) -> Result<(), Error> {
    let rows: Vec<StageRow<'_>> = stages
        .iter()
        .map(|stage| StageRow {
            id: stage.id,
            workspace_id: workspace,
            pipeline_id: stage.pipeline_id,
            name: &stage.name,
            color: &stage.color,
            kind: stage.kind.as_str(),
            position: stage.position,
            probability: stage.probability,
            stale_after_days: stage.stale_after_days,
            created_at: now.0,
        })
        .collect();
    let conflict = "ON CONFLICT (id) DO UPDATE SET name = excluded.name, color = excluded.color, kind = excluded.kind,
                    position = excluded.position, probability = excluded.probability,
                    stale_after_days = excluded.stale_after_days";
    tx.insert_set("lead_pipeline_stages", STAGE_COLUMNS, &rows, conflict).await.map(drop)
}

/// Puts stages away. Their leads must have gone before, in the same transaction.
///
/// # Errors
/// Where the database fails.
pub async fn delete_stages(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stages: &[StageId],
    now: Timestamp,
) -> Result<(), Error> {
    let sql = format!(
        "UPDATE lead_pipeline_stages SET deleted_at = $3 WHERE workspace_id = $1 AND id IN {}",
        tx.dialect().id_list(2),
    );
    let [workspace, now] = params![workspace, now];
    tx.execute(&sql, &[workspace, json_set(stages), now]).await.map(drop)
}

/// Puts a pipeline away, without its stages, and tells whether it was there. Projects that named it go by the default one.
///
/// # Errors
/// Where the database fails.
pub async fn delete(tx: &mut Tx, workspace: WorkspaceId, id: PipelineId, now: Timestamp) -> Result<bool, Error> {
    let sql = "UPDATE lead_pipelines SET deleted_at = $3
               WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL AND NOT is_default";
    if tx.execute(sql, &params![id, workspace, now]).await? == 0 {
        return Ok(false);
    }
    // A workspace has a thousand projects at most.
    let sql = "UPDATE projects SET pipeline_id = NULL WHERE workspace_id = $2 AND pipeline_id = $1";
    tx.execute(sql, &params![id, workspace]).await?;
    Ok(true)
}

/// The workspace's pipelines, the default one first.
///
/// # Errors
/// Where the database fails.
pub async fn list(reader: &Reader, workspace: WorkspaceId) -> Result<Vec<Pipeline>, Error> {
    let dialect = reader.dialect();
    let sql = format!(
        "SELECT {columns} FROM lead_pipelines WHERE workspace_id = $1 AND deleted_at IS NULL
         ORDER BY is_default DESC, created_at, id LIMIT 1000",
        columns = pipeline_columns(dialect),
    );
    let pipelines = reader.query(&sql, &params![workspace]).await?;
    let sql = format!(
        "SELECT {STAGE} FROM lead_pipeline_stages WHERE deleted_at IS NULL AND pipeline_id IN
                (SELECT id FROM lead_pipelines WHERE workspace_id = $1 AND deleted_at IS NULL)"
    );
    let stages = reader.query(&sql, &params![workspace]).await?;
    with_stages(&pipelines, &stages)
}

/// One pipeline; without an id the default one.
///
/// # Errors
/// Where the database fails.
pub async fn find(reader: &Reader, workspace: WorkspaceId, id: Option<PipelineId>) -> Result<Option<Pipeline>, Error> {
    Ok(list(reader, workspace)
        .await?
        .into_iter()
        .find(|pipeline| id.map_or(pipeline.is_default, |id| pipeline.id == id)))
}

/// One stage.
///
/// # Errors
/// Where the database fails.
pub async fn find_stage(reader: &Reader, workspace: WorkspaceId, id: StageId) -> Result<Option<Stage>, Error> {
    let sql =
        format!("SELECT {STAGE} FROM lead_pipeline_stages WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL");
    reader.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_stage).transpose()
}

/// One pipeline, to be changed: nobody else changes it, or puts leads into its stages, until the transaction ends.
///
/// # Errors
/// Where the database fails.
pub async fn lock(tx: &mut Tx, workspace: WorkspaceId, id: PipelineId) -> Result<Option<Pipeline>, Error> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT {columns} FROM lead_pipelines WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {lock}",
        columns = pipeline_columns(tx.dialect()),
    );
    let pipelines = tx.query(&sql, &params![id, workspace]).await?;
    let sql = format!(
        "SELECT {STAGE} FROM lead_pipeline_stages
         WHERE pipeline_id = $1 AND workspace_id = $2 AND deleted_at IS NULL ORDER BY id {lock}"
    );
    let stages = tx.query(&sql, &params![id, workspace]).await?;
    Ok(with_stages(&pipelines, &stages)?.pop())
}

/// Whether a pipeline is there, held so that nobody deletes it meanwhile.
///
/// # Errors
/// Where the database fails.
pub async fn hold(tx: &mut Tx, workspace: WorkspaceId, id: PipelineId) -> Result<bool, Error> {
    let sql = format!(
        "SELECT id FROM lead_pipelines WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        tx.dialect().for_share(),
    );
    Ok(tx.query_one(&sql, &params![id, workspace]).await?.is_some())
}

/// A stage that a lead is about to be put into, held so that nobody removes it meanwhile.
///
/// # Errors
/// Where the database fails.
pub async fn hold_stage(tx: &mut Tx, workspace: WorkspaceId, id: StageId) -> Result<Option<Stage>, Error> {
    let sql = format!(
        "SELECT {STAGE} FROM lead_pipeline_stages
         WHERE id = $1 AND workspace_id = $2 AND deleted_at IS NULL {}",
        tx.dialect().for_share(),
    );
    tx.query_one(&sql, &params![id, workspace]).await?.as_ref().map(read_stage).transpose()
}

/// Which of these stages are still there, held so that nobody removes them meanwhile: for whoever remembers the entry
/// stages of several workspaces.
///
/// # Errors
/// Where the database fails.
pub async fn hold_stages(tx: &mut Tx, stages: &[StageId]) -> Result<Vec<StageId>, Error> {
    if stages.is_empty() {
        return Ok(Vec::new());
    }
    let dialect = tx.dialect();
    let sql = format!(
        "SELECT id FROM lead_pipeline_stages WHERE id IN {} AND deleted_at IS NULL ORDER BY id {}",
        dialect.id_list(1),
        dialect.for_share(),
    );
    tx.query(&sql, &[json_set(stages)]).await?.iter().map(|row| row.get("id")).collect()
}

/// What these stages are called and what reaching them meant, also of those that are gone.
///
/// # Errors
/// Where the database fails.
pub async fn left_stages(
    tx: &mut Tx,
    workspace: WorkspaceId,
    stages: &[StageId],
) -> Result<HashMap<StageId, Left>, Error> {
    let sql = format!(
        "SELECT id, name, kind FROM lead_pipeline_stages WHERE workspace_id = $1 AND id IN {}",
        tx.dialect().id_list(2),
    );
    let [workspace] = params![workspace];
    let rows = tx.query(&sql, &[workspace, json_set(stages)]).await?;
    rows.iter().map(|row| Ok((row.get("id")?, Left { name: row.get("name")?, kind: read_kind(row)? }))).collect()
}

/// The first stage of a pipeline, held.
///
/// # Errors
/// Where the database fails.
pub async fn first_stage(tx: &mut Tx, workspace: WorkspaceId, pipeline: PipelineId) -> Result<Option<Stage>, Error> {
    let sql = format!(
        "SELECT {STAGE} FROM lead_pipeline_stages
         WHERE pipeline_id = $1 AND workspace_id = $2 AND deleted_at IS NULL ORDER BY position, id LIMIT 1 {}",
        tx.dialect().for_share(),
    );
    tx.query_one(&sql, &params![pipeline, workspace]).await?.as_ref().map(read_stage).transpose()
}

/// The stage that new leads come into that were meant for `pipeline`, held: the first one of it, or of the default one
/// where it is gone.
///
/// # Errors
/// Where the database fails.
pub async fn entry_stage(tx: &mut Tx, workspace: WorkspaceId, pipeline: PipelineId) -> Result<Option<Stage>, Error> {
    match first_stage(tx, workspace, pipeline).await? {
        Some(stage) => Ok(Some(stage)),
        None => entry_stage_of_default(tx, workspace).await,
    }
}

/// The stage that new leads of a workspace come into, held.
///
/// # Errors
/// Where the database fails.
pub async fn entry_stage_of_default(tx: &mut Tx, workspace: WorkspaceId) -> Result<Option<Stage>, Error> {
    let sql = "SELECT id FROM lead_pipelines WHERE workspace_id = $1 AND is_default AND deleted_at IS NULL";
    let Some(row) = tx.query_one(sql, &params![workspace]).await? else { return Ok(None) };
    first_stage(tx, workspace, row.get("id")?).await
}

fn pipeline_columns(dialect: Dialect) -> String {
    format!("id, name, is_default, created_at, version, {} AS closing", dialect.json_text("closing"))
}

fn read_closing(row: &Row) -> Result<Closing, Error> {
    row.json::<ClosingColumn>("closing").map(Closing::from)
}

fn with_stages(pipelines: &[Row], stages: &[Row]) -> Result<Vec<Pipeline>, Error> {
    let mut by_pipeline: HashMap<PipelineId, Vec<Stage>> = HashMap::new();
    for row in stages {
        let stage = read_stage(row)?;
        by_pipeline.entry(stage.pipeline_id).or_default().push(stage);
    }
    pipelines
        .iter()
        .map(|row| {
            let id = row.get("id")?;
            let mut stages = by_pipeline.remove(&id).unwrap_or_default();
            stages.sort_by_key(|stage| (stage.position, stage.id));
            Ok(Pipeline {
                id,
                name: row.get("name")?,
                is_default: row.get("is_default")?,
                created_at: row.get("created_at")?,
                version: row.get("version")?,
                closing: read_closing(row)?,
                stages,
            })
        })
        .collect()
}

fn read_kind(row: &Row) -> Result<StageKind, Error> {
    let kind: String = row.get("kind")?;
    StageKind::parse(&kind).ok_or(Error::Column { column: "kind".to_owned() })
}

fn read_stage(row: &Row) -> Result<Stage, Error> {
    Ok(Stage {
        id: row.get("id")?,
        pipeline_id: row.get("pipeline_id")?,
        name: row.get("name")?,
        color: row.get("color")?,
        kind: read_kind(row)?,
        position: row.get("position")?,
        probability: row.get("probability")?,
        stale_after_days: row.get("stale_after_days")?,
    })
}
