//! `/v1/messaging/campaigns`: one message to very many people: writing it, sending it, and what became of it. Beside it
//! what all messages came to, whatever caused them.

mod report;
mod request;

use std::collections::HashMap;

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    campaigns::{Audience, State as Stage},
    ids::{AudienceId, CampaignId, CauseId, ChannelId, LeadId, MessageTemplateId, SegmentId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    campaigns::{CampaignError, drafts, preview as previews, steering},
};
use leadline_store::{
    audiences,
    campaigns::{self as stored, Campaign},
    message_figures::{self, Figures},
    message_templates, segments,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};
use request::{
    CampaignPatch, CampaignQuiet, CampaignTest, CampaignTracking, CampaignVariable, ChannelName, NewCampaign,
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::MessagingSend, routes!(create))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::MessagingSend, routes!(update))
        .at(Permission::MessagingSend, routes!(delete))
        .at(Permission::MessagingSend, routes!(start))
        .at(Permission::MessagingSend, routes!(pause))
        .at(Permission::MessagingSend, routes!(resume))
        .at(Permission::MessagingSend, routes!(cancel))
        .at(Permission::MessagingSend, routes!(copy))
        .at(Permission::LeadsView, routes!(preview))
        .merge(report::routes())
}

/// How many messages got how far, each counted once.
#[derive(Debug, Default, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageFiguresView {
    sent: i64,
    delivered: i64,
    /// As the provider says; for e-mail see the opens.
    read: i64,
    failed: i64,
    /// Nobody knows whether they went out.
    unknown: i64,
    /// Left out when their turn came.
    skipped: i64,
    /// Messages that a person opened.
    human_opens: i64,
    /// Messages that a machine opened.
    machine_opens: i64,
    /// Messages of which a person followed a link.
    human_clicks: i64,
    /// Messages of which a machine followed a link.
    machine_clicks: i64,
    unsubscribed: i64,
    replied: i64,
}

impl From<Figures> for MessageFiguresView {
    fn from(of: Figures) -> Self {
        Self {
            sent: of.sent,
            delivered: of.delivered,
            read: of.seen,
            failed: of.failed,
            unknown: of.unclear,
            skipped: of.skipped,
            human_opens: of.human_opens,
            machine_opens: of.machine_opens,
            human_clicks: of.human_clicks,
            machine_clicks: of.machine_clicks,
            unsubscribed: of.unsubscribed,
            replied: of.replied,
        }
    }
}

/// To whom a campaign goes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CampaignAudienceView {
    /// `audience`, `segment`, or `unanswered` for those who got another campaign and did not answer.
    kind: &'static str,
    #[schema(value_type = Option<Uuid>)]
    audience_id: Option<AudienceId>,
    #[schema(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    #[schema(value_type = Option<Uuid>)]
    campaign_id: Option<CampaignId>,
    /// What it is called; null where it was deleted.
    name: Option<String>,
}

/// A campaign.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageCampaignView {
    #[schema(value_type = Uuid)]
    id: CampaignId,
    name: String,
    /// `draft`, `scheduled`, `running`, `paused`, `finished` or `cancelled`.
    state: &'static str,
    channel: ChannelName,
    #[schema(value_type = Option<Uuid>)]
    channel_id: Option<ChannelId>,
    #[schema(value_type = Option<Uuid>)]
    template_id: Option<MessageTemplateId>,
    template_name: Option<String>,
    audience: Option<CampaignAudienceView>,
    /// In place of the template's subject.
    subjects: Vec<String>,
    /// What stands in place of the template's placeholders.
    variables: HashMap<String, CampaignVariable>,
    tracking: CampaignTracking,
    /// 0 for as many as the channel takes.
    per_minute: i64,
    quiet_hours: Option<CampaignQuiet>,
    test: Option<CampaignTest>,
    #[schema(value_type = Option<String>, format = DateTime)]
    starts_at: Option<Timestamp>,
    /// By which clock the start was chosen.
    timezone: Option<String>,
    progress: CampaignProgress,
    figures: MessageFiguresView,
    /// Which subject won: 0 for the first.
    winner: Option<i64>,
    /// When it is decided which subject wins.
    #[schema(value_type = Option<String>, format = DateTime)]
    decide_at: Option<Timestamp>,
    /// Why it was paused by itself.
    error: Option<String>,
    /// Grows with every change.
    version: i64,
    made_by: String,
    #[schema(value_type = Option<Uuid>)]
    copied_from: Option<CampaignId>,
    #[schema(value_type = Option<String>, format = DateTime)]
    started_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    finished_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// How far a campaign is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CampaignProgress {
    /// Whether recipients are still being written down.
    is_gathering: bool,
    recipients: i64,
    /// Whose message was asked for.
    asked: i64,
    /// Who was left out before that.
    skipped: i64,
    /// Who waits.
    waiting: i64,
}

/// What campaigns name, by id.
struct Names {
    templates: HashMap<MessageTemplateId, String>,
    audiences: HashMap<AudienceId, String>,
    segments: HashMap<SegmentId, String>,
    figures: HashMap<CauseId, Figures>,
    campaigns: HashMap<CampaignId, String>,
}

impl Names {
    async fn load(app: &App, actor: &Actor, of: &[Campaign]) -> ApiResult<Self> {
        let (reader, workspace) = (&app.reader, actor.workspace);
        let subjects: Vec<CauseId> = of.iter().map(|one| CauseId(one.id.0)).collect();
        let followed: Vec<CampaignId> = of
            .iter()
            .filter_map(|one| match one.audience {
                Some(Audience::Unanswered { campaign_id }) => Some(campaign_id),
                Some(Audience::Audience { .. } | Audience::Segment { .. }) | None => None,
            })
            .collect();
        Ok(Self {
            templates: message_templates::list(reader, workspace).await?.into_iter().map(|t| (t.id, t.name)).collect(),
            audiences: audiences::list(reader, workspace).await?.into_iter().map(|a| (a.id, a.name)).collect(),
            segments: segments::list(reader, workspace).await?.into_iter().map(|s| (s.id, s.name)).collect(),
            figures: message_figures::of_subjects(reader, workspace, &subjects).await?.into_iter().collect(),
            campaigns: stored::names(reader, workspace, &followed).await?.into_iter().collect(),
        })
    }

    fn audience(&self, of: Audience) -> CampaignAudienceView {
        let none =
            CampaignAudienceView { kind: "", audience_id: None, segment_id: None, campaign_id: None, name: None };
        match of {
            Audience::Audience { audience_id } => CampaignAudienceView {
                kind: "audience",
                audience_id: Some(audience_id),
                name: self.audiences.get(&audience_id).cloned(),
                ..none
            },
            Audience::Segment { segment_id } => CampaignAudienceView {
                kind: "segment",
                segment_id: Some(segment_id),
                name: self.segments.get(&segment_id).cloned(),
                ..none
            },
            Audience::Unanswered { campaign_id } => CampaignAudienceView {
                kind: "unanswered",
                campaign_id: Some(campaign_id),
                name: self.campaigns.get(&campaign_id).cloned(),
                ..none
            },
        }
    }

    fn view(&self, of: Campaign) -> MessageCampaignView {
        let progress = CampaignProgress {
            is_gathering: of.gathered.is_some(),
            recipients: of.recipient_count,
            asked: of.asked_count,
            skipped: of.skipped_count,
            waiting: (of.recipient_count - of.asked_count - of.skipped_count).max(0),
        };
        MessageCampaignView {
            id: of.id,
            name: of.name,
            state: of.state.as_str(),
            channel: of.channel.into(),
            channel_id: of.channel_id,
            template_id: of.template_id,
            template_name: of.template_id.and_then(|id| self.templates.get(&id).cloned()),
            audience: of.audience.map(|audience| self.audience(audience)),
            subjects: of.content.subjects,
            variables: of.content.variables.into_iter().map(|(name, mapping)| (name, mapping.into())).collect(),
            tracking: of.content.tracking.into(),
            per_minute: of.plan.per_minute,
            quiet_hours: of.plan.quiet_hours.map(CampaignQuiet::from),
            test: of.plan.test.map(CampaignTest::from),
            starts_at: of.starts_at,
            timezone: of.plan.timezone,
            progress,
            figures: self.figures.get(&CauseId(of.id.0)).copied().unwrap_or_default().into(),
            winner: of.winner,
            decide_at: of.decide_at,
            error: of.error,
            version: of.version,
            made_by: of.made_by,
            copied_from: of.copied_from,
            started_at: of.started_at,
            finished_at: of.finished_at,
            created_at: of.created_at,
            updated_at: of.updated_at,
        }
    }
}

/// Which campaigns.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CampaignQuery {
    /// That stand so: `draft`, `scheduled`, `running`, `paused`, `finished` or `cancelled`.
    state: Option<String>,
    page: Option<i64>,
    limit: Option<i64>,
}

/// Lists campaigns, the newest first
#[utoipa::path(get, path = "/v1/messaging/campaigns", tag = "messaging", params(CampaignQuery),
    responses((status = 200, body = Paged<MessageCampaignView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<CampaignQuery>,
) -> ApiResult<Json<Paged<MessageCampaignView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let state = match query.state.as_deref() {
        Some(name) => Some(Stage::parse(name).ok_or_else(|| ApiError::field("/state", "is no state of campaigns"))?),
        None => None,
    };
    let found = stored::list(&app.reader, actor.workspace, state, (window.limit, window.offset())).await?;
    let names = Names::load(&app, &actor, &found.rows).await?;
    Ok(Json(window.paged(found, |campaign| names.view(campaign))))
}

/// Makes a campaign, as a draft
///
/// Nothing is sent before it is started.
#[utoipa::path(post, path = "/v1/messaging/campaigns", tag = "messaging", request_body = NewCampaign,
    responses((status = 200, body = MessageCampaignView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewCampaign>,
) -> ApiResult<Json<MessageCampaignView>> {
    let wish = request.wish(&app, &actor).await?;
    let id = drafts::create(&app.engine, &actor, wish).await?;
    show(&app, &actor, id).await
}

/// One campaign, with how far it is
#[utoipa::path(get, path = "/v1/messaging/campaigns/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = MessageCampaignView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Json<MessageCampaignView>> {
    show(&app, &actor, id).await
}

async fn show(app: &App, actor: &Actor, id: CampaignId) -> ApiResult<Json<MessageCampaignView>> {
    let campaign = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let names = Names::load(app, actor, std::slice::from_ref(&campaign)).await?;
    Ok(Json(names.view(campaign)))
}

/// Changes a campaign that has not started
#[utoipa::path(patch, path = "/v1/messaging/campaigns/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    request_body = CampaignPatch, responses((status = 200, body = MessageCampaignView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
    Json(request): Json<CampaignPatch>,
) -> ApiResult<Json<MessageCampaignView>> {
    let wish = request.wish(&app, &actor).await?;
    drafts::update(&app.engine, &actor, id, wish).await?;
    show(&app, &actor, id).await
}

/// Deletes a campaign that is not under way; its messages stay
#[utoipa::path(delete, path = "/v1/messaging/campaigns/{id}", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<StatusCode> {
    drafts::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts a campaign: at once, or when its time has come
///
/// Who gets it is written down when it starts, each person once, and does not change afterwards.
#[utoipa::path(post, path = "/v1/messaging/campaigns/{id}/start", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = MessageCampaignView)))]
async fn start(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Json<MessageCampaignView>> {
    steering::start(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// Stops a campaign for a while
///
/// What waits for its turn is taken back; what is being handed over arrives. One that is only scheduled is a draft again.
#[utoipa::path(post, path = "/v1/messaging/campaigns/{id}/pause", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = MessageCampaignView)))]
async fn pause(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Json<MessageCampaignView>> {
    steering::pause(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// Goes on with a campaign that was paused
#[utoipa::path(post, path = "/v1/messaging/campaigns/{id}/resume", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = MessageCampaignView)))]
async fn resume(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Json<MessageCampaignView>> {
    steering::resume(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// Ends a campaign for good
///
/// Whoever has not got it will not.
#[utoipa::path(post, path = "/v1/messaging/campaigns/{id}/cancel", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = MessageCampaignView)))]
async fn cancel(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Json<MessageCampaignView>> {
    steering::cancel(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// What is copied of a campaign.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CampaignCopyRequest {
    /// To those who got a finished campaign and did not answer, in place of its own audience.
    #[serde(default)]
    follow_up: bool,
}

/// Copies a campaign as a draft
#[utoipa::path(post, path = "/v1/messaging/campaigns/{id}/copy", tag = "messaging", params(("id" = Uuid, Path)),
    request_body = CampaignCopyRequest, responses((status = 200, body = MessageCampaignView)))]
async fn copy(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
    Json(request): Json<CampaignCopyRequest>,
) -> ApiResult<Json<MessageCampaignView>> {
    let id = drafts::copy(&app.engine, &actor, id, request.follow_up).await?;
    show(&app, &actor, id).await
}

/// To whom a campaign is shown.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct CampaignPreviewQuery {
    /// To this lead; to one of its audience where none is named.
    #[param(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// With the first subject (0) or the second (1).
    #[param(minimum = 0, maximum = 1)]
    variant: Option<i64>,
}

/// What a campaign says to one person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CampaignPreviewView {
    /// Null where it goes to nobody yet; then it is shown with examples.
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    lead_name: Option<String>,
    /// Where it would go; null where it cannot.
    address: Option<String>,
    subject: Option<String>,
    body: String,
    html: Option<String>,
}

/// What a campaign says to one person
///
/// Without `pii:view` what it says is hidden, as it may name them.
#[utoipa::path(get, path = "/v1/messaging/campaigns/{id}/preview", tag = "messaging",
    params(("id" = Uuid, Path), CampaignPreviewQuery), responses((status = 200, body = CampaignPreviewView)))]
async fn preview(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
    Query(query): Query<CampaignPreviewQuery>,
) -> ApiResult<Json<CampaignPreviewView>> {
    let variant = query.variant.unwrap_or_default();
    if !(0..=1).contains(&variant) {
        return Err(ApiError::field("/variant", "must be 0 or 1"));
    }
    let found = previews::preview(&app.engine, &actor, id, (query.lead_id, variant)).await?;
    let sight = Sight::of(&actor);
    let is_letter = found.subject.is_some();
    Ok(Json(CampaignPreviewView {
        lead_id: found.lead.as_ref().map(|lead| lead.card.id),
        lead_name: found.lead.map(|lead| sight.name(lead.card.name)),
        address: if is_letter { sight.email(found.address) } else { sight.phone(found.address) },
        subject: sight.text(found.subject),
        body: sight.text(Some(found.body)).unwrap_or_default(),
        html: sight.text(found.body_html),
    }))
}

impl From<CampaignError> for ApiError {
    fn from(error: CampaignError) -> Self {
        match error {
            CampaignError::NotFound => Self::not_found(),
            CampaignError::Conflict(detail) => Self::new(Code::Conflict).detail(detail),
            CampaignError::Stale => Self::new(Code::StaleVersion),
            CampaignError::Invalid(wrongs) => wrongs
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, wrong| error.and_field(wrong.pointer, wrong.message)),
            CampaignError::Internal(error) => error.into(),
        }
    }
}
