//! What is answered about files of leads.

use std::collections::HashMap;

use leadline_domain::{
    ids::{ImportId, JobId, ProjectId, StageId},
    imports::Rule,
    time::{DAY_MS, Timestamp},
};
use leadline_engine::{
    Actor,
    capture::imports::{Chosen, rows::Tally},
    jobs::Job,
};
use leadline_store::{imports::Import, jobs as stored_jobs};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::{jobs::JobView, masking::Sight},
    app::App,
    error::ApiResult,
};

/// Values of a column that are shown.
const SAMPLES: usize = 3;

/// For so long an import can be put back.
const UNDO_MS: i64 = 30 * DAY_MS;

/// A file of leads in a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportRowView {
    #[schema(value_type = Uuid)]
    id: ImportId,
    #[schema(example = "leads.csv")]
    file_name: String,
    size_bytes: i64,
    /// Rows that are not blank, without the header.
    row_count: i64,
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// The job that makes leads of it; absent until somebody begins it.
    job: Option<JobView>,
    tally: Option<TallyView>,
    /// Until when what it made can be put back.
    #[schema(value_type = Option<String>, format = DateTime)]
    undo_until: Option<Timestamp>,
}

/// A file of leads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportView {
    #[serde(flatten)]
    row: ImportRowView,
    /// `csv` or `xlsx`.
    #[schema(example = "csv")]
    format: Option<String>,
    /// The encoding of a text.
    #[schema(example = "UTF-8")]
    encoding: Option<String>,
    /// What stands between the cells of a text.
    delimiter: Option<String>,
    /// The sheet of a workbook.
    sheet: Option<String>,
    /// All its sheets.
    sheets: Vec<String>,
    /// The row that names the columns; absent where none does.
    header_row: Option<i64>,
    /// Whether what is chosen was chosen for the same columns before.
    is_remembered: bool,
    columns: Vec<ImportColumnView>,
    /// The first rows, until the import begins.
    preview: Vec<PreviewRowView>,
    options: ImportOptionsView,
    /// The latest dry run with what is chosen now.
    check_job: Option<JobView>,
}

/// A column of a file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportColumnView {
    /// Its name in the file.
    column: String,
    /// What it is for.
    #[schema(example = "email")]
    target: &'static str,
    /// The name of the custom field.
    name: Option<String>,
    /// Its key.
    key: Option<String>,
    /// Some of its first values.
    samples: Vec<String>,
}

/// A row of a file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct PreviewRowView {
    /// Its number in the file, from 1.
    row: i64,
    cells: Vec<String>,
}

/// What is chosen beside the columns.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ImportOptionsView {
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    #[schema(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    tags: Vec<String>,
    #[schema(example = "update")]
    on_match: &'static str,
    tells_destinations: bool,
}

/// What became, or would become, of the rows of a file so far.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TallyView {
    /// Rows that make a lead.
    created: i64,
    /// Rows that change a lead that was there before.
    updated: i64,
    /// Rows that say nothing new.
    unchanged: i64,
    /// Rows of the same lead as a row before them.
    repeated: i64,
    /// Rows that make no lead.
    refused: i64,
    /// Rows whose e-mail address cannot be used; it is kept as a custom field.
    unusable_email: i64,
    /// Rows whose phone number cannot be used; it is kept as it is.
    unusable_phone: i64,
    /// Rows without a usable e-mail address or phone number: brought again, they make leads again.
    unreachable: i64,
    /// Numbers of the first rows that make a lead.
    created_rows: Vec<i64>,
    /// Numbers of the first rows that change one.
    updated_rows: Vec<i64>,
    /// Numbers of the first rows that repeat one.
    repeated_rows: Vec<i64>,
    /// The first rows that make none.
    refused_rows: Vec<RefusedRowView>,
}

/// A row that makes no lead.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefusedRowView {
    /// Its number in the file.
    row: i64,
    /// Why, as a stable word.
    #[schema(example = "nobody")]
    code: String,
    /// Why, for people.
    reason: String,
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        let refused = tally.examples.refused.into_iter();
        Self {
            created: tally.created,
            updated: tally.updated,
            unchanged: tally.unchanged,
            repeated: tally.repeated,
            refused: tally.refused,
            unusable_email: tally.unusable_email,
            unusable_phone: tally.unusable_phone,
            unreachable: tally.unreachable,
            created_rows: tally.examples.created,
            updated_rows: tally.examples.updated,
            repeated_rows: tally.examples.repeated,
            refused_rows: refused
                .map(|example| RefusedRowView { row: example.row, code: example.code, reason: example.reason })
                .collect(),
        }
    }
}

/// The jobs of imports, by their ids.
pub(super) async fn jobs_of(app: &App, actor: &Actor, imports: &[Import]) -> ApiResult<HashMap<JobId, Job>> {
    let ids: Vec<JobId> = imports.iter().flat_map(|import| [import.job_id, import.check_job_id]).flatten().collect();
    let jobs = stored_jobs::find_some(&app.reader, actor.workspace, &ids).await?;
    Ok(jobs.into_iter().map(|job| (job.id, job)).collect())
}

fn tally_of(job: &Job) -> Option<TallyView> {
    let tally = job.about.get("tally")?;
    serde_json::from_value::<Tally>(tally.clone()).ok().map(TallyView::from)
}

impl ImportRowView {
    pub(super) fn new(app: &App, actor: &Actor, import: Import, jobs: &HashMap<JobId, Job>) -> Self {
        let job = import.job_id.and_then(|id| jobs.get(&id));
        let checked = import.check_job_id.and_then(|id| jobs.get(&id));
        let job_view = job.cloned().map(|job| JobView::new(app, actor, job));
        let finished_at = job.and_then(|job| job.finished_at);
        Self {
            id: import.id,
            file_name: import.file_name,
            size_bytes: import.size_bytes,
            row_count: import.row_count,
            made_by: import.made_by,
            created_at: import.created_at,
            tally: job.or(checked).and_then(tally_of),
            undo_until: finished_at
                .map(|at| at.plus_ms(UNDO_MS))
                .filter(|_| job_view.as_ref().is_some_and(JobView::can_undo)),
            job: job_view,
        }
    }
}

impl ImportView {
    pub(super) async fn load(app: &App, actor: &Actor, import: Import) -> ApiResult<Self> {
        let jobs = jobs_of(app, actor, std::slice::from_ref(&import)).await?;
        let sight = Sight::of(actor);
        let check_job = import.check_job_id.and_then(|id| jobs.get(&id)).cloned();
        let text = |name: &str| import.layout[name].as_str().map(str::to_owned);
        let sheets = import.layout["sheets"].as_array().into_iter().flatten();
        let preview = if sight.is_masked() { Vec::new() } else { import.preview.clone() };
        Ok(Self {
            format: text("format"),
            encoding: text("encoding"),
            delimiter: text("delimiter"),
            sheet: text("sheet"),
            sheets: sheets.filter_map(Value::as_str).map(str::to_owned).collect(),
            header_row: import.layout["headerRow"].as_i64(),
            is_remembered: import.layout["isRemembered"] == true,
            columns: columns_of(&import, &preview),
            preview: preview.into_iter().map(|(row, cells)| PreviewRowView { row, cells }).collect(),
            options: options_of(&import),
            check_job: check_job.map(|job| JobView::new(app, actor, job)),
            row: ImportRowView::new(app, actor, import, &jobs),
        })
    }
}

fn columns_of(import: &Import, preview: &[(i64, Vec<String>)]) -> Vec<ImportColumnView> {
    let rules: Vec<Rule> = serde_json::from_value(import.rules.clone()).unwrap_or_default();
    let columns = import.columns.iter().zip(rules).enumerate();
    columns
        .map(|(index, (column, rule))| {
            let values = preview.iter().filter_map(|(_, cells)| cells.get(index));
            let samples = values.filter(|value| !value.trim().is_empty()).take(SAMPLES).cloned().collect();
            ImportColumnView {
                column: column.clone(),
                target: rule.target.as_str(),
                name: rule.name,
                key: rule.key,
                samples,
            }
        })
        .collect()
}

fn options_of(import: &Import) -> ImportOptionsView {
    let chosen: Chosen = serde_json::from_value(import.options.clone()).unwrap_or_default();
    ImportOptionsView {
        project_id: chosen.project,
        stage_id: chosen.stage,
        tags: chosen.tags,
        on_match: chosen.on_match.as_str(),
        tells_destinations: chosen.tells_destinations,
    }
}
