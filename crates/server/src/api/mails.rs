//! `/v1/admin/alert-mails`: whether alerts come by e-mail, and whether e-mail works.

use std::time::Instant;

use axum::extract::State;
use leadline_domain::{ids::MailId, permissions::Permission, time::Timestamp};
use leadline_engine::{
    mails::{TestError, test, want},
    random_bytes,
};
use leadline_store::mails;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::Json,
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::SettingsView, routes!(get_alert_mails))
        .at(Permission::SettingsView, routes!(change_alert_mails))
        .at(Permission::SettingsManage, routes!(test_alert_mails))
}

/// E-mail about alerts, as the caller sees it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AlertMailsView {
    /// Whether the operator has named a server.
    is_configured: bool,
    /// The server, without its credentials.
    #[schema(example = "mail.example.com:465")]
    server: Option<String>,
    /// Whom e-mail comes from.
    from: Option<String>,
    /// Whether the caller gets e-mail about alerts; null for a token of nobody.
    wanted: Option<bool>,
    /// Messages that wait in this workspace, counted up to 1,000.
    waiting: i64,
    /// The newest message that was tried.
    last: Option<LastMailView>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LastMailView {
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// `pending`, `sent` or `failed`.
    #[schema(example = "sent")]
    state: String,
    /// What the server said, where it did not take it.
    error: Option<String>,
}

async fn view(app: &App, actor: &leadline_engine::Actor) -> ApiResult<Json<AlertMailsView>> {
    let mailer = app.engine.options.mailer.as_ref();
    let wanted = match actor.user {
        Some(user) => mails::wants_alerts(&app.reader, actor.workspace, user).await?,
        None => None,
    };
    let standing = mails::standing(&app.reader, actor.workspace).await?;
    Ok(Json(AlertMailsView {
        is_configured: mailer.is_some(),
        server: mailer.map(leadline_engine::Mailer::server),
        from: mailer.map(|mailer| mailer.from().to_owned()),
        wanted,
        waiting: standing.waiting,
        last: standing.last.map(|last| LastMailView {
            created_at: last.created_at,
            state: last.state,
            error: last.error,
        }),
    }))
}

/// Tells how alerts come by e-mail
#[utoipa::path(get, path = "/v1/admin/alert-mails", tag = "admin", responses((status = 200, body = AlertMailsView)))]
async fn get_alert_mails(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<AlertMailsView>> {
    view(&app, &actor).await
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AlertMailsChange {
    /// Whether the caller gets e-mail about the alerts of this workspace.
    wanted: bool,
}

/// Gets e-mail about alerts from now on, or none
#[utoipa::path(patch, path = "/v1/admin/alert-mails", tag = "admin", request_body = AlertMailsChange,
    responses((status = 200, body = AlertMailsView)))]
async fn change_alert_mails(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(change): Json<AlertMailsChange>,
) -> ApiResult<Json<AlertMailsView>> {
    let user = actor.user.ok_or_else(|| ApiError::new(Code::Conflict).detail("this token belongs to nobody"))?;
    want(&app.engine, &actor, user, change.wanted).await?;
    view(&app, &actor).await
}

/// What came of a message to oneself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AlertMailsTest {
    /// Whether the server has taken it.
    taken: bool,
    /// Whom it went to.
    to: String,
    /// What the server said, where it did not take it.
    error: Option<String>,
    duration_ms: u64,
}

/// Sends the caller an e-mail now
#[utoipa::path(post, path = "/v1/admin/alert-mails/test", tag = "admin",
    responses((status = 200, body = AlertMailsTest)))]
async fn test_alert_mails(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<AlertMailsTest>> {
    let begun = Instant::now();
    let id = MailId::new(app.engine.clock.now(), random_bytes());
    let (to, sent) = test(&app.engine, &actor, id).await.map_err(|error| match error {
        TestError::NotConfigured => ApiError::new(Code::Conflict).detail("no mail server is set up"),
        TestError::Nobody => ApiError::new(Code::Conflict).detail("this token belongs to nobody"),
        TestError::Store(error) => error.into(),
    })?;
    Ok(Json(AlertMailsTest {
        taken: sent.is_ok(),
        to,
        error: sent.err().map(|error| error.to_string()),
        duration_ms: u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    }))
}
