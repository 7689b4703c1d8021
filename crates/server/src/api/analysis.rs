//! `/v1/admin/analysis`: what is looked for in messages, and who is asked; and what came of it, on a lead.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{analysis::topic_names, ids::LeadId, permissions::Permission, time::Timestamp};
use leadline_engine::analysis::{
    self as engine_analysis, AgainError, Change, EndpointChange, SettingsError, analyse_again, try_out,
};
use leadline_store::analyses::{self, OwnTopic, Settings};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::masking::Sight,
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::SettingsView, routes!(get_analysis_settings))
        .at(Permission::SettingsManage, routes!(change_analysis_settings))
        .at(Permission::SettingsManage, routes!(try_analysis))
        .at(Permission::LeadsManage, routes!(analyse_lead))
}

/// What a lead's newest message says.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AnalysisView {
    /// `offline`: an estimate from lists of words, made here. `endpoint`: the answer of the workspace's endpoint.
    method: String,
    /// What made it.
    model: String,
    /// Grows when the same message would be judged differently.
    version: i64,
    /// ISO 639; null where nobody can tell.
    language: Option<String>,
    /// Those of the workspace's keywords that are in the message.
    keywords: Vec<String>,
    /// `positive`, `neutral` or `negative`.
    sentiment: JudgedView,
    /// `purchase`, `appointment`, `information`, `support`, `employment`, `partnership`, `advertising` or `other`.
    intent: JudgedView,
    /// One of the workspace's topics, or `other`.
    topic: JudgedView,
    /// The message in short; hidden without `pii:view`.
    summary: String,
    /// Whether what names people was taken out before the endpoint saw it; null where it saw nothing.
    redacted: Option<bool>,
    /// Why the endpoint has no part in it although it is on.
    fallback: Option<FallbackView>,
    #[schema(value_type = String, format = DateTime)]
    analysed_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct JudgedView {
    label: String,
    /// 0 to 100. What an estimate calls so is how much of what it found speaks for the label.
    confidence: i64,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
struct FallbackView {
    /// `timeout`, `refused`, `malformed`, `unreachable`, `resting` or `unusable`.
    reason: String,
    /// The same in words.
    detail: String,
}

impl AnalysisView {
    /// What is stored, as it may be seen; none where there is none, or an older version stored something else.
    pub(crate) fn of(stored: Option<Value>, sight: Sight) -> Option<Self> {
        let mut view: Self = serde_json::from_value(stored?).ok()?;
        view.summary = sight.text(Some(view.summary)).unwrap_or_default();
        Some(view)
    }
}

/// What a workspace looks for in messages, and whom it asks.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct AnalysisSettingsView {
    /// Whether messages are analysed.
    enabled: bool,
    /// Words and phrases to be spotted; a star stands for the rest of a word.
    keywords: Vec<String>,
    /// The workspace's own topics; empty where it uses the built-in ones.
    topics: Vec<TopicView>,
    /// The topics that leads can have now.
    topics_in_use: Vec<String>,
    endpoint: EndpointView,
}

#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TopicView {
    name: String,
    /// Words that speak for it, beside its name; a star stands for the rest of a word.
    words: Vec<String>,
}

/// An OpenAI-compatible endpoint. Where it fails, the estimate made here stands in its place.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EndpointView {
    enabled: bool,
    /// What stands before `/chat/completions`.
    #[schema(example = "https://api.example.com/v1")]
    base_url: Option<String>,
    model: Option<String>,
    has_key: bool,
    /// The end of the key, to tell keys apart.
    key_last4: Option<String>,
    /// Whether names, e-mail addresses, phone numbers and links are taken out before a message leaves.
    redacts: bool,
    /// How long an answer may take.
    timeout_seconds: i64,
}

impl From<Settings> for AnalysisSettingsView {
    fn from(settings: Settings) -> Self {
        let in_use = topic_names(&engine_analysis::wanted(&settings));
        Self {
            enabled: settings.is_enabled,
            keywords: settings.keywords,
            topics: settings
                .topics
                .into_iter()
                .map(|topic| TopicView { name: topic.name, words: topic.words })
                .collect(),
            topics_in_use: in_use,
            endpoint: EndpointView {
                enabled: settings.endpoint_enabled,
                base_url: settings.base_url,
                model: settings.model,
                has_key: settings.key_sealed.is_some(),
                key_last4: settings.key_last4,
                redacts: settings.redacts,
                timeout_seconds: settings.timeout_seconds,
            },
        }
    }
}

/// What is looked for in messages
#[utoipa::path(get, path = "/v1/admin/analysis", tag = "workspace",
    responses((status = 200, body = AnalysisSettingsView)))]
async fn get_analysis_settings(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<AnalysisSettingsView>> {
    let found = analyses::find_settings(&app.reader, actor.workspace).await?;
    Ok(Json(found.unwrap_or_else(engine_analysis::defaults).into()))
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChangeAnalysisRequest {
    enabled: Option<bool>,
    /// All keywords from now on, at most 200.
    keywords: Option<Vec<String>>,
    /// All topics from now on, at most 40; none for the built-in ones.
    topics: Option<Vec<TopicView>>,
    #[serde(default)]
    endpoint: ChangeEndpoint,
}

/// What is absent stays; null takes a value away.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct ChangeEndpoint {
    enabled: Option<bool>,
    /// Another host takes the key away: it is for the one it was given for.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    base_url: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    model: Option<Option<String>>,
    /// Sealed, and never told again.
    #[serde(deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    key: Option<Option<String>>,
    redacts: Option<bool>,
    /// 1 to 60.
    timeout_seconds: Option<i64>,
}

/// Changes what is looked for in messages. It counts for messages that come from now on.
#[utoipa::path(patch, path = "/v1/admin/analysis", tag = "workspace", request_body = ChangeAnalysisRequest,
    responses((status = 200, body = AnalysisSettingsView)))]
async fn change_analysis_settings(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<ChangeAnalysisRequest>,
) -> ApiResult<Json<AnalysisSettingsView>> {
    let own_topic = |topic: TopicView| OwnTopic { name: topic.name, words: topic.words };
    let change = Change {
        is_enabled: body.enabled,
        keywords: body.keywords,
        topics: body.topics.map(|topics| topics.into_iter().map(own_topic).collect()),
        endpoint: EndpointChange {
            is_enabled: body.endpoint.enabled,
            base_url: body.endpoint.base_url,
            model: body.endpoint.model,
            key: body.endpoint.key,
            redacts: body.endpoint.redacts,
            timeout_seconds: body.endpoint.timeout_seconds,
        },
    };
    Ok(Json(engine_analysis::change(&app.engine, &actor, &change).await?.into()))
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct TryRequest {
    /// At most 4,000 characters.
    message: String,
}

/// Analyses a text as a message would be, and stores nothing
///
/// With the endpoint on this asks it, and waits for as long as its time limit.
#[utoipa::path(post, path = "/v1/admin/analysis/try", tag = "workspace", request_body = TryRequest,
    responses((status = 200, body = AnalysisView)))]
async fn try_analysis(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(body): Json<TryRequest>,
) -> ApiResult<Json<AnalysisView>> {
    let outcome = try_out(&app.engine, &actor, &body.message).await?;
    // The text is the caller's own, so they may see what is made of it.
    AnalysisView::of(Some(outcome), Sight::Clear).map(Json).ok_or_else(ApiError::not_found)
}

/// Analyses a lead's newest message once more, with the settings as they are now
///
/// The answer comes at once; the lead has its new analysis a moment later.
#[utoipa::path(post, path = "/v1/identity/leads/{id}/analyse", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 202, description = "Queued")))]
async fn analyse_lead(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<StatusCode> {
    analyse_again(&app.engine, &actor, id).await?;
    Ok(StatusCode::ACCEPTED)
}

impl From<SettingsError> for ApiError {
    fn from(error: SettingsError) -> Self {
        match error {
            SettingsError::Internal(error) => error.into(),
            SettingsError::Refused(refused) => refused
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, one| error.and_field(one.pointer, one.message)),
        }
    }
}

impl From<AgainError> for ApiError {
    fn from(error: AgainError) -> Self {
        match error {
            AgainError::NoMessage => Self::not_found(),
            AgainError::Off => Self::new(Code::Conflict).detail("analyses are switched off in the settings"),
            AgainError::Internal(error) => error.into(),
        }
    }
}
