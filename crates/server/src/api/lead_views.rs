//! `/v1/identity/views`: saved views of leads.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    ids::{LeadViewId, UserId},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::{
    Actor,
    crm::views::{self as engine, ViewEdit, ViewError, may_change},
};
use leadline_store::{lead_views as stored, leads::SortOrder};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        leads::filter::{FilterReading, refused, sort},
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
        .at(Permission::LeadsView, routes!(create))
        .at(Permission::LeadsView, routes!(get, update, delete))
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ViewLayout {
    Table,
    Board,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum ViewOrder {
    Asc,
    Desc,
}

/// A saved view.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SavedView {
    #[schema(value_type = Uuid)]
    id: LeadViewId,
    name: String,
    layout: ViewLayout,
    /// A tree of conditions, as the list of leads takes it.
    #[schema(value_type = Option<Object>)]
    filter: Option<Value>,
    sort_by: Option<String>,
    sort_order: Option<ViewOrder>,
    /// Columns of the table in their order; null for the usual ones.
    columns: Option<Vec<String>>,
    /// What cards of the board show; null for the usual.
    card_fields: Option<Vec<String>>,
    /// Whether everybody in the workspace sees it.
    is_shared: bool,
    /// Whether whoever asks begins with it.
    is_default: bool,
    #[schema(value_type = Option<Uuid>)]
    owner_id: Option<UserId>,
    owner_name: String,
    /// Whether whoever asks may change and delete it.
    may_change: bool,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl SavedView {
    fn new(view: stored::LeadView, actor: &Actor, default: Option<LeadViewId>) -> Self {
        Self {
            may_change: may_change(actor, &view),
            is_default: default == Some(view.id),
            id: view.id,
            name: view.name,
            layout: if view.layout == "board" { ViewLayout::Board } else { ViewLayout::Table },
            filter: view.filter,
            sort_by: view.sort_by,
            sort_order: view.sort_order.map(|order| if order == "asc" { ViewOrder::Asc } else { ViewOrder::Desc }),
            columns: view.columns,
            card_fields: view.card_fields,
            is_shared: view.is_shared,
            owner_id: view.owner_id,
            owner_name: view.owner_name,
            created_at: view.created_at,
            updated_at: view.updated_at,
        }
    }
}

/// Lists the views that whoever asks sees: their own, and shared ones
///
/// Without `pii:view` those whose filters ask for personal data are left out: what they look for would tell of it.
#[utoipa::path(get, path = "/v1/identity/views", tag = "identity", responses((status = 200, body = All<SavedView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<SavedView>>> {
    let views = stored::list(&app.reader, actor.workspace, actor.user).await?;
    let default = default_of(&app, &actor).await?;
    let reading = FilterReading::load(&app, &actor).await?;
    let data = views
        .into_iter()
        .filter(|view| may_see(&reading, &actor, view))
        .map(|view| SavedView::new(view, &actor, default))
        .collect();
    Ok(Json(All { data }))
}

fn may_see(reading: &FilterReading, actor: &Actor, view: &stored::LeadView) -> bool {
    let Some(filter) = &view.filter else { return true };
    reading.read(actor, filter).err().is_none_or(|faults| faults.iter().all(|fault| !fault.is_forbidden))
}

async fn default_of(app: &App, actor: &Actor) -> ApiResult<Option<LeadViewId>> {
    let Some(user) = actor.user else { return Ok(None) };
    Ok(stored::default_of(&app.reader, actor.workspace, user).await?)
}

/// One view
#[utoipa::path(get, path = "/v1/identity/views/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = SavedView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadViewId>,
) -> ApiResult<Json<SavedView>> {
    show(&app, &actor, id).await
}

async fn show(app: &App, actor: &Actor, id: LeadViewId) -> ApiResult<Json<SavedView>> {
    let view = stored::find(&app.reader, actor.workspace, actor.user, id).await?;
    let reading = FilterReading::load(app, actor).await?;
    let view = view.filter(|view| may_see(&reading, actor, view)).ok_or_else(ApiError::not_found)?;
    Ok(Json(SavedView::new(view, actor, default_of(app, actor).await?)))
}

/// A view that is to be saved.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewSavedView {
    /// 1 to 80 characters.
    name: String,
    layout: Option<ViewLayout>,
    #[schema(value_type = Option<Object>)]
    filter: Option<Map<String, Value>>,
    sort_by: Option<String>,
    sort_order: Option<ViewOrder>,
    columns: Option<Vec<String>>,
    card_fields: Option<Vec<String>>,
    /// Needs `leads:manage`.
    #[serde(default)]
    is_shared: bool,
    is_default: Option<bool>,
}

/// Saves a view
#[utoipa::path(post, path = "/v1/identity/views", tag = "identity", request_body = NewSavedView,
    responses((status = 200, body = SavedView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewSavedView>,
) -> ApiResult<Json<SavedView>> {
    let edit = ViewEdit {
        name: Some(request.name),
        is_shared: Some(request.is_shared),
        is_default: request.is_default,
        layout: request.layout.map(layout_text),
        filter: Some(request.filter.map(Value::Object)),
        sort_by: Some(request.sort_by),
        sort_order: Some(request.sort_order.map(order_text)),
        columns: Some(request.columns),
        card_fields: Some(request.card_fields),
    };
    check(&app, &actor, &edit).await?;
    let id = engine::create(&app.engine, &actor, edit).await?;
    show(&app, &actor, id).await
}

/// What is to change about a view; what is left out stays, null clears.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SavedViewPatch {
    name: Option<String>,
    layout: Option<ViewLayout>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Object>)]
    filter: Option<Option<Map<String, Value>>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    sort_by: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ViewOrder>)]
    sort_order: Option<Option<ViewOrder>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    columns: Option<Option<Vec<String>>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>)]
    card_fields: Option<Option<Vec<String>>>,
    is_shared: Option<bool>,
    /// Whether whoever asks begins with it; anybody who sees the view may say that.
    is_default: Option<bool>,
}

/// Changes a view
///
/// Its owner may, and whoever may change settings where it is shared.
#[utoipa::path(patch, path = "/v1/identity/views/{id}", tag = "identity", params(("id" = Uuid, Path)),
    request_body = SavedViewPatch, responses((status = 200, body = SavedView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadViewId>,
    Json(patch): Json<SavedViewPatch>,
) -> ApiResult<Json<SavedView>> {
    // A view that may not be seen does not exist, whatever is said of it.
    show(&app, &actor, id).await?;
    let edit = ViewEdit {
        name: patch.name,
        is_shared: patch.is_shared,
        is_default: patch.is_default,
        layout: patch.layout.map(layout_text),
        filter: patch.filter.map(|filter| filter.map(Value::Object)),
        sort_by: patch.sort_by,
        sort_order: patch.sort_order.map(|order| order.map(order_text)),
        columns: patch.columns,
        card_fields: patch.card_fields,
    };
    check(&app, &actor, &edit).await?;
    engine::update(&app.engine, &actor, id, edit).await?;
    show(&app, &actor, id).await
}

/// Deletes a view
#[utoipa::path(delete, path = "/v1/identity/views/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<LeadViewId>,
) -> ApiResult<StatusCode> {
    show(&app, &actor, id).await?;
    engine::delete(&app.engine, &actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A view asks for nothing that whoever saves it could not ask for.
async fn check(app: &App, actor: &Actor, edit: &ViewEdit) -> ApiResult<()> {
    if let Some(Some(filter)) = &edit.filter {
        if filter.to_string().len() > leadline_domain::filters::LONGEST_JSON {
            return Err(ApiError::field("/filter", "is too long"));
        }
        let reading = FilterReading::load(app, actor).await?;
        reading.read(actor, filter).map_err(|faults| refused("/filter", faults))?;
    }
    if let Some(Some(by)) = &edit.sort_by {
        sort(&app.reader, actor, Some(by), SortOrder::Descending).await?;
    }
    Ok(())
}

fn layout_text(layout: ViewLayout) -> String {
    match layout {
        ViewLayout::Table => "table".to_owned(),
        ViewLayout::Board => "board".to_owned(),
    }
}

fn order_text(order: ViewOrder) -> String {
    match order {
        ViewOrder::Asc => "asc".to_owned(),
        ViewOrder::Desc => "desc".to_owned(),
    }
}

impl From<ViewError> for ApiError {
    fn from(error: ViewError) -> Self {
        match error {
            ViewError::NotFound => Self::not_found(),
            ViewError::Forbidden(detail) => Self::new(Code::Forbidden).detail(detail),
            ViewError::Full => Self::new(Code::Conflict).detail(error.to_string()),
            ViewError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
            ViewError::Internal(error) => error.into(),
        }
    }
}
