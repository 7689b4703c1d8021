//! `/v1/identity/reports/…`: what leads add up to, each also as a table for a spreadsheet.
//!
//! Every report is about the leads that came in some days, by the clock of the workspace's timezone, and says what became
//! of them since. What a report counts is decided in `domain`, and the answers are made in [`views`].

mod asked;
mod tables;
mod views;

use axum::{extract::State, response::Response};
use leadline_domain::{
    permissions::Permission,
    reports::{Both, By, Distribution, Funnel, Groups, Intervals, Reasons},
};
use leadline_engine::Actor;
use leadline_store::pipelines;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    asked::{Asked, FunnelQuery, ReportQuery},
    views::{
        CampaignView, FunnelReport, GroupView, IntervalView, Report, ResponseTimeReport, WinRateReport, campaigns,
        funnel, groups, intervals, reasons, waits,
    },
};
use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(get_funnel))
        .at(Permission::LeadsView, routes!(get_funnel_csv))
        .at(Permission::LeadsView, routes!(get_sources))
        .at(Permission::LeadsView, routes!(get_sources_csv))
        .at(Permission::LeadsView, routes!(get_campaigns))
        .at(Permission::LeadsView, routes!(get_campaigns_csv))
        .at(Permission::LeadsView, routes!(get_over_time))
        .at(Permission::LeadsView, routes!(get_over_time_csv))
        .at(Permission::LeadsView, routes!(get_response_time))
        .at(Permission::LeadsView, routes!(get_response_time_csv))
        .at(Permission::LeadsView, routes!(get_win_rate))
        .at(Permission::LeadsView, routes!(get_win_rate_csv))
        .at(Permission::LeadsView, routes!(get_people))
        .at(Permission::LeadsView, routes!(get_people_csv))
        .at(Permission::LeadsView, routes!(get_projects))
        .at(Permission::LeadsView, routes!(get_projects_csv))
}

/// How far the leads of a pipeline came, and how long they were in each stage
#[utoipa::path(get, path = "/v1/identity/reports/funnel", tag = "identity", params(FunnelQuery),
    responses((status = 200, body = FunnelReport)))]
async fn get_funnel(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<FunnelQuery>,
) -> ApiResult<Json<FunnelReport>> {
    count_funnel(&app, &actor, query).await.map(Json)
}

/// The funnel, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/funnel.csv", tag = "identity", params(FunnelQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_funnel_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<FunnelQuery>,
) -> ApiResult<Response> {
    Ok(tables::funnel(&count_funnel(&app, &actor, query).await?))
}

async fn count_funnel(app: &App, actor: &Actor, query: FunnelQuery) -> ApiResult<FunnelReport> {
    let pipeline = pipelines::find(&app.reader, actor.workspace, query.pipeline_id).await?;
    let pipeline = pipeline.ok_or_else(|| ApiError::field("/pipelineId", "is not a pipeline here"))?;
    let asked = Asked::read(app, actor, query.of_pipeline(pipeline.id)).await?;
    let stages = views::open_stages(&pipeline);
    let ids: Vec<_> = stages.iter().map(|stage| stage.id.0).collect();
    let mut both = Both { now: Funnel::of(&ids), before: Funnel::of(&ids) };
    let counted = asked
        .count(&app.reader, actor.workspace, |when, lead, outcome, names| both.at(when).add(lead, outcome, names))
        .await?;
    Ok(funnel(&asked, counted, &pipeline, both))
}

/// Where leads came from, and what they brought
///
/// A source is a form, an inbound webhook and the like; leads without one are grouped by how they came.
#[utoipa::path(get, path = "/v1/identity/reports/sources", tag = "identity", params(ReportQuery),
    responses((status = 200, body = Report<GroupView>)))]
async fn get_sources(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<Report<GroupView>>> {
    count_groups(&app, &actor, query, By::Source).await.map(Json)
}

/// Where leads came from, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/sources.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_sources_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    Ok(tables::groups("sources", "Source", &count_groups(&app, &actor, query, By::Source).await?))
}

/// What the team did with its leads
#[utoipa::path(get, path = "/v1/identity/reports/people", tag = "identity", params(ReportQuery),
    responses((status = 200, body = Report<GroupView>)))]
async fn get_people(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<Report<GroupView>>> {
    count_groups(&app, &actor, query, By::Owner).await.map(Json)
}

/// What the team did with its leads, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/people.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_people_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    Ok(tables::groups("people", "Person", &count_groups(&app, &actor, query, By::Owner).await?))
}

/// What each project brought
#[utoipa::path(get, path = "/v1/identity/reports/projects", tag = "identity", params(ReportQuery),
    responses((status = 200, body = Report<GroupView>)))]
async fn get_projects(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<Report<GroupView>>> {
    count_groups(&app, &actor, query, By::Project).await.map(Json)
}

/// What each project brought, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/projects.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_projects_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    Ok(tables::groups("projects", "Project", &count_groups(&app, &actor, query, By::Project).await?))
}

async fn count_groups(app: &App, actor: &Actor, query: ReportQuery, by: By) -> ApiResult<Report<GroupView>> {
    let asked = Asked::read(app, actor, query).await?;
    let mut counting = Groups::by(by);
    let counted = asked
        .count(&app.reader, actor.workspace, |when, lead, outcome, _| {
            counting.add(when, lead, outcome, asked.target_ms)
        })
        .await?;
    groups(&app.reader, actor.workspace, &asked, counted, (by, counting.figures())).await
}

/// Which campaigns brought leads, by the first visit of each
#[utoipa::path(get, path = "/v1/identity/reports/campaigns", tag = "identity", params(ReportQuery),
    responses((status = 200, body = Report<CampaignView>)))]
async fn get_campaigns(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<Report<CampaignView>>> {
    count_campaigns(&app, &actor, query).await.map(Json)
}

/// Which campaigns brought leads, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/campaigns.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_campaigns_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    Ok(tables::campaigns(&count_campaigns(&app, &actor, query).await?))
}

async fn count_campaigns(app: &App, actor: &Actor, query: ReportQuery) -> ApiResult<Report<CampaignView>> {
    let asked = Asked::read(app, actor, query).await?;
    let mut counting = Groups::by(By::Campaign);
    let counted = asked
        .count(&app.reader, actor.workspace, |when, lead, outcome, _| {
            counting.add(when, lead, outcome, asked.target_ms)
        })
        .await?;
    Ok(campaigns(&asked, counted, counting.figures()))
}

/// How many leads came, day by day, week by week or month by month
///
/// Days on which nothing came are there as well.
#[utoipa::path(get, path = "/v1/identity/reports/over-time", tag = "identity", params(ReportQuery),
    responses((status = 200, body = Report<IntervalView>)))]
async fn get_over_time(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<Report<IntervalView>>> {
    count_over_time(&app, &actor, query).await.map(Json)
}

/// How many leads came, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/over-time.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_over_time_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    let report = count_over_time(&app, &actor, query).await?;
    Ok(tables::intervals("over-time", &report.rows, report.before.is_some()))
}

async fn count_over_time(app: &App, actor: &Actor, query: ReportQuery) -> ApiResult<Report<IntervalView>> {
    let asked = Asked::read(app, actor, query).await?;
    let mut counting = Intervals::of(&asked.period.buckets);
    let counted = asked
        .count(&app.reader, actor.workspace, |when, lead, outcome, _| {
            counting.add(when, lead, outcome, asked.target_ms)
        })
        .await?;
    Ok(Report::new(&asked, counted, intervals(&asked.period, counting.figures())))
}

/// How soon somebody answered
///
/// A lead is answered when a person first moves it to another stage, assigns it, converts it, writes a note or a message.
#[utoipa::path(get, path = "/v1/identity/reports/response-time", tag = "identity", params(ReportQuery),
    responses((status = 200, body = ResponseTimeReport)))]
async fn get_response_time(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<ResponseTimeReport>> {
    count_response_time(&app, &actor, query).await.map(Json)
}

/// How soon somebody answered, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/response-time.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_response_time_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    let report = count_response_time(&app, &actor, query).await?;
    Ok(tables::intervals("response-time", &report.rows, report.before.is_some()))
}

async fn count_response_time(app: &App, actor: &Actor, query: ReportQuery) -> ApiResult<ResponseTimeReport> {
    let asked = Asked::read(app, actor, query).await?;
    let mut counting = Intervals::of(&asked.period.buckets);
    let mut both = Both::<Distribution>::default();
    let counted = asked
        .count(&app.reader, actor.workspace, |when, lead, outcome, _| {
            counting.add(when, lead, outcome, asked.target_ms);
            both.at(when).add(lead);
        })
        .await?;
    let rows = intervals(&asked.period, counting.figures());
    let Report { period, totals, before, rows } = Report::new(&asked, counted, rows);
    let waits = waits(both.now, asked.period.before.map(|_| both.before));
    Ok(ResponseTimeReport { period, totals, before, waits, rows })
}

/// How many of the leads that are decided were won, and why
#[utoipa::path(get, path = "/v1/identity/reports/win-rate", tag = "identity", params(ReportQuery),
    responses((status = 200, body = WinRateReport)))]
async fn get_win_rate(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Json<WinRateReport>> {
    count_win_rate(&app, &actor, query).await.map(Json)
}

/// How many of the leads that are decided were won, as comma-separated values
#[utoipa::path(get, path = "/v1/identity/reports/win-rate.csv", tag = "identity", params(ReportQuery),
    responses((status = 200, body = String, content_type = "text/csv")))]
async fn get_win_rate_csv(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ReportQuery>,
) -> ApiResult<Response> {
    let report = count_win_rate(&app, &actor, query).await?;
    Ok(tables::intervals("win-rate", &report.rows, report.before.is_some()))
}

async fn count_win_rate(app: &App, actor: &Actor, query: ReportQuery) -> ApiResult<WinRateReport> {
    let asked = Asked::read(app, actor, query).await?;
    let mut counting = Intervals::of(&asked.period.buckets);
    let mut both = Both::<Reasons>::default();
    let counted = asked
        .count(&app.reader, actor.workspace, |when, lead, outcome, _| {
            counting.add(when, lead, outcome, asked.target_ms);
            both.at(when).add(lead, outcome);
        })
        .await?;
    let (won, lost) = (reasons(both.now.won(), &counted.names), reasons(both.now.lost(), &counted.names));
    let rows = intervals(&asked.period, counting.figures());
    let Report { period, totals, before, rows } = Report::new(&asked, counted, rows);
    Ok(WinRateReport { period, totals, before, won_reasons: won, lost_reasons: lost, rows })
}
