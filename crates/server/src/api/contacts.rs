//! `/v1/identity/contacts`: the persons behind leads.

use axum::extract::State;
use leadline_domain::{
    filters::Filter,
    ids::{ContactId, LeadId, PipelineId, ProjectId, SegmentId, StageId},
    permissions::Permission,
    phones,
    scores::Scoring,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    crm::contacts::{self as engine, ContactChanges, ContactError, differences},
    privacy,
};
use leadline_store::{
    Reader,
    contacts::{self as stored, Contact, ContactFilter, ContactSort},
    leads::{self, Lead, LeadFilter},
    search::Terms,
    suppressions, visits, workspaces,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        leads::{
            SortOrderName,
            filter::{FilterReading, of_segment, window},
            order,
            visits::{VisitView, view as visit_view},
        },
        masking::Sight,
        views::{PageQuery, Paged},
    },
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query, present},
    guard::{CurrentActor, GuardedRoutes},
};

/// The longest search, in characters.
const SEARCH_MAX_CHARS: usize = 500;

/// A person has few leads; of whoever has hundreds the newest are shown.
const LEADS: i64 = 100;

/// Touches that are shown of one person.
const TOUCHES: usize = 100;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::LeadsView, routes!(get))
        .at(Permission::LeadsManage, routes!(update))
        .at(Permission::LeadsView, routes!(list_sessions))
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ContactView {
    #[schema(value_type = Uuid)]
    id: ContactId,
    display_name: String,
    email: Option<String>,
    /// In E.164.
    phone_number: Option<String>,
    /// As people read it.
    phone_display: Option<String>,
    /// `lead` or `customer`.
    lifecycle: String,
    tags: Vec<String>,
    /// Where they were found and what was carried over from their leads; its values are hidden without `pii:view`.
    #[schema(value_type = Object)]
    column_data: Map<String, Value>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
    /// Grows with every change.
    version: i64,
    /// Whether personal data is masked, for want of `pii:view`.
    masked: bool,
}

impl ContactView {
    fn new(contact: Contact, sight: Sight) -> Self {
        let phone_display = match sight {
            Sight::Clear => contact.phone_number.as_deref().map(phones::international),
            Sight::Masked => sight.phone(contact.phone_number.clone()),
        };
        Self {
            id: contact.id,
            display_name: sight.name(contact.display_name),
            email: sight.email(contact.email),
            phone_number: sight.phone(contact.phone_number),
            phone_display,
            lifecycle: contact.lifecycle,
            tags: contact.tags,
            column_data: sight.custom_fields(contact.column_data),
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            version: contact.version,
            masked: sight.is_masked(),
        }
    }
}

/// A lead of a person.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ContactLeadView {
    #[schema(value_type = Uuid)]
    id: LeadId,
    name: String,
    #[schema(value_type = Uuid)]
    project_id: ProjectId,
    project_name: Option<String>,
    #[schema(value_type = Uuid)]
    pipeline_id: PipelineId,
    #[schema(value_type = Uuid)]
    stage_id: StageId,
    stage_name: Option<String>,
    source_name: String,
    score: i64,
    assigned_to_name: Option<String>,
    submission_count: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    last_submission_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    converted_at: Option<Timestamp>,
}

impl ContactLeadView {
    fn new(lead: Lead, sight: Sight) -> Self {
        Self {
            id: lead.card.id,
            name: sight.name(lead.card.name),
            project_id: lead.card.project_id,
            project_name: lead.project_name,
            pipeline_id: lead.card.pipeline_id,
            stage_id: lead.card.stage_id,
            stage_name: lead.stage_name,
            source_name: lead.card.source_name,
            score: lead.card.score,
            assigned_to_name: lead.card.assigned_to_name,
            submission_count: lead.card.submission_count,
            created_at: lead.card.created_at,
            last_submission_at: lead.card.last_submission_at,
            converted_at: lead.converted_at,
        }
    }
}

/// A person with what is known of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ContactDetail {
    #[serde(flatten)]
    contact: ContactView,
    /// Their leads in all projects, the newest first, at most 100.
    leads: Vec<ContactLeadView>,
    /// How they came, over all their leads, the latest first; at most 100.
    #[schema(value_type = Vec<Object>)]
    touches: Vec<Value>,
    /// By what they must not be written to: `email`, `phone`. What they send is accepted as before.
    suppressed: Vec<String>,
}

/// The filters of a request, as they stand in its query.
#[derive(Debug, Default)]
pub(crate) struct ContactsAsked {
    pub(crate) search: Option<String>,
    pub(crate) tag: Option<String>,
    pub(crate) lifecycle: Option<String>,
    pub(crate) segment: Option<SegmentId>,
}

impl ContactsAsked {
    /// Reads the filters. Who may not see personal data searches nobody: finding somebody by their e-mail tells it.
    pub(crate) async fn read(self, reader: &Reader, now: Timestamp, actor: &Actor) -> ApiResult<ContactFilter> {
        let search = self.search.unwrap_or_default();
        if search.chars().count() > SEARCH_MAX_CHARS {
            return Err(ApiError::field("/search", format!("has at most {SEARCH_MAX_CHARS} characters")));
        }
        let search = Terms::parse(&search);
        if search.is_some() && Sight::of(actor).is_masked() {
            return Err(ApiError::new(Code::Forbidden).detail("searching contacts needs the permission pii:view"));
        }
        let leads = match self.segment {
            None => None,
            Some(segment) => {
                let reading = FilterReading::of(reader, actor, now).await?;
                Some(LeadFilter {
                    conditions: Some(Filter::All(vec![of_segment(reader, &reading, actor, segment).await?])),
                    ..LeadFilter::default()
                })
            }
        };
        // No contact can hold U+0000, and PostgreSQL refuses to look for it.
        let said = |text: Option<String>| text.map(|text| text.replace('\0', "")).filter(|text| !text.is_empty());
        let lifecycle = said(self.lifecycle).map(checked_lifecycle).transpose()?;
        Ok(ContactFilter { search, tag: said(self.tag), lifecycle, leads })
    }
}

fn checked_lifecycle(name: String) -> ApiResult<String> {
    if ["lead", "customer"].contains(&name.as_str()) {
        return Ok(name);
    }
    Err(ApiError::field("/lifecycle", "must be lead or customer"))
}

/// What a list of contacts is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ContactSortName {
    CreatedAt,
    UpdatedAt,
    Name,
}

/// What a list is sorted by. The order of names tells about names, so it is not for who may not see them.
pub(crate) fn contact_sort(actor: &Actor, by: Option<ContactSortName>) -> ApiResult<ContactSort> {
    match by {
        None | Some(ContactSortName::CreatedAt) => Ok(ContactSort::CreatedAt),
        Some(ContactSortName::UpdatedAt) => Ok(ContactSort::UpdatedAt),
        Some(ContactSortName::Name) if Sight::of(actor).is_masked() => {
            Err(ApiError::new(Code::Forbidden).detail("sorting by name needs the permission pii:view"))
        }
        Some(ContactSortName::Name) => Ok(ContactSort::Name),
    }
}

/// Which contacts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words that name, e-mail or phone hold. Needs `pii:view`, since finding somebody by their e-mail tells it.
    search: Option<String>,
    /// Those with this tag.
    tag: Option<String>,
    /// `lead` or `customer`.
    lifecycle: Option<String>,
    /// Those behind the leads of a segment.
    #[param(value_type = Option<Uuid>)]
    segment_id: Option<SegmentId>,
    /// `createdAt` where nothing is said.
    #[param(inline)]
    sort_by: Option<ContactSortName>,
    #[param(inline)]
    sort_order: Option<SortOrderName>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// Lists contacts
#[utoipa::path(get, path = "/v1/identity/contacts", tag = "identity", params(ListQuery),
    responses((status = 200, body = Paged<ContactView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Paged<ContactView>>> {
    let sight = Sight::of(&actor);
    let window = window(query.page, query.limit)?;
    let sort = (contact_sort(&actor, query.sort_by)?, order(query.sort_order));
    let asked =
        ContactsAsked { search: query.search, tag: query.tag, lifecycle: query.lifecycle, segment: query.segment_id };
    let filter = asked.read(&app.reader, app.engine.clock.now(), &actor).await?;
    let found = stored::list(&app.reader, actor.workspace, &filter, sort, (window.limit, window.offset())).await?;
    Ok(Json(window.paged(found, |contact| ContactView::new(contact, sight))))
}

/// One contact with its leads and how it came
#[utoipa::path(get, path = "/v1/identity/contacts/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = ContactDetail)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ContactId>,
) -> ApiResult<Json<ContactDetail>> {
    show(&app, &actor, id).await
}

async fn show(app: &App, actor: &Actor, id: ContactId) -> ApiResult<Json<ContactDetail>> {
    let contact = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let leads = leads::list_of_contact(&app.reader, actor.workspace, id, LEADS).await?;
    let sight = Sight::of(actor);
    let suppressed = suppressed(app, actor, &contact).await?;
    Ok(Json(ContactDetail {
        contact: ContactView::new(contact, sight),
        touches: touches(&leads, sight),
        suppressed,
        leads: leads.into_iter().map(|lead| ContactLeadView::new(lead, sight)).collect(),
    }))
}

/// By what somebody must not be written to.
async fn suppressed(app: &App, actor: &Actor, contact: &Contact) -> ApiResult<Vec<String>> {
    let keys = &app.engine.keys;
    let email = contact.email.as_deref().and_then(|email| privacy::email_key(keys, actor.workspace, email));
    let phone = contact.phone_number.as_deref().map(|phone| privacy::phone_key(keys, actor.workspace, phone));
    let keys: Vec<_> = email.into_iter().chain(phone).collect();
    let found = suppressions::which_suppressed(&app.reader, actor.workspace, &keys).await?;
    Ok(found.into_iter().map(|entry| entry.kind).collect())
}

/// The touches of all leads, each once, the latest first.
fn touches(leads: &[Lead], sight: Sight) -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for lead in leads {
        // The first and the last one know more of themselves than those between.
        let known = lead.figures.touches.iter().flatten().map(|touch| json!(touch));
        for touch in [lead.first_touch.clone(), lead.last_touch.clone()].into_iter().chain(known) {
            if says_something(&touch) && !all.iter().any(|other| says_as_much(other, &touch)) {
                all.push(touch);
            }
        }
    }
    all.sort_by(|one, other| other["at"].as_str().cmp(&one["at"].as_str()));
    all.truncate(TOUCHES);
    all.into_iter().map(|touch| sight.touch(touch)).collect()
}

/// Leads that were entered by hand have a time for a touch, and nothing else.
fn says_something(touch: &Value) -> bool {
    let mut fields = touch.as_object().into_iter().flatten();
    touch["at"].is_string() && fields.any(|(name, value)| name != "at" && !value.is_null() && *value != json!({}))
}

fn says_as_much(other: &Value, touch: &Value) -> bool {
    touch.as_object().into_iter().flatten().all(|(name, value)| other[name] == *value)
}

#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Lifecycle {
    Lead,
    Customer,
}

/// What is to change about a contact; what is left out stays, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ContactPatch {
    display_name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    phone_number: Option<Option<String>>,
    lifecycle: Option<Lifecycle>,
    /// All tags from now on.
    tags: Option<Vec<String>>,
    /// Data to set; what is not named stays, null removes.
    #[schema(value_type = Option<Object>)]
    column_data: Option<Map<String, Value>>,
    /// The version that the change goes by; where it is not the latest, nothing is changed and the answer says what is
    /// there now.
    version: Option<i64>,
}

/// Changes a contact; its leads stay as they are
#[utoipa::path(patch, path = "/v1/identity/contacts/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = ContactPatch, responses((status = 200, body = ContactDetail)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ContactId>,
    Json(patch): Json<ContactPatch>,
) -> ApiResult<Json<ContactDetail>> {
    let changes = ContactChanges {
        display_name: patch.display_name,
        email: patch.email,
        phone_number: patch.phone_number,
        lifecycle: patch.lifecycle.map(|lifecycle| match lifecycle {
            Lifecycle::Lead => "lead".to_owned(),
            Lifecycle::Customer => "customer".to_owned(),
        }),
        tags: patch.tags,
        column_data: patch.column_data,
        version: patch.version,
    };
    engine::update(&app.engine, &actor, id, &changes).await.map_err(|error| refusal(error, &changes, &actor))?;
    show(&app, &actor, id).await
}

fn refusal(error: ContactError, changes: &ContactChanges, actor: &Actor) -> ApiError {
    match error {
        ContactError::NotFound => ApiError::not_found(),
        ContactError::Stale(now) => stale(&now, changes, Sight::of(actor)),
        ContactError::Invalid(faults) => faults
            .into_iter()
            .fold(ApiError::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
        ContactError::Internal(error) => error.into(),
    }
}

/// Says what is there in place of each thing that was to be changed.
fn stale(now: &Contact, changes: &ContactChanges, sight: Sight) -> ApiError {
    let shown = ContactView::new(now.clone(), sight);
    let wanted = Contact {
        display_name: changes.display_name.clone().unwrap_or_else(|| now.display_name.clone()),
        email: changes.email.clone().unwrap_or_else(|| now.email.clone()),
        phone_number: changes.phone_number.clone().unwrap_or_else(|| now.phone_number.clone()),
        lifecycle: changes.lifecycle.clone().unwrap_or_else(|| now.lifecycle.clone()),
        tags: changes.tags.clone().unwrap_or_else(|| now.tags.clone()),
        ..now.clone()
    };
    let fields = differences(now, &wanted).into_iter().chain(changes.column_data.iter().map(|_| "columnData"));
    fields.fold(ApiError::new(Code::StaleVersion), |error, field| {
        let value = match field {
            "displayName" => json!(shown.display_name),
            "email" => json!(shown.email),
            "phoneNumber" => json!(shown.phone_number),
            "lifecycle" => json!(shown.lifecycle),
            "tags" => json!(shown.tags),
            _ => return error.and_field(format!("/{field}"), "was changed by somebody else"),
        };
        error.and_field(format!("/{field}"), format!("is {value} now"))
    })
}

/// Lists the visits of a contact's leads, newest first
///
/// Visits are kept for 90 days.
#[utoipa::path(get, path = "/v1/identity/contacts/{id}/sessions", tag = "identity",
    params(("id" = Uuid, Path), PageQuery), responses((status = 200, body = Paged<VisitView>)))]
async fn list_sessions(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ContactId>,
    Query(query): Query<PageQuery>,
) -> ApiResult<Json<Paged<VisitView>>> {
    let window = query.window()?;
    stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    let found = visits::list_of_contact(&app.reader, actor.workspace, id, window.limit, window.offset()).await?;
    let workspace = workspaces::find(&app.reader, actor.workspace).await?.ok_or_else(ApiError::not_found)?;
    let Scoring { weights, .. } = Scoring::of(&workspace.settings);
    let sight = Sight::of(&actor);
    Ok(Json(window.paged(found, |visit| visit_view(visit, &weights, sight))))
}
