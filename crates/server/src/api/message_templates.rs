//! `/v1/messaging/templates`: texts that messages are made of, and what one would say.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{ChannelId, MessageTemplateId},
    messaging::{Approval, MessageChannel, variables},
    permissions::Permission,
    templates::{FILTERS, Form},
    time::Timestamp,
};
use leadline_engine::messaging::{
    approvals,
    templates::{self as engine, Wish},
};
use leadline_store::message_templates::{self, MessageTemplate};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult},
    extract::{Json, Path, Query, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::MessagingSend, routes!(create))
        .at(Permission::LeadsView, routes!(list_variables))
        .at(Permission::LeadsView, routes!(preview))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::MessagingSend, routes!(update, delete))
        .at(Permission::MessagingSend, routes!(submit))
        .at(Permission::MessagingSend, routes!(sync))
}

/// A text that messages are made of.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageTemplateView {
    #[schema(value_type = Uuid)]
    id: MessageTemplateId,
    /// `whatsapp`, `sms` or `email`.
    #[schema(value_type = String)]
    channel: MessageChannel,
    name: String,
    language: String,
    /// Of e-mail.
    subject: Option<String>,
    body: String,
    /// Of e-mail: the same as a page.
    html: Option<String>,
    /// `draft`, `pending`, `approved` or `rejected`. Only what is approved is sent.
    #[schema(value_type = String)]
    approval: Approval,
    approval_reason: Option<String>,
    /// Of WhatsApp: what Meta calls it. Without it the text goes out as it is, within 24 hours of the person's last
    /// message.
    provider_name: Option<String>,
    /// Of WhatsApp: what Meta takes it for.
    category: Option<String>,
    /// When Meta last said how it stands.
    #[schema(value_type = Option<String>, format = DateTime)]
    synced_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<MessageTemplate> for MessageTemplateView {
    fn from(row: MessageTemplate) -> Self {
        Self {
            id: row.id,
            channel: row.channel,
            name: row.name,
            language: row.language,
            subject: row.subject,
            body: row.body,
            html: row.body_html,
            approval: row.approval,
            approval_reason: row.approval_reason,
            provider_name: row.provider_name,
            category: row.category,
            synced_at: row.synced_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// Which templates.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct TemplateQuery {
    /// Only those for this kind of channel: `whatsapp`, `sms` or `email`.
    channel: Option<String>,
}

/// The templates of the workspace, by channel and name
#[utoipa::path(get, path = "/v1/messaging/templates", tag = "messaging", params(TemplateQuery),
    responses((status = 200, body = All<MessageTemplateView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<TemplateQuery>,
) -> ApiResult<Json<All<MessageTemplateView>>> {
    let channel = query.channel.as_deref().map(channel).transpose()?;
    let found = message_templates::list(&app.reader, actor.workspace).await?;
    let found = found.into_iter().filter(|one| channel.is_none_or(|channel| one.channel == channel));
    Ok(Json(All { data: found.map(MessageTemplateView::from).collect() }))
}

/// A new template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct MessageTemplateRequest {
    /// `whatsapp`, `sms` or `email`.
    #[schema(example = "sms")]
    channel: String,
    /// 1 to 120 characters, and one of its kind in its channel.
    name: String,
    /// With placeholders such as `{{firstName}}`.
    body: String,
    /// A code such as `en` or `pt_BR`; `en` where none is named.
    language: Option<String>,
    /// Of e-mail, where it is required.
    subject: Option<String>,
    /// Of e-mail: the same as a page. Values are text in it, whatever they are.
    html: Option<String>,
    /// `draft`, `pending`, `approved` or `rejected`; `approved` where none is named.
    approval: Option<String>,
    approval_reason: Option<String>,
    provider_name: Option<String>,
}

/// What is to change about a template.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct MessageTemplatePatch {
    channel: Option<String>,
    name: Option<String>,
    body: Option<String>,
    language: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    subject: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    html: Option<Option<String>>,
    approval: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    approval_reason: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    provider_name: Option<Option<String>>,
}

/// Makes a template
#[utoipa::path(post, path = "/v1/messaging/templates", tag = "messaging", request_body = MessageTemplateRequest,
    responses((status = 200, body = MessageTemplateView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<MessageTemplateRequest>,
) -> ApiResult<Json<MessageTemplateView>> {
    let wish = Wish {
        channel: Some(channel(&request.channel)?),
        name: Some(request.name),
        language: request.language,
        subject: Some(request.subject),
        body: Some(request.body),
        body_html: Some(request.html),
        approval: request.approval.as_deref().map(approval).transpose()?,
        approval_reason: Some(request.approval_reason),
        provider_name: Some(request.provider_name),
    };
    Ok(Json(engine::create(&app.engine, &actor, &wish).await?.into()))
}

/// One template
#[utoipa::path(get, path = "/v1/messaging/templates/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = MessageTemplateView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MessageTemplateId>,
) -> ApiResult<Json<MessageTemplateView>> {
    let found = message_templates::find(&app.reader, actor.workspace, id).await?;
    Ok(Json(found.ok_or_else(ApiError::not_found)?.into()))
}

/// Changes a template; messages that wait say what it says when they go out
#[utoipa::path(patch, path = "/v1/messaging/templates/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    request_body = MessageTemplatePatch, responses((status = 200, body = MessageTemplateView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MessageTemplateId>,
    Json(patch): Json<MessageTemplatePatch>,
) -> ApiResult<Json<MessageTemplateView>> {
    let wish = Wish {
        channel: patch.channel.as_deref().map(channel).transpose()?,
        name: patch.name,
        language: patch.language,
        subject: patch.subject,
        body: patch.body,
        body_html: patch.html,
        approval: patch.approval.as_deref().map(approval).transpose()?,
        approval_reason: patch.approval_reason,
        provider_name: patch.provider_name,
    };
    Ok(Json(engine::update(&app.engine, &actor, id, &wish).await?.into()))
}

/// Deletes a template; messages that wait for it are not sent
#[utoipa::path(delete, path = "/v1/messaging/templates/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MessageTemplateId>,
) -> ApiResult<StatusCode> {
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What Meta is to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SubmissionRequest {
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[schema(example = "UTILITY")]
    category: String,
    /// By this WhatsApp channel; the oldest that names its business account where none is named.
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
}

/// Gives a WhatsApp template to Meta, to be approved
#[utoipa::path(post, path = "/v1/messaging/templates/{id}/submission", tag = "messaging",
    params(("id" = Uuid, Path)), request_body = SubmissionRequest,
    responses((status = 200, body = MessageTemplateView)))]
async fn submit(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MessageTemplateId>,
    Json(request): Json<SubmissionRequest>,
) -> ApiResult<Json<MessageTemplateView>> {
    let how = (request.channel_id, request.category.as_str());
    Ok(Json(approvals::submit(&app.engine, &actor, id, how).await?.into()))
}

/// How many templates Meta told of.
#[derive(Debug, Serialize, ToSchema)]
struct SyncView {
    /// Those of the workspace.
    templates: u64,
}

/// Asks Meta how the templates of a WhatsApp channel's account stand
#[utoipa::path(post, path = "/v1/messaging/channels/{id}/template-sync", tag = "messaging",
    params(("id" = Uuid, Path)), responses((status = 200, body = SyncView)))]
async fn sync(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ChannelId>,
) -> ApiResult<Json<SyncView>> {
    Ok(Json(SyncView { templates: approvals::sync(&app.engine, &actor, id).await? }))
}

/// Something that a placeholder can stand for.
#[derive(Debug, Serialize, ToSchema)]
struct VariableView {
    name: &'static str,
    meaning: &'static str,
    example: &'static str,
}

/// What placeholders can stand for.
#[derive(Debug, Serialize, ToSchema)]
struct VariablesView {
    data: Vec<VariableView>,
    /// What can stand behind a bar: `{{phone | national}}`.
    filters: Vec<&'static str>,
}

/// What placeholders of messages can stand for
#[utoipa::path(get, path = "/v1/messaging/template-variables", tag = "messaging",
    responses((status = 200, body = VariablesView)))]
async fn list_variables(CurrentActor(_): CurrentActor) -> Json<VariablesView> {
    let view =
        |(name, meaning, example): (&'static str, &'static str, &'static str)| VariableView { name, meaning, example };
    Json(VariablesView { data: variables::VARIABLES.map(view).into(), filters: FILTERS.into() })
}

/// A text to be looked at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MessagePreviewRequest {
    subject: Option<String>,
    body: String,
    html: Option<String>,
}

/// What a text would say to an invented person.
#[derive(Debug, Serialize, ToSchema)]
struct MessagePreviewView {
    subject: Option<String>,
    body: String,
    html: Option<String>,
}

/// What a text would say, with examples for its placeholders
#[utoipa::path(post, path = "/v1/messaging/template-previews", tag = "messaging",
    request_body = MessagePreviewRequest, responses((status = 200, body = MessagePreviewView)))]
async fn preview(
    CurrentActor(_): CurrentActor,
    Json(request): Json<MessagePreviewRequest>,
) -> ApiResult<Json<MessagePreviewView>> {
    let texts = [
        ("/subject", request.subject.as_deref(), Form::Text),
        ("/body", Some(request.body.as_str()), Form::Text),
        ("/html", request.html.as_deref(), Form::Html),
    ];
    for (pointer, text, form) in texts {
        let Some(text) = text else { continue };
        variables::parse(text, form).map_err(|error| ApiError::field(pointer, error.to_string()))?;
    }
    let values = variables::examples();
    let said = engine::say(request.subject.as_deref(), &request.body, request.html.as_deref(), &values);
    Ok(Json(MessagePreviewView { subject: said.subject, body: said.body, html: said.body_html }))
}

/// The kind of channel of this name.
pub(super) fn channel(name: &str) -> ApiResult<MessageChannel> {
    MessageChannel::parse(name).ok_or_else(|| ApiError::field("/channel", "must be whatsapp, sms or email"))
}

fn approval(name: &str) -> ApiResult<Approval> {
    let refused = || ApiError::field("/approval", "must be draft, pending, approved or rejected");
    Approval::parse(name).ok_or_else(refused)
}
