//! `/v1/identity/custom-fields`: fields of the workspace's own, and `/v1/identity/filter-fields`: what leads can be
//! filtered by.

use axum::extract::State;
use http::StatusCode;
use leadline_domain::{
    custom_fields::CustomKind,
    filters::{CONTACT_DATA, FIELDS, LeadField, SEGMENT},
    permissions::Permission,
    time::Timestamp,
};
use leadline_engine::crm::custom_fields::{self as engine, FieldChange, FieldError, NewField};
use leadline_store::custom_fields::{self as stored, CustomField};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{masking::Sight, views::All},
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path},
    guard::{CurrentActor, GuardedRoutes},
};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .at(Permission::LeadsView, routes!(list))
        .at(Permission::SettingsManage, routes!(create))
        .at(Permission::SettingsManage, routes!(update, delete))
        .at(Permission::LeadsView, routes!(list_filter_fields))
}

/// What a custom field holds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum CustomFieldType {
    Text,
    Number,
    Date,
    Select,
    MultiSelect,
    Url,
    Boolean,
}

impl From<CustomFieldType> for CustomKind {
    fn from(kind: CustomFieldType) -> Self {
        match kind {
            CustomFieldType::Text => Self::Text,
            CustomFieldType::Number => Self::Number,
            CustomFieldType::Date => Self::Date,
            CustomFieldType::Select => Self::Select,
            CustomFieldType::MultiSelect => Self::MultiSelect,
            CustomFieldType::Url => Self::Url,
            CustomFieldType::Boolean => Self::Boolean,
        }
    }
}

impl From<CustomKind> for CustomFieldType {
    fn from(kind: CustomKind) -> Self {
        match kind {
            CustomKind::Text => Self::Text,
            CustomKind::Number => Self::Number,
            CustomKind::Date => Self::Date,
            CustomKind::Select => Self::Select,
            CustomKind::MultiSelect => Self::MultiSelect,
            CustomKind::Url => Self::Url,
            CustomKind::Boolean => Self::Boolean,
        }
    }
}

/// A custom field.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CustomFieldView {
    /// Under which its values stand in `customFields`.
    key: String,
    /// Its name on the screen.
    name: String,
    /// Null where it came in submissions and nobody defined it.
    #[serde(rename = "type")]
    kind: Option<CustomFieldType>,
    /// For `select` and `multi_select`.
    options: Vec<String>,
    /// Whether cards of the board show it.
    on_card: bool,
    /// How many submissions brought it; may lag by some seconds.
    seen_count: i64,
    #[schema(value_type = Option<String>, format = DateTime)]
    last_seen_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<CustomField> for CustomFieldView {
    fn from(field: CustomField) -> Self {
        Self {
            key: field.key,
            name: field.name,
            kind: field.kind.map(CustomFieldType::from),
            options: field.options,
            on_card: field.is_on_card,
            seen_count: field.seen_count,
            last_seen_at: field.last_seen_at,
            created_at: field.created_at,
            updated_at: field.updated_at,
        }
    }
}

/// Lists custom fields, the defined ones first
#[utoipa::path(get, path = "/v1/identity/custom-fields", tag = "identity",
    responses((status = 200, body = All<CustomFieldView>)))]
async fn list(State(app): State<App>, CurrentActor(actor): CurrentActor) -> ApiResult<Json<All<CustomFieldView>>> {
    let fields = stored::list(&app.reader, actor.workspace).await?;
    Ok(Json(All { data: fields.into_iter().map(CustomFieldView::from).collect() }))
}

/// A field that is to be defined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NewCustomField {
    /// camelCase; made of the name where it is left out. The key of a field that came in submissions defines that one.
    key: Option<String>,
    name: String,
    #[serde(rename = "type")]
    kind: CustomFieldType,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    on_card: bool,
}

/// Defines a custom field
///
/// Values that are there stay as they are, whether they fit or not.
#[utoipa::path(post, path = "/v1/identity/custom-fields", tag = "identity", request_body = NewCustomField,
    responses((status = 200, body = CustomFieldView)))]
async fn create(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Json(request): Json<NewCustomField>,
) -> ApiResult<Json<CustomFieldView>> {
    let new = NewField {
        key: request.key,
        name: request.name,
        kind: request.kind.into(),
        options: request.options,
        is_on_card: request.on_card,
    };
    let key = engine::create(&app.engine, &actor, &new).await?;
    show(&app, actor.workspace, &key).await
}

/// What is to change about a custom field; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CustomFieldPatch {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<CustomFieldType>,
    options: Option<Vec<String>>,
    on_card: Option<bool>,
}

/// Changes a custom field; no lead is touched
#[utoipa::path(patch, path = "/v1/identity/custom-fields/{key}", tag = "identity", params(("key" = String, Path)),
    request_body = CustomFieldPatch, responses((status = 200, body = CustomFieldView)))]
async fn update(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(key): Path<String>,
    Json(patch): Json<CustomFieldPatch>,
) -> ApiResult<Json<CustomFieldView>> {
    let change = FieldChange {
        name: patch.name,
        kind: patch.kind.map(CustomKind::from),
        options: patch.options,
        is_on_card: patch.on_card,
    };
    let key = plain(key)?;
    engine::update(&app.engine, &actor, &key, &change).await?;
    show(&app, actor.workspace, &key).await
}

/// Takes a definition back; the values stay with the leads
#[utoipa::path(delete, path = "/v1/identity/custom-fields/{key}", tag = "identity", params(("key" = String, Path)),
    responses((status = 204)))]
async fn delete(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(key): Path<String>,
) -> ApiResult<StatusCode> {
    engine::remove(&app.engine, &actor, &plain(key)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A key that a field can have; PostgreSQL refuses to look for U+0000.
fn plain(key: String) -> ApiResult<String> {
    if key.contains('\0') { Err(ApiError::not_found()) } else { Ok(key) }
}

async fn show(app: &App, workspace: leadline_domain::ids::WorkspaceId, key: &str) -> ApiResult<Json<CustomFieldView>> {
    let fields = stored::list(&app.reader, workspace).await?;
    let field = fields.into_iter().find(|field| field.key == key).ok_or_else(ApiError::not_found)?;
    Ok(Json(field.into()))
}

/// Something that leads can be filtered by.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct FilterFieldView {
    /// Its name in a condition's `field`.
    name: String,
    label: String,
    /// Under which heading it stands on the screen.
    group: &'static str,
    /// `text`, `number`, `date`, `choice`, `id`, `set` or `flag`, which says what can be asked of it.
    kind: &'static str,
    /// What its values are chosen from, where that is known.
    options: Vec<String>,
}

/// Lists what leads can be filtered by, and as what
///
/// Operators by kind: text `is`, `is_not`, `any_of`, `none_of`, `contains`, `not_contains`, `starts_with`, `ends_with`;
/// number `is`, `is_not`, `more_than`, `at_least`, `less_than`, `at_most`, `between`; date `on`, `before`, `after`,
/// `between`, `in_last`, `more_than_ago`, `in_next`, `this`, `previous`; choice and id `is`, `is_not`, `any_of`,
/// `none_of`; set `any_of`, `all_of`, `none_of`; flag `is`. All but `segment` know `empty` and `not_empty`.
/// Without `pii:view` fields that tell who a person is are left out.
#[utoipa::path(get, path = "/v1/identity/filter-fields", tag = "identity",
    responses((status = 200, body = All<FilterFieldView>)))]
async fn list_filter_fields(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
) -> ApiResult<Json<All<FilterFieldView>>> {
    let sees_personal = Sight::of(&actor) == Sight::Clear;
    let mut data: Vec<FilterFieldView> = FIELDS
        .iter()
        .filter(|field| sees_personal || !field.is_personal)
        .map(|field| FilterFieldView {
            name: field.name.to_owned(),
            label: field.label.to_owned(),
            group: field.group,
            kind: field.kind.as_str(),
            options: options_of(field.field).iter().map(|option| (*option).to_owned()).collect(),
        })
        .collect();
    data.push(FilterFieldView {
        name: SEGMENT.to_owned(),
        label: "Segment".to_owned(),
        group: "Lead",
        kind: "id",
        options: Vec::new(),
    });
    if sees_personal {
        data.extend(CONTACT_DATA.iter().map(|(key, name)| FilterFieldView {
            name: format!("contact.{key}"),
            label: (*name).to_owned(),
            group: "Contact",
            kind: "text",
            options: Vec::new(),
        }));
        let custom = stored::list(&app.reader, actor.workspace).await?;
        data.extend(custom.into_iter().map(|field| FilterFieldView {
            name: format!("custom.{}", field.key),
            label: field.name,
            group: "Custom fields",
            kind: custom_kind(field.kind),
            options: field.options,
        }));
    }
    Ok(Json(All { data }))
}

fn custom_kind(kind: Option<CustomKind>) -> &'static str {
    match kind {
        None | Some(CustomKind::Text | CustomKind::Url) => "text",
        Some(CustomKind::Number) => "number",
        Some(CustomKind::Date) => "date",
        Some(CustomKind::Select) => "choice",
        Some(CustomKind::MultiSelect) => "set",
        Some(CustomKind::Boolean) => "flag",
    }
}

fn options_of(field: LeadField) -> &'static [&'static str] {
    use leadline_domain::filters::TouchPart::Channel;
    match field {
        LeadField::Source => &["form", "webhook", "widget", "chat", "manual", "import", "api"],
        LeadField::StageKind => &["open", "won", "lost"],
        LeadField::State => &["in_progress", "completed"],
        LeadField::Lifecycle => &["lead", "customer"],
        LeadField::DeviceKind => &["desktop", "smartphone", "tablet", "tv", "console", "bot", "other"],
        LeadField::FirstTouch(Channel) | LeadField::LastTouch(Channel) => {
            &["search", "paid", "social", "email", "assistant", "referral", "campaign", "direct", "spam"]
        }
        _ => &[],
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        match error {
            FieldError::NotFound => Self::not_found(),
            FieldError::Exists => Self::new(Code::Conflict).detail("a field with this key is defined already"),
            FieldError::Full => Self::new(Code::Conflict).detail(error.to_string()),
            FieldError::Invalid(faults) => faults
                .into_iter()
                .fold(Self::new(Code::InvalidFields), |error, fault| error.and_field(fault.pointer, fault.message)),
            FieldError::Internal(error) => error.into(),
        }
    }
}
