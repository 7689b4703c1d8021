//! Outside endpoints that get events.

mod access;
mod conversions;
mod request;

use axum::extract::State;
use leadline_domain::{breaker::Open, ids::DestinationId, permissions::Permission, time::Timestamp};
use leadline_engine::delivery::{
    EVENTS,
    destinations::{self as delivery, DestinationError, WithSecret},
    secrets,
    send::Attempt,
};
use leadline_store::{
    destination_health::{self, Counts, Health},
    destinations::{self, Destination},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub(super) use self::request::text_of;
use self::request::{DestinationRequest, DestinationRulesView};
use crate::{
    api::views::{All, PageQuery, Paged},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::DestinationsView, routes!(list_destinations))
        .at(Permission::DestinationsManage, routes!(create_destination))
        .at(Permission::DestinationsView, routes!(get_destination))
        .at(Permission::DestinationsManage, routes!(change_destination))
        .at(Permission::DestinationsManage, routes!(delete_destination))
        .at(Permission::DestinationsManage, routes!(test_destination))
        .at(Permission::DestinationsManage, routes!(regenerate_secret))
        .at(Permission::DestinationsView, routes!(list_events))
        .merge(conversions::routes())
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DestinationView {
    id: Uuid,
    name: String,
    url: String,
    /// The events that it gets.
    events: Vec<String>,
    /// The shape of the payload: `leadline`, `crm`, `whatconverts`, `simple`, `template`, `google_ads` or `meta_capi`.
    #[schema(example = "leadline")]
    format: String,
    /// Its own payload, which the format `template` sends.
    template: Option<String>,
    #[serde(flatten)]
    rules: DestinationRulesView,
    /// The most requests at the same time.
    max_in_flight: i64,
    /// `standard`, `fast` or `none`.
    #[schema(example = "standard")]
    retry_plan: &'static str,
    /// The project whose leads it is told of; all of them where it is null.
    project_id: Option<Uuid>,
    /// The names of its custom headers. Their values are never shown again.
    header_names: Vec<String>,
    /// Whether it has a token that an ad platform asks for. It is never shown again.
    has_token: bool,
    is_active: bool,
    /// Why it was switched off, where nobody did it by hand.
    disabled_reason: Option<String>,
    /// The end of the signing secret.
    secret_last4: String,
    /// Until when the secret before this one signs as well; null where it does not.
    #[schema(value_type = Option<String>, format = DateTime)]
    previous_secret_until: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    health: HealthView,
    /// The signing secret itself, when it was just made.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// How a destination fares.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HealthView {
    /// Deliveries that wait; counting stops at 10,000.
    pending: i64,
    /// Dead letters; counting stops at 10,000.
    dead: i64,
    /// Deliveries of which nothing was sent, since there was nothing that the receiver could use; counting stops at
    /// 10,000.
    skipped: i64,
    /// Attempts of the last 24 hours that arrived.
    #[serde(rename = "delivered24h")]
    delivered_24h: i64,
    /// Attempts of the last 24 hours that did not.
    #[serde(rename = "failed24h")]
    failed_24h: i64,
    /// The share of attempts that arrived, from 0 to 1; null where there were none.
    success_rate: Option<f64>,
    /// What 95 of 100 attempts took at most, about, in milliseconds.
    p95_ms: Option<i64>,
    /// The last 24 hours, the oldest first and the current one last.
    hours: Vec<HourView>,
    last_status: Option<i64>,
    last_error: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_attempt_at: Option<Timestamp>,
    /// What was wrong with the last attempt of these hours that failed.
    last_failure: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_failed_at: Option<Timestamp>,
    /// Where deliveries are held back, after 20 failures in a row; null where they are not.
    breaker: Option<BreakerView>,
}

/// Deliveries are held back and use up none of their attempts; one at a time is sent to see whether anybody answers.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BreakerView {
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When the next one is sent.
    #[schema(value_type = String, format = DateTime)]
    next_probe_at: Timestamp,
    /// How many were sent in vain.
    failed_probes: i64,
}

impl From<Open> for BreakerView {
    fn from(open: Open) -> Self {
        Self { opened_at: open.since, next_probe_at: open.probe_at, failed_probes: open.probes }
    }
}

/// What came of the attempts of one hour.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct HourView {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    delivered: i64,
    failed: i64,
}

impl From<Counts> for HourView {
    fn from(counts: Counts) -> Self {
        Self { at: counts.at, delivered: counts.delivered, failed: counts.failed }
    }
}

impl From<Health> for HealthView {
    fn from(health: Health) -> Self {
        let (delivered, failed) = (health.delivered(), health.failed());
        let (last_failed_at, last_failure) = health.failure.unzip();
        let last = health.last;
        Self {
            pending: health.pending,
            dead: health.dead,
            skipped: health.skipped,
            delivered_24h: delivered,
            failed_24h: failed,
            success_rate: (delivered + failed > 0).then(|| delivered as f64 / (delivered + failed) as f64),
            p95_ms: health.p95_ms,
            hours: health.hours.into_iter().map(HourView::from).collect(),
            last_status: last.as_ref().and_then(|last| last.status),
            last_error: last.as_ref().and_then(|last| last.error.clone()),
            last_attempt_at: last.map(|last| last.at),
            last_failure,
            last_failed_at,
            breaker: health.breaker.map(BreakerView::from),
        }
    }
}

impl DestinationView {
    fn new(destination: Destination, health: Health, secret: Option<String>, now: Timestamp) -> Self {
        let previous = destination.previous_secret.filter(|previous| now < previous.until);
        Self {
            id: destination.id.0,
            name: destination.name,
            url: destination.url,
            events: destination.events,
            format: destination.format,
            template: destination.template,
            rules: destination.rules.into(),
            max_in_flight: destination.max_in_flight,
            retry_plan: destination.retry_plan.as_str(),
            project_id: destination.project_id.map(|project| project.0),
            header_names: destination.header_names,
            has_token: destination.access.token.is_some(),
            is_active: destination.is_active,
            disabled_reason: destination.disabled_reason,
            secret_last4: destination.secret_last4,
            previous_secret_until: previous.map(|previous| previous.until),
            created_at: destination.created_at,
            updated_at: destination.updated_at,
            health: health.into(),
            secret,
        }
    }

    async fn load(app: &App, destination: Destination, secret: Option<String>) -> ApiResult<Json<Self>> {
        let (ids, now) = ([destination.id], app.engine.clock.now());
        let health = destination_health::list(&app.reader, destination.workspace_id, &ids, now).await?;
        Ok(Json(Self::new(destination, health.into_iter().next().unwrap_or_default(), secret, now)))
    }
}

impl From<DestinationError> for ApiError {
    fn from(error: DestinationError) -> Self {
        match error {
            DestinationError::NotFound => Self::not_found(),
            DestinationError::Internal(error) => error.into(),
            DestinationError::Sealed(error) => Self::internal(&error),
            DestinationError::Unusable(error) => Self::internal(&error),
            DestinationError::Refused(refused) => {
                let first = refused.first().map(|one| format!("{}: {}", one.code, one.message)).unwrap_or_default();
                let invalid = Self::new(crate::Code::InvalidFields).detail(first);
                refused.into_iter().fold(invalid, |error, one| error.and_field(one.pointer, one.message))
            }
        }
    }
}

/// The destinations of the workspace, the oldest first.
#[utoipa::path(get, path = "/v1/delivery/destinations", tag = "destinations", params(PageQuery),
    responses((status = 200, body = Paged<DestinationView>)))]
async fn list_destinations(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<DestinationView>>> {
    let window = query.window()?;
    let page = destinations::list(&app.reader, actor.workspace, window.limit, window.offset()).await?;
    let ids: Vec<DestinationId> = page.rows.iter().map(|row| row.id).collect();
    let now = app.engine.clock.now();
    let mut health = destination_health::list(&app.reader, actor.workspace, &ids, now).await?.into_iter();
    Ok(Json(window.paged(page, |row| DestinationView::new(row, health.next().unwrap_or_default(), None, now))))
}

/// Makes a destination. The answer holds its signing secret, this once.
#[utoipa::path(post, path = "/v1/delivery/destinations", tag = "destinations",
    request_body = DestinationRequest, responses((status = 200, body = DestinationView)))]
async fn create_destination(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<DestinationRequest>,
) -> ApiResult<Json<DestinationView>> {
    let WithSecret { destination, secret } = delivery::create_destination(&app.engine, &actor, &body.into()).await?;
    Ok(Json(DestinationView::new(destination, Health::default(), Some(secret), app.engine.clock.now())))
}

/// A destination.
#[utoipa::path(get, path = "/v1/delivery/destinations/{id}", tag = "destinations", params(("id" = Uuid, Path)),
    responses((status = 200, body = DestinationView)))]
async fn get_destination(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<DestinationView>> {
    let found = destinations::find(&app.reader, actor.workspace, DestinationId(id)).await?;
    DestinationView::load(&app, found.ok_or(ApiError::not_found())?, None).await
}

/// Changes a destination.
#[utoipa::path(patch, path = "/v1/delivery/destinations/{id}", tag = "destinations", params(("id" = Uuid, Path)),
    request_body = DestinationRequest, responses((status = 200, body = DestinationView)))]
async fn change_destination(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
    Json(body): Json<DestinationRequest>,
) -> ApiResult<Json<DestinationView>> {
    let destination = delivery::update_destination(&app.engine, &actor, DestinationId(id), &body.into()).await?;
    DestinationView::load(&app, destination, None).await
}

/// Deletes a destination. What waits for it is cancelled; what was sent stays listed.
#[utoipa::path(delete, path = "/v1/delivery/destinations/{id}", tag = "destinations", params(("id" = Uuid, Path)),
    responses((status = 200, body = DestinationView)))]
async fn delete_destination(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<DestinationView>> {
    let destination = delivery::delete_destination(&app.engine, &actor, DestinationId(id)).await?;
    DestinationView::load(&app, destination, None).await
}

/// What came of a test.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TestView {
    /// The receiver's status; null where it did not answer.
    status: Option<u16>,
    duration_ms: i64,
    error: Option<String>,
    /// The first 64 KiB of the answer, secrets of ours hidden.
    response_body: Option<String>,
}

impl From<Attempt> for TestView {
    fn from(attempt: Attempt) -> Self {
        Self {
            status: attempt.status,
            duration_ms: attempt.duration_ms(),
            error: attempt.error,
            response_body: attempt.response_body,
        }
    }
}

/// Sends a synthetic lead, marked as a test and signed like any other, and waits for the answer.
#[utoipa::path(post, path = "/v1/delivery/destinations/{id}/test", tag = "destinations",
    params(("id" = Uuid, Path)), responses((status = 200, body = TestView)))]
async fn test_destination(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<TestView>> {
    let attempt = delivery::test_destination(&app.engine, &actor, DestinationId(id)).await?;
    Ok(Json(attempt.into()))
}

/// How a secret is renewed.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RegenerateSecretRequest {
    /// For how many hours (0 to 168) the old secret signs beside the new one; 0 where nothing is said.
    #[serde(default)]
    #[schema(example = 24, minimum = 0, maximum = 168)]
    overlap_hours: i64,
}

/// Gives a destination a new signing secret, told this once. During the overlap that is asked for, `webhook-signature`
/// holds the signatures of both; without one, the old secret is worth nothing from now on.
#[utoipa::path(post, path = "/v1/delivery/destinations/{id}/regenerate-secret", tag = "destinations",
    params(("id" = Uuid, Path)), request_body = Option<RegenerateSecretRequest>,
    responses((status = 200, body = DestinationView)))]
async fn regenerate_secret(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
    body: Option<Json<RegenerateSecretRequest>>,
) -> ApiResult<Json<DestinationView>> {
    let Json(wanted) = body.unwrap_or_default();
    let WithSecret { destination, secret } =
        secrets::regenerate_secret(&app.engine, &actor, DestinationId(id), wanted.overlap_hours).await?;
    DestinationView::load(&app, destination, Some(secret)).await
}

/// The events that a destination can choose.
#[utoipa::path(get, path = "/v1/delivery/events", tag = "destinations",
    responses((status = 200, body = All<String>)))]
async fn list_events() -> Json<All<String>> {
    Json(All { data: EVENTS.map(str::to_owned).to_vec() })
}
