//! What became of a campaign: in figures, person by person, and as a file; and what all messages came to.

use axum::{body::Body, extract::State, response::Response};
use leadline_domain::{
    ids::{CampaignId, CauseId, ContactId, LeadId, MessageId},
    messaging::Status,
    permissions::Permission,
    time::{DAY_MS, Timestamp},
};
use leadline_engine::audit::note_export;
use leadline_store::{
    campaigns::{
        self as stored, Campaign,
        recipients::{self, Reported, Which},
    },
    links, message_figures,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use super::MessageFiguresView;
use crate::{
    api::{
        masking::Sight,
        views::{All, PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult},
    exports::{TableFormat, attachment, pieces, recipients::RecipientTable},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// The days that are counted where nothing is said.
const USUAL_DAYS: i64 = 30;

/// The most days that are counted together.
const DAYS_MAX: i64 = 366;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(report))
        .at(Permission::LeadsView, routes!(list_recipients))
        .at(Permission::LeadsView, routes!(export))
        .at(Permission::LeadsView, routes!(list_hits))
        .at(Permission::LeadsView, routes!(analytics))
}

/// What became of a campaign.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CampaignReport {
    figures: MessageFiguresView,
    /// By subject: what each came to.
    variants: Vec<CampaignVariant>,
    /// By the hour, the first ones first.
    hours: Vec<CampaignHour>,
    /// How its messages stand, and why those stand so that did not arrive.
    standing: Vec<CampaignStanding>,
    /// The links of its messages, those that most people followed first.
    links: Vec<CampaignLink>,
    /// Why requests were taken for machines'.
    machines: Vec<CampaignReason>,
}

/// What one subject came to.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignVariant {
    /// 0 for the first.
    variant: i64,
    /// Null where it is the template's own.
    subject: Option<String>,
    figures: MessageFiguresView,
}

/// What happened in an hour.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignHour {
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    figures: MessageFiguresView,
}

/// How many messages stand in one way.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignStanding {
    /// As a message's, or `waiting` for people whose turn has not come.
    status: String,
    /// Why: a stable name, or the provider's number.
    reason: Option<String>,
    count: i64,
}

/// How often a link was followed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CampaignLink {
    /// The address; without what stands behind its path where personal data are masked.
    url: Option<String>,
    /// Messages by which a person followed it.
    people: i64,
    human_clicks: i64,
    machine_clicks: i64,
}

/// How often something was a machine's for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignReason {
    /// `prefetch`, `program`, `mailbox`, `data_centre`, `too_soon`, `several_at_once` or `every_link`.
    reason: String,
    count: i64,
}

async fn find(app: &App, actor: &leadline_engine::Actor, id: CampaignId) -> ApiResult<Campaign> {
    stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)
}

/// What became of a campaign
#[utoipa::path(get, path = "/v1/messaging/campaigns/{id}/report", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = CampaignReport)))]
async fn report(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Json<CampaignReport>> {
    let campaign = find(&app, &actor, id).await?;
    let (reader, workspace, subject) = (&app.reader, actor.workspace, CauseId(id.0));
    let sight = Sight::of(&actor);
    let mut all = message_figures::Figures::default();
    let by_step = message_figures::by_step(reader, workspace, subject).await?;
    by_step.iter().for_each(|(_, figures)| all.add(*figures));
    let hours = message_figures::by_hour(reader, workspace, subject).await?;
    let mut standing: Vec<CampaignStanding> = recipients::standing(reader, id)
        .await?
        .into_iter()
        .map(|(status, reason, count)| CampaignStanding { status, reason, count })
        .collect();
    let skipped = recipients::skipped(reader, id).await?.into_iter();
    let left_out = |(reason, count): (String, i64)| CampaignStanding {
        status: "skipped".to_owned(),
        reason: Some(reason).filter(|reason| !reason.is_empty()),
        count,
    };
    standing.extend(skipped.map(left_out));
    let waiting = (campaign.recipient_count - campaign.asked_count - campaign.skipped_count).max(0);
    if waiting > 0 {
        standing.push(CampaignStanding { status: "waiting".to_owned(), reason: None, count: waiting });
    }
    let links = links::followed(reader, workspace, subject).await?.into_iter();
    let link = |link: links::FollowedLink| CampaignLink {
        url: sight.address(Some(link.link)),
        people: link.people,
        human_clicks: link.human_clicks,
        machine_clicks: link.machine_clicks,
    };
    let machines = links::machine_reasons(reader, workspace, subject).await?.into_iter();
    Ok(Json(CampaignReport {
        figures: all.into(),
        variants: by_step
            .into_iter()
            .map(|(variant, figures)| CampaignVariant {
                variant,
                subject: campaign.content.subject(variant).map(str::to_owned),
                figures: figures.into(),
            })
            .collect(),
        hours: hours.into_iter().map(|(at, figures)| CampaignHour { at, figures: figures.into() }).collect(),
        standing,
        links: links.map(link).collect(),
        machines: machines.map(|(reason, count)| CampaignReason { reason, count }).collect(),
    }))
}

/// Somebody who got a campaign, or did not.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CampaignRecipientView {
    #[schema(value_type = Uuid)]
    contact_id: ContactId,
    #[schema(value_type = Uuid)]
    lead_id: LeadId,
    lead_name: Option<String>,
    /// Which subject: 0 for the first.
    variant: i64,
    #[schema(value_type = Option<Uuid>)]
    message_id: Option<MessageId>,
    /// As a message's; `waiting` for whose turn has not come.
    status: String,
    /// Why it failed or was left out: a stable name, or the provider's number.
    reason: Option<String>,
    /// What the provider said.
    error: Option<String>,
    address: Option<String>,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    delivered_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    read_at: Option<Timestamp>,
    /// When a person opened it first.
    #[schema(value_type = Option<String>, format = DateTime)]
    opened_at: Option<Timestamp>,
    /// When a machine did.
    #[schema(value_type = Option<String>, format = DateTime)]
    machine_opened_at: Option<Timestamp>,
    /// When a person followed a link first.
    #[schema(value_type = Option<String>, format = DateTime)]
    clicked_at: Option<Timestamp>,
    /// When a machine did.
    #[schema(value_type = Option<String>, format = DateTime)]
    machine_clicked_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    unsubscribed_at: Option<Timestamp>,
    #[schema(value_type = Option<String>, format = DateTime)]
    replied_at: Option<Timestamp>,
}

impl CampaignRecipientView {
    fn new(of: Reported, sight: Sight) -> Self {
        let is_letter = of.address.as_deref().is_some_and(|address| address.contains('@'));
        Self {
            contact_id: of.contact_id,
            lead_id: of.lead_id,
            lead_name: of.lead_name.map(|name| sight.name(name)),
            variant: of.variant,
            message_id: of.message_id,
            status: of.status,
            reason: of.reason,
            // Providers quote addresses in what they say.
            error: sight.text(of.error),
            address: if is_letter { sight.email(of.address) } else { sight.phone(of.address) },
            sent_at: of.sent_at,
            delivered_at: of.delivered_at,
            read_at: of.read_at,
            opened_at: of.human_open_at,
            machine_opened_at: of.machine_open_at,
            clicked_at: of.human_click_at,
            machine_clicked_at: of.machine_click_at,
            unsubscribed_at: of.unsubscribed_at,
            replied_at: of.replied_at,
        }
    }
}

/// Which recipients.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RecipientQuery {
    /// A status of messages, `waiting`, or one of `opened`, `clicked`, `machine`, `replied` and `unsubscribed`. What was
    /// delivered was sent, too, and what was read was delivered.
    which: Option<String>,
    page: Option<i64>,
    limit: Option<i64>,
}

fn which(name: Option<&str>) -> ApiResult<Which<'_>> {
    Ok(match name {
        None => Which::All,
        Some("opened") => Which::Opened,
        Some("clicked") => Which::Clicked,
        Some("machine") => Which::MachineOnly,
        Some("replied") => Which::Replied,
        Some("unsubscribed") => Which::Unsubscribed,
        Some(status) if status == "waiting" || Status::parse(status).is_some() => Which::Status(status),
        Some(_) => return Err(ApiError::field("/which", "is none of those that are listed")),
    })
}

/// Who got a campaign, and what became of each message
#[utoipa::path(get, path = "/v1/messaging/campaigns/{id}/recipients", tag = "messaging",
    params(("id" = Uuid, Path), RecipientQuery), responses((status = 200, body = Paged<CampaignRecipientView>)))]
async fn list_recipients(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
    Query(query): Query<RecipientQuery>,
) -> ApiResult<Json<Paged<CampaignRecipientView>>> {
    let window = PageQuery { page: query.page, limit: query.limit }.window()?;
    let which = which(query.which.as_deref())?;
    find(&app, &actor, id).await?;
    let rows = (window.limit, window.offset());
    let found = recipients::list(&app.reader, actor.workspace, id, which, rows).await?;
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(found, |row| CampaignRecipientView::new(row, sight))))
}

/// Who got a campaign, as comma-separated values
///
/// UTF-8 with a mark at its beginning, sent as it is made; what breaks off is not a whole file.
#[utoipa::path(get, path = "/v1/messaging/campaigns/{id}/recipients.csv", tag = "messaging",
    params(("id" = Uuid, Path)), responses((status = 200, body = String, content_type = "text/csv")))]
async fn export(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<CampaignId>,
) -> ApiResult<Response> {
    let campaign = find(&app, &actor, id).await?;
    note_export(&app.engine, &actor, "campaign recipients").await?;
    let table = RecipientTable::new(actor.workspace, &campaign, Sight::of(&actor));
    let pieces = pieces(app.reader.clone(), table, TableFormat::Csv).map_err(|error| ApiError::internal(&error))?;
    Ok(attachment(TableFormat::Csv.content_type(), "campaign-recipients.csv", Body::from_stream(pieces)))
}

/// One request of a link or of the picture of a message.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageHitView {
    /// `open`, `click` or `page`, which is that of unsubscribing.
    kind: &'static str,
    url: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    is_human: bool,
    /// Why it is taken for a machine's; null for people's.
    reason: Option<&'static str>,
    /// What the program calls itself.
    agent: Option<String>,
    /// Who runs the network that it came from.
    network: Option<String>,
}

/// Who looked at a message: every request of its links and its picture, with why it is taken for a machine's
#[utoipa::path(get, path = "/v1/messaging/messages/{id}/hits", tag = "messaging", params(("id" = Uuid, Path)),
    responses((status = 200, body = All<MessageHitView>)))]
async fn list_hits(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<MessageId>,
) -> ApiResult<Json<All<MessageHitView>>> {
    leadline_store::messages::list::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let sight = Sight::of(&actor);
    let hits = links::list_hits_of(&app.reader, actor.workspace, id).await?.into_iter();
    let view = |hit: links::Hit| MessageHitView {
        kind: hit.kind.as_str(),
        url: sight.address(Some(hit.link).filter(|link| !link.is_empty())),
        at: hit.hit_at,
        is_human: hit.why.is_none(),
        reason: hit.why.map(|why| why.as_str()),
        agent: sight.identifier(Some(hit.agent)),
        network: hit.network,
    };
    Ok(Json(All { data: hits.map(view).collect() }))
}

/// Which days are counted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct AnalyticsQuery {
    /// The last days, 1 to 366; 30 where nothing is said.
    #[param(minimum = 1, maximum = 366)]
    days: Option<i64>,
}

/// What the messages of one campaign or automation came to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct MessageAnalyticsView {
    /// `campaign`, `automation`, or `user` for what people sent by hand.
    cause_kind: String,
    /// The campaign or automation; null for what people sent by hand.
    id: Option<Uuid>,
    name: Option<String>,
    channel: String,
    figures: MessageFiguresView,
}

/// What all messages came to, by what caused them
///
/// Those of campaigns, of automations and those that people sent by hand, by the same figures.
#[utoipa::path(get, path = "/v1/messaging/analytics", tag = "messaging", params(AnalyticsQuery),
    responses((status = 200, body = All<MessageAnalyticsView>)))]
async fn analytics(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<AnalyticsQuery>,
) -> ApiResult<Json<All<MessageAnalyticsView>>> {
    let days = query.days.unwrap_or(USUAL_DAYS);
    if !(1..=DAYS_MAX).contains(&days) {
        return Err(ApiError::field("/days", format!("must be 1 to {DAYS_MAX}")));
    }
    let now = app.engine.clock.now();
    let span = (now.plus_ms(-days * DAY_MS), now.plus_ms(1));
    let found = message_figures::by_subject(&app.reader, actor.workspace, span).await?;
    let view = |of: message_figures::SubjectFigures| MessageAnalyticsView {
        id: (of.cause_kind != "user").then_some(of.subject.0),
        cause_kind: of.cause_kind,
        name: of.name,
        channel: of.channel,
        figures: of.figures.into(),
    };
    Ok(Json(All { data: found.into_iter().map(view).collect() }))
}
