//! `/v1/identity/contacts`: the persons behind leads.

use axum::extract::State;
use leadline_domain::{ids::ContactId, permissions::Permission, time::Timestamp};
use leadline_store::{
    contacts::{self as stored, Contact},
    search::Terms,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{leads::filter::window, masking::Sight, views::Paged},
    app::App,
    error::{ApiError, ApiResult, Code},
    extract::{Json, Path, Query},
    guard::{CurrentActor, GuardedRoutes},
};

/// The longest search, in characters.
const SEARCH_MAX_CHARS: usize = 500;

pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().at(Permission::LeadsView, routes!(list)).at(Permission::LeadsView, routes!(get))
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
    /// Whether personal data is masked, for want of `pii:view`.
    masked: bool,
}

impl ContactView {
    fn new(contact: Contact, sight: Sight) -> Self {
        Self {
            id: contact.id,
            display_name: sight.name(contact.display_name),
            email: sight.email(contact.email),
            phone_number: sight.phone(contact.phone_number),
            lifecycle: contact.lifecycle,
            tags: contact.tags,
            column_data: sight.custom_fields(contact.column_data),
            created_at: contact.created_at,
            updated_at: contact.updated_at,
            masked: sight.is_masked(),
        }
    }
}

/// Which contacts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Words that name, e-mail or phone hold. Needs `pii:view`, since finding somebody by their e-mail tells it.
    search: Option<String>,
    /// From 1.
    page: Option<i64>,
    /// At most 200; 50 where nothing is said.
    limit: Option<i64>,
}

/// Lists contacts, newest first
#[utoipa::path(get, path = "/v1/identity/contacts", tag = "identity", params(ListQuery),
    responses((status = 200, body = Paged<ContactView>)))]
async fn list(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Paged<ContactView>>> {
    let sight = Sight::of(&actor);
    let window = window(query.page, query.limit)?;
    let search = query.search.unwrap_or_default();
    if search.chars().count() > SEARCH_MAX_CHARS {
        return Err(ApiError::field("/search", format!("has at most {SEARCH_MAX_CHARS} characters")));
    }
    let terms = Terms::parse(&search);
    if terms.is_some() && sight.is_masked() {
        return Err(ApiError::new(Code::Forbidden).detail("searching contacts needs the permission pii:view"));
    }
    let found = stored::list(&app.reader, actor.workspace, terms.as_ref(), window.limit, window.offset()).await?;
    Ok(Json(window.paged(found, |contact| ContactView::new(contact, sight))))
}

/// One contact
#[utoipa::path(get, path = "/v1/identity/contacts/{id}", tag = "identity", params(("id" = Uuid, Path)),
    responses((status = 200, body = ContactView)))]
async fn get(
    State(app): State<App>,
    CurrentActor(actor): CurrentActor,
    Path(id): Path<ContactId>,
) -> ApiResult<Json<ContactView>> {
    let contact = stored::find(&app.reader, actor.workspace, id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(ContactView::new(contact, Sight::of(&actor))))
}
