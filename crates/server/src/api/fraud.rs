//! `/v1/capture/quarantine`, `/v1/capture/blocked-ips` and `/v1/capture/blocked-attempts`: what was held back or turned
//! away, and who is.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{BlockedAttemptId, BlockedIpId, LeadId, SourceId, SubmissionId},
    permissions::Permission,
    retention::Class,
    time::Timestamp,
};
use leadline_engine::capture::{
    blocking::{self, BlockError},
    release::{self, ReleaseError},
};
use leadline_store::{
    blocked_ips::{self, Attempt, BlockedIp},
    quarantine::{self, Entry},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        leads::scores,
        masking::Sight,
        retention::Kept,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
    public::refusal,
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list_quarantine))
        .at(Permission::LeadsManage, routes!(release_entry))
        .at(Permission::LeadsManage, routes!(list_blocked, block))
        .at(Permission::LeadsManage, routes!(unblock))
        .at(Permission::LeadsView, routes!(list_attempts))
}

/// A submission that was held back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct QuarantineView {
    #[schema(value_type = Uuid)]
    id: SubmissionId,
    /// `honeypot`, `rate_limited` or `suspicion`.
    reason: String,
    suspicion: i64,
    #[schema(value_type = Vec<Object>)]
    suspicion_reasons: Value,
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    source: String,
    source_name: String,
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    message: Option<String>,
    /// The fields as they were sent; null without `pii:view`.
    #[schema(value_type = Option<Object>)]
    fields: Option<Value>,
    /// Null without `pii:view`.
    ip: Option<String>,
    user_agent: Option<String>,
    origin: Option<String>,
    page_url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Timestamp,
    /// When it is deleted.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    released_at: Option<Timestamp>,
    released_by: Option<String>,
    /// The lead that it made when it was let out.
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
}

impl QuarantineView {
    fn new(entry: Entry, sight: Sight, kept: Kept) -> Self {
        Self {
            id: entry.id,
            reason: entry.reason,
            suspicion: entry.suspicion,
            suspicion_reasons: scores::shown(entry.suspicion_reasons),
            source_id: entry.source_id,
            source: entry.source,
            source_name: entry.source_name,
            name: entry.name.map(|name| sight.name(name)),
            email: sight.email(entry.email),
            phone: sight.phone(entry.phone),
            message: sight.text(entry.message),
            fields: (!sight.is_masked()).then(|| serde_json::from_str(&entry.payload).unwrap_or_else(|_| json!({}))),
            ip: sight.identifier(entry.ip),
            user_agent: entry.user_agent,
            origin: entry.origin,
            page_url: sight.address(entry.page_url),
            received_at: entry.received_at,
            expires_at: kept.until(entry.received_at),
            released_at: entry.released_at,
            released_by: entry.released_by,
            lead_id: entry.lead_id,
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum StateName {
    Waiting,
    All,
}

/// Which entries.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct QuarantineQuery {
    /// `waiting` for those that were not let out; `all` where nothing is said.
    #[param(inline)]
    state: Option<StateName>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// Lists what was held back, newest first
#[utoipa::path(get, path = "/v1/capture/quarantine", tag = "capture", params(QuarantineQuery),
    responses((status = 200, body = Paged<QuarantineView>)))]
async fn list_quarantine(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<QuarantineQuery>,
) -> ApiResult<Json<Paged<QuarantineView>>> {
    let sight = Sight::of(&actor);
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let only_waiting = matches!(query.state, Some(StateName::Waiting));
    let found = quarantine::list(&app.reader, actor.workspace, only_waiting, window.limit, window.offset()).await?;
    let kept = Kept::find(&app, actor.workspace, Class::Quarantine).await?;
    Ok(Json(window.paged(found, |entry| QuarantineView::new(entry, sight, kept))))
}

/// Lets a submission out of quarantine
///
/// It becomes a lead as if it had come now, with all that follows. Once is enough: a repeat changes nothing.
#[utoipa::path(post, path = "/v1/capture/quarantine/{id}/release", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 200, body = QuarantineView)))]
async fn release_entry(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SubmissionId>,
) -> ApiResult<Json<QuarantineView>> {
    let entry = release::release(&app.engine, &actor, id).await?;
    let kept = Kept::find(&app, actor.workspace, Class::Quarantine).await?;
    Ok(Json(QuarantineView::new(entry, Sight::of(&actor), kept)))
}

/// A range of addresses whose submissions are turned away.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BlockedIpView {
    #[schema(value_type = Uuid)]
    id: BlockedIpId,
    /// An address, or a network in CIDR notation.
    #[schema(example = "203.0.113.0/24")]
    range: String,
    reason: Option<String>,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// From then on it lets everybody in again.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    is_expired: bool,
}

impl BlockedIpView {
    fn new(row: BlockedIp, now: Timestamp) -> Self {
        Self {
            id: row.id,
            range: row.ip_range,
            reason: row.reason,
            created_by: row.created_by,
            created_at: Timestamp(row.created_at),
            expires_at: row.expires_at.map(Timestamp),
            is_expired: row.expires_at.is_some_and(|at| at <= now.0),
        }
    }
}

/// Lists the blocked ranges, newest first
#[utoipa::path(get, path = "/v1/capture/blocked-ips", tag = "capture", params(PageQuery),
    responses((status = 200, body = Paged<BlockedIpView>)))]
async fn list_blocked(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<BlockedIpView>>> {
    let window = query.window()?;
    let now = app.engine.clock.now();
    let found = blocked_ips::list(&app.reader, actor.workspace, window.limit, window.offset()).await?;
    Ok(Json(window.paged(found, |row| BlockedIpView::new(row, now))))
}

/// A range to be blocked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewBlock {
    /// An address, or a network in CIDR notation.
    #[schema(example = "203.0.113.9")]
    range: String,
    /// At most 500 characters.
    reason: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// Blocks a range
///
/// What comes from there is answered like everything else, recorded, and otherwise ignored. A range that is blocked
/// already stays as it is.
#[utoipa::path(post, path = "/v1/capture/blocked-ips", tag = "capture", request_body = NewBlock,
    responses((status = 200, body = BlockedIpView)))]
async fn block(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewBlock>,
) -> ApiResult<Json<BlockedIpView>> {
    let NewBlock { range, reason, expires_at } = request;
    let blocked = blocking::block(&app.engine, &actor, &range, reason.as_deref(), expires_at).await?;
    Ok(Json(BlockedIpView::new(blocked, app.engine.clock.now())))
}

/// Lets a range in again
#[utoipa::path(delete, path = "/v1/capture/blocked-ips/{id}", tag = "capture", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn unblock(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<BlockedIpId>,
) -> ApiResult<StatusCode> {
    blocking::unblock(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What came from a blocked address.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct BlockedAttemptView {
    #[schema(value_type = Uuid)]
    id: BlockedAttemptId,
    #[schema(value_type = Uuid)]
    blocked_ip_id: BlockedIpId,
    range: String,
    /// Null without `pii:view`.
    ip: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    source_id: Option<SourceId>,
    source: String,
    source_name: String,
    user_agent: Option<String>,
    origin: Option<String>,
    content_type: Option<String>,
    /// The beginning of what was sent; null without `pii:view`.
    raw_body: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    attempted_at: Timestamp,
    /// When the record is deleted.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl BlockedAttemptView {
    fn new(row: Attempt, sight: Sight, kept: Kept) -> Self {
        Self {
            id: row.id,
            blocked_ip_id: row.blocked_ip_id,
            range: if sight.is_masked() { String::new() } else { row.ip_range },
            ip: sight.identifier(Some(row.ip)),
            source_id: row.source_id,
            source: row.source,
            source_name: row.source_name,
            user_agent: row.user_agent,
            origin: row.origin,
            content_type: row.content_type,
            raw_body: sight.identifier(Some(row.raw_body)),
            attempted_at: Timestamp(row.attempted_at),
            expires_at: kept.until(Timestamp(row.attempted_at)),
        }
    }
}

/// Lists what came from blocked addresses, newest first
#[utoipa::path(get, path = "/v1/capture/blocked-attempts", tag = "capture", params(PageQuery),
    responses((status = 200, body = Paged<BlockedAttemptView>)))]
async fn list_attempts(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<BlockedAttemptView>>> {
    let sight = Sight::of(&actor);
    let window = query.window()?;
    let found = blocked_ips::list_attempts(&app.reader, actor.workspace, window.limit, window.offset()).await?;
    let kept = Kept::find(&app, actor.workspace, Class::BlockedRequests).await?;
    Ok(Json(window.paged(found, |row| BlockedAttemptView::new(row, sight, kept))))
}

impl From<BlockError> for ApiError {
    fn from(error: BlockError) -> Self {
        match error {
            BlockError::NotFound => Self::not_found(),
            BlockError::Field(field, message) => Self::field(format!("/{field}"), message),
            BlockError::Store(error) => error.into(),
        }
    }
}

impl From<ReleaseError> for ApiError {
    fn from(error: ReleaseError) -> Self {
        match error {
            ReleaseError::NotFound => Self::not_found(),
            ReleaseError::Unreadable(_) => Self::internal(&error),
            ReleaseError::Refused(error) => refusal(&error),
            ReleaseError::Store(error) => error.into(),
        }
    }
}
