//! `/v1/identity/segments`: named conditions on leads, and how many leads and people are in them.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    filters::{Filter, LONGEST_JSON},
    ids::SegmentId,
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    crm::segments::{self as engine, SegmentEdit, SegmentError},
};
use leadline_store::{
    leads::{self, LeadFilter},
    segments::{self as stored, Segment},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        leads::filter::{FilterReading, refused},
        views::All,
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, present},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsManage, routes!(create))
        .at(Permission::LeadsView, routes!(count))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::LeadsManage, routes!(update))
        .at(Permission::LeadsManage, routes!(delete))
}

/// A segment.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SegmentView {
    #[schema(value_type = Uuid)]
    id: SegmentId,
    name: String,
    description: Option<String>,
    /// A tree of conditions, as the list of leads takes it.
    #[schema(value_type = Object)]
    filter: Value,
    /// Whether leads' timelines tell of coming into it and of leaving it.
    is_followed: bool,
    /// Grows with every change.
    version: i64,
    /// Who made it.
    made_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<Segment> for SegmentView {
    fn from(segment: Segment) -> Self {
        let Segment { id, name, description, filter, is_followed, version, made_by, .. } = segment;
        let (created_at, updated_at) = (segment.created_at, segment.updated_at);
        Self { id, name, description, filter, is_followed, version, made_by, created_at, updated_at }
    }
}

/// How many are in a segment now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SegmentCount {
    /// Leads, or where counting stopped.
    lead_count: i64,
    /// Whether there are more leads.
    lead_count_is_capped: bool,
    /// People behind them, or where counting stopped.
    contact_count: i64,
    /// Whether there are more people.
    contact_count_is_capped: bool,
}

/// A segment with how many are in it now.
#[derive(Debug, Serialize, ToSchema)]
struct SegmentDetail {
    #[serde(flatten)]
    segment: SegmentView,
    #[serde(flatten)]
    count: SegmentCount,
}

/// Lists segments, the oldest first
///
/// Without `pii:view` those that ask for personal data are left out: who is in them would tell of it.
#[utoipa::path(get, path = "/v1/identity/segments", tag = "identity",
    responses((status = 200, body = All<SegmentView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<SegmentView>>> {
    let reading = FilterReading::load(&app, &actor).await?;
    let segments = stored::list(&app.reader, actor.workspace).await?;
    let seen = segments.into_iter().filter(|segment| may_see(&reading, &actor, segment));
    Ok(Json(All { data: seen.map(SegmentView::from).collect() }))
}

fn may_see(reading: &FilterReading, actor: &Actor, segment: &Segment) -> bool {
    let faults = reading.read_for_all(actor, &segment.filter).err();
    faults.is_none_or(|faults| faults.iter().all(|fault| !fault.is_forbidden))
}

/// A segment that is to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewSegment {
    /// 1 to 80 characters.
    name: String,
    description: Option<String>,
    /// A tree of conditions, as the list of leads takes it. `me` is nobody in it.
    #[schema(value_type = Object)]
    filter: Map<String, Value>,
    /// Whether leads' timelines tell of coming into it and of leaving it; where nothing is said they do, as long as the
    /// workspace follows fewer than 50 segments.
    is_followed: Option<bool>,
}

/// Makes a segment
///
/// How many are in it is asked for apart: counting may take its time, and the segment is made.
#[utoipa::path(post, path = "/v1/identity/segments", tag = "identity", request_body = NewSegment,
    responses((status = 200, body = SegmentView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewSegment>,
) -> ApiResult<Json<SegmentView>> {
    let filter = Value::Object(request.filter);
    checked(&app, &actor, None, &filter).await?;
    let edit = SegmentEdit {
        name: Some(request.name),
        description: Some(request.description),
        filter: Some(filter),
        is_followed: request.is_followed,
        version: None,
    };
    let id = engine::create(&app.engine, &actor, edit).await?;
    Ok(Json(visible(&app, &actor, id).await?.0.into()))
}

/// Conditions that might become a segment.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SegmentDraft {
    #[schema(value_type = Object)]
    filter: Map<String, Value>,
}

/// Counts who would be in a segment
#[utoipa::path(post, path = "/v1/identity/segments/count", tag = "identity", request_body = SegmentDraft,
    responses((status = 200, body = SegmentCount)))]
async fn count(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(draft): Json<SegmentDraft>,
) -> ApiResult<Json<SegmentCount>> {
    let filter = checked(&app, &actor, None, &Value::Object(draft.filter)).await?;
    Ok(Json(counted(&app, &actor, filter).await?))
}

/// One segment with how many are in it
#[utoipa::path(get, path = "/v1/identity/segments/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = SegmentDetail)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SegmentId>,
) -> ApiResult<Json<SegmentDetail>> {
    let (segment, filter) = visible(&app, &actor, id).await?;
    let count = match filter {
        Some(filter) => counted(&app, &actor, filter).await?,
        // A field that it asks for was defined in another way since, so nobody is in it until it is mended.
        None => SegmentCount {
            lead_count: 0,
            lead_count_is_capped: false,
            contact_count: 0,
            contact_count_is_capped: false,
        },
    };
    Ok(Json(SegmentDetail { segment: segment.into(), count }))
}

/// A segment and what it asks for, where that can still be asked. One that may not be seen does not exist.
async fn visible(app: &App, actor: &Actor, id: SegmentId) -> ApiResult<(Segment, Option<Filter>)> {
    let segment = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let reading = FilterReading::load(app, actor).await?;
    if !may_see(&reading, actor, &segment) {
        return Err(ApiError::not_found());
    }
    let filter = reading.read_for_all(actor, &segment.filter).ok();
    Ok((segment, filter))
}

/// What is to change about a segment; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SegmentPatch {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
    is_followed: Option<bool>,
    /// The version that the change goes by; where it is not the latest, nothing is changed.
    version: Option<i64>,
}

/// Changes a segment
#[utoipa::path(patch, path = "/v1/identity/segments/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = SegmentPatch, responses((status = 200, body = SegmentView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SegmentId>,
    Json(patch): Json<SegmentPatch>,
) -> ApiResult<Json<SegmentView>> {
    visible(&app, &actor, id).await?;
    let filter = patch.filter.clone().map(Value::Object);
    if let Some(filter) = &filter {
        checked(&app, &actor, Some(id), filter).await?;
    }
    let SegmentPatch { name, description, is_followed, version, .. } = patch;
    let edit = SegmentEdit { name, description, filter, is_followed, version };
    engine::update(&app.engine, &actor, id, edit).await?;
    Ok(Json(visible(&app, &actor, id).await?.0.into()))
}

/// Deletes a segment; the leads stay
#[utoipa::path(delete, path = "/v1/identity/segments/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<SegmentId>,
) -> ApiResult<StatusCode> {
    visible(&app, &actor, id).await?;
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What conditions ask, where they ask for nothing that whoever writes them could not ask for.
async fn checked(app: &App, actor: &Actor, id: Option<SegmentId>, filter: &Value) -> ApiResult<Filter> {
    if filter.to_string().len() > LONGEST_JSON {
        return Err(ApiError::field("/filter", format!("has at most {LONGEST_JSON} bytes")));
    }
    let reading = FilterReading::load(app, actor).await?;
    let read = match id {
        Some(id) => reading.read_segment(actor, id, filter),
        None => reading.read_for_all(actor, filter),
    };
    read.map_err(|faults| refused("/filter", faults))
}

async fn counted(app: &App, actor: &Actor, filter: Filter) -> ApiResult<SegmentCount> {
    let filter = LeadFilter { conditions: Some(Filter::All(vec![filter])), ..LeadFilter::default() };
    let reach = leads::reach(&app.reader, actor.workspace, &filter).await?;
    Ok(SegmentCount {
        lead_count: reach.leads,
        lead_count_is_capped: reach.leads_are_capped,
        contact_count: reach.contacts,
        contact_count_is_capped: reach.contacts_are_capped,
    })
}

impl From<SegmentError> for ApiError {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::NotFound => Self::not_found(),
            SegmentError::Full => Self::new(Code::Conflict).detail(error.to_string()),
            SegmentError::Stale => Self::new(Code::StaleVersion),
            SegmentError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
            SegmentError::Internal(error) => error.into(),
        }
    }
}
