//! Deliveries, their attempts, and the dead letters. Bodies hold what visitors wrote: without `pii:view` they are null.

use axum::extract::State;
use leadline_domain::{
    ids::{DeliveryId, DestinationId, LeadId},
    permissions::Permission,
    retention::Class,
    time::Timestamp,
};
use leadline_engine::{Actor, delivery::replay};
use leadline_store::deliveries::{self, Attempt, Delivery, Filter, State as DeliveryState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::{
        retention::Kept,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::DestinationsView, routes!(list_deliveries))
        .at(Permission::DestinationsView, routes!(get_delivery))
        .at(Permission::DeliveriesReplay, routes!(replay_delivery))
        .at(Permission::DestinationsView, routes!(list_dead_letters))
        .at(Permission::DeliveriesReplay, routes!(replay_dead_letter))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeliveryView {
    id: Uuid,
    destination_id: Uuid,
    destination_name: String,
    #[schema(example = "lead.created")]
    event: String,
    event_id: Uuid,
    lead_id: Option<Uuid>,
    /// Null without the permission `pii:view`.
    lead_name: Option<String>,
    /// `pending`, `delivered`, `dead` or `cancelled`.
    #[schema(example = "delivered")]
    state: &'static str,
    attempt_count: i64,
    /// When it is tried next; null where it is not.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_attempt_at: Option<Timestamp>,
    last_status: Option<i64>,
    last_error: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    /// When a dead letter is deleted.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

impl DeliveryView {
    fn new(actor: &Actor, delivery: &Delivery, kept: Kept) -> Self {
        let is_dead = delivery.state == DeliveryState::Dead;
        Self {
            id: delivery.id.0,
            destination_id: delivery.destination_id.0,
            destination_name: delivery.destination_name.clone(),
            event: delivery.event.clone(),
            event_id: delivery.event_id.0,
            lead_id: delivery.lead_id.map(|lead| lead.0),
            lead_name: unmasked(actor, delivery.lead_name.clone()),
            state: delivery.state.as_str(),
            attempt_count: delivery.attempt_count,
            next_attempt_at: (delivery.state == DeliveryState::Pending).then_some(delivery.next_attempt_at),
            last_status: delivery.last_status,
            last_error: delivery.last_error.clone(),
            created_at: delivery.created_at,
            finished_at: delivery.finished_at,
            expires_at: delivery.finished_at.filter(|_| is_dead).map(|at| kept.until(at)),
        }
    }
}

fn unmasked<T>(actor: &Actor, value: Option<T>) -> Option<T> {
    value.filter(|_| actor.role.may(Permission::PiiView))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeliveriesQuery {
    /// Those to this destination.
    destination_id: Option<Uuid>,
    /// `pending`, `delivered`, `dead` or `cancelled`.
    status: Option<String>,
    /// Those about this lead.
    lead_id: Option<Uuid>,
    /// Those of this kind of event.
    event: Option<String>,
    /// Those made at this time or later; with `status=dead`, those given up then.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// Those made (or given up) before this time.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<Timestamp>,
    /// Those whose last answer had this status.
    http_status: Option<i64>,
    /// Those whose last error holds this text.
    error: Option<String>,
    page: Option<i64>,
    limit: Option<i64>,
}

impl DeliveriesQuery {
    fn filter(self) -> ApiResult<Filter> {
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
        let wrong = |error: AskedError| ApiError::field(format!("/{}", error.field), error.message);
        asked.filter().map_err(wrong)
    }
}

/// Which deliveries are meant, as the query of the log and the body of a replay tell it.
pub(super) struct Asked {
    pub(super) destination_id: Option<Uuid>,
    pub(super) status: Option<String>,
    pub(super) lead_id: Option<Uuid>,
    pub(super) event: Option<String>,
    pub(super) from: Option<Timestamp>,
    pub(super) to: Option<Timestamp>,
    pub(super) http_status: Option<i64>,
    pub(super) error: Option<String>,
}

/// What cannot be asked for.
pub(super) struct AskedError {
    pub(super) field: &'static str,
    pub(super) message: String,
}

/// The longest text that is looked for, in characters.
const TEXT_MAX_CHARS: usize = 200;

impl Asked {
    pub(super) fn filter(self) -> Result<Filter, AskedError> {
        Ok(Filter {
            destination: self.destination_id.map(DestinationId),
            state: self.status.as_deref().map(parse_state).transpose()?,
            lead: self.lead_id.map(LeadId),
            event: self.event.map(|event| checked_text("event", event)).transpose()?,
            from: self.from,
            to: self.to,
            http_status: self.http_status.map(checked_status).transpose()?,
            error: self.error.map(|text| checked_text("error", text)).transpose()?,
        })
    }
}

fn parse_state(name: &str) -> Result<DeliveryState, AskedError> {
    let message = "must be pending, delivered, dead or cancelled".to_owned();
    DeliveryState::parse(name).ok_or(AskedError { field: "status", message })
}

fn checked_text(field: &'static str, text: String) -> Result<String, AskedError> {
    // PostgreSQL takes no NUL.
    if text.chars().count() > TEXT_MAX_CHARS || text.contains('\0') {
        return Err(AskedError { field, message: format!("must be a text of at most {TEXT_MAX_CHARS} characters") });
    }
    Ok(text)
}

fn checked_status(status: i64) -> Result<i64, AskedError> {
    if !(100..=999).contains(&status) {
        return Err(AskedError { field: "httpStatus", message: "must have three digits".to_owned() });
    }
    Ok(status)
}

/// Deliveries, the newest first.
#[utoipa::path(get, path = "/v1/delivery/deliveries", tag = "deliveries", params(DeliveriesQuery),
    responses((status = 200, body = Paged<DeliveryView>)))]
async fn list_deliveries(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<DeliveriesQuery>,
) -> ApiResult<Json<Paged<DeliveryView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let filter = query.filter()?;
    let page = deliveries::list(&app.reader, actor.workspace, &filter, window.limit, window.offset()).await?;
    let kept = Kept::find(&app, actor.workspace, Class::DeadLetters).await?;
    Ok(Json(window.paged(page, |row| DeliveryView::new(&actor, &row, kept))))
}

/// A delivery with what was sent and what came back.
#[derive(Debug, Serialize, ToSchema)]
struct DeliveryDetail {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// The body of every attempt; null before the first, and without the permission `pii:view`.
    payload: Option<String>,
    /// The attempts, the newest first, at most 100.
    attempts: Vec<AttemptView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AttemptView {
    id: Uuid,
    number: i64,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    duration_ms: i64,
    status: Option<i64>,
    error: Option<String>,
    /// What was sent. The values of custom headers are hidden.
    #[schema(value_type = Object)]
    request_headers: Value,
    /// What the receiver sent; null without the permission `pii:view`.
    #[schema(value_type = Option<Object>)]
    response_headers: Option<Value>,
    /// The first 64 KiB of the answer, secrets of ours hidden; null without the permission `pii:view`.
    response_body: Option<String>,
}

impl AttemptView {
    fn new(actor: &Actor, attempt: Attempt) -> Self {
        Self {
            id: attempt.id.0,
            number: attempt.number,
            started_at: attempt.started_at,
            duration_ms: attempt.duration_ms,
            status: attempt.status,
            error: attempt.error,
            request_headers: attempt.request_headers,
            response_headers: unmasked(actor, Some(attempt.response_headers)),
            response_body: unmasked(actor, attempt.response_body),
        }
    }
}

/// A delivery with its attempts.
#[utoipa::path(get, path = "/v1/delivery/deliveries/{id}", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryDetail)))]
async fn get_delivery(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<DeliveryDetail>> {
    let found = find(&app, &actor, DeliveryId(id)).await?;
    let attempts = deliveries::list_attempts(&app.reader, actor.workspace, found.id).await?;
    let kept = Kept::find(&app, actor.workspace, Class::DeadLetters).await?;
    let delivery = DeliveryView::new(&actor, &found, kept);
    let attempts = attempts.into_iter().map(|attempt| AttemptView::new(&actor, attempt)).collect();
    Ok(Json(DeliveryDetail { delivery, payload: unmasked(&actor, found.payload), attempts }))
}

async fn find(app: &App, actor: &Actor, id: DeliveryId) -> ApiResult<Delivery> {
    deliveries::find(&app.reader, actor.workspace, id).await?.ok_or(ApiError::not_found())
}

/// Sends a delivery again: the same id, the same body. It waits while its destination is paused.
#[utoipa::path(post, path = "/v1/delivery/deliveries/{id}/replay", tag = "deliveries", params(("id" = Uuid, Path)),
    responses((status = 200, body = DeliveryView)))]
async fn replay_delivery(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<DeliveryView>> {
    let is_replayed = replay::replay_delivery(&app.engine, &actor, DeliveryId(id)).await?;
    answer_replay(&app, &actor, DeliveryId(id), is_replayed).await
}

async fn answer_replay(app: &App, actor: &Actor, id: DeliveryId, is_replayed: bool) -> ApiResult<Json<DeliveryView>> {
    if !is_replayed {
        return Err(ApiError::not_found());
    }
    let kept = Kept::find(app, actor.workspace, Class::DeadLetters).await?;
    Ok(Json(DeliveryView::new(actor, &find(app, actor, id).await?, kept)))
}

/// A delivery that was given up.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct DeadLetterView {
    #[serde(flatten)]
    delivery: DeliveryView,
    /// Where it was to go.
    url: String,
    /// What was sent; null without the permission `pii:view`.
    payload: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DeadLettersQuery {
    /// Those to this destination.
    destination_id: Option<Uuid>,
    page: Option<i64>,
    limit: Option<i64>,
}

/// Dead letters, the newest first. They are kept for seven days, unless the workspace says otherwise.
#[utoipa::path(get, path = "/v1/delivery/dead-letters", tag = "deliveries", params(DeadLettersQuery),
    responses((status = 200, body = Paged<DeadLetterView>)))]
async fn list_dead_letters(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<DeadLettersQuery>,
) -> ApiResult<Json<Paged<DeadLetterView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let destination = query.destination_id.map(DestinationId);
    let filter = Filter { destination, state: Some(DeliveryState::Dead), ..Filter::default() };
    let page = deliveries::list(&app.reader, actor.workspace, &filter, window.limit, window.offset()).await?;
    let kept = Kept::find(&app, actor.workspace, Class::DeadLetters).await?;
    Ok(Json(window.paged(page, |row| DeadLetterView {
        delivery: DeliveryView::new(&actor, &row, kept),
        url: row.url,
        payload: unmasked(&actor, row.payload),
    })))
}

/// Sends a dead letter again: the same id, the same body.
#[utoipa::path(post, path = "/v1/delivery/dead-letters/{id}/replay", tag = "deliveries",
    params(("id" = Uuid, Path)), responses((status = 200, body = DeliveryView)))]
async fn replay_dead_letter(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<Uuid>,
) -> ApiResult<Json<DeliveryView>> {
    let is_replayed = replay::replay_dead_letter(&app.engine, &actor, DeliveryId(id)).await?;
    answer_replay(&app, &actor, DeliveryId(id), is_replayed).await
}
