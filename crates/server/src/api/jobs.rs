//! `/v1/identity/jobs`: long work that somebody asked for, how far it is, and what became of each row.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{JobId, LeadId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    jobs::{self, AskError, Job, Outcome, State as JobState},
};
use leadline_store::jobs::{
    self as stored, JobFilter,
    results::{self, JobResult, Shown, Undone},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::LeadsView, routes!(list_jobs))
        .at(Permission::LeadsView, routes!(get_job))
        .at(Permission::LeadsView, routes!(list_results))
        .at(Permission::LeadsManage, routes!(cancel_job))
        .at(Permission::LeadsManage, routes!(undo_job))
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::TooMany => Self::new(Code::TooManyJobs),
            AskError::NotFound => Self::not_found(),
            AskError::Ended => Self::new(Code::JobEnded),
            AskError::MustEnd => Self::new(Code::JobMustEnd),
            AskError::NotUndoable => Self::new(Code::JobNotUndoable),
            AskError::Forbidden(permission) => {
                Self::new(Code::Forbidden).detail(format!("this needs the permission {permission}"))
            }
            AskError::Store(error) => error.into(),
        }
    }
}

/// Long work that somebody asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct JobView {
    #[schema(value_type = Uuid)]
    id: JobId,
    /// What is done, such as `leads.bulk`.
    #[schema(example = "leads.bulk")]
    kind: String,
    /// `queued`, `running`, `done`, `failed`, `cancelled`, `undoing` or `undone`.
    #[schema(example = "running")]
    state: &'static str,
    /// What it does, by kind.
    #[schema(value_type = Object)]
    about: Value,
    /// Rows to be looked at, as far as that was known when it began.
    total: i64,
    /// Rows that were looked at.
    done: i64,
    /// Rows that it changed.
    changed: i64,
    /// Rows with which it could not be done; `results?outcome=failed` names them.
    failed: i64,
    /// Rows that were put back.
    undone: i64,
    /// Rows that were not put back, since somebody changed them meanwhile; `results?outcome=left` names them.
    left: i64,
    /// Rows that have a result.
    result_count: i64,
    /// Whether what it changed can be put back.
    can_undo: bool,
    /// Whether it can be stopped: it goes on, and is of no kind that must come to its end.
    can_stop: bool,
    /// The permission that stopping it, or putting it back, needs.
    #[schema(example = "leads:manage")]
    needs: &'static str,
    /// Whether whoever asks now asked for it.
    is_mine: bool,
    /// Why it could not go on.
    error: Option<String>,
    started_by: String,
    undone_by: Option<String>,
    /// When somebody asked for it.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When its first rows were done.
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl JobView {
    /// Whether what it changed can be put back.
    pub(crate) fn can_undo(&self) -> bool {
        self.can_undo
    }

    pub(crate) fn new(app: &App, actor: &Actor, job: Job) -> Self {
        Self {
            can_undo: jobs::can_undo(&app.engine, &job),
            can_stop: jobs::can_stop(&app.engine, &job),
            needs: jobs::permission(&app.engine, &job).as_str(),
            is_mine: actor.user.is_some() && actor.user == job.asked_by.user,
            id: job.id,
            kind: job.kind,
            state: job.state.as_str(),
            about: job.about,
            total: job.total.max(job.done),
            done: job.done,
            changed: job.changed,
            failed: job.failed,
            undone: job.undone,
            left: job.left_alone,
            result_count: job.result_count,
            error: job.error,
            started_by: job.asked_by.name,
            undone_by: job.undone_by.map(|who| who.name),
            created_at: job.created_at,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

/// Which jobs.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct JobQuery {
    /// One of a job's states.
    state: Option<String>,
    /// One kind, such as `leads.bulk`.
    kind: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where it is absent.
    limit: Option<i64>,
}

/// Lists jobs, the latest first
///
/// They are kept for 30 days after their end.
#[utoipa::path(get, path = "/v1/identity/jobs", tag = "identity", params(JobQuery),
    responses((status = 200, body = Paged<JobView>)))]
async fn list_jobs(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<JobQuery>,
) -> ApiResult<Json<Paged<JobView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let state = query.state.filter(|state| !state.is_empty());
    let state =
        state.map(|state| JobState::parse(&state).ok_or_else(|| ApiError::field("/state", "is no job's state")));
    // No kind holds U+0000, and PostgreSQL refuses to look for it.
    let kind = query.kind.map(|kind| kind.replace('\0', "")).filter(|kind| !kind.is_empty());
    let filter = JobFilter { state: state.transpose()?, kind };
    let found = stored::list(&app.reader, actor.workspace, &filter, (window.limit, window.offset())).await?;
    Ok(Json(window.paged(found, |job| JobView::new(&app, &actor, job))))
}

/// How far a job is
#[utoipa::path(get, path = "/v1/identity/jobs/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobView)))]
async fn get_job(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<JobId>,
) -> ApiResult<Json<JobView>> {
    show(&app, &actor, id).await
}

async fn show(app: &App, actor: &Actor, id: JobId) -> ApiResult<Json<JobView>> {
    let job = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(JobView::new(app, actor, job)))
}

/// Which of a job's rows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ResultQuery {
    /// `changed`, `unchanged`, `failed`, or `left` for those that were not put back; all where it is absent.
    outcome: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where it is absent.
    limit: Option<i64>,
}

/// What became of a row.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct JobResultView {
    /// Its place among the job's rows, from 1.
    number: i64,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// What the lead is called now; absent where it is gone.
    lead_name: Option<String>,
    /// The row of the file that it came from.
    row_number: Option<i64>,
    /// `changed`, `unchanged` or `failed`.
    #[schema(example = "changed")]
    outcome: &'static str,
    /// Why it failed, as a stable word.
    code: Option<String>,
    /// Why it failed, for people.
    message: Option<String>,
    /// Whether it was put back; absent where nobody tried.
    undone: Option<bool>,
    /// Why it was not put back, as a stable word.
    left_code: Option<String>,
}

impl JobResultView {
    fn new(result: JobResult, sight: Sight) -> Self {
        let (undone, left_code) = match result.undone {
            None => (None, None),
            Some(Undone::Back) => (Some(true), None),
            Some(Undone::Left(code)) => (Some(false), Some(code)),
        };
        Self {
            number: result.seq,
            lead_id: result.lead_id,
            lead_name: result.lead_name.map(|name| sight.name(name)),
            row_number: result.row_number,
            outcome: result.outcome.as_str(),
            code: result.code,
            message: sight.text(result.message),
            undone,
            left_code,
        }
    }
}

/// Lists what became of each row of a job, in the order in which they were done
#[utoipa::path(get, path = "/v1/identity/jobs/{id}/results", tag = "identity",
    params(("id" = Uuid, Path), ResultQuery), responses((status = 200, body = Paged<JobResultView>)))]
async fn list_results(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<JobId>,
    Query(query): Query<ResultQuery>,
) -> ApiResult<Json<Paged<JobResultView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let shown = match query.outcome.filter(|outcome| !outcome.is_empty()) {
        None => Shown::All,
        Some(outcome) => Shown::parse(&outcome).ok_or_else(|| ApiError::field("/outcome", "is no row's outcome"))?,
    };
    let job = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let place = (window.limit, window.offset());
    let found = results::list(&app.reader, (actor.workspace, id), shown, place, total(&job, shown)).await?;
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(found, |result| JobResultView::new(result, sight))))
}

/// How many rows there are, which the job has counted already.
fn total(job: &Job, shown: Shown) -> i64 {
    match shown {
        Shown::All => job.result_count,
        Shown::With(Outcome::Changed) => job.changed,
        Shown::With(Outcome::Failed) => job.failed,
        Shown::With(Outcome::Unchanged) => (job.result_count - job.changed - job.failed).max(0),
        Shown::Left => job.left_alone,
    }
}

/// Stops a job
///
/// What it changed stays, and can be put back.
#[utoipa::path(delete, path = "/v1/identity/jobs/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = JobView)))]
async fn cancel_job(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<JobId>,
) -> ApiResult<Json<JobView>> {
    jobs::cancel(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// Puts back what a job changed
///
/// Row by row, and only as far as nobody changed it since; what is left alone is listed in the results.
#[utoipa::path(post, path = "/v1/identity/jobs/{id}/undo", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 202, body = JobView)))]
async fn undo_job(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<JobId>,
) -> ApiResult<(StatusCode, Json<JobView>)> {
    jobs::undo(&app.engine, &actor, id).await?;
    Ok((StatusCode::ACCEPTED, show(&app, &actor, id).await?))
}
