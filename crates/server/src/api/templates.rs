//! Templates of payloads: what they can name, some to begin with, and what one would send.

use std::collections::BTreeMap;

use axum::extract::State;
use leadline_domain::{destinations::ContentType, ids::LeadId, permissions::Permission, templates::FILTERS};
use leadline_engine::delivery::{
    payload::{
        presets::{PRESETS, Preset},
        template::PLACEHOLDERS,
    },
    preview::{self, PreviewError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::destinations::text_of;
use crate::{
    api::views::All,
    app::App,
    error::{ApiError, ApiResult},
    extract::Json,
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .at(Permission::DestinationsView, routes!(list_template_presets))
        .at(Permission::DestinationsView, routes!(list_template_placeholders))
        .at(Permission::DestinationsManage, routes!(preview_template))
}

/// A template to begin with.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TemplatePresetView {
    #[schema(example = "hubspot")]
    id: &'static str,
    name: &'static str,
    /// What has to be done there, and what to fill in.
    hint: &'static str,
    /// What its address looks like.
    url: &'static str,
    template: &'static str,
    #[schema(example = "json")]
    content_type: &'static str,
    #[schema(example = "POST")]
    method: &'static str,
    /// Headers that it needs, with what to fill in.
    headers: BTreeMap<String, String>,
}

impl From<&Preset> for TemplatePresetView {
    fn from(preset: &Preset) -> Self {
        Self {
            id: preset.id,
            name: preset.name,
            hint: preset.hint,
            url: preset.url,
            template: preset.template,
            content_type: preset.content_type.as_str(),
            method: preset.method.as_str(),
            headers: preset.header_map(),
        }
    }
}

/// Templates to begin with, for products that many people use.
#[utoipa::path(get, path = "/v1/delivery/template-presets", tag = "destinations",
    responses((status = 200, body = All<TemplatePresetView>)))]
async fn list_template_presets() -> Json<All<TemplatePresetView>> {
    Json(All { data: PRESETS.iter().map(TemplatePresetView::from).collect() })
}

/// A name that a placeholder can hold.
#[derive(Debug, Serialize, ToSchema)]
struct TemplateNameView {
    #[schema(example = "email")]
    name: &'static str,
    /// What it stands for.
    says: &'static str,
}

/// Everything that can stand between the braces of a template.
#[derive(Debug, Serialize, ToSchema)]
struct TemplateNamesView {
    placeholders: Vec<TemplateNameView>,
    /// The names of filters.
    filters: Vec<&'static str>,
}

/// What a template can name, and which filters there are.
#[utoipa::path(get, path = "/v1/delivery/template-placeholders", tag = "destinations",
    responses((status = 200, body = TemplateNamesView)))]
async fn list_template_placeholders() -> Json<TemplateNamesView> {
    let placeholders = PLACEHOLDERS.iter().map(|(name, says)| TemplateNameView { name, says }).collect();
    Json(TemplateNamesView { placeholders, filters: FILTERS.to_vec() })
}

/// A template to look at.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TemplatePreviewRequest {
    /// As a text or as JSON itself.
    template: Value,
    /// `json` or `form`.
    #[schema(example = "json")]
    content_type: Option<String>,
    /// The lead to fill in; the newest one where it is absent.
    lead_id: Option<Uuid>,
}

/// What a template would send.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TemplatePreviewView {
    /// The body.
    payload: String,
    /// The lead that is filled in; null where it is made up, since there is none or you may not see who it is.
    lead_id: Option<Uuid>,
    lead_name: Option<String>,
}

impl From<PreviewError> for ApiError {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::Template(error) => Self::field("/template", error.to_string()),
            PreviewError::NotFound => Self::not_found(),
            PreviewError::Internal(error) => error.into(),
        }
    }
}

/// Fills a template in with a lead, and sends nothing.
#[utoipa::path(post, path = "/v1/delivery/template-previews", tag = "destinations", request_body = TemplatePreviewRequest,
    responses((status = 200, body = TemplatePreviewView)))]
async fn preview_template(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<TemplatePreviewRequest>,
) -> ApiResult<Json<TemplatePreviewView>> {
    let content_type = body.content_type.as_deref().map_or(Some(ContentType::Json), ContentType::parse);
    let content_type = content_type.ok_or_else(|| ApiError::field("/contentType", "must be json or form"))?;
    let text = text_of(body.template);
    let is_made_up = !actor.role.may(Permission::PiiView);
    let lead = body.lead_id.map(LeadId);
    let preview = preview::preview(&app.engine, &actor, &text, content_type, lead, is_made_up).await?;
    let (lead_id, lead_name) = preview.lead.map(|(id, name)| (id.0, name)).unzip();
    Ok(Json(TemplatePreviewView { payload: preview.payload, lead_id, lead_name }))
}
