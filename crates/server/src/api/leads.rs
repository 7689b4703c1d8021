//! `/v1/identity/leads`: listing, making and changing leads.

mod bulk;
pub(crate) mod filter;
mod merging;
pub(crate) mod response;
pub(crate) mod scores;
mod splitting;
pub(crate) mod values;
pub(crate) mod views;
pub(crate) mod visits;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode, header};
use leadline_domain::{
    fields::RawFields,
    ids::{LeadId, PipelineId, ProjectId, SegmentId, StageId, SubmissionId, UserId, WorkspaceId},
    permissions::Permission,
    values::{Quotable, ToldValues},
};
use leadline_engine::{
    Actor, ActorKind,
    capture::{self, Direct, Submission},
    crm::{
        self, Basis, Changes, Conflict, LeadError, Move, WorthChanges,
        draft::{Checked, Draft, Strictness, check},
    },
};
use leadline_store::{
    Error as StoreError, crm_links, custom_fields, events,
    leads::{self as stored, Depth, LeadFilter, Listed, SortBy, SortOrder},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::time::timeout;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use self::{
    filter::{Asked, card_fields, sort, window},
    response::Responses,
    values::{AmountField, QuotableName},
    views::{ActivityView, CardView, CrmLinkView, LeadDetail, LeadView},
};
use crate::{
    api::{masking::Sight, views::Paged},
    app::App,
    error::{ApiError, ApiResult, Code, ConflictView},
    extract::{Json, Path, Query, present},
    guard::{CurrentActor, GuardedRoutes},
    public::refusal,
};

/// Timeline entries that come with a lead.
const ACTIVITIES: i64 = 100;

/// How long somebody waits for others who look through all leads.
const LONG_LOOK_WAIT: Duration = Duration::from_secs(20);

/// When it is worth asking again where others were before.
const LONG_LOOK_RETRY_S: u64 = 5;

/// The longest name of a client's own operation, in bytes.
const OP_MAX_BYTES: usize = 64;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsManage, routes!(create))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::LeadsManage, routes!(update))
        .at(Permission::LeadsDelete, routes!(delete))
        .at(Permission::LeadsDelete, routes!(restore))
        .at(Permission::LeadsManage, routes!(move_stage))
        .at(Permission::LeadsManage, routes!(assign))
        .at(Permission::LeadsManage, routes!(add_note))
        .at(Permission::LeadsManage, routes!(convert))
        .at(Permission::LeadsManage, routes!(bulk::bulk_action))
        .at(Permission::LeadsManage, routes!(merging::preview))
        .at(Permission::LeadsManage, routes!(merging::merge))
        .at(Permission::LeadsView, routes!(merging::list_merges))
        .at(Permission::LeadsManage, routes!(merging::split))
        .at(Permission::LeadsManage, routes!(splitting::split_off))
        .at(Permission::LeadsView, routes!(merging::list_duplicates))
        .at(Permission::LeadsView, routes!(list_activities))
        .at(Permission::LeadsView, routes!(visits::list_sessions))
        .at(Permission::LeadsView, routes!(scores::list_scores))
}

/// Which leads, in which order.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words that name, e-mail, phone or company hold; without `pii:view` the company.
    search: Option<String>,
    #[param(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    #[param(value_type = Option<Uuid>)]
    pipeline_id: Option<PipelineId>,
    #[param(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// A kind of source (`form`, `webhook`, `manual`, …) or the id of one.
    source: Option<String>,
    /// `me`, `none` or a user's id.
    assigned_to: Option<String>,
    tag: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
    /// A tree of conditions as JSON: `{"all": […]}`, `{"any": […]}` or `{"field", "op", "value"}`. What can be asked
    /// of which field stands under `/v1/identity/filter-fields`.
    filter: Option<String>,
    /// Those of a segment.
    #[param(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    /// `createdAt` where nothing is said; one of `updatedAt`, `lastSubmissionAt`, `name`, `score`, `email`, `phone`,
    /// `company`, `title`, `source`, `stage`, `assignedTo`, `engagement`, `suspicion`, `submissionCount`,
    /// `stageEnteredAt` and `convertedAt`, or `custom.` with the key of a custom field.
    sort_by: Option<String>,
    // A schema that only a parameter names is not among the document's components.
    #[param(inline)]
    sort_order: Option<SortOrderName>,
    /// Keys of custom fields that come with each lead, with commas between them; those for cards where nothing is
    /// said.
    custom_fields: Option<String>,
    /// Whether all leads are looked through where the answer would be of the newest, or counted to a cap. In a large
    /// workspace that takes seconds, and few do it at once: others wait, and are answered 503 after 20 s. Without it,
    /// `lookedThrough` tells how many leads the answer is of.
    exact: Option<bool>,
}

/// A page of leads.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LeadPage {
    #[serde(flatten)]
    page: Paged<CardView>,
    /// Where no index has the answer, and only so many of the newest leads were looked through for it: how many. Others
    /// may match, too; `exact` finds them.
    looked_through: Option<i64>,
}

/// In which direction a list is sorted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SortOrderName {
    Asc,
    Desc,
}

/// The direction that a request asks for.
pub(crate) fn order(asked: Option<SortOrderName>) -> SortOrder {
    match asked {
        Some(SortOrderName::Asc) => SortOrder::Ascending,
        None | Some(SortOrderName::Desc) => SortOrder::Descending,
    }
}

/// Lists leads
#[utoipa::path(get, path = "/v1/identity/leads", tag = "identity", params(ListQuery),
    responses((status = 200, body = LeadPage)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<LeadPage>> {
    let sight = Sight::of(&actor);
    let window = window(query.page, query.limit)?;
    let sort = sort(&app.reader, &actor, query.sort_by.as_deref(), order(query.sort_order)).await?;
    let fields = card_fields(&app, &actor, query.custom_fields).await?;
    let asked = Asked {
        search: query.search,
        stage: query.stage_id,
        pipeline: query.pipeline_id,
        project: query.project_id,
        source: query.source,
        assigned_to: query.assigned_to,
        tag: query.tag,
        filter: query.filter,
        segment: query.segment_id,
    };
    let filter = asked.filter(&app, &actor).await?;
    let place = (window.limit, window.offset());
    let found = if query.exact == Some(true) {
        look_through_all(&app, actor.workspace, filter, sort, place).await?
    } else {
        stored::list_to_depth(&app.reader, actor.workspace, &filter, sort, place, Depth::Newest).await?
    };
    let ids: Vec<LeadId> = found.page.rows.iter().map(|card| card.id).collect();
    let responses = Responses::load(&app, &actor, &ids).await?;
    let page = window.paged(found.page, |card| CardView::new(card, sight, Some(&fields)).with_response(&responses));
    Ok(Json(LeadPage { page, looked_through: found.looked_through }))
}

/// Lists out of all leads, when it is its turn. It goes on to its end also where nobody waits for it any more, so that
/// whoever breaks off and asks again keeps no more connections busy than others.
async fn look_through_all(
    app: &App,
    workspace: WorkspaceId,
    filter: LeadFilter,
    sort: (SortBy, SortOrder),
    place: (i64, i64),
) -> ApiResult<Listed> {
    let busy = || ApiError::new(Code::Busy).retry_after(LONG_LOOK_RETRY_S);
    let waiting = timeout(LONG_LOOK_WAIT, Arc::clone(&app.long_looks).acquire_owned());
    let turn = waiting.await.map_err(|_| busy())?.map_err(|_| busy())?;
    let reader = app.reader.clone();
    let looking = tokio::spawn(async move {
        let found = stored::list_to_depth(&reader, workspace, &filter, sort, place, Depth::All).await;
        drop(turn);
        found
    });
    match looking.await {
        Ok(Err(StoreError::TimedOut)) => Err(busy().detail("it took longer than a statement may; narrow the filter")),
        Ok(found) => Ok(found?),
        Err(error) => Err(ApiError::internal(&error)),
    }
}

/// A new lead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewLead {
    /// Without one the lead is called by its e-mail or phone.
    name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    company: Option<String>,
    title: Option<String>,
    message: Option<String>,
    #[serde(default)]
    tags: Vec<String>,
    /// Where it goes; the first project where none is named.
    #[schema(value_type = Option<Uuid>)]
    project_id: Option<ProjectId>,
    /// Where it begins; the first stage of the default pipeline where none is named.
    #[schema(value_type = Option<Uuid>)]
    stage_id: Option<StageId>,
    /// By camelCase key, with `_displayNames`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    custom_fields: Map<String, Value>,
    /// `not_set` where nothing is said.
    quotable: Option<QuotableName>,
    /// In the workspace's currency: a decimal in a text, at most 999999999999.999, or a number.
    #[schema(value_type = Option<String>, example = "1250.50")]
    quote_value: Option<AmountField>,
    /// As `quoteValue`.
    #[schema(value_type = Option<String>, example = "1250.50")]
    sales_value: Option<AmountField>,
    /// How it is said to have come: by hand or from a program. What fits the caller where nothing is said.
    source: Option<DirectSource>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DirectSource {
    Manual,
    Api,
}

/// A lead that waits on disk for the store to come back.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Spooled {
    #[schema(value_type = Uuid)]
    receipt: SubmissionId,
    /// Always null: it gets its id when it is stored.
    #[schema(value_type = Option<Uuid>)]
    lead_id: Option<LeadId>,
    /// Always false.
    stored: bool,
}

/// Makes a lead
///
/// Goes the way of every submission, so somebody who is known in the project already comes out as the lead that is
/// there. `Idempotency-Key` makes repeats harmless.
#[utoipa::path(post, path = "/v1/identity/leads", tag = "identity", request_body = NewLead,
    responses((status = 200, body = LeadView),
              (status = 202, body = Spooled, description = "On disk, but not in the store yet")))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    headers: HeaderMap,
    Json(request): Json<NewLead>,
) -> ApiResult<Response> {
    let source = request.source.unwrap_or(match actor.kind {
        ActorKind::User => DirectSource::Manual,
        ActorKind::Token | ActorKind::System | ActorKind::Visitor => DirectSource::Api,
    });
    let project = request.project_id;
    let checked = check(&app.engine, &actor, draft(request), strictness(source)).await?;
    let submission = submission(&app, &actor, &headers, project, source, checked).await?;
    let accepted = app.engine.door.accept(submission).await.map_err(|error| refusal(&error))?;
    let Some(lead) = accepted.lead else {
        let spooled = Spooled { receipt: accepted.receipt, lead_id: None, stored: false };
        return Ok((StatusCode::ACCEPTED, Json(spooled)).into_response());
    };
    Ok(show(&app, &actor, lead).await?.into_response())
}

fn draft(request: NewLead) -> Draft {
    Draft {
        name: request.name,
        email: request.email,
        phone: request.phone,
        company: request.company,
        title: request.title,
        message: request.message,
        tags: request.tags,
        custom_fields: request.custom_fields,
        stage: request.stage_id,
        values: ToldValues {
            quotable: request.quotable.map(Quotable::from),
            quote: request.quote_value.map(|amount| amount.0),
            sales: request.sales_value.map(|amount| amount.0),
        },
    }
}

/// Somebody who types is told of a misprint; a program's lead is taken as it is.
fn strictness(source: DirectSource) -> Strictness {
    match source {
        DirectSource::Manual => Strictness::Refuse,
        DirectSource::Api => Strictness::Keep,
    }
}

async fn submission(
    app: &App,
    actor: &Actor,
    headers: &HeaderMap,
    project: Option<ProjectId>,
    source: DirectSource,
    Checked { draft, place }: Checked,
) -> ApiResult<Submission> {
    let intake = app.engine.door.intakes().direct(actor.workspace, project).await?;
    let mut intake = intake.ok_or_else(|| ApiError::field("/projectId", "is not a project here"))?;
    let (kind, name) = match source {
        DirectSource::Manual => ("manual", "Manual"),
        DirectSource::Api => ("api", "API"),
    };
    kind.clone_into(&mut intake.kind);
    name.clone_into(&mut intake.source_name);
    let named = [
        ("name", draft.name),
        ("email", draft.email),
        ("phone", draft.phone),
        ("company", draft.company),
        ("title", draft.title),
        ("message", draft.message),
    ];
    let fields: RawFields = named
        .into_iter()
        .filter_map(|(field, value)| value.map(|value| (field.to_owned(), Value::String(value))))
        .collect();
    let evidence = capture::Request {
        content_type: Some("application/json".to_owned()),
        raw_body: Value::Object(fields.iter().cloned().collect()).to_string(),
        ..capture::Request::default()
    };
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    let mut submission = Submission::new(&app.engine, intake, fields, evidence, key);
    submission.direct = Some(Direct {
        actor_name: actor.name.clone(),
        actor_is_token: actor.kind == ActorKind::Token,
        actor_user: actor.user,
        tags: draft.tags,
        custom_fields: draft.custom_fields,
        stage: place,
        values: draft.values,
    });
    Ok(submission)
}

/// The lead as it is now.
async fn show(app: &App, actor: &Actor, lead: LeadId) -> ApiResult<Json<LeadView>> {
    let lead = stored::find(&app.reader, actor.workspace, lead).await?.ok_or_else(ApiError::not_found)?;
    let defined = custom_fields::defined(&app.reader, actor.workspace).await?;
    let responses = Responses::load(app, actor, &[lead.card.id]).await?;
    Ok(Json(LeadView::new(lead, &defined, &responses, Sight::of(actor))))
}

/// A lead that went into another one answers with that one.
async fn show_detail(app: &App, actor: &Actor, id: LeadId) -> ApiResult<Json<LeadDetail>> {
    let mut lead = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    if let Some(winner) = lead.merged_into {
        lead = stored::find(&app.reader, actor.workspace, winner).await?.ok_or_else(ApiError::not_found)?;
    }
    let id = lead.card.id;
    let related = stored::related(&app.reader, actor.workspace, &lead).await?;
    let defined = custom_fields::defined(&app.reader, actor.workspace).await?;
    let responses = Responses::load(app, actor, &[id]).await?;
    let lead = LeadView::new(lead, &defined, &responses, Sight::of(actor));
    let activities = events::list_activities(&app.reader, actor.workspace, id, ACTIVITIES, 0).await?;
    let sight = Sight::of(actor);
    let activity = activities.rows.into_iter().map(|activity| ActivityView::new(activity, sight)).collect();
    let links = crm_links::list(&app.reader, actor.workspace, id).await?;
    let links = links.into_iter().map(|link| CrmLinkView::new(link, sight)).collect();
    Ok(Json(LeadDetail::new(lead, related, links, activity, activities.total)))
}

/// One lead with its timeline
///
/// A deleted lead is shown with its `deletedAt`, so that it can be restored. One that went into another answers with
/// that one.
#[utoipa::path(get, path = "/v1/identity/leads/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = LeadDetail)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<Json<LeadDetail>> {
    show_detail(&app, &actor, id).await
}

/// What is to change about a lead; null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct LeadPatch {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    name: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    company: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    title: Option<Option<String>>,
    /// All tags from now on; null takes all away.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    tags: Option<Option<Vec<String>>>,
    /// Fields to set; those that are not named stay, null removes one.
    #[schema(value_type = Option<Object>)]
    custom_fields: Option<Map<String, Value>>,
    /// Null is `not_set`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<QuotableName>)]
    quotable: Option<Option<QuotableName>>,
    /// In the workspace's currency: a decimal in a text, at most 999999999999.999, or a number.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "1250.50")]
    quote_value: Option<Option<AmountField>>,
    /// As `quoteValue`.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, example = "1250.50")]
    sales_value: Option<Option<AmountField>>,
    /// Why it was won or lost: one of its pipeline's reasons.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    close_reason: Option<Option<String>>,
    /// The version that the change goes by, as `If-Match` would say it. Where the lead has another, 409 shows what the
    /// change would overwrite.
    version: Option<i64>,
    /// The fields as they were seen, as the lead shows them. Where one that is to be changed is neither that nor what it
    /// is to be, 409 shows both; other changes of the lead are no conflict.
    #[schema(value_type = Option<Object>)]
    seen: Option<Map<String, Value>>,
}

/// Changes a lead
#[utoipa::path(patch, path = "/v1/identity/leads/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = LeadPatch, responses((status = 200, body = LeadView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    headers: HeaderMap,
    Json(patch): Json<LeadPatch>,
) -> ApiResult<Json<LeadView>> {
    let sight = Sight::of(&actor);
    let basis = Basis {
        version: patch.version.or(version_of(&headers)?),
        // Whoever sees nothing of it could find out by asking.
        seen: patch.seen.filter(|_| !sight.is_masked()).unwrap_or_default(),
    };
    let changes = Changes {
        name: patch.name,
        email: patch.email,
        phone: patch.phone,
        company: patch.company,
        title: patch.title,
        tags: patch.tags.map(Option::unwrap_or_default),
        custom_fields: patch.custom_fields,
        worth: WorthChanges {
            quotable: patch.quotable.map(|quotable| quotable.map_or(Quotable::NotSet, Quotable::from)),
            quote_value: patch.quote_value.map(|amount| amount.map(|amount| amount.0)),
            sales_value: patch.sales_value.map(|amount| amount.map(|amount| amount.0)),
            close_reason: patch.close_reason,
        },
        basis,
    };
    crm::update(&app.engine, &actor, id, &changes).await.map_err(|error| match error {
        LeadError::Conflicts(conflicts) => in_conflict(conflicts, sight),
        other => other.into(),
    })?;
    show(&app, &actor, id).await
}

/// Deletes a lead; it can be restored
#[utoipa::path(delete, path = "/v1/identity/leads/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = LeadView)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<Json<LeadView>> {
    crm::delete(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// Takes a deletion back
#[utoipa::path(post, path = "/v1/identity/leads/{id}/restore", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = LeadView)))]
async fn restore(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
) -> ApiResult<Json<LeadView>> {
    crm::restore(&app.engine, &actor, id).await?;
    show(&app, &actor, id).await
}

/// Where a lead is put.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct MoveStageRequest {
    #[schema(value_type = Uuid)]
    stage_id: StageId,
    /// The lead that it comes to stand below; on top of the column where there is none.
    #[schema(value_type = Option<Uuid>)]
    after_lead_id: Option<LeadId>,
    /// Why it is won or lost: one of the reasons of the stage's pipeline, which may demand one.
    reason: Option<String>,
}

/// Moves a lead to its place on the board
///
/// The header `X-Client-Op` is repeated in the live hint as `op`, so that a screen knows its own moves.
#[utoipa::path(patch, path = "/v1/identity/leads/{id}/stage", tag = "identity", params(("id" = Uuid, Path)),
    request_body = MoveStageRequest, responses((status = 200, body = LeadView)))]
async fn move_stage(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    headers: HeaderMap,
    Json(request): Json<MoveStageRequest>,
) -> ApiResult<Json<LeadView>> {
    let op = headers.get("x-client-op").and_then(|op| op.to_str().ok()).filter(|op| op.len() <= OP_MAX_BYTES);
    let to = Move {
        stage: request.stage_id,
        below: request.after_lead_id,
        reason: request.reason,
        op: op.map(str::to_owned),
    };
    crm::move_stage(&app.engine, &actor, id, &to).await?;
    show(&app, &actor, id).await
}

/// Whose lead it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AssignRequest {
    /// A member; null for nobody.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(value_type = Option<Uuid>, required)]
    assigned_to: Option<UserId>,
}

/// Gives a lead to a member of the workspace
#[utoipa::path(patch, path = "/v1/identity/leads/{id}/assign", tag = "identity", params(("id" = Uuid, Path)),
    request_body = AssignRequest, responses((status = 200, body = LeadView)))]
async fn assign(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Json(request): Json<AssignRequest>,
) -> ApiResult<Json<LeadView>> {
    crm::assign(&app.engine, &actor, id, request.assigned_to).await?;
    show(&app, &actor, id).await
}

/// A note.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NoteRequest {
    /// 1 to 10,000 characters.
    value: String,
}

/// Puts a note on a lead
#[utoipa::path(post, path = "/v1/identity/leads/{id}/notes", tag = "identity", params(("id" = Uuid, Path)),
    request_body = NoteRequest, responses((status = 200, body = LeadDetail)))]
async fn add_note(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Json(request): Json<NoteRequest>,
) -> ApiResult<Json<LeadDetail>> {
    crm::add_note(&app.engine, &actor, id, &request.value).await?;
    show_detail(&app, &actor, id).await
}

/// The customer that a lead becomes.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConvertRequest {
    name: String,
    platform: Option<String>,
}

/// Makes a customer of a lead's contact; a second time changes nothing
#[utoipa::path(post, path = "/v1/identity/leads/{id}/convert", tag = "identity", params(("id" = Uuid, Path)),
    request_body = ConvertRequest, responses((status = 200, body = LeadView)))]
async fn convert(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Json(request): Json<ConvertRequest>,
) -> ApiResult<Json<LeadView>> {
    crm::convert(&app.engine, &actor, id, &request.name, request.platform.as_deref()).await?;
    show(&app, &actor, id).await
}

/// Which part of a timeline.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ActivityQuery {
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// Lists the timeline of a lead, newest first
#[utoipa::path(get, path = "/v1/identity/leads/{id}/activities", tag = "identity",
    params(("id" = Uuid, Path), ActivityQuery), responses((status = 200, body = Paged<ActivityView>)))]
async fn list_activities(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadId>,
    Query(query): Query<ActivityQuery>,
) -> ApiResult<Json<Paged<ActivityView>>> {
    let window = window(query.page, query.limit)?;
    stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let found = events::list_activities(&app.reader, actor.workspace, id, window.limit, window.offset()).await?;
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(found, |activity| ActivityView::new(activity, sight))))
}

/// The version in `If-Match: "7"`.
fn version_of(headers: &HeaderMap) -> ApiResult<Option<i64>> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let version = value.to_str().ok().and_then(|text| text.trim().trim_matches('"').parse().ok());
    version.map(Some).ok_or_else(|| ApiError::field("", "If-Match must be the lead's version, such as \"7\""))
}

fn in_conflict(conflicts: Vec<Conflict>, sight: Sight) -> ApiError {
    conflicts.into_iter().fold(ApiError::new(Code::StaleVersion), |error, conflict| {
        let Conflict { pointer, yours, theirs } = conflict;
        let theirs = if sight.is_masked() { Value::Null } else { theirs };
        error.and_field(pointer.clone(), "was changed by somebody else").in_conflict(ConflictView {
            pointer,
            yours,
            theirs,
        })
    })
}

impl From<LeadError> for ApiError {
    fn from(error: LeadError) -> Self {
        match error {
            LeadError::NotFound => Self::not_found(),
            LeadError::Deleted => Self::new(Code::Conflict).detail("the lead is deleted; restore it first"),
            LeadError::NoStage => Self::field("/stageId", "is not a stage here"),
            LeadError::NoNeighbour => Self::field("/afterLeadId", "is not another lead here"),
            LeadError::Reason(fault) => Self::field("/reason", fault.to_string()),
            LeadError::NoMember => Self::field("/assignedTo", "is not a member of this workspace"),
            LeadError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
            LeadError::Conflicts(_) => Self::new(Code::StaleVersion),
            LeadError::Internal(error) => error.into(),
        }
    }
}
