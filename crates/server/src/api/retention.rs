//! `/v1/admin/privacy/retention`: how long a workspace keeps what, and what would go were it otherwise.

use axum::extract::State;
use leadline_domain::{
    ids::WorkspaceId,
    permissions::Permission,
    retention::Class,
    time::{DAY_MS, Timestamp},
};
use leadline_engine::retention::classes::{self as engine, Going, RetentionError};
use leadline_store::workspaces;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SettingsView, routes!(get_retention))
        .at(Permission::SettingsManage, routes!(change_retention))
        .at(Permission::SettingsManage, routes!(preview_retention))
}

/// How long a workspace keeps a class, for whoever shows when something goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    days: i64,
}

impl Kept {
    /// As long as the workspace wants.
    pub(super) async fn find(app: &App, workspace: WorkspaceId, class: Class) -> ApiResult<Self> {
        let found = workspaces::find(&app.reader, workspace).await?;
        Ok(Self { days: found.map_or(class.usual_days(), |workspace| class.days(&workspace.settings)) })
    }

    /// When something goes that came, or ended, at this time.
    pub(super) fn until(self, at: Timestamp) -> Timestamp {
        at.plus_ms(self.days * DAY_MS)
    }
}

impl From<RetentionError> for ApiError {
    fn from(error: RetentionError) -> Self {
        match error {
            RetentionError::NotFound => Self::not_found(),
            RetentionError::OutOfRange(class) => {
                let range = class.range();
                let message = format!("must be {} to {} days", range.start(), range.end());
                Self::field(format!("/{}", class.as_str()), message)
            }
            RetentionError::Store(error) => error.into(),
        }
    }
}

/// How long each class is kept.
#[derive(Debug, Serialize, ToSchema)]
struct RetentionView {
    classes: Vec<KeptClassView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct KeptClassView {
    /// `captures`, `quarantine`, `blockedRequests`, `deliveries`, `deadLetters` or `audit`.
    #[schema(example = "captures")]
    class: &'static str,
    /// How many days it is kept.
    days: i64,
    /// How many days it is kept where nobody says anything.
    usual_days: i64,
    /// The fewest that can be chosen.
    min_days: i64,
    /// The most that can be chosen.
    max_days: i64,
}

impl From<Vec<(Class, i64)>> for RetentionView {
    fn from(days: Vec<(Class, i64)>) -> Self {
        let view = |(class, days): (Class, i64)| KeptClassView {
            class: class.as_str(),
            days,
            usual_days: class.usual_days(),
            min_days: *class.range().start(),
            max_days: *class.range().end(),
        };
        Self { classes: days.into_iter().map(view).collect() }
    }
}

/// How many days each class is to be kept. What is absent stays; null for as many as is usual.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct RetentionRequest {
    /// Raw requests behind submissions, and those that a webhook refused: 1 to 3,650.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    captures: Option<Option<i64>>,
    /// Submissions that were held back: 1 to 3,650.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    quarantine: Option<Option<i64>>,
    /// What came from blocked addresses: 1 to 3,650.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    blocked_requests: Option<Option<i64>>,
    /// Deliveries that arrived: 1 to 3,650.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    deliveries: Option<Option<i64>>,
    /// Deliveries that were given up: 1 to 365.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    dead_letters: Option<Option<i64>>,
    /// The audit log: 30 to 3,650.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<i64>)]
    audit: Option<Option<i64>>,
}

impl RetentionRequest {
    fn wish(self) -> Vec<(Class, Option<i64>)> {
        let named = |class: Class| match class {
            Class::Captures => self.captures,
            Class::Quarantine => self.quarantine,
            Class::BlockedRequests => self.blocked_requests,
            Class::Deliveries => self.deliveries,
            Class::DeadLetters => self.dead_letters,
            Class::Audit => self.audit,
        };
        Class::ALL.into_iter().filter_map(|class| named(class).map(|days| (class, days))).collect()
    }
}

/// How long what is kept
#[utoipa::path(get, path = "/v1/admin/privacy/retention", tag = "privacy",
    responses((status = 200, body = RetentionView)))]
async fn get_retention(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<RetentionView>> {
    Ok(Json(engine::days(&app.engine, &actor).await?.into()))
}

/// Changes how long what is kept
///
/// The next sweep, within the hour, deletes what is older then. It cannot be brought back.
#[utoipa::path(patch, path = "/v1/admin/privacy/retention", tag = "privacy", request_body = RetentionRequest,
    responses((status = 200, body = RetentionView)))]
async fn change_retention(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<RetentionRequest>,
) -> ApiResult<Json<RetentionView>> {
    Ok(Json(engine::change(&app.engine, &actor, &request.wish()).await?.into()))
}

/// What would go at the next sweep.
#[derive(Debug, Serialize, ToSchema)]
struct RetentionPreview {
    classes: Vec<GoingView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GoingView {
    #[schema(example = "captures")]
    class: &'static str,
    /// How many days it would be kept.
    days: i64,
    /// How many of its rows would go, counted up to 10,000.
    count: i64,
    /// Whether there are more.
    is_capped: bool,
}

impl From<Going> for GoingView {
    fn from(going: Going) -> Self {
        Self { class: going.class.as_str(), days: going.days, count: going.going.n, is_capped: going.going.is_capped }
    }
}

/// Looks at what would go at the next sweep with these days
///
/// Nothing is changed.
#[utoipa::path(post, path = "/v1/admin/privacy/retention/preview", tag = "privacy", request_body = RetentionRequest,
    responses((status = 200, body = RetentionPreview)))]
async fn preview_retention(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<RetentionRequest>,
) -> ApiResult<Json<RetentionPreview>> {
    let going = engine::preview(&app.engine, &actor, &request.wish()).await?;
    Ok(Json(RetentionPreview { classes: going.into_iter().map(GoingView::from).collect() }))
}
