//! Sending many deliveries again.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{DeliveryId, ReplayId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::delivery::replays::{self, AT_ONCE, ReplayError};
use leadline_store::deliveries::replays::{self as stored, Chosen, Job};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::{
        deliveries::{Asked, AskedError},
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::DeliveriesReplay, routes!(start_replay))
        .at(Permission::DestinationsView, routes!(list_replays))
        .at(Permission::DestinationsView, routes!(get_replay))
        .at(Permission::DeliveriesReplay, routes!(cancel_replay))
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        match error {
            ReplayError::UnderWay => Self::new(Code::ReplayUnderWay),
            ReplayError::NotFound => Self::not_found(),
            ReplayError::Store(error) => error.into(),
        }
    }
}

/// Which deliveries are sent again: one of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewReplay {
    /// At most 500, whatever came of them.
    delivery_ids: Option<Vec<Uuid>>,
    filter: Option<ReplayFilter>,
}

/// All deliveries that match, as the log finds them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ReplayFilter {
    destination_id: Option<Uuid>,
    /// `pending`, `delivered`, `dead` or `cancelled`; `dead` where it is left out.
    #[schema(example = "dead")]
    status: Option<String>,
    lead_id: Option<Uuid>,
    event: Option<String>,
    /// Made at this time or later; dead letters, given up then.
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Made (or given up) before this time.
    #[schema(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    http_status: Option<i64>,
    error: Option<String>,
}

impl NewReplay {
    fn chosen(self) -> ApiResult<Chosen> {
        match (self.delivery_ids, self.filter) {
            (Some(ids), None) => checked_ids(ids),
            (None, Some(filter)) => filter.chosen(),
            (Some(_), Some(_)) => Err(ApiError::field("/filter", "cannot be told together with deliveryIds")),
            (None, None) => Err(ApiError::field("/deliveryIds", "is required, or else filter")),
        }
    }
}

fn checked_ids(ids: Vec<Uuid>) -> ApiResult<Chosen> {
    let most = usize::try_from(AT_ONCE).unwrap_or(usize::MAX);
    if ids.is_empty() || ids.len() > most {
        return Err(ApiError::field("/deliveryIds", format!("has 1 to {most} ids")));
    }
    Ok(Chosen::Ids(ids.into_iter().map(DeliveryId).collect()))
}

impl ReplayFilter {
    fn chosen(self) -> ApiResult<Chosen> {
        let asked = Asked {
            destination_id: self.destination_id,
            status: self.status,
            lead_id: self.lead_id,
            event: self.event,
            from: self.from,
            to: self.to,
            http_status: self.http_status,
            error: self.error,
        };
        let wrong = |error: AskedError| ApiError::field(format!("/filter/{}", error.field), error.message);
        asked.filter().map(Chosen::Filter).map_err(wrong)
    }
}

/// A replay of many deliveries.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ReplayJobView {
    #[schema(value_type = Uuid)]
    id: ReplayId,
    /// `queued`, `running`, `done`, `failed` or `cancelled`.
    #[schema(example = "running")]
    state: &'static str,
    /// Deliveries when it began, counted up to a million.
    total: i64,
    /// Deliveries that were looked at.
    done: i64,
    /// Deliveries that are sent again.
    replayed: i64,
    /// Deliveries that are not: they are not there any more, or their destination is gone.
    skipped: i64,
    started_by: String,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
}

impl From<Job> for ReplayJobView {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            state: job.state.as_str(),
            total: job.total.max(job.done),
            done: job.done,
            replayed: job.replayed,
            skipped: job.done - job.replayed,
            started_by: job.started_by,
            started_at: job.started_at,
            finished_at: job.finished_at,
        }
    }
}

/// Sends many deliveries again
///
/// Each with its id and body as before. It goes on by itself; a workspace has one at a time.
#[utoipa::path(post, path = "/v1/delivery/replays", tag = "deliveries", request_body = NewReplay,
    responses((status = 202, body = ReplayJobView)))]
async fn start_replay(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewReplay>,
) -> ApiResult<(StatusCode, Json<ReplayJobView>)> {
    let job = replays::start(&app.engine, &actor, request.chosen()?).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// Replays of many deliveries, the latest first.
#[utoipa::path(get, path = "/v1/delivery/replays", tag = "deliveries", params(PageQuery),
    responses((status = 200, body = Paged<ReplayJobView>)))]
async fn list_replays(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<ReplayJobView>>> {
    let window = query.window()?;
    let page = stored::list(&app.reader, actor.workspace, window.limit, window.offset()).await?;
    Ok(Json(window.paged(page, ReplayJobView::from)))
}

/// How far a replay is.
#[utoipa::path(get, path = "/v1/delivery/replays/{id}", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = ReplayJobView)))]
async fn get_replay(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<ReplayJobView>> {
    let job = stored::find(&app.reader, actor.workspace, ReplayId(id)).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(job.into()))
}

/// Stops a replay. What is in the queue again stays there.
#[utoipa::path(delete, path = "/v1/delivery/replays/{id}", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = ReplayJobView)))]
async fn cancel_replay(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<ReplayJobView>> {
    replays::cancel(&app.engine, &actor, ReplayId(id)).await?;
    let job = stored::find(&app.reader, actor.workspace, ReplayId(id)).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(job.into()))
}
