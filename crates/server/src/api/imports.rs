//! `/v1/identity/imports`: files of leads. A file is sent, told what its columns are, tried and begun; its progress,
//! stopping it and putting it back are the job's (`/v1/identity/jobs`).

mod views;

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::{HeaderValue, StatusCode, header};
use leadline_domain::{
    csv,
    ids::{ImportId, ProjectId, StageId},
    imports::{OnMatch, REFUSED_COLUMNS, Rule, Target},
    permissions::Permission,
};
use leadline_engine::capture::imports::{self, Arriving, Chosen, ImportError, Told, file::Hints};
use leadline_store::{
    Reader,
    imports::{self as stored, blocks},
};
use serde::Deserialize;
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use self::views::{ImportRowView, ImportView};
use crate::{
    api::views::{PageQuery, Paged},
    app::App,
    body,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// How long a file may send nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// Refused rows that are read at once.
const ROWS_AT_ONCE: i64 = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::LeadsManage, routes!(bring))
        .at(Permission::LeadsView, routes!(list_imports))
        .at(Permission::LeadsView, routes!(get_import))
        .at(Permission::LeadsManage, routes!(choose))
        .at(Permission::LeadsManage, routes!(drop_import))
        .at(Permission::LeadsManage, routes!(check))
        .at(Permission::LeadsManage, routes!(start))
        .at(Permission::PiiView, routes!(list_refused))
}

impl From<ImportError> for ApiError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::File(fault) => Self::new(Code::UnreadableFile).detail(fault.to_string()),
            ImportError::TooLarge { .. } => Self::new(Code::FileTooLarge).detail(error.to_string()),
            ImportError::NotFound => Self::not_found(),
            ImportError::Begun => Self::new(Code::ImportBegun),
            ImportError::Invalid(faults) => {
                let none = Self::new(Code::InvalidFields);
                faults.into_iter().fold(none, |error, (pointer, message)| error.and_field(pointer, message))
            }
            ImportError::Job(error) => error.into(),
            ImportError::Disk(_) => Self::internal(&error),
            ImportError::Store(error) => error.into(),
        }
    }
}

/// What is said of a file.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct BringQuery {
    /// What the file is called.
    #[param(example = "leads.csv")]
    file_name: Option<String>,
    /// Its encoding, such as `windows-1252`, where it is not to be found out.
    encoding: Option<String>,
    /// What stands between the cells, as one character, where it is not to be found out.
    delimiter: Option<String>,
    /// The sheet of a workbook; the first that is not hidden where it is absent.
    sheet: Option<String>,
    /// Whether the first row names the columns, where it is not to be found out.
    has_header: Option<bool>,
}

impl BringQuery {
    fn told(&self) -> ApiResult<Told> {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let delimiter = match self.delimiter.as_deref().filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => Some(delimiter(text)?),
        };
        let hints = Hints { encoding: text(&self.encoding), delimiter, sheet: text(&self.sheet) };
        Ok(Told { hints, has_header: self.has_header })
    }
}

fn delimiter(text: &str) -> ApiResult<char> {
    let wrong = || ApiError::field("/delimiter", "is one character, and no quotation mark or end of a line");
    let mut letters = text.chars();
    // PostgreSQL keeps no NUL.
    let first = letters.next().filter(|letter| !matches!(letter, '"' | '\r' | '\n' | '\0')).ok_or_else(wrong)?;
    if letters.next().is_some() { Err(wrong()) } else { Ok(first) }
}

/// Brings a file of leads
///
/// The body is the file itself: CSV in any encoding with any delimiter, or an Excel workbook (.xlsx). It is read to its
/// end and answered with its columns, what each is taken for, and its first rows. No lead is made yet.
#[utoipa::path(post, path = "/v1/identity/imports", tag = "imports", params(BringQuery),
    request_body(content = String, content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, body = ImportView)))]
async fn bring(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<BringQuery>,
    request: Request,
) -> ApiResult<(StatusCode, Json<ImportView>)> {
    let told = query.told()?;
    let file = receive(&app, request).await?;
    let upload = file.finish(query.file_name.as_deref().unwrap_or("leads")).await?;
    let import = imports::take_in(&app.engine, &actor, upload, told).await?;
    Ok((StatusCode::CREATED, Json(ImportView::load(&app, &actor, import).await?)))
}

async fn receive(app: &App, request: Request) -> ApiResult<Arriving> {
    body::refuse_encoded(request.headers())?;
    let mut file = Arriving::open(&app.engine).await?;
    let mut stream = request.into_body().into_data_stream();
    while let Some(bytes) = body::next_chunk(&mut stream, Instant::now() + SILENCE).await? {
        file.write(&bytes).await?;
    }
    Ok(file)
}

/// Lists the files that were brought, the latest first. They are kept for 30 days.
#[utoipa::path(get, path = "/v1/identity/imports", tag = "imports", params(PageQuery),
    responses((status = 200, body = Paged<ImportRowView>)))]
async fn list_imports(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<ImportRowView>>> {
    let window = query.window()?;
    let page = stored::list(&app.reader, actor.workspace, (window.limit, window.offset())).await?;
    let jobs = views::jobs_of(&app, &actor, &page.rows).await?;
    Ok(Json(window.paged(page, |import| ImportRowView::new(&app, &actor, import, &jobs))))
}

/// A file, what was chosen for it, and how far its jobs are.
#[utoipa::path(get, path = "/v1/identity/imports/{id}", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 200, body = ImportView)))]
async fn get_import(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ImportId>,
) -> ApiResult<Json<ImportView>> {
    let import = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(ImportView::load(&app, &actor, import).await?))
}

/// What is chosen for a file. What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ChooseRequest {
    /// What each column is for, in their order.
    columns: Option<Vec<ColumnChoice>>,
    options: Option<ImportChoice>,
}

/// What a column is for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ColumnChoice {
    /// `name`, `first_name`, `last_name`, `email`, `phone`, `country_code`, `company`, `title`, `message`, `tags`,
    /// `quotable`, `quote_value`, `sales_value`, `page_url`, `referrer`, `utm_source`, `utm_medium`, `utm_campaign`,
    /// `utm_term`, `utm_content`, `custom` or `ignore`.
    #[schema(example = "email")]
    target: String,
    /// The name of the custom field, for `custom`.
    name: Option<String>,
    /// Its key, where it is a field that is there already.
    key: Option<String>,
}

/// What is chosen beside the columns.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ImportChoice {
    /// The project; the workspace's first where it is absent.
    project_id: Option<Uuid>,
    /// Where new leads begin; the first stage of the project's pipeline where it is absent.
    stage_id: Option<Uuid>,
    /// Tags of new leads.
    #[serde(default)]
    tags: Vec<String>,
    /// What is done with a row whose lead is there: `update` writes what the row says, `fill` writes only what is empty,
    /// `skip` leaves the lead alone. E-mail addresses and phone numbers of a lead are never exchanged.
    #[schema(example = "update")]
    on_match: Option<String>,
    /// Whether destinations hear of the leads that are made and changed; nothing is sent where it is absent.
    #[serde(default)]
    tells_destinations: bool,
}

impl ColumnChoice {
    fn rule(self, index: usize) -> ApiResult<Rule> {
        let target = Target::parse(&self.target);
        let target = target.ok_or_else(|| ApiError::field(format!("/columns/{index}/target"), "is no target"))?;
        if target != Target::Custom {
            return Ok(Rule::of(target));
        }
        let name = self.name.unwrap_or_default();
        let rule = Rule::custom(name.trim());
        Ok(Rule { key: self.key.filter(|key| !key.is_empty()).or(rule.key), ..rule })
    }
}

impl ImportChoice {
    fn chosen(self) -> ApiResult<Chosen> {
        let on_match = match self.on_match.as_deref() {
            None => OnMatch::default(),
            Some(name) => {
                let words = "is update, fill or skip";
                OnMatch::parse(name).ok_or_else(|| ApiError::field("/options/onMatch", words))?
            }
        };
        Ok(Chosen {
            project: self.project_id.map(ProjectId),
            stage: self.stage_id.map(StageId),
            tags: self.tags,
            on_match,
            tells_destinations: self.tells_destinations,
        })
    }
}

/// Says what the columns of a file are, and what else is chosen for it
///
/// What a dry run told before counts no more.
#[utoipa::path(patch, path = "/v1/identity/imports/{id}", tag = "imports", params(("id" = Uuid, Path)),
    request_body = ChooseRequest, responses((status = 200, body = ImportView)))]
async fn choose(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ImportId>,
    Json(request): Json<ChooseRequest>,
) -> ApiResult<Json<ImportView>> {
    let rules = request.columns.map(|columns| {
        columns.into_iter().enumerate().map(|(index, column)| column.rule(index)).collect::<ApiResult<Vec<_>>>()
    });
    let chosen = request.options.map(ImportChoice::chosen).transpose()?;
    let import = imports::choose(&app.engine, &actor, id, rules.transpose()?, chosen).await?;
    Ok(Json(ImportView::load(&app, &actor, import).await?))
}

/// Drops a file that no leads were made of
#[utoipa::path(delete, path = "/v1/identity/imports/{id}", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn drop_import(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ImportId>,
) -> ApiResult<StatusCode> {
    imports::drop_file(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Goes through a file without changing anything
///
/// The import's `checkJob` says how far that is, and its `tally` what would become of the rows.
#[utoipa::path(post, path = "/v1/identity/imports/{id}/dry-run", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 202, body = ImportView)))]
async fn check(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ImportId>,
) -> ApiResult<(StatusCode, Json<ImportView>)> {
    let import = imports::start_check(&app.engine, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(ImportView::load(&app, &actor, import).await?)))
}

/// Makes leads of a file
///
/// The import's `job` says how far that is; it can be stopped, and put back for 30 days.
#[utoipa::path(post, path = "/v1/identity/imports/{id}/start", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 202, body = ImportView)))]
async fn start(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ImportId>,
) -> ApiResult<(StatusCode, Json<ImportView>)> {
    let import = imports::start(&app.engine, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, Json(ImportView::load(&app, &actor, import).await?)))
}

/// The rows that made no lead, as a table for a spreadsheet
///
/// As they were in the file, with the number and the reason behind. Corrected, it can be brought again.
#[utoipa::path(get, path = "/v1/identity/imports/{id}/errors.csv", tag = "imports", params(("id" = Uuid, Path)),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn list_refused(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ImportId>,
) -> ApiResult<Response> {
    let import = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let names = import.columns.iter().map(String::as_str).chain(REFUSED_COLUMNS).collect::<Vec<_>>();
    // The mark at the beginning tells spreadsheets that the text is UTF-8.
    let heading = format!("\u{feff}{}", csv::line(&names));
    let width = import.columns.len();
    let lines =
        stream::try_unfold((app.reader.clone(), Some(0), Some(heading)), move |(reader, after, heading)| async move {
            if let Some(heading) = heading {
                return Ok(Some((heading, (reader, after, None))));
            }
            let Some(after) = after else { return Ok(None) };
            let (text, next) = some_lines(&reader, id, after, width).await?;
            Ok::<_, leadline_store::Error>(Some((text, (reader, next, None))))
        });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"refused-rows.csv\"")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Ok((headers, Body::from_stream(lines)).into_response())
}

/// The next refused rows as text, and behind which row the next ones are.
async fn some_lines(
    reader: &Reader,
    id: ImportId,
    after: i64,
    width: usize,
) -> Result<(String, Option<i64>), leadline_store::Error> {
    let rows = blocks::list_refused(reader, id, after, ROWS_AT_ONCE).await?;
    let last = rows.last().map(|(number, _, _)| *number);
    let mut text = String::new();
    for (number, reason, mut cells) in rows {
        cells.resize(width, String::new());
        cells.extend([number.to_string(), reason]);
        text.push_str(&csv::line(&cells));
    }
    Ok((text, last))
}
