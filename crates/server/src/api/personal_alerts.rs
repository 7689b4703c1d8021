//! `/v1/identity/alerts`: what the caller should look at, and what they want to be told of.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{LeadId, PersonalAlertId, TaskId},
    permissions::Permission,
    personal_alerts::{AlertKind, Ways, Wishes},
    time::Timestamp,
};
use leadline_engine::{Actor, work::alerts as engine};
use leadline_store::{
    Page,
    personal_alerts::{self as stored, PersonalAlert},
    workers,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        masking::Sight,
        views::{All, PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsView, routes!(see))
        .at(Permission::LeadsView, routes!(see_all))
        .at(Permission::LeadsView, routes!(list_wishes))
        .at(Permission::LeadsView, routes!(change_wish))
}

/// Something that the caller should look at.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct PersonalAlertView {
    #[schema(value_type = Uuid)]
    id: PersonalAlertId,
    /// `lead.assigned`, `lead.returned`, `response.overdue`, `response.escalated`, `task.reminder`, `task.overdue` or
    /// `task.assigned`.
    #[schema(example = "lead.assigned")]
    kind: String,
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    lead_name: Option<String>,
    #[schema(value_type = Option<Uuid>)]
    task_id: Option<TaskId>,
    task_title: Option<String>,
    /// How many things it stands for.
    count: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl PersonalAlertView {
    fn new(alert: PersonalAlert, sight: Sight) -> Self {
        Self {
            id: alert.id,
            kind: alert.kind,
            lead_id: alert.lead_id,
            lead_name: alert.lead_name.map(|name| sight.name(name)),
            task_id: alert.task_id,
            task_title: sight.text(alert.task_title),
            count: alert.n,
            created_at: alert.created_at,
        }
    }
}

/// What the caller has not seen yet, newest first
#[utoipa::path(get, path = "/v1/identity/alerts", tag = "identity", params(PageQuery),
    responses((status = 200, body = Paged<PersonalAlertView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<PersonalAlertView>>> {
    let window = query.window()?;
    let sight = Sight::of(&actor);
    let found = match actor.user {
        Some(user) => stored::list_unseen(&app.reader, actor.workspace, user, (window.limit, window.offset())).await?,
        // A token of nobody is told nothing.
        None => Page { rows: Vec::new(), total: 0, total_is_capped: false },
    };
    Ok(Json(window.paged(found, |alert| PersonalAlertView::new(alert, sight))))
}

/// Notes that the caller has seen one of their alerts
#[utoipa::path(post, path = "/v1/identity/alerts/{id}/seen", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn see(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<PersonalAlertId>,
) -> ApiResult<StatusCode> {
    engine::see(&app.engine, &actor, Some(id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Notes that the caller has seen all of their alerts
#[utoipa::path(post, path = "/v1/identity/alerts/seen", tag = "identity", responses((status = 204)))]
async fn see_all(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<StatusCode> {
    if actor.user.is_some() {
        engine::see(&app.engine, &actor, None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a personal alert is about.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
enum PersonalAlertKind {
    #[serde(rename = "lead.assigned")]
    LeadAssigned,
    #[serde(rename = "lead.returned")]
    LeadReturned,
    #[serde(rename = "response.overdue")]
    ResponseOverdue,
    #[serde(rename = "response.escalated")]
    ResponseEscalated,
    #[serde(rename = "task.reminder")]
    TaskReminder,
    #[serde(rename = "task.overdue")]
    TaskOverdue,
    #[serde(rename = "task.assigned")]
    TaskAssigned,
}

impl From<PersonalAlertKind> for AlertKind {
    fn from(kind: PersonalAlertKind) -> Self {
        match kind {
            PersonalAlertKind::LeadAssigned => Self::LeadAssigned,
            PersonalAlertKind::LeadReturned => Self::LeadReturned,
            PersonalAlertKind::ResponseOverdue => Self::ResponseOverdue,
            PersonalAlertKind::ResponseEscalated => Self::ResponseEscalated,
            PersonalAlertKind::TaskReminder => Self::TaskReminder,
            PersonalAlertKind::TaskOverdue => Self::TaskOverdue,
            PersonalAlertKind::TaskAssigned => Self::TaskAssigned,
        }
    }
}

/// By which ways the caller is told of something.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AlertWishView {
    #[schema(example = "lead.assigned")]
    kind: &'static str,
    /// Under the bell.
    app: bool,
    /// By e-mail, where the operator set up a server.
    mail: bool,
}

fn shown(wishes: &Wishes) -> Json<All<AlertWishView>> {
    let view = |kind: AlertKind| {
        let Ways { app, mail } = wishes.of(kind);
        AlertWishView { kind: kind.as_str(), app, mail }
    };
    Json(All { data: AlertKind::ALL.into_iter().map(view).collect() })
}

async fn wishes_of(app: &App, actor: &Actor) -> ApiResult<Wishes> {
    let Some(user) = actor.user else { return Ok(Wishes::default()) };
    let workers = workers::list(&app.reader, actor.workspace).await?;
    Ok(workers.into_iter().find(|worker| worker.id == user).map(|worker| worker.wishes).unwrap_or_default())
}

/// Lists what the caller is told of, and by which ways
#[utoipa::path(get, path = "/v1/identity/alert-wishes", tag = "identity",
    responses((status = 200, body = All<AlertWishView>)))]
async fn list_wishes(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<AlertWishView>>> {
    Ok(shown(&wishes_of(&app, &actor).await?))
}

/// What the caller wants to be told of from now on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AlertWish {
    kind: PersonalAlertKind,
    app: bool,
    mail: bool,
}

/// Says by which ways the caller is told of something
#[utoipa::path(patch, path = "/v1/identity/alert-wishes", tag = "identity", request_body = AlertWish,
    responses((status = 200, body = All<AlertWishView>)))]
async fn change_wish(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(wish): Json<AlertWish>,
) -> ApiResult<Json<All<AlertWishView>>> {
    if actor.user.is_none() {
        return Err(ApiError::new(Code::Conflict).detail("this token belongs to nobody"));
    }
    let ways = Ways { app: wish.app, mail: wish.mail };
    engine::wish(&app.engine, &actor, &[(wish.kind.into(), ways)]).await?;
    Ok(shown(&wishes_of(&app, &actor).await?))
}
