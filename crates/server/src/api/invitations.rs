//! Asking people to join the workspace, and joining it.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use leadline_domain::{ids::InvitationId, permissions::Permission, time::Timestamp};
use leadline_engine::admin::invitations::{self as admin, Acceptance, Invited, Mailed};
use leadline_store::invitations::{self, Invitation};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    api::{
        session::{self, SessionView},
        users::parse_role,
        views::All,
    },
    app::App,
    client_ip::ClientIp,
    error::ApiResult,
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::UsersManage, routes!(list_invitations))
        .at(Permission::UsersManage, routes!(invite))
        .at(Permission::UsersManage, routes!(resend_invitation))
        .at(Permission::UsersManage, routes!(revoke_invitation))
        .public(routes!(look_at_invitation))
        .public(routes!(accept_invitation))
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct InvitationView {
    id: Uuid,
    email: String,
    /// The name of one of the roles that every workspace has, or the id of one of its own.
    #[schema(example = "agent")]
    role: String,
    #[schema(example = "Agent")]
    role_label: String,
    /// Who asked.
    invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When the link was made that counts.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// Whether its time is over.
    is_expired: bool,
    /// The link, this once. Whoever has it can join.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    /// What came of the e-mail: `sent`, `not_configured` or `failed`. Only where a link was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "sent")]
    mail: Option<&'static str>,
    /// What the mail server said, where it did not take it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mail_error: Option<String>,
}

impl InvitationView {
    fn new(invitation: Invitation, now: Timestamp) -> Self {
        Self {
            id: invitation.id.0,
            email: invitation.email,
            role: invitation.role.role.to_string(),
            role_label: invitation.role.label,
            invited_by: invitation.invited_by_name,
            created_at: invitation.created_at,
            sent_at: invitation.sent_at,
            expires_at: invitation.expires_at,
            is_expired: invitation.expires_at <= now,
            link: None,
            mail: None,
            mail_error: None,
        }
    }

    fn with_link(invited: Invited, now: Timestamp) -> Self {
        let (mail, mail_error) = match invited.mail {
            Mailed::Sent => ("sent", None),
            Mailed::NotConfigured => ("not_configured", None),
            Mailed::Failed(error) => ("failed", Some(error)),
        };
        Self { link: Some(invited.link), mail: Some(mail), mail_error, ..Self::new(invited.invitation, now) }
    }
}

/// Who was asked to join and has not answered, newest first.
#[utoipa::path(get, path = "/v1/admin/invitations", tag = "users",
    responses((status = 200, body = All<InvitationView>)))]
async fn list_invitations(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<InvitationView>>> {
    let now = app.engine.clock.now();
    let open = invitations::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: open.into_iter().map(|invitation| InvitationView::new(invitation, now)).collect() }))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InviteRequest {
    email: String,
    #[schema(example = "agent")]
    role: String,
}

/// Asks somebody to join. The link is told this once, and sent by e-mail where that is set up.
#[utoipa::path(post, path = "/v1/admin/invitations", tag = "users", request_body = InviteRequest,
    responses((status = 200, body = InvitationView)))]
async fn invite(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<InviteRequest>,
) -> ApiResult<Json<InvitationView>> {
    let role = parse_role(&body.role)?;
    let invited = admin::invite(&app.engine, &actor, &body.email, role).await?;
    Ok(Json(InvitationView::with_link(invited, app.engine.clock.now())))
}

/// Makes a new link and sends it; the one before counts no more.
#[utoipa::path(post, path = "/v1/admin/invitations/{id}/resend", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 200, body = InvitationView)))]
async fn resend_invitation(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<InvitationId>,
) -> ApiResult<Json<InvitationView>> {
    let invited = admin::resend(&app.engine, &actor, id).await?;
    Ok(Json(InvitationView::with_link(invited, app.engine.clock.now())))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/v1/admin/invitations/{id}", tag = "users", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn revoke_invitation(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<InvitationId>,
) -> ApiResult<StatusCode> {
    admin::revoke(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct LookRequest {
    /// What stands behind the hash sign of the link.
    token: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OfferView {
    workspace_name: String,
    /// For whom the invitation is.
    email: String,
    #[schema(example = "Agent")]
    role_label: String,
    /// Who asks.
    invited_by: String,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

/// What an invitation's link is worth.
#[utoipa::path(post, path = "/v1/invitations/look", tag = "session", request_body = LookRequest,
    responses((status = 200, body = OfferView), (status = 404, description = "The link does not count")))]
async fn look_at_invitation(State(app): State<App>, Json(body): Json<LookRequest>) -> ApiResult<Response> {
    let shown = admin::look(&app.engine, &body.token).await?;
    let view = OfferView {
        workspace_name: shown.workspace_name,
        email: shown.email,
        role_label: shown.role_label,
        invited_by: shown.invited_by,
        expires_at: shown.expires_at,
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(view)).into_response())
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AcceptRequest {
    /// What stands behind the hash sign of the link.
    token: String,
    /// For who has no account yet.
    name: Option<String>,
    /// Of the account that the address has, or at least 10 characters for a new one.
    #[schema(format = Password)]
    password: String,
    /// The code of the second factor, for who has one.
    code: Option<String>,
}

/// Joins the workspace and signs in.
#[utoipa::path(post, path = "/v1/invitations/accept", tag = "session", request_body = AcceptRequest,
    responses((status = 200, body = SessionView, description = "The session; its cookie is set"),
              (status = 401, description = "The address has an account with another password, or a code is needed"),
              (status = 404, description = "The link does not count"),
              (status = 429, description = "Too many attempts")))]
async fn accept_invitation(
    State(app): State<App>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    Json(body): Json<AcceptRequest>,
) -> ApiResult<Response> {
    let AcceptRequest { token, name, password, code } = body;
    let acceptance = Acceptance { secret: token, name, password, code, place: session::place(ip, &headers) };
    let signed_in = admin::accept(&app.engine, &app.attempts, acceptance).await?;
    Ok(session::answer(&app, &signed_in).await?.into_response())
}
