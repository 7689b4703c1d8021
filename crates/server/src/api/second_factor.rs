//! One's own second factor, and taking one away from somebody who has lost it.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{StatusCode, header};
use leadline_domain::{ids::UserId, permissions::Permission, time::Timestamp};
use leadline_engine::admin::second_factor;
use leadline_store::second_factors;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .signed_in_at_all(routes!(get_second_factor))
        .signed_in_at_all(routes!(begin_second_factor))
        .signed_in_at_all(routes!(confirm_second_factor))
        .signed_in(routes!(remove_second_factor))
        .signed_in(routes!(renew_recovery_codes))
        .at(Permission::UsersManage, routes!(reset_second_factor))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SecondFactorView {
    /// Since when; null where there is none.
    #[schema(value_type = Option<String>, format = DateTime)]
    confirmed_at: Option<Timestamp>,
    /// How many recovery codes were not used yet.
    recovery_codes_left: i64,
}

/// Whether one has a second factor.
#[utoipa::path(get, path = "/v1/session/second-factor", tag = "session",
    responses((status = 200, body = SecondFactorView)))]
async fn get_second_factor(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<SecondFactorView>> {
    let user = actor.user.ok_or(ApiError::not_found())?;
    let factor = second_factors::find(&app.reader, user).await?;
    Ok(Json(SecondFactorView {
        confirmed_at: factor.and_then(|factor| factor.confirmed_at),
        recovery_codes_left: second_factors::count_recovery_codes(&app.reader, user).await?,
    }))
}

#[derive(Debug, Serialize, ToSchema)]
struct BegunView {
    /// For typing it into an app.
    #[schema(example = "MZXW6YTBOI")]
    secret: String,
    /// What an app reads from the picture.
    #[schema(example = "otpauth://totp/Leadline:ann%40example.com?secret=MZXW6YTBOI&issuer=Leadline")]
    address: String,
    picture: PictureView,
}

/// A QR code: dark squares on a light ground, which needs four squares of margin.
#[derive(Debug, Serialize, ToSchema)]
struct PictureView {
    /// How many squares its side has.
    #[schema(example = 37)]
    size: usize,
    /// The dark squares as the path of an SVG in which a square is one unit.
    #[schema(example = "M0 0h7v1h-7z")]
    path: String,
}

/// Begins to set up a second factor. It counts once it is confirmed by a code.
#[utoipa::path(post, path = "/v1/session/second-factor", tag = "session",
    responses((status = 200, body = BegunView, description = "The secret, this once")))]
async fn begin_second_factor(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Response> {
    let begun = second_factor::set_up(&app.engine, &actor).await?;
    let picture = PictureView { size: begun.size, path: begun.path };
    let view = BegunView { secret: begun.secret, address: begun.address, picture };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConfirmRequest {
    /// What the app shows now.
    #[schema(example = "287082")]
    code: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct RecoveryCodesView {
    /// Each works once in place of a code.
    recovery_codes: Vec<String>,
}

/// Confirms the second factor by a code. All other sessions of the user end.
#[utoipa::path(post, path = "/v1/session/second-factor/confirm", tag = "session", request_body = ConfirmRequest,
    responses((status = 200, body = RecoveryCodesView, description = "Recovery codes, this once"),
              (status = 429, description = "Too many attempts")))]
async fn confirm_second_factor(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<ConfirmRequest>,
) -> ApiResult<Response> {
    let recovery_codes = second_factor::confirm(&app.engine, &app.attempts, &actor, &body.code).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(RecoveryCodesView { recovery_codes })).into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WithPasswordRequest {
    #[schema(format = Password)]
    password: String,
}

/// Removes one's second factor and the recovery codes.
#[utoipa::path(post, path = "/v1/session/second-factor/remove", tag = "session", request_body = WithPasswordRequest,
    responses((status = 204), (status = 429, description = "Too many attempts")))]
async fn remove_second_factor(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<WithPasswordRequest>,
) -> ApiResult<StatusCode> {
    second_factor::remove(&app.engine, &app.attempts, &actor, &body.password).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes new recovery codes; those from before count no more.
#[utoipa::path(post, path = "/v1/session/second-factor/recovery-codes", tag = "session",
    request_body = WithPasswordRequest,
    responses((status = 200, body = RecoveryCodesView, description = "Recovery codes, this once"),
              (status = 429, description = "Too many attempts")))]
async fn renew_recovery_codes(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<WithPasswordRequest>,
) -> ApiResult<Response> {
    let recovery_codes = second_factor::renew_codes(&app.engine, &app.attempts, &actor, &body.password).await?;
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(RecoveryCodesView { recovery_codes })).into_response())
}

/// Takes a user's second factor away, for one who has lost it. Their sessions end.
#[utoipa::path(delete, path = "/v1/admin/users/{id}/second-factor", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn reset_second_factor(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<UserId>,
) -> ApiResult<StatusCode> {
    second_factor::reset(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
