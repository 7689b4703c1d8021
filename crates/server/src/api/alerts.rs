//! `/v1/admin/alerts`: what somebody should look at.

use axum::extract::State;
use leadline_domain::{ids::AlertId, permissions::Permission, time::Timestamp};
use leadline_engine::alerts::{self, AlertError};
use leadline_store::alerts::{self as stored, Alert};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::views::{PageQuery, Paged},
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::SettingsView, routes!(list_alerts))
        .at(Permission::SourcesManage, routes!(acknowledge_alert))
}

impl From<AlertError> for ApiError {
    fn from(error: AlertError) -> Self {
        match error {
            AlertError::NotFound => Self::not_found(),
            AlertError::Field(field, message) => Self::field(format!("/{field}"), message),
            AlertError::Store(error) => error.into(),
        }
    }
}

/// Something that somebody should look at.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AlertView {
    #[schema(value_type = Uuid)]
    id: AlertId,
    /// `source.silent`, `destination.failing`, `ledger.differs`, `retention.held` or
    /// `dead_letters.leaving`.
    #[schema(example = "source.silent")]
    kind: String,
    /// The source or destination that it is about; absent where it is about all of them.
    subject_id: Option<Uuid>,
    subject_name: String,
    /// What is known, by kind.
    #[schema(value_type = Object)]
    data: Value,
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    /// Who has seen it.
    acknowledged_by: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Timestamp>,
}

impl From<Alert> for AlertView {
    fn from(alert: Alert) -> Self {
        Self {
            id: alert.id,
            kind: alert.kind,
            subject_id: Some(alert.subject_id).filter(|id| !id.is_nil()),
            subject_name: alert.subject_name,
            data: alert.data,
            opened_at: alert.opened_at,
            acknowledged_at: alert.acknowledged_at,
            acknowledged_by: alert.acknowledged_by,
            closed_at: alert.closed_at,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AlertState {
    /// It lasts.
    #[default]
    Open,
    /// It is over.
    Closed,
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AlertsQuery {
    /// `open` (where it is absent) or `closed`.
    #[param(inline)]
    state: Option<AlertState>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where it is absent.
    limit: Option<i64>,
}

/// The alerts that are open, or those that are over, newest first
#[utoipa::path(get, path = "/v1/admin/alerts", tag = "workspace", params(AlertsQuery),
    responses((status = 200, body = Paged<AlertView>)))]
async fn list_alerts(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<AlertsQuery>,
) -> ApiResult<Json<Paged<AlertView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let is_open = query.state.unwrap_or_default() == AlertState::Open;
    let found = stored::list(&app.reader, actor.workspace, is_open, window.limit, window.offset()).await?;
    Ok(Json(window.paged(found, AlertView::from)))
}

/// Notes that somebody has seen an alert; it stays open while its reason lasts
#[utoipa::path(post, path = "/v1/admin/alerts/{id}/acknowledge", tag = "workspace", params(("id" = Uuid, Path)),
    responses((status = 200, body = AlertView)))]
async fn acknowledge_alert(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<AlertId>,
) -> ApiResult<Json<AlertView>> {
    Ok(Json(alerts::acknowledge(&app.engine, &actor, id).await?.into()))
}
